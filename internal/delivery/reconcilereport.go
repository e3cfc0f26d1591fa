package delivery

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"openofd/internal/fiscal"
	"openofd/internal/follow"
	"openofd/internal/journal"
	"openofd/internal/registry"
)

// Late is how long a document may be on its way before that is an outage.
//
// Source: order 135 of 27.02.2015 (receipts reach the authority within a quarter
// of an hour).
const Late = 15 * time.Minute

// DayReport is how data were transmitted on a day. It is kept as it was made.
//
// Source: order 626 of 24.10.2025 (the operator monitors transmission daily).
type DayReport struct {
	Authority string    `json:"authority"`
	Day       string    `json:"day"` // 2026-03-14, of the country's clock
	Made      time.Time `json:"made"`

	Documents int64 `json:"documents"` // forwarded on the day
	Batches   int   `json:"batches"`
	Bytes     int64 `json:"bytes"`
	Parked    int   `json:"parked"`  // put aside on the day
	Waiting   int64 `json:"waiting"` // put aside and not settled, when the report was made
	Behind    int64 `json:"behind"`  // entries that were not followed yet, likewise

	Lag       Lag       `json:"lag"`
	Outages   []Outage  `json:"outages"`
	Registers Crowd     `json:"registers"`
	Compared  *Compared `json:"compared,omitempty"` // nil: the day was not compared yet
}

// Lag is how old documents were when the authority had taken them, in seconds:
// of each batch its oldest.
type Lag struct {
	P50 int64 `json:"p50"`
	P90 int64 `json:"p90"`
	P99 int64 `json:"p99"`
	Max int64 `json:"max"`
}

// Outage is a time in which documents waited for longer than Late.
type Outage struct {
	From    time.Time `json:"from"`
	Until   time.Time `json:"until"`
	Seconds int64     `json:"seconds"`
}

// Crowd is how many registers there are of the country.
type Crowd struct {
	Active       int `json:"active"` // blocked ones are none
	Blocked      int `json:"blocked"`
	Deregistered int `json:"deregistered"`
	Silent       int `json:"silent"` // active, and not heard of for three days
	Never        int `json:"never"`  // active, and never heard of
}

// Compared is the last reconciliation of the day.
type Compared struct {
	At          time.Time `json:"at"`
	Registers   int       `json:"registers"`
	Differences int       `json:"differences"`
	Open        int       `json:"open"`
	Resent      int       `json:"resent"`
	Failure     string    `json:"failure,omitempty"`
}

// silence is how long a register may be without a word.
const silence = 72 * time.Hour

// SentBatch is a batch as it was stored.
type SentBatch struct {
	Partition fiscal.Partition
	First     journal.Seq
	Documents int
	Bytes     int64
	Parked    int
	At        time.Time
}

// KeptReport is a report as it is kept.
type KeptReport struct {
	Authority string
	Day       fiscal.WallTime
	Made      time.Time
	Sent      time.Time // zero: not yet
	Content   json.RawMessage
}

// ReportStore is what the daily report asks of an engine.
type ReportStore interface {
	ReconcileStore
	CountWaiting(ctx context.Context, authority string) (int64, error)
	// Batches reads those that were sent from one moment until another, by
	// partition and first entry, behind a place.
	Batches(ctx context.Context, authority string, from, until time.Time, after SentBatch, limit int) ([]SentBatch, error)
	// KeepReport stores a report; AlreadyThere if the day has one.
	KeepReport(ctx context.Context, r KeptReport) error
	// ReportSent notes when a report was handed over, once.
	ReportSent(ctx context.Context, authority string, day fiscal.WallTime, at time.Time) error
	// Reports lists reports, the newest day first, before a day; 0 is from the
	// newest on.
	Reports(ctx context.Context, authority string, before fiscal.WallTime, limit int) ([]KeptReport, error)
}

// Reporter makes the daily report and hands it over. One round at a time.
type Reporter struct {
	cfg    DayConfig
	store  ReportStore
	sender ReportSender // nil: reports are made and kept
	now    func() time.Time
}

// NewReporter makes one. It does no I/O.
func NewReporter(cfg DayConfig, store ReportStore, sender ReportSender, now func() time.Time) *Reporter {
	return &Reporter{cfg: cfg.filled(), store: store, sender: sender, now: now}
}

