package marking

import (
	"sync"
	"time"
)

// The fuse blows after so many failures in a row. It lets one question through
// after a pause, which doubles while they fail.
const (
	blowsAfter   = 5
	firstPause   = time.Second
	longestPause = 30 * time.Second
)

// fuse keeps questions from a far end that is down. Safe for concurrent use.
type fuse struct {
	now func() time.Time

	mu       sync.Mutex // guards what follows
	failures int        // in a row
	pause    time.Duration
	until    time.Time // when the next question may go through
	probing  bool      // one is on its way
}

// enter reports whether a question may go through. Whoever may has to leave.
func (f *fuse) enter() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.failures < blowsAfter {
		return true
	}
	if f.probing || f.now().Before(f.until) {
		return false
	}
	f.probing = true
	return true
}

// leave tells what became of a question; unknown says that nothing was learned.
func (f *fuse) leave(answered, unknown bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.probing = false
	switch {
	case answered:
		f.failures, f.pause = 0, 0
	case unknown:
	default:
		if f.failures++; f.failures >= blowsAfter && !f.now().Before(f.until) {
			f.pause = min(max(2*f.pause, firstPause), longestPause)
			f.until = f.now().Add(f.pause)
		}
	}
}
