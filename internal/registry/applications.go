package registry

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"openofd/internal/access"
	"openofd/internal/fiscal"
	"openofd/internal/signature"
)

// ApplicationStore is what applications ask of an engine. A taxpayer of 0 is
// whoever: staff and whoever carries applications ask so.
type ApplicationStore interface {
	// AddApplication appends a draft with its first event and sets its ID and
	// Version; AlreadyThere with the Field "application" if the register has an
	// open one.
	AddApplication(ctx context.Context, a *Application, e ApplicationEvent) error
	// SetApplication replaces what may change of an application, if it still has
	// the Version, which it raises, and appends events. A paper is kept with the
	// signature. StateMoved if somebody else was faster.
	SetApplication(ctx context.Context, a *Application, es ...ApplicationEvent) error
	// ApplicationOf reads one with its bytes and events, oldest first; NotFound.
	ApplicationOf(ctx context.Context, t fiscal.TaxpayerID, id ApplicationID) (Application, []ApplicationEvent, error)
	// ApplicationsOf lists them without papers, as the scan is ordered.
	ApplicationsOf(ctx context.Context, s ApplicationScan) ([]Application, error)
}

// ApplicationScan asks an engine for a run of applications.
type ApplicationScan struct {
	Taxpayer fiscal.TaxpayerID // 0: whoever
	Register fiscal.RegisterID // 0: whichever
	Kind     ApplicationKind   // "": whichever
	Status   ApplicationStatus // "": whichever
	// Order is Newest, Oldest or ByItsRegister; "" is the first. A place is behind
	// the application Before, which by register is one of Behind.
	Order  ApplicationOrder
	Before ApplicationID // exclusive; 0: from the beginning
	Behind fiscal.RegisterID
	Limit  int
}

// Encode gives an application as engines keep it: the form, which is closed by
// the signature, and the rest without paper and version.
func (a *Application) Encode() (form, body []byte, err error) {
	rest := *a
	rest.Form, rest.Paper, rest.Version = ApplicationForm{}, Paper{}, 0
	if form, err = json.Marshal(&a.Form); err != nil {
		return nil, nil, err
	}
	body, err = json.Marshal(&rest)
	return form, body, err
}

// Decode reads what Encode gave.
func (a *Application) Decode(form, body []byte) error {
	if err := json.Unmarshal(body, a); err != nil {
		return err
	}
	a.Form = ApplicationForm{}
	return json.Unmarshal(form, &a.Form)
}

// The acts on applications that are recorded.
const (
	ActApplicationDrafted   access.Act = "application_drafted"
	ActApplicationSigned    access.Act = "application_signed"
	ActApplicationWithdrawn access.Act = "application_withdrawn"
	ActApplicationHurried   access.Act = "application_hurried"
)

// mayRead is Denied for who may neither see papers nor draft them.
func mayRead(a *access.Actor) error {
	if a.May(access.EditRegisters) {
		return nil
	}
	return a.Must(access.SeeDocuments)
}

// DraftApplication begins an application, filled in with what is known of the
// organization, the outlet and the register.
//
// Errors: Denied; NotFound; AlreadyThere (Conflict) with the Field "application"
// while another one of the register is open; Conflict with the Field "register"
// for one that is on the record already, or off it.
//
// Source: order 135 item 7; requirements O-053 to O-056.
func (o *Office) DraftApplication(ctx context.Context, a *access.Actor, r fiscal.RegisterID, k ApplicationKind) (Application, error) {
	if err := a.Must(access.EditRegisters); err != nil {
		return Application{}, err
	}
	if !slices.Contains(ApplicationKinds(), k) {
		return Application{}, &fiscal.Error{Reason: fiscal.BadValue, Field: "kind"}
	}
	s, err := o.Register(ctx, a, r)
	if err != nil {
		return Application{}, err
	}
	app, err := o.draft(ctx, &s, k, a.User.Email, nil)
	if err != nil {
		return app, err
	}
	return app, o.access.Note(ctx, a, ActApplicationDrafted, fmt.Sprint(app.ID), string(k)+" "+fmt.Sprint(r))
}

