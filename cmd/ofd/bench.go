package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/pprof"
	"time"

	"openofd/internal/bench"
	"openofd/internal/config"
	"openofd/internal/registry"
)

type benchCmd struct {
	KKM  benchKKMCmd  `cmd:"" name:"kkm" help:"Receipts of registers of Kazakhstan."`
	KKT  benchKKTCmd  `cmd:"" name:"kkt" help:"Receipts of registers of Russia, with simulated fiscal drives."`
	Till benchTillCmd `cmd:"" name:"till" help:"Sellers at the pages of a till, and the operator behind it."`
}

// benchFlags are those of every load.
type benchFlags struct {
	Registers   int           `default:"1000" help:"How many, of a tenth as many taxpayers."`
	Connections int           `default:"64" help:"Between which the registers take turns; each waits for its answer."`
	Duration    time.Duration `default:"10s" help:"Of the measured part."`
	Warmup      time.Duration `default:"1s" help:"Before it, not measured."`
	Rate        int           `placeholder:"N" help:"Receipts a second that are due; without it as many as are answered."`
	MaxP99      time.Duration `name:"max-p99" default:"1.5s" help:"A slower p99 is a failure."`
	Ceiling     time.Duration `default:"3s" help:"How long each ceiling is measured; 0 leaves them out."`
	Data        string        `type:"path" placeholder:"DIR" help:"Folder for the operator under test; without it a new one that is removed."`
	DB          config.DB     `name:"db" env:"OFD_DB" placeholder:"URL" help:"Database server for it instead, postgres://…, migrated; what is sent stays there."`
	KeyFile     string        `name:"key-file" env:"OFD_KEY_FILE" type:"path" default:"ofd-data/master.key" placeholder:"FILE" help:"Master key of that installation."`
	Fill        uint64        `placeholder:"N" help:"Store so many entries of other registers, then measure this store and an empty one in turn."`
	Idle        int           `placeholder:"N" help:"Hold so many silent connections beside the load, to an operator in a process of its own, and tell what one of them costs."`
	Followers   bool          `help:"Let the cabinet's tables be filled meanwhile, as on a server; else acceptance is measured alone."`
	Addr        string        `placeholder:"HOST:PORT" help:"A running operator instead of one of our own."`
	CPUProfile  string        `name:"cpu-profile" type:"path" placeholder:"FILE" help:"Write a CPU profile of the load, for go tool pprof."`
	Credentials string        `type:"path" placeholder:"FILE" help:"Registers of --addr, as below; written back as they are at the end."`
}

// benchHelp stands below the flags of every load.
const benchHelp = `In the same run it measures two ceilings: an echo of frames of the same size,
and a bare insert of the same rows in batches of the same size into a fresh
database. Client, operator and disk share this machine.

With --fill the store is filled, and given time to settle. Then it and an
empty one beside it, each behind an operator of its own, are measured in turn,
three times each, so that the drift of the machine does not decide: the
figures are those of the full one, and the rate of the empty one stands beside
them. It takes some 1.3 KB of disk for each entry,
on a database server its WAL besides.

With --rate a latency counts from the moment the receipt was due, not from the
moment it was sent.

The exit code is 1 when nothing was accepted or p99 is above --max-p99.`

// benchProtocol is what a load needs of a country.
type benchProtocol interface {
	// settings opens the country's door on a free port of this machine.
	settings(s *settings)
	addr(o *operator) string
	// register is the i-th of a load; all of it is invented.
	register(series int64, i int) registry.NewRegister
	speaker(r registry.Registered) (bench.Register, error)
	// remote are the registers of an operator that runs elsewhere, as the file
	// of --credentials has them; file writes them as they are at the end.
	remote(file []byte) ([]bench.Register, error)
	file(all []bench.Register) any
	// served are the same settings for `ofd serve`: TOML, flags, and how its log
	// names the door.
	served() (toml string, flags []string, door string)
}

// benchLoad is one run of the command.
type benchLoad struct {
	benchFlags
	benchProtocol
	TLS bool
}

