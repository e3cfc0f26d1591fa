package kkm

import (
	"openofd/internal/fiscal"
	"openofd/internal/protocol/kkm/kkmpb"
)

// ticket judges COMMAND_TICKET. Source: KKM reference §5.3, §8, §9.
func (j *judgement) ticket(t *kkmpb.TicketRequest) (fiscal.Decision, error) {
	code := t.GetOfflineTicketNumber()
	j.replay = code != 0 || j.period.away

	r := receiptOf(t, j.req.lines())
	r.Time = j.times("date_time", t.DateTime)
	if code != 0 && !j.s.Found.Asked {
		return fiscal.Decision{Needs: &fiscal.Needs{DeviceNumber: uint64(code), DeviceDay: r.Time}}, nil
	}
	for i := range j.s.Found.ByDevice {
		original := &j.s.Found.ByDevice[i]
		if original.Op == r.Op && original.Total == r.Total && original.DeviceTime == r.Time {
			return j.again(original)
		}
		j.flag(fiscal.FlagOfflineCodeReused)
	}

	if !j.replay && j.s.State.ShiftTooLong(r.Time, j.s.Exchange.Received, j.limits.Shift) {
		return j.refuse(fiscal.ShiftTooLong, "", ""), nil
	}
	j.checkTicket(t, &r)
	j.checkService(false, false)
	j.checkShift(t.GetFrShiftNumber())
	if d, refused := j.settle(); refused {
		return d, nil
	}
	cash := r.CashPart()
	if !j.replay && !j.s.State.Covers(r.Op, cash) {
		return j.refuse(fiscal.NotEnoughCash, "", ""), nil
	}

	next := j.s.State.Clone()
	j.flag(j.overdue(next, r.Time))
	j.flag(next.AddReceipt(&r, j.making(r.Time, t.GetFrShiftNumber())))
	if !next.Counters.Sane() {
		return j.refuse(fiscal.BadValue, "amounts.total", "the register's counters cannot hold it"), nil
	}
	if j.peer.remember(fingerprint(r.Op, r.Total, r.Time, t.GetPrintedDocumentNumber())) {
		j.flag(fiscal.FlagRepeated)
	}

	key, err := j.s.Keys.At(fiscal.KeyForSign, j.s.Now)
	if err != nil {
		return fiscal.Decision{}, err
	}
	rec := fiscal.Record{
		Kind: fiscal.DocReceipt, Flags: j.flags, DeviceNumber: uint64(code), DeviceTime: r.Time,
		Shift: next.Shift.Number, Op: r.Op, Total: r.Total, Cash: cash, Tax: r.TaxSum(), SignKey: key.ID,
	}
	for _, p := range r.Payments {
		switch p.Kind {
		case fiscal.PayCash:
		case fiscal.PayCard, fiscal.PayMobile:
			rec.Cashless += p.Sum
		default:
			rec.OtherPaid += p.Sum
		}
	}
	d := signed{Register: j.card.Register, Number: j.s.State.LastNumber + 1, Time: r.Time, Op: r.Op, Total: r.Total}
	rec.FiscalSign = d.sign(&key)
	msg := ticketResponse(rec.FiscalSign, qrText(j.s.Operator.Site, rec.FiscalSign, j.card.RegistrationNumber, r.Total, r.Time))
	msg.Service = j.service(serve{})
	doc := document{key: ticketKey(t), time: r.Time, offline: code, cancelable: true}
	return j.accept(next, doc, []fiscal.Record{rec}, msg)
}

// overdue flags a replay that stands in a shift longer than allowed; it is taken
// all the same. It is measured by its own time: a register that was without a
// link over night delivers late what it made in time.
func (j *judgement) overdue(s *fiscal.State, t fiscal.WallTime) fiscal.Flags {
	if s.BehindShift(t, j.limits.Shift) {
		return fiscal.FlagShiftTooLong
	}
	return 0
}

// again answers an autonomous receipt that is stored already: its fiscal sign
// once more, under the current number, the token changed as for any accepted
// document. Source: KKM reference §9.3.
func (j *judgement) again(original *fiscal.Record) (fiscal.Decision, error) {
	notice := noticeOf(original)
	msg := ticketResponse(original.FiscalSign,
		qrText(j.s.Operator.Site, original.FiscalSign, j.card.RegistrationNumber, original.Total, original.DeviceTime))
	msg.Service = j.service(serve{})
	t := j.req.Msg.Ticket
	doc := document{key: ticketKey(t), time: original.DeviceTime, offline: t.GetOfflineTicketNumber()}
	return j.accept(j.s.State.Clone(), doc, []fiscal.Record{notice}, msg)
}
