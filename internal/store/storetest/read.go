package storetest

import (
	"errors"
	"reflect"
	"slices"
	"time"

	"openofd/internal/fiscal"
	"openofd/internal/journal"
)

// stateMoves shows that a new register has an empty state of version 0, and
// after each commit the commit's.
//
// Req: O-091
func stateMoves(w *world) {
	r := w.till("1")
	row, err := w.Row(w.Context(), r.place)
	w.must(err)
	empty := (&fiscal.State{CardVersion: 1}).Append(nil)
	if got := row.State.Append(nil); row.State.Version != 0 || !slices.Equal(got, empty) {
		w.Errorf("a new register's state is %+v, want an empty one that names card 1", row.State)
	}
	if row.Place != r.place || !reflect.DeepEqual(row.Card.Ads, r.card.Ads) || row.Card.Version != 1 {
		w.Errorf("Row = %+v, want place %+v and card %+v", row, r.place, r.card)
	}
	for range 3 {
		w.append(r.commit())
		w.stands(r)
	}

	for name, place := range map[string]fiscal.Place{"another register": {Partition: w.partition, Register: 77}, "another partition": {Partition: 99, Register: r.place.Register}} {
		_, err := w.Row(w.Context(), place)
		w.wants("Row of "+name, err, fiscal.NotFound)
		_, err = w.RowVersion(w.Context(), place)
		w.wants("RowVersion of "+name, err, fiscal.NotFound)
	}
}

// cardWithCommit shows that a new version of a card holds together with the
// state that names it, and that the old one stays.
func cardWithCommit(w *world) {
	r := w.till("1")
	was := r.card
	moved := was
	moved.Version, moved.OutletAddress = 2, fiscal.Text{RU: "Астана, Кабанбай батыра 53"}
	r.card = moved
	c := r.commit()
	c.Card = &moved

	stale := *r
	w.append(c)
	row, err := w.Row(w.Context(), r.place)
	w.must(err)
	if row.Card.Version != 2 || row.Card.OutletAddress != moved.OutletAddress {
		w.Errorf("Row's card is %+v, want version 2", row.Card)
	}
	for _, want := range []fiscal.Card{was, moved} {
		got, err := w.Card(w.Context(), r.place.Register, want.Version)
		if err != nil || got.Version != want.Version || got.OutletAddress != want.OutletAddress || !got.Since.Equal(want.Since) {
			w.Errorf("Card(%d) = %+v, %v, want %+v", want.Version, got, err, want)
		}
	}
	_, err = w.Card(w.Context(), r.place.Register, 3)
	w.wants("Card(3)", err, fiscal.NotFound)

	// A stale commit leaves no card.
	stale.version = 0
	stale.card.Version = 3
	c = stale.commit()
	c.Card = &stale.card
	if gone, err := w.Append(w.Context(), []journal.Commit{c}, journal.Seal); err != nil || len(gone) != 1 {
		w.Fatalf("Append = %v, %v, want it stale", gone, err)
	}
	_, err = w.Card(w.Context(), r.place.Register, 3)
	w.wants("Card of a stale commit", err, fiscal.NotFound)
}

// numbersLead shows that each entry is found by its number, however many the
// register has and however they came, and nothing is found beside them.
//
// Req: P-006, O-048
func numbersLead(w *world) {
	long, short := w.till("1"), w.till("2")
	want := map[fiscal.RegisterID][]journal.Entry{}
	for i, size := range []int{1, 1, 29, 1, 1, 30, 3, 62, 1, 32, 64, 40, 1, 31, 1} {
		var records []fiscal.Record
		for range size {
			records = append(records, long.record())
		}
		batch := []journal.Commit{long.commit(records...)}
		if i%5 == 0 {
			batch = append(batch, short.commit())
		}
		for _, e := range entriesOf(w.append(batch...)) {
			want[e.Register] = append(want[e.Register], e)
		}
	}
	for r, entries := range want {
		for _, e := range entries {
			got, err := w.Entry(w.Context(), w.partition, r, e.Number)
			if err != nil || !same(got, e) {
				w.Fatalf("Entry(%d, %d) = %+v, %v, want %+v", r, e.Number, got, err, e)
			}
		}
		n := fiscal.Number(len(entries))
		for _, none := range []fiscal.Number{0, n + 1, n + 31, n + 32, n + 33, 1 << 40} {
			_, err := w.Entry(w.Context(), w.partition, r, none)
			w.wants("Entry beyond the last", err, fiscal.NotFound)
		}
	}
	_, err := w.Entry(w.Context(), w.partition, 77, 1)
	w.wants("Entry of no register", err, fiscal.NotFound)
	_, err = w.Entry(w.Context(), 99, long.place.Register, 1)
	w.wants("Entry of no partition", err, fiscal.NotFound)
}

