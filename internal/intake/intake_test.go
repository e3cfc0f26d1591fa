package intake_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"openofd/internal/fiscal"
	"openofd/internal/intake"
	"openofd/internal/journal"
	"openofd/internal/testkit"
)

// result is what one call of Accept gave.
type result struct {
	answer fiscal.Answer
	err    error
}

// send accepts in the background, in the order of the calls.
func send(n *node, x fiscal.Exchange) chan result {
	out := make(chan result, 1)
	go func() {
		a, err := n.Accept(context.Background(), x)
		out <- result{a, err}
	}()
	synctest.Wait()
	return out
}

// Req: O-070, P-006, P-007
func TestAccept(t *testing.T) {
	store := testkit.NewMemStore(1)
	n := newNode(t, intake.Config{}, store, store)
	d := newDevice(t, store, n, 0)
	d.sell(t, n)
	x := d.next("close")
	x.Received = time.Now().Truncate(time.Microsecond).Add(789).In(time.FixedZone("Almaty", 5*3600))
	in := bytes.Clone(x.Request)
	a, err := n.Accept(t.Context(), x)
	if err != nil {
		t.Fatal(err)
	}
	clear(x.Request) // the door uses its buffer again
	all := entries(t, store, 0)
	if len(all) != 4 {
		t.Fatalf("%d entries, want 4: act, sale and two of the close", len(all))
	}
	var prev journal.Hash
	for i := range all {
		e := &all[i]
		again := *e
		again.Link(prev)
		if e.Number != fiscal.Number(i+1) || e.Register != d.id || e.Taxpayer != 1 || e.CardVersion != 1 || again.Hash != e.Hash {
			t.Errorf("entry %d: number %d, register %d, taxpayer %d, card %d, linked %t", i+1, e.Number, e.Register, e.Taxpayer, e.CardVersion, again.Hash == e.Hash)
		}
		prev = e.Hash
	}
	first, last := &all[2], &all[3]
	if first.Carrier != 4 || first.Request != nil || first.Answer != nil {
		t.Errorf("first of two: carrier %d, %q, %q; want 4 and no bytes", first.Carrier, first.Request, first.Answer)
	}
	if last.Carrier != 0 || !bytes.Equal(last.Request, in) || !bytes.Equal(last.Answer, a.Frame) {
		t.Errorf("last of two: carrier %d, %q, %q; want 0, %q, %q", last.Carrier, last.Request, last.Answer, in, a.Frame)
	}
	if want := x.Received.Add(-789); !last.ReceivedAt.Equal(want) || last.ReceivedAt.Location() != time.UTC {
		t.Errorf("received at %v, want %v", last.ReceivedAt, want)
	}
	s, err := store.State(d.id)
	if err != nil || s.Version != 3 || s.LastNumber != 4 || s.LastHash != last.Hash {
		t.Errorf("state: version %d, last entry %d, %v; want 3, 4, its hash", s.Version, s.LastNumber, err)
	}
	if a := all[0]; string(a.Request) != "act token" || a.Answer != nil {
		t.Errorf("act stored as %q, %q; want no answer, for the token is secret", a.Request, a.Answer)
	}
}

// Req: P-011, O-070
func TestRetryWhileQueued(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := testkit.NewMemStore(1)
		slow := testkit.NewFaultyStore(store)
		n := newNode(t, intake.Config{}, store, slow)
		d := newDevice(t, store, n, 0)
		slow.Next(testkit.Slow)
		original := send(n, d.next("sale"))
		retry := send(n, d.next("sale"))
		first, second := <-original, <-retry
		if first.err != nil || second.err != nil || !bytes.Equal(first.answer.Frame, second.answer.Frame) {
			t.Errorf("original %q, %v; retry %q, %v; want the same bytes", first.answer.Frame, first.err, second.answer.Frame, second.err)
		}
		if first.answer.Replayed || !second.answer.Replayed {
			t.Errorf("replayed: original %t, retry %t; want false, true", first.answer.Replayed, second.answer.Replayed)
		}
		if got := len(entries(t, store, 0)); got != 2 {
			t.Errorf("%d entries, want 2: the act and one sale", got)
		}
	})
}

