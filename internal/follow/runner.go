package follow

import (
	"cmp"
	"context"
	"log/slog"
	"sync"
	"time"
)

// Config sizes a runner. The zero value is usable.
type Config struct {
	Groups  int           // of partitions, followed side by side; 0 means 1
	Entries int           // of a page; 0 means 512
	Bytes   int           // of a page's requests and answers; 0 means 4 MiB
	Pace    time.Duration // between two rounds that are not full; 0 means 1 s
	Poll    time.Duration // how often it looks without a notice; 0 means 2 s
	Lease   time.Duration // 0 means 10 s
	Retry   time.Duration // after the first failure, then twice as long; 0 means 1 s
	Grace   time.Duration // for the page under way when Run has to end; 0 means 5 s
	Holder  string        // names this process among the nodes
	Busy    func() bool   // acceptance here is at its limit; nil: it never is
	Promise time.Duration // how old an entry gets before it is followed, if the machine can; 0: there is none
}

// longestRetry is the most seldom that a failed page is tried again.
const longestRetry = time.Minute

func (c Config) filled() Config {
	c.Groups = cmp.Or(max(c.Groups, 0), 1)
	c.Entries = cmp.Or(max(c.Entries, 0), 512)
	c.Bytes = cmp.Or(max(c.Bytes, 0), 4<<20)
	for _, f := range []struct {
		v   *time.Duration
		def time.Duration
	}{{&c.Pace, time.Second}, {&c.Poll, 2 * time.Second}, {&c.Lease, 10 * time.Second}, {&c.Retry, time.Second}, {&c.Grace, 5 * time.Second}} {
		if *f.v <= 0 {
			*f.v = f.def
		}
	}
	return c
}

// Runner keeps one follower going. Safe for concurrent use.
type Runner struct {
	cfg      Config
	store    Store
	follower Follower
	id       ID
	log      *slog.Logger
	observer Observer
	now      func() time.Time
	notices  []chan struct{} // one a group
}

// New makes a runner; Run starts it. observer may be nil.
func New(cfg Config, store Store, follower Follower, log *slog.Logger, observer Observer, now func() time.Time) *Runner {
	r := &Runner{cfg: cfg.filled(), store: store, follower: follower, id: follower.ID(), observer: observer, now: now}
	r.log = log.With("follower", r.id.Name)
	if observer == nil {
		r.observer = noObserver{}
	}
	for range r.cfg.Groups {
		r.notices = append(r.notices, make(chan struct{}, 1))
	}
	return r
}

// ID is that of the follower.
func (r *Runner) ID() ID { return r.id }

// Notice says that there are new entries. It never waits.
func (r *Runner) Notice() {
	for _, n := range r.notices {
		select {
		case n <- struct{}{}:
		default: // it knows
		}
	}
}

// Run follows until ctx ends. The pages under way then have the grace to come
// to their end; one that does not is followed again by whoever is next.
func (r *Runner) Run(ctx context.Context) {
	work, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	var groups sync.WaitGroup
	for g := range r.cfg.Groups {
		groups.Go(func() { r.serve(ctx, work, g) })
	}
	done := make(chan struct{})
	go func() { groups.Wait(); close(done) }()
	select {
	case <-done:
		return
	case <-ctx.Done():
	}
	late := time.NewTimer(r.cfg.Grace)
	defer late.Stop()
	select {
	case <-done:
	case <-late.C:
		cancel()
		<-done
	}
}

// serve follows a group whenever it holds the lease.
func (r *Runner) serve(stop, work context.Context, group int) {
	for stop.Err() == nil {
		if !r.lease(work, group) {
			pause(stop, nil, r.cfg.Lease/3)
			continue
		}
		r.hold(stop, work, group)
	}
}

// lease asks for the lease, or for more of it.
func (r *Runner) lease(ctx context.Context, group int) bool {
	ctx, cancel := context.WithTimeout(ctx, r.cfg.Lease/3)
	defer cancel()
	ok, err := r.store.Lease(ctx, r.id, group, r.cfg.Holder, r.cfg.Lease)
	if err != nil {
		r.log.Debug("no word about the lease", "group", group, "err", err)
	}
	return ok && err == nil
}

// hold follows while the lease is prolonged in time, and gives it back.
func (r *Runner) hold(stop, work context.Context, group int) {
	asked := time.Now() // the span is measured from before the answer, so that ours ends first
	held, lose := context.WithCancel(work)
	defer lose()
	var renewing sync.WaitGroup
	over := make(chan struct{})
	renewing.Go(func() {
		tick := time.NewTicker(r.cfg.Lease / 5)
		defer tick.Stop()
		for {
			select {
			case <-over:
				return
			case <-tick.C:
			}
			if began := time.Now(); r.lease(work, group) {
				asked = began
			} else if time.Since(asked) > r.cfg.Lease*2/3 {
				r.log.Warn("the lease is lost", "group", group)
				lose()
				return
			}
		}
	})
	r.follow(stop, held, group)
	close(over)
	renewing.Wait()
	if held.Err() != nil {
		return
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(work), r.cfg.Lease/3)
	defer cancel()
	if err := r.store.Release(last, r.id, group, r.cfg.Holder); err != nil {
		r.log.Debug("the lease is not given back, and will run out", "group", group, "err", err)
	}
}

// follow goes round after round until stop ends or the lease is lost.
func (r *Runner) follow(stop, held context.Context, group int) {
	g := &round{Runner: r, group: group, resting: make(map[partition]rest)}
	for {
		began := time.Now()
		did, more := g.run(stop, held)
		if stop.Err() != nil || held.Err() != nil {
			return
		}
		if did && r.cfg.Busy != nil && r.cfg.Busy() { // registers wait for answers, we can wait too
			pause(stop, held.Done(), r.stand(time.Since(began), g.behind))
		}
		if more {
			continue
		}
		if did { // what comes within the pace shares a page
			pause(stop, held.Done(), r.cfg.Pace)
		}
		pauseOr(stop, held.Done(), r.notices[group], r.cfg.Poll)
	}
}

// stand is how long a round that took so long is followed by rest beside a
// journal that is busy, the other groups working at the same time. All of them
// together take a ninth of the time, and half of it when half the promise is used
// up.
func (r *Runner) stand(took, behind time.Duration) time.Duration {
	took *= time.Duration(r.cfg.Groups)
	switch promise := r.cfg.Promise; {
	case promise <= 0:
		return min(standBack*took, longestStand)
	case behind > promise/2:
		return min(took, promise/4)
	default:
		return min(standBack*took, promise/4, longestStand)
	}
}

const (
	standBack    = 8
	longestStand = 4 * time.Second
)

// pause waits, unless stop or lost ends it.
func pause(stop context.Context, lost <-chan struct{}, d time.Duration) {
	pauseOr(stop, lost, nil, d)
}

func pauseOr(stop context.Context, lost, notice <-chan struct{}, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-notice:
	case <-lost:
	case <-stop.Done():
	}
}
