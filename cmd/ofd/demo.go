package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	mathrand "math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"openofd/internal/config"
	"openofd/internal/fiscal"
	"openofd/internal/mail"
	"openofd/internal/observe"
	"openofd/internal/registry"
)

// demoCmd is `ofd demo`: a whole operator with shops in Kazakhstan and in Russia
// that sell in real time over real sockets, in one process, and months of what
// they did before.
type demoCmd struct {
	Data      string      `type:"path" placeholder:"DIR" help:"Folder to keep; without it a new one that is removed at the end."`
	DB        config.DB   `name:"db" placeholder:"URL" help:"Database server instead of the embedded one; ofd migrate up has prepared it, and the master key is in --data. It keeps what was sold."`
	KKMAddr   config.Addr `name:"kkm-addr" default:":7777" help:"Where registers of Kazakhstan connect: point your own there too."`
	KKTAddr   config.Addr `name:"kkt-addr" default:":7778" help:"Where registers of Russia connect, with simulated drives."`
	HTTPAddr  config.Addr `name:"http-addr" default:":8080" help:"Pages, among them the buyer's check."`
	OpsAddr   config.Addr `name:"ops-addr" default:"127.0.0.1:9090" help:"Metrics and health."`
	Authority config.Addr `name:"authority-addr" default:"127.0.0.1:7790" help:"An authority to rehearse with, which takes what is delivered; its screens are there too."`
	TillAddr  config.Addr `name:"till-addr" default:":8090" help:"A till that you open on a phone or in a browser; off: none."`
	Pace      float64     `default:"1" help:"How fast the shops sell: 10 is ten times as fast."`
	Days      int         `default:"120" help:"Days of sample data that are made at the first start; none with --db."`
	Check     bool        `help:"Walk the whole way once, print each step, exit 0 or 1."`
}

// demoOperator is the operator of the demo. It is invented.
func demoOperator() config.Operator {
	return config.Operator{
		Title:   fiscal.Text{KK: "OpenOFD көрсетілімі", RU: "OpenOFD, демонстрация", EN: "OpenOFD demo"},
		BIN:     config.BIN{Number: "220540013371"},
		INN:     config.INN{Number: "9602005556"},
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
	s.Data, s.DB, s.Operator = dir, c.DB, demoOperator()
	s.KKMAddr, s.KKTAddr, s.HTTPAddr, s.OpsAddr = c.KKMAddr, c.KKTAddr, c.HTTPAddr, c.OpsAddr
	s.KKTCrypto.Name = config.CryptoSIM1
	s.Letters = &mail.Sink{}
	if err := errors.Join(s.authority(dir), s.ownModels(dir)); err != nil {
		return err
	}
	if s.Log, err = observe.NewLogger(con.talk, observe.LogConfig{Level: slog.LevelWarn}); err != nil {
		return err
	}
	decide := demoDecides
	if c.Check {
		any := config.Addr{HostPort: "127.0.0.1:0"}
		s.KKMAddr, s.KKTAddr, s.HTTPAddr, s.OpsAddr, c.Authority = any, any, any, any, any
		s.Limits.CheckPerMinute = 60_000 // the walk asks as no buyer would
		s.Courier.Poll, s.Courier.Decisions, decide = 100*time.Millisecond, 200*time.Millisecond, -1
	}
	if err := c.past(con, &s); err != nil {
		return err
	}
	far, err := openDemoFar(dir, c.Authority, decide, &s)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, far.close()) }()
	far.sendThere(&s)
	o, err := startOperator(con.ctx, s)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, o.stop()) }()
	if err := c.apply(con.ctx, o, &s); err != nil {
		return err
	}
	if c.Check {
		return demoCheck(con, &walk{o: o, dir: dir, settings: &s, far: far, past: c.hasPast()})
	}
	return c.sell(con, o, dir, far)
}

// demoDecides is how long the demo's authority thinks about an application: for
// long enough to be seen waiting.
const demoDecides = 45 * time.Second

// past makes the sample data of the days before the first start. The check has a
// few of them in Kazakhstan, at registers that it does not walk.
func (c *demoCmd) past(con *console, s *settings) error {
	if !c.hasPast() {
		return nil
	}
	now := time.Now()
	site := "http://localhost"
	if _, port, err := net.SplitHostPort(s.HTTPAddr.HostPort); err == nil && port != "0" {
		site += ":" + port
	}
	p := demoPast{site: site, days: c.Days, until: now, seed: pastSeed, progress: c.progress(con)}
	kazakhstan, russia := demoShops(standardVAT(now)), russianShops()
	if c.Check {
		p.days, kazakhstan, russia = min(c.Days, checkDays), kazakhstan[1:], nil
	}
	documents, err := p.make(con.ctx, coreConfig{
		Dir: s.Data, DB: s.DB.URL, Operator: s.Operator.At(config.Site{URL: site}), KKM: s.KKM, KKT: s.KKT, Service: s.Service, Crypto: s.KKTCrypto, Log: s.Log,
	}, kazakhstan, russia)
	if err != nil {
		return fmt.Errorf("sample data: %w", err)
	}
	if documents > 0 {
		con.say("%d documents of %d days made in %v", documents, p.days, time.Since(now).Round(100*time.Millisecond))
	}
	return nil
}

