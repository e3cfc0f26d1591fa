package ffd

import (
	"math/bits"

	"openofd/internal/fiscal"
)

// Circumstances are what a judgement may depend on besides the document.
type Circumstances struct {
	// Now is our clock as a right clock beside the register shows it, or at
	// UTC+14 where its zone is not known. Zero: dates are not compared with it.
	Now fiscal.WallTime
	// Previous is the time of the drive's previous document, zero if there is
	// none.
	Previous fiscal.WallTime
	// Registered is the drive's last registration; nil if we never had one.
	Registered *Registered
	// Severities are the operator's choice; nil is the table's.
	Severities *Severities
	// Shift is what came of the shift that the document closes; nil when not all
	// of it came, so that nothing can be compared.
	Shift *ShiftMade
	// Before are the drive's counters when the previous shift was closed; nil is
	// not known.
	Before *Counters
	// Corrected is the receipt whose sign the document names; nil when it was
	// not looked for.
	Corrected *Corrected
	// Replaced says that a drive takes the place of another with this document.
	Replaced bool
	// Earlier is the format with which the register was registered before.
	Earlier Version
}

// Registered is what the judgement needs of a drive's registration.
type Registered struct {
	INN                string
	RegistrationNumber string // without padding
	Serial             string // of the register
	TaxSystems         uint8  // mask; 0 is not known
	Marks              bool   // the register works with marked goods
	Machine            bool   // it stands in a vending machine
}

// Registered reads from a registration report what later judgements need.
func (d *Document) Registered() *Registered {
	conditions := d.Uint(1290)
	return &Registered{
		INN: PlainINN(d.Text(TagINN)), RegistrationNumber: d.Text(TagRegisterNumber), Serial: d.Text(TagSerial),
		TaxSystems: uint8(d.Uint(TagTaxSystems)),
		Marks:      conditions&(1<<8) != 0,
		Machine:    d.Uint(TagAutomatic) == 1 || d.Uint(1221) == 1 || conditions&(1<<1|1<<14) != 0,
	}
}

// checker holds one judgement.
type checker struct {
	d    *Document
	in   Circumstances
	time fiscal.WallTime
	out  Verdict
}

// Check judges a document by the table of rules. It is a pure function of the
// document and the circumstances. A document that could not be parsed is
// judged by its form alone.
func (d *Document) Check(in Circumstances) Verdict {
	c := checker{d: d, in: in, time: d.Time()}
	if d.shape == nil && d.fault == nil { // never parsed
		return Verdict{Worst: Unreadable}
	}
	if d.fault != nil {
		c.note(ruleForm, d.fault.Path, d.fault.Off, []any{"break", d.fault.Why})
		return c.out
	}
	c.form()
	c.children(-1, 0, len(d.nodes), d.shape, false)
	if d.Form == FormAcknowledgement || d.Form.Marks() {
		return c.out
	}
	c.dates()
	c.parties()
	switch {
	case d.Form.Settles():
		c.receipt()
	case d.Form.Registers():
		c.registration()
	default:
		c.counters()
	}
	return c.out
}

// withdrawn is the day from which FFD 1.0 is no longer valid.
// Source: order MMV-7-20/229@.
var withdrawn = day(2019, 1, 1)

func (c *checker) form() {
	d := c.d
	if d.Version == V100 && c.time >= withdrawn {
		c.found(ruleWithdrawn, -1)
	}
	if most := d.Form.info().Max; len(d.raw)-headLen > most {
		c.found(ruleLength, -1, "length", len(d.raw)-headLen, "most", most)
	}
	if d.deep != 0 {
		c.found(ruleDepth, int(d.deep-1), "most", MaxDepth)
	}
}

// children judges requisites by the table: known, in their place, not
// repeated, of the right length and of a known value, none missing. quiet
// holds within a requisite that itself is out of place.
func (c *checker) children(parent, from, to int, s *shape, quiet bool) {
	var seen rowSet
	d := c.d
	for i := from; i < to; i = int(d.nodes[i].next) {
		n := &d.nodes[i]
		def := n.def()
		switch {
		case def == nil:
			c.found(ruleUnknown, i)
			continue
		case n.row == 0:
			if !quiet {
				c.misplaced(i, n)
			}
		case seen.has(n.row) && !s.at(n.row).many:
			c.found(ruleRepeated, i)
		default:
			seen.add(n.row)
			if def.Since > c.time && c.time != 0 && !c.early(parent) {
				c.found(ruleEarly, i)
			}
		}
		if def.Type == STLV {
			if !n.deep {
				c.children(i, i+1, int(n.next), def.inner[d.Version], quiet || n.row == 0)
				c.tally(i, n)
			}
			continue
		}
		c.value(i, n, def)
	}
	if !quiet && (parent < 0 || d.nodes[parent].row != 0) {
		c.missing(parent, s, &seen)
	}
}

