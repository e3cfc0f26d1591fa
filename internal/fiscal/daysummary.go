package fiscal

import "slices"

// DaySummary is what the documents of a register came to that its own clock
// dates on one day. It is made of the register's entries in their order and of
// nothing else, so whoever makes it anew gets the same, its Version included.
//
// Documents are receipts, movements of cash, cancellations and reports; acts and
// notices are none. What was canceled counts as a document and is in no sum, as
// is a document that does not enter the register's counters (FlagUncounted).
//
// Source: order 135 of 27.02.2015 item 22 (daily summaries).
type DaySummary struct {
	Day         WallTime // its midnight
	Register    RegisterID
	Taxpayer    TaxpayerID
	CardVersion uint32 // of the last document
	// Version is the last entry that changed the summary: documents that come
	// late make it a higher one. 0 is a day without documents.
	Version   Number
	Documents int64
	Offline   int64 // of these
	Shifts    int64 // that were closed
	First     Edge  // by entry, not by the clock
	Last      Edge
	Hash      [32]byte // of the entry Last in the chain of its register
	Receipts  [OpSettlements]Tally
	Moves     [OpMoves]Tally
	Taxes     []TaxTally // by kind, then percent, ascending
	Cash      Money      // of receipts, what came in less what went out
	Cashless  Money      // likewise
	Mobile    Money      // contained in Cashless
	Other     Money      // likewise of receipts: credit, tare, advance
	Opening   Money      // cash in the drawer before the first document
	Drawer    Money      // and after the last entry that moved it
	// Before is the day that the register's entries were on before they came to
	// this one, 0 if there was none.
	Before WallTime
}

// DayOf names a day of a register. Day 0 is the one that its last document was
// counted on.
type DayOf struct {
	Register RegisterID
	Day      WallTime
}

// Edge is one end of a day.
type Edge struct {
	Number Number   // of the entry; 0: the day has none
	Time   WallTime // by the register's clock
}

// Count takes a document in. doc may lack its content when that cannot be read;
// taxes by rate and mobile payments are then unknown. hash is the entry's.
func (s *DaySummary) Count(doc *Document, hash [32]byte) {
	if s.First.Number == 0 {
		s.First = Edge{doc.Number, doc.DeviceTime}
	}
	s.Last, s.Hash = Edge{doc.Number, doc.DeviceTime}, hash
	s.Version, s.CardVersion, s.Taxpayer = doc.Number, doc.CardVersion, doc.Taxpayer
	s.Documents++
	if doc.Flags.Has(FlagReplay) {
		s.Offline++
	}
	if doc.Flags.Has(FlagUncounted) {
		return
	}
	if doc.Kind == DocShiftClose {
		s.Shifts++
	}
	s.Add(doc, 1)
}

// TakeBack takes the sums of a canceled document out; by is the entry that
// canceled it.
func (s *DaySummary) TakeBack(doc *Document, by Number) {
	s.Version = by
	if !doc.Flags.Has(FlagUncounted) {
		s.Add(doc, -1)
	}
}

// Add adds the sums of a document, or takes them out when dir is −1.
func (s *DaySummary) Add(doc *Document, dir Money) {
	switch {
	case doc.Kind == DocReceipt && doc.Op.Settlement():
		way := dir * doc.Op.Inflow()
		s.Receipts[doc.Op.Index()].add(dir, doc.Total)
		s.Cash += way * doc.Cash
		s.Cashless += way * doc.Cashless
		s.Other += way * doc.OtherPaid
		if doc.Receipt == nil {
			return
		}
		var c Counters // knows how the taxes of a receipt add up
		c.Receipt(doc.Receipt, false, 1)
		s.Mobile += way * c.Receipts[doc.Op.Index()].Payments[PayMobile.Index()].Sum
		for i := range c.Taxes {
			s.tax(&c.Taxes[i], dir)
		}
	case doc.Kind == DocCashMove && (doc.Op == OpCashIn || doc.Op == OpCashOut):
		s.Moves[doc.Op.Index()].add(dir, doc.Total)
	}
}

