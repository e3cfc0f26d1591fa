package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"openofd/internal/fiscal"
	wire "openofd/internal/protocol/kkt"
	"openofd/internal/protocol/kkt/ffd"
)

const operatorINN = "7704211201"

func kktRegisters(t testing.TB, n int, cfg KKTConfig) []Register {
	t.Helper()
	cfg.Operator = operatorINN
	load, err := NewKKT(cfg)
	if err != nil {
		t.Fatal(err)
	}
	all := make([]Register, n)
	for i := range all {
		d, err := wire.ParseDriveNumber(fmt.Sprintf("99990789%08d", i))
		if err != nil {
			t.Fatal(err)
		}
		all[i] = load.Register(Drive{Drive: d, INN: "7704358518", Serial: fmt.Sprintf("B%08d", i)})
	}
	return all
}

// opened reads a message as an operator does.
func opened(t testing.TB, message []byte) *wire.Request {
	t.Helper()
	h, err := wire.ParseHeader(message)
	if err != nil {
		t.Fatalf("ParseHeader(% X): %v", message, err)
	}
	q, err := wire.OpenRequest(context.Background(), wire.NewSIM1(wire.SIM1TestKey()), h, message[wire.HeaderLen:])
	if err != nil || q.Err != nil {
		t.Fatalf("OpenRequest(% X): %v", message, errors.Join(err, q.Err))
	}
	return q
}

func acknowledge(t testing.TB, message []byte, r wire.Response) []byte {
	t.Helper()
	q := opened(t, message)
	defer q.Release()
	ack := wire.NewAck(operatorINN, q.Frame.FrameHeader, ffd.V120, 1_790_000_000, r)
	answer, err := ack.Seal(context.Background(), wire.NewSIM1(wire.SIM1TestKey()), nil, q.Header, q.Opened)
	if err != nil {
		t.Fatal(err)
	}
	return answer
}

// TestKKTDocuments shows that what a register sends is authentic, says what is
// its own and breaks no rule: a registration, an opening, then receipts.
func TestKKTDocuments(t *testing.T) {
	now := time.Date(2026, 11, 22, 9, 12, 41, 0, time.UTC)
	for _, items := range []int{5, 200} {
		for _, r := range kktRegisters(t, 2, KKTConfig{Items: items}) {
			var known *ffd.Registered
			for number, code := range []wire.DocCode{wire.CodeRegistration, wire.CodeOpenShift, wire.CodeReceipt, wire.CodeReceipt} {
				message, receipt := r.Append(nil, now.Add(time.Duration(number)*time.Minute))
				q := opened(t, message)
				drive := r.(*KKTRegister).Drive
				if q.Frame.Code != code || q.Frame.Number != uint32(number+1) || q.Frame.Drive != drive.Drive || receipt != (code == wire.CodeReceipt) || q.Sign != wire.SignRight {
					t.Errorf("message %d: document %d, number %d of drive %v, receipt %v, sign %v", number, q.Frame.Code, q.Frame.Number, q.Frame.Drive, receipt, q.Sign)
				}
				doc, err := ffd.Parse(q.Opened.Document, ffd.V120)
				if err != nil {
					t.Fatalf("message %d: %v", number, err)
				}
				in := ffd.Circumstances{Now: fiscal.WallIn(now.Add(time.Hour), time.UTC), Registered: known}
				if v := doc.Check(in); len(v.Findings) > 0 {
					t.Errorf("message %d of a receipt of %d items: %+v", number, items, v.Findings)
				}
				switch code {
				case wire.CodeRegistration:
					known = doc.Registered()
					if !fiscal.ValidRussianNumber(known.RegistrationNumber, drive.INN, drive.Serial) {
						t.Errorf("registration number %q does not suit %s and %s", known.RegistrationNumber, drive.INN, drive.Serial)
					}
				case wire.CodeReceipt:
					rec := fiscal.Record{}
					doc.Fill(&rec)
					opened := doc.Open()
					if opened.Receipt == nil || len(opened.Receipt.Items) != items || rec.Shift != 1 || doc.Uint(1042) != uint64(number-1) {
						t.Errorf("message %d: %+v, want %d items, receipt %d of shift 1", number, opened.Receipt, items, number-1)
					}
				}
				q.Release()
			}
		}
	}
	if _, err := NewKKT(KKTConfig{Items: 450}); err == nil || !strings.Contains(err.Error(), "at most") {
		t.Errorf("450 items: %v, want an error", err)
	}
}

