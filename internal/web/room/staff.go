package room

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"openofd/internal/access"
	"openofd/internal/fiscal"
	"openofd/internal/registry"
	"openofd/internal/web/ui"
)

// Desk is what the operator's staff asks and does about clients. Whoever calls
// it has recorded the look.
type Desk interface {
	// Search finds clients by title or XIN, registers by any of their numbers,
	// and a document by a number of its register and its own. A few dozen at
	// most; none is no error.
	Search(ctx context.Context, text string) ([]Finding, error)
	// Applications are those that wait for the authority, the oldest first; a few
	// hundred at most.
	Applications(ctx context.Context) ([]registry.Application, error)
	// Client is a taxpayer with registers, the first few hundred.
	Client(ctx context.Context, t fiscal.TaxpayerID) (registry.Taxpayer, []registry.Listed, error)
	Register(ctx context.Context, r fiscal.RegisterID) (registry.Listed, error)
	Document(ctx context.Context, r fiscal.RegisterID, n fiscal.Number) (fiscal.Document, registry.Listed, error)
	// Block and Unblock commit the act that the command line does.
	Block(ctx context.Context, r fiscal.RegisterID, by, text string) error
	Unblock(ctx context.Context, r fiscal.RegisterID, by string) error
}

// Finding is what a search found: enough to know whether it is the one.
type Finding struct {
	Taxpayer fiscal.TaxpayerID
	XIN      fiscal.XIN
	Title    fiscal.Text
	Register fiscal.RegisterID // 0: the client
	Number   fiscal.Number     // 0: the register, or the client
	// Application is the number of the application that was looked for, 0: none.
	Application registry.ApplicationID
}

// Kind is client, register or document.
func (f Finding) Kind() string {
	switch {
	case f.Number != 0:
		return "document"
	case f.Register != 0:
		return "register"
	}
	return "client"
}

var staffPaths = []string{"/staff"}

func (h *Handler) staffRoutes() {
	if h.cfg.Desk == nil {
		return
	}
	h.inside("GET /staff", h.staff)
	h.inside("POST /staff", h.staffSearch)
	h.inside("GET /staff/applications", h.staffApplications)
	h.inside("POST /staff/look", h.staffLook)
	h.inside("GET /staff/look", func(w http.ResponseWriter, r *http.Request, _ *visitor) {
		http.Redirect(w, r, "/staff", http.StatusSeeOther) // each look is asked for anew
	})
	h.inside("POST /staff/block", h.staffBlock)
	h.inside("POST /staff/unblock", h.staffUnblock)
}

// staffSections are those of the operator's people.
func (h *Handler) staffSections(a *visitor) []ui.Section {
	if h.cfg.Desk == nil || a.MustStaff() != nil {
		return nil
	}
	return h.deskSections()
}

// waits reports whether one of the staff has to prove a second factor before
// anything but their own settings opens.
func waits(a *access.Actor, path string) bool {
	return a.User.Staff && !a.Strong && path != "/me" && path != "/signout" && !strings.HasPrefix(path, "/me/")
}

// staffPage is the one search.
type staffPage struct {
	form
	Query, Ground string
	Asked         bool
	Found         []Finding
	Lang          string
}

func staffForm(query, ground string) form {
	return form{Fields: map[string]ui.Field{
		"q":      {Name: "q", Key: "staff.query", Value: query, Max: 400, Required: true, Hint: "staff.query.hint"},
		"ground": {Name: "ground", Key: "staff.ground", Value: ground, Max: 300, Required: true, Hint: "staff.ground.hint"},
	}}
}

func (h *Handler) staff(w http.ResponseWriter, r *http.Request, a *visitor) {
	if err := a.MustStaff(); err != nil {
		h.render.Error(w, r, err)
		return
	}
	h.page(w, r, a, http.StatusOK, "staff.html", "/staff", "room.staff", staffPage{form: staffForm(cutText(r.URL.Query().Get("q")), ""), Lang: a.locale.Lang})
}

