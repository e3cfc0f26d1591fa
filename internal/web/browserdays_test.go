package web

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"openofd/internal/access"
	"openofd/internal/delivery"
	"openofd/internal/fiscal"
	"openofd/internal/web/room"
)

// evenings are two comparisons, one of which found differences, and one report.
type evenings struct {
	mu    sync.Mutex
	asked []fiscal.WallTime // guarded by mu
	taken int               // summaries that went again; guarded by mu
	down  bool              // guarded by mu
}

func pastDay(d int) fiscal.WallTime {
	t, _ := fiscal.WallDate(2026, 3, d, 0, 0, 0)
	return t
}

func (e *evenings) Comparisons(_ context.Context, before int64, limit int) (all []room.Comparison, err error) {
	for id := int64(2); id > 0 && len(all) < limit; id-- {
		if c, err := e.Comparison(context.Background(), id); err == nil && (before == 0 || id < before) {
			c.Found = nil
			all = append(all, c)
		}
	}
	return all, nil
}

func (e *evenings) Comparison(_ context.Context, id int64) (room.Comparison, error) {
	c := room.Comparison{ID: id, Authority: "kgd", Day: pastDay(12 + int(id)), Began: time.Now(), Registers: 12, Documents: 4711}
	switch id {
	case 1:
		c.Failure = "kgd contradicts itself: register 7 comes after 8"
	case 2:
		c.By, c.Differences, c.Open, c.Resent, c.More = "aida@example.kz", 7, 1, 58, 5
		c.Found = []room.Difference{
			{Register: 200145, Kind: "missing_there", OurDocuments: 58, OurSum: 177_750, Resent: 58, Settled: true},
			{Register: 200146, Kind: "sum", OurDocuments: 3, OurSum: 10_000, ItsDocuments: 3, ItsSum: 99_900, Resent: 3, Detail: "1 documents are refused: <b>200146-7</b>: why"},
		}
	default:
		return c, &fiscal.Error{Reason: fiscal.NothingThere}
	}
	return c, nil
}

func (e *evenings) Compare(_ context.Context, day fiscal.WallTime, _ string) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if day > pastDay(14) {
		return &fiscal.Error{Reason: fiscal.BadValue, Field: "day"}
	}
	e.asked = append(e.asked, day)
	return nil
}

func (e *evenings) Comparing() fiscal.WallTime {
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.asked) == 0 {
		return 0
	}
	return e.asked[len(e.asked)-1]
}

func (e *evenings) Reports(_ context.Context, before fiscal.WallTime, _ int) ([]room.DayReport, error) {
	if before != 0 && before <= pastDay(14) {
		return nil, nil
	}
	return []room.DayReport{{
		Authority: "kgd", Day: pastDay(14), Made: time.Now(), Documents: 1_203_988, P99: 41, Max: 1260, Outages: []room.Outage{{From: time.Now(), Until: time.Now()}},
		Active: 2412, Silent: 3, Compared: true, Differences: 7, Open: 1, Content: json.RawMessage(`{"day":"2026-03-14","documents":1203988}`),
	}}, nil
}

// RefusedSummaries are two, of which the authority takes the first when it comes
// again.
func (e *evenings) RefusedSummaries(_ context.Context, before fiscal.DayOf, limit int) ([]delivery.SentSummary, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	all := []delivery.SentSummary{
		{Register: 200145, Day: pastDay(14), Version: 58, At: time.Now(), Refused: "bin: it is no BIN or IIN"},
		{Register: 200146, Day: pastDay(13), Version: 3, At: time.Now(), Refused: "<b>version</b>: another summary was taken under it"},
	}[e.taken:]
	if before.Day != 0 {
		return nil, nil
	}
	return all[:min(limit, len(all))], nil
}

func (e *evenings) SummaryAgain(_ context.Context, of fiscal.DayOf) (delivery.SentSummary, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	switch {
	case e.down:
		return delivery.SentSummary{}, &fiscal.Error{Of: fiscal.Unavailable}
	case of == fiscal.DayOf{Register: 200145, Day: pastDay(14)} && e.taken == 0:
		e.taken++
		return delivery.SentSummary{Register: of.Register, Day: of.Day}, nil
	case of.Register == 200146:
		return delivery.SentSummary{Register: of.Register, Day: of.Day, Refused: "another summary was taken under it"}, nil
	}
	return delivery.SentSummary{}, &fiscal.Error{Reason: fiscal.NothingThere}
}

