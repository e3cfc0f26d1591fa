package access

import (
	"context"
	"errors"

	"openofd/internal/fiscal"
)

// AskLink sends a code by which somebody who has no session here proves that an
// address is theirs: a seller at a till, whose organization is then linked by
// its signature. Whether the address has an account nobody learns.
//
// Errors: BadValue and MissingParameter with the Field; RateLimited with a
// *Wait.
//
// Source: requirements E-026, E-028, E-033.
func (s *Service) AskLink(ctx context.Context, email, language string) error {
	return s.sendCode(ctx, ForLink, email, language)
}

// Prove is the person whose address a code from AskLink proves; one who is not
// there is made, without a password: they set one by a letter. The actor has no
// session and no organization.
//
// Errors: BadValue with the Field "code" (Msg wrong, expired, tries), "name";
// Denied for who may not sign up or in.
//
// Source: requirement E-047.
func (s *Service) Prove(ctx context.Context, in NewUser, v Visit) (a Actor, err error) {
	if in.Email, err = CanonicalEmail(in.Email); err != nil {
		return a, err
	}
	if in.Name, err = personName(in.Name); err != nil {
		return a, err
	}
	if err := s.checkCode(ctx, ForLink, in.Email, in.Code); err != nil {
		return a, err
	}
	err = s.store.ReadAccess(ctx, func(tx Tx) error {
		a.User, err = tx.UserByEmail(in.Email)
		return err
	})
	fresh := errors.Is(err, fiscal.NotFound)
	if fresh {
		err = s.mayBegin(ctx, in.Email)
	}
	if err != nil {
		return Actor{}, err
	}
	hash, err := s.passwords.ofNobody()
	if err != nil {
		return Actor{}, err
	}
	err = s.store.WriteAccess(ctx, func(tx Tx) error {
		if err := s.useCode(tx, ForLink, in.Email, in.Code); err != nil {
			return err
		}
		if fresh {
			a.User = User{Email: in.Email, Name: in.Name, Language: in.Language, Hash: hash, Created: s.now(), Changed: s.now()}
			if err := tx.AddUser(&a.User); err != nil {
				return err
			}
			return tx.Record(s.of(&a.User, v.Address, ActSignedUp, "", "link"))
		}
		if a.User, err = tx.UserByEmail(in.Email); err == nil && a.User.Disabled {
			err = errDisabled
		}
		return err
	})
	a.Address = v.Address
	return a, err
}

// At is a person in an organization in which they have a place; NotFound if
// they have none.
func (s *Service) At(ctx context.Context, a Actor, t fiscal.TaxpayerID) (Actor, error) {
	err := s.store.ReadAccess(ctx, func(tx Tx) (err error) {
		a.Member, err = tx.Member(a.User.ID, t)
		return err
	})
	a.Taxpayer = t
	return a, err
}
