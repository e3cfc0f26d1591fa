package delivery_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"openofd/internal/delivery"
	"openofd/internal/fiscal"
	"openofd/internal/follow"
	"openofd/internal/journal"
	"openofd/internal/registry"
	"openofd/internal/store/sqlite"
)

var morning = time.Date(2026, 3, 14, 9, 0, 0, 0, time.UTC)

// office is an authority that takes what is its business and keeps it by ID.
type office struct {
	mu     sync.Mutex
	words  func(rec *fiscal.Record) error // nil: every document is fit
	taken  []string                       // IDs, in the order in which they took effect
	sends  int
	again  int
	refuse map[string]string
	fails  func(send int) error // after what was sent took effect; nil: never
}

func (*office) Name() string { return "office" }

func (o *office) Word(_ context.Context, room []byte, rec delivery.Entry) (string, []byte, bool, error) {
	if !strings.HasPrefix(rec.Format, "kkt/") {
		return "", room, false, nil
	}
	id := fmt.Sprintf("%d-%d", rec.Register, rec.Number)
	o.mu.Lock()
	words := o.words
	o.mu.Unlock()
	if words != nil {
		if err := words(rec.Record); err != nil {
			return id, room, false, err
		}
	}
	return id, fmt.Appendf(room, "<%s>", rec.Request), true, nil
}

func (o *office) Send(_ context.Context, docs []delivery.Document) (refused []delivery.Refusal, err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.sends++
	for _, d := range docs {
		if want := fmt.Sprintf("<request of %d>", d.Number); string(d.Body) != want {
			return nil, fmt.Errorf("document %s is %q, want %q", d.ID, d.Body, want)
		}
		if why, ok := o.refuse[d.ID]; ok {
			refused = append(refused, delivery.Refusal{ID: d.ID, Why: why})
			continue
		}
		known := false
		for _, t := range o.taken {
			known = known || t == d.ID
		}
		if !known {
			o.taken = append(o.taken, d.ID)
		}
		if d.Again {
			o.again++
		}
	}
	if o.fails != nil {
		err = o.fails(o.sends)
	}
	return refused, err
}

func (o *office) list() []string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return append([]string(nil), o.taken...)
}

// desk is an installation with one register and what its next entry follows.
type desk struct {
	*testing.T
	*sqlite.DB
	place fiscal.Place
	card  fiscal.Card
	last  fiscal.Number
	hash  journal.Hash
}

