package follow

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"openofd/internal/fiscal"
	"openofd/internal/journal"
)

// start runs a follower until the end of the test, or until it is stopped.
func start(t *testing.T, cfg Config, m *memory, l *list) (r *Runner, stop func()) {
	t.Helper()
	r = New(cfg, m, l, slog.New(slog.DiscardHandler), nil, time.Now)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); r.Run(ctx) }()
	stop = func() { cancel(); <-done }
	t.Cleanup(stop)
	return r, stop
}

// Every entry of every partition comes once and in order, in pages that end at
// their entries or their bytes, however entries come in.
//
// Req: P-008, P-020
func TestFollowsAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory(5)
		l := newList(m)
		for p := range 5 {
			m.add(fiscal.Partition(p), 100*p, 10)
		}
		m.add(4, 3, 900) // three fill a page's bytes
		r, _ := start(t, Config{Groups: 2, Entries: 64, Bytes: 1000, Holder: "a"}, m, l)
		time.Sleep(30 * time.Second)
		m.add(0, 7, 10)
		m.add(3, 1, 10)
		r.Notice()
		time.Sleep(time.Millisecond)
		for p, n := range map[fiscal.Partition]int{0: 7, 1: 100, 2: 200, 3: 301, 4: 403} {
			if !l.gapless(p, n) {
				t.Errorf("partition %d: followed %v, want 1 to %d, each once", p, l.followed(p), n)
			}
		}
		if longest := slices.Max(l.pages); longest != 64 {
			t.Errorf("the longest page has %d entries, want 64", longest)
		}
	})
}

// What one process commits is followed at once by its notice, what another
// does within a poll; who has nothing to do looks seldom, and a burst shares
// pages.
func TestWakesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory(1)
		l := newList(m)
		r, _ := start(t, Config{Holder: "a", Poll: 5 * time.Second, Lease: time.Hour}, m, l)
		time.Sleep(time.Minute)
		if n := m.looks(); n > 15 {
			t.Errorf("%d looks in an idle minute, want about 13", n)
		}
		m.add(0, 1, 1)
		r.Notice()
		time.Sleep(time.Millisecond)
		first := l.gapless(0, 1)
		time.Sleep(2 * time.Second) // beyond the pace
		m.add(0, 1, 1)
		time.Sleep(6 * time.Second)
		if !first || !l.gapless(0, 2) {
			t.Errorf("followed %v; want the first at its notice, the second at the next poll", l.followed(0))
		}
		calls := l.called()
		for range 100 {
			m.add(0, 1, 1)
			r.Notice()
			time.Sleep(20 * time.Millisecond)
		}
		time.Sleep(2 * time.Second)
		if !l.gapless(0, 102) || l.called()-calls > 5 {
			t.Errorf("a burst of 2 s took %d pages, want 3 or so", l.called()-calls)
		}
	})
}

// An entry that cannot be followed is named beside the cursor; what stands
// before it and other partitions go on; it is tried ever more seldom, and once
// the cause is gone everything follows.
func TestRubbishEntry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory(2)
		l := newList(m)
		l.fail = func(page []journal.Entry) error {
			for _, e := range page {
				if e.Partition == 1 && e.Seq == 13 {
					return fmt.Errorf("apply: %w", &EntryError{13, &fiscal.Error{Of: fiscal.Corrupt, Msg: "rubbish"}})
				}
			}
			return nil
		}
		m.add(0, 20, 1)
		m.add(1, 20, 1)
		r, _ := start(t, Config{Holder: "a", Lease: time.Hour}, m, l)
		time.Sleep(10 * time.Minute)
		c := m.cursor(1)
		if c.Seq != 12 || c.Failure.Seq != 13 || !strings.Contains(c.Failure.Why, "rubbish") || !l.gapless(0, 20) || !l.gapless(1, 12) {
			t.Errorf("stands at %+v, followed %v; want 12 with entry 13 named, and all of partition 0", c, l.followed(1))
		}
		if n := l.called(); n > 25 {
			t.Errorf("%d attempts in 10 minutes, want about 16", n)
		}
		if s, err := Stands(t.Context(), m, testID); err != nil || len(s.Stuck()) != 1 || s.Entries != 8 || s.Oldest.IsZero() {
			t.Errorf("Stands = %+v, %v; want 8 behind and one partition stuck", s, err)
		}
		l.mu.Lock()
		l.fail = nil
		l.mu.Unlock()
		r.Notice()
		time.Sleep(time.Minute + 5*time.Second)
		if c := m.cursor(1); !l.gapless(1, 20) || c.Failure.Seq != 0 {
			t.Errorf("stands at %+v, followed %v; want all and no failure", c, l.followed(1))
		}
	})
}

