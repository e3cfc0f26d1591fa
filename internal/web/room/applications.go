package room

import (
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"openofd/internal/access"
	"openofd/internal/fiscal"
	"openofd/internal/registry"
	"openofd/internal/web/ui"
)

// applicationRoutes are the applications to the authority.
func (h *Handler) applicationRoutes() {
	h.mux.HandleFunc("GET /help", h.help)
	h.inside("GET /applications", h.applications)
	h.inside("POST /applications", h.draftApplication)
	h.inside("GET /applications/{id}", h.application)
	h.inside("POST /applications/{id}", h.setApplication)
	h.inside("GET /applications/{id}/content", h.applicationContent)
	h.inside("GET /applications/{id}/pdf", h.applicationPDF)
	h.inside("GET /applications/{id}/signature", h.applicationSignature)
	h.inside("GET /applications/{id}/sign", h.applicationSign)
	h.inside("POST /applications/{id}/sign", h.signApplication)
	h.inside("POST /applications/{id}/again", h.resendApplication)
	h.inside("POST /applications/{id}/withdraw", h.withdrawApplication)
	if h.cfg.DemoSign != nil {
		h.inside("POST /applications/{id}/demo", h.demoApplication)
	}
}

// applicationRow is an application as lists show it.
type applicationRow struct {
	registry.Application
	Status, When, Outlet string
	Lang                 string
}

func (a *visitor) applicationRow(one *registry.Application) applicationRow {
	return applicationRow{Application: *one, Status: a.applicationStatus(one), When: a.when(one.Changed), Outlet: one.Form.OutletTitle.In(a.locale.Lang), Lang: a.locale.Lang}
}

// applicationStatus words where an application has got to, as people of its
// country say. Source: requirements E-077 to E-081.
func (a *visitor) applicationStatus(one *registry.Application) string {
	return a.locale.T("application.status."+string(one.Kind)+"."+string(one.Status), "authority", a.locale.T("application.authority."+string(one.Country)))
}

// Color is that of a status, of Tabler's.
func (r applicationRow) Color() string { return applicationColors[r.Application.Status] }

// Icon is the shape of a status.
func (r applicationRow) Icon() string { return applicationIcons[r.Application.Status] }

var (
	applicationColors = map[registry.ApplicationStatus]string{registry.Draft: "secondary", registry.Sent: "blue", registry.Waiting: "blue", registry.Granted: "green", registry.Refused: "red", registry.Withdrawn: "secondary"}
	applicationIcons  = map[registry.ApplicationStatus]string{registry.Draft: "file-text", registry.Sent: "mail", registry.Waiting: "clock-hour-4", registry.Granted: "check", registry.Refused: "alert-triangle", registry.Withdrawn: "trash"}
)

// applicationsPage is the list.
type applicationsPage struct {
	Rows          []applicationRow
	Query, Kind   string
	Outlet        string
	Register      string
	Chips         []standingChip // statuses
	Kinds         []ui.FieldChoice
	Outlets       []ui.FieldChoice
	Orders        []ui.FieldChoice
	Order, Status string
	Next, First   string
	Filtered      bool
	Clear         string
	MayEdit, None bool // None: there is not even a register
}

// statusWords are a status whatever the kind, for the filter.
func (a *visitor) statusWords(s registry.ApplicationStatus) string {
	return a.locale.T("application.filter." + string(s))
}

