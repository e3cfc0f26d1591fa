package registry

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"

	"openofd/internal/access"
	"openofd/internal/fiscal"
)

// Behind is a register whose card says something else than its organization or
// outlet does now.
type Behind struct {
	Seen
	// Reasons are why the authority must know of it before the card changes; none:
	// it need not, and the card may change at once.
	Reasons []ApplicationReason
	// Open is the application that is under way for the register; 0 none.
	Open ApplicationID
}

// Carried is what became of registers that were behind.
type Carried struct {
	Changed []fiscal.RegisterID // their cards have it
	Drafted []ApplicationID     // begun for those of which the authority must know
	Waiting []fiscal.RegisterID // an application of theirs is under way; ask again when it is over
	More    bool                // there are others; ask again
}

// carriedAtOnce bounds what one question changes.
const carriedAtOnce = 200

// current is a card as it would be with what is known now.
func current(c *fiscal.Card, t *Taxpayer, outlets []Outlet) fiscal.Card {
	now := *c
	now.Title, now.LegalAddress = t.Title, t.Address
	now.OKED, now.VATPercent, now.VATCertificate = t.OKED, t.VATPercent, t.VATCertificate
	for _, o := range outlets {
		if o.ID == c.Outlet {
			now.OutletTitle, now.OutletAddress, now.Latitude, now.Longitude, now.Zone = o.Title, o.Address, o.Latitude, o.Longitude, o.Zone
		}
	}
	if now.LegalAddress == (fiscal.Text{}) { // it was never told; the card got the outlet's
		now.LegalAddress = c.LegalAddress
	}
	return now
}

// toTell are the reasons for which an authority must know of a change of a
// register on its record: the owner's name, and the address where it stands.
//
// Source: order 135 item 7; law 54-FZ, article 4.2.
func toTell(before, after *fiscal.Card) (all []ApplicationReason) {
	if before.Provisional {
		return nil
	}
	if before.OutletAddress != after.OutletAddress {
		all = append(all, ForAddress)
	}
	if before.Title != after.Title {
		all = append(all, ForName)
	}
	return all
}

// Behind lists registers whose cards are behind, of one outlet or of all if it
// is 0, carriedAtOnce at most: what a page offers to carry over.
func (o *Office) Behind(ctx context.Context, a *access.Actor, outlet fiscal.OutletID) (all []Behind, more bool, err error) {
	if err := a.Must(access.EditRegisters); err != nil {
		return nil, false, err
	}
	if outlet != 0 && !a.Sees(outlet) {
		return nil, false, &fiscal.Error{Reason: fiscal.NothingThere, Field: "outlet"}
	}
	t, err := o.store.TaxpayerOf(ctx, a.Taxpayer)
	if err != nil {
		return nil, false, err
	}
	outlets, err := o.store.OutletsOf(ctx, a.Taxpayer)
	if err != nil {
		return nil, false, err
	}
	for after := fiscal.RegisterID(0); ; {
		rows, err := o.store.RegistersOf(ctx, a.Taxpayer, after, scanPage)
		if err != nil {
			return nil, false, fmt.Errorf("list the registers: %w", err)
		}
		for i := range rows {
			l := &rows[i]
			after = l.Card.Register
			if !a.Sees(l.Card.Outlet) || outlet != 0 && l.Card.Outlet != outlet || l.State.Status == fiscal.StatusDeregistered {
				continue
			}
			now := current(&l.Card, &t, outlets)
			if reflect.DeepEqual(now, l.Card) {
				continue
			}
			if len(all) == carriedAtOnce {
				return all, true, nil
			}
			b := Behind{Seen: Seen{*l, HealthOf(l, o.now())}, Reasons: toTell(&l.Card, &now)}
			if b.Open, err = o.openOf(ctx, l.Card.Taxpayer, after); err != nil {
				return nil, false, err
			}
			all = append(all, b)
		}
		if len(rows) < scanPage {
			return all, false, nil
		}
	}
}

// openOf is the application of a register that is not over, 0 none.
func (o *Office) openOf(ctx context.Context, t fiscal.TaxpayerID, r fiscal.RegisterID) (ApplicationID, error) {
	last, err := o.store.ApplicationsOf(ctx, ApplicationScan{Taxpayer: t, Register: r, Limit: 1})
	if err != nil || len(last) == 0 || !last[0].Open() {
		return 0, err
	}
	return last[0].ID, nil
}

// CarryOver brings what was changed of the organization or its outlets to the
// registers that are behind, of one outlet or of all if it is 0. Of those on the
// authority's record whose name or address changes an application is drafted, and
// the card changes with the decision; the cards of all others change now.
//
// Errors: Denied; NotFound; those of ChangeCard, after which what was done stays
// done.
// Source: order 135 item 7; requirements O-054, O-089.
func (o *Office) CarryOver(ctx context.Context, a *access.Actor, outlet fiscal.OutletID) (done Carried, err error) {
	all, more, err := o.Behind(ctx, a, outlet)
	if err != nil {
		return done, err
	}
	t, err := o.store.TaxpayerOf(ctx, a.Taxpayer)
	if err != nil {
		return done, err
	}
	outlets, err := o.store.OutletsOf(ctx, a.Taxpayer)
	if err != nil {
		return done, err
	}
	done.More = more
	for i := range all {
		b := &all[i]
		r := b.Card.Register
		switch {
		case len(b.Reasons) > 0 && b.Open != 0:
			done.Waiting = append(done.Waiting, r)
		case len(b.Reasons) > 0:
			app, err := o.draftReasoned(ctx, &b.Seen, b.Reasons, a.User.Email)
			if errors.Is(err, fiscal.AlreadyThere) { // somebody was faster
				done.Waiting = append(done.Waiting, r)
				continue
			}
			if err != nil {
				return done, err
			}
			done.Drafted = append(done.Drafted, app.ID)
			if err := o.access.Note(ctx, a, ActApplicationDrafted, fmt.Sprint(app.ID), string(Reenrol)+" "+fmt.Sprint(r)); err != nil {
				return done, err
			}
		default:
			if _, err := o.registry.ChangeCard(ctx, r, a.User.Email, func(c *fiscal.Card) error { *c = current(c, &t, outlets); return nil }); err != nil {
				return done, fmt.Errorf("card of register %d: %w", r, err)
			}
			done.Changed = append(done.Changed, r)
			if err := o.access.Note(ctx, a, ActRegisterCarried, fmt.Sprint(r), ""); err != nil {
				return done, err
			}
		}
	}
	return done, nil
}

// draftReasoned drafts a change with its reasons filled in.
func (o *Office) draftReasoned(ctx context.Context, s *Seen, why []ApplicationReason, by string) (Application, error) {
	g, err := o.grounds(ctx, &s.Card, s.State)
	if err != nil {
		return Application{}, err
	}
	form := prefilled(Reenrol, &g)
	form.Reasons = slices.Clone(why)
	return o.draft(ctx, s, Reenrol, by, form)
}
