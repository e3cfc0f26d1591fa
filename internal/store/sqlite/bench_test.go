package sqlite

import (
	"context"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"openofd/internal/fiscal"
	"openofd/internal/journal"
	"openofd/internal/registry"
)

// The load of the benchmark: what a receipt of five lines is on the wire and in
// the journal, over as many registers as a town has.
const (
	benchRegisters = 1000
	benchRequest   = 700
	benchAnswer    = 150
	benchState     = 600
)

// BenchmarkAppend prints receipts a second by size of batch, and the longest
// batch, which shows whether moving the log holds acceptance up.
func BenchmarkAppend(b *testing.B) {
	for _, size := range []int{1, 16, 32, 64, 128, 512} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			l := newLoad(b)
			var longest time.Duration
			b.ReportAllocs()
			b.ResetTimer()
			for range b.N {
				b.StopTimer()
				batch := l.batch(size)
				b.StartTimer()
				began := time.Now()
				if stale, err := l.db.Append(b.Context(), batch, journal.Seal); err != nil || len(stale) > 0 {
					b.Fatalf("Append = %v, %v, want nothing stale", stale, err)
				}
				longest = max(longest, time.Since(began))
			}
			b.StopTimer()
			b.ReportMetric(float64(b.N*size)/b.Elapsed().Seconds(), "receipts/s")
			b.ReportMetric(float64(longest.Milliseconds()), "longest-ms")
			log, err := l.db.main.LogBytes()
			if err != nil {
				b.Fatal(err)
			}
			b.ReportMetric(float64(log>>20), "log-MB")
		})
	}
}

// BenchmarkRead prints how fast the reads of an exchange are, alone and beside
// acceptance.
func BenchmarkRead(b *testing.B) {
	l := newLoad(b)
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

// load makes commits that follow each other, register by register.
type load struct {
	db    *DB
	ids   []fiscal.RegisterID
	last  []fiscal.Number
	hash  []journal.Hash
	state []byte
	bytes []byte
	at    atomic.Int64
}

func newLoad(tb testing.TB) *load {
	tb.Helper()
	dir := tb.TempDir()
	db, err := Open(tb.Context(), Options{Dir: dir, Serve: true})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := db.Close(); err != nil {
			tb.Errorf("close %s: %v", filepath.Base(dir), err)
		}
	})
	l := &load{db: db, last: make([]fiscal.Number, benchRegisters), hash: make([]journal.Hash, benchRegisters)}
	t := registry.Taxpayer{Country: fiscal.Kazakhstan, XIN: "123456789011", Created: time.Unix(1_700_000_000, 0).UTC()}
	if err := db.AddTaxpayer(tb.Context(), &t); err != nil {
		tb.Fatal(err)
	}
	for range benchRegisters {
		c := fiscal.Card{Country: fiscal.Kazakhstan, Taxpayer: t.ID, Model: "M"}
		if err := db.AddRegister(tb.Context(), t.Partition, &c, nil); err != nil {
			tb.Fatal(err)
		}
		l.ids = append(l.ids, c.Register)
	}
	l.state = (&fiscal.State{CardVersion: 1}).Append(nil)
	for len(l.state) < benchState {
		l.state = (&fiscal.State{CardVersion: 1, Protocol: make([]byte, benchState-len(l.state))}).Append(nil)
	}
	l.bytes = make([]byte, benchRequest)
	for i := range l.bytes {
		l.bytes[i] = byte(rand.Uint32())
	}
	return l
}

// batch is the next exchange of size registers, drawn at random.
func (l *load) batch(size int) []journal.Commit {
	batch := make([]journal.Commit, size)
	for i, r := range rand.Perm(len(l.ids))[:size] {
		l.last[r]++
		e := journal.Entry{Record: fiscal.Record{
			Register: l.ids[r], Number: l.last[r], Taxpayer: 1, CardVersion: 1, Format: "kkm/203", Kind: fiscal.DocReceipt,
			DeviceTime: 1_741_944_761, ReceivedAt: time.UnixMicro(1_741_944_761_123_456 + l.at.Add(30)).UTC(), Shift: 12,
			FiscalSign: 812_345_678_901, SignKey: 1, Op: fiscal.OpSale, Total: 177_750, Cash: 100_000, Cashless: 77_750, Tax: 19_000,
			Request: l.bytes, Answer: l.bytes[:benchAnswer],
		}}
		e.Link(l.hash[r])
		l.hash[r] = e.Hash
		batch[i] = journal.Commit{Register: l.ids[r], Judged: uint64(l.last[r] - 1), State: l.state, Entries: []journal.Entry{e}}
	}
	return batch
}
