package cabinet

import (
	"errors"
	"net/url"
	"strings"
	"testing"

	"openofd/internal/fiscal"
)

func TestParseQuery(t *testing.T) {
	sum := func(m fiscal.Money) *fiscal.Money { return &m }
	full := Query{Code: "500000000002", RegistrationNumber: "010101907421", Sum: sum(177750), Time: at(2026, 3, 14, 9, 12, 41)}
	noSum, minute := full, full
	noSum.Sum = nil
	minute.Time, minute.Minute = at(2026, 3, 14, 9, 12, 0), true
	tests := []struct {
		query string
		want  Query
	}{
		{"i=500000000002&f=010101907421&s=1777.50&t=20260314T091241", full},
		{"&i=500000000002&f=010101907421&s=1777.5&t=20260314T091241", full},                 // stray & after ?
		{"i=500000000002&f=010101907421&s=1777%2C5&t=20260314T091241&o=transtelecom", full}, // a redirector's key
		{"t=20260314T091241&f=010101907421&i=500000000002", noSum},
		{"i=500000000002&f=010101907421&s=&t=20260314T091241", noSum},
		{"i=5000+0000+0002&f=0101+0190+7421&s=1+777,50+%E2%82%B8&t=14.03.2026+09:12:41", full}, // as typed from paper
		{"i=500000000002&f=010101907421&s=1%C2%A0777.50&t=14.03.2026,+09:12:41", full},
		{"i=500000000002&f=010101907421&s=1777.50&t=14.03.2026+/+09:12:41", full},
		{"i=500000000002&f=010101907421&s=1777.50&t=2026-03-14T09:12:41", full}, // a browser's form
		{"i=500000000002&f=010101907421&s=1777.50&t=2026-03-14T09:12", minute},
		{"i=500000000002&f=010101907421&s=1777.50&t=20260314t0912", minute},
		{"i=500000000002&f=010101907421&s=1777.50&t=14.03.2026+09:12", minute},
		{"i=500000000002&f=010101907421&s=1777.50&t=+14.03.26+9.12+", minute},
		{"i=500000000002&f=010101907421&s=1777.50&t=14/3/2026%E2%80%AF09:12:41", full},
	}
	for _, tt := range tests {
		values, err := url.ParseQuery(tt.query)
		if err != nil {
			t.Fatal(err)
		}
		got, err := ParseQuery(values)
		if err != nil || !equal(got, tt.want) {
			t.Errorf("ParseQuery(%s) = %+v, %v, want %+v", tt.query, got, err, tt.want)
		}
	}
}

func equal(a, b Query) bool {
	if (a.Sum == nil) != (b.Sum == nil) || a.Sum != nil && *a.Sum != *b.Sum {
		return false
	}
	a.Sum, b.Sum = nil, nil
	a.Country, b.Country = "", ""
	return a == b
}

func TestParseQueryRefuses(t *testing.T) {
	const f, time = "&f=010101907421", "&t=20260314T091241"
	tests := []struct {
		query  string
		reason fiscal.Reason
		field  string
	}{
		{"", fiscal.MissingParameter, "i"},
		{"i=" + f + time, fiscal.MissingParameter, "i"},
		{"i=12a" + f + time, fiscal.BadValue, "i"},
		{"i=-12" + f + time, fiscal.BadValue, "i"},
		{"i=%2B12" + f + time, fiscal.BadValue, "i"},
		{"i=99999999999999999999" + f + time, fiscal.BadValue, "i"},
		{"i=" + strings.Repeat("1", 65) + f + time, fiscal.BadValue, "i"},
		{"i=500000000002" + time, fiscal.MissingParameter, "f"},
		{"i=500000000002&f=<b>" + time, fiscal.BadValue, "f"},
		{"i=500000000002" + f + "&s=1.234" + time, fiscal.BadValue, "s"},
		{"i=500000000002" + f + "&s=-5" + time, fiscal.BadValue, "s"},
		{"i=500000000002" + f + "&s=many" + time, fiscal.BadValue, "s"},
		{"i=500000000002" + f, fiscal.MissingParameter, "t"},
		{"i=500000000002" + f + "&t=20260230T091241", fiscal.BadValue, "t"},
		{"i=500000000002" + f + "&t=20260314", fiscal.BadValue, "t"},
		{"i=500000000002" + f + "&t=20260314T246000", fiscal.BadValue, "t"},
		{"i=500000000002" + f + "&t=03.14.2026+09:12", fiscal.BadValue, "t"},
		{"i=500000000002" + f + "&t=20260314T091241.5", fiscal.BadValue, "t"},
		{"i=500000000002" + f + "&t=" + strings.Repeat("1", 65), fiscal.BadValue, "t"},
		{"i=1001" + f + "&t=20260313T1000", fiscal.MissingParameter, "s"}, // could be counted up
	}
	for _, tt := range tests {
		values, err := url.ParseQuery(tt.query)
		if err != nil {
			t.Fatal(err)
		}
		q, err := ParseQuery(values)
		var e *fiscal.Error
		if !errors.As(err, &e) || e.Reason != tt.reason || e.Field != tt.field {
			t.Errorf("ParseQuery(%s) = %+v, %v, want %v (%s)", tt.query, q, err, tt.reason, tt.field)
		}
	}
}

func TestParseQueryNamesAll(t *testing.T) {
	_, err := ParseQuery(map[string][]string{"i": {"x"}, "s": {"1"}, "t": {"soon"}})
	all, ok := err.(interface{ Unwrap() []error })
	if !ok {
		t.Fatalf("ParseQuery = %v, want several errors", err)
	}
	var fields []string
	for _, err := range all.Unwrap() {
		var e *fiscal.Error
		if errors.As(err, &e) {
			fields = append(fields, e.Field)
		}
	}
	if got := strings.Join(fields, ""); got != "ift" {
		t.Errorf("ParseQuery complains about %q, want i, f and t", got)
	}
}

// FuzzParseQuery: it never panics, its errors are Invalid and name a parameter,
// and what it accepts is accepted again in the form that our own QR codes have.
func FuzzParseQuery(f *testing.F) {
	f.Add("500000000002", "010101907421", "1777.50", "20260314T091241")
	f.Add("1001", "010101907421", "1777,5", "2026-03-14T09:12")
	f.Add(" 1 ", "AB-1", "₸", "14.03.2026 / 09:12:41")
	f.Fuzz(func(t *testing.T, code, register, sum, time string) {
		q, err := ParseQuery(map[string][]string{"i": {code}, "f": {register}, "s": {sum}, "t": {time}})
		if err != nil {
			var e *fiscal.Error
			if !errors.As(err, &e) || e.Kind() != fiscal.Invalid || !strings.Contains("ifst", e.Field) || e.Field == "" {
				t.Fatalf("ParseQuery = %v, want Invalid and the name of a parameter", err)
			}
			return
		}
		again := map[string][]string{"i": {q.Code}, "f": {q.RegistrationNumber}, "t": {q.Time.Compact()}}
		if q.Minute {
			again["t"] = []string{q.Time.Compact()[:13]}
		}
		if q.Sum != nil {
			again["s"] = []string{q.Sum.String()}
		}
		r, err := ParseQuery(again)
		if err != nil || !equal(q, r) {
			t.Fatalf("ParseQuery(%v) = %+v, %v, want %+v", again, r, err, q)
		}
	})
}
