package main

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"openofd/internal/config"
	"openofd/internal/fiscal"
	"openofd/internal/journal"
)

// gated lets a batch through when it is told to, as a primary does whose
// synchronous standby is away.
type gated struct {
	journal.Store
	begun, pass chan struct{}
}

func (g *gated) Append(ctx context.Context, batch []journal.Commit, seal journal.Sealer) ([]int, error) {
	g.begun <- struct{}{}
	<-g.pass
	return g.Store.Append(ctx, batch, seal)
}

// TestReadyWhileCommitsWait: an installation that is reached and written to, but
// whose commits are not confirmed, is not ready, and is again when they are.
//
// Req: O-104
func TestReadyWhileCommitsWait(t *testing.T) {
	var off atomic.Int64
	g := &gated{begun: make(chan struct{}, 8), pass: make(chan struct{}, 8)}
	s := settings{
		Now:     func() time.Time { return time.Now().Add(time.Duration(off.Load())) },
		Journal: func(s journal.Store) journal.Store { g.Store = s; return g },
	}
	s.Data, s.Operator = t.TempDir(), demoOperator()
	s.KKMAddr = config.Addr{HostPort: "127.0.0.1:0"}
	o, err := startOperator(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := o.stop(); err != nil {
			t.Error(err)
		}
	}()
	g.pass <- struct{}{}
	g.pass <- struct{}{}
	r, err := o.registry.AddRegister(t.Context(), benchKKM{}.register(1, 1)) // two commits
	if err != nil {
		t.Fatal(err)
	}
	<-g.begun
	<-g.begun

	answered := make(chan error, 1)
	go func() {
		_, err := o.registry.Token(context.Background(), r.Card.Register, "test")
		answered <- err
	}()
	<-g.begun
	if err := o.core.ready(t.Context()); err != nil {
		t.Errorf("ready() while a batch is young: %v", err)
	}
	off.Store(int64(stuck + time.Second))
	if err := o.core.ready(t.Context()); !errors.Is(err, fiscal.StoreDown) || !strings.Contains(err.Error(), "standby") {
		t.Errorf("ready() while a batch is stuck: %v, want StoreDown and what to look at", err)
	}
	g.pass <- struct{}{}
	if err := <-answered; err != nil {
		t.Error(err)
	}
	// The answer is out a moment before the batch counts as done.
	for end := time.Now().Add(time.Minute); ; time.Sleep(time.Millisecond) {
		err := o.core.ready(t.Context())
		if err == nil {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("ready() afterwards: %v", err)
		}
	}
}
