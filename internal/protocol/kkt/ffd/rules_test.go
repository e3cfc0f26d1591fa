package ffd_test

import (
	"encoding/binary"
	"testing"

	"openofd/internal/fiscal"
	"openofd/internal/protocol/kkt/ffd"
)

// one changes a good receipt into one that breaks a rule.
type one struct {
	name     string
	version  ffd.Version
	form     ffd.Form
	day      [3]int
	change   func(r *ffd.Receipt)
	in       func(c *ffd.Circumstances)
	key      string // row of the table of rules
	path     string
	severity ffd.Severity
}

var oneDay = [3]int{2026, 2, 3}

func receiptCases() []one {
	const r, k = ffd.FormReceipt, ffd.FormReceiptCorrection
	v5, v1, v2 := ffd.V105, ffd.V110, ffd.V120
	return []one{
		{"early tag", v5, r, [3]int{2025, 8, 1}, func(r *ffd.Receipt) {
			r.Payments = &ffd.Payments{All: []ffd.Payment{{Sum: 16177, Way: 1, Identifiers: "RRN=1"}}}
			r.Cash, r.Cashless = 0, 16177
		}, nil, "early", "1234", ffd.Warn},
		{"1.0 after its end", ffd.V100, r, oneDay, nil, nil, "withdrawn", "", ffd.Warn},
		{"20 % returned in 2026", v2, r, oneDay, func(r *ffd.Receipt) { at20(r, 1); r.Operation = 2 }, nil, "", "", ffd.Off},
		{"20 % corrected in 2026", v2, k, oneDay, func(r *ffd.Receipt) { at20(r, 1) }, nil, "", "", ffd.Off},
		{"22 % on its first day", v2, r, [3]int{2026, 1, 1}, func(r *ffd.Receipt) { at22(r, 11) }, nil, "", "", ffd.Off},
		{"22/122 on its first day", v2, r, [3]int{2026, 1, 1}, func(r *ffd.Receipt) { at22(r, 12) }, nil, "", "", ffd.Off},
		{"total rounded down to a ruble", v2, r, oneDay, func(r *ffd.Receipt) { r.Total, r.Cash = 16100, 16100 }, nil, "", "", ffd.Off},
		{"no INN", v2, r, oneDay, func(r *ffd.Receipt) { r.INN = "" }, nil, "receipt_inn", "1018", ffd.Warn},
		{"unknown operation", v2, r, oneDay, func(r *ffd.Receipt) { r.Operation = 5 }, nil, "enum_core", "1054", ffd.Refuse},
		{"unknown rate", v2, r, oneDay, func(r *ffd.Receipt) { r.Items[0].Rate = 13; r.VAT10 = nil }, nil, "enum_core", "1059[0].1199", ffd.Refuse},
		{"unknown way of payment", v2, r, oneDay, func(r *ffd.Receipt) { r.Items[0].PaymentType = 8 }, nil, "enum", "1059[0].1214", ffd.Warn},
		{"unknown measure", v2, r, oneDay, func(r *ffd.Receipt) { r.Items[0].Measure = 99 }, nil, "enum", "1059[0].2108", ffd.Warn},
		{"two tax systems", v2, r, oneDay, func(r *ffd.Receipt) { r.TaxSystem = 3 }, nil, "tax_bits", "1055", ffd.Refuse},
		{"no tax system", v2, r, oneDay, func(r *ffd.Receipt) { r.TaxSystem = 0 }, nil, "tax_bits", "1055", ffd.Refuse},
		{"tax system not registered", v2, r, oneDay, func(r *ffd.Receipt) { r.TaxSystem = 16 }, nil, "tax_registered", "1055", ffd.Refuse},
		{"imputed income after its end", v2, r, oneDay, func(r *ffd.Receipt) { r.TaxSystem = 8 }, func(c *ffd.Circumstances) { c.Registered.TaxSystems = 8 }, "imputed", "1055", ffd.Warn},
		{"dated too early", v2, r, [3]int{2016, 8, 31}, nil, nil, "too_old", "1012", ffd.Refuse},
		{"dated ahead", v2, r, [3]int{2026, 2, 10}, nil, nil, "ahead", "1012", ffd.Refuse},
		{"dated before the one before", v2, r, oneDay, nil, func(c *ffd.Circumstances) { c.Previous = c.Now }, "backwards", "1012", ffd.Warn},
		{"INN with a wrong digit", v2, r, oneDay, func(r *ffd.Receipt) { r.INN = "7704358519" }, func(c *ffd.Circumstances) { c.Registered = nil }, "inn", "1018", ffd.Refuse},
		{"cashier's INN with a wrong digit", v2, r, oneDay, func(r *ffd.Receipt) { r.CashierINN = "500100732258" }, nil, "other_inn", "1203", ffd.Warn},
		{"supplier's INN with a wrong digit", v2, r, oneDay, func(r *ffd.Receipt) { r.Items[0].SupplierINN = "7740000077" }, nil, "other_inn", "1059[0].1226", ffd.Warn},
		{"registration number of no such register", v2, r, oneDay, func(r *ffd.Receipt) { r.RegistrationNumber = "0000012345055779" }, nil, "register_number", "1037", ffd.Refuse},
		{"other user than registered", v2, r, oneDay, func(r *ffd.Receipt) { r.INN = "7702203276" }, nil, "registered", "1018", ffd.Warn},
		{"items a ruble off", v2, r, oneDay, func(r *ffd.Receipt) { r.Total += 100; r.Cash += 100 }, nil, "items_total", "1020", ffd.Refuse},
		{"payments a kopeck off", v1, r, oneDay, func(r *ffd.Receipt) { r.Cash-- }, nil, "payments", "1020", ffd.Refuse},
		{"line two kopecks off", v2, r, oneDay, func(r *ffd.Receipt) { r.Items[0].Price = 12902 }, nil, "line", "1059[0]", ffd.Warn},
		{"VAT of a line two kopecks off", v2, r, oneDay, func(r *ffd.Receipt) { *r.Items[0].VAT += 2; *r.VAT10 += 2 }, nil, "line_vat", "1059[0]", ffd.Warn},
		{"VAT of the receipt missing", v2, r, oneDay, func(r *ffd.Receipt) { r.VAT10 = nil }, nil, "vat_total", "", ffd.Warn},
		{"turnover without VAT missing", v2, r, oneDay, func(r *ffd.Receipt) { r.Items[0].Rate, r.Items[0].VAT, r.VAT10 = 6, nil, nil }, nil, "vat_total", "", ffd.Warn},
		{"20 % in 2026", v2, r, oneDay, func(r *ffd.Receipt) { at20(r, 1) }, nil, "rate_date", "1059[0]", ffd.Warn},
		{"22 % in 2025", v2, r, [3]int{2025, 12, 31}, func(r *ffd.Receipt) { at22(r, 11) }, nil, "rate_date", "1059[0]", ffd.Warn},
		{"cashless parts off", v2, r, oneDay, func(r *ffd.Receipt) {
			r.Cash, r.Cashless = 0, 16177
			r.Payments = &ffd.Payments{All: []ffd.Payment{{Sum: 100, Way: 1, Identifiers: "RRN=1"}}}
		}, nil, "cashless_sum", "1234", ffd.Warn},
		{"rate twice", v2, r, oneDay, func(r *ffd.Receipt) {
			r.VAT10, r.VAT = nil, &ffd.VAT{Rates: []ffd.RateSum{{Rate: 2, Sum: 1471}}}
		}, nil, "rate_twice", "1115.1119[0]", ffd.Warn},
		{"correction of a return in 1.05", v5, k, oneDay, func(r *ffd.Receipt) { r.Operation = 2 }, nil, "correction_kind", "1054", ffd.Refuse},
		{"correction by order without the order", v2, k, oneDay, func(r *ffd.Receipt) { r.Correction = ptr(uint8(1)) }, nil, "order_missing", "1174.1179", ffd.Warn},
		{"corrects what is yet to come", v2, k, oneDay, func(r *ffd.Receipt) { r.Ground.Date = r.Time + 1 }, nil, "corrected_later", "1174.1178", ffd.Warn},
		{"takes back without a sign", v2, k, oneDay, func(r *ffd.Receipt) { r.Operation = 2 }, nil, "reverse_sign", "1192", ffd.Warn},
		{"on the Internet without contact", v2, r, oneDay, func(r *ffd.Receipt) { r.Internet, r.Place = true, "shop.example" }, nil, "internet", "1008", ffd.Warn},
		{"on the Internet without site", v2, r, oneDay, func(r *ffd.Receipt) { r.Internet, r.BuyerContact = true, "+79160000000" }, nil, "internet", "1187", ffd.Warn},
		{"machine without number", v2, r, oneDay, nil, func(c *ffd.Circumstances) { c.Registered.Machine = true }, "machine", "1036", ffd.Warn},
		{"e-mail without sender", v2, r, oneDay, func(r *ffd.Receipt) { r.BuyerContact = "a@b.example" }, nil, "sender", "1117", ffd.Warn},
		{"agent without supplier", v2, r, oneDay, func(r *ffd.Receipt) { r.Items[0].Agent = 4 }, nil, "supplier", "1059[0].1226", ffd.Warn},
		{"marked without code", v2, r, oneDay, func(r *ffd.Receipt) { r.Items[0].ProductType, r.Items[0].Checked = 33, ptr(uint8(15)) }, nil, "mark_code", "1059[0].1163", ffd.Warn},
		{"marked without result", v2, r, oneDay, func(r *ffd.Receipt) {
			r.Items[0].ProductType, r.Items[0].Codes = 33, &ffd.ProductCode{GS1M: "0104"}
		}, nil, "mark_code", "1059[0].2106", ffd.Warn},
		{"unmarked with code", v2, r, oneDay, func(r *ffd.Receipt) {
			r.Items[0].ProductType, r.Items[0].Codes = 32, &ffd.ProductCode{GS1M: "0104"}
		}, nil, "mark_code", "1059[0]", ffd.Warn},
		{"good marks called bad", v2, r, oneDay, func(r *ffd.Receipt) {
			r.Items[0].ProductType, r.Items[0].Codes, r.Items[0].Checked = 33, &ffd.ProductCode{GS1M: "0104"}, ptr(uint8(15))
			r.MarksChecked = ptr(uint8(1))
		}, nil, "mark_result", "2107", ffd.Warn},
		{"bad marks not told", v2, r, oneDay, func(r *ffd.Receipt) {
			r.Items[0].ProductType, r.Items[0].Codes, r.Items[0].Checked = 33, &ffd.ProductCode{GS1M: "0104"}, ptr(uint8(1))
		}, nil, "mark_result", "2107", ffd.Warn},
		{"odd phone", v2, r, oneDay, func(r *ffd.Receipt) { r.BuyerContact = "8 916 000" }, nil, "phone", "1008", ffd.Warn},
	}
}

