package ffd_test

import (
	"testing"

	"openofd/internal/fiscal"
	"openofd/internal/protocol/kkt/ffd"
)

// registration changes a good report into one that breaks a rule.
type registration struct {
	name    string
	form    ffd.Form
	version ffd.Version
	day     [3]int
	change  func(r *ffd.Registration)
	in      func(c *ffd.Circumstances)
	key     string // "" breaks none
	path    string
}

func registrationCases() []registration {
	const first, again = ffd.FormRegistration, ffd.FormRegistrationNew
	const both = uint32(ffd.ChangeDrive | ffd.ChangeFormat)
	changes := func(mask uint32) func(*ffd.Registration) { return func(r *ffd.Registration) { r.Changes = mask } }
	replaced := func(c *ffd.Circumstances) { c.Replaced = true }
	from := func(v ffd.Version) func(*ffd.Circumstances) { return func(c *ffd.Circumstances) { c.Earlier = v } }
	upgraded := func(c *ffd.Circumstances) { c.Replaced, c.Earlier = true, ffd.V105 }
	drive := func(newest ffd.Version) func(*ffd.Registration) {
		return func(r *ffd.Registration) { r.DriveFormat, r.Changes = uint8(newest), 1 }
	}
	return []registration{
		{"a new drive, told", again, ffd.V120, oneDay, changes(1), replaced, "", ""},
		{"a new drive, not told", again, ffd.V120, oneDay, changes(1 << 3), replaced, "reason_drive", "1205"},
		{"a new drive, told by a code", again, ffd.V105, [3]int{2020, 2, 3}, func(r *ffd.Registration) { r.Reasons = []ffd.ReasonCode{1} }, replaced, "", ""},
		{"a new drive, not told by a code", again, ffd.V105, [3]int{2020, 2, 3}, func(r *ffd.Registration) { r.Reasons = []ffd.ReasonCode{3} }, replaced, "reason_drive", "1101[0]"},
		{"a first report of another drive", first, ffd.V120, oneDay, nil, replaced, "", ""},
		{"drive and format changed, told", again, ffd.V120, oneDay, changes(both), upgraded, "", ""},
		{"drive and format changed, half told", again, ffd.V120, oneDay, changes(1), upgraded, "reason_format", "1205"},
		{"the format as before", again, ffd.V120, oneDay, changes(1 << 3), from(ffd.V120), "", ""},
		{"1.2 with a drive of 1.1", again, ffd.V120, oneDay, drive(ffd.V110), nil, "drive_format", "1190"},
		{"1.1 with a drive of 1.05", again, ffd.V110, oneDay, drive(ffd.V105), nil, "drive_format", "1190"},
		{"1.05 with a drive of 1.2", again, ffd.V105, oneDay, func(r *ffd.Registration) { r.DriveFormat, r.Reasons = 4, []ffd.ReasonCode{3} }, nil, "", ""},
		{"1.1 with a drive of 1.2", again, ffd.V110, oneDay, drive(ffd.V120), nil, "", ""},
		{"1.0 with a drive of 1.2", first, ffd.V100, [3]int{2018, 6, 1}, nil, nil, "", ""},
		{"1.2 in a register of 1.1", first, ffd.V120, oneDay, func(r *ffd.Registration) { r.RegisterFormat = 3 }, nil, "register_format", "1189"},
		{"an old drive on the last day", first, ffd.V110, [3]int{2021, 8, 5}, nil, nil, "", ""},
		{"an old drive too late", first, ffd.V110, [3]int{2021, 8, 6}, nil, nil, "drive_old", "1190"},
		{"an old drive put in too late", again, ffd.V105, [3]int{2021, 8, 6}, func(r *ffd.Registration) { r.Reasons = []ffd.ReasonCode{1} }, replaced, "drive_old", "1190"},
		{"an old drive that stays", again, ffd.V105, [3]int{2021, 8, 6}, func(r *ffd.Registration) { r.Reasons = []ffd.ReasonCode{3} }, nil, "", ""},
		{"a new drive at any time", first, ffd.V120, [3]int{2021, 8, 6}, nil, nil, "", ""},
	}
}

