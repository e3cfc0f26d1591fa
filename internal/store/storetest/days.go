package storetest

import (
	"cmp"
	"errors"
	"reflect"
	"slices"

	"openofd/internal/access"
	"openofd/internal/cabinet"
	"openofd/internal/fiscal"
	"openofd/internal/follow"
	"openofd/internal/journal"
)

// summaries are those of registers and days, by register and day.
func (w *world) summaries(of ...fiscal.DayOf) []fiscal.DaySummary {
	w.Helper()
	all, err := w.DaySummaries(w.Context(), w.partition, of)
	w.must(err)
	slices.SortFunc(all, func(a, b fiscal.DaySummary) int {
		return cmp.Or(cmp.Compare(a.Register, b.Register), cmp.Compare(a.Day, b.Day))
	})
	return all
}

// daySummaries shows that a register's day comes to what its entries say,
// whatever the pages of the follower were, when documents come late, when the
// tables are made anew and when another follower goes on.
//
// Req: O-111
func daySummaries(w *world) {
	d := newDay(w)
	d.trade()
	a := d.first
	today := fiscal.WallTime(morning.Unix()).Day()
	yesterday := today - 86_400
	// Of the day before, and late: with it the last receipt of today is taken back.
	late := a.made(fiscal.DocReceipt, fiscal.OpSale, 7_000, fiscal.FlagReplay, "Айгүл\nШай")
	late.DeviceTime = yesterday + 86_399
	d.sell(a, a.made(fiscal.DocReceipt, fiscal.OpPurchase, 1_000, 0, "Айгүл"))
	taken := a.last
	d.sell(a, late)
	lateNumber := a.last
	cancel := a.made(fiscal.DocCancel, fiscal.OpPurchase, 1_000, 0, "")
	cancel.Refers, cancel.DeviceTime = taken, yesterday+86_399
	d.sell(a, cancel)
	notice := a.made(fiscal.DocNotice, fiscal.OpNone, 0, 0, "")
	d.sell(a, notice)

	ids := []fiscal.DayOf{{Register: a.place.Register, Day: today}, {Register: a.place.Register, Day: yesterday}, {Register: d.second.place.Register, Day: today}, {Register: d.second.place.Register, Day: yesterday}}
	var want []fiscal.DaySummary
	for _, size := range []int{1, 100, 3} {
		d.follower = cabinet.NewFollower(w, opened) // remembers nothing
		d.follow(size)
		got := w.summaries(ids...)
		if want == nil {
			want = got
			d.checkDays(got, lateNumber)
			d.recounts(got, taken)
		} else if !reflect.DeepEqual(got, want) {
			w.Errorf("by pages of %d the days are\n%+v, want\n%+v", size, got, want)
		}
		latest := w.summaries(fiscal.DayOf{Register: a.place.Register}, fiscal.DayOf{Register: d.second.place.Register}, fiscal.DayOf{Register: 1})
		if len(latest) != 2 || latest[0].Day != yesterday || latest[1].Day != today {
			w.Errorf("the latest days are %+v, want %v of the first register and %v of the second", latest, yesterday, today)
		}
		if size == 3 { // another node, whose page comes too late, spoils nothing
			other := cabinet.NewFollower(w.Beside(w.T), opened)
			page, err := w.Scan(w.Context(), w.partition, 1, len(d.entries))
			w.must(err)
			last := journal.Seq(len(page))
			m := follow.Move{ID: cabinet.FollowerID(), Partition: w.partition, From: last - 1, To: last, At: d.clock}
			w.wants("a page that was followed", other.Apply(w.Context(), m, page[last-1:]), follow.ErrMoved)
			d.entries = d.entries[:0]
			rec := a.made(fiscal.DocCashMove, fiscal.OpCashOut, 500, 0, "")
			rec.DeviceTime = today + 80_000
			next := entriesOf(d.append(a.commit(rec)))
			m = follow.Move{ID: cabinet.FollowerID(), Partition: w.partition, From: last, To: last + 1, At: d.clock}
			if page, err = w.Scan(w.Context(), w.partition, last+1, 1); err != nil || len(page) != 1 {
				w.Fatalf("Scan = %v, %v", page, err)
			}
			w.must(other.Apply(w.Context(), m, page))
			s := w.summaries(fiscal.DayOf{Register: a.place.Register, Day: today})[0]
			if s.Version != next[0].Number || s.Drawer != want[1].Drawer+7_000+1_000-500 || s.Documents != want[1].Documents+1 {
				w.Errorf("a document more made it %+v, was %+v", s, want[1])
			}
			break
		}
		w.must(w.DropCabinet(w.Context()))
		if left := w.summaries(ids...); len(left) != 0 {
			w.Errorf("dropped, %+v are left", left)
		}
	}
}

