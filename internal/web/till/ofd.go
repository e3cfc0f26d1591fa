package till

import (
	"encoding/base64"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"

	"openofd/internal/fiscal"
	"openofd/internal/till"
	"openofd/internal/web/ui"
)

func (h *Handler) ofdRoutes() {
	h.open(unlocked, "GET /ofd", h.ofd)
	h.open(unlocked, "GET /ofd/link", h.linkPage)
	h.open(unlocked, "POST /ofd/link", h.askLink)
	h.open(unlocked, "POST /ofd/key", h.bindByKey)
	h.open(unlocked, "POST /ofd/unbind", h.unbind)
	h.open(unlocked, "POST /ofd/invited", h.askInvited)
	h.open(unlocked, "GET /ofd/invited", h.invitedPage)
	h.open(unlocked, "POST /ofd/join", h.joinInvited)
	h.open(unlocked, "GET /ofd/sign", h.signPage)
	h.open(unlocked, "GET /ofd/contract", h.linkContent)
	h.open(unlocked, "POST /ofd/examine", h.examine)
	h.open(unlocked, "POST /ofd/confirm", h.confirm)
	h.open(unlocked, "GET /ofd/address", h.addressPage)
	h.open(unlocked, "POST /ofd/address", h.setAddress)
	h.open(unlocked, "GET /ofd/outlets/new", h.outletPage)
	h.open(unlocked, "POST /ofd/outlets/new", h.addOutlet)
	h.open(unlocked, "GET /ofd/registers/new", h.enrolPage)
	h.open(unlocked, "POST /ofd/registers/new", h.enrol)
	h.open(unlocked, "GET /ofd/registers/{register}", h.enlisted)
	h.open(unlocked, "POST /ofd/registers/{register}/apply", h.apply)
	h.open(unlocked, "POST /ofd/registers/{register}/connect", h.connectEnrolled)
	h.open(unlocked, "GET /ofd/registers/{register}/applications/{application}/content", h.applicationContent)
	h.open(unlocked, "POST /ofd/registers/{register}/applications/{application}/sign", h.signApplication)
	h.open(unlocked, "POST /ofd/registers/{register}/applications/{application}/again", h.applyAgain)
}

// ofdPage is the company with its outlets and registers.
type ofdPage struct {
	Company till.Company
	Outlets []ofdOutlet
	Email   string // of the person's user there
	Role    string // key of what they are there; "" is not known
	Said    string // key of what was just done
}

// ofdOutlet is an outlet with what stands there.
type ofdOutlet struct {
	till.Outlet
	Registers []ofdRegister
}

// ofdRegister is a register with the key of its status.
type ofdRegister struct {
	till.Enrolled
	Status string
}

// statusKeys are the words of what the operator calls the states of registers
// and applications.
var statusKeys = map[string]string{
	"blocked": "till.ofd.register.blocked", "deregistered": "till.ofd.register.deregistered",
	"draft": "till.ofd.status.draft", "sent": "till.ofd.status.sent", "waiting": "till.ofd.status.waiting", "refused": "till.ofd.status.refused",
}

// saidKeys are the words of what was just done.
var saidKeys = map[string]string{
	"linked": "till.ofd.said.linked", "joined": "till.ofd.said.joined", "address": "till.ofd.said.address", "outlet": "till.ofd.said.outlet", "applied": "till.ofd.said.applied",
}

// statusOf is the key of how far a register has come.
//
// Source: requirements E-077, E-078, E-080.
func statusOf(e *till.Enrolled, a *till.Application) string {
	switch {
	case e.Status != "active":
		return statusKeys[e.Status]
	case a.ID != 0 && a.Status != "registered":
		return statusKeys[a.Status]
	case e.Card.Provisional:
		return "till.ofd.status.none"
	}
	return "till.ofd.status.registered"
}

