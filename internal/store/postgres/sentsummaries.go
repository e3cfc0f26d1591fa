package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"openofd/internal/delivery"
	"openofd/internal/fiscal"
	"openofd/internal/journal"
)

// KeepSentSummaries notes what was handed over to an authority.
func (db *DB) KeepSentSummaries(ctx context.Context, authority string, all []delivery.SentSummary) error {
	if len(all) == 0 {
		return nil
	}
	var rows columns
	why := make([]string, len(all))
	for i := range all {
		s := &all[i]
		rows.add(int64(s.Register), int64(s.Day), int64(s.Version), journal.Micros(s.At))
		why[i] = told(s.Refused)
	}
	err := db.write(ctx, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, `INSERT INTO sent_summaries AS s (register, day, version, at, refused, authority)
			SELECT k.*, $6 FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::text[]) AS k
			ON CONFLICT (authority, register, day, version) DO UPDATE SET at = excluded.at, refused = excluded.refused WHERE excluded.refused <> '' OR s.refused <> ''`,
			rows[0], rows[1], rows[2], rows[3], why, authority)
		return err
	})
	if err != nil {
		return fmt.Errorf("note which summaries were sent: %w", err)
	}
	return nil
}

const sentColumns = `register, day, version, at, refused`

// notOverruled lets through what no later version of the same day followed.
const notOverruled = ` AND NOT EXISTS (SELECT FROM sent_summaries l WHERE l.authority = s.authority AND l.register = s.register AND l.day = s.day AND l.version > s.version)`

func scanSent(row pgx.CollectableRow) (s delivery.SentSummary, err error) {
	var day, version, at int64
	err = row.Scan(&s.Register, &day, &version, &at, &s.Refused)
	s.Day, s.Version, s.At = fiscal.WallTime(day), fiscal.Number(version), journal.Instant(at)
	return s, err
}

// SentSummaries reads those of a register, the newest day first.
func (db *DB) SentSummaries(ctx context.Context, authority string, r fiscal.RegisterID, from, until fiscal.WallTime) ([]delivery.SentSummary, error) {
	all, err := query(ctx, db.rest, scanSent, `SELECT `+sentColumns+` FROM sent_summaries WHERE authority = $1 AND register = $2 AND day >= $3 AND day <= $4 ORDER BY day DESC, version DESC`,
		authority, r, int64(from), int64(until))
	if err != nil {
		return nil, fmt.Errorf("read which summaries were sent: %w", err)
	}
	return all, nil
}

// RefusedSummaries lists refusals that stand, the newest day first.
func (db *DB) RefusedSummaries(ctx context.Context, authority string, before fiscal.DayOf, limit int) ([]delivery.SentSummary, error) {
	all, err := query(ctx, db.rest, scanSent, `SELECT `+sentColumns+` FROM sent_summaries s WHERE authority = $1 AND refused <> '' AND ($2::bigint = 0 OR (day, register) < ($2, $3))`+notOverruled+`
		ORDER BY day DESC, register DESC LIMIT $4`, authority, int64(before.Day), before.Register, max(limit, 0))
	if err != nil {
		return nil, fmt.Errorf("read refused summaries: %w", err)
	}
	return all, nil
}

// CountRefusedSummaries counts them.
func (db *DB) CountRefusedSummaries(ctx context.Context, authority string) (int64, error) {
	n, _, err := one[int64](ctx, db.rest, `SELECT count(*) FROM sent_summaries s WHERE authority = $1 AND refused <> ''`+notOverruled, authority)
	if err != nil {
		return 0, fmt.Errorf("count refused summaries: %w", err)
	}
	return n, nil
}
