package registers

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"openofd/internal/device/kkm"
	"openofd/internal/fiscal"
	wire "openofd/internal/protocol/kkm"
	"openofd/internal/testkit/history"
)

// Credential is what a register knows of itself.
type Credential struct {
	ID    fiscal.RegisterID
	Token uint32
}

// Config describes a crowd. Registers with Addrs must be there, or Drives with
// DriveAddrs.
type Config struct {
	Addrs      []string // doors of the nodes for registers of Kazakhstan
	Registers  []Credential
	DriveAddrs []string // and for those of Russia, in the order of the nodes
	Drives     []DriveCredential
	// Choose says to which node an exchange of a register goes, both counted
	// from 0. Nil: each exchange goes to another node than the one before.
	Choose    func(register, exchange int) int
	Documents int          // Run ends when each register has so many answered; 0 means never
	Version   wire.Version // 0 means 2.0.3
	Zone      *time.Location
	Now       func() time.Time    // of the registers; nil means time.Now
	Answer    time.Duration       // how long an answer is waited for; 0 means 7 s
	Pause     time.Duration       // before a request is sent again; 0 means 20 ms
	Rest      time.Duration       // after an answer
	MayRefuse []uint32            // codes that the test itself provokes
	Took      func(time.Duration) // hears of each answered exchange, from many goroutines; nil: nobody does
	Recorder  *history.Recorder   // nil: a new one
}

// Crowd is a number of registers at work.
type Crowd struct {
	cfg     Config
	devices []device
}

// device is one register. One goroutine at a time owns it.
type device interface {
	id() fiscal.RegisterID
	// next makes the next request, which then waits.
	next() error
	// waits reports whether something was made that is not answered.
	waits() bool
	// exchange sends what waits once; false asks for a repetition.
	exchange(ctx context.Context) bool
	// stands is why the device stands still: a refusal that resending cannot
	// help.
	stands() error
	// documents are those that were answered.
	documents() []Document
	// under is the document that waits, for an account.
	under() string
	// compare holds the documents against what is stored of the register.
	compare(stored []held, n *Counts) (complaints []string)
	close() error
}

// register is a device of Kazakhstan.
type register struct {
	Credential
	cfg       *Config
	index     int
	token     uint32
	reqnum    uint16
	made      int // documents
	exchanges int
	links     []*kkm.Link // one for each node
	pending   *request    // sent, and not answered or refused
	asked     bool        // the last request was a question
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
		r := &register{Credential: cred, cfg: &c.cfg, index: i, token: cred.Token}
		for _, addr := range cfg.Addrs {
			r.links = append(r.links, kkm.NewLink(kkm.LinkConfig{Addr: addr, Keep: true, Connect: cfg.Answer, Answer: cfg.Answer}))
		}
		cfg.Recorder.Register(cred.ID, cred.Token)
		c.devices = append(c.devices, r)
	}
	for i, cred := range cfg.Drives {
		c.devices = append(c.devices, newDrive(&c.cfg, cred, len(cfg.Registers)+i))
	}
	return c
}

// Recorder is where the exchanges are written down.
func (c *Crowd) Recorder() *history.Recorder { return c.cfg.Recorder }

// Run has every register send documents until it has enough or ctx ends. What
// is under way then stays unanswered; Run or Settle go on with it.
func (c *Crowd) Run(ctx context.Context) {
	enough := c.cfg.Documents
	c.each(func(d device) {
		for ctx.Err() == nil && d.stands() == nil {
			switch {
			case d.waits():
				c.finish(ctx, d)
			case enough != 0 && len(d.documents()) >= enough:
				return
			default:
				if d.next() != nil {
					return // and it stands
				}
			}
		}
	})
}

// Settle sends what is unanswered until it is answered; an error names a
// register that is not answered when ctx ends, or stands still.
func (c *Crowd) Settle(ctx context.Context) error {
	c.each(func(d device) { c.finish(ctx, d) })
	for _, d := range c.devices {
		switch {
		case d.stands() != nil:
			return fmt.Errorf("register %d stands still: %w", d.id(), d.stands())
		case d.waits():
			return fmt.Errorf("register %d was not answered: %s: %w", d.id(), d.under(), ctx.Err())
		}
	}
	return nil
}

// Close closes the connections.
func (c *Crowd) Close() error {
	var all []error
	for _, d := range c.devices {
		all = append(all, d.close())
	}
	return errors.Join(all...)
}

// Answered are the documents that were answered, register by register.
func (c *Crowd) Answered() (all []Document) {
	for _, d := range c.devices {
		all = append(all, d.documents()...)
	}
	return all
}

func (c *Crowd) each(do func(device)) {
	var working sync.WaitGroup
	for _, d := range c.devices {
		working.Go(func() { do(d) })
	}
	working.Wait()
}

// finish sends what waits until it is answered, or ctx ends.
func (c *Crowd) finish(ctx context.Context, d device) {
	for d.waits() && d.stands() == nil && ctx.Err() == nil {
		pause := c.cfg.Pause
		if d.exchange(ctx) {
			pause = c.cfg.Rest
		}
		if pause == 0 {
			continue
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
		}
	}
}

func (r *register) id() fiscal.RegisterID { return r.ID }
func (r *register) waits() bool           { return r.pending != nil }
func (r *register) stands() error         { return r.refused }
func (r *register) documents() []Document { return r.answered }
func (r *register) under() string         { return fmt.Sprintf("document %d", r.pending.number) }

func (r *register) close() error {
	var all []error
	for _, l := range r.links {
		all = append(all, l.Close())
	}
	return errors.Join(all...)
}

// next makes the register's next request.
func (r *register) next() error {
	var q request
	if r.asked = !r.asked && r.made%everyQuestion == everyQuestion-1; r.asked {
		q, r.refused = r.question()
	} else {
		r.made++
		q, r.refused = r.document(r.made)
	}
	r.pending = &q
	return r.refused
}

// exchange implements device.
func (r *register) exchange(ctx context.Context) bool {
	node := r.cfg.Choose(r.index, r.exchanges) % len(r.links)
	r.exchanges++
	written := r.cfg.Recorder.Begin(r.ID, r.pending.asked)
	began := time.Now()
	reply, err := r.links[node].Exchange(ctx, r.pending.frame)
	if err != nil {
		return false
	}
	if r.cfg.Took != nil {
		r.cfg.Took(time.Since(began))
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
func read(reply kkm.Reply) (history.Answer, error) {
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
