package registry

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"openofd/internal/fiscal"
)

// Bounds of what a card holds, in characters. The wire and the paper are
// narrow: a receipt line has 32 to 48 characters.
const (
	maxTitle   = 255
	maxAddress = 255
	maxModel   = 64
	maxSerial  = 32
	maxShort   = 64
	minRNM     = 12
	maxRNM     = 20
	firstYear  = 1990 // of manufacture
)

// country is what a register's country asks of its data.
type country struct {
	zone     string                         // where registers stand unless told otherwise
	owner    func(fiscal.XIN, string) error // checks a taxpayer's number
	register func(c *fiscal.Card) error     // checks the numbers of a register, provisional ones excepted
	tokens   bool                           // registers show by a token who they are
	reports  bool                           // registers report the data they were registered with
}

// countries are those that are served.
var countries = map[fiscal.Country]country{
	fiscal.Kazakhstan: {"Asia/Almaty", fiscal.CheckXIN, checkRNM, true, false},
	fiscal.Russia:     {"Europe/Moscow", fiscal.CheckINN, checkRussian, false, true},
}

// ZoneOf is the zone of a country's registers unless told otherwise.
func ZoneOf(c fiscal.Country) string { return countries[c].zone }

func (in *NewRegister) zone() string {
	if in.Zone == "" {
		return countries[in.Country].zone
	}
	return in.Zone
}

func (in *NewTaxpayer) check() error {
	c, served := countries[in.Country]
	if !served {
		return bad("country", "%q is not served here; kz and ru are", in.Country)
	}
	return first(
		c.owner(in.XIN, "xin"),
		checkText("title", in.Title, maxTitle, true),
		checkText("legal_address", in.LegalAddress, maxAddress, false),
		checkLine("oked", in.OKED, maxShort, false),
		checkLine("vat_certificate", in.VATCertificate, maxShort, false),
		checkPercent(in.VATPercent),
	)
}

func (in *NewRegister) check(now time.Time) error {
	c := fiscal.Card{
		Country: in.Country, XIN: in.XIN, Title: in.Title, LegalAddress: in.LegalAddress, OKED: in.OKED, VATPercent: in.VATPercent,
		VATCertificate: in.VATCertificate, OutletTitle: in.OutletTitle, OutletAddress: in.OutletAddress,
		Latitude: in.Latitude, Longitude: in.Longitude, Zone: in.zone(), Name: in.Name, Model: in.Model,
		SerialNumber: in.SerialNumber, ManufactureYear: in.Year, RegistrationNumber: in.RegistrationNumber,
		Provisional: in.RegistrationNumber == "", Drive: in.Drive, PaymentPoint: in.PaymentPoint, Terminal: in.Terminal,
	}
	return checkCard(&c, now)
}

// checkCard reports the first thing a card cannot hold. The error is Invalid
// and names the field as JSON spells it.
func checkCard(c *fiscal.Card, now time.Time) error {
	t := NewTaxpayer{Country: c.Country, XIN: c.XIN, Title: c.Title, LegalAddress: c.LegalAddress, OKED: c.OKED, VATPercent: c.VATPercent, VATCertificate: c.VATCertificate}
	if err := t.check(); err != nil {
		return err
	}
	if z, err := time.LoadLocation(c.Zone); err != nil || c.Zone == "" || z == time.Local {
		return bad("zone", "%q is not the name of a zone like Asia/Almaty", c.Zone)
	}
	if latest := now.UTC().Year() + 1; c.ManufactureYear != 0 && (c.ManufactureYear < firstYear || c.ManufactureYear > latest) {
		return bad("manufacture_year", "%d is not between %d and %d", c.ManufactureYear, firstYear, latest)
	}
	if c.Latitude < -90_0000 || c.Latitude > 90_0000 {
		return bad("latitude", "%d ten-thousandths are more than 90 degrees", c.Latitude)
	}
	if c.Longitude < -180_0000 || c.Longitude > 180_0000 {
		return bad("longitude", "%d ten-thousandths are more than 180 degrees", c.Longitude)
	}
	if err := countries[c.Country].register(c); err != nil {
		return err
	}
	if c.Connection != "" && !slices.Contains(fiscal.Connections(), c.Connection) {
		return bad("connection", "%q is neither wired nor wireless", c.Connection)
	}
	if c.SIM != "" && (c.Connection != fiscal.ConnectionWireless || !validSIM(c.SIM)) {
		return bad("sim", "%q is not the number of a SIM card of a wireless register: 11 digits from 7, or 18 to 20 from 89", c.SIM)
	}
	if field, detail := checkParts(c.Parts); detail != "" {
		return bad(field, "%s", detail)
	}
	// Russia's registration report tells the rest, all but the model.
	reports := countries[c.Country].reports
	return first(
		checkText("outlet_title", c.OutletTitle, maxTitle, false),
		checkText("outlet_address", c.OutletAddress, maxAddress, !reports || !c.Provisional),
		checkLine("name", c.Name, maxShort, false),
		checkLine("model", c.Model, maxModel, !reports),
		checkLine("serial_number", c.SerialNumber, maxSerial, !reports || !c.Provisional),
		checkLine("payment_point", c.PaymentPoint, maxShort, false),
		checkLine("terminal", c.Terminal, maxShort, false),
	)
}

