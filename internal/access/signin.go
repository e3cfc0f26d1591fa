package access

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"
	"time"

	"openofd/internal/fiscal"
)

// What a wrong proof costs: nothing at first, then a wait that doubles.
const (
	freeFailures = 5
	firstLock    = time.Minute
	lastLock     = time.Hour
)

var (
	errWrong    = &fiscal.Error{Of: fiscal.Unauthenticated, Field: "password", Msg: "no such person, or another password"}
	errDisabled = &fiscal.Error{Of: fiscal.Denied, Field: "user", Msg: "shut out"}
)

// SignIn opens a session for who knows the password. half says that it is good
// only for SecondFactor.
//
// Errors: Unauthenticated with the Field "password", for whoever is not there
// too, after the same time; RateLimited with a *Wait while the person is
// locked, also with the right password; Denied for who was shut out.
func (s *Service) SignIn(ctx context.Context, email, password string, v Visit) (token string, half bool, err error) {
	email, err = CanonicalEmail(email)
	if err != nil || password == "" || len(password) > MaxPassword {
		s.passwords.Verify(s.nobody, "")
		return "", false, errWrong
	}
	var u User
	err = s.store.ReadAccess(ctx, func(tx Tx) error {
		u, err = tx.UserByEmail(email)
		return err
	})
	if errors.Is(err, fiscal.NotFound) {
		s.passwords.Verify(s.nobody, password)
		return "", false, errWrong
	}
	if err != nil {
		return "", false, err
	}
	if err := s.locked(&u); err != nil {
		return "", false, err
	}
	if !s.passwords.Verify(u.Hash, password) {
		return "", false, s.failed(ctx, u.ID, v, errWrong)
	}
	if u.Disabled {
		return "", false, errDisabled
	}
	half = u.TOTP != nil
	err = s.store.WriteAccess(ctx, func(tx Tx) error {
		if u, err = tx.User(u.ID); err != nil {
			return err
		}
		if token, err = s.begin(tx, &u, v, half); err != nil || half {
			return err
		}
		return s.entered(tx, &u, v, "password")
	})
	return token, half, err
}

// locked is RateLimited while nobody may sign in as this person.
func (s *Service) locked(u *User) error {
	if wait := u.Locked.Sub(s.now()); wait > 0 {
		return &fiscal.Error{Reason: fiscal.RateLimited, Field: "user", Err: &Wait{wait}}
	}
	return nil
}

// failed counts a wrong proof and locks when there were too many. It returns
// the refusal.
func (s *Service) failed(ctx context.Context, id UserID, v Visit, refusal error) error {
	var locked *User
	err := s.store.WriteAccess(ctx, func(tx Tx) error {
		u, err := tx.User(id)
		if err != nil {
			return err
		}
		u.Failures++
		act := ActSignInFailed
		if over := u.Failures - freeFailures; over >= 0 {
			u.Locked = s.now().Add(min(firstLock<<min(over, 6), lastLock))
			act = ActLocked
			if over == 0 {
				locked = &u
			}
		}
		if err := tx.SetUser(&u); err != nil {
			return err
		}
		return tx.Record(s.of(&u, v.Address, act, "", fmt.Sprintf("%d", u.Failures)))
	})
	if err == nil && locked != nil {
		err = s.mail.Send(ctx, Mail{To: locked.Email, Language: locked.Language, Kind: MailLocked, Who: v.Address})
	}
	return errors.Join(refusal, err)
}

// entered notes that the person is in.
func (s *Service) entered(tx Tx, u *User, v Visit, by string) error {
	if u.Failures > 0 {
		u.Failures, u.Locked = 0, time.Time{}
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
	var refused error
	var user UserID
	err = s.store.WriteAccess(ctx, func(tx Tx) error {
		x, err := tx.Session(id)
		if err != nil || !x.Half || !s.now().Before(x.Ends) || x.Tries >= halfTries {
			refused = errNoSession
			if errors.Is(err, fiscal.NotFound) {
				err = nil
			}
			return err
		}
		u, err := tx.User(x.User)
		if err != nil {
			return err
		}
		user = u.ID
		if refused = s.locked(&u); refused != nil {
			return nil
		}
		by, err := s.proves(&u, proof)
		if err != nil {
			return err
		}
		if by == "" || u.Disabled {
			refused = &fiscal.Error{Of: fiscal.Unauthenticated, Field: "totp"}
			x.Tries++
			return tx.PutSession(x)
		}
		u.Failures, u.Locked = 0, time.Time{}
		if err := tx.SetUser(&u); err != nil {
			return err
		}
		if err := tx.RemoveSession(id); err != nil {
			return err
		}
		if full, err = s.begin(tx, &u, v, false); err != nil {
			return err
		}
		if by == "recovery" {
			if err := tx.Record(s.of(&u, v.Address, ActRecoveryUsed, "", fmt.Sprintf("%d", len(u.Recovery)))); err != nil {
				return err
			}
		}
		return tx.Record(s.of(&u, v.Address, ActSignedIn, "", by))
	})
	if err == nil && refused != nil && user != 0 && errors.Is(refused, fiscal.Unauthenticated) {
		return "", s.failed(ctx, user, v, refused)
	}
	return full, errors.Join(err, refused)
}

// proves says by what a second factor is proved, "" if it is not. What can be
// used once is used up in u.
func (s *Service) proves(u *User, proof string) (string, error) {
	if u.TOTP == nil {
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
