package follow

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"openofd/internal/fiscal"
	"openofd/internal/journal"
)

type partition = fiscal.Partition

// round is the work on a group of partitions, round after round. One goroutine
// uses it.
type round struct {
	*Runner
	group   int
	resting map[partition]rest // those that failed
	blind   int                // rounds in a row that did not learn where they are
	at      time.Time          // when the entry was received that was followed last
	behind  time.Duration      // the age at which the last round left entries, 0 if it left none
}

// rest is how a partition that failed waits for its next attempt.
type rest struct {
	failures int
	until    time.Time
	seq      journal.Seq
	why      string
}

// run takes one page of each partition that has any. did says that there was
// one, more that there is still more.
func (r *round) run(stop, held context.Context) (did, more bool) {
	heads, cursors, err := r.where(held)
	if err != nil {
		if r.blind++; r.blind == 1 && held.Err() == nil {
			r.log.Warn("the journal cannot be followed just now", "err", err)
		}
		return false, false
	}
	r.blind, r.behind = 0, 0
	for _, p := range slices.Sorted(maps.Keys(heads)) {
		if int(p)%r.cfg.Groups != r.group || heads[p].Seq <= cursors[p].Seq {
			continue
		}
		if stop.Err() != nil || held.Err() != nil {
			return did, false
		}
		if r.now().Before(r.resting[p].until) {
			continue
		}
		reached, err := r.page(held, p, cursors[p].Seq)
		if err != nil {
			r.failed(held, p, reached+1, err)
			continue
		}
		r.recovered(p, cursors[p].Failure)
		did = true
		if reached < heads[p].Seq {
			more, r.behind = true, max(r.behind, r.now().Sub(r.at))
		}
	}
	return did, more
}

func (r *round) where(ctx context.Context) (map[partition]journal.Head, map[partition]Cursor, error) {
	heads, err := r.store.Heads(ctx)
	if err != nil {
		return nil, nil, err
	}
	cursors, err := r.store.Cursors(ctx, r.id)
	return heads, cursors, err
}

// page follows one page behind from, and tells how far it got. What is kept no
// longer it steps over.
func (r *round) page(ctx context.Context, p partition, from journal.Seq) (reached journal.Seq, err error) {
	entries, err := r.store.Page(ctx, p, from+1, r.cfg.Entries, r.cfg.Bytes)
	if err != nil {
		return from, err
	}
	if len(entries) == 0 || entries[0].Seq != from+1 {
		retired, err := r.store.Retired(ctx)
		if err != nil {
			return from, err
		}
		if last := retired[p]; last > from && (len(entries) == 0 || entries[0].Seq <= last+1) {
			return last, r.store.Move(ctx, Move{ID: r.id, Partition: p, From: from, To: last, At: r.now().UTC().Truncate(time.Microsecond)})
		}
	}
	for i := range entries {
		if want := from + 1 + journal.Seq(i); entries[i].Seq != want {
			return from, &EntryError{want, &fiscal.Error{Of: fiscal.Corrupt, Msg: fmt.Sprintf("missing in partition %d: %d comes next", p, entries[i].Seq)}}
		}
	}
	if len(entries) == 0 {
		return from, &EntryError{from + 1, &fiscal.Error{Of: fiscal.Corrupt, Msg: fmt.Sprintf("missing in partition %d, whose head is behind it", p)}}
	}
	err = r.apply(ctx, p, from, entries)
	var at *EntryError
	if errors.As(err, &at) && at.Seq > entries[0].Seq && at.Seq <= entries[len(entries)-1].Seq {
		before := entries[:at.Seq-entries[0].Seq]
		if early := r.apply(ctx, p, from, before); early != nil {
			return from, early
		}
		return at.Seq - 1, err
	}
	if err != nil {
		return from, err
	}
	return entries[len(entries)-1].Seq, nil
}

func (r *round) apply(ctx context.Context, p partition, from journal.Seq, entries []journal.Entry) error {
	began := time.Now()
	m := Move{ID: r.id, Partition: p, From: from, To: entries[len(entries)-1].Seq, At: r.now().UTC().Truncate(time.Microsecond)}
	if err := r.follower.Apply(ctx, m, entries); err != nil {
		return err
	}
	r.at = entries[len(entries)-1].ReceivedAt
	r.observer.Followed(r.id, len(entries), time.Since(began))
	return nil
}

// failed has the partition rest, and notes what it failed on where the operator
// looks. That another node was faster is no failure.
func (r *round) failed(ctx context.Context, p partition, seq journal.Seq, err error) {
	was := r.resting[p]
	if errors.Is(err, ErrMoved) || ctx.Err() != nil {
		r.resting[p] = rest{until: r.now().Add(r.cfg.Retry)}
		return
	}
	var at *EntryError
	if errors.As(err, &at) {
		seq = at.Seq
	}
	now := rest{failures: was.failures + 1, seq: seq, why: err.Error()}
	if was.seq != seq { // it has come further
		now.failures = 1
	}
	now.until = r.now().Add(min(r.cfg.Retry<<min(now.failures-1, 16), longestRetry))
	r.resting[p] = now
	r.observer.Failed(r.id, kindOf(err))
	if was.seq == seq && was.why == now.why {
		return // said already
	}
	r.log.Error("cannot follow past an entry", "partition", p, "entry", seq, "err", err)
	failure := Failure{Seq: seq, At: r.now().UTC().Truncate(time.Microsecond), Why: now.why}
	if err := r.store.KeepFailure(ctx, r.id, p, failure); err != nil {
		r.log.Warn("the failure could not be noted beside the cursor", "partition", p, "err", err)
	}
}

// recovered says that a partition goes on.
func (r *round) recovered(p partition, f Failure) {
	if f.Seq != 0 {
		r.log.Info("follows again", "partition", p, "entry", f.Seq)
	}
	delete(r.resting, p)
}

func kindOf(err error) fiscal.Kind {
	for _, k := range fiscal.Kinds() {
		if k != fiscal.Internal && errors.Is(err, k) {
			return k
		}
	}
	return fiscal.Internal
}
