package journal_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"openofd/internal/fiscal"
	"openofd/internal/journal"
	"openofd/internal/testkit"
)

// fences counts fences, each of which takes a second.
type fences struct {
	journal.Store
	made atomic.Int64
	err  error
}

func (f *fences) Fence(ctx context.Context, p fiscal.Partition) (journal.Head, error) {
	f.made.Add(1)
	select {
	case <-time.After(time.Second):
		return journal.Head{}, f.err
	case <-ctx.Done():
		return journal.Head{}, ctx.Err()
	}
}

// TestSettleTogether: who comes while a fence is under way waits for the next
// one, for what it read may be younger than the first; all of them share it.
func TestSettleTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &fences{Store: testkit.NewMemStore(1)}
		c := journal.New(journal.Config{}, store, quiet, nil, time.Now)
		var all sync.WaitGroup
		settle := func() {
			if err := c.Settle(t.Context(), 0); err != nil {
				t.Errorf("Settle() = %v", err)
			}
		}
		began := time.Now()
		all.Go(settle)
		time.Sleep(500 * time.Millisecond)
		for range 100 {
			all.Go(settle)
		}
		all.Wait()
		if made, took := store.made.Load(), time.Since(began); made != 2 || took != 2*time.Second {
			t.Errorf("101 callers made %d fences in %v, want 2 in 2 s", made, took)
		}
	})
}

// TestNotSettled: a fence that fails, or lasts too long, settles nothing, also
// for those who waited for their turn.
func TestNotSettled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &fences{Store: testkit.NewMemStore(1), err: testkit.ErrBroken}
		c := journal.New(journal.Config{}, store, quiet, nil, time.Now)
		var all sync.WaitGroup
		for _, patience := range []time.Duration{10 * time.Second, 10 * time.Second, 500 * time.Millisecond} {
			all.Go(func() {
				ctx, cancel := context.WithTimeout(t.Context(), patience)
				defer cancel()
				if err := c.Settle(ctx, 0); !errors.Is(err, fiscal.OutcomeUnknown) {
					t.Errorf("Settle() = %v, want OutcomeUnknown", err)
				}
			})
		}
		all.Wait()
		store.err = nil
		if err := c.Settle(t.Context(), 0); err != nil {
			t.Errorf("Settle() of a store that works again = %v", err)
		}
	})
}