// Round makes the report of the last day that is over, if there is none, those
// of days of the last week that were passed over, and hands over those that have
// not been. made tells whether it made one.
func (r *Reporter) Round(ctx context.Context) (made bool, err error) {
	kept, err := r.store.Reports(ctx, r.cfg.Authority, 0, maxDaysBack)
	if err != nil {
		return false, err
	}
	for _, day := range r.missing(kept) {
		one, err := r.make(ctx, day)
		if err != nil {
			return made, fmt.Errorf("make the report of %s: %w", dayText(day), err)
		}
		err = r.store.KeepReport(ctx, one)
		if errors.Is(err, fiscal.AlreadyThere) { // another node was faster, and hands it over
			continue
		}
		if err != nil {
			return made, err
		}
		kept, made = append(kept, one), true
	}
	if r.sender == nil {
		return made, nil
	}
	slices.SortFunc(kept, func(a, b KeptReport) int { return cmp.Compare(a.Day, b.Day) })
	return made, r.hand(ctx, kept)
}

// missing are the days whose reports are to be made, as long as there are
// records of what was sent on them.
func (r *Reporter) missing(kept []KeptReport) (days []fiscal.WallTime) {
	last, _ := r.cfg.over(r.now())
	first := last
	for i := range kept {
		first = min(first, kept[i].Day)
	}
	for day := max(last-(OpenDays-1)*oneDay, first); day <= last; day += oneDay {
		if !slices.ContainsFunc(kept, func(k KeptReport) bool { return k.Day == day }) {
			days = append(days, day)
		}
	}
	return days
}

// hand hands over reports that have not been, the oldest first. One that the
// authority will never take holds up no other.
func (r *Reporter) hand(ctx context.Context, kept []KeptReport) (refused error) {
	for i := range kept {
		k := &kept[i]
		if !k.Sent.IsZero() {
			continue
		}
		err := r.sender.SendReport(ctx, k.Day, k.Made, k.Content)
		if err != nil {
			err = fmt.Errorf("send the report of %s: %w", dayText(k.Day), err)
		}
		if errors.Is(err, fiscal.Invalid) {
			refused = errors.Join(refused, err)
			continue
		}
		if err == nil {
			err = r.store.ReportSent(ctx, k.Authority, k.Day, r.now().UTC().Truncate(time.Microsecond))
		}
		if err != nil {
			return errors.Join(refused, err)
		}
	}
	return refused
}

func (r *Reporter) make(ctx context.Context, day fiscal.WallTime) (KeptReport, error) {
	rep := DayReport{Authority: r.cfg.Authority, Day: dayText(day), Made: r.now().UTC().Truncate(time.Microsecond), Outages: []Outage{}}
	for _, part := range []func(context.Context, fiscal.WallTime, *DayReport) error{r.sent, r.standing, r.crowd, r.compared} {
		if err := part(ctx, day, &rep); err != nil {
			return KeptReport{}, err
		}
	}
	content, err := json.Marshal(&rep)
	return KeptReport{Authority: rep.Authority, Day: day, Made: rep.Made, Content: content}, err
}

// sampled bounds how many batches of a day are asked for their oldest document.
// Of more every second is asked, then every fourth: the same of each partition.
const sampled = 20_000

// sent sums up the batches of the day, and how old their documents were.
func (r *Reporter) sent(ctx context.Context, day fiscal.WallTime, rep *DayReport) error {
	from, until := day.Instant(r.cfg.Zone), (day + oneDay).Instant(r.cfg.Zone)
	var lags []weighted
	every := 1
	for after := (SentBatch{Partition: -1}); ; {
		page, err := r.store.Batches(ctx, r.cfg.Authority, from, until, after, 1000)
		if err != nil {
			return err
		}
		if len(page) == 0 {
			break
		}
		after = page[len(page)-1]
		for i := range page {
			b := &page[i]
			rep.Batches++
			rep.Documents += int64(b.Documents)
			rep.Bytes += b.Bytes
			rep.Parked += b.Parked
			if rep.Batches%every != 0 {
				continue
			}
			first, err := r.store.Page(ctx, b.Partition, b.First, 1, 1)
			if err != nil {
				return err
			}
			if len(first) > 0 {
				lags = append(lags, weighted{max(b.At.Sub(first[0].ReceivedAt), 0), int64(b.Documents), b.At})
			}
			if len(lags) == sampled {
				lags, every = eachSecond(lags), 2*every
			}
		}
	}
	rep.Lag = percentiles(lags)
	rep.Outages = outages(lags)
	return nil
}

