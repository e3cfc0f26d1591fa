package main

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/xuri/excelize/v2"

	"openofd/internal/access"
	"openofd/internal/authority/kgd"
	"openofd/internal/delivery"
	"openofd/internal/device/kkm"
	"openofd/internal/fiscal"
	"openofd/internal/mail"
)

// visitorOf is a browser without a screen.
type visitorOf struct {
	*testing.T
	site   string
	client http.Client
}

func newVisitor(t *testing.T, o *operator) *visitorOf {
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &visitorOf{t, "http://" + o.HTTPAddr, http.Client{Jar: jar}}
}

// ask gets a page or, with a form, sends one, and follows where it leads.
func (v *visitorOf) ask(path string, form url.Values) (status int, body, at string) {
	v.Helper()
	method, content := http.MethodGet, ""
	if form != nil {
		method, content = http.MethodPost, form.Encode()
	}
	r, err := http.NewRequestWithContext(v.Context(), method, v.site+path, strings.NewReader(content))
	if err != nil {
		v.Fatal(err)
	}
	r.Header.Set("Accept-Language", "en")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	res, err := v.client.Do(r)
	if err != nil {
		v.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		v.Fatal(err)
	}
	return res.StatusCode, string(b), res.Request.URL.Path
}

// wants fails unless a page is there and says all of this.
func (v *visitorOf) wants(path string, says ...string) string {
	v.Helper()
	status, body, at := v.ask(path, nil)
	for _, want := range says {
		if status != http.StatusOK || !strings.Contains(body, want) {
			v.Errorf("%s = %d at %s, want %q in it:\n%s", path, status, at, want, body)
		}
	}
	return body
}

const inspectorPassword = "Құрақ көрпе 7 қабат"

// TestInspectorOnBothEngines goes through a whole operator as an inspector of an
// authority: without the signature nothing opens, without a ground nothing is
// seen, then everything is, of a client whose register is blocked and who has no
// contract too, a moment after it was accepted; and each look is on record.
//
// Req: P-023, O-021, O-045, O-048, O-051, O-115
func TestInspectorOnBothEngines(t *testing.T) {
	for _, engine := range []string{"sqlite", "postgres"} {
		t.Run(engine, func(t *testing.T) { inspectOperator(t, engine) })
	}
}

