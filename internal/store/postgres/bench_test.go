//go:build linux

package postgres

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"openofd/internal/journal"
)

// benchRegisters is as many as a town has.
const benchRegisters = 2000

// BenchmarkAppend prints receipts a second by size of batch and by how many
// committers are at work, and what a receipt costs the processors: here, and in
// the server with all its processes.
func BenchmarkAppend(b *testing.B) {
	db := installation(b)
	l := newLoad(b, db, benchRegisters)
	for _, committers := range []int{1, 4} {
		for _, size := range []int{16, 64, 256} {
			b.Run(fmt.Sprintf("%dx%d", committers, size), func(b *testing.B) {
				work := make([][][]journal.Commit, committers)
				for i := range b.N {
					c := i % committers
					work[c] = append(work[c], l.batch(size, c, committers))
				}
				here, there := ours(), theirs(b, db)
				b.ResetTimer()
				var running sync.WaitGroup
				for _, batches := range work {
					running.Go(func() {
						for _, batch := range batches {
							if stale, err := db.Append(context.Background(), batch, journal.Seal); err != nil || len(stale) > 0 {
								b.Errorf("Append = %v, %v, want nothing stale", stale, err)
								return
							}
						}
					})
				}
				running.Wait()
				b.StopTimer()
				n := float64(b.N * size)
				b.ReportMetric(n/b.Elapsed().Seconds(), "receipts/s")
				b.ReportMetric(float64((ours()-here).Microseconds())/n, "client-µs/receipt")
				b.ReportMetric(float64((theirs(b, db)-there).Microseconds())/n, "server-µs/receipt")
			})
		}
	}
}

// ours is the time that all processors worked for this process.
func ours() time.Duration {
	var r syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err != nil {
		return 0
	}
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}

// theirs is the time that all processors worked for the server's processes.
func theirs(tb testing.TB, db engine) (all time.Duration) {
	tb.Helper()
	pid, err := db.QueryInt(tb.Context(), `SELECT pg_backend_pid()`)
	if err != nil {
		tb.Fatal(err)
	}
	parent := stat(strconv.FormatInt(pid, 10))[1]
	processes, err := os.ReadDir("/proc")
	if err != nil {
		tb.Fatal(err)
	}
	for _, p := range processes {
		if f := stat(p.Name()); len(f) > 12 && f[1] == parent {
			for _, ticks := range f[11:13] {
				n, _ := strconv.ParseInt(ticks, 10, 64)
				all += time.Duration(n) * 10 * time.Millisecond
			}
		}
	}
	return all
}

// stat are the fields of a process behind its name: state, parent and so on.
func stat(pid string) []string {
	b, err := os.ReadFile("/proc/" + pid + "/stat")
	_, rest, ok := strings.Cut(string(b), ") ")
	if err != nil || !ok {
		return nil
	}
	return strings.Fields(rest)
}
