package kkt

import (
	"openofd/internal/fiscal"
	"openofd/internal/protocol/kkt/ffd"
)

// document judges a document that has not come before.
func (j *judgement) document() (fiscal.Decision, error) {
	q := j.req
	h := &q.Frame.FrameHeader
	d := j.memory.open(h.Drive)
	late := h.Number < d.highest() || !j.memory.current(d)

	doc := &q.doc
	broken := doc.Parse(q.Opened.Document, VersionOf(q.Outline.Version, d.version, q.Header.Version))
	in := ffd.Circumstances{Now: j.clock, Registered: j.registered(d), Severities: j.rules.Severities}
	if !late {
		in.Previous = d.last
	}
	verdict := doc.Check(in)
	code := Response(verdict.Code())

	rec := fiscal.Record{Format: formatOf(doc.Version, q.Opened.Encrypted), Outcome: uint16(code), Flags: flagsOf(&verdict)}
	doc.Fill(&rec)
	rec.Drive, rec.DeviceNumber = h.Drive.String(), uint64(h.Number) // what is authentic, whatever the body says
	if rec.DeviceTime <= 0 {
		rec.DeviceTime = j.clock
		rec.Flags |= fiscal.FlagTimeInvalid
	}
	rec.Flags |= j.circumstantial(d, doc, &rec, late)

	next := j.s.State.Clone()
	rec.Flags |= j.enter(next, d, doc, &rec, late)
	j.remember(d, doc, &rec, broken == nil, late)
	next.Protocol = j.memory.append(next.Protocol[:0])

	answer, err := q.acknowledge(string(j.s.Operator.INN), doc.Version, j.clock, code)
	if err != nil {
		return fiscal.Decision{}, err
	}
	rec.Request, rec.Answer = j.s.Exchange.Request, answer
	return fiscal.Decision{Records: []fiscal.Record{rec}, Next: next, Answer: answer, Result: uint16(code)}, nil
}

// registered is what the drive's documents are compared with: its last
// registration report, or what the registry knows until one has come.
func (j *judgement) registered(d *drive) *ffd.Registered {
	if d.registered != nil || j.card.Provisional {
		return d.registered
	}
	return &ffd.Registered{INN: string(j.card.XIN), RegistrationNumber: j.card.RegistrationNumber, Serial: j.card.SerialNumber}
}

// circumstantial are the flags that follow from what is known of drive and
// register.
//
// Source: KKT reference §8, §9, §14 (A1a, I3, N1).
func (j *judgement) circumstantial(d *drive, doc *ffd.Document, rec *fiscal.Record, late bool) fiscal.Flags {
	var f fiscal.Flags
	number := uint32(rec.DeviceNumber)
	if late {
		f |= fiscal.FlagDocumentLate
	} else if number > d.highest()+1 {
		f |= fiscal.FlagDocumentGap
	}
	if j.req.Sign == SignWrong {
		f |= fiscal.FlagSign
	}
	if j.clock.Sub(rec.DeviceTime) > j.law.Offline {
		f |= fiscal.FlagLateReplay
	}
	switch {
	case rec.Kind == fiscal.DocRegistration:
		r := doc.Registered()
		if r.INN != string(j.card.XIN) || !j.card.Provisional && r.RegistrationNumber != j.card.RegistrationNumber ||
			doc.Text(ffd.TagOFDINN) != string(j.s.Operator.INN) || doc.Uint(ffd.TagOffline) == 1 {
			f |= fiscal.FlagRegisterData
		}
		if doc.Form == ffd.FormRegistrationNew && !late && (j.s.State.Shift.Open && d.shift || d.unsent > 0) {
			f |= fiscal.FlagReregistered
		}
	case d.registered == nil:
		f |= fiscal.FlagUnregistered
	case d.offline:
		f |= fiscal.FlagRegisterData // such a register never sends
	}
	if rec.Kind == fiscal.DocReceipt && d.marking.overdue(rec.DeviceTime, j.law) && doc.SellsMarked() {
		f |= fiscal.FlagMarkingOverdue
	}
	return f
}

