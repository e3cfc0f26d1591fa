package gate

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net"
	"testing"
	"time"

	"openofd/internal/fiscal"
	"openofd/internal/protocol/kkt"
	"openofd/internal/testkit"
)

// acknowledged answers as a judge without a memory: an acknowledgement, or
// nothing where the message is not authentic.
func acknowledged(ctx context.Context, x fiscal.Exchange) (fiscal.Answer, error) {
	q := x.Body.(*kkt.Request)
	if q.Err != nil {
		return fiscal.Answer{Reason: fiscal.NotAuthentic, Close: true}, nil
	}
	ack := kkt.NewAck("7704211201", q.Frame.FrameHeader, kkt.VersionOf(q.Outline.Version, 0, q.Header.Version), fiscal.WallIn(x.Received, time.UTC), 0)
	frame, err := ack.Seal(ctx, kkt.NewSIM1(kkt.SIM1TestKey()), nil, q.Header, q.Opened)
	return fiscal.Answer{Frame: frame}, err
}

// openKKT is open for registers of Russia, with SIM1 unless cfg says otherwise.
func openKKT(t *testing.T, cfg Config, accept acceptFunc) *door {
	t.Helper()
	if cfg.KKT.Module == nil {
		cfg.KKT.Module = kkt.NewSIM1(kkt.SIM1TestKey())
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	d := &door{watcher: newWatcher(), addr: ln.Addr().String()}
	d.Gate = New(cfg, accept, slog.New(slog.DiscardHandler), d.watcher, time.Now)
	served := make(chan error, 1)
	go func() { served <- d.ServeKKT(context.Background(), ln) }()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		d.Drain(ctx)
		if err := <-served; err != nil {
			t.Errorf("ServeKKT() = %v, want nil after a drain", err)
		}
	})
	return d
}

// hearKKT reads one answer.
func hearKKT(t *testing.T, c net.Conn) (kkt.Header, []byte) {
	t.Helper()
	head := make([]byte, kkt.HeaderLen)
	if _, err := io.ReadFull(c, head); err != nil {
		t.Fatalf("no answer: %v", err)
	}
	h, err := kkt.ParseHeader(head)
	if err != nil {
		t.Fatal(err)
	}
	body := make([]byte, h.Size)
	if _, err := io.ReadFull(c, body); err != nil {
		t.Fatal(err)
	}
	return h, body
}

const kktReceipt = "receipt-1.2-measure-kg"

