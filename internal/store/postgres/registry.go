package postgres

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/jackc/pgx/v5"

	"openofd/internal/fiscal"
	"openofd/internal/registry"
)

// AddTaxpayer stores a new taxpayer and sets its ID; AlreadyThere if the
// country has one with this XIN.
func (db *DB) AddTaxpayer(ctx context.Context, t *registry.Taxpayer) error {
	if err := db.known(t.Partition); err != nil {
		return err
	}
	made := *t
	err := db.write(ctx, func(tx pgx.Tx) error {
		id, err := nextID(ctx, tx, "taxpayers")
		if err != nil {
			return err
		}
		made.ID = fiscal.TaxpayerID(id)
		body, err := json.Marshal(made)
		if err != nil {
			return err
		}
		done, err := tx.Exec(ctx, `INSERT INTO taxpayers (id, partition, country, xin, body) VALUES ($1, $2, $3, $4, $5) ON CONFLICT (country, xin) DO NOTHING`,
			made.ID, made.Partition, string(made.Country), string(made.XIN), body)
		if err == nil && done.RowsAffected() == 0 {
			err = taken("xin")
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("add taxpayer: %w", err)
	}
	*t = made
	return nil
}

// nextID takes the next ID. Who asks at the same time waits until this
// transaction has ended, and gets the one behind it, or the same if it failed.
func nextID(ctx context.Context, tx pgx.Tx, counter string) (id int64, err error) {
	err = tx.QueryRow(ctx, `UPDATE counters SET next = next + 1 WHERE name = $1 RETURNING next - 1`, counter).Scan(&id)
	return id, err
}

// taken says that something is already there.
func taken(field string) error {
	return &fiscal.Error{Reason: fiscal.AlreadyThere, Field: field}
}

// TaxpayerByXIN finds a taxpayer; NotFound if there is none.
func (db *DB) TaxpayerByXIN(ctx context.Context, c fiscal.Country, x fiscal.XIN) (registry.Taxpayer, error) {
	var all []registry.Taxpayer
	var err error
	if storable(string(x)) {
		all, err = list[registry.Taxpayer](ctx, db.rest, "taxpayers", `SELECT body FROM taxpayers WHERE country = $1 AND xin = $2`, string(c), string(x))
	}
	if err == nil && len(all) == 0 {
		err = missing("no taxpayer of %s has this number", c)
	}
	if err != nil {
		return registry.Taxpayer{}, err
	}
	return all[0], nil
}

// Taxpayers lists from after (exclusive) by ID, limit at most.
func (db *DB) Taxpayers(ctx context.Context, after fiscal.TaxpayerID, limit int) ([]registry.Taxpayer, error) {
	return list[registry.Taxpayer](ctx, db.rest, "taxpayers", `SELECT body FROM taxpayers WHERE id > $1 ORDER BY id LIMIT $2`, after, max(limit, 0))
}

// AddOutlet stores a new outlet and sets its ID; NotFound if its taxpayer is
// not there.
func (db *DB) AddOutlet(ctx context.Context, o *registry.Outlet) error {
	made := *o
	err := db.write(ctx, func(tx pgx.Tx) error {
		if _, ok, err := one[bool](ctx, tx, `SELECT true FROM taxpayers WHERE id = $1`, o.Taxpayer); err != nil || !ok {
			return orMissing(err, "taxpayer %d", o.Taxpayer)
		}
		id, err := nextID(ctx, tx, "outlets")
		if err != nil {
			return err
		}
		made.ID = fiscal.OutletID(id)
		body, err := json.Marshal(made)
		if err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `INSERT INTO outlets (id, taxpayer, body) VALUES ($1, $2, $3)`, made.ID, made.Taxpayer, body)
		return err
	})
	if err != nil {
		return fmt.Errorf("add outlet: %w", err)
	}
	*o = made
	return nil
}

func orMissing(err error, what string, args ...any) error {
	if err != nil {
		return err
	}
	return missing(what, args...)
}

// Outlets lists a taxpayer's outlets by ID.
func (db *DB) Outlets(ctx context.Context, t fiscal.TaxpayerID) ([]registry.Outlet, error) {
	return list[registry.Outlet](ctx, db.rest, "outlets", `SELECT body FROM outlets WHERE taxpayer = $1 ORDER BY id`, t)
}

// list reads the JSON bodies that a query gives. One that cannot be read is
// Corrupt.
func list[T any](ctx context.Context, from asks, table, sql string, args ...any) ([]T, error) {
	all, err := query(ctx, from, func(row pgx.CollectableRow) (v T, err error) {
		var body []byte
		if err := row.Scan(&body); err != nil {
			return v, err
		}
		if err := json.Unmarshal(body, &v); err != nil {
			return v, &fiscal.Error{Of: fiscal.Corrupt, Field: table, Msg: "a row cannot be read", Err: err}
		}
		return v, nil
	}, sql, args...)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", table, err)
	}
	if len(all) == 0 {
		return nil, nil
	}
	return all, nil
}
