package kkm_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"openofd/internal/protocol/kkm"
	"openofd/internal/protocol/kkm/kkmpb"
)

// A date and time is valid exactly if the calendar of package time leaves it
// as it is.
func TestValidDateTime(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		part := func(name string, max uint32) uint32 { return rapid.Uint32Range(0, max).Draw(t, name) }
		y, mo, d := part("year", 11000), part("month", 13), part("day", 32)
		h, mi, s := part("hour", 25), part("minute", 61), part("second", 61)
		u := time.Date(int(y), time.Month(mo), int(d), int(h), int(mi), int(s), 0, time.UTC)
		want := y >= 1000 && y <= 9999 && uint32(u.Year()) == y && uint32(u.Month()) == mo && uint32(u.Day()) == d &&
			uint32(u.Hour()) == h && uint32(u.Minute()) == mi && uint32(u.Second()) == s
		if got := kkm.ValidDateTime(kkm.NewDateTime(y, mo, d, h, mi, s)); got != want {
			t.Fatalf("ValidDateTime(%d-%d-%d %d:%d:%d) = %v, want %v", y, mo, d, h, mi, s, got, want)
		}
	})
}

func TestDateTimeEdges(t *testing.T) {
	noSeconds := kkm.NewDateTime(2026, 3, 14, 9, 0, 0)
	noSeconds.Time.Second = nil
	for _, c := range []struct {
		name        string
		d           *kkmpb.DateTime
		valid, zero bool
	}{
		{"absent", nil, false, true},
		{"zeros", kkm.NewDateTime(0, 0, 0, 0, 0, 0), false, true},
		{"no seconds", noSeconds, true, false},
		{"29 February 2000", kkm.NewDateTime(2000, 2, 29, 0, 0, 0), true, false},
		{"29 February 2100", kkm.NewDateTime(2100, 2, 29, 0, 0, 0), false, false},
		{"31 April", kkm.NewDateTime(2026, 4, 31, 0, 0, 0), false, false},
		{"1970", kkm.NewDateTime(1970, 1, 1, 0, 0, 0), true, false},
		{"huge", kkm.NewDateTime(1<<31, 1<<31, 1<<31, 1<<31, 1<<31, 1<<31), false, false},
	} {
		if got := kkm.ValidDateTime(c.d); got != c.valid {
			t.Errorf("%s: ValidDateTime(%v) = %v, want %v", c.name, c.d, got, c.valid)
		}
		if got := kkm.IsZeroDateTime(c.d); got != c.zero {
			t.Errorf("%s: IsZeroDateTime(%v) = %v, want %v", c.name, c.d, got, c.zero)
		}
	}
}
