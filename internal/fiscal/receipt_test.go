package fiscal

import "testing"

// Source: KKM reference §6.3.
func TestCashPart(t *testing.T) {
	for _, tt := range []struct {
		name string
		r    Receipt
		want Money
	}{
		{"cash", Receipt{Total: 100, Payments: []Payment{{Kind: PayCash, Sum: 100}}}, 100},
		{"card", Receipt{Total: 100, Payments: []Payment{{Kind: PayCard, Sum: 100}}}, 0},
		{"both", Receipt{Total: 100, Payments: []Payment{{Kind: PayCard, Sum: 60}, {Kind: PayCash, Sum: 40}}}, 40},
		{"twice cash", Receipt{Total: 100, Payments: []Payment{{Kind: PayCash, Sum: 60}, {Kind: PayCash, Sum: 40}}}, 100},
		{"net already, change told", Receipt{Total: 100, ChangeDue: 50, Payments: []Payment{{Kind: PayCash, Sum: 100}}}, 100},
		{"gross", Receipt{Total: 100, ChangeDue: 50, Payments: []Payment{{Kind: PayCash, Sum: 150}}}, 100},
		{"gross, beside a card", Receipt{Total: 100, ChangeDue: 50, Payments: []Payment{{Kind: PayCard, Sum: 30}, {Kind: PayCash, Sum: 120}}}, 70},
		{"change that explains nothing", Receipt{Total: 100, ChangeDue: 7, Payments: []Payment{{Kind: PayCash, Sum: 150}}}, 150},
		{"change on a card", Receipt{Total: 100, ChangeDue: 50, Payments: []Payment{{Kind: PayCard, Sum: 150}}}, 0},
		{"change larger than the cash", Receipt{Total: 100, ChangeDue: 50, Payments: []Payment{{Kind: PayCard, Sum: 120}, {Kind: PayCash, Sum: 30}}}, 0},
		{"nothing paid", Receipt{Total: 100}, 0},
	} {
		if got := tt.r.CashPart(); got != tt.want {
			t.Errorf("%s: CashPart() = %v, want %v", tt.name, got, tt.want)
		}
	}
}

func TestTaxSum(t *testing.T) {
	tax := func(sum Money) []Tax { return []Tax{{Kind: KindVAT, Sum: sum}} }
	r := Receipt{
		Items: []Item{
			{Kind: ItemGoods, Taxes: tax(1000)}, {Kind: ItemGoods, Storno: true, Taxes: tax(300)},
			{Kind: ItemDiscount, Taxes: tax(50)}, {Kind: ItemDiscount, Storno: true, Taxes: tax(5)}, {Kind: ItemMarkup, Taxes: tax(20)},
		},
		Taxes: tax(7), Discount: &Modifier{Taxes: tax(11)}, Markup: &Modifier{Taxes: tax(13)},
	}
	if got, want := r.TaxSum(), Money(1000-300-50+5+20+7-11+13); got != want {
		t.Errorf("TaxSum() = %v, want %v", got, want)
	}
}
