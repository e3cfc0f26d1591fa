package registry

import (
	"context"
	"fmt"

	"openofd/internal/access"
	"openofd/internal/fiscal"
)

// NewCashier is what is told of a cashier kept at the operator.
type NewCashier struct {
	Taxpayer fiscal.TaxpayerID
	Login    string
	Password string
	Code     uint32
	Name     string
	Roles    []fiscal.CashierRole
}

// minPassword is the shortest password of a cashier, in bytes.
const minPassword = 6

// PutCashier stores a cashier, or replaces the one with this login. Only the
// password's hash is kept. Errors: Invalid with the Field.
// Source: KKM reference §5.9.
func (s *Service) PutCashier(ctx context.Context, passwords *access.Passwords, in NewCashier) error {
	err := first(
		checkLine("login", in.Login, maxShort, true),
		checkLine("name", in.Name, maxTitle, true),
	)
	if err != nil {
		return err
	}
	if in.Taxpayer == 0 {
		return &fiscal.Error{Reason: fiscal.MissingParameter, Field: "taxpayer", Msg: "is missing"}
	}
	if n := len(in.Password); n < minPassword || n > access.MaxPassword {
		return bad("password", "has %d bytes, %d to %d are allowed", n, minPassword, access.MaxPassword)
	}
	for _, r := range in.Roles {
		if r < fiscal.RoleCashier || r > fiscal.RoleAdmin {
			return bad("roles", "%d is no role", r)
		}
	}
	hash, err := passwords.Hash(in.Password)
	if err != nil {
		return err
	}
	c := fiscal.CashierLogin{Taxpayer: in.Taxpayer, Login: in.Login, Hash: hash, Code: in.Code, Name: in.Name, Roles: in.Roles}
	if err := s.store.PutCashier(ctx, c); err != nil {
		return fmt.Errorf("store cashier %q: %w", in.Login, err)
	}
	return nil
}

// Cashiers lists a taxpayer's cashiers.
func (s *Service) Cashiers(ctx context.Context, t fiscal.TaxpayerID) ([]fiscal.CashierLogin, error) {
	return s.store.Cashiers(ctx, t)
}

// RemoveCashier removes a cashier; NotFound if there is none.
func (s *Service) RemoveCashier(ctx context.Context, t fiscal.TaxpayerID, login string) error {
	return s.store.RemoveCashier(ctx, t, login)
}
