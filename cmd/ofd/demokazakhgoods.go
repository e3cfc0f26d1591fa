package main

import (
	"openofd/internal/fiscal"
	"openofd/internal/protocol/kkm"
	"openofd/internal/registry"
)

// demoShops are the registers in Kazakhstan: those of a retail company with four
// outlets, and of a trader with a coffee house. vat is the standard rate, which
// the company pays.
func demoShops(vat uint32) []demoShop {
	market, coffee := demoMarket(vat), demoCoffee()
	return []demoShop{market, secondTill(market), demoExpress(market), demoTools(market), demoPavilion(market), coffee, demoTerrace(coffee)}
}

// secondTill is the other register of the market, open when it is busy.
func secondTill(s demoShop) demoShop {
	s.register.Name, s.register.SerialNumber = "Касса 2", "DM2600000103"
	s.cashiers = []fiscal.Cashier{{Code: 3, Name: "Оспанов Дәурен"}, {Code: 2, Name: "Ким Татьяна"}}
	s.life = demoLife{opens: 11, closes: 21, customers: 14, week: weekOfGroceries}
	return s
}

// demoExpress is the company's shop at the station, with the goods of a way home.
func demoExpress(s demoShop) demoShop {
	s.register.OutletTitle = fiscal.Text{KK: "«Дастарқан Экспресс» дүкені", RU: "Магазин «Дастархан Экспресс»"}
	s.register.OutletAddress = fiscal.Text{KK: "Алматы қ., Абылай хан даңғылы, 2", RU: "г. Алматы, пр. Абылай хана, 2"}
	s.register.OutletWhere = registry.Address{Region: "75", Locality: "Алматы", Street: "пр. Абылай хана", House: "2"}
	s.register.Latitude, s.register.Longitude = 432731, 769418
	s.register.Name, s.register.SerialNumber = "Экспресс", "DM2600000104"
	s.cashiers = []fiscal.Cashier{{Code: 11, Name: "Ахметова Сәуле"}, {Code: 12, Name: "Пак Виктор"}}
	s.goods, s.bought = s.goods[10:], demoGoods{}
	s.life = demoLife{opens: 7, closes: 23, customers: 13, cut: []dayRange{{74, 73}, {18, 18}}, week: [7]int{80, 105, 105, 105, 110, 125, 90}}
	return s
}

// demoPavilion is its stall at a bazaar, whose register was carried elsewhere
// and blocked.
func demoPavilion(s demoShop) demoShop {
	s.register.OutletTitle = fiscal.Text{KK: "«Алатау» базарындағы павильон", RU: "Павильон на рынке «Алатау»"}
	s.register.OutletAddress = fiscal.Text{KK: "Алматы қ., Рысқұлов даңғылы, 231", RU: "г. Алматы, пр. Рыскулова, 231"}
	s.register.OutletWhere = registry.Address{Region: "75", Locality: "Алматы", Street: "пр. Рыскулова", House: "231"}
	s.register.Latitude, s.register.Longitude = 432854, 768650
	s.register.Name, s.register.SerialNumber = "Павильон 14", "DM2600000105"
	s.cashiers = []fiscal.Cashier{{Code: 21, Name: "Төлеуов Бауыржан"}}
	s.goods, s.bought = s.goods[4:10], demoGoods{}
	s.life = demoLife{opens: 9, closes: 18, customers: 9, week: [7]int{150, 0, 80, 90, 90, 110, 150}, blocked: 9}
	return s
}

// demoTerrace is the coffee house's second register, of the warm months; it came
// later than the other, and stood idle for a while.
func demoTerrace(s demoShop) demoShop {
	s.register.Name, s.register.SerialNumber = "Терраса", "DP2600000203"
	s.goods = s.goods[:7]
	s.life = demoLife{opens: 11, closes: 22, customers: 8, since: 96, away: []dayRange{{41, 26}}, week: [7]int{120, 80, 85, 90, 100, 125, 140}}
	return s
}

// weekOfGroceries is when people fill their refrigerators, from Sunday on.
var weekOfGroceries = [7]int{105, 82, 86, 92, 98, 118, 132}

// Units of measure, by the codes of the e-invoice system.
const (
	unitPiece    = "796"
	unitKilogram = "116" // of this system; OKEI has 166
	unitMetre    = "006"
	unitHour     = "356"
)

