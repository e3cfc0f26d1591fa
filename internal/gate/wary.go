package gate

import (
	"net/netip"
	"sync"
	"time"

	"openofd/internal/fiscal"
)

// How guessing is slowed. A device whose token is stale asks every few seconds
// at most and is not delayed; who tries numbers is, soon by two seconds each.
// The device itself is never locked, for its rival could send wrong tokens.
const (
	guessesFree  = 5                      // wrong answers that cost nothing
	guessForgot  = 5 * time.Second        // one wrong answer is forgotten after each
	guessDelay   = 100 * time.Millisecond // for each beyond the free ones
	guessLongest = 2 * time.Second        // still within a device's 5 s
	guessersKept = 16_384                 // addresses remembered
)

// wary remembers the addresses from which wrong numbers and tokens came.
// Source: KKM reference §3.2, "invalid_count".
type wary struct {
	mu   sync.Mutex
	from map[netip.Prefix]guesser
}

// guesser is how many wrong answers an address has had, and when that number
// was last right.
type guesser struct {
	count int
	at    time.Time
}

// wrong reports whether an answer tells that a number or token was a guess.
func wrong(r fiscal.Reason) bool {
	return r == fiscal.UnknownRegister || r == fiscal.StaleToken
}

// delay notes one wrong answer to an address at t and returns how long it is
// held back. alarm is true for the first that is.
func (w *wary) delay(n netip.Prefix, t time.Time) (d time.Duration, alarm bool) {
	if !n.IsValid() {
		return 0, false
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	g, known := w.from[n]
	if !known && len(w.from) >= guessersKept && !w.forget(t) {
		return 0, false
	}
	g = g.after(t)
	g.count = min(g.count+1, guessesFree+int(guessLongest/guessDelay))
	w.from[n] = g
	over := g.count - guessesFree
	return max(0, time.Duration(over)*guessDelay), over == 1
}

// after is what is remembered of a guesser at t.
func (g guesser) after(t time.Time) guesser {
	passed := int(t.Sub(g.at) / guessForgot)
	if passed >= g.count {
		return guesser{at: t}
	}
	return guesser{count: g.count - passed, at: g.at.Add(time.Duration(passed) * guessForgot)}
}

// forget drops who has been quiet; false if nobody was.
func (w *wary) forget(t time.Time) bool {
	before := len(w.from)
	for n, g := range w.from {
		if g.after(t).count == 0 {
			delete(w.from, n)
		}
	}
	return len(w.from) < before
}
