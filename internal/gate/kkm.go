package gate

import (
	"errors"
	"log/slog"
	"runtime/debug"
	"strconv"
	"time"

	"openofd/internal/fiscal"
	"openofd/internal/protocol/kkm"
)

// kkm speaks with one register of Kazakhstan: frames one after another, each
// answered before the next is read.
//
//	APPCODE wrong, SIZE below 18   closed without an answer
//	SIZE above the limit           3 from the header alone, closed
//	frame not whole in time        closed without an answer
//	VERSION not served             3, closed
//	more than a limit allows       254; nothing is parsed, judged or stored
//	anything else                  judged behind the Acceptor
//
// Source: KKM reference §1.
func (g *Gate) kkm(c *conn) Cause {
	for {
		head, cause := c.begin(kkm.HeaderLen)
		if cause != goOn {
			return cause
		}
		begun := g.now()
		h, admission, err := kkm.Admit(head, uint32(g.cfg.MaxFrame))
		var r reply
		switch admission {
		case kkm.AdmitDrop:
			g.log.Debug("not the KKM protocol", "peer", c.peer, "err", err)
			return foreign(c.room[:c.n])
		case kkm.AdmitRefuse:
			r = kkmMalformed(h, 0, fiscal.BadForm, "SIZE", CauseTooLong)
		default:
			if r, cause = g.kkmFrame(c, h, begun); cause != goOn {
				return cause
			}
		}
		if cause := g.say(c, KKM, r, begun); cause != goOn {
			return cause
		}
	}
}

// kkmFrame reads a frame of which the header is there and has it judged,
// unless a limit stands against it.
func (g *Gate) kkmFrame(c *conn, h kkm.Header, begun time.Time) (r reply, cause Cause) {
	size := int(h.Size)
	if limit := g.limit(c, uint64(h.ID)); limit != unlimited {
		return g.kkmLimited(c, h, limit)
	}
	frame, received, cause := g.whole(c, size, begun)
	if cause != goOn {
		return r, cause
	}
	if !g.enter() {
		g.obs.Limited(LimitExchanges)
		r = kkmOverloaded(h, frame)
	} else {
		r = g.kkmExchange(c, h, frame, received)
		g.leave()
		c.slow(false)
	}
	c.spent(size, r.held)
	return r, goOn
}

// kkmLimited reads past a frame and answers 254. Who goes on regardless waits
// longer and longer for it.
func (g *Gate) kkmLimited(c *conn, h kkm.Header, limit Limit) (r reply, cause Cause) {
	beginning, cause := c.skip(int(h.Size))
	if cause != goOn {
		return r, cause
	}
	g.obs.Limited(limit)
	r = kkmOverloaded(h, beginning)
	r.hold = c.slow(true)
	if r.hold > 0 && c.neighbor.told.CompareAndSwap(false, true) {
		g.log.Warn("an address sends far more than its limit, slowing its connections", "peer", c.peer, "register", h.ID, "limit", string(limit))
	}
	c.done(int(h.Size))
	return r, goOn
}

// reply is what a session does after a frame: answer unless there is nothing
// to say, then end unless then is goOn.
type reply struct {
	frame  []byte
	result uint16 // for metrics
	then   Cause
	wrong  bool // the peer may be guessing
	held   bool // the request's bytes may still be read
	hold   time.Duration
}

// say writes a reply and parts with the peer if it is the last.
func (g *Gate) say(c *conn, p Protocol, r reply, begun time.Time) Cause {
	if r.frame == nil {
		return r.then
	}
	if r.wrong {
		r.hold = g.suspicion(c)
	}
	if r.hold > 0 {
		g.holdBack(r.hold)
		begun = begun.Add(r.hold) // not counted as our time
	}
	if cause := c.answer(r.frame); cause != goOn {
		return cause
	}
	g.obs.Answered(p, r.result, g.now().Sub(begun))
	if r.then != goOn {
		c.partWith()
	}
	return r.then
}

// suspicion is for how long the answer to a peer that may be guessing is held
// back.
func (g *Gate) suspicion(c *conn) time.Duration {
	if c.neighbor == nil {
		return 0
	}
	d, alarm := g.wary.delay(c.neighbor.at, time.Now())
	if alarm {
		g.log.Warn("many wrong registers or tokens, slowing the address", "peer", c.peer)
	}
	return d
}

// holdBack waits, unless the door is closing.
func (g *Gate) holdBack(d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-g.closing:
	}
}

// kkmExchange has one whole frame judged. A panic behind it is our bug: it is
// answered 255, logged with its stack, and ends this connection alone.
func (g *Gate) kkmExchange(c *conn, h kkm.Header, frame []byte, received time.Time) (r reply) {
	req := kkm.Request{Header: h}
	defer func() {
		if p := recover(); p != nil {
			g.log.Error("panic in an exchange", "register", h.ID, "reqnum", h.ReqNum, "err", p, "stack", string(debug.Stack()))
			r = kkmFailed(req, kkm.CodeUnknownError, CausePanic)
			r.held = true
		}
	}()
	req = kkm.ParseRequest(h, frame[kkm.HeaderLen:])
	if req.Fault == kkm.FaultVersion {
		return kkmMalformed(h, req.Command, fiscal.UnsupportedVersion, "VERSION", CauseVersion)
	}
	answer, err := g.accept.Accept(g.work, fiscal.Exchange{
		Address:  fiscal.Address{Kind: fiscal.ByID, Name: strconv.FormatUint(uint64(h.ID), 10)},
		Request:  frame,
		Body:     req,
		Received: received.UTC().Truncate(time.Microsecond),
		Peer:     c.peer,
	})
	req.Release()
	if err != nil {
		return g.kkmFailure(req, err)
	}
	r = reply{frame: answer.Frame, result: answer.Result, wrong: wrong(answer.Reason)}
	switch {
	case answer.Frame == nil:
		r.then = CauseSilent
	case answer.Close:
		r.then = CauseRefused
	}
	return r
}

// kkmFailure answers an exchange that never reached the rules, or whose commit
// failed. Silence makes every known register repeat, and the repetition finds
// out what became of the first; so it is the answer while nobody can tell.
func (g *Gate) kkmFailure(req kkm.Request, err error) reply {
	about := []any{"register", req.Header.ID, "reqnum", req.Header.ReqNum, "err", err}
	code := kkmCode(err)
	switch {
	case errors.Is(err, fiscal.OutcomeUnknown):
		g.tell(&g.unknown, slog.LevelWarn, "outcome of an exchange unknown, closing without an answer", about...)
		return reply{then: CauseSilent, held: true}
	case errors.Is(err, fiscal.Overloaded): // counted, and no news
	case code == kkm.CodeUnavailable:
		g.tell(&g.notTaken, slog.LevelWarn, "exchange not taken", about...)
	default:
		g.log.Error("exchange failed", about...)
	}
	return kkmFailed(req, code, goOn)
}
