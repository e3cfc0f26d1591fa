package main

import (
	"context"
	"fmt"

	"openofd/internal/delivery"
	"openofd/internal/fiscal"
	"openofd/internal/follow"
	"openofd/internal/web/room"
)

// forwardingRoom shows the operator's staff how forwarding stands, and sends
// again what was put aside.
type forwardingRoom struct {
	*core
	ways forwarding
}

var _ room.Forwarding = (*forwardingRoom)(nil)

// Standings implements room.Forwarding.
func (f *forwardingRoom) Standings(ctx context.Context) (all []room.ForwardingStanding, err error) {
	for _, name := range authorities {
		s, err := follow.Stands(ctx, f.store, delivery.IDOf(name))
		if err != nil {
			return nil, err
		}
		begun := f.ways.of(name) != nil
		one := room.ForwardingStanding{Authority: name, Behind: s.Entries, Oldest: s.Oldest}
		for _, p := range s.Positions {
			begun = begun || p.Seq > 0 || p.Failure.Seq > 0
			if p.Failure.Seq != 0 && one.Stuck == "" {
				one.Stuck = fmt.Sprintf("%d/%d: %s", p.Partition, p.Failure.Seq, p.Failure.Why)
			}
		}
		if one.Waiting, err = f.store.CountWaiting(ctx, name); err != nil {
			return nil, err
		}
		if begun || one.Waiting > 0 {
			all = append(all, one)
		}
	}
	return all, nil
}

// Parked implements room.Forwarding.
func (f *forwardingRoom) Parked(ctx context.Context, authority string, after int64, limit int) ([]delivery.Parked, error) {
	return f.store.Waiting(ctx, authority, after, limit)
}

// Again implements room.Forwarding.
func (f *forwardingRoom) Again(ctx context.Context, id int64) (delivery.Parked, error) {
	p, err := f.store.ParkedDocument(ctx, id)
	if err != nil {
		return p, err
	}
	d := f.ways.of(p.Authority)
	if d == nil {
		return p, &fiscal.Error{Of: fiscal.Unavailable, Field: "authority", Msg: "the way to " + p.Authority + " is not known here"}
	}
	return d.Again(ctx, id)
}
