package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	mathrand "math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"openofd/internal/config"
	"openofd/internal/device/kkm"
	"openofd/internal/fiscal"
	"openofd/internal/observe"
)

// demoCmd is `ofd demo`: a whole operator with three shops that sell in real
// time over real sockets, in one process.
type demoCmd struct {
	Data     string      `type:"path" placeholder:"DIR" help:"Folder to keep; without it a new one that is removed at the end."`
	KKMAddr  config.Addr `name:"kkm-addr" default:":7777" help:"Where registers connect: point your own there too."`
	HTTPAddr config.Addr `name:"http-addr" default:":8080" help:"Pages, among them the buyer's check."`
	OpsAddr  config.Addr `name:"ops-addr" default:"127.0.0.1:9090" help:"Metrics and health."`
	Pace     float64     `default:"1" help:"How fast the shops sell: 10 is ten times as fast."`
	Check    bool        `help:"Walk the whole way once, print each step, exit 0 or 1."`
}

// demoOperator is the operator of the demo. It is invented.
func demoOperator() config.Operator {
	return config.Operator{
		Title:   fiscal.Text{KK: "OpenOFD көрсетілімі", RU: "OpenOFD, демонстрация", EN: "OpenOFD demo"},
		BIN:     config.BIN{Number: "220540013371"},
		Address: fiscal.Text{KK: "Астана қ., Достық көшесі, 1", RU: "г. Астана, ул. Достык, 1", EN: "1 Dostyk Street, Astana"},
		Ad:      config.Notice{Text: "Чекті тексеріңіз! / Проверьте чек!", Version: 1},
	}
}

// Run is the command.
func (c *demoCmd) Run(con *console) (err error) {
	if c.Pace <= 0 {
		return withHint(fmt.Errorf("--pace %v is not above zero", c.Pace), "Leave it out, or give 10 for ten times as fast")
	}
	dir := c.Data
	if dir == "" {
		if dir, err = os.MkdirTemp("", "ofd-demo-"); err != nil {
			return fmt.Errorf("folder of the demo: %w", err)
		}
		defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	}
	var s settings
	s.Data, s.Operator = dir, demoOperator()
	s.KKMAddr, s.HTTPAddr, s.OpsAddr = c.KKMAddr, c.HTTPAddr, c.OpsAddr
	if s.Log, err = observe.NewLogger(con.talk, observe.LogConfig{Level: slog.LevelWarn}); err != nil {
		return err
	}
	if c.Check {
		any := config.Addr{HostPort: "127.0.0.1:0"}
		s.KKMAddr, s.HTTPAddr, s.OpsAddr = any, any, any
	}
	o, err := startOperator(con.ctx, s)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, o.stop()) }()
	if c.Check {
		return demoCheck(con, o, dir)
	}
	return c.sell(con, o, dir)
}

// sell opens the shops and lets them sell until the demo is ended.
func (c *demoCmd) sell(con *console, o *operator, dir string) error {
	var counters []*demoCounter
	for _, shop := range demoShops(standardVAT(o.now())) {
		counter, err := openCounter(con.ctx, o, shop, dir, demoTimes{transaction: 3 * time.Second, reconnect: 5 * time.Second})
		if err != nil {
			return fmt.Errorf("open the shop in %s: %w", shop.city, err)
		}
		defer counter.reg.Close()
		counters = append(counters, counter)
	}
	c.welcome(con.out, o, counters)
	events := make(chan string, 64)
	var shops sync.WaitGroup
	for _, counter := range counters {
		shops.Go(func() { counter.reg.Work(con.ctx, nil) })
		shops.Go(func() { counter.work(con.ctx, c.Pace, events) })
	}
	go func() {
		shops.Wait()
		close(events)
	}()
	for e := range events {
		fmt.Fprintln(con.out, e)
	}
	con.say("closing")
	return nil
}

func (c *demoCmd) welcome(w io.Writer, o *operator, counters []*demoCounter) {
	fmt.Fprintf(w, "OpenOFD is running. Ctrl-C ends it.\n\n")
	facts(w,
		"buyers check receipts at", o.Site,
		"registers connect to", o.KKMAddr,
		"metrics and health", "http://"+o.OpsAddr+"/metrics",
	)
	fmt.Fprintln(w, "\nThree shops sell now. Every address below opens the receipt.")
	for _, d := range counters {
		fmt.Fprintf(w, "  %-8s  register %d, %s, protocol %s\n", d.shop.city, d.card.Register, d.card.OutletTitle.In("ru"), d.shop.version)
	}
	fmt.Fprintln(w)
}

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
	card, token, err := demoRegister(ctx, o, shop)
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

