package registry

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"openofd/internal/access"
	"openofd/internal/fiscal"
)

// Outlets lists the places that the actor sees, by ID.
func (o *Office) Outlets(ctx context.Context, a *access.Actor) ([]Outlet, error) {
	if err := a.Must(access.SeeStatus); err != nil {
		return nil, err
	}
	all, err := o.store.OutletsOf(ctx, a.Taxpayer)
	return slices.DeleteFunc(all, func(one Outlet) bool { return !a.Sees(one.ID) }), err
}

// Outlet is one of them; NotFound for those that the actor does not see.
func (o *Office) Outlet(ctx context.Context, a *access.Actor, id fiscal.OutletID) (Outlet, error) {
	all, err := o.Outlets(ctx, a)
	if err != nil {
		return Outlet{}, err
	}
	for _, one := range all {
		if one.ID == id {
			return one, nil
		}
	}
	return Outlet{}, &fiscal.Error{Reason: fiscal.NothingThere, Field: "outlet"}
}

// PutOutlet adds a place, or changes the one whose ID it has. Registers that
// stand there keep the address of their cards until these are changed.
//
// Errors: Denied; NotFound; Invalid with the Field; AlreadyThere if another of
// the organization has the title.
// Source: requirements E-050 to E-058.
func (o *Office) PutOutlet(ctx context.Context, a *access.Actor, in *Outlet) error {
	if err := a.Must(access.EditOutlets); err != nil {
		return err
	}
	if in.ID == 0 {
		if err := everywhere(a); err != nil {
			return err
		}
	} else if _, err := o.Outlet(ctx, a, in.ID); err != nil {
		return err
	}
	t, err := o.store.TaxpayerOf(ctx, a.Taxpayer)
	if err != nil {
		return err
	}
	in.Taxpayer = a.Taxpayer
	in.Title.RU = strings.Join(strings.Fields(in.Title.RU), " ")
	in.Title.KK = strings.Join(strings.Fields(in.Title.KK), " ")
	if err := in.Where.check(t.Country, "title", in.Title); err != nil {
		return err
	}
	in.Address = in.Where.Text(t.Country)
	if in.Zone == "" {
		in.Zone = ZoneOf(t.Country)
	}
	// A card that stands here can hold all of it.
	probe := fiscal.Card{Country: t.Country, XIN: t.XIN, Title: t.Title, OutletTitle: in.Title, OutletAddress: in.Address,
		Latitude: in.Latitude, Longitude: in.Longitude, Zone: in.Zone, Model: "x", SerialNumber: "x", Provisional: true, Drive: probeDrive(t.Country)}
	if err := checkCard(&probe, o.now()); err != nil {
		return err
	}
	all, err := o.store.OutletsOf(ctx, a.Taxpayer)
	if err != nil {
		return err
	}
	for _, other := range all {
		if other.ID != in.ID && strings.EqualFold(other.Title.In("ru"), in.Title.In("ru")) {
			return &fiscal.Error{Reason: fiscal.AlreadyThere, Field: "title"}
		}
	}
	if in.ID != 0 {
		if err := o.store.SetOutlet(ctx, in); err != nil {
			return fmt.Errorf("change outlet %d: %w", in.ID, err)
		}
		return o.access.Note(ctx, a, ActOutletChanged, in.Title.In("ru"), in.Address.In("ru"))
	}
	if err := o.store.AddOutlet(ctx, in); err != nil {
		return fmt.Errorf("add an outlet: %w", err)
	}
	return o.access.Note(ctx, a, ActOutletAdded, in.Title.In("ru"), in.Address.In("ru"))
}

func probeDrive(c fiscal.Country) string {
	if c == fiscal.Russia {
		return "0000000000000000"
	}
	return ""
}

// GroupID numbers groups, from 1.
type GroupID int64

// Group is a set of registers that belong together for their owner. A register
// is in one group at most.
type Group struct {
	ID       GroupID           `json:"id"`
	Taxpayer fiscal.TaxpayerID `json:"-"`
	Parent   GroupID           `json:"parent,omitempty"` // 0: none
	Title    string            `json:"title"`
}

// maxGroups bounds the groups of one organization.
const maxGroups = 1000

// Groups lists the organization's groups by title.
func (o *Office) Groups(ctx context.Context, a *access.Actor) ([]Group, error) {
	if err := a.Must(access.SeeStatus); err != nil {
		return nil, err
	}
	return o.store.Groups(ctx, a.Taxpayer)
}

// PutGroup adds a group or changes the one with its ID. A group stands within
// one that stands in none: two levels, as lists show them.
//
// Source: requirement P-057.
func (o *Office) PutGroup(ctx context.Context, a *access.Actor, g *Group) error {
	if err := first(a.Must(access.EditOutlets), everywhere(a)); err != nil {
		return err
	}
	g.Taxpayer, g.Title = a.Taxpayer, strings.Join(strings.Fields(g.Title), " ")
	if err := checkLine("group_title", g.Title, maxShort, true); err != nil {
		return err
	}
	all, err := o.store.Groups(ctx, a.Taxpayer)
	if err != nil {
		return err
	}
	found, parent := g.ID == 0, g.Parent == 0
	for _, other := range all {
		found = found || other.ID == g.ID
		parent = parent || other.ID == g.Parent && other.Parent == 0 && other.ID != g.ID
		switch {
		case other.ID != g.ID && strings.EqualFold(other.Title, g.Title):
			return &fiscal.Error{Reason: fiscal.AlreadyThere, Field: "group_title"}
		case g.ID != 0 && other.Parent == g.ID && g.Parent != 0:
			return &fiscal.Error{Reason: fiscal.BadValue, Field: "parent"}
		}
	}
	switch {
	case !found:
		return &fiscal.Error{Reason: fiscal.NothingThere, Field: "group"}
	case !parent:
		return &fiscal.Error{Reason: fiscal.BadValue, Field: "parent"}
	case g.ID == 0 && len(all) >= maxGroups:
		return &fiscal.Error{Reason: fiscal.RateLimited, Field: "group_title"}
	}
	if err := o.store.PutGroup(ctx, g); err != nil {
		return fmt.Errorf("store a group: %w", err)
	}
	return o.access.Note(ctx, a, ActGroupChanged, g.Title, "")
}

// RemoveGroup removes a group; its registers and groups stay, in none.
func (o *Office) RemoveGroup(ctx context.Context, a *access.Actor, id GroupID) error {
	if err := first(a.Must(access.EditOutlets), everywhere(a)); err != nil {
		return err
	}
	all, err := o.store.Groups(ctx, a.Taxpayer)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(all, func(g Group) bool { return g.ID == id })
	if i < 0 {
		return &fiscal.Error{Reason: fiscal.NothingThere, Field: "group"}
	}
	if err := o.store.RemoveGroup(ctx, a.Taxpayer, id); err != nil {
		return err
	}
	return o.access.Note(ctx, a, ActGroupRemoved, all[i].Title, "")
}
