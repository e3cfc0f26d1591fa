package kkm

import "openofd/internal/fiscal"

// unserved reports whether the exchange stands outside of the service: the
// register's contract is over. A document that was made without a link while it
// was not is taken; any other exchange is of now.
func (j *judgement) unserved() bool {
	return j.rules.Service.Over(j.card, j.limits.Grace, j.limits.Offline, j.s.Now, j.made())
}

// made is when what the exchange brings was made: by the register's clock if it
// had no link, else now.
func (j *judgement) made() fiscal.WallTime {
	m := j.req.Msg
	var t fiscal.WallTime
	ok, offline := false, j.period.away
	switch {
	case m == nil:
	case m.Ticket != nil:
		offline = offline || m.Ticket.GetOfflineTicketNumber() != 0
		t, ok = TimeOf(m.Ticket.DateTime)
	case m.MoneyPlacement != nil:
		offline = offline || m.MoneyPlacement.GetIsOffline()
		t, ok = TimeOf(m.MoneyPlacement.Datetime)
	case m.CloseShift != nil:
		offline = offline || m.CloseShift.GetIsOffline()
		t, ok = TimeOf(m.CloseShift.CloseTime)
	}
	if !offline || !ok {
		return j.clock
	}
	return t
}