// A register whose exchanges come by two nodes in turn is never refused, though
// each node's cache misses every second one.
func TestTwoNodes(t *testing.T) {
	store := testkit.NewMemStore(1)
	a, b := newNode(t, intake.Config{}, store, store), newNode(t, intake.Config{}, store, store)
	d := newDevice(t, store, a, 0)
	for i := range 20 {
		n := []*node{a, b}[i%2]
		switch i % 3 {
		case 2:
			x := d.next("info")
			if got, err := n.Accept(t.Context(), x); err != nil || got.Reason != fiscal.NoReason {
				t.Fatalf("step %d: info refused: %v, %v", i, got.Reason, err)
			}
		default:
			x := d.next("sale")
			got, err := n.Accept(t.Context(), x)
			if err != nil {
				t.Fatalf("step %d: %v", i, err)
			}
			other := []*node{b, a}[i%2] // the answer was lost: the device asks the other node
			again, err := other.Accept(t.Context(), x)
			if err != nil || !bytes.Equal(got.Frame, again.Frame) {
				t.Fatalf("step %d: first %q, repeated %q, %v", i, got.Frame, again.Frame, err)
			}
			d.take(t, got)
		}
	}
}

// Only an acceptance may be judged on a cached state; a refusal looks first,
// and only then.
func TestRefusalLooksFirst(t *testing.T) {
	store := testkit.NewMemStore(1)
	a, b := newNode(t, intake.Config{}, store, store), newNode(t, intake.Config{}, store, store)
	d := newDevice(t, store, a, 0)
	d.sell(t, a)
	if rows, versions := store.Reads("Row"), store.Reads("RowVersion"); rows != 1 || versions != 0 {
		t.Errorf("an acceptance: %d reads of rows, %d of versions; want 1, 0", rows, versions)
	}
	d.sell(t, b)
	if got, err := a.Accept(t.Context(), d.next("wrong")); err != nil || got.Reason != fiscal.BadValue {
		t.Errorf("the node that missed a document answers %v, %v; want %v on the new token", got.Reason, err, fiscal.BadValue)
	}
	if versions := store.Reads("RowVersion"); versions != 1 {
		t.Errorf("a refusal made %d reads of versions, want 1", versions)
	}
}

// committing is a Committer that does as it is told.
type committing func(journal.Commit) error

func (f committing) Commit(_ context.Context, c journal.Commit) error { return f(c) }

func (f committing) Settle(context.Context, fiscal.Partition) error { return nil }

// TestForkIsForgotten: a document is read before it outlives a failover, and
// does not. The register's next one, of the same version, is another; a node
// that remembered the first would refuse whoever follows the second.
func TestForkIsForgotten(t *testing.T) {
	lost, kept := testkit.NewMemStore(1), testkit.NewMemStore(1)
	before, after := newNode(t, intake.Config{}, lost, lost), newNode(t, intake.Config{}, kept, kept)
	d, same := newDevice(t, lost, before, 0), newDevice(t, kept, after, 0)
	if d.id != same.id {
		t.Fatalf("registers %d and %d, want one", d.id, same.id)
	}
	primary := &failingOver{Store: lost}
	c := &settling{Committer: after.committer, err: &fiscal.Error{Reason: fiscal.OutcomeUnknown}}
	n := intake.New(intake.Config{}, primary, c, &fakeRules{}, nil, nil, quiet, nil, time.Now, zeros{})

	sale := d.next("sale")
	if _, err := before.Accept(t.Context(), sale); err != nil { // by another node, on the primary alone
		t.Fatal(err)
	}
	if _, err := n.Accept(t.Context(), sale); !errors.Is(err, fiscal.OutcomeUnknown) {
		t.Fatalf("repeated on a primary without its standby: %v, want OutcomeUnknown", err)
	}
	primary.Store, c.err = kept, nil
	same.sell(t, after) // the document again, to the standby that was promoted
	if got, err := n.Accept(t.Context(), same.next("sale")); err != nil || got.Reason != fiscal.NoReason {
		t.Errorf("the next document: refused as %v, %v; want it accepted", got.Reason, err)
	}
}

// failingOver is one store first and then another.
type failingOver struct{ intake.Store }

