package main

import (
	"openofd/internal/fiscal"
	"openofd/internal/protocol/kkt/ffd"
	"openofd/internal/registry"
)

// russianGoods is one thing on a shelf in Russia. Paper there is printed in
// code page 866, which has no quotation marks but these: "".
type russianGoods struct {
	name    string
	price   fiscal.Money // kopecks
	measure uint8        // value of tag 2108; 0 is a piece
	unit    string       // its name up to FFD 1.1
	rate    string       // VAT by its name in the policy; "" is the standard rate
	kind    uint8        // value of tag 1212; 0 is goods
	barcode string       // EAN-13
	weighed bool         // sold by weight, otherwise by the piece
	marked  bool         // bears an identification mark
	most    uint64       // pieces that one customer takes; 0 is 3
	country string       // of origin, by the classifier of countries
	customs string       // number of the declaration of imported goods
}

// Values of tags 1212, 1214, 1222 and 2108 that the shops use.
const (
	productService = 4
	productPayment = 10
	productMarked  = 33

	paidFullAdvance = 1 // for known goods
	paidAdvance     = 3
	paidOnCredit    = 6
	paidCredit      = 7

	agentPayment      = 4
	agentCommissioner = 32

	measureKilogram = 11
	measureMetre    = 22
	measureLitre    = 41
	measureHour     = 71
)

// demoGrocery is a grocery in Tver: general tax system, VAT 22 and 10 percent,
// marked goods, FFD 1.2.
func demoGrocery() russianShop {
	return russianShop{
		city: "Тверь", version: ffd.V120, taxSystems: 1, conditions: 1 << 8,
		register: registry.NewRegister{
			Country: fiscal.Russia, XIN: "9650042170", OKED: "47.11",
			Title:         fiscal.Text{RU: "ООО «Лукошко»"},
			LegalAddress:  fiscal.Text{RU: "170100, г. Тверь, ул. Советская, 14"},
			OutletTitle:   fiscal.Text{RU: "Магазин «Лукошко»"},
			OutletAddress: fiscal.Text{RU: "170100, г. Тверь, бульвар Радищева, 31"},
			OutletWhere:   registry.Address{Region: "69", Locality: "Тверь", Street: "бульвар Радищева", House: "31"},
			Latitude:      568596, Longitude: 359119, Zone: "Europe/Moscow", Name: "Касса 1",
			Model: "Demo Grocery RU", SerialNumber: "DG00000000105", Year: 2026,
			RegistrationNumber: "0009650042015039", Drive: "9999078900010501",
		},
		user: `ООО "Лукошко"`, place: `Магазин "Лукошко"`, sender: "chek@lukoshko.example",
		cashiers: []russianCashier{{"Соколова Марина Игоревна", "965011774093"}, {"Ахметова Р. Ш.", ""}},
		goods: []russianGoods{
			{name: "Хлеб Дарницкий формовой, 700 г", price: 54_90, rate: "vat10", barcode: "4601234500012"},
			{name: "Батон нарезной, 400 г", price: 47_50, rate: "vat10", barcode: "4601234500029"},
			{name: "Творог 9 %, 200 г", price: 94_90, rate: "vat10", barcode: "4601234500036", marked: true},
			{name: "Молоко пастеризованное 3,2 %, 930 мл", price: 89_90, rate: "vat10", barcode: "4601234500043", marked: true},
			{name: "Масло сливочное Крестьянское 72,5 %, 180 г", price: 219_00, rate: "vat10", barcode: "4601234500050", marked: true},
			{name: "Сыр Российский", price: 899_00, measure: measureKilogram, rate: "vat10", weighed: true},
			{name: "Яблоки Антоновка", price: 129_00, measure: measureKilogram, rate: "vat10", weighed: true},
			{name: "Картофель молодой", price: 59_90, measure: measureKilogram, rate: "vat10", weighed: true},
			{name: "Огурцы тепличные", price: 189_90, measure: measureKilogram, rate: "vat10", weighed: true},
			{name: "Филе куриное охлаждённое", price: 449_00, measure: measureKilogram, rate: "vat10", weighed: true},
			{name: "Яйцо куриное С1, 10 шт.", price: 129_90, rate: "vat10", barcode: "4601234500067"},
			{name: "Сахар-песок, 1 кг", price: 84_90, rate: "vat10", barcode: "4601234500074"},
			{name: "Гречка ядрица, 900 г", price: 99_90, rate: "vat10", barcode: "4601234500081"},
			{name: "Вода минеральная газированная, 1,5 л", price: 69_90, barcode: "4601234500098", marked: true},
			{name: "Квас живого брожения, разливной", price: 110_00, measure: measureLitre, weighed: true},
			{name: "Чай чёрный листовой Цейлон, 100 г", price: 189_00, barcode: "4601234500104", country: "144", customs: "10013160/140226/3021457"},
			{name: "Кофе молотый, 250 г", price: 459_00, barcode: "4601234500111", country: "076", customs: "10216170/020326/3044918"},
			{name: "Шоколад горький 72 %, 90 г", price: 139_90, barcode: "4601234500128"},
			{name: "Печенье овсяное", price: 329_00, measure: measureKilogram, weighed: true},
			{name: "Порошок стиральный, 3 кг", price: 549_00, barcode: "4601234500135", most: 1},
			{name: "Шланг поливочный 3/4", price: 145_00, measure: measureMetre, weighed: true},
			{name: "Пакет-майка", price: 9_90, barcode: "4601234500142"},
		},
		life:  demoLife{opens: 8, closes: 22, customers: 12, week: weekOfGroceries},
		deals: []russianDealer{(*russianShop).certificate, (*russianShop).topUp, (*russianShop).bottles, (*russianShop).onCredit, (*russianShop).forgotten, (*russianShop).corrected},
	}
}

