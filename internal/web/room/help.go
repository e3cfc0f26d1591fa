package room

import (
	"net/http"

	"openofd/internal/fiscal"
)

// helpPage leads from nothing to the first receipt, in each country.
type helpPage struct {
	Countries []helpCountry
	Signing   []string // ways to sign
	Troubles  []string
}

type helpCountry struct {
	Country fiscal.Country
	Steps   []string
	Open    bool
}

// help shows the way step by step, to anybody: GET /help.
//
// Source: requirements P-069, P-096.
func (h *Handler) help(w http.ResponseWriter, r *http.Request) {
	steps := []string{"account", "contract", "outlet", "register", "sign", "receipt"}
	p := helpPage{Signing: []string{"key", "ncalayer", "cryptopro", "ready"}, Troubles: []string{"waiting", "refused", "token", "model"}}
	for _, c := range []fiscal.Country{fiscal.Kazakhstan, fiscal.Russia} {
		p.Countries = append(p.Countries, helpCountry{c, steps, true})
	}
	if tokenOf(r) == "" {
		h.outside(w, r, http.StatusOK, "help.html", "help.title", p)
		return
	}
	h.signedIn(func(w http.ResponseWriter, r *http.Request, a *visitor) {
		if a.Taxpayer != 0 { // the reader's own country stands open
			if t, err := h.cfg.Office.Organization(r.Context(), a.Actor); err == nil {
				for i := range p.Countries {
					p.Countries[i].Open = p.Countries[i].Country == t.Country
				}
			}
		}
		h.page(w, r, a, http.StatusOK, "help.html", "/more", "help.title", p)
	})(w, r)
}
