package gate

import (
	"context"
	"time"

	"openofd/internal/fiscal"
)

// Config limits the door. The zero value is usable.
//
// A connection over MaxConnections or MaxPerAddress is closed as soon as it is
// accepted, before TLS and before a byte is read: nothing can be answered
// before a frame is there, and a register that finds the door shut works on by
// itself and comes again. A frame over one of the other three limits is read
// and answered 254; nothing of it is judged or stored, and the connection
// stays. A protocol that has no such answer gets none, and the connection ends.
// See pace.go for the reasons behind the rates.
type Config struct {
	MaxConnections int           // at one time, together; 0 means 16,384
	MaxPerAddress  int           // at one time, from one IPv4 address or IPv6 /64; 0 means 2,048
	MaxExchanges   int           // being judged and stored at one time; 0 means 4,096, below 0 any number
	AddressFrames  int           // a second from one IPv4 address or IPv6 /64; 0 means 5,000, below 0 any number
	RegisterFrames int           // a second of one register from one such address; 0 means 500, below 0 any number
	MaxFrame       int           // bytes of one frame, header included; 0 means 1 MiB
	Idle           time.Duration // between two frames of a connection, up to an eighth more; 0 means 120 s
	Frame          time.Duration // from a frame's first byte to its last; 0 means 10 s
	Write          time.Duration // for one answer, up to a half more; 0 means 10 s

	KKT KKTConfig // for ServeKKT
}

func (c Config) filled() Config {
	orInt := func(v *int, def int) {
		if *v <= 0 {
			*v = def
		}
	}
	orOff := func(v *int, def int) {
		if *v == 0 {
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
	orOff(&c.MaxExchanges, 4_096)
	orOff(&c.AddressFrames, 5_000)
	orOff(&c.RegisterFrames, 500)
	orInt(&c.MaxFrame, 1<<20)
	orTime(&c.Idle, 120*time.Second)
	orTime(&c.Frame, 10*time.Second)
	orTime(&c.Write, 10*time.Second)
	c.KKT = c.KKT.filled(c.MaxFrame)
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
	// Limited is one frame not judged because a limit stood against it. Answered
	// or Closed follows.
	Limited(Limit)
	// Answered is one answer written, with the protocol's result code and the
	// time since the frame's first byte.
	Answered(p Protocol, result uint16, took time.Duration)
}

// Protocol names a session function, for metrics and logs.
type Protocol string

// The protocols.
const (
	KKM        Protocol = "kkm"         // of registers in Kazakhstan
	KKT        Protocol = "kkt"         // of registers in Russia
	KKTMarking Protocol = "kkt-marking" // of the same, on marked goods
)

// Protocols lists every protocol, for the tables of metrics.
func Protocols() []Protocol { return []Protocol{KKM, KKT, KKTMarking} }

// Limit names what stands against a frame. The set is closed: metrics use it as
// a label.
type Limit string

// The limits on frames.
const (
	LimitAddress   Limit = "address"   // Config.AddressFrames
	LimitRegister  Limit = "register"  // Config.RegisterFrames
	LimitExchanges Limit = "exchanges" // Config.MaxExchanges
	LimitMarking   Limit = "marking"   // KKTConfig.MaxAsks

	unlimited Limit = "" // none
)

// Limits lists every limit on frames, for the tables of metrics.
func Limits() []Limit { return []Limit{LimitAddress, LimitRegister, LimitExchanges, LimitMarking} }

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
	CauseService     Cause = "service"      // a service that is not offered here
	CauseRefused     Cause = "refused"      // the rules said that the connection ends
	CauseSilent      Cause = "silent"       // the outcome is unknown, so nothing was said
	CauseMalformed   Cause = "malformed"    // a message of ours that breaks the form, in a protocol without an answer to that
	CauseOverloaded  Cause = "overloaded"   // too much for a limit, the store or the keys, in a protocol without an answer to that
	CauseFarEnd      Cause = "far_end"      // the marking system gave no answer that could be passed on
	CauseFailed      Cause = "failed"       // our own fault, in a protocol without an answer to that
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
		CauseVersion, CauseService, CauseRefused, CauseSilent, CauseMalformed, CauseOverloaded, CauseFarEnd, CauseFailed, CauseWrite, CausePanic,
		CauseDrain, CauseFull, CauseAddressFull,
	}
}
