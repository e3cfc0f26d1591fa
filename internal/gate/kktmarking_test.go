package gate

import (
	"bytes"
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"openofd/internal/fiscal"
	"openofd/internal/protocol/kkt"
	"openofd/internal/testkit"
)

// farEnd is a marking system made of one function.
type farEnd func(ctx context.Context, message []byte) ([]byte, error)

func (f farEnd) Ask(ctx context.Context, message []byte) ([]byte, error) { return f(ctx, message) }

// answering says of every document that it is in order.
func answering(ctx context.Context, message []byte) ([]byte, error) {
	f, err := kkt.ParseFrame(message[kkt.HeaderLen:])
	if err != nil {
		return nil, err
	}
	tag, outcome := uint16(2001), uint16(2105)
	if f.Code == kkt.CodeNotification {
		tag, outcome = 2002, 2111
	}
	said := kkt.AppendRequisite(nil, tag, byte(f.Number), byte(f.Number>>8), byte(f.Number>>16), 0)
	return kkt.NewSIM1(kkt.SIM1TestKey()).SealMarking(ctx, nil, kkt.Opened{Frame: f.FrameHeader}, kkt.AppendRequisite(said, outcome, 0))
}

// passing on is a judge without a memory: it has everything passed on, and
// answers with what the far end said.
func passedOn() acceptFunc {
	asked := map[any]bool{}
	return func(_ context.Context, x fiscal.Exchange) (fiscal.Answer, error) {
		if !asked[x.Body] {
			asked[x.Body] = true
			return fiscal.Answer{PassOn: true}, nil
		}
		return fiscal.Answer{Frame: []byte("judged twice")}, nil
	}
}

const kktNotice = "mark-notification-82"

// A marking document is judged, passed on as it came and judged again with the
// answer; the far end's time is not counted as ours.
func TestKKTMarkingPassedOn(t *testing.T) {
	v := testkit.KKTVectorNamed(t, kktNotice)
	passed := make(chan []byte, 1)
	d := openKKT(t, Config{KKT: KKTConfig{Marking: farEnd(func(ctx context.Context, message []byte) ([]byte, error) {
		passed <- bytes.Clone(message)
		return answering(ctx, message)
	})}}, passedOn())
	c := d.dial(t)
	mustSend(t, c, v.Message)
	got := make([]byte, len("judged twice"))
	if _, err := c.Read(got); err != nil || string(got) != "judged twice" {
		t.Fatalf("answer %q, %v", got, err)
	}
	if m := <-passed; !bytes.Equal(m, v.Message) {
		t.Errorf("passed on: %x\nwant %x", m, []byte(v.Message))
	}
	if got := d.UnderWay(); got != 0 {
		t.Errorf("%d exchanges under way, want none", got)
	}
}

// What gets no answer from the far end gets none from us: the connection ends,
// the cause is counted, and nothing is judged a second time.
func TestKKTMarkingFarEndFails(t *testing.T) {
	v := testkit.KKTVectorNamed(t, kktNotice)
	for _, tt := range []struct {
		name string
		far  MarkingSystem
		want Cause
	}{
		{"none is configured", nil, CauseService},
		{"unreachable", farEnd(func(context.Context, []byte) ([]byte, error) { return nil, errors.New("connection refused") }), CauseFarEnd},
		{"silent", farEnd(func(ctx context.Context, _ []byte) ([]byte, error) { <-ctx.Done(); return nil, ctx.Err() }), CauseFarEnd},
		{"rubbish", farEnd(func(context.Context, []byte) ([]byte, error) { return []byte("no container"), nil }), CauseFarEnd},
		{"nothing", farEnd(func(context.Context, []byte) ([]byte, error) { return nil, nil }), CauseFarEnd},
		{"an answer to another document", farEnd(func(ctx context.Context, _ []byte) ([]byte, error) {
			return answering(ctx, testkit.KKTVectorNamed(t, "mark-request-81").Message)
		}), CauseFarEnd},
		{"a bug", farEnd(func(context.Context, []byte) ([]byte, error) { panic("a bug of the far end") }), CausePanic},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var judged atomic.Int32
			accept := passedOn()
			d := openKKT(t, Config{KKT: KKTConfig{Marking: tt.far, Asking: 30 * time.Millisecond}}, func(ctx context.Context, x fiscal.Exchange) (fiscal.Answer, error) {
				judged.Add(1)
				return accept(ctx, x)
			})
			c := d.dial(t)
			mustSend(t, c, v.Message)
			mustEnd(t, c)
			d.soon(t, "counted", func() bool { return d.closed[tt.want] == 1 && len(d.results) == 0 })
			if got := judged.Load(); tt.far != nil && got != 1 || tt.far == nil && got != 0 {
				t.Errorf("judged %d times", got)
			}
		})
	}
}

