package kkm

import (
	"google.golang.org/protobuf/proto"

	"openofd/internal/fiscal"
	"openofd/internal/protocol/kkm/kkmpb"
)

// code is the result code of a refusal, with the choices an operator has.
// Source: KKM reference §8 ("15m"), §14 O9.
func (j *judgement) code(r fiscal.Reason) uint32 {
	if r == fiscal.MissingParameter {
		ticket := j.req.Command == int32(kkmpb.CommandTypeEnum_COMMAND_TICKET)
		if !ticket || j.rules.MissingIsBadValue || j.card.Options.MissingIsBadValue {
			return CodeIncorrectData
		}
	}
	return CodeOf(r, j.version)
}

// refuse answers with a code other than 0. Nothing changes, and the token
// received goes back: devices take the token of every answer over.
func (j *judgement) refuse(r fiscal.Reason, field, detail string) fiscal.Decision {
	code := j.code(r)
	return fiscal.Decision{
		Reason: r, Field: field, Detail: detail, Result: uint16(code),
		Answer: Refuse(j.req.Header, j.req.Command, code, TextOf(r, field)),
	}
}

func (j *judgement) refuseAndClose(r fiscal.Reason, field, detail string) fiscal.Decision {
	d := j.refuse(r, field, detail)
	d.Close = true
	return d
}

// refuseBlocked answers 15 with the text for the device's screen and complete
// registration data, without which newer clients do not even see the 15. INFO
// gets its report as well. Source: KKM reference §6.4.
func (j *judgement) refuseBlocked(r fiscal.Reason) (fiscal.Decision, error) {
	msg := &kkmpb.Response{}
	if j.req.Command == int32(kkmpb.CommandTypeEnum_COMMAND_INFO) {
		needs, report, err := j.infoReport()
		if needs != nil || err != nil {
			return fiscal.Decision{Needs: needs}, err
		}
		msg.Report = report
	}
	msg.Service = j.service(serve{data: true, info: true})
	text := TextOf(r, "")
	if t := j.s.State.Block.Text; r == fiscal.RegisterBlocked && !blank(t) {
		text += ": " + t
	}
	if t := j.rules.Service.Text.In("ru"); r == fiscal.NoService && !blank(t) {
		text += ": " + t
	}
	answer, err := j.frame(j.req.Header.Token, j.code(r), text, msg)
	return fiscal.Decision{Reason: r, Result: uint16(j.code(r)), Answer: answer}, err
}

// frame encodes an answer: header of the request but for the token, result,
// and what msg holds already.
func (j *judgement) frame(token, code uint32, text string, msg *kkmpb.Response) ([]byte, error) {
	h := j.req.Header
	h.Token = token
	msg.Command = kkmpb.CommandTypeEnum(j.req.Command).Enum()
	msg.Result = &kkmpb.Result{ResultCode: &code, ResultText: &text}
	return AppendResponse(make([]byte, 0, usualAnswer), h, msg)
}

// usualAnswer holds the answer to a receipt, in bytes.
const usualAnswer = 192

const textOK = "OK"

// reply answers 0 without changing anything.
func (j *judgement) reply(msg *kkmpb.Response) (fiscal.Decision, error) {
	answer, err := j.frame(j.req.Header.Token, CodeOK, textOK, msg)
	return fiscal.Decision{Answer: answer}, err
}

// accept answers 0 to a token-changing command: the next token, the retry slot,
// the records to be committed. The last of them carries the bytes and is what
// a repetition is answered from.
func (j *judgement) accept(next *fiscal.State, d document, records []fiscal.Record, msg *kkmpb.Response) (fiscal.Decision, error) {
	h := &j.req.Header
	token := j.peer.token
	if !j.card.Options.KeepToken {
		key, err := j.s.Keys.At(fiscal.KeyForToken, j.s.Now)
		if err != nil {
			return fiscal.Decision{}, err
		}
		if token, err = newToken(&key, j.card, j.s.State.Version+1, token, j.s.Rand); err != nil {
			return fiscal.Decision{}, err
		}
	}
	answer, err := j.frame(token, CodeOK, textOK, msg)
	if err != nil {
		return fiscal.Decision{}, err
	}
	entry := j.s.State.LastNumber + fiscal.Number(len(records))
	j.peer.token = token
	j.peer.slot = slot{
		entry: entry, tokenIn: h.Token, reqnum: h.ReqNum, command: uint8(j.req.Command),
		key: d.key, time: d.time, offline: d.offline,
	}
	j.peer.cancelable = 0
	if d.cancelable {
		j.peer.cancelable = entry
	}
	if j.period.away {
		j.peer.offline = j.period.begin
	}
	if i := j.req.Msg.GetService().GetSoftwareInformation(); i != nil {
		j.peer.software = softwareHash(i)
	}
	return j.commit(next, records, answer)
}

