package sandbox

import (
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"openofd/internal/authority/kgd"
	"openofd/internal/fiscal"
)

// person is a browser without a screen.
type person struct {
	*far
	client http.Client
}

func (f *far) person() *person {
	jar, err := cookiejar.New(nil)
	if err != nil {
		f.Fatal(err)
	}
	return &person{f, http.Client{Jar: jar}}
}

func (p *person) get(path string) (int, string, string) {
	p.Helper()
	r, err := p.client.Get(p.url + path)
	return p.read(r, err)
}

func (p *person) post(path string, form url.Values) (int, string, string) {
	p.Helper()
	r, err := p.client.PostForm(p.url+path, form)
	return p.read(r, err)
}

// read gives status, text and where it ended.
func (p *person) read(r *http.Response, err error) (int, string, string) {
	p.Helper()
	if err != nil {
		p.Fatal(err)
	}
	defer r.Body.Close()
	b, err := io.ReadAll(r.Body)
	if err != nil {
		p.Fatal(err)
	}
	return r.StatusCode, string(b), r.Request.URL.RequestURI()
}

// fill has something of everything happen.
func (f *far) fill() (waiting, decided string) {
	f.Helper()
	f.taken(kgd.PathReceipts, sale(7, 1, 100_00), sale(7, 2, 200_00), of2(sale(7, 3, 1), func(d *kgd.Document) { d.Total = 2 }))
	f.taken(kgd.PathReceipts, sale(7, 2, 200_00), of2(sale(7, 4, 200_00), func(d *kgd.Document) { d.Kind, d.Cancels = kgd.KindCancel, 2 }))
	waiting = f.submit(paper("w-1", kgd.ApplicationRegister, ownerBIN, "SN1"))
	decided = f.submit(russianPaper("w-2", kgd.ApplicationRegister, ownerINN, "2"))
	if err := f.Decide(f.Context(), decided, Verdict{Grant: true}); err != nil {
		f.Fatal(err)
	}
	if _, err := f.AddFault(Fault{Kind: Slow, Millis: 1500, Place: atMarking, Percent: 20, Next: 9}); err != nil {
		f.Fatal(err)
	}
	return waiting, decided
}

// words that were not worded: a key instead of words.
var unworded = regexp.MustCompile(`authority\.[a-z_.]+`)

