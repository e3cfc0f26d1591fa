package fiscal

import (
	"fmt"
	"testing"
	"time"
)

var noon = time.Date(2026, 11, 21, 7, 0, 0, 0, time.UTC)

// at is a document's making, h hours after noon in Almaty.
func at(h float64) Making {
	d := time.Duration(h * float64(time.Hour))
	return Making{Time: WallIn(noon.Add(d), time.FixedZone("", 5*3600)), Received: noon.Add(d)}
}

func stated(m Making, shift uint32) Making { m.Shift = shift; return m }
func offline(m Making) Making              { m.Offline = true; return m }

// Source: KKM reference §6.2.
func TestOpenShift(t *testing.T) {
	for _, tt := range []struct {
		name   string
		shift  Shift
		stated uint32
		want   uint32
		flags  Flags
	}{
		{"the first", Shift{}, 0, 1, 0},
		{"the first, stated", Shift{}, 1, 1, 0},
		{"the next", Shift{Number: 5}, 0, 6, 0},
		{"the next, stated", Shift{Number: 5}, 6, 6, 0},
		{"a larger number is believed", Shift{Number: 5}, 9, 9, FlagShiftGap},
		{"a smaller one is not", Shift{Number: 5}, 5, 6, FlagShiftNumber},
		{"in an open shift", Shift{Number: 5, Open: true}, 5, 5, 0},
		{"in an open shift, not stated", Shift{Number: 5, Open: true}, 0, 5, 0},
		{"in an open shift, another number", Shift{Number: 5, Open: true}, 6, 5, FlagShiftNumber},
	} {
		s := State{Shift: tt.shift}
		flags := s.OpenShift(stated(at(0), tt.stated))
		if s.Shift.Number != tt.want || !s.Shift.Open || flags != tt.flags {
			t.Errorf("%s: shift %d, flags %v; want %d, %v", tt.name, s.Shift.Number, flags, tt.want, tt.flags)
		}
		if !tt.shift.Open && (s.Shift.OpenedAt != at(0).Time || !s.Shift.OpenedOnline.Equal(noon)) {
			t.Errorf("%s: opened at %v, online %v", tt.name, s.Shift.OpenedAt, s.Shift.OpenedOnline)
		}
		s = State{Shift: tt.shift}
		fits := tt.flags == 0
		if got := s.ExpectedShift(tt.stated); got != fits {
			t.Errorf("%s: ExpectedShift(%d) = %t, want %t", tt.name, tt.stated, got, fits)
		}
	}
	var s State
	if s.OpenShift(offline(at(0))); !s.Shift.OpenedOnline.IsZero() {
		t.Error("a replay guards the shift's length by our clock")
	}
}

// A device that numbers its shifts itself is believed, whatever it says.
// Source: KKT reference §8.3.
func TestOwnShiftNumbers(t *testing.T) {
	for _, tt := range []struct {
		name   string
		shift  Shift
		stated uint32
		flags  Flags
	}{
		{"the first", Shift{}, 1, 0},
		{"the next", Shift{Number: 5}, 6, 0},
		{"a larger one", Shift{Number: 5}, 9, FlagShiftGap},
		{"a smaller one", Shift{Number: 5}, 1, FlagShiftNumber},
		{"the open one", Shift{Number: 5, Open: true}, 5, 0},
		{"the open one's close has not come", Shift{Number: 5, Open: true}, 6, FlagShiftNumber},
		{"a smaller one, while another is open", Shift{Number: 5, Open: true}, 2, FlagShiftNumber},
	} {
		m := stated(at(0), tt.stated)
		m.Own = true
		s := State{Shift: tt.shift}
		s.Counters.Receipts[0].Count = 3
		flags := s.OpenShift(m)
		if s.Shift.Number != tt.stated || !s.Shift.Open || flags != tt.flags {
			t.Errorf("%s: shift %d, flags %v; want %d, %v", tt.name, s.Shift.Number, flags, tt.stated, tt.flags)
		}
		if other := tt.shift.Open && tt.shift.Number != tt.stated; other && s.Counters.Receipts[0].Count != 0 {
			t.Errorf("%s: the receipts of the shift before count in this one", tt.name)
		}
	}
}

// A report opens a shift once; the shift's receipts do not open it again.
func TestAddOpening(t *testing.T) {
	var s State
	m := stated(at(0), 7)
	m.Own = true
	if f := s.AddOpening(m); f != FlagShiftGap || !s.Shift.Open || s.Shift.Number != 7 || s.LastKind != DocShiftOpen || s.LastTime != m.Time {
		t.Errorf("AddOpening(7) = %v, state %+v", f, s)
	}
	s.Counters.Receipts[0].Count = 3
	if f := s.AddOpening(m); f != FlagShiftNumber || s.Shift.Number != 7 || s.Counters.Receipts[0].Count != 0 {
		t.Errorf("AddOpening(7) twice = %v, shift %+v, want %v and a new shift", f, s.Shift, FlagShiftNumber)
	}
	early := stated(at(-1), 8)
	early.Own = true
	if f := s.AddOpening(early); !f.Has(FlagClockBackwards) || s.Shift.Number != 8 {
		t.Errorf("AddOpening(8) an hour earlier = %v, shift %d", f, s.Shift.Number)
	}
}

