package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"openofd/internal/fiscal"
	"openofd/internal/journal"
	"openofd/internal/registry"
)

// OutlinesOf is RegistersOf with what lists are chosen and sorted by.
func (db *DB) OutlinesOf(ctx context.Context, t fiscal.TaxpayerID, after fiscal.RegisterID, limit int) (all []registry.Listed, err error) {
	err = db.as(ctx, t, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, inOrder); err != nil { // or it would join all of a network's for each page
			return err
		}
		all, err = query(ctx, tx, outlineRow, `SELECT r.partition, r.id, s.state, c.body, t.at
			FROM registers r JOIN states s ON s.partition = r.partition AND s.register = r.id
			CROSS JOIN LATERAL (SELECT body FROM cards WHERE register = r.id AND partition = r.partition ORDER BY version DESC LIMIT 1) c
			LEFT JOIN contacts t ON t.partition = r.partition AND t.register = r.id
			WHERE r.taxpayer = $1 AND r.id > $2 ORDER BY r.id LIMIT $3`, t, after, max(limit, 0))
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read outlines of registers: %w", err)
	}
	return all, nil
}

func outlineRow(row pgx.CollectableRow) (l registry.Listed, err error) {
	var id fiscal.RegisterID
	var state, body []byte
	var at *int64
	if err := row.Scan(&l.Partition, &id, &state, &body, &at); err != nil {
		return l, err
	}
	if l.State, err = fiscal.ParseStateOutline(state); err == nil {
		l.Card, err = fiscal.ParseCardOutline(body)
	}
	if err != nil {
		return l, &fiscal.Error{Of: fiscal.Corrupt, Field: "registers", Msg: fmt.Sprintf("register %d", id), Err: err}
	}
	if at != nil {
		l.LastContact = &fiscal.Contact{Register: id, Partition: l.Partition, At: journal.Instant(*at)}
	}
	return l, nil
}

// RegistersBySerial lists registers with a factory number, whatever its case.
func (db *DB) RegistersBySerial(ctx context.Context, serial string, limit int) ([]registry.Listed, error) {
	return listed(ctx, db.rest, `WHERE lower(r.serial) = lower($1) AND r.serial <> '' ORDER BY r.id LIMIT $2`, told(serial), max(limit, 0))
}
