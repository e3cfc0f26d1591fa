package room

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"openofd/internal/access"
	"openofd/internal/fiscal"
	"openofd/internal/registry"
	"openofd/internal/web/ui"
)

// registerRoutes are the registers.
func (h *Handler) registerRoutes() {
	h.inside("GET /registers", h.registers)
	h.inside("GET /registers/new", h.newRegister)
	h.inside("POST /registers/new", h.addRegister)
	h.inside("GET /registers/models", h.models)
	h.inside("POST /registers/bulk", h.bulk)
	h.inside("GET /registers/behind", h.behind)
	h.inside("POST /registers/behind", h.carryOver)
	h.applicationRoutes()
	h.importRoutes()
	h.inside("GET /registers/{id}", h.register)
	h.inside("POST /registers/{id}", h.arrangeRegister)
	h.inside("POST /registers/{id}/token", h.issueToken)
}

// registerRow is a register as lists show it.
type registerRow struct {
	registry.Seen
	Name, Outlet, Contact string
	Clocks                []string
	Application           *applicationRow // the newest, where the authority has not registered it yet
}

// Icon is the shape of a standing.
func (r registerRow) Icon() string {
	switch r.Standing {
	case registry.StandsBlocked, registry.StandsLate, registry.StandsShiftOver:
		return "alert-triangle"
	case registry.StandsSilent:
		return "clock-hour-4"
	case registry.StandsOpen:
		return "check"
	case registry.StandsNew:
		return "plus"
	case registry.StandsDeregistered:
		return "trash"
	}
	return "calendar-stats"
}

// Color is that of a standing, of Tabler's.
func (r registerRow) Color() string {
	switch r.Standing {
	case registry.StandsBlocked, registry.StandsLate:
		return "red"
	case registry.StandsShiftOver, registry.StandsSilent:
		return "yellow"
	case registry.StandsOpen:
		return "green"
	case registry.StandsNew:
		return "blue"
	}
	return "secondary"
}

func (a *visitor) registerRow(s registry.Seen) registerRow {
	c := &s.Card
	row := registerRow{Seen: s, Name: c.Name, Outlet: c.OutletTitle.In(a.locale.Lang)}
	if row.Name == "" {
		row.Name = a.locale.T("register.unnamed", "number", c.Register)
	}
	if s.LastContact != nil {
		row.Contact = a.locale.Moment(s.LastContact.At, c.Location())
	}
	if left := s.ShiftLeft; left != nil {
		row.Clocks = append(row.Clocks, a.left("register.clock.shift", *left))
	}
	if left := s.OfflineLeft; left != nil && (s.Standing == registry.StandsSilent || s.Standing == registry.StandsLate) {
		row.Clocks = append(row.Clocks, a.left("register.clock.offline", *left))
	}
	if left := s.DriveLeft; left != nil && *left < driveSoon {
		row.Clocks = append(row.Clocks, a.left("register.clock.drive", *left))
	}
	return row
}

// driveSoon is what a drive has left when lists begin to say so: it stops when
// nothing came of it for thirty days.
const driveSoon = 27 * 24 * time.Hour

// left words what remains of a clock, or that it is over.
func (a *visitor) left(key string, left time.Duration) string {
	if left <= 0 {
		return a.locale.T(key+".over", "time", a.span(-left))
	}
	return a.locale.T(key, "time", a.span(left))
}

// span words a length of time to the minute, days and hours where it is long.
func (a *visitor) span(d time.Duration) string {
	hours, minutes := int(d/time.Hour), int(d%time.Hour/time.Minute)
	if hours >= 96 {
		return a.locale.T("span.days", "d", hours/24, "h", hours%24)
	}
	return a.locale.T("span.hours", "h", hours, "m", minutes)
}

// standingChip is a filter that can be chosen.
type standingChip struct {
	Text, URL string
	Current   bool
}

