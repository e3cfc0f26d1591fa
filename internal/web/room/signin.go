package room

import (
	"net/http"
	"net/url"

	"openofd/internal/access"
	"openofd/internal/web/ui"
)

// doorPage is what the pages before signing in show.
type doorPage struct {
	form
	Title  string   // key
	Order  []string // of the fields
	Hidden map[string]string
	Action string
	Lead   string // key
	Submit string // key
	NoMail bool
	// Passkey says that who has one can come in by it.
	Passkey bool
	Links   []link
}

type link struct{ Key, URL string }

// fields are a form's inputs in order.
func (p *doorPage) fields(all ...ui.Field) {
	p.Fields = make(map[string]ui.Field, len(all))
	for _, f := range all {
		p.Fields[f.Name] = f
		p.Order = append(p.Order, f.Name)
	}
}

// Inputs are the fields as the template walks them.
func (p *doorPage) Inputs() (all []ui.Field) {
	for _, name := range p.Order {
		all = append(all, p.Fields[name])
	}
	return all
}

func emailField(value string) ui.Field {
	return ui.Field{Name: "email", Key: "field.email", Type: "email", Value: value, Mode: "email", Auto: "username", Max: 254, Required: true}
}

func passwordField(auto string) ui.Field {
	f := ui.Field{Name: "password", Key: "field.password", Type: "password", Auto: auto, Max: access.MaxPassword, Required: true}
	if auto == "new-password" {
		f.Hint = "field.password.hint"
	}
	return f
}

func codeField() ui.Field {
	return ui.Field{Name: "code", Key: "field.code", Mode: "numeric", Auto: "one-time-code", Max: 12, Required: true, Hint: "field.code.hint"}
}

func (h *Handler) signInForm(r *http.Request, email, to string) *doorPage {
	p := &doorPage{Title: "signin.title", Action: "/signin", Submit: "signin.submit", Hidden: map[string]string{"to": to}, Passkey: h.access.Passkeys(),
		Links: []link{{"signin.forgot", "/forgot"}, {"signin.signup", "/signup"}}}
	p.fields(emailField(email), passwordField("current-password"))
	return p
}

func (h *Handler) signInPage(w http.ResponseWriter, r *http.Request) {
	if token := tokenOf(r); token != "" {
		if _, err := h.access.Resume(r.Context(), token, h.visit(r)); err == nil {
			http.Redirect(w, r, local(r.FormValue("to")), http.StatusSeeOther)
			return
		}
	}
	h.door(w, r, http.StatusOK, h.signInForm(r, "", r.FormValue("to")))
}

func (h *Handler) signIn(w http.ResponseWriter, r *http.Request) {
	email, to := r.PostFormValue("email"), r.PostFormValue("to")
	token, half, err := h.access.SignIn(r.Context(), email, r.PostFormValue("password"), h.visit(r))
	if err != nil {
		h.again(w, r, h.signInForm(r, email, to), err)
		return
	}
	h.entered(w, r, token, half, to)
}

// entered gives the browser its session and sends it on.
func (h *Handler) entered(w http.ResponseWriter, r *http.Request, token string, half bool, to string) {
	if half {
		h.remember(w, r, halfCookie, token)
		next := url.Values{}
		if to != "" {
			next.Set("to", to)
		}
		http.Redirect(w, r, ui.Link(r, "/signin/second", next), http.StatusSeeOther)
		return
	}
	h.forget(w)
	h.remember(w, r, sessionCookie, token)
	http.Redirect(w, r, local(to), http.StatusSeeOther)
}

// again shows a form with what was wrong.
func (h *Handler) again(w http.ResponseWriter, r *http.Request, p *doorPage, err error) {
	status, ok := p.wrong(h.render.Locale(r), err)
	if !ok {
		h.render.Error(w, r, err)
		return
	}
	h.door(w, r, status, p)
}

func (h *Handler) door(w http.ResponseWriter, r *http.Request, status int, p *doorPage) {
	h.outside(w, r, status, "door.html", p.Title, p)
}

func secondForm(to string) *doorPage {
	p := &doorPage{Title: "second.title", Action: "/signin/second", Lead: "second.lead", Submit: "signin.submit", Hidden: map[string]string{"to": to}, Links: []link{{"second.back", "/signin"}}}
	p.fields(ui.Field{Name: "totp", Key: "field.totp", Auto: "one-time-code", Max: 32, Required: true, Hint: "field.totp.hint"})
	return p
}

func (h *Handler) secondPage(w http.ResponseWriter, r *http.Request) {
	if _, err := h.access.Owing(r.Context(), cookie(r, halfCookie)); err == nil {
		http.Redirect(w, r, ui.Link(r, certificatePath, nil), http.StatusSeeOther)
		return
	}
	h.door(w, r, http.StatusOK, secondForm(r.FormValue("to")))
}

func (h *Handler) second(w http.ResponseWriter, r *http.Request) {
	token, err := h.access.SecondFactor(r.Context(), cookie(r, halfCookie), r.PostFormValue("totp"), h.visit(r))
	if err != nil {
		h.again(w, r, secondForm(r.PostFormValue("to")), err)
		return
	}
	h.entered(w, r, token, false, r.PostFormValue("to"))
}

func (h *Handler) signOut(w http.ResponseWriter, r *http.Request, a *visitor) {
	if err := h.access.EndSession(r.Context(), a.Actor, a.Session); err != nil {
		h.render.Error(w, r, err)
		return
	}
	h.forget(w)
	http.Redirect(w, r, "/signin?done=signed_out&lang="+a.locale.Lang, http.StatusSeeOther)
}