func inspectOperator(t *testing.T, engine string) {
	s := localSettings(t)
	s.Letters = &mail.Sink{}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(s.authority(t.TempDir()))
	if engine == "postgres" {
		s.DB.URL = migratedDatabase(t)
		must(migrateServer(t.Context(), coreConfig{Dir: s.Data, DB: s.DB.URL}, false, nil))
	}
	o := mustStart(t, s)
	t.Cleanup(func() {
		if err := o.stop(); err != nil {
			t.Errorf("stop: %v", err)
		}
	})
	made := newShop(t, o, "S-1")
	people := access.Operator{Service: o.rooms.access, By: "test"}
	_, err := people.AddInspector(t.Context(), access.NewUser{Email: "i@kgd.example", Name: "Оспанов Ержан", Password: inspectorPassword, Language: "en"}, access.Inspector{Authority: "KGD", IIN: "900101300007"})
	must(err)
	for email, staff := range map[string]bool{"owner@example.kz": false, "staff@example.kz": true} {
		_, err := people.AddUser(t.Context(), access.NewUser{Email: email, Name: email, Password: inspectorPassword, Language: "en"}, staff)
		must(err)
	}
	must(people.Place(t.Context(), "owner@example.kz", made.Card.Taxpayer, access.Owner))

	v := newVisitor(t, o)
	signIn := func(v *visitorOf, email string) (body, at string) {
		t.Helper()
		_, body, at = v.ask("/signin", url.Values{"email": {email}, "password": {inspectorPassword}})
		return body, at
	}
	page, at := signIn(v, "i@kgd.example")
	if at != "/signin/certificate" {
		t.Fatalf("the password leads to %s", at)
	}
	for _, path := range []string{"/inspect", "/cabinet", "/me", "/staff"} {
		if _, _, at := v.ask(path, nil); at != "/signin" {
			t.Errorf("without the signature %s leads to %s", path, at)
		}
	}
	challenge := regexp.MustCompile(`name="challenge" value="([^"]+)"`).FindStringSubmatch(page)
	if challenge == nil {
		t.Fatalf("no challenge:\n%s", page)
	}
	if status, _, at := v.ask("/signin/certificate/demo", url.Values{"challenge": {challenge[1]}}); status != http.StatusOK || at != "/inspect" {
		t.Fatalf("the signature leads to %s with %d", at, status)
	}
	client := fmt.Sprintf("/inspect/clients/%d", made.Card.Taxpayer)
	for _, path := range []string{client, client + "/receipts", client + "/receipts/csv"} {
		if _, body, at := v.ask(path, nil); at != "/inspect" || strings.Contains(body, "Дала") {
			t.Errorf("without a ground %s leads to %s", path, at)
		}
	}
	for _, path := range []string{"/receipts", "/people", "/audit", "/organization", "/registers", "/staff", "/staff/inspectors", "/staff/inspections", "/keys"} {
		if status, _, at := v.ask(path, nil); status != http.StatusForbidden {
			t.Errorf("an inspector at %s: %d at %s", path, status, at)
		}
	}
	ground := url.Values{"number": {"12-K"}, "date": {time.Now().Format(time.DateOnly)}, "reason": {"desk audit of sales"}, "about": {"one"}, "subject": {"999"}}
	if status, body, _ := v.ask("/inspect/open", ground); status != http.StatusUnprocessableEntity || !strings.Contains(body, "There is no such number here") {
		t.Errorf("a ground about nobody = %d:\n%s", status, body)
	}
	ground.Set("subject", "190340024183")
	if status, body, at := v.ask("/inspect/open", ground); status != http.StatusOK || at != client || !strings.Contains(body, "№ 12-K") {
		t.Fatalf("a ground leads to %s with %d:\n%s", at, status, body)
	}

	// A receipt, and then the register is blocked.
	memory, err := kkm.OpenFile(filepath.Join(t.TempDir(), "register"))
	must(err)
	reg, err := kkm.New(kkm.Config{Card: made.Card, Transaction: time.Minute, Pause: 20 * time.Millisecond}, memory,
		kkm.NewLink(kkm.LinkConfig{Addr: o.KKMAddr, Answer: 15 * time.Second}), time.Now, rand.NewChaCha8([32]byte{1}))
	must(err)
	t.Cleanup(func() { reg.Close() })
	must(reg.SetToken(made.Token))
	slip, err := reg.Sell(t.Context(), fiscal.Receipt{Items: []fiscal.Item{{Kind: fiscal.ItemGoods, Name: "Нан", Section: "1", Unit: "796", Quantity: fiscal.OneUnit, Price: 123_450, Cost: 123_450}}})
	must(err)
	must(o.registry.Block(t.Context(), made.Card.Register, "test", "Дело 12"))
	v.wants(client, "Дала Сауда", fmt.Sprintf("%s/registers/%d", client, made.Card.Register), "№ 12-K")
	found := v.wants(fmt.Sprintf("/inspect?q=%d+%s", made.Card.Register, slip.FiscalSign), "/documents/")
	link := regexp.MustCompile(regexp.QuoteMeta(client) + `/documents/\d+/\d+`).FindString(found)
	v.wants(link, "Нан", "№ 12-K") // at once: from the journal, not from the tables of lists
	day := ""
	for end := time.Now().Add(60 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		_, body, _ := v.ask(client+"/days", nil)
		if day = regexp.MustCompile(regexp.QuoteMeta(client) + `/days/\d+/\d{4}-\d\d-\d\d`).FindString(body); day != "" {
			break
		}
		if time.Now().After(end) {
			t.Fatalf("no day is listed:\n%s", body)
		}
	}
	// From the summary of the day to its receipts, and from it to the receipt.
	summary := v.wants(day, "234.50", "waits to be handed over", "Nothing of this day was handed over yet", link)
	receipts := regexp.MustCompile(`href="(` + regexp.QuoteMeta(client) + `/receipts\?[^"]+)"`).FindStringSubmatch(summary)
	if receipts == nil {
		t.Fatalf("the summary leads to no receipts:\n%s", summary)
	}
	v.wants(strings.ReplaceAll(receipts[1], "&amp;", "&"), "234.50", link)
	var version fiscal.Number
	if _, err := fmt.Sscanf(summary[strings.Index(summary, "version "):], "version %d waits", &version); err != nil {
		t.Fatal(err)
	}
	of, _ := time.Parse(time.DateOnly, day[len(day)-len(time.DateOnly):])
	sent := delivery.SentSummary{Register: made.Card.Register, Day: fiscal.WallTime(of.Unix()), Version: version, At: time.Now(), Refused: "the number of another register"}
	must(o.store.KeepSentSummaries(t.Context(), kgd.Name, []delivery.SentSummary{sent}))
	v.wants(day, fmt.Sprintf("version %d was refused", version), sent.Refused, "The journal was counted anew just now and comes to the same")
	v.wants(day+"/csv", fmt.Sprintf("version %d was refused", version), sent.Refused, "1234.50;1234.50")
	v.wants(fmt.Sprintf("%s/registers/%d", client, made.Card.Register), "Дело 12", made.Card.RegistrationNumber)
	for _, list := range []string{"shifts", "receipts", "reports", "moves", "offline", "findings", "days"} {
		v.wants(client+"/"+list, "№ 12-K")
	}
	status, book, _ := v.ask(client+"/receipts/xlsx", nil)
	sheet, err := excelize.OpenReader(bytes.NewReader([]byte(book)))
	if status != http.StatusOK || err != nil {
		t.Fatalf("the workbook: %d, %v", status, err)
	}
	if kind, err := sheet.GetCellType("Sheet1", "C2"); err != nil || kind != excelize.CellTypeNumber && kind != excelize.CellTypeUnset {
		t.Errorf("the total of a receipt is a cell of type %v, %v", kind, err)
	}
	if sum, err := sheet.GetCellValue("Sheet1", "C2", excelize.Options{RawCellValue: true}); err != nil || sum != "1234.5" {
		t.Errorf("the total of a receipt is %q, %v", sum, err)
	}
	v.wants(client+"/days/csv", "1234.50")
	if status, _, _ := v.ask(fmt.Sprintf("/inspect/clients/%d/receipts", made.Card.Taxpayer+1), nil); status != http.StatusForbidden {
		t.Errorf("a client whom the ground does not concern: %d", status)
	}

	// What was seen is on record: for the inspector, the operator's staff, the client.
	v.wants("/inspect/grounds/1", "receipts/xlsx", "Inspector took a file", "days/csv")
	v.wants("/inspect/grounds/1/csv", "190340024183", "receipts/xlsx")
	owner := newVisitor(t, o)
	signIn(owner, "owner@example.kz")
	owner.wants("/audit", "Inspector looked", "№ 12-K", "i@kgd.example")
	for _, path := range []string{"/inspect", client, client + "/receipts", "/inspect/grounds", "/staff/inspectors", "/staff/inspections", "/staff/inspections/1/csv"} {
		if status, body, _ := owner.ask(path, nil); status != http.StatusForbidden {
			t.Errorf("a client at %s: %d\n%s", path, status, body)
		}
	}
	if n, err := access.VerifyAudit(t.Context(), o.store, made.Card.Taxpayer); err != nil || n < 10 {
		t.Errorf("the client's chain has %d records, %v", n, err)
	}
	staff := newVisitor(t, o)
	signIn(staff, "staff@example.kz") // without a second factor
	if _, _, at := staff.ask("/staff/inspections", nil); at != "/me" {
		t.Errorf("staff without a second factor are at %s", at)
	}
	if status, _, at := v.ask("/inspect/close", url.Values{}); status != http.StatusOK || at != "/inspect" {
		t.Errorf("closing leads to %s with %d", at, status)
	}
	if _, _, at := v.ask(link, nil); at != "/inspect" {
		t.Errorf("after the end a document leads to %s", at)
	}
	must(people.EndInspector(t.Context(), "i@kgd.example", false))
	if _, _, at := v.ask("/inspect", nil); at != "/signin" {
		t.Errorf("an inspector who was ended is at %s", at)
	}
}
