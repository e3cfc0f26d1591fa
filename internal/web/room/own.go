package room

import (
	"encoding/hex"
	"net/http"

	"openofd/internal/access"
	"openofd/internal/fiscal"
	"openofd/internal/web/ui"
)

// mePage is what a person sees of themselves.
type mePage struct {
	User      access.User
	Languages []ui.Choice
	Profile   form
	Password  form
	Stop      form
	Passkey   form // to add one
	Passkeys  passkeyList
	Sessions  []sessionRow
	Records   []recordRow
	TOTPSince string
}

// passkeyList is those that are there.
type passkeyList struct {
	form
	Here bool // people can have them
	All  []passkeyRow
}

type sessionRow struct {
	ID      string
	Device  string
	Address string
	Seen    string
	Current bool
}

func (h *Handler) me(w http.ResponseWriter, r *http.Request, a *visitor) {
	h.mePage(w, r, a, http.StatusOK, func(*mePage) {})
}

// mePage shows the page, with what was wrong put in by change.
func (h *Handler) mePage(w http.ResponseWriter, r *http.Request, a *visitor, status int, change func(*mePage)) {
	sessions, err := h.access.Sessions(r.Context(), a.Actor)
	if err != nil {
		h.render.Error(w, r, err)
		return
	}
	records, err := h.access.Own(r.Context(), a.Actor, 0, 20)
	if err != nil {
		h.render.Error(w, r, err)
		return
	}
	p := &mePage{User: a.User, Profile: profileForm(a.User.Name), Password: passwordForm(), Stop: stopForm(), Passkey: passkeyForm(""), Records: a.rows(records)}
	if a.User.TOTP != nil {
		p.TOTPSince = a.when(a.User.TOTP.Since)
	}
	for _, lang := range ui.Languages() {
		p.Languages = append(p.Languages, ui.Choice{Lang: lang, Name: h.render.Locales[lang].T("lang.name"), Current: lang == a.User.Language})
	}
	for _, s := range sessions {
		p.Sessions = append(p.Sessions, sessionRow{ID: hex.EncodeToString(s.ID[:]), Device: device(a.locale, s.Agent), Address: s.Address, Seen: a.when(s.Seen), Current: s.ID == a.Session})
	}
	change(p)
	p.Passkeys.Here, p.Passkeys.All = h.access.Passkeys(), a.passkeys()
	h.page(w, r, a, status, "me.html", "/me", "room.me", p)
}

func profileForm(name string) form {
	return form{Fields: map[string]ui.Field{"name": {Name: "name", Key: "field.name", Value: name, Auto: "name", Max: 100, Required: true}}}
}

func passwordForm() form {
	return form{Fields: map[string]ui.Field{
		"password":     {Name: "password", Key: "field.password.now", Type: "password", Auto: "current-password", Max: access.MaxPassword, Required: true},
		"new_password": {Name: "new_password", Key: "field.password.new", Type: "password", Auto: "new-password", Max: access.MaxPassword, Required: true, Hint: "field.password.hint"},
	}}
}

func stopForm() form {
	return form{Fields: map[string]ui.Field{"password": {Name: "password", Key: "field.password.now", Type: "password", Auto: "current-password", Max: access.MaxPassword, Required: true}}}
}

// wrongHere shows the page again with an error in one of its forms.
func (h *Handler) wrongHere(w http.ResponseWriter, r *http.Request, a *visitor, err error, of func(*mePage) *form) {
	var f form
	probe := mePage{Profile: profileForm(r.PostFormValue("name")), Password: passwordForm(), Stop: stopForm(), Passkey: passkeyForm(r.PostFormValue("name"))}
	f = *of(&probe)
	status, ok := f.wrong(a.locale, err)
	if !ok {
		h.render.Error(w, r, err)
		return
	}
	h.mePage(w, r, a, status, func(p *mePage) { *of(p) = f })
}

// changedHere ends a change that a person made of themselves: what was wrong is
// shown in its form.
func (h *Handler) changedHere(w http.ResponseWriter, r *http.Request, a *visitor, err error, what string, of func(*mePage) *form) {
	if err != nil {
		h.wrongHere(w, r, a, err, of)
		return
	}
	done(w, r, "/me", what)
}

