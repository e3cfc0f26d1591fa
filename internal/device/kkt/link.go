package kkt

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"time"

	"openofd/internal/device/link"
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
	connection *link.Link
	oneRead    bool
	maxSize    int
}

// Stage is how far an exchange came before it failed.
type Stage = link.Stage

// The stages of an exchange.
const (
	AtConnect = link.AtConnect
	AtSend    = link.AtSend
	AtReceive = link.AtReceive
	AtCheck   = link.AtCheck
)

// LinkError says that a message got no usable answer.
type LinkError = link.Error

// NewLink makes a link. It connects when the first message is sent.
func NewLink(cfg LinkConfig) *Link {
	return &Link{
		connection: link.New(link.Config{
			Addr: cfg.Addr, Keep: cfg.Keep,
			Connect: cmp.Or(cfg.Connect, 3*time.Second), Answer: cmp.Or(cfg.Answer, 10*time.Second),
		}),
		oneRead: cfg.OneRead, maxSize: cmp.Or(cfg.MaxSize, 1024),
	}
}

// Close closes a kept connection. The link can be used again.
func (l *Link) Close() error { return l.connection.Close() }

// Exchange sends one message and returns the container of the answer, nil when
// the answer is a header alone. Header and sums of the answer are right, and it
// is for the drive of the message; the container is the drive's to judge. ctx
// and the link's limits end it, whichever comes first.
//
// Errors: *LinkError.
func (l *Link) Exchange(ctx context.Context, message []byte) (frame []byte, err error) {
	sent, err := wire.ParseHeader(message)
	if err != nil {
		return nil, &LinkError{Stage: AtSend, Err: err}
	}
	err = l.connection.Do(ctx, func(rw io.ReadWriter) (err error) {
		frame, err = l.exchange(rw, sent, message)
		return err
	})
	return frame, err
}

func (l *Link) exchange(rw io.ReadWriter, sent wire.Header, message []byte) ([]byte, error) {
	if _, err := rw.Write(message); err != nil {
		return nil, &LinkError{Stage: AtSend, Err: err}
	}
	read := l.readAll
	if l.oneRead {
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
		return nil, &LinkError{Stage: AtCheck, Err: err}
	}
	return f.Raw, nil
}

// readAll reads 30 bytes, then as many as they announce, however the network
// cuts them.
func (l *Link) readAll(r io.Reader) (wire.Header, []byte, error) {
	var head [wire.HeaderLen]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return wire.Header{}, nil, &LinkError{Stage: AtReceive, Err: err}
	}
	h, err := wire.ParseHeader(head[:])
	if err == nil && wire.HeaderLen+int(h.Size) > l.maxSize {
		err = &wire.SyntaxError{Fault: wire.FaultSize, Off: 24, Field: "size", Why: fmt.Sprintf("%d, the register has room for %d", h.Size, l.maxSize-wire.HeaderLen)}
	}
	if err != nil {
		return h, nil, &LinkError{Stage: AtCheck, Err: err}
	}
	body := make([]byte, h.Size)
	if _, err := io.ReadFull(r, body); err != nil {
		return h, nil, &LinkError{Stage: AtReceive, Err: err}
	}
	return h, body, nil
}

// readOnce takes what the first read brings.
func (l *Link) readOnce(r io.Reader) (wire.Header, []byte, error) {
	b := make([]byte, l.maxSize)
	n, err := r.Read(b)
	if n == 0 {
		return wire.Header{}, nil, &LinkError{Stage: AtReceive, Err: err}
	}
	h, err := wire.ParseHeader(b[:n])
	if err != nil {
		return h, nil, &LinkError{Stage: AtCheck, Err: err}
	}
	return h, b[wire.HeaderLen:n], nil
}
