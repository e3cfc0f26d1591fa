package till_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"openofd/internal/device/kkm"
	core "openofd/internal/till"
)

// told is what a device is told in the place of a receipt.
type told struct {
	Go    string
	Code  string
	Field string
	What  string
	Next  string
	Way   string
	Label string
}

// form asks the till to form a draft, as the script of a device does.
func (s *shop) form(draft any) (status int, said told) {
	s.t.Helper()
	body, err := json.Marshal(draft)
	if err != nil {
		s.t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(s.t.Context(), http.MethodPost, s.site+"/draft/form", bytes.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	r.Header.Set("Accept", "application/json")
	r.AddCookie(&http.Cookie{Name: "till_session", Value: s.secret})
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		s.t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	if err := json.Unmarshal(text, &said); err != nil {
		s.t.Fatalf("%v\n%s", err, text)
	}
	return res.StatusCode, said
}

// simple is a sale for cash as a device sends it.
func (s *shop) simple(id, price string) map[string]any {
	return map[string]any{"id": id, "register": s.id, "op": "sale", "lines": []any{map[string]any{"quantity": "1", "price": price}}, "paid": map[string]any{"chosen": true}}
}

// posts sends a form as a device without scripts.
func (s *shop) posts(path string, fields url.Values) (status int, page string) {
	s.t.Helper()
	r, err := http.NewRequestWithContext(s.t.Context(), http.MethodPost, s.site+path, strings.NewReader(fields.Encode()))
	if err != nil {
		s.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.AddCookie(&http.Cookie{Name: "till_session", Value: s.secret})
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	res, err := client.Do(r)
	if err != nil {
		s.t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return res.StatusCode, res.Header.Get("Location") + "\n" + string(b)
}

// working waits until a register makes documents again.
func (s *shop) working() { s.t.Helper(); s.reach(kkm.ModeWorking) }

// reach waits for a mode of the register.
func (s *shop) reach(mode kkm.Mode) {
	s.t.Helper()
	for end := time.Now().Add(time.Minute); ; time.Sleep(10 * time.Millisecond) {
		st, err := s.Standing(s.t.Context(), s.seat(), s.id)
		if err != nil {
			s.t.Fatal(err)
		}
		if st.Mode == mode {
			return
		}
		if time.Now().After(end) {
			s.t.Fatalf("not in a minute: the register %v; it %v", mode, st.Mode)
		}
	}
}

// Every code that an operator may answer a receipt with has its words in three
// languages, the operator's own beside them, and a way out; with the cause gone
// the same draft becomes one receipt.
//
// Req: E-005, E-154, E-155
func TestAnswers(t *testing.T) {
	s := openShop(t)
	token := fmt.Sprintf("/settings/%d/token", s.id)
	for _, c := range []struct {
		code uint32
		want string // in Russian
		next string // what to do
		way  string
		mode kkm.Mode
	}{
		{1, "Оператор не знает эту кассу", "Сверьте системный идентификатор", "/stopped", kkm.ModeStopped},
		{2, "Токен не действует", "", token, kkm.ModeNeedsToken},
		{3, "Оператор не принял документ (код 3)", "назовите код", "", kkm.ModeWorking},
		{4, "Оператор не принял документ (код 4)", "назовите код", "", kkm.ModeWorking},
		{5, "Оператор не принял документ (код 5)", "назовите код", "", kkm.ModeWorking},
		{6, "Оператор не принял документ (код 6)", "назовите код", "", kkm.ModeWorking},
		{7, "Оператор не принял документ (код 7)", "назовите код", "", kkm.ModeWorking},
		{8, "Оператор не принял документ (код 8)", "Нажмите ещё раз", "", kkm.ModeWorking},
		{9, "Оператор не принял документ (код 9)", "Нажмите ещё раз", "", kkm.ModeWorking},
		{10, "Оператор не принял документ (код 10)", "назовите код", "", kkm.ModeWorking},
		{11, "Смена открыта дольше 24 часов", "", "/z", kkm.ModeWorking},
		{12, "Оператор не принял документ (код 12)", "назовите код", "", kkm.ModeWorking},
		{13, "Оператор не принял документ (код 13)", "Проверьте набранное", "", kkm.ModeWorking},
		{14, "В кассе не хватает наличных", "", "/move?op=cash_in", kkm.ModeWorking},
		{15, "Оператор заблокировал кассу", "Узнайте причину", "", kkm.ModeServerBlocked},
		{16, "Оператор не принял документ (код 16)", "назовите код", "", kkm.ModeWorking},
		{17, "Номер покупателя совпадает с номером продавца", "", "", kkm.ModeWorking},
		{18, "Оператор не принял документ (код 18)", "назовите код", "", kkm.ModeWorking},
		{19, "Оператор не принял документ (код 19)", "назовите код", "", kkm.ModeWorking},
		{99, "Оператор не принял документ (код 99)", "назовите код", "", kkm.ModeWorking},
	} {
		draft, spoken := s.simple(fmt.Sprint("code-", c.code), "100"), map[string]string{}
		for _, lang := range []string{"kk", "en", "ru"} {
			if err := s.SetLanguage(s.seat(), lang); err != nil {
				t.Fatal(err)
			}
			s.code.Store(c.code)
			status, said := s.form(draft)
			if status/100 != 4 || !strings.Contains(said.Next, operatorSays) || said.Way != c.way || (said.Label == "") != (c.way == "") {
				t.Errorf("code %d in %s: %d %+v; want the operator's words and the way %q", c.code, lang, status, said, c.way)
			}
			if lang == "ru" && (!strings.Contains(said.What, c.want) || !strings.Contains(said.Next, c.next)) {
				t.Errorf("code %d: %q, %q; want %q and %q", c.code, said.What, said.Next, c.want, c.next)
			}
			if other, twice := spoken[said.What]; twice {
				t.Errorf("code %d: %s and %s both say %q", c.code, other, lang, said.What)
			}
			spoken[said.What] = lang
			if st, err := s.Standing(t.Context(), s.seat(), s.id); err != nil || st.Mode != c.mode {
				t.Fatalf("code %d: the register %v, %v; want %v", c.code, st.Mode, err, c.mode)
			}
			if c.mode == kkm.ModeStopped { // the page that asks what to do, and the second tap
				if _, _, page := s.asks(http.MethodGet, "/stopped"); lang == "ru" && (!strings.Contains(page, c.want) || strings.Contains(page, "remove")) {
					t.Errorf("code %d: the page that decides: %s", c.code, page)
				}
				if _, again := s.form(draft); again.What != said.What {
					t.Errorf("code %d, once more: %q, want %q", c.code, again.What, said.What)
				}
			}
			s.code.Store(0)
			s.mend()
		}
		if status, said := s.form(draft); status != http.StatusOK || said.Go == "" {
			t.Errorf("code %d, the cause is gone: %d %+v", c.code, status, said)
		}
	}
	s.run(t, "silence", silent)
	s.run(t, "withheld", withheld)
	s.run(t, "connect", connects)
}

// run is a part of a test that goes on with the same shop.
func (s *shop) run(t *testing.T, name string, part func(*testing.T, *shop)) bool {
	defer func() { s.t = t }()
	return t.Run(name, func(t *testing.T) {
		s.t = t
		part(t, s)
	})
}

// mend takes the cause away for which a register stands still.
func (s *shop) mend() {
	s.t.Helper()
	st, err := s.Standing(s.t.Context(), s.seat(), s.id)
	if err != nil {
		s.t.Fatal(err)
	}
	switch st.Mode {
	case kkm.ModeNeedsToken:
		token, err := s.registers.Token(s.t.Context(), s.id, "test")
		if err == nil {
			err = s.Connect(s.t.Context(), s.seat(), s.id, token)
		}
		if err != nil {
			s.t.Fatal(err)
		}
	case kkm.ModeStopped:
		if err := s.Resume(s.t.Context(), s.seat(), s.id); err != nil {
			s.t.Fatal(err)
		}
	}
	s.working()
}

// silent: 254 and 255 are like no answer; what waits is refused afterwards, and
// a person decides.
func silent(t *testing.T, s *shop) {
	s.patience = 300 * time.Millisecond
	s.restart()
	for _, code := range []uint32{254, 255} {
		s.code.Store(code)
		if status, said := s.form(s.simple(fmt.Sprint("code-", code), "100")); status != http.StatusOK {
			t.Fatalf("code %d: %d %+v", code, status, said)
		}
		if d, _ := s.latest(); d.Fate != core.Autonomous {
			t.Errorf("code %d: the receipt is %s", code, d.Fate)
		}
	}
	s.code.Store(13) // now it is heard, and does not like what was printed
	s.reach(kkm.ModeStopped)
	_, said := s.form(s.simple("behind", "5"))
	if !strings.Contains(said.What, "Оператор не принял уже напечатанный документ") || !strings.Contains(said.Next, operatorSays) || said.Way != "/stopped" {
		t.Errorf("a register that stands still says %+v", said)
	}
	status, _, page := s.asks(http.MethodGet, "/stopped")
	for _, want := range []string{operatorSays, "Отправить ещё раз", "Снять с очереди", "Вернуть нельзя", "100,00"} {
		if status != http.StatusOK || !strings.Contains(spaces.Replace(page), want) {
			t.Errorf("the page that decides: %d, no %q in %s", status, want, page)
		}
	}
	decide := func(do string) int {
		t.Helper()
		status, _ := s.posts("/stopped", url.Values{"register": {fmt.Sprint(s.id)}, "do": {do}})
		return status
	}
	if status := decide("remove"); status != http.StatusSeeOther { // the first is given up,
		t.Fatalf("given up: %d", status)
	}
	s.reach(kkm.ModeStopped)
	s.code.Store(0)
	if status := decide("resume"); status != http.StatusSeeOther { // the second goes out
		t.Fatalf("once more: %d", status)
	}
	s.delivered()
	if d, _ := s.latest(); d.Fate != core.Delivered {
		t.Errorf("the second receipt is %s", d.Fate)
	}
	if status, _, page := s.asks(http.MethodGet, "/history"); status != http.StatusOK || !strings.Contains(page, "нет у оператора") {
		t.Errorf("the history does not say that the operator does not have one: %d %s", status, page)
	}
	if status, _, _ := s.asks(http.MethodGet, "/stopped"); status != http.StatusSeeOther {
		t.Errorf("a register that works is decided about: %d", status)
	}
}
