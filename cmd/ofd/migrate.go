package main

import (
	"errors"
	"fmt"
	"io"
	"strconv"

	"openofd/internal/fiscal"
	"openofd/internal/store/sqlite"
)

type migrateCmd struct {
	Status migrateStatusCmd `cmd:"" help:"How far the database is migrated."`
	Up     migrateUpCmd     `cmd:"" help:"Migrate it. The server does so by itself when it starts."`
}

type migrateStatusCmd struct{ place }

func (c *migrateStatusCmd) Run(con *console) error {
	all, err := sqlite.Schemas(c.Data)
	if err != nil {
		return fmt.Errorf("read the schema: %w", err)
	}
	return con.result(all, func(w io.Writer) { schemas(con, w, all) })
}

// schemas prints a line for each file and what to do next.
func schemas(con *console, w io.Writer, all []sqlite.Schema) {
	var rows [][]string
	next := ""
	for _, s := range all {
		state := "up to date"
		switch {
		case s.Has == 0:
			state = "not made yet"
			next = "The first start of `ofd serve` makes it."
		case s.Has < s.Needs:
			state = "older than this program"
			next = "Stop the server, take a backup, then start it with this program or run `ofd migrate up`."
		case s.Has > s.Needs:
			state = "newer than this program"
			next = "Use the newer program."
		}
		rows = append(rows, []string{s.File, strconv.FormatInt(s.Has, 10), strconv.FormatInt(s.Needs, 10), state})
	}
	table(w, []string{"FILE", "HAS", "NEEDS", "STATE"}, rows)
	if next != "" {
		con.hint("%s", next)
	}
}

type migrateUpCmd struct{ place }

func (c *migrateUpCmd) Run(con *console) error {
	store, err := sqlite.Open(con.ctx, sqlite.Options{
		Dir: c.Data, Serve: true, // nobody else may be at it meanwhile
		Progress: func(done, total int, name string) { con.say("%d of %d: %s", done+1, total, name) },
	})
	if errors.Is(err, fiscal.Conflict) {
		return withHint(err, "Stop the server first; when it starts again it migrates by itself")
	}
	if err != nil {
		return err
	}
	if err := store.Close(); err != nil {
		return err
	}
	all, err := sqlite.Schemas(c.Data)
	if err != nil {
		return fmt.Errorf("read the schema: %w", err)
	}
	return con.result(all, func(w io.Writer) { schemas(con, w, all) })
}
