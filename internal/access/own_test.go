package access_test

import (
	"errors"
	"testing"
	"time"

	"openofd/internal/access"
	"openofd/internal/fiscal"
)

// TestSecondFactor: on with a right number alone, asked for at each sign-in,
// no number twice, recovery codes once each, and off with the password.
func TestSecondFactor(t *testing.T) {
	h := newHouse(t, access.Config{Issuer: "ОФД"})
	a := h.person("asel@example.kz")
	offer, err := h.OfferTOTP(a)
	h.must(err)
	if again, err := h.AgainTOTP(a, offer.Secret); err != nil || again != offer {
		t.Errorf("AgainTOTP = %+v, %v", again, err)
	}
	_, err = h.StartTOTP(t.Context(), a, "wrong", offer.Secret, access.TOTPNumber(offer.Secret, h.clock))
	h.wants("a wrong password", err, fiscal.Unauthenticated, "password")
	_, err = h.StartTOTP(t.Context(), a, strong, offer.Secret, "12")
	h.wants("a wrong number", err, fiscal.BadValue, "totp")
	recovery, err := h.StartTOTP(t.Context(), a, strong, offer.Secret, access.TOTPNumber(offer.Secret, h.clock))
	h.must(err)
	if len(recovery) != 10 {
		t.Errorf("%d recovery codes", len(recovery))
	}
	half := func() string {
		token, half, err := h.SignIn(t.Context(), "asel@example.kz", strong, here)
		h.must(err)
		if !half {
			t.Fatal("no second factor is asked for")
		}
		if _, err := h.Resume(t.Context(), token, here); !errors.Is(err, fiscal.Unauthenticated) {
			t.Errorf("half a session is good for all: %v", err)
		}
		return token
	}
	second := func(token, proof string) error {
		full, err := h.SecondFactor(t.Context(), token, proof, here)
		if err == nil {
			h.actor(full)
		}
		return err
	}
	h.wants("the number that turned it on", second(half(), access.TOTPNumber(offer.Secret, h.clock)), fiscal.Unauthenticated, "totp")
	h.clock = h.clock.Add(30 * time.Second)
	token := half()
	h.must(second(token, access.TOTPNumber(offer.Secret, h.clock)))
	h.wants("half a session once more", second(token, access.TOTPNumber(offer.Secret, h.clock)), fiscal.Unauthenticated, "session")
	h.must(second(half(), recovery[3]))
	h.wants("a recovery code once more", second(half(), recovery[3]), fiscal.Unauthenticated, "totp")
	h.clock = h.clock.Add(time.Minute)
	token = half()
	h.clock = h.clock.Add(11 * time.Minute)
	h.wants("too late", second(token, access.TOTPNumber(offer.Secret, h.clock)), fiscal.Unauthenticated, "session")

	token = half()
	for range 5 {
		if err := second(token, "000000"); err == nil {
			t.Fatal("a guess was right")
		}
	}
	h.clock = h.clock.Add(2 * time.Hour)
	token = half()
	h.must(second(token, access.TOTPNumber(offer.Secret, h.clock)))
	full, err := h.SecondFactor(t.Context(), half(), recovery[0], here)
	h.must(err)
	a = h.actor(full)
	h.must(h.StopTOTP(t.Context(), a, strong))
	if _, half, err := h.SignIn(t.Context(), "asel@example.kz", strong, here); err != nil || half {
		t.Errorf("after turning it off: half %t, %v", half, err)
	}
}

func TestOwnChanges(t *testing.T) {
	h := newHouse(t, access.Config{})
	a := h.person("asel@example.kz")
	h.wants("a wrong old password", h.ChangePassword(t.Context(), a, "x", "Жаңа құпия сөз"), fiscal.Unauthenticated, "password")
	h.wants("a known new one", h.ChangePassword(t.Context(), a, strong, "1234567890"), fiscal.BadValue, "new_password")
	elsewhere, _, err := h.SignIn(t.Context(), "asel@example.kz", strong, here)
	h.must(err)
	h.must(h.ChangePassword(t.Context(), a, strong, "Жаңа құпия сөз"))
	if _, err := h.Resume(t.Context(), elsewhere, here); !errors.Is(err, fiscal.Unauthenticated) {
		t.Errorf("another browser is still in: %v", err)
	}
	h.wants("no name", h.SetProfile(t.Context(), a, " ", "ru"), fiscal.MissingParameter, "name")
	h.must(h.SetProfile(t.Context(), a, " Әсел  Ж. ", "ru"))
	token, _, err := h.SignIn(t.Context(), "asel@example.kz", "Жаңа құпия сөз", here)
	h.must(err)
	if u := h.actor(token).User; u.Name != "Әсел Ж." || u.Language != "ru" {
		t.Errorf("profile %q, %q", u.Name, u.Language)
	}
	own, err := h.Own(t.Context(), a, 0, 100)
	if err != nil || len(own) < 4 {
		t.Errorf("Own = %d records, %v", len(own), err)
	}
}
