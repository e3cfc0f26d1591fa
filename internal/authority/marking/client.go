package marking

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"openofd/internal/authority/link"
	"openofd/internal/fiscal"
	"openofd/internal/protocol/kkt"
)

// asking is how long the marking system may take for an answer: the gate gives
// it as long, and the register waits no longer.
//
// Source: KKT reference §10.3.
const asking = 2500 * time.Millisecond

// Client is a marking system across the network. It passes a message on as it
// came and knows nothing of what is in it. Safe for concurrent use.
//
// While the far end is down nobody waits for it: after some failures in a row
// questions fail at once, and one now and then goes through to look whether it
// is there again.
type Client struct {
	link *link.Link
	fuse *fuse
}

// OpenClient makes a client; see link.Open.
func OpenClient(cfg link.Config, now func() time.Time) (*Client, error) {
	cfg.Name, cfg.Timeout, cfg.DialTimeout, cfg.Answer = "marking", asking, asking, MaxMessage
	if cfg.Connections == 0 {
		cfg.Connections = 32 // registers do not wait for each other
	}
	l, err := link.Open(cfg, now)
	if err != nil {
		return nil, err
	}
	return &Client{link: l, fuse: &fuse{now: now}}, nil
}

// Close closes the connections that are not in use.
func (c *Client) Close() { c.link.Close() }

var errDown = errors.New("it has failed several times in a row, and is not asked just now")

// Ask passes a message of the marking channel on and returns the container of
// the answer.
//
// Errors: of the message's form; Unavailable when there is no answer.
func (c *Client) Ask(ctx context.Context, message []byte) ([]byte, error) {
	h, err := kkt.ParseHeader(message)
	if err != nil {
		return nil, err
	}
	body, err := json.Marshal(Request{Format: Format, Drive: h.Drive.String(), Message: message})
	if err != nil {
		return nil, err
	}
	if len(body) > MaxMessage {
		return nil, &fiscal.Error{Of: fiscal.Invalid, Field: "marking", Msg: fmt.Sprintf("a message of %d bytes is too long to pass on", len(message))}
	}
	if !c.fuse.enter() {
		return nil, &fiscal.Error{Of: fiscal.Unavailable, Field: "marking", Msg: "the far end is down", Err: errDown}
	}
	var a Answer
	err = c.link.Post(ctx, PathRequests, "application/json", "", body, &a)
	if err == nil && len(a.Container) == 0 {
		err = &fiscal.Error{Of: fiscal.Unavailable, Field: "marking", Msg: "the answer is rubbish: it holds no container"}
	}
	// A refusal of one message is an answer: the far end is there. Whoever was
	// called off by its own caller has learned nothing of it.
	c.fuse.leave(err == nil || errors.Is(err, fiscal.Invalid), errors.Is(ctx.Err(), context.Canceled))
	if err != nil {
		return nil, err
	}
	return a.Container, nil
}
