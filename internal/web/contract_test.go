package web

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"openofd/internal/access"
	"openofd/internal/cabinet"
	"openofd/internal/cabinet/compare"
	"openofd/internal/fiscal"
	"openofd/internal/registry"
	"openofd/internal/web/api"
	"openofd/internal/web/ui"
)

// schemas are those of everything that the API offers.
func schemas() huma.Registry {
	return api.New(api.Config{Access: &access.Service{}, Office: &registry.Office{}, Questions: &cabinet.Questions{}, Comparer: &compare.Comparer{}}).OpenAPI().Components.Schemas
}

// breaks lists how a JSON text breaks a schema of ours.
func breaks(all huma.Registry, ref, body string) []error {
	var value any
	if err := json.Unmarshal([]byte(body), &value); err != nil {
		return []error{err}
	}
	var result huma.ValidateResult
	huma.Validate(all, all.SchemaFromRef(ref), huma.NewPathBuffer(nil, 0), huma.ModeReadFromServer, value, &result)
	return result.Errors
}

// TestAPIContract calls every operation of the API against a real server and
// holds each answer against the description that the server itself gives, which
// does not change unnoticed. Then it does what docs/api.md tells to do.
//
// Req: P-070, P-085, P-089, P-090
func TestAPIContract(t *testing.T) {
	h := newPrograms(t, Config{CallsAtOnce: 10_000})
	victim := h.person("victim@example.kz", "Кто-то")
	if err := errors.Join(h.access.Invite(t.Context(), &h.owner, victim.User.Email, access.Viewer, nil, "Казына", "ru"), h.access.Join(t.Context(), &victim, h.shop.ID)); err != nil {
		t.Fatal(err)
	}
	d, all := h.description(), schemas()
	locales, err := ui.LoadLocales()
	if err != nil {
		t.Fatal(err)
	}
	kept := map[string]string{"victim": fmt.Sprint(victim.User.ID)}
	called := map[string]bool{"check": true} // see TestContract
	for _, s := range h.samples() {
		if s.op == "application-again" {
			h.refuse(kept["application"])
		}
		res, body := h.does(apiAsk{token: h.all, method: s.method, path: filled(s.path, kept), body: filled(s.body, kept)})
		if res.StatusCode != s.want {
			t.Errorf("%s %s = %d, want %d: %s", s.method, filled(s.path, kept), res.StatusCode, s.want, body)
		}
		op, ok := d.find(s.op)
		if !ok {
			t.Errorf("%s is not described", s.op)
			continue
		}
		called[s.op] = called[s.op] || res.StatusCode < 300
		if res.Header.Get("RateLimit-Remaining") == "" {
			t.Errorf("%s does not say what is left", s.op)
		}
		if res.StatusCode == http.StatusNoContent {
			continue
		}
		described, ok := op.Responses[strconv.Itoa(res.StatusCode)]
		if !ok {
			described = op.Responses["default"]
		}
		content, ok := described.Content[res.Header.Get("Content-Type")]
		if !ok {
			t.Errorf("%s answers %d %s, which is not described", s.op, res.StatusCode, res.Header.Get("Content-Type"))
			continue
		}
		if content.Schema.Ref == "" {
			if len(body) == 0 {
				t.Errorf("%s gives an empty file", s.op)
			}
			continue
		}
		for _, err := range breaks(all, content.Schema.Ref, body) {
			t.Errorf("%s breaks its description: %v in %s", s.op, err, body)
		}
		var got struct {
			ID   int64          `json:"id"`
			Form map[string]any `json:"form"`
		}
		if err := json.Unmarshal([]byte(body), &got); err == nil && s.keep != "" {
			kept[s.keep] = strconv.FormatInt(got.ID, 10)
		}
		if s.op == "application" {
			got.Form["connection"] = "wired" // all that is missing
			form, err := json.Marshal(got.Form)
			if err != nil {
				t.Fatal(err)
			}
			kept["form"] = string(form)
		}
	}
	t.Run("links", func(t *testing.T) { linksHold(t, h, d, called) })
	for path, ops := range d.Paths {
		for method, op := range ops {
			if op.Summary == "" || strings.HasPrefix(op.Summary, "api.") {
				t.Errorf("%s has no words", op.OperationID)
			}
			for _, tag := range op.Tags {
				if !locales["kk"].Has("api.tag." + tag) {
					t.Errorf("the part %s has no words", tag)
				}
			}
			if !called[op.OperationID] {
				t.Errorf("%s %s (%s) was never called with success", method, path, op.OperationID)
			}
			for _, p := range op.Parameters {
				if p.Description == "" && p.In == "query" && !strings.HasSuffix(path, "csv") && !strings.HasSuffix(path, "xlsx") {
					t.Errorf("%s: parameter %s is not described", op.OperationID, p.Name)
				}
			}
		}
	}
	_, text := h.does(apiAsk{method: "GET", path: "/openapi.yaml"})
	golden(t, "openapi.golden.yaml", text)
	t.Run("quick start", func(t *testing.T) { quickStart(t, h) })
	t.Run("nomenclature", func(t *testing.T) { readNomenclature(t, h) })
}

