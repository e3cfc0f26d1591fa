package ui

import "errors"

// errLong says that no QR code holds a text.
var errLong = errors.New("too long for a QR code")

// Codewords of level M, which restores a sixth, by version: how many of each
// block correct errors, and how many blocks there are. Source: ISO/IEC 18004,
// table 9.
var (
	correcting = [41]int{0, 10, 16, 26, 18, 24, 16, 18, 22, 22, 26, 30, 22, 22, 24, 24, 28, 28, 26, 26, 26, 26, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28}
	blocks     = [41]int{0, 1, 1, 1, 2, 2, 4, 4, 4, 5, 5, 5, 8, 9, 9, 10, 10, 11, 13, 14, 16, 17, 17, 18, 20, 21, 23, 25, 26, 28, 29, 31, 33, 35, 37, 38, 40, 43, 45, 47, 49}
)

// codewords is how many a version has, data and correction.
func codewords(version int) int {
	n := (16*version+128)*version + 64
	if version >= 2 {
		a := version/7 + 2
		n -= (25*a-10)*a - 55
		if version >= 7 {
			n -= 36
		}
	}
	return n / 8
}

// part is a stretch of a text in one mode.
type part struct {
	digits bool
	text   string
}

// parts cuts a text into stretches of digits and of bytes, so that it takes few
// bits: digits stand apart where that pays for the two changes of mode.
func parts(text string) (all []part) {
	const pays = 8 // digits, from which they are shorter by themselves, whatever the version
	add := func(digits bool, text string) {
		if n := len(all); n > 0 && !digits && !all[n-1].digits {
			all[n-1].text += text
		} else if text != "" {
			all = append(all, part{digits, text})
		}
	}
	for len(text) > 0 {
		n := 0
		for n < len(text) && text[n] >= '0' && text[n] <= '9' {
			n++
		}
		if n >= pays {
			add(true, text[:n])
			text = text[n:]
			continue
		}
		n = max(n, 1)
		add(false, text[:n])
		text = text[n:]
	}
	return all
}

// bitRow is a row of bits under construction.
type bitRow struct {
	bytes []byte
	n     int
}

func (b *bitRow) put(v, n int) {
	for i := n - 1; i >= 0; i-- {
		if b.n%8 == 0 {
			b.bytes = append(b.bytes, 0)
		}
		b.bytes[b.n/8] |= byte(v>>i&1) << (7 - b.n%8)
		b.n++
	}
}

// dataOf are the data codewords of a text in a version; false if it does not
// fit.
func dataOf(all []part, version int) ([]byte, bool) {
	room := codewords(version) - correcting[version]*blocks[version]
	size := 0 // of a length: by mode and version
	switch {
	case version >= 27:
		size = 2
	case version >= 10:
		size = 1
	}
	b := &bitRow{bytes: make([]byte, 0, room+8)}
	for _, p := range all {
		if p.digits {
			b.put(0b0001, 4)
			b.put(len(p.text), [3]int{10, 12, 14}[size])
			for t := p.text; t != ""; t = t[min(3, len(t)):] {
				n, v := min(3, len(t)), 0
				for _, c := range []byte(t[:n]) {
					v = v*10 + int(c-'0')
				}
				b.put(v, 1+3*n)
			}
			continue
		}
		b.put(0b0100, 4)
		b.put(len(p.text), [3]int{8, 16, 16}[size])
		for _, c := range []byte(p.text) {
			b.put(int(c), 8)
		}
		if b.n > 8*room {
			return nil, false
		}
	}
	if b.n > 8*room {
		return nil, false
	}
	b.put(0, min(4, 8*room-b.n))
	b.put(0, -b.n&7)
	for pad := byte(0xec); len(b.bytes) < room; pad ^= 0xec ^ 0x11 {
		b.bytes = append(b.bytes, pad)
	}
	return b.bytes, true
}

// field is arithmetic on bytes as the correction has it: powers of 2 modulo
// x⁸+x⁴+x³+x²+1, and their logarithms.
type field struct {
	power [512]byte
	log   [256]int
}

var gf = newField()

func newField() (f field) {
	for i, v := 0, 1; i < 255; i++ {
		f.power[i], f.power[i+255] = byte(v), byte(v)
		f.log[v] = i
		if v <<= 1; v > 255 {
			v ^= 0x11d
		}
	}
	return f
}

// divisor is the polynomial by which n correcting codewords are made, without
// its first coefficient, as logarithms.
func divisor(n int) []int {
	d := make([]byte, n) // the highest power first
	d[n-1] = 1
	for i := range n {
		for j := range d {
			v := byte(0)
			if d[j] != 0 {
				v = gf.power[gf.log[d[j]]+i]
			}
			if j+1 < n {
				v ^= d[j+1]
			}
			d[j] = v
		}
	}
	logs := make([]int, n)
	for i, v := range d {
		logs[i] = gf.log[v] // none is 0
	}
	return logs
}

// correct appends the correcting codewords of a block to it.
func correct(block []byte, by []int) []byte {
	rest := make([]byte, len(by), len(by)+1)
	for _, b := range block {
		factor := b ^ rest[0]
		rest = append(rest[1:], 0)
		if factor == 0 {
			continue
		}
		for i, l := range by {
			rest[i] ^= gf.power[l+gf.log[factor]]
		}
	}
	return append(block[:len(block):len(block)], rest...)
}

// interleave cuts data into blocks, corrects each, and takes a codeword of each
// in turn.
func interleave(data []byte, version int) []byte {
	n, more := blocks[version], correcting[version]
	by := divisor(more)
	short := len(data) / n
	long := len(data) % n // the last ones have one more
	all := make([][]byte, n)
	for i := range all {
		size := short
		if i >= n-long {
			size++
		}
		all[i] = correct(data[:size], by)
		data = data[size:]
	}
	out := make([]byte, 0, codewords(version))
	for i := range short + 1 {
		for _, b := range all {
			if i < len(b)-more {
				out = append(out, b[i])
			}
		}
	}
	for i := range more {
		for _, b := range all {
			out = append(out, b[len(b)-more+i])
		}
	}
	return out
}

// encode makes the smallest symbol for a text.
func encode(text string) (*symbol, error) {
	all := parts(text)
	for version := 1; version <= 40; version++ {
		if data, ok := dataOf(all, version); ok {
			s := newSymbol(version)
			s.fill(interleave(data, version))
			s.mask()
			return s, nil
		}
	}
	return nil, errLong
}
