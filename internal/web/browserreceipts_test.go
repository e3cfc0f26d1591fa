package web

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/xuri/excelize/v2"

	"openofd/internal/access"
	"openofd/internal/cabinet"
	"openofd/internal/fiscal"
	"openofd/internal/follow"
	"openofd/internal/journal"
	"openofd/internal/registry"
	"openofd/internal/web/room"
)

// trade is a house in which a shop has sold for three days.
type trade struct {
	*house
	shop    registry.Taxpayer
	outlets []registry.Outlet
	tills   []fiscal.Card
	behind  time.Time // since when the tables are behind
	last    map[fiscal.RegisterID]fiscal.Number
}

// tradeDay is noon of the day that the pages call today.
var tradeDay = time.Date(2026, 3, 14, 7, 0, 0, 0, time.UTC)

// openTrade reads what the trade's registers sent: the documents of the shop.
func (h *trade) read(rec fiscal.Record) (fiscal.Document, error) {
	d := fiscal.Document{Record: rec}
	switch rec.Kind {
	case fiscal.DocReceipt:
		d.Receipt = &fiscal.Receipt{
			Op: rec.Op, Time: rec.DeviceTime, Total: rec.Total, Cashier: fiscal.Cashier{Code: 1, Name: "Айгүл Серікқызы"},
			Payments: []fiscal.Payment{{Kind: fiscal.PayCash, Sum: rec.Total}},
			Items: []fiscal.Item{
				{Kind: fiscal.ItemGoods, Name: "Сүт «Айналайын» 2,5 %", Quantity: 2 * fiscal.OneUnit, Unit: "796", Price: rec.Total / 2, Cost: rec.Total,
					Taxes: []fiscal.Tax{{Kind: fiscal.KindVAT, Percent: 16_000, Included: true, Sum: fiscal.IncludedTax(rec.Total, 16_000)}}},
			},
		}
	case fiscal.DocCashMove:
		d.Move = &fiscal.CashMove{Op: rec.Op, Time: rec.DeviceTime, Sum: rec.Total, Cashier: fiscal.Cashier{Name: "Айгүл Серікқызы"}}
	case fiscal.DocShiftClose, fiscal.DocReport:
		kind := fiscal.ReportX
		if rec.Kind == fiscal.DocShiftClose {
			kind = fiscal.ReportZ
		}
		r := fiscal.Report{Kind: kind, Time: rec.DeviceTime, Shift: fiscal.Shift{Number: rec.Shift, OpenedAt: rec.DeviceTime - 9*3600, ClosedAt: rec.DeviceTime}}
		r.Counters.Receipts[0] = fiscal.ReceiptTally{Count: 3, Sum: 533_250, Payments: [fiscal.PayKinds]fiscal.Tally{{Count: 3, Sum: 533_250}}}
		r.Counters.GrandTotals[0], r.Counters.Cash, r.Counters.Revenue = 91_533_250, 633_250, 533_250
		r.Counters.Taxes = []fiscal.TaxTally{{Kind: fiscal.KindVAT, Percent: 16_000, Ops: [fiscal.OpSettlements]fiscal.TaxedTally{{Turnover: 533_250, Tax: 73_552}}}}
		d.Report = &r
	}
	return d, nil
}

