package storetest

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"sync"

	"openofd/internal/fiscal"
	"openofd/internal/journal"
	"openofd/internal/keyring"
)

// survives shows that everything acknowledged is there after closing and
// opening again.
//
// Req: P-006, O-077, O-091
func survives(w *world) {
	r := w.till("1")
	want := entriesOf(w.append(r.commit(), r.commit()))
	w.must(w.AddKey(w.Context(), keyring.Row{ID: 1, Purpose: fiscal.KeyForSign, From: morning, Sealed: []byte{1, 2}, Created: morning}))
	w.must(w.Close())

	w.Engine = w.Beside(w.T)
	w.sameEntries("after reopening", w.all(), want)
	w.stands(r)
	if rows, err := w.Keys(w.Context()); err != nil || len(rows) != 1 {
		w.Errorf("Keys = %v, %v, want the one that was added", rows, err)
	}
	w.append(r.commit())
	w.stands(r)
}

// twoHandles shows that a server and a command line, writing to the same data
// and to the same registers at once, lose nothing and store nothing twice.
//
// Req: P-010, O-049
func twoHandles(w *world) {
	const commits = 60
	shared := w.till("shared")
	handles := []Engine{w.Engine, w.Beside(w.T)}
	own := []*till{w.till("a"), w.till("b"), w.till("c"), w.till("d")}
	var running sync.WaitGroup
	for i, mine := range own {
		e := handles[i%len(handles)]
		mine.w = &world{T: w.T, Engine: e, clock: morning}
		running.Go(func() {
			for done := 0; done < commits; {
				ours, ok := w.following(e, shared)
				if !ok {
					return
				}
				batch := []journal.Commit{ours.commit(), mine.commit()}
				stale, err := e.Append(context.Background(), batch, journal.Seal)
				switch {
				case err != nil:
					w.Errorf("Append: %v", err)
					return
				case slices.Contains(stale, 1):
					w.Errorf("a commit to a register of one's own is stale: %v", stale)
					return
				case len(stale) == 0:
					done++
				}
			}
		})
	}
	running.Wait()
	if w.Failed() {
		return
	}

	byRegister := map[fiscal.RegisterID]int{}
	for i, e := range w.all() {
		byRegister[e.Register]++
		if e.Seq != journal.Seq(i+1) || e.Number != fiscal.Number(byRegister[e.Register]) {
			w.Fatalf("entry %d of the partition has seq %d and number %d of register %d, want number %d", i+1, e.Seq, e.Number, e.Register, byRegister[e.Register])
		}
	}
	if got := byRegister[shared.place.Register]; got != commits*len(own) {
		w.Errorf("the shared register has %d entries, %d were acknowledged", got, commits*len(own))
	}
	for _, mine := range own {
		if got := byRegister[mine.place.Register]; got != int(mine.last) {
			w.Errorf("register %d has %d entries, %d were acknowledged", mine.place.Register, got, mine.last)
		}
		w.stands(mine)
	}
}

// following is a till that goes on from what is stored of r.
func (w *world) following(e Engine, r *till) (*till, bool) {
	row, err := e.Row(context.Background(), r.place)
	if err != nil {
		w.Errorf("Row: %v", err)
		return nil, false
	}
	own := &world{T: w.T, Engine: e, clock: morning}
	return &till{w: own, place: r.place, card: r.card, version: row.State.Version, last: row.State.LastNumber, hash: row.State.LastHash}, true
}

// nothingChanges shows that with the rights of the service nothing that a
// document depends on can be updated, deleted or replaced.
//
// Req: O-049, O-050, O-052, O-099, O-100, O-101
func nothingChanges(w *world) {
	r := w.till("1")
	want := entriesOf(w.append(r.commit(), r.commit()))
	w.must(w.AddKey(w.Context(), keyring.Row{ID: 1, Purpose: fiscal.KeyForSign, From: morning, Sealed: []byte{1}, Created: morning}))
	w.must(w.PutCatalog(w.Context(), &fiscal.Catalog{Created: 5, Elements: []fiscal.CatalogElement{{ID: 1, Barcode: "4870000000001"}}}))
	head, err := w.Fence(w.Context(), w.partition)
	w.must(err)

	for _, sql := range []string{
		`UPDATE entries SET total = 1 WHERE seq = 1`,
		`UPDATE entries SET request = answer`,
		`UPDATE entries SET month = month + 1`,
		`DELETE FROM entries WHERE seq = 2`,
		`DELETE FROM entries`,
		`UPDATE cards SET body = '{}'`,
		`DELETE FROM cards`,
		`UPDATE keys SET sealed = sealed, id = 9`,
		`UPDATE keys SET valid_from = 0`,
		`DELETE FROM keys`,
		`INSERT INTO keys (id, purpose, valid_from, sealed, created) SELECT id, 'x', valid_from, sealed, created FROM keys WHERE id = 1
			ON CONFLICT (id) DO UPDATE SET purpose = 'x'`,
		`UPDATE catalogs SET created = 6`,
		`DELETE FROM catalogs`,
		`UPDATE catalog_elements SET body = '{}'`,
		`DELETE FROM catalog_elements`,
		`UPDATE directory SET register = register, name = 'x'`,
		`DELETE FROM directory`,
		`DELETE FROM registers`,
		`DELETE FROM states`,
		`DELETE FROM heads`,
		`UPDATE heads SET seq = 1`,
		`DELETE FROM taxpayers`,
		`DELETE FROM outlets`,
		`UPDATE installation SET value = '2'`,
		`DELETE FROM installation`,
	} {
		if err := w.Exec(w.Context(), sql); err == nil {
			w.Errorf("%s: done, want it refused", sql)
		}
	}

	w.sameEntries("after all that", w.all(), want)
	if again, err := w.Fence(w.Context(), w.partition); err != nil || again != head {
		w.Errorf("the head is %+v, %v, was %+v", again, err, head)
	}
	w.stands(r)
	if c, err := w.Card(w.Context(), r.place.Register, 1); err != nil || c.Model != r.card.Model {
		w.Errorf("Card = %+v, %v, want %+v", c, err, r.card)
	}
	if rows, err := w.Keys(w.Context()); err != nil || len(rows) != 1 || rows[0].Purpose != fiscal.KeyForSign || !rows[0].From.Equal(morning) {
		w.Errorf("Keys = %+v, %v, want the one that was added", rows, err)
	}
	if c, err := w.Catalog(w.Context(), fiscal.CatalogQuery{}); err != nil || c.Created != 5 || len(c.Elements) != 1 {
		w.Errorf("Catalog = %+v, %v, want the one that was published", c, err)
	}
}

