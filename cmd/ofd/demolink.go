package main

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"openofd/internal/device/kkm"
	"openofd/internal/device/kkt"
)

// outage is what can happen to a cable: it is cut for a while, or an answer is
// lost on it.
type outage struct {
	until atomic.Int64 // unix nanoseconds
	lose  atomic.Bool  // the next answer
	after atomic.Int64 // how long the link is cut behind a lost answer, nanoseconds
}

var errCut = errors.New("the link is cut")

func (c *outage) cut(d time.Duration) { c.until.Store(time.Now().Add(d).UnixNano()) }
func (c *outage) mend()               { c.until.Store(0) }

// loseAnswer loses the next answer, and cuts the link behind it for a while.
func (c *outage) loseAnswer(cut time.Duration) {
	c.after.Store(int64(cut))
	c.lose.Store(true)
}

// down reports whether nothing gets through.
func (c *outage) down() bool { return time.Now().UnixNano() < c.until.Load() }

// lost reports whether the answer that has come is to be lost.
func (c *outage) lost() bool {
	if !c.lose.CompareAndSwap(true, false) {
		return false
	}
	c.cut(time.Duration(c.after.Load()))
	return true
}

// cuttable is the link of a register of Kazakhstan, with outages.
type cuttable struct {
	kkm.Exchanger
	outage
}

// Exchange fails while the link is cut.
func (c *cuttable) Exchange(ctx context.Context, frame []byte) (kkm.Reply, error) {
	if c.down() {
		return kkm.Reply{}, &kkm.LinkError{Stage: kkm.AtConnect, Err: errCut}
	}
	reply, err := c.Exchanger.Exchange(ctx, frame)
	if err == nil && c.lost() {
		return kkm.Reply{}, &kkm.LinkError{Stage: kkm.AtReceive, Err: errCut}
	}
	return reply, err
}

// cuttableKKT is the link of a register of Russia, with outages.
type cuttableKKT struct {
	kkt.Exchanger
	outage
}

// Exchange fails while the link is cut.
func (c *cuttableKKT) Exchange(ctx context.Context, message []byte) ([]byte, error) {
	if c.down() {
		return nil, &kkt.LinkError{Stage: kkt.AtConnect, Err: errCut}
	}
	container, err := c.Exchanger.Exchange(ctx, message)
	if err == nil && c.lost() {
		return nil, &kkt.LinkError{Stage: kkt.AtReceive, Err: errCut}
	}
	return container, err
}
