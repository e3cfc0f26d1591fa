package fiscal

import (
	"bytes"
	"encoding/binary"
	"math"
	"time"
)

// stateFormat is the first byte of an encoded state. A change of layout is a
// new number; old ones stay readable.
const stateFormat = 1

// Append appends the state in its stored form: the format byte, then each
// field in the order of the struct as a varint (sums zigzag), texts and bytes
// with their length in front, times as microseconds since 1970 (0 not set).
// Version is not part of it: it is a column of its own.
func (s *State) Append(b []byte) []byte {
	w := stateWriter{b}
	w.b = append(w.b, stateFormat)
	w.uint(uint64(s.CardVersion))
	w.uint(uint64(s.Status))
	w.text(s.Block.Text)
	w.time(s.Block.Since)
	w.uint(s.Block.Version)
	w.uint(uint64(s.LastNumber))
	w.b = append(w.b, s.LastHash[:]...)
	w.int(int64(s.LastTime))
	w.uint(uint64(s.LastKind))
	w.uint(uint64(s.LastZ))
	w.shift(&s.Shift)
	w.counters(&s.Counters)
	w.text(string(s.Protocol))
	return w.b
}

// ParseState reads what Append wrote, and nothing else: whatever it takes,
// Append gives back byte for byte. A damaged row is Corrupt.
func ParseState(b []byte) (*State, error) {
	r := stateReader{b: b}
	s := r.outline()
	r.counters(&s.Counters)
	if protocol := r.bytes(); len(protocol) > 0 {
		s.Protocol = bytes.Clone(protocol)
	}
	if r.bad || len(r.b) != 0 {
		return nil, errStateRow
	}
	return s, nil
}

// ParseStateOutline reads what stands before the counters: status, block, last
// document and shift. It does not look at the rest.
func ParseStateOutline(b []byte) (*State, error) {
	r := stateReader{b: b}
	s := r.outline()
	if r.bad {
		return nil, errStateRow
	}
	return s, nil
}

var errStateRow = &Error{Of: Corrupt, Field: "state", Msg: "the row has an unknown layout, is cut, too long or changed"}

func (r *stateReader) outline() *State {
	s := &State{}
	if format := r.take(1); len(format) != 1 || format[0] != stateFormat {
		r.bad = true
		return s
	}
	s.CardVersion = r.uint32()
	s.Status = Status(r.enum(uint64(StatusDeregistered)))
	s.Block.Text = string(r.bytes())
	s.Block.Since = r.time()
	s.Block.Version = r.uint()
	s.LastNumber = Number(r.uint())
	copy(s.LastHash[:], r.take(len(s.LastHash)))
	s.LastTime = WallTime(r.int())
	s.LastKind = DocumentKind(r.enum(uint64(documentKindCount) - 1))
	s.LastZ = Number(r.uint())
	r.shift(&s.Shift)
	return s
}

type stateWriter struct{ b []byte }

func (w *stateWriter) uint(v uint64) { w.b = binary.AppendUvarint(w.b, v) }
func (w *stateWriter) int(v int64)   { w.b = binary.AppendVarint(w.b, v) }
func (w *stateWriter) text(s string) { w.uint(uint64(len(s))); w.b = append(w.b, s...) }

func (w *stateWriter) time(t time.Time) {
	if t.IsZero() {
		w.int(0)
		return
	}
	w.int(t.UnixMicro())
}

func (w *stateWriter) flag(v bool) {
	if v {
		w.b = append(w.b, 1)
	} else {
		w.b = append(w.b, 0)
	}
}

func (w *stateWriter) tally(t *Tally) { w.int(t.Count); w.int(int64(t.Sum)) }

func (w *stateWriter) shift(s *Shift) {
	w.uint(uint64(s.Number))
	w.flag(s.Open)
	w.int(int64(s.OpenedAt))
	w.int(int64(s.ClosedAt))
	w.uint(uint64(s.Documents))
	w.time(s.OpenedOnline)
}

func (w *stateWriter) counters(c *Counters) {
	w.int(int64(c.Cash))
	for i := range c.GrandTotals {
		w.int(int64(c.GrandTotals[i]))
		w.int(int64(c.ShiftStart[i]))
	}
	w.int(int64(c.Revenue))
	for i := range c.Receipts {
		t := &c.Receipts[i]
		for _, v := range [...]int64{t.Ever, t.Count, int64(t.Sum), t.Offline, int64(t.Discount), int64(t.Markup), int64(t.Change)} {
			w.int(v)
		}
		for j := range t.Payments {
			w.tally(&t.Payments[j])
		}
	}
	for i := range c.Moves {
		t := &c.Moves[i]
		for _, v := range [...]int64{t.Ever, t.Count, int64(t.Sum), t.Offline} {
			w.int(v)
		}
	}
	for i := range c.Discounts {
		w.tally(&c.Discounts[i])
		w.tally(&c.Markups[i])
	}
	w.uint(uint64(len(c.Sections)))
	for i := range c.Sections {
		w.text(c.Sections[i].Code)
		for j := range c.Sections[i].Ops {
			w.tally(&c.Sections[i].Ops[j])
		}
	}
	w.taxes(c.Taxes)
}

