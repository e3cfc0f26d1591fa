package delivery

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"slices"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"openofd/internal/fiscal"
	"openofd/internal/follow"
	"openofd/internal/journal"
	"openofd/internal/registry"
)

// eveningStore is what evenings need of an engine whose journal is empty.
type eveningStore struct {
	ReportStore // nil: whatever else is asked for shows at once
	compared    []Reconciliation
	reports     []KeptReport
	batches     []SentBatch
	registers   int // how many there are
	sentDays    []DayPart
	leases      leases
	faster      func(day fiscal.WallTime) bool // another node has made the report
}

func (*eveningStore) Heads(context.Context) (map[fiscal.Partition]journal.Head, error) {
	return nil, nil
}

func (*eveningStore) Cursors(context.Context, follow.ID) (map[fiscal.Partition]follow.Cursor, error) {
	return nil, nil
}

func (s *eveningStore) KeepReconciliation(_ context.Context, r *Reconciliation) error {
	r.ID = int64(len(s.compared) + 1)
	s.compared = append(s.compared, *r)
	return nil
}

func (s *eveningStore) Reconciliations(context.Context, string, int64, int) ([]Reconciliation, error) {
	all := slices.Clone(s.compared)
	slices.Reverse(all)
	return all, nil
}

func (*eveningStore) CountWaiting(context.Context, string) (int64, error) { return 0, nil }

func (s *eveningStore) Registers(_ context.Context, _ fiscal.TaxpayerID, after fiscal.RegisterID, limit int) (all []registry.Listed, err error) {
	for id := after + 1; int(id) <= s.registers && len(all) < limit; id++ {
		all = append(all, registry.Listed{Card: fiscal.Card{Register: id, Country: fiscal.Kazakhstan}, State: &fiscal.State{}})
	}
	return all, nil
}

func (*eveningStore) SummaryDays(context.Context) ([]DayPart, error) { return nil, nil }

func (s *eveningStore) SentDays(context.Context, string) ([]DayPart, error) { return s.sentDays, nil }

func (s *eveningStore) KeepSentDays(_ context.Context, _ string, days []DayPart) error {
	s.sentDays = append(s.sentDays, days...)
	return nil
}

func (*eveningStore) DaySummaries(context.Context, fiscal.Partition, []fiscal.DayOf) ([]fiscal.DaySummary, error) {
	return nil, nil
}

func (*eveningStore) KeepSentSummaries(context.Context, string, []SentSummary) error { return nil }

func (s *eveningStore) Batches(_ context.Context, _ string, _, _ time.Time, after SentBatch, limit int) ([]SentBatch, error) {
	i, _ := slices.BinarySearchFunc(s.batches, after, func(b, at SentBatch) int {
		if b.Partition == at.Partition && b.First <= at.First || b.Partition < at.Partition {
			return -1
		}
		return 1
	})
	return s.batches[i:min(i+limit, len(s.batches))], nil
}

// Page gives an entry that came an hour before the batches if its partition is
// the late one.
func (s *eveningStore) Page(_ context.Context, p fiscal.Partition, from journal.Seq, _, _ int) ([]journal.Entry, error) {
	e := journal.Entry{Partition: p, Seq: from}
	if e.ReceivedAt = dawn; p == latePartition {
		e.ReceivedAt = dawn.Add(-time.Hour)
	}
	return []journal.Entry{e}, nil
}

func (s *eveningStore) KeepReport(_ context.Context, r KeptReport) error {
	if s.faster != nil && s.faster(r.Day) {
		return &fiscal.Error{Reason: fiscal.AlreadyThere, Field: "day"}
	}
	s.reports = append(s.reports, r)
	return nil
}

func (s *eveningStore) Reports(context.Context, string, fiscal.WallTime, int) ([]KeptReport, error) {
	all := slices.Clone(s.reports)
	slices.SortFunc(all, func(a, b KeptReport) int { return int(b.Day - a.Day) })
	return all, nil
}

