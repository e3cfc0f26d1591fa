package kkt

import (
	"reflect"
	"strings"
	"unicode"

	"openofd/internal/fiscal"
	"openofd/internal/protocol/kkt/ffd"
)

// restated is the register's card as its registration report says, the next
// version; nil if the report changes nothing, or is not to be believed. The
// registry knows whose register it is, and once it was registered its number and
// its serial number: the report can complete a provisional card, and tell where
// the register stands, how it works and which drive it has.
//
// Source: KKT reference §9.
func (j *judgement) restated(p *paper) *fiscal.Card {
	doc, old := p.doc, j.card
	if !doc.Form.Registers() || !p.readable || p.late {
		return nil
	}
	r := doc.Registered()
	operator := ffd.PlainINN(doc.Text(ffd.TagOFDINN))
	switch {
	case r.INN != string(old.XIN) || operator != "" && operator != string(j.s.Operator.INN):
		return nil
	case !fiscal.ValidRussianNumber(r.RegistrationNumber, r.INN, r.Serial):
		return nil
	case !old.Provisional && r.RegistrationNumber != old.RegistrationNumber:
		return nil
	case old.SerialNumber != "" && r.Serial != old.SerialNumber:
		return nil
	}
	c := *old
	c.RegistrationNumber, c.Provisional, c.SerialNumber, c.Drive = r.RegistrationNumber, false, r.Serial, p.drive.number.String()
	c.TaxSystem = uint32(r.TaxSystems)
	if place := line(doc.Text(1009)); place != "" {
		c.OutletAddress.RU = place
	}
	if place := line(doc.Text(1187)); place != "" {
		c.OutletTitle.RU = place
	}
	c.Format, c.Software, c.Modes = doc.Version.String(), line(doc.Text(1188)), modes(doc)
	if reflect.DeepEqual(&c, old) {
		return nil
	}
	c.Version, c.Since = old.Version+1, j.s.Exchange.Received
	return &c
}

// maxLine is the longest text of a card, in characters; a document may have one
// more.
const maxLine = 255

// line is a text of a document as a card holds it: one line without control
// characters.
func line(s string) string {
	s = strings.Join(strings.FieldsFunc(s, func(r rune) bool { return unicode.IsControl(r) || unicode.IsSpace(r) }), " ")
	if all := []rune(s); len(all) > maxLine {
		s = strings.TrimSpace(string(all[:maxLine]))
	}
	return s
}

// modes are the signs of a registration report, by name. In 1.2 most are bits of
// tag 1290.
//
// Source: KKT reference §9; tag 1290.
func modes(doc *ffd.Document) []string {
	conditions := doc.Uint(1290)
	var all []string
	for _, m := range [...]struct {
		name string
		tag  ffd.Tag
		bit  uint64 // of 1290
	}{
		{"automatic", ffd.TagAutomatic, 0}, {"offline", ffd.TagOffline, 0}, {"encrypted", 1056, 0},
		{"printer_in_machine", 1221, 1 << 1}, {"bso", 1110, 1 << 2}, {"internet", 1108, 1 << 5}, {"excise", 1207, 1 << 6},
		{"marked_goods", 0, 1 << 8}, {"services", 1109, 1 << 9}, {"gambling", 1193, 1 << 10}, {"lottery", 1126, 1 << 11},
		{"pawnshop", 0, 1 << 12}, {"insurance", 0, 1 << 13}, {"vending", 0, 1 << 14}, {"catering", 0, 1 << 15}, {"marked_wholesale", 0, 1 << 16},
	} {
		if m.tag != 0 && doc.Uint(m.tag) == 1 || m.bit != 0 && conditions&m.bit != 0 {
			all = append(all, m.name)
		}
	}
	return all
}

// unsettled reports whether registration data changed before the shift was
// closed or before everything had come: of the drive itself, or of the one that
// it takes the place of. What is missing of a register that had another operator
// is with that one.
//
// Source: KKT reference §8.1, §8.3.
func (j *judgement) unsettled(p *paper) bool {
	const anotherOperator = 1 << 1 // of 1205, and code 2 of 1101
	d, old := p.drive, j.before(p)
	switch {
	case p.late || !p.doc.Form.Registers():
		return false
	case old != nil:
		return j.s.State.Shift.Open && old.shift || old.waits() || len(old.seen) > 1
	case p.doc.Form != ffd.FormRegistrationNew || p.fresh:
		return false
	case j.s.State.Shift.Open && d.shift:
		return true
	}
	return p.doc.Changes()&anotherOperator == 0 && (p.number > d.highest()+1 || d.waits())
}

// waits reports whether documents waited in the drive when its last document was
// made, as far as that is known: it was a closing report that said so.
func (d *drive) waits() bool { return d.unsent > 0 && d.closing != 0 && d.closing == d.highest() }
