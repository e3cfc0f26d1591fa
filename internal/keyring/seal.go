package keyring

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/binary"
	"fmt"
	"io"
	"time"

	"openofd/internal/fiscal"
)

// sealLayout is the first byte of a sealed secret.
const sealLayout = 1

// seal closes a key's secret under the master key.
//
//	layout 1 byte, nonce 12, secret 32 encrypted, tag 16
//
// AES-256-GCM. Authenticated with it are number, purpose and instant, so that
// no row can stand in for another.
func (m *master) seal(k *fiscal.Key, rand io.Reader) ([]byte, error) {
	g := m.gcm()
	b := make([]byte, 1+g.NonceSize(), 1+g.NonceSize()+len(k.Secret)+g.Overhead())
	b[0] = sealLayout
	if _, err := io.ReadFull(rand, b[1:]); err != nil {
		return nil, fmt.Errorf("randomness for a nonce: %w", err)
	}
	return g.Seal(b, b[1:], k.Secret[:], bound(k.ID, k.Purpose, k.From)), nil
}

// open is the key of a row. The error is Corrupt: the row was sealed under
// another master key, or changed since.
func (m *master) open(r *Row) (fiscal.Key, error) {
	k := fiscal.Key{ID: r.ID, Purpose: r.Purpose, From: r.From.UTC()}
	g := m.gcm()
	if n := 1 + g.NonceSize(); len(r.Sealed) == n+len(k.Secret)+g.Overhead() && r.Sealed[0] == sealLayout {
		if secret, err := g.Open(nil, r.Sealed[1:n], r.Sealed[n:], bound(r.ID, r.Purpose, r.From)); err == nil {
			copy(k.Secret[:], secret)
			return k, nil
		}
	}
	return fiscal.Key{}, &fiscal.Error{Of: fiscal.Corrupt, Field: "key", Msg: fmt.Sprintf(
		"key %d (%s) does not open under this master key file: it belongs to another installation, or the row was changed", r.ID, r.Purpose)}
}

func (m *master) gcm() cipher.AEAD {
	block, err := aes.NewCipher(m[:])
	if err != nil {
		panic(err) // the length is right by type
	}
	g, err := cipher.NewGCM(block)
	if err != nil {
		panic(err)
	}
	return g
}

// bound is what a sealed secret is bound to.
//
//	layout 1 byte, number 4, instant in microseconds since 1970 8, purpose
func bound(id fiscal.KeyID, p fiscal.KeyPurpose, from time.Time) []byte {
	b := []byte{sealLayout}
	b = binary.BigEndian.AppendUint32(b, uint32(id))
	b = binary.BigEndian.AppendUint64(b, uint64(from.UnixMicro()))
	return append(b, p...)
}
