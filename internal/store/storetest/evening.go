package storetest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"openofd/internal/cabinet"
	"openofd/internal/delivery"
	"openofd/internal/fiscal"
	"openofd/internal/follow"
	"openofd/internal/journal"
)

// far is an authority at the other end: it keeps what it is sent, and counts it
// by itself.
type far struct {
	documents map[string]journal.Entry // by ID
	bodies    map[string]*journal.Entry
	lose      map[string]bool // documents that are acknowledged and lost
	summaries map[fiscal.DayOf]delivery.Summary
	reports   []string
	refuse    string // registers whose summaries are refused
	down      error  // what every call answers, if set
	lie       func(page []delivery.Count, next string) ([]delivery.Count, string)
	sends     int
}

func newFar() *far {
	return &far{documents: make(map[string]journal.Entry), bodies: make(map[string]*journal.Entry), lose: make(map[string]bool), summaries: make(map[fiscal.DayOf]delivery.Summary)}
}

func (*far) Name() string { return "far" }

func (f *far) Word(_ context.Context, room []byte, e delivery.Entry) (string, []byte, bool, error) {
	switch e.Kind {
	case fiscal.DocReceipt, fiscal.DocCashMove, fiscal.DocShiftClose, fiscal.DocCancel:
	default:
		return "", room, false, nil
	}
	id := fmt.Sprintf("%d-%d", e.Register, e.Number)
	f.bodies[id] = &journal.Entry{Record: *e.Record, Hash: e.Hash}
	return id, append(room, id...), true, nil
}

func (f *far) Send(_ context.Context, docs []delivery.Document) ([]delivery.Refusal, error) {
	if f.down != nil {
		return nil, f.down
	}
	f.sends++
	for i := range docs {
		if f.lose[docs[i].ID] {
			delete(f.lose, docs[i].ID)
			continue
		}
		f.documents[docs[i].ID] = *f.bodies[docs[i].ID]
	}
	return nil, nil
}

func (f *far) SendSummaries(_ context.Context, all []delivery.Summary) (refused []delivery.Refusal, err error) {
	if f.down != nil {
		return nil, f.down
	}
	for _, s := range all {
		id := fiscal.DayOf{Register: s.Register, Day: s.Day}
		if had, ok := f.summaries[id]; !ok || s.Version >= had.Version {
			f.summaries[id] = s
		}
		if strings.Contains(f.refuse, strconv.Itoa(int(s.Register))) {
			refused = append(refused, delivery.Refusal{ID: strconv.Itoa(int(s.Register)), Why: "unknown register"})
		}
	}
	return refused, nil
}

// Counts implements delivery.Counts, by pages of one.
func (f *far) Counts(_ context.Context, day fiscal.WallTime, after string, _ int) ([]delivery.Count, string, error) {
	if f.down != nil {
		return nil, "", f.down
	}
	all := make(map[fiscal.RegisterID]*delivery.Count)
	for id := range f.documents {
		e := f.documents[id]
		if e.DeviceTime.Day() != day {
			continue
		}
		c := all[e.Register]
		if c == nil {
			c = &delivery.Count{Register: e.Register}
			all[e.Register] = c
		}
		c.Documents++
		if e.Number > c.Last {
			c.Last, c.Hash = e.Number, e.Hash
		}
		if e.Kind == fiscal.DocReceipt && !f.canceled(&e) {
			c.Receipts[e.Op.Index()].Count++
			c.Receipts[e.Op.Index()].Sum += e.Total
		}
	}
	var page []delivery.Count
	next := ""
	for _, r := range slices.Sorted(maps.Keys(all)) {
		if text := fmt.Sprintf("%012d", r); text > after {
			if len(page) == 1 {
				next = fmt.Sprintf("%012d", page[0].Register)
				break
			}
			page = append(page, *all[r])
		}
	}
	if f.lie != nil {
		page, next = f.lie(page, next)
	}
	return page, next, nil
}

func (f *far) canceled(e *journal.Entry) bool {
	for _, c := range f.documents {
		if c.Kind == fiscal.DocCancel && c.Register == e.Register && c.Refers == e.Number {
			return true
		}
	}
	return false
}

