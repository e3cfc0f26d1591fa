package room

import (
	"net/http"
	"strconv"

	"openofd/internal/access"
	"openofd/internal/fiscal"
	"openofd/internal/web/ui"
)

// overviewPage is the first page of the cabinet.
type overviewPage struct {
	Name    string
	Places  []placeRow
	Invited []placeRow
	CanLink bool   // an organization, by its signature
	Today   *today // nil: nothing to tell
	Urgent  *urgent
}

type placeRow struct {
	Taxpayer fiscal.TaxpayerID
	Title    string
	Role     access.Role
	Current  bool
	Ends     string
}

func (h *Handler) overview(w http.ResponseWriter, r *http.Request, a *visitor) {
	in, invited, err := h.access.Places(r.Context(), a.Actor)
	if err != nil {
		h.render.Error(w, r, err)
		return
	}
	if h.atTheDesk(a) && len(in)+len(invited) == 0 {
		h.staffStart(w, r, a)
		return
	}
	p := overviewPage{Name: a.User.Name, CanLink: h.cfg.Office != nil}
	if p.Today, err = h.today(r, a); err != nil {
		h.render.Error(w, r, err)
		return
	}
	if p.Urgent, err = h.urgent(r, a); err != nil {
		h.render.Error(w, r, err)
		return
	}
	add := func(to *[]placeRow, row placeRow) {
		if err != nil {
			return
		}
		var o Organization
		o, err = h.known.Organization(r.Context(), row.Taxpayer)
		row.Title = o.Title.In(a.locale.Lang)
		*to = append(*to, row)
	}
	for _, m := range in {
		add(&p.Places, placeRow{Taxpayer: m.Taxpayer, Role: m.Role, Current: m.Taxpayer == a.Taxpayer})
	}
	for _, i := range invited {
		add(&p.Invited, placeRow{Taxpayer: i.Taxpayer, Role: i.Role, Ends: a.when(i.Ends)})
	}
	if err != nil {
		h.render.Error(w, r, err)
		return
	}
	h.page(w, r, a, http.StatusOK, "overview.html", "/cabinet", "room.overview", p)
}

// more lists the sections that a phone's bar has no place for.
func (h *Handler) more(w http.ResponseWriter, r *http.Request, a *visitor) {
	h.page(w, r, a, http.StatusOK, "more.html", "/more", "room.more", h.sections(a, ""))
}

func taxpayerOf(r *http.Request) fiscal.TaxpayerID {
	n, err := strconv.ParseInt(r.PostFormValue("taxpayer"), 10, 64)
	if err != nil {
		return 0 // nobody's
	}
	return fiscal.TaxpayerID(n)
}

func (h *Handler) choose(w http.ResponseWriter, r *http.Request, a *visitor) {
	if err := h.access.Choose(r.Context(), a.Actor, taxpayerOf(r)); err != nil {
		h.render.Error(w, r, err)
		return
	}
	http.Redirect(w, r, "/cabinet", http.StatusSeeOther)
}

func (h *Handler) join(w http.ResponseWriter, r *http.Request, a *visitor) {
	if err := h.access.Join(r.Context(), a.Actor, taxpayerOf(r)); err != nil {
		h.render.Error(w, r, err)
		return
	}
	done(w, r, "/cabinet", "joined")
}

// peoplePage are the people of an organization.
type peoplePage struct {
	form
	People  []access.Colleague
	Invited []invitedRow
	Roles   []access.Role // that the actor may give
	Role    access.Role   // chosen in the form
	Self    access.UserID
}

type invitedRow struct {
	access.Invitation
	Until string
}

func (h *Handler) people(w http.ResponseWriter, r *http.Request, a *visitor) {
	h.peoplePage(w, r, a, http.StatusOK, inviteForm(""), access.Viewer)
}

func inviteForm(email string) form {
	return form{Fields: map[string]ui.Field{"email": emailField(email)}}
}

func (h *Handler) peoplePage(w http.ResponseWriter, r *http.Request, a *visitor, status int, f form, role access.Role) {
	p := peoplePage{form: f, Role: role, Self: a.User.ID}
	var err error
	var waiting []access.Invitation
	if p.People, waiting, err = h.access.Members(r.Context(), a.Actor); err != nil {
		h.render.Error(w, r, err)
		return
	}
	for _, i := range waiting {
		p.Invited = append(p.Invited, invitedRow{i, a.when(i.Ends)})
	}
	p.Roles = access.Roles()
	if a.Member.Role != access.Owner {
		p.Roles = p.Roles[1:]
	}
	h.page(w, r, a, status, "people.html", "/people", "room.people", p)
}

func (h *Handler) invite(w http.ResponseWriter, r *http.Request, a *visitor) {
	email, role := r.PostFormValue("email"), access.Role(r.PostFormValue("role"))
	err := h.access.Invite(r.Context(), a.Actor, email, role, nil, a.Title.In(a.locale.Lang), a.locale.Lang)
	h.changed(w, r, a, err, inviteForm(email), role, "invited")
}

// changed ends a change to the people.
func (h *Handler) changed(w http.ResponseWriter, r *http.Request, a *visitor, err error, f form, role access.Role, what string) {
	if err == nil {
		done(w, r, "/people", what)
		return
	}
	status, ok := f.wrong(a.locale, err)
	if !ok || !a.May(access.ManageUsers) {
		h.render.Error(w, r, err)
		return
	}
	h.peoplePage(w, r, a, status, f, role)
}

func (h *Handler) withdraw(w http.ResponseWriter, r *http.Request, a *visitor) {
	h.changed(w, r, a, h.access.Withdraw(r.Context(), a.Actor, r.PostFormValue("invited")), inviteForm(""), access.Viewer, "withdrawn")
}

func userOf(r *http.Request) access.UserID {
	n, err := strconv.ParseInt(r.PostFormValue("user"), 10, 64)
	if err != nil {
		return 0 // nobody
	}
	return access.UserID(n)
}

func (h *Handler) setRole(w http.ResponseWriter, r *http.Request, a *visitor) {
	err := h.access.SetRole(r.Context(), a.Actor, userOf(r), access.Role(r.PostFormValue("role")), nil)
	h.changed(w, r, a, err, inviteForm(""), access.Viewer, "role")
}

func (h *Handler) remove(w http.ResponseWriter, r *http.Request, a *visitor) {
	user := userOf(r)
	if err := h.access.Remove(r.Context(), a.Actor, user); err != nil || user != a.User.ID {
		h.changed(w, r, a, err, inviteForm(""), access.Viewer, "removed")
		return
	}
	done(w, r, "/cabinet", "left")
}
