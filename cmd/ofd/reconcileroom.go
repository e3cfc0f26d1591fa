package main

import (
	"cmp"
	"context"
	"encoding/json"
	"log/slog"
	"slices"
	"sync"
	"time"

	"openofd/internal/authority/kgd"
	"openofd/internal/config"
	"openofd/internal/delivery"
	"openofd/internal/fiscal"
	"openofd/internal/web/room"
)

// eveningRoom shows the operator's staff what became of days that are over, and
// compares one when they ask for it.
type eveningRoom struct {
	store      delivery.ReportStore
	reconciler *delivery.Reconciler       // nil: no authority is known that counts
	summaries  func() *delivery.Summaries // likewise; one for each act
	log        *slog.Logger
	end        context.CancelFunc
	ctx        context.Context //nolint:containedctx // of what runs behind the pages, until the rooms close
	running    sync.WaitGroup

	mu  sync.Mutex
	day fiscal.WallTime // that is being compared; guarded by mu
}

var _ room.Evenings = (*eveningRoom)(nil)

// openEvenings makes the room. A node without followers has it as well.
func (o *operator) openEvenings(s *settings) (*eveningRoom, error) {
	e := &eveningRoom{store: o.store, log: s.Log}
	e.ctx, e.end = context.WithCancel(context.Background())
	if s.KGD.URL.URL == "" {
		return e, nil
	}
	ways, err := openForwarding(o.core, &config.Serve{KGD: s.KGD}, nil) // of the ways the one to Kazakhstan alone
	if err != nil {
		return nil, err
	}
	day, err := dayOf(kgd.Name)
	if err != nil {
		return nil, err
	}
	e.summaries = func() *delivery.Summaries { return delivery.NewSummaries(day, o.store, ways.kgd, s.Log, o.now) }
	e.reconciler, err = ways.reconciler(o.core, kgd.Name, s.Log)
	return e, err
}

// close ends what is under way.
func (e *eveningRoom) close() {
	e.end()
	e.running.Wait()
}

// Comparisons implements room.Evenings.
func (e *eveningRoom) Comparisons(ctx context.Context, before int64, limit int) ([]room.Comparison, error) {
	all, err := e.store.Reconciliations(ctx, kgd.Name, before, limit)
	if err != nil {
		return nil, err
	}
	shown := make([]room.Comparison, len(all))
	for i := range all {
		shown[i] = showComparison(&all[i])
	}
	return shown, nil
}

// Comparison implements room.Evenings.
func (e *eveningRoom) Comparison(ctx context.Context, id int64) (room.Comparison, error) {
	r, err := e.store.Reconciliation(ctx, id)
	return showComparison(&r), err
}

func showComparison(r *delivery.Reconciliation) room.Comparison {
	c := room.Comparison{
		ID: r.ID, Authority: r.Authority, Day: r.Day, Began: r.Began, By: r.By, Registers: r.Registers, Documents: r.Documents,
		Differences: r.Differences, Open: r.Open, Resent: r.Resent, More: r.Differences - len(r.Found), Failure: r.Failure,
	}
	sum := func(s *delivery.Side) fiscal.Money { return s.Receipts[0].Sum - s.Receipts[1].Sum }
	for i := range r.Found {
		d := &r.Found[i]
		c.Found = append(c.Found, room.Difference{
			Register: d.Register, Kind: string(d.Kind), OurDocuments: d.Ours.Documents, ItsDocuments: d.Theirs.Documents, OurSum: sum(&d.Ours), ItsSum: sum(&d.Theirs),
			OurLast: d.Ours.Last, ItsLast: d.Theirs.Last, Resent: d.Resent, Settled: d.Settled, Detail: d.Detail,
		})
	}
	return c
}

// Compare implements room.Evenings.
func (e *eveningRoom) Compare(_ context.Context, day fiscal.WallTime, by string) error {
	if e.reconciler == nil {
		return &fiscal.Error{Of: fiscal.Unavailable, Field: "authority", Msg: "no authority is known that counts"}
	}
	if err := e.reconciler.Over(day); err != nil {
		return err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.day != 0 {
		return &fiscal.Error{Reason: fiscal.AlreadyThere, Field: "day", Msg: "a comparison is under way"}
	}
	e.day = day
	e.running.Go(func() {
		if _, err := e.reconciler.Reconcile(e.ctx, day, by); err != nil {
			e.log.Warn("day not compared", "err", err) // the page shows why
		}
		e.mu.Lock()
		defer e.mu.Unlock()
		e.day = 0
	})
	return nil
}

// Comparing implements room.Evenings.
func (e *eveningRoom) Comparing() fiscal.WallTime {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.day
}

// Reports implements room.Evenings: of all authorities, by day.
func (e *eveningRoom) Reports(ctx context.Context, before fiscal.WallTime, limit int) (all []room.DayReport, err error) {
	for _, a := range authorities {
		some, err := e.store.Reports(ctx, a, before, limit)
		if err != nil {
			return nil, err
		}
		for i := range some {
			r, err := showReport(&some[i])
			if err != nil {
				return nil, err
			}
			all = append(all, r)
		}
	}
	return newestDays(all, limit), nil
}

// RefusedSummaries implements room.Evenings.
func (e *eveningRoom) RefusedSummaries(ctx context.Context, before fiscal.DayOf, limit int) ([]delivery.SentSummary, error) {
	return e.store.RefusedSummaries(ctx, kgd.Name, before, limit)
}

// SummaryAgain implements room.Evenings.
func (e *eveningRoom) SummaryAgain(ctx context.Context, of fiscal.DayOf) (delivery.SentSummary, error) {
	if e.summaries == nil {
		return delivery.SentSummary{}, &fiscal.Error{Of: fiscal.Unavailable, Field: "authority", Msg: "no authority is known that takes summaries"}
	}
	return e.summaries().Again(ctx, of)
}

func showReport(k *delivery.KeptReport) (room.DayReport, error) {
	var r delivery.DayReport
	if err := json.Unmarshal(k.Content, &r); err != nil {
		return room.DayReport{}, &fiscal.Error{Of: fiscal.Corrupt, Field: "day_reports", Msg: k.Day.UTC().Format(time.DateOnly), Err: err}
	}
	shown := room.DayReport{
		Authority: k.Authority, Day: k.Day, Made: k.Made, Sent: k.Sent, Documents: r.Documents, Waiting: r.Waiting, Behind: r.Behind, Batches: r.Batches, Parked: r.Parked,
		P50: r.Lag.P50, P90: r.Lag.P90, P99: r.Lag.P99, Max: r.Lag.Max,
		Active: r.Registers.Active, Blocked: r.Registers.Blocked, Silent: r.Registers.Silent, Never: r.Registers.Never, Closed: r.Registers.Deregistered, Content: k.Content,
	}
	for _, o := range r.Outages {
		shown.Outages = append(shown.Outages, room.Outage{From: o.From, Until: o.Until})
	}
	if c := r.Compared; c != nil {
		shown.Compared, shown.Differences, shown.Open = true, c.Differences, c.Open
	}
	return shown, nil
}

// newestDays puts reports in the order of days, the newest first, and cuts off
// whole days only: the next page begins behind one.
func newestDays(all []room.DayReport, limit int) []room.DayReport {
	slices.SortStableFunc(all, func(a, b room.DayReport) int { return cmp.Compare(b.Day, a.Day) })
	for limit > 0 && limit < len(all) && all[limit].Day == all[limit-1].Day {
		limit++
	}
	return all[:min(limit, len(all))]
}