// openApplication is an application that waits, as staff see it.
type openApplication struct {
	registry.Application
	Status, Signed string
	Overdue        bool
	Search         string // the address that looks for it
}

// staffApplications lists what waits for the authority. Looking into one is a
// search, with its ground.
func (h *Handler) staffApplications(w http.ResponseWriter, r *http.Request, a *visitor) {
	err := a.MustStaff()
	var all []registry.Application
	if err == nil {
		all, err = h.cfg.Desk.Applications(r.Context())
	}
	if err != nil {
		h.render.Error(w, r, err)
		return
	}
	rows := make([]openApplication, len(all))
	for i := range all {
		one := &all[i]
		rows[i] = openApplication{
			Application: *one, Status: a.applicationStatus(one), Signed: a.when(one.SignedAt), Overdue: one.Overdue(h.now()),
			Search: "/staff?" + url.Values{"q": {"№ " + strconv.FormatInt(int64(one.ID), 10)}}.Encode(),
		}
	}
	h.page(w, r, a, http.StatusOK, "staffapplications.html", "/staff/applications", "staff.applications", rows)
}

// staffWrong shows the search again with what was wrong.
func (h *Handler) staffWrong(w http.ResponseWriter, r *http.Request, a *visitor, err error) {
	f := staffForm(r.PostFormValue("q"), r.PostFormValue("ground"))
	status, ok := f.wrong(a.locale, err)
	if !ok || a.MustStaff() != nil {
		h.render.Error(w, r, err)
		return
	}
	h.page(w, r, a, status, "staff.html", "/staff", "room.staff", staffPage{form: f, Lang: a.locale.Lang})
}

func (h *Handler) staffSearch(w http.ResponseWriter, r *http.Request, a *visitor) {
	p := staffPage{Query: strings.Join(strings.Fields(r.PostFormValue("q")), " "), Ground: r.PostFormValue("ground"), Asked: true, Lang: a.locale.Lang}
	err := a.MustStaff()
	switch n := len(p.Query); {
	case err != nil: // what is typed is nobody's business then
	case n == 0:
		err = &fiscal.Error{Reason: fiscal.MissingParameter, Field: "q"}
	case n < 3 || n > 400:
		err = &fiscal.Error{Reason: fiscal.BadValue, Field: "q"}
	}
	if err == nil {
		err = h.access.Searched(r.Context(), a.Actor, p.Query, p.Ground)
	}
	if err == nil {
		p.Found, err = h.cfg.Desk.Search(r.Context(), p.Query)
	}
	if err != nil {
		h.staffWrong(w, r, a, err)
		return
	}
	p.form = staffForm(p.Query, p.Ground)
	h.page(w, r, a, http.StatusOK, "staff.html", "/staff", "room.staff", p)
}

// lookPage is what a look shows, and why it was taken.
type lookPage struct {
	Ground    string
	Lang      string
	Client    *registry.Taxpayer
	Registers []registry.Listed
	Register  *registry.Listed
	Contact   string
	Blocked   bool
	Since     string
	Document  *fiscal.Document
	Device    string // time by the device's clock
	Received  string
	Total     string
}

// StatusKey is that of the words for a register's status.
func (lookPage) StatusKey(s fiscal.Status) string {
	switch s {
	case fiscal.StatusBlocked:
		return "staff.status.blocked"
	case fiscal.StatusDeregistered:
		return "staff.status.deregistered"
	}
	return "staff.status.active"
}

func staffNumber(r *http.Request, name string) uint64 {
	n, err := strconv.ParseUint(r.PostFormValue(name), 10, 63)
	if err != nil {
		return 0 // nothing
	}
	return n
}

