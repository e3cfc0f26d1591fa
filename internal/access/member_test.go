package access_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"openofd/internal/access"
	"openofd/internal/fiscal"
)

// TestRoleMatrix is what each role may do, as a person reads it.
//
// Req: P-058, P-083, E-090, O-041
func TestRoleMatrix(t *testing.T) {
	all := access.Rights()
	want := map[access.Role][]access.Right{
		access.Owner:         all,
		access.Administrator: all,
		access.Accountant:    {access.SeeStatus, access.SeeRevenue, access.SeeDocuments, access.SeeAudit},
		access.Manager:       {access.SeeStatus, access.SeeRevenue, access.EditOutlets, access.EditRegisters},
		access.Technician:    {access.SeeStatus, access.EditRegisters, access.IssueToken},
		access.Viewer:        {access.SeeStatus, access.SeeRevenue},
		access.ServiceCenter: {access.SeeStatus, access.SeeDocuments, access.EditRegisters, access.IssueToken},
		"nobody":             nil,
	}
	for role, rights := range want {
		a := access.Actor{User: access.User{ID: 1}, Taxpayer: 5, Member: access.Member{User: 1, Taxpayer: 5, Role: role}}
		for _, r := range all {
			if got, want := a.May(r), slices.Contains(rights, r); got != want {
				t.Errorf("%s may %s: %t, want %t", role, r, got, want)
			}
			if r.String() == "" {
				t.Errorf("right %d has no name", r)
			}
		}
		for what, spoil := range map[string]func(*access.Actor){
			"another organization": func(a *access.Actor) { a.Taxpayer = 6 },
			"another person":       func(a *access.Actor) { a.User.ID = 2 },
			"none":                 func(a *access.Actor) { a.Taxpayer, a.Member.Taxpayer = 0, 0 },
			"shut out":             func(a *access.Actor) { a.User.Disabled = true },
		} {
			b := a
			if spoil(&b); b.May(access.SeeStatus) {
				t.Errorf("%s of %s may see", role, what)
			}
		}
	}
}

