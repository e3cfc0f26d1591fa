package gate

import (
	"context"
	"time"

	"openofd/internal/fiscal"
)

// Config limits the door. The zero value is usable.
type Config struct {
	MaxConnections int           // at one time, together; 0 means 16,384
	MaxPerAddress  int           // at one time, from one IPv4 address or IPv6 /64; 0 means 2,048
	MaxFrame       int           // bytes of one frame, header included; 0 means 1 MiB
	Idle           time.Duration // between two frames of a connection; 0 means 120 s
	Frame          time.Duration // from a frame's first byte to its last; 0 means 10 s
	Write          time.Duration // for one answer; 0 means 10 s
}

func (c Config) filled() Config {
	orInt := func(v *int, def int) {
		if *v <= 0 {
			*v = def
		}
	}
	orTime := func(v *time.Duration, def time.Duration) {
		if *v <= 0 {
			*v = def
		}
	}
	orInt(&c.MaxConnections, 16_384)
	orInt(&c.MaxPerAddress, 2_048)
	orInt(&c.MaxFrame, 1<<20)
	orTime(&c.Idle, 120*time.Second)
	orTime(&c.Frame, 10*time.Second)
	orTime(&c.Write, 10*time.Second)
	return c
}

// Acceptor judges one exchange and makes it durable; *intake.Intake is one.
// When ctx ends it must return soon. It reads x.Request only until it returns,
// unless it returns OutcomeUnknown.
type Acceptor interface {
	Accept(ctx context.Context, x fiscal.Exchange) (fiscal.Answer, error)
}

// Observer hears what happens at the door, for metrics. Its methods are called
// from many goroutines and must not block.
type Observer interface {
	// Opened and Closed come in pairs. A connection over a limit is closed
	// without having been opened.
	Opened()
	Closed(Cause)
	TurnedAway(Cause)
	// Answered is one answer written, with the protocol's result code and the
	// time since the frame's first byte.
	Answered(p Protocol, result uint16, took time.Duration)
}

// Protocol names a session function, for metrics and logs.
type Protocol string

// KKM is the protocol of registers in Kazakhstan.
const KKM Protocol = "kkm"

// Cause says why a connection ended. The set is closed: metrics use it as a
// label.
type Cause string

// The causes.
const (
	CauseLeft        Cause = "left"         // the peer closed between two frames
	CauseIdle        Cause = "idle"         // no frame within Config.Idle
	CauseHalfFrame   Cause = "half_frame"   // a frame not whole within Config.Frame, or cut off
	CauseForeign     Cause = "foreign"      // not our protocol, or the framing is lost
	CauseHTTP        Cause = "http"         // a web client
	CauseTLS         Cause = "tls"          // a TLS client at a plain door
	CauseHandshake   Cause = "handshake"    // TLS could not be agreed
	CauseTooLong     Cause = "too_long"     // SIZE above Config.MaxFrame
	CauseVersion     Cause = "version"      // a protocol version we do not speak
	CauseRefused     Cause = "refused"      // the answer said that the connection ends
	CauseSilent      Cause = "silent"       // the outcome is unknown, so nothing was said
	CauseWrite       Cause = "write"        // the answer could not be written
	CausePanic       Cause = "panic"        // our own bug; the stack is in the log
	CauseDrain       Cause = "drain"        // we are stopping
	CauseFull        Cause = "full"         // more than Config.MaxConnections
	CauseAddressFull Cause = "address_full" // more than Config.MaxPerAddress

	goOn Cause = "" // not ended
)

// Causes lists every cause, for the tables of metrics.
func Causes() []Cause {
	return []Cause{
		CauseLeft, CauseIdle, CauseHalfFrame, CauseForeign, CauseHTTP, CauseTLS, CauseHandshake, CauseTooLong,
		CauseVersion, CauseRefused, CauseSilent, CauseWrite, CausePanic, CauseDrain, CauseFull, CauseAddressFull,
	}
}
