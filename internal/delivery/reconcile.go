package delivery

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"openofd/internal/fiscal"
	"openofd/internal/follow"
)

// DifferenceKind says how our word on a register's day and the authority's
// differ: the gravest way of them.
type DifferenceKind string

// The kinds, the gravest first.
const (
	MissingThere DifferenceKind = "missing_there" // the authority knows nothing of the day
	MissingHere  DifferenceKind = "missing_here"  // it counts what we have never forwarded
	CountDiffers DifferenceKind = "count"         // of documents, or of receipts of an operation
	SumDiffers   DifferenceKind = "sum"           // of an operation
	HashDiffers  DifferenceKind = "hash"          // the last document is another one
)

// DifferenceKinds lists them.
func DifferenceKinds() []DifferenceKind {
	return []DifferenceKind{MissingThere, MissingHere, CountDiffers, SumDiffers, HashDiffers}
}

// Side is one side's word on a register's day.
type Side struct {
	Documents int64                              `json:"documents"`
	Receipts  [fiscal.OpSettlements]fiscal.Tally `json:"receipts"`
	Last      fiscal.Number                      `json:"last"`
	Hash      string                             `json:"hash"` // 64 hexadecimal digits
}

// Difference is one that a reconciliation found.
type Difference struct {
	Register fiscal.RegisterID `json:"register"`
	Kind     DifferenceKind    `json:"kind"`
	Ours     Side              `json:"ours"`
	Theirs   Side              `json:"theirs"`
	Resent   int               `json:"resent"`           // documents that were sent again
	Settled  bool              `json:"settled"`          // after that both sides agree
	Detail   string            `json:"detail,omitempty"` // why it is not
}

// Reconciliation is one comparison of a day. It is kept for ever, as is each of
// its differences.
type Reconciliation struct {
	ID          int64
	Authority   string
	Day         fiscal.WallTime
	Began       time.Time
	Ended       time.Time
	By          string // who asked for it; "" is the timetable
	Registers   int    // that one side or the other knows
	Documents   int64  // ours
	Differences int    // that were found
	Open        int    // of these that are left
	Resent      int
	Failure     string       // why it came to no end; "" it did
	Found       []Difference // MaxDifferences at most
}

// MaxDifferences bounds how many differences are kept of one reconciliation. The
// numbers beside them count all.
const MaxDifferences = 1000

// ReconcileStore is what reconciliation asks of an engine.
type ReconcileStore interface {
	SummaryStore
	// KeepReconciliation stores one with its differences, and sets its ID.
	KeepReconciliation(ctx context.Context, r *Reconciliation) error
	// Reconciliations lists them without their differences, newest first, before
	// an ID; 0 is from the newest on.
	Reconciliations(ctx context.Context, authority string, before int64, limit int) ([]Reconciliation, error)
	// Reconciliation reads one; NotFound.
	Reconciliation(ctx context.Context, id int64) (Reconciliation, error)
}

// Reconciler compares a day with what an authority makes of it, sends what is
// missing there again, and writes down what it found. Safe for concurrent use.
type Reconciler struct {
	cfg      DayConfig
	store    ReconcileStore
	counts   Counts
	delivery *Delivery // by which documents go again
	log      *slog.Logger
	now      func() time.Time
}

// NewReconciler makes one. It does no I/O.
func NewReconciler(cfg DayConfig, store ReconcileStore, counts Counts, d *Delivery, log *slog.Logger, now func() time.Time) *Reconciler {
	return &Reconciler{cfg: cfg.filled(), store: store, counts: counts, delivery: d, log: log.With("authority", cfg.Authority), now: now}
}

// Reconcile compares a day that is over. by is who asked for it, "" the
// timetable. What it comes to is kept, also when it comes to no end: the error
// then says why, and so does what was kept.
//
// Errors: Invalid for a day that is not over; Unavailable when the authority
// does not answer or its answer cannot be understood, or when documents of the
// day are still on their way to it.
func (r *Reconciler) Reconcile(ctx context.Context, day fiscal.WallTime, by string) (Reconciliation, error) {
	one := Reconciliation{Authority: r.cfg.Authority, Day: day.Day(), Began: r.now().UTC().Truncate(time.Microsecond), By: by}
	if err := r.Over(one.Day); err != nil {
		return one, err
	}
	err := r.reconcile(ctx, &one)
	if errors.Is(err, context.Canceled) {
		return one, err // the process ends; whoever comes next begins anew
	}
	if err != nil {
		one.Failure = brief(err.Error())
	}
	one.Ended = r.now().UTC().Truncate(time.Microsecond)
	if kept := r.store.KeepReconciliation(ctx, &one); kept != nil {
		return one, errors.Join(err, kept)
	}
	return one, err
}

