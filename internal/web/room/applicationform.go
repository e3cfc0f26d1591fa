package room

import (
	"cmp"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"openofd/internal/access"
	"openofd/internal/fiscal"
	"openofd/internal/registry"
	"openofd/internal/web/ui"
)

// ffdVersions are the formats of fiscal data that a register of Russia may be
// registered with.
var ffdVersions = []string{"1.05", "1.1", "1.2"}

// applicationForm is the page of a draft.
type applicationForm struct {
	inputs
	Application *registry.Application
	Facts       []fact // what is taken from the organization's record
	Findings    []finding
	Reasons     []reasonChoice
	ReasonWrong string
	Parts       []partInput
	PartsWrong  string
	Editable    bool // the register's fields may be changed: not when it is taken off
	MayApply    bool
	Country     fiscal.Country
	Action      string
}

type reasonChoice struct {
	Value   registry.ApplicationReason
	Checked bool
}

type partInput struct {
	Kind fiscal.PartKind
	fiscal.Part
}

// deviceInputs are the fields that tell of the thing itself; the model's are
// proposed while it is typed.
func (h *Handler) deviceInputs(l *ui.Locale, country fiscal.Country, f *registry.ApplicationForm) []ui.Field {
	year := ""
	if f.ManufactureYear != 0 {
		year = strconv.Itoa(f.ManufactureYear)
	}
	connections := []ui.FieldChoice{{Value: "", Text: l.T("register.connection.choose")}}
	for _, c := range fiscal.Connections() {
		connections = append(connections, ui.FieldChoice{Value: string(c), Text: l.T("register.connection." + string(c))})
	}
	all := []ui.Field{
		{Name: "model", Key: "register.model", Value: f.Model, Max: 64, Required: true, Hint: "register.model.hint", Free: true, Choices: h.modelChoices(country)},
		{Name: "serial_number", Key: "register.serial", Value: f.SerialNumber, Max: 32, Required: true, Hint: "register.serial.hint"},
		{Name: "manufacture_year", Key: "register.year", Value: year, Max: 4, Mode: "numeric", Required: country == fiscal.Kazakhstan},
	}
	if country == fiscal.Russia {
		formats := []ui.FieldChoice{{Value: "", Text: l.T("application.ffd.choose")}}
		for _, v := range ffdVersions {
			formats = append(formats, ui.FieldChoice{Value: v, Text: v})
		}
		all = append(all, ui.Field{Name: "drive", Key: "register.drive", Value: f.Drive, Max: 16, Mode: "numeric", Required: true, Hint: "register.drive.hint"},
			ui.Field{Name: "ffd", Key: "application.field.ffd", Value: f.Format, Choices: formats, Required: true})
	}
	return append(all,
		ui.Field{Name: "connection", Key: "application.field.connection", Value: string(f.Connection), Choices: connections, Required: country == fiscal.Kazakhstan},
		ui.Field{Name: "sim", Key: "application.field.sim", Value: f.SIM, Max: 32, Mode: "numeric", Hint: "application.sim.hint"})
}

// recordedInput is the number of a register that is on the authority's record
// already, from its registration card. Source: requirements P-061, P-062.
func recordedInput(f *registry.ApplicationForm) ui.Field {
	return ui.Field{Name: "registration_number", Key: "application.field.registration_number", Value: f.RegistrationNumber, Max: 20, Mode: "numeric", Hint: "application.recorded.hint"}
}

// modelChoices are the register of models, as far as a page can carry it; the
// rest is proposed while somebody types.
func (h *Handler) modelChoices(c fiscal.Country) (all []ui.FieldChoice) {
	for _, m := range h.cfg.Office.Models(c) {
		all = append(all, ui.FieldChoice{Value: m.Name, Text: m.Maker})
	}
	return all
}

// models proposes models for what was typed, as JSON: GET /registers/models?q=порт.
func (h *Handler) models(w http.ResponseWriter, r *http.Request, a *visitor) {
	t, err := h.cfg.Office.Organization(r.Context(), a.Actor)
	if err != nil {
		h.render.Error(w, r, err)
		return
	}
	type proposal struct {
		Name        string              `json:"name"`
		Maker       string              `json:"maker"`
		Connections []fiscal.Connection `json:"connections"`
	}
	all := []proposal{}
	for _, m := range h.cfg.Office.SuggestModels(t.Country, cutText(r.URL.Query().Get("q")), 20) {
		all = append(all, proposal{m.Name, m.Maker, m.Connections})
	}
	h.forDevice(w, r, all, nil)
}

