package postgres

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"openofd/internal/cabinet"
	"openofd/internal/fiscal"
	"openofd/internal/journal"
)

var _ journal.SegmentStore = (*DB)(nil)

// keptMonth is the code of ofd_retire_month's refusals.
const keptMonth = "OF002"

// retiredEntry is why an entry was not found at its place: Retired if it is kept
// no longer. Behind its last number a register's places are those of older
// entries.
func retiredEntry(ctx context.Context, from asks, p fiscal.Partition, r fiscal.RegisterID, n fiscal.Number, seq journal.Seq) error {
	gone, _, err := one[bool](ctx, from, `SELECT coalesce((SELECT max(last_seq) FROM retired WHERE partition = $1), 0) >= $2
		AND EXISTS (SELECT FROM states WHERE partition = $1 AND register = $3 AND number >= $4)`, p, int64(seq), r, int64(n))
	switch {
	case err != nil:
		return err
	case gone:
		return &fiscal.Error{Reason: fiscal.Retired, Msg: fmt.Sprintf("entry %d of register %d is kept no longer", n, r)}
	}
	return missing("register %d has no entry %d", r, n)
}

// keptEntry reads an entry that outlived its month; why if there is none.
func (db *DB) keptEntry(ctx context.Context, p fiscal.Partition, r fiscal.RegisterID, n fiscal.Number, why error) (journal.Entry, error) {
	body, ok, err := one[[]byte](ctx, db.rest, `SELECT body FROM kept_entries WHERE partition = $1 AND register = $2 AND number = $3`, p, r, int64(n))
	if err == nil && !ok {
		err = why
	}
	if err != nil {
		return journal.Entry{}, err
	}
	k, err := journal.DecodeKept(body)
	return k.Entry, err
}

// Retired tells of each partition which entry was the last that is kept no
// longer.
func (db *DB) Retired(ctx context.Context) (map[fiscal.Partition]journal.Seq, error) {
	type row struct {
		p   fiscal.Partition
		seq int64
	}
	rows, err := query(ctx, db.rest, func(from pgx.CollectableRow) (r row, err error) {
		return r, from.Scan(&r.p, &r.seq)
	}, `SELECT partition, max(last_seq) FROM retired GROUP BY partition`)
	if err != nil {
		return nil, fmt.Errorf("read what is retired: %w", err)
	}
	all := make(map[fiscal.Partition]journal.Seq, len(rows))
	for _, r := range rows {
		all[r.p] = journal.Seq(r.seq)
	}
	return all, nil
}

// Segments are those of a partition, oldest first.
func (db *DB) Segments(ctx context.Context, p fiscal.Partition) ([]journal.Segment, error) {
	if err := db.known(p); err != nil {
		return nil, err
	}
	all, err := query(ctx, db.rest, func(from pgx.CollectableRow) (g journal.Segment, err error) {
		if err := from.Scan(&g.Body, &g.Key, &g.Sign, &g.Gone); err != nil {
			return g, err
		}
		g.SegmentFacts, err = journal.OpenSegment(g.Body)
		return g, err
	}, `SELECT body::bytea, sign_key, sign, EXISTS (SELECT FROM retired r WHERE r.partition = s.partition AND r.month = s.month) FROM segments s
		WHERE partition = $1 ORDER BY month`, p)
	if err != nil {
		return nil, fmt.Errorf("read segments of partition %d: %w", p, err)
	}
	return all, nil
}

// Ends are those of a segment, by register.
func (db *DB) Ends(ctx context.Context, p fiscal.Partition, month int32, after fiscal.RegisterID, limit int) ([]journal.End, error) {
	if err := db.known(p); err != nil {
		return nil, err
	}
	all, err := query(ctx, db.rest, func(from pgx.CollectableRow) (e journal.End, err error) {
		var number int64
		var hash []byte
		var kept [][]byte
		if err := from.Scan(&e.Register, &e.Taxpayer, &number, &hash, &e.State, &kept); err != nil {
			return e, err
		}
		e.Number = fiscal.Number(number)
		if copy(e.Hash[:], hash) != len(e.Hash) {
			return e, &fiscal.Error{Of: fiscal.Corrupt, Field: "segment_ends", Msg: fmt.Sprintf("the hash of register %d is cut", e.Register)}
		}
		for _, body := range kept {
			k, err := journal.DecodeKept(body)
			if err != nil {
				return e, err
			}
			e.Kept = append(e.Kept, k)
		}
		return e, nil
	}, `SELECT register, taxpayer, number, hash, state, ARRAY(SELECT body FROM kept_entries k
			WHERE k.partition = s.partition AND k.register = s.register AND k.month = s.month ORDER BY k.number)
		FROM segment_ends s WHERE partition = $1 AND month = $2 AND register > $3 ORDER BY register LIMIT $4`, p, month, after, max(limit, 0))
	if err != nil {
		return nil, fmt.Errorf("read ends of month %d of partition %d: %w", month, p, err)
	}
	return all, nil
}