// settling counts what is settled, and fails if it is told to.
type settling struct {
	intake.Committer
	settled int
	err     error
}

func (s *settling) Settle(ctx context.Context, p fiscal.Partition) error {
	s.settled++
	if s.err != nil {
		return s.err
	}
	return s.Committer.Settle(ctx, p)
}

// TestRepeatIsSettled: a state that was read may not outlive a failover yet. A
// repetition that would be answered from it waits until it does, or hears
// nothing; one whose original was made durable here is answered at once.
func TestRepeatIsSettled(t *testing.T) {
	store := testkit.NewMemStore(1)
	c := journal.New(journal.Config{}, store, quiet, nil, time.Now)
	go c.Run(context.Background())
	t.Cleanup(c.Stop)
	node := func() (*intake.Intake, *settling) {
		s := &settling{Committer: c}
		return intake.New(intake.Config{}, store, s, &fakeRules{}, nil, nil, quiet, nil, time.Now, zeros{}), s
	}
	first, here := node()
	d := newDevice(t, store, newNode(t, intake.Config{}, store, store), 0)
	sale := d.next("sale")
	want, err := first.Accept(t.Context(), sale)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := first.Accept(t.Context(), sale); err != nil || !got.Replayed || here.settled != 0 {
		t.Errorf("repeated where it was accepted: %+v, %v, settled %d times; want it replayed, and 0", got, err, here.settled)
	}
	second, there := node()
	there.err = &fiscal.Error{Reason: fiscal.OutcomeUnknown}
	if got, err := second.Accept(t.Context(), sale); !errors.Is(err, fiscal.OutcomeUnknown) || got.Frame != nil {
		t.Errorf("repeated elsewhere and not settled: %+v, %v; want OutcomeUnknown", got, err)
	}
	there.err = nil
	for range 2 {
		got, err := second.Accept(t.Context(), sale)
		if err != nil || !bytes.Equal(got.Frame, want.Frame) || there.settled != 2 {
			t.Errorf("repeated elsewhere: %q, %v, settled %d times; want %q, and 2", got.Frame, err, there.settled, want.Frame)
		}
	}
}

func TestStateMoved(t *testing.T) {
	for _, tt := range []struct {
		stale  int // answers before the commit is taken
		judged int
		want   error
	}{{1, 2, nil}, {3, 4, nil}, {4, 4, fiscal.StateMoved}} {
		store := testkit.NewMemStore(1)
		n := newNode(t, intake.Config{}, store, store)
		d := newDevice(t, store, n, 0)
		judged, stale := 0, 0
		rules := &fakeRules{judged: func(*fiscal.Situation) { judged++ }}
		in := intake.New(intake.Config{}, store, committing(func(journal.Commit) error {
			if stale++; stale <= tt.stale {
				return journal.ErrStale
			}
			return nil
		}), rules, nil, nil, quiet, nil, time.Now, zeros{})
		sale := d.next("sale")
		sold, err := n.Accept(t.Context(), sale)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := in.Accept(t.Context(), sale); err != nil { // fills the cache
			t.Fatal(err)
		}
		d.take(t, sold)
		judged = 0
		_, err = in.Accept(t.Context(), d.next("sale"))
		if !errors.Is(err, tt.want) || judged != tt.judged {
			t.Errorf("stale %d times: %v after %d judgements, want %v after %d", tt.stale, err, judged, tt.want, tt.judged)
		}
		if tt.want != nil && !errors.Is(err, fiscal.Overloaded) {
			t.Errorf("%v is not Overloaded", err)
		}
	}
}

// zeros is randomness that is none.
type zeros struct{}

func (zeros) Read(b []byte) (int, error) { clear(b); return len(b), nil }

