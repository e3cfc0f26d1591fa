package ui

import "math/bits"

// maskPeriod is after how many squares each mask repeats itself, both ways.
const maskPeriod = 12

// longest is how many words a line of the largest symbol takes.
const longest = 3

// maskLines are the squares that a mask turns over, by mask and line; the first
// ones are rows, the others columns.
var maskLines = newMaskLines()

func newMaskLines() (all [2][8][maskPeriod][longest]uint64) {
	for mask := range 8 {
		for i := range maskPeriod {
			for j := range 64 * longest {
				if masked(mask, j, i) {
					all[0][mask][i][j/64] |= 1 << (j % 64)
				}
				if masked(mask, i, j) {
					all[1][mask][i][j/64] |= 1 << (j % 64)
				}
			}
		}
	}
	return all
}

// lines are the rows or the columns of a symbol as bits, each on words of its
// own.
type lines struct {
	n, words int
	bits     []uint64
}

func newLines(n int) lines {
	words := (n + 63) / 64
	return lines{n, words, make([]uint64, n*words)}
}

func (l lines) line(i int) []uint64 { return l.bits[i*l.words : (i+1)*l.words] }

func (l lines) set(i, j int, on bool) {
	w := &l.bits[i*l.words+j/64]
	*w &^= 1 << (j % 64)
	if on {
		*w |= 1 << (j % 64)
	}
}

// mask turns over what makes the symbol easiest to read.
func (s *symbol) mask() {
	var plain, free, now [2]lines // rows, columns
	for way := range 2 {
		plain[way], free[way], now[way] = newLines(s.side), newLines(s.side), newLines(s.side)
	}
	for at, dark := range s.dark {
		x, y := at%s.side, at/s.side
		plain[0].set(y, x, dark)
		plain[1].set(x, y, dark)
		free[0].set(y, x, !s.fixed[at])
		free[1].set(x, y, !s.fixed[at])
	}
	best, least := 0, -1
	for mask := range 8 {
		for way := range 2 {
			for i := range s.side {
				turned := &maskLines[way][mask][i%maskPeriod]
				to, from, may := now[way].line(i), plain[way].line(i), free[way].line(i)
				for w := range to {
					to[w] = from[w] ^ turned[w]&may[w]
				}
			}
		}
		s.format(mask)
		for i := range s.side { // the format stands in row 8 and in column 8
			across, down := s.dark[8*s.side+i], s.dark[i*s.side+8]
			now[0].set(8, i, across)
			now[1].set(i, 8, across)
			now[0].set(i, 8, down)
			now[1].set(8, i, down)
		}
		if p := penalty(now[0], now[1]); least < 0 || p < least {
			best, least = mask, p
		}
	}
	for at := range s.dark {
		if !s.fixed[at] && masked(best, at%s.side, at/s.side) {
			s.dark[at] = !s.dark[at]
		}
	}
	s.format(best)
}

// penalty counts what makes a symbol hard to read: long runs of one color, what
// looks like a finder, squares of four, and too much of one color. Source:
// ISO/IEC 18004, 7.8.3.
func penalty(rows, columns lines) (p int) {
	n, dark := rows.n, 0
	for i := range n {
		p += linePenalty(rows.line(i), n) + linePenalty(columns.line(i), n)
		row := rows.line(i)
		for w := range row {
			dark += bits.OnesCount64(row[w])
			if i > 0 {
				above := rows.line(i - 1)
				square := ^(row[w] ^ above[w]) & alike(row, w, 0) & alike(above, w, 0) & starts(n, 2, w)
				p += 3 * bits.OnesCount64(square)
			}
		}
	}
	return p + abs(20*dark-10*n*n)/(n*n)*10
}

// from is the w-th word of a line of which the first k squares are left out.
func from(l []uint64, w, k int) uint64 {
	v := l[w] >> k
	if k > 0 && w+1 < len(l) {
		v |= l[w+1] << (64 - k)
	}
	return v
}

// alike are the squares, k further on, that look like their next ones.
func alike(l []uint64, w, k int) uint64 { return ^(from(l, w, k) ^ from(l, w, k+1)) }

// starts are the squares of the w-th word at which long ones can begin in a line
// of n.
func starts(n, long, w int) uint64 {
	switch left := n - long + 1 - 64*w; {
	case left <= 0:
		return 0
	case left >= 64:
		return ^uint64(0)
	default:
		return 1<<left - 1
	}
}

// linePenalty is that of a row or a column of n squares.
func linePenalty(l []uint64, n int) (p int) {
	carry := uint64(0) // a five begins at the last square of the word before
	for w := range l {
		five := alike(l, w, 0) & alike(l, w, 1) & alike(l, w, 2) & alike(l, w, 3) & starts(n, 5, w)
		p += bits.OnesCount64(five) + 2*bits.OnesCount64(five&^(five<<1|carry)) // a run of 5 counts 3, each square more 1
		carry = five >> 63

		var a [11]uint64
		for k := range a {
			a[k] = from(l, w, k)
		}
		finder := func(k int) uint64 { return a[k] &^ a[k+1] & a[k+2] & a[k+3] & a[k+4] &^ a[k+5] & a[k+6] }
		light := func(k int) uint64 { return ^(a[k] | a[k+1] | a[k+2] | a[k+3]) }
		p += 40 * bits.OnesCount64((finder(0)&light(7)|light(0)&finder(4))&starts(n, 11, w))
	}
	return p
}
