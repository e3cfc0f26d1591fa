package access

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"openofd/internal/fiscal"
)

var (
	errWrong    = &fiscal.Error{Of: fiscal.Unauthenticated, Field: "password", Msg: "no such person, or another password"}
	errDisabled = &fiscal.Error{Of: fiscal.Denied, Field: "user", Msg: "shut out"}
)

// SignIn opens a session for who knows the password. half says that it is good
// only for SecondFactor.
//
// Errors: Unauthenticated with the Field "password"; RateLimited with a *Wait
// while the person is locked, also with the right password; both for whoever is
// not there too, after the same time. Denied for who was shut out; Overloaded.
func (s *Service) SignIn(ctx context.Context, email, password string, v Visit) (token string, half bool, err error) {
	email, err = CanonicalEmail(email)
	if err != nil || password == "" || len(password) > MaxPassword {
		if _, err := s.passwords.VerifyFor(ctx, s.nobody, ""); err != nil {
			return "", false, err
		}
		return "", false, errWrong
	}
	var u User
	err = s.store.ReadAccess(ctx, func(tx Tx) error {
		if u, err = tx.UserByEmail(email); !errors.Is(err, fiscal.NotFound) {
			return err
		}
		c, err := tx.Code(forNobody, email)
		if errors.Is(err, fiscal.NotFound) {
			err = nil
		}
		u = User{Hash: s.nobody, Guesses: c.Guesses}
		return err
	})
	if err != nil {
		return "", false, err
	}
	if err := u.locked(s.now()); err != nil {
		return "", false, err
	}
	right, err := s.passwords.VerifyFor(ctx, u.Hash, password)
	switch {
	case err != nil:
		return "", false, err
	case u.ID == 0:
		return "", false, errors.Join(errWrong, s.nobodyFailed(ctx, email))
	case !right:
		return "", false, s.failed(ctx, u.ID, v, errWrong)
	}
	return s.enter(ctx, &u, v)
}

// enter opens a session for who knew the password of the person that was read.
// Meanwhile others may have guessed too often, or the password has changed.
func (s *Service) enter(ctx context.Context, read *User, v Visit) (token string, half bool, err error) {
	err = s.store.WriteAccess(ctx, func(tx Tx) error {
		u, err := tx.User(read.ID)
		if err != nil {
			return err
		}
		if err := u.locked(s.now()); err != nil {
			return err
		}
		switch {
		case u.Hash != read.Hash:
			return errWrong
		case u.Disabled:
			return errDisabled
		}
		by := u.afterPassword()
		half = by == owesSecond
		if token, err = s.begin(tx, &u, v, by); err != nil || half {
			return err
		}
		return s.entered(tx, &u, v, "password")
	})
	return token, half, err
}

// afterPassword is how well a session is proved by the password alone.
func (u *User) afterPassword() proof {
	if u.TOTP != nil || u.Inspector != nil {
		return owesSecond
	}
	return byPassword
}

// nobodyFailed counts a wrong proof for an address that nobody has.
func (s *Service) nobodyFailed(ctx context.Context, email string) error {
	return s.store.WriteAccess(ctx, func(tx Tx) error {
		c, err := tx.Code(forNobody, email)
		if err != nil && !errors.Is(err, fiscal.NotFound) {
			return err
		}
		c.Purpose, c.Email = forNobody, email
		c.wrong(s.now())
		c.Ends = s.now().Add(forgiven)
		return tx.PutCode(c)
	})
}

// failed counts a wrong proof in a transaction of its own. It returns the
// refusal.
func (s *Service) failed(ctx context.Context, id UserID, v Visit, refusal error) error {
	var u User
	var tell bool
	err := s.store.WriteAccess(ctx, func(tx Tx) (err error) {
		if u, err = tx.User(id); err == nil {
			tell, err = s.wrongProof(tx, &u, v)
		}
		return err
	})
	if err == nil && tell {
		err = s.tellLocked(ctx, &u, v)
	}
	return errors.Join(refusal, err)
}

// wrongProof counts one against a person; tell says that they should hear of
// it. It comes last in a transaction.
func (s *Service) wrongProof(tx Tx, u *User, v Visit) (tell bool, err error) {
	act, over := ActSignInFailed, u.wrong(s.now())
	if over >= 0 {
		act = ActLocked
	}
	if err := tx.SetUser(u); err != nil {
		return false, err
	}
	return over == 0, tx.Record(s.of(u, v.Address, act, "", strconv.Itoa(u.Failures)))
}