// demoMarket is a grocery in Almaty.
func demoMarket(vat uint32) demoShop {
	return demoShop{
		city: "Алматы", version: kkm.V203, section: "1",
		register: registry.NewRegister{
			Country: fiscal.Kazakhstan, XIN: "210140012347", OKED: "47111", TaxSystem: 101, VATPercent: vat,
			Title:         fiscal.Text{KK: "«Дастарқан Маркет» ЖШС", RU: "ТОО «Дастархан Маркет»"},
			LegalAddress:  fiscal.Text{KK: "Алматы қ., Абай даңғылы, 52", RU: "г. Алматы, пр. Абая, 52"},
			OutletTitle:   fiscal.Text{KK: "«Дастарқан» дүкені", RU: "Магазин «Дастархан»"},
			OutletAddress: fiscal.Text{KK: "Алматы қ., Төле би көшесі, 59", RU: "г. Алматы, ул. Толе би, 59"},
			OutletWhere:   registry.Address{Region: "75", Locality: "Алматы", Street: "ул. Толе би", House: "59"},
			Latitude:      432567, Longitude: 769286, Zone: "Asia/Almaty", Name: "Касса 1",
			Model: "Demo Market KZ", SerialNumber: "DM2600000101", Year: 2026,
		},
		cashiers: []fiscal.Cashier{{Code: 1, Name: "Серікқызы Айгүл"}, {Code: 2, Name: "Ким Татьяна"}},
		goods: []demoGoods{
			{name: "Нан «Таба», 500 г", unit: unitPiece, price: 235_00, barcode: "4870001234567", ntin: "0200011223344"},
			{name: "Айран 2,5 %, 1 л", unit: unitPiece, price: 740_00, barcode: "4870001112223"},
			{name: "Сүт 3,2 %, 950 мл", unit: unitPiece, price: 615_00, barcode: "4870001112230", ntin: "0200011223351"},
			{name: "Құрт тұздалған, 100 г", unit: unitPiece, price: 690_00, barcode: "4870001112247"},
			{name: "Қант", unit: unitKilogram, price: 460_00, weighed: true},
			{name: "Күріш «Ақмаржан»", unit: unitKilogram, price: 580_00, weighed: true},
			{name: "Картоп", unit: unitKilogram, price: 245_00, weighed: true},
			{name: "Алма «Апорт»", unit: unitKilogram, price: 890_00, weighed: true},
			{name: "Қазы", unit: unitKilogram, price: 6_900_00, weighed: true},
			{name: "Сиыр еті, жұмсақ", unit: unitKilogram, price: 3_650_00, weighed: true},
			{name: "Жұмыртқа С1, 10 дана", unit: unitPiece, price: 780_00, barcode: "4870001112254"},
			{name: "Күнбағыс майы «Шедевр», 1 л", unit: unitPiece, price: 895_00, barcode: "4870001112261"},
			{name: "Шәй «Пиала», 250 г", unit: unitPiece, price: 1_450_00, barcode: "4870204391510"},
			{name: "Шоколад «Қазақстан», 100 г", unit: unitPiece, price: 720_00, barcode: "4870001112278"},
			{name: "Балмұздақ «Бақбақ»", unit: unitPiece, price: 380_00},
			{name: "Ауыз су, 5 л", unit: unitPiece, price: 620_00, barcode: "4870000001234", marked: true},
			{name: "Кір жуғыш ұнтақ, 3 кг", unit: unitPiece, price: 3_190_00, barcode: "4870001112285"},
			{name: "Пакет", unit: unitPiece, price: 25_00},
		},
		bought: demoGoods{name: "Бос бөтелке, 0,5 л", unit: unitPiece, price: 20_00},
		life:   demoLife{opens: 8, closes: 22, customers: 19, week: weekOfGroceries, cut: []dayRange{{52, 52}}},
	}
}

