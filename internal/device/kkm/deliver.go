package kkm

import (
	"context"
	"encoding/binary"
	"io"
	"time"

	"openofd/internal/fiscal"
	"openofd/internal/protocol/kkm/kkmpb"
)

// Delivered is an autonomous document that the operator has accepted.
type Delivered struct {
	Command    int32
	Number     uint64 // of the printed document
	Made       fiscal.WallTime
	Code       uint32 // autonomous number of a receipt
	FiscalSign string // the operator's number of a receipt
}

// Deliver empties the autonomous queue, strictly in order, each document until
// it is answered. It begins with the document that got no answer, under its
// TOKEN and REQNUM, or with COMMAND_SYSTEM when there is none. Documents made
// meanwhile wait behind. At the end the register takes the operator's figures.
//
// It returns what was accepted, also beside an error: Unavailable when the
// operator is silent (try again later), *Refusal when a document was refused,
// and then the register stands still.
//
// Source: KKM 2.0.2 §5.1; KKM reference §9.2.
func (r *Register) Deliver(ctx context.Context) ([]Delivered, error) {
	r.line.Lock()
	defer r.line.Unlock()
	if err := r.unblock(ctx); err != nil {
		return nil, err
	}
	var done []Delivered
	for first := true; ; first = false {
		if first && r.announces() {
			if _, err := r.ask(ctx, &kkmpb.Request{Command: kkmpb.CommandTypeEnum_COMMAND_SYSTEM.Enum()}, true); err != nil {
				return done, err
			}
		}
		job, under, period, err := r.front()
		if err != nil {
			return done, err
		}
		if job == nil {
			break
		}
		payload, err := withPeriod(job.Payload, period, r.wall())
		if err != nil {
			return done, err
		}
		a, err := r.transact(ctx, under, job.Command, payload)
		if err != nil {
			return done, err
		}
		sign, err := r.settle(a)
		if err != nil {
			return done, err
		}
		done = append(done, Delivered{Command: job.Command, Number: job.Number, Made: job.Made, Code: job.Code, FiscalSign: sign})
	}
	if len(done) > 0 {
		// The documents are delivered whatever comes of this: without an answer
		// the register keeps its own figures.
		_, _ = r.inform(ctx)
	}
	return done, nil
}

// unblock asks a blocking operator whether it still blocks.
func (r *Register) unblock(ctx context.Context) error {
	r.mu.Lock()
	mode, err := r.state.Mode, r.standstill()
	r.mu.Unlock()
	if mode != ModeServerBlocked {
		return err
	}
	_, err = r.ask(ctx, &kkmpb.Request{Command: kkmpb.CommandTypeEnum_COMMAND_SYSTEM.Enum()}, true)
	return err
}

// announces reports whether the delivery begins with COMMAND_SYSTEM: documents
// wait, and none of them is under way.
func (r *Register) announces() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.queue) > 0 && r.queue[0].Offline && r.state.UnderWay == nil
}

// front is the document to be sent next, with its header fields and the begin
// of the autonomous period. There is none when the queue is empty, or holds
// only what a cashier's act is about to send.
func (r *Register) front() (*Job, UnderWay, fiscal.WallTime, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.standstill(); err != nil {
		return nil, UnderWay{}, 0, err
	}
	if len(r.queue) == 0 || !r.queue[0].Offline {
		return nil, UnderWay{}, 0, nil
	}
	if r.state.UnderWay == nil {
		next := r.state.clone()
		next.ReqNum++
		next.UnderWay = &UnderWay{Token: next.Token, ReqNum: next.ReqNum}
		if err := r.save(next, 0); err != nil {
			return nil, UnderWay{}, 0, err
		}
	}
	return &r.queue[0], *r.state.UnderWay, r.state.OfflineSince, nil
}

// settle takes the answered document off the queue; a refused one stays, and
// the register stands still.
func (r *Register) settle(a answer) (sign string, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	next := r.state.clone()
	next.heed(a, true)
	if err := a.refusal(r.cfg.Version); err != nil {
		if saveErr := r.save(next, 0); saveErr != nil {
			return "", saveErr
		}
		return "", err
	}
	next.UnderWay = nil
	if len(r.queue) == 1 {
		next.OfflineSince = 0
	}
	sign = a.msg.GetTicket().GetTicketNumber()
	return sign, r.done(next, Slip{Number: r.queue[0].Number, FiscalSign: sign})
}

// Work delivers whenever documents wait or the operator blocks, until ctx ends.
// Between attempts it waits Reconnect, and up to a tenth longer: after an
// outage registers should not all come at once. failed, if given, is told of
// each attempt that did not succeed.
func (r *Register) Work(ctx context.Context, failed func(error)) {
	for {
		pause := time.NewTimer(r.cfg.Reconnect + r.spread(r.cfg.Reconnect/10))
		select {
		case <-ctx.Done():
			pause.Stop()
			return
		case <-pause.C:
		}
		if s := r.Standing(); s.Mode != ModeServerBlocked && (s.Mode != ModeWorking || s.Waiting == 0) {
			continue
		}
		if _, err := r.Deliver(ctx); err != nil && failed != nil && ctx.Err() == nil {
			failed(err)
		}
	}
}

// spread is a random duration below limit, 0 when there is no randomness.
func (r *Register) spread(limit time.Duration) time.Duration {
	var b [8]byte
	if _, err := io.ReadFull(r.rand, b[:]); err != nil || limit <= 0 {
		return 0
	}
	return time.Duration(binary.LittleEndian.Uint64(b[:]) % uint64(limit))
}
