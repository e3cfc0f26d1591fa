package access

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"openofd/internal/fiscal"
)

// Invitation waits for a person to take their place in an organization. Who
// owns the address may; there is no secret in it.
type Invitation struct {
	Taxpayer fiscal.TaxpayerID `json:"-"`
	Email    string            `json:"-"`
	Role     Role              `json:"role"`
	Outlets  []fiscal.OutletID `json:"outlets,omitempty"`
	By       string            `json:"by"`
	Sent     time.Time         `json:"sent"`
	Ends     time.Time         `json:"ends"`
}

const invitationLife = 14 * 24 * time.Hour

// maxMembers bounds the people of one organization.
const maxMembers = 1000

// Found makes a person the owner of an organization that has none, or a
// further member if its owner is this person already. Conflict if it has an
// owner: who then invites.
func (s *Service) Found(ctx context.Context, a *Actor, t fiscal.TaxpayerID, title string) error {
	return s.store.WriteAccess(ctx, func(tx Tx) error {
		all, err := tx.Members(t)
		if err != nil {
			return err
		}
		for _, m := range all {
			if m.User == a.User.ID {
				return s.choose(tx, a, t)
			}
			if m.Role == Owner {
				return errOwned
			}
		}
		return s.found(tx, a, t, title)
	})
}

func (s *Service) found(tx Tx, a *Actor, t fiscal.TaxpayerID, title string) error {
	if err := tx.PutMember(Member{User: a.User.ID, Taxpayer: t, Role: Owner, Since: s.now().Format(time.DateOnly), By: a.User.ID}); err != nil {
		return err
	}
	if err := s.choose(tx, a, t); err != nil {
		return err
	}
	r := s.in(a, ActFounded, title, "")
	r.Taxpayer = t
	return tx.Record(r)
}

// choose has the actor's session be about an organization. Who acts without one
// has nothing to choose.
func (s *Service) choose(tx Tx, a *Actor, t fiscal.TaxpayerID) error {
	if a.Session == (SessionID{}) {
		return nil
	}
	x, err := tx.Session(a.Session)
	if err != nil {
		return err
	}
	x.Taxpayer = t
	return tx.PutSession(x)
}

// Places lists the organizations of the person, and the invitations to others.
func (s *Service) Places(ctx context.Context, a *Actor) (in []Member, invited []Invitation, err error) {
	err = s.store.ReadAccess(ctx, func(tx Tx) error {
		if in, err = tx.Memberships(a.User.ID); err != nil {
			return err
		}
		all, err := tx.InvitationsFor(a.User.Email)
		for _, i := range all {
			if s.now().Before(i.Ends) {
				invited = append(invited, i)
			}
		}
		return err
	})
	return in, invited, err
}

// Colleague is a member as lists show them.
type Colleague struct {
	Member
	Name, Email string
	TOTP        bool // or what counts as a second factor
	Disabled    bool
}

// Members lists the people of the actor's organization and the invitations.
func (s *Service) Members(ctx context.Context, a *Actor) (people []Colleague, invited []Invitation, err error) {
	if err := a.Must(ManageUsers); err != nil {
		return nil, nil, err
	}
	err = s.store.ReadAccess(ctx, func(tx Tx) error {
		all, err := tx.Members(a.Taxpayer)
		if err != nil {
			return err
		}
		for _, m := range all {
			u, err := tx.User(m.User)
			if err != nil {
				return err
			}
			people = append(people, Colleague{m, u.Name, u.Email, u.Strong(), u.Disabled})
		}
		invited, err = tx.Invitations(a.Taxpayer)
		return err
	})
	return people, invited, err
}

