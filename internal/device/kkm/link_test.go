package kkm_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"math/big"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"openofd/internal/device/kkm"
	"openofd/internal/fiscal"
	wire "openofd/internal/protocol/kkm"
	"openofd/internal/protocol/kkm/kkmpb"
)

// peer accepts connections, reads one request after the other and lets reply
// write what it likes; false closes the connection.
func peer(t *testing.T, wrap func(net.Listener) net.Listener, reply func(conn net.Conn, n int) bool) (addr string, connections *atomic.Int64) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr = l.Addr().String()
	if wrap != nil {
		l = wrap(l)
	}
	connections = new(atomic.Int64)
	var all sync.WaitGroup
	t.Cleanup(func() { l.Close(); all.Wait() })
	all.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			connections.Add(1)
			all.Go(func() {
				defer conn.Close()
				for n := 0; ; n++ {
					_ = conn.SetDeadline(time.Now().Add(30 * time.Second))
					if _, err := io.ReadFull(conn, make([]byte, 20)); err != nil || !reply(conn, n) {
						return
					}
				}
			})
		}
	})
	return addr, connections
}

var asked = wire.Header{Version: wire.V203, ID: 305512, Token: 11, ReqNum: 7}

// frame is a request of 20 bytes.
func frame(t *testing.T) []byte {
	t.Helper()
	b, err := wire.AppendRequest(nil, asked, &kkmpb.Request{Command: kkmpb.CommandTypeEnum_COMMAND_SYSTEM.Enum()})
	if err != nil || len(b) != 20 {
		t.Fatal(len(b), err)
	}
	return b
}

func answerTo(h wire.Header) []byte {
	return wire.Refuse(h, 0, 14, "Недостаточно наличных")
}

// TestLink shows every way in which an answer can be no answer.
func TestLink(t *testing.T) {
	t.Parallel()
	good := answerTo(asked)
	change := func(at int, to ...byte) []byte {
		b := append([]byte(nil), good...)
		copy(b[at:], to)
		return b
	}
	tests := []struct {
		name  string
		bytes []byte
		stage kkm.Stage // "" is accepted
		field string    // of a mismatch or a syntax error
	}{
		{"whole", good, "", ""},
		{"nothing", nil, kkm.AtReceive, ""},
		{"half a header", good[:9], kkm.AtReceive, ""},
		{"header alone", good[:18], kkm.AtReceive, ""},
		{"one byte short", good[:len(good)-1], kkm.AtReceive, ""},
		{"APPCODE", change(0, 0xA3), kkm.AtCheck, "APPCODE"},
		{"VERSION", change(2, 202), kkm.AtCheck, "VERSION"},
		{"SIZE 17", change(4, 17, 0, 0, 0), kkm.AtCheck, "SIZE"},
		{"SIZE above the limit", change(4, 0, 0, 0, 0x7F), kkm.AtCheck, "SIZE"},
		{"ID", change(8, 1), kkm.AtCheck, "ID"},
		{"REQNUM", change(16, 8), kkm.AtCheck, "REQNUM"},
		{"another TOKEN", change(12, 99), "", ""},
	}
	for _, tt := range tests {
		for _, slowly := range []bool{false, true} {
			addr, _ := peer(t, nil, func(conn net.Conn, _ int) bool {
				step := max(len(tt.bytes), 1)
				if slowly {
					step = 1
				}
				for b := tt.bytes; len(b) > 0; b = b[min(step, len(b)):] {
					if _, err := conn.Write(b[:min(step, len(b))]); err != nil {
						return false
					}
				}
				return false
			})
			reply, err := kkm.NewLink(kkm.LinkConfig{Addr: addr, Connect: time.Minute, Answer: time.Minute}).Exchange(t.Context(), frame(t))
			if tt.stage == "" {
				if err != nil || len(reply.Payload) != len(good)-18 {
					t.Errorf("%s: %+v, %v, want the answer", tt.name, reply, err)
				}
				continue
			}
			var le *kkm.LinkError
			if !errors.As(err, &le) || le.Stage != tt.stage || !errors.Is(err, fiscal.Unavailable) {
				t.Errorf("%s: %v, want a failure at %q of kind %v", tt.name, err, tt.stage, fiscal.Unavailable)
				continue
			}
			var syntax *wire.SyntaxError
			var mismatch *kkm.MismatchError
			field := ""
			if errors.As(err, &syntax) {
				field = syntax.Field
			}
			if errors.As(err, &mismatch) {
				field = mismatch.Field
			}
			if field != tt.field {
				t.Errorf("%s: %v names %q, want %q", tt.name, err, field, tt.field)
			}
		}
	}
}

