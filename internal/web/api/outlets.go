package api

import (
	"context"
	"math"
	"net/http"
	"strconv"

	"openofd/internal/access"
	"openofd/internal/fiscal"
	"openofd/internal/registry"
)

// OutletRecord is a place where registers stand, as its owner keeps it.
type OutletRecord struct {
	ID          int64   `json:"id"`
	Title       Text    `json:"title"`
	Address     Address `json:"address" doc:"In parts, as far as it was told so."`
	AddressText Text    `json:"address_text" doc:"As receipts show it."`
	Zone        string  `json:"zone" doc:"IANA name." example:"Asia/Almaty"`
	Latitude    float64 `json:"latitude,omitempty" doc:"Degrees; left out: not told."`
	Longitude   float64 `json:"longitude,omitempty" doc:"Degrees; left out: not told."`
}

// OutletChange is what is told of an outlet.
type OutletChange struct {
	Title     Text    `json:"title" doc:"What receipts show; ru is needed."`
	Address   Address `json:"address"`
	Zone      string  `json:"zone,omitempty" maxLength:"64" doc:"IANA name; left out: the country's." example:"Asia/Almaty"`
	Latitude  float64 `json:"latitude,omitempty" minimum:"-90" maximum:"90" doc:"Degrees."`
	Longitude float64 `json:"longitude,omitempty" minimum:"-180" maximum:"180" doc:"Degrees."`
}

// degree is one degree in the units of cards.
const degree = 10_000

func newOutlet(o *registry.Outlet) OutletRecord {
	return OutletRecord{ID: int64(o.ID), Title: Text(o.Title), Address: Address(o.Where), AddressText: Text(o.Address), Zone: o.Zone,
		Latitude: float64(o.Latitude) / degree, Longitude: float64(o.Longitude) / degree}
}

func (in *OutletChange) of(id fiscal.OutletID) registry.Outlet {
	return registry.Outlet{ID: id, Title: textOf(in.Title), Where: in.Address.of(), Zone: in.Zone,
		Latitude: int32(math.Round(in.Latitude * degree)), Longitude: int32(math.Round(in.Longitude * degree))}
}

// created is an answer to what was made.
type created[T any] struct {
	Location string `header:"Location" doc:"Address of what was made."`
	ETag     string `header:"ETag" doc:"Of this state, for If-Match."`
	Body     T
}

func made[T any](body T, path string, id int64) (*created[T], error) {
	tag, err := etag(body)
	return &created[T]{Prefix + path + "/" + strconv.FormatInt(id, 10), tag, body}, err
}

func (h *Handler) registerOutlets() {
	read := func(ctx context.Context, c *caller, id int64) (OutletRecord, error) {
		o, err := h.cfg.Office.Outlet(ctx, c.Actor, fiscal.OutletID(id))
		return newOutlet(&o), err
	}
	route(h, operation{id: "outlets", method: http.MethodGet, path: "/outlets", tag: "outlets", rights: access.SeeStatus},
		func(ctx context.Context, c *caller, _ *struct{}) (*listOf[OutletRecord], error) {
			all, err := h.cfg.Office.Outlets(ctx, c.Actor)
			if err != nil {
				return nil, err
			}
			var items []OutletRecord
			for i := range all {
				items = append(items, newOutlet(&all[i]))
			}
			return newList(items, ""), nil
		})
	type add struct {
		Once
		Body OutletChange
	}
	route(h, operation{id: "outlet-add", method: http.MethodPost, path: "/outlets", tag: "outlets", rights: access.EditOutlets, status: http.StatusCreated},
		func(ctx context.Context, c *caller, in *add) (*created[OutletRecord], error) {
			o := in.Body.of(0)
			if err := h.cfg.Office.PutOutlet(ctx, c.Actor, &o); err != nil {
				return nil, err
			}
			return made(newOutlet(&o), "/outlets", int64(o.ID))
		})
	route(h, operation{id: "outlet", method: http.MethodGet, path: "/outlets/{id}", tag: "outlets", rights: access.SeeStatus},
		func(ctx context.Context, c *caller, in *ByID) (*answer[OutletRecord], error) {
			o, err := read(ctx, c, in.ID)
			if err != nil {
				return nil, err
			}
			return tagged(o)
		})
	type change struct {
		ByID
		Matching
		Body OutletChange
	}
	route(h, operation{id: "outlet-change", method: http.MethodPut, path: "/outlets/{id}", tag: "outlets", rights: access.EditOutlets | access.SeeStatus,
		doc: "Cards of registers that stand there keep the address until they are changed."},
		func(ctx context.Context, c *caller, in *change) (*answer[OutletRecord], error) {
			o := in.Body.of(fiscal.OutletID(in.ID))
			err := unchanged(h, c, in.Matching, func() (OutletRecord, error) { return read(ctx, c, in.ID) },
				func() error { return h.cfg.Office.PutOutlet(ctx, c.Actor, &o) })
			if err != nil {
				return nil, err
			}
			return tagged(newOutlet(&o))
		})
	h.registerGroups()
}

