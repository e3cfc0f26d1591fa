package journal

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"

	"openofd/internal/fiscal"
)

// Verification is a walk over the whole journal. Store is required, the rest is
// not.
type Verification struct {
	Store Store
	Page  int // entries read at once; 0 means 512
	// Check looks at one entry with the country's eyes: it recomputes the fiscal
	// sign. Its error is what is wrong.
	Check func(e *Entry) error
	// Segments stand for the entries that are kept no longer; nil: all are kept.
	// Keys gives the key that signed one.
	Segments SegmentStore
	Keys     func(fiscal.KeyID) (fiscal.Key, error)
	// Fold follows the entries and compares what they add up to; Replay is one.
	Fold Fold
	// Progress is called after each page: seq of of entries in p are done.
	Progress func(p fiscal.Partition, seq, of Seq)
}

// Fold follows the entries of one partition after another, each in order and
// each already verified.
type Fold interface {
	// Begin forgets what it knows of a partition, whose entries come next.
	Begin(p fiscal.Partition)
	// Stood tells where a register stood when the entries begin, if any before
	// them are kept no longer.
	Stood(p fiscal.Partition, e *End) error
	// Entry takes the next entry.
	Entry(ctx context.Context, e *Entry) error
	// End compares what the entries of the partition add up to with what is
	// stored, and forgets them.
	End(ctx context.Context, p fiscal.Partition) error
}

// Verified is how much was found whole.
type Verified struct {
	Partitions int
	Registers  int
	Entries    uint64
	Retired    uint64 // for which segments stand
}

// Verify walks the partitions in order, from the first entry, or the segments
// that stand for the first ones, to where each ended when the walk began, and returns the first thing that does not hold: a
// number missing in a partition or a register, a digest, a hash, a chain, a
// month that went back, an end that is not where the head says, whatever Check
// and Fold find. It works beside a running server. Memory grows with the
// registers of one partition, not with entries.
//
// Errors: *Damage (Corrupt); those of the store and of ctx.
func (v *Verification) Verify(ctx context.Context) (Verified, error) {
	var done Verified
	heads, err := v.Store.Heads(ctx)
	if err != nil {
		return done, fmt.Errorf("read the ends of the partitions: %w", err)
	}
	for _, p := range slices.Sorted(maps.Keys(heads)) {
		w, err := v.partition(ctx, p, heads[p])
		done.Entries += uint64(w.head.Seq - w.retired)
		done.Retired += uint64(w.retired)
		if err != nil {
			return done, err
		}
		done.Partitions++
		done.Registers += len(w.registers)
	}
	return done, nil
}

// partition walks one partition. What was retired meanwhile is no damage: the
// walk begins anew, behind it.
func (v *Verification) partition(ctx context.Context, p fiscal.Partition, end Head) (w *walk, err error) {
	for {
		w = &walk{v: v, p: p, end: end, registers: map[fiscal.RegisterID]link{}}
		if err = w.run(ctx); err == nil || ctx.Err() != nil || !w.overtaken(ctx) {
			return w, err
		}
	}
}

// link is the end of a register's chain.
type link struct {
	number fiscal.Number
	hash   Hash
}

// walk is the verification of one partition.
type walk struct {
	v         *Verification
	p         fiscal.Partition
	end       Head // where the partition ended when the walk began
	head      Head // as far as everything holds
	retired   Seq  // the last entry for which a segment stands
	registers map[fiscal.RegisterID]link
}

