package sqlite

import (
	"context"
	"encoding/json"
	"fmt"

	"openofd/internal/fiscal"
	"openofd/internal/journal"
	"openofd/internal/registry"
	"openofd/internal/store/sqlitefile"
)

var _ registry.OfficeStore = (*DB)(nil)

// TaxpayerOf reads one taxpayer; NotFound if there is none.
func (db *DB) TaxpayerOf(ctx context.Context, t fiscal.TaxpayerID) (registry.Taxpayer, error) {
	return only(list[registry.Taxpayer](ctx, db.main, "taxpayers", `SELECT body FROM taxpayers WHERE id = ?`, int64(t)))
}

// SetTaxpayer replaces what may change of a taxpayer.
func (db *DB) SetTaxpayer(ctx context.Context, t *registry.Taxpayer) error {
	return db.change(ctx, t, `UPDATE taxpayers SET body = ? WHERE id = ? AND partition = ? AND country = ? AND xin = ?`,
		int64(t.ID), int64(t.Partition), string(t.Country), string(t.XIN))
}

// OutletsOf lists a taxpayer's outlets by ID.
func (db *DB) OutletsOf(ctx context.Context, t fiscal.TaxpayerID) ([]registry.Outlet, error) {
	return db.Outlets(ctx, t)
}

// SetOutlet replaces an outlet; NotFound if its taxpayer has no such one.
func (db *DB) SetOutlet(ctx context.Context, o *registry.Outlet) error {
	return db.change(ctx, o, `UPDATE outlets SET body = ? WHERE id = ? AND taxpayer = ?`, int64(o.ID), int64(o.Taxpayer))
}

// change stores a body in one row; NotFound if there is none.
func (db *DB) change(ctx context.Context, v any, query string, keys ...any) error {
	body, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return db.main.Write(ctx, func(tx *sqlitefile.Tx) error {
		n, err := tx.Exec(query, append([]any{string(body)}, keys...)...)
		if err == nil && n == 0 {
			err = missing("no such %T", v)
		}
		return err
	})
}

// AddContract appends a contract and sets its ID.
func (db *DB) AddContract(ctx context.Context, c *registry.Contract) error {
	body, err := json.Marshal(c)
	if err != nil {
		return err
	}
	var id int64
	err = db.main.Write(ctx, func(tx *sqlitefile.Tx) (err error) {
		if id, _, err = tx.QueryInt(nextID, "contracts"); err != nil {
			return err
		}
		_, err = tx.Exec(`INSERT INTO contracts (id, taxpayer, at, body, content, signature) VALUES (?, ?, ?, ?, ?, ?)`,
			id, int64(c.Taxpayer), journal.Micros(c.At), string(body), blob(c.Content), blob(c.Signature))
		return err
	})
	if err != nil {
		return fmt.Errorf("add a contract: %w", err)
	}
	c.ID = registry.ContractID(id)
	return nil
}

// blob is no bytes, and not NULL, for none.
func blob(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}

// Contracts lists a taxpayer's, newest first, without their bytes.
func (db *DB) Contracts(ctx context.Context, t fiscal.TaxpayerID) ([]registry.Contract, error) {
	return db.contracts(ctx, `SELECT id, taxpayer, at, body, x'', x'' FROM contracts WHERE taxpayer = ? ORDER BY id DESC`, int64(t))
}

// Contract reads one with its bytes.
func (db *DB) Contract(ctx context.Context, t fiscal.TaxpayerID, id registry.ContractID) (registry.Contract, error) {
	return only(db.contracts(ctx, `SELECT id, taxpayer, at, body, content, signature FROM contracts WHERE taxpayer = ? AND id = ?`, int64(t), int64(id)))
}

// ContractsAfter are contracts of whoever in the order of their IDs.
func (db *DB) ContractsAfter(ctx context.Context, after registry.ContractID, limit int) ([]registry.Contract, error) {
	return db.contracts(ctx, `SELECT id, taxpayer, at, body, x'', x'' FROM contracts WHERE id > ? ORDER BY id LIMIT ?`, int64(after), max(limit, 0))
}

func (db *DB) contracts(ctx context.Context, query string, args ...any) (all []registry.Contract, err error) {
	err = db.main.Read(ctx, func(tx *sqlitefile.Tx) (err error) {
		all, err = rows(accessTx{tx}, func(s *sqlitefile.Stmt, c *registry.Contract) {
			c.ID, c.Taxpayer, c.At = registry.ContractID(s.Int(0)), fiscal.TaxpayerID(s.Int(1)), journal.Instant(s.Int(2))
			c.Content, c.Signature = append([]byte(nil), s.Bytes(4)...), append([]byte(nil), s.Bytes(5)...)
		}, 3, query, args...)
		return err
	})
	return all, err
}

// RegistersOf lists a taxpayer's registers from after (exclusive) by ID.
func (db *DB) RegistersOf(ctx context.Context, t fiscal.TaxpayerID, after fiscal.RegisterID, limit int) ([]registry.Listed, error) {
	return db.listed(ctx, `SELECT id, partition FROM registers WHERE taxpayer = ? AND id > ? ORDER BY id LIMIT ?`, int64(t), int64(after), max(limit, 0))
}

