package sandbox

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"
)

// FuzzScan holds the scanner against the reader of the standard library: one
// takes what the other takes, but for what lies too deep or is no UTF-8.
func FuzzScan(f *testing.F) {
	for _, text := range []string{
		`{}`, `[]`, `""`, `0`, `-0.5e+7`, `{"a":[1,2,{"b":null}],"c":"\u00e9\ud83d\ude00\n"}`, `[1,]`, `{"a":1,}`, `{"a" 1}`, `01`, `-`, `1.`, `"\x"`, `"\ud800"`,
		"\"\t\"", `tru`, `nullx`, ` [ true , false ] `, `{"a":1}{"b":2}`, "\"\xff\"", strings.Repeat("[", 40) + strings.Repeat("]", 40),
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		s := scanner{text: text}
		s.skip()
		err := s.end()
		switch valid := json.Valid(text) && utf8.Valid(text); {
		case err == nil && !valid:
			t.Errorf("%q was taken and is no JSON", text)
		case err != nil && valid && !strings.Contains(err.Error(), "too deep"):
			t.Errorf("%q is JSON: %v", text, err)
		}
		var want any
		if json.Unmarshal(text, &want) == nil && utf8.Valid(text) {
			if text, ok := want.(string); ok {
				s := scanner{text: s.text}
				if got := string(s.str()); got != text {
					t.Errorf("%q is read as %q, want %q", s.text, got, text)
				}
			}
		}
		// Whatever comes, a line is read or refused, and nothing breaks.
		_, _ = parseKazakh(text)
		_, _ = parseRussian(text)
		readContent(text)
	})
}

func TestScanNumbers(t *testing.T) {
	tests := []struct {
		text    string
		integer int64
		natural uint64
		fails   string // "integer", "natural", "both"
	}{
		{"0", 0, 0, ""},
		{"-7", -7, 0, "natural"},
		{"9223372036854775807", 1<<63 - 1, 1<<63 - 1, ""},
		{"-9223372036854775808", -1 << 63, 0, "natural"},
		{"9223372036854775808", 0, 1 << 63, "integer"},
		{"18446744073709551615", 0, 1<<64 - 1, "integer"},
		{"18446744073709551616", 0, 0, "both"},
		{"1.5", 0, 0, "both"},
		{"1e3", 0, 0, "both"},
		{"007", 0, 0, "both"},
		{`"7"`, 0, 0, "both"},
	}
	for _, tt := range tests {
		a, b := scanner{text: []byte(tt.text)}, scanner{text: []byte(tt.text)}
		i, n := a.integer(), b.natural()
		if failed := a.end() != nil; failed != (tt.fails == "integer" || tt.fails == "both") || !failed && i != tt.integer {
			t.Errorf("integer(%s) = %d, %v, want %d", tt.text, i, a.err, tt.integer)
		}
		if failed := b.end() != nil; failed != (tt.fails == "natural" || tt.fails == "both") || !failed && n != tt.natural {
			t.Errorf("natural(%s) = %d, %v, want %d", tt.text, n, b.err, tt.natural)
		}
	}
}

func TestAmounts(t *testing.T) {
	tests := []struct {
		text string
		want int64
		ok   bool
	}{
		{"1777.50", 177750, true}, {"-0.01", -1, true}, {"0.00", 0, true}, {"9999999999999999.99", 999999999999999999, true},
		{"1777.5", 0, false}, {"1777", 0, false}, {".50", 0, false}, {"1,50", 0, false}, {"--1.00", 0, false}, {"", 0, false}, {"12345678901234567.00", 0, false},
	}
	for _, tt := range tests {
		if got, ok := parseAmount([]byte(tt.text)); ok != tt.ok || ok && int64(got) != tt.want {
			t.Errorf("parseAmount(%q) = %d, %t, want %d, %t", tt.text, got, ok, tt.want, tt.ok)
		}
	}
}

func TestClocks(t *testing.T) {
	tests := []struct {
		text string
		want int64 // microseconds
		ok   bool
	}{
		{"2026-03-14T04:12:43.123456Z", 1773461563123456, true},
		{"2026-03-14T04:12:43Z", 1773461563000000, true},
		{"2026-03-14T04:12:43.5Z", 1773461563500000, true},
		{"2026-03-14T04:12:43", 0, false},
		{"2026-03-14T04:12:43.Z", 0, false},
		{"2026-02-30T04:12:43Z", 0, false},
		{"2026-03-14T24:00:00Z", 0, false},
		{"2026-03-14T04:12:43+05:00", 0, false},
		{"yesterday", 0, false},
	}
	for _, tt := range tests {
		s := scanner{text: []byte(`"` + tt.text + `"`)}
		if got := s.instant(); (s.err == nil) != tt.ok || got != tt.want {
			t.Errorf("instant(%s) = %d, %v, want %d", tt.text, got, s.err, tt.want)
		}
	}
}
