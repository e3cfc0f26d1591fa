package sqlite

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"openofd/internal/fiscal"
	"openofd/internal/intake"
	"openofd/internal/store/sqlitefile"
)

// Find leads from a number to a register; UnknownRegister if there is none.
func (db *DB) Find(ctx context.Context, a fiscal.Address) (p fiscal.Place, err error) {
	found := false
	err = db.main.Read(ctx, func(tx *sqlitefile.Tx) error {
		s, err := tx.Query(`SELECT partition, register FROM directory WHERE kind = ? AND name = ?`, string(a.Kind), a.Name)
		if err != nil {
			return err
		}
		if found = s.Next(); found {
			p = fiscal.Place{Partition: fiscal.Partition(s.Int(0)), Register: fiscal.RegisterID(s.Int(1))}
		}
		return s.Close()
	})
	if err != nil {
		return fiscal.Place{}, fmt.Errorf("find a register: %w", err)
	}
	if !found {
		return fiscal.Place{}, unknown(string(a.Kind))
	}
	return p, nil
}

// unknown says that no register is there: UnknownRegister, and NotFound for who
// asks only that.
func unknown(field string) error {
	return &fiscal.Error{Reason: fiscal.UnknownRegister, Field: field, Err: fiscal.NotFound}
}

// Row reads a register's state and the card that the state names.
func (db *DB) Row(ctx context.Context, p fiscal.Place) (row intake.Row, err error) {
	row.Place = p
	err = db.main.Read(ctx, func(tx *sqlitefile.Tx) (err error) {
		if row.State, err = readState(tx, p.Register); err != nil {
			return err
		}
		if p.Partition != partition || row.State == nil {
			return unknown("register")
		}
		// Versions of cards never change, so this is the card of that state, even
		// if the state has moved on.
		if row.Card, err = readCard(tx, p.Register, row.State.CardVersion); errors.Is(err, fiscal.NothingThere) {
			return &fiscal.Error{Of: fiscal.Corrupt, Field: "cards", Msg: "the state names a card that is not there", Err: err}
		}
		return err
	})
	if err != nil {
		return intake.Row{}, fmt.Errorf("read register %d: %w", p.Register, err)
	}
	return row, nil
}

// RowVersion reads only the version of the state.
func (db *DB) RowVersion(ctx context.Context, p fiscal.Place) (uint64, error) {
	var version int64
	err := db.main.Read(ctx, func(tx *sqlitefile.Tx) (err error) {
		v, ok, err := tx.QueryInt(`SELECT version FROM states WHERE register = ? AND partition = ?`, int64(p.Register), int64(p.Partition))
		if err == nil && !ok {
			return unknown("register")
		}
		version = v
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("read register %d: %w", p.Register, err)
	}
	return uint64(version), nil
}

// readState is nil if there is no such register.
func readState(tx *sqlitefile.Tx, r fiscal.RegisterID) (state *fiscal.State, err error) {
	s, err := tx.Query(`SELECT version, state FROM states WHERE register = ?`, int64(r))
	if err != nil {
		return nil, err
	}
	if s.Next() {
		if state, err = fiscal.ParseState(s.Bytes(1)); err != nil {
			return nil, err
		}
		state.Version = uint64(s.Int(0))
	}
	return state, s.Close()
}

// readCard is NothingThere if there is no such version.
func readCard(tx *sqlitefile.Tx, r fiscal.RegisterID, version uint32) (*fiscal.Card, error) {
	s, err := tx.Query(`SELECT body FROM cards WHERE register = ? AND version = ?`, int64(r), int64(version))
	if err != nil {
		return nil, err
	}
	if !s.Next() {
		if err := s.Close(); err != nil {
			return nil, err
		}
		return nil, missing("register %d has no card %d", r, version)
	}
	c := new(fiscal.Card)
	if err := json.Unmarshal(s.Bytes(0), c); err != nil {
		return nil, &fiscal.Error{Of: fiscal.Corrupt, Field: "cards", Msg: fmt.Sprintf("card %d of register %d", version, r), Err: err}
	}
	return c, s.Close()
}
