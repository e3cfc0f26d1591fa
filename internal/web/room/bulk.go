package room

import (
	"cmp"
	"errors"
	"net/http"
	"slices"
	"strconv"

	"openofd/internal/fiscal"
	"openofd/internal/registry"
)

// maxBulk bounds how many registers are acted on at once: a page of the list
// has fewer.
const maxBulk = 200

// bulkPage tells what became of each of several registers.
type bulkPage struct {
	Rows   []bulkRow
	Good   int
	Back   string
	Drafts bool // there are drafts to be signed
}

type bulkRow struct {
	Register    fiscal.RegisterID
	Name, Wrong string
	Application registry.ApplicationID
}

// bulk does one thing to several registers: puts them into a group, drafts an
// application for each, or moves them to an outlet, which is an application
// about their new place. Each is done or refused for itself.
func (h *Handler) bulk(w http.ResponseWriter, r *http.Request, a *visitor) {
	ids := slices.Compact(slices.Sorted(slices.Values(r.PostForm["register"])))
	back := local(r.PostFormValue("back"))
	if len(ids) == 0 {
		done(w, r, "/registers", "bulk_none")
		return
	}
	p := bulkPage{Back: back}
	for _, id := range ids[:min(len(ids), maxBulk)] {
		row := bulkRow{Register: fiscal.RegisterID(numberOf(id)), Name: a.locale.T("register.unnamed", "number", id)}
		s, err := h.cfg.Office.Register(r.Context(), a.Actor, row.Register)
		if err == nil {
			row.Name = a.registerRow(s).Name
			row.Application, err = h.bulkOne(r, a, &s)
		}
		switch {
		case err == nil:
			p.Good++
		case errors.Is(err, fiscal.Denied):
			h.render.Error(w, r, err)
			return
		default:
			in := inputsOf()
			if _, ok := in.wrong(a.locale, err); !ok {
				h.render.Error(w, r, err)
				return
			}
			row.Wrong = in.Refusal
		}
		p.Drafts = p.Drafts || row.Application != 0
		p.Rows = append(p.Rows, row)
	}
	h.page(w, r, a, http.StatusOK, "bulk.html", "/registers", "bulk.title", p)
}

// bulkOne does what was asked to one register.
func (h *Handler) bulkOne(r *http.Request, a *visitor, s *registry.Seen) (registry.ApplicationID, error) {
	office := h.cfg.Office
	switch what := r.PostFormValue("what"); what {
	case "group":
		return 0, office.Arrange(r.Context(), a.Actor, s.Card.Register, cmp.Or(s.Card.Name, strconv.FormatInt(int64(s.Card.Register), 10)), registry.GroupID(numberOf(r.PostFormValue("group"))))
	case "move":
		return h.move(r, a, s, fiscal.OutletID(numberOf(r.PostFormValue("outlet"))))
	default:
		app, err := office.DraftApplication(r.Context(), a.Actor, s.Card.Register, registry.ApplicationKind(what))
		return app.ID, err
	}
}

// move drafts the application about a register's new place, or changes the one
// that is being drafted.
func (h *Handler) move(r *http.Request, a *visitor, s *registry.Seen, to fiscal.OutletID) (registry.ApplicationID, error) {
	outlet, err := h.cfg.Office.Outlet(r.Context(), a.Actor, to)
	if err != nil {
		return 0, err
	}
	kind := registry.Reenrol
	if s.Card.Provisional {
		kind = registry.Enrol
	}
	app, err := h.cfg.Office.DraftApplication(r.Context(), a.Actor, s.Card.Register, kind)
	if errors.Is(err, fiscal.AlreadyThere) {
		if app, err = h.cfg.Office.OpenApplication(r.Context(), a.Actor, s.Card.Register); err == nil && (app.Status != registry.Draft || app.Kind != kind) {
			err = &fiscal.Error{Reason: fiscal.AlreadyThere, Field: "application"}
		}
	}
	if err != nil {
		return 0, err
	}
	f := app.Form
	f.Outlet, f.OutletTitle, f.OutletAddress, f.Where = outlet.ID, outlet.Title, outlet.Address, outlet.Where
	if kind == registry.Reenrol && !slices.Contains(f.Reasons, registry.ForAddress) {
		f.Reasons = append(f.Reasons, registry.ForAddress)
	}
	_, _, err = h.cfg.Office.SetApplication(r.Context(), a.Actor, app.ID, f)
	return app.ID, err
}
