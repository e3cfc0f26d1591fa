package access

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"time"

	"openofd/internal/fiscal"
	"openofd/internal/signature"
)

// Judge verifies signatures; *signature.Verifier is one.
type Judge interface {
	Verify(file, content []byte) (*signature.Verdict, error)
}

// certificateLife is how long an inspector has to sign: they may carry the text
// to another program.
const certificateLife = halfLife

var errOtherPerson = &fiscal.Error{Of: fiscal.Unauthenticated, Field: "signature", Msg: "other_person"}

// Owing is the inspector whose session behind a token waits for their signature.
// Unauthenticated if it waits for nobody's.
func (s *Service) Owing(ctx context.Context, token string) (User, error) {
	_, u, err := s.half(ctx, token)
	return u, err
}

// half is the session behind a token that waits for an inspector's signature.
// Unauthenticated with the Field "session" if there is none.
func (s *Service) half(ctx context.Context, token string) (x Session, u User, err error) {
	err = s.store.ReadAccess(ctx, func(tx Tx) error {
		if x, err = tx.Session(sha256.Sum256([]byte(token))); err == nil {
			u, err = tx.User(x.User)
		}
		return err
	})
	if errors.Is(err, fiscal.NotFound) || err == nil && (!x.Half || !s.now().Before(x.Ends) || u.Inspector == nil || u.Disabled) {
		err = errNoSession
	}
	return x, u, err
}

// AskCertificate makes a challenge for the session behind a token: good once,
// for this session, for minutes. Its text is what the inspector signs.
//
// Errors: Unauthenticated with the Field "session" when signing in has to begin
// anew.
func (s *Service) AskCertificate(ctx context.Context, token string) (challenge string, err error) {
	x, _, err := s.half(ctx, token)
	if err != nil {
		return "", err
	}
	b, err := s.challengeFor(x.ID, certificateLife)
	return base64.RawURLEncoding.EncodeToString(b), err
}

// CertificateText is the text of a challenge: the exact bytes that are signed.
// They say who enters where, so that nobody signs them for something else.
func (s *Service) CertificateText(ctx context.Context, token, challenge string) ([]byte, error) {
	x, u, err := s.half(ctx, token)
	if err != nil {
		return nil, err
	}
	code, err := s.challenged(challenge, x.ID)
	if err != nil {
		return nil, errNoSession
	}
	return s.certificateText(&u, challenge, code.Ends), nil
}

func (s *Service) certificateText(u *User, challenge string, ends time.Time) []byte {
	return fmt.Appendf(nil, "%s\nВход инспектора / Инспектордың кіруі / Inspector's sign-in\n%s\n%s\n%s\n%s\n", s.cfg.Issuer, u.Email, s.cfg.Site, ends.Format(time.RFC3339), challenge)
}

// SignInByCertificate completes an inspector's half session by a signature of a
// challenge's text. The token changes.
//
// Errors: Unauthenticated with the Field "session" when signing in has to begin
// anew, with "signature" for a certificate of somebody else; what the judge says
// of a signature that is not good, which counts as a wrong password does;
// Unavailable with "signature" where nothing can be verified.
func (s *Service) SignInByCertificate(ctx context.Context, token, challenge string, file []byte, v Visit) (full string, err error) {
	x, u, err := s.half(ctx, token)
	if err != nil {
		return "", err
	}
	if err := u.locked(s.now()); err != nil {
		return "", err
	}
	code, err := s.challenged(challenge, x.ID)
	if err != nil {
		return "", errNoSession
	}
	if s.cfg.Judge == nil {
		return "", &fiscal.Error{Of: fiscal.Unavailable, Field: "signature", Msg: "no_roots"}
	}
	verdict, refused := s.cfg.Judge.Verify(file, s.certificateText(&u, challenge, code.Ends))
	if errors.Is(refused, fiscal.Internal) || errors.Is(refused, fiscal.Unavailable) {
		return "", refused
	}
	if refused == nil && !u.Inspector.owns(&verdict.Owner) {
		refused = errOtherPerson
	}
	tell := false
	err = s.store.WriteAccess(ctx, func(tx Tx) error {
		// The person before the session, as everywhere: nobody waits in a circle.
		if u, err = tx.User(u.ID); err != nil {
			return err
		}
		x, err := tx.Session(x.ID)
		switch {
		case errors.Is(err, fiscal.NotFound) || err == nil && (!x.Half || !s.now().Before(x.Ends) || x.Tries >= halfTries):
			return errNoSession
		case err != nil:
			return err
		case u.Disabled || u.Inspector == nil:
			return errDisabled
		}
		if err := u.locked(s.now()); err != nil {
			return err
		}
		if refused == nil && !u.Inspector.owns(&verdict.Owner) { // written anew meanwhile
			refused = errOtherPerson
		}
		if refused != nil {
			x.Tries++
			if err := tx.PutSession(x); err != nil {
				return err
			}
			tell, err = s.wrongProof(tx, &u, v)
			return err
		}
		if err := s.useChallenge(tx, code); err != nil {
			return errNoSession
		}
		u.Guesses = Guesses{}
		if err := tx.SetUser(&u); err != nil {
			return err
		}
		if err := tx.RemoveSession(x.ID); err != nil {
			return err
		}
		if full, err = s.begin(tx, &u, v, byCertificate); err != nil {
			return err
		}
		return tx.Record(s.of(&u, v.Address, ActSignedIn, verdict.Owner.Serial, "certificate"))
	})
	if err == nil && tell {
		err = s.tellLocked(ctx, &u, v)
	}
	if err = errors.Join(refused, err); err != nil {
		return "", err
	}
	return full, nil
}

// owns reports whether a certificate is the one that an inspector enrolled with.
func (i *Inspector) owns(o *signature.Owner) bool {
	return i.IIN != "" && (o.IIN == i.IIN || o.INN == i.IIN) &&
		(i.Serial == "" || strings.TrimLeft(strings.ToLower(o.Serial), "0") == strings.TrimLeft(i.Serial, "0")) &&
		(i.Issuer == "" || strings.Contains(strings.ToLower(o.Issuer), strings.ToLower(i.Issuer)))
}
