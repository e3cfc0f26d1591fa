package sandbox

import (
	"errors"
	"fmt"
	"strconv"
	"time"

	"openofd/internal/fiscal"
)

// country numbers the two exchanges in the database.
type country int64

const (
	kazakhstan country = 1
	russia     country = 2
)

// of is the exchange of a country, 0 for one that has none.
func of(c fiscal.Country) country {
	switch c {
	case fiscal.Kazakhstan:
		return kazakhstan
	case fiscal.Russia:
		return russia
	}
	return 0
}

func (c country) String() string {
	if c == russia {
		return string(fiscal.Russia)
	}
	return string(fiscal.Kazakhstan)
}

// document is what is kept of a line beside the line.
type document struct {
	country       country
	id            string
	thing, number int64 // what it is known by: register and entry, or drive and document
	register      int64
	entry         int64
	kind          string
	op            fiscal.Op
	time          fiscal.WallTime
	received      int64 // by the operator, microseconds since 1970
	offline       bool
	closes        bool // a shift
	counted       bool // among documents; acts are not
	total, tax    fiscal.Money
	sign          int64
	hash          []byte
	cancels       int64  // an entry
	registration  string // registration number
	xin           string
	body          []byte
}

// wrong is a rule that a line breaks, for a person.
type wrong struct{ field, what string }

func (w *wrong) Error() string { return w.field + ": " + w.what }

// errNoID marks a line that cannot even be named in a refusal.
var errNoID = errors.New("it has no id")

// digits reports whether a text is of digits alone, so many at least and at most.
func digits[T string | []byte](s T, least, most int) bool {
	if len(s) < least || len(s) > most {
		return false
	}
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}

// amount reads money as kgd/1 words it.
func (s *scanner) amount() fiscal.Money {
	b := s.str()
	if s.err != nil {
		return 0
	}
	m, ok := parseAmount(b)
	if !ok {
		s.err = &wrong{string(s.key), fmt.Sprintf("%q is no amount like 1777.50", clip(b))}
	}
	return m
}

// parseAmount reads "-1777.50": always a point and two decimals.
func parseAmount(b []byte) (m fiscal.Money, ok bool) {
	rest := b
	if len(rest) > 0 && rest[0] == '-' {
		rest = rest[1:]
	}
	if len(rest) < 4 || len(rest) > 19 || rest[len(rest)-3] != '.' {
		return 0, false
	}
	for i, c := range rest {
		switch {
		case i == len(rest)-3:
		case c < '0' || c > '9':
			return 0, false
		default:
			m = m*10 + fiscal.Money(c-'0')
		}
	}
	if len(b) > len(rest) {
		m = -m
	}
	return m, true
}

// wall reads a time of a register: "2026-03-14T09:12:41".
func (s *scanner) wall() fiscal.WallTime {
	b := s.str()
	if s.err != nil {
		return 0
	}
	t, ok := parseClock(b)
	if !ok || len(b) != len("2006-01-02T15:04:05") {
		s.err = &wrong{string(s.key), fmt.Sprintf("%q is no time like 2026-03-14T09:12:41", clip(b))}
	}
	return fiscal.WallTime(t.Unix())
}

// instant reads one of ours, UTC: "2026-03-14T04:12:43.123456Z", in microseconds
// since 1970.
func (s *scanner) instant() int64 {
	b := s.str()
	if s.err != nil {
		return 0
	}
	if t, ok := parseClock(b); ok && b[len(b)-1] == 'Z' {
		micros, scale, ok := int64(0), int64(100_000), true
		rest := b[19 : len(b)-1]
		if len(rest) > 0 {
			ok = rest[0] == '.' && digits(rest[1:], 1, 9)
			for _, c := range rest[1:] {
				micros += int64(c-'0') * scale
				scale /= 10
			}
		}
		if ok {
			return t.Unix()*1_000_000 + micros
		}
	}
	s.err = &wrong{string(s.key), fmt.Sprintf("%q is no instant like 2026-03-14T04:12:43.123456Z", clip(b))}
	return 0
}

// parseClock reads the first 19 characters.
func parseClock(b []byte) (t time.Time, ok bool) {
	if len(b) < 19 || b[4] != '-' || b[7] != '-' || b[10] != 'T' || b[13] != ':' || b[16] != ':' {
		return t, false
	}
	var part [6]int
	for i, at := range [6]struct{ from, to int }{{0, 4}, {5, 7}, {8, 10}, {11, 13}, {14, 16}, {17, 19}} {
		if !digits(b[at.from:at.to], at.to-at.from, at.to-at.from) {
			return t, false
		}
		for _, c := range b[at.from:at.to] {
			part[i] = part[i]*10 + int(c-'0')
		}
	}
	t = time.Date(part[0], time.Month(part[1]), part[2], part[3], part[4], part[5], 0, time.UTC)
	return t, t.Day() == part[2] && int(t.Month()) == part[1] && t.Hour() == part[3] && t.Minute() == part[4] && t.Second() == part[5]
}

// clip is the beginning of what somebody sent, for a message.
func clip(b []byte) string { return string(b[:min(len(b), 40)]) }

// day is the day of a register's clock, in days since 1970.
func day(w fiscal.WallTime) int64 { return int64(w.Day()) / 86_400 }

// parseDay reads "2026-03-14" as days since 1970.
func parseDay(s string) (int64, bool) {
	t, err := time.Parse(time.DateOnly, s)
	return t.Unix() / 86_400, err == nil
}

// dayText is what parseDay reads.
func dayText(d int64) string { return time.Unix(d*86_400, 0).UTC().Format(time.DateOnly) }

// pair reads "200145-58".
func pair(id []byte) (thing, number int64, ok bool) {
	for i, c := range id {
		if c == '-' {
			a, errA := strconv.ParseInt(string(id[:i]), 10, 64)
			b, errB := strconv.ParseInt(string(id[i+1:]), 10, 64)
			return a, b, errA == nil && errB == nil && a > 0 && b > 0
		}
	}
	return 0, 0, false
}
