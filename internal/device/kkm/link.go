package kkm

import (
	"cmp"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"time"

	"openofd/internal/device/link"
	wire "openofd/internal/protocol/kkm"
)

// LinkConfig sets a link up. Only Addr is needed.
type LinkConfig struct {
	Addr    string        // host:port of the operator
	TLS     *tls.Config   // nil: plain TCP
	Keep    bool          // keep the connection for the next request; otherwise one request a connection
	Idle    time.Duration // after which a kept connection is closed; 0: when the operator does
	Connect time.Duration // limit for connecting; 0 means 4 s
	Answer  time.Duration // limit from the first byte sent to the last received; 0 means 7 s
	MaxSize uint32        // largest answer in bytes, header included; 0 means wire.DefaultMaxSize
}

// Link carries requests to one operator, one at a time. Safe for concurrent
// use; exchanges wait for each other.
type Link struct {
	connection *link.Link
	maxSize    uint32
}

// Reply is an answer that belongs to its request: APPCODE, VERSION, ID and
// REQNUM are the request's. What the payload says is not looked at.
type Reply struct {
	Header  wire.Header
	Payload []byte
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

// LinkError says that a request got no usable answer.
type LinkError = link.Error

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
	return &Link{
		connection: link.New(link.Config{
			Addr: cfg.Addr, TLS: cfg.TLS, Keep: cfg.Keep, Idle: cfg.Idle,
			Connect: cmp.Or(cfg.Connect, 4*time.Second), Answer: cmp.Or(cfg.Answer, 7*time.Second),
		}),
		maxSize: cmp.Or(cfg.MaxSize, wire.DefaultMaxSize),
	}
}

// Close closes a kept connection. The link can be used again.
func (l *Link) Close() error { return l.connection.Close() }

// Exchange sends one frame and reads the answer to it. The frame begins with a
// header, whose VERSION, ID and REQNUM the answer has to repeat. ctx and the
// link's limits end it, whichever comes first.
//
// Errors: *LinkError.
func (l *Link) Exchange(ctx context.Context, frame []byte) (reply Reply, err error) {
	sent, err := wire.ParseHeader(frame)
	if err != nil {
		return Reply{}, &LinkError{Stage: AtSend, Err: err}
	}
	err = l.connection.Do(ctx, func(rw io.ReadWriter) (err error) {
		reply, err = exchange(rw, sent, frame, l.maxSize)
		return err
	})
	return reply, err
}

// exchange writes the frame and reads exactly one answer: 18 bytes, then as
// many as they announce, however the network cuts them.
func exchange(rw io.ReadWriter, sent wire.Header, frame []byte, maxSize uint32) (Reply, error) {
	if _, err := rw.Write(frame); err != nil {
		return Reply{}, &LinkError{Stage: AtSend, Err: err}
	}
	var head [wire.HeaderLen]byte
	if _, err := io.ReadFull(rw, head[:]); err != nil {
		return Reply{}, &LinkError{Stage: AtReceive, Err: err}
	}
	h, err := wire.ParseHeader(head[:])
	if err == nil {
		err = belongs(sent, h, maxSize)
	}
	if err != nil {
		return Reply{}, &LinkError{Stage: AtCheck, Err: err}
	}
	payload := make([]byte, h.Size-wire.HeaderLen)
	if _, err := io.ReadFull(rw, payload); err != nil {
		return Reply{}, &LinkError{Stage: AtReceive, Err: err}
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
