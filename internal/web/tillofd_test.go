package web

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"mime/multipart"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"openofd/internal/access"
	devicekkm "openofd/internal/device/kkm"
	"openofd/internal/fiscal"
	"openofd/internal/gate"
	"openofd/internal/intake"
	"openofd/internal/journal"
	"openofd/internal/keyring"
	"openofd/internal/protocol/kkm"
	"openofd/internal/registry"
	"openofd/internal/till"
	webtill "openofd/internal/web/till"
)

// counter is a till beside a real operator with doors for registers, people and
// programs.
type counter struct {
	*house
	registry *registry.Service
	shop     *till.Till
	letters  *tillLetters
	till     string // address of its pages
}

// tillLetters keeps the last code of the till's own letters.
type tillLetters struct{ code string }

func (l *tillLetters) Send(_ context.Context, m access.Mail) error {
	l.code = m.Code
	return nil
}

func newCounter(t *testing.T, judge registry.Judge) *counter {
	t.Helper()
	c := &counter{house: newHouse(t), letters: &tillLetters{}}
	quiet := slog.New(slog.DiscardHandler)
	keys, err := keyring.Open(t.Context(), c.db, filepath.Join(t.TempDir(), "master.key"), true, time.Now, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	committer := journal.New(journal.Config{}, c.db, quiet, nil, time.Now)
	rules := &kkm.Rules{Limits: func(fiscal.WallTime) kkm.Limits { return kkm.Limits{Shift: 24 * time.Hour, Offline: 72 * time.Hour} }}
	in := intake.New(intake.Config{}, c.db, committer, rules, keys, &fiscal.Operator{}, quiet, nil, time.Now, rand.Reader)
	door := gate.New(gate.Config{AddressFrames: -1, RegisterFrames: -1}, in, quiet, nil, time.Now)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, end := context.WithCancel(context.Background())
	ended := make(chan struct{}, 2)
	go func() { committer.Run(context.Background()); ended <- struct{}{} }()
	go func() { _ = door.Serve(ctx, listener); ended <- struct{}{} }()
	t.Cleanup(func() {
		wait, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		_ = door.Drain(wait)
		end()
		committer.Stop()
		<-ended
		<-ended
	})
	c.registry = registry.New(c.db, in, time.Now)
	c.office = registry.NewOffice(c.registry, c.db, c.access, judge, operator, time.Now)
	c.serve()
	c.shop, err = till.Open(t.Context(), till.Config{Path: filepath.Join(t.TempDir(), "till.db"), Mailer: c.letters, Check: c.URL, Now: time.Now, Rand: rand.Reader, Log: quiet,
		Link: func() devicekkm.Exchanger {
			return devicekkm.NewLink(devicekkm.LinkConfig{Addr: listener.Addr().String()})
		}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.shop.Close(); err != nil {
			t.Error(err)
		}
	})
	pages, err := webtill.New(webtill.Config{Operator: operator, Site: c.URL, Zone: time.UTC}, c.shop, slog.New(slog.NewTextHandler(t.Output(), nil)))
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(pages)
	t.Cleanup(server.Close)
	c.till = server.URL
	return c
}

// seller signs up at the till, and unlocks a device.
func (c *counter) seller(email string) (secret string, seat *till.Seat) {
	c.Helper()
	err := c.shop.SendCode(c.Context(), email, "ru")
	if err == nil {
		secret, _, err = c.shop.SignIn(c.Context(), email, c.letters.code, "test", "ru")
	}
	if err == nil {
		seat, err = c.shop.Seat(c.Context(), secret)
	}
	if err == nil {
		err = errors.Join(c.shop.SetDetails(seat, "Айгүл", "", "ru"), c.shop.SetPIN(c.Context(), seat, "", "1234", "1234"))
	}
	if err == nil {
		seat, err = c.shop.Seat(c.Context(), secret)
	}
	if err != nil {
		c.Fatal(err)
	}
	return secret, seat
}

// post sends a form of the till with a file in it, as a device that has signed in.
func (c *counter) post(secret, path, file string, content []byte, fields ...string) (int, string) {
	c.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	for i := 0; i < len(fields); i += 2 {
		_ = form.WriteField(fields[i], fields[i+1]) // into memory
	}
	if file != "" {
		part, err := form.CreateFormFile(file, "file.p7s")
		if err != nil {
			c.Fatal(err)
		}
		_, _ = part.Write(content)
	}
	_ = form.Close()
	r, err := http.NewRequestWithContext(c.Context(), http.MethodPost, c.till+path, &body)
	if err != nil {
		c.Fatal(err)
	}
	r.Header.Set("Content-Type", form.FormDataContentType())
	r.AddCookie(&http.Cookie{Name: "till_session", Value: secret})
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	res, err := client.Do(r)
	if err != nil {
		c.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		c.Fatal(err)
	}
	return res.StatusCode, res.Header.Get("Location") + "\n" + string(text)
}

// signs signs bytes with the key of a person.
func (c *counter) signs(dir string, content []byte) []byte {
	c.Helper()
	cmd := exec.Command("openssl", "cms", "-sign", "-binary", "-signer", filepath.Join(dir, "keys", "person.pem"), "-inkey", filepath.Join(dir, "keys", "person.key"), "-md", "sha256", "-outform", "DER")
	cmd.Stdin = bytes.NewReader(content)
	out, err := cmd.Output()
	if err != nil {
		c.Fatal(err)
	}
	return out
}

// TestTillLinks walks through the section of the operator in a till, from the
// notice that no company is linked to a register that works: with a test key in
// a browser on a phone, against a real operator. Then it is told of what goes
// wrong.
//
// Req: E-032 to E-054, E-057 to E-068, E-072 to E-078, E-080, E-081, E-086 to E-088, E-091, E-093, E-098, E-122
func TestTillLinks(t *testing.T) {
	dir, judge := newPKI(t)
	c := newCounter(t, judge)
	const email = "aigul@example.kz"
	secret, _ := c.seller(email)
	b := newBrowser(t, "ru")
	b.look(t, "light", 360)
	b.open(t, c.till+"/welcome")
	eval[bool](t, b, fmt.Sprintf(`(document.cookie = "till_session=%s; path=/", true)`, secret))
	text := func() string { t.Helper(); return eval[string](t, b, `document.querySelector("main").innerText`) }
	shows := func(where string, want ...string) {
		t.Helper()
		got := text()
		for _, w := range want {
			if !strings.Contains(got, w) {
				t.Fatalf("%s: no %q in %s", where, w, got)
			}
		}
		b.complained() // of a refusal's status
		switch where { // one page of each kind
		case "no company", "the signature", "whose key", "the company", "the application":
			b.faultless(t, where)
		}
		if *screenshots != "" {
			picture, err := chromedp.Run(b.ctx, chromedp.FullScreenshot(100))
			if err != nil {
				t.Fatal(err)
			}
			if err := os.MkdirAll(*screenshots, 0o755); err != nil {
				t.Fatal(err)
			}
			keep(t, "till-"+strings.ReplaceAll(where, " ", "-")+".png", picture)
		}
	}
	key := func(file, password string) {
		t.Helper()
		b.do(t, chromedp.SetUploadFiles(chromedp.ID("key-file"), []string{filepath.Join(dir, "keys", file)}))
		eval[bool](t, b, fmt.Sprintf(`(() => { document.querySelector("[data-said]").hidden = true; document.getElementById("key-password").value = %q; document.querySelector("form[data-key] button").click(); return true; })()`, password))
	}

	b.open(t, c.till+"/ofd")
	shows("no company", "не привязан кабинет ОФД")
	b.press(t, `document.querySelector("main a.main")`)
	shows("ways to link", "Электронной подписью", email)
	b.press(t, `document.querySelector("main form[action='/ofd/link'] button")`)
	shows("the signature", "Подпишите договор")
	key("person.p12", "4321")
	b.until(t, `document.querySelector("[data-said]").innerText.indexOf("Пароль не подходит") >= 0`)
	key("person.p12", "1234")
	b.until(t, `document.readyState === "complete" && location.pathname === "/ofd/examine" && document.fonts.status === "loaded"`)
	shows("whose key", "Это ваша компания?", "800101300125", "будет зарегистрирована")
	b.fill(t, map[string]string{"code": "000000"})
	shows("a wrong code", "Код неверный")
	b.fill(t, map[string]string{"code": c.code(email)})
	if at := eval[string](t, b, `location.pathname + location.search`); at != "/ofd/address?new=1" {
		t.Fatalf("a new company goes on to %s: %s", at, text())
	}
	shows("the address", "зарегистрирована в ОФД")
	place := map[string]string{"region": "75", "locality": "Астана", "street": "Абая", "house": "10"}
	b.fill(t, place)
	shows("a city of another region", "Населённый пункт")
	place["locality"] = "Алматы"
	b.fill(t, place)
	shows("the company", "Адрес сохранён", "800101300125", "Абая")
	b.press(t, `document.querySelector("main a[href='/ofd/outlets/new']")`)
	b.fill(t, map[string]string{"title": "", "region": "75", "locality": "Алматы", "street": "Абая", "house": ""})
	if wrong := eval[int](t, b, `document.querySelectorAll("main .wrong").length`); wrong == 0 {
		t.Errorf("an outlet without a name is taken: %s", text())
	}
	b.fill(t, map[string]string{"title": "Лавка", "region": "75", "locality": "Алматы", "street": "Абая", "house": "10"})
	shows("the outlet", "Торговая точка добавлена", "Лавка")
	b.press(t, `document.querySelector("main a[href='/ofd/registers/new']")`)
	shows("a new register", "Заводской номер")
	if serial := eval[string](t, b, `document.getElementsByName("serial_number")[0].value`); !till.ValidSerial(serial) {
		t.Errorf("the serial number is %q", serial)
	}
	b.fill(t, map[string]string{"name": "Касса у входа"})
	shows("the application", "Нужно подписать заявление", "Лавка", "проводное", till.Model, "без изменений")
	key("person.p12", "1234")
	b.until(t, `document.readyState === "complete" && location.search === "?said=applied" && document.fonts.status === "loaded"`)
	shows("applied", "отправлена на регистрацию", "Касса у входа", "Отправлена на регистрацию")

	id := c.grants()
	b.press(t, `document.querySelector("main a[href^='/ofd/registers/2']")`)
	shows("granted", "Зарегистрирована", "601000000001")
	b.press(t, `document.querySelector("main form[action$='/connect'] button")`)
	if at := eval[string](t, b, `location.pathname`); at != "/" {
		t.Fatalf("a register that is connected goes on to %s: %s", at, text())
	}
	seat, err := c.shop.Seat(t.Context(), secret)
	if err != nil {
		t.Fatal(err)
	}
	if r, err := c.shop.Register(t.Context(), seat, id); err != nil || r.Card.XIN != "800101300125" || r.Card.RegistrationNumber != "601000000001" {
		t.Errorf("the register in the till = %+v, %v", r.Card, err)
	}
	t.Run("names", func(t *testing.T) { // those of the cabinet, in each language; and the till's new one there
		r, err := c.shop.Register(t.Context(), seat, id)
		if err != nil || r.Settings.Name != "Касса у входа" || r.Card.OutletAddress.KK == "" || r.Card.OutletAddress.KK == r.Card.OutletAddress.RU {
			t.Errorf("the register in the till is %q at %+v, %v", r.Settings.Name, r.Card.OutletAddress, err)
		}
		r.Settings.Name = "Касса у окна"
		if err := c.shop.Set(t.Context(), seat, id, r.Settings); err != nil {
			t.Fatal(err)
		}
		for end := time.Now().Add(20 * time.Second); ; time.Sleep(10 * time.Millisecond) {
			e, _, err := c.shop.Enlisted(t.Context(), seat, "ru", id)
			if err == nil && e.Card.Name == "Касса у окна" {
				break
			}
			if time.Now().After(end) {
				t.Fatalf("the cabinet calls the register %q, %v", e.Card.Name, err)
			}
		}
	})
	t.Run("goods of the operator", func(t *testing.T) { // by the API, page by page
		var all fiscal.Catalog
		for i := range 450 {
			all.Elements = append(all.Elements, fiscal.CatalogElement{ID: uint64(i + 1), Title: fiscal.Text{RU: fmt.Sprint("Товар ", i), KK: fmt.Sprint("Тауар ", i)}, SalePrice: 120_50, Unit: "166", Fractional: true})
		}
		all.Elements[0].Group = true
		if err := c.registry.PutCatalog(t.Context(), &all); err != nil {
			t.Fatal(err)
		}
		for range 2 { // the second time there is nothing newer
			if n, err := c.shop.FetchGoods(t.Context(), seat, id); err != nil || n != 449 {
				t.Fatalf("fetched: %d, %v; want 449", n, err)
			}
		}
		if g, err := c.shop.Good(t.Context(), seat, 450); err != nil || g.Price != 120_50 || g.Title.KK != "Тауар 449" || g.Unit != "166" || !g.Fractional {
			t.Errorf("the last of them is %+v, %v", g, err)
		}
	})
	t.Run("again, and what goes wrong", func(t *testing.T) { linkedAgain(t, c, dir, email, secret) })
}

// grants decides the one application there is, as the authority would.
func (c *counter) grants() fiscal.RegisterID {
	c.Helper()
	a, _, err := c.db.ApplicationOf(c.Context(), 1, 1)
	if err == nil && a.Status != registry.Sent {
		err = fmt.Errorf("its status is %s", a.Status)
	}
	for _, status := range []registry.ApplicationStatus{registry.Waiting, registry.Granted} {
		if err == nil {
			a.Status, a.RegistrationNumber = status, "601000000001"
			err = c.db.SetApplication(c.Context(), &a, registry.ApplicationEvent{At: time.Now(), What: registry.WasGranted, Status: status})
		}
	}
	if err == nil {
		err = c.registry.Carry(c.Context(), &a)
	}
	if err != nil {
		c.Fatal(err)
	}
	return a.Register
}

// linkedAgain links the same company once more and by somebody else, with
// signatures that are not accepted, and without an operator.
func linkedAgain(t *testing.T, c *counter, dir, email, secret string) {
	date := time.Now().UTC().Format(time.DateOnly)
	fields := []string{"date", date, "language", "ru"}
	offer := func(secret string) []byte {
		t.Helper()
		seat, err := c.shop.Seat(t.Context(), secret)
		var b []byte
		if err == nil {
			b, err = c.shop.LinkContent(t.Context(), seat, till.Link{Date: date, Language: "ru"})
		}
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	other, err := os.ReadFile(filepath.Join(dir, "signed", "person.p7s"))
	if err != nil {
		t.Fatal(err)
	}
	signed := c.signs(dir, offer(secret))
	for _, tt := range []struct {
		what, path string
		file       []byte
		want       string
	}{
		{"no file", "/ofd/examine", nil, "Выберите файл подписи"},
		{"a signature of another text", "/ofd/examine", other, "документ"},
		{"the right one", "/ofd/examine", signed, "уже зарегистрирована"},
	} {
		if _, page := c.post(secret, tt.path, "signature", tt.file, fields...); !strings.Contains(page, tt.want) {
			t.Errorf("%s: no %q in %s", tt.what, tt.want, page)
		}
	}
	// A letter within the pause is refused, so that the code is of the store's.
	ask := func(secret, email string) string {
		t.Helper()
		if status, page := c.post(secret, "/ofd/link", "", nil); status != http.StatusSeeOther || !strings.HasPrefix(page, "/ofd/sign?") {
			t.Fatalf("a code for %s: %d %s", email, status, page)
		}
		return c.code(email)
	}
	// Somebody else with the company's key gets a user of their own, by which the
	// till does what they may.
	second, _ := c.seller("berik@example.kz")
	code := ask(second, "berik@example.kz")
	if status, page := c.post(second, "/ofd/confirm", "signature", c.signs(dir, offer(second)), append(fields, "code", code)...); status != http.StatusSeeOther || !strings.HasPrefix(page, "/ofd?said=joined") {
		t.Errorf("a second person with the key of the company: %d %s", status, page)
	}
	for _, who := range []string{email, "berik@example.kz"} { // they have set none yet
		if err := (access.Operator{Service: c.access, By: "test"}).SetPassword(t.Context(), who, strong, true); err != nil {
			t.Fatal(err)
		}
	}
	berik, owns := c.actor("berik@example.kz"), c.actor(email)
	for a, want := range map[*access.Actor]access.Role{&berik: access.Administrator, &owns: access.Owner} {
		if in, err := c.access.At(t.Context(), *a, 1); err != nil || in.Member.Role != want {
			t.Errorf("%s is %s, %v; want %s", a.User.Email, in.Member.Role, err, want)
		}
	}
	// Its owner makes a key for them in the cabinet.
	owner := owns
	if err := c.access.Choose(t.Context(), &owner, 1); err != nil {
		t.Fatal(err)
	}
	owner = c.actor(email)
	token, _, err := c.access.MakeKey(t.Context(), &owner, access.NewKey{Name: "till", Scopes: access.SeeStatus | access.IssueToken, Ends: time.Now().Add(time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	if status, page := c.post(second, "/ofd/key", "", nil, "key", token[:len(token)-1]+"_"); status < 400 || strings.Contains(page, "said=linked") {
		t.Errorf("a wrong key: %d %s", status, page)
	}
	if status, page := c.post(second, "/ofd/key", "", nil, "key", token); status != http.StatusSeeOther || !strings.HasPrefix(page, "/ofd?said=linked") {
		t.Errorf("a key: %d %s", status, page)
	}
	// Or invites them: nothing is signed, and the till may what they may.
	const third = "vera@example.kz"
	guest, _ := c.seller(third)
	if _, page := c.post(guest, "/ofd/invited", "", nil, "xin", "123"); !strings.Contains(page, "12 цифр") {
		t.Errorf("no BIN: %s", page)
	}
	if status, page := c.post(guest, "/ofd/invited", "", nil, "xin", "800101300125"); status != http.StatusSeeOther || !strings.HasPrefix(page, "/ofd/invited?xin=800101300125") {
		t.Fatalf("a code for %s: %d %s", third, status, page)
	}
	joins := []string{"xin", "800101300125", "code", c.code(third)}
	if _, page := c.post(guest, "/ofd/join", "", nil, joins...); !strings.Contains(page, "нет") || strings.Contains(page, "said=joined") {
		t.Errorf("who is not invited: %s", page)
	}
	if err := c.access.Invite(t.Context(), &owner, third, access.Technician, nil, "Лавка", "ru"); err != nil {
		t.Fatal(err)
	}
	if status, page := c.post(guest, "/ofd/join", "", nil, joins...); status != http.StatusSeeOther || !strings.HasPrefix(page, "/ofd?said=joined") {
		t.Errorf("who is invited: %d %s", status, page)
	}
	seat, err := c.shop.Seat(t.Context(), guest)
	if err != nil || seat.Account.Bound == nil || seat.Account.Bound.Role != "technician" {
		t.Fatalf("the guest's seat = %+v, %v", seat, err)
	}
	if all, _, err := c.shop.Enrolled(t.Context(), seat, "ru"); err != nil || len(all) != 1 {
		t.Errorf("a technician sees %d registers, %v, want 1", len(all), err)
	}
	if err := c.shop.SetAddress(t.Context(), seat, "ru", till.Place{Region: "75", Locality: "Алматы", Street: "Абая", House: "1"}); !errors.Is(err, fiscal.Denied) {
		t.Errorf("a technician sets the address: %v, want Denied", err)
	}
	c.Server.Close()
	for _, path := range []string{"/ofd/link", "/ofd/address"} {
		if status, page := c.post(secret, path, "", nil); status != http.StatusServiceUnavailable || !strings.Contains(page, "ОФД не отвечает") {
			t.Errorf("without an operator %s = %d %s", path, status, page)
		}
	}
}