// KeepEnds stores ends; those that are there stay.
func (db *DB) KeepEnds(ctx context.Context, p fiscal.Partition, month int32, ends []journal.End) error {
	err := db.known(p)
	if err == nil {
		err = db.write(ctx, func(tx pgx.Tx) error {
			var b pgx.Batch
			for i := range ends {
				e := &ends[i]
				b.Queue(`INSERT INTO segment_ends (partition, month, register, taxpayer, number, hash, state) VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING`,
					p, month, e.Register, e.Taxpayer, int64(e.Number), e.Hash[:], append([]byte{}, e.State...))
				for j := range e.Kept {
					body, err := journal.EncodeKept(&e.Kept[j])
					if err != nil {
						return err
					}
					b.Queue(`INSERT INTO kept_entries (partition, register, number, month, body) VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING`,
						p, e.Register, int64(e.Kept[j].Number), month, body)
				}
			}
			return tx.SendBatch(ctx, &b).Close()
		})
	}
	if err != nil {
		return fmt.Errorf("store ends of month %d of partition %d: %w", month, p, err)
	}
	return nil
}

// KeepSegment stores a segment; AlreadyThere if there is one.
func (db *DB) KeepSegment(ctx context.Context, g *journal.Segment) error {
	err := db.known(g.Partition)
	if err == nil {
		err = db.write(ctx, func(tx pgx.Tx) error {
			_, err := tx.Exec(ctx, `INSERT INTO segments (partition, month, first_seq, last_seq, entries, until, chain, sign_key, sign, body)
				VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
				g.Partition, g.Month, int64(g.First), int64(g.Last), int64(g.Entries), journal.Micros(g.Until), g.Chain[:], g.Key, g.Sign, string(g.Body))
			if code(err) == "23505" { // unique_violation
				return &fiscal.Error{Reason: fiscal.AlreadyThere, Field: "segment", Err: err}
			}
			return err
		})
	}
	if err != nil {
		return fmt.Errorf("store the segment of month %d of partition %d: %w", g.Month, g.Partition, err)
	}
	return nil
}

// RetireMonth detaches the month's table with the owner's rights, in one
// transaction. The table is left to its owner, as retired_yyyymm.
func (db *DB) RetireMonth(ctx context.Context, month int32) error {
	err := db.write(ctx, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, `SELECT ofd_retire_month($1)`, month)
		if code(err) == keptMonth {
			return &fiscal.Error{Of: fiscal.Conflict, Field: "month", Msg: fmt.Sprintf("the database keeps month %d", month), Err: err}
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("retire month %d: %w", month, err)
	}
	return nil
}

// Hindrances names what still needs entries of a partition up to seq.
func (db *DB) Hindrances(ctx context.Context, p fiscal.Partition, seq journal.Seq) ([]string, error) {
	all, err := query(ctx, db.rest, pgx.RowTo[string], `
		SELECT 'follower ' || follower || ' has come to entry ' || seq || ' of partition ' || partition FROM cursors c
			WHERE partition = $1 AND seq < $2 AND generation = (SELECT max(generation) FROM cursors o WHERE o.follower = c.follower)
		UNION ALL SELECT count(*) || ' documents for ' || authority || ' wait for a person' FROM parked
			WHERE partition = $1 AND settled_at = 0 AND seq <= $2 GROUP BY authority`, p, int64(seq))
	if err != nil {
		return nil, fmt.Errorf("look who needs the entries: %w", err)
	}
	return all, nil
}

// retired reports whether an error says that an entry is kept no longer.
func retired(err error) bool { return errors.Is(err, fiscal.Retired) }

// RetiredOn tells in which month an entry came that is kept no longer, and when
// that month left; NotFound of any other.
func (db *DB) RetiredOn(ctx context.Context, p fiscal.Partition, r fiscal.RegisterID, n fiscal.Number) (cabinet.Retirement, error) {
	return retiredOn(ctx, db.rest, p, r, n)
}

// RetiredOn is DB's.
func (p *Public) RetiredOn(ctx context.Context, partition fiscal.Partition, r fiscal.RegisterID, n fiscal.Number) (gone cabinet.Retirement, err error) {
	err = p.scoped(ctx, r, func(tx pgx.Tx) error {
		gone, err = retiredOn(ctx, tx, partition, r, n)
		return err
	})
	return gone, err
}

func retiredOn(ctx context.Context, from asks, p fiscal.Partition, r fiscal.RegisterID, n fiscal.Number) (cabinet.Retirement, error) {
	seq, _, ok, err := placeOf(ctx, from, p, r, n)
	var all []cabinet.Retirement
	if err == nil && ok {
		all, err = query(ctx, from, func(row pgx.CollectableRow) (gone cabinet.Retirement, err error) {
			var at int64
			err = row.Scan(&gone.Month, &at)
			gone.On = journal.Instant(at)
			return gone, err
		}, `SELECT month, at FROM retired WHERE partition = $1 AND last_seq >= $2 AND EXISTS (SELECT FROM states WHERE partition = $1 AND register = $3 AND number >= $4) ORDER BY last_seq LIMIT 1`,
			p, int64(seq), r, int64(n))
	}
	if err == nil && len(all) == 0 {
		err = missing("entry %d of register %d is not retired", n, r)
	}
	if err != nil {
		return cabinet.Retirement{}, err
	}
	return all[0], nil
}
