package access

import (
	"context"
	"encoding/base32"
	"errors"
	"fmt"
	"io"
	"strings"

	"openofd/internal/fiscal"
)

// What a person changes of themselves. Each asks for the password once more:
// who finds a browser open must not take the account with it.

// ChangePassword sets a new password and ends the person's other sessions and
// keys.
// Errors: Unauthenticated with the Field "password" for a wrong old one;
// BadValue with the Field "new_password".
func (s *Service) ChangePassword(ctx context.Context, a *Actor, old, password string) error {
	if err := checkPassword(password, a.User.Email, a.User.Name); err != nil {
		var e = *err.(*fiscal.Error)
		e.Field = "new_password"
		return &e
	}
	if err := s.again(ctx, a, old); err != nil {
		return err
	}
	hash, err := s.passwords.HashFor(ctx, password)
	if err != nil {
		return err
	}
	err = s.store.WriteAccess(ctx, func(tx Tx) error {
		u, _, err := s.self(tx, a)
		if err != nil {
			return err
		}
		u.Hash, u.Changed, u.Guesses = hash, s.now(), Guesses{}
		if err := tx.SetUser(&u); err != nil {
			return err
		}
		if _, err := endSessions(tx, u.ID, a.Session); err != nil {
			return err
		}
		if err := tx.Record(s.of(&u, a.Address, ActPasswordChanged, "", "")); err != nil {
			return err
		}
		return s.endKeys(tx, s.of(&u, a.Address, ActKeyEnded, "", ""))
	})
	if err != nil {
		return err
	}
	return s.mail.Send(ctx, Mail{To: a.User.Email, Language: a.User.Language, Kind: MailPasswordIsNew})
}

// again holds a password against the actor's own.
func (s *Service) again(ctx context.Context, a *Actor, password string) error {
	if err := a.User.locked(s.now()); err != nil {
		return err
	}
	if password == "" || len(password) > MaxPassword {
		return s.failed(ctx, a.User.ID, Visit{Address: a.Address}, errWrong)
	}
	right, err := s.passwords.VerifyFor(ctx, a.User.Hash, password)
	if err == nil && !right {
		err = s.failed(ctx, a.User.ID, Visit{Address: a.Address}, errWrong)
	}
	return err
}

// self is the actor as they are by now, and their session: for what again
// allowed on the password of a moment ago. Unauthenticated if that has changed,
// guesses have locked it, or the session was ended meanwhile.
func (s *Service) self(tx Tx, a *Actor) (u User, x Session, err error) {
	if u, err = tx.User(a.User.ID); err != nil {
		return u, x, err
	}
	if err := u.locked(s.now()); err != nil {
		return u, x, err
	}
	x, err = tx.Session(a.Session)
	if errors.Is(err, fiscal.NotFound) || err == nil && (u.Disabled || u.Hash != a.User.Hash || x.User != u.ID || x.Half) {
		err = errNoSession
	}
	return u, x, err
}

// SetProfile sets name and language.
func (s *Service) SetProfile(ctx context.Context, a *Actor, name, language string) error {
	name, err := personName(name)
	if err != nil {
		return err
	}
	return s.store.WriteAccess(ctx, func(tx Tx) error {
		u, err := tx.User(a.User.ID)
		if err != nil {
			return err
		}
		u.Name, u.Language = name, language
		return tx.SetUser(&u)
	})
}

// OfferTOTP makes a secret for an authenticator. Nothing is stored: it comes
// back with StartTOTP.
func (s *Service) OfferTOTP(a *Actor) (TOTPOffer, error) {
	secret := make([]byte, totpSecret)
	if _, err := io.ReadFull(s.rand, secret); err != nil {
		return TOTPOffer{}, fmt.Errorf("randomness for a second factor: %w", err)
	}
	return offerTOTP(secret, s.cfg.Issuer, a.User.Email), nil
}

// AgainTOTP words an offer once more, for a form that came back.
func (s *Service) AgainTOTP(a *Actor, secret string) (TOTPOffer, error) {
	raw, err := totpSecretOf(secret)
	if err != nil {
		return TOTPOffer{}, err
	}
	return offerTOTP(raw, s.cfg.Issuer, a.User.Email), nil
}

func totpSecretOf(text string) ([]byte, error) {
	raw, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(strings.ToUpper(strings.ReplaceAll(text, " ", "")))
	if err != nil || len(raw) != totpSecret {
		return nil, bad("secret", "is not the one that was offered")
	}
	return raw, nil
}

// recoveryCodes is how many ways in there are without the authenticator.
const recoveryCodes = 10

// StartTOTP turns the second factor on, once the authenticator shows a right
// number. The recovery codes are told once.
//
// Errors: Unauthenticated with the Field "password"; BadValue with the Field
// "totp".
func (s *Service) StartTOTP(ctx context.Context, a *Actor, password, secret, number string) (recovery []string, err error) {
	raw, err := totpSecretOf(secret)
	if err != nil {
		return nil, err
	}
	if err := s.again(ctx, a, password); err != nil {
		return nil, err
	}
	step, ok := totpRight(raw, number, s.now(), 0)
	if !ok {
		return nil, bad("totp", "wrong")
	}
	k, err := s.keys.At(fiscal.KeyForAccess, s.now())
	if err != nil {
		return nil, err
	}
	sealed, err := seal(&k, s.rand, a.User.ID, raw)
	if err != nil {
		return nil, err
	}
	var hashes [][]byte
	for range recoveryCodes {
		var b [10]byte
		if _, err := io.ReadFull(s.rand, b[:]); err != nil {
			return nil, fmt.Errorf("randomness for a recovery code: %w", err)
		}
		code := strings.ToLower(base32.StdEncoding.EncodeToString(b[:]))
		recovery = append(recovery, code[:4]+"-"+code[4:8]+"-"+code[8:12]+"-"+code[12:])
		hashes = append(hashes, hashRecovery(a.User.ID, code))
	}
	err = s.store.WriteAccess(ctx, func(tx Tx) error {
		u, x, err := s.self(tx, a)
		if err != nil {
			return err
		}
		u.TOTP, u.Recovery = &TOTP{Key: k.ID, Sealed: sealed, Last: step, Since: s.now()}, hashes
		if err := tx.SetUser(&u); err != nil {
			return err
		}
		x.Strong = true // both were shown just now
		if err := tx.PutSession(x); err != nil {
			return err
		}
		if _, err := endSessions(tx, u.ID, a.Session); err != nil {
			return err
		}
		return tx.Record(s.of(&u, a.Address, ActTOTPOn, "", ""))
	})
	if err != nil {
		return nil, err
	}
	return recovery, nil
}

// StopTOTP turns the second factor off.
func (s *Service) StopTOTP(ctx context.Context, a *Actor, password string) error {
	if err := s.again(ctx, a, password); err != nil {
		return err
	}
	return s.store.WriteAccess(ctx, func(tx Tx) error {
		u, _, err := s.self(tx, a)
		if err != nil || u.TOTP == nil {
			return err
		}
		u.TOTP, u.Recovery = nil, nil
		if err := tx.SetUser(&u); err != nil {
			return err
		}
		return tx.Record(s.of(&u, a.Address, ActTOTPOff, "", ""))
	})
}
