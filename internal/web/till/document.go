package till

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"

	"openofd/internal/fiscal"
	"openofd/internal/till"
	"openofd/internal/web/ui"
)

// slip is a document as paper shows it, or a receipt as it will be.
type slip struct {
	Register    *till.Register
	Operator    fiscal.Operator
	Site        string // where receipts are checked
	Document    *till.Document
	Op          string
	Receipt     *fiscal.Receipt
	Report      *fiscal.Report
	Move        *fiscal.CashMove
	QR          *ui.QR
	Preliminary bool
	Copy        bool // of a Z report that was shown before
}

// Taxes are those of the lines and of what is off or on the whole, by rate.
func (s *slip) Taxes() (all []fiscal.Tax) {
	add := func(taxes []fiscal.Tax, sign fiscal.Money) {
		for _, t := range taxes {
			i := slices.IndexFunc(all, func(o fiscal.Tax) bool { return o.Kind == t.Kind && o.Percent == t.Percent && o.Included == t.Included })
			if i < 0 {
				i = len(all)
				all = append(all, fiscal.Tax{Kind: t.Kind, Percent: t.Percent, Included: t.Included})
			}
			all[i].Sum += sign * t.Sum
		}
	}
	r := s.Receipt
	for i := range r.Items {
		add(r.Items[i].Taxes, r.Items[i].Direction())
	}
	if r.Discount != nil {
		add(r.Discount.Taxes, -1)
	}
	if r.Markup != nil {
		add(r.Markup.Taxes, 1)
	}
	add(r.Taxes, 1)
	return all
}

// Certificate is that of a payer of VAT: series and number.
func (s *slip) Certificate() string {
	set := &s.Register.Settings
	if !set.VATPayer {
		return ""
	}
	if set.VATSeries == "" {
		return set.VATNumber
	}
	return set.VATSeries + " " + set.VATNumber
}

// reportRow is an operation of a report that has counted something.
type reportRow struct {
	Op       string
	Count    int64
	Sum      fiscal.Money
	Payments []fiscal.Payment
	Discount fiscal.Money
	Markup   fiscal.Money
	Change   fiscal.Money
}

// Rows are the operations of a report.
func (s *slip) Rows() (all []reportRow) {
	c := &s.Report.Counters
	for i := range c.Receipts {
		t := &c.Receipts[i]
		row := reportRow{Op: (fiscal.OpSale + fiscal.Op(i)).String(), Count: t.Count, Sum: t.Sum, Discount: c.Discounts[i].Sum, Markup: c.Markups[i].Sum, Change: t.Change}
		for k := range t.Payments {
			if t.Payments[k].Count > 0 {
				row.Payments = append(row.Payments, fiscal.Payment{Kind: fiscal.PayCash + fiscal.PayKind(k), Sum: t.Payments[k].Sum})
			}
		}
		all = append(all, row)
	}
	for i := range c.Moves {
		all = append(all, reportRow{Op: (fiscal.OpCashIn + fiscal.Op(i)).String(), Count: c.Moves[i].Count, Sum: c.Moves[i].Sum})
	}
	return all
}

// Grand are the totals that are never cleared: at the start of the shift and
// now.
func (s *slip) Grand() (all []struct {
	Op       string
	From, To fiscal.Money
}) {
	c := &s.Report.Counters
	for i := range c.GrandTotals {
		all = append(all, struct {
			Op       string
			From, To fiscal.Money
		}{(fiscal.OpSale + fiscal.Op(i)).String(), c.ShiftStart[i], c.GrandTotals[i]})
	}
	return all
}

// documentPage is a document and what can be done with it.
type documentPage struct {
	Slip    *slip // not embedded: templates find what is inside an embedded one slowly
	Earlier bool  // another draft than the one that was sent last
	Return  bool  // it may be returned
}

// document serves GET /document/{id}.
//
// Source: requirements E-006, E-117, E-140, E-144, E-149.
func (h *Handler) document(w http.ResponseWriter, r *http.Request, g *guest) {
	id, err := strconv.ParseInt(r.PathValue("id"), 10, 64)
	if err != nil {
		h.fail(w, r, g, &fiscal.Error{Reason: fiscal.NothingThere, Field: "document"})
		return
	}
	d, at, again, err := h.till.Show(r.Context(), g.Seat, id)
	var s slip
	if err == nil {
		s, err = h.slipOf(&d, &at)
	}
	if err != nil {
		h.fail(w, r, g, err)
		return
	}
	s.Copy = again
	p := &documentPage{Slip: &s, Earlier: r.URL.Query().Get("earlier") != ""}
	if op, ok := d.Returned(); ok && d.Fate != till.Removed {
		p.Return = op == fiscal.OpSaleReturn && g.Cashier.May(till.MayReturn) || op == fiscal.OpPurchaseReturn && g.Cashier.May(till.MayBuy)
	}
	title := titleOf(g.locale, &d)
	h.show(w, r, g, http.StatusOK, "document.html", page{Page: ui.Page{Title: title}, Tab: "history", Back: "/history", Register: &at}, p)
}

// slipOf opens a document.
//
// Errors: Corrupt.
func (h *Handler) slipOf(d *till.Document, at *till.Register) (slip, error) {
	c, err := d.Contents()
	if err != nil {
		return slip{}, err
	}
	s := slip{Register: at, Operator: h.cfg.Operator, Site: h.cfg.Site, Document: d, Op: d.Op, Receipt: c.Receipt, Report: c.Report, Move: c.Move}
	if d.QR != "" {
		q, err := ui.NewQR(d.QR)
		if err != nil {
			return slip{}, fmt.Errorf("QR code of document %d: %w", d.ID, err)
		}
		s.QR = &q
	}
	return s, nil
}
