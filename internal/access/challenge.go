package access

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"time"

	"openofd/internal/fiscal"
)

// A challenge is what a passkey signs. It is not stored when it is given out, so
// asking for many costs nothing: any node knows its own by the tag, and only one
// that was answered rightly is remembered, until it would have ended anyway.

// challengeLife is how long a person has to reach for their key.
const challengeLife = 3 * time.Minute

const (
	nonceLen     = 16
	challengeLen = nonceLen + 8 + 8 + sha256.Size
)

// challenge makes one for a session; the zero one is for who has none yet.
//
//	nonce 16, key 8, end in microseconds since 1970 8; tag 32: HMAC-SHA-256 over
//	these and the session's ID; big-endian
func (s *Service) challenge(of SessionID) ([]byte, error) { return s.challengeFor(of, challengeLife) }

// challengeFor is challenge, with a life of its own.
func (s *Service) challengeFor(of SessionID, life time.Duration) ([]byte, error) {
	k, err := s.keys.At(fiscal.KeyForAccess, s.now())
	if err != nil {
		return nil, err
	}
	b := make([]byte, nonceLen, challengeLen)
	if _, err := io.ReadFull(s.rand, b); err != nil {
		return nil, fmt.Errorf("randomness for a challenge: %w", err)
	}
	b = binary.BigEndian.AppendUint64(b, uint64(k.ID))
	b = binary.BigEndian.AppendUint64(b, uint64(s.now().Add(life).UnixMicro()))
	return append(b, tag(&k, b, of)...), nil
}

// tag proves that a challenge is ours. The key seals second factors; the words
// in front keep the two uses apart.
func tag(k *fiscal.Key, front []byte, of SessionID) []byte {
	m := hmac.New(sha256.New, k.Secret[:])
	m.Write([]byte("challenge of a passkey\x00"))
	m.Write(front)
	m.Write(of[:])
	return m.Sum(nil)
}

// challenged finds that a challenge is ours, is for this session and has not
// ended. What it returns is for useChallenge.
func (s *Service) challenged(text string, of SessionID) (Code, error) {
	b, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || len(b) != challengeLen {
		return Code{}, errPasskey
	}
	front := b[:challengeLen-sha256.Size]
	k, err := s.keys.ByID(fiscal.KeyID(binary.BigEndian.Uint64(front[nonceLen:])))
	if err != nil {
		return Code{}, errPasskey // no key of ours, so not our challenge
	}
	ends := time.UnixMicro(int64(binary.BigEndian.Uint64(front[nonceLen+8:]))).UTC()
	if !hmac.Equal(b[len(front):], tag(&k, front, of)) || !s.now().Before(ends) {
		return Code{}, errPasskey
	}
	return Code{Purpose: forChallenge, Email: hex.EncodeToString(b[:nonceLen]), Ends: ends}, nil
}

// useChallenge uses one up; it is refused the second time.
func (s *Service) useChallenge(tx Tx, c Code) error {
	switch _, err := tx.Code(c.Purpose, c.Email); {
	case err == nil:
		return errPasskey
	case !errors.Is(err, fiscal.NotFound):
		return err
	}
	return tx.PutCode(c)
}
