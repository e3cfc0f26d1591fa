package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"

	"openofd/internal/config"
	"openofd/internal/till"
)

// till opens the demo's till and sells on it as a browser does: through its own
// door, from the code of a letter to the closed shift.
func (w *walk) till() (said string, err error) {
	codes := &toldCodes{con: w.con}
	site := config.Site{URL: w.o.Site}
	cfg := config.Till{Data: filepath.Join(w.dir, "till"), Addr: config.Addr{HostPort: "127.0.0.1:0"}, Operator: dialable(w.o.KKMAddr), OperatorURL: site}
	t, err := startTill(w.ctx, &cfg, demoOperator().At(site), codes, till.Options{}, w.o.log)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, t.stop()) }()
	if err := seatDemoTill(w.ctx, w.o, t.Till, codes); err != nil {
		return "", err
	}
	jar, err := cookiejar.New(nil)
	if err != nil {
		return "", err
	}
	b := &tillBrowser{ctx: w.ctx, site: t.site, client: http.Client{Jar: jar}}
	number, err := codes.another(b)
	if err != nil {
		return "", err
	}
	b.post("/signin/code?lang=ru", "email", demoTillEmail, "code", number)
	b.post("/lock", "cashier", "1", "pin", demoTillCode)
	at := regexp.MustCompile(`/settings/(\d+)`).FindStringSubmatch(b.get("/registers"))
	if b.err != nil || at == nil {
		return "", errors.Join(b.err, errors.New("the till shows no register"))
	}
	shown := b.sell(at[1])
	sign := regexp.MustCompile(`class="sign"`).MatchString(shown)
	if b.err == nil && (!sign || strings.Contains(shown, "Автономный")) {
		b.err = errors.New("the receipt has no fiscal sign")
	}
	z := b.post("/z", "register", at[1], "draft", rand.Text())
	if z = strings.NewReplacer(" ", "", "\u00a0", "", "\u202f", "").Replace(z); b.err == nil && !strings.Contains(z, "1234,50") {
		b.err = errors.New("the Z report does not show what was sold")
	}
	return fmt.Sprintf("register %s, 1234.50 sold", at[1]), b.err
}

// another has the till send a code, and returns it.
func (c *toldCodes) another(b *tillBrowser) (string, error) {
	b.post("/signin?lang=ru", "email", demoTillEmail)
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.last, b.err
}

// tillBrowser is a seller's device without scripts. Its first error ends it.
type tillBrowser struct {
	ctx    context.Context
	site   string
	client http.Client
	err    error
}

func (b *tillBrowser) ask(method, path, kind, body string) string {
	if b.err != nil {
		return ""
	}
	r, err := http.NewRequestWithContext(b.ctx, method, b.site+path, strings.NewReader(body))
	if err != nil {
		b.err = err
		return ""
	}
	r.Header.Set("Content-Type", kind)
	if kind == "application/json" {
		r.Header.Set("Accept", kind)
	}
	answer, err := b.client.Do(r)
	if err != nil {
		b.err = err
		return ""
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(io.LimitReader(answer.Body, 1<<20))
	if b.err = err; err == nil && answer.StatusCode != http.StatusOK {
		b.err = fmt.Errorf("%s %s answers %d", method, path, answer.StatusCode)
	}
	return string(text)
}

func (b *tillBrowser) get(path string) string { return b.ask(http.MethodGet, path, "", "") }

func (b *tillBrowser) post(path string, fields ...string) string {
	form := url.Values{}
	for i := 0; i+1 < len(fields); i += 2 {
		form.Set(fields[i], fields[i+1])
	}
	return b.ask(http.MethodPost, path, "application/x-www-form-urlencoded", form.Encode())
}

// sell forms a receipt and shows it.
func (b *tillBrowser) sell(register string) string {
	draft := fmt.Sprintf(`{"id":%q,"register":%s,"op":"sale","lines":[{"quantity":"1","price":"1234.50"}],"paid":{"chosen":true}}`, rand.Text(), register)
	text := b.ask(http.MethodPost, "/draft/form", "application/json", draft)
	var said struct{ Go string }
	if b.err == nil {
		b.err = json.Unmarshal([]byte(text), &said)
	}
	return b.get(said.Go)
}
