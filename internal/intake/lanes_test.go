package intake

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"openofd/internal/fiscal"
)

func TestLanes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLanes(4)
		const r fiscal.RegisterID = 200_001
		if err := l.enter(t.Context(), r, time.Second); err != nil {
			t.Fatal(err)
		}
		if err := l.enter(t.Context(), r+shards, time.Second); err != nil { // a neighbor in the shard
			t.Errorf("another register: %v", err)
		}
		l.leave(r + shards)
		var order []int
		gone, leave := context.WithCancel(t.Context())
		ended := make(chan error, 4)
		for i := range 4 {
			go func() {
				ctx, patience := t.Context(), time.Hour
				switch i {
				case 1:
					ctx = gone
				case 2:
					patience = time.Second
				}
				err := l.enter(ctx, r, patience)
				if err == nil {
					order = append(order, i)
					time.Sleep(time.Second)
					l.leave(r)
				}
				ended <- err
			}()
			synctest.Wait()
		}
		if err := l.enter(t.Context(), r, time.Hour); !errors.Is(err, fiscal.LaneFull) {
			t.Errorf("a fifth who waits: %v, want %v", err, fiscal.LaneFull)
		}
		leave()
		for range 2 { // who left, and who lost patience
			if err := <-ended; !errors.Is(err, fiscal.QueuedTooLong) {
				t.Errorf("gave up: %v, want %v", err, fiscal.QueuedTooLong)
			}
		}
		l.leave(r)
		for range 2 {
			if err := <-ended; err != nil {
				t.Error(err)
			}
		}
		if want := []int{0, 3}; !slices.Equal(order, want) {
			t.Errorf("passed in order %v, want %v", order, want)
		}
		for i := range l.shards {
			if n := len(l.shards[i].held); n != 0 {
				t.Errorf("shard %d keeps %d lanes though all are idle", i, n)
			}
		}
	})
}

// A turn that comes at the very moment at which its waiter gives up is passed
// on and not lost.
func TestLaneTurnPassedOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLanes(4)
		for range 50 { // which of the two wins is chance
			if err := l.enter(t.Context(), 1, 0); err != nil {
				t.Fatal(err)
			}
			time.AfterFunc(time.Second, func() { l.leave(1) })
			if err := l.enter(t.Context(), 1, time.Second); err == nil {
				l.leave(1)
			}
			synctest.Wait()
			if n := len(l.shards[1].held); n != 0 {
				t.Fatal("the lane stays held by nobody")
			}
		}
	})
}
