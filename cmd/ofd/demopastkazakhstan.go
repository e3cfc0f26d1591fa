package main

import (
	"context"
	"errors"
	"time"

	"openofd/internal/device/kkm"
	"openofd/internal/fiscal"
)

// pastKazakh is a register of Kazakhstan in the past.
type pastKazakh struct {
	*demoCounter
	lot    *pastLot
	memory *kkm.Volatile
	token  uint32
	vat    bool // its owner pays VAT, at the rate of the day
}

func (p *demoPast) kazakh(ctx context.Context, l *pastLot, shop demoShop) (pastSeller, error) {
	shop.register.Year = min(shop.register.Year, l.at.Year())
	card, token, err := demoRegister(ctx, p.core, shop.register)
	if err != nil {
		return nil, err
	}
	memory := new(kkm.Volatile)
	c := &demoCounter{shop: shop, card: card, rand: l.rand}
	// One attempt: a link of the past is there or it is not.
	c.reg, err = kkm.New(c.config(p.site, demoTimes{transaction: time.Nanosecond, reconnect: time.Hour}), memory, pastKKM{l.link}, l.clock, zeros{})
	return &pastKazakh{demoCounter: c, lot: l, memory: memory, token: token, vat: shop.register.VATPercent != 0}, err
}

// zeros is no randomness: nothing of the past is spread over time.
type zeros struct{}

func (zeros) Read(b []byte) (int, error) { clear(b); return len(b), nil }

func (d *pastKazakh) register() fiscal.RegisterID { return d.card.Register }

func (d *pastKazakh) begin(ctx context.Context) error {
	if err := d.reg.SetToken(d.token); err != nil {
		return err
	}
	_, err := d.reg.Info(ctx)
	return err
}

// morning puts cash for change into the drawer.
func (d *pastKazakh) morning(ctx context.Context) error {
	if d.vat {
		d.shop.register.VATPercent = standardVAT(d.lot.at)
	}
	_, err := d.reg.Deposit(ctx, 30_000_00, d.shop.cashiers[0])
	return err
}

func (d *pastKazakh) customer(ctx context.Context) error {
	_, slip, err := d.trade(ctx)
	switch {
	case errors.Is(err, fiscal.NotEnoughCash):
		return nil
	case err == nil && slip.Offline && !d.lot.link.cut:
		return errors.New("a receipt was not answered")
	}
	return err
}

// evening takes the cash to the bank and closes the shift.
func (d *pastKazakh) evening(ctx context.Context) error {
	if cash := d.reg.Standing().Counters.Cash; cash > 0 {
		if _, err := d.reg.Withdraw(ctx, cash, d.shop.cashiers[0]); err != nil {
			return err
		}
	}
	_, err := d.reg.CloseShift(ctx, d.shop.cashiers[0], false)
	return err
}

func (d *pastKazakh) deliver(ctx context.Context) error {
	_, err := d.reg.Deliver(ctx)
	return err
}

func (d *pastKazakh) keep(dir string) error {
	state, queue, err := d.memory.Load()
	if err != nil {
		return err
	}
	path, err := deviceFile(dir, d.card.SerialNumber)
	if err != nil {
		return err
	}
	file, err := kkm.OpenFile(path)
	if err != nil {
		return err
	}
	return errors.Join(file.Save(kkm.Step{State: state, Push: queue}), file.Close())
}
