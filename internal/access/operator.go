package access

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"openofd/internal/fiscal"
)

// Operator is who acts on people from outside of the cabinet: the command line
// of the operator's own machine. By names it in the records.
type Operator struct {
	*Service
	By string
}

// note begins a record of what the operator did to a person.
func (o Operator) note(u *User, act Act, detail string) *Record {
	return &Record{At: o.now(), Who: o.By, Act: act, Object: u.Email, Detail: detail}
}

// Note records what the operator did to an organization.
func (o Operator) Note(ctx context.Context, t fiscal.TaxpayerID, act Act, object, detail string) error {
	return o.store.WriteAccess(ctx, func(tx Tx) error {
		return tx.Record(&Record{At: o.now(), Who: o.By, Taxpayer: t, Act: act, Object: object, Detail: detail})
	})
}

// AddUser makes a person whose address nobody confirmed; in.Code is not used.
//
// Errors: AlreadyThere with the Field "email"; those of Confirm.
func (o Operator) AddUser(ctx context.Context, in NewUser, staff bool) (u User, err error) {
	if in.Email, err = CanonicalEmail(in.Email); err != nil {
		return u, err
	}
	if in.Name, err = personName(in.Name); err != nil {
		return u, err
	}
	if err := checkPassword(in.Password, in.Email, in.Name); err != nil {
		return u, err
	}
	hash, err := o.passwords.HashFor(ctx, in.Password)
	if err != nil {
		return u, err
	}
	u = User{Email: in.Email, Name: in.Name, Language: in.Language, Hash: hash, Created: o.now(), Changed: o.now(), Staff: staff}
	err = o.store.WriteAccess(ctx, func(tx Tx) error {
		if err := tx.AddUser(&u); err != nil {
			return err
		}
		detail := ""
		if staff {
			detail = "staff"
		}
		return tx.Record(o.note(&u, ActUserAdded, detail))
	})
	return u, err
}

// Person is somebody with their places.
type Person struct {
	User
	Places []Member
}

// People lists everybody by number from after (exclusive), limit at most.
func (o Operator) People(ctx context.Context, after UserID, limit int) (all []Person, err error) {
	err = o.store.ReadAccess(ctx, func(tx Tx) error {
		users, err := tx.Users(after, limit)
		if err != nil {
			return err
		}
		for _, u := range users {
			places, err := tx.Memberships(u.ID)
			if err != nil {
				return err
			}
			all = append(all, Person{u, places})
		}
		return nil
	})
	return all, err
}

// change changes a person by address. NotFound with the Field "user".
func (o Operator) change(ctx context.Context, email string, do func(tx Tx, u *User) error) (u User, err error) {
	if email, err = CanonicalEmail(email); err != nil {
		return u, err
	}
	err = o.store.WriteAccess(ctx, func(tx Tx) error {
		u, err = tx.UserByEmail(email)
		if errors.Is(err, fiscal.NotFound) {
			return &fiscal.Error{Reason: fiscal.NothingThere, Field: "user"}
		}
		if err != nil {
			return err
		}
		return do(tx, &u)
	})
	return u, err
}

// SetPassword gives a person a new password, opens what guesses have locked and
// ends their sessions and keys. alone also forgets the second factor and the passkeys of
// who has lost them.
func (o Operator) SetPassword(ctx context.Context, email, password string, alone bool) error {
	if err := checkPassword(password, email, ""); err != nil {
		return err
	}
	hash, err := o.passwords.HashFor(ctx, password)
	if err != nil {
		return err
	}
	u, err := o.change(ctx, email, func(tx Tx, u *User) error {
		u.Hash, u.Changed, u.Guesses = hash, o.now(), Guesses{}
		detail := ""
		if alone && u.Strong() {
			u.TOTP, u.Recovery, u.Passkeys = nil, nil, nil
			detail = "second factors forgotten"
		}
		if err := tx.SetUser(u); err != nil {
			return err
		}
		if _, err := endSessions(tx, u.ID, SessionID{}); err != nil {
			return err
		}
		if err := tx.Record(o.note(u, ActPasswordSet, detail)); err != nil {
			return err
		}
		r := o.note(u, ActKeyEnded, "")
		r.User = u.ID
		return o.endKeys(tx, r)
	})
	if err != nil {
		return err
	}
	return o.mail.Send(ctx, Mail{To: u.Email, Language: u.Language, Kind: MailPasswordIsNew})
}

