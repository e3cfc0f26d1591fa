package till_test

import (
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"openofd/internal/device/kkm"
)

// signUp signs a seller up and gives them the code 1234.
func (b *browser) signUp(mail *letters, email string) {
	b.t.Helper()
	b.post("/signin?lang=ru", "email", email)
	b.post("/signin/code?lang=ru", "email", email, "code", mail.code(email))
	b.post("/details", "name", "Айгүл", "phone", "")
	if status, page := b.post("/pin", "pin", "1234", "again", "1234"); strings.HasPrefix(page, "/pin\n") {
		b.t.Fatalf("signing up: %d %s", status, page)
	}
}

// What belongs to the account as a whole: the passport of a new register,
// cashiers with their rights, goods, the language; and what a phone installs.
//
// Req: E-022, E-023, E-030, E-066, E-067, E-119, T-002
func TestAccount(t *testing.T) {
	site, mail := serve(t, func() kkm.Exchanger { return kkm.NewLink(kkm.LinkConfig{Addr: "127.0.0.1:1"}) })
	b := open(t, site)
	b.signUp(mail, "aigul@example.kz")

	_, page := b.post("/registers/new")
	serial := regexp.MustCompile(`OT[0-9]{12}`).FindString(page)
	if serial == "" || !strings.Contains(page, "Заводской номер") {
		t.Fatalf("a new register: %s", page)
	}
	if status, file := b.get("/registers/new/passport.txt?serial=" + serial + "&year=2026"); status != http.StatusOK || !strings.Contains(file, "Заводской номер: "+serial) {
		t.Errorf("its passport: %d %s", status, file)
	}
	if status, _ := b.get("/registers/new/passport.txt?serial=OT260000000001&year=2026"); status != http.StatusNotFound {
		t.Errorf("a passport with a wrong check digit: %d, want 404", status)
	}

	for _, wrong := range [][]string{{"name", "", "Напишите имя"}, {"name", "Ерлан", "от 4 до 8"}} {
		if _, page := b.post("/cashiers/new", wrong[0], wrong[1]); !strings.Contains(page, wrong[2]) {
			t.Errorf("a cashier without what is needed: no %q in %s", wrong[2], page)
		}
	}
	if _, page := b.post("/cashiers/new", "name", "Ерлан", "pin", "5678", "again", "5678", "right_sell", "1"); !strings.HasPrefix(page, "/cashiers\n") || !strings.Contains(page, "Ерлан") {
		t.Fatalf("a new cashier: %s", page)
	}

	if _, page := b.post("/goods/new", "name", "Нан", "price", "180,50", "unit", "796", "barcode", "487"); !strings.HasPrefix(page, "/goods\n") || !strings.Contains(page, "Нан") || !strings.Contains(page, "180,50") {
		t.Fatalf("new goods: %s", page)
	}
	if _, page := b.post("/goods/new", "name", "x", "price", "1.234"); !strings.Contains(page, `aria-invalid="true"`) {
		t.Errorf("goods with a price of three places: %s", page)
	}
	if _, page := b.get("/goods?q=нА"); !strings.Contains(page, "/goods/-1") {
		t.Errorf("found by a beginning: %s", page)
	}

	if _, page := b.post("/account/language", "lang", "kk"); !strings.Contains(page, `<html lang="kk">`) {
		t.Errorf("in Kazakh: %s", page)
	}
	b.post("/leave")
	b.post("/lock", "cashier", "2", "pin", "5678")
	for _, path := range []string{"/cashiers", "/cashiers/1", "/goods/-1"} {
		if status, page := b.get(path); status != http.StatusForbidden {
			t.Errorf("%s for a cashier without the right: %d %s", path, status, page)
		}
	}
	if _, page := b.get("/account"); strings.Contains(page, `href="/cashiers"`) || strings.Contains(page, `href="/pin"`) {
		t.Errorf("a cashier is offered what they may not do: %s", page)
	}

	out := open(t, site) // a phone that has not signed in yet
	if status, page := out.get("/manifest.webmanifest?lang=kk"); status != http.StatusOK || !strings.Contains(page, `"standalone"`) || !strings.Contains(page, `"lang":"kk"`) {
		t.Errorf("the manifest: %d %s", status, page)
	}
	_, worker := out.get("/sw.js")
	for _, asset := range regexp.MustCompile(`/assets/[^"]+`).FindAllString(worker, -1) {
		if status, _ := out.get(asset); status != http.StatusOK {
			t.Errorf("the worker keeps %s, which is %d", asset, status)
		}
	}
	if status, page := out.get("/offline?lang=en"); status != http.StatusOK || !strings.Contains(page, "The phone cannot reach the till") {
		t.Errorf("without a network: %d %s", status, page)
	}
	resp, err := out.Get(site + "/welcome")
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, resp.Body)
	_ = resp.Body.Close()
	if p := resp.Header.Get("Permissions-Policy"); !strings.Contains(p, "camera=(self)") {
		t.Errorf("Permissions-Policy %q lets nobody read codes of goods", p)
	}
}
