package journal

import (
	"context"
	"errors"
	"time"

	"openofd/internal/fiscal"
)

// batch is what goes to the store at once. Its slices are reused.
type batch struct {
	commits []Commit
	waiters []*waiter // of the commit at the same place
	entries int
	bytes   int
}

func (b *batch) clear() {
	clear(b.commits)
	clear(b.waiters)
	*b = batch{commits: b.commits[:0], waiters: b.waiters[:0]}
}

// part is a run of a batch, or all of it.
type part struct {
	commits []Commit
	waiters []*waiter
}

func (p part) size() (entries, bytes int) {
	for i := range p.commits {
		entries += len(p.commits[i].Entries)
		bytes += p.commits[i].Bytes()
	}
	return entries, bytes
}

func (p part) answer(err error) {
	for _, w := range p.waiters {
		w.answer <- err
	}
}

// serve writes the batches of one line, one after the other, until the line is
// closed and empty.
func (c *Committer) serve(ctx context.Context, l *line) {
	var b batch
	failing := false
	for {
		left, ok := l.take(&b, c.cfg.MaxBatch, c.cfg.MaxBytes, c.now)
		if !ok {
			return
		}
		c.observer.QueueDepth(left)
		l.since.Store(c.now().UnixNano())
		err := c.write(ctx, part{b.commits, b.waiters})
		l.since.Store(0)
		switch {
		case err != nil && !failing:
			c.log.Error("store does not take commits", "err", err)
		case err == nil && failing:
			c.log.Info("store takes commits again")
		}
		failing = err != nil
		b.clear()
	}
}

// write makes a part of a batch durable and answers each of its waiters once.
// Its error is for the log.
func (c *Committer) write(ctx context.Context, p part) error {
	began := c.now()
	stale, err := c.store.Append(ctx, p.commits, Seal)
	entries, bytes := p.size()
	c.observer.BatchDone(entries, bytes, c.now().Sub(began), err)

	switch nothing := errors.Is(err, ErrNothingStored); {
	case err == nil:
		for i, w := range p.waiters {
			if len(stale) > 0 && stale[0] == i {
				stale = stale[1:]
				w.answer <- ErrStale
				continue
			}
			w.answer <- nil
		}
		return nil
	case nothing && errors.Is(err, fiscal.Invalid):
		return c.separate(ctx, p, err)
	case nothing:
		p.answer(errStoreDown)
		return err
	default:
		return c.resolve(ctx, p, err)
	}
}

// separate finds the commit that the store can never take, by halves, so that
// it fails alone. A lone one is the bad one.
func (c *Committer) separate(ctx context.Context, p part, cause error) error {
	if n := len(p.commits); n > 1 {
		first := c.write(ctx, part{p.commits[:n/2], p.waiters[:n/2]})
		return errors.Join(first, c.write(ctx, part{p.commits[n/2:], p.waiters[n/2:]}))
	}
	c.log.Error("commit refused by the store", "register", p.commits[0].Register, "entry", p.commits[0].Entries[0].Number, "err", cause)
	// The cause is not wrapped: it is the commit that is invalid, by our fault,
	// and not the document.
	p.answer(&fiscal.Error{Of: fiscal.Internal, Field: "commit", Msg: cause.Error()})
	return nil
}

// Between two tries to reach a store that does not answer.
const (
	firstPause = 50 * time.Millisecond
	lastPause  = 2 * time.Second
	oneTry     = 10 * time.Second
)

// resolve finds out what became of a batch whose writing ended with an error
// that leaves it open. It fences each partition touched, so that nothing is
// under way any more, and then looks for each commit's last entry: the one
// with its hash is durable, any other or none means that it is not and never
// will be.
func (c *Committer) resolve(ctx context.Context, p part, cause error) error {
	c.log.Error("outcome of a batch unknown", "commits", len(p.commits), "err", cause)
	patience := p.waiters[0].begun.Add(c.cfg.Outcome)
	fenced := make(map[fiscal.Partition]bool)
	for i := range p.commits {
		at := p.commits[i].Partition
		if fenced[at] {
			continue
		}
		fenced[at] = true
		if !c.insist(ctx, patience, func(ctx context.Context) error {
			_, err := c.store.Fence(ctx, at)
			return err
		}) {
			p.answer(errOutcome)
			return cause
		}
	}
	for i := range p.commits {
		last := &p.commits[i].Entries[len(p.commits[i].Entries)-1]
		answer := error(errStoreDown)
		if !c.insist(ctx, patience, func(ctx context.Context) error {
			found, err := c.store.Entry(ctx, last.Partition, last.Register, last.Number)
			if err == nil && found.Hash == last.Hash {
				answer = nil
			}
			if errors.Is(err, fiscal.NotFound) {
				return nil
			}
			return err
		}) {
			answer = errOutcome
		}
		p.waiters[i].answer <- answer
	}
	return cause
}

// insist repeats what the store does not answer, with growing pauses, until it
// succeeds. After Stop it goes on only as long as a waiter may be patient.
func (c *Committer) insist(ctx context.Context, patience time.Time, do func(context.Context) error) bool {
	for pause := firstPause; ; pause = min(2*pause, lastPause) {
		try, cancel := context.WithTimeout(ctx, oneTry)
		err := do(try)
		cancel()
		if err == nil {
			return true
		}
		c.log.Warn("store not reached", "err", err)
		if c.stopping() && !c.now().Before(patience) {
			return false
		}
		time.Sleep(pause)
	}
}

func (c *Committer) stopping() bool {
	select {
	case <-c.stop:
		return true
	default:
		return false
	}
}
