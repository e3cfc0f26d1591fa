package till_test

import (
	"fmt"
	"html"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"openofd/internal/fiscal"
	core "openofd/internal/till"
)

// A day at the till by a thumb, against a real operator: simple and extended
// mode, a return, cash in and out, reports, and every way in which a receipt
// does not come about.
//
// Req: E-003 to E-006, E-011, E-018, E-019, E-100, E-101, E-106 to E-117, E-119 to E-141, E-144, E-148, E-149
func TestSell(t *testing.T) {
	s := openShop(t)
	p := newPhone(t, s.site)
	p.open("/enter")
	p.ready()
	p.until("the page is kept", `navigator.serviceWorker.controller`)
	steps := []struct {
		what string
		do   func(*testing.T, *shop, *phone)
	}{
		{"simple", sellSimple}, {"extended", sellExtended}, {"return", giveBack}, {"cash", moveCash}, {"x", reportX},
		{"autonomous", sellAutonomous}, {"no answer", sellUnanswered}, {"no network", sellUnreachable},
		{"token", sellWithoutToken}, {"blocked", sellBlocked}, {"shift", shiftTooLong}, {"clock", clockBehind},
	}
	for _, step := range steps {
		if !t.Run(step.what, func(t *testing.T) { p.t, s.t = t, t; step.do(t, s, p) }) {
			break // what follows stands on it
		}
	}
	p.t, s.t = t, t
}

// formed waits for the document that was asked for.
func (p *phone) formed() {
	p.t.Helper()
	p.until("the document is there", `location.pathname.startsWith("/document/") && document.readyState === "complete"`)
}

// begin is the keypad, empty, in simple mode.
func (p *phone) begin() {
	p.t.Helper()
	p.open("/")
	p.ready()
	p.press(`[data-mode="simple"]`)
}

func (p *phone) preview() {
	p.t.Helper()
	p.tap("#next")
	p.until("the preview is there", `!document.getElementById("preview").hidden`)
}

// quick is a sale for cash up to the preview.
func (p *phone) quick(amount string) {
	p.t.Helper()
	p.begin()
	p.digits(amount)
	p.tap(`input[value="cash"]`)
	p.preview()
}

func sellSimple(t *testing.T, s *shop, p *phone) {
	p.tap("#next")
	if got := p.text("#wrong"); got != "Наберите сумму" {
		t.Errorf("nothing is sold: %q", got)
	}
	p.digits("1500")
	p.tap("#next")
	if got := p.text("#wrong"); got != "Выберите вид оплаты" {
		t.Errorf("no payment is chosen: %q", got)
	}
	p.press(`[data-press="C"]`)
	p.press(`[data-press="C"]`)
	p.taps = 0
	p.digits("1500")
	p.tap(`[data-press="="]`)
	p.tap(`input[value="cash"]`)
	p.preview()
	p.see("preview", "Предварительный чек", "Не фискальный", "1 500,00 ₸")
	if page := eval[string](p, `document.body.innerText`); strings.Contains(page, "Фискальный признак") {
		t.Error("a preliminary receipt has a fiscal sign")
	}
	if _, n := s.latest(); n != 0 {
		t.Fatalf("%d documents after a preview", n)
	}
	p.tap("#form")
	eval[bool](p, `(() => { const f = document.getElementById("form"); if (f) { f.click(); } return true; })()`) // and once more
	p.formed()
	if p.taps > 5 {
		t.Errorf("a sale took %d taps beside the digits, want 5 at most", p.taps)
	}
	d, n := s.latest()
	if n != 1 || s.formed.Load() != 1 || d.Fate != core.Accepted || d.Sum != 1500_00 {
		t.Fatalf("two taps asked %d times for %d documents, the last %+v", s.formed.Load(), n, d)
	}
	p.see("receipt", "Фискальный чек", "Фискалдық чек", "1 500,00 ₸", d.FiscalSign[:4]+" "+d.FiscalSign[4:8]+" "+d.FiscalSign[8:], "Айгүл Серікқызы", "Кассашы")

	// Positions are added up, the keyboard works, and the last one comes back.
	p.begin()
	p.digits("100")
	p.press(`[data-press="+"]`)
	eval[bool](p, `["2", "5", "0", ",", "5", "+", "9", "Enter", "Backspace"].every(k => document.body.dispatchEvent(new KeyboardEvent("keydown", { key: k, bubbles: true, cancelable: true })) || true)`)
	if total, entry := spaces.Replace(p.text("#total")), p.text("#entry"); total != "359,50 ₸" || entry != "9" {
		t.Errorf("100 + 250,5 + 9, the last taken back to be mended: %q, %q", total, entry)
	}
	p.press(`[data-press="C"]`)
	p.press(`[data-press="C"]`)
}

