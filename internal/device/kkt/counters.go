package kkt

import (
	"openofd/internal/fiscal"
	"openofd/internal/protocol/kkt/ffd"
)

// Counters are what a drive counts: in a shift, and in its whole life.
//
// Source: KKT reference §8.5.
type Counters struct {
	Receipts    [fiscal.OpSettlements]Tally // receipts and strict reporting forms, by operation
	Corrections [fiscal.OpSettlements]Tally
}

// Tally is how often, and how much in kopecks.
type Tally struct {
	Count                                                uint32       `json:",omitempty"`
	Total, Cash, Cashless, Prepaid, Credit, InKind       fiscal.Money `json:",omitempty"`
	VAT20, VAT10, VAT20120, VAT10110, Turnover0, Untaxed fiscal.Money `json:",omitempty"` // corrections have none
}

// count enters a document that was made, if it is a receipt.
func (s *State) count(d *ffd.Document) {
	if !d.Form.Settles() {
		return
	}
	if op := d.Uint(ffd.TagOperation); op < 1 || op > fiscal.OpSettlements {
		return // nothing that could be counted
	}
	s.Counters, s.Shift.Counters = s.Counters.with(d), s.Shift.Counters.with(d)
}

// with are the counters after a receipt.
func (c *Counters) with(d *ffd.Document) *Counters {
	next := Counters{}
	if c != nil {
		next = *c
	}
	of := &next.Receipts
	if d.Form.Corrects() {
		of = &next.Corrections
	}
	t := &of[d.Uint(ffd.TagOperation)-1]
	t.Count++
	for _, x := range [...]struct {
		to  *fiscal.Money
		tag ffd.Tag
	}{
		{&t.Total, ffd.TagTotal}, {&t.Cash, ffd.TagCash}, {&t.Cashless, ffd.TagCashless}, {&t.Prepaid, ffd.TagPrepaid},
		{&t.Credit, ffd.TagCredit}, {&t.InKind, ffd.TagInKind}, {&t.VAT20, 1102}, {&t.VAT10, 1103}, {&t.VAT20120, 1106},
		{&t.VAT10110, 1107}, {&t.Turnover0, 1104}, {&t.Untaxed, 1105},
	} {
		*x.to += d.Money(x.tag)
	}
	return &next
}

// Totals are the counters as a report states them. Of nothing they are zeros.
func (c *Counters) Totals() *ffd.Totals {
	if c == nil {
		c = &Counters{}
	}
	all := &ffd.Totals{
		Sales: c.Receipts[0].report(true), SaleReturns: c.Receipts[1].report(true),
		Purchases: c.Receipts[2].report(true), PurchaseReturns: c.Receipts[3].report(true),
		Corrections: &ffd.CorrectionTally{
			Sales: c.Corrections[0].report(false), SaleReturns: c.Corrections[1].report(false),
			Purchases: c.Corrections[2].report(false), PurchaseReturns: c.Corrections[3].report(false),
		},
	}
	var corrections uint32
	for i := range c.Receipts {
		corrections += c.Corrections[i].Count
		all.Receipts += c.Receipts[i].Count + c.Corrections[i].Count
	}
	all.Corrections.Count = &corrections
	return all
}

func (t *Tally) report(taxes bool) *ffd.Tally {
	r := &ffd.Tally{Count: &t.Count, Total: &t.Total, Cash: &t.Cash, Cashless: &t.Cashless, Prepaid: &t.Prepaid, Credit: &t.Credit, InKind: &t.InKind}
	if !taxes {
		return r
	}
	for _, x := range [...]struct {
		to  **fiscal.Money
		sum *fiscal.Money
	}{
		{&r.VAT20, &t.VAT20}, {&r.VAT10, &t.VAT10}, {&r.VAT20120, &t.VAT20120}, {&r.VAT10110, &t.VAT10110},
		{&r.Turnover, &t.Turnover0}, {&r.Untaxed, &t.Untaxed},
	} {
		if *x.sum != 0 {
			*x.to = x.sum
		}
	}
	return r
}
