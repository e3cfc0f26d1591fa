package kkt_test

import (
	"bytes"
	"context"
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"openofd/internal/device/kkt"
	"openofd/internal/fiscal"
	wire "openofd/internal/protocol/kkt"
)

func sim1() *wire.SIM1 { return wire.NewSIM1(wire.SIM1TestKey()) }

const operatorINN = "7704211201"

func number(t testing.TB, s string) wire.DriveNumber {
	t.Helper()
	d, err := wire.ParseDriveNumber(s)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// deed is what the scripted operator does with one message.
type deed struct {
	drop     bool                // close without having seen it
	lose     bool                // store it, but let the answer be lost
	hang     bool                // keep the connection open and say nothing
	slowly   bool                // a byte at a time
	close    bool                // answer, then close
	response wire.Response       // instead of accepted
	module   wire.CryptoModule   // seal with this one
	tamper   func([]byte) []byte // change the answer
}

// operator takes messages by the real codec and stores in memory; a script
// decides what reaches the register.
type operator struct {
	t      testing.TB
	addr   string
	module wire.CryptoModule
	now    func() time.Time
	script func(n int, f wire.FrameHeader) deed // n counts messages from 0; nil answers all

	mu       sync.Mutex
	messages int
	order    []wire.FrameHeader // as first seen
	opened   map[wire.DocCode]map[uint32]wire.Opened
	answers  map[wire.DocCode]map[uint32][]byte
}

// startOperator listens on a free port until the test ends.
func startOperator(t testing.TB, now func() time.Time) *operator {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	o := &operator{
		t: t, addr: l.Addr().String(), module: sim1(), now: now,
		opened: map[wire.DocCode]map[uint32]wire.Opened{}, answers: map[wire.DocCode]map[uint32][]byte{},
	}
	var all sync.WaitGroup
	ctx, stop := context.WithCancel(context.Background())
	t.Cleanup(func() { stop(); l.Close(); all.Wait() })
	all.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			all.Go(func() {
				defer context.AfterFunc(ctx, func() { conn.Close() })()
				defer conn.Close()
				for o.serve(ctx, conn) {
				}
			})
		}
	})
	return o
}

// serve takes one message; false ends the connection.
func (o *operator) serve(ctx context.Context, conn net.Conn) bool {
	head := make([]byte, wire.HeaderLen)
	if _, err := io.ReadFull(conn, head); err != nil {
		return false
	}
	h, admission, err := (&wire.Limits{}).Admit(head)
	if err != nil {
		o.t.Errorf("header %x: %v", head, err)
		return false
	}
	if admission == wire.AdmitEmpty {
		reply, _ := h.Empty().AppendBinary(nil)
		_, err := conn.Write(reply)
		return err == nil
	}
	body := make([]byte, h.Size)
	if _, err := io.ReadFull(conn, body); err != nil {
		return false
	}
	reply, d := o.take(ctx, h, body)
	if d.hang {
		<-ctx.Done()
	}
	if reply == nil || d.drop || d.lose {
		return false
	}
	step := len(reply)
	if d.slowly {
		step = 1
	}
	for ; len(reply) > 0; reply = reply[min(step, len(reply)):] {
		if _, err := conn.Write(reply[:min(step, len(reply))]); err != nil {
			return false
		}
		if d.slowly {
			time.Sleep(100 * time.Microsecond)
		}
	}
	return !d.close
}

// take opens a message, stores it and makes the answer, the same for the same.
func (o *operator) take(ctx context.Context, h wire.Header, body []byte) ([]byte, deed) {
	o.mu.Lock()
	defer o.mu.Unlock()
	f, err := wire.ParseRequest(h, body)
	if err != nil {
		o.t.Errorf("message: %v", err)
		return nil, deed{}
	}
	var d deed
	if o.script != nil {
		d = o.script(o.messages, f.FrameHeader)
	}
	o.messages++
	if d.drop {
		return nil, d
	}
	opened, err := o.open(ctx, h, f)
	if err == nil {
		_, err = wire.CheckDocument(f.FrameHeader, opened.Document)
	}
	if err != nil {
		o.t.Errorf("document %d: %v", f.Number, err)
		return nil, d
	}
	channel := f.Code
	if h.Service == wire.ServiceDocuments {
		channel = 0 // one numbering for all kinds
	}
	if o.opened[channel] == nil {
		o.opened[channel], o.answers[channel] = map[uint32]wire.Opened{}, map[uint32][]byte{}
	}
	if first, seen := o.opened[channel][f.Number]; seen {
		if !first.Same(&opened) {
			o.t.Errorf("document %d came again with other bytes", f.Number)
			return nil, d
		}
	} else {
		o.opened[channel][f.Number] = opened
		o.order = append(o.order, f.FrameHeader)
	}
	answer := o.answers[channel][f.Number]
	if answer == nil || d.module != nil {
		module := o.module
		if d.module != nil {
			module = d.module
		}
		if answer, err = o.answer(ctx, module, h, opened, d.response); err != nil {
			o.t.Errorf("answer to %d: %v", f.Number, err)
			return nil, d
		}
		if d.module == nil {
			o.answers[channel][f.Number] = answer
		}
	}
	if d.tamper != nil {
		answer = d.tamper(bytes.Clone(answer))
	}
	return answer, d
}

func (o *operator) open(ctx context.Context, h wire.Header, f wire.Frame) (wire.Opened, error) {
	if h.Service == wire.ServiceMarking {
		return o.module.OpenMarking(ctx, f)
	}
	return o.module.OpenContainer(ctx, f, h.Version)
}

func (o *operator) answer(ctx context.Context, m wire.CryptoModule, h wire.Header, opened wire.Opened, r wire.Response) ([]byte, error) {
	at := fiscal.WallIn(o.now(), time.UTC)
	f := opened.Frame
	n := []byte{byte(f.Number), byte(f.Number >> 8), 0, 0}
	switch f.Code {
	case wire.CodeMarkingRequest:
		requisites := wire.AppendRequisite(wire.AppendRequisite(nil, 2001, n...), 2105, 0)
		return wire.SealMarked(ctx, m, nil, h, opened, requisites)
	case wire.CodeNotification:
		requisites := wire.AppendRequisite(wire.AppendRequisite(nil, 2002, n...), 2111, 0)
		return wire.SealMarked(ctx, m, nil, h, opened, requisites)
	}
	ack := wire.NewAck(operatorINN, f, wire.VersionOf(0, 0, h.Version), at, r)
	return ack.Seal(ctx, m, nil, h, opened)
}

// clock is a register's clock that a test moves.
type clock struct {
	mu sync.Mutex
	t  time.Time
}

func newClock() *clock { return &clock{t: time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)} }

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}

// ready is a document of some bytes.
func ready(code wire.DocCode) kkt.Ready {
	if code == wire.CodeRegistration { // for marked goods, FFD 1.2
		return kkt.Ready{Kind: code, Requisites: wire.AppendRequisite(wire.AppendRequisite(nil, 1290, 0, 1, 0, 0), 1209, 4)}
	}
	return kkt.Ready{Kind: code, Requisites: wire.AppendRequisite(nil, 1021, []byte("cashier")...)}
}
