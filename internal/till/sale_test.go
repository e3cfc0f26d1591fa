package till_test

import (
	"errors"
	"math"
	"testing"

	"pgregory.net/rapid"

	"openofd/internal/fiscal"
	"openofd/internal/till"
)

// Whatever a draft says, the receipt of it adds up: lines with what is off and
// on them are the whole, so are its payments, change is what was taken less what
// was due, and VAT is contained in what it is on.
//
// Req: E-008 to E-011, E-100, E-104, E-112, E-121, E-123, E-125 to E-127, N-010
func TestComposeAddsUp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		sum := rapid.OneOf(rapid.Int64Range(0, 10), rapid.Int64Range(0, 1e6), rapid.Int64Range(-5, math.MaxInt64))
		rules := till.Rules{
			Seller: "190340024183", Extended: rapid.Bool().Draw(t, "extended"), Modifiers: rapid.Bool().Draw(t, "modifiers"),
			VATPayer: rapid.Bool().Draw(t, "vat"), VATPercent: rapid.SampledFrom([]uint32{0, 5000, 10000, 16000}).Draw(t, "percent"),
		}
		money := func(name string) fiscal.Money { return fiscal.Money(sum.Draw(t, name)) }
		d := till.Draft{Op: fiscal.OpSale, Paid: till.Paid{Chosen: true}}
		for range rapid.SampledFrom([]int{1, 2, 50}).Draw(t, "lines") {
			l := till.Line{Name: "x", Price: money("price"), Quantity: fiscal.Quantity(rapid.OneOf(rapid.Just(int64(1000)), rapid.Int64Range(1, 1e7), rapid.Int64()).Draw(t, "thousandths")) * 1000}
			if rules.Extended && rapid.Bool().Draw(t, "with") {
				l.Off, l.On = money("off"), money("on")
			}
			d.Lines = append(d.Lines, l)
		}
		if rules.Modifiers {
			switch rapid.IntRange(0, 2).Draw(t, "modifier") {
			case 1:
				d.Off = money("whole off")
			case 2:
				d.On = money("whole on")
			}
		}
		if rapid.Bool().Draw(t, "not all in cash") {
			d.Paid.Card, d.Paid.Mobile = money("card"), money("mobile")
		}
		if rapid.Bool().Draw(t, "taken") {
			d.Paid.Taken = money("taken sum")
		}
		r, err := till.Compose(&d, rules, fiscal.Cashier{Code: 1})
		if err != nil {
			var e *fiscal.Error
			if !errors.As(err, &e) || !errors.Is(err, fiscal.Invalid) || e.Field == "" {
				t.Fatalf("refused with %v, which is not Invalid with a field", err)
			}
			return
		}
		var whole, paid, cash fiscal.Money
		vat := func(of fiscal.Money, taxes []fiscal.Tax) {
			if (len(taxes) > 0) != rules.VATPayer {
				t.Fatalf("%d taxes on %v of a payer: %t", len(taxes), of, rules.VATPayer)
			}
			for _, x := range taxes {
				if x.Sum < 0 || x.Sum > of || x.Sum != fiscal.IncludedTax(of, rules.VATPercent) || !x.Included {
					t.Fatalf("VAT %+v in %v", x, of)
				}
			}
		}
		for _, it := range r.Items {
			vat(it.Cost, it.Taxes)
			switch it.Kind {
			case fiscal.ItemDiscount:
				whole -= it.Cost
			default:
				whole += it.Cost
			}
			if it.Cost < 0 {
				t.Fatalf("an item of %v", it.Cost)
			}
		}
		if m := r.Discount; m != nil {
			whole -= m.Sum
			vat(m.Sum, m.Taxes)
		}
		if m := r.Markup; m != nil {
			whole += m.Sum
			vat(m.Sum, m.Taxes)
		}
		for _, p := range r.Payments {
			paid += p.Sum
			if p.Sum <= 0 {
				t.Fatalf("a payment of %v", p.Sum)
			}
			if p.Kind == fiscal.PayCash {
				cash = p.Sum
			}
		}
		if whole != r.Total || paid != r.Total || r.Total <= 0 {
			t.Fatalf("items %v, payments %v, total %v", whole, paid, r.Total)
		}
		if r.ChangeDue != r.Taken-cash || r.ChangeDue < 0 {
			t.Fatalf("taken %v for %v: change %v", r.Taken, cash, r.ChangeDue)
		}
	})
}

