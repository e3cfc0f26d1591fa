package gate

import (
	"context"
	"errors"
	"log/slog"
	"runtime/debug"
	"time"

	"openofd/internal/fiscal"
	"openofd/internal/protocol/kkt"
)

// MarkingSystem is the far end of the marking channel: it is asked about marking
// codes and told of sales. Its methods are called by many goroutines.
type MarkingSystem interface {
	// Ask passes on a message of a register as it was received, header and
	// container, and returns the container of the answer, sealed for the drive.
	// It ends with ctx. An error of any kind is no answer: the register asks
	// again, and the same message may come twice. message is the caller's again
	// when Ask returns.
	Ask(ctx context.Context, message []byte) (container []byte, err error)
}

// kktMarking has a message of the marking channel judged, passed on and judged
// again with the answer. The marking system is asked outside of the register's
// lane and of what is counted as exchanges under way, so that however long it
// takes nobody else waits; how many may be asked at a time is bounded by itself.
//
// Source: KKT reference §10.3.
func (g *Gate) kktMarking(c *conn, h kkt.Header, begun time.Time) (r reply, took time.Duration, cause Cause) {
	size := kkt.HeaderLen + int(h.Size)
	message, received, cause := g.whole(c, size, begun)
	if cause != goOn {
		return r, 0, cause
	}
	r, took = g.kktMarked(c, h, message, received)
	c.spent(size, r.held)
	return r, took, goOn
}

func (g *Gate) kktMarked(c *conn, h kkt.Header, message []byte, received time.Time) (r reply, took time.Duration) {
	defer func() {
		if p := recover(); p != nil {
			g.log.Error("panic in an exchange", "drive", h.Drive.String(), "err", p, "stack", string(debug.Stack()))
			r = reply{then: CausePanic, held: true}
		}
	}()
	req, err := kkt.OpenMarking(g.work, g.cfg.KKT.Module, h, message[kkt.HeaderLen:])
	if err != nil {
		return g.kktUnopened(h, c, err), 0
	}
	x := fiscal.Exchange{
		Address:  fiscal.Address{Kind: fiscal.ByDrive, Name: h.Drive.String()},
		Request:  message,
		Body:     req,
		Received: received.UTC().Truncate(time.Microsecond),
		Peer:     c.peer,
	}
	r, pass := g.kktMarkedOnce(c, h, req, x)
	if !pass {
		return r, 0
	}
	if r, took = g.kktAsk(h, req, message); r.then != goOn {
		return r, took
	}
	r, pass = g.kktMarkedOnce(c, h, req, x)
	if pass {
		return g.kktFailure(h, req.Frame.Number, &fiscal.Error{Of: fiscal.Internal, Msg: "an answered exchange is to be passed on again"}), took
	}
	return r, took
}

// kktMarkedOnce has the exchange judged once; pass says that the marking system
// has to answer first.
func (g *Gate) kktMarkedOnce(c *conn, h kkt.Header, req *kkt.MarkingRequest, x fiscal.Exchange) (r reply, pass bool) {
	if !g.enter() {
		g.obs.Limited(LimitExchanges)
		return reply{then: CauseOverloaded}, false
	}
	defer g.leave()
	answer, err := g.accept.Accept(g.work, x)
	switch {
	case err != nil:
		return g.kktFailure(h, req.Frame.Number, err), false
	case answer.PassOn:
		return r, true
	}
	return g.kktAnswered(h, req.Frame.Number, c, answer), false
}

// kktAsk asks the marking system and hands its answer to the request.
func (g *Gate) kktAsk(h kkt.Header, req *kkt.MarkingRequest, message []byte) (r reply, took time.Duration) {
	select {
	case g.asking <- struct{}{}:
		defer func() { <-g.asking }()
	default:
		g.obs.Limited(LimitMarking)
		return reply{then: CauseOverloaded}, 0
	}
	begun := time.Now()
	ctx, cancel := context.WithTimeout(g.work, g.cfg.KKT.Asking)
	container, err := g.cfg.KKT.Marking.Ask(ctx, message)
	cancel()
	took = time.Since(begun)
	if err == nil {
		err = req.Answered(container)
	}
	if err == nil {
		return reply{}, took
	}
	what := "the marking system gave no answer, closing without one"
	var rejected *kkt.Rejection
	if errors.As(err, &rejected) {
		what = "the marking system's answer is none that a drive takes, closing without one"
	}
	g.tell(&g.farEnd, slog.LevelWarn, what, "drive", h.Drive.String(), "document", req.Frame.Code.String(), "number", req.Frame.Number, "elapsed", took, "err", err)
	return reply{then: CauseFarEnd}, took
}
