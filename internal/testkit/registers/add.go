package registers

import (
	"context"
	"fmt"

	"openofd/internal/fiscal"
	wire "openofd/internal/protocol/kkt"
	"openofd/internal/registry"
)

// Add puts n registers on the record, three to a taxpayer, so that an engine
// with many partitions uses several of them.
func Add(ctx context.Context, s *registry.Service, n int) (all []Credential, err error) {
	for i := range n {
		r, err := s.AddRegister(ctx, registry.NewRegister{
			By: "test", Country: fiscal.Kazakhstan, XIN: business(i / 3), Title: fiscal.Text{RU: "ТОО «Дала»"},
			OutletAddress: fiscal.Text{RU: "г. Алматы, ул. Толе би, 59"}, Zone: "Asia/Almaty",
			Model: "Test", SerialNumber: fmt.Sprintf("crowd-%d", i), VATPercent: 16_000, TaxSystem: 101,
		})
		if err != nil {
			return all, fmt.Errorf("register %d of %d: %w", i+1, n, err)
		}
		all = append(all, Credential{ID: r.Card.Register, Token: r.Token})
	}
	return all, nil
}

// AddDrives puts n registers of Russia on the record, three to a taxpayer too.
func AddDrives(ctx context.Context, s *registry.Service, n int) (all []DriveCredential, err error) {
	for i := range n {
		c := DriveCredential{INN: inn(i / 3), Serial: fmt.Sprintf("%014d", i+1)}
		c.RegistrationNumber = registrationNumber(i+1, c.INN, c.Serial)
		if c.Number, err = wire.ParseDriveNumber(fmt.Sprintf("99990789%08d", i+1)); err != nil {
			return all, err
		}
		r, err := s.AddRegister(ctx, registry.NewRegister{
			By: "test", Country: fiscal.Russia, XIN: fiscal.XIN(c.INN), Title: fiscal.Text{RU: "ООО «Ромашка»"},
			OutletAddress: fiscal.Text{RU: "Москва, ул. Тверская, д. 1"}, Model: "Test", SerialNumber: c.Serial,
			RegistrationNumber: c.RegistrationNumber, Drive: c.Number.String(),
		})
		if err != nil {
			return all, fmt.Errorf("drive %d of %d: %w", i+1, n, err)
		}
		c.ID = r.Card.Register
		all = append(all, c)
	}
	return all, nil
}

// inn is the n-th INN whose check digit is right.
func inn(n int) string {
	for digit := range 10 {
		if x := fmt.Sprintf("77%07d%d", 1000+n, digit); fiscal.ValidINN(x) {
			return x
		}
	}
	panic("registers: no INN can be made")
}

// registrationNumber is the n-th number whose check digits are right.
func registrationNumber(n int, inn, serial string) string {
	for check := range 1 << 16 {
		if x := fmt.Sprintf("%010d%06d", n, check); fiscal.ValidRussianNumber(x, inn, serial) {
			return x
		}
	}
	panic("registers: no registration number can be made")
}

// business is the n-th BIN whose check digit is right.
func business(n int) fiscal.XIN {
	for filler := range 10 { // a few sequences have no check digit at all
		for digit := range 10 {
			if x := fiscal.XIN(fmt.Sprintf("2101400%03d%d%d", n, filler, digit)); fiscal.CheckXIN(x, "bin") == nil {
				return x
			}
		}
	}
	panic("registers: no BIN can be made")
}
