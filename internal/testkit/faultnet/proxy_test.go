package faultnet

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"testing"
	"time"
)

// echo is a server that gives back what it gets.
func echo(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var working sync.WaitGroup
	working.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			working.Go(func() {
				defer c.Close()
				_, _ = io.Copy(c, c)
			})
		}
	})
	t.Cleanup(func() { l.Close(); working.Wait() })
	return l.Addr().String()
}

func dial(t *testing.T, p *Proxy) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", p.Addr())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// bounce sends bytes and reads them back.
func bounce(c net.Conn, b []byte, patience time.Duration) error {
	if err := c.SetDeadline(time.Now().Add(patience)); err != nil {
		return err
	}
	if _, err := c.Write(b); err != nil {
		return err
	}
	got := make([]byte, len(b))
	if _, err := io.ReadFull(c, got); err != nil {
		return err
	}
	if !bytes.Equal(got, b) {
		return errors.New("other bytes came back")
	}
	return nil
}

const soon, long = 100 * time.Millisecond, 20 * time.Second

// TestCarries: without a fault the cable is not noticed.
func TestCarries(t *testing.T) {
	p := New(t, echo(t))
	if err := bounce(dial(t, p), bytes.Repeat([]byte("есеп "), 100_000), long); err != nil {
		t.Error(err)
	}
}

// TestCut ends who is inside, and lets in who comes again.
func TestCut(t *testing.T) {
	p := New(t, echo(t))
	c := dial(t, p)
	if err := bounce(c, []byte("a"), long); err != nil {
		t.Fatal(err)
	}
	p.Cut()
	if err := bounce(c, []byte("b"), long); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("after Cut: %v, want a broken connection", err)
	}
	if err := bounce(dial(t, p), []byte("c"), long); err != nil {
		t.Errorf("connected again: %v", err)
	}
}

// TestRefuse turns away who comes, and leaves who is inside.
func TestRefuse(t *testing.T) {
	p := New(t, echo(t))
	c := dial(t, p)
	if err := bounce(c, []byte("a"), long); err != nil {
		t.Fatal(err)
	}
	p.Refuse()
	late, err := net.Dial("tcp", p.Addr())
	if err == nil {
		defer late.Close()
		err = bounce(late, []byte("b"), long)
	}
	if !errors.Is(err, syscall.ECONNRESET) && !errors.Is(err, io.EOF) && !errors.Is(err, syscall.EPIPE) {
		t.Errorf("who came was told %v, want a reset", err)
	}
	if err := bounce(c, []byte("c"), long); err != nil {
		t.Errorf("who was inside: %v", err)
	}
	p.Admit()
	if err := bounce(dial(t, p), []byte("d"), long); err != nil {
		t.Errorf("after Admit: %v", err)
	}
}

// TestPause holds the bytes and keeps the connection; nothing is lost.
func TestPause(t *testing.T) {
	p := New(t, echo(t))
	c := dial(t, p)
	p.Pause()
	p.Pause() // once is enough
	if err := bounce(c, []byte("a"), soon); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("while paused: %v, want silence", err)
	}
	p.Resume()
	got := make([]byte, 1)
	_ = c.SetDeadline(time.Now().Add(long))
	if _, err := io.ReadFull(c, got); err != nil || got[0] != 'a' {
		t.Errorf("after Resume: %q, %v; want what was sent before", got, err)
	}
	p.Pause() // and ended like that
}

// TestSlow: a delay holds for each way, a rate for each byte.
func TestSlow(t *testing.T) {
	p := New(t, echo(t))
	c := dial(t, p)
	took := func(n int) time.Duration {
		began := time.Now()
		if err := bounce(c, make([]byte, n), long); err != nil {
			t.Fatal(err)
		}
		return time.Since(began)
	}
	p.Delay(30 * time.Millisecond)
	if got := took(1); got < 60*time.Millisecond {
		t.Errorf("there and back in %v, want 60 ms at least", got)
	}
	p.Delay(0)
	p.Throttle(100_000)
	if got := took(20_000); got < 200*time.Millisecond {
		t.Errorf("20 kB at 100 kB/s in %v, want 200 ms at least", got)
	}
}

// TestPoint leads new connections elsewhere.
func TestPoint(t *testing.T) {
	p := New(t, "127.0.0.1:1") // nobody there
	early, err := net.Dial("tcp", p.Addr())
	if err == nil {
		defer early.Close()
		err = bounce(early, []byte("a"), long)
	}
	if err == nil {
		t.Error("answered by nobody")
	}
	p.Point(echo(t))
	if err := bounce(dial(t, p), []byte("a"), long); err != nil {
		t.Error(err)
	}
}

// TestCutFreesWhoWaits: a cut reaches a connection in the middle of a delay, of
// a pause, of a slow write; nobody stays behind.
func TestCutFreesWhoWaits(t *testing.T) {
	p := New(t, echo(t))
	for name, weather := range map[string]func(){
		"delay": func() { p.Delay(time.Hour) }, "pause": p.Pause, "rate": func() { p.Throttle(1) },
	} {
		p.Delay(0)
		p.Throttle(0)
		p.Resume()
		c := dial(t, p)
		if err := bounce(c, []byte("a"), long); err != nil {
			t.Fatal(err)
		}
		weather()
		if _, err := c.Write(make([]byte, 100)); err != nil {
			t.Fatal(err)
		}
		time.Sleep(10 * time.Millisecond)
		p.Cut()
		for began := time.Now(); p.Connections() > 0; time.Sleep(time.Millisecond) {
			if time.Since(began) > long {
				t.Fatalf("%s: a connection survived Cut", name)
			}
		}
	}
}

// TestSeeded: the same seed, the same fates; another, others.
func TestSeeded(t *testing.T) {
	fates := func(seed uint64) (all [1000]Fate) {
		f := Seeded(seed, 4, Fate{Harm: CutBefore}, Fate{Harm: CutAfter}, Fate{Harm: Hold, For: time.Second})
		for i := range all {
			all[i] = f(i + 1)
		}
		return all
	}
	first, harmed := fates(7), 0
	for _, f := range first {
		if f.Harm != None {
			harmed++
		}
	}
	if first != fates(7) || first == fates(8) || harmed < 180 || harmed > 320 {
		t.Errorf("%d of 1000 harmed, same again %v, other seed the same %v; want about 250, true, false",
			harmed, first == fates(7), first == fates(8))
	}
}
