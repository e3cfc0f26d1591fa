package sandbox

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"openofd/internal/authority/fns"
	"openofd/internal/authority/kgd"
	"openofd/internal/authority/marking"
	"openofd/internal/fiscal"
)

// TestFaults: each way of breaking down, where it was asked for, as often as it
// was; afterwards all is well and nothing is there twice.
func TestFaults(t *testing.T) {
	t.Parallel()
	f := open(t, Config{})
	line := func(n int64) string { return ndjson(t, sale(7, n, 100_00)) }
	must := func(fault Fault) Fault {
		t.Helper()
		fault, err := f.AddFault(fault)
		if err != nil {
			t.Fatal(err)
		}
		return fault
	}
	must(Fault{Kind: Broken, Place: atReceipts, Next: 2})
	for range 2 {
		f.must(http.StatusInternalServerError, nil, "POST", kgd.PathReceipts, line(1))
	}
	if got := f.taken(kgd.PathReceipts, sale(7, 1, 100_00)); got.Taken != 1 {
		t.Errorf("after two faults: %+v", got)
	}
	must(Fault{Kind: Lost, Next: 1})
	if status, answer, err := f.send("POST", kgd.PathReceipts, line(2)); err == nil {
		t.Errorf("a lost answer: %d %s", status, answer)
	}
	if got := f.taken(kgd.PathReceipts, sale(7, 2, 100_00)); got.Again != 1 {
		t.Errorf("after a lost answer: %+v, want it known", got)
	}
	must(Fault{Kind: Rubbish, Next: 1})
	if status, answer, err := f.send("POST", kgd.PathReceipts, line(3)); err != nil || status != 200 || json.Valid(answer) {
		t.Errorf("rubbish: %d %s, %v", status, answer, err)
	}
	if got := f.taken(kgd.PathReceipts, sale(7, 3, 100_00)); got.Taken != 1 {
		t.Errorf("after rubbish: %+v, want it new", got)
	}
	busy := must(Fault{Kind: Busy, Seconds: 7, Place: atCounts})
	if status, _, _ := f.send("GET", kgd.PathDecisions, nil); status != 200 {
		t.Errorf("decisions while counts are busy: %d", status)
	}
	r, err := http.Get(f.url + kgd.PathCounts + "?day=2026-03-14")
	if err != nil {
		t.Fatal(err)
	}
	r.Body.Close()
	if r.StatusCode != http.StatusServiceUnavailable || r.Header.Get("Retry-After") != "7" {
		t.Errorf("busy: %d, Retry-After %q", r.StatusCode, r.Header.Get("Retry-After"))
	}
	if all := f.Faults(); len(all) != 1 || all[0].Times != 1 {
		t.Errorf("faults that are on: %+v, want the busy one, struck once", all)
	}
	if err := f.RemoveFault(busy.ID); err != nil {
		t.Fatal(err)
	}
	if err := f.RemoveFault(busy.ID); !errors.Is(err, fiscal.NotFound) {
		t.Errorf("removed twice: %v, want NotFound", err)
	}
	slow := must(Fault{Kind: Slow, Millis: maxSlow})
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	q, _ := http.NewRequestWithContext(ctx, "GET", f.url+kgd.PathDecisions, nil)
	if _, err := http.DefaultClient.Do(q); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("slow: %v, want no answer in time", err)
	}
	if err := f.RemoveFault(slow.ID); err != nil {
		t.Fatal(err)
	}
	must(Fault{Kind: WrongCounts, Next: 1})
	wrong, right := f.dayCounts(), f.dayCounts()
	if wrong[0].Documents != right[0].Documents+1 || wrong[0].Receipts["sale"] == right[0].Receipts["sale"] || right[0].Documents != 3 {
		t.Errorf("wrong counts %+v, right ones %+v", wrong, right)
	}
	must(Fault{Kind: Losing, Next: 1})
	if got := f.taken(kgd.PathReceipts, sale(7, 4, 100_00), sale(7, 5, 100_00)); got.Taken != 2 || f.dayCounts()[0].Documents != 4 {
		t.Errorf("a document that is lost: %+v, counts %+v", got, f.dayCounts())
	}
	if got := f.taken(kgd.PathReceipts, sale(7, 4, 100_00), sale(7, 5, 100_00)); got.Taken != 1 || got.Again != 1 {
		t.Errorf("sent again: %+v, want the lost one new", got)
	}
	must(Fault{Kind: WrongClock, Seconds: -3600})
	if off := time.Since(f.now()); off < 59*time.Minute || off > 2*time.Hour {
		t.Errorf("the clock is off by %v, want an hour", off)
	}
	for _, bad := range []Fault{{Kind: "cough"}, {Kind: Slow}, {Kind: Broken, Place: "moon"}, {Kind: Broken, Percent: 101}, {Kind: Broken, Next: -1}, {Kind: WrongClock}} {
		if _, err := f.AddFault(bad); !errors.Is(err, fiscal.Invalid) {
			t.Errorf("AddFault(%+v) = %v, want Invalid", bad, err)
		}
	}
	for err = nil; err == nil; {
		_, err = f.AddFault(Fault{Kind: WrongCounts})
	}
	if !errors.Is(err, fiscal.Overloaded) || len(f.Faults()) != maxFaults {
		t.Errorf("%d faults, then %v", len(f.Faults()), err)
	}
}