func newTrade(t *testing.T) *trade {
	t.Helper()
	h := &trade{house: newHouse(t), last: map[fiscal.RegisterID]fiscal.Number{}}
	h.shop = registry.Taxpayer{Country: fiscal.Kazakhstan, XIN: "960624350642", Title: fiscal.Text{RU: "ТОО «Казына сауда үйі»", KK: "«Қазына сауда үйі» ЖШС"}, Created: time.Now()}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(h.db.AddTaxpayer(t.Context(), &h.shop))
	for i, title := range []string{"Супермаркет «Дала» на улице Толе би", "Бутик"} {
		o := registry.Outlet{Taxpayer: h.shop.ID, Title: fiscal.Text{RU: title, KK: title}, Zone: "Asia/Almaty"}
		must(h.db.AddOutlet(t.Context(), &o))
		h.outlets = append(h.outlets, o)
		c := fiscal.Card{
			Country: fiscal.Kazakhstan, Taxpayer: h.shop.ID, XIN: h.shop.XIN, Title: h.shop.Title, Outlet: o.ID, OutletTitle: o.Title, Zone: "Asia/Almaty",
			OutletAddress: fiscal.Text{RU: "г. Алматы, ул. Толе би, 59", KK: "Алматы қ., Төле би көшесі, 59"}, Model: "ПОРТ DPG-25 ФKZ", SerialNumber: fmt.Sprint(i), RegistrationNumber: fmt.Sprintf("62030047182%d", i),
		}
		must(h.db.AddRegister(t.Context(), h.shop.Partition, &c, nil))
		h.tills = append(h.tills, c)
	}
	var versions [2]uint64
	var hashes [2]journal.Hash
	make1 := func(till int, at time.Time, kind fiscal.DocumentKind, op fiscal.Op, total fiscal.Money, flags fiscal.Flags) {
		t.Helper()
		c := &h.tills[till]
		h.last[c.Register]++
		n := h.last[c.Register]
		rec := fiscal.Record{
			Register: c.Register, Number: n, Taxpayer: h.shop.ID, CardVersion: 1, Format: "kkm/203", Kind: kind, Op: op, DeviceTime: fiscal.WallTime(at.Unix()) + 5*3600,
			ReceivedAt: at, Shift: uint32(at.Day()), FiscalSign: 812_345_678_000 + uint64(n), Total: total, Cash: total, Flags: flags, Request: []byte{1}, Answer: []byte{2},
		}
		e := journal.Entry{Record: rec, Partition: h.shop.Partition}
		e.Link(hashes[till])
		hashes[till] = e.Hash
		versions[till]++
		state := fiscal.State{Version: versions[till], CardVersion: 1, LastNumber: n, LastHash: e.Hash}
		stale, err := h.db.Append(t.Context(), []journal.Commit{{Partition: h.shop.Partition, Register: c.Register, Judged: versions[till] - 1, State: state.Append(nil), Entries: []journal.Entry{e}}}, journal.Seal)
		if err != nil || len(stale) > 0 {
			t.Fatalf("append: %v, %v", stale, err)
		}
	}
	for day := -2; day <= 0; day++ {
		noon := tradeDay.AddDate(0, 0, day)
		make1(0, noon.Add(-time.Hour), fiscal.DocCashMove, fiscal.OpCashIn, 100_000, 0)
		for i := range 30 {
			var flags fiscal.Flags
			if i > 25 {
				flags = fiscal.FlagReplay
			}
			make1(0, noon.Add(time.Duration(i)*time.Minute), fiscal.DocReceipt, fiscal.OpSale, 177_750+fiscal.Money(i*100), flags)
		}
		make1(0, noon.Add(time.Hour), fiscal.DocReceipt, fiscal.OpSaleReturn, 177_750, fiscal.FlagParentMissing|fiscal.FlagTaxSum)
		if day < 0 {
			make1(1, noon, fiscal.DocReceipt, fiscal.OpSale, 99_900, 0)
			make1(0, noon.Add(2*time.Hour), fiscal.DocReport, fiscal.OpNone, 0, 0)
			make1(0, noon.Add(3*time.Hour), fiscal.DocShiftClose, fiscal.OpNone, 0, 0)
		}
	}
	all, err := h.db.Scan(t.Context(), h.shop.Partition, 1, 1000)
	must(err)
	m := follow.Move{ID: cabinet.FollowerID(), Partition: h.shop.Partition, To: all[len(all)-1].Seq, At: time.Now()}
	must(cabinet.NewFollower(h.db, h.read).Apply(t.Context(), m, all))

	handler, err := New(Config{Rooms: Rooms{Access: h.access, Known: h, Zone: time.FixedZone("UTC+5", 5*3600), Documents: room.Documents{
		Questions: cabinet.NewQuestions(h.db, h.read), Outlets: h.db.Outlets, Now: func() time.Time { return tradeDay.Add(2 * time.Hour) },
		AsOf: func(context.Context) (time.Time, error) { return h.behind, nil }, Example: true,
	}}}, newShop(t), operator, slog.New(slog.DiscardHandler), time.Now)
	must(err)
	h.Server = httptest.NewServer(handler)
	t.Cleanup(h.Server.Close)
	return h
}

// get asks for an address as who holds a token, and follows nothing.
func (h *trade) get(path, token string) (status int, body []byte, header http.Header) {
	h.Helper()
	r, err := http.NewRequestWithContext(h.Context(), http.MethodGet, h.URL+path, nil)
	if err != nil {
		h.Fatal(err)
	}
	r.Header.Set("Accept-Language", "ru")
	if token != "" {
		for _, name := range []string{"ofd_session"} {
			r.AddCookie(&http.Cookie{Name: name, Value: token})
		}
	}
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	answer, err := client.Do(r)
	if err != nil {
		h.Fatal(err)
	}
	defer answer.Body.Close()
	body, err = io.ReadAll(answer.Body)
	if err != nil {
		h.Fatal(err)
	}
	return answer.StatusCode, body, answer.Header
}

