package kgd

import "openofd/internal/fiscal"

// report appends a ShiftReport. There is one a shift, and it is worded by the
// same writer so that a line is made in one way.
func (w *writer) report(r *fiscal.Report) {
	c := &r.Counters
	w.key("report")
	w.open('{')
	w.text("kind", r.Kind.String())
	w.number("shift", int64(r.Shift.Number))
	w.wall("opened", r.Shift.OpenedAt)
	w.money("cash", c.Cash)
	w.money("revenue", c.Revenue)
	w.key("grand_totals")
	w.open('{')
	for op := fiscal.OpSale; op.Settlement(); op++ {
		w.amount(op.String(), c.GrandTotals[op.Index()])
	}
	w.close('}')
	w.key("receipts")
	w.open('{')
	for op := fiscal.OpSale; op.Settlement(); op++ {
		if t := &c.Receipts[op.Index()]; t.Ever != 0 {
			w.receipts(op.String(), t)
		}
	}
	w.close('}')
	w.key("moves")
	w.open('{')
	for op := fiscal.OpCashIn; op <= fiscal.OpCashOut; op++ {
		if t := &c.Moves[op.Index()]; t.Count != 0 {
			w.tally(op.String(), t.Count, t.Sum)
		}
	}
	w.close('}')
	w.key("taxes")
	w.open('[')
	for i := range c.Taxes {
		t := &c.Taxes[i]
		for op := fiscal.OpSale; op.Settlement(); op++ {
			if x := t.Ops[op.Index()]; x != (fiscal.TaxedTally{}) {
				w.next()
				w.open('{')
				w.number("kind", int64(t.Kind))
				w.number("percent", int64(t.Percent))
				w.text("operation", op.String())
				w.money("turnover", x.Turnover)
				w.money("tax", x.Tax)
				w.close('}')
			}
		}
	}
	w.close(']')
	w.close('}')
}

// receipts appends what the receipts of one operation came to.
func (w *writer) receipts(name string, t *fiscal.ReceiptTally) {
	w.key(name)
	w.open('{')
	w.number("ever", t.Ever)
	w.number("count", t.Count)
	w.money("sum", t.Sum)
	w.number("offline", t.Offline)
	w.money("discount", t.Discount)
	w.money("markup", t.Markup)
	w.money("change", t.Change)
	w.key("payments")
	w.open('{')
	for _, way := range fiscal.Ways() {
		if i := way.Index(); i >= 0 && t.Payments[i].Count != 0 {
			w.tally(way.String(), t.Payments[i].Count, t.Payments[i].Sum)
		}
	}
	w.close('}')
	w.close('}')
}

func (w *writer) tally(name string, count int64, sum fiscal.Money) {
	w.key(name)
	w.open('{')
	w.number("count", count)
	w.money("sum", sum)
	w.close('}')
}
