package gate

import (
	"context"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"openofd/internal/fiscal"
)

// Whoever has sent a whole frame before the drain hears the answer; idle
// connections end at once; nobody new comes in.
func TestDrainUnderLoad(t *testing.T) {
	var judged, heard atomic.Int64
	d := open(t, Config{}, func(ctx context.Context, x fiscal.Exchange) (fiscal.Answer, error) {
		time.Sleep(2 * time.Millisecond)
		judged.Add(1)
		return plain(ctx, x)
	})
	idle := d.dial(t)
	mustSend(t, idle, ping(2, 1))
	mustHear(t, idle)
	heard.Add(1)

	var peers sync.WaitGroup
	for range 40 {
		c := d.dial(t)
		peers.Go(func() {
			for n := 0; ; n++ {
				if _, err := c.Write(ping(1, uint16(n))); err != nil {
					return
				}
				if _, _, err := hear(c); err != nil {
					return
				}
				heard.Add(1)
			}
		})
	}
	time.Sleep(50 * time.Millisecond)
	began := time.Now()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := d.Drain(ctx); err != nil {
		t.Fatalf("Drain() = %v", err)
	}
	if took := time.Since(began); took > patience/3 { // connections may be idle for two minutes
		t.Errorf("the drain took %v", took)
	}
	peers.Wait()
	if judged.Load() != heard.Load() {
		t.Errorf("%d exchanges were judged, %d answers heard", judged.Load(), heard.Load())
	}
	mustEnd(t, idle)
	if c, err := net.Dial("tcp", d.addr); err == nil {
		c.Close()
		t.Error("the door still lets peers in after the drain")
	}
}

// A frame of which only the beginning is there when the drain begins is
// finished.
func TestDrainFinishesTheFrame(t *testing.T) {
	d := open(t, Config{}, plain)
	c, there := net.Pipe() // a write ends when the other side has read
	defer c.Close()
	d.admit(there, d.kkm)
	frame := ping(1, 1)
	mustSend(t, c, frame[:10])
	drained := make(chan error, 1)
	go func() { drained <- d.Drain(context.Background()) }()
	time.Sleep(20 * time.Millisecond)
	mustSend(t, c, frame[10:])
	mustHear(t, c)
	mustEnd(t, c)
	if err := <-drained; err != nil {
		t.Errorf("Drain() = %v", err)
	}
	d.soon(t, "counted", func() bool { return d.closed[CauseDrain] == 1 })
}

// An exchange that does not end is cut when the time is over, and the error
// says so.
func TestDrainRunsOutOfTime(t *testing.T) {
	inside := make(chan struct{})
	d := open(t, Config{}, func(ctx context.Context, x fiscal.Exchange) (fiscal.Answer, error) {
		close(inside)
		<-ctx.Done()
		return fiscal.Answer{}, &fiscal.Error{Reason: fiscal.OutcomeUnknown, Err: ctx.Err()}
	})
	c := d.dial(t)
	mustSend(t, c, ping(1, 1))
	<-inside
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	if err := d.Drain(ctx); err == nil {
		t.Error("Drain() = nil, want an error that a connection was cut")
	}
	if rest, _ := io.ReadAll(c); len(rest) != 0 {
		t.Errorf("the peer heard % x, want silence", rest)
	}
}

// A listener handed over after the drain is closed at once.
func TestServeAfterDrain(t *testing.T) {
	d := open(t, Config{}, plain)
	if err := d.Drain(context.Background()); err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Serve(context.Background(), ln); err != nil {
		t.Errorf("Serve() = %v", err)
	}
	if _, err := ln.Accept(); err == nil {
		t.Error("the listener is open")
	}
}

// The context of Serve closes the listener; those inside stay until the drain.
func TestServeEndsWithItsContext(t *testing.T) {
	d := open(t, Config{}, plain)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- d.Serve(ctx, ln) }()
	c, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	mustSend(t, c, ping(1, 1))
	mustHear(t, c)
	cancel()
	if err := <-served; err != nil {
		t.Errorf("Serve() = %v, want nil", err)
	}
	mustSend(t, c, ping(1, 2))
	mustHear(t, c)
}