// nothingAfterClose shows that a closed engine says so, and that a batch it
// refuses is certain not to be stored.
func nothingAfterClose(w *world) {
	r := w.till("1")
	c := r.commit()
	w.must(w.Close())
	w.must(w.Close()) // once more does no harm

	ctx := w.Context()
	_, err := w.Append(ctx, []journal.Commit{c}, journal.Seal)
	w.wants("Append after Close", err, journal.ErrNothingStored, fiscal.Unavailable)
	for name, call := range map[string]func() error{
		"Fence":         func() error { _, err := w.Fence(ctx, w.partition); return err },
		"Entry":         func() error { _, err := w.Entry(ctx, w.partition, r.place.Register, 1); return err },
		"Scan":          func() error { _, err := w.Scan(ctx, w.partition, 1, 1); return err },
		"Heads":         func() error { _, err := w.Heads(ctx); return err },
		"Find":          func() error { _, err := w.Find(ctx, fiscal.Address{Kind: fiscal.ByID, Name: "1"}); return err },
		"Row":           func() error { _, err := w.Row(ctx, r.place); return err },
		"RowVersion":    func() error { _, err := w.RowVersion(ctx, r.place); return err },
		"ByDriveNumber": func() error { _, err := w.ByDriveNumber(ctx, r.place, "9", 1); return err },
		"BySign": func() error {
			_, err := w.BySign(ctx, r.place, fiscal.SignQuery{Drive: "9", Sign: 1, Before: 2})
			return err
		},
		"ByDeviceNumber": func() error { _, err := w.ByDeviceNumber(ctx, r.place, 1, 0); return err },
		"Cashier":        func() error { _, err := w.Cashier(ctx, w.owner.ID, "x"); return err },
		"Catalog":        func() error { _, err := w.Catalog(ctx, fiscal.CatalogQuery{}); return err },
		"CatalogPage":    func() error { _, err := w.CatalogPage(ctx, 0, 0, 1); return err },
		"KeepRefused":    func() error { return w.KeepRefused(ctx, []journal.Refused{{At: morning}}, 1) },
		"KeepContacts":   func() error { return w.KeepContacts(ctx, []fiscal.Contact{{Register: 1, At: morning}}) },
		"Partitions":     func() error { _, err := w.Partitions(ctx); return err },
		"AddTaxpayer":    func() error { t := w.owner; t.XIN = "1"; return w.AddTaxpayer(ctx, &t) },
		"Taxpayers":      func() error { _, err := w.Taxpayers(ctx, 0, 1); return err },
		"AddOutlet":      func() error { o := w.outlet; return w.AddOutlet(ctx, &o) },
		"AddRegister":    func() error { c := w.card("9"); return w.AddRegister(ctx, w.partition, &c, nil) },
		"Register":       func() error { _, err := w.Register(ctx, r.place.Register); return err },
		"PutCashier":     func() error { return w.PutCashier(ctx, fiscal.CashierLogin{Taxpayer: w.owner.ID}) },
		"PutCatalog":     func() error { return w.PutCatalog(ctx, &fiscal.Catalog{}) },
		"Keys":           func() error { _, err := w.Keys(ctx); return err },
		"AddKey":         func() error { return w.AddKey(ctx, keyring.Row{ID: 1}) },
	} {
		w.wants(name+" after Close", call(), fiscal.Unavailable)
	}
	w.Engine = w.Beside(w.T)
	if all := w.all(); len(all) != 0 {
		w.Errorf("a closed engine stored %d entries", len(all))
	}
}

// equal compares through the printed form, so that a failure shows what it
// compared.
func equal(a, b any) bool {
	return reflect.DeepEqual(a, b) || fmt.Sprintf("%+v", a) == fmt.Sprintf("%+v", b)
}