// TestPages: every screen in every language, and what people do there.
func TestPages(t *testing.T) {
	t.Parallel()
	f := open(t, Config{ByPerson: true})
	waiting, decided := f.fill()
	p := f.person()
	if _, _, at := p.get("/applications"); at != "/signin" {
		t.Errorf("a stranger gets to %s", at)
	}
	if status, text, _ := p.post("/signin?lang=en", url.Values{"password": {"a guess"}}); status != http.StatusUnauthorized || !strings.Contains(text, "The password is wrong.") {
		t.Errorf("a wrong password: %d", status)
	}
	if status, _, at := p.post("/signin", url.Values{"password": {password}}); status != http.StatusOK || at != "/" {
		t.Fatalf("the password: %d at %s", status, at)
	}
	for _, lang := range []string{"kk", "ru", "en"} {
		for path, want := range map[string]string{
			"/": "7-3", "/applications": waiting, "/applications?status=granted": decided, "/applications/" + waiting: "SN1", "/applications/" + decided: "Пион-102Ф",
			"/registers": "0000000000000002", "/documents?q=7-2": "&#34;fiscal_sign&#34;", "/documents?q=100000007001": "010101907421", "/documents?q=5": "",
			"/summaries?day=2026-03-14": "010101907421", "/faults": "20\u00a0%", "/me": "/summaries",
		} {
			status, text, _ := p.get(path + map[bool]string{true: "&", false: "?"}[strings.Contains(path, "?")] + "lang=" + lang)
			if status != http.StatusOK || !strings.Contains(text, want) || !strings.Contains(text, `<html lang="`+lang+`">`) {
				t.Errorf("%s in %s: %d, want %q on it", path, lang, status, want)
			}
			if found := unworded.FindAllString(text, -1); found != nil {
				t.Errorf("%s in %s has no words for %v", path, lang, found)
			}
		}
	}
	// The language stays without being asked for again.
	if _, text, _ := p.get("/"); !strings.Contains(text, `<html lang="`) || strings.Contains(text, "lang=\"xx\"") {
		t.Error("no language")
	}
	steps := []struct {
		path   string
		form   url.Values
		status int
		want   string
	}{
		{"/applications/" + waiting, url.Values{"decision": {"refuse"}}, 422, `id="wrong-why"`},
		{"/applications/" + waiting, url.Values{"decision": {"grant"}, "number": {"12"}}, 422, `id="wrong-number"`},
		{"/applications/" + waiting, url.Values{"decision": {"grant"}, "number": {"620300471826"}}, 200, "620300471826"},
		{"/applications/" + waiting, url.Values{"decision": {"grant"}}, 409, ""},
		{"/known", url.Values{"country": {"kz"}, "kind": {"taxpayer"}, "name": {"1"}}, 422, `id="wrong-name"`},
		{"/known", url.Values{"country": {"kz"}, "kind": {"taxpayer"}, "name": {ownerBIN}, "title": {"<b>Рахмет"}}, 200, "&lt;b&gt;Рахмет"},
		{"/known/remove", url.Values{"country": {"kz"}, "kind": {"taxpayer"}, "name": {ownerBIN}}, 200, ""},
		{"/known/remove", url.Values{"country": {"kz"}, "kind": {"taxpayer"}, "name": {ownerBIN}}, 404, ""},
		{"/faults", url.Values{"kind": {"broken"}, "percent": {"many"}}, 422, `id="wrong-percent"`},
		{"/faults", url.Values{"kind": {"busy"}, "place": {"counts"}, "next": {"2"}, "seconds": {"30"}}, 200, "/faults/remove"},
		{"/faults/remove", url.Values{"id": {"0"}}, 200, ""},
		{"/faults/remove", url.Values{"id": {"1"}}, 404, ""},
	}
	for _, s := range steps {
		if status, text, _ := p.post(s.path, s.form); status != s.status || !strings.Contains(text, s.want) {
			t.Errorf("POST %s %v = %d, want %d and %q on the page:\n%s", s.path, s.form, status, s.status, s.want, text)
		}
	}
	if len(f.Faults()) != 0 {
		t.Errorf("faults that were switched off are on: %v", f.Faults())
	}
	// From another site nothing is done.
	r, err := http.NewRequestWithContext(t.Context(), "POST", f.url+"/faults", strings.NewReader("kind=broken"))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", "cross-site")
	resp, err := p.client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusForbidden || len(f.Faults()) != 0 {
		t.Errorf("from another site: %d, %v", resp.StatusCode, f.Faults())
	}
	if status, _, at := p.post("/signout", nil); status != 200 || at != "/signin" {
		t.Errorf("signed out: %d at %s", status, at)
	}
	if _, _, at := p.get("/"); at != "/signin" {
		t.Errorf("after signing out: %s", at)
	}
	if status, text, _ := p.get("/nowhere"); status != 404 || !strings.Contains(text, "<html") {
		t.Errorf("an address that is none: %d", status)
	}
	f.must(http.StatusNotFound, nil, "GET", "/kgd/v2/receipts", nil)
}

// TestWords: every member of a closed set has words.
func TestWords(t *testing.T) {
	f := open(t, Config{})
	var keys []string
	for _, k := range FaultKinds() {
		keys = append(keys, "authority.fault."+string(k))
	}
	for _, p := range Places() {
		keys = append(keys, "authority.place."+placeKey(p))
	}
	for op := fiscal.OpSale; op <= fiscal.OpCashOut; op++ {
		keys = append(keys, "authority.differs."+op.String())
	}
	for _, d := range []string{"summary", "documents", "offline", "shifts", "first", "last", "hash", "tax"} {
		keys = append(keys, "authority.differs."+d)
	}
	for _, k := range []string{kgd.ApplicationRegister, kgd.ApplicationChange, kgd.ApplicationDeregister} {
		keys = append(keys, "authority.kind."+k)
	}
	for _, k := range []string{kgd.KindReceipt, kgd.KindCashMove, kgd.KindShiftClose, kgd.KindReport, kgd.KindCancel, kgd.KindAct} {
		keys = append(keys, "doc."+k)
	}
	for _, one := range []fmt.Stringer{kazakhstan, russia} {
		keys = append(keys, "authority.country."+one.String())
	}
	keys = append(keys, "authority.by."+byRules, "authority.by."+byPerson)
	for _, key := range keys {
		if !f.render.Locales["kk"].Has(key) {
			t.Errorf("%q has no words", key)
		}
	}
}
