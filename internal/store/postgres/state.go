package postgres

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"

	"openofd/internal/fiscal"
	"openofd/internal/intake"
)

// Find leads from a number to a register; UnknownRegister if there is none.
func (db *DB) Find(ctx context.Context, a fiscal.Address) (fiscal.Place, error) {
	return find(ctx, db.rest, `SELECT partition, register FROM directory WHERE kind = $1 AND name = $2`, a)
}

func find(ctx context.Context, from asks, sql string, a fiscal.Address) (fiscal.Place, error) {
	if !storable(a.Name) {
		return fiscal.Place{}, unknownRegister(string(a.Kind))
	}
	all, err := query(ctx, from, pgx.RowToStructByPos[fiscal.Place], sql, string(a.Kind), a.Name)
	if err != nil {
		return fiscal.Place{}, fmt.Errorf("find a register: %w", err)
	}
	if len(all) == 0 {
		return fiscal.Place{}, unknownRegister(string(a.Kind))
	}
	return all[0], nil
}

// storable reports whether the database could have a text at all. Unlike SQLite
// it takes neither zero bytes nor broken UTF-8, not even to look for.
func storable(s string) bool { return utf8.ValidString(s) && !strings.Contains(s, "\x00") }

// told is a text that a peer sent, as far as it can be stored.
func told(s string) string {
	if storable(s) {
		return s
	}
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "\uFFFD")
}

// unknownRegister says that no register is there: UnknownRegister, and NotFound
// for who asks only that.
func unknownRegister(field string) error {
	return &fiscal.Error{Reason: fiscal.UnknownRegister, Field: field, Err: fiscal.NotFound}
}

// stored is a register's row and the newest card, which is nearly always the
// one that the state names.
type stored struct {
	partition fiscal.Partition
	register  fiscal.RegisterID
	state     *fiscal.State
	card      *fiscal.Card
	read      time.Time // by the database's clock
}

const selectStored = `SELECT s.partition, s.register, s.version, s.state, c.body, clock_timestamp()
	FROM states s CROSS JOIN LATERAL (SELECT body FROM cards WHERE register = s.register AND partition = s.partition ORDER BY version DESC LIMIT 1) c `

func scanStored(row pgx.CollectableRow) (v stored, err error) {
	var version int64
	var state, body []byte
	if err := row.Scan(&v.partition, &v.register, &version, &state, &body, &v.read); err != nil {
		return v, err
	}
	if v.state, err = fiscal.ParseState(state); err != nil {
		return v, err
	}
	v.state.Version = uint64(version)
	v.card, err = parseCard(body, v.register)
	return v, err
}

func parseCard(body []byte, r fiscal.RegisterID) (*fiscal.Card, error) {
	c := new(fiscal.Card)
	if err := json.Unmarshal(body, c); err != nil {
		return nil, &fiscal.Error{Of: fiscal.Corrupt, Field: "cards", Msg: fmt.Sprintf("a card of register %d", r), Err: err}
	}
	return c, nil
}

// complete takes the card that the state names in place of the newest.
// Versions of cards never change, so it is the card of that state even if the
// state has moved on.
func (v *stored) complete(ctx context.Context, from asks) (err error) {
	if v.card.Version == v.state.CardVersion {
		return nil
	}
	if v.card, err = readCard(ctx, from, v.partition, v.register, v.state.CardVersion); errors.Is(err, fiscal.NothingThere) {
		return &fiscal.Error{Of: fiscal.Corrupt, Field: "cards", Msg: "the state names a card that is not there", Err: err}
	}
	return err
}

// Row reads a register's state and the card that the state names. Whoever
// judges on it does so by a clock, so it is Conflict when ours is not right.
func (db *DB) Row(ctx context.Context, p fiscal.Place) (intake.Row, error) {
	began := db.now()
	all, err := query(ctx, db.rest, scanStored, selectStored+`WHERE s.partition = $1 AND s.register = $2`, p.Partition, p.Register)
	if err == nil && len(all) == 0 {
		err = unknownRegister("register")
	}
	if err == nil {
		err = apart(began, all[0].read, db.now())
	}
	if err == nil {
		err = all[0].complete(ctx, db.rest)
	}
	if err != nil {
		return intake.Row{}, fmt.Errorf("read register %d: %w", p.Register, err)
	}
	return intake.Row{Place: p, Card: all[0].card, State: all[0].state}, nil
}

// RowVersion reads only the version of the state. It is asked before anything
// is refused, so it looks at the clock as Row does.
func (db *DB) RowVersion(ctx context.Context, p fiscal.Place) (uint64, error) {
	type row struct {
		Version int64
		Read    time.Time
	}
	began := db.now()
	all, err := query(ctx, db.rest, pgx.RowToStructByPos[row], `SELECT version, clock_timestamp() FROM states WHERE partition = $1 AND register = $2`, p.Partition, p.Register)
	if err == nil && len(all) == 0 {
		err = unknownRegister("register")
	}
	if err == nil {
		err = apart(began, all[0].Read, db.now())
	}
	if err != nil {
		return 0, fmt.Errorf("read register %d: %w", p.Register, err)
	}
	return uint64(all[0].Version), nil
}

// readCard is NothingThere if there is no such version.
func readCard(ctx context.Context, from asks, p fiscal.Partition, r fiscal.RegisterID, version uint32) (*fiscal.Card, error) {
	body, ok, err := one[[]byte](ctx, from, `SELECT body FROM cards WHERE register = $1 AND version = $2 AND partition = $3`, r, int64(version), p)
	if err == nil && !ok {
		err = missing("register %d has no card %d", r, version)
	}
	if err != nil {
		return nil, err
	}
	return parseCard(body, r)
}
