package ffd_test

import (
	"fmt"
	"slices"
	"testing"

	"openofd/internal/fiscal"
	"openofd/internal/protocol/kkt/ffd"
)

// keysOf are the rows that a verdict names, each once.
func keysOf(v ffd.Verdict) (keys []string) {
	for _, f := range v.Findings {
		if !slices.Contains(keys, f.Key) {
			keys = append(keys, f.Key)
		}
	}
	return keys
}

// Every rate of VAT on the last day before it came or after which it went, and on
// the first: a sale at a rate that does not hold is told.
//
// Req: F-072, F-073, F-074
func TestRatesByDay(t *testing.T) {
	for _, c := range []struct {
		rate      uint8
		percent   uint32
		last      [3]int // day before the change
		first     [3]int // day of it
		beforeHas bool   // it held before, and not from then on
	}{
		{1, 20_000, [3]int{2025, 12, 31}, [3]int{2026, 1, 1}, true},
		{3, 20_000, [3]int{2025, 12, 31}, [3]int{2026, 1, 1}, true},
		{7, 5_000, [3]int{2024, 12, 31}, [3]int{2025, 1, 1}, false},
		{8, 7_000, [3]int{2024, 12, 31}, [3]int{2025, 1, 1}, false},
		{9, 5_000, [3]int{2024, 12, 31}, [3]int{2025, 1, 1}, false},
		{10, 7_000, [3]int{2024, 12, 31}, [3]int{2025, 1, 1}, false},
		{11, 22_000, [3]int{2025, 12, 31}, [3]int{2026, 1, 1}, false},
		{12, 22_000, [3]int{2025, 12, 31}, [3]int{2026, 1, 1}, false},
	} {
		for i, day := range [][3]int{c.last, c.first} {
			r := sampleReceipt(ffd.V120, moment(t, day[0], day[1], day[2]))
			vat := fiscal.IncludedTax(r.Total, c.percent)
			r.Items[0].Rate, r.Items[0].VAT, r.VAT10 = c.rate, &vat, nil
			switch c.rate {
			case 1:
				r.VAT20 = &vat
			case 3:
				r.VAT20120 = &vat
			default:
				r.VAT = &ffd.VAT{Rates: []ffd.RateSum{{Rate: c.rate, Sum: vat}}}
			}
			_, v := judged(t, ffd.FormReceipt, ffd.V120, r, ffd.Circumstances{})
			holds := c.beforeHas == (i == 0)
			if told := slices.Contains(keysOf(v), "rate_date"); told == holds {
				t.Errorf("rate %d on %v: %v, want rate_date %t", c.rate, day, keysOf(v), !holds)
			}
		}
	}
}

// The requisites of 01.09.2025 on the day before and on the day: before, they are
// told as too early and nobody misses them.
//
// Req: F-048, F-051, F-053, F-054, F-055, F-056, F-057, F-058
func TestRequisitesSinceSeptember2025(t *testing.T) {
	before, on := moment(t, 2025, 8, 31), moment(t, 2025, 9, 1)
	receipts := map[string]func(r *ffd.Receipt){
		"1234 with 1235 to 1238": func(r *ffd.Receipt) {
			r.Cash, r.Cashless = 0, 16177
			r.Payments = &ffd.Payments{All: []ffd.Payment{{Sum: 16177, Way: 1, Identifiers: "RRN=1", More: "SBP"}}}
		},
		"1125": func(r *ffd.Receipt) { r.Internet, r.Place, r.BuyerContact = true, "shop.example", "+79160000000" },
	}
	for name, change := range receipts {
		for at, early := range map[fiscal.WallTime]bool{before: true, on: false} {
			r := sampleReceipt(ffd.V120, at)
			change(r)
			_, v := judged(t, ffd.FormReceipt, ffd.V120, r, ffd.Circumstances{})
			if told := slices.Contains(keysOf(v), "early"); told != early || !early && v.Worst != ffd.Off {
				t.Errorf("%s on %v: %+v, want early %t and nothing else", name, at, v.Findings, early)
			}
		}
	}
	for _, tag := range []ffd.Tag{1011, 2040} {
		for at, early := range map[fiscal.WallTime]bool{before: true, on: false} {
			n := &ffd.MarkNotice{
				Number: 3, Time: at, Drive: sampleDrive, INN: sampleINN, TaxSystem: 1, Operation: 1, Kind: 1, Zone: 2, Receipt: 17,
				Goods: []ffd.MarkedGood{{Code: "010460", CodeKind: 4, Product: "010460", Control: "EE06", Status: 1, Checked: 15, PaymentType: 4, Name: "Вода", Price: 100, Sum: 100, Rate: 2, VAT: 9}},
			}
			b := write(t, ffd.FormMarkNotice, ffd.V120, n)
			told := false
			for _, f := range parse(t, b, ffd.V120).Check(ffd.Circumstances{}).Findings {
				told = told || f.Key == "early" && f.Path == fmt.Sprint(tag)
			}
			lacks := false
			for _, f := range parse(t, without(b, tag), ffd.V120).Check(ffd.Circumstances{}).Findings {
				lacks = lacks || f.Key == "required" && f.Path == fmt.Sprint(tag)
			}
			if told != early || lacks == early {
				t.Errorf("%d on %v: early %t, missed %t; want %t, %t", tag, at, told, lacks, early, !early)
			}
		}
	}
}