// deviceNumbers shows that receipts are found by the number the device gave
// them, and the notices that keep such a number: of that register, that day,
// oldest first, eight at most. Devices may begin anew each day.
//
// Req: O-082, O-086
func deviceNumbers(w *world) {
	r, other := w.till("1"), w.till("2")
	day, ok := fiscal.WallDate(2026, 3, 14, 0, 0, 0)
	if !ok {
		w.Fatal("no such day")
	}
	at := day
	offline := func(of *till, kind fiscal.DocumentKind, number uint64) journal.Commit {
		rec := of.record()
		rec.Kind, rec.DeviceNumber, rec.DeviceTime = kind, number, at
		return of.commit(rec)
	}
	const code = 1<<63 + 5 // as large as a number can be
	var want []journal.Entry
	for i := range 5 {
		at = day.Add(time.Duration(i) * (24*time.Hour - time.Second) / 4) // from the day's first second to its last
		batch := w.append(offline(r, fiscal.DocReceipt, code), offline(other, fiscal.DocReceipt, code), offline(r, fiscal.DocNotice, code),
			offline(r, fiscal.DocCashMove, code), offline(r, fiscal.DocReceipt, code+1), r.commit())
		want = append(want, batch[0].Entries...)
		want = append(want, batch[2].Entries...)
	}
	at = day.Add(24 * time.Hour)
	next := w.append(offline(r, fiscal.DocReceipt, code))[0].Entries
	at = day.Add(-time.Second)
	before := w.append(offline(r, fiscal.DocReceipt, code))[0].Entries
	for _, c := range []struct {
		day  fiscal.WallTime
		want []journal.Entry
	}{{day.Add(12 * time.Hour), want[:8]}, {day.Add(36 * time.Hour), next}, {day.Add(-12 * time.Hour), before}, {day.Add(72 * time.Hour), nil}} {
		got, err := w.ByDeviceNumber(w.Context(), r.place, code, c.day)
		w.must(err)
		w.sameEntries("ByDeviceNumber on "+c.day.String(), got, c.want)
	}
	for name, number := range map[string]uint64{"a number that no receipt has": 4, "no number": 0} {
		if got, err := w.ByDeviceNumber(w.Context(), r.place, number, day); err != nil || len(got) != 0 {
			w.Errorf("ByDeviceNumber of %s = %d entries, %v, want none", name, len(got), err)
		}
	}
}

// driveNumbers shows that documents of a fiscal drive are found by its number
// and theirs: of that register, of any day and kind, oldest first, eight at
// most.
func driveNumbers(w *world) {
	const drive, number = "9999078902001234", 1<<24 - 1
	r, other := w.till("1"), w.till("2")
	at, _ := fiscal.WallDate(2026, 3, 14, 0, 0, 0)
	document := func(of *till, kind fiscal.DocumentKind, drive string, number uint64) journal.Commit {
		rec := of.record()
		rec.Kind, rec.Drive, rec.DeviceNumber, rec.DeviceTime = kind, drive, number, at
		return of.commit(rec)
	}
	var want []journal.Entry
	for i := range 5 {
		at = at.Add(time.Duration(i) * 40 * 24 * time.Hour)
		batch := w.append(document(r, fiscal.DocShiftOpen, drive, number), document(other, fiscal.DocShiftOpen, drive, number),
			document(r, fiscal.DocReceipt, "9999078902001235", number), document(r, fiscal.DocReceipt, drive, number-1),
			document(r, fiscal.DocUnreadable, drive, number), r.commit())
		want = append(want, batch[0].Entries...)
		want = append(want, batch[4].Entries...)
	}
	got, err := w.ByDriveNumber(w.Context(), r.place, drive, number)
	w.must(err)
	w.sameEntries("ByDriveNumber", got, want[:8])
	for _, none := range []struct {
		drive  string
		number uint64
	}{{drive, 5}, {drive, 0}, {"", number}, {"9", number}} {
		if got, err := w.ByDriveNumber(w.Context(), r.place, none.drive, none.number); err != nil || len(got) != 0 {
			w.Errorf("ByDriveNumber(%q, %d) = %d entries, %v, want none", none.drive, none.number, len(got), err)
		}
	}
}

