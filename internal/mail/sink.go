package mail

import (
	"context"
	"slices"
	"sync"
)

// Sink keeps letters instead of sending them, for a demo and for tests. Safe for
// concurrent use.
type Sink struct {
	mu      sync.Mutex
	letters []Letter // guarded by mu; oldest first
}

// maxKept bounds what a sink keeps; the oldest go.
const maxKept = 200

// Deliver keeps a letter.
func (s *Sink) Deliver(_ context.Context, l Letter) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.letters) == maxKept {
		s.letters = slices.Delete(s.letters, 0, 1)
	}
	s.letters = append(s.letters, l)
	return nil
}

// Letters are those that are kept, newest first.
func (s *Sink) Letters() []Letter {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := slices.Clone(s.letters)
	slices.Reverse(all)
	return all
}
