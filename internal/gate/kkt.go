package gate

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"runtime/debug"
	"time"

	"openofd/internal/fiscal"
	"openofd/internal/protocol/kkt"
)

// KKTConfig is what the door for registers of Russia needs besides.
type KKTConfig struct {
	Module kkt.CryptoModule // opens containers and seals answers; without one there is no such door
	Crypto time.Duration    // for one call of it; 0 means 500 ms
	Limits kkt.Limits       // what the door takes; MaxBody follows from Config.MaxFrame where it is 0

	Marking MarkingSystem // nil: the marking channel is closed but for its test
	Asking  time.Duration // for one answer of it; 0 means 2.5 s, half of what registers wait
	MaxAsks int           // messages that wait for it at one time; 0 means 256
}

func (c KKTConfig) filled(maxFrame int) KKTConfig {
	if c.Crypto <= 0 {
		c.Crypto = 500 * time.Millisecond
	}
	if c.Asking <= 0 {
		c.Asking = 2500 * time.Millisecond
	}
	if c.MaxAsks <= 0 {
		c.MaxAsks = 256
	}
	if most := maxFrame - kkt.HeaderLen; c.Limits.MaxBody == 0 && most < kkt.MaxFrame {
		c.Limits.MaxBody = most
	}
	switch c.Module.(type) {
	case nil, *kkt.SIM1, kkt.Plain: // they wait for nobody, and a deadline would cost as much as the call
	default:
		c.Module = bounded{c.Module, c.Crypto}
	}
	return c
}

// ServeKKT lets in registers that speak the KKT protocol, as Serve does for
// KKM. It needs Config.KKT.Module.
func (g *Gate) ServeKKT(ctx context.Context, ln net.Listener) error {
	if g.cfg.KKT.Module == nil {
		ln.Close()
		return errors.New("a door for the KKT protocol needs a crypto module")
	}
	return g.serve(ctx, ln, g.kkt)
}

// kkt speaks with one register of Russia: messages one after another, each
// answered before the next is read. Most registers close after one; others keep
// the connection. There is no answer to what is wrong: who gets none asks again.
//
//	what Limits.Admit drops        closed without an answer
//	a message that is not whole    the same
//	an empty message               a header alone
//	more than a limit allows       closed; nothing is parsed, judged or stored
//	a container that breaks form   closed
//	a marking document             judged, passed on to the marking system, judged again
//	anything else                  judged behind the Acceptor
//
// Source: KKT reference §2.6 to §2.8.
func (g *Gate) kkt(c *conn) Cause {
	for {
		head, cause := c.begin(kkt.HeaderLen)
		if cause != goOn {
			return cause
		}
		begun := g.now()
		h, admission, err := g.cfg.KKT.Limits.Admit(head)
		if admission == kkt.AdmitRead && h.Service == kkt.ServiceMarking && g.cfg.KKT.Marking == nil {
			admission, err = kkt.AdmitDrop, &kkt.SyntaxError{Fault: kkt.FaultService, Field: "signature", Why: "there is no way to the marking system"}
		}
		if admission == kkt.AdmitDrop {
			g.log.Debug("not a message for us", "peer", c.peer, "err", err)
			return kktDropped(err, c.room[:c.n])
		}
		if limit := g.limit(c, kktKey(h.Drive)); limit != unlimited {
			return g.kktLimited(c, h, limit)
		}
		var r reply
		said := KKT
		switch {
		case admission == kkt.AdmitEmpty:
			r.frame, _ = h.Empty().AppendBinary(make([]byte, 0, kkt.HeaderLen))
			c.done(kkt.HeaderLen)
		case h.Service == kkt.ServiceMarking:
			var elsewhere time.Duration
			r, elsewhere, cause = g.kktMarking(c, h, begun)
			said, begun = KKTMarking, begun.Add(elsewhere) // not counted as our time
		default:
			r, cause = g.kktMessage(c, h, begun)
		}
		if cause != goOn {
			return cause
		}
		if cause := g.say(c, said, r, begun); cause != goOn {
			return cause
		}
	}
}

// kktKey is a drive as the pace of registers knows it.
func kktKey(d kkt.DriveNumber) uint64 {
	return binary.LittleEndian.Uint64(d[:8])*0x9E3779B97F4A7C15 ^ binary.LittleEndian.Uint64(d[8:])
}

// kktLimited ends a connection that sends more than a limit allows. What it has
// sent is read first, so that it is not cut off while it writes.
func (g *Gate) kktLimited(c *conn, h kkt.Header, limit Limit) Cause {
	if _, cause := c.skip(kkt.HeaderLen + int(h.Size)); cause != goOn {
		return cause
	}
	g.obs.Limited(limit)
	if c.neighbor.told.CompareAndSwap(false, true) {
		g.log.Warn("an address sends far more than its limit, closing its connections", "peer", c.peer, "drive", h.Drive.String(), "limit", string(limit))
	}
	return CauseOverloaded
}

// kktMessage reads a message of which the header is there and has it judged.
func (g *Gate) kktMessage(c *conn, h kkt.Header, begun time.Time) (r reply, cause Cause) {
	size := kkt.HeaderLen + int(h.Size)
	message, received, cause := g.whole(c, size, begun)
	if cause != goOn {
		return r, cause
	}
	if !g.enter() {
		g.obs.Limited(LimitExchanges)
		return r, CauseOverloaded
	}
	r = g.kktExchange(c, h, message, received)
	g.leave()
	c.spent(size, r.held)
	return r, goOn
}

