package cabinet

import (
	"encoding/json"
	"errors"
	"net/url"
	"strings"
	"testing"

	"openofd/internal/fiscal"
	"openofd/internal/journal"
)

const (
	drive = "9999078902001234"
	later = "9999078902001299" // the drive that came after it
)

// driveShop is a register of Russia whose first drive is spent.
func driveShop() *memory {
	place := fiscal.Place{Partition: 3, Register: register}
	m := &memory{
		addresses: map[fiscal.Address]fiscal.Place{{Kind: fiscal.ByDrive, Name: drive}: place, {Kind: fiscal.ByDrive, Name: later}: place},
		cards:     map[fiscal.RegisterID][]fiscal.Card{register: {{Register: register, Version: 1, Country: fiscal.Russia}}},
	}
	add := func(r fiscal.Record) {
		r.Register, r.Number, r.CardVersion = register, fiscal.Number(len(m.entries)+1), 1
		if r.Drive == "" {
			r.Drive = drive
		}
		m.entries = append(m.entries, journal.Entry{Record: r, Partition: 3})
	}
	add(fiscal.Record{Kind: fiscal.DocShiftOpen, DeviceNumber: 1, FiscalSign: 11, DeviceTime: at(2026, 3, 14, 9, 0, 0)})
	add(fiscal.Record{Kind: fiscal.DocReceipt, DeviceNumber: 2, FiscalSign: 2952575369, Op: fiscal.OpSale, DeviceTime: at(2026, 3, 14, 9, 12, 41), Total: 177750})
	add(fiscal.Record{Kind: fiscal.DocNotice, DeviceNumber: 2, Refers: 2, DeviceTime: at(2026, 3, 14, 9, 12, 41)}) // sent again
	add(fiscal.Record{Kind: fiscal.DocReceipt, DeviceNumber: 3, FiscalSign: 42, Op: fiscal.OpPurchaseReturn, DeviceTime: at(2026, 3, 14, 9, 30, 0), Total: 100})
	add(fiscal.Record{Kind: fiscal.DocShiftClose, DeviceNumber: 4, FiscalSign: 44, DeviceTime: at(2026, 3, 14, 10, 0, 0)})
	add(fiscal.Record{Kind: fiscal.DocReceipt, DeviceNumber: 2, FiscalSign: 77, Op: fiscal.OpSale, DeviceTime: at(2026, 3, 14, 11, 0, 0), Total: 500, Drive: later})
	return m
}

