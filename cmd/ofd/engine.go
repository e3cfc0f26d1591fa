package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"

	"openofd/internal/access"
	"openofd/internal/cabinet"
	"openofd/internal/delivery"
	"openofd/internal/fiscal"
	"openofd/internal/follow"
	"openofd/internal/intake"
	"openofd/internal/journal"
	"openofd/internal/keyring"
	"openofd/internal/registry"
	"openofd/internal/store/postgres"
	"openofd/internal/store/sqlite"
)

// engine is what this program asks of a database.
type engine interface {
	journal.Store
	journal.SegmentStore
	intake.Store
	registry.OfficeStore
	keyring.Store
	follow.Store
	delivery.Store
	delivery.CourierStore
	registry.ContractFeed
	delivery.ReportStore
	access.Store
	cabinet.Tables
	Close() error
}

// database is an opened engine, and what each of them is like to use.
type database struct {
	engine
	name   string                      // as reports name it
	lines  int                         // committers that share its partitions
	groups int                         // in which its partitions are followed
	public cabinet.Store               // what the buyer's check reads, with the least rights
	shelf  cabinet.Shelf               // what the cabinet reads, of one taxpayer at a time
	check  func(context.Context) error // nil when it is reached and can be written to
	tend   func(context.Context)       // what it does beside acceptance, until ctx ends
}

// writers is how many batches a node of a PostgreSQL installation makes durable
// at once. More of them make smaller batches, and a batch costs the server
// nearly the same whatever is in it: on two cores two of them carry a fifth
// more than four.
func writers() int { return min(max(runtime.GOMAXPROCS(0), 2), 4) }

// followGroups is in how many groups the partitions of a PostgreSQL
// installation are followed: so many nodes can share a follower, and so many
// pages of it are on their way at once. It is the same on all nodes.
const followGroups = 4

// openDatabase opens the engine that an installation lives in: the server that
// cfg names, or the embedded one in its folder.
func openDatabase(ctx context.Context, cfg *coreConfig) (database, error) {
	if cfg.DB == "" {
		db, err := sqlite.Open(ctx, sqlite.Options{Dir: cfg.Dir, Log: cfg.Log, Serve: cfg.Serve, Now: cfg.Now})
		if err != nil {
			return database{}, err
		}
		return database{
			engine: db, name: "sqlite", lines: 1, groups: 1, public: db, shelf: db,
			check: func(ctx context.Context) error {
				_, err := db.Heads(ctx)
				return err
			},
			tend: func(context.Context) {},
		}, nil
	}
	db, err := postgres.Open(ctx, postgres.Options{URL: cfg.DB, Committers: writers(), Log: cfg.Log, Now: cfg.Now})
	if err != nil {
		return database{}, advise(err)
	}
	d := database{engine: db, name: "postgres", lines: writers(), groups: followGroups, public: db.Public(), shelf: db.Public(), check: db.Check, tend: db.Run}
	if db.PerPartition() {
		if d.lines, err = db.Partitions(ctx); err != nil {
			return database{}, errors.Join(err, db.Close())
		}
	}
	return d, nil
}

// advise adds what a person can do about a database server that is not fit to
// be used.
func advise(err error) error {
	var e *fiscal.Error
	switch {
	case errors.As(err, &e) && e.Field == "schema":
		return withHint(err, "`ofd migrate status --db …` tells how far it is")
	case errors.Is(err, fiscal.StoreDown):
		return withHint(err, "Is the server running, and does --db name it? psql with the same address tells more")
	}
	return err
}

// migrateServer brings a database server up to date and gives a new
// installation its keys, so that all nodes find one set.
func migrateServer(ctx context.Context, cfg coreConfig, citus bool, progress func(done, total int, name string)) error {
	cfg.fill()
	if err := postgres.Migrate(ctx, postgres.MigrateOptions{URL: cfg.DB, Citus: citus, Progress: progress, Log: cfg.Log}); err != nil {
		return advise(err)
	}
	db, err := openDatabase(ctx, &cfg)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(cfg.Dir, 0o700); err != nil {
		return errors.Join(fmt.Errorf("folder of the master key: %w", err), db.Close())
	}
	_, err = keyring.Open(ctx, db, cfg.KeyFile, true, cfg.Now, cfg.Rand)
	return errors.Join(err, db.Close())
}

// scratchDatabase makes an empty installation beside the one that url names,
// with the key file of at. drop removes it.
func scratchDatabase(ctx context.Context, at coreConfig, url string) (scratch string, drop func() error, err error) {
	scratch, remove, err := postgres.Scratch(ctx, url)
	if err != nil {
		return "", nil, withHint(err, "Leave the bare insert out with --ceiling 0")
	}
	drop = func() error { return remove(context.WithoutCancel(ctx)) }
	at.DB = scratch
	if err := migrateServer(ctx, at, false, nil); err != nil {
		return "", nil, errors.Join(err, drop())
	}
	return scratch, drop, nil
}
