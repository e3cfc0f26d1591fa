package delivery

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"openofd/internal/fiscal"
	"openofd/internal/follow"
	"openofd/internal/journal"
	"openofd/internal/registry"
)

// DayPart is a day in a partition: how far its summaries go.
type DayPart struct {
	Day       fiscal.WallTime
	Partition fiscal.Partition
	Seq       journal.Seq // of the last entry that changed one of them
}

// WholeDay in the place of a partition marks a day of which every register was
// told, those without documents too.
const WholeDay fiscal.Partition = -1

// SummaryStore is what sending summaries asks of an engine.
type SummaryStore interface {
	follow.Store
	SentStore
	// DaySummaries reads those of a partition that are there, in any order.
	DaySummaries(ctx context.Context, p fiscal.Partition, of []fiscal.DayOf) ([]fiscal.DaySummary, error)
	// SummaryDays are the days of which there are summaries.
	SummaryDays(ctx context.Context) ([]DayPart, error)
	// ChangedSummaries reads summaries of a day that an entry behind seq has
	// changed, by register, ascending, behind one.
	ChangedSummaries(ctx context.Context, day DayPart, after fiscal.RegisterID, limit int) ([]fiscal.DaySummary, error)
	// SentDays is how far an authority has the summaries of each day.
	SentDays(ctx context.Context, authority string) ([]DayPart, error)
	// KeepSentDays notes more of them. None goes back.
	KeepSentDays(ctx context.Context, authority string, days []DayPart) error
	// Registers lists from after (exclusive) by ID; t is 0 for all taxpayers.
	Registers(ctx context.Context, t fiscal.TaxpayerID, after fiscal.RegisterID, limit int) ([]registry.Listed, error)
	// Card reads one version of a register's card.
	Card(ctx context.Context, r fiscal.RegisterID, version uint32) (fiscal.Card, error)
}

// DayConfig says whose days are told to whom, and when a day is over.
type DayConfig struct {
	Authority string
	Country   fiscal.Country
	Tables    follow.ID      // the follower that makes the summaries
	Zone      *time.Location // in which the country's last clock shows midnight
	// After midnight a day is over: documents of its last minutes have come. 0
	// means half an hour.
	After time.Duration
}

func (c DayConfig) filled() DayConfig {
	c.After = cmp.Or(max(c.After, 0), 30*time.Minute)
	return c
}

// oneDay is a day of a register's clock.
const oneDay = 24 * 60 * 60

// over is the last day that is over at a moment, and when it was.
func (c *DayConfig) over(now time.Time) (day fiscal.WallTime, since time.Time) {
	midnight := fiscal.WallIn(now.Add(-c.After), c.Zone).Day()
	return midnight - oneDay, midnight.Instant(c.Zone).Add(c.After)
}

// maxDaysBack is how many days without a word are told of afterwards, registers
// without documents included.
const maxDaysBack = 31

// Summaries tells an authority each evening what every register came to on the
// day, and again whenever documents that come late change an earlier day. How
// far it got is kept with the installation: after a death a day is begun anew,
// and the other end takes a summary once. One round at a time.
type Summaries struct {
	cfg    DayConfig
	store  SummaryStore
	sender SummarySender
	log    *slog.Logger
	now    func() time.Time
	cards  map[cardID]fiscal.Card
	broke  *walk // off in the last round; nil: none
}

// walk is how far the registers of a day were told of, so that a round that
// broke off is gone on with: of many pages to an authority that fails now and
// then, all have to go, and not all at once.
type walk struct {
	of    DayPart     // up to which entry; WholeDay: of all registers
	had   journal.Seq // behind which entry
	days  []DayPart   // what stands when it has come to its end
	after fiscal.RegisterID
}

// walk begins one, or goes on with the same one.
func (s *Summaries) walk(of DayPart, had journal.Seq, days ...DayPart) *walk {
	if w := s.broke; w == nil || w.of.Day != of.Day || w.of.Partition != of.Partition || w.had != had {
		s.broke = &walk{of: of, had: had, days: days}
	}
	return s.broke
}

