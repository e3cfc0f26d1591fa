// Package policy is what the law of each country says on a day: how long a
// register may work alone, how long a shift lasts, how long data are kept,
// which VAT rates there are.
//
// A change of law is a new line with its date in the country's file, and a test
// on both sides of that date. Dates are days of the country's own calendar, as
// a right clock at the outlet shows them.
//
// Left to others: what follows when a limit is passed (protocol/*), and an
// operator's own choices (fiscal.Options).
package policy

import (
	"time"

	"openofd/internal/fiscal"
)

// Terms are what holds on one day.
type Terms struct {
	Offline   time.Duration // how long a register may work without a link
	Marking   time.Duration // how long the notification of a sale of marked goods may wait; 0 where there is none
	Shift     time.Duration // how long a shift may be open
	Decision  time.Duration // how long an authority may take to decide on an application
	Grace     time.Duration // how long registers are served after their contract ended
	Retention int           // years for which a document is kept, counted from the end of its own
	VAT       []Rate        // in use, the standard rate first
}

// Standard is the standard VAT rate, in thousandths of a percent.
func (t Terms) Standard() uint32 {
	if len(t.VAT) == 0 {
		return 0
	}
	return t.VAT[0].Percent
}

// Rate is one VAT rate.
type Rate struct {
	// Code is stable, for screens and files: "vat16", "vat20_120", "vat0",
	// "none".
	Code    string
	Percent uint32 // thousandths of a percent: 16000 is 16 %
	// Calculated rates are of an advance that holds its tax already: p/(100+p).
	Calculated bool
	// Exempt is no rate at all, which is not the rate 0.
	Exempt bool
}

// Policy is the law of one country.
type Policy struct {
	offline   []dated[time.Duration]
	marking   []dated[time.Duration]
	shift     []dated[time.Duration]
	decision  []dated[time.Duration]
	grace     []dated[time.Duration]
	retention []dated[int]
	vat       []datedRate
}

// dated holds from a day on, until the next of its kind.
type dated[T any] struct {
	from  fiscal.WallTime // the day's first second
	value T
}

// datedRate is in use from one day until another; zero is always.
type datedRate struct {
	Rate
	from, until fiscal.WallTime // until is the first second after
}

// For is the law of a country. A country that is not served has none: nothing
// is allowed and there are no rates.
func For(c fiscal.Country) Policy {
	switch c {
	case fiscal.Kazakhstan:
		return kazakhstan()
	case fiscal.Russia:
		return russia()
	}
	return Policy{}
}

// Offline is how long a register may work without a link, as Terms says; it
// costs no memory, for it is asked at each exchange.
func (p Policy) Offline(t fiscal.WallTime) time.Duration { return at(p.offline, t) }

// Marking is how long the notification of a sale of marked goods may wait, as
// Terms says.
func (p Policy) Marking(t fiscal.WallTime) time.Duration { return at(p.marking, t) }

// Shift is how long a shift may be open, as Terms says.
func (p Policy) Shift(t fiscal.WallTime) time.Duration { return at(p.shift, t) }

// Decision is how long an authority may take to decide, as Terms says.
func (p Policy) Decision(t fiscal.WallTime) time.Duration { return at(p.decision, t) }

// Grace is how long registers are served after their contract ended, as Terms
// says.
func (p Policy) Grace(t fiscal.WallTime) time.Duration { return at(p.grace, t) }

// At is what holds at a reading of the outlet's clock.
func (p Policy) At(t fiscal.WallTime) Terms {
	terms := Terms{Offline: p.Offline(t), Marking: p.Marking(t), Shift: p.Shift(t), Decision: p.Decision(t), Grace: p.Grace(t), Retention: at(p.retention, t)}
	for _, r := range p.vat {
		if t >= r.from && (r.until == 0 || t < r.until) {
			terms.VAT = append(terms.VAT, r.Rate)
		}
	}
	return terms
}

// at is the value that holds at t: the last one that has begun. Before the
// first one nothing held.
func at[T any](all []dated[T], t fiscal.WallTime) (v T) {
	for _, d := range all {
		if t >= d.from {
			v = d.value
		}
	}
	return v
}

// day is the first second of a day.
func day(year, month, dayOfMonth int) fiscal.WallTime {
	t, _ := fiscal.WallDate(year, month, dayOfMonth, 0, 0, 0)
	return t
}

// always is before any document.
const always fiscal.WallTime = -1 << 62
