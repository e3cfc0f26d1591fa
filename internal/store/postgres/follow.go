package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"openofd/internal/fiscal"
	"openofd/internal/follow"
	"openofd/internal/journal"
)

var _ follow.Store = (*DB)(nil)

// Page reads entries from seq from on, ascending: at most limit of them, and
// none behind the one that fills up bytes of requests and answers. The rows are
// taken one by one, so that no more than that is held here.
func (db *DB) Page(ctx context.Context, p fiscal.Partition, from journal.Seq, limit, bytes int) ([]journal.Entry, error) {
	if err := db.known(p); err != nil {
		return nil, err
	}
	page, err := db.page(ctx, p, from, limit, bytes)
	if err != nil && ctx.Err() == nil && worthAgain(err) {
		page, err = db.page(ctx, p, from, limit, bytes)
	}
	if err != nil {
		return nil, fmt.Errorf("read entries of partition %d from %d on: %w", p, from, named(err))
	}
	return page, nil
}

func (db *DB) page(ctx context.Context, p fiscal.Partition, from journal.Seq, limit, bytes int) (page []journal.Entry, err error) {
	// The inner query looks at lengths alone, which the server knows without
	// reading the payloads.
	rows, err := db.rest.Query(ctx, selectEntry+`WHERE partition = $1 AND seq >= $2 AND seq <= (
			SELECT coalesce(max(seq), 0) FROM (
				SELECT seq, sum(length(request) + length(answer)) OVER (ORDER BY seq) - length(request) - length(answer) AS before
				FROM (SELECT seq, request, answer FROM entries WHERE partition = $1 AND seq >= $2 ORDER BY seq LIMIT $3) e
			) s WHERE before < $4 OR seq = $2)
		ORDER BY seq LIMIT $3`, p, int64(from), max(limit, 0), max(bytes, 1))
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, scanEntry)
}

// Cursors are those of a follower.
func (db *DB) Cursors(ctx context.Context, id follow.ID) (map[fiscal.Partition]follow.Cursor, error) {
	type row struct {
		p fiscal.Partition
		follow.Cursor
	}
	rows, err := query(ctx, db.rest, func(from pgx.CollectableRow) (r row, err error) {
		var seq, moved, failedSeq, failedAt int64
		err = from.Scan(&r.p, &seq, &moved, &failedSeq, &failedAt, &r.Failure.Why)
		r.Seq, r.MovedAt = journal.Seq(seq), journal.Instant(moved)
		r.Failure.Seq, r.Failure.At = journal.Seq(failedSeq), journal.Instant(failedAt)
		return r, err
	}, `SELECT partition, seq, moved_at, failed_seq, failed_at, failure FROM cursors WHERE follower = $1 AND generation = $2`, id.Name, id.Generation)
	if err != nil {
		return nil, fmt.Errorf("read the cursors of %s: %w", id.Name, err)
	}
	all := make(map[fiscal.Partition]follow.Cursor, len(rows))
	for _, r := range rows {
		all[r.p] = r.Cursor
	}
	return all, nil
}

// Move moves a cursor with nothing beside.
func (db *DB) Move(ctx context.Context, m follow.Move) error {
	return db.moveWith(ctx, m, func(pgx.Tx) error { return nil })
}

// moveWith makes a move and what belongs to it one transaction.
func (db *DB) moveWith(ctx context.Context, m follow.Move, beside func(pgx.Tx) error) error {
	err := db.write(ctx, func(tx pgx.Tx) error {
		if err := db.moveCursor(ctx, tx, &m); err != nil {
			return err
		}
		return beside(tx)
	})
	if err != nil {
		return fmt.Errorf("move the cursor of %s in partition %d from %d to %d: %w", m.Name, m.Partition, m.From, m.To, err)
	}
	return nil
}

// errMoved is follow.ErrMoved with the Kind that the doors know.
var errMoved = &fiscal.Error{Of: fiscal.Conflict, Field: "cursors", Err: follow.ErrMoved}

// moveCursor locks the cursor's row until the transaction ends, so that of two
// nodes one waits, and then finds it elsewhere.
func (db *DB) moveCursor(ctx context.Context, tx pgx.Tx, m *follow.Move) error {
	if err := db.known(m.Partition); err != nil {
		return err
	}
	if m.From == 0 {
		if err := beginCursor(ctx, tx, m.ID, m.Partition); err != nil {
			return err
		}
	}
	did, err := tx.Exec(ctx, `UPDATE cursors SET seq = $1, moved_at = $2, failed_seq = 0, failed_at = 0, failure = ''
		WHERE partition = $3 AND follower = $4 AND generation = $5 AND seq = $6`,
		int64(m.To), journal.Micros(m.At), m.Partition, m.Name, m.Generation, int64(m.From))
	if err == nil && did.RowsAffected() != 1 {
		return errMoved
	}
	return err
}

// beginCursor puts a cursor before the first entry, unless it is there.
func beginCursor(ctx context.Context, tx pgx.Tx, id follow.ID, p fiscal.Partition) error {
	_, err := tx.Exec(ctx, `INSERT INTO cursors (partition, follower, generation, seq, moved_at) VALUES ($1, $2, $3, 0, 0) ON CONFLICT DO NOTHING`,
		p, id.Name, id.Generation)
	return err
}

// KeepFailure notes what a follower did not get past.
func (db *DB) KeepFailure(ctx context.Context, id follow.ID, p fiscal.Partition, f follow.Failure) error {
	err := db.known(p)
	if err == nil {
		err = db.write(ctx, func(tx pgx.Tx) error {
			if err := beginCursor(ctx, tx, id, p); err != nil {
				return err
			}
			_, err := tx.Exec(ctx, `UPDATE cursors SET failed_seq = $1, failed_at = $2, failure = $3 WHERE partition = $4 AND follower = $5 AND generation = $6 AND seq < $1`,
				int64(f.Seq), journal.Micros(f.At), told(f.Why), p, id.Name, id.Generation)
			return err
		})
	}
	if err != nil {
		return fmt.Errorf("note the failure of %s: %w", id.Name, err)
	}
	return nil
}

// Lease gives or prolongs a lease that is free, the holder's own, or over.
func (db *DB) Lease(ctx context.Context, id follow.ID, group int, holder string, span time.Duration) (ok bool, err error) {
	err = db.write(ctx, func(tx pgx.Tx) error {
		did, err := tx.Exec(ctx, `INSERT INTO leases AS l (follower, generation, part, holder, until)
			VALUES ($1, $2, $3, $4, clock_timestamp() + $5 * interval '1 microsecond')
			ON CONFLICT (follower, generation, part) DO UPDATE SET holder = excluded.holder, until = excluded.until
			WHERE l.holder = excluded.holder OR l.until < clock_timestamp()`,
			id.Name, id.Generation, group, holder, span.Microseconds())
		ok = err == nil && did.RowsAffected() == 1
		return err
	})
	if err != nil && !errors.Is(err, fiscal.OutcomeUnknown) {
		return false, fmt.Errorf("lease %s: %w", id.Name, err)
	}
	return ok && err == nil, err
}

// Release gives a lease back before its span has ended.
func (db *DB) Release(ctx context.Context, id follow.ID, group int, holder string) error {
	err := db.write(ctx, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, `UPDATE leases SET until = '-infinity' WHERE follower = $1 AND generation = $2 AND part = $3 AND holder = $4`, id.Name, id.Generation, group, holder)
		return err
	})
	if err != nil {
		return fmt.Errorf("give the lease of %s back: %w", id.Name, err)
	}
	return nil
}
