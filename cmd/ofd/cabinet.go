package main

import (
	"context"
	"fmt"
	"io"
	"sync"
	"time"

	"openofd/internal/cabinet"
	"openofd/internal/follow"
	"openofd/internal/store/postgres"
	"openofd/internal/store/sqlite"
)

// freshness tells how far the cabinet's tables are behind the journal. It looks
// at most once in a while, however many pages ask.
type freshness struct {
	store follow.Store
	now   func() time.Time

	mu     sync.Mutex
	looked time.Time // guarded by mu
	asOf   time.Time // guarded by mu; zero: they are up to date
}

// lookEvery is how old an answer may be.
const lookEvery = 2 * time.Second

// AsOf is when the first document came that the tables lack; zero if they lack
// none.
func (f *freshness) AsOf(ctx context.Context) (time.Time, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	now := f.now()
	if !f.looked.IsZero() && now.Sub(f.looked) < lookEvery {
		return f.asOf, nil
	}
	s, err := follow.Stands(ctx, f.store, cabinet.FollowerID())
	if err != nil {
		return time.Time{}, fmt.Errorf("how far the cabinet is behind: %w", err)
	}
	f.looked, f.asOf = now, s.Oldest
	return f.asOf, nil
}

type rebuildCmd struct {
	Cabinet rebuildCabinetCmd `cmd:"" help:"Empty the tables of the cabinet. Whoever serves fills them anew from the journal."`
}

type rebuildCabinetCmd struct{ place }

// Run empties the tables and puts the cursors back to the beginning, in one
// transaction: a server beside it sees its cursor gone and begins anew.
func (c *rebuildCabinetCmd) Run(con *console) error {
	core, err := openCore(con, c.place)
	if err != nil {
		return err
	}
	heads, err := core.store.Heads(con.ctx)
	if err != nil {
		return err
	}
	var entries uint64
	for _, h := range heads {
		entries += uint64(h.Seq)
	}
	if c.DB.URL != "" {
		err = postgres.DropCabinet(con.ctx, c.DB.URL)
	} else if db, ok := core.store.engine.(*sqlite.DB); ok {
		err = db.DropCabinet(con.ctx)
	}
	if err != nil {
		return err
	}
	return con.result(struct {
		Entries uint64 `json:"entries"`
	}{entries}, func(w io.Writer) {
		fmt.Fprintf(w, "The cabinet's tables are empty; a server fills them from %d entries.\n", entries)
	})
}
