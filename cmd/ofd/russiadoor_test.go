package main

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"openofd/internal/config"
	"openofd/internal/fiscal"
	"openofd/internal/gate"
	"openofd/internal/protocol/kkt"
	"openofd/internal/testkit"
)

// closed is how many connections have ended for a cause, as the metrics say.
func closed(t *testing.T, opsAddr string, cause gate.Cause) int {
	t.Helper()
	response, err := http.Get("http://" + opsAddr + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	lines := bufio.NewScanner(response.Body)
	for lines.Scan() {
		if value, ok := strings.CutPrefix(lines.Text(), `ofd_gate_closed_total{cause="`+string(cause)+`"} `); ok {
			n, err := strconv.Atoi(value)
			if err != nil {
				t.Fatal(err)
			}
			return n
		}
	}
	t.Fatalf("no connection counted as %q, not even 0: %v", cause, lines.Err())
	return 0
}

// wantClosed waits until so many have ended for a cause.
func wantClosed(t *testing.T, what, opsAddr string, cause gate.Cause, want int) {
	t.Helper()
	for until := time.Now().Add(20 * time.Second); ; time.Sleep(2 * time.Millisecond) {
		got := closed(t, opsAddr, cause)
		if got == want {
			return
		}
		if got > want || time.Now().After(until) {
			t.Errorf("%s: %d connections ended as %s, want %d", what, got, cause, want)
			return
		}
	}
}

// dropped is why a connection ends whose message is not answered. Where a vector
// is not named, its form is broken.
func dropped(v *testkit.KKTVector) gate.Cause {
	switch v.Name {
	case "bad-signature-http":
		return gate.CauseHTTP
	case "bad-p-version":
		return gate.CauseVersion
	case "truncated-body":
		return gate.CauseHalfFrame
	case "bad-fps", "encrypted-garbage", "fd-mismatch-frame-doc", "duplicate-fd-other-content":
		return gate.CauseRefused
	}
	switch {
	case v.Channel == "marking":
		return gate.CauseService // nobody passes them on here
	case v.Want.Reply == "ack":
		return gate.CauseRefused // sealed with keys of a real drive
	}
	return gate.CauseMalformed
}

// Every message of the vectors gets the reaction that it names from an operator
// that is alive, over a socket: an acknowledgement, a refusal with its code, a
// header alone, or the end, counted by its cause. What was accepted verifies,
// and a repetition gets the same bytes.
//
// Req: F-005
func TestRussianVectorsOverSockets(t *testing.T) {
	rest := testkit.KKTVectors(t)
	played := 0
	for len(rest) > 0 { // the vectors use numbers again, each time on a new operator
		o, _ := russianOperator(t, "sqlite")
		var later []testkit.KKTVector
		taken := map[uint32]bool{}
		for _, v := range rest {
			if v.Want.Reply == "sent" {
				continue
			}
			if number, stored := stored(&v); stored && taken[number] {
				later = append(later, v)
				continue
			} else if stored {
				taken[number] = true
			}
			played++
			react(t, o.operator, &v)
		}
		rest = later
		if got, err := verifyStore(t.Context(), o.core, nil); err != nil || got.Signs != len(taken) {
			t.Errorf("verify = %+v, %v; want %d documents", got, err, len(taken))
		}
	}
	if played < 60 {
		t.Errorf("%d vectors were played, want at least 60", played)
	}
}

// stored reports whether the document of a message is kept, and its number.
func stored(v *testkit.KKTVector) (number uint32, ok bool) {
	if v.Channel != "ofd" || v.Want.Reply != "refusal" && (v.Want.Reply != "ack" || v.Want.Frame == nil) {
		return 0, false
	}
	h, err := kkt.ParseFrameHeader(v.Message[kkt.HeaderLen:])
	return h.Number, err == nil
}

// react plays one vector.
func react(t *testing.T, o *operator, v *testkit.KKTVector) {
	t.Helper()
	cause := dropped(v)
	before := closed(t, o.OpsAddr, cause)
	answer, ended := speak(t, o.KKTAddr, v.Message, v.Name == "truncated-body")
	_, kept := stored(v)
	switch {
	case kept:
		sent, err := kkt.ParseFrameHeader(v.Message[kkt.HeaderLen:])
		if err != nil || ended {
			t.Errorf("%s: answer %x, closed %t, %v; want an acknowledgement", v.Name, answer, ended, err)
			return
		}
		got, err := kkt.Judge(answer[kkt.HeaderLen:], sent, kkt.NewSIM1(kkt.SIM1TestKey()))
		code := kkt.Response(v.Want.Code)
		if v.Version > "1.05" { // these say no more than that there are errors
			code = kkt.ResponseAccepted
		}
		if err != nil || v.Want.Reply == "refusal" && got.Ack.Accepted() || got.Ack.Response != code {
			t.Errorf("%s: acknowledgement %+v, %v; want a %s with code %d", v.Name, got.Ack, err, v.Want.Reply, code)
		}
		if again, _ := speak(t, o.KKTAddr, v.Message, false); !bytes.Equal(again, answer) {
			t.Errorf("%s again: answer %x\nwant %x", v.Name, again, answer)
		}
	case strings.HasPrefix(v.Want.Reply, "empty"):
		if len(answer) != kkt.HeaderLen {
			t.Errorf("%s: answer %x, want a header", v.Name, answer)
		}
	default:
		if len(answer) != 0 || !ended {
			t.Errorf("%s: answer %x, closed %t; want none and closed", v.Name, answer, ended)
			return
		}
		wantClosed(t, v.Name, o.OpsAddr, cause, before+1)
	}
}

// What is not authentic, and another document under a number that is taken, is
// kept apart, where staff find it.
func TestRussianIncidentsAreKept(t *testing.T) {
	o, made := russianOperator(t, "sqlite")
	for _, name := range []string{"duplicate-fd", "duplicate-fd-other-content", "bad-fps", "encrypted-garbage"} {
		speak(t, o.KKTAddr, testkit.KKTVectorNamed(t, name).Message, false)
	}
	refused, err := o.store.Refused(t.Context(), made.Card.Register, 100)
	kept := map[fiscal.Reason]int{}
	for _, r := range refused {
		kept[r.Reason]++
	}
	if err != nil || kept[fiscal.NumberTaken] != 1 || kept[fiscal.NotAuthentic] != 2 {
		t.Errorf("kept apart: %v, %v; want the conflict and two that were not authentic", kept, err)
	}
}

// Rubbish, other protocols, halves and the largest bodies at the door of an
// operator that is alive: each is closed without a word and counted by its
// cause, memory and goroutines are as before, and a register is answered.
//
// Req: P-013
func TestRussianDoorBadPeers(t *testing.T) {
	s := localSettings(t)
	s.KKTAddr, s.KKTCrypto.Name, s.Operator.INN.Number = s.KKMAddr, config.CryptoSIM1, operatorINN
	s.Limits.AddressFramesPerSecond, s.Limits.RegisterFramesPerSecond = config.Off(), config.Off()
	o := mustStart(t, s)
	defer func() {
		if err := o.stop(); err != nil {
			t.Error(err)
		}
	}()
	message := testkit.KKTVectorNamed(t, "receipt-1.2-measure-kg").Message
	h, err := kkt.ParseHeader(message)
	if err != nil {
		t.Fatal(err)
	}
	h.Size = 65_535
	largest, err := h.AppendBinary(nil)
	if err != nil {
		t.Fatal(err)
	}
	largest = append(largest, make([]byte, h.Size)...)
	writes := func(b []byte) func(net.Conn) error {
		return func(c net.Conn) error {
			_, err := c.Write(b)
			return err
		}
	}
	peers := []struct {
		name  string
		cause gate.Cause
		speak func(net.Conn) error
	}{
		{"rubbish", gate.CauseForeign, writes(bytes.Repeat([]byte("rubbish!"), 100))},
		{"a browser", gate.CauseHTTP, func(c net.Conn) error {
			r, err := http.NewRequest(http.MethodGet, "http://ofd.example/", nil)
			if err != nil {
				return err
			}
			return r.Write(c)
		}},
		{"a TLS client", gate.CauseTLS, func(c net.Conn) error {
			if tls.Client(c, &tls.Config{ServerName: "ofd.example"}).Handshake() == nil {
				return errors.New("TLS was agreed")
			}
			return nil
		}},
		{"half a header", gate.CauseHalfFrame, writes(message[:11])},
		{"half a message", gate.CauseHalfFrame, writes(message[:300])},
		{"64 KiB of nothing", gate.CauseMalformed, writes(largest)},
		{"half of 64 KiB", gate.CauseHalfFrame, writes(largest[:33_000])},
	}
	wave := func(times int) {
		for range times {
			for _, p := range peers {
				c, err := net.Dial("tcp", o.KKTAddr)
				if err != nil {
					t.Fatal(err)
				}
				c.SetDeadline(time.Now().Add(20 * time.Second))
				if err := p.speak(c); err != nil {
					t.Errorf("%s: %v", p.name, err)
				}
				c.(*net.TCPConn).CloseWrite()
				if n, _ := io.Copy(io.Discard, c); n != 0 {
					t.Errorf("%s: answered with %d bytes, want none", p.name, n)
				}
				c.Close()
			}
		}
	}
	want := map[gate.Cause]int{}
	const once, times = 10, 60
	for _, p := range peers {
		want[p.cause] += once + times
	}
	wave(once)
	goroutines, before := weigh(t)
	wave(times)
	for cause, n := range want {
		wantClosed(t, "all peers", o.OpsAddr, cause, n)
	}
	http.DefaultClient.CloseIdleConnections()
	const growth, kit = 8 << 20, 10
	for until := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		now, after := weigh(t)
		if now <= goroutines+kit && after < before+growth {
			t.Logf("memory: %d KiB before, %d KiB after %d bad peers; goroutines: %d, %d", before>>10, after>>10, times*len(peers), goroutines, now)
			break
		}
		if time.Now().After(until) {
			t.Fatalf("%d goroutines and %d KiB, had %d and %d before the bad peers", now, after>>10, goroutines, before>>10)
		}
	}
	if answer, _ := speak(t, o.KKTAddr, testkit.KKTVectorNamed(t, "ping-ofd").Message, false); len(answer) != kkt.HeaderLen {
		t.Errorf("a register's ping was answered with %x", answer)
	}
}

// weigh is what this process holds.
func weigh(t *testing.T) (goroutines int, memory uint64) {
	t.Helper()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return runtime.NumGoroutine(), m.HeapAlloc
}
