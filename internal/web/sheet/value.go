package sheet

import (
	"regexp"
	"strconv"
	"strings"
	"unicode"

	"openofd/internal/fiscal"
)

// maxCell bounds a cell that is read as an amount or a time, in bytes.
const maxCell = 64

// Amount reads an amount as people, accounting programs and workbooks write it:
// spaces or apostrophes between thousands, a comma or a point before decimals,
// the currency's sign, brackets or a minus for what is negative, an exponent. A
// workbook keeps 0.1 + 0.2 as 0.30000000000000004: what is so close to a whole
// number of minor units is that number. Anything else with more than two decimals
// is none.
func Amount(s string) (fiscal.Money, bool) {
	if len(s) > maxCell {
		return 0, false
	}
	s = strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || r == '\'' || r == '’' {
			return -1
		}
		return unicode.ToLower(r)
	}, s)
	for _, currency := range []string{"₸", "₽", "тенге", "теңге", "тг.", "тг", "руб.", "руб", "р.", "kzt", "rub"} {
		if rest, ok := strings.CutSuffix(s, currency); ok {
			s = rest
			break
		}
	}
	negative := false
	if inner, ok := strings.CutPrefix(s, "("); ok {
		if s, ok = strings.CutSuffix(inner, ")"); !ok {
			return 0, false
		}
		negative = true
	}
	for _, minus := range []string{"-", "−", "–"} {
		if rest, ok := strings.CutPrefix(s, minus); ok {
			s, negative = rest, !negative
			break
		}
	}
	s, exponent, ok := cutExponent(s)
	if !ok {
		return 0, false
	}
	whole, fraction, ok := cutDecimals(s)
	if !ok {
		return 0, false
	}
	m, ok := minor(whole, fraction, exponent)
	if negative {
		m = -m
	}
	return m, ok
}

// cutExponent is a number without its power of ten.
func cutExponent(s string) (rest string, exponent int, ok bool) {
	rest, power, found := strings.Cut(s, "e")
	if !found {
		return s, 0, true
	}
	n, err := strconv.Atoi(power)
	return rest, n, err == nil && n >= -30 && n <= 30
}

// cutDecimals parts a number at its decimal separator: the last of comma and
// point, if both are there; one that comes more often parts thousands.
func cutDecimals(s string) (whole, fraction string, ok bool) {
	comma, point := strings.Count(s, ","), strings.Count(s, ".")
	at := -1
	switch {
	case comma == 0 && point == 1, comma == 1 && point == 0, comma == 1 && point == 1:
		at = max(strings.LastIndexByte(s, ','), strings.LastIndexByte(s, '.'))
	case comma == 1 && point > 1 && strings.IndexByte(s, ',') > strings.LastIndexByte(s, '.'):
		at = strings.IndexByte(s, ',')
	case point == 1 && comma > 1 && strings.IndexByte(s, '.') > strings.LastIndexByte(s, ','):
		at = strings.IndexByte(s, '.')
	case comma > 0 && point > 0:
		return "", "", false
	}
	if whole = s; at >= 0 {
		if whole, fraction = s[:at], s[at+1:]; fraction == "" {
			return "", "", false
		}
	}
	if groups := strings.FieldsFunc(whole, func(r rune) bool { return r == ',' || r == '.' }); len(groups) > 1 {
		for _, g := range groups[1:] {
			if len(g) != 3 {
				return "", "", false
			}
		}
		whole = strings.Join(groups, "")
	}
	return whole, fraction, whole+fraction != "" && strings.Trim(whole+fraction, "0123456789") == ""
}

// minor is whole.fraction × 10^exponent in hundredths.
func minor(whole, fraction string, exponent int) (fiscal.Money, bool) {
	digits, point := whole+fraction, len(whole)+exponent+2
	if point < 0 {
		digits, point = strings.Repeat("0", -point)+digits, 0
	}
	if point > len(digits) {
		digits += strings.Repeat("0", point-len(digits))
	}
	kept, rest := strings.TrimLeft(digits[:point], "0"), strings.TrimRight(digits[point:], "0")
	if len(kept) > 17 {
		return 0, false
	}
	n := int64(0)
	if kept != "" {
		var err error
		if n, err = strconv.ParseInt(kept, 10, 64); err != nil {
			return 0, false
		}
	}
	switch {
	case strings.HasPrefix(rest, "0000"), rest == "":
	case strings.HasPrefix(rest, "9999"):
		n++
	default:
		return 0, false
	}
	return fiscal.Money(n), true
}

// Moment is a time as a cell tells it.
type Moment struct {
	Time    fiscal.WallTime // of the day, its midnight
	Clock   bool            // a time of day is told
	Seconds bool            // and its seconds
}

