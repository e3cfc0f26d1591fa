package main

import (
	"context"
	"errors"

	"openofd/internal/authority/kgd"
	"openofd/internal/delivery"
	"openofd/internal/fiscal"
	"openofd/internal/registry"
	"openofd/internal/web/room"
)

// inspectDesk finds clients for inspectors of authorities, as staffDesk does for
// the operator's staff: whatever became of a client, of its contract or of its
// registers, they are there.
type inspectDesk struct{ staffDesk }

var _ room.Archive = inspectDesk{}

// Search is staffDesk's, without what is the operator's own: applications.
func (d inspectDesk) Search(ctx context.Context, text string) ([]room.Finding, error) {
	all, err := d.staffDesk.Search(ctx, text)
	for i := range all {
		all[i].Application = 0
	}
	return all, err
}

// Subject is the client with a number, or with a register of that number.
func (d inspectDesk) Subject(ctx context.Context, number string) (registry.Taxpayer, fiscal.RegisterID, error) {
	g := guessStaff(number)
	found, err := d.numbered(ctx, &g)
	if err == nil && len(found) == 0 {
		found, err = d.bySerial(ctx, &g)
	}
	if err == nil && len(found) == 0 {
		err = &fiscal.Error{Reason: fiscal.NothingThere, Field: "subject"}
	}
	if err != nil {
		return registry.Taxpayer{}, 0, err
	}
	t, err := d.Client(ctx, found[0].Taxpayer)
	return t, found[0].Register, err
}

// Client is a taxpayer.
func (d inspectDesk) Client(ctx context.Context, t fiscal.TaxpayerID) (registry.Taxpayer, error) {
	all, err := d.store.Taxpayers(ctx, t-1, 1)
	if err == nil && (len(all) == 0 || all[0].ID != t) {
		err = &fiscal.Error{Reason: fiscal.NothingThere, Field: "organization"}
	}
	if err != nil {
		return registry.Taxpayer{}, err
	}
	return all[0], nil
}

// Registers lists those of a taxpayer.
func (d inspectDesk) Registers(ctx context.Context, t fiscal.TaxpayerID, after fiscal.RegisterID, limit int) ([]registry.Listed, error) {
	return d.store.Registers(ctx, t, after, limit)
}

// Register is one register; NotFound if there is none.
func (d inspectDesk) Register(ctx context.Context, r fiscal.RegisterID) (registry.Listed, error) {
	l, err := d.registry.Show(ctx, r)
	if errors.Is(err, fiscal.UnknownRegister) {
		err = &fiscal.Error{Reason: fiscal.NothingThere, Field: "register"}
	}
	return l, err
}

// Summaries reads the daily summaries of a taxpayer's registers.
func (d inspectDesk) Summaries(ctx context.Context, t fiscal.TaxpayerID, of []fiscal.DayOf) ([]fiscal.DaySummary, error) {
	all, err := d.store.Registers(ctx, t, 0, 1)
	if err != nil || len(all) == 0 || len(of) == 0 {
		return nil, err
	}
	return d.store.DaySummaries(ctx, all[0].Partition, of) // a taxpayer's registers are in one
}

// SentSummaries reads which of a register's were handed over: Kazakhstan's
// authority is the one that takes them.
func (d inspectDesk) SentSummaries(ctx context.Context, r fiscal.RegisterID, from, until fiscal.WallTime) ([]delivery.SentSummary, error) {
	return d.store.SentSummaries(ctx, kgd.Name, r, from, until)
}