func (s *eveningStore) ReportSent(_ context.Context, _ string, day fiscal.WallTime, at time.Time) error {
	for i := range s.reports {
		if s.reports[i].Day == day {
			s.reports[i].Sent = at
		}
	}
	return nil
}

const latePartition = 7

// dawn is when the day of the tests begins at the registers; three hours later
// all that follows the day before has its time.
var dawn = time.Date(2026, 3, 14, 19, 0, 0, 0, time.UTC)

func dayConfig() DayConfig {
	return DayConfig{Authority: "office", Country: fiscal.Kazakhstan, Tables: follow.ID{Name: "tables", Generation: 1}, Zone: time.FixedZone("", 5*60*60)}
}

// word is an authority that counts nothing, and takes reports.
type word struct {
	Authority
	fails   map[string]error // by day
	reports []string
}

func (*word) Name() string { return "office" }

func (w *word) Counts(_ context.Context, day fiscal.WallTime, _ string, _ int) ([]Count, string, error) {
	return nil, "", w.fails[dayText(day)]
}

func (w *word) SendReport(_ context.Context, day fiscal.WallTime, _ time.Time, _ json.RawMessage) error {
	if err := w.fails[dayText(day)]; err != nil {
		return err
	}
	w.reports = append(w.reports, dayText(day))
	return nil
}

type deaf struct{ failed int }

func (*deaf) SummariesSent(string, int)      {}
func (d *deaf) EveningFailed(string, string) { d.failed++ }

// TestDayThatCannotBeComparedHoldsUpNoOther: of one day the authority says
// nothing that can be understood, for ever; the days behind it are compared all
// the same, and so are those on which nobody looked.
//
// Req: N-003
func TestDayThatCannotBeComparedHoldsUpNoOther(t *testing.T) {
	store, now := &eveningStore{}, dawn.Add(3*time.Hour)
	clock := func() time.Time { return now }
	far := &word{fails: map[string]error{"2026-03-15": &fiscal.Error{Of: fiscal.Unavailable, Msg: "rubbish"}}}
	log := slog.New(slog.DiscardHandler)
	d := New(far, nil, nil, nil, clock)
	var h deaf
	e := NewEvening(EveningConfig{Day: dayConfig()}, store, nil, NewReconciler(dayConfig(), store, far, d, log, clock), nil, &h, log, clock)
	e.Look(t.Context()) // the 14th
	now = now.Add(24 * time.Hour)
	e.Look(t.Context()) // the 15th, which fails
	now = now.Add(24 * time.Hour)
	e.Look(t.Context()) // the 16th
	now = now.Add(72 * time.Hour)
	e.Look(t.Context()) // nobody has looked at the 17th and 18th; the 19th
	done := map[string]int{}
	for _, c := range store.compared {
		if c.Failure == "" {
			done[dayText(c.Day)]++
		}
	}
	for _, day := range []string{"2026-03-14", "2026-03-16", "2026-03-17", "2026-03-18", "2026-03-19"} {
		if done[day] != 1 {
			t.Errorf("%s was compared %d times, want once: %v", day, done[day], done)
		}
	}
	if done["2026-03-15"] != 0 || h.failed == 0 {
		t.Errorf("the day that fails: compared %d times, %d failures told of, want none and some", done["2026-03-15"], h.failed)
	}
	before := len(store.compared)
	for range 60 { // an hour, minute by minute: the one that fails rests in between
		now = now.Add(time.Minute)
		e.Look(t.Context())
	}
	if tried := len(store.compared) - before; tried > 1 {
		t.Errorf("a day that failed for days was compared %d times in an hour, want once at most", tried)
	}
}

