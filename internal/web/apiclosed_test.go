package web

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"openofd/internal/access"
	"openofd/internal/fiscal"
	"openofd/internal/registry"
	"openofd/internal/web/api"
)

// closed reports whether an answer refuses for want of a right, and of which.
func closed(res *http.Response, body string) (right string, ok bool) {
	var p api.Problem
	if res.StatusCode != http.StatusForbidden || json.Unmarshal([]byte(body), &p) != nil {
		return "", false
	}
	for _, r := range access.Rights() {
		if r.String() == p.Parameter {
			return p.Parameter, true
		}
	}
	return "", false
}

// has reports whether rights are enough for an operation.
func (op *described) has(r access.Right) bool {
	may := func(name string) bool {
		return slices.ContainsFunc(access.Rights(), func(one access.Right) bool { return one.String() == name && r&one != 0 })
	}
	for _, name := range op.Rights {
		if !may(name) {
			return false
		}
	}
	return len(op.Either) == 0 || slices.ContainsFunc(op.Either, may)
}

// TestAPIIsClosed asks every operation as nobody, as another organization, with
// each single right, with all rights but one, as each role and as who is limited
// to one outlet: each gets what the description says that their rights give, and
// nobody learns what is another's.
//
// Req: P-031, P-058, P-083, E-090, O-041, O-112
func TestAPIIsClosed(t *testing.T) {
	h := newPrograms(t, Config{CallsAtOnce: 100_000})
	d := h.description()
	kept := h.prepared()

	other := registry.Taxpayer{Country: fiscal.Kazakhstan, XIN: "220540013371", Title: fiscal.Text{RU: "Оспанов"}}
	stranger := h.person("stranger@example.kz", "Берік")
	if err := errors.Join(h.db.AddTaxpayer(t.Context(), &other), h.access.Found(t.Context(), &stranger, other.ID, "Оспанов")); err != nil {
		t.Fatal(err)
	}
	stranger = h.again(stranger)

	// Who asks: a key and what it may do.
	type asker struct {
		name, token string
		rights      access.Right
	}
	askers := []asker{{"everything", h.all, everything()}}
	for _, r := range access.Rights() {
		if r != access.ManageKeys {
			askers = append(askers, asker{"only " + r.String(), h.key(&h.owner, r), r}, asker{"all but " + r.String(), h.key(&h.owner, everything()&^r), everything() &^ r})
		}
	}
	for _, role := range access.Roles()[2:] { // an owner and an administrator may everything
		who := h.person("as-"+string(role)+"@example.kz", "Кто-то")
		if err := errors.Join(h.access.Invite(t.Context(), &h.owner, who.User.Email, access.Administrator, nil, "Казына", "ru"), h.access.Join(t.Context(), &who, h.shop.ID)); err != nil {
			t.Fatal(err)
		}
		who = h.again(who)
		token := h.key(&who, everything())
		if err := h.access.SetRole(t.Context(), &h.owner, who.User.ID, role, nil); err != nil {
			t.Fatal(err)
		}
		askers = append(askers, asker{"a key of a former administrator, now " + string(role), token, role.Rights()})
	}
	theirs := h.key(&stranger, everything())
	limited := h.key(&h.owner, everything(), h.outlets[1].ID)

	for _, s := range h.samples() {
		op, ok := d.find(s.op)
		if !ok {
			t.Fatalf("%s is not described", s.op)
		}
		ask := apiAsk{method: s.method, path: filled(s.path, kept), body: filled(s.body, kept)}
		res, body := h.does(ask)
		if res.StatusCode != http.StatusUnauthorized || res.Header.Get("WWW-Authenticate") == "" || strings.Contains(body, "Тайная") {
			t.Errorf("%s %s answers nobody with %d %s", s.method, ask.path, res.StatusCode, body)
		}
		own := ask // what they make themselves is called otherwise
		own.token, own.body = theirs, strings.NewReplacer("Тайная", "Своя", "Казына", "Оспанов", "New@", "their@").Replace(ask.body)
		if res, body = h.does(own); res.StatusCode != s.hidden {
			t.Errorf("%s %s answers another organization with %d, want %d: %s", s.method, ask.path, res.StatusCode, s.hidden, body)
		}
		if strings.Contains(body, "Тайная") || strings.Contains(body, "secret") || strings.Contains(body, "Казына") {
			t.Errorf("%s %s tells another organization: %s", s.method, ask.path, body)
		}
		ask.token = limited
		if res, body = h.does(ask); strings.Contains(ask.path, fmt.Sprintf("/%d/", h.tills[0].Register)) && res.StatusCode != http.StatusNotFound {
			t.Errorf("%s %s answers who is limited to another outlet with %d: %s", s.method, ask.path, res.StatusCode, body)
		}
		if s.method == http.MethodGet && (strings.Contains(body, `"outlet":1,`) || strings.Contains(body, "Супермаркет") || strings.Contains(body, "Тайная")) && !strings.HasPrefix(s.op, "audit") && s.op != "groups" {
			t.Errorf("%s %s tells who is limited to another outlet: %s", s.method, ask.path, body)
		}
		if strings.HasSuffix(s.op, "-xlsx") { // opened as the same list's CSV
			continue
		}
		for _, who := range askers {
			if lacks, ok := strings.CutPrefix(who.name, "all but "); ok && !slices.Contains(slices.Concat(op.Rights, op.Either), lacks) {
				continue
			}
			ask.token = who.token
			res, body := h.does(ask)
			right, shut := closed(res, body)
			if res.StatusCode == http.StatusUnauthorized || res.StatusCode >= 500 || shut == op.has(who.rights) {
				t.Errorf("%s %s answers %s with %d (%s), want it open: %v: %s", s.method, ask.path, who.name, res.StatusCode, right, op.has(who.rights), body)
			}
		}
	}
}