func (f *far) SendReport(_ context.Context, day fiscal.WallTime, _ time.Time, content json.RawMessage) error {
	if f.down != nil {
		return f.down
	}
	f.reports = append(f.reports, day.UTC().Format(time.DateOnly)+" "+string(content))
	return nil
}

// evening is a shop's day that is over, and the other end of it.
type evening struct {
	*day
	far      *far
	now      time.Time
	cfg      delivery.DayConfig
	delivery *delivery.Delivery
	sent     journal.Seq // by delivery
	kept     journal.Seq // by the cabinet
}

func newEvening(w *world) *evening {
	almaty, err := time.LoadLocation("Asia/Almaty")
	w.must(err)
	e := &evening{day: newDay(w), far: newFar(), now: time.Date(2026, 3, 14, 20, 0, 0, 0, time.UTC)}
	e.cfg = delivery.DayConfig{Authority: "far", Country: fiscal.Kazakhstan, Tables: cabinet.FollowerID(), Zone: almaty}
	e.delivery = delivery.New(e.far, e.far, w.Engine, nil, e.clock)
	e.trade()
	return e
}

func (e *evening) clock() time.Time { return e.now }

// forward has both followers come to the end of the journal.
func (e *evening) forward() {
	e.Helper()
	page, err := e.Scan(e.Context(), e.partition, 1, 1000)
	e.must(err)
	end := journal.Seq(len(page))
	if e.kept < end {
		m := follow.Move{ID: cabinet.FollowerID(), Partition: e.partition, From: e.kept, To: end, At: e.now}
		e.must(e.follower.Apply(e.Context(), m, page[e.kept:]))
		e.kept = end
	}
	if e.sent < end {
		m := follow.Move{ID: e.delivery.ID(), Partition: e.partition, From: e.sent, To: end, At: e.now}
		e.must(e.delivery.Apply(e.Context(), m, page[e.sent:]))
		e.sent = end
	}
}

func (e *evening) summaries() *delivery.Summaries {
	return delivery.NewSummaries(e.cfg, e.Engine, e.far, slog.New(slog.DiscardHandler), e.clock)
}

func (e *evening) reconciler() *delivery.Reconciler {
	return delivery.NewReconciler(e.cfg, e.Engine, e.far, e.delivery, slog.New(slog.DiscardHandler), e.clock)
}

func (e *evening) round(what string, want int) {
	e.Helper()
	if n, err := e.summaries().Round(e.Context()); err != nil || n != want {
		e.Errorf("%s: Round = %d, %v, want %d summaries", what, n, err, want)
	}
}

// refused wants these to be the days whose summaries are refused.
func (e *evening) refused(what string, want ...fiscal.DayOf) {
	e.Helper()
	all, err := e.RefusedSummaries(e.Context(), "far", fiscal.DayOf{}, 10)
	e.must(err)
	n, err := e.CountRefusedSummaries(e.Context(), "far")
	e.must(err)
	var got []fiscal.DayOf
	for _, r := range all {
		got = append(got, fiscal.DayOf{Register: r.Register, Day: r.Day})
	}
	if !slices.Equal(got, want) || int(n) != len(want) {
		e.Errorf("%s: %+v are refused, counted %d, want %+v", what, got, n, want)
	}
}

