package access

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"openofd/internal/fiscal"
)

// APIKeyID numbers keys of the API, from 1.
type APIKeyID int64

// APIKey lets a program act for the person who made it, in one organization and
// within what the key may do. Its token is shown once; here is only its hash.
type APIKey struct {
	ID       APIKeyID          `json:"-"`
	Hash     [32]byte          `json:"-"` // of the token, SHA-256
	Taxpayer fiscal.TaxpayerID `json:"-"`
	Used     time.Time         `json:"-"` // about, see seenStep; zero: never

	Name    string            `json:"name"`
	Begins  string            `json:"begins"` // how the token begins, by which its owner knows it
	Scopes  Right             `json:"scopes"`
	Outlets []fiscal.OutletID `json:"outlets,omitempty"` // empty: all that its maker sees
	By      UserID            `json:"by"`                // its maker
	Created time.Time         `json:"created"`
	Ends    time.Time         `json:"ends"`
	Ended   time.Time         `json:"ended,omitzero"` // by a person, before its end
}

// Live reports whether the key opens anything at an instant.
func (k *APIKey) Live(now time.Time) bool { return k.Ended.IsZero() && now.Before(k.Ends) }

// keyMark begins every token, so that people and searches for leaked secrets
// know what they have found.
const keyMark = "ofd_"

// Bounds of keys.
const (
	KeyLen     = len(keyMark) + TokenLen // of a token, in bytes
	keyBegins  = len(keyMark) + 6        // shown of a token: 36 of its 256 bits
	maxKeys    = 100                     // live ones of one organization
	maxMade    = 10_000                  // of one organization, ended ones among them
	maxKeyLife = 2 * 366 * 24 * time.Hour
	maxKeyName = 64   // characters
	maxLimited = 1000 // outlets that a key is limited to
)

// newKeyToken makes a token and its hash.
func newKeyToken(rand io.Reader) (token string, hash [32]byte, err error) {
	var b [32]byte
	if _, err := io.ReadFull(rand, b[:]); err != nil {
		return "", hash, fmt.Errorf("randomness for a key: %w", err)
	}
	token = keyMark + base64.RawURLEncoding.EncodeToString(b[:])
	return token, sha256.Sum256([]byte(token)), nil
}

// NewKey is what is told of a key to be made.
type NewKey struct {
	Name    string
	Scopes  Right
	Outlets []fiscal.OutletID // empty: all that the actor sees
	Ends    time.Time
}

// KeyName is the name of a key as it is stored. Invalid with the Field
// "key_name".
func KeyName(text string) (string, error) {
	name := strings.Join(strings.Fields(text), " ")
	switch n := utf8.RuneCountInString(name); {
	case n == 0:
		return "", missing("key_name")
	case n > maxKeyName || !utf8.ValidString(name) || strings.ContainsFunc(name, unicode.IsControl):
		return "", bad("key_name", "long")
	}
	return name, nil
}

// check makes the key's name as it is stored.
func (in *NewKey) check(a *Actor, now time.Time) (err error) {
	if in.Name, err = KeyName(in.Name); err != nil {
		return err
	}
	switch {
	case in.Scopes == 0:
		return missing("scopes")
	case in.Scopes >= rightEnd:
		return bad("scopes", "there is no such right")
	case !a.May(in.Scopes):
		return &fiscal.Error{Of: fiscal.Denied, Field: "scopes", Msg: "its maker may not do that"}
	case len(in.Outlets) > maxLimited || !a.within(in.Outlets):
		return &fiscal.Error{Of: fiscal.Denied, Field: "outlets", Msg: "its maker does not see them"}
	case !now.Before(in.Ends) || in.Ends.Sub(now) > maxKeyLife:
		return bad("ends", "not between now and two years")
	}
	return nil
}

// within reports whether a limit to outlets stays within the actor's own.
func (a *Actor) within(outlets []fiscal.OutletID) bool {
	if len(a.Member.Outlets) == 0 {
		return true
	}
	return len(outlets) > 0 && !slices.ContainsFunc(outlets, func(o fiscal.OutletID) bool { return !a.Sees(o) })
}

