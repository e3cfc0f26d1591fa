package access_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"regexp"
	"testing"
	"time"

	"openofd/internal/access"
	"openofd/internal/fiscal"
	"openofd/internal/registry"
	"openofd/internal/store/sqlite"
)

// house is a service on a store of its own, with a clock and a letter box.
type house struct {
	*testing.T
	*access.Service
	db      *sqlite.DB
	clock   time.Time
	letters []access.Mail
	noMail  error
}

const strong = "Құрақ көрпе 7 қабат"

var here = access.Visit{Address: "192.0.2.1", Agent: "Браузер 1.0"}

func newHouse(t *testing.T, cfg access.Config) *house {
	t.Helper()
	db, err := sqlite.Open(t.Context(), sqlite.Options{Dir: t.TempDir(), Serve: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	h := &house{T: t, db: db, clock: time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)}
	random := rand.NewChaCha8([32]byte{1})
	h.Service, err = access.New(cfg, db, h, access.NewPasswords(1, random), oneKey{}, func() time.Time { return h.clock }, random)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func (h *house) Send(_ context.Context, m access.Mail) error {
	h.letters = append(h.letters, m)
	return h.noMail
}

// letter is the newest, which must be of this kind and to this person.
func (h *house) letter(kind access.MailKind, to string) access.Mail {
	h.Helper()
	if len(h.letters) == 0 {
		h.Fatalf("no letter, want %s", kind)
	}
	m := h.letters[len(h.letters)-1]
	if m.Kind != kind || m.To != to {
		h.Fatalf("the last letter is %+v, want %s to %s", m, kind, to)
	}
	return m
}

var sixDigits = regexp.MustCompile(`^\d{6}$`)

// person signs somebody up and returns them signed in.
func (h *house) person(email string) *access.Actor {
	h.Helper()
	h.must(h.SignUp(h.Context(), email, "kk"))
	m := h.letter(access.MailSignUp, email)
	if !sixDigits.MatchString(m.Code) {
		h.Fatalf("code %q", m.Code)
	}
	token, _, err := h.Confirm(h.Context(), access.NewUser{Email: email, Code: m.Code, Name: "Әсел Нұрланқызы", Password: strong, Language: "kk"}, here)
	h.must(err)
	return h.actor(token)
}

func (h *house) actor(token string) *access.Actor {
	h.Helper()
	a, err := h.Resume(h.Context(), token, here)
	h.must(err)
	return &a
}

func (h *house) taxpayer(xin fiscal.XIN) fiscal.TaxpayerID {
	h.Helper()
	t := registry.Taxpayer{Country: fiscal.Kazakhstan, XIN: xin, Title: fiscal.Text{RU: "Казына"}, Created: h.clock}
	h.must(h.db.AddTaxpayer(h.Context(), &t))
	return t.ID
}

func (h *house) must(err error) {
	h.Helper()
	if err != nil {
		h.Fatal(err)
	}
}

// wants fails unless an error is of this kind or reason, in this field.
func (h *house) wants(what string, err error, target error, field string) {
	h.Helper()
	var e *fiscal.Error
	if !errors.Is(err, target) || !errors.As(err, &e) || e.Field != field {
		h.Errorf("%s: error %v, want %v (%s)", what, err, target, field)
	}
}

// acts are the newest acts of a chain, newest first.
func (h *house) acts(t fiscal.TaxpayerID, n int) (acts []access.Act) {
	h.Helper()
	all, err := h.db.Audit(h.Context(), t, 0, n)
	h.must(err)
	for _, r := range all {
		acts = append(acts, r.Act)
	}
	return acts
}

type oneKey struct{}

func (oneKey) At(p fiscal.KeyPurpose, _ time.Time) (fiscal.Key, error) {
	return fiscal.Key{ID: 3, Purpose: p, Secret: [32]byte{7}}, nil
}
func (oneKey) ByID(id fiscal.KeyID) (fiscal.Key, error) {
	return fiscal.Key{ID: id, Secret: [32]byte{7}}, nil
}
