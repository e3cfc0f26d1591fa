package journal_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"openofd/internal/fiscal"
	"openofd/internal/journal"
	"openofd/internal/testkit"

	"pgregory.net/rapid"
)

// batches is an Observer that keeps what it heard.
type batches struct {
	mu      sync.Mutex
	entries []int
	bytes   []int
	took    []time.Duration
	errs    []error
	depths  []int
}

func (b *batches) BatchDone(entries, bytes int, took time.Duration, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.entries = append(b.entries, entries)
	b.bytes = append(b.bytes, bytes)
	b.took = append(b.took, took)
	b.errs = append(b.errs, err)
}

func (b *batches) QueueDepth(n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.depths = append(b.depths, n)
}

// answers runs Commit for each commit, in order of joining, and gives the
// channels on which their answers come.
func answers(c *journal.Committer, commits ...journal.Commit) []chan error {
	out := make([]chan error, len(commits))
	for i, x := range commits {
		out[i] = make(chan error, 1)
		go func() { out[i] <- c.Commit(context.Background(), x) }()
		synctest.Wait()
	}
	return out
}

// Promise 1: an answer leaves only after its entry is durable.
// Req: P-006
func TestAnswerAfterDurable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		mem := testkit.NewMemStore(1)
		slow := testkit.NewFaultyStore(mem)
		slow.Next(testkit.Slow)
		c := start(t, journal.Config{}, slow, nil)
		x := newRegister(t, mem, 0).commit(1)
		began := time.Now()
		answer := answers(c, x)[0]
		time.Sleep(slow.Delay - 1)
		synctest.Wait()
		select {
		case err := <-answer:
			t.Fatalf("Commit() answered %v after %v, before the store had done", err, time.Since(began))
		default:
		}
		if err := <-answer; err != nil {
			t.Fatalf("Commit() = %v, want nil", err)
		}
		if !stored(t, mem, &x) {
			t.Error("Commit() = nil, but the entry is not in the store")
		}
	})
}

// While one batch is being made durable the next one forms.
func TestBatchFormsMeanwhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		mem := testkit.NewMemStore(1)
		slow := testkit.NewFaultyStore(mem)
		slow.Next(testkit.Slow, testkit.Slow)
		var seen batches
		c := start(t, journal.Config{MaxBatch: 40}, slow, &seen)
		var commits []journal.Commit
		for range 50 {
			commits = append(commits, newRegister(t, mem, 0).commit(1))
		}
		for i, answer := range answers(c, commits...) {
			if err := <-answer; err != nil {
				t.Errorf("commit %d: %v", i, err)
			}
		}
		c.Stop()
		if got, want := fmt.Sprint(seen.entries, seen.depths), "[1 40 9] [0 9 0]"; got != want {
			t.Errorf("batches of %s entries, depths left; want %s", got, want)
		}
		if seen.took[0] != slow.Delay {
			t.Errorf("first batch took %v, want %v", seen.took[0], slow.Delay)
		}
	})
}

// How long a batch has been on its way can be asked meanwhile.
func TestOldest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		mem := testkit.NewMemStore(2)
		slow := testkit.NewFaultyStore(mem)
		slow.Next(testkit.Slow, testkit.Slow)
		c := start(t, journal.Config{Committers: 2}, slow, nil)
		wants := func(want time.Duration) {
			t.Helper()
			if got := c.Oldest(); got != want {
				t.Errorf("Oldest() = %v, want %v", got, want)
			}
		}
		wants(0)
		first := answers(c, newRegister(t, mem, 0).commit(1))[0]
		time.Sleep(slow.Delay / 2)
		wants(slow.Delay / 2)
		second := answers(c, newRegister(t, mem, 1).commit(1))[0]
		time.Sleep(slow.Delay / 4)
		wants(slow.Delay * 3 / 4)
		behind := answers(c, newRegister(t, mem, 0).commit(1))[0]
		synctest.Wait()
		if got := c.Waiting(); got != 1 {
			t.Errorf("Waiting() = %d, want the one behind the batch", got)
		}
		<-first
		<-behind
		synctest.Wait()
		wants(slow.Delay / 2)
		<-second
		synctest.Wait()
		wants(0)
	})
}

