package kkm

import (
	"openofd/internal/fiscal"
	"openofd/internal/protocol/kkm/kkmpb"
)

// moveOf opens a deposit or withdrawal.
func moveOf(m *kkmpb.MoneyPlacementRequest) fiscal.CashMove {
	c := fiscal.CashMove{Op: fiscal.OpCashIn, Sum: MoneyOf(m.GetSum()), Cashier: cashierOf(m.GetOperator())}
	if m.GetOperation() == kkmpb.MoneyPlacementEnum_MONEY_PLACEMENT_WITHDRAWAL {
		c.Op = fiscal.OpCashOut
	}
	c.Time, _ = TimeOf(m.GetDatetime())
	return c
}

// cashMove judges COMMAND_MONEY_PLACEMENT. Source: KKM reference §5.6, V23.
func (j *judgement) cashMove(m *kkmpb.MoneyPlacementRequest) (fiscal.Decision, error) {
	j.replay = m.GetIsOffline() || j.period.away
	c := moveOf(m)
	c.Time = j.times("datetime", m.Datetime)
	if !j.replay && j.s.State.ShiftTooLong(c.Time, j.s.Exchange.Received, j.limits.Shift) {
		return j.refuse(fiscal.ShiftTooLong, "", ""), nil
	}
	if m.GetOperation() > kkmpb.MoneyPlacementEnum_MONEY_PLACEMENT_WITHDRAWAL || m.GetOperation() < 0 {
		j.cannotStore(at("operation"))
	}
	if j.version >= V202 && m.Operator == nil {
		j.lacks(at("operator"), fiscal.FlagMissing)
	}
	j.amount(at("sum"), m.Sum)
	if c.Sum == 0 {
		j.bad(at("sum"), fiscal.FlagTotal, "0")
	}
	j.checkService(false, false)
	j.checkShift(m.GetFrShiftNumber())
	if d, refused := j.settle(); refused {
		return d, nil
	}
	if !j.replay && !j.s.State.Covers(c.Op, c.Sum) {
		return j.refuse(fiscal.NotEnoughCash, "sum", ""), nil
	}
	next := j.s.State.Clone()
	j.flag(j.overdue(next, c.Time))
	j.flag(next.AddMove(c.Op, c.Sum, j.making(c.Time, m.GetFrShiftNumber())))
	if !next.Counters.Sane() {
		return j.refuse(fiscal.BadValue, "sum", "the register's counters cannot hold it"), nil
	}
	if j.peer.remember(fingerprint(c.Op, c.Sum, c.Time, m.GetPrintedDocumentNumber())) {
		j.flag(fiscal.FlagRepeated)
	}
	rec := fiscal.Record{
		Kind: fiscal.DocCashMove, Flags: j.flags, DeviceTime: c.Time, Shift: next.Shift.Number,
		Op: c.Op, Total: c.Sum, Cash: c.Sum,
	}
	return j.accept(next, document{key: moveKey(m), time: c.Time}, []fiscal.Record{rec}, &kkmpb.Response{Service: j.service(serve{})})
}
