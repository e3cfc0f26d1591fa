package fiscal

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// model is a register that keeps every document and computes each counter anew
// from all of them, by the table of KKM reference §10.1. It is slow and meant to
// be obviously right.
type model struct {
	docs  []*modelDoc
	shift int // number of shifts begun
	open  bool
}

type modelDoc struct {
	receipt  *Receipt
	move     Op
	sum      Money
	offline  bool
	shift    int
	canceled bool
}

func (m *model) begin() {
	if !m.open {
		m.open = true
		m.shift++
	}
}

// sum adds up f over the documents, of the open shift only if now is set.
// A canceled one counts nothing.
func (m *model) sum(now bool, f func(d *modelDoc) Money) (total Money) {
	for _, d := range m.docs {
		if !d.canceled && (!now || m.open && d.shift == m.shift) {
			total += f(d)
		}
	}
	return total
}

// receipts is sum over the receipts of one operation.
func (m *model) receipts(now bool, o Op, f func(r *Receipt) Money) Money {
	return m.sum(now, func(d *modelDoc) Money {
		if d.receipt == nil || d.receipt.Op != o {
			return 0
		}
		return f(d.receipt)
	})
}

func one(*Receipt) Money { return 1 }

// lines adds up f over the lines of a kind, storno with the opposite sign.
func lines(r *Receipt, k ItemKind, f func(it *Item) Money) (total Money) {
	for i := range r.Items {
		switch it := &r.Items[i]; {
		case it.Kind != k:
		case it.Storno:
			total -= f(it)
		default:
			total += f(it)
		}
	}
	return total
}

func count(*Item) Money     { return 1 }
func cost(it *Item) Money   { return it.Cost }
func taken(r *Receipt) bool { return r.Discount != nil && r.Discount.Sum != 0 && !has(r, ItemDiscount) }
func put(r *Receipt) bool   { return r.Markup != nil && r.Markup.Sum != 0 && !has(r, ItemMarkup) }

func has(r *Receipt, k ItemKind) bool {
	return slices.ContainsFunc(r.Items, func(it Item) bool { return it.Kind == k })
}

// drawer is what a receipt did to the cash.
func drawer(r *Receipt) Money {
	var cash, paid Money
	for _, p := range r.Payments {
		paid += p.Sum
		if p.Kind == PayCash {
			cash += p.Sum
		}
	}
	if cash > 0 && paid != r.Total && paid == r.Total+r.ChangeDue {
		cash -= r.ChangeDue
	}
	return max(cash, 0)
}

var settlements = [OpSettlements]Op{OpSale, OpSaleReturn, OpPurchase, OpPurchaseReturn}

// sign is how an operation moves money: in or out.
var sign = map[Op]Money{OpSale: 1, OpSaleReturn: -1, OpPurchase: -1, OpPurchaseReturn: 1, OpCashIn: 1, OpCashOut: -1}