// Req: E-146, E-147
func TestShiftTooLong(t *testing.T) {
	const day = 24 * time.Hour
	var s State
	if s.ShiftTooLong(at(1000).Time, noon.Add(1000*time.Hour), day) {
		t.Error("a closed shift is too long")
	}
	s.OpenShift(at(0))
	second := float64(1) / 3600
	for _, tt := range []struct {
		device, ours float64 // hours after the opening
		want         bool
	}{
		{24, 24, false}, {24 + second, 24, true}, {24, 24 + second, true},
		{-100, 24 + second, true}, // the device's clock was turned back
		{-100, 1, false},
	} {
		if got := s.ShiftTooLong(at(tt.device).Time, at(tt.ours).Received, day); got != tt.want {
			t.Errorf("%v h by the device, %v h by us: %t, want %t", tt.device, tt.ours, got, tt.want)
		}
	}
	var replayed State
	replayed.OpenShift(offline(at(0)))
	if replayed.ShiftTooLong(at(1).Time, at(100).Received, day) {
		t.Error("a shift opened by a replay is measured by the time of its arrival")
	}
}

func TestDocumentsInShift(t *testing.T) {
	var s State
	r := &Receipt{Op: OpSale, Total: 100_00, Payments: []Payment{{Kind: PayCash, Sum: 100_00}}}
	if f := s.AddReceipt(r, at(1)); f != 0 {
		t.Errorf("AddReceipt() = %v, want no flags", f)
	}
	if f := s.AddMove(OpCashOut, 30_00, at(0.5)); f != FlagClockBackwards {
		t.Errorf("AddMove(earlier) = %v, want %v", f, FlagClockBackwards)
	}
	if f := s.AddMove(OpCashOut, 80_00, at(2)); f != FlagCashNegative {
		t.Errorf("AddMove(more than the drawer) = %v, want %v", f, FlagCashNegative)
	}
	if s.Counters.Cash != -10_00 || s.Shift.Documents != 3 || s.LastKind != DocCashMove || s.LastTime != at(2).Time {
		t.Errorf("cash %v, %d documents, last %v at %v", s.Counters.Cash, s.Shift.Documents, s.LastKind, s.LastTime)
	}
	for _, tt := range []struct {
		op   Op
		cash Money
		want bool
	}{{OpSale, 1, true}, {OpCashIn, 1, true}, {OpPurchaseReturn, 1, true}, {OpSaleReturn, 1, false}, {OpPurchase, 1, false}, {OpCashOut, 1, false}} {
		if got := s.Covers(tt.op, tt.cash); got != tt.want {
			t.Errorf("a drawer of %v covers %v of %v: %t, want %t", s.Counters.Cash, tt.op, tt.cash, got, tt.want)
		}
	}
	s.Counters.Cash = 50_00
	if !s.Covers(OpSaleReturn, 50_00) || s.Covers(OpSaleReturn, 50_01) {
		t.Error("a drawer covers exactly what lies in it")
	}
}

func TestCloseShift(t *testing.T) {
	var s State
	s.AddReceipt(&Receipt{Op: OpSale, Total: 100_00, Payments: []Payment{{Kind: PayCash, Sum: 100_00}}}, at(1))
	z, f := s.CloseShift(stated(at(2), 1))
	if f != 0 || z.Kind != ReportZ || z.Time != at(2).Time || z.Shift.Number != 1 || z.Shift.Open || z.Shift.ClosedAt != at(2).Time || z.Counters.Receipts[0].Count != 1 {
		t.Errorf("CloseShift() = %+v, %v", z, f)
	}
	if s.Shift.Open || s.Counters.Receipts[0].Count != 0 || s.Counters.Receipts[0].Ever != 1 || s.Counters.Cash != 100_00 || s.Counters.GrandTotals[0] != 100_00 || s.LastKind != DocShiftClose {
		t.Errorf("after the close: %+v", s)
	}
	empty, f := s.CloseShift(at(3))
	if !f.Has(FlagShiftEmpty) || empty.Shift.Number != 2 || empty.Shift.OpenedAt != at(3).Time || empty.Shift.ClosedAt != at(3).Time || empty.Counters.Receipts[0].Count != 0 {
		t.Errorf("CloseShift() without a shift = %+v, %v; want an empty one, number 2", empty, f)
	}
	s.AddMove(OpCashIn, 1, at(5))
	if _, f = s.CloseShift(stated(at(4), 9)); f != FlagShiftNumber|FlagShiftCloseEarly {
		t.Errorf("closed before its last document under another number: %v, want %v", f, FlagShiftNumber|FlagShiftCloseEarly)
	}
	if s.LastTime != at(5).Time {
		t.Errorf("an early close turned the last time back to %v", s.LastTime)
	}
}

