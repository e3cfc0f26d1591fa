package ffd

import (
	"encoding/binary"
	"fmt"
	"math"

	"openofd/internal/fiscal"
)

// Writer writes a document requisite by requisite. It judges nothing but
// whether a value can be written: a simulator has to be able to write wrong
// documents. The first error stays, and Bytes tells it. The zero Writer is not
// usable; make one with NewWriter.
type Writer struct {
	b    []byte
	open []int // offsets of the heads not closed yet
	err  *fiscal.Error
}

// NewWriter begins a document of a form.
func NewWriter(f Form) *Writer {
	w := new(Writer)
	w.Begin(Tag(f))
	return w
}

// Begin opens an STLV; End closes it.
func (w *Writer) Begin(t Tag) {
	w.open = append(w.open, len(w.b))
	w.head(t, 0)
}

// End closes what was begun last.
func (w *Writer) End() {
	if len(w.open) == 0 {
		w.fail(0, "nothing is open")
		return
	}
	at := w.open[len(w.open)-1]
	w.open = w.open[:len(w.open)-1]
	size := len(w.b) - at - headLen
	if size > math.MaxUint16 {
		w.fail(Tag(binary.LittleEndian.Uint16(w.b[at:])), "longer than its length can say")
		size = math.MaxUint16
	}
	binary.LittleEndian.PutUint16(w.b[at+2:], uint16(size))
}

// Bytes closes what is open and returns the document.
func (w *Writer) Bytes() ([]byte, error) {
	for len(w.open) > 0 {
		w.End()
	}
	if w.err != nil {
		return w.b, w.err
	}
	return w.b, nil
}

func (w *Writer) head(t Tag, size int) {
	w.b = binary.LittleEndian.AppendUint16(w.b, uint16(t))
	w.b = binary.LittleEndian.AppendUint16(w.b, uint16(size))
}

func (w *Writer) fail(t Tag, why string) {
	if w.err == nil {
		w.err = &fiscal.Error{Reason: fiscal.BadValue, Field: fmt.Sprint(t), Msg: why}
	}
}

// Raw writes a value as it is.
func (w *Writer) Raw(t Tag, value []byte) {
	if len(value) > math.MaxUint16 {
		w.fail(t, "longer than its length can say")
		return
	}
	w.head(t, len(value))
	w.b = append(w.b, value...)
}

// Uint writes a number in the type that the table gives the tag: one, two or
// four bytes, or as few as it needs but one. A tag that nobody knows takes as
// few.
func (w *Writer) Uint(t Tag, n uint64) { w.uint(t, numeric(t), n) }

func (w *Writer) uint(t Tag, def *Definition, n uint64) {
	var buf [8]byte
	b := binary.LittleEndian.AppendUint64(buf[:0], n)
	size := 1
	for size < 8 && n>>(8*size) != 0 {
		size++
	}
	room := 8
	if def != nil {
		switch def.Type {
		case Byte, Mask8:
			room = 1
		case U16:
			room = 2
		case U32, Time, Mask32:
			room = 4
		default:
			room = min(def.Size, 8)
		}
		if def.Type != VLN && def.Type != Money {
			size = max(size, room)
		}
	}
	if size > room {
		w.fail(t, fmt.Sprintf("%d does not fit in %d bytes", n, room))
		return
	}
	w.Raw(t, b[:size])
}

// numeric is the first meaning of a tag that is a number.
func numeric(t Tag) *Definition {
	for _, def := range dict.known(t) {
		switch def.Type {
		case Byte, U16, U32, VLN, Money, Time, Mask8, Mask32:
			return def
		}
	}
	return nil
}

// Time writes the reading of a register's clock.
func (w *Writer) Time(t Tag, at fiscal.WallTime) {
	if at < 0 || at > math.MaxUint32 {
		w.fail(t, at.String()+" does not fit")
		return
	}
	w.Uint(t, uint64(at))
}

// Decimal writes a number with digits behind the point.
func (w *Writer) Decimal(t Tag, d Decimal) {
	b := binary.LittleEndian.AppendUint64([]byte{d.Places}, d.Digits)
	size := 2
	for size < 9 && d.Digits>>(8*(size-1)) != 0 {
		size++
	}
	room := 8
	if all := dict.known(t); len(all) > 0 && all[0].Type == FVLN {
		room = all[0].Size
	}
	if size > room || d.Places > maxPlaces {
		w.fail(t, d.String()+" does not fit")
		return
	}
	w.Raw(t, b[:size])
}

// Text writes a text in the wire's code page; one of fixed length is padded
// with spaces.
func (w *Writer) Text(t Tag, s string) {
	b, ok := EncodeText(nil, s)
	if !ok {
		w.fail(t, fmt.Sprintf("%q holds a character that code page 866 lacks", s))
		return
	}
	for _, def := range dict.known(t) {
		if def.Type != Text {
			continue
		}
		if def.Size > 0 && len(b) > def.Size {
			w.fail(t, fmt.Sprintf("%d characters, %d fit", len(b), def.Size))
			return
		}
		for def.Fixed && len(b) < def.Size {
			b = append(b, ' ')
		}
		break
	}
	w.Raw(t, b)
}
