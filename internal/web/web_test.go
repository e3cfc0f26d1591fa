package web

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"openofd/internal/cabinet"
	"openofd/internal/fiscal"
)

func TestRoutes(t *testing.T) {
	s := door(t, Config{ChecksAtOnce: 100000}, newShop(t))
	sale, ruSale := queries(t)["sale"], queries(t)["ru-sale"]
	const page, data, problem = "text/html; charset=utf-8", "application/json", "application/problem+json"
	tests := []struct {
		path, accept string
		status       int
		kind, says   string // content type; something it must hold
	}{
		{"/?lang=en", "text/html", 200, page, "Check a receipt"},
		{"/?lang=en&" + sale, "text/html", 200, page, "This receipt is genuine"},
		{"/?&lang=en&" + sale, "text/html", 200, page, "This receipt is genuine"}, // a stray & of some devices
		{"/check?lang=en&" + sale, "text/html", 200, page, "This receipt is genuine"},
		{"/check?lang=en", "text/html", 200, page, "Copy it"}, // the bare address is the form, see below
		{"/check?lang=en&" + queries(t)["differs"], "", 200, page, "What differs: sum, date and time."},
		{"/check?lang=en&" + queries(t)["not_yet"], "", 200, page, "by 17 March 2026, 09:12 we must have it"},
		{"/check?lang=en&" + queries(t)["none"], "", 200, page, "No such receipt"},
		{"/check?lang=en&i=12x&f=1&t=20260314T091241", "text/html", 400, page, `value="12x"`},
		{"/check?" + sale, data, 200, data, `"verdict":"genuine"`},
		{"/?" + sale, data, 200, data, `"verdict":"genuine"`},
		{"/check?" + sale, "text/html,application/json;q=0.9", 200, page, "<h1"},
		{"/api/v1/check?" + sale, "", 200, data, `"verdict":"genuine"`},
		{"/api/v1/check?i=1&lang=ru", "", 400, problem, `"title":"Не хватает обязательного значения."`},
		{"/check", data, 400, problem, `"reason":"missing_parameter"`},
		{"/api/v1/openapi.json", "", 200, "application/openapi+json", `"openapi":"3.1.0"`},
		{"/api/v1/openapi.yaml", "", 200, "application/openapi+yaml", "openapi: 3.1.0"},
		{"/api/v1/nothing", "", 404, problem, `"reason":"nothing_there"`},
		{"/nothing?lang=en", "", 404, page, "There is no such page."},
		{"/check?lang=en&" + ruSale, "text/html", 200, page, "This receipt is genuine"},
		{"/?lang=en&" + ruSale, "text/html", 200, page, "This receipt is genuine"},
		{"/?" + ruSale, data, 200, data, `"currency":"RUB"`},
		{"/api/v1/check?" + ruSale, "", 200, data, `"fiscal_drive":"9999078902001234"`},
		{"/api/v1/check?qr=" + url.QueryEscape(ruSale), "", 200, data, `"verdict":"genuine"`},
		{"/api/v1/check?qr=hello", "", 400, problem, `"parameter":"qr"`},
		{"/check?lang=en&" + queries(t)["ru-differs"], "", 200, page, "What differs: date and time."},
		{"/check?lang=en&" + queries(t)["ru-not_yet"], "", 200, page, "by 13 April 2026, 09:12 we must have it"},
		{"/check?lang=en&" + queries(t)["ru-none"], "", 200, page, "tax inspectorate"},
		{"/check?lang=en&fn=12&fp=&n=1", "text/html", 400, page, "16 digits"},
		{"/check?lang=en&qr=" + url.QueryEscape("https://x/?"+ruSale), "text/html", 200, page, "This receipt is genuine"},
		{"/check?lang=en&qr=" + url.QueryEscape(sale), "text/html", 200, page, "This receipt is genuine"},
		{"/?lang=en&qr=hello", "text/html", 400, page, "There is no receipt in this text."},
		{"/check/?lang=en", "", 404, page, "There is no such page."},
		{"/assets/nothing.css", "", 404, "text/plain; charset=utf-8", ""},
	}
	for _, tt := range tests {
		if tt.says == "Copy it" {
			tt.says = "The easiest way is to point"
		}
		res, body := get(t, s, tt.path, "Accept", tt.accept)
		if res.StatusCode != tt.status || res.Header.Get("Content-Type") != tt.kind || !strings.Contains(body, tt.says) {
			t.Errorf("GET %s (%s) = %d %s, want %d %s with %q in\n%s", tt.path, tt.accept, res.StatusCode, res.Header.Get("Content-Type"), tt.status, tt.kind, tt.says, body)
		}
	}
}

