package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"openofd/internal/delivery"
	"openofd/internal/fiscal"
	"openofd/internal/follow"
	"openofd/internal/journal"
)

var _ delivery.Store = (*DB)(nil)

// KeepBatch stores a batch, what of it was parked, and the move.
func (db *DB) KeepBatch(ctx context.Context, m follow.Move, b delivery.Batch) error {
	return db.moveWith(ctx, m, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `INSERT INTO deliveries (authority, partition, first_seq, last_seq, documents, bytes, parked, sent_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
			b.Authority, m.Partition, int64(m.From+1), int64(m.To), b.Documents, b.Bytes, len(b.Parked), journal.Micros(m.At)); err != nil {
			return err
		}
		for i := range b.Parked {
			p := &b.Parked[i]
			if _, err := tx.Exec(ctx, `INSERT INTO parked (authority, partition, seq, register, number, document, reason, detail, parked_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
				b.Authority, m.Partition, int64(p.Seq), p.Place.Register, int64(p.Number), told(p.Document), string(p.Reason), told(p.Detail), journal.Micros(p.At)); err != nil {
				return err
			}
		}
		return nil
	})
}

// ForgetBatches removes records of batches whose term is over, oldest first.
func (db *DB) ForgetBatches(ctx context.Context, authority string, p fiscal.Partition, before time.Time, most int) (n int, err error) {
	err = db.write(ctx, func(tx pgx.Tx) error {
		did, err := tx.Exec(ctx, `DELETE FROM deliveries WHERE partition = $2 AND authority = $1 AND sent_at < $4 AND first_seq IN
			(SELECT first_seq FROM deliveries WHERE partition = $2 AND authority = $1 ORDER BY first_seq LIMIT $3)`,
			authority, p, max(most, 0), journal.Micros(before))
		n = int(did.RowsAffected())
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("remove records of batches: %w", err)
	}
	return n, nil
}

const selectParked = `SELECT id, authority, partition, seq, register, number, document, reason, detail, parked_at, tries, tried_at, settled_at FROM parked `

func scanParked(row pgx.CollectableRow) (p delivery.Parked, err error) {
	var seq, number, at, tried, settled int64
	var reason string
	err = row.Scan(&p.ID, &p.Authority, &p.Place.Partition, &seq, &p.Place.Register, &number, &p.Document, &reason, &p.Detail, &at, &p.Tries, &tried, &settled)
	p.Seq, p.Number, p.Reason = journal.Seq(seq), fiscal.Number(number), delivery.Reason(reason)
	p.At, p.TriedAt, p.Settled = journal.Instant(at), journal.Instant(tried), journal.Instant(settled)
	return p, err
}

// Waiting are parked documents that wait, oldest first, behind an ID.
func (db *DB) Waiting(ctx context.Context, authority string, after int64, limit int) ([]delivery.Parked, error) {
	all, err := query(ctx, db.rest, scanParked, selectParked+`WHERE authority = $1 AND settled_at = 0 AND id > $2 ORDER BY id LIMIT $3`, authority, after, max(limit, 0))
	if err != nil {
		return nil, fmt.Errorf("read parked documents: %w", err)
	}
	return all, nil
}

// CountWaiting is how many wait.
func (db *DB) CountWaiting(ctx context.Context, authority string) (int64, error) {
	n, _, err := one[int64](ctx, db.rest, `SELECT count(*) FROM parked WHERE authority = $1 AND settled_at = 0`, authority)
	if err != nil {
		return 0, fmt.Errorf("count parked documents: %w", err)
	}
	return n, nil
}

// ParkedDocument is one of them, settled or not.
func (db *DB) ParkedDocument(ctx context.Context, id int64) (delivery.Parked, error) {
	all, err := query(ctx, db.rest, scanParked, selectParked+`WHERE id = $1`, id)
	if err == nil && len(all) == 0 {
		err = missing("no parked document %d", id)
	}
	if err != nil {
		return delivery.Parked{}, fmt.Errorf("read parked document %d: %w", id, err)
	}
	return all[0], nil
}

// KeepTry stores what became of a parked document that was tried again.
func (db *DB) KeepTry(ctx context.Context, p delivery.Parked) error {
	err := db.write(ctx, func(tx pgx.Tx) error {
		did, err := tx.Exec(ctx, `UPDATE parked SET document = $1, reason = $2, detail = $3, tries = $4, tried_at = $5, settled_at = $6 WHERE partition = $7 AND id = $8 AND settled_at = 0`,
			told(p.Document), string(p.Reason), told(p.Detail), p.Tries, journal.Micros(p.TriedAt), journal.Micros(p.Settled), p.Place.Partition, p.ID)
		if err == nil && did.RowsAffected() != 1 {
			err = &fiscal.Error{Reason: fiscal.AlreadyThere, Msg: fmt.Sprintf("document %d was settled meanwhile, or is not there", p.ID)}
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("store the try: %w", err)
	}
	return nil
}
