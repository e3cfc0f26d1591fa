package room

import (
	"errors"
	"net/http"
	"strings"

	"openofd/internal/access"
	"openofd/internal/fiscal"
	"openofd/internal/web/ui"
)

// inspectorSections are those of the operator's people.
func (h *Handler) inspectorSections(a *visitor) []ui.Section {
	if h.cfg.Archive == nil || a.MustStaff() != nil {
		return nil
	}
	return []ui.Section{{Key: "inspectors.title", Icon: "shield-lock", URL: "/staff/inspectors", Rest: true}}
}

// maxInspectors bounds a page of them.
const maxInspectors = 500

type inspectorsPage struct {
	form
	All    []access.User
	NoMail bool
}

// Inputs are the fields in their order.
func (p *inspectorsPage) Inputs() (all []ui.Field) {
	for _, name := range []string{"email", "name", "authority", "iin", "serial", "issuer", "language"} {
		all = append(all, p.Fields[name])
	}
	return all
}

func inspectorForm(h *Handler, get func(string) string) form {
	language := ui.Field{Name: "language", Key: "field.language", Value: get("language")}
	for _, l := range ui.Languages() {
		language.Choices = append(language.Choices, ui.FieldChoice{Value: l, Text: h.render.Locales[l].T("lang.name")})
	}
	return form{Fields: map[string]ui.Field{
		"email":     {Name: "email", Key: "field.email", Type: "email", Mode: "email", Value: get("email"), Max: 254, Required: true, Auto: "off"},
		"name":      {Name: "name", Key: "field.name", Value: get("name"), Max: 100, Required: true, Auto: "off"},
		"authority": {Name: "authority", Key: "inspect.authority", Value: get("authority"), Max: 200, Required: true},
		"iin":       {Name: "iin", Key: "inspectors.iin", Mode: "numeric", Value: get("iin"), Max: 14, Required: true, Hint: "inspectors.iin.hint"},
		"serial":    {Name: "serial", Key: "inspectors.serial", Value: get("serial"), Max: 128, Hint: "inspectors.serial.hint"},
		"issuer":    {Name: "issuer", Key: "inspectors.issuer", Value: get("issuer"), Max: 200, Hint: "inspectors.issuer.hint"},
		"language":  language,
	}}
}

func (h *Handler) inspectors(w http.ResponseWriter, r *http.Request, a *visitor) {
	h.showInspectors(w, r, a, http.StatusOK, inspectorForm(h, func(name string) string {
		if name == "language" {
			return a.locale.Lang
		}
		return ""
	}))
}

func (h *Handler) showInspectors(w http.ResponseWriter, r *http.Request, a *visitor, status int, f form) {
	all, err := h.access.Inspectors(r.Context(), a.Actor, 0, maxInspectors)
	if err != nil {
		h.render.Error(w, r, err)
		return
	}
	h.page(w, r, a, status, "inspectors.html", "/staff/inspectors", "inspectors.title", &inspectorsPage{form: f, All: all, NoMail: h.cfg.NoMail})
}

func (h *Handler) addInspector(w http.ResponseWriter, r *http.Request, a *visitor) {
	get := func(name string) string { return strings.TrimSpace(r.PostFormValue(name)) }
	of := access.Inspector{Authority: get("authority"), IIN: fiscal.XIN(get("iin")), Serial: get("serial"), Issuer: get("issuer")}
	_, err := h.access.AddInspector(r.Context(), a.Actor, access.NewUser{Email: get("email"), Name: get("name"), Language: ui.Negotiate(get("language"), "", a.locale.Lang)}, of)
	if errors.Is(err, fiscal.AlreadyThere) {
		err = &fiscal.Error{Of: fiscal.Conflict, Field: "email", Msg: "taken"}
	}
	if err != nil {
		f := inspectorForm(h, get)
		status, ok := f.wrong(a.locale, err)
		if !ok || a.MustStaff() != nil {
			h.render.Error(w, r, err)
			return
		}
		h.showInspectors(w, r, a, status, f)
		return
	}
	done(w, r, "/staff/inspectors", "inspector_added")
}

// endInspector shuts one out at once, or lets them in again.
func (h *Handler) endInspector(w http.ResponseWriter, r *http.Request, a *visitor) {
	on := r.PostFormValue("on") != ""
	if err := h.access.EndInspector(r.Context(), a.Actor, r.PostFormValue("email"), on); err != nil {
		h.render.Error(w, r, err)
		return
	}
	if on {
		done(w, r, "/staff/inspectors", "inspector_resumed")
		return
	}
	done(w, r, "/staff/inspectors", "inspector_ended")
}
