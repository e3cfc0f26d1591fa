package fiscal

import (
	"errors"
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestWallDate(t *testing.T) {
	for _, tt := range []struct {
		parts [6]int
		ok    bool
	}{
		{[6]int{2026, 3, 14, 9, 12, 41}, true}, {[6]int{1970, 1, 1, 0, 0, 0}, true}, {[6]int{2024, 2, 29, 23, 59, 59}, true},
		{[6]int{2000, 2, 29, 0, 0, 0}, true}, {[6]int{1, 1, 1, 0, 0, 0}, true}, {[6]int{9999, 12, 31, 23, 59, 59}, true},
		{[6]int{2025, 2, 29, 0, 0, 0}, false}, {[6]int{1900, 2, 29, 0, 0, 0}, false}, {[6]int{2026, 13, 1, 0, 0, 0}, false},
		{[6]int{2026, 0, 1, 0, 0, 0}, false}, {[6]int{2026, 4, 31, 0, 0, 0}, false}, {[6]int{2026, 1, 0, 0, 0, 0}, false},
		{[6]int{2026, 1, 1, 24, 0, 0}, false}, {[6]int{2026, 1, 1, 0, 60, 0}, false}, {[6]int{2026, 1, 1, 0, 0, 60}, false},
		{[6]int{0, 1, 1, 0, 0, 0}, false}, {[6]int{10_000, 1, 1, 0, 0, 0}, false}, {[6]int{2026, 1, 1, -1, 0, 0}, false},
	} {
		p := tt.parts
		if _, ok := WallDate(p[0], p[1], p[2], p[3], p[4], p[5]); ok != tt.ok {
			t.Errorf("WallDate(%v): ok %t, want %t", p, ok, tt.ok)
		}
	}
}

// Any date is what the calendar of package time says, and comes back.
func TestWallTimeCalendar(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		at := time.Unix(rapid.Int64Range(-62_135_596_800, 253_402_300_799).Draw(rt, "seconds"), 0).UTC()
		w, ok := WallDate(at.Year(), int(at.Month()), at.Day(), at.Hour(), at.Minute(), at.Second())
		if !ok || int64(w) != at.Unix() || !w.UTC().Equal(at) {
			rt.Fatalf("WallDate(%v) = %d, %t; want %d", at, w, ok, at.Unix())
		}
		y, mo, d, h, mi, s := w.Parts()
		if again, ok := WallDate(y, mo, d, h, mi, s); !ok || again != w {
			rt.Fatalf("Parts(%v) do not make it again", w)
		}
		text, _ := w.MarshalText()
		var again WallTime
		if err := again.UnmarshalText(text); err != nil || again != w {
			rt.Fatalf("%v comes back from %s as %v, %v", w, text, again, err)
		}
	})
}

func TestWallTimeForms(t *testing.T) {
	w, _ := WallDate(2026, 3, 14, 9, 12, 41)
	if got := w.String(); got != "2026-03-14 09:12:41" {
		t.Errorf("String() = %s", got)
	}
	if got := w.Compact(); got != "20260314T091241" {
		t.Errorf("Compact() = %s", got)
	}
	if got := w.Add(90 * time.Second).Sub(w); got != 90*time.Second {
		t.Errorf("Add then Sub = %v, want 90s", got)
	}
	for _, bad := range []string{"", "2026-03-14 09:12:41", "2026-03-14T09:12:41Z", "2026-02-30T00:00:00"} {
		if err := w.UnmarshalText([]byte(bad)); !errors.Is(err, Invalid) {
			t.Errorf("time %q: %v, want a complaint", bad, err)
		}
	}
}

// A device whose clock says 9999 has not come back within its shift.
func TestWallTimeFarApart(t *testing.T) {
	at := func(year int) WallTime {
		w, ok := WallDate(year, 1, 1, 0, 0, 0)
		if !ok {
			t.Fatalf("no year %d", year)
		}
		return w
	}
	for _, tt := range []struct {
		w, v WallTime
		want time.Duration
	}{
		{at(2027), at(2026), 365 * 24 * time.Hour},
		{at(2026), at(2027), -365 * 24 * time.Hour},
		{at(2100), at(2026), (74*365 + 18) * 24 * time.Hour},
		{at(2400), at(2026), farApart},
		{at(2026), at(2400), -farApart},
		{at(9999), at(2026), farApart},
		{at(1), at(9999), -farApart},
		{math.MaxInt64, -2, farApart},
		{math.MinInt64, 2, -farApart},
		{math.MinInt64, math.MinInt64, 0},
	} {
		if got := tt.w.Sub(tt.v); got != tt.want {
			t.Errorf("%d.Sub(%d) = %v, want %v", tt.w, tt.v, got, tt.want)
		}
	}
}

func TestWallTimeZones(t *testing.T) {
	almaty := time.FixedZone("Asia/Almaty", 5*3600)
	at := time.Date(2026, 11, 21, 20, 0, 0, 0, time.UTC)
	w := WallIn(at, almaty)
	if w.String() != "2026-11-22 01:00:00" {
		t.Errorf("WallIn(%v) = %v", at, w)
	}
	if back := w.Instant(almaty); !back.Equal(at) {
		t.Errorf("Instant(%v) = %v, want %v", w, back, at)
	}
}

// A card's zone follows the card, also when a changed copy has another one.
func TestCardLocation(t *testing.T) {
	var c Card
	if err := c.UnmarshalJSON([]byte(`{"zone":"Asia/Almaty"}`)); err != nil {
		t.Fatal(err)
	}
	moved := c
	moved.Zone = "Europe/Moscow"
	for _, tt := range []struct {
		card *Card
		want string
	}{{&c, "Asia/Almaty"}, {&moved, "Europe/Moscow"}, {&Card{Zone: "Asia/Almaty"}, "Asia/Almaty"}, {&Card{Zone: "Mars/Olympus"}, "UTC"}, {&Card{}, "UTC"}} {
		if got := tt.card.Location().String(); got != tt.want {
			t.Errorf("card in %q: Location() = %s, want %s", tt.card.Zone, got, tt.want)
		}
	}
}

// All cards of a zone share what was read of it: it is kilobytes.
func TestCardsShareZone(t *testing.T) {
	read := func() (c Card) {
		if err := c.UnmarshalJSON([]byte(`{"zone":"Asia/Almaty"}`)); err != nil {
			t.Fatal(err)
		}
		return c
	}
	a, b := read(), read()
	if a.Location() != b.Location() {
		t.Error("two cards of Asia/Almaty have read the zone twice")
	}
}
