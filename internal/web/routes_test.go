package web

import (
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"openofd/internal/access"
	"openofd/internal/cabinet"
	"openofd/internal/cabinet/compare"
	"openofd/internal/fiscal"
	"openofd/internal/registry"
	"openofd/internal/signature"
	"openofd/internal/web/pages"
	"openofd/internal/web/room"
)

// routeRow says who is let in at the addresses that begin so; the longest
// beginning counts.
type routeRow struct {
	begins string
	for_   who
	right  access.Right // of forRight
}

// who is let in somewhere.
type who int

const (
	everybody  who = iota // signed in or not
	anybody               // who is signed in
	staffOnly             // the operator's, with two factors
	inspectors            // of the authority
	forRight              // who has a right in an organization
	ofOffice              // each address by itself: TestOfficeIsClosed
)

var routeRows = []routeRow{
	{"/signin", everybody, 0}, {"/signup", everybody, 0}, {"/forgot", everybody, 0}, {"/reset", everybody, 0}, {"/letters", everybody, 0}, {"/help", everybody, 0},
	{"/cabinet", anybody, 0}, {"/signout", anybody, 0}, {"/choose", anybody, 0}, {"/join", anybody, 0}, {"/me", anybody, 0}, {"/more", anybody, 0},
	{"/staff", staffOnly, 0}, {"/inspect", inspectors, 0},
	{"/people", forRight, access.ManageUsers}, {"/keys", forRight, access.ManageKeys}, {"/audit", forRight, access.SeeAudit}, {"/audit.csv", forRight, access.SeeAudit},
	{"/receipts", forRight, access.SeeRevenue}, {"/shifts", forRight, access.SeeRevenue}, {"/reports", forRight, access.SeeRevenue}, {"/moves", forRight, access.SeeRevenue},
	{"/documents", forRight, access.SeeRevenue}, {"/compare", forRight, access.SeeRevenue}, {"/offline", forRight, access.SeeStatus}, {"/findings", forRight, access.SeeStatus},
	{"/registers", ofOffice, 0}, {"/outlets", ofOffice, 0}, {"/groups", ofOffice, 0}, {"/organization", ofOffice, 0}, {"/applications", ofOffice, 0},
}

// rowOf is the row of an address; nil if there is none.
func rowOf(path string) (found *routeRow) {
	for i := range routeRows {
		r := &routeRows[i]
		rest, ok := strings.CutPrefix(path, r.begins)
		if ok && (rest == "" || rest[0] == '/') && (found == nil || len(r.begins) > len(found.begins)) {
			found = r
		}
	}
	return found
}

// TestEveryRouteIsClosed asks for every address that the rooms know, by every
// method, as nobody, and by its own as each role, as one of the operator's staff
// and as somebody without an organization. An address that is in no row fails.
//
// Req: P-058, P-083, E-090, O-041
func TestEveryRouteIsClosed(t *testing.T) {
	h := newOffice(t, ready{signature.Owner{}})
	shop := registry.Taxpayer{Country: fiscal.Kazakhstan, XIN: "960624350642", Title: fiscal.Text{RU: "Казына"}}
	owner := h.person("owner@example.kz", "Әсел")
	if err := errors.Join(h.db.AddTaxpayer(t.Context(), &shop), h.access.Found(t.Context(), &owner, shop.ID, "Казына")); err != nil {
		t.Fatal(err)
	}
	owner = h.again(owner)
	nowhere := h.person("nowhere@example.kz", "Берік")
	people := map[string]string{"nowhere": h.token(nowhere.User.Email)}
	for _, role := range access.Roles() {
		one := h.person("as-"+string(role)+"@example.kz", "Кто-то")
		if err := errors.Join(h.access.Invite(t.Context(), &owner, one.User.Email, role, nil, "Казына", "ru"), h.access.Join(t.Context(), &one, shop.ID)); err != nil {
			t.Fatal(err)
		}
		people[string(role)] = h.token(one.User.Email)
	}
	cfg := Config{Rooms: Rooms{
		Access: h.access, Known: h, Zone: time.UTC, Office: h.office, Desk: &desk{house: h}, Forwarding: newForwarder(), Evenings: &evenings{},
		Documents: room.Documents{Questions: cabinet.NewQuestions(h.db, nil), Comparer: compare.New(cabinet.NewQuestions(h.db, nil)), Example: true, Now: time.Now, Outlets: h.db.Outlets}, Letters: func() []room.Letter { return nil },
	}, ChecksPerSecond: 1000, ChecksAtOnce: 1000, MaxAddresses: 10}
	quiet := slog.New(slog.DiscardHandler)
	_, inner, err := rooms(cfg, &pages.Handler{}, operator, quiet, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	ask := func(token, method, path string) int {
		r := httptest.NewRequestWithContext(t.Context(), method, path, nil)
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		if token != "" {
			r.AddCookie(&http.Cookie{Name: "ofd_session", Value: token})
		}
		w := httptest.NewRecorder()
		inner.ServeHTTP(w, r)
		_, _ = io.Copy(io.Discard, w.Result().Body)
		return w.Code
	}
	fill := strings.NewReplacer("{register}", "200001", "{shift}", "1", "{number}", "1", "{id}", "1", "{$}", "")
	patterns := inner.Patterns()
	if len(patterns) < 100 {
		t.Fatalf("only %d addresses are known", len(patterns))
	}
	for _, pattern := range patterns {
		own, path, _ := strings.Cut(pattern, " ")
		path = fill.Replace(path)
		row := rowOf(path)
		if row == nil {
			t.Errorf("%s is in no row: who may enter?", pattern)
			continue
		}
		if row.for_ == everybody {
			continue
		}
		for _, method := range []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"} {
			if got := ask("", method, path); got < 300 || got >= 500 {
				t.Errorf("%s %s answers nobody with %d", method, path, got)
			}
		}
		if got := ask("", own, path); got != http.StatusSeeOther {
			t.Errorf("%s answers nobody with %d, want 303", pattern, got)
		}
		for name, token := range people {
			if path == "/signout" {
				continue
			}
			got := ask(token, own, path)
			shut := got == http.StatusForbidden || got == http.StatusNotFound || got == http.StatusSeeOther && row.for_ == staffOnly
			switch may := access.Role(name).Rights()&row.right == row.right; {
			case got >= 500:
				t.Errorf("%s answers %s with %d", pattern, name, got)
			case row.for_ == staffOnly && !shut, row.for_ == inspectors && !shut:
				t.Errorf("%s lets %s in: %d", pattern, name, got)
			case row.for_ == forRight && !may && got < 400:
				t.Errorf("%s lets %s in, who may not: %d", pattern, name, got)
			case row.for_ == forRight && may && got == http.StatusForbidden:
				t.Errorf("%s shuts %s out, who may", pattern, name)
			}
		}
	}
}