// draft stores a new draft; form is nil for one that is filled in here.
func (o *Office) draft(ctx context.Context, s *Seen, k ApplicationKind, by string, form *ApplicationForm) (Application, error) {
	card := &s.Card
	switch {
	case s.State.Status == fiscal.StatusDeregistered:
		return Application{}, &fiscal.Error{Of: fiscal.Conflict, Field: "register", Msg: "deregistered"}
	case k == Enrol && card.Application != 0 && !card.Provisional:
		return Application{}, &fiscal.Error{Of: fiscal.Conflict, Field: "register", Msg: "registered"}
	case k != Enrol && card.Provisional:
		return Application{}, &fiscal.Error{Of: fiscal.Conflict, Field: "register", Msg: "not_registered"}
	}
	if form == nil {
		g, err := o.grounds(ctx, card, s.State)
		if err != nil {
			return Application{}, err
		}
		form = prefilled(k, &g)
	}
	now := o.registry.instant()
	app := Application{Taxpayer: card.Taxpayer, Register: card.Register, Country: card.Country, Kind: k, Status: Draft, Form: *form, Created: now, Changed: now, By: by}
	err := o.store.AddApplication(ctx, &app, ApplicationEvent{At: now, What: WasDrafted, By: by, Status: Draft})
	return app, err
}

// prefilled is a form with what is known. The card has the last word on the
// register, the organization's and the outlet's record on themselves.
func prefilled(k ApplicationKind, g *Grounds) *ApplicationForm {
	t, c := g.Taxpayer, g.Card
	f := &ApplicationForm{
		XIN: t.XIN, Title: t.Title, LegalAddress: t.Address, OKED: t.OKED, VATPercent: t.VATPercent, VATCertificate: t.VATCertificate,
		Outlet: c.Outlet, OutletTitle: c.OutletTitle, OutletAddress: c.OutletAddress,
		Name: c.Name, Model: c.Model, SerialNumber: c.SerialNumber, ManufactureYear: c.ManufactureYear,
		Drive: c.Drive, Format: c.Format, Modes: slices.Clone(c.Modes), Parts: slices.Clone(c.Parts), Connection: c.Connection, SIM: c.SIM,
	}
	if !c.Provisional {
		f.RegistrationNumber = c.RegistrationNumber
	}
	for _, o := range g.Outlets {
		if o.ID == c.Outlet {
			f.OutletTitle, f.OutletAddress, f.Where = o.Title, o.Address, o.Where
		}
	}
	if f.Connection == "" && g.Model != nil && len(g.Model.Connections) == 1 {
		f.Connection = g.Model.Connections[0]
	}
	f.tidy(t.Country)
	return f
}

// grounds reads what an application of a register is held against.
func (o *Office) grounds(ctx context.Context, card *fiscal.Card, state *fiscal.State) (g Grounds, err error) {
	t, err := o.store.TaxpayerOf(ctx, card.Taxpayer)
	if err != nil {
		return g, err
	}
	outlets, err := o.store.OutletsOf(ctx, card.Taxpayer)
	if err != nil {
		return g, err
	}
	return Grounds{Taxpayer: &t, Outlets: outlets, Card: card, State: state, Model: o.Model(card.Country, card.Model), Now: o.now()}, nil
}

// control holds an application against what is known.
func (o *Office) control(ctx context.Context, app *Application) ([]FieldError, error) {
	l, err := o.store.RegisterOf(ctx, app.Taxpayer, app.Register)
	if err != nil {
		return nil, err
	}
	g, err := o.grounds(ctx, &l.Card, l.State)
	if err != nil {
		return nil, err
	}
	g.Model = o.Model(app.Country, app.Form.Model)
	return Control(app.Kind, &app.Form, &g), nil
}

// application reads one that the actor sees.
func (o *Office) application(ctx context.Context, a *access.Actor, id ApplicationID) (app Application, es []ApplicationEvent, err error) {
	app, es, err = o.store.ApplicationOf(ctx, a.Taxpayer, id)
	if err == nil {
		_, err = o.Register(ctx, a, app.Register)
	}
	if err != nil {
		return Application{}, nil, err
	}
	return app, es, nil
}