// tally: N2, of one counter: the ways of paying make its total.
func (c *checker) tally(at int, n *node) {
	switch n.tag {
	case 1129, 1130, 1131, 1132, 1145, 1146, 1232, 1233:
	default:
		return
	}
	var total, parts uint64
	stated := false
	for i := at + 1; i < int(n.next); i++ {
		m := &c.d.nodes[i]
		switch v := uintOf(c.d.value(m)); m.tag {
		case 1201:
			total, stated = v, true
		case 1136, 1138, 1218, 1219, 1220:
			parts += v
		}
	}
	if stated && total != parts {
		c.found(ruleTally, at, "total", total, "parts", parts)
	}
}

// early reports whether a requisite is older than its order, so that those in
// it need not be told one by one.
func (c *checker) early(at int) bool {
	return at >= 0 && c.d.nodes[at].def().Since > c.time
}

// misplaced judges a requisite that this version does not have here. Those of
// marked goods came with 1.2.
func (c *checker) misplaced(i int, n *node) {
	switch n.tag {
	case 1163, 1260, 1291, 2102, 2106, 2107:
		if c.d.Version < V120 {
			c.found(ruleMarkVersion, i)
			return
		}
	}
	c.found(rulePlace, i)
}

func (c *checker) value(i int, n *node, def *Definition) {
	b := c.d.value(n)
	switch def.fits(b) {
	case 0:
	case faultUnpadded:
		c.found(ruleUnpadded, i, "length", len(b), "want", def.Size)
	case faultPoint:
		c.found(ruleValue, i, "point", pointOf(b))
		return
	default:
		c.found(ruleValue, i, "length", len(b))
		return
	}
	if def.Values == nil {
		return
	}
	known := true
	switch def.Type {
	case Byte:
		known = def.values.has(b[0])
	case Mask8:
		known = uint32(b[0])&^def.mask == 0
	case Mask32:
		known = uint32(uintOf(b))&^def.mask == 0
	}
	if known {
		return
	}
	switch n.tag {
	case TagOperation, TagTaxSystem, 1199:
		c.found(ruleEnumCore, i, "value", uintOf(b))
	default:
		c.found(ruleEnum, i, "value", uintOf(b))
	}
}

func pointOf(b []byte) int {
	if len(b) == 0 {
		return -1
	}
	return int(b[0])
}

// missing notes what the order requires and is not there.
func (c *checker) missing(parent int, s *shape, seen *rowSet) {
	for w := range s.required {
		for left := s.required[w] &^ seen[w]; left != 0; left &= left - 1 {
			def := s.at(uint8(w*64 + bits.TrailingZeros64(left))).def
			if def.Since != 0 && c.time < def.Since {
				continue
			}
			c.lacks(c.coreOf(parent, def.Tag), parent, def.Tag)
		}
	}
}

// coreOf is the rule that a missing requisite breaks.
func (c *checker) coreOf(parent int, t Tag) rule {
	if parent >= 0 || c.d.Form == FormAcknowledgement || c.d.Form.Marks() {
		return ruleRequired
	}
	switch t {
	case TagTime, TagRegisterNumber, TagNumber, TagDrive, TagSign:
		return ruleCore
	case TagINN:
		if !c.d.Form.Settles() {
			return ruleCore
		}
	case TagTotal, TagShift, TagReceiptNumber, TagOperation:
		if c.d.Form.Settles() {
			return ruleReceiptCore
		}
	case TagItem:
		if c.d.Version >= V110 {
			return ruleReceiptCore
		}
	}
	return ruleRequired
}

// firstDay is the day before which no fiscal drive existed.
var firstDay = day(2016, 9, 1)

func (c *checker) dates() {
	if !c.d.Has(TagTime) {
		return // told as missing
	}
	const aDay = 24 * 60 * 60
	switch {
	case c.time < firstDay:
		c.found(ruleTooOld, c.at(TagTime), "time", c.time.String())
	case c.in.Now != 0 && c.time > c.in.Now+aDay:
		c.found(ruleAhead, c.at(TagTime), "time", c.time.String())
	}
	if c.in.Previous != 0 && c.time < c.in.Previous {
		c.found(ruleBackwards, c.at(TagTime), "time", c.time.String(), "previous", c.in.Previous.String())
	}
}

// at is the place of a requisite of the document itself, −1 if it is absent.
func (c *checker) at(t Tag) int { return c.d.index(t) }
