package kkt

import (
	"cmp"
	"slices"

	"openofd/internal/fiscal"
	"openofd/internal/fiscal/policy"
	wire "openofd/internal/protocol/kkt"
	"openofd/internal/protocol/kkt/ffd"
)

// Code is a marking code that a drive has checked, with what is known of it so
// far. It is forgotten when its sale has been notified, or the shift ends.
//
// Source: KKT reference §10.1, §10.2.
type Code struct {
	Text    string // as the scanner reads it
	Checked uint8  // tags 2004 and 2106: what was checked, and what came of it
	Asked   bool   `json:",omitempty"` // the marking system has answered
	Status  uint8  `json:",omitempty"` // tag 2109 of its answer, 0 none
	Outcome uint8  `json:",omitempty"` // tag 2105 of its answer
}

// Parsed is the code taken apart.
func (c *Code) Parsed() ffd.MarkingCode { return ffd.ParseMarkingCode(c.Text) }

// Mark is the sign that the item bears on paper.
func (c *Code) Mark() ffd.Mark { return ffd.Checked(c.Checked) }

// Bits of Code.Checked.
const (
	checkedByDrive   uint8 = 1
	positiveByDrive  uint8 = 2
	checkedBySystem  uint8 = 4
	positiveBySystem uint8 = 8
)

// Bits of what a drive reports of bad codes (2112) and of bad requests and
// notifications (2113).
const (
	badByAnswer  uint8 = 2
	badByReceipt uint8 = 4

	badRequest      uint8 = 1
	badNotification uint8 = 2
)

// maxCodes is how many codes a drive keeps at a time.
const maxCodes = 128

// Marked is a receipt together with the notification of what is sold in it. The
// drive makes both in one step, so that no power cut leaves a sale of which the
// marking system never hears.
type Marked struct {
	Document
	// Notice words the notification of a receipt that has these numbers.
	Notice func(receipt Numbers) Document
}

// Check checks a marking code, as far as a drive can by itself, and keeps it. A
// simulated drive has no keys of the marking system: a code that real drives can
// check is right when its GTIN is.
//
// Errors: *DriveError, and of the memory.
func (d *Drive) Check(at fiscal.WallTime, text string) (Code, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.broken != nil {
		return Code{}, d.broken
	}
	s := d.contents.State
	if err := d.marking(&s, at); err != nil {
		return Code{}, err
	}
	c := Code{Text: text}
	if p := c.Parsed(); p.DriveChecks() {
		c.Checked = checkedByDrive
		if p.GTINRight() {
			c.Checked |= positiveByDrive
		}
	}
	kept := slices.DeleteFunc(slices.Clone(s.Codes), func(k Code) bool { return k.Text == text })
	if len(kept) >= maxCodes {
		return Code{}, refuse(DriveMarkingFull, "%d codes are kept already", len(kept))
	}
	s.Codes = append(kept, c)
	return c, d.save(Step{State: s})
}

// marking refuses what has to do with marked goods where the drive does not
// work with them now. The caller holds mu.
//
// Source: KKT reference §8.2, §15.
func (d *Drive) marking(s *State, at fiscal.WallTime) error {
	if s.Phase != PhaseFiscal {
		return refuse(DriveWrongState, "marked goods in the phase %v", s.Phase)
	}
	if !s.Marks {
		return refuse(DriveMarkingForbidden, "the register is not registered for marked goods")
	}
	if q := d.contents.Notifications; len(q) > 0 {
		if age, most := at.Sub(q[0].Made), cmp.Or(d.cfg.MaxMarking, policy.For(fiscal.Russia).Marking(at)); most > 0 && age > most {
			return refuse(DriveMarkingBlocked, "notification %d waits for %v, %v are allowed", q[0].Number, age, most)
		}
	}
	return nil
}

// mark judges and enters what a document that is being made says of marked
// goods. The caller holds mu.
func (d *Drive) mark(s *State, at fiscal.WallTime, doc *ffd.Document) error {
	switch form := doc.Form; {
	case form.Registers():
		s.Marks = doc.Registered().Marks && doc.Version >= ffd.V120
	case form == ffd.FormCloseShift:
		s.Codes, s.BadCodes, s.BadRequests = nil, 0, 0
	case form == ffd.FormMarkRequest:
		if err := d.marking(s, at); err != nil {
			return err
		}
		var q ffd.MarkRequest
		doc.Read(&q)
		if q.Code != "" && s.code(q.Code) < 0 {
			return refuse(DriveMarkingOrder, "the code has not been checked")
		}
	case form == ffd.FormMarkNotice:
		if err := d.marking(s, at); err != nil {
			return err
		}
		return s.notified(doc)
	case doc.SellsMarked():
		return d.marking(s, at)
	}
	return nil
}