// drafted reads a draft; Conflict with the Field "status" for what is none.
func (o *Office) drafted(ctx context.Context, a *access.Actor, id ApplicationID) (Application, error) {
	app, _, err := o.application(ctx, a, id)
	if err == nil && app.Status != Draft {
		err = &fiscal.Error{Of: fiscal.Conflict, Field: "status", Msg: string(app.Status)}
	}
	return app, err
}

// SetApplication keeps a draft whatever is wrong with it, and names every field
// that is. Register, kind and whose it is stay.
//
// Errors: Denied; NotFound; Conflict for what is no draft; StateMoved; Invalid
// for a form that is too large to be kept.
func (o *Office) SetApplication(ctx context.Context, a *access.Actor, id ApplicationID, f ApplicationForm) (Application, []FieldError, error) {
	if err := a.Must(access.EditRegisters); err != nil {
		return Application{}, nil, err
	}
	app, err := o.drafted(ctx, a, id)
	if err != nil {
		return app, nil, err
	}
	if len(f.Parts) > len(fiscal.PartKinds()) || len(f.Modes) > maxModes || len(f.Reasons) > maxModes {
		return app, nil, &fiscal.Error{Reason: fiscal.BadValue, Field: "form", Msg: "too large"}
	}
	f.tidy(app.Country)
	if f.Outlet != 0 && !a.Sees(f.Outlet) {
		return app, nil, &fiscal.Error{Reason: fiscal.NothingThere, Field: "outlet"}
	}
	if b, err := json.Marshal(&f); err != nil || len(b) > maxForm {
		return app, nil, &fiscal.Error{Reason: fiscal.BadValue, Field: "form", Msg: "too large", Err: err}
	}
	app.Form, app.Changed = f, o.registry.instant()
	if err := o.store.SetApplication(ctx, &app); err != nil {
		return app, nil, err
	}
	found, err := o.control(ctx, &app)
	return app, found, err
}

// CheckApplication is what the control finds in a draft as it is kept.
func (o *Office) CheckApplication(ctx context.Context, a *access.Actor, id ApplicationID) ([]FieldError, error) {
	if err := mayRead(a); err != nil {
		return nil, err
	}
	app, err := o.drafted(ctx, a, id)
	if err != nil {
		return nil, err
	}
	return o.control(ctx, &app)
}

// contentFormat names the layout of the bytes that are signed. Another layout is
// another name; those that were signed stay as they are.
const contentFormat = "ofd-application/1"

// content are the bytes that are signed: a function of the draft and of who the
// operator is, so that they can be worded again until they are signed.
func (o *Office) content(app *Application) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false) // people read it before they sign
	e.SetIndent("", "  ")
	type operator struct {
		Title fiscal.Text `json:"title"`
		BIN   fiscal.XIN  `json:"bin,omitempty"`
		INN   fiscal.XIN  `json:"inn,omitempty"`
	}
	err := e.Encode(struct {
		Format      string            `json:"format"`
		Application ApplicationID     `json:"application"`
		Kind        ApplicationKind   `json:"kind"`
		Country     fiscal.Country    `json:"country"`
		Date        string            `json:"date"`
		Operator    operator          `json:"operator"`
		Register    fiscal.RegisterID `json:"register"`
		Form        *ApplicationForm  `json:"form"`
	}{contentFormat, app.ID, app.Kind, app.Country, app.Changed.UTC().Format(time.RFC3339), operator{o.operator.Title, o.operator.BIN, o.operator.INN}, app.Register, &app.Form})
	return b.Bytes(), err
}

