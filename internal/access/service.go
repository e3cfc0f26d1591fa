package access

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/go-webauthn/webauthn/webauthn"

	"openofd/internal/fiscal"
)

// Config are the operator's choices. The zero value is usable.
type Config struct {
	Issuer string // what authenticators show beside the number; empty: OpenOFD
	// Site is where browsers reach us, for passkeys; empty: there are none.
	Site string
	// Closed lets nobody sign up but who was invited.
	Closed bool
	// Judge verifies the signatures by which inspectors sign in; nil: they cannot.
	Judge Judge
	// HideInspections keeps looks of inspectors out of the records that the client
	// sees, where the law forbids to tell. They stand in those of no organization.
	HideInspections bool
}

// Service lets people in, and knows what they may do. Safe for concurrent use.
type Service struct {
	cfg       Config
	store     Store
	mail      Mailer
	passwords *Passwords
	keys      fiscal.Keys
	now       func() time.Time
	rand      io.Reader
	nobody    string             // a hash that no password has: who is not there costs as much time
	passkeys  *webauthn.WebAuthn // nil: there are none
}

// New makes a service.
func New(cfg Config, store Store, mail Mailer, passwords *Passwords, keys fiscal.Keys, now func() time.Time, rand io.Reader) (*Service, error) {
	if cfg.Issuer == "" {
		cfg.Issuer = "OpenOFD"
	}
	s := &Service{cfg: cfg, store: store, mail: mail, passwords: passwords, keys: keys, rand: rand,
		now: func() time.Time { return now().UTC().Truncate(time.Microsecond) }}
	var err error
	if s.nobody, err = passwords.ofNobody(); err == nil {
		s.passkeys, err = passkeysOf(cfg.Site, cfg.Issuer)
	}
	return s, err
}

// of begins a record of what a person did outside of any organization.
func (s *Service) of(u *User, address string, act Act, object, detail string) *Record {
	return &Record{At: s.now(), User: u.ID, Who: u.Email, Address: address, Act: act, Object: object, Detail: detail}
}

// in begins a record of what an actor did in the organization.
func (s *Service) in(a *Actor, act Act, object, detail string) *Record {
	r := s.of(&a.User, a.Address, act, object, detail)
	r.Taxpayer = a.Taxpayer
	if a.Key != 0 {
		r.Who += fmt.Sprintf(" (key %d)", a.Key)
	}
	return r
}

// Note appends a record of what an actor did to something that this package
// does not hold.
func (s *Service) Note(ctx context.Context, a *Actor, act Act, object, detail string) error {
	return s.store.WriteAccess(ctx, func(tx Tx) error { return tx.Record(s.in(a, act, object, detail)) })
}

// MustStaff is Denied unless the actor works for the operator and has proved so
// by two factors.
func (a *Actor) MustStaff() error {
	if !a.User.Staff || a.User.Inspector != nil || a.User.Disabled || !a.Strong || a.Key != 0 {
		return &fiscal.Error{Of: fiscal.Denied, Field: "staff"}
	}
	return nil
}

// Bounds of a ground: why somebody looks, in characters.
const (
	minGround = 5
	maxGround = 300
)

// ground is a ground as recorded.
func ground(text string) (string, error) {
	text = strings.Join(strings.Fields(text), " ")
	switch n := utf8.RuneCountInString(text); {
	case n == 0:
		return "", missing("ground")
	case n < minGround || n > maxGround || !utf8.ValidString(text) || strings.ContainsFunc(text, unicode.IsControl):
		return "", bad("ground", "is shorter than 5 or longer than 300 characters")
	}
	return text, nil
}

// Searched records what one of the operator's staff looked for, and why.
func (s *Service) Searched(ctx context.Context, a *Actor, what, why string) error {
	if err := a.MustStaff(); err != nil {
		return err
	}
	why, err := ground(why)
	if err != nil {
		return err
	}
	return s.store.WriteAccess(ctx, func(tx Tx) error { return tx.Record(s.of(&a.User, a.Address, ActSearched, what, why)) })
}

// Touched records what one of the operator's staff did to something of an
// organization, in that organization's chain.
func (s *Service) Touched(ctx context.Context, a *Actor, t fiscal.TaxpayerID, act Act, object, why string) error {
	if err := a.MustStaff(); err != nil {
		return err
	}
	return s.store.WriteAccess(ctx, func(tx Tx) error {
		r := s.of(&a.User, a.Address, act, object, why)
		r.Taxpayer = t
		return tx.Record(r)
	})
}

// Looked records that one of the operator's staff looked at an organization's
// data, in that organization's chain. It comes before the look.
func (s *Service) Looked(ctx context.Context, a *Actor, t fiscal.TaxpayerID, object, why string) error {
	if err := a.MustStaff(); err != nil {
		return err
	}
	why, err := ground(why)
	if err != nil {
		return err
	}
	return s.store.WriteAccess(ctx, func(tx Tx) error {
		r := s.of(&a.User, a.Address, ActLooked, object, why)
		r.Taxpayer = t
		return tx.Record(r)
	})
}

// Audit lists what was done in the actor's organization, newest first, from
// before (exclusive; 0: the end).
func (s *Service) Audit(ctx context.Context, a *Actor, before uint64, limit int) ([]Record, error) {
	if err := a.Must(SeeAudit); err != nil {
		return nil, err
	}
	return s.store.Audit(ctx, a.Taxpayer, before, limit)
}

// Own lists what the person did outside of organizations: signing in and out,
// passwords, second factors.
func (s *Service) Own(ctx context.Context, a *Actor, before uint64, limit int) ([]Record, error) {
	return s.store.AuditOf(ctx, a.User.ID, before, limit)
}

// CheckGround is Invalid with the Field "ground" for what is no reason.
func CheckGround(text string) error {
	_, err := ground(text)
	return err
}
