package bench

import (
	"encoding/binary"
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	wire "openofd/internal/protocol/kkm"
	"openofd/internal/protocol/kkm/kkmpb"
)

// fakeOperator checks tokens and request numbers, gives a new token with every
// acceptance, and stores nothing. A script may refuse (a code), stay silent
// (code 1000: close) or mangle (code 1001).
type fakeOperator struct {
	t      *testing.T
	mu     sync.Mutex
	tokens map[uint32]uint32
	slots  map[uint32]slot
	seen   int // requests
	docs   int // receipts accepted once
	closes int
	stall  time.Duration
	code   func(n int, req wire.Request) uint32
}

type slot struct {
	in     uint32
	reqnum uint16
	answer []byte
}

const (
	hangUp = 1000
	mangle = 1001
)

func newFake(t *testing.T, registers []Register) (*fakeOperator, string) {
	t.Helper()
	f := &fakeOperator{t: t, tokens: make(map[uint32]uint32), slots: make(map[uint32]slot)}
	for _, r := range registers {
		f.tokens[r.(*KKMRegister).ID] = r.(*KKMRegister).Token
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	t.Cleanup(func() { l.Close(); all.Wait() })
	all.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			all.Go(func() {
				defer conn.Close()
				for {
					head := make([]byte, wire.HeaderLen)
					if _, err := io.ReadFull(conn, head); err != nil {
						return
					}
					frame := append(head, make([]byte, binary.LittleEndian.Uint32(head[4:])-wire.HeaderLen)...)
					if _, err := io.ReadFull(conn, frame[wire.HeaderLen:]); err != nil {
						return
					}
					answer := f.serve(frame)
					if answer == nil {
						return
					}
					if _, err := conn.Write(answer); err != nil {
						return
					}
				}
			})
		}
	})
	return f, l.Addr().String()
}

func (f *fakeOperator) serve(frame []byte) []byte {
	f.mu.Lock()
	defer f.mu.Unlock()
	h, _ := wire.ParseHeader(frame)
	req := wire.ParseRequest(h, frame[wire.HeaderLen:])
	if req.Fault != wire.FaultNone {
		f.t.Errorf("the load sent a bad request: %v", req.Err)
		return nil
	}
	f.seen++
	if f.stall > 0 {
		time.Sleep(f.stall)
		f.stall = 0
	}
	code := uint32(0)
	if f.code != nil {
		code = f.code(f.seen, req)
	}
	if s := f.slots[h.ID]; s.answer != nil && s.in == h.Token && s.reqnum == h.ReqNum {
		return s.answer
	}
	if code != 0 && code < hangUp {
		return wire.Refuse(h, req.Command, code, "Отказ")
	}
	if h.Token != f.tokens[h.ID] {
		f.t.Errorf("register %d sent a stale token", h.ID)
		return wire.Refuse(h, req.Command, 2, "Отказ")
	}
	msg := &kkmpb.Response{Command: kkmpb.CommandTypeEnum(req.Command).Enum(), Result: &kkmpb.Result{ResultCode: proto.Uint32(0), ResultText: proto.String("OK")}}
	if req.Msg.Ticket != nil {
		f.docs++
		msg.Ticket = &kkmpb.TicketResponse{TicketNumber: proto.String("362397639340"), QrCode: []byte("https://ofd.example/?i=362397639340&f=620300471826&s=3987.50&t=20260314T091241")}
	} else {
		f.closes++
	}
	out := h
	out.Token = h.Token + 1
	answer, err := wire.AppendResponse(nil, out, msg)
	if err != nil {
		f.t.Error(err)
		return nil
	}
	f.slots[h.ID] = slot{h.Token, h.ReqNum, answer}
	f.tokens[h.ID] = out.Token
	switch code {
	case hangUp:
		return nil
	case mangle:
		bad := append([]byte(nil), answer...)
		bad[16]++
		return bad
	}
	return answer
}

// tally is what the operator has counted.
func (f *fakeOperator) tally() (seen, docs, closes int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.seen, f.docs, f.closes
}

func (f *fakeOperator) token(id uint32) uint32 {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.tokens[id]
}

func kkmRegisters(t *testing.T, n int) []Register {
	t.Helper()
	load, err := NewKKM(0, nil)
	if err != nil {
		t.Fatal(err)
	}
	all := make([]Register, n)
	for i := range all {
		all[i] = load.Register(Credential{ID: uint32(200_001 + i), Token: uint32(1000 * (i + 1)), ReqNum: 65530})
	}
	return all
}