// Over is nil for a day that is over, and can be compared; Invalid for another.
func (r *Reconciler) Over(day fiscal.WallTime) error {
	if last, _ := r.cfg.over(r.now()); day.Day() > last {
		return &fiscal.Error{Reason: fiscal.BadValue, Field: "day", Msg: fmt.Sprintf("%s is not over yet", dayText(day))}
	}
	return nil
}

func (r *Reconciler) reconcile(ctx context.Context, one *Reconciliation) error {
	if err := r.caughtUp(ctx, one.Day); err != nil {
		return err
	}
	found, err := r.compare(ctx, one)
	if err != nil || len(found) == 0 {
		return err
	}
	one.Differences, one.Open = len(found), len(found)
	defer func() { one.Found = found[:min(len(found), MaxDifferences)] }()
	for i := range found[:min(len(found), MaxDifferences)] {
		if err := r.again(ctx, one, &found[i]); err != nil {
			return err
		}
	}
	// Whatever was sent again, both sides may have moved on meanwhile.
	after := *one
	left, err := r.compare(ctx, &after)
	if err != nil {
		return err
	}
	still := make(map[fiscal.RegisterID]bool, len(left))
	for i := range left {
		still[left[i].Register] = true
	}
	for i := range found {
		if !still[found[i].Register] {
			found[i].Settled = true
			one.Open--
		}
	}
	return nil
}

// caughtUp is nil once all documents that came before the day was over are
// summed up and forwarded: until then a difference means nothing.
func (r *Reconciler) caughtUp(ctx context.Context, day fiscal.WallTime) error {
	over := (day + oneDay).Instant(r.cfg.Zone).Add(r.cfg.After)
	for _, id := range []follow.ID{r.cfg.Tables, r.delivery.ID()} {
		s, err := follow.Stands(ctx, r.store, id)
		if err != nil {
			return err
		}
		if !s.Oldest.IsZero() && s.Oldest.Before(over) {
			return &fiscal.Error{Of: fiscal.Unavailable, Field: "delivery", Msg: fmt.Sprintf("%s has %d entries to go, the oldest of %s", id.Name, s.Entries, s.Oldest.Format(time.DateTime))}
		}
	}
	return nil
}

// maxCounted bounds how many registers an authority may count on a day.
const maxCounted = 2_000_000

// theirs reads all that the authority counts of a day. Registers have to come in
// ascending order: an authority that repeats itself is not believed.
func (r *Reconciler) theirs(ctx context.Context, day fiscal.WallTime) (map[fiscal.RegisterID]Count, error) {
	all := make(map[fiscal.RegisterID]Count)
	last := fiscal.RegisterID(0)
	for after := ""; ; {
		page, next, err := r.page(ctx, day, after)
		if err != nil {
			return nil, fmt.Errorf("ask %s for its counts of %s: %w", r.cfg.Authority, dayText(day), err)
		}
		for i := range page {
			c := &page[i]
			if c.Register <= last {
				return nil, &fiscal.Error{Of: fiscal.Unavailable, Field: "counts", Msg: fmt.Sprintf("%s contradicts itself: register %d comes after %d", r.cfg.Authority, c.Register, last)}
			}
			last = c.Register
			all[c.Register] = *c
		}
		switch {
		case next == "":
			return all, nil
		case len(page) == 0 || next == after:
			return nil, &fiscal.Error{Of: fiscal.Unavailable, Field: "counts", Msg: fmt.Sprintf("%s has no more counts and says that it has", r.cfg.Authority)}
		case len(all) > maxCounted:
			return nil, &fiscal.Error{Of: fiscal.Unavailable, Field: "counts", Msg: fmt.Sprintf("%s counts more than %d registers", r.cfg.Authority, maxCounted)}
		}
		after = next
	}
}

// pageTries is how often a page of counts is asked for behind the first one.
const pageTries = 4

// page asks for a page of counts. One that fails is asked for again, for it is
// one of thousands and would spoil all; but not the first: an authority that is
// down is left alone.
func (r *Reconciler) page(ctx context.Context, day fiscal.WallTime, after string) (page []Count, next string, err error) {
	for try := 1; ; try++ {
		page, next, err = r.counts.Counts(ctx, day, after, MaxSummaries)
		if err == nil || after == "" || try == pageTries || !errors.Is(err, fiscal.Unavailable) {
			return page, next, err
		}
		wait := time.NewTimer(time.Duration(try) * time.Second)
		select {
		case <-ctx.Done():
			wait.Stop()
			return nil, "", ctx.Err()
		case <-wait.C:
		}
	}
}

