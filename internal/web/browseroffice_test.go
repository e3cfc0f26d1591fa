package web

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"openofd/internal/access"
	"openofd/internal/fiscal"
	"openofd/internal/intake"
	"openofd/internal/journal"
	"openofd/internal/keyring"
	"openofd/internal/protocol/kkm"
	"openofd/internal/registry"
	"openofd/internal/signature"
)

// newOffice is a house in whose office signatures are judged by judge, with the
// real rules of registers behind it.
func newOffice(t *testing.T, judge registry.Judge) *house {
	t.Helper()
	h := newHouse(t)
	quiet := slog.New(slog.DiscardHandler)
	keys, err := keyring.Open(t.Context(), h.db, filepath.Join(t.TempDir(), "master.key"), true, time.Now, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	committer := journal.New(journal.Config{}, h.db, quiet, nil, time.Now)
	go committer.Run(context.Background())
	t.Cleanup(committer.Stop)
	rules := &kkm.Rules{Limits: func(fiscal.WallTime) kkm.Limits { return kkm.Limits{Shift: 24 * time.Hour, Offline: 72 * time.Hour} }}
	in := intake.New(intake.Config{}, h.db, committer, rules, keys, &fiscal.Operator{}, quiet, nil, time.Now, rand.Reader)
	h.office = registry.NewOffice(registry.New(h.db, in, time.Now), h.db, h.access, judge, operator, time.Now)
	h.serve()
	return h
}

// serve opens the house's door anew, with its office.
func (h *house) serve() {
	h.Helper()
	h.Server.Close()
	handler, err := New(Config{Rooms: Rooms{Access: h.access, Known: h, Zone: time.FixedZone("UTC+5", 5*3600), Office: h.office, NCALayer: h.bridge,
		DemoSign: func([]byte, string, fiscal.XIN) ([]byte, error) { return []byte("signed"), nil }}}, newShop(h.T), operator, slog.New(slog.NewTextHandler(h.Output(), nil)), time.Now)
	if err != nil {
		h.Fatal(err)
	}
	h.Server = httptest.NewServer(handler)
	h.Cleanup(h.Server.Close)
}

// looks looks at a page on a phone in Kazakh and on a desk in Russian; with the
// flag for pictures in every language, theme and width.
func (h *house) looks(b *browser, name, path string) {
	h.Helper()
	type view struct {
		lang, scheme string
		width        int
	}
	views := []view{{"kk", "light", 360}, {"ru", "dark", 1280}}
	if *screenshots != "" {
		views = nil
		for _, lang := range []string{"kk", "ru", "en"} {
			for _, scheme := range []string{"light", "dark"} {
				views = append(views, view{lang, scheme, 360}, view{lang, scheme, 1280})
			}
		}
	}
	for _, v := range views {
		b.look(h.T, v.scheme, v.width)
		b.complained()
		b.open(h.T, h.URL+path+"?lang="+v.lang)
		where := fmt.Sprintf("%s-%s-%s-%d", name, v.lang, v.scheme, v.width)
		b.faultless(h.T, where)
		if *screenshots == "" {
			continue
		}
		picture, err := chromedp.Run(b.ctx, chromedp.FullScreenshot(100))
		if err != nil {
			h.Fatal(err)
		}
		if err := os.MkdirAll(filepath.Join(*screenshots, "all"), 0o755); err != nil {
			h.Fatal(err)
		}
		keep(h.T, "all/room-"+where+".png", picture)
	}
	b.look(h.T, "light", 1280)
}

// actor signs somebody in who has signed up.
func (h *house) actor(email string) access.Actor {
	return h.again(access.Actor{User: access.User{Email: email}})
}

// ready is a verdict without a signature, for pages alone.
type ready struct{ owner signature.Owner }

func (r ready) Verify(_, content []byte) (*signature.Verdict, error) {
	return &signature.Verdict{Owner: r.owner, Content: content, Method: "RSA, 2048 bits", JudgedAt: time.Now(), SignedAt: time.Now()}, nil
}

// TestOfficeWalk goes from a person without an organization to a register with
// its token, as people do it, and looks at each page.
//
// Req: E-033, E-039, E-040, E-043, E-045, E-050, E-052, E-058, E-060, E-064, P-047, P-048, P-053, P-055, P-057
func TestOfficeWalk(t *testing.T) {
	h := newOffice(t, ready{signature.Owner{Country: "kz", Name: "ЖҰМАБЕКОВА ӘСЕЛ", IIN: "960624350642", Role: signature.RolePerson, Issuer: "Test", Key: signature.KeyRSA}})
	b := newBrowser(t, "ru")
	b.look(t, "light", 1280)
	b.open(t, h.URL+"/signup?lang=ru")
	b.fill(t, map[string]string{"email": "asel@example.kz"})
	b.fill(t, map[string]string{"code": h.code("asel@example.kz"), "name": "Әсел Жұмабекова", "password": strong})
	wants := func(want string) {
		t.Helper()
		if got := eval[string](t, b, `(document.querySelector("h1") || document.body).innerText`); got != want {
			t.Fatalf("the page says %q, want %q: %s", got, want, eval[string](t, b, `document.body.innerText`))
		}
	}
	h.looks(b, "link", "/organization/link")
	b.open(t, h.URL+"/organization?lang=ru")
	wants("Договор и организация")
	b.press(t, `document.querySelector("form[action='/organization/demo'] button")`)
	wants("Это ваша организация?")
	b.faultless(t, "link-confirm")
	b.press(t, `document.querySelector("form[action='/organization/link'] button")`)
	wants("Изменить данные")
	b.fill(t, map[string]string{"region": "", "locality": "Астана", "street": "Абая", "house": "10"})
	if got := eval[string](t, b, `document.querySelector("[aria-invalid=true]").name`); got != "region" {
		t.Errorf("without a region %q is wrong, want region", got)
	}
	b.fill(t, map[string]string{"region": "75"})
	if got := eval[string](t, b, `document.querySelector("[aria-invalid=true]").name`); got != "locality" {
		t.Errorf("with a place of another region %q is wrong, want locality", got)
	}
	b.fill(t, map[string]string{"locality": "Алматы", "title_kk": "Жұмабекова ЖК"})
	wants("ЖҰМАБЕКОВА ӘСЕЛ")
	h.looks(b, "organization", "/organization")
	h.looks(b, "organization-edit", "/organization/edit")
	h.looks(b, "contract", "/organization/contracts/1")
	h.looks(b, "outlets-empty", "/outlets")
	h.looks(b, "registers-empty", "/registers")
	b.open(t, h.URL+"/outlets/new?lang=ru")
	b.fill(t, map[string]string{"title": "Магазин на Абая", "region": "75", "locality": "Алматы", "street": "Абая", "house": "10", "latitude": "43,222"})
	wants("Торговые точки")
	h.looks(b, "outlets", "/outlets")
	h.looks(b, "outlet", "/outlets/1")
	b.open(t, h.URL+"/groups?lang=ru")
	b.fill(t, map[string]string{"group_title": "Алматы"})
	wants("Группы касс")
	b.open(t, h.URL+"/groups?lang=ru")
	h.looks(b, "groups", "/groups")
	b.open(t, h.URL+"/registers/new?lang=ru")
	b.fill(t, map[string]string{"register_name": "Зал", "model": "ПОРТ DPG-25", "serial_number": "SWK00032", "manufacture_year": "2024"})
	if got := eval[string](t, b, `document.querySelector("[aria-invalid=true]").name`); got != "outlet" {
		t.Errorf("without an outlet %q is wrong", got)
	}
	b.fill(t, map[string]string{"outlet": "1"})
	wants("Касса добавлена")
	h.looks(b, "register-new", "/registers/new")
	h.looks(b, "registers", "/registers")
	h.looks(b, "register", "/registers/200001")
	b.open(t, h.URL+"/registers/200001?lang=ru")
	wants("Зал")
	b.fill(t, map[string]string{"register_name": "Зал, касса 1", "group": "1"})
	wants("Зал, касса 1")
	b.press(t, `document.querySelector("form[action$='/token'] button")`)
	if got := eval[string](t, b, `document.querySelector("[role=status] .code").innerText`); got == "" || strings.Trim(got, "0123456789") != "" {
		t.Errorf("the new token is %q", got)
	}
	b.open(t, h.URL+"/registers?q=swk&group=1&status=new&lang=ru")
	if n := eval[int](t, b, `document.querySelectorAll("tbody tr").length`); n != 1 {
		t.Errorf("the search finds %d registers, want 1", n)
	}
	asel := h.actor("asel@example.kz")
	a, err := h.access.Audit(t.Context(), &asel, 0, 50)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, r := range a {
		seen[string(r.Act)] = true
	}
	for _, act := range registry.OfficeActs() {
		switch act {
		case registry.ActContractEnded, registry.ActOutletChanged, registry.ActGroupRemoved:
			continue // not done here
		}
		if !seen[string(act)] {
			t.Errorf("%s is not in the journal of what people did", act)
		}
	}
}