// allDigits reports whether a text is made of digits.
func allDigits(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return r < '0' || r > '9' }) < 0
}

// checkRNM is Kazakhstan's: the authority's number, and no drive.
func checkRNM(c *fiscal.Card) error {
	if c.Drive != "" {
		return bad("drive", "registers of Kazakhstan have none")
	}
	s := c.RegistrationNumber
	if c.Provisional {
		return nil
	}
	if !allDigits(s) || len(s) < minRNM || len(s) > maxRNM {
		return bad("registration_number", "%q: the authority's number has %d to %d digits", s, minRNM, maxRNM)
	}
	return nil
}

// driveDigits is the length of a fiscal drive's number.
const driveDigits = 16

// checkRussian is Russia's: the drive by which a register is found, and the
// number that the tax service made of the owner's INN and the register's serial
// number.
//
// Source: KKT reference §14 (I2).
func checkRussian(c *fiscal.Card) error {
	switch {
	case c.Drive == "":
		return &fiscal.Error{Reason: fiscal.MissingParameter, Field: "drive", Msg: "is missing: the fiscal drive's number, by which the register is found"}
	case !allDigits(c.Drive) || len(c.Drive) != driveDigits:
		return bad("drive", "%q: a fiscal drive's number has %d digits", c.Drive, driveDigits)
	case !c.Provisional && !fiscal.ValidRussianNumber(c.RegistrationNumber, string(c.XIN), c.SerialNumber):
		return bad("registration_number", "%q is not the number that the tax service makes for this INN and factory number: 16 digits, of which the last six check all of them", c.RegistrationNumber)
	}
	return nil
}

func checkPercent(p uint32) error {
	if p >= 100_000 {
		return bad("vat_percent", "%d thousandths are 100 percent or more", p)
	}
	return nil
}

func checkText(field string, t fiscal.Text, limit int, required bool) error {
	if required && t.In("ru") == "" {
		return &fiscal.Error{Reason: fiscal.MissingParameter, Field: field, Msg: "is missing"}
	}
	return first(checkLine(field, t.KK, limit, false), checkLine(field, t.RU, limit, false), checkLine(field, t.EN, limit, false))
}

// checkLine refuses what cannot be printed on one line or stored as text.
func checkLine(field, s string, limit int, required bool) error {
	switch {
	case s == "" && required:
		return &fiscal.Error{Reason: fiscal.MissingParameter, Field: field, Msg: "is missing"}
	case s == "":
		return nil
	case !utf8.ValidString(s):
		return bad(field, "is not UTF-8")
	case strings.TrimSpace(s) != s:
		return bad(field, "begins or ends with a space")
	case strings.ContainsFunc(s, unicode.IsControl):
		return bad(field, "holds a control character")
	case utf8.RuneCountInString(s) > limit:
		return bad(field, "has %d characters, %d are allowed", utf8.RuneCountInString(s), limit)
	}
	return nil
}

func bad(field, format string, args ...any) error {
	return &fiscal.Error{Reason: fiscal.BadValue, Field: field, Msg: fmt.Sprintf(format, args...)}
}

func first(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
