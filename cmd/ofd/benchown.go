package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"syscall"

	"openofd/internal/bench"
	"openofd/internal/config"
	"openofd/internal/journal"
)

// own starts an operator, loads it, stops it, and measures its store.
func (c *benchLoad) own(con *console) (load *bench.Load, ceilings bench.Ceilings, err error) {
	dir := c.Data
	if dir == "" {
		if dir, err = os.MkdirTemp("", "ofd-bench-"); err != nil {
			return nil, ceilings, fmt.Errorf("folder of the operator: %w", err)
		}
		defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	}
	u, err := c.start(con, dir, c.DB)
	if err != nil {
		return nil, ceilings, err
	}
	ceilings.Engine = u.store.name
	if u.registers, err = c.addRegisters(con, u.core, c.Registers); err != nil {
		return nil, ceilings, errors.Join(err, u.stop())
	}
	var rows bench.Rows
	if c.Fill > 0 {
		load, rows, err = c.full(con, u, dir, &ceilings)
	} else {
		load, err = c.profiled(func() (*bench.Load, error) { return c.measure(con, u) })
		rows = u.recorder.Rows()
		err = errors.Join(err, u.stop())
	}
	if err != nil {
		return nil, ceilings, err
	}
	ceilings.Batch = rows.Batch
	if c.Ceiling > 0 && len(rows.Sample) > 0 {
		con.say("measuring the bare insert")
		ceilings.StorePerSecond, err = c.bare(con, filepath.Join(dir, "ceiling"), rows)
	}
	return load, ceilings, err
}

// underTest is an operator with its registers.
type underTest struct {
	*operator
	recorder  *bench.Recorder
	registers []bench.Register
}

// start starts an operator on a folder, or on a database server with its key
// file in the folder.
func (c *benchLoad) start(con *console, dir string, db config.DB) (*underTest, error) {
	u := new(underTest)
	s := settings{Journal: func(s journal.Store) journal.Store {
		u.recorder = bench.NewRecorder(s)
		return u.recorder
	}}
	s.Data, s.DB, s.Operator = dir, db, demoOperator()
	if db.URL != "" {
		s.KeyFile = c.KeyFile
	}
	s.Limits = config.Limits{Connections: c.Connections + 16, PerAddress: c.Connections + 16,
		Exchanges: config.Off(), AddressFramesPerSecond: config.Off(), RegisterFramesPerSecond: config.Off()}
	if !c.Followers {
		s.Parts = []config.Part{config.PartGate, config.PartWeb}
	}
	c.settings(&s)
	var err error
	u.operator, err = startOperator(con.ctx, s)
	return u, err
}

// measure lets the registers send.
func (c *benchLoad) measure(con *console, u *underTest) (*bench.Load, error) {
	u.recorder.Reset()
	con.say("%d registers over %d connections for %v", c.Registers, min(c.Connections, c.Registers), c.Warmup+c.Duration)
	return bench.Run(con.ctx, c.config(c.addr(u.operator), u.registers))
}

// rounds is how often a full store and an empty one are measured in turn.
const rounds = 3

