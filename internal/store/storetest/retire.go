package storetest

import (
	"fmt"
	"iter"
	"time"

	"openofd/internal/cabinet"
	"openofd/internal/fiscal"
	"openofd/internal/follow"
	"openofd/internal/journal"
)

// segmentKey signs the tests' segments.
func segmentKey(id fiscal.KeyID) (fiscal.Key, error) {
	return fiscal.Key{ID: id, Purpose: fiscal.KeyForSign, Secret: [32]byte{1, 2, byte(id)}}, nil
}

// verified walks the partition and fails unless all is whole.
func (w *world) verified(what string, e Engine, entries, retired uint64) {
	w.Helper()
	v := journal.Verification{Store: e, Segments: e, Keys: segmentKey, Page: 7}
	done, err := v.Verify(w.Context())
	if err != nil || done.Entries != entries || done.Retired != retired {
		w.Errorf("%s: Verify = %+v, %v, want %d entries, %d retired", what, done, err, entries, retired)
	}
}

// prepare sums up the months to last and stores the segments.
func (w *world) prepare(last int32, until time.Time) (all []journal.Segment) {
	w.Helper()
	r := journal.Retirement{
		Verification: journal.Verification{Store: w.Engine, Segments: w.Engine, Keys: segmentKey, Page: 7},
		Last:         last,
		Seal: func(f journal.SegmentFacts) (journal.Segment, error) {
			key, _ := segmentKey(5)
			f.Until, f.Made, f.By = until, w.clock, "test"
			return journal.SealSegment(f, &key)
		},
		Segment: func(s *journal.Segment, ends iter.Seq2[journal.End, error]) error {
			all = append(all, *s)
			return journal.Prepare(w.Context(), w.Engine, segmentKey, s, ends)
		},
	}
	w.must(r.Run(w.Context()))
	return all
}

// A month leaves when its segment fits, its term is over and no older one is
// there; what stays can be verified, and nothing else can be taken away.
//
// Req: P-022, T-092, O-047
func retires(w *world) {
	ctx := w.Context()
	month := func(m time.Month) { w.clock = time.Date(2016, m, 5, 0, 0, 0, 0, time.UTC) }
	a, b := w.till("A"), w.till("B")
	month(time.January)
	var january []journal.Entry
	for range 40 { // so that a run of numbers fills
		january = append(january, entriesOf(w.append(a.commit()))...)
	}
	w.append(b.commit(), b.commit())
	month(time.February)
	w.append(a.commit(), b.commit())
	w.clock = morning
	w.append(a.commit())

	passed, ahead := time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC), time.Now().AddDate(1, 0, 0)
	refused := func(what string, month int32) {
		w.Helper()
		w.wants(what, w.RetireMonth(ctx, month), fiscal.Conflict)
		w.verified(what, w.Engine, 45, 0)
	}
	refused("no segment", 201601)
	first := w.prepare(201601, passed)
	if len(first) != 1 || first[0].First != 1 || first[0].Last != 42 || first[0].Registers != 2 || first[0].Receipts[0] != (journal.SegmentSum{Count: 42, Sum: 42 * 177_750}) {
		w.Fatalf("the segments of January are %+v, want one of 42 sales of two registers", first)
	}
	w.prepare(201601, passed) // as after a crash
	second := w.prepare(202603, ahead)
	if len(second) != 3 {
		w.Fatalf("%d segments to March 2026, want 3", len(second))
	}
	refused("an older month is there", 201602)
	refused("a month of this year", 202603)

	id := follow.ID{Name: "slow", Generation: 1}
	w.must(w.Move(ctx, follow.Move{ID: id, Partition: w.partition, To: 1, At: morning}))
	if why, err := w.Hindrances(ctx, w.partition, 42); err != nil || len(why) != 1 {
		w.Errorf("Hindrances = %q, %v, want the follower that is behind", why, err)
	}
	w.must(w.Move(ctx, follow.Move{ID: id, Partition: w.partition, From: 1, To: 42, At: morning}))
	if why, err := w.Hindrances(ctx, w.partition, 42); err != nil || len(why) != 0 {
		w.Errorf("Hindrances = %q, %v, want none", why, err)
	}

	w.must(w.RetireMonth(ctx, 201601))
	w.must(w.RetireMonth(ctx, 201601))
	w.verified("January is gone", w.Engine, 3, 42)
	if _, err := w.Entry(ctx, w.partition, a.place.Register, 5); true {
		w.wants("an entry of January", err, fiscal.Retired, fiscal.NotFound)
	}
	public, ok := w.Shelf().(cabinet.Store) // with the rights of pages
	if !ok {
		w.Fatal("pages cannot check receipts")
	}
	if gone, err := public.RetiredOn(ctx, w.partition, a.place.Register, 5); err != nil || gone.Month != 201601 || time.Since(gone.On).Abs() > 48*time.Hour && !gone.On.Equal(w.clock) {
		w.Errorf("RetiredOn of an entry of January = %+v, %v, want January, now", gone, err)
	}
	if _, err := public.RetiredOn(ctx, w.partition, a.place.Register, 99); true {
		w.wants("an entry that never was, retired", err, fiscal.NothingThere)
	}
	if _, err := public.RetiredOn(ctx, w.partition, a.place.Register, 41); true {
		w.wants("an entry of February, retired", err, fiscal.NothingThere)
	}
	kept, err := w.Entry(ctx, w.partition, a.place.Register, 40)
	w.must(err)
	w.sameEntries("the last receipt of January", []journal.Entry{kept}, january[39:])
	if _, err := w.Entry(ctx, w.partition, a.place.Register, 99); true {
		w.wants("an entry that never was", err, fiscal.NothingThere)
	}
	if all := w.all(); len(all) != 3 || all[0].Seq != 43 {
		w.Errorf("the journal has %d entries, want 3 from 43 on", len(all))
	}
	if page, err := w.Page(ctx, w.partition, 1, 10, 1<<20); err != nil || len(page) != 3 || page[0].Seq != 43 {
		w.Errorf("Page gives %d entries, %v, want 3 from 43 on", len(page), err)
	}
	if gone, err := w.Retired(ctx); err != nil || len(gone) != 1 || gone[w.partition] != 42 {
		w.Errorf("Retired = %v, %v, want entry 42", gone, err)
	}

	// The term of the segment of February is not over.
	w.wants("before its term", w.RetireMonth(ctx, 201602), fiscal.Conflict)
	for _, sql := range []string{
		"DELETE FROM entries", "DELETE FROM segments", "DELETE FROM segment_ends", "DELETE FROM kept_entries", "DELETE FROM retired",
		"UPDATE segments SET until = 0", "UPDATE segment_ends SET number = 1", "UPDATE kept_entries SET number = 1", "UPDATE retired SET last_seq = 45",
		fmt.Sprintf("INSERT INTO retired (month, last_seq, at) VALUES (201602, 44, %d)", 1),
	} {
		if err := w.Exec(ctx, sql); err == nil {
			w.Errorf("%s: done, want it refused", sql)
		}
	}
	w.append(a.commit())
	w.verified("after all that", w.Beside(w.T), 4, 42)
}
