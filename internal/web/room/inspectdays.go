package room

import (
	"cmp"
	"context"
	"encoding/hex"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"time"

	"openofd/internal/access"
	"openofd/internal/cabinet"
	"openofd/internal/delivery"
	"openofd/internal/fiscal"
	"openofd/internal/registry"
	"openofd/internal/web/ui"
)

// inspectedDay is what a register came to on a day, with its summary.
type inspectedDay struct {
	cabinet.Day
	Summary *fiscal.DaySummary     // as it is now; nil: the tables have none
	Sent    []delivery.SentSummary // what of it was handed over, the highest version first
}

type dayRow = row[inspectedDay]

// Place is where a day stands in lists.
func (d *inspectedDay) Place() cabinet.Place { return d.Day.Place() }

// reported reports whether summaries of a register go to its authority.
func reported(c *fiscal.Card) bool { return c.Country != fiscal.Russia }

// summaryState words how the summary of a day stands with the authority.
func summaryState(l *ui.Locale, c *fiscal.Card, now *fiscal.DaySummary, sent []delivery.SentSummary) string {
	version := fiscal.Number(0)
	if now != nil {
		version = now.Version
	}
	n := int(version)
	switch {
	case !reported(c):
		return l.T("inspect.summary.none")
	case len(sent) == 0:
		return l.T("inspect.summary.waits", "n", n)
	case sent[0].Refused != "":
		return l.T("inspect.summary.refused", "n", int(sent[0].Version))
	case sent[0].Version < version:
		return l.T("inspect.summary.changed", "n", n, "had", int(sent[0].Version))
	}
	if sent[0].Version == 0 {
		return l.T("inspect.summary.empty")
	}
	return l.T("inspect.summary.taken", "n", int(sent[0].Version))
}

// daysOf lists what registers came to by day. Each leads to its summary.
func (h *Handler) daysOf() listing[inspectedDay] {
	sum := func(key string, of func(*cabinet.Day) fiscal.Money) column[inspectedDay] {
		return column[inspectedDay]{key, false, func(d *dayRow) any { return of(&d.it.Day) }}
	}
	ofSummary := func(key string, of func(*fiscal.DaySummary) any) column[inspectedDay] {
		return column[inspectedDay]{key, false, func(d *dayRow) any {
			if d.it.Summary == nil {
				return ""
			}
			return of(d.it.Summary)
		}}
	}
	return listing[inspectedDay]{
		name: "days", section: "days", right: access.SeeRevenue, filters: []string{paramFrom, paramUntil, paramOutlet, paramRegister},
		columns: []column[inspectedDay]{
			{"inspect.day", true, func(d *dayRow) any { return dayOf(d.it.Day.Day) }},
			{"column.register", false, func(d *dayRow) any {
				return cmp.Or(registerName(&d.card), strconv.FormatInt(int64(d.it.Register), 10))
			}},
			{"column.documents", false, func(d *dayRow) any { return d.it.Documents }},
			{"column.receipts", false, func(d *dayRow) any { return d.it.Receipts() }},
			sum("column.sales", func(d *cabinet.Day) fiscal.Money { return d.Sums[0] }),
			sum("column.returns", func(d *cabinet.Day) fiscal.Money { return d.Sums[1] }),
			sum("column.revenue", func(d *cabinet.Day) fiscal.Money { return d.Revenue() }),
			sum("inspect.cash", func(d *cabinet.Day) fiscal.Money { return d.Cash }),
			sum("inspect.cashless", func(d *cabinet.Day) fiscal.Money { return d.Cashless }),
			{"inspect.offline", false, func(d *dayRow) any { return d.it.Offline }},
			{"inspect.summary", false, func(d *dayRow) any { return summaryState(d.l, &d.card, d.it.Summary, d.it.Sent) }},
			{"inspect.summary.why", false, func(d *dayRow) any {
				if len(d.it.Sent) == 0 {
					return ""
				}
				return d.it.Sent[0].Refused
			}},
			ofSummary("inspect.summary.version", func(s *fiscal.DaySummary) any { return int64(s.Version) }),
			ofSummary("inspect.summary.first", func(s *fiscal.DaySummary) any { return int64(s.First.Number) }),
			ofSummary("inspect.summary.last", func(s *fiscal.DaySummary) any { return int64(s.Last.Number) }),
			ofSummary("inspect.summary.hash", func(s *fiscal.DaySummary) any { return hex.EncodeToString(s.Hash[:]) }),
		},
		files: []string{"column.sales", "inspect.cash", "inspect.cashless", "inspect.offline", "inspect.summary.why", "inspect.summary.version", "inspect.summary.first", "inspect.summary.last", "inspect.summary.hash"},
		read:  h.inspectedDays,
		place: (*inspectedDay).Place,
		card:  func(d *inspectedDay) (fiscal.RegisterID, uint32) { return d.Register, 1 },
		link: func(d *inspectedDay) string {
			return fmt.Sprintf("/days/%d/%s", d.Register, d.Day.Day.UTC().Format(time.DateOnly))
		},
	}
}

