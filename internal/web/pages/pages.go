package pages

import (
	"context"
	"embed"
	"io/fs"
	"log/slog"
	"net/http"
	"slices"

	"openofd/internal/cabinet"
	"openofd/internal/fiscal"
	"openofd/internal/web/ui"
)

//go:embed templates/*.html
var templates embed.FS

// Checker answers whether a receipt is real; cabinet.Checker is one.
type Checker interface {
	Check(ctx context.Context, q cabinet.Query) (cabinet.Result, error)
}

// Handler serves the pages. Safe for concurrent use.
type Handler struct {
	checker  Checker
	operator fiscal.Operator
	render   *ui.Renderer
	rooms    bool
}

// New reads the templates. rooms says that sellers can sign in here.
func New(checker Checker, rooms bool, operator fiscal.Operator, log *slog.Logger) (*Handler, error) {
	files, err := fs.Sub(templates, "templates")
	if err != nil {
		return nil, err
	}
	render, err := ui.NewRenderer(files, operator, log)
	if err != nil {
		return nil, err
	}
	return &Handler{checker: checker, operator: operator, render: render, rooms: rooms}, nil
}

// Renderer is what the pages are made with, for the rest of the door.
func (h *Handler) Renderer() *ui.Renderer { return h.render }

// Asks reports whether an address carries a check: QR codes that devices build
// themselves lead to the front page with the same parameters.
func Asks(r *http.Request) bool {
	q := r.URL.Query()
	all := append(cabinet.Params(fiscal.Kazakhstan), cabinet.Params(fiscal.Russia)...)
	return slices.ContainsFunc(append(all, cabinet.ParamPasted), func(p cabinet.Param) bool { return q.Has(string(p)) })
}

// Front serves GET /: what this operator is, and the form of the check.
func (h *Handler) Front(w http.ResponseWriter, r *http.Request) {
	l := h.render.Locale(r)
	h.render.Render(w, r, http.StatusOK, "front.html", l.T("form.heading"), front{
		Operator: h.operator, Name: h.render.OperatorName(l), Ask: h.newAsking(l, r, nil), Rooms: h.rooms,
	})
}

// front is what the front page shows.
type front struct {
	Operator fiscal.Operator
	Name     string
	Ask      asking
	Rooms    bool // sellers can sign in
}
