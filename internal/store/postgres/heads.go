package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"openofd/internal/fiscal"
	"openofd/internal/journal"
)

// Heads are the ends of all partitions.
func (db *DB) Heads(ctx context.Context) (map[fiscal.Partition]journal.Head, error) {
	type row struct {
		p fiscal.Partition
		h journal.Head
	}
	all, err := query(ctx, db.rest, func(r pgx.CollectableRow) (v row, err error) {
		var seq int64
		var chain []byte
		if err = r.Scan(&v.p, &seq, &v.h.Month, &chain); err == nil && copy(v.h.Chain[:], chain) != len(v.h.Chain) {
			err = &fiscal.Error{Of: fiscal.Corrupt, Field: "heads", Msg: fmt.Sprintf("the head of partition %d is cut", v.p)}
		}
		v.h.Seq = journal.Seq(seq)
		return v, err
	}, `SELECT partition, seq, month, chain FROM heads`)
	if err != nil {
		return nil, fmt.Errorf("read the heads: %w", err)
	}
	heads := make(map[fiscal.Partition]journal.Head, len(all))
	for _, v := range all {
		heads[v.p] = v.h
	}
	return heads, nil
}

// Fence makes a real write to the head durable, behind whatever holds its lock.
// What an unknown COMMIT left on its way has then either come through or never
// will: its transaction held that lock.
//
// An unknown outcome of the fence itself is an error like any other; the caller
// repeats it.
func (db *DB) Fence(ctx context.Context, p fiscal.Partition) (h journal.Head, err error) {
	if err := db.known(p); err != nil {
		return h, err
	}
	conn, err := db.acquire(ctx)
	if err != nil {
		return h, fmt.Errorf("fence: %w", named(err))
	}
	defer conn.Release()
	w := &talk{db: db, conn: conn}
	var o out
	o.plain("begin")
	o.bind("fence", 1)
	o.int4(int32(p))
	o.execute()
	o.plain("commit")
	found := false
	deadline := time.Now().Add(fencePatience)
	if d, ok := ctx.Deadline(); ok && d.Before(deadline) {
		deadline = d
	}
	if err := w.fence(&o, deadline, func(_ int, f [][]byte) error {
		found = true
		return readHead(&h, f)
	}); err != nil {
		return journal.Head{}, fmt.Errorf("fence: %w", err)
	}
	if !found {
		return h, &fiscal.Error{Of: fiscal.Corrupt, Field: "heads", Msg: fmt.Sprintf("the head of partition %d is missing", p)}
	}
	return h, nil
}

// fencePatience is how long a fence waits for its COMMIT; it may be repeated.
const fencePatience = 15 * time.Second

func (w *talk) fence(o *out, deadline time.Time, row func(int, [][]byte) error) error {
	a, _, err := roundTrip(w.conn.Conn().PgConn(), o, deadline, row)
	switch {
	case errors.Is(err, errLost):
		w.hangUp()
		return named(err)
	case a.err != nil:
		return w.abandon(a.err)
	case err != nil:
		return err
	case a.tag != "COMMIT" || a.warned != "":
		return unknown("the fence is not durable: "+a.warned, nil)
	}
	return nil
}
