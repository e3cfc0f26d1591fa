package postgres

import (
	"context"
	"fmt"
	"math"

	"github.com/jackc/pgx/v5"

	"openofd/internal/access"
	"openofd/internal/fiscal"
	"openofd/internal/journal"
)

// auditLock is the lock of a chain, with the taxpayer's number behind it: who
// appends waits for who appended before, until that is committed.
const auditLock = int64(0x0FD) << 48

// Record appends to the chain of the record's taxpayer.
func (tx *accessTx) Record(r *access.Record) error {
	if _, err := tx.writes.Exec(tx.ctx, `SELECT pg_advisory_xact_lock($1)`, auditLock+int64(r.Taxpayer)); err != nil {
		return named(err)
	}
	r.Who, r.Address, r.Object, r.Detail = told(r.Who), told(r.Address), told(r.Object), told(r.Detail)
	type end struct {
		Seq  int64
		Hash []byte
	}
	all, err := query(tx.ctx, tx.asks, pgx.RowToStructByPos[end], `SELECT seq, hash FROM audit WHERE taxpayer = $1 ORDER BY seq DESC LIMIT 1`, r.Taxpayer)
	if err != nil {
		return err
	}
	var last uint64
	var hash [32]byte
	if len(all) == 1 {
		last = uint64(all[0].Seq)
		copy(hash[:], all[0].Hash)
	}
	r.Seal(last, hash)
	return tx.exec(`INSERT INTO audit (taxpayer, seq, at, user_id, who, address, act, object, detail, prev, hash) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
		r.Taxpayer, int64(r.Seq), journal.Micros(r.At), r.User, r.Who, r.Address, string(r.Act), r.Object, r.Detail, r.Prev[:], r.Hash[:])
}

const selectAudit = `SELECT taxpayer, seq, at, user_id, who, address, act, object, detail, prev, hash FROM audit WHERE `

// Audit lists records of a chain from before (exclusive; 0: the end) down.
func (db *DB) Audit(ctx context.Context, t fiscal.TaxpayerID, before uint64, limit int) ([]access.Record, error) {
	return db.audit(ctx, selectAudit+`taxpayer = $1 AND seq < $2 ORDER BY seq DESC LIMIT $3`, t, below(before), limit)
}

// AuditOf lists what one person did outside of organizations.
func (db *DB) AuditOf(ctx context.Context, u access.UserID, before uint64, limit int) ([]access.Record, error) {
	return db.audit(ctx, selectAudit+`taxpayer = 0 AND user_id = $1 AND seq < $2 ORDER BY seq DESC LIMIT $3`, u, below(before), limit)
}

// AuditChains lists whose chains there are.
func (db *DB) AuditChains(ctx context.Context, after fiscal.TaxpayerID, limit int) ([]fiscal.TaxpayerID, error) {
	return query(ctx, db.rest, pgx.RowTo[fiscal.TaxpayerID], `SELECT DISTINCT taxpayer FROM audit WHERE taxpayer > $1 ORDER BY taxpayer LIMIT $2`, after, limit)
}

// below is the bound of a list that goes down.
func below(before uint64) int64 {
	if before == 0 || before > math.MaxInt64 {
		return math.MaxInt64
	}
	return int64(before)
}

func (db *DB) audit(ctx context.Context, sql string, args ...any) ([]access.Record, error) {
	all, err := query(ctx, db.rest, func(row pgx.CollectableRow) (r access.Record, err error) {
		var at int64
		var prev, hash []byte
		err = row.Scan(&r.Taxpayer, &r.Seq, &at, &r.User, &r.Who, &r.Address, &r.Act, &r.Object, &r.Detail, &prev, &hash)
		r.At = journal.Instant(at)
		copy(r.Prev[:], prev)
		copy(r.Hash[:], hash)
		return r, err
	}, sql, args...)
	if err != nil {
		return nil, fmt.Errorf("read the audit: %w", err)
	}
	return all, nil
}
