package policy

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"openofd/internal/fiscal"
)

func moment(t *testing.T, s string) fiscal.WallTime {
	t.Helper()
	at, err := time.Parse(time.DateTime, s)
	if err != nil {
		t.Fatal(err)
	}
	return fiscal.WallTime(at.Unix())
}

func codes(terms Terms) string {
	var all []string
	for _, r := range terms.VAT {
		all = append(all, r.Code)
	}
	return strings.Join(all, " ")
}

// Each change of a rate, a second before and at midnight.
// Req: E-104, F-072, F-073
func TestRates(t *testing.T) {
	const old, simplified = "vat10 vat0 none", "vat10 vat7 vat5 vat0 none"
	for _, tt := range []struct {
		country  fiscal.Country
		at       string
		standard uint32
		want     string
	}{
		{fiscal.Kazakhstan, "2025-12-31 23:59:59", 12_000, "vat12 vat0 none"},
		{fiscal.Kazakhstan, "2026-01-01 00:00:00", 16_000, "vat16 vat0 none"},
		{fiscal.Kazakhstan, "2026-11-21 12:00:00", 16_000, "vat16 vat0 none"},
		{fiscal.Russia, "2018-12-31 23:59:59", 18_000, "vat18 " + old + " vat18_118 vat10_110"},
		{fiscal.Russia, "2019-01-01 00:00:00", 20_000, "vat20 " + old + " vat20_120 vat10_110"},
		{fiscal.Russia, "2024-12-31 23:59:59", 20_000, "vat20 " + old + " vat20_120 vat10_110"},
		{fiscal.Russia, "2025-01-01 00:00:00", 20_000, "vat20 " + simplified + " vat20_120 vat10_110 vat7_107 vat5_105"},
		{fiscal.Russia, "2025-12-31 23:59:59", 20_000, "vat20 " + simplified + " vat20_120 vat10_110 vat7_107 vat5_105"},
		{fiscal.Russia, "2026-01-01 00:00:00", 22_000, "vat22 " + simplified + " vat22_122 vat10_110 vat7_107 vat5_105"},
	} {
		terms := For(tt.country).At(moment(t, tt.at))
		if terms.Standard() != tt.standard || codes(terms) != tt.want {
			t.Errorf("%s at %s: standard %d, rates %s; want %d, %s", tt.country, tt.at, terms.Standard(), codes(terms), tt.standard, tt.want)
		}
	}
}

// Req: O-080, P-014, P-022, E-146, O-087
func TestLimits(t *testing.T) {
	for _, tt := range []struct {
		country   fiscal.Country
		offline   time.Duration
		marking   time.Duration
		retention int
	}{{fiscal.Kazakhstan, 72 * time.Hour, 0, 8}, {fiscal.Russia, 30 * 24 * time.Hour, 30 * 24 * time.Hour, 5}} {
		for _, at := range []string{"2017-01-01 00:00:00", "2026-11-21 12:00:00", "2046-01-01 00:00:00"} {
			terms := For(tt.country).At(moment(t, at))
			if terms.Offline != tt.offline || terms.Shift != 24*time.Hour || terms.Retention != tt.retention || terms.Marking != tt.marking {
				t.Errorf("%s at %s: offline %v, shift %v, marking %v, kept %d years; want %v, 24h, %v, %d",
					tt.country, at, terms.Offline, terms.Shift, terms.Marking, terms.Retention, tt.offline, tt.marking, tt.retention)
			}
		}
	}
}

func TestUnknownCountry(t *testing.T) {
	if terms := For("us").At(moment(t, "2026-11-21 12:00:00")); terms.Offline != 0 || terms.Shift != 0 || terms.VAT != nil || terms.Standard() != 0 {
		t.Errorf("For(us) = %+v, want nothing", terms)
	}
}

// The data hold together: values in the order of their days, the standard rate
// without a gap or an overlap, codes that say their percent and are used once.
func TestData(t *testing.T) {
	for _, c := range []fiscal.Country{fiscal.Kazakhstan, fiscal.Russia} {
		p := For(c)
		for name, days := range map[string][]fiscal.WallTime{"offline": froms(p.offline), "shift": froms(p.shift), "retention": froms(p.retention)} {
			if len(days) == 0 || days[0] != always || !slices.IsSorted(days) {
				t.Errorf("%s: %s begins on %v, want from always on and in order", c, name, days)
			}
		}
		seen := map[string]bool{}
		for _, r := range p.vat {
			if seen[r.Code] {
				t.Errorf("%s: code %s stands twice", c, r.Code)
			}
			seen[r.Code] = true
			want := fmt.Sprintf("vat%d", r.Percent/1000)
			switch {
			case r.Exempt:
				want = "none"
			case r.Calculated:
				want += fmt.Sprintf("_%d", 100+r.Percent/1000)
			}
			if r.Code != want || r.until != 0 && r.until <= r.from {
				t.Errorf("%s: %s is %d from %v until %v, want code %s", c, r.Code, r.Percent, r.from, r.until, want)
			}
		}
		for at := moment(t, "2010-01-01 00:00:00"); at < moment(t, "2030-01-01 00:00:00"); at = at.Add(24 * time.Hour) {
			standard := 0
			for _, r := range p.At(at).VAT {
				if r.Percent >= 12_000 && !r.Calculated {
					standard++
				}
			}
			if standard != 1 {
				t.Fatalf("%s on %v: %d standard rates", c, at, standard)
			}
		}
	}
}

func froms[T any](all []dated[T]) (days []fiscal.WallTime) {
	for _, d := range all {
		days = append(days, d.from)
	}
	return days
}

// What was received in a month goes when the longest term of all countries is
// over, from the end of the year that the documents may bear.
//
// Req: P-022, T-092, O-047
func TestKeptUntil(t *testing.T) {
	now := time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)
	for _, tt := range []struct {
		month int32
		years int
		want  string
	}{
		{202104, 0, "2030-01-01 14:00:00"},
		{202111, 0, "2030-01-01 14:00:00"},
		{202112, 0, "2031-01-01 14:00:00"}, // New Year's night of the east
		{202104, 5, "2030-01-01 14:00:00"}, // never shorter than the law
		{202104, 10, "2032-01-01 14:00:00"},
	} {
		if got := KeptUntil(tt.month, now, tt.years).Format(time.DateTime); got != tt.want {
			t.Errorf("KeptUntil(%d, %d years) = %s, want %s", tt.month, tt.years, got, tt.want)
		}
	}
}