type registersPage struct {
	Rows     []registerRow
	Query    string
	Chips    []standingChip
	Outlets  []ui.FieldChoice
	Groups   []ui.FieldChoice
	Orders   []ui.FieldChoice
	Outlet   string
	Group    string
	Order    string
	Standing string
	Next     string
	First    string // where the list begins, on a later page
	Filtered bool
	MayAdd   bool
	Clear    string
	Kinds    []ui.FieldChoice // of applications, for several registers at once
	Back     string           // this page's address
}

func (h *Handler) registers(w http.ResponseWriter, r *http.Request, a *visitor) {
	v := r.URL.Query()
	q := registry.RegisterQuery{Text: v.Get("q"), Standing: registry.Standing(v.Get("status")), Outlet: fiscal.OutletID(numberOf(v.Get("outlet"))),
		Group: registry.GroupID(numberOf(v.Get("group"))), Order: registry.Order(v.Get("sort")), After: v.Get("after"), Limit: 50}
	q.Text = cutText(q.Text)
	found, err := h.cfg.Office.Registers(r.Context(), a.Actor, q)
	if err != nil {
		h.render.Error(w, r, err)
		return
	}
	p := registersPage{Query: q.Text, Outlet: v.Get("outlet"), Group: v.Get("group"), Order: v.Get("sort"), Standing: v.Get("status"),
		MayAdd: a.May(access.EditRegisters), Clear: ui.Link(r, "/registers", nil), Filtered: q.Text != "" || q.Standing != "" || q.Outlet != 0 || q.Group != 0}
	for _, s := range found.Registers {
		row := a.registerRow(s)
		if s.Card.Provisional && (p.MayAdd || a.May(access.SeeDocuments)) {
			page, err := h.cfg.Office.Applications(r.Context(), a.Actor, registry.ApplicationQuery{Register: s.Card.Register, Limit: 1})
			if err != nil {
				h.render.Error(w, r, err)
				return
			}
			if len(page.Applications) > 0 && page.Applications[0].Status != registry.Withdrawn {
				newest := a.applicationRow(&page.Applications[0])
				row.Application = &newest
			}
		}
		p.Rows = append(p.Rows, row)
	}
	at := keeping("/registers", v)
	p.Back = at("", "")
	for _, k := range registry.ApplicationKinds() {
		p.Kinds = append(p.Kinds, ui.FieldChoice{Value: string(k), Text: a.locale.T("application.kind." + string(k))})
	}
	if found.Next != "" {
		p.Next = at("after", found.Next)
	}
	if q.After != "" {
		p.First = at("after", "")
	}
	p.Chips = append(p.Chips, standingChip{a.locale.T("registers.all"), at("status", ""), q.Standing == ""})
	for _, s := range registry.Standings() {
		p.Chips = append(p.Chips, standingChip{a.locale.T("standing." + string(s)), at("status", string(s)), q.Standing == s})
	}
	outlets, err := h.cfg.Office.Outlets(r.Context(), a.Actor)
	if err != nil {
		h.render.Error(w, r, err)
		return
	}
	p.Outlets = outletChoices(a, outlets, "registers.outlets")
	groups, err := h.groupChoices(r, a, "registers.groups")
	if err != nil {
		h.render.Error(w, r, err)
		return
	}
	p.Groups = groups
	for _, o := range registry.Orders() {
		p.Orders = append(p.Orders, ui.FieldChoice{Value: string(o), Text: a.locale.T("registers.sort." + string(o))})
	}
	h.page(w, r, a, http.StatusOK, "registers.html", "/registers", "room.registers", p)
}

func outletChoices(a *visitor, all []registry.Outlet, none string) []ui.FieldChoice {
	choices := []ui.FieldChoice{{Value: "", Text: a.locale.T(none)}}
	for _, o := range all {
		text := o.Title.In(a.locale.Lang)
		if address := o.Address.In(a.locale.Lang); address != "" {
			text += " · " + address
		}
		choices = append(choices, ui.FieldChoice{Value: strconv.FormatInt(int64(o.ID), 10), Text: text})
	}
	return choices
}

