package main

import (
	"context"
	"fmt"
	"io"
	"slices"

	"openofd/internal/access"
	"openofd/internal/fiscal"
	"openofd/internal/registry"
)

// demoPassword opens every login of the demo. Whatever it opens is invented.
const demoPassword = "sample-data-only"

// demoPerson is somebody who looks at the demo's sample data.
type demoPerson struct {
	email, name, language string
	what                  string // as the demo introduces them
	at                    []demoPlace
	staff                 bool
	inspector             *access.Inspector
}

// demoPlace is what a person is in an organization.
type demoPlace struct {
	xin     fiscal.XIN
	role    access.Role
	outlets []string // by their Russian titles; nil: all
}

// demoPeople are one person of each kind. All of them are invented.
func demoPeople() []demoPerson {
	const dastarkhan, koktem, lukoshko, bereg = "210140012347", "850615400561", "9650042170", "965401187358"
	return []demoPerson{
		{email: "owner@dastarkhan.example", name: "Сейітова Мадина", language: "kk", what: "owner of a retail company with four outlets in Kazakhstan",
			at: []demoPlace{{dastarkhan, access.Owner, nil}}},
		{email: "accountant@dastarkhan.example", name: "Тен Ирина", language: "ru", what: "its accountant, who keeps the books of a trader too",
			at: []demoPlace{{dastarkhan, access.Accountant, nil}, {koktem, access.Accountant, nil}}},
		{email: "manager@dastarkhan.example", name: "Ахметова Сәуле", language: "kk", what: "manager of two of its outlets",
			at: []demoPlace{{dastarkhan, access.Manager, []string{"Магазин «Дастархан»", "Магазин «Дастархан Экспресс»"}}}},
		{email: "technician@dastarkhan.example", name: "Жұмабек Арман", language: "kk", what: "its technician, who sees registers and no sums",
			at: []demoPlace{{dastarkhan, access.Technician, nil}}},
		{email: "service@center.example", name: "Волков Денис", language: "ru", what: "works at a service center that two companies let in",
			at: []demoPlace{{dastarkhan, access.ServiceCenter, nil}, {lukoshko, access.ServiceCenter, nil}}},
		{email: "owner@koktem.example", name: "Әбенова Гүлнұр", language: "kk", what: "a sole trader with a coffee house in Astana",
			at: []demoPlace{{koktem, access.Owner, nil}}},
		{email: "owner@lukoshko.example", name: "Соколов Андрей", language: "ru", what: "owner of a company in Russia that sells marked goods",
			at: []demoPlace{{lukoshko, access.Owner, nil}}},
		{email: "owner@bereg.example", name: "Морозова Елена", language: "ru", what: "a sole trader in Russia with a café",
			at: []demoPlace{{bereg, access.Owner, nil}}},
		{email: "staff@openofd.example", name: "Operator's Desk", language: "en", what: "works for the operator; sets a second factor up first", staff: true},
		{email: "inspector@authority.example", name: "Оспанов Ержан", language: "ru", what: "inspects for an invented authority; the demo signs the second proof",
			inspector: &access.Inspector{Authority: "Управление государственных доходов (демонстрация)", IIN: "900101300007"}},
	}
}

// letIn lets the people of the demo in, and has a contract with each organization
// on paper.
func letIn(ctx context.Context, c *core) error {
	people, err := c.people()
	if err != nil {
		return err
	}
	office := registry.NewOffice(c.registry, c.store, people.Service, nil, fiscal.Operator{}, c.now)
	all, err := c.registry.Taxpayers(ctx, 0, 100)
	if err != nil {
		return err
	}
	of := map[fiscal.XIN]fiscal.TaxpayerID{}
	for i, t := range all {
		of[t.XIN] = t.ID
		if _, err := office.RecordPaper(ctx, t.ID, "staff@openofd.example", fmt.Sprintf("%d-%03d", c.now().Year(), i+1)); err != nil {
			return err
		}
	}
	owners := map[fiscal.TaxpayerID]access.Actor{}
	for _, p := range demoPeople() {
		in := access.NewUser{Email: p.email, Name: p.name, Password: demoPassword, Language: p.language}
		if p.inspector != nil {
			if _, err := people.AddInspector(ctx, in, *p.inspector); err != nil {
				return fmt.Errorf("let %s in: %w", p.email, err)
			}
			continue
		}
		u, err := people.AddUser(ctx, in, p.staff)
		if err != nil {
			return fmt.Errorf("let %s in: %w", p.email, err)
		}
		for _, at := range p.at {
			t, ok := of[at.xin]
			if !ok {
				continue // a past of some registers alone
			}
			if err := people.Place(ctx, p.email, t, at.role); err != nil {
				return fmt.Errorf("a place for %s: %w", p.email, err)
			}
			if at.role == access.Owner {
				owners[t] = access.Actor{User: u, Taxpayer: t, Strong: true, Member: access.Member{User: u.ID, Taxpayer: t, Role: access.Owner}}
			}
			if at.outlets == nil {
				continue
			}
			owner := owners[t]
			outlets, err := outletsNamed(ctx, c, t, at.outlets)
			if err == nil && len(outlets) > 0 {
				err = people.SetRole(ctx, &owner, u.ID, at.role, outlets)
			}
			if err != nil {
				return fmt.Errorf("outlets of %s: %w", p.email, err)
			}
		}
	}
	return nil
}

func outletsNamed(ctx context.Context, c *core, t fiscal.TaxpayerID, titles []string) (ids []fiscal.OutletID, err error) {
	all, err := c.store.Outlets(ctx, t)
	for i := range all {
		if slices.Contains(titles, all[i].Title.RU) {
			ids = append(ids, all[i].ID)
		}
	}
	return ids, err
}

// introduce prints who can sign in.
func introduce(w io.Writer, site string) {
	fmt.Fprintf(w, "\nPeople sign in at %s/signin, all with the password %s\n", site, demoPassword)
	for _, p := range demoPeople() {
		fmt.Fprintf(w, "  %-30s %s\n", p.email, p.what)
	}
}