// TestReportThatIsRefusedHoldsUpNoOther: the authority will never take the
// report of one day; those behind it go, and those of days on which nothing ran
// are made afterwards. One that another node has made is no failure.
func TestReportThatIsRefusedHoldsUpNoOther(t *testing.T) {
	store, now := &eveningStore{}, dawn.Add(3*time.Hour)
	far := &word{fails: map[string]error{"2026-03-14": &fiscal.Error{Of: fiscal.Invalid, Msg: "refused"}}}
	r := NewReporter(dayConfig(), store, far, func() time.Time { return now })
	if _, err := r.Round(t.Context()); !errors.Is(err, fiscal.Invalid) {
		t.Errorf("a report that is refused: %v, want Invalid", err)
	}
	now = now.Add(72 * time.Hour)
	store.faster = func(day fiscal.WallTime) bool { return dayText(day) == "2026-03-16" }
	if _, err := r.Round(t.Context()); !errors.Is(err, fiscal.Invalid) {
		t.Errorf("three days later: %v, want the refusal still", err)
	}
	if want := []string{"2026-03-15", "2026-03-17"}; !slices.Equal(far.reports, want) {
		t.Errorf("reports of %q went, want %q: the 14th is refused, the 16th is another node's", far.reports, want)
	}
}

// TestReportLooksAtTheWholeDay: of more batches than are looked into one by one,
// some of every partition are, so that those that were late show.
func TestReportLooksAtTheWholeDay(t *testing.T) {
	store := &eveningStore{}
	for p := range fiscal.Partition(latePartition + 1) {
		for i := range sampled / 4 {
			store.batches = append(store.batches, SentBatch{Partition: p, First: journal.Seq(i + 1), Documents: 1, At: dawn})
		}
	}
	r := NewReporter(dayConfig(), store, nil, func() time.Time { return dawn.Add(3 * time.Hour) })
	if _, err := r.Round(t.Context()); err != nil {
		t.Fatal(err)
	}
	var rep DayReport
	if err := json.Unmarshal(store.reports[0].Content, &rep); err != nil {
		t.Fatal(err)
	}
	if rep.Batches != len(store.batches) || rep.Lag.P50 != 0 || rep.Lag.P90 != 3600 || rep.Lag.Max != 3600 || len(rep.Outages) != 1 {
		t.Errorf("the report is %+v, want %d batches, of which an eighth was an hour late", rep, len(store.batches))
	}
}

// moody is an authority that fails every third time.
type moody struct {
	asked int
	had   map[fiscal.RegisterID]int
}

func (m *moody) SendSummaries(_ context.Context, all []Summary) ([]Refusal, error) {
	if m.asked++; m.asked%3 == 0 {
		return nil, &fiscal.Error{Of: fiscal.Unavailable, Msg: "not just now"}
	}
	for i := range all {
		m.had[all[i].Register]++
	}
	return nil, nil
}

// TestSummariesGoOnWhereTheyBrokeOff: of five pages of summaries every third
// fails. A round goes on where the one before broke off, or none would ever come
// to an end.
//
// Req: O-111
func TestSummariesGoOnWhereTheyBrokeOff(t *testing.T) {
	store, far := &eveningStore{registers: 4*MaxSummaries + 1}, &moody{had: map[fiscal.RegisterID]int{}}
	s := NewSummaries(dayConfig(), store, far, slog.New(slog.DiscardHandler), func() time.Time { return dawn.Add(time.Hour) })
	rounds, sent := 0, 0
	for ; len(store.sentDays) == 0 && rounds < 10; rounds++ {
		n, err := s.Round(t.Context())
		if sent += n; err != nil && !errors.Is(err, fiscal.Unavailable) {
			t.Fatal(err)
		}
	}
	if rounds != 3 || sent != store.registers || len(far.had) != store.registers {
		t.Errorf("after %d rounds %d summaries of %d registers went, want 3 rounds and each of %d once", rounds, sent, len(far.had), store.registers)
	}
	if n, err := s.Round(t.Context()); n != 0 || err != nil {
		t.Errorf("another round sends %d, %v, want nothing more", n, err)
	}
}

// leases is an engine's, of which there is one.
type leases struct {
	mu     sync.Mutex
	holder string
	until  time.Time
}

func (s *eveningStore) Lease(_ context.Context, _ follow.ID, _ int, holder string, span time.Duration) (bool, error) {
	l := &s.leases
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.holder != holder && time.Now().Before(l.until) {
		return false, nil
	}
	l.holder, l.until = holder, time.Now().Add(span)
	return true, nil
}

