package sqlite

import (
	"context"
	"fmt"

	"openofd/internal/fiscal"
	"openofd/internal/journal"
	"openofd/internal/store/sqlitefile"
)

// readHead reads the partition's end.
func readHead(tx *sqlitefile.Tx) (h journal.Head, err error) {
	s, err := tx.Query(`SELECT seq, month, chain FROM heads WHERE partition = 0`)
	if err != nil {
		return h, err
	}
	ok := s.Next()
	if ok {
		h.Seq, h.Month = journal.Seq(s.Int(0)), int32(s.Int(1))
		ok = s.CopyTo(2, h.Chain[:])
	}
	if err := s.Close(); err != nil {
		return h, err
	}
	if !ok {
		return h, &fiscal.Error{Of: fiscal.Corrupt, Field: "heads", Msg: "the partition's head is missing or cut"}
	}
	return h, nil
}

func moveHead(tx *sqlitefile.Tx, h journal.Head) error {
	_, err := tx.Exec(`UPDATE heads SET seq = ?, month = ?, chain = ? WHERE partition = 0`, int64(h.Seq), int64(h.Month), h.Chain[:])
	return err
}

// Fence waits for the writer's turn and makes a real write durable. Whatever a
// failed commit left in the log behind the last good one is thereby written
// over, or no longer follows from what stands before it.
func (db *DB) Fence(ctx context.Context, p fiscal.Partition) (h journal.Head, err error) {
	if err := known(p); err != nil {
		return h, err
	}
	err = db.main.Write(ctx, func(tx *sqlitefile.Tx) error {
		if _, err := tx.Exec(`UPDATE heads SET fence = fence + 1 WHERE partition = 0`); err != nil {
			return err
		}
		h, err = readHead(tx)
		return err
	})
	if err != nil {
		return journal.Head{}, fmt.Errorf("fence: %w", err)
	}
	return h, nil
}

// Heads are the ends of all partitions: of the one.
func (db *DB) Heads(ctx context.Context) (map[fiscal.Partition]journal.Head, error) {
	var h journal.Head
	err := db.main.Read(ctx, func(tx *sqlitefile.Tx) (err error) {
		h, err = readHead(tx)
		return err
	})
	if err != nil {
		return nil, err
	}
	return map[fiscal.Partition]journal.Head{partition: h}, nil
}

// known refuses a partition that is not there.
func known(p fiscal.Partition) error {
	if p != partition {
		return missing("partition %d", p)
	}
	return nil
}

// missing says that something is not there.
func missing(what string, args ...any) error {
	return &fiscal.Error{Reason: fiscal.NothingThere, Msg: fmt.Sprintf(what, args...)}
}
