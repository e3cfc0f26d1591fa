package kkm

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"openofd/internal/fiscal"
	wire "openofd/internal/protocol/kkm"
)

// Config describes a register. Card and CheckURL are what it prints and tells;
// Card.Register, Card.RegistrationNumber and Card.Zone must be set. Zero
// durations stand for the values of the law.
type Config struct {
	Version  wire.Version // 0 means 2.0.3
	Card     fiscal.Card
	CheckURL string // where buyers check receipts; stands in autonomous QR texts
	Section  string // of lines that name none; "" means "1"
	Position string // where Card's coordinates come from: "GPS", "CELL"; since 2.0.3

	Transaction time.Duration // from the first attempt to autonomous mode; 0 means 7 s
	Pause       time.Duration // between attempts of one transaction; 0 means 500 ms
	Reconnect   time.Duration // between deliveries in Work; 0 means 60 s
	MaxOffline  time.Duration // age of the oldest unsent document; 0 means 72 h
	MaxShift    time.Duration // length of a shift; 0 means 24 h
}

// Mode is what keeps a register from making documents.
type Mode uint8

// The modes. A register leaves a mode only by the act that stands beside it.
const (
	ModeWorking       Mode = iota
	ModeNeedsToken         // no token, or the operator does not know it: SetToken
	ModeServerBlocked      // blocked by the operator: System, until it is answered with 0
	ModeStopped            // a waiting document was refused, or the ID is unknown: Resume or Remove
)

func (m Mode) String() string {
	switch m {
	case ModeWorking:
		return "working"
	case ModeNeedsToken:
		return "needs a token"
	case ModeServerBlocked:
		return "blocked by the operator"
	case ModeStopped:
		return "stopped"
	}
	return "unknown"
}

// Why a register makes no documents. They stand inside a fiscal.Error of kind
// Denied or Unauthenticated.
var (
	ErrNeedsToken     = errors.New("the register has no valid token: ask the operator and type it in")
	ErrServerBlocked  = errors.New("the operator has blocked the register")
	ErrStopped        = errors.New("a waiting document was refused: correct the cause and resume, or remove it")
	ErrOfflineTooLong = errors.New("the oldest unsent document waits longer than autonomous work may last")
	ErrNothingStopped = errors.New("no waiting document was refused")
)

// Exchanger carries one request to the operator and brings the answer. Link is
// one. Whatever goes wrong is silence: the operator may have accepted.
type Exchanger interface {
	Exchange(ctx context.Context, frame []byte) (Reply, error)
	Close() error // the next Exchange connects anew
}

var _ Exchanger = (*Link)(nil)

// Register is a virtual cash register. Safe for concurrent use: acts of
// cashiers wait for each other, and none waits for a delivery of the queue.
type Register struct {
	cfg  Config
	zone *time.Location
	form Form
	link Exchanger
	now  func() time.Time
	rand io.Reader

	// Always taken in this order.
	turn sync.Mutex // one act of a cashier at a time
	line sync.Mutex // one exchange at a time
	mu   sync.Mutex // guards what follows; never held during an exchange

	memory Memory
	state  State
	queue  []Job
	broken error // of the memory: what is durable is not known, so nothing goes on
}

// New makes a register on what its memory holds; a new memory needs SetToken
// first. A document that was under way when the power was cut becomes an
// autonomous one: the operator may have it, and Deliver finds out.
//
// now is the register's clock, rand spreads the deliveries of many registers.
// Nothing is sent.
//
// Errors: Corrupt, Invalid, and of the memory.
func New(cfg Config, memory Memory, link Exchanger, now func() time.Time, rand io.Reader) (*Register, error) {
	if cfg.Version == 0 {
		cfg.Version = wire.V203
	}
	if cfg.Section == "" {
		cfg.Section = "1"
	}
	for limit, value := range map[*time.Duration]time.Duration{
		&cfg.Transaction: 7 * time.Second, &cfg.Pause: 500 * time.Millisecond, &cfg.Reconnect: time.Minute,
		&cfg.MaxOffline: 72 * time.Hour, &cfg.MaxShift: 24 * time.Hour,
	} {
		if *limit == 0 {
			*limit = value
		}
	}
	id := uint32(cfg.Card.Register)
	if id == 0 || fiscal.RegisterID(id) != cfg.Card.Register {
		return nil, invalid(fiscal.BadValue, "register", "%d is no register ID of 32 bits", cfg.Card.Register)
	}
	if !cfg.Version.Known() {
		return nil, invalid(fiscal.UnsupportedVersion, "version", "%d", cfg.Version)
	}
	r := &Register{
		cfg: cfg, zone: cfg.Card.Location(), link: link, now: now, rand: rand, memory: memory,
		form: Form{Version: cfg.Version, Section: cfg.Section, TaxSystem: cfg.Card.TaxSystem},
	}
	var err error
	if r.state, r.queue, err = memory.Load(); err != nil {
		return nil, err
	}
	switch r.state.ID {
	case id:
	case 0:
		r.state = State{ID: id, Mode: ModeNeedsToken}
		r.state.Figures.State = new(fiscal.State)
	default:
		return nil, invalid(fiscal.BadValue, "register", "the memory belongs to register %d, not %d", r.state.ID, id)
	}
	if len(r.queue) > 0 && !r.queue[0].Offline {
		if err := r.turnOffline(); err != nil {
			return nil, fmt.Errorf("document under way: %w", err)
		}
	}
	return r, nil
}

