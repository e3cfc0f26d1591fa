package kkt_test

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"openofd/internal/device/kkt"
	"openofd/internal/fiscal"
	wire "openofd/internal/protocol/kkt"
)

// shop is a register, its drive and its operator.
type shop struct {
	*kkt.Register
	drive    *kkt.Drive
	operator *operator
	clock    *clock
}

// newShop is a register whose drive has made a registration and opened a shift.
func newShop(t *testing.T, cfg kkt.Config, link kkt.LinkConfig, encrypted bool) *shop {
	t.Helper()
	c := newClock()
	o := startOperator(t, c.now)
	memory, err := kkt.OpenFile(filepath.Join(t.TempDir(), "drive"))
	if err != nil {
		t.Fatal(err)
	}
	d, err := kkt.NewDrive(kkt.DriveConfig{Number: number(t, testDrive), Encrypted: encrypted}, memory, sim1())
	if err != nil {
		t.Fatal(err)
	}
	link.Addr = o.addr
	if link.Answer == 0 {
		link.Answer = 2 * time.Second
	}
	if cfg.Pause == 0 {
		cfg.Pause = time.Millisecond
	}
	r := kkt.New(cfg, d, kkt.NewLink(link), kkt.NewLink(link), c.now, rand.NewChaCha8([32]byte{}))
	t.Cleanup(func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	})
	s := &shop{r, d, o, c}
	s.make(t, wire.CodeRegistration, wire.CodeOpenShift)
	return s
}

func (s *shop) make(t *testing.T, codes ...wire.DocCode) {
	t.Helper()
	for _, c := range codes {
		if _, err := s.Make(ready(c)); err != nil {
			t.Fatal(err)
		}
	}
}

// A register with each habit that registers have delivers a day's work, in
// order and each document once.
func TestDeliver(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name      string
		cfg       kkt.Config
		link      kkt.LinkConfig
		encrypted bool
		deed      deed
	}{
		{name: "a connection each"},
		{name: "one connection", link: kkt.LinkConfig{Keep: true}},
		{name: "a connection that the operator closes", link: kkt.LinkConfig{Keep: true}, deed: deed{close: true}},
		{name: "an answer byte for byte", deed: deed{slowly: true}},
		{name: "one read", link: kkt.LinkConfig{OneRead: true, Keep: true}},
		{name: "encrypted", encrypted: true},
		{name: "1.05", cfg: kkt.Config{Version: wire.P105}},
		{name: "1.0 of old, CRC of the header", cfg: kkt.Config{Version: wire.POld1, Flags: wire.FlagsDocument | wire.FlagHeaderCRC}},
		{name: "1.1, CRC of header and body", cfg: kkt.Config{Version: wire.P110, Flags: wire.FlagsDocument | wire.FlagBodyCRC}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := newShop(t, tt.cfg, tt.link, tt.encrypted)
			s.operator.script = func(int, wire.FrameHeader) deed { return tt.deed }
			s.make(t, wire.CodeReceipt, wire.CodeReceipt, wire.CodeCorrection, wire.CodeCloseShift)
			if err := s.Ping(t.Context()); err != nil {
				t.Errorf("Ping = %v", err)
			}
			done, err := s.Deliver(t.Context(), kkt.QueueDocuments)
			if err != nil || len(done) != 6 {
				t.Fatalf("Deliver = %d documents, %v, want 6", len(done), err)
			}
			for i, d := range done {
				if d.Number != uint32(i+1) || !d.Ack.Accepted() || d.Ack.Operator != operatorINN || d.Ack.Number != d.Number {
					t.Errorf("document %d answered as %+v", i+1, d)
				}
			}
			checkOrder(t, s.operator, 6)
			if st := s.Standing(); st.Unsent != 0 || st.Acks != 6 {
				t.Errorf("standing = %v, %d answers", st, st.Acks)
			}
		})
	}
}

