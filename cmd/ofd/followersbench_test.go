package main

import (
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"openofd/internal/delivery"
	"openofd/internal/follow"
	"openofd/internal/journal"
	"openofd/internal/testkit/pgcluster"
)

// BenchmarkFollow forwards a backlog of receipts to the folder, and accepts
// others while it does: each alone, then both. The time of the processor is
// this process's, client of the journal included; a database server's is not in
// it.
func BenchmarkFollow(b *testing.B) {
	for _, engine := range []string{"sqlite", "postgres"} {
		for _, work := range []struct {
			name           string
			accept, follow bool
		}{{"forward", false, true}, {"accept", true, false}, {"both", true, true}} {
			b.Run(engine+"/"+work.name, func(b *testing.B) { benchFollow(b, engine, work.accept, work.follow) })
		}
	}
}

func benchFollow(b *testing.B, engine string, accept, forward bool) {
	var s settings
	s.Data = b.TempDir()
	s.KKTCrypto.Name = "sim1"
	if forward {
		s.FNSDir = filepath.Join(s.Data, "fns")
	}
	if engine == "postgres" {
		s.DB.URL = pgcluster.Database(b)
		if err := migrateServer(b.Context(), coreConfig{Dir: s.Data, DB: s.DB.URL}, false, nil); err != nil {
			b.Fatal(err)
		}
	}
	c, err := startCore(b.Context(), coreConfig{Dir: s.Data, DB: s.DB.URL})
	if err != nil {
		b.Fatal(err)
	}
	f := newFiller(b, c, 64)
	if forward {
		f.fill(b.N)
	}
	var commits []journal.Commit // made before, for a drive's work is not ours
	if accept {
		for i := range b.N {
			commits = append(commits, f.commit(f.tills[i%len(f.tills)], nil))
		}
	}
	if err := c.stop(); err != nil {
		b.Fatal(err)
	}

	before, began := benchProcessor(b), time.Now()
	b.ResetTimer()
	o, err := startOperator(b.Context(), s)
	if err != nil {
		b.Fatal(err)
	}
	defer o.stop()
	var took time.Duration
	if accept {
		benchAccept(b, o, commits, len(f.tills))
		took = time.Since(began)
		b.ReportMetric(float64(b.N)/took.Seconds(), "accepted/s")
	}
	if forward {
		for {
			at, err := follow.Stands(b.Context(), o.store, delivery.IDOf("fns"))
			if err == nil && at.Entries == 0 {
				break
			}
			time.Sleep(5 * time.Millisecond)
		}
		n := float64(b.N)
		if accept {
			n *= 2
		}
		b.ReportMetric(n/time.Since(began).Seconds(), "forwarded/s")
	}
	b.StopTimer()
	b.ReportMetric(float64(benchProcessor(b)-before)/float64(b.N)/1000, "cpu-µs/op")
}

// benchAccept has 64 registers wait for their own commit each.
func benchAccept(b *testing.B, o *operator, commits []journal.Commit, registers int) {
	var failed atomic.Int64
	var all sync.WaitGroup
	for r := range registers {
		all.Go(func() {
			for i := r; i < len(commits); i += registers {
				if err := o.core.committer.Commit(b.Context(), commits[i]); err != nil {
					failed.Add(1)
					return
				}
			}
		})
	}
	all.Wait()
	if n := failed.Load(); n > 0 {
		b.Errorf("%d registers failed", n)
	}
}

// benchProcessor is what this process has used, user and system.
func benchProcessor(b *testing.B) time.Duration {
	var r syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err != nil {
		b.Fatal(err)
	}
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}