func TestLanguage(t *testing.T) {
	s := door(t, Config{}, newShop(t))
	tests := []struct{ path, accept, want string }{
		{"/", "", "kk"},
		{"/", "ru-RU,ru;q=0.9", "ru"},
		{"/?lang=en", "ru", "en"},
		{"/?lang=xx", "ru", "ru"},
		{"/nothing", "en", "en"},
		{"/api/v1/check", "", "en"}, // programs
		{"/api/v1/check", "kk", "kk"},
		{"/api/v1/nothing?lang=ru", "kk", "ru"},
	}
	for _, tt := range tests {
		res, body := get(t, s, tt.path, "Accept-Language", tt.accept)
		if got := res.Header.Get("Content-Language"); got != tt.want {
			t.Errorf("GET %s with %q answers in %q, want %q", tt.path, tt.accept, got, tt.want)
		}
		if html := strings.Contains(res.Header.Get("Content-Type"), "html"); html && !strings.Contains(body, `<html lang="`+tt.want+`">`) {
			t.Errorf("GET %s with %q does not say its language", tt.path, tt.accept)
		}
		if !strings.Contains(strings.Join(res.Header.Values("Vary"), ","), "Accept-Language") {
			t.Errorf("GET %s may be kept for readers of other languages", tt.path)
		}
	}
	// A chosen language stays through the links and the form of the page.
	_, body := get(t, s, "/check?lang=en&"+queries(t)["none"])
	for _, want := range []string{`name="lang" value="en"`, `href="/?lang=en"`, `lang=ru`} {
		if !strings.Contains(body, want) {
			t.Errorf("the page lacks %s", want)
		}
	}
}

func TestHeaders(t *testing.T) {
	s := door(t, Config{}, newShop(t))
	for _, path := range []string{"/", "/check?" + queries(t)["sale"], "/nothing", "/api/v1/check", "/api/v1/openapi.json"} {
		res, body := get(t, s, path)
		for name, want := range map[string]string{
			"X-Content-Type-Options": "nosniff",
			"Referrer-Policy":        "no-referrer",
			"Cache-Control":          "no-store",
		} {
			if got := res.Header.Get(name); got != want {
				t.Errorf("GET %s: %s is %q, want %q", path, name, got, want)
			}
		}
		policy := res.Header.Get("Content-Security-Policy")
		if strings.Contains(policy, "unsafe") || strings.Contains(policy, "data:") || !strings.HasPrefix(policy, "default-src 'none';") {
			t.Errorf("GET %s: the content security policy is %q", path, policy)
		}
		if cookies := res.Header.Values("Set-Cookie"); cookies != nil {
			t.Errorf("GET %s sets the cookies %q", path, cookies)
		}
		for _, inline := range []string{"<style", " style=", "<script>", " onclick=", "javascript:"} {
			if strings.Contains(body, inline) {
				t.Errorf("GET %s holds %q, which the policy forbids", path, inline)
			}
		}
	}
	if res, _ := get(t, s, "/check?"+queries(t)["sale"]); res.Header.Get("X-Robots-Tag") != "noindex" {
		t.Error("search engines may keep a receipt")
	}
}

