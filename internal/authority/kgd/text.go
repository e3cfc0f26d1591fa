package kgd

import (
	"encoding/hex"
	"strconv"
	"time"
	"unicode/utf8"

	"openofd/internal/fiscal"
)

// writer appends a JSON object member by member, without reflection and without
// memory of its own: a receipt is worded as often as it is accepted.
type writer struct{ b []byte }

// key begins a member. Keys are ours and need no escaping.
func (w *writer) key(k string) {
	if c := w.b[len(w.b)-1]; c != '{' {
		w.b = append(w.b, ',')
	}
	w.b = append(w.b, '"')
	w.b = append(w.b, k...)
	w.b = append(w.b, '"', ':')
}

// next begins an element of an array.
func (w *writer) next() {
	if c := w.b[len(w.b)-1]; c != '[' {
		w.b = append(w.b, ',')
	}
}

func (w *writer) open(c byte)  { w.b = append(w.b, c) }
func (w *writer) close(c byte) { w.b = append(w.b, c) }

func (w *writer) text(k, v string) {
	w.key(k)
	w.b = appendText(w.b, v)
}

// some appends a text that is not empty.
func (w *writer) some(k, v string) {
	if v != "" {
		w.text(k, v)
	}
}

func (w *writer) number(k string, v int64) {
	w.key(k)
	w.b = strconv.AppendInt(w.b, v, 10)
}

func (w *writer) flag(k string, v bool) {
	if v {
		w.key(k)
		w.b = append(w.b, "true"...)
	}
}

func (w *writer) money(k string, v fiscal.Money) {
	w.key(k)
	w.b = append(w.b, '"')
	w.b = v.Append(w.b)
	w.b = append(w.b, '"')
}

// amount appends money that is not 0.
func (w *writer) amount(k string, v fiscal.Money) {
	if v != 0 {
		w.money(k, v)
	}
}

// wall appends a register's time.
func (w *writer) wall(k string, t fiscal.WallTime) {
	w.key(k)
	w.b = append(w.b, '"')
	w.b = t.UTC().AppendFormat(w.b, "2006-01-02T15:04:05")
	w.b = append(w.b, '"')
}

// instant appends a time of ours.
func (w *writer) instant(k string, t time.Time) {
	w.key(k)
	w.b = append(w.b, '"')
	w.b = t.UTC().AppendFormat(w.b, "2006-01-02T15:04:05.000000Z07:00")
	w.b = append(w.b, '"')
}

func (w *writer) hash(k string, h *[32]byte) {
	w.key(k)
	w.b = append(w.b, '"')
	w.b = hex.AppendEncode(w.b, h[:])
	w.b = append(w.b, '"')
}

// padded appends a number of at least width digits, as text.
func (w *writer) padded(k string, v uint64, width int) {
	w.key(k)
	w.b = append(w.b, '"')
	var digits [20]byte
	d := strconv.AppendUint(digits[:0], v, 10)
	for n := len(d); n < width; n++ {
		w.b = append(w.b, '0')
	}
	w.b = append(w.b, d...)
	w.b = append(w.b, '"')
}

// quantity appends millionths without the zeros behind them: "2.5".
func (w *writer) quantity(k string, q fiscal.Quantity) {
	w.key(k)
	w.b = append(w.b, '"')
	v := uint64(q)
	if q < 0 {
		w.b = append(w.b, '-')
		v = -v
	}
	const one = uint64(fiscal.OneUnit)
	w.b = strconv.AppendUint(w.b, v/one, 10)
	if rest := v % one; rest != 0 {
		w.b = append(w.b, '.')
		for unit := one / 10; rest != 0; unit /= 10 {
			w.b = append(w.b, byte('0'+rest/unit))
			rest %= unit
		}
	}
	w.b = append(w.b, '"')
}

// appendText appends a JSON string. What is not UTF-8 becomes U+FFFD.
func appendText(b []byte, s string) []byte {
	const digits = "0123456789abcdef"
	b = append(b, '"')
	for i := 0; i < len(s); {
		c := s[i]
		switch {
		case c == '"' || c == '\\':
			b = append(b, '\\', c)
		case c < ' ':
			b = append(b, '\\', 'u', '0', '0', digits[c>>4], digits[c&15])
		case c < utf8.RuneSelf:
			b = append(b, c)
		default:
			r, n := utf8.DecodeRuneInString(s[i:])
			b = utf8.AppendRune(b, r) // RuneError for what is none
			i += n
			continue
		}
		i++
	}
	return append(b, '"')
}