// SetToken takes the token that a person typed in: the first one, or a new one
// after code 2. Waiting documents stay and go out under it.
func (r *Register) SetToken(token uint32) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if token == 0 {
		return invalid(fiscal.BadValue, "token", "0 is no token")
	}
	next := r.state.clone()
	next.Token, next.UnderWay = token, nil
	if next.Mode == ModeNeedsToken {
		next.Mode, next.Notice = ModeWorking, ""
	}
	return r.save(next, 0)
}

// Resume leaves ModeStopped: the cause is gone, and the refused document goes
// out once more with the next delivery.
func (r *Register) Resume() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	next := r.state.clone()
	if next.Mode == ModeStopped {
		next.Mode, next.Notice, next.UnderWay = ModeWorking, "", nil
	}
	return r.save(next, 0)
}

// Remove takes the refused document out of the queue and leaves ModeStopped.
// Only a person decides so: the paper is with the buyer, and the operator does
// not have it. The figures are put right by the operator's after the delivery.
//
// Errors: ErrNothingStopped.
func (r *Register) Remove() (Job, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.state.Mode != ModeStopped || len(r.queue) == 0 {
		return Job{}, &fiscal.Error{Of: fiscal.Conflict, Err: ErrNothingStopped}
	}
	job := r.queue[0]
	next := r.state.clone()
	next.Mode, next.Notice, next.UnderWay = ModeWorking, "", nil
	if len(r.queue) == 1 {
		next.OfflineSince = 0
	}
	return job, r.save(next, 1)
}

// Standing is what a register shows of itself.
type Standing struct {
	Mode     Mode
	Notice   string          // the operator's words while it stands still
	Waiting  int             // documents in the autonomous queue
	Oldest   fiscal.WallTime // when the first of them was made; 0: none
	Shift    fiscal.Shift
	Counters fiscal.Counters
	Printed  uint64 // number of the last document
	Ads      []fiscal.Ad
}

// Standing returns a copy of the present.
func (r *Register) Standing() Standing {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := r.state.clone()
	out := Standing{
		Mode: s.Mode, Notice: s.Notice, Waiting: len(r.queue), Shift: s.Figures.Shift,
		Counters: s.Figures.Counters, Printed: s.Printed, Ads: s.Ads,
	}
	if len(r.queue) > 0 {
		out.Oldest = r.queue[0].Made
	}
	return out
}

// wall is what the register's clock shows.
func (r *Register) wall() fiscal.WallTime { return fiscal.WallIn(r.now(), r.zone) }

// save makes one step durable and then takes it over. The caller holds mu.
func (r *Register) save(next State, drop int, push ...Job) error {
	return r.take(Step{State: next, Drop: drop, Push: push})
}

// done is save for a document that was accepted.
func (r *Register) done(next State, as Slip) error {
	return r.take(Step{State: next, Drop: 1, Done: &as})
}

func (r *Register) take(step Step) error {
	if r.broken != nil {
		return r.broken
	}
	if err := r.memory.Save(step); err != nil {
		r.broken = &fiscal.Error{Of: fiscal.Unavailable, Field: "memory", Msg: "open the register anew", Err: err}
		return r.broken
	}
	queue, err := step.apply(r.queue)
	if err != nil {
		return err
	}
	r.state, r.queue = step.State, queue
	return nil
}

// ready reports why no document may be made now. The caller holds mu.
func (r *Register) ready() error {
	if r.broken != nil {
		return r.broken
	}
	if err := r.standstill(); err != nil {
		return err
	}
	if len(r.queue) > 0 && r.wall().Sub(r.queue[0].Made) > r.cfg.MaxOffline {
		return &fiscal.Error{Of: fiscal.Denied, Err: ErrOfflineTooLong}
	}
	return nil
}

// standstill is the error of the mode, or nil. The caller holds mu.
func (r *Register) standstill() error {
	switch r.state.Mode {
	case ModeNeedsToken:
		return &fiscal.Error{Reason: fiscal.StaleToken, Err: ErrNeedsToken}
	case ModeServerBlocked:
		return &fiscal.Error{Reason: fiscal.RegisterBlocked, Msg: r.state.Notice, Err: ErrServerBlocked}
	case ModeStopped:
		return &fiscal.Error{Of: fiscal.Denied, Msg: r.state.Notice, Err: ErrStopped}
	}
	return nil
}

// Close gives the link and the memory up; what is durable stays.
func (r *Register) Close() error {
	r.turn.Lock()
	defer r.turn.Unlock()
	r.line.Lock()
	defer r.line.Unlock()
	return errors.Join(r.link.Close(), r.memory.Close())
}
