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

// TestOfficeWalk goes from nobody to a register whose application is signed, in
// five steps, as people do it, and looks at each page.
//
// Req: E-033, E-039, E-040, E-043, E-045, E-050, E-052, E-058, E-060, E-061, E-064, E-070, E-074, E-076, E-077, E-080, E-081, E-084
// Req: P-047, P-048, P-052, P-053, P-054, P-055, P-057, P-069, P-096, O-053
func TestOfficeWalk(t *testing.T) {
	h := newOffice(t, ready{signature.Owner{Country: "kz", Name: "ЖҰМАБЕКОВА ӘСЕЛ", IIN: "960624350642", Role: signature.RolePerson, Issuer: "Test", Key: signature.KeyRSA}})
	b := newBrowser(t, "ru")
	b.look(t, "light", 1280)
	wants := func(want string) {
		t.Helper()
		if got := eval[string](t, b, `(document.querySelector("h1") || document.body).innerText`); got != want {
			t.Fatalf("the page says %q, want %q: %s", got, want, eval[string](t, b, `document.body.innerText`))
		}
	}
	wrong := func(want, why string) {
		t.Helper()
		if got := eval[string](t, b, `[...document.querySelectorAll("[aria-invalid=true]")].map(e => e.name).join()`); got != want {
			t.Errorf("%s %q is wrong, want %q: %s", why, got, want, eval[string](t, b, `document.querySelector("main").innerText`))
		}
	}
	steps := 0
	step := func(walk func()) { steps++; walk() }

	step(func() { // an account
		b.open(t, h.URL+"/signup?lang=ru")
		b.fill(t, map[string]string{"email": "asel@example.kz"})
		b.fill(t, map[string]string{"code": h.code("asel@example.kz"), "name": "Әсел Жұмабекова", "password": strong})
	})
	h.looks(b, "link", "/organization/link")
	step(func() { // the contract, and with it the organization
		b.open(t, h.URL+"/organization?lang=ru")
		wants("Договор и организация")
		b.press(t, `document.querySelector("form[action='/organization/demo'] button")`)
		wants("Это ваша организация?")
		b.faultless(t, "link-confirm")
		b.press(t, `document.querySelector("form[action='/organization/link'] button")`)
	})
	step(func() { // the place; its address is the legal one too
		wants("Добавить точку")
		b.fill(t, map[string]string{"title": "Магазин на Абая", "region": "", "locality": "Астана", "street": "Абая", "house": "10", "latitude": "43,222"})
		wrong("region", "without a region")
		b.fill(t, map[string]string{"region": "75"})
		wrong("locality", "with a place of another region")
		b.fill(t, map[string]string{"locality": "Алматы"})
	})
	step(func() { // the register, which is the form of its application
		wants("Добавить кассу")
		b.complained()
		b.faultless(t, "register-add")
		b.fill(t, map[string]string{"outlet": "", "name": "", "model": "Касса без имени", "serial_number": "SWK00032"})
		wrong("outlet,name,model,manufacture_year,connection", "without most of it")
		if hidden := eval[bool](t, b, `document.querySelector("[name=sim]").closest(".field").hidden`); !hidden {
			t.Error("the number of a SIM card is asked for though nothing is wireless")
		}
		eval[bool](t, b, `(() => { const e = document.querySelector("[name=connection]"); e.value = "wireless"; e.dispatchEvent(new Event("change")); return true; })()`)
		if hidden := eval[bool](t, b, `document.querySelector("[name=sim]").closest(".field").hidden`); hidden {
			t.Error("the number of a SIM card is not asked for of a wireless register")
		}
		eval[bool](t, b, `(() => { const e = document.querySelector("[name=model]"); e.value = "порт dpg"; e.dispatchEvent(new Event("input")); return true; })()`)
		b.until(t, `[...document.querySelector("[name=model]").list.options].some(o => o.value === "Порт DPG-25ФKZ") && document.querySelector("[name=model]").list.options.length < 10`)
		b.fill(t, map[string]string{"outlet": "1", "name": "Зал", "model": "Порт DPG-25ФKZ", "manufacture_year": "2024", "sim": "12"})
		wrong("sim", "with a number that no SIM card has")
		b.fill(t, map[string]string{"sim": "+7 (701) 123-45-67"})
	})
	step(func() { // the signature
		wants("Касса добавлена")
		b.complained()
		b.faultless(t, "register-added")
		if got := eval[string](t, b, `document.querySelector("main").innerText`); !strings.Contains(got, "Порт DPG-25ФKZ") || !strings.Contains(got, "77011234567") || !strings.Contains(got, "город Алматы") {
			t.Errorf("the application says %s", got)
		}
		b.press(t, `document.querySelector("form[action$='/demo'] button")`)
		wants("Регистрация кассы № 1")
	})
	if got := eval[string](t, b, `document.querySelector(".standing").innerText.trim()`); got != "Отправлена на регистрацию" {
		t.Errorf("the status is %q", got)
	}
	if steps > 5 {
		t.Errorf("a register is connected in %d steps, want 5 at most", steps)
	}

	h.looks(b, "application", "/applications/1")
	h.refuse(1, "Заводской номер уже занят другой кассой.")
	b.open(t, h.URL+"/applications/1?lang=ru")
	if got := eval[string](t, b, `document.querySelector("main").innerText`); !strings.Contains(got, "Ошибка при регистрации") || !strings.Contains(got, "Заводской номер уже занят") {
		t.Errorf("a refusal is shown as %s", got)
	}
	h.looks(b, "application-refused", "/applications/1")
	b.open(t, h.URL+"/applications/1?lang=ru")
	b.press(t, `document.querySelector("form[action$='/again'] button")`)
	wants("Регистрация кассы")
	h.looks(b, "application-draft", "/applications/2")
	h.looks(b, "application-sign", "/applications/2/sign")
	b.open(t, h.URL+"/applications?lang=ru&status=draft")
	if n := eval[int](t, b, `document.querySelectorAll("tbody tr").length`); n != 1 {
		t.Errorf("%d drafts are listed, want 1", n)
	}
	h.looks(b, "applications", "/applications")
	h.looks(b, "help", "/help")
	b.open(t, h.URL+"/applications/2?lang=ru")
	b.press(t, `document.querySelector("form[action$='/withdraw'] button")`)

	b.open(t, h.URL+"/organization?lang=ru")
	wants("ЖҰМАБЕКОВА ӘСЕЛ")
	if got := eval[string](t, b, `document.querySelector("main").innerText`); !strings.Contains(got, "ул. Абая") && !strings.Contains(got, "Абая") {
		t.Errorf("the outlet's address is not the legal one: %s", got)
	}
	h.looks(b, "organization", "/organization")
	h.looks(b, "organization-edit", "/organization/edit")
	h.looks(b, "contract", "/organization/contracts/1")
	h.looks(b, "outlets", "/outlets")
	h.looks(b, "outlet", "/outlets/1")
	b.open(t, h.URL+"/groups?lang=ru")
	b.fill(t, map[string]string{"group_title": "Алматы"})
	wants("Группы касс")
	h.looks(b, "groups", "/groups")
	h.looks(b, "register-new", "/registers/new")
	h.looks(b, "registers", "/registers")
	b.open(t, h.URL+"/registers/200001?lang=ru")
	wants("Зал")
	b.fill(t, map[string]string{"register_name": "Зал, касса 1"})
	wants("Зал, касса 1")
	if got := eval[string](t, b, `document.querySelector("mark").textContent`); got != "Зал, касса 1" {
		t.Errorf("what a version changed is %q", got)
	}
	h.looks(b, "register", "/registers/200001")
	b.open(t, h.URL+"/registers/200001?lang=ru")
	b.press(t, `document.querySelector("form[action$='/token'] button")`)
	if got := eval[string](t, b, `document.querySelector("[role=status] .code").innerText`); got == "" || strings.Trim(got, "0123456789") != "" {
		t.Errorf("the new token is %q", got)
	}
	h.severalAtOnce(b)
	b.open(t, h.URL+"/outlets/1?lang=ru")
	b.fill(t, map[string]string{"house": "12"})
	wants("Обновить данные касс")
	b.faultless(t, "behind")
	b.press(t, `document.querySelector("form[action='/registers/behind'] button")`)
	if got := eval[string](t, b, `document.querySelector("main").innerText`); !strings.Contains(got, "Обновлено: 1") {
		t.Errorf("what was changed of an outlet is carried over: %s", got)
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
		case registry.ActContractEnded, registry.ActOutletChanged, registry.ActGroupRemoved, registry.ActApplicationHurried, registry.ActContractRecorded:
			continue // not done here
		}
		if !seen[string(act)] {
			t.Errorf("%s is not in the journal of what people did", act)
		}
	}
}

