package till

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"openofd/internal/fiscal"
	"openofd/internal/till"
	"openofd/internal/web/ui"
)

// enlistedPage is a register at the operator: its application, and the way to
// connect it here.
type enlistedPage struct {
	till.Enrolled
	Application *till.Application
	Status      string // key
	Here        bool   // it is connected in this till
	MayApply    bool
	MayConnect  bool
	Signing     *signing
	Refusal     string
}

func (h *Handler) enlisted(w http.ResponseWriter, r *http.Request, g *guest) {
	h.showEnlisted(w, r, g, nil)
}

// showEnlisted shows a register with what was refused of it.
//
// Source: requirements E-073 to E-081, E-086.
func (h *Handler) showEnlisted(w http.ResponseWriter, r *http.Request, g *guest, refused error) {
	id, err := idOf(r, "register")
	if err != nil {
		h.ofdFail(w, r, g, err)
		return
	}
	e, a, err := h.till.Enlisted(r.Context(), g.Seat, g.locale.Lang, fiscal.RegisterID(id))
	if err != nil {
		h.ofdFail(w, r, g, err)
		return
	}
	_, absent := h.till.Register(r.Context(), g.Seat, e.ID)
	p := enlistedPage{Enrolled: e, Status: statusOf(&e, &a), Here: absent == nil}
	active := e.Status == "active"
	p.MayConnect = active && e.Ours() && !e.Card.Provisional
	p.MayApply = active && a.ID == 0 && e.Card.Provisional
	if a.ID != 0 {
		p.Application = &a
		if a.Status == "draft" {
			at := fmt.Sprintf("%s/applications/%d", registerPath(e.ID), a.ID)
			p.Signing = &signing{Content: at + "/content", Action: at + "/sign", Submit: "till.ofd.application.sign", NCALayer: nCALayer}
			signs(w)
		}
	}
	status := http.StatusOK
	if refused != nil {
		words := h.words(g.locale, refused)
		p.Refusal, status = strings.TrimSpace(words.What+" "+words.Next), words.Status
	}
	h.show(w, r, g, status, "ofdregister.html", page{Page: ui.Page{Title: e.Card.Name}, Tab: "ofd", Back: "/ofd"}, p)
}

func idOf(r *http.Request, name string) (int64, error) {
	id, err := strconv.ParseInt(r.PathValue(name), 10, 64)
	if err != nil || id <= 0 {
		return 0, &fiscal.Error{Reason: fiscal.NothingThere, Field: name}
	}
	return id, nil
}

// act does something to a register, and shows what came of it.
func (h *Handler) onEnlisted(w http.ResponseWriter, r *http.Request, g *guest, do func(id fiscal.RegisterID) error) bool {
	id, err := idOf(r, "register")
	if err == nil {
		err = do(fiscal.RegisterID(id))
	}
	if err != nil {
		h.showEnlisted(w, r, g, err)
		return false
	}
	return true
}

func (h *Handler) apply(w http.ResponseWriter, r *http.Request, g *guest) {
	if h.onEnlisted(w, r, g, func(id fiscal.RegisterID) error {
		_, err := h.till.Apply(r.Context(), g.Seat, g.locale.Lang, id)
		return err
	}) {
		http.Redirect(w, r, "/ofd/registers/"+r.PathValue("register"), http.StatusSeeOther)
	}
}

func (h *Handler) applicationContent(w http.ResponseWriter, r *http.Request, g *guest) {
	id, err := idOf(r, "application")
	var b []byte
	if err == nil {
		b, err = h.till.ApplicationContent(r.Context(), g.Seat, g.locale.Lang, id)
	}
	if err != nil {
		h.ofdFail(w, r, g, err)
		return
	}
	give(w, fmt.Sprintf("application-%d.json", id), "application/json", b)
}

// signApplication sends the application to the authority.
//
// Source: requirements E-075 to E-077.
func (h *Handler) signApplication(w http.ResponseWriter, r *http.Request, g *guest) {
	if h.onEnlisted(w, r, g, func(fiscal.RegisterID) error {
		id, err := idOf(r, "application")
		if err != nil {
			return err
		}
		file, err := signatureOf(r)
		if err != nil {
			return err
		}
		return h.till.SignApplication(r.Context(), g.Seat, g.locale.Lang, id, file)
	}) {
		h.said(w, r, "applied")
	}
}

func (h *Handler) applyAgain(w http.ResponseWriter, r *http.Request, g *guest) {
	if h.onEnlisted(w, r, g, func(fiscal.RegisterID) error {
		id, err := idOf(r, "application")
		if err != nil {
			return err
		}
		return h.till.AgainApplication(r.Context(), g.Seat, g.locale.Lang, id)
	}) {
		http.Redirect(w, r, "/ofd/registers/"+r.PathValue("register"), http.StatusSeeOther)
	}
}

// connectEnrolled makes a token and connects the register, and the device works
// at it from then on.
//
// Source: requirements E-087 to E-093.
func (h *Handler) connectEnrolled(w http.ResponseWriter, r *http.Request, g *guest) {
	var at fiscal.RegisterID
	if h.onEnlisted(w, r, g, func(id fiscal.RegisterID) error {
		at = id
		return h.till.ConnectEnrolled(r.Context(), g.Seat, g.locale.Lang, id)
	}) {
		h.workAt(w, r, at)
		http.Redirect(w, r, "/", http.StatusSeeOther)
	}
}
