package web

import (
	"net/http"
	"strings"
	"testing"
)

// TestKeysWalk makes a key as a person does, shows it to the API, ends it, and
// looks at the pages of keys and of the reference.
func TestKeysWalk(t *testing.T) {
	h := newPrograms(t, Config{})
	b := newBrowser(t, "ru")
	b.look(t, "light", 1280)
	b.open(t, h.URL+"/signin?lang=ru")
	b.fill(t, map[string]string{"email": "owner@example.kz", "password": strong})
	b.open(t, h.URL+"/keys?lang=ru")
	b.fill(t, map[string]string{"key_name": "1С, головной офис"})
	if wrong := eval[string](t, b, `document.querySelector("#wrong-scopes")?.innerText ?? ""`); wrong != "Отметьте хотя бы одно право." {
		t.Errorf("without a right the form says %q", wrong)
	}
	eval[bool](t, b, `document.querySelector("[name=scope][value=see_status]").checked = true`)
	b.fill(t, map[string]string{"days": "30"})
	token := eval[string](t, b, `document.querySelector("[role=status] .code")?.innerText ?? ""`)
	b.complained() // of the form that was sent without a right
	b.faultless(t, "keys-made")
	if res, body := h.does(apiAsk{token: token, method: "GET", path: "/key"}); res.StatusCode != http.StatusOK || !strings.Contains(body, `"rights":["see_status"]`) || !strings.Contains(body, "головной") {
		t.Errorf("the key %q opens with %d %s", token, res.StatusCode, body)
	}
	h.looks(b, "keys", "/keys")
	b.open(t, h.URL+"/keys?lang=ru")
	if strings.Contains(eval[string](t, b, `document.documentElement.innerHTML`), token) {
		t.Error("a key is shown twice")
	}
	b.press(t, `document.querySelector("form[action='/keys/end'] button")`)
	if res, _ := h.does(apiAsk{token: token, method: "GET", path: "/key"}); res.StatusCode != http.StatusUnauthorized {
		t.Errorf("after its end the key opens with %d", res.StatusCode)
	}
	h.looks(b, "api", "/api")
	if n := eval[int](t, b, `document.querySelectorAll("details").length`); n < 50 {
		t.Errorf("the reference has %d operations", n)
	}
	eval[bool](t, b, `document.querySelectorAll("details").forEach(d => d.open = true), true`)
	b.faultless(t, "api-open")
}