func at20(r *ffd.Receipt, value uint8) {
	vat := fiscal.IncludedTax(r.Total, 20_000)
	r.Items[0].Rate, r.Items[0].VAT, r.VAT10, r.VAT20 = value, &vat, nil, &vat
}

func at22(r *ffd.Receipt, value uint8) {
	vat := fiscal.IncludedTax(r.Total, 22_000)
	r.Items[0].Rate, r.Items[0].VAT, r.VAT10 = value, &vat, nil
	r.VAT = &ffd.VAT{Rates: []ffd.RateSum{{Rate: value, Sum: vat}}}
}

// Every rule refuses or warns of exactly what it is about, at the requisite it
// is about, and of a good document nothing is said.
// Req: F-007, F-010, F-012, F-046, F-063, F-064, F-071, F-072, F-073, F-074, F-078
func TestRules(t *testing.T) {
	for _, c := range receiptCases() {
		t.Run(c.name, func(t *testing.T) {
			at := moment(t, c.day[0], c.day[1], c.day[2])
			r := sampleReceipt(c.version, at)
			if c.form.Corrects() {
				r = sampleCorrection(c.version, at)
			}
			if c.change != nil {
				c.change(r)
			}
			registered := sampleRegistered
			in := ffd.Circumstances{Now: moment(t, 2026, 2, 4), Registered: &registered}
			if c.in != nil {
				c.in(&in)
			}
			expect(t, parse(t, write(t, c.form, c.version, r), c.version).Check(in), c.key, c.path, c.severity)
		})
	}
}

