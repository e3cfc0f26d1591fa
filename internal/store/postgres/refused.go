package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"openofd/internal/fiscal"
	"openofd/internal/journal"
)

// KeepRefused stores refused documents, at most perDay a register and day
// (UTC). What is beyond is dropped without a word. Nodes take turns, or each
// would count without what the other is about to store.
func (db *DB) KeepRefused(ctx context.Context, all []journal.Refused, perDay int) error {
	if len(all) == 0 {
		return nil
	}
	n := len(all)
	partitions, registers := make([]fiscal.Partition, n), make([]fiscal.RegisterID, n)
	days, at := make([]int64, n), make([]int64, n)
	reasons, fields, details, peers, requests := make([]string, n), make([]string, n), make([]string, n), make([]string, n), make([][]byte, n)
	for i := range all {
		r := &all[i]
		partitions[i], registers[i], days[i], at[i] = r.Partition, r.Register, r.At.Unix()/86_400, journal.Micros(r.At)
		reasons[i], fields[i], details[i], peers[i] = r.Reason.String(), told(r.Field), told(r.Detail), told(r.Peer)
		if requests[i] = r.Request; r.Request == nil {
			requests[i] = []byte{}
		}
	}
	err := db.write(ctx, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock(hashtext('ofd refused'))`); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `INSERT INTO refused (partition, register, taxpayer, day, at, reason, field, detail, peer, request)
			SELECT u.partition, u.register, coalesce(s.taxpayer, 0), u.day, u.at, u.reason, u.field, u.detail, u.peer, u.request
			FROM (SELECT *, row_number() OVER (PARTITION BY register, day ORDER BY i) AS nth
				FROM unnest($1::integer[], $2::bigint[], $3::bigint[], $4::bigint[], $5::text[], $6::text[], $7::text[], $8::text[], $9::bytea[])
				WITH ORDINALITY AS v (partition, register, day, at, reason, field, detail, peer, request, i)) u
			LEFT JOIN states s ON s.partition = u.partition AND s.register = u.register
			WHERE u.nth <= $10 AND u.nth + (SELECT count(*) FROM refused r WHERE r.register = u.register AND r.day = u.day) <= $10
			ORDER BY u.i`,
			partitions, registers, days, at, reasons, fields, details, peers, requests, perDay)
		return err
	})
	if err != nil {
		return fmt.Errorf("store refused documents: %w", err)
	}
	return nil
}

// Refused reads what was refused to a register, newest first.
func (db *DB) Refused(ctx context.Context, r fiscal.RegisterID, limit int) ([]journal.Refused, error) {
	all, err := query(ctx, db.rest, func(row pgx.CollectableRow) (v journal.Refused, err error) {
		var at int64
		var reason string
		err = row.Scan(&v.Partition, &v.Register, &at, &reason, &v.Field, &v.Detail, &v.Peer, &v.Request)
		v.At, v.Reason = journal.Instant(at), fiscal.ParseReason(reason)
		return v, err
	}, `SELECT partition, register, at, reason, field, detail, peer, request FROM refused WHERE register = $1 ORDER BY day DESC, id DESC LIMIT $2`, r, max(limit, 0))
	if err != nil {
		return nil, fmt.Errorf("read what was refused to register %d: %w", r, err)
	}
	return all, nil
}
