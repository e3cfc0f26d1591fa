package cabinet

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"openofd/internal/fiscal"
	"openofd/internal/journal"
)

// Shelf is what questions ask of an engine. Every read is about one taxpayer;
// on an engine with row security that is all it can see.
type Shelf interface {
	// Documents reads documents as a Scan says, newest first.
	Documents(ctx context.Context, t fiscal.TaxpayerID, s Scan) ([]Document, error)
	// Floor is the place of the n-th document that a Scan walks over, whether it
	// lets it through or not; nil if it ends before. It heeds the first of Keys or,
	// without, Register or the one of Outlets, and From, Until and Before.
	Floor(ctx context.Context, t fiscal.TaxpayerID, s Scan, n int) (*Place, error)
	// Sums counts documents between Least and Most of a Scan, up to n.
	Sums(ctx context.Context, t fiscal.TaxpayerID, s Scan, n int) (int, error)
	// Sold sums the totals of sales that stand. Of a Scan it heeds From, Until and
	// Outlets.
	Sold(ctx context.Context, t fiscal.TaxpayerID, s Scan) (fiscal.Money, error)
	// Shifts reads shifts, the last opened first. Of a Scan it heeds times, which
	// are of the opening, Outlets, Register, Shift, Before (time of the opening,
	// and the register's ID as Seq) and Limit.
	Shifts(ctx context.Context, t fiscal.TaxpayerID, s Scan) ([]Shift, error)
	// Days reads the days from one on until another, both included.
	Days(ctx context.Context, t fiscal.TaxpayerID, from, until fiscal.WallTime) ([]Day, error)
	// Aways reads periods without a link, the last first. Of a Scan it heeds times,
	// which are of the beginning, Outlets, Register, Before (with the first entry
	// as Seq) and Limit.
	Aways(ctx context.Context, t fiscal.TaxpayerID, s Scan) ([]Away, error)
	// EntryOf reads one entry of a taxpayer's register; NotFound if there is none.
	EntryOf(ctx context.Context, t fiscal.TaxpayerID, r fiscal.RegisterID, n fiscal.Number) (journal.Entry, error)
	// CardOf reads one version of the card of a taxpayer's register; NotFound if
	// there is none.
	CardOf(ctx context.Context, t fiscal.TaxpayerID, r fiscal.RegisterID, version uint32) (fiscal.Card, error)
}

// Scan is one walk through a table in the order of time, newest first. The zero
// value of a field asks for nothing.
type Scan struct {
	Keys        []Key // by which it is found, the rarest first; none: by place
	From, Until fiscal.WallTime
	Kinds       []fiscal.DocumentKind
	Op          fiscal.Op
	Register    fiscal.RegisterID
	Shift       uint32
	Outlets     []fiscal.OutletID
	Least, Most *fiscal.Money // of the total
	Total       *fiscal.Money
	Goods       []string // each stands in a name
	Offline     bool
	Canceled    bool
	Findings    bool
	Before      *Place // behind this place
	Floor       *Place // no further than this place
	ByTotal     bool   // found by Least and Most, of which there are few, and sorted
	Limit       int
}

// Questions answer what people ask of their documents. Safe for concurrent use.
type Questions struct {
	shelf Shelf
	read  Read
	pace  pace

	mu    sync.Mutex
	cards map[cardID]fiscal.Card // that were read; a version never changes. Guarded by mu
}

// maxCards bounds how many versions of cards are remembered.
const maxCards = 4096

// NewQuestions makes them. It does no I/O.
func NewQuestions(shelf Shelf, read Read) *Questions {
	return &Questions{shelf: shelf, read: read, pace: usual, cards: make(map[cardID]fiscal.Card)}
}

// MaxPage is how many rows a page of a list has at most.
const MaxPage = 1000

// newestFirst merges what several scans found.
func newestFirst(all []Document) []Document {
	slices.SortFunc(all, func(a, b Document) int { return newer(a.Place(), b.Place()) })
	return slices.CompactFunc(all, func(a, b Document) bool { return a.Seq == b.Seq })
}

// Shifts lists shifts, the last opened first.
func (q *Questions) Shifts(ctx context.Context, s *Scope, f *Filter, before *Place, limit int) (all []Shift, more bool, err error) {
	limit = min(max(limit, 1), MaxPage)
	scan, err := f.plain(s)
	if err != nil || scan == nil {
		return nil, false, err
	}
	scan.Before, scan.Limit = before, limit+1
	if all, err = q.shelf.Shifts(ctx, s.taxpayer, *scan); err != nil {
		return nil, false, fmt.Errorf("list shifts: %w", err)
	}
	more = len(all) > limit
	return all[:min(len(all), limit)], more, nil
}

// Place is where a shift stands in lists.
func (s *Shift) Place() Place { return Place{s.Opened, journal.Seq(s.Register)} }

