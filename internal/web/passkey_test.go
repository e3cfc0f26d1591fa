package web

import (
	"context"
	"crypto/rand"
	"log/slog"
	"net"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/webauthn"
	"github.com/chromedp/chromedp"

	"openofd/internal/access"
	"openofd/internal/fiscal"
	"openofd/internal/mail"
	"openofd/internal/registry"
	"openofd/internal/store/sqlite"
	"openofd/internal/testkit/chromium"
	"openofd/internal/web/room"
)

// newNamedHouse is a house that browsers reach by a name, as passkeys need, with
// a desk for the operator's staff.
func newNamedHouse(t *testing.T) *house {
	t.Helper()
	db, err := sqlite.Open(t.Context(), sqlite.Options{Dir: t.TempDir(), Serve: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	h := &house{T: t, db: db, Server: httptest.NewUnstartedServer(nil), forwards: newForwarder(), evenings: &evenings{}}
	_, port, err := net.SplitHostPort(h.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	site := "http://localhost:" + port
	quiet := slog.New(slog.DiscardHandler)
	mailer, err := mail.New(&h.letters, operator, site, quiet, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(mailer.Close)
	h.access, err = access.New(access.Config{Site: site}, db, mailer, access.NewPasswords(0, rand.Reader), oneKey{}, time.Now, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	h.Config.Handler, err = New(Config{Rooms: Rooms{Access: h.access, Known: h, Zone: time.FixedZone("UTC+5", 5*3600), Desk: &desk{house: h, blocked: map[fiscal.RegisterID]string{}}, Forwarding: h.forwards, Evenings: h.evenings}}, newShop(t), operator, quiet, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	h.Start()
	t.Cleanup(h.Server.Close)
	h.URL = site
	return h
}

// asked is call, for what answers.
func asked[P, R any](b *browser, command cdp.Command[P, R], params P) (R, error) {
	return chromedp.Run(b.ctx, func(ctx context.Context, t *chromedp.Target) (R, error) { return cdp.Call(ctx, t, command, params) })
}

// wait has a condition of the page come true.
func (b *browser) wait(t *testing.T, condition string) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		if is, err := chromedp.Run(b.ctx, chromedp.Evaluate[bool](condition)); err == nil && is {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("%s did not come true; the page says %s", condition, eval[string](t, b, `document.body.innerText`))
		}
	}
}

// TestPasskeys: a device makes a passkey, which opens the cabinet in one step;
// what was copied from it does not, and it can be removed.
func TestPasskeys(t *testing.T) {
	h := newNamedHouse(t)
	h.person("asel@example.kz", "Әсел")
	b := newBrowser(t, "ru")
	b.look(t, "light", 360)
	b.do(t, chromium.Call(webauthn.Enable, webauthn.EnableParams{}))
	_, err := asked(b, webauthn.AddVirtualAuthenticator, webauthn.AddVirtualAuthenticatorParams{Options: &webauthn.VirtualAuthenticatorOptions{
		Protocol: "ctap2", Transport: "internal", HasResidentKey: true, HasUserVerification: true, IsUserVerified: true, AutomaticPresenceSimulation: true}})
	if err != nil {
		t.Fatal(err)
	}
	b.open(t, h.URL+"/me?lang=ru")
	b.fill(t, map[string]string{"email": "asel@example.kz", "password": strong})
	form := `document.querySelector("form[action='/me/passkeys']")`
	add := func(password string) {
		t.Helper()
		eval[bool](t, b, `(() => { const f = `+form+`; f.elements.name.value = "Рабочий ноутбук"; f.elements.password.value = "`+password+`"; return true; })()`)
		b.press(t, form+`.querySelector("button[type=submit]")`)
	}
	add("не тот пароль")
	if got := eval[string](t, b, form+`.querySelector(".invalid-feedback").innerText`); !strings.Contains(got, "пароль неверны") && got == "" {
		t.Errorf("a wrong password is answered with %q", got)
	}
	add(strong)
	b.wait(t, `document.querySelector("#passkeys details") !== null && document.querySelector("[role=status]").innerText === "Ключ добавлен."`)
	b.complained()
	b.open(t, h.URL+"/me?lang=ru")
	b.faultless(t, "me with a passkey")

	bySignIn := func() {
		t.Helper()
		b.open(t, h.URL+"/signin?lang=ru")
		b.press(t, `document.querySelector("form[data-passkey] button")`)
	}
	b.press(t, `document.querySelector("form[action='/signout'] button")`)
	bySignIn()
	if got := b.heading(t); got != "Здравствуйте, Әсел!" {
		t.Fatalf("after a passkey the page says %q: %s", got, eval[string](t, b, `document.body.innerText`))
	}

	// The key was copied, and the other copy has signed more often: ours is behind.
	err = h.db.WriteAccess(t.Context(), func(tx access.Tx) error {
		u, err := tx.UserByEmail("asel@example.kz")
		if err != nil {
			return err
		}
		u.Passkeys[0].Count += 10
		return tx.SetUser(&u)
	})
	if err != nil {
		t.Fatal(err)
	}
	b.press(t, `document.querySelector("form[action='/signout'] button")`)
	bySignIn()
	if got := eval[string](t, b, `document.querySelector("[role=alert]:not([hidden])").innerText`); !strings.Contains(got, "Ключ не узнан") {
		t.Errorf("a copy is answered with %q", got)
	}
	b.fill(t, map[string]string{"email": "asel@example.kz", "password": strong})
	b.open(t, h.URL+"/me?lang=ru")
	eval[bool](t, b, `(() => { document.querySelector("#passkeys details").open = true; document.querySelector("form[action='/me/passkeys/remove']").elements.password.value = "`+strong+`"; return true; })()`)
	b.press(t, `document.querySelector("form[action='/me/passkeys/remove'] button")`)
	if eval[bool](t, b, `document.querySelector("#passkeys details") !== null`) {
		t.Error("the passkey was not removed")
	}
	var acts []string
	records, err := h.db.Audit(t.Context(), 0, 0, 50)
	if err != nil {
		t.Fatal(err)
	}
	for i := range records {
		acts = append(acts, string(records[i].Act))
	}
	for _, want := range []access.Act{access.ActPasskeyAdded, access.ActPasskeyCloned, access.ActPasskeyRemoved} {
		if !strings.Contains(strings.Join(acts, " "), string(want)) {
			t.Errorf("no %s in the audit: %v", want, acts)
		}
	}
}

// TestChallengeIsUsedOnce and only for what it was made: an answer of a device
// that is sent again opens nothing.
func TestChallengeIsUsedOnce(t *testing.T) {
	h := newNamedHouse(t)
	h.person("asel@example.kz", "Әсел")
	b := newBrowser(t, "ru")
	b.do(t, chromium.Call(webauthn.Enable, webauthn.EnableParams{}))
	if _, err := asked(b, webauthn.AddVirtualAuthenticator, webauthn.AddVirtualAuthenticatorParams{Options: &webauthn.VirtualAuthenticatorOptions{
		Protocol: "ctap2", Transport: "internal", HasResidentKey: true, HasUserVerification: true, IsUserVerified: true, AutomaticPresenceSimulation: true}}); err != nil {
		t.Fatal(err)
	}
	b.open(t, h.URL+"/me?lang=ru")
	b.fill(t, map[string]string{"email": "asel@example.kz", "password": strong})
	form := `document.querySelector("form[action='/me/passkeys']")`
	eval[bool](t, b, `(() => { const f = `+form+`; f.elements.name.value = "Ключ"; f.elements.password.value = "`+strong+`"; return true; })()`)
	b.press(t, form+`.querySelector("button[type=submit]")`)
	b.press(t, `document.querySelector("form[action='/signout'] button")`)
	b.open(t, h.URL+"/signin?lang=ru")
	// The answer is kept instead of being sent.
	eval[bool](t, b, `(() => { HTMLFormElement.prototype.submit = function () { window.answer = this.elements.answer.value; }; document.querySelector("form[data-passkey] button").click(); return true; })()`)
	b.wait(t, `window.answer !== undefined`)
	answer := eval[string](t, b, `window.answer`)
	here := access.Visit{Address: "192.0.2.9"}
	if _, err := h.access.SignInByPasskey(t.Context(), []byte(strings.Replace(answer, `"signature":"`, `"signature":"AA`, 1)), here); err == nil {
		t.Error("a wrong signature opens")
	}
	if _, err := h.access.SignInByPasskey(t.Context(), []byte(answer), here); err != nil {
		t.Fatalf("the answer: %v", err)
	}
	if _, err := h.access.SignInByPasskey(t.Context(), []byte(answer), here); err == nil {
		t.Error("the answer opens a second time")
	}
}

// desk is one for staff, on the house's own store; it keeps what was blocked.
type desk struct {
	*house
	blocked map[fiscal.RegisterID]string
}

func (d *desk) Search(ctx context.Context, text string) (found []room.Finding, err error) {
	all, err := d.db.Taxpayers(ctx, 0, 10)
	for _, t := range all {
		if strings.Contains(t.Title.RU, text) {
			found = append(found, room.Finding{Taxpayer: t.ID, XIN: t.XIN, Title: t.Title}, room.Finding{Taxpayer: t.ID, XIN: t.XIN, Title: t.Title, Register: 200001})
		}
	}
	return found, err
}

func (d *desk) Applications(context.Context) ([]registry.Application, error) {
	return []registry.Application{{ID: 17, Taxpayer: 1, Register: 200001, Kind: registry.Enrol, Status: registry.Waiting, Country: fiscal.Kazakhstan, SignedAt: time.Now(),
		Form: registry.ApplicationForm{XIN: "960640000017", Title: fiscal.Text{RU: "Ожидающее ТОО"}}}}, nil
}

func (d *desk) Client(ctx context.Context, t fiscal.TaxpayerID) (registry.Taxpayer, []registry.Listed, error) {
	all, err := d.db.Taxpayers(ctx, t-1, 1)
	if err != nil || len(all) == 0 {
		return registry.Taxpayer{}, nil, &fiscal.Error{Reason: fiscal.NothingThere, Err: err}
	}
	l, err := d.Register(ctx, 200001)
	return all[0], []registry.Listed{l}, err
}

func (d *desk) Register(ctx context.Context, r fiscal.RegisterID) (registry.Listed, error) {
	all, err := d.db.Taxpayers(ctx, 0, 1)
	if err != nil || r != 200001 {
		return registry.Listed{}, &fiscal.Error{Reason: fiscal.NothingThere, Err: err}
	}
	l := registry.Listed{Card: fiscal.Card{Register: r, Taxpayer: all[0].ID, XIN: all[0].XIN, Title: all[0].Title, Model: "Меркурий", SerialNumber: "0001", Zone: "Asia/Almaty"}, State: &fiscal.State{}}
	if text, is := d.blocked[r]; is {
		l.State.Status, l.State.Block = fiscal.StatusBlocked, fiscal.Block{Text: text, Since: time.Now()}
	}
	return l, nil
}

func (d *desk) Document(context.Context, fiscal.RegisterID, fiscal.Number) (fiscal.Document, registry.Listed, error) {
	return fiscal.Document{}, registry.Listed{}, &fiscal.Error{Reason: fiscal.NothingThere}
}

func (d *desk) Block(_ context.Context, r fiscal.RegisterID, _, text string) error {
	d.blocked[r] = text
	return nil
}

func (d *desk) Unblock(_ context.Context, r fiscal.RegisterID, _ string) error {
	delete(d.blocked, r)
	return nil
}

// TestStaffRoom: staff see only their own settings before the second factor;
// then they find a client, say why they look, and the client sees that.
//
// Req: O-011
func TestStaffRoom(t *testing.T) {
	h := newNamedHouse(t)
	shop := registry.Taxpayer{Country: fiscal.Kazakhstan, XIN: "960624350642", Title: fiscal.Text{RU: "ТОО «Казына сауда үйі»"}, Created: time.Now()}
	if err := h.db.AddTaxpayer(t.Context(), &shop); err != nil {
		t.Fatal(err)
	}
	if _, err := (access.Operator{Service: h.access, By: "test"}).AddUser(t.Context(), access.NewUser{Email: "support@example.kz", Name: "Дәурен", Password: strong, Language: "ru"}, true); err != nil {
		t.Fatal(err)
	}
	b := newBrowser(t, "ru")
	b.look(t, "light", 360)
	b.open(t, h.URL+"/staff?lang=ru")
	b.fill(t, map[string]string{"email": "support@example.kz", "password": strong})
	if got := eval[string](t, b, `location.pathname + " " + document.querySelector("[role=status]").innerText`); !strings.HasPrefix(got, "/me Сотрудникам нужен второй шаг") {
		t.Fatalf("staff without a second factor: %q", got)
	}
	b.open(t, h.URL+"/me/totp?lang=ru")
	b.fill(t, map[string]string{"totp": access.TOTPNumber(eval[string](t, b, `document.querySelector(".code").innerText`), time.Now()), "password": strong})
	b.complained()
	b.open(t, h.URL+"/cabinet?lang=ru")
	b.faultless(t, "the start of staff")
	if got := eval[string](t, b, `[...document.querySelectorAll("#main .list-group a")].map(a => a.pathname).join(" ") + (document.querySelector("a[href='/organization']") ? " and an organization" : "")`); got != "/staff/applications /staff/parked /staff/days" {
		t.Errorf("staff without an organization begin with %q, want the three queues", got)
	}
	b.open(t, h.URL+"/staff?lang=ru")
	b.faultless(t, "staff")
	b.fill(t, map[string]string{"q": "Казына", "ground": ""})
	if got := eval[string](t, b, `document.querySelector(".invalid-feedback").innerText`); got == "" {
		t.Error("a search without a ground was made")
	}
	b.complained()
	b.fill(t, map[string]string{"q": "Казына", "ground": "обращение 17"})
	b.faultless(t, "staff with findings")
	b.press(t, `document.querySelectorAll("form[action='/staff/look'] button")[1]`)
	b.faultless(t, "staff with a register")
	b.fill(t, map[string]string{"ground": "по письму владельца"})
	if got := eval[string](t, b, `document.querySelector("[role=status]").innerText`); got != "Касса заблокирована." {
		t.Errorf("after blocking the page says %q", got)
	}
	records, err := h.db.Audit(t.Context(), shop.ID, 0, 9)
	if err != nil || len(records) != 2 || records[0].Act != access.ActBlocked || records[0].Detail != "по письму владельца" || records[1].Act != access.ActLooked || records[1].Detail != "обращение 17" {
		t.Errorf("the client's journal: %+v, %v; want the look and the block", records, err)
	}
	if n, err := access.VerifyAudit(t.Context(), h.db, shop.ID); err != nil || n != 2 {
		t.Errorf("VerifyAudit = %d, %v", n, err)
	}
	b.open(t, h.URL+"/staff/applications?lang=ru")
	b.faultless(t, "staff with applications")
	b.press(t, `document.querySelector("a[aria-label*='17']")`)
	if got := eval[string](t, b, `document.querySelector("[name=q]").value`); got != "№ 17" {
		t.Errorf("an application that waits leads to a search of %q, want № 17", got)
	}
	h.walkParked(t, b, h.forwards)
	h.walkDays(t, b, h.evenings)
}