// A hole in the journal is never stepped over.
func TestHoleStops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory(1)
		l := newList(m)
		m.add(0, 10, 1)
		m.entries[0][6].Seq = 8 // 7 is missing
		start(t, Config{Holder: "a"}, m, l)
		time.Sleep(time.Minute)
		if c := m.cursor(0); c.Seq != 0 || c.Failure.Seq != 7 || !strings.Contains(c.Failure.Why, "missing") {
			t.Errorf("stands at %+v, want entry 7 named as missing", c)
		}
	})
}

// Of two nodes one follows; when it is stopped the other takes over at once,
// when it dies within the lease's span.
func TestLeasePassesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory(1)
		first, second, third := newList(m), newList(m), newList(m)
		_, stop := start(t, Config{Holder: "a"}, m, first)
		synctest.Wait()
		start(t, Config{Holder: "b"}, m, second)
		m.add(0, 5, 1)
		time.Sleep(30 * time.Second)
		if !first.gapless(0, 5) || second.called() > 0 {
			t.Errorf("first followed %v, second %v; want all by the first", first.followed(0), second.followed(0))
		}
		stop()
		m.add(0, 5, 1)
		time.Sleep(6 * time.Second) // a third of the lease and a poll
		if !slices.Equal(second.followed(0), []journal.Seq{6, 7, 8, 9, 10}) {
			t.Errorf("second followed %v after the first stopped, want 6 to 10", second.followed(0))
		}
		// The holder dies: its lease stays.
		m.mu.Lock()
		m.unleased = true
		m.leases[0] = lease{"dead", time.Now().Add(10 * time.Second)}
		m.mu.Unlock()
		time.Sleep(8 * time.Second) // the second notices that it has lost the lease
		m.mu.Lock()
		m.unleased = false
		m.mu.Unlock()
		m.add(0, 5, 1)
		start(t, Config{Holder: "c"}, m, third)
		time.Sleep(15 * time.Second)
		if total := len(second.followed(0)) + len(third.followed(0)); total != 10 || m.cursor(0).Seq != 15 {
			t.Errorf("second followed %v, third %v; want all 15 after the lease had run out", second.followed(0), third.followed(0))
		}
	})
}

// Two that follow at once, because one has not heard that its lease is lost, do
// nothing twice.
func TestMovesOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory(3)
		l := newList(m)
		l.delay = 10 * time.Millisecond
		for i := range 4 {
			r := New(Config{Holder: fmt.Sprint(i), Entries: 7}, m, l, slog.New(slog.DiscardHandler), nil, time.Now)
			go func() { // past the lease
				g := &round{Runner: r, resting: map[partition]rest{}}
				for range 400 {
					g.run(t.Context(), t.Context())
					time.Sleep(time.Duration(i+1) * time.Millisecond)
				}
			}()
		}
		for p := range 3 {
			m.add(fiscal.Partition(p), 200, 1)
		}
		time.Sleep(5 * time.Minute)
		for p := range 3 {
			if !l.gapless(fiscal.Partition(p), 200) {
				t.Errorf("partition %d: followed %v, want 1 to 200, each once", p, l.followed(fiscal.Partition(p)))
			}
		}
	})
}

