package kkt

import (
	"fmt"
	"time"

	"openofd/internal/fiscal"
	"openofd/internal/protocol/kkt/ffd"
)

// Rules are Russia's judgement of an exchange. They are pure but for the
// request's own crypto module; a value may be used by any number of exchanges
// at once.
//
// An operator records and does not judge: the document exists in the drive and
// the buyer has it. So whatever is authentic is stored and acknowledged, and
// what is wrong with it is told in the acknowledgement and in flags. What is
// not authentic, contradicts a stored document, or comes from a register that
// may not speak gets no reply at all, for the protocol has none.
//
// The order of checks is: authenticity, repetition, state of the register,
// format and logic. Source: KKT reference §2.8, §7.3, §14.
type Rules struct {
	// Law is what holds on a day.
	Law func(day fiscal.WallTime) Law
	// Severities are the operator's choice of what each broken rule costs; nil
	// is the table's.
	Severities *ffd.Severities
	// Service is what becomes of registers without a contract.
	Service fiscal.ServiceRule
}

// Law are legal limits. Source: law 54-FZ, articles 4.1 and 4.3.
type Law struct {
	Shift   time.Duration // of a shift
	Offline time.Duration // between a document and its coming here
	Grace   time.Duration // of service behind the end of a contract
	Marking time.Duration // between a sale of marked goods and the notification of it; 0 any
}

// judgement is one exchange being judged.
type judgement struct {
	rules  *Rules
	s      *fiscal.Situation
	card   *fiscal.Card
	req    *Request
	memory memory
	clock  fiscal.WallTime // what a right clock shows beside the register, when the exchange came
	law    Law
}

// Judge decides one exchange.
func (r *Rules) Judge(s *fiscal.Situation) (fiscal.Decision, error) {
	j := judgement{rules: r, s: s, card: s.Card, clock: fiscal.WallIn(s.Exchange.Received, s.Card.Location())}
	var mark *MarkingRequest
	switch body := s.Exchange.Body.(type) {
	case *Request:
		j.req = body
	case *MarkingRequest:
		mark = body
	case fiscal.Act:
		return j.act(&body)
	default:
		return fiscal.Decision{}, fmt.Errorf("kkt: cannot judge a %T", body)
	}
	var err error
	if j.memory, err = parseMemory(s.State.Protocol); err != nil {
		return fiscal.Decision{}, err
	}
	if mark != nil {
		return j.marked(mark)
	}
	j.law = r.Law(j.clock)
	d, err := j.judge()
	if err == nil && d.Needs == nil {
		d.Contact.Version = uint16(j.req.Header.Version)
	}
	return d, err
}

// Unknown words the refusal for a drive that leads to no register.
func (r *Rules) Unknown(x *fiscal.Exchange) fiscal.Decision {
	d := refuse(fiscal.UnknownRegister, "fiscalDriveNumber", "")
	switch q := x.Body.(type) {
	case *Request:
		d.Detail = fmt.Sprintf("drive %v, document %d", q.Frame.Drive, q.Frame.Number)
	case *MarkingRequest:
		d.Detail = fmt.Sprintf("drive %v, %v %d", q.Frame.Drive, q.Frame.Code, q.Frame.Number)
	}
	return d
}

func (j *judgement) judge() (fiscal.Decision, error) {
	q, h := j.req, &j.req.Frame.FrameHeader
	switch {
	case q.Err != nil:
		return refuse(fiscal.NotAuthentic, "", q.Err.Error()), nil
	case h.Number == 0:
		return refuse(fiscal.NotAuthentic, "fiscalDocumentNumber", "no document has the number 0"), nil
	}
	if d, again, err := j.repeated(j.memory.saw(h.Drive, h.Number), fiscal.DocNone, h, q.same); again || err != nil {
		return d, err
	}
	if d, refused := j.shut(); refused {
		return d, nil
	}
	return j.document()
}

// repeated decides an exchange whose number may have come before; false is one
// of which it has not.
func (j *judgement) repeated(sight sight, kind fiscal.DocumentKind, h *FrameHeader, same func(stored []byte) (bool, error)) (fiscal.Decision, bool, error) {
	if sight == unseen {
		return fiscal.Decision{}, false, nil
	}
	if !j.s.Found.Asked {
		return fiscal.Decision{Needs: &fiscal.Needs{Drive: h.Drive.String(), DeviceNumber: uint64(h.Number)}}, true, nil
	}
	for i := range j.s.Found.ByDevice {
		if original := &j.s.Found.ByDevice[i]; sequence(original.Kind) == kind && original.DeviceNumber == uint64(h.Number) {
			d, err := again(original, same)
			return d, true, err
		}
	}
	if sight == certain {
		return fiscal.Decision{}, false, &fiscal.Error{Of: fiscal.Corrupt, Field: "entry", Msg: fmt.Sprintf("%v %d of drive %v is gone", h.Code, h.Number, h.Drive)}
	}
	return fiscal.Decision{}, false, nil
}

// sequence tells the numbers of a drive apart: those of requests and those of
// notifications about marked goods are their own, DocNone stands for those of
// all other documents.
func sequence(k fiscal.DocumentKind) fiscal.DocumentKind {
	if k.Marking() {
		return k
	}
	return fiscal.DocNone
}

// shut refuses what is new of a register that may not speak.
func (j *judgement) shut() (d fiscal.Decision, refused bool) {
	switch j.s.State.Status {
	case fiscal.StatusBlocked:
		return refuse(fiscal.RegisterBlocked, "", ""), true
	case fiscal.StatusDeregistered:
		return refuse(fiscal.RegisterDeregistered, "", ""), true
	}
	return fiscal.Decision{}, false
}

// refuse is no reply, and the connection closes. What came is kept apart.
func refuse(r fiscal.Reason, field, detail string) fiscal.Decision {
	return fiscal.Decision{Reason: r, Field: field, Detail: detail, Close: true}
}

// again answers a document that is stored: the same gets the acknowledgement it
// got then, byte for byte, however long ago that was. Another document under its
// number is an incident: nothing is overwritten, and nobody gets a reply.
//
// Source: KKT reference §7.3.
func again(original *fiscal.Record, same func(stored []byte) (bool, error)) (fiscal.Decision, error) {
	is, err := same(original.Request)
	switch {
	case err != nil:
		return fiscal.Decision{}, err
	case !is:
		return refuse(fiscal.NumberTaken, "fiscalDocumentNumber",
			fmt.Sprintf("document %d of drive %s is entry %d, with other contents", original.DeviceNumber, original.Drive, original.Number)), nil
	}
	return fiscal.Decision{Answer: original.Answer, Result: original.Outcome, Replayed: true}, nil
}

// act judges what a person does to the register.
func (j *judgement) act(a *fiscal.Act) (fiscal.Decision, error) {
	if a.Kind == fiscal.ActToken {
		return fiscal.Decision{Reason: fiscal.UnsupportedCommand, Detail: "a register of Russia has no token: its fiscal drive speaks for it"}, nil
	}
	next := j.s.State.Clone()
	if e := next.Do(a, j.card, j.s.Exchange.Received); e != nil {
		return fiscal.Decision{Reason: e.Reason, Field: e.Field, Detail: e.Msg}, nil
	}
	rec, err := a.Record(next, j.clock)
	d := fiscal.Decision{Next: next, Records: []fiscal.Record{rec}}
	if a.Kind == fiscal.ActCard {
		d.Card = a.Card
	}
	return d, err
}
