package delivery

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"openofd/internal/fiscal"
	"openofd/internal/follow"
)

// EveningConfig is the timetable of what is done once a day.
type EveningConfig struct {
	Day     DayConfig
	Compare time.Duration // after midnight, when the day is compared; 0 means 2 h
	Report  time.Duration // after midnight, when its report is made; 0 means 3 h
	Poll    time.Duration // how often it looks; 0 means a minute
	Holder  string        // names this process among the nodes
}

// EveningObserver hears what came of it, for metrics. It must not block.
type EveningObserver interface {
	SummariesSent(authority string, n int)
	EveningFailed(authority, job string) // one of EveningJobs
}

// EveningJobs are the names of what an Evening does.
func EveningJobs() []string { return []string{jobSummaries, jobReconcile, jobReport} }

const (
	jobSummaries = "summaries"
	jobReconcile = "reconcile"
	jobReport    = "report"
)

// Evening does, day after day, what follows the end of a day: it sends the
// summaries, compares the day with the authority's counts, makes the report. Of
// many nodes one does it at a time; each step may be done twice and takes effect
// once.
type Evening struct {
	cfg        EveningConfig
	store      ReportStore
	summaries  *Summaries  // nil: they are not sent
	reconciler *Reconciler // nil: nothing is compared
	reporter   *Reporter
	observer   EveningObserver
	log        *slog.Logger
	now        func() time.Time
	waits      map[string]wait // by job
}

// wait is how long a job that failed is left alone.
type wait struct {
	until time.Time
	span  time.Duration
}

// NewEvening makes one; Run starts it. Any of the jobs may be nil.
func NewEvening(cfg EveningConfig, store ReportStore, s *Summaries, r *Reconciler, p *Reporter, observer EveningObserver, log *slog.Logger, now func() time.Time) *Evening {
	cfg.Day = cfg.Day.filled()
	cfg.Compare, cfg.Report = cmp.Or(cfg.Compare, 2*time.Hour), cmp.Or(cfg.Report, 3*time.Hour)
	cfg.Poll = cmp.Or(cfg.Poll, time.Minute)
	return &Evening{cfg: cfg, store: store, summaries: s, reconciler: r, reporter: p, observer: observer, log: log.With("authority", cfg.Day.Authority), now: now, waits: make(map[string]wait)}
}

// lease is the one by which a node does it.
func (e *Evening) lease() follow.ID {
	return follow.ID{Name: "evening-" + e.cfg.Day.Authority, Generation: 1, Facts: true}
}

// leaseSpan is how long a node that died holds the others up.
const leaseSpan = 5 * time.Minute

