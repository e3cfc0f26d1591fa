package gate

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"testing"

	"openofd/internal/fiscal"
	"openofd/internal/protocol/kkm"
	"openofd/internal/testkit"
)

// Every malformed vector gets the reaction it names, over a real socket.
func TestMalformedVectors(t *testing.T) {
	d := open(t, Config{}, plain)
	played := 0
	for _, v := range testkit.KKMVectors(t) {
		if v.Fault == "" || !v.Request() {
			continue
		}
		played++
		t.Run(v.Name, func(t *testing.T) {
			c := d.dial(t)
			mustSend(t, c, v.Frame)
			if !v.Want.Silent {
				sent, _ := kkm.ParseHeader(v.Frame)
				h, msg := mustHear(t, c)
				if h.Version != sent.Version || h.ID != sent.ID || h.ReqNum != sent.ReqNum || h.Token != sent.Token {
					t.Errorf("answer header %+v does not repeat the request's %+v", h, sent)
				}
				if got := msg.GetResult(); got.GetResultCode() != v.Want.Code || got.GetResultText() == "" {
					t.Errorf("code %d, text %q; want %d and a text", got.GetResultCode(), got.GetResultText(), v.Want.Code)
				}
			}
			if v.Want.Close {
				mustEnd(t, c)
				return
			}
			mustSend(t, c, ping(200145, 7))
			if h, _ := mustHear(t, c); h.ReqNum != 7 {
				t.Errorf("next answer has REQNUM %d, want 7", h.ReqNum)
			}
		})
	}
	if played < 15 {
		t.Errorf("%d malformed vectors, want at least 15", played)
	}
}

func TestSeveralFramesInOneStream(t *testing.T) {
	d := open(t, Config{}, plain)
	c := d.dial(t)
	var stream []byte
	for n := range 50 {
		stream = append(stream, ping(200145, uint16(n))...)
	}
	// Cut anywhere: frames do not follow writes.
	for _, cut := range []int{7, 18, 19, 400} {
		mustSend(t, c, stream[:cut])
		stream = stream[cut:]
	}
	mustSend(t, c, stream)
	for n := range 50 {
		if h, _ := mustHear(t, c); h.ReqNum != uint16(n) {
			t.Fatalf("answer %d has REQNUM %d", n, h.ReqNum)
		}
	}
}

// What the exchange holds is the frame as received.
func TestExchange(t *testing.T) {
	held := make(chan fiscal.Exchange, 2)
	d := open(t, Config{}, func(ctx context.Context, x fiscal.Exchange) (fiscal.Answer, error) {
		x.Request = bytes.Clone(x.Request)
		held <- x
		return plain(ctx, x)
	})
	c := d.dial(t)
	frames := [][]byte{ping(4_294_967_295, 65535), ping(200145, 2)}
	for _, f := range frames {
		mustSend(t, c, f)
		mustHear(t, c)
	}
	for i, id := range []string{"4294967295", "200145"} {
		x := <-held
		if !bytes.Equal(x.Request, frames[i]) {
			t.Errorf("request %d is % x, want % x", i, x.Request, frames[i])
		}
		if x.Received.Nanosecond()%1000 != 0 || x.Received.Location().String() != "UTC" {
			t.Errorf("received %v, want UTC and whole microseconds", x.Received)
		}
		if x.Peer != "127.0.0.1" {
			t.Errorf("peer %q, want 127.0.0.1", x.Peer)
		}
		if want := (fiscal.Address{Kind: fiscal.ByID, Name: id}); x.Address != want {
			t.Errorf("address %+v, want %+v", x.Address, want)
		}
	}
}

func TestForeignClients(t *testing.T) {
	tests := []struct {
		name, says string
		want       Cause
	}{
		{"web", "GET /check?i=1 HTTP/1.1\r\nHost: ofd.example\r\n\r\n", CauseHTTP},
		{"web post", "POST /api/v1/check HTTP/1.1\r\n", CauseHTTP},
		{"http2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", CauseHTTP},
		{"tls", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 0123456789", CauseTLS},
		{"noise", "hello, is this a bank? ", CauseForeign},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := open(t, Config{}, plain)
			c := d.dial(t)
			mustSend(t, c, []byte(tt.says))
			mustEnd(t, c)
			d.soon(t, "closed and counted", func() bool { return d.closed[tt.want] == 1 && len(d.results) == 0 })
		})
	}
}