func (w *walk) run(ctx context.Context) error {
	limit := cmp.Or(w.v.Page, 512)
	if err := w.begin(ctx); err != nil {
		return err
	}
	for w.head.Seq < w.end.Seq {
		page, err := w.v.Store.Scan(ctx, w.p, w.head.Seq+1, min(limit, int(w.end.Seq-w.head.Seq)))
		if err != nil {
			return fmt.Errorf("read partition %d from entry %d: %w", w.p, w.head.Seq+1, err)
		}
		if len(page) == 0 {
			return &Damage{Partition: w.p, Seq: w.head.Seq + 1, What: fmt.Sprintf("entry is missing: the partition ends at entry %d, its head says %d", w.head.Seq, w.end.Seq)}
		}
		for i := range page {
			if err := w.entry(ctx, &page[i]); err != nil {
				return err
			}
		}
		if w.v.Progress != nil {
			w.v.Progress(w.p, w.head.Seq, w.end.Seq)
		}
	}
	if err := w.atEnd(ctx); err != nil {
		return err
	}
	if w.v.Fold != nil {
		return w.v.Fold.End(ctx, w.p)
	}
	return nil
}

// atEnd compares with the head, and looks whether anything lies behind it.
func (w *walk) atEnd(ctx context.Context) error {
	at := &Damage{Partition: w.p, Seq: w.end.Seq}
	switch {
	case w.head.Chain != w.end.Chain:
		at.What = fmt.Sprintf("the partition's chain ends in %s, its head says %s", brief(w.head.Chain), brief(w.end.Chain))
		return at
	case w.head.Month != w.end.Month:
		at.What = fmt.Sprintf("the last month is %d, the head says %d", w.head.Month, w.end.Month)
		return at
	}
	beyond, err := w.v.Store.Scan(ctx, w.p, w.end.Seq+1, 1)
	if err != nil {
		return fmt.Errorf("read partition %d behind its end: %w", w.p, err)
	}
	if len(beyond) == 0 {
		return nil
	}
	heads, err := w.v.Store.Heads(ctx) // written since the walk began?
	if err != nil {
		return fmt.Errorf("read the ends of the partitions: %w", err)
	}
	if heads[w.p].Seq < beyond[0].Seq {
		return damaged(&beyond[0], "lies behind the partition's end, which its head puts at entry %d", heads[w.p].Seq)
	}
	return nil
}

// entry checks one entry and moves the head on.
func (w *walk) entry(ctx context.Context, e *Entry) error {
	before := w.registers[e.Register]
	again, month := *e, max(w.head.Month, monthOf(e.ReceivedAt))
	if e.Codec == CodecPlain {
		again.Digest = digest(&e.Salt, e.Request, e.Answer)
	}
	again.Hash = entryHash(before.hash, e)
	again.Chain = chainHash(w.head.Chain, e.Seq, e.Hash)
	switch {
	case e.Seq != w.head.Seq+1:
		return &Damage{Partition: w.p, Seq: w.head.Seq + 1, What: fmt.Sprintf("entry is missing: entry %d comes after entry %d", e.Seq, w.head.Seq)}
	case e.Partition != w.p:
		return damaged(e, "says that it belongs to partition %d, yet lies in %d", e.Partition, w.p)
	case e.Number != before.number+1:
		return damaged(e, "the register's numbers have a gap: number %d was expected", before.number+1)
	case e.Codec != CodecPlain:
		return damaged(e, "its bytes are stored in a way that this program does not know: codec %d", e.Codec)
	case e.Digest != again.Digest:
		return damaged(e, "request, answer or salt was changed: their digest is %s, stored is %s", brief(again.Digest), brief(e.Digest))
	case e.Hash != again.Hash:
		return damaged(e, "a column or the link to number %d was changed: the hash is %s, stored is %s", before.number, brief(again.Hash), brief(e.Hash))
	case e.Chain != again.Chain:
		return damaged(e, "the partition's chain is broken: it is %s, stored is %s", brief(again.Chain), brief(e.Chain))
	case e.Month != month:
		return damaged(e, "stands in month %d, expected %d", e.Month, month)
	}
	if w.v.Check != nil {
		if err := w.v.Check(e); err != nil {
			d := damaged(e, "the country's check fails")
			d.Err = err
			return d
		}
	}
	if w.v.Fold != nil {
		if err := w.v.Fold.Entry(ctx, e); err != nil {
			return err
		}
	}
	w.registers[e.Register] = link{e.Number, e.Hash}
	w.head = Head{Seq: e.Seq, Month: e.Month, Chain: e.Chain}
	return nil
}
