package kkt_test

import (
	"strconv"
	"testing"
	"time"

	"openofd/internal/device/kkt"
	"openofd/internal/fiscal"
	"openofd/internal/protocol/kkt/ffd"
)

// spring is a day on which 22 % holds.
var spring = fiscal.WallIn(time.Date(2026, 3, 2, 9, 12, 0, 0, time.UTC), time.UTC)

// inShift is a drive on which a shift is open, and its registration.
func inShift(t *testing.T, shop kkt.Shop) (*kkt.Drive, *ffd.Registered) {
	t.Helper()
	d, err := kkt.NewDrive(kkt.DriveConfig{Number: number(t, testDrive)}, &kkt.Volatile{}, sim1())
	if err != nil {
		t.Fatal(err)
	}
	made, err := d.Make(spring, shop.Registration(0))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.Make(spring, shop.OpenShift()); err != nil {
		t.Fatal(err)
	}
	report, err := ffd.Parse(made.Bytes, shop.Version)
	if err != nil {
		t.Fatal(err)
	}
	return d, report.Registered()
}

// made makes a document that breaks no rule.
func made(t *testing.T, d *kkt.Drive, registered *ffd.Registered, doc kkt.Document) (kkt.Made, *ffd.Document) {
	t.Helper()
	m, err := d.Make(spring, doc)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := ffd.Parse(m.Bytes, 0)
	if err != nil {
		t.Fatal(err)
	}
	if verdict := parsed.Check(ffd.Circumstances{Now: spring, Registered: registered}); len(verdict.Findings) > 0 {
		t.Errorf("%v: %+v, want no finding", m.Code, verdict.Findings)
	}
	return m, parsed
}

// Settle completes a receipt: what each line comes to, the taxes by rate, the
// total, and what is left to pay in cash.
func TestSettle(t *testing.T) {
	shop := kkt.SampleShop(ffd.V120)
	shop.Conditions = 1 << 8 // marked goods
	d, registered := inShift(t, shop)
	good, bad := uint8(15), uint8(5)
	m, doc := made(t, d, registered, shop.Settle(ffd.FormReceipt, ffd.Receipt{
		Operation: 1, Cashless: 300_00, Prepaid: 50_00,
		Items: []ffd.Item{
			{Name: "Хлеб Дарницкий, 700 г", Price: 54_90, Quantity: ffd.Decimal{Digits: 2}, Rate: 2},
			{Name: "Сыр Российский", Price: 899_00, Quantity: ffd.Decimal{Digits: 312, Places: 3}, Measure: 11, Rate: 2},
			{Name: "Пакет", Price: 9_90, Rate: 11},
			{Name: "Прокат термоса", Price: 12_00, ProductType: 4},
			{Name: "Вода", Price: 45_00, Rate: 11, ProductType: 33, Codes: &ffd.ProductCode{GS1M: "0104601234567893215abc"}, Checked: &good},
			{Name: "Вода", Price: 45_00, Rate: 11, ProductType: 33, Codes: &ffd.ProductCode{GS1M: "0104601234567893215abd"}, Checked: &bad},
		},
	}))
	var r ffd.Receipt
	doc.Read(&r)
	// 109.80 + 280.49 + 9.90 + 12.00 + 45.00 + 45.00
	if r.Total != 502_19 || r.Cash != 152_19 || r.Cashless != 300_00 || r.Prepaid != 50_00 {
		t.Errorf("total %v, cash %v, cashless %v, prepaid %v; want 502.19, 152.19, 300.00, 50.00", r.Total, r.Cash, r.Cashless, r.Prepaid)
	}
	if r.VAT10 == nil || *r.VAT10 != 9_98+25_50 || r.Untaxed == nil || *r.Untaxed != 12_00 || r.VAT == nil || len(r.VAT.Rates) != 1 || r.VAT.Rates[0] != (ffd.RateSum{Rate: 11, Sum: 1_79 + 8_11 + 8_11}) {
		t.Errorf("taxes %v, %v, %+v; want 35.48 at 10 %%, 12.00 untaxed and 18.01 at 22 %%", r.VAT10, r.Untaxed, r.VAT)
	}
	if r.MarksChecked == nil || *r.MarksChecked != 1 {
		t.Errorf("result of the marks %v, want 1: one of two is in doubt", r.MarksChecked)
	}
	if r.TaxSystem != 1 || r.Cashier == "" || r.Address == "" || r.ReceiptNumber != 1 {
		t.Errorf("who sells: %+v", r)
	}
	want := "t=20260302T0912&s=502.19&fn=" + testDrive + "&i=3&fp=" + uintText(m.Sign) + "&n=1"
	if got := m.QR(); got != want {
		t.Errorf("QR() = %q, want %q", got, want)
	}
	if open, err := d.Make(spring, shop.CloseShift()); err != nil || open.QR() != "" {
		t.Errorf("QR() of a closing report = %q, %v; want none", open.QR(), err)
	}
}