func (h *Handler) groupChoices(r *http.Request, a *visitor, none string) ([]ui.FieldChoice, error) {
	all, err := h.cfg.Office.Groups(r.Context(), a.Actor)
	choices := []ui.FieldChoice{{Value: "", Text: a.locale.T(none)}}
	name := map[registry.GroupID]string{}
	for _, g := range all {
		name[g.ID] = g.Title
	}
	for _, g := range all {
		text := g.Title
		if g.Parent != 0 {
			text = name[g.Parent] + " › " + text
		}
		choices = append(choices, ui.FieldChoice{Value: strconv.FormatInt(int64(g.ID), 10), Text: text})
	}
	return choices, err
}

// registerPage is a register with its facts and clocks.
type registerPage struct {
	registerRow
	inputs
	Shift     string // of the open or last one
	Documents uint32
	LastTime  string
	Block     string
	Cards     []cardRow
	Token     uint32 // new, shown once; 0: none
	HasTokens bool
	MayToken  bool
	MayEdit   bool
	MaySums   bool
	Parts     []fact
	Papers    []applicationRow // its applications, newest first
	MayDraft  []registry.ApplicationKind
}

func registerOf(r *http.Request) fiscal.RegisterID {
	return fiscal.RegisterID(numberOf(r.PathValue("id")))
}

func (h *Handler) register(w http.ResponseWriter, r *http.Request, a *visitor) {
	h.registerPage(w, r, a, 0, nil)
}

// registerPage shows a register, with a new token or with what was wrong.
func (h *Handler) registerPage(w http.ResponseWriter, r *http.Request, a *visitor, token uint32, wrong error) {
	s, err := h.cfg.Office.Register(r.Context(), a.Actor, registerOf(r))
	if err != nil {
		h.render.Error(w, r, err)
		return
	}
	cards, err := h.cfg.Office.Cards(r.Context(), a.Actor, s.Card.Register)
	if err != nil {
		h.render.Error(w, r, err)
		return
	}
	group, err := h.cfg.Office.GroupOf(r.Context(), a.Actor, s.Card.Register)
	if err != nil {
		h.render.Error(w, r, err)
		return
	}
	choices, err := h.groupChoices(r, a, "group.none")
	if err != nil {
		h.render.Error(w, r, err)
		return
	}
	in := ""
	if group != 0 {
		in = strconv.FormatInt(int64(group), 10)
	}
	live := s.State.Status != fiscal.StatusDeregistered
	p := registerPage{registerRow: a.registerRow(s), Documents: s.State.Shift.Documents, Token: token,
		HasTokens: registry.HasTokens(s.Card.Country), MayToken: live && a.May(access.IssueToken), MayEdit: live && a.May(access.EditRegisters),
		MaySums: a.May(access.SeeRevenue) && h.cfg.Documents.Questions != nil,
		inputs: inputsOf(ui.Field{Name: "register_name", Key: "register.name", Value: s.Card.Name, Max: 64, Required: true},
			ui.Field{Name: "group", Key: "register.group", Value: in, Choices: choices})}
	switch shift := s.State.Shift; {
	case shift.Number == 0:
		p.Shift = a.locale.T("register.shift.none")
	case shift.Open:
		p.Shift = a.locale.T("register.shift.open", "number", shift.Number, "since", a.locale.Time(shift.OpenedAt))
	default:
		p.Shift = a.locale.T("register.shift.closed", "number", shift.Number, "since", a.locale.Time(shift.ClosedAt))
	}
	if s.State.LastTime != 0 {
		p.LastTime = a.locale.Time(s.State.LastTime)
	}
	if s.State.Status == fiscal.StatusBlocked {
		p.Block = s.State.Block.Text
	}
	p.Cards, p.Parts = a.versions(cards), a.partFacts(&s.Card)
	if a.May(access.EditRegisters) || a.May(access.SeeDocuments) {
		papers, err := h.cfg.Office.Applications(r.Context(), a.Actor, registry.ApplicationQuery{Register: s.Card.Register, Limit: 10})
		if err != nil {
			h.render.Error(w, r, err)
			return
		}
		open := false
		for i := range papers.Applications {
			open = open || papers.Applications[i].Open()
			p.Papers = append(p.Papers, a.applicationRow(&papers.Applications[i]))
		}
		switch {
		case open || !live || !a.May(access.EditRegisters):
		case s.Card.Provisional:
			p.MayDraft = []registry.ApplicationKind{registry.Enrol}
		default:
			p.MayDraft = []registry.ApplicationKind{registry.Reenrol, registry.Remove}
		}
	}
	status := http.StatusOK
	if wrong != nil {
		var ok bool
		if status, ok = p.wrong(a.locale, wrong); !ok {
			h.render.Error(w, r, wrong)
			return
		}
		p.keep(r)
	}
	h.page(w, r, a, status, "register.html", "/registers", "register.title", p)
}

