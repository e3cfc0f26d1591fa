package pdf

import (
	_ "embed"
	"strings"

	"github.com/go-pdf/fpdf"
)

// The faces. Each document takes a copy: who sets it writes into its font.
var (
	//go:embed font/noto-sans-400.ttf
	regular string
	//go:embed font/noto-sans-700.ttf
	bold string
)

const (
	family = "noto"
	plain  = ""  // style
	strong = "B" // style
)

// addFonts gives a document both faces.
func addFonts(f *fpdf.Fpdf) {
	f.AddUTF8FontFromBytes(family, plain, []byte(regular))
	f.AddUTF8FontFromBytes(family, strong, []byte(bold))
}

// faces are the ranges of what the fonts hold, in order. A test asks the files.
var faces = [...][2]rune{
	{0x20, 0x7e}, {0xa0, 0x17f}, {0x400, 0x4ff}, {0x2010, 0x2015}, {0x2018, 0x201e}, {0x2020, 0x2022}, {0x2026, 0x2026}, {0x202f, 0x2030},
	{0x2032, 0x2033}, {0x2039, 0x203a}, {0x20ac, 0x20ac}, {0x20b8, 0x20b8}, {0x20bd, 0x20bd}, {0x2116, 0x2116}, {0x2122, 0x2122}, {0x2212, 0x2212}, {0xfffd, 0xfffd},
}

// has reports whether the fonts have a letter.
func has(r rune) bool {
	for _, f := range faces {
		if r <= f[1] {
			return r >= f[0]
		}
	}
	return false
}

// clean is a text of letters that there are. Lines that a device broke are
// joined, marks of direction and joints of emoji left out.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case has(r):
			return r
		case r == '\n', r == '\r', r == '\t', r == 0x2002, r == 0x2003, r == 0x2009:
			return ' '
		case r < 0x20, r >= 0x200b && r <= 0x200f, r >= 0x202a && r <= 0x202e, r == 0x2060, r == 0xfeff, r >= 0xfe00 && r <= 0xfe0f:
			return -1
		}
		return 0xfffd
	}, s)
}
