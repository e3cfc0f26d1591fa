package intake

import (
	"context"
	"slices"
	"sync"
	"time"

	"openofd/internal/fiscal"
)

// shards is into how many parts lanes, cache and contacts are split, each with
// a lock of its own.
const shards = 256

// lanes let the exchanges of one register pass one at a time, first come first
// served. A lane exists only while it is held: idle registers cost nothing, and
// no goroutine belongs to a register.
type lanes struct {
	waiting int // may wait for one lane
	shards  [shards]laneShard
}

type laneShard struct {
	mu sync.Mutex
	// held has a key for each register whose lane is taken. The value is who
	// waits, in order; each waits for its channel to be closed.
	held map[fiscal.RegisterID][]chan struct{}
}

var (
	errLaneFull = &fiscal.Error{Reason: fiscal.LaneFull}
	errTooLong  = &fiscal.Error{Reason: fiscal.QueuedTooLong, Msg: "waited for earlier exchanges of the register"}
)

func newLanes(waiting int) *lanes {
	l := &lanes{waiting: waiting}
	for i := range l.shards {
		l.shards[i].held = make(map[fiscal.RegisterID][]chan struct{})
	}
	return l
}

// enter takes a register's lane, waiting for at most patience. The errors are
// LaneFull and QueuedTooLong.
func (l *lanes) enter(ctx context.Context, r fiscal.RegisterID, patience time.Duration) error {
	s := &l.shards[uint64(r)%shards]
	s.mu.Lock()
	queue, held := s.held[r]
	if !held {
		s.held[r] = nil
		s.mu.Unlock()
		return nil
	}
	if len(queue) >= l.waiting {
		s.mu.Unlock()
		return errLaneFull
	}
	turn := make(chan struct{})
	s.held[r] = append(queue, turn)
	s.mu.Unlock()

	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-turn:
		return nil
	case <-ctx.Done():
	case <-timer.C:
	}
	s.mu.Lock()
	queue = s.held[r]
	if i := slices.Index(queue, turn); i >= 0 {
		s.held[r] = slices.Delete(queue, i, i+1)
		s.mu.Unlock()
		return errTooLong
	}
	s.mu.Unlock()
	l.leave(r) // the turn came at the last moment: pass it on
	return errTooLong
}

// leave gives the lane to the next who waits, or removes it.
func (l *lanes) leave(r fiscal.RegisterID) {
	s := &l.shards[uint64(r)%shards]
	s.mu.Lock()
	defer s.mu.Unlock()
	queue := s.held[r]
	if len(queue) == 0 {
		delete(s.held, r)
		return
	}
	close(queue[0])
	s.held[r] = slices.Delete(queue, 0, 1)
}

// count is how many lanes are taken, and how many exchanges wait for one.
func (l *lanes) count() (held, waiting int) {
	for i := range l.shards {
		s := &l.shards[i]
		s.mu.Lock()
		held += len(s.held)
		for _, queue := range s.held {
			waiting += len(queue)
		}
		s.mu.Unlock()
	}
	return held, waiting
}

// Lanes is how many registers have an exchange under way, and how many
// exchanges wait behind those.
func (in *Intake) Lanes() (held, waiting int) { return in.lanes.count() }