// What a draft may not say, and what the settings forbid.
//
// Req: E-010, E-011, E-100 to E-103, E-113, E-120 to E-127, E-130
func TestComposeRefuses(t *testing.T) {
	line := till.Line{Name: "Нан", Quantity: fiscal.OneUnit, Price: 100_00}
	for _, c := range []struct {
		field string // "" is good
		what  string
		do    func(*till.Draft, *till.Rules)
	}{
		{"", "as it is", func(*till.Draft, *till.Rules) {}},
		{"", "at the limit", func(_ *till.Draft, r *till.Rules) { r.Max = 100_00 }},
		{"max", "a tiyn above the limit", func(_ *till.Draft, r *till.Rules) { r.Max = 99_99 }},
		{"", "a return above the limit", func(d *till.Draft, r *till.Rules) { d.Op, r.Max = fiscal.OpSaleReturn, 99_99 }},
		{"lines", "nothing", func(d *till.Draft, _ *till.Rules) { d.Lines = nil }},
		{"name.1", "no name in extended mode", func(d *till.Draft, _ *till.Rules) { d.Lines[0].Name = " " }},
		{"", "no name in simple mode", func(d *till.Draft, r *till.Rules) { d.Lines[0].Name, r.Extended = "", false }},
		{"quantity.1", "no quantity", func(d *till.Draft, _ *till.Rules) { d.Lines[0].Quantity = 0 }},
		{"quantity.1", "less than a thousandth", func(d *till.Draft, _ *till.Rules) { d.Lines[0].Quantity = 1500 }},
		{"price.1", "no price", func(d *till.Draft, _ *till.Rules) { d.Lines[0].Price = 0 }},
		{"price.1", "more than fits", func(d *till.Draft, _ *till.Rules) { d.Lines[0].Price = math.MaxInt64 }},
		{"price.1", "a product that overflows", func(d *till.Draft, _ *till.Rules) {
			d.Lines[0].Price, d.Lines[0].Quantity = math.MaxInt64, math.MaxInt64/1000*1000
		}},
		{"", "a discount of all but something", func(d *till.Draft, _ *till.Rules) { d.Lines[0].Off = 99_99 }},
		{"off.1", "a discount above the cost", func(d *till.Draft, _ *till.Rules) { d.Lines[0].Off = 100_01 }},
		{"off.1", "a discount on a line in simple mode", func(d *till.Draft, r *till.Rules) { d.Lines[0].Off, r.Extended = 1, false }},
		{"off", "a discount where the settings allow none", func(d *till.Draft, r *till.Rules) { d.Off, r.Modifiers = 1, false }},
		{"off", "a discount above the whole", func(d *till.Draft, _ *till.Rules) { d.Off = 100_01 }},
		{"total", "a discount of all", func(d *till.Draft, _ *till.Rules) { d.Off = 100_00 }},
		{"on", "discount and markup at once", func(d *till.Draft, _ *till.Rules) { d.Off, d.On = 1, 1 }},
		{"paid", "nobody said how it is paid", func(d *till.Draft, _ *till.Rules) { d.Paid.Chosen = false }},
		{"taken", "too little taken", func(d *till.Draft, _ *till.Rules) { d.Paid.Taken = 99_99 }},
		{"card", "more by card than there is", func(d *till.Draft, _ *till.Rules) { d.Paid.Card = 100_01 }},
		{"card", "card and mobile above the whole", func(d *till.Draft, _ *till.Rules) { d.Paid.Card, d.Paid.Mobile = 60_00, 60_00 }},
		{"taken", "cash taken, and nothing paid in it", func(d *till.Draft, _ *till.Rules) { d.Paid.Card, d.Paid.Taken = 100_00, 1 }},
		{"buyer", "eleven digits", func(d *till.Draft, _ *till.Rules) { d.Buyer = "85010130012" }},
		{"buyer", "a wrong check digit", func(d *till.Draft, _ *till.Rules) { d.Buyer = "190340024184" }},
		{"buyer", "the seller", func(d *till.Draft, r *till.Rules) { d.Buyer = r.Seller }},
		{"buyer", "a buyer in simple mode", func(d *till.Draft, r *till.Rules) { d.Buyer, r.Extended = "960624350642", false }},
		{"", "a buyer", func(d *till.Draft, _ *till.Rules) { d.Buyer = "960624350642" }},
		{"op", "a deposit", func(d *till.Draft, _ *till.Rules) { d.Op = fiscal.OpCashIn }},
	} {
		d := till.Draft{Op: fiscal.OpSale, Lines: []till.Line{line}, Paid: till.Paid{Chosen: true}}
		rules := till.Rules{Seller: "190340024183", Extended: true, Buyer: true, Modifiers: true}
		c.do(&d, &rules)
		_, err := till.Compose(&d, rules, fiscal.Cashier{Code: 1})
		var e *fiscal.Error
		switch {
		case c.field == "" && err != nil:
			t.Errorf("%s: %v", c.what, err)
		case c.field != "" && (!errors.As(err, &e) || e.Field != c.field || !errors.Is(err, fiscal.Invalid)):
			t.Errorf("%s: %v, want Invalid about %s", c.what, err, c.field)
		}
	}
}