func (c *benchLoad) run(con *console) error {
	if c.Registers < 1 || c.Connections < 1 || c.Duration <= 0 {
		return errors.New("there is no load without registers, connections and time")
	}
	if c.Addr != "" && c.Fill > 0 {
		return errors.New("--fill goes not with --addr: the store is not ours")
	}
	if c.Idle > 0 {
		return c.idle(con)
	}
	run := c.own
	if c.Addr != "" {
		run = c.elsewhere
	}
	load, ceilings, err := run(con)
	if err != nil {
		return err
	}
	if c.Ceiling > 0 && load.AnswerBytes > 0 {
		con.say("measuring the echo")
		frames := bench.Frames{Request: load.RequestBytes, Answer: load.AnswerBytes}
		if ceilings.EchoPerSecond, err = bench.Echo(con.ctx, frames, load.Connections, c.Ceiling); err != nil {
			return err
		}
	}
	return c.report(con, load, bench.NewReport(load, c.Rate, ceilings))
}

// report prints a run and says whether it is a failure.
func (c *benchLoad) report(con *console, load *bench.Load, report bench.Report) error {
	var written error
	if err := con.result(report, func(w io.Writer) { written = report.Write(w) }); err != nil || written != nil {
		return errors.Join(err, written)
	}
	switch {
	case load.Accepted == 0:
		return &found{"nothing was accepted"}
	case report.IdleLost > 0:
		return &found{"idle connections were lost"}
	case load.Latency(990) > c.MaxP99:
		con.say("p99 is %v, above --max-p99 %v", load.Latency(990).Round(time.Millisecond), c.MaxP99)
		return &found{"p99 is too high"}
	}
	return nil
}

// config is the load on an operator.
func (c *benchLoad) config(addr string, registers []bench.Register) bench.Config {
	return bench.Config{Addr: addr, Registers: registers, Connections: c.Connections, Duration: c.Duration, Warmup: c.Warmup, Rate: c.Rate}
}

// elsewhere loads an operator that runs already. Its store cannot be measured.
func (c *benchLoad) elsewhere(con *console) (load *bench.Load, none bench.Ceilings, err error) {
	var b []byte
	if c.Credentials != "" {
		if b, err = os.ReadFile(c.Credentials); err != nil {
			return nil, none, err
		}
	}
	all, err := c.remote(b)
	if err != nil {
		return nil, none, err
	}
	all = all[:min(c.Registers, len(all))]
	load, err = c.profiled(func() (*bench.Load, error) { return bench.Run(con.ctx, c.config(c.Addr, all)) })
	if err != nil || c.Credentials == "" {
		return load, none, err
	}
	if b, err = json.MarshalIndent(c.file(all), "", "  "); err == nil {
		err = os.WriteFile(c.Credentials, append(b, '\n'), 0o600)
	}
	return load, none, err
}

// profiled runs the load, under the profiler if one was asked for.
func (c *benchLoad) profiled(run func() (*bench.Load, error)) (load *bench.Load, err error) {
	if c.CPUProfile == "" {
		return run()
	}
	f, err := os.Create(c.CPUProfile)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if err := pprof.StartCPUProfile(f); err != nil {
		return nil, err
	}
	defer pprof.StopCPUProfile()
	return run()
}

// addRegisters registers n registers, ten to a taxpayer, and returns who speaks
// for them.
func (c *benchLoad) addRegisters(con *console, core *core, n int) ([]bench.Register, error) {
	all := make([]bench.Register, n)
	err := c.eachNew(con, core, n, func(i int, r registry.Registered) (err error) {
		all[i], err = c.speaker(r)
		return err
	})
	return all, err
}

func (c *benchLoad) eachNew(con *console, core *core, n int, do func(i int, r registry.Registered) error) error {
	series := time.Now().UnixMicro() // a kept folder may have registers of earlier runs
	for i := range n {
		r, err := core.registry.AddRegister(con.ctx, c.register(series, i))
		if err == nil {
			err = do(i, r)
		}
		if err != nil {
			return fmt.Errorf("register %d of %d: %w", i+1, n, err)
		}
		if con.watched() && i%100 == 99 {
			fmt.Fprintf(con.talk, "\r%d of %d registers\r", i+1, n)
		}
	}
	return nil
}

// addRows registers n registers and says where each stands.
func (c *benchLoad) addRows(con *console, core *core, n int) (all []bench.Row, err error) {
	err = c.eachNew(con, core, n, func(_ int, r registry.Registered) error {
		row, err := core.store.Row(con.ctx, r.Place)
		all = append(all, bench.Row{Place: r.Place, Version: row.State.Version, Number: row.State.LastNumber, Hash: row.State.LastHash})
		return err
	})
	return all, err
}
