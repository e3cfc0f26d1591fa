package postgres

import (
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"openofd/internal/fiscal"
	"openofd/internal/journal"
)

// TestClockJumps: a node whose clock jumps while it runs neither stores nor
// judges until it is right again, though the month it believes in is open.
func TestClockJumps(t *testing.T) {
	db := installation(t)
	l := newLoad(t, db, 4)
	var off atomic.Int64
	node := open(t, Options{URL: db.url, Now: func() time.Time { return time.Now().Add(time.Duration(off.Load())) }})
	batch := l.batch(2, 0, 1)
	place := fiscal.Place{Partition: batch[0].Partition, Register: batch[0].Register}
	for _, jump := range []time.Duration{40 * 24 * time.Hour, 3 * time.Second, -3 * time.Second} {
		off.Store(int64(jump))
		if _, err := node.Append(t.Context(), batch, journal.Seal); !errors.Is(err, journal.ErrNothingStored) || errors.Is(err, fiscal.Invalid) {
			t.Errorf("Append with a clock %v off: error %v, want ErrNothingStored and not Invalid", jump, err)
		}
		if _, err := node.Row(t.Context(), place); !errors.Is(err, fiscal.Conflict) {
			t.Errorf("Row with a clock %v off: error %v, want Conflict", jump, err)
		}
		if _, err := node.RowVersion(t.Context(), place); !errors.Is(err, fiscal.Conflict) {
			t.Errorf("RowVersion with a clock %v off: error %v, want Conflict", jump, err)
		}
	}
	off.Store(0)
	// It came while the clock was wrong, and is written when it is right.
	batch[1].Entries[0].ReceivedAt = time.Now().UTC().AddDate(0, 1, 0)
	if _, err := node.Append(t.Context(), batch, journal.Seal); !errors.Is(err, journal.ErrNothingStored) || !errors.Is(err, fiscal.Unavailable) {
		t.Errorf("Append of what came in the future: error %v, want ErrNothingStored and Unavailable", err)
	}
	batch[1].Entries[0].ReceivedAt = l.now()
	if stale, err := node.Append(t.Context(), batch, journal.Seal); err != nil || len(stale) > 0 {
		t.Errorf("Append with the clock right = %v, %v, want it done", stale, err)
	}
	if _, err := node.RowVersion(t.Context(), place); err != nil {
		t.Errorf("RowVersion with the clock right: %v", err)
	}
}
