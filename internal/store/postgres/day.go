package postgres

import (
	"context"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"

	"openofd/internal/cabinet"
	"openofd/internal/fiscal"
	"openofd/internal/journal"
)

func keepSummaries(ctx context.Context, tx pgx.Tx, p *cabinet.Page) error {
	if len(p.Summaries) == 0 {
		return nil
	}
	type end struct {
		day       fiscal.WallTime
		partition fiscal.Partition
	}
	ends := make(map[end]journal.Seq)
	var rows, latest, days columns
	bodies := make([][]byte, 0, len(p.Summaries))
	for i := range p.Summaries {
		s := &p.Summaries[i]
		rows.add(int64(s.Day), int64(s.Register), int64(s.Seq), int64(s.Partition))
		bodies = append(bodies, s.Append(nil))
		at := end{s.Day, s.Partition}
		ends[at] = max(ends[at], s.Seq)
	}
	if _, err := tx.Exec(ctx, `INSERT INTO summaries (day, register, seq, partition, body) SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bytea[])
		ON CONFLICT (day, partition, register) DO UPDATE SET seq = excluded.seq, body = excluded.body`, rows[0], rows[1], rows[2], rows[3], bodies); err != nil {
		return err
	}
	for _, l := range p.Latest {
		latest.add(int64(l.Register), int64(l.Day), int64(p.Summaries[0].Partition))
	}
	if err := latest.insert(ctx, tx, "summary_latest", []string{"register", "day", "partition"}, ` ON CONFLICT (register, partition) DO UPDATE SET day = excluded.day`); err != nil {
		return err
	}
	for at, seq := range ends {
		days.add(int64(at.day), int64(seq), int64(at.partition))
	}
	return days.insert(ctx, tx, "summary_days", []string{"day", "seq", "partition"}, ` ON CONFLICT (day, partition) DO UPDATE SET seq = greatest(t.seq, excluded.seq)`)
}

func scanSummary(row pgx.CollectableRow) (s fiscal.DaySummary, err error) {
	var day int64
	var register fiscal.RegisterID
	var body []byte
	if err = row.Scan(&day, &register, &body); err != nil {
		return s, err
	}
	s, err = fiscal.ParseDaySummary(body)
	s.Day, s.Register = fiscal.WallTime(day), register
	return s, err
}

// DaySummaries reads those that are there, in any order.
func (db *DB) DaySummaries(ctx context.Context, p fiscal.Partition, of []fiscal.DayOf) ([]fiscal.DaySummary, error) {
	if err := db.known(p); err != nil {
		return nil, err
	}
	var days columns
	var latest []int64
	for _, id := range of {
		if id.Day == 0 {
			latest = append(latest, int64(id.Register))
		} else {
			days.add(int64(id.Register), int64(id.Day))
		}
	}
	var all []fiscal.DaySummary
	for _, ask := range []struct {
		sql  string
		args []any
		any  bool
	}{
		{`SELECT day, register, body FROM summaries JOIN unnest($2::bigint[], $3::bigint[]) AS k (r, d) ON day = d AND register = r WHERE partition = $1`, append([]any{p}, each(days)...), len(days) > 0},
		{`SELECT s.day, s.register, s.body FROM summary_latest l JOIN summaries s ON s.day = l.day AND s.register = l.register AND s.partition = l.partition
			WHERE l.partition = $1 AND l.register = ANY ($2::bigint[])`, []any{p, latest}, len(latest) > 0},
	} {
		if !ask.any {
			continue
		}
		some, err := query(ctx, db.rest, scanSummary, ask.sql, ask.args...)
		if err != nil {
			return nil, fmt.Errorf("read summaries of days: %w", err)
		}
		all = slices.Concat(all, some)
	}
	return all, nil
}

// each gives columns as arguments.
func each(c columns) (args []any) {
	for i := range c {
		args = append(args, c[i])
	}
	return args
}