// keep puts back what was typed.
func (p *registerPage) keep(r *http.Request) {
	for name, f := range p.Fields {
		f.Value = r.PostFormValue(name)
		p.Fields[name] = f
	}
}

func (h *Handler) arrangeRegister(w http.ResponseWriter, r *http.Request, a *visitor) {
	id := registerOf(r)
	err := h.cfg.Office.Arrange(r.Context(), a.Actor, id, r.PostFormValue("register_name"), registry.GroupID(numberOf(r.PostFormValue("group"))))
	if err != nil {
		h.refused(w, r, a, err)
		return
	}
	done(w, r, fmt.Sprintf("/registers/%d", id), "saved")
}

// refused shows the register with what was wrong; who may not see it sees
// nothing of it.
func (h *Handler) refused(w http.ResponseWriter, r *http.Request, a *visitor, err error) {
	if p := ui.ProblemOf(err, a.locale); p.Status == http.StatusForbidden || p.Status == http.StatusNotFound {
		h.render.Error(w, r, err)
		return
	}
	h.registerPage(w, r, a, 0, err)
}

func (h *Handler) issueToken(w http.ResponseWriter, r *http.Request, a *visitor) {
	token, err := h.cfg.Office.IssueToken(r.Context(), a.Actor, registerOf(r))
	if err != nil {
		h.refused(w, r, a, err)
		return
	}
	h.registerPage(w, r, a, token, nil)
}

// newPage is the form of a new register, which is that of its application too.
type newPage struct {
	formPage
	Parts      []partInput
	PartsWrong string
	Made       *registry.Registered // it was added, and no application could be drafted
	Outlets    bool                 // there is one
}

// newInputs are the form's fields with what was typed; grounds are what its
// control holds them against.
func (h *Handler) newInputs(r *http.Request, a *visitor) (p newPage, f registry.ApplicationForm, g registry.Grounds, err error) {
	t, err := h.cfg.Office.Organization(r.Context(), a.Actor)
	if err != nil {
		return p, f, g, err
	}
	if err := a.Must(access.EditRegisters); err != nil {
		return p, f, g, err
	}
	outlets, err := h.cfg.Office.Outlets(r.Context(), a.Actor)
	if err != nil {
		return p, f, g, err
	}
	if err := h.readDevice(r, a, &f); err != nil {
		return p, f, g, err
	}
	if f.Outlet == 0 && len(outlets) == 1 && r.Method == http.MethodGet {
		f.Outlet = outlets[0].ID
	}
	f.XIN, f.Title, f.LegalAddress, f.OKED, f.VATPercent, f.VATCertificate = t.XIN, t.Title, t.Address, t.OKED, t.VATPercent, t.VATCertificate
	g = registry.Grounds{Taxpayer: &t, Outlets: outlets, Card: &fiscal.Card{Country: t.Country, XIN: t.XIN, Provisional: true}, Model: h.cfg.Office.Model(t.Country, f.Model), Now: h.now()}
	all := []ui.Field{
		{Name: "outlet", Key: "register.outlet", Value: numberText(int64(f.Outlet)), Choices: outletChoices(a, outlets, "register.outlet.choose"), Required: true},
		{Name: "name", Key: "register.name", Value: f.Name, Max: 64, Required: true, Hint: "register.name.hint"},
	}
	p.formPage = formPage{inputs: inputsOf(append(append(all, h.deviceInputs(a.locale, t.Country, &f)...), recordedInput(&f))...), Action: "/registers/new", Back: "/registers"}
	for _, k := range fiscal.PartKinds() {
		in := partInput{Kind: k}
		for _, part := range f.Parts {
			if part.Kind == k {
				in.Part = part
			}
		}
		p.Parts = append(p.Parts, in)
	}
	p.Outlets = len(outlets) > 0
	return p, f, g, nil
}

