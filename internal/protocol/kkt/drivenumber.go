package kkt

import (
	"fmt"

	"openofd/internal/fiscal"
)

// DriveNumber is the number of a fiscal drive as the header of a message has
// it: up to 16 ASCII digits, padded on the right with spaces. The zero value is
// no number.
//
// Source: KKT reference §2.1.
type DriveNumber [16]byte

// ParseDriveNumber reads a number as people write it, without padding.
//
// Errors: Invalid.
func ParseDriveNumber(s string) (DriveNumber, error) {
	d := driveNumber(s)
	if d.digits() != len(s) || s == "" {
		return DriveNumber{}, &fiscal.Error{Reason: fiscal.BadValue, Field: "fiscalDriveNumber", Msg: fmt.Sprintf("%q is not a number of 1 to 16 digits", s)}
	}
	return d, nil
}

// driveNumber pads s; what is longer than a number is cut off.
func driveNumber[T string | []byte](s T) (d DriveNumber) {
	for i := copy(d[:], s); i < len(d); i++ {
		d[i] = ' '
	}
	return d
}

// Valid reports whether digits come first, at least one, and then only spaces.
func (d DriveNumber) Valid() bool {
	n := d.digits()
	for _, c := range d[n:] {
		if c != ' ' {
			return false
		}
	}
	return n > 0
}

// digits is how many digits stand in front.
func (d *DriveNumber) digits() int {
	for i, c := range d {
		if c < '0' || c > '9' {
			return i
		}
	}
	return len(d)
}

// String is the number without padding.
func (d DriveNumber) String() string { return string(d[:d.digits()]) }

// MarshalText gives the number to JSON as String does.
func (d DriveNumber) MarshalText() ([]byte, error) { return d[:d.digits()], nil }

// UnmarshalText reads what MarshalText writes; nothing at all is no number.
func (d *DriveNumber) UnmarshalText(b []byte) (err error) {
	*d = DriveNumber{}
	if len(b) > 0 {
		*d, err = ParseDriveNumber(string(b))
	}
	return err
}

// bcdLen is the size of a drive number in a container, in bytes.
const bcdLen = 8

// appendBCD appends two digits a byte, padded with the nibble F.
func (d *DriveNumber) appendBCD(b []byte) []byte {
	for i := 0; i < len(d); i += 2 {
		b = append(b, nibble(d[i])<<4|nibble(d[i+1]))
	}
	return b
}

func nibble(c byte) byte {
	if c < '0' || c > '9' {
		return 0xF
	}
	return c - '0'
}

// parseBCD reads what appendBCD wrote; ok is false when a nibble is no digit
// or a digit follows the padding.
func parseBCD(b []byte) (d DriveNumber, ok bool) {
	for i, c := range b[:bcdLen] {
		d[2*i], d[2*i+1] = digit(c>>4), digit(c&0xF)
	}
	return d, d.Valid()
}

func digit(n byte) byte {
	switch {
	case n <= 9:
		return '0' + n
	case n == 0xF:
		return ' '
	}
	return '?'
}
