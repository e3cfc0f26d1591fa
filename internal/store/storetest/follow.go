package storetest

import (
	"errors"
	"fmt"
	"reflect"
	"sync"
	"time"

	"openofd/internal/delivery"
	"openofd/internal/fiscal"
	"openofd/internal/follow"
	"openofd/internal/journal"
)

// The two kinds of followers: one whose tables can be made again, one that
// keeps facts.
var (
	tables = follow.ID{Name: "tables", Generation: 1}
	facts  = delivery.IDOf("fns")
)

func (w *world) move(id follow.ID, from, to journal.Seq) follow.Move {
	w.clock = w.clock.Add(time.Second)
	return follow.Move{ID: id, Partition: w.partition, From: from, To: to, At: w.clock}
}

func (w *world) cursor(id follow.ID) follow.Cursor {
	w.Helper()
	all, err := w.Cursors(w.Context(), id)
	w.must(err)
	return all[w.partition]
}

// pagesBounded shows that a page ends at its entries or its bytes, whichever
// comes first, and that an entry larger than the bytes still comes.
//
// Req: P-008, P-020
func pagesBounded(w *world) {
	r := w.till("1")
	sizes := []int{100, 100, 5000, 100, 100, 100}
	var want []journal.Entry
	for _, size := range sizes {
		rec := r.record()
		rec.Request, rec.Answer = make([]byte, size), nil
		want = append(want, entriesOf(w.append(r.commit(rec)))...)
	}
	for _, c := range []struct {
		from         journal.Seq
		limit, bytes int
		count        int
	}{
		{1, 10, 1 << 20, 6}, {1, 2, 1 << 20, 2}, {1, 10, 100, 1}, {1, 10, 101, 2}, {1, 10, 201, 3}, {1, 10, 1, 1},
		{3, 10, 1, 1}, {3, 10, 5000, 1}, {3, 10, 5001, 2}, {4, 10, 300, 3}, {7, 10, 100, 0}, {1, 0, 100, 0}, {0, 10, 100, 1},
	} {
		page, err := w.Page(w.Context(), w.partition, c.from, c.limit, c.bytes)
		w.must(err)
		first := max(int(c.from), 1) - 1
		w.sameEntries(fmt.Sprintf("Page(from %d, %d entries, %d bytes)", c.from, c.limit, c.bytes), page, want[min(first, len(want)):][:c.count])
	}
	_, err := w.Page(w.Context(), 99, 1, 10, 100)
	w.wants("Page of a partition that is not there", err, fiscal.NotFound)
}

// cursorsMove shows that a cursor moves from where it stands alone, forgets a
// failure when it does, and is each follower's and generation's own.
func cursorsMove(w *world) {
	for _, id := range []follow.ID{tables, facts} {
		if c := w.cursor(id); c.Seq != 0 {
			w.Errorf("%s begins at %d, want 0", id.Name, c.Seq)
		}
		first := w.move(id, 0, 5)
		w.must(w.Move(w.Context(), first))
		if c := w.cursor(id); c.Seq != 5 || !c.MovedAt.Equal(first.At) || c.Failure.Seq != 0 {
			w.Errorf("%s stands at %+v, want 5 at %v", id.Name, c, first.At)
		}
		for _, wrong := range []follow.Move{first, w.move(id, 4, 6), w.move(id, 6, 7)} {
			w.wants("a move from elsewhere", w.Move(w.Context(), wrong), follow.ErrMoved)
		}

		failure := follow.Failure{Seq: 6, At: w.clock, Why: "entry 6: «бүлінген»\x00"}
		w.must(w.KeepFailure(w.Context(), id, w.partition, failure))
		if c := w.cursor(id); c.Seq != 5 || c.Failure.Seq != 6 || !c.Failure.At.Equal(failure.At) || len(c.Failure.Why) < 10 {
			w.Errorf("%s stands at %+v, want 5 with failure %+v", id.Name, c, failure)
		}
		failure.Seq = 5 // followed meanwhile
		w.must(w.KeepFailure(w.Context(), id, w.partition, failure))
		if c := w.cursor(id); c.Failure.Seq != 6 {
			w.Errorf("%s has failure %+v, want that of entry 6", id.Name, c.Failure)
		}
		w.must(w.Move(w.Context(), w.move(id, 5, 9)))
		if c := w.cursor(id); c.Seq != 9 || c.Failure != (follow.Failure{}) {
			w.Errorf("%s stands at %+v, want 9 and no failure", id.Name, c)
		}

		next := id
		next.Generation++
		if c := w.cursor(next); c.Seq != 0 {
			w.Errorf("the next generation of %s begins at %d, want 0", id.Name, c.Seq)
		}
		gone := w.move(id, 0, 1)
		gone.Partition = 99
		w.wants("a move in a partition that is not there", w.Move(w.Context(), gone), fiscal.NotFound)
	}
	// A follower that fails on the very first entry has a cursor to say so.
	never := follow.ID{Name: "never", Generation: 1}
	w.must(w.KeepFailure(w.Context(), never, w.partition, follow.Failure{Seq: 1, At: w.clock, Why: "x"}))
	if c := w.cursor(never); c.Seq != 0 || c.Failure.Seq != 1 {
		w.Errorf("never stands at %+v, want 0 with failure 1", c)
	}
	w.must(w.Move(w.Context(), w.move(never, 0, 2)))
}

