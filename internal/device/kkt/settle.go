package kkt

import (
	"cmp"
	"slices"
	"strings"

	"openofd/internal/fiscal"
	"openofd/internal/protocol/kkt/ffd"
)

// Settle is a receipt, a strict reporting form or a correction of either. What
// r leaves open follows: seller and numbers; of an item quantity (one), kind
// (goods, fully paid), sum and VAT; of the whole its total, its taxes, the result
// of the marks, and that what is paid in no other way is paid in cash. Amounts
// are in kopecks.
func (s Shop) Settle(form ffd.Form, r ffd.Receipt) Document {
	s = s.worded()
	r.Items = slices.Clone(r.Items)
	return s.written(form, func(n Numbers) any {
		done := r
		done.Base, done.Shift, done.ReceiptNumber = s.base(n), n.Shift, n.Receipt
		s.sign(&done)
		var taxes taxes
		for i := range done.Items {
			it := &done.Items[i]
			finish(it, n.Time)
			taxes.add(it)
			if r.Total == 0 {
				done.Total += it.Sum
			}
			if s.Version < ffd.V120 {
				done.Agents |= it.Agent
			}
		}
		taxes.write(&done)
		marks(&done)
		done.Cash += done.Total - done.Cash - done.Cashless - done.Prepaid - done.Credit - done.InKind
		return &done
	})
}

// sign says on a receipt who sells, and where.
func (s Shop) sign(r *ffd.Receipt) {
	r.User = cmp.Or(r.User, s.User)
	r.Address = cmp.Or(r.Address, s.Address)
	r.Place = cmp.Or(r.Place, s.Place)
	r.TaxSystem = cmp.Or(r.TaxSystem, s.TaxSystems&-s.TaxSystems)
	if !r.Internet && r.Machine == "" { // somebody stands at the register
		r.Cashier, r.CashierINN = cmp.Or(r.Cashier, s.Cashier), cmp.Or(r.CashierINN, s.CashierINN)
	}
	if strings.Contains(r.BuyerContact, "@") {
		r.Sender = cmp.Or(r.Sender, s.Sender)
	}
}

// finish says of an item what follows from the rest.
func finish(it *ffd.Item, day fiscal.WallTime) {
	const paid, goods, untaxed = 4, 1, 6
	it.PaymentType, it.ProductType, it.Rate = cmp.Or(it.PaymentType, paid), cmp.Or(it.ProductType, goods), cmp.Or(it.Rate, untaxed)
	it.Quantity = cmp.Or(it.Quantity, ffd.Decimal{Digits: 1})
	if q, ok := it.Quantity.Quantity(); ok && it.Sum == 0 {
		it.Sum, _ = fiscal.Cost(it.Price, q) // what does not fit is refused with the document
	}
	if percent, ok := ffd.PercentOf(it.Rate, day); ok && percent > 0 && it.VAT == nil {
		vat := fiscal.IncludedTax(it.Sum, percent)
		it.VAT = &vat
	}
}

// taxes are the taxes of a receipt by the value of their rate: VAT, or turnover
// where there is none.
type taxes [rateEnd]struct {
	sum fiscal.Money
	any bool
}

// rateEnd is one more than the largest value of tag 1199.
const rateEnd = 13

func (t *taxes) add(it *ffd.Item) {
	if int(it.Rate) >= len(t) {
		return // the format refuses it
	}
	of := &t[it.Rate]
	of.any = true
	if it.VAT != nil {
		of.sum += *it.VAT
	} else {
		of.sum += it.Sum
	}
}

// write puts the taxes where a receipt has them, unless it says its own.
func (t *taxes) write(r *ffd.Receipt) {
	own := [rateEnd]**fiscal.Money{1: &r.VAT20, 2: &r.VAT10, 3: &r.VAT20120, 4: &r.VAT10110, 5: &r.Turnover0, 6: &r.Untaxed}
	var others []ffd.RateSum
	for value := range t {
		of := &t[value]
		switch to := own[value]; {
		case !of.any:
		case to == nil:
			others = append(others, ffd.RateSum{Rate: uint8(value), Sum: of.sum})
		case *to == nil:
			*to = &of.sum
		}
	}
	if r.VAT == nil && others != nil {
		r.VAT = &ffd.VAT{Rates: others}
	}
}

// marks says whether the marks of the goods are all in order.
func marks(r *ffd.Receipt) {
	for i := range r.Items {
		checked := r.Items[i].Checked
		if checked == nil || r.MarksChecked != nil && *r.MarksChecked == 1 {
			continue
		}
		var doubted uint8
		if ffd.Checked(*checked) != ffd.MarkPositive {
			doubted = 1
		}
		r.MarksChecked = &doubted
	}
}