// full fills the store of u, lets it settle, and measures it beside an empty
// one: full, empty, empty, full, full, empty. It stops u.
func (c *benchLoad) full(con *console, u *underTest, dir string, ceilings *bench.Ceilings) (load *bench.Load, rows bench.Rows, err error) {
	running := []*underTest{u}
	defer func() {
		for _, u := range running {
			err = errors.Join(err, u.stop())
		}
	}()
	if load, err = c.measure(con, u); err != nil { // for a sample of its rows
		return nil, rows, err
	}
	if load.Accepted == 0 {
		return load, rows, nil
	}
	if err := c.fill(con, u.core, dir, u.recorder.Rows()); err != nil {
		return nil, rows, err
	}
	running = nil
	registers := u.registers
	if err := u.stop(); err != nil { // SQLite empties its log into the database
		return nil, rows, err
	}
	if c.DB.URL != "" {
		if err := settle(con, c.DB.URL); err != nil {
			return nil, rows, err
		}
	}
	if u, err = c.start(con, dir, c.DB); err != nil {
		return nil, rows, err
	}
	u.registers = registers
	running = append(running, u)
	empty, drop, err := c.startEmpty(con, filepath.Join(dir, "empty"))
	if err != nil {
		return nil, rows, err
	}
	running = append(running, empty)
	defer func() { err = errors.Join(err, drop()) }()
	defer func() { // before it is dropped
		running = running[:1]
		err = errors.Join(err, empty.stop())
	}()

	var sums [2]*bench.Load // of the full one, of the empty one
	load, err = c.profiled(func() (*bench.Load, error) {
		for i := range 2 * rounds {
			which := (i + 1) / 2 % 2
			con.say("%s store, round %d of %d", [...]string{"full", "empty"}[which], i/2+1, rounds)
			part, err := c.measure(con, [...]*underTest{u, empty}[which])
			if err != nil {
				return nil, err
			}
			if sums[which] == nil {
				sums[which] = part
			} else {
				sums[which].Add(part)
			}
		}
		return sums[0], nil
	})
	if err != nil {
		return nil, rows, err
	}
	ceilings.Filled, ceilings.EmptyPerSecond = c.Fill, sums[1].PerSecond()
	return load, u.recorder.Rows(), nil
}

// startEmpty starts an operator on an empty store of the same engine. drop
// removes the store, once the operator has stopped.
func (c *benchLoad) startEmpty(con *console, dir string) (u *underTest, drop func() error, err error) {
	drop = func() error { return os.RemoveAll(dir) }
	var db config.DB
	if c.DB.URL != "" {
		if db.URL, drop, err = scratchDatabase(con.ctx, coreConfig{Dir: dir, KeyFile: c.KeyFile}, c.DB.URL); err != nil {
			return nil, nil, fmt.Errorf("an empty database beside the full one: %w", err)
		}
	}
	if u, err = c.start(con, dir, db); err != nil {
		return nil, nil, errors.Join(err, drop())
	}
	if u.registers, err = c.addRegisters(con, u.core, c.Registers); err != nil {
		return nil, nil, errors.Join(err, u.stop(), drop())
	}
	return u, drop, nil
}

// fill stores c.Fill entries of registers that have no part in the load.
func (c *benchLoad) fill(con *console, core *core, dir string, rows bench.Rows) error {
	if c.DB.URL == "" {
		if err := c.room(dir, rows); err != nil {
			return err
		}
	}
	others, err := c.addRows(con, core, min(c.Registers, 2000))
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

// room refuses to fill a disk on which the entries do not fit.
func (c *benchLoad) room(dir string, rows bench.Rows) error {
	const columns = 500 // bytes of an entry besides its frames, indexes included
	var frames int
	for i := range rows.Sample {
		for j := range rows.Sample[i].Entries {
			e := &rows.Sample[i].Entries[j]
			frames += len(e.Request) + len(e.Answer)
		}
	}
	need := c.Fill * uint64(columns+frames/max(len(rows.Sample), 1))
	var fs syscall.Statfs_t
	if err := syscall.Statfs(dir, &fs); err != nil {
		return fmt.Errorf("room for the entries: %w", err)
	}
	if free := fs.Bavail * uint64(fs.Bsize); free < need {
		return withHint(fmt.Errorf("%d entries take about %d MB, %s has %d MB", c.Fill, need>>20, dir, free>>20), "Give --data a larger disk, or --fill less")
	}
	return nil
}

// bare measures a bare insert into a fresh database: a folder, or one beside
// c.DB on its server. It is removed. It has as many registers as the load, up to
// a few thousand.
func (c *benchLoad) bare(con *console, dir string, rows bench.Rows) (perSecond float64, err error) {
	at := coreConfig{Dir: dir, Serve: true}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	if c.DB.URL != "" {
		scratch, drop, err := scratchDatabase(con.ctx, at, c.DB.URL)
		if err != nil {
			return 0, err
		}
		defer func() { err = errors.Join(err, drop()) }()
		at.DB = scratch
	}
	core, err := startCore(con.ctx, at)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, core.stop()) }()
	places, err := c.addRows(con, core, min(c.Registers, 2000))
	if err != nil {
		return 0, err
	}
	return bench.Store(con.ctx, core.store, places, rows, core.store.lines, c.Ceiling)
}