func TestLaneFull(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := testkit.NewMemStore(1)
		slow := testkit.NewFaultyStore(store)
		n := newNode(t, intake.Config{}, store, slow)
		d, other := newDevice(t, store, n, 0), newDevice(t, store, n, 0)
		slow.Next(testkit.Slow)
		var waiting []chan result
		for range 5 { // one is judged, four wait
			waiting = append(waiting, send(n, d.next("sale")))
		}
		began := time.Now()
		if _, err := n.Accept(t.Context(), d.next("sale")); !errors.Is(err, fiscal.LaneFull) || time.Since(began) != 0 {
			t.Errorf("the sixth: %v after %v, want %v at once", err, time.Since(began), fiscal.LaneFull)
		}
		passes := send(n, other.next("info"))
		select {
		case <-passes:
		default:
			t.Error("another register had to wait")
		}
		want := (<-waiting[0]).answer.Frame
		for i, w := range waiting[1:] {
			if r := <-w; r.err != nil || !bytes.Equal(r.answer.Frame, want) {
				t.Errorf("waiter %d: %q, %v; want %q", i+1, r.answer.Frame, r.err, want)
			}
		}
	})
}

// A commit queued behind one that hangs is withdrawn and answered after 4 s, as
// are those that wait for its lane; nothing of them is stored.
func TestWithdrawn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := testkit.NewMemStore(1)
		hung := testkit.NewFaultyStore(store)
		n := newNode(t, intake.Config{}, store, hung)
		a, b := newDevice(t, store, n, 0), newDevice(t, store, n, 0)
		hung.Next(testkit.Hangs)
		began := time.Now()
		first := send(n, a.next("sale"))
		time.Sleep(time.Second)
		queued := send(n, b.next("sale"))
		behind := send(n, b.next("sale"))
		for name, out := range map[string]chan result{"queued": queued, "in its lane": behind} {
			if r := <-out; !errors.Is(r.err, fiscal.QueuedTooLong) || !errors.Is(r.err, fiscal.Overloaded) {
				t.Errorf("%s: %v, want %v", name, r.err, fiscal.QueuedTooLong)
			}
		}
		if took := time.Since(began); took != 5*time.Second {
			t.Errorf("withdrawn %v after the first, want 5s", took)
		}
		if r := <-first; !errors.Is(r.err, fiscal.OutcomeUnknown) || time.Since(began) != 10*time.Second {
			t.Errorf("the one under way: %v after %v, want %v after 10s", r.err, time.Since(began), fiscal.OutcomeUnknown)
		}
		hung.Release()
		a.sell(t, n) // the repetition finds what became of it
		b.sell(t, n)
		if got := len(entries(t, store, 0)); got != 4 {
			t.Errorf("%d entries, want 4: two acts, two sales", got)
		}
	})
}

// After an unknown outcome the repetition gets the answer of the original.
func TestOutcomeUnknown(t *testing.T) {
	for _, fault := range []testkit.Fault{testkit.Lies, testkit.Loses} {
		synctest.Test(t, func(t *testing.T) {
			store := testkit.NewMemStore(1)
			faulty := testkit.NewFaultyStore(store)
			n := newNode(t, intake.Config{}, store, faulty)
			d := newDevice(t, store, n, 0)
			faulty.Next(fault, testkit.Hangs) // the fence hangs
			x := d.next("sale")
			r := <-send(n, x)
			if !errors.Is(r.err, fiscal.OutcomeUnknown) || r.answer.Frame != nil {
				t.Fatalf("%v: %q, %v; want silence and %v", fault, r.answer.Frame, r.err, fiscal.OutcomeUnknown)
			}
			clear(x.Request) // the door's buffer is its own again, though the batch is open
			faulty.Release()
			synctest.Wait()
			stored := len(entries(t, store, 0)) == 2
			if stored != (fault == testkit.Lies) {
				t.Errorf("%v: stored %t", fault, stored)
			}
			again, err := n.Accept(t.Context(), d.next("sale"))
			if err != nil || again.Replayed != stored {
				t.Errorf("%v: repeated: %v, replayed %t; want nil, %t", fault, err, again.Replayed, stored)
			}
			d.take(t, again)
			e := entries(t, store, 0)[1]
			if want := fmt.Sprintf("sale %d 1 bread", parsePeerIn(e.Request)); string(e.Request) != want {
				t.Errorf("%v: stored request %q, want %q", fault, e.Request, want)
			}
		})
	}
}

func parsePeerIn(request []byte) (token uint64) {
	fmt.Sscanf(string(request), "sale %d", &token)
	return token
}

