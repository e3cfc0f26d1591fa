package till_test

import (
	"context"
	"crypto/rand"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"openofd/internal/access"
	"openofd/internal/device/kkm"
	"openofd/internal/fiscal"
	core "openofd/internal/till"
	"openofd/internal/web/till"
)

var quiet = slog.New(slog.DiscardHandler)

// letters keeps the last code for each address.
type letters struct{ sync.Map }

func (l *letters) Send(_ context.Context, m access.Mail) error {
	l.Store(m.To, m.Code)
	return nil
}

func (l *letters) code(email string) string {
	code, _ := l.Load(email)
	text, _ := code.(string)
	return text
}

// browser is a seller's device without scripts.
type browser struct {
	t    *testing.T
	site string
	*http.Client
}

func (b *browser) do(req *http.Request) (status int, page string) {
	b.t.Helper()
	resp, err := b.Do(req)
	if err != nil {
		b.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return resp.StatusCode, resp.Request.URL.Path + "\n" + string(text)
}

func (b *browser) get(path string) (int, string) {
	b.t.Helper()
	req, err := http.NewRequestWithContext(b.t.Context(), http.MethodGet, b.site+path, http.NoBody)
	if err != nil {
		b.t.Fatal(err)
	}
	return b.do(req)
}

func (b *browser) post(path string, fields ...string) (int, string) {
	b.t.Helper()
	form := url.Values{}
	for i := 0; i < len(fields); i += 2 {
		form.Set(fields[i], fields[i+1])
	}
	req, err := http.NewRequestWithContext(b.t.Context(), http.MethodPost, b.site+path, strings.NewReader(form.Encode()))
	if err != nil {
		b.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("User-Agent", "iPhone")
	return b.do(req)
}

func serve(t *testing.T, link func() kkm.Exchanger) (string, *letters) {
	t.Helper()
	mail := new(letters)
	shop, err := core.Open(t.Context(), core.Config{
		Path: filepath.Join(t.TempDir(), "till.db"), Mailer: mail, Link: link, Check: "https://ofd.example", Now: time.Now, Rand: rand.Reader, Log: quiet,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := shop.Close(); err != nil {
			t.Error(err)
		}
	})
	h, err := till.New(till.Config{Operator: fiscal.Operator{Title: fiscal.Text{RU: "ОФД"}}, Zone: time.UTC}, shop, quiet)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	return server.URL, mail
}

func open(t *testing.T, site string) *browser {
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &browser{t, site, &http.Client{Jar: jar}}
}

// A seller signs up, is locked out by a code of their own, and is told when
// another device takes over.
//
// Req: E-021, E-024 to E-031
func TestSignIn(t *testing.T) {
	site, mail := serve(t, func() kkm.Exchanger { return kkm.NewLink(kkm.LinkConfig{Addr: "127.0.0.1:1"}) })
	b := open(t, site)
	const email = "aigul@example.kz"
	signIn := func(b *browser) string {
		t.Helper()
		if status, page := b.post("/signin?lang=ru", "email", email); status != http.StatusOK || !strings.Contains(page, "Отправили код на "+email) {
			t.Fatalf("a code is asked for: %d %s", status, page)
		}
		_, page := b.post("/signin/code?lang=ru", "email", email, "code", mail.code(email))
		return page
	}
	for _, c := range []struct {
		what, path string
		fields     []string
		want       string
	}{
		{"a page of somebody unknown", "", nil, "/welcome\n"},
		{"no address", "/signin?lang=kk", []string{"email", "x"}, "Мекенжай дұрыс емес"},
		{"a code that nobody sent", "/signin/code?lang=en", []string{"email", email, "code", "123456"}, "The code is wrong or too old"},
	} {
		var page string
		if c.path == "" {
			_, page = b.get("/registers")
		} else {
			_, page = b.post(c.path, c.fields...)
		}
		if !strings.Contains(page, c.want) {
			t.Errorf("%s: no %q in %s", c.what, c.want, page)
		}
	}
	if page := signIn(b); !strings.HasPrefix(page, "/details\n") {
		t.Fatalf("after the code: %s", page)
	}
	if _, page := b.post("/details", "name", " ", "phone", ""); !strings.Contains(page, "Напишите имя") {
		t.Errorf("without a name: %s", page)
	}
	if _, page := b.post("/details", "name", "Айгүл", "phone", "+77011234567"); !strings.HasPrefix(page, "/pin\n") {
		t.Fatalf("after the details: %s", page)
	}
	for _, wrong := range [][]string{{"123", "123", "от 4 до 8"}, {"1234", "1235", "не совпадают"}} {
		if _, page := b.post("/pin", "pin", wrong[0], "again", wrong[1]); !strings.Contains(page, wrong[2]) {
			t.Errorf("the code %s, %s: no %q in %s", wrong[0], wrong[1], wrong[2], page)
		}
	}
	b.post("/pin", "pin", "1234", "again", "1234")
	if _, page := b.get("/registers"); !strings.Contains(page, "Касс пока нет") {
		t.Errorf("the registers: %s", page)
	}
	b.post("/leave")
	for range 5 {
		b.post("/lock", "cashier", "1", "pin", "0000")
	}
	if _, page := b.post("/lock", "cashier", "1", "pin", "1234"); !strings.Contains(page, "через 15 минут") {
		t.Errorf("after five wrong codes: %s", page)
	}

	other := open(t, site)
	if page := signIn(other); !strings.HasPrefix(page, "/pin\n") {
		t.Errorf("the other device, after the code: %s", page)
	}
	if _, page := b.get("/registers"); !strings.HasPrefix(page, "/signin\n") || !strings.Contains(page, "Выполнен вход на другом устройстве (iPhone") {
		t.Errorf("the first device: %s", page)
	}
	other.post("/signin?lang=ru", "email", email)
	if _, page := other.post("/signin?lang=ru", "email", email); !strings.Contains(page, "через минуту") {
		t.Errorf("two codes within a minute: %s", page)
	}
	other.post("/pin", "pin", "4321", "again", "4321") // a fresh letter's code is enough to set another
	if _, page := other.get("/registers"); !strings.HasPrefix(page, "/registers\n") {
		t.Errorf("with a new code: %s", page)
	}
}
