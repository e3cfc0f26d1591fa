package intake_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"openofd/internal/fiscal"
	"openofd/internal/intake"
	"openofd/internal/journal"
	"openofd/internal/testkit"
)

// What was refused is kept behind the answer; a conflict that closes the
// connection, and a wrong token, before it.
func TestRefusedKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := testkit.NewMemStore(1)
		n := newNode(t, intake.Config{}, store, store)
		d := newDevice(t, store, n, 0)
		for _, tt := range []struct {
			command string
			token   uint64
			reason  fiscal.Reason
			atOnce  bool
		}{
			{"wrong", d.token, fiscal.BadValue, false},
			{"differs", d.token, fiscal.RetryDiffers, true},
			{"sale", d.token + 1, fiscal.StaleToken, true},
		} {
			had := len(store.AllRefused())
			x := frame(d.id, fmt.Sprintf("%s %d 7 bread", tt.command, tt.token))
			want := string(x.Request)
			if a, err := n.Accept(t.Context(), x); err != nil || a.Reason != tt.reason {
				t.Fatalf("%s: %v, %v; want %v", tt.command, a.Reason, err, tt.reason)
			}
			clear(x.Request)
			if got := len(store.AllRefused()) > had; got != tt.atOnce {
				t.Errorf("%s: kept before the answer %t, want %t", tt.command, got, tt.atOnce)
			}
			time.Sleep(time.Second)
			synctest.Wait()
			all := store.AllRefused()
			if len(all) != had+1 {
				t.Fatalf("%s: %d kept, want %d", tt.command, len(all), had+1)
			}
			r := all[had]
			if r.Register != d.id || r.Reason != tt.reason || string(r.Request) != want || r.Peer != x.Peer || !r.At.Equal(x.Received.Truncate(time.Microsecond)) {
				t.Errorf("%s: kept %+v, request %q; want %q", tt.command, r, r.Request, want)
			}
		}
	})
}

// keeping is a store whose KeepRefused and KeepContacts are watched.
type keeping struct {
	intake.Store
	mu     sync.Mutex
	broken bool
	calls  int
}

func (k *keeping) KeepRefused(ctx context.Context, all []journal.Refused, perDay int) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.calls++
	if k.broken {
		return errors.New("disk full")
	}
	return k.Store.KeepRefused(ctx, all, perDay)
}

func (k *keeping) KeepContacts(ctx context.Context, all []fiscal.Contact) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.broken {
		return errors.New("disk full")
	}
	return k.Store.KeepContacts(ctx, all)
}

// writes is how often KeepRefused was called.
func (k *keeping) writes() int {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.calls
}

func (k *keeping) repair() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.broken = false
}

// A flood of refused documents is kept up to the day's bound, in pages, and
// does not reach the store beyond it; the next day has its own.
func TestRefusedBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		mem := testkit.NewMemStore(1)
		helper := newNode(t, intake.Config{}, mem, mem)
		d := newDevice(t, mem, helper, 0)
		store := &keeping{Store: mem}
		in := intake.New(intake.Config{RefusedPerDay: 30}, store, nil, &fakeRules{}, nil, nil, quiet, nil, time.Now, zeros{})
		ctx, cancel := context.WithCancel(t.Context())
		stopped := make(chan struct{})
		go func() { in.Run(ctx); close(stopped) }()
		flood := func() {
			for range 1000 {
				x := d.next("wrong")
				if a, err := in.Accept(t.Context(), x); err != nil || a.Reason != fiscal.BadValue {
					t.Fatal(a.Reason, err)
				}
			}
			time.Sleep(time.Second)
			synctest.Wait()
		}
		flood()
		if got := len(mem.AllRefused()); got != 30 || store.writes() != 1 {
			t.Errorf("%d kept in %d writes, want 30 in 1", got, store.writes())
		}
		time.Sleep(24 * time.Hour)
		flood()
		if got := len(mem.AllRefused()); got != 60 || store.writes() != 2 {
			t.Errorf("next day: %d kept in %d writes, want 60 in 2", got, store.writes())
		}
		cancel()
		<-stopped
	})
}