// TestFaultOfDice: a fault of some percent strikes as the dice fall.
func TestFaultOfDice(t *testing.T) {
	t.Parallel()
	fall := 0
	f := open(t, Config{Dice: func(n int) int { return fall % n }})
	if _, err := f.AddFault(Fault{Kind: Broken, Percent: 30}); err != nil {
		t.Fatal(err)
	}
	for _, fall = range []int{0, 29, 30, 99} {
		want := 200
		if fall < 30 {
			want = 500
		}
		if status, _, _ := f.send("GET", kgd.PathDecisions, nil); status != want {
			t.Fatalf("the dice show %d of 100: %d, want %d", fall, status, want)
		}
	}
}

// TestRefusing: applications are refused while the fault is on.
func TestRefusing(t *testing.T) {
	t.Parallel()
	f := open(t, Config{DecideAfter: -1})
	if _, err := f.AddFault(Fault{Kind: Refusing, Place: atApplications, Next: 1}); err != nil {
		t.Fatal(err)
	}
	f.submit(paper("r-1", kgd.ApplicationRegister, ownerBIN, "1"))
	f.decided(1)
	f.submit(paper("r-2", kgd.ApplicationRegister, ownerBIN, "2"))
	if all := f.decided(2); all[0].Granted || all[0].Why != whyFault || !all[1].Granted {
		t.Errorf("decisions: %+v, want the first refused", all)
	}
}

