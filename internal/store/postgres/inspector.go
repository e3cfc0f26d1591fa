package postgres

import (
	"time"

	"github.com/jackc/pgx/v5"

	"openofd/internal/access"
	"openofd/internal/journal"
)

func (tx *accessTx) Inspectors(after access.UserID, limit int) ([]access.User, error) {
	return bodies(tx, userKeys, `SELECT id, email, version, body FROM users WHERE id > $1 AND (body -> 'inspector') IS NOT NULL ORDER BY id LIMIT $2`, after, limit)
}

// storedInspection is a ground as it is stored.
type storedInspection struct {
	access.Inspection
	opened, closed int64
}

func (tx *accessTx) inspections(where string, args ...any) ([]access.Inspection, error) {
	stored, err := bodies(tx, func(i *storedInspection) []any { return []any{&i.ID, &i.User, &i.opened, &i.closed, &i.Looks} },
		`SELECT id, user_id, opened, closed, looks, body FROM inspections WHERE `+where, args...)
	all := make([]access.Inspection, len(stored))
	for k, i := range stored {
		all[k] = i.Inspection
		all[k].Opened = journal.Instant(i.opened)
		if i.closed != 0 {
			all[k].Closed = journal.Instant(i.closed)
		}
	}
	return all, err
}

// instant is a time as stored, 0 for none.
func instant(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return journal.Micros(t)
}

func (tx *accessTx) AddInspection(i *access.Inspection) error {
	id, ok, err := one[int64](tx.ctx, tx.asks, `UPDATE counters SET next = next + 1 WHERE name = 'inspections' RETURNING next - 1`)
	if err != nil || !ok {
		return orMissing(err, "counter of inspections")
	}
	i.ID = access.InspectionID(id)
	return tx.put(`INSERT INTO inspections (id, user_id, opened, body) VALUES ($1, $2, $3, $4)`, i, id, i.User, journal.Micros(i.Opened))
}

func (tx *accessTx) Inspection(id access.InspectionID) (access.Inspection, error) {
	return only(tx.inspections(`id = $1`+tx.lock, id))
}

func (tx *accessTx) SetInspection(i *access.Inspection) error {
	return tx.exec(`UPDATE inspections SET closed = $2, looks = $3 WHERE id = $1`, i.ID, instant(i.Closed), int64(i.Looks))
}

func (tx *accessTx) Inspections(u access.UserID, before access.InspectionID, limit int) ([]access.Inspection, error) {
	at := below(uint64(before))
	if u == 0 {
		return tx.inspections(`id < $1 ORDER BY id DESC LIMIT $2`, at, limit)
	}
	return tx.inspections(`user_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3`, u, at, limit)
}

func (tx *accessTx) AddLook(l access.Look) error {
	return tx.exec(`INSERT INTO inspection_looks (inspection, n, at, taxpayer, act, object, address) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
		l.Inspection, int64(l.N), journal.Micros(l.At), l.Taxpayer, string(l.Act), told(l.Object), told(l.Address))
}

func (tx *accessTx) Looks(id access.InspectionID, before uint64, limit int) ([]access.Look, error) {
	return query(tx.ctx, tx.asks, func(row pgx.CollectableRow) (l access.Look, err error) {
		var at int64
		l.Inspection = id
		err = row.Scan(&l.N, &at, &l.Taxpayer, &l.Act, &l.Object, &l.Address)
		l.At = journal.Instant(at)
		return l, err
	}, `SELECT n, at, taxpayer, act, object, address FROM inspection_looks WHERE inspection = $1 AND n < $2 ORDER BY n DESC LIMIT $3`, id, below(before), limit)
}