// What a registration says of itself, its drive and the one before holds
// together; which drive may have which format is dated.
// Req: F-038, F-040, F-042
func TestRegistrationRules(t *testing.T) {
	for _, c := range registrationCases() {
		t.Run(c.name, func(t *testing.T) {
			r := sampleRegistration(c.version, moment(t, c.day[0], c.day[1], c.day[2]))
			if c.change != nil {
				c.change(r)
			}
			var s ffd.Severities
			if !s.Set("drive_old", ffd.Warn) {
				t.Fatal("there is no rule drive_old")
			}
			in := ffd.Circumstances{Severities: &s}
			if c.in != nil {
				c.in(&in)
			}
			expect(t, parse(t, write(t, c.form, c.version, r), c.version).Check(in), c.key, c.path, ffd.Warn)
		})
	}
}

// The generations of drives, by their newest format.
// Req: F-040
func TestDriveKinds(t *testing.T) {
	for _, v := range ffd.Versions() {
		k, ok := ffd.DriveKindOf(v)
		if !ok || k.Name == "" || len(k.Formats) == 0 || v > k.Formats[len(k.Formats)-1] || (k.Until == 0) != (v == ffd.V120) {
			t.Errorf("drives of %s: %+v, %t", v, k, ok)
		}
	}
	if _, ok := ffd.DriveKindOf(9); ok {
		t.Error("there is a drive of format 9")
	}
}

// counted changes a good closing report, or what came of its shift.
type counted struct {
	name    string
	version ffd.Version
	change  func(r *ffd.CloseShift, in *ffd.Circumstances)
	key     string
	path    string
}

func counterCases() []counted {
	return []counted{
		{"as they came", ffd.V120, nil, "", ""},
		{"as they came in 1.05", ffd.V105, nil, "", ""},
		{"a shift of which not all came", ffd.V120, func(r *ffd.CloseShift, in *ffd.Circumstances) { r.Receipts, in.Shift = 9, nil }, "", ""},
		{"another number of receipts", ffd.V105, func(r *ffd.CloseShift, _ *ffd.Circumstances) { r.Receipts++ }, "shift_documents", "1118"},
		{"another number of documents", ffd.V105, func(r *ffd.CloseShift, _ *ffd.Circumstances) { r.Documents++ }, "shift_documents", "1111"},
		{"another count", ffd.V120, func(r *ffd.CloseShift, _ *ffd.Circumstances) { *r.ShiftTotals.Sales.Count++ }, "counters", "1194"},
		{"another total", ffd.V110, func(r *ffd.CloseShift, _ *ffd.Circumstances) {
			*r.ShiftTotals.SaleReturns.Total++
			*r.ShiftTotals.SaleReturns.Cash++
		}, "counters", "1194"},
		{"cash for cashless", ffd.V120, func(r *ffd.CloseShift, _ *ffd.Circumstances) {
			*r.ShiftTotals.Purchases.Cash -= 10
			*r.ShiftTotals.Purchases.Cashless += 10
		}, "counters", "1194"},
		{"tax within the rounding of its lines", ffd.V120, func(r *ffd.CloseShift, _ *ffd.Circumstances) { r.ShiftTotals.Sales.VAT10 = ptr(fiscal.Money(198)) }, "", ""},
		{"another tax", ffd.V120, func(r *ffd.CloseShift, _ *ffd.Circumstances) { r.ShiftTotals.Sales.VAT10 = ptr(fiscal.Money(197)) }, "counters", "1194"},
		{"corrections beside the receipts", ffd.V120, func(r *ffd.CloseShift, _ *ffd.Circumstances) {
			*r.ShiftTotals.Sales.Count, *r.ShiftTotals.Sales.Total, *r.ShiftTotals.Sales.Cash = 1, 700, 0
			r.ShiftTotals.Corrections = &ffd.CorrectionTally{Count: ptr(uint32(1)), Sales: &ffd.Tally{Count: ptr(uint32(1)), Total: ptr(fiscal.Money(500)), Cash: ptr(fiscal.Money(500))}}
		}, "", ""},
		{"corrections among the receipts", ffd.V120, func(r *ffd.CloseShift, _ *ffd.Circumstances) {
			r.ShiftTotals.Corrections = &ffd.CorrectionTally{Count: ptr(uint32(1)), Sales: &ffd.Tally{Count: ptr(uint32(1)), Total: ptr(fiscal.Money(500)), Cash: ptr(fiscal.Money(500))}}
		}, "", ""},
		{"the drive has grown by the shift", ffd.V120, func(r *ffd.CloseShift, in *ffd.Circumstances) { in.Before = &ffd.Counters{} }, "", ""},
		{"the drive has grown by more", ffd.V120, func(r *ffd.CloseShift, in *ffd.Circumstances) {
			in.Before = &ffd.Counters{}
			*r.DriveTotals.Sales.Count++
		}, "drive_counters", "1157"},
		{"the drive's corrections have grown", ffd.V120, func(r *ffd.CloseShift, in *ffd.Circumstances) {
			in.Before = &ffd.Counters{}
			r.DriveTotals.Corrections.PurchaseReturns = &ffd.Tally{Count: ptr(uint32(1)), Total: ptr(fiscal.Money(0))}
		}, "drive_counters", "1157"},
	}
}

