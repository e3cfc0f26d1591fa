package access_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"openofd/internal/access"
	"openofd/internal/fiscal"
)

// TestNobodyLooksLikeSomebody: a door closes for who is not there as it does for
// who is, so that trying tells nothing.
func TestNobodyLooksLikeSomebody(t *testing.T) {
	h := newHouse(t, access.Config{})
	h.person("asel@example.kz")
	for i := range 9 {
		if i > 6 {
			h.clock = h.clock.Add(3 * time.Minute)
		}
		_, _, there := h.SignIn(t.Context(), "asel@example.kz", "not the password", here)
		_, _, nobody := h.SignIn(t.Context(), "nobody@example.kz", "not the password", here)
		if there == nil || nobody == nil || fmt.Sprint(there) != fmt.Sprint(nobody) || errors.Is(there, fiscal.RateLimited) != errors.Is(nobody, fiscal.RateLimited) {
			t.Errorf("try %d: somebody %v, nobody %v; want the same", i+1, there, nobody)
		}
	}
	h.clock = h.clock.Add(26 * time.Hour)
	if n, err := h.Sweep(t.Context()); err != nil || n == 0 {
		t.Errorf("Sweep = %d, %v, want what was counted for nobody among it", n, err)
	}
}

// TestGuessesAtOnce: many guesses at the same time are counted one by one, and
// the right one among those that come too late does not open.
func TestGuessesAtOnce(t *testing.T) {
	h := newHouse(t, access.Config{})
	h.person("asel@example.kz")
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			if _, _, err := h.SignIn(t.Context(), "asel@example.kz", "not the password", here); err == nil {
				t.Error("a wrong password opens")
			}
		})
	}
	wg.Wait()
	if _, _, err := h.SignIn(t.Context(), "asel@example.kz", strong, here); !errors.Is(err, fiscal.RateLimited) {
		t.Errorf("after 20 guesses at once: %v, want RateLimited", err)
	}
}

// TestChangedMeanwhile: what was allowed on the password of a moment ago is not
// done when it has changed, and an ended session changes nothing any more.
func TestChangedMeanwhile(t *testing.T) {
	h := newHouse(t, access.Config{})
	a := h.person("asel@example.kz")
	token, _, err := h.SignIn(t.Context(), "asel@example.kz", strong, here)
	h.must(err)
	thief := h.actor(token) // read before the owner acts
	h.must(h.ChangePassword(t.Context(), a, strong, "Жаңа құпия сөз 12"))
	h.wants("a password over a newer one", h.ChangePassword(t.Context(), thief, strong, "Ұрының құпия сөзі"), fiscal.Unauthenticated, "session")
	_, _, err = h.SignIn(t.Context(), "asel@example.kz", "Жаңа құпия сөз 12", here)
	h.must(err)
}

// TestLookKeepsTheChoice: noting that a session was seen must not undo that
// another organization was chosen meanwhile, nor bring back one that was ended.
func TestLookKeepsTheChoice(t *testing.T) {
	h := newHouse(t, access.Config{})
	a := h.person("asel@example.kz")
	first, second := h.taxpayer("960624350642"), h.taxpayer("220540013371")
	h.must(h.Found(t.Context(), a, first, "1"))
	h.must(h.Found(t.Context(), a, second, "2"))
	token, _, err := h.SignIn(t.Context(), "asel@example.kz", strong, here)
	h.must(err)
	a = h.actor(token)
	var wg sync.WaitGroup
	for i := range 20 {
		h.clock = h.clock.Add(2 * time.Minute)
		want := []fiscal.TaxpayerID{first, second}[i%2]
		wg.Go(func() { _, _ = h.Resume(t.Context(), token, here) })
		h.must(h.Choose(t.Context(), a, want))
		wg.Wait()
		if got := h.actor(token).Taxpayer; got != want {
			t.Fatalf("round %d: the session is in organization %d, %d was chosen", i, got, want)
		}
	}
}