// Req: F-043, F-075
func TestCheckRussian(t *testing.T) {
	const good = "t=20260314T0912&s=1777.50&fn=" + drive + "&i=2&fp=2952575369&n=1"
	with := func(pairs ...string) string {
		v, _ := url.ParseQuery(good)
		for i := 0; i < len(pairs); i += 2 {
			v.Set(pairs[i], pairs[i+1])
		}
		return v.Encode()
	}
	const wait = "not_yet by 2026-04-13 09:12:00"
	tests := []struct{ name, query, want string }{
		{"as devices print it", good, "genuine entry 2, code 2952575369"},
		{"with seconds", with("t", "20260314T091241"), "genuine entry 2, code 2952575369"},
		{"with seconds cut to the minute", with("t", "20260314T091200"), "genuine entry 2, code 2952575369"},
		{"padded", with("fp", "02952575369", "i", "0000002"), "genuine entry 2, code 2952575369"},
		{"as on paper", with("t", "14.03.26 09:12", "s", "1777,50 ₽", "fn", "9999 0789 0200 1234"), "genuine entry 2, code 2952575369"},
		{"a return of a purchase", with("i", "3", "fp", "42", "s", "1", "t", "20260314T0930", "n", "4"), "genuine entry 4, code 42"},
		{"the same number in another drive", with("fn", later, "fp", "77", "s", "5", "t", "20260314T1100"), "genuine entry 6, code 77"},
		{"another sum", with("s", "1777.51"), "differs [s]"},
		{"another minute", with("t", "20260314T0913"), "differs [t]"},
		{"another operation", with("n", "2"), "differs [n]"},
		{"all but the sign", with("n", "2", "s", "1", "t", "20260314T0101"), "differs [t s n]"},
		{"the sign alone", with("fp", "2952575368"), "differs [fp]"},
		{"sign and sum", with("fp", "1", "s", "1"), wait},
		{"sign and minute", with("fp", "1", "t", "20260314T0911"), "not_yet by 2026-04-13 09:11:00"},
		{"sign and operation", with("fp", "1", "n", "3"), wait},
		{"a shift's report is nobody's receipt", with("i", "4", "fp", "44"), wait},
		{"a document that has not come", with("i", "5"), wait},
		{"an unknown drive", with("fn", "9999078902009999"), wait},
		{"thirty days ago in the east", with("i", "5", "t", "20260212T0900"), "none"},
		{"not quite thirty days in the west", with("i", "5", "t", "20260212T0901"), "not_yet by 2026-03-14 09:01:00"},
		{"today in Kamchatka", with("i", "5", "t", "20260314T1959"), "not_yet by 2026-04-13 19:59:00"},
		{"tomorrow", with("i", "5", "t", "20260315T0000"), "none"},
	}
	for _, tt := range tests {
		if got := show(check(t, checker(driveShop()), tt.query)); got != tt.want {
			t.Errorf("%s: Check(%s) = %q, want %q", tt.name, tt.query, got, tt.want)
		}
	}
}

// TestCheckRussianTellsNothing shows that drives and documents cannot be
// counted: whatever is missing, the answer is the same bytes.
func TestCheckRussianTellsNothing(t *testing.T) {
	c := checker(driveShop())
	same := func(query string) string {
		r := check(t, c, query+"&t=20260314T1500&s=1&n=1")
		r.Query = Query{}
		b, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	want := same("fn=" + drive + "&i=999&fp=1")
	for _, query := range []string{"fn=" + drive + "&i=1&fp=11", "fn=" + drive + "&i=2&fp=1", "fn=" + drive + "&i=4&fp=44", "fn=9999078902009999&i=2&fp=2952575369"} {
		if got := same(query); got != want {
			t.Errorf("%s answers %s, a document that is not there %s", query, got, want)
		}
	}
}

// TestRussianQuery: the code of a found receipt is the one its device printed,
// and the link leads to the same check.
func TestRussianQuery(t *testing.T) {
	const printed = "t=20260314T0912&s=1777.50&fn=" + drive + "&i=2&fp=2952575369&n=1"
	f := check(t, checker(driveShop()), printed).Found
	if got := f.QR("https://ofd.example/"); got != printed {
		t.Errorf("QR() = %q, want %q", got, printed)
	}
	if got, want := f.Link("https://ofd.example/"), "https://ofd.example/check?"+printed; got != want {
		t.Errorf("Link() = %q, want %q", got, want)
	}
	if !f.Russian() || f.Country() != fiscal.Russia || f.Canceled != nil {
		t.Errorf("Russian() = %t, Country() = %s, canceled %v", f.Russian(), f.Country(), f.Canceled)
	}
}

func TestParseRussianRefuses(t *testing.T) {
	_, err := ParseQuery(map[string][]string{"fn": {"123"}, "t": {"soon"}, "s": {"many"}, "i": {"0"}, "fp": {"4294967296"}, "n": {"5"}})
	if got := complaints(err); got != "t:bad_value s:bad_value fn:bad_value i:bad_value fp:bad_value n:bad_value" {
		t.Errorf("ParseQuery complains %q", got)
	}
	_, err = ParseQuery(map[string][]string{"fp": {""}})
	if got := complaints(err); got != "t:missing_parameter s:missing_parameter fn:missing_parameter i:missing_parameter fp:missing_parameter n:missing_parameter" {
		t.Errorf("ParseQuery of nothing complains %q", got)
	}
	for _, bad := range []string{"n=0", "n=x", "i=-1", "i=%2B2", "fp=%2B1", "fn=999907890200123x", "fn=" + strings.Repeat("9", 17)} {
		v, _ := url.ParseQuery("t=20260314T0912&s=1777.50&fn=" + drive + "&i=2&fp=2952575369&n=1")
		wrong, _ := url.ParseQuery(bad)
		for key := range wrong {
			v[key] = wrong[key]
			if _, err := ParseQuery(v); complaints(err) != key+":bad_value" {
				t.Errorf("ParseQuery with %s = %v, want a complaint about %s", bad, err, key)
			}
		}
	}
}

func complaints(err error) string {
	var all []string
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		for _, err := range joined.Unwrap() {
			var e *fiscal.Error
			if errors.As(err, &e) {
				all = append(all, e.Field+":"+e.Reason.String())
			}
		}
	}
	return strings.Join(all, " ")
}

