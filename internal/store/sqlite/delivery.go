package sqlite

import (
	"context"
	"fmt"
	"time"

	"openofd/internal/delivery"
	"openofd/internal/fiscal"
	"openofd/internal/follow"
	"openofd/internal/journal"
	"openofd/internal/store/sqlitefile"
)

var _ delivery.Store = (*DB)(nil)

// KeepBatch stores a batch, what of it was parked, and the move.
func (db *DB) KeepBatch(ctx context.Context, m follow.Move, b delivery.Batch) error {
	return db.moveWith(ctx, m, func(tx *sqlitefile.Tx) error {
		if _, err := tx.Exec(`INSERT INTO deliveries (authority, partition, first_seq, last_seq, documents, bytes, parked, sent_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
			b.Authority, int64(m.Partition), int64(m.From+1), int64(m.To), b.Documents, b.Bytes, len(b.Parked), journal.Micros(m.At)); err != nil {
			return err
		}
		for i := range b.Parked {
			p := &b.Parked[i]
			if _, err := tx.Exec(`INSERT INTO parked (authority, partition, seq, register, number, document, reason, detail, parked_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
				b.Authority, int64(m.Partition), int64(p.Seq), int64(p.Place.Register), int64(p.Number), p.Document, string(p.Reason), p.Detail, journal.Micros(p.At)); err != nil {
				return err
			}
		}
		return nil
	})
}

// ForgetBatches removes records of batches whose term is over, oldest first.
func (db *DB) ForgetBatches(ctx context.Context, authority string, p fiscal.Partition, before time.Time, most int) (n int, err error) {
	err = db.main.Write(ctx, func(tx *sqlitefile.Tx) error {
		did, err := tx.Exec(`DELETE FROM deliveries WHERE sent_at < ?4 AND rowid IN
			(SELECT rowid FROM deliveries WHERE authority = ?1 AND partition = ?2 ORDER BY first_seq LIMIT ?3)`,
			authority, int64(p), max(most, 0), journal.Micros(before))
		n = int(did)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("remove records of batches: %w", err)
	}
	return n, nil
}

const selectParked = `SELECT id, authority, partition, seq, register, number, document, reason, detail, parked_at, tries, tried_at, settled_at FROM parked `

// Waiting are parked documents that wait, oldest first, behind an ID.
func (db *DB) Waiting(ctx context.Context, authority string, after int64, limit int) (all []delivery.Parked, err error) {
	err = db.main.Read(ctx, func(tx *sqlitefile.Tx) (err error) {
		all, err = parkedRows(tx, selectParked+`WHERE authority = ? AND settled_at = 0 AND id > ? ORDER BY id LIMIT ?`, authority, after, max(limit, 0))
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read parked documents: %w", err)
	}
	return all, nil
}

// CountWaiting is how many wait.
func (db *DB) CountWaiting(ctx context.Context, authority string) (n int64, err error) {
	err = db.main.Read(ctx, func(tx *sqlitefile.Tx) (err error) {
		n, _, err = tx.QueryInt(`SELECT count(*) FROM parked WHERE authority = ? AND settled_at = 0`, authority)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("count parked documents: %w", err)
	}
	return n, nil
}

// ParkedDocument is one of them, settled or not.
func (db *DB) ParkedDocument(ctx context.Context, id int64) (p delivery.Parked, err error) {
	var all []delivery.Parked
	err = db.main.Read(ctx, func(tx *sqlitefile.Tx) (err error) {
		all, err = parkedRows(tx, selectParked+`WHERE id = ?`, id)
		return err
	})
	if err == nil && len(all) == 0 {
		err = missing("no parked document %d", id)
	}
	if err != nil {
		return p, fmt.Errorf("read parked document %d: %w", id, err)
	}
	return all[0], nil
}

func parkedRows(tx *sqlitefile.Tx, query string, args ...any) (all []delivery.Parked, err error) {
	s, err := tx.Query(query, args...)
	if err != nil {
		return nil, err
	}
	for s.Next() {
		all = append(all, delivery.Parked{
			ID: s.Int(0), Authority: s.Text(1), Place: fiscal.Place{Partition: fiscal.Partition(s.Int(2)), Register: fiscal.RegisterID(s.Int(4))},
			Seq: journal.Seq(s.Int(3)), Number: fiscal.Number(s.Int(5)), Document: s.Text(6), Reason: delivery.Reason(s.Text(7)), Detail: s.Text(8),
			At: journal.Instant(s.Int(9)), Tries: int(s.Int(10)), TriedAt: journal.Instant(s.Int(11)), Settled: journal.Instant(s.Int(12)),
		})
	}
	return all, s.Close()
}

// KeepTry stores what became of a parked document that was tried again.
func (db *DB) KeepTry(ctx context.Context, p delivery.Parked) error {
	err := db.main.Write(ctx, func(tx *sqlitefile.Tx) error {
		n, err := tx.Exec(`UPDATE parked SET document = ?, reason = ?, detail = ?, tries = ?, tried_at = ?, settled_at = ? WHERE id = ? AND settled_at = 0`,
			p.Document, string(p.Reason), p.Detail, p.Tries, journal.Micros(p.TriedAt), journal.Micros(p.Settled), p.ID)
		if err == nil && n != 1 {
			err = &fiscal.Error{Reason: fiscal.AlreadyThere, Msg: fmt.Sprintf("document %d was settled meanwhile, or is not there", p.ID)}
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("store the try: %w", err)
	}
	return nil
}
