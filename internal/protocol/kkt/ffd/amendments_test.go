package ffd_test

import (
	"testing"

	"openofd/internal/fiscal"
	"openofd/internal/protocol/kkt/ffd"
)

func judged(t *testing.T, f ffd.Form, v ffd.Version, doc any, in ffd.Circumstances) (*ffd.Document, ffd.Verdict) {
	t.Helper()
	d := parse(t, write(t, f, v, doc), v)
	return d, d.Check(in)
}

// What came on 01.01.2025 and 05.01.2026: VAT at rates that have no requisite
// of their own stands in 1115, by rate.
// Req: F-049, F-050, F-072, F-073
func TestVATByRate(t *testing.T) {
	for _, c := range []struct {
		rate    uint8
		percent uint32
		day     fiscal.WallTime
	}{
		{7, 5_000, moment(t, 2025, 1, 1)}, {8, 7_000, moment(t, 2025, 1, 1)}, {9, 5_000, moment(t, 2025, 6, 1)}, {10, 7_000, moment(t, 2025, 6, 1)},
		{11, 22_000, moment(t, 2026, 1, 1)}, {12, 22_000, moment(t, 2026, 1, 1)},
	} {
		for _, v := range []ffd.Version{ffd.V105, ffd.V110, ffd.V120} {
			r := sampleReceipt(v, c.day)
			vat := fiscal.IncludedTax(r.Total, c.percent)
			r.Items[0].Rate, r.Items[0].VAT, r.VAT10 = c.rate, &vat, nil
			r.VAT = &ffd.VAT{Rates: []ffd.RateSum{{Rate: c.rate, Sum: vat}}}
			r.Turnover0 = ptr(fiscal.Money(0)) // stands as a filler beside 1115
			d, verdict := judged(t, ffd.FormReceipt, v, r, ffd.Circumstances{})
			if verdict.Worst != ffd.Off {
				t.Errorf("rate %d in %s: %+v, want nothing", c.rate, v, verdict.Findings)
			}
			doc := d.Open()
			if doc.Tax != vat || doc.Receipt.Items[0].Taxes[0].Percent != c.percent {
				t.Errorf("rate %d in %s: tax %s of %+v, want %s", c.rate, v, doc.Tax, doc.Receipt.Items[0].Taxes, vat)
			}
		}
	}
}

// In FFD 1.0 the numbers 1115, 1119 and 1125 meant other things.
// Req: F-006
func TestNumbersReused(t *testing.T) {
	w := ffd.NewWriter(ffd.FormReceipt)
	w.Raw(1115, []byte("www.nalog.ru"))
	w.Raw(1119, []byte("+70000000000"))
	b, err := w.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range []ffd.Version{ffd.V100, ffd.V120} {
		d := parse(t, b, v) // in 1.2 too, for it is well-formed
		if d.Text(1115) != "www.nalog.ru" || d.Text(1119) != "+70000000000" {
			t.Errorf("in %s: %q, %q", v, d.Text(1115), d.Text(1119))
		}
	}
	for _, f := range parse(t, b, ffd.V120).Check(ffd.Circumstances{}).Findings {
		if f.Path == "1115" && f.Key == "place" && f.Severity == ffd.Warn {
			return
		}
	}
	t.Error("1115 of FFD 1.0 in 1.2 is not told")
}

// What came on 01.09.2025: a notification states zone, receipt and whether the
// sale was on the Internet; before, nobody asks for them.
// Req: F-048, F-051, F-058, F-066, F-067
func TestNotificationSince2025(t *testing.T) {
	for _, c := range []struct {
		at      fiscal.WallTime
		missing int
	}{{moment(t, 2025, 8, 31), 0}, {moment(t, 2025, 9, 1), 2}} {
		n := &ffd.MarkNotice{
			Number: 3, Time: c.at, Drive: sampleDrive, INN: sampleINN, TaxSystem: 1, Operation: 1, Kind: 1, Zone: 2, Receipt: 17,
			Goods: []ffd.MarkedGood{{Code: "010460", CodeKind: 4, Product: "010460", Control: "EE06", Status: 1, Checked: 15, PaymentType: 4, Name: "Вода", Price: 100, Sum: 100, Rate: 2, VAT: 9}},
		}
		b := without(without(write(t, ffd.FormMarkNotice, ffd.V120, n), 1011), 2040)
		v := parse(t, b, ffd.V120).Check(ffd.Circumstances{})
		if len(v.Findings) != c.missing {
			t.Errorf("on %s: %+v, want %d findings", c.at, v.Findings, c.missing)
		}
	}
}

