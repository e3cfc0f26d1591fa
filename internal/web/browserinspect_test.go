package web

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"openofd/internal/access"
	"openofd/internal/cabinet"
	"openofd/internal/delivery"
	"openofd/internal/fiscal"
	"openofd/internal/registry"
	"openofd/internal/signature"
	"openofd/internal/web/room"
)

// archive finds the one shop of a trade.
type archive struct{ *trade }

func (a archive) Search(_ context.Context, text string) ([]room.Finding, error) {
	found := room.Finding{Taxpayer: a.trade.shop.ID, XIN: a.trade.shop.XIN, Title: a.trade.shop.Title}
	if text == "200001 5" {
		found.Register, found.Number = a.tills[0].Register, 5
	}
	other := found
	other.Taxpayer++
	return []room.Finding{found, other}, nil
}

func (a archive) Subject(context.Context, string) (registry.Taxpayer, fiscal.RegisterID, error) {
	return a.trade.shop, 0, nil
}

func (a archive) Client(context.Context, fiscal.TaxpayerID) (registry.Taxpayer, error) {
	return a.trade.shop, nil
}

func (a archive) Registers(ctx context.Context, t fiscal.TaxpayerID, after fiscal.RegisterID, limit int) ([]registry.Listed, error) {
	return a.db.Registers(ctx, t, after, limit)
}

func (a archive) Summaries(ctx context.Context, _ fiscal.TaxpayerID, of []fiscal.DayOf) ([]fiscal.DaySummary, error) {
	return a.db.DaySummaries(ctx, a.shop.Partition, of)
}

func (a archive) SentSummaries(ctx context.Context, r fiscal.RegisterID, from, until fiscal.WallTime) ([]delivery.SentSummary, error) {
	return a.db.SentSummaries(ctx, "kgd", r, from, until)
}

func (a archive) Register(ctx context.Context, r fiscal.RegisterID) (registry.Listed, error) {
	return a.db.Register(ctx, r)
}

// silent sends no letters.
type silent struct{}

func (silent) Send(context.Context, access.Mail) error { return nil }

// inspected is a shop that inspectors look at.
type inspected struct {
	*trade
	b    *browser
	seen int
}

// glance looks at a page on a phone: each in one of three languages, light or
// dark, in turn; with a folder for pictures in all of them, and on a desk.
func (h *inspected) glance(name, path string) {
	h.Helper()
	if *screenshots != "" {
		h.glanceAll(name, path)
		return
	}
	lang, scheme := []string{"kk", "ru", "en"}[h.seen%3], []string{"light", "dark"}[h.seen/3%2]
	h.seen++
	h.b.look(h.T, scheme, 360)
	h.b.complained()
	h.b.open(h.T, h.URL+h.in(path, lang))
	h.b.faultless(h.T, fmt.Sprintf("%s in %s, %s", name, lang, scheme))
}

func (h *inspected) glanceAll(name, path string) {
	h.Helper()
	for _, lang := range []string{"kk", "ru", "en"} {
		for _, scheme := range []string{"light", "dark"} {
			for _, width := range []int{360, 1280} {
				h.b.look(h.T, scheme, width)
				h.b.complained()
				h.b.open(h.T, h.URL+h.in(path, lang))
				where := fmt.Sprintf("%s-%s-%s-%d", name, lang, scheme, width)
				h.b.faultless(h.T, where)
				picture, err := chromedp.Run(h.b.ctx, chromedp.FullScreenshot(90))
				if err != nil {
					h.Fatal(err)
				}
				keep(h.T, "room-"+where+".png", picture)
			}
		}
	}
}

// in is an address in a language.
func (*inspected) in(path, lang string) string {
	if strings.Contains(path, "?") {
		return path + "&lang=" + lang
	}
	return path + "?lang=" + lang
}

