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
)

var _ delivery.ReportStore = (*DB)(nil)

func scanDayPart(row pgx.CollectableRow) (d delivery.DayPart, err error) {
	var day, seq int64
	err = row.Scan(&day, &d.Partition, &seq)
	d.Day, d.Seq = fiscal.WallTime(day), journal.Seq(seq)
	return d, err
}

// SummaryDays are the days of which there are summaries.
func (db *DB) SummaryDays(ctx context.Context) ([]delivery.DayPart, error) {
	all, err := query(ctx, db.rest, scanDayPart, `SELECT day, partition, seq FROM summary_days ORDER BY day, partition`)
	if err != nil {
		return nil, fmt.Errorf("read days of summaries: %w", err)
	}
	return all, nil
}

// SentDays is how far an authority has the summaries of each day.
func (db *DB) SentDays(ctx context.Context, authority string) ([]delivery.DayPart, error) {
	all, err := query(ctx, db.rest, scanDayPart, `SELECT day, partition, seq FROM summary_positions WHERE authority = $1`, authority)
	if err != nil {
		return nil, fmt.Errorf("read how far summaries were sent: %w", err)
	}
	return all, nil
}

// KeepSentDays notes more of them.
func (db *DB) KeepSentDays(ctx context.Context, authority string, days []delivery.DayPart) error {
	err := db.write(ctx, func(tx pgx.Tx) error {
		for _, d := range days {
			if _, err := tx.Exec(ctx, `INSERT INTO summary_positions AS p (authority, day, partition, seq) VALUES ($1, $2, $3, $4)
				ON CONFLICT (authority, day, partition) DO UPDATE SET seq = greatest(p.seq, excluded.seq)`, authority, int64(d.Day), d.Partition, int64(d.Seq)); err != nil {
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
func (db *DB) ChangedSummaries(ctx context.Context, d delivery.DayPart, after fiscal.RegisterID, limit int) ([]fiscal.DaySummary, error) {
	all, err := query(ctx, db.rest, scanSummary, `SELECT day, register, body FROM summaries WHERE day = $1 AND partition = $2 AND register > $3 AND seq > $4 ORDER BY register LIMIT $5`,
		int64(d.Day), d.Partition, after, int64(d.Seq), max(limit, 0))
	if err != nil {
		return nil, fmt.Errorf("read summaries of a day: %w", err)
	}
	return all, nil
}

// KeepReconciliation stores one with its differences, and sets its ID.
func (db *DB) KeepReconciliation(ctx context.Context, r *delivery.Reconciliation) error {
	found := []byte("[]")
	var err error
	if len(r.Found) > 0 {
		found, err = json.Marshal(r.Found)
	}
	if err == nil {
		err = db.write(ctx, func(tx pgx.Tx) error {
			return tx.QueryRow(ctx, `INSERT INTO reconciliations (authority, day, began_at, ended_at, asked_by, registers, documents, differences, still, resent, failure, found)
				VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) RETURNING id`,
				r.Authority, int64(r.Day), journal.Micros(r.Began), journal.Micros(r.Ended), told(r.By), r.Registers, r.Documents, r.Differences, r.Open, r.Resent, told(r.Failure), told(string(found))).Scan(&r.ID)
		})
	}
	if err != nil {
		return fmt.Errorf("store the reconciliation: %w", err)
	}
	return nil
}

const reconciliationColumns = `id, authority, day, began_at, ended_at, asked_by, registers, documents, differences, still, resent, failure`

func scanReconciliation(row pgx.CollectableRow) (r delivery.Reconciliation, err error) {
	var day, began, ended int64
	var found string
	if err = row.Scan(&r.ID, &r.Authority, &day, &began, &ended, &r.By, &r.Registers, &r.Documents, &r.Differences, &r.Open, &r.Resent, &r.Failure, &found); err != nil {
		return r, err
	}
	r.Day, r.Began, r.Ended = fiscal.WallTime(day), journal.Instant(began), journal.Instant(ended)
	if found != "" {
		if err := json.Unmarshal([]byte(found), &r.Found); err != nil {
			return r, &fiscal.Error{Of: fiscal.Corrupt, Field: "reconciliations", Err: err}
		}
	}
	return r, nil
}

// Reconciliations lists them without their differences, newest first.
func (db *DB) Reconciliations(ctx context.Context, authority string, before int64, limit int) ([]delivery.Reconciliation, error) {
	all, err := query(ctx, db.rest, scanReconciliation, `SELECT `+reconciliationColumns+`, '' FROM reconciliations WHERE authority = $1 AND (id < $2 OR $2 = 0) ORDER BY id DESC LIMIT $3`, authority, before, max(limit, 0))
	if err != nil {
		return nil, fmt.Errorf("read reconciliations: %w", err)
	}
	return all, nil
}

// Reconciliation reads one.
func (db *DB) Reconciliation(ctx context.Context, id int64) (delivery.Reconciliation, error) {
	all, err := query(ctx, db.rest, scanReconciliation, `SELECT `+reconciliationColumns+`, found::text FROM reconciliations WHERE id = $1`, id)
	if err == nil && len(all) == 0 {
		err = missing("no reconciliation %d", id)
	}
	if err != nil {
		return delivery.Reconciliation{}, fmt.Errorf("read reconciliation %d: %w", id, err)
	}
	return all[0], nil
}

// Batches reads those that were sent from one moment until another.
func (db *DB) Batches(ctx context.Context, authority string, from, until time.Time, after delivery.SentBatch, limit int) ([]delivery.SentBatch, error) {
	all, err := query(ctx, db.rest, func(row pgx.CollectableRow) (b delivery.SentBatch, err error) {
		var first, at int64
		err = row.Scan(&b.Partition, &first, &b.Documents, &b.Bytes, &b.Parked, &at)
		b.First, b.At = journal.Seq(first), journal.Instant(at)
		return b, err
	}, `SELECT partition, first_seq, documents, bytes, parked, sent_at FROM deliveries WHERE authority = $1 AND sent_at >= $2 AND sent_at < $3 AND (partition, first_seq) > ($4, $5)
		ORDER BY partition, first_seq LIMIT $6`, authority, journal.Micros(from), journal.Micros(until), after.Partition, int64(after.First), max(limit, 0))
	if err != nil {
		return nil, fmt.Errorf("read batches: %w", err)
	}
	return all, nil
}

// KeepReport stores a report; AlreadyThere if the day has one.
func (db *DB) KeepReport(ctx context.Context, r delivery.KeptReport) error {
	err := db.write(ctx, func(tx pgx.Tx) error {
		did, err := tx.Exec(ctx, `INSERT INTO day_reports (authority, day, made_at, content) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING`, r.Authority, int64(r.Day), journal.Micros(r.Made), string(r.Content))
		if err == nil && did.RowsAffected() == 0 {
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
	err := db.write(ctx, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, `UPDATE day_reports SET sent_at = $1 WHERE authority = $2 AND day = $3 AND sent_at = 0`, journal.Micros(at), authority, int64(day))
		return err
	})
	if err != nil {
		return fmt.Errorf("note that the report was sent: %w", err)
	}
	return nil
}

// Reports lists reports, the newest day first, before a day.
func (db *DB) Reports(ctx context.Context, authority string, before fiscal.WallTime, limit int) ([]delivery.KeptReport, error) {
	all, err := query(ctx, db.rest, func(row pgx.CollectableRow) (r delivery.KeptReport, err error) {
		var day, made, sent int64
		var content string
		err = row.Scan(&r.Authority, &day, &made, &sent, &content)
		r.Day, r.Made, r.Sent, r.Content = fiscal.WallTime(day), journal.Instant(made), journal.Instant(sent), json.RawMessage(content)
		return r, err
	}, `SELECT authority, day, made_at, sent_at, content FROM day_reports WHERE authority = $1 AND (day < $2 OR $2 = 0) ORDER BY day DESC LIMIT $3`, authority, int64(before), max(limit, 0))
	if err != nil {
		return nil, fmt.Errorf("read reports: %w", err)
	}
	return all, nil
}