func (m *model) counters() Counters {
	var c Counters
	c.Cash = m.sum(false, func(d *modelDoc) Money {
		if d.receipt != nil {
			return sign[d.receipt.Op] * drawer(d.receipt)
		}
		return sign[d.move] * d.sum
	})
	c.Revenue = m.sum(true, func(d *modelDoc) Money {
		if d.receipt == nil {
			return 0
		}
		return sign[d.receipt.Op] * d.receipt.Total
	})
	for i, o := range settlements {
		total := func(r *Receipt) Money { return r.Total }
		c.GrandTotals[i] = m.receipts(false, o, total)
		c.ShiftStart[i] = c.GrandTotals[i] - m.receipts(true, o, total)
		if m.shift == 0 {
			c.ShiftStart[i] = 0
		}
		t := &c.Receipts[i]
		t.Ever = int64(m.receipts(false, o, one))
		t.Count = int64(m.receipts(true, o, one))
		t.Sum = m.receipts(true, o, total)
		t.Offline = int64(m.sum(true, func(d *modelDoc) Money {
			if d.receipt != nil && d.receipt.Op == o && d.offline {
				return 1
			}
			return 0
		}))
		t.Change = m.receipts(true, o, func(r *Receipt) Money { return r.ChangeDue })
		c.Discounts[i].Count = int64(m.receipts(true, o, func(r *Receipt) Money {
			if taken(r) {
				return 1
			}
			return lines(r, ItemDiscount, count)
		}))
		c.Discounts[i].Sum = m.receipts(true, o, func(r *Receipt) Money {
			if taken(r) {
				return r.Discount.Sum
			}
			return lines(r, ItemDiscount, cost)
		})
		c.Markups[i].Count = int64(m.receipts(true, o, func(r *Receipt) Money {
			if put(r) {
				return 1
			}
			return lines(r, ItemMarkup, count)
		}))
		c.Markups[i].Sum = m.receipts(true, o, func(r *Receipt) Money {
			if put(r) {
				return r.Markup.Sum
			}
			return lines(r, ItemMarkup, cost)
		})
		t.Discount, t.Markup = c.Discounts[i].Sum, c.Markups[i].Sum
		for k := PayCash; k.Index() >= 0; k++ {
			t.Payments[k-1].Count = int64(m.receipts(true, o, func(r *Receipt) (n Money) {
				for _, p := range r.Payments {
					if p.Kind == k {
						n++
					}
				}
				return n
			}))
			t.Payments[k-1].Sum = m.receipts(true, o, func(r *Receipt) (sum Money) {
				for _, p := range r.Payments {
					if p.Kind == k {
						sum += p.Sum
					}
				}
				if k == PayCash && sum != 0 {
					return drawer(r)
				}
				return sum
			})
		}
	}
	for i, o := range [OpMoves]Op{OpCashIn, OpCashOut} {
		t := &c.Moves[i]
		moves := func(now bool, f func(d *modelDoc) Money) Money {
			return m.sum(now, func(d *modelDoc) Money {
				if d.move != o {
					return 0
				}
				return f(d)
			})
		}
		every := func(*modelDoc) Money { return 1 }
		t.Ever, t.Count = int64(moves(false, every)), int64(moves(true, every))
		t.Sum = moves(true, func(d *modelDoc) Money { return d.sum })
		t.Offline = int64(moves(true, func(d *modelDoc) Money {
			if d.offline {
				return 1
			}
			return 0
		}))
	}
	c.Sections, c.Taxes = m.sections(), m.taxes()
	return c
}

// now is the receipts of the open shift, canceled ones too: they leave rows of
// zeros.
func (m *model) now() (all []*modelDoc) {
	for _, d := range m.docs {
		if d.receipt != nil && m.open && d.shift == m.shift {
			all = append(all, d)
		}
	}
	return all
}

// sections has a row for each code in use: the first 128 of a shift, the rest
// together.
func (m *model) sections() []SectionTally {
	rows := map[string]*SectionTally{}
	for _, d := range m.now() {
		for _, it := range d.receipt.Items {
			if it.Kind != ItemGoods {
				continue
			}
			code := it.Section
			if len(code) > MaxSectionCode || rows[code] == nil && len(rows) >= MaxSections {
				code = OtherSection
			}
			if rows[code] == nil {
				rows[code] = &SectionTally{Code: code}
			}
			t := &rows[code].Ops[slices.Index(settlements[:], d.receipt.Op)]
			switch {
			case d.canceled:
			case it.Storno:
				t.Count--
				t.Sum -= it.Cost
			default:
				t.Count++
				t.Sum += it.Cost
			}
		}
	}
	var all []SectionTally
	for _, r := range rows {
		all = append(all, *r)
	}
	slices.SortFunc(all, func(a, b SectionTally) int { return strings.Compare(a.Code, b.Code) })
	return all
}

// taxed is one tax with the gross amount it stands on.
type taxed struct {
	tax   Tax
	gross Money
	dir   Money
}

