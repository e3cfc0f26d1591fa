package history

import (
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"time"

	"openofd/internal/fiscal"
	wire "openofd/internal/protocol/kkm"
)

const (
	ticket   = 1
	question = 0
)

// script writes a small history of register 7, which begins with token 100.
type script struct{ r *Recorder }

func newScript() script {
	at := time.Date(2026, 3, 14, 9, 0, 0, 0, time.UTC)
	r := New(func() time.Time { at = at.Add(time.Second); return at })
	r.Register(7, 100)
	return script{r}
}

// send begins an exchange of a document.
func (s script) send(token uint32, reqnum uint16, key string) Pending {
	return s.r.Begin(7, Request{Token: token, ReqNum: reqnum, Command: ticket, Changing: true, Key: key})
}

// ask begins a question.
func (s script) ask(token uint32, reqnum uint16) Pending {
	return s.r.Begin(7, Request{Token: token, ReqNum: reqnum, Command: question})
}

// ok is the answer to an accepted document: its text and the next token.
func ok(text string, token uint32) Answer {
	h := sha256.Sum256([]byte(text))
	return Answer{Token: token, Hash: h, Sign: uint64(h[0])<<8 | uint64(h[1])}
}

func no(code, token uint32) Answer { return Answer{Code: code, Token: token} }