// Invite sends an invitation into the actor's organization, once more if there
// is one. Only an owner makes owners.
//
// Errors: Denied; Invalid; AlreadyThere with the Field "email" for who is in;
// RateLimited with a *Wait while very many letters have gone out.
func (s *Service) Invite(ctx context.Context, a *Actor, email string, role Role, outlets []fiscal.OutletID, organization, language string) error {
	if err := a.mayGrant(role, outlets); err != nil {
		return err
	}
	email, err := CanonicalEmail(email)
	if err != nil {
		return err
	}
	if err := s.mayWrite(ctx, a.Taxpayer, email); err != nil {
		return err
	}
	err = s.store.WriteAccess(ctx, func(tx Tx) error {
		people, err := a.still(tx)
		if err != nil {
			return err
		}
		u, err := tx.UserByEmail(email)
		if err == nil {
			if slices.ContainsFunc(people, func(m Member) bool { return m.User == u.ID }) {
				return &fiscal.Error{Reason: fiscal.AlreadyThere, Field: "email", Msg: "is in the organization"}
			}
			language = u.Language
		} else if !errors.Is(err, fiscal.NotFound) {
			return err
		}
		all, err := tx.Invitations(a.Taxpayer)
		if err != nil {
			return err
		}
		if len(all)+len(people) >= maxMembers {
			return &fiscal.Error{Reason: fiscal.RateLimited, Field: "email"}
		}
		i := Invitation{Taxpayer: a.Taxpayer, Email: email, Role: role, Outlets: outlets, By: a.User.Email, Sent: s.now(), Ends: s.now().Add(invitationLife)}
		if err := tx.PutInvitation(i); err != nil {
			return err
		}
		return tx.Record(s.in(a, ActInvited, email, grantWords(role, outlets)))
	})
	if err != nil {
		return err
	}
	return s.mail.Send(ctx, Mail{To: email, Language: language, Kind: MailInvited, Who: a.User.Name, Name: organization, Valid: invitationLife})
}

// mayGrant is Denied unless the actor may give this role at these outlets:
// nobody gives more than they have, and a key no more than it has.
func (a *Actor) mayGrant(role Role, outlets []fiscal.OutletID) error {
	if role.Rights() == 0 {
		return bad("role", "there is no such role")
	}
	if err := a.Must(ManageUsers); err != nil {
		return err
	}
	if role == Owner && a.Member.Role != Owner {
		return &fiscal.Error{Of: fiscal.Denied, Field: "role", Msg: "only an owner makes owners"}
	}
	if a.Key != 0 && role.Rights()&^a.Scopes != 0 {
		return &fiscal.Error{Of: fiscal.Denied, Field: "role", Msg: "the role may more than the key"}
	}
	if !a.within(outlets) {
		return &fiscal.Error{Of: fiscal.Denied, Field: "outlets", Msg: "more outlets than one's own"}
	}
	return nil
}

func grantWords(r Role, outlets []fiscal.OutletID) string {
	if len(outlets) == 0 {
		return string(r)
	}
	return fmt.Sprintf("%s, outlets %v", r, outlets)
}

// Withdraw takes an invitation back.
func (s *Service) Withdraw(ctx context.Context, a *Actor, email string) error {
	if err := a.Must(ManageUsers); err != nil {
		return err
	}
	return s.store.WriteAccess(ctx, func(tx Tx) error {
		if _, err := a.still(tx); err != nil {
			return err
		}
		if _, err := tx.Invitation(a.Taxpayer, email); err != nil {
			return err
		}
		if err := tx.RemoveInvitation(a.Taxpayer, email); err != nil {
			return err
		}
		return tx.Record(s.in(a, ActInvitationEnded, email, ""))
	})
}

// Join takes up an invitation and goes there.
func (s *Service) Join(ctx context.Context, a *Actor, t fiscal.TaxpayerID) error {
	return s.store.WriteAccess(ctx, func(tx Tx) error {
		return s.join(tx, a, t)
	})
}

// join takes up an invitation; NotFound if none holds.
func (s *Service) join(tx Tx, a *Actor, t fiscal.TaxpayerID) error {
	i, err := s.invitation(tx, a.User.Email, t)
	if err != nil {
		return err
	}
	if err := tx.RemoveInvitation(t, a.User.Email); err != nil {
		return err
	}
	return s.seat(tx, a, Member{Taxpayer: t, Role: i.Role, Outlets: i.Outlets})
}

