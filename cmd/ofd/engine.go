package main

import (
	"context"
	"errors"

	"openofd/internal/cabinet"
	"openofd/internal/intake"
	"openofd/internal/journal"
	"openofd/internal/keyring"
	"openofd/internal/registry"
	"openofd/internal/store/sqlite"
)

// engine is what this program asks of a database.
type engine interface {
	journal.Store
	intake.Store
	registry.Store
	keyring.Store
	Close() error
}

// database is an opened engine, and what each of them is like to use.
type database struct {
	engine
	name   string                      // as reports name it
	lines  int                         // committers that share its partitions
	public cabinet.Store               // what the buyer's check reads, with the least rights
	ready  func(context.Context) error // nil when it can take documents now
	tend   func(context.Context)       // what it does beside acceptance, until ctx ends
}

// openDatabase opens the engine that an installation lives in: the server that
// cfg names, or the embedded one in its folder.
func openDatabase(ctx context.Context, cfg *coreConfig) (database, error) {
	if cfg.DB == "" {
		db, err := sqlite.Open(ctx, sqlite.Options{Dir: cfg.Dir, Log: cfg.Log, Serve: cfg.Serve, Now: cfg.Now})
		if err != nil {
			return database{}, err
		}
		return database{
			engine: db, name: "sqlite", lines: 1, public: db,
			ready: func(ctx context.Context) error {
				_, err := db.Heads(ctx)
				return err
			},
			tend: func(context.Context) {},
		}, nil
	}
	return database{}, withHint(errors.New("this build cannot use a database server"), "Leave --db out: the embedded database lives in --data")
}

// scratchDatabase is what postgres brings.
func scratchDatabase(context.Context, coreConfig, string) (string, func() error, error) {
	return "", nil, errors.New("this build cannot use a database server")
}