// enter moves the register's shift and counters on, and says what is odd. A
// document out of turn, or with amounts that no counter holds, is stored and
// not counted.
func (j *judgement) enter(next *fiscal.State, d *drive, doc *ffd.Document, rec *fiscal.Record, late bool) fiscal.Flags {
	if late {
		return fiscal.FlagUncounted
	}
	making := fiscal.Making{Time: rec.DeviceTime, Received: j.s.Exchange.Received, Shift: rec.Shift, Own: true}
	var f fiscal.Flags
	switch rec.Kind {
	case fiscal.DocReceipt:
		r := doc.Counted()
		if !next.Shift.Open || next.Shift.Number != rec.Shift {
			f |= fiscal.FlagShiftNotOpened
		}
		if !r.Op.Settlement() {
			return f | fiscal.FlagUncounted
		}
		f |= next.AddReceipt(&r, making) &^ fiscal.FlagCashNegative // the protocol knows no deposits
		if !next.Counters.Sane() {
			*next = *j.s.State.Clone()
			return f | fiscal.FlagUncounted
		}
		if rec.DeviceTime.Sub(next.Shift.OpenedAt) > j.law.Shift {
			f |= fiscal.FlagShiftTooLong
		}
	case fiscal.DocShiftOpen:
		f |= next.AddOpening(making)
	case fiscal.DocShiftClose:
		z, odd := next.CloseShift(making)
		f |= odd
		next.LastZ = j.s.State.LastNumber + 1
		if stated, ok := doc.Value(tagShiftReceipts); ok && len(stated) > 0 && doc.Uint(tagShiftReceipts) != receipts(&z.Counters) {
			f |= fiscal.FlagReportDiffers
		}
	default:
		return f
	}
	if !d.shift { // a new drive counts from the beginning
		f &^= fiscal.FlagShiftGap | fiscal.FlagShiftNumber
	}
	d.shift = true
	return f
}

const (
	tagShiftReceipts ffd.Tag = 1118 // in the closing report
	tagUnsent        ffd.Tag = 1097
	tagUnsentSince   ffd.Tag = 1098
)

// receipts is how many receipts a shift has had.
func receipts(c *fiscal.Counters) (n uint64) {
	for i := range c.Receipts {
		n += uint64(c.Receipts[i].Count)
	}
	return n
}

// remember notes in the state what the document tells of its drive.
func (j *judgement) remember(d *drive, doc *ffd.Document, rec *fiscal.Record, readable, late bool) {
	if !late {
		d.last = rec.DeviceTime
	}
	d.add(uint32(rec.DeviceNumber))
	d.heard = j.clock
	if !readable {
		return
	}
	if doc.Has(tagUnsent) && !late {
		d.unsent, d.since = uint32(doc.Uint(tagUnsent)), fiscal.WallTime(doc.Uint(tagUnsentSince))
	}
	if doc.Version == ffd.V120 && (doc.Form == ffd.FormCloseShift || doc.Form == ffd.FormState) && !late {
		d.marking.told(uint32(doc.Uint(ffd.Tag(tagUnsentNotices))), rec.DeviceTime) // absent where none waits
	}
	switch rec.Kind {
	case fiscal.DocRegistration:
		d.take(doc.Registered(), doc.Version, uint32(rec.DeviceNumber))
		d.offline = doc.Uint(ffd.TagOffline) == 1
	case fiscal.DocDriveClose:
		d.closed = true
	}
}

// formats name the decoders of entries by version of the format.
var formats = [...]string{ffd.V100: "kkt/1.0", ffd.V105: "kkt/1.05", ffd.V110: "kkt/1.1", ffd.V120: "kkt/1.2"}

// sealedFormat stands behind the format of a container that was encrypted.
const sealedFormat = "/sealed"

func formatOf(v ffd.Version, encrypted bool) string {
	if encrypted {
		return formats[v] + sealedFormat
	}
	return formats[v]
}

// findingFlags leads from the rows of the format's rules to flags. What has no
// row is told by the outcome, or by judging the stored document again.
var findingFlags = map[string]fiscal.Flags{
	"core": fiscal.FlagMissing, "receipt_core": fiscal.FlagMissing, "required": fiscal.FlagMissing,
	"rate_date": fiscal.FlagTaxRate, "imputed": fiscal.FlagTaxRate, "rate_twice": fiscal.FlagTaxLevels,
	"too_old": fiscal.FlagTimeInvalid, "ahead": fiscal.FlagClockAhead, "backwards": fiscal.FlagClockBackwards,
	"registered": fiscal.FlagRegisterData, "register_number": fiscal.FlagRegisterData, "tax_registered": fiscal.FlagRegisterData,
	"items_total": fiscal.FlagTotal, "payments": fiscal.FlagPayments, "cashless_sum": fiscal.FlagPayments,
	"line": fiscal.FlagLineSum, "line_vat": fiscal.FlagTaxSum, "vat_total": fiscal.FlagTaxSum,
	"phone": fiscal.FlagBuyerContact, "internet": fiscal.FlagBuyerContact,
}

func flagsOf(v *ffd.Verdict) (f fiscal.Flags) {
	for i := range v.Findings {
		f |= findingFlags[v.Findings[i].Key]
	}
	return f
}
