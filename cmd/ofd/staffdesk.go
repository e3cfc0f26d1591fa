package main

import (
	"context"
	"errors"
	"slices"
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
	maxOpen      = 200 // applications
	scanPage     = 500
)

// Search takes a text for whatever it may be. A number is found by an index;
// words are looked for in the titles of all clients.
func (d staffDesk) Search(ctx context.Context, text string) (found []room.Finding, err error) {
	g := guessStaff(text)
	for _, by := range []func(context.Context, *staffGuess) ([]room.Finding, error){d.checked, d.applied, d.ofDocument, d.numbered, d.bySerial} {
		more, err := by(ctx, &g)
		if err != nil {
			return nil, err
		}
		if found = append(found, more...); len(found) > 0 {
			return found[:min(len(found), maxFindings)], nil
		}
	}
	if g.Words == "" {
		return nil, nil
	}
	return d.scan(ctx, g.Words)
}

// checked is the document that the text of a QR code speaks of.
func (d staffDesk) checked(ctx context.Context, g *staffGuess) ([]room.Finding, error) {
	switch q := g.Check; {
	case q == nil:
		return nil, nil
	case q.Country == fiscal.Russia:
		return d.document(ctx, q.Drive, strconv.FormatUint(uint64(q.Number), 10))
	default:
		return d.document(ctx, q.RegistrationNumber, q.Code)
	}
}

// applied is the application with a number.
func (d staffDesk) applied(ctx context.Context, g *staffGuess) ([]room.Finding, error) {
	if g.Application == 0 {
		return nil, nil
	}
	all, err := d.store.ApplicationsOf(ctx, registry.ApplicationScan{Before: g.Application + 1, Limit: 1})
	if err != nil || len(all) == 0 || all[0].ID != g.Application {
		return nil, err
	}
	return []room.Finding{ofApplication(&all[0])}, nil
}

func ofApplication(a *registry.Application) room.Finding {
	return room.Finding{Taxpayer: a.Taxpayer, XIN: a.Form.XIN, Title: a.Form.Title, Register: a.Register, Application: a.ID}
}

func (d staffDesk) ofDocument(ctx context.Context, g *staffGuess) ([]room.Finding, error) {
	if g.Document == "" {
		return nil, nil
	}
	return d.document(ctx, g.Register, g.Document)
}

// numbered are the client and the register with a number.
func (d staffDesk) numbered(ctx context.Context, g *staffGuess) (found []room.Finding, err error) {
	if g.Number == "" {
		return nil, nil
	}
	for _, country := range []fiscal.Country{fiscal.Kazakhstan, fiscal.Russia} {
		switch t, err := d.store.TaxpayerByXIN(ctx, country, fiscal.XIN(g.Number)); {
		case err == nil:
			found = append(found, room.Finding{Taxpayer: t.ID, XIN: t.XIN, Title: t.Title})
		case !errors.Is(err, fiscal.NotFound):
			return nil, err
		}
	}
	place, err := d.place(ctx, g.Number)
	if errors.Is(err, fiscal.NotFound) {
		return found, nil
	}
	if err != nil {
		return nil, err
	}
	l, err := d.store.Register(ctx, place.Register)
	if err != nil {
		return nil, err
	}
	return append(found, ofRegister(&l.Card)), nil
}

// bySerial are the registers with a factory number.
func (d staffDesk) bySerial(ctx context.Context, g *staffGuess) (found []room.Finding, err error) {
	for _, number := range []string{g.Words, g.Number} {
		if number == "" || len(found) > 0 {
			continue
		}
		all, err := d.store.RegistersBySerial(ctx, number, maxFindings)
		if err != nil {
			return nil, err
		}
		for i := range all {
			found = append(found, ofRegister(&all[i].Card))
		}
	}
	return found, nil
}

// Applications are those that wait for the authority, the oldest first.
func (d staffDesk) Applications(ctx context.Context) (all []registry.Application, err error) {
	for _, status := range []registry.ApplicationStatus{registry.Sent, registry.Waiting} {
		page, err := d.store.ApplicationsOf(ctx, registry.ApplicationScan{Status: status, Limit: maxOpen})
		if err != nil {
			return nil, err
		}
		all = append(all, page...)
	}
	slices.SortFunc(all, func(a, b registry.Application) int { return a.SignedAt.Compare(b.SignedAt) })
	return all[:min(len(all), maxOpen)], nil
}

func digits(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }

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

// scan walks through the clients for a title.
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
