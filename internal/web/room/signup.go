package room

import (
	"net/http"
	"net/url"

	"openofd/internal/access"
	"openofd/internal/web/ui"
)

func (h *Handler) signUpForm(email string) *doorPage {
	p := &doorPage{Title: "signup.title", Action: "/signup", Lead: "signup.lead", Submit: "signup.submit", NoMail: h.cfg.NoMail, Links: []link{{"signup.signin", "/signin"}}}
	p.fields(emailField(email))
	return p
}

func (h *Handler) signUpPage(w http.ResponseWriter, r *http.Request) {
	h.door(w, r, http.StatusOK, h.signUpForm(""))
}

func (h *Handler) signUp(w http.ResponseWriter, r *http.Request) {
	email := r.PostFormValue("email")
	if err := h.access.SignUp(r.Context(), email, h.render.Locale(r).Lang); err != nil {
		h.again(w, r, h.signUpForm(email), err)
		return
	}
	http.Redirect(w, r, ui.Link(r, "/signup/confirm", url.Values{"email": {email}}), http.StatusSeeOther)
}

// confirmForm asks for everything else: nobody types it before their address is
// known to be right.
func confirmForm(email, code, name string) *doorPage {
	p := &doorPage{Title: "confirm.title", Action: "/signup/confirm", Lead: "confirm.lead", Submit: "confirm.submit", Links: []link{{"confirm.again", "/signup"}}}
	mail := emailField(email)
	mail.ReadOnly = email != ""
	number := codeField()
	number.Value = code
	p.fields(mail, number, ui.Field{Name: "name", Key: "field.name", Value: name, Auto: "name", Max: 100, Required: true}, passwordField("new-password"))
	return p
}

func (h *Handler) confirmPage(w http.ResponseWriter, r *http.Request) {
	h.door(w, r, http.StatusOK, confirmForm(r.FormValue("email"), "", ""))
}

func (h *Handler) confirm(w http.ResponseWriter, r *http.Request) {
	in := access.NewUser{Email: r.PostFormValue("email"), Code: r.PostFormValue("code"), Name: r.PostFormValue("name"),
		Password: r.PostFormValue("password"), Language: h.render.Locale(r).Lang}
	token, _, err := h.access.Confirm(r.Context(), in, h.visit(r))
	if err != nil {
		h.again(w, r, confirmForm(in.Email, in.Code, in.Name), err)
		return
	}
	h.remember(w, r, sessionCookie, token)
	done(w, r, "/cabinet", "signed_up")
}

func (h *Handler) forgotForm(email string) *doorPage {
	p := &doorPage{Title: "forgot.title", Action: "/forgot", Lead: "forgot.lead", Submit: "forgot.submit", NoMail: h.cfg.NoMail, Links: []link{{"second.back", "/signin"}}}
	p.fields(emailField(email))
	return p
}

func (h *Handler) forgotPage(w http.ResponseWriter, r *http.Request) {
	h.door(w, r, http.StatusOK, h.forgotForm(""))
}

func (h *Handler) forgot(w http.ResponseWriter, r *http.Request) {
	email := r.PostFormValue("email")
	if err := h.access.Forgot(r.Context(), email, h.render.Locale(r).Lang); err != nil {
		h.again(w, r, h.forgotForm(email), err)
		return
	}
	http.Redirect(w, r, ui.Link(r, "/reset", url.Values{"email": {email}}), http.StatusSeeOther)
}

func resetForm(email, code string) *doorPage {
	p := &doorPage{Title: "reset.title", Action: "/reset", Lead: "reset.lead", Submit: "reset.submit", Links: []link{{"confirm.again", "/forgot"}}}
	mail := emailField(email)
	mail.ReadOnly = email != ""
	number := codeField()
	number.Value = code
	p.fields(mail, number, passwordField("new-password"))
	return p
}

func (h *Handler) resetPage(w http.ResponseWriter, r *http.Request) {
	h.door(w, r, http.StatusOK, resetForm(r.FormValue("email"), ""))
}

func (h *Handler) reset(w http.ResponseWriter, r *http.Request) {
	email, code := r.PostFormValue("email"), r.PostFormValue("code")
	token, half, err := h.access.Reset(r.Context(), email, code, r.PostFormValue("password"), h.visit(r))
	if err != nil {
		h.again(w, r, resetForm(email, code), err)
		return
	}
	h.entered(w, r, token, half, "")
}
