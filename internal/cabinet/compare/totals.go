package compare

import "openofd/internal/fiscal"

// totalKey is what is added up together.
type totalKey struct {
	place int32
	day   fiscal.WallTime
	op    fiscal.Op
}

// MatchTotals compares by totals: what the books tell of a register, an outlet or
// the whole, a day and an operation with what its receipts come to. Where the
// books tell no operation, sums are sales less their returns; where a row tells
// no day, all is of the whole time. Canceled receipts are in no sum, and taxes
// are not compared.
func MatchTotals(rows []Row, all []Receipt, names *Names, o Options) *Result {
	t := &totaler{rows: rows, places: names.places(rows), at: map[totalKey]int32{}, days: true, told: true}
	for i := range rows {
		t.days = t.days && rows[i].Grain != NoTime
		t.told = t.told && rows[i].Op != fiscal.OpNone
	}
	covered := t.places.covers(o.Whole)
	for i := range rows {
		t.addRow(i)
	}
	t.placeReceipts()
	for i := range all {
		if one := &all[i]; !one.Canceled && o.within(one.Time) && covered(one) {
			t.addReceipt(one)
		}
	}
	r := &Result{Totals: true, From: o.From, Until: o.Until, Unknown: t.places.unknown}
	for i := range t.sums {
		s := &t.sums[i]
		f := Finding{Row: -1, Receipt: -1}
		if s.hasRow {
			f.Row = len(r.Rows)
			r.Rows = append(r.Rows, s.row)
		}
		if s.receipt.Count > 0 {
			f.Receipt = len(r.Receipts)
			r.Receipts = append(r.Receipts, s.receipt)
		}
		switch {
		case f.Row < 0:
			f.Verdict = Extra
		case f.Receipt < 0 && s.row.Sums != Sums{}:
			f.Verdict = Missing
		case f.Receipt >= 0:
			f.By = ByPlace
			if f.Differs = sumsDiffer(&s.row, &s.receipt); f.Differs != 0 {
				f.Verdict = Different
			}
		}
		r.Findings = append(r.Findings, f)
	}
	r.close()
	return r
}

// totaler adds up.
type totaler struct {
	rows       []Row
	places     *places
	days, told bool // every row tells its day, its operation

	at   map[totalKey]int32
	sums []total

	byRegister map[fiscal.RegisterID]int32 // place of a register's receipts
	byOutlet   map[fiscal.OutletID]int32
	elsewhere  int32 // −1: a register or an outlet has a place of its own
	own        int32 // of the next one
	outlets    bool  // by outlets, no register is told
}

// total is both sides of one key.
type total struct {
	row     Row
	hasRow  bool
	receipt Receipt
}

func (t *totaler) sum(k totalKey) *total {
	i, ok := t.at[k]
	if !ok {
		i = int32(len(t.sums))
		t.at[k] = i
		t.sums = append(t.sums, total{})
	}
	return &t.sums[i]
}

func (t *totaler) addRow(i int) {
	r := &t.rows[i]
	k, way := totalKey{place: t.places.of[i]}, fiscal.Money(1)
	if t.days {
		k.day = r.Time.Day()
	}
	if t.told {
		k.op = r.Op
	} else if r.Op.Return() {
		way = -1
	}
	s := t.sum(k)
	if !s.hasRow {
		s.hasRow = true
		s.row = Row{Line: r.Line, Register: r.Register, Outlet: r.Outlet, Time: k.day, Op: k.op}
		if t.days {
			s.row.Grain = OfDay
		}
	}
	s.row.Has |= r.Has &^ ColTax
	s.row.add(&r.Sums, way)
}

// placeReceipts says to which place receipts belong: the first that is theirs.
func (t *totaler) placeReceipts() {
	t.byRegister, t.byOutlet, t.elsewhere, t.own = map[fiscal.RegisterID]int32{}, map[fiscal.OutletID]int32{}, -1, int32(len(t.places.all))
	t.outlets = true
	for i := range t.places.all {
		p := &t.places.all[i]
		switch {
		case p.register:
			t.outlets = false
			for _, r := range p.registers {
				if _, ok := t.byRegister[r]; !ok {
					t.byRegister[r] = int32(i)
				}
			}
		case p.outlet:
			for _, o := range p.outlets {
				if _, ok := t.byOutlet[o]; !ok {
					t.byOutlet[o] = int32(i)
				}
			}
		default:
			t.elsewhere = int32(i)
		}
	}
}

// place is where a receipt is added; a register or an outlet that the books do
// not name has a place of its own.
func (t *totaler) place(r *Receipt) int32 {
	if p, ok := t.byRegister[r.Register]; ok {
		return p
	}
	if p, ok := t.byOutlet[r.Outlet]; ok {
		return p
	}
	if t.elsewhere >= 0 {
		return t.elsewhere
	}
	p := t.own
	if t.own++; t.outlets {
		t.byOutlet[r.Outlet] = p
	} else {
		t.byRegister[r.Register] = p
	}
	return p
}

func (t *totaler) addReceipt(r *Receipt) {
	k, way := totalKey{op: r.Op}, fiscal.Money(1)
	if !t.told {
		if k.op = fiscal.OpNone; r.Op == fiscal.OpSaleReturn {
			way = -1
		} else if r.Op != fiscal.OpSale {
			return
		}
	}
	if t.days {
		k.day = r.Time.Day()
	}
	k.place = t.place(r)
	s := &t.sum(k).receipt
	if s.Count == 0 {
		*s = Receipt{Register: r.Register, CardVersion: r.CardVersion, Outlet: r.Outlet, Time: k.day, Op: k.op}
	}
	if s.Register != r.Register {
		s.Register, s.CardVersion = 0, 0
	}
	if s.Outlet != r.Outlet {
		s.Outlet = 0
	}
	s.Count++
	s.add(&r.Sums, way)
}