// ofd is the section of the operator: the notice that no company is linked, or
// the company.
//
// Source: requirements E-032, E-033, E-042, E-046, E-048.
func (h *Handler) ofd(w http.ResponseWriter, r *http.Request, g *guest) {
	if g.Account.Bound == nil {
		h.ofdShow(w, r, g, http.StatusOK, "ofd.html", "till.ofd", "", (*ofdPage)(nil))
		return
	}
	ctx, lang := r.Context(), g.locale.Lang
	company, err := h.till.Company(ctx, g.Seat, lang)
	if err != nil {
		h.ofdFail(w, r, g, err)
		return
	}
	outlets, err := h.till.Outlets(ctx, g.Seat, lang)
	if err != nil {
		h.ofdFail(w, r, g, err)
		return
	}
	registers, applications, err := h.till.Enrolled(ctx, g.Seat, lang)
	if err != nil {
		h.ofdFail(w, r, g, err)
		return
	}
	p := &ofdPage{Company: company, Email: g.Account.Email, Said: saidKeys[r.URL.Query().Get("said")]}
	if role := g.Account.Bound.Role; role != "" && g.locale.Has("role."+role) {
		p.Role = "role." + role
	}
	for _, o := range outlets {
		one := ofdOutlet{Outlet: o}
		for i := range registers {
			if e := &registers[i]; e.Card.Outlet == o.ID {
				a := applications[e.ID]
				one.Registers = append(one.Registers, ofdRegister{*e, statusOf(e, &a)})
			}
		}
		p.Outlets = append(p.Outlets, one)
	}
	h.ofdShow(w, r, g, http.StatusOK, "ofd.html", "till.ofd", "", p)
}

func (h *Handler) ofdShow(w http.ResponseWriter, r *http.Request, g *guest, status int, name, title, back string, data any) {
	h.show(w, r, g, status, name, page{Page: ui.Page{Title: g.locale.T(title)}, Tab: "ofd", Back: back}, data)
}

// ofdFail words an error with the way out: a key that does not hold any more is
// given up, and the company linked again.
func (h *Handler) ofdFail(w http.ResponseWriter, r *http.Request, g *guest, err error) {
	words := h.words(g.locale, err)
	var e *fiscal.Error
	switch errors.As(err, &e); {
	case e != nil && e.Field == "key" && g.Account.Bound != nil:
		words.What, words.Next = g.locale.T("till.ofd.key.over"), ""
		words.Way, words.Label = "/ofd/link", g.locale.T("till.ofd.link")
	case e != nil && e.Field == "company":
		words.What, words.Next = g.locale.T("till.ofd.none"), ""
		words.Way, words.Label = "/ofd/link", g.locale.T("till.ofd.link")
	case errors.Is(err, fiscal.Unavailable):
		words.Way, words.Label = r.URL.Path, g.locale.T("till.ofd.again")
		if r.Method != http.MethodGet {
			words.Way = "/ofd"
		}
	}
	h.ofdShow(w, r, g, words.Status, "wrong.html", "till.ofd", "/ofd", words)
}

func (h *Handler) said(w http.ResponseWriter, r *http.Request, what string) {
	http.Redirect(w, r, "/ofd?"+url.Values{"said": {what}}.Encode(), http.StatusSeeOther)
}

// linkForm is where a company is linked: by a signature, an invitation, or a key.
type linkForm struct {
	*form
	Email string
}

// Key and XIN are the inputs of their ways.
func (f linkForm) Key() ui.Field { return f.Fields["key"] }
func (f linkForm) XIN() ui.Field { return f.Fields["xin"] }

func newLinkForm(r *http.Request, g *guest) linkForm {
	return linkForm{filled(r, xinField(""), ui.Field{Name: "key", Key: "till.ofd.key", Auto: "off", Max: 100, Hint: "till.ofd.key.hint"}), g.Account.Email}
}

func xinField(value string) ui.Field {
	return ui.Field{Name: "xin", Key: "till.ofd.xin", Value: value, Mode: "numeric", Auto: "off", Max: 12, Required: true}
}