// Run looks again and again until ctx ends.
func (e *Evening) Run(ctx context.Context) {
	tick := time.NewTicker(e.cfg.Poll)
	defer tick.Stop()
	defer func() {
		end, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		_ = e.store.Release(end, e.lease(), 0, e.cfg.Holder) // or the span ends it
	}()
	for {
		if ok, err := e.store.Lease(ctx, e.lease(), 0, e.cfg.Holder, leaseSpan); err == nil && ok {
			e.hold(ctx, e.Look)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// hold has do done while the lease is prolonged: a million registers take longer
// than its span. do is called off when another node has it.
func (e *Evening) hold(ctx context.Context, do func(context.Context)) {
	held, lose := context.WithCancel(ctx)
	defer lose()
	var prolonging sync.WaitGroup
	over := make(chan struct{})
	prolonging.Go(func() {
		tick := time.NewTicker(leaseSpan / 5)
		defer tick.Stop()
		for {
			select {
			case <-over:
				return
			case <-tick.C:
			}
			if ok, err := e.store.Lease(held, e.lease(), 0, e.cfg.Holder, leaseSpan); err == nil && !ok {
				e.log.Warn("another node does what follows the day")
				lose()
				return
			}
		}
	})
	do(held)
	close(over)
	prolonging.Wait()
}

// Look does whatever is due now.
func (e *Evening) Look(ctx context.Context) {
	authority := e.cfg.Day.Authority
	if e.summaries != nil {
		e.try(ctx, jobSummaries, func() error {
			n, err := e.summaries.Round(ctx)
			if n > 0 {
				e.observer.SummariesSent(authority, n)
				e.log.Info("summaries sent", "summaries", n)
			}
			return err
		})
	}
	if e.reconciler != nil {
		e.try(ctx, jobReconcile, func() error { return e.compare(ctx) })
	}
	if e.reporter != nil && e.past(e.cfg.Report) {
		e.try(ctx, jobReport, func() error {
			_, err := e.reporter.Round(ctx)
			return err
		})
	}
}

// past reports whether the day that is over has been so for long enough.
func (e *Evening) past(after time.Duration) bool {
	_, since := e.cfg.Day.over(e.now())
	return !e.now().Before(since.Add(after - e.cfg.Day.After))
}

// longestWait is the most seldom that a job that fails is tried again.
const longestWait = 30 * time.Minute

// try does a job unless it has failed a short while ago.
func (e *Evening) try(ctx context.Context, job string, do func() error) {
	w := e.waits[job]
	if e.now().Before(w.until) || ctx.Err() != nil {
		return
	}
	err := do()
	if err == nil || ctx.Err() != nil {
		delete(e.waits, job)
		return
	}
	level := slog.LevelWarn
	if w.span == 0 && errors.Is(err, fiscal.Unavailable) { // a start after a while finds much to follow first
		level = slog.LevelInfo
	}
	w.span = min(max(2*w.span, time.Minute), longestWait)
	w.until = e.now().Add(w.span)
	e.waits[job] = w
	e.observer.EveningFailed(e.cfg.Day.Authority, job)
	e.log.Log(ctx, level, "not done, will be tried again", "job", job, "err", err, "in", w.span)
}

// OpenDays is for how many days an open difference is looked at again.
const OpenDays = 7

// againAfter is how long a comparison that failed is left alone once another day
// has followed.
const againAfter = 3 * time.Hour

// compare compares the last day that is over, once, with days of the last week
// that were passed over, and those of it that differ still, once a day. A day
// that cannot be compared holds up no other.
func (e *Evening) compare(ctx context.Context) (err error) {
	if !e.past(e.cfg.Compare) {
		return nil
	}
	due, err := e.due(ctx)
	if err != nil {
		return err
	}
	for _, day := range due {
		one, failed := e.reconciler.Reconcile(ctx, day, "")
		if failed != nil {
			err = errors.Join(err, fmt.Errorf("compare %s: %w", dayText(day), failed))
		}
		if ctx.Err() != nil {
			return err
		}
		if failed == nil && one.Differences > 0 {
			e.log.Warn("a day differs from the authority's", "day", dayText(day), "differences", one.Differences, "open", one.Open, "resent", one.Resent)
		}
	}
	return err
}

// due are the days that have to be compared now, the oldest first.
func (e *Evening) due(ctx context.Context) (days []fiscal.WallTime, err error) {
	last, since := e.cfg.Day.over(e.now())
	all, err := e.store.Reconciliations(ctx, e.cfg.Day.Authority, 0, 500)
	if err != nil {
		return nil, err
	}
	first := last // that was ever compared, as far as was read
	newest := make(map[fiscal.WallTime]*Reconciliation)
	for i := range all {
		if _, had := newest[all[i].Day]; !had {
			newest[all[i].Day] = &all[i]
		}
		first = min(first, all[i].Day)
	}
	for day := max(last-(OpenDays-1)*oneDay, first); day <= last; day += oneDay {
		was := newest[day]
		switch {
		case was == nil,
			was.Failure != "" && (day == last || was.Began.Before(e.now().Add(-againAfter))),
			was.Failure == "" && was.Open > 0 && was.Began.Before(since):
			days = append(days, day)
		}
	}
	return days, nil
}
