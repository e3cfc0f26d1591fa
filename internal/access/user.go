package access

import (
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"openofd/internal/fiscal"
)

// UserID numbers people, from 1.
type UserID int64

// User is a person who can sign in. What proves that it is them is here in no
// form that would let a reader of the database do so.
type User struct {
	ID       UserID    `json:"-"`
	Version  uint64    `json:"-"` // grows with each change
	Email    string    `json:"-"` // as CanonicalEmail writes it
	Name     string    `json:"name"`
	Language string    `json:"language"`
	Hash     string    `json:"hash"` // of the password, PHC string
	Created  time.Time `json:"created"`
	Changed  time.Time `json:"changed"` // the password
	Disabled bool      `json:"disabled,omitempty"`
	Staff    bool      `json:"staff,omitempty"` // works for the operator
	// Inspector is set of who works for an authority.
	Inspector *Inspector `json:"inspector,omitempty"`

	TOTP     *TOTP    `json:"totp,omitempty"` // nil: no second factor
	Recovery [][]byte `json:"recovery,omitempty"`

	Passkeys []Passkey `json:"passkeys,omitempty"`

	Guesses // by whoever wanted to be this person
}

// Strong reports whether the person has a second factor, or what counts as one.
func (u *User) Strong() bool { return u.TOTP != nil || len(u.Passkeys) > 0 }

// Bounds of what people write of themselves.
const (
	maxEmail = 254 // bytes; RFC 5321
	maxName  = 100 // characters
)

// CanonicalEmail is an address as it is compared and stored: no spaces around,
// lower case. Invalid if it is no address that mail could reach.
func CanonicalEmail(s string) (string, error) {
	s = strings.ToLower(strings.TrimSpace(s))
	local, domain, ok := strings.Cut(s, "@")
	dot := strings.LastIndexByte(domain, '.')
	switch {
	case s == "":
		return "", missing("email")
	case !ok || local == "" || len(local) > 64 || len(s) > maxEmail || strings.Contains(domain, "@") || dot < 1 || dot > len(domain)-3 || strings.Contains(domain, ".."):
		return "", bad("email", "is no address")
	}
	for _, r := range s {
		if r <= ' ' || r == 0x7F || strings.ContainsRune(`"(),:;<>[\]`, r) || unicode.IsSpace(r) || !unicode.IsPrint(r) {
			return "", bad("email", "is no address")
		}
	}
	return s, nil
}

// personName is a name as stored.
func personName(s string) (string, error) {
	s = strings.Join(strings.Fields(s), " ")
	switch n := utf8.RuneCountInString(s); {
	case n == 0:
		return "", missing("name")
	case n > maxName || !utf8.ValidString(s) || strings.ContainsFunc(s, unicode.IsControl):
		return "", bad("name", "is longer than 100 characters, or has some that no name has")
	}
	return s, nil
}

func bad(field, why string) error {
	return &fiscal.Error{Reason: fiscal.BadValue, Field: field, Msg: why}
}

func missing(field string) error {
	return &fiscal.Error{Reason: fiscal.MissingParameter, Field: field}
}
