package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"openofd/internal/access"
	"openofd/internal/bench"
	"openofd/internal/config"
	"openofd/internal/device/kkm"
	"openofd/internal/registry"
	"openofd/internal/till"
)

type benchTillCmd struct {
	Tills      int           `default:"500" help:"How many, each with a seller, a browser and a register of its own."`
	Rate       int           `placeholder:"N" help:"Receipts a second that are due, from all tills together; without it one from each."`
	Duration   time.Duration `default:"20s" help:"Of the measured part."`
	Warmup     time.Duration `default:"5s" help:"Before it, not measured."`
	MaxP99     time.Duration `name:"max-p99" default:"500ms" help:"A slower p99 is a failure."`
	Ceiling    time.Duration `default:"5s" help:"How long bare registers are measured at the same rate, before; 0 leaves them and the disk out."`
	Data       string        `type:"path" placeholder:"DIR" help:"Folder of both programs, on the disk to be measured; without it a new one that is removed."`
	DB         config.DB     `name:"db" env:"OFD_DB" placeholder:"URL" help:"Database server for the operator, postgres://…, migrated; what is sent stays there."`
	KeyFile    string        `name:"key-file" env:"OFD_KEY_FILE" type:"path" default:"ofd-data/master.key" placeholder:"FILE" help:"Master key of that installation."`
	CPUProfile string        `name:"cpu-profile" type:"path" placeholder:"FILE" help:"Write CPU profiles of the load, FILE.till and FILE.operator, for go tool pprof."`
}

// Help is shown by --help below the flags.
func (benchTillCmd) Help() string {
	return `Starts ofd serve and ofd till, each in a process of its own as in production,
signs sellers in, and lets their browsers sell: the page, the preliminary
receipt, the receipt, with all that chromium asks for in a sale. A latency
counts from the moment at which the seller was due to form the receipt, by
POST, until its page was read whole. Browsers, till, operator and disk share
this machine.

On a machine that has other work, measure at a lower --rate and look at what a
receipt costs in time of processors: that does not depend on the others.

The exit code is 1 when nothing was sold or p99 is above --max-p99.`
}

// Run is the command.
func (c *benchTillCmd) Run(con *console) (err error) {
	if c.Tills < 1 || c.Duration <= 0 {
		return errors.New("there is no load without tills and time")
	}
	dir := c.Data
	if dir == "" {
		if dir, err = os.MkdirTemp("", "ofd-bench-"); err != nil {
			return fmt.Errorf("folder of the till: %w", err)
		}
		defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	}
	b := &tillBench{benchTillCmd: c, con: con, dir: dir}
	defer func() { err = errors.Join(err, b.stop()) }()
	if err := b.start(); err != nil {
		return err
	}
	report, err := b.measure()
	if err != nil {
		return err
	}
	var written error
	if err := con.result(report, func(w io.Writer) { written = report.Write(w) }); err != nil || written != nil {
		return errors.Join(err, written)
	}
	switch {
	case report.Receipts == 0:
		return &found{"nothing was sold"}
	case report.P99 > float64(c.MaxP99)/float64(time.Millisecond):
		con.say("p99 is %.0f ms, above --max-p99 %v", report.P99, c.MaxP99)
		return &found{"p99 is too high"}
	}
	return nil
}

// tillBench is one run.
type tillBench struct {
	*benchTillCmd
	con     *console
	dir     string
	program string

	operator, till *process // running, or nil
	sellers        []bench.Seller
	bare           []bench.Register // of the load without a till
}

// bareTills is how many connections the load without a till has.
const bareTills = 64

// start starts an operator, seats sellers in a till, and opens it.
func (b *tillBench) start() (err error) {
	if b.program, err = os.Executable(); err != nil {
		return fmt.Errorf("find the program: %w", err)
	}
	registers, err := b.register()
	if err != nil {
		return err
	}
	args := []string{"serve", "--data", b.dir, "--kkm-addr", "127.0.0.1:0", "--http-addr", "127.0.0.1:0", "--ops-addr", "127.0.0.1:0"}
	if b.DB.URL != "" {
		args = append(args, "--db", b.DB.URL, "--key-file", b.KeyFile)
	}
	if b.operator, err = startProcess(b.con.ctx, b.program, b.dir, args...); err != nil {
		return fmt.Errorf("start the operator: %w", err)
	}
	if err := b.seat(registers); err != nil {
		return fmt.Errorf("seat the sellers: %w", err)
	}
	b.till, err = startProcess(b.con.ctx, b.program, b.dir, "--json", "till", "--data", filepath.Join(b.dir, "till"), "--addr", "127.0.0.1:0", "--ops-addr", "127.0.0.1:0",
		"--operator", b.operator.doors["kkm"], "--operator-url", "http://"+b.operator.doors["http"])
	if err != nil {
		return fmt.Errorf("start the till: %w", err)
	}
	return nil
}

// register registers what will sell, before the operator runs.
func (b *tillBench) register() (registers []registry.Registered, err error) {
	load, err := bench.NewKKM(0, almaty)
	if err != nil {
		return nil, err
	}
	c := &benchLoad{benchFlags: benchFlags{DB: b.DB, KeyFile: b.KeyFile}, benchProtocol: benchKKM{load}}
	at := coreConfig{Dir: b.dir, DB: b.DB.URL, Serve: true, Operator: demoOperator().At(b.con.file.Site)}
	if b.DB.URL != "" {
		at.KeyFile = b.KeyFile
	}
	core, err := startCore(b.con.ctx, at)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, core.stop()) }()
	n := b.Tills
	if b.Ceiling > 0 {
		n *= 2
	}
	err = c.eachNew(b.con, core, n, func(i int, r registry.Registered) error {
		if i < b.Tills {
			registers = append(registers, r)
			return nil
		}
		one, err := c.speaker(r)
		b.bare = append(b.bare, one)
		return err
	})
	return registers, err
}

