package access

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // the algorithm that authenticators speak
	"encoding/base32"
	"encoding/binary"
	"fmt"
	"io"
	"net/url"
	"strings"
	"time"

	"openofd/internal/fiscal"
)

// TOTP is a second factor: an authenticator that shows a new number every 30 s.
// Its secret is sealed under a key of the installation.
// Source: RFC 6238.
type TOTP struct {
	Key    fiscal.KeyID `json:"key"`
	Sealed []byte       `json:"sealed"`
	Last   int64        `json:"last"` // step of the last number that was used: none comes twice
	Since  time.Time    `json:"since"`
}

const (
	totpStep   = 30 // seconds
	totpDigits = 1_000_000
	totpSecret = 20 // bytes
	totpDrift  = 1  // steps before and after
)

// totpNumber is the number of a step.
func totpNumber(secret []byte, step int64) uint32 {
	m := hmac.New(sha1.New, secret)
	m.Write(binary.BigEndian.AppendUint64(nil, uint64(step)))
	sum := m.Sum(nil)
	at := sum[len(sum)-1] & 0xF
	return binary.BigEndian.Uint32(sum[at:]) & 0x7FFFFFFF % totpDigits
}

// TOTPNumber is what an authenticator with this secret shows: for a demo and for
// tests. "" for what is no secret.
func TOTPNumber(secret string, now time.Time) string {
	raw, err := totpSecretOf(secret)
	if err != nil {
		return ""
	}
	return fmt.Sprintf("%06d", totpNumber(raw, now.Unix()/totpStep))
}

// totpRight is the step whose number this is, near now and behind last.
func totpRight(secret []byte, number string, now time.Time, last int64) (step int64, ok bool) {
	number = strings.ReplaceAll(strings.TrimSpace(number), " ", "")
	at := now.Unix() / totpStep
	for d := int64(-totpDrift); d <= totpDrift; d++ {
		if s := at + d; s > last && hmac.Equal([]byte(number), fmt.Appendf(nil, "%06d", totpNumber(secret, s))) {
			step, ok = s, true
		}
	}
	return step, ok
}

// TOTPOffer is a second factor that is not on yet.
type TOTPOffer struct {
	Secret string // base32, as people type it
	URL    string // otpauth://, as a QR code carries it
}

// offerTOTP words a secret for authenticators.
func offerTOTP(secret []byte, issuer, email string) TOTPOffer {
	text := base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(secret)
	u := url.URL{Scheme: "otpauth", Host: "totp", Path: "/" + issuer + ":" + email,
		RawQuery: url.Values{"secret": {text}, "issuer": {issuer}, "algorithm": {"SHA1"}, "digits": {"6"}, "period": {"30"}}.Encode()}
	return TOTPOffer{Secret: text, URL: u.String()}
}

// seal closes a secret for one person.
//
//	nonce 12, secret encrypted, tag 16; AES-256-GCM; authenticated with it is
//	the person's number of 8 bytes
func seal(k *fiscal.Key, rand io.Reader, u UserID, secret []byte) ([]byte, error) {
	return sealFor(k, rand, binary.BigEndian.AppendUint64(nil, uint64(u)), secret)
}

// sealFor closes a secret for whom the owner's bytes name.
func sealFor(k *fiscal.Key, rand io.Reader, owner, secret []byte) ([]byte, error) {
	g, err := gcm(k)
	if err != nil {
		return nil, err
	}
	nonce := make([]byte, g.NonceSize())
	if _, err := io.ReadFull(rand, nonce); err != nil {
		return nil, fmt.Errorf("randomness for a nonce: %w", err)
	}
	return g.Seal(nonce, nonce, secret, owner), nil
}

// open is what seal closed; Corrupt if it was changed, or is another person's.
func open(k *fiscal.Key, u UserID, sealed []byte) ([]byte, error) {
	secret, err := openFor(k, binary.BigEndian.AppendUint64(nil, uint64(u)), sealed)
	if err != nil {
		return nil, &fiscal.Error{Of: fiscal.Corrupt, Field: "totp", Msg: fmt.Sprintf("the second factor of user %d does not open", u)}
	}
	return secret, nil
}

// openFor is what sealFor closed.
func openFor(k *fiscal.Key, owner, sealed []byte) ([]byte, error) {
	g, err := gcm(k)
	if err != nil {
		return nil, err
	}
	n := g.NonceSize()
	if len(sealed) < n {
		return nil, io.ErrUnexpectedEOF
	}
	return g.Open(nil, sealed[:n], sealed[n:], owner)
}

func gcm(k *fiscal.Key) (cipher.AEAD, error) {
	block, err := aes.NewCipher(k.Secret[:])
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}
