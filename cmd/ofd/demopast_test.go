package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"openofd/internal/access"
	"openofd/internal/config"
	"openofd/internal/fiscal"
)

// The past of the demo is made by the real intake on a clock of its own: every
// chain, sign and counter verifies, nothing was accepted with a finding but what
// came late, the same seed makes the same past, and it is made once.
//
// Req: O-001
func TestPast(t *testing.T) {
	until := time.Date(2026, 7, 4, 9, 30, 0, 0, time.UTC) // the month ends in it
	dir := t.TempDir()
	first := madePast(t, dir, until, demoShops(16_000), russianShops())
	for serial, taken := range madePast(t, t.TempDir(), until, demoShops(16_000)[:1], russianShops()[:1]) {
		if taken != first[serial] {
			t.Errorf("the same seed lets register %s take %v, then %v", serial, first[serial], taken)
		}
	}

	start := pastCore(dir)
	start.Now = func() time.Time { return until }
	p := demoPast{days: 10, until: until, seed: pastSeed}
	if n, err := p.make(t.Context(), start, demoShops(16_000), russianShops()); n != 0 || err != nil {
		t.Errorf("at the second start %d documents are made, %v; want none", n, err)
	}
	c, err := startCore(t.Context(), start)
	if err != nil {
		t.Fatal(err)
	}
	defer c.stop()
	if report, err := verifyStore(t.Context(), c, nil); err != nil || report.Bad != nil || report.Entries < 1000 {
		t.Errorf("ofd verify: %+v, %v", report, err)
	}
	blameless(t, c, until)
	people, err := c.people()
	if err != nil {
		t.Fatal(err)
	}
	if all, err := people.People(t.Context(), 0, 100); err != nil || len(all) != len(demoPeople()) {
		t.Errorf("%d people, %v; want %d", len(all), err, len(demoPeople()))
	}
	for _, person := range demoPeople()[:1] {
		if ok, err := knowsPassword(t.Context(), c, people, person.email); !ok || err != nil {
			t.Errorf("%s cannot sign in with the password of the demo: %v", person.email, err)
		}
	}

	if err := os.WriteFile(filepath.Join(dir, pastUnfinished), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := p.make(t.Context(), start, nil, nil); err == nil {
		t.Error("sample data that were not finished are gone on with")
	}
}

func knowsPassword(ctx context.Context, c *core, people access.Operator, email string) (ok bool, err error) {
	all, err := people.People(ctx, 0, 100)
	for i := range all {
		if all[i].Email == email {
			ok = access.VerifyPassword(all[i].Hash, demoPassword)
		}
	}
	return ok, err
}

func pastCore(dir string) coreConfig {
	return coreConfig{Dir: dir, Operator: demoOperator().At(config.Site{URL: "http://localhost"}), Crypto: config.Crypto{Name: config.CryptoSIM1}}
}

// madePast makes ten days and returns what every register has taken.
func madePast(t *testing.T, dir string, until time.Time, kazakhstan []demoShop, russia []russianShop) map[string]fiscal.Money {
	t.Helper()
	p := demoPast{site: "http://localhost", days: 10, until: until, seed: pastSeed}
	if n, err := p.make(t.Context(), pastCore(dir), kazakhstan, russia); n < 200 || err != nil {
		t.Fatalf("%d documents, %v", n, err)
	}
	if _, err := os.Stat(filepath.Join(dir, pastUnfinished)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the mark of an unfinished past is still there: %v", err)
	}
	taken := map[string]fiscal.Money{}
	for _, l := range p.lots {
		switch s := l.seller.(type) {
		case *pastKazakh:
			taken[s.card.SerialNumber] = s.reg.Standing().Counters.GrandTotals[fiscal.OpSale.Index()]
		case *pastRussian:
			taken[s.card.SerialNumber] = s.reg.Standing().Counters.Receipts[fiscal.OpSale.Index()].Total
		}
	}
	return taken
}

// blameless looks at every document: when it came, and with which findings.
func blameless(t *testing.T, c *core, until time.Time) {
	t.Helper()
	all, err := c.registry.Registers(t.Context(), 0, 0, 100)
	if err != nil {
		t.Fatal(err)
	}
	blocked := 0
	for _, r := range all {
		row, err := c.store.Row(t.Context(), fiscal.Place{Partition: r.Partition, Register: r.Card.Register})
		if err != nil {
			t.Fatal(err)
		}
		if row.State.Status == fiscal.StatusBlocked {
			blocked++
		}
		for n := fiscal.Number(1); n <= row.State.LastNumber; n++ {
			e, err := c.store.Entry(t.Context(), r.Partition, r.Card.Register, n)
			if err != nil {
				t.Fatal(err)
			}
			if e.Flags&^(fiscal.FlagReplay|fiscal.FlagCardMade) != 0 || e.Outcome != 0 {
				t.Fatalf("entry %d of register %s: outcome %d, findings %v", n, r.Card.SerialNumber, e.Outcome, e.Flags)
			}
			if e.ReceivedAt.After(until) || e.ReceivedAt.Before(until.AddDate(0, 0, -12)) {
				t.Fatalf("entry %d of register %s came at %v", n, r.Card.SerialNumber, e.ReceivedAt)
			}
		}
	}
	if blocked != 1 {
		t.Errorf("%d registers are blocked, want one", blocked)
	}
}

// Whatever day it is, a register's day has its events in order and within it.
func TestDayOfLife(t *testing.T) {
	for _, shop := range demoShops(16_000) {
		r := newRand()
		for back := range 130 {
			date := time.Date(2026, 3, 29, 0, 0, 0, 0, time.UTC).AddDate(0, 0, -back)
			all := shop.life.day(date, back, r)
			for i, e := range all {
				if i > 0 && e.at.Before(all[i-1].at) || e.at.Before(date) || e.at.After(date.AddDate(0, 0, 1)) {
					t.Fatalf("%s, %v: event %d of %v at %v", shop.register.SerialNumber, date, i, e.deed, e.at)
				}
			}
		}
	}
}