// wants fails unless the page says all of this.
func (h *inspected) wants(where string, all ...string) {
	h.Helper()
	text := eval[string](h.T, h.b, `document.body.innerText`)
	for _, want := range all {
		if !strings.Contains(text, want) {
			h.Errorf("%s lacks %q:\n%s", where, want, text)
		}
	}
}

// at opens a page in Russian on a desk.
func (h *inspected) at(path string) {
	h.Helper()
	h.b.look(h.T, "light", 1280)
	h.b.open(h.T, h.URL+h.in(path, "ru"))
}

func newInspected(t *testing.T) *inspected {
	t.Helper()
	h := &inspected{trade: newTrade(t)}
	owner := signature.Owner{Country: "kz", Name: "ОСПАНОВ ЕРЖАН", IIN: "900101300007", Serial: "1f", Issuer: "Test"}
	var err error
	if h.access, err = access.New(access.Config{Judge: ready{owner}, Site: "https://ofd.example"}, h.db, silent{}, access.NewPasswords(0, rand.Reader), oneKey{}, time.Now, rand.Reader); err != nil {
		t.Fatal(err)
	}
	people := access.Operator{Service: h.access, By: "test"}
	if _, err := people.AddInspector(t.Context(), access.NewUser{Email: "i@kgd.example", Name: "Оспанов Ержан Тексерушіұлы", Password: strong, Language: "ru"},
		access.Inspector{Authority: "Управление государственных доходов по Алмалинскому району", IIN: owner.IIN, Serial: "1f"}); err != nil {
		t.Fatal(err)
	}
	if _, err := people.AddUser(t.Context(), access.NewUser{Email: "support@example.kz", Name: "Дәурен", Password: strong, Language: "ru"}, true); err != nil {
		t.Fatal(err)
	}
	h.hand()
	handler, err := New(Config{Rooms: Rooms{Access: h.access, Known: h, Zone: time.FixedZone("UTC+5", 5*3600), Archive: archive{h.trade},
		DemoSign:  func([]byte, string, fiscal.XIN) ([]byte, error) { return []byte("signed"), nil },
		Documents: room.Documents{Questions: cabinet.NewQuestions(h.db, h.read), Outlets: h.db.Outlets, Now: func() time.Time { return tradeDay.Add(2 * time.Hour) }},
	}}, newShop(t), operator, slog.New(slog.NewTextHandler(t.Output(), nil)), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	h.Server = httptest.NewServer(handler)
	t.Cleanup(h.Server.Close)
	h.b = newBrowser(t, "ru")
	return h
}

// hand hands over summaries of the first register: an empty day, a day as it is,
// and a day before its last documents came, which was refused at first.
func (h *inspected) hand() {
	h.Helper()
	today := fiscal.WallTime(tradeDay.Unix()).Day()
	days, err := h.db.DaySummaries(h.Context(), h.shop.Partition, []fiscal.DayOf{{Register: h.tills[0].Register, Day: today - 2*86_400}, {Register: h.tills[0].Register, Day: today - 86_400}})
	if err != nil || len(days) != 2 {
		h.Fatalf("days %+v, %v", days, err)
	}
	slices.SortFunc(days, func(a, b fiscal.DaySummary) int { return int(a.Day - b.Day) })
	r, at := h.tills[0].Register, tradeDay.Add(-5*time.Hour)
	if err := h.db.KeepSentSummaries(h.Context(), "kgd", []delivery.SentSummary{
		{Register: r, Day: today - 3*86_400, At: at.Add(-48 * time.Hour)},
		{Register: r, Day: days[0].Day, Version: days[0].Version, At: at.Add(-24 * time.Hour)},
		{Register: r, Day: days[1].Day, Version: days[1].Version - 9, At: at, Refused: "registration_number: it is another register's"},
		{Register: r, Day: days[1].Day, Version: days[1].Version - 5, At: at},
	}); err != nil {
		h.Fatal(err)
	}
}

// TestInspectorWalk: an inspector comes in by password and signature, opens a
// ground, finds a client and goes from a day's summary, beside what the journal
// comes to, to a receipt; the ground is on the screen of each page, and a look
// at a receipt is on record, which the operator's staff see. No page of theirs
// is cut on a phone or locks somebody out.
//
// Req: O-021, O-048, O-110, O-111, O-113, O-115
func TestInspectorWalk(t *testing.T) {
	h := newInspected(t)
	h.b.open(t, h.URL+"/signin?lang=ru")
	h.b.fill(t, map[string]string{"email": "i@kgd.example", "password": strong})
	h.wants("the page of the signature", "Вход инспектора", "NCALayer")
	h.glance("inspect-certificate", "/signin/certificate")
	h.at("/signin/certificate")
	h.b.press(t, `document.querySelector("form[action^='/signin/certificate/demo'] button")`)
	h.wants("the page that asks for a ground", "Основание проверки")
	h.glance("inspect-ground", "/inspect")
	h.at("/inspect")
	h.b.fill(t, map[string]string{"number": "12-К", "date": "2026-03-14", "reason": "Камеральный контроль за I квартал", "about": "one", "subject": string(h.shop.XIN)})
	h.wants("a client", "Основание: № 12-К", "Супермаркет", "Бутик")
	h.at("/inspect?q=200001+5")
	h.wants("what was found", "Казына сауда", "основание этого не охватывает")
	h.at("/me")
	h.wants("an inspector's own page", "разовый текст, подписанный ключом", "900101300007")
	if text := eval[string](t, h.b, `document.querySelector("main").innerText`); strings.Contains(text, "Второй шаг") || strings.Contains(text, "Ключи входа") {
		t.Errorf("an inspector is offered what their door does not take:\n%s", text)
	}

	client, till := fmt.Sprintf("/inspect/clients/%d", h.shop.ID), h.tills[0].Register
	h.at(fmt.Sprintf("%s/days?register=%d", client, till))
	h.wants("the days of a register", "11.03.2026", "принят день без документов", "версия 34 принята", "принята версия 63", "версия 100 ещё не передана")
	day := fmt.Sprintf("%s/days/%d/2026-03-", client, till)
	h.at(day + "12")
	h.wants("a day as it was handed over", "версия 34 принята", "Журнал только что пересчитан заново и приходит к тому же", "№ 34")
	h.at(day + "13")
	h.wants("a day that has changed", "принята версия 63", "расходится с тем", "registration_number: it is another register's", "63", "68")
	if n := eval[int](t, h.b, `document.querySelectorAll("tr.differs").length`); n < 4 {
		t.Errorf("%d numbers of the day are marked, want those that differ", n)
	}
	h.b.press(t, `document.querySelector("a[href*='/receipts?']")`)
	h.wants("the receipts of a day", "Основание: № 12-К", "806,50")
	h.b.press(t, `document.querySelector("td.head a")`)
	h.wants("a receipt", "Сүт «Айналайын»", "Основание: № 12-К")
	receipt := eval[string](t, h.b, `location.pathname`)
	pages := []struct{ name, path string }{
		{"search", "/inspect?q=200001+5"}, {"client", client}, {"register", fmt.Sprintf("%s/registers/%d", client, till)},
		{"days", fmt.Sprintf("%s/days?register=%d", client, till)}, {"day-taken", day + "12"}, {"day-changed", day + "13"},
		{"receipt", receipt}, {"offline", client + "/offline"}, {"grounds", "/inspect/grounds"}, {"looks", "/inspect/grounds/1"}, {"me", "/me"},
	}
	more := []struct{ name, path string }{ // made of what was seen
		{"day-waiting", day + "14"}, {"day-empty", day + "11"}, {"shifts", client + "/shifts"}, {"shift", fmt.Sprintf("%s/shifts/%d/13", client, till)},
		{"receipts", client + "/receipts"}, {"reports", client + "/reports"}, {"moves", client + "/moves"}, {"findings", client + "/findings"},
	}
	if *screenshots != "" {
		pages = slices.Concat(pages, more)
	}
	for _, page := range pages {
		h.glance("inspect-"+page.name, page.path)
	}
	for _, page := range more {
		if status := eval[int](t, h.b, fmt.Sprintf(`fetch(%q).then(r => r.status)`, page.path)); status != http.StatusOK {
			t.Errorf("%s: %d", page.path, status)
		}
	}
	for path, want := range map[string]string{day + "13/csv": "принята версия 63", day + "13/xlsx": "PK", client + "/days/csv": "registration_number"} {
		got := eval[string](t, h.b, `(async () => { const r = await fetch(`+fmt.Sprintf("%q", path+"?lang=ru")+`); return r.status + " " + (await r.text()).slice(0, 4000) })()`)
		if !strings.HasPrefix(got, "200 ") || path != client+"/days/csv" && !strings.Contains(got, want) {
			t.Errorf("%s is %q, want %q in it", path, got, want)
		}
	}
	for _, path := range []string{"/receipts", "/me/totp", "/me/passkeys/new", "/staff/inspections"} {
		if status := eval[int](t, h.b, fmt.Sprintf(`fetch(%q).then(r => r.status)`, path)); status != http.StatusForbidden {
			t.Errorf("an inspector at %s: %d, want it denied", path, status)
		}
	}
	for path, want := range map[string]int{day + "15": http.StatusNotFound, day + "soon": http.StatusNotFound, fmt.Sprintf("%s/days/%d/2026-03-13", client, 1<<40): http.StatusNotFound, fmt.Sprintf("/inspect/clients/%d/days/%d/2026-03-13", h.shop.ID+1, till): http.StatusForbidden} {
		if status := eval[int](t, h.b, fmt.Sprintf(`fetch(%q).then(r => r.status)`, path)); status != want {
			t.Errorf("%s: %d, want %d", path, status, want)
		}
	}
	h.b.complained()
	h.at("/inspect/grounds/1")
	h.wants("what was seen", "documents/", "days/")
	h.staffLook()
}

// staffLook has one of the staff see who the inspectors are and what they looked
// at.
func (h *inspected) staffLook() {
	h.Helper()
	h.b.press(h.T, `document.querySelector("form[action='/signout'] button")`)
	h.b.open(h.T, h.URL+"/signin?lang=ru")
	h.b.fill(h.T, map[string]string{"email": "support@example.kz", "password": strong})
	h.at("/me/totp")
	h.b.fill(h.T, map[string]string{"totp": access.TOTPNumber(eval[string](h.T, h.b, `document.querySelector(".code").innerText`), time.Now()), "password": strong})
	h.b.complained()
	h.at("/staff/inspectors")
	h.wants("the inspectors", "Оспанов Ержан", "900101300007", "Закрыть доступ")
	eval[bool](h.T, h.b, `(() => { for (const [name, v] of Object.entries({email: "second@kgd.example", name: "Сейтқали Дана", authority: "КГД", iin: "900101300008"})) document.querySelector("[name=" + name + "]:not([type=hidden])").value = v; return true })()`)
	h.b.press(h.T, `document.querySelector("form[action='/staff/inspectors'] button")`)
	h.wants("an inspector with a wrong number", "Это не ИИН")
	h.b.complained()
	h.at("/staff/inspections")
	h.wants("the grounds", "№ 12-К", "Камеральный контроль", "Оспанов Ержан")
	h.b.press(h.T, `document.querySelector("td.head a")`)
	h.wants("the looks", "documents/", "Инспектор взял файл")
	h.glance("staff-inspectors", "/staff/inspectors")
	h.glance("staff-inspections", "/staff/inspections")
	h.glance("staff-inspection", "/staff/inspections/1")
}
