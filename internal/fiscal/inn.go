package fiscal

import (
	"bytes"
	"fmt"
)

// innWeights are the weights of the check digits: the last nine of them for
// the digit of a company, the last ten and then all for the two of a person.
var innWeights = [...]int{3, 7, 2, 4, 10, 3, 5, 9, 4, 6, 8}

// ValidINN reports whether a Russian INN has right check digits: ten digits of
// a company or twelve of a person. Twelve that begin with 00 are ten, padded on
// the left.
func ValidINN[T string | []byte](inn T) bool {
	b := []byte(inn)
	if len(b) == 12 && b[0] == '0' && b[1] == '0' && len(bytes.Trim(b, "0")) > 0 {
		b = b[2:]
	}
	for _, c := range b {
		if c < '0' || c > '9' {
			return false
		}
	}
	switch len(b) {
	case 10:
		return innDigit(b[:9]) == b[9]
	case 12:
		return innDigit(b[:10]) == b[10] && innDigit(b[:11]) == b[11]
	}
	return false
}

func innDigit(b []byte) byte {
	sum := 0
	for i, w := range innWeights[len(innWeights)-len(b):] {
		sum += w * int(b[i]-'0')
	}
	return byte('0' + sum%11%10)
}

// CheckINN reports an INN that cannot exist. field names it in the error, which
// is Invalid.
func CheckINN(x XIN, field string) error {
	if !ValidINN(string(x)) || len(x) == 12 && x[:2] == "00" {
		return &Error{Reason: BadValue, Field: field, Msg: fmt.Sprintf("%q is no INN: 10 digits of a company or 12 of a person, of which the last check the others", string(x))}
	}
	return nil
}

// ValidRussianNumber reports whether the last six digits of a register's
// registration number in Russia check the first ten, the owner's INN and the
// register's serial number: they are the decimal digits of CRC-16/CCITT-FALSE
// over the ten digits, INN and serial number, these padded with zeros on the
// left to 12 and 20.
func ValidRussianNumber[T string | []byte](number, inn, serial T) bool {
	if len(number) != 16 || len(inn) > 12 || len(serial) > 20 {
		return false
	}
	crc := crcPadded(crc16(0xFFFF, number[:10]), inn, 12)
	crc = crcPadded(crc, serial, 20)
	claimed := 0
	for i := 10; i < len(number); i++ {
		if number[i] < '0' || number[i] > '9' {
			return false
		}
		claimed = claimed*10 + int(number[i]-'0')
	}
	return claimed == int(crc)
}

func crcPadded[T string | []byte](crc uint16, b T, size int) uint16 {
	for range size - len(b) {
		crc = crc16(crc, "0")
	}
	return crc16(crc, b)
}

// crc16 goes on with a CRC-16/CCITT-FALSE: polynomial 0x1021, not reflected.
func crc16[T string | []byte](crc uint16, b T) uint16 {
	for i := range len(b) {
		crc ^= uint16(b[i]) << 8
		for range 8 {
			carry := crc&0x8000 != 0
			crc <<= 1
			if carry {
				crc ^= 0x1021
			}
		}
	}
	return crc
}
