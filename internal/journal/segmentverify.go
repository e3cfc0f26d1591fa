package journal

import (
	"context"
	"fmt"

	"openofd/internal/fiscal"
)

// endsPage is how many ends are read at once.
const endsPage = 500

// begin puts the walk behind what is kept no longer, by the segments that stand
// for it.
func (w *walk) begin(ctx context.Context) error {
	if w.v.Fold != nil {
		w.v.Fold.Begin(w.p)
	}
	if w.v.Segments == nil {
		return nil
	}
	all, err := w.v.Segments.Segments(ctx, w.p)
	if err != nil {
		return fmt.Errorf("read the segments of partition %d: %w", w.p, err)
	}
	stood := map[fiscal.RegisterID]End{}
	for i := range all {
		if s := &all[i]; s.Gone {
			if err := w.segment(ctx, s, stood); err != nil {
				return err
			}
			w.retired = s.Last
		}
	}
	if w.v.Fold == nil {
		return nil
	}
	for id := range stood {
		e := stood[id]
		if err := w.v.Fold.Stood(w.p, &e); err != nil {
			return err
		}
	}
	return nil
}

// segment holds a segment against its signature, what stands before it and its
// ends, and moves the head behind it.
func (w *walk) segment(ctx context.Context, s *Segment, stood map[fiscal.RegisterID]End) error {
	if err := s.check(w.v.Keys); err != nil {
		return err
	}
	at := &Damage{Partition: w.p, Seq: s.First}
	if s.Partition != w.p || s.First != w.head.Seq+1 || Hash(s.Before) != w.head.Chain || s.Month <= w.head.Month || uint64(s.Last-s.First)+1 != s.Entries {
		at.What = fmt.Sprintf("the segment of month %d does not follow entry %d", s.Month, w.head.Seq)
		return at
	}
	sum, n, err := readEnds(ctx, w.v.Segments, s, func(e *End) error {
		if before := w.registers[e.Register]; e.Number <= before.number {
			at.What = fmt.Sprintf("the segment of month %d ends register %d with number %d, an older one with %d", s.Month, e.Register, e.Number, before.number)
			return at
		}
		w.registers[e.Register] = link{e.Number, e.Hash}
		if w.v.Fold != nil {
			stood[e.Register] = End{Register: e.Register, Number: e.Number, Hash: e.Hash, State: e.State}
		}
		return nil
	})
	if err != nil {
		return err
	}
	if sum != s.Ends || n != s.Registers {
		at.What = fmt.Sprintf("where registers stood at the end of month %d was changed", s.Month)
		return at
	}
	w.head = Head{Seq: s.Last, Month: s.Month, Chain: Hash(s.Chain)}
	return nil
}

// readEnds reads the ends of a segment and makes their digest.
func readEnds(ctx context.Context, store SegmentStore, s *Segment, each func(*End) error) (sum Digest, n int, err error) {
	var h endsHash
	for after := fiscal.RegisterID(0); ; {
		page, err := store.Ends(ctx, s.Partition, s.Month, after, endsPage)
		if err != nil {
			return sum, n, fmt.Errorf("read where registers stood at the end of month %d: %w", s.Month, err)
		}
		for i := range page {
			e := &page[i]
			kept, err := e.places(s.Partition)
			if err != nil {
				return sum, n, err
			}
			sum = h.add(sum, e, kept)
			n++
			if each != nil {
				if err := each(e); err != nil {
					return sum, n, err
				}
			}
			after = e.Register
		}
		if len(page) < endsPage {
			return sum, n, nil
		}
	}
}

// overtaken reports whether entries were retired behind the walk's back.
func (w *walk) overtaken(ctx context.Context) bool {
	if w.v.Segments == nil {
		return false
	}
	now, err := w.v.Segments.Retired(ctx)
	return err == nil && now[w.p] > w.retired
}