func (w *stateWriter) taxes(all []TaxTally) {
	w.uint(uint64(len(all)))
	for i := range all {
		t := &all[i]
		w.uint(uint64(t.Kind))
		w.uint(uint64(t.Percent))
		for j := range t.Ops {
			w.int(int64(t.Ops[j].Turnover))
			w.int(int64(t.Ops[j].Tax))
		}
	}
}

// stateReader reads fields from the front of b. After the first that cannot be
// read everything is zero and bad is set.
type stateReader struct {
	b   []byte
	bad bool
}

func (r *stateReader) fail() { r.bad, r.b = true, nil }

// uint reads a varint in its shortest form, which is the only one written.
func (r *stateReader) uint() uint64 {
	v, n := binary.Uvarint(r.b)
	if n <= 0 || n > 1 && r.b[n-1] == 0 {
		r.fail()
		return 0
	}
	r.b = r.b[n:]
	return v
}

func (r *stateReader) int() int64 {
	v := r.uint()
	return int64(v>>1) ^ -int64(v&1) // zigzag
}

// enum reads a number from 0 to last.
func (r *stateReader) enum(last uint64) uint64 {
	v := r.uint()
	if v > last {
		r.fail()
		return 0
	}
	return v
}

func (r *stateReader) uint32() uint32 { return uint32(r.enum(math.MaxUint32)) }

func (r *stateReader) take(n int) []byte {
	if n < 0 || n > len(r.b) {
		r.fail()
		return nil
	}
	v := r.b[:n]
	r.b = r.b[n:]
	return v
}

// bytes reads what has its length in front. It is not copied.
func (r *stateReader) bytes() []byte { return r.take(int(r.enum(uint64(len(r.b))))) }

func (r *stateReader) time() time.Time {
	if v := r.int(); v != 0 {
		return time.UnixMicro(v).UTC()
	}
	return time.Time{}
}

func (r *stateReader) flag() bool { return r.enum(1) == 1 }

func (r *stateReader) tally(t *Tally) { t.Count = r.int(); t.Sum = Money(r.int()) }

func (r *stateReader) shift(s *Shift) {
	s.Number = r.uint32()
	s.Open = r.flag()
	s.OpenedAt = WallTime(r.int())
	s.ClosedAt = WallTime(r.int())
	s.Documents = r.uint32()
	s.OpenedOnline = r.time()
}

func (r *stateReader) counters(c *Counters) {
	c.Cash = Money(r.int())
	for i := range c.GrandTotals {
		c.GrandTotals[i] = Money(r.int())
		c.ShiftStart[i] = Money(r.int())
	}
	c.Revenue = Money(r.int())
	for i := range c.Receipts {
		t := &c.Receipts[i]
		t.Ever, t.Count, t.Sum, t.Offline = r.int(), r.int(), Money(r.int()), r.int()
		t.Discount, t.Markup, t.Change = Money(r.int()), Money(r.int()), Money(r.int())
		for j := range t.Payments {
			r.tally(&t.Payments[j])
		}
	}
	for i := range c.Moves {
		t := &c.Moves[i]
		t.Ever, t.Count, t.Sum, t.Offline = r.int(), r.int(), Money(r.int()), r.int()
	}
	for i := range c.Discounts {
		r.tally(&c.Discounts[i])
		r.tally(&c.Markups[i])
	}
	if n := r.enum(MaxSections + 1); n > 0 {
		c.Sections = make([]SectionTally, n)
		for i := range c.Sections {
			c.Sections[i].Code = string(r.bytes())
			for j := range c.Sections[i].Ops {
				r.tally(&c.Sections[i].Ops[j])
			}
		}
	}
	c.Taxes = r.taxes()
}

func (r *stateReader) taxes() (all []TaxTally) {
	if n := r.enum(MaxTaxes + 1); n > 0 {
		all = make([]TaxTally, n)
		for i := range all {
			t := &all[i]
			t.Kind, t.Percent = r.uint32(), r.uint32()
			for j := range t.Ops {
				t.Ops[j].Turnover, t.Ops[j].Tax = Money(r.int()), Money(r.int())
			}
		}
	}
	return all
}
