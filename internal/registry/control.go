package registry

import (
	"errors"
	"reflect"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"openofd/internal/fiscal"
)

// Grounds are what an application is held against: what is known here of its
// taxpayer and its register.
type Grounds struct {
	Taxpayer *Taxpayer
	Outlets  []Outlet // of the taxpayer
	Card     *fiscal.Card
	State    *fiscal.State
	Model    *Model // as the register of models has it; nil: it is not there
	Now      time.Time
}

// Bounds of a form beyond those of a card.
const (
	maxNote  = 500
	maxModes = 20
	maxForm  = 64 << 10 // bytes of a form as JSON, whatever is in it
)

// control collects findings.
type control struct {
	kind ApplicationKind
	f    *ApplicationForm
	g    *Grounds
	all  []FieldError
}

func (c *control) found(field string, r fiscal.Reason, detail string) {
	c.all = append(c.all, FieldError{Field: field, Reason: r, Detail: detail})
}

// noted is a finding that keeps nobody from signing.
func (c *control) noted(field, detail string) {
	c.all = append(c.all, FieldError{Field: field, Reason: fiscal.BadValue, Detail: detail, Only: true})
}

// line looks at a text of one line.
func (c *control) line(field, s string, limit int, required bool) bool {
	err := checkLine(field, s, limit, required)
	if err != nil {
		var e *fiscal.Error
		errors.As(err, &e)
		detail := ""
		if e.Reason == fiscal.BadValue {
			detail = "line"
			if utf8.RuneCountInString(s) > limit {
				detail = "too_long"
			}
		}
		c.found(field, e.Reason, detail)
	}
	return err == nil
}

func (c *control) text(field string, t fiscal.Text, limit int, required bool) {
	if required && t.In("ru") == "" {
		c.found(field, fiscal.MissingParameter, "")
		return
	}
	_ = c.line(field, t.KK, limit, false) && c.line(field, t.RU, limit, false) && c.line(field, t.EN, limit, false)
}

// Control is the format and logic control of an application: every field that is
// wrong, in the order of the form, not the first alone. It is a pure function,
// asked at each keeping of a draft and once more when it is signed.
//
// Source: order 135 item 8; requirements E-050 to E-073, P-061 to P-066.
func Control(kind ApplicationKind, f *ApplicationForm, g *Grounds) []FieldError {
	c := &control{kind: kind, f: f, g: g}
	c.taxpayer()
	if kind != Remove {
		c.place()
	}
	c.register()
	if kind != Remove {
		c.device()
	}
	c.reasons()
	return c.all
}

// Blocking are the findings that keep an application from being signed.
func Blocking(all []FieldError) FieldErrors {
	return slices.DeleteFunc(slices.Clone(all), func(e FieldError) bool { return e.Only })
}

// Matches tells in two words what a control came to: whether the taxpayer's
// data, and the register's, are those that are known here.
//
// Source: order 135 items 9.1, 9.2.
func Matches(all []FieldError) (taxpayer, register bool) {
	taxpayer, register = true, true
	for _, e := range all {
		if slices.Contains([]string{"xin", "title", "legal_address", "oked", "vat_percent", "vat_certificate"}, e.Field) {
			taxpayer = false
		} else {
			register = false
		}
	}
	return taxpayer, register
}

func (c *control) taxpayer() {
	t := c.g.Taxpayer
	switch {
	case c.f.XIN == "":
		c.found("xin", fiscal.MissingParameter, "")
	case countries[t.Country].owner(c.f.XIN, "xin") != nil:
		c.found("xin", fiscal.BadValue, "check_digit")
	case c.f.XIN != t.XIN:
		c.found("xin", fiscal.BadValue, "other_taxpayer")
	}
	c.text("title", c.f.Title, maxTitle, true)
	if c.f.Title.In("ru") != "" && c.f.Title != t.Title {
		c.noted("title", "differs")
	}
	if c.kind == Remove {
		return
	}
	c.text("legal_address", c.f.LegalAddress, maxAddress, true)
	c.line("oked", c.f.OKED, maxShort, false)
	if checkPercent(c.f.VATPercent) != nil {
		c.found("vat_percent", fiscal.BadValue, "")
	}
	c.line("vat_certificate", c.f.VATCertificate, maxShort, false)
	if t.Country == fiscal.Kazakhstan && c.f.VATPercent > 0 && c.f.VATCertificate == "" {
		c.noted("vat_certificate", "expected")
	}
}

