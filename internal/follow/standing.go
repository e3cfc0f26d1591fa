package follow

import (
	"context"
	"maps"
	"slices"
	"time"

	"openofd/internal/fiscal"
	"openofd/internal/journal"
)

// Standing is how a follower stands to the journal, whoever follows.
type Standing struct {
	Entries   uint64    // how many it has not followed yet
	Oldest    time.Time // when the first of them was received; zero: there is none
	Positions []Position
}

// Position is a follower's place in one partition.
type Position struct {
	Partition fiscal.Partition
	Head      journal.Seq
	Cursor
}

// Behind is how many entries of the partition it has not followed yet.
func (p *Position) Behind() uint64 { return uint64(max(p.Head, p.Seq) - p.Seq) }

// Stuck are the positions whose last attempt failed.
func (s *Standing) Stuck() (all []Position) {
	for _, p := range s.Positions {
		if p.Failure.Seq != 0 {
			all = append(all, p)
		}
	}
	return all
}

// Stands looks where a follower stands. It reads one entry of each partition
// in which it lags.
func Stands(ctx context.Context, store Store, id ID) (s Standing, err error) {
	// Cursors first: what is followed meanwhile counts as lag, never as less.
	cursors, err := store.Cursors(ctx, id)
	if err != nil {
		return s, err
	}
	heads, err := store.Heads(ctx)
	if err != nil {
		return s, err
	}
	for _, p := range slices.Sorted(maps.Keys(heads)) {
		at := Position{Partition: p, Head: heads[p].Seq, Cursor: cursors[p]}
		s.Positions = append(s.Positions, at)
		if at.Behind() == 0 {
			continue
		}
		s.Entries += at.Behind()
		first, err := store.Page(ctx, p, at.Seq+1, 1, 1)
		if err != nil {
			return s, err
		}
		if len(first) > 0 && (s.Oldest.IsZero() || first[0].ReceivedAt.Before(s.Oldest)) {
			s.Oldest = first[0].ReceivedAt
		}
	}
	return s, nil
}
