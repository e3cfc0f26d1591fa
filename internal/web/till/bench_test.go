package till_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"openofd/internal/fiscal"
	core "openofd/internal/till"
	"openofd/internal/web/till"
)

// BenchmarkPage is what each request of a sale costs, the sockets aside.
//
// Req: P-001
func BenchmarkPage(b *testing.B) {
	s := openShop(b)
	h, err := till.New(till.Config{Operator: fiscal.Operator{Title: fiscal.Text{RU: "ТОО «Открытый ОФД»"}}, Site: "https://ofd.example", Zone: time.UTC}, s.Till, quiet)
	if err != nil {
		b.Fatal(err)
	}
	draft := core.Draft{ID: "first", Op: fiscal.OpSale, Lines: []core.Line{{Quantity: fiscal.OneUnit, Price: 1500_00}}, Paid: core.Paid{Chosen: true}}
	made, err := s.Form(b.Context(), s.seat(), s.id, &draft, false)
	if err != nil {
		b.Fatal(err)
	}
	body := fmt.Sprintf(`{"id":"second","register":%d,"op":"sale","lines":[{"quantity":"1","price":"1500.00"}],"paid":{"chosen":true}}`, s.id)
	for _, one := range []struct{ method, path, accept, holds string }{
		{http.MethodGet, "/", "text/html", `id="sale"`}, {http.MethodGet, "/standing", "application/json", "online"},
		{http.MethodPost, "/draft/preview", "application/json", "preliminary"}, {http.MethodGet, fmt.Sprint("/document/", made.ID), "text/html", `class="sign"`},
	} {
		b.Run(one.method+strings.ReplaceAll(one.path, "/", "_"), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				var sent io.Reader
				if one.method == http.MethodPost {
					sent = strings.NewReader(body)
				}
				r := httptest.NewRequest(one.method, one.path, sent)
				r.Header.Set("Accept", one.accept)
				r.AddCookie(&http.Cookie{Name: "till_session", Value: s.secret})
				r.AddCookie(&http.Cookie{Name: "till_register", Value: fmt.Sprint(s.id)})
				w := httptest.NewRecorder()
				h.ServeHTTP(w, r)
				if w.Code != http.StatusOK || !strings.Contains(w.Body.String(), one.holds) {
					b.Fatalf("%s %s: %d\n%s", one.method, one.path, w.Code, w.Body)
				}
			}
		})
	}
}