// expect wants one finding and no other; an empty key wants none.
func expect(t *testing.T, v ffd.Verdict, key, path string, severity ffd.Severity) {
	t.Helper()
	if key == "" {
		if v.Worst != ffd.Off {
			t.Errorf("Check() = %+v, want nothing", v.Findings)
		}
		return
	}
	if len(v.Findings) != 1 || v.Findings[0].Key != key || v.Findings[0].Path != path || v.Findings[0].Severity != severity || v.Worst != severity {
		t.Errorf("Check() = %s %+v\nwant %s of %q at %q alone", v.Worst, v.Findings, severity, key, path)
	}
}

// Rules about the form of a document, broken by hand.
// Req: F-006, F-008, F-011, F-015, F-016, F-018, F-023, F-046
func TestRulesOfForm(t *testing.T) {
	at := moment(t, 2026, 2, 3)
	receipt := func(v ffd.Version) []byte { return write(t, ffd.FormReceipt, v, sampleReceipt(v, at)) }
	with := func(b []byte, tag ffd.Tag, value ...byte) []byte {
		b = binary.LittleEndian.AppendUint16(b, uint16(tag))
		b = binary.LittleEndian.AppendUint16(b, uint16(len(value)))
		b = append(b, value...)
		binary.LittleEndian.PutUint16(b[2:], uint16(len(b)-4))
		return b
	}
	long := make([]byte, 33000)
	for _, c := range []struct {
		name     string
		body     []byte
		version  ffd.Version
		key      string
		path     string
		severity ffd.Severity
	}{
		{"length lies", append(receipt(ffd.V120), 0), ffd.V120, "form", "", ffd.Unreadable},
		{"too long", with(receipt(ffd.V120), 1999, long...), ffd.V120, "length", "", ffd.Refuse},
		{"byte of two", with(without(receipt(ffd.V120), 1054), 1054, 1, 0), ffd.V120, "value", "1054", ffd.Refuse},
		{"unpadded", with(without(receipt(ffd.V120), 1018), 1018, []byte(sampleINN)...), ffd.V120, "unpadded", "1018", ffd.Warn},
		{"repeated", with(receipt(ffd.V120), 1038, 3, 0, 0, 0), ffd.V120, "repeated", "1038[1]", ffd.Refuse},
		{"out of place", with(receipt(ffd.V120), 1013, '1'), ffd.V120, "place", "1013", ffd.Warn},
		{"unknown", with(receipt(ffd.V120), 1999, 1), ffd.V120, "unknown", "1999", ffd.Warn},
		{"unknown and far", with(receipt(ffd.V120), 65001, 1), ffd.V120, "unknown", "65001", ffd.Warn},
		{"no drive", without(receipt(ffd.V120), 1041), ffd.V120, "core", "1041", ffd.Refuse},
		{"no shift", without(receipt(ffd.V105), 1038), ffd.V105, "receipt_core", "1038", ffd.Refuse},
		{"no tax system in 1.05", without(receipt(ffd.V105), 1055), ffd.V105, "required", "1055", ffd.Warn},
		{"no tax system in 1.1", without(receipt(ffd.V110), 1055), ffd.V110, "required", "1055", ffd.Refuse},
		{"no item in 1.1", without(receipt(ffd.V110), 1059), ffd.V110, "receipt_core", "1059", ffd.Refuse},
		{"no measure in 1.2", with(without(receipt(ffd.V110), 1209), 1209, 4), ffd.V120, "required", "1059[0].2108", ffd.Refuse},
		{"nested too deep", with(receipt(ffd.V120), 1174, nested(8)...), ffd.V120, "depth", "1174.1174.1174.1174.1174.1174.1174.1174", ffd.Refuse},
		{"marks in 1.05", with(receipt(ffd.V105), 2107, 0), ffd.V105, "mark_version", "2107", ffd.Refuse},
		{"marks in 1.1", with(receipt(ffd.V110), 2107, 0), ffd.V110, "mark_version", "2107", ffd.Refuse},
	} {
		t.Run(c.name, func(t *testing.T) {
			d, _ := ffd.Parse(c.body, c.version)
			v := d.Check(ffd.Circumstances{Now: moment(t, 2026, 2, 4), Registered: &sampleRegistered})
			if len(v.Findings) == 0 || v.Findings[0].Key != c.key || v.Findings[0].Path != c.path || v.Worst != c.severity {
				t.Errorf("Check() = %s %+v\nwant first %q at %q, at worst %s", v.Worst, v.Findings, c.key, c.path, c.severity)
			}
		})
	}
}

