package kkt

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	"openofd/internal/fiscal"
	wire "openofd/internal/protocol/kkt"
)

// LinkConfig sets a link up. Only Addr is needed.
type LinkConfig struct {
	Addr    string        // host:port of the operator
	Keep    bool          // keep the connection for the next message; otherwise one message a connection
	OneRead bool          // take what one read brings for the whole answer, as cheap registers do
	Connect time.Duration // limit for connecting; 0 means 3 s
	Answer  time.Duration // limit from the first byte sent to the last received; 0 means 10 s
	MaxSize int           // largest answer in bytes, header included; 0 means 1,024, as small registers have it
}

// Link carries messages to one operator, one at a time. Safe for concurrent
// use; exchanges wait for each other.
type Link struct {
	cfg LinkConfig

	mu   sync.Mutex // held for a whole exchange
	conn net.Conn   // kept from the last exchange, or nil; guarded by mu
}

// Stage is how far an exchange came before it failed.
type Stage string

// The stages of an exchange.
const (
	AtConnect Stage = "connect" // nothing left the register
	AtSend    Stage = "send"    // part of the message may have left
	AtReceive Stage = "receive" // the message left, no whole answer came
	AtCheck   Stage = "check"   // what came is no answer to this message
)

// LinkError says that a message got no usable answer. To the register they are
// all the same: it sends the message again. errors.Is finds fiscal.Unavailable.
type LinkError struct {
	Stage Stage
	Err   error
}

func (e *LinkError) Error() string { return fmt.Sprintf("kkt link: %s: %v", e.Stage, e.Err) }

// Unwrap leads to the kind and to the cause.
func (e *LinkError) Unwrap() []error { return []error{fiscal.Unavailable, e.Err} }

// NewLink makes a link. It connects when the first message is sent.
func NewLink(cfg LinkConfig) *Link {
	if cfg.Connect == 0 {
		cfg.Connect = 3 * time.Second
	}
	if cfg.Answer == 0 {
		cfg.Answer = 10 * time.Second
	}
	if cfg.MaxSize == 0 {
		cfg.MaxSize = 1024
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

// Exchange sends one message and returns the container of the answer, nil when
// the answer is a header alone. Header and sums of the answer are right, and it
// is for the drive of the message; the container is the drive's to judge. ctx
// and the link's limits end it, whichever comes first.
//
// Errors: *LinkError.
func (l *Link) Exchange(ctx context.Context, message []byte) ([]byte, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	sent, err := wire.ParseHeader(message)
	if err != nil {
		return nil, &LinkError{AtSend, err}
	}
	if conn := l.conn; conn != nil {
		l.conn = nil
		frame, err := l.over(ctx, conn, sent, message)
		// The operator closes idle connections, and the register notices only
		// when it uses one. Sending again is safe: the bytes are the same.
		if err == nil || !closedByPeer(err) {
			return frame, err
		}
	}
	d := net.Dialer{Timeout: l.cfg.Connect}
	conn, err := d.DialContext(ctx, "tcp", l.cfg.Addr)
	if err != nil {
		return nil, &LinkError{AtConnect, err}
	}
	return l.over(ctx, conn, sent, message)
}

// over does the exchange on conn, which it keeps or closes.
func (l *Link) over(ctx context.Context, conn net.Conn, sent wire.Header, message []byte) ([]byte, error) {
	deadline := time.Now().Add(l.cfg.Answer)
	if d, ok := ctx.Deadline(); ok && d.Before(deadline) {
		deadline = d
	}
	_ = conn.SetDeadline(deadline) // fails on a closed connection only, which the write reports
	hurry := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	frame, err := l.exchange(conn, sent, message)
	if hurry() && err == nil && l.cfg.Keep {
		l.conn = conn
		return frame, nil
	}
	_ = conn.Close() // the answer is whole, or there will be none
	return frame, err
}

func (l *Link) exchange(rw io.ReadWriter, sent wire.Header, message []byte) ([]byte, error) {
	if _, err := rw.Write(message); err != nil {
		return nil, &LinkError{AtSend, err}
	}
	read := l.readAll
	if l.cfg.OneRead {
		read = l.readOnce
	}
	h, body, err := read(rw)
	if err != nil {
		return nil, err
	}
	if h.Size == 0 && !h.Flags.Container() && h.Service == sent.Service && h.Drive == sent.Drive {
		return nil, nil
	}
	f, err := wire.ParseAnswer(sent, h, body)
	if err != nil {
		return nil, &LinkError{AtCheck, err}
	}
	return f.Raw, nil
}

// readAll reads 30 bytes, then as many as they announce, however the network
// cuts them.
func (l *Link) readAll(r io.Reader) (wire.Header, []byte, error) {
	var head [wire.HeaderLen]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return wire.Header{}, nil, &LinkError{AtReceive, err}
	}
	h, err := wire.ParseHeader(head[:])
	if err == nil && wire.HeaderLen+int(h.Size) > l.cfg.MaxSize {
		err = &wire.SyntaxError{Fault: wire.FaultSize, Off: 24, Field: "size", Why: fmt.Sprintf("%d, the register has room for %d", h.Size, l.cfg.MaxSize-wire.HeaderLen)}
	}
	if err != nil {
		return h, nil, &LinkError{AtCheck, err}
	}
	body := make([]byte, h.Size)
	if _, err := io.ReadFull(r, body); err != nil {
		return h, nil, &LinkError{AtReceive, err}
	}
	return h, body, nil
}

// readOnce takes what the first read brings.
func (l *Link) readOnce(r io.Reader) (wire.Header, []byte, error) {
	b := make([]byte, l.cfg.MaxSize)
	n, err := r.Read(b)
	if n == 0 {
		return wire.Header{}, nil, &LinkError{AtReceive, err}
	}
	h, err := wire.ParseHeader(b[:n])
	if err != nil {
		return h, nil, &LinkError{AtCheck, err}
	}
	return h, b[wire.HeaderLen:n], nil
}

// closedByPeer reports whether the connection was found closed rather than
// silent: after silence there is no time left for another attempt.
func closedByPeer(err error) bool {
	var e *LinkError
	var timeout net.Error
	return errors.As(err, &e) && e.Stage != AtCheck && !(errors.As(err, &timeout) && timeout.Timeout())
}