// A batch ends before it grows beyond its bytes, yet one commit always fits.
func TestBatchBytes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		mem := testkit.NewMemStore(1)
		var commits []journal.Commit
		for range 6 {
			commits = append(commits, newRegister(t, mem, 0).commit(1))
		}
		one := commits[0].Bytes()
		for _, tt := range []struct {
			max  int
			want string
		}{{2*one + 1, "[2 2 2]"}, {1, "[1 1 1 1 1 1]"}, {6 * one, "[6]"}} {
			var seen batches
			c := journal.New(journal.Config{MaxBytes: tt.max}, mem, quiet, &seen, time.Now)
			got := answers(c, commits...) // all wait: nobody writes yet
			go c.Run(t.Context())
			for i := range got {
				<-got[i]
			}
			c.Stop()
			if fmt.Sprint(seen.entries) != tt.want {
				t.Errorf("MaxBytes %d of commits of %d: batches of %v, want %s", tt.max, one, seen.entries, tt.want)
			}
		}
	})
}

// Promise 2: every waiter gets exactly one answer, shutdown included.
func TestStopAnswersAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		mem := testkit.NewMemStore(1)
		slow := testkit.NewFaultyStore(mem)
		slow.Next(testkit.Slow)
		c := start(t, journal.Config{MaxBatch: 3}, slow, nil)
		var commits []journal.Commit
		for range 10 {
			commits = append(commits, newRegister(t, mem, 0).commit(1))
		}
		waiting := answers(c, commits...)
		go c.Stop()
		synctest.Wait()
		late := newRegister(t, mem, 0).commit(1)
		if err := c.Commit(t.Context(), late); !errors.Is(err, fiscal.StoreDown) {
			t.Errorf("Commit() while stopping = %v, want %v", err, fiscal.StoreDown)
		}
		for i, answer := range waiting {
			if err := <-answer; err != nil || !stored(t, mem, &commits[i]) {
				t.Errorf("commit %d taken before Stop: %v, stored %t; want nil, true", i, err, stored(t, mem, &commits[i]))
			}
		}
		if stored(t, mem, &late) {
			t.Error("the commit refused while stopping is stored")
		}
	})
}

// Stop answers those who wait even if nobody ever wrote.
func TestStopBeforeRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		mem := testkit.NewMemStore(1)
		c := journal.New(journal.Config{}, mem, quiet, nil, time.Now)
		answer := answers(c, newRegister(t, mem, 0).commit(1))[0]
		c.Stop()
		if err := <-answer; !errors.Is(err, fiscal.StoreDown) {
			t.Errorf("Commit() = %v, want %v", err, fiscal.StoreDown)
		}
	})
}

// Run ends with its context, after the queue is written.
func TestContextEndsRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		mem := testkit.NewMemStore(1)
		slow := testkit.NewFaultyStore(mem)
		slow.Next(testkit.Slow, testkit.Slow)
		c := journal.New(journal.Config{}, slow, quiet, nil, time.Now)
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() { c.Run(ctx); close(ended) }()
		waiting := answers(c, newRegister(t, mem, 0).commit(1), newRegister(t, mem, 0).commit(1))
		cancel()
		<-ended
		for i, answer := range waiting {
			if err := <-answer; err != nil {
				t.Errorf("commit %d: %v", i, err)
			}
		}
	})
}

// Promise 3: the queue is bounded, and a full one says so at once.
func TestQueueFull(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		mem := testkit.NewMemStore(2)
		hung := testkit.NewFaultyStore(mem)
		hung.Next(testkit.Hangs)
		c := start(t, journal.Config{MaxQueue: 3, Committers: 2}, hung, nil)
		var commits []journal.Commit
		for range 4 { // one is being written, three wait
			commits = append(commits, newRegister(t, mem, 0).commit(1))
		}
		waiting := answers(c, commits...)
		began := time.Now()
		if err := c.Commit(t.Context(), newRegister(t, mem, 0).commit(1)); !errors.Is(err, fiscal.QueueFull) || !errors.Is(err, fiscal.Overloaded) {
			t.Errorf("Commit() to a full queue = %v, want %v", err, fiscal.QueueFull)
		}
		if took := time.Since(began); took != 0 {
			t.Errorf("a full queue took %v to say so", took)
		}
		if err := c.Commit(t.Context(), newRegister(t, mem, 1).commit(1)); err != nil {
			t.Errorf("Commit() to the other line = %v, want nil", err)
		}
		hung.Release()
		for i, answer := range waiting {
			if err := <-answer; err != nil {
				t.Errorf("commit %d: %v", i, err)
			}
		}
	})
}

