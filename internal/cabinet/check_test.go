package cabinet

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"openofd/internal/fiscal"
	"openofd/internal/journal"
)

// show says what an answer is, in one line.
func show(r Result) string {
	s := r.Verdict.String()
	if len(r.Differs) > 0 {
		s += fmt.Sprint(" ", r.Differs)
	}
	if r.LookAgain != 0 {
		s += " by " + r.LookAgain.String()
	}
	if f := r.Found; f != nil {
		s += fmt.Sprintf(" entry %d, code %s", f.Document.Number, f.PrintedCode())
		if f.Offline() {
			s += ", offline"
		}
		if f.Canceled != nil {
			s += ", canceled " + f.Canceled.Time.String()
		}
	}
	return s
}

func check(t *testing.T, c *Checker, query string) Result {
	t.Helper()
	values, err := url.ParseQuery(query)
	if err != nil {
		t.Fatal(err)
	}
	q, err := ParseQuery(values)
	if err != nil {
		t.Fatalf("ParseQuery(%s) = %v", query, err)
	}
	r, err := c.Check(t.Context(), q)
	if err != nil {
		t.Fatalf("Check(%s) = %v", query, err)
	}
	return r
}

// Req: P-025, O-085, O-086
func TestCheck(t *testing.T) {
	const f = "&f=" + rnm
	tests := []struct{ name, query, want string }{
		{"all fields", "i=500000000002" + f + "&s=1777.50&t=20260314T091241", "genuine entry 2, code 500000000002"},
		{"one decimal, other order, stray key", "t=20260314T091241&s=1777.5&o=x" + f + "&i=500000000002", "genuine entry 2, code 500000000002"},
		{"comma", "i=500000000002" + f + "&s=1777,5&t=20260314T091241", "genuine entry 2, code 500000000002"},
		{"no sum", "i=500000000002" + f + "&t=20260314T091241", "genuine entry 2, code 500000000002"},
		{"minutes", "i=500000000002" + f + "&t=20260314T0912", "genuine entry 2, code 500000000002"},
		{"another minute", "i=500000000002" + f + "&t=20260314T0913", "differs [t]"},
		{"seconds named must fit", "i=500000000002" + f + "&s=1777.50&t=20260314T091200", "differs [t]"},
		{"another sum", "i=500000000002" + f + "&s=1777.51&t=20260314T091241", "differs [s]"},
		{"sum and time", "i=500000000002" + f + "&s=1&t=20260101T000000", "differs [s t]"},
		{"canceled, with a report and a notice between", "i=500000000003" + f + "&t=20260314T093000", "genuine entry 3, code 500000000003, canceled 2026-03-14 09:31:00"},
		{"autonomous code", "i=1001" + f + "&s=70.00&t=20260313T100000", "genuine entry 8, code 1001, offline"},
		{"autonomous code of another day", "i=1001" + f + "&s=50.00&t=20260201T100000", "genuine entry 7, code 1001, offline"},
		{"autonomous receipt by its sign", "i=500000000008" + f + "&t=20260313T100000", "genuine entry 8, code 1001, offline"},
		{"autonomous code, same day, another time", "i=1001" + f + "&t=20260313T100001", "differs [t]"},
		{"autonomous code of a receipt accepted online", "i=1777" + f + "&s=1777.50&t=20260314T091241", "genuine entry 2, code 500000000002"},
		{"autonomous code reused today, not yet sent", "i=1001" + f + "&t=20260314T100000", "not_yet by 2026-03-17 10:00:00"},
		{"autonomous code on a day long past", "i=1001" + f + "&t=20260202T100000", "none"},
		{"a number of a fiscal drive is no code", "i=17" + f + "&s=9.00&t=20260314T094000", "not_yet by 2026-03-17 09:40:00"},
		{"nor is a sign of ours", "i=500000000011" + f + "&s=9.00&t=20260314T094000", "not_yet by 2026-03-17 09:40:00"},
		{"a cash move has no code", "i=1002" + f + "&t=20260313T100000", "not_yet by 2026-03-16 10:00:00"},
		{"unknown sign, recent", "i=777777777777" + f + "&t=20260314T091241", "not_yet by 2026-03-17 09:12:41"},
		{"unknown sign, old", "i=777777777777" + f + "&t=20260301T091241", "none"},
		{"unknown register, recent", "i=500000000002&f=999999999999&t=20260314T091241", "not_yet by 2026-03-17 09:12:41"},
		{"just within 72 hours", "i=777777777777" + f + "&t=20260311T120001", "not_yet by 2026-03-14 12:00:01"},
		{"72 hours ago", "i=777777777777" + f + "&t=20260311T120000", "none"},
		{"a clock that is a little fast", "i=777777777777" + f + "&t=20260314T125959", "not_yet by 2026-03-17 12:59:59"},
		{"tomorrow", "i=777777777777" + f + "&t=20260315T120000", "none"},
	}
	for _, tt := range tests {
		if got := show(check(t, checker(shop()), tt.query)); got != tt.want {
			t.Errorf("%s: Check(%s) = %q, want %q", tt.name, tt.query, got, tt.want)
		}
	}
}

