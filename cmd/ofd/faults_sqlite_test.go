//go:build linux && (faults || long)

package main

import (
	"math/rand/v2"
	"testing"
	"time"

	"openofd/internal/journal"
	"openofd/internal/testkit"
)

// sqliteFaults are those of the embedded store as its caller meets them.
var sqliteFaults = []fault{
	{"unknown outcomes", atStep(4, testkit.Loses, testkit.Lies)},
	{"slow", atStep(4, testkit.Slow)},
	{"down", atStep(1, testkit.Refuses)},
	{"all of them", atStep(4, testkit.Refuses, testkit.Loses, testkit.Lies, testkit.Slow)},
}

// onSQLite runs a node on the embedded engine, whose store goes wrong.
func onSQLite(t *testing.T, dice *rand.Rand) tally {
	f := newFleet(t, t.TempDir(), "")
	f.dice = dice
	f.start("", func(s *settings) {
		s.Journal = func(below journal.Store) journal.Store {
			f.store = testkit.NewFaultyStore(below)
			f.store.Delay = 20 * time.Millisecond
			return f.store
		}
	})
	f.register(size.registers)
	f.suffer(sqliteFaults)
	return f.end()
}

// atStep has one step of the store in so many go wrong.
func atStep(oneIn int, faults ...testkit.Fault) func(*fleet) int {
	return func(f *fleet) (planned int) {
		f.t.Helper()
		first := f.store.Steps() + 100
		for step := first; step < first+size.steps; step++ {
			if f.dice.IntN(oneIn) == 0 {
				f.store.At(step, faults[f.dice.IntN(len(faults))])
				planned++
			}
		}
		eventually(f.t, 10*patience, "the steps are taken", func() bool { return f.store.Steps() > first+size.steps })
		return planned
	}
}
