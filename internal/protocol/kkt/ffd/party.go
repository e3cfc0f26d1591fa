package ffd

import "bytes"

// innWeights are the weights of the check digits: the last nine of them for
// the digit of a company, the last ten and then all for the two of a person.
var innWeights = [...]int{3, 7, 2, 4, 10, 3, 5, 9, 4, 6, 8}

// CheckINN reports whether an INN has right check digits: ten digits of a
// company or twelve of a person. Twelve that begin with 00 are ten, padded on
// the left; spaces pad on the right.
func CheckINN(inn string) bool { return checkINN([]byte(inn)) }

func checkINN(b []byte) bool {
	b = plainINN(b)
	for _, c := range b {
		if c < '0' || c > '9' {
			return false
		}
	}
	switch len(b) {
	case 10:
		return checkDigit(b[:9]) == b[9]
	case 12:
		return checkDigit(b[:10]) == b[10] && checkDigit(b[:11]) == b[11]
	}
	return false
}

// plainINN takes the padding off.
func plainINN(b []byte) []byte {
	b = trim(b)
	if len(b) == 12 && b[0] == '0' && b[1] == '0' && !zeros(b) {
		return b[2:]
	}
	return b
}

// PlainINN is an INN without padding on either side.
func PlainINN(inn string) string { return string(plainINN([]byte(inn))) }

func checkDigit(b []byte) byte {
	sum := 0
	for i, w := range innWeights[len(innWeights)-len(b):] {
		sum += w * int(b[i]-'0')
	}
	return byte('0' + sum%11%10)
}

func zeros(b []byte) bool { return len(bytes.Trim(b, "0")) == 0 }

// CheckRegistrationNumber reports whether the last six digits of a register's
// registration number check the first ten, the user's INN and the register's
// serial number. Padding does not matter.
//
// They are the decimal digits of CRC-16/CCITT-FALSE over the ten digits, the
// INN and the serial number, these padded with zeros on the left to 12 and 20.
func CheckRegistrationNumber(number, inn, serial string) bool {
	return checkRegistrationNumber([]byte(number), []byte(inn), []byte(serial))
}

func checkRegistrationNumber(number, inn, serial []byte) bool {
	number, inn, serial = trim(number), plainINN(inn), trim(serial)
	if len(number) != 16 || len(inn) > 12 || len(serial) > 20 {
		return false
	}
	crc := uint16(0xFFFF)
	crc = crc16(crc, number[:10])
	crc = crcPadded(crc, inn, 12)
	crc = crcPadded(crc, serial, 20)
	claimed := 0
	for _, c := range number[10:] {
		if c < '0' || c > '9' {
			return false
		}
		claimed = claimed*10 + int(c-'0')
	}
	return claimed == int(crc)
}

func crcPadded(crc uint16, b []byte, size int) uint16 {
	for range size - len(b) {
		crc = crc16(crc, []byte{'0'})
	}
	return crc16(crc, b)
}

// crc16 goes on with a CRC-16/CCITT-FALSE: polynomial 0x1021, not reflected.
func crc16(crc uint16, b []byte) uint16 {
	for _, c := range b {
		crc ^= uint16(c) << 8
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

// parties judges who and where: INNs, registration number, registration.
func (c *checker) parties() {
	d := c.d
	for _, t := range [...]Tag{TagINN, TagOFDINN} {
		if b, ok := d.Value(t); ok && !checkINN(b) {
			c.found(ruleINN, c.at(t))
		}
	}
	for _, t := range [...]Tag{1203, 1228, 1016} {
		c.otherINN(t, c.at(t))
	}
	number, stated := d.Value(TagRegisterNumber)
	if !stated {
		return // told as missing
	}
	if d.Form.Registers() {
		inn, _ := d.Value(TagINN)
		if serial, ok := d.Value(TagSerial); ok && !checkRegistrationNumber(number, inn, serial) {
			c.found(ruleRegisterNumber, c.at(TagRegisterNumber))
		}
		return // it states what will be registered
	}
	r := c.in.Registered
	if r == nil {
		return
	}
	if string(trim(number)) != r.RegistrationNumber {
		// Another number may be a registration that we have not seen; a number
		// that cannot belong to this register is a wrong one.
		if r.Serial != "" && !checkRegistrationNumber(number, []byte(r.INN), []byte(r.Serial)) {
			c.found(ruleRegisterNumber, c.at(TagRegisterNumber))
		} else {
			c.found(ruleRegistered, c.at(TagRegisterNumber))
		}
	}
	if inn, ok := d.Value(TagINN); ok && string(plainINN(inn)) != r.INN {
		c.found(ruleRegistered, c.at(TagINN))
	}
}

// otherINN judges an INN that is not the user's. A supplier or transfer
// operator without one is written in zeros.
func (c *checker) otherINN(t Tag, at int) {
	if at < 0 {
		return
	}
	b := c.d.value(&c.d.nodes[at])
	if (t == 1226 || t == 1016) && zeros(trim(b)) || checkINN(b) {
		return
	}
	c.found(ruleOtherINN, at)
}