// ApplicationContent gives the bytes that are to be signed, and those that were.
//
// Errors: Denied; NotFound; Conflict for one that was withdrawn; FieldErrors
// (Invalid) while the control finds what keeps it from being signed.
//
// Source: requirements P-048, E-065, E-074.
func (o *Office) ApplicationContent(ctx context.Context, a *access.Actor, id ApplicationID) ([]byte, error) {
	if err := mayRead(a); err != nil {
		return nil, err
	}
	app, _, err := o.application(ctx, a, id)
	if err != nil {
		return nil, err
	}
	if app.Content != nil {
		return app.Content, nil
	}
	if app.Status != Draft {
		return nil, &fiscal.Error{Of: fiscal.Conflict, Field: "status", Msg: string(app.Status)}
	}
	if _, err := o.fit(ctx, &app); err != nil {
		return nil, err
	}
	return o.content(&app)
}

// fit is what the control finds in an application that may be signed.
func (o *Office) fit(ctx context.Context, app *Application) ([]FieldError, error) {
	found, err := o.control(ctx, app)
	if err != nil {
		return nil, err
	}
	if wrong := Blocking(found); len(wrong) > 0 {
		return found, &fiscal.Error{Reason: wrong[0].Reason, Field: wrong[0].Field, Msg: wrong[0].Detail, Err: wrong}
	}
	return found, nil
}

// SignApplication takes a signature, detached or attached, of the bytes that
// ApplicationContent gave, and has the application sent: what was signed, the
// verdict, and that it is due stand in one transaction.
//
// Errors: Denied; NotFound; Conflict for what is no draft, or without a contract;
// FieldErrors; those of signature, which hold a Refusal; Unavailable when nothing
// can be verified here; StateMoved.
//
// Source: order 135 items 7 to 9; requirements P-049, P-052, E-075, O-060.
func (o *Office) SignApplication(ctx context.Context, a *access.Actor, id ApplicationID, file []byte) (Application, error) {
	if err := a.Must(access.Apply); err != nil {
		return Application{}, err
	}
	app, err := o.drafted(ctx, a, id)
	if err != nil {
		return app, err
	}
	papers, err := o.store.Contracts(ctx, a.Taxpayer)
	if err != nil {
		return app, err
	}
	if app.Kind != Remove && !InForce(papers) { // who leaves us may do so at any time
		return app, &fiscal.Error{Of: fiscal.Conflict, Field: "contract", Msg: "none"}
	}
	found, err := o.fit(ctx, &app)
	if err != nil {
		return app, err
	}
	content, err := o.content(&app)
	if err != nil {
		return app, fmt.Errorf("word application %d: %w", app.ID, err)
	}
	v, err := o.verify(file, content, app.Form.XIN)
	if err != nil {
		return app, err
	}
	now := o.registry.instant()
	app.Status, app.SignedAt, app.Changed, app.SignedBy, app.NextTry = Sent, now, now, a.User.Email, now
	app.Paper = Paper{Method: v.Method, Owner: &v.Owner, Verdict: kept(v), Control: found, Content: content, Signature: bytes.Clone(file)}
	if err := o.store.SetApplication(ctx, &app, ApplicationEvent{At: now, What: WasSigned, By: a.User.Email, Detail: v.Method, Status: Sent}); err != nil {
		return app, err
	}
	return app, o.access.Note(ctx, a, ActApplicationSigned, fmt.Sprint(app.ID), v.Method)
}

// verify judges a signature that must be the taxpayer's own.
func (o *Office) verify(file, content []byte, of fiscal.XIN) (*signature.Verdict, error) {
	if o.judge == nil {
		return nil, &fiscal.Error{Of: fiscal.Unavailable, Field: "signature", Msg: "no_roots"}
	}
	if len(file) == 0 {
		return nil, &fiscal.Error{Reason: fiscal.MissingParameter, Field: "signature"}
	}
	v, err := o.judge.Verify(file, content)
	if err != nil {
		return nil, err
	}
	demand := signature.Demand{Taxpayer: of, Entity: v.Owner.Entity()}
	if demand.Entity {
		demand.Keys = []signature.KeyKind{signature.KeyGOST}
	}
	return v, demand.Check(&v.Owner)
}

// kept is a verdict with the certificates, as it is stored.
func kept(v *signature.Verdict) *Verdict {
	all := &Verdict{Verdict: *v}
	for _, link := range v.Chain {
		all.Certificates = append(all.Certificates, link.Encoded)
	}
	return all
}