// taxesOf lists a receipt's taxes in the order of the receipt: lines, discount
// and markup on the whole, the receipt's own.
func taxesOf(r *Receipt) (all []taxed) {
	add := func(taxes []Tax, gross, dir Money) {
		for _, x := range taxes {
			all = append(all, taxed{x, gross, dir})
		}
	}
	for _, it := range r.Items {
		dir := Money(1)
		if it.Kind == ItemDiscount != it.Storno {
			dir = -1
		}
		add(it.Taxes, it.Cost, dir)
	}
	if taken(r) {
		add(r.Discount.Taxes, r.Discount.Sum, -1)
	}
	if put(r) {
		add(r.Markup.Taxes, r.Markup.Sum, 1)
	}
	add(r.Taxes, r.Total, 1)
	return all
}

func (m *model) taxes() []TaxTally {
	type rate struct{ kind, percent uint32 }
	rows := map[rate]*TaxTally{}
	for _, d := range m.now() {
		for _, x := range taxesOf(d.receipt) {
			key := rate{x.tax.Kind, x.tax.Percent}
			if rows[key] == nil && len(rows) >= MaxTaxes {
				key = rate{}
			}
			if rows[key] == nil {
				rows[key] = &TaxTally{Kind: key.kind, Percent: key.percent}
			}
			if !d.canceled {
				t := &rows[key].Ops[slices.Index(settlements[:], d.receipt.Op)]
				t.Turnover += x.dir * x.gross
				t.Tax += x.dir * x.tax.Sum
			}
		}
	}
	var all []TaxTally
	for _, r := range rows {
		all = append(all, *r)
	}
	slices.SortFunc(all, func(a, b TaxTally) int {
		if a.Kind != b.Kind {
			return int(a.Kind) - int(b.Kind)
		}
		return int(a.Percent) - int(b.Percent)
	})
	return all
}

// drawReceipt makes a receipt of any shape, right or wrong.
func drawReceipt(rt *rapid.T, sections, rates int) *Receipt {
	money := rapid.Custom(func(rt *rapid.T) Money { return Money(rapid.Int64Range(0, 1_000_000).Draw(rt, "sum")) })
	tax := rapid.Custom(func(rt *rapid.T) Tax {
		n := rapid.IntRange(0, rates-1).Draw(rt, "rate")
		return Tax{Kind: 100 + uint32(n%2), Percent: uint32(1000 * n), Sum: money.Draw(rt, "tax"), Included: rapid.Bool().Draw(rt, "included")}
	})
	taxes := rapid.SliceOfN(tax, 0, 2)
	modifier := rapid.Custom(func(rt *rapid.T) *Modifier {
		if rapid.Bool().Draw(rt, "none") {
			return nil
		}
		return &Modifier{Sum: money.Draw(rt, "sum"), Taxes: taxes.Draw(rt, "taxes")}
	})
	item := rapid.Custom(func(rt *rapid.T) Item {
		section := fmt.Sprintf("%d", rapid.IntRange(0, sections-1).Draw(rt, "section"))
		if section == "7" {
			section = strings.Repeat("7", MaxSectionCode+1)
		}
		return Item{
			Kind: rapid.SampledFrom([]ItemKind{ItemGoods, ItemGoods, ItemGoods, ItemDiscount, ItemMarkup}).Draw(rt, "kind"), Section: section,
			Cost: money.Draw(rt, "cost"), Storno: rapid.IntRange(0, 5).Draw(rt, "storno") == 0, Taxes: taxes.Draw(rt, "taxes"),
		}
	})
	payment := rapid.Custom(func(rt *rapid.T) Payment {
		return Payment{Kind: PayKind(rapid.IntRange(0, int(payCount)-1).Draw(rt, "kind")), Sum: money.Draw(rt, "sum")}
	})
	r := &Receipt{
		Op:    settlements[rapid.IntRange(0, 3).Draw(rt, "operation")],
		Items: rapid.SliceOfN(item, 0, 4).Draw(rt, "items"), Payments: rapid.SliceOfN(payment, 0, 3).Draw(rt, "payments"),
		Taxes: taxes.Draw(rt, "taxes"), Total: money.Draw(rt, "total"), Discount: modifier.Draw(rt, "discount"), Markup: modifier.Draw(rt, "markup"),
	}
	if rapid.Bool().Draw(rt, "change") { // paid more than the total, in cash
		r.ChangeDue = money.Draw(rt, "change due")
		r.Payments = []Payment{{Kind: PayCash, Sum: r.Total + r.ChangeDue}}
	}
	return r
}

