package intake_test

import (
	"context"
	"crypto/rand"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"openofd/internal/fiscal"
	"openofd/internal/intake"
	"openofd/internal/journal"
	"openofd/internal/testkit"
)

// BenchmarkAccept is what intake itself costs: rules that copy the state and
// nothing else, a journal that takes everything at once, 64 registers at a time.
func BenchmarkAccept(b *testing.B) {
	store := testkit.NewMemStore(1)
	answer := make([]byte, 400)
	rules := asking(func(s *fiscal.Situation) fiscal.Decision {
		return fiscal.Decision{Next: s.State.Clone(), Answer: answer, Records: []fiscal.Record{{Kind: fiscal.DocReceipt, Format: "fake/1"}}}
	})
	in := intake.New(intake.Config{}, store, committing(func(journal.Commit) error { return nil }), rules, nil, nil, quiet, nil, time.Now, rand.Reader)
	var addresses []fiscal.Address
	for range 64 {
		card := fiscal.Card{Taxpayer: 1}
		if err := store.AddRegister(b.Context(), 0, &card, nil); err != nil {
			b.Fatal(err)
		}
		addresses = append(addresses, fiscal.Address{Kind: fiscal.ByID, Name: strconv.Itoa(int(card.Register))})
	}
	var next, failed atomic.Int64
	b.SetParallelism(32)
	b.ReportAllocs()
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		a := addresses[next.Add(1)%64]
		request := make([]byte, 600)
		for pb.Next() {
			if _, err := in.Accept(context.Background(), fiscal.Exchange{Address: a, Request: request, Received: time.Now()}); err != nil {
				failed.Add(1)
			}
		}
	})
	if failed.Load() != 0 {
		b.Fatalf("%d exchanges failed", failed.Load())
	}
}
