package delivery

import (
	"context"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"openofd/internal/fiscal"
	"openofd/internal/registry"
)

// outbox holds one application that is signed.
type outbox struct {
	CourierStore
	a      registry.Application
	events []registry.ApplicationEvent
}

func (o *outbox) TakeApplications(_ context.Context, _ string, now, _ time.Time, _ int) ([]registry.Application, error) {
	if o.a.NextTry.After(now) {
		return nil, nil
	}
	return []registry.Application{o.a}, nil
}

func (o *outbox) SetApplication(_ context.Context, a *registry.Application, es ...registry.ApplicationEvent) error {
	o.a, o.events = *a, append(o.events, es...)
	return nil
}

// away is an authority that is down in words that are never the same.
type away struct {
	Registrar
	tries int
	why   func(try int) error
}

func (*away) Name() string { return "office" }

func (f *away) Submit(context.Context, Submission) (string, error) {
	f.tries++
	return "", f.why(f.tries)
}

// TestDelayedForTheSameReasonIsToldOnce: an error names a port of ours or how
// many seconds are left, another each time; the taxpayer reads of it once, and of
// another trouble again.
func TestDelayedForTheSameReasonIsToldOnce(t *testing.T) {
	now := dawn
	store := &outbox{a: registry.Application{ID: 7, Status: registry.Sent, NextTry: now}}
	far := &away{why: func(try int) error {
		trouble, what := NoWay, fmt.Sprintf("read tcp 10.0.0.1:%d->10.0.0.2:443: connection reset", 40_000+try)
		if try > 5 {
			trouble, what = LeaveAlone, fmt.Sprintf("for another %ds", 600-try)
		}
		return &fiscal.Error{Of: fiscal.Unavailable, Msg: "the far end did not take it", Err: fmt.Errorf("%w: %s", trouble, what)}
	}}
	c := NewCourier(CourierConfig{Installation: "test", Country: fiscal.Kazakhstan}, far, store, nil, slog.New(slog.DiscardHandler), nil, func() time.Time { return now }, func(int64) int64 { return 0 })
	for range 10 {
		if n, err := c.Carry(t.Context()); n != 1 || err != nil {
			t.Fatalf("Carry = %d, %v", n, err)
		}
		now = now.Add(time.Hour)
	}
	if len(store.events) != 2 || far.tries != 10 || store.a.Tries != 10 {
		t.Errorf("of %d tries %d are told of, want one for each of two troubles: %+v", far.tries, len(store.events), store.events)
	}
}
