package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"openofd/internal/fiscal"
)

const selectCashier = `SELECT taxpayer, login, hash, code, name, roles FROM cashiers WHERE taxpayer = $1`

// Cashier reads a cashier kept at the operator; nil if there is none.
func (db *DB) Cashier(ctx context.Context, t fiscal.TaxpayerID, login string) (*fiscal.CashierLogin, error) {
	if !storable(login) {
		return nil, nil
	}
	all, err := db.cashiers(ctx, t, selectCashier+` AND login = $2`, t, login)
	if err != nil || len(all) == 0 {
		return nil, err
	}
	return &all[0], nil
}

// Cashiers lists a taxpayer's cashiers by login.
func (db *DB) Cashiers(ctx context.Context, t fiscal.TaxpayerID) ([]fiscal.CashierLogin, error) {
	return db.cashiers(ctx, t, selectCashier+` ORDER BY login`, t)
}

func (db *DB) cashiers(ctx context.Context, t fiscal.TaxpayerID, sql string, args ...any) ([]fiscal.CashierLogin, error) {
	all, err := query(ctx, db.rest, func(row pgx.CollectableRow) (c fiscal.CashierLogin, err error) {
		var code int64
		var roles []byte
		err = row.Scan(&c.Taxpayer, &c.Login, &c.Hash, &code, &c.Name, &roles)
		c.Code = uint32(code)
		for _, r := range roles {
			c.Roles = append(c.Roles, fiscal.CashierRole(r))
		}
		return c, err
	}, sql, args...)
	if err != nil {
		return nil, fmt.Errorf("read cashiers of taxpayer %d: %w", t, err)
	}
	return all, nil
}

// PutCashier stores a cashier or replaces the one with this login.
func (db *DB) PutCashier(ctx context.Context, c fiscal.CashierLogin) error {
	roles := make([]byte, len(c.Roles))
	for i, r := range c.Roles {
		roles[i] = byte(r)
	}
	err := db.write(ctx, func(tx pgx.Tx) error {
		if _, ok, err := one[bool](ctx, tx, `SELECT true FROM taxpayers WHERE id = $1`, c.Taxpayer); err != nil || !ok {
			return orMissing(err, "taxpayer %d", c.Taxpayer)
		}
		_, err := tx.Exec(ctx, `INSERT INTO cashiers (taxpayer, login, hash, code, name, roles) VALUES ($1, $2, $3, $4, $5, $6)
			ON CONFLICT (taxpayer, login) DO UPDATE SET hash = excluded.hash, code = excluded.code, name = excluded.name, roles = excluded.roles`,
			c.Taxpayer, c.Login, c.Hash, int64(c.Code), c.Name, roles)
		return err
	})
	if err != nil {
		return fmt.Errorf("store cashier: %w", err)
	}
	return nil
}

// RemoveCashier removes a cashier; NotFound if there is none.
func (db *DB) RemoveCashier(ctx context.Context, t fiscal.TaxpayerID, login string) error {
	err := db.write(ctx, func(tx pgx.Tx) error {
		done, err := tx.Exec(ctx, `DELETE FROM cashiers WHERE taxpayer = $1 AND login = $2`, t, login)
		if err == nil && done.RowsAffected() == 0 {
			return missing("cashier %q of taxpayer %d", login, t)
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("remove cashier: %w", err)
	}
	return nil
}
