package ffd

import (
	"bytes"
	"encoding/binary"
	"math/bits"
	"strconv"

	"openofd/internal/fiscal"
)

// Decimal is a number with digits behind the point: Digits / 10^Places.
type Decimal struct {
	Digits uint64
	Places uint8
}

// maxPlaces is how many digits behind the point make sense: the number itself
// has seven bytes.
const maxPlaces = 7

// uintOf reads an unsigned number of up to 8 bytes, little-endian; what is
// above that is not read.
func uintOf(b []byte) uint64 {
	switch len(b) {
	case 1:
		return uint64(b[0])
	case 4:
		return uint64(binary.LittleEndian.Uint32(b))
	}
	var n uint64
	for i := min(len(b), 8) - 1; i >= 0; i-- {
		n = n<<8 | uint64(b[i])
	}
	return n
}

// maxMoney is the largest amount that six bytes hold, in kopecks; no requisite
// in force has more. A thousand documents of such sums still fit our money.
const maxMoney = 1<<48 - 1

// moneyOf reads kopecks; ok is false above maxMoney, and the amount is 0.
func moneyOf(b []byte) (m fiscal.Money, ok bool) {
	n := uintOf(b)
	if len(b) > 8 || n > maxMoney {
		return 0, false
	}
	return fiscal.Money(n), true
}

// decimalOf reads a number with a point; ok is false when the first byte is
// absent or above maxPlaces. Without digits the number is 0.
func decimalOf(b []byte) (d Decimal, ok bool) {
	if len(b) == 0 || b[0] > maxPlaces {
		return Decimal{}, false
	}
	return Decimal{Digits: uintOf(b[1:]), Places: b[0]}, true
}

var pow10 = [...]uint64{1, 10, 100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000}

// Append appends the number as text without needless zeros: "0.355".
func (d Decimal) Append(b []byte) []byte {
	unit := pow10[min(d.Places, maxPlaces)]
	b = strconv.AppendUint(b, d.Digits/unit, 10)
	rest := d.Digits % unit
	if rest == 0 {
		return b
	}
	b = append(b, '.')
	for unit /= 10; rest > 0; unit /= 10 {
		b = append(b, byte('0'+rest/unit))
		rest %= unit
	}
	return b
}

func (d Decimal) String() string { return string(d.Append(nil)) }

// Quantity is the number in millionths; ok is false when it does not fit or
// has a seventh digit behind the point.
func (d Decimal) Quantity() (q fiscal.Quantity, ok bool) {
	if d.Places > 6 {
		if d.Digits%10 != 0 {
			return 0, false
		}
		return fiscal.Quantity(d.Digits / 10), true
	}
	hi, lo := bits.Mul64(d.Digits, pow10[6-d.Places])
	if hi != 0 || lo > 1<<63-1 {
		return 0, false
	}
	return fiscal.Quantity(lo), true
}

// times is price × d, rounded half up; ok is false when it does not fit.
func (d Decimal) times(price uint64) (n uint64, ok bool) {
	unit := pow10[min(d.Places, maxPlaces)]
	hi, lo := bits.Mul64(price, d.Digits)
	lo, carry := bits.Add64(lo, unit/2, 0)
	hi += carry
	if hi >= unit {
		return 0, false
	}
	n, _ = bits.Div64(hi, lo, unit)
	return n, true
}

// wallTimeOf reads a register's clock.
func wallTimeOf(b []byte) fiscal.WallTime { return fiscal.WallTime(uintOf(b)) }

// signOf is the number printed as the fiscal sign: the last four bytes of tag
// 1077, big-endian.
func signOf(b []byte) uint32 {
	if len(b) < 4 {
		return 0
	}
	return binary.BigEndian.Uint32(b[len(b)-4:])
}

// trim takes the padding off a text of fixed length.
func trim(b []byte) []byte { return bytes.TrimRight(b, " ") }

// fits reports whether b can be a value of def: 0 it can, else what is wrong.
func (def *Definition) fits(b []byte) valueFault {
	switch n := len(b); def.Type {
	case Byte, Mask8:
		if n != 1 {
			return faultLength
		}
	case U16:
		if n != 2 {
			return faultLength
		}
	case U32, Time, Mask32:
		if n != 4 {
			return faultLength
		}
	case VLN, Money:
		if n > def.Size {
			return faultLong
		}
	case FVLN:
		if n > def.Size {
			return faultLong
		}
		if n == 0 || b[0] > maxPlaces {
			return faultPoint
		}
	case Text, Bytes:
		switch {
		case def.Size > 0 && n > def.Size:
			return faultLong
		case def.Fixed && n < def.Size && def.Type == Text:
			return faultUnpadded
		case def.Fixed && n < def.Size:
			return faultLength
		}
	}
	return 0
}

// valueFault is what can be wrong with the form of a value.
type valueFault uint8

const (
	faultLength   valueFault = iota + 1 // a fixed type with another length
	faultLong                           // longer than it may be
	faultPoint                          // no place, or an impossible one, for the point
	faultUnpadded                       // a fixed text without its padding
)

// readable reports whether a value can be read in spite of f.
func (f valueFault) readable() bool { return f == 0 || f == faultUnpadded || f == faultLong }