var (
	dayMonthYear = regexp.MustCompile(`^(\d{1,2})[./-](\d{1,2})[./-](\d{4}|\d\d)(?:\D+(\d{1,2}):(\d\d)(?::(\d\d))?)?$`)
	yearMonthDay = regexp.MustCompile(`^(\d{4})[./-](\d{1,2})[./-](\d{1,2})(?:[Tt ,]+(\d{1,2}):(\d\d)(?::(\d\d)(?:[.,]\d+)?)?(?:[+-]\d\d:?\d\d)?)?$`)
	compactTime  = regexp.MustCompile(`^(\d{4})(\d\d)(\d\d)(?:[Tt ]?(\d\d)(\d\d)(\d\d)?)?$`)
	serialNumber = regexp.MustCompile(`^(\d{5})(?:[.,](\d+))?$`)
	clockTime    = regexp.MustCompile(`^(\d{1,2}):(\d\d)(?::(\d\d)(?:[.,]\d+)?)?$`)
	dayFraction  = regexp.MustCompile(`^0?[.,](\d+)$`)
)

// Bounds of years: what is not between them is no date of a receipt.
const (
	firstYear = 2000
	lastYear  = 2100
)

// Time reads a date, with a time of day or without, as people, programs and
// workbooks write it. A workbook's number counts days from 30 December 1899. A
// time with a zone is taken as its own clock shows it.
func Time(s string) (Moment, bool) {
	s = strings.TrimSpace(strings.ReplaceAll(s, "\u00a0", " "))
	if len(s) > maxCell {
		return Moment{}, false
	}
	if m := serialNumber.FindStringSubmatch(s); m != nil {
		return serial(m[1], m[2])
	}
	m := yearMonthDay.FindStringSubmatch(s)
	if m == nil {
		m = compactTime.FindStringSubmatch(s)
	}
	if m == nil {
		if m = dayMonthYear.FindStringSubmatch(s); m == nil {
			return Moment{}, false
		}
		m[1], m[3] = m[3], m[1]
		if len(m[1]) == 2 {
			m[1] = "20" + m[1]
		}
	}
	var n [7]int
	for i := 1; i < len(n); i++ {
		n[i], _ = strconv.Atoi(m[i]) // digits, or "" for none
	}
	t, ok := fiscal.WallDate(n[1], n[2], n[3], n[4], n[5], n[6])
	return Moment{t, m[4] != "", m[6] != ""}, ok && n[1] >= firstYear && n[1] <= lastYear
}

// epoch is day 0 of workbooks, counted from ours.
const (
	epoch        = 25_569
	secondsOfDay = 24 * 60 * 60
)

// serial is a workbook's number as a time, to the nearest second.
func serial(days, fraction string) (Moment, bool) {
	n, err := strconv.Atoi(days)
	day := fiscal.WallTime(n-epoch) * secondsOfDay
	year, _, _, _, _, _ := day.Parts()
	if err != nil || year < firstYear || year > lastYear {
		return Moment{}, false
	}
	if strings.Trim(fraction, "0") == "" {
		return Moment{Time: day}, true
	}
	return Moment{day + secondsOf(fraction), true, true}, true
}

// secondsOf is the decimal fraction of a day, rounded to seconds.
func secondsOf(fraction string) fiscal.WallTime {
	const digits, scale = 12, 1_000_000_000_000
	for len(fraction) < digits {
		fraction += "0"
	}
	n, _ := strconv.ParseInt(fraction[:digits], 10, 64) // digits
	return fiscal.WallTime((n*secondsOfDay + scale/2) / scale)
}

// Clock reads a time of day that stands in a cell of its own, in seconds.
func Clock(s string) (seconds fiscal.WallTime, exact, ok bool) {
	s = strings.TrimSpace(s)
	if len(s) > maxCell {
		return 0, false, false
	}
	if m := dayFraction.FindStringSubmatch(s); m != nil {
		return secondsOf(m[1]) % secondsOfDay, true, true
	}
	if s == "0" {
		return 0, true, true
	}
	m := clockTime.FindStringSubmatch(s)
	if m == nil {
		if t, ok := Time(s); ok && t.Clock { // some programs write a date to it
			return t.Time - t.Time.Day(), t.Seconds, true
		}
		return 0, false, false
	}
	var n [4]int
	for i := 1; i < len(n); i++ {
		n[i], _ = strconv.Atoi(m[i])
	}
	return fiscal.WallTime(n[1]*3600 + n[2]*60 + n[3]), m[3] != "", n[1] < 24 && n[2] < 60 && n[3] < 60
}

// Digits are the digits of a cell that holds a number which is no amount: a sign,
// the number of a receipt. A workbook writes long ones with an exponent or a
// point. 0 if there are none.
func Digits(s string) (uint64, bool) {
	s = strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || r == '№' || r == '#' || r == '\'' {
			return -1
		}
		return unicode.ToLower(r)
	}, s)
	if len(s) > maxCell {
		return 0, false
	}
	if n, err := strconv.ParseUint(s, 10, 64); err == nil {
		return n, s[0] != '+'
	}
	rest, exponent, ok := cutExponent(s)
	whole, fraction, found := strings.Cut(rest, ".")
	if !ok || exponent < 0 || !found && exponent == 0 || strings.Trim(fraction, "0") != "" && len(fraction) > exponent {
		return 0, false
	}
	for len(fraction) < exponent {
		fraction += "0"
	}
	n, err := strconv.ParseUint(whole+fraction[:exponent], 10, 64)
	return n, err == nil
}
