package sandbox

import (
	"openofd/internal/authority/kgd"
	"openofd/internal/fiscal"
	"openofd/internal/store/sqlitefile"
)

// countKey names what the documents of a register and a day come to.
type countKey struct {
	country  country
	register int64
	day      int64
}

// tally is what is added to it by a batch.
type tally struct {
	registration, xin          string
	documents, offline, shifts int64
	first, last                edge
	hash                       []byte // of last
	n                          [6]int64
	sum                        [6]fiscal.Money
	tax                        [4]fiscal.Money
}

// edge is the first or the last document of a day.
type edge struct {
	entry int64
	time  fiscal.WallTime
}

// counts gathers the tallies of a batch.
type counts map[countKey]*tally

func (c counts) of(k countKey) *tally {
	t := c[k]
	if t == nil {
		t = &tally{}
		c[k] = t
	}
	return t
}

// add counts a document; sums says whether its sums count.
func (c counts) add(d *document, sums bool) {
	if !d.counted {
		return
	}
	t := c.of(countKey{d.country, d.register, day(d.time)})
	if d.entry > t.last.entry {
		t.last, t.hash = edge{d.entry, d.time}, d.hash
		t.registration, t.xin = d.registration, d.xin
	}
	if t.first.entry == 0 || d.entry < t.first.entry {
		t.first = edge{d.entry, d.time}
	}
	t.documents++
	if d.offline {
		t.offline++
	}
	if d.closes {
		t.shifts++
	}
	if sums && (d.country == russia || d.kind == kgd.KindReceipt || d.kind == kgd.KindCashMove) {
		t.settle(d.op, d.total, d.tax, 1)
	}
}

// settle adds an operation, or takes it back.
func (t *tally) settle(op fiscal.Op, total, tax fiscal.Money, sign int64) {
	if op < fiscal.OpSale || op > fiscal.OpCashOut {
		return
	}
	i := int(op - fiscal.OpSale)
	t.n[i] += sign
	t.sum[i] += fiscal.Money(sign) * total
	if i < len(t.tax) {
		t.tax[i] += fiscal.Money(sign) * tax
	}
}

const addCounts = `INSERT INTO counts (operator, country, day, register, number, xin, documents, offline, shifts,
	first, first_time, last, last_time, hash, n1, s1, t1, n2, s2, t2, n3, s3, t3, n4, s4, t4, n5, s5, n6, s6)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT DO UPDATE SET
	number = CASE WHEN excluded.last > last THEN excluded.number ELSE number END,
	xin = CASE WHEN excluded.last > last THEN excluded.xin ELSE xin END,
	documents = documents + excluded.documents, offline = offline + excluded.offline, shifts = shifts + excluded.shifts,
	first_time = CASE WHEN excluded.first > 0 AND (first = 0 OR excluded.first < first) THEN excluded.first_time ELSE first_time END,
	first = CASE WHEN excluded.first > 0 AND (first = 0 OR excluded.first < first) THEN excluded.first ELSE first END,
	last_time = CASE WHEN excluded.last > last THEN excluded.last_time ELSE last_time END,
	hash = CASE WHEN excluded.last > last THEN excluded.hash ELSE hash END,
	last = max(last, excluded.last),
	n1 = n1 + excluded.n1, s1 = s1 + excluded.s1, t1 = t1 + excluded.t1,
	n2 = n2 + excluded.n2, s2 = s2 + excluded.s2, t2 = t2 + excluded.t2,
	n3 = n3 + excluded.n3, s3 = s3 + excluded.s3, t3 = t3 + excluded.t3,
	n4 = n4 + excluded.n4, s4 = s4 + excluded.s4, t4 = t4 + excluded.t4,
	n5 = n5 + excluded.n5, s5 = s5 + excluded.s5, n6 = n6 + excluded.n6, s6 = s6 + excluded.s6`

// store adds the tallies to what is counted.
func (c counts) store(tx *sqlitefile.Tx, operator int64) error {
	s, err := tx.Prepare(addCounts)
	if err != nil {
		return err
	}
	for k, t := range c {
		s.BindInt(1, operator)
		s.BindInt(2, int64(k.country))
		s.BindInt(3, k.day)
		s.BindInt(4, k.register)
		s.BindText(5, t.registration)
		s.BindText(6, t.xin)
		s.BindInt(7, t.documents)
		s.BindInt(8, t.offline)
		s.BindInt(9, t.shifts)
		s.BindInt(10, t.first.entry)
		s.BindInt(11, int64(t.first.time))
		s.BindInt(12, t.last.entry)
		s.BindInt(13, int64(t.last.time))
		s.BindBytes(14, t.hash)
		at := 15
		for i := range t.n {
			s.BindInt(at, t.n[i])
			s.BindInt(at+1, int64(t.sum[i]))
			if at += 2; i < len(t.tax) {
				s.BindInt(at, int64(t.tax[i]))
				at++
			}
		}
		if _, err := s.Exec(); err != nil {
			return err
		}
	}
	return nil
}

// counted is what a register's documents of a day came to, read back.
type counted struct {
	Operator int64
	Day      int64
	Register int64
	tally
}

const countColumns = `operator, day, register, number, xin, documents, offline, shifts, first, first_time, last, last_time, hash,
	n1, s1, t1, n2, s2, t2, n3, s3, t3, n4, s4, t4, n5, s5, n6, s6`

// scanCount reads a row of countColumns.
func scanCount(s *sqlitefile.Stmt) (c counted) {
	c.Operator, c.Day, c.Register = s.Int(0), s.Int(1), s.Int(2)
	c.registration, c.xin = s.Text(3), s.Text(4)
	c.documents, c.offline, c.shifts = s.Int(5), s.Int(6), s.Int(7)
	c.first = edge{s.Int(8), fiscal.WallTime(s.Int(9))}
	c.last = edge{s.Int(10), fiscal.WallTime(s.Int(11))}
	c.hash = s.Bytes(12)
	at := 13
	for i := range c.n {
		c.n[i], c.sum[i] = s.Int(at), fiscal.Money(s.Int(at+1))
		if at += 2; i < len(c.tax) {
			c.tax[i] = fiscal.Money(s.Int(at))
			at++
		}
	}
	return c
}
