package ffd

import (
	"bytes"

	"openofd/internal/fiscal"
)

// checkINN reports whether an INN has right check digits; spaces pad it on the
// right.
func checkINN(b []byte) bool { return fiscal.ValidINN(plainINN(b)) }

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

func zeros(b []byte) bool { return len(bytes.Trim(b, "0")) == 0 }

// checkRegistrationNumber is fiscal.ValidRussianNumber; padding does not
// matter.
func checkRegistrationNumber(number, inn, serial []byte) bool {
	return fiscal.ValidRussianNumber(trim(number), plainINN(inn), trim(serial))
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