// compare finds the registers of which the two sides have different words, by
// register.
func (r *Reconciler) compare(ctx context.Context, one *Reconciliation) (found []Difference, err error) {
	theirs, err := r.theirs(ctx, one.Day)
	if err != nil {
		return nil, err
	}
	heads, err := r.store.Heads(ctx)
	if err != nil {
		return nil, err
	}
	one.Registers, one.Documents = 0, 0
	s := Summaries{cfg: r.cfg, store: r.store, cards: make(map[cardID]fiscal.Card)}
	for p := range heads {
		for after := fiscal.RegisterID(0); ; {
			page, err := r.store.ChangedSummaries(ctx, DayPart{one.Day, p, 0}, after, MaxSummaries)
			if err != nil {
				return nil, err
			}
			if len(page) == 0 {
				break
			}
			after = page[len(page)-1].Register
			for i := range page {
				ours, mine, err := s.known(ctx, page[i])
				if err != nil {
					return nil, err
				}
				if !mine {
					continue
				}
				one.Registers++
				one.Documents += ours.Documents
				c, there := theirs[ours.Register]
				delete(theirs, ours.Register)
				if d, differ := differ(&ours, &c, there); differ {
					found = append(found, d)
				}
			}
		}
	}
	for _, c := range theirs {
		if c.Documents == 0 && c.Receipts == [fiscal.OpSettlements]fiscal.Tally{} {
			continue // of a day without documents both say the same
		}
		one.Registers++
		found = append(found, Difference{Register: c.Register, Kind: MissingHere, Theirs: sideOf(c.Documents, c.Receipts, c.Last, c.Hash)})
	}
	slices.SortFunc(found, func(a, b Difference) int { return int(a.Register - b.Register) })
	return found, nil
}

func sideOf(documents int64, receipts [fiscal.OpSettlements]fiscal.Tally, last fiscal.Number, hash [32]byte) Side {
	return Side{Documents: documents, Receipts: receipts, Last: last, Hash: fmt.Sprintf("%x", hash)}
}

// differ compares one register's day.
func differ(ours *Summary, c *Count, there bool) (d Difference, differ bool) {
	d = Difference{Register: ours.Register, Ours: sideOf(ours.Documents, ours.Receipts, ours.Last.Number, ours.Hash)}
	if !there || c.Documents == 0 && ours.Documents > 0 {
		d.Kind = MissingThere
		return d, ours.Documents > 0
	}
	d.Theirs = sideOf(c.Documents, c.Receipts, c.Last, c.Hash)
	d.Kind = CountDiffers
	if c.Documents != ours.Documents {
		return d, true
	}
	for i := range c.Receipts {
		if c.Receipts[i].Count != ours.Receipts[i].Count {
			return d, true
		}
	}
	if c.Receipts != ours.Receipts {
		d.Kind = SumDiffers
		return d, true
	}
	d.Kind = HashDiffers
	return d, c.Last != ours.Last.Number || c.Hash != ours.Hash
}

// again sends the documents of a register's day once more, those that the
// authority has already included: it takes each of them once.
func (r *Reconciler) again(ctx context.Context, one *Reconciliation, d *Difference) error {
	if d.Kind == MissingHere {
		d.Detail = "nothing of ours to send"
		return nil
	}
	l, err := r.registerOf(ctx, d.Register)
	if err != nil {
		return err
	}
	sent, refused, err := r.delivery.SendDay(ctx, l, one.Day)
	d.Resent = sent
	one.Resent += sent
	if err != nil {
		return fmt.Errorf("send the documents of register %d of %s again: %w", d.Register, dayText(one.Day), err)
	}
	if len(refused) > 0 {
		d.Detail = brief(fmt.Sprintf("%d documents are refused: %s: %s", len(refused), refused[0].ID, refused[0].Why))
	}
	return nil
}

// registerOf is where a register lives.
func (r *Reconciler) registerOf(ctx context.Context, id fiscal.RegisterID) (fiscal.Place, error) {
	all, err := r.store.Registers(ctx, 0, id-1, 1)
	if err == nil && (len(all) == 0 || all[0].Card.Register != id) {
		err = &fiscal.Error{Reason: fiscal.NothingThere, Field: "register", Msg: registerText(id)}
	}
	if err != nil {
		return fiscal.Place{}, err
	}
	return fiscal.Place{Partition: all[0].Partition, Register: id}, nil
}