// A store that cannot keep refused documents delays nobody; they wait within
// bounds, and the rest are counted as lost.
func TestRefusedStoreDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		mem := testkit.NewMemStore(1)
		helper := newNode(t, intake.Config{}, mem, mem)
		d := newDevice(t, mem, helper, 0)
		store, seen := &keeping{Store: mem, broken: true}, &observed{}
		in := intake.New(intake.Config{RefusedPerDay: 100_000}, store, nil, &fakeRules{}, nil, nil, quiet, seen, time.Now, zeros{})
		ctx, cancel := context.WithCancel(t.Context())
		stopped := make(chan struct{})
		go func() { in.Run(ctx); close(stopped) }()
		began := time.Now()
		for range 5000 {
			if a, err := in.Accept(t.Context(), d.next("wrong")); err != nil || a.Reason != fiscal.BadValue {
				t.Fatal(a.Reason, err)
			}
		}
		if took := time.Since(began); took != 0 {
			t.Errorf("refusals were held up for %v", took)
		}
		time.Sleep(time.Minute)
		store.repair()
		time.Sleep(10 * time.Second)
		cancel()
		<-stopped
		if kept, lost := len(mem.AllRefused()), seen.lost; kept != 4096 || lost != 904 {
			t.Errorf("%d kept, %d lost; want 4096, 904", kept, lost)
		}
		if store.writes() > 100 {
			t.Errorf("a broken store was asked %d times in a minute", store.writes())
		}
	})
}

// observed is an Observer that counts.
type observed struct {
	mu                           sync.Mutex
	judged, failed, again, lost  int
	cached, loaded, replay, deny int
}

func (o *observed) Judged(_ time.Duration, r fiscal.Reason, replayed bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.judged++
	if r != fiscal.NoReason {
		o.deny++
	}
	if replayed {
		o.replay++
	}
}

func (o *observed) Failed(fiscal.Kind) { o.mu.Lock(); o.failed++; o.mu.Unlock() }
func (o *observed) JudgedAgain()       { o.mu.Lock(); o.again++; o.mu.Unlock() }
func (o *observed) RefusedLost(n int)  { o.mu.Lock(); o.lost += n; o.mu.Unlock() }

func (o *observed) Loaded(cached bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if cached {
		o.cached++
	} else {
		o.loaded++
	}
}

func TestObserver(t *testing.T) {
	mem := testkit.NewMemStore(1)
	helper := newNode(t, intake.Config{}, mem, mem)
	d := newDevice(t, mem, helper, 0)
	seen := &observed{}
	in := intake.New(intake.Config{}, mem, committing(func(journal.Commit) error { return fiscal.OutcomeUnknown }), &fakeRules{}, nil, nil, quiet, seen, time.Now, zeros{})
	sale := d.next("sale")
	sold, err := helper.Accept(t.Context(), sale)
	if err != nil {
		t.Fatal(err)
	}
	in.Accept(t.Context(), sale) // settles the state, so that it is cached
	d.take(t, sold)
	for _, command := range []string{"info", "wrong", "sale"} {
		in.Accept(t.Context(), d.next(command))
	}
	if got, want := fmt.Sprint(seen.judged, seen.replay, seen.deny, seen.failed, seen.loaded, seen.cached), "3 1 1 1 1 3"; got != want {
		t.Errorf("judged, replayed, refused, failed, loaded, cached: %s, want %s", got, want)
	}
}