// ended notes that a walk has come to its end.
func (s *Summaries) ended(ctx context.Context, w *walk) error {
	err := s.store.KeepSentDays(ctx, s.cfg.Authority, w.days)
	if err == nil {
		s.broke = nil
	}
	return err
}

type cardID struct {
	register fiscal.RegisterID
	version  uint32
}

// NewSummaries makes the sender. It does no I/O.
func NewSummaries(cfg DayConfig, store SummaryStore, sender SummarySender, log *slog.Logger, now func() time.Time) *Summaries {
	return &Summaries{cfg: cfg.filled(), store: store, sender: sender, log: log.With("authority", cfg.Authority), now: now, cards: make(map[cardID]fiscal.Card)}
}

// Round sends whatever is due and not sent, and returns how many summaries the
// authority took. An error leaves the rest to the next round.
func (s *Summaries) Round(ctx context.Context) (sent int, err error) {
	last, since := s.cfg.over(s.now())
	stands, err := follow.Stands(ctx, s.store, s.cfg.Tables)
	if err != nil {
		return 0, err
	}
	if !stands.Oldest.IsZero() && stands.Oldest.Before(since) {
		return 0, &fiscal.Error{Of: fiscal.Unavailable, Field: "summaries", Msg: fmt.Sprintf("%d entries are not in the summaries yet", stands.Entries)}
	}
	days, err := s.store.SummaryDays(ctx)
	if err != nil {
		return 0, err
	}
	sentDays, err := s.store.SentDays(ctx, s.cfg.Authority)
	if err != nil {
		return 0, err
	}
	at := make(map[DayPart]journal.Seq)
	for _, d := range sentDays {
		at[DayPart{Day: d.Day, Partition: d.Partition}] = d.Seq
	}
	whole := lastWhole(sentDays, last)
	for day := whole + oneDay; day <= last; day += oneDay {
		n, told, err := s.wholeDay(ctx, day, days)
		if sent += n; err != nil {
			return sent, err
		}
		for _, d := range told {
			at[DayPart{Day: d.Day, Partition: d.Partition}] = d.Seq
		}
	}
	slices.SortFunc(days, func(a, b DayPart) int {
		return cmp.Or(cmp.Compare(a.Day, b.Day), cmp.Compare(a.Partition, b.Partition))
	})
	for _, d := range days {
		had := at[DayPart{Day: d.Day, Partition: d.Partition}]
		if d.Day > last || d.Seq <= had {
			continue
		}
		n, err := s.changed(ctx, d, had)
		if sent += n; err != nil {
			return sent, err
		}
	}
	return sent, nil
}

// lastWhole is the last day of which every register was told. An authority that
// was never told of one begins with the last day that is over; a longer silence
// is made good as far as maxDaysBack.
func lastWhole(sent []DayPart, last fiscal.WallTime) fiscal.WallTime {
	whole := fiscal.WallTime(0)
	for _, d := range sent {
		if d.Partition == WholeDay {
			whole = max(whole, d.Day)
		}
	}
	if whole == 0 {
		return last - oneDay
	}
	return max(whole, last-maxDaysBack*oneDay)
}

// wholeDay tells of a day of every register, those without documents too, and
// gives the parts of it that were told of.
func (s *Summaries) wholeDay(ctx context.Context, day fiscal.WallTime, days []DayPart) (sent int, told []DayPart, err error) {
	whole := DayPart{Day: day, Partition: WholeDay}
	told = []DayPart{whole}
	for _, d := range days { // as they were before the walk: what came since comes again
		if d.Day == day {
			told = append(told, d)
		}
	}
	w := s.walk(whole, 0, told...)
	for {
		page, err := s.store.Registers(ctx, 0, w.after, MaxSummaries)
		if err != nil {
			return sent, nil, err
		}
		if len(page) == 0 {
			return sent, w.days, s.ended(ctx, w)
		}
		all, err := s.ofRegisters(ctx, day, page)
		if err != nil {
			return sent, nil, err
		}
		if _, err := s.send(ctx, all); err != nil {
			return sent, nil, err
		}
		sent += len(all)
		w.after = page[len(page)-1].Card.Register
	}
}

