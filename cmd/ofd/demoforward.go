package main

import (
	"fmt"
	"time"

	"openofd/internal/authority/fns"
	"openofd/internal/delivery"
	"openofd/internal/fiscal"
	"openofd/internal/follow"
)

// forward waits until every document of the two drives is at the tax service,
// each once.
func (w *russianWalk) forward() (string, error) {
	if err := w.forwarded(delivery.IDOf(fns.Name)); err != nil {
		return "", err
	}
	var acknowledged int64
	for _, c := range w.counters {
		acknowledged += int64(c.reg.Standing().Acks)
	}
	held, err := w.far.Documents(w.ctx, fiscal.Russia)
	if err != nil {
		return "", err
	}
	if held != acknowledged {
		return "", fmt.Errorf("the tax service has %d documents, %d were acknowledged", held, acknowledged)
	}
	return fmt.Sprintf("%d documents, each once", held), nil
}

// forwarded waits until a follower has come to the end of the journal. What it
// delivers must all have been taken.
func (w *walk) forwarded(id follow.ID) error {
	for {
		s, err := follow.Stands(w.ctx, w.o.store, id)
		if err != nil {
			return err
		}
		if stuck := s.Stuck(); len(stuck) > 0 {
			return fmt.Errorf("%s has not got past entry %d: %s", id.Name, stuck[0].Failure.Seq, stuck[0].Failure.Why)
		}
		if s.Entries == 0 {
			break
		}
		select {
		case <-w.ctx.Done():
			return fmt.Errorf("%s has %d entries to go: %w", id.Name, s.Entries, w.ctx.Err())
		case <-time.After(20 * time.Millisecond):
		}
	}
	waiting, err := w.o.store.CountWaiting(w.ctx, id.Name)
	if err == nil && waiting != 0 {
		err = fmt.Errorf("%d documents of %s were put aside", waiting, id.Name)
	}
	return err
}