// Req: P-017
func TestContacts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := testkit.NewMemStore(1)
		n := newNode(t, intake.Config{}, store, store)
		d, rival := newDevice(t, store, n, 0), newDevice(t, store, n, 0)
		x := d.next("info")
		n.Accept(t.Context(), x)
		time.Sleep(time.Second)
		d.sell(t, n) // tells nothing of the protocol's version
		n.Accept(t.Context(), frame(rival.id, "sale 1 1 bread"))
		if got := len(store.Contacts()); got != 0 {
			t.Errorf("%d contacts written at once, want none: a ping must not cost a write", got)
		}
		time.Sleep(15 * time.Second)
		synctest.Wait()
		all := store.Contacts()
		c := all[d.id]
		if c.Version != 203 || c.Peer != x.Peer || c.At.Sub(x.Received.Truncate(time.Microsecond)).Round(time.Millisecond) != time.Second {
			t.Errorf("contact %+v, want version 203 of the first exchange at the time of the second", c)
		}
		if _, ok := all[rival.id]; ok {
			t.Error("a wrong token counts as a contact of the register")
		}
	})
}

// What waits to be written is written when Run ends, even if the store failed
// before.
func TestFlushAtStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		mem := testkit.NewMemStore(1)
		helper := newNode(t, intake.Config{}, mem, mem)
		d := newDevice(t, mem, helper, 0)
		store := &keeping{Store: mem, broken: true}
		in := intake.New(intake.Config{}, store, nil, &fakeRules{}, nil, nil, quiet, nil, time.Now, zeros{})
		ctx, cancel := context.WithCancel(t.Context())
		stopped := make(chan struct{})
		go func() { in.Run(ctx); close(stopped) }()
		in.Accept(t.Context(), d.next("wrong"))
		time.Sleep(16 * time.Second)
		synctest.Wait()
		store.repair()
		in.Accept(t.Context(), d.next("info"))
		cancel()
		<-stopped
		if got := len(mem.AllRefused()); got != 1 {
			t.Errorf("%d refused documents written, want 1", got)
		}
		if c, ok := mem.Contacts()[d.id]; !ok || c.Version != 203 {
			t.Errorf("contact %+v, %t; want the last one", c, ok)
		}
	})
}

// A catalog, a cashier, entries: what rules need is read, what is not there is
// left out.
func TestNeeds(t *testing.T) {
	store := testkit.NewMemStore(1)
	n := newNode(t, intake.Config{}, store, store)
	d := newDevice(t, store, n, 0)
	d.sell(t, n)
	store.PutCatalog(t.Context(), &fiscal.Catalog{Elements: []fiscal.CatalogElement{{ID: 5, Barcode: "486"}}})
	store.PutCashier(t.Context(), fiscal.CashierLogin{Taxpayer: 1, Login: "asel", Name: "Әсел"})
	var found fiscal.Found
	round := 0
	in := intake.New(intake.Config{}, store, nil, asking(func(s *fiscal.Situation) fiscal.Decision {
		switch round++; round {
		case 1:
			return fiscal.Decision{Needs: &fiscal.Needs{Entries: []fiscal.Number{2, 9}, Cashier: "asel"}}
		case 2:
			return fiscal.Decision{Needs: &fiscal.Needs{Entries: []fiscal.Number{1}, Catalog: &fiscal.CatalogQuery{Barcode: "486"}, DeviceNumber: 77}}
		}
		found = s.Found
		return fiscal.Decision{Answer: []byte("done")}
	}), nil, nil, quiet, nil, time.Now, zeros{})
	if a, err := in.Accept(t.Context(), d.next("info")); err != nil || string(a.Frame) != "done" {
		t.Fatal(string(a.Frame), err)
	}
	var names []string
	for _, r := range found.Entries {
		names = append(names, fmt.Sprint(r.Number))
	}
	if got := strings.Join(names, " "); got != "2 1" {
		t.Errorf("entries found: %s, want 2 1", got)
	}
	if !found.Asked || found.Cashier == nil || found.Cashier.Name != "Әсел" || found.Catalog == nil || len(found.Catalog.Elements) != 1 || found.ByDevice != nil {
		t.Errorf("found %+v", found)
	}
}

// asking are rules made of one function.
type asking func(*fiscal.Situation) fiscal.Decision

func (a asking) Judge(s *fiscal.Situation) (fiscal.Decision, error) { return a(s), nil }
func (a asking) Unknown(*fiscal.Exchange) fiscal.Decision           { return fiscal.Decision{} }
