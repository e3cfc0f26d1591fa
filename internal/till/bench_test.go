package till_test

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"openofd/internal/fiscal"
)

// BenchmarkTills is 500 registers in one till that sell a receipt a second each,
// against an operator on the same machine. A latency counts from the moment the
// receipt was due until it could be printed: durable here, judged, durable at the
// operator, and its answer durable here.
//
// Req: P-001
func BenchmarkTills(b *testing.B) {
	const (
		tills  = 500
		lasted = 10 * time.Second
		pace   = time.Second
		within = 500 * time.Millisecond
	)
	s := openShop(b)
	ids := []fiscal.RegisterID{s.id}
	for i := 1; i < tills; i++ {
		r := s.operator.add(b, fmt.Sprintf("OT27%010d", i))
		if err := s.Connect(b.Context(), s.seat(), r.Card.Register, r.Token); err != nil {
			b.Fatal(err)
		}
		ids = append(ids, r.Card.Register)
	}
	seat := s.seat()
	for _, id := range ids { // their shifts are opened before it counts
		if _, err := s.Form(b.Context(), seat, id, cash("first", 1_00), false); err != nil {
			b.Fatal(err)
		}
	}
	b.ResetTimer()
	for b.Loop() {
		var all []time.Duration
		var mu sync.Mutex
		var offline int
		var selling sync.WaitGroup
		begin := time.Now()
		for i, id := range ids {
			selling.Go(func() {
				for n := 0; ; n++ {
					due := begin.Add(pace*time.Duration(n) + pace*time.Duration(i)/tills)
					if due.Sub(begin) >= lasted {
						return
					}
					time.Sleep(time.Until(due))
					d, err := s.Form(b.Context(), seat, id, cash(fmt.Sprint(begin.UnixNano(), n), 1_00), false)
					took := time.Since(due)
					if err != nil {
						b.Error(err)
						return
					}
					mu.Lock()
					all = append(all, took)
					if d.FiscalSign == "" {
						offline++
					}
					mu.Unlock()
				}
			})
		}
		selling.Wait()
		if len(all) == 0 {
			b.Fatal("nothing was sold")
		}
		slices.Sort(all)
		p50, p99 := all[len(all)/2], all[len(all)*99/100]
		b.ReportMetric(float64(p50.Microseconds())/1000, "p50-ms")
		b.ReportMetric(float64(p99.Microseconds())/1000, "p99-ms")
		b.ReportMetric(float64(len(all))/time.Since(begin).Seconds(), "receipts/s")
		b.ReportMetric(float64(offline), "autonomous")
		b.Logf("%d tills, %d receipts: p50 %v, p99 %v, %d autonomous", tills, len(all), p50, p99, offline)
		if p99 > within {
			b.Errorf("p99 of %d receipts is %v, want %v at most", len(all), p99, within)
		}
	}
}
