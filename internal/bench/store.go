package bench

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"openofd/internal/fiscal"
	"openofd/internal/journal"
)

// Recorder stands before the store of an operator under load. It counts what
// passes, and keeps a few batches as a sample of the rows that this load makes.
// Safe for concurrent use.
type Recorder struct {
	journal.Store

	mu      sync.Mutex
	batches uint64
	commits uint64
	sample  []journal.Commit
}

// NewRecorder puts a recorder before a store.
func NewRecorder(s journal.Store) *Recorder { return &Recorder{Store: s} }

// Append implements journal.Store.
func (r *Recorder) Append(ctx context.Context, batch []journal.Commit, seal journal.Sealer) ([]int, error) {
	stale, err := r.Store.Append(ctx, batch, seal)
	if err != nil {
		return stale, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.batches++
	r.commits += uint64(len(batch))
	if r.batches&(r.batches-1) == 0 { // the first, second, fourth, eighth …: copying is not to be measured
		r.sample = slices.Clone(batch)
		for i := range r.sample {
			c := &r.sample[i]
			c.State = bytes.Clone(c.State)
			c.Entries = slices.Clone(c.Entries)
			for j := range c.Entries {
				c.Entries[j].Request, c.Entries[j].Answer = bytes.Clone(c.Entries[j].Request), bytes.Clone(c.Entries[j].Answer)
			}
		}
	}
	return stale, nil
}

// Reset forgets what was counted, so that the load alone is.
func (r *Recorder) Reset() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.batches, r.commits, r.sample = 0, 0, nil
}

// Rows are the rows that the second ceiling inserts: as the load made them, in
// batches as large as the load's were.
type Rows struct {
	Sample []journal.Commit
	Batch  float64 // commits in an average batch
}

// Rows are what was recorded; without a batch the sample is empty.
func (r *Recorder) Rows() Rows {
	r.mu.Lock()
	defer r.mu.Unlock()
	rows := Rows{Sample: r.sample}
	if r.batches > 0 {
		rows.Batch = float64(r.commits) / float64(r.batches)
	}
	return rows
}

// Row is a register of the store to be measured, and where it stands.
type Row struct {
	fiscal.Place
	Version uint64        // of its state
	Number  fiscal.Number // of its last entry
}

// Store is the second ceiling: how many commits a second a store takes when
// nothing is done but to append batches of ready rows, one batch after the
// other. The store is fresh and holds the registers, no fewer of them than a
// batch has commits; registers are moved on.
//
// Errors: of the store, ctx, or nothing to insert.
func Store(ctx context.Context, store journal.Store, registers []Row, rows Rows, d time.Duration) (float64, error) {
	size := int(rows.Batch + 0.5)
	if size < 1 || len(rows.Sample) == 0 || len(registers) < size {
		return 0, fmt.Errorf("bench: store: batches of %d from %d rows for %d registers", size, len(rows.Sample), len(registers))
	}
	batch := make([]journal.Commit, size)
	start := time.Now()
	end := start.Add(d)
	var total uint64
	for turn := 0; time.Now().Before(end); {
		if err := ctx.Err(); err != nil {
			return 0, fmt.Errorf("bench: store: %w", err)
		}
		for i := range batch {
			at := &registers[turn%len(registers)]
			batch[i] = next(at, rows.Sample[turn%len(rows.Sample)])
			at.Version++
			at.Number += fiscal.Number(len(batch[i].Entries))
			turn++
		}
		stale, err := store.Append(ctx, batch, journal.Seal)
		if err != nil {
			return 0, fmt.Errorf("bench: store: %w", err)
		}
		if len(stale) > 0 {
			return 0, errors.New("bench: store: a row has another version than was said")
		}
		total += uint64(size)
	}
	return perSecond(total, time.Since(start)), nil
}

// next is a sampled commit as the next one of a register.
func next(at *Row, c journal.Commit) journal.Commit {
	c.Partition, c.Register, c.Judged, c.Card, c.Deadline = at.Partition, at.Register, at.Version, nil, time.Time{}
	c.Entries = slices.Clone(c.Entries)
	for i := range c.Entries {
		e := &c.Entries[i]
		e.Partition, e.Register, e.Number = at.Partition, at.Register, at.Number+fiscal.Number(i)+1
	}
	return c
}