func sellExtended(t *testing.T, s *shop, p *phone) {
	if _, err := s.SetGood(t.Context(), s.seat(), core.Good{Title: fiscal.Text{RU: "Чай зелёный", KK: "Көк шай"}, Price: 2500_00, Barcode: "4870001234567", Unit: "796"}); err != nil {
		t.Fatal(err)
	}
	p.press(`[data-mode="extended"]`)
	p.press("#add")
	p.press(`#item button[type="submit"]`)
	p.see("goods without anything", "Напишите наименование", "Цена больше нуля")
	p.put("item-name", "зел")
	p.until("goods are offered", `document.querySelector("#found button")`)
	p.faultless("goods ru")
	p.press("#found button")
	p.put("item-quantity", "2")
	p.put("item-change", "off%")
	p.put("item-change-value", "10")
	p.press(`#item button[type="submit"]`)
	p.press("#add")
	p.put("item-name", "Қант өлшеп")
	p.put("item-quantity", "0,333")
	p.put("item-unit", "116")
	p.put("item-price", "999,99")
	p.press(`#item button[type="submit"]`)
	// 2 × 2500 − 10 % = 4500.00; 0.333 × 999.99 = 333.00 (332.99667); 33 tenge off the whole
	p.put("change", "off")
	p.put("change-value", "33")
	p.put("buyer", "190340024183")
	p.press(`input[value="mixed"]`)
	p.put("card", "3000")
	p.put("mobile", "800")
	p.put("taken", "2000")
	if got := spaces.Replace(p.text("#total") + " " + p.text("#cash-sum") + " " + p.text("#change-due")); got != "4 800,00 ₸ 1 000,00 ₸ 1 000,00 ₸" {
		t.Errorf("total, cash and change are %q", got)
	}
	p.open("/") // everything is kept
	p.ready()
	if got := spaces.Replace(p.text("#total") + " " + p.text("#change-due")); got != "4 800,00 ₸ 1 000,00 ₸" {
		t.Errorf("after a reload total and change are %q", got)
	}
	p.faultless("extended ru")
	p.tap("#next")
	p.until("it is refused", `document.getElementById("wrong").textContent`)
	if got := p.text("#wrong"); got != "Номер покупателя совпадает с номером продавца" {
		t.Errorf("the seller buys: %q", got)
	}
	p.put("buyer", "850101300005")
	p.tap("#next")
	p.until("it is judged", `!document.getElementById("preview").hidden || document.getElementById("wrong").textContent.includes("ИИН")`)
	if eval[bool](p, `document.getElementById("preview").hidden`) {
		t.Fatalf("the preview: %s", p.text("#wrong"))
	}
	p.see("preview", "Чай зелёный", "Қант өлшеп", "0,333 кг × 999,99", "−500,00", "−33,00", "4 800,00 ₸", "3 000,00 ₸", "800,00 ₸", "2 000,00 ₸")
	p.tap("#cancel")
	if got := spaces.Replace(p.text("#total")); got != "4 800,00 ₸" {
		t.Errorf("after Cancel the total is %q", got)
	}
	p.preview()
	p.tap("#form")
	p.formed()
	d, n := s.latest()
	c, err := d.Contents()
	if err != nil || n != 2 || d.Sum != 4800_00 || c.Receipt.Taken != 2000_00 || c.Receipt.ChangeDue != 1000_00 || len(c.Receipt.Payments) != 3 {
		t.Fatalf("%d documents, the last %+v, %v", n, c.Receipt, err)
	}
}

func giveBack(t *testing.T, s *shop, p *phone) {
	d, _ := s.latest()
	p.open("/return?number=999")
	p.see("a number that no receipt has", "У этой кассы такого чека нет", "Последние чеки")
	p.press(fmt.Sprintf(`a[href="/return?number=%d"]`, d.Number))
	p.until("the return is there", `document.getElementById("whole") || document.getElementById("lines") && document.querySelector(".of")`)
	p.ready()
	p.see("goods of the receipt", "Чай зелёный", "Қант өлшеп", "осталось 4 800,00 ₸")
	p.press(`[data-mode="simple"]`)
	p.digits("48001")
	p.press(`input[value="cash"]`)
	p.tap("#next")
	if got := spaces.Replace(p.text("#wrong")); got != "К возврату осталось 4 800,00 ₸" {
		t.Errorf("more than was sold: %q", got)
	}
	p.press("#whole")
	p.preview()
	p.tap("#form")
	p.until("the operator refuses", `!document.getElementById("refusal").hidden`)
	p.see("more cash than the drawer has", "В кассе не хватает наличных", "Внесение")
	p.press("#cancel")
	p.press(`input[value="card"]`)
	p.preview()
	p.tap("#form")
	p.formed()
	back, _ := s.latest()
	if back.Op != "sale_return" || back.Sum != 4800_00 || back.Parent != d.Number {
		t.Fatalf("the return is %+v", back)
	}
	p.open(fmt.Sprintf("/return?number=%d", d.Number))
	p.see("what is returned in full", "Этот чек возвращён полностью")
}

