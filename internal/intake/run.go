package intake

import (
	"context"
	"sync"
	"time"
)

// lastWrites bounds what is written when Run ends.
const lastWrites = 5 * time.Second

// Run writes behind the answers: last contacts every Config.Flush, refused
// documents as they come. When ctx ends it writes what there is and returns;
// so it is stopped after the doors.
func (in *Intake) Run(ctx context.Context) {
	var both sync.WaitGroup
	both.Go(func() { in.runContacts(ctx) })
	both.Go(func() { in.runRefused(ctx) })
	both.Wait()

	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastWrites)
	defer cancel()
	in.flushRefused(ctx)
	in.flushContacts(ctx)
}

func (in *Intake) runContacts(ctx context.Context) {
	tick := time.NewTicker(in.cfg.Flush)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			in.flushContacts(ctx)
		}
	}
}

// Before refused documents are written: to let a page gather, and after the
// store did not take one.
const (
	gather   = 200 * time.Millisecond
	recovery = 2 * time.Second
)

func (in *Intake) runRefused(ctx context.Context) {
	timer := time.NewTimer(gather)
	defer timer.Stop()
	for pause := gather; ; {
		select {
		case <-ctx.Done():
			return
		case <-in.refusals.wake:
		}
		timer.Reset(pause)
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		}
		pause = gather
		if !in.flushRefused(ctx) { // what is left wakes us again
			pause = recovery
		}
	}
}
