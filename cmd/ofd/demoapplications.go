package main

import (
	"context"
	"fmt"
	"slices"

	"openofd/internal/access"
	"openofd/internal/fiscal"
	"openofd/internal/registry"
)

// demoApplication is what becomes of a register that somebody has bought and
// that sells nothing yet.
type demoApplication struct {
	name, model, serial string
	connection          fiscal.Connection
	until               registry.ApplicationStatus // how far its owner goes with it
}

// demoApplications are the company's: one that the authority grants, one that it
// refuses, one that lacks its SIM card, one that was given up.
func demoApplications() []demoApplication {
	return []demoApplication{
		{"Касса 3", "Demo Market KZ", "DM2600000106", fiscal.ConnectionWired, registry.Sent},
		{"Касса склада", demoUnknownModel, "DF2400000107", fiscal.ConnectionWired, registry.Sent},
		{"Выездная касса", "Demo Pocket KZ", "DP2600000108", fiscal.ConnectionWireless, registry.Draft},
		{"Касса 4", "Demo Market KZ", "DM2600000109", fiscal.ConnectionWired, registry.Withdrawn},
	}
}

// apply has the company's owner apply for its new registers, once.
func (c *demoCmd) apply(ctx context.Context, o *operator, s *settings) error {
	if !c.hasPast() {
		return nil // nor are there owners
	}
	shop := demoShops(0)[0].register
	of, err := o.registry.Taxpayer(ctx, shop.Country, shop.XIN)
	if err != nil {
		return err
	}
	had, err := o.store.ApplicationsOf(ctx, registry.ApplicationScan{Taxpayer: of.ID, Limit: 1})
	if err != nil || len(had) > 0 {
		return err
	}
	owner, err := ownerOf(ctx, o, of.ID)
	if err != nil {
		return err
	}
	for _, a := range demoApplications() {
		in := shop
		in.Name, in.Model, in.SerialNumber = a.name, a.model, a.serial
		card, _, err := demoRegister(ctx, o.core, in)
		if err == nil {
			err = a.make(ctx, o, s, owner, card.Register)
		}
		if err != nil {
			return fmt.Errorf("application for %s: %w", a.name, err)
		}
	}
	return nil
}

// ownerOf is an organization's owner, who has proved it by two factors.
func ownerOf(ctx context.Context, o *operator, t fiscal.TaxpayerID) (*access.Actor, error) {
	people, err := o.people()
	if err != nil {
		return nil, err
	}
	all, err := people.People(ctx, 0, 1000)
	if err != nil {
		return nil, err
	}
	for _, p := range demoPeople() {
		if !slices.ContainsFunc(p.at, func(at demoPlace) bool { return at.role == access.Owner }) {
			continue
		}
		for _, u := range all {
			i := slices.IndexFunc(u.Places, func(m access.Member) bool { return m.Taxpayer == t && m.Role == access.Owner })
			if u.Email == p.email && i >= 0 {
				return &access.Actor{User: u.User, Taxpayer: t, Strong: true, Member: u.Places[i]}, nil
			}
		}
	}
	return nil, fmt.Errorf("organization %d has no owner", t)
}

// make drafts an application and takes it as far as it goes.
func (a *demoApplication) make(ctx context.Context, o *operator, s *settings, owner *access.Actor, r fiscal.RegisterID) error {
	office := o.rooms.office
	app, err := office.DraftApplication(ctx, owner, r, registry.Enrol)
	if err != nil {
		return err
	}
	app.Form.Connection = a.connection
	if _, _, err := office.SetApplication(ctx, owner, app.ID, app.Form); err != nil {
		return err
	}
	switch a.until {
	case registry.Withdrawn:
		return office.WithdrawApplication(ctx, owner, app.ID)
	case registry.Sent:
		content, err := office.ApplicationContent(ctx, owner, app.ID)
		if err != nil {
			return err
		}
		file, err := s.DemoSign(content, owner.User.Name, app.Form.XIN)
		if err != nil {
			return err
		}
		_, err = office.SignApplication(ctx, owner, app.ID, file)
		return err
	}
	return nil
}
