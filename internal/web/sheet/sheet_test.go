package sheet

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"

	"openofd/internal/fiscal"
)

func limits() Limits {
	return Limits{Rows: 10, Unpacked: 1 << 20, Raw: true, Windows: true}
}

func TestRead(t *testing.T) {
	want := [][]string{{"Дата", "Сумма"}, {"21.03.2026 14:05", "1 234,50"}}
	tests := []struct{ name, content string }{
		{"semicolons", "Дата;Сумма\n21.03.2026 14:05;1 234,50\n"},
		{"commas", "Дата,Сумма\r\n21.03.2026 14:05,\"1 234,50\"\r\n"},
		{"tabs", "Дата\tСумма\n21.03.2026 14:05\t1 234,50\n"},
		{"a mark of UTF-8", "\xef\xbb\xbfДата;Сумма\n21.03.2026 14:05;1 234,50"},
		{"windows-1251", "\xc4\xe0\xf2\xe0;\xd1\xf3\xec\xec\xe0\n21.03.2026 14:05;1 234,50"},
		{"UTF-16", utf16le("Дата\tСумма\n21.03.2026 14:05\t1 234,50")},
	}
	for _, tt := range tests {
		if got, why := Read([]byte(tt.content), limits()); !reflect.DeepEqual(got, want) || why != "" {
			t.Errorf("%s: Read() = %q, %q, want %q", tt.name, got, why, want)
		}
	}
	for content, want := range map[string]string{
		"": "empty", "PK\x03\x04": "no_table", "a;\x00": "not_utf8", strings.Repeat("a\n", 11): "too_many", strings.Repeat("a;", 70): "no_table",
	} {
		if _, why := Read([]byte(content), limits()); why != want {
			t.Errorf("Read(%.20q) is refused for %q, want %q", content, why, want)
		}
	}
	if _, why := Read([]byte("\xc4"), Limits{Rows: 1}); why != "not_utf8" {
		t.Errorf("windows-1251 that is not asked for is refused for %q", why)
	}
}

func utf16le(s string) string {
	var b strings.Builder
	b.WriteString("\xff\xfe")
	for _, r := range s {
		b.WriteByte(byte(r))
		b.WriteByte(byte(r >> 8))
	}
	return b.String()
}

// A workbook gives its numbers as they are stored.
func TestReadBook(t *testing.T) {
	f := excelize.NewFile()
	for cell, v := range map[string]any{"A1": "Дата", "B1": "Сумма", "A2": fiscal.WallTime(1_774_101_933).UTC(), "B2": 0.1 + 0.2, "C2": "0012"} {
		if err := f.SetCellValue("Sheet1", cell, v); err != nil {
			t.Fatal(err)
		}
	}
	b, err := f.WriteToBuffer()
	if err != nil {
		t.Fatal(err)
	}
	got, why := Read(b.Bytes(), limits())
	if why != "" || len(got) != 2 || len(got[1]) != 3 || got[1][2] != "0012" {
		t.Fatalf("Read() = %q, %q", got, why)
	}
	if at, ok := Time(got[1][0]); !ok || at != (Moment{1_774_101_933, true, true}) {
		t.Errorf("Time(%q) = %v, %v, want 2026-03-21 14:05:33", got[1][0], at, ok)
	}
	if sum, ok := Amount(got[1][1]); !ok || sum != 30 {
		t.Errorf("Amount(%q) = %v, %v, want 0.30", got[1][1], sum, ok)
	}
	if _, why := Read(b.Bytes(), Limits{Rows: 10, Unpacked: 100, Raw: true}); why != "no_table" {
		t.Errorf("a workbook that unpacks to more than it may is refused for %q", why)
	}
}

func TestAmount(t *testing.T) {
	for s, want := range map[string]fiscal.Money{
		"1234": 123_400, "1234,5": 123_450, "1 234,50 ₸": 123_450, "1\u00a0234.50": 123_450, "1'234.50": 123_450, "1.234,56": 123_456, "1,234.56": 123_456,
		"1.234.567": 123_456_700, "1,234,567.8": 123_456_780, "-5": -500, "−5,10": -510, "(5,10)": -510, "0": 0, "1.2345E3": 123_450, "12E-1": 120, "5e-2": 5,
		"0.30000000000000004": 30, "1234.4999999999998": 123_450, "100 тенге": 10_000, "7.10руб.": 710, "99999999999": 9_999_999_999_900, "1.50000": 150,
	} {
		if got, ok := Amount(s); !ok || got != want {
			t.Errorf("Amount(%q) = %v, %v, want %v", s, got, ok, want)
		}
	}
	for _, s := range []string{"", "-", "сто", "1.005", "1,2345", "12,34,56", "1.2,3.4", "1e99", "1e", "(5", "5)", "1.", "99999999999999999999", "1 000 у.е.", "0x10", strings.Repeat("1", 100), "1-2"} {
		if got, ok := Amount(s); ok {
			t.Errorf("Amount(%q) = %v, want none", s, got)
		}
	}
}