// refuse decides an application as an authority would.
func (h *programs) refuse(id string) {
	h.Helper()
	n, err := strconv.ParseInt(id, 10, 64)
	if err != nil {
		h.Fatal(err)
	}
	a, _, err := h.db.ApplicationOf(h.Context(), h.shop.ID, registry.ApplicationID(n))
	for _, status := range []registry.ApplicationStatus{registry.Waiting, registry.Refused} {
		if err == nil {
			a.Status, a.Why = status, fiscal.Text{RU: "Нет такой модели"}
			err = h.db.SetApplication(h.Context(), &a, registry.ApplicationEvent{At: time.Now(), What: registry.WasRefused, Status: status})
		}
	}
	if err != nil {
		h.Fatal(err)
	}
}

// TestContract holds real answers against the description that the door
// itself serves.
//
// Req: U-12, U-15
func TestContract(t *testing.T) {
	s := door(t, Config{ChecksAtOnce: 30, MissCost: 1}, newShop(t))
	res, body := get(t, s, "/api/v1/openapi.json")
	if res.StatusCode != http.StatusOK {
		t.Fatalf("the description = %d", res.StatusCode)
	}
	var d description
	if err := json.Unmarshal([]byte(body), &d); err != nil {
		t.Fatal(err)
	}
	checked := d.Paths["/api/v1/check"]["get"]
	if len(checked.Responses) == 0 {
		t.Fatal("the check is not described")
	}
	for _, p := range checked.Parameters {
		if p.Description == "" {
			t.Errorf("parameter %s is not described", p.Name)
		}
	}
	all := schemas()
	asks := map[string]string{"missing": "i=1", "wrong": "i=x&f=y&s=z&t=w"}
	for name, q := range queries(t) {
		asks[name] = q
	}
	verify := func(name, path string, res *http.Response, body string) {
		t.Helper()
		described := checked.Responses[strconv.Itoa(res.StatusCode)].Content[res.Header.Get("Content-Type")].Schema
		if described.Ref == "" {
			t.Errorf("%s: GET %s answers %d %s, which is not described", name, path, res.StatusCode, res.Header.Get("Content-Type"))
			return
		}
		for _, err := range breaks(all, described.Ref, body) {
			t.Errorf("%s: GET %s breaks its description: %v", name, path, err)
		}
	}
	for name, q := range asks {
		for _, path := range []string{"/api/v1/check?" + q, "/check?" + q} {
			res, body := get(t, s, path, "Accept", "application/json")
			verify(name, path, res, body)
		}
	}
	for range 40 { // until it is too much
		res, body = get(t, s, "/api/v1/check?"+queries(t)["sale"])
	}
	if res.StatusCode != http.StatusTooManyRequests {
		t.Errorf("too many checks = %d", res.StatusCode)
	}
	verify("too many", "/api/v1/check", res, body)
	down := door(t, Config{}, &shop{fails: &fiscal.Error{Reason: fiscal.StoreDown}})
	res, body = get(t, down, "/api/v1/check?"+queries(t)["sale"])
	verify("down", "/api/v1/check", res, body)
}

// TestContractNotices shows that the test above can fail: an answer that breaks
// its schema is found out.
func TestContractNotices(t *testing.T) {
	all := schemas()
	for _, body := range []string{`{"verdict":"maybe","message":"x"}`, `{"verdict":"none"}`, `{"verdict":"none","message":"x","differs":["q"]}`} {
		if len(breaks(all, "#/components/schemas/CheckResult", body)) == 0 {
			t.Errorf("%s passes for a check's answer", body)
		}
	}
}

// TestGoldenAPI: names and meanings of version 1 do not change unnoticed.
func TestGoldenAPI(t *testing.T) {
	s := door(t, Config{ChecksAtOnce: 1000}, newShop(t))
	for _, name := range []string{"sale", "taxi", "returned", "scrap", "differs", "not_yet", "none",
		"ru-sale", "ru-marked", "ru-internet", "ru-hotel", "ru-prepaid", "ru-correction", "ru-old", "ru-differs"} {
		_, body := get(t, s, "/api/v1/check?lang=ru&"+queries(t)[name])
		var value any
		if err := json.Unmarshal([]byte(body), &value); err != nil {
			t.Fatal(err)
		}
		pretty := new(strings.Builder)
		e := json.NewEncoder(pretty)
		e.SetEscapeHTML(false)
		e.SetIndent("", "  ")
		if err := e.Encode(value); err != nil {
			t.Fatal(err)
		}
		golden(t, name+".golden.json", pretty.String())
	}
}
