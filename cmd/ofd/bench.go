package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime/pprof"
	"sync"
	"time"

	"openofd/internal/bench"
	"openofd/internal/config"
	"openofd/internal/fiscal"
	"openofd/internal/journal"
	"openofd/internal/registry"
)

type benchCmd struct {
	KKM benchKKMCmd `cmd:"" name:"kkm" help:"Receipts of registers of Kazakhstan."`
}

type benchKKMCmd struct {
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
	Fill        uint64        `placeholder:"N" help:"Measure, store so many entries of other registers, measure again."`
	Idle        int           `placeholder:"N" help:"Hold so many silent connections beside the load, to an operator in a process of its own, and tell what one of them costs."`
	TLS         bool          `name:"tls" help:"With --idle: these and the load over TLS."`
	Addr        string        `placeholder:"HOST:PORT" help:"A running operator instead of one of our own; needs --credentials."`
	CPUProfile  string        `name:"cpu-profile" type:"path" placeholder:"FILE" help:"Write a CPU profile of the load, for go tool pprof."`
	Credentials string        `type:"path" placeholder:"FILE" help:"Its registers, [{\"id\": 200145, \"token\": 2704817126}, …]; written back with the tokens of the end."`
}

// Help is shown by --help below the flags.
func (benchKKMCmd) Help() string {
	return `Starts an operator in this process, registers the registers, lets them send
receipts of five lines over real sockets and measures. Client, operator and
disk share this machine. In the same run it measures two ceilings: an echo of
frames of the same size, and a bare insert of the same rows in batches of the
same size into a fresh database.

With --fill the figures are those of the second load, and the first one's rate
stands beside them.

With --rate a latency counts from the moment the receipt was due, not from the
moment it was sent.

The exit code is 1 when nothing was accepted or p99 is above --max-p99.`
}

func (c *benchKKMCmd) Run(con *console) error {
	if c.Registers < 1 || c.Connections < 1 || c.Duration <= 0 {
		return errors.New("there is no load without registers, connections and time")
	}
	if c.Idle > 0 {
		return benchIdle(con, c)
	}
	cfg := bench.Config{
		Connections: c.Connections, Duration: c.Duration, Warmup: c.Warmup, Rate: c.Rate, Zone: almaty,
	}
	run := c.own
	if c.Addr != "" {
		run = c.remote
	}
	load, ceilings, err := run(con, cfg)
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
	report := bench.NewReport(load, c.Rate, ceilings)
	if err := con.result(report, func(w io.Writer) { err = report.Write(w) }); err != nil {
		return err
	}
	switch {
	case err != nil:
		return err
	case load.Accepted == 0:
		return &found{"nothing was accepted"}
	case load.Latency(990) > c.MaxP99:
		con.say("p99 is %v, above --max-p99 %v", load.Latency(990).Round(time.Millisecond), c.MaxP99)
		return &found{"p99 is too high"}
	}
	return nil
}

// remote loads an operator that runs elsewhere. Its store cannot be measured.
func (c *benchKKMCmd) remote(con *console, cfg bench.Config) (*bench.Load, bench.Ceilings, error) {
	if c.Credentials == "" {
		return nil, bench.Ceilings{}, withHint(errors.New("registers of a running operator need their tokens"), "Give --credentials")
	}
	b, err := os.ReadFile(c.Credentials)
	if err != nil {
		return nil, bench.Ceilings{}, err
	}
	if err := json.Unmarshal(b, &cfg.Registers); err != nil {
		return nil, bench.Ceilings{}, fmt.Errorf("%s: %w", c.Credentials, err)
	}
	cfg.Addr = c.Addr
	cfg.Registers = cfg.Registers[:min(c.Registers, len(cfg.Registers))]
	load, err := bench.Run(con.ctx, cfg)
	if err != nil {
		return nil, bench.Ceilings{}, err
	}
	if b, err = json.MarshalIndent(load.Registers, "", "  "); err == nil {
		err = os.WriteFile(c.Credentials, append(b, '\n'), 0o600)
	}
	return load, bench.Ceilings{}, err
}

// own starts an operator, loads it, stops it, and measures its store.
func (c *benchKKMCmd) own(con *console, cfg bench.Config) (load *bench.Load, ceilings bench.Ceilings, err error) {
	dir := c.Data
	if dir == "" {
		if dir, err = os.MkdirTemp("", "ofd-bench-"); err != nil {
			return nil, ceilings, fmt.Errorf("folder of the operator: %w", err)
		}
		defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	}
	var recorder *bench.Recorder
	s := settings{Journal: func(s journal.Store) journal.Store {
		recorder = bench.NewRecorder(s)
		return recorder
	}}
	s.Data, s.DB, s.Operator = dir, c.DB, demoOperator()
	if c.DB.URL != "" {
		s.KeyFile = c.KeyFile
	}
	s.KKMAddr = config.Addr{HostPort: "127.0.0.1:0"}
	s.Limits = config.Limits{Connections: c.Connections + 16, PerAddress: c.Connections + 16,
		Exchanges: config.Off(), AddressFramesPerSecond: config.Off(), RegisterFramesPerSecond: config.Off()}
	o, err := startOperator(con.ctx, s)
	if err != nil {
		return nil, ceilings, err
	}
	cfg.Addr = o.KKMAddr
	load, err = c.load(con, o, recorder, cfg, &ceilings)
	ceilings.Engine = o.store.name
	if err = errors.Join(err, o.stop()); err != nil {
		return nil, ceilings, err
	}
	rows := recorder.Rows()
	ceilings.Batch = rows.Batch
	if c.Ceiling > 0 && len(rows.Sample) > 0 {
		con.say("measuring the bare insert")
		at := coreConfig{Dir: filepath.Join(dir, "ceiling"), Serve: true}
		ceilings.StorePerSecond, err = benchStore(con, at, c.DB, c.Registers, rows, c.Ceiling)
	}
	return load, ceilings, err
}

