package sandbox

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"unicode/utf8"
)

// scanner walks a JSON text without reflection. The first error stops it: from
// then on every call gives nothing. What it returns of strings is a part of the
// text unless there were escapes in it.
//
//	s := scanner{text: line}
//	for s.begin('{'); s.member(); {
//		switch string(s.key) {
//		case "id":
//			id = s.str()
//		default:
//			s.skip()
//		}
//	}
type scanner struct {
	text  []byte
	at    int
	key   []byte // of the present member
	first bool   // nothing of the present object or list was read yet
	err   error
}

// maxNesting bounds how deep values lie that nobody asks for.
const maxNesting = 32

var errNoUTF8 = errors.New("it is not UTF-8")

func (s *scanner) fail(what string) {
	if s.err == nil {
		s.err = fmt.Errorf("no JSON at byte %d: %s", s.at, what)
	}
}

// peek is the next byte that is not space, 0 at the end.
func (s *scanner) peek() byte {
	for s.at < len(s.text) {
		switch c := s.text[s.at]; c {
		case ' ', '\t', '\r', '\n':
			s.at++
		default:
			return c
		}
	}
	return 0
}

// begin enters an object or a list.
func (s *scanner) begin(bracket byte) {
	if s.err != nil {
		return
	}
	if s.peek() != bracket {
		s.fail("want " + string(rune(bracket)))
		return
	}
	s.at++
	s.first = true
}

// next goes over the comma to the next member or element; false at the end.
func (s *scanner) next(end byte) bool {
	if s.err != nil {
		return false
	}
	c := s.peek()
	if c == end {
		s.at++
		s.first = false
		return false
	}
	if !s.first {
		if c != ',' {
			s.fail("want a comma")
			return false
		}
		s.at++
		if s.peek() == end {
			s.fail("nothing behind a comma")
			return false
		}
	}
	s.first = false
	return true
}

// member goes to the next member of an object and reads its key.
func (s *scanner) member() bool {
	if !s.next('}') {
		return false
	}
	s.key = s.str()
	if s.peek() != ':' {
		s.fail("want a colon")
		return false
	}
	s.at++
	return s.err == nil
}

// element goes to the next element of a list.
func (s *scanner) element() bool { return s.next(']') }

// str reads a string.
func (s *scanner) str() []byte {
	if s.err != nil {
		return nil
	}
	if s.peek() != '"' {
		s.fail("want a string")
		return nil
	}
	s.at++
	rest := s.text[s.at:]
	end := bytes.IndexByte(rest, '"')
	if end < 0 {
		s.fail("a string without an end")
		return nil
	}
	plain := rest[:end]
	for _, c := range plain {
		if c < ' ' || c == '\\' {
			return s.escaped()
		}
	}
	s.at += end + 1
	return plain
}

// escaped reads a string in which something is escaped.
func (s *scanner) escaped() []byte {
	var out []byte
	for s.at < len(s.text) {
		c := s.text[s.at]
		switch {
		case c == '"':
			s.at++
			return out
		case c < ' ':
			s.fail("a control character in a string")
			return nil
		case c != '\\':
			out = append(out, c)
			s.at++
			continue
		}
		s.at++
		if s.at >= len(s.text) {
			break
		}
		c = s.text[s.at]
		s.at++
		switch i := bytes.IndexByte([]byte(`"\/bfnrt`), c); {
		case i >= 0:
			out = append(out, "\"\\/\b\f\n\r\t"[i])
		case c == 'u':
			out = utf8.AppendRune(out, s.rune())
		default:
			s.fail("an escape that there is not")
			return nil
		}
	}
	s.fail("a string without an end")
	return nil
}

// rune reads what stands behind \u; halves of a pair that stand alone are the
// replacement character.
func (s *scanner) rune() rune {
	high := s.hex()
	if high < 0xD800 || high > 0xDFFF {
		return high
	}
	if high < 0xDC00 && bytes.HasPrefix(s.text[s.at:], []byte(`\u`)) {
		back := s.at
		s.at += 2
		if low := s.hex(); low >= 0xDC00 && low <= 0xDFFF {
			return (high-0xD800)<<10 + (low - 0xDC00) + 0x10000
		}
		s.at = back
	}
	return utf8.RuneError
}

