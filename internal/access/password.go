package access

import (
	"context"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"io"
	"strconv"
	"strings"

	"golang.org/x/crypto/argon2"

	"openofd/internal/fiscal"
)

// Cost of a new hash: Argon2id with 19 MiB and two passes, about 20 ms of one
// core. Source: OWASP password storage, the second of its equal settings.
const (
	hashMemory = 19 * 1024 // KiB
	hashPasses = 2
	hashLanes  = 1
	saltLen    = 16
	hashLen    = 32
)

// MaxPassword is the longest password that is looked at, in bytes.
const MaxPassword = 128

// Dearest hash that is verified: a stored row must not cost us the machine.
const (
	maxMemory = 64 * 1024 // KiB
	maxPasses = 16
	maxLanes  = 4
)

// Passwords makes and verifies hashes, a few at a time: each takes 19 MiB. Safe
// for concurrent use.
type Passwords struct {
	places  chan struct{}
	waiting chan struct{}
	rand    io.Reader
}

// maxWaiting bounds who waits for a place: at two cores, five seconds of work.
const maxWaiting = 256

// NewPasswords lets atOnce hashes be computed at a time; 0 means 4.
func NewPasswords(atOnce int, rand io.Reader) *Passwords {
	if atOnce <= 0 {
		atOnce = 4
	}
	return &Passwords{places: make(chan struct{}, atOnce), waiting: make(chan struct{}, maxWaiting), rand: rand}
}

// turn waits for a place, which the caller gives back. Overloaded if too many
// wait already or ctx ends.
func (p *Passwords) turn(ctx context.Context) error {
	select {
	case p.places <- struct{}{}:
		return nil
	default:
	}
	select {
	case p.waiting <- struct{}{}:
		defer func() { <-p.waiting }()
	default:
		return &fiscal.Error{Of: fiscal.Overloaded, Field: "password"}
	}
	select {
	case p.places <- struct{}{}:
		return nil
	case <-ctx.Done():
		return &fiscal.Error{Of: fiscal.Overloaded, Field: "password", Err: ctx.Err()}
	}
}

// HashFor is Hash for somebody who will not wait for ever.
func (p *Passwords) HashFor(ctx context.Context, password string) (string, error) {
	if err := p.turn(ctx); err != nil {
		return "", err
	}
	defer func() { <-p.places }()
	return p.hash(password)
}

// VerifyFor is Verify for somebody who will not wait for ever.
func (p *Passwords) VerifyFor(ctx context.Context, hash, password string) (bool, error) {
	if err := p.turn(ctx); err != nil {
		return false, err
	}
	defer func() { <-p.places }()
	return VerifyPassword(hash, password), nil
}

// Hash is a password's hash under fresh salt, as a PHC string.
func (p *Passwords) Hash(password string) (string, error) {
	p.places <- struct{}{}
	defer func() { <-p.places }()
	return p.hash(password)
}

func (p *Passwords) hash(password string) (string, error) {
	salt := make([]byte, saltLen)
	if _, err := io.ReadFull(p.rand, salt); err != nil {
		return "", fmt.Errorf("randomness for a salt: %w", err)
	}
	return phc(salt, argon2.IDKey([]byte(password), salt, hashPasses, hashMemory, hashLanes, hashLen)), nil
}

// ofNobody is what stands for the hash of who is not there: to verify it costs
// what a true one does, and no password is known to have it.
func (p *Passwords) ofNobody() (string, error) {
	b := make([]byte, saltLen+hashLen)
	if _, err := io.ReadFull(p.rand, b); err != nil {
		return "", fmt.Errorf("randomness for a salt: %w", err)
	}
	return phc(b[:saltLen], b[saltLen:]), nil
}

func phc(salt, sum []byte) string {
	b64 := base64.RawStdEncoding.EncodeToString
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, hashMemory, hashPasses, hashLanes, b64(salt), b64(sum))
}

// Verify is VerifyPassword, waiting for its turn.
func (p *Passwords) Verify(hash, password string) bool {
	p.places <- struct{}{}
	defer func() { <-p.places }()
	return VerifyPassword(hash, password)
}

// VerifyPassword reports whether a password has this hash, a PHC string of
// Argon2id. How long it takes tells nothing of how much of the password is
// right. What cannot be read, or would cost too much, is a wrong password.
func VerifyPassword(hash, password string) bool {
	fields := strings.Split(hash, "$") // "", argon2id, v=19, m=19456,t=2,p=1, salt, sum
	if len(fields) != 6 || fields[0] != "" || fields[1] != "argon2id" || fields[2] != "v="+strconv.Itoa(argon2.Version) || len(password) > MaxPassword {
		return false
	}
	var memory, passes, lanes uint32
	for i, want := range []struct {
		key string
		v   *uint32
		max uint32
	}{{"m=", &memory, maxMemory}, {"t=", &passes, maxPasses}, {"p=", &lanes, maxLanes}} {
		parts := strings.Split(fields[3], ",")
		if len(parts) != 3 {
			return false
		}
		text, ok := strings.CutPrefix(parts[i], want.key)
		n, err := strconv.ParseUint(text, 10, 32)
		if !ok || err != nil || n == 0 || n > uint64(want.max) {
			return false
		}
		*want.v = uint32(n)
	}
	salt, err := base64.RawStdEncoding.Strict().DecodeString(fields[4])
	if err != nil || len(salt) < 8 || len(salt) > 64 {
		return false
	}
	sum, err := base64.RawStdEncoding.Strict().DecodeString(fields[5])
	if err != nil || len(sum) < 16 || len(sum) > 64 {
		return false
	}
	got := argon2.IDKey([]byte(password), salt, passes, memory, uint8(lanes), uint32(len(sum)))
	return subtle.ConstantTimeCompare(got, sum) == 1
}