// staffLook shows a client, a register or a document, after it is recorded where
// the client sees it.
func (h *Handler) staffLook(w http.ResponseWriter, r *http.Request, a *visitor) {
	ctx := r.Context()
	p := lookPage{Ground: r.PostFormValue("ground"), Lang: a.locale.Lang}
	t, register, n := fiscal.TaxpayerID(staffNumber(r, "taxpayer")), fiscal.RegisterID(staffNumber(r, "register")), fiscal.Number(staffNumber(r, "number"))
	var seen registry.Listed
	err := a.MustStaff()
	object := ""
	if err == nil && register != 0 {
		// Whose it is decides whose chain the look stands in, not the form.
		if seen, err = h.cfg.Desk.Register(ctx, register); err == nil {
			t = seen.Card.Taxpayer
			object = strconv.FormatInt(int64(register), 10)
		}
	}
	if err == nil && n != 0 {
		object += ", " + strconv.FormatUint(uint64(n), 10)
	}
	if err == nil && register == 0 {
		// Before the record: nobody's chain begins with a look at nobody.
		_, err = h.known.Organization(ctx, t)
	}
	if err == nil {
		err = h.access.Looked(ctx, a.Actor, t, object, p.Ground)
	}
	if err != nil {
		h.staffWrong(w, r, a, err)
		return
	}
	switch {
	case register == 0:
		var client registry.Taxpayer
		client, p.Registers, err = h.cfg.Desk.Client(ctx, t)
		p.Client = &client
	case n != 0:
		var d fiscal.Document
		if d, seen, err = h.cfg.Desk.Document(ctx, register, n); err == nil {
			p.Document, p.Received, p.Total = &d, a.locale.Moment(d.ReceivedAt, seen.Card.Location()), a.locale.Amount(d.Total)
			if d.DeviceTime != 0 {
				p.Device = a.locale.Minute(d.DeviceTime)
			}
		}
	}
	if err != nil {
		h.render.Error(w, r, err)
		return
	}
	if register != 0 {
		p.Register, p.Blocked = &seen, seen.State.Status == fiscal.StatusBlocked
		if p.Blocked {
			p.Since = a.locale.Moment(seen.State.Block.Since, seen.Card.Location())
		}
		if seen.LastContact != nil {
			p.Contact = a.locale.Moment(seen.LastContact.At, seen.Card.Location())
		}
	}
	h.page(w, r, a, http.StatusOK, "stafflook.html", "/staff", "staff.look", p)
}

func (h *Handler) staffBlock(w http.ResponseWriter, r *http.Request, a *visitor) {
	text := strings.Join(strings.Fields(r.PostFormValue("ground")), " ")
	h.staffAct(w, r, a, access.ActBlocked, "register_blocked", text, func(id fiscal.RegisterID) error {
		return h.cfg.Desk.Block(r.Context(), id, a.User.Email, text)
	})
}

func (h *Handler) staffUnblock(w http.ResponseWriter, r *http.Request, a *visitor) {
	text := strings.Join(strings.Fields(r.PostFormValue("ground")), " ")
	h.staffAct(w, r, a, access.ActUnblocked, "register_unblocked", text, func(id fiscal.RegisterID) error {
		return h.cfg.Desk.Unblock(r.Context(), id, a.User.Email)
	})
}

// staffAct does something to a register, which the journal keeps with who did
// it, and records it with its reason where the client sees it.
func (h *Handler) staffAct(w http.ResponseWriter, r *http.Request, a *visitor, act access.Act, what, why string, do func(fiscal.RegisterID) error) {
	id := fiscal.RegisterID(staffNumber(r, "register"))
	err := a.MustStaff()
	if err == nil {
		err = access.CheckGround(why)
	}
	var seen registry.Listed
	if err == nil {
		seen, err = h.cfg.Desk.Register(r.Context(), id)
	}
	if err == nil {
		err = do(id)
	}
	if err == nil {
		err = h.access.Touched(r.Context(), a.Actor, seen.Card.Taxpayer, act, strconv.FormatInt(int64(id), 10), why)
	}
	if err != nil {
		h.staffWrong(w, r, a, err)
		return
	}
	done(w, r, "/staff", what)
}
