package kkm

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
	wire "openofd/internal/protocol/kkm"
)

// LinkConfig sets a link up. Only Addr is needed.
type LinkConfig struct {
	Addr    string        // host:port of the operator
	TLS     *tls.Config   // nil: plain TCP
	Keep    bool          // keep the connection for the next request; otherwise one request a connection
	Connect time.Duration // limit for connecting; 0 means 4 s
	Answer  time.Duration // limit from the first byte sent to the last received; 0 means 7 s
	MaxSize uint32        // largest answer in bytes, header included; 0 means wire.DefaultMaxSize
}

// Link carries requests to one operator, one at a time. Safe for concurrent
// use; exchanges wait for each other.
type Link struct {
	cfg LinkConfig

	mu   sync.Mutex // held for a whole exchange
	conn net.Conn   // kept from the last exchange, or nil; guarded by mu
}

// Reply is an answer that belongs to its request: APPCODE, VERSION, ID and
// REQNUM are the request's. What the payload says is not looked at.
type Reply struct {
	Header  wire.Header
	Payload []byte
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

// LinkError says that a request got no usable answer. To the register they are
// all the same, silence: the operator may or may not have accepted the
// document, so it is sent again. errors.Is finds fiscal.Unavailable.
type LinkError struct {
	Stage Stage
	Err   error
}

func (e *LinkError) Error() string { return fmt.Sprintf("kkm link: %s: %v", e.Stage, e.Err) }

// Unwrap leads to the kind and to the cause.
func (e *LinkError) Unwrap() []error { return []error{fiscal.Unavailable, e.Err} }

// MismatchError names a header field of an answer that is not the request's.
type MismatchError struct {
	Field     string
	Want, Got uint32
}

func (e *MismatchError) Error() string {
	return fmt.Sprintf("%s of the answer is %d, the request had %d", e.Field, e.Got, e.Want)
}

// NewLink makes a link. It connects when the first request is sent.
func NewLink(cfg LinkConfig) *Link {
	if cfg.Connect == 0 {
		cfg.Connect = 4 * time.Second
	}
	if cfg.Answer == 0 {
		cfg.Answer = 7 * time.Second
	}
	if cfg.MaxSize == 0 {
		cfg.MaxSize = wire.DefaultMaxSize
	}
	return &Link{cfg: cfg}
}

// Close closes a kept connection. The link can be used again.
func (l *Link) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.conn == nil {
		return nil
	}
	err := l.conn.Close()
	l.conn = nil
	return err
}

// Exchange sends one frame and reads the answer to it. The frame begins with a
// header, whose VERSION, ID and REQNUM the answer has to repeat. ctx and the
// link's limits end it, whichever comes first.
//
// Errors: *LinkError.
func (l *Link) Exchange(ctx context.Context, frame []byte) (Reply, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	sent, err := wire.ParseHeader(frame)
	if err != nil {
		return Reply{}, &LinkError{AtSend, err}
	}
	if conn := l.conn; conn != nil {
		l.conn = nil
		reply, err := l.over(ctx, conn, sent, frame)
		// The operator closes idle connections, and the register notices only
		// when it uses one. Sending again is safe: TOKEN and REQNUM are the same.
		if err == nil || !closedByPeer(err) {
			return reply, err
		}
	}
	conn, err := l.dial(ctx)
	if err != nil {
		return Reply{}, &LinkError{AtConnect, err}
	}
	return l.over(ctx, conn, sent, frame)
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
func (l *Link) over(ctx context.Context, conn net.Conn, sent wire.Header, frame []byte) (Reply, error) {
	deadline := time.Now().Add(l.cfg.Answer)
	if d, ok := ctx.Deadline(); ok && d.Before(deadline) {
		deadline = d
	}
	_ = conn.SetDeadline(deadline) // fails on a closed connection only, which the write reports
	hurry := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	reply, err := exchange(conn, sent, frame, l.cfg.MaxSize)
	if hurry() && err == nil && l.cfg.Keep {
		l.conn = conn
		return reply, nil
	}
	_ = conn.Close() // the answer is whole, or there will be none
	return reply, err
}

// exchange writes the frame and reads exactly one answer: 18 bytes, then as
// many as they announce, however the network cuts them.
func exchange(rw io.ReadWriter, sent wire.Header, frame []byte, maxSize uint32) (Reply, error) {
	if _, err := rw.Write(frame); err != nil {
		return Reply{}, &LinkError{AtSend, err}
	}
	var head [wire.HeaderLen]byte
	if _, err := io.ReadFull(rw, head[:]); err != nil {
		return Reply{}, &LinkError{AtReceive, err}
	}
	h, err := wire.ParseHeader(head[:])
	if err == nil {
		err = belongs(sent, h, maxSize)
	}
	if err != nil {
		return Reply{}, &LinkError{AtCheck, err}
	}
	payload := make([]byte, h.Size-wire.HeaderLen)
	if _, err := io.ReadFull(rw, payload); err != nil {
		return Reply{}, &LinkError{AtReceive, err}
	}
	return Reply{Header: h, Payload: payload}, nil
}

// belongs reports why got is not the header of an answer to sent.
func belongs(sent, got wire.Header, maxSize uint32) error {
	switch {
	case got.Version != sent.Version:
		return &MismatchError{"VERSION", uint32(sent.Version), uint32(got.Version)}
	case got.ID != sent.ID:
		return &MismatchError{"ID", sent.ID, got.ID}
	case got.ReqNum != sent.ReqNum:
		return &MismatchError{"REQNUM", uint32(sent.ReqNum), uint32(got.ReqNum)}
	case got.Size > maxSize:
		return &wire.SyntaxError{Off: 4, Field: "SIZE", Why: fmt.Sprintf("%d, limit %d", got.Size, maxSize)}
	}
	return nil
}

// closedByPeer reports whether the connection was found closed rather than
// silent: after silence there is no time left for another attempt.
func closedByPeer(err error) bool {
	var e *LinkError
	var timeout net.Error
	return errors.As(err, &e) && e.Stage != AtCheck && !(errors.As(err, &timeout) && timeout.Timeout())
}
