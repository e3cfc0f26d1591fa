package sandbox

import (
	"bytes"
	"compress/gzip"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"openofd/internal/authority/kgd"
	"openofd/internal/fiscal"
	"openofd/internal/store/sqlitefile"
)

const (
	password = "сынақ органы 7"
	ownerBIN = "220540013371"
	ownerINN = "7704358518"
)

// far is an authority with its door open.
type far struct {
	*testing.T
	*Server
	url string
}

func open(t *testing.T, cfg Config) *far {
	t.Helper()
	if cfg.Dir == "" {
		cfg.Dir = t.TempDir()
	}
	if cfg.Password == "" {
		cfg.Password = password
	}
	s, err := Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	door := httptest.NewServer(s.Handler())
	t.Cleanup(func() {
		door.Close()
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return &far{t, s, door.URL}
}

// send makes a request; what is no []byte or string is JSON.
func (f *far) send(method, path string, body any, header ...string) (status int, answer []byte, err error) {
	f.Helper()
	var b []byte
	switch v := body.(type) {
	case nil:
	case []byte:
		b = v
	case string:
		b = []byte(v)
	default:
		if b, err = json.Marshal(body); err != nil {
			f.Fatal(err)
		}
	}
	r, err := http.NewRequestWithContext(f.Context(), method, f.url+path, bytes.NewReader(b))
	if err != nil {
		f.Fatal(err)
	}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	resp, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		return 0, nil, err
	}
	defer resp.Body.Close()
	answer, err = io.ReadAll(resp.Body)
	return resp.StatusCode, answer, err
}

// must sends what has to be answered with a status, and reads the answer.
func (f *far) must(want int, into any, method, path string, body any) {
	f.Helper()
	status, answer, err := f.send(method, path, body)
	if err != nil || status != want {
		f.Fatalf("%s %s = %d %s, %v, want %d", method, path, status, answer, err, want)
	}
	if into != nil {
		if err := json.Unmarshal(answer, into); err != nil {
			f.Fatalf("%s %s answered %s: %v", method, path, answer, err)
		}
	}
}

// taken sends a batch and returns what became of it.
func (f *far) taken(path string, lines ...any) (got kgd.Taken) {
	f.Helper()
	f.must(http.StatusOK, &got, "POST", path, ndjson(f.T, lines...))
	return got
}

func ndjson(t *testing.T, lines ...any) string {
	t.Helper()
	var b strings.Builder
	for _, l := range lines {
		text, ok := l.(string)
		if !ok {
			one, err := json.Marshal(l)
			if err != nil {
				t.Fatal(err)
			}
			text = string(one)
		}
		b.WriteString(text + "\n")
	}
	return b.String()
}

// atNine is when documents of tests are made: on a day that stays.
var atNine = time.Date(2026, 3, 14, 9, 0, 0, 0, time.UTC)

// sale is a receipt of a register.
func sale(register, entry int64, total fiscal.Money) kgd.Document {
	at := atNine.Add(time.Duration(entry) * time.Minute)
	return kgd.Document{
		Format: kgd.Format, ID: fmt.Sprintf("%d-%d", register, entry), Register: fiscal.RegisterID(register), Entry: fiscal.Number(entry),
		RegistrationNumber: "010101907421", BIN: ownerBIN, Kind: kgd.KindReceipt, Operation: "sale", Time: fiscal.WallTime(at.Unix()),
		Received: at.Add(-5 * time.Hour), FiscalSign: fmt.Sprintf("%012d", 100_000_000_000+register*1000+entry), Total: total, Cash: total, Tax: total / 10,
		Payments: []kgd.Payment{{Kind: "cash", Sum: total}}, Taxes: []kgd.Tax{{Kind: 100, Percent: 16000, Turnover: total, Tax: total / 10}},
		Items: []kgd.Item{{Kind: "goods", Name: "Нан", Quantity: "1", Unit: "796", Price: total, Cost: total}},
		Hash:  hex.EncodeToString(bytes.Repeat([]byte{byte(entry), byte(register)}, 16)),
	}
}

func of2(d kgd.Document, change func(*kgd.Document)) kgd.Document {
	change(&d)
	return d
}

// counts asks for those of the day of tests.
func (f *far) dayCounts() (all []kgd.Count) {
	f.Helper()
	after := ""
	for {
		var page kgd.Counts
		f.must(http.StatusOK, &page, "GET", kgd.PathCounts+"?day=2026-03-14&limit=2&after="+after, nil)
		all = append(all, page.Counts...)
		if after = page.Next; after == "" {
			return all
		}
	}
}

// TestReceipts: what is new, what was there, what is refused and why; counts of
// our own, by register and day, without what was canceled.
//
// Req: O-105
func TestReceipts(t *testing.T) {
	t.Parallel()
	f := open(t, Config{})
	first := []any{sale(7, 1, 100_00), sale(7, 2, 200_00), sale(8, 1, 50_00)}
	if got := f.taken(kgd.PathReceipts, first...); got.Taken != 3 || got.Again != 0 || len(got.Refused) != 0 {
		t.Fatalf("first batch: %+v", got)
	}
	// In other company and order, one of them new.
	if got := f.taken(kgd.PathReceipts, first[1], sale(7, 3, 300_00), first[0]); got.Taken != 1 || got.Again != 2 {
		t.Errorf("repeated: %+v, want one taken and two again", got)
	}
	other := sale(7, 2, 200_00)
	other.Hash = strings.Repeat("ab", 32)
	if got := f.taken(kgd.PathReceipts, other); got.Again != 0 || len(got.Refused) != 1 || got.Refused[0].ID != "7-2" {
		t.Errorf("another document under a known id: %+v, want it refused", got)
	}
	// A cancellation, then one that comes before what it cancels.
	cancel := func(register, entry, cancels int64, total fiscal.Money) kgd.Document {
		return of2(sale(register, entry, total), func(d *kgd.Document) { d.Kind, d.Cancels = kgd.KindCancel, fiscal.Number(cancels) })
	}
	f.taken(kgd.PathReceipts, cancel(7, 4, 2, 200_00), cancel(8, 3, 2, 70_00))
	f.taken(kgd.PathReceipts, sale(8, 2, 70_00))
	f.taken(kgd.PathReceipts, sale(8, 2, 70_00), cancel(7, 4, 2, 200_00))
	f.taken(kgd.PathReceipts, of2(sale(9, 1, 10_00), func(d *kgd.Document) { d.Operation = "sale_return" }),
		of2(sale(9, 2, 0), func(d *kgd.Document) { *d = act(9, 2) }),
		of2(sale(9, 3, 77_00), func(d *kgd.Document) { d.Flags = []string{"late", "uncounted"} }), cancel(9, 4, 3, 77_00))
	want := []kgd.Count{
		{Register: 7, RegistrationNumber: "010101907421", Documents: 4, Receipts: map[string]kgd.Tally{"sale": {Count: 2, Sum: 400_00}}, Last: 4, ChainHash: sale(7, 4, 0).Hash},
		{Register: 8, RegistrationNumber: "010101907421", Documents: 3, Receipts: map[string]kgd.Tally{"sale": {Count: 1, Sum: 50_00}}, Last: 3, ChainHash: sale(8, 3, 0).Hash},
		{Register: 9, RegistrationNumber: "010101907421", Documents: 3, Receipts: map[string]kgd.Tally{"sale_return": {Count: 1, Sum: 10_00}}, Last: 4, ChainHash: sale(9, 4, 0).Hash},
	}
	if got, want := fmt.Sprint(f.dayCounts()), fmt.Sprint(want); got != want {
		t.Errorf("counts =\n%s\nwant\n%s", got, want)
	}
}

// act is one on a register: it has no sums, and is counted nowhere.
func act(register, entry int64) kgd.Document {
	d := sale(register, entry, 0)
	return kgd.Document{Format: d.Format, ID: d.ID, Register: d.Register, Entry: d.Entry, BIN: d.BIN, Kind: kgd.KindAct, Received: d.Received, Hash: d.Hash, Act: &kgd.Act{Kind: "block"}}
}

// TestReceiptRules: each rule of the form, one line that breaks it.
func TestReceiptRules(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		change func(*kgd.Document)
		want   string // field, "" taken
	}{
		{"as it should be", func(d *kgd.Document) {}, ""},
		{"another format", func(d *kgd.Document) { d.Format = "kgd/2" }, "format"},
		{"no register", func(d *kgd.Document) { d.Register = 0 }, "entry"},
		{"id of another", func(d *kgd.Document) { d.ID = "7-2" }, "id"},
		{"BIN with a wrong check digit", func(d *kgd.Document) { d.BIN = "220540013372" }, "bin"},
		{"registration number of letters", func(d *kgd.Document) { d.RegistrationNumber = "KZ-1" }, "registration_number"},
		{"a stand-in of one", func(d *kgd.Document) { d.RegistrationNumber, d.Provisional = "KZ-1", true }, ""},
		{"no time", func(d *kgd.Document) { d.Time = 0 }, "time"},
		{"never received", func(d *kgd.Document) { d.Received = time.Unix(0, 0).UTC() }, "received"},
		{"short hash", func(d *kgd.Document) { d.Hash = "ab" }, "hash"},
		{"unknown kind", func(d *kgd.Document) { d.Kind = "poem" }, "kind"},
		{"a receipt that moves cash", func(d *kgd.Document) { d.Operation = "cash_in" }, "operation"},
		{"a movement that sells", func(d *kgd.Document) { d.Kind = kgd.KindCashMove }, "operation"},
		{"total off by one tiyn", func(d *kgd.Document) { d.Total++ }, "total"},
		{"the same, said by the operator", func(d *kgd.Document) { d.Total++; d.Flags = []string{"total"} }, ""},
		{"below zero", func(d *kgd.Document) { d.Total, d.Cash = -1, -1 }, "total"},
		{"more tax than money", func(d *kgd.Document) { d.Tax = d.Total + 1 }, "tax"},
		{"rate above the whole", func(d *kgd.Document) { d.Taxes[0].Percent = 100_001 }, "percent"},
		{"no items", func(d *kgd.Document) { d.Items = nil }, "items"},
		{"an item of another kind", func(d *kgd.Document) { d.Items[0].Kind = "tip" }, "items"},
		{"no payments", func(d *kgd.Document) { d.Payments = nil }, "payments"},
		{"no sign", func(d *kgd.Document) { d.FiscalSign = "" }, "fiscal_sign"},
		{"an autonomous code instead", func(d *kgd.Document) { d.FiscalSign, d.OfflineCode = "", "17" }, ""},
		{"a sign of 13 digits", func(d *kgd.Document) { d.FiscalSign = "1234567890123" }, "fiscal_sign"},
		{"a cancellation of what comes later", func(d *kgd.Document) { d.Kind, d.Cancels = kgd.KindCancel, 9 }, "cancels"},
	}
	for _, tt := range tests {
		d := sale(7, 1, 100_00)
		tt.change(&d)
		line, err := json.Marshal(d)
		if err != nil {
			t.Fatal(err)
		}
		_, err = parseKazakh(line)
		got := ""
		var w *wrong
		if ok := asWrong(err, &w); ok {
			got = w.field
		} else if err != nil {
			got = err.Error()
		}
		if got != tt.want {
			t.Errorf("%s: %v, want a complaint about %q", tt.name, err, tt.want)
		}
	}
}