// heldCodes keep the last letter's code for each address.
type heldCodes struct{ of sync.Map }

// Send implements access.Mailer.
func (c *heldCodes) Send(_ context.Context, m access.Mail) error {
	c.of.Store(m.To, m.Code)
	return nil
}

// seat gives each register a seller who is signed in, on a till that is not
// open yet.
func (b *tillBench) seat(registers []registry.Registered) (err error) {
	codes := new(heldCodes)
	t, err := till.Open(b.con.ctx, till.Config{
		Path: filepath.Join(b.dir, "till", "till.db"), Mailer: codes, Now: time.Now, Rand: rand.Reader, Log: slog.New(slog.DiscardHandler),
		Link: func() kkm.Exchanger { return kkm.NewLink(kkm.LinkConfig{Addr: b.operator.doors["kkm"]}) },
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, t.Close()) }()
	b.sellers = make([]bench.Seller, len(registers))
	const atOnce = 8
	var all sync.WaitGroup
	failed := make(chan error, atOnce)
	for part := range atOnce {
		all.Go(func() {
			for i := part; i < len(registers); i += atOnce {
				one, err := seatOne(b.con.ctx, t, codes, i, registers[i])
				if err != nil {
					failed <- err
					return
				}
				b.sellers[i] = one
			}
		})
	}
	all.Wait()
	close(failed)
	return <-failed
}

func seatOne(ctx context.Context, t *till.Till, codes *heldCodes, i int, r registry.Registered) (s bench.Seller, err error) {
	email := fmt.Sprintf("seller%d@example.kz", i)
	if err := t.SendCode(ctx, email, "ru"); err != nil {
		return s, err
	}
	code, _ := codes.of.Load(email)
	secret, _, err := t.SignIn(ctx, email, fmt.Sprint(code), "Android", "ru")
	if err != nil {
		return s, err
	}
	seat, err := t.Seat(ctx, secret)
	if err != nil {
		return s, err
	}
	if err := errors.Join(t.SetDetails(seat, "Айгүл Серікқызы", "", "ru"), t.SetPIN(ctx, seat, "", demoTillCode, demoTillCode)); err != nil {
		return s, err
	}
	if seat, err = t.Seat(ctx, secret); err != nil {
		return s, err
	}
	return bench.Seller{Secret: secret, Register: uint32(r.Card.Register)}, t.Connect(ctx, seat, r.Card.Register, r.Token)
}

// measure loads the operator alone, then the till.
func (b *tillBench) measure() (report bench.TillReport, err error) {
	var alone *bench.Load
	var syncs float64
	rate := cmp.Or(b.Rate, b.Tills)
	if b.Ceiling > 0 {
		if syncs, err = bench.Syncs(b.dir, time.Second); err != nil {
			return report, err
		}
		b.con.say("%d bare registers at %d receipts/s for %v", len(b.bare), rate, b.Ceiling)
		alone, err = bench.Run(b.con.ctx, bench.Config{Addr: b.operator.doors["kkm"], Registers: b.bare, Connections: bareTills, Warmup: time.Second, Duration: b.Ceiling, Rate: rate})
		if err != nil {
			return report, err
		}
	}
	b.con.say("%d tills at %d receipts/s for %v", len(b.sellers), rate, b.Warmup+b.Duration)
	before := averages()
	var spent [3]time.Duration
	var profiles sync.WaitGroup
	var wrong [2]error
	load, err := bench.RunSellers(b.con.ctx, bench.SellersConfig{
		Addr: b.till.doors["http"], Sellers: b.sellers, Rate: b.Rate, Duration: b.Duration, Warmup: b.Warmup,
		Measured: func() {
			spent = b.spent()
			for i, p := range []*process{b.till, b.operator} {
				if b.CPUProfile != "" {
					profiles.Go(func() { wrong[i] = p.profile(b.con.ctx, b.CPUProfile+[...]string{".till", ".operator"}[i], b.Duration) })
				}
			}
		},
	})
	if err != nil {
		return report, err
	}
	after := b.spent()
	profiles.Wait()
	report = bench.NewTillReport(load, b.Rate, alone, syncs)
	report.Engine, report.LoadBefore, report.LoadAfter = "SQLite", before, averages()
	if b.DB.URL != "" {
		report.Engine = "PostgreSQL, without its server's own"
	}
	for i, cost := range []*float64{&report.TillCPU, &report.OperatorCPU, &report.BrowserCPU} {
		if load.Accepted > 0 {
			*cost = (after[i] - spent[i]).Seconds() * 1000 / float64(load.Accepted)
		}
	}
	return report, errors.Join(wrong[:]...)
}

// spent is what till, operator and browsers have used of processors.
func (b *tillBench) spent() (all [3]time.Duration) {
	for i, pid := range []int{b.till.cmd.Process.Pid, b.operator.cmd.Process.Pid, os.Getpid()} {
		all[i] = processorOf(pid)
	}
	return all
}

func (b *tillBench) stop() (err error) {
	for _, p := range []*process{b.till, b.operator} {
		if p != nil {
			err = errors.Join(err, p.stop())
		}
	}
	return err
}