func newDesk(t *testing.T) *desk {
	t.Helper()
	db, err := sqlite.Open(t.Context(), sqlite.Options{Dir: t.TempDir(), Serve: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	who := registry.Taxpayer{Country: fiscal.Russia, XIN: "7704358518", Created: morning}
	if err := db.AddTaxpayer(t.Context(), &who); err != nil {
		t.Fatal(err)
	}
	where := registry.Outlet{Taxpayer: who.ID, Zone: "Europe/Moscow"}
	if err := db.AddOutlet(t.Context(), &where); err != nil {
		t.Fatal(err)
	}
	d := &desk{T: t, DB: db, card: fiscal.Card{Since: morning, Country: fiscal.Russia, Taxpayer: who.ID, XIN: who.XIN, Outlet: where.ID, Zone: where.Zone, SerialNumber: "1", RegisteredAt: morning}}
	if err := db.AddRegister(t.Context(), 0, &d.card, nil); err != nil {
		t.Fatal(err)
	}
	d.place = fiscal.Place{Register: d.card.Register}
	return d
}

// add appends entries of formats, one commit each.
func (d *desk) add(formats ...string) {
	d.Helper()
	var batch []journal.Commit
	for _, format := range formats {
		version := uint64(d.last)
		d.last++
		e := journal.Entry{Record: fiscal.Record{
			Register: d.place.Register, Number: d.last, Taxpayer: d.card.Taxpayer, CardVersion: 1, Format: format, Kind: fiscal.DocReceipt,
			ReceivedAt: morning.Add(time.Duration(d.last) * time.Second), Request: fmt.Appendf(nil, "request of %d", d.last),
		}}
		e.Link(d.hash)
		d.hash = e.Hash
		state := fiscal.State{Version: version + 1, CardVersion: 1, LastNumber: d.last, LastHash: d.hash}
		batch = append(batch, journal.Commit{Register: d.place.Register, Judged: version, State: state.Append(nil), Entries: []journal.Entry{e}})
	}
	for len(batch) > 0 {
		n := min(len(batch), 500)
		if stale, err := d.Append(d.Context(), batch[:n], journal.Seal); err != nil || len(stale) > 0 {
			d.Fatalf("Append = %v, %v", stale, err)
		}
		batch = batch[n:]
	}
}

// ids are those of some of the register's documents.
func (d *desk) ids(numbers ...int) (all []string) {
	for _, n := range numbers {
		all = append(all, fmt.Sprintf("%d-%d", d.place.Register, n))
	}
	return all
}

func (d *desk) until(what string, done func() bool) {
	d.Helper()
	for limit := time.Now().Add(30 * time.Second); !done(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(limit) {
			s, err := follow.Stands(d.Context(), d.DB, delivery.IDOf("office"))
			d.Fatalf("%s does not come; stands at %+v, %v", what, s, err)
		}
	}
}

// follow runs a delivery until the end of the test.
func (d *desk) follow(o *office, store delivery.Store, entries int) *delivery.Delivery {
	d.Helper()
	made := delivery.New(o, o, store, nil, time.Now)
	r := follow.New(follow.Config{Holder: "test", Entries: entries, Pace: time.Millisecond, Poll: 5 * time.Millisecond, Retry: 5 * time.Millisecond},
		d.DB, made, slog.New(slog.DiscardHandler), nil, time.Now)
	ctx, cancel := context.WithCancel(d.Context())
	done := make(chan struct{})
	go func() { defer close(done); r.Run(ctx) }()
	d.Cleanup(func() { cancel(); <-done })
	return made
}

func (d *desk) waiting() []delivery.Parked {
	d.Helper()
	all, err := d.Waiting(d.Context(), "office", 0, 100)
	if err != nil {
		d.Fatal(err)
	}
	return all
}

func (d *desk) cursor() journal.Seq {
	d.Helper()
	all, err := d.Cursors(d.Context(), delivery.IDOf("office"))
	if err != nil {
		d.Fatal(err)
	}
	return all[0].Seq
}

// Documents reach the authority in order, once, and nothing else does; what it
// refuses and what cannot be worded waits with its reason, and can be tried
// again.
//
// Req: P-008, P-020, O-105, O-110
func TestForwards(t *testing.T) {
	d := newDesk(t)
	o := &office{refuse: map[string]string{}, words: func(rec *fiscal.Record) error {
		if rec.Number == 4 {
			return &delivery.Unfit{Reason: delivery.NoKey, Err: errors.New("no key of this drive")}
		}
		return nil
	}}
	o.refuse[d.ids(6)[0]] = strings.Repeat("Ошибка ", 200)
	d.add("act/1", "kkt/1.2", "kkm/203", "kkt/1.2", "kkt/1.2", "kkt/1.2/sealed", "kkt/1.0", "act/1")
	made := d.follow(o, d, 3)
	d.until("the last entry", func() bool { return d.cursor() == 8 })
	if want := d.ids(2, 5, 7); !reflect.DeepEqual(o.list(), want) {
		t.Errorf("the authority has %v, want %v", o.list(), want)
	}
	w := d.waiting()
	if len(w) != 2 || w[0].Reason != delivery.NoKey || w[0].Seq != 4 || w[0].Document != d.ids(4)[0] || w[1].Reason != delivery.Refused || w[1].Number != 6 || len([]rune(w[1].Detail)) > 501 {
		t.Fatalf("there wait %+v; want the document without a key, then the refused one", w)
	}

	// Tried again too early, then with what was missing.
	if p, err := made.Again(t.Context(), w[0].ID); err != nil || !p.Settled.IsZero() || p.Tries != 1 || p.Reason != delivery.NoKey {
		t.Errorf("Again without the key = %+v, %v; want it parked still", p, err)
	}
	if p, err := made.Again(t.Context(), w[1].ID); err != nil || !p.Settled.IsZero() || p.Reason != delivery.Refused {
		t.Errorf("Again of what is refused = %+v, %v; want it parked still", p, err)
	}
	o.mu.Lock()
	o.words, o.refuse = nil, nil
	o.mu.Unlock()
	for i := range w {
		if p, err := made.Again(t.Context(), w[i].ID); err != nil || p.Settled.IsZero() || p.Tries != 2 {
			t.Errorf("Again = %+v, %v; want it settled at the second try", p, err)
		}
		if _, err := made.Again(t.Context(), w[i].ID); !errors.Is(err, fiscal.AlreadyThere) {
			t.Errorf("Again of what is settled: error %v, want AlreadyThere", err)
		}
	}
	if want := d.ids(2, 5, 7, 4, 6); !reflect.DeepEqual(o.list(), want) || o.again != 2 || len(d.waiting()) != 0 {
		t.Errorf("the authority has %v, %d of them sent on later; want %v, 2", o.list(), o.again, want)
	}
	if _, err := made.Again(t.Context(), 99); !errors.Is(err, fiscal.NotFound) {
		t.Errorf("Again of nothing: error %v, want NotFound", err)
	}
}

// lossy is a store whose batches are refused, or stored and not confirmed.
type lossy struct {
	*sqlite.DB
	mu sync.Mutex
	n  int
}

func (l *lossy) KeepBatch(ctx context.Context, m follow.Move, b delivery.Batch) error {
	l.mu.Lock()
	l.n++
	n := l.n
	l.mu.Unlock()
	switch n % 4 {
	case 1: // as if the process had died behind Send
		return &fiscal.Error{Reason: fiscal.StoreDown}
	case 3: // as if it had died behind the commit
		return errors.Join(l.DB.KeepBatch(ctx, m, b), &fiscal.Error{Reason: fiscal.OutcomeUnknown})
	}
	return l.DB.KeepBatch(ctx, m, b)
}

// Whatever fails between sending and storing, every document arrives, in order,
// and is counted once.
//
// Req: P-008, P-011
func TestLosesNothing(t *testing.T) {
	d := newDesk(t)
	o := &office{refuse: map[string]string{}}
	o.refuse[d.ids(10)[0]] = "no"
	o.fails = func(send int) error {
		if send%5 == 0 {
			return errors.New("the line broke behind the last byte")
		}
		return nil
	}
	var formats []string
	var want []string
	for i := 1; i <= 60; i++ {
		formats = append(formats, "kkt/1.2")
		if i != 10 {
			want = append(want, d.ids(i)...)
		}
	}
	d.add(formats...)
	d.follow(o, &lossy{DB: d.DB}, 4)
	d.until("the last entry", func() bool { return d.cursor() == 60 })
	if !reflect.DeepEqual(o.list(), want) {
		t.Errorf("the authority has %v, want %v", o.list(), want)
	}
	if w := d.waiting(); len(w) != 1 || w[0].Number != 10 {
		t.Errorf("there wait %+v, want the refused one, once", w)
	}
}

// A document that cannot be worded just now holds up what stands behind it, and
// is named; once it can be, all follow.
func TestModuleAway(t *testing.T) {
	d := newDesk(t)
	o := &office{words: func(rec *fiscal.Record) error {
		if rec.Number == 3 {
			return &fiscal.Error{Of: fiscal.Unavailable, Msg: "the module does not answer"}
		}
		return nil
	}}
	d.add("kkt/1.2", "kkt/1.2", "kkt/1.2", "kkt/1.2")
	d.follow(o, d, 100)
	var stuck []follow.Position
	d.until("word of the entry", func() bool {
		s, err := follow.Stands(t.Context(), d.DB, delivery.IDOf("office"))
		stuck = s.Stuck()
		return err == nil && len(stuck) == 1
	})
	if p := stuck[0]; p.Seq != 2 || p.Failure.Seq != 3 || !strings.Contains(p.Failure.Why, "does not answer") || !reflect.DeepEqual(o.list(), d.ids(1, 2)) {
		t.Errorf("stands at %+v, and the authority has %v; want entry 3 named behind two that were forwarded", p, o.list())
	}
	o.mu.Lock()
	o.words = nil
	o.mu.Unlock()
	d.until("the last entry", func() bool { return d.cursor() == 4 })
	if !reflect.DeepEqual(o.list(), d.ids(1, 2, 3, 4)) || len(d.waiting()) != 0 {
		t.Errorf("the authority has %v, and %d wait; want all and none", o.list(), len(d.waiting()))
	}
}
