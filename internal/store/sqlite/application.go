package sqlite

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"openofd/internal/delivery"
	"openofd/internal/fiscal"
	"openofd/internal/journal"
	"openofd/internal/registry"
	"openofd/internal/store/sqlitefile"
)

var (
	_ delivery.CourierStore = (*DB)(nil)
	_ registry.ContractFeed = (*DB)(nil)
)

// AddApplication appends a draft with its first event and sets its ID.
func (db *DB) AddApplication(ctx context.Context, a *registry.Application, e registry.ApplicationEvent) error {
	made := *a
	err := db.main.Write(ctx, func(tx *sqlitefile.Tx) error {
		id, _, err := tx.QueryInt(nextID, "applications")
		if err != nil {
			return err
		}
		made.ID, made.Version = registry.ApplicationID(id), 1
		form, body, err := made.Encode()
		if err != nil {
			return err
		}
		_, err = tx.Exec(`INSERT INTO applications (id, taxpayer, register, version, due, signed_at, open, kind, status, form, body) VALUES (?, ?, ?, 1, ?, ?, ?, ?, ?, ?, ?)`,
			id, int64(made.Taxpayer), int64(made.Register), journal.Micros(made.NextTry), journal.Micros(made.SignedAt), truth(made.Open()), string(made.Kind), string(made.Status), string(form), string(body))
		if sqlitefile.Taken(err) {
			return taken("application")
		}
		if err != nil {
			return err
		}
		return addApplicationEvents(tx, &made, e)
	})
	if err != nil {
		return fmt.Errorf("add an application: %w", err)
	}
	*a = made
	return nil
}

