package main

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"openofd/internal/authority/marking"
	"openofd/internal/fiscal"
	"openofd/internal/gate"
)

// demoPast is what the shops of the demo did before it began: their registers
// work through it day by day on a clock of its own, through the same intake,
// rules and journal as ever. The same seed makes the same past.
type demoPast struct {
	core     *core
	marking  gate.MarkingSystem
	site     string
	days     int // that are made, today with them
	until    time.Time
	seed     uint64
	progress func(done, days, documents int)

	now  atomic.Int64 // what the operator's clock shows, unix microseconds
	lots []*pastLot
}

// pastSeed makes the past that everybody sees.
const pastSeed = 20260314

// pastSeller is a register of either country on the past's clock.
type pastSeller interface {
	// begin registers it and makes the first contact.
	begin(ctx context.Context) error
	morning(ctx context.Context) error
	customer(ctx context.Context) error
	evening(ctx context.Context) error
	// deliver sends what waits.
	deliver(ctx context.Context) error
	// keep puts what the device remembers where the demo finds it.
	keep(dir string) error
	register() fiscal.RegisterID
}

// pastLot is one register's share of the past.
type pastLot struct {
	seller pastSeller
	link   *pastLink
	life   demoLife
	zone   *time.Location
	rand   *rand.Rand
	at     time.Time // its clock
	next   time.Time // midnight of the day that is made next
	events []pastEvent
	open   bool // between morning and evening
	made   int
}

func (l *pastLot) clock() time.Time { return l.at }

// clock is the operator's: the beginning of the watch that is made, so that no
// document comes from before it.
func (p *demoPast) clock() time.Time { return time.UnixMicro(p.now.Load()).UTC() }

// pastUnfinished stands in the folder while the past is being made.
const pastUnfinished = "demo-unfinished"

// make makes the past in an installation that has no registers yet, and the
// people who look at it. It reports how many documents there are; 0 is that there
// was a past already.
func (p *demoPast) make(ctx context.Context, start coreConfig, kazakhstan []demoShop, russia []russianShop) (documents int, err error) {
	mark := filepath.Join(start.Dir, pastUnfinished)
	if _, err := os.Stat(mark); err == nil {
		return 0, withHint(fmt.Errorf("the sample data in %s were not finished", start.Dir), "Remove the folder, or give --data another one")
	} else if !errors.Is(err, fs.ErrNotExist) {
		return 0, err
	}
	from := p.until.AddDate(0, 0, 1-p.days).Truncate(24 * time.Hour)
	p.now.Store(from.UnixMicro())
	start.Now = p.clock
	if p.core, err = startCore(ctx, start); err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, p.core.stop()) }()
	switch had, err := p.core.registry.Registers(ctx, 0, 0, 1); {
	case err != nil:
		return 0, err
	case len(had) > 0:
		return 0, nil
	}
	if err := os.WriteFile(mark, nil, 0o600); err != nil {
		return 0, err
	}
	if p.core.module != nil {
		p.marking = marking.New(p.core.module, nil, p.clock)
	}
	if err := p.settle(ctx, from, kazakhstan, russia); err != nil {
		return 0, err
	}
	if err := letIn(ctx, p.core); err != nil {
		return 0, err
	}
	if err := p.live(ctx, from); err != nil {
		return 0, err
	}
	for _, l := range p.lots {
		documents += l.made
		if err := l.seller.keep(start.Dir); err != nil {
			return documents, fmt.Errorf("keep what register %d remembers: %w", l.seller.register(), err)
		}
	}
	return documents, os.Remove(mark)
}

