package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	mathrand "math/rand/v2"
	"os"
	"path/filepath"
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
	card, token, err := demoRegister(ctx, o, shop.register)
	if err != nil {
		return nil, err
	}
	devices := filepath.Join(dir, "devices")
	if err := os.MkdirAll(devices, 0o700); err != nil {
		return nil, err
	}
	memory, err := kkm.OpenFile(filepath.Join(devices, card.SerialNumber))
	if err != nil {
		return nil, err
	}
	link := &cuttable{Exchanger: kkm.NewLink(kkm.LinkConfig{Addr: dialable(o.KKMAddr)})}
	reg, err := kkm.New(kkm.Config{
		Version: shop.version, Card: card, CheckURL: o.Site, Section: shop.section, Position: "GPS",
		Transaction: times.transaction, Pause: 50 * time.Millisecond, Reconnect: times.reconnect,
	}, memory, link, time.Now, rand.Reader)
	if err != nil {
		return nil, err
	}
	counter := &demoCounter{shop: shop, card: card, reg: reg, link: link, rand: newRand()}
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
		case len(d.sold) > 3 && d.rand.IntN(15) == 0:
			d.giveBack(ctx, tell)
		case d.shop.bought.name != "" && d.rand.IntN(25) == 0:
			d.buy(ctx, tell)
		case d.reg.Standing().Counters.Cash > 200_000_00:
			d.carryOff(ctx, tell)
		default:
			d.sale(ctx, tell)
		}
	}
}

func (d *demoCounter) sale(ctx context.Context, tell func(string, ...any)) {
	rec := d.shop.receipt(d.rand)
	slip, err := d.reg.Sell(ctx, rec)
	d.report(ctx, "sale", slip, err, tell)
	if err == nil && !slip.Offline {
		d.sold = append(d.sold, sold{rec, slip})
		d.sold = d.sold[max(0, len(d.sold)-20):]
	}
}

func (d *demoCounter) giveBack(ctx context.Context, tell func(string, ...any)) {
	i := d.rand.IntN(len(d.sold))
	of := d.sold[i]
	d.sold = append(d.sold[:i], d.sold[i+1:]...)
	rec := d.shop.back(of.receipt)
	rec.Parent = d.reg.Parent(of.slip)
	slip, err := d.reg.Ticket(ctx, rec)
	if errors.Is(err, fiscal.NotEnoughCash) {
		return // the drawer is low: no return in cash today
	}
	d.report(ctx, "return", slip, err, tell)
}

// buy buys something from somebody.
func (d *demoCounter) buy(ctx context.Context, tell func(string, ...any)) {
	slip, err := d.reg.Ticket(ctx, d.shop.purchase(d.rand))
	if errors.Is(err, fiscal.NotEnoughCash) {
		return
	}
	d.report(ctx, "purchase", slip, err, tell)
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
