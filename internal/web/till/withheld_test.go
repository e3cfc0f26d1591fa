package till_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"openofd/internal/store/sqlitefile"
	core "openofd/internal/till"
)

// withheld: what the till itself does not do says why, and what to do. The
// register is one whose operator is answered for at once.
func withheld(t *testing.T, s *shop) {
	told := func(what string, draft map[string]any, status int, want ...string) {
		t.Helper()
		got, said := s.form(draft)
		if all := spaces.Replace(fmt.Sprintf("%s %s %s %s", said.What, said.Next, said.Way, said.Go)); got != status || !containsAll(all, want...) {
			t.Errorf("%s: %d %+v; want %d and %q", what, got, said, status, want)
		}
	}
	with := func(draft map[string]any, more ...any) map[string]any {
		for i := 0; i < len(more); i += 2 {
			draft[more[i].(string)] = more[i+1]
		}
		return draft
	}
	line := func(quantity, price string) []any { return []any{map[string]any{"quantity": quantity, "price": price}} }
	sold, _ := s.latest()

	told("nothing", with(s.simple("w", "1"), "lines", []any{}), http.StatusBadRequest, "В чеке ничего нет")
	told("no way to pay", with(s.simple("w", "1"), "paid", map[string]any{}), http.StatusBadRequest, "Выберите вид оплаты")
	told("more than reports hold", with(s.simple("w", "1"), "lines", []any{line("1", "99999999999.99")[0], line("1", "0.01")[0]}), http.StatusBadRequest, "Итог должен быть больше нуля")
	told("more than a line holds", with(s.simple("w", "1"), "lines", line("2", "99999999999.99")), http.StatusBadRequest, "Позиция 1.", "Цена неверна или слишком велика")
	told("more than money holds", with(s.simple("w", "1"), "lines", line("1", "999999999999999999999")), http.StatusBadRequest, "Сумма")
	told("a return above its sale", with(s.simple("w", "100.01"), "op", "sale_return", "parent", sold.Number), http.StatusBadRequest, "при возврате — не больше остатка")
	told("a return of nothing", with(s.simple("w", "1"), "op", "sale_return", "parent", 999), http.StatusNotFound, "У этой кассы такого чека нет")
	told("a card that pays too much", with(s.simple("w", "1"), "paid", map[string]any{"chosen": true, "card": "2"}), http.StatusBadRequest, "Картой и QR вместе больше")

	// A cashier without a right is told which, and whom to ask.
	if err := s.SetCashier(t.Context(), s.seat(), core.Cashier{Name: "Ерлан"}, "5678", "5678"); err != nil {
		t.Fatal(err)
	}
	if err := s.Unlock(t.Context(), s.seat(), 2, "5678"); err != nil {
		t.Fatal(err)
	}
	told("no right to sell", s.simple("w", "1"), http.StatusForbidden, "У вас нет права продавать", "Обратитесь к владельцу")
	told("no right to return", with(s.simple("w", "1"), "op", "sale_return", "parent", sold.Number), http.StatusForbidden, "возвраты")
	told("no right to buy", with(s.simple("w", "1"), "op", "purchase"), http.StatusForbidden, "делать покупки")
	for path, want := range map[string]string{"/move?op=cash_in": "вносить и изымать", "/x": "на X-отчёт"} {
		if status, page := s.posts(path, map[string][]string{"register": {fmt.Sprint(s.id)}, "sum": {"1"}}); status != http.StatusForbidden || !strings.Contains(page, want) {
			t.Errorf("POST %s without the right: %d, no %q in %s", path, status, want, page)
		}
	}
	if _, _, page := s.asks(http.MethodGet, "/"); strings.Contains(page, `href="/z"`) || strings.Contains(page, `href="/return"`) {
		t.Error("the menu offers what the cashier may not do")
	}
	if status, _, page := s.asks(http.MethodGet, fmt.Sprintf("/settings/%d", s.id)); status != http.StatusForbidden || !strings.Contains(page, "Попросите владельца") {
		t.Errorf("settings without the right: %d %s", status, page)
	}
	s.unlock()

	// The file takes no change: there is no receipt, and the draft is kept.
	release := s.hold()
	told("a file that takes no change", s.simple("held", "7"), http.StatusServiceUnavailable, "Касса не смогла записать", "Набранное сохранено")
	release()
	told("and takes one again", s.simple("held", "7"), http.StatusOK, "/document/")

	// Without the operator for longer than 72 hours.
	s.cut.Store(true)
	told("alone", s.simple("alone", "8"), http.StatusOK, "/document/")
	if _, err := s.Z(t.Context(), s.seat(), s.id, "alone-z"); err != nil { // else the shift is too long first
		t.Fatal(err)
	}
	s.ahead.Store(int64(71*time.Hour + 30*time.Minute))
	s.unlock()
	if _, _, page := s.asks(http.MethodGet, "/"); !strings.Contains(page, "осталось 0 ч") {
		t.Errorf("half an hour before the end: %s", page)
	}
	s.ahead.Store(int64(72*time.Hour + time.Minute))
	told("alone for too long", s.simple("late", "9"), http.StatusForbidden, "Касса без связи дольше 72 часов", "Проверьте интернет")
	if _, _, page := s.asks(http.MethodGet, "/"); !strings.Contains(page, "Касса без связи дольше 72 часов") {
		t.Errorf("the page of selling does not say it: %s", page)
	}
	s.ahead.Store(0)
	s.cut.Store(false)
	s.delivered()
}

