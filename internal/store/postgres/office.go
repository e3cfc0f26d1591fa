package postgres

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/jackc/pgx/v5"

	"openofd/internal/fiscal"
	"openofd/internal/journal"
	"openofd/internal/registry"
)

var _ registry.OfficeStore = (*DB)(nil)

// as reads with the eyes of one taxpayer.
func (db *DB) as(ctx context.Context, t fiscal.TaxpayerID, do func(pgx.Tx) error) error {
	return asTaxpayer(ctx, db.pages, t, do)
}

// TaxpayerOf reads one taxpayer; NotFound if there is none.
func (db *DB) TaxpayerOf(ctx context.Context, t fiscal.TaxpayerID) (one registry.Taxpayer, err error) {
	err = db.as(ctx, t, func(tx pgx.Tx) error {
		one, err = only(list[registry.Taxpayer](ctx, tx, "taxpayers", `SELECT body FROM taxpayers WHERE id = $1`, t))
		return err
	})
	return one, err
}

// SetTaxpayer replaces what may change of a taxpayer.
func (db *DB) SetTaxpayer(ctx context.Context, t *registry.Taxpayer) error {
	return db.change(ctx, t, `UPDATE taxpayers SET body = $1 WHERE id = $2 AND partition = $3 AND country = $4 AND xin = $5`,
		t.ID, t.Partition, string(t.Country), string(t.XIN))
}

// OutletsOf lists a taxpayer's outlets by ID.
func (db *DB) OutletsOf(ctx context.Context, t fiscal.TaxpayerID) (all []registry.Outlet, err error) {
	err = db.as(ctx, t, func(tx pgx.Tx) error {
		all, err = list[registry.Outlet](ctx, tx, "outlets", `SELECT body FROM outlets WHERE taxpayer = $1 ORDER BY id`, t)
		return err
	})
	return all, err
}

// SetOutlet replaces an outlet; NotFound if its taxpayer has no such one.
func (db *DB) SetOutlet(ctx context.Context, o *registry.Outlet) error {
	return db.change(ctx, o, `UPDATE outlets SET body = $1 WHERE id = $2 AND taxpayer = $3`, o.ID, o.Taxpayer)
}

// change stores a body in one row; NotFound if there is none.
func (db *DB) change(ctx context.Context, v any, sql string, keys ...any) error {
	body, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return db.write(ctx, func(tx pgx.Tx) error {
		done, err := tx.Exec(ctx, sql, append([]any{[]byte(told(string(body)))}, keys...)...)
		if err == nil && done.RowsAffected() == 0 {
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
	err = db.write(ctx, func(tx pgx.Tx) (err error) {
		if id, err = nextID(ctx, tx, "contracts"); err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `INSERT INTO contracts (id, taxpayer, at, body, content, signature) VALUES ($1, $2, $3, $4, $5, $6)`,
			id, c.Taxpayer, journal.Micros(c.At), []byte(told(string(body))), append([]byte{}, c.Content...), append([]byte{}, c.Signature...))
		return err
	})
	if err != nil {
		return fmt.Errorf("add a contract: %w", err)
	}
	c.ID = registry.ContractID(id)
	return nil
}

// Contracts lists a taxpayer's, newest first, without their bytes.
func (db *DB) Contracts(ctx context.Context, t fiscal.TaxpayerID) ([]registry.Contract, error) {
	return db.contracts(ctx, t, `SELECT id, taxpayer, at, body, ''::bytea, ''::bytea FROM contracts WHERE taxpayer = $1 ORDER BY id DESC`, t)
}

// Contract reads one with its bytes.
func (db *DB) Contract(ctx context.Context, t fiscal.TaxpayerID, id registry.ContractID) (registry.Contract, error) {
	return only(db.contracts(ctx, t, `SELECT id, taxpayer, at, body, content, signature FROM contracts WHERE taxpayer = $1 AND id = $2`, t, id))
}

// ContractsAfter are contracts of whoever in the order of their IDs.
func (db *DB) ContractsAfter(ctx context.Context, after registry.ContractID, limit int) ([]registry.Contract, error) {
	return query(ctx, db.rest, scanContract, `SELECT id, taxpayer, at, body, ''::bytea, ''::bytea FROM contracts WHERE id > $1 ORDER BY id LIMIT $2`, after, max(limit, 0))
}

func (db *DB) contracts(ctx context.Context, t fiscal.TaxpayerID, sql string, args ...any) (all []registry.Contract, err error) {
	err = db.as(ctx, t, func(tx pgx.Tx) error {
		all, err = query(ctx, tx, scanContract, sql, args...)
		return err
	})
	return all, err
}

func scanContract(row pgx.CollectableRow) (c registry.Contract, err error) {
	var at int64
	var body, content, sign []byte
	var id registry.ContractID
	var of fiscal.TaxpayerID
	if err := row.Scan(&id, &of, &at, &body, &content, &sign); err != nil {
		return c, err
	}
	if err := json.Unmarshal(body, &c); err != nil {
		return c, &fiscal.Error{Of: fiscal.Corrupt, Field: "contracts", Msg: fmt.Sprintf("contract %d", id), Err: err}
	}
	c.ID, c.Taxpayer, c.At, c.Content, c.Signature = id, of, journal.Instant(at), content, sign
	return c, nil
}

// RegistersOf lists a taxpayer's registers from after (exclusive) by ID.
func (db *DB) RegistersOf(ctx context.Context, t fiscal.TaxpayerID, after fiscal.RegisterID, limit int) (all []registry.Listed, err error) {
	err = db.as(ctx, t, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, inOrder); err != nil {
			return err
		}
		all, err = listed(ctx, tx, `WHERE r.taxpayer = $1 AND r.id > $2 ORDER BY r.id LIMIT $3`, t, after, max(limit, 0))
		return err
	})
	return all, err
}

