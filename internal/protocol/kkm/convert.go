package kkm

import (
	"openofd/internal/fiscal"
	"openofd/internal/protocol/kkm/kkmpb"
)

// The conversions below are those of the rules, for the register's side: both
// ends of the wire count with the same code.

// NewMoney puts an amount on the wire; a negative one is 0 there.
func NewMoney(v fiscal.Money) *kkmpb.Money { return newMoney(v) }

// MoneyOf reads an amount; one that does not fit is 0.
func MoneyOf(m *kkmpb.Money) fiscal.Money { return money(m) }

// NewTime puts a reading of a register's clock on the wire.
func NewTime(t fiscal.WallTime) *kkmpb.DateTime { return newTime(t) }

// TimeOf reads a time; ok is false when there is no such day or time.
func TimeOf(d *kkmpb.DateTime) (t fiscal.WallTime, ok bool) { return timeOf(d) }

// OpOf is the operation of a receipt, OpNone if the wire has no such number.
func OpOf(o kkmpb.OperationTypeEnum) fiscal.Op { return opOf(o) }

// NewReport puts a report on the wire as version v has it, with its checksum.
// Source: KKM reference §7.5, §10.
func NewReport(r *fiscal.Report, v Version) *kkmpb.ZXReport { return newReport(r, v) }

// ReportOf opens the report of an answer. Missing entries are zero.
func ReportOf(m *kkmpb.ReportResponse) fiscal.Report {
	return reportOf(m.GetReport(), m.GetZxReport())
}
