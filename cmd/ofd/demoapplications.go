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
	register   registry.NewRegister
	connection fiscal.Connection
	format     string                     // of fiscal data, in Russia
	until      registry.ApplicationStatus // how far its owner goes with it
}

// demoApplications are, by their shops: a company's in Kazakhstan, one that the
// authority grants, one that it refuses, one that lacks its SIM card, one that
// was given up; a trader's in Russia, one granted and one refused.
func demoApplications() [][]demoApplication {
	of := func(in registry.NewRegister, name, model, serial, drive string, c fiscal.Connection, until registry.ApplicationStatus) demoApplication {
		in.Name, in.Model, in.SerialNumber, in.Drive, in.RegistrationNumber = name, model, serial, drive, ""
		return demoApplication{register: in, connection: c, until: until}
	}
	kz, ru := demoShops(0)[0].register, demoVeranda().register
	all := [][]demoApplication{{
		of(kz, "Касса 3", "Demo Market KZ", "DM2600000106", "", fiscal.ConnectionWired, registry.Sent),
		of(kz, "Касса склада", demoUnknownModel, "DF2400000107", "", fiscal.ConnectionWired, registry.Sent),
		of(kz, "Выездная касса", "Demo Pocket KZ", "DP2600000108", "", fiscal.ConnectionWireless, registry.Draft),
		of(kz, "Касса 4", "Demo Market KZ", "DM2600000109", "", fiscal.ConnectionWired, registry.Withdrawn),
	}, {
		of(ru, "Летний зал", ru.Model, "DC00000000214", "9999078900021401", "", registry.Sent),
		of(ru, "Киоск", demoUnknownRussian, "DK00000000215", "9999078900021501", "", registry.Sent),
	}}
	all[1][0].format, all[1][1].format = "1.05", "1.2"
	return all
}

// apply has owners apply for their new registers, once. In the check Russia's are
// its walk's.
func (c *demoCmd) apply(ctx context.Context, o *operator, s *settings) error {
	if !c.hasPast() {
		return nil // nor are there owners
	}
	all := demoApplications()
	if c.Check {
		all = all[:1]
	}
	for _, of := range all {
		if err := applyFor(ctx, o, s, of); err != nil {
			return err
		}
	}
	return nil
}

// applyFor has an owner apply for registers, unless that was done.
func applyFor(ctx context.Context, o *operator, s *settings, all []demoApplication) error {
	of, err := o.registry.Taxpayer(ctx, all[0].register.Country, all[0].register.XIN)
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
	for i := range all {
		a := &all[i]
		card, _, err := demoRegister(ctx, o.core, a.register)
		if err == nil {
			err = a.make(ctx, o, s, owner, card.Register)
		}
		if err != nil {
			return fmt.Errorf("application for %s: %w", a.register.Name, err)
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
	fill := func(f *registry.ApplicationForm) { f.Connection, f.Format = a.connection, a.format }
	if a.until == registry.Sent {
		_, err := signApplication(ctx, o, s, owner, r, registry.Enrol, fill)
		return err
	}
	id, err := draftApplication(ctx, o, owner, r, registry.Enrol, fill)
	if err == nil && a.until == registry.Withdrawn {
		err = o.rooms.office.WithdrawApplication(ctx, owner, id)
	}
	return err
}

// draftApplication drafts an application; fill, if it is not nil, changes what is
// filled in.
func draftApplication(ctx context.Context, o *operator, owner *access.Actor, r fiscal.RegisterID, kind registry.ApplicationKind, fill func(*registry.ApplicationForm)) (registry.ApplicationID, error) {
	a, err := o.rooms.office.DraftApplication(ctx, owner, r, kind)
	if err != nil || fill == nil {
		return a.ID, err
	}
	fill(&a.Form)
	_, _, err = o.rooms.office.SetApplication(ctx, owner, a.ID, a.Form)
	return a.ID, err
}

// signApplication drafts an application and has it signed by the demo's
// authority.
func signApplication(ctx context.Context, o *operator, s *settings, owner *access.Actor, r fiscal.RegisterID, kind registry.ApplicationKind, fill func(*registry.ApplicationForm)) (registry.ApplicationID, error) {
	id, err := draftApplication(ctx, o, owner, r, kind, fill)
	if err != nil {
		return id, err
	}
	content, err := o.rooms.office.ApplicationContent(ctx, owner, id)
	if err != nil {
		return id, err
	}
	of, err := o.store.TaxpayerOf(ctx, owner.Taxpayer)
	if err != nil {
		return id, err
	}
	file, err := s.DemoSign(content, owner.User.Name, of.XIN)
	if err != nil {
		return id, err
	}
	_, err = o.rooms.office.SignApplication(ctx, owner, id, file)
	return id, err
}