// demoCafe is a café in Novosibirsk: simplified tax system with VAT at 5
// percent, orders on the Internet, another's honey, FFD 1.05.
func demoCafe() russianShop {
	return russianShop{
		city: "Новосибирск", version: ffd.V105, taxSystems: 2, agents: agentCommissioner,
		register: registry.NewRegister{
			Country: fiscal.Russia, XIN: "965401187358", OKED: "56.10",
			Title:         fiscal.Text{RU: "ИП Морозова Елена Павловна"},
			LegalAddress:  fiscal.Text{RU: "630099, г. Новосибирск, ул. Ядринцевская, 21"},
			OutletTitle:   fiscal.Text{RU: "Кафе «Сосновый берег»"},
			OutletAddress: fiscal.Text{RU: "630090, г. Новосибирск, Морской проспект, 22"},
			OutletWhere:   registry.Address{Region: "54", Locality: "Новосибирск", Street: "Морской проспект", House: "22"},
			Latitude:      548442, Longitude: 830938, Zone: "Asia/Novosibirsk", Name: "Бар",
			Model: "Demo Cafe RU", SerialNumber: "DC00000000212", Year: 2025,
			RegistrationNumber: "0009654011051608", Drive: "9999078900021201",
		},
		user: "ИП Морозова Елена Павловна", place: `Кафе "Сосновый берег"`, site: "sosnovy-bereg.example", sender: "chek@sosnovy-bereg.example",
		cashiers: []russianCashier{{"Ковалёв Артём", ""}, {"Морозова Елена Павловна", "965401187358"}},
		goods: []russianGoods{
			{name: "Капучино, 300 мл", price: 230_00, unit: "порц.", rate: "vat5"},
			{name: "Раф медовый, 400 мл", price: 320_00, unit: "порц.", rate: "vat5"},
			{name: "Чай облепиховый, чайник", price: 350_00, unit: "порц.", rate: "vat5", most: 1},
			{name: "Морс брусничный, 250 мл", price: 150_00, unit: "порц.", rate: "vat5"},
			{name: "Сырники со сметаной", price: 340_00, unit: "порц.", rate: "vat5", most: 2},
			{name: "Блины с красной икрой", price: 590_00, unit: "порц.", rate: "vat5", most: 2},
			{name: "Пельмени сибирские, 250 г", price: 420_00, unit: "порц.", rate: "vat5", most: 2},
			{name: "Уха с расстегаем", price: 480_00, unit: "порц.", rate: "vat5", most: 2},
			{name: "Бизнес-ланч", price: 450_00, unit: "порц.", rate: "vat5"},
			{name: "Пирог с клюквой, ломтик", price: 210_00, unit: "порц.", rate: "vat5"},
			{name: "Мороженое пломбир, 2 шарика", price: 220_00, unit: "порц.", rate: "vat5"},
			{name: "Орех кедровый очищенный", price: 2_400_00, unit: "кг", rate: "vat5", weighed: true},
			{name: "Прокат настольной игры, час", price: 100_00, unit: "ч", rate: "vat5", kind: productService, most: 2},
		},
		life:  demoLife{opens: 9, closes: 22, customers: 7, week: [7]int{130, 80, 85, 90, 100, 130, 140}, away: []dayRange{{100, 99}}},
		deals: []russianDealer{(*russianShop).cake, (*russianShop).online, (*russianShop).honey, (*russianShop).banquet, (*russianShop).withoutRegister, (*russianShop).takenBack},
	}
}

// demoBeekeeper is whose honey the café sells.
const demoBeekeeper = "965402001542"

// demoPaymentOperator takes the payments of phones.
const demoPaymentOperator = "9601077156"