func asWrong(err error, w **wrong) bool {
	e, ok := err.(*wrong)
	*w = e
	return ok
}

// TestBatchLimits: what is too long, cut off, packed, or no batch at all.
func TestBatchLimits(t *testing.T) {
	t.Parallel()
	f := open(t, Config{})
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	_, _ = io.WriteString(z, ndjson(t, sale(7, 1, 100_00)))
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	bomb := func() []byte {
		var b bytes.Buffer
		z := gzip.NewWriter(&b)
		_, _ = z.Write(make([]byte, kgd.MaxBatch+1))
		_ = z.Close()
		return b.Bytes()
	}()
	tests := []struct {
		name   string
		body   any
		header []string
		want   int
	}{
		{"packed", packed.Bytes(), []string{"Content-Encoding", "gzip"}, 200},
		{"packed and cut off", packed.Bytes()[:packed.Len()/2], []string{"Content-Encoding", "gzip"}, 400},
		{"packed in a way that nobody knows", packed.Bytes(), []string{"Content-Encoding", "zstd"}, 415},
		{"a bomb", bomb, []string{"Content-Encoding", "gzip"}, 413},
		{"nothing", "", nil, 400},
		{"too many lines", strings.Repeat("{\"id\":\"7-1\"}\n", kgd.MaxLines+1), nil, 413},
		{"too long a line", `{"id":"` + strings.Repeat("x", kgd.MaxLine) + `"}`, nil, 413},
		{"too long", make([]byte, kgd.MaxBatch+1), nil, 413},
		{"no JSON", "{\"id\":\"7-1\",\n", nil, 422},
		{"no id", "{}\n", nil, 422},
	}
	for _, tt := range tests {
		status, answer, err := f.send("POST", kgd.PathReceipts, tt.body, tt.header...)
		if err != nil || status != tt.want {
			t.Errorf("%s: %d %.200s, %v, want %d", tt.name, status, answer, err, tt.want)
		}
		var p kgd.Problem
		if status >= 400 && (json.Unmarshal(answer, &p) != nil || p.Type != "about:blank" || p.Status != status || p.Detail == "") {
			t.Errorf("%s: the answer is no problem: %s", tt.name, answer)
		}
	}
	if n := len(f.dayCounts()); n != 1 {
		t.Errorf("%d registers have documents, want the one of the good batch", n)
	}
}

