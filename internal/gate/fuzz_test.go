package gate

import (
	"context"
	"io"
	"log/slog"
	"net"
	"testing"
	"time"

	"openofd/internal/testkit"
)

// FuzzSession plays any bytes, cut anywhere, to a gate: it never panics, the
// session always ends, and no goroutine stays behind.
func FuzzSession(f *testing.F) {
	for _, v := range testkit.KKMVectors(f) {
		if v.Request() {
			f.Add(v.Frame, 7)
		}
	}
	f.Add(append(ping(1, 1), ping(1, 2)...), 25)
	f.Add([]byte("GET / HTTP/1.1\r\n\r\n"), 3)
	f.Fuzz(func(t *testing.T, stream []byte, cut int) {
		here, there := net.Pipe()
		w := newWatcher()
		g := New(Config{MaxFrame: 64 << 10, Frame: time.Second, Write: time.Second},
			acceptFunc(plain), slog.New(slog.DiscardHandler), w, time.Now)
		g.admit(there, g.kkm)

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