// load registers the registers and lets them send: once, or before and after
// the store is filled.
func (c *benchKKMCmd) load(con *console, o *operator, recorder *bench.Recorder, cfg bench.Config, ceilings *bench.Ceilings) (load *bench.Load, err error) {
	if cfg.Registers, err = benchRegisters(con, o.core, c.Registers); err != nil {
		return nil, err
	}
	run := func() (*bench.Load, error) {
		recorder.Reset()
		con.say("%d registers over %d connections for %v", c.Registers, min(c.Connections, c.Registers), c.Warmup+c.Duration)
		return c.profiled(func() (*bench.Load, error) { return bench.Run(con.ctx, cfg) })
	}
	load, err = run()
	if err != nil || c.Fill == 0 {
		return load, err
	}
	ceilings.Filled, ceilings.BeforePerSecond = c.Fill, load.PerSecond()
	cfg.Registers = load.Registers
	if err := c.fill(con, o.core, recorder.Rows()); err != nil {
		return nil, err
	}
	return run()
}

// fill stores c.Fill entries of registers that have no part in the load.
func (c *benchKKMCmd) fill(con *console, core *core, rows bench.Rows) error {
	others, err := benchRows(con, core, min(c.Registers, 2000))
	if err != nil {
		return err
	}
	bar := newProgress(con, "entries stored")
	defer bar.end()
	var showing sync.Mutex
	return bench.Fill(con.ctx, core.store, others, rows, core.store.lines, c.Fill, func(done uint64) {
		if showing.TryLock() {
			bar.show(int64(done), int64(c.Fill))
			showing.Unlock()
		}
	})
}

// profiled runs the load, under the profiler if one was asked for.
func (c *benchKKMCmd) profiled(run func() (*bench.Load, error)) (load *bench.Load, err error) {
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

// benchRegisters registers n registers, ten to a taxpayer, and returns what
// they speak with.
func benchRegisters(con *console, c *core, n int) ([]bench.Credential, error) {
	all := make([]bench.Credential, n)
	series := time.Now().UnixMicro() // a kept folder may have registers of earlier runs
	for i := range all {
		r, err := c.registry.AddRegister(con.ctx, benchRegister(series, i))
		if err != nil {
			return nil, fmt.Errorf("register %d of %d: %w", i+1, n, err)
		}
		all[i] = bench.Credential{ID: uint32(r.Card.Register), Token: r.Token}
		if con.watched() && i%100 == 99 {
			fmt.Fprintf(con.talk, "\r%d of %d registers\r", i+1, n)
		}
	}
	return all, nil
}

// benchRegister is the i-th register of a load. All of it is invented.
func benchRegister(series int64, i int) registry.NewRegister {
	return registry.NewRegister{
		By: "bench", Country: fiscal.Kazakhstan, XIN: benchXIN(i / 10), OKED: "47111", TaxSystem: 101, VATPercent: 16000,
		Title:         fiscal.Text{RU: fmt.Sprintf("ТОО «Нагрузка %d»", i/10)},
		OutletAddress: fiscal.Text{KK: "Алматы қ., Төле би көшесі, 59", RU: "г. Алматы, ул. Толе би, 59"},
		Latitude:      432567, Longitude: 769286,
		Model: "Bench KZ", SerialNumber: fmt.Sprintf("B%d-%d", series, i), Year: 2026,
	}
}

// benchXIN is a BIN with a right check digit, another for each i.
func benchXIN(i int) fiscal.XIN {
	for skip := 0; ; skip++ { // some numbers have no check digit
		for digit := range 10 {
			x := fiscal.XIN(fmt.Sprintf("2601407%03d%d%d", i%1000, skip, digit))
			if i >= 1000 {
				x = fiscal.XIN(fmt.Sprintf("26%08d%d%d", i, skip, digit))
			}
			if fiscal.CheckXIN(x, "bin") == nil {
				return x
			}
		}
	}
}

// benchStore measures a bare insert into a fresh database: a folder, or one
// beside db on its server. It is removed. It has as many registers as the load,
// up to a few thousand.
func benchStore(con *console, at coreConfig, db config.DB, registers int, rows bench.Rows, d time.Duration) (perSecond float64, err error) {
	defer func() { err = errors.Join(err, os.RemoveAll(at.Dir)) }()
	if db.URL != "" {
		scratch, drop, err := scratchDatabase(con.ctx, at, db.URL)
		if err != nil {
			return 0, err
		}
		defer func() { err = errors.Join(err, drop()) }()
		at.DB = scratch
	}
	c, err := startCore(con.ctx, at)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, c.stop()) }()
	places, err := benchRows(con, c, min(registers, 2000))
	if err != nil {
		return 0, err
	}
	return bench.Store(con.ctx, c.store, places, rows, c.store.lines, d)
}

// benchRows registers n registers and says where each stands.
func benchRows(con *console, c *core, n int) (all []bench.Row, err error) {
	credentials, err := benchRegisters(con, c, n)
	if err != nil {
		return nil, err
	}
	for _, cred := range credentials {
		place, err := c.store.Find(con.ctx, fiscal.Address{Kind: fiscal.ByID, Name: fmt.Sprint(cred.ID)})
		if err != nil {
			return nil, err
		}
		row, err := c.store.Row(con.ctx, place)
		if err != nil {
			return nil, err
		}
		all = append(all, bench.Row{Place: place, Version: row.State.Version, Number: row.State.LastNumber, Hash: row.State.LastHash})
	}
	return all, nil
}
