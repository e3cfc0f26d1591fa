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

// demoShops are the sellers; vat is the standard rate, which two of them pay.
func demoShops(vat uint32) []demoShop {
	return []demoShop{
		{
			city: "Алматы", version: kkm.V203, section: "1",
			register: registry.NewRegister{
				Country: fiscal.Kazakhstan, XIN: "210140012347", OKED: "47111", TaxSystem: 101, VATPercent: vat,
				Title:         fiscal.Text{KK: "«Дастарқан Маркет» ЖШС", RU: "ТОО «Дастархан Маркет»"},
				LegalAddress:  fiscal.Text{KK: "Алматы қ., Абай даңғылы, 52", RU: "г. Алматы, пр. Абая, 52"},
				OutletTitle:   fiscal.Text{KK: "«Дастарқан» дүкені", RU: "Магазин «Дастархан»"},
				OutletAddress: fiscal.Text{KK: "Алматы қ., Төле би көшесі, 59", RU: "г. Алматы, ул. Толе би, 59"},
				Latitude:      432567, Longitude: 769286, Zone: "Asia/Almaty", Name: "Касса 1",
				Model: "Demo Market KZ", SerialNumber: "DM2600000101", Year: 2026,
			},
			cashiers: []fiscal.Cashier{{Code: 1, Name: "Серікқызы Айгүл"}, {Code: 2, Name: "Ким Татьяна"}},
			goods: []demoGoods{
				{name: "Нан «Таба», 500 г", unit: "796", price: 235_00, barcode: "4870001234567", ntin: "0200011223344"},
				{name: "Айран 2,5 %, 1 л", unit: "796", price: 740_00, barcode: "4870001112223"},
				{name: "Қант, кг", unit: "116", price: 460_00, weighed: true},
				{name: "Алма «Апорт», кг", unit: "116", price: 890_00, weighed: true},
				{name: "Қазы, кг", unit: "116", price: 6_900_00, weighed: true},
				{name: "Шәй «Пиала», 250 г", unit: "796", price: 1_450_00, barcode: "4870204391510"},
				{name: "Балмұздақ «Бақбақ»", unit: "796", price: 380_00},
				{name: "Ауыз су, 5 л", unit: "796", price: 620_00, barcode: "4870000001234", marked: true},
			},
		},
		{
			city: "Астана", version: kkm.V203, section: "2",
			register: registry.NewRegister{
				Country: fiscal.Kazakhstan, XIN: "850615400561", OKED: "56101", TaxSystem: 100,
				Title:         fiscal.Text{KK: "«Көктем» ЖК Әбенова Гүлнұр", RU: "ИП «Көктем» Абенова Гульнур"},
				LegalAddress:  fiscal.Text{KK: "Астана қ., Кенесары көшесі, 40", RU: "г. Астана, ул. Кенесары, 40"},
				OutletTitle:   fiscal.Text{KK: "«Көктем» кофеханасы", RU: "Кофейня «Көктем»"},
				OutletAddress: fiscal.Text{KK: "Астана қ., Мәңгілік Ел даңғылы, 17", RU: "г. Астана, пр. Мангилик Ел, 17"},
				Latitude:      511282, Longitude: 714306, Zone: "Asia/Almaty", Name: "Бар",
				Model: "Demo Pocket KZ", SerialNumber: "DP2600000202", Year: 2026,
			},
			cashiers: []fiscal.Cashier{{Code: 1, Name: "Ержан Төлегенұлы"}},
			goods: []demoGoods{
				{name: "Капучино, 300 мл", unit: "796", price: 1_300_00},
				{name: "Латте, 400 мл", unit: "796", price: 1_500_00},
				{name: "Көк шәй, шәйнек", unit: "796", price: 900_00},
				{name: "Бауырсақ, 5 дана", unit: "796", price: 600_00},
				{name: "Самса тауық етімен", unit: "796", price: 750_00},
				{name: "Чизкейк", unit: "796", price: 1_700_00},
			},
		},
		{
			city: "Шымкент", version: kkm.V202, section: "1",
			register: registry.NewRegister{
				Country: fiscal.Kazakhstan, XIN: "171040007895", OKED: "47521", TaxSystem: 101, VATPercent: vat,
				Title:         fiscal.Text{KK: "«Қазына Құрылыс» ЖШС", RU: "ТОО «Казына Курылыс»"},
				LegalAddress:  fiscal.Text{KK: "Шымкент қ., Тәуке хан даңғылы, 3", RU: "г. Шымкент, пр. Тауке хана, 3"},
				OutletTitle:   fiscal.Text{KK: "«Ұста» дүкені", RU: "Магазин «Мастер»"},
				OutletAddress: fiscal.Text{KK: "Шымкент қ., Байтұрсынұлы көшесі, 20", RU: "г. Шымкент, ул. Байтурсынова, 20"},
				Latitude:      423417, Longitude: 695901, Zone: "Asia/Almaty", Name: "Касса у входа",
				Model: "Demo Fort KZ", SerialNumber: "DF2400000303", Year: 2024,
			},
			cashiers: []fiscal.Cashier{{Code: 7, Name: "Нұрлан Бекұлы"}, {Code: 8, Name: "Ли Ольга"}},
			goods: []demoGoods{
				{name: "Шеге 100 мм, кг", unit: "116", price: 850_00, weighed: true},
				{name: "Краска ВД белая, 5 кг", unit: "796", price: 6_200_00, barcode: "4870123456789"},
				{name: "Кабель ВВГ 3×2,5, м", unit: "006", price: 540_00, weighed: true},
				{name: "Шам LED 12 Вт", unit: "796", price: 690_00},
				{name: "Цемент М500, 25 кг", unit: "796", price: 2_350_00},
				{name: "Бояу қылқаламы", unit: "796", price: 480_00},
			},
		},
	}
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
