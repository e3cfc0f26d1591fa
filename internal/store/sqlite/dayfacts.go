package sqlite

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"openofd/internal/delivery"
	"openofd/internal/fiscal"
	"openofd/internal/journal"
	"openofd/internal/store/sqlitefile"
)

var _ delivery.ReportStore = (*DB)(nil)

// dayParts reads day, partition and seq.
func dayParts(ctx context.Context, f *sqlitefile.File, query string, args ...any) (all []delivery.DayPart, err error) {
	err = f.Read(ctx, func(tx *sqlitefile.Tx) error {
		s, err := tx.Query(query, args...)
		if err != nil {
			return err
		}
		for s.Next() {
			all = append(all, delivery.DayPart{Day: fiscal.WallTime(s.Int(0)), Partition: fiscal.Partition(s.Int(1)), Seq: journal.Seq(s.Int(2))})
		}
		return s.Close()
	})
	if err != nil {
		return nil, fmt.Errorf("read days of summaries: %w", err)
	}
	return all, nil
}

// SummaryDays are the days of which there are summaries.
func (db *DB) SummaryDays(ctx context.Context) ([]delivery.DayPart, error) {
	return dayParts(ctx, db.cabinet, `SELECT day, 0, seq FROM summary_days ORDER BY day`)
}

// SentDays is how far an authority has the summaries of each day.
func (db *DB) SentDays(ctx context.Context, authority string) ([]delivery.DayPart, error) {
	return dayParts(ctx, db.main, `SELECT day, partition, seq FROM summary_positions WHERE authority = ?`, authority)
}

