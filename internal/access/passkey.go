package access

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"time"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"

	"openofd/internal/fiscal"
)

// Passkey is a key that a device of a person keeps and shows only to this site,
// after it has verified the person: password and second factor in one. The
// public half is here.
// Source: W3C Web Authentication, Level 3.
type Passkey struct {
	ID        []byte    `json:"id"`
	PublicKey []byte    `json:"public_key"` // COSE
	Count     uint32    `json:"count"`      // of signatures, as the device told; 0 always where it counts none
	Model     []byte    `json:"model,omitempty"`
	Synced    bool      `json:"synced,omitempty"` // may be copied between devices of the person
	Name      string    `json:"name"`             // that the person gave it
	Added     time.Time `json:"added"`
	Used      time.Time `json:"used,omitzero"`
}

const maxPasskeys = 20 // of one person

var errPasskey = &fiscal.Error{Of: fiscal.Unauthenticated, Field: "passkey"}

// passkeysOf makes what passkeys of a site are held against; nil where browsers
// would give none: they want a name, and TLS unless it is the machine itself.
func passkeysOf(site, title string) (*webauthn.WebAuthn, error) {
	u, err := url.Parse(site)
	if err != nil {
		return nil, fmt.Errorf("address of the site: %w", err)
	}
	host := u.Hostname()
	if host == "" || net.ParseIP(host) != nil || u.Scheme != "https" && host != "localhost" {
		return nil, nil
	}
	return webauthn.New(&webauthn.Config{
		RPID: host, RPDisplayName: title, RPOrigins: []string{u.Scheme + "://" + u.Host},
		AttestationPreference: protocol.PreferNoAttestation,
		AuthenticatorSelection: protocol.AuthenticatorSelection{
			ResidentKey: protocol.ResidentKeyRequirementRequired, RequireResidentKey: protocol.ResidentKeyRequired(), UserVerification: protocol.VerificationRequired,
		},
	})
}

// Passkeys reports whether people can have them here.
func (s *Service) Passkeys() bool { return s.passkeys != nil }

// holder is a person as the library sees them.
type holder struct{ *User }

// WebAuthnID is by what a passkey names its person: their number.
func (h holder) WebAuthnID() []byte          { return binary.BigEndian.AppendUint64(nil, uint64(h.ID)) }
func (h holder) WebAuthnName() string        { return h.Email }
func (h holder) WebAuthnDisplayName() string { return h.Name }
func (h holder) WebAuthnCredentials() (all []webauthn.Credential) {
	for _, k := range h.User.Passkeys {
		all = append(all, webauthn.Credential{ID: k.ID, PublicKey: k.PublicKey, Flags: webauthn.CredentialFlags{BackupEligible: k.Synced},
			Authenticator: webauthn.Authenticator{AAGUID: k.Model, SignCount: k.Count}})
	}
	return all
}

// OfferPasskey is what a browser needs to have a passkey made, as JSON. Nothing
// is stored: the challenge in it comes back with AddPasskey.
func (s *Service) OfferPasskey(a *Actor) (any, error) {
	if s.passkeys == nil {
		return nil, &fiscal.Error{Reason: fiscal.NothingThere, Field: "passkey"}
	}
	if len(a.User.Passkeys) >= maxPasskeys {
		return nil, bad("passkey", "there are enough")
	}
	challenge, err := s.challenge(a.Session)
	if err != nil {
		return nil, err
	}
	h := holder{&a.User}
	offer, _, err := s.passkeys.BeginRegistration(h, webauthn.WithExclusions(webauthn.Credentials(h.WebAuthnCredentials()).CredentialDescriptors()),
		func(o *protocol.PublicKeyCredentialCreationOptions) error {
			o.Challenge, o.Timeout = challenge, int(challengeLife.Milliseconds())
			return nil
		})
	if err != nil {
		return nil, fmt.Errorf("offer a passkey: %w", err)
	}
	return offer, nil
}

