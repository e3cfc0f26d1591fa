package access_test

import (
	"crypto/rand"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"openofd/internal/access"
)

func TestPasswords(t *testing.T) {
	p := access.NewPasswords(2, rand.Reader)
	hash, err := p.Hash("Құпия сөз 1")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(hash, "$argon2id$v=19$m=19456,t=2,p=1$") {
		t.Errorf("Hash() = %s", hash)
	}
	if again, _ := p.Hash("Құпия сөз 1"); again == hash {
		t.Error("two hashes of one password are equal: no salt")
	}
	for _, tt := range []struct {
		password string
		want     bool
	}{{"Құпия сөз 1", true}, {"Құпия сөз 2", false}, {"", false}, {"Құпия сөз 1 ", false}} {
		if got := p.Verify(hash, tt.password); got != tt.want {
			t.Errorf("Verify(%q) = %t, want %t", tt.password, got, tt.want)
		}
	}
}

// A hash made elsewhere, by the reference implementation's command:
// echo -n password | argon2 somesalt -id -t 2 -m 16 -p 1 -e
func TestVerifyForeignHash(t *testing.T) {
	const hash = "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc"
	if !access.VerifyPassword(hash, "password") {
		t.Error("VerifyPassword(reference hash) = false, want true")
	}
	parts := strings.Split(hash, "$")
	for name, spoil := range map[string]func() string{
		"empty":          func() string { return "" },
		"another scheme": func() string { return strings.Replace(hash, "argon2id", "argon2i", 1) },
		"version":        func() string { return strings.Replace(hash, "v=19", "v=16", 1) },
		"too dear":       func() string { return strings.Replace(hash, "m=65536", "m=65537", 1) },
		"too long":       func() string { return strings.Replace(hash, "t=2", "t=17", 1) },
		"no passes":      func() string { return strings.Replace(hash, "t=2", "t=0", 1) },
		"lanes":          func() string { return strings.Replace(hash, "p=1", "p=300", 1) },
		"order":          func() string { return strings.Replace(hash, "m=65536,t=2", "t=2,m=65536", 1) },
		"salt":           func() string { return strings.Replace(hash, "c29tZXNhbHQ", "c29tZXNhbHR", 1) },
		"no sum":         func() string { return strings.Join(parts[:5], "$") + "$" },
		"sum":            func() string { return hash[:len(hash)-2] + "Pb" },
		"more":           func() string { return hash + "$" },
	} {
		if h := spoil(); access.VerifyPassword(h, "password") {
			t.Errorf("%s: VerifyPassword(%s) = true", name, h)
		}
	}
}

// No more hashes than allowed are computed at a time; the rest wait.
func TestPasswordsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		salt := make(waiting)
		p := access.NewPasswords(2, salt)
		var done atomic.Int32
		for range 2 {
			go func() {
				p.Hash("secret")
				done.Add(1)
			}()
		}
		synctest.Wait()
		go func() {
			p.Verify("no hash at all", "secret")
			done.Add(1)
		}()
		synctest.Wait()
		if n := done.Load(); n != 0 {
			t.Errorf("%d done while two hashes are being made and two may be", n)
		}
		close(salt)
		synctest.Wait()
		if n := done.Load(); n != 3 {
			t.Errorf("%d done at the end, want 3", n)
		}
	})
}

// waiting is randomness that comes when the channel is closed.
type waiting chan struct{}

func (w waiting) Read(b []byte) (int, error) { <-w; return len(b), nil }
