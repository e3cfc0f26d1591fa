package gate

import (
	"context"
	"io"
	"log/slog"
	"net"
	"syscall"
	"testing"
	"time"

	"openofd/internal/fiscal"
	"openofd/internal/protocol/kkm"
)

// BenchmarkExchange is the door alone, for the request parses at once, beside the least that any door costs: a
// frame in, a ready answer out, over loopback, with the client's own costs.
// Compare the CPU time; the wall's depends on who else works on the machine.
func BenchmarkExchange(b *testing.B) {
	request := ping(200145, 1)
	answer := kkm.Refuse(kkm.Header{Version: kkm.V203, ID: 200145, Token: 77, ReqNum: 1}, 0, 0, string(make([]byte, 300)))
	b.Run("echo", func(b *testing.B) {
		ln := listen(b)
		go bareEcho(ln, len(request), answer)
		defer ln.Close()
		exchanges(b, ln.Addr().String(), request, len(answer))
	})
	b.Run("gate", func(b *testing.B) {
		ln := listen(b)
		accept := func(context.Context, fiscal.Exchange) (fiscal.Answer, error) {
			return fiscal.Answer{Frame: answer}, nil
		}
		g := New(Config{AddressFrames: 1_000_000, RegisterFrames: 1_000_000}, acceptFunc(accept), slog.New(slog.DiscardHandler), nil, time.Now)
		go g.Serve(context.Background(), ln)
		defer g.Drain(context.Background())
		exchanges(b, ln.Addr().String(), request, len(answer))
	})
}

func listen(tb testing.TB) net.Listener {
	tb.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	return ln
}

// bareEcho answers so many bytes with answer and does nothing else.
func bareEcho(ln net.Listener, size int, answer []byte) {
	for {
		c, err := ln.Accept()
		if err != nil {
			return
		}
		go func() {
			defer c.Close()
			for b := make([]byte, size); ; {
				if _, err := io.ReadFull(c, b); err != nil {
					return
				}
				if _, err := c.Write(answer); err != nil {
					return
				}
			}
		}()
	}
}

// exchanges measures b.N of them over 64 connections.
func exchanges(b *testing.B, addr string, request []byte, answer int) {
	b.ReportAllocs()
	b.SetParallelism(32)
	began := cpuTime(b)
	b.RunParallel(func(pb *testing.PB) {
		c, err := net.Dial("tcp", addr)
		if err != nil {
			b.Error(err)
			return
		}
		defer c.Close()
		c.SetDeadline(time.Now().Add(time.Minute))
		heard := make([]byte, answer)
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
	b.ReportMetric(float64((cpuTime(b)-began).Nanoseconds())/float64(b.N)/1000, "cpu-µs/op")
}

// cpuTime is what this process has used, in user mode and in the kernel.
func cpuTime(tb testing.TB) time.Duration {
	tb.Helper()
	var r syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err != nil {
		tb.Fatal(err)
	}
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}
