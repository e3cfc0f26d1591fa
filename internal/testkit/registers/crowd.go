package registers

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	device "openofd/internal/device/kkm"
	"openofd/internal/fiscal"
	wire "openofd/internal/protocol/kkm"
	"openofd/internal/testkit/history"
)

// Credential is what a register knows of itself.
type Credential struct {
	ID    fiscal.RegisterID
	Token uint32
}

// Config describes a crowd. Addrs and Registers must be there.
type Config struct {
	Addrs     []string // doors of the nodes
	Registers []Credential
	// Choose says to which node an exchange of a register goes, both counted
	// from 0. Nil: each exchange goes to another node than the one before.
	Choose    func(register, exchange int) int
	Documents int          // Run ends when each register has so many answered; 0 means never
	Version   wire.Version // 0 means 2.0.3
	Zone      *time.Location
	Now       func() time.Time    // of the registers; nil means time.Now
	Answer    time.Duration       // how long an answer is waited for; 0 means 7 s
	Pause     time.Duration       // before a request is sent again; 0 means 20 ms
	MayRefuse []uint32            // codes that the test itself provokes
	Took      func(time.Duration) // hears of each answered exchange, from many goroutines; nil: nobody does
	Recorder  *history.Recorder   // nil: a new one
}

// Crowd is a number of registers at work.
type Crowd struct {
	cfg       Config
	registers []*register
}

// register is one device. One goroutine at a time owns it.
type register struct {
	Credential
	index     int
	token     uint32
	reqnum    uint16
	documents int // made
	exchanges int
	links     []*device.Link // one for each node
	pending   *request       // sent, and not answered or refused
	asked     bool           // the last request was a question
	answered  []Document
	refused   error // it stands still: a refusal that resending cannot help
}

// New makes a crowd. Nothing is sent.
func New(cfg Config) *Crowd {
	if cfg.Version == 0 {
		cfg.Version = wire.V203
	}
	if cfg.Zone == nil {
		cfg.Zone = time.UTC
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Pause == 0 {
		cfg.Pause = 20 * time.Millisecond
	}
	if cfg.Choose == nil {
		cfg.Choose = func(register, exchange int) int { return register + exchange }
	}
	if cfg.Recorder == nil {
		cfg.Recorder = history.New(cfg.Now)
	}
	c := &Crowd{cfg: cfg}
	for i, cred := range cfg.Registers {
		r := &register{Credential: cred, index: i, token: cred.Token}
		for _, addr := range cfg.Addrs {
			r.links = append(r.links, device.NewLink(device.LinkConfig{Addr: addr, Keep: true, Connect: cfg.Answer, Answer: cfg.Answer}))
		}
		cfg.Recorder.Register(cred.ID, cred.Token)
		c.registers = append(c.registers, r)
	}
	return c
}

// Recorder is where the exchanges are written down.
func (c *Crowd) Recorder() *history.Recorder { return c.cfg.Recorder }

// Run has every register send documents until it has enough or ctx ends. What
// is under way then stays unanswered; Run or Settle go on with it.
func (c *Crowd) Run(ctx context.Context) {
	enough := c.cfg.Documents
	c.each(func(r *register) {
		for ctx.Err() == nil && r.refused == nil {
			switch {
			case r.pending != nil:
				c.finish(ctx, r)
			case enough != 0 && len(r.answered) >= enough:
				return
			default:
				r.refused = c.next(r)
			}
		}
	})
}

// Settle sends what is unanswered until it is answered; an error names a
// register that is not answered when ctx ends, or stands still.
func (c *Crowd) Settle(ctx context.Context) error {
	c.each(func(r *register) { c.finish(ctx, r) })
	for _, r := range c.registers {
		switch {
		case r.refused != nil:
			return fmt.Errorf("register %d stands still: %w", r.ID, r.refused)
		case r.pending != nil:
			return fmt.Errorf("register %d was not answered: document %d: %w", r.ID, r.pending.number, ctx.Err())
		}
	}
	return nil
}

// Close closes the connections.
func (c *Crowd) Close() error {
	var all []error
	for _, r := range c.registers {
		for _, l := range r.links {
			all = append(all, l.Close())
		}
	}
	return errors.Join(all...)
}

// Answered are the documents that were answered, register by register.
func (c *Crowd) Answered() (all []Document) {
	for _, r := range c.registers {
		all = append(all, r.answered...)
	}
	return all
}

func (c *Crowd) each(do func(*register)) {
	var working sync.WaitGroup
	for _, r := range c.registers {
		working.Go(func() { do(r) })
	}
	working.Wait()
}

// next makes a register's next request.
func (c *Crowd) next(r *register) error {
	var q request
	var err error
	if r.asked = !r.asked && r.documents%everyQuestion == everyQuestion-1; r.asked {
		q, err = c.question(r)
	} else {
		r.documents++
		q, err = c.document(r, r.documents)
	}
	r.pending = &q
	return err
}

// finish sends what is pending until it is answered, or ctx ends.
func (c *Crowd) finish(ctx context.Context, r *register) {
	for r.pending != nil && r.refused == nil && ctx.Err() == nil {
		if c.exchange(ctx, r) {
			return
		}
		select {
		case <-time.After(c.cfg.Pause):
		case <-ctx.Done():
		}
	}
}

// exchange sends what is pending once; false asks for a repetition.
func (c *Crowd) exchange(ctx context.Context, r *register) bool {
	node := c.cfg.Choose(r.index, r.exchanges) % len(r.links)
	r.exchanges++
	written := c.cfg.Recorder.Begin(r.ID, r.pending.asked)
	began := time.Now()
	reply, err := r.links[node].Exchange(ctx, r.pending.frame)
	if err != nil {
		return false
	}
	if c.cfg.Took != nil {
		c.cfg.Took(time.Since(began))
	}
	a, err := read(reply)
	if err != nil {
		r.refused = err
		return true
	}
	written.End(a)
	switch a.Code {
	case wire.CodeUnavailable, wire.CodeUnknownError:
		return false
	case wire.CodeOK:
		r.token = a.Token
		if r.pending.number != 0 {
			r.answered = append(r.answered, Document{
				Register: r.ID, Number: r.pending.number, Sign: a.Sign, Request: sha256.Sum256(r.pending.frame), Answer: a.Hash,
			})
		}
	default:
		r.refused = fmt.Errorf("%q was refused with code %d", r.pending.asked.Key, a.Code)
		return true // and it stays pending: a wrong refusal may have been stored
	}
	r.pending = nil
	return true
}

// read takes from an answer what a history wants.
func read(reply device.Reply) (history.Answer, error) {
	frame, err := reply.Header.AppendBinary(nil)
	if err != nil {
		return history.Answer{}, err
	}
	msg, err := wire.ParseResponse(reply.Payload)
	if err != nil {
		return history.Answer{}, err
	}
	a := history.Answer{Code: msg.GetResult().GetResultCode(), Token: reply.Header.Token, Hash: sha256.Sum256(append(frame, reply.Payload...))}
	if number := msg.GetTicket().GetTicketNumber(); number != "" {
		if a.Sign, err = strconv.ParseUint(number, 10, 64); err != nil {
			return a, fmt.Errorf("the number of a receipt: %w", err)
		}
	}
	return a, nil
}