// Promise 4: a stale commit fails alone.
func TestStaleAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		mem := testkit.NewMemStore(1)
		a, b := newRegister(t, mem, 0), newRegister(t, mem, 0)
		stale := a.fork(1)
		first := a.commit(2)
		c := journal.New(journal.Config{}, mem, quiet, nil, time.Now)
		got := answers(c, first, stale, b.commit(1), a.commit(1))
		go c.Run(t.Context())
		for i, want := range []error{nil, journal.ErrStale, nil, nil} {
			if err := <-got[i]; !errors.Is(err, want) {
				t.Errorf("commit %d of the batch: %v, want %v", i, err, want)
			}
		}
		c.Stop()
	})
}

// Promise 4: a commit that the store can never take fails alone, wherever it
// stands in the batch, and not as the document's fault.
func TestBadAlone(t *testing.T) {
	for bad := range 7 {
		synctest.Test(t, func(t *testing.T) {
			mem := testkit.NewMemStore(1)
			var commits []journal.Commit
			for i := range 7 {
				r := newRegister(t, mem, 0)
				if i == bad {
					r.number = 5 // the store refuses the gap
				}
				commits = append(commits, r.commit(1))
			}
			c := journal.New(journal.Config{}, mem, quiet, nil, time.Now)
			got := answers(c, commits...)
			go c.Run(t.Context())
			for i := range got {
				err := <-got[i]
				if i == bad && (err == nil || errors.Is(err, fiscal.Invalid) || !errors.Is(err, fiscal.Internal)) {
					t.Errorf("bad commit %d: %v, want an internal error", i, err)
				}
				if i != bad && (err != nil || !stored(t, mem, &commits[i])) {
					t.Errorf("commit %d beside the bad one %d: %v", i, bad, err)
				}
			}
			c.Stop()
		})
	}
}

// Promise 4: what no store could take never reaches a batch.
func TestCommitChecked(t *testing.T) {
	mem := testkit.NewMemStore(1)
	c := start(t, journal.Config{}, mem, nil)
	for _, tt := range []struct {
		name  string
		spoil func(*journal.Commit)
	}{
		{"no entries", func(x *journal.Commit) { x.Entries = nil }},
		{"no state", func(x *journal.Commit) { x.State = nil }},
		{"partition below zero", func(x *journal.Commit) { x.Partition = -1; x.Entries[0].Partition = -1 }},
		{"another register", func(x *journal.Commit) { x.Entries[1].Register++ }},
		{"another partition", func(x *journal.Commit) { x.Entries[0].Partition++ }},
		{"a gap", func(x *journal.Commit) { x.Entries[1].Number++ }},
		{"number 0", func(x *journal.Commit) { x.Entries = x.Entries[:1]; x.Entries[0].Number = 0 }},
		{"not linked", func(x *journal.Commit) { x.Entries[1].Hash = journal.Hash{} }},
	} {
		x := newRegister(t, mem, 0).commit(2)
		tt.spoil(&x)
		if err := c.Commit(t.Context(), x); !errors.Is(err, fiscal.Internal) {
			t.Errorf("%s: Commit() = %v, want an internal error", tt.name, err)
		}
	}
}

// Promise 5: what one register sent becomes durable in the order in which it
// came, however the batches fall.
func TestOrder(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		cfg := journal.Config{MaxBatch: rapid.IntRange(1, 5).Draw(rt, "batch"), Committers: rapid.IntRange(1, 3).Draw(rt, "committers")}
		picks := rapid.SliceOfN(rapid.IntRange(0, 5), 1, 40).Draw(rt, "registers")
		synctest.Test(t, func(t *testing.T) {
			mem := testkit.NewMemStore(4)
			var registers []*register
			for i := range 6 {
				registers = append(registers, newRegister(t, mem, fiscal.Partition(i%4)))
			}
			var commits []journal.Commit
			for _, i := range picks {
				commits = append(commits, registers[i].commit(1))
			}
			c := start(t, cfg, mem, nil)
			for i, answer := range answers(c, commits...) {
				if err := <-answer; err != nil { // an overtaken commit would be stale
					t.Errorf("commit %d of register %d: %v", i, picks[i], err)
				}
			}
		})
	})
}

