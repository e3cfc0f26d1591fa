package pdf

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/go-pdf/fpdf"
	"rsc.io/qr"
)

// measures of a paper, in millimeters and points.
type measures struct {
	width, height float64 // height 0: as long as it takes
	margin        float64 // at the sides
	edge          float64 // above and below
	size          float64 // of normal letters, points
	code          float64 // side of a QR code
}

// column is how wide a receipt is on a sheet: as wide as it is easy to read a
// row from its label to its value.
const column = 105

func (p Paper) measures(wide bool) measures {
	if p == A4 {
		m := measures{width: 210, height: 297, margin: (210 - column) / 2., edge: 14, size: 9, code: 34}
		if wide {
			m.margin = 24
		}
		return m
	}
	if p == Narrow {
		return measures{width: 58, margin: 3, edge: 4, size: 7, code: 32}
	}
	return measures{width: 80, margin: 4, edge: 5, size: 8, code: 34}
}

// longest is how long a roll may be, in millimeters: readers of such files take
// no pages above 5080. What is longer goes on on another.
const longest = 4800

// Most bounds what one document may have of lines.
const Most = 12_000

// setter lays lines out.
type setter struct {
	*fpdf.Fpdf
	measures
	pieces []piece
}

// piece is what cannot be broken over pages.
type piece struct {
	height float64
	draw   func(y float64) // y is its top
}

const (
	leading = 1.32                // of a line, times its letters
	point   = 25.4 / 72           // millimeters
	ascent  = 1.02                // of Noto Sans: from the top of a line to where letters stand
	inner   = 3.                  // mm
	gapSize = 2.2                 // mm
	gutter  = 2.5                 // mm between a label and its value
	mute    = 95                  // gray of what is said beside
	maker   = "OpenOFD"           // in the file
	tooLong = "document too long" // of an error
)

// Bytes sets the document on paper.
func (s *Sheet) Bytes(p Paper) ([]byte, error) {
	if len(s.lines) > Most {
		return nil, fmt.Errorf("%s: %d lines", tooLong, len(s.lines))
	}
	set := s.setter(p)
	for i := range s.lines {
		if err := set.line(&s.lines[i]); err != nil {
			return nil, err
		}
	}
	set.paginate()
	var b bytes.Buffer
	if err := set.Output(&b); err != nil {
		return nil, fmt.Errorf("write the document: %w", err)
	}
	return b.Bytes(), nil
}

// setter is an empty document.
func (s *Sheet) setter(p Paper) *setter {
	m := p.measures(s.Wide)
	f := fpdf.NewCustom(&fpdf.InitType{UnitStr: "mm", Size: fpdf.SizeType{Wd: m.width, Ht: max(m.height, m.width)}})
	f.SetCatalogSort(true)
	f.SetCreationDate(s.At.UTC())
	f.SetModificationDate(s.At.UTC())
	f.SetProducer(maker, true)
	f.SetTitle(clean(s.Title), true)
	f.SetLang(s.Lang)
	f.SetAutoPageBreak(false, 0)
	f.SetMargins(0, 0, 0)
	addFonts(f)
	return &setter{Fpdf: f, measures: m}
}

// paginate deals the pieces out.
func (s *setter) paginate() {
	most := s.height
	if most == 0 {
		most = longest
	}
	for from := 0; from < len(s.pieces) || from == 0; {
		used, to := 2*s.edge, from
		for to < len(s.pieces) && (to == from || used+s.pieces[to].height <= most) {
			used += s.pieces[to].height
			to++
		}
		height := s.height
		if height == 0 {
			height = used
		}
		s.AddPageFormat("P", fpdf.SizeType{Wd: s.width, Ht: height})
		y := s.edge
		for _, p := range s.pieces[from:to] {
			if p.draw != nil {
				p.draw(y)
			}
			y += p.height
		}
		if s.height > 0 && (from > 0 || to < len(s.pieces)) {
			s.number(s.PageNo())
		}
		if from = to; to == 0 {
			return // nothing was written
		}
	}
}

// number writes the number of a page at its foot.
func (s *setter) number(n int) {
	s.face(Style{Size: Small, Muted: true})
	text := fmt.Sprint(n)
	s.Text((s.width-s.GetStringWidth(text))/2, s.height-s.edge/2, text)
}

// face takes the letters of a style, and gives their size in millimeters.
func (s *setter) face(st Style) float64 {
	size := s.size
	switch st.Size {
	case Small:
		size *= 0.86
	case Large:
		size *= 1.35
	}
	weight := plain
	if st.Strong {
		weight = strong
	}
	s.SetFont(family, weight, size)
	gray := 0
	if st.Muted {
		gray = mute
	}
	s.SetTextColor(gray, gray, gray)
	return size * point
}

