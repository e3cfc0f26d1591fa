package sqlite

import (
	"context"
	"encoding/json"
	"fmt"

	"openofd/internal/fiscal"
	"openofd/internal/registry"
	"openofd/internal/store/sqlitefile"
)

// Partitions is 1.
func (db *DB) Partitions(ctx context.Context) (n int, err error) {
	err = db.main.Read(ctx, func(tx *sqlitefile.Tx) error {
		v, ok, err := tx.QueryInt(`SELECT CAST(value AS INTEGER) FROM installation WHERE name = 'partitions'`)
		if err == nil && !ok {
			err = &fiscal.Error{Of: fiscal.Corrupt, Field: "installation", Msg: "the number of partitions is missing"}
		}
		n = int(v)
		return err
	})
	return n, err
}

// AddTaxpayer stores a new taxpayer and sets its ID; AlreadyThere if the
// country has one with this XIN.
func (db *DB) AddTaxpayer(ctx context.Context, t *registry.Taxpayer) error {
	if err := known(t.Partition); err != nil {
		return err
	}
	made := *t
	err := db.main.Write(ctx, func(tx *sqlitefile.Tx) error {
		next, _, err := tx.QueryInt(nextID, "taxpayers")
		if err != nil {
			return err
		}
		made.ID = fiscal.TaxpayerID(next)
		body, err := json.Marshal(made)
		if err != nil {
			return err
		}
		_, err = tx.Exec(`INSERT INTO taxpayers (id, partition, country, xin, body) VALUES (?, ?, ?, ?, ?)`,
			next, int64(made.Partition), string(made.Country), string(made.XIN), string(body))
		if sqlitefile.Taken(err) {
			return taken("xin")
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("add taxpayer: %w", err)
	}
	*t = made
	return nil
}

// nextID is the next ID of a table that counts with AUTOINCREMENT, and so never
// gives one again.
const nextID = `SELECT coalesce((SELECT seq FROM sqlite_sequence WHERE name = ?), 0) + 1`

// taken says that something is already there.
func taken(field string) error {
	return &fiscal.Error{Reason: fiscal.AlreadyThere, Field: field}
}

// TaxpayerByXIN finds a taxpayer; NotFound if there is none.
func (db *DB) TaxpayerByXIN(ctx context.Context, c fiscal.Country, x fiscal.XIN) (registry.Taxpayer, error) {
	all, err := list[registry.Taxpayer](ctx, db.main, "taxpayers", `SELECT body FROM taxpayers WHERE country = ? AND xin = ?`, string(c), string(x))
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
	return list[registry.Taxpayer](ctx, db.main, "taxpayers", `SELECT body FROM taxpayers WHERE id > ? ORDER BY id LIMIT ?`, int64(after), max(limit, 0))
}

// AddOutlet stores a new outlet and sets its ID; NotFound if its taxpayer is
// not there.
func (db *DB) AddOutlet(ctx context.Context, o *registry.Outlet) error {
	made := *o
	err := db.main.Write(ctx, func(tx *sqlitefile.Tx) error {
		if _, ok, err := tx.QueryInt(`SELECT 1 FROM taxpayers WHERE id = ?`, int64(o.Taxpayer)); err != nil || !ok {
			return orMissing(err, "taxpayer %d", o.Taxpayer)
		}
		next, _, err := tx.QueryInt(nextID, "outlets")
		if err != nil {
			return err
		}
		made.ID = fiscal.OutletID(next)
		body, err := json.Marshal(made)
		if err != nil {
			return err
		}
		_, err = tx.Exec(`INSERT INTO outlets (id, taxpayer, body) VALUES (?, ?, ?)`, next, int64(made.Taxpayer), string(body))
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
	return list[registry.Outlet](ctx, db.main, "outlets", `SELECT body FROM outlets WHERE taxpayer = ? ORDER BY id`, int64(t))
}

// list reads the JSON bodies that a query gives. One that cannot be read is
// Corrupt.
func list[T any](ctx context.Context, f *sqlitefile.File, table, query string, args ...any) (all []T, err error) {
	err = f.Read(ctx, func(tx *sqlitefile.Tx) error {
		s, err := tx.Query(query, args...)
		if err != nil {
			return err
		}
		for s.Next() {
			var v T
			if err := json.Unmarshal(s.Bytes(0), &v); err != nil {
				return &fiscal.Error{Of: fiscal.Corrupt, Field: table, Msg: "a row cannot be read", Err: err}
			}
			all = append(all, v)
		}
		return s.Close()
	})
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", table, err)
	}
	return all, nil
}
