package main

import (
	"net/http/httptest"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"openofd/internal/authority/kgd"
	"openofd/internal/authority/sandbox"
	"openofd/internal/cabinet"
	"openofd/internal/config"
	"openofd/internal/delivery"
	"openofd/internal/follow"
	"openofd/internal/journal"
	"openofd/internal/testkit/pgcluster"
)

// deliveryRegisters is among how many registers receipts are spread.
const deliveryRegisters = 256

// BenchmarkDay forwards a day to an authority that stores and counts it, and sums
// it up meanwhile: everything an operator's machine does of it, and the
// authority's part as well.
func BenchmarkDay(b *testing.B) {
	for _, engine := range []string{"sqlite", "postgres"} {
		b.Run(engine, func(b *testing.B) {
			y := newDeliveryYard(b, engine)
			y.filler.fill(b.N)
			y.stopCore()
			before, began := benchProcessor(b), time.Now()
			b.ResetTimer()
			o := y.start(true)
			y.caughtUp(o, delivery.IDOf(kgd.Name))
			forwarded := time.Since(began)
			y.caughtUp(o, cabinet.FollowerID())
			b.StopTimer()
			rate := float64(b.N) / forwarded.Seconds()
			b.ReportMetric(rate, "forwarded/s")
			b.ReportMetric(float64(b.N)/time.Since(began).Seconds(), "forwarded+summed/s")
			b.ReportMetric(10_000_000/rate/60, "min/10M")
			b.ReportMetric(float64(benchProcessor(b)-before)/float64(b.N)/1000, "cpu-µs/op")
		})
	}
}

// catchingRate is how many receipts a second are due while the backlog of an
// outage is caught up with. It is the mean rate of a day of 100 million.
const catchingRate = 1200

// BenchmarkCatchUp accepts receipts at a steady rate: alone, and then while the
// backlog of an outage is forwarded. b.N is the backlog.
func BenchmarkCatchUp(b *testing.B) {
	for _, engine := range []string{"sqlite", "postgres"} {
		b.Run(engine, func(b *testing.B) {
			y := newDeliveryYard(b, engine)
			y.filler.fill(b.N)
			const seconds = 5
			phases := [2][]journal.Commit{y.commits(catchingRate * seconds), y.commits(catchingRate * seconds)}
			y.stopCore()

			o := y.start(false) // the authority is away
			y.caughtUp(o, cabinet.FollowerID())
			b.ResetTimer()
			alone := y.accept(o, phases[0], catchingRate)
			y.end(o)

			o = y.start(true)
			began, left := time.Now(), y.left(o)
			beside := y.accept(o, phases[1], catchingRate)
			during := left + int64(len(phases[1])) - y.left(o)
			took := time.Since(began)
			b.StopTimer()
			if y.left(o) == 0 {
				b.Log("the backlog ended before the load: make it larger")
			}
			b.ReportMetric(alone.perSecond, "alone/s")
			b.ReportMetric(beside.perSecond, "beside/s")
			b.ReportMetric(100*(1-beside.perSecond/alone.perSecond), "cost-%")
			b.ReportMetric(float64(alone.p99.Microseconds())/1000, "alone-p99-ms")
			b.ReportMetric(float64(beside.p99.Microseconds())/1000, "beside-p99-ms")
			b.ReportMetric(float64(during)/took.Seconds(), "caught-up/s")
		})
	}
}

// BenchmarkBehind accepts 5,000 receipts a second, and looks how far the
// cabinet's tables are behind the journal. b.N is how many receipts.
func BenchmarkBehind(b *testing.B) {
	const rate = 5000
	for _, engine := range []string{"sqlite", "postgres"} {
		b.Run(engine, func(b *testing.B) {
			y := newDeliveryYard(b, engine)
			load := y.commits(b.N)
			y.stopCore()
			o := y.start(false)
			var most atomic.Int64
			done := make(chan struct{})
			var looking sync.WaitGroup
			looking.Go(func() {
				for {
					select {
					case <-done:
						return
					case <-time.After(50 * time.Millisecond):
					}
					if s, err := follow.Stands(b.Context(), o.store, cabinet.FollowerID()); err == nil {
						most.Store(max(most.Load(), int64(s.Entries)))
					}
				}
			})
			b.ResetTimer()
			got := y.accept(o, load, rate)
			b.StopTimer()
			close(done)
			looking.Wait()
			began := time.Now()
			y.caughtUp(o, cabinet.FollowerID())
			b.ReportMetric(got.perSecond, "accepted/s")
			b.ReportMetric(float64(got.p99.Microseconds())/1000, "p99-ms")
			b.ReportMetric(float64(most.Load())/got.perSecond, "behind-s")
			b.ReportMetric(time.Since(began).Seconds(), "after-the-last-s")
		})
	}
}

