package main

import (
	"encoding/json"
	"io"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"openofd/internal/access"
	"openofd/internal/fiscal"
	"openofd/internal/mail"
)

// TestAPIOnBothEngines goes through the API of a whole operator: a key is made,
// an outlet and a register with its token; of many who send the same request at
// once one does it; and what was done is in the journal under the key's name.
func TestAPIOnBothEngines(t *testing.T) {
	for _, engine := range []string{"sqlite", "postgres"} {
		t.Run(engine, func(t *testing.T) { goThroughAPI(t, engine) })
	}
}

func goThroughAPI(t *testing.T, engine string) {
	s := localSettings(t)
	s.Letters = &mail.Sink{}
	if engine == "postgres" {
		s.DB.URL = migratedDatabase(t)
		if err := migrateServer(t.Context(), coreConfig{Dir: s.Data, DB: s.DB.URL}, false, nil); err != nil {
			t.Fatal(err)
		}
	}
	o := mustStart(t, s)
	t.Cleanup(func() {
		if err := o.stop(); err != nil {
			t.Errorf("stop: %v", err)
		}
	})
	made := newShop(t, o, "S-1") // its taxpayer
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	people, visit := o.rooms.access, access.Visit{Address: "192.0.2.7"}
	must(people.SignUp(t.Context(), "asel@example.kz", "ru"))
	var code string
	for end := time.Now().Add(30 * time.Second); code == "" && time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		for _, l := range s.Letters.Letters() {
			code = regexp.MustCompile(`\b\d{6}\b`).FindString(l.Text)
		}
	}
	session, _, err := people.Confirm(t.Context(), access.NewUser{Email: "asel@example.kz", Code: code, Name: "Әсел", Password: "Құрақ көрпе 7 қабат", Language: "ru"}, visit)
	must(err)
	asel, err := people.Resume(t.Context(), session, visit)
	must(err)
	must(people.Found(t.Context(), &asel, made.Card.Taxpayer, "Дала Сауда"))
	asel, err = people.Resume(t.Context(), session, visit)
	must(err)
	if _, err := o.store.TaxpayerOf(t.Context(), asel.Taxpayer); err != nil {
		t.Fatal(err)
	}
	token, _, err := people.MakeKey(t.Context(), &asel, access.NewKey{Name: "till", Scopes: access.SeeStatus | access.EditOutlets | access.IssueToken | access.SeeAudit, Ends: time.Now().Add(time.Hour)})
	must(err)

	do := func(method, path, name, body string) (int, string) {
		r, err := http.NewRequestWithContext(t.Context(), method, "http://"+o.HTTPAddr+"/api/v1"+path, strings.NewReader(body))
		if err != nil {
			t.Error(err)
			return 0, ""
		}
		r.Header.Set("Authorization", "Bearer "+token)
		if name != "" {
			r.Header.Set("Idempotency-Key", name)
		}
		res, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Error(err)
			return 0, ""
		}
		defer res.Body.Close()
		b, err := io.ReadAll(res.Body)
		if err != nil {
			t.Error(err)
		}
		return res.StatusCode, string(b)
	}
	var mu sync.Mutex
	answers := map[int]int{}
	var wg sync.WaitGroup
	const outlet = `{"title":{"ru":"Абая"},"address":{"region":"75","locality":"Алматы","street":"Абая","house":"10"}}`
	for range 8 {
		wg.Go(func() {
			status, _ := do("POST", "/outlets", "one", outlet)
			mu.Lock()
			answers[status]++
			mu.Unlock()
		})
	}
	wg.Wait()
	if answers[http.StatusCreated] == 0 || answers[http.StatusCreated]+answers[http.StatusConflict] != 8 {
		t.Errorf("eight at once were answered with %v", answers)
	}
	status, body := do("POST", "/outlets", "one", outlet) // the answer that was kept
	var place struct{ ID fiscal.OutletID }
	if err := json.Unmarshal([]byte(body), &place); err != nil || status != http.StatusCreated {
		t.Fatalf("the same once more = %d %s", status, body)
	}
	for _, step := range []struct{ method, path, says string }{
		{"GET", "/outlets", `"ru":"Абая"`},
		{"GET", "/registers", `"serial_number":"S-1"`},
		{"POST", "/registers/200001/token", `"token":"`},
		{"GET", "/registers/200001/cards", `"version":1`},
		{"GET", "/audit", `"who":"asel@example.kz (key 1)"`},
		{"GET", "/key", `"rights":["see_status","edit_outlets","issue_token","see_audit"]`},
	} {
		if status, body := do(step.method, step.path, "", ""); status != http.StatusOK || !strings.Contains(body, step.says) {
			t.Errorf("%s %s = %d %s, want %s", step.method, step.path, status, body, step.says)
		}
	}
	if status, body := do("GET", "/receipts", "", ""); status != http.StatusForbidden || !strings.Contains(body, "see_revenue") {
		t.Errorf("receipts = %d %s", status, body)
	}
	var outlets struct {
		Items []struct{ ID fiscal.OutletID }
	}
	if _, body := do("GET", "/outlets", "", ""); json.Unmarshal([]byte(body), &outlets) != nil || len(outlets.Items) != 2 {
		t.Errorf("there are %v, want the register's outlet and %d", outlets.Items, place.ID)
	}
}
