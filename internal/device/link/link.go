// Package link is a device's connection to one operator: opened when it is
// needed, kept or not, used for one exchange at a time, each within its limits.
// What an exchange consists of is the protocol's business.
package link

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	"openofd/internal/fiscal"
)

// Config sets a link up. Addr and both limits must be there.
type Config struct {
	Addr    string        // host:port of the operator
	TLS     *tls.Config   // nil: plain TCP
	Keep    bool          // keep the connection for the next exchange; otherwise one exchange a connection
	Idle    time.Duration // after which a kept connection is closed; 0: when the operator does
	Connect time.Duration // limit for connecting
	Answer  time.Duration // limit from the first byte sent to the last received
}

// Link carries exchanges to one operator, one at a time. Safe for concurrent
// use; exchanges wait for each other.
type Link struct {
	cfg Config

	mu   sync.Mutex  // held for a whole exchange
	conn net.Conn    // kept from the last exchange, or nil; guarded by mu
	rest *time.Timer // closes conn when it was idle for too long, or nil; guarded by mu
}

// Stage is how far an exchange came before it failed.
type Stage string

// The stages of an exchange.
const (
	AtConnect Stage = "connect" // nothing left the register
	AtSend    Stage = "send"    // part of the request may have left
	AtReceive Stage = "receive" // the request left, no whole answer came
	AtCheck   Stage = "check"   // what came is no answer to this request
)

// Error says that a request got no usable answer. To the register they are all
// the same, silence: the operator may or may not have accepted the document, so
// it is sent again. errors.Is finds fiscal.Unavailable.
type Error struct {
	Stage Stage
	Err   error
}

func (e *Error) Error() string { return fmt.Sprintf("link: %s: %v", e.Stage, e.Err) }

// Unwrap leads to the kind and to the cause.
func (e *Error) Unwrap() []error { return []error{fiscal.Unavailable, e.Err} }

// New makes a link. It connects when the first exchange begins.
func New(cfg Config) *Link { return &Link{cfg: cfg} }

// Close closes a kept connection. The link can be used again.
func (l *Link) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.conn == nil {
		return nil
	}
	if l.rest != nil {
		l.rest.Stop()
	}
	err := l.conn.Close()
	l.conn = nil
	return err
}

// Do has exchange write a request and read the answer to it. It is called a
// second time, on a new connection, when a kept one turns out to be closed. ctx
// and the link's limits end it, whichever comes first.
//
// Errors: *Error of connecting, and what exchange returns, which is an *Error.
func (l *Link) Do(ctx context.Context, exchange func(io.ReadWriter) error) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if conn := l.conn; conn != nil {
		l.conn = nil
		if l.rest != nil {
			l.rest.Stop()
		}
		// The operator closes idle connections, and the register notices only
		// when it uses one. Sending again is safe: the bytes are the same.
		if err := l.over(ctx, conn, exchange); err == nil || !closedByPeer(err) {
			return err
		}
	}
	conn, err := l.dial(ctx)
	if err != nil {
		return &Error{AtConnect, err}
	}
	return l.over(ctx, conn, exchange)
}

func (l *Link) dial(ctx context.Context) (net.Conn, error) {
	d := &net.Dialer{Timeout: l.cfg.Connect}
	if l.cfg.TLS != nil {
		ctx, cancel := context.WithTimeout(ctx, l.cfg.Connect)
		defer cancel()
		return (&tls.Dialer{NetDialer: d, Config: l.cfg.TLS}).DialContext(ctx, "tcp", l.cfg.Addr)
	}
	return d.DialContext(ctx, "tcp", l.cfg.Addr)
}

// over does the exchange on conn, which it keeps or closes.
func (l *Link) over(ctx context.Context, conn net.Conn, exchange func(io.ReadWriter) error) error {
	deadline := time.Now().Add(l.cfg.Answer)
	if d, ok := ctx.Deadline(); ok && d.Before(deadline) {
		deadline = d
	}
	_ = conn.SetDeadline(deadline) // fails on a closed connection only, which the write reports
	hurry := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	err := exchange(conn)
	if hurry() && err == nil && l.cfg.Keep {
		l.conn = conn
		if l.cfg.Idle > 0 {
			l.rest = time.AfterFunc(l.cfg.Idle, func() { l.tire(conn) })
		}
		return nil
	}
	_ = conn.Close() // the answer is whole, or there will be none
	return err
}

// tire closes a connection that was kept and not used: what stands between may
// forget it without a word, and then a request waits for its answer in vain.
func (l *Link) tire(conn net.Conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.conn == conn {
		l.conn = nil
		_ = conn.Close()
	}
}

// closedByPeer reports whether the connection was found closed rather than
// silent: after silence there is no time left for another attempt.
func closedByPeer(err error) bool {
	var e *Error
	var timeout net.Error
	return errors.As(err, &e) && e.Stage != AtCheck && !(errors.As(err, &timeout) && timeout.Timeout())
}
