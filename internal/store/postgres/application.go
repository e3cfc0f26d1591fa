package postgres

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"openofd/internal/delivery"
	"openofd/internal/fiscal"
	"openofd/internal/journal"
	"openofd/internal/registry"
)

var (
	_ delivery.CourierStore = (*DB)(nil)
	_ registry.ContractFeed = (*DB)(nil)
)

// AddApplication appends a draft with its first event and sets its ID.
func (db *DB) AddApplication(ctx context.Context, a *registry.Application, e registry.ApplicationEvent) error {
	made := *a
	err := db.write(ctx, func(tx pgx.Tx) error {
		id, err := nextID(ctx, tx, "applications")
		if err != nil {
			return err
		}
		made.ID, made.Version = registry.ApplicationID(id), 1
		form, body, err := made.Encode()
		if err != nil {
			return err
		}
		done, err := tx.Exec(ctx, `INSERT INTO applications (id, taxpayer, register, version, due, signed_at, open, kind, status, form, body) VALUES ($1, $2, $3, 1, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT (register) WHERE open DO NOTHING`,
			id, made.Taxpayer, made.Register, journal.Micros(made.NextTry), journal.Micros(made.SignedAt), made.Open(), string(made.Kind), string(made.Status),
			[]byte(told(string(form))), []byte(told(string(body))))
		if err != nil || done.RowsAffected() == 0 {
			return orTaken(err, "application")
		}
		return addApplicationEvents(ctx, tx, &made, e)
	})
	if err != nil {
		return fmt.Errorf("add an application: %w", err)
	}
	*a = made
	return nil
}

// SetApplication replaces what may change of an application.
func (db *DB) SetApplication(ctx context.Context, a *registry.Application, es ...registry.ApplicationEvent) error {
	err := db.write(ctx, func(tx pgx.Tx) error { return setApplication(ctx, tx, a, es...) })
	if err != nil {
		return fmt.Errorf("store application %d: %w", a.ID, err)
	}
	a.Version++
	return nil
}

func setApplication(ctx context.Context, tx pgx.Tx, a *registry.Application, es ...registry.ApplicationEvent) error {
	form, body, err := a.Encode()
	if err != nil {
		return err
	}
	done, err := tx.Exec(ctx, `UPDATE applications SET version = version + 1, due = $1, signed_at = $2, open = $3, status = $4, form = $5, body = $6 WHERE id = $7 AND taxpayer = $8 AND version = $9`,
		journal.Micros(a.NextTry), journal.Micros(a.SignedAt), a.Open(), string(a.Status), []byte(told(string(form))), []byte(told(string(body))), a.ID, a.Taxpayer, int64(a.Version))
	if err == nil && done.RowsAffected() != 1 {
		err = &fiscal.Error{Reason: fiscal.StateMoved, Field: "application"}
	}
	if err != nil {
		return err
	}
	if a.Signature != nil && a.Status == registry.Sent {
		paper, err := json.Marshal(&a.Paper)
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `INSERT INTO application_papers (application, taxpayer, body, content, signature) VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING`,
			a.ID, a.Taxpayer, []byte(told(string(paper))), append([]byte{}, a.Content...), append([]byte{}, a.Signature...)); err != nil {
			return err
		}
	}
	return addApplicationEvents(ctx, tx, a, es...)
}

func addApplicationEvents(ctx context.Context, tx pgx.Tx, a *registry.Application, es ...registry.ApplicationEvent) error {
	for _, e := range es {
		n, _, err := one[int](ctx, tx, `SELECT coalesce(max(number), 0) + 1 FROM application_events WHERE application = $1`, a.ID)
		if err != nil {
			return err
		}
		e.Number = n
		body, err := json.Marshal(e)
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `INSERT INTO application_events (application, number, taxpayer, body) VALUES ($1, $2, $3, $4)`, a.ID, n, a.Taxpayer, []byte(told(string(body)))); err != nil {
			return err
		}
	}
	return nil
}

const (
	selectApplication  = `SELECT a.version, a.form, a.body, coalesce(p.body, '{}'), p.content, p.signature FROM applications a LEFT JOIN application_papers p ON p.application = a.id `
	selectApplications = `SELECT a.version, a.form, a.body, '{}'::json, NULL::bytea, NULL::bytea FROM applications a `
)

func scanApplication(row pgx.CollectableRow) (a registry.Application, err error) {
	var version int64
	var form, body, paper, content, sign []byte
	if err := row.Scan(&version, &form, &body, &paper, &content, &sign); err != nil {
		return a, err
	}
	if err := a.Decode(form, body); err != nil {
		return a, &fiscal.Error{Of: fiscal.Corrupt, Field: "applications", Msg: "a row cannot be read", Err: err}
	}
	if err := json.Unmarshal(paper, &a.Paper); err != nil {
		return a, &fiscal.Error{Of: fiscal.Corrupt, Field: "application_papers", Msg: "a row cannot be read", Err: err}
	}
	a.Version, a.Content, a.Signature = uint64(version), content, sign
	return a, nil
}

// eyes reads with those of one taxpayer, or of the service if t is 0.
func (db *DB) eyes(ctx context.Context, t fiscal.TaxpayerID, do func(asks) error) error {
	if t == 0 {
		return do(db.rest)
	}
	return db.as(ctx, t, func(tx pgx.Tx) error { return do(tx) })
}