// enters signs somebody up who has a role in the shop, limited to outlets, and
// gives the token of their session.
func (h *trade) enters(email string, role access.Role, outlets ...fiscal.OutletID) string {
	h.Helper()
	who := h.person(email, email)
	must := func(err error) {
		h.Helper()
		if err != nil {
			h.Fatal(err)
		}
	}
	switch {
	case role == access.Owner:
		must(h.access.Found(h.Context(), &who, h.shop.ID, "Казына"))
	case role != "":
		owner := h.again(access.Actor{User: access.User{Email: "owner@example.kz"}})
		must(h.access.Invite(h.Context(), &owner, email, role, outlets, "Казына", "ru"))
		must(h.access.Join(h.Context(), &who, h.shop.ID))
	}
	token, _, err := h.access.SignIn(h.Context(), email, strong, access.Visit{Address: "192.0.2.7"})
	must(err)
	return token
}

// TestDocumentsIsolated goes to every address of what registers did as the
// owner, as each role, as who is limited to an outlet, as another tenant and as
// nobody.
//
// Req: P-058, P-083, O-112
func TestDocumentsIsolated(t *testing.T) {
	h := newTrade(t)
	own := fmt.Sprintf("/documents/%d/2", h.tills[0].Register)
	shift := fmt.Sprintf("/shifts/%d/12", h.tills[0].Register)
	revenue := []string{"/receipts", "/receipts/csv", "/receipts/xlsx", "/shifts", "/shifts/csv", "/shifts/xlsx", "/reports", "/reports/csv", "/reports/xlsx", "/moves", "/moves/csv", "/moves/xlsx", own, own + "/json", shift}
	status := []string{"/offline", "/offline/csv", "/offline/xlsx", "/findings", "/findings/csv", "/findings/xlsx"}
	owner := h.enters("owner@example.kz", access.Owner)
	people := map[string]struct {
		token           string
		revenue, status int
	}{
		"owner":      {owner, 200, 200},
		"accountant": {h.enters("accountant@example.kz", access.Accountant), 200, 200},
		"viewer":     {h.enters("viewer@example.kz", access.Viewer), 200, 200},
		"technician": {h.enters("technician@example.kz", access.Technician), 403, 200},
		"service":    {h.enters("service@example.kz", access.ServiceCenter), 403, 200},
		"nobody":     {"", 303, 303},
		"homeless":   {h.enters("homeless@example.kz", ""), 403, 403},
	}
	for name, who := range people {
		for _, path := range revenue {
			if got, body, _ := h.get(path, who.token); got != who.revenue {
				t.Errorf("%s as %s: %d, want %d: %.300s", path, name, got, who.revenue, body)
			}
		}
		for _, path := range status {
			got, body, _ := h.get(path, who.token)
			if got != who.status {
				t.Errorf("%s as %s: %d, want %d", path, name, got, who.status)
			}
			if name == "technician" && (bytes.Contains(body, []byte("1 777")) || bytes.Contains(body, []byte("1777"))) {
				t.Errorf("%s shows sums to a technician", path)
			}
		}
	}

	limited := h.enters("manager@example.kz", access.Manager, h.outlets[1].ID)
	for _, path := range []string{own, own + "/json", shift} {
		if got, _, _ := h.get(path, limited); got != http.StatusNotFound {
			t.Errorf("%s of another outlet: %d, want 404", path, got)
		}
	}
	if _, body, _ := h.get("/receipts/csv", limited); strings.Count(string(body), "\n") != 3 {
		t.Errorf("who is limited to the second outlet exports\n%s\nwant a line of titles and its two receipts", body)
	}

	other := registry.Taxpayer{Country: fiscal.Kazakhstan, XIN: "220540013371", Title: fiscal.Text{RU: "ИП Оспанов"}, Created: time.Now()}
	if err := h.db.AddTaxpayer(t.Context(), &other); err != nil {
		t.Fatal(err)
	}
	stranger := h.person("stranger@example.kz", "Чужой")
	if err := h.access.Found(t.Context(), &stranger, other.ID, "Оспанов"); err != nil {
		t.Fatal(err)
	}
	token, _, err := h.access.SignIn(t.Context(), "stranger@example.kz", strong, access.Visit{Address: "192.0.2.7"})
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range append(revenue, status...) {
		got, body, _ := h.get(path, token)
		want := http.StatusOK
		if path == own || path == own+"/json" || path == shift {
			want = http.StatusNotFound
		}
		if got != want || bytes.Contains(body, []byte("812345678")) || bytes.Contains(body, []byte("Толе би")) {
			t.Errorf("%s as another tenant: %d, want %d and nothing of the shop: %.200s", path, got, want, body)
		}
	}
	if _, body, _ := h.get(fmt.Sprintf("/receipts/csv?register=%d&outlet=%d", h.tills[0].Register, h.outlets[0].ID), token); strings.Count(string(body), "\n") != 1 {
		t.Errorf("another tenant who names the register exports\n%s", body)
	}
}

