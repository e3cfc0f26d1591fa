package till

import (
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"

	"openofd/internal/fiscal"
	"openofd/internal/till"
	"openofd/internal/web/ui"
)

// returnChoice is the page on which the receipt to return is chosen.
type returnChoice struct {
	Number string
	Wrong  string
	Latest []till.Document
}

// returnPage serves GET /return: which receipt, and then the keypad with what is
// left of it.
//
// Source: requirements E-012, E-129 to E-132.
func (h *Handler) returnPage(w http.ResponseWriter, r *http.Request, g *guest) {
	at, err := h.current(r.Context(), r, g)
	if err != nil {
		h.fail(w, r, g, err)
		return
	}
	asked := strings.TrimSpace(r.URL.Query().Get("number"))
	var wrong string
	if asked != "" {
		number, bad := strconv.ParseUint(asked, 10, 63)
		if bad != nil {
			err = &fiscal.Error{Reason: fiscal.BadValue, Field: "parent"}
		} else {
			var sold till.Document
			var rest fiscal.Money
			if sold, rest, err = h.till.Returnable(r.Context(), g.Seat, at.ID, number); err == nil && rest <= 0 {
				err = &fiscal.Error{Of: fiscal.Conflict, Field: "parent", Reason: fiscal.AlreadyThere}
			}
			if err == nil {
				h.returnOf(w, r, g, &at, &sold, rest)
				return
			}
		}
		if h.words(g.locale, err).Status >= http.StatusInternalServerError {
			h.fail(w, r, g, err)
			return
		}
		wrong = h.saleWords(g.locale, &at, err).What
	}
	all, _, err := h.till.History(r.Context(), g.Seat, at.ID, till.HistoryQuery{Kind: till.KindReceipt, Limit: 50})
	if err != nil {
		h.fail(w, r, g, err)
		return
	}
	data := returnChoice{Number: asked, Wrong: wrong}
	for i := range all {
		if _, ok := all[i].Returned(); ok && all[i].Fate != till.Removed && len(data.Latest) < 10 {
			data.Latest = append(data.Latest, all[i])
		}
	}
	status := http.StatusOK
	if wrong != "" {
		status = http.StatusUnprocessableEntity
	}
	h.show(w, r, g, status, "return.html", page{Page: ui.Page{Title: g.locale.T("till.return")}, Tab: "sale", Back: "/", Register: &at}, data)
}

func (h *Handler) returnOf(w http.ResponseWriter, r *http.Request, g *guest, at *till.Register, sold *till.Document, rest fiscal.Money) {
	op, _ := sold.Returned()
	c, err := sold.Contents()
	if err == nil && c.Receipt == nil {
		err = errors.New("a receipt without contents")
	}
	var lines []byte
	if err == nil {
		lines, err = json.Marshal(again(c.Receipt))
	}
	if err != nil {
		h.fail(w, r, g, err)
		return
	}
	h.sale(w, r, g, at, op, &parent{Number: sold.Number, Made: sold.Made, Sum: sold.Sum, Left: rest, Lines: string(lines)})
}

// again is a draft of the lines of a receipt, with what was off and on them.
func again(r *fiscal.Receipt) (d till.Draft) {
	for i := range r.Items {
		it, last := &r.Items[i], len(d.Lines)-1
		ofLine := last >= 0 && d.Lines[last].Name == it.Name // a line's modifier has its name
		switch {
		case it.Kind == fiscal.ItemDiscount && ofLine:
			d.Lines[last].Off += it.Cost
		case it.Kind == fiscal.ItemMarkup && ofLine:
			d.Lines[last].On += it.Cost
		case it.Kind == fiscal.ItemDiscount:
			d.Off += it.Cost
		case it.Kind == fiscal.ItemMarkup:
			d.On += it.Cost
		case it.Kind == fiscal.ItemGoods:
			l := till.Line{Name: it.Name, Quantity: it.Quantity, Price: it.Price, Unit: it.Unit, Section: it.Section, Code: it.Code, Barcode: it.Barcode, NTIN: it.NTIN}
			if len(it.ExciseStamps) > 0 {
				l.Mark = it.ExciseStamps[0]
			}
			d.Lines = append(d.Lines, l)
		}
	}
	if r.Discount != nil {
		d.Off += r.Discount.Sum
	}
	if r.Markup != nil {
		d.On += r.Markup.Sum
	}
	return d
}
