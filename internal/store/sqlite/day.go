package sqlite

import (
	"context"
	"fmt"

	"openofd/internal/cabinet"
	"openofd/internal/fiscal"
	"openofd/internal/journal"
	"openofd/internal/store/sqlitefile"
)

func keepSummaries(tx *sqlitefile.Tx, p *cabinet.Page) error {
	if len(p.Summaries) == 0 {
		return nil
	}
	row, err := tx.Prepare(`INSERT INTO summaries (day, register, seq, body) VALUES (?, ?, ?, ?) ON CONFLICT (day, register) DO UPDATE SET seq = excluded.seq, body = excluded.body`)
	if err != nil {
		return err
	}
	ends := make(map[fiscal.WallTime]journal.Seq)
	var body []byte
	for i := range p.Summaries {
		s := &p.Summaries[i]
		body = s.Append(body[:0])
		row.BindInt(1, int64(s.Day))
		row.BindInt(2, int64(s.Register))
		row.BindInt(3, int64(s.Seq))
		row.BindBytes(4, body)
		if _, err := row.Exec(); err != nil {
			return err
		}
		ends[s.Day] = max(ends[s.Day], s.Seq)
	}
	for _, l := range p.Latest {
		if _, err := tx.Exec(`INSERT INTO summary_latest (register, day) VALUES (?, ?) ON CONFLICT (register) DO UPDATE SET day = excluded.day`, int64(l.Register), int64(l.Day)); err != nil {
			return err
		}
	}
	for day, seq := range ends {
		if _, err := tx.Exec(`INSERT INTO summary_days (day, seq) VALUES (?, ?) ON CONFLICT (day) DO UPDATE SET seq = max(seq, excluded.seq)`, int64(day), int64(seq)); err != nil {
			return err
		}
	}
	return nil
}

// DaySummaries reads those that are there, in any order.
func (db *DB) DaySummaries(ctx context.Context, p fiscal.Partition, of []fiscal.DayOf) (all []fiscal.DaySummary, err error) {
	if err := known(p); err != nil {
		return nil, err
	}
	err = db.cabinet.Read(ctx, func(tx *sqlitefile.Tx) error {
		for _, id := range of {
			query, day := `SELECT day, register, body FROM summaries WHERE register = ? AND day = ?`, []any{int64(id.Register), int64(id.Day)}
			if id.Day == 0 {
				query, day = `SELECT s.day, s.register, s.body FROM summary_latest l CROSS JOIN summaries s ON s.day = l.day AND s.register = l.register WHERE l.register = ?`, day[:1]
			}
			s, err := tx.Query(query, day...)
			if err != nil {
				return err
			}
			if all, err = summaryRows(s, all); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read summaries of days: %w", err)
	}
	return all, nil
}

// summaryRows takes the rows of a query: day, register, body.
func summaryRows(s *sqlitefile.Stmt, all []fiscal.DaySummary) ([]fiscal.DaySummary, error) {
	var damaged error
	for s.Next() {
		d, err := fiscal.ParseDaySummary(s.Bytes(2))
		if err != nil {
			damaged = err
			continue
		}
		d.Day, d.Register = fiscal.WallTime(s.Int(0)), fiscal.RegisterID(s.Int(1))
		all = append(all, d)
	}
	if err := s.Close(); err != nil {
		return nil, err
	}
	return all, damaged
}