// showApplicationForm shows a draft; found is what the control says of it.
func (h *Handler) showApplicationForm(w http.ResponseWriter, r *http.Request, a *visitor, status int, app *registry.Application, found []registry.FieldError, wrong error) {
	outlets, err := h.cfg.Office.Outlets(r.Context(), a.Actor)
	if err != nil {
		h.render.Error(w, r, err)
		return
	}
	p := h.applicationForm(a, app, outlets)
	for _, f := range found {
		words := a.locale.FieldWrong(&fiscal.Error{Reason: f.Reason, Field: "application." + f.Field, Msg: f.Detail})
		switch field, ok := p.Fields[f.Field]; {
		case ok && !f.Only:
			field.Wrong = cmp.Or(field.Wrong, words)
			p.Fields[f.Field] = field
		case f.Field == "reasons":
			p.ReasonWrong = words
		case f.Field == "parts":
			p.PartsWrong = words
		default:
			p.Findings = append(p.Findings, a.findings([]registry.FieldError{f})...)
		}
	}
	if wrong != nil {
		var ok bool
		if status, ok = p.wrong(a.locale, wrong); !ok || errors.Is(wrong, fiscal.Denied) || errors.Is(wrong, fiscal.NotFound) {
			h.render.Error(w, r, wrong)
			return
		}
	}
	h.page(w, r, a, status, "applicationform.html", "/applications", "application.kind."+string(app.Kind), p)
}

func (h *Handler) applicationForm(a *visitor, app *registry.Application, outlets []registry.Outlet) applicationForm {
	f := &app.Form
	p := applicationForm{Application: app, Country: app.Country, Editable: app.Kind != registry.Remove, MayApply: a.May(access.Apply), Action: applicationPath(app.ID)}
	var all []ui.Field
	if p.Editable {
		all = append(all,
			ui.Field{Name: "outlet", Key: "register.outlet", Value: numberText(int64(f.Outlet)), Choices: outletChoices(a, outlets, "register.outlet.choose"), Required: true},
			ui.Field{Name: "name", Key: "register.name", Value: f.Name, Max: 64, Required: true, Hint: "register.name.hint"})
		all = append(all, h.deviceInputs(a.locale, app.Country, f)...)
		if app.Kind == registry.Enrol {
			all = append(all, recordedInput(f))
		}
		for _, k := range fiscal.PartKinds() {
			in := partInput{Kind: k}
			for _, part := range f.Parts {
				if part.Kind == k {
					in.Part = part
				}
			}
			p.Parts = append(p.Parts, in)
		}
	}
	reasons := registry.ReasonsOf(app.Kind)
	if len(reasons) > 0 {
		all = append(all, ui.Field{Name: "note", Key: "application.field.note", Value: f.Note, Max: 500, Hint: "application.note.hint"})
	}
	for _, reason := range reasons {
		p.Reasons = append(p.Reasons, reasonChoice{reason, slices.Contains(f.Reasons, reason)})
	}
	p.inputs = inputsOf(all...)
	if app.Kind == registry.Reenrol { // the same thing it was
		for _, name := range []string{"model", "serial_number"} {
			field := p.Fields[name]
			field.ReadOnly, field.Choices = field.Value != "", nil
			p.Fields[name] = field
		}
	}
	known := *app
	known.Form = registry.ApplicationForm{XIN: f.XIN, Title: f.Title, LegalAddress: f.LegalAddress, OKED: f.OKED, VATPercent: f.VATPercent, VATCertificate: f.VATCertificate}
	if !p.Editable {
		known.Form = *f
		known.Form.Reasons, known.Form.Note = nil, ""
	} else if app.Kind != registry.Enrol {
		known.Form.RegistrationNumber = f.RegistrationNumber
	}
	p.Facts = a.facts(&known)
	return p
}