// A sale that was not rung up, corrected a year later; and an error taken back
// and made right, which together leave the right total.
// Req: F-075, F-076, F-077, F-078
func TestCorrections(t *testing.T) {
	at := moment(t, 2026, 2, 3)
	for _, v := range []ffd.Version{ffd.V105, ffd.V110, ffd.V120} {
		late := sampleCorrection(v, at)
		late.Ground.Date = moment(t, 2025, 2, 3).Day()
		if _, verdict := judged(t, ffd.FormReceiptCorrection, v, late, ffd.Circumstances{}); verdict.Worst != ffd.Off {
			t.Errorf("%s, a year late: %+v, want nothing", v, verdict.Findings)
		}
	}
	wrong, right := sampleCorrection(ffd.V120, at), sampleCorrection(ffd.V120, at)
	wrong.Operation, wrong.Extra, right.Extra = 2, "1196427213", "1196427213"
	var net fiscal.Money
	for _, r := range []*ffd.Receipt{sampleReceipt(ffd.V120, at), wrong, right} {
		f := ffd.FormReceiptCorrection
		if r.Ground == nil {
			f = ffd.FormReceipt
		}
		d, verdict := judged(t, f, ffd.V120, r, ffd.Circumstances{})
		if verdict.Worst != ffd.Off {
			t.Errorf("%s: %+v, want nothing", f, verdict.Findings)
		}
		var rec fiscal.Record
		d.Fill(&rec)
		net += rec.Op.Inflow() * rec.Total
	}
	if net != right.Total {
		t.Errorf("receipt, taken back and made right: %s, want %s", net, right.Total)
	}
}

// The tourist tax is an item of its own and bears no VAT.
// Req: F-070
func TestTouristTax(t *testing.T) {
	r := sampleReceipt(ffd.V120, moment(t, 2026, 2, 3))
	r.Items = append(r.Items, ffd.Item{Name: "Туристический налог", Price: 10000, Quantity: ffd.Decimal{Digits: 1}, Sum: 10000, PaymentType: 4, ProductType: 18, Rate: 6})
	r.Total, r.Cash, r.Untaxed = r.Total+10000, r.Cash+10000, ptr(fiscal.Money(10000))
	d, verdict := judged(t, ffd.FormReceipt, ffd.V120, r, ffd.Circumstances{})
	if verdict.Worst != ffd.Off {
		t.Errorf("Check() = %+v, want nothing", verdict.Findings)
	}
	doc := d.Open()
	if it := doc.Receipt.Items[1]; len(it.Taxes) != 0 || doc.Tax != 1471 {
		t.Errorf("tax %s, of the tourist tax %+v; want 14.71 and none", doc.Tax, it.Taxes)
	}
}

// An advance, and later its offset: cash comes once.
// Req: F-013
func TestAdvanceAndOffset(t *testing.T) {
	at := moment(t, 2026, 2, 3)
	advance, sale := sampleReceipt(ffd.V120, at), sampleReceipt(ffd.V120, at)
	advance.Items[0].PaymentType, advance.Items[0].ProductType = 3, 10
	sale.Cash, sale.Prepaid = 0, sale.Total
	var cash, paid fiscal.Money
	for _, r := range []*ffd.Receipt{advance, sale} {
		d, verdict := judged(t, ffd.FormReceipt, ffd.V120, r, ffd.Circumstances{})
		if verdict.Worst != ffd.Off {
			t.Errorf("Check() = %+v, want nothing", verdict.Findings)
		}
		doc := d.Open()
		cash += doc.Cash
		for _, p := range doc.Receipt.Payments {
			if p.Kind == fiscal.PayAdvance {
				paid += p.Sum
			}
		}
	}
	if cash != sale.Total || paid != sale.Total {
		t.Errorf("cash %s, offset %s, want %s each", cash, paid, sale.Total)
	}
}
