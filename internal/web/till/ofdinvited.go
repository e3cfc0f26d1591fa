package till

import (
	"net/http"
	"net/url"
	"strings"

	"openofd/internal/fiscal"
	"openofd/internal/web/ui"
)

// askInvited has the operator send its code to who is invited.
//
// Source: requirement E-047.
func (h *Handler) askInvited(w http.ResponseWriter, r *http.Request, g *guest) {
	x := strings.TrimSpace(r.PostFormValue("xin"))
	err := fiscal.CheckXIN(fiscal.XIN(x), "xin")
	if err == nil {
		_, err = h.till.AskLink(r.Context(), g.Seat, g.locale.Lang)
	}
	if err != nil {
		h.linkAgain(w, r, g, err)
		return
	}
	http.Redirect(w, r, "/ofd/invited?"+url.Values{"xin": {x}}.Encode(), http.StatusSeeOther)
}

func invitedForm(r *http.Request, g *guest) ofdForm {
	fields := filled(r, xinField(r.URL.Query().Get("xin")),
		ui.Field{Name: "code", Key: "till.code", Mode: "numeric", Auto: "one-time-code", Max: 8, Required: true, Hint: "till.code.hint"})
	return ofdForm{formPage{form: fields, Action: "/ofd/join", Submit: "till.ofd.byinvitation.next", Intro: g.locale.T("till.ofd.confirm.code", "email", g.Account.Email)}, "till.ofd.byinvitation", g}
}

func (h *Handler) invitedPage(w http.ResponseWriter, r *http.Request, g *guest) {
	h.showOFDForm(w, r, invitedForm(r, g), nil)
}

// joinInvited takes up an invitation.
func (h *Handler) joinInvited(w http.ResponseWriter, r *http.Request, g *guest) {
	if err := h.till.LinkInvited(r.Context(), g.Seat, g.locale.Lang, fiscal.XIN(strings.TrimSpace(r.PostFormValue("xin"))), r.PostFormValue("code")); err != nil {
		h.showOFDForm(w, r, invitedForm(r, g), err)
		return
	}
	h.said(w, r, "joined")
}