func (h *Handler) linkPage(w http.ResponseWriter, r *http.Request, g *guest) {
	h.ofdShow(w, r, g, http.StatusOK, "ofdlink.html", "till.ofd.link", "/ofd", newLinkForm(r, g))
}

func (h *Handler) linkAgain(w http.ResponseWriter, r *http.Request, g *guest, err error) {
	f := newLinkForm(r, g)
	status := h.blame(f.form, g.locale, err)
	if status == 0 {
		h.ofdFail(w, r, g, err)
		return
	}
	h.ofdShow(w, r, g, status, "ofdlink.html", "till.ofd.link", "/ofd", f)
}

func (h *Handler) bindByKey(w http.ResponseWriter, r *http.Request, g *guest) {
	if err := h.till.BindByKey(r.Context(), g.Seat, g.locale.Lang, r.PostFormValue("key")); err != nil {
		h.linkAgain(w, r, g, err)
		return
	}
	h.said(w, r, "linked")
}

func (h *Handler) unbind(w http.ResponseWriter, r *http.Request, g *guest) {
	if err := h.till.Unbind(g.Seat); err != nil {
		h.fail(w, r, g, err)
		return
	}
	http.Redirect(w, r, "/ofd", http.StatusSeeOther)
}

// askLink has the operator send its letter, and goes on to the signature.
func (h *Handler) askLink(w http.ResponseWriter, r *http.Request, g *guest) {
	l, err := h.till.AskLink(r.Context(), g.Seat, g.locale.Lang)
	if err != nil {
		h.linkAgain(w, r, g, err)
		return
	}
	http.Redirect(w, r, "/ofd/sign?"+query(l).Encode(), http.StatusSeeOther)
}

func query(l till.Link) url.Values { return url.Values{"date": {l.Date}, "language": {l.Language}} }

func linkOf(r *http.Request) till.Link {
	return till.Link{Date: r.FormValue("date"), Language: r.FormValue("language")}
}

// signing is where a page takes a signature.
type signing struct {
	Content, Action, Submit string
	NCALayer                string
	Hidden                  []ui.Row
}

// Words are the keys of what the page may have to say.
func (signing) Words() []string {
	return []string{"nofile", "notkey", "insecure", "password", "gost", "ncalayer", "late", "canceled", "failed"}
}

// nCALayer is where the program answers that signs on people's own computers.
const nCALayer = "wss://127.0.0.1:13579"

// signs lets a page speak to what signs on the reader's computer.
func signs(w http.ResponseWriter) {
	p := w.Header().Get("Content-Security-Policy")
	w.Header().Set("Content-Security-Policy", strings.Replace(p, "connect-src 'self'", "connect-src 'self' "+nCALayer, 1))
}

// linkSign is the page on which the contract is signed, and then the one that
// shows whose signature it is.
type linkSign struct {
	Text    string
	Email   string
	Refusal string
	Signing signing
	Signer  *till.Signer // nil: nothing is signed yet
	File    string       // the signature, base64
	Link    till.Link
	Code    ui.Field
}

func (h *Handler) signPage(w http.ResponseWriter, r *http.Request, g *guest) {
	h.showSign(w, r, g, linkOf(r), nil)
}

func (h *Handler) showSign(w http.ResponseWriter, r *http.Request, g *guest, l till.Link, refused error) {
	text, err := h.till.LinkContent(r.Context(), g.Seat, l)
	if err != nil {
		h.ofdFail(w, r, g, err)
		return
	}
	p := linkSign{Text: string(text), Email: g.Account.Email, Link: l, Signing: signing{Content: "/ofd/contract?" + query(l).Encode(), Action: "/ofd/examine",
		Submit: "link.examine", NCALayer: nCALayer, Hidden: []ui.Row{{Key: "date", Value: l.Date}, {Key: "language", Value: l.Language}}}}
	status := http.StatusOK
	if refused != nil {
		words := h.words(g.locale, refused)
		p.Refusal, status = strings.TrimSpace(words.What+" "+words.Next), words.Status
	}
	signs(w)
	h.ofdShow(w, r, g, status, "ofdsign.html", "till.ofd.sign", "/ofd/link", p)
}

