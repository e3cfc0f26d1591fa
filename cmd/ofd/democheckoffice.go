package main

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"time"

	"openofd/internal/access"
	"openofd/internal/fiscal"
	"openofd/internal/registry"
)

// newcomerWalk is the way of somebody who has a shop and no register yet: from
// signing up to what the authority counts of the first day. All of it is asked
// for over HTTP, what a program may do by the API.
type newcomerWalk struct {
	*walk
	browser *http.Client
	key     string // of the API
	xin     fiscal.XIN
	card    fiscal.Card
	counter *demoCounter
	sold    []sold
}

func (w *newcomerWalk) steps() []walkStep {
	return []walkStep{
		{"Kazakhstan: a trader signs up, signs the contract, makes a key", w.signUp},
		{"Kazakhstan: by the API: organization, outlet, register", w.found},
		{"Kazakhstan: application signed, carried to the authority, granted", w.apply},
		{"Kazakhstan: token issued by the API, the new register sells", w.sell},
		{"Kazakhstan: buyer's check of the new register's receipts", w.look},
		{"Kazakhstan: the trader's books held against the register", w.books},
	}
}

// signUp goes through the pages as a browser does.
func (w *newcomerWalk) signUp() (string, error) {
	jar, err := cookiejar.New(nil)
	if err != nil {
		return "", err
	}
	w.browser = &http.Client{Jar: jar}
	email := fmt.Sprintf("trader-%d@newcomer.example", w.o.now().UnixNano())
	if _, err := w.post("/signup", url.Values{"email": {email}}); err != nil {
		return "", err
	}
	code, err := w.letter(email)
	if err != nil {
		return "", err
	}
	if _, err := w.post("/signup/confirm", url.Values{"email": {email}, "code": {code}, "name": {"Жаңа Сауда"}, "password": {"Құрақ көрпе 7 қабат"}}); err != nil {
		return "", err
	}
	page, err := w.post("/organization/demo", nil) // the demo's authority signs the contract
	if err != nil {
		return "", err
	}
	signed := url.Values{}
	for _, name := range []string{"file", "date", "language"} {
		found := regexp.MustCompile(`name="` + name + `"[^>]*value="([^"]+)"`).FindStringSubmatch(page)
		if found == nil {
			return "", fmt.Errorf("the page with the signed contract has no field %q", name)
		}
		signed.Set(name, strings.ReplaceAll(found[1], "&#43;", "+"))
	}
	if _, err := w.post("/organization/link", signed); err != nil {
		return "", err
	}
	scopes := url.Values{"key_name": {"demo"}, "days": {"30"}}
	for _, one := range []access.Right{access.SeeStatus, access.SeeDocuments, access.EditOrganization, access.EditOutlets, access.EditRegisters, access.IssueToken, access.Apply} {
		scopes.Add("scope", one.String())
	}
	if page, err = w.post("/keys", scopes); err != nil {
		return "", err
	}
	if w.key = regexp.MustCompile(`ofd_[A-Za-z0-9_-]{40,}`).FindString(page); w.key == "" {
		return "", fmt.Errorf("the page of keys shows none")
	}
	return email, nil
}

// post sends a form and gives the page where it leads.
func (w *newcomerWalk) post(path string, form url.Values) (string, error) {
	req, err := http.NewRequestWithContext(w.ctx, http.MethodPost, w.o.Site+path, strings.NewReader(form.Encode()))
	if err != nil {
		return "", err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return w.page(req)
}

func (w *newcomerWalk) page(req *http.Request) (string, error) {
	res, err := w.browser.Do(req)
	if err != nil {
		return "", err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, 4<<20))
	if err == nil && res.StatusCode >= 300 {
		err = fmt.Errorf("%s %s answers %s: %.300s", req.Method, req.URL.Path, res.Status, body)
	}
	return string(body), err
}