// severalAtOnce puts all registers into a group, and drafts applications for
// them, by the boxes of the list.
func (h *house) severalAtOnce(b *browser) {
	h.Helper()
	do := func(what, with string) string {
		b.open(h.T, h.URL+"/registers?lang=ru")
		eval[bool](h.T, b, `(() => { document.querySelector("[data-all]").click(); const f = document.querySelector("[data-bulk]").elements; f.what.value = "`+what+`"; f.what.dispatchEvent(new Event("change")); `+with+` return true; })()`)
		b.press(h.T, `document.querySelector("[data-bulk] button[type=submit]")`)
		return eval[string](h.T, b, `document.querySelector("main").innerText`)
	}
	if got := do("group", `f.group.value = "1";`); !strings.Contains(got, "Выполнено: 1") {
		h.Errorf("registers are put into a group: %s", got)
	}
	b.complained()
	b.faultless(h.T, "bulk")
	if got := do("change", ""); !strings.Contains(got, "Выполнено: 0") || !strings.Contains(got, "сначала подайте заявление") {
		h.Errorf("an application to change what was never registered: %s", got)
	}
	if got := do("move", `f.outlet.value = "1";`); !strings.Contains(got, "Выполнено: 1") || !strings.Contains(got, "Заявление № 3") {
		h.Errorf("registers are moved: %s", got)
	}
}

// refuse is an authority's refusal of an application.
func (h *house) refuse(id registry.ApplicationID, why string) {
	h.Helper()
	app, _, err := h.db.ApplicationOf(h.Context(), 0, id)
	if err != nil {
		h.Fatal(err)
	}
	now := time.Now().UTC().Truncate(time.Microsecond)
	app.Status, app.Why, app.DecidedAt, app.Changed, app.NextTry = registry.Refused, fiscal.Text{RU: why, KK: why, EN: why}, now, now, time.Time{}
	if err := h.db.SetApplication(h.Context(), &app, registry.ApplicationEvent{At: now, What: registry.WasRefused, By: "kgd", Detail: why, Status: registry.Refused}); err != nil {
		h.Fatal(err)
	}
}
