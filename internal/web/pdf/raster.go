package pdf

import (
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"strings"

	"golang.org/x/image/font"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/math/fixed"
	"rsc.io/qr"
)

// Dots are how wide receipt printers print on rolls of 80 and 58 mm, at 8 dots
// to a millimeter.
const (
	Dots80 = 576
	Dots58 = 384
)

// Measures of a raster, in dots.
const (
	letters     = 22 // height of normal letters
	rasterMost  = 60_000
	rasterInner = 20
	rasterGap   = 14
)

// raster is a picture that grows downwards.
type raster struct {
	width int
	faces map[Style]font.Face // by size and weight
	drawn []strip
}

// strip is what stands on one line of a raster.
type strip struct {
	height int
	draw   func(img draw.Image, y int)
}

// Raster draws the document in black and white, as wide as that many dots, for
// printers that take pictures: whatever letters a printer has of its own, these
// are right.
func (s *Sheet) Raster(width int) (*image.Gray, error) {
	if len(s.lines) > Most {
		return nil, fmt.Errorf("%s: %d lines", tooLong, len(s.lines))
	}
	r := &raster{width: width, faces: map[Style]font.Face{}}
	for i := range s.lines {
		if err := r.line(&s.lines[i]); err != nil {
			return nil, err
		}
	}
	height := 0
	for _, st := range r.drawn {
		height += st.height
	}
	if height > rasterMost {
		return nil, fmt.Errorf("%s: %d dots", tooLong, height)
	}
	img := image.NewGray(image.Rect(0, 0, width, max(height, 1)))
	draw.Draw(img, img.Bounds(), image.White, image.Point{}, draw.Src)
	y := 0
	for _, st := range r.drawn {
		if st.draw != nil {
			st.draw(img, y)
		}
		y += st.height
	}
	return img, nil
}

func (r *raster) line(l *line) error {
	switch l.form {
	case formText:
		return r.text(l)
	case formRow:
		return r.row(l)
	case formGap:
		r.drawn = append(r.drawn, strip{height: rasterGap})
	case formRule:
		r.drawn = append(r.drawn, strip{rasterGap, func(img draw.Image, y int) {
			draw.Draw(img, image.Rect(0, y+rasterGap/2, r.width, y+rasterGap/2+2), image.Black, image.Point{}, draw.Src)
		}})
	case formCode:
		return r.code(l.left)
	}
	return nil
}

// face is the letters of a style. There is no gray here.
func (r *raster) face(st Style) (font.Face, error) {
	key := Style{Size: st.Size, Strong: st.Strong}
	if f, ok := r.faces[key]; ok {
		return f, nil
	}
	size, source := float64(letters), regular
	switch st.Size {
	case Small:
		size *= 0.9
	case Large:
		size *= 1.35
	}
	if st.Strong {
		source = bold
	}
	parsed, err := opentype.Parse([]byte(source))
	if err != nil {
		return nil, fmt.Errorf("read our font: %w", err)
	}
	f, err := opentype.NewFace(parsed, &opentype.FaceOptions{Size: size, DPI: 72, Hinting: font.HintingFull})
	if err != nil {
		return nil, fmt.Errorf("open our font: %w", err)
	}
	r.faces[key] = f
	return f, nil
}

// put draws a text at a place of a line.
func put(img draw.Image, f font.Face, text string, x, y int) {
	d := font.Drawer{Dst: img, Src: image.NewUniform(color.Black), Face: f, Dot: fixed.P(x, y+f.Metrics().Ascent.Ceil())}
	d.DrawString(text)
}

func wide(f font.Face, text string) int { return font.MeasureString(f, text).Ceil() }

func (r *raster) room(st Style) (x, width int) {
	if st.Inner {
		return rasterInner, r.width - rasterInner
	}
	return 0, r.width
}

func (r *raster) text(l *line) error {
	f, err := r.face(l.style)
	if err != nil {
		return err
	}
	x, width := r.room(l.style)
	for _, part := range fold(f, l.left, width) {
		at := x
		if l.style.Center {
			at = x + (width-wide(f, part))/2
		}
		r.drawn = append(r.drawn, strip{f.Metrics().Height.Ceil(), func(img draw.Image, y int) { put(img, f, part, at, y) }})
	}
	return nil
}

// row sets a label with its value at the right, below it where both are too long.
func (r *raster) row(l *line) error {
	f, err := r.face(l.style)
	if err != nil {
		return err
	}
	x, width := r.room(l.style)
	right := wide(f, l.right)
	labels, values := fold(f, l.left, max(width-right-rasterInner, width/3)), []string{l.right}
	if right > width*2/5 { // a long label beside it would be a column of words
		labels, values = fold(f, l.left, width), fold(f, l.right, width)
	}
	last := len(labels) - 1
	if last < 0 || wide(f, labels[last])+rasterInner+wide(f, values[0]) > width {
		last = len(labels)
	}
	for i := range max(len(labels), last+len(values)) {
		label, value := "", ""
		if i < len(labels) {
			label = labels[i]
		}
		if v := i - last; v >= 0 && v < len(values) {
			value = values[v]
		}
		r.drawn = append(r.drawn, strip{f.Metrics().Height.Ceil(), func(img draw.Image, y int) {
			put(img, f, label, x, y)
			put(img, f, value, r.width-wide(f, value), y)
		}})
	}
	return nil
}

// fold is a text in lines that are no wider; a word that is too wide is cut.
func fold(f font.Face, text string, width int) (lines []string) {
	at := ""
	for _, word := range strings.Split(text, " ") {
		next := word
		if at != "" {
			next = at + " " + word
		}
		if wide(f, next) <= width {
			at = next
			continue
		}
		if at != "" {
			lines = append(lines, at)
		}
		for wide(f, word) > width {
			n := 0
			for i := range word {
				if i > 0 && wide(f, word[:i]) > width {
					break
				}
				n = i
			}
			if n == 0 {
				break // not even one letter
			}
			lines, word = append(lines, word[:n]), word[n:]
		}
		at = word
	}
	if at != "" {
		lines = append(lines, at)
	}
	return lines
}

// code draws a QR code with whole dots for each module.
func (r *raster) code(text string) error {
	code, err := qr.Encode(text, qr.M)
	if err != nil {
		return fmt.Errorf("draw the QR code: %w", err)
	}
	const quiet = 4
	module := max(1, min(7, r.width*2/3/(code.Size+2*quiet)))
	side := (code.Size + 2*quiet) * module
	r.drawn = append(r.drawn, strip{side, func(img draw.Image, y int) {
		left := (r.width-side)/2 + quiet*module
		for j := range code.Size {
			for i := range code.Size {
				if code.Black(i, j) {
					x, y := left+i*module, y+(j+quiet)*module
					draw.Draw(img, image.Rect(x, y, x+module, y+module), image.Black, image.Point{}, draw.Src)
				}
			}
		}
	}})
	return nil
}