func moveCash(t *testing.T, s *shop, p *phone) {
	p.open("/move?op=cash_out")
	p.put("field-sum", "100000")
	p.press("button.main")
	p.until("it is refused", `document.querySelector(".alarm")`)
	p.see("more than the drawer has", "В кассе не хватает наличных")
	p.open("/move?op=cash_in")
	p.put("field-sum", "1 000,50")
	eval[bool](p, `(() => { const b = document.querySelector("button.main"); b.click(); b.click(); return true; })()`)
	p.formed()
	d, _ := s.latest()
	if st, err := s.Standing(t.Context(), s.seat(), s.id); err != nil || d.Op != "cash_in" || d.Sum != 1000_50 || st.Counters.Cash != 1500_00+1000_00+1000_50 {
		t.Fatalf("after a deposit: %+v, drawer %v, %v", d, st.Counters.Cash, err)
	}
	p.see("deposit", "Внесение", "1 000,50 ₸")
}

func reportX(t *testing.T, s *shop, p *phone) {
	p.open("/x")
	p.see("before X", "Счётчики не обнуляются", "не фискальный и не бухгалтерский")
	p.press("button.main")
	p.formed()
	p.see("X", "X-отчёт", "Не фискальный документ", "Айгүл Серікқызы", "3 500,50 ₸")
	if d, _ := s.latest(); d.Kind != core.KindX {
		t.Errorf("the last document is %+v", d)
	}
}

func sellAutonomous(t *testing.T, s *shop, p *phone) {
	p.quick("70")
	s.cut.Store(true)
	p.tap("#form")
	p.formed()
	p.see("an autonomous receipt", "Автономный", "Автономды", "Автономный код", "уйдёт сам")
	p.begin()
	p.see("the keypad", "Автономно с", "осталось 71 ч", "Ждёт 1 документ")
	p.faultless("autonomous ru")
	s.cut.Store(false)
	p.until("it is delivered and the page says so", `document.getElementById("standing").dataset.state === "online"`)
	if d, _ := s.latest(); d.Fate != core.Delivered {
		t.Errorf("the receipt is %+v", d)
	}
}

func sellUnanswered(t *testing.T, s *shop, p *phone) {
	_, before := s.latest()
	p.quick("80")
	s.mute.Store(true)
	p.tap("#form")
	p.until("nobody answers", `!document.getElementById("refusal").hidden`)
	p.see("no answer", "второго чека не будет")
	s.mute.Store(false)
	p.open("/") // and the battery was empty
	p.ready()
	p.see("after a reload", "второго чека не будет")
	p.digits("5") // the sum is changed, but the receipt is there
	p.preview()
	p.tap("#form")
	p.formed()
	d, n := s.latest()
	if n != before+1 || d.Sum != 80_00 {
		t.Errorf("%d documents more, the last of %v; want one of 80.00", n-before, d.Sum)
	}
	p.see("the receipt of the first tap", "сформирован при первом нажатии", "80,00 ₸")
}

func sellUnreachable(t *testing.T, s *shop, p *phone) {
	_, before := s.latest()
	s.away.Store(true)
	p.begin() // the page is the device's own
	p.until("it says what it can do", `document.getElementById("standing").dataset.state === "lost"`)
	p.see("no network", "Набирать можно")
	p.digits("90")
	p.press(`input[value="card"]`)
	p.tap("#next")
	p.until("there is no preview", `document.getElementById("wrong").textContent`)
	p.faultless("lost ru")
	s.away.Store(false)
	p.until("the till is back", `document.getElementById("standing").dataset.state === "online"`)
	p.preview()
	p.tap("#form")
	p.formed()
	if d, n := s.latest(); n != before+1 || d.Sum != 90_00 {
		t.Errorf("%d documents more, the last of %v; want one of 90.00", n-before, d.Sum)
	}
}

func sellWithoutToken(t *testing.T, s *shop, p *phone) {
	token, err := s.registers.Token(t.Context(), s.id, "test")
	if err != nil {
		t.Fatal(err)
	}
	p.quick("11")
	p.tap("#form")
	p.until("it is refused", `!document.getElementById("refusal").hidden`)
	p.see("a void token", "Токен не действует", "Ввести токен")
	p.begin()
	if way := eval[string](p, `document.getElementById("standing-way").getAttribute("href")`); way != fmt.Sprintf("/settings/%d/token", s.id) {
		t.Errorf("the way out is %q", way)
	}
	p.faultless("token ru")
	if err := s.Connect(t.Context(), s.seat(), s.id, token); err != nil {
		t.Fatal(err)
	}
}

