package access

import (
	"context"
	"io"
	"time"

	"openofd/internal/fiscal"
)

// Config are the operator's choices. The zero value is usable.
type Config struct {
	Issuer string // what authenticators show beside the number; empty: OpenOFD
	// Closed lets nobody sign up; who is there can still invite.
	Closed bool
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
	nobody    string // a hash that no password has: who is not there costs as much time
}

// New makes a service.
func New(cfg Config, store Store, mail Mailer, passwords *Passwords, keys fiscal.Keys, now func() time.Time, rand io.Reader) (*Service, error) {
	if cfg.Issuer == "" {
		cfg.Issuer = "OpenOFD"
	}
	s := &Service{cfg: cfg, store: store, mail: mail, passwords: passwords, keys: keys, rand: rand,
		now: func() time.Time { return now().UTC().Truncate(time.Microsecond) }}
	token, _, err := newToken(rand)
	if err == nil {
		s.nobody, err = passwords.Hash(token)
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
	return r
}

// Note appends a record of what an actor did to something that this package
// does not hold.
func (s *Service) Note(ctx context.Context, a *Actor, act Act, object, detail string) error {
	return s.store.WriteAccess(ctx, func(tx Tx) error { return tx.Record(s.in(a, act, object, detail)) })
}

// Looked records that one of the operator's staff looked at an organization's
// data, in that organization's chain.
func (s *Service) Looked(ctx context.Context, a *Actor, t fiscal.TaxpayerID, object, ground string) error {
	if !a.User.Staff {
		return &fiscal.Error{Of: fiscal.Denied, Field: "staff"}
	}
	return s.store.WriteAccess(ctx, func(tx Tx) error {
		r := s.of(&a.User, a.Address, ActLooked, object, ground)
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