// RegisterOf reads one register of a taxpayer.
func (db *DB) RegisterOf(ctx context.Context, t fiscal.TaxpayerID, r fiscal.RegisterID) (one registry.Listed, err error) {
	err = db.as(ctx, t, func(tx pgx.Tx) error {
		one, err = only(listed(ctx, tx, `WHERE r.taxpayer = $1 AND r.id = $2`, t, r))
		return err
	})
	return one, err
}

// CardsOf reads every version of a register's card, newest first.
func (db *DB) CardsOf(ctx context.Context, t fiscal.TaxpayerID, r fiscal.RegisterID) (all []fiscal.Card, err error) {
	err = db.as(ctx, t, func(tx pgx.Tx) error {
		all, err = list[fiscal.Card](ctx, tx, "cards", `SELECT body FROM cards WHERE taxpayer = $1 AND register = $2 ORDER BY version DESC`, t, r)
		return err
	})
	return all, err
}

// Groups lists a taxpayer's groups by title.
func (db *DB) Groups(ctx context.Context, t fiscal.TaxpayerID) (all []registry.Group, err error) {
	err = db.as(ctx, t, func(tx pgx.Tx) error {
		all, err = query(ctx, tx, func(row pgx.CollectableRow) (g registry.Group, err error) {
			var body []byte
			var id registry.GroupID
			if err := row.Scan(&id, &body); err != nil {
				return g, err
			}
			err = json.Unmarshal(body, &g)
			g.ID, g.Taxpayer = id, t
			return g, err
		}, `SELECT id, body FROM register_groups WHERE taxpayer = $1 ORDER BY body ->> 'title' COLLATE "C", id`, t)
		return err
	})
	return all, err
}

// PutGroup adds a group and sets its ID, or replaces the one with its ID.
func (db *DB) PutGroup(ctx context.Context, g *registry.Group) error {
	if g.ID != 0 {
		return db.change(ctx, g, `UPDATE register_groups SET body = $1 WHERE id = $2 AND taxpayer = $3`, g.ID, g.Taxpayer)
	}
	made := *g
	err := db.write(ctx, func(tx pgx.Tx) error {
		id, err := nextID(ctx, tx, "register_groups")
		if err != nil {
			return err
		}
		made.ID = registry.GroupID(id)
		body, err := json.Marshal(made)
		if err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `INSERT INTO register_groups (id, taxpayer, body) VALUES ($1, $2, $3)`, made.ID, made.Taxpayer, []byte(told(string(body))))
		return err
	})
	if err == nil {
		*g = made
	}
	return err
}

// RemoveGroup removes a group; its registers and groups are in none then.
func (db *DB) RemoveGroup(ctx context.Context, t fiscal.TaxpayerID, g registry.GroupID) error {
	return db.write(ctx, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `DELETE FROM grouped_registers WHERE taxpayer = $1 AND group_id = $2`, t, g); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `UPDATE register_groups SET body = (body::jsonb - 'parent')::json WHERE taxpayer = $1 AND body ->> 'parent' = $2`, t, strconv.FormatInt(int64(g), 10)); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `DELETE FROM register_groups WHERE taxpayer = $1 AND id = $2`, t, g)
		return err
	})
}

// Grouped tells which register of a taxpayer is in which group.
func (db *DB) Grouped(ctx context.Context, t fiscal.TaxpayerID) (map[fiscal.RegisterID]registry.GroupID, error) {
	in := map[fiscal.RegisterID]registry.GroupID{}
	err := db.as(ctx, t, func(tx pgx.Tx) error {
		type pair struct {
			Register fiscal.RegisterID
			Group    registry.GroupID
		}
		all, err := query(ctx, tx, pgx.RowToStructByPos[pair], `SELECT register, group_id FROM grouped_registers WHERE taxpayer = $1`, t)
		for _, p := range all {
			in[p.Register] = p.Group
		}
		return err
	})
	return in, err
}

// SetGroup puts a register into a group; 0: into none.
func (db *DB) SetGroup(ctx context.Context, t fiscal.TaxpayerID, r fiscal.RegisterID, g registry.GroupID) error {
	return db.write(ctx, func(tx pgx.Tx) error {
		if g == 0 {
			_, err := tx.Exec(ctx, `DELETE FROM grouped_registers WHERE taxpayer = $1 AND register = $2`, t, r)
			return err
		}
		done, err := tx.Exec(ctx, `INSERT INTO grouped_registers (register, taxpayer, group_id)
			SELECT r.id, r.taxpayer, g.id FROM registers r JOIN register_groups g ON g.taxpayer = r.taxpayer WHERE r.taxpayer = $1 AND r.id = $2 AND g.id = $3
			ON CONFLICT (register) DO UPDATE SET group_id = excluded.group_id`, t, r, g)
		if err == nil && done.RowsAffected() == 0 {
			err = missing("register %d or group %d of taxpayer %d", r, g, t)
		}
		return err
	})
}
