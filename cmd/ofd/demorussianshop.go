package main

import (
	"math/rand/v2"

	device "openofd/internal/device/kkt"
	"openofd/internal/fiscal"
	"openofd/internal/fiscal/policy"
	"openofd/internal/protocol/kkt/ffd"
	"openofd/internal/registry"
)

// A russianShop is one of the demo's sellers in Russia. All of them are
// invented.
type russianShop struct {
	city       string
	version    ffd.Version
	taxSystems uint8
	conditions uint32
	agents     uint8
	register   registry.NewRegister
	user       string // owner, place and site as they stand on paper
	place      string
	site       string
	sender     string
	cashiers   []russianCashier
	goods      []russianGoods
	deals      []russianDealer // what is not simply a sale, each now and then
	life       demoLife
}

type russianCashier struct{ name, inn string }

const (
	opSale uint8 = iota + 1
	opSaleReturn
	opPurchase
	opPurchaseReturn
)

// russianShops are the registers in Russia: those of a company with two groceries,
// and of a trader with a café. The first two are walked by the demo's check.
func russianShops() []russianShop {
	grocery := demoGrocery()
	return []russianShop{grocery, demoCafe(), secondRussianTill(grocery), demoRzhev(grocery)}
}

// secondRussianTill is the other register of the grocery.
func secondRussianTill(s russianShop) russianShop {
	s.register.Name, s.register.SerialNumber, s.register.RegistrationNumber, s.register.Drive = "Касса 2", "DG00000000107", "0009650042006909", "9999078900010701"
	s.life = demoLife{opens: 10, closes: 20, customers: 8, week: weekOfGroceries}
	return s
}

// demoVeranda is the café's register that has just been bought: nobody has
// registered it yet.
func demoVeranda() russianShop {
	s := demoCafe()
	s.register.Name, s.register.SerialNumber, s.register.RegistrationNumber, s.register.Drive = "Веранда", "DC00000000213", "", "9999078900021301"
	return s
}

// demoRzhev is the company's shop in another town, where the link fails now and
// then.
func demoRzhev(s russianShop) russianShop {
	s.city = "Ржев"
	s.register.OutletTitle = fiscal.Text{RU: "Магазин «Лукошко у дома»"}
	s.register.OutletAddress = fiscal.Text{RU: "172381, Тверская обл., г. Ржев, ул. Большая Спасская, 9"}
	s.register.OutletWhere = registry.Address{Region: "69", Locality: "Ржев", Street: "ул. Большая Спасская", House: "9"}
	s.register.Latitude, s.register.Longitude = 562630, 343280
	s.register.Name, s.register.SerialNumber, s.register.RegistrationNumber, s.register.Drive = "Касса 1", "DG00000000108", "0009650042060178", "9999078900010801"
	s.place = `Магазин "Лукошко у дома"`
	s.cashiers = []russianCashier{{"Фёдорова Мария", ""}}
	s.life = demoLife{opens: 8, closes: 21, customers: 6, week: [7]int{90, 95, 95, 100, 105, 115, 110}, away: []dayRange{{47, 45}}, cut: []dayRange{{67, 66}, {29, 28}}}
	return s
}

// device is who words the documents of the shop's register.
func (s *russianShop) device(operator string) device.Shop {
	return device.Shop{
		INN: string(s.register.XIN), RegistrationNumber: s.register.RegistrationNumber, Serial: s.register.SerialNumber,
		Operator: operator, Version: s.version, User: s.user, Address: s.register.OutletAddress.RU, Place: s.place,
		Cashier: s.cashiers[0].name, CashierINN: s.cashiers[0].inn, Sender: s.sender,
		TaxSystems: s.taxSystems, Conditions: s.conditions, Agents: s.agents,
	}
}

// rate is the value of a rate on a day, the standard one if it has no name.
func (s *russianShop) rate(name string, day fiscal.WallTime) uint8 {
	if name == "" {
		name = policy.For(fiscal.Russia).At(day).VAT[0].Code
	}
	value, _ := ffd.RateNamed(name)
	return value
}