// walkRefused has one of the staff look at summaries that the authority refused
// and send them again.
//
// Req: O-111
func (h *house) walkRefused(t *testing.T, b *browser, e *evenings) {
	t.Helper()
	says := func(what string, wants ...string) {
		t.Helper()
		text := eval[string](t, b, `document.body.innerText`)
		for _, want := range wants {
			if !strings.Contains(text, want) {
				t.Errorf("%s lacks %q:\n%s", what, want, text)
			}
		}
	}
	b.open(t, h.URL+"/staff/days?lang=ru")
	says("days", "Орган не принял 2 суточные сводки")
	h.looks(b, "staff-summaries", "/staff/days/summaries")
	b.open(t, h.URL+"/staff/days/summaries?lang=ru")
	says("refused summaries", "200145", "bin: it is no BIN or IIN", "<b>version</b>")
	b.press(t, `document.querySelectorAll("form[action='/staff/days/summaries'] button")[0]`)
	says("a summary that was taken", "Орган принял сводку", "200146")
	again := `document.querySelector("form[action='/staff/days/summaries'] button")`
	b.press(t, again)
	says("a summary that is refused again", "200146, 13.03.2026: снова не принята")
	b.complained()
	e.mu.Lock()
	e.down = true
	e.mu.Unlock()
	b.press(t, again)
	says("a way that is closed", "сейчас закрыт")
	b.complained()
	records, err := h.db.Audit(t.Context(), 0, 0, 20)
	tries := 0
	for _, r := range records {
		if r.Act == access.ActSummaryAgain && strings.HasPrefix(r.Object, "20014") {
			tries++
		}
	}
	if err != nil || tries != 3 {
		t.Errorf("%d tries are in the journal, %v; want 3", tries, err)
	}
}

// walkDays has one of the staff look at days that are over, at what differs and
// at the reports, and compare a day.
//
// Req: N-003
func (h *house) walkDays(t *testing.T, b *browser, e *evenings) {
	t.Helper()
	has := func(what string, wants ...string) {
		t.Helper()
		b.faultless(t, what)
		text := eval[string](t, b, `document.body.innerText`)
		for _, want := range wants {
			if !strings.Contains(text, want) {
				t.Errorf("%s lacks %q:\n%s", what, want, text)
			}
		}
	}
	b.open(t, h.URL+"/staff/days?lang=ru")
	has("days", "14.03.2026", "aida@example.kz", "осталось 1", "не доведена до конца", "1203988", "ещё нет")
	b.open(t, h.URL+"/staff/days/comparison?id=2&lang=ru")
	has("a comparison", "200146", "сумма", "у органа нет ничего", "улажено", "<b>200146-7</b>", "Ещё 5")
	b.open(t, h.URL+"/staff/days/report?authority=kgd&day=2026-03-14&lang=kk")
	has("a report", "2412", "1260")
	b.open(t, h.URL+"/staff/days?lang=ru")
	b.fill(t, map[string]string{"day": "2026-03-15"})
	if got := eval[string](t, b, `document.querySelector(".invalid-feedback").innerText`); !strings.Contains(got, "уже прошёл") {
		t.Errorf("of a day that is not over the page says %q", got)
	}
	b.complained()
	b.fill(t, map[string]string{"day": "2026-03-13"})
	has("days under way", "Сверка началась", "Идёт сверка дня 13.03.2026")
	records, err := h.db.Audit(t.Context(), 0, 0, 20)
	if err != nil || len(records) == 0 || records[0].Act != access.ActCompared || records[0].Object != "2026-03-13" || len(e.asked) != 1 {
		t.Errorf("the journal begins with %+v, %v; want the comparison of 2026-03-13", records[0], err)
	}
	for path, want := range map[string]string{"reports.csv": "2026-03-14;kgd;1203988", "reports.json": `"documents":1203988`, "reports.xlsx": "PK"} {
		got := eval[string](t, b, `(async () => { const r = await fetch("/staff/days/`+path+`"); return r.status + " " + (await r.text()).slice(0, 2000) })()`)
		if !strings.HasPrefix(got, "200 ") || !strings.Contains(got, want) {
			t.Errorf("%s is %q, want %q in it", path, got, want)
		}
	}
	h.walkRefused(t, b, e)
	h.person("stranger@example.kz", "Ерлан")
	client := h.token("stranger@example.kz")
	for _, path := range []string{"/staff/days", "/staff/days/comparison?id=2", "/staff/days/summaries", "/staff/days/report?authority=kgd&day=2026-03-14", "/staff/days/reports.csv", "/staff/days/reports.json"} {
		if status, _ := h.as("", http.MethodGet, path); status != http.StatusSeeOther {
			t.Errorf("%s as nobody: %d, want the door", path, status)
		}
		if status, _ := h.as(client, http.MethodGet, path); status != http.StatusForbidden {
			t.Errorf("%s as a client: %d, want it denied", path, status)
		}
	}
}