// Disable shuts a person out at once, or lets them in again. What they did
// stays under their name.
func (o Operator) Disable(ctx context.Context, email string, disabled bool) error {
	return o.set(ctx, email, func(u *User) *bool { return &u.Disabled }, disabled, ActUserDisabled, ActUserEnabled)
}

// SetStaff says whether a person works for the operator.
func (o Operator) SetStaff(ctx context.Context, email string, staff bool) error {
	return o.set(ctx, email, func(u *User) *bool { return &u.Staff }, staff, ActStaffOn, ActStaffOff)
}

// set changes one thing that a person is or is not, and records it as on or off.
func (o Operator) set(ctx context.Context, email string, what func(*User) *bool, to bool, on, off Act) error {
	_, err := o.change(ctx, email, func(tx Tx, u *User) error {
		if *what(u) == to {
			return nil
		}
		if *what(u) = to; !to {
			on = off
		}
		return o.changed(tx, u, on)
	})
	return err
}

// changed stores a person whose sessions must not outlive the change.
func (o Operator) changed(tx Tx, u *User, act Act) error {
	if err := tx.SetUser(u); err != nil {
		return err
	}
	if _, err := endSessions(tx, u.ID, SessionID{}); err != nil {
		return err
	}
	return tx.Record(o.note(u, act, ""))
}

// Place gives a person a role in an organization, or with "" ends their place
// there. The last owner stays: Conflict.
func (o Operator) Place(ctx context.Context, email string, t fiscal.TaxpayerID, role Role) error {
	if role != "" && role.Rights() == 0 {
		return bad("role", "there is no such role")
	}
	email, err := CanonicalEmail(email)
	if err != nil {
		return err
	}
	return o.store.WriteAccess(ctx, func(tx Tx) error {
		all, err := tx.Members(t) // before the person, as everywhere
		if err != nil {
			return err
		}
		u, err := tx.UserByEmail(email)
		if errors.Is(err, fiscal.NotFound) {
			return &fiscal.Error{Reason: fiscal.NothingThere, Field: "user"}
		}
		if err != nil {
			return err
		}
		m := Member{User: u.ID, Taxpayer: t, Since: o.now().Format(time.DateOnly)}
		owners := 0
		for _, x := range all {
			if x.Role == Owner && x.User != u.ID {
				owners++
			}
		}
		i := slices.IndexFunc(all, func(x Member) bool { return x.User == u.ID })
		if i >= 0 {
			m = all[i]
		}
		before := grantWords(m.Role, m.Outlets)
		if before == string(Owner) && role != Owner && owners == 0 {
			return &fiscal.Error{Of: fiscal.Conflict, Field: "role", Msg: "the last owner stays"}
		}
		r := o.note(&u, ActRoleChanged, before+" → "+string(role))
		r.Taxpayer = t
		switch {
		case role == "" && i < 0:
			return &fiscal.Error{Reason: fiscal.NothingThere, Field: "role", Msg: "has no place there"}
		case role == "":
			r.Act, r.Detail = ActRemoved, before
			err = tx.RemoveMember(u.ID, t)
		default:
			if i < 0 {
				r.Act, r.Detail = ActJoined, string(role)
			}
			m.Role, m.Outlets = role, nil
			err = tx.PutMember(m)
		}
		if err != nil {
			return err
		}
		return tx.Record(r)
	})
}

// AuditOf lists records of a chain, newest first, from before (exclusive; 0:
// the end): of an organization, or with 0 of none.
func (o Operator) AuditOf(ctx context.Context, t fiscal.TaxpayerID, before uint64, limit int) ([]Record, error) {
	return o.store.Audit(ctx, t, before, limit)
}

// verifyPage is how many records are held in memory at once.
const verifyPage = 1000

// VerifyAudit walks a chain to its beginning. Corrupt names what does not fit.
func VerifyAudit(ctx context.Context, store Store, t fiscal.TaxpayerID) (records uint64, err error) {
	var above *Record // the oldest of those that are known to be whole
	for before := uint64(0); ; {
		page, err := store.Audit(ctx, t, before, verifyPage)
		if err != nil {
			return records, err
		}
		if len(page) == 0 {
			if above != nil && above.Seq != 1 {
				err = &fiscal.Error{Of: fiscal.Corrupt, Field: "audit", Msg: fmt.Sprintf("records of taxpayer %d before %d are gone", t, above.Seq)}
			}
			return records, err
		}
		records += uint64(len(page))
		slices.Reverse(page)
		chain := page
		if above != nil {
			chain = append(chain, *above)
		}
		if err := VerifyChain(chain); err != nil {
			return records, err
		}
		above = &page[0]
		before = page[0].Seq
	}
}