// StoreDown leaves the cache good: nothing was stored.
func TestStoreDown(t *testing.T) {
	store := testkit.NewMemStore(1)
	faulty := testkit.NewFaultyStore(store)
	n := newNode(t, intake.Config{}, store, faulty)
	d := newDevice(t, store, n, 0)
	faulty.Next(testkit.Refuses)
	rows := store.Reads("Row")
	if _, err := n.Accept(t.Context(), d.next("sale")); !errors.Is(err, fiscal.StoreDown) || !errors.Is(err, fiscal.Unavailable) {
		t.Errorf("Accept() = %v, want %v", err, fiscal.StoreDown)
	}
	d.sell(t, n)
	if got := store.Reads("Row") - rows; got != 0 {
		t.Errorf("the row was read %d times, want 0", got)
	}
}

// A reset beats a document in flight: it was judged on the old token, and its
// commit meets the newer version.
func TestActBeatsDocument(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := testkit.NewMemStore(1)
		slow := testkit.NewFaultyStore(store)
		n, other := newNode(t, intake.Config{}, store, slow), newNode(t, intake.Config{}, store, store)
		d, first := newDevice(t, store, n, 0), newDevice(t, store, n, 0)
		slow.Next(testkit.Slow)
		busy := send(n, first.next("sale"))
		flying := send(n, d.next("sale")) // judged, waits for the next batch
		if _, err := other.Do(t.Context(), fiscal.Place{Register: d.id}, fiscal.Act{Kind: fiscal.ActToken}); err != nil {
			t.Fatal(err)
		}
		<-busy
		if r := <-flying; r.err != nil || r.answer.Reason != fiscal.StaleToken {
			t.Errorf("the document: %v, %v; want refused as %v", r.answer.Reason, r.err, fiscal.StaleToken)
		}
		if s, _ := store.State(d.id); s.LastNumber != 2 {
			t.Errorf("%d entries of the register, want 2: both tokens", s.LastNumber)
		}
	})
}

func TestRefusedAct(t *testing.T) {
	store := testkit.NewMemStore(1)
	n := newNode(t, intake.Config{}, store, store)
	d := newDevice(t, store, n, 0)
	_, err := n.Do(t.Context(), fiscal.Place{Register: d.id}, fiscal.Act{Kind: fiscal.ActBlock})
	var e *fiscal.Error
	if !errors.As(err, &e) || e.Reason != fiscal.MissingParameter || e.Field != "text" {
		t.Errorf("Do(block without text) = %v, want %v (text)", err, fiscal.MissingParameter)
	}
	if _, err := n.Do(t.Context(), fiscal.Place{Register: d.id + 9}, fiscal.Act{Kind: fiscal.ActToken}); err == nil {
		t.Error("Do(on no register) = nil")
	}
}

func TestCard(t *testing.T) {
	store := testkit.NewMemStore(1)
	a, b := newNode(t, intake.Config{}, store, store), newNode(t, intake.Config{}, store, store)
	d := newDevice(t, store, a, 0)
	d.sell(t, b)
	got, err := a.Accept(t.Context(), d.next("card"))
	if err != nil {
		t.Fatal(err)
	}
	d.take(t, got)
	for _, n := range []*node{a, b} { // both learn of the new card
		n.rules.judged = func(s *fiscal.Situation) {
			if s.Exchange.Body.(request).command == "info" && s.Card.Version == 2 && s.Card.Name != "!" {
				t.Errorf("card 2 named %q, want !", s.Card.Name)
			}
		}
		d.sell(t, n)
		if s, _ := store.State(d.id); s.CardVersion != 2 {
			t.Errorf("state names card %d, want 2", s.CardVersion)
		}
	}
	all := entries(t, store, 0)
	if versions := fmt.Sprint(all[2].CardVersion, all[3].CardVersion); versions != "1 2" {
		t.Errorf("the change and the next sale name cards %s, want 1 2", versions)
	}
}

