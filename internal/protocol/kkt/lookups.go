package kkt

import (
	"slices"

	"openofd/internal/fiscal"
	"openofd/internal/protocol/kkt/ffd"
)

// paper is a document that has not come before, and what is known of it before
// it is judged.
type paper struct {
	doc      *ffd.Document
	drive    *drive
	number   uint32
	readable bool
	late     bool   // came after later documents of the register
	fresh    bool   // the first of its drive
	sign     uint32 // of the receipt it corrects, 0 none
	answered bool   // what it needed was read
	card     *fiscal.Card
}

// before is the drive that this one takes the place of, nil if there is none or
// this one was heard already.
func (j *judgement) before(p *paper) *drive {
	if n := len(j.memory.drives); p.fresh && n > 1 && j.memory.current(p.drive) {
		return &j.memory.drives[n-2]
	}
	return nil
}

// needs is what else has to be read before the document can be judged, nil if
// nothing: the receipt that it corrects, the closing report before it, and
// whether a new registration number leads elsewhere.
func (j *judgement) needs(p *paper) *fiscal.Needs {
	if p.answered {
		return nil
	}
	var n fiscal.Needs
	asks := false
	if p.sign != 0 {
		n.Sign, asks = &fiscal.SignQuery{Drive: p.drive.number.String(), Sign: uint64(p.sign), Before: uint64(p.number)}, true
	}
	if p.drive.closing != 0 && j.comparesDrive(p) {
		n.Drive, n.DeviceNumber, asks = p.drive.number.String(), uint64(p.drive.closing), true
	}
	if p.card != nil && p.card.RegistrationNumber != j.card.RegistrationNumber {
		n.Lead, asks = &fiscal.Address{Kind: fiscal.ByRegistrationNumber, Name: p.card.RegistrationNumber}, true
	}
	if !asks {
		return nil
	}
	return &n
}

// circumstances are what the format's rules may know besides the document.
func (j *judgement) circumstances(p *paper) ffd.Circumstances {
	d := p.drive
	in := ffd.Circumstances{Now: j.clock, Registered: j.registered(d), Severities: j.rules.Severities}
	if !p.late {
		in.Previous, in.Earlier = d.last, d.version
	}
	if old := j.before(p); old != nil {
		in.Replaced, in.Earlier = true, old.version
	}
	if s := &j.s.State.Shift; p.doc.Form == ffd.FormCloseShift && j.whole(p, d.opened) && s.Open && uint64(s.Number) == p.doc.Uint(ffd.TagShift) {
		in.Shift = &ffd.ShiftMade{Opened: d.opened, Counters: &j.s.State.Counters}
	}
	if j.comparesDrive(p) {
		in.Before = j.driveCounters(p)
	}
	if p.sign != 0 {
		in.Corrected = j.corrected(p)
	}
	return in
}

// whole reports whether every document from one on has come before this one.
func (j *judgement) whole(p *paper, from uint32) bool {
	if p.late || from == 0 {
		return false
	}
	i, in := p.drive.find(from)
	return in && p.drive.seen[i].last+1 == p.number
}

// comparesDrive reports whether the document's counters of the drive can be held
// against those of the closing report before it: nothing is missing between
// them.
func (j *judgement) comparesDrive(p *paper) bool {
	switch p.doc.Form {
	case ffd.FormCloseShift:
	case ffd.FormState, ffd.FormCloseDrive:
		if j.s.State.Shift.Open {
			return false
		}
	default:
		return false
	}
	return p.doc.Has(ffd.TagDriveCounters) && j.whole(p, max(p.drive.closing, 1))
}

// driveCounters are those of the closing report before the document; those of a
// drive that has closed no shift are zeros. nil is a report without them, or one
// that cannot be opened.
func (j *judgement) driveCounters(p *paper) *ffd.Counters {
	if p.drive.closing == 0 {
		return &ffd.Counters{}
	}
	for i := range j.s.Found.ByDevice {
		rec := &j.s.Found.ByDevice[i]
		if rec.Kind != fiscal.DocShiftClose || rec.DeviceNumber != uint64(p.drive.closing) {
			continue
		}
		if doc, err := (Reader{j.req.module}).parse(rec); err == nil {
			return doc.Counters(ffd.TagDriveCounters)
		}
	}
	return nil
}

// corrected is the receipt that the document corrects. It is called unknown only
// when all that the register ever made could be looked through.
func (j *judgement) corrected(p *paper) *ffd.Corrected {
	d := p.drive
	c := ffd.Corrected{Reversed: slices.Contains(d.reversed, p.sign), Unsure: len(d.reversed) == maxReversed}
	for i := range j.s.Found.BySign {
		if rec := &j.s.Found.BySign[i]; rec.Kind == fiscal.DocReceipt {
			c.Receipt = rec
		}
	}
	all := len(j.memory.drives) == 1 && !j.memory.forgotten && j.whole(p, 1) && p.number <= fiscal.SignWindow
	if c.Receipt == nil && !all {
		return nil
	}
	return &c
}

// correct notes which receipts were taken back and are still to be put right.
func (d *drive) correct(p *paper, op fiscal.Op, c *ffd.Corrected) {
	if c == nil || c.Receipt == nil {
		return
	}
	at := slices.Index(d.reversed, p.sign)
	switch reverses := ffd.Reverses(c.Receipt.Op, op); {
	case reverses && at < 0:
		if len(d.reversed) == maxReversed {
			d.reversed = slices.Delete(d.reversed, 0, 1)
		}
		d.reversed = append(d.reversed, p.sign)
	case !reverses && at >= 0:
		d.reversed = slices.Delete(d.reversed, at, at+1)
	}
}
