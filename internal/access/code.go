package access

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"io"
	"strings"
	"time"

	"openofd/internal/fiscal"
)

// Purpose says what a code from a letter is for.
type Purpose string

// The purposes of codes.
const (
	ForSignUp Purpose = "sign_up"
	ForReset  Purpose = "reset"
	ForLink   Purpose = "link" // an organization, from another program

	// forNobody counts wrong proofs for an address that nobody has, as they are
	// counted for a person: whether a door closes must not tell who is there.
	forNobody Purpose = "nobody"
	// forChallenge remembers a challenge that was answered until it ends.
	forChallenge Purpose = "challenge"
)

// Code is a number of six digits that was sent to an address. Only a hash of it
// is kept; it is good for one use within its time and a few tries.
type Code struct {
	Purpose  Purpose   `json:"-"`
	Email    string    `json:"-"`
	Salt     []byte    `json:"salt"`
	Hash     []byte    `json:"hash"`
	Language string    `json:"language"`
	Sent     time.Time `json:"sent"`
	Ends     time.Time `json:"ends"`
	Tries    int       `json:"tries"` // that failed
	Letters  int       `json:"letters"`

	Guesses
}

// Bounds of codes. Source: requirement E-028.
const (
	codeLife    = 15 * time.Minute
	codeTries   = 5
	codePause   = 45 * time.Second // between two letters to one address
	codeLetters = 5                // to one address within codeLife of the first
)

// newCode makes a code and what is stored of it.
func newCode(rand io.Reader) (code string, salt, hash []byte, err error) {
	var b [8 + 16]byte
	if _, err := io.ReadFull(rand, b[:]); err != nil {
		return "", nil, nil, fmt.Errorf("randomness for a code: %w", err)
	}
	// 2^64 leaves a bias of 10^-13 over a million codes.
	code = fmt.Sprintf("%06d", binary.BigEndian.Uint64(b[:8])%1_000_000)
	salt = b[8:]
	return code, salt, hashCode(salt, code), nil
}

func hashCode(salt []byte, code string) []byte {
	m := hmac.New(sha256.New, salt)
	m.Write([]byte(code))
	return m.Sum(nil)
}

// right reports whether this is the code. Spaces are what letters and people
// put between digits.
func (c *Code) right(code string) bool {
	code = strings.NewReplacer(" ", "", "\u00a0", "", "-", "").Replace(code)
	return hmac.Equal(c.Hash, hashCode(c.Salt, code))
}

// usable says why a code cannot be used any more; nil if it can.
func (c *Code) usable(now time.Time) error {
	switch {
	case !now.Before(c.Ends):
		return bad("code", "expired")
	case c.Tries >= codeTries:
		return bad("code", "tries")
	}
	return nil
}

// mayWrite is RateLimited if an address got enough letters for now.
func (c *Code) mayWrite(now time.Time) error {
	wait := c.Sent.Add(codePause).Sub(now)
	if c.Letters >= codeLetters {
		wait = c.Ends.Sub(now)
	}
	if wait > 0 {
		return &fiscal.Error{Reason: fiscal.RateLimited, Field: "email", Err: &Wait{wait}}
	}
	return nil
}

// Wait tells how long it takes until something may be tried again.
type Wait struct{ For time.Duration }

func (w *Wait) Error() string { return "wait " + w.For.Round(time.Second).String() }
