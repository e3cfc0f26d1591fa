package till

import (
	"net/http"
	"strconv"

	"openofd/internal/fiscal"
	"openofd/internal/till"
	"openofd/internal/web/ui"
)

func (h *Handler) goodsRoutes() {
	h.open(unlocked, "GET /goods", h.goods)
	h.open(unlocked, "POST /goods/fetch", h.fetchGoods)
	h.open(unlocked, "GET /goods/{good}", h.goodPage)
	h.open(unlocked, "POST /goods/{good}", h.good)
	h.open(unlocked, "POST /goods/{good}/remove", h.removeGood)
}

// goodsShown bounds one page of goods: who looks for more types a word.
const goodsShown = 100

func (h *Handler) goods(w http.ResponseWriter, r *http.Request, g *guest) {
	text := r.URL.Query().Get("q")
	all, err := h.till.Goods(r.Context(), g.Seat, text, goodsShown)
	if err != nil {
		h.fail(w, r, g, err)
		return
	}
	h.show(w, r, g, http.StatusOK, "goods.html", page{Page: ui.Page{Title: g.locale.T("till.goods")}, Back: "/account"}, struct {
		Text string
		All  []till.Good
		May  bool
	}{text, all, g.Cashier.May(till.MaySettings)})
}

// fetchGoods takes the operator's catalog over.
func (h *Handler) fetchGoods(w http.ResponseWriter, r *http.Request, g *guest) {
	at, err := h.current(r.Context(), r, g)
	if err == nil {
		_, err = h.till.FetchGoods(r.Context(), g.Seat, at.ID)
	}
	if err != nil {
		h.fail(w, r, g, err)
		return
	}
	http.Redirect(w, r, "/goods", http.StatusSeeOther)
}

// goodOf is what a path names: the zero Good for "new".
func (h *Handler) goodOf(r *http.Request, g *guest) (till.Good, error) {
	if err := denied(g); err != nil || r.PathValue("good") == "new" {
		return till.Good{}, err
	}
	id, err := strconv.ParseInt(r.PathValue("good"), 10, 64)
	if err != nil {
		return till.Good{}, &fiscal.Error{Reason: fiscal.NothingThere, Field: "good"}
	}
	it, err := h.till.Good(r.Context(), g.Seat, id)
	if err == nil && !it.Own() {
		err = &fiscal.Error{Reason: fiscal.NothingThere, Field: "good"}
	}
	return it, err
}

// goodForm is the page of own goods.
type goodForm struct {
	formPage
	Remove string // address that removes them; "" they are new
}

func goodPage(r *http.Request, g *guest, it *till.Good) goodForm {
	price := ""
	if it.Price > 0 {
		price = it.Price.String()
	}
	unit := ui.Field{Name: "unit", Key: "till.good.unit", Value: it.Unit}
	for _, code := range units {
		unit.Choices = append(unit.Choices, ui.FieldChoice{Value: code, Text: g.locale.Unit(code)})
	}
	marked := ui.Field{Name: "marked", Key: "till.good.marked", Type: "checkbox"}
	if it.Marked {
		marked.Value = "1"
	}
	p := goodForm{formPage: formPage{form: filled(r,
		ui.Field{Name: "name", Key: "till.good.name", Value: it.Title.RU, Auto: "off", Max: 128, Required: true},
		ui.Field{Name: "name_kk", Key: "till.good.name.kk", Value: it.Title.KK, Auto: "off", Max: 128},
		ui.Field{Name: "price", Key: "till.good.price", Value: price, Mode: "decimal", Auto: "off", Max: 20, Hint: "till.good.price.hint"},
		unit,
		ui.Field{Name: "barcode", Key: "till.good.barcode", Value: it.Barcode, Mode: "numeric", Auto: "off", Max: 14},
		ui.Field{Name: "ntin", Key: "till.good.ntin", Value: it.NTIN, Mode: "numeric", Auto: "off", Max: 14},
		ui.Field{Name: "section", Key: "till.section", Value: it.Section, Auto: "off", Max: 20}, marked),
		Action: "/goods/" + r.PathValue("good"), Submit: "till.save"}}
	if it.ID != 0 {
		p.Remove = p.Action + "/remove"
	}
	return p
}

func (h *Handler) showGood(w http.ResponseWriter, r *http.Request, g *guest, status int, p goodForm) {
	h.show(w, r, g, status, "good.html", page{Page: ui.Page{Title: g.locale.T("till.good")}, Back: "/goods"}, p)
}

func (h *Handler) goodPage(w http.ResponseWriter, r *http.Request, g *guest) {
	it, err := h.goodOf(r, g)
	if err != nil {
		h.fail(w, r, g, err)
		return
	}
	h.showGood(w, r, g, http.StatusOK, goodPage(r, g, &it))
}

// good takes the form.
func (h *Handler) good(w http.ResponseWriter, r *http.Request, g *guest) {
	it, err := h.goodOf(r, g)
	if err != nil {
		h.fail(w, r, g, err)
		return
	}
	value := r.PostFormValue
	to := till.Good{
		ID: it.ID, Title: fiscal.Text{RU: value("name"), KK: value("name_kk")}, Barcode: value("barcode"), NTIN: value("ntin"),
		Unit: value("unit"), Section: value("section"), Marked: value("marked") != "", Fractional: value("unit") != units[0],
	}
	if to.Price, err = amount(value("price"), "price"); err == nil {
		_, err = h.till.SetGood(r.Context(), g.Seat, to)
	}
	if err != nil {
		p := goodPage(r, g, &it)
		status := h.blame(p.form, g.locale, err)
		if status == 0 {
			h.fail(w, r, g, err)
			return
		}
		h.showGood(w, r, g, status, p)
		return
	}
	http.Redirect(w, r, "/goods", http.StatusSeeOther)
}

func (h *Handler) removeGood(w http.ResponseWriter, r *http.Request, g *guest) {
	it, err := h.goodOf(r, g)
	if err == nil {
		err = h.till.RemoveGood(r.Context(), g.Seat, it.ID)
	}
	if err != nil {
		h.fail(w, r, g, err)
		return
	}
	http.Redirect(w, r, "/goods", http.StatusSeeOther)
}