// TestLinkConnections shows one connection a request by default, and one for
// all with Keep, also across a peer that closes idle ones.
func TestLinkConnections(t *testing.T) {
	t.Parallel()
	tests := []struct {
		keep, closes bool
		want         int64
	}{{false, false, 3}, {true, false, 1}, {true, true, 3}}
	for _, tt := range tests {
		closed := make(chan struct{}, 3)
		addr, n := peer(t, nil, func(conn net.Conn, _ int) bool {
			_, err := conn.Write(answerTo(asked))
			if tt.closes {
				conn.Close()
				closed <- struct{}{}
			}
			return err == nil && !tt.closes
		})
		link := kkm.NewLink(kkm.LinkConfig{Addr: addr, Connect: time.Minute, Answer: time.Minute, Keep: tt.keep})
		for i := range 3 {
			if _, err := link.Exchange(t.Context(), frame(t)); err != nil {
				t.Errorf("keep %v, closes %v, request %d: %v", tt.keep, tt.closes, i, err)
			}
			if tt.closes {
				<-closed
			}
		}
		if err := link.Close(); err != nil {
			t.Error(err)
		}
		if n.Load() != tt.want {
			t.Errorf("keep %v, closes %v: %d connections, want %d", tt.keep, tt.closes, n.Load(), tt.want)
		}
	}
}

// TestLinkTires shows that a kept connection that nobody uses is closed, and that
// the next request has a new one.
func TestLinkTires(t *testing.T) {
	t.Parallel()
	gone := make(chan struct{}, 2)
	addr, n := peer(t, nil, func(conn net.Conn, _ int) bool {
		if _, err := conn.Write(answerTo(asked)); err != nil {
			return false
		}
		_, _ = conn.Read(make([]byte, 1)) // until the other side closes
		gone <- struct{}{}
		return false
	})
	link := kkm.NewLink(kkm.LinkConfig{Addr: addr, Keep: true, Idle: time.Millisecond})
	for i := range 2 {
		if _, err := link.Exchange(t.Context(), frame(t)); err != nil {
			t.Fatalf("request %d: %v", i, err)
		}
		select {
		case <-gone:
		case <-time.After(20 * time.Second):
			t.Fatalf("request %d: its connection is still open", i)
		}
	}
	if n.Load() != 2 {
		t.Errorf("%d connections, want 2", n.Load())
	}
	if err := link.Close(); err != nil {
		t.Error(err)
	}
}

// TestLinkLimits shows that silence, a peer that is not there and a caller who
// gives up all end in time.
func TestLinkLimits(t *testing.T) {
	t.Parallel()
	silent, _ := peer(t, nil, func(net.Conn, int) bool { return true })
	heard := make(chan struct{}, 1) // the request has come
	watched, _ := peer(t, nil, func(net.Conn, int) bool { heard <- struct{}{}; return true })
	soon := func(ctx context.Context) (context.Context, context.CancelFunc) {
		return context.WithTimeout(ctx, time.Second) // of which connecting needs a little
	}
	given := func(ctx context.Context) (context.Context, context.CancelFunc) {
		ctx, give := context.WithCancel(ctx)
		go func() {
			select {
			case <-heard:
				give()
			case <-ctx.Done():
			}
		}()
		return ctx, give
	}
	tests := []struct {
		name  string
		ctx   func(context.Context) (context.Context, context.CancelFunc)
		cfg   kkm.LinkConfig
		stage kkm.Stage
	}{
		{"answer limit", context.WithCancel, kkm.LinkConfig{Addr: silent, Answer: 50 * time.Millisecond}, kkm.AtReceive},
		{"deadline", soon, kkm.LinkConfig{Addr: silent}, kkm.AtReceive},
		{"canceled", given, kkm.LinkConfig{Addr: watched}, kkm.AtReceive},
		{"nobody there", context.WithCancel, kkm.LinkConfig{Addr: "127.0.0.1:1"}, kkm.AtConnect},
	}
	for _, tt := range tests {
		start := time.Now()
		ctx, cancel := tt.ctx(t.Context())
		_, err := kkm.NewLink(tt.cfg).Exchange(ctx, frame(t))
		cancel()
		var le *kkm.LinkError
		if !errors.As(err, &le) || le.Stage != tt.stage {
			t.Errorf("%s: %v, want a failure at %q", tt.name, err, tt.stage)
		}
		if took := time.Since(start); took > 6*time.Second {
			t.Errorf("%s: %v", tt.name, took)
		}
	}
}

// TestLinkTLS shows the same exchange over TLS, and that an unknown
// certificate is no operator.
func TestLinkTLS(t *testing.T) {
	t.Parallel()
	cert, pool := selfSigned(t)
	addr, _ := peer(t, func(l net.Listener) net.Listener {
		return tls.NewListener(l, &tls.Config{Certificates: []tls.Certificate{cert}})
	}, func(conn net.Conn, _ int) bool {
		_, err := conn.Write(answerTo(asked))
		return err == nil
	})
	link := kkm.NewLink(kkm.LinkConfig{Addr: addr, Connect: time.Minute, TLS: &tls.Config{RootCAs: pool}})
	if _, err := link.Exchange(t.Context(), frame(t)); err != nil {
		t.Errorf("with the right root: %v", err)
	}
	_, err := kkm.NewLink(kkm.LinkConfig{Addr: addr, Connect: time.Minute, TLS: &tls.Config{}}).Exchange(t.Context(), frame(t))
	var unknown x509.UnknownAuthorityError
	if !errors.As(err, &unknown) {
		t.Errorf("without it: %v, want an unknown authority", err)
	}
}

func selfSigned(t *testing.T) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(leaf)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, pool
}
