package ffd

import "openofd/internal/fiscal"

// ShiftMade is a shift as the operator has it.
type ShiftMade struct {
	Opened   uint32           // number of the report that opened it
	Counters *fiscal.Counters // of its receipts, corrections among them
}

// Counters are what a report states of a shift or of a drive's life.
//
// Source: KKT reference §8.5.
type Counters struct {
	Receipts    uint64 // of every kind
	Operations  [fiscal.OpSettlements]Sums
	Corrections [fiscal.OpSettlements]Sums
	noReceipts  bool // their number is not stated
}

// Sums are the counters of one operation, in the order of sumTags.
type Sums [len(sumTags)]uint64

// sumTags are the requisites of an operation's counters. Corrections have none
// from the tax on.
var sumTags = [...]Tag{1135, 1201, 1136, 1138, 1218, 1219, 1220, 1139, 1140, 1141, 1142, 1143, 1183}

// The places of Sums.
const (
	sumCount = iota
	sumTotal
	sumCash
	sumCashless
	sumPrepaid
	sumCredit
	sumInKind
	sumVAT20
	sumVAT10
	sumVAT20120
	sumVAT10110
	sumTurnover0
	sumUntaxed
)

// Tags of counters.
const (
	TagDriveCounters Tag = 1157
	TagShiftCounters Tag = 1194
)

// Counters reads the counters in a requisite of the document, nil if it is
// absent.
func (d *Document) Counters(t Tag) *Counters {
	at := d.index(t)
	if at < 0 || d.nodes[at].deep {
		return nil
	}
	c := Counters{noReceipts: true}
	for i := at + 1; i < int(d.nodes[at].next); i = int(d.nodes[i].next) {
		switch n := &d.nodes[i]; n.tag {
		case 1134:
			c.Receipts, c.noReceipts = uintOf(d.value(n)), false
		case 1129, 1130, 1131, 1132:
			d.sums(i, &c.Operations[n.tag-1129])
		case 1133:
			for j := i + 1; j < int(n.next); j = int(d.nodes[j].next) {
				for op, tag := range correctionTags {
					if d.nodes[j].tag == tag {
						d.sums(j, &c.Corrections[op])
					}
				}
			}
		}
	}
	return &c
}

// correctionTags are the counters of corrections, by operation.
var correctionTags = [fiscal.OpSettlements]Tag{1145, 1232, 1146, 1233}

func (d *Document) sums(at int, s *Sums) {
	for i := at + 1; i < int(d.nodes[at].next); i = int(d.nodes[i].next) {
		for place, tag := range sumTags {
			if d.nodes[i].tag == tag {
				s[place] = uintOf(d.value(&d.nodes[i]))
			}
		}
	}
}

// counters: N2. What a closing report counts is held against what came of the
// shift, and the drive's counters against those of the previous report.
func (c *checker) counters() {
	shift := c.d.Counters(TagShiftCounters)
	if c.d.Form == FormCloseShift && c.in.Shift != nil {
		c.shiftCounts(c.in.Shift)
		if shift != nil {
			c.shiftCounters(shift, c.in.Shift.Counters)
		}
	}
	drive := c.d.Counters(TagDriveCounters)
	if drive == nil || c.in.Before == nil {
		return
	}
	switch {
	case c.d.Form != FormCloseShift: // made between two shifts
		c.driveCounters(drive, &Counters{})
	case shift != nil:
		c.driveCounters(drive, shift)
	}
}

// shiftCounts: how many documents and receipts there were.
func (c *checker) shiftCounts(made *ShiftMade) {
	const receipts, documents = 1118, 1111
	var count uint64
	for i := range made.Counters.Receipts {
		count += uint64(made.Counters.Receipts[i].Count)
	}
	for _, x := range [...]struct {
		tag  Tag
		ours uint64
	}{{receipts, count}, {documents, uint64(c.d.Number()) - uint64(made.Opened) + 1}} {
		if b, ok := c.d.Value(x.tag); ok && len(b) > 0 && uintOf(b) != x.ours {
			c.found(ruleShiftDocuments, c.at(x.tag), "report", uintOf(b), "ours", x.ours)
		}
	}
}

