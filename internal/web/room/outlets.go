package room

import (
	"errors"
	"net/http"
	"strconv"
	"strings"

	"openofd/internal/access"
	"openofd/internal/fiscal"
	"openofd/internal/registry"
	"openofd/internal/web/ui"
)

// outletRoutes are the outlets and the groups of registers.
func (h *Handler) outletRoutes() {
	h.inside("GET /outlets", h.outletList)
	h.inside("GET /outlets/{id}", h.outletForm)
	h.inside("POST /outlets/{id}", h.putOutlet)
	h.inside("GET /groups", h.groups)
	h.inside("POST /groups", h.putGroup)
	h.inside("POST /groups/remove", h.removeGroup)
}

type outletsPage struct {
	Outlets []registry.Outlet
	MayAdd  bool
	MayEdit bool
	Lang    string
}

func (h *Handler) outletList(w http.ResponseWriter, r *http.Request, a *visitor) {
	all, err := h.cfg.Office.Outlets(r.Context(), a.Actor)
	if err != nil {
		h.render.Error(w, r, err)
		return
	}
	edit := a.May(access.EditOutlets)
	h.page(w, r, a, http.StatusOK, "outlets.html", "/outlets", "room.outlets", outletsPage{all, edit && len(a.Member.Outlets) == 0, edit, a.locale.Lang})
}

// zones are those of a country's outlets.
var zones = map[fiscal.Country][]string{
	fiscal.Kazakhstan: {"Asia/Almaty"},
	fiscal.Russia: {"Europe/Moscow", "Europe/Kaliningrad", "Europe/Samara", "Asia/Yekaterinburg", "Asia/Omsk", "Asia/Krasnoyarsk",
		"Asia/Irkutsk", "Asia/Yakutsk", "Asia/Vladivostok", "Asia/Magadan", "Asia/Kamchatka"},
}

func (h *Handler) outletInputs(a *visitor, c fiscal.Country, o *registry.Outlet) inputs {
	var choices []ui.FieldChoice
	known := false
	for _, z := range zones[c] {
		choices = append(choices, ui.FieldChoice{Value: z, Text: a.locale.T("zone." + z)})
		known = known || z == o.Zone
	}
	if !known && o.Zone != "" {
		choices = append(choices, ui.FieldChoice{Value: o.Zone, Text: o.Zone})
	}
	all := []ui.Field{
		{Name: "title", Key: "outlet.title", Value: o.Title.RU, Max: 255, Required: true, Hint: "outlet.title.hint"},
		{Name: "title_kk", Key: "outlet.title.kk", Value: o.Title.KK, Max: 255},
	}
	all = append(all, addressFields(a.locale, c, &o.Where)...)
	return inputsOf(append(all,
		ui.Field{Name: "zone", Key: "outlet.zone", Value: o.Zone, Choices: choices},
		ui.Field{Name: "latitude", Key: "outlet.latitude", Value: degreesText(o.Latitude), Mode: "decimal", Max: 10, Hint: "outlet.latitude.hint"},
		ui.Field{Name: "longitude", Key: "outlet.longitude", Value: degreesText(o.Longitude), Mode: "decimal", Max: 10},
	)...)
}

// degreesText writes ten-thousandths of a degree; 0 is not told.
func degreesText(d int32) string {
	if d == 0 {
		return ""
	}
	sign := ""
	if d < 0 {
		sign, d = "-", -d
	}
	return sign + strconv.Itoa(int(d/10_000)) + "." + strconv.Itoa(10_000 + int(d%10_000))[1:]
}

// degreesOf reads degrees as people and maps write them, to four decimals.
func degreesOf(s, field string) (int32, error) {
	s = strings.ReplaceAll(strings.TrimSpace(s), ",", ".")
	if s == "" {
		return 0, nil
	}
	rest, negative := strings.CutPrefix(s, "-")
	whole, part, _ := strings.Cut(rest, ".")
	n, err := strconv.ParseUint(whole+(part + "0000")[:4], 10, 24)
	if err != nil || whole == "" || strings.Trim(part, "0123456789") != "" {
		return 0, &fiscal.Error{Reason: fiscal.BadValue, Field: field}
	}
	d := int32(n)
	if negative {
		d = -d
	}
	return d, nil
}

// outletOf is the one an address names, empty for "new".
func (h *Handler) outletOf(r *http.Request, a *visitor) (t registry.Taxpayer, o registry.Outlet, err error) {
	if t, err = h.cfg.Office.Organization(r.Context(), a.Actor); err != nil {
		return t, o, err
	}
	if err := a.Must(access.EditOutlets); err != nil {
		return t, o, err
	}
	if r.PathValue("id") == "new" {
		o.Zone = registry.ZoneOf(t.Country)
		return t, o, nil
	}
	id, err := strconv.ParseInt(r.PathValue("id"), 10, 64)
	if err != nil {
		return t, o, &fiscal.Error{Reason: fiscal.NothingThere, Field: "outlet"}
	}
	o, err = h.cfg.Office.Outlet(r.Context(), a.Actor, fiscal.OutletID(id))
	return t, o, err
}

func (h *Handler) outletPage(a *visitor, t *registry.Taxpayer, o *registry.Outlet) (formPage, string) {
	p := formPage{inputs: h.outletInputs(a, t.Country, o), Action: "/outlets/new", Back: "/outlets"}
	if o.ID == 0 {
		if t.Address == (fiscal.Text{}) && a.May(access.EditOrganization) { // most often there is one address
			p.add(ui.Field{Name: "legal", Key: "outlet.legal", Value: "same", Choices: []ui.FieldChoice{
				{Value: "same", Text: a.locale.T("outlet.legal.same")}, {Value: "", Text: a.locale.T("outlet.legal.later")}}})
		}
		return p, "outlet.add"
	}
	p.Action, p.Lead = "/outlets/"+strconv.FormatInt(int64(o.ID), 10), "outlet.edit.lead"
	return p, "outlet.edit"
}

