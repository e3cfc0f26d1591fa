package access

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"openofd/internal/fiscal"
)

// Enter gives a person who has shown a signature of an organization a place in
// it: in one without an owner they become it; who is invited takes what they are
// invited to; and who may speak for the organization by law gets by, if that is
// not "", for nobody can keep them out of what is theirs. The owners get a letter
// of the last. Once more changes nothing.
//
// Errors: AlreadyThere with the Field "organization" if it has an owner and
// nothing of this holds: they invite.
//
// Source: requirements E-044, E-047.
func (s *Service) Enter(ctx context.Context, a *Actor, t fiscal.TaxpayerID, title string, by Role) error {
	var owners []User
	err := s.store.WriteAccess(ctx, func(tx Tx) error {
		owners = nil
		people, err := tx.Members(t)
		if err != nil {
			return err
		}
		if slices.ContainsFunc(people, func(m Member) bool { return m.User == a.User.ID }) {
			return s.choose(tx, a, t)
		}
		if err := s.join(tx, a, t); !errors.Is(err, fiscal.NotFound) {
			return err
		}
		owned := slices.DeleteFunc(slices.Clone(people), func(m Member) bool { return m.Role != Owner })
		switch {
		case len(owned) == 0:
			return s.found(tx, a, t, title)
		case by == "":
			return errOwned
		case len(people) >= maxMembers:
			return &fiscal.Error{Reason: fiscal.RateLimited, Field: "organization"}
		}
		for _, m := range owned {
			u, err := tx.User(m.User)
			if err != nil {
				return err
			}
			owners = append(owners, u)
		}
		return s.seat(tx, a, Member{Taxpayer: t, Role: by})
	})
	if err != nil {
		return err
	}
	who := a.User.Name + ", " + a.User.Email
	for i := range owners { // a notice; what was done stands without it
		_ = s.mail.Send(ctx, Mail{To: owners[i].Email, Language: owners[i].Language, Kind: MailEntered, Who: who, Name: title})
	}
	return nil
}

var errOwned = &fiscal.Error{Reason: fiscal.AlreadyThere, Field: "organization", Msg: "it has an owner, who can invite"}

// Awaited holds the code from AskLink against an address and looks for its
// invitation, without using either: a wrong organization costs no letter, and
// makes nobody a user.
//
// Errors: BadValue with the Field "code"; NotFound with the Field "invitation",
// also if t is 0.
func (s *Service) Awaited(ctx context.Context, email, code string, t fiscal.TaxpayerID) error {
	email, err := CanonicalEmail(email)
	if err != nil {
		return err
	}
	if err := s.checkCode(ctx, ForLink, email, code); err != nil {
		return err
	}
	err = s.store.ReadAccess(ctx, func(tx Tx) error {
		_, err := s.invitation(tx, email, t)
		return err
	})
	if errors.Is(err, fiscal.NotFound) {
		err = &fiscal.Error{Reason: fiscal.NothingThere, Field: "invitation"}
	}
	return err
}

// LinkKey makes a key for the program in which a person has linked their
// organization: it may what they may, as far as Scopes go, and never more. Such
// a key stands for a session, so the right to make keys is not needed.
//
// Errors: Denied if nothing is left that it may; else those of MakeKey.
func (s *Service) LinkKey(ctx context.Context, a *Actor, in NewKey) (token string, k APIKey, err error) {
	if a.Key != 0 {
		return "", k, &fiscal.Error{Of: fiscal.Denied, Field: "key", Msg: "a key looks after no keys"}
	}
	if in.Scopes &= a.Member.Role.Rights(); in.Scopes == 0 {
		return "", k, &fiscal.Error{Of: fiscal.Denied, Field: "scopes", Msg: fmt.Sprintf("nothing for the role %s", a.Member.Role)}
	}
	return s.makeKey(ctx, a, in)
}
