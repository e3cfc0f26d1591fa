package access_test

import (
	"strings"
	"testing"
	"time"

	"openofd/internal/access"
	"openofd/internal/fiscal"
)

// keep makes a key of an actor's.
func (h *house) keep(a *access.Actor, scopes access.Right, outlets ...fiscal.OutletID) (string, access.APIKey) {
	h.Helper()
	token, k, err := h.MakeKey(h.Context(), a, access.NewKey{Name: "Касса 1", Scopes: scopes, Outlets: outlets, Ends: h.clock.Add(24 * time.Hour)})
	h.must(err)
	return token, k
}

// TestKeys: a key does what its scopes and its maker may, and not more, from its
// making until its end; it makes nobody and nothing greater than itself.
//
// Req: P-058, P-083
func TestKeys(t *testing.T) {
	h := newHouse(t, access.Config{})
	shop := h.taxpayer("960624350642")
	owner, helper := h.person("owner@example.kz"), h.person("helper@example.kz")
	h.must(h.Found(t.Context(), owner, shop, "Казына"))
	owner = h.again(owner)
	h.must(h.Invite(t.Context(), owner, "helper@example.kz", access.Administrator, nil, "Казына", "ru"))
	h.must(h.Join(t.Context(), helper, shop))
	helper = h.again(helper)

	day := h.clock.Add(24 * time.Hour)
	for _, tt := range []struct {
		name  string
		in    access.NewKey
		want  error
		field string
	}{
		{"no name", access.NewKey{Name: " ", Scopes: access.SeeStatus, Ends: day}, fiscal.MissingParameter, "key_name"},
		{"a long name", access.NewKey{Name: strings.Repeat("ә", 65), Scopes: access.SeeStatus, Ends: day}, fiscal.BadValue, "key_name"},
		{"no scopes", access.NewKey{Name: "k", Ends: day}, fiscal.MissingParameter, "scopes"},
		{"a right that is none", access.NewKey{Name: "k", Scopes: 1 << 15, Ends: day}, fiscal.BadValue, "scopes"},
		{"an end that was", access.NewKey{Name: "k", Scopes: access.SeeStatus, Ends: h.clock}, fiscal.BadValue, "ends"},
		{"an end far away", access.NewKey{Name: "k", Scopes: access.SeeStatus, Ends: h.clock.AddDate(3, 0, 0)}, fiscal.BadValue, "ends"},
	} {
		_, _, err := h.MakeKey(t.Context(), helper, tt.in)
		h.wants(tt.name, err, tt.want, tt.field)
	}

	token, key := h.keep(helper, access.SeeStatus|access.ManageUsers|access.ManageKeys, 1, 2)
	if len(token) != access.KeyLen || !strings.HasPrefix(token, key.Begins) || !strings.HasPrefix(token, "ofd_") {
		t.Errorf("the token is %q, its key begins with %q", token, key.Begins)
	}
	a, _, err := h.ResumeKey(t.Context(), token, here)
	h.must(err)
	if !a.May(access.SeeStatus) || a.May(access.SeeRevenue) || a.MustStaff() == nil || !a.Sees(1) || a.Sees(3) {
		t.Errorf("the key acts as %+v", a)
	}
	_, _, err = h.MakeKey(t.Context(), &a, access.NewKey{Name: "k", Scopes: access.SeeStatus, Ends: day})
	h.wants("a key of a key", err, fiscal.Denied, "key")
	h.wants("a role greater than the key", h.Invite(t.Context(), &a, "x@example.kz", access.Administrator, []fiscal.OutletID{1}, "", "ru"), fiscal.Denied, "role")
	h.must(h.Note(t.Context(), &a, "register_added", "7", ""))
	if all, err := h.db.Audit(t.Context(), shop, 0, 1); err != nil || all[0].Who != "helper@example.kz (key 1)" {
		t.Errorf("recorded as %+v, %v", all, err)
	}

	plain, _ := h.keep(owner, access.ManageUsers)
	by, _, err := h.ResumeKey(t.Context(), plain, here)
	h.must(err)
	h.wants("a role greater than the key", h.Invite(t.Context(), &by, "x@example.kz", access.Viewer, nil, "", "ru"), fiscal.Denied, "role")
	weak, _ := h.keep(owner, access.SeeStatus)
	by, _, err = h.ResumeKey(t.Context(), weak, here)
	h.must(err)
	h.wants("leaving by a key", h.Remove(t.Context(), &by, owner.User.ID), fiscal.Denied, "manage_users")

	list, err := h.APIKeys(t.Context(), owner)
	h.must(err)
	if len(list) != 3 || list[2].Maker != "helper@example.kz" || list[2].Now != key.Scopes || list[2].Used != h.clock {
		t.Errorf("the list is %+v", list)
	}

	// What the maker loses the key loses, and what they are limited to it is.
	h.must(h.SetRole(t.Context(), owner, helper.User.ID, access.Viewer, []fiscal.OutletID{2, 3}))
	a, _, err = h.ResumeKey(t.Context(), token, here)
	h.must(err)
	if a.May(access.ManageUsers) || !a.May(access.SeeStatus) || a.Sees(1) || !a.Sees(2) || a.Sees(3) {
		t.Errorf("after its maker became a viewer the key acts as %+v", a)
	}
	h.must(h.SetRole(t.Context(), owner, helper.User.ID, access.Viewer, []fiscal.OutletID{3}))
	_, _, err = h.ResumeKey(t.Context(), token, here)
	h.wants("a key without an outlet", err, fiscal.Unauthenticated, "key")
	h.must(h.SetRole(t.Context(), owner, helper.User.ID, access.Administrator, nil))
	h.must(h.Remove(t.Context(), owner, helper.User.ID))
	_, _, err = h.ResumeKey(t.Context(), token, here)
	h.wants("a key whose maker is gone", err, fiscal.Unauthenticated, "key")

	h.must(h.EndKey(t.Context(), owner, key.ID))
	h.wants("ending it twice", h.EndKey(t.Context(), owner, key.ID), fiscal.NothingThere, "key")
	stranger := h.person("stranger@example.kz")
	other := h.taxpayer("220540013371")
	h.must(h.Found(t.Context(), stranger, other, "Оспанов"))
	stranger = h.again(stranger)
	h.wants("another's key", h.EndKey(t.Context(), stranger, 2), fiscal.NothingThere, "key")
	h.clock = h.clock.Add(24 * time.Hour)
	for _, k := range []string{token, plain, "ofd_" + strings.Repeat("A", 43), "", "ofd_"} {
		_, _, err = h.ResumeKey(t.Context(), k, here)
		h.wants("a key that opens nothing", err, fiscal.Unauthenticated, "key")
	}
	if got := h.acts(shop, 1); got[0] != access.ActKeyEnded {
		t.Errorf("the last act is %v", got)
	}
}