func (h *Handler) setProfile(w http.ResponseWriter, r *http.Request, a *visitor) {
	lang := ui.Negotiate(r.PostFormValue("language"), "", a.User.Language)
	err := h.access.SetProfile(r.Context(), a.Actor, r.PostFormValue("name"), lang)
	h.changedHere(w, r, a, err, "saved", func(p *mePage) *form { return &p.Profile })
}

func (h *Handler) setPassword(w http.ResponseWriter, r *http.Request, a *visitor) {
	err := h.access.ChangePassword(r.Context(), a.Actor, r.PostFormValue("password"), r.PostFormValue("new_password"))
	h.changedHere(w, r, a, err, "password", func(p *mePage) *form { return &p.Password })
}

func (h *Handler) stopTOTP(w http.ResponseWriter, r *http.Request, a *visitor) {
	err := h.access.StopTOTP(r.Context(), a.Actor, r.PostFormValue("password"))
	h.changedHere(w, r, a, err, "totp_off", func(p *mePage) *form { return &p.Stop })
}

func (h *Handler) endSession(w http.ResponseWriter, r *http.Request, a *visitor) {
	var id access.SessionID
	if n, err := hex.Decode(id[:], []byte(r.PostFormValue("id")[:min(len(r.PostFormValue("id")), 2*len(id))])); err != nil || n != len(id) {
		h.render.Error(w, r, &fiscal.Error{Reason: fiscal.NothingThere, Field: "session"})
		return
	}
	h.sessionsEnded(w, r, h.access.EndSession(r.Context(), a.Actor, id))
}

func (h *Handler) endOthers(w http.ResponseWriter, r *http.Request, a *visitor) {
	h.sessionsEnded(w, r, h.access.EndOthers(r.Context(), a.Actor))
}

func (h *Handler) sessionsEnded(w http.ResponseWriter, r *http.Request, err error) {
	if err != nil {
		h.render.Error(w, r, err)
		return
	}
	done(w, r, "/me", "session")
}

// totpPage offers a second factor, and after it was turned on shows the recovery
// codes, once.
type totpPage struct {
	form
	Offer    access.TOTPOffer
	QR       ui.QR
	Recovery []string
}

// offered is a page with an offer and its code.
func offered(offer access.TOTPOffer, f form) (p totpPage, err error) {
	p = totpPage{form: f, Offer: offer}
	p.QR, err = ui.NewQR(offer.URL)
	return p, err
}

func totpForm() form {
	f := stopForm()
	f.Fields["totp"] = ui.Field{Name: "totp", Key: "field.totp.new", Mode: "numeric", Auto: "one-time-code", Max: 12, Required: true}
	return f
}

func (h *Handler) totpPage(w http.ResponseWriter, r *http.Request, a *visitor) {
	offer, err := h.access.OfferTOTP(a.Actor)
	var p totpPage
	if err == nil {
		p, err = offered(offer, totpForm())
	}
	if err != nil {
		h.render.Error(w, r, err)
		return
	}
	h.page(w, r, a, http.StatusOK, "totp.html", "/me", "totp.title", p)
}

func (h *Handler) startTOTP(w http.ResponseWriter, r *http.Request, a *visitor) {
	secret := r.PostFormValue("secret")
	recovery, err := h.access.StartTOTP(r.Context(), a.Actor, r.PostFormValue("password"), secret, r.PostFormValue("totp"))
	if err == nil {
		h.page(w, r, a, http.StatusOK, "totp.html", "/me", "totp.title", totpPage{Recovery: recovery})
		return
	}
	f := totpForm()
	status, ok := f.wrong(a.locale, err)
	offer, again := h.access.AgainTOTP(a.Actor, secret)
	if !ok || again != nil {
		h.render.Error(w, r, err)
		return
	}
	p, err := offered(offer, f)
	if err != nil {
		h.render.Error(w, r, err)
		return
	}
	h.page(w, r, a, status, "totp.html", "/me", "totp.title", p)
}
