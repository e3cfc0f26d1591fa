package sqlite

import (
	"context"
	"fmt"

	"openofd/internal/fiscal"
	"openofd/internal/store/sqlitefile"
)

const selectCashier = `SELECT login, hash, code, name, roles FROM cashiers WHERE taxpayer = ?`

// Cashier reads a cashier kept at the operator; nil if there is none.
func (db *DB) Cashier(ctx context.Context, t fiscal.TaxpayerID, login string) (*fiscal.CashierLogin, error) {
	all, err := db.cashiers(ctx, t, selectCashier+` AND login = ?`, int64(t), login)
	if err != nil || len(all) == 0 {
		return nil, err
	}
	return &all[0], nil
}

// Cashiers lists a taxpayer's cashiers by login.
func (db *DB) Cashiers(ctx context.Context, t fiscal.TaxpayerID) ([]fiscal.CashierLogin, error) {
	return db.cashiers(ctx, t, selectCashier+` ORDER BY login`, int64(t))
}

func (db *DB) cashiers(ctx context.Context, t fiscal.TaxpayerID, query string, args ...any) (all []fiscal.CashierLogin, err error) {
	err = db.main.Read(ctx, func(tx *sqlitefile.Tx) error {
		s, err := tx.Query(query, args...)
		if err != nil {
			return err
		}
		for s.Next() {
			c := fiscal.CashierLogin{Taxpayer: t, Login: s.Text(0), Hash: s.Text(1), Code: uint32(s.Int(2)), Name: s.Text(3)}
			for _, r := range s.Bytes(4) {
				c.Roles = append(c.Roles, fiscal.CashierRole(r))
			}
			all = append(all, c)
		}
		return s.Close()
	})
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
	err := db.main.Write(ctx, func(tx *sqlitefile.Tx) error {
		if _, ok, err := tx.QueryInt(`SELECT 1 FROM taxpayers WHERE id = ?`, int64(c.Taxpayer)); err != nil || !ok {
			return orMissing(err, "taxpayer %d", c.Taxpayer)
		}
		_, err := tx.Exec(`INSERT INTO cashiers (taxpayer, login, hash, code, name, roles) VALUES (?, ?, ?, ?, ?, ?)
			ON CONFLICT (taxpayer, login) DO UPDATE SET hash = excluded.hash, code = excluded.code, name = excluded.name, roles = excluded.roles`,
			int64(c.Taxpayer), c.Login, c.Hash, int64(c.Code), c.Name, roles)
		return err
	})
	if err != nil {
		return fmt.Errorf("store cashier: %w", err)
	}
	return nil
}

// RemoveCashier removes a cashier; NotFound if there is none.
func (db *DB) RemoveCashier(ctx context.Context, t fiscal.TaxpayerID, login string) error {
	err := db.main.Write(ctx, func(tx *sqlitefile.Tx) error {
		changed, err := tx.Exec(`DELETE FROM cashiers WHERE taxpayer = ? AND login = ?`, int64(t), login)
		if err == nil && changed == 0 {
			return missing("cashier %q of taxpayer %d", login, t)
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("remove cashier: %w", err)
	}
	return nil
}
