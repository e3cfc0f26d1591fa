//go:build linux && (faults || long)

package main

import (
	"time"

	"openofd/internal/testkit/faultnet"
)

// commitFaults are what becomes of a connection at the moment of a COMMIT: the
// node cannot know what became of its batch.
var commitFaults = []fault{
	{"cut before", atCommit(faultnet.Fate{Harm: faultnet.CutBefore})},
	{"cut during", atCommit(faultnet.Fate{Harm: faultnet.CutDuring})},
	{"cut after", atCommit(faultnet.Fate{Harm: faultnet.CutAfter})},
	{"held", atCommit(faultnet.Fate{Harm: faultnet.Hold, For: 100 * time.Millisecond})},
	{"all of them", atCommit(
		faultnet.Fate{Harm: faultnet.CutBefore}, faultnet.Fate{Harm: faultnet.CutDuring}, faultnet.Fate{Harm: faultnet.CutAfter},
		faultnet.Fate{Harm: faultnet.Hold, For: 50 * time.Millisecond},
	)},
	{"held for long", heldForLong},
}

// atCommit gives one of the fates to one COMMIT in so many, until enough came
// to harm.
func atCommit(fates ...faultnet.Fate) func(*fleet) int {
	return func(f *fleet) int {
		f.t.Helper()
		before := f.harmed()
		for _, c := range f.cables {
			c.AtCommit(faultnet.Seeded(f.dice.Uint64(), size.oneIn, fates...))
		}
		eventually(f.t, 10*patience, "enough COMMITs come to harm", func() bool { return f.harmed()-before >= size.commits })
		for _, c := range f.cables {
			c.AtCommit(nil)
		}
		return f.harmed() - before
	}
}

// harmed is how many COMMITs have come to harm.
func (f *fleet) harmed() (n int) {
	for _, c := range f.cables {
		n += c.Injected()
	}
	return n
}

// heldForLong: a COMMIT is answered when nobody waits for it any more, neither
// the register nor the node's own patience.
func heldForLong(f *fleet) int {
	before := f.harmed()
	for _, c := range f.cables {
		held := 0
		c.AtCommit(func(int) faultnet.Fate {
			if held++; held <= 2 { // under the cable's lock
				return faultnet.Fate{Harm: faultnet.Hold, For: 11 * time.Second}
			}
			return faultnet.Fate{}
		})
	}
	time.Sleep(12 * time.Second)
	for _, c := range f.cables {
		c.AtCommit(nil)
	}
	return f.harmed() - before
}