// A far end that hangs holds up no receipts: asking is bounded by itself, and
// does not count as an exchange under way.
func TestKKTMarkingHangs(t *testing.T) {
	notice, receipt := testkit.KKTVectorNamed(t, kktNotice), testkit.KKTVectorNamed(t, kktReceipt)
	release, asked := make(chan struct{}), make(chan struct{}, 8)
	defer close(release)
	d := openKKT(t, Config{MaxExchanges: 1, KKT: KKTConfig{MaxAsks: 2, Asking: time.Minute, Marking: farEnd(func(ctx context.Context, _ []byte) ([]byte, error) {
		asked <- struct{}{}
		select {
		case <-release:
		case <-ctx.Done():
		}
		return nil, errors.New("too late")
	})}}, func(ctx context.Context, x fiscal.Exchange) (fiscal.Answer, error) {
		if _, marking := x.Body.(*kkt.MarkingRequest); marking {
			return fiscal.Answer{PassOn: true}, nil
		}
		return acknowledged(ctx, x)
	})
	for range 2 {
		mustSend(t, d.dial(t), notice.Message)
		<-asked
	}
	third := d.dial(t)
	mustSend(t, third, notice.Message)
	mustEnd(t, third)
	d.soon(t, "counted", func() bool { return d.limited[LimitMarking] == 1 && d.closed[CauseOverloaded] == 1 })
	c := d.dial(t)
	mustSend(t, c, receipt.Message)
	if h, body := hearKKT(t, c); h.Service != kkt.ServiceDocuments || len(body) == 0 {
		t.Errorf("a receipt meanwhile: %+v", h)
	}
}

// A refusal of either judgement ends the connection, and asks nobody.
func TestKKTMarkingRefused(t *testing.T) {
	v := testkit.KKTVectorNamed(t, kktNotice)
	var asked atomic.Int32
	far := farEnd(func(ctx context.Context, m []byte) ([]byte, error) { asked.Add(1); return answering(ctx, m) })
	d := openKKT(t, Config{KKT: KKTConfig{Marking: far}}, func(context.Context, fiscal.Exchange) (fiscal.Answer, error) {
		return fiscal.Answer{Reason: fiscal.NumberTaken, Close: true}, nil
	})
	c := d.dial(t)
	mustSend(t, c, v.Message)
	mustEnd(t, c)
	d.soon(t, "counted", func() bool { return d.closed[CauseRefused] == 1 })
	if asked.Load() != 0 {
		t.Error("the marking system was asked about what was refused")
	}
	d = openKKT(t, Config{KKT: KKTConfig{Marking: far}}, func(context.Context, fiscal.Exchange) (fiscal.Answer, error) {
		return fiscal.Answer{PassOn: true}, nil // again and again: a bug of the rules must not go round for ever
	})
	c = d.dial(t)
	mustSend(t, c, v.Message)
	mustEnd(t, c)
	d.soon(t, "counted", func() bool { return d.closed[CauseFailed] == 1 })
}
