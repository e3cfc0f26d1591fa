package kkm

import (
	"fmt"
	"hash/crc32"

	"google.golang.org/protobuf/proto"

	"openofd/internal/fiscal"
	"openofd/internal/protocol/kkm/kkmpb"
)

// wireOps lists the settlements in the order of the wire's enumeration.
var wireOps = [...]kkmpb.OperationTypeEnum{
	kkmpb.OperationTypeEnum_OPERATION_BUY, kkmpb.OperationTypeEnum_OPERATION_BUY_RETURN,
	kkmpb.OperationTypeEnum_OPERATION_SELL, kkmpb.OperationTypeEnum_OPERATION_SELL_RETURN,
}

// NewReport encodes a report for a device of version v. All counters are sent,
// zeros too: newer clients reject a report with a missing entry. Below 1.2.5
// the answer must fit one TCP segment, so what that version does not know and
// entries that are all zero are left out.
//
// Source: KKM reference §2, §7.5, §7.6, §10.
func NewReport(r *fiscal.Report, v Version) *kkmpb.ZXReport {
	short := v < V125
	c := &r.Counters
	zx := &kkmpb.ZXReport{
		DateTime:    NewTime(r.Time),
		ShiftNumber: proto.Uint32(r.Shift.Number),
		CashSum:     NewMoney(c.Cash),
		Revenue:     &kkmpb.ZXReport_Revenue{Sum: NewMoney(c.Revenue.Abs()), IsNegative: proto.Bool(c.Revenue < 0)},
	}
	if r.Shift.Number == 0 { // no shift ever: zeros, lists empty
		if !short {
			zx.OpenShiftTime, zx.CloseShiftTime = NewTime(r.Shift.OpenedAt), NewTime(r.Shift.ClosedAt)
		}
		return zx
	}
	for i := range c.Sections {
		s := &c.Sections[i]
		zx.Sections = append(zx.Sections, &kkmpb.ZXReport_Section{SectionCode: proto.String(s.Code), Operations: tallies(short, func(i int) fiscal.Tally { return s.Ops[i] })})
	}
	zx.Operations = tallies(short, c.Operations)
	zx.Discounts = tallies(short, func(i int) fiscal.Tally { return c.Discounts[i] })
	zx.Markups = tallies(short, func(i int) fiscal.Tally { return c.Markups[i] })
	zx.TotalResult = tallies(short, c.Results)
	for i := range c.Taxes {
		zx.Taxes = append(zx.Taxes, newTaxTally(&c.Taxes[i], short))
	}
	for _, o := range wireOps {
		i := OpOf(o).Index()
		if !short || c.ShiftStart[i] != 0 {
			zx.StartShiftNonNullableSums = append(zx.StartShiftNonNullableSums, &kkmpb.ZXReport_NonNullableSum{Operation: o.Enum(), Sum: NewMoney(c.ShiftStart[i])})
		}
		if !short || c.GrandTotals[i] != 0 {
			zx.NonNullableSums = append(zx.NonNullableSums, &kkmpb.ZXReport_NonNullableSum{Operation: o.Enum(), Sum: NewMoney(c.GrandTotals[i])})
		}
		if t := &c.Receipts[i]; !short || t.Ever != 0 {
			zx.TicketOperations = append(zx.TicketOperations, newReceiptTally(o, t, v))
		}
	}
	for i := range c.Moves {
		t := &c.Moves[i]
		if short && t.Ever == 0 {
			continue
		}
		m := &kkmpb.ZXReport_MoneyPlacement{
			Operation: kkmpb.MoneyPlacementEnum(i).Enum(), OperationsTotalCount: count(t.Ever),
			OperationsCount: count(t.Count), OperationsSum: NewMoney(t.Sum),
		}
		if !short {
			m.OfflineCount = count(t.Offline)
		}
		zx.MoneyPlacements = append(zx.MoneyPlacements, m)
	}
	if short {
		return zx
	}
	zx.OpenShiftTime = NewTime(r.Shift.OpenedAt)
	if r.Kind == fiscal.ReportZ {
		zx.CloseShiftTime = NewTime(r.Shift.ClosedAt)
	}
	zx.Checksum = proto.String(checksum(zx))
	return zx
}