// Each message of the vectors gets an acknowledgement, a header alone, or
// silence and the end of its connection, with the cause counted.
func TestKKTVectors(t *testing.T) {
	d := openKKT(t, Config{}, acknowledged)
	closed := map[string]Cause{
		"bad-signature-http": CauseHTTP, "bad-p-version": CauseVersion, "okp-ping": CauseService, "truncated-body": CauseHalfFrame,
		"bad-fps": CauseRefused, "encrypted-garbage": CauseRefused, "fd-mismatch-frame-doc": CauseRefused,
	}
	played := 0
	for _, v := range testkit.KKTVectors(t) {
		if v.Want.Reply == "sent" {
			continue
		}
		played++
		t.Run(v.Name, func(t *testing.T) {
			c := d.dial(t)
			mustSend(t, c, v.Message)
			switch v.Want.Reply {
			case "empty", "empty or none":
				h, body := hearKKT(t, c)
				if want := append(bytes.Clone(v.Message[:24]), 0, 0, 0, 0, 0, 0); len(body) > 0 || !bytes.Equal(must(h.AppendBinary(nil)), want) {
					t.Errorf("answer %+v with %d bytes, want an empty message", h, len(body))
				}
			case "ack", "refusal", "incident":
				if v.Want.Frame == nil && v.Want.Reply == "ack" {
					mustEnd(t, c) // sealed with keys of a real drive
					return
				}
				h, body := hearKKT(t, c)
				sent, _ := kkt.ParseHeader(v.Message)
				f, err := kkt.ParseAnswer(sent, h, body)
				if err != nil || f.Code != kkt.CodeAck {
					t.Errorf("answer %+v, %v; want an acknowledgement", f, err)
				}
				mustSend(t, c, v.Message) // the connection is kept
				hearKKT(t, c)
			default:
				if v.Name == "truncated-body" {
					c.(*net.TCPConn).CloseWrite()
				}
				mustEnd(t, c)
				want := closed[v.Name]
				if want == "" && v.Channel == "marking" {
					want = CauseService
				} else if want == "" {
					want = CauseMalformed
				}
				d.soon(t, "counted as "+string(want), func() bool { return d.closed[want] > 0 })
				d.locked(func() { clear(d.closed) })
			}
		})
	}
	if played < 60 {
		t.Errorf("%d vectors, want at least 60", played)
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// What the exchange holds is the message as received, the drive's number, and
// the document opened.
func TestKKTExchange(t *testing.T) {
	v := testkit.KKTVectorNamed(t, kktReceipt)
	held := make(chan fiscal.Exchange, 1)
	d := openKKT(t, Config{}, func(ctx context.Context, x fiscal.Exchange) (fiscal.Answer, error) {
		q := *x.Body.(*kkt.Request)
		y := x
		y.Request, y.Body = bytes.Clone(x.Request), len(q.Opened.Document)
		held <- y
		return acknowledged(ctx, x)
	})
	c := d.dial(t)
	for _, b := range v.Message { // a byte at a time
		mustSend(t, c, []byte{b})
	}
	hearKKT(t, c)
	x := <-held
	if !bytes.Equal(x.Request, v.Message) || x.Address != (fiscal.Address{Kind: fiscal.ByDrive, Name: "9999078902001234"}) ||
		x.Peer != "127.0.0.1" || x.Body.(int) == 0 || x.Received.Nanosecond()%1000 != 0 {
		t.Errorf("exchange %+v", x)
	}
}

// A failure has no words in this protocol: the connection ends, nothing is
// said, and the cause is counted.
func TestKKTFailures(t *testing.T) {
	v := testkit.KKTVectorNamed(t, kktReceipt)
	for _, tt := range []struct {
		name   string
		cfg    Config
		accept acceptFunc
		want   Cause
	}{
		{"our own fault", Config{}, failing(io.ErrUnexpectedEOF), CauseFailed},
		{"damaged data", Config{}, failing(fiscal.Corrupt), CauseFailed},
		{"full", Config{}, failing(&fiscal.Error{Reason: fiscal.QueueFull}), CauseOverloaded},
		{"store down", Config{}, failing(&fiscal.Error{Reason: fiscal.StoreDown}), CauseOverloaded},
		{"outcome unknown", Config{}, failing(&fiscal.Error{Reason: fiscal.OutcomeUnknown}), CauseSilent},
		{"refused", Config{}, func(context.Context, fiscal.Exchange) (fiscal.Answer, error) {
			return fiscal.Answer{Reason: fiscal.NumberTaken, Close: true}, nil
		}, CauseRefused},
		{"a bug", Config{}, func(context.Context, fiscal.Exchange) (fiscal.Answer, error) { panic("a bug of ours") }, CausePanic},
		{"keys not to be had", Config{KKT: KKTConfig{Module: hanging{kkt.NewSIM1(kkt.SIM1TestKey())}, Crypto: 20 * time.Millisecond}}, acknowledged, CauseOverloaded},
		{"too long", Config{MaxFrame: 300}, acknowledged, CauseMalformed},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := openKKT(t, tt.cfg, tt.accept)
			c := d.dial(t)
			mustSend(t, c, v.Message)
			mustEnd(t, c)
			d.soon(t, "counted", func() bool { return d.closed[tt.want] == 1 && len(d.results) == 0 })
		})
	}
}