// TestHalvesEndNobody: who knows only the password opens halves of sessions, and
// none of them ends a whole one.
func TestHalvesEndNobody(t *testing.T) {
	h := newHouse(t, access.Config{})
	a := h.person("asel@example.kz")
	offer, err := h.OfferTOTP(a)
	h.must(err)
	_, err = h.StartTOTP(t.Context(), a, strong, offer.Secret, access.TOTPNumber(offer.Secret, h.clock))
	h.must(err)
	for range 60 {
		_, half, err := h.SignIn(t.Context(), "asel@example.kz", strong, here)
		if h.must(err); !half {
			t.Fatal("a whole session by the password alone")
		}
	}
	if live, err := h.Sessions(t.Context(), a); err != nil || len(live) != 1 || live[0].ID != a.Session {
		t.Errorf("sessions %+v, %v, want the one that was there", live, err)
	}
}

// TestStaff: they see nothing before a second factor, need a ground for each
// look, and their sessions end after half an hour of rest.
//
// Req: O-011
func TestStaff(t *testing.T) {
	h := newHouse(t, access.Config{})
	shop := h.taxpayer("960624350642")
	op := access.Operator{Service: h.Service, By: "command line"}
	_, err := op.AddUser(t.Context(), access.NewUser{Email: "support@example.kz", Name: "Дәурен", Password: strong, Language: "kk"}, true)
	h.must(err)
	token, _, err := h.SignIn(t.Context(), "support@example.kz", strong, here)
	h.must(err)
	a := h.actor(token)
	h.wants("a look without a second factor", h.Looked(t.Context(), a, shop, "", "өтініш 17"), fiscal.Denied, "staff")
	offer, err := h.OfferTOTP(a)
	h.must(err)
	_, err = h.StartTOTP(t.Context(), a, strong, offer.Secret, access.TOTPNumber(offer.Secret, h.clock))
	h.must(err)
	a = h.actor(token)
	h.wants("a look without a ground", h.Looked(t.Context(), a, shop, "", " "), fiscal.MissingParameter, "ground")
	h.wants("a look with half a word", h.Looked(t.Context(), a, shop, "", "x"), fiscal.BadValue, "ground")
	h.must(h.Looked(t.Context(), a, shop, "200001", "өтініш 17"))
	all, err := h.db.Audit(t.Context(), shop, 0, 9)
	if err != nil || len(all) != 1 || all[0].Act != access.ActLooked || all[0].Detail != "өтініш 17" || all[0].Who != "support@example.kz" {
		t.Errorf("the client's chain: %+v, %v", all, err)
	}
	other := h.person("asel@example.kz")
	h.wants("a look of somebody else", h.Looked(t.Context(), other, shop, "", "өтініш 17"), fiscal.Denied, "staff")
	h.clock = h.clock.Add(29 * time.Minute)
	h.actor(token)
	h.clock = h.clock.Add(31*time.Minute + time.Second)
	if _, err := h.Resume(t.Context(), token, here); !errors.Is(err, fiscal.Unauthenticated) {
		t.Errorf("after 31 minutes of rest: %v, want Unauthenticated", err)
	}
	h.must(op.Disable(t.Context(), "support@example.kz", true))
	if _, _, err := h.SignIn(t.Context(), "support@example.kz", strong, here); !errors.Is(err, fiscal.Denied) {
		t.Errorf("who was shut out: %v, want Denied", err)
	}
}

// TestInvitedWhereNobodySignsUp: a closed installation lets in who was invited.
func TestInvitedWhereNobodySignsUp(t *testing.T) {
	h := newHouse(t, access.Config{Closed: true})
	op := access.Operator{Service: h.Service, By: "command line"}
	shop := h.taxpayer("960624350642")
	_, err := op.AddUser(t.Context(), access.NewUser{Email: "owner@example.kz", Name: "Берік", Password: strong, Language: "kk"}, false)
	h.must(err)
	h.must(op.Place(t.Context(), "owner@example.kz", shop, access.Owner))
	token, _, err := h.SignIn(t.Context(), "owner@example.kz", strong, here)
	h.must(err)
	h.wants("who was not invited", h.SignUp(t.Context(), "asel@example.kz", "kk"), fiscal.Denied, "sign_up")
	h.must(h.Invite(t.Context(), h.actor(token), "asel@example.kz", access.Viewer, nil, "Казына", "kk"))
	h.person("asel@example.kz")
}
