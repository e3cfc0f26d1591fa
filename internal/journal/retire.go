package journal

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"maps"
	"slices"

	"openofd/internal/fiscal"
)

// Retirement sums up the oldest months of every partition, having verified each
// entry of them. It takes nothing away: SegmentStore.RetireMonth does.
//
// Verification says where the journal is; its Fold is not read, Replay is.
type Retirement struct {
	Verification
	// Replay folds the entries, so that a register's state can be told at the
	// end of a month. nil: it is not told.
	Replay *Replay
	// Last is the last month, yyyymm.
	Last int32
	// Seal signs what is known of a segment.
	Seal func(SegmentFacts) (Segment, error)
	// Entry is given each entry that leaves, in order, with the hash it follows
	// if it is the first of its register in the partition, and the chain before
	// it if it is the first of its segment; nil is nobody.
	Entry func(e *Entry, prev, before *Hash) error
	// Segment is given each segment behind its entries, with where the registers
	// stood, in ascending order.
	Segment func(s *Segment, ends iter.Seq2[End, error]) error
}

// Run walks the partitions in order. Errors: those of Verify and of the
// functions it calls.
func (r *Retirement) Run(ctx context.Context) error {
	heads, err := r.Store.Heads(ctx)
	if err != nil {
		return fmt.Errorf("read the ends of the partitions: %w", err)
	}
	v := r.Verification
	v.Fold = nil
	if r.Replay != nil {
		v.Fold = r.Replay
	}
	for _, p := range slices.Sorted(maps.Keys(heads)) {
		l := departure{Retirement: r, walk: walk{v: &v, p: p, end: heads[p], registers: map[fiscal.RegisterID]link{}}, first: map[fiscal.RegisterID]bool{}}
		if err := l.run(ctx); err != nil {
			return err
		}
	}
	return nil
}

// departure is what leaves one partition.
type departure struct {
	*Retirement
	walk
	facts SegmentFacts
	month map[fiscal.RegisterID]*monthEnd // of the segment
	first map[fiscal.RegisterID]bool      // registers that were met
}

// monthEnd is what a register leaves behind, so far.
type monthEnd struct {
	taxpayer fiscal.TaxpayerID
	kept     []keptPlace // by kind
}

func (l *departure) run(ctx context.Context) error {
	if err := l.begin(ctx); err != nil {
		return err
	}
	for l.head.Seq < l.end.Seq {
		page, err := l.v.Store.Scan(ctx, l.p, l.head.Seq+1, cmp.Or(l.v.Page, 512))
		if err != nil {
			return fmt.Errorf("read partition %d from entry %d: %w", l.p, l.head.Seq+1, err)
		}
		if len(page) == 0 {
			return &Damage{Partition: l.p, Seq: l.head.Seq + 1, What: "entry is missing"}
		}
		for i := range page {
			if done, err := l.take(ctx, &page[i]); done || err != nil {
				return err
			}
		}
		if l.v.Progress != nil {
			l.v.Progress(l.p, l.head.Seq, l.end.Seq)
		}
	}
	return l.close(ctx)
}

// take takes the next entry, and tells whether it stays, and so do all behind.
func (l *departure) take(ctx context.Context, e *Entry) (stays bool, err error) {
	if l.facts.Entries > 0 && e.Month != l.facts.Month {
		if err := l.close(ctx); err != nil {
			return false, err
		}
	}
	if e.Month > l.Last || e.Seq > l.end.Seq {
		return true, nil
	}
	before, chain := l.registers[e.Register], l.head.Chain
	if err := l.entry(ctx, e); err != nil {
		return false, err
	}
	var first *Hash
	if l.facts.Entries == 0 {
		first = &chain
		l.facts = SegmentFacts{Partition: l.p, Month: e.Month, First: e.Seq, Before: Digest(chain)}
		l.month = map[fiscal.RegisterID]*monthEnd{}
	}
	l.facts.add(e)
	end := l.month[e.Register]
	if end == nil {
		end = &monthEnd{taxpayer: e.Taxpayer}
		l.month[e.Register] = end
	}
	end.keep(keptPlace{kind: e.Kind, number: e.Number, prev: before.hash, hash: e.Hash})
	if l.Entry == nil {
		return false, nil
	}
	prev := &before.hash
	if l.first[e.Register] {
		prev = nil
	}
	l.first[e.Register] = true
	return false, l.Entry(e, prev, first)
}