// summariesGo shows that a day's summaries go once it is over and summed up, to
// the last register, those without documents too; that a death on the way or a
// document that comes late brings what is needed again, and nothing else; that
// what is refused is known until it is taken.
//
// Req: O-111
func summariesGo(w *world) {
	e := newEvening(w)
	idle := w.till("3")
	today := fiscal.WallTime(morning.Unix()).Day()
	if _, err := e.summaries().Round(w.Context()); !errors.Is(err, fiscal.Unavailable) {
		w.Errorf("before the tables are made Round = %v, want Unavailable", err)
	}
	e.forward()
	e.now = time.Date(2026, 3, 14, 19, 29, 0, 0, time.UTC) // 00:29 in Almaty
	e.round("before the day is over", 0)                   // on the day before there was no register
	e.far.down = &fiscal.Error{Of: fiscal.Unavailable, Msg: "not just now"}
	e.now = time.Date(2026, 3, 14, 19, 30, 0, 0, time.UTC)
	if _, err := e.summaries().Round(w.Context()); !errors.Is(err, fiscal.Unavailable) {
		w.Errorf("while the authority is down Round = %v, want Unavailable", err)
	}
	e.far.down = nil
	e.far.refuse = strconv.Itoa(int(idle.place.Register)) // tells nobody to stop
	e.round("when the day is over", 3)
	e.round("once more", 0)
	e.refused("when one was refused", fiscal.DayOf{Register: idle.place.Register, Day: today})
	if one, err := e.summaries().Again(w.Context(), fiscal.DayOf{Register: idle.place.Register, Day: today}); err != nil || one.Refused != "unknown register" {
		w.Errorf("sent again while it is refused: %+v, %v, want why", one, err)
	}
	e.refused("when it was refused again", fiscal.DayOf{Register: idle.place.Register, Day: today})
	e.far.refuse = ""
	e.now = e.now.Add(time.Minute)
	if one, err := e.summaries().Again(w.Context(), fiscal.DayOf{Register: idle.place.Register, Day: today}); err != nil || one.Refused != "" || !one.At.Equal(e.now) {
		w.Errorf("sent again: %+v, %v, want it taken now", one, err)
	}
	e.refused("when it was taken")
	for _, of := range []fiscal.DayOf{{Register: idle.place.Register, Day: today - 86_400}, {Register: 1 << 40, Day: today}} {
		if _, err := e.summaries().Again(w.Context(), of); !errors.Is(err, fiscal.NotFound) {
			w.Errorf("a day of which nothing was sent, %+v: %v, want NotFound", of, err)
		}
	}
	e.far.down = &fiscal.Error{Of: fiscal.Unavailable, Msg: "not just now"}
	if _, err := e.summaries().Again(w.Context(), fiscal.DayOf{Register: idle.place.Register, Day: today}); !errors.Is(err, fiscal.Unavailable) {
		w.Errorf("sent again while the authority is down: %v, want Unavailable", err)
	}
	e.far.down = nil
	for _, r := range []*till{e.first, e.second, idle} {
		got, ok := e.far.summaries[fiscal.DayOf{Register: r.place.Register, Day: today}]
		if !ok || got.RegistrationNumber != r.card.RegistrationNumber || got.XIN != r.card.XIN {
			w.Errorf("register %d: the authority has %+v, want a summary with its numbers", r.place.Register, got)
		}
		if r == idle && (got.Version != 0 || got.Documents != 0) {
			w.Errorf("a register without documents: %+v, want an empty day", got)
		}
	}

	e.now = e.now.Add(20 * time.Hour)
	w.clock = e.now
	late := e.first.made(fiscal.DocReceipt, fiscal.OpSale, 1_500, fiscal.FlagReplay, "Айгүл")
	late.DeviceTime = today + 80_000
	e.sell(e.first, late)
	e.forward()
	e.round("after a document came late", 1)
	if got := e.far.summaries[fiscal.DayOf{Register: e.first.place.Register, Day: today}]; got.Version != e.first.last || got.Documents != 8 {
		w.Errorf("after a document came late: version %d of %d documents, want %d of 8", got.Version, got.Documents, e.first.last)
	}
	sent, err := w.SentSummaries(w.Context(), "far", e.first.place.Register, today-86_400, today)
	w.must(err)
	if len(sent) != 2 || sent[0].Version != e.first.last || sent[1].Version >= sent[0].Version || !sent[0].At.Equal(e.now) || sent[1].At.Equal(e.now) || sent[0].Refused+sent[1].Refused != "" {
		w.Errorf("of the first register were sent %+v, want two versions of the day, the higher one first, both taken", sent)
	}
	first, second := fiscal.DayOf{Register: e.first.place.Register, Day: today}, fiscal.DayOf{Register: e.second.place.Register, Day: today - 86_400}
	w.must(w.KeepSentSummaries(w.Context(), "far", []delivery.SentSummary{
		{Register: first.Register, Day: today, Version: sent[0].Version + 1, At: e.now, Refused: "a\x00 b"},
		{Register: first.Register, Day: today, Version: sent[1].Version, At: e.now, Refused: "an older version does not count"},
		{Register: second.Register, Day: second.Day, Version: 3, At: e.now, Refused: "of the day before"},
	}))
	e.refused("when two are refused", first, second)
	if page, err := w.RefusedSummaries(w.Context(), "far", first, 5); err != nil || len(page) != 1 || page[0].Day != second.Day || page[0].Version != 3 {
		w.Errorf("behind the first come %+v, %v, want the second", page, err)
	}
	if w.Exec(w.Context(), `DELETE FROM sent_summaries`) == nil {
		w.Error("what was sent is deleted")
	}
	e.now = e.now.Add(24 * time.Hour) // two days later nobody has traded on the last
	e.round("a day later", 3)
	got := e.far.summaries[fiscal.DayOf{Register: e.first.place.Register, Day: today + 86_400}]
	if got.Version != 0 || got.Drawer != 707_750+1_500 || got.Drawer != got.Opening {
		w.Errorf("a day without documents: %+v, want 7092.50 in the drawer", got)
	}
	w.must(w.DropCabinet(w.Context()))
	e.kept = 0
	e.forward()
	e.round("after the tables were made anew", 0)
	if w.Exec(w.Context(), `UPDATE summary_positions SET seq = seq - 1 WHERE seq > 0`) == nil {
		w.Error("a position went back")
	}
}