func tallies(short bool, of func(i int) fiscal.Tally) (all []*kkmpb.ZXReport_Operation) {
	for _, o := range wireOps {
		t := of(OpOf(o).Index())
		if short && t == (fiscal.Tally{}) {
			continue
		}
		all = append(all, &kkmpb.ZXReport_Operation{Operation: o.Enum(), Count: count(t.Count), Sum: NewMoney(t.Sum)})
	}
	return all
}

func newTaxTally(t *fiscal.TaxTally, short bool) *kkmpb.ZXReport_Tax {
	x := &kkmpb.ZXReport_Tax{TaxType: proto.Uint32(t.Kind), Percent: proto.Uint32(t.Percent)}
	for _, o := range wireOps {
		s := t.Ops[OpOf(o).Index()]
		if short && s == (fiscal.TaxedTally{}) {
			continue
		}
		op := &kkmpb.ZXReport_TaxOperation{Operation: o.Enum(), Turnover: NewMoney(s.Turnover), Sum: NewMoney(s.Tax)}
		if !short {
			op.TurnoverWithoutTax = NewMoney(s.Turnover - s.Tax)
		}
		x.Operations = append(x.Operations, op)
	}
	return x
}

func newReceiptTally(o kkmpb.OperationTypeEnum, t *fiscal.ReceiptTally, v Version) *kkmpb.ZXReport_TicketOperation {
	short := v < V125
	x := &kkmpb.ZXReport_TicketOperation{
		Operation: o.Enum(), TicketsTotalCount: count(t.Ever), TicketsCount: count(t.Count), TicketsSum: NewMoney(t.Sum),
	}
	for wire, kind := range payments {
		p := t.Payments[kind.Index()]
		if p == (fiscal.Tally{}) && (short || !listed(kind, v)) {
			continue
		}
		pay := &kkmpb.ZXReport_TicketOperation_Payment{Payment: kkmpb.PaymentTypeEnum(wire).Enum(), Sum: NewMoney(p.Sum)}
		if !short {
			pay.Count = count(p.Count)
		}
		x.Payments = append(x.Payments, pay)
	}
	if !short {
		x.OfflineCount = count(t.Offline)
		x.DiscountSum, x.MarkupSum, x.ChangeSum = NewMoney(t.Discount), NewMoney(t.Markup), NewMoney(t.Change)
	}
	return x
}

// listed reports whether a way of paying stands in reports of version v even
// when nothing was paid so. Old clients cannot decode a value they do not know;
// what a register has sent itself it does know.
func listed(k fiscal.PayKind, v Version) bool {
	switch k {
	case fiscal.PayCash, fiscal.PayCard:
		return true
	case fiscal.PayMobile:
		return v > V200
	}
	return v <= V200
}

func count(n int64) *uint32 { return proto.Uint32(uint32(max(n, 0))) }

// checksum is the CRC-32 (IEEE) over the report's encoding with an empty
// checksum in it, as eight hexadecimal digits. The protocol does not name the
// algorithm; clients do not verify ours, and we do not verify theirs.
// Source: KKM reference §10.3.
func checksum(zx *kkmpb.ZXReport) string {
	zx.Checksum = proto.String("")
	b, err := proto.MarshalOptions{Deterministic: true}.Marshal(zx)
	if err != nil {
		panic("kkm: report does not encode: " + err.Error())
	}
	return fmt.Sprintf("%08X", crc32.ChecksumIEEE(b))
}

// ReportOf opens the report of an answer, for the register's side. Missing
// entries are zero.
func ReportOf(m *kkmpb.ReportResponse) fiscal.Report {
	return reportOf(m.GetReport(), m.GetZxReport())
}