func (h *Handler) outletForm(w http.ResponseWriter, r *http.Request, a *visitor) {
	t, o, err := h.outletOf(r, a)
	if err != nil {
		h.render.Error(w, r, err)
		return
	}
	p, title := h.outletPage(a, &t, &o)
	h.showForm(w, r, a, http.StatusOK, p, "/outlets", title)
}

func (h *Handler) putOutlet(w http.ResponseWriter, r *http.Request, a *visitor) {
	t, o, err := h.outletOf(r, a)
	if err != nil {
		h.render.Error(w, r, err)
		return
	}
	o.Title.RU, o.Title.KK, o.Where, o.Zone = r.PostFormValue("title"), r.PostFormValue("title_kk"), addressOf(r), r.PostFormValue("zone")
	var wrong error
	if o.Latitude, err = degreesOf(r.PostFormValue("latitude"), "latitude"); err != nil {
		wrong = err
	}
	if o.Longitude, err = degreesOf(r.PostFormValue("longitude"), "longitude"); err != nil {
		wrong = errors.Join(wrong, err)
	}
	if wrong == nil {
		wrong = h.cfg.Office.PutOutlet(r.Context(), a.Actor, &o)
	}
	if wrong == nil && r.PathValue("id") == "new" {
		h.firstOutlet(w, r, a, &t, &o)
		return
	}
	if wrong == nil {
		h.saved(w, r, a, o.ID, "/outlets")
		return
	}
	p, title := h.outletPage(a, &t, &o)
	p.keep(r, "latitude", "longitude")
	h.formAgain(w, r, a, p, wrong, "/outlets", title)
}

// firstOutlet goes on from an outlet that was added: to the organization's first
// register, after its first outlet. An address that is the legal one too is kept
// as such.
func (h *Handler) firstOutlet(w http.ResponseWriter, r *http.Request, a *visitor, t *registry.Taxpayer, o *registry.Outlet) {
	if r.PostFormValue("legal") == "same" && t.Address == (fiscal.Text{}) {
		err := h.cfg.Office.SetDetails(r.Context(), a.Actor, registry.Details{Title: t.Title, Address: o.Where, OKED: t.OKED, VATPercent: t.VATPercent, VATCertificate: t.VATCertificate})
		if err != nil {
			h.render.Error(w, r, err)
			return
		}
	}
	all, err := h.cfg.Office.Outlets(r.Context(), a.Actor)
	if err == nil && len(all) == 1 && a.May(access.EditRegisters) {
		done(w, r, "/registers/new", "first_outlet")
		return
	}
	done(w, r, "/outlets", "saved")
}

// groupsPage are the groups of registers.
type groupsPage struct {
	inputs
	Groups  []registry.Group
	Parents []registry.Group
	MayEdit bool
	ID      registry.GroupID // being changed
}

// Name is that of a group by its number.
func (p groupsPage) Name(id registry.GroupID) string {
	for _, g := range p.Groups {
		if g.ID == id {
			return g.Title
		}
	}
	return ""
}

func (h *Handler) groups(w http.ResponseWriter, r *http.Request, a *visitor) {
	h.groupsPage(w, r, a, http.StatusOK, nil, registry.Group{})
}

func (h *Handler) groupsPage(w http.ResponseWriter, r *http.Request, a *visitor, status int, wrong error, g registry.Group) {
	all, err := h.cfg.Office.Groups(r.Context(), a.Actor)
	if err != nil {
		h.render.Error(w, r, err)
		return
	}
	parents := []ui.FieldChoice{{Value: "", Text: a.locale.T("group.none")}}
	for _, one := range all {
		if one.Parent == 0 {
			parents = append(parents, ui.FieldChoice{Value: strconv.FormatInt(int64(one.ID), 10), Text: one.Title})
		}
	}
	p := groupsPage{Groups: all, MayEdit: a.May(access.EditOutlets) && len(a.Member.Outlets) == 0, ID: g.ID, inputs: inputsOf(
		ui.Field{Name: "group_title", Key: "group.title", Value: g.Title, Max: 64, Required: true},
		ui.Field{Name: "parent", Key: "group.parent", Value: r.PostFormValue("parent"), Choices: parents})}
	if wrong != nil {
		var ok bool
		if status, ok = p.wrong(a.locale, wrong); !ok || errors.Is(wrong, fiscal.Denied) || errors.Is(wrong, fiscal.NotFound) {
			h.render.Error(w, r, wrong)
			return
		}
	}
	h.page(w, r, a, status, "groups.html", "/registers", "group.groups", p)
}

// numberOf reads a number of ours, 0 for what is none.
func numberOf(s string) int64 {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		return 0 // nothing has it
	}
	return n
}

func (h *Handler) putGroup(w http.ResponseWriter, r *http.Request, a *visitor) {
	g := registry.Group{ID: registry.GroupID(numberOf(r.PostFormValue("id"))), Parent: registry.GroupID(numberOf(r.PostFormValue("parent"))), Title: r.PostFormValue("group_title")}
	if err := h.cfg.Office.PutGroup(r.Context(), a.Actor, &g); err != nil {
		h.groupsPage(w, r, a, http.StatusOK, err, g)
		return
	}
	done(w, r, "/groups", "saved")
}

func (h *Handler) removeGroup(w http.ResponseWriter, r *http.Request, a *visitor) {
	if err := h.cfg.Office.RemoveGroup(r.Context(), a.Actor, registry.GroupID(numberOf(r.PostFormValue("id")))); err != nil {
		h.render.Error(w, r, err)
		return
	}
	done(w, r, "/groups", "saved")
}