func (h *Handler) newRegister(w http.ResponseWriter, r *http.Request, a *visitor) {
	p, _, _, err := h.newInputs(r, a)
	if err != nil {
		h.render.Error(w, r, err)
		return
	}
	h.page(w, r, a, http.StatusOK, "newregister.html", "/registers", "register.add", p)
}

// addRegister adds a register and drafts the application for it, which is then
// read and signed. What is wrong is named at once, and nothing is added.
//
// Source: requirements P-052, P-096, E-060 to E-074.
func (h *Handler) addRegister(w http.ResponseWriter, r *http.Request, a *visitor) {
	p, f, g, err := h.newInputs(r, a)
	if err != nil {
		h.render.Error(w, r, err)
		return
	}
	wrong := false
	for _, found := range registry.Blocking(registry.Control(registry.Enrol, &f, &g)) {
		words := a.locale.FieldWrong(&fiscal.Error{Reason: found.Reason, Field: "application." + found.Field, Msg: found.Detail})
		if field, ok := p.Fields[found.Field]; ok {
			field.Wrong = cmp.Or(field.Wrong, words)
			p.Fields[found.Field], wrong = field, true
		} else if found.Field == "parts" {
			p.PartsWrong, wrong = words, true
		}
	}
	if wrong {
		h.page(w, r, a, http.StatusUnprocessableEntity, "newregister.html", "/registers", "register.add", p)
		return
	}
	made, err := h.cfg.Office.AddRegister(r.Context(), a.Actor, registry.AddedRegister{Outlet: f.Outlet, Name: f.Name, Model: f.Model, SerialNumber: f.SerialNumber, Year: f.ManufactureYear, Drive: f.Drive})
	if err != nil {
		status, ok := p.wrong(a.locale, err)
		if !ok || status == http.StatusForbidden || status == http.StatusNotFound {
			h.render.Error(w, r, err)
			return
		}
		h.page(w, r, a, status, "newregister.html", "/registers", "register.add", p)
		return
	}
	app, err := h.enrol(r.Context(), a, made.Card.Register, &f)
	if err != nil { // the register is there, with a token that is shown this once
		p.Made = &made
		h.page(w, r, a, http.StatusOK, "newregister.html", "/registers", "register.added", p)
		return
	}
	h.showSign(w, r, a, http.StatusOK, app.ID, "", &made)
}

// enrol drafts the application for a register that was just added.
func (h *Handler) enrol(ctx context.Context, a *visitor, id fiscal.RegisterID, f *registry.ApplicationForm) (registry.Application, error) {
	app, err := h.cfg.Office.DraftApplication(ctx, a.Actor, id, registry.Enrol)
	if err != nil {
		return app, err
	}
	filled := *f
	filled.XIN = app.Form.XIN
	app, _, err = h.cfg.Office.SetApplication(ctx, a.Actor, app.ID, filled)
	return app, err
}
