package ffd

import "openofd/internal/fiscal"

// rate is a value of tag 1199: the VAT rate of an item.
type rate struct {
	code    string // as in the policy: "vat20_120"
	percent uint32 // thousandths of a percent
	own     Tag    // requisite of the receipt with its sum; 0 is tag 1115
	from    fiscal.WallTime
	until   fiscal.WallTime // first day on which it no longer holds; 0 never
}

// rateTable are the rates by their value. 20 % was 18 % until 2019 under the
// same value. Source: tax code article 164; orders ED-7-20/1038@ and
// ED-7-20/1050@ for 7 to 12.
var rateTable = [...]rate{
	1:  {"vat20", 20_000, 1102, 0, day(2026, 1, 1)},
	2:  {"vat10", 10_000, 1103, 0, 0},
	3:  {"vat20_120", 20_000, 1106, 0, day(2026, 1, 1)},
	4:  {"vat10_110", 10_000, 1107, 0, 0},
	5:  {"vat0", 0, 1104, 0, 0},
	6:  {"none", 0, 1105, 0, 0},
	7:  {"vat5", 5_000, 0, day(2025, 1, 1), 0},
	8:  {"vat7", 7_000, 0, day(2025, 1, 1), 0},
	9:  {"vat5_105", 5_000, 0, day(2025, 1, 1), 0},
	10: {"vat7_107", 7_000, 0, day(2025, 1, 1), 0},
	11: {"vat22", 22_000, 0, day(2026, 1, 1), 0},
	12: {"vat22_122", 22_000, 0, day(2026, 1, 1), 0},
}

// from20 is the day on which 18 % became 20 %.
var from20 = day(2019, 1, 1)

// percentAt is the rate of a value on a day, in thousandths of a percent.
func percentAt(value uint8, t fiscal.WallTime) (percent uint32, ok bool) {
	if value == 0 || int(value) >= len(rateTable) {
		return 0, false
	}
	if (value == 1 || value == 3) && t < from20 {
		return 18_000, true
	}
	return rateTable[value].percent, true
}

// holds reports whether a rate holds on a day.
func (r *rate) holds(t fiscal.WallTime) bool {
	return t >= r.from && (r.until == 0 || t < r.until)
}

// RateNamed is the value of tag 1199 for a rate by its code in the policy:
// "vat22", "vat5_105", "none".
func RateNamed(code string) (value uint8, ok bool) {
	for i := range rateTable {
		if i > 0 && rateTable[i].code == code {
			return uint8(i), true
		}
	}
	return 0, false
}

// PercentOf is the rate of a value of tag 1199 on a day, in thousandths of a
// percent; ok is false where there is no such value.
func PercentOf(value uint8, day fiscal.WallTime) (percent uint32, ok bool) {
	return percentAt(value, day)
}