// oneLine is a text without the spaces that people put around and between.
func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

// digitsOf is a number without the marks that people put between its digits; a
// subscriber's begins as it does abroad.
func digitsOf(s string) string {
	s = strings.NewReplacer(" ", "", "-", "", "(", "", ")", "", "+", "").Replace(strings.TrimSpace(s))
	if len(s) == 11 && s[0] == '8' {
		s = "7" + s[1:]
	}
	return s
}

// numberText writes a number of ours, "" for 0.
func numberText(n int64) string {
	if n == 0 {
		return ""
	}
	return strconv.FormatInt(n, 10)
}

// read puts what a form brought into an application's, and what the
// organization's record says of it now.
func (h *Handler) readApplication(r *http.Request, a *visitor, app *registry.Application) error {
	f := &app.Form
	t, err := h.cfg.Office.Organization(r.Context(), a.Actor)
	if err != nil {
		return err
	}
	f.Title, f.LegalAddress, f.OKED, f.VATPercent, f.VATCertificate = t.Title, t.Address, t.OKED, t.VATPercent, t.VATCertificate
	f.Reasons = nil
	for _, reason := range r.PostForm["reasons"] {
		f.Reasons = append(f.Reasons, registry.ApplicationReason(reason))
	}
	f.Note = r.PostFormValue("note")
	if app.Kind == registry.Remove {
		return nil
	}
	return h.readDevice(r, a, f)
}

// readDevice puts what a form tells of a register, and of where it stands, into
// an application's.
func (h *Handler) readDevice(r *http.Request, a *visitor, f *registry.ApplicationForm) error {
	value := r.PostFormValue
	if id := fiscal.OutletID(numberOf(value("outlet"))); id != f.Outlet || id != 0 {
		f.Outlet, f.OutletTitle, f.OutletAddress, f.Where = id, fiscal.Text{}, fiscal.Text{}, registry.Address{}
		if id != 0 {
			outlet, err := h.cfg.Office.Outlet(r.Context(), a.Actor, id)
			if err != nil {
				return err
			}
			f.OutletTitle, f.OutletAddress, f.Where = outlet.Title, outlet.Address, outlet.Where
		}
	}
	f.Name, f.Model, f.SerialNumber = oneLine(value("name")), oneLine(value("model")), oneLine(value("serial_number"))
	f.Drive, f.Format, f.Connection, f.SIM = digitsOf(value("drive")), value("ffd"), fiscal.Connection(value("connection")), digitsOf(value("sim"))
	if f.Connection != fiscal.ConnectionWireless {
		f.SIM = "" // its field is not shown
	}
	if _, there := r.PostForm["registration_number"]; there {
		f.RegistrationNumber = digitsOf(value("registration_number"))
	}
	f.ManufactureYear = 0
	if year := strings.TrimSpace(value("manufacture_year")); year != "" {
		n, err := strconv.Atoi(year)
		if err != nil {
			n = 1 // a year that no control takes
		}
		f.ManufactureYear = n
	}
	f.Parts = nil
	for _, k := range fiscal.PartKinds() {
		f.Parts = append(f.Parts, fiscal.Part{Kind: k, Maker: value("part_" + string(k) + "_maker"), Model: value("part_" + string(k) + "_model"), Version: value("part_" + string(k) + "_version")})
	}
	return nil
}

// setApplication keeps a draft. With everything right it leads to the signature.
func (h *Handler) setApplication(w http.ResponseWriter, r *http.Request, a *visitor) {
	app, _, err := h.cfg.Office.Application(r.Context(), a.Actor, applicationID(r))
	if err == nil && app.Status != registry.Draft {
		err = &fiscal.Error{Of: fiscal.Conflict, Field: "status"}
	}
	if err == nil {
		err = h.readApplication(r, a, &app)
	}
	if err != nil {
		h.render.Error(w, r, err)
		return
	}
	kept, found, err := h.cfg.Office.SetApplication(r.Context(), a.Actor, app.ID, app.Form)
	switch {
	case err != nil:
		h.showApplicationForm(w, r, a, http.StatusUnprocessableEntity, &app, nil, err)
	case r.PostFormValue("later") != "":
		done(w, r, "/applications", "saved")
	case len(registry.Blocking(found)) > 0:
		h.showApplicationForm(w, r, a, http.StatusUnprocessableEntity, &kept, found, nil)
	default:
		http.Redirect(w, r, applicationPath(app.ID)+"/sign", http.StatusSeeOther)
	}
}

