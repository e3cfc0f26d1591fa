package till

import (
	"context"
	"encoding/json"
	"errors"
	"sync"

	"openofd/internal/fiscal"
	"openofd/internal/store/sqlitefile"
)

// household is an account with its people and registers, as the file has them.
// Nobody changes it, nor what its parts lead to.
type household struct {
	account   Account
	cashiers  map[uint32]*Cashier
	registers []*Register // by their numbers
}

// register is the one with that number, or nil.
func (h *household) register(id fiscal.RegisterID) *Register {
	for _, r := range h.registers {
		if r.ID == id {
			return r
		}
	}
	return nil
}

// knownMost bounds the households that are kept; each takes some kilobytes.
const knownMost = 4096

// known keeps households, for every request of a page begins with one. While one
// is being changed it is read from the file, so whoever asks after a change sees
// it, and nobody who has seen it finds it undone. Safe for concurrent use.
type known struct {
	mu       sync.Mutex
	kept     map[AccountID]*household
	changing map[AccountID]int
	changes  uint64 // that have begun or ended: what was read beside one is not kept
}

func newKnown() *known {
	return &known{kept: map[AccountID]*household{}, changing: map[AccountID]int{}}
}

// begin is called before a change of an account can be seen, end when it is
// durable or will never be.
func (k *known) begin(id AccountID) {
	k.mu.Lock()
	defer k.mu.Unlock()
	delete(k.kept, id)
	k.changing[id]++
	k.changes++
}

func (k *known) end(id AccountID) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.changing[id]--; k.changing[id] == 0 {
		delete(k.changing, id)
	}
	k.changes++
}

func (k *known) get(id AccountID) (h *household, changes uint64) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.kept[id], k.changes
}

// keep keeps what was read since changes were so many.
func (k *known) keep(h *household, changes uint64) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.changes != changes || k.changing[h.account.ID] > 0 {
		return
	}
	if len(k.kept) >= knownMost {
		clear(k.kept)
	}
	k.kept[h.account.ID] = h
}

// household finds an account with its people and registers; NotFound.
func (t *Till) household(ctx context.Context, id AccountID) (*household, error) {
	h, changes := t.known.get(id)
	if h != nil {
		return h, nil
	}
	h, err := read(ctx, t.shelf, func(tx *sqlitefile.Tx) (*household, error) { return householdOf(tx, id) })
	if err != nil {
		return nil, err
	}
	t.known.keep(h, changes)
	return h, nil
}

func householdOf(tx *sqlitefile.Tx, id AccountID) (*household, error) {
	a, err := accountOf(tx, id)
	if err != nil {
		return nil, err
	}
	h := &household{account: a, cashiers: map[uint32]*Cashier{}}
	people, err := rowsOf[Cashier](tx, `SELECT body FROM cashiers WHERE account = ?`, int64(id))
	if err != nil {
		return nil, err
	}
	for i := range people {
		h.cashiers[people[i].Code] = &people[i]
	}
	rows, err := tx.Query(`SELECT id, body FROM registers WHERE account = ? ORDER BY id`, int64(id))
	if err != nil {
		return nil, err
	}
	for rows.Next() {
		r := &Register{ID: fiscal.RegisterID(rows.Int(0)), Account: id}
		if err := json.Unmarshal(rows.Bytes(1), r); err != nil {
			return nil, errors.Join(err, rows.Close())
		}
		h.registers = append(h.registers, r)
	}
	return h, rows.Close()
}
