package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"openofd/internal/authority/kgd"
	"openofd/internal/authority/sandbox"
	"openofd/internal/config"
	"openofd/internal/delivery"
	"openofd/internal/fiscal"
	"openofd/internal/follow"
	"openofd/internal/journal"
)

// farEnd is an authority at one address that can be taken away and put back, and
// notes in which order documents came to it first.
type farEnd struct {
	*testing.T
	*httptest.Server
	dir string

	mu    sync.Mutex
	at    *sandbox.Server // nil: it is down; guarded by mu, as is what follows
	seen  map[string]bool
	order map[fiscal.RegisterID][]fiscal.Number
	again int // lines that came more than once
}

func newFarEnd(t *testing.T) *farEnd {
	t.Helper()
	f := &farEnd{T: t, dir: t.TempDir(), seen: make(map[string]bool), order: make(map[fiscal.RegisterID][]fiscal.Number)}
	f.Server = httptest.NewServer(http.HandlerFunc(f.serve))
	t.Cleanup(func() {
		f.Server.Close()
		f.down()
	})
	return f
}

// up starts it, with what it knew before and these faults.
func (f *farEnd) up(faults ...sandbox.Fault) {
	f.Helper()
	s, err := sandbox.Open(f.Context(), sandbox.Config{Dir: f.dir})
	if err != nil {
		f.Fatal(err)
	}
	for _, fault := range faults {
		if _, err := s.AddFault(fault); err != nil {
			f.Fatal(err)
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.at = s
}

// down ends it.
func (f *farEnd) down() {
	f.mu.Lock()
	s := f.at
	f.at = nil
	f.mu.Unlock()
	if s != nil {
		s.Close()
	}
}

// struck is how often its faults have struck.
func (f *farEnd) struck() (n int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, fault := range f.at.Faults() {
		n += fault.Times
	}
	return n
}

func (f *farEnd) serve(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	f.mu.Lock()
	at := f.at
	if at != nil && err == nil && r.URL.Path == kgd.PathReceipts {
		f.note(body, r.Header.Get("Content-Encoding"))
	}
	f.mu.Unlock()
	if at == nil {
		panic(http.ErrAbortHandler) // it cuts the connection
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	at.Handler().ServeHTTP(w, r)
}

// note remembers the lines of a batch.
func (f *farEnd) note(body []byte, encoding string) {
	if encoding == "gzip" {
		z, err := gzip.NewReader(bytes.NewReader(body))
		if err == nil {
			body, err = io.ReadAll(z)
		}
		if err != nil {
			f.Errorf("a body cannot be unpacked: %v", err)
		}
	}
	for line := range bytes.Lines(body) {
		var d kgd.Document
		if err := json.Unmarshal(line, &d); err != nil {
			f.Errorf("%s: %v", line, err)
		}
		if f.seen[d.ID] {
			f.again++
			continue
		}
		f.seen[d.ID] = true
		f.order[d.Register] = append(f.order[d.Register], d.Entry)
	}
}

// kazakhCore is an installation without doors.
func kazakhCore(t testing.TB, engine string) *core {
	t.Helper()
	cfg := coreConfig{Dir: t.TempDir(), Serve: engine != "postgres"}
	if engine == "postgres" {
		cfg.DB = migratedDatabase(t)
		if err := migrateServer(t.Context(), cfg, false, nil); err != nil {
			t.Fatal(err)
		}
	}
	c, err := startCore(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.stop(); err != nil {
			t.Errorf("stop: %v", err)
		}
	})
	return c
}

// followedBy follows with a delivery, without the pauses of a server, until stop.
func followedBy(t testing.TB, c *core, d *delivery.Delivery, entries int) (stop func()) {
	cfg := follow.Config{Groups: c.store.groups, Holder: holder(), Entries: entries, Pace: time.Millisecond, Poll: 10 * time.Millisecond, Retry: 2 * time.Millisecond}
	r := follow.New(cfg, c.store, d, slog.New(slog.DiscardHandler), nil, c.now)
	ctx, end := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { r.Run(ctx) })
	return func() {
		end()
		running.Wait()
	}
}

// leftOf waits until so many entries at most are left.
func leftOf(t testing.TB, c *core, most uint64) {
	t.Helper()
	for limit := time.Now().Add(2 * time.Minute); ; time.Sleep(2 * time.Millisecond) {
		s, err := follow.Stands(t.Context(), c.store, delivery.IDOf(kgd.Name))
		if err == nil && s.Entries <= most {
			return
		}
		if time.Now().After(limit) {
			t.Fatalf("%d entries are left, want %d; stuck %+v, %v", s.Entries, most, s.Stuck(), err)
		}
	}
}

// The authority goes away and comes back, loses its answers, breaks down, talks
// rubbish and asks to be left alone; the process that forwards is stopped in
// between. In the end the authority has every document once, in the order of its
// register, and counts what the journal counts.
//
// Req: P-008, P-011, P-020, P-092, O-005, O-105, O-110
func TestAuthorityUnderFaults(t *testing.T) {
	onBothEngines(t, func(t *testing.T, engine string) {
		const registers, documents = 8, 600
		c := kazakhCore(t, engine)
		f := newKazakhFiller(t, c, registers)
		f.fill(documents)
		far := newFarEnd(t)
		ways, err := openForwarding(c, &config.Serve{KGD: config.Far{URL: config.FarURL{URL: far.URL}}}, nil)
		if err != nil {
			t.Fatal(err)
		}
		d := ways.of(kgd.Name)
		stop := followedBy(t, c, d, 16)
		for limit := time.Now().Add(time.Minute); ; time.Sleep(5 * time.Millisecond) { // it is down
			s, err := follow.Stands(t.Context(), c.store, delivery.IDOf(kgd.Name))
			if err == nil && len(s.Stuck()) > 0 {
				break
			}
			if time.Now().After(limit) {
				t.Fatalf("nobody says that the authority is down: %+v, %v", s, err)
			}
		}
		faults := []sandbox.Fault{
			{Kind: sandbox.Lost, Place: "receipts", Percent: 30}, {Kind: sandbox.Broken, Place: "receipts", Percent: 20}, {Kind: sandbox.Rubbish, Place: "receipts", Percent: 20},
			{Kind: sandbox.Slow, Place: "receipts", Percent: 20, Millis: 20}, {Kind: sandbox.Busy, Place: "receipts", Next: 1, Seconds: 1},
		}
		far.up(faults...)
		leftOf(t, c, documents*2/3)
		stop()
		struck := far.struck()
		far.down()
		far.up(faults...)
		stop = followedBy(t, c, d, 16)
		leftOf(t, c, 0)
		struck += far.struck()
		stop()
		far.down()
		far.up()

		far.holdsAll(documents+registers, struck)
		if n, err := c.store.CountWaiting(t.Context(), kgd.Name); err != nil || n != 0 {
			t.Errorf("%d documents were put aside, %v", n, err)
		}
		countsAgree(t, &ways, f)
	})
}

// holdsAll asks for so many documents, of each register in its order.
func (f *farEnd) holdsAll(n int, struck int64) {
	f.Helper()
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.seen) != n || f.again == 0 || struck == 0 {
		f.Errorf("%d documents came, %d again, with %d faults; want the %d there are and some again", len(f.seen), f.again, struck, n)
	}
	for r, entries := range f.order {
		for i := 1; i < len(entries); i++ {
			if entries[i] <= entries[i-1] {
				f.Errorf("register %d: entry %d came behind %d", r, entries[i], entries[i-1])
			}
		}
	}
}