// tax adds what one receipt has of a rate.
func (s *DaySummary) tax(x *TaxTally, dir Money) {
	at, found := slices.BinarySearchFunc(s.Taxes, x, func(a TaxTally, b *TaxTally) int {
		if a.Kind != b.Kind {
			return int(int64(a.Kind) - int64(b.Kind))
		}
		return int(int64(a.Percent) - int64(b.Percent))
	})
	if !found {
		if len(s.Taxes) >= MaxTaxes { // as a shift counts them
			at, found = 0, s.Taxes[0].Kind == 0 && s.Taxes[0].Percent == 0
			x = &TaxTally{Ops: x.Ops}
		}
		if !found {
			s.Taxes = slices.Insert(s.Taxes, at, TaxTally{Kind: x.Kind, Percent: x.Percent})
		}
	}
	for i := range x.Ops {
		s.Taxes[at].Ops[i].Turnover += dir * x.Ops[i].Turnover
		s.Taxes[at].Ops[i].Tax += dir * x.Ops[i].Tax
	}
}

// DrawerMoved is what a document did to the cash in the drawer.
func (r *Record) DrawerMoved() Money {
	switch {
	case r.Flags.Has(FlagUncounted):
	case r.Kind == DocReceipt:
		return r.Op.Inflow() * r.Cash
	case r.Kind == DocCashMove:
		return r.Op.Inflow() * r.Total
	}
	return 0
}

// Clone is a copy that shares nothing.
func (s *DaySummary) Clone() DaySummary {
	c := *s
	c.Taxes = slices.Clone(s.Taxes)
	return c
}

// summaryFormat is the first byte of a stored summary.
const summaryFormat = 1

// Append appends the summary in its stored form: the format byte, then the
// fields behind Register in the order of the struct, numbers as varints (sums
// zigzag). Day and Register are columns of their own.
func (s *DaySummary) Append(b []byte) []byte {
	w := stateWriter{append(b, summaryFormat)}
	w.uint(uint64(s.Taxpayer))
	w.uint(uint64(s.CardVersion))
	w.uint(uint64(s.Version))
	for _, v := range [...]int64{s.Documents, s.Offline, s.Shifts} {
		w.int(v)
	}
	for _, e := range [...]Edge{s.First, s.Last} {
		w.uint(uint64(e.Number))
		w.int(int64(e.Time))
	}
	w.b = append(w.b, s.Hash[:]...)
	for i := range s.Receipts {
		w.tally(&s.Receipts[i])
	}
	for i := range s.Moves {
		w.tally(&s.Moves[i])
	}
	w.taxes(s.Taxes)
	for _, m := range [...]Money{s.Cash, s.Cashless, s.Mobile, s.Other, s.Opening, s.Drawer} {
		w.int(int64(m))
	}
	w.int(int64(s.Before))
	return w.b
}

// ParseDaySummary reads what Append wrote, and nothing else; Day and Register
// stay zero. A damaged row is Corrupt.
func ParseDaySummary(b []byte) (DaySummary, error) {
	var s DaySummary
	if len(b) == 0 || b[0] != summaryFormat {
		return s, &Error{Of: Corrupt, Field: "summary", Msg: "unknown layout"}
	}
	r := stateReader{b: b[1:]}
	s.Taxpayer = TaxpayerID(r.uint())
	s.CardVersion = r.uint32()
	s.Version = Number(r.uint())
	for _, v := range [...]*int64{&s.Documents, &s.Offline, &s.Shifts} {
		*v = r.int()
	}
	for _, e := range [...]*Edge{&s.First, &s.Last} {
		e.Number, e.Time = Number(r.uint()), WallTime(r.int())
	}
	copy(s.Hash[:], r.take(len(s.Hash)))
	for i := range s.Receipts {
		r.tally(&s.Receipts[i])
	}
	for i := range s.Moves {
		r.tally(&s.Moves[i])
	}
	s.Taxes = r.taxes()
	for _, m := range [...]*Money{&s.Cash, &s.Cashless, &s.Mobile, &s.Other, &s.Opening, &s.Drawer} {
		*m = Money(r.int())
	}
	s.Before = WallTime(r.int())
	if r.bad || len(r.b) != 0 {
		return DaySummary{}, &Error{Of: Corrupt, Field: "summary", Msg: "the row is cut, too long or changed"}
	}
	return s, nil
}
