package web

import (
	"container/list"
	"net/netip"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// limits is a bucket of tokens for each address. The table is bounded: the
// address not seen for longest makes room, and is then as good as new. Safe
// for concurrent use.
type limits struct {
	cfg Config
	now func() time.Time

	mu     sync.Mutex
	places map[netip.Addr]*list.Element // guarded by mu; values are *bucket
	recent *list.List                   // guarded by mu; the latest first
}

type bucket struct {
	address netip.Addr
	tokens  *rate.Limiter
}

func newLimits(cfg Config, now func() time.Time) *limits {
	return &limits{cfg: cfg, now: now, places: map[netip.Addr]*list.Element{}, recent: list.New()}
}

// take uses up one check. It returns 0, or how long to wait for the next one.
func (l *limits) take(a netip.Addr) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	now, tokens := l.now(), l.tokens(a)
	if tokens.AllowN(now, 1) {
		return 0
	}
	// What is asked for and given back tells how long it would have taken.
	next := tokens.ReserveN(now, 1)
	defer next.CancelAt(now)
	return next.DelayFrom(now)
}

// charge uses up n checks more, below zero if need be.
func (l *limits) charge(a netip.Addr, n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.tokens(a).ReserveN(l.now(), n)
}

// tokens is the bucket of an address. l.mu is held.
func (l *limits) tokens(a netip.Addr) *rate.Limiter {
	if place, ok := l.places[a]; ok {
		l.recent.MoveToFront(place)
		return place.Value.(*bucket).tokens
	}
	if l.recent.Len() >= l.cfg.MaxAddresses {
		oldest := l.recent.Back()
		delete(l.places, oldest.Value.(*bucket).address)
		l.recent.Remove(oldest)
	}
	b := &bucket{address: a, tokens: rate.NewLimiter(rate.Limit(l.cfg.ChecksPerSecond), l.cfg.ChecksAtOnce)}
	l.places[a] = l.recent.PushFront(b)
	return b.tokens
}