// TestOnce: a named request is done once, its answer is given again and to
// nobody else, and a refused one may be made again.
func TestOnce(t *testing.T) {
	h := newHouse(t, access.Config{})
	shop := h.taxpayer("960624350642")
	owner := h.person("owner@example.kz")
	h.must(h.Found(t.Context(), owner, shop, "Казына"))
	owner = h.again(owner)
	token, _ := h.keep(owner, access.SeeStatus)
	a, _, err := h.ResumeKey(t.Context(), token, here)
	h.must(err)
	once := func(name, request string) (string, bool, error) {
		answer, again, err := h.Once(t.Context(), &a, name, []byte(request))
		return string(answer), again, err
	}
	for _, name := range []string{"", "two words", strings.Repeat("a", 129), "ә"} {
		_, _, err := once(name, "x")
		h.wants("a name that is none", err, fiscal.BadValue, "Idempotency-Key")
	}
	if answer, again, err := once("n1", "POST a"); err != nil || again {
		t.Fatalf("the first time = %q, %v, %v", answer, again, err)
	}
	_, _, err = once("n1", "POST a")
	h.wants("the same while it is under way", err, fiscal.Conflict, "Idempotency-Key")
	h.must(h.Replied(t.Context(), &a, "n1", []byte("POST a"), []byte("token 1234")))
	if answer, again, err := once("n1", "POST a"); err != nil || !again || answer != "token 1234" {
		t.Errorf("once more = %q, %v, %v", answer, again, err)
	}
	_, _, err = once("n1", "POST b")
	h.wants("another request by the name", err, fiscal.RetryDiffers, "Idempotency-Key")
	if _, _, err = once("n2", "POST a"); err != nil {
		t.Error(err)
	}
	h.must(h.Forgo(t.Context(), &a, "n2"))
	if _, again, err := once("n2", "POST c"); err != nil || again {
		t.Errorf("after a refusal = %v, %v", again, err)
	}
	h.clock = h.clock.Add(3 * time.Minute) // its node was lost
	if _, again, err := once("n2", "POST c"); err != nil || again {
		t.Errorf("what was lost = %v, %v", again, err)
	}
	h.clock = h.clock.Add(24 * time.Hour)
	if _, again, err := once("n1", "POST b"); err != nil || again {
		t.Errorf("a day later = %v, %v", again, err)
	}
	if n, err := h.Sweep(t.Context()); err != nil || n != 3 { // two sessions, and n2
		t.Errorf("Sweep = %d, %v, want 3", n, err)
	}
}

// again is a person in the organization they chose since.
func (h *house) again(a *access.Actor) *access.Actor {
	h.Helper()
	token, _, err := h.SignIn(h.Context(), a.User.Email, strong, here)
	h.must(err)
	return h.actor(token)
}
