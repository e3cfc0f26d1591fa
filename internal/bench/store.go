package bench

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
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
	receipts := func(c journal.Commit) bool { return len(c.Entries) == 1 && c.Entries[0].Kind == fiscal.DocReceipt }
	if r.batches&(r.batches-1) == 0 && slices.ContainsFunc(batch, receipts) { // the first, second, fourth …: copying is not to be measured
		r.sample = slices.DeleteFunc(slices.Clone(batch), func(c journal.Commit) bool { return !receipts(c) })
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
	Hash    journal.Hash
}

// Store is the second ceiling: how many commits a second a store takes when
// nothing is done but to append batches of ready rows. There are as many
// writers as the operator under load has; each has the registers of its
// partitions, as there, and appends one batch after the other. The store holds
// the registers; they are moved on.
//
// Errors: of the store, ctx, or nothing to insert.
func Store(ctx context.Context, store journal.Store, registers []Row, rows Rows, writers int, d time.Duration) (float64, error) {
	end := time.Now().Add(d)
	start := time.Now()
	total, err := write(ctx, store, registers, rows, writers, int(rows.Batch+0.5), false, func(uint64) bool { return time.Now().Before(end) })
	return perSecond(total, time.Since(start)), err
}

// Fill puts n more entries into a store, linked behind what registers have, in
// batches of 512. progress hears how many there are; it may be nil.
func Fill(ctx context.Context, store journal.Store, registers []Row, rows Rows, writers int, n uint64, progress func(done uint64)) error {
	_, err := write(ctx, store, registers, rows, writers, 512, true, func(done uint64) bool {
		if progress != nil {
			progress(done)
		}
		return done < n
	})
	return err
}

// write appends batches until more, which hears how many commits there are,
// says that it is enough.
func write(ctx context.Context, store journal.Store, registers []Row, rows Rows, writers, size int, link bool, more func(done uint64) bool) (uint64, error) {
	if size < 1 || len(rows.Sample) == 0 || len(registers) == 0 {
		return 0, fmt.Errorf("bench: store: batches of %d from %d rows for %d registers", size, len(rows.Sample), len(registers))
	}
	shares := make([][]*Row, writers)
	for i := range registers {
		w := int(registers[i].Partition) % writers
		shares[w] = append(shares[w], &registers[i])
	}
	var done atomic.Uint64
	errs := make([]error, writers)
	var all sync.WaitGroup
	for w, share := range shares {
		if len(share) == 0 {
			continue
		}
		all.Go(func() {
			batch := make([]journal.Commit, size)
			for turn := 0; errs[w] == nil && more(done.Load()); done.Add(uint64(size)) {
				errs[w] = ctx.Err()
				for i := range batch {
					batch[i] = share[turn%len(share)].next(rows.Sample[turn%len(rows.Sample)], link)
					turn++
				}
				if errs[w] == nil {
					errs[w] = appendAll(ctx, store, batch)
				}
			}
		})
	}
	all.Wait()
	if err := errors.Join(errs...); err != nil {
		return 0, fmt.Errorf("bench: store: %w", err)
	}
	return done.Load(), nil
}

func appendAll(ctx context.Context, store journal.Store, batch []journal.Commit) error {
	stale, err := store.Append(ctx, batch, journal.Seal)
	if err == nil && len(stale) > 0 {
		err = errors.New("a row has another version than was said")
	}
	return err
}

// next is a sampled commit as the next one of a register, which moves on.
// Without link its entries keep the sample's hashes.
func (r *Row) next(c journal.Commit, link bool) journal.Commit {
	c.Partition, c.Register, c.Judged, c.Card, c.Deadline = r.Partition, r.Register, r.Version, nil, time.Time{}
	c.Entries = slices.Clone(c.Entries)
	r.Version++
	for i := range c.Entries {
		e := &c.Entries[i]
		r.Number++
		e.Partition, e.Register, e.Number = r.Partition, r.Register, r.Number
		if link {
			e.Link(r.Hash)
			r.Hash = e.Hash
		}
	}
	return c
}