func TestPasted(t *testing.T) {
	const ru, kz = "fn=9999078902001234&fp=2952575369&i=2&n=1&s=1777.50&t=20260314T0912", "f=010101907421&i=500000000002&s=1777.50&t=20260314T091241"
	for _, tt := range []struct{ text, want string }{
		{"t=20260314T0912&s=1777.50&fn=9999078902001234&i=2&fp=2952575369&n=1", ru},
		{" t=20260314T0912&s=1777.50\n&fn=9999078902001234&i=2&fp=2952575369&n=1\r\n", ru},
		{"https://ofd.example/check?t=20260314T0912&s=1777.50&fn=9999078902001234&i=2&fp=2952575369&n=1&lang=ru#top", ru},
		{"http://consumer.example/?i=500000000002&f=010101907421&s=1777.50&t=20260314T091241", kz},
		{"i=500000000002&f=010101907421&s=1777.50&t=20260314T091241&q=1", kz},
		{"t=20260314T0912&s=1777.50", ""},
		{"ФН 9999078902001234", ""},
		{"", ""},
		{"https://ofd.example/", ""},
		{"%zz=1&i=1&f=1", ""},
		{"i=1&f=1&x=" + strings.Repeat("x", 4096), ""},
	} {
		got, ok := Pasted(tt.text)
		if ok != (tt.want != "") || ok && got.Encode() != tt.want {
			t.Errorf("Pasted(%.80q) = %s, %t, want %s", tt.text, got.Encode(), ok, tt.want)
		}
	}
}

// FuzzParseRussian: what is accepted is accepted again as devices print it.
func FuzzParseRussian(f *testing.F) {
	f.Add("t=20260314T0912&s=1777.50&fn=9999078902001234&i=2&fp=2952575369&n=1")
	f.Add("https://x/?fn=9999 0789 0200 1234&i=007&fp=1&n=4&s=1,5&t=14.03.26+9:12")
	f.Fuzz(func(t *testing.T, pasted string) {
		values, ok := Pasted(pasted)
		if !ok || CountryOf(values) != fiscal.Russia {
			return
		}
		q, err := ParseQuery(values)
		if err != nil {
			if complaints(err) == "" {
				t.Fatalf("ParseQuery(%v) = %v, want the names of parameters", values, err)
			}
			return
		}
		found := Found{Document: fiscal.Document{Record: fiscal.Record{
			Drive: q.Drive, DeviceNumber: uint64(q.Number), FiscalSign: uint64(q.Sign), Op: q.Op, Total: *q.Sum, DeviceTime: q.Time,
		}}}
		again, _ := Pasted(found.QR(""))
		r, err := ParseQuery(again)
		if err != nil || r.Drive != q.Drive || r.Number != q.Number || r.Sign != q.Sign || r.Op != q.Op || *r.Sum != *q.Sum || r.Time != q.Time-q.Time%60 {
			t.Fatalf("ParseQuery(%v) = %+v, %v, want %+v", again, r, err, q)
		}
	})
}
