package fiscal

import (
	"fmt"
	"math"
	"time"
)

// WallTime is the reading of a register's clock: seconds since 1970 as if it
// were UTC. Such a clock has no zone, and nothing converts it; the outlet's
// zone stands beside it. Zero means not set. Source: KKM 2.0.2 §4.3.
type WallTime int64

// WallDate makes a reading from its parts; ok is false when there is no such
// day or time.
func WallDate(year, month, day, hour, minute, second int) (t WallTime, ok bool) {
	if year < 1 || year > 9999 || month < 1 || month > 12 || day < 1 || hour < 0 || hour > 23 ||
		minute < 0 || minute > 59 || second < 0 || second > 59 || day > daysIn(year, month) {
		return 0, false
	}
	// Days since the epoch by the civil calendar, March-based.
	y, m := year, month
	if m <= 2 {
		y--
		m += 12
	}
	days := 365*y + y/4 - y/100 + y/400 + (153*(m-3)+2)/5 + day - 1 - 719468
	return WallTime(int64(days)*86400 + int64(hour*3600+minute*60+second)), true
}

func daysIn(year, month int) int {
	switch month {
	case 2:
		if year%4 == 0 && (year%100 != 0 || year%400 == 0) {
			return 29
		}
		return 28
	case 4, 6, 9, 11:
		return 30
	}
	return 31
}

// WallIn is what a right clock in zone z shows at t.
func WallIn(t time.Time, z *time.Location) WallTime {
	_, off := t.In(z).Zone()
	return WallTime(t.Unix() + int64(off))
}

// Parts gives back what WallDate took.
func (w WallTime) Parts() (year, month, day, hour, minute, second int) {
	t := w.UTC()
	return t.Year(), int(t.Month()), t.Day(), t.Hour(), t.Minute(), t.Second()
}

// UTC is the reading as a time.Time labeled UTC, for formatting only.
func (w WallTime) UTC() time.Time { return time.Unix(int64(w), 0).UTC() }

// Instant is the moment at which a clock in zone z showed w.
func (w WallTime) Instant(z *time.Location) time.Time {
	y, mo, d, h, mi, s := w.Parts()
	return time.Date(y, time.Month(mo), d, h, mi, s, 0, z)
}

// farApart is the longest time between two readings that Sub tells: 146 years,
// half of what a Duration holds, so that limits can be added and taken away.
const farApart = math.MaxInt64 / 2 / time.Second * time.Second

// Sub is the time between two readings of one clock, from -farApart to farApart.
// A device may say 9999, and that must not wrap around to soon after today.
func (w WallTime) Sub(v WallTime) time.Duration {
	const limit = int64(farApart / time.Second)
	d := int64(w - v)
	switch overflow := (d < 0) != (w < v); {
	case w > v && (overflow || d > limit):
		return farApart
	case w < v && (overflow || d < -limit):
		return -farApart
	}
	return time.Duration(d) * time.Second
}

// Add moves the reading by d, whole seconds.
func (w WallTime) Add(d time.Duration) WallTime { return w + WallTime(d/time.Second) }

// Day is the midnight with which the reading's day begins.
func (w WallTime) Day() WallTime {
	const day = 24 * 60 * 60
	return w - (w%day+day)%day
}

// String is "2026-03-14 09:12:41".
func (w WallTime) String() string { return w.UTC().Format(time.DateTime) }

// Compact is "20260314T091241", the form of QR codes.
func (w WallTime) Compact() string { return w.UTC().Format("20060102T150405") }

// MarshalText gives a reading to JSON without a zone: "2026-03-14T09:12:41".
func (w WallTime) MarshalText() ([]byte, error) {
	return []byte(w.UTC().Format("2006-01-02T15:04:05")), nil
}

// UnmarshalText reads what MarshalText writes.
func (w *WallTime) UnmarshalText(b []byte) error {
	t, err := time.Parse("2006-01-02T15:04:05", string(b))
	if err != nil {
		return &Error{Reason: BadValue, Field: "time", Msg: fmt.Sprintf("%q is not a time like 2026-03-14T09:12:41", b)}
	}
	*w = WallTime(t.Unix())
	return nil
}
