package sqlite

import (
	"context"
	"fmt"
	"time"

	"openofd/internal/fiscal"
	"openofd/internal/journal"
	"openofd/internal/keyring"
	"openofd/internal/store/sqlitefile"
)

// Keys reads all rows, by ID.
func (db *DB) Keys(ctx context.Context) (all []keyring.Row, err error) {
	err = db.main.Read(ctx, func(tx *sqlitefile.Tx) error {
		s, err := tx.Query(`SELECT id, purpose, valid_from, sealed, created FROM keys ORDER BY id`)
		if err != nil {
			return err
		}
		for s.Next() {
			all = append(all, keyring.Row{
				ID: fiscal.KeyID(s.Int(0)), Purpose: fiscal.KeyPurpose(s.Text(1)),
				From:   time.UnixMicro(s.Int(2)).UTC(), // 1970 is an instant here: the first keys hold from it
				Sealed: s.Bytes(3), Created: journal.Instant(s.Int(4)),
			})
		}
		return s.Close()
	})
	if err != nil {
		return nil, fmt.Errorf("read keys: %w", err)
	}
	return all, nil
}

const nextKey = `SELECT coalesce(max(id), 0) + 1 FROM keys`

// NextKeyID is the ID the next row will have.
func (db *DB) NextKeyID(ctx context.Context) (id fiscal.KeyID, err error) {
	err = db.main.Read(ctx, func(tx *sqlitefile.Tx) error {
		next, _, err := tx.QueryInt(nextKey)
		id = fiscal.KeyID(next)
		return err
	})
	return id, err
}

// AddKey stores a row with the ID it names; AlreadyThere if taken.
func (db *DB) AddKey(ctx context.Context, r keyring.Row) error {
	err := db.main.Write(ctx, func(tx *sqlitefile.Tx) error {
		_, err := tx.Exec(`INSERT INTO keys (id, purpose, valid_from, sealed, created) VALUES (?, ?, ?, ?, ?)`,
			int64(r.ID), string(r.Purpose), r.From.UnixMicro(), r.Sealed, journal.Micros(r.Created))
		if sqlitefile.Taken(err) {
			return taken("key")
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("add key %d: %w", r.ID, err)
	}
	return nil
}
