package pdf

import (
	"strings"
	"time"
)

// Paper is what a document is set on.
type Paper uint8

// The papers.
const (
	Roll   Paper = iota // 80 mm wide, as long as it takes
	A4                  // 210 × 297 mm
	Narrow              // 58 mm wide, as long as it takes
)

// ParsePaper reads what an address says: "a4", or the roll.
func ParsePaper(s string) Paper {
	if strings.EqualFold(s, "a4") {
		return A4
	}
	return Roll
}

// Style is how a line looks. The zero value is plain text.
type Style struct {
	Size   Size
	Strong bool
	Center bool
	Muted  bool
	Inner  bool // set in from the left: it belongs to the line above
}

// Size is that of letters.
type Size uint8

// The sizes.
const (
	Normal Size = iota
	Small
	Large
)

// Sheet is a document that is being written. It is not safe for concurrent use.
type Sheet struct {
	Title string
	Lang  string
	At    time.Time // when the document was made; its file says so
	Wide  bool      // prose: on A4 it takes the whole width
	lines []line
}

// form is what kind of thing a line is.
type form uint8

const (
	formText form = iota
	formRow
	formRule
	formGap
	formCode
)

// line is one thing that was written, as wide as it came.
type line struct {
	form        form
	left, right string
	style       Style
}

// Text writes a text, which is broken where it is too long. An empty one is
// nothing.
func (s *Sheet) Text(text string, style Style) {
	if text = clean(text); strings.TrimSpace(text) != "" {
		s.lines = append(s.lines, line{form: formText, left: text, style: style})
	}
}

// Row writes a label and, at the right, its value.
func (s *Sheet) Row(label, value string, style Style) {
	s.lines = append(s.lines, line{form: formRow, left: clean(label), right: clean(value), style: style})
}

// Rule draws a line across. Rules do not double.
func (s *Sheet) Rule() {
	if n := len(s.lines); n > 0 && s.lines[n-1].form != formRule {
		s.lines = append(s.lines, line{form: formRule})
	}
}

// Gap leaves some room.
func (s *Sheet) Gap() { s.lines = append(s.lines, line{form: formGap}) }

// QR draws the code of a text.
func (s *Sheet) QR(text string) { s.lines = append(s.lines, line{form: formCode, left: text}) }

// String is what is written, a line each: what a test or a program reads.
func (s *Sheet) String() string {
	var b strings.Builder
	for _, l := range s.lines {
		if l.style.Inner {
			b.WriteString("  ")
		}
		switch l.form {
		case formText:
			b.WriteString(l.left)
		case formRow:
			b.WriteString(l.left + " | " + l.right)
		case formRule:
			b.WriteString("---")
		case formCode:
			b.WriteString("[QR] " + l.left)
		}
		b.WriteByte('\n')
	}
	return b.String()
}