// demoRegister finds the shop's register by its serial number or adds it.
func demoRegister(ctx context.Context, o *operator, shop demoShop) (fiscal.Card, uint32, error) {
	all, err := o.registry.Registers(ctx, 0, 0, 1000)
	if err != nil {
		return fiscal.Card{}, 0, err
	}
	for _, r := range all {
		if r.Card.SerialNumber == shop.register.SerialNumber && r.Card.Model == shop.register.Model {
			return r.Card, 0, nil
		}
	}
	in := shop.register
	in.By = "demo"
	made, err := o.registry.AddRegister(ctx, in)
	return made.Card, made.Token, err
}

// work sells at the pace of a shop: a receipt every few seconds, now and then a
// return, an outage of half a minute, the end of a day.
func (d *demoCounter) work(ctx context.Context, pace float64, events chan<- string) {
	tell := func(format string, args ...any) {
		select {
		case events <- time.Now().Format(time.TimeOnly) + "  " + padded(d.shop.city, 8) + "  " + fmt.Sprintf(format, args...):
		case <-ctx.Done():
		}
	}
	if d.reg.Standing().Counters.Cash < 20_000_00 {
		if _, err := d.reg.Deposit(ctx, 30_000_00, d.shop.cashiers[0]); err == nil {
			tell("%-14s %12s", "deposit", fiscal.Money(30_000_00))
		}
	}
	for n := 1; ; n++ {
		pause := time.Duration(float64(1500+d.rand.IntN(4000)) / pace * float64(time.Millisecond))
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
		}
		switch {
		case n%120 == 0:
			d.closeDay(ctx, tell)
		case n%40 == 20:
			d.link.cut(time.Duration(float64(25*time.Second) / pace))
			tell("the link is cut for a while: receipts go on")
		case len(d.sold) > 3 && d.rand.IntN(15) == 0:
			d.giveBack(ctx, tell)
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

// cuttable is a link that can be cut for a while, as cables are.
type cuttable struct {
	kkm.Exchanger
	until atomic.Int64 // unix nanoseconds
	lose  atomic.Bool  // the next answer
	after atomic.Int64 // how long the link is cut behind a lost answer, nanoseconds
}

var errCut = errors.New("the link is cut")

func (c *cuttable) cut(d time.Duration) { c.until.Store(time.Now().Add(d).UnixNano()) }
func (c *cuttable) mend()               { c.until.Store(0) }

// loseAnswer loses the next answer, and cuts the link behind it for a while.
func (c *cuttable) loseAnswer(cut time.Duration) {
	c.after.Store(int64(cut))
	c.lose.Store(true)
}

// Exchange fails while the link is cut.
func (c *cuttable) Exchange(ctx context.Context, frame []byte) (kkm.Reply, error) {
	if time.Now().UnixNano() < c.until.Load() {
		return kkm.Reply{}, &kkm.LinkError{Stage: kkm.AtConnect, Err: errCut}
	}
	reply, err := c.Exchanger.Exchange(ctx, frame)
	if err == nil && c.lose.CompareAndSwap(true, false) {
		c.cut(time.Duration(c.after.Load()))
		return kkm.Reply{}, &kkm.LinkError{Stage: kkm.AtReceive, Err: errCut}
	}
	return reply, err
}

// dialable is an address to dial for one that listens everywhere.
func dialable(addr string) string {
	for _, all := range []string{"[::]:", "0.0.0.0:"} {
		if port, ok := strings.CutPrefix(addr, all); ok {
			return "127.0.0.1:" + port
		}
	}
	return addr
}

func padded(s string, width int) string {
	return s + strings.Repeat(" ", max(0, width-len([]rune(s))))
}

func newRand() *mathrand.Rand {
	var seed [32]byte
	rand.Read(seed[:]) // never fails
	return mathrand.New(mathrand.NewChaCha8(seed))
}