// KeepSentDays notes more of them.
func (db *DB) KeepSentDays(ctx context.Context, authority string, days []delivery.DayPart) error {
	err := db.main.Write(ctx, func(tx *sqlitefile.Tx) error {
		for _, d := range days {
			if _, err := tx.Exec(`INSERT INTO summary_positions (authority, day, partition, seq) VALUES (?, ?, ?, ?)
				ON CONFLICT (authority, day, partition) DO UPDATE SET seq = max(seq, excluded.seq)`, authority, int64(d.Day), int64(d.Partition), int64(d.Seq)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("note what summaries were sent: %w", err)
	}
	return nil
}

// ChangedSummaries reads summaries of a day that an entry behind seq has
// changed, by register, behind one.
func (db *DB) ChangedSummaries(ctx context.Context, d delivery.DayPart, after fiscal.RegisterID, limit int) (all []fiscal.DaySummary, err error) {
	if err := known(d.Partition); err != nil {
		return nil, err
	}
	err = db.cabinet.Read(ctx, func(tx *sqlitefile.Tx) error {
		s, err := tx.Query(`SELECT day, register, body FROM summaries WHERE day = ? AND register > ? AND seq > ? ORDER BY register LIMIT ?`, int64(d.Day), int64(after), int64(d.Seq), max(limit, 0))
		if err != nil {
			return err
		}
		all, err = summaryRows(s, nil)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read summaries of a day: %w", err)
	}
	return all, nil
}

// KeepReconciliation stores one with its differences, and sets its ID.
func (db *DB) KeepReconciliation(ctx context.Context, r *delivery.Reconciliation) error {
	found, err := foundText(r)
	if err == nil {
		err = db.main.Write(ctx, func(tx *sqlitefile.Tx) (err error) {
			r.ID, _, err = tx.QueryInt(`INSERT INTO reconciliations (authority, day, began_at, ended_at, asked_by, registers, documents, differences, still, resent, failure, found)
				VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id`,
				r.Authority, int64(r.Day), journal.Micros(r.Began), journal.Micros(r.Ended), r.By, r.Registers, r.Documents, r.Differences, r.Open, r.Resent, r.Failure, found)
			return err
		})
	}
	if err != nil {
		return fmt.Errorf("store the reconciliation: %w", err)
	}
	return nil
}

func foundText(r *delivery.Reconciliation) (string, error) {
	if len(r.Found) == 0 {
		return "[]", nil
	}
	b, err := json.Marshal(r.Found)
	return string(b), err
}

const reconciliationColumns = `id, authority, day, began_at, ended_at, asked_by, registers, documents, differences, still, resent, failure`

func (db *DB) reconciliations(ctx context.Context, query string, args ...any) (all []delivery.Reconciliation, err error) {
	err = db.main.Read(ctx, func(tx *sqlitefile.Tx) error {
		s, err := tx.Query(query, args...)
		if err != nil {
			return err
		}
		var damaged error
		for s.Next() {
			r := delivery.Reconciliation{
				ID: s.Int(0), Authority: s.Text(1), Day: fiscal.WallTime(s.Int(2)), Began: journal.Instant(s.Int(3)), Ended: journal.Instant(s.Int(4)), By: s.Text(5),
				Registers: int(s.Int(6)), Documents: s.Int(7), Differences: int(s.Int(8)), Open: int(s.Int(9)), Resent: int(s.Int(10)), Failure: s.Text(11),
			}
			if found := s.Text(12); found != "" {
				if err := json.Unmarshal([]byte(found), &r.Found); err != nil {
					damaged = &fiscal.Error{Of: fiscal.Corrupt, Field: "reconciliations", Err: err}
				}
			}
			all = append(all, r)
		}
		if err := s.Close(); err != nil {
			return err
		}
		return damaged
	})
	if err != nil {
		return nil, fmt.Errorf("read reconciliations: %w", err)
	}
	return all, nil
}

// Reconciliations lists them without their differences, newest first.
func (db *DB) Reconciliations(ctx context.Context, authority string, before int64, limit int) ([]delivery.Reconciliation, error) {
	return db.reconciliations(ctx, `SELECT `+reconciliationColumns+`, '' FROM reconciliations WHERE authority = ? AND (id < ? OR ? = 0) ORDER BY id DESC LIMIT ?`, authority, before, before, max(limit, 0))
}

// Reconciliation reads one.
func (db *DB) Reconciliation(ctx context.Context, id int64) (delivery.Reconciliation, error) {
	all, err := db.reconciliations(ctx, `SELECT `+reconciliationColumns+`, found FROM reconciliations WHERE id = ?`, id)
	if err == nil && len(all) == 0 {
		err = missing("no reconciliation %d", id)
	}
	if err != nil {
		return delivery.Reconciliation{}, err
	}
	return all[0], nil
}

// Batches reads those that were sent from one moment until another.
func (db *DB) Batches(ctx context.Context, authority string, from, until time.Time, after delivery.SentBatch, limit int) (all []delivery.SentBatch, err error) {
	err = db.main.Read(ctx, func(tx *sqlitefile.Tx) error {
		s, err := tx.Query(`SELECT partition, first_seq, documents, bytes, parked, sent_at FROM deliveries WHERE authority = ? AND sent_at >= ? AND sent_at < ? AND (partition, first_seq) > (?, ?)
			ORDER BY partition, first_seq LIMIT ?`, authority, journal.Micros(from), journal.Micros(until), int64(after.Partition), int64(after.First), max(limit, 0))
		if err != nil {
			return err
		}
		for s.Next() {
			all = append(all, delivery.SentBatch{Partition: fiscal.Partition(s.Int(0)), First: journal.Seq(s.Int(1)), Documents: int(s.Int(2)), Bytes: s.Int(3), Parked: int(s.Int(4)), At: journal.Instant(s.Int(5))})
		}
		return s.Close()
	})
	if err != nil {
		return nil, fmt.Errorf("read batches: %w", err)
	}
	return all, nil
}

// KeepReport stores a report; AlreadyThere if the day has one.
func (db *DB) KeepReport(ctx context.Context, r delivery.KeptReport) error {
	err := db.main.Write(ctx, func(tx *sqlitefile.Tx) error {
		n, err := tx.Exec(`INSERT INTO day_reports (authority, day, made_at, content) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING`, r.Authority, int64(r.Day), journal.Micros(r.Made), string(r.Content))
		if err == nil && n == 0 {
			err = &fiscal.Error{Reason: fiscal.AlreadyThere, Field: "day"}
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("store the report: %w", err)
	}
	return nil
}

// ReportSent notes when a report was handed over, once.
func (db *DB) ReportSent(ctx context.Context, authority string, day fiscal.WallTime, at time.Time) error {
	err := db.main.Write(ctx, func(tx *sqlitefile.Tx) error {
		_, err := tx.Exec(`UPDATE day_reports SET sent_at = ? WHERE authority = ? AND day = ? AND sent_at = 0`, journal.Micros(at), authority, int64(day))
		return err
	})
	if err != nil {
		return fmt.Errorf("note that the report was sent: %w", err)
	}
	return nil
}

// Reports lists reports, the newest day first, before a day.
func (db *DB) Reports(ctx context.Context, authority string, before fiscal.WallTime, limit int) (all []delivery.KeptReport, err error) {
	err = db.main.Read(ctx, func(tx *sqlitefile.Tx) error {
		s, err := tx.Query(`SELECT authority, day, made_at, sent_at, content FROM day_reports WHERE authority = ? AND (day < ? OR ? = 0) ORDER BY day DESC LIMIT ?`, authority, int64(before), int64(before), max(limit, 0))
		if err != nil {
			return err
		}
		for s.Next() {
			all = append(all, delivery.KeptReport{Authority: s.Text(0), Day: fiscal.WallTime(s.Int(1)), Made: journal.Instant(s.Int(2)), Sent: journal.Instant(s.Int(3)), Content: json.RawMessage(s.Text(4))})
		}
		return s.Close()
	})
	if err != nil {
		return nil, fmt.Errorf("read reports: %w", err)
	}
	return all, nil
}
