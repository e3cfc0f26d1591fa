package api

import (
	"math"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// gauge lets each of many go on at a rate. The table is bounded: when it is full
// it is emptied, and everybody has their full measure again. Safe for concurrent
// use.
type gauge struct {
	perSecond float64
	atOnce    int
	now       func() time.Time

	mu    sync.Mutex
	meter map[string]*rate.Limiter // guarded by mu
}

// maxMeters bounds how many a gauge remembers: some megabytes.
const maxMeters = 1 << 15

func newGauge(perSecond float64, atOnce int, now func() time.Time) *gauge {
	return &gauge{perSecond: perSecond, atOnce: atOnce, now: now, meter: map[string]*rate.Limiter{}}
}

// left is what remains of a measure.
type left struct {
	limit, remaining int
	reset            int           // seconds until the measure is full again
	wait             time.Duration // until the next call is let through, 0 now
}

// take uses n up, and tells what is left. Without enough nothing is used up.
func (g *gauge) take(who string, n int) left {
	g.mu.Lock()
	defer g.mu.Unlock()
	m, ok := g.meter[who]
	if !ok {
		if len(g.meter) >= maxMeters {
			clear(g.meter)
		}
		m = rate.NewLimiter(rate.Limit(g.perSecond), g.atOnce)
		g.meter[who] = m
	}
	now := g.now()
	allowed := m.AllowN(now, n)
	has := m.TokensAt(now)
	l := left{limit: g.atOnce, remaining: max(0, int(has)), reset: int(math.Ceil((float64(g.atOnce) - has) / g.perSecond))}
	if !allowed {
		l.wait = time.Duration((float64(n) - has) / g.perSecond * float64(time.Second))
	}
	return l
}

// after is how long it takes until one more is let through.
func (g *gauge) after(l left) time.Duration {
	if l.wait > 0 {
		return l.wait
	}
	return time.Duration(float64(time.Second) / g.perSecond)
}
