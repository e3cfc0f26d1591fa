package web

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"openofd/internal/access"
	"openofd/internal/cabinet"
	"openofd/internal/fiscal"
	"openofd/internal/intake"
	"openofd/internal/journal"
	"openofd/internal/keyring"
	"openofd/internal/protocol/kkm"
	"openofd/internal/registry"
	"openofd/internal/signature"
	"openofd/internal/web/room"
)

// programs is a trade whose owner has an office too, and to which programs come.
type programs struct {
	*trade
	owner access.Actor
	all   string // token of a key of the owner's with every right that a key can have
}

// everything is what a key can do.
func everything() (all access.Right) {
	for _, r := range access.Rights() {
		all |= r
	}
	return all
}

// newPrograms is a door with all of the API behind it.
func newPrograms(t *testing.T, cfg Config) *programs {
	t.Helper()
	h := &programs{trade: newTrade(t)}
	quiet := slog.New(slog.DiscardHandler)
	keys, err := keyring.Open(t.Context(), h.db, filepath.Join(t.TempDir(), "master.key"), true, time.Now, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	committer := journal.New(journal.Config{}, h.db, quiet, nil, time.Now)
	go committer.Run(context.Background())
	t.Cleanup(committer.Stop)
	rules := &kkm.Rules{Limits: func(fiscal.WallTime) kkm.Limits { return kkm.Limits{Shift: 24 * time.Hour, Offline: 72 * time.Hour} }}
	in := intake.New(intake.Config{}, h.db, committer, rules, keys, &fiscal.Operator{}, quiet, nil, time.Now, rand.Reader)
	judge := ready{signature.Owner{Country: "kz", Name: "ЖҰМАБЕКОВА ӘСЕЛ", IIN: h.shop.XIN, Role: signature.RolePerson, Issuer: "Test", Key: signature.KeyRSA}}
	h.office = registry.NewOffice(registry.New(h.db, in, time.Now), h.db, h.access, judge, operator, time.Now)
	cfg.Rooms = Rooms{Access: h.access, Known: h, Zone: time.FixedZone("UTC+5", 5*3600), Office: h.office, Documents: room.Documents{
		Questions: cabinet.NewQuestions(h.db, h.read), Outlets: h.db.Outlets, Now: func() time.Time { return tradeDay.Add(2 * time.Hour) },
		AsOf: func(context.Context) (time.Time, error) { return time.Time{}, nil },
	}}
	handler, err := New(cfg, newShop(t), operator, slog.New(slog.NewTextHandler(t.Output(), nil)), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	h.Server.Close()
	h.Server = httptest.NewServer(handler)
	t.Cleanup(h.Server.Close)

	h.enters("owner@example.kz", access.Owner)
	h.owner = h.again(access.Actor{User: access.User{Email: "owner@example.kz"}})
	place := registry.Address{Region: "75", Locality: "Алматы", Street: "Толе би", House: "59"}
	err = errors.Join(
		h.db.AddContract(t.Context(), &registry.Contract{Taxpayer: h.shop.ID, At: time.Now(), Kind: registry.ContractSigned, By: "owner@example.kz", Content: []byte("secret text"), Signature: []byte{1},
			Owner: &signature.Owner{IIN: h.shop.XIN, Serial: "0a", Issuer: "Test"}, Verdict: &registry.Verdict{}}),
		h.office.SetDetails(t.Context(), &h.owner, registry.Details{Title: h.shop.Title, Address: place}))
	for i := range h.outlets {
		o := &h.outlets[i]
		o.Where = place
		err = errors.Join(err, h.office.PutOutlet(t.Context(), &h.owner, o))
	}
	if err != nil {
		t.Fatal(err)
	}
	h.all = h.key(&h.owner, everything())
	return h
}

// key makes a key of an actor's.
func (h *programs) key(a *access.Actor, scopes access.Right, outlets ...fiscal.OutletID) string {
	h.Helper()
	token, _, err := h.access.MakeKey(h.Context(), a, access.NewKey{Name: "test", Scopes: scopes, Outlets: outlets, Ends: time.Now().Add(time.Hour)})
	if err != nil {
		h.Fatal(err)
	}
	return token
}

// apiAsk is what a program asks.
type apiAsk struct {
	token, method, path, body string
	header                    []string // names and values
}

// does asks as a program.
func (h *programs) does(a apiAsk) (*http.Response, string) {
	h.Helper()
	r, err := http.NewRequestWithContext(h.Context(), a.method, h.URL+"/api/v1"+a.path, strings.NewReader(a.body))
	if err != nil {
		h.Fatal(err)
	}
	if a.body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	if a.token != "" {
		r.Header.Set("Authorization", "Bearer "+a.token)
	}
	for i := 0; i+1 < len(a.header); i += 2 {
		r.Header.Set(a.header[i], a.header[i+1])
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		h.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		h.Fatal(err)
	}
	return res, string(body)
}

// description is what a program reads of the API.
type description struct {
	Paths map[string]map[string]described
}

type described struct {
	OperationID string
	Summary     string
	Tags        []string
	Parameters  []struct{ Name, In, Description string }
	Responses   map[string]struct {
		Content map[string]struct {
			Schema struct {
				Ref string `json:"$ref"`
			}
		}
	}
	Security []map[string][]string
	Rights   []string `json:"x-rights"`
	Either   []string `json:"x-either-right"`
}

func (h *programs) description() (d description) {
	h.Helper()
	res, body := h.does(apiAsk{method: "GET", path: "/openapi.json"})
	if err := json.Unmarshal([]byte(body), &d); err != nil || res.StatusCode != http.StatusOK {
		h.Fatalf("the description = %d, %v", res.StatusCode, err)
	}
	return d
}

// find is the operation with an ID.
func (d description) find(id string) (described, bool) {
	for _, ops := range d.Paths {
		for _, op := range ops {
			if op.OperationID == id {
				return op, true
			}
		}
	}
	return described{}, false
}

// apiCall is a call of an operation. {names} stand for values that were kept from
// answers before: with keep the ID of the answer is kept under that name.
type apiCall struct {
	op, method, path, body string
	want                   int
	keep                   string
	hidden                 int // what another organization gets
}

// samples call every operation of the API in an order in which all succeed.
func (h *programs) samples() []apiCall {
	const place = `"address":{"region":"75","locality":"Алматы","street":"Абая","house":"10"}`
	till := fmt.Sprint(h.tills[0].Register)
	doc := "/documents/" + till + "/"
	all := []apiCall{
		{op: "key", method: "GET", path: "/key", want: 200, hidden: 200},
		{op: "organization", method: "GET", path: "/organization", want: 200, hidden: 200},
		{op: "organization-change", method: "PUT", path: "/organization", body: `{"title":{"ru":"ТОО «Казына»"},"vat_percent":"16",` + place + `}`, want: 200, hidden: 200},
		{op: "contracts", method: "GET", path: "/contracts", want: 200, hidden: 200},
		{op: "contract", method: "GET", path: "/contracts/1", want: 200, hidden: 404},
		{op: "contract-content", method: "GET", path: "/contracts/1/content", want: 200, hidden: 404},
		{op: "contract-signature", method: "GET", path: "/contracts/1/signature", want: 200, hidden: 404},
		{op: "outlet-add", method: "POST", path: "/outlets", body: `{"title":{"ru":"Тайная точка"},"latitude":43.222,` + place + `}`, want: 201, keep: "outlet", hidden: 201},
		{op: "outlets", method: "GET", path: "/outlets", want: 200, hidden: 200},
		{op: "outlet", method: "GET", path: "/outlets/{outlet}", want: 200, hidden: 404},
		{op: "outlet-change", method: "PUT", path: "/outlets/{outlet}", body: `{"title":{"ru":"Тайная точка 2"},` + place + `}`, want: 200, hidden: 404},
		{op: "group-add", method: "POST", path: "/groups", body: `{"title":"Тайная группа"}`, want: 201, keep: "group", hidden: 201},
		{op: "groups", method: "GET", path: "/groups", want: 200, hidden: 200},
		{op: "group-change", method: "PUT", path: "/groups/{group}", body: `{"title":"Тайная группа 2"}`, want: 200, hidden: 404},
		{op: "register-add", method: "POST", path: "/registers", body: `{"outlet":{outlet},"name":"Зал","model":"ПОРТ DPG-25 ФKZ","serial_number":"SWK1","manufacture_year":2024}`, want: 201, keep: "register", hidden: 404},
		{op: "registers", method: "GET", path: "/registers?status=new&outlet={outlet}&sort=name&q=swk", want: 200, hidden: 200},
		{op: "register-arrange", method: "PUT", path: "/registers/{register}", body: `{"name":"Зал 2","group":{group}}`, want: 200, hidden: 404},
		{op: "register", method: "GET", path: "/registers/{register}", want: 200, hidden: 404},
		{op: "register-cards", method: "GET", path: "/registers/{register}/cards", want: 200, hidden: 404},
		{op: "register-token", method: "POST", path: "/registers/{register}/token", want: 200, hidden: 404},
		{op: "models", method: "GET", path: "/models?country=kz&limit=5", want: 200, hidden: 200},
		{op: "regions", method: "GET", path: "/regions?country=kz", want: 200, hidden: 200},
		{op: "nomenclature", method: "GET", path: "/nomenclature?limit=2", want: 200, hidden: 200},
		{op: "application-add", method: "POST", path: "/applications", body: `{"register":{register},"kind":"register"}`, want: 201, keep: "application", hidden: 404},
		{op: "applications", method: "GET", path: "/applications?status=draft", want: 200, hidden: 200},
		{op: "application", method: "GET", path: "/applications/{application}", want: 200, hidden: 404},
		{op: "application-change", method: "PUT", path: "/applications/{application}", body: "{form}", want: 200, hidden: 404},
		{op: "application-content", method: "GET", path: "/applications/{application}/content", want: 200, hidden: 404},
		{op: "application-sign", method: "POST", path: "/applications/{application}/signature", body: `{"signature":"AQID"}`, want: 200, hidden: 404},
		{op: "application-again", method: "POST", path: "/applications/{application}/again", want: 201, keep: "draft", hidden: 404},
		{op: "application-withdraw", method: "DELETE", path: "/applications/{draft}", want: 204, hidden: 404},
		{op: "receipts", method: "GET", path: "/receipts?limit=5&from=2026-03-12&until=2026-03-14&op=sale&min=1&max=9999.99&mark=offline", want: 200, hidden: 200},
		{op: "reports", method: "GET", path: "/reports?register=" + till, want: 200, hidden: 200},
		{op: "moves", method: "GET", path: "/moves?limit=1", want: 200, hidden: 200},
		{op: "findings", method: "GET", path: "/findings", want: 200, hidden: 200},
		{op: "shifts", method: "GET", path: "/shifts?register=" + till + "&shift=13", want: 200, hidden: 200},
		{op: "shift", method: "GET", path: "/shifts/" + till + "/13", want: 200, hidden: 404},
		{op: "offline", method: "GET", path: "/offline", want: 200, hidden: 200},
		{op: "document", method: "GET", path: doc + "2", want: 200, hidden: 404},
		{op: "document", method: "GET", path: doc + "1", want: 200, hidden: 404}, // cash
		{op: "document", method: "GET", path: doc + "33", want: 200, hidden: 404},
		{op: "document", method: "GET", path: doc + "34", want: 200, hidden: 404}, // a report
		{op: "sums", method: "GET", path: "/sums?from=2026-03-12&until=2026-03-14&by=register", want: 200, hidden: 200},
		{op: "compare", method: "POST", path: "/compare", body: `{"equal":true,"rows":[{"register":"` + till + `","time":"2026-03-13T12:00:00","total":"1777.50","cash":"1777.50","tax":"245.17"},` +
			`{"register":"` + till + `","time":"2026-03-13 12:01","total":"1.00"},{"fiscal_sign":"812345678038","total":"1","cashier":"Берік"},{"time":"вчера","total":"1"}]}`, want: 200, hidden: 200},
		{op: "compare", method: "POST", path: "/compare", body: `{"mode":"totals","rows":[{"time":"2026-03-13","total":"52981.50"}]}`, want: 200, hidden: 200},
		{op: "members", method: "GET", path: "/members", want: 200, hidden: 200},
		{op: "member-change", method: "PUT", path: "/members/{victim}", body: `{"role":"manager","outlets":[1]}`, want: 200, hidden: 404},
		{op: "member-remove", method: "DELETE", path: "/members/{victim}", want: 204, hidden: 404},
		{op: "invitation-add", method: "POST", path: "/invitations", body: `{"email":"New@example.kz","role":"viewer"}`, want: 201, hidden: 201},
		{op: "invitations", method: "GET", path: "/invitations", want: 200, hidden: 200},
		{op: "invitation-remove", method: "DELETE", path: "/invitations/new@example.kz", want: 204, hidden: 404},
		{op: "audit", method: "GET", path: "/audit?limit=3", want: 200, hidden: 200},
		{op: "group-remove", method: "DELETE", path: "/groups/{group}", want: 204, hidden: 404},
	}
	for _, list := range []string{"receipts", "shifts", "reports", "moves", "offline", "findings", "outlets", "registers", "applications", "members", "audit"} {
		for _, form := range []string{"csv", "xlsx"} {
			all = append(all, apiCall{op: list + "-" + form, method: "GET", path: "/" + list + "/" + form, want: 200, hidden: 200})
		}
	}
	return all
}

// filled puts kept values into a text.
func filled(text string, kept map[string]string) string {
	for name, v := range kept {
		text = strings.ReplaceAll(text, "{"+name+"}", v)
	}
	return text
}