// countsAgree asks the authority for what it counts of the day.
func countsAgree(t *testing.T, ways *forwarding, f *kazakhFiller) {
	t.Helper()
	day := fiscal.WallIn(f.arrived, almaty).Day()
	counted := map[fiscal.RegisterID]delivery.Count{}
	for after := ""; ; {
		some, next, err := ways.kgd.Counts(t.Context(), day, after, 3)
		if err != nil {
			t.Fatal(err)
		}
		for _, one := range some {
			counted[one.Register] = one
		}
		if after = next; next == "" {
			break
		}
	}
	for _, till := range f.tills {
		n := int64(till.state.LastNumber) - till.acts
		want := delivery.Count{Register: till.place.Register, RegistrationNumber: till.card.RegistrationNumber, Documents: n, Last: till.state.LastNumber, Hash: till.state.LastHash}
		want.Receipts[0] = fiscal.Tally{Count: n, Sum: fiscal.Money(n) * f.receipt.Total}
		if got := counted[want.Register]; got != want {
			t.Errorf("the authority counts %+v, want %+v", got, want)
		}
	}
}

// BenchmarkForwardKazakhstan forwards a backlog to a server that only counts
// lines, and posts the same bytes without anything around it.
func BenchmarkForwardKazakhstan(b *testing.B) {
	for _, engine := range []string{"sqlite", "postgres"} {
		b.Run(engine, func(b *testing.B) { benchForward(b, engine) })
	}
}

func benchForward(b *testing.B, engine string) {
	c := kazakhCore(b, engine)
	f := newKazakhFiller(b, c, 64)
	f.fill(b.N)
	far := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		from := io.Reader(r.Body)
		if r.Header.Get("Content-Encoding") == "gzip" {
			from, _ = gzip.NewReader(r.Body)
		}
		body, _ := io.ReadAll(from)
		w.Header().Set("Content-Type", "application/json")
		json.NewEncoder(w).Encode(kgd.Taken{Taken: bytes.Count(body, []byte{'\n'}), Refused: []kgd.Refusal{}})
	}))
	defer far.Close()
	ways, err := openForwarding(c, &config.Serve{KGD: config.Far{URL: config.FarURL{URL: far.URL}}}, nil)
	if err != nil {
		b.Fatal(err)
	}
	before := benchProcessor(b)
	b.ResetTimer()
	stop := followedBy(b, c, ways.of(kgd.Name), 512)
	leftOf(b, c, 0)
	b.StopTimer()
	took := b.Elapsed()
	b.ReportMetric(float64(b.N)/took.Seconds(), "forwarded/s")
	b.ReportMetric(float64(benchProcessor(b)-before)/float64(b.N)/1000, "cpu-µs/op")
	stop()

	// The same documents as bare posts, one page behind the other.
	words := kgd.NewWording(c.openKazakh, c.store)
	var bodies [][]byte
	sent := 0
	for p, h := range must(c.store.Heads(b.Context())) {
		for from := journal.Seq(1); from <= h.Seq; from += 512 {
			var body []byte
			for _, e := range must(c.store.Page(b.Context(), p, from, 512, 1<<30)) {
				if _, line, ok, err := words.Word(b.Context(), body, delivery.Entry{Record: &e.Record, Hash: e.Hash}); err == nil && ok {
					body, sent = line, sent+1
				}
			}
			if len(body) > 0 {
				bodies = append(bodies, body)
			}
		}
	}
	began := time.Now()
	for _, body := range bodies {
		res, err := http.Post(far.URL, kgd.TypeLines, bytes.NewReader(body))
		if err != nil {
			b.Fatal(err)
		}
		io.Copy(io.Discard, res.Body)
		res.Body.Close()
	}
	bare := float64(sent) / time.Since(began).Seconds()
	b.ReportMetric(float64(b.N)/took.Seconds()/bare, "of-bare-post")
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
