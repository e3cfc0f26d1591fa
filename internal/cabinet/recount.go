package cabinet

import (
	"context"
	"fmt"

	"openofd/internal/fiscal"
)

// MaxRecounted bounds how many entries are read for one Recount.
const MaxRecounted = 5000

// Recount counts a register's day anew, of the entries of the journal up to one
// and of nothing else. known is the day's summary as the tables have it: it tells
// where the day begins and ends, and what lay in the drawer before.
//
// Errors: Invalid for a day of more than MaxRecounted entries; Retired, Corrupt
// where an entry cannot be read.
func (q *Questions) Recount(ctx context.Context, s *Scope, known *fiscal.DaySummary, upTo fiscal.Number) (fiscal.DaySummary, error) {
	day := fiscal.DaySummary{Day: known.Day, Register: known.Register, Opening: known.Opening, Drawer: known.Opening, Before: known.Before}
	if s.taxpayer == 0 {
		return day, errNobody
	}
	last := min(upTo, max(known.Last.Number, known.Version))
	if known.First.Number == 0 || last < known.First.Number {
		return day, nil
	}
	if last-known.First.Number >= MaxRecounted {
		return day, &fiscal.Error{Of: fiscal.Invalid, Field: "day", Msg: fmt.Sprintf("%d entries", last-known.First.Number+1)}
	}
	drawer := known.Opening
	for n := known.First.Number; n <= last; n++ {
		e, err := q.shelf.EntryOf(ctx, s.taxpayer, known.Register, n)
		if err != nil {
			return day, fmt.Errorf("read entry %d of register %d: %w", n, known.Register, err)
		}
		if !dated(&e) {
			continue
		}
		if e.Kind == fiscal.DocCancel && e.Refers != 0 {
			was, err := q.shelf.EntryOf(ctx, s.taxpayer, known.Register, e.Refers)
			switch {
			case absent(err):
			case err != nil:
				return day, fmt.Errorf("read entry %d of register %d: %w", e.Refers, known.Register, err)
			case was.DeviceTime != 0:
				drawer -= was.DrawerMoved()
				if was.DeviceTime.Day() == known.Day {
					back := content(q.read, &was)
					day.TakeBack(&back, n)
				}
			}
		}
		drawer += e.DrawerMoved()
		if e.DeviceTime.Day() == known.Day {
			doc := content(q.read, &e)
			day.Count(&doc, e.Hash)
			day.Drawer = drawer
		}
	}
	return day, nil
}
