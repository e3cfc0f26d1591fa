package ui

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/skip2/go-qrcode"
	"pgregory.net/rapid"
)

// sameAs compares with what another program draws; masks may differ, where two
// are about as good.
func sameAs(t *testing.T, text string) {
	t.Helper()
	s, err := encode(text)
	if err != nil {
		t.Fatal(err)
	}
	code, err := qrcode.New(text, qrcode.Medium)
	if err != nil {
		t.Fatal(err)
	}
	code.DisableBorder = true
	want := code.Bitmap()
	if s.side != len(want) {
		t.Fatalf("%.40q: side %d, want %d", text, s.side, len(want))
	}
	theirs := &symbol{side: s.side, fixed: s.fixed}
	for _, row := range want {
		theirs.dark = append(theirs.dark, row...)
	}
	ours, other := unmask(s), unmask(theirs)
	for at := range ours {
		if ours[at] != other[at] {
			t.Fatalf("%.40q, side %d: square %d, %d is %t under its mask", text, s.side, at%s.side, at/s.side, ours[at])
		}
	}
}

// maskOf reads the mask off the format.
func maskOf(s *symbol) int {
	format := 0
	for i, x := range [...]int{0, 1, 2, 3, 4, 5} {
		if s.dark[x*s.side+8] { // column 8, rows 0 to 5
			format |= 1 << i
		}
	}
	for i := 9; i < 15; i++ {
		if s.dark[8*s.side+14-i] {
			format |= 1 << i
		}
	}
	for i, at := range [...][2]int{{8, 7}, {8, 8}, {7, 8}} {
		if s.dark[at[1]*s.side+at[0]] {
			format |= 1 << (6 + i)
		}
	}
	return (format ^ 0x5412) >> 10 & 7
}

// unmask is the symbol without its mask and without the format.
func unmask(s *symbol) []bool {
	mask := maskOf(s)
	plain := append([]bool{}, s.dark...)
	for at := range plain {
		x, y := at%s.side, at/s.side
		if !s.fixed[at] && masked(mask, x, y) {
			plain[at] = !plain[at]
		}
		if y == 8 && (x <= 8 || x >= s.side-8) || x == 8 && (y <= 8 || y >= s.side-8) {
			plain[at] = false
		}
	}
	return plain
}

// Every version is what another program makes of the same text.
//
// Req: O-117
func TestQRVersions(t *testing.T) {
	for _, n := range []int{1, 14, 15, 26, 27, 42, 62, 84, 90, 106, 122, 152, 180, 200, 213, 251, 287, 331, 362, 412, 450, 504, 560, 624, 666, 711, 779, 857, 911, 997, 1059, 1125, 1190, 1264, 1370, 1452, 1538, 1628, 1722, 1809, 1911, 1989, 2099, 2213, 2331} {
		sameAs(t, strings.Repeat("https://ofd.example/чек ", 100)[:n])
	}
}

// What is read off a symbol is the text that was put into it: digits apart,
// letters as they are.
func TestQRRead(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := strings.Join(rapid.SliceOfN(rapid.OneOf(rapid.StringMatching(`[0-9]{1,40}`), rapid.StringMatching(`[a-zA-Zа-я:/?=&.]{1,30}`)), 1, 20).Draw(t, "text"), "")
		s, err := encode(text)
		if err != nil {
			t.Fatal(err)
		}
		got, err := readSymbol(s)
		if err != nil || got != text {
			t.Fatalf("read %q, %v, want %q", got, err, text)
		}
	})
}