// The counters of a closing report are those of the receipts that came, and the
// drive's grow by them. What differs is named.
// Req: F-029, F-031, F-032, F-033
func TestCounters(t *testing.T) {
	for _, c := range counterCases() {
		t.Run(c.name, func(t *testing.T) {
			at := moment(t, 2026, 2, 3)
			r := &ffd.CloseShift{Base: base(c.version, at), Shift: 3, Receipts: 8, Documents: 10, End: end()} // 8 to 17
			if c.version >= ffd.V110 {
				r.ShiftTotals, r.DriveTotals = sampleTotals(), sampleTotals()
				r.ShiftTotals.Sales.VAT10 = ptr(fiscal.Money(200))
				r.DriveTotals.Sales.VAT10 = ptr(fiscal.Money(200))
			}
			if c.version == ffd.V120 {
				r.KeyDays = 400
			}
			in := ffd.Circumstances{Shift: &ffd.ShiftMade{Opened: 8, Counters: sampleCounters()}}
			if c.change != nil {
				c.change(r, &in)
			}
			v := parse(t, write(t, ffd.FormCloseShift, c.version, r), c.version).Check(in)
			if c.key == "" {
				expect(t, v, "", "", ffd.Off)
				return
			}
			if len(v.Findings) == 0 {
				t.Fatalf("Check() = nothing, want %s", c.key)
			}
			for _, f := range v.Findings {
				if f.Key != c.key || f.Path != c.path || f.Args["report"] == nil || f.Args["ours"] == nil {
					t.Errorf("Check() = %+v, want %s at %s with both numbers", f, c.key, c.path)
				}
			}
		})
	}
}

// sampleCounters are the receipts that make sampleTotals.
func sampleCounters() *fiscal.Counters {
	var c fiscal.Counters
	for op := fiscal.OpSale; op <= fiscal.OpPurchaseReturn; op++ {
		for _, pay := range []fiscal.Payment{{Kind: fiscal.PayCash, Sum: 500}, {Kind: fiscal.PayCard, Sum: 700}} {
			r := fiscal.Receipt{Op: op, Total: pay.Sum, Payments: []fiscal.Payment{pay}, Items: []fiscal.Item{{Kind: fiscal.ItemGoods, Cost: pay.Sum}}}
			if op == fiscal.OpSale {
				r.Items[0].Taxes = []fiscal.Tax{{Kind: fiscal.KindVAT, Percent: 10_000, Sum: 100, Included: true}}
			}
			c.Receipt(&r, false, 1)
		}
	}
	return &c
}