func TestTime(t *testing.T) {
	at := func(h, m, s int) fiscal.WallTime {
		w, _ := fiscal.WallDate(2026, 3, 21, h, m, s)
		return w
	}
	for s, want := range map[string]Moment{
		"21.03.2026 14:05": {at(14, 5, 0), true, false}, "21.03.26, 14:05:33": {at(14, 5, 33), true, true}, "21/03/2026": {at(0, 0, 0), false, false},
		"2026-03-21": {at(0, 0, 0), false, false}, "2026-03-21T14:05:33": {at(14, 5, 33), true, true}, "2026-03-21 14:05:33.120": {at(14, 5, 33), true, true},
		"2026-03-21T14:05:33+05:00": {at(14, 5, 33), true, true}, "20260321T140533": {at(14, 5, 33), true, true}, "20260321": {at(0, 0, 0), false, false},
		"46102": {at(0, 0, 0), false, false}, "46102.586805555556": {at(14, 5, 0), true, true}, "46102,5": {at(12, 0, 0), true, true}, "46102.99999999": {at(0, 0, 0) + 86400, true, true},
	} {
		if got, ok := Time(s); !ok || got != want {
			t.Errorf("Time(%q) = %v, %v, want %v", s, got, ok, want)
		}
	}
	for _, s := range []string{"", "вчера", "31.02.2026", "21.13.2026", "21.03.2026 25:00", "1999-12-31", "99999", "2026-03-21T14:05:33Z", "3", strings.Repeat("1", 100)} {
		if got, ok := Time(s); ok {
			t.Errorf("Time(%q) = %v, want none", s, got)
		}
	}
	for s, want := range map[string]fiscal.WallTime{"14:05": 50_700, "14:05:33": 50_733, "0.5": 43_200, "0": 0, "21.03.2026 9:00": 32_400, "46102.5": 43_200} {
		if got, _, ok := Clock(s); !ok || got != want {
			t.Errorf("Clock(%q) = %v, %v, want %v", s, got, ok, want)
		}
	}
	for _, s := range []string{"", "24:00", "9", "9:60", "noon"} {
		if got, _, ok := Clock(s); ok {
			t.Errorf("Clock(%q) = %v, want none", s, got)
		}
	}
}

func TestDigits(t *testing.T) {
	for s, want := range map[string]uint64{"362397639340": 362397639340, "№ 0017": 17, "3.6239763934E11": 362397639340, "17.0": 17, "8.12E2": 812} {
		if got, ok := Digits(s); !ok || got != want {
			t.Errorf("Digits(%q) = %d, %v, want %d", s, got, ok, want)
		}
	}
	for _, s := range []string{"", "A-17", "1.5", "-1", "1e", "1e-3", "+1"} {
		if got, ok := Digits(s); ok {
			t.Errorf("Digits(%q) = %d, want none", s, got)
		}
	}
}

// FuzzAmount: what is read is written and read again as the same.
func FuzzAmount(f *testing.F) {
	for _, s := range []string{"1 234,50 ₸", "(5,1)", "1.2345E3", "0.30000000000000004", "1.234.567", "9999e-7"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if m, ok := Amount(s); ok {
			if again, ok := Amount(m.String()); !ok || again != m {
				t.Errorf("Amount(%q) = %v, which is read as %v, %v", s, m, again, ok)
			}
		}
	})
}

// FuzzTime: what is read is a time between the years, and is read again as the
// same.
func FuzzTime(f *testing.F) {
	for _, s := range []string{"21.03.2026 14:05", "46102.58", "20260321T140533", "2026-03-21T14:05:33+05:00", "29.02.28"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		at, ok := Time(s)
		if !ok {
			return
		}
		if year, _, _, _, _, _ := at.Time.Parts(); year < firstYear || year > lastYear+1 {
			t.Errorf("Time(%q) = %v", s, at.Time)
		}
		if again, ok := Time(fmt.Sprint(at.Time)); !ok || again.Time != at.Time {
			if year, _, _, _, _, _ := at.Time.Parts(); year <= lastYear {
				t.Errorf("Time(%q) = %v, which is read as %v, %v", s, at.Time, again.Time, ok)
			}
		}
		Clock(s)
		Digits(s)
	})
}

// FuzzRead: whatever people upload is read or refused, within the bounds.
func FuzzRead(f *testing.F) {
	for _, s := range []string{"a;b\n1;2", "\xff\xfea\x00;\x00", "PK\x03\x04", "\"", "\xc4\xe0"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		if table, why := Read(content, limits()); (why == "") == (len(table) == 0) || len(table) > 10 {
			t.Errorf("Read() = %d rows, %q", len(table), why)
		}
	})
}
