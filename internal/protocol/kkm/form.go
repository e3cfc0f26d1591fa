package kkm

import (
	"fmt"
	"math/bits"
	"unicode/utf8"

	"google.golang.org/protobuf/encoding/protowire"
)

// check walks a message once, without allocating, and finds what the protobuf
// decoder would find and what it would let pass: a string that is not UTF-8.
// Required fields are looked for before anything is decoded, so an input of
// empty messages cannot be blown up in memory. A message field that comes
// twice must be whole each time; the decoder alone would merge the parts.
//
// off is where b begins in the frame.
func (s *shape) check(b []byte, off int) *SyntaxError {
	var seen uint64
	for i := 0; i < len(b); {
		start := i
		tag, n := uvarint(b[i:])
		if n <= 0 {
			return &SyntaxError{off + i, "", "broken tag"}
		}
		i += n
		num, wire := protowire.DecodeTag(tag)
		if num < protowire.MinValidNumber || num > protowire.MaxValidNumber {
			return &SyntaxError{off + start, "", "impossible field number"}
		}
		f := s.field(num)
		if f == nil || f.wire != wire {
			if n = protowire.ConsumeFieldValue(num, wire, b[i:]); n < 0 {
				at := off + i
				if wire > protowire.Fixed32Type {
					at = off + start // the tag itself is wrong
				}
				return s.blame(b, start, num, &SyntaxError{at, "", broken(wire)})
			}
			i += n
			continue
		}
		seen |= 1 << num
		v, n := uvarint(b[i:])
		if n <= 0 {
			return s.blame(b, start, num, &SyntaxError{off + i, "", broken(protowire.VarintType)})
		}
		i += n
		if wire == protowire.VarintType {
			continue
		}
		if v > uint64(len(b)-i) {
			return s.blame(b, start, num, &SyntaxError{off + i - n, "", overrun(v, len(b)-i)})
		}
		body := b[i : i+int(v)]
		switch {
		case f.sub != nil:
			if err := f.sub.check(body, off+i); err != nil {
				return s.blame(b, start, num, err)
			}
		case f.text && !utf8.Valid(body):
			return s.blame(b, start, num, &SyntaxError{off + i + firstNotUTF8(body), "", "not UTF-8"})
		}
		i += int(v)
	}
	if missing := s.required &^ seen; missing != 0 {
		f := s.fields[bits.TrailingZeros64(missing)]
		return &SyntaxError{off + len(b), f.name, "required, but missing"}
	}
	return nil
}

// blame puts the field that begins at b[start] in front of the error's path.
func (s *shape) blame(b []byte, start int, num protowire.Number, err *SyntaxError) *SyntaxError {
	name := fmt.Sprintf("field %d", num)
	if f := s.field(num); f != nil {
		name = f.path(occurrences(b[:start], num))
	}
	err.Field = under(name, err.Field)
	return err
}

// occurrences counts a field in a run of whole fields.
func occurrences(b []byte, num protowire.Number) int {
	count := 0
	for len(b) > 0 {
		got, _, n := protowire.ConsumeField(b)
		if n < 0 {
			break
		}
		if got == num {
			count++
		}
		b = b[n:]
	}
	return count
}

// uvarint reads a varint; most are one byte. It returns 0 or less where there
// is none.
func uvarint(b []byte) (uint64, int) {
	if len(b) > 0 && b[0] < 0x80 {
		return uint64(b[0]), 1
	}
	return protowire.ConsumeVarint(b)
}

// broken says why a value of the wire type could not be read.
func broken(wire protowire.Type) string {
	switch wire {
	case protowire.VarintType:
		return "the number does not end within its message and 10 bytes"
	case protowire.Fixed32Type:
		return "4 bytes are needed"
	case protowire.Fixed64Type:
		return "8 bytes are needed"
	case protowire.BytesType:
		return "the length is broken or runs beyond the end"
	case protowire.StartGroupType:
		return "the group does not end"
	case protowire.EndGroupType:
		return "a group ends that has not begun"
	}
	return fmt.Sprintf("wire type %d does not exist", wire)
}

func overrun(claimed uint64, left int) string {
	return fmt.Sprintf("length %d, but %d bytes are left", claimed, left)
}

// firstNotUTF8 is the index of the first byte that breaks UTF-8.
func firstNotUTF8(b []byte) int {
	for i := 0; i < len(b); {
		r, n := utf8.DecodeRune(b[i:])
		if r == utf8.RuneError && n == 1 {
			return i
		}
		i += n
	}
	return len(b)
}

// CommandOf reads the command of a request that is not parsed, for its
// refusal. The payload may be cut off or broken further on.
func CommandOf(payload []byte) int32 { return peekCommand(payload) }

// peekCommand reads field 1 of a payload that may be broken further on. Of
// several the last one counts, as for a decoder. Without one it is
// COMMAND_SYSTEM.
func peekCommand(payload []byte) int32 {
	var command int32
	for b := payload; len(b) > 0; {
		num, wire, n := protowire.ConsumeTag(b)
		if n < 0 {
			break
		}
		b = b[n:]
		if num == 1 && wire == protowire.VarintType {
			if v, n := protowire.ConsumeVarint(b); n > 0 {
				command = int32(v)
			}
		}
		if n = protowire.ConsumeFieldValue(num, wire, b); n < 0 {
			break
		}
		b = b[n:]
	}
	return command
}
