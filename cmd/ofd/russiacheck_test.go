package main

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	device "openofd/internal/device/kkt"
	"openofd/internal/fiscal"
	"openofd/internal/protocol/kkt/ffd"
)

// What a register of Russia prints as a QR code leads its buyer to the receipt,
// on the page and in JSON, on both engines; the code on the page is the very
// text that the device printed. What is forged is named or not found, and the
// report of a shift is nobody's receipt.
//
// Req: F-043, F-047, O-086
func TestRussianReceiptIsChecked(t *testing.T) {
	onBothEngines(t, func(t *testing.T, engine string) {
		o, _ := russianOperator(t, engine)
		r := virtualRegister(t, device.LinkConfig{Addr: o.KKTAddr}, device.DriveConfig{Encrypted: engine == "postgres"}, time.Now)
		shop := device.SampleShop(ffd.V120)
		made := map[string]device.Made{}
		for _, step := range []struct {
			name string
			doc  device.Document
		}{
			{"registration", shop.Registration(0)}, {"open", shop.OpenShift()}, {"sale", shop.Receipt(fiscal.OpSale, 11_000, 5_500)},
			{"return", shop.Receipt(fiscal.OpSaleReturn, 5_500)}, {"close", shop.CloseShift()},
		} {
			m, err := r.Make(step.doc)
			if err != nil {
				t.Fatalf("%s: %v", step.name, err)
			}
			made[step.name] = m
		}
		ask := func(q string) (verdict string, body string) {
			t.Helper()
			body = o.page(t, "/api/v1/check?"+q, "application/json")
			var said struct{ Verdict string }
			if err := json.Unmarshal([]byte(body), &said); err != nil {
				t.Fatalf("%s: %v", body, err)
			}
			return said.Verdict, body
		}
		sale := made["sale"].QR()
		if verdict, body := ask(sale); verdict != "not_yet" {
			t.Errorf("before the receipt came it is %s: %s", verdict, body)
		}
		if _, err := r.Deliver(t.Context(), device.QueueDocuments); err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"sale", "return"} {
			printed := made[name].QR()
			verdict, body := ask(printed)
			if verdict != "genuine" {
				t.Errorf("the %s %s is %s: %s", name, printed, verdict, body)
			}
			var said struct{ Receipt struct{ Link string } }
			if err := json.Unmarshal([]byte(body), &said); err != nil || said.Receipt.Link != o.Site+"/check?"+printed {
				t.Errorf("the link is %q, %v, want that of %s", said.Receipt.Link, err, printed)
			}
			for _, path := range []string{"/check?lang=ru&" + printed, "/?lang=ru&" + printed, "/check?lang=ru&qr=" + url.QueryEscape(printed)} {
				if page := o.page(t, path, "text/html"); !strings.Contains(page, "Чек настоящий") || !strings.Contains(page, "Кассовый чек") || !strings.Contains(page, testDrive) {
					t.Errorf("%s shows %s", path, page)
				}
			}
		}
		q, err := url.ParseQuery(sale)
		if err != nil {
			t.Fatal(err)
		}
		for _, forged := range []struct{ key, value, want string }{
			{"s", "1.00", `"differs":["s"]`}, {"n", "3", `"differs":["n"]`}, {"fp", "1", `"differs":["fp"]`},
			{"fn", "9999078902009999", `"verdict":"not_yet"`}, {"i", "5", `"verdict":"not_yet"`},
		} {
			was := q.Get(forged.key)
			q.Set(forged.key, forged.value)
			if _, body := ask(q.Encode()); !strings.Contains(body, forged.want) {
				t.Errorf("with %s = %s: %s, want %s", forged.key, forged.value, body, forged.want)
			}
			q.Set(forged.key, was)
		}
	})
}

// page asks the operator's web door.
func (o *russianNode) page(t *testing.T, path, accept string) string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+o.HTTPAddr+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Accept", accept)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}
