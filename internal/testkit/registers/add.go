package registers

import (
	"context"
	"fmt"

	"openofd/internal/fiscal"
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