// TestRestart: a batch that was answered is there when the authority comes back;
// one that was cut off before its end is not, and none is half there.
func TestRestart(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s, err := Open(t.Context(), Config{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	if s.FirstPassword() == "" {
		t.Error("there is no password for the first start")
	}
	take := func(s *Server, lines ...any) (int, string) {
		w := httptest.NewRecorder()
		s.Handler().ServeHTTP(w, httptest.NewRequest("POST", kgd.PathReceipts, strings.NewReader(ndjson(t, lines...))))
		return w.Code, w.Body.String()
	}
	if status, body := take(s, sale(7, 1, 100_00), sale(7, 2, 100_00)); status != 200 {
		t.Fatal(status, body)
	}
	// Cut off within the second batch: its transaction never ends.
	b := batch{operator: 1, country: kazakhstan, what: "receipts"}
	for i := int64(3); i <= 6; i++ {
		d, err := parseKazakh([]byte(strings.TrimSpace(ndjson(t, sale(7, i, 100_00)))))
		if err != nil {
			t.Fatal(err)
		}
		b.lines = append(b.lines, d)
	}
	cut := errors.New("cut off")
	if err := s.file.Write(t.Context(), func(tx *sqlitefile.Tx) error {
		w := writer{tx: tx, b: &b, counts: counts{}, now: 1}
		return errors.Join(w.all(), w.counts.store(tx, 1), cut)
	}); !errors.Is(err, cut) || b.taken.Taken != 4 {
		t.Fatalf("%v after %d documents, want it cut off after 4", err, b.taken.Taken)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	f := open(t, Config{Dir: dir})
	if f.FirstPassword() != "" {
		t.Error("a password was made anew")
	}
	if got := f.dayCounts(); len(got) != 1 || got[0].Documents != 2 {
		t.Errorf("after the restart: %+v, want two documents", got)
	}
	if got := f.taken(kgd.PathReceipts, sale(7, 2, 100_00), sale(7, 3, 100_00)); got.Taken != 1 || got.Again != 1 {
		t.Errorf("the batch again: %+v, want one new and one known", got)
	}
}
