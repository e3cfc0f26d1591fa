package till

import (
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"html/template"
	"net/http"
	"strconv"
	"strings"

	"openofd/internal/device/kkm"
	"openofd/internal/fiscal"
	"openofd/internal/till"
	"openofd/internal/web/ui"
)

func (h *Handler) saleRoutes() {
	h.open(unlocked, "GET /{$}", h.salePage)
	h.open(unlocked, "GET /purchase", h.salePage)
	h.open(unlocked, "GET /standing", h.standing)
	h.open(unlocked, "POST /draft/preview", h.preview)
	h.open(unlocked, "POST /draft/form", h.form)
	h.open(unlocked, "GET /draft/goods", h.saleGoods)
	h.open(unlocked, "GET /return", h.returnPage)
	h.open(unlocked, "GET /stopped", h.stoppedPage)
	h.open(unlocked, "POST /stopped", h.unstick)
}

// salePage is what the page of the keypad holds beside the words.
type salePage struct {
	Register *till.Register
	Op       string
	Ops      []choice
	Standing standing
	Extended bool // the mode that opens first
	Simple   bool // the simple mode is offered
	May      may
	Units    template.HTML     // what is measured in, as choices
	Parent   *parent           // of a return
	Key      string            // under which the device keeps the draft
	Words    template.HTMLAttr // that the script says, as JSON
	Mark     string            // between tenge and tiyn
}

type choice struct {
	Value, Text string
	Current     bool
}

// may says what settings and rights allow on a draft.
type may struct{ Modify, Buyer, Taken bool }

// parent is a receipt that is returned.
type parent struct {
	Number uint64
	Made   fiscal.WallTime
	Sum    fiscal.Money
	Left   fiscal.Money
	Lines  string // as the script takes them, JSON
}

// said are the words that the script says.
var said = []string{
	"till.sale.lost", "till.sale.lost.form", "till.sale.empty", "till.sale.choose", "till.sale.too_much", "till.sale.taken.less", "till.sale.parts",
	"till.sale.remove", "till.sale.name.missing", "till.sale.quantity.wrong", "till.sale.price.wrong", "till.sale.mark.missing", "till.sale.change.wrong",
	"till.sale.sum.wrong", "till.sale.scan.none", "till.sale.off.sign", "till.sale.on.sign", "till.sale.left.over",
}

// units are the codes of the classifier that are offered, the usual ones first.
// Source: KKM reference §7.11.
var units = []string{
	"796", "116", "163", "161", "168", "112", "111", "113", "006", "004", "003", "005", "008", "021", "055", "059", "061", "110", "356", "359", "360", "362", "5114", "931",
	"642", "625", "728", "736", "778", "868", "160", "162", "164",
}

// same is what each page of the keypad has in a language.
type same struct {
	units template.HTML
	words template.HTMLAttr
}

func sameIn(l *ui.Locale) (s same, err error) {
	var options strings.Builder
	for _, code := range units {
		fmt.Fprintf(&options, `<option value="%s">%s</option>`, code, html.EscapeString(l.Unit(code)))
	}
	words := map[string]string{}
	for _, key := range said {
		words[key] = l.T(key)
	}
	text, err := json.Marshal(words)
	return same{
		units: template.HTML(options.String()),                                           //nolint:gosec // escaped above
		words: template.HTMLAttr(`data-words="` + html.EscapeString(string(text)) + `"`), //nolint:gosec // escaped here
	}, err
}

// salePage serves GET / and /purchase: the keypad and the list of goods.
//
// Source: requirements E-106 to E-112, E-119 to E-127.
func (h *Handler) salePage(w http.ResponseWriter, r *http.Request, g *guest) {
	at, err := h.current(r.Context(), r, g)
	switch {
	case errors.Is(err, fiscal.NotFound):
		http.Redirect(w, r, "/registers", http.StatusSeeOther)
		return
	case err != nil:
		h.fail(w, r, g, err)
		return
	}
	op := fiscal.OpSale
	if r.URL.Path == "/purchase" {
		op = fiscal.OpPurchase
	}
	h.sale(w, r, g, &at, op, nil)
}

