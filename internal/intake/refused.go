package intake

import (
	"bytes"
	"context"
	"sync"

	"openofd/internal/fiscal"
	"openofd/internal/journal"
)

// Bounds of what waits to be written.
const (
	refusedQueue = 4096
	refusedBytes = 16 << 20
	refusedPage  = 256
)

// refusals gathers refused documents until they are written behind the answer.
type refusals struct {
	perDay int
	wake   chan struct{} // capacity 1

	mu    sync.Mutex
	queue []journal.Refused
	bytes int
	lost  int
	day   int64                     // days since 1970 that counts are of
	count map[fiscal.RegisterID]int // spares the store what it would not keep
}

func newRefusals(perDay int) *refusals {
	return &refusals{perDay: perDay, wake: make(chan struct{}, 1), count: make(map[fiscal.RegisterID]int)}
}

// manyRegisters bounds the counts. They are only a first sieve; the store keeps
// the bound.
const manyRegisters = 1 << 16

// within reports whether the register may have one more document kept today.
func (q *refusals) within(r *journal.Refused) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if day := r.At.Unix() / 86_400; day != q.day || len(q.count) >= manyRegisters {
		q.day = day
		clear(q.count)
	}
	q.count[r.Register]++
	return q.count[r.Register] <= q.perDay
}

// add puts a document into the queue, or counts it as lost when that is full.
func (q *refusals) add(all ...journal.Refused) {
	q.mu.Lock()
	for _, r := range all {
		if len(q.queue) >= refusedQueue || q.bytes+len(r.Request) > refusedBytes {
			q.lost++
			continue
		}
		q.queue = append(q.queue, r)
		q.bytes += len(r.Request)
	}
	q.mu.Unlock()
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

// take removes the next page from the queue, and the count of what was lost.
func (q *refusals) take() (page []journal.Refused, lost int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	n := min(len(q.queue), refusedPage)
	page = append(page, q.queue[:n]...)
	clear(q.queue[:n])
	if q.queue = q.queue[n:]; len(q.queue) == 0 {
		q.queue = nil
	}
	for i := range page {
		q.bytes -= len(page[i].Request)
	}
	lost, q.lost = q.lost, 0
	return page, lost
}

// keepRefused records what came in and was not accepted: before the connection
// closes when the register itself was contradicted or impersonated, behind the
// answer otherwise.
func (in *Intake) keepRefused(ctx context.Context, place Place, x *fiscal.Exchange, d *fiscal.Decision) {
	if d.Reason == fiscal.NoReason || x.Request == nil {
		return
	}
	r := journal.Refused{
		Partition: place.Partition, Register: place.Register, At: x.Received,
		Reason: d.Reason, Field: d.Field, Detail: d.Detail, Peer: x.Peer,
	}
	if !in.refusals.within(&r) {
		return
	}
	r.Request = bytes.Clone(x.Request)
	kind := d.Reason.Kind()
	if d.Close && place.Register != 0 && (kind == fiscal.Conflict || kind == fiscal.Unauthenticated) {
		ctx, cancel := in.reading(ctx, x)
		err := in.store.KeepRefused(ctx, []journal.Refused{r}, in.cfg.RefusedPerDay)
		cancel()
		if err == nil {
			return
		}
		in.log.Warn("refused document not kept at once", "register", place.Register, "err", err)
	}
	in.refusals.add(r)
}

// flushRefused writes what waits and reports whether the store took it.
func (in *Intake) flushRefused(ctx context.Context) bool {
	for {
		page, lost := in.refusals.take()
		if lost > 0 {
			in.observer.RefusedLost(lost)
			in.log.Warn("refused documents lost: more came in than can be kept", "count", lost)
		}
		if len(page) == 0 {
			return true
		}
		if err := in.store.KeepRefused(ctx, page, in.cfg.RefusedPerDay); err != nil {
			in.log.Warn("refused documents not written", "err", err)
			in.refusals.add(page...)
			return false
		}
	}
}
