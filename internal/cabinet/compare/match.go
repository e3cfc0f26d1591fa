package compare

import (
	"strings"
	"time"

	"openofd/internal/fiscal"
)

// Options say what is compared with what.
type Options struct {
	From, Until fiscal.WallTime // days, both included; 0: those of the books
	// Tolerance is how far apart two clocks may be. 0 means ten minutes; less than
	// a minute is one.
	Tolerance time.Duration
	Outlet    fiscal.OutletID   // receipts of this one alone; 0 all
	Register  fiscal.RegisterID // likewise
	// Whole says that the books are of all registers, also of those that they do
	// not name.
	Whole bool
}

// Bounds of a tolerance.
const (
	usualTolerance = 10 * time.Minute
	leastTolerance = time.Minute
	MaxTolerance   = 24 * time.Hour
)

func (o *Options) seconds() fiscal.WallTime {
	t := o.Tolerance
	if t == 0 {
		t = usualTolerance
	}
	return fiscal.WallTime(min(max(t, leastTolerance), MaxTolerance) / time.Second)
}

// within reports whether a time is of the days that are compared.
func (o *Options) within(t fiscal.WallTime) bool { return t.Day() >= o.From && t.Day() <= o.Until }

// Match compares by receipts. Rows are of the days that are compared, and so are
// receipts but for a tolerance around them; these are never extra.
func Match(rows []Row, all []Receipt, names *Names, o Options) *Result {
	m := &matcher{
		rows: rows, all: all, places: names.places(rows), most: o.seconds(), o: o,
		with: make([]int32, len(rows)), by: make([]Key, len(rows)), taken: make([]bool, len(all)), twice: make([]bool, len(rows)),
	}
	for i := range m.with {
		m.with[i] = -1
	}
	signs, numbers := m.index()
	for _, strict := range []bool{true, false} {
		m.exact(BySign, signs, strict)
	}
	for _, strict := range []bool{true, false} {
		m.exact(ByNumber, numbers, strict)
	}
	m.byTime(false)
	m.byTime(true)
	m.instants()
	return m.result()
}

// matcher is a comparison under way.
type matcher struct {
	rows   []Row
	all    []Receipt
	places *places
	o      Options
	most   fiscal.WallTime // the tolerance

	with  []int32 // by row: the receipt it goes with, −1 none
	by    []Key   // by row
	twice []bool  // by row
	taken []bool  // by receipt
}

func (m *matcher) join(row, receipt int32, by Key) {
	m.with[row], m.by[row], m.taken[receipt] = receipt, by, true
}

// code is a number on paper as it is looked up: with its register, if the row
// tells one, and its day, if the row tells it, for numbers come again.
type code struct {
	number   uint64
	register fiscal.RegisterID
	day      fiscal.WallTime
}

// lookup finds receipts by code, in their order.
type lookup struct {
	head map[code]int32
	all  []link
}

type link struct{ receipt, next int32 }

func (l *lookup) add(c code, receipt int32) {
	if c.number == 0 {
		return
	}
	next, ok := l.head[c]
	if !ok {
		next = -1
	}
	l.head[c] = int32(len(l.all))
	l.all = append(l.all, link{receipt, next})
}

// numbered is how a row's number is looked up.
func (m *matcher) numbered(i int) code {
	r := &m.rows[i]
	c := code{number: r.Number, register: m.places.row(i).only()}
	if r.Grain != NoTime {
		c.day = r.Time.Day()
	}
	return c
}

