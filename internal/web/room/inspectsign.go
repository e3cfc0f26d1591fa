package room

import (
	"errors"
	"net/http"
	"net/url"

	"openofd/internal/fiscal"
	"openofd/internal/web/ui"
)

// certificatePath is where an inspector signs to come in.
const certificatePath = "/signin/certificate"

func (h *Handler) certificateRoutes() {
	h.mux.HandleFunc("GET "+certificatePath, h.certificatePage)
	h.mux.HandleFunc("GET "+certificatePath+"/content", h.certificateContent)
	h.mux.HandleFunc("POST "+certificatePath, h.certificate)
	if h.cfg.DemoSign != nil {
		h.mux.HandleFunc("POST "+certificatePath+"/demo", h.certificateDemo)
	}
}

// certificateForm is the page of an inspector who has shown the password.
type certificateForm struct {
	form
	Text      string
	Challenge string
	Demo      string // where the demonstration's authority signs, "" nowhere
	Signing   signing
}

func (h *Handler) certificatePage(w http.ResponseWriter, r *http.Request) {
	h.askCertificate(w, r, http.StatusOK, form{Fields: map[string]ui.Field{}})
}

// askCertificate shows a challenge of its own each time.
func (h *Handler) askCertificate(w http.ResponseWriter, r *http.Request, status int, f form) {
	token := cookie(r, halfCookie)
	challenge, err := h.access.AskCertificate(r.Context(), token)
	var text []byte
	if err == nil {
		text, err = h.access.CertificateText(r.Context(), token, challenge)
	}
	if errors.Is(err, fiscal.Unauthenticated) { // signing in begins anew
		http.Redirect(w, r, ui.Link(r, "/signin", nil), http.StatusSeeOther)
		return
	}
	if err != nil {
		h.render.Error(w, r, err)
		return
	}
	l := h.render.Locale(r)
	p := certificateForm{form: f, Text: string(text), Challenge: challenge}
	p.Signing = h.signing("", signing{
		Title: "certificate.sign", Submit: "signin.submit", Action: certificatePath + "?lang=" + l.Lang,
		Content: certificatePath + "/content?" + url.Values{"challenge": {challenge}}.Encode(),
		Hidden:  []ui.Row{{Key: "challenge", Value: challenge}},
	})
	if h.cfg.DemoSign != nil {
		p.Demo = certificatePath + "/demo?lang=" + l.Lang
	}
	h.render.Room(w, r, status, "certificate.html", l.T("certificate.title"), ui.Frame{Locale: l, Connect: p.Signing.NCALayer, Scripts: p.Signing.CryptoPro}, p)
}

// certificateContent gives the exact bytes that are signed.
func (h *Handler) certificateContent(w http.ResponseWriter, r *http.Request) {
	text, err := h.access.CertificateText(r.Context(), cookie(r, halfCookie), r.URL.Query().Get("challenge"))
	if err != nil {
		h.render.Error(w, r, err)
		return
	}
	attach(w, "text/plain; charset=utf-8", "signin.txt")
	_, _ = w.Write(text) // or the client is gone
}

func (h *Handler) certificate(w http.ResponseWriter, r *http.Request) {
	file, err := signatureOf(r)
	if err == nil && len(file) == 0 {
		err = &fiscal.Error{Reason: fiscal.MissingParameter, Field: "signature"}
	}
	h.certified(w, r, file, err)
}

// certificateDemo lets a demonstration's authority sign for an invented
// inspector.
func (h *Handler) certificateDemo(w http.ResponseWriter, r *http.Request) {
	token := cookie(r, halfCookie)
	u, err := h.access.Owing(r.Context(), token)
	var text, file []byte
	if err == nil {
		text, err = h.access.CertificateText(r.Context(), token, r.PostFormValue("challenge"))
	}
	if err == nil {
		file, err = h.cfg.DemoSign(text, u.Name, u.Inspector.IIN)
	}
	h.certified(w, r, file, err)
}

// certified lets in who signed.
func (h *Handler) certified(w http.ResponseWriter, r *http.Request, file []byte, err error) {
	full := ""
	if err == nil {
		full, err = h.access.SignInByCertificate(r.Context(), cookie(r, halfCookie), r.PostFormValue("challenge"), file, h.visit(r))
	}
	if err == nil {
		h.entered(w, r, full, false, "/inspect")
		return
	}
	f := form{Fields: map[string]ui.Field{}}
	status, ok := f.wrong(h.render.Locale(r), err)
	if !ok {
		h.render.Error(w, r, err)
		return
	}
	h.askCertificate(w, r, status, f)
}
