package sqlite

import (
	"context"
	"fmt"
	"time"

	"openofd/internal/fiscal"
	"openofd/internal/follow"
	"openofd/internal/journal"
	"openofd/internal/store/sqlitefile"
)

var _ follow.Store = (*DB)(nil)

// fileOf is where a follower's tables and cursors lie: facts beside the
// journal, what can be made again in a file of its own.
func (db *DB) fileOf(id follow.ID) *sqlitefile.File {
	if id.Facts {
		return db.main
	}
	return db.cabinet
}

// Page reads entries from seq from on, ascending: at most limit of them, and
// none behind the one that fills up bytes of requests and answers.
func (db *DB) Page(ctx context.Context, p fiscal.Partition, from journal.Seq, limit, bytes int) (page []journal.Entry, err error) {
	if err := known(p); err != nil {
		return nil, err
	}
	err = db.main.Read(ctx, func(tx *sqlitefile.Tx) error {
		s, err := tx.Query(selectEntry+`WHERE seq >= ?`+present+`ORDER BY seq LIMIT ?`, int64(from), max(limit, 0))
		if err != nil {
			return err
		}
		for size := 0; (len(page) == 0 || size < bytes) && s.Next(); {
			page = append(page, journal.Entry{})
			e := &page[len(page)-1]
			if err := scanEntry(s, e); err != nil {
				return err
			}
			size += len(e.Request) + len(e.Answer)
		}
		return s.Close()
	})
	if err != nil {
		return nil, fmt.Errorf("read entries from %d on: %w", from, err)
	}
	return page, nil
}

// Cursors are those of a follower.
func (db *DB) Cursors(ctx context.Context, id follow.ID) (map[fiscal.Partition]follow.Cursor, error) {
	all := make(map[fiscal.Partition]follow.Cursor)
	err := db.fileOf(id).Read(ctx, func(tx *sqlitefile.Tx) error {
		s, err := tx.Query(`SELECT partition, seq, moved_at, failed_seq, failed_at, failure FROM cursors WHERE follower = ? AND generation = ?`, id.Name, id.Generation)
		if err != nil {
			return err
		}
		for s.Next() {
			all[fiscal.Partition(s.Int(0))] = follow.Cursor{
				Seq: journal.Seq(s.Int(1)), MovedAt: journal.Instant(s.Int(2)),
				Failure: follow.Failure{Seq: journal.Seq(s.Int(3)), At: journal.Instant(s.Int(4)), Why: s.Text(5)},
			}
		}
		return s.Close()
	})
	if err != nil {
		return nil, fmt.Errorf("read the cursors of %s: %w", id.Name, err)
	}
	return all, nil
}

// Move moves a cursor with nothing beside.
func (db *DB) Move(ctx context.Context, m follow.Move) error {
	return db.moveWith(ctx, m, func(*sqlitefile.Tx) error { return nil })
}

// moveWith makes a move and what belongs to it one transaction.
func (db *DB) moveWith(ctx context.Context, m follow.Move, beside func(*sqlitefile.Tx) error) error {
	err := db.fileOf(m.ID).Write(ctx, func(tx *sqlitefile.Tx) error {
		if err := moveCursor(tx, &m); err != nil {
			return err
		}
		return beside(tx)
	})
	if err != nil {
		return fmt.Errorf("move the cursor of %s from %d to %d: %w", m.Name, m.From, m.To, err)
	}
	return nil
}

func moveCursor(tx *sqlitefile.Tx, m *follow.Move) error {
	if err := known(m.Partition); err != nil {
		return err
	}
	if m.From == 0 {
		if err := beginCursor(tx, m.ID, m.Partition); err != nil {
			return err
		}
	}
	n, err := tx.Exec(`UPDATE cursors SET seq = ?, moved_at = ?, failed_seq = 0, failed_at = 0, failure = ''
		WHERE follower = ? AND generation = ? AND partition = ? AND seq = ?`,
		int64(m.To), journal.Micros(m.At), m.Name, m.Generation, int64(m.Partition), int64(m.From))
	if err == nil && n != 1 {
		err = follow.ErrMoved
	}
	return err
}

// beginCursor puts a cursor before the first entry, unless it is there.
func beginCursor(tx *sqlitefile.Tx, id follow.ID, p fiscal.Partition) error {
	_, err := tx.Exec(`INSERT INTO cursors (follower, generation, partition, seq, moved_at) VALUES (?, ?, ?, 0, 0) ON CONFLICT DO NOTHING`,
		id.Name, id.Generation, int64(p))
	return err
}

// KeepFailure notes what a follower did not get past.
func (db *DB) KeepFailure(ctx context.Context, id follow.ID, p fiscal.Partition, f follow.Failure) error {
	err := db.fileOf(id).Write(ctx, func(tx *sqlitefile.Tx) error {
		if err := known(p); err != nil {
			return err
		}
		if err := beginCursor(tx, id, p); err != nil {
			return err
		}
		_, err := tx.Exec(`UPDATE cursors SET failed_seq = ?, failed_at = ?, failure = ? WHERE follower = ? AND generation = ? AND partition = ? AND seq < ?`,
			int64(f.Seq), journal.Micros(f.At), f.Why, id.Name, id.Generation, int64(p), int64(f.Seq))
		return err
	})
	if err != nil {
		return fmt.Errorf("note the failure of %s: %w", id.Name, err)
	}
	return nil
}

// Lease is the folder's lock: who serves it is the one process that follows.
func (db *DB) Lease(_ context.Context, _ follow.ID, _ int, _ string, _ time.Duration) (bool, error) {
	return db.lock != nil, nil
}

// Release has nothing to give back before the lock.
func (db *DB) Release(context.Context, follow.ID, int, string) error { return nil }