func TestXReport(t *testing.T) {
	var s State
	if x := s.X(at(0).Time); x.Kind != ReportX || x.Shift.Number != 1 || x.Shift.Open || x.Shift.OpenedAt != at(0).Time {
		t.Errorf("X() of a new register = %+v, want an empty shift 1", x)
	}
	s.AddReceipt(&Receipt{Op: OpSale, Total: 5, Items: []Item{{Kind: ItemGoods, Section: "1", Cost: 5}}}, at(1))
	x := s.X(at(2).Time)
	if !x.Shift.Open || x.Shift.OpenedAt != at(1).Time || x.Counters.Sections[0].Ops[0].Count != 1 {
		t.Errorf("X() = %+v", x)
	}
	x.Counters.Sections[0].Ops[0].Count = 99
	if s.Counters.Sections[0].Ops[0].Count != 1 {
		t.Error("a report shares its sections with the state")
	}
}

func TestCloneSharesNothing(t *testing.T) {
	s := State{Protocol: []byte{1}, Counters: Counters{Sections: []SectionTally{{Code: "1"}}, Taxes: []TaxTally{{Kind: 100}}}}
	n := s.Clone()
	n.Protocol[0], n.Counters.Sections[0].Code, n.Counters.Taxes[0].Kind = 2, "2", 200
	if s.Protocol[0] != 1 || s.Counters.Sections[0].Code != "1" || s.Counters.Taxes[0].Kind != 100 {
		t.Errorf("changing a clone changed the state: %+v", s)
	}
}

// What a device invents beyond the bounds is counted together, and said so.
func TestCountersFull(t *testing.T) {
	var s State
	const many = MaxSections + 50
	for i := range many {
		r := &Receipt{Op: OpSale, Total: 10, Items: []Item{{Kind: ItemGoods, Section: fmt.Sprintf("s%03d", i), Cost: 10, Taxes: []Tax{{Kind: KindVAT, Percent: uint32(i + 1), Sum: 1}}}}}
		f := s.AddReceipt(r, at(0))
		if full := i >= MaxTaxes; f.Has(FlagCountersFull) != full {
			t.Fatalf("receipt %d: flags %v, want full %t", i, f, full)
		}
	}
	c := &s.Counters
	if len(c.Sections) != MaxSections+1 || c.Sections[0].Code != OtherSection || c.Sections[0].Ops[0] != (Tally{50, 500}) {
		t.Errorf("%d sections, the first %+v; want %d, and 50 lines under %q", len(c.Sections), c.Sections[0], MaxSections+1, OtherSection)
	}
	if len(c.Taxes) != MaxTaxes+1 || c.Taxes[0].Kind != 0 || c.Taxes[0].Ops[0] != (TaxedTally{10 * (many - MaxTaxes), many - MaxTaxes}) {
		t.Errorf("%d taxes, the first %+v", len(c.Taxes), c.Taxes[0])
	}
	if got := c.Operations(0); got != (Tally{many, 10 * many}) {
		t.Errorf("Operations() = %v, want every line", got)
	}
	b := s.Append(nil)
	if len(b) > 8192 {
		t.Errorf("the largest state takes %d bytes", len(b))
	}
	if _, err := ParseState(b); err != nil {
		t.Errorf("ParseState(the largest state) = %v", err)
	}
	var long State
	if f := long.AddReceipt(&Receipt{Op: OpSale, Items: []Item{{Kind: ItemGoods, Section: string(make([]byte, MaxSectionCode+1))}}}, at(0)); !f.Has(FlagCountersFull) || long.Counters.Sections[0].Code != OtherSection {
		t.Errorf("a section of %d bytes: flags %v, counted as %q", MaxSectionCode+1, f, long.Counters.Sections[0].Code)
	}
}

func TestSane(t *testing.T) {
	for i, spoil := range []func(*Counters){
		func(c *Counters) { c.Cash = MaxCounter + 1 },
		func(c *Counters) { c.Cash = -MaxCounter - 1 },
		func(c *Counters) { c.Revenue = -MaxCounter - 1 },
		func(c *Counters) { c.GrandTotals[3] = MaxCounter + 1 },
		func(c *Counters) { c.Receipts[1].Payments[2].Sum = MaxCounter + 1 },
		func(c *Counters) { c.Receipts[1].Change = MaxCounter + 1 },
		func(c *Counters) { c.Moves[1].Sum = MaxCounter + 1 },
		func(c *Counters) { c.Sections[0].Ops[2].Sum = MaxCounter + 1 },
		func(c *Counters) { c.Taxes[0].Ops[2].Turnover = MaxCounter + 1 },
		func(c *Counters) { c.Taxes[0].Ops[2].Tax = -MaxCounter - 1 },
	} {
		c := Counters{Cash: MaxCounter, Revenue: -MaxCounter, Sections: make([]SectionTally, 1), Taxes: make([]TaxTally, 1)}
		if !c.Sane() {
			t.Fatal("counters at the bound are not sane")
		}
		if spoil(&c); c.Sane() {
			t.Errorf("case %d beyond the bound is sane", i)
		}
	}
}
