package gate

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"sync"
	"time"
)

// conn is one connection with its deadlines. Deadlines follow the machine's
// clock, never an injected one: the kernel's timers do too.
type conn struct {
	net.Conn
	cfg   *Config
	rooms *sync.Pool // of *[firstStep]byte, for frames under way
	from  netip.Prefix
	peer  string   // its address
	first [32]byte // where a frame's beginning is read, so that waiting needs no buffer

	mu     sync.Mutex
	idle   bool // no exchange is under way
	ending bool // no new frame is begun
}

// newConn wraps a connection that has said nothing yet.
func newConn(nc net.Conn, cfg *Config, rooms *sync.Pool) *conn {
	return &conn{Conn: nc, cfg: cfg, rooms: rooms, from: neighborhood(nc.RemoteAddr()), peer: address(nc.RemoteAddr()).String(), idle: true}
}

// firstStep is how much room a frame gets before more of it has arrived, in
// bytes; nearly all frames fit. From there the room doubles.
const firstStep = 4 << 10

// handshake agrees on TLS where the listener speaks it; the limit is that of a
// frame.
func (c *conn) handshake(ctx context.Context) Cause {
	t, ok := c.Conn.(*tls.Conn)
	if !ok {
		return goOn
	}
	ctx, cancel := context.WithTimeout(ctx, c.cfg.Frame)
	defer cancel()
	if err := t.HandshakeContext(ctx); err != nil {
		return CauseHandshake
	}
	return goOn
}

// begin waits for a frame and fills head with its first bytes; the frame's
// deadline runs from then on. It ends at once when the door is closing.
func (c *conn) begin(head []byte) Cause {
	if !c.rest() {
		return CauseDrain
	}
	n, err := c.Read(head)
	if n == 0 && err != nil {
		return c.left(err)
	}
	c.wake()
	if n < len(head) {
		if _, err := io.ReadFull(c.Conn, head[n:]); err != nil {
			return CauseHalfFrame
		}
	}
	return goOn
}

// rest marks the connection idle; false if it is to end instead.
func (c *conn) rest() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ending {
		return false
	}
	c.idle = true
	c.SetReadDeadline(time.Now().Add(c.cfg.Idle))
	return true
}

func (c *conn) wake() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.idle = false
	c.SetReadDeadline(time.Now().Add(c.cfg.Frame))
}

// end lets no further frame begin, and wakes the connection if it is waiting
// for one.
func (c *conn) end() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ending = true
	if c.idle {
		c.SetReadDeadline(time.Unix(1, 0))
	}
}

// left says why an idle connection ended.
func (c *conn) left(err error) Cause {
	if !errors.Is(err, os.ErrDeadlineExceeded) {
		return CauseLeft
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ending {
		return CauseDrain
	}
	return CauseIdle
}

// frame reads a frame of size bytes whose beginning is head. Never more room is
// taken than firstStep, or twice what has arrived. Give the bytes back with
// release.
func (c *conn) frame(head []byte, size int) ([]byte, Cause) {
	room, _ := c.rooms.Get().(*[firstStep]byte)
	if room == nil {
		room = new([firstStep]byte)
	}
	b := room[:min(size, firstStep)]
	for n := copy(b, head); n < size; n = len(b) {
		if n == len(b) {
			bigger := make([]byte, min(size, 2*n))
			copy(bigger, b)
			c.release(b)
			b = bigger
		}
		if _, err := io.ReadFull(c.Conn, b[n:]); err != nil {
			c.release(b)
			return nil, CauseHalfFrame
		}
	}
	return b, goOn
}

// release gives a frame's room to the next one. Larger ones are rare and left
// to the collector.
func (c *conn) release(b []byte) {
	if cap(b) == firstStep {
		c.rooms.Put((*[firstStep]byte)(b[:firstStep]))
	}
}

// answer writes b with one Write, for some registers read an answer with two
// reads and never look for the rest.
func (c *conn) answer(b []byte) Cause {
	c.SetWriteDeadline(time.Now().Add(c.cfg.Write))
	if _, err := c.Write(b); err != nil {
		return CauseWrite
	}
	return goOn
}

// lingerTime and lingerBytes bound the wait of partWith.
const (
	lingerTime  = time.Second
	lingerBytes = 1 << 20
)

// partWith lets the peer read the last answer: closing while bytes of his are
// unread would reset the connection and could take the answer from him.
func (c *conn) partWith() {
	if h, ok := c.Conn.(interface{ CloseWrite() error }); !ok || h.CloseWrite() != nil {
		return
	}
	c.SetReadDeadline(time.Now().Add(lingerTime))
	io.CopyN(io.Discard, c.Conn, lingerBytes)
}