// GroupRecord is a set of registers that belong together for their owner.
type GroupRecord struct {
	ID     int64  `json:"id"`
	Parent int64  `json:"parent,omitempty" doc:"The group that it is in."`
	Title  string `json:"title"`
}

// GroupChange is what is told of a group.
type GroupChange struct {
	Parent int64  `json:"parent,omitempty" minimum:"0" doc:"A group that is in none; 0: none."`
	Title  string `json:"title" maxLength:"128"`
}

func (h *Handler) registerGroups() {
	put := func(ctx context.Context, c *caller, id int64, in GroupChange) (GroupRecord, error) {
		g := registry.Group{ID: registry.GroupID(id), Parent: registry.GroupID(in.Parent), Title: in.Title}
		err := h.cfg.Office.PutGroup(ctx, c.Actor, &g)
		return GroupRecord{int64(g.ID), int64(g.Parent), g.Title}, err
	}
	route(h, operation{id: "groups", method: http.MethodGet, path: "/groups", tag: "outlets", rights: access.SeeStatus},
		func(ctx context.Context, c *caller, _ *struct{}) (*listOf[GroupRecord], error) {
			all, err := h.cfg.Office.Groups(ctx, c.Actor)
			if err != nil {
				return nil, err
			}
			var items []GroupRecord
			for _, g := range all {
				items = append(items, GroupRecord{int64(g.ID), int64(g.Parent), g.Title})
			}
			return newList(items, ""), nil
		})
	type add struct {
		Once
		Body GroupChange
	}
	route(h, operation{id: "group-add", method: http.MethodPost, path: "/groups", tag: "outlets", rights: access.EditOutlets, status: http.StatusCreated},
		func(ctx context.Context, c *caller, in *add) (*created[GroupRecord], error) {
			g, err := put(ctx, c, 0, in.Body)
			if err != nil {
				return nil, err
			}
			return made(g, "/groups", g.ID)
		})
	type change struct {
		ByID
		Body GroupChange
	}
	route(h, operation{id: "group-change", method: http.MethodPut, path: "/groups/{id}", tag: "outlets", rights: access.EditOutlets},
		func(ctx context.Context, c *caller, in *change) (*answer[GroupRecord], error) {
			g, err := put(ctx, c, in.ID, in.Body)
			if err != nil {
				return nil, err
			}
			return tagged(g)
		})
	route(h, operation{id: "group-remove", method: http.MethodDelete, path: "/groups/{id}", tag: "outlets", rights: access.EditOutlets,
		doc: "Its registers and groups stay, in none."},
		func(ctx context.Context, c *caller, in *ByID) (*none, error) {
			return nil, h.cfg.Office.RemoveGroup(ctx, c.Actor, registry.GroupID(in.ID))
		})
}
