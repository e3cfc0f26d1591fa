package main

import (
	"errors"
	"fmt"
	"io"
	"strconv"

	"openofd/internal/config"
	"openofd/internal/fiscal"
	"openofd/internal/store/postgres"
	"openofd/internal/store/sqlite"
)

type migrateCmd struct {
	Status migrateStatusCmd `cmd:"" help:"How far the database is migrated."`
	Up     migrateUpCmd     `cmd:"" help:"Migrate it. The embedded one migrates by itself when a server starts."`
}

type migrateStatusCmd struct{ place }

func (c *migrateStatusCmd) Run(con *console) error {
	return showSchemas(con, c.place)
}

// showSchemas prints how far each file, or the server's database, is migrated
// and what to do next.
func showSchemas(con *console, at place) error {
	if at.DB.URL == "" {
		all, err := sqlite.Schemas(at.Data)
		if err != nil {
			return fmt.Errorf("read the schema: %w", err)
		}
		return con.result(all, func(w io.Writer) {
			rows, next := make([][]string, len(all)), ""
			for i, s := range all {
				var state string
				state, next = schemaState(s.Has, s.Needs, at.DB)
				rows[i] = []string{s.File, strconv.FormatInt(s.Has, 10), strconv.FormatInt(s.Needs, 10), state}
			}
			table(w, []string{"FILE", "HAS", "NEEDS", "STATE"}, rows)
			nextStep(con, next)
		})
	}
	all, err := postgres.Schemas(con.ctx, at.DB.URL)
	if err != nil {
		return advise(err)
	}
	return con.result(all, func(w io.Writer) {
		rows, next := make([][]string, len(all)), ""
		for i, s := range all {
			var state string
			state, next = schemaState(s.Has, s.Needs, at.DB)
			if s.Citus {
				state += ", distributed"
			}
			rows[i] = []string{s.Database, strconv.FormatInt(s.Has, 10), strconv.FormatInt(s.Needs, 10), state}
		}
		table(w, []string{"DATABASE", "HAS", "NEEDS", "STATE"}, rows)
		nextStep(con, next)
	})
}

func nextStep(con *console, next string) {
	if next != "" {
		con.hint("%s", next)
	}
}

// schemaState words what is wrong with a schema and what to do next.
func schemaState(has, needs int64, db config.DB) (state, next string) {
	switch {
	case has == 0 && db.URL == "":
		return "not made yet", "The first start of `ofd serve` makes it."
	case has == 0:
		return "not made yet", "`ofd migrate up --db …` makes it."
	case has < needs && db.URL == "":
		return "older than this program", "Stop the server, take a backup, then start it with this program or run `ofd migrate up`."
	case has < needs:
		return "older than this program", "Take a backup, then run `ofd migrate up --db …` with this program."
	case has > needs:
		return "newer than this program", "Use the newer program."
	}
	return "up to date", ""
}

type migrateUpCmd struct {
	place
	Citus bool `help:"Distribute the tables over the workers; the database must have the extension."`
}

func (c *migrateUpCmd) Run(con *console) error {
	step := func(done, total int, name string) { con.say("%d of %d: %s", done+1, total, name) }
	if err := c.migrate(con, step); err != nil {
		return err
	}
	return showSchemas(con, c.place)
}

func (c *migrateUpCmd) migrate(con *console, step func(done, total int, name string)) error {
	if c.DB.URL != "" {
		return migrateServer(con.ctx, coreConfig{Dir: c.Data, DB: c.DB.URL, KeyFile: c.KeyFile}, c.Citus, step)
	}
	if c.Citus {
		return withHint(errors.New("--citus is for a database server"), "Give --db postgres://…")
	}
	store, err := sqlite.Open(con.ctx, sqlite.Options{Dir: c.Data, Serve: true /* nobody else may be at it meanwhile */, Progress: step})
	if errors.Is(err, fiscal.Conflict) {
		return withHint(err, "Stop the server first; when it starts again it migrates by itself")
	}
	if err != nil {
		return err
	}
	return store.Close()
}
