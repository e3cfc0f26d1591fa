package main

import (
	"context"
	"errors"
	"strconv"
	"strings"

	"openofd/internal/fiscal"
	"openofd/internal/registry"
	"openofd/internal/web/room"
)

// staffDesk finds clients for the operator's staff, and does what the command
// line does.
type staffDesk struct{ *core }

var _ room.Desk = staffDesk{}

// Bounds of what is shown at once.
const (
	maxFindings  = 50
	maxRegisters = 500 // of one client
	scanPage     = 500
)

// Search takes a text for whatever it may be.
func (d staffDesk) Search(ctx context.Context, text string) ([]room.Finding, error) {
	words := strings.Fields(text)
	if len(words) == 2 && digits(words[0]) && digits(words[1]) {
		if found, err := d.document(ctx, words[0], words[1]); err != nil || len(found) > 0 {
			return found, err
		}
	}
	var found []room.Finding
	if len(words) == 1 && digits(words[0]) {
		for _, country := range []fiscal.Country{fiscal.Kazakhstan, fiscal.Russia} {
			switch t, err := d.store.TaxpayerByXIN(ctx, country, fiscal.XIN(words[0])); {
			case err == nil:
				found = append(found, room.Finding{Taxpayer: t.ID, XIN: t.XIN, Title: t.Title})
			case !errors.Is(err, fiscal.NotFound):
				return nil, err
			}
		}
		if place, err := d.place(ctx, words[0]); err == nil {
			l, err := d.store.Register(ctx, place.Register)
			if err != nil {
				return nil, err
			}
			found = append(found, ofRegister(&l.Card))
		} else if !errors.Is(err, fiscal.NotFound) {
			return nil, err
		}
	}
	if len(found) > 0 {
		return found, nil
	}
	return d.scan(ctx, strings.ToLower(strings.Join(words, " ")))
}

func digits(s string) bool { return strings.Trim(s, "0123456789") == "" }

func ofRegister(c *fiscal.Card) room.Finding {
	return room.Finding{Taxpayer: c.Taxpayer, XIN: c.XIN, Title: c.Title, Register: c.Register}
}

// place leads from any number of a register to it; NotFound if none does.
func (d staffDesk) place(ctx context.Context, number string) (fiscal.Place, error) {
	for _, kind := range []fiscal.AddressKind{fiscal.ByID, fiscal.ByRegistrationNumber, fiscal.ByDrive} {
		place, err := d.store.Find(ctx, fiscal.Address{Kind: kind, Name: number})
		if err == nil || !errors.Is(err, fiscal.NotFound) && !errors.Is(err, fiscal.UnknownRegister) {
			return place, err
		}
	}
	return fiscal.Place{}, &fiscal.Error{Reason: fiscal.NothingThere, Field: "register"}
}

// document finds one by a number of its register, and its fiscal sign, its
// number here, or the drive's number of it.
func (d staffDesk) document(ctx context.Context, register, number string) (found []room.Finding, err error) {
	place, err := d.place(ctx, register)
	if errors.Is(err, fiscal.NotFound) {
		return nil, nil
	}
	n, bad := strconv.ParseUint(number, 10, 63)
	if err != nil || bad != nil {
		return nil, err
	}
	l, err := d.store.Register(ctx, place.Register)
	if err != nil {
		return nil, err
	}
	add := func(n fiscal.Number) {
		f := ofRegister(&l.Card)
		f.Number = n
		found = append(found, f)
	}
	candidates := append(signs{d.ring}.Numbers(place.Register, n), fiscal.Number(n))
	for i, candidate := range candidates {
		e, err := d.store.Entry(ctx, place.Partition, place.Register, candidate)
		switch {
		case errors.Is(err, fiscal.NotFound):
		case err != nil:
			return nil, err
		case i == len(candidates)-1 || e.FiscalSign == n:
			add(e.Number)
		}
	}
	if l.Card.Drive != "" {
		all, err := d.store.public.ByDriveNumber(ctx, place, l.Card.Drive, n)
		if err != nil {
			return nil, err
		}
		for i := range all {
			add(all[i].Number)
		}
	}
	return found, nil
}

// scan walks the lists for a title or a factory number.
func (d staffDesk) scan(ctx context.Context, text string) (found []room.Finding, err error) {
	holds := func(t fiscal.Text) bool {
		return strings.Contains(strings.ToLower(t.RU), text) || strings.Contains(strings.ToLower(t.KK), text)
	}
	for after := fiscal.TaxpayerID(0); len(found) < maxFindings; {
		page, err := d.store.Taxpayers(ctx, after, scanPage)
		if err != nil {
			return nil, err
		}
		for _, t := range page {
			if after = t.ID; holds(t.Title) || strings.HasPrefix(string(t.XIN), text) {
				found = append(found, room.Finding{Taxpayer: t.ID, XIN: t.XIN, Title: t.Title})
			}
		}
		if len(page) < scanPage {
			break
		}
	}
	for after := fiscal.RegisterID(0); len(found) < maxFindings; {
		page, err := d.store.Registers(ctx, 0, after, scanPage)
		if err != nil {
			return nil, err
		}
		for i := range page {
			if after = page[i].Card.Register; strings.ToLower(page[i].Card.SerialNumber) == text {
				found = append(found, ofRegister(&page[i].Card))
			}
		}
		if len(page) < scanPage {
			break
		}
	}
	return found[:min(len(found), maxFindings)], nil
}

// Client is a taxpayer with registers.
func (d staffDesk) Client(ctx context.Context, t fiscal.TaxpayerID) (registry.Taxpayer, []registry.Listed, error) {
	all, err := d.store.Taxpayers(ctx, t-1, 1)
	if err != nil {
		return registry.Taxpayer{}, nil, err
	}
	if len(all) == 0 || all[0].ID != t {
		return registry.Taxpayer{}, nil, &fiscal.Error{Reason: fiscal.NothingThere, Field: "organization"}
	}
	registers, err := d.store.Registers(ctx, t, 0, maxRegisters)
	return all[0], registers, err
}

// Register is one register.
func (d staffDesk) Register(ctx context.Context, r fiscal.RegisterID) (registry.Listed, error) {
	return d.registry.Show(ctx, r)
}

// Document is one document as it was accepted, with its register.
func (d staffDesk) Document(ctx context.Context, r fiscal.RegisterID, n fiscal.Number) (fiscal.Document, registry.Listed, error) {
	l, err := d.store.Register(ctx, r)
	if err != nil {
		return fiscal.Document{}, l, err
	}
	e, err := d.store.Entry(ctx, l.Partition, r, n)
	if err != nil {
		return fiscal.Document{}, l, err
	}
	doc, err := d.read(e.Record)
	return doc, l, err
}

// Block stops a register with a reason that its device shows.
func (d staffDesk) Block(ctx context.Context, r fiscal.RegisterID, by, text string) error {
	return d.registry.Block(ctx, r, by, text)
}

// Unblock lets it go on.
func (d staffDesk) Unblock(ctx context.Context, r fiscal.RegisterID, by string) error {
	return d.registry.Unblock(ctx, r, by)
}
