package bench

import (
	"context"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"google.golang.org/protobuf/encoding/protowire"

	"openofd/internal/fiscal"
	wire "openofd/internal/protocol/kkm"
	"openofd/internal/protocol/kkm/kkmpb"
)

// client is one connection and the registers that take turns on it. One
// goroutine owns it.
type client struct {
	cfg       Config
	number    int // of the client, from 0
	registers []*register
	template  *template
	conn      net.Conn   // nil: to be connected; set under mu, for hurry
	mu        sync.Mutex // guards conn against hurry, not against its owner
	deadline  time.Time
	answer    []byte // room for answers

	now  time.Time // of the last reading of parts
	part moment

	accepted    uint64
	answerBytes int
	latencies   histogram
	errors      map[string]uint64
}

type register struct {
	Credential
	number uint32 // of the printed document
	dead   bool   // the operator does not take its documents: nothing more to measure
}

// Limits of one exchange. They are far beyond what a register waits: a load
// generator measures long answers, it does not cut them.
const (
	patience = 30 * time.Second
	maxFrame = 64 << 10
)

func newClient(cfg Config, number int) (*client, error) {
	t, err := newTemplate(cfg.Version, 0)
	if err != nil {
		return nil, err
	}
	return &client{cfg: cfg, number: number, template: t, answer: make([]byte, 0, 4096), errors: make(map[string]uint64)}, nil
}

func (c *client) add(cred Credential) {
	c.registers = append(c.registers, &register{Credential: cred, number: firstNumber})
}

