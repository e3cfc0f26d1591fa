package journal

import (
	"context"
	"sync"

	"openofd/internal/fiscal"
)

// settlements are the fences of partitions that callers of Settle wait for.
type settlements struct {
	mu  sync.Mutex
	all map[fiscal.Partition]*settlement
}

// settlement is one partition's.
type settlement struct {
	turn  chan struct{} // capacity 1: held by whoever fences
	begun int           // fences; guarded by settlements.mu
	good  int           // the last of them that succeeded; guarded by settlements.mu
}

// Settle returns when whatever could be read of a partition before it was
// called is durable as promised. A commit can be read before it is: one whose
// wait for a standby was cancelled, or that a server found in its log when it
// came up again without its standby. A failover would lose it.
//
// Callers share fences: one that begins while another is under way waits for
// the next.
//
// Errors: OutcomeUnknown.
func (c *Committer) Settle(ctx context.Context, p fiscal.Partition) error {
	c.settling.mu.Lock()
	s := c.settling.all[p]
	if s == nil {
		s = &settlement{turn: make(chan struct{}, 1)}
		c.settling.all[p] = s
	}
	before := s.begun
	c.settling.mu.Unlock()

	select {
	case s.turn <- struct{}{}:
	case <-ctx.Done():
		return &fiscal.Error{Reason: fiscal.OutcomeUnknown, Msg: "not known to be durable in time", Err: ctx.Err()}
	}
	defer func() { <-s.turn }()
	c.settling.mu.Lock()
	done := s.good > before
	if !done {
		s.begun++
	}
	this := s.begun
	c.settling.mu.Unlock()
	if done {
		return nil
	}
	if _, err := c.store.Fence(ctx, p); err != nil {
		return &fiscal.Error{Reason: fiscal.OutcomeUnknown, Msg: "not known to be durable", Err: err}
	}
	c.settling.mu.Lock()
	s.good = this
	c.settling.mu.Unlock()
	return nil
}
