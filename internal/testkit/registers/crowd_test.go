package registers

import (
	"context"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"openofd/internal/fiscal"
	"openofd/internal/journal"
	"openofd/internal/testkit"
	"openofd/internal/testkit/faultnet"
)

// crowd is registers at an operator's doors.
func (o *operator) crowd(t *testing.T, n int, addrs []string) *Crowd {
	t.Helper()
	zone, err := time.LoadLocation("Asia/Almaty")
	if err != nil {
		t.Fatal(err)
	}
	c := New(Config{Addrs: addrs, Registers: o.register(t, n), Zone: zone, Answer: 2 * time.Second})
	t.Cleanup(func() { c.Close() })
	return c
}

// settle ends a run under faults: everything is answered, once, and in an order
// that one operator could have made.
func (o *operator) settle(t *testing.T, c *Crowd) Counts {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := c.Settle(ctx); err != nil {
		t.Error(err)
	}
	n := c.Compare(t.Context(), t, o.store)
	c.Recorder().Check(t)
	if n.Answered != n.Stored || n.Pending != 0 {
		t.Errorf("answered %d, stored %d, pending %d; want as many stored as answered", n.Answered, n.Stored, n.Pending)
	}
	return n
}

// TestNodesTakeTurns: every exchange goes to another node than the one before,
// and nobody is refused for what another node has cached.
func TestNodesTakeTurns(t *testing.T) {
	o := newOperator(t, 2)
	c := o.crowd(t, 8, o.addrs)
	ctx, cancel := context.WithTimeout(t.Context(), 1500*time.Millisecond)
	defer cancel()
	c.Run(ctx)
	n := o.settle(t, c)
	if n.Answered < 8*everyClose {
		t.Errorf("%d documents in 1.5 s; want every register to have closed a shift", n.Answered)
	}
	t.Log(n)
}

// TestFaultsOfTheStore: commits of two nodes are refused, lost, made and denied,
// slow, and nothing works for a while; the links break as well. Each answered
// document is stored once with the same answer, and every register's history is
// one that a single operator could have made.
// Req: P-011, P-013, O-047
func TestFaultsOfTheStore(t *testing.T) {
	o := newOperator(t, 2)
	var addrs []string
	var cables []*faultnet.Proxy
	for _, addr := range o.addrs {
		cable := faultnet.New(t, addr)
		cables, addrs = append(cables, cable), append(addrs, cable.Addr())
	}
	c := o.crowd(t, 40, addrs)

	const seed = 3
	dice := rand.New(rand.NewPCG(seed, 1))
	faults := slices.DeleteFunc(testkit.Faults(), func(f testkit.Fault) bool { return f == testkit.Hangs })
	o.faulty.Delay = 20 * time.Millisecond
	planned := o.faulty.Steps()
	for step := planned; step < planned+20_000; step++ {
		switch {
		case step%400 < 12: // down
			o.faulty.At(step, testkit.Refuses)
		case dice.IntN(6) == 0:
			o.faulty.At(step, faults[dice.IntN(len(faults))])
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Second)
	defer cancel()
	cuts := 0
	ran := make(chan struct{})
	go func() {
		defer close(ran)
		c.Run(ctx)
	}()
	for ctx.Err() == nil {
		time.Sleep(time.Duration(50+dice.IntN(200)) * time.Millisecond)
		cables[dice.IntN(len(cables))].Cut()
		cuts++
	}
	<-ran
	steps := o.faulty.Steps() - planned
	for step := o.faulty.Steps(); step < planned+20_000; step++ {
		o.faulty.At(step, testkit.Works)
	}
	n := o.settle(t, c)
	begun, answered := c.Recorder().Exchanges()
	if begun-answered < 50 || n.Answered < 500 {
		t.Errorf("%d exchanges without an answer, %d documents; want some hundreds", begun-answered, n.Answered)
	}
	t.Logf("seed %d: %d steps of the store, %d cuts, %d exchanges without an answer; %v", seed, steps, cuts, begun-answered, n)
}

// TestCompareFinds what it is for: each kind of damage is named.
func TestCompareFinds(t *testing.T) {
	o := newOperator(t, 1)
	c := o.crowd(t, 1, o.addrs)
	ctx, cancel := context.WithTimeout(t.Context(), 150*time.Millisecond)
	defer cancel()
	c.Run(ctx)
	n := o.settle(t, c)
	if n.Answered < 3 {
		t.Fatalf("%d documents in 150 ms, want a few", n.Answered)
	}
	for name, tt := range map[string]struct {
		damage func([]journal.Entry) []journal.Entry
		want   string
		counts Counts // of damage alone
	}{
		"the last entry is gone": {func(all []journal.Entry) []journal.Entry { return all[:len(all)-1] }, "its head says", Counts{}},
		"an entry in the middle is gone": {
			func(all []journal.Entry) []journal.Entry { return slices.Delete(all, 2, 3) }, "follows entry", Counts{}},
		"another document": {func(all []journal.Entry) []journal.Entry {
			all[len(all)-1].Request = []byte("something else entirely, and long enough")
			return all
		}, "was answered and is not stored", Counts{Lost: 1}},
		"another answer": {func(all []journal.Entry) []journal.Entry {
			all[len(all)-1].Answer = []byte("?")
			return all
		}, "stored is", Counts{Lost: 1}},
		"stored twice": {func(all []journal.Entry) []journal.Entry {
			twin := all[2] // the first document
			twin.Number, twin.Seq = all[len(all)-1].Number+1, all[len(all)-1].Seq+1
			return append(all, twin)
		}, "again", Counts{Doubled: 1}},
	} {
		t.Run(name, func(t *testing.T) {
			f := &failing{TB: t}
			got := c.Compare(t.Context(), f, damaged{o.store, tt.damage})
			if !strings.Contains(f.text, tt.want) {
				t.Errorf("complaints %q, want %q in them", f.text, tt.want)
			}
			if tt.counts != (Counts{}) && (got.Lost != tt.counts.Lost || got.Doubled != tt.counts.Doubled) {
				t.Errorf("%v, want lost %d, doubled %d", got, tt.counts.Lost, tt.counts.Doubled)
			}
		})
	}
}

// damaged is a store that shows something else than it holds.
type damaged struct {
	Store
	damage func([]journal.Entry) []journal.Entry
}

func (d damaged) Scan(ctx context.Context, p fiscal.Partition, from journal.Seq, limit int) ([]journal.Entry, error) {
	if from != 1 {
		return nil, nil
	}
	all, err := d.Store.Scan(ctx, p, from, limit)
	return d.damage(all), err
}

// failing catches what a comparison has to say.
type failing struct {
	testing.TB
	text string
}

func (f *failing) Helper() {}

func (f *failing) Errorf(format string, args ...any) {
	for _, a := range args {
		if s, ok := a.(string); ok {
			f.text += s + "\n"
		}
		if err, ok := a.(error); ok {
			f.text += err.Error() + "\n"
		}
	}
}