func (s *Service) tellLocked(ctx context.Context, u *User, v Visit) error {
	return s.mail.Send(ctx, Mail{To: u.Email, Language: u.Language, Kind: MailLocked, Who: v.Address})
}

// entered notes that the person is in.
func (s *Service) entered(tx Tx, u *User, v Visit, by string) error {
	if u.Failures > 0 {
		u.Guesses = Guesses{}
		if err := tx.SetUser(u); err != nil {
			return err
		}
	}
	return tx.Record(s.of(u, v.Address, ActSignedIn, "", by))
}

// SecondFactor completes a half session by the authenticator's number or a
// recovery code. The token changes.
//
// Errors: Unauthenticated with the Field "session" when signing in has to begin
// anew, with "totp" for a wrong number.
func (s *Service) SecondFactor(ctx context.Context, token, proof string, v Visit) (full string, err error) {
	id := SessionID(sha256.Sum256([]byte(token)))
	var u User
	var refused error
	var tell bool
	err = s.store.ReadAccess(ctx, func(tx Tx) error {
		x, err := tx.Session(id)
		u.ID = x.User
		return err
	})
	if errors.Is(err, fiscal.NotFound) {
		return "", errNoSession
	}
	if err != nil {
		return "", err
	}
	err = s.store.WriteAccess(ctx, func(tx Tx) error {
		// The person before the session, as everywhere: nobody waits in a circle.
		if u, err = tx.User(u.ID); err != nil {
			return err
		}
		x, err := tx.Session(id)
		switch {
		case errors.Is(err, fiscal.NotFound) || err == nil && (!x.Half || !s.now().Before(x.Ends) || x.Tries >= halfTries):
			return errNoSession
		case err != nil:
			return err
		case u.Disabled:
			return errDisabled
		case u.Inspector != nil: // by certificate alone
			return errNoSession
		}
		if err := u.locked(s.now()); err != nil {
			return err
		}
		by, err := s.proves(&u, proof)
		if err != nil {
			return err
		}
		if by == "" {
			// Counted here, so that many tries at once are counted one by one.
			refused = &fiscal.Error{Of: fiscal.Unauthenticated, Field: "totp"}
			x.Tries++
			if err := tx.PutSession(x); err != nil {
				return err
			}
			tell, err = s.wrongProof(tx, &u, v)
			return err
		}
		u.Guesses = Guesses{}
		if err := tx.SetUser(&u); err != nil {
			return err
		}
		if err := tx.RemoveSession(id); err != nil {
			return err
		}
		if full, err = s.begin(tx, &u, v, byTwo); err != nil {
			return err
		}
		if by == "recovery" {
			if err := tx.Record(s.of(&u, v.Address, ActRecoveryUsed, "", strconv.Itoa(len(u.Recovery)))); err != nil {
				return err
			}
		}
		return tx.Record(s.of(&u, v.Address, ActSignedIn, "", by))
	})
	if err == nil && tell {
		err = s.tellLocked(ctx, &u, v)
	}
	if err = errors.Join(refused, err); err != nil {
		return "", err
	}
	return full, nil
}

// maxProof bounds a number or a recovery code as people type them, in bytes.
const maxProof = 64

// proves says by what a second factor is proved, "" if it is not. What can be
// used once is used up in u.
func (s *Service) proves(u *User, proof string) (string, error) {
	if u.TOTP == nil || len(proof) > maxProof {
		return "", nil
	}
	k, err := s.keys.ByID(u.TOTP.Key)
	if err != nil {
		return "", err
	}
	secret, err := open(&k, u.ID, u.TOTP.Sealed)
	if err != nil {
		return "", err
	}
	if step, ok := totpRight(secret, proof, s.now(), u.TOTP.Last); ok {
		u.TOTP.Last = step
		return "totp", nil
	}
	sum := hashRecovery(u.ID, proof)
	for i, h := range u.Recovery {
		if hmac.Equal(h, sum) {
			u.Recovery = append(u.Recovery[:i:i], u.Recovery[i+1:]...)
			return "recovery", nil
		}
	}
	return "", nil
}

// hashRecovery is how a recovery code is stored: 80 random bits need no slow
// hash.
func hashRecovery(u UserID, code string) []byte {
	code = strings.ToLower(strings.NewReplacer(" ", "", "-", "").Replace(code))
	h := sha256.Sum256(fmt.Appendf(nil, "recovery %d %s", u, code))
	return h[:]
}