// MakeKey makes a key and its token, which is told this once. A key may do no
// more than its maker, neither now nor later, and makes no keys itself.
//
// Errors: Denied; Invalid with the Fields "key_name", "scopes", "outlets" and
// "ends"; RateLimited if the organization has very many.
func (s *Service) MakeKey(ctx context.Context, a *Actor, in NewKey) (token string, k APIKey, err error) {
	if err := a.mustKeep(); err != nil {
		return "", k, err
	}
	return s.makeKey(ctx, a, in)
}

func (s *Service) makeKey(ctx context.Context, a *Actor, in NewKey) (token string, k APIKey, err error) {
	if err := in.check(a, s.now()); err != nil {
		return "", k, err
	}
	token, hash, err := newKeyToken(s.rand)
	if err != nil {
		return "", k, err
	}
	k = APIKey{Hash: hash, Taxpayer: a.Taxpayer, Name: in.Name, Begins: token[:keyBegins], Scopes: in.Scopes, Outlets: slices.Clone(in.Outlets),
		By: a.User.ID, Created: s.now(), Ends: in.Ends.UTC().Truncate(time.Microsecond)}
	err = s.store.WriteAccess(ctx, func(tx Tx) error {
		if _, err := a.still(tx); err != nil { // and others who make one wait
			return err
		}
		all, err := tx.APIKeys(a.Taxpayer)
		if err != nil {
			return err
		}
		made := len(all)
		if n := len(slices.DeleteFunc(all, func(k APIKey) bool { return !k.Live(s.now()) })); n >= maxKeys || made >= maxMade {
			return &fiscal.Error{Reason: fiscal.RateLimited, Field: "key_name", Msg: "the organization has very many keys"}
		}
		if err := tx.AddAPIKey(&k); err != nil {
			return err
		}
		return tx.Record(s.in(a, ActKeyMade, fmt.Sprint(k.ID), k.Name+": "+k.Scopes.names()))
	})
	if err != nil {
		return "", APIKey{}, err
	}
	return token, k, nil
}

// mustKeep is Denied unless the actor is a person who looks after keys.
func (a *Actor) mustKeep() error {
	if a.Key != 0 {
		return &fiscal.Error{Of: fiscal.Denied, Field: "key", Msg: "a key looks after no keys"}
	}
	return a.Must(ManageKeys)
}

// names lists rights, for records.
func (r Right) names() string {
	var all []string
	for _, one := range Rights() {
		if r&one != 0 {
			all = append(all, one.String())
		}
	}
	return strings.Join(all, ", ")
}

// KeyOf is a key as lists show it.
type KeyOf struct {
	APIKey
	Maker string // address of who made it
	Now   Right  // what it may do by now: less than its scopes if its maker may less
}

// APIKeys lists the keys of the actor's organization, the newest first.
func (s *Service) APIKeys(ctx context.Context, a *Actor) (list []KeyOf, err error) {
	if err := a.mustKeep(); err != nil {
		return nil, err
	}
	err = s.store.ReadAccess(ctx, func(tx Tx) error {
		all, err := tx.APIKeys(a.Taxpayer)
		if err != nil {
			return err
		}
		for _, k := range all {
			one := KeyOf{APIKey: k}
			who, err := s.keyActor(tx, &k)
			if err != nil && !errors.Is(err, fiscal.Unauthenticated) {
				return err
			}
			if one.Maker = who.User.Email; err == nil {
				one.Now = who.Member.Role.Rights() & k.Scopes
			}
			list = append(list, one)
		}
		return nil
	})
	return list, err
}

