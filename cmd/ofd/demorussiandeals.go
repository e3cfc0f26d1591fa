package main

import (
	"fmt"
	"math/rand/v2"

	"openofd/internal/fiscal"
	"openofd/internal/protocol/kkt/ffd"
)

// russianDeal is one document to be made, and what people call it.
type russianDeal struct {
	what    string
	form    ffd.Form
	receipt ffd.Receipt
	wrong   bool // the documents behind it name its fiscal sign as that of the wrong receipt
}

// russianDealer makes the documents of one deal, in the order in which they are
// made. day is what the register's clock shows.
type russianDealer func(s *russianShop, r *rand.Rand, day fiscal.WallTime) []russianDeal

// certificate sells a gift certificate, an advance for nothing in particular,
// and takes it for a purchase.
func (s *russianShop) certificate(r *rand.Rand, day fiscal.WallTime) []russianDeal {
	const worth = 1_000_00
	it := one("Подарочный сертификат на 1000 руб.", worth, s.advanceRate(day))
	it.PaymentType, it.ProductType = paidAdvance, productPayment
	advance := ffd.Receipt{Operation: opSale, Items: []ffd.Item{it}, Cashless: worth}
	s.serve(&advance, r)
	use := s.sale(r, day)
	use.Cashless = 0
	use.Prepaid = min(worth, due(&use))
	return []russianDeal{{what: "advance", form: ffd.FormReceipt, receipt: advance}, {what: "by certificate", form: ffd.FormReceipt, receipt: use}}
}

// topUp takes a payment for a phone, as an agent of who serves it.
func (s *russianShop) topUp(r *rand.Rand, day fiscal.WallTime) []russianDeal {
	it := one("Пополнение счёта +79001112233", fiscal.Money(1+r.IntN(10))*100_00, s.rate("none", day))
	it.ProductType, it.Agent, it.SupplierINN = productPayment, agentPayment, demoPaymentOperator
	it.AgentData = &ffd.Agent{Phones: []string{"+74822001122"}, OperatorPhones: []string{"+78005550101"}}
	it.Supplier = &ffd.Supplier{Phones: []string{"+78005550100"}, Name: `ООО "Волга-Связь"`}
	rec := ffd.Receipt{Operation: opSale, Items: []ffd.Item{it}}
	s.serve(&rec, r)
	return []russianDeal{{what: "as an agent", form: ffd.FormReceipt, receipt: rec}}
}

// bottles are bought back from customers; now and then one asks for his again.
func (s *russianShop) bottles(r *rand.Rand, day fiscal.WallTime) []russianDeal {
	it := one("Тара возвратная: бутылка 0,5 л", 5_00, s.rate("none", day))
	it.Quantity.Digits = 2 + r.Uint64N(18)
	buy := ffd.Receipt{Operation: opPurchase, Items: []ffd.Item{it}}
	s.serve(&buy, r)
	return []russianDeal{{what: "purchase", form: ffd.FormReceipt, receipt: buy}, {what: "purchase return", form: ffd.FormReceipt, receipt: s.back(buy)}}
}

// onCredit serves a nursery school, which pays later.
func (s *russianShop) onCredit(r *rand.Rand, day fiscal.WallTime) []russianDeal {
	sale := ffd.Receipt{Operation: opSale, BuyerInfo: &ffd.Buyer{Name: `МБДОУ "Детский сад N 12"`, INN: "9601004013"}}
	for _, i := range []int{0, 7, 10, 11, 12} {
		it := s.item(&s.goods[i], r, day)
		it.PaymentType = paidOnCredit
		if !s.goods[i].weighed {
			it.Quantity.Digits += 20
		}
		sale.Items = append(sale.Items, it)
	}
	s.serve(&sale, r)
	sale.Credit = due(&sale)
	it := one("Оплата поставки продуктов", sale.Credit, s.rate("none", day))
	it.PaymentType, it.ProductType = paidCredit, productPayment
	payment := ffd.Receipt{Operation: opSale, Items: []ffd.Item{it}, Cashless: sale.Credit, BuyerInfo: sale.BuyerInfo}
	s.serve(&payment, r)
	return []russianDeal{{what: "on credit", form: ffd.FormReceipt, receipt: sale}, {what: "credit paid", form: ffd.FormReceipt, receipt: payment}}
}

// yesterday is the day of a settlement that is corrected.
func yesterday(day fiscal.WallTime) *ffd.Ground {
	const aDay = 24 * 60 * 60
	return &ffd.Ground{Date: day - day%aDay - aDay}
}

// ofOneself says that a correction was not ordered by anybody.
func ofOneself() *uint8 { return new(uint8) }

// forgotten is a sale of yesterday that the register did not see.
func (s *russianShop) forgotten(r *rand.Rand, day fiscal.WallTime) []russianDeal {
	rec := ffd.Receipt{Operation: opSale, Items: []ffd.Item{s.item(&s.goods[6], r, day)}, Correction: ofOneself(), Ground: yesterday(day)}
	s.serve(&rec, r)
	return []russianDeal{{what: "correction", form: ffd.FormReceiptCorrection, receipt: rec}}
}