// checkOrder: the operator has the documents 1 to n, in this order, once.
func checkOrder(t *testing.T, o *operator, n int) {
	t.Helper()
	o.mu.Lock()
	defer o.mu.Unlock()
	var got []uint32
	for _, f := range o.order {
		if f.Code != wire.CodeMarkingRequest && f.Code != wire.CodeNotification {
			got = append(got, f.Number)
		}
	}
	want := make([]uint32, n)
	for i := range want {
		want[i] = uint32(i + 1)
	}
	if !slices.Equal(got, want) {
		t.Errorf("the operator has the documents %v, want %v", got, want)
	}
}

// Whatever happens to an answer, the document is sent again as it was until an
// answer is taken.
func TestDeliverRetries(t *testing.T) {
	t.Parallel()
	flip := func(at int) func([]byte) []byte {
		return func(b []byte) []byte {
			if at < 0 {
				at += len(b)
			}
			b[at] ^= 1
			return b
		}
	}
	tests := []struct {
		name  string
		deed  deed
		stage kkt.Stage // of the failure; "" is the drive's
		drive wire.RejectReason
	}{
		{"dropped", deed{drop: true}, kkt.AtReceive, 0},
		{"answer lost", deed{lose: true}, kkt.AtReceive, 0},
		{"no answer", deed{hang: true}, kkt.AtReceive, 0},
		{"half an answer", deed{tamper: func(b []byte) []byte { return b[:40] }, close: true}, kkt.AtReceive, 0},
		{"signature", deed{tamper: flip(0)}, kkt.AtCheck, 0},
		{"P-version", deed{tamper: flip(7)}, kkt.AtCheck, 0},
		{"drive in the header", deed{tamper: flip(20)}, kkt.AtCheck, 0},
		{"a header alone", deed{tamper: func(b []byte) []byte { b[24], b[26] = 0, 0; return b[:30] }}, "", wire.RejectLength},
		{"CRC of the container", deed{tamper: flip(-1)}, kkt.AtCheck, 0},
		{"key", deed{module: wire.NewSIM1([32]byte{9})}, "", wire.RejectSign},
		{"no signs", deed{module: wire.Plain{}}, "", wire.RejectSign},
		{"an answer too big", deed{tamper: func(b []byte) []byte { b[25] = 0x10; return append(b, make([]byte, 4096)...) }}, kkt.AtCheck, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := newShop(t, kkt.Config{Tries: 2}, kkt.LinkConfig{Keep: true, Answer: 300 * time.Millisecond}, false)
			s.operator.script = func(n int, f wire.FrameHeader) deed {
				if n < 3 {
					return tt.deed
				}
				return deed{}
			}
			done, err := s.Deliver(t.Context(), kkt.QueueDocuments)
			if len(done) != 0 || !errors.Is(err, fiscal.Unavailable) {
				t.Fatalf("Deliver = %v, %v, want Unavailable", done, err)
			}
			checkFailure(t, err, tt.stage, tt.drive)
			if st := s.Standing(); st.Unsent != 2 || st.FirstUnsent != 1 {
				t.Errorf("standing = %v, want both documents waiting", st)
			}
			if done, err = s.Deliver(t.Context(), kkt.QueueDocuments); err != nil || len(done) != 2 {
				t.Fatalf("second delivery = %v, %v", done, err)
			}
			checkOrder(t, s.operator, 2)
		})
	}
}

func checkFailure(t *testing.T, err error, stage kkt.Stage, reason wire.RejectReason) {
	t.Helper()
	var link *kkt.LinkError
	var rejection *wire.Rejection
	switch {
	case stage != "":
		if !errors.As(err, &link) || link.Stage != stage {
			t.Errorf("error %v, want a failure at %s", err, stage)
		}
	case !errors.As(err, &rejection) || rejection.Reason != reason:
		t.Errorf("error %v, want the drive's reason %d", err, reason)
	}
}

