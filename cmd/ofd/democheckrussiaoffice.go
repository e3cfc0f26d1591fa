package main

import (
	"fmt"
	"time"

	"openofd/internal/access"
	"openofd/internal/fiscal"
	"openofd/internal/registry"
)

// office takes a trader's new register the whole way: the tax service grants it a
// number, its drive is registered with that number and sells, what the trader
// changes is granted, and in the end the register is taken off the record.
func (w *russianWalk) office() (string, error) {
	shop := demoVeranda()
	card, _, err := demoRegister(w.ctx, w.o.core, shop.register)
	if err != nil {
		return "", err
	}
	owner, err := w.owner(card.Taxpayer)
	if err != nil {
		return "", fmt.Errorf("the trader: %w", err)
	}
	if card, err = w.file(owner, card.Register, registry.Enrol, func(f *registry.ApplicationForm) { f.Format = shop.version.String() }); err != nil {
		return "", err
	}
	number := card.RegistrationNumber
	if card.Provisional || !fiscal.ValidRussianNumber(number, string(card.XIN), card.SerialNumber) {
		return "", fmt.Errorf("register %d has the number %q, provisional %v, which does not check", card.Register, number, card.Provisional)
	}
	shop.register.RegistrationNumber = number
	d, err := openRussianCounter(w.ctx, w.o, shop, w.dir)
	if err != nil {
		return "", err
	}
	w.counters = append(w.counters, d)
	if err := w.trade(d, d.sale(), false); err != nil {
		return "", err
	}
	if _, err := d.make(w.ctx, russianDeal{}, d.words.CloseShift()); err != nil {
		return "", err
	}
	if card, err = w.file(owner, card.Register, registry.Reenrol, func(f *registry.ApplicationForm) {
		f.Name, f.Reasons, f.Note = "Веранда, лето", []registry.ApplicationReason{registry.ForOther}, "Другое название"
	}); err != nil {
		return "", err
	}
	if card.Name != "Веранда, лето" || card.RegistrationNumber != number {
		return "", fmt.Errorf("after the change register %d is %q with the number %s, want %s", card.Register, card.Name, card.RegistrationNumber, number)
	}
	if _, err := d.make(w.ctx, russianDeal{}, d.words.CloseDrive()); err != nil {
		return "", err
	}
	if _, err = w.file(owner, card.Register, registry.Remove, func(f *registry.ApplicationForm) { f.Reasons = []registry.ApplicationReason{registry.ForClosing} }); err != nil {
		return "", err
	}
	listed, err := w.o.registry.Show(w.ctx, card.Register)
	if err == nil && listed.State.Status != fiscal.StatusDeregistered {
		err = fmt.Errorf("register %d is %v, want it deregistered", card.Register, listed.State.Status)
	}
	return "number " + number, err
}

// owner is who owns an organization, let in if nobody was.
func (w *russianWalk) owner(t fiscal.TaxpayerID) (*access.Actor, error) {
	if a, err := ownerOf(w.ctx, w.o, t); err == nil {
		return a, nil
	}
	people, err := w.o.people()
	if err != nil {
		return nil, err
	}
	const email = "trader@walk.example"
	u, err := people.AddUser(w.ctx, access.NewUser{Email: email, Name: "Морозова Елена", Password: demoPassword, Language: "ru"}, false)
	if err != nil {
		return nil, err
	}
	if err := people.Place(w.ctx, email, t, access.Owner); err != nil {
		return nil, err
	}
	if _, err := w.o.rooms.office.RecordPaper(w.ctx, t, "demo", "1"); err != nil {
		return nil, err
	}
	return &access.Actor{User: u, Taxpayer: t, Strong: true, Member: access.Member{User: u.ID, Taxpayer: t, Role: access.Owner}}, nil
}

// file signs an application and waits until what was granted is on the register,
// whose card it gives.
func (w *russianWalk) file(owner *access.Actor, r fiscal.RegisterID, kind registry.ApplicationKind, fill func(*registry.ApplicationForm)) (card fiscal.Card, err error) {
	id, err := signApplication(w.ctx, w.o, w.settings, owner, r, kind, fill)
	if err != nil {
		return card, fmt.Errorf("%s: %w", kind, err)
	}
	for {
		a, _, err := w.o.store.ApplicationOf(w.ctx, 0, id)
		switch {
		case err != nil:
			return card, err
		case a.Status == registry.Refused:
			return card, fmt.Errorf("application %d, %s, is refused: %s", id, kind, a.Why.In("ru"))
		case !a.AppliedAt.IsZero():
			listed, err := w.o.registry.Show(w.ctx, r)
			return listed.Card, err
		}
		select {
		case <-w.ctx.Done():
			return card, fmt.Errorf("application %d, %s, is %s still, %s: %w", id, kind, a.Status, a.LastError, w.ctx.Err())
		case <-time.After(20 * time.Millisecond):
		}
	}
}
