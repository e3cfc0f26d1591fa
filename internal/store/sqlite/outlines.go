package sqlite

import (
	"context"
	"fmt"
	"slices"

	"openofd/internal/fiscal"
	"openofd/internal/journal"
	"openofd/internal/registry"
	"openofd/internal/store/sqlitefile"
)

// OutlinesOf is RegistersOf with what lists are chosen and sorted by.
func (db *DB) OutlinesOf(ctx context.Context, t fiscal.TaxpayerID, after fiscal.RegisterID, limit int) (all []registry.Listed, err error) {
	err = db.main.Read(ctx, func(tx *sqlitefile.Tx) error {
		s, err := tx.Query(`SELECT r.id, r.partition, s.state, (SELECT body FROM cards c WHERE c.register = r.id ORDER BY c.version DESC LIMIT 1)
			FROM registers r CROSS JOIN states s ON s.register = r.id WHERE r.taxpayer = ? AND r.id > ? ORDER BY r.id LIMIT ?`, int64(t), int64(after), max(limit, 0))
		if err != nil {
			return err
		}
		var wrong error
		for s.Next() {
			l := registry.Listed{Partition: fiscal.Partition(s.Int(1))}
			if l.State, err = fiscal.ParseStateOutline(s.Bytes(2)); err == nil {
				l.Card, err = fiscal.ParseCardOutline(s.Bytes(3))
			}
			if err != nil && wrong == nil {
				wrong = &fiscal.Error{Of: fiscal.Corrupt, Field: "registers", Msg: fmt.Sprintf("register %d", s.Int(0)), Err: err}
			}
			all = append(all, l)
		}
		if err := s.Close(); err != nil {
			return err
		}
		return wrong
	})
	if err == nil {
		err = db.addContactTimes(ctx, all)
	}
	if err != nil {
		return nil, fmt.Errorf("read outlines of registers: %w", err)
	}
	return all, nil
}

// RegistersBySerial lists registers with a factory number, whatever its case.
func (db *DB) RegistersBySerial(ctx context.Context, serial string, limit int) ([]registry.Listed, error) {
	return db.listed(ctx, bySerial, serial, max(limit, 0))
}

const bySerial = `SELECT id, partition FROM registers WHERE serial = ? COLLATE NOCASE AND serial <> '' ORDER BY id LIMIT ?`

// sparse is from how many strangers to one of ours on it is cheaper to look each
// of ours up than to read along.
const sparse = 8

// addContactTimes adds when each register was last heard of. The registers are
// in the order of their IDs.
func (db *DB) addContactTimes(ctx context.Context, all []registry.Listed) error {
	if len(all) == 0 {
		return nil
	}
	from, to := all[0].Card.Register, all[len(all)-1].Card.Register
	return db.cabinet.Read(ctx, func(tx *sqlitefile.Tx) error {
		if int64(to-from) > sparse*int64(len(all)) {
			for i := range all {
				at, ok, err := tx.QueryInt(`SELECT at FROM contacts WHERE register = ?`, int64(all[i].Card.Register))
				if err != nil {
					return err
				}
				if ok {
					all[i].LastContact = &fiscal.Contact{Register: all[i].Card.Register, Partition: all[i].Partition, At: journal.Instant(at)}
				}
			}
			return nil
		}
		s, err := tx.Query(`SELECT register, at FROM contacts WHERE register >= ? AND register <= ?`, int64(from), int64(to))
		if err != nil {
			return err
		}
		for s.Next() {
			r := fiscal.RegisterID(s.Int(0))
			if i, ok := slices.BinarySearchFunc(all, r, func(l registry.Listed, r fiscal.RegisterID) int { return int(l.Card.Register - r) }); ok {
				all[i].LastContact = &fiscal.Contact{Register: r, Partition: all[i].Partition, At: journal.Instant(s.Int(1))}
			}
		}
		return s.Close()
	})
}
