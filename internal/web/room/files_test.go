package room

import (
	"errors"
	"net/http"
	"testing"

	"openofd/internal/access"
	"openofd/internal/fiscal"
	"openofd/internal/web/ui"
)

// TestFilesAtOnce: few lists are given as files at once, to one person and to
// one organization, and what has ended leaves its place.
func TestFilesAtOnce(t *testing.T) {
	f := &giving{under: map[taker]int{}}
	as := func(t fiscal.TaxpayerID, u access.UserID, k access.APIKeyID) *visitor {
		return &visitor{Actor: &access.Actor{Taxpayer: t, User: access.User{ID: u}, Key: k}}
	}
	var ends []func()
	begin := func(what string, a *visitor, ok bool) {
		t.Helper()
		end, err := f.begin(a)
		if (err == nil) != ok {
			t.Fatalf("%s: %v, want it given: %v", what, err, ok)
		}
		if err == nil {
			ends = append(ends, end)
		} else if !errors.Is(err, fiscal.RateLimited) {
			t.Errorf("%s: %v, want rate_limited", what, err)
		}
	}
	begin("the first", as(1, 5, 0), true)
	begin("the second", as(1, 5, 0), true)
	begin("the third of one person", as(1, 5, 0), false)
	begin("one of their keys", as(1, 5, 9), true)
	begin("a colleague's", as(1, 6, 0), true)
	begin("the fifth of one organization", as(1, 7, 0), false)
	begin("another organization's", as(2, 7, 0), true)
	ends[0]()
	begin("in the place of one that ended", as(1, 7, 0), true)
	for _, end := range ends[1:] {
		end()
	}
	if len(f.under) != 0 {
		t.Errorf("%d takers are left when all have ended: %v", len(f.under), f.under)
	}
	all, err := ui.LoadLocales()
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range all {
		err := &fiscal.Error{Reason: fiscal.RateLimited, Field: "export"}
		if p := ui.ProblemOf(err, l); p.Status != http.StatusTooManyRequests || p.What == l.T("reason.rate_limited.what") {
			t.Errorf("%s: %d %q, want words of its own", l.Lang, p.Status, p.What)
		}
	}
}