// TestPlaces: an organization is founded once, people come by invitation alone,
// and none sees or changes another one's.
//
// Req: E-044, E-047, P-058, P-084
func TestPlaces(t *testing.T) {
	h := newHouse(t, access.Config{})
	shop, other := h.taxpayer("123456789011"), h.taxpayer("600400000011")
	sign := func(email string) func() *access.Actor {
		h.person(email)
		token, _, err := h.SignIn(t.Context(), email, strong, here)
		h.must(err)
		return func() *access.Actor { return h.actor(token) }
	}
	asel, berik, vera := sign("asel@example.kz"), sign("berik@example.kz"), sign("vera@example.kz")
	h.must(h.Found(t.Context(), asel(), shop, "Казына"))
	h.must(h.Found(t.Context(), asel(), shop, "Казына")) // again is no error
	h.wants("founding what has an owner", h.Found(t.Context(), berik(), shop, "Казына"), fiscal.AlreadyThere, "organization")
	h.must(h.Found(t.Context(), vera(), other, "Другая"))
	if a := asel(); a.Taxpayer != shop || !a.May(access.ManageUsers) {
		t.Fatalf("the founder is %+v", a.Member)
	}

	h.wants("joining uninvited", h.Join(t.Context(), berik(), shop), fiscal.NotFound, "")
	h.wants("inviting without a place", h.Invite(t.Context(), berik(), "x@example.kz", access.Viewer, nil, "", ""), fiscal.Denied, "manage_users")
	h.wants("a role that is none", h.Invite(t.Context(), asel(), "x@example.kz", "king", nil, "", ""), fiscal.BadValue, "role")
	h.must(h.Invite(t.Context(), asel(), "Berik@example.kz", access.Manager, []fiscal.OutletID{7}, "Казына", "ru"))
	if m := h.letter(access.MailInvited, "berik@example.kz"); m.Name != "Казына" || m.Who != "Әсел Нұрланқызы" || m.Language != "kk" {
		t.Errorf("letter %+v", m)
	}
	if _, invited, err := h.Places(t.Context(), berik()); err != nil || len(invited) != 1 {
		t.Errorf("invitations of berik: %v, %v", invited, err)
	}
	h.wants("joining with another's invitation", h.Join(t.Context(), vera(), shop), fiscal.NotFound, "")
	h.must(h.Join(t.Context(), berik(), shop))
	if b := berik(); b.Member.Role != access.Manager || !b.Sees(7) || b.Sees(8) || b.May(access.ManageUsers) {
		t.Errorf("berik is %+v", b.Member)
	}
	h.wants("inviting who is there", h.Invite(t.Context(), asel(), "berik@example.kz", access.Viewer, nil, "", ""), fiscal.AlreadyThere, "email")

	admin := asel().User.ID
	h.wants("the last owner goes", h.Remove(t.Context(), asel(), admin), fiscal.Conflict, "role")
	h.wants("the last owner is made less", h.SetRole(t.Context(), asel(), admin, access.Viewer, nil), fiscal.Conflict, "role")
	h.must(h.SetRole(t.Context(), asel(), berik().User.ID, access.Administrator, nil))
	h.wants("an administrator makes an owner", h.SetRole(t.Context(), berik(), berik().User.ID, access.Owner, nil), fiscal.Denied, "role")
	h.wants("an administrator removes an owner", h.Remove(t.Context(), berik(), admin), fiscal.Denied, "role")
	h.wants("somebody of another organization", h.SetRole(t.Context(), asel(), vera().User.ID, access.Viewer, nil), fiscal.NotFound, "user")
	h.wants("choosing a foreign organization", h.Choose(t.Context(), vera(), shop), fiscal.NotFound, "")
	h.wants("a foreign audit", func() error {
		b := *vera()
		b.Taxpayer = shop
		_, err := h.Audit(t.Context(), &b, 0, 10)
		return err
	}(), fiscal.Denied, "see_audit")

	b := berik()
	h.must(h.Remove(t.Context(), asel(), b.User.ID))
	if b = berik(); b.Taxpayer != 0 || b.May(access.SeeStatus) {
		t.Errorf("removed, berik still is %+v", b.Member)
	}
	records, err := h.Audit(t.Context(), asel(), 0, 100)
	h.must(err)
	var acts []access.Act
	for _, r := range records {
		acts = append(acts, r.Act)
	}
	if want := []access.Act{access.ActRemoved, access.ActRoleChanged, access.ActJoined, access.ActInvited, access.ActFounded}; !slices.Equal(acts, want) {
		t.Errorf("audit %v, want %v", acts, want)
	}
	slices.Reverse(records)
	h.must(access.VerifyChain(records))

	h.must(h.Invite(t.Context(), asel(), "late@example.kz", access.Viewer, nil, "", ""))
	if people, invited, err := h.Members(t.Context(), asel()); err != nil || len(people) != 1 || len(invited) != 1 || people[0].Email != "asel@example.kz" {
		t.Errorf("Members = %+v, %+v, %v", people, invited, err)
	}
	h.person("late@example.kz")
	h.clock = h.clock.Add(15 * 24 * time.Hour)
	token, _, err := h.SignIn(t.Context(), "late@example.kz", strong, here)
	h.must(err)
	h.wants("an invitation that ended", h.Join(t.Context(), h.actor(token), shop), fiscal.NotFound, "invitation")
}

// TestLooked: a look of staff at an organization's data stands in that
// organization's own audit.
func TestLooked(t *testing.T) {
	h := newHouse(t, access.Config{})
	shop := h.taxpayer("123456789011")
	a := h.person("staff@example.kz")
	h.wants("somebody else", h.Looked(t.Context(), a, shop, "register 1", "письмо 7"), fiscal.Denied, "staff")
	a.User.Staff, a.Strong = true, true
	h.must(h.Looked(t.Context(), a, shop, "register 1", "письмо 7"))
	all, err := h.db.Audit(t.Context(), shop, 0, 10)
	if err != nil || len(all) != 1 || all[0].Act != access.ActLooked || all[0].Detail != "письмо 7" {
		t.Errorf("audit %+v, %v", all, err)
	}
}

// A letter that cannot be kept is told, and what was changed stands.
func TestNoMail(t *testing.T) {
	h := newHouse(t, access.Config{})
	h.noMail = errors.New("no room")
	if err := h.SignUp(t.Context(), "asel@example.kz", "kk"); !errors.Is(err, h.noMail) {
		t.Errorf("SignUp: %v", err)
	}
}