// TestDocumentsExport reads the lists as spreadsheets do.
//
// Req: P-085
func TestDocumentsExport(t *testing.T) {
	h := newTrade(t)
	token := h.enters("owner@example.kz", access.Owner)
	_, body, header := h.get("/receipts/csv?op=sale_return", token)
	r := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(body, []byte("\xEF\xBB\xBF"))))
	r.Comma = ';'
	rows, err := r.ReadAll()
	if err != nil || len(rows) != 4 || rows[0][0] != "Время" || rows[1][0] != "2026-03-14 13:00:00" || rows[1][1] != "Возврат продажи" || rows[1][2] != "1777.50" {
		t.Errorf("the returns as CSV are %v, %v, want three of 1777.50 below their titles", rows, err)
	}
	if got := header.Get("Content-Disposition"); got != `attachment; filename="receipts.csv"` {
		t.Errorf("the file is %q", got)
	}
	_, body, _ = h.get("/receipts/xlsx", token)
	if _, err := zip.NewReader(bytes.NewReader(body), int64(len(body))); err != nil {
		t.Fatalf("the workbook is no archive: %v", err)
	}
	book, err := excelize.OpenReader(bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	lines, err := book.GetRows("Sheet1")
	if err != nil || len(lines) != 1+3*31+2 || lines[1][2] != "1,777.50" {
		t.Errorf("the workbook has %d lines, %v; the first is %v; want 96 and 1,777.50", len(lines), err, lines[1])
	}
	_, body, _ = h.get(fmt.Sprintf("/documents/%d/2/json", h.tills[0].Register), token)
	if !bytes.Contains(body, []byte(`"total": "1777.50"`)) || !bytes.Contains(body, []byte(`"registration_number": "620300471820"`)) {
		t.Errorf("the receipt as JSON is\n%s", body)
	}
	for path, want := range map[string]string{"/receipts?min=%D1%8F": "Это не сумма", "/receipts?from=2026-02-30": "Такого дня нет", "/receipts?code=12a": "только цифры"} {
		if got, body, _ := h.get(path, token); got != http.StatusUnprocessableEntity || !bytes.Contains(body, []byte(want)) {
			t.Errorf("%s: %d, want 422 with %q", path, got, want)
		}
	}
	if _, body, _ := h.get("/receipts", token); bytes.Contains(body, []byte("Данные на")) {
		t.Error("a page that is fresh says how old it is")
	}
	h.behind = tradeDay
	if _, body, _ := h.get("/receipts", token); !bytes.Contains(body, []byte("Данные на 14.03.2026")) {
		t.Error("a page that is two hours old does not say so")
	}
}

// TestDocumentPages looks at every page of what registers did.
func TestDocumentPages(t *testing.T) {
	h := newTrade(t)
	h.enters("owner@example.kz", access.Owner)
	b := newBrowser(t, "kk")
	b.look(t, "light", 1280)
	b.open(t, h.URL+"/signin?lang=ru")
	b.fill(t, map[string]string{"email": "owner@example.kz", "password": strong})
	type view struct {
		lang, scheme string
		width        int
	}
	views := []view{{"kk", "light", 360}, {"kk", "dark", 360}, {"ru", "light", 1280}}
	if *screenshots != "" {
		views = append(views, view{"en", "dark", 1280}, view{"ru", "light", 360})
	}
	z := fmt.Sprintf("/documents/%d/34", h.tills[0].Register)
	for name, path := range map[string]string{
		"today": "/cabinet?", "receipts": "/receipts?", "receipts-filtered": "/receipts?op=sale_return&from=2026-03-12&q=1777.50&", "receipts-nothing": "/receipts?q=%D0%BA%D0%BE%D1%84%D0%B5&",
		"shifts": "/shifts?", "reports": "/reports?", "moves": "/moves?", "offline": "/offline?", "findings": "/findings?",
		"receipt": fmt.Sprintf("/documents/%d/2?", h.tills[0].Register), "move": fmt.Sprintf("/documents/%d/1?", h.tills[0].Register), "z": z + "?", "shift": fmt.Sprintf("/shifts/%d/12?", h.tills[0].Register),
	} {
		for _, v := range views {
			b.look(t, v.scheme, v.width)
			b.complained()
			b.open(t, h.URL+path+"lang="+v.lang)
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
}
