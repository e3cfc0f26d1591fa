package intake_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"openofd/internal/fiscal"
	"openofd/internal/intake"
	"openofd/internal/testkit"
)

// A number that leads nowhere may be led to a register; where it is not, the
// reason stands among what was refused, and a store that is down is no refusal.
func TestFoundHook(t *testing.T) {
	store := testkit.NewMemStore(1)
	var made *device
	var n *node
	fail := error(&fiscal.Error{Reason: fiscal.NothingThere, Msg: "a stranger"})
	n = newNode(t, intake.Config{Found: func(ctx context.Context, x *fiscal.Exchange) (fiscal.Place, error) {
		if end, bounded := ctx.Deadline(); !bounded || time.Until(end) > time.Minute {
			t.Errorf("founding may last until %v, want the exchange's deadline", end)
		}
		if fail != nil {
			return fiscal.Place{}, fail
		}
		made = newDevice(t, store, n, 0)
		return fiscal.Place{Register: made.id}, store.AddAddress(ctx, x.Address, made.id)
	}}, store, store)

	x := frame(7, "sale 1 1 bread")
	x.Address = fiscal.Address{Kind: fiscal.ByDrive, Name: "9999078902001234"}
	if a, err := n.Accept(t.Context(), x); err != nil || a.Reason != fiscal.UnknownRegister {
		t.Errorf("of a stranger: %v, %v; want UnknownRegister", a.Reason, err)
	}
	fail = &fiscal.Error{Reason: fiscal.StoreDown}
	if _, err := n.Accept(t.Context(), x); !errors.Is(err, fiscal.Unavailable) {
		t.Errorf("while the store is down: %v, want Unavailable", err)
	}
	fail = nil
	if a, err := n.Accept(t.Context(), x); err != nil || a.Reason != fiscal.StaleToken || made == nil {
		t.Errorf("founded: %v, %v; want what the rules say of a new register", a.Reason, err)
	}
	first := made
	if _, err := n.Accept(t.Context(), x); err != nil || made != first {
		t.Errorf("the number leads to the register now, and another was made: %v", err)
	}
}

// Rules get what they need by sign, and learn whether a number is free; a number
// that is led here leads here from then on.
func TestNeedsSignAndLead(t *testing.T) {
	store := testkit.NewMemStore(1)
	n := newNode(t, intake.Config{}, store, store)
	d, other := newDevice(t, store, n, 0), newDevice(t, store, n, 0)
	free, taken := fiscal.Address{Kind: fiscal.ByRegistrationNumber, Name: "1"}, fiscal.Address{Kind: fiscal.ByRegistrationNumber, Name: "2"}
	if err := store.AddAddress(t.Context(), taken, other.id); err != nil {
		t.Fatal(err)
	}
	var found fiscal.Found
	for name, needs := range map[string]fiscal.Needs{"free": {Lead: &free}, "taken": {Lead: &taken}, "sign": {Sign: &fiscal.SignQuery{Drive: "9", Sign: 1, Before: 5}}} {
		n.rules.needs = &needs
		n.rules.found = func(f fiscal.Found) { found = f }
		d.sell(t, n)
		if found.Rounds != 1 || !found.Asked || found.Taken != (name == "taken") || len(found.BySign) != 0 {
			t.Errorf("%s: found %+v", name, found)
		}
	}
	if p, err := store.Find(t.Context(), free); err != nil || p.Register != d.id {
		t.Errorf("Find(%s) = %+v, %v; want register %d", free.Name, p, err, d.id)
	}
	if p, err := store.Find(t.Context(), taken); err != nil || p.Register != other.id {
		t.Errorf("Find(%s) = %+v, %v; want register %d", taken.Name, p, err, other.id)
	}
}
