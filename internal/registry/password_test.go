package registry_test

import (
	"crypto/rand"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"openofd/internal/fiscal"
	"openofd/internal/registry"
)

func TestPasswords(t *testing.T) {
	p := registry.NewPasswords(2, rand.Reader)
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
	if !registry.VerifyPassword(hash, "password") {
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
		if h := spoil(); registry.VerifyPassword(h, "password") {
			t.Errorf("%s: VerifyPassword(%s) = true", name, h)
		}
	}
}

// No more hashes than allowed are computed at a time; the rest wait.
func TestPasswordsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		salt := make(waiting)
		p := registry.NewPasswords(2, salt)
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

func TestCashiers(t *testing.T) {
	o, p := open(t), registry.NewPasswords(0, rand.Reader)
	asel := registry.NewCashier{Taxpayer: 1, Login: "asel", Password: "parol123", Code: 5, Name: "Әсел", Roles: []fiscal.CashierRole{fiscal.RoleCashier}}
	if err := o.PutCashier(t.Context(), p, asel); err != nil {
		t.Fatal(err)
	}
	asel.Password = "parol456"
	if err := o.PutCashier(t.Context(), p, asel); err != nil {
		t.Fatal(err)
	}
	all, err := o.Cashiers(t.Context(), 1)
	if err != nil || len(all) != 1 || !p.Verify(all[0].Hash, "parol456") || p.Verify(all[0].Hash, "parol123") {
		t.Errorf("Cashiers() = %d, %v; want one, with the new password", len(all), err)
	}
	for _, tt := range []struct {
		field string
		spoil func(*registry.NewCashier)
	}{
		{"login", func(c *registry.NewCashier) { c.Login = "" }},
		{"name", func(c *registry.NewCashier) { c.Name = "" }},
		{"password", func(c *registry.NewCashier) { c.Password = "12345" }},
		{"password", func(c *registry.NewCashier) { c.Password = strings.Repeat("1", 129) }},
		{"roles", func(c *registry.NewCashier) { c.Roles = []fiscal.CashierRole{4} }},
		{"taxpayer", func(c *registry.NewCashier) { c.Taxpayer = 0 }},
	} {
		c := asel
		tt.spoil(&c)
		var e *fiscal.Error
		if err := o.PutCashier(t.Context(), p, c); !errors.As(err, &e) || e.Field != tt.field {
			t.Errorf("PutCashier() = %v, want a complaint about %q", err, tt.field)
		}
	}
	if err := o.RemoveCashier(t.Context(), 1, "asel"); err != nil {
		t.Error(err)
	}
	if err := o.RemoveCashier(t.Context(), 1, "asel"); !errors.Is(err, fiscal.NotFound) {
		t.Errorf("RemoveCashier(again) = %v, want %v", err, fiscal.NotFound)
	}
}

func BenchmarkVerify(b *testing.B) {
	p := registry.NewPasswords(1, rand.Reader)
	hash, err := p.Hash("secret")
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		p.Verify(hash, "secret")
	}
}
