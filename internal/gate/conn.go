package gate

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"time"
)

// conn is one connection with its deadlines. Deadlines follow the machine's
// clock, never an injected one: the kernel's timers do too.
//
// What is read lies in a room that is taken when bytes are there and given
// back when all of them are used, so that waiting needs none. A frame that
// arrives at once, as nearly all do, costs one read.
type conn struct {
	net.Conn
	cfg      *Config
	rooms    *sync.Pool // of *room
	neighbor *neighbor  // nil for a peer without an address
	peer     string     // its address

	room *room // nil while nothing is there
	n    int   // bytes in it

	raw   syscall.RawConn       // nil where rooms cannot be filled directly
	fill  func(fd uintptr) bool // c.fillDirectly, made once
	fault error                 // of the last fill
	first [32]byte              // where a frame's beginning is read without raw

	readBy  time.Time // the read deadline while idle; zero when it is another
	writeBy time.Time // the write deadline
	moment  time.Time // when the last answer was written
	late    bool      // the frame under way did not come at once
	over    int       // how often a limit stood against it lately

	mu     sync.Mutex
	idle   bool // no exchange is under way
	ending bool // no new frame is begun
}

// firstStep is how much room a frame gets before more of it has arrived, in
// bytes; nearly all frames fit. From there the room doubles.
const firstStep = 4 << 10

type room [firstStep]byte

// newConn wraps a connection that has said nothing yet.
func newConn(nc net.Conn, cfg *Config, rooms *sync.Pool) *conn {
	c := &conn{Conn: nc, cfg: cfg, rooms: rooms, peer: address(nc.RemoteAddr()).String(), idle: true}
	c.findRaw()
	return c
}

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

// begin waits for a frame and returns its first size bytes; the frame's
// deadline runs from the first of them. It ends at once when the door is
// closing.
func (c *conn) begin(size int) ([]byte, Cause) {
	if !c.rest() {
		return nil, CauseDrain
	}
	c.late = false
	if c.n == 0 {
		if err := c.wait(); err != nil {
			return nil, c.left(err)
		}
		c.wake()
	}
	if cause := c.gather(size); cause != goOn {
		return nil, cause
	}
	return c.room[:size], goOn
}

// rest marks the connection idle, unless more has come already; false if it is
// to end instead.
func (c *conn) rest() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ending {
		return false
	}
	if c.n > 0 {
		return true
	}
	c.idle = true
	if c.moment.IsZero() {
		c.moment = time.Now()
	}
	if c.readBy.Sub(c.moment) < c.cfg.Idle { // renewed now and then, not for each frame
		c.readBy = c.moment.Add(c.cfg.Idle + c.cfg.Idle/8)
		c.SetReadDeadline(c.readBy)
	}
	return true
}

func (c *conn) wake() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.idle = false
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

// wait returns when something has come and lies in the room.
func (c *conn) wait() error {
	if c.raw != nil {
		if err := c.raw.Read(c.fill); err != nil {
			return err
		}
		return c.fault
	}
	n, err := c.Read(c.first[:])
	if n == 0 {
		return err
	}
	c.takeRoom()
	c.n = copy(c.room[:], c.first[:n])
	return nil
}

// gather reads until size bytes are in the room, which has place for them.
func (c *conn) gather(size int) Cause {
	if c.n >= size {
		return goOn
	}
	c.hurry()
	n, err := io.ReadAtLeast(c.Conn, c.room[c.n:], size-c.n)
	c.n += n
	if err != nil {
		return CauseHalfFrame
	}
	return goOn
}

// hurry sets the deadline of a frame that did not come at once, one for all of
// it.
func (c *conn) hurry() {
	if c.late {
		return
	}
	c.late = true
	c.readBy = time.Time{}
	c.SetReadDeadline(time.Now().Add(c.cfg.Frame))
}

// frame returns a frame of size bytes that has begun. Never more memory is
// taken than firstStep, or twice what has arrived. The bytes stand until done.
func (c *conn) frame(size int) ([]byte, Cause) {
	if size <= firstStep {
		cause := c.gather(size)
		return c.room[:min(size, c.n)], cause
	}
	c.hurry()
	b := make([]byte, min(size, max(2*c.n, firstStep)))
	for n := copy(b, c.room[:c.n]); ; {
		if _, err := io.ReadFull(c.Conn, b[n:]); err != nil {
			return nil, CauseHalfFrame
		}
		if n = len(b); n == size {
			return b, goOn
		}
		bigger := make([]byte, min(size, 2*n))
		copy(bigger, b)
		b = bigger
	}
}

// skip reads past a frame of size bytes that has begun and returns its
// beginning, which the room keeps; the rest is kept nowhere.
func (c *conn) skip(size int) ([]byte, Cause) {
	if cause := c.gather(min(size, firstStep)); cause != goOn || size <= firstStep {
		return c.room[:min(size, c.n)], cause
	}
	c.hurry()
	if _, err := io.CopyN(io.Discard, c.Conn, int64(size-c.n)); err != nil {
		return nil, CauseHalfFrame
	}
	return c.room[:], goOn
}

// done ends the use of a frame of size bytes: what came behind it moves to the
// front, and without that the room goes back.
func (c *conn) done(size int) {
	if c.n > size {
		c.n = copy(c.room[:], c.room[size:c.n])
		return
	}
	c.giveRoom()
}

func (c *conn) takeRoom() {
	if c.room, _ = c.rooms.Get().(*room); c.room == nil {
		c.room = new(room)
	}
}

func (c *conn) giveRoom() {
	if c.room != nil {
		c.rooms.Put(c.room)
	}
	c.room, c.n = nil, 0
}

// keepRoom leaves the room to who may still read it.
func (c *conn) keepRoom() { c.room, c.n = nil, 0 }

// spent ends an exchange with a frame of size bytes; held says that somebody
// may read the frame later.
func (c *conn) spent(size int, held bool) {
	if held {
		c.keepRoom()
		return
	}
	c.done(size)
}

// answer writes b with one Write, for some registers read an answer with two
// reads and never look for the rest.
func (c *conn) answer(b []byte) Cause {
	c.moment = time.Now()
	if c.writeBy.Sub(c.moment) < c.cfg.Write { // renewed now and then, as readBy
		c.writeBy = c.moment.Add(c.cfg.Write + c.cfg.Write/2)
		c.SetWriteDeadline(c.writeBy)
	}
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
	h, ok := c.Conn.(interface{ CloseWrite() error })
	if !ok || h.CloseWrite() != nil {
		return
	}
	c.SetReadDeadline(time.Now().Add(lingerTime))
	io.CopyN(io.Discard, c.Conn, lingerBytes)
}
