package kgd

import (
	"slices"

	"openofd/internal/delivery"
	"openofd/internal/fiscal"
)

// document appends a Document.
func (w *writer) document(id, kind string, whose *owner, e *delivery.Entry, doc *fiscal.Document) {
	w.open('{')
	w.text("format", Format)
	w.text("id", id)
	w.number("register", int64(e.Register))
	w.number("entry", int64(e.Number))
	w.text("registration_number", whose.registrationNumber)
	w.flag("provisional", whose.provisional)
	w.text("bin", string(whose.bin))
	w.text("kind", kind)
	if e.Op != fiscal.OpNone {
		w.text("operation", e.Op.String())
	}
	w.wall("time", e.DeviceTime)
	w.instant("received", e.ReceivedAt)
	w.flag("offline", e.Flags.Has(fiscal.FlagReplay))
	if e.Shift != 0 {
		w.number("shift", int64(e.Shift))
	}
	if e.FiscalSign != 0 {
		w.padded("fiscal_sign", e.FiscalSign, 12)
	}
	if e.DeviceNumber != 0 {
		w.padded("offline_code", e.DeviceNumber, 1)
	}
	if e.Kind == fiscal.DocCancel {
		w.number("cancels", int64(e.Refers))
	}
	w.money("total", e.Total)
	w.money("cash", e.Cash)
	w.money("cashless", e.Cashless)
	w.money("other", e.OtherPaid)
	w.money("tax", e.Tax)
	switch {
	case doc.Receipt != nil:
		w.receipt(doc.Receipt)
	case doc.Move != nil:
		w.cashier(doc.Move.Cashier)
	case doc.Report != nil:
		w.report(doc.Report)
	case doc.Act != nil:
		w.key("act")
		w.open('{')
		w.text("kind", string(doc.Act.Kind))
		w.some("text", doc.Act.Text)
		w.close('}')
	}
	if e.Flags != 0 {
		w.key("flags")
		w.open('[')
		for _, name := range e.Flags.Names() {
			w.next()
			w.b = appendText(w.b, name)
		}
		w.close(']')
	}
	w.hash("hash", &e.Hash)
	w.close('}')
}

func (w *writer) cashier(c fiscal.Cashier) {
	if c == (fiscal.Cashier{}) {
		return
	}
	w.key("cashier")
	w.open('{')
	w.number("code", int64(c.Code))
	w.some("name", c.Name)
	w.close('}')
}

// receipt appends what a receipt says. The buyer's mail and phone are nobody's
// but the buyer's and the seller's.
func (w *writer) receipt(r *fiscal.Receipt) {
	w.cashier(r.Cashier)
	if len(r.Payments) > 0 {
		w.key("payments")
		w.open('[')
		for i := range r.Payments {
			w.next()
			w.open('{')
			w.text("kind", r.Payments[i].Kind.String())
			w.money("sum", r.Payments[i].Sum)
			w.close('}')
		}
		w.close(']')
	}
	w.taxes(r)
	if len(r.Items) > 0 {
		w.key("items")
		w.open('[')
		for i := range r.Items {
			w.next()
			w.item(&r.Items[i])
		}
		w.close(']')
	}
	if r.Discount != nil {
		w.amount("discount", r.Discount.Sum)
	}
	if r.Markup != nil {
		w.amount("markup", r.Markup.Sum)
	}
	w.amount("change", r.ChangeDue)
	w.some("buyer", string(r.Buyer.XIN))
	if p := r.Parent; p != nil {
		w.key("parent")
		w.open('{')
		w.text("fiscal_sign", p.FiscalSign)
		w.wall("time", p.Time)
		w.text("registration_number", p.RegistrationNumber)
		w.money("total", p.Total)
		w.close('}')
	}
}

func (w *writer) item(it *fiscal.Item) {
	w.open('{')
	w.text("kind", it.Kind.String())
	w.flag("storno", it.Storno)
	w.some("name", it.Name)
	w.some("section", it.Section)
	if it.Quantity != 0 {
		w.quantity("quantity", it.Quantity)
	}
	w.some("unit", it.Unit)
	w.money("price", it.Price)
	w.money("cost", it.Cost)
	w.some("barcode", it.Barcode)
	w.some("ntin", it.NTIN)
	if len(it.ExciseStamps) > 0 {
		w.key("marks")
		w.open('[')
		for _, s := range it.ExciseStamps {
			w.next()
			w.b = appendText(w.b, s)
		}
		w.close(']')
	}
	w.close('}')
}

// taxes appends the taxes of a receipt.
func (w *writer) taxes(r *fiscal.Receipt) {
	var room [8]Tax
	all := taxesOf(r, room[:0])
	if len(all) == 0 {
		return
	}
	w.key("taxes")
	w.open('[')
	for i := range all {
		t := &all[i]
		w.next()
		w.open('{')
		w.number("kind", int64(t.Kind))
		w.number("percent", int64(t.Percent))
		w.money("turnover", t.Turnover)
		w.money("tax", t.Tax)
		w.close('}')
	}
	w.close(']')
}

// taxesOf appends the taxes of a receipt to all, summed by kind and percent as
// the register's counters sum them: a discount or markup on the whole that
// repeats those of the lines is the same one.
func taxesOf(r *fiscal.Receipt, all []Tax) []Tax {
	add := func(x *fiscal.Tax, dir, gross fiscal.Money) {
		for i := range all {
			if t := &all[i]; t.Kind == x.Kind && t.Percent == x.Percent {
				t.Turnover += dir * gross
				t.Tax += dir * x.Sum
				return
			}
		}
		all = append(all, Tax{x.Kind, x.Percent, dir * gross, dir * x.Sum})
	}
	var discounts, markups bool // on lines
	for i := range r.Items {
		it := &r.Items[i]
		discounts = discounts || it.Kind == fiscal.ItemDiscount
		markups = markups || it.Kind == fiscal.ItemMarkup
		for j := range it.Taxes {
			add(&it.Taxes[j], it.Direction(), it.Cost)
		}
	}
	if d := r.Discount; d != nil && d.Sum != 0 && !discounts {
		for j := range d.Taxes {
			add(&d.Taxes[j], -1, d.Sum)
		}
	}
	if m := r.Markup; m != nil && m.Sum != 0 && !markups {
		for j := range m.Taxes {
			add(&m.Taxes[j], 1, m.Sum)
		}
	}
	for j := range r.Taxes {
		add(&r.Taxes[j], 1, r.Total)
	}
	slices.SortFunc(all, func(a, b Tax) int {
		if a.Kind != b.Kind {
			return int(int64(a.Kind) - int64(b.Kind))
		}
		return int(int64(a.Percent) - int64(b.Percent))
	})
	return all
}
