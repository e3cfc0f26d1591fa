package kkm

import "openofd/internal/fiscal"

// totals are the sums from which the total of a receipt may follow.
// Source: KKM reference §8, V6.
type totals struct {
	goods    fiscal.Money // commodities less storno
	discount fiscal.Money // lines
	markup   fiscal.Money // lines
	added    fiscal.Money // taxes not contained in prices
	overflow bool
}

func totalsOf(r *fiscal.Receipt) (t totals) {
	add := func(to *fiscal.Money, v fiscal.Money) {
		sum, err := fiscal.Add(*to, v)
		t.overflow = t.overflow || err != nil
		*to = sum
	}
	taxes := func(dir fiscal.Money, all []fiscal.Tax) {
		for _, x := range all {
			if !x.Included {
				add(&t.added, dir*x.Sum)
			}
		}
	}
	for i := range r.Items {
		it := &r.Items[i]
		dir := it.Direction()
		switch it.Kind {
		case fiscal.ItemGoods:
			add(&t.goods, dir*it.Cost)
		case fiscal.ItemDiscount:
			add(&t.discount, -dir*it.Cost)
		case fiscal.ItemMarkup:
			add(&t.markup, dir*it.Cost)
		}
		taxes(dir, it.Taxes)
	}
	taxes(1, r.Taxes)
	if m := r.Markup; m != nil {
		taxes(1, m.Taxes)
	}
	if m := r.Discount; m != nil {
		taxes(-1, m.Taxes)
	}
	// Far below the end of the range, so that adding them up is safe.
	for _, sum := range [...]fiscal.Money{t.goods, t.discount, t.markup, t.added} {
		t.overflow = t.overflow || sum.Abs() > fiscal.MaxMoney/8
	}
	return t
}

// How the total follows from the lines.
type totalFit uint8

const (
	totalOff     totalFit = iota // it does not
	totalRounded                 // within a tiyn for each line
	totalExact
)

// fits compares the total with each sum that devices in use mean by it: lines
// with their discounts and markups, or lines with those on the whole receipt;
// each with or without taxes that prices do not contain.
func fits(r *fiscal.Receipt, t totals) totalFit {
	if t.overflow {
		return totalOff
	}
	lines := t.goods - t.discount + t.markup
	sums := [4]fiscal.Money{lines, lines + t.added, lines, lines + t.added}
	if t.discount == 0 && t.markup == 0 {
		whole := t.goods
		if r.Discount != nil {
			whole -= r.Discount.Sum
		}
		if r.Markup != nil {
			whole += r.Markup.Sum
		}
		sums[2], sums[3] = whole, whole+t.added
	}
	best := totalOff
	for _, s := range sums {
		switch d := (r.Total - s).Abs(); {
		case d == 0:
			return totalExact
		case d <= fiscal.Money(len(r.Items)):
			best = totalRounded
		}
	}
	return best
}
