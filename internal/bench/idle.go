package bench

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// IdleConfig describes connections that are open and silent.
type IdleConfig struct {
	Addr        string
	TLS         *tls.Config // nil is plain
	Connections int
	Registers   []Register // one for each opener: no two speak at a time. They need not be those of the load, and are left as they are
}

// Idle are open connections, each of which was served once.
type Idle struct {
	cfg    IdleConfig
	conns  [][]net.Conn  // by opener
	Opened time.Duration // what opening took, with one exchange on each
}

// sources is from how many of this machine's addresses connections come. The
// ports of one of them to one door would not suffice for all.
const sources = 16

// OpenIdle opens the connections and lets each make one exchange that stores
// nothing, as a register does that has just come.
func OpenIdle(ctx context.Context, cfg IdleConfig) (*Idle, error) {
	if cfg.Connections < 1 || len(cfg.Registers) == 0 {
		return nil, errors.New("bench: idle connections need a number and registers")
	}
	idle := &Idle{cfg: cfg, conns: make([][]net.Conn, len(cfg.Registers))}
	began := time.Now()
	err := idle.all(func(opener int) error {
		for n := opener; n < cfg.Connections && ctx.Err() == nil; n += len(cfg.Registers) {
			c, err := dialIdle(ctx, &cfg, n)
			if err != nil {
				return fmt.Errorf("bench: idle connection %d of %d: %w", n+1, cfg.Connections, err)
			}
			idle.conns[opener] = append(idle.conns[opener], c)
			if err := pingOver(c, cfg.Registers[opener]); err != nil {
				return fmt.Errorf("bench: idle connection %d of %d: %w", n+1, cfg.Connections, err)
			}
		}
		return ctx.Err()
	})
	idle.Opened = time.Since(began)
	if err != nil {
		idle.Close()
		return nil, err
	}
	return idle, nil
}

// Lost makes one exchange on each connection and returns how many have not
// survived.
func (i *Idle) Lost(ctx context.Context) int {
	var alive atomic.Int64
	i.all(func(opener int) error {
		for _, c := range i.conns[opener] {
			if ctx.Err() == nil && pingOver(c, i.cfg.Registers[opener]) == nil {
				alive.Add(1)
			}
		}
		return nil
	})
	return i.cfg.Connections - int(alive.Load())
}

// Close closes all of them.
func (i *Idle) Close() {
	for _, conns := range i.conns {
		for _, c := range conns {
			c.Close()
		}
	}
}

// all runs a function for each opener, side by side.
func (i *Idle) all(run func(opener int) error) error {
	failed := make([]error, len(i.conns))
	var openers sync.WaitGroup
	for n := range i.conns {
		openers.Go(func() { failed[n] = run(n) })
	}
	openers.Wait()
	for _, err := range failed {
		if err != nil {
			return err // the others say the same
		}
	}
	return nil
}

// dialIdle opens the n-th connection.
func dialIdle(ctx context.Context, cfg *IdleConfig, n int) (net.Conn, error) {
	d := &net.Dialer{Timeout: patience, LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 1, byte(1+n%sources))}}
	if cfg.TLS == nil {
		return d.DialContext(ctx, "tcp", cfg.Addr)
	}
	return (&tls.Dialer{NetDialer: d, Config: cfg.TLS}).DialContext(ctx, "tcp", cfg.Addr)
}

// pingOver makes one exchange that stores nothing.
func pingOver(c net.Conn, r Register) error {
	message := r.AppendPing(nil)
	if err := c.SetDeadline(time.Now().Add(patience)); err != nil {
		return err
	}
	if _, err := c.Write(message); err != nil {
		return err
	}
	answer, err := readAnswer(c, r, make([]byte, 0, 1024))
	if err != nil {
		return err
	}
	return r.TakePing(message, answer)
}