// ResendApplication makes a new draft of one that was refused, with the same
// form. What was refused stays as it was.
//
// Errors: Denied; NotFound; Conflict for what was not refused; those of
// DraftApplication.
// Source: requirement E-084.
func (o *Office) ResendApplication(ctx context.Context, a *access.Actor, id ApplicationID) (Application, error) {
	if err := a.Must(access.EditRegisters); err != nil {
		return Application{}, err
	}
	old, _, err := o.application(ctx, a, id)
	if err != nil {
		return Application{}, err
	}
	if old.Status != Refused {
		return Application{}, &fiscal.Error{Of: fiscal.Conflict, Field: "status", Msg: string(old.Status)}
	}
	s, err := o.Register(ctx, a, old.Register)
	if err != nil {
		return Application{}, err
	}
	app, err := o.draft(ctx, &s, old.Kind, a.User.Email, &old.Form)
	if err != nil {
		return app, err
	}
	return app, o.access.Note(ctx, a, ActApplicationDrafted, fmt.Sprint(app.ID), "again "+fmt.Sprint(old.ID))
}

// WithdrawApplication gives up a draft. It stays in the list.
func (o *Office) WithdrawApplication(ctx context.Context, a *access.Actor, id ApplicationID) error {
	if err := a.Must(access.EditRegisters); err != nil {
		return err
	}
	app, err := o.drafted(ctx, a, id)
	if err != nil {
		return err
	}
	now := o.registry.instant()
	app.Status, app.Changed = Withdrawn, now
	if err := o.store.SetApplication(ctx, &app, ApplicationEvent{At: now, What: WasWithdrawn, By: a.User.Email, Status: Withdrawn}); err != nil {
		return err
	}
	return o.access.Note(ctx, a, ActApplicationWithdrawn, fmt.Sprint(app.ID), "")
}

// Application is one of them with its bytes, and what became of it, newest last.
// What went wrong on the way is the operator's to know: errors are worded in one
// language, and name addresses.
func (o *Office) Application(ctx context.Context, a *access.Actor, id ApplicationID) (Application, []ApplicationEvent, error) {
	if err := mayRead(a); err != nil {
		return Application{}, nil, err
	}
	app, es, err := o.application(ctx, a, id)
	for i := range es {
		if e := &es[i]; e.What == WasDelayed || e.What == WasStuck {
			e.Detail = ""
		}
	}
	return app, es, err
}

// HurryApplication has an application that waits for its next try tried at once,
// by the operator's staff. Conflict for one of which nothing is to be carried.
func (o *Office) HurryApplication(ctx context.Context, id ApplicationID, by string) (Application, error) {
	app, _, err := o.store.ApplicationOf(ctx, 0, id)
	if err != nil {
		return app, err
	}
	if app.Status != Sent && (app.Status != Granted || !app.AppliedAt.IsZero()) {
		return app, &fiscal.Error{Of: fiscal.Conflict, Field: "status", Msg: string(app.Status)}
	}
	now := o.registry.instant()
	app.NextTry, app.Tries = now, 0
	if err := o.store.SetApplication(ctx, &app, ApplicationEvent{At: now, What: WasHurried, By: by, Status: app.Status}); err != nil {
		return app, err
	}
	return app, access.Operator{Service: o.access, By: by}.Note(ctx, app.Taxpayer, ActApplicationHurried, fmt.Sprint(app.ID), "")
}

// OpenApplication is the one of a register that is not over; NotFound if there
// is none.
func (o *Office) OpenApplication(ctx context.Context, a *access.Actor, r fiscal.RegisterID) (Application, error) {
	page, err := o.Applications(ctx, a, ApplicationQuery{Register: r, Limit: 1})
	if err == nil && (len(page.Applications) == 0 || !page.Applications[0].Open()) {
		err = &fiscal.Error{Reason: fiscal.NothingThere, Field: "application"}
	}
	if err != nil {
		return Application{}, err
	}
	return page.Applications[0], nil
}