// room is how wide a line of a style may be, and where it begins.
func (s *setter) room(st Style) (x, width float64) {
	x, width = s.margin, s.width-2*s.margin
	if st.Inner {
		x, width = x+inner, width-inner
	}
	return x, width
}

func (s *setter) line(l *line) error {
	switch l.form {
	case formText:
		s.text(l.left, l.style)
	case formRow:
		s.row(l)
	case formGap:
		s.pieces = append(s.pieces, piece{height: gapSize})
	case formRule:
		s.pieces = append(s.pieces, piece{gapSize, func(y float64) {
			s.SetDrawColor(150, 150, 150)
			s.SetLineWidth(0.15)
			s.Line(s.margin, y+gapSize/2, s.width-s.margin, y+gapSize/2)
		}})
	case formCode:
		return s.qr(l.left)
	}
	return nil
}

func (s *setter) text(text string, st Style) {
	size := s.face(st)
	x, width := s.room(st)
	for _, part := range s.broken(text, width) {
		at := x
		if st.Center {
			at = x + (width-s.GetStringWidth(part))/2
		}
		s.pieces = append(s.pieces, piece{size * leading, func(y float64) {
			s.face(st)
			s.Text(at, y+size*ascent, part)
		}})
	}
}

// row sets a label with its value beside it, or below where both are too long.
func (s *setter) row(l *line) {
	size := s.face(l.style)
	x, width := s.room(l.style)
	var labels, values []string
	below := 0 // how many lines of the label stand above the value
	switch right := s.GetStringWidth(l.right); {
	case l.right == "" || right <= width/2 || s.GetStringWidth(l.left)+gutter+right <= width:
		labels, values = s.broken(l.left, width-right-gutter), []string{l.right}
		below = len(labels) - 1 // the value ends what the label says
	case s.GetStringWidth(l.left) <= width*0.42:
		labels, values = []string{l.left}, s.broken(l.right, width-s.GetStringWidth(l.left)-gutter)
	default:
		labels, values = s.broken(l.left, width), s.broken(l.right, width)
		below = len(labels)
	}
	for i := range max(len(labels), below+len(values)) {
		label, value := "", ""
		if i < len(labels) {
			label = labels[i]
		}
		if v := i - below; v >= 0 && v < len(values) {
			value = values[v]
		}
		at := x + width - s.GetStringWidth(value)
		s.pieces = append(s.pieces, piece{size * leading, func(y float64) {
			s.face(l.style)
			if label != "" {
				s.Text(x, y+size*ascent, label)
			}
			if value != "" {
				s.Text(at, y+size*ascent, value)
			}
		}})
	}
}

// broken is a text in lines that are no wider than that. Only plain spaces part
// words; a word that is too wide is cut.
func (s *setter) broken(text string, width float64) (lines []string) {
	if s.GetStringWidth(text) <= width {
		return []string{text}
	}
	space, used := s.GetStringWidth(" "), 0.
	var at strings.Builder
	end := func() {
		lines, used = append(lines, at.String()), 0
		at.Reset()
	}
	for word := range strings.SplitSeq(text, " ") {
		wide := s.GetStringWidth(word)
		if used > 0 && used+space+wide > width {
			end()
		}
		for wide > width {
			n := s.fitting(word, width)
			lines = append(lines, word[:n])
			word = word[n:]
			wide = s.GetStringWidth(word)
		}
		if used > 0 {
			at.WriteByte(' ')
			used += space
		}
		at.WriteString(word)
		used += wide
	}
	if at.Len() > 0 {
		end()
	}
	return lines
}

// fitting is how many bytes of a word fit, one letter at least.
func (s *setter) fitting(word string, width float64) int {
	used := 0.
	for i, r := range word {
		if used += s.GetStringWidth(string(r)); used > width && i > 0 {
			return i
		}
	}
	return len(word)
}

// qr sets a code with the quiet margin that readers need.
func (s *setter) qr(text string) error {
	code, err := qr.Encode(text, qr.M)
	if err != nil {
		return fmt.Errorf("draw the QR code: %w", err)
	}
	const quiet = 4
	module := s.code / float64(code.Size+2*quiet)
	x := (s.width - s.code) / 2
	s.pieces = append(s.pieces, piece{s.code, func(y float64) {
		s.SetFillColor(0, 0, 0)
		for j := range code.Size {
			for i := 0; i < code.Size; i++ {
				from := i
				for code.Black(i, j) { // nothing is black outside
					i++
				}
				if i > from {
					s.Rect(x+float64(from+quiet)*module, y+float64(j+quiet)*module, float64(i-from)*module, module*1.01, "F")
				}
			}
		}
	}})
	return nil
}
