package access

import (
	"context"
	"errors"
	"slices"

	"openofd/internal/fiscal"
)

// SignUp sends a code to an address. Whether somebody has signed up with it
// already only its owner learns, by letter.
//
// Errors: BadValue and MissingParameter with the Field; RateLimited with a
// *Wait; Denied when the operator lets nobody sign up.
//
// Source: requirements E-025, E-026.
func (s *Service) SignUp(ctx context.Context, email, language string) error {
	if err := s.mayBegin(ctx, email); err != nil {
		return err
	}
	return s.sendCode(ctx, ForSignUp, email, language)
}

// mayBegin is Denied where nobody signs up who was not invited.
func (s *Service) mayBegin(ctx context.Context, email string) error {
	if !s.cfg.Closed {
		return nil
	}
	email, err := CanonicalEmail(email)
	if err != nil {
		return err
	}
	return s.store.ReadAccess(ctx, func(tx Tx) error {
		all, err := tx.InvitationsFor(email)
		if err != nil || slices.ContainsFunc(all, func(i Invitation) bool { return s.now().Before(i.Ends) }) {
			return err
		}
		return &fiscal.Error{Of: fiscal.Denied, Field: "sign_up"}
	})
}

// Forgot sends a code with which a new password can be set.
func (s *Service) Forgot(ctx context.Context, email, language string) error {
	return s.sendCode(ctx, ForReset, email, language)
}

func (s *Service) sendCode(ctx context.Context, p Purpose, email, language string) error {
	email, err := CanonicalEmail(email)
	if err != nil {
		return err
	}
	number, salt, hash, err := newCode(s.rand)
	if err != nil {
		return err
	}
	m := Mail{To: email, Language: language, Valid: codeLife}
	err = s.store.WriteAccess(ctx, func(tx Tx) error {
		c, err := tx.Code(p, email)
		switch {
		case errors.Is(err, fiscal.NotFound):
			c = Code{Purpose: p, Email: email}
		case err != nil:
			return err
		case s.now().Before(c.Ends):
			if err := c.mayWrite(s.now()); err != nil {
				return err
			}
		default:
			c.Letters, c.Tries = 0, 0
		}
		u, err := tx.UserByEmail(email)
		there := err == nil
		if err != nil && !errors.Is(err, fiscal.NotFound) {
			return err
		}
		if there {
			m.Language = u.Language
		}
		switch {
		case p == ForLink:
			m.Kind = MailLink
		case p == ForSignUp && there:
			m.Kind, number = MailAlreadyThere, ""
		case p == ForSignUp:
			m.Kind = MailSignUp
		case there:
			m.Kind = MailReset
		default:
			m.Kind, number = MailResetUnknown, ""
		}
		if c.Letters == 0 {
			c.Ends = s.now().Add(codeLife)
		}
		// Tries go on counting over the letters of one quarter of an hour.
		c.Salt, c.Hash, c.Language, c.Sent, c.Letters = salt, hash, language, s.now(), c.Letters+1
		if number == "" {
			c.Hash = nil // no number fits
		}
		return tx.PutCode(c)
	})
	if err != nil {
		return err
	}
	m.Code = number
	return s.mail.Send(ctx, m)
}

// NewUser is what a person tells of themselves.
type NewUser struct {
	Email    string
	Code     string
	Name     string
	Password string
	Language string
}

