package postgres

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/jackc/pgx/v5"

	"openofd/internal/fiscal"
	"openofd/internal/journal"
	"openofd/internal/registry"
)

// NextRegisterID is an ID for the next register. Each call gives another, so
// that registrations at many nodes do not try the same one; an ID that is not
// used is left out.
func (db *DB) NextRegisterID(ctx context.Context) (id fiscal.RegisterID, err error) {
	err = db.write(ctx, func(tx pgx.Tx) (err error) {
		id, err = nextRegister(ctx, tx)
		return err
	})
	return id, err
}

// nextRegister takes the next ID, behind all that were ever chosen. The row's
// lock makes others wait.
func nextRegister(ctx context.Context, tx pgx.Tx) (id fiscal.RegisterID, err error) {
	err = tx.QueryRow(ctx, `UPDATE counters SET next = greatest(next, (SELECT max(id) + 1 FROM registers)) + 1 WHERE name = 'registers' RETURNING next - 1`).Scan(&id)
	return id, err
}

// AddRegister stores a new register in one transaction: its first card, an
// empty state of version 0 that names it, the numbers that lead to it.
func (db *DB) AddRegister(ctx context.Context, p fiscal.Partition, card *fiscal.Card, addresses []fiscal.Address) error {
	if err := db.known(p); err != nil {
		return err
	}
	made := *card
	err := db.write(ctx, func(tx pgx.Tx) (err error) {
		if made.Register == 0 {
			if made.Register, err = nextRegister(ctx, tx); err != nil {
				return err
			}
		}
		made.Version = 1
		if err := db.insertRegister(ctx, tx, p, &made); err != nil {
			return err
		}
		body, err := cardBody(&made)
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `INSERT INTO cards (partition, register, version, taxpayer, body) VALUES ($1, $2, 1, $3, $4)`, p, made.Register, made.Taxpayer, body); err != nil {
			return err
		}
		state := fiscal.State{CardVersion: made.Version}
		if _, err := tx.Exec(ctx, `INSERT INTO states (partition, register, taxpayer, version, number, state) VALUES ($1, $2, $3, 0, 0, $4)`, p, made.Register, made.Taxpayer, state.Append(nil)); err != nil {
			return err
		}
		own := fiscal.Address{Kind: fiscal.ByID, Name: strconv.FormatInt(int64(made.Register), 10)}
		for _, a := range append([]fiscal.Address{own}, addresses...) {
			if err := db.addAddress(ctx, tx, a, p, made.Register, made.Taxpayer); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("add register: %w", err)
	}
	*card = made
	return nil
}

// insertRegister finds out first what would be taken, so that the answer names
// it.
func (db *DB) insertRegister(ctx context.Context, tx pgx.Tx, p fiscal.Partition, c *fiscal.Card) error {
	if c.SerialNumber != "" { // two nodes that register one device take turns
		if _, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock(hashtext('ofd device'), hashtext($1))`, c.Model+"\n"+c.SerialNumber); err != nil {
			return err
		}
	}
	if _, had, err := one[bool](ctx, tx, `SELECT true FROM registers WHERE id = $1`, c.Register); err != nil || had {
		return orTaken(err, "register")
	}
	if inUse, err := deviceInUse(ctx, tx, c.Model, c.SerialNumber); err != nil || inUse {
		return orTaken(err, "serial_number")
	}
	if _, had, err := one[bool](ctx, tx, `SELECT true FROM taxpayers WHERE id = $1`, c.Taxpayer); err != nil || !had {
		return orMissing(err, "taxpayer %d", c.Taxpayer)
	}
	var outlet *fiscal.OutletID
	if c.Outlet != 0 {
		outlet = &c.Outlet
		if _, had, err := one[bool](ctx, tx, `SELECT true FROM outlets WHERE id = $1 AND taxpayer = $2`, c.Outlet, c.Taxpayer); err != nil || !had {
			return orMissing(err, "outlet %d of taxpayer %d", c.Outlet, c.Taxpayer)
		}
	}
	done, err := tx.Exec(ctx, `INSERT INTO registers (id, partition, taxpayer, outlet, model, serial, created) VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (id) DO NOTHING`,
		c.Register, p, c.Taxpayer, outlet, c.Model, c.SerialNumber, journal.Micros(db.now()))
	if err == nil && done.RowsAffected() == 0 {
		err = taken("register")
	}
	return err
}

// deviceInUse reports whether a register that is not off the record is this
// device. One that was taken off and sold may be registered anew.
func deviceInUse(ctx context.Context, tx pgx.Tx, model, serial string) (inUse bool, err error) {
	if serial == "" {
		return false, nil
	}
	states, err := query(ctx, tx, pgx.RowTo[[]byte], `SELECT s.state FROM registers r JOIN states s ON s.partition = r.partition AND s.register = r.id
		WHERE r.model = $1 AND r.serial = $2 AND r.serial <> ''`, model, serial)
	for _, b := range states {
		state, e := fiscal.ParseState(b)
		err = errors.Join(err, e)
		inUse = inUse || e == nil && state.Status != fiscal.StatusDeregistered
	}
	return inUse, err
}

func orTaken(err error, field string) error {
	if err != nil {
		return err
	}
	return taken(field)
}

// AddAddress leads one more number to a register. One that leads to it already
// is left as it is.
func (db *DB) AddAddress(ctx context.Context, a fiscal.Address, r fiscal.RegisterID) error {
	err := db.write(ctx, func(tx pgx.Tx) error {
		type where struct {
			Partition fiscal.Partition
			Taxpayer  fiscal.TaxpayerID
		}
		all, err := query(ctx, tx, pgx.RowToStructByPos[where], `SELECT partition, taxpayer FROM registers WHERE id = $1`, r)
		if err != nil || len(all) == 0 {
			return orMissing(err, "register %d", r)
		}
		return db.addAddress(ctx, tx, a, all[0].Partition, r, all[0].Taxpayer)
	})
	if err != nil {
		return fmt.Errorf("lead a number to register %d: %w", r, err)
	}
	return nil
}

func (db *DB) addAddress(ctx context.Context, tx pgx.Tx, a fiscal.Address, p fiscal.Partition, r fiscal.RegisterID, t fiscal.TaxpayerID) error {
	// Waits for whoever leads the same number elsewhere at this moment.
	done, err := tx.Exec(ctx, `INSERT INTO directory (kind, name, partition, register, taxpayer, created) VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (kind, name) DO NOTHING`,
		string(a.Kind), a.Name, p, r, t, journal.Micros(db.now()))
	if err != nil || done.RowsAffected() == 1 {
		return err
	}
	had, ok, err := one[fiscal.RegisterID](ctx, tx, `SELECT register FROM directory WHERE kind = $1 AND name = $2`, string(a.Kind), a.Name)
	switch {
	case err != nil:
		return err
	case ok && had == r:
		return nil
	}
	return taken(a.Kind.Field())
}

// Register reads one register; NotFound if there is none.
func (db *DB) Register(ctx context.Context, r fiscal.RegisterID) (registry.Listed, error) {
	all, err := listed(ctx, db.rest, `WHERE r.id = $1`, r)
	if err == nil && len(all) == 0 {
		err = missing("register %d", r)
	}
	if err != nil {
		return registry.Listed{}, err
	}
	return all[0], nil
}

// Registers lists from after (exclusive) by ID, limit at most; of one taxpayer,
// or of all if t is 0.
func (db *DB) Registers(ctx context.Context, t fiscal.TaxpayerID, after fiscal.RegisterID, limit int) ([]registry.Listed, error) {
	if t == 0 {
		return listed(ctx, db.rest, `WHERE r.id > $1 ORDER BY r.id LIMIT $2`, after, max(limit, 0))
	}
	return listed(ctx, db.rest, `WHERE r.taxpayer = $1 AND r.id > $2 ORDER BY r.id LIMIT $3`, t, after, max(limit, 0))
}

// listed reads the registers that a condition picks: state, card and last
// contact at once.
func listed(ctx context.Context, from asks, where string, args ...any) ([]registry.Listed, error) {
	type row struct {
		stored
		contact *fiscal.Contact
	}
	rows, err := query(ctx, from, func(r pgx.CollectableRow) (v row, err error) {
		var version int64
		var state, body []byte
		var c contactRow
		if err := r.Scan(append([]any{&v.partition, &v.register, &version, &state, &body}, c.fields()...)...); err != nil {
			return v, err
		}
		if v.state, err = fiscal.ParseState(state); err != nil {
			return v, err
		}
		v.state.Version = uint64(version)
		if v.card, err = parseCard(body, v.register); err != nil {
			return v, err
		}
		v.contact, err = c.contact(v.partition, v.register)
		return v, err
	}, `SELECT r.partition, r.id, s.version, s.state, c.body, `+contactColumns+`
		FROM registers r JOIN states s ON s.partition = r.partition AND s.register = r.id
		CROSS JOIN LATERAL (SELECT body FROM cards WHERE register = r.id AND partition = r.partition ORDER BY version DESC LIMIT 1) c
		LEFT JOIN contacts t ON t.partition = r.partition AND t.register = r.id `+where, args...)
	if err != nil {
		return nil, fmt.Errorf("read registers: %w", err)
	}
	all := make([]registry.Listed, len(rows))
	for i := range rows {
		v := &rows[i]
		if err := v.complete(ctx, from); err != nil {
			return nil, fmt.Errorf("read register %d: %w", v.register, err)
		}
		all[i] = registry.Listed{Card: *v.card, Partition: v.partition, State: v.state, LastContact: v.contact}
	}
	return all, nil
}

// Card reads one version of a register's card; NotFound if there is none.
func (db *DB) Card(ctx context.Context, r fiscal.RegisterID, version uint32) (fiscal.Card, error) {
	return cardOf(ctx, db.rest, r, version)
}

func cardOf(ctx context.Context, from asks, r fiscal.RegisterID, version uint32) (fiscal.Card, error) {
	p, ok, err := one[fiscal.Partition](ctx, from, `SELECT partition FROM registers WHERE id = $1`, r)
	if err != nil || !ok {
		return fiscal.Card{}, orMissing(err, "register %d", r)
	}
	c, err := readCard(ctx, from, p, r, version)
	if err != nil {
		return fiscal.Card{}, err
	}
	return *c, nil
}
