package kkt

import (
	"encoding/binary"
	"slices"
)

// numbers are those of one sequence of a drive that came: of its documents, or
// of its notifications.
//
// Source: KKT reference §8.3.
type numbers struct {
	seen  []span // ascending, with gaps between
	doubt uint32 // numbers up to here may have come although no span says so
}

// span is a run of numbers, both ends included.
type span struct{ first, last uint32 }

// saw tells whether a number has come.
func (n *numbers) saw(number uint32) sight {
	if _, in := n.find(number); in {
		return certain
	}
	if number <= n.doubt {
		return doubtful
	}
	return unseen
}

// find is the place of the span that holds a number, or where one would be.
func (n *numbers) find(number uint32) (int, bool) {
	return slices.BinarySearchFunc(n.seen, number, func(s span, wanted uint32) int {
		switch {
		case s.last < wanted:
			return -1
		case s.first > wanted:
			return 1
		}
		return 0
	})
}

// highest is the largest number that came, 0 none.
func (n *numbers) highest() uint32 {
	if last := len(n.seen); last > 0 {
		return n.seen[last-1].last
	}
	return 0
}

// add notes that a number came.
func (n *numbers) add(number uint32) {
	i, in := n.find(number)
	if in {
		return
	}
	behind := i > 0 && n.seen[i-1].last+1 == number
	before := i < len(n.seen) && n.seen[i].first == number+1
	switch {
	case behind && before:
		n.seen[i-1].last = n.seen[i].last
		n.seen = slices.Delete(n.seen, i, i+1)
	case behind:
		n.seen[i-1].last = number
	case before:
		n.seen[i].first = number
	default:
		n.seen = slices.Insert(n.seen, i, span{number, number})
	}
	if len(n.seen) > maxSpans { // the journal remembers what the state cannot
		n.doubt = max(n.doubt, n.seen[0].last)
		n.seen = slices.Delete(n.seen, 0, 1)
	}
}

// gaps are the numbers between those that came.
func (n *numbers) gaps() []span {
	var all []span
	next := n.doubt + 1
	for _, s := range n.seen {
		if s.first > next {
			all = append(all, span{next, s.first - 1})
		}
		next = max(next, s.last+1) // a late one may lie below what is told
	}
	return all
}

// append appends the spans: how many, then of each the gap before it and its
// length.
func (n *numbers) append(b []byte) []byte {
	b = binary.AppendUvarint(b, uint64(len(n.seen)))
	at := uint32(0)
	for _, s := range n.seen {
		b = binary.AppendUvarint(b, uint64(s.first-at))
		b = binary.AppendUvarint(b, uint64(s.last-s.first))
		at = s.last
	}
	return b
}

// numbers reads what numbers.append wrote.
func (r *memoryReader) numbers(n *numbers) {
	at := uint32(0)
	for left := r.uint(maxSpans); left > 0 && !r.bad; left-- {
		first := at + uint32(r.uint(MaxNumber))
		last := first + uint32(r.uint(MaxNumber))
		if last > MaxNumber || first <= at || at > 0 && first == at+1 {
			r.bad = true
		}
		n.seen = append(n.seen, span{first, last})
		at = last
	}
}
