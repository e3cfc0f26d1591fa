package gate

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// Gate is the door. It may serve several listeners, plain and TLS; limits
// count all of them together.
type Gate struct {
	cfg    Config
	accept Acceptor
	log    *slog.Logger
	obs    Observer
	now    func() time.Time

	work    context.Context // of the exchanges; ends when a drain runs out of time
	abandon context.CancelFunc
	running sync.WaitGroup // one per connection
	closing chan struct{}  // closed when a drain begins
	rooms   sync.Pool
	wary    wary

	made       time.Time // where clock begins
	byAddress  pace
	byRegister pace
	registers  registerCells
	underWay   atomic.Int64  // exchanges
	asking     chan struct{} // holds one for each message that waits for the marking system

	notTaken, unknown, incidents, farEnd seldom // what the log says of exchanges that failed

	mu        sync.Mutex
	draining  bool
	listeners map[net.Listener]struct{}
	inside    map[*conn]struct{}
	crowd     crowd
}

// New makes a closed door. now stamps what is received; deadlines always
// follow the machine's own clock. obs may be nil.
func New(cfg Config, accept Acceptor, log *slog.Logger, obs Observer, now func() time.Time) *Gate {
	if obs == nil {
		obs = unobserved{}
	}
	g := &Gate{
		cfg: cfg.filled(), accept: accept, log: log, obs: obs, now: now,
		listeners: make(map[net.Listener]struct{}),
		inside:    make(map[*conn]struct{}),
	}
	g.crowd = newCrowd()
	g.made = time.Now()
	g.byAddress, g.byRegister = newPace(g.cfg.AddressFrames), newPace(g.cfg.RegisterFrames)
	g.registers = newRegisterCells(g.byRegister)
	g.asking = make(chan struct{}, g.cfg.KKT.MaxAsks)
	g.wary.from = make(map[netip.Prefix]guesser)
	g.closing = make(chan struct{})
	g.work, g.abandon = context.WithCancel(context.Background())
	return g
}

// Serve lets in registers that speak the KKM protocol, until ctx ends, the
// listener is closed or Drain begins; then it returns nil. It closes ln. The
// connections it has let in live on until Drain.
func (g *Gate) Serve(ctx context.Context, ln net.Listener) error {
	return g.serve(ctx, ln, g.kkm)
}

// A session speaks one protocol on one connection until it ends, and says why.
type session func(c *conn) Cause

func (g *Gate) serve(ctx context.Context, ln net.Listener, speak session) error {
	if !g.open(ln) {
		return nil
	}
	defer g.shut(ln)
	defer context.AfterFunc(ctx, func() { g.shut(ln) })()
	var pause time.Duration
	for {
		nc, err := ln.Accept()
		switch {
		case err == nil:
			pause = 0
			g.admit(nc, speak)
		case errors.Is(err, net.ErrClosed):
			return nil
		case !passing(err):
			return fmt.Errorf("accept connections on %s: %w", ln.Addr(), err)
		default: // out of descriptors, most likely: those inside will leave
			pause = min(max(2*pause, 5*time.Millisecond), time.Second)
			g.log.Warn("cannot accept a connection, waiting", "err", err, "elapsed", pause)
			if !sleep(ctx, pause) {
				return nil
			}
		}
	}
}

// passing reports an error of Accept that time may heal.
func passing(err error) bool {
	var errno syscall.Errno
	return errors.As(err, &errno) && errno.Temporary()
}

func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// open notes a listener for Drain; false if the drain has begun.
func (g *Gate) open(ln net.Listener) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.draining {
		ln.Close()
		return false
	}
	g.listeners[ln] = struct{}{}
	return true
}

func (g *Gate) shut(ln net.Listener) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.listeners, ln)
	ln.Close()
}

// admit takes a connection in, or closes it at once when it is one too many.
func (g *Gate) admit(nc net.Conn, speak session) {
	c := newConn(nc, &g.cfg, &g.rooms)
	at := neighborhood(nc.RemoteAddr())
	g.mu.Lock()
	cause := CauseDrain
	if !g.draining {
		c.neighbor, cause = g.crowd.enter(at, &g.cfg)
	}
	if cause == goOn {
		g.inside[c] = struct{}{}
		g.running.Add(1)
	}
	g.mu.Unlock()
	if cause != goOn {
		nc.Close()
		g.obs.TurnedAway(cause)
		return
	}
	go g.host(c, speak)
}

// host speaks with one peer from handshake to goodbye.
func (g *Gate) host(c *conn, speak session) {
	defer g.running.Done()
	g.obs.Opened()
	cause := c.handshake(g.work)
	if cause == goOn {
		cause = speak(c)
	}
	c.Close()
	g.mu.Lock()
	delete(g.inside, c)
	g.crowd.leave(c.neighbor, g.clock())
	g.mu.Unlock()
	g.obs.Closed(cause)
}

// Drain closes the door: no new connections, idle ones end at once, a frame
// whose first byte is there is still read, judged and answered. When ctx ends
// first, what is left is cut and an error says how much. In the end no
// goroutine of the gate is left.
func (g *Gate) Drain(ctx context.Context) error {
	g.mu.Lock()
	if !g.draining {
		g.draining = true
		close(g.closing)
	}
	for ln := range g.listeners {
		ln.Close()
	}
	for c := range g.inside {
		c.end()
	}
	g.mu.Unlock()

	empty := make(chan struct{})
	go func() {
		g.running.Wait()
		close(empty)
	}()
	select {
	case <-empty:
		g.abandon()
		return nil
	case <-ctx.Done():
	}
	g.abandon()
	g.mu.Lock()
	left := len(g.inside)
	for c := range g.inside {
		c.Close()
	}
	g.mu.Unlock()
	<-empty
	return fmt.Errorf("%d connections were cut before their exchange was finished: %w", left, ctx.Err())
}

type unobserved struct{}

func (unobserved) Opened()                                  {}
func (unobserved) Closed(Cause)                             {}
func (unobserved) TurnedAway(Cause)                         {}
func (unobserved) Limited(Limit)                            {}
func (unobserved) Answered(Protocol, uint16, time.Duration) {}

// whole reads the frame of size bytes that began at begun, and says when it was
// received: a frame that came at once costs one look at the clock.
func (g *Gate) whole(c *conn, size int, begun time.Time) (frame []byte, received time.Time, cause Cause) {
	if frame, cause = c.frame(size); cause != goOn {
		return nil, received, cause
	}
	if c.late {
		return frame, g.now(), goOn
	}
	return frame, begun, goOn
}