func (c *control) place() {
	switch here := slices.ContainsFunc(c.g.Outlets, func(o Outlet) bool { return o.ID == c.f.Outlet }); {
	case c.f.Outlet == 0:
		c.found("outlet", fiscal.MissingParameter, "")
	case !here:
		c.found("outlet", fiscal.BadValue, "not_yours")
	}
	c.text("outlet_title", c.f.OutletTitle, maxTitle, true)
	w, country := c.f.Where, c.g.Taxpayer.Country
	r, known := regionOf(country, w.Region)
	switch {
	case w.Region == "":
		c.found("region", fiscal.MissingParameter, "")
	case !known:
		c.found("region", fiscal.BadValue, "not_listed")
	}
	if c.line("locality", w.Locality, maxShort, true) && known {
		if _, here := r.locality(w.Locality); !here {
			for _, other := range Regions(country) {
				if _, there := other.locality(w.Locality); there {
					c.found("locality", fiscal.BadValue, "other_region")
					break
				}
			}
		}
	}
	c.line("street", w.Street, maxShort, true)
	c.line("house", w.House, maxSerial, true)
	c.line("flat", w.Flat, maxSerial, false)
	c.text("outlet_address", c.f.OutletAddress, maxAddress, false)
}

// register looks at what names the register.
func (c *control) register() {
	f, card := c.f, c.g.Card
	c.line("name", f.Name, maxShort, c.kind != Remove)
	if c.line("model", f.Model, maxModel, true) {
		switch {
		case card.Model != "" && f.Model != card.Model:
			c.found("model", fiscal.BadValue, "fixed")
		case c.g.Model == nil && c.kind == Enrol:
			c.found("model", fiscal.BadValue, "not_listed")
		case c.g.Model == nil:
			c.noted("model", "not_listed")
		}
	}
	if c.line("serial_number", f.SerialNumber, maxSerial, true) && card.SerialNumber != "" && f.SerialNumber != card.SerialNumber {
		c.found("serial_number", fiscal.BadValue, "fixed")
	}
	if c.kind != Remove {
		switch latest := c.g.Now.UTC().Year() + 1; {
		case f.ManufactureYear == 0 && card.Country == fiscal.Kazakhstan:
			c.found("manufacture_year", fiscal.MissingParameter, "")
		case f.ManufactureYear != 0 && (f.ManufactureYear < firstYear || f.ManufactureYear > latest):
			c.found("manufacture_year", fiscal.BadValue, "range")
		}
	}
	switch {
	case f.RegistrationNumber == "" && c.kind == Enrol:
	case f.RegistrationNumber == "" && card.Provisional:
		c.found("registration_number", fiscal.MissingParameter, "not_on_record")
	case f.RegistrationNumber == "":
		c.found("registration_number", fiscal.MissingParameter, "")
	case c.kind != Enrol && f.RegistrationNumber != card.RegistrationNumber:
		c.found("registration_number", fiscal.BadValue, "differs")
	default:
		probe := fiscal.Card{Country: card.Country, XIN: c.g.Taxpayer.XIN, RegistrationNumber: f.RegistrationNumber, SerialNumber: f.SerialNumber, Drive: probeDrive(card.Country)}
		if countries[card.Country].register(&probe) != nil {
			c.found("registration_number", fiscal.BadValue, "form")
		}
	}
	if c.kind == Remove && c.g.State != nil && c.g.State.Shift.Open {
		c.noted("register", "shift_open")
	}
}