// ApplicationOf reads one with its bytes and events.
func (db *DB) ApplicationOf(ctx context.Context, t fiscal.TaxpayerID, id registry.ApplicationID) (a registry.Application, es []registry.ApplicationEvent, err error) {
	err = db.eyes(ctx, t, func(from asks) (err error) {
		if a, err = only(query(ctx, from, scanApplication, selectApplication+`WHERE a.id = $1 AND ($2 = 0 OR a.taxpayer = $2)`, id, int64(t))); err != nil {
			return err
		}
		es, err = list[registry.ApplicationEvent](ctx, from, "application_events", `SELECT body FROM application_events WHERE application = $1 ORDER BY number`, id)
		return err
	})
	return a, es, err
}

// ApplicationsOf lists them without papers, as the scan is ordered.
func (db *DB) ApplicationsOf(ctx context.Context, q registry.ApplicationScan) (all []registry.Application, err error) {
	where, args := `WHERE true`, []any{max(q.Limit, 0)}
	and := func(sql string, v any) {
		args = append(args, v)
		where += fmt.Sprintf(sql, len(args))
	}
	if q.Taxpayer != 0 {
		and(` AND a.taxpayer = $%d`, q.Taxpayer)
	}
	if q.Register != 0 {
		and(` AND a.register = $%d`, q.Register)
	}
	if q.Kind != "" {
		and(` AND a.kind = $%d`, string(q.Kind))
	}
	if q.Status != "" {
		and(` AND a.status = $%d`, string(q.Status))
	}
	order := `a.id DESC`
	switch {
	case q.Order == registry.Oldest:
		order = `a.id`
		and(` AND a.id > $%d`, q.Before)
	case q.Order == registry.ByItsRegister && q.Before != 0:
		and(` AND (a.register, -a.id) > ($%d`, q.Behind)
		and(`, $%d)`, -q.Before)
	case q.Before != 0:
		and(` AND a.id < $%d`, q.Before)
	}
	if q.Order == registry.ByItsRegister {
		order = `a.register, a.id DESC`
	}
	err = db.eyes(ctx, q.Taxpayer, func(from asks) (err error) {
		all, err = query(ctx, from, scanApplication, selectApplications+where+` ORDER BY `+order+` LIMIT $1`, args...)
		return err
	})
	return all, err
}

// TakeApplications takes applications whose time has come; those that another
// node is taking are left to it.
func (db *DB) TakeApplications(ctx context.Context, country string, now, until time.Time, limit int) (all []registry.Application, err error) {
	err = db.write(ctx, func(tx pgx.Tx) error {
		ids, err := query(ctx, tx, pgx.RowTo[int64], `UPDATE applications SET due = $1 WHERE id IN (
			SELECT id FROM applications WHERE due > 0 AND due <= $2 AND body ->> 'country' = $3 ORDER BY due, id LIMIT $4 FOR UPDATE SKIP LOCKED) RETURNING id`,
			journal.Micros(until), journal.Micros(now), country, max(limit, 0))
		if err != nil || len(ids) == 0 {
			return err
		}
		all, err = query(ctx, tx, scanApplication, selectApplication+`WHERE a.id = ANY ($1) ORDER BY a.id`, ids)
		return err
	})
	return all, err
}

// KeepDecisions stores what decisions made of applications, and the bookmark.
func (db *DB) KeepDecisions(ctx context.Context, m registry.Bookmark, all []delivery.Decided) error {
	err := db.write(ctx, func(tx pgx.Tx) error {
		if err := moveBookmark(ctx, tx, m); err != nil {
			return err
		}
		for i := range all {
			if err := setApplication(ctx, tx, &all[i].Application, all[i].Event); err != nil {
				return fmt.Errorf("application %d: %w", all[i].Application.ID, err)
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("store decisions: %w", err)
	}
	return nil
}

func moveBookmark(ctx context.Context, tx pgx.Tx, m registry.Bookmark) error {
	if _, err := tx.Exec(ctx, `INSERT INTO bookmarks (name, place, moved_at) VALUES ($1, '', $2) ON CONFLICT DO NOTHING`, m.Name, journal.Micros(m.At)); err != nil {
		return err
	}
	done, err := tx.Exec(ctx, `UPDATE bookmarks SET place = $1, moved_at = $2 WHERE name = $3 AND place = $4`, told(m.To), journal.Micros(m.At), m.Name, m.From)
	if err == nil && done.RowsAffected() != 1 {
		err = &fiscal.Error{Reason: fiscal.StateMoved, Field: "bookmark"}
	}
	return err
}

// MoveBookmark moves a bookmark.
func (db *DB) MoveBookmark(ctx context.Context, m registry.Bookmark) error {
	return db.write(ctx, func(tx pgx.Tx) error { return moveBookmark(ctx, tx, m) })
}

// BookmarkOf is the place of a name; "" if it was never moved.
func (db *DB) BookmarkOf(ctx context.Context, name string) (string, error) {
	place, _, err := one[string](ctx, db.rest, `SELECT place FROM bookmarks WHERE name = $1`, name)
	return place, err
}

// CountApplications counts a country's that are open.
func (db *DB) CountApplications(ctx context.Context, country string, before time.Time) (delivery.ApplicationCounts, error) {
	type line struct {
		Status       string
		All, Overdue int64
	}
	c := delivery.ApplicationCounts{Open: map[registry.ApplicationStatus]int64{}}
	lines, err := query(ctx, db.rest, pgx.RowToStructByPos[line], `SELECT status, count(*), count(*) FILTER (WHERE signed_at > 0 AND signed_at <= $1 AND status IN ('sent', 'waiting')) FROM applications WHERE open AND body ->> 'country' = $2 GROUP BY status`, journal.Micros(before), country)
	for _, l := range lines {
		c.Open[registry.ApplicationStatus(l.Status)] = l.All
		c.Overdue += l.Overdue
	}
	return c, err
}