// TestFaultsByProgram: faults by JSON, for who shows the password.
func TestFaultsByProgram(t *testing.T) {
	t.Parallel()
	f := open(t, Config{})
	do := func(method, path, body, secret string) (int, string) {
		r, err := http.NewRequestWithContext(t.Context(), method, f.url+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.SetBasicAuth("staff", secret)
		resp, err := http.DefaultTransport.RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		var b bytes.Buffer
		_, _ = b.ReadFrom(resp.Body)
		return resp.StatusCode, b.String()
	}
	if status, _ := do("POST", "/faults", `{"kind":"broken"}`, "a guess"); status != http.StatusUnauthorized {
		t.Errorf("with a wrong password: %d", status)
	}
	if status, body := do("POST", "/faults", `{"kind":"slow"}`, password); status != http.StatusUnprocessableEntity {
		t.Errorf("a fault that there is not: %d %s", status, body)
	}
	if status, body := do("POST", "/faults", `{"kind":"busy","place":"receipts","next":3,"seconds":5}`, password); status != 200 || !strings.Contains(body, `"id":1`) {
		t.Errorf("POST: %d %s", status, body)
	}
	if status, body := do("GET", "/faults", "", password); status != 200 || body != `[{"id":1,"kind":"busy","place":"receipts","next":3,"seconds":5,"times":0}]` {
		t.Errorf("GET: %d %s", status, body)
	}
	for _, want := range []int{http.StatusNoContent, http.StatusNotFound} {
		if status, body := do("DELETE", "/faults/1", "", password); status != want {
			t.Errorf("DELETE: %d %s, want %d", status, body, want)
		}
	}
	status := 0
	for range 2 * guessBurst {
		if status, _ = do("GET", "/faults", "", "another guess"); status == http.StatusTooManyRequests {
			break
		}
	}
	if status != http.StatusTooManyRequests {
		t.Errorf("after many guesses: %d, want 429", status)
	}
}

// TestSummaries: versions, what is none, and what differs from our own counts.
//
// Req: O-111, N-003
func TestSummaries(t *testing.T) {
	t.Parallel()
	f := open(t, Config{})
	f.taken(kgd.PathReceipts, sale(7, 1, 100_00), sale(7, 2, 200_00))
	summary := func(version int64, change func(*kgd.Summary)) kgd.Summary {
		first, last := sale(7, 1, 0), sale(7, 2, 0)
		m := kgd.Summary{
			Format: kgd.Format, Day: "2026-03-14", Version: version, Register: 7, RegistrationNumber: "010101907421", BIN: ownerBIN, Documents: 2,
			First: &kgd.Edge{Entry: 1, Time: first.Time}, Last: &kgd.Edge{Entry: 2, Time: last.Time}, Receipts: map[string]kgd.Tally{"sale": {Count: 2, Sum: 300_00}},
			Moves: map[string]kgd.Tally{}, Taxes: []kgd.TaxTally{{Kind: 100, Percent: 16000, Operation: "sale", Turnover: 300_00, Tax: 30_00}}, ChainHash: last.Hash,
		}
		m.ID = "7/2026-03-14/" + string(rune('0'+version))
		change(&m)
		return m
	}
	good := summary(2, func(*kgd.Summary) {})
	steps := []struct {
		name string
		m    kgd.Summary
		want string // t, a, r
	}{
		{"new", good, "t"},
		{"again", good, "a"},
		{"an older one", summary(1, func(m *kgd.Summary) { m.Documents = 1 }), "a"},
		{"another under the same version", summary(2, func(m *kgd.Summary) { m.Offline = 1 }), "r"},
		{"no day", summary(3, func(m *kgd.Summary) { m.Day = "today" }), "r"},
		{"id of another", summary(3, func(m *kgd.Summary) { m.ID = "7/2026-03-14/4" }), "r"},
		{"no last", summary(3, func(m *kgd.Summary) { m.Last = nil }), "r"},
		{"less than nothing", summary(3, func(m *kgd.Summary) { m.Receipts["sale"] = kgd.Tally{Count: -1} }), "r"},
		{"an operation of its own", summary(3, func(m *kgd.Summary) { m.Receipts["gift"] = kgd.Tally{Count: 1} }), "r"},
		{"wrong BIN", summary(3, func(m *kgd.Summary) { m.BIN = "1" }), "r"},
	}
	for _, step := range steps {
		var got kgd.Taken
		f.must(http.StatusOK, &got, "POST", kgd.PathSummaries, ndjson(t, step.m))
		if is := strings.Repeat("t", got.Taken) + strings.Repeat("a", got.Again) + strings.Repeat("r", len(got.Refused)); is != step.want {
			t.Errorf("%s: %+v, want %q", step.name, got, step.want)
		}
	}
	f.must(http.StatusUnprocessableEntity, nil, "POST", kgd.PathSummaries, "{}")
	f.must(http.StatusUnprocessableEntity, nil, "POST", kgd.PathReports, `{"format":"kgd/1","day":"soon","content":{}}`)
	f.must(http.StatusNoContent, nil, "POST", kgd.PathReports, `{"format":"kgd/1","day":"2026-03-14","content":{}}`)

	c := counted{Register: 7}
	c.documents, c.first.entry, c.last.entry, c.n[0], c.sum[0], c.tax[0] = 2, 1, 2, 2, 300_00, 30_00
	c.hash, _ = hex.DecodeString(good.ChainHash)
	for name, tt := range map[string]struct {
		m      *kgd.Summary
		change func(*counted)
		want   []string
	}{
		"the same":        {&good, func(*counted) {}, nil},
		"one is missing":  {&good, func(c *counted) { c.documents, c.n[0], c.sum[0], c.tax[0] = 1, 1, 100_00, 10_00 }, []string{"documents", "sale", "tax"}},
		"a tiyn":          {&good, func(c *counted) { c.sum[0]++ }, []string{"sale"}},
		"another chain":   {&good, func(c *counted) { c.hash[0]++ }, []string{"hash"}},
		"cash came in":    {&good, func(c *counted) { c.n[4], c.sum[4] = 1, 5_00 }, []string{"cash_in"}},
		"no summary came": {nil, func(*counted) {}, []string{"summary"}},
	} {
		mine := c
		mine.hash = slices.Clone(c.hash)
		tt.change(&mine)
		var got []string
		for _, d := range compare(tt.m, &mine) {
			got = append(got, d.What)
		}
		if !slices.Equal(got, tt.want) {
			t.Errorf("%s: %v differ, want %v", name, got, tt.want)
		}
	}
}

// TestRussia: documents in the tax service's words, and marked goods.
func TestRussia(t *testing.T) {
	t.Parallel()
	asked := 0
	f := open(t, Config{Marking: system(func(message []byte) ([]byte, error) {
		asked++
		if asked > 1 {
			return nil, errors.New("out of order")
		}
		return append([]byte("answer to "), message...), nil
	})}) // the containers are the marking package's business
	read := func(name string) string {
		b, err := os.ReadFile("../../protocol/kkt/ffd/testdata/" + name)
		if err != nil {
			t.Fatal(err)
		}
		return strings.TrimSpace(string(b))
	}
	receipt, closing := read("json-receipt-1.05-internet-1125-1234.golden"), read("json-close-shift-1.05.golden")
	closing = strings.TrimSuffix(strings.TrimPrefix(closing, `{"document":`), "}")
	line := func(id, entry, doc string) string {
		return `{"id":"9999078902001234-` + id + `","register":200145,"entry":` + entry + `,"received":"2025-11-21T10:55:00.123456Z","answered":0,"flags":[],"document":` + doc + `}`
	}
	if got := f.taken(fns.PathDocuments, line("14", "58", receipt), line("20", "60", closing)); got.Taken != 2 || len(got.Refused) != 0 {
		t.Fatalf("two documents: %+v", got)
	}
	other := strings.Replace(receipt, `"messageFiscalSign":9`, `"messageFiscalSign":8`, 1)
	got := f.taken(fns.PathDocuments, line("20", "60", closing), line("14", "58", other), line("15", "59", receipt),
		line("14", "58", strings.Replace(receipt, `"operationType":1`, `"operationType":5`, 1)), line("14", "58", strings.Replace(receipt, `"7704358518"`, `"7704358519"`, 1)))
	why := ""
	for _, r := range got.Refused {
		field, _, _ := strings.Cut(r.Why, ":")
		why += field + " "
	}
	if got.Again != 1 || why != "fiscalDocumentNumber operationType userInn id " {
		t.Errorf("again and wrong: %+v", got)
	}
	if n := len(f.dayCounts()); n != 0 {
		t.Errorf("%d registers of Russia among those of Kazakhstan", n)
	}

	var answer marking.Answer
	f.must(http.StatusOK, &answer, "POST", marking.PathRequests, marking.Request{Format: marking.Format, Message: []byte("question")})
	if string(answer.Container) != "answer to question" {
		t.Errorf("marking: %q", answer.Container)
	}
	f.must(http.StatusServiceUnavailable, nil, "POST", marking.PathRequests, marking.Request{Format: marking.Format, Message: []byte("question")})
	f.must(http.StatusUnprocessableEntity, nil, "POST", marking.PathRequests, marking.Request{Format: "marking/9", Message: []byte("question")})
}

type system func([]byte) ([]byte, error)

func (s system) Ask(_ context.Context, message []byte) ([]byte, error) { return s(message) }