// reportOf opens a report. Missing entries are zero.
func reportOf(kind kkmpb.ReportTypeEnum, zx *kkmpb.ZXReport) fiscal.Report {
	r := fiscal.Report{Kind: fiscal.ReportZ}
	if kind == kkmpb.ReportTypeEnum_REPORT_X {
		r.Kind = fiscal.ReportX
	}
	r.Time, _ = TimeOf(zx.GetDateTime())
	r.Shift.Number = zx.GetShiftNumber()
	r.Shift.OpenedAt, _ = TimeOf(zx.GetOpenShiftTime())
	r.Shift.ClosedAt, _ = TimeOf(zx.GetCloseShiftTime())
	r.Shift.Open = r.Kind == fiscal.ReportX
	c := &r.Counters
	c.Cash = MoneyOf(zx.GetCashSum())
	c.Revenue = MoneyOf(zx.GetRevenue().GetSum())
	if zx.GetRevenue().GetIsNegative() {
		c.Revenue = -c.Revenue
	}
	each := func(all []*kkmpb.ZXReport_Operation, put func(i int, t fiscal.Tally)) {
		for _, o := range all {
			if op := OpOf(o.GetOperation()); op != fiscal.OpNone {
				put(op.Index(), fiscal.Tally{Count: int64(o.GetCount()), Sum: MoneyOf(o.Sum)})
			}
		}
	}
	for _, s := range zx.GetSections() {
		t := fiscal.SectionTally{Code: s.GetSectionCode()}
		each(s.Operations, func(i int, x fiscal.Tally) { t.Ops[i] = x })
		c.Sections = append(c.Sections, t)
	}
	each(zx.GetDiscounts(), func(i int, x fiscal.Tally) { c.Discounts[i] = x })
	each(zx.GetMarkups(), func(i int, x fiscal.Tally) { c.Markups[i] = x })
	for _, x := range zx.GetTaxes() {
		t := fiscal.TaxTally{Kind: x.GetTaxType(), Percent: x.GetPercent()}
		for _, o := range x.Operations {
			if op := OpOf(o.GetOperation()); op != fiscal.OpNone {
				t.Ops[op.Index()] = fiscal.TaxedTally{Turnover: MoneyOf(o.Turnover), Tax: MoneyOf(o.Sum)}
			}
		}
		c.Taxes = append(c.Taxes, t)
	}
	for _, s := range zx.GetStartShiftNonNullableSums() {
		if op := OpOf(s.GetOperation()); op != fiscal.OpNone {
			c.ShiftStart[op.Index()] = MoneyOf(s.Sum)
		}
	}
	for _, s := range zx.GetNonNullableSums() {
		if op := OpOf(s.GetOperation()); op != fiscal.OpNone {
			c.GrandTotals[op.Index()] = MoneyOf(s.Sum)
		}
	}
	for _, t := range zx.GetTicketOperations() {
		op := OpOf(t.GetOperation())
		if op == fiscal.OpNone {
			continue
		}
		x := &c.Receipts[op.Index()]
		x.Ever, x.Count, x.Sum = int64(t.GetTicketsTotalCount()), int64(t.GetTicketsCount()), MoneyOf(t.TicketsSum)
		x.Offline, x.Discount, x.Markup, x.Change = int64(t.GetOfflineCount()), MoneyOf(t.DiscountSum), MoneyOf(t.MarkupSum), MoneyOf(t.ChangeSum)
		for _, p := range t.Payments {
			if k := payOf(p.GetPayment()); k != fiscal.PayNone {
				x.Payments[k.Index()] = fiscal.Tally{Count: int64(p.GetCount()), Sum: MoneyOf(p.Sum)}
			}
		}
	}
	for _, m := range zx.GetMoneyPlacements() {
		if i := int(m.GetOperation()); i >= 0 && i < fiscal.OpMoves {
			c.Moves[i] = fiscal.MoveTally{Ever: int64(m.GetOperationsTotalCount()), Count: int64(m.GetOperationsCount()),
				Sum: MoneyOf(m.OperationsSum), Offline: int64(m.GetOfflineCount())}
		}
	}
	return r
}

// differs reports whether a device's own report tells other sums than ours.
// Devices miscount small things, so only what a settlement is about is
// compared: how many receipts, how much, and how much ever.
// Source: KKM reference §5.4, §13.
func differs(device *kkmpb.ZXReport, ours *fiscal.Report) bool {
	theirs := reportOf(kkmpb.ReportTypeEnum_REPORT_Z, device)
	for i := range theirs.Counters.Receipts {
		a, b := &theirs.Counters.Receipts[i], &ours.Counters.Receipts[i]
		if a.Count != b.Count || a.Sum != b.Sum || theirs.Counters.GrandTotals[i] != ours.Counters.GrandTotals[i] {
			return true
		}
	}
	return false
}
