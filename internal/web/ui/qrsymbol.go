package ui

// symbol is the drawing of a QR code: squares, and which of them carry no data.
type symbol struct {
	side  int
	dark  []bool // by row
	fixed []bool // finders, timing, alignment, format and version
}

func newSymbol(version int) *symbol {
	side := 17 + 4*version
	s := &symbol{side: side, dark: make([]bool, side*side), fixed: make([]bool, side*side)}
	for i := range side { // timing, under the finders
		s.fix(6, i, i%2 == 0)
		s.fix(i, 6, i%2 == 0)
	}
	last := side - 1
	for _, at := range [][2]int{{3, 3}, {last - 3, 3}, {3, last - 3}} {
		s.finder(at[0], at[1])
	}
	all := alignments(version)
	for i, x := range all {
		for j, y := range all {
			n := len(all) - 1
			if i == 0 && j == 0 || i == 0 && j == n || i == n && j == 0 {
				continue // a finder is there
			}
			for dy := -2; dy <= 2; dy++ {
				for dx := -2; dx <= 2; dx++ {
					s.fix(x+dx, y+dy, max(abs(dx), abs(dy)) != 1)
				}
			}
		}
	}
	s.format(0) // its place; the mask is chosen later
	if version >= 7 {
		rest := version
		for range 12 {
			rest = rest<<1 ^ rest>>11*0x1f25
		}
		bits := version<<12 | rest
		for i := range 18 {
			a, b := side-11+i%3, i/3
			s.fix(a, b, bits>>i&1 == 1)
			s.fix(b, a, bits>>i&1 == 1)
		}
	}
	return s
}

func abs(n int) int { return max(n, -n) }

func (s *symbol) fix(x, y int, dark bool) {
	s.dark[y*s.side+x], s.fixed[y*s.side+x] = dark, true
}

func (s *symbol) finder(x, y int) {
	for dy := -4; dy <= 4; dy++ {
		for dx := -4; dx <= 4; dx++ {
			if ring := max(abs(dx), abs(dy)); x+dx >= 0 && x+dx < s.side && y+dy >= 0 && y+dy < s.side {
				s.fix(x+dx, y+dy, ring != 2 && ring != 4)
			}
		}
	}
}

// alignments are the coordinates of alignment patterns. Source: ISO/IEC 18004,
// annex E.
func alignments(version int) []int {
	if version == 1 {
		return nil
	}
	n := version/7 + 2
	step := (version*8 + n*3 + 5) / (n*4 - 4) * 2
	all := make([]int, n)
	all[0] = 6
	for i, at := n-1, 10+4*version; i > 0; i, at = i-1, at-step {
		all[i] = at
	}
	return all
}

// format writes level M and the mask, twice.
func (s *symbol) format(mask int) {
	rest := mask // M is 00
	for range 10 {
		rest = rest<<1 ^ rest>>9*0x537
	}
	bits := (mask<<10 | rest) ^ 0x5412
	bit := func(i int) bool { return bits>>i&1 == 1 }
	for i := range 6 {
		s.fix(8, i, bit(i))
		s.fix(14-9-i, 8, bit(9+i))
	}
	s.fix(8, 7, bit(6))
	s.fix(8, 8, bit(7))
	s.fix(7, 8, bit(8))
	for i := range 8 {
		s.fix(s.side-1-i, 8, bit(i))
	}
	for i := 8; i < 15; i++ {
		s.fix(8, s.side-15+i, bit(i))
	}
	s.fix(8, s.side-8, true)
}

// way visits the squares of the data in the order in which they are filled: two
// columns at a time, from the right, up and down in turn.
func (s *symbol) way(visit func(at int)) {
	up := true
	for right := s.side - 1; right > 0; right -= 2 {
		if right == 6 {
			right = 5 // the column of the timing
		}
		for i := range s.side {
			y := i
			if up {
				y = s.side - 1 - i
			}
			for _, at := range [2]int{y*s.side + right, y*s.side + right - 1} {
				if !s.fixed[at] {
					visit(at)
				}
			}
		}
		up = !up
	}
}

// fill writes the codewords, the highest bit first.
func (s *symbol) fill(words []byte) {
	i := 0
	s.way(func(at int) {
		if i < 8*len(words) {
			s.dark[at] = words[i/8]>>(7-i%8)&1 == 1
			i++
		}
	})
}

// masked reports whether a mask turns a square over.
func masked(mask, x, y int) bool {
	switch mask {
	case 0:
		return (x+y)%2 == 0
	case 1:
		return y%2 == 0
	case 2:
		return x%3 == 0
	case 3:
		return (x+y)%3 == 0
	case 4:
		return (x/3+y/2)%2 == 0
	case 5:
		return x*y%2+x*y%3 == 0
	case 6:
		return (x*y%2+x*y%3)%2 == 0
	}
	return ((x+y)%2+x*y%3)%2 == 0
}
