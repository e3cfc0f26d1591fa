package journal

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"openofd/internal/fiscal"
)

// Config sizes the committer. The zero value is usable.
type Config struct {
	MaxBatch   int           // entries per batch; 0 means 512
	MaxBytes   int           // bytes per batch; 0 means 4 MiB
	MaxQueue   int           // commits waiting for one line; 0 means 4096
	Committers int           // lines that share the partitions; 0 means 1
	Outcome    time.Duration // how long a waiter waits for a batch that has begun; 0 means 10 s
}

func (c Config) filled() Config {
	for _, f := range []struct {
		v   *int
		def int
	}{{&c.MaxBatch, 512}, {&c.MaxBytes, 4 << 20}, {&c.MaxQueue, 4096}, {&c.Committers, 1}} {
		if *f.v <= 0 {
			*f.v = f.def
		}
	}
	if c.Outcome <= 0 {
		c.Outcome = 10 * time.Second
	}
	return c
}

// Observer hears of batches, for metrics. Its methods are called between two
// batches and must not block.
type Observer interface {
	// BatchDone is one call of Store.Append. err is nil, or why it failed.
	BatchDone(entries, bytes int, took time.Duration, err error)
	// QueueDepth is how many commits were left waiting in a line when it formed
	// a batch.
	QueueDepth(commits int)
}

type noObserver struct{}

func (noObserver) BatchDone(int, int, time.Duration, error) {}
func (noObserver) QueueDepth(int)                           {}

// leaving is how long an outcome is waited for when the caller has left.
const leaving = time.Second

// Committer makes commits durable in groups. The partitions are shared among
// its lines (partition mod Committers); while a line's batch is being made
// durable, its next one forms. There is no timer: a lone commit is written at
// once.
//
// It keeps five promises:
//
//  1. An answer leaves only after its entry is durable.
//  2. Every waiter gets exactly one answer, shutdown included.
//  3. The queue is bounded, and a full one says QueueFull at once.
//  4. One bad or stale commit fails alone; the others of its batch stand.
//  5. A retry never overtakes its original: what one register sent is made
//     durable in the order in which it came. (That a retry, even while its
//     original still waits here, gets the original's bytes is intake's part.)
//
// Safe for concurrent use.
type Committer struct {
	cfg      Config
	store    Store
	log      *slog.Logger
	observer Observer
	now      func() time.Time
	lines    []*line
	waiters  sync.Pool
	settling settlements

	stop     chan struct{} // closed: take nothing more
	stopOnce sync.Once
	mu       sync.Mutex
	running  chan struct{} // closed when Run has returned; nil before Run; guarded by mu
}

// New makes a committer that takes commits at once and writes them as soon as
// Run is called. observer may be nil.
func New(cfg Config, store Store, log *slog.Logger, observer Observer, now func() time.Time) *Committer {
	c := &Committer{cfg: cfg.filled(), store: store, log: log, observer: observer, now: now, stop: make(chan struct{})}
	c.settling.all = make(map[fiscal.Partition]*settlement)
	if observer == nil {
		c.observer = noObserver{}
	}
	c.lines = make([]*line, c.cfg.Committers)
	for i := range c.lines {
		c.lines[i] = &line{max: c.cfg.MaxQueue, wake: make(chan struct{}, 1)}
	}
	return c
}

// Run writes until ctx ends or Stop is called, then writes what still waits,
// and returns. It is called once. No write is cut short: when ctx ends, the
// batch under way and those behind it run to their end.
func (c *Committer) Run(ctx context.Context) {
	done := make(chan struct{})
	c.mu.Lock()
	c.running = done
	c.mu.Unlock()
	defer close(done)

	var lines sync.WaitGroup
	for _, l := range c.lines {
		lines.Go(func() { c.serve(context.WithoutCancel(ctx), l) })
	}
	select {
	case <-ctx.Done():
	case <-c.stop:
	}
	c.close()
	lines.Wait()
}

// Stop takes no more commits and waits until all that were taken are answered.
func (c *Committer) Stop() {
	c.close()
	c.mu.Lock()
	running := c.running
	c.mu.Unlock()
	if running != nil {
		<-running
		return
	}
	for _, l := range c.lines { // never ran: nobody else will answer
		for _, w := range l.abandon() {
			w.answer <- errStopping
		}
	}
}

// Oldest is for how long the batch has been on its way that began first; 0 if
// none is.
func (c *Committer) Oldest() (took time.Duration) {
	now := c.now().UnixNano()
	for _, l := range c.lines {
		if since := l.since.Load(); since != 0 {
			took = max(took, time.Duration(now-since))
		}
	}
	return took
}