func uintText(n uint32) string { return strconv.FormatUint(uint64(n), 10) }

// Up to 1.05 the whole receipt says for whom an item is sold.
func TestSettleForAnother(t *testing.T) {
	const commissioner = 32
	shop := kkt.SampleShop(ffd.V105)
	shop.Agents, shop.TaxSystems = commissioner, 2|4
	d, registered := inShift(t, shop)
	_, doc := made(t, d, registered, shop.Settle(ffd.FormReceipt, ffd.Receipt{Operation: 1, Items: []ffd.Item{
		{Name: "Кофе", Price: 250_00, Rate: 7, Unit: "шт."},
		{Name: "Мёд", Price: 700_00, Agent: commissioner, Supplier: &ffd.Supplier{Phones: []string{"+73830001122"}, Name: "ИП Пчелинцев"}, SupplierINN: "500100732259"},
	}}))
	if doc.Uint(1057) != commissioner || doc.Uint(ffd.TagTaxSystem) != 2 {
		t.Errorf("agent %d, tax system %d; want %d and 2", doc.Uint(1057), doc.Uint(ffd.TagTaxSystem), commissioner)
	}
}

// A closing report states what was sold, corrections apart; the drive counts on
// when its memory is opened anew, and the next shift begins with nothing.
func TestDriveCounts(t *testing.T) {
	for _, v := range []ffd.Version{ffd.V110, ffd.V120} {
		shop := kkt.SampleShop(v)
		d, registered := inShift(t, shop)
		ground := &ffd.Ground{Date: spring - 9*60*60 - 12*60}
		for _, doc := range []kkt.Document{
			shop.Receipt(fiscal.OpSale, 110_00, 55_00), shop.Receipt(fiscal.OpSale, 11_00), shop.Receipt(fiscal.OpSaleReturn, 55_00),
			shop.Settle(ffd.FormBSO, ffd.Receipt{Operation: 3, Cashless: 30_00, Items: []ffd.Item{{Name: "Тара", Price: 30_00}}}),
			shop.Settle(ffd.FormReceiptCorrection, ffd.Receipt{Operation: 1, Correction: new(uint8), Ground: ground, Items: []ffd.Item{{Name: "Хлеб", Price: 22_00, Rate: 2}}}),
		} {
			made(t, d, registered, doc)
		}
		_, doc := made(t, d, registered, shop.CloseShift())
		var r ffd.CloseShift
		doc.Read(&r)
		for name, got := range map[string]*ffd.Totals{"shift": r.ShiftTotals, "drive": r.DriveTotals} {
			switch {
			case got.Receipts != 5 || *got.Sales.Count != 2 || *got.Sales.Total != 176_00 || *got.Sales.Cash != 176_00 || *got.Sales.VAT10 != 16_00:
				t.Errorf("%v: sales of the %s: %+v", v, name, got.Sales)
			case *got.SaleReturns.Count != 1 || *got.SaleReturns.Total != 55_00:
				t.Errorf("%v: returns of the %s: %+v", v, name, got.SaleReturns)
			case *got.Purchases.Count != 1 || *got.Purchases.Cashless != 30_00 || *got.Purchases.Untaxed != 30_00:
				t.Errorf("%v: purchases of the %s: %+v", v, name, got.Purchases)
			case *got.Corrections.Count != 1 || *got.Corrections.Sales.Total != 22_00:
				t.Errorf("%v: corrections of the %s: %+v", v, name, got.Corrections)
			}
		}
		if _, err := d.Make(spring, shop.OpenShift()); err != nil {
			t.Fatal(err)
		}
		_, doc = made(t, d, registered, shop.CloseShift())
		var next ffd.CloseShift
		doc.Read(&next)
		if next.ShiftTotals.Receipts != 0 || *next.ShiftTotals.Sales.Total != 0 || next.DriveTotals.Receipts != 5 {
			t.Errorf("%v: an empty shift has %+v, its drive %d receipts", v, next.ShiftTotals, next.DriveTotals.Receipts)
		}
	}
	var nothing *kkt.Counters
	if got := nothing.Totals(); got.Receipts != 0 || *got.Sales.Count != 0 {
		t.Errorf("Totals() of nothing = %+v", got)
	}

}