// demoCoffee is a coffee house in Astana, which pays no VAT.
func demoCoffee() demoShop {
	return demoShop{
		city: "Астана", version: kkm.V203, section: "2",
		register: registry.NewRegister{
			Country: fiscal.Kazakhstan, XIN: "850615400561", OKED: "56101", TaxSystem: 100,
			Title:         fiscal.Text{KK: "«Көктем» ЖК Әбенова Гүлнұр", RU: "ИП «Көктем» Абенова Гульнур"},
			LegalAddress:  fiscal.Text{KK: "Астана қ., Кенесары көшесі, 40", RU: "г. Астана, ул. Кенесары, 40"},
			OutletTitle:   fiscal.Text{KK: "«Көктем» кофеханасы", RU: "Кофейня «Көктем»"},
			OutletAddress: fiscal.Text{KK: "Астана қ., Мәңгілік Ел даңғылы, 17", RU: "г. Астана, пр. Мангилик Ел, 17"},
			OutletWhere:   registry.Address{Region: "71", Locality: "Астана", Street: "пр. Мангилик Ел", House: "17"},
			Latitude:      511282, Longitude: 714306, Zone: "Asia/Almaty", Name: "Бар",
			Model: "Demo Pocket KZ", SerialNumber: "DP2600000202", Year: 2026,
		},
		cashiers: []fiscal.Cashier{{Code: 1, Name: "Ержан Төлегенұлы"}, {Code: 2, Name: "Жанар Мұратқызы"}},
		goods: []demoGoods{
			{name: "Эспрессо", unit: unitPiece, price: 800_00},
			{name: "Капучино, 300 мл", unit: unitPiece, price: 1_300_00},
			{name: "Латте, 400 мл", unit: unitPiece, price: 1_500_00},
			{name: "Көк шәй, шәйнек", unit: unitPiece, price: 900_00},
			{name: "Ташкент шәйі, шәйнек", unit: unitPiece, price: 1_600_00},
			{name: "Шырғанақ сусыны, 0,5 л", unit: unitPiece, price: 1_200_00},
			{name: "Бауырсақ, 5 дана", unit: unitPiece, price: 600_00},
			{name: "Самса тауық етімен", unit: unitPiece, price: 750_00},
			{name: "Манты, 5 дана", unit: unitPiece, price: 2_100_00},
			{name: "Лағман қуырылған", unit: unitPiece, price: 2_650_00},
			{name: "Круассан бадаммен", unit: unitPiece, price: 1_150_00},
			{name: "Чизкейк", unit: unitPiece, price: 1_700_00},
			{name: "Медовик, тілім", unit: unitPiece, price: 1_450_00},
			{name: "Кеңес бөлмесін жалға алу, сағат", unit: unitHour, price: 4_000_00},
		},
		life: demoLife{opens: 8, closes: 21, customers: 15, week: [7]int{85, 100, 105, 105, 105, 112, 95}, cut: []dayRange{{33, 32}}},
	}
}

// demoTools sells the company's tools and materials in Shymkent, on an older
// register that was mended for some days.
func demoTools(owner demoShop) demoShop {
	return demoShop{
		city: "Шымкент", version: kkm.V202, section: "1",
		register: registry.NewRegister{
			Country: fiscal.Kazakhstan, XIN: owner.register.XIN, OKED: owner.register.OKED, TaxSystem: owner.register.TaxSystem, VATPercent: owner.register.VATPercent,
			Title: owner.register.Title, LegalAddress: owner.register.LegalAddress,
			OutletTitle:   fiscal.Text{KK: "«Ұста» дүкені", RU: "Магазин «Мастер»"},
			OutletAddress: fiscal.Text{KK: "Шымкент қ., Байтұрсынұлы көшесі, 20", RU: "г. Шымкент, ул. Байтурсынова, 20"},
			OutletWhere:   registry.Address{Region: "79", Locality: "Шымкент", Street: "ул. Байтурсынова", House: "20"},
			Latitude:      423417, Longitude: 695901, Zone: "Asia/Almaty", Name: "Касса у входа",
			Model: "Demo Fort KZ", SerialNumber: "DF2400000303", Year: 2024,
		},
		cashiers: []fiscal.Cashier{{Code: 7, Name: "Нұрлан Бекұлы"}, {Code: 8, Name: "Ли Ольга"}},
		goods: []demoGoods{
			{name: "Шеге 100 мм", unit: unitKilogram, price: 850_00, weighed: true},
			{name: "Бұрандалар жиынтығы, 200 дана", unit: unitPiece, price: 1_890_00},
			{name: "Краска ВД белая, 5 кг", unit: unitPiece, price: 6_200_00, barcode: "4870123456789"},
			{name: "Бояу қылқаламы", unit: unitPiece, price: 480_00},
			{name: "Кабель ВВГ 3×2,5", unit: unitMetre, price: 540_00, weighed: true},
			{name: "Розетка қос", unit: unitPiece, price: 1_150_00, barcode: "4870123456796"},
			{name: "Шам LED 12 Вт", unit: unitPiece, price: 690_00, barcode: "4870123456802"},
			{name: "Цемент М500, 25 кг", unit: unitPiece, price: 2_350_00, barcode: "4870123456819"},
			{name: "Гипс сылақ, 30 кг", unit: unitPiece, price: 3_400_00},
			{name: "Плитка керамикалық 30×30, дана", unit: unitPiece, price: 620_00},
			{name: "Бұрғы «Самұрық» 750 Вт", unit: unitPiece, price: 24_900_00, barcode: "4870123456826"},
			{name: "Балға, 500 г", unit: unitPiece, price: 2_750_00},
			{name: "Құбыр ППР 25 мм", unit: unitMetre, price: 410_00, weighed: true},
			{name: "Араның төсемі, 10 дана", unit: unitPiece, price: 1_980_00},
		},
		bought: demoGoods{name: "Түсті металл сынықтары", unit: unitKilogram, price: 1_100_00, weighed: true},
		life:   demoLife{opens: 9, closes: 19, customers: 9, week: [7]int{70, 100, 100, 95, 100, 110, 130}, away: []dayRange{{88, 85}}, cut: []dayRange{{61, 60}}},
	}
}
