package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	mathrand "math/rand/v2"
	"strconv"
	"time"

	device "openofd/internal/device/kkt"
	"openofd/internal/fiscal"
	wire "openofd/internal/protocol/kkt"
	"openofd/internal/protocol/kkt/ffd"
)

// russianCounter is a shop in Russia with its register and simulated drive.
type russianCounter struct {
	shop  russianShop
	card  fiscal.Card
	place fiscal.Place
	words device.Shop
	reg   *device.Register
	link  *cuttableKKT
	zone  *time.Location
	now   func() time.Time
	site  string
	sold  []ffd.Receipt // the last sales, for returns
	rand  *mathrand.Rand
}

// russianMade is a document that was made, and what was answered since.
type russianMade struct {
	russianDeal
	made device.Made
	sent []device.Delivered // what was answered since: it, and what waited before it
}

// openRussianCounter registers the shop's register, as its owner would, and the
// drive by its first report; or goes on with those that a kept folder holds. A
// shift is open then.
func openRussianCounter(ctx context.Context, o *operator, shop russianShop, dir string) (*russianCounter, error) {
	card, _, err := demoRegister(ctx, o.core, shop.register)
	if err != nil {
		return nil, err
	}
	place, err := o.registry.Show(ctx, card.Register)
	if err != nil {
		return nil, err
	}
	d := &russianCounter{
		shop: shop, card: card, place: fiscal.Place{Partition: place.Partition, Register: card.Register}, words: shop.device(demoOperator().INN.Number),
		link: &cuttableKKT{Exchanger: device.NewLink(device.LinkConfig{Addr: dialable(o.KKTAddr)})},
		now:  o.now, site: o.Site, rand: newRand(),
	}
	if d.zone, err = time.LoadLocation(shop.register.Zone); err != nil {
		return nil, err
	}
	if d.reg, err = d.open(dir); err != nil {
		return nil, err
	}
	if err := d.ready(ctx); err != nil {
		return nil, errors.Join(err, d.reg.Close())
	}
	return d, nil
}

// open puts the drive into the register.
func (d *russianCounter) open(dir string) (*device.Register, error) {
	path, err := deviceFile(dir, d.card.SerialNumber)
	if err != nil {
		return nil, err
	}
	memory, err := device.OpenFile(path)
	if err != nil {
		return nil, err
	}
	return d.on(memory, d.link, 2)
}

// on is the register with a drive that remembers what memory holds. It tries so
// often to send something, and may close the memory.
func (d *russianCounter) on(memory device.Memory, link device.Exchanger, tries int) (*device.Register, error) {
	number, err := wire.ParseDriveNumber(d.card.Drive)
	if err != nil {
		return nil, errors.Join(err, memory.Close())
	}
	drive, err := device.NewDrive(device.DriveConfig{Number: number}, memory, wire.NewSIM1(wire.SIM1TestKey()))
	if err != nil {
		return nil, errors.Join(err, memory.Close())
	}
	versions := map[ffd.Version]wire.PVersion{ffd.V105: wire.P105, ffd.V110: wire.P110, ffd.V120: wire.P120}
	cfg := device.Config{Version: versions[d.shop.version], Zone: d.zone, Tries: tries, Pause: 5 * time.Millisecond}
	return device.New(cfg, drive, link, link, d.now, rand.Reader), nil
}

// ready brings the register to where it can sell.
func (d *russianCounter) ready(ctx context.Context) error {
	if d.reg.Standing().Phase == device.PhaseReady {
		if _, err := d.make(ctx, russianDeal{what: "registration"}, d.words.Registration(0)); err != nil {
			return fmt.Errorf("registration of drive %s: %w", d.card.Drive, err)
		}
	}
	if d.reg.Standing().Shift.Open {
		return nil
	}
	_, err := d.make(ctx, russianDeal{what: "shift opened"}, d.words.OpenShift())
	return err
}

// make makes a document and sends what waits. A link that is down is no error:
// the document waits in the drive.
func (d *russianCounter) make(ctx context.Context, deal russianDeal, doc device.Document) (russianMade, error) {
	made, err := d.reg.Make(doc)
	if err != nil {
		return russianMade{}, err
	}
	done, err := d.reg.Deliver(ctx, device.QueueDocuments)
	if err != nil && !errors.Is(err, fiscal.Unavailable) {
		return russianMade{}, err
	}
	for _, a := range done {
		if !a.Ack.Accepted() {
			return russianMade{}, fmt.Errorf("the operator finds fault with document %d: response %d, message %d", a.Number, a.Ack.Response, a.Ack.Message)
		}
	}
	return russianMade{deal, made, done}, nil
}

// issue makes a receipt.
func (d *russianCounter) issue(ctx context.Context, deal russianDeal) (russianMade, error) {
	codes, err := d.scan(ctx, &deal.receipt)
	if err != nil {
		return russianMade{}, err
	}
	if codes == nil {
		return d.make(ctx, deal, d.words.Settle(deal.form, deal.receipt))
	}
	made, err := d.make(ctx, deal, d.words.SettleMarked(deal.form, deal.receipt, codes))
	if err != nil {
		return made, err
	}
	if _, err := d.reg.Deliver(ctx, device.QueueNotifications); err != nil && !errors.Is(err, fiscal.Unavailable) {
		return made, err
	}
	return made, nil
}

