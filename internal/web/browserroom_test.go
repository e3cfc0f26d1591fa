package web

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"openofd/internal/access"
	"openofd/internal/fiscal"
	"openofd/internal/mail"
	"openofd/internal/registry"
	"openofd/internal/store/sqlite"
	"openofd/internal/web/room"
)

// house is a door with rooms on a store of its own, and the letters that went
// out of it.
type house struct {
	*testing.T
	*httptest.Server
	db       *sqlite.DB
	access   *access.Service
	letters  mail.Sink
	office   *registry.Office // in houses that have one
	bridge   string           // where people's programs for signing answer
	forwards *forwarder       // how documents go to authorities, in houses with staff
	evenings *evenings        // what became of days, likewise
}

const strong = "Құрақ көрпе 7 қабат"

func newHouse(t *testing.T) *house {
	t.Helper()
	db, err := sqlite.Open(t.Context(), sqlite.Options{Dir: t.TempDir(), Serve: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	h := &house{T: t, db: db}
	quiet := slog.New(slog.DiscardHandler)
	mailer, err := mail.New(&h.letters, operator, operator.Site, quiet, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(mailer.Close)
	if h.access, err = access.New(access.Config{}, db, mailer, access.NewPasswords(0, rand.Reader), oneKey{}, time.Now, rand.Reader); err != nil {
		t.Fatal(err)
	}
	handler, err := New(Config{Rooms: Rooms{Access: h.access, Known: h, Zone: time.FixedZone("UTC+5", 5*3600)}}, newShop(t), operator, quiet, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	h.Server = httptest.NewServer(handler)
	t.Cleanup(h.Server.Close)
	return h
}

// Organization names those of the store.
func (h *house) Organization(ctx context.Context, t fiscal.TaxpayerID) (room.Organization, error) {
	all, err := h.db.Taxpayers(ctx, t-1, 1)
	if err != nil || len(all) == 0 {
		return room.Organization{}, &fiscal.Error{Reason: fiscal.NothingThere, Err: err}
	}
	return room.Organization{Title: all[0].Title, Zone: time.FixedZone("UTC+5", 5*3600)}, nil
}

type oneKey struct{}

func (oneKey) At(p fiscal.KeyPurpose, _ time.Time) (fiscal.Key, error) {
	return fiscal.Key{ID: 3, Purpose: p}, nil
}
func (oneKey) ByID(id fiscal.KeyID) (fiscal.Key, error) { return fiscal.Key{ID: id}, nil }

var codeInLetter = regexp.MustCompile(`\b\d{6}\b`)

// code is the one in the newest letter to an address.
func (h *house) code(to string) string {
	h.Helper()
	for _, l := range h.letters.Letters() {
		if l.To == to {
			return codeInLetter.FindString(l.Text)
		}
	}
	h.Fatalf("no letter to %s", to)
	return ""
}

// person signs somebody up without a browser.
func (h *house) person(email, name string) access.Actor {
	h.Helper()
	if err := h.access.SignUp(h.Context(), email, "ru"); err != nil {
		h.Fatal(err)
	}
	token, _, err := h.access.Confirm(h.Context(), access.NewUser{Email: email, Code: h.code(email), Name: name, Password: strong, Language: "ru"}, access.Visit{Address: "192.0.2.7", Agent: "Mozilla/5.0 (Windows NT 10.0) Firefox/140.0"})
	if err != nil {
		h.Fatal(err)
	}
	a, err := h.access.Resume(h.Context(), token, access.Visit{Address: "192.0.2.7"})
	if err != nil {
		h.Fatal(err)
	}
	return a
}

// fill types into fields by name and sends the form they are in.
func (b *browser) fill(t *testing.T, values map[string]string) {
	t.Helper()
	for name, v := range values {
		if !eval[bool](t, b, fmt.Sprintf(`(() => { const e = document.querySelector("main [name='%s']"); if (!e) return false; e.value = %q; return true; })()`, name, v)) {
			t.Fatalf("no field %s on %s", name, eval[string](t, b, `document.title + ": " + document.body.innerText`))
		}
	}
	for name := range values {
		b.press(t, fmt.Sprintf(`document.querySelector("main [name='%s']").form.querySelector("button[type=submit]")`, name))
		return
	}
}

// press clicks what leads to another page and waits for it.
func (b *browser) press(t *testing.T, element string) {
	t.Helper()
	eval[bool](t, b, `window.old = true`)
	eval[bool](t, b, `(() => { window.confirm = () => true; `+element+`.click(); return true; })()`)
	for end := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		here, err := chromedp.Run(b.ctx, chromedp.Evaluate[bool](`window.old !== true && document.readyState === "complete"`))
		if err == nil && here {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("nothing came after %s: %v", element, err)
		}
	}
}

func (b *browser) heading(t *testing.T) string {
	t.Helper()
	return eval[string](t, b, `document.querySelector("h1").innerText`)
}

// TestRoomWalk goes from an address to a person with a second factor, as people
// do it.
//
// Req: E-025, E-026, E-027, E-028, E-029, P-046, P-058, P-084
func TestRoomWalk(t *testing.T) {
	h := newHouse(t)
	b := newBrowser(t, "ru")
	b.look(t, "light", 360)
	wants := func(want string) {
		t.Helper()
		if got := b.heading(t); got != want {
			t.Fatalf("the page says %q, want %q; %s", got, want, eval[string](t, b, `document.body.innerText`))
		}
	}
	b.open(t, h.URL+"/cabinet?lang=ru") // leads to the door
	wants("Вход в кабинет")
	b.open(t, h.URL+"/signup?lang=ru")
	b.fill(t, map[string]string{"email": "asel"})
	if got := eval[string](t, b, `document.activeElement.name + "|" + document.querySelector(".invalid-feedback").innerText`); got != "email|Это не похоже на адрес почты. Например: asel@example.kz" {
		t.Errorf("a wrong address is answered with %q", got)
	}
	b.fill(t, map[string]string{"email": "asel@example.kz"})
	wants("Код из письма")
	b.fill(t, map[string]string{"code": "000000", "name": "Әсел", "password": "1234567890"})
	if got := eval[string](t, b, `document.querySelector(".invalid-feedback").innerText`); !strings.Contains(got, "всем известен") {
		t.Errorf("a known password is answered with %q", got)
	}
	b.fill(t, map[string]string{"code": h.code("asel@example.kz"), "password": strong})
	wants("Здравствуйте, Әсел!")
	if got := eval[string](t, b, `document.querySelector("[role=status]").innerText`); got != "Кабинет открыт." {
		t.Errorf("the first page says %q", got)
	}

	b.open(t, h.URL+"/me/totp")
	secret := eval[string](t, b, `document.querySelector(".code").innerText`)
	b.fill(t, map[string]string{"totp": "000000", "password": strong})
	if again := eval[string](t, b, `document.querySelector(".code").innerText`); again != secret {
		t.Errorf("the secret changed from %s to %s when the number was wrong", secret, again)
	}
	b.fill(t, map[string]string{"totp": access.TOTPNumber(secret, time.Now()), "password": strong})
	recovery := eval[string](t, b, `document.querySelector("ul.code li").innerText`)
	b.press(t, `document.querySelector("form[action='/signout'] button")`)
	wants("Вход в кабинет")
	b.fill(t, map[string]string{"email": "asel@example.kz", "password": "не тот пароль"})
	wants("Вход в кабинет")
	b.fill(t, map[string]string{"email": "asel@example.kz", "password": strong})
	wants("Второй шаг")
	b.fill(t, map[string]string{"totp": recovery})
	wants("Здравствуйте, Әсел!")

	// A page that was asked for comes after the door.
	b.press(t, `document.querySelector("form[action='/signout'] button")`)
	b.open(t, h.URL+"/me?lang=ru")
	b.fill(t, map[string]string{"email": "asel@example.kz", "password": strong})
	wants("Второй шаг")
	b.fill(t, map[string]string{"totp": recovery}) // used up
	wants("Второй шаг")
	if got := eval[string](t, b, `document.querySelector(".invalid-feedback").innerText`); got != "Число не подходит." {
		t.Errorf("a code that was used is answered with %q", got)
	}
}

// TestRoomPages looks at every page of the rooms: on a phone in Kazakh, whose
// words are longest, on a desk in Russian; with the flag for pictures in all
// languages.
func TestRoomPages(t *testing.T) {
	h := newHouse(t)
	b := newBrowser(t, "kk")
	b.look(t, "light", 1280)
	b.open(t, h.URL+"/signup?lang=kk")
	b.fill(t, map[string]string{"email": "asel@example.kz"})
	b.fill(t, map[string]string{"code": h.code("asel@example.kz"), "name": "Әсел Нұрланқызы Жұмабекова", "password": strong})
	shop := registry.Taxpayer{Country: fiscal.Kazakhstan, XIN: "960624350642", Title: fiscal.Text{RU: "ТОО «Казына сауда үйі»", KK: "«Қазына сауда үйі» ЖШС"}, Created: time.Now()}
	other := registry.Taxpayer{Country: fiscal.Kazakhstan, XIN: "220540013371", Title: fiscal.Text{RU: "ИП Оспанов", KK: "Оспанов ЖК"}, Created: time.Now()}
	for _, one := range []*registry.Taxpayer{&shop, &other} {
		if err := h.db.AddTaxpayer(t.Context(), one); err != nil {
			t.Fatal(err)
		}
	}
	look := func(name, path string) {
		t.Helper()
		views := []struct {
			lang, scheme string
			width        int
		}{{"kk", "light", 360}, {"kk", "dark", 360}, {"ru", "light", 1280}}
		if *screenshots != "" {
			views = views[:0]
			for _, lang := range []string{"kk", "ru", "en"} {
				for _, scheme := range []string{"light", "dark"} {
					for _, width := range []int{360, 1280} {
						views = append(views, struct {
							lang, scheme string
							width        int
						}{lang, scheme, width})
					}
				}
			}
		}
		for _, v := range views {
			b.look(t, v.scheme, v.width)
			b.complained()
			b.open(t, h.URL+path+"?lang="+v.lang)
			where := fmt.Sprintf("%s-%s-%s-%d", name, v.lang, v.scheme, v.width)
			if b.heading(t) == "" {
				t.Errorf("%s has no heading", where)
			}
			b.faultless(t, where)
			if *screenshots != "" {
				picture, err := chromedp.Run(b.ctx, chromedp.FullScreenshot(100))
				if err != nil {
					t.Fatal(err)
				}
				if err := os.MkdirAll(filepath.Join(*screenshots, "all"), 0o755); err != nil {
					t.Fatal(err)
				}
				keep(t, "all/room-"+where+".png", picture)
			}
		}
	}
	look("front", "/")
	look("empty", "/cabinet")

	owner := h.person("owner@example.kz", "Берік Оспанов")
	if err := h.access.Found(t.Context(), &owner, other.ID, "ИП Оспанов"); err != nil {
		t.Fatal(err)
	}
	owner = h.again(owner)
	if err := h.access.Invite(t.Context(), &owner, "asel@example.kz", access.Accountant, nil, "ИП Оспанов", "kk"); err != nil {
		t.Fatal(err)
	}
	look("invited", "/cabinet")
	b.press(t, `document.querySelector("form[action='/join'] button")`)
	asel := h.person("second@example.kz", "Дана")
	if err := h.access.Found(t.Context(), &asel, shop.ID, "Казына"); err != nil {
		t.Fatal(err)
	}
	asel = h.again(asel)
	if err := h.access.Invite(t.Context(), &asel, "asel@example.kz", access.Administrator, nil, "Казына", "kk"); err != nil {
		t.Fatal(err)
	}
	b.open(t, h.URL+"/cabinet?lang=kk")
	b.press(t, `document.querySelector("form[action='/join'] button")`)
	b.open(t, h.URL+"/people?lang=kk")
	b.fill(t, map[string]string{"email": "very.long.address.of.a.person@subdomain.example.kz"})
	for name, path := range map[string]string{"cabinet": "/cabinet", "people": "/people", "audit": "/audit", "me": "/me", "totp": "/me/totp", "more": "/more"} {
		look(name, path)
	}
	b.press(t, `document.querySelector("form[action='/signout'] button")`)
	for name, path := range map[string]string{"signin": "/signin", "second": "/signin/second", "signup": "/signup", "confirm": "/signup/confirm", "forgot": "/forgot", "reset": "/reset"} {
		look(name, path)
	}
}

// again is the actor as their next request sees them.
func (h *house) again(a access.Actor) access.Actor {
	h.Helper()
	token, _, err := h.access.SignIn(h.Context(), a.User.Email, strong, access.Visit{Address: "192.0.2.7"})
	if err != nil {
		h.Fatal(err)
	}
	if a, err = h.access.Resume(h.Context(), token, access.Visit{Address: "192.0.2.7"}); err != nil {
		h.Fatal(err)
	}
	return a
}
