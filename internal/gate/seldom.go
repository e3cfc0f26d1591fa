package gate

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"
)

// seldom lets one line a second into the log, of a kind that comes by the
// thousand while the store is down. The zero value is ready.
type seldom struct {
	next atomic.Int64 // when the next line may be written, in ns since 1970
	left atomic.Int64 // lines left out since the last one
}

// turn reports whether a line is to be written at t, and how many were left out
// before it.
func (s *seldom) turn(t time.Time) (left int64, ok bool) {
	next, at := s.next.Load(), t.UnixNano()
	if at < next && next-at <= int64(time.Second) || !s.next.CompareAndSwap(next, at+int64(time.Second)) { // a clock may be set back
		s.left.Add(1)
		return 0, false
	}
	return s.left.Swap(0), true
}

// tell writes a line that may come by the thousand, if it is its turn.
func (g *Gate) tell(s *seldom, level slog.Level, what string, about ...any) {
	if left, ok := s.turn(g.now()); ok {
		g.log.Log(context.Background(), level, what, append(about, "left_out", left)...)
	}
}