// signs shows that a fiscal sign leads to the documents of a register's drive
// that bear it, within the window before a number.
func signs(w *world) {
	const drive, sign, before = "9999078902001234", 4_115_208_078, 5_000
	r, other := w.till("1"), w.till("2")
	at, _ := fiscal.WallDate(2026, 3, 14, 0, 0, 0)
	document := func(of *till, drive string, number, sign uint64) journal.Commit {
		rec := of.record()
		rec.Kind, rec.Drive, rec.DeviceNumber, rec.DeviceTime, rec.FiscalSign = fiscal.DocReceipt, drive, number, at, sign
		return of.commit(rec)
	}
	const first = before - fiscal.SignWindow
	batch := w.append(document(r, drive, first, sign), document(r, drive, first-1, sign), document(r, drive, before, sign), document(r, drive, first+1, sign+1),
		document(r, "9999078902001235", first+2, sign), document(other, drive, first, sign), document(r, drive, 0, sign), document(r, drive, before-1, sign))
	want := append(batch[0].Entries, batch[7].Entries...)
	got, err := w.BySign(w.Context(), r.place, fiscal.SignQuery{Drive: drive, Sign: sign, Before: before})
	w.must(err)
	w.sameEntries("BySign", got, want)
	for _, none := range []fiscal.SignQuery{{}, {Drive: drive, Sign: 1, Before: before}, {Drive: drive, Sign: sign}, {Sign: sign, Before: before}} {
		if got, err := w.BySign(w.Context(), r.place, none); err != nil || len(got) != 0 {
			w.Errorf("BySign(%+v) = %d entries, %v, want none", none, len(got), err)
		}
	}
}

// scanPages shows that a partition is read in pages without a hole.
func scanPages(w *world) {
	r := w.till("1")
	var want []journal.Entry
	for range 25 {
		want = append(want, entriesOf(w.append(r.commit()))...)
	}
	for _, limit := range []int{1, 7, 25, 100} {
		var got []journal.Entry
		for from := journal.Seq(0); ; {
			page, err := w.Scan(w.Context(), w.partition, from, limit)
			w.must(err)
			if len(page) > limit {
				w.Fatalf("Scan gave %d entries, limit %d", len(page), limit)
			}
			if len(page) == 0 {
				break
			}
			got = append(got, page...)
			from = page[len(page)-1].Seq + 1
		}
		w.sameEntries("pages", got, want)
	}
	for _, limit := range []int{0, -1} {
		if page, err := w.Scan(w.Context(), w.partition, 1, limit); err != nil || len(page) != 0 {
			w.Errorf("Scan with limit %d = %d entries, %v, want none", limit, len(page), err)
		}
	}
}

// monthForward shows that a clock set back does not take the partition back to
// an earlier month.
func monthForward(w *world) {
	r := w.till("1")
	april := r.record()
	april.ReceivedAt = time.Date(2026, 4, 1, 0, 0, 0, 0, time.UTC)
	march := r.record()
	march.ReceivedAt = time.Date(2026, 3, 31, 23, 59, 59, 999_999_000, time.UTC)
	w.append(r.commit(march), r.commit(april))
	w.append(r.commit(march))
	var months []int32
	for _, e := range w.all() {
		months = append(months, e.Month)
	}
	if want := []int32{202603, 202604, 202604}; !slices.Equal(months, want) {
		w.Errorf("months %v, want %v", months, want)
	}
}

// fence shows that Fence tells the end and disturbs nothing.
func fence(w *world) {
	r := w.till("1")
	for range 3 {
		w.append(r.commit(), r.commit())
		head, err := w.Fence(w.Context(), w.partition)
		w.must(err)
		all := w.all()
		if last := all[len(all)-1]; head.Seq != last.Seq || head.Chain != last.Chain || head.Month != last.Month {
			w.Errorf("Fence = %+v, want the place of %+v", head, last)
		}
	}
	if _, err := w.Fence(w.Context(), 99); !errors.Is(err, fiscal.NotFound) {
		w.Errorf("Fence of a partition that is not there: error %v, want NotFound", err)
	}
}
