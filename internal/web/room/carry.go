package room

import (
	"net/http"

	"openofd/internal/access"
	"openofd/internal/fiscal"
	"openofd/internal/registry"
)

// behindPage are registers whose cards say something else than their
// organization or outlet does now, or what was done about them.
type behindPage struct {
	Rows    []behindRow
	More    bool
	Outlet  fiscal.OutletID
	Carried *registry.Carried // nil: nothing was done yet
}

type behindRow struct {
	registerRow
	Apply bool // the authority must know first
	Open  registry.ApplicationID
}

// behind offers to bring what was changed to the cards: GET
// /registers/behind?outlet=3, without an outlet of all.
func (h *Handler) behind(w http.ResponseWriter, r *http.Request, a *visitor) {
	outlet := fiscal.OutletID(numberOf(r.FormValue("outlet")))
	all, more, err := h.cfg.Office.Behind(r.Context(), a.Actor, outlet)
	if err != nil {
		h.render.Error(w, r, err)
		return
	}
	p := behindPage{More: more, Outlet: outlet}
	for _, b := range all {
		p.Rows = append(p.Rows, behindRow{a.registerRow(b.Seen), len(b.Reasons) > 0, b.Open})
	}
	h.page(w, r, a, http.StatusOK, "behind.html", "/registers", "behind.title", p)
}

func (h *Handler) carryOver(w http.ResponseWriter, r *http.Request, a *visitor) {
	outlet := fiscal.OutletID(numberOf(r.PostFormValue("outlet")))
	carried, err := h.cfg.Office.CarryOver(r.Context(), a.Actor, outlet)
	if err != nil {
		h.render.Error(w, r, err)
		return
	}
	h.page(w, r, a, http.StatusOK, "behind.html", "/registers", "behind.title", behindPage{Outlet: outlet, Carried: &carried, More: carried.More})
}

// saved goes on from a change of the organization or of an outlet: to the
// registers that are behind, if there are any, else to a list.
func (h *Handler) saved(w http.ResponseWriter, r *http.Request, a *visitor, outlet fiscal.OutletID, to string) {
	if a.May(access.EditRegisters) {
		all, _, err := h.cfg.Office.Behind(r.Context(), a.Actor, outlet)
		if err != nil {
			h.render.Error(w, r, err)
			return
		}
		if len(all) > 0 {
			to = "/registers/behind"
			if outlet != 0 {
				to += "?outlet=" + numberText(int64(outlet)) + "&done=saved"
				http.Redirect(w, r, to, http.StatusSeeOther)
				return
			}
		}
	}
	done(w, r, to, "saved")
}