// AddPasskey keeps the passkey that a browser has had made, whose answer this
// is. The password is asked for once more.
//
// Errors: Unauthenticated with the Field "password", or "passkey" for an answer
// that is not to a challenge of this session; BadValue with "name" or "passkey".
func (s *Service) AddPasskey(ctx context.Context, a *Actor, password, name string, answer []byte) error {
	name, err := personName(name)
	if err != nil {
		return err
	}
	if s.passkeys == nil {
		return &fiscal.Error{Reason: fiscal.NothingThere, Field: "passkey"}
	}
	parsed, err := protocol.ParseCredentialCreationResponseBytes(answer)
	if err != nil {
		return bad("passkey", "the device's answer cannot be read")
	}
	used, err := s.challenged(parsed.Response.CollectedClientData.Challenge, a.Session)
	if err != nil {
		return err
	}
	made, err := s.passkeys.CreateCredential(holder{&a.User}, webauthn.SessionData{
		Challenge: parsed.Response.CollectedClientData.Challenge, UserID: holder{&a.User}.WebAuthnID(),
		UserVerification: protocol.VerificationRequired, CredParams: webauthn.CredentialParametersDefault(),
	}, parsed)
	if err != nil {
		return &fiscal.Error{Of: fiscal.Unauthenticated, Field: "passkey", Err: err}
	}
	if err := s.again(ctx, a, password); err != nil {
		return err
	}
	return s.store.WriteAccess(ctx, func(tx Tx) error {
		u, x, err := s.self(tx, a)
		if err != nil {
			return err
		}
		switch {
		case len(u.Passkeys) >= maxPasskeys:
			return bad("passkey", "there are enough")
		case u.passkey(made.ID) != nil:
			return &fiscal.Error{Reason: fiscal.AlreadyThere, Field: "passkey"}
		}
		if err := s.useChallenge(tx, used); err != nil {
			return err
		}
		u.Passkeys = append(u.Passkeys, Passkey{ID: made.ID, PublicKey: made.PublicKey, Count: made.Authenticator.SignCount, Model: made.Authenticator.AAGUID,
			Synced: made.Flags.BackupEligible, Name: name, Added: s.now()})
		if err := tx.SetUser(&u); err != nil {
			return err
		}
		x.Strong = true // the device has verified the person, and they knew the password
		if err := tx.PutSession(x); err != nil {
			return err
		}
		return tx.Record(s.of(&u, a.Address, ActPasskeyAdded, name, ""))
	})
}

// passkey finds one of a person's; nil if there is none.
func (u *User) passkey(id []byte) *Passkey {
	i := slices.IndexFunc(u.Passkeys, func(k Passkey) bool { return bytes.Equal(k.ID, id) })
	if i < 0 {
		return nil
	}
	return &u.Passkeys[i]
}

// NamePasskey gives one of the actor's passkeys another name.
func (s *Service) NamePasskey(ctx context.Context, a *Actor, id []byte, name string) error {
	name, err := personName(name)
	if err != nil {
		return err
	}
	return s.store.WriteAccess(ctx, func(tx Tx) error {
		u, err := tx.User(a.User.ID)
		if err != nil {
			return err
		}
		k := u.passkey(id)
		if k == nil {
			return &fiscal.Error{Reason: fiscal.NothingThere, Field: "passkey"}
		}
		k.Name = name
		return tx.SetUser(&u)
	})
}

// RemovePasskey forgets one of the actor's passkeys. The password is asked for
// once more.
func (s *Service) RemovePasskey(ctx context.Context, a *Actor, password string, id []byte) error {
	if err := s.again(ctx, a, password); err != nil {
		return err
	}
	return s.store.WriteAccess(ctx, func(tx Tx) error {
		u, _, err := s.self(tx, a)
		if err != nil {
			return err
		}
		k := u.passkey(id)
		if k == nil {
			return &fiscal.Error{Reason: fiscal.NothingThere, Field: "passkey"}
		}
		name := k.Name
		u.Passkeys = slices.DeleteFunc(u.Passkeys, func(k Passkey) bool { return bytes.Equal(k.ID, id) })
		if err := tx.SetUser(&u); err != nil {
			return err
		}
		return tx.Record(s.of(&u, a.Address, ActPasskeyRemoved, name, ""))
	})
}

