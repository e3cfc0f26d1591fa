package web

import (
	"strconv"
	"testing"
	"time"

	"openofd/internal/cabinet"
	"openofd/internal/fiscal"
	"openofd/internal/protocol/kkt/ffd"
)

const drive = "9999078902001234"

func some[T any](v T) *T { return &v }

func russianCard() fiscal.Card {
	return fiscal.Card{
		Register: 200901, Version: 1, Country: fiscal.Russia, XIN: "7704358518", Title: fiscal.Text{RU: "ООО «Ромашка»"},
		OutletAddress: fiscal.Text{RU: "125009, г. Москва, ул. Тверская, д. 1"}, Zone: "Europe/Moscow",
		Model: "Касса-Ф", SerialNumber: "00106900000001", RegistrationNumber: "0000012345055778", Drive: drive,
	}
}

// russian is a receipt of Russia as the journal gives it back: written in its
// format, read and opened again.
func russian(t testing.TB, form ffd.Form, v ffd.Version, number uint32, change func(*ffd.Receipt)) *cabinet.Found {
	t.Helper()
	r := &ffd.Receipt{
		Base: ffd.Base{Drive: drive, RegistrationNumber: "0000012345055778", INN: "7704358518", Number: number, Time: at(2026, 3, 14, 9, 12, 0)},
		User: `ООО "Ромашка"`, Shift: 31, ReceiptNumber: number, Operation: 1, TaxSystem: 1, Cashier: "Иванова А. А.", CashierINN: "770400000017",
		Address: "125009, г. Москва, ул. Тверская, д. 1", Place: "Магазин № 1", FNSSite: "www.nalog.gov.ru",
		End: ffd.End{Sign: []byte{0x31, 0x04, 0xAF, 0xFD, byte(number >> 8), byte(number)}},
	}
	if v > ffd.V100 {
		r.Version = v
	}
	change(r)
	if r.Total == 0 {
		for i := range r.Items {
			r.Total += r.Items[i].Sum
		}
	}
	if r.Cash+r.Cashless+r.Prepaid+r.Credit+r.InKind == 0 {
		r.Cash = r.Total
	}
	raw, err := ffd.Append(nil, form, v, r)
	if err != nil {
		t.Fatal(err)
	}
	doc, err := ffd.Parse(raw, v)
	if err != nil {
		t.Fatal(err)
	}
	f := &cabinet.Found{Document: doc.Open(), Card: russianCard()}
	d := &f.Document
	d.Register, d.Number, d.CardVersion = 200901, fiscal.Number(number), 1
	d.ReceivedAt = time.Date(2026, 3, 14, 6, 12, 4, 0, time.UTC)
	return f
}

func bread() ffd.Item {
	return ffd.Item{Name: "Хлеб Бородинский", Price: 5500, Quantity: ffd.Decimal{Digits: 2}, Sum: 11000, PaymentType: 4, ProductType: 1, Rate: 2, VAT: some(fiscal.Money(1000))}
}

