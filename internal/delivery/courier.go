package delivery

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"time"

	"openofd/internal/fiscal"
	"openofd/internal/registry"
)

// CourierConfig says for whom a courier goes and how often. The zero value of a
// span or a number is its default.
type CourierConfig struct {
	Installation string         // names us to the authority; part of each submission's ID, the same for ever
	Country      fiscal.Country // whose applications it carries
	Poll         time.Duration  // between two looks at what is due; 0 means 2 s
	Decisions    time.Duration  // between two questions for decisions; 0 means 15 s
	First        time.Duration  // before a second try; 0 means 5 s
	Longest      time.Duration  // before any try; 0 means 1 h
	Timeout      time.Duration  // of one question to the authority; 0 means 30 s
	Page         int            // decisions at a time; 0 means 50
}

// taken is how many applications are taken at a time. Few: what a taker that dies
// had in its hands waits until all of them could have been asked about in vain.
const taken = 5

func (c CourierConfig) filled() CourierConfig {
	for _, d := range []struct {
		set *time.Duration
		to  time.Duration
	}{{&c.Poll, 2 * time.Second}, {&c.Decisions, 15 * time.Second}, {&c.First, 5 * time.Second}, {&c.Longest, time.Hour}, {&c.Timeout, 30 * time.Second}} {
		if *d.set <= 0 {
			*d.set = d.to
		}
	}
	if c.Page <= 0 {
		c.Page = 50
	}
	return c
}

// Grants writes what was granted on a register, once; *registry.Service is one.
type Grants interface {
	Carry(ctx context.Context, a *registry.Application) error
}

// CourierObserver hears of applications, for metrics. It must not block.
type CourierObserver interface {
	Submitted(authority string, o Outcome)
	Decided(authority string, granted bool)
}

// Outcome is what became of a try to hand over an application.
type Outcome string

// The outcomes.
const (
	OutcomeTaken    Outcome = "taken"
	OutcomeRejected Outcome = "rejected"
	OutcomeFailed   Outcome = "failed"
)

// Outcomes lists them.
func Outcomes() []Outcome { return []Outcome{OutcomeTaken, OutcomeRejected, OutcomeFailed} }

type noCourierObserver struct{}

func (noCourierObserver) Submitted(string, Outcome) {}
func (noCourierObserver) Decided(string, bool)      {}

// Courier carries applications to an authority and its decisions back. What it
// is about to do stands in the database before and after each step, so it may die
// anywhere: an application is handed over again under the same ID, a decision is
// read again from the same bookmark, and a grant changes its register once.
// Several may go at once, on one node or on many.
//
// Source: order 135 items 9 to 11; requirements O-060, O-063, E-079.
type Courier struct {
	cfg      CourierConfig
	far      Registrar
	store    CourierStore
	grants   Grants
	log      *slog.Logger
	observer CourierObserver
	now      func() time.Time
	random   func(n int64) int64 // in [0, n)
}

// NewCourier makes a courier. observer may be nil; random is rand.Int64N.
func NewCourier(cfg CourierConfig, far Registrar, store CourierStore, grants Grants, log *slog.Logger, observer CourierObserver, now func() time.Time, random func(n int64) int64) *Courier {
	if observer == nil {
		observer = noCourierObserver{}
	}
	return &Courier{cfg: cfg.filled(), far: far, store: store, grants: grants, log: log.With("authority", far.Name()), observer: observer, now: now, random: random}
}

// Run goes until ctx ends.
func (c *Courier) Run(ctx context.Context) {
	asked := time.Time{}
	for ctx.Err() == nil {
		did, err := c.Carry(ctx)
		if err != nil && ctx.Err() == nil {
			c.log.Warn("applications could not be carried", "err", err)
		}
		if now := c.now(); now.Sub(asked) >= c.cfg.Decisions || now.Before(asked) {
			asked = now
			n, err := c.Fetch(ctx)
			if err != nil && ctx.Err() == nil {
				c.log.Warn("decisions could not be fetched", "err", err)
			}
			did += n
		}
		if did > 0 {
			continue
		}
		wait := time.NewTimer(c.cfg.Poll)
		select {
		case <-ctx.Done():
		case <-wait.C:
		}
		wait.Stop()
	}
}

// instant is our clock as it is stored.
func (c *Courier) instant() time.Time { return c.now().UTC().Truncate(time.Microsecond) }