// AskPasskey is what a browser needs to have a passkey shown, as JSON. Whose it
// will be is not known.
func (s *Service) AskPasskey() (any, error) {
	if s.passkeys == nil {
		return nil, &fiscal.Error{Reason: fiscal.NothingThere, Field: "passkey"}
	}
	challenge, err := s.challenge(SessionID{})
	if err != nil {
		return nil, err
	}
	ask, _, err := s.passkeys.BeginDiscoverableLogin(webauthn.WithChallenge(challenge), func(o *protocol.PublicKeyCredentialRequestOptions) error {
		o.Timeout = int(challengeLife.Milliseconds())
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("ask for a passkey: %w", err)
	}
	return ask, nil
}

// SignInByPasskey opens a session for whose passkey a browser has shown. It is
// open to who was locked, too: a passkey cannot be guessed, and so nobody is
// shut out by others' guesses.
//
// Errors: Unauthenticated with the Field "passkey", also for a device that was
// cloned; Denied for who was shut out.
func (s *Service) SignInByPasskey(ctx context.Context, answer []byte, v Visit) (token string, err error) {
	if s.passkeys == nil {
		return "", errPasskey
	}
	parsed, err := protocol.ParseCredentialRequestResponseBytes(answer)
	if err != nil || len(parsed.Response.UserHandle) != 8 {
		return "", errPasskey
	}
	used, err := s.challenged(parsed.Response.CollectedClientData.Challenge, SessionID{})
	if err != nil {
		return "", err
	}
	var u User
	err = s.store.ReadAccess(ctx, func(tx Tx) error {
		u, err = tx.User(UserID(binary.BigEndian.Uint64(parsed.Response.UserHandle)))
		return err
	})
	if errors.Is(err, fiscal.NotFound) {
		return "", errPasskey
	}
	if err != nil {
		return "", err
	}
	_, _, err = s.passkeys.ValidatePasskeyLogin(func(_, _ []byte) (webauthn.User, error) { return holder{&u}, nil },
		webauthn.SessionData{Challenge: parsed.Response.CollectedClientData.Challenge, UserVerification: protocol.VerificationRequired}, parsed)
	if err != nil {
		return "", errPasskey
	}
	return s.shown(ctx, &u, parsed, used, v)
}

// shown opens a session for a passkey whose signature was found right.
func (s *Service) shown(ctx context.Context, read *User, parsed *protocol.ParsedCredentialAssertionData, used Code, v Visit) (token string, err error) {
	var refused error
	err = s.store.WriteAccess(ctx, func(tx Tx) error {
		u, err := tx.User(read.ID)
		if err != nil {
			return err
		}
		k, was := u.passkey(parsed.RawID), read.passkey(parsed.RawID)
		switch {
		case k == nil || was == nil || !bytes.Equal(k.PublicKey, was.PublicKey): // removed meanwhile
			return errPasskey
		case u.Disabled:
			return errDisabled
		case u.Inspector != nil: // by password and certificate alone
			return errPasskey
		}
		if err := s.useChallenge(tx, used); err != nil {
			return err
		}
		// A device that counts never goes back; one that does not says 0.
		if count := parsed.Response.AuthenticatorData.Counter; count <= k.Count && (count != 0 || k.Count != 0) {
			refused = errPasskey
			return tx.Record(s.of(&u, v.Address, ActPasskeyCloned, k.Name, fmt.Sprintf("%d ≤ %d", count, k.Count)))
		}
		k.Count, k.Used = parsed.Response.AuthenticatorData.Counter, s.now()
		name := k.Name
		if err := tx.SetUser(&u); err != nil {
			return err
		}
		if token, err = s.begin(tx, &u, v, byTwo); err != nil {
			return err
		}
		return tx.Record(s.of(&u, v.Address, ActSignedIn, name, "passkey"))
	})
	return token, errors.Join(refused, err)
}