// keep puts an entry in the place of the last one of its kind.
func (m *monthEnd) keep(k keptPlace) {
	at := slices.IndexFunc(m.kept, func(o keptPlace) bool { return o.kind == k.kind })
	if at < 0 {
		m.kept = append(m.kept, k)
		return
	}
	m.kept[at] = k
}

// close seals the segment, if there is one.
func (l *departure) close(ctx context.Context) error {
	if l.facts.Entries == 0 {
		return nil
	}
	ids := slices.Sorted(maps.Keys(l.month))
	l.facts.Registers = len(ids)
	var h endsHash
	ends := make([]End, len(ids))
	for i, id := range ids {
		m, at := l.month[id], l.registers[id]
		slices.SortFunc(m.kept, func(a, b keptPlace) int { return cmp.Compare(a.number, b.number) })
		ends[i] = End{Register: id, Taxpayer: m.taxpayer, Number: at.number, Hash: at.hash}
		if l.Replay != nil {
			ends[i].State = l.Replay.made[id].Append(nil)
		}
		l.facts.Ends = h.add(l.facts.Ends, &ends[i], m.kept)
	}
	s, err := l.Seal(l.facts)
	if err != nil {
		return err
	}
	if err := l.Segment(&s, l.withKept(ctx, ends)); err != nil {
		return err
	}
	l.facts, l.month = SegmentFacts{}, nil
	return nil
}

// withKept reads what is kept of each register when it is asked for.
func (l *departure) withKept(ctx context.Context, ends []End) iter.Seq2[End, error] {
	return func(yield func(End, error) bool) {
		for _, end := range ends {
			for _, k := range l.month[end.Register].kept {
				e, err := l.v.Store.Entry(ctx, l.p, end.Register, k.number)
				if err != nil {
					yield(end, fmt.Errorf("read number %d of register %d: %w", k.number, end.Register, err))
					return
				}
				end.Kept = append(end.Kept, KeptEntry{Entry: e, Prev: k.prev})
			}
			if !yield(end, nil) {
				return
			}
		}
	}
}

// Prepare stores what a Retirement sums up, and makes sure that what is stored
// can be started at: its Segment.
//
// Errors: Conflict if another segment of these entries is stored.
func Prepare(ctx context.Context, store SegmentStore, keys func(fiscal.KeyID) (fiscal.Key, error), s *Segment, ends iter.Seq2[End, error]) error {
	page := make([]End, 0, endsPage)
	flush := func() error {
		if len(page) == 0 {
			return nil
		}
		err := store.KeepEnds(ctx, s.Partition, s.Month, page)
		page = page[:0]
		return err
	}
	for e, err := range ends {
		if err != nil {
			return err
		}
		if page = append(page, e); len(page) == endsPage {
			if err := flush(); err != nil {
				return err
			}
		}
	}
	if err := flush(); err != nil {
		return err
	}
	all, err := store.Segments(ctx, s.Partition)
	if err != nil {
		return fmt.Errorf("read the segments of partition %d: %w", s.Partition, err)
	}
	if at := slices.IndexFunc(all, func(o Segment) bool { return o.Month == s.Month }); at < 0 {
		if err := store.KeepSegment(ctx, s); err != nil {
			return fmt.Errorf("store the segment of month %d: %w", s.Month, err)
		}
	} else {
		if !all[at].Same(&s.SegmentFacts) {
			return &fiscal.Error{Of: fiscal.Conflict, Field: "segment", Msg: fmt.Sprintf("another segment of month %d of partition %d is stored", s.Month, s.Partition)}
		}
		s = &all[at]
	}
	if err := s.check(keys); err != nil {
		return err
	}
	sum, n, err := readEnds(ctx, store, s, nil)
	if err == nil && (sum != s.Ends || n != s.Registers) {
		err = &fiscal.Error{Of: fiscal.Corrupt, Field: "segment", Msg: fmt.Sprintf("what is stored of registers at the end of month %d is not what was told", s.Month)}
	}
	return err
}
