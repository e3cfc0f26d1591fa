//go:build linux && (faults || long)

package main

import (
	"errors"
	"math/rand/v2"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"openofd/internal/fiscal"
	"openofd/internal/store/postgres"
	"openofd/internal/testkit/pgcluster"
)

// clockOffAtStart: a node whose clock is not right does not start.
func clockOffAtStart(t *testing.T, _ *rand.Rand) tally {
	c := pgcluster.Start(t, pgcluster.Options{})
	f := onCluster(t, c.URL("postgres"))
	for _, off := range []time.Duration{2 * time.Second, -2 * time.Second} {
		s := localSettings(t)
		s.DB.URL, s.KeyFile, s.Now = f.at.DB, f.at.KeyFile, func() time.Time { return time.Now().Add(off) }
		o, err := startOperator(t.Context(), s)
		if !errors.Is(err, fiscal.Conflict) || !strings.Contains(err.Error(), "clock") {
			t.Errorf("startOperator() with a clock %v off = %v, want Conflict about the clock", off, err)
		}
		if err == nil {
			o.stop()
		}
		f.faults++
	}
	f.start(f.at.DB, nil)
	f.register(3)
	return f.end()
}

// clockJumpsAhead: documents that came to a node whose clock jumped are refused as
// unavailable; it takes no partition to a month that is not there yet, and the
// other nodes go on. When its clock is right again, so does it.
func clockJumpsAhead(t *testing.T, _ *rand.Rand) tally {
	c := pgcluster.Start(t, pgcluster.Options{})
	f := onCluster(t, c.URL("postgres"))
	var ahead atomic.Int64
	jumping := f.start(f.at.DB, func(s *settings) {
		s.Now = func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }
	})
	f.start(f.at.DB, nil)
	f.start(f.at.DB, nil)
	f.register(size.registers)
	ask := func(sql string) int64 {
		t.Helper()
		n, err := c.QueryInt(t.Context(), sql)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	const month = "SELECT max(month)::bigint FROM heads"
	const tables = "SELECT count(*) FROM pg_class WHERE relname ~ '^entries_[0-9]+$'"
	f.under(func() int { return 0 })
	months, last := ask(tables), ask(month)
	f.under(func() int {
		ahead.Store(int64(40 * 24 * time.Hour))
		time.Sleep(time.Second)
		if err := jumping.store.engine.(*postgres.DB).Check(within(t, patience)); !errors.Is(err, fiscal.Conflict) {
			t.Errorf("Check() = %v, want Conflict", err)
		}
		time.Sleep(time.Second)
		ahead.Store(0)
		return 1
	})
	n := f.end()
	if m := ask(month); m != last {
		t.Errorf("partitions are in month %d, want %d", m, last)
	}
	if m := ask(tables); m != months {
		t.Errorf("%d months are open, want %d", m, months)
	}
	if late := ask("SELECT count(*) FROM entries WHERE received_at > extract(epoch FROM clock_timestamp()) * 1e6"); late != 0 {
		t.Errorf("%d entries were received in the future", late)
	}
	return n
}