// RegisterOf reads one register of a taxpayer.
func (db *DB) RegisterOf(ctx context.Context, t fiscal.TaxpayerID, r fiscal.RegisterID) (registry.Listed, error) {
	return only(db.listed(ctx, `SELECT id, partition FROM registers WHERE taxpayer = ? AND id = ?`, int64(t), int64(r)))
}

// CardsOf reads every version of a register's card, newest first.
func (db *DB) CardsOf(ctx context.Context, t fiscal.TaxpayerID, r fiscal.RegisterID) ([]fiscal.Card, error) {
	return list[fiscal.Card](ctx, db.main, "cards", `SELECT c.body FROM cards c JOIN registers r ON r.id = c.register WHERE r.taxpayer = ? AND r.id = ? ORDER BY c.version DESC`, int64(t), int64(r))
}

// Groups lists a taxpayer's groups by title.
func (db *DB) Groups(ctx context.Context, t fiscal.TaxpayerID) (all []registry.Group, err error) {
	err = db.main.Read(ctx, func(tx *sqlitefile.Tx) (err error) {
		all, err = rows(accessTx{tx}, func(s *sqlitefile.Stmt, g *registry.Group) { g.ID, g.Taxpayer = registry.GroupID(s.Int(0)), t }, 1,
			`SELECT id, body FROM register_groups WHERE taxpayer = ? ORDER BY body ->> '$.title', id`, int64(t))
		return err
	})
	return all, err
}

// PutGroup adds a group and sets its ID, or replaces the one with its ID.
func (db *DB) PutGroup(ctx context.Context, g *registry.Group) error {
	if g.ID != 0 {
		return db.change(ctx, g, `UPDATE register_groups SET body = ? WHERE id = ? AND taxpayer = ?`, int64(g.ID), int64(g.Taxpayer))
	}
	made := *g
	err := db.main.Write(ctx, func(tx *sqlitefile.Tx) error {
		id, _, err := tx.QueryInt(nextID, "register_groups")
		if err != nil {
			return err
		}
		made.ID = registry.GroupID(id)
		return accessTx{tx}.put(`INSERT INTO register_groups (id, taxpayer, body) VALUES (?, ?, ?)`, made, id, int64(made.Taxpayer))
	})
	if err == nil {
		*g = made
	}
	return err
}

// RemoveGroup removes a group; its registers and groups are in none then.
func (db *DB) RemoveGroup(ctx context.Context, t fiscal.TaxpayerID, g registry.GroupID) error {
	return db.main.Write(ctx, func(tx *sqlitefile.Tx) error {
		if _, err := tx.Exec(`DELETE FROM grouped_registers WHERE taxpayer = ? AND group_id = ?`, int64(t), int64(g)); err != nil {
			return err
		}
		if _, err := tx.Exec(`UPDATE register_groups SET body = json_remove(body, '$.parent') WHERE taxpayer = ? AND body ->> '$.parent' = ?`, int64(t), int64(g)); err != nil {
			return err
		}
		_, err := tx.Exec(`DELETE FROM register_groups WHERE taxpayer = ? AND id = ?`, int64(t), int64(g))
		return err
	})
}

// Grouped tells which register of a taxpayer is in which group.
func (db *DB) Grouped(ctx context.Context, t fiscal.TaxpayerID) (map[fiscal.RegisterID]registry.GroupID, error) {
	in := map[fiscal.RegisterID]registry.GroupID{}
	err := db.main.Read(ctx, func(tx *sqlitefile.Tx) error {
		s, err := tx.Query(`SELECT register, group_id FROM grouped_registers WHERE taxpayer = ?`, int64(t))
		if err != nil {
			return err
		}
		for s.Next() {
			in[fiscal.RegisterID(s.Int(0))] = registry.GroupID(s.Int(1))
		}
		return s.Close()
	})
	return in, err
}

// SetGroup puts a register into a group; 0: into none.
func (db *DB) SetGroup(ctx context.Context, t fiscal.TaxpayerID, r fiscal.RegisterID, g registry.GroupID) error {
	return db.main.Write(ctx, func(tx *sqlitefile.Tx) error {
		if g == 0 {
			_, err := tx.Exec(`DELETE FROM grouped_registers WHERE taxpayer = ? AND register = ?`, int64(t), int64(r))
			return err
		}
		n, err := tx.Exec(`INSERT INTO grouped_registers (register, taxpayer, group_id)
			SELECT r.id, r.taxpayer, g.id FROM registers r JOIN register_groups g ON g.taxpayer = r.taxpayer WHERE r.taxpayer = ? AND r.id = ? AND g.id = ?
			ON CONFLICT (register) DO UPDATE SET group_id = excluded.group_id`, int64(t), int64(r), int64(g))
		if err == nil && n == 0 {
			err = missing("register %d or group %d of taxpayer %d", r, g, t)
		}
		return err
	})
}