// reconciles shows that what the two sides do not agree on is named, that what
// was lost on the way is sent again by which it is settled, that an authority
// which lies or talks rubbish is named as well, and that all of it is kept.
//
// Req: O-110, O-113, N-003
func reconciles(w *world) {
	e := newEvening(w)
	r := e.reconciler()
	today := fiscal.WallTime(morning.Unix()).Day()
	if _, err := r.Reconcile(w.Context(), today+86_400, "a"); !errors.Is(err, fiscal.Invalid) {
		w.Errorf("a day that is not over: %v, want Invalid", err)
	}
	if one, err := r.Reconcile(w.Context(), today, ""); !errors.Is(err, fiscal.Unavailable) || one.ID == 0 || one.Failure == "" {
		w.Errorf("before all is forwarded: %+v, %v, want Unavailable, and kept", one, err)
	}
	first, second := e.first.place.Register, e.second.place.Register
	lost := fmt.Sprintf("%d-2", first)
	e.far.lose[lost], e.far.lose[fmt.Sprintf("%d-1", second)] = true, true
	e.forward()
	stranger := journal.Entry{Record: fiscal.Record{Register: 7, Number: 1, Kind: fiscal.DocReceipt, Op: fiscal.OpSale, Total: 5, DeviceTime: today + 1}}
	e.far.documents["7-1"] = stranger

	one, err := r.Reconcile(w.Context(), today, "aida@example.kz")
	w.must(err)
	if one.Registers != 3 || one.Documents != 8 || one.Differences != 3 || one.Open != 1 || one.Resent != 8 || one.By != "aida@example.kz" {
		w.Errorf("reconciled %+v, want 3 registers, 8 documents, 3 differences, of which 1 is left after 8 documents went again", one)
	}
	var names []string
	for _, d := range one.Found {
		names = append(names, fmt.Sprintf("%d %s %t %d/%d", d.Register, d.Kind, d.Settled, d.Ours.Documents, d.Theirs.Documents))
	}
	want := []string{"7 missing_here false 0/1", fmt.Sprintf("%d count true 7/6", first), fmt.Sprintf("%d missing_there true 1/0", second)}
	if !slices.Equal(names, want) {
		w.Errorf("found %q, want %q", names, want)
	}
	if _, ok := e.far.documents[lost]; !ok {
		w.Errorf("document %s is lost still", lost)
	}
	kept, err := w.Reconciliation(w.Context(), one.ID)
	w.must(err)
	if fmt.Sprint(kept) != fmt.Sprint(one) {
		w.Errorf("kept is\n%+v, want\n%+v", kept, one)
	}
	delete(e.far.documents, "7-1")

	// Nothing is lost there, but what is there is not what was sent.
	for _, c := range []struct {
		name    string
		corrupt func(*journal.Entry)
		want    delivery.DifferenceKind
	}{
		{"a sum", func(x *journal.Entry) { x.Total += 100 }, delivery.SumDiffers},
		{"an operation", func(x *journal.Entry) { x.Op = fiscal.OpPurchase }, delivery.CountDiffers},
		{"a hash", func(x *journal.Entry) { x.Hash[7] ^= 1 }, delivery.HashDiffers},
	} {
		id := fmt.Sprintf("%d-1", second)
		copied := e.far.documents[id]
		c.corrupt(&copied)
		e.far.documents[id] = copied
		one, err := r.Reconcile(w.Context(), today, "")
		w.must(err)
		if len(one.Found) != 1 || one.Found[0].Register != second || one.Found[0].Kind != c.want || one.Day != today || one.Found[0].Resent != 1 || one.Open != 0 || one.Documents != 8 {
			w.Errorf("%s of %s was corrupted there: %+v, want register %d and its day named, %s, and settled by what was sent again", c.name, id, one, second, c.want)
		}
		if got := e.far.documents[id]; got.Total == copied.Total && got.Op == copied.Op && got.Hash == copied.Hash {
			w.Errorf("%s of %s is corrupted there still", c.name, id)
		}
	}

	for _, c := range []struct {
		name string
		lie  func([]delivery.Count, string) ([]delivery.Count, string)
		want string // the kind of the first register, or of the failure
	}{
		{"the truth", nil, ""},
		{"another sum", func(p []delivery.Count, n string) ([]delivery.Count, string) { p[0].Receipts[0].Sum++; return p, n }, "sum"},
		{"another hash", func(p []delivery.Count, n string) ([]delivery.Count, string) { p[0].Hash[5]++; return p, n }, "hash"},
		{"another count", func(p []delivery.Count, n string) ([]delivery.Count, string) {
			p[0].Receipts[1].Count += 2
			return p, n
		}, "count"},
		{"negative", func(p []delivery.Count, n string) ([]delivery.Count, string) {
			p[0].Documents = -5
			return p, n
		}, "count"},
		{"the same page for ever", func(p []delivery.Count, _ string) ([]delivery.Count, string) { return p, "0" }, "fails: contradicts itself"},
		{"empty pages for ever", func([]delivery.Count, string) ([]delivery.Count, string) { return nil, "x" }, "fails: has no more"},
		{"nothing at all", func([]delivery.Count, string) ([]delivery.Count, string) { return nil, "" }, "missing_there"},
	} {
		e.far.lie = c.lie
		one, err := r.Reconcile(w.Context(), today, "")
		got := ""
		switch {
		case err != nil:
			got = "fails: " + one.Failure
		case len(one.Found) > 0:
			got = string(one.Found[0].Kind)
		}
		if c.want == "" && got != "" || !strings.Contains(got, strings.TrimPrefix(c.want, "fails: ")) || strings.HasPrefix(c.want, "fails") != (err != nil) {
			w.Errorf("%s: %q, want %q (%+v, %v)", c.name, got, c.want, one, err)
		}
		if one.ID == 0 {
			w.Errorf("%s: not kept", c.name)
		}
	}
	e.far.lie = nil
	e.far.down = &fiscal.Error{Of: fiscal.Unavailable, Msg: "connection refused"}
	if one, err := r.Reconcile(w.Context(), today, ""); !errors.Is(err, fiscal.Unavailable) || !strings.Contains(one.Failure, "connection refused") {
		w.Errorf("while it is down: %+v, %v, want Unavailable", one, err)
	}

	all, err := w.Reconciliations(w.Context(), "far", 0, 100)
	w.must(err)
	page, err := w.Reconciliations(w.Context(), "far", all[2].ID, 2)
	w.must(err)
	if len(all) != 14 || len(page) != 2 || page[0].ID != all[3].ID || all[0].Failure == "" {
		w.Errorf("%d are kept, behind the third come %+v; want 14, the newest first", len(all), page)
	}
	for _, sql := range []string{`UPDATE reconciliations SET differences = 0`, `DELETE FROM reconciliations`} {
		if w.Exec(w.Context(), sql) == nil {
			w.Errorf("%s: done, want it refused", sql)
		}
	}
	if _, err := w.Reconciliation(w.Context(), 1<<40); !errors.Is(err, fiscal.NotFound) {
		w.Errorf("a reconciliation that is not there: %v, want NotFound", err)
	}
}

