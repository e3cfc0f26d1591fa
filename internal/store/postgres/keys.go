package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"openofd/internal/fiscal"
	"openofd/internal/journal"
	"openofd/internal/keyring"
)

// Keys reads all rows, by ID.
func (db *DB) Keys(ctx context.Context) ([]keyring.Row, error) {
	all, err := query(ctx, db.rest, func(row pgx.CollectableRow) (k keyring.Row, err error) {
		var purpose string
		var from, created int64
		err = row.Scan(&k.ID, &purpose, &from, &k.Sealed, &created)
		k.Purpose, k.Created = fiscal.KeyPurpose(purpose), journal.Instant(created)
		k.From = time.UnixMicro(from).UTC() // 1970 is an instant here: the first keys hold from it
		return k, err
	}, `SELECT id, purpose, valid_from, sealed, created FROM keys ORDER BY id`)
	if err != nil {
		return nil, fmt.Errorf("read keys: %w", err)
	}
	return all, nil
}

// NextKeyID is the ID the next row will have.
func (db *DB) NextKeyID(ctx context.Context) (fiscal.KeyID, error) {
	id, _, err := one[fiscal.KeyID](ctx, db.rest, `SELECT coalesce(max(id), 0) + 1 FROM keys`)
	return id, err
}

// AddKey stores a row with the ID it names; AlreadyThere if taken.
func (db *DB) AddKey(ctx context.Context, r keyring.Row) error {
	err := db.write(ctx, func(tx pgx.Tx) error {
		done, err := tx.Exec(ctx, `INSERT INTO keys (id, purpose, valid_from, sealed, created) VALUES ($1, $2, $3, $4, $5) ON CONFLICT (id) DO NOTHING`,
			r.ID, string(r.Purpose), r.From.UnixMicro(), r.Sealed, journal.Micros(r.Created))
		if err == nil && done.RowsAffected() == 0 {
			return taken("key")
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("add key %d: %w", r.ID, err)
	}
	return nil
}
