package cabinet

import (
	"context"
	"fmt"
	"sync"

	"openofd/internal/fiscal"
	"openofd/internal/journal"
)

// DaySummary is a summary in its place.
type DaySummary struct {
	fiscal.DaySummary
	Partition fiscal.Partition
	Seq       journal.Seq // of the entry that is its Version
}

func (d *DaySummary) of() fiscal.DayOf { return fiscal.DayOf{Register: d.Register, Day: d.Day} }

// maxLatest bounds how many registers' latest days are remembered.
const maxLatest = 1 << 14

// latest remembers the day that each register was on when an entry had been
// followed. That is a function of the register's entries up to there, so what is
// remembered fits whoever reads the next entry and nobody else.
type latest struct {
	mu  sync.Mutex
	all map[fiscal.RegisterID]stood // guarded by mu
}

type stood struct {
	after fiscal.Number // the last entry followed
	day   *DaySummary   // nil: no document yet; not written to
}

// before is the latest day before entry n of a register.
func (l *latest) before(r fiscal.RegisterID, n fiscal.Number) (day *DaySummary, ok bool) {
	if n == 1 {
		return nil, true
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	s, ok := l.all[r]
	return s.day, ok && s.after == n-1
}

func (l *latest) keep(r fiscal.RegisterID, s stood) {
	if _, had := l.all[r]; !had && len(l.all) >= maxLatest {
		for other := range l.all { // any of them
			delete(l.all, other)
			break
		}
	}
	l.all[r] = s
}

// book counts the documents of a page by register and day.
type book struct {
	partition fiscal.Partition
	days      map[fiscal.DayOf]*DaySummary        // nil: none is stored
	last      map[fiscal.RegisterID]stood         // as far as the page was counted
	began     map[fiscal.RegisterID]fiscal.Number // first entry in the page
	changed   []*DaySummary
	touched   map[*DaySummary]bool
	moved     map[fiscal.RegisterID]bool // to another day
}

// openBook reads what is stored of the days that a page is about. was are the
// documents that its cancellations name, by the place of the cancellation.
func (f *Follower) openBook(ctx context.Context, p fiscal.Partition, page []journal.Entry, was map[int]*journal.Entry) (*book, error) {
	b := &book{
		partition: p, days: make(map[fiscal.DayOf]*DaySummary), last: make(map[fiscal.RegisterID]stood), began: make(map[fiscal.RegisterID]fiscal.Number),
		touched: make(map[*DaySummary]bool), moved: make(map[fiscal.RegisterID]bool),
	}
	var asked []fiscal.DayOf
	for i := range page { // the latest days first: they are often all
		e := &page[i]
		if _, seen := b.began[e.Register]; seen {
			continue
		}
		b.began[e.Register] = e.Number
		day, ok := f.latest.before(e.Register, e.Number)
		if !ok {
			asked = append(asked, fiscal.DayOf{Register: e.Register, Day: 0})
			continue
		}
		b.last[e.Register] = stood{e.Number - 1, day}
		if day != nil {
			own := *day
			own.DaySummary = day.Clone()
			b.days[own.of()] = &own
			b.last[e.Register] = stood{e.Number - 1, &own}
		}
	}
	ask := func(e *journal.Entry) {
		id := fiscal.DayOf{Register: e.Register, Day: e.DeviceTime.Day()}
		if _, had := b.days[id]; !had && dated(e) && b.began[e.Register] != 1 {
			b.days[id] = nil
			asked = append(asked, id)
		}
	}
	for i := range page {
		ask(&page[i])
		if e := was[i]; e != nil {
			ask(e)
		}
	}
	if len(asked) == 0 {
		return b, nil
	}
	stored, err := f.tables.DaySummaries(ctx, p, asked)
	if err != nil {
		return nil, fmt.Errorf("read summaries of days: %w", err)
	}
	for i := range stored {
		d := &DaySummary{DaySummary: stored[i], Partition: p}
		b.days[d.of()] = d
	}
	for _, id := range asked {
		if id.Day == 0 {
			b.last[id.Register] = stood{after: b.began[id.Register] - 1}
		}
	}
	for _, d := range b.days { // the latest is the one with the highest document
		if d == nil {
			continue
		}
		if s := b.last[d.Register]; s.day == nil || d.Last.Number > s.day.Last.Number {
			b.last[d.Register] = stood{s.after, d}
		}
	}
	return b, nil
}

// dated reports whether an entry is a document of a day.
func dated(e *journal.Entry) bool { return listed(e.Kind) && e.DeviceTime != 0 }

// count takes an entry in. doc is the entry opened, with its content if it has
// any that can be read; was is what a cancellation takes back, nil if nothing.
func (b *book) count(e *journal.Entry, doc, was *fiscal.Document) {
	s := b.last[e.Register]
	s.after = e.Number
	if dated(e) {
		drawer := fiscal.Money(0)
		if s.day != nil {
			drawer = s.day.Drawer
		}
		d := b.day(fiscal.DayOf{Register: e.Register, Day: e.DeviceTime.Day()}, s.day, drawer)
		if was != nil && was.DeviceTime != 0 {
			drawer -= was.DrawerMoved()
			if other := b.days[fiscal.DayOf{Register: e.Register, Day: was.DeviceTime.Day()}]; other != nil {
				other.TakeBack(was, e.Number)
				b.touch(other, e.Seq)
			}
		}
		d.Count(doc, e.Hash)
		d.Drawer = drawer + e.DrawerMoved()
		b.touch(d, e.Seq)
		if s.day != d {
			b.moved[e.Register] = true
		}
		s.day = d
	}
	b.last[e.Register] = s
}

// day is a day in the book. A new one begins with what is in the drawer.
func (b *book) day(id fiscal.DayOf, before *DaySummary, drawer fiscal.Money) *DaySummary {
	if d := b.days[id]; d != nil {
		return d
	}
	d := &DaySummary{Partition: b.partition, DaySummary: fiscal.DaySummary{Day: id.Day, Register: id.Register, Opening: drawer}}
	if before != nil {
		d.Before = before.Day
	}
	b.days[id] = d
	return d
}

func (b *book) touch(d *DaySummary, seq journal.Seq) {
	d.Seq = seq
	if !b.touched[d] {
		b.touched[d] = true
		b.changed = append(b.changed, d)
	}
}

// fill gives the page what was counted.
func (b *book) fill(p *Page) {
	for _, d := range b.changed {
		p.Summaries = append(p.Summaries, *d)
	}
	for r := range b.moved {
		p.Latest = append(p.Latest, b.last[r].day.of())
	}
}

// remember keeps where the registers stand. Only once the page is stored: what
// was counted upon rows that somebody else had moved on is no truth.
func (l *latest) remember(b *book) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for r, s := range b.last {
		l.keep(r, s)
	}
}
