package room

import (
	"net/http"
	"strconv"

	"openofd/internal/registry"
	"openofd/internal/web/pdf"
)

// applicationPDF gives an application for paper files: what it asks, who signed
// it and what became of it. A draft is given as one.
func (h *Handler) applicationPDF(w http.ResponseWriter, r *http.Request, a *visitor) {
	app, events, err := h.cfg.Office.Application(r.Context(), a.Actor, applicationID(r))
	var b []byte
	if err == nil {
		b, err = printApplication(a, &app, events).Bytes(pdf.A4)
	}
	if err != nil {
		h.render.Error(w, r, err)
		return
	}
	pdf.Give(w, "application-"+strconv.FormatInt(int64(app.ID), 10), b)
}

func printApplication(a *visitor, app *registry.Application, events []registry.ApplicationEvent) *pdf.Sheet {
	l := a.locale
	s := &pdf.Sheet{Lang: l.Lang, Title: l.T("application.kind."+string(app.Kind)) + " № " + strconv.FormatInt(int64(app.ID), 10), At: app.Changed, Wide: true}
	row := func(key, value string) {
		if value != "" {
			s.Row(l.T(key), value, pdf.Style{})
		}
	}
	s.Text(s.Title, printHead)
	s.Text(a.applicationStatus(app), pdf.Style{})
	row("application.number", app.Number)
	row("register.number", app.RegistrationNumber)
	row("application.why", app.Why.In(l.Lang))
	s.Rule()
	for _, f := range a.facts(app) {
		s.Row(f.Label, f.Value, pdf.Style{})
	}
	for _, f := range a.findings(app.Control) {
		s.Row(f.Label, f.Words, pdf.Style{})
	}
	if !app.SignedAt.IsZero() {
		s.Rule()
		row("application.signed", a.when(app.SignedAt))
		printSigner(row, l, app.Owner)
		row("link.owner.method", app.Method)
	}
	if len(events) > 0 {
		s.Rule()
		s.Text(l.T("application.history"), printHead)
	}
	for _, e := range events {
		what := l.T("application.event." + string(e.What))
		if by := who(l, e.By); by != "" {
			what += " · " + by
		}
		s.Row(a.when(e.At), what, pdf.Style{})
	}
	return s
}
