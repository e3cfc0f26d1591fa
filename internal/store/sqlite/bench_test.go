//go:build unix

package sqlite

import (
	"context"
	"fmt"
	"math/rand/v2"
	"syscall"
	"testing"
	"time"

	"openofd/internal/fiscal"
	"openofd/internal/journal"
)

// benchRegisters is as many as a town has.
const benchRegisters = 1000

// BenchmarkAppend prints receipts a second by size of batch, what each costs the
// processors (the moving of the log beside it counted), and the longest batch,
// which shows whether moving the log holds acceptance up.
func BenchmarkAppend(b *testing.B) {
	for _, size := range []int{1, 16, 32, 64, 128, 512} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			l := newLoad(b, b.TempDir(), benchRegisters)
			var longest, worked time.Duration
			b.ReportAllocs()
			b.ResetTimer()
			for range b.N {
				b.StopTimer()
				batch := l.batch(size)
				b.StartTimer()
				began, before := time.Now(), processor()
				if stale, err := l.db.Append(b.Context(), batch, journal.Seal); err != nil || len(stale) > 0 {
					b.Fatalf("Append = %v, %v, want nothing stale", stale, err)
				}
				longest = max(longest, time.Since(began))
				worked += processor() - before
			}
			b.StopTimer()
			b.ReportMetric(float64(b.N*size)/b.Elapsed().Seconds(), "receipts/s")
			b.ReportMetric(float64(longest.Milliseconds()), "longest-ms")
			b.ReportMetric(float64(worked.Microseconds())/float64(b.N*size), "cpu-µs/receipt")
			log, err := l.db.main.LogBytes()
			if err != nil {
				b.Fatal(err)
			}
			b.ReportMetric(float64(log>>20), "log-MB")
		})
	}
}

// processor is the time that all processors worked for this process.
func processor() time.Duration {
	var r syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err != nil {
		return 0
	}
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}

// BenchmarkRead prints how fast the reads of an exchange are, alone and beside
// acceptance.
func BenchmarkRead(b *testing.B) {
	l := newLoad(b, b.TempDir(), benchRegisters)
	for range 100 {
		if _, err := l.db.Append(b.Context(), l.batch(512), journal.Seal); err != nil {
			b.Fatal(err)
		}
	}
	place := func() fiscal.Place { return fiscal.Place{Register: l.ids[rand.IntN(len(l.ids))]} }
	reads := map[string]func(context.Context) error{
		"Row":        func(ctx context.Context) error { _, err := l.db.Row(ctx, place()); return err },
		"RowVersion": func(ctx context.Context) error { _, err := l.db.RowVersion(ctx, place()); return err },
		"Entry": func(ctx context.Context) error {
			_, err := l.db.Entry(ctx, 0, place().Register, fiscal.Number(1+rand.IntN(30)))
			return err
		},
		"Find": func(ctx context.Context) error {
			_, err := l.db.Find(ctx, fiscal.Address{Kind: fiscal.ByID, Name: fmt.Sprint(place().Register)})
			return err
		},
		"Scan100": func(ctx context.Context) error {
			_, err := l.db.Scan(ctx, 0, journal.Seq(1+rand.IntN(50_000)), 100)
			return err
		},
	}
	for name, read := range reads {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for range b.N {
				if err := read(b.Context()); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