// commit hands over records and state; the last record gets the bytes.
func (j *judgement) commit(next *fiscal.State, records []fiscal.Record, answer []byte) (fiscal.Decision, error) {
	next.Protocol = j.peer.append(next.Protocol[:0])
	for i := range records {
		records[i].Format = j.format()
	}
	last := &records[len(records)-1]
	last.Request, last.Answer = j.s.Exchange.Request, answer
	return fiscal.Decision{Records: records, Next: next, Answer: answer}, nil
}

// repeat answers the repetition of the last accepted request with what was
// answered then: the payload byte for byte, and the token issued then. A
// receipt that comes again under an autonomous code was printed with it, so
// the code is noted: the buyer will ask for it.
//
// Source: KKM 2.0.2 §5.1; KKM reference §3.3 step 2.
func (j *judgement) repeat() (fiscal.Decision, error) {
	if !j.s.Found.Asked {
		return fiscal.Decision{Needs: &fiscal.Needs{Entries: []fiscal.Number{j.peer.slot.entry}}}, nil
	}
	if len(j.s.Found.Entries) != 1 || len(j.s.Found.Entries[0].Answer) < HeaderLen {
		return fiscal.Decision{}, &fiscal.Error{Of: fiscal.Corrupt, Field: "entry", Msg: "the answer of the last document is gone"}
	}
	original := &j.s.Found.Entries[0]
	h := j.req.Header
	h.Token, h.Size = j.peer.token, uint32(len(original.Answer))
	answer, _ := h.AppendBinary(make([]byte, 0, len(original.Answer)))
	answer = append(answer, original.Answer[HeaderLen:]...)

	code := j.req.Msg.GetTicket().GetOfflineTicketNumber()
	if code == 0 || code == j.peer.slot.offline {
		return fiscal.Decision{Answer: answer, Replayed: true}, nil
	}
	j.peer.slot.offline = code
	notice := noticeOf(original)
	notice.DeviceNumber = uint64(code)
	d, err := j.commit(j.s.State.Clone(), []fiscal.Record{notice}, answer)
	d.Replayed = true
	return d, err
}

// noticeOf is a notice about a document that came before. It bears what people
// look a document up by, and is counted nowhere.
func noticeOf(original *fiscal.Record) fiscal.Record {
	refers := original.Number
	if original.Kind == fiscal.DocNotice && original.Refers != 0 {
		refers = original.Refers
	}
	return fiscal.Record{
		Kind: fiscal.DocNotice, Flags: fiscal.FlagRepeated, Refers: refers,
		DeviceTime: original.DeviceTime, Shift: original.Shift, FiscalSign: original.FiscalSign, SignKey: original.SignKey,
		Op: original.Op, Total: original.Total,
	}
}

// qrText is the address behind the QR code: the check page with fiscal sign or
// autonomous code, registration number, sum and time.
// Source: order 626; KKM reference §11.
func qrText(site string, sign uint64, registration string, total fiscal.Money, t fiscal.WallTime) []byte {
	b := make([]byte, 0, 128)
	b = append(b, site...)
	if n := len(b); n == 0 || b[n-1] != '/' {
		b = append(b, '/')
	}
	b = append(b, "?i="...)
	b = appendUint(b, sign)
	b = append(b, "&f="...)
	b = append(b, registration...)
	b = append(b, "&s="...)
	b = total.Append(b)
	b = append(b, "&t="...)
	return t.UTC().AppendFormat(b, "20060102T150405")
}

func ticketResponse(sign uint64, qr []byte) *kkmpb.Response {
	return &kkmpb.Response{Ticket: &kkmpb.TicketResponse{TicketNumber: proto.String(string(appendUint(nil, sign))), QrCode: qr}}
}
