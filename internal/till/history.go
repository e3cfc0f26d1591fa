package till

import (
	"context"
	"encoding/json"
	"strconv"

	"openofd/internal/fiscal"
	"openofd/internal/store/sqlitefile"
)

// columns of a document, in the order of scan.
const columns = `id, register, number, made, shift, kind, coalesce(draft, ''), fate, body`

func scan(rows *sqlitefile.Stmt) (d Document, err error) {
	if err := json.Unmarshal(rows.Bytes(8), &d); err != nil {
		return d, &fiscal.Error{Of: fiscal.Corrupt, Field: "history", Err: err}
	}
	d.ID, d.Register, d.Number, d.Made = rows.Int(0), fiscal.RegisterID(rows.Int(1)), uint64(rows.Int(2)), fiscal.WallTime(rows.Int(3))
	d.Shift, d.Kind, d.Draft, d.Fate = uint32(rows.Int(4)), Kind(rows.Text(5)), rows.Text(6), Fate(rows.Text(7))
	return d, nil
}

// find reads one document; NotFound.
func (t *Till) find(ctx context.Context, where string, args ...any) (Document, error) {
	all, err := t.list(ctx, where+` LIMIT 1`, args...)
	if err != nil {
		return Document{}, err
	}
	if len(all) == 0 {
		return Document{}, &fiscal.Error{Reason: fiscal.NothingThere, Field: "document"}
	}
	return all[0], nil
}

func (t *Till) list(ctx context.Context, where string, args ...any) ([]Document, error) {
	return read(ctx, t.shelf, func(tx *sqlitefile.Tx) (all []Document, err error) {
		rows, err := tx.Query(`SELECT `+columns+` FROM documents WHERE `+where, args...)
		if err != nil {
			return nil, err
		}
		for rows.Next() {
			d, err := scan(rows)
			if err != nil {
				_ = rows.Close()
				return nil, err
			}
			all = append(all, d)
		}
		return all, rows.Close()
	})
}

// HistoryQuery asks for what a register made, the latest first.
type HistoryQuery struct {
	Kind     Kind            // "": every kind
	Shift    uint32          // 0: every shift
	From, To fiscal.WallTime // both included; 0: no border
	Before   int64           // ID of the last document of the page before
	Limit    int             // 1 to 100; 0 means 30
}

// History lists documents. A cashier without MaySeeAll sees their own.
//
// Errors: Unauthenticated; NotFound for another's register.
// Source: requirements E-151 to E-153.
func (t *Till) History(ctx context.Context, s *Seat, id fiscal.RegisterID, q HistoryQuery) (all []Document, more bool, err error) {
	if _, err := t.Register(ctx, s, id); err != nil {
		return nil, false, err
	}
	if s.Cashier.Code == 0 {
		return nil, false, s.must(MaySeeAll)
	}
	if q.Limit <= 0 || q.Limit > 100 {
		q.Limit = 30
	}
	where, args := `register = ? AND fate <> 'refused'`, []any{int64(id)}
	also := func(condition string, arg any) { where, args = where+` AND `+condition, append(args, arg) }
	if q.Kind != "" {
		also(`kind = ?`, string(q.Kind))
	}
	if q.Shift != 0 {
		also(`shift = ?`, int64(q.Shift))
	}
	if q.From != 0 {
		also(`made >= ?`, int64(q.From))
	}
	if q.To != 0 {
		also(`made <= ?`, int64(q.To))
	}
	if q.Before != 0 {
		also(`id < ?`, q.Before)
	}
	if !s.Cashier.May(MaySeeAll) {
		also(`json_extract(body, '$.cashier.code') = ?`, int64(s.Cashier.Code))
	}
	all, err = t.list(ctx, where+` ORDER BY id DESC LIMIT `+strconv.Itoa(q.Limit+1), args...)
	if more = len(all) > q.Limit; more {
		all = all[:q.Limit]
	}
	return all, more, err
}

// justMade is a document of the account that is the last one of its register: a
// receipt is shown as soon as it is made. A Z report remembers that it was shown,
// so it is always read.
func (t *Till) justMade(ctx context.Context, s *Seat, id int64) (Document, bool) {
	h, err := t.household(ctx, s.Account.ID)
	if err != nil {
		return Document{}, false
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, r := range h.registers {
		if desk := t.open[r.ID]; desk != nil {
			if d, _ := desk.memory.last(); d.ID == id && id > 0 && d.Kind != KindZ && d.Fate != Refused {
				return d, true
			}
		}
	}
	return Document{}, false
}

// Document is one that a register of the account made.
func (t *Till) Document(ctx context.Context, s *Seat, id int64) (Document, Register, error) {
	d, ok := t.justMade(ctx, s, id)
	if !ok {
		var err error
		if d, err = t.find(ctx, `id = ? AND fate <> 'refused'`, id); err != nil {
			return d, Register{}, err
		}
	}
	r, err := t.Register(ctx, s, d.Register)
	switch {
	case err != nil:
		return Document{}, r, &fiscal.Error{Reason: fiscal.NothingThere, Field: "document"}
	case s.Cashier.Code == 0:
		return Document{}, r, s.must(MaySeeAll)
	case d.Cashier.Code != s.Cashier.Code && !s.Cashier.May(MaySeeAll):
		return Document{}, r, &fiscal.Error{Reason: fiscal.NothingThere, Field: "document"}
	}
	return d, r, nil
}
