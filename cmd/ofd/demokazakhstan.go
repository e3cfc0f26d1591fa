package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	mathrand "math/rand/v2"
	"sync"
	"time"

	"openofd/internal/device/kkm"
	"openofd/internal/fiscal"
)

// demoCounter is a shop with its register.
type demoCounter struct {
	shop demoShop
	card fiscal.Card
	reg  *kkm.Register
	link *cuttable
	sold []sold // the last sales, for returns
	rand *mathrand.Rand
}

type sold struct {
	receipt fiscal.Receipt
	slip    kkm.Slip
}

// demoTimes are how patient the demo's registers are.
type demoTimes struct{ transaction, reconnect time.Duration }

// openCounter registers the shop's register with the operator, as its owner
// would, or goes on with the one that a kept folder holds.
func openCounter(ctx context.Context, o *operator, shop demoShop, dir string, times demoTimes) (*demoCounter, error) {
	card, token, err := demoRegister(ctx, o.core, shop.register)
	if err != nil {
		return nil, err
	}
	return counterOf(ctx, o, shop, card, token, dir, times)
}

// counterOf is a shop with a register that there is.
func counterOf(ctx context.Context, o *operator, shop demoShop, card fiscal.Card, token uint32, dir string, times demoTimes) (*demoCounter, error) {
	path, err := deviceFile(dir, card.SerialNumber)
	if err != nil {
		return nil, err
	}
	memory, err := kkm.OpenFile(path)
	if err != nil {
		return nil, err
	}
	link := &cuttable{Exchanger: kkm.NewLink(kkm.LinkConfig{Addr: dialable(o.KKMAddr)})}
	counter := &demoCounter{shop: shop, card: card, link: link, rand: newRand()}
	reg, err := kkm.New(counter.config(o.Site, times), memory, link, time.Now, rand.Reader)
	if err != nil {
		return nil, err
	}
	counter.reg = reg
	if reg.Standing().Mode == kkm.ModeNeedsToken {
		if token == 0 {
			if token, err = o.registry.Token(ctx, card.Register, "demo"); err != nil {
				return nil, err
			}
		}
		if err := reg.SetToken(token); err != nil {
			return nil, err
		}
	}
	if _, err := reg.Info(ctx); err != nil {
		return nil, fmt.Errorf("first contact of register %d: %w", card.Register, err)
	}
	return counter, nil
}

// config is the register of the shop.
func (d *demoCounter) config(site string, times demoTimes) kkm.Config {
	return kkm.Config{
		Version: d.shop.version, Card: d.card, CheckURL: site, Section: d.shop.section, Position: "GPS",
		Transaction: times.transaction, Pause: 50 * time.Millisecond, Reconnect: times.reconnect,
	}
}

// work sells at the pace of a shop: a receipt every few seconds, now and then a
// return, an outage of half a minute, the end of a day.
func (d *demoCounter) work(ctx context.Context, pace float64, events chan<- string) {
	tell := teller(ctx, d.shop.city, events)
	var link sync.WaitGroup
	link.Go(func() { d.reg.Work(ctx, nil) })
	defer link.Wait()
	if d.reg.Standing().Counters.Cash < 20_000_00 {
		if _, err := d.reg.Deposit(ctx, 30_000_00, d.shop.cashiers[0]); err == nil {
			tell("%-14s %12s", "deposit", fiscal.Money(30_000_00))
		}
	}
	for n := 1; paused(ctx, d.rand, pace); n++ {
		switch {
		case n%120 == 0:
			d.closeDay(ctx, tell)
		case n%40 == 20:
			d.link.cut(atPace(25*time.Second, pace))
			tell("the link is cut for a while: receipts go on")
		case d.reg.Standing().Counters.Cash > 200_000_00:
			d.carryOff(ctx, tell)
		default:
			what, slip, err := d.trade(ctx)
			if !errors.Is(err, fiscal.NotEnoughCash) { // the drawer is low: nothing is paid out of it today
				d.report(ctx, what, slip, err, tell)
			}
		}
	}
}

// trade serves the next customer: a sale, now and then a return or, where the
// shop buys, a purchase.
func (d *demoCounter) trade(ctx context.Context) (what string, slip kkm.Slip, err error) {
	switch {
	case len(d.sold) > 3 && d.rand.IntN(25) == 0:
		slip, err = d.giveBack(ctx)
		return "return", slip, err
	case d.shop.bought.name != "" && d.rand.IntN(25) == 0:
		slip, err = d.reg.Ticket(ctx, d.shop.purchase(d.rand))
		return "purchase", slip, err
	}
	rec := d.shop.receipt(d.rand)
	if slip, err = d.reg.Sell(ctx, rec); err == nil && !slip.Offline {
		d.sold = append(d.sold, sold{rec, slip})
		d.sold = d.sold[max(0, len(d.sold)-20):]
	}
	return "sale", slip, err
}

func (d *demoCounter) giveBack(ctx context.Context) (kkm.Slip, error) {
	i := d.rand.IntN(len(d.sold))
	of := d.sold[i]
	d.sold = append(d.sold[:i], d.sold[i+1:]...)
	rec := d.shop.back(of.receipt)
	rec.Parent = d.reg.Parent(of.slip)
	return d.reg.Ticket(ctx, rec)
}

// carryOff takes most of the cash to the bank.
func (d *demoCounter) carryOff(ctx context.Context, tell func(string, ...any)) {
	const most = 150_000_00
	if _, err := d.reg.Withdraw(ctx, most, d.shop.cashiers[0]); err != nil {
		tell("withdrawal: %v", err)
		return
	}
	tell("%-14s %12s", "withdrawal", fiscal.Money(most))
}

func (d *demoCounter) closeDay(ctx context.Context, tell func(string, ...any)) {
	slip, err := d.reg.CloseShift(ctx, d.shop.cashiers[0], false)
	if err != nil {
		d.report(ctx, "shift close", slip, err, tell)
		return
	}
	z := slip.Report.Counters.Receipts[fiscal.OpSale.Index()]
	tell("%-14s %12s  %d sales", fmt.Sprintf("Z report %d", slip.Shift), z.Sum, z.Count)
}

func (d *demoCounter) report(ctx context.Context, what string, slip kkm.Slip, err error, tell func(string, ...any)) {
	switch {
	case err != nil && ctx.Err() != nil:
	case errors.Is(err, fiscal.ShiftTooLong):
		d.closeDay(ctx, tell)
	case err != nil:
		tell("%-14s refused: %v", what, err)
	case slip.Offline:
		tell("%-14s %12s  autonomous, code %d", what, slip.Total, slip.OfflineCode)
	default:
		tell("%-14s %12s  %s", what, slip.Total, slip.QR)
	}
}

func (d *demoCounter) close() error { return d.reg.Close() }

func (d *demoCounter) title() string {
	return padded(d.shop.city, 11) + fmt.Sprintf("  register %d, %s, protocol %s", d.card.Register, d.card.OutletTitle.In("ru"), d.shop.version)
}