// notified forgets the codes of a notification, each of which must have been
// checked.
func (s *State) notified(doc *ffd.Document) error {
	var n ffd.MarkNotice
	doc.Read(&n)
	left := slices.Clone(s.Codes)
	for _, g := range n.Goods {
		i := slices.IndexFunc(left, func(c Code) bool { return c.Text == g.Code })
		if i < 0 {
			return refuse(DriveCodeNotChecked, "a code that has not been checked, or stands twice")
		}
		left = slices.Delete(left, i, i+1)
	}
	s.Codes = left
	return nil
}

// code is the place of a code that was checked, −1 if it was not.
func (s *State) code(text string) int {
	return slices.IndexFunc(s.Codes, func(c Code) bool { return c.Text == text })
}

// sound compares a notification with the receipt that it is about: it names the
// receipt's number, says as the receipt whether it was made on the Internet, and
// names each marked good.
func sound(receipt Made, notice []byte) error {
	r, err := ffd.Parse(receipt.Bytes, 0)
	if err != nil {
		return &DriveError{Code: DriveBadRequisite, Why: err.Error(), Err: err}
	}
	var of struct {
		Internet bool `ffd:"1125"`
		Items    []struct {
			Checked *uint8 `ffd:"2106"`
		} `ffd:"1059"`
	}
	r.Read(&of)
	marked := 0
	for _, i := range of.Items {
		if i.Checked != nil {
			marked++
		}
	}
	doc, err := ffd.Parse(notice, ffd.V120)
	if err != nil {
		return &DriveError{Code: DriveBadRequisite, Why: err.Error(), Err: err}
	}
	var n ffd.MarkNotice
	doc.Read(&n)
	switch {
	case n.Receipt != receipt.Numbers.Number:
		return refuse(DriveBadRequisite, "2040: receipt %d, this is %d", n.Receipt, receipt.Numbers.Number)
	case n.Internet != of.Internet:
		return refuse(DriveBadRequisite, "1125: %t, the receipt says %t", n.Internet, of.Internet)
	case len(n.Goods) != marked:
		return refuse(DriveBadRequisite, "2007: %d goods, the receipt has %d with marks", len(n.Goods), marked)
	}
	return nil
}

// answered enters what the marking system says of a request.
func (s *State) answered(request, answer []byte) {
	asked, err := ffd.Parse(request, ffd.V120)
	if err != nil {
		return
	}
	said, err := ffd.Parse(answer, ffd.V120)
	if err != nil {
		return
	}
	var q ffd.MarkRequest
	var a ffd.MarkAnswer
	asked.Read(&q)
	said.Read(&a)
	if a.Outcome == 1 { // the request was malformed
		s.BadRequests |= badRequest
	}
	i := s.code(q.Code)
	if i < 0 {
		return
	}
	s.Codes = slices.Clone(s.Codes)
	c := &s.Codes[i]
	c.Asked, c.Outcome = true, a.Outcome
	if a.Status != nil {
		c.Status = *a.Status
	}
	if a.Checked != nil {
		c.Checked = c.Checked&^(checkedBySystem|positiveBySystem) | *a.Checked&(checkedBySystem|positiveBySystem)
	}
	if c.Checked&checkedBySystem != 0 && c.Checked&positiveBySystem == 0 {
		s.BadCodes |= badByAnswer
	}
}

// receipted enters what the marking system says of a notification.
func (s *State) receipted(answer []byte) {
	doc, err := ffd.Parse(answer, ffd.V120)
	if err != nil {
		return
	}
	var r ffd.MarkReceipt
	doc.Read(&r)
	if r.Outcome != 0 {
		s.BadRequests |= badNotification
	}
	if r.Result != nil && *r.Result != 0 {
		s.BadCodes |= badByReceipt
	}
}

// plain is the document in an unencrypted container.
func plain(frame []byte) []byte {
	const trailer = 10 // the message sign and two zeros
	f, err := wire.ParseFrame(frame)
	if err != nil || len(f.Payload()) < trailer {
		return nil
	}
	return f.Payload()[:len(f.Payload())-trailer]
}