// Confirm makes the person that an address was confirmed for, and signs them
// in: token is for their browser.
//
// Errors: BadValue with the Field "code" (Msg wrong, expired, tries), and with
// "password" (short, long, known, own), "name"; MissingParameter.
//
// Source: requirements E-027 to E-029.
func (s *Service) Confirm(ctx context.Context, in NewUser, v Visit) (token string, u User, err error) {
	if in.Email, err = CanonicalEmail(in.Email); err != nil {
		return "", u, err
	}
	if in.Name, err = personName(in.Name); err != nil {
		return "", u, err
	}
	if err := checkPassword(in.Password, in.Email, in.Name); err != nil {
		return "", u, err
	}
	if err := s.checkCode(ctx, ForSignUp, in.Email, in.Code); err != nil {
		return "", u, err
	}
	hash, err := s.passwords.HashFor(ctx, in.Password)
	if err != nil {
		return "", u, err
	}
	u = User{Email: in.Email, Name: in.Name, Language: in.Language, Hash: hash, Created: s.now(), Changed: s.now()}
	err = s.store.WriteAccess(ctx, func(tx Tx) error {
		if err := s.useCode(tx, ForSignUp, in.Email, in.Code); err != nil {
			return err
		}
		if err := tx.AddUser(&u); err != nil {
			return err
		}
		if token, err = s.begin(tx, &u, v, byPassword); err != nil {
			return err
		}
		return tx.Record(s.of(&u, v.Address, ActSignedUp, "", ""))
	})
	return token, u, err
}

// checkCode counts a wrong try, which must outlive the error.
func (s *Service) checkCode(ctx context.Context, p Purpose, email, code string) error {
	if code == "" {
		return missing("code")
	}
	var refused error
	err := s.store.WriteAccess(ctx, func(tx Tx) error {
		c, err := tx.Code(p, email)
		if errors.Is(err, fiscal.NotFound) {
			refused = bad("code", "wrong")
			return nil
		}
		if err != nil {
			return err
		}
		if refused = c.usable(s.now()); refused != nil || c.right(code) {
			return nil
		}
		refused = bad("code", "wrong")
		c.Tries++
		return tx.PutCode(c)
	})
	return errors.Join(err, refused)
}

// useCode takes a code that is right; of two who use it at once one is late.
func (s *Service) useCode(tx Tx, p Purpose, email, code string) error {
	c, err := tx.Code(p, email)
	if errors.Is(err, fiscal.NotFound) {
		return bad("code", "wrong")
	}
	if err != nil {
		return err
	}
	if err := c.usable(s.now()); err != nil {
		return err
	}
	if !c.right(code) {
		return bad("code", "wrong")
	}
	return tx.RemoveCode(p, email)
}

// Reset sets a new password by a code from a letter, ends every session of the
// person and opens this one. A second factor stays and is asked for.
func (s *Service) Reset(ctx context.Context, email, code, password string, v Visit) (token string, half bool, err error) {
	if email, err = CanonicalEmail(email); err != nil {
		return "", false, err
	}
	if err := checkPassword(password, email, ""); err != nil {
		return "", false, err
	}
	if err := s.checkCode(ctx, ForReset, email, code); err != nil {
		return "", false, err
	}
	hash, err := s.passwords.HashFor(ctx, password)
	if err != nil {
		return "", false, err
	}
	var u User
	err = s.store.WriteAccess(ctx, func(tx Tx) error {
		if err := s.useCode(tx, ForReset, email, code); err != nil {
			return err
		}
		if u, err = tx.UserByEmail(email); err != nil {
			return err
		}
		if u.Disabled {
			return errDisabled
		}
		u.Hash, u.Changed, u.Guesses = hash, s.now(), Guesses{}
		if err := tx.SetUser(&u); err != nil {
			return err
		}
		if _, err := endSessions(tx, u.ID, SessionID{}); err != nil {
			return err
		}
		by := u.afterPassword()
		half = by == owesSecond
		if token, err = s.begin(tx, &u, v, by); err != nil {
			return err
		}
		if err := tx.Record(s.of(&u, v.Address, ActPasswordReset, "", "")); err != nil {
			return err
		}
		return s.endKeys(tx, s.of(&u, v.Address, ActKeyEnded, "", ""))
	})
	if err == nil {
		err = s.mail.Send(ctx, Mail{To: u.Email, Language: u.Language, Kind: MailPasswordIsNew})
	}
	return token, half, err
}
