package cabinet

import (
	"context"
	"fmt"
	"slices"

	"openofd/internal/fiscal"
)

// MaxDays is for how many days one question may ask: a quarter of a year.
const MaxDays = 93

// Days are the days of a scope's registers from one on until another, both
// included, in the order of the engine.
//
// Errors: Denied for a scope that nobody made; BadValue with the Field "until"
// for days in the wrong order or too many; Unavailable.
func (q *Questions) Days(ctx context.Context, s *Scope, from, until fiscal.WallTime) ([]Day, error) {
	if s.taxpayer == 0 {
		return nil, errNobody
	}
	from, until = from.Day(), until.Day()
	if until < from || until-from >= MaxDays*secondsOfDay {
		return nil, &fiscal.Error{Reason: fiscal.BadValue, Field: "until"}
	}
	all, err := q.shelf.Days(ctx, s.taxpayer, from, until)
	if err != nil {
		return nil, fmt.Errorf("sum up days: %w", err)
	}
	return slices.DeleteFunc(all, func(d Day) bool { return !s.sees(d.Outlet) }), nil
}