// heard is nobody who listens.
type heard struct{ summaries, failed int }

func (h *heard) SummariesSent(_ string, n int) { h.summaries += n }
func (h *heard) EveningFailed(_, _ string)     { h.failed++ }

// evenings shows what one look after another does: summaries, then the
// comparison, then the report, each when its time has come and once, and again
// when it failed.
//
// Req: N-003, O-111
func evenings(w *world) {
	e := newEvening(w)
	e.now = e.now.Add(-8 * time.Hour)
	e.forward()
	var h heard
	evening := delivery.NewEvening(delivery.EveningConfig{Day: e.cfg}, w.Engine, e.summaries(), e.reconciler(), delivery.NewReporter(e.cfg, w.Engine, e.far, e.clock), &h, slog.New(slog.DiscardHandler), e.clock)
	state := func() string {
		all, err := w.Reconciliations(w.Context(), "far", 0, 100)
		w.must(err)
		reports, err := w.Reports(w.Context(), "far", 0, 100)
		w.must(err)
		return fmt.Sprintf("%d summaries, %d comparisons, %d reports, %d there, %d failures", h.summaries, len(all), len(reports), len(e.far.reports), h.failed)
	}
	midnight := time.Date(2026, 3, 14, 19, 0, 0, 0, time.UTC)
	for _, step := range []struct {
		after time.Duration
		down  bool
		want  string
	}{
		{31 * time.Minute, false, "2 summaries, 0 comparisons, 0 reports, 0 there, 0 failures"},
		{32 * time.Minute, false, "2 summaries, 0 comparisons, 0 reports, 0 there, 0 failures"},
		{121 * time.Minute, true, "2 summaries, 1 comparisons, 0 reports, 0 there, 1 failures"},
		{121 * time.Minute, false, "2 summaries, 1 comparisons, 0 reports, 0 there, 1 failures"}, // it waits
		{125 * time.Minute, false, "2 summaries, 2 comparisons, 0 reports, 0 there, 1 failures"},
		{181 * time.Minute, true, "2 summaries, 2 comparisons, 1 reports, 0 there, 2 failures"},
		{185 * time.Minute, false, "2 summaries, 2 comparisons, 1 reports, 1 there, 2 failures"},
		{300 * time.Minute, false, "2 summaries, 2 comparisons, 1 reports, 1 there, 2 failures"},
	} {
		e.now = midnight.Add(step.after)
		e.far.down = nil
		if step.down {
			e.far.down = &fiscal.Error{Of: fiscal.Unavailable, Msg: "connection refused"}
		}
		evening.Look(w.Context())
		if got := state(); got != step.want {
			w.Errorf("%s after midnight: %s, want %s", step.after, got, step.want)
		}
	}
	reports, err := w.Reports(w.Context(), "far", 0, 1)
	w.must(err)
	var rep delivery.DayReport
	w.must(json.Unmarshal(reports[0].Content, &rep))
	if rep.Day != "2026-03-14" || rep.Documents != 8 || rep.Batches != 1 || rep.Registers.Active != 2 || rep.Registers.Never != 2 || len(rep.Outages) != 1 || rep.Lag.Max < 3600 ||
		rep.Compared == nil || rep.Compared.Differences != 0 || reports[0].Sent.IsZero() {
		w.Errorf("the report is %+v, want 8 documents of one batch that waited for hours, 2 registers, no difference", rep)
	}
	w.wants("a second report of a day", w.KeepReport(w.Context(), reports[0]), fiscal.AlreadyThere)
	for _, sql := range []string{`UPDATE day_reports SET content = '{}'`, `UPDATE day_reports SET sent_at = 7`, `DELETE FROM day_reports`} {
		if w.Exec(w.Context(), sql) == nil {
			w.Errorf("%s: done, want it refused", sql)
		}
	}
}