func failing(err error) acceptFunc {
	return func(context.Context, fiscal.Exchange) (fiscal.Answer, error) { return fiscal.Answer{}, err }
}

// hanging is a module that answers when its time is over.
type hanging struct{ *kkt.SIM1 }

func (hanging) OpenContainer(ctx context.Context, _ kkt.Frame, _ kkt.PVersion) (kkt.Opened, error) {
	<-ctx.Done()
	return kkt.Opened{}, kkt.ErrTemporary
}

// Foreign clients are told apart, as at the other door.
func TestKKTForeignClients(t *testing.T) {
	d := openKKT(t, Config{}, acknowledged)
	for says, want := range map[string]Cause{
		"GET /check?i=1 HTTP/1.1\r\nHost: ofd.example\r\n\r\n":                   CauseHTTP,
		"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 0123456789 0123456789 012": CauseTLS,
		"hello, is this a bank or is it not? ":                                   CauseForeign,
	} {
		c := d.dial(t)
		mustSend(t, c, []byte(says))
		mustEnd(t, c)
		d.soon(t, "counted as "+string(want), func() bool { return d.closed[want] == 1 })
	}
}

// A flood ends in closed connections; the other address is served.
func TestKKTFlood(t *testing.T) {
	v := testkit.KKTVectorNamed(t, "ping-ofd")
	d := openKKT(t, Config{RegisterFrames: 1}, acknowledged)
	c := d.dial(t)
	over := false
	for range 50 {
		if _, err := c.Write(v.Message); err != nil {
			over = true
			break
		}
		if _, err := io.ReadFull(c, make([]byte, kkt.HeaderLen)); err != nil {
			over = true
			break
		}
	}
	if !over {
		t.Error("50 messages at once pass a limit of one a second for 20 s")
	}
	d.soon(t, "counted", func() bool { return d.limited[LimitRegister] == 1 && d.closed[CauseOverloaded] == 1 })
	other, err := (&net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP("127.0.0.2")}}).Dial("tcp", d.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	other.SetDeadline(time.Now().Add(patience))
	mustSend(t, other, v.Message)
	hearKKT(t, other)
}

// Without keys there is no door.
func TestKKTNeedsModule(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	g := New(Config{}, acceptFunc(acknowledged), slog.New(slog.DiscardHandler), nil, time.Now)
	if err := g.ServeKKT(context.Background(), ln); err == nil {
		t.Error("ServeKKT() = nil without a module")
	}
}

// FuzzKKTSession plays any bytes, cut anywhere: the session never panics and
// always ends.
func FuzzKKTSession(f *testing.F) {
	for _, v := range testkit.KKTVectors(f) {
		if len(v.Message) < 4096 {
			f.Add([]byte(v.Message), 7)
		}
	}
	f.Fuzz(func(t *testing.T, stream []byte, cut int) {
		here, there := net.Pipe()
		w := newWatcher()
		g := New(Config{Frame: time.Second, Write: time.Second, KKT: KKTConfig{Module: kkt.NewSIM1(kkt.SIM1TestKey())}},
			acceptFunc(acknowledged), slog.New(slog.DiscardHandler), w, time.Now)
		g.admit(there, g.kkt)
		answers := make(chan int64, 1)
		go func() {
			n, _ := io.Copy(io.Discard, here)
			answers <- n
		}()
		cut = max(1, cut&0xFFF)
		for rest := stream; len(rest) > 0; {
			n := min(cut, len(rest))
			if _, err := here.Write(rest[:n]); err != nil {
				break
			}
			rest = rest[n:]
		}
		here.Close()
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := g.Drain(ctx); err != nil {
			t.Fatalf("the session did not end: %v", err)
		}
		<-answers
		w.locked(func() {
			if w.inside != 0 || w.closed[CausePanic] != 0 || len(w.closed) != 1 {
				t.Errorf("open %d, closed %v; want one session ended, without a panic", w.inside, w.closed)
			}
		})
	})
}