// settle registers every register.
func (p *demoPast) settle(ctx context.Context, from time.Time, kazakhstan []demoShop, russia []russianShop) error {
	begin := func(serial, zone string, life demoLife, seller func(*pastLot) (pastSeller, error)) error {
		h := fnv.New64a()
		h.Write([]byte(serial))
		l := &pastLot{life: life, rand: rand.New(rand.NewPCG(p.seed, h.Sum64())), at: from}
		l.link = &pastLink{ctx: context.WithoutCancel(ctx), core: p.core, marking: p.marking, now: l.clock}
		var err error
		if l.zone, err = time.LoadLocation(zone); err == nil {
			l.seller, err = seller(l)
		}
		if err == nil {
			err = l.seller.begin(ctx)
		}
		if err != nil {
			return fmt.Errorf("register %s of the past: %w", serial, err)
		}
		year, month, day := from.In(l.zone).Date()
		l.next = time.Date(year, month, day, 0, 0, 0, 0, l.zone)
		p.lots = append(p.lots, l)
		return nil
	}
	for _, shop := range kazakhstan {
		if err := begin(shop.register.SerialNumber, shop.register.Zone, shop.life, func(l *pastLot) (pastSeller, error) { return p.kazakh(ctx, l, shop) }); err != nil {
			return err
		}
	}
	for _, shop := range russia {
		if err := begin(shop.register.SerialNumber, shop.register.Zone, shop.life, func(l *pastLot) (pastSeller, error) { return p.russian(ctx, l, shop) }); err != nil {
			return err
		}
	}
	return nil
}

// pastWatch is for how long registers go their ways side by side before they
// wait for each other. The longer, the larger are the journal's batches; a month
// begins with one.
const pastWatch = 3 * time.Hour

// live lets all registers live side by side, watch by watch: none is a watch
// ahead of another.
func (p *demoPast) live(ctx context.Context, from time.Time) error {
	day := 0
	for begin := from; begin.Before(p.until); begin = begin.Add(pastWatch) {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		end := begin.Add(pastWatch)
		if end.After(p.until) {
			end = p.until
		}
		p.now.Store(begin.UnixMicro())
		failed := make([]error, len(p.lots))
		var all sync.WaitGroup
		for i, l := range p.lots {
			if !l.busy(end, p.until) {
				continue
			}
			all.Go(func() { failed[i] = p.watch(ctx, l, end) })
		}
		all.Wait()
		if err := errors.Join(failed...); err != nil {
			return err
		}
		if today := int(end.Sub(from) / (24 * time.Hour)); today > day {
			day = today
			p.tell(day)
		}
	}
	return nil
}

func (p *demoPast) tell(day int) {
	if p.progress == nil {
		return
	}
	documents := 0
	for _, l := range p.lots {
		documents += l.made
	}
	p.progress(day, p.days, documents)
}

// busy reports whether something happens before a watch ends, and makes the next
// day's events where none are left.
func (l *pastLot) busy(end, until time.Time) bool {
	for len(l.events) == 0 && l.next.Before(end) {
		y, m, d := until.In(l.zone).Date()
		back := int(time.Date(y, m, d, 12, 0, 0, 0, l.zone).Sub(l.next) / (24 * time.Hour))
		l.events = l.life.day(l.next, back, l.rand)
		l.next = l.next.AddDate(0, 0, 1)
	}
	return len(l.events) > 0 && l.events[0].at.Before(end)
}

// watch does what happens at a register before a watch ends.
func (p *demoPast) watch(ctx context.Context, l *pastLot, end time.Time) error {
	for len(l.events) > 0 && l.events[0].at.Before(end) {
		e := l.events[0]
		l.events = l.events[1:]
		if e.at.After(l.at) {
			l.at = e.at
		}
		if err := p.happen(ctx, l, e.deed); err != nil {
			return fmt.Errorf("register %d on %s: %w", l.seller.register(), l.at.In(l.zone).Format(time.DateTime), err)
		}
	}
	return nil
}

func (p *demoPast) happen(ctx context.Context, l *pastLot, deed pastDeed) error {
	switch deed {
	case deedOpen:
		l.open = true
		l.made++
		return l.seller.morning(ctx)
	case deedCustomer:
		if !l.open { // the past begins in the middle of a day
			return nil
		}
		l.made++
		return l.seller.customer(ctx)
	case deedClose:
		if !l.open {
			return nil
		}
		l.open = false
		l.made++
		return l.seller.evening(ctx)
	case deedCut:
		l.link.cut = true
	case deedMend:
		l.link.cut = false
		return l.seller.deliver(ctx)
	case deedBlock:
		return p.core.registry.Block(ctx, l.seller.register(), "demo", demoBlockText)
	}
	return nil
}

// demoBlockText is what the blocked register shows.
const demoBlockText = "Касса не на своём месте. Обратитесь к оператору: +7 7172 00 00 00"
