package main

import (
	"context"
	"errors"
	"fmt"

	device "openofd/internal/device/kkt"
	"openofd/internal/fiscal"
)

// pastRussian is a register of Russia in the past, with its drive.
type pastRussian struct {
	*russianCounter
	lot    *pastLot
	memory *device.Volatile
}

func (p *demoPast) russian(ctx context.Context, l *pastLot, shop russianShop) (pastSeller, error) {
	shop.register.Year = min(shop.register.Year, l.at.Year())
	card, _, err := demoRegister(ctx, p.core, shop.register)
	if err != nil {
		return nil, err
	}
	c := &russianCounter{shop: shop, card: card, words: shop.device(demoOperator().INN.Number), zone: l.zone, now: l.clock, site: p.site, rand: l.rand}
	memory := new(device.Volatile)
	c.reg, err = c.on(memory, pastKKT{l.link}, 1)
	return &pastRussian{c, l, memory}, err
}

func (d *pastRussian) register() fiscal.RegisterID { return d.card.Register }

func (d *pastRussian) begin(ctx context.Context) error {
	_, err := d.make(ctx, russianDeal{what: "registration"}, d.words.Registration(0))
	return errors.Join(err, d.sent())
}

// sent is an error when documents wait although there is a link.
func (d *pastRussian) sent() error {
	if s := d.reg.Standing(); s.Unsent != 0 && !d.lot.link.cut {
		return fmt.Errorf("%d documents were not answered", s.Unsent)
	}
	return nil
}

// morning opens the shift.
func (d *pastRussian) morning(ctx context.Context) error { return errors.Join(d.ready(ctx), d.sent()) }

func (d *pastRussian) customer(ctx context.Context) error {
	all, err := d.trade(ctx, d.deals(45))
	for i := range all {
		d.remember(&all[i])
	}
	return errors.Join(err, d.sent())
}

// evening closes the shift.
func (d *pastRussian) evening(ctx context.Context) error {
	if !d.reg.Standing().Shift.Open {
		return nil
	}
	_, err := d.make(ctx, russianDeal{}, d.words.CloseShift())
	return errors.Join(err, d.sent())
}

func (d *pastRussian) deliver(ctx context.Context) error {
	for _, q := range []device.Queue{device.QueueDocuments, device.QueueNotifications} {
		if _, err := d.reg.Deliver(ctx, q); err != nil {
			return err
		}
	}
	return nil
}

func (d *pastRussian) keep(dir string) error {
	contents, err := d.memory.Load()
	if err != nil {
		return err
	}
	path, err := deviceFile(dir, d.card.SerialNumber)
	if err != nil {
		return err
	}
	file, err := device.OpenFile(path)
	if err != nil {
		return err
	}
	push := append(contents.Documents, contents.Notifications...)
	return errors.Join(file.Save(device.Step{State: contents.State, Push: push}), file.Close())
}
