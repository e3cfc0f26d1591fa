package kkt

import (
	"fmt"
	"strings"

	"openofd/internal/fiscal"
	"openofd/internal/protocol/kkt/ffd"
)

// document judges a document that has not come before.
func (j *judgement) document() (fiscal.Decision, error) {
	q := j.req
	h := &q.Frame.FrameHeader
	rounds := 0
	if j.memory.saw(h.Drive, h.Number) != unseen {
		rounds = 1 // to learn that it has not come before
	}
	d := j.memory.open(h.Drive)
	p := paper{doc: &q.doc, drive: d, number: h.Number, fresh: len(d.seen) == 0, answered: j.s.Found.Rounds > rounds}
	p.late = h.Number < d.highest() || !j.memory.current(d)
	p.readable = q.parse(d.version) == nil
	p.sign, p.card = p.doc.CorrectedSign(), j.restated(&p)
	if needs := j.needs(&p); needs != nil {
		return fiscal.Decision{Needs: needs}, nil
	}
	doc, in := p.doc, j.circumstances(&p)
	verdict := doc.Check(in)
	code := Response(verdict.Code())

	rec := fiscal.Record{Format: formatOf(doc.Version, q.Opened.Encrypted), Outcome: uint16(code), Flags: flagsOf(&verdict)}
	doc.Fill(&rec)
	rec.Drive, rec.DeviceNumber = h.Drive.String(), uint64(h.Number) // what is authentic, whatever the body says
	if rec.DeviceTime <= 0 {
		rec.DeviceTime = j.clock
		rec.Flags |= fiscal.FlagTimeInvalid
	}
	if j.rules.Service.Over(j.card, j.law.Grace, j.law.Offline, j.s.Now, rec.DeviceTime) {
		if j.rules.Service.Refuse {
			return refuse(fiscal.NoService, "", "the contract is over"), nil
		}
		rec.Flags |= fiscal.FlagNoService
	}
	rec.Flags |= j.circumstantial(&p, &rec)

	next := j.s.State.Clone()
	entered := j.enter(next, d, doc, &rec, p.late)
	rec.Flags |= entered
	rec.Flags |= j.remember(&p, &rec, entered, in.Corrected)
	decision := fiscal.Decision{Next: next, Result: uint16(code), Detail: detailOf(&verdict)}
	switch {
	case p.card != nil && j.s.Found.Taken:
		rec.Flags |= fiscal.FlagRegisterData
	case p.card != nil && code == ResponseAccepted:
		rec.Flags |= fiscal.FlagCardMade
		decision.Card = p.card
	}
	next.Protocol = j.memory.append(next.Protocol[:0])

	answer, err := q.acknowledge(string(j.s.Operator.INN), doc.Version, j.clock, code)
	if err != nil {
		return fiscal.Decision{}, err
	}
	rec.Request, rec.Answer = j.s.Exchange.Request, answer
	decision.Records, decision.Answer = []fiscal.Record{rec}, answer
	return decision, nil
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
func (j *judgement) circumstantial(p *paper, rec *fiscal.Record) fiscal.Flags {
	var f fiscal.Flags
	d, doc := p.drive, p.doc
	if p.late {
		f |= fiscal.FlagDocumentLate
	}
	if p.number > d.highest()+1 {
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
		if j.unsettled(p) {
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
		_, odd := next.CloseShift(making)
		f |= odd
		next.LastZ = j.s.State.LastNumber + 1
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
	tagUnsent      ffd.Tag = 1097
	tagUnsentSince ffd.Tag = 1098
)

// remember notes in the state what the document tells of its drive, and says
// whether it was the last one missing before another.
func (j *judgement) remember(p *paper, rec *fiscal.Record, entered fiscal.Flags, corrected *ffd.Corrected) (f fiscal.Flags) {
	d, doc := p.drive, p.doc
	if !p.late {
		d.last = rec.DeviceTime
	}
	gap, gaps := p.number > d.highest()+1, 0
	if p.late {
		gaps = len(d.gaps())
	}
	d.add(p.number)
	switch {
	case gap:
		d.gapped = j.clock
	case p.late && len(d.gaps()) < gaps:
		f = fiscal.FlagGapFilled
	}
	d.heard = j.clock
	if entered.Has(fiscal.FlagUncounted) && p.number > d.opened {
		d.opened = 0 // the counters of the shift lack it
	}
	if !p.readable {
		return f
	}
	if doc.Has(tagUnsent) && !p.late {
		d.unsent, d.since = uint32(doc.Uint(tagUnsent)), fiscal.WallTime(doc.Uint(tagUnsentSince))
	}
	if doc.Version == ffd.V120 && (doc.Form == ffd.FormCloseShift || doc.Form == ffd.FormState) && !p.late {
		d.marking.told(uint32(doc.Uint(ffd.Tag(tagUnsentNotices))), rec.DeviceTime) // absent where none waits
	}
	d.correct(p, rec.Op, corrected)
	switch rec.Kind {
	case fiscal.DocRegistration:
		d.take(doc.Registered(), doc.Version, p.number)
		d.offline = doc.Uint(ffd.TagOffline) == 1
		if d.register == p.number {
			d.reasons, d.software = doc.Changes(), short(doc.Text(1188))
		}
	case fiscal.DocShiftOpen:
		if !p.late {
			d.opened = p.number
		}
	case fiscal.DocShiftClose:
		if !p.late {
			d.opened, d.closing = 0, p.number
		}
	case fiscal.DocDriveClose:
		d.closed = true
	}
	return f
}

// short is a text as the state keeps it: none that is longer than it can be.
func short(s string) string {
	if len(s) > maxText {
		return ""
	}
	return s
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
	"counters": fiscal.FlagReportDiffers, "drive_counters": fiscal.FlagReportDiffers, "shift_documents": fiscal.FlagReportDiffers,
	"corrected_unknown": fiscal.FlagCorrection, "reverse_differs": fiscal.FlagCorrection, "reverse_missing": fiscal.FlagCorrection,
	"reversed_twice": fiscal.FlagCorrection, "reason_drive": fiscal.FlagRegisterData, "reason_format": fiscal.FlagRegisterData,
	"drive_format": fiscal.FlagFormat, "register_format": fiscal.FlagFormat, "drive_old": fiscal.FlagFormat,
}

func flagsOf(v *ffd.Verdict) (f fiscal.Flags) {
	for i := range v.Findings {
		f |= findingFlags[v.Findings[i].Key]
	}
	return f
}

// detailOf names for the log what a closing report counts otherwise than we do:
// row, place and counter, and none of the amounts. What every receipt of a
// register can be told of, as another owner, is left to its flag.
func detailOf(v *ffd.Verdict) string {
	var b strings.Builder
	for i := range v.Findings {
		f := &v.Findings[i]
		if findingFlags[f.Key] != fiscal.FlagReportDiffers {
			continue
		}
		if b.Len() > 0 {
			b.WriteString("; ")
		}
		fmt.Fprintf(&b, "%s %s", f.Key, f.Path)
		for _, place := range [...]string{"counter", "tag"} {
			if at, ok := f.Args[place]; ok {
				fmt.Fprintf(&b, ".%v", at)
			}
		}
	}
	return b.String()
}