func (h *Handler) sale(w http.ResponseWriter, r *http.Request, g *guest, at *till.Register, op fiscal.Op, of *parent) {
	st, err := h.standingOf(r.Context(), g, at)
	if err != nil {
		h.fail(w, r, g, err)
		return
	}
	l := g.locale
	p := salePage{
		Register: at, Op: op.String(), Ops: acts(g, op), Standing: st, Extended: at.Settings.Extended, Parent: of,
		May: may{Modify: g.Cashier.May(till.MayModify), Buyer: at.Settings.Buyer, Taken: op == fiscal.OpSale},
		Key: strconv.FormatInt(int64(at.ID), 10) + "." + op.String(), Mark: l.Amount(0)[1:2],
		Units: h.same[l.Lang].units, Words: h.same[l.Lang].words,
	}
	if of != nil {
		p.Key += "." + strconv.FormatUint(of.Number, 10)
	}
	w.Header().Set("Permissions-Policy", "camera=(self), geolocation=(), microphone=(), payment=()") // codes of goods are scanned here
	title := at.Settings.Name
	layout := page{Page: ui.Page{Title: title}, Tab: "sale", Register: at, Scripts: []string{"till/money.js", "till/draft.js", "till/sale.js", "till/catalog.js", "till/scan.js"}}
	if of != nil {
		layout.Back = "/return"
	}
	h.show(w, r, g, http.StatusOK, "sale.html", layout, p)
}

// acts is the menu of what the cashier may do at the register.
func acts(g *guest, now fiscal.Op) (all []choice) {
	for _, a := range []struct {
		right    till.Right
		url, key string
		op       fiscal.Op
	}{
		{till.MaySell, "/", "did.sale", fiscal.OpSale},
		{till.MayReturn, "/return", "till.return", fiscal.OpSaleReturn},
		{till.MayBuy, "/purchase", "did.purchase", fiscal.OpPurchase},
		{till.MayMove, "/move?op=cash_in", "did.cash_in", fiscal.OpCashIn},
		{till.MayMove, "/move?op=cash_out", "did.cash_out", fiscal.OpCashOut},
		{till.MayReport, "/x", "report.x", fiscal.OpNone},
		{till.MayClose, "/z", "till.z", fiscal.OpNone},
	} {
		if g.Cashier.May(a.right) {
			all = append(all, choice{a.url, g.locale.T(a.key), a.op == now})
		}
	}
	return all
}

// asked is a draft as its device sends it.
type asked struct {
	Register fiscal.RegisterID `json:"register"`
	Op       string            `json:"op"`
	Extended bool              `json:"extended"`
	Total    fiscal.Money      `json:"total"` // that the preview showed
	till.Draft
}

// draft reads a draft; Invalid names what cannot be read.
func (h *Handler) draft(r *http.Request, g *guest) (a asked, at till.Register, err error) {
	if err := json.NewDecoder(r.Body).Decode(&a); err != nil {
		var wrong *fiscal.Error
		if errors.As(err, &wrong) {
			return a, at, wrong
		}
		return a, at, &fiscal.Error{Reason: fiscal.BadForm, Err: err}
	}
	for _, op := range []fiscal.Op{fiscal.OpSale, fiscal.OpSaleReturn, fiscal.OpPurchase, fiscal.OpPurchaseReturn} {
		if a.Op == op.String() {
			a.Draft.Op = op
		}
	}
	at, err = h.till.Register(r.Context(), g.Seat, a.Register)
	return a, at, err
}

// preview answers with the receipt as it will be: a part of the page.
//
// Source: requirements E-114, E-116.
func (h *Handler) preview(w http.ResponseWriter, r *http.Request, g *guest) {
	a, at, err := h.draft(r, g)
	if err != nil {
		h.refuse(w, r, g, &at, err)
		return
	}
	receipt, err := h.till.Preview(r.Context(), g.Seat, at.ID, &a.Draft, a.Extended)
	if err == nil { // what stands in the way is told before the buyer waits
		err = h.way(r.Context(), g, &at)
	}
	if err != nil {
		h.refuse(w, r, g, &at, err)
		return
	}
	h.render.Answer(w, g.locale.Lang, "main", "preview.html", http.StatusOK, &slip{Register: &at, Receipt: &receipt, Preliminary: true, Op: receipt.Op.String()})
}

// form makes the receipt, once however often it is asked for.
//
// Source: requirements E-115, E-117.
func (h *Handler) form(w http.ResponseWriter, r *http.Request, g *guest) {
	a, at, err := h.draft(r, g)
	if err != nil {
		h.refuse(w, r, g, &at, err)
		return
	}
	made, err := h.till.Form(r.Context(), g.Seat, at.ID, &a.Draft, a.Extended)
	if errors.Is(err, kkm.ErrStopped) {
		err = errors.Join(h.way(r.Context(), g, &at), err) // which knows why it stands
	}
	if err != nil {
		h.refuse(w, r, g, &at, err)
		return
	}
	to := "/document/" + strconv.FormatInt(made.ID, 10)
	if a.Total != 0 && a.Total != made.Sum {
		to += "?earlier=1" // the first tap was heard after all, before the draft was changed
	}
	answer(w, http.StatusOK, map[string]string{"go": to})
}
