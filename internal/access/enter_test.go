package access_test

import (
	"slices"
	"testing"
	"time"

	"openofd/internal/access"
	"openofd/internal/fiscal"
)

// TestEnter: who shows a signature gets the place that is theirs and no other: the
// first is the owner, an invitation gives what it says, the law gives what it
// gives, and everybody else is refused. A till's key may no more than the person.
//
// Req: E-044, E-047, P-058
func TestEnter(t *testing.T) {
	h := newHouse(t, access.Config{})
	shop, ctx := h.taxpayer("123456789011"), t.Context()
	comes := func(email string) *access.Actor {
		h.must(h.AskLink(ctx, email, "ru"))
		a, err := h.Prove(ctx, access.NewUser{Email: email, Code: h.letter(access.MailLink, email).Code, Name: "Бір Адам", Language: "ru"}, here)
		h.must(err)
		return &a
	}
	at := func(a *access.Actor) *access.Actor {
		in, err := h.At(ctx, *a, shop)
		h.must(err)
		return &in
	}
	asel := comes("asel@example.kz")
	h.must(h.Enter(ctx, asel, shop, "Казына", access.Administrator))
	if asel = at(asel); asel.Member.Role != access.Owner {
		t.Fatalf("the first is %s, want the owner", asel.Member.Role)
	}
	h.must(h.Enter(ctx, asel, shop, "Казына", access.Administrator))
	if r := at(asel).Member.Role; r != access.Owner {
		t.Errorf("once more makes the owner %s", r)
	}

	// Signed by somebody without a power of their own.
	berik := comes("berik@example.kz")
	h.wants("an employee who is not invited", h.Enter(ctx, berik, shop, "Казына", ""), fiscal.AlreadyThere, "organization")
	h.must(h.Invite(ctx, asel, "berik@example.kz", access.Technician, nil, "Казына", "ru"))
	h.must(h.Enter(ctx, berik, shop, "Казына", ""))
	berik = at(berik)
	if berik.Member.Role != access.Technician || berik.Member.User == asel.User.ID {
		t.Errorf("the employee is %+v, want a technician of their own", berik.Member)
	}
	// By law.
	dana := comes("dana@example.kz")
	h.must(h.Enter(ctx, dana, shop, "Казына", access.Administrator))
	if dana = at(dana); dana.Member.Role != access.Administrator {
		t.Errorf("the head is %+v, want an administrator", dana.Member)
	}
	if m := h.letter(access.MailEntered, "asel@example.kz"); m.Name != "Казына" || m.Who != "Бір Адам, dana@example.kz" {
		t.Errorf("the owner's letter is %+v", m)
	}
	// An invitation goes before the law.
	h.must(h.Invite(ctx, asel, "erlan@example.kz", access.Viewer, nil, "Казына", "ru"))
	erlan := comes("erlan@example.kz")
	h.must(h.Enter(ctx, erlan, shop, "Казына", access.Administrator))
	if r := at(erlan).Member.Role; r != access.Viewer {
		t.Errorf("who is invited as a viewer is %s", r)
	}

	// Keys.
	wide := access.NewKey{Name: "till", Scopes: access.SeeStatus | access.IssueToken | access.Apply, Ends: h.clock.Add(time.Hour)}
	_, _, err := h.MakeKey(ctx, berik, wide)
	h.wants("a technician who makes a key in the cabinet", err, fiscal.Denied, "manage_keys")
	token, _, err := h.LinkKey(ctx, berik, wide)
	h.must(err)
	program, _, err := h.ResumeKey(ctx, token, here)
	h.must(err)
	for _, r := range access.Rights() {
		if want := slices.Contains([]access.Right{access.SeeStatus, access.IssueToken}, r); program.May(r) != want {
			t.Errorf("the technician's key may %s: %t", r, !want)
		}
	}
	_, _, err = h.LinkKey(ctx, berik, access.NewKey{Name: "till", Scopes: access.Apply, Ends: wide.Ends})
	h.wants("a key with nothing left", err, fiscal.Denied, "scopes")
	_, _, err = h.LinkKey(ctx, &program, wide)
	h.wants("a key that makes keys", err, fiscal.Denied, "key")

	// Invitations without a signature.
	h.must(h.Invite(ctx, asel, "zhan@example.kz", access.Technician, nil, "Казына", "ru"))
	h.must(h.AskLink(ctx, "zhan@example.kz", "ru"))
	code := h.letter(access.MailLink, "zhan@example.kz").Code
	h.wants("a wrong code", h.Awaited(ctx, "zhan@example.kz", "000000", shop), fiscal.BadValue, "code")
	h.wants("an organization that is not", h.Awaited(ctx, "zhan@example.kz", code, 0), fiscal.NothingThere, "invitation")
	h.must(h.Awaited(ctx, "zhan@example.kz", code, shop))
	h.must(h.Awaited(ctx, "zhan@example.kz", code, shop)) // nothing is used up
}