// deliveryYard is an installation with a journal, and an authority beside it.
type deliveryYard struct {
	*testing.B
	settings settings
	filler   *kazakhFiller
	core     *core
	far      string
	running  []*operator
}

func newDeliveryYard(b *testing.B, engine string) *deliveryYard {
	b.Helper()
	y := &deliveryYard{B: b}
	any := config.Addr{HostPort: "127.0.0.1:0"}
	y.settings.Data, y.settings.KKMAddr, y.settings.HTTPAddr, y.settings.OpsAddr = b.TempDir(), any, any, any
	if engine == "postgres" {
		y.settings.DB.URL = pgcluster.Database(b)
		if err := migrateServer(b.Context(), coreConfig{Dir: y.settings.Data, DB: y.settings.DB.URL}, false, nil); err != nil {
			b.Fatal(err)
		}
	}
	authority, err := sandbox.Open(b.Context(), sandbox.Config{Dir: b.TempDir()})
	if err != nil {
		b.Fatal(err)
	}
	door := httptest.NewServer(authority.Handler())
	y.far = door.URL
	b.Cleanup(func() {
		for _, o := range y.running {
			o.stop()
		}
		door.Close()
		authority.Close()
	})
	if y.core, err = startCore(b.Context(), coreConfig{Dir: y.settings.Data, DB: y.settings.DB.URL}); err != nil {
		b.Fatal(err)
	}
	y.filler = newKazakhFiller(b, y.core, deliveryRegisters)
	return y
}

func (y *deliveryYard) stopCore() {
	if err := y.core.stop(); err != nil {
		y.Fatal(err)
	}
}

// start starts the operator; forwards says whether it knows the authority.
func (y *deliveryYard) start(forwards bool) *operator {
	s := y.settings
	if forwards {
		s.KGD.URL.URL = y.far
	}
	o, err := startOperator(y.Context(), s)
	if err != nil {
		y.Fatal(err)
	}
	y.running = append(y.running, o)
	return o
}

func (y *deliveryYard) end(o *operator) {
	y.running = slices.DeleteFunc(y.running, func(r *operator) bool { return r == o })
	if err := o.stop(); err != nil {
		y.Fatal(err)
	}
}

// left is how many entries delivery has to go.
func (y *deliveryYard) left(o *operator) int64 {
	s, err := follow.Stands(y.Context(), o.store, delivery.IDOf(kgd.Name))
	if err != nil {
		y.Fatal(err)
	}
	return int64(s.Entries)
}

func (y *deliveryYard) caughtUp(o *operator, id follow.ID) {
	for {
		if s, err := follow.Stands(y.Context(), o.store, id); err == nil && s.Entries == 0 {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// commits are the next receipts of all registers in turn.
func (y *deliveryYard) commits(n int) (all []journal.Commit) {
	for i := range n {
		all = append(all, y.filler.commit(y.filler.tills[i%len(y.filler.tills)]))
	}
	return all
}

// accepted is how a load went.
type accepted struct {
	perSecond float64
	p99       time.Duration // from the moment at which a receipt was due
}

// accept commits receipts as they are due, so many a second; a register waits for
// its last one.
func (y *deliveryYard) accept(o *operator, load []journal.Commit, rate int) accepted {
	took := make([]time.Duration, len(load))
	var failed atomic.Int64
	var all sync.WaitGroup
	began := time.Now()
	for r := range deliveryRegisters {
		all.Go(func() {
			for i := r; i < len(load); i += deliveryRegisters {
				due := began.Add(time.Duration(i) * time.Second / time.Duration(rate))
				time.Sleep(time.Until(due))
				if err := o.core.committer.Commit(y.Context(), load[i]); err != nil {
					failed.Add(1)
					return
				}
				took[i] = time.Since(due)
			}
		})
	}
	all.Wait()
	n := accepted{perSecond: float64(len(load)) / time.Since(began).Seconds()}
	if failed.Load() > 0 {
		y.Errorf("%d registers failed", failed.Load())
	}
	slices.Sort(took)
	n.p99 = took[len(took)*99/100]
	return n
}