func (s *scanner) hex() (r rune) {
	if s.at+4 > len(s.text) {
		s.fail("an escape that is cut off")
		return 0
	}
	for _, c := range s.text[s.at : s.at+4] {
		switch {
		case c >= '0' && c <= '9':
			r = r<<4 | rune(c-'0')
		case c|0x20 >= 'a' && c|0x20 <= 'f':
			r = r<<4 | rune(c|0x20-'a'+10)
		default:
			s.fail("an escape that there is not")
			return 0
		}
	}
	s.at += 4
	return r
}

// integer reads a whole number of 64 bits.
func (s *scanner) integer() int64 {
	from := s.at
	v, negative := s.digits()
	switch {
	case s.err != nil:
		return 0
	case negative && v == 1<<63:
		return math.MinInt64
	case v > math.MaxInt64:
		s.at = from
		s.fail("a number of more than 64 bits")
		return 0
	case negative:
		return -int64(v)
	}
	return int64(v)
}

// natural reads a whole number from 0 to 2⁶⁴-1.
func (s *scanner) natural() uint64 {
	v, negative := s.digits()
	if negative && s.err == nil {
		s.fail("a number below zero")
		return 0
	}
	return v
}

// digits reads a whole number.
func (s *scanner) digits() (v uint64, negative bool) {
	if s.err != nil {
		return 0, false
	}
	if s.peek() == '-' {
		negative = true
		s.at++
	}
	from := s.at
	for ; s.at < len(s.text) && s.text[s.at] >= '0' && s.text[s.at] <= '9'; s.at++ {
		d := uint64(s.text[s.at] - '0')
		if v > (math.MaxUint64-d)/10 {
			s.fail("a number of more than 64 bits")
			return 0, false
		}
		v = v*10 + d
	}
	switch {
	case s.at == from:
		s.fail("want a whole number")
	case s.at < len(s.text) && bytes.IndexByte([]byte(".eE"), s.text[s.at]) >= 0:
		s.fail("want a whole number, without a fraction")
	case s.text[from] == '0' && s.at > from+1:
		s.fail("a number that begins with a zero")
	}
	return v, negative
}

// boolean reads true or false.
func (s *scanner) boolean() bool {
	switch {
	case s.err != nil:
	case s.literal("true"):
		return true
	case !s.literal("false"):
		s.fail("want true or false")
	}
	return false
}

// null reports whether the value is null, and goes over it.
func (s *scanner) null() bool { return s.err == nil && s.literal("null") }

func (s *scanner) literal(word string) bool {
	s.peek()
	if !bytes.HasPrefix(s.text[s.at:], []byte(word)) {
		return false
	}
	s.at += len(word)
	return true
}

// skip goes over a value of any kind.
func (s *scanner) skip() { s.skipBelow(maxNesting) }

func (s *scanner) skipBelow(depth int) {
	if s.err != nil {
		return
	}
	if depth == 0 {
		s.fail("values lie too deep")
		return
	}
	switch c := s.peek(); c {
	case '{':
		for s.begin('{'); s.member(); {
			s.skipBelow(depth - 1)
		}
	case '[':
		for s.begin('['); s.element(); {
			s.skipBelow(depth - 1)
		}
	case '"':
		s.str()
	case 't', 'f':
		s.boolean()
	case 'n':
		if !s.null() {
			s.fail("want null")
		}
	default:
		s.number()
	}
}

// number goes over a number of any form.
func (s *scanner) number() {
	if s.peek() == '-' {
		s.at++
	}
	run := func() {
		from := s.at
		for s.at < len(s.text) && s.text[s.at] >= '0' && s.text[s.at] <= '9' {
			s.at++
		}
		if s.at == from {
			s.fail("want a value")
		}
	}
	if s.at < len(s.text) && s.text[s.at] == '0' {
		s.at++ // and no other digit
	} else {
		run()
	}
	if s.at < len(s.text) && s.text[s.at] == '.' {
		s.at++
		run()
	}
	if s.at < len(s.text) && s.text[s.at]|0x20 == 'e' {
		s.at++
		if s.at < len(s.text) && (s.text[s.at] == '+' || s.text[s.at] == '-') {
			s.at++
		}
		run()
	}
}

// end reports what was wrong with the text, something behind its value among it.
func (s *scanner) end() error {
	if s.peek(); s.err == nil && s.at < len(s.text) {
		s.fail("something stands behind the value")
	}
	if s.err == nil && !utf8.Valid(s.text) {
		s.err = errNoUTF8
	}
	return s.err
}
