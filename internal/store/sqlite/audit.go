package sqlite

import (
	"context"
	"fmt"
	"math"

	"openofd/internal/access"
	"openofd/internal/fiscal"
	"openofd/internal/journal"
	"openofd/internal/store/sqlitefile"
)

// Record appends to the chain of the record's taxpayer.
func (tx accessTx) Record(r *access.Record) error {
	s, err := tx.Query(`SELECT seq, hash FROM audit WHERE taxpayer = ? ORDER BY seq DESC LIMIT 1`, int64(r.Taxpayer))
	if err != nil {
		return err
	}
	var last uint64
	var hash [32]byte
	if s.Next() {
		last = uint64(s.Int(0))
		s.CopyTo(1, hash[:])
	}
	if err := s.Close(); err != nil {
		return err
	}
	r.Seal(last, hash)
	_, err = tx.Exec(`INSERT INTO audit (taxpayer, seq, at, user_id, who, address, act, object, detail, prev, hash) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		int64(r.Taxpayer), int64(r.Seq), journal.Micros(r.At), int64(r.User), r.Who, r.Address, string(r.Act), r.Object, r.Detail, r.Prev[:], r.Hash[:])
	return err
}

const selectAudit = `SELECT taxpayer, seq, at, user_id, who, address, act, object, detail, prev, hash FROM audit WHERE `

// Audit lists records of a chain from before (exclusive; 0: the end) down.
func (db *DB) Audit(ctx context.Context, t fiscal.TaxpayerID, before uint64, limit int) ([]access.Record, error) {
	return db.audit(ctx, selectAudit+`taxpayer = ? AND seq < ? ORDER BY seq DESC LIMIT ?`, int64(t), below(before), limit)
}

// AuditOf lists what one person did outside of organizations.
func (db *DB) AuditOf(ctx context.Context, u access.UserID, before uint64, limit int) ([]access.Record, error) {
	return db.audit(ctx, selectAudit+`taxpayer = 0 AND user_id = ? AND seq < ? ORDER BY seq DESC LIMIT ?`, int64(u), below(before), limit)
}

// AuditChains lists whose chains there are.
func (db *DB) AuditChains(ctx context.Context, after fiscal.TaxpayerID, limit int) (all []fiscal.TaxpayerID, err error) {
	err = db.main.Read(ctx, func(tx *sqlitefile.Tx) error {
		s, err := tx.Query(`SELECT DISTINCT taxpayer FROM audit WHERE taxpayer > ? ORDER BY taxpayer LIMIT ?`, int64(after), limit)
		if err != nil {
			return err
		}
		for s.Next() {
			all = append(all, fiscal.TaxpayerID(s.Int(0)))
		}
		return s.Close()
	})
	return all, err
}

// below is the bound of a list that goes down.
func below(before uint64) int64 {
	if before == 0 || before > math.MaxInt64 {
		return math.MaxInt64
	}
	return int64(before)
}

func (db *DB) audit(ctx context.Context, query string, args ...any) (all []access.Record, err error) {
	err = db.main.Read(ctx, func(tx *sqlitefile.Tx) error {
		s, err := tx.Query(query, args...)
		if err != nil {
			return err
		}
		for s.Next() {
			r := access.Record{
				Taxpayer: fiscal.TaxpayerID(s.Int(0)), Seq: uint64(s.Int(1)), At: journal.Instant(s.Int(2)), User: access.UserID(s.Int(3)),
				Who: s.Text(4), Address: s.Text(5), Act: access.Act(s.Text(6)), Object: s.Text(7), Detail: s.Text(8),
			}
			s.CopyTo(9, r.Prev[:])
			s.CopyTo(10, r.Hash[:])
			all = append(all, r)
		}
		return s.Close()
	})
	if err != nil {
		return nil, fmt.Errorf("read the audit: %w", err)
	}
	return all, nil
}
