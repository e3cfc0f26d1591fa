package fiscal

import (
	"slices"
	"strings"
)

// Bounds of what one shift counts apart. A device that invents more sections
// or taxes has the rest counted together, so that a register's state stays
// small.
const (
	MaxSections    = 128
	MaxTaxes       = 32
	MaxSectionCode = 64 // bytes
	OtherSection   = "*"
)

// Tally is how often and how much.
type Tally struct {
	Count int64 `json:"count"`
	Sum   Money `json:"sum"`
}

// add counts once, or takes a count back when dir is −1.
func (t *Tally) add(dir Money, sum Money) {
	t.Count += int64(dir)
	t.Sum += dir * sum
}

// ReceiptTally counts the receipts of one operation.
type ReceiptTally struct {
	Ever     int64           `json:"ever"` // since registration
	Count    int64           `json:"count"`
	Sum      Money           `json:"sum"`
	Offline  int64           `json:"offline"`
	Discount Money           `json:"discount"`
	Markup   Money           `json:"markup"`
	Change   Money           `json:"change"`
	Payments [PayKinds]Tally `json:"payments"`
}

// MoveTally counts deposits or withdrawals.
type MoveTally struct {
	Ever    int64 `json:"ever"` // since registration
	Count   int64 `json:"count"`
	Sum     Money `json:"sum"`
	Offline int64 `json:"offline"`
}

// SectionTally counts the lines of one section by operation.
type SectionTally struct {
	Code string               `json:"code"`
	Ops  [OpSettlements]Tally `json:"operations"`
}

// TaxTally sums one tax rate by operation.
type TaxTally struct {
	Kind    uint32                    `json:"kind"`
	Percent uint32                    `json:"percent"` // thousandths of a percent
	Ops     [OpSettlements]TaxedTally `json:"operations"`
}

// TaxedTally is what was taxed, gross, and the tax.
type TaxedTally struct {
	Turnover Money `json:"turnover"`
	Tax      Money `json:"tax"`
}

// Counters are a register's sums. Cash, GrandTotals and everything named Ever
// live since registration; the rest belongs to the shift.
//
// Source: KKM reference §6.3, §10.1.
type Counters struct {
	Cash        Money                       `json:"cash"`         // signed; reported as never below zero
	GrandTotals [OpSettlements]Money        `json:"grand_totals"` // never cleared
	ShiftStart  [OpSettlements]Money        `json:"shift_start"`  // grand totals when the shift opened
	Revenue     Money                       `json:"revenue"`      // signed
	Receipts    [OpSettlements]ReceiptTally `json:"receipts"`
	Moves       [OpMoves]MoveTally          `json:"moves"`
	Discounts   [OpSettlements]Tally        `json:"discounts"`
	Markups     [OpSettlements]Tally        `json:"markups"`
	Sections    []SectionTally              `json:"sections"` // by code, ascending
	Taxes       []TaxTally                  `json:"taxes"`    // by kind, then percent, ascending
}

// Clone is a copy that shares nothing.
func (c *Counters) Clone() Counters {
	d := *c
	d.Sections = slices.Clone(c.Sections)
	d.Taxes = slices.Clone(c.Taxes)
	return d
}

// OpenShift marks the grand totals with which a shift begins.
func (c *Counters) OpenShift() { c.ShiftStart = c.GrandTotals }

// CloseShift clears what belongs to the shift. Cash and whatever counts since
// registration stay.
func (c *Counters) CloseShift() {
	next := Counters{Cash: c.Cash, GrandTotals: c.GrandTotals, ShiftStart: c.GrandTotals}
	for i := range c.Receipts {
		next.Receipts[i].Ever = c.Receipts[i].Ever
	}
	for i := range c.Moves {
		next.Moves[i].Ever = c.Moves[i].Ever
	}
	*c = next
}

// Receipt counts r, or takes it back when dir is −1. offline says that it was
// made in autonomous mode. The result tells whether something had to be
// counted together.
func (c *Counters) Receipt(r *Receipt, offline bool, dir Money) (full bool) {
	i := r.Op.Index()
	cash := r.CashPart()
	c.Cash += dir * r.Op.Inflow() * cash
	c.Revenue += dir * r.Op.Inflow() * r.Total
	c.GrandTotals[i] += dir * r.Total

	t := &c.Receipts[i]
	t.Ever += int64(dir)
	t.Count += int64(dir)
	t.Sum += dir * r.Total
	t.Change += dir * r.ChangeDue
	if offline {
		t.Offline += int64(dir)
	}
	left := cash
	for _, p := range r.Payments {
		sum := p.Sum
		if p.Kind == PayCash { // net of change, as the drawer sees it
			sum, left = left, 0
		}
		if p.Kind.Index() >= 0 {
			t.Payments[p.Kind.Index()].add(dir, sum)
		}
	}

	var itemDiscounts bool
	for j := range r.Items {
		it := &r.Items[j]
		way := it.Direction() * dir
		switch it.Kind {
		case ItemGoods:
			s, f := c.section(it.Section)
			full = full || f
			s.Ops[i].add(way, it.Cost)
		case ItemDiscount:
			itemDiscounts = true
			c.Discounts[i].add(-way, it.Cost)
			t.Discount += -way * it.Cost
		case ItemMarkup:
			c.Markups[i].add(way, it.Cost)
			t.Markup += way * it.Cost
		}
		for _, x := range it.Taxes {
			full = c.tax(x, i, way, it.Cost) || full
		}
	}
	// A discount on the whole that repeats the lines' discounts is the same
	// discount. Source: KKM reference §8, V6.
	if d := r.Discount; d != nil && d.Sum != 0 && !itemDiscounts {
		c.Discounts[i].add(dir, d.Sum)
		t.Discount += dir * d.Sum
		for _, x := range d.Taxes {
			full = c.tax(x, i, -dir, d.Sum) || full
		}
	}
	if m := r.Markup; m != nil && m.Sum != 0 && !hasItems(r, ItemMarkup) {
		c.Markups[i].add(dir, m.Sum)
		t.Markup += dir * m.Sum
		for _, x := range m.Taxes {
			full = c.tax(x, i, dir, m.Sum) || full
		}
	}
	for _, x := range r.Taxes {
		full = c.tax(x, i, dir, r.Total) || full
	}
	return full
}