// hasPast reports whether sample data are made. A database server has a clock of
// its own, and keys that hold from the day of its migration: what came before
// cannot be told to it.
func (c *demoCmd) hasPast() bool { return c.Days > 0 && c.DB.URL == "" }

// checkDays are those that the demo's check makes.
const checkDays = 5

// progress tells whoever watches how far the sample data are.
func (c *demoCmd) progress(con *console) func(done, days, documents int) {
	if !con.watched() {
		return nil
	}
	return func(done, days, documents int) {
		fmt.Fprintf(con.talk, "\rsample data: day %d of %d, %d documents ", done, days, documents)
		if done == days-1 {
			fmt.Fprint(con.talk, "\r\x1b[K")
		}
	}
}

// demoSeller is a shop of either country that sells until the demo ends.
type demoSeller interface {
	// title is one line about its register.
	title() string
	// work sells, and tells of it, until ctx ends.
	work(ctx context.Context, pace float64, events chan<- string)
	close() error
}

var _, _ demoSeller = (*demoCounter)(nil), (*russianCounter)(nil)

// sell opens the shops and lets them sell until the demo is ended.
func (c *demoCmd) sell(con *console, o *operator, dir string, far *demoFar) (err error) {
	sellers, err := openSellers(con.ctx, o, dir, c.Pace)
	defer func() {
		for _, s := range sellers {
			err = errors.Join(err, s.close())
		}
	}()
	if err != nil {
		return err
	}
	g, err := openGuests(con.ctx, o)
	if err != nil {
		return err
	}
	c.welcome(con.out, o, far, sellers, g)
	closeTill, err := c.openTill(con, o, dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeTill()) }()
	events := make(chan string, 64)
	var shops sync.WaitGroup
	for _, s := range sellers {
		shops.Go(func() { s.work(con.ctx, c.Pace, events) })
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

// openSellers opens the shops of both countries. Those that are open are
// returned beside an error too.
func openSellers(ctx context.Context, o *operator, dir string, pace float64) (all []demoSeller, err error) {
	times := demoTimes{transaction: atPace(3*time.Second, pace), reconnect: atPace(5*time.Second, pace)}
	for _, shop := range demoShops(standardVAT(o.now())) {
		if shop.life.blocked != 0 {
			continue
		}
		counter, err := openCounter(ctx, o, shop, dir, times)
		if err != nil {
			return all, fmt.Errorf("open the shop in %s: %w", shop.city, err)
		}
		all = append(all, counter)
	}
	for _, shop := range russianShops() {
		counter, err := openRussianCounter(ctx, o, shop, dir)
		if err != nil {
			return all, fmt.Errorf("open the shop in %s: %w", shop.city, err)
		}
		all = append(all, counter)
	}
	return all, nil
}

func (c *demoCmd) welcome(w io.Writer, o *operator, far *demoFar, sellers []demoSeller, g guests) {
	fmt.Fprintf(w, "OpenOFD is running. Ctrl-C ends it.\n\n")
	facts(w,
		"buyers check receipts at", o.Site,
		"registers of Kazakhstan connect to", o.KKMAddr,
		"registers of Russia connect to", o.KKTAddr,
		"metrics and health", "http://"+o.OpsAddr+"/metrics",
		"the authority's screens", far.URL+", password "+demoPassword,
	)
	if c.hasPast() {
		introduce(w, o.Site)
	}
	fmt.Fprintf(w, "\n%d registers sell now. Every address below opens the receipt.\n", len(sellers))
	for _, s := range sellers {
		fmt.Fprintln(w, "  "+s.title())
	}
	fmt.Fprintln(w, "\nTwo more registers are registered and sell nothing. Be them, in another terminal:")
	for _, line := range g.commands(o) {
		fmt.Fprintln(w, "  "+line)
	}
	fmt.Fprintln(w)
}

// demoRegister finds the shop's register by its serial number or adds it.
func demoRegister(ctx context.Context, c *core, in registry.NewRegister) (fiscal.Card, uint32, error) {
	all, err := c.registry.Registers(ctx, 0, 0, 1000)
	if err != nil {
		return fiscal.Card{}, 0, err
	}
	for _, r := range all {
		if r.Card.SerialNumber == in.SerialNumber && r.Card.Model == in.Model {
			return r.Card, 0, nil
		}
	}
	in.By = "demo"
	made, err := c.registry.AddRegister(ctx, in)
	return made.Card, made.Token, err
}

// deviceFile is where the device with a serial number keeps what it remembers.
func deviceFile(dir, serial string) (string, error) {
	devices := filepath.Join(dir, "devices")
	return filepath.Join(devices, serial), os.MkdirAll(devices, 0o700)
}

// teller tells what happens in a city.
func teller(ctx context.Context, city string, events chan<- string) func(string, ...any) {
	return func(format string, args ...any) {
		select {
		case events <- time.Now().Format(time.TimeOnly) + "  " + padded(city, 11) + "  " + fmt.Sprintf(format, args...):
		case <-ctx.Done():
		}
	}
}

// atPace is a time of the day as long as it lasts at a pace.
func atPace(d time.Duration, pace float64) time.Duration { return time.Duration(float64(d) / pace) }

// paused waits for the next customer; false is the end of the demo.
func paused(ctx context.Context, r *mathrand.Rand, pace float64) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(atPace(time.Duration(1500+r.IntN(4000))*time.Millisecond, pace)):
		return true
	}
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
