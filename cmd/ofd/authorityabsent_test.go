package main

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"openofd/internal/authority/fns"
	"openofd/internal/authority/kgd"
	"openofd/internal/config"
	"openofd/internal/delivery"
	"openofd/internal/fiscal"
	"openofd/internal/follow"
)

// awaySender is an authority that cannot be reached until it is back.
type awaySender struct {
	keptSender
	back bool // guarded by mu
}

func (s *awaySender) Send(ctx context.Context, docs []delivery.Document) ([]delivery.Refusal, error) {
	s.mu.Lock()
	back := s.back
	s.mu.Unlock()
	if !back {
		return nil, &fiscal.Error{Of: fiscal.Unavailable, Field: "far", Err: delivery.NoWay}
	}
	return s.keptSender.Send(ctx, docs)
}

// The stops of 72 hours and of 30 days are those of a register that has not
// reached its operator. That the operator does not reach an authority, for
// longer than either, stops no register: every document is accepted, nothing is
// blocked, and once the authority is back it gets all of them.
//
// Req: P-008, P-014, O-060
func TestAuthorityAbsentForAMonth(t *testing.T) {
	const days = 33
	lot := &pastLot{rand: rand.New(rand.NewPCG(3, 4)), at: time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC), zone: moscow}
	c := longAgo(t, coreConfig{Dir: t.TempDir(), Serve: true, Operator: demoOperator().At(config.Site{URL: "http://localhost"}), Crypto: config.Crypto{Name: config.CryptoSIM1}}, lot.clock)
	lot.link = &pastLink{ctx: t.Context(), core: c, now: lot.clock}
	past := &demoPast{core: c, site: "http://localhost"}
	kazakh := must(past.kazakh(t.Context(), lot, demoShops(16_000)[0]))
	russian := must(past.russian(t.Context(), lot, demoCafe()))

	far := map[string]*awaySender{kgd.Name: {}, fns.Name: {}}
	ways := []*delivery.Delivery{
		delivery.New(kgd.NewWording(c.openKazakh, c.store), far[kgd.Name], c.store, nil, lot.clock),
		delivery.New(fns.Wording{Documents: c.drives(), NoKey: noKey}, far[fns.Name], c.store, nil, lot.clock),
	}
	sellers := []pastSeller{kazakh, russian}
	for _, s := range sellers {
		if err := s.begin(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	for day := range days {
		for _, s := range sellers {
			for _, do := range []func(context.Context) error{s.morning, s.customer, s.evening} {
				if err := do(t.Context()); err != nil {
					t.Fatalf("day %d of the authority's absence, register %d: %v", day, s.register(), err)
				}
				lot.at = lot.at.Add(time.Minute)
			}
		}
		lot.at = lot.at.Add(24*time.Hour - time.Duration(len(sellers))*3*time.Minute)
		if day == 0 || day == days-1 {
			stuckOn(t, c, ways)
		}
	}
	for _, s := range sellers {
		l, err := c.store.Register(t.Context(), s.register())
		if err != nil {
			t.Fatal(err)
		}
		if l.State.Status != fiscal.StatusActive || l.State.LastNumber < 3*days {
			t.Errorf("register %d is %v with %d entries, want it active with %d at least", s.register(), l.State.Status, l.State.LastNumber, 3*days)
		}
	}
	for _, w := range ways {
		f := far[w.ID().Name]
		f.mu.Lock()
		f.back = true
		f.mu.Unlock()
		followedToEnd(t, c, w)
		if len(f.docs) < 3*days {
			t.Errorf("%s got %d documents, want %d at least", w.ID().Name, len(f.docs), 3*days)
		}
	}
}

// stuckOn lets delivery try until its failure is noted for whoever looks, with
// words that tell the trouble.
func stuckOn(t *testing.T, c *core, ways []*delivery.Delivery) {
	t.Helper()
	ctx, end := context.WithCancel(t.Context())
	var running sync.WaitGroup
	defer running.Wait()
	defer end()
	for _, w := range ways {
		r := follow.New(follow.Config{Groups: c.store.groups, Holder: holder(), Poll: 10 * time.Millisecond}, c.store, w, slog.New(slog.DiscardHandler), nil, time.Now)
		running.Go(func() { r.Run(ctx) })
		until(t, "the operator is told that "+w.ID().Name+" is away", func() bool {
			s, err := follow.Stands(ctx, c.store, w.ID())
			return err == nil && len(s.Stuck()) > 0 && delivery.TroubleIn(s.Stuck()[0].Failure.Why) == delivery.NoWay
		})
	}
}
