package main

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"openofd/internal/fiscal"
)

// percent is a rate, written "12" or "12.5" and kept in thousandths.
type percent uint32

// UnmarshalText implements encoding.TextUnmarshaler.
func (p *percent) UnmarshalText(text []byte) error {
	n, err := parseDecimal(string(text), 3)
	if err != nil || n < 0 || n >= 100_000 {
		return fmt.Errorf("%q is no percentage like 12 or 12.5", text)
	}
	*p = percent(n)
	return nil
}

// degrees is a place on the globe in one direction, written "43.2380" and kept
// in ten-thousandths.
type degrees int32

// UnmarshalText implements encoding.TextUnmarshaler.
func (d *degrees) UnmarshalText(text []byte) error {
	n, err := parseDecimal(string(text), 4)
	if err != nil || n < -180_0000 || n > 180_0000 {
		return fmt.Errorf("%q are no degrees like 43.2380", text)
	}
	*d = degrees(n)
	return nil
}

// parseDecimal reads a decimal fraction into units of the last of so many
// places. It never makes a float of it; further digits are cut off.
func parseDecimal(s string, places int) (int64, error) {
	rest, negative := strings.CutPrefix(s, "-")
	whole, frac, _ := strings.Cut(strings.Replace(rest, ",", ".", 1), ".")
	if whole == "" || strings.Trim(whole+frac, "0123456789") != "" {
		return 0, errors.New("not a number")
	}
	frac = (frac + strings.Repeat("0", places))[:places]
	n, err := strconv.ParseInt(whole+frac, 10, 64)
	if negative {
		n = -n
	}
	return n, err
}

// flagOf names the flag behind a field of the registry, so that what is wrong
// with a value is told in the words of the command line.
var flagOf = map[string]string{
	"country":             "--country",
	"xin":                 "--bin",
	"title":               "--title",
	"legal_address":       "--address",
	"outlet_title":        "--outlet",
	"outlet_address":      "--address",
	"oked":                "--oked",
	"vat_percent":         "--vat",
	"vat_certificate":     "--vat-certificate",
	"latitude":            "--lat",
	"longitude":           "--lon",
	"zone":                "--zone",
	"name":                "--name",
	"model":               "--model",
	"serial_number":       "--serial",
	"manufacture_year":    "--year",
	"registration_number": "--rnm",
	"drive":               "--fn",
	"payment_point":       "--payment-point",
	"terminal":            "--terminal",
	"text":                "--text",
	"login":               "the login",
	"password":            "the password",
	"code":                "--code",
	"roles":               "--role",
}

// told words an error of the registry for the command line.
func told(err error) error {
	var e *fiscal.Error
	if !errors.As(err, &e) {
		return err
	}
	name := flagOf[e.Field]
	switch {
	case name == "":
		return err
	case e.Reason == fiscal.AlreadyThere:
		return fmt.Errorf("%s is taken by another register", name)
	case e.Kind() == fiscal.Invalid:
		return fmt.Errorf("%s: %s", name, e.Msg)
	}
	return err
}