func TestOnlyReads(t *testing.T) {
	s := door(t, Config{}, newShop(t))
	for _, path := range []string{"/", "/check", "/api/v1/check", "/assets/x"} {
		for _, method := range []string{http.MethodPost, http.MethodDelete, "BREW"} {
			res, _ := do(t, s, method, path)
			if res.StatusCode != http.StatusMethodNotAllowed || res.Header.Get("Allow") != "GET, HEAD" {
				t.Errorf("%s %s = %d, Allow %q, want 405 and what is allowed", method, path, res.StatusCode, res.Header.Get("Allow"))
			}
		}
	}
	if res, _ := do(t, s, http.MethodPost, "/check", "Sec-Fetch-Site", "cross-site"); res.StatusCode != http.StatusForbidden {
		t.Errorf("a POST from another site = %d, want 403", res.StatusCode)
	}
	if res, body := do(t, s, http.MethodHead, "/check?"+queries(t)["sale"]); res.StatusCode != http.StatusOK || body != "" {
		t.Errorf("HEAD = %d with %d bytes", res.StatusCode, len(body))
	}
}

// TestFailures: every kind of failure behind the door becomes a page and a
// problem that tell nothing of the cause.
func TestFailures(t *testing.T) {
	var all []error
	for _, k := range fiscal.Kinds() {
		all = append(all, &fiscal.Error{Of: k, Msg: "secret", Err: errors.New("secret")})
	}
	for _, r := range fiscal.Reasons() {
		all = append(all, &fiscal.Error{Reason: r, Msg: "secret"})
	}
	all = append(all, errors.New("secret"))
	failing := new(shop)
	s := door(t, Config{ChecksAtOnce: 100_000}, failing)
	for _, err := range all {
		failing.fails = err
		for _, accept := range []string{"text/html", "application/json"} {
			res, body := get(t, s, "/check?lang=en&"+queries(t)["sale"], "Accept", accept)
			if res.StatusCode < 400 {
				t.Errorf("%v: %d", err, res.StatusCode)
			}
			if strings.Contains(body, "secret") {
				t.Errorf("%v: the answer tells the cause: %s", err, body)
			}
			if (res.StatusCode == 503 || res.StatusCode == 429) != (res.Header.Get("Retry-After") != "") {
				t.Errorf("%v: %d with Retry-After %q", err, res.StatusCode, res.Header.Get("Retry-After"))
			}
		}
	}
}

// TestNothingToldApart: an unknown register, an unknown sign and an unknown
// autonomous code give the same bytes but for what was typed.
func TestNothingToldApart(t *testing.T) {
	s := door(t, Config{}, newShop(t))
	const when = "&s=1.00&t=20260314T091241"
	var pages []string
	for _, q := range []string{"i=777777777777&f=010101907421", "i=362397639340&f=999999999999", "i=5&f=010101907421"} {
		_, body := get(t, s, "/check?lang=en&"+q+when, "Accept", "application/json")
		pages = append(pages, body)
	}
	if pages[0] != pages[1] || pages[1] != pages[2] {
		t.Errorf("the answers differ:\n%s", strings.Join(pages, "\n"))
	}
	// Of a receipt that differs nothing is shown.
	for _, accept := range []string{"text/html", "application/json"} {
		_, body := get(t, s, "/check?lang=en&"+queries(t)["differs"], "Accept", accept)
		for _, secret := range []string{"Сүт", "23456.10", "456.10", "Асем", "SWK00032944", "09:12:41", "Ізбасарова"} {
			if strings.Contains(strings.ReplaceAll(body, `example 14.03.2026 09:12:41`, ""), secret) && !strings.Contains(sample, secret) {
				t.Errorf("an answer that differs tells %q", secret)
			}
		}
	}
}

// sample is what the picture of a receipt beside the form holds.
const sample = "09:12:41"