// device looks at what is told of the thing itself.
func (c *control) device() {
	f, card, m := c.f, c.g.Card, c.g.Model
	if card.Country == fiscal.Russia {
		switch {
		case f.Drive == "":
			c.found("drive", fiscal.MissingParameter, "")
		case !allDigits(f.Drive) || len(f.Drive) != driveDigits:
			c.found("drive", fiscal.BadValue, "form")
		case c.kind == Reenrol && f.Drive != card.Drive && !slices.Contains(f.Reasons, ForDrive):
			c.found("drive", fiscal.BadValue, "without_reason")
		}
		switch {
		case f.Format == "":
			c.found("ffd", fiscal.MissingParameter, "")
		case !slices.Contains([]string{"1.05", "1.1", "1.2"}, f.Format):
			c.found("ffd", fiscal.BadValue, "not_listed")
		case m != nil && len(m.Protocols) > 0 && !slices.Contains(m.Protocols, f.Format):
			c.found("ffd", fiscal.BadValue, "not_of_model")
		}
	} else {
		if f.Drive != "" {
			c.found("drive", fiscal.BadValue, "not_here")
		}
		if f.Format != "" {
			c.found("ffd", fiscal.BadValue, "not_here")
		}
	}
	if len(f.Modes) > maxModes {
		c.found("modes", fiscal.BadValue, "too_long")
	} else {
		for i, mode := range f.Modes {
			if !c.line("modes", mode, maxShort, true) {
				break
			}
			if slices.Contains(f.Modes[:i], mode) {
				c.found("modes", fiscal.BadValue, "twice")
				break
			}
		}
	}
	if field, detail := checkParts(f.Parts); detail != "" {
		c.found(field, fiscal.BadValue, detail)
	}
	c.connection()
}

// connection: what a software register cannot choose, and the card that the air
// asks for. Source: requirements E-070, E-072, E-073.
func (c *control) connection() {
	f, m := c.f, c.g.Model
	switch {
	case f.Connection == "" && c.g.Card.Country == fiscal.Kazakhstan:
		c.found("connection", fiscal.MissingParameter, "")
	case f.Connection == "":
	case !slices.Contains(fiscal.Connections(), f.Connection):
		c.found("connection", fiscal.BadValue, "not_listed")
	case m != nil && !slices.Contains(m.Connections, f.Connection):
		c.found("connection", fiscal.BadValue, "not_of_model")
	}
	switch {
	case f.Connection == fiscal.ConnectionWireless && f.SIM == "":
		c.found("sim", fiscal.MissingParameter, "")
	case f.Connection != fiscal.ConnectionWireless && f.SIM != "":
		c.found("sim", fiscal.BadValue, "not_wireless")
	case f.SIM != "" && !validSIM(f.SIM):
		c.found("sim", fiscal.BadValue, "form")
	}
}

func (c *control) reasons() {
	f, fit := c.f, ReasonsOf(c.kind)
	switch {
	case len(fit) == 0 && len(f.Reasons) > 0:
		c.found("reasons", fiscal.BadValue, "not_here")
	case len(fit) > 0 && len(f.Reasons) == 0:
		c.found("reasons", fiscal.MissingParameter, "")
	case len(f.Reasons) > len(fit):
		c.found("reasons", fiscal.BadValue, "twice")
	default:
		for i, r := range f.Reasons {
			if !slices.Contains(fit, r) {
				c.found("reasons", fiscal.BadValue, "not_listed")
				break
			}
			if slices.Contains(f.Reasons[:i], r) {
				c.found("reasons", fiscal.BadValue, "twice")
				break
			}
		}
		if c.kind == Reenrol && len(f.Reasons) > 0 && !slices.Contains(f.Reasons, ForOther) {
			changed := *c.g.Card
			f.onto(&changed, c.g.Outlets)
			if reflect.DeepEqual(&changed, c.g.Card) && !slices.Contains(f.Reasons, ForDrive) && !slices.Contains(f.Reasons, ForMode) {
				c.found("reasons", fiscal.BadValue, "nothing_changed")
			}
		}
	}
	c.line("note", f.Note, maxNote, slices.Contains(f.Reasons, ForOther))
}

// validSIM: the number on the card (ICCID, 18 to 20 digits behind the 89 of
// telecommunication), or the subscriber's number, 11 digits from 7.
//
// Source: ITU-T E.118; the numbering plan of the countries served.
func validSIM(s string) bool {
	return allDigits(s) && (strings.HasPrefix(s, "89") && len(s) >= 18 && len(s) <= 20 || strings.HasPrefix(s, "7") && len(s) == 11)
}

