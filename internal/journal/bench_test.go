package journal_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"openofd/internal/fiscal"
	"openofd/internal/journal"
	"openofd/internal/testkit"
)

// takesAll is a store that takes everything at once.
type takesAll struct{ journal.Store }

func (takesAll) Append(context.Context, []journal.Commit, journal.Sealer) ([]int, error) {
	return nil, nil
}

// BenchmarkCommit is the cost of the queue alone: 64 callers, no store.
func BenchmarkCommit(b *testing.B) {
	mem := testkit.NewMemStore(1)
	c := start(b, journal.Config{}, takesAll{mem}, nil)
	x := newRegister(b, mem, 0).commit(1)
	x.Deadline = time.Now().Add(time.Hour)
	var failed atomic.Int64
	b.SetParallelism(32)
	b.ReportAllocs()
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		mine := x
		for pb.Next() {
			if c.Commit(context.Background(), mine) != nil {
				failed.Add(1)
			}
		}
	})
	if failed.Load() != 0 {
		b.Fatalf("%d commits failed", failed.Load())
	}
}

// BenchmarkLink is the cost of an entry's two hashes.
func BenchmarkLink(b *testing.B) {
	e := journal.Entry{Record: fiscal.Record{Format: "kkm/203", Request: make([]byte, 600), Answer: make([]byte, 400)}}
	b.ReportAllocs()
	for b.Loop() {
		e.Link(e.Hash)
	}
}
