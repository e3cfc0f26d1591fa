package till

import (
	"net/http"

	"openofd/internal/till"
	"openofd/internal/web/ui"
)

func (h *Handler) accountRoutes() {
	h.open(unlocked, "GET /account", h.account)
	h.open(unlocked, "POST /account/language", h.language)
}

// accountPage is what stands behind the gear.
type accountPage struct {
	Email, Name string
	Languages   []ui.Choice
	Ways        []way
}

// way leads to a page.
type way struct{ URL, Key, Icon string }

func (h *Handler) account(w http.ResponseWriter, r *http.Request, g *guest) {
	data := accountPage{Email: g.Account.Email, Name: g.Cashier.Name}
	for _, lang := range ui.Languages() {
		data.Languages = append(data.Languages, ui.Choice{Lang: lang, Name: h.render.Locales[lang].T("lang.name"), Current: lang == g.locale.Lang})
	}
	data.Ways = []way{{"/registers", "till.registers", "cash-register"}}
	if g.Cashier.May(till.MaySettings) {
		data.Ways = append(data.Ways, way{"/goods", "till.goods", "building-store"}, way{"/cashiers", "till.cashiers", "users"})
	}
	if g.Cashier.Code == till.Owner {
		data.Ways = append(data.Ways, way{"/details", "till.details.own", "file-text"}, way{"/pin", "till.pin.change", "shield-lock"})
	}
	h.show(w, r, g, http.StatusOK, "account.html", page{Page: ui.Page{Title: g.locale.T("till.settings")}, Back: "/"}, data)
}

func (h *Handler) language(w http.ResponseWriter, r *http.Request, g *guest) {
	if err := h.till.SetLanguage(g.Seat, r.PostFormValue("lang")); err != nil {
		h.fail(w, r, g, err)
		return
	}
	http.Redirect(w, r, "/account", http.StatusSeeOther)
}
