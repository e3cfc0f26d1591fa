package policy

import (
	"time"

	"openofd/internal/fiscal"
)

// widest is how far the clock of an outlet may be ahead of UTC: what was
// received in the last hours of a year may be of the next one.
const widest = 14 * time.Hour

// KeptUntil is the first instant at which what was received in a month (yyyymm,
// UTC) need no longer be kept, as the law stood then and as it stands now: the
// longest term of all countries, for their documents lie side by side, counted
// from the end of the document's year. years is what the operator adds to the
// law by choice; it can only lengthen the term.
//
// Source: order 135 item 18; 54-FZ article 4.5; requirements P-022, T-092.
func KeptUntil(month int32, now time.Time, years int) time.Time {
	begin := time.Date(int(month/100), time.Month(month%100), 1, 0, 0, 0, 0, time.UTC)
	end := begin.AddDate(0, 1, 0).Add(widest)
	for _, c := range []fiscal.Country{fiscal.Kazakhstan, fiscal.Russia} {
		p := For(c)
		for _, t := range []time.Time{begin, end, now} {
			years = max(years, at(p.retention, fiscal.WallIn(t, time.UTC)))
		}
	}
	return time.Date(end.Year()+1+years, 1, 1, 0, 0, 0, 0, time.UTC).Add(widest)
}
