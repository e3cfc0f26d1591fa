package link

import (
	"net/http"
	"time"
)

// clockOffBy is from where on a far end's clock is wrong: from there on a day
// that it reads from its clock may be another one than ours.
const clockOffBy = time.Hour

// ClockOff is how far the far end's clock was before ours at its last answer,
// to the second; below zero it was behind. A far end that does not tell the time
// is taken to be right.
func (l *Link) ClockOff() time.Duration { return time.Duration(l.ahead.Load()) * time.Second }

// look compares the far end's clock with ours. Its answer was made between
// asked and now, and what lies between proves nothing.
func (l *Link) look(res *http.Response, asked, now time.Time) {
	theirs, err := http.ParseTime(res.Header.Get("Date"))
	switch {
	case err != nil:
		l.ahead.Store(0)
	case theirs.After(now):
		l.ahead.Store(int64(theirs.Sub(now) / time.Second))
	case theirs.Add(time.Second).Before(asked): // it has no fractions
		l.ahead.Store(-int64(asked.Sub(theirs) / time.Second))
	default:
		l.ahead.Store(0)
	}
}