// letter waits for the code that was sent to an address.
func (w *newcomerWalk) letter(to string) (string, error) {
	for {
		for _, l := range w.settings.Letters.Letters() {
			if code := regexp.MustCompile(`\b\d{6}\b`).FindString(l.Text); l.To == to && code != "" {
				return code, nil
			}
		}
		select {
		case <-w.ctx.Done():
			return "", fmt.Errorf("no letter came to %s: %w", to, w.ctx.Err())
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// ask asks the API; in and out are JSON, nil nothing.
func (w *newcomerWalk) ask(method, path string, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	text, tag, err := w.raw(method, path, body, "")
	if tag != "" && method == http.MethodPut && err == nil {
		text, _, err = w.raw(method, path, body, tag)
	}
	if err != nil || out == nil {
		return err
	}
	return json.Unmarshal(text, out)
}

// raw asks the API. A change stands on what was there: without its mark the mark
// alone is asked for.
func (w *newcomerWalk) raw(method, path string, body []byte, tag string) (text []byte, mark string, err error) {
	if method == http.MethodPut && tag == "" {
		method, body = http.MethodGet, nil
	}
	req, err := http.NewRequestWithContext(w.ctx, method, w.o.Site+"/api/v1"+path, bytes.NewReader(body))
	if err != nil {
		return nil, "", err
	}
	req.Header.Set("Authorization", "Bearer "+w.key)
	if tag != "" {
		req.Header.Set("If-Match", tag)
	}
	if len(body) > 0 {
		req.Header.Set("Content-Type", "application/json")
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, "", err
	}
	defer res.Body.Close()
	text, err = io.ReadAll(io.LimitReader(res.Body, 4<<20))
	if err == nil && res.StatusCode >= 300 {
		err = fmt.Errorf("%s %s answers %s: %.500s", method, path, res.Status, text)
	}
	return text, res.Header.Get("ETag"), err
}

// found tells of the organization and puts a register into its first outlet.
func (w *newcomerWalk) found() (string, error) {
	type text map[string]string
	place := text{"region": "71", "locality": "Астана", "street": "ул. Сыганак", "house": "14"}
	title := text{"ru": "ИП «Жаңа Сауда»", "kk": "«Жаңа Сауда» ЖК"}
	var organization struct{ XIN fiscal.XIN }
	if err := w.ask(http.MethodPut, "/organization", map[string]any{"title": title, "address": place, "oked": "47111"}, &organization); err != nil {
		return "", err
	}
	w.xin = organization.XIN
	var outlet struct{ ID int64 }
	if err := w.ask(http.MethodPost, "/outlets", map[string]any{"title": text{"ru": "Магазин «Жаңа»", "kk": "«Жаңа» дүкені"}, "address": place}, &outlet); err != nil {
		return "", err
	}
	var register struct{ ID fiscal.RegisterID }
	serial := fmt.Sprintf("DM26%010d", w.o.now().UnixMicro()%1e10)
	if err := w.ask(http.MethodPost, "/registers", map[string]any{"outlet": outlet.ID, "name": "Касса 1", "model": "Demo Market KZ", "serial_number": serial, "manufacture_year": 2026}, &register); err != nil {
		return "", err
	}
	w.card.Register = register.ID
	return fmt.Sprintf("taxpayer %s, register %d", w.xin, register.ID), nil
}

// apply has the register put on the record. The demo's authority signs for the
// trader.
func (w *newcomerWalk) apply() (string, error) {
	var a struct {
		ID                 registry.ApplicationID
		Status             registry.ApplicationStatus
		Fields             []struct{ Field string }
		RegistrationNumber string `json:"registration_number"`
		Why                fiscal.Text
	}
	if err := w.ask(http.MethodPost, "/applications", map[string]any{"register": w.card.Register, "kind": registry.Enrol}, &a); err != nil {
		return "", err
	}
	path := fmt.Sprintf("/applications/%d", a.ID)
	content, _, err := w.raw(http.MethodGet, path+"/content", nil, "")
	if err != nil {
		return "", fmt.Errorf("the application is not complete: %w", err)
	}
	file, err := w.settings.DemoSign(content, "Жаңа Сауда", w.xin)
	if err != nil {
		return "", err
	}
	if err := w.ask(http.MethodPost, path+"/signature", map[string]any{"signature": base64.StdEncoding.EncodeToString(file)}, &a); err != nil {
		return "", err
	}
	for a.Status == registry.Sent || a.Status == registry.Waiting {
		select {
		case <-w.ctx.Done():
			return "", fmt.Errorf("application %d is %s still: %w", a.ID, a.Status, w.ctx.Err())
		case <-time.After(50 * time.Millisecond):
		}
		if err := w.ask(http.MethodGet, path, nil, &a); err != nil {
			return "", err
		}
	}
	if a.Status != registry.Granted {
		return "", fmt.Errorf("application %d is %s: %s", a.ID, a.Status, a.Why.In("en"))
	}
	for w.card.RegistrationNumber != a.RegistrationNumber { // the grant is written on the card next
		listed, err := w.o.registry.Show(w.ctx, w.card.Register)
		if err != nil {
			return "", err
		}
		w.card = listed.Card
		select {
		case <-w.ctx.Done():
			return "", fmt.Errorf("register %d never got the number %s: %w", w.card.Register, a.RegistrationNumber, w.ctx.Err())
		case <-time.After(20 * time.Millisecond):
		}
	}
	if w.card.Provisional {
		return "", fmt.Errorf("register %d has a provisional number still", w.card.Register)
	}
	return "number " + a.RegistrationNumber, nil
}

func (w *newcomerWalk) sell() (_ string, err error) {
	var issued struct{ Token string }
	if err := w.ask(http.MethodPost, fmt.Sprintf("/registers/%d/token", w.card.Register), nil, &issued); err != nil {
		return "", err
	}
	var token uint32
	if _, err := fmt.Sscan(issued.Token, &token); err != nil {
		return "", fmt.Errorf("token %q: %w", issued.Token, err)
	}
	shop := demoCoffee() // pays no VAT, as the trader does
	w.counter, err = counterOf(w.ctx, w.o, shop, w.card, token, w.dir, demoTimes{transaction: 500 * time.Millisecond, reconnect: time.Hour})
	if err != nil {
		return "", err
	}
	for range 5 {
		rec := shop.receipt(w.counter.rand)
		slip, err := w.counter.reg.Sell(w.ctx, rec)
		if err != nil {
			return "", err
		}
		w.sold = append(w.sold, sold{rec, slip})
	}
	if _, err := w.counter.reg.CloseShift(w.ctx, shop.cashiers[0], true); err != nil {
		return "", err
	}
	return fmt.Sprintf("%d sales and a Z report", len(w.sold)), nil
}

func (w *newcomerWalk) look() (string, error) {
	for _, s := range w.sold {
		q, err := query(s.slip)
		if err != nil {
			return "", err
		}
		if err := w.says(q, "genuine"); err != nil {
			return "", fmt.Errorf("the receipt %s: %w", s.slip.QR, err)
		}
	}
	return fmt.Sprintf("%d receipts genuine", len(w.sold)), nil
}

// end gives the register up.
func (w *newcomerWalk) end() error {
	if w.counter == nil {
		return nil
	}
	return w.counter.close()
}
