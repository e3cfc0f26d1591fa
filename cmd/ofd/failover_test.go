//go:build linux && (faults || long)

package main

import (
	"math/rand/v2"
	"testing"
	"time"

	"openofd/internal/testkit/pgcluster"
)

// pair is a primary with its synchronous standby, and an installation on them.
// The nodes know the addresses of both and nothing else.
func pair(t *testing.T, nodes int) (f *fleet, primary, standby *pgcluster.Cluster) {
	t.Helper()
	primary = pgcluster.Start(t, pgcluster.Options{})
	standby = primary.Standby(t)
	f = onCluster(t, several("postgres", primary, standby))
	for range nodes {
		f.start(f.at.DB, nil)
	}
	f.register(size.registers)
	return f, primary, standby
}

// backAfter is how soon after a promotion every register has to be answered.
const backAfter = 30 * time.Second

// failover kills the primary under load and promotes its standby; the old one
// comes back as the new one's standby, and then it goes the other way round.
func failover(t *testing.T, dice *rand.Rand) tally {
	f, primary, standby := pair(t, 3)
	for i := range size.failovers {
		stop := f.work()
		time.Sleep(warmth + time.Duration(dice.IntN(300))*time.Millisecond)
		primary.Kill()
		f.faults++
		if err := standby.Promote(t.Context()); err != nil {
			t.Fatal(err)
		}
		promoted := time.Now()
		eventually(t, backAfter, "a document is stored after the promotion", func() func() bool {
			before, err := standby.QueryInt(t.Context(), entries)
			return func() bool {
				now, e := standby.QueryInt(t.Context(), entries)
				return err == nil && e == nil && now > before
			}
		}())
		first := time.Since(promoted)
		stop()
		if err := f.crowd.Settle(within(t, patience)); err != nil {
			t.Fatal(err)
		}
		took := time.Since(promoted)
		t.Logf("failover: a document is stored %.1f s after the promotion, every register is answered after %.1f s", first.Seconds(), took.Seconds())
		if took > backAfter {
			t.Errorf("every register was answered %v after the promotion, want %v", took, backAfter)
		}
		if i < size.failovers-1 {
			f.under(func() int { // the others' commits wait for it from now on
				if err := primary.Rejoin(t.Context(), standby); err != nil {
					t.Fatal(err)
				}
				return 0
			})
			primary, standby = standby, primary
		}
	}
	return f.end()
}

// hungFor is how soon registers are answered again when the primary does not
// die but hangs: connections to it stay, and nobody answers there.
const hungFor = time.Minute

// primaryHangs: the primary stands still, its standby is promoted, and what
// waits there for a COMMIT is given up and looked for at the new one.
func primaryHangs(t *testing.T, _ *rand.Rand) tally {
	f, primary, standby := pair(t, 1)
	stop := f.work()
	time.Sleep(warmth)
	primary.Freeze()
	f.faults++
	if err := standby.Promote(t.Context()); err != nil {
		t.Fatal(err)
	}
	promoted := time.Now()
	time.Sleep(time.Second)
	stop()
	if err := f.crowd.Settle(within(t, hungFor)); err != nil {
		t.Fatal(err)
	}
	t.Logf("hung: every register is answered %.1f s after the promotion", time.Since(promoted).Seconds())
	primary.Kill() // at last
	return f.end()
}

// entries is how many entries there are.
const entries = "SELECT sum(seq)::bigint FROM heads"
