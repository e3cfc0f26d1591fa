package web

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"openofd/internal/access"
)

// linksHold holds the answers of every operation without a key against the
// description, and shows who gets what place: the person who trades alone by
// their signature, a technician by an invitation, others nothing. Their keys may
// what they may.
//
// Req: E-033, E-039, E-044, E-047, P-090
func linksHold(t *testing.T, h *programs, d description, called map[string]bool) {
	all := schemas()
	ask := func(want int, op, method, path, body string) (answer struct{ Key, Role, Content, Date, XIN string }) {
		t.Helper()
		res, text := h.does(apiAsk{method: method, path: path, body: body})
		if res.StatusCode != want {
			t.Fatalf("%s = %d %s, want %d", op, res.StatusCode, text, want)
		}
		described, _ := d.find(op)
		status := fmt.Sprint(res.StatusCode)
		if res.StatusCode >= 300 {
			status = "default"
		} else {
			called[op] = true
		}
		content, ok := described.Responses[status].Content[res.Header.Get("Content-Type")]
		if !ok {
			t.Fatalf("%s answers %d %s, which is not described", op, res.StatusCode, res.Header.Get("Content-Type"))
		}
		if content.Schema.Ref == "" {
			answer.Content = text
			return answer
		}
		for _, err := range breaks(all, content.Schema.Ref, text) {
			t.Errorf("%s breaks its description: %v in %s", op, err, text)
		}
		if err := json.Unmarshal([]byte(text), &answer); err != nil {
			t.Fatal(err)
		}
		return answer
	}
	rights := func(key string) string {
		t.Helper()
		_, body := h.does(apiAsk{token: key, method: "GET", path: "/key"})
		var k struct{ Rights []string }
		if err := json.Unmarshal([]byte(body), &k); err != nil {
			t.Fatal(err)
		}
		return strings.Join(k.Rights, " ")
	}
	signed := func(email, more string) string {
		return fmt.Sprintf(`{"email":%q,"language":"ru","date":%q,"signature":"AQID"%s}`, email, time.Now().UTC().Format(time.DateOnly), more)
	}

	const trader = "trader@example.kz"
	offer := ask(200, "link-ask", "POST", "/links", fmt.Sprintf(`{"email":%q,"language":"ru"}`, trader))
	text := ask(200, "link-content", "GET", "/links/content?email="+trader+"&language=ru&date="+offer.Date, "")
	if !strings.Contains(text.Content, trader) {
		t.Errorf("what is signed does not name %s", trader)
	}
	if who := ask(200, "link-examine", "POST", "/links/examination", signed(trader, "")); who.XIN != string(h.shop.XIN) {
		t.Errorf("whose signature: %+v", who)
	}
	ask(422, "link", "POST", "/links/signature", signed(trader, `,"code":"000000","name":"Әсел","program":"Till"`))
	// Whatever is wrong is said before the code is used up.
	ask(422, "link", "POST", "/links/signature", signed(trader, fmt.Sprintf(`,"code":%q,"name":"Әсел","program":"  "`, h.code(trader))))
	l := ask(201, "link", "POST", "/links/signature", signed(trader, fmt.Sprintf(`,"code":%q,"name":"Әсел","program":"Till"`, h.code(trader))))
	if want := "see_status see_documents edit_organization edit_outlets edit_registers issue_token apply"; l.Role != "administrator" || rights(l.Key) != want {
		t.Errorf("who trades alone is %s, and their key may %s; want %s", l.Role, rights(l.Key), want)
	}

	const helper = "helper@example.kz"
	ask(200, "link-ask", "POST", "/links", fmt.Sprintf(`{"email":%q,"language":"kk"}`, helper))
	code := h.code(helper)
	joins := func(xin string) string {
		return fmt.Sprintf(`{"email":%q,"language":"kk","country":"kz","xin":%q,"code":%q,"name":"Берік","program":"Till"}`, helper, xin, code)
	}
	ask(404, "link-invited", "POST", "/links/invitation", joins(string(h.shop.XIN)))
	if err := h.access.Invite(t.Context(), &h.owner, helper, access.Technician, nil, "Казына", "kk"); err != nil {
		t.Fatal(err)
	}
	ask(404, "link-invited", "POST", "/links/invitation", joins("190340024183")) // nobody's
	ask(422, "link-invited", "POST", "/links/invitation", strings.Replace(joins(string(h.shop.XIN)), "Till", `\u0007`, 1))
	l = ask(201, "link-invited", "POST", "/links/invitation", joins(string(h.shop.XIN)))
	if want := "see_status edit_registers issue_token"; l.Role != "technician" || rights(l.Key) != want {
		t.Errorf("who is invited is %s, and their key may %s; want %s", l.Role, rights(l.Key), want)
	}
	if res, _ := h.does(apiAsk{token: l.Key, method: "GET", path: "/receipts"}); res.StatusCode != http.StatusForbidden {
		t.Errorf("a technician's till sees receipts: %d", res.StatusCode)
	}
}