func truth(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

// SetApplication replaces what may change of an application.
func (db *DB) SetApplication(ctx context.Context, a *registry.Application, es ...registry.ApplicationEvent) error {
	err := db.main.Write(ctx, func(tx *sqlitefile.Tx) error { return setApplication(tx, a, es...) })
	if err != nil {
		return fmt.Errorf("store application %d: %w", a.ID, err)
	}
	a.Version++
	return nil
}

func setApplication(tx *sqlitefile.Tx, a *registry.Application, es ...registry.ApplicationEvent) error {
	form, body, err := a.Encode()
	if err != nil {
		return err
	}
	n, err := tx.Exec(`UPDATE applications SET version = version + 1, due = ?, signed_at = ?, open = ?, status = ?, form = ?, body = ? WHERE id = ? AND taxpayer = ? AND version = ?`,
		journal.Micros(a.NextTry), journal.Micros(a.SignedAt), truth(a.Open()), string(a.Status), string(form), string(body), int64(a.ID), int64(a.Taxpayer), int64(a.Version))
	if err == nil && n != 1 {
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
		if _, err := tx.Exec(`INSERT INTO application_papers (application, taxpayer, body, content, signature) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
			int64(a.ID), int64(a.Taxpayer), string(paper), blob(a.Content), blob(a.Signature)); err != nil {
			return err
		}
	}
	return addApplicationEvents(tx, a, es...)
}

func addApplicationEvents(tx *sqlitefile.Tx, a *registry.Application, es ...registry.ApplicationEvent) error {
	for _, e := range es {
		n, _, err := tx.QueryInt(`SELECT coalesce(max(number), 0) + 1 FROM application_events WHERE application = ?`, int64(a.ID))
		if err != nil {
			return err
		}
		e.Number = int(n)
		if err := (accessTx{tx}).put(`INSERT INTO application_events (application, number, taxpayer, body) VALUES (?, ?, ?, ?)`, e, int64(a.ID), n, int64(a.Taxpayer)); err != nil {
			return err
		}
	}
	return nil
}

const (
	selectApplication  = `SELECT a.version, a.form, a.body, coalesce(p.body, '{}'), p.content, p.signature FROM applications a LEFT JOIN application_papers p ON p.application = a.id `
	selectApplications = `SELECT a.version, a.form, a.body, '{}', NULL, NULL FROM applications a `
)

// applications reads what selectApplication or selectApplications asks for.
func applications(tx *sqlitefile.Tx, query string, args ...any) (all []registry.Application, err error) {
	s, err := tx.Query(query, args...)
	if err != nil {
		return nil, err
	}
	for s.Next() {
		var a registry.Application
		if e := a.Decode(s.Bytes(1), s.Bytes(2)); e != nil && err == nil {
			err = &fiscal.Error{Of: fiscal.Corrupt, Field: "applications", Msg: "a row cannot be read", Err: e}
		}
		if e := json.Unmarshal(s.Bytes(3), &a.Paper); e != nil && err == nil {
			err = &fiscal.Error{Of: fiscal.Corrupt, Field: "application_papers", Msg: "a row cannot be read", Err: e}
		}
		a.Version, a.Content, a.Signature = uint64(s.Int(0)), some(s.Bytes(4)), some(s.Bytes(5))
		all = append(all, a)
	}
	if e := s.Close(); e != nil {
		err = e
	}
	return all, err
}

// some is nil for no bytes.
func some(b []byte) []byte {
	if len(b) == 0 {
		return nil
	}
	return b
}

// ApplicationOf reads one with its bytes and events.
func (db *DB) ApplicationOf(ctx context.Context, t fiscal.TaxpayerID, id registry.ApplicationID) (a registry.Application, es []registry.ApplicationEvent, err error) {
	err = db.main.Read(ctx, func(tx *sqlitefile.Tx) (err error) {
		if a, err = only(applications(tx, selectApplication+`WHERE a.id = ?1 AND (?2 = 0 OR a.taxpayer = ?2)`, int64(id), int64(t))); err != nil {
			return err
		}
		es, err = rows(accessTx{tx}, func(*sqlitefile.Stmt, *registry.ApplicationEvent) {}, 0, `SELECT body FROM application_events WHERE application = ? ORDER BY number`, int64(id))
		return err
	})
	return a, es, err
}

// ApplicationsOf lists them without papers, as the scan is ordered.
func (db *DB) ApplicationsOf(ctx context.Context, q registry.ApplicationScan) (all []registry.Application, err error) {
	where, args := `WHERE 1 = 1`, []any{}
	and := func(sql string, v any) { where, args = where+sql, append(args, v) }
	if q.Taxpayer != 0 {
		and(` AND a.taxpayer = ?`, int64(q.Taxpayer))
	}
	if q.Register != 0 {
		and(` AND a.register = ?`, int64(q.Register))
	}
	if q.Kind != "" {
		and(` AND a.kind = ?`, string(q.Kind))
	}
	if q.Status != "" {
		and(` AND a.status = ?`, string(q.Status))
	}
	order := `a.id DESC`
	switch {
	case q.Order == registry.Oldest:
		order = `a.id`
		and(` AND a.id > ?`, int64(q.Before))
	case q.Order == registry.ByItsRegister && q.Before != 0:
		and(` AND (a.register, -a.id) > (?`, int64(q.Behind))
		and(`, ?)`, -int64(q.Before))
	case q.Before != 0:
		and(` AND a.id < ?`, int64(q.Before))
	}
	if q.Order == registry.ByItsRegister {
		order = `a.register, a.id DESC`
	}
	err = db.main.Read(ctx, func(tx *sqlitefile.Tx) (err error) {
		all, err = applications(tx, selectApplications+where+` ORDER BY `+order+` LIMIT ?`, append(args, max(q.Limit, 0))...)
		return err
	})
	return all, err
}

// TakeApplications takes applications whose time has come.
func (db *DB) TakeApplications(ctx context.Context, country string, now, until time.Time, limit int) (all []registry.Application, err error) {
	err = db.main.Write(ctx, func(tx *sqlitefile.Tx) (err error) {
		all, err = applications(tx, selectApplication+`WHERE a.due > 0 AND a.due <= ? AND a.body ->> '$.country' = ? ORDER BY a.due, a.id LIMIT ?`, journal.Micros(now), country, max(limit, 0))
		if err != nil {
			return err
		}
		for i := range all {
			if _, err := tx.Exec(`UPDATE applications SET due = ? WHERE id = ?`, journal.Micros(until), int64(all[i].ID)); err != nil {
				return err
			}
		}
		return nil
	})
	return all, err
}

// KeepDecisions stores what decisions made of applications, and the bookmark.
func (db *DB) KeepDecisions(ctx context.Context, m registry.Bookmark, all []delivery.Decided) error {
	err := db.main.Write(ctx, func(tx *sqlitefile.Tx) error {
		if err := moveBookmark(tx, m); err != nil {
			return err
		}
		for i := range all {
			if err := setApplication(tx, &all[i].Application, all[i].Event); err != nil {
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

func moveBookmark(tx *sqlitefile.Tx, m registry.Bookmark) error {
	if _, err := tx.Exec(`INSERT INTO bookmarks (name, place, moved_at) VALUES (?, '', ?) ON CONFLICT DO NOTHING`, m.Name, journal.Micros(m.At)); err != nil {
		return err
	}
	n, err := tx.Exec(`UPDATE bookmarks SET place = ?, moved_at = ? WHERE name = ? AND place = ?`, m.To, journal.Micros(m.At), m.Name, m.From)
	if err == nil && n != 1 {
		err = &fiscal.Error{Reason: fiscal.StateMoved, Field: "bookmark"}
	}
	return err
}

// MoveBookmark moves a bookmark.
func (db *DB) MoveBookmark(ctx context.Context, m registry.Bookmark) error {
	return db.main.Write(ctx, func(tx *sqlitefile.Tx) error { return moveBookmark(tx, m) })
}

// BookmarkOf is the place of a name; "" if it was never moved.
func (db *DB) BookmarkOf(ctx context.Context, name string) (place string, err error) {
	err = db.main.Read(ctx, func(tx *sqlitefile.Tx) error {
		s, err := tx.Query(`SELECT place FROM bookmarks WHERE name = ?`, name)
		if err != nil {
			return err
		}
		for s.Next() {
			place = s.Text(0)
		}
		return s.Close()
	})
	return place, err
}

// CountApplications counts a country's that are open.
func (db *DB) CountApplications(ctx context.Context, country string, before time.Time) (c delivery.ApplicationCounts, err error) {
	c.Open = map[registry.ApplicationStatus]int64{}
	err = db.main.Read(ctx, func(tx *sqlitefile.Tx) error {
		s, err := tx.Query(`SELECT status, count(*), sum(signed_at > 0 AND signed_at <= ? AND status IN ('sent', 'waiting')) FROM applications WHERE open = 1 AND body ->> '$.country' = ? GROUP BY status`, journal.Micros(before), country)
		if err != nil {
			return err
		}
		for s.Next() {
			c.Open[registry.ApplicationStatus(s.Text(0))] = s.Int(1)
			c.Overdue += s.Int(2)
		}
		return s.Close()
	})
	return c, err
}
