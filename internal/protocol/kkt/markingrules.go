package kkt

import (
	"fmt"

	"openofd/internal/fiscal"
	"openofd/internal/protocol/kkt/ffd"
)

// Marking documents are judged as documents are, by the same order of checks:
// authenticity, repetition, state of the register. What is in them is the
// marking system's to judge. It is asked first and the exchange committed
// afterwards: what it has not answered is not stored, gets no reply, and comes
// again.

// marked judges a request or a notification.
//
// Source: KKT reference §10.3.
func (j *judgement) marked(q *MarkingRequest) (fiscal.Decision, error) {
	h := &q.Frame.FrameHeader
	switch {
	case q.Err != nil:
		return refuse(fiscal.NotAuthentic, "", q.Err.Error()), nil
	case h.Number == 0:
		return refuse(fiscal.NotAuthentic, q.numberField(), "no marking document has the number 0"), nil
	}
	d, again, err := j.repeated(j.memory.sawMarked(h), q.kind(), h, q.same)
	if again || err != nil {
		return d, err
	}
	if d, refused := j.shut(); refused {
		return d, nil
	}
	if j.rules.Service.Refuse && j.rules.Service.Over(j.card, j.law.Grace, j.law.Offline, j.s.Now, j.clock) {
		return refuse(fiscal.NoService, "", "the contract is over"), nil
	}
	if q.answer == nil {
		return fiscal.Decision{PassOn: true}, nil
	}
	return j.answered(q), nil
}

// sawMarked tells whether a marking document has come. Of requests only the
// highest number is kept: those that got no answer leave gaps that mean nothing.
func (m *memory) sawMarked(h *FrameHeader) sight {
	d := m.drive(h.Drive)
	switch {
	case d == nil && m.forgotten:
		return doubtful
	case d == nil:
		return unseen
	case h.Code == CodeNotification:
		return d.marking.notices.saw(h.Number)
	case h.Number <= d.marking.asked:
		return doubtful
	}
	return unseen
}

// answered commits a marking document together with its answer.
func (j *judgement) answered(q *MarkingRequest) fiscal.Decision {
	h := &q.Frame.FrameHeader
	d := j.memory.open(h.Drive)
	rec := fiscal.Record{
		Format: q.format(), Kind: q.kind(), Outcome: q.outcome, Drive: h.Drive.String(), DeviceNumber: uint64(h.Number), DeviceTime: q.time,
		Request: j.s.Exchange.Request, Answer: q.answer,
	}
	if rec.DeviceTime <= 0 {
		rec.DeviceTime = j.clock
		if !q.Opaque {
			rec.Flags |= fiscal.FlagTimeInvalid
		}
	}
	switch {
	case d.registered == nil:
		rec.Flags |= fiscal.FlagUnregistered
	case d.version < ffd.V120 || !d.registered.Marks:
		rec.Flags |= fiscal.FlagRegisterData
	}
	m := &d.marking
	if h.Code == CodeMarkingRequest {
		m.asked = max(m.asked, h.Number)
	} else {
		if last := m.notices.highest(); h.Number < last {
			rec.Flags |= fiscal.FlagDocumentLate
		} else if h.Number > last+1 {
			rec.Flags |= fiscal.FlagDocumentGap
		}
		m.notices.add(h.Number)
		m.delivered(rec.DeviceTime, j.clock)
	}
	next := j.s.State.Clone()
	next.Protocol = j.memory.append(next.Protocol[:0])
	return fiscal.Decision{Records: []fiscal.Record{rec}, Next: next, Answer: q.answer, Result: q.outcome}
}

// delivered notes that a notification came. Drives send them in order, so what
// still waits was made later.
func (m *marking) delivered(made, heard fiscal.WallTime) {
	m.heard = heard
	if m.unsent > 0 {
		m.unsent--
	}
	if m.unsent == 0 {
		m.since = 0
	} else {
		m.since = max(m.since, made)
	}
}

// told notes what a report of the drive says of notifications that wait. The
// first report that does is no earlier than the oldest of them, so the drive
// waits for at least as long as it seems.
func (m *marking) told(unsent uint32, made fiscal.WallTime) {
	switch {
	case unsent == 0:
		m.since = 0
	case m.since == 0:
		m.since = made
	}
	m.unsent = unsent
}

// overdue reports whether marked goods may no longer be sold at a time by the
// register's clock, because notifications of earlier sales wait for too long.
//
// Source: KKT reference §8.2.
func (m *marking) overdue(at fiscal.WallTime, law Law) bool {
	return m.unsent > 0 && law.Marking > 0 && at.Sub(m.since) > law.Marking
}

// opaqueFormat stands behind the format of a marking document that nobody here
// could open.
const opaqueFormat = "/opaque"

func (q *MarkingRequest) format() string {
	if q.Opaque {
		return formats[ffd.V120] + opaqueFormat
	}
	return formatOf(ffd.V120, q.Opened.Encrypted)
}

func (q *MarkingRequest) numberField() string {
	if q.Frame.Code == CodeMarkingRequest {
		return fmt.Sprint(tagRequestNumber)
	}
	return fmt.Sprint(tagNotificationNumber)
}