func TestWithdrawnAtDeadline(t *testing.T) {
	for _, by := range []string{"deadline", "context"} {
		synctest.Test(t, func(t *testing.T) {
			mem := testkit.NewMemStore(1)
			hung := testkit.NewFaultyStore(mem)
			hung.Next(testkit.Hangs)
			c := start(t, journal.Config{}, hung, nil)
			first := answers(c, newRegister(t, mem, 0).commit(1))[0]

			ctx, x := t.Context(), newRegister(t, mem, 0).commit(1)
			if by == "deadline" {
				x.Deadline = time.Now().Add(4 * time.Second)
			} else {
				var cancel context.CancelFunc
				ctx, cancel = context.WithTimeout(ctx, 4*time.Second)
				defer cancel()
			}
			began := time.Now()
			if err := c.Commit(ctx, x); !errors.Is(err, fiscal.QueuedTooLong) || !errors.Is(err, fiscal.Overloaded) {
				t.Errorf("%s: Commit() behind a hanging batch = %v, want %v", by, err, fiscal.QueuedTooLong)
			}
			if took := time.Since(began); took != 4*time.Second {
				t.Errorf("%s: withdrawn after %v, want 4s", by, took)
			}
			hung.Release()
			if err := <-first; err != nil {
				t.Errorf("%s: the hanging commit: %v", by, err)
			}
			c.Stop()
			if stored(t, mem, &x) {
				t.Errorf("%s: the withdrawn commit was stored", by)
			}
		})
	}
}

// Once its batch has begun a commit is not withdrawn: its waiter is told after
// ten seconds that nobody knows.
func TestOutcomeUnknown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		mem := testkit.NewMemStore(1)
		hung := testkit.NewFaultyStore(mem)
		hung.Next(testkit.Hangs)
		c := start(t, journal.Config{}, hung, nil)
		x := newRegister(t, mem, 0).commit(1)
		x.Deadline = time.Now().Add(4 * time.Second)
		began := time.Now()
		if err := c.Commit(t.Context(), x); !errors.Is(err, fiscal.OutcomeUnknown) {
			t.Errorf("Commit() = %v, want %v", err, fiscal.OutcomeUnknown)
		}
		if took := time.Since(began); took != 10*time.Second {
			t.Errorf("told after %v, want 10s", took)
		}
		hung.Release()
		if err := c.Commit(t.Context(), newRegister(t, mem, 0).commit(1)); err != nil {
			t.Errorf("Commit() after the store came back = %v, want nil", err)
		}
	})
}

// A caller who leaves is not kept: after a second it is told that nobody knows.
func TestCallerLeaves(t *testing.T) {
	for _, after := range []time.Duration{time.Second, 5 * time.Second} { // before and after the deadline
		synctest.Test(t, func(t *testing.T) {
			mem := testkit.NewMemStore(1)
			hung := testkit.NewFaultyStore(mem)
			hung.Next(testkit.Hangs)
			c := start(t, journal.Config{}, hung, nil)
			ctx, cancel := context.WithCancel(t.Context())
			time.AfterFunc(after, cancel)
			x := newRegister(t, mem, 0).commit(1)
			x.Deadline = time.Now().Add(4 * time.Second)
			began := time.Now()
			if err := c.Commit(ctx, x); !errors.Is(err, fiscal.OutcomeUnknown) {
				t.Errorf("left after %v: Commit() = %v, want %v", after, err, fiscal.OutcomeUnknown)
			}
			if took, want := time.Since(began), after+time.Second; took != want {
				t.Errorf("left after %v: answered after %v, want %v", after, took, want)
			}
			hung.Release()
		})
	}
}

// A batch begun before the deadline and done after it is answered as done.
func TestSlowBatchOutlivesDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		mem := testkit.NewMemStore(1)
		slow := testkit.NewFaultyStore(mem)
		slow.Delay = 7 * time.Second
		slow.Next(testkit.Slow)
		c := start(t, journal.Config{}, slow, nil)
		x := newRegister(t, mem, 0).commit(1)
		x.Deadline = time.Now().Add(4 * time.Second)
		if err := c.Commit(t.Context(), x); err != nil {
			t.Errorf("Commit() = %v, want nil", err)
		}
	})
}

