package cabinet

import (
	"context"
	"fmt"
	"slices"

	"openofd/internal/access"
	"openofd/internal/fiscal"
	"openofd/internal/journal"
)

// Inspections keeps what inspectors look at; *access.Service is one.
type Inspections interface {
	// Inspected records a look, which comes next. Denied for who may not take it.
	Inspected(ctx context.Context, a *access.Actor, t fiscal.TaxpayerID, act access.Act, object string) error
}

// ScopeOfInspector is what an inspector may see of a taxpayer: everything. It is
// made together with the record of the look, so that none is without.
//
// Errors: Denied for who is no inspector, or looks on no ground or another's.
func ScopeOfInspector(ctx context.Context, book Inspections, a *access.Actor, t fiscal.TaxpayerID, act access.Act, object string) (Scope, error) {
	if t == 0 {
		return Scope{}, errNobody
	}
	if err := book.Inspected(ctx, a, t, act, object); err != nil {
		return Scope{}, err
	}
	return Scope{taxpayer: t}, nil
}

// daysAtOnce bounds how many days are read together, and daysShown how many a
// list goes back that was not told from where.
const (
	daysAtOnce = 31
	daysShown  = 31
	daysKept   = 3660 // and how far any goes
)

// Place is where a day stands in lists.
func (d *Day) Place() Place { return Place{d.Day, journal.Seq(d.Register)} }

// Days is from which day on until which a list of days goes that a Filter asks
// for, both included: without a beginning a month back, and never ten years.
func (f *Filter) Days(today fiscal.WallTime) (from, until fiscal.WallTime) {
	until = today.Day()
	if f.Until != 0 {
		until = (f.Until - 1).Day()
	}
	if f.From != 0 {
		return max(f.From.Day(), until-daysKept*secondsOfDay), until
	}
	return until - (daysShown-1)*secondsOfDay, until
}

// DayList lists what registers came to by day, the newest first; of a Filter it
// heeds times, Outlet and Register. Without a beginning it goes back a month.
func (q *Questions) DayList(ctx context.Context, s *Scope, f *Filter, today fiscal.WallTime, before *Place, limit int) (all []Day, more bool, err error) {
	if s.taxpayer == 0 {
		return nil, false, errNobody
	}
	limit = min(max(limit, 1), MaxPage)
	from, until := f.Days(today)
	if before != nil {
		until = min(until, before.Time.Day())
	}
	for end := until; end >= from && len(all) <= limit; end -= daysAtOnce * secondsOfDay {
		days, err := q.shelf.Days(ctx, s.taxpayer, max(from, end-(daysAtOnce-1)*secondsOfDay), end)
		if err != nil {
			return nil, false, fmt.Errorf("list days: %w", err)
		}
		days = slices.DeleteFunc(days, func(d Day) bool {
			return !s.sees(d.Outlet) || f.Register != 0 && d.Register != f.Register || f.Outlet != 0 && d.Outlet != f.Outlet ||
				before != nil && newer(*before, d.Place()) >= 0
		})
		slices.SortFunc(days, func(a, b Day) int { return newer(a.Place(), b.Place()) })
		all = append(all, days...)
	}
	more = len(all) > limit
	return all[:min(len(all), limit)], more, nil
}