// The state machine counts what the model counts, whatever comes in whatever
// order. Req: E-146, P-001
func TestStateAgainstModel(t *testing.T) {
	for _, size := range []struct{ sections, rates, documents int }{{4, 3, 30}, {300, 80, 120}} { // the second overflows both tables
		rapid.Check(t, func(rt *rapid.T) {
			var s State
			var m model
			var last *modelDoc // what may be canceled
			clock := WallTime(1_760_000_000)
			for step := range rapid.IntRange(1, size.documents).Draw(rt, "documents") {
				clock += WallTime(rapid.IntRange(0, 100_000).Draw(rt, "pause"))
				making := Making{Time: clock, Received: time.Unix(int64(clock), 0), Offline: rapid.Bool().Draw(rt, "offline")}
				before := s.Shift
				switch what := rapid.IntRange(0, 9).Draw(rt, "document"); {
				case what <= 5:
					m.begin()
					last = &modelDoc{receipt: drawReceipt(rt, size.sections, size.rates), offline: making.Offline, shift: m.shift}
					m.docs = append(m.docs, last)
					s.AddReceipt(last.receipt, making)
				case what <= 7:
					m.begin()
					d := &modelDoc{move: OpCashIn + Op(what-6), sum: Money(rapid.Int64Range(1, 1e6).Draw(rt, "sum")), offline: making.Offline, shift: m.shift}
					m.docs, last = append(m.docs, d), nil
					s.AddMove(d.move, d.sum, making)
				case what == 8 && last != nil:
					s.CancelReceipt(last.receipt, last.offline)
					last.canceled, last = true, nil
				default:
					m.begin() // an empty shift is opened to be closed
					before := m.counters()
					z, _ := s.CloseShift(making)
					m.open, last = false, nil
					if !reflect.DeepEqual(tidy(z.Counters), tidy(before)) {
						rt.Fatalf("step %d: Z report\n%+v, by the model\n%+v", step, z.Counters, before)
					}
				}
				if want := m.counters(); !reflect.DeepEqual(tidy(s.Counters), tidy(want)) {
					rt.Fatalf("step %d: counters\n%+v, by the model\n%+v", step, s.Counters, want)
				}
				if int(s.Shift.Number) != m.shift || s.Shift.Open != m.open {
					rt.Fatalf("step %d: shift %d, open %t; by the model %d, %t", step, s.Shift.Number, s.Shift.Open, m.shift, m.open)
				}
				if before.Open && s.Shift.Open && s.Shift.OpenedAt != before.OpenedAt {
					rt.Fatalf("step %d: the open shift began anew", step)
				}
				if again, err := ParseState(s.Append(nil)); err != nil || !reflect.DeepEqual(again.Counters, s.Counters) {
					rt.Fatalf("step %d: the counters do not come back from their stored form: %v", step, err)
				}
			}
		})
	}
}

// tidy makes an empty list equal to none.
func tidy(c Counters) Counters {
	if len(c.Sections) == 0 {
		c.Sections = nil
	}
	if len(c.Taxes) == 0 {
		c.Taxes = nil
	}
	return c
}