// After an error that leaves the outcome open, the committer fences and looks:
// what is there is durable, what is not was never stored.
func TestOutcomeFound(t *testing.T) {
	for _, tt := range []struct {
		name   string
		faults []testkit.Fault
		want   error
	}{
		{"refused", []testkit.Fault{testkit.Refuses}, fiscal.StoreDown},
		{"done but reported as failed", []testkit.Fault{testkit.Lies}, nil},
		{"lost", []testkit.Fault{testkit.Loses}, fiscal.StoreDown},
		{"done, first fences fail", []testkit.Fault{testkit.Lies, testkit.Loses, testkit.Lies, testkit.Works}, nil},
		{"lost, reading back fails", []testkit.Fault{testkit.Loses, testkit.Works, testkit.Loses, testkit.Works}, fiscal.StoreDown},
		{"done, reading back fails", []testkit.Fault{testkit.Lies, testkit.Works, testkit.Loses, testkit.Works}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				mem := testkit.NewMemStore(1)
				faulty := testkit.NewFaultyStore(mem)
				faulty.Next(tt.faults...)
				c := start(t, journal.Config{}, faulty, nil)
				x := newRegister(t, mem, 0).commit(2)
				if err := c.Commit(t.Context(), x); !errors.Is(err, tt.want) {
					t.Errorf("Commit() = %v, want %v", err, tt.want)
				}
				if got := stored(t, mem, &x); got != (tt.want == nil) {
					t.Errorf("stored = %t after the answer %v", got, tt.want)
				}
			})
		})
	}
}

// A store that never answers its fence does not hold up the shutdown for ever,
// and its waiters are told that nobody knows.
func TestStopWhileFencing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		mem := testkit.NewMemStore(1)
		faulty := testkit.NewFaultyStore(mem)
		faulty.Next(testkit.Lies)
		for step := 2; step < 200; step++ {
			faulty.At(step, testkit.Loses)
		}
		c := start(t, journal.Config{}, faulty, nil)
		answer := answers(c, newRegister(t, mem, 0).commit(1))[0]
		began := time.Now()
		c.Stop()
		if took := time.Since(began); took > 13*time.Second {
			t.Errorf("Stop() took %v", took)
		}
		if err := <-answer; !errors.Is(err, fiscal.OutcomeUnknown) {
			t.Errorf("Commit() = %v, want %v", err, fiscal.OutcomeUnknown)
		}
	})
}

// Whatever goes wrong at whichever step: every waiter gets one answer, what is
// answered with nil is stored, what is answered with another error than
// OutcomeUnknown is not and never will be, and the journal goes on afterwards.
func TestFaultAtEachStep(t *testing.T) {
	const rounds, perRound = 3, 4
	for _, fault := range testkit.Faults() {
		for step := 1; step <= 8; step++ {
			for second := testkit.Works; second <= testkit.Hangs; second++ {
				name := fmt.Sprintf("%v at step %d, then %v", fault, step, second)
				synctest.Test(t, func(t *testing.T) {
					mem := testkit.NewMemStore(2)
					faulty := testkit.NewFaultyStore(mem)
					faulty.At(step, fault)
					faulty.At(step+1, second)
					c := start(t, journal.Config{MaxBatch: 2}, faulty, nil)
					got := map[*journal.Commit]error{}
					for range rounds {
						var commits []journal.Commit
						for i := range perRound {
							x := newRegister(t, mem, fiscal.Partition(i%2)).commit(1)
							x.Deadline = time.Now().Add(4 * time.Second)
							commits = append(commits, x)
						}
						for i, answer := range answers(c, commits...) {
							got[&commits[i]] = <-answer
						}
					}
					faulty.Release()
					if err := c.Commit(t.Context(), newRegister(t, mem, 0).commit(1)); err != nil { // may meet the second fault
						if err := c.Commit(t.Context(), newRegister(t, mem, 0).commit(1)); err != nil {
							t.Errorf("%s: the next commit: %v", name, err)
						}
					}
					c.Stop()
					if len(got) != rounds*perRound {
						t.Errorf("%s: %d answers, want %d", name, len(got), rounds*perRound)
					}
					for x, err := range got {
						switch there := stored(t, mem, x); {
						case err == nil && !there:
							t.Errorf("%s: answered nil, not stored", name)
						case err != nil && !errors.Is(err, fiscal.OutcomeUnknown) && there:
							t.Errorf("%s: answered %v, yet stored", name, err)
						}
					}
				})
			}
		}
	}
}
