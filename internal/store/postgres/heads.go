package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"openofd/internal/fiscal"
	"openofd/internal/journal"
)

// Heads are the ends of all partitions.
func (db *DB) Heads(ctx context.Context) (map[fiscal.Partition]journal.Head, error) {
	type row struct {
		p fiscal.Partition
		h journal.Head
	}
	all, err := query(ctx, db.rest, func(r pgx.CollectableRow) (v row, err error) {
		var seq int64
		var chain []byte
		if err = r.Scan(&v.p, &seq, &v.h.Month, &chain); err == nil && copy(v.h.Chain[:], chain) != len(v.h.Chain) {
			err = &fiscal.Error{Of: fiscal.Corrupt, Field: "heads", Msg: fmt.Sprintf("the head of partition %d is cut", v.p)}
		}
		v.h.Seq = journal.Seq(seq)
		return v, err
	}, `SELECT partition, seq, month, chain FROM heads`)
	if err != nil {
		return nil, fmt.Errorf("read the heads: %w", err)
	}
	heads := make(map[fiscal.Partition]journal.Head, len(all))
	for _, v := range all {
		heads[v.p] = v.h
	}
	return heads, nil
}
