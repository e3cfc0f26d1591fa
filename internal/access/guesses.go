package access

import (
	"time"

	"openofd/internal/fiscal"
)

// Guesses counts wrong proofs of one person, or of an address that nobody has.
type Guesses struct {
	Failures int       `json:"failures,omitempty"` // since the last right one
	Failed   time.Time `json:"failed,omitzero"`    // the last of them
	Locked   time.Time `json:"locked,omitzero"`    // nobody signs in until then
}

// What a wrong proof costs: nothing at first, then a wait that doubles.
const (
	freeFailures = 5
	firstLock    = time.Minute
	lastLock     = time.Hour
	forgiven     = 24 * time.Hour // after the last failure
)

// wrong counts one, and reports how many there are beyond the free ones; from 0
// on the door is closed for a while.
func (g *Guesses) wrong(now time.Time) (over int) {
	if now.Sub(g.Failed) > forgiven {
		g.Failures = 0
	}
	g.Failures++
	g.Failed = now
	if over = g.Failures - freeFailures; over >= 0 {
		g.Locked = now.Add(min(firstLock<<min(over, 6), lastLock))
	}
	return over
}

// locked is RateLimited with a *Wait while nobody may sign in.
func (g *Guesses) locked(now time.Time) error {
	if wait := g.Locked.Sub(now); wait > 0 {
		return &fiscal.Error{Reason: fiscal.RateLimited, Field: "user", Err: &Wait{wait}}
	}
	return nil
}
