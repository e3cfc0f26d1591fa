package cabinet

import (
	"openofd/internal/fiscal"
	"openofd/internal/journal"
)

// Away is a period in which a register worked without a link, as its documents
// told afterwards: those that came one after another, with no document between
// them that was made with a link.
type Away struct {
	Taxpayer    fiscal.TaxpayerID
	Partition   fiscal.Partition
	Register    fiscal.RegisterID
	Outlet      fiscal.OutletID
	CardVersion uint32
	First, Last fiscal.Number   // entries; Last may be a notice behind the documents
	From, Until fiscal.WallTime // of its documents
	Documents   int64
	// Joins is the entry with which a period ends that this one goes on with, if
	// there is such a period; 0: it is one of its own. Without documents it only
	// moves the end of that period. Tables do not keep it.
	Joins fiscal.Number
}

// run is what a page tells of a register's period so far.
type run struct {
	Away
	open bool
}

// run adds an entry to the period of its register.
func (s *sheet) run(e *journal.Entry, outlet fiscal.OutletID) {
	r, ok := s.away[e.Register]
	if !ok {
		r = &run{open: true, Away: Away{
			Taxpayer: e.Taxpayer, Partition: e.Partition, Register: e.Register, First: e.Number, Joins: e.Number - 1,
		}}
		s.away[e.Register] = r
	}
	document := e.Kind == fiscal.DocReceipt || e.Kind == fiscal.DocCashMove || e.Kind == fiscal.DocShiftClose
	offline := e.Flags.Has(fiscal.FlagReplay)
	switch {
	case document && offline:
		if !r.open {
			r.open, r.Away = true, Away{Taxpayer: e.Taxpayer, Partition: e.Partition, Register: e.Register, First: e.Number}
		}
		if r.Documents == 0 {
			r.First, r.From, r.Until = e.Number, e.DeviceTime, e.DeviceTime
		}
		r.Documents++
		r.From, r.Until = min(r.From, e.DeviceTime), max(r.Until, e.DeviceTime)
		r.Outlet, r.CardVersion, r.Last = outlet, e.CardVersion, e.Number
	case document && r.open:
		s.endRun(r)
		r.open = false
	case r.open:
		r.Last = e.Number
	}
}

func (s *sheet) endRun(r *run) {
	if r.Documents > 0 || r.Joins != 0 && r.Last > r.Joins {
		s.page.Away = append(s.page.Away, r.Away)
	}
}

// endRuns keeps what the page's end leaves open.
func (s *sheet) endRuns() {
	for _, r := range s.away {
		if r.open {
			s.endRun(r)
		}
	}
}