// russianReceipts are receipts of every version and trade by name.
func russianReceipts(t testing.TB) map[string]*cabinet.Found {
	t.Helper()
	day := at(2026, 3, 13, 0, 0, 0)
	mark := func(serial string) *ffd.ProductCode {
		return &ffd.ProductCode{GS1M: "0104670012345678" + "21" + serial}
	}
	all := map[string]*cabinet.Found{}
	add := func(name string, form ffd.Form, v ffd.Version, change func(*ffd.Receipt)) {
		all[name] = russian(t, form, v, uint32(1000+len(all)), change)
	}
	add("ru-old", ffd.FormReceipt, ffd.V100, func(r *ffd.Receipt) {
		r.Time, r.Place = at(2018, 6, 1, 10, 30, 0), ""
		r.Items = []ffd.Item{{Name: "Яблоки", Price: 12900, Quantity: ffd.Decimal{Digits: 1254, Places: 3}, Sum: 16177}}
		r.VAT20 = some(fiscal.Money(2468))
		r.Rest = []ffd.Raw{{Tag: 1011, Value: []byte{0xE8, 0x03}}, {Tag: 1117, Value: []byte("shop@example.ru")}}
	})
	add("ru-sale", ffd.FormReceipt, ffd.V105, func(r *ffd.Receipt) {
		r.Items = []ffd.Item{bread(),
			{Name: "Чайник электрический, 1,7 л, с очень длинным названием, которое не поместится в одну строку", Price: 249900, Quantity: ffd.Decimal{Digits: 1}, Sum: 249900, PaymentType: 4, ProductType: 1, Rate: 11, VAT: some(fiscal.Money(45064)), UnitVAT: some(fiscal.Money(45064)), Unit: "шт", Country: "156", Declaration: "10013160/120126/0000001", Code: []byte{0x44, 0x4D, 0x02, 0x9A, 0x11}},
			{Name: "Газета", Price: 4000, Quantity: ffd.Decimal{Digits: 1}, Sum: 4000, PaymentType: 4, ProductType: 1, Rate: 6}}
		r.Cash, r.Cashless = 64900, 200000
		r.VAT10, r.Untaxed = some(fiscal.Money(1000)), some(fiscal.Money(4000))
		r.VAT = &ffd.VAT{Rates: []ffd.RateSum{{Rate: 11, Sum: 45064}}}
		r.UserExtra = &ffd.UserExtra{Name: "Карта покупателя", Value: "№ 771234, баллов 150"}
	})
	add("ru-return", ffd.FormReceipt, ffd.V105, func(r *ffd.Receipt) {
		r.Operation, r.Items, r.VAT10, r.Extra = 2, []ffd.Item{bread()}, some(fiscal.Money(1000)), "2952590313"
	})
	add("ru-bso", ffd.FormBSO, ffd.V105, func(r *ffd.Receipt) {
		r.TaxSystem, r.Place = 32, "Ателье"
		r.Items = []ffd.Item{{Name: "Ремонт одежды", Price: 150000, Quantity: ffd.Decimal{Digits: 1}, Sum: 150000, PaymentType: 4, ProductType: 4, Rate: 6}}
		r.Untaxed = some(fiscal.Money(150000))
	})
	add("ru-agent", ffd.FormReceipt, ffd.V110, func(r *ffd.Receipt) {
		r.Items = []ffd.Item{{Name: "Пополнение счёта мобильной связи", Price: 50000, Quantity: ffd.Decimal{Digits: 1}, Sum: 50000, PaymentType: 4, ProductType: 10, Rate: 6,
			Agent: 4, SupplierINN: "7740000076", Supplier: &ffd.Supplier{Name: "ПАО Связь", Phones: []string{"+78002500890"}},
			AgentData: &ffd.Agent{Operation: "Платёж", Phones: []string{"+74950000001", "+74950000002"}, OperatorPhones: []string{"+74950000003"}, TransferPhones: []string{"+74950000004"}, TransferName: "Банк Перевод", TransferAddress: "Москва, ул. Денежная, 5", TransferINN: "7728168971"}}}
		r.Agents, r.Untaxed = 4, some(fiscal.Money(50000))
		r.Buyer, r.BuyerINN, r.BuyerContact, r.Sender = "Иванов Иван Иванович", "500100732259", "+79161234567", "shop@example.ru"
	})
	add("ru-marked", ffd.FormReceipt, ffd.V120, func(r *ffd.Receipt) {
		cigarettes := ffd.Item{Name: "Сигареты", Price: 20000, Quantity: ffd.Decimal{Digits: 1}, Sum: 20000, PaymentType: 4, ProductType: 31, Rate: 11, VAT: some(fiscal.Money(3607)), Checked: some(uint8(15)), CodeMode: some(uint8(0)),
			Industry: []ffd.Industry{{Authority: "030", Date: "21.11.2023", Document: "1944", Value: "UUID=3fa85f64&Time=1773468700"}}}
		second, third := cigarettes, cigarettes
		cigarettes.Codes, second.Codes, third.Codes = mark("Ab3mNoP"), mark("Xy7kPqZ"), mark("Qw1rTyU")
		r.Items = []ffd.Item{cigarettes, second, third,
			{Name: "Лекарство, таблетки", Price: 3500, Quantity: ffd.Decimal{Digits: 1}, Sum: 3500, PaymentType: 4, ProductType: 33, Rate: 2, VAT: some(fiscal.Money(318)), Checked: some(uint8(3)), CodeMode: some(uint8(0)), Codes: mark("Med1cal"), Fraction: &ffd.Fraction{Numerator: 1, Denominator: 10}},
			{Name: "Молоко, 1 л", Price: 9900, Quantity: ffd.Decimal{Digits: 2}, Sum: 19800, PaymentType: 4, ProductType: 1, Rate: 2, VAT: some(fiscal.Money(1800)), Codes: &ffd.ProductCode{EAN13: "4601234567893"}}}
		r.VAT10 = some(fiscal.Money(2118))
		r.VAT = &ffd.VAT{Rates: []ffd.RateSum{{Rate: 11, Sum: 10821}}}
		r.MarksChecked = some(uint8(1))
		r.Rest = []ffd.Raw{{Tag: 1011, Value: []byte{2}}}
	})
	add("ru-prepaid", ffd.FormReceipt, ffd.V105, func(r *ffd.Receipt) {
		r.Items = []ffd.Item{{Name: "Диван", Price: 5000000, Quantity: ffd.Decimal{Digits: 1}, Sum: 5000000, PaymentType: 5, ProductType: 1, Rate: 11, VAT: some(fiscal.Money(901639))}}
		r.Cash, r.Prepaid, r.Credit, r.InKind = 500000, 1500000, 2000000, 1000000
		r.VAT = &ffd.VAT{Rates: []ffd.RateSum{{Rate: 11, Sum: 901639}}}
	})
	add("ru-internet", ffd.FormReceipt, ffd.V120, func(r *ffd.Receipt) {
		r.Items = []ffd.Item{bread()}
		r.Place, r.Internet, r.InternetOnly, r.BuyerContact, r.Sender = "https://shop.example.ru", true, true, "buyer@example.ru", "receipts@example.ru"
		r.Cashier, r.CashierINN, r.Cashless, r.VAT10 = "", "", 11000, some(fiscal.Money(1000))
		r.Payments = &ffd.Payments{All: []ffd.Payment{
			{Sum: 10000, Way: 1, Identifiers: "RRN 607314559201", More: "Карта *1234, терминал 10451"},
			{Sum: 1000, Way: 2, Identifiers: "СБП B60731455920100001", More: "Банк покупателя"}}}
		r.Rest = []ffd.Raw{{Tag: 1011, Value: []byte{6}}}
	})
	add("ru-vending", ffd.FormReceipt, ffd.V120, func(r *ffd.Receipt) {
		r.Cashier, r.CashierINN, r.Machine, r.Place = "", "", "KF-0042-17", "Вокзал, зал ожидания"
		r.Items = []ffd.Item{{Name: "Кофе", Price: 12000, Quantity: ffd.Decimal{Digits: 1}, Sum: 12000, PaymentType: 4, ProductType: 1, Rate: 6}}
		r.TaxSystem, r.Untaxed = 2, some(fiscal.Money(12000))
	})
	add("ru-hotel", ffd.FormReceipt, ffd.V120, func(r *ffd.Receipt) {
		r.Place, r.TaxSystem = "Гостиница Волга", 4
		r.Items = []ffd.Item{
			{Name: "Проживание, номер 214", Price: 450000, Quantity: ffd.Decimal{Digits: 3}, Sum: 1350000, PaymentType: 1, ProductType: 4, Rate: 7, VAT: some(fiscal.Money(64286)), Measure: 70},
			{Name: "Туристический налог", Price: 10000, Quantity: ffd.Decimal{Digits: 3}, Sum: 30000, PaymentType: 4, ProductType: 18, Rate: 6, Measure: 70}}
		r.Untaxed, r.VAT = some(fiscal.Money(30000)), &ffd.VAT{Rates: []ffd.RateSum{{Rate: 7, Sum: 64286}}}
		r.BuyerInfo = &ffd.Buyer{Name: "Иванов Иван Иванович", INN: "500100732259", Birthday: "01.02.1985", Citizenship: "643", DocumentKind: "21", Document: "4510 123456", Address: "г. Самара, ул. Ленина, 5"}
		r.Cashless = 1380000
	})
	add("ru-exchange", ffd.FormReceipt, ffd.V120, func(r *ffd.Receipt) {
		r.Operation = 3
		r.Items = []ffd.Item{{Name: "Доллар США, 100 USD по курсу 78,25", Price: 7825, Quantity: ffd.Decimal{Digits: 100}, Sum: 782500, PaymentType: 4, ProductType: 13, Rate: 6, Measure: 255}}
		r.Untaxed = some(fiscal.Money(782500))
		r.Operational = &ffd.Operational{Operation: 3, Data: "Покупка валюты USD", Time: at(2026, 3, 14, 9, 10, 0)}
		r.Industry = []ffd.Industry{{Authority: "017", Date: "01.03.2026", Document: "77-В", Value: "USD/RUB 78.25"}}
	})
	add("ru-correction", ffd.FormReceiptCorrection, ffd.V120, func(r *ffd.Receipt) {
		r.Items, r.VAT10 = []ffd.Item{bread()}, some(fiscal.Money(1000))
		r.Correction, r.Ground, r.Extra = some(uint8(1)), &ffd.Ground{Date: day, Order: "12-05/77"}, "2952590313"
	})
	add("ru-bso-correction", ffd.FormBSOCorrection, ffd.V105, func(r *ffd.Receipt) {
		r.Total, r.VAT10, r.Operation = 11000, some(fiscal.Money(1000)), 1
		r.Correction, r.Ground = some(uint8(0)), &ffd.Ground{Description: "Касса не работала", Date: day, Order: "б/н"}
	})
	return all
}

// russianOperator serves both countries.
func russianOperator() fiscal.Operator {
	both := operator
	both.INN = "7704211201"
	return both
}

// driveKey is where the shop keeps a receipt of Russia.
func driveKey(drive string, number uint64) string {
	return drive + "/" + strconv.FormatUint(number, 10)
}

// differsRussian is what the real check says of receipts that it knows.
func differsRussian(q *cabinet.Query, f *cabinet.Found) (d []cabinet.Param) {
	if q.Time/60 != f.Document.DeviceTime/60 {
		d = append(d, cabinet.ParamTime)
	}
	if *q.Sum != f.Document.Total {
		d = append(d, cabinet.ParamSum)
	}
	if q.Op != f.Document.Op {
		d = append(d, cabinet.ParamOperation)
	}
	return d
}
