package kkm

import (
	"google.golang.org/protobuf/proto"

	"openofd/internal/protocol/kkm/kkmpb"
)

// Fault is the form rule that a request breaks. A fault is not yet a refusal:
// an unknown register is told before FaultPayload, and a stale token before
// FaultBody.
type Fault uint8

const (
	FaultNone    Fault = iota
	FaultVersion       // VERSION is not served; judged before the register is looked up
	FaultPayload       // no protobuf, a required field missing, a string not UTF-8
	FaultCommand       // a command number that the protocol does not have
	FaultBody          // the message that belongs to the command is missing; judged after the token
)

// Code is the result code of the refusal, 0 for FaultNone.
// Source: KKM 2.0.2, table of result codes.
func (f Fault) Code() uint32 {
	switch f {
	case FaultNone:
		return 0
	case FaultCommand:
		return uint32(kkmpb.ResultTypeEnum_RESULT_TYPE_UNKNOWN_COMMAND)
	}
	return uint32(kkmpb.ResultTypeEnum_RESULT_TYPE_PROTOCOL_ERROR)
}

// Closes reports whether the connection ends after the refusal: who sends
// broken form may have lost the framing too.
func (f Fault) Closes() bool {
	return f == FaultVersion || f == FaultPayload || f == FaultBody
}

func (f Fault) String() string {
	switch f {
	case FaultNone:
		return "none"
	case FaultVersion:
		return "version"
	case FaultPayload:
		return "payload"
	case FaultCommand:
		return "command"
	}
	return "body"
}

// Request is one request as read. It holds nothing of the bytes it was read
// from. Msg is good until Release.
type Request struct {
	Header  Header
	Command int32          // as on the wire, known or not; 0 if it could not be read
	Msg     *kkmpb.Request // nil with FaultVersion and FaultPayload
	Fault   Fault
	Err     *SyntaxError // what broke, with its byte; set with FaultPayload only
	Trimmed bool         // fields of a 1.2.4 build that clash with the set were left out

	decoder *decoder // holds Msg; nil where that stands by itself
}

// Release gives the memory of Msg to requests to come. It is called once, by
// who parsed the request, when nobody looks at Msg any more, in whatever copy
// of r; strings that were taken from it stay good. Without it the memory is
// left to the collector.
func (r *Request) Release() {
	if r.decoder != nil {
		r.decoder.release()
	}
	r.decoder, r.Msg = nil, nil
}

// ParseRequest reads the payload behind a header. It never fails: what is
// wrong with the form stands in Fault, and Command is what the refusal has to
// repeat. Bytes that a later version added are kept as unknown fields.
//
// Source: KKM 2.0.2 §2.2 and its tables of messages; KKM 2.0.3.
func ParseRequest(h Header, payload []byte) Request {
	r := Request{Header: h}
	if !h.Version.Known() {
		r.Command, r.Fault = peekCommand(payload), FaultVersion
		return r
	}
	r.decode(payload)
	if r.Err != nil {
		if payload, r.Trimmed = trim124(h, payload); r.Trimmed {
			r.decode(payload)
		}
	}
	if r.Err != nil {
		r.Command, r.Fault = peekCommand(payload), FaultPayload
		return r
	}
	r.Command = int32(r.Msg.GetCommand())
	switch {
	case !knownCommand(r.Command):
		r.Fault = FaultCommand
	case !hasBody(r.Msg):
		r.Fault = FaultBody
	}
	return r
}

// lines are where the lines of the request's receipt may lie until Release.
func (r *Request) lines() *lines {
	if r.decoder == nil {
		return new(lines)
	}
	return &r.decoder.lines
}

func (r *Request) decode(payload []byte) {
	if r.Msg, r.decoder = decodeFast(payload); r.Msg != nil {
		r.Err = nil
		return
	}
	msg := new(kkmpb.Request)
	if r.Err = decode(requestShape, payload, msg); r.Err == nil {
		r.Msg = msg
	}
}

// decode checks the payload and then reads it into msg. Offsets in the error
// count from the start of the frame.
func decode(s *shape, payload []byte, msg proto.Message) *SyntaxError {
	if err := s.check(payload, HeaderLen); err != nil {
		return err
	}
	// Required fields have been looked for, so the decoder need not do it again.
	if err := (proto.UnmarshalOptions{AllowPartial: true}).Unmarshal(payload, msg); err != nil {
		return &SyntaxError{HeaderLen, "payload", err.Error()}
	}
	return nil
}

// knownCommand reports whether the protocol has the number. Whether it is
// offered, and to which version, is judged later.
func knownCommand(command int32) bool {
	_, ok := kkmpb.CommandTypeEnum_name[command]
	return ok
}

// hasBody reports whether the message that belongs to the command is there.
// Source: KKM 2.0.2, table of commands.
func hasBody(m *kkmpb.Request) bool {
	switch m.GetCommand() {
	case kkmpb.CommandTypeEnum_COMMAND_TICKET:
		return m.Ticket != nil
	case kkmpb.CommandTypeEnum_COMMAND_CLOSE_SHIFT:
		return m.CloseShift != nil
	case kkmpb.CommandTypeEnum_COMMAND_REPORT:
		return m.Report != nil
	case kkmpb.CommandTypeEnum_COMMAND_NOMENCLATURE:
		return m.Nomenclature != nil
	case kkmpb.CommandTypeEnum_COMMAND_MONEY_PLACEMENT:
		return m.MoneyPlacement != nil
	case kkmpb.CommandTypeEnum_COMMAND_AUTH:
		return m.Auth != nil
	}
	return true
}