// without takes the first requisite with a tag out of a document.
func without(b []byte, tag ffd.Tag) []byte {
	for off := 4; off+4 <= len(b); {
		size := int(binary.LittleEndian.Uint16(b[off+2:]))
		if ffd.Tag(binary.LittleEndian.Uint16(b[off:])) == tag {
			out := append(append([]byte(nil), b[:off]...), b[off+4+size:]...)
			binary.LittleEndian.PutUint16(out[2:], uint16(len(out)-4))
			return out
		}
		off += 4 + size
	}
	return b
}

// The counters of a close: the ways of paying make the total.
// Req: F-031, F-032
func TestTally(t *testing.T) {
	for _, v := range []ffd.Version{ffd.V110, ffd.V120} {
		c := samples(t, v)[ffd.FormCloseShift].(*ffd.CloseShift)
		*c.ShiftTotals.Purchases.Cashless++
		d := parse(t, write(t, ffd.FormCloseShift, v, c), v)
		expect(t, d.Check(ffd.Circumstances{}), "tally", "1194.1131", ffd.Warn)
	}
}

// nested is an STLV within itself.
func nested(levels int) []byte {
	var b []byte
	for range levels {
		b = append([]byte{0x96, 0x04, byte(len(b)), 0}, b...)
	}
	return b
}

