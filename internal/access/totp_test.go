package access

import (
	"encoding/base32"
	"testing"
	"time"

	"openofd/internal/fiscal"
)

// TestTOTPVectors are those of the RFC, of which six digits are shown.
// Source: RFC 6238 appendix B.
func TestTOTPVectors(t *testing.T) {
	secret := []byte("12345678901234567890")
	for at, want := range map[int64]string{59: "287082", 1111111109: "081804", 1111111111: "050471", 1234567890: "005924", 2000000000: "279037", 20000000000: "353130"} {
		now := time.Unix(at, 0)
		step, ok := totpRight(secret, want, now, 0)
		if !ok || step != at/totpStep {
			t.Errorf("at %d: %s is not right", at, want)
		}
		if _, ok := totpRight(secret, want, now, step); ok {
			t.Errorf("at %d: %s is right twice", at, want)
		}
		if _, ok := totpRight(secret, want, now.Add(2*totpStep*time.Second), 0); ok {
			t.Errorf("at %d: %s is right a minute later", at, want)
		}
		if _, ok := totpRight(secret, want[:3]+" "+want[3:], now.Add(totpStep*time.Second), 0); !ok {
			t.Errorf("at %d: %s with a space is not right half a minute later", at, want)
		}
	}
	if _, ok := totpRight(secret, "", time.Unix(59, 0), 0); ok {
		t.Error("nothing is right")
	}
}

func TestSealedForOne(t *testing.T) {
	k := &fiscal.Key{Secret: [32]byte{1}}
	sealed, err := seal(k, base32.NewDecoder(base32.StdEncoding, zeros{}), 5, []byte("secret"))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := open(k, 5, sealed); err != nil || string(got) != "secret" {
		t.Errorf("open = %q, %v", got, err)
	}
	for name, try := range map[string]func() error{
		"another person": func() error { _, err := open(k, 6, sealed); return err },
		"another key":    func() error { _, err := open(&fiscal.Key{Secret: [32]byte{2}}, 5, sealed); return err },
		"cut":            func() error { _, err := open(k, 5, sealed[:len(sealed)-1]); return err },
		"nothing":        func() error { _, err := open(k, 5, nil); return err },
	} {
		if try() == nil {
			t.Errorf("%s: it opens", name)
		}
	}
}

// zeros is randomness that is none.
type zeros struct{}

func (zeros) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = 'A'
	}
	return len(b), nil
}