// eachSecond leaves out the first and every second behind it.
func eachSecond(all []weighted) []weighted {
	for i := range len(all) / 2 {
		all[i] = all[2*i+1]
	}
	return all[:len(all)/2]
}

// weighted is how old a batch was, and how many documents it had.
type weighted struct {
	lag time.Duration
	n   int64
	at  time.Time
}

func percentiles(all []weighted) (l Lag) {
	slices.SortFunc(all, func(a, b weighted) int { return cmp.Compare(a.lag, b.lag) })
	var total, seen int64
	for _, w := range all {
		total += w.n
	}
	marks := []struct {
		percent int64
		v       *int64
	}{{50, &l.P50}, {90, &l.P90}, {99, &l.P99}}
	for _, w := range all {
		seen += w.n
		l.Max = int64(w.lag.Seconds())
		for len(marks) > 0 && seen*100 >= total*marks[0].percent {
			*marks[0].v, marks = l.Max, marks[1:]
		}
	}
	return l
}

// outages are the times in which a document waited for longer than Late, joined
// where they touch.
func outages(all []weighted) []Outage {
	found := []Outage{}
	slices.SortFunc(all, func(a, b weighted) int { return a.at.Add(-a.lag).Compare(b.at.Add(-b.lag)) })
	for _, w := range all {
		if w.lag <= Late {
			continue
		}
		from, until := w.at.Add(-w.lag).UTC(), w.at.UTC()
		if n := len(found); n > 0 && !from.After(found[n-1].Until) {
			if until.After(found[n-1].Until) {
				found[n-1].Until = until
			}
		} else {
			found = append(found, Outage{From: from, Until: until})
		}
	}
	for i := range found {
		found[i].Seconds = int64(found[i].Until.Sub(found[i].From).Seconds())
	}
	return found
}

func (r *Reporter) standing(ctx context.Context, _ fiscal.WallTime, rep *DayReport) (err error) {
	if rep.Waiting, err = r.store.CountWaiting(ctx, r.cfg.Authority); err != nil {
		return err
	}
	s, err := follow.Stands(ctx, r.store, IDOf(r.cfg.Authority))
	rep.Behind = int64(s.Entries)
	return err
}

func (r *Reporter) crowd(ctx context.Context, _ fiscal.WallTime, rep *DayReport) error {
	for after := fiscal.RegisterID(0); ; {
		page, err := r.store.Registers(ctx, 0, after, MaxSummaries)
		if err != nil {
			return err
		}
		if len(page) == 0 {
			return nil
		}
		after = page[len(page)-1].Card.Register
		for i := range page {
			if page[i].Card.Country == r.cfg.Country {
				rep.Registers.add(&page[i], rep.Made)
			}
		}
	}
}

func (c *Crowd) add(l *registry.Listed, now time.Time) {
	switch {
	case l.State == nil:
	case l.State.Status == fiscal.StatusDeregistered:
		c.Deregistered++
	case l.State.Status == fiscal.StatusBlocked:
		c.Blocked++
	default:
		c.Active++
		if l.LastContact == nil {
			c.Never++
		} else if now.Sub(l.LastContact.At) > silence {
			c.Silent++
		}
	}
}

// compared finds the day's last reconciliation among the newest ones.
func (r *Reporter) compared(ctx context.Context, day fiscal.WallTime, rep *DayReport) error {
	all, err := r.store.Reconciliations(ctx, r.cfg.Authority, 0, 200)
	if err != nil {
		return err
	}
	for i := range all {
		if a := &all[i]; a.Day == day {
			rep.Compared = &Compared{a.Ended, a.Registers, a.Differences, a.Open, a.Resent, a.Failure}
			return nil
		}
	}
	return nil
}