// advanceRate is the rate of an advance that holds the tax of a rate already.
func (s *russianShop) advanceRate(day fiscal.WallTime) uint8 {
	vat := policy.For(fiscal.Russia).At(day).VAT
	for _, r := range vat {
		if r.Calculated && r.Percent == vat[0].Percent {
			return s.rate(r.Code, day)
		}
	}
	return 0
}

// item is some of one of the goods.
func (s *russianShop) item(g *russianGoods, r *rand.Rand, day fiscal.WallTime) ffd.Item {
	it := ffd.Item{
		Name: g.name, Price: g.price, ProductType: g.kind, Rate: s.rate(g.rate, day), Country: g.country, Declaration: g.customs,
		Quantity: ffd.Decimal{Digits: 1},
	}
	switch {
	case g.weighed:
		it.Quantity = ffd.Decimal{Digits: 150 + r.Uint64N(2200), Places: 3}
	case !g.marked:
		it.Quantity.Digits = 1 + r.Uint64N(orThree(g.most))
	}
	if s.version < ffd.V120 {
		it.Unit = g.unit
		return it
	}
	it.Measure = g.measure
	switch {
	case g.marked:
		s.mark(&it, g, r)
	case g.barcode != "":
		it.Codes = &ffd.ProductCode{EAN13: g.barcode}
	}
	return it
}

func orThree(n uint64) uint64 {
	if n == 0 {
		return 3
	}
	return n
}

// mark gives a good its identification mark.
func (s *russianShop) mark(it *ffd.Item, g *russianGoods, r *rand.Rand) {
	it.ProductType = productMarked
	it.Codes = &ffd.ProductCode{GS1M: "010" + g.barcode + "21" + demoCode(r)}
}

// demoProof stands behind the product in every mark of the demo: the name of a
// key and a proof of a kind that drives check by themselves.
const demoProof = "\x1d91EE06\x1d92RGVtb25zdHJhdGlvbiBwcm9vZiwgc2lnbnMgbm8gZ29v"

// sale is what a customer brings to the counter, paid as people pay.
func (s *russianShop) sale(r *rand.Rand, day fiscal.WallTime) ffd.Receipt {
	rec := ffd.Receipt{Operation: opSale}
	for _, i := range r.Perm(len(s.goods))[:1+r.IntN(min(6, len(s.goods)))] {
		rec.Items = append(rec.Items, s.item(&s.goods[i], r, day))
	}
	s.serve(&rec, r)
	switch n := r.IntN(20); {
	case n < 7: // cash, as long as nothing else is said
	case n < 19:
		rec.Cashless = due(&rec)
	default:
		rec.Cashless = due(&rec) / 200 * 100
	}
	if r.IntN(6) == 0 {
		rec.BuyerContact = [...]string{"+79001234567", "anna.p@example.com", "+79139876543", "smirnov@example.net"}[r.IntN(4)]
	}
	return rec
}

// serve puts somebody at the counter.
func (s *russianShop) serve(rec *ffd.Receipt, r *rand.Rand) {
	c := s.cashiers[r.IntN(len(s.cashiers))]
	rec.Cashier, rec.CashierINN = c.name, c.inn
}

// due is what the items come to.
func due(rec *ffd.Receipt) (sum fiscal.Money) {
	for i := range rec.Items {
		q, _ := rec.Items[i].Quantity.Quantity()
		cost, err := fiscal.Cost(rec.Items[i].Price, q)
		if err != nil {
			panic(err) // prices above are small
		}
		sum += cost
	}
	return sum
}

// back gives a whole earlier sale back, paid as the sale was.
func (s *russianShop) back(sale ffd.Receipt) ffd.Receipt {
	sale.Operation++
	return sale
}

// one is a single thing.
func one(name string, price fiscal.Money, rate uint8) ffd.Item {
	return ffd.Item{Name: name, Price: price, Rate: rate, Quantity: ffd.Decimal{Digits: 1}}
}