// Confirmed lives in the cache: shown by a request with the current token, gone
// with the next commit.
func TestConfirmed(t *testing.T) {
	store := testkit.NewMemStore(1)
	n := newNode(t, intake.Config{}, store, store)
	d := newDevice(t, store, n, 0)
	d.sell(t, n)
	for i, want := range []string{"info confirmed=false", "info confirmed=true"} {
		if a, err := n.Accept(t.Context(), d.next("info")); err != nil || string(a.Frame) != want {
			t.Errorf("info %d: %q, %v; want %q", i, a.Frame, err, want)
		}
	}
	d.sell(t, n)
	if a, _ := n.Accept(t.Context(), d.next("info")); string(a.Frame) != "info confirmed=false" {
		t.Errorf("info after a sale: %q, want not confirmed", a.Frame)
	}
}

func TestUnknownRegister(t *testing.T) {
	store := testkit.NewMemStore(1)
	n := newNode(t, intake.Config{}, store, store)
	x := frame(1, "sale 1 1 bread")
	for range 2 { // it is not remembered as missing
		if a, err := n.Accept(t.Context(), x); err != nil || a.Reason != fiscal.UnknownRegister || string(a.Frame) != "unknown" {
			t.Errorf("Accept() = %q, %v, %v; want the rules' refusal", a.Frame, a.Reason, err)
		}
	}
	if got := store.Reads("Find"); got != 2 {
		t.Errorf("asked %d times for a register that is not there, want 2", got)
	}
	d := newDevice(t, store, n, 0)
	finds := store.Reads("Find")
	d.sell(t, n)
	d.sell(t, n)
	if got := store.Reads("Find") - finds; got != 1 {
		t.Errorf("asked %d times for a register that is there, want 1", got)
	}
}

func TestRulesFail(t *testing.T) {
	store := testkit.NewMemStore(1)
	n := newNode(t, intake.Config{}, store, store)
	d := newDevice(t, store, n, 0)
	for _, command := range []string{"greedy", "broken"} {
		_, err := n.Accept(t.Context(), d.next(command))
		var e *fiscal.Error
		if kind := fiscal.Internal; err == nil || errors.As(err, &e) && e.Kind() != kind {
			t.Errorf("%s: Accept() = %v, want an internal error", command, err)
		}
	}
	d.sell(t, n)
}

// Many devices on two nodes, with lost answers: every document is stored once,
// every repetition gets the first answer, and the chains hold.
func TestManyDevices(t *testing.T) {
	const devices, documents = 24, 40
	store := testkit.NewMemStore(4)
	nodes := []*node{newNode(t, intake.Config{Cache: 1 << 20}, store, store), newNode(t, intake.Config{}, store, store)}
	var all []*device
	for i := range devices {
		all = append(all, newDevice(t, store, nodes[0], fiscal.Partition(i%4)))
	}
	var work sync.WaitGroup
	for i, d := range all {
		work.Go(func() {
			dice := rand.New(rand.NewPCG(uint64(i), 1))
			for range documents {
				x := d.next([]string{"sale", "sale", "close"}[dice.IntN(3)])
				var first []byte
				for tries := dice.IntN(3); tries >= 0; tries-- {
					a, err := nodes[dice.IntN(2)].Accept(context.Background(), x)
					if err != nil || first != nil && !bytes.Equal(a.Frame, first) {
						t.Errorf("register %d: %q, %v; first answer %q", d.id, a.Frame, err, first)
						return
					}
					first = a.Frame
				}
				d.take(t, fiscal.Answer{Frame: first})
			}
		})
	}
	work.Wait()
	last, carriers := map[fiscal.RegisterID]*journal.Entry{}, map[fiscal.RegisterID]int{}
	for p := range fiscal.Partition(4) {
		page := entries(t, store, p)
		for i := range page {
			e := &page[i]
			var prev journal.Hash
			if l := last[e.Register]; l != nil {
				prev = l.Hash
				if e.Number != l.Number+1 {
					t.Fatalf("register %d: entry %d after %d", e.Register, e.Number, l.Number)
				}
			}
			again := *e
			if again.Link(prev); again.Hash != e.Hash {
				t.Fatalf("register %d: entry %d is not linked", e.Register, e.Number)
			}
			last[e.Register] = e
			if e.Carrier == 0 && e.Kind != fiscal.DocAct {
				carriers[e.Register]++
			}
		}
	}
	for _, d := range all {
		if carriers[d.id] != documents {
			t.Errorf("register %d: %d exchanges stored, want %d", d.id, carriers[d.id], documents)
		}
	}
}