// Every row of the table of rules is broken by some test above.
func TestEveryRuleIsTested(t *testing.T) {
	broken := map[string]bool{
		"form": true, "length": true, "depth": true, "value": true, "unpadded": true, "repeated": true, "place": true, "unknown": true,
		"tally": true, "core": true, "receipt_core": true, "required": true, "mark_version": true,
	}
	for _, c := range receiptCases() {
		broken[c.key] = true
	}
	for _, c := range registrationCases() {
		broken[c.key] = true
	}
	for _, c := range counterCases() {
		broken[c.key] = true
	}
	for _, c := range pairCases() {
		broken[c.key] = true
	}
	for _, r := range ffd.Rules() {
		if !broken[r.Key] {
			t.Errorf("no test breaks rule %s (%s)", r.ID, r.Key)
		}
		if r.EN == "" || r.ID == "" {
			t.Errorf("rule %q has no words", r.Key)
		}
	}
}

// An operator may choose what a rule costs, by version.
// Req: F-007
func TestSeverities(t *testing.T) {
	b := write(t, ffd.FormReceipt, ffd.V100, sampleReceipt(ffd.V100, moment(t, 2026, 2, 3)))
	var s ffd.Severities
	if !s.Set("V1", ffd.Refuse) {
		t.Fatal("Set(V1) = false")
	}
	if s.Set("no_such_rule", ffd.Refuse) {
		t.Error("Set(no_such_rule) = true")
	}
	v := parse(t, b, ffd.V100).Check(ffd.Circumstances{Severities: &s})
	if v.Code() != 14 {
		t.Errorf("Check() with V1 refused = code %d, %+v, want 14", v.Code(), v.Findings)
	}
	s.Set("withdrawn", ffd.Off, ffd.V100)
	if v := parse(t, b, ffd.V100).Check(ffd.Circumstances{Severities: &s}); v.Worst != ffd.Off {
		t.Errorf("Check() with V1 off = %+v, want nothing", v.Findings)
	}
}

// A document of noise makes no endless list.
func TestFindingsBounded(t *testing.T) {
	w := ffd.NewWriter(ffd.FormReceipt)
	for range 1000 {
		w.Raw(1999, nil)
	}
	b, err := w.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	v := parse(t, b, ffd.V120).Check(ffd.Circumstances{})
	if len(v.Findings) != ffd.MaxFindings || v.More < 900 || v.Worst != ffd.Refuse {
		t.Errorf("%d findings, %d more, %s; want %d, about a thousand, refuse", len(v.Findings), v.More, v.Worst, ffd.MaxFindings)
	}
}