// readSymbol reads a symbol without errors.
func readSymbol(s *symbol) (string, error) {
	plain := &symbol{side: s.side, fixed: s.fixed, dark: unmask(s)}
	version := (s.side - 17) / 4
	words := make([]byte, codewords(version))
	i := 0
	plain.way(func(at int) {
		if plain.dark[at] && i < 8*len(words) {
			words[i/8] |= 1 << (7 - i%8)
		}
		i++
	})
	n, more := blocks[version], correcting[version]
	long := len(words) % n
	var data []byte
	for b := range n {
		size := len(words)/n - more
		if b >= n-long {
			size++
		}
		var block []byte
		for i := range size {
			at := i*n + b
			if i == len(words)/n-more {
				at = i*n + b - (n - long)
			}
			block = append(block, words[at])
		}
		data = append(data, block...)
		for i := range more {
			block = append(block, words[len(words)-more*n+i*n+b])
		}
		for root := range more { // a block without errors is 0 at each root of the divisor
			sum := byte(0)
			for _, w := range block {
				if sum != 0 {
					sum = gf.power[gf.log[sum]+root]
				}
				sum ^= w
			}
			if sum != 0 {
				return "", fmt.Errorf("block %d is not correct", b)
			}
		}
	}
	at := 0
	take := func(n int) (v int) {
		for range n {
			if at < 8*len(data) {
				v = v<<1 | int(data[at/8]>>(7-at%8)&1)
			}
			at++
		}
		return v
	}
	size := 0
	if version >= 10 {
		size = 1
	}
	if version >= 27 {
		size = 2
	}
	var text strings.Builder
	for at+4 <= 8*len(data) {
		switch mode := take(4); mode {
		case 0:
			return text.String(), nil
		case 1:
			for left := take([...]int{10, 12, 14}[size]); left > 0; left -= 3 {
				n := min(3, left)
				fmt.Fprintf(&text, "%0*d", n, take(1+3*n))
			}
		case 4:
			for range take([...]int{8, 16, 16}[size]) {
				text.WriteByte(byte(take(8)))
			}
		default:
			return "", fmt.Errorf("mode %d", mode)
		}
	}
	return text.String(), nil
}

// The mask is the best by the rules, counted square by square.
func TestQRMask(t *testing.T) {
	for _, text := range []string{"", "https://ofd.example/?i=362397639340&f=010101907421&s=23456.10&t=20260314T091241", strings.Repeat("чек ", 60), strings.Repeat("0123456789abc", 100)} {
		s, err := encode(text)
		if err != nil {
			t.Fatal(err)
		}
		got, least := slowPenalty(s), -1
		plain := slices.Clone(s.dark)
		at := maskOf(s)
		for mask := range 8 {
			for i := range s.dark {
				x, y := i%s.side, i/s.side
				s.dark[i] = plain[i] != (!s.fixed[i] && masked(at, x, y) != masked(mask, x, y))
			}
			s.format(mask)
			if p := slowPenalty(s); least < 0 || p < least {
				least = p
			}
		}
		if got != least {
			t.Errorf("%.30q, side %d: mask %d has a penalty of %d, the least is %d", text, s.side, at, got, least)
		}
	}
}

func slowPenalty(s *symbol) (p int) {
	n := s.side
	dark := 0
	for i := range n {
		p += slowLine(s.dark[i*n:(i+1)*n], 1, n) + slowLine(s.dark[i:], n, n)
		for j := range n {
			d := s.dark[i*n+j]
			if d {
				dark++
			}
			if i > 0 && j > 0 && s.dark[i*n+j-1] == d && s.dark[(i-1)*n+j] == d && s.dark[(i-1)*n+j-1] == d {
				p += 3
			}
		}
	}
	return p + abs(20*dark-10*n*n)/(n*n)*10
}

// slowLine is that of a row or a column: every step-th of squares.
func slowLine(squares []bool, step, n int) (p int) {
	const finder = 0b1011101
	run, window, before := 0, 0, false
	for i := range n {
		d := squares[i*step]
		window = window << 1 & 0x7ff
		if d {
			window |= 1
		}
		if i > 0 && d == before {
			run++
			if run == 5 {
				p += 3
			} else if run > 5 {
				p++
			}
		} else {
			run, before = 1, d
		}
		if i >= 10 && (window == finder || window == finder<<4) {
			p += 40
		}
	}
	return p
}

func BenchmarkQR(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := NewQR("https://ofd.example/?i=362397639340&f=010101907421&s=23456.10&t=20260314T091241"); err != nil {
			b.Fatal(err)
		}
	}
}
