package sqlite

import (
	"context"
	"fmt"

	"openofd/internal/delivery"
	"openofd/internal/fiscal"
	"openofd/internal/journal"
	"openofd/internal/store/sqlitefile"
)

// KeepSentSummaries notes what was handed over to an authority.
func (db *DB) KeepSentSummaries(ctx context.Context, authority string, all []delivery.SentSummary) error {
	err := db.main.Write(ctx, func(tx *sqlitefile.Tx) error {
		for i := range all {
			s := &all[i]
			if _, err := tx.Exec(`INSERT INTO sent_summaries (authority, register, day, version, at, refused) VALUES (?, ?, ?, ?, ?, ?)
				ON CONFLICT (authority, register, day, version) DO UPDATE SET at = excluded.at, refused = excluded.refused WHERE excluded.refused <> '' OR refused <> ''`,
				authority, int64(s.Register), int64(s.Day), int64(s.Version), journal.Micros(s.At), s.Refused); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("note which summaries were sent: %w", err)
	}
	return nil
}

const sentColumns = `register, day, version, at, refused`

// notOverruled lets through what no later version of the same day followed.
const notOverruled = ` AND NOT EXISTS (SELECT 1 FROM sent_summaries l WHERE l.authority = s.authority AND l.register = s.register AND l.day = s.day AND l.version > s.version)`

func (db *DB) sentSummaries(ctx context.Context, query string, args ...any) (all []delivery.SentSummary, err error) {
	err = db.main.Read(ctx, func(tx *sqlitefile.Tx) error {
		s, err := tx.Query(query, args...)
		if err != nil {
			return err
		}
		for s.Next() {
			all = append(all, delivery.SentSummary{Register: fiscal.RegisterID(s.Int(0)), Day: fiscal.WallTime(s.Int(1)), Version: fiscal.Number(s.Int(2)), At: journal.Instant(s.Int(3)), Refused: s.Text(4)})
		}
		return s.Close()
	})
	if err != nil {
		return nil, fmt.Errorf("read which summaries were sent: %w", err)
	}
	return all, nil
}

// SentSummaries reads those of a register, the newest day first.
func (db *DB) SentSummaries(ctx context.Context, authority string, r fiscal.RegisterID, from, until fiscal.WallTime) ([]delivery.SentSummary, error) {
	return db.sentSummaries(ctx, `SELECT `+sentColumns+` FROM sent_summaries WHERE authority = ? AND register = ? AND day >= ? AND day <= ? ORDER BY day DESC, version DESC`,
		authority, int64(r), int64(from), int64(until))
}

// RefusedSummaries lists refusals that stand, the newest day first.
func (db *DB) RefusedSummaries(ctx context.Context, authority string, before fiscal.DayOf, limit int) ([]delivery.SentSummary, error) {
	return db.sentSummaries(ctx, `SELECT `+sentColumns+` FROM sent_summaries s WHERE authority = ? AND refused <> '' AND (? = 0 OR (day, register) < (?, ?))`+notOverruled+`
		ORDER BY day DESC, register DESC LIMIT ?`, authority, int64(before.Day), int64(before.Day), int64(before.Register), max(limit, 0))
}

// CountRefusedSummaries counts them.
func (db *DB) CountRefusedSummaries(ctx context.Context, authority string) (n int64, err error) {
	err = db.main.Read(ctx, func(tx *sqlitefile.Tx) (err error) {
		n, _, err = tx.QueryInt(`SELECT count(*) FROM sent_summaries s WHERE authority = ? AND refused <> ''`+notOverruled, authority)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("count refused summaries: %w", err)
	}
	return n, nil
}
