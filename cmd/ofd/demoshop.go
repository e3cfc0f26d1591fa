package main

import (
	"math/rand/v2"

	"openofd/internal/fiscal"
	"openofd/internal/protocol/kkm"
	"openofd/internal/registry"
)

// A demoShop is one of the demo's sellers: who it is, what it sells, which
// protocol its register speaks. All of them are invented.
type demoShop struct {
	city     string
	register registry.NewRegister
	version  kkm.Version
	section  string
	cashiers []fiscal.Cashier
	goods    []demoGoods
	bought   demoGoods // what the shop buys from people now and then; without a name nothing
	life     demoLife
}

// demoGoods is one thing on a shelf.
type demoGoods struct {
	name    string
	unit    string
	price   fiscal.Money
	weighed bool // sold by weight, otherwise by the piece
	barcode string
	ntin    string
	marked  bool // bears an identification mark
}

// receipt is what a customer brings to the counter: some goods, now and then a
// discount, paid as people pay.
func (s *demoShop) receipt(r *rand.Rand) fiscal.Receipt {
	rec := fiscal.Receipt{Op: fiscal.OpSale, Cashier: s.cashiers[r.IntN(len(s.cashiers))]}
	for _, i := range r.Perm(len(s.goods))[:1+r.IntN(min(5, len(s.goods)))] {
		rec.Items = append(rec.Items, s.item(&s.goods[i], r))
	}
	for i := range rec.Items {
		rec.Total += rec.Items[i].Cost
	}
	if r.IntN(8) == 0 {
		rec.Items = append(rec.Items, s.discount(rec.Total/20))
		rec.Total -= rec.Total / 20
	}
	s.pay(&rec, r)
	if r.IntN(12) == 0 {
		rec.Buyer.XIN = "880201300450"
	}
	return rec
}

func (s *demoShop) item(g *demoGoods, r *rand.Rand) fiscal.Item {
	q := fiscal.Quantity(1+r.IntN(3)) * fiscal.OneUnit
	if g.weighed {
		q = fiscal.Quantity(150+r.IntN(2500)) * (fiscal.OneUnit / 1000)
	}
	cost, err := fiscal.Cost(g.price, q)
	if err != nil {
		panic(err) // prices above are small
	}
	it := fiscal.Item{
		Kind: fiscal.ItemGoods, Name: g.name, Section: s.section, Unit: g.unit, Price: g.price, Quantity: q, Cost: cost,
		Barcode: g.barcode, NTIN: g.ntin, Taxes: s.taxes(cost),
	}
	if g.marked {
		it.Quantity, it.Cost = fiscal.OneUnit, g.price
		it.Taxes = s.taxes(g.price)
		it.ExciseStamps = []string{"010" + g.barcode + "21" + demoCode(r)}
	}
	return it
}

func demoCode(r *rand.Rand) string {
	const letters = "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnpqrstuvwxyz23456789"
	b := make([]byte, 13)
	for i := range b {
		b[i] = letters[r.IntN(len(letters))]
	}
	return string(b)
}

func (s *demoShop) taxes(gross fiscal.Money) []fiscal.Tax {
	vat := s.register.VATPercent
	if vat == 0 {
		return nil
	}
	return []fiscal.Tax{{Kind: fiscal.KindVAT, Percent: vat, Sum: fiscal.IncludedTax(gross, vat), Included: true}}
}

func (s *demoShop) discount(sum fiscal.Money) fiscal.Item {
	return fiscal.Item{Kind: fiscal.ItemDiscount, Name: "Жеңілдік / Скидка 5 %", Cost: sum, Taxes: s.taxes(sum)}
}

// pay settles how a receipt is paid.
func (s *demoShop) pay(rec *fiscal.Receipt, r *rand.Rand) {
	switch n := r.IntN(20); {
	case n < 8:
		rec.Payments = []fiscal.Payment{{Kind: fiscal.PayCash, Sum: rec.Total}}
		rec.Taken = (rec.Total + 499_99) / 500_00 * 500_00
		rec.ChangeDue = rec.Taken - rec.Total
	case n < 13:
		rec.Payments = []fiscal.Payment{{Kind: fiscal.PayCard, Sum: rec.Total}}
	case n < 19:
		rec.Payments = []fiscal.Payment{{Kind: fiscal.PayMobile, Sum: rec.Total}}
	default:
		half := rec.Total / 2
		rec.Payments = []fiscal.Payment{{Kind: fiscal.PayCash, Sum: half}, {Kind: fiscal.PayCard, Sum: rec.Total - half}}
		rec.Taken = half
	}
}

// back is the return of a whole earlier sale, in cash.
func (s *demoShop) back(sale fiscal.Receipt) fiscal.Receipt {
	sale.Op = fiscal.OpSaleReturn
	sale.Time, sale.Buyer = 0, fiscal.Buyer{}
	sale.Payments = []fiscal.Payment{{Kind: fiscal.PayCash, Sum: sale.Total}}
	sale.Taken, sale.ChangeDue = sale.Total, 0
	return sale
}

// purchase buys something from somebody, for cash and without a tax.
func (s *demoShop) purchase(r *rand.Rand) fiscal.Receipt {
	it := s.item(&s.bought, r)
	it.Taxes = nil
	return fiscal.Receipt{
		Op: fiscal.OpPurchase, Cashier: s.cashiers[0], Items: []fiscal.Item{it}, Total: it.Cost,
		Payments: []fiscal.Payment{{Kind: fiscal.PayCash, Sum: it.Cost}}, Taken: it.Cost,
	}
}