// checkParts tells the field and what is wrong with parts, "" for nothing.
func checkParts(parts []fiscal.Part) (field, detail string) {
	last := -1
	for _, p := range parts {
		at := slices.Index(fiscal.PartKinds(), p.Kind)
		switch {
		case at < 0:
			return "parts", "not_listed"
		case at <= last:
			return "parts", "twice"
		}
		last = at
		for _, s := range []string{p.Maker, p.Model, p.Version} {
			if checkLine("parts", s, maxShort, false) != nil {
				return "parts", "line"
			}
		}
	}
	return "", ""
}

// tidy makes a form as it is kept: single spaces, parts in their order and
// without empty ones, numbers without the marks that people put between digits,
// the address worded from its parts.
func (f *ApplicationForm) tidy(c fiscal.Country) {
	line := func(all ...*string) {
		for _, s := range all {
			*s = strings.Join(strings.Fields(*s), " ")
		}
	}
	for _, t := range []*fiscal.Text{&f.Title, &f.LegalAddress, &f.OutletTitle, &f.OutletAddress} {
		line(&t.KK, &t.RU, &t.EN)
	}
	line(&f.OKED, &f.VATCertificate, &f.Where.Region, &f.Where.Locality, &f.Where.Street, &f.Where.House, &f.Where.Flat,
		&f.Name, &f.Model, &f.SerialNumber, &f.RegistrationNumber, &f.Drive, &f.Format, &f.SIM, &f.Note)
	f.XIN = fiscal.XIN(strings.TrimSpace(string(f.XIN)))
	digits := strings.NewReplacer(" ", "", "-", "", "(", "", ")", "", "+", "")
	f.SIM, f.RegistrationNumber, f.Drive = digits.Replace(f.SIM), digits.Replace(f.RegistrationNumber), digits.Replace(f.Drive)
	if len(f.SIM) == 11 && f.SIM[0] == '8' { // as it is dialed at home
		f.SIM = "7" + f.SIM[1:]
	}
	if r, ok := regionOf(c, f.Where.Region); ok && f.Where.Locality != "" {
		if l, here := r.locality(f.Where.Locality); here {
			f.Where.Locality = l.RU
		}
		if f.Where.Street != "" && f.Where.House != "" {
			f.OutletAddress = f.Where.Text(c)
		}
	}
	for i := range f.Modes {
		line(&f.Modes[i])
	}
	for i := range f.Parts {
		p := &f.Parts[i]
		line(&p.Maker, &p.Model, &p.Version)
	}
	f.Parts = slices.DeleteFunc(f.Parts, func(p fiscal.Part) bool { return p.Maker == "" && p.Model == "" && p.Version == "" })
	slices.SortStableFunc(f.Parts, func(a, b fiscal.Part) int {
		return slices.Index(fiscal.PartKinds(), a.Kind) - slices.Index(fiscal.PartKinds(), b.Kind)
	})
	if len(f.Parts) == 0 {
		f.Parts = nil
	}
	if len(f.Modes) == 0 {
		f.Modes = nil
	}
}

// onto writes on a card what an application told, as far as a card holds it. How
// a fiscal drive was registered to work its own report tells.
func (f *ApplicationForm) onto(c *fiscal.Card, outlets []Outlet) {
	c.Title, c.LegalAddress = f.Title, f.LegalAddress
	c.OKED, c.VATPercent, c.VATCertificate = f.OKED, f.VATPercent, f.VATCertificate
	c.Outlet, c.OutletTitle, c.OutletAddress = f.Outlet, f.OutletTitle, f.OutletAddress
	for _, o := range outlets {
		if o.ID == f.Outlet {
			c.Latitude, c.Longitude, c.Zone = o.Latitude, o.Longitude, o.Zone
		}
	}
	c.Name, c.ManufactureYear = f.Name, f.ManufactureYear
	if c.Model == "" {
		c.Model = f.Model
	}
	if c.SerialNumber == "" {
		c.SerialNumber = f.SerialNumber
	}
	if f.Drive != "" {
		c.Drive = f.Drive
	}
	c.Parts, c.Connection, c.SIM = f.Parts, f.Connection, f.SIM
}