// Waiting is how many commits stand in the queues now: those of batches under
// way are not among them.
func (c *Committer) Waiting() (n int) {
	for _, l := range c.lines {
		l.mu.Lock()
		n += len(l.queue)
		l.mu.Unlock()
	}
	return n
}

func (c *Committer) close() {
	c.stopOnce.Do(func() { close(c.stop) })
	for _, l := range c.lines {
		l.close()
	}
}

// What Commit can answer besides nil and ErrStale. They are shared: an answer
// on the hot path costs no allocation.
var (
	errQueueFull     = &fiscal.Error{Reason: fiscal.QueueFull}
	errQueuedTooLong = &fiscal.Error{Reason: fiscal.QueuedTooLong, Msg: "withdrawn before its batch began"}
	errOutcome       = &fiscal.Error{Reason: fiscal.OutcomeUnknown, Msg: "the store has not said whether the batch is durable"}
	errStoreDown     = &fiscal.Error{Reason: fiscal.StoreDown, Msg: "nothing was stored"}
	errStopping      = &fiscal.Error{Reason: fiscal.StoreDown, Msg: "the journal is stopping; nothing was stored"}
)

// Commit waits until x is durable.
//
// While x stands in the queue it is withdrawn when ctx ends or x.Deadline
// passes. Once its batch has begun its outcome is open: Commit then waits on,
// up to Config.Outcome from the batch's beginning, or a second if ctx is
// canceled, for then nobody is there to be answered.
//
// Errors: ErrStale; QueueFull, QueuedTooLong (Overloaded) and StoreDown
// (Unavailable), after which nothing of x is or will be stored; OutcomeUnknown
// (Unavailable), after which x may yet become durable and its slices must not
// be touched; Internal for a commit that no store could take.
func (c *Committer) Commit(ctx context.Context, x Commit) error {
	if err := x.check(); err != nil {
		return err
	}
	w, _ := c.waiters.Get().(*waiter)
	if w == nil {
		w = newWaiter()
	}
	w.commit = x
	l := c.lines[int(x.Partition)%len(c.lines)]
	if err := l.join(w); err != nil {
		c.release(w)
		return err
	}

	var expired <-chan time.Time
	if !x.Deadline.IsZero() {
		w.timer.Reset(x.Deadline.Sub(c.now()))
		expired = w.timer.C
	}
	select {
	case err := <-w.answer:
		c.release(w)
		return err
	case <-ctx.Done():
	case <-expired:
	}
	if l.withdraw(w) {
		c.release(w)
		return errQueuedTooLong
	}
	return c.await(ctx, w)
}

// await waits for the outcome of a batch that has begun.
func (c *Committer) await(ctx context.Context, w *waiter) error {
	for {
		patience, left := w.begun.Add(c.cfg.Outcome).Sub(c.now()), ctx.Done()
		if ctx.Err() != nil {
			left = nil
			if errors.Is(ctx.Err(), context.Canceled) {
				patience = min(patience, leaving)
			}
		}
		w.timer.Reset(patience)
		select {
		case err := <-w.answer:
			c.release(w)
			return err
		case <-left:
			continue
		case <-w.timer.C:
		}
		select {
		case err := <-w.answer: // both at the same moment: the outcome is the better answer
			c.release(w)
			return err
		default:
			return errOutcome // the line still holds w, so it goes to no pool
		}
	}
}

func (c *Committer) release(w *waiter) {
	w.timer.Stop()
	w.commit = Commit{}
	c.waiters.Put(w)
}

// check refuses a commit that would spoil a batch: no entries, entries of
// another register or out of order, not linked.
func (c *Commit) check() error {
	bad := func(why string) error {
		return &fiscal.Error{Of: fiscal.Internal, Field: "commit", Msg: why}
	}
	if len(c.Entries) == 0 {
		return bad("no entries")
	}
	if len(c.State) == 0 {
		return bad("no state")
	}
	if c.Partition < 0 {
		return bad("partition below zero")
	}
	for i := range c.Entries {
		switch e := &c.Entries[i]; {
		case e.Partition != c.Partition || e.Register != c.Register:
			return bad("an entry of another register")
		case e.Number != c.Entries[0].Number+fiscal.Number(i) || e.Number == 0:
			return bad("entries are not numbered one after the other")
		case e.Hash == Hash{}:
			return bad("an entry is not linked")
		}
	}
	return nil
}