// While the store is down nothing spins, and afterwards everything follows.
func TestStoreDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory(1)
		l := newList(m)
		start(t, Config{Holder: "a"}, m, l)
		time.Sleep(3 * time.Second)
		m.add(0, 10, 1)
		before := m.looks()
		m.mu.Lock()
		m.down = &fiscal.Error{Reason: fiscal.StoreDown}
		m.mu.Unlock()
		time.Sleep(time.Minute)
		if n := m.looks() - before; n > 40 {
			t.Errorf("%d looks in a minute without a store, want about 20", n)
		}
		m.mu.Lock()
		m.down = nil
		m.mu.Unlock()
		time.Sleep(15 * time.Second)
		if !l.gapless(0, 10) {
			t.Errorf("followed %v, want all ten", l.followed(0))
		}
	})
}

// Run ends after the page under way, or after its grace.
func TestStops(t *testing.T) {
	for _, tt := range []struct {
		page time.Duration
		want time.Duration
		all  int
	}{{3 * time.Second, 3 * time.Second, 4}, {time.Minute, 5 * time.Second, 0}} {
		synctest.Test(t, func(t *testing.T) {
			m := newMemory(1)
			l := newList(m)
			l.delay = tt.page
			m.add(0, 8, 1)
			_, stop := start(t, Config{Holder: "a", Entries: 4}, m, l)
			synctest.Wait()
			began := time.Now()
			stop()
			if took := time.Since(began); took != tt.want || !l.gapless(0, tt.all) {
				t.Errorf("a page of %v: stopped after %v with %v; want %v and %d entries", tt.page, took, l.followed(0), tt.want, tt.all)
			}
			if len(m.leases) != 0 && tt.all > 0 {
				t.Errorf("the leases are %v, want them given back", m.leases)
			}
		})
	}
}

// heard is an Observer.
type heard struct {
	mu      sync.Mutex
	entries int
	failed  map[fiscal.Kind]int
}

func (h *heard) Followed(_ ID, n int, _ time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.entries += n
}

func (h *heard) Failed(_ ID, k fiscal.Kind) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.failed[k]++
}

func TestObserver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory(1)
		l := newList(m)
		failures := 0
		l.fail = func([]journal.Entry) error {
			if failures++; failures == 1 {
				return &fiscal.Error{Of: fiscal.Unavailable}
			}
			if failures == 2 {
				return errors.New("a fault of ours")
			}
			return nil
		}
		m.add(0, 9, 1)
		h := &heard{failed: map[fiscal.Kind]int{}}
		r := New(Config{Holder: "a"}, m, l, slog.New(slog.DiscardHandler), h, time.Now)
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		r.Run(ctx)
		if h.entries != 9 || h.failed[fiscal.Unavailable] != 1 || h.failed[fiscal.Internal] != 1 {
			t.Errorf("heard of %d entries and failures %v; want 9, one unavailable, one internal", h.entries, h.failed)
		}
	})
}

// Beside a journal that is busy a follower takes a ninth of the time, and all of
// it again when that is over.
func TestStandsBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory(1)
		l := newList(m)
		l.delay = 100 * time.Millisecond
		m.add(0, 1000, 10)
		var busy atomic.Bool
		busy.Store(true)
		start(t, Config{Entries: 10, Holder: "a", Busy: busy.Load}, m, l)
		time.Sleep(9 * time.Second)
		if n := l.called(); n < 9 || n > 11 {
			t.Errorf("%d pages of 0.1 s in 9 s beside a busy journal, want about 10", n)
		}
		busy.Store(false)
		time.Sleep(15 * time.Second)
		if !l.gapless(0, 1000) {
			t.Errorf("followed %d entries, want all 1000", len(l.followed(0)))
		}
	})
}

// A promise is kept beside a journal that is busy, if half of the time is enough
// for it.
func TestPromise(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory(1)
		l := newList(m)
		l.delay = 10 * time.Millisecond
		r, _ := start(t, Config{Entries: 100, Holder: "a", Busy: func() bool { return true }, Promise: 2 * time.Second}, m, l)
		for added := range 1000 { // 4,000 a second; a ninth of the time follows 1,111, half of it 5,000
			m.add(0, 40, 1)
			r.Notice()
			time.Sleep(10 * time.Millisecond)
			if followed := len(l.followed(0)); 40*(added+1)-followed > 2*4000 {
				t.Fatalf("%d entries behind after %d; want what came in two seconds at most", 40*(added+1)-followed, 40*(added+1))
			}
		}
	})
}
