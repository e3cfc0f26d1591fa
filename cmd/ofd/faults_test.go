//go:build linux && (faults || long)

package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
	"time"

	"openofd/internal/testkit/registers"
)

// TestFaults does to whole operators under load what can happen to one, fault
// by fault. After each of them every answered document is stored once with the
// same answer, nothing is stored that was not sent, chains, signs and states
// verify, no register stands still, and every register's history is one that a
// single operator doing one thing at a time could have made.
//
// FAULTS_SEED repeats the dice of a run; moments differ.
//
// Req: P-004, P-006, P-010, P-011, P-013, O-047, O-076, O-077, O-104
func TestFaults(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	if s := os.Getenv("FAULTS_SEED"); s != "" {
		var err error
		if seed, err = strconv.ParseUint(s, 10, 64); err != nil {
			t.Fatalf("FAULTS_SEED=%s: %v", s, err)
		}
	}
	t.Logf("FAULTS_SEED=%d", seed)
	began := time.Now()
	var sum tally
	for i, c := range campaigns {
		t.Run(c.name, func(t *testing.T) {
			began, dice := time.Now(), rand.New(rand.NewPCG(seed, uint64(i)))
			n := c.run(t, dice)
			t.Logf("%s: %v, %.1f s", c.name, n, time.Since(began).Seconds())
			sum.add(n)
		})
	}
	t.Logf("all in %.0f s: %v", time.Since(began).Seconds(), sum)
}

// campaigns are all that is done on purpose, each to an installation of its
// own.
var campaigns = []campaign{
	{"nodes killed", nodesKilled},
	{"node frozen in mid-batch", nodeFrozen},
	{"acts beside", actsBeside},
	{"database", suffering(databaseFaults)},
	{"commit", suffering(commitFaults)},
	{"no room for data", fullData},
	{"no room for the log", fullLog},
	{"wait for the standby cancelled", waitCancelled},
	{"primary restarted without its standby", restartedAlone},
	{"failover", failover},
	{"primary hangs", primaryHangs},
	{"sqlite", onSQLite},
	{"door", besieged},
	{"everybody comes again at once", storms},
	{"clock off at the start", clockOffAtStart},
	{"clock jumps ahead", clockJumpsAhead},
	{"authority away, sqlite", awayAuthority("sqlite")},
	{"authority away, postgres", awayAuthority("postgres")},
}

// campaign is one installation's way through faults.
type campaign struct {
	name string
	run  func(t *testing.T, dice *rand.Rand) tally
}

// fault is one thing that goes wrong on the way, how it is made to, and how
// often it did.
type fault struct {
	name string
	do   func(f *fleet) int
}

// suffering takes three nodes on PostgreSQL through faults, one after another.
// Stopped, they leave nothing running.
func suffering(faults []fault) func(*testing.T, *rand.Rand) tally {
	return func(t *testing.T, dice *rand.Rand) tally {
		before, _ := weigh(t)
		f := startPostgres(t, 3)
		f.dice = dice
		for range size.rounds {
			f.suffer(faults)
		}
		n := f.end()
		const kit = 20 // cables and links of registers
		eventually(t, patience, "the nodes' goroutines have ended", func() bool { now, _ := weigh(t); return now <= before+kit })
		return n
	}
}

// suffer does each fault under load. After each all is answered, and nobody
// stands still.
func (f *fleet) suffer(faults []fault) {
	t := f.t
	defer func() { f.t = t }()
	for _, one := range faults {
		t.Run(one.name, func(t *testing.T) {
			f.t = t
			began, before := time.Now(), f.faults
			f.under(func() int { return one.do(f) })
			f.settle()
			t.Logf("%s: faults injected %d, %.1f s", one.name, f.faults-before, time.Since(began).Seconds())
		})
	}
}

// tally is what a run under faults ends with.
type tally struct {
	faults int
	registers.Counts
}

func (n *tally) add(o tally) {
	n.faults += o.faults
	n.Counts.Add(o.Counts)
}

func (n tally) String() string { return fmt.Sprintf("faults injected %d, %v", n.faults, n.Counts) }

// patience ends a run that stands still.
const patience = time.Minute

// within bounds a step of a test.
func within(t *testing.T, d time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), d)
	t.Cleanup(cancel)
	return ctx
}

// eventually waits for what has to come, and returns how long it took.
func eventually(t *testing.T, limit time.Duration, what string, is func() bool) time.Duration {
	t.Helper()
	for began := time.Now(); ; time.Sleep(10 * time.Millisecond) {
		if is() {
			return time.Since(began)
		}
		if time.Since(began) > limit {
			t.Fatalf("not within %v: %s", limit, what)
		}
	}
}
