package cabinet

import (
	"regexp"
	"strconv"
	"strings"

	"openofd/internal/fiscal"
)

// dayOnPaper is a day as people write it.
var dayOnPaper = regexp.MustCompile(`^(\d{1,2})[./-](\d{1,2})[./-](\d{4}|\d\d)$`)

// maxAsked bounds what somebody may search for, in bytes.
const maxAsked = 2048

// guess makes walks of whatever a person holds: the text of a QR code, a day, a
// sum, a sign or a number, a cashier, goods.
func guess(base Scan, asked string) []Scan {
	if len(asked) > maxAsked {
		return nil
	}
	if values, ok := Pasted(asked); ok {
		if q, err := ParseQuery(values); err == nil {
			return ofQuery(base, &q)
		}
	}
	if m := dayOnPaper.FindStringSubmatch(asked); m != nil {
		if t, _, ok := ParseTime(asked + " 00:00"); ok {
			base.From, base.Until = max(base.From, t), t+secondsOfDay
			return []Scan{base}
		}
	}
	digits := strings.Join(strings.Fields(strings.TrimRight(asked, "₸₽ ")), "")
	digits = strings.TrimPrefix(strings.TrimPrefix(digits, "№"), "#")
	var all []Scan
	if sum, err := fiscal.ParseMoney(digits); err == nil && sum >= 0 {
		one := base
		one.Total = &sum
		all = append(all, one)
	}
	all = append(all, withCode(base, digits)...)
	if len(all) > 0 {
		return all
	}
	if w := words(asked); len(w) > 0 {
		one := base
		one.Goods = append(append([]string{}, base.Goods...), w...)
		all = append(all, one)
	}
	one := base
	one.Keys = first(personKey(asked), base.Keys)
	return append(all, one)
}

// withCode are the walks to what bears a number: as its fiscal sign, or as a
// number on its paper.
func withCode(base Scan, digits string) []Scan {
	n, err := strconv.ParseUint(digits, 10, 64)
	if err != nil {
		return nil
	}
	sign, number := base, base
	sign.Keys, number.Keys = first(numberKey(keySign, n), base.Keys), first(numberKey(keyNumber, n), base.Keys)
	return []Scan{sign, number}
}

// ofQuery are the walks to the receipt that a QR code speaks of.
func ofQuery(base Scan, q *Query) []Scan {
	code := q.Code
	if q.Country == fiscal.Russia {
		code = strconv.FormatUint(uint64(q.Sign), 10)
	}
	scans := withCode(base, code)
	for i := range scans {
		scans[i].Total = q.Sum
		scans[i].From, scans[i].Until = q.Time-q.Time%60, q.Time-q.Time%60+60
	}
	return scans
}

// first are keys with one in front.
func first(k Key, keys []Key) []Key { return append([]Key{k}, keys...) }
