package web

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

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

// TestInspectorWalk: an inspector comes in by password and signature, opens a
// ground, finds a client and goes from a day to a receipt; the ground is on the
// screen of each page, and a look at a receipt is on record.
//
// Req: O-021, O-048, O-115
func TestInspectorWalk(t *testing.T) {
	h := newTrade(t)
	owner := signature.Owner{Country: "kz", Name: "ОСПАНОВ ЕРЖАН", IIN: "900101300007", Serial: "1f", Issuer: "Test"}
	var err error
	if h.access, err = access.New(access.Config{Judge: ready{owner}, Site: "https://ofd.example"}, h.db, silent{}, access.NewPasswords(0, rand.Reader), oneKey{}, time.Now, rand.Reader); err != nil {
		t.Fatal(err)
	}
	people := access.Operator{Service: h.access, By: "test"}
	if _, err := people.AddInspector(t.Context(), access.NewUser{Email: "i@kgd.example", Name: "Оспанов Ержан Тексерушіұлы", Password: strong, Language: "ru"},
		access.Inspector{Authority: "Управление государственных доходов по Алмалинскому району", IIN: owner.IIN}); err != nil {
		t.Fatal(err)
	}
	handler, err := New(Config{Rooms: Rooms{Access: h.access, Known: h, Zone: time.FixedZone("UTC+5", 5*3600), Archive: archive{h},
		DemoSign:  func([]byte, string, fiscal.XIN) ([]byte, error) { return []byte("signed"), nil },
		Documents: room.Documents{Questions: cabinet.NewQuestions(h.db, h.read), Outlets: h.db.Outlets, Now: func() time.Time { return tradeDay.Add(2 * time.Hour) }},
	}}, newShop(t), operator, slog.New(slog.NewTextHandler(t.Output(), nil)), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	h.Server = httptest.NewServer(handler)
	t.Cleanup(h.Server.Close)

	b := newBrowser(t, "ru")
	b.look(t, "light", 1280)
	wants := func(where string, all ...string) {
		t.Helper()
		text := eval[string](t, b, `document.body.innerText`)
		for _, want := range all {
			if !strings.Contains(text, want) {
				t.Errorf("%s lacks %q:\n%s", where, want, text)
			}
		}
	}
	b.open(t, h.URL+"/signin?lang=ru")
	b.fill(t, map[string]string{"email": "i@kgd.example", "password": strong})
	wants("the page of the signature", "Вход инспектора", "NCALayer")
	h.looks(b, "inspect-certificate", "/signin/certificate")
	b.open(t, h.URL+"/signin/certificate?lang=ru")
	b.press(t, `document.querySelector("form[action^='/signin/certificate/demo'] button")`)
	wants("the page that asks for a ground", "Основание проверки")
	h.looks(b, "inspect-ground", "/inspect")
	b.open(t, h.URL+"/inspect?lang=ru")
	b.fill(t, map[string]string{"number": "12-К", "date": "2026-03-14", "reason": "Камеральный контроль за I квартал", "about": "one", "subject": string(h.shop.XIN)})
	client := fmt.Sprintf("/inspect/clients/%d", h.shop.ID)
	wants("a client", "Основание: № 12-К", "Супермаркет", "Бутик")
	b.faultless(t, "inspect-client")
	b.open(t, h.URL+"/inspect?lang=ru&q=200001+5")
	wants("what was found", "Казына сауда", "основание этого не охватывает")
	b.faultless(t, "inspect-search")
	b.open(t, h.URL+client+"/days?lang=ru")
	b.press(t, `document.querySelector("td.head a")`)
	wants("the receipts of a day", "Основание: № 12-К", "806,50")
	b.press(t, `document.querySelector("td.head a")`)
	wants("a receipt", "Сүт «Айналайын»", "Основание: № 12-К")
	h.looks(b, "inspect-register", fmt.Sprintf("%s/registers/%d", client, h.tills[0].Register))
	b.open(t, h.URL+"/inspect/grounds/1?lang=ru")
	wants("what was seen", "documents/")
	b.open(t, h.URL+"/receipts?lang=ru")
	if eval[bool](t, b, `document.body.innerText.includes("806,50")`) {
		t.Error("an inspector reads receipts as if they were of a client")
	}
}
