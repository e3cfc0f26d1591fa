package bench

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"
)

// client is one connection and the registers that take turns on it. One
// goroutine owns it.
type client struct {
	cfg       Config
	number    int // of the client, from 0
	registers []Register
	dead      []bool // by register: the operator does not take what it sends
	conn      net.Conn
	mu        sync.Mutex // guards conn against hurry, not against its owner
	deadline  time.Time
	giveUp    time.Time // from then on a message without an answer is not sent again
	request   []byte    // room for requests
	answer    []byte    // and answers

	accepted     uint64
	requestBytes int
	answerBytes  int
	latencies    histogram
	errors       map[string]uint64
}

// Limits of one exchange. They are far beyond what a register waits: a load
// generator measures long answers, it does not cut them.
const (
	patience = 30 * time.Second
	maxFrame = 64 << 10
	grace    = 2 * time.Second // for what is under way when the time is over
)

func newClient(cfg Config, number int) *client {
	return &client{cfg: cfg, number: number, request: make([]byte, 0, 4096), answer: make([]byte, 0, 4096), errors: make(map[string]uint64)}
}

func (c *client) add(r Register) {
	c.registers, c.dead = append(c.registers, r), append(c.dead, false)
}

// work sends receipts from start to end and counts those answered after
// measured.
func (c *client) work(ctx context.Context, start, measured, end time.Time) {
	defer c.close()
	stop := context.AfterFunc(ctx, c.hurry)
	defer stop()
	c.giveUp = end.Add(grace)
	var step time.Duration // between two receipts of this connection
	due := start
	if c.cfg.Rate > 0 {
		step = time.Duration(c.cfg.Connections) * time.Second / time.Duration(c.cfg.Rate)
		due = start.Add(step * time.Duration(c.number) / time.Duration(c.cfg.Connections))
	}
	for i := 0; ctx.Err() == nil; i++ {
		r := c.next(i)
		if r < 0 {
			return
		}
		begin := time.Now()
		if step > 0 {
			if wait := due.Sub(begin); wait > 0 {
				time.Sleep(wait)
			}
			begin = due
			due = due.Add(step)
		}
		if begin.After(end) {
			return
		}
		if c.receipt(ctx, r) {
			if done := time.Now(); done.After(measured) && !done.After(end) {
				c.accepted++
				c.latencies.add(done.Sub(begin))
			}
		}
	}
}

// next is the register whose turn it is, -1 when all are dead.
func (c *client) next(turn int) int {
	for i := range c.registers {
		if r := (turn + i) % len(c.registers); !c.dead[r] {
			return r
		}
	}
	return -1
}

// receipt has a register send one receipt, and before it what has to come
// first; false is a refusal, or the end of ctx.
func (c *client) receipt(ctx context.Context, r int) bool {
	for {
		message, receipt := c.registers[r].Append(c.request[:0], time.Now())
		c.request = message
		o, ok := c.ask(ctx, c.registers[r], message)
		switch {
		case !ok:
			return false
		case o.Verdict != Accepted:
			c.dead[r] = o.Verdict == Dead
			return false
		case receipt:
			c.requestBytes, c.answerBytes = len(message), len(c.answer)
			return true
		}
	}
}

// ask sends a message until it is answered with something else than Again, or
// time or ctx is over.
func (c *client) ask(ctx context.Context, r Register, message []byte) (Outcome, bool) {
	for ctx.Err() == nil {
		err := c.exchange(ctx, r, message)
		var o Outcome
		if err == nil {
			o, err = r.Take(message, c.answer)
		}
		switch {
		case err != nil:
			if ctx.Err() != nil {
				return Outcome{}, false
			}
			c.close()
			var bad *badAnswer
			if errors.As(err, &bad) {
				c.count("answer")
			} else {
				c.count("connection")
			}
		default:
			if o.Fault != "" {
				c.count(o.Fault)
			}
			if o.Verdict != Again {
				return o, true
			}
		}
		if time.Now().After(c.giveUp) {
			break
		}
		time.Sleep(10 * time.Millisecond) // an operator in trouble is not to be hammered
	}
	return Outcome{}, false
}

func (c *client) count(what string) { c.errors[what]++ }

// exchange writes one message and reads the answer to it into c.answer.
func (c *client) exchange(ctx context.Context, r Register, message []byte) error {
	if c.conn == nil {
		if err := c.connect(ctx); err != nil {
			return err
		}
	}
	if now := time.Now(); c.deadline.Sub(now) < patience/2 {
		c.deadline = now.Add(patience)
		if err := c.conn.SetDeadline(c.deadline); err != nil {
			return err
		}
	}
	if _, err := c.conn.Write(message); err != nil {
		return err
	}
	var err error
	c.answer, err = readAnswer(c.conn, r, c.answer[:0])
	return err
}

// readAnswer appends the whole answer to b, with as few reads as it comes in.
func readAnswer(conn net.Conn, r Register, b []byte) ([]byte, error) {
	for {
		n, err := conn.Read(b[len(b):cap(b)])
		b = b[:len(b)+n]
		if size := r.Size(b); size > 0 {
			if size == len(b) {
				return b, nil
			}
			if size < len(b) || size > maxFrame {
				return b, &badAnswer{fmt.Sprintf("%d bytes announced after %d", size, len(b))}
			}
			if size > cap(b) {
				b = append(make([]byte, 0, size), b...)
			}
		}
		if err != nil {
			return b, err
		}
		if len(b) == cap(b) {
			return b, &badAnswer{fmt.Sprintf("no length in %d bytes", len(b))}
		}
	}
}

func (c *client) connect(ctx context.Context) error {
	dial := (&net.Dialer{Timeout: patience}).DialContext
	if c.cfg.TLS != nil {
		dial = (&tls.Dialer{NetDialer: &net.Dialer{Timeout: patience}, Config: c.cfg.TLS}).DialContext
	}
	conn, err := dial(ctx, "tcp", c.cfg.Addr)
	if err != nil {
		return err
	}
	c.mu.Lock()
	c.conn, c.deadline = conn, time.Time{}
	c.mu.Unlock()
	return nil
}

func (c *client) close() {
	if c.conn == nil {
		return
	}
	_ = c.conn.Close() // what was answered was read
	c.mu.Lock()
	c.conn = nil
	c.mu.Unlock()
}

// hurry leaves an exchange under way a little longer, once ctx has ended: what
// its answer says is needed for the next run.
func (c *client) hurry() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.conn != nil {
		_ = c.conn.SetDeadline(time.Now().Add(grace)) // fails on a closed one only
	}
}