// Carry does what is due, and tells how many it looked at: signed applications
// are handed over, granted ones written on their registers.
func (c *Courier) Carry(ctx context.Context) (n int, err error) {
	now := c.instant()
	due, err := c.store.TakeApplications(ctx, string(c.cfg.Country), now, now.Add((taken+1)*c.cfg.Timeout), taken)
	if err != nil {
		return 0, fmt.Errorf("take applications: %w", err)
	}
	for i := range due {
		if ctx.Err() != nil {
			return n, ctx.Err()
		}
		a := &due[i]
		var e registry.ApplicationEvent
		switch a.Status {
		case registry.Sent:
			e = c.submit(ctx, a)
		case registry.Granted:
			e = c.apply(ctx, a)
		default:
			a.NextTry = time.Time{}
		}
		if ctx.Err() != nil { // nothing is known of this one: it is due again
			return n, ctx.Err()
		}
		var es []registry.ApplicationEvent
		if e.What != "" {
			e.At, e.By, e.Status = c.instant(), c.far.Name(), a.Status
			es = append(es, e)
		}
		err := c.store.SetApplication(ctx, a, es...)
		if errors.Is(err, fiscal.StateMoved) { // a decision, or another node, was faster
			continue
		}
		if err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}

// submit hands over one application.
func (c *Courier) submit(ctx context.Context, a *registry.Application) (e registry.ApplicationEvent) {
	asking, cancel := context.WithTimeout(ctx, c.cfg.Timeout)
	number, err := c.far.Submit(asking, c.submission(a))
	cancel()
	now := c.instant()
	a.Tries++
	if a.SentAt.IsZero() {
		a.SentAt = now
	}
	var rejected *Rejected
	switch {
	case err == nil:
		a.Status, a.Number, a.TakenAt, a.LastError, a.NextTry = registry.Waiting, number, now, "", time.Time{}
		c.observer.Submitted(c.far.Name(), OutcomeTaken)
		return registry.ApplicationEvent{What: registry.WasTaken, Detail: number}
	case errors.As(err, &rejected):
		a.Status, a.Why, a.DecidedAt, a.LastError, a.NextTry = registry.Refused, rejected.Why, now, "", time.Time{}
		c.observer.Submitted(c.far.Name(), OutcomeRejected)
		return registry.ApplicationEvent{What: registry.WasRejected, Detail: brief(rejected.Why.In("ru"))}
	}
	c.observer.Submitted(c.far.Name(), OutcomeFailed)
	return c.delayed(a, now, err, registry.WasDelayed)
}

func (c *Courier) submission(a *registry.Application) Submission {
	return Submission{
		ID: c.cfg.Installation + "-" + strconv.FormatInt(int64(a.ID), 10), Country: a.Country, Kind: a.Kind, XIN: a.Form.XIN, Register: a.Register,
		RegistrationNumber: a.Form.RegistrationNumber, Drive: a.Form.Drive, Content: a.Content, Signature: a.Signature, Control: a.Control, SignedAt: a.SignedAt,
	}
}

// apply writes what was granted on the register.
func (c *Courier) apply(ctx context.Context, a *registry.Application) registry.ApplicationEvent {
	err := c.grants.Carry(ctx, a)
	now := c.instant()
	a.Tries++
	if err == nil {
		a.AppliedAt, a.LastError, a.NextTry = now, "", time.Time{}
		return registry.ApplicationEvent{What: registry.WasApplied, Detail: a.RegistrationNumber}
	}
	if errors.Is(err, fiscal.Invalid) || errors.Is(err, fiscal.Conflict) || errors.Is(err, fiscal.Denied) {
		if brief(err.Error()) != a.LastError {
			c.log.Error("what the authority granted cannot be written on the register", "application", a.ID, "register", a.Register, "err", err)
		}
		return c.delayed(a, now, err, registry.WasStuck)
	}
	e := c.delayed(a, now, err, "")
	e.What = ""
	return e
}

// delayed puts off the next try. It is an event when it is for another reason
// than the last time.
func (c *Courier) delayed(a *registry.Application, now time.Time, err error, what registry.Happening) (e registry.ApplicationEvent) {
	why := brief(err.Error())
	if !sameReason(why, a.LastError) {
		e = registry.ApplicationEvent{What: what, Detail: why}
	}
	a.LastError, a.NextTry = why, now.Add(c.pause(a.Tries))
	return e
}

// sameReason reports whether two errors tell of the same: one trouble is worded
// with another port of ours, or with fewer seconds, each time.
func sameReason(why, before string) bool {
	t := TroubleIn(why)
	return why == before || t != "" && t == TroubleIn(before)
}

// pause is how long to wait after so many tries: twice as long each time, the
// half of it by chance, so that those that failed together do not come together.
func (c *Courier) pause(tries int) time.Duration {
	d := c.cfg.First
	for ; tries > 1 && d < c.cfg.Longest; tries-- {
		d *= 2
	}
	d = min(d, c.cfg.Longest)
	return d/2 + time.Duration(c.random(int64(d/2)+1))
}

// Fetch reads the decisions that have come, and tells how many it kept.
func (c *Courier) Fetch(ctx context.Context) (kept int, err error) {
	name := "decisions " + c.far.Name()
	for {
		from, err := c.store.BookmarkOf(ctx, name)
		if err != nil {
			return kept, fmt.Errorf("read the bookmark of decisions: %w", err)
		}
		asking, cancel := context.WithTimeout(ctx, c.cfg.Timeout)
		ds, next, err := c.far.Decisions(asking, from, c.cfg.Page)
		cancel()
		if err != nil {
			return kept, fmt.Errorf("ask for decisions: %w", err)
		}
		if next == "" {
			next = from
		}
		all, err := c.decided(ctx, ds)
		if err != nil {
			return kept, err
		}
		if len(all) == 0 && next == from {
			return kept, nil
		}
		err = c.store.KeepDecisions(ctx, registry.Bookmark{Name: name, From: from, To: next, At: c.instant()}, all)
		if errors.Is(err, fiscal.StateMoved) { // another node has them, or an application moved: read again
			return kept, nil
		}
		if err != nil {
			return kept, err
		}
		kept += len(all)
		for i := range all {
			c.observer.Decided(c.far.Name(), all[i].Application.Status == registry.Granted)
		}
		if len(ds) < c.cfg.Page || next == from {
			return kept, nil
		}
	}
}

// decided is what decisions make of applications. One that came before, or for
// what nobody asked, makes nothing; it is logged where a person should know.
func (c *Courier) decided(ctx context.Context, ds []Decision) (all []Decided, err error) {
	seen := map[registry.ApplicationID]bool{}
	for _, d := range ds {
		id, ours := c.parseID(d.ID)
		if !ours {
			c.log.Warn("a decision on an application of another installation", "id", d.ID)
			continue
		}
		a, _, err := c.store.ApplicationOf(ctx, 0, id)
		if errors.Is(err, fiscal.NotFound) {
			c.log.Error("a decision on an application that is not there", "application", id)
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("read application %d: %w", id, err)
		}
		switch {
		case seen[id]:
			continue
		case a.Status != registry.Sent && a.Status != registry.Waiting:
			if a.Status == registry.Granted != d.Granted || d.Granted && d.RegistrationNumber != a.RegistrationNumber {
				c.log.Error("another decision on an application that is decided", "application", id, "status", a.Status)
			}
			continue
		}
		seen[id] = true
		all = append(all, c.decide(a, d))
	}
	return all, nil
}

// clocksDiffer is how much the clocks of an authority and ours may differ before
// we go by ours.
const clocksDiffer = 5 * time.Minute

func (c *Courier) decide(a registry.Application, d Decision) Decided {
	now := c.instant()
	if a.DecidedAt = d.At.UTC().Truncate(time.Microsecond); a.DecidedAt.Before(a.SignedAt.Add(-clocksDiffer)) || a.DecidedAt.After(now.Add(clocksDiffer)) {
		c.log.Warn("a decision of a time that cannot be: ours is kept", "application", a.ID, "decided", a.DecidedAt)
		a.DecidedAt = now
	}
	for _, t := range []*time.Time{&a.SentAt, &a.TakenAt} { // the answer to our question was lost
		if t.IsZero() {
			*t = now
		}
	}
	if d.Number != "" {
		a.Number = d.Number
	}
	a.Tries, a.LastError, a.NextTry = 0, "", time.Time{}
	e := registry.ApplicationEvent{At: now, By: c.far.Name()}
	if d.Granted {
		a.Status, a.RegistrationNumber, a.NextTry = registry.Granted, d.RegistrationNumber, now
		e.What, e.Detail = registry.WasGranted, d.RegistrationNumber
	} else {
		a.Status, a.Why = registry.Refused, fiscal.Text{KK: brief(d.Why.KK), RU: brief(d.Why.RU), EN: brief(d.Why.EN)}
		e.What, e.Detail = registry.WasRefused, brief(d.Why.In("ru"))
	}
	e.Status = a.Status
	return Decided{Application: a, Event: e}
}

func (c *Courier) parseID(s string) (id registry.ApplicationID, ours bool) {
	number, ok := strings.CutPrefix(s, c.cfg.Installation+"-")
	n, err := strconv.ParseInt(number, 10, 64)
	return registry.ApplicationID(n), ok && err == nil && n > 0
}