// TestCheckTellsNothing shows that whatever is missing, the answer is the same
// bytes, and that one that differs carries no word of the receipt.
func TestCheckTellsNothing(t *testing.T) {
	c := checker(shop())
	same := func(query string) string {
		r := check(t, c, query)
		r.Query = Query{} // what was asked is the asker's own
		b, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	for _, when := range []string{"20260314T091241", "20260301T091241"} {
		sign := same("i=777777777777&f=" + rnm + "&t=" + when)
		if register := same("i=500000000002&f=999999999999&t=" + when); register != sign {
			t.Errorf("an unknown register answers %s, an unknown sign %s", register, sign)
		}
	}
	r := check(t, c, "i=500000000002&f="+rnm+"&s=1&t=20260314T091241")
	if r.Found != nil || r.LookAgain != 0 {
		t.Errorf("a differing field gives %+v, want the names of the fields alone", r)
	}
}

// TestCheckRetired: of a receipt that is kept no longer is told when it left, to
// who names its sign and its month; of any other of that age, that it may have.
//
// Req: O-030
func TestCheckRetired(t *testing.T) {
	m := shop()
	left := time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)
	m.gone = map[fiscal.Number]Retirement{77: {Month: 201801, On: left}}
	for _, tt := range []struct {
		name, query  string
		retired, old bool
	}{
		{"of its month", "i=500000000077&f=" + rnm + "&s=10.00&t=20180117T100000", true, true},
		{"made without a link at the end of the month before", "i=500000000077&f=" + rnm + "&t=20171230T100000", true, true},
		{"of another month", "i=500000000077&f=" + rnm + "&t=20180617T100000", false, true},
		{"of this year", "i=500000000077&f=" + rnm + "&t=20260117T100000", false, false},
		{"a sign that is none", "i=777777777777&f=" + rnm + "&t=20180117T100000", false, true},
		{"an unknown register", "i=500000000077&f=999999999999&t=20180117T100000", false, true},
	} {
		r := check(t, checker(m), tt.query)
		if r.Verdict != None || (r.Retired != nil) != tt.retired || tt.retired && (r.Retired.Month != 201801 || !r.Retired.On.Equal(left)) || r.Old != tt.old || r.Found != nil {
			t.Errorf("%s: Check(%s) = %+v, want none, retired %t, old %t", tt.name, tt.query, r, tt.retired, tt.old)
		}
	}
}

// TestCheckOldCard shows that a receipt keeps the address of its day.
func TestCheckOldCard(t *testing.T) {
	c := checker(shop())
	for query, want := range map[string]string{
		"i=1001&f=" + rnm + "&s=50&t=20260201T100000": "старый адрес",
		"i=1001&f=" + rnm + "&s=70&t=20260313T100000": "новый адрес",
	} {
		if got := check(t, c, query).Found.Card.OutletAddress.RU; got != want {
			t.Errorf("Check(%s) shows %q, want %q", query, got, want)
		}
	}
}

// TestCheckCancellation looks at what may stand behind a receipt.
func TestCheckCancellation(t *testing.T) {
	const query = "i=500000000001&f=" + rnm + "&t=20260314T091241"
	tests := []struct {
		name   string
		behind []fiscal.Record
		want   bool
	}{
		{"nothing", nil, false},
		{"its cancellation", []fiscal.Record{{Kind: fiscal.DocCancel, Refers: 1}}, true},
		{"the cancellation of another", []fiscal.Record{{Kind: fiscal.DocCancel, Refers: 7}}, false},
		{"reports, then its cancellation", []fiscal.Record{{Kind: fiscal.DocReport}, {Kind: fiscal.DocReport}, {Kind: fiscal.DocAct}, {Kind: fiscal.DocCancel, Refers: 1}}, true},
		{"another receipt, so it can no longer be canceled", []fiscal.Record{{Kind: fiscal.DocReceipt}, {Kind: fiscal.DocCancel, Refers: 1}}, false},
	}
	for _, tt := range tests {
		m := shop()
		m.entries = nil
		for i, r := range append([]fiscal.Record{{Kind: fiscal.DocReceipt, DeviceTime: at(2026, 3, 14, 9, 12, 41), FiscalSign: 500_000_000_001}}, tt.behind...) {
			r.Register, r.Number, r.CardVersion = register, fiscal.Number(i+1), 1
			m.entries = append(m.entries, journal.Entry{Record: r, Partition: 3})
		}
		if got := check(t, checker(m), query).Found.Canceled != nil; got != tt.want {
			t.Errorf("%s: canceled = %t, want %t", tt.name, got, tt.want)
		}
	}
}

func TestCheckErrors(t *testing.T) {
	q := Query{Code: "500000000002", RegistrationNumber: rnm, Time: at(2026, 3, 14, 9, 12, 41)}

	down := shop()
	down.down = &fiscal.Error{Reason: fiscal.StoreDown}
	if _, err := checker(down).Check(t.Context(), q); !errors.Is(err, fiscal.Unavailable) {
		t.Errorf("Check with the store down = %v, want Unavailable", err)
	}

	unreadable := func(fiscal.Record) (fiscal.Document, error) { return fiscal.Document{}, errors.New("no such format") }
	_, err := NewChecker(CheckConfig{}, shop(), offset{}, unreadable, now).Check(t.Context(), q)
	if !errors.Is(err, fiscal.Corrupt) || !strings.Contains(err.Error(), "entry 2 of register 200145") {
		t.Errorf("Check of what cannot be opened = %v, want Corrupt and the entry's name", err)
	}

	empty := func(r fiscal.Record) (fiscal.Document, error) { return fiscal.Document{Record: r}, nil }
	if _, err := NewChecker(CheckConfig{}, shop(), offset{}, empty, now).Check(t.Context(), q); !errors.Is(err, fiscal.Corrupt) {
		t.Errorf("Check of an entry without a receipt = %v, want Corrupt", err)
	}
}
