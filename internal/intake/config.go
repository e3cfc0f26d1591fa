package intake

import (
	"context"
	"time"

	"openofd/internal/fiscal"
)

// Config sizes the intake. The zero value is usable.
type Config struct {
	Cache         int64         // bytes of cards, states and addresses kept; 0 means 256 MiB, about 130,000 registers
	Waiting       int           // exchanges of one register that may wait for its lane; 0 means 4
	Deadline      time.Duration // from Exchange.Received, for the lane and the journal's queue; 0 means 4 s
	Flush         time.Duration // between two writes of last contacts; 0 means 15 s
	RefusedPerDay int           // refused documents kept of one register; 0 means 100
	// Found may make a register, or lead to one, when an exchange's number leads
	// nowhere; nil: never. Its error is NotFound when it does neither, and the
	// reason stands among what was refused.
	Found func(ctx context.Context, x *fiscal.Exchange) (Place, error)
}

func (c Config) filled() Config {
	if c.Cache <= 0 {
		c.Cache = 256 << 20
	}
	if c.Waiting <= 0 {
		c.Waiting = 4
	}
	if c.Deadline <= 0 {
		c.Deadline = 4 * time.Second
	}
	if c.Flush <= 0 {
		c.Flush = 15 * time.Second
	}
	if c.RefusedPerDay <= 0 {
		c.RefusedPerDay = 100
	}
	return c
}

// Observer hears what becomes of exchanges, for metrics. Its methods are called
// from many goroutines and must not block.
type Observer interface {
	// Judged is one exchange that got an answer: how long it took from being
	// received, the reason of a refusal, and whether the answer was given before.
	Judged(took time.Duration, reason fiscal.Reason, replayed bool)
	// Failed is one exchange that got none from the rules.
	Failed(kind fiscal.Kind)
	// Loaded is one look for a register's card and state, in the cache or not.
	Loaded(cached bool)
	// JudgedAgain is one judgement thrown away because the register had moved on.
	JudgedAgain()
	// RefusedLost is how many refused documents could not be kept.
	RefusedLost(n int)
}

type noObserver struct{}

func (noObserver) Judged(time.Duration, fiscal.Reason, bool) {}
func (noObserver) Failed(fiscal.Kind)                        {}
func (noObserver) Loaded(bool)                               {}
func (noObserver) JudgedAgain()                              {}
func (noObserver) RefusedLost(int)                           {}
