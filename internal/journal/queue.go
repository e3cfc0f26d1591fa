package journal

import (
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// waiter is one caller of Commit.
type waiter struct {
	commit Commit
	begun  time.Time   // when its batch was formed; written under the line's lock
	answer chan error  // capacity 1, so that answering never waits for the caller
	timer  *time.Timer // the caller's
}

func newWaiter() *waiter {
	t := time.NewTimer(time.Hour)
	t.Stop()
	return &waiter{answer: make(chan error, 1), timer: t}
}

// line is where the commits of its partitions wait, first come first served.
type line struct {
	max  int
	wake chan struct{} // capacity 1

	mu     sync.Mutex
	queue  []*waiter
	idle   bool // the server of the line waits at wake
	closed bool

	since atomic.Int64 // when the batch under way began, in ns since 1970; 0: none is
}

// join puts w at the end, unless the line is full or closed.
func (l *line) join(w *waiter) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return errStopping
	}
	if len(l.queue) >= l.max {
		return errQueueFull
	}
	l.queue = append(l.queue, w)
	l.rouse()
	return nil
}

// rouse wakes the server of the line if it sleeps. The caller holds the lock.
func (l *line) rouse() {
	if l.idle {
		l.idle = false
		l.wake <- struct{}{}
	}
}

// withdraw takes w out and reports whether it still stood in the line.
func (l *line) withdraw(w *waiter) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	i := slices.Index(l.queue, w)
	if i < 0 {
		return false
	}
	l.queue = slices.Delete(l.queue, i, i+1)
	return true
}

// take moves the next batch from the front of the line into b and returns how
// many still wait. It sleeps while there is none; ok is false when the line is
// closed and empty.
func (l *line) take(b *batch, maxEntries, maxBytes int, now func() time.Time) (left int, ok bool) {
	l.mu.Lock()
	for !l.formed(maxEntries) {
		if l.closed {
			l.mu.Unlock()
			return 0, false
		}
		l.idle = true
		l.mu.Unlock()
		<-l.wake
		l.mu.Lock()
	}
	defer l.mu.Unlock()
	begun := now()
	n := 0
	for _, w := range l.queue {
		entries, bytes := len(w.commit.Entries), w.commit.Bytes()
		if n > 0 && (b.entries+entries > maxEntries || b.bytes+bytes > maxBytes) {
			break
		}
		w.begun = begun
		b.commits = append(b.commits, w.commit)
		b.waiters = append(b.waiters, w)
		b.entries += entries
		b.bytes += bytes
		n++
	}
	l.queue = slices.Delete(l.queue, 0, n)
	return len(l.queue), true
}

// formed reports whether a batch can be taken. It first lets those run who are
// about to join: a batch costs the disk the same whether it holds one commit or
// fifty. That is no waiting: where nobody is ready to run it takes no time. The
// caller holds the lock, which is given up meanwhile.
func (l *line) formed(maxEntries int) bool {
	for before := 0; before < len(l.queue) && len(l.queue) < maxEntries; {
		before = len(l.queue)
		l.mu.Unlock()
		runtime.Gosched()
		l.mu.Lock()
	}
	return len(l.queue) > 0
}

// close lets nobody join any more.
func (l *line) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
	l.rouse()
}

// abandon empties the line.
func (l *line) abandon() []*waiter {
	l.mu.Lock()
	defer l.mu.Unlock()
	all := l.queue
	l.queue = nil
	return all
}