// TestKKTTake shows which answers a register of the load takes.
func TestKKTTake(t *testing.T) {
	now := time.Date(2026, 11, 22, 9, 12, 41, 0, time.UTC)
	tests := []struct {
		name    string
		answer  func(message, good []byte) []byte
		outcome Outcome
		err     string
	}{
		{"accepted", func(_, good []byte) []byte { return good }, Outcome{}, ""},
		{"found wanting", func(m, _ []byte) []byte { return acknowledge(t, m, wire.ResponseRules) }, Outcome{Refused, "message 2"}, ""},
		{"a header alone", func(m, _ []byte) []byte {
			h, _ := wire.ParseHeader(m)
			b, _ := h.Empty().AppendBinary(nil)
			return b
		}, Outcome{}, "container"},
		{"a byte flipped", func(_, good []byte) []byte { good[len(good)-30] ^= 1; return good }, Outcome{}, "CRC"},
		{"another number", func(_, _ []byte) []byte {
			r := kktRegisters(t, 1, KKTConfig{})[0].(*KKTRegister)
			r.Number = 76
			m, _ := r.Append(nil, now)
			return acknowledge(t, m, 0)
		}, Outcome{}, "number"},
		{"another drive", func(_, _ []byte) []byte {
			m, _ := kktRegisters(t, 2, KKTConfig{})[1].Append(nil, now)
			return acknowledge(t, m, 0)
		}, Outcome{}, "drive"},
		{"no keys", func(m, _ []byte) []byte {
			q := opened(t, m)
			defer q.Release()
			ack := wire.NewAck(operatorINN, q.Frame.FrameHeader, ffd.V120, 1_790_000_000, 0)
			answer, _ := ack.Seal(context.Background(), wire.Plain{}, nil, q.Header, q.Opened)
			return answer
		}, Outcome{}, "keys"},
	}
	for _, tt := range tests {
		r := kktRegisters(t, 1, KKTConfig{})[0].(*KKTRegister)
		r.Number = 64 // the next answer's signs are looked at
		message, _ := r.Append(nil, now)
		answer := tt.answer(message, acknowledge(t, message, 0))
		got, err := r.Take(message, answer)
		if got != tt.outcome || (err == nil) != (tt.err == "") || err != nil && !strings.Contains(err.Error(), tt.err) {
			t.Errorf("%s: Take() = %+v, %v, want %+v and an error with %q", tt.name, got, err, tt.outcome, tt.err)
		}
	}
	// A stub's container is enough where that was asked for.
	r := kktRegisters(t, 1, KKTConfig{AnyAnswer: true})[0]
	message, _ := r.Append(nil, now)
	other, _ := kktRegisters(t, 2, KKTConfig{})[1].Append(nil, now)
	if o, err := r.Take(message, acknowledge(t, other, wire.ResponseRules)); err != nil || o.Verdict != Accepted {
		t.Errorf("a stub's answer: %+v, %v", o, err)
	}
	if _, err := r.Take(message, message[:wire.HeaderLen]); err == nil {
		t.Error("a header alone was taken for a stub's answer")
	}
}

// TestRunKKT shows a load on an operator that loses every tenth message: it is
// sent again as it was, no number is left out, and the next run goes on.
func TestRunKKT(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var (
		all  sync.WaitGroup
		mu   sync.Mutex
		seen int
		last = map[wire.DriveNumber][]byte{}
		next = map[wire.DriveNumber]uint32{}
	)
	defer all.Wait()
	defer l.Close()
	serve := func(message []byte) []byte {
		h, _ := wire.ParseHeader(message)
		if h.Size == 0 {
			b, _ := h.Empty().AppendBinary(nil)
			return b
		}
		answer := acknowledge(t, message, 0)
		f, _ := wire.ParseFrameHeader(message[wire.HeaderLen:])
		mu.Lock()
		defer mu.Unlock()
		switch {
		case f.Number == next[f.Drive]+1:
			next[f.Drive] = f.Number
		case f.Number != next[f.Drive] || string(last[f.Drive]) != string(message):
			t.Errorf("drive %v sent document %d after %d", f.Drive, f.Number, next[f.Drive])
		}
		last[f.Drive] = message
		if seen++; seen%10 == 0 {
			return nil
		}
		return answer
	}
	all.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			all.Go(func() {
				defer conn.Close()
				for {
					message := make([]byte, wire.HeaderLen)
					if _, err := io.ReadFull(conn, message); err != nil {
						return
					}
					h, _ := wire.ParseHeader(message)
					message = append(message, make([]byte, h.Size)...)
					if _, err := io.ReadFull(conn, message[wire.HeaderLen:]); err != nil {
						return
					}
					answer := serve(message)
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
	registers := kktRegisters(t, 10, KKTConfig{})
	cfg := Config{Addr: l.Addr().String(), Registers: registers, Connections: 3, Duration: 300 * time.Millisecond}
	for run := range 2 {
		load, err := Run(t.Context(), cfg)
		if err != nil {
			t.Fatal(err)
		}
		if load.Accepted == 0 || load.Errors["connection"] == 0 || len(load.Errors) != 1 || load.RequestBytes < 400 || load.AnswerBytes < 150 {
			t.Errorf("run %d: %+v", run, load)
		}
	}
	for _, r := range registers {
		if r := r.(*KKTRegister); r.Number != next[r.Drive.Drive] {
			t.Errorf("drive %v stands at %d, the operator has %d", r.Drive.Drive, r.Number, next[r.Drive.Drive])
		}
	}
	idle, err := OpenIdle(t.Context(), IdleConfig{Addr: l.Addr().String(), Connections: 6, Registers: registers[:2]})
	if err != nil {
		t.Fatal(err)
	}
	defer idle.Close()
	if n := idle.Lost(t.Context()); n != 0 {
		t.Errorf("%d of 6 idle connections lost", n)
	}
}