// EndKey ends a key: its next request finds nothing. NotFound if the
// organization has no such key or it has ended.
func (s *Service) EndKey(ctx context.Context, a *Actor, id APIKeyID) error {
	if err := a.mustKeep(); err != nil {
		return err
	}
	return s.store.WriteAccess(ctx, func(tx Tx) error {
		if _, err := a.still(tx); err != nil {
			return err
		}
		all, err := tx.APIKeys(a.Taxpayer)
		if err != nil {
			return err
		}
		i := slices.IndexFunc(all, func(k APIKey) bool { return k.ID == id && k.Live(s.now()) })
		if i < 0 {
			return &fiscal.Error{Reason: fiscal.NothingThere, Field: "key"}
		}
		all[i].Ended = s.now()
		if err := tx.SetAPIKey(&all[i]); err != nil {
			return err
		}
		return tx.Record(s.in(a, ActKeyEnded, fmt.Sprint(id), all[i].Name))
	})
}

// endKeys ends the keys that a person made, wherever they are: who knew the old
// password may have made some. as is the record of each, without what it tells of.
func (s *Service) endKeys(tx Tx, as *Record) error {
	places, err := tx.Memberships(as.User)
	if err != nil {
		return err
	}
	for _, m := range places {
		all, err := tx.APIKeys(m.Taxpayer)
		if err != nil {
			return err
		}
		for i := range all {
			k := &all[i]
			if k.By != as.User || !k.Live(s.now()) {
				continue
			}
			k.Ended = s.now()
			if err := tx.SetAPIKey(k); err != nil {
				return err
			}
			r := *as
			r.Taxpayer, r.Object, r.Detail = m.Taxpayer, fmt.Sprint(k.ID), k.Name
			if err := tx.Record(&r); err != nil {
				return err
			}
		}
	}
	return nil
}

var errNoKey = &fiscal.Error{Of: fiscal.Unauthenticated, Field: "key"}

// ResumeKey is the actor behind the token of a key: its maker, with what both
// may do. Unauthenticated if there is no such key, it has ended, or its maker
// has no place in the organization any more.
func (s *Service) ResumeKey(ctx context.Context, token string, v Visit) (Actor, APIKey, error) {
	if len(token) != KeyLen || !strings.HasPrefix(token, keyMark) {
		return Actor{}, APIKey{}, errNoKey
	}
	var a Actor
	var k APIKey
	now := s.now()
	err := s.store.ReadAccess(ctx, func(tx Tx) (err error) {
		if k, err = tx.APIKey(sha256.Sum256([]byte(token))); err != nil {
			return err
		}
		if !k.Live(now) {
			return errNoKey
		}
		a, err = s.keyActor(tx, &k)
		return err
	})
	if errors.Is(err, fiscal.NotFound) {
		err = errNoKey
	}
	if err != nil {
		return Actor{}, APIKey{}, err
	}
	a.Address = v.Address
	if now.Sub(k.Used) >= seenStep {
		k.Used = now
		err = s.store.WriteAccess(ctx, func(tx Tx) error { return tx.UsedAPIKey(k.ID, now) })
	}
	return a, k, err
}

// keyActor is the person behind a key as they are by now. Unauthenticated if
// nothing is left of what the key may do.
func (s *Service) keyActor(tx Tx, k *APIKey) (a Actor, err error) {
	if a.User, err = tx.User(k.By); err != nil {
		return a, err
	}
	m, err := tx.Member(k.By, k.Taxpayer)
	if errors.Is(err, fiscal.NotFound) {
		err = errNoKey
	}
	if err != nil {
		return a, err
	}
	if m.Outlets, err = both(m.Outlets, k.Outlets); err != nil || a.User.Disabled || m.Role.Rights()&k.Scopes == 0 {
		return a, cmp.Or[error](err, errNoKey)
	}
	a.Taxpayer, a.Member, a.Key, a.Scopes = k.Taxpayer, m, k.ID, k.Scopes
	return a, nil
}

// both are the outlets that two limits let through, of which an empty one lets
// all through. Unauthenticated if none is left: an empty limit would be none.
func both(x, y []fiscal.OutletID) ([]fiscal.OutletID, error) {
	switch {
	case len(x) == 0:
		return y, nil
	case len(y) == 0:
		return x, nil
	}
	var in []fiscal.OutletID
	for _, o := range x {
		if slices.Contains(y, o) {
			in = append(in, o)
		}
	}
	if len(in) == 0 {
		return nil, errNoKey
	}
	return in, nil
}