func (s *eveningStore) Release(_ context.Context, _ follow.ID, _ int, holder string) error {
	l := &s.leases
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.holder == holder {
		l.until = time.Time{}
	}
	return nil
}

// slow is an authority that takes a minute for a page of summaries, from whoever.
type slow struct {
	mu   sync.Mutex
	by   map[string]int // pages
	most int            // pages under way at a time
	now  int
}

type slowTo struct {
	*slow
	holder string
}

func (s slowTo) SendSummaries(ctx context.Context, _ []Summary) ([]Refusal, error) {
	s.mu.Lock()
	s.now++
	s.most = max(s.most, s.now)
	s.mu.Unlock()
	defer func() { s.mu.Lock(); defer s.mu.Unlock(); s.now-- }()
	select {
	case <-time.After(time.Minute):
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.by[s.holder]++
	return nil, nil
}

// TestOneNodeDoesALongEvening: of two nodes one does what follows the day, also
// when that takes longer than a lease.
func TestOneNodeDoesALongEvening(t *testing.T) {
	const pages = 12
	synctest.Test(t, func(t *testing.T) {
		store, far, log := &eveningStore{registers: pages * MaxSummaries}, &slow{by: map[string]int{}}, slog.New(slog.DiscardHandler)
		ctx, end := context.WithCancel(t.Context())
		var nodes sync.WaitGroup
		began := time.Now()
		clock := func() time.Time { return dawn.Add(time.Hour + time.Since(began)) }
		for _, name := range []string{"a", "b"} {
			e := NewEvening(EveningConfig{Day: dayConfig(), Holder: name}, store, NewSummaries(dayConfig(), store, slowTo{far, name}, log, clock), nil, nil, &deaf{}, log, clock)
			nodes.Go(func() { e.Run(ctx) })
		}
		time.Sleep((pages + 5) * time.Minute)
		end()
		nodes.Wait()
		if far.most != 1 || far.by["a"]+far.by["b"] != pages {
			t.Errorf("pages by node: %v, %d at a time, want %d, one at a time", far.by, far.most, pages)
		}
	})
}

// moodyCounts has a page for each register, and fails every third time.
type moodyCounts struct{ asked, pages int }

func (m *moodyCounts) Counts(_ context.Context, _ fiscal.WallTime, after string, _ int) ([]Count, string, error) {
	if m.asked++; m.asked%3 == 0 {
		return nil, "", &fiscal.Error{Of: fiscal.Unavailable, Msg: "not just now"}
	}
	at, _ := strconv.Atoi(after)
	if at++; at == m.pages {
		return []Count{{Register: fiscal.RegisterID(at)}}, "", nil
	}
	return []Count{{Register: fiscal.RegisterID(at)}}, strconv.Itoa(at), nil
}

// TestCountsAreAskedForAgain: of ten pages of counts every third fails, and the
// day is compared all the same; an authority that is down is asked once.
//
// Req: N-003
func TestCountsAreAskedForAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, log, clock := &eveningStore{}, slog.New(slog.DiscardHandler), func() time.Time { return dawn.Add(3 * time.Hour) }
		for _, c := range []struct {
			name   string
			counts *moodyCounts
			fails  bool
			asked  int
		}{
			{"moody", &moodyCounts{pages: 10}, false, 14},
			{"down", &moodyCounts{asked: 2, pages: 10}, true, 3},
		} {
			r := NewReconciler(dayConfig(), store, c.counts, New(&word{}, nil, nil, nil, clock), log, clock)
			if _, err := r.Reconcile(t.Context(), fiscal.WallTime(dawn.Unix()).Day(), ""); (err != nil) != c.fails || c.counts.asked != c.asked {
				t.Errorf("%s: Reconcile = %v after %d questions, want %d questions and an error: %t", c.name, err, c.counts.asked, c.asked, c.fails)
			}
		}
	})
}
