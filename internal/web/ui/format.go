package ui

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"openofd/internal/fiscal"
)

const (
	thin  = "\u202f" // narrow no-break space: groups of digits
	nbsp  = "\u00a0"
	minus = "\u2212"
)

// Money is an amount with its currency: "1 777,50 ₸".
func (l *Locale) Money(m fiscal.Money) string { return l.Amount(m) + nbsp + "₸" }

// Rubles is an amount of Russia's currency: "1 777,50 ₽".
func (l *Locale) Rubles(m fiscal.Money) string { return l.Amount(m) + nbsp + "₽" }

// Amount is an amount alone: groups of three, two decimals.
func (l *Locale) Amount(m fiscal.Money) string {
	s := m.Abs().String()
	whole, decimals := s[:len(s)-3], s[len(s)-2:]
	s = group(whole) + l.point() + decimals
	if m < 0 {
		s = minus + s
	}
	return s
}

// Quantity is a quantity with as many decimals as it needs.
func (l *Locale) Quantity(q fiscal.Quantity) string {
	whole, decimals, point := strings.Cut(strings.TrimPrefix(q.String(), "-"), ".")
	s := group(whole)
	if point {
		s += l.point() + decimals
	}
	if q < 0 {
		s = minus + s
	}
	return s
}

// Percent words thousandths of a percent: 16000 is "16 %".
func (l *Locale) Percent(thousandths uint32) string {
	s := strconv.FormatUint(uint64(thousandths/1000), 10)
	if rest := thousandths % 1000; rest != 0 {
		s += l.point() + strings.TrimRight(fmt.Sprintf("%03d", rest), "0")
	}
	if l.Lang == "en" {
		return s + "%"
	}
	return s + nbsp + "%"
}

func (l *Locale) point() string {
	if l.Lang == "en" {
		return "."
	}
	return ","
}

func group(digits string) string {
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + thin + digits[i:]
	}
	return digits
}

// Time is a reading of a register's clock as receipts print it:
// "14.03.2026 09:12:41". Nothing is converted.
func (l *Locale) Time(w fiscal.WallTime) string {
	return w.UTC().Format("02.01.2006" + nbsp + "15:04:05")
}

// Minute is Time without seconds, as receipts of Russia print it.
func (l *Locale) Minute(w fiscal.WallTime) string {
	return w.UTC().Format("02.01.2006" + nbsp + "15:04")
}

// Date is a reading in a sentence, to the minute: "14 марта 2026 года, 09:12".
func (l *Locale) Date(w fiscal.WallTime) string {
	year, month, day, hour, minute, _ := w.Parts()
	return l.T("date.long", "year", year, "month", l.T("month."+strconv.Itoa(month)), "day", day,
		"clock", fmt.Sprintf("%02d:%02d", hour, minute))
}

// Moment is one of our own times in the zone of an outlet, which is named:
// "14.03.2026 09:12:43 (UTC+5)".
func (l *Locale) Moment(t time.Time, zone *time.Location) string {
	_, offset := t.In(zone).Zone()
	name := fmt.Sprintf("UTC%+d", offset/3600)
	if rest := offset % 3600 / 60; rest != 0 {
		name += fmt.Sprintf(":%02d", max(rest, -rest))
	}
	return l.Time(fiscal.WallIn(t, zone)) + " (" + name + ")"
}

// Unit words a unit of measure: "шт" for 796. A code we have no word for stands
// for itself; 000 is none. Source: KKM reference §7.11.
func (l *Locale) Unit(code string) string {
	switch {
	case code == "" || code == "000":
		return ""
	case l.Has("unit." + code):
		return l.T("unit." + code)
	}
	return "[" + code + "]"
}

// Digits groups a long number by four, so that eyes can follow: "5000 0000 0002".
func Digits(s string) string {
	var b strings.Builder
	for i, r := range s {
		if i > 0 && i%4 == 0 {
			b.WriteString(thin)
		}
		b.WriteRune(r)
	}
	return b.String()
}
