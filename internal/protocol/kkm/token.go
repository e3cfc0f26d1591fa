package kkm

import (
	"encoding/binary"
	"fmt"
	"io"

	"openofd/internal/fiscal"
)

// newToken makes the next token: 32 bits of HMAC-SHA-256 over the authority's
// registration number, our register ID, the state's version and fresh
// randomness. It is never 0 and never the current one.
//
// Source: order 135 items 5.6 and 13; rows O-018, O-019, O-071, O-072.
func newToken(k *fiscal.Key, card *fiscal.Card, version uint64, current uint32, rand io.Reader) (uint32, error) {
	for {
		var m [64]byte
		n := copy(m[:32], card.RegistrationNumber)
		binary.BigEndian.PutUint64(m[n:], uint64(card.Register))
		binary.BigEndian.PutUint64(m[n+8:], version)
		if _, err := io.ReadFull(rand, m[n+16:n+32]); err != nil {
			return 0, fmt.Errorf("randomness for a token: %w", err)
		}
		sum := mac(&k.Secret, m[:n+32])
		if t := binary.BigEndian.Uint32(sum[:]); t != 0 && t != current {
			return t, nil
		}
	}
}