// prepared makes what samples speak of, and keeps its IDs.
func (h *programs) prepared() map[string]string {
	h.Helper()
	victim := h.person("victim@example.kz", "Кто-то")
	if err := errors.Join(h.access.Invite(h.Context(), &h.owner, victim.User.Email, access.Viewer, nil, "Казына", "ru"), h.access.Join(h.Context(), &victim, h.shop.ID)); err != nil {
		h.Fatal(err)
	}
	kept := map[string]string{"victim": fmt.Sprint(victim.User.ID), "form": `{"name":"Зал"}`, "draft": "1"}
	for _, s := range h.samples() {
		if s.keep == "" || s.op == "application-again" {
			continue
		}
		res, body := h.does(apiAsk{token: h.all, method: s.method, path: filled(s.path, kept), body: filled(s.body, kept)})
		var got struct{ ID int64 }
		if err := json.Unmarshal([]byte(body), &got); err != nil || res.StatusCode >= 300 {
			h.Fatalf("%s = %d %s", s.op, res.StatusCode, body)
		}
		kept[s.keep] = fmt.Sprint(got.ID)
	}
	return kept
}

// TestAPIDoor shows what every call has in common: keys that open nothing,
// measures, bodies, problems, names, states.
func TestAPIDoor(t *testing.T) {
	h := newPrograms(t, Config{CallsAtOnce: 12, CallsPerSecond: 0.001})
	problem := func(what string, res *http.Response, body string, status int, reason, parameter string) api.Problem {
		t.Helper()
		var p api.Problem
		if err := json.Unmarshal([]byte(body), &p); err != nil || res.StatusCode != status || p.Status != status || p.Reason != reason || p.Parameter != parameter || p.Title == "" ||
			res.Header.Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s = %d %s, want %d %s (%s)", what, res.StatusCode, body, status, reason, parameter)
		}
		return p
	}
	fresh := func(r access.Right) string { return h.key(&h.owner, r) }

	t.Run("once", func(t *testing.T) {
		token := fresh(everything())
		ask := apiAsk{token: token, method: "POST", path: "/groups", body: `{"title":"A"}`, header: []string{"Idempotency-Key", "n-1"}}
		first, one := h.does(ask)
		second, two := h.does(ask)
		if first.StatusCode != 201 || second.StatusCode != 201 || one != two || second.Header.Get("Idempotent-Replayed") != "true" ||
			second.Header.Get("Location") != first.Header.Get("Location") || first.Header.Get("Location") == "" {
			t.Errorf("once %d %s, again %d %s", first.StatusCode, one, second.StatusCode, two)
		}
		ask.body = `{"title":"B"}`
		res, body := h.does(ask)
		problem("another request by the name", res, body, 409, "retry_differs", "Idempotency-Key")
		ask.header[1] = "n-2"
		ask.body = `{"title":"A"}`
		res, body = h.does(ask)
		problem("a second one of the title", res, body, 409, "already_there", "title")
		ask.body = `{"title":"C"}` // what was refused leaves its name free
		if res, body = h.does(ask); res.StatusCode != 201 {
			t.Errorf("after a refusal = %d %s", res.StatusCode, body)
		}
		ask.header[1] = "two words"
		res, body = h.does(ask)
		problem("a name that is none", res, body, 400, "bad_value", "Idempotency-Key")
		ask.token, ask.header[1] = fresh(everything()), "n-1"
		ask.body = `{"title":"D"}`
		if res, body = h.does(ask); res.StatusCode != 201 {
			t.Errorf("the name with another key = %d %s", res.StatusCode, body)
		}
	})
	t.Run("states", func(t *testing.T) {
		token := fresh(everything())
		res, body := h.does(apiAsk{token: token, method: "GET", path: "/outlets/1"})
		var o map[string]any
		if err := json.Unmarshal([]byte(body), &o); err != nil {
			t.Fatal(err)
		}
		delete(o, "id")
		delete(o, "address_text")
		o["latitude"] = 43.2
		change, err := json.Marshal(o)
		if err != nil {
			t.Fatal(err)
		}
		ask := apiAsk{token: token, method: "PUT", path: "/outlets/1", body: string(change), header: []string{"If-Match", res.Header.Get("ETag")}}
		if res, body = h.does(ask); res.StatusCode != 200 || res.Header.Get("ETag") == ask.header[1] {
			t.Errorf("a change of the state that was seen = %d %s", res.StatusCode, body)
		}
		res, body = h.does(ask)
		problem("a change of an older state", res, body, 412, "none", "If-Match")
		ask.header = nil
		if res, body = h.does(ask); res.StatusCode != 200 {
			t.Errorf("a change of whatever state = %d %s", res.StatusCode, body)
		}
	})
	t.Run("forms", func(t *testing.T) {
		token := fresh(everything())
		for _, tt := range []struct {
			what              string
			ask               apiAsk
			status            int
			reason, parameter string
		}{
			{"a field of another type", apiAsk{method: "POST", path: "/groups", body: `{"title":7}`}, 422, "bad_value", "title"},
			{"a field that is missing", apiAsk{method: "POST", path: "/groups", body: `{}`}, 422, "missing_parameter", "title"},
			{"a field that is empty", apiAsk{method: "POST", path: "/groups", body: `{"title":" "}`}, 422, "missing_parameter", "title"},
			{"no JSON", apiAsk{method: "POST", path: "/groups", body: `{`}, 400, "bad_form", "body"},
			{"a parameter that cannot be", apiAsk{method: "GET", path: "/receipts?from=today"}, 422, "bad_value", "from"},
			{"a limit that cannot be", apiAsk{method: "GET", path: "/receipts?limit=1000"}, 422, "bad_value", "limit"},
			{"a place that is none", apiAsk{method: "GET", path: "/receipts?after=x"}, 422, "bad_value", "after"},
			{"many days", apiAsk{method: "GET", path: "/sums?from=2025-01-01&until=2026-01-01"}, 422, "bad_value", "until"},
			{"an address that is none", apiAsk{method: "GET", path: "/nothing"}, 404, "nothing_there", ""},
			{"a method that is none", apiAsk{method: "DELETE", path: "/outlets"}, 405, "unsupported_command", ""},
			{"a body that is too large", apiAsk{method: "POST", path: "/groups", body: `{"title":"` + strings.Repeat("a", 70_000) + `"}`}, 413, "bad_form", "body"},
		} {
			tt.ask.token, tt.ask.header = token, []string{"Accept-Language", "kk"}
			res, body := h.does(tt.ask)
			p := problem(tt.what, res, body, tt.status, tt.reason, tt.parameter)
			if tt.status == 422 && (len(p.Fields) != 1 || p.Fields[0].Field != tt.parameter || p.Fields[0].Title == "") || res.Header.Get("Content-Language") != "kk" {
				t.Errorf("%s = %s in %q", tt.what, body, res.Header.Get("Content-Language"))
			}
		}
		if res, body := h.does(apiAsk{token: token, method: "GET", path: "/audit"}); res.StatusCode != 200 {
			t.Errorf("the last of the measure = %d %s", res.StatusCode, body)
		}
		res, body := h.does(apiAsk{token: token, method: "GET", path: "/audit"})
		problem("one more than the measure", res, body, 429, "rate_limited", "")
		if res.Header.Get("Retry-After") == "" || res.Header.Get("RateLimit-Remaining") != "0" || res.Header.Get("RateLimit-Limit") != "12" {
			t.Errorf("beyond the measure the headers are %v", res.Header)
		}
	})
	t.Run("keys", func(t *testing.T) {
		ended, k, err := h.access.MakeKey(t.Context(), &h.owner, access.NewKey{Name: "x", Scopes: access.SeeStatus, Ends: time.Now().Add(time.Hour)})
		if err != nil {
			t.Fatal(err)
		}
		if res, _ := h.does(apiAsk{token: ended, method: "GET", path: "/outlets"}); res.StatusCode != 200 {
			t.Errorf("a key opens with %d", res.StatusCode)
		}
		if err := h.access.EndKey(t.Context(), &h.owner, k.ID); err != nil {
			t.Fatal(err)
		}
		session, _, err := h.access.SignIn(t.Context(), "owner@example.kz", strong, access.Visit{Address: "192.0.2.7"})
		if err != nil {
			t.Fatal(err)
		}
		for what, ask := range map[string]apiAsk{
			"an ended key": {token: ended}, "another's session as a key": {token: session}, "nonsense": {token: "ofd_x"},
			"a session's cookie": {header: []string{"Cookie", "ofd_session=" + session}},
		} {
			ask.method, ask.path = "GET", "/outlets"
			res, body := h.does(ask)
			problem(what, res, body, 401, "none", "key")
		}
		var res *http.Response
		var body string
		for range 40 { // until guessing is over
			res, body = h.does(apiAsk{token: "ofd_" + strings.Repeat("A", 43), method: "GET", path: "/outlets"})
		}
		problem("many guesses", res, body, 429, "rate_limited", "")
	})
}