// work sends receipts from start to end and counts those answered after
// measured.
func (c *client) work(ctx context.Context, start, measured, end time.Time) {
	defer c.close()
	stop := context.AfterFunc(ctx, c.hurry)
	defer stop()
	var step time.Duration // between two receipts of this connection
	due := start
	if c.cfg.Rate > 0 {
		step = time.Duration(c.cfg.Connections) * time.Second / time.Duration(c.cfg.Rate)
		due = start.Add(step * time.Duration(c.number) / time.Duration(c.cfg.Connections))
	}
	for i := 0; ctx.Err() == nil; i++ {
		r := c.next(i)
		if r == nil {
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

// next is the register whose turn it is, nil when all are dead.
func (c *client) next(turn int) *register {
	for i := range c.registers {
		if r := c.registers[(turn+i)%len(c.registers)]; !r.dead {
			return r
		}
	}
	return nil
}

// receipt sends one receipt until it is accepted; false is a refusal, or the
// end of ctx. A lost answer is asked for again under the same TOKEN and REQNUM.
func (c *client) receipt(ctx context.Context, r *register) bool {
	r.ReqNum++
	r.number++
	if r.number > lastNumber {
		r.number = firstNumber
	}
	if now := time.Now(); now.Sub(c.now) > 100*time.Millisecond {
		c.now, c.part = now, momentOf(now.In(c.cfg.Zone))
	}
	binary.LittleEndian.PutUint32(c.template.frame[8:], r.ID)
	c.template.patch(r.Token, r.ReqNum, c.part, r.number)
	a, ok := c.ask(ctx, c.template.frame)
	if !ok {
		return false
	}
	c.answerBytes = a.size
	switch a.code {
	case wire.CodeOK:
		r.Token = a.token
		if !a.ticket {
			c.count("answer")
		}
		return a.ticket
	case wire.CodeShiftTooLong:
		c.closeShift(ctx, r)
	case wire.CodeUnknownID, wire.CodeInvalidToken, wire.CodeBlocked:
		r.dead = true
	}
	return false
}

// closeShift does what code 11 asks for.
func (c *client) closeShift(ctx context.Context, r *register) {
	r.ReqNum++
	h := wire.Header{Version: c.cfg.Version, ID: r.ID, Token: r.Token, ReqNum: r.ReqNum}
	frame, err := wire.AppendRequest(nil, h, closing(c.cfg.Version, fiscal.WallIn(time.Now(), c.cfg.Zone)))
	if err != nil {
		panic("bench: the close of a shift does not encode: " + err.Error())
	}
	switch a, ok := c.ask(ctx, frame); {
	case ok && a.code == wire.CodeOK:
		r.Token = a.token
	case ok:
		r.dead = true
	}
}

// ask sends a frame until it is answered with something else than 254 and 255,
// or ctx ends.
func (c *client) ask(ctx context.Context, frame []byte) (answer, bool) {
	for ctx.Err() == nil {
		a, err := c.exchange(ctx, frame)
		switch {
		case err != nil:
			if ctx.Err() != nil {
				return answer{}, false
			}
			c.close()
			var bad *badAnswer
			if errors.As(err, &bad) {
				c.count("answer")
			} else {
				c.count("connection")
			}
		case a.code == wire.CodeUnavailable || a.code == wire.CodeUnknownError:
			c.count(fmt.Sprintf("code %d", a.code))
		default:
			if a.code != wire.CodeOK {
				c.count(fmt.Sprintf("code %d", a.code))
			}
			return a, true
		}
		time.Sleep(10 * time.Millisecond) // an operator in trouble is not to be hammered
	}
	return answer{}, false
}

func (c *client) count(what string) { c.errors[what]++ }

// exchange writes one frame and reads the answer to it.
func (c *client) exchange(ctx context.Context, frame []byte) (answer, error) {
	if c.conn == nil {
		if err := c.connect(ctx); err != nil {
			return answer{}, err
		}
	}
	if now := time.Now(); c.deadline.Sub(now) < patience/2 {
		c.deadline = now.Add(patience)
		if err := c.conn.SetDeadline(c.deadline); err != nil {
			return answer{}, err
		}
	}
	if _, err := c.conn.Write(frame); err != nil {
		return answer{}, err
	}
	c.answer = c.answer[:0]
	for {
		n, err := c.conn.Read(c.answer[len(c.answer):cap(c.answer)])
		c.answer = c.answer[:len(c.answer)+n]
		if len(c.answer) >= wire.HeaderLen {
			size := int(binary.LittleEndian.Uint32(c.answer[4:]))
			if size == len(c.answer) {
				return readAnswer(frame, c.answer)
			}
			if size < len(c.answer) || size > maxFrame {
				return answer{}, &badAnswer{fmt.Sprintf("SIZE %d after %d bytes", size, len(c.answer))}
			}
			if size > cap(c.answer) {
				c.answer = append(make([]byte, 0, size), c.answer...)
			}
		}
		if err != nil {
			return answer{}, err
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

// hurry leaves an exchange under way two seconds, once ctx has ended: the
// token in its answer is needed for the next run.
func (c *client) hurry() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.conn != nil {
		_ = c.conn.SetDeadline(time.Now().Add(2 * time.Second)) // fails on a closed one only
	}
}

// answer is what a load generator reads of an answer.
type answer struct {
	token  uint32
	code   uint32
	ticket bool // with a number
	size   int
}

// badAnswer is an answer that is none to the request.
type badAnswer struct{ why string }

func (e *badAnswer) Error() string { return "bad answer: " + e.why }

// readAnswer checks header, command, result and number without decoding the
// rest.
func readAnswer(request, b []byte) (answer, error) {
	bad := func(format string, args ...any) (answer, error) {
		return answer{}, &badAnswer{fmt.Sprintf(format, args...)}
	}
	h, err := wire.ParseHeader(b)
	if err != nil {
		return bad("%v", err)
	}
	asked, _ := wire.ParseHeader(request)
	if h.Version != asked.Version || h.ID != asked.ID || h.ReqNum != asked.ReqNum {
		return bad("header %d %d %d, asked with %d %d %d", h.Version, h.ID, h.ReqNum, asked.Version, asked.ID, asked.ReqNum)
	}
	a := answer{token: h.Token, size: len(b)}
	payload := b[wire.HeaderLen:]
	result, command := field(payload, 2), field(payload, 1)
	if result == (span{}) || command.end == command.at {
		return bad("no command or no result")
	}
	if sent := field(request[wire.HeaderLen:], 1); payload[command.at] != request[wire.HeaderLen+sent.at] {
		return bad("command %d", payload[command.at])
	}
	code := field(payload[result.at:result.end], 1).add(result.at)
	v, n := protowire.ConsumeVarint(payload[code.at:code.end])
	if n < 0 {
		return bad("no result code")
	}
	a.code = uint32(v)
	if ticket := field(payload, 3); ticket != (span{}) && payload[command.at] == byte(kkmpb.CommandTypeEnum_COMMAND_TICKET) {
		number := field(payload[ticket.at:ticket.end], 1)
		a.ticket = number.end > number.at
	}
	return a, nil
}