func sellBlocked(t *testing.T, s *shop, p *phone) {
	if err := s.registers.Block(t.Context(), s.id, "test", "Оплатите услуги"); err != nil {
		t.Fatal(err)
	}
	p.quick("12")
	p.tap("#form")
	p.until("it is refused", `!document.getElementById("refusal").hidden`)
	p.see("blocked", "Оператор заблокировал кассу", "Оплатите услуги")
	if err := s.registers.Unblock(t.Context(), s.id, "test"); err != nil {
		t.Fatal(err)
	}
	p.begin()
	p.until("it is free by itself", `document.getElementById("standing").dataset.state === "online"`)
}

func shiftTooLong(t *testing.T, s *shop, p *phone) {
	s.ahead.Store(int64(23*time.Hour + 30*time.Minute))
	if err := s.Unlock(t.Context(), s.seat(), core.Owner, "1234"); err != nil {
		t.Fatal(err)
	}
	p.begin()
	p.see("half an hour before the end", "Закройте смену: осталось 0 ч")
	s.ahead.Store(int64(24*time.Hour + time.Minute))
	p.begin()
	p.see("after 24 hours", "Смена открыта дольше 24 часов")
	p.press("#standing-way")
	p.until("it asks", `location.pathname === "/z"`)
	p.see("before Z", "Смена 1 закроется", "Наличные остаются в кассе", "Отменить нельзя")
	p.press("button.main")
	p.formed()
	p.see("Z", "Z-отчёт", "Необнуляемый итог")
	if page := eval[string](p, `document.body.innerText`); strings.Contains(strings.ToLower(page), "копия") {
		t.Error("a Z report that was just made is a copy")
	}
	p.open(eval[string](p, `location.pathname`))
	p.see("Z later", "Копия", "Көшірме")
	p.open("/z")
	p.see("without a shift", "Смена не открыта")
}

func clockBehind(t *testing.T, s *shop, p *phone) {
	s.ahead.Store(int64(20 * time.Hour))
	if err := s.Unlock(t.Context(), s.seat(), core.Owner, "1234"); err != nil {
		t.Fatal(err)
	}
	p.quick("13")
	p.tap("#form")
	p.until("it is refused", `!document.getElementById("refusal").hidden`)
	p.see("a clock behind", "Часы сервера отстают")
}

// What was made is found by kind, shift and day, page by page.
//
// Req: E-139, E-148, E-151, E-152, E-153
func TestHistory(t *testing.T) {
	s := openShop(t)
	for i := range 32 {
		if _, err := s.Move(t.Context(), s.seat(), s.id, "", fiscal.OpCashIn, fiscal.Money(i+1)*100); err != nil {
			t.Fatal(err)
		}
	}
	z, err := s.Z(t.Context(), s.seat(), s.id, "z")
	if err != nil {
		t.Fatal(err)
	}
	sold, err := s.Form(t.Context(), s.seat(), s.id, &core.Draft{ID: "a", Op: fiscal.OpSale, Lines: []core.Line{{Quantity: fiscal.OneUnit, Price: 500_00}}, Paid: core.Paid{Chosen: true}}, false)
	if err != nil {
		t.Fatal(err)
	}
	today, page := sold.Made.UTC(), ""
	rows := func(path string) int {
		t.Helper()
		_, _, page = s.asks(http.MethodGet, path)
		return strings.Count(page, `class="row made"`)
	}
	day := func(n int) string { return today.AddDate(0, 0, n).Format(time.DateOnly) }
	for _, c := range []struct {
		path string
		want int
	}{
		{"/history", 30}, {"/history?kind=z", 1}, {"/history?kind=receipt", 1}, {"/history?kind=x", 0}, {"/history?shift=2", 1}, {"/history?shift=9", 0},
		{"/history?kind=z&from=" + z.Made.UTC().Format(time.DateOnly) + "&to=" + day(0), 1}, {"/history?to=" + day(-2), 0}, {"/history?from=" + day(1), 0},
	} {
		if got := rows(c.path); got != c.want {
			t.Errorf("%s has %d documents, want %d", c.path, got, c.want)
		}
	}
	rows("/history")
	next := regexp.MustCompile(`class="key wide" href="([^"]+)"`).FindStringSubmatch(page)
	if next == nil {
		t.Fatalf("no way to the documents before: %s", page)
	}
	if got := rows(html.UnescapeString(next[1])); got != 4 {
		t.Errorf("%s has %d documents, want the other 4", next[1], got)
	}
	for _, wrong := range []string{"/history?shift=x", "/history?from=2026-02-31", "/history?from=" + day(0) + "&to=" + day(-1)} {
		if rows(wrong); strings.Count(page, "aria-invalid") != 1 {
			t.Errorf("%s blames no field", wrong)
		}
	}
}