// A panic is answered 255 and counted; the process and the other connections
// go on.
func TestPanicInAccept(t *testing.T) {
	d := open(t, Config{}, func(ctx context.Context, x fiscal.Exchange) (fiscal.Answer, error) {
		if x.Address.Name == "13" {
			panic("a bug of ours")
		}
		return plain(ctx, x)
	})
	other := d.dial(t)
	mustSend(t, other, ping(1, 1))
	mustHear(t, other)

	c := d.dial(t)
	mustSend(t, c, ping(13, 1))
	if _, msg := mustHear(t, c); msg.GetResult().GetResultCode() != 255 || msg.GetResult().GetResultText() == "" {
		t.Errorf("answer %v, want 255 with a text", msg)
	}
	mustEnd(t, c)
	d.soon(t, "counted", func() bool { return d.results[255] == 1 && d.closed[CausePanic] == 1 })

	mustSend(t, other, ping(1, 2))
	mustHear(t, other)
}

// Every Kind and Reason has an answer: 254 where a repetition may help, 255
// for our own faults, silence while nobody can tell.
func TestFailures(t *testing.T) {
	type row struct {
		name string
		err  error
		kind fiscal.Kind
	}
	rows := []row{{"untyped", errors.New("disk on fire"), fiscal.Internal}, {"context", context.Canceled, fiscal.Internal}}
	for _, k := range fiscal.Kinds() {
		rows = append(rows, row{"kind " + k.String(), &fiscal.Error{Of: k}, k}, row{"bare kind " + k.String(), k, k})
	}
	for _, r := range fiscal.Reasons() {
		rows = append(rows,
			row{"reason " + r.String(), fmt.Errorf("commit: %w", &fiscal.Error{Reason: r}), r.Kind()},
			row{"bare reason " + r.String(), fmt.Errorf("commit: %w", r), r.Kind()})
	}
	if len(kkmCodes) != len(fiscal.Kinds()) {
		t.Fatalf("the table has %d rows, there are %d kinds", len(kkmCodes), len(fiscal.Kinds()))
	}
	d := open(t, Config{}, func(_ context.Context, x fiscal.Exchange) (fiscal.Answer, error) {
		i, err := strconv.Atoi(x.Address.Name)
		if err != nil {
			panic(err)
		}
		return fiscal.Answer{}, rows[i].err
	})
	for i, r := range rows {
		want := uint32(255)
		if r.kind == fiscal.Overloaded || r.kind == fiscal.Unavailable {
			want = 254
		}
		c := d.dial(t)
		mustSend(t, c, ping(uint32(i), 9))
		if errors.Is(r.err, fiscal.OutcomeUnknown) {
			mustEnd(t, c)
			continue
		}
		h, msg := mustHear(t, c)
		if got := msg.GetResult().GetResultCode(); got != want || !strings.Contains(msg.GetResult().GetResultText(), " / ") || h.Token != 77 {
			t.Errorf("%s: code %d, text %q, token kept %t; want %d, a text in Kazakh and Russian, kept", r.name, got, msg.GetResult().GetResultText(), h.Token == 77, want)
		}
		c.Close()
	}
	d.soon(t, "silence is counted", func() bool { return d.closed[CauseSilent] == 2 })
}

// The peer gets the last answer even though bytes of his are still unread.
func TestLastAnswerIsHeard(t *testing.T) {
	d := open(t, Config{MaxFrame: 8 << 10}, plain)
	for range 20 {
		c := d.dial(t)
		frame := ping(200145, 3)
		frame[5] = 0xFF // SIZE 65,300 and more
		go func(c net.Conn) {
			c.Write(frame)
			c.Write(make([]byte, 60_000))
		}(c)
		if _, msg := mustHear(t, c); msg.GetResult().GetResultCode() != 3 {
			t.Fatalf("answer %v, want code 3", msg)
		}
		c.Close()
	}
	d.soon(t, "counted", func() bool { return d.closed[CauseTooLong] == 20 })
}