// signPage shows what is signed and takes the signature.
type signPage struct {
	Application *registry.Application
	Facts       []fact
	Findings    []finding
	Text        string
	Refusal     string
	Demo        string // where a demo signs, "" nowhere
	MayApply    bool
	Signing     signing
	Made        *registry.Registered // it was added just now
}

func (h *Handler) applicationSign(w http.ResponseWriter, r *http.Request, a *visitor) {
	h.showSign(w, r, a, http.StatusOK, applicationID(r), "", nil)
}

// showSign shows a draft to be signed; one that cannot be is shown as a form.
func (h *Handler) showSign(w http.ResponseWriter, r *http.Request, a *visitor, status int, id registry.ApplicationID, refusal string, made *registry.Registered) {
	app, _, err := h.cfg.Office.Application(r.Context(), a.Actor, id)
	if err != nil {
		h.render.Error(w, r, err)
		return
	}
	if app.Status != registry.Draft {
		http.Redirect(w, r, applicationPath(id), http.StatusSeeOther)
		return
	}
	found, err := h.cfg.Office.CheckApplication(r.Context(), a.Actor, id)
	var content []byte
	if err == nil && len(registry.Blocking(found)) == 0 {
		content, err = h.cfg.Office.ApplicationContent(r.Context(), a.Actor, id)
	}
	if err != nil {
		h.render.Error(w, r, err)
		return
	}
	p := signPage{Application: &app, Facts: a.facts(&app), Findings: a.findings(found), Text: string(content), Refusal: refusal, MayApply: a.May(access.Apply), Made: made}
	title := "application.sign.title"
	if made != nil {
		title = "register.added"
	}
	if content == nil && made == nil {
		h.showApplicationForm(w, r, a, http.StatusUnprocessableEntity, &app, found, nil)
		return
	}
	if h.cfg.DemoSign != nil {
		p.Demo = applicationPath(id) + "/demo"
	}
	p.Signing = h.signing(app.Country, signing{Title: "application.sign", Submit: "application.send", Content: applicationPath(id) + "/content", Action: applicationPath(id) + "/sign", Disabled: !h.cfg.Office.CanLink()})
	h.signingPage(w, r, a, status, "applicationsign.html", "/applications", title, &p.Signing, p)
}

func (h *Handler) signApplication(w http.ResponseWriter, r *http.Request, a *visitor) {
	file, err := signatureOf(r)
	if err != nil {
		h.render.Error(w, r, err)
		return
	}
	h.takeSignature(w, r, a, file)
}

// demoApplication lets a demonstration's authority sign for an invented company.
func (h *Handler) demoApplication(w http.ResponseWriter, r *http.Request, a *visitor) {
	id := applicationID(r)
	content, err := h.cfg.Office.ApplicationContent(r.Context(), a.Actor, id)
	var app registry.Application
	if err == nil {
		app, _, err = h.cfg.Office.Application(r.Context(), a.Actor, id)
	}
	var file []byte
	if err == nil {
		file, err = h.cfg.DemoSign(content, a.User.Name, app.Form.XIN)
	}
	if err != nil {
		h.render.Error(w, r, err)
		return
	}
	h.takeSignature(w, r, a, file)
}

// takeSignature sends an application, or says why its signature is not accepted.
func (h *Handler) takeSignature(w http.ResponseWriter, r *http.Request, a *visitor, file []byte) {
	id := applicationID(r)
	app, err := h.cfg.Office.SignApplication(r.Context(), a.Actor, id, file)
	if err == nil {
		done(w, r, applicationPath(app.ID), "application_sent")
		return
	}
	in := inputsOf()
	status, ok := in.wrong(a.locale, err)
	if !ok || errors.Is(err, fiscal.Denied) || errors.Is(err, fiscal.NotFound) {
		h.render.Error(w, r, err)
		return
	}
	h.showSign(w, r, a, status, id, in.Refusal, nil)
}