// Aways lists periods without a link, the last first.
func (q *Questions) Aways(ctx context.Context, s *Scope, f *Filter, before *Place, limit int) (all []Away, more bool, err error) {
	limit = min(max(limit, 1), MaxPage)
	scan, err := f.plain(s)
	if err != nil || scan == nil {
		return nil, false, err
	}
	scan.Before, scan.Limit = before, limit+1
	if all, err = q.shelf.Aways(ctx, s.taxpayer, *scan); err != nil {
		return nil, false, fmt.Errorf("list periods without a link: %w", err)
	}
	more = len(all) > limit
	return all[:min(len(all), limit)], more, nil
}

// Place is where a period stands in lists.
func (a *Away) Place() Place { return Place{a.From, journal.Seq(a.First)} }

// Today is what a day came to so far.
type Today struct {
	Day    fiscal.WallTime
	Total  Tally
	Before Tally // of the whole of the same day a week ago
	// SoldBefore is what was sold on that day until the same time; nil where there
	// was nothing, or too much to add up while somebody waits.
	SoldBefore *fiscal.Money
	Registers  int                 // that made a document on the day
	Silent     []fiscal.RegisterID // that made one in the week before, and none on the day
}

// maxCompared is how many documents are added up for a comparison at most.
const maxCompared = 100_000

// Today sums a day of the registers' clocks up to now.
func (q *Questions) Today(ctx context.Context, s *Scope, now fiscal.WallTime) (Today, error) {
	const week = 7
	t := Today{Day: now.Day()}
	if s.taxpayer == 0 {
		return t, errNobody
	}
	days, err := q.shelf.Days(ctx, s.taxpayer, t.Day-week*secondsOfDay, t.Day)
	if err != nil {
		return t, fmt.Errorf("sum up a day: %w", err)
	}
	seen, atWork := make(map[fiscal.RegisterID]bool), make(map[fiscal.RegisterID]bool)
	for i := range days {
		d := &days[i]
		if !s.sees(d.Outlet) {
			continue
		}
		seen[d.Register] = true
		switch d.Day {
		case t.Day:
			atWork[d.Register] = true
			t.Total.Add(&d.Tally)
		case t.Day - week*secondsOfDay:
			t.Before.Add(&d.Tally)
		}
	}
	t.Registers = len(atWork)
	for r := range seen {
		if !atWork[r] {
			t.Silent = append(t.Silent, r)
		}
	}
	slices.Sort(t.Silent)
	if n := t.Before.Documents; n == 0 || n > maxCompared {
		return t, nil
	}
	sold, err := q.shelf.Sold(ctx, s.taxpayer, Scan{From: t.Day - week*secondsOfDay, Until: now - week*secondsOfDay + 1, Outlets: s.outlets})
	if err != nil {
		return t, fmt.Errorf("sum up a day a week ago: %w", err)
	}
	t.SoldBefore = &sold
	return t, nil
}

// secondsOfDay is a day on a register's clock.
const secondsOfDay = 24 * 60 * 60

// Card reads a version of a register's card. NotFound if it is not within the
// scope.
func (q *Questions) Card(ctx context.Context, s *Scope, r fiscal.RegisterID, version uint32) (fiscal.Card, error) {
	if s.taxpayer == 0 {
		return fiscal.Card{}, errNobody
	}
	c, err := q.card(ctx, s, cardID{r, version})
	if err == nil && (c.Taxpayer != s.taxpayer || !s.sees(c.Outlet)) {
		err = &fiscal.Error{Reason: fiscal.NothingThere, Field: "register"}
	}
	return c, err
}

func (q *Questions) card(ctx context.Context, s *Scope, id cardID) (fiscal.Card, error) {
	q.mu.Lock()
	c, ok := q.cards[id]
	q.mu.Unlock()
	if ok {
		return c, nil
	}
	c, err := q.shelf.CardOf(ctx, s.taxpayer, id.register, id.version)
	if err != nil {
		return c, err
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.cards) >= maxCards {
		clear(q.cards)
	}
	q.cards[id] = c
	return c, nil
}

// Open reads one document of a register. NotFound if there is none within the
// scope; Corrupt if it cannot be opened.
func (q *Questions) Open(ctx context.Context, s *Scope, r fiscal.RegisterID, n fiscal.Number) (*Found, error) {
	if s.taxpayer == 0 {
		return nil, errNobody
	}
	e, err := q.shelf.EntryOf(ctx, s.taxpayer, r, n)
	if err != nil {
		return nil, err
	}
	if e.Taxpayer != s.taxpayer || !listed(e.Kind) {
		return nil, &fiscal.Error{Reason: fiscal.NothingThere, Field: "document"}
	}
	found := &Found{}
	if found.Card, err = q.Card(ctx, s, r, e.CardVersion); err != nil {
		return nil, err
	}
	if found.Document, err = q.read(e.Record); err != nil {
		return nil, &fiscal.Error{Of: fiscal.Corrupt, Msg: fmt.Sprintf("open entry %d of register %d", n, r), Err: err}
	}
	if e.Kind == fiscal.DocReceipt && !found.Russian() {
		found.Canceled, err = cancellation(&e, func(next fiscal.Number) (journal.Entry, error) {
			return q.shelf.EntryOf(ctx, s.taxpayer, r, next)
		})
	}
	return found, err
}

var errNobody = &fiscal.Error{Of: fiscal.Denied, Field: "organization", Msg: "nobody asks"}