// pair is a correction of a receipt that is stored, or is not.
type pair struct {
	name    string
	version ffd.Version
	form    ffd.Form
	op      uint8
	in      ffd.Corrected
	key     string
	path    string
}

func pairCases() []pair {
	const k, r = ffd.FormReceiptCorrection, ffd.FormReceipt
	wrong := &fiscal.Record{Op: fiscal.OpSale, Total: 16177, Cash: 16177, Tax: 1471}
	other := &fiscal.Record{Op: fiscal.OpSale, Total: 16177, Cashless: 16177, Tax: 1471}
	return []pair{
		{"taken back", ffd.V120, k, 2, ffd.Corrected{Receipt: wrong}, "", ""},
		{"taken back and put right", ffd.V110, k, 1, ffd.Corrected{Receipt: wrong, Reversed: true}, "", ""},
		{"taken back with a return in 1.05", ffd.V105, r, 2, ffd.Corrected{Receipt: wrong}, "", ""},
		{"put right in 1.05", ffd.V105, r, 1, ffd.Corrected{Receipt: wrong, Reversed: true}, "", ""},
		{"the sign of no receipt", ffd.V120, k, 2, ffd.Corrected{}, "corrected_unknown", "1192"},
		{"any number in a receipt of 1.05", ffd.V105, r, 1, ffd.Corrected{}, "", ""},
		{"other payments", ffd.V120, k, 2, ffd.Corrected{Receipt: other}, "reverse_differs", "1031"},
		{"twice", ffd.V120, k, 2, ffd.Corrected{Receipt: wrong, Reversed: true}, "reversed_twice", "1192"},
		{"put right and not taken back", ffd.V120, k, 1, ffd.Corrected{Receipt: wrong}, "reverse_missing", "1192"},
		{"not taken back in 1.05", ffd.V105, r, 1, ffd.Corrected{Receipt: wrong}, "reverse_missing", "1192"},
		{"too many corrections to know", ffd.V120, k, 1, ffd.Corrected{Receipt: wrong, Unsure: true}, "", ""},
	}
}

// An error is corrected by a pair: sums taken back as they were, then the right
// receipt; both name the sign of the wrong one.
// Req: F-077, F-078
func TestCorrectionPairs(t *testing.T) {
	for _, c := range pairCases() {
		t.Run(c.name, func(t *testing.T) {
			at := moment(t, 2025, 6, 3)
			doc := sampleReceipt(c.version, at)
			if c.form.Corrects() {
				doc = sampleCorrection(c.version, at)
			}
			doc.Operation, doc.Extra = c.op, "1196427213"
			d := parse(t, write(t, c.form, c.version, doc), c.version)
			if got := d.CorrectedSign(); got != 1196427213 {
				t.Errorf("CorrectedSign() = %d, want 1196427213", got)
			}
			expect(t, d.Check(ffd.Circumstances{Corrected: &c.in}), c.key, c.path, ffd.Warn)
		})
	}
	for _, c := range []struct {
		version ffd.Version
		form    ffd.Form
		extra   string
	}{
		{ffd.V120, ffd.FormReceipt, "1196427213"}, {ffd.V105, ffd.FormReceiptCorrection, "1196427213"},
		{ffd.V120, ffd.FormReceiptCorrection, ""}, {ffd.V120, ffd.FormReceiptCorrection, "99999999999"},
		{ffd.V120, ffd.FormReceiptCorrection, "4294967296"}, {ffd.V105, ffd.FormReceipt, "card 7"},
	} {
		doc := sampleReceipt(c.version, moment(t, 2025, 6, 3))
		if c.form.Corrects() {
			doc = sampleCorrection(c.version, moment(t, 2025, 6, 3))
		}
		doc.Extra = c.extra
		if got := parse(t, write(t, c.form, c.version, doc), c.version).CorrectedSign(); got != 0 {
			t.Errorf("%s of %s with %q corrects %d, want none", c.form, c.version, c.extra, got)
		}
	}
}