// oneMoves shows that of many who follow the same page one has its effect.
func oneMoves(w *world) {
	beside := w.Beside(w.T)
	var mu sync.Mutex
	done := 0
	var all sync.WaitGroup
	for i := range 8 {
		e := []Engine{w.Engine, beside}[i%2]
		m := w.move(facts, 0, 10)
		b := delivery.Batch{Authority: "fns", Documents: 3, Parked: []delivery.Parked{w.parked(7)}}
		all.Go(func() {
			err := e.KeepBatch(w.Context(), m, b)
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				done++
			} else if !errors.Is(err, follow.ErrMoved) {
				w.Errorf("KeepBatch = %v, want nil or ErrMoved", err)
			}
		})
	}
	all.Wait()
	rows, err := w.QueryInt(w.Context(), `SELECT count(*) FROM deliveries`)
	w.must(err)
	waiting, err := w.CountWaiting(w.Context(), "fns")
	w.must(err)
	if done != 1 || rows != 1 || waiting != 1 {
		w.Errorf("%d of 8 moved, %d batches and %d parked documents are stored; want 1 of each", done, rows, waiting)
	}
}

func (w *world) parked(seq journal.Seq) delivery.Parked {
	return delivery.Parked{
		Authority: "fns", Place: fiscal.Place{Partition: w.partition, Register: 200_001}, Number: fiscal.Number(seq), Seq: seq,
		Document: fmt.Sprintf("9999078902001234-%d", seq), Reason: delivery.Unreadable, Detail: "document «3»", At: w.clock,
	}
}

// batches shows that a batch, what of it was parked and the move are stored
// together or not at all, and that a parked document is settled once.
//
// Req: P-008, O-110
func batches(w *world) {
	m := w.move(facts, 0, 10)
	w.must(w.KeepBatch(w.Context(), m, delivery.Batch{Authority: "fns", Documents: 8, Bytes: 1 << 40, Parked: []delivery.Parked{w.parked(3), w.parked(9)}}))
	// The same entry parked twice is refused, and the move with it.
	err := w.KeepBatch(w.Context(), w.move(facts, 10, 12), delivery.Batch{Authority: "fns", Documents: 1, Parked: []delivery.Parked{w.parked(9)}})
	w.wants("an entry parked twice", err, fiscal.Invalid)
	if c := w.cursor(facts); c.Seq != 10 {
		w.Errorf("the cursor stands at %d, want 10: nothing of a batch that failed is stored", c.Seq)
	}
	w.must(w.KeepBatch(w.Context(), w.move(facts, 10, 12), delivery.Batch{Authority: "fns", Documents: 2}))
	for _, q := range []struct {
		sql  string
		want int64
	}{
		{`SELECT count(*) FROM deliveries`, 2}, {`SELECT sum(documents) FROM deliveries`, 10},
		{`SELECT max(bytes) FROM deliveries`, 1 << 40}, {`SELECT parked FROM deliveries WHERE first_seq = 1`, 2},
	} {
		if got, err := w.QueryInt(w.Context(), q.sql); err != nil || got != q.want {
			w.Errorf("%s = %d, %v, want %d", q.sql, got, err, q.want)
		}
	}

	waiting, err := w.Waiting(w.Context(), "fns", 0, 10)
	w.must(err)
	if len(waiting) != 2 {
		w.Fatalf("%d documents wait, want 2", len(waiting))
	}
	for i, seq := range []journal.Seq{3, 9} {
		want := w.parked(seq)
		want.ID, want.At = waiting[i].ID, waiting[i].At
		if !reflect.DeepEqual(waiting[i], want) || waiting[i].ID == 0 {
			w.Errorf("document %d is %+v, want %+v", i, waiting[i], want)
		}
	}
	if rest, err := w.Waiting(w.Context(), "fns", waiting[0].ID, 10); err != nil || len(rest) != 1 || rest[0].ID != waiting[1].ID {
		w.Errorf("behind the first wait %+v, %v, want the second", rest, err)
	}
	if none, err := w.Waiting(w.Context(), "kgd", 0, 10); err != nil || len(none) != 0 {
		w.Errorf("another authority's are %+v, %v, want none", none, err)
	}

	p := waiting[0]
	p.Tries, p.TriedAt, p.Reason, p.Detail = 1, w.clock, delivery.NoKey, "still"
	w.must(w.KeepTry(w.Context(), p))
	p.Tries, p.Settled = 2, w.clock
	w.must(w.KeepTry(w.Context(), p))
	w.wants("a try after it was settled", w.KeepTry(w.Context(), p), fiscal.AlreadyThere)
	got, err := w.ParkedDocument(w.Context(), p.ID)
	w.must(err)
	if got.Tries != 2 || got.Reason != delivery.NoKey || got.Detail != "still" || !got.Settled.Equal(w.clock) || !got.TriedAt.Equal(p.TriedAt) {
		w.Errorf("the settled document is %+v, want %+v", got, p)
	}
	if n, err := w.CountWaiting(w.Context(), "fns"); err != nil || n != 1 {
		w.Errorf("%d documents wait, %v, want 1", n, err)
	}
	_, err = w.ParkedDocument(w.Context(), 1<<40)
	w.wants("a parked document that is not there", err, fiscal.NotFound)

	for _, sql := range []string{
		`UPDATE cursors SET seq = 1 WHERE seq = 12`, `UPDATE deliveries SET documents = 0`, `DELETE FROM parked`,
	} {
		if w.Exec(w.Context(), sql) == nil {
			w.Errorf("%s: done, want it refused", sql)
		}
	}
	w.forgets()
}

