package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"
)

// Frames are the sizes of one exchange in bytes, headers included.
type Frames struct {
	Request int
	Answer  int
}

// Echo is the first ceiling: how many exchanges a second client and server of
// this process make over loopback TCP when nothing is done with a request but
// to answer it with so many bytes. Both ends loop as the load's do.
//
// Errors: a socket, or ctx.
func Echo(ctx context.Context, f Frames, connections int, d time.Duration) (float64, error) {
	if f.Request <= 0 || f.Answer <= 0 || connections <= 0 {
		return 0, fmt.Errorf("bench: echo of %d and %d bytes over %d connections", f.Request, f.Answer, connections)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, fmt.Errorf("bench: echo: %w", err)
	}
	var servers sync.WaitGroup
	servers.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			servers.Go(func() { answerAll(conn, f) })
		}
	})
	defer servers.Wait()
	defer l.Close()

	conns := make([]net.Conn, connections)
	for i := range conns {
		if conns[i], err = net.Dial("tcp", l.Addr().String()); err != nil {
			return 0, fmt.Errorf("bench: echo: %w", err)
		}
		defer conns[i].Close()
	}
	start := time.Now()
	end := start.Add(d)
	counts := make([]uint64, connections)
	failed := make([]error, connections)
	var clients sync.WaitGroup
	for i, conn := range conns {
		clients.Go(func() { counts[i], failed[i] = askAll(ctx, conn, f, end) })
	}
	clients.Wait()
	elapsed := time.Since(start)
	var total uint64
	for _, n := range counts {
		total += n
	}
	if err := errors.Join(append(failed, ctx.Err())...); err != nil {
		return 0, fmt.Errorf("bench: echo: %w", err)
	}
	return perSecond(total, elapsed), nil
}

// answerAll is the server's end of one connection.
func answerAll(conn net.Conn, f Frames) {
	defer conn.Close()
	request, answer := make([]byte, f.Request), make([]byte, f.Answer)
	for {
		if _, err := io.ReadFull(conn, request); err != nil {
			return
		}
		if _, err := conn.Write(answer); err != nil {
			return
		}
	}
}

// askAll is the client's end.
func askAll(ctx context.Context, conn net.Conn, f Frames, end time.Time) (n uint64, err error) {
	request, answer := make([]byte, f.Request), make([]byte, f.Answer)
	for time.Now().Before(end) && ctx.Err() == nil {
		if _, err := conn.Write(request); err != nil {
			return n, err
		}
		if _, err := io.ReadFull(conn, answer); err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}