// kktExchange has one whole message judged. A panic behind it is our bug: it is
// logged with its stack, and ends this connection alone.
func (g *Gate) kktExchange(c *conn, h kkt.Header, message []byte, received time.Time) (r reply) {
	defer func() {
		if p := recover(); p != nil {
			g.log.Error("panic in an exchange", "drive", h.Drive.String(), "err", p, "stack", string(debug.Stack()))
			r = reply{then: CausePanic, held: true}
		}
	}()
	req, err := kkt.OpenRequest(g.work, g.cfg.KKT.Module, h, message[kkt.HeaderLen:])
	if err != nil {
		return g.kktUnopened(h, c, err)
	}
	number := req.Frame.Number
	answer, err := g.accept.Accept(g.work, fiscal.Exchange{
		Address:  fiscal.Address{Kind: fiscal.ByDrive, Name: h.Drive.String()},
		Request:  message,
		Body:     req,
		Received: received.UTC().Truncate(time.Microsecond),
		Peer:     c.peer,
	})
	req.Release()
	if err != nil {
		return g.kktFailure(h, number, err)
	}
	return g.kktAnswered(h, number, c, answer)
}

// kktAnswered is what follows from the rules' answer.
func (g *Gate) kktAnswered(h kkt.Header, number uint32, c *conn, answer fiscal.Answer) reply {
	if answer.Reason != fiscal.NoReason {
		g.kktIncident(h, number, c, answer.Reason)
	}
	r := reply{frame: answer.Frame, result: answer.Result}
	switch {
	case answer.Close:
		r.then = CauseRefused
	case answer.Frame == nil:
		r.then = CauseSilent
	}
	return r
}

// kktUnopened ends a connection whose message did not reach the rules.
func (g *Gate) kktUnopened(h kkt.Header, c *conn, err error) reply {
	var syntax *kkt.SyntaxError
	if !errors.As(err, &syntax) {
		return g.kktFailure(h, 0, err)
	}
	level := slog.LevelDebug
	if syntax.Fault.Reaction() > kkt.ReactClose {
		level = slog.LevelWarn
	}
	g.tell(&g.unknown, level, "a message that contradicts itself or its protocol", "drive", h.Drive.String(), "peer", c.peer, "fault", syntax.Fault.String(), "err", err)
	return reply{then: CauseMalformed}
}

// kktIncident tells staff of what nobody sends by mistake.
func (g *Gate) kktIncident(h kkt.Header, number uint32, c *conn, reason fiscal.Reason) {
	if k := reason.Kind(); k == fiscal.Conflict || k == fiscal.Unauthenticated {
		g.tell(&g.incidents, slog.LevelWarn, "a document was not taken", "drive", h.Drive.String(), "document", number, "peer", c.peer, "reason", reason.String())
	}
}

// kktFailure ends a connection whose exchange never reached the rules, or whose
// commit failed. Its register repeats the document, and the repetition finds out
// what became of the first.
func (g *Gate) kktFailure(h kkt.Header, number uint32, err error) reply {
	about := []any{"drive", h.Drive.String(), "document", number, "err", err}
	switch {
	case errors.Is(err, fiscal.OutcomeUnknown):
		g.tell(&g.unknown, slog.LevelWarn, "outcome of an exchange unknown, closing without an answer", about...)
		return reply{then: CauseSilent, held: true}
	case errors.Is(err, fiscal.Overloaded): // counted, and no news
		return reply{then: CauseOverloaded}
	case errors.Is(err, fiscal.Unavailable):
		g.tell(&g.notTaken, slog.LevelWarn, "exchange not taken", about...)
		return reply{then: CauseOverloaded}
	}
	g.log.Error("exchange failed", about...)
	return reply{then: CauseFailed}
}

// kktDropped is why a message was not taken by its header alone.
func kktDropped(err error, head []byte) Cause {
	var syntax *kkt.SyntaxError
	errors.As(err, &syntax)
	switch {
	case syntax == nil:
		return CauseForeign
	case syntax.Fault == kkt.FaultSignature:
		return foreign(head)
	case syntax.Fault == kkt.FaultService:
		return CauseService
	case syntax.Fault == kkt.FaultVersion:
		return CauseVersion
	}
	return CauseMalformed
}

// bounded is a crypto module each of whose calls ends in time.
type bounded struct {
	kkt.CryptoModule
	limit time.Duration
}

func (b bounded) OpenContainer(ctx context.Context, f kkt.Frame, p kkt.PVersion) (kkt.Opened, error) {
	ctx, cancel := context.WithTimeout(ctx, b.limit)
	defer cancel()
	return b.CryptoModule.OpenContainer(ctx, f, p)
}

func (b bounded) VerifyDocumentSign(ctx context.Context, d kkt.DriveNumber, document []byte) (kkt.SignVerdict, error) {
	ctx, cancel := context.WithTimeout(ctx, b.limit)
	defer cancel()
	return b.CryptoModule.VerifyDocumentSign(ctx, d, document)
}

func (b bounded) OpenMarking(ctx context.Context, f kkt.Frame) (kkt.Opened, error) {
	ctx, cancel := context.WithTimeout(ctx, b.limit)
	defer cancel()
	return b.CryptoModule.OpenMarking(ctx, f)
}

func (b bounded) SealAcknowledgement(ctx context.Context, dst []byte, o kkt.Opened, requisites []byte) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, b.limit)
	defer cancel()
	out, err := b.CryptoModule.SealAcknowledgement(ctx, dst, o, requisites)
	if err != nil {
		err = fmt.Errorf("seal: %w", err)
	}
	return out, err
}