// ofRegisters makes the summaries of a page of registers.
func (s *Summaries) ofRegisters(ctx context.Context, day fiscal.WallTime, page []registry.Listed) (all []Summary, err error) {
	asked := make(map[fiscal.Partition][]fiscal.DayOf)
	for i := range page {
		if page[i].Card.Country == s.cfg.Country {
			asked[page[i].Partition] = append(asked[page[i].Partition], fiscal.DayOf{Register: page[i].Card.Register, Day: day})
		}
	}
	found := make(map[fiscal.RegisterID]fiscal.DaySummary)
	for p, of := range asked {
		some, err := s.store.DaySummaries(ctx, p, of)
		if err != nil {
			return nil, err
		}
		for i := range some {
			found[some[i].Register] = some[i]
		}
	}
	for i := range page {
		l := &page[i]
		if l.Card.Country != s.cfg.Country {
			continue
		}
		d, there := found[l.Card.Register]
		if there {
			one, _, err := s.known(ctx, d)
			if err != nil {
				return nil, err
			}
			all = append(all, one)
			continue
		}
		end := (day + oneDay).Instant(s.cfg.Zone)
		if l.State == nil || l.State.Status == fiscal.StatusDeregistered || l.Card.RegisteredAt.After(end) {
			continue // it was not there on that day
		}
		if d, err = s.empty(ctx, l, day); err != nil {
			return nil, err
		}
		all = append(all, Summary{d, l.Card.RegistrationNumber, l.Card.XIN})
	}
	return all, nil
}

// empty is a day without documents: nothing but what lay in the drawer.
func (s *Summaries) empty(ctx context.Context, l *registry.Listed, day fiscal.WallTime) (fiscal.DaySummary, error) {
	e := fiscal.DaySummary{Day: day, Register: l.Card.Register, Taxpayer: l.Card.Taxpayer, CardVersion: l.Card.Version}
	for of := (fiscal.DayOf{Register: l.Card.Register}); ; {
		some, err := s.store.DaySummaries(ctx, l.Partition, []fiscal.DayOf{of})
		if err != nil || len(some) == 0 {
			return e, err
		}
		d := &some[0]
		switch {
		case d.Day < day:
			e.Opening, e.Drawer = d.Drawer, d.Drawer
			return e, nil
		case d.Before == 0 || d.Before == of.Day:
			e.Opening, e.Drawer = d.Opening, d.Opening
			return e, nil
		}
		of.Day = d.Before
	}
}

// changed tells of the registers of a day that an entry behind had has changed.
func (s *Summaries) changed(ctx context.Context, d DayPart, had journal.Seq) (sent int, err error) {
	w := s.walk(d, had, d)
	for {
		page, err := s.store.ChangedSummaries(ctx, DayPart{d.Day, d.Partition, had}, w.after, MaxSummaries)
		if err != nil {
			return sent, err
		}
		if len(page) == 0 {
			return sent, s.ended(ctx, w)
		}
		var all []Summary
		for i := range page {
			one, ours, err := s.known(ctx, page[i])
			if err != nil {
				return sent, err
			}
			if ours {
				all = append(all, one)
			}
		}
		if _, err := s.send(ctx, all); err != nil {
			return sent, err
		}
		sent += len(all)
		w.after = page[len(page)-1].Register
	}
}

// known adds what the authority knows the register by; ours is false for one of
// another country.
func (s *Summaries) known(ctx context.Context, d fiscal.DaySummary) (one Summary, ours bool, err error) {
	id := cardID{d.Register, d.CardVersion}
	card, ok := s.cards[id]
	if !ok {
		if card, err = s.store.Card(ctx, d.Register, d.CardVersion); err != nil {
			return one, false, fmt.Errorf("read card %d of register %d: %w", d.CardVersion, d.Register, err)
		}
		if len(s.cards) >= maxCards {
			clear(s.cards)
		}
		s.cards[id] = card
	}
	return Summary{d, card.RegistrationNumber, card.XIN}, card.Country == s.cfg.Country, nil
}

// maxCards bounds how many cards are remembered.
const maxCards = 4096
