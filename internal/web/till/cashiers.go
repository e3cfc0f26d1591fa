package till

import (
	"net/http"
	"slices"
	"strconv"

	"openofd/internal/fiscal"
	"openofd/internal/till"
	"openofd/internal/web/ui"
)

func (h *Handler) cashierRoutes() {
	h.open(unlocked, "GET /cashiers", h.cashiers)
	h.open(unlocked, "GET /cashiers/{code}", h.cashierPage)
	h.open(unlocked, "POST /cashiers/{code}", h.cashier)
}

// rightKeys are the words of what a cashier may do.
var rightKeys = map[till.Right]string{
	till.MaySell: "till.right.sell", till.MayReturn: "till.right.return", till.MayBuy: "till.right.buy", till.MayMove: "till.right.move",
	till.MayReport: "till.right.report", till.MayClose: "till.right.close", till.MayModify: "till.right.modify", till.MaySeeAll: "till.right.see_all",
	till.MaySettings: "till.right.settings",
}

func denied(g *guest) error {
	if g.Cashier.May(till.MaySettings) {
		return nil
	}
	return &fiscal.Error{Of: fiscal.Denied, Field: string(till.MaySettings)}
}

// cashiers lists the people at the account's registers.
func (h *Handler) cashiers(w http.ResponseWriter, r *http.Request, g *guest) {
	all, err := h.till.Cashiers(r.Context(), g.Seat)
	if err == nil {
		err = denied(g)
	}
	if err != nil {
		h.fail(w, r, g, err)
		return
	}
	h.show(w, r, g, http.StatusOK, "cashiers.html", page{Page: ui.Page{Title: g.locale.T("till.cashiers")}, Back: "/account"}, all)
}

// cashierOf is the cashier that a path names: the zero Cashier for "new".
func (h *Handler) cashierOf(r *http.Request, g *guest) (till.Cashier, error) {
	if err := denied(g); err != nil {
		return till.Cashier{}, err
	}
	if r.PathValue("code") == "new" {
		return till.Cashier{Rights: []till.Right{till.MaySell, till.MayReturn, till.MayReport}}, nil
	}
	code, err := strconv.ParseUint(r.PathValue("code"), 10, 32)
	if err != nil || code == 0 {
		return till.Cashier{}, &fiscal.Error{Reason: fiscal.NothingThere, Field: "cashier"}
	}
	all, err := h.till.Cashiers(r.Context(), g.Seat)
	if err != nil {
		return till.Cashier{}, err
	}
	i := slices.IndexFunc(all, func(c till.Cashier) bool { return c.Code == uint32(code) })
	if i < 0 {
		return till.Cashier{}, &fiscal.Error{Reason: fiscal.NothingThere, Field: "cashier"}
	}
	return all[i], nil
}

func cashierForm(r *http.Request, g *guest, c *till.Cashier) formPage {
	code := ui.Field{Name: "pin", Key: "till.pin", Type: "password", Mode: "numeric", Auto: "new-password", Max: 8, Required: c.Code == 0, Hint: "till.pin.hint"}
	if c.Code != 0 {
		code.Hint = "till.pin.keep"
	}
	again := code
	again.Name, again.Key, again.Hint = "again", "till.pin.again", ""
	fields := []ui.Field{{Name: "name", Key: "till.name", Value: c.Name, Auto: "off", Max: 100, Required: true, Hint: "till.cashier.hint"}, code, again}
	if c.Code != till.Owner {
		check := func(name, key string, on bool) {
			f := ui.Field{Name: name, Key: key, Type: "checkbox"}
			if on {
				f.Value = "1"
			}
			fields = append(fields, f)
		}
		for _, right := range till.Rights() {
			check("right_"+string(right), rightKeys[right], slices.Contains(c.Rights, right))
		}
		if c.Code != 0 {
			check("disabled", "till.cashier.disabled", c.Disabled)
		}
	}
	p := formPage{form: filled(r, fields...), Action: "/cashiers/" + r.PathValue("code"), Submit: "till.save"}
	if c.Code == till.Owner {
		p.Intro = g.locale.T("till.cashier.owner")
	}
	return p
}

func (h *Handler) cashierPage(w http.ResponseWriter, r *http.Request, g *guest) {
	c, err := h.cashierOf(r, g)
	if err != nil {
		h.fail(w, r, g, err)
		return
	}
	h.ask(w, r, g, http.StatusOK, cashierTitle(&c), "/cashiers", cashierForm(r, g, &c))
}

func cashierTitle(c *till.Cashier) string {
	if c.Code == 0 {
		return "till.cashier.new"
	}
	return "till.cashier"
}

// cashier takes the form.
func (h *Handler) cashier(w http.ResponseWriter, r *http.Request, g *guest) {
	c, err := h.cashierOf(r, g)
	if err != nil {
		h.fail(w, r, g, err)
		return
	}
	to := till.Cashier{Code: c.Code, Name: r.PostFormValue("name"), Disabled: r.PostFormValue("disabled") != ""}
	for _, right := range till.Rights() {
		if r.PostFormValue("right_"+string(right)) != "" {
			to.Rights = append(to.Rights, right)
		}
	}
	if err := h.till.SetCashier(r.Context(), g.Seat, to, r.PostFormValue("pin"), r.PostFormValue("again")); err != nil {
		h.again(w, r, g, cashierTitle(&c), "/cashiers", cashierForm(r, g, &c), err)
		return
	}
	http.Redirect(w, r, "/cashiers", http.StatusSeeOther)
}
