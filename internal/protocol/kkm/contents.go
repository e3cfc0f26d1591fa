package kkm

import (
	"openofd/internal/fiscal"
	"openofd/internal/protocol/kkm/kkmpb"
)

// Contents is what a register's request says, in fiscal's words: a receipt, a
// move of cash, or a report. At most one of them is there.
type Contents struct {
	Receipt *fiscal.Receipt
	Move    *fiscal.CashMove
	Report  *fiscal.Report
}

// ContentsOf opens a request as its register wrote it. It judges nothing.
func ContentsOf(m *kkmpb.Request) (c Contents) {
	switch {
	case m.Ticket != nil:
		r := receiptOf(m.Ticket, new(lines))
		c.Receipt = &r
	case m.MoneyPlacement != nil:
		move := moveOf(m.MoneyPlacement)
		c.Move = &move
	case m.CloseShift != nil:
		z := reportOf(kkmpb.ReportTypeEnum_REPORT_Z, m.CloseShift.ZReport)
		c.Report = &z
	case m.Report != nil:
		r := reportOf(m.Report.GetReport(), m.Report.ZxReport)
		c.Report = &r
	}
	return c
}