// TestPersonal: contacts of the buyer are shown to nobody, the number in part.
func TestPersonal(t *testing.T) {
	s := door(t, Config{}, newShop(t))
	for _, accept := range []string{"text/html", "application/json"} {
		_, body := get(t, s, "/check?"+queries(t)["sale"], "Accept", accept)
		for _, secret := range []string{"850101300019", "buyer@example.kz", "77010000000", "not for buyers"} {
			if strings.Contains(body, secret) {
				t.Errorf("%s holds %q", accept, secret)
			}
		}
		if !strings.Contains(body, "••••••••0019") {
			t.Errorf("%s lacks the masked number of the buyer", accept)
		}
	}
}

// TestEscaping: a receipt may hold anything; the page stays a page.
func TestEscaping(t *testing.T) {
	f := sale()
	f.Document.Receipt.Items[0].Name = `<script>alert(1)</script>`
	f.Card.Title.RU = `"><img src=x onerror=alert(1)>`
	s := door(t, Config{}, &shop{receipts: map[string]*cabinet.Found{"362397639340": f}})
	for _, path := range []string{"/check?" + queries(t)["sale"], `/check?i="><script>alert(1)</script>&lang="><u>`, `/nothing?"><script>`} {
		_, body := get(t, s, strings.ReplaceAll(path, " ", "%20"))
		for _, bad := range []string{"<script>alert", "<img src=x", "<u>"} {
			if strings.Contains(body, bad) {
				t.Errorf("GET %s: %q is not escaped", path, bad)
			}
		}
	}
}

// TestCountriesServed: the front page asks for the receipts of the countries
// that the operator serves; a pasted code may be of any.
func TestCountriesServed(t *testing.T) {
	russia := operator
	russia.BIN, russia.INN = "", "7704211201"
	for _, tt := range []struct {
		self       fiscal.Operator
		kz, ru     bool
		to, answer string
	}{
		{operator, true, false, queries(t)["ru-sale"], "Чек настоящий"},
		{russia, false, true, queries(t)["sale"], "Чек настоящий"},
		{russianOperator(), true, true, "t=1&s=2", "В этом тексте нет данных чека."},
	} {
		s := doorOf(t, Config{}, newShop(t), tt.self)
		for _, path := range []string{"/?lang=ru", "/check?lang=ru"} {
			_, body := get(t, s, path, "Accept", "text/html")
			if kz, ru := strings.Contains(body, `id="field-f"`), strings.Contains(body, `id="field-ru-fp"`); kz != tt.kz || ru != tt.ru || !strings.Contains(body, `name="qr"`) {
				t.Errorf("%s of BIN %q, INN %q asks for Kazakhstan's %t, Russia's %t, want %t and %t", path, tt.self.BIN, tt.self.INN, kz, ru, tt.kz, tt.ru)
			}
		}
		if _, body := get(t, s, "/check?lang=ru&qr="+url.QueryEscape(tt.to), "Accept", "text/html"); !strings.Contains(body, tt.answer) {
			t.Errorf("the pasted %s is not answered with %q", tt.to, tt.answer)
		}
	}
}

// TestPersonalOfRussia: of a buyer in Russia nothing is shown whole, neither on
// the page nor in JSON.
func TestPersonalOfRussia(t *testing.T) {
	s := door(t, Config{ChecksAtOnce: 1000}, newShop(t))
	for _, name := range []string{"ru-hotel", "ru-agent", "ru-internet"} {
		for _, accept := range []string{"text/html", "application/json"} {
			_, body := get(t, s, "/check?lang=ru&"+queries(t)[name], "Accept", accept)
			for _, secret := range []string{"500100732259", "Иванов Иван", "+79161234567", "9161234567", "01.02.1985", "123456", "Ленина", "buyer@example.ru", `"643"`} {
				if strings.Contains(body, secret) {
					t.Errorf("%s (%s) holds %q", name, accept, secret)
				}
			}
			if !strings.Contains(body, "••") {
				t.Errorf("%s (%s) says nothing of the buyer", name, accept)
			}
		}
	}
}