// corrected is a sale with the wrong rate: one correction takes it back, another
// puts the right one in its place. Both name the sign of the wrong receipt.
func (s *russianShop) corrected(r *rand.Rand, day fiscal.WallTime) []russianDeal {
	wrong := ffd.Receipt{Operation: opSale, Items: []ffd.Item{one("Мука пшеничная высший сорт, 2 кг", 119_90, s.rate("", day))}}
	s.serve(&wrong, r)
	wrong.Cashless = due(&wrong)
	today := &ffd.Ground{Date: day - day%(24*60*60)}
	reverse, right := s.back(wrong), wrong
	reverse.Correction, reverse.Ground = ofOneself(), today
	right.Correction, right.Ground = ofOneself(), today
	right.Items = []ffd.Item{one(wrong.Items[0].Name, wrong.Items[0].Price, s.rate("vat10", day))}
	return []russianDeal{
		{what: "sale, wrong", form: ffd.FormReceipt, receipt: wrong, wrong: true},
		{what: "taken back", form: ffd.FormReceiptCorrection, receipt: reverse},
		{what: "put right", form: ffd.FormReceiptCorrection, receipt: right},
	}
}

// cake is ordered and partly paid today, fetched and paid later.
func (s *russianShop) cake(r *rand.Rand, day fiscal.WallTime) []russianDeal {
	const price, advance = 3_200_00, 1_500_00
	it := one("Аванс: торт Медовик на заказ, 2 кг", advance, s.rate("vat5_105", day))
	it.PaymentType, it.ProductType = paidAdvance, productPayment
	order := ffd.Receipt{Operation: opSale, Items: []ffd.Item{it}, Cashless: advance, BuyerContact: "+79139876543"}
	s.serve(&order, r)
	fetch := ffd.Receipt{Operation: opSale, Items: []ffd.Item{one("Торт Медовик на заказ, 2 кг", price, s.rate("vat5", day))}, Prepaid: advance, Cashless: price - advance}
	s.serve(&fetch, r)
	return []russianDeal{{what: "advance", form: ffd.FormReceipt, receipt: order}, {what: "rest of it", form: ffd.FormReceipt, receipt: fetch}}
}

// online is an order on the café's site, paid before it is brought.
func (s *russianShop) online(r *rand.Rand, day fiscal.WallTime) []russianDeal {
	rec := s.sale(r, day)
	brought := one("Доставка по Академгородку", 190_00, s.rate("vat5", day))
	brought.ProductType = productService
	rec.Items = append(rec.Items, brought)
	for i := range rec.Items {
		rec.Items[i].PaymentType = paidFullAdvance
	}
	rec.Cashier, rec.CashierINN = "", ""
	rec.Internet, rec.Place, rec.BuyerContact, rec.Cashless = true, s.site, "zakaz.smirnova@example.com", due(&rec)
	rec.Payments = &ffd.Payments{All: []ffd.Payment{{Sum: rec.Cashless, Way: 1, Identifiers: fmt.Sprintf("RRN %012d", r.Int64N(1e12))}}}
	return []russianDeal{{what: "on the site", form: ffd.FormReceipt, receipt: rec}}
}

// honey belongs to a beekeeper, for whom the café sells it.
func (s *russianShop) honey(r *rand.Rand, day fiscal.WallTime) []russianDeal {
	it := one("Мёд алтайский гречишный, 500 г", 650_00, s.rate("none", day))
	it.Unit, it.Agent, it.SupplierINN = "банка", agentCommissioner, demoBeekeeper
	it.Supplier = &ffd.Supplier{Phones: []string{"+73832001020"}, Name: "ИП Пчелинцев Олег Юрьевич"}
	rec := ffd.Receipt{Operation: opSale, Items: []ffd.Item{it, s.item(&s.goods[0], r, day)}}
	s.serve(&rec, r)
	return []russianDeal{{what: "as an agent", form: ffd.FormReceipt, receipt: rec}}
}

// banquet is a service, for which a strict reporting form is given.
func (s *russianShop) banquet(r *rand.Rand, day fiscal.WallTime) []russianDeal {
	it := one("Аренда зала, час", 1_500_00, s.rate("vat5", day))
	it.ProductType, it.Unit, it.Quantity.Digits = productService, "ч", 2+r.Uint64N(4)
	rec := ffd.Receipt{Operation: opSale, Items: []ffd.Item{it}, Buyer: "ИП Орлов Глеб Викторович", BuyerINN: "960400552129"}
	s.serve(&rec, r)
	rec.Cashless = due(&rec)
	return []russianDeal{{what: "form for a hall", form: ffd.FormBSO, receipt: rec}}
}

// withoutRegister is money of yesterday that was taken without the register. Up
// to 1.05 such a correction has no items.
func (s *russianShop) withoutRegister(r *rand.Rand, day fiscal.WallTime) []russianDeal {
	total := fiscal.Money(3+r.IntN(20)) * 100_00
	rec := ffd.Receipt{
		Operation: opSale, Total: total, Correction: ofOneself(), Ground: yesterday(day),
		VAT: &ffd.VAT{Rates: []ffd.RateSum{{Rate: s.rate("vat5", day), Sum: fiscal.IncludedTax(total, 5_000)}}},
	}
	s.serve(&rec, r)
	return []russianDeal{{what: "correction", form: ffd.FormReceiptCorrection, receipt: rec}}
}

// takenBack is a sale with the wrong dish: up to 1.05 a return takes it back and
// another sale is right. Both name the sign of the wrong receipt.
func (s *russianShop) takenBack(r *rand.Rand, day fiscal.WallTime) []russianDeal {
	wrong := ffd.Receipt{Operation: opSale, Items: []ffd.Item{s.item(&s.goods[5], r, day)}}
	right := ffd.Receipt{Operation: opSale, Items: []ffd.Item{s.item(&s.goods[4], r, day)}}
	s.serve(&wrong, r)
	s.serve(&right, r)
	return []russianDeal{
		{what: "sale, wrong", form: ffd.FormReceipt, receipt: wrong, wrong: true},
		{what: "taken back", form: ffd.FormReceipt, receipt: s.back(wrong)},
		{what: "put right", form: ffd.FormReceipt, receipt: right},
	}
}
