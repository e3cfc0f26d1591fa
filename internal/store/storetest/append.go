package storetest

import (
	"errors"
	"reflect"
	"slices"
	"time"

	"pgregory.net/rapid"

	"openofd/internal/fiscal"
	"openofd/internal/journal"
)

// readsBack shows that every column and byte of any entry comes back as it was
// given, by its number and in the partition's order.
//
// Req: P-006, O-049, O-077, O-090
func readsBack(w *world) {
	r := w.till("1")
	rapid.Check(w.T, func(t *rapid.T) {
		var records []fiscal.Record
		for range rapid.IntRange(1, 3).Draw(t, "entries") {
			records = append(records, drawRecord(t))
		}
		batch := w.append(r.commit(records...))
		want := batch[0].Entries
		for _, e := range want {
			got, err := w.Entry(w.Context(), e.Partition, e.Register, e.Number)
			if err != nil || !same(got, e) {
				t.Fatalf("Entry(%d) = %+v, %v, want\n%+v", e.Number, got, err, e)
			}
		}
		page, err := w.Scan(w.Context(), w.partition, want[0].Seq, len(want))
		w.must(err)
		w.sameEntries("Scan", page, want)
	})
}

func drawRecord(t *rapid.T) fiscal.Record {
	text := rapid.StringMatching(`[a-zA-Zа-яқң₸0-9/. ]{0,24}`)
	number := rapid.Uint64()
	money := rapid.Custom(func(t *rapid.T) fiscal.Money { return fiscal.Money(rapid.Int64().Draw(t, "money")) })
	return fiscal.Record{
		Taxpayer: fiscal.TaxpayerID(rapid.Int64Min(1).Draw(t, "taxpayer")), CardVersion: rapid.Uint32().Draw(t, "card"),
		Format: text.Draw(t, "format"), Kind: fiscal.DocumentKind(rapid.Byte().Draw(t, "kind")), Outcome: rapid.Uint16().Draw(t, "outcome"),
		Flags: fiscal.Flags(number.Draw(t, "flags")), Drive: text.Draw(t, "drive"), DeviceNumber: number.Draw(t, "device number"),
		DeviceTime: fiscal.WallTime(rapid.Int64().Draw(t, "device time")),
		ReceivedAt: time.UnixMicro(rapid.Int64Range(1_700_000_000_000_000, morning.UnixMicro()).Draw(t, "received")).UTC(),
		Shift:      rapid.Uint32().Draw(t, "shift"), FiscalSign: number.Draw(t, "sign"), SignKey: fiscal.KeyID(rapid.Int32().Draw(t, "key")),
		Op: fiscal.Op(rapid.Byte().Draw(t, "operation")), Total: money.Draw(t, "total"), Cash: money.Draw(t, "cash"),
		Cashless: money.Draw(t, "cashless"), OtherPaid: money.Draw(t, "other"), Tax: money.Draw(t, "tax"),
		Refers: fiscal.Number(number.Draw(t, "refers")), Carrier: fiscal.Number(number.Draw(t, "carrier")),
		Request: rapid.SliceOfN(rapid.Byte(), 0, 3000).Draw(t, "request"), Answer: rapid.SliceOfN(rapid.Byte(), 0, 300).Draw(t, "answer"),
	}
}

// orderAndChains shows that entries stand in the order of the batches, numbered
// without a gap, chained as sealed, and that the head is the last of them.
//
// Req: O-049, O-101
func orderAndChains(w *world) {
	tills := []*till{w.till("1"), w.till("2"), w.till("3")}
	var want []journal.Entry
	for i := range 5 {
		var batch []journal.Commit
		for j := range tills {
			batch = append(batch, tills[(i+j)%len(tills)].commit())
		}
		want = append(want, entriesOf(w.append(batch...))...)
	}
	w.sameEntries("Scan", w.all(), want)

	var head journal.Head
	for _, e := range want {
		again := journal.Commit{Entries: []journal.Entry{e}}
		journal.Seal(&head, &again)
		if got := again.Entries[0]; got.Seq != e.Seq || got.Chain != e.Chain {
			w.Errorf("entry %d sealed again gets seq %d and chain %x, stored are %d and %x", e.Number, got.Seq, got.Chain, e.Seq, e.Chain)
		}
	}
	heads, err := w.Heads(w.Context())
	w.must(err)
	if heads[w.partition] != head {
		w.Errorf("Heads = %+v, want %+v", heads[w.partition], head)
	}
}