// Shift totals do not depend on the order of receipts.
func TestOrderOfReceipts(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		var all []*Receipt
		for range rapid.IntRange(1, 12).Draw(rt, "receipts") {
			all = append(all, drawReceipt(rt, 7, 5))
		}
		total := func() Counters {
			var s State
			for _, r := range all {
				s.AddReceipt(r, Making{Time: 1000})
			}
			return s.Counters
		}
		first := total()
		dice := rand.New(rand.NewPCG(rapid.Uint64().Draw(rt, "seed"), 0))
		dice.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
		if again := total(); !reflect.DeepEqual(first, again) {
			rt.Fatalf("counters\n%+v, in another order\n%+v", first, again)
		}
	})
}

// What a receipt adds, canceling takes away, to the last counter.
func TestCancelIsTheInverse(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		var s State
		s.AddReceipt(drawReceipt(rt, 4, 3), Making{Time: 1000})
		s.AddMove(OpCashIn, 500, Making{Time: 1001})
		r, offline := drawReceipt(rt, 4, 3), rapid.Bool().Draw(rt, "offline")
		before := s.Clone()
		s.AddReceipt(r, Making{Time: 1002, Offline: offline})
		with := s.Clone()
		s.CancelReceipt(r, offline)
		got, want := s.Counters.Clone(), before.Counters
		got.Sections = slices.DeleteFunc(got.Sections, func(t SectionTally) bool {
			return t.Ops == [OpSettlements]Tally{} && !slices.ContainsFunc(want.Sections, func(w SectionTally) bool { return w.Code == t.Code })
		})
		got.Taxes = slices.DeleteFunc(got.Taxes, func(t TaxTally) bool {
			return t.Ops == [OpSettlements]TaxedTally{} && !slices.ContainsFunc(want.Taxes, func(w TaxTally) bool { return w.Kind == t.Kind && w.Percent == t.Percent })
		})
		if !reflect.DeepEqual(tidy(got), tidy(want)) {
			rt.Fatalf("after canceling\n%+v, before the receipt\n%+v", got, want)
		}
		if s.Shift != with.Shift || s.LastKind != DocCancel {
			rt.Fatalf("canceling moved the shift from %+v to %+v, last kind %v", with.Shift, s.Shift, s.LastKind)
		}
	})
}

// Receipts that hold together make reports that do. Source: KKM reference §10.1.
func TestReportInvariants(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		var s State
		for range rapid.IntRange(1, 15).Draw(rt, "receipts") {
			r := drawReceipt(rt, 5, 3)
			r.Total = 0
			for i := range r.Items {
				r.Total += r.Items[i].Direction() * r.Items[i].Cost
			}
			if taken(r) {
				r.Total -= r.Discount.Sum
			}
			if put(r) {
				r.Total += r.Markup.Sum
			}
			r.ChangeDue, r.Payments = 0, []Payment{{Kind: PayCard, Sum: r.Total / 3}, {Kind: PayCash, Sum: r.Total - r.Total/3}}
			if r.Total < 0 {
				continue
			}
			s.AddReceipt(r, Making{Time: 1000})
		}
		if !s.Shift.Open {
			return
		}
		z, _ := s.CloseShift(Making{Time: 2000})
		for i := range settlements {
			c, t := &z.Counters, &z.Counters.Receipts[i]
			var paid Money
			for _, p := range t.Payments {
				paid += p.Sum
			}
			if c.Results(i).Sum != t.Sum || paid != t.Sum || c.GrandTotals[i]-c.ShiftStart[i] != t.Sum || c.Results(i).Count != c.Operations(i).Count {
				rt.Fatalf("%v: results %v, paid %v, totals %v less %v; want %v", settlements[i], c.Results(i), paid, c.GrandTotals[i], c.ShiftStart[i], t.Sum)
			}
			if s.Counters.ShiftStart[i] != c.GrandTotals[i] {
				rt.Fatalf("%v: the next shift starts with %v, the Z report ended with %v", settlements[i], s.Counters.ShiftStart[i], c.GrandTotals[i])
			}
		}
	})
}
