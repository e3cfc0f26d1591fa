package ffd

import "openofd/internal/fiscal"

// DriveKind is a generation of fiscal drives. The model is not on the wire;
// tag 1190 of a registration report tells the newest format of the drive, and
// with it the generation.
type DriveKind struct {
	Name    string
	Formats []Version // that its documents may have, oldest first
	// Until is the first day on which no register is registered with it any
	// more; 0 is none. One that is registered works on until its keys end.
	Until fiscal.WallTime
}

// has reports whether documents of a format can be made with such a drive.
func (k *DriveKind) has(v Version) bool {
	for _, f := range k.Formats {
		if f == v {
			return true
		}
	}
	return false
}

// driveKinds are the generations, by the number of their newest format.
//
// Source: law 54-FZ article 4.1 and the tax service's letter AB-4-20/8056@ of
// 09.06.2021: two years after the demands on drives of 06.08.2019 came in force
// those that do not meet them, which is all without FFD 1.2, are no longer
// registered.
var driveKinds = [versionEnd]DriveKind{
	V100: {"FN-1", []Version{V100, V105}, day(2021, 8, 6)}, // stated by the first of them, which make 1.05 as well
	V105: {"FN-1", []Version{V100, V105}, day(2021, 8, 6)},
	V110: {"FN-1.1", []Version{V100, V105, V110}, day(2021, 8, 6)},
	V120: {"FN-1.1M", []Version{V105, V110, V120}, 0},
}

// DriveKindOf is the generation of drives whose newest format is v; ok is false
// for a format that is not known.
func DriveKindOf(v Version) (k DriveKind, ok bool) {
	if !v.Known() {
		return k, false
	}
	return driveKinds[v], true
}

// The reasons of a change of registration that our code asks for, as bits of tag
// 1205. The first is also what Changes makes of code 1 of tag 1101.
const (
	ChangeDrive  uint32 = 1 << 0
	ChangeFormat uint32 = 1 << 21
)

// Changes are the reasons of a report on changed data as a mask: that of tag
// 1205, or 1 << code-1 of the codes in 1101, which stand for other things than
// the bits from the third on.
func (d *Document) Changes() (mask uint32) {
	for i := 0; i < len(d.nodes); i = int(d.nodes[i].next) {
		switch n := &d.nodes[i]; n.tag {
		case 1205:
			mask |= uint32(uintOf(d.value(n)))
		case 1101:
			if code := uintOf(d.value(n)); code >= 1 && code <= 32 {
				mask |= 1 << (code - 1)
			}
		}
	}
	return mask
}

// registration: R1 and R2. 1101 has no code for another format.
func (c *checker) registration() {
	d := c.d
	if d.Form == FormRegistrationNew {
		stated := d.Changes()
		reasons := c.at(1205)
		if reasons < 0 {
			reasons = c.at(1101)
		}
		if c.in.Replaced && stated&ChangeDrive == 0 {
			c.found(ruleReasonDrive, reasons)
		}
		if before := c.in.Earlier; before != 0 && before != d.Version && stated&ChangeFormat == 0 {
			c.found(ruleReasonFormat, reasons, "before", before.String(), "now", d.Version.String())
		}
	}
	if b, ok := d.Value(1189); ok && len(b) == 1 && Version(b[0]).Known() && d.Version > Version(b[0]) {
		c.found(ruleRegisterFormat, c.at(1189), "format", d.Version.String(), "register", Version(b[0]).String())
	}
	b, ok := d.Value(1190)
	if !ok || len(b) != 1 {
		return
	}
	kind, ok := DriveKindOf(Version(b[0]))
	if !ok {
		return // told as an unknown value
	}
	if !kind.has(d.Version) {
		c.found(ruleDriveFormat, c.at(1190), "format", d.Version.String(), "drive", kind.Name)
	}
	// A report on other data leaves the drive in its register.
	if kind.Until != 0 && c.time >= kind.Until && (d.Form == FormRegistration || c.in.Replaced) {
		c.found(ruleDriveOld, c.at(1190), "drive", kind.Name, "until", kind.Until.UTC().Format("2006-01-02"))
	}
}