// TestHistories: what one operator could have answered, and what it could not.
// Req: P-011
func TestHistories(t *testing.T) {
	tests := []struct {
		name  string
		write func(s script)
		want  string // part of the complaint; empty: a good history
	}{
		{"documents one after another", func(s script) {
			s.send(100, 1, "a").End(ok("A", 200))
			s.ask(200, 2).End(ok("info", 200))
			s.send(200, 3, "b").End(ok("B", 300))
		}, ""},
		{"a lost answer is asked for again", func(s script) {
			s.send(100, 1, "a")
			s.send(100, 1, "a").End(ok("A", 200))
			s.send(200, 2, "b").End(ok("B", 300))
		}, ""},
		{"the first copy answers after the second", func(s script) {
			first := s.send(100, 1, "a")
			s.send(100, 1, "a").End(ok("A", 200))
			first.End(ok("A", 200))
		}, ""},
		{"a request that never arrived", func(s script) {
			s.send(100, 1, "a")
			s.send(100, 2, "b").End(ok("B", 200))
		}, ""},
		{"an unseen document leaves the token unknown", func(s script) {
			s.send(100, 1, "a")
			s.send(100, 2, "b").End(no(wire.CodeInvalidToken, 100))
		}, ""},
		{"a question on the token before", func(s script) {
			s.send(100, 1, "a")
			s.ask(100, 2).End(ok("info", 100))
			s.send(100, 1, "a").End(ok("A", 200))
		}, ""},
		{"not now", func(s script) {
			s.send(100, 1, "a").End(no(wire.CodeUnavailable, 100))
			s.send(100, 1, "a").End(ok("A", 200))
		}, ""},
		{"earned refusals", func(s script) {
			s.send(100, 1, "a").End(ok("A", 200))
			s.send(200, 1, "b").End(no(wire.CodeInvalidReqNum, 200))
			s.send(100, 1, "c").End(no(wire.CodeInvalidRetry, 100))
			s.send(100, 2, "b").End(no(wire.CodeInvalidToken, 100))
			s.r.Begin(7, Request{Token: 200, ReqNum: 2, Command: ticket, Changing: true, Key: "d", MayRefuse: []uint32{wire.CodeNotEnoughCash}}).
				End(no(wire.CodeNotEnoughCash, 200))
			s.send(200, 2, "b").End(ok("B", 300))
		}, ""},
		{"a new token from the operator", func(s script) {
			s.send(100, 1, "a").End(ok("A", 200))
			s.r.BeginAct(7, fiscal.ActToken).Done(900)
			s.send(200, 2, "b").End(no(wire.CodeInvalidToken, 200))
			s.send(100, 1, "a").End(no(wire.CodeInvalidToken, 100)) // the slot is empty
			s.send(900, 1, "b").End(ok("B", 300))
		}, ""},
		{"a new token while a document is under way", func(s script) {
			act := s.r.BeginAct(7, fiscal.ActToken)
			s.send(100, 1, "a").End(ok("A", 200))
			act.Done(900)
			s.send(900, 2, "b").End(ok("B", 300))
		}, ""},
		{"a new token that may have been issued", func(s script) {
			s.r.BeginAct(7, fiscal.ActToken)
			s.send(100, 1, "a").End(no(wire.CodeInvalidToken, 100))
		}, ""},
		{"blocked and unblocked", func(s script) {
			s.send(100, 1, "a").End(ok("A", 200))
			s.r.BeginAct(7, fiscal.ActBlock).Done(0)
			s.send(200, 2, "b").End(no(wire.CodeBlocked, 200))
			s.send(100, 1, "a").End(ok("A", 200)) // a repetition all the same
			s.r.BeginAct(7, fiscal.ActBlock).Failed()
			s.r.BeginAct(7, fiscal.ActUnblock).Done(0)
			s.send(200, 2, "b").End(ok("B", 300))
		}, ""},

		{"answered and lost", func(s script) {
			s.send(100, 1, "a").End(ok("A", 200))
			s.send(100, 2, "b").End(ok("B", 300)) // the chain forks
		}, `"b" was accepted with token 00000064`},
		{"forked by an older token", func(s script) {
			s.send(100, 1, "a").End(ok("A", 200))
			s.send(200, 2, "b").End(ok("B", 300))
			s.send(200, 3, "c").End(ok("C", 400))
		}, `"c" was accepted with token`},
		{"the answer differs on retry", func(s script) {
			s.send(100, 1, "a").End(ok("A", 200))
			s.send(100, 1, "a").End(ok("A'", 200))
		}, `answer`},
		{"the token differs on retry", func(s script) {
			s.send(100, 1, "a").End(ok("A", 200))
			s.send(100, 1, "a").End(ok("A", 201))
		}, `got answer`},
		{"a document doubled", func(s script) {
			s.send(100, 1, "a").End(ok("A", 200))
			s.send(200, 2, "a").End(ok("A2", 300))
		}, `"a" was accepted twice`},
		{"one sign twice", func(s script) {
			a, b := ok("A", 200), ok("B", 300)
			b.Sign = a.Sign
			s.send(100, 1, "a").End(a)
			s.send(200, 2, "b").End(b)
		}, `"a" and "b" have the same sign`},
		{"another document under the slot's number", func(s script) {
			s.send(100, 1, "a").End(ok("A", 200))
			s.send(100, 1, "b").End(ok("A", 200))
		}, `"b" was accepted under TOKEN and REQNUM of "a"`},
		{"unearned 2", func(s script) {
			s.send(100, 1, "a").End(ok("A", 200))
			s.send(200, 2, "b").End(no(wire.CodeInvalidToken, 200))
		}, "code 2 to the current token"},
		{"2 to a repetition", func(s script) {
			s.send(100, 1, "a").End(ok("A", 200))
			s.send(100, 1, "a").End(no(wire.CodeInvalidToken, 100))
		}, `code 2 to a repetition of "a"`},
		{"unearned 8", func(s script) {
			s.send(100, 1, "a").End(ok("A", 200))
			s.send(200, 2, "b").End(no(wire.CodeInvalidReqNum, 200))
		}, "code 8 was not earned"},
		{"unearned 11", func(s script) { s.send(100, 1, "a").End(no(wire.CodeShiftTooLong, 100)) }, "code 11 was not earned"},
		{"unearned 15", func(s script) { s.send(100, 1, "a").End(no(wire.CodeBlocked, 100)) }, "code 15 was not earned"},
		{"unearned 255", func(s script) { s.send(100, 1, "a").End(no(wire.CodeUnknownError, 100)) }, "code 255 was not earned"},
		{"a refusal that moves the token", func(s script) { s.send(100, 1, "a").End(no(wire.CodeUnavailable, 200)) }, "changed the token"},
		{"a question that moves the token", func(s script) { s.ask(100, 1).End(ok("info", 200)) }, "changed the token"},
		{"no token", func(s script) { s.send(100, 1, "a").End(ok("A", 0)) }, "the token is 0"},
		{"accepted while blocked", func(s script) {
			s.r.BeginAct(7, fiscal.ActBlock).Done(0)
			s.send(100, 1, "a").End(ok("A", 200))
		}, "blocked register"},
		{"a void token", func(s script) {
			s.r.BeginAct(7, fiscal.ActToken).Done(900)
			s.send(100, 1, "a").End(ok("A", 200))
		}, `the register has 00000384`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := newScript()
			tt.write(s)
			all := s.r.Complaints()
			switch {
			case tt.want == "" && len(all) != 0:
				t.Errorf("complaint about a good history: %s\n%s", all[0].Why, all[0].Account)
			case tt.want != "" && len(all) == 0:
				t.Errorf("no complaint, want one about %q", tt.want)
			case tt.want != "" && !strings.Contains(all[0].Why, tt.want):
				t.Errorf("complaint %q, want %q in it\n%s", all[0].Why, tt.want, all[0].Account)
			}
		})
	}
}

