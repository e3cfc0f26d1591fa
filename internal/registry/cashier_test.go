package registry_test

import (
	"crypto/rand"
	"errors"
	"strings"
	"testing"

	"openofd/internal/access"
	"openofd/internal/fiscal"
	"openofd/internal/registry"
)

func TestCashiers(t *testing.T) {
	o, p := open(t), access.NewPasswords(0, rand.Reader)
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
	p := access.NewPasswords(1, rand.Reader)
	hash, err := p.Hash("secret")
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		p.Verify(hash, "secret")
	}
}
