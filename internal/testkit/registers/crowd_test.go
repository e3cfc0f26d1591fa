package registers

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"openofd/internal/fiscal"
	"openofd/internal/journal"
	"openofd/internal/testkit"
	"openofd/internal/testkit/faultnet"
)

// patience ends a run that stands still.
const patience = 2 * time.Minute

// TestNodesTakeTurns: every exchange goes to another node than the one before,
// and nobody is refused for what another node has cached.
func TestNodesTakeTurns(t *testing.T) {
	for name, start := range map[string]func(*testing.T, int) *operator{"sqlite": onSQLite, "postgres": onPostgres} {
		t.Run(name, func(t *testing.T) {
			o := start(t, 2)
			c := o.crowd(t, 9, everyClose+3, o.addrs, o.drives)
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			c.Run(ctx)
			n := o.settle(t, c)
			if n.Answered < 9*(everyClose+3) {
				t.Errorf("%d documents within %v", n.Answered, patience)
			}
			t.Log(n)
		})
	}
}

// rounds runs a test of faults under one seed after another: one seed, or as
// many as OFD_FAULT_ROUNDS says.
func rounds(t *testing.T, first uint64, round func(t *testing.T, seed uint64)) {
	n := uint64(1)
	if text := os.Getenv("OFD_FAULT_ROUNDS"); text != "" {
		var err error
		if n, err = strconv.ParseUint(text, 10, 16); err != nil {
			t.Fatal(err)
		}
	}
	for seed := first; seed < first+n; seed++ {
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) { round(t, seed) })
	}
}

// TestFaultsOfTheStore: commits of two nodes are refused, lost, made and denied,
// slow, and nothing works for a while; the links break as well. Each answered
// document is stored once with the same answer, and every register's history is
// one that a single operator could have made.
// Req: P-011
func TestFaultsOfTheStore(t *testing.T) { rounds(t, 3, faultsOfTheStore) }

func faultsOfTheStore(t *testing.T, seed uint64) {
	o := onSQLite(t, 2)
	var cables []*faultnet.Proxy
	by := func(doors []string) (addrs []string) {
		for _, addr := range doors {
			cable := faultnet.New(t, addr)
			cables, addrs = append(cables, cable), append(addrs, cable.Addr())
		}
		return addrs
	}
	c := o.crowd(t, 20, everyClose+2, by(o.addrs), by(o.drives))

	const planned = 20_000
	dice := rand.New(rand.NewPCG(seed, 1))
	faults := slices.DeleteFunc(testkit.Faults(), func(f testkit.Fault) bool { return f == testkit.Hangs })
	o.faulty.Delay = 20 * time.Millisecond
	first := o.faulty.Steps()
	steps := map[int]bool{}
	for step := first + 1; step < first+planned; step++ {
		switch {
		case step%400 < 12: // down
			o.faulty.At(step, testkit.Refuses)
			steps[step] = true
		case dice.IntN(6) == 0:
			o.faulty.At(step, faults[dice.IntN(len(faults))])
			steps[step] = true
		}
	}
	injected := func() (n int) {
		for step := range steps {
			if step <= o.faulty.Steps() {
				n++
			}
		}
		return n
	}
	cuts := o.runUnder(t, c, func() { cables[dice.IntN(len(cables))].Cut() }, dice)
	made := injected()
	for step := range steps {
		o.faulty.At(step, testkit.Works)
	}
	n := o.settle(t, c)
	if made < 10 || cuts < 3 {
		t.Errorf("%d faults of the store and %d cuts, want more", made, cuts)
	}
	t.Logf("faults injected %d, %v", made+cuts, n)
}

// TestFaultsOfTheCommit: connections of two nodes to PostgreSQL break before,
// in and after a COMMIT, answers to it are held back, and now and then all of
// them are cut, paused or refused. What is promised is as above.
// Req: P-011
func TestFaultsOfTheCommit(t *testing.T) { rounds(t, 5, faultsOfTheCommit) }

func faultsOfTheCommit(t *testing.T, seed uint64) {
	o := onPostgres(t, 2)
	c := o.crowd(t, 20, everyClose+2, o.addrs, o.drives)
	dice := rand.New(rand.NewPCG(seed, 1))
	for i, cable := range o.cables {
		cable.AtCommit(faultnet.Seeded(seed<<8+uint64(i), 6,
			faultnet.Fate{Harm: faultnet.CutBefore}, faultnet.Fate{Harm: faultnet.CutDuring}, faultnet.Fate{Harm: faultnet.CutAfter},
			faultnet.Fate{Harm: faultnet.Hold, For: 50 * time.Millisecond}))
	}
	weather := 0
	o.runUnder(t, c, func() {
		cable := o.cables[dice.IntN(len(o.cables))]
		weather++
		switch weather % 6 {
		case 0:
			cable.Pause()
			time.Sleep(200 * time.Millisecond)
			cable.Resume()
		case 1:
			cable.Refuse()
			cable.Cut()
			time.Sleep(200 * time.Millisecond)
			cable.Admit()
		case 2:
			cable.Cut()
		}
	}, dice)
	injected := weather / 2
	for _, cable := range o.cables {
		injected += cable.Injected()
		cable.AtCommit(nil)
	}
	n := o.settle(t, c)
	if injected < 10 {
		t.Errorf("%d faults, want more", injected)
	}
	t.Logf("faults injected %d, %v", injected, n)
}

// runUnder lets a crowd work while something is done to it again and again.
func (o *operator) runUnder(t *testing.T, c *Crowd, harm func(), dice *rand.Rand) (times int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	ran := make(chan struct{})
	go func() {
		defer close(ran)
		c.Run(ctx)
	}()
	for {
		select {
		case <-ran:
			return times
		case <-time.After(time.Duration(20+dice.IntN(150)) * time.Millisecond):
			harm()
			times++
		}
	}
}

// TestCompareFinds what it is for: each kind of damage is named. That documents
// are in order only a drive's numbers tell; of the others the histories do.
func TestCompareFinds(t *testing.T) {
	for country, part := range map[string]int{"Kazakhstan": 1, "Russia": 2} {
		t.Run(country, func(t *testing.T) { compareFinds(t, part) })
	}
}

// compareFinds looks at one register: the first is of Kazakhstan, the second of
// Russia.
func compareFinds(t *testing.T, part int) {
	o := onSQLite(t, 1)
	c := o.crowd(t, part, 5, o.addrs, o.drives)
	c.devices = c.devices[part-1:]
	c.Run(t.Context())
	if n := o.settle(t, c); n.Answered != 5 {
		t.Fatalf("%d documents, want 5", n.Answered)
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
		"documents out of order": {func(all []journal.Entry) []journal.Entry {
			a, b := &all[len(all)-2], &all[len(all)-1]
			a.Record, b.Record = b.Record, a.Record
			a.Number, b.Number = b.Number, a.Number
			return all
		}, map[int]string{2: "want 4"}[part], Counts{}},
		"stored twice": {func(all []journal.Entry) []journal.Entry {
			twin := all[len(all)-2]
			twin.Number, twin.Seq = all[len(all)-1].Number+1, all[len(all)-1].Seq+1
			return append(all, twin)
		}, "again", Counts{Doubled: 1}},
	} {
		if tt.want == "" {
			continue
		}
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
