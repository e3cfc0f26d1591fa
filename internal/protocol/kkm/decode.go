package kkm

import (
	"sync"
	"unicode/utf8"

	"openofd/internal/protocol/kkm/kkmpb"
)

// decodeFast reads a request that is whole, keeps to the set and says nothing
// twice, as nearly all do. At anything else it gives up and returns nil: check
// and the protobuf decoder then say what is what. What it does read is what
// they would have read. It is here because those two take three times as long,
// most of it for 175 small allocations in a ticket of five lines.
//
// All strings of the message are parts of one copy of the payload; who keeps
// one of them for long clones it. The message itself lies in the decoder, until
// that is released.
func decodeFast(payload []byte) (*kkmpb.Request, *decoder) {
	d := decoders.Get().(*decoder)
	d.s = string(payload)
	m := d.request(0, len(d.s))
	if d.bad {
		d.release()
		return nil, nil
	}
	return m, d
}

// decoder walks s. Its methods in decode_gen.go read one message each, from i
// to end. A fault sets bad and moves on to end, so that every loop ends; the
// message is then thrown away.
type decoder struct {
	s   string
	bad bool
	rooms
	lines lines // of the receipt that the ticket is
}

// decoders rest between two requests: a free list, which nothing depends on.
var decoders = sync.Pool{New: func() any { return new(decoder) }}

// longestKept is the longest payload whose decoder rests; a larger one would
// hold on to its rooms.
const longestKept = 16 << 10

// release ends the use of what was read. Strings stay good.
func (d *decoder) release() {
	if len(d.s) > longestKept {
		return
	}
	d.clear()
	d.lines.items.clear()
	d.lines.taxes.clear()
	d.s, d.bad = "", false
	decoders.Put(d)
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

// room hands out values of one type from a block, which is used again when the
// request has been dealt with. It grows until it holds an ordinary one.
type room[T any] struct {
	block []T
	used  int
}

func (r *room[T]) new() *T {
	if r.used == len(r.block) {
		r.block, r.used = make([]T, max(1, 2*len(r.block))), 0 // the old one is left to this request
	}
	r.used++
	return &r.block[r.used-1]
}

func (r *room[T]) put(v T) *T {
	p := r.new()
	*p = v
	return p
}

// append adds to a list. The one begun last grows where it lies.
func (r *room[T]) append(list []T, v T) []T {
	n := len(list)
	if n > 0 && (n > r.used || &list[0] != &r.block[r.used-n]) {
		return append(list, v)
	}
	if r.used == len(r.block) {
		bigger := make([]T, max(1, 2*len(r.block)))
		r.block, r.used = bigger, copy(bigger, list)
	}
	r.block[r.used] = v
	r.used++
	return r.block[r.used-n-1 : r.used : r.used]
}

// begin gives an empty list with room for n.
func (r *room[T]) begin(n int) []T {
	if n > len(r.block)-r.used {
		r.block, r.used = make([]T, max(n, 2*len(r.block))), 0
	}
	r.used += n
	return r.block[r.used-n : r.used-n : r.used]
}

func (r *room[T]) clear() {
	clear(r.block[:r.used])
	r.used = 0
}
