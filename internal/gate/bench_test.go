package gate

import (
	"context"
	"io"
	"log/slog"
	"net"
	"testing"
	"time"

	"openofd/internal/fiscal"
	"openofd/internal/protocol/kkm"
)

// BenchmarkExchange is the door alone: a frame in, a ready answer out, over
// loopback, with the client's own costs.
func BenchmarkExchange(b *testing.B) {
	request := ping(200145, 1)
	answer := kkm.Refuse(kkm.Header{Version: kkm.V203, ID: 200145, Token: 77, ReqNum: 1}, 0, 0, "OK")
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	accept := func(context.Context, fiscal.Exchange) (fiscal.Answer, error) {
		return fiscal.Answer{Frame: answer}, nil
	}
	g := New(Config{}, acceptFunc(accept), slog.New(slog.DiscardHandler), nil, time.Now)
	go g.Serve(context.Background(), ln)
	defer g.Drain(context.Background())
	b.ReportAllocs()
	b.SetParallelism(32)
	b.RunParallel(func(pb *testing.PB) {
		c, err := net.Dial("tcp", ln.Addr().String())
		if err != nil {
			b.Error(err)
			return
		}
		defer c.Close()
		heard := make([]byte, len(answer))
		for pb.Next() {
			if _, err := c.Write(request); err != nil {
				b.Error(err)
				return
			}
			if _, err := io.ReadFull(c, heard); err != nil {
				b.Error(err)
				return
			}
		}
	})
}
