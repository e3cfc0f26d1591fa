package sqlite

import (
	"context"
	"errors"
	"fmt"

	lib "modernc.org/sqlite/lib"

	"openofd/internal/cabinet"
	"openofd/internal/fiscal"
	"openofd/internal/journal"
	"openofd/internal/store/sqlitefile"
)

var _ journal.SegmentStore = (*DB)(nil)

// present leaves out what is kept no longer, also while it is still being
// deleted.
const present = ` AND seq > coalesce((SELECT max(last_seq) FROM retired), 0) `

// errRetired says that an entry is kept no longer.
func errRetired(r fiscal.RegisterID, n fiscal.Number) error {
	return &fiscal.Error{Reason: fiscal.Retired, Msg: fmt.Sprintf("entry %d of register %d is kept no longer", n, r)}
}

// retiredEntry tells of an entry that was not found at its place whether that is
// because it is kept no longer, and gives it if it outlived its month.
func retiredEntry(tx *sqlitefile.Tx, r fiscal.RegisterID, n fiscal.Number, seq journal.Seq) (e journal.Entry, found bool, err error) {
	last, _, err := tx.QueryInt(`SELECT coalesce(max(last_seq), 0) FROM retired`)
	if err != nil || seq == 0 || int64(seq) > last {
		return e, false, err
	}
	// Behind its last number a register's places are those of older entries.
	if _, was, err := tx.QueryInt(`SELECT 1 FROM states WHERE register = ? AND number >= ?`, int64(r), int64(n)); err != nil || !was {
		return e, false, err
	}
	s, err := tx.Query(`SELECT body FROM kept_entries WHERE register = ? AND number = ?`, int64(r), int64(n))
	if err != nil {
		return e, false, err
	}
	if s.Next() {
		k, err := journal.DecodeKept([]byte(s.Text(0)))
		if err != nil {
			return e, false, errors.Join(err, s.Close())
		}
		e, found = k.Entry, true
	}
	if err := s.Close(); err != nil || found {
		return e, found, err
	}
	return e, false, errRetired(r, n)
}