// recounts shows that days counted anew of the journal alone are what the tables
// say, and that a day counted up to an entry is what it was then.
func (d *day) recounts(want []fiscal.DaySummary, taken fiscal.Number) {
	d.Helper()
	scope, err := d.as(access.Owner, access.SeeRevenue)
	d.must(err)
	for i := range want {
		got, err := d.asks.Recount(d.Context(), &scope, &want[i], want[i].Version)
		if err != nil || !reflect.DeepEqual(got, want[i]) {
			d.Errorf("counted anew the day is\n%+v, %v, want\n%+v", got, err, want[i])
		}
	}
	before, err := d.asks.Recount(d.Context(), &scope, &want[1], taken) // the purchase stands still
	if err != nil || before.Version != taken || before.Receipts[2] != (fiscal.Tally{Count: 1, Sum: 1_000}) || want[1].Receipts[2] != (fiscal.Tally{}) {
		d.Errorf("up to entry %d the day is %+v, %v, want the purchase in it that %+v has no more", taken, before, err, want[1])
	}
	vast := want[1]
	vast.Version = vast.First.Number + cabinet.MaxRecounted
	if _, err := d.asks.Recount(d.Context(), &scope, &vast, vast.Version); !errors.Is(err, fiscal.Invalid) {
		d.Errorf("a vast day: %v, want Invalid", err)
	}
	if _, err := d.asks.Recount(d.Context(), &cabinet.Scope{}, &want[1], taken); !errors.Is(err, fiscal.Denied) {
		d.Errorf("counted by nobody: %v, want Denied", err)
	}
}

// checkDays compares with what the trade came to, counted by hand.
func (d *day) checkDays(got []fiscal.DaySummary, late fiscal.Number) {
	d.Helper()
	if len(got) != 3 {
		d.Fatalf("%d days, want 3: %+v", len(got), got)
	}
	began := fiscal.WallTime(morning.Unix())
	yesterday, today, other := got[0], got[1], got[2]
	entry := func(n fiscal.Number) journal.Entry {
		e, err := d.Entry(d.Context(), d.partition, d.first.place.Register, n)
		d.must(err)
		return e
	}
	wantToday := fiscal.DaySummary{
		Day: began.Day(), Register: d.first.place.Register, Taxpayer: d.owner.ID, CardVersion: 1, Version: late + 1, Documents: 8, Offline: 2, Shifts: 1,
		First: fiscal.Edge{Number: 1, Time: entry(1).DeviceTime}, Last: fiscal.Edge{Number: late - 1, Time: entry(late - 1).DeviceTime}, Hash: entry(late - 1).Hash,
		Receipts: [4]fiscal.Tally{{Count: 2, Sum: 217_750}, {Count: 1, Sum: 10_000}}, Moves: [2]fiscal.Tally{{Count: 1, Sum: 500_000}},
		Cash: 207_750, Drawer: 706_750,
	}
	if !reflect.DeepEqual(today, wantToday) {
		d.Errorf("today is\n%+v, want\n%+v", today, wantToday)
	}
	wantYesterday := fiscal.DaySummary{
		Day: began.Day() - 86_400, Register: d.first.place.Register, Taxpayer: d.owner.ID, CardVersion: 1, Version: late + 1, Documents: 2, Offline: 1,
		First: fiscal.Edge{Number: late, Time: entry(late).DeviceTime}, Last: fiscal.Edge{Number: late + 1, Time: entry(late + 1).DeviceTime}, Hash: entry(late + 1).Hash,
		Receipts: [4]fiscal.Tally{{Count: 1, Sum: 7_000}}, Cash: 7_000, Opening: 706_750, Drawer: 714_750, Before: began.Day(),
	}
	if !reflect.DeepEqual(yesterday, wantYesterday) {
		d.Errorf("yesterday is\n%+v, want\n%+v", yesterday, wantYesterday)
	}
	if other.Documents != 1 || other.Receipts[0] != (fiscal.Tally{Count: 1, Sum: 99_900}) || other.Drawer != 99_900 {
		d.Errorf("the other register's day is %+v, want one sale of 999.00", other)
	}
}
