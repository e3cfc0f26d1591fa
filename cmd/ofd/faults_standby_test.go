//go:build linux && (faults || long)

package main

import (
	"math/rand/v2"
	"testing"
	"time"

	"openofd/internal/testkit/pgcluster"
)

// What is committed on a primary without its standby can be read there as soon
// as the wait for the standby has ended somehow, and yet would not survive a
// failover.

// waitCancelled: somebody cancels the commits that wait.
func waitCancelled(t *testing.T, _ *rand.Rand) tally {
	return beforeFailover(t, func(primary *pgcluster.Cluster) (faults int) {
		for until := time.Now().Add(aloneFor); time.Now().Before(until); time.Sleep(50 * time.Millisecond) {
			n, err := primary.QueryInt(t.Context(), "SELECT count(pg_cancel_backend(pid)) FROM pg_stat_activity WHERE wait_event = 'SyncRep'")
			if err != nil {
				t.Error(err)
			}
			faults += int(n)
		}
		return faults
	})
}

// restartedAlone: the primary finds them in its log when it comes up again.
func restartedAlone(t *testing.T, _ *rand.Rand) tally {
	return beforeFailover(t, func(primary *pgcluster.Cluster) int {
		time.Sleep(time.Second)
		primary.Kill()
		primary.Restart()
		time.Sleep(aloneFor)
		return 1
	})
}

// aloneFor is how long the primary is without its standby: long enough for
// registers to give up waiting and to repeat.
const aloneFor = 8 * time.Second

// beforeFailover: the standby is gone, the wait for it is disturbed, the primary
// is lost for good, and the standby takes its place. What a register was
// answered, the first time or to a repetition, must be there.
func beforeFailover(t *testing.T, disturb func(primary *pgcluster.Cluster) int) tally {
	f, primary, standby := pair(t, 2)
	f.under(func() int {
		standby.Kill() // and not frozen: what is in its socket would reach it yet
		n := 1 + disturb(primary)
		primary.Kill()
		standby.Restart()
		if err := standby.Promote(t.Context()); err != nil {
			t.Fatal(err)
		}
		return n + 1
	})
	return f.end()
}