// TestManyLosses: histories stay quick to judge when most answers are lost, and
// a fault among them is still found.
func TestManyLosses(t *testing.T) {
	for _, forked := range []bool{false, true} {
		s, dice := newScript(), rand.New(rand.NewPCG(1, 2))
		token := uint32(100)
		for n := range 300 {
			key := fmt.Sprintf("document %d", n)
			for dice.IntN(3) != 0 {
				s.send(token, uint16(n), key)
			}
			if forked && n == 250 {
				s.send(token-1, uint16(n), "from another chain").End(ok("X", 7))
			}
			s.send(token, uint16(n), key).End(ok(key, token+1))
			token++
		}
		began := time.Now()
		if all := s.r.Complaints(); len(all) != 0 != forked {
			t.Errorf("forked %v: %d complaints", forked, len(all))
		}
		if took := time.Since(began); took > patience {
			t.Errorf("forked %v: judged in %v", forked, took)
		}
	}
}

// TestAccount: a bad history is told, and drawn.
func TestAccount(t *testing.T) {
	s := newScript()
	s.send(100, 1, "a").End(ok("A", 200))
	s.send(200, 2, "b").End(no(wire.CodeInvalidToken, 200))
	f := &failing{TB: t}
	s.r.Check(f)
	for _, want := range []string{
		"register 7: code 2 to the current token",
		"1 documents, token 000000c8, last \"a\" (reqnum 1, token 00000064)",
		"✗ code 2 to the current token",
		`09:00:02.000 command 1 token 000000c8 reqnum 2 "b": code 2`,
	} {
		if !strings.Contains(f.text, want) {
			t.Errorf("the account lacks %q:\n%s", want, f.text)
		}
	}
	_, path, _ := strings.Cut(f.text, "picture: ")
	if html, err := os.ReadFile(path); err != nil || !strings.Contains(string(html), "reqnum 2") {
		t.Errorf("the picture: %d bytes, %v; want one that shows the exchange", len(html), err)
	}
	os.RemoveAll(strings.TrimSuffix(path, "/register-7.html"))
	if begun, answered := s.r.Exchanges(); begun != 2 || answered != 2 {
		t.Errorf("Exchanges() = %d, %d, want 2, 2", begun, answered)
	}
}

// failing catches what a check has to say.
type failing struct {
	testing.TB
	text string
}

func (f *failing) Helper() {}

func (f *failing) Errorf(format string, args ...any) { f.text += fmt.Sprintf(format, args...) }
