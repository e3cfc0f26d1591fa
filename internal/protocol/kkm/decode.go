package kkm

import (
	"unicode/utf8"

	"openofd/internal/protocol/kkm/kkmpb"
)

// decodeFast reads a request that is whole, keeps to the set and says nothing
// twice, as nearly all do. At anything else it gives up and returns nil: check
// and the protobuf decoder then say what is what. What it does read is what
// they would have read. It is here because those two take nearly twice as
// long, most of it for 175 small allocations in a ticket of five lines.
//
// All strings of the message are parts of one copy of the payload; who keeps
// one of them for long clones it.
func decodeFast(payload []byte) *kkmpb.Request {
	d := decoder{s: string(payload)}
	m := d.request(0, len(d.s))
	if d.bad {
		return nil
	}
	return m
}

// decoder walks s. Its methods in decode_gen.go read one message each, from i
// to end. A fault sets bad and moves on to end, so that every loop ends; the
// message is then thrown away.
type decoder struct {
	s   string
	bad bool

	uint64s slab[uint64]
	uint32s slab[uint32]
	int32s  slab[int32]
	bools   slab[bool]
	strings slab[string]
	moneys  slab[kkmpb.Money]
	items   slab[kkmpb.TicketRequest_Item]
	goods   slab[kkmpb.TicketRequest_Commodity]
	taxes   slab[kkmpb.TicketRequest_Tax]
}

// varint reads a number and returns where it ends.
func (d *decoder) varint(i, end int) (uint64, int) {
	if i < end && d.s[i] < 0x80 {
		return uint64(d.s[i]), i + 1
	}
	return d.longVarint(i, end)
}

func (d *decoder) longVarint(i, end int) (uint64, int) {
	var v uint64
	for shift := 0; shift < 64 && i < end; shift += 7 {
		c := d.s[i]
		i++
		v |= uint64(c&0x7F) << shift
		if c < 0x80 {
			if shift == 63 && c > 1 {
				break
			}
			return v, i
		}
	}
	d.bad = true
	return 0, end
}

// length reads how long a value is and returns where it begins and ends.
func (d *decoder) length(i, end int) (from, to int) {
	n, i := d.varint(i, end)
	if n > uint64(end-i) {
		d.bad = true
		return end, end
	}
	return i, i + int(n)
}

func (d *decoder) text(from, to int) string {
	s := d.s[from:to]
	if !utf8.ValidString(s) {
		d.bad = true
	}
	return s
}

// slab hands out values of one type from pieces of several. The values of a
// request live and die together anyway.
type slab[T any] struct{ free []T }

func (s *slab[T]) new(piece int) *T {
	if len(s.free) == 0 {
		s.free = make([]T, piece)
	}
	p := &s.free[0]
	s.free = s.free[1:]
	return p
}

func put[T any](s *slab[T], v T) *T {
	p := s.new(16)
	*p = v
	return p
}