// shiftCounters compares operation by operation. Whether the counters of an
// operation hold its corrections is not told, so either may be.
func (c *checker) shiftCounters(stated *Counters, ours *fiscal.Counters) {
	at := c.at(TagShiftCounters)
	var all uint64
	for op := range ours.Receipts {
		want := sumsOf(ours, op)
		all += want[sumCount]
		own, corrected := stated.Operations[op], stated.Corrections[op] // copies
		// The drive adds up the receipts' own tax, we that of their lines.
		tolerance := uint64(ours.Operations(op).Count) * lineTolerance
		own[sumVAT20] += own[sumVAT20120]
		own[sumVAT10] += own[sumVAT10110]
		for place := range sumTags {
			if place > sumInKind && corrected[sumCount] > 0 {
				break // corrections are taxed, and their counters do not say how much
			}
			switch place {
			case sumVAT20120, sumVAT10110, sumUntaxed:
				continue // counted with those of the same rate; not counted
			}
			allowed := tolerance
			if place <= sumInKind {
				allowed = 0
			}
			if apart(own[place], want[place]) > allowed && apart(own[place]+corrected[place], want[place]) > allowed {
				c.counterDiffers(ruleCounters, at, Tag(1129+op), sumTags[place], own[place]+corrected[place], want[place])
			}
		}
	}
	if !stated.noReceipts && stated.Receipts != all {
		c.counterDiffers(ruleCounters, at, 1134, 0, stated.Receipts, all)
	}
}

// sumsOf are our counters of an operation as a report states them; what it does
// not count with us is 0.
func sumsOf(ours *fiscal.Counters, op int) (s Sums) {
	r := &ours.Receipts[op]
	paid := func(k fiscal.PayKind) uint64 { return uint64(r.Payments[k.Index()].Sum) }
	s[sumCount], s[sumTotal] = uint64(r.Count), uint64(r.Sum)
	s[sumCash], s[sumCashless], s[sumPrepaid], s[sumCredit] = paid(fiscal.PayCash), paid(fiscal.PayCard), paid(fiscal.PayAdvance), paid(fiscal.PayCredit)
	s[sumInKind] = s[sumTotal] - s[sumCash] - s[sumCashless] - s[sumPrepaid] - s[sumCredit]
	for i := range ours.Taxes {
		t := &ours.Taxes[i]
		switch t.Percent {
		case 20_000, 18_000:
			s[sumVAT20] += uint64(t.Ops[op].Tax)
		case 10_000:
			s[sumVAT10] += uint64(t.Ops[op].Tax)
		case 0:
			s[sumTurnover0] += uint64(t.Ops[op].Turnover)
		}
	}
	return s
}

// driveCounters: those of the drive are what they were and what was added.
func (c *checker) driveCounters(now, added *Counters) {
	at, before := c.at(TagDriveCounters), c.in.Before
	for op := range now.Operations {
		for place, tag := range sumTags {
			if want := before.Operations[op][place] + added.Operations[op][place]; now.Operations[op][place] != want {
				c.counterDiffers(ruleDriveCounters, at, Tag(1129+op), tag, now.Operations[op][place], want)
			}
			if want := before.Corrections[op][place] + added.Corrections[op][place]; now.Corrections[op][place] != want {
				c.counterDiffers(ruleDriveCounters, at, correctionTags[op], tag, now.Corrections[op][place], want)
			}
		}
	}
}

// counterDiffers notes one counter by its place below the requisite at.
func (c *checker) counterDiffers(r rule, at int, in, tag Tag, report, ours uint64) {
	kv := []any{"counter", int(in), "report", report, "ours", ours}
	if tag != 0 {
		kv = append(kv, "tag", int(tag))
	}
	c.found(r, at, kv...)
}
