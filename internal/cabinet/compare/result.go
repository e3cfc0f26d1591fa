package compare

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"openofd/internal/fiscal"
)

// Verdict is how a row or a receipt came out.
type Verdict uint8

// The verdicts.
const (
	Equal     Verdict = iota
	Missing           // in the books, not in the register
	Extra             // in the register, not in the books
	Different         // in both, in different words
	verdictEnd
)

var verdictNames = [verdictEnd]string{"equal", "missing", "extra", "different"}

// Verdicts lists every verdict.
func Verdicts() []Verdict { return []Verdict{Equal, Missing, Extra, Different} }

// String is the verdict's stable name, for JSON and locale keys.
func (v Verdict) String() string { return verdictNames[v] }

// Key is by what a row and a receipt were found to be the same.
type Key uint8

// The keys.
const (
	NoKey Key = iota
	BySign
	ByNumber
	ByTime
	ByPlace // totals of the same place, day and operation
)

var keyNames = [...]string{"", "sign", "number", "time", "place"}

// String is the key's stable name, "" for none.
func (k Key) String() string { return keyNames[k] }

// Finding is one row, one receipt, or both.
type Finding struct {
	Verdict Verdict
	By      Key
	Differs Column
	// Twice says that the receipt which a missing row names went with another row:
	// the books have it twice.
	Twice   bool
	Row     int // in Result.Rows, −1 none
	Receipt int // in Result.Receipts, −1 none
}

// Figures are what some findings come to. Sums are of totals, money that went
// out is negative.
type Figures struct {
	Count int
	Books fiscal.Money
	Ours  fiscal.Money
}

// DayFigures are those of a day, by verdict; Day 0 is of findings without one.
type DayFigures struct {
	Day     fiscal.WallTime
	Figures [verdictEnd]Figures
}

// Result is a comparison.
type Result struct {
	Totals      bool            // by totals, not by receipts
	From, Until fiscal.WallTime // days, both included
	Outside     int             // rows that are not of these days
	Unknown     []string        // registers and outlets of the books without a receipt in these days
	Rows        []Row           // of the books; by totals as they were added up
	Receipts    []Receipt
	Findings    []Finding // by time
	Figures     [verdictEnd]Figures
	Days        []DayFigures // by day
}

// String is a result in one line, for the records of what people did.
func (r *Result) String() string {
	return fmt.Sprintf("%s %s: %d rows, %d equal, %d missing, %d extra, %d different", r.From.UTC().Format(time.DateOnly), r.Until.UTC().Format(time.DateOnly),
		len(r.Rows), r.Figures[Equal].Count, r.Figures[Missing].Count, r.Figures[Extra].Count, r.Figures[Different].Count)
}

// At is when a finding was: as the books say or, where they do not, the register.
func (r *Result) At(f *Finding) fiscal.WallTime {
	if f.Row >= 0 && r.Rows[f.Row].Grain != NoTime {
		return r.Rows[f.Row].Time
	}
	if f.Receipt >= 0 {
		return r.Receipts[f.Receipt].Time
	}
	return 0
}

// Sums are the totals of both sides of a finding as figures add them up.
func (r *Result) Sums(f *Finding) (books, ours fiscal.Money) {
	way := func(op fiscal.Op) fiscal.Money {
		if op == fiscal.OpNone {
			return 1
		}
		return op.Inflow()
	}
	if f.Row >= 0 {
		row := &r.Rows[f.Row]
		books = way(row.Op) * row.Total
	}
	if f.Receipt >= 0 {
		one := &r.Receipts[f.Receipt]
		ours = way(one.Op) * one.Total
	}
	return books, ours
}

// close sorts the findings and sums them up.
func (r *Result) close() {
	register := func(f *Finding) fiscal.RegisterID {
		if f.Receipt < 0 {
			return 0
		}
		return r.Receipts[f.Receipt].Register
	}
	slices.SortFunc(r.Findings, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(r.At(&a), r.At(&b)), cmp.Compare(register(&a), register(&b)), cmp.Compare(a.Row, b.Row), cmp.Compare(a.Receipt, b.Receipt))
	})
	for i := range r.Findings {
		f := &r.Findings[i]
		day := r.At(f).Day()
		if n := len(r.Days); n == 0 || r.Days[n-1].Day != day {
			r.Days = append(r.Days, DayFigures{Day: day})
		}
		books, ours := r.Sums(f)
		for _, to := range []*Figures{&r.Figures[f.Verdict], &r.Days[len(r.Days)-1].Figures[f.Verdict]} {
			to.Count++
			to.Books += books
			to.Ours += ours
		}
	}
}