func (h *Handler) linkContent(w http.ResponseWriter, r *http.Request, g *guest) {
	text, err := h.till.LinkContent(r.Context(), g.Seat, linkOf(r))
	if err != nil {
		h.ofdFail(w, r, g, err)
		return
	}
	give(w, "contract.txt", "text/plain; charset=utf-8", text)
}

// give answers with a file.
func give(w http.ResponseWriter, name, kind string, b []byte) {
	w.Header().Set("Content-Type", kind)
	w.Header().Set("Content-Disposition", `attachment; filename="`+name+`"`)
	_, _ = w.Write(b) // the client is gone: nothing to tell it
}

// signatureOf is the signature that a form brings: a file, or what a page made.
func signatureOf(r *http.Request) ([]byte, error) {
	if made := strings.TrimSpace(r.PostFormValue("file")); made != "" {
		b, err := base64.StdEncoding.DecodeString(made)
		if err != nil {
			return nil, &fiscal.Error{Reason: fiscal.BadForm, Field: "file"}
		}
		return b, nil
	}
	f, _, err := r.FormFile("signature")
	if err != nil {
		return nil, &fiscal.Error{Reason: fiscal.MissingParameter, Field: "signature"}
	}
	defer f.Close()
	b, err := io.ReadAll(f) // bounded with the whole form
	if err != nil || len(b) == 0 {
		return nil, &fiscal.Error{Reason: fiscal.MissingParameter, Field: "signature"}
	}
	return b, nil
}

// examine shows whose signature it is, and asks for the letter's code.
//
// Source: requirement E-039.
func (h *Handler) examine(w http.ResponseWriter, r *http.Request, g *guest) {
	file, err := signatureOf(r)
	if err != nil {
		h.showSign(w, r, g, linkOf(r), err)
		return
	}
	h.showSigner(w, r, g, linkOf(r), file, nil)
}

func (h *Handler) showSigner(w http.ResponseWriter, r *http.Request, g *guest, l till.Link, file []byte, refused error) {
	who, err := h.till.ExamineLink(r.Context(), g.Seat, g.locale.Lang, l, file)
	if err != nil {
		h.showSign(w, r, g, l, err)
		return
	}
	p := linkSign{Email: g.Account.Email, Signer: &who, File: base64.StdEncoding.EncodeToString(file), Link: l,
		Code: ui.Field{Name: "code", Key: "till.code", Value: r.PostFormValue("code"), Mode: "numeric", Auto: "one-time-code", Max: 8, Required: true, Hint: "till.code.hint"}}
	status := http.StatusOK
	if refused != nil {
		words := h.words(g.locale, refused)
		status = words.Status
		if p.Refusal = strings.TrimSpace(words.What + " " + words.Next); words.Field == "code" {
			p.Code.Wrong, p.Refusal = g.locale.T("till.wrong.code"), ""
		}
	}
	h.ofdShow(w, r, g, status, "ofdsign.html", "till.ofd.confirm", "/ofd/link", p)
}

// confirm links the organization. A new one goes on to its legal address; in one
// that was there the person has a user of their own now.
//
// Source: requirements E-040 to E-044, E-047.
func (h *Handler) confirm(w http.ResponseWriter, r *http.Request, g *guest) {
	file, err := signatureOf(r)
	if err != nil {
		h.showSign(w, r, g, linkOf(r), err)
		return
	}
	who, err := h.till.Link(r.Context(), g.Seat, g.locale.Lang, linkOf(r), file, r.PostFormValue("code"))
	switch {
	case err != nil:
		h.showSigner(w, r, g, linkOf(r), file, err)
	case who.Known:
		h.said(w, r, "joined")
	default:
		http.Redirect(w, r, "/ofd/address?new=1", http.StatusSeeOther)
	}
}
