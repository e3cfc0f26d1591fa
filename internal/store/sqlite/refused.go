package sqlite

import (
	"context"
	"fmt"

	"openofd/internal/fiscal"
	"openofd/internal/journal"
	"openofd/internal/store/sqlitefile"
)

// KeepRefused stores refused documents, at most perDay a register and day
// (UTC). What is beyond is dropped without a word.
func (db *DB) KeepRefused(ctx context.Context, all []journal.Refused, perDay int) error {
	if len(all) == 0 {
		return nil
	}
	err := db.main.Write(ctx, func(tx *sqlitefile.Tx) error {
		for i := range all {
			r := &all[i]
			if _, err := tx.Exec(`INSERT INTO refused (partition, register, day, at, reason, field, detail, peer, request)
				SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9
				WHERE (SELECT count(*) FROM refused WHERE register = ?2 AND day = ?3) < ?10`,
				int64(r.Partition), int64(r.Register), r.At.Unix()/86_400, journal.Micros(r.At), r.Reason.String(), r.Field, r.Detail, r.Peer, r.Request, perDay); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("store refused documents: %w", err)
	}
	return nil
}

// Refused reads what was refused to a register, newest first.
func (db *DB) Refused(ctx context.Context, r fiscal.RegisterID, limit int) (all []journal.Refused, err error) {
	err = db.main.Read(ctx, func(tx *sqlitefile.Tx) error {
		s, err := tx.Query(`SELECT partition, register, at, reason, field, detail, peer, request FROM refused
			WHERE register = ? ORDER BY day DESC, id DESC LIMIT ?`, int64(r), int64(limit))
		if err != nil {
			return err
		}
		for s.Next() {
			all = append(all, journal.Refused{
				Partition: fiscal.Partition(s.Int(0)), Register: fiscal.RegisterID(s.Int(1)), At: journal.Instant(s.Int(2)),
				Reason: fiscal.ParseReason(s.Text(3)), Field: s.Text(4), Detail: s.Text(5), Peer: s.Text(6), Request: s.Bytes(7),
			})
		}
		return s.Close()
	})
	if err != nil {
		return nil, fmt.Errorf("read what was refused to register %d: %w", r, err)
	}
	return all, nil
}
