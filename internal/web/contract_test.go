package web

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/danielgtaylor/huma/v2"

	"openofd/internal/fiscal"
	"openofd/internal/web/api"
)

// description is what a program reads of the API, with its schemas resolved.
type description struct {
	Paths map[string]map[string]struct {
		Parameters []struct{ Name, In, Description string }
		Responses  map[string]struct {
			Content map[string]struct {
				Schema struct {
					Ref string `json:"$ref"`
				}
			}
		}
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
	registry := api.New(newShop(t), operator, nil, nil).OpenAPI().Components.Schemas

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
		var value any
		if err := json.Unmarshal([]byte(body), &value); err != nil {
			t.Fatalf("%s: %v in %s", name, err, body)
		}
		var result huma.ValidateResult
		huma.Validate(registry, registry.SchemaFromRef(described.Ref), huma.NewPathBuffer(nil, 0), huma.ModeReadFromServer, value, &result)
		for _, err := range result.Errors {
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
	registry := api.New(newShop(t), operator, nil, nil).OpenAPI().Components.Schemas
	for _, body := range []string{`{"verdict":"maybe","message":"x"}`, `{"verdict":"none"}`, `{"verdict":"none","message":"x","differs":["q"]}`} {
		var value any
		if err := json.Unmarshal([]byte(body), &value); err != nil {
			t.Fatal(err)
		}
		var result huma.ValidateResult
		huma.Validate(registry, registry.Map()["CheckResult"], huma.NewPathBuffer(nil, 0), huma.ModeReadFromServer, value, &result)
		if len(result.Errors) == 0 {
			t.Errorf("%s passes for a check's answer", body)
		}
	}
}

// TestGoldenAPI: names and meanings of version 1 do not change unnoticed.
func TestGoldenAPI(t *testing.T) {
	s := door(t, Config{ChecksAtOnce: 1000}, newShop(t))
	_, description := get(t, s, "/api/v1/openapi.yaml")
	golden(t, "openapi.golden.yaml", description)
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
