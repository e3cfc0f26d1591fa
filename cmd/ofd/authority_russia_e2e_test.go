//go:build linux && (faults || long)

package main

import (
	"context"
	"crypto/rand"
	"errors"
	"os"
	"time"

	"openofd/internal/access"
	device "openofd/internal/device/kkt"
	"openofd/internal/fiscal"
	wire "openofd/internal/protocol/kkt"
	"openofd/internal/registry"
	"openofd/internal/signature"
)

// endTill is a register of Russia under load, whatever becomes of the operator
// and the marking system.
type endTill struct {
	*russianCounter
	e   *endToEnd
	err error
}

// russianTills are two: of a grocery, whose goods are marked, and of a café,
// whose documents are of an older format.
func (e *endToEnd) russianTills() (all []*endTill) {
	e.Helper()
	shops := russianShops()[:2]
	e.beside(func(c *core) {
		for _, shop := range shops {
			shop.register.By = "test"
			made, err := c.registry.AddRegister(e.Context(), shop.register)
			if err != nil {
				e.Fatal(err)
			}
			place := made.Place
			till := &endTill{e: e, russianCounter: &russianCounter{
				shop: shop, card: made.Card, place: place, words: shop.device(demoOperator().INN.Number),
				link: &cuttableKKT{Exchanger: device.NewLink(device.LinkConfig{Addr: e.kkt})}, now: time.Now, rand: newRand(),
			}}
			if till.zone, err = time.LoadLocation(shop.register.Zone); err != nil {
				e.Fatal(err)
			}
			if till.reg, err = till.on(&device.Volatile{}, till.link, 2); err != nil {
				e.Fatal(err)
			}
			e.Cleanup(func() { _ = till.close() })
			all = append(all, till)
		}
	})
	return all
}

// sell sells until load ends. What is not answered waits in the drive.
func (t *endTill) sell(load context.Context) {
	ctx := context.WithoutCancel(load) // a document under way is finished
	t.err = t.ready(ctx)
	for load.Err() == nil && t.err == nil {
		_, t.err = t.trade(ctx, t.sale())
		select {
		case <-load.Done():
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// empty closes the shift and waits until nothing waits in the drive any more. It
// tells how many documents the drive has acknowledgements of, which are all.
func (t *endTill) empty() int {
	t.e.Helper()
	ctx := t.e.Context()
	if t.err == nil {
		_, t.err = t.make(ctx, russianDeal{}, t.words.CloseShift())
	}
	if t.err != nil {
		t.e.Fatalf("drive %s: %v", t.card.Drive, t.err)
	}
	until(t.e.T, "the drive has all its answers", func() bool {
		for _, q := range []device.Queue{device.QueueDocuments, device.QueueNotifications} {
			if _, err := t.reg.Deliver(ctx, q); err != nil && !errors.Is(err, fiscal.Unavailable) {
				t.e.Fatalf("drive %s: %v", t.card.Drive, err)
			}
		}
		s := t.reg.Standing()
		return s.Unsent == 0 && s.UnsentNotifications == 0
	})
	s := t.reg.Standing()
	t.e.beside(func(c *core) {
		row, err := c.store.Row(ctx, t.place)
		if err != nil {
			t.e.Fatal(err)
		}
		drives, err := wire.ParseDrives(row.State.Protocol)
		if err != nil || len(drives) != 1 || int(drives[0].Last) != int(s.Acks) || drives[0].Gaps != nil || drives[0].Marking != nil && drives[0].Marking.Gaps != nil {
			t.e.Errorf("drive %s: the operator knows it as %+v, %v; want %d documents without a gap", t.card.Drive, drives, err, s.Acks)
		}
		if marked := t.shop.conditions != 0; marked && (len(drives) == 0 || drives[0].Marking == nil) {
			t.e.Errorf("drive %s sold no marked goods", t.card.Drive)
		}
	})
	return int(s.Acks)
}

// signRussian founds a trader in Russia with a register, and signs an application
// for it.
func (e *endToEnd) signRussian() (id registry.ApplicationID) {
	e.Helper()
	must := func(err error) {
		e.Helper()
		if err != nil {
			e.Fatal(err)
		}
	}
	issuer, err := newDemoAuthority(time.Now, rand.Reader)
	must(err)
	roots := e.path("roots-ru")
	must(issuer.keep(roots))
	judge, err := signature.Open(signature.Config{Roots: os.DirFS(roots), Now: time.Now})
	must(err)
	e.beside(func(c *core) {
		people, err := c.people()
		must(err)
		office := registry.NewOffice(c.registry, c.store, people.Service, judge, fiscal.Operator{}, c.now)
		in := demoVeranda().register
		in.By, in.Model = "test", "АТОЛ 1Ф"
		made, err := c.registry.AddRegister(e.Context(), in)
		must(err)
		owner := access.Actor{Taxpayer: made.Card.Taxpayer, Strong: true}
		owner.User, err = people.AddUser(e.Context(), access.NewUser{Email: "owner@bereg.example", Name: "Морозова Елена", Password: demoPassword, Language: "ru"}, false)
		must(err)
		must(people.Place(e.Context(), owner.User.Email, made.Card.Taxpayer, access.Owner))
		owner.Member = access.Member{User: owner.User.ID, Taxpayer: owner.Taxpayer, Role: access.Owner}
		_, err = office.RecordPaper(e.Context(), made.Card.Taxpayer, "test", "1")
		must(err)
		a, err := office.DraftApplication(e.Context(), &owner, made.Card.Register, registry.Enrol)
		must(err)
		a.Form.Format = "1.05"
		_, _, err = office.SetApplication(e.Context(), &owner, a.ID, a.Form)
		must(err)
		content, err := office.ApplicationContent(e.Context(), &owner, a.ID)
		must(err)
		file, err := issuer.sign(content, "Морозова Елена", a.Form.XIN)
		must(err)
		_, err = office.SignApplication(e.Context(), &owner, a.ID, file)
		must(err)
		id = a.ID
	})
	return id
}
