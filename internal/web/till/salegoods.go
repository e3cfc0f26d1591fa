package till

import (
	"errors"
	"net/http"
	"strings"

	"openofd/internal/fiscal"
	"openofd/internal/till"
)

// found is how many goods a word offers while it is typed.
const found = 6

// barcodeDigits are the shortest barcode: what is shorter is a word.
const barcodeDigits = 8

// offered is one of the goods as the script takes it.
type offered struct {
	till.Line
	Text  string `json:"text"` // the price, to be read
	Needs bool   `json:"needs_mark,omitempty"`
	Count string `json:"unit_text,omitempty"` // the unit, to be read
}

// saleGoods serves GET /draft/goods?q= with goods that begin so, or that have the
// barcode.
func (h *Handler) saleGoods(w http.ResponseWriter, r *http.Request, g *guest) {
	asked := strings.TrimSpace(r.URL.Query().Get("q"))
	var all []till.Good
	var err error
	switch {
	case asked == "":
	case len(asked) >= barcodeDigits && strings.Trim(asked, "0123456789") == "":
		var at till.Register
		var one till.Good
		if at, err = h.current(r.Context(), r, g); err == nil {
			one, err = h.till.GoodBy(r.Context(), g.Seat, at.ID, asked)
		}
		if err == nil {
			all = append(all, one)
		} else if errors.Is(err, fiscal.NotFound) || errors.Is(err, fiscal.Invalid) {
			err = nil // they may be typed in
		}
	default:
		all, err = h.till.Goods(r.Context(), g.Seat, asked, found)
	}
	if err != nil {
		h.fail(w, r, g, err)
		return
	}
	list := []offered{}
	for i := range all {
		o := offered{Line: all[i].Line(g.locale.Lang), Needs: all[i].Marked, Count: g.locale.Unit(all[i].Unit)}
		if o.Price > 0 {
			o.Text = g.locale.Money(o.Price)
		}
		list = append(list, o)
	}
	answer(w, http.StatusOK, list)
}