// A document that the operator finds fault with is settled all the same.
func TestDeliverRefused(t *testing.T) {
	for _, v := range []wire.PVersion{wire.P105, wire.P120} {
		s := newShop(t, kkt.Config{Version: v}, kkt.LinkConfig{}, false)
		s.operator.script = func(n int, f wire.FrameHeader) deed {
			if f.Number == 2 {
				return deed{response: wire.ResponseRules}
			}
			return deed{}
		}
		done, err := s.Deliver(t.Context(), kkt.QueueDocuments)
		if err != nil || len(done) != 2 || !done[0].Ack.Accepted() || done[1].Ack.Accepted() {
			t.Errorf("%v: Deliver = %+v, %v, want the second refused", v, done, err)
		}
	}
}

// Marked goods: a request and its answer, a notification and its receipt from
// the marking system, each under numbers of its own, beside the documents.
//
// Req: F-020, F-021
func TestMarking(t *testing.T) {
	s := newShop(t, kkt.Config{}, kkt.LinkConfig{Keep: true}, false)
	for want := uint32(1); want <= 2; want++ {
		d, err := s.Ask(t.Context(), ready(wire.CodeMarkingRequest))
		if err != nil || d.Number != want || len(d.Document) == 0 || d.Document[0] != byte(wire.CodeMarkingAnswer) {
			t.Fatalf("Ask = %+v, %v, want an answer to request %d", d, err, want)
		}
	}
	s.make(t, wire.CodeReceipt, wire.CodeNotification, wire.CodeReceipt, wire.CodeNotification)
	failing := true
	s.operator.script = func(n int, f wire.FrameHeader) deed { return deed{lose: failing && f.Code == wire.CodeNotification} }
	if done, err := s.Deliver(t.Context(), kkt.QueueNotifications); err == nil || len(done) != 0 {
		t.Errorf("Deliver = %v, %v, want no answer", done, err)
	}
	if done, err := s.Deliver(t.Context(), kkt.QueueDocuments); err != nil || len(done) != 4 {
		t.Errorf("documents: Deliver = %v, %v, want 4, whatever notifications do", done, err)
	}
	s.operator.mu.Lock()
	failing = false
	s.operator.mu.Unlock()
	done, err := s.Deliver(t.Context(), kkt.QueueNotifications)
	if err != nil || len(done) != 2 || done[0].Number != 1 || done[1].Number != 2 {
		t.Fatalf("Deliver = %+v, %v, want notifications 1 and 2", done, err)
	}
	if st := s.Standing(); st.UnsentNotifications != 0 || st.Unsent != 0 {
		t.Errorf("standing = %v", st)
	}
	if _, err := s.Ask(t.Context(), ready(wire.CodeReceipt)); code(t, err) != kkt.DriveWrongState {
		t.Errorf("Ask with a receipt = %v, want error 02", err)
	}
}

// A register without a link for marked goods says so and keeps the rest going.
func TestNoMarkingLink(t *testing.T) {
	s := newShop(t, kkt.Config{}, kkt.LinkConfig{}, false)
	r := kkt.New(kkt.Config{Tries: 1}, s.drive, kkt.NewLink(kkt.LinkConfig{Addr: s.operator.addr}), nil, s.clock.now, rand.NewChaCha8([32]byte{}))
	s.make(t, wire.CodeNotification)
	if _, err := r.Deliver(t.Context(), kkt.QueueNotifications); !errors.Is(err, fiscal.Unavailable) {
		t.Errorf("Deliver = %v, want Unavailable", err)
	}
	if done, err := r.Deliver(t.Context(), kkt.QueueDocuments); err != nil || len(done) != 2 {
		t.Errorf("Deliver = %v, %v", done, err)
	}
}