// forgets shows that records of batches can be removed when their term is over,
// oldest first and so many at a time, and not before, whoever asks. Two old
// batches are there.
func (w *world) forgets() {
	young := w.move(facts, 12, 13)
	young.At = time.Now().UTC()
	w.must(w.KeepBatch(w.Context(), young, delivery.Batch{Authority: "fns", Documents: 1}))
	forget := func(authority string, before time.Time, most, want int) {
		w.Helper()
		if n, err := w.ForgetBatches(w.Context(), authority, w.partition, before, most); err != nil || n != want {
			w.Errorf("ForgetBatches(%s, %d at most) = %d, %v, want %d", authority, most, n, err, want)
		}
	}
	term := young.At.Add(-delivery.BatchTerm)
	forget("kgd", term, 10, 0)
	forget("fns", w.clock.Add(-time.Hour), 10, 0)
	forget("fns", term, 1, 1)
	if first, err := w.QueryInt(w.Context(), `SELECT min(first_seq) FROM deliveries`); err != nil || first != 11 {
		w.Errorf("the first batch that is left begins with entry %d, %v, want 11: the oldest goes first", first, err)
	}
	if w.Exec(w.Context(), `DELETE FROM deliveries`) == nil {
		w.Error("a batch of today could be removed")
	}
	if n, err := w.ForgetBatches(w.Context(), "fns", w.partition, young.At.Add(time.Hour), 10); err == nil {
		w.Errorf("ForgetBatches of today's = %d, want an error", n)
	}
	forget("fns", term, 10, 1)
	if left, err := w.QueryInt(w.Context(), `SELECT count(*) FROM deliveries`); err != nil || left != 1 {
		w.Errorf("%d batches are left, %v, want today's", left, err)
	}
}

// leases shows that one holder follows a group, and another only when it has
// let go. What the span of a lease is, an engine shows that has many nodes.
func leases(w *world) {
	ok, err := w.Lease(w.Context(), facts, 0, "a", time.Minute)
	if err != nil || !ok {
		w.Fatalf("Lease = %t, %v, want it", ok, err)
	}
	if ok, err := w.Lease(w.Context(), facts, 0, "a", time.Minute); err != nil || !ok {
		w.Errorf("Lease once more = %t, %v, want it prolonged", ok, err)
	}
	beside := w.Beside(w.T)
	if ok, err := beside.Lease(w.Context(), facts, 0, "b", time.Minute); err != nil || ok {
		w.Errorf("another's Lease = %t, %v, want it refused", ok, err)
	}
	w.must(beside.Release(w.Context(), facts, 0, "b")) // it has none
	if ok, err := beside.Lease(w.Context(), facts, 0, "b", time.Minute); err != nil || ok {
		w.Errorf("another's Lease after its Release = %t, %v, want it refused", ok, err)
	}
}