// connects: identifier and token that are wrong are told apart, each beside its
// field; a token that works leads back to selling.
//
// Req: E-092, E-093, E-155 to E-157
func connects(t *testing.T, s *shop) {
	fresh, err := s.registers.Token(t.Context(), s.id, "test")
	if err != nil {
		t.Fatal(err)
	}
	id, token := fmt.Sprint(s.id), fmt.Sprintf("/settings/%d/token", s.id)
	for _, c := range []struct {
		path   string
		fields map[string][]string
		field  string
		want   string
	}{
		{"/registers/connect", map[string][]string{"id": {"касса"}, "token": {"1"}}, "id", "Идентификатор состоит из цифр"},
		{"/registers/connect", map[string][]string{"id": {"4000000000"}, "token": {"1"}}, "id", "У оператора нет такого идентификатора"},
		{"/registers/connect", map[string][]string{"id": {id}, "token": {"x"}}, "token", "Токен состоит из цифр"},
		{"/registers/connect", map[string][]string{"id": {id}, "token": {"1"}}, "token", "Токен не действует"},
		{token, map[string][]string{"token": {""}}, "token", "Токен состоит из цифр"},
		{token, map[string][]string{"token": {"99999999999"}}, "token", "Токен состоит из цифр"},
		{token, map[string][]string{"token": {"1"}}, "token", "Токен не действует. Получите новый"},
	} {
		status, page := s.posts(c.path, c.fields)
		if status != http.StatusUnprocessableEntity && status != http.StatusNotFound && status != http.StatusBadRequest || !strings.Contains(page, `id="wrong-`+c.field+`" role="alert">`+c.want) {
			t.Errorf("POST %s %v: %d, not %q beside %s in %s", c.path, c.fields, status, c.want, c.field, page)
		}
	}
	s.cut.Store(true)
	if status, page := s.posts(token, map[string][]string{"token": {fmt.Sprint(fresh)}}); status != http.StatusServiceUnavailable || !strings.Contains(page, `class="alarm"`) {
		t.Errorf("a token while the operator is away: %d %s", status, page)
	}
	s.cut.Store(false)
	if status, page := s.posts(token, map[string][]string{"token": {" " + fmt.Sprint(fresh) + " "}}); status != http.StatusSeeOther || !strings.HasPrefix(page, "/\n") {
		t.Errorf("the right token: %d %s", status, page)
	}
	if status, said := s.form(s.simple("after-token", "3")); status != http.StatusOK {
		t.Errorf("a sale with the new token: %d %+v", status, said)
	}
}

func containsAll(text string, want ...string) bool {
	for _, w := range want {
		if !strings.Contains(text, w) {
			return false
		}
	}
	return true
}

// unlock has the owner at the device.
func (s *shop) unlock() {
	s.t.Helper()
	if err := s.Unlock(s.t.Context(), s.seat(), core.Owner, "1234"); err != nil {
		s.t.Fatal(err)
	}
}

// delivered waits until nothing waits for the operator.
func (s *shop) delivered() {
	s.t.Helper()
	for end := time.Now().Add(time.Minute); ; time.Sleep(10 * time.Millisecond) {
		st, err := s.Standing(s.t.Context(), s.seat(), s.id)
		if err != nil {
			s.t.Fatal(err)
		}
		if st.Waiting == 0 {
			return
		}
		if time.Now().After(end) {
			s.t.Fatalf("not in a minute: the operator has everything; %d documents wait", st.Waiting)
		}
	}
}

// hold has somebody else write into the till's file, until release.
func (s *shop) hold() (release func()) {
	s.t.Helper()
	other, err := sqlitefile.Open(s.t.Context(), sqlitefile.Options{Path: s.path})
	if err != nil {
		s.t.Fatal(err)
	}
	begun, end, ended := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	go func() {
		ended <- other.Write(context.Background(), func(*sqlitefile.Tx) error {
			close(begun)
			<-end
			return nil
		})
	}()
	select {
	case <-begun:
	case err := <-ended:
		s.t.Fatalf("the file is not to be had: %v", err)
	}
	return func() {
		s.t.Helper()
		close(end)
		if err := <-ended; err != nil {
			s.t.Error(err)
		}
		if err := other.Close(); err != nil {
			s.t.Error(err)
		}
	}
}