// invitation is the one of an address to an organization; NotFound if there is
// none, or it has ended.
func (s *Service) invitation(tx Tx, email string, t fiscal.TaxpayerID) (Invitation, error) {
	i, err := tx.Invitation(t, email)
	if err == nil && !s.now().Before(i.Ends) {
		err = &fiscal.Error{Reason: fiscal.NothingThere, Field: "invitation"}
	}
	return i, err
}

// seat gives the actor a place, goes there and records it.
func (s *Service) seat(tx Tx, a *Actor, m Member) error {
	m.User, m.By, m.Since = a.User.ID, a.User.ID, s.now().Format(time.DateOnly)
	if err := tx.PutMember(m); err != nil {
		return err
	}
	if err := s.choose(tx, a, m.Taxpayer); err != nil {
		return err
	}
	r := s.in(a, ActJoined, "", grantWords(m.Role, m.Outlets))
	r.Taxpayer = m.Taxpayer
	return tx.Record(r)
}

// SetRole changes what a person is in the actor's organization. The last owner
// stays one.
func (s *Service) SetRole(ctx context.Context, a *Actor, u UserID, role Role, outlets []fiscal.OutletID) error {
	if err := a.mayGrant(role, outlets); err != nil {
		return err
	}
	return s.store.WriteAccess(ctx, func(tx Tx) error {
		m, who, err := s.colleague(tx, a, u, role == Owner)
		if err != nil {
			return err
		}
		before := grantWords(m.Role, m.Outlets)
		m.Role, m.Outlets = role, slices.Clone(outlets)
		if err := tx.PutMember(m); err != nil {
			return err
		}
		return tx.Record(s.in(a, ActRoleChanged, who, before+" → "+grantWords(role, outlets)))
	})
}

// Remove ends a person's place in the actor's organization: from their next
// request on they see nothing of it. The last owner stays.
//
// Source: requirement P-084.
func (s *Service) Remove(ctx context.Context, a *Actor, u UserID) error {
	if u != a.User.ID || a.Key != 0 {
		if err := a.Must(ManageUsers); err != nil {
			return err
		}
	}
	return s.store.WriteAccess(ctx, func(tx Tx) error {
		m, who, err := s.colleague(tx, a, u, false)
		if err != nil {
			return err
		}
		if err := tx.RemoveMember(u, a.Taxpayer); err != nil {
			return err
		}
		return tx.Record(s.in(a, ActRemoved, who, grantWords(m.Role, m.Outlets)))
	})
}

// still lists the people of the actor's organization. Denied if the actor's own
// place among them has changed since their request began.
func (a *Actor) still(tx Tx) ([]Member, error) {
	all, err := tx.Members(a.Taxpayer)
	if err == nil && !slices.ContainsFunc(all, func(m Member) bool { return m.User == a.User.ID && m.Role == a.Member.Role }) {
		err = &fiscal.Error{Of: fiscal.Denied, Field: "role", Msg: "the role has changed"}
	}
	return all, err
}

// colleague finds a member who is about to change. An owner is changed by
// owners alone, and unless one stays an owner not the last.
func (s *Service) colleague(tx Tx, a *Actor, u UserID, stays bool) (m Member, who string, err error) {
	all, err := a.still(tx)
	if err != nil {
		return m, "", err
	}
	owners := 0
	for _, x := range all {
		if x.Role == Owner {
			owners++
		}
		if x.User == u {
			m = x
		}
	}
	switch {
	case m.User == 0:
		return m, "", &fiscal.Error{Reason: fiscal.NothingThere, Field: "user"}
	case m.Role == Owner && a.Member.Role != Owner:
		return m, "", &fiscal.Error{Of: fiscal.Denied, Field: "role", Msg: "an owner is changed by owners alone"}
	case m.Role == Owner && !stays && owners == 1:
		return m, "", &fiscal.Error{Of: fiscal.Conflict, Field: "role", Msg: "the last owner stays"}
	}
	them, err := tx.User(u)
	return m, them.Email, err
}