// Retired tells which entry was the last that is kept no longer.
func (db *DB) Retired(ctx context.Context) (map[fiscal.Partition]journal.Seq, error) {
	all := map[fiscal.Partition]journal.Seq{}
	err := db.main.Read(ctx, func(tx *sqlitefile.Tx) error {
		last, _, err := tx.QueryInt(`SELECT coalesce(max(last_seq), 0) FROM retired`)
		if last > 0 {
			all[partition] = journal.Seq(last)
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read what is retired: %w", err)
	}
	return all, nil
}

// Segments are those of the partition, oldest first.
func (db *DB) Segments(ctx context.Context, p fiscal.Partition) (all []journal.Segment, err error) {
	if err := known(p); err != nil {
		return nil, err
	}
	err = db.main.Read(ctx, func(tx *sqlitefile.Tx) error {
		s, err := tx.Query(`SELECT body, sign_key, sign, month IN (SELECT month FROM retired) FROM segments ORDER BY month`)
		if err != nil {
			return err
		}
		for s.Next() {
			g := journal.Segment{Body: []byte(s.Text(0)), Key: fiscal.KeyID(s.Int(1)), Sign: s.Bytes(2), Gone: s.Int(3) != 0}
			if g.SegmentFacts, err = journal.OpenSegment(g.Body); err != nil {
				return errors.Join(err, s.Close())
			}
			all = append(all, g)
		}
		return s.Close()
	})
	if err != nil {
		return nil, fmt.Errorf("read segments: %w", err)
	}
	return all, nil
}

// Ends are those of a segment, by register.
func (db *DB) Ends(ctx context.Context, p fiscal.Partition, month int32, after fiscal.RegisterID, limit int) (all []journal.End, err error) {
	if err := known(p); err != nil {
		return nil, err
	}
	err = db.main.Read(ctx, func(tx *sqlitefile.Tx) error {
		s, err := tx.Query(`SELECT register, taxpayer, number, hash, state FROM segment_ends WHERE month = ? AND register > ? ORDER BY register LIMIT ?`,
			int64(month), int64(after), max(limit, 0))
		if err != nil {
			return err
		}
		for s.Next() {
			e := journal.End{Register: fiscal.RegisterID(s.Int(0)), Taxpayer: fiscal.TaxpayerID(s.Int(1)), Number: fiscal.Number(s.Int(2)), State: s.Bytes(4)}
			if !s.CopyTo(3, e.Hash[:]) {
				return errors.Join(corrupt("a hash of month %d is cut", month), s.Close())
			}
			all = append(all, e)
		}
		if err := s.Close(); err != nil {
			return err
		}
		for i := range all {
			if err := keptOf(tx, &all[i], month); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read ends of month %d: %w", month, err)
	}
	return all, nil
}

func keptOf(tx *sqlitefile.Tx, e *journal.End, month int32) error {
	s, err := tx.Query(`SELECT body FROM kept_entries WHERE register = ? AND month = ? ORDER BY number`, int64(e.Register), int64(month))
	if err != nil {
		return err
	}
	for s.Next() {
		k, err := journal.DecodeKept([]byte(s.Text(0)))
		if err != nil {
			return errors.Join(err, s.Close())
		}
		e.Kept = append(e.Kept, k)
	}
	return s.Close()
}

// KeepEnds stores ends; those that are there stay.
func (db *DB) KeepEnds(ctx context.Context, p fiscal.Partition, month int32, ends []journal.End) error {
	if err := known(p); err != nil {
		return err
	}
	err := db.main.Write(ctx, func(tx *sqlitefile.Tx) error {
		for i := range ends {
			e := &ends[i]
			if _, err := tx.Exec(`INSERT INTO segment_ends (month, register, taxpayer, number, hash, state) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
				int64(month), int64(e.Register), int64(e.Taxpayer), int64(e.Number), e.Hash[:], append([]byte{}, e.State...)); err != nil {
				return err
			}
			for j := range e.Kept {
				body, err := journal.EncodeKept(&e.Kept[j])
				if err != nil {
					return err
				}
				if _, err := tx.Exec(`INSERT INTO kept_entries (register, number, month, body) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING`,
					int64(e.Register), int64(e.Kept[j].Number), int64(month), string(body)); err != nil {
					return err
				}
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("store ends of month %d: %w", month, err)
	}
	return nil
}

// KeepSegment stores a segment; AlreadyThere if there is one.
func (db *DB) KeepSegment(ctx context.Context, g *journal.Segment) error {
	if err := known(g.Partition); err != nil {
		return err
	}
	err := db.main.Write(ctx, func(tx *sqlitefile.Tx) error {
		_, err := tx.Exec(`INSERT INTO segments (month, first_seq, last_seq, entries, until, chain, sign_key, sign, body) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
			int64(g.Month), int64(g.First), int64(g.Last), int64(g.Entries), journal.Micros(g.Until), g.Chain[:], int64(g.Key), g.Sign, string(g.Body))
		if sqlitefile.Code(err) == lib.SQLITE_CONSTRAINT {
			return &fiscal.Error{Reason: fiscal.AlreadyThere, Field: "segment", Err: err}
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("store the segment of month %d: %w", g.Month, err)
	}
	return nil
}

// sweepRows is how many entries are deleted in one transaction: a server beside
// it waits for no longer.
const sweepRows = 1000

// RetireMonth marks the month as retired, which is what counts, and then deletes
// its entries piece by piece. Their room in the file is used again.
func (db *DB) RetireMonth(ctx context.Context, month int32) error {
	var last int64
	err := db.main.Write(ctx, func(tx *sqlitefile.Tx) error {
		_, gone, err := tx.QueryInt(`SELECT 1 FROM retired WHERE month = ?`, int64(month))
		if err != nil || gone {
			return err
		}
		n, err := tx.Exec(`INSERT INTO retired (month, last_seq, at) SELECT month, last_seq, unixepoch('now') * 1000000 FROM segments WHERE month = ?`, int64(month))
		if n == 0 && err == nil || sqlitefile.Code(err) == lib.SQLITE_CONSTRAINT {
			return &fiscal.Error{Of: fiscal.Conflict, Field: "month", Msg: fmt.Sprintf("the database keeps month %d", month), Err: err}
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("retire month %d: %w", month, err)
	}
	for deleted := int64(1); deleted > 0; {
		if err := ctx.Err(); err != nil {
			return err
		}
		err := db.main.Write(ctx, func(tx *sqlitefile.Tx) (err error) {
			if last, _, err = tx.QueryInt(`SELECT coalesce(max(last_seq), 0) FROM retired`); err != nil {
				return err
			}
			deleted, err = tx.Exec(`DELETE FROM entries WHERE seq <= min(?, (SELECT min(seq) FROM entries) + ?)`, last, int64(sweepRows-1))
			return err
		})
		if err != nil {
			return fmt.Errorf("delete the entries of month %d: %w", month, err)
		}
	}
	return nil
}

// Hindrances names what still needs entries up to seq.
func (db *DB) Hindrances(ctx context.Context, p fiscal.Partition, seq journal.Seq) (all []string, err error) {
	if err := known(p); err != nil {
		return nil, err
	}
	list := func(f *sqlitefile.File, query string) {
		if err != nil {
			return
		}
		err = f.Read(ctx, func(tx *sqlitefile.Tx) error {
			s, err := tx.Query(query, int64(seq))
			if err != nil {
				return err
			}
			for s.Next() {
				all = append(all, s.Text(0))
			}
			return s.Close()
		})
	}
	const behind = `SELECT 'follower ' || follower || ' has come to entry ' || seq FROM cursors c
		WHERE seq < ? AND generation = (SELECT max(generation) FROM cursors o WHERE o.follower = c.follower)`
	list(db.main, behind)
	list(db.cabinet, behind)
	list(db.main, `SELECT count(*) || ' documents for ' || authority || ' wait for a person' FROM parked WHERE settled_at = 0 AND seq <= ? GROUP BY authority`)
	if err != nil {
		return nil, fmt.Errorf("look who needs the entries: %w", err)
	}
	return all, nil
}

// RetiredOn tells in which month an entry came that is kept no longer, and when
// that month left; NotFound of any other.
func (db *DB) RetiredOn(ctx context.Context, p fiscal.Partition, r fiscal.RegisterID, n fiscal.Number) (gone cabinet.Retirement, err error) {
	found := false
	err = db.main.Read(ctx, func(tx *sqlitefile.Tx) error {
		seq, ok, err := seqOf(tx, r, n)
		if err != nil || !ok || p != partition {
			return err
		}
		s, err := tx.Query(`SELECT month, at FROM retired WHERE last_seq >= ? AND EXISTS (SELECT 1 FROM states WHERE register = ? AND number >= ?) ORDER BY last_seq LIMIT 1`, int64(seq), int64(r), int64(n))
		if err != nil {
			return err
		}
		if s.Next() {
			found, gone = true, cabinet.Retirement{Month: int32(s.Int(0)), On: journal.Instant(s.Int(1))}
		}
		return s.Close()
	})
	if err == nil && !found {
		err = missing("entry %d of register %d is not retired", n, r)
	}
	return gone, err
}