func (h *Handler) applications(w http.ResponseWriter, r *http.Request, a *visitor) {
	v := r.URL.Query()
	q := registry.ApplicationQuery{Kind: registry.ApplicationKind(v.Get("kind")), Status: registry.ApplicationStatus(v.Get("status")), Text: cutText(v.Get("q")),
		Register: fiscal.RegisterID(numberOf(v.Get("register"))), Outlet: fiscal.OutletID(numberOf(v.Get("outlet"))), Order: registry.ApplicationOrder(v.Get("sort")), After: v.Get("after"), Limit: 50}
	found, err := h.cfg.Office.Applications(r.Context(), a.Actor, q)
	if err != nil {
		h.render.Error(w, r, err)
		return
	}
	p := applicationsPage{Query: q.Text, Kind: string(q.Kind), Outlet: v.Get("outlet"), Register: v.Get("register"), Order: v.Get("sort"), Status: v.Get("status"), Clear: "/applications",
		Filtered: q.Text != "" || q.Kind != "" || q.Status != "" || q.Outlet != 0 || q.Register != 0, MayEdit: a.May(access.EditRegisters)}
	for i := range found.Applications {
		p.Rows = append(p.Rows, a.applicationRow(&found.Applications[i]))
	}
	at := keeping("/applications", v)
	if found.Next != "" {
		p.Next = at("after", found.Next)
	}
	if q.After != "" {
		p.First = at("after", "")
	}
	p.Chips = append(p.Chips, standingChip{a.locale.T("registers.all"), at("status", ""), q.Status == ""})
	for _, s := range registry.ApplicationStatuses() {
		p.Chips = append(p.Chips, standingChip{a.statusWords(s), at("status", string(s)), q.Status == s})
	}
	for _, o := range registry.ApplicationOrders() {
		p.Orders = append(p.Orders, ui.FieldChoice{Value: string(o), Text: a.locale.T(applicationOrders[o])})
	}
	p.Kinds = append(p.Kinds, ui.FieldChoice{Text: a.locale.T("applications.kinds")})
	for _, k := range registry.ApplicationKinds() {
		p.Kinds = append(p.Kinds, ui.FieldChoice{Value: string(k), Text: a.locale.T("application.kind." + string(k))})
	}
	outlets, err := h.cfg.Office.Outlets(r.Context(), a.Actor)
	if err != nil {
		h.render.Error(w, r, err)
		return
	}
	p.Outlets = outletChoices(a, outlets, "registers.outlets")
	if len(p.Rows) == 0 && !p.Filtered {
		registers, err := h.cfg.Office.Registers(r.Context(), a.Actor, registry.RegisterQuery{Limit: 1})
		if err != nil {
			h.render.Error(w, r, err)
			return
		}
		p.None = len(registers.Registers) == 0
	}
	h.page(w, r, a, http.StatusOK, "applications.html", "/applications", "room.applications", p)
}

// applicationOrders are the keys of the words for orders.
var applicationOrders = map[registry.ApplicationOrder]string{
	registry.Newest: "applications.sort.newest", registry.Oldest: "applications.sort.oldest",
	registry.ByItsRegister: "applications.sort.register", registry.ByItsStatus: "applications.sort.status",
}

// cutText bounds what a search may ask for.
func cutText(s string) string {
	if len(s) > 200 {
		return s[:200]
	}
	return s
}

// keeping makes addresses of a list with one parameter changed and the others
// kept.
func keeping(path string, v url.Values) func(name, value string) string {
	return func(name, value string) string {
		next := url.Values{}
		for k, all := range v {
			if k != "after" && k != "done" && k != name && len(all) > 0 && all[0] != "" {
				next.Set(k, all[0])
			}
		}
		if value != "" {
			next.Set(name, value)
		}
		if len(next) == 0 {
			return path
		}
		return path + "?" + next.Encode()
	}
}

func applicationID(r *http.Request) registry.ApplicationID {
	return registry.ApplicationID(numberOf(r.PathValue("id")))
}

func applicationPath(id registry.ApplicationID) string {
	return "/applications/" + strconv.FormatInt(int64(id), 10)
}

// draftApplication begins one and leads to its form; where one is open already,
// to that.
func (h *Handler) draftApplication(w http.ResponseWriter, r *http.Request, a *visitor) {
	register := fiscal.RegisterID(numberOf(r.PostFormValue("register")))
	app, err := h.cfg.Office.DraftApplication(r.Context(), a.Actor, register, registry.ApplicationKind(r.PostFormValue("kind")))
	if errors.Is(err, fiscal.AlreadyThere) {
		if app, err = h.cfg.Office.OpenApplication(r.Context(), a.Actor, register); err == nil {
			done(w, r, applicationPath(app.ID), "application_open")
			return
		}
	}
	if err != nil {
		h.render.Error(w, r, err)
		return
	}
	http.Redirect(w, r, applicationPath(app.ID), http.StatusSeeOther)
}

// eventRow is a line of an application's history.
type eventRow struct {
	registry.ApplicationEvent
	When string
}

// finding is what the control said of a field.
type finding struct {
	Label, Words string
	Only         bool // it keeps nobody from signing
}

// applicationPage is one that was sent, and what became of it.
type applicationPage struct {
	applicationRow
	Register fiscal.RegisterID
	Events   []eventRow
	Facts    []fact
	Findings []finding
	Text     string // the bytes that were signed
	SignedAt string
	Late     bool // the authority is silent for longer than it should be
	MayEdit  bool
	MayPaper bool
}

// fact is a field of a form as it is read.
type fact struct{ Label, Value string }

// now is the operator's clock.
func (h *Handler) now() time.Time { return h.cfg.Documents.Now() }