// inspectedDays reads a page of days. Of one register those are among them on
// which it made nothing and of which that was told.
func (h *Handler) inspectedDays(ctx context.Context, q *cabinet.Questions, s *cabinet.Scope, f *cabinet.Filter, before *cabinet.Place, limit int) (all []inspectedDay, more bool, err error) {
	days, more, err := q.DayList(ctx, s, f, fiscal.WallIn(h.now(), h.zone), before, limit)
	if err != nil {
		return nil, false, err
	}
	sent := make(map[fiscal.DayOf][]delivery.SentSummary)
	read := func(r fiscal.RegisterID, from, until fiscal.WallTime) (some []delivery.SentSummary, err error) {
		some, err = h.cfg.Archive.SentSummaries(ctx, r, from, until)
		for _, one := range some {
			of := fiscal.DayOf{Register: r, Day: one.Day}
			sent[of] = append(sent[of], one)
		}
		return some, err
	}
	if f.Register != 0 && f.Outlet == 0 {
		days, more, err = h.withEmpty(ctx, s, f, days, before, more, limit, read)
	} else {
		err = readByRegister(days, read)
	}
	if err != nil {
		return nil, false, err
	}
	now, err := h.summaries(ctx, s.Taxpayer(), days)
	for i := range days {
		of := fiscal.DayOf{Register: days[i].Register, Day: days[i].Day}
		all = append(all, inspectedDay{days[i], now[of], sent[of]})
	}
	return all, more, err
}

// sentReader reads what was handed over of a register's days, both included.
type sentReader func(r fiscal.RegisterID, from, until fiscal.WallTime) ([]delivery.SentSummary, error)

// readByRegister reads what was handed over of each register in a list.
func readByRegister(days []cabinet.Day, read sentReader) error {
	type span struct{ from, until fiscal.WallTime }
	of := make(map[fiscal.RegisterID]span)
	for i := range days {
		d := &days[i]
		at, had := of[d.Register]
		if !had {
			at = span{d.Day, d.Day}
		}
		of[d.Register] = span{min(at.from, d.Day), max(at.until, d.Day)}
	}
	for r, at := range of {
		if _, err := read(r, at.from, at.until); err != nil {
			return err
		}
	}
	return nil
}

// withEmpty adds the days on which a register made nothing, as far as the page
// goes.
func (h *Handler) withEmpty(ctx context.Context, s *cabinet.Scope, f *cabinet.Filter, days []cabinet.Day, before *cabinet.Place, more bool, limit int, read sentReader) ([]cabinet.Day, bool, error) {
	l, err := h.cfg.Archive.Register(ctx, f.Register)
	if err != nil || l.Card.Taxpayer != s.Taxpayer() { // somebody else's
		return days, more, nil //nolint:nilerr // the list of a register that is not there is empty
	}
	from, until := f.Days(fiscal.WallIn(h.now(), h.zone))
	if before != nil {
		until = min(until, before.Time.Day()-oneDay)
	}
	if more {
		from = days[len(days)-1].Day
	}
	some, err := read(f.Register, from, until)
	if err != nil {
		return nil, false, err
	}
	there := make(map[fiscal.WallTime]bool, len(days))
	for i := range days {
		there[days[i].Day] = true
	}
	for _, one := range some {
		if !there[one.Day] {
			there[one.Day] = true
			days = append(days, cabinet.Day{Day: one.Day, Register: f.Register, Taxpayer: l.Card.Taxpayer, Outlet: l.Card.Outlet})
		}
	}
	slices.SortFunc(days, func(a, b cabinet.Day) int { return cmp.Compare(b.Day, a.Day) })
	if len(days) > limit {
		days, more = days[:limit], true
	}
	return days, more, nil
}

// oneDay is a day on a register's clock, in seconds.
const oneDay = 24 * 60 * 60

// summaries reads those of days as they are now.
func (h *Handler) summaries(ctx context.Context, t fiscal.TaxpayerID, days []cabinet.Day) (map[fiscal.DayOf]*fiscal.DaySummary, error) {
	of := make([]fiscal.DayOf, 0, len(days))
	for i := range days {
		of = append(of, fiscal.DayOf{Register: days[i].Register, Day: days[i].Day})
	}
	all, err := h.cfg.Archive.Summaries(ctx, t, of)
	if err != nil {
		return nil, err
	}
	now := make(map[fiscal.DayOf]*fiscal.DaySummary, len(all))
	for i := range all {
		if all[i].Taxpayer == t {
			now[fiscal.DayOf{Register: all[i].Register, Day: all[i].Day}] = &all[i]
		}
	}
	return now, nil
}

// summaryOf is a register's day as an address names it, with the register; it is
// recorded that it is looked at.
func (h *Handler) summaryOf(r *http.Request, a *visitor) (scope cabinet.Scope, l registry.Listed, d inspectedDay, err error) {
	if scope, err = h.inspected(r, a); err != nil {
		return scope, l, d, err
	}
	id, ok := number[fiscal.RegisterID](r.PathValue("register"))
	day, bad := time.Parse(time.DateOnly, r.PathValue("day"))
	if !ok || bad != nil {
		return scope, l, d, &fiscal.Error{Reason: fiscal.NothingThere, Field: "day"}
	}
	if l, err = h.cfg.Archive.Register(r.Context(), id); err != nil {
		return scope, l, d, err
	}
	d.Day = cabinet.Day{Register: id, Day: fiscal.WallTime(day.Unix()), Taxpayer: a.client}
	now, err := h.summaries(r.Context(), a.client, []cabinet.Day{d.Day})
	if err != nil {
		return scope, l, d, err
	}
	d.Summary = now[fiscal.DayOf{Register: id, Day: d.Day.Day}]
	if d.Summary == nil && l.Card.Taxpayer != a.client { // another's, then and now
		return scope, l, d, &fiscal.Error{Reason: fiscal.NothingThere, Field: "register"}
	}
	if d.Sent, err = h.cfg.Archive.SentSummaries(r.Context(), id, d.Day.Day, d.Day.Day); err != nil {
		return scope, l, d, err
	}
	if d.Summary == nil && len(d.Sent) == 0 {
		err = &fiscal.Error{Reason: fiscal.NothingThere, Field: "day"}
	}
	return scope, l, d, err
}