// index makes both lookups, of what rows ask for alone.
func (m *matcher) index() (signs, numbers *lookup) {
	signs, numbers = &lookup{head: map[code]int32{}}, &lookup{head: map[code]int32{}}
	var bySign bool
	var shapes [2][2]bool // with a register, with a day
	for i := range m.rows {
		bySign = bySign || m.rows[i].Sign != 0
		if m.rows[i].Number != 0 {
			c := m.numbered(i)
			shapes[b2i(c.register != 0)][b2i(c.day != 0)] = true
		}
	}
	for i := int32(len(m.all)) - 1; i >= 0; i-- { // chains begin with the first
		r := &m.all[i]
		if bySign {
			signs.add(code{number: r.Sign}, i)
			if r.Offline && r.Device != r.Sign {
				signs.add(code{number: r.Device}, i)
			}
		}
		for register := range shapes {
			for day, asked := range shapes[register] {
				if !asked {
					continue
				}
				c := code{register: r.Register * fiscal.RegisterID(register), day: r.Time.Day() * fiscal.WallTime(day)}
				c.number = r.Printed
				numbers.add(c, i)
				if r.Device != r.Printed && !r.Offline {
					c.number = r.Device
					numbers.add(c, i)
				}
			}
		}
	}
	return signs, numbers
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

// exact joins rows with the receipts that they name. strict takes those alone
// that agree in sum, operation and place; the rest come after, so that a row with
// a slip takes no receipt from one without.
func (m *matcher) exact(by Key, l *lookup, strict bool) {
	for i := range m.rows {
		r := &m.rows[i]
		c := code{number: r.Sign}
		if by == ByNumber {
			c = m.numbered(i)
		}
		if m.with[i] >= 0 || c.number == 0 {
			continue
		}
		at, ok := l.head[c]
		if !ok {
			continue
		}
		vague := by == ByNumber && c.register == 0 && c.day == 0 && l.all[at].next >= 0
		best, bestCost, had := int32(-1), cost{}, false
		for ; at >= 0; at = l.all[at].next {
			one := l.all[at].receipt
			if m.taken[one] {
				had = true
				continue
			}
			k := m.cost(i, one)
			if vague || !k.accepted(by, c, strict, m.most) {
				continue
			}
			if best < 0 || k.less(&bestCost) {
				best, bestCost = one, k
			}
		}
		if best >= 0 {
			m.join(int32(i), best, by)
		} else if had && by == BySign && !strict {
			m.twice[i] = true
		}
	}
}

// cost is how badly a row and a receipt go together.
type cost struct {
	place, op, total, canceled bool // what does not fit
	timed                      bool // the row tells a time of day
	apart                      fiscal.WallTime
}

func (m *matcher) cost(row int, receipt int32) cost {
	r, one := &m.rows[row], &m.all[receipt]
	c := cost{place: !m.places.row(row).fits(one), op: r.op() != one.Op, total: r.Has&ColTotal != 0 && r.Total != one.Total, canceled: one.Canceled}
	if r.Grain > OfDay {
		c.timed, c.apart = true, max(r.Time-one.Time, one.Time-r.Time)
	}
	return c
}

// accepted reports whether so much that does not fit still lets a key join two.
// Elsewhere, a sign needs the sum; a number that no register or nearness backs
// needs it as well.
func (c *cost) accepted(by Key, k code, strict bool, most fiscal.WallTime) bool {
	switch {
	case strict:
		return !c.place && !c.op && !c.total && !c.canceled
	case by == BySign:
		return !c.place || !c.total
	}
	return !c.place && (k.register != 0 || !c.total || c.timed && c.apart <= most)
}

func (c *cost) less(o *cost) bool {
	for _, pair := range [...][2]bool{{c.place, o.place}, {c.canceled, o.canceled}, {c.op, o.op}, {c.total, o.total}} {
		if pair[0] != pair[1] {
			return !pair[0]
		}
	}
	return c.apart < o.apart
}

// group is what rows and receipts of the same sum have in common.
type group struct {
	place int32
	op    fiscal.Op
	total fiscal.Money
	day   fiscal.WallTime // of rows that tell no more
}

// byTime joins by the nearest time with the same sum or, of rows that tell but a
// day, in the order of that day. Rows of one register go first: who tells more
// has the first choice.
func (m *matcher) byTime(days bool) {
	groups, at := []struct{ rows, receipts []int32 }{}, map[group]int32{}
	single, wide := map[fiscal.RegisterID]int32{}, []int32{}
	placed := make([]bool, len(m.places.all))
	for i := range m.rows {
		r := &m.rows[i]
		if m.with[i] >= 0 || r.Has&ColTotal == 0 || r.Grain == NoTime || (r.Grain == OfDay) != days || m.twice[i] {
			continue
		}
		p := m.places.of[i]
		k := group{place: p, op: r.op(), total: r.Total}
		if days {
			k.day = r.Time.Day()
		}
		g, ok := at[k]
		if !ok {
			g = int32(len(groups))
			groups, at[k] = append(groups, struct{ rows, receipts []int32 }{}), g
		}
		groups[g].rows = append(groups[g].rows, int32(i))
		if !placed[p] {
			placed[p] = true
			if only := m.places.all[p].only(); only != 0 {
				single[only] = p
			} else if !m.places.all[p].nowhere() {
				wide = append(wide, p)
			}
		}
	}
	if len(groups) == 0 {
		return
	}
	key := func(p int32, r *Receipt) group {
		k := group{place: p, op: r.Op, total: r.Total}
		if days {
			k.day = r.Time.Day()
		}
		return k
	}
	gather := func(of func(*Receipt) (int32, bool)) {
		for i := range m.all {
			r := &m.all[i]
			if m.taken[i] || r.Canceled {
				continue
			}
			if p, ok := of(r); ok {
				if g, ok := at[key(p, r)]; ok {
					groups[g].receipts = append(groups[g].receipts, int32(i))
				}
			}
		}
	}
	var near nearest
	most := m.most
	if days { // the order of the day, however far apart
		most = secondsOfDay
	}
	pair := func() {
		for g := range groups {
			if len(groups[g].rows) == 0 || len(groups[g].receipts) == 0 {
				continue
			}
			near.pair(groups[g].rows, groups[g].receipts, func(i int32) fiscal.WallTime { return m.rows[i].Time }, func(i int32) fiscal.WallTime { return m.all[i].Time }, most,
				func(row, receipt int32) { m.join(row, receipt, ByTime) })
			groups[g].rows, groups[g].receipts = nil, nil
		}
	}
	gather(func(r *Receipt) (int32, bool) { p, ok := single[r.Register]; return p, ok })
	pair()
	for _, p := range wide {
		gather(func(r *Receipt) (int32, bool) { return p, m.places.all[p].fits(r) })
		pair()
	}
}

const secondsOfDay = 24 * 60 * 60

// instants joins what is left of one register and the same second: such a row
// names its receipt, whatever sum it tells.
func (m *matcher) instants() {
	type instant struct {
		register fiscal.RegisterID
		time     fiscal.WallTime
		op       fiscal.Op
	}
	rows := map[instant]int32{}
	for i := len(m.rows) - 1; i >= 0; i-- {
		r := &m.rows[i]
		if only := m.places.row(i).only(); m.with[i] < 0 && r.Grain == OfSecond && only != 0 && r.Sign == 0 && !m.twice[i] {
			rows[instant{only, r.Time, r.op()}] = int32(i)
		}
	}
	if len(rows) == 0 {
		return
	}
	for i := range m.all {
		r := &m.all[i]
		k := instant{r.Register, r.Time, r.Op}
		if row, ok := rows[k]; ok && !m.taken[i] && !r.Canceled {
			m.join(row, int32(i), ByTime)
			delete(rows, k)
		}
	}
}

// result tells what came of all rows and receipts.
func (m *matcher) result() *Result {
	r := &Result{From: m.o.From, Until: m.o.Until, Unknown: m.places.unknown, Rows: m.rows, Receipts: m.all, Findings: make([]Finding, 0, len(m.rows))}
	for i, with := range m.with {
		f := Finding{Verdict: Missing, Row: i, Receipt: int(with), Twice: m.twice[i]}
		if with >= 0 {
			f.By, f.Twice, f.Verdict = m.by[i], false, Equal
			if f.Differs = m.differs(i, with); f.Differs != 0 {
				f.Verdict = Different
			}
		}
		r.Findings = append(r.Findings, f)
	}
	covered := m.places.covers(m.o.Whole)
	for i := range m.all {
		if one := &m.all[i]; !m.taken[i] && !one.Canceled && m.o.within(one.Time) && covered(one) {
			r.Findings = append(r.Findings, Finding{Verdict: Extra, Row: -1, Receipt: i})
		}
	}
	r.close()
	return r
}

// differs are the columns in which a row and its receipt have different words.
func (m *matcher) differs(row int, receipt int32) (d Column) {
	r, one := &m.rows[row], &m.all[receipt]
	d = sumsDiffer(r, one) &^ ColTax // which is read afterwards
	c := m.cost(row, receipt)
	if c.apart > m.most || r.Grain == OfDay && r.Time.Day() != one.Time.Day() {
		d |= ColTime
	}
	if r.Cashier != "" && one.Cashier != "" && !samePerson(r.Cashier, one.Cashier) {
		d |= ColCashier
	}
	if c.op {
		d |= ColOperation
	}
	if c.place {
		d |= ColRegister
	}
	if r.Sign != 0 && !one.signed(r.Sign) {
		d |= ColSign
	}
	if c.canceled {
		d |= ColCanceled
	}
	return d
}

func sumsDiffer(r *Row, one *Receipt) (d Column) {
	for _, c := range [...]Column{ColTotal, ColCash, ColCashless, ColOther, ColTax} {
		if r.Has&c != 0 && r.Of(c) != one.Of(c) {
			d |= c
		}
	}
	return d
}

func samePerson(a, b string) bool {
	return strings.EqualFold(a, b) || normal(a) == normal(b)
}