func (h *Handler) application(w http.ResponseWriter, r *http.Request, a *visitor) {
	app, events, err := h.cfg.Office.Application(r.Context(), a.Actor, applicationID(r))
	if err != nil {
		h.render.Error(w, r, err)
		return
	}
	if app.Status == registry.Draft {
		h.showApplicationForm(w, r, a, http.StatusOK, &app, nil, nil)
		return
	}
	p := applicationPage{applicationRow: a.applicationRow(&app), Register: app.Register, MayEdit: a.May(access.EditRegisters), Text: string(app.Content),
		Facts: a.facts(&app), Findings: a.findings(app.Control), MayPaper: len(app.Signature) > 0}
	for i := range events { // the newest first
		e := events[len(events)-1-i]
		e.By = who(a.locale, e.By)
		if words := troubled(a.locale, e.Detail); words != "" && e.What == registry.WasDelayed {
			e.Detail = words
		}
		p.Events = append(p.Events, eventRow{e, a.when(e.At)})
	}
	if !app.SignedAt.IsZero() {
		p.SignedAt = a.when(app.SignedAt)
		p.Late = app.Overdue(h.now())
	}
	h.page(w, r, a, http.StatusOK, "application.html", "/applications", "application.title", p)
}

// findings words what the control found.
func (a *visitor) findings(all []registry.FieldError) (words []finding) {
	for _, f := range all {
		words = append(words, finding{a.locale.T("application.field." + f.Field), a.locale.FieldWrong(&fiscal.Error{Reason: f.Reason, Field: "application." + f.Field, Msg: f.Detail}), f.Only})
	}
	return words
}

// facts are the filled in fields of a form, in its order.
func (a *visitor) facts(app *registry.Application) (all []fact) {
	f, l := &app.Form, a.locale
	add := func(field, value string) {
		if value != "" {
			all = append(all, fact{l.T("application.field." + field), value})
		}
	}
	add("title", f.Title.In(l.Lang))
	add("xin", string(f.XIN))
	add("legal_address", f.LegalAddress.In(l.Lang))
	add("oked", f.OKED)
	if f.VATPercent > 0 {
		add("vat_percent", percentText(f.VATPercent)+" %")
	}
	add("vat_certificate", f.VATCertificate)
	add("outlet", f.OutletTitle.In(l.Lang))
	add("outlet_address", f.OutletAddress.In(l.Lang))
	add("name", f.Name)
	add("model", f.Model)
	add("serial_number", f.SerialNumber)
	if f.ManufactureYear > 0 {
		add("manufacture_year", strconv.Itoa(f.ManufactureYear))
	}
	add("registration_number", f.RegistrationNumber)
	add("drive", f.Drive)
	add("ffd", f.Format)
	for _, p := range f.Parts {
		all = append(all, fact{l.T("register.part." + string(p.Kind)), partText(p)})
	}
	if f.Connection != "" {
		add("connection", l.T("register.connection."+string(f.Connection)))
	}
	add("sim", f.SIM)
	for _, reason := range f.Reasons {
		add("reasons", l.T("application.reason."+string(reason)))
	}
	add("note", f.Note)
	return all
}

// partText is a part of a register in one line.
func partText(p fiscal.Part) string {
	text := ""
	for _, s := range []string{p.Maker, p.Model, p.Version} {
		if s != "" && text != "" {
			text += " · "
		}
		text += s
	}
	return text
}

// applicationContent gives the exact bytes that are, or were, signed.
func (h *Handler) applicationContent(w http.ResponseWriter, r *http.Request, a *visitor) {
	content, err := h.cfg.Office.ApplicationContent(r.Context(), a.Actor, applicationID(r))
	if err != nil {
		h.render.Error(w, r, err)
		return
	}
	give(w, "application-"+r.PathValue("id")+".json", "application/json", content)
}

func (h *Handler) applicationSignature(w http.ResponseWriter, r *http.Request, a *visitor) {
	app, _, err := h.cfg.Office.Application(r.Context(), a.Actor, applicationID(r))
	if err == nil && len(app.Signature) == 0 {
		err = &fiscal.Error{Reason: fiscal.NothingThere, Field: "application"}
	}
	if err != nil {
		h.render.Error(w, r, err)
		return
	}
	give(w, "application-"+r.PathValue("id")+".p7s", "application/pkcs7-signature", app.Signature)
}

func (h *Handler) resendApplication(w http.ResponseWriter, r *http.Request, a *visitor) {
	app, err := h.cfg.Office.ResendApplication(r.Context(), a.Actor, applicationID(r))
	if err != nil {
		h.render.Error(w, r, err)
		return
	}
	done(w, r, applicationPath(app.ID), "application_again")
}

func (h *Handler) withdrawApplication(w http.ResponseWriter, r *http.Request, a *visitor) {
	if err := h.cfg.Office.WithdrawApplication(r.Context(), a.Actor, applicationID(r)); err != nil {
		h.render.Error(w, r, err)
		return
	}
	done(w, r, "/applications", "application_withdrawn")
}