// staleAlone shows that a commit judged on an older state is left out and
// named, while the others of its batch stand.
//
// Req: P-010, O-076
func staleAlone(w *world) {
	a, b, c, d := w.till("1"), w.till("2"), w.till("3"), w.till("4")
	old := *b
	w.append(b.commit())
	ahead := *d
	ahead.version += 5

	batch := []journal.Commit{old.commit(), a.commit(), ahead.commit(), c.commit()}
	stale, err := w.Append(w.Context(), batch, journal.Seal)
	if err != nil || !slices.Equal(stale, []int{0, 2}) {
		w.Fatalf("Append = %v, %v, want 0 and 2 stale", stale, err)
	}
	all := w.all()
	if len(all) != 3 || all[1].Register != a.place.Register || all[2].Register != c.place.Register || all[2].Seq != 3 {
		w.Errorf("journal after a batch with two stale commits: %+v", all)
	}
	w.stands(b)
	w.stands(c)
	if version, err := w.RowVersion(w.Context(), d.place); err != nil || version != 0 {
		w.Errorf("RowVersion after a stale commit = %d, %v, want 0", version, err)
	}

	// All stale is no error either, and moves nothing.
	old.version = 0
	stale, err = w.Append(w.Context(), []journal.Commit{old.commit()}, journal.Seal)
	if err != nil || !slices.Equal(stale, []int{0}) || len(w.all()) != 3 {
		w.Errorf("Append of a stale commit alone = %v, %v, want 0 stale", stale, err)
	}
}

// stands fails unless the stored state is the till's.
func (w *world) stands(r *till) {
	w.Helper()
	row, err := w.Row(w.Context(), r.place)
	w.must(err)
	if want := r.state(); !reflect.DeepEqual(row.State, want) {
		w.Errorf("register %d stands at version %d with %d entries, hash %.4x; want version %d, %d entries, hash %.4x", r.place.Register,
			row.State.Version, row.State.LastNumber, row.State.LastHash, want.Version, want.LastNumber, want.LastHash)
	}
	version, err := w.RowVersion(w.Context(), r.place)
	if err != nil || version != r.version {
		w.Errorf("RowVersion = %d, %v, want %d", version, err, r.version)
	}
}

// twiceInABatch shows that a commit may follow another one of its register in
// one batch, and falls with it, even if the version it names is by now another
// commit's.
func twiceInABatch(w *world) {
	r, other := w.till("1"), w.till("2")
	w.append(r.commit(), other.commit(), r.commit())
	w.stands(r)

	old := *r
	w.append(r.commit())
	stale, err := w.Append(w.Context(), []journal.Commit{old.commit(), old.commit(), other.commit()}, journal.Seal)
	if err != nil || !slices.Equal(stale, []int{0, 1}) {
		w.Errorf("Append = %v, %v, want 0 and 1 stale", stale, err)
	}
	w.stands(r)
	w.stands(other)
}

// unknownIsStale shows that a commit for a register that is not there, or not
// in that partition, is stale.
func unknownIsStale(w *world) {
	r := w.till("1")
	nobody, elsewhere := *r, *r
	nobody.place.Register = 77
	elsewhere.place.Partition = 99
	stale, err := w.Append(w.Context(), []journal.Commit{nobody.commit(), elsewhere.commit(), r.commit()}, journal.Seal)
	if err != nil || !slices.Equal(stale, []int{0, 1}) {
		w.Errorf("Append = %v, %v, want 0 and 1 stale", stale, err)
	}
	w.stands(r)
}

// gapIsInvalid shows that entries cannot skip a number of their register, nor
// give one twice, though the state's version fits.
func gapIsInvalid(w *world) {
	r := w.till("1")
	w.append(r.commit(), r.commit())
	for _, last := range []fiscal.Number{0, 1, 3, 34} {
		odd := *r
		odd.last = last
		_, err := w.Append(w.Context(), []journal.Commit{odd.commit()}, journal.Seal)
		w.wants("Append of a number that does not follow", err, journal.ErrNothingStored, fiscal.Invalid)
	}
	w.append(r.commit())
	w.stands(r)
}

// badCommit shows that content which the engine refuses takes its whole batch
// back, so that the caller can try the others again.
func badCommit(w *world) {
	good, bad := w.till("1"), w.till("2")
	before := *good
	c := bad.commit()
	c.Card = &bad.card // this version is there already
	_, err := w.Append(w.Context(), []journal.Commit{good.commit(), c}, journal.Seal)
	w.wants("Append with a card that is there already", err, journal.ErrNothingStored, fiscal.Invalid)
	if all := w.all(); len(all) != 0 {
		w.Errorf("%d entries stored of a batch that failed", len(all))
	}
	w.append(before.commit())
	w.stands(&before)

	// Sealing is the caller's; what it breaks is not stored either.
	_, err = w.Append(w.Context(), []journal.Commit{before.commit()}, func(head *journal.Head, c *journal.Commit) {
		head.Seq += 10
		journal.Seal(head, c)
	})
	if !errors.Is(err, journal.ErrNothingStored) || len(w.all()) != 1 {
		w.Errorf("Append with a seal that leaves a gap: error %v, %d entries, want ErrNothingStored and 1", err, len(w.all()))
	}
}