// Work goes on after failures, and ends with its context.
func TestWork(t *testing.T) {
	t.Parallel()
	s := newShop(t, kkt.Config{Tries: 1, Reconnect: 5 * time.Millisecond}, kkt.LinkConfig{}, false)
	s.operator.script = func(n int, f wire.FrameHeader) deed { return deed{drop: n < 2} }
	ctx, stop := context.WithTimeout(t.Context(), time.Minute)
	defer stop()
	var failed, answered int
	var working sync.WaitGroup
	working.Go(func() {
		s.Work(ctx, func(done []kkt.Delivered, err error) {
			answered += len(done)
			if err != nil {
				failed++
			}
			if answered == 3 {
				stop()
			}
		})
	})
	s.make(t, wire.CodeReceipt)
	working.Wait()
	if failed != 2 || answered != 3 {
		t.Errorf("%d failures and %d answers, want 2 and 3", failed, answered)
	}
	checkOrder(t, s.operator, 3)
}

// What is made while Work waits is sent at once.
func TestWorkWakes(t *testing.T) {
	t.Parallel()
	s := newShop(t, kkt.Config{Reconnect: time.Hour}, kkt.LinkConfig{}, false)
	ctx, stop := context.WithTimeout(t.Context(), time.Minute)
	defer stop()
	settled := make(chan int, 10)
	var working sync.WaitGroup
	working.Go(func() {
		s.Work(ctx, func(done []kkt.Delivered, err error) { settled <- len(done) })
	})
	for made, answered := 2, 0; made <= 4; made++ {
		for answered < made {
			select {
			case n := <-settled:
				answered += n
			case <-ctx.Done():
				t.Fatalf("%d of %d documents answered: %v", answered, made, s.Standing())
			}
		}
		s.make(t, wire.CodeReceipt)
	}
	stop()
	working.Wait()
}

// silence is a link that never answers.
type silence struct{}

func (silence) Exchange(ctx context.Context, _ []byte) ([]byte, error) {
	return nil, &kkt.LinkError{Stage: kkt.AtReceive, Err: io.EOF}
}
func (silence) Close() error { return nil }

// An operator that is silent for 30 days stops the register; its return sets it
// going again. Nothing is lost meanwhile.
//
// Req: F-039
func TestThirtyDaysOfSilence(t *testing.T) {
	const day = 24 * time.Hour
	s := newShop(t, kkt.Config{}, kkt.LinkConfig{Keep: true}, false)
	dead := kkt.New(kkt.Config{Tries: 1}, s.drive, silence{}, nil, s.clock.now, rand.NewChaCha8([32]byte{}))
	s.make(t, wire.CodeReceipt, wire.CodeCloseShift)
	made := 4
	for range 30 {
		s.clock.pass(day)
		s.make(t, wire.CodeOpenShift, wire.CodeReceipt, wire.CodeCloseShift)
		made += 3
		if _, err := dead.Deliver(t.Context(), kkt.QueueDocuments); !errors.Is(err, fiscal.Unavailable) {
			t.Fatalf("Deliver = %v, want Unavailable", err)
		}
	}
	s.clock.pass(time.Hour)
	if _, err := s.Make(ready(wire.CodeOpenShift)); code(t, err) != kkt.DriveWaitsTooLong {
		t.Fatalf("on day 31: %v, want error 15", err)
	}
	if _, err := s.Make(ready(wire.CodeReregistration)); code(t, err) != kkt.DriveWaitsTooLong {
		t.Errorf("registration report on day 31: %v, want error 15", err)
	}
	done, err := s.Deliver(t.Context(), kkt.QueueDocuments)
	if err != nil || len(done) != made {
		t.Fatalf("Deliver = %d documents, %v, want %d", len(done), err, made)
	}
	checkOrder(t, s.operator, made)
	s.make(t, wire.CodeReregistration, wire.CodeOpenShift)
	s.make(t, wire.CodeReceipt, wire.CodeCloseShift)
	if _, err := s.Make(ready(wire.CodeReregistration)); code(t, err) != kkt.DriveWrongState {
		t.Errorf("registration report with undelivered documents: %v, want error 02", err)
	}
}
