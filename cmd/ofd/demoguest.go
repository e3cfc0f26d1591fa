package main

import (
	"context"
	"fmt"
	"os"

	"openofd/internal/fiscal"
	"openofd/internal/registry"
)

// guests are registers that nobody operates: whoever watches the demo may.
type guests struct {
	kazakhstan fiscal.Card
	token      uint32
	russia     fiscal.Card
}

// openGuests registers them beside those of the first shop of each country.
func openGuests(ctx context.Context, o *operator) (g guests, err error) {
	kz := demoShops(standardVAT(o.now()))[0].register
	kz.Name, kz.SerialNumber = "Касса 9 (для гостя)", "DM2600000102"
	if g.kazakhstan, g.token, err = demoRegister(ctx, o.core, kz); err != nil {
		return g, fmt.Errorf("a register for the guest: %w", err)
	}
	if g.token == 0 { // the one of last time is in nobody's hands
		if g.token, err = o.registry.Token(ctx, g.kazakhstan.Register, "demo"); err != nil {
			return g, err
		}
	}
	if g.russia, _, err = demoRegister(ctx, o.core, guestOfRussia()); err != nil {
		return g, fmt.Errorf("a register of Russia for the guest: %w", err)
	}
	return g, nil
}

func guestOfRussia() registry.NewRegister {
	in := demoGrocery().register
	in.Name, in.SerialNumber, in.RegistrationNumber, in.Drive = "Касса 9 (для гостя)", "DG00000000106", "0009650042002780", "9999078900010601"
	return in
}

// commands are what to type; --data in a folder that is kept keeps the registers.
func (g *guests) commands(o *operator) []string {
	self := os.Args[0]
	russia := fmt.Sprintf("--addr %s --memory drive-ru --fn %s --inn %s --rnm %s --serial %s --operator-inn %s --place Лукошко --address Тверь",
		dialable(o.KKTAddr), g.russia.Drive, g.russia.XIN, g.russia.RegistrationNumber, g.russia.SerialNumber, demoOperator().INN.Number)
	return []string{
		fmt.Sprintf("%s send kkm --addr %s --state register-kz.json --id %d --token %d --command ticket --sum 1500 --name Нан",
			self, dialable(o.KKMAddr), g.kazakhstan.Register, g.token),
		self + " send kkt registration " + russia,
		self + " send kkt open " + russia,
		self + " send kkt sale " + russia + " --price 129.90 --price 54.90",
		self + " send kkt close " + russia,
	}
}