func hasItems(r *Receipt, k ItemKind) bool {
	for i := range r.Items {
		if r.Items[i].Kind == k {
			return true
		}
	}
	return false
}

// Move counts cash put in or taken out.
func (c *Counters) Move(op Op, sum Money, offline bool) {
	t := &c.Moves[op.Index()]
	c.Cash += op.Inflow() * sum
	t.Ever++
	t.Count++
	t.Sum += sum
	if offline {
		t.Offline++
	}
}

func (c *Counters) section(code string) (*SectionTally, bool) {
	full := false
	if len(code) > MaxSectionCode {
		code, full = OtherSection, true
	}
	at, found := slices.BinarySearchFunc(c.Sections, code, func(s SectionTally, code string) int { return strings.Compare(s.Code, code) })
	if !found {
		if len(c.Sections) >= MaxSections && code != OtherSection {
			s, _ := c.section(OtherSection)
			return s, true
		}
		c.Sections = slices.Insert(c.Sections, at, SectionTally{Code: code})
	}
	return &c.Sections[at], full
}

// tax adds one tax; gross is the taxed amount with its tax.
func (c *Counters) tax(x Tax, op int, dir, gross Money) (full bool) {
	kind, percent := x.Kind, x.Percent
	search := func() (int, bool) {
		return slices.BinarySearchFunc(c.Taxes, TaxTally{Kind: kind, Percent: percent}, func(a, b TaxTally) int {
			if a.Kind != b.Kind {
				return int(int64(a.Kind) - int64(b.Kind))
			}
			return int(int64(a.Percent) - int64(b.Percent))
		})
	}
	at, found := search()
	if !found && len(c.Taxes) >= MaxTaxes {
		full = true
		kind, percent = 0, 0
		at, found = search()
	}
	if !found {
		c.Taxes = slices.Insert(c.Taxes, at, TaxTally{Kind: kind, Percent: percent})
	}
	t := &c.Taxes[at].Ops[op]
	t.Turnover += dir * gross
	t.Tax += dir * x.Sum
	return full
}

// Operations is the sum of the sections for one settlement: lines and money,
// without discounts and markups.
func (c *Counters) Operations(i int) Tally {
	var t Tally
	for j := range c.Sections {
		t.Count += c.Sections[j].Ops[i].Count
		t.Sum += c.Sections[j].Ops[i].Sum
	}
	return t
}

// Results is Operations less discounts plus markups.
func (c *Counters) Results(i int) Tally {
	t := c.Operations(i)
	t.Sum += c.Markups[i].Sum - c.Discounts[i].Sum
	return t
}

// MaxCounter bounds every sum of a register, far from the end of an int64.
const MaxCounter = MaxMoney / 2

// Sane reports whether every sum is within MaxCounter. A document that would
// break it is not taken: a counter that wraps around tells lies for ever.
func (c *Counters) Sane() bool {
	ok := func(m Money) bool { return m.Abs() <= MaxCounter }
	sane := ok(c.Cash) && ok(c.Revenue)
	for i := range OpSettlements {
		t := &c.Receipts[i]
		sane = sane && ok(c.GrandTotals[i]) && ok(t.Discount) && ok(t.Markup) && ok(t.Change)
		for j := range t.Payments {
			sane = sane && ok(t.Payments[j].Sum)
		}
	}
	for i := range c.Moves {
		sane = sane && ok(c.Moves[i].Sum)
	}
	for i := range c.Sections {
		for j := range c.Sections[i].Ops {
			sane = sane && ok(c.Sections[i].Ops[j].Sum)
		}
	}
	for i := range c.Taxes {
		for j := range c.Taxes[i].Ops {
			sane = sane && ok(c.Taxes[i].Ops[j].Turnover) && ok(c.Taxes[i].Ops[j].Tax)
		}
	}
	return sane
}
