package sqlite

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"openofd/internal/fiscal"
	"openofd/internal/journal"
	"openofd/internal/registry"
	"openofd/internal/store/sqlitefile"
)

// firstRegister is the ID of the first register: six digits that are easily
// told from everything else on a receipt.
const firstRegister = 200_001

const nextRegister = `SELECT max(coalesce((SELECT max(id) + 1 FROM registers), 0), ?)`

// NextRegisterID is the ID that the next register would get.
func (db *DB) NextRegisterID(ctx context.Context) (id fiscal.RegisterID, err error) {
	err = db.main.Read(ctx, func(tx *sqlitefile.Tx) error {
		next, _, err := tx.QueryInt(nextRegister, firstRegister)
		id = fiscal.RegisterID(next)
		return err
	})
	return id, err
}

// AddRegister stores a new register in one transaction: its first card, an
// empty state of version 0 that names it, the numbers that lead to it.
func (db *DB) AddRegister(ctx context.Context, p fiscal.Partition, card *fiscal.Card, addresses []fiscal.Address) error {
	if err := known(p); err != nil {
		return err
	}
	made := *card
	err := db.main.Write(ctx, func(tx *sqlitefile.Tx) error {
		if made.Register == 0 {
			next, _, err := tx.QueryInt(nextRegister, firstRegister)
			if err != nil {
				return err
			}
			made.Register = fiscal.RegisterID(next)
		}
		made.Version = 1
		if err := db.insertRegister(tx, p, &made); err != nil {
			return err
		}
		if err := addCard(tx, &made); err != nil {
			return err
		}
		state := fiscal.State{CardVersion: made.Version}
		if _, err := tx.Exec(`INSERT INTO states (register, partition, version, number, state) VALUES (?, ?, 0, 0, ?)`, int64(made.Register), int64(p), state.Append(nil)); err != nil {
			return err
		}
		own := fiscal.Address{Kind: fiscal.ByID, Name: strconv.FormatInt(int64(made.Register), 10)}
		for _, a := range append([]fiscal.Address{own}, addresses...) {
			if err := db.addAddress(tx, a, p, made.Register); err != nil {
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
func (db *DB) insertRegister(tx *sqlitefile.Tx, p fiscal.Partition, c *fiscal.Card) error {
	if _, had, err := tx.QueryInt(`SELECT 1 FROM registers WHERE id = ?`, int64(c.Register)); err != nil || had {
		return orTaken(err, "register")
	}
	if inUse, err := deviceInUse(tx, c.Model, c.SerialNumber); err != nil || inUse {
		return orTaken(err, "serial_number")
	}
	if _, had, err := tx.QueryInt(`SELECT 1 FROM taxpayers WHERE id = ?`, int64(c.Taxpayer)); err != nil || !had {
		return orMissing(err, "taxpayer %d", c.Taxpayer)
	}
	var outlet any
	if c.Outlet != 0 {
		outlet = int64(c.Outlet)
		if _, had, err := tx.QueryInt(`SELECT 1 FROM outlets WHERE id = ? AND taxpayer = ?`, outlet, int64(c.Taxpayer)); err != nil || !had {
			return orMissing(err, "outlet %d of taxpayer %d", c.Outlet, c.Taxpayer)
		}
	}
	_, err := tx.Exec(`INSERT INTO registers (id, partition, taxpayer, outlet, model, serial, created) VALUES (?, ?, ?, ?, ?, ?, ?)`,
		int64(c.Register), int64(p), int64(c.Taxpayer), outlet, c.Model, c.SerialNumber, journal.Micros(db.now()))
	return err
}

// deviceInUse reports whether a register that is not off the record is this
// device. One that was taken off and sold may be registered anew.
func deviceInUse(tx *sqlitefile.Tx, model, serial string) (inUse bool, err error) {
	if serial == "" {
		return false, nil
	}
	s, err := tx.Query(`SELECT s.state FROM registers r JOIN states s ON s.register = r.id WHERE r.model = ? AND r.serial = ? AND r.serial <> ''`, model, serial)
	if err != nil {
		return false, err
	}
	var parsing error
	for s.Next() {
		state, err := fiscal.ParseState(s.Bytes(0))
		parsing = errors.Join(parsing, err)
		inUse = inUse || err == nil && state.Status != fiscal.StatusDeregistered
	}
	return inUse, errors.Join(parsing, s.Close())
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
	err := db.main.Write(ctx, func(tx *sqlitefile.Tx) error {
		p, ok, err := tx.QueryInt(`SELECT partition FROM registers WHERE id = ?`, int64(r))
		if err != nil || !ok {
			return orMissing(err, "register %d", r)
		}
		return db.addAddress(tx, a, fiscal.Partition(p), r)
	})
	if err != nil {
		return fmt.Errorf("lead a number to register %d: %w", r, err)
	}
	return nil
}

func (db *DB) addAddress(tx *sqlitefile.Tx, a fiscal.Address, p fiscal.Partition, r fiscal.RegisterID) error {
	had, ok, err := tx.QueryInt(`SELECT register FROM directory WHERE kind = ? AND name = ?`, string(a.Kind), a.Name)
	switch {
	case err != nil:
		return err
	case ok && fiscal.RegisterID(had) == r:
		return nil
	case ok:
		return taken(a.Kind.Field())
	}
	_, err = tx.Exec(`INSERT INTO directory (kind, name, partition, register, created) VALUES (?, ?, ?, ?, ?)`,
		string(a.Kind), a.Name, int64(p), int64(r), journal.Micros(db.now()))
	return err
}

// Register reads one register; NotFound if there is none.
func (db *DB) Register(ctx context.Context, r fiscal.RegisterID) (registry.Listed, error) {
	all, err := db.listed(ctx, `SELECT id, partition FROM registers WHERE id = ?`, int64(r))
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
		return db.listed(ctx, `SELECT id, partition FROM registers WHERE id > ? ORDER BY id LIMIT ?`, int64(after), max(limit, 0))
	}
	return db.listed(ctx, `SELECT id, partition FROM registers WHERE taxpayer = ? AND id > ? ORDER BY id LIMIT ?`, int64(t), int64(after), max(limit, 0))
}

// listed reads the registers whose ID and partition a query gives, and their
// last contacts from the other file.
func (db *DB) listed(ctx context.Context, query string, args ...any) (all []registry.Listed, err error) {
	err = db.main.Read(ctx, func(tx *sqlitefile.Tx) error {
		s, err := tx.Query(query, args...)
		if err != nil {
			return err
		}
		var ids []fiscal.RegisterID
		for s.Next() {
			ids = append(ids, fiscal.RegisterID(s.Int(0)))
			all = append(all, registry.Listed{Partition: fiscal.Partition(s.Int(1))})
		}
		if err := s.Close(); err != nil {
			return err
		}
		for i, id := range ids {
			if err := readListed(tx, id, &all[i]); err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil {
		err = db.addContacts(ctx, all)
	}
	if err != nil {
		return nil, fmt.Errorf("read registers: %w", err)
	}
	return all, nil
}

func readListed(tx *sqlitefile.Tx, id fiscal.RegisterID, l *registry.Listed) (err error) {
	if l.State, err = readState(tx, id); err != nil {
		return err
	}
	if l.State == nil {
		return &fiscal.Error{Of: fiscal.Corrupt, Field: "states", Msg: fmt.Sprintf("register %d has none", id)}
	}
	card, err := readCard(tx, id, l.State.CardVersion)
	if err != nil {
		return err
	}
	l.Card = *card
	return nil
}

// Card reads one version of a register's card; NotFound if there is none.
func (db *DB) Card(ctx context.Context, r fiscal.RegisterID, version uint32) (fiscal.Card, error) {
	var card fiscal.Card
	err := db.main.Read(ctx, func(tx *sqlitefile.Tx) error {
		c, err := readCard(tx, r, version)
		if err == nil {
			card = *c
		}
		return err
	})
	return card, err
}