// scan asks about the marks of the goods; nil where none has one. A mark that
// nobody answers for is sold all the same.
func (d *russianCounter) scan(ctx context.Context, r *ffd.Receipt) (codes []device.Code, err error) {
	for i := range r.Items {
		if r.Items[i].ProductType != productMarked {
			continue
		}
		if codes == nil {
			codes = make([]device.Code, len(r.Items))
		}
		codes[i], err = d.reg.Scan(ctx, d.words, r.Items[i].Codes.GS1M+demoProof, device.Planned(r.Operation, false))
		if err != nil && !errors.Is(err, fiscal.Unavailable) {
			return nil, err
		}
	}
	return codes, nil
}

// trade makes all documents of a deal, which may name the sign of its first.
func (d *russianCounter) trade(ctx context.Context, deals []russianDeal) ([]russianMade, error) {
	var all []russianMade
	wrong := ""
	for _, deal := range deals {
		deal.receipt.Extra = wrong
		i, err := d.issue(ctx, deal)
		if err != nil {
			return all, fmt.Errorf("%s: %w", deal.what, err)
		}
		if deal.wrong {
			wrong = strconv.FormatUint(uint64(i.made.Sign), 10)
		}
		all = append(all, i)
	}
	return all, nil
}

// day is what the register's clock shows.
func (d *russianCounter) day() fiscal.WallTime { return fiscal.WallIn(d.now(), d.zone) }

// deals are what the next customer wants: a sale, and once in so many customers
// a return, twice something unusual.
func (d *russianCounter) deals(seldom int) []russianDeal {
	switch dice := d.rand.IntN(seldom); {
	case dice == 0 && len(d.sold) > 3:
		return d.givenBack()
	case dice < 3 && len(d.shop.deals) > 0:
		return d.shop.deals[d.rand.IntN(len(d.shop.deals))](&d.shop, d.rand, d.day())
	}
	return d.sale()
}

// sale is an ordinary one.
func (d *russianCounter) sale() []russianDeal {
	return []russianDeal{{what: "sale", form: ffd.FormReceipt, receipt: d.shop.sale(d.rand, d.day())}}
}

// givenBack is the return of an earlier sale; there must be one.
func (d *russianCounter) givenBack() []russianDeal {
	i := d.rand.IntN(len(d.sold))
	sale := d.sold[i]
	d.sold = append(d.sold[:i], d.sold[i+1:]...)
	return []russianDeal{{what: "return", form: ffd.FormReceipt, receipt: d.shop.back(sale)}}
}

// remember keeps a sale, which may be given back.
func (d *russianCounter) remember(i *russianMade) {
	if i.what == "sale" {
		d.sold = append(d.sold, i.receipt)
		d.sold = d.sold[max(0, len(d.sold)-20):]
	}
}

func (d *russianCounter) close() error { return d.reg.Close() }

func (d *russianCounter) title() string {
	return padded(d.shop.city, 11) + fmt.Sprintf("  register %d, %s, FFD %v, drive %s, registration number %s", d.card.Register, d.card.OutletTitle.In("ru"), d.shop.version, d.card.Drive, d.card.RegistrationNumber)
}

// work sells at the pace of a shop, now and then something unusual, an outage
// of half a minute, the end of a day.
func (d *russianCounter) work(ctx context.Context, pace float64, events chan<- string) {
	tell := teller(ctx, d.shop.city, events)
	for n := 1; paused(ctx, d.rand, pace); n++ {
		switch {
		case n%120 == 0:
			d.closeDay(ctx, tell)
			continue
		case n%40 == 30:
			d.link.cut(atPace(25*time.Second, pace))
			tell("the link is cut for a while: receipts wait in the drive")
		}
		all, err := d.trade(ctx, d.deals(15))
		for i := range all {
			d.remember(&all[i])
			d.report(&all[i], tell)
		}
		var refused *device.DriveError
		switch {
		case err == nil || ctx.Err() != nil:
		case errors.As(err, &refused) && refused.Code == device.DriveShiftTooLong:
			d.closeDay(ctx, tell)
		default:
			tell("%v", err)
		}
	}
}

// report tells of a receipt, and of what came through with it.
func (d *russianCounter) report(i *russianMade, tell func(string, ...any)) {
	if waited := len(i.sent) - 1; waited > 0 {
		tell("%d documents that waited are delivered, in order", waited)
	}
	if len(i.sent) == 0 {
		tell("%-15s %12s  document %d waits", i.what, i.total(), i.made.Numbers.Number)
		return
	}
	tell("%-15s %12s  %s", i.what, i.total(), d.checkURL(i.made))
}

// checkURL is where a buyer sees the receipt.
func (d *russianCounter) checkURL(made device.Made) string { return d.site + "/check?" + made.QR() }

// total is what the receipt came to.
func (i *russianMade) total() fiscal.Money {
	doc, err := ffd.Parse(i.made.Bytes, 0)
	if err != nil {
		return 0
	}
	return doc.Money(ffd.TagTotal)
}

// closeDay closes the shift and opens the next.
func (d *russianCounter) closeDay(ctx context.Context, tell func(string, ...any)) {
	counted := d.reg.Standing().Shift
	if _, err := d.make(ctx, russianDeal{}, d.words.CloseShift()); err != nil {
		tell("shift close: %v", err)
		return
	}
	sales := counted.Counters.Totals().Sales
	tell("%-15s %12s  %d sales", fmt.Sprintf("shift %d closed", counted.Number), *sales.Total, *sales.Count)
	if err := d.ready(ctx); err != nil {
		tell("shift open: %v", err)
	}
}
