package kkm

import (
	"fmt"
	"strings"

	"openofd/internal/fiscal"
	"openofd/internal/protocol/kkm/kkmpb"
)

// Read opens a stored record: receipt, cash move, report or act. Decoders are
// kept for ever; a record that cannot be opened is Corrupt.
func Read(rec *fiscal.Record) (fiscal.Document, error) {
	d := fiscal.Document{Record: *rec}
	corrupt := func(why string, err error) (fiscal.Document, error) {
		return d, &fiscal.Error{Of: fiscal.Corrupt, Field: fmt.Sprintf("entry %d of register %d", rec.Number, rec.Register), Msg: why, Err: err}
	}
	if rec.Format == fiscal.FormatAct {
		act, err := fiscal.ReadAct(rec)
		d.Act = act
		return d, err
	}
	if !strings.HasPrefix(rec.Format, "kkm/") {
		return corrupt("format "+rec.Format+" is not of this protocol", nil)
	}
	if rec.Carrier != 0 { // an automatic withdrawal: the shift's closing carries the bytes
		d.Move = &fiscal.CashMove{Op: rec.Op, Time: rec.DeviceTime, Sum: rec.Total, Auto: true}
		return d, nil
	}
	h, err := ParseHeader(rec.Request)
	if err != nil {
		return corrupt("the request has no header", err)
	}
	req := ParseRequest(h, rec.Request[HeaderLen:])
	defer req.Release()
	if req.Fault != FaultNone {
		return corrupt("the request cannot be read: "+req.Fault.String(), nil)
	}
	switch rec.Kind {
	case fiscal.DocReceipt:
		r := receiptOf(req.Msg.GetTicket(), new(lines))
		r.Time = rec.DeviceTime // the time that was settled on
		d.Receipt = &r
		d.Extra = printed(req.Msg.GetTicket())
	case fiscal.DocCashMove:
		m := moveOf(req.Msg.GetMoneyPlacement())
		m.Time = rec.DeviceTime
		d.Move = &m
	case fiscal.DocShiftClose, fiscal.DocReport:
		if len(rec.Answer) < HeaderLen {
			return corrupt("the answer is gone", nil)
		}
		msg, err := ParseResponse(rec.Answer[HeaderLen:])
		if err != nil {
			return corrupt("the answer cannot be read", err)
		}
		z := reportOf(msg.GetReport().GetReport(), msg.GetReport().GetZxReport())
		d.Report = &z
	}
	return d, nil
}

// printed is the device's own numbering, as it stands on the paper. Versions
// below 2.0.0 send it as a text.
func printed(t *kkmpb.TicketRequest) (all []fiscal.Requisite) {
	add := func(key, value string) {
		if value != "" {
			all = append(all, fiscal.Requisite{Key: key, Value: value})
		}
	}
	number := digits(t.GetPrintedDocumentNumber())
	if number == "" {
		number = t.GetPrintedDocumentNumberOld()
	}
	add("printed_document_number", number)
	add("shift_document_number", digits(uint64(t.GetShiftDocumentNumber())))
	return all
}
