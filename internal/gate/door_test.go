package gate

import (
	"context"
	"io"
	"log/slog"
	"net"
	"sync"
	"testing"
	"time"

	"openofd/internal/fiscal"
	"openofd/internal/protocol/kkm"
	"openofd/internal/protocol/kkm/kkmpb"
)

// acceptFunc is an Acceptor.
type acceptFunc func(context.Context, fiscal.Exchange) (fiscal.Answer, error)

func (f acceptFunc) Accept(ctx context.Context, x fiscal.Exchange) (fiscal.Answer, error) {
	return f(ctx, x)
}

// plain answers as a judge without a memory: 0, or the code of the form rule
// that the request breaks.
func plain(_ context.Context, x fiscal.Exchange) (fiscal.Answer, error) {
	req := x.Body.(kkm.Request)
	code := req.Fault.Code()
	return fiscal.Answer{
		Frame:  kkm.Refuse(req.Header, req.Command, code, "жауап / ответ"),
		Close:  req.Fault.Closes(),
		Result: uint16(code),
	}, nil
}

// watcher is an Observer that counts.
type watcher struct {
	mu      sync.Mutex
	inside  int
	results map[uint16]int
	closed  map[Cause]int
	away    map[Cause]int
	limited map[Limit]int
}

func newWatcher() *watcher {
	return &watcher{results: map[uint16]int{}, closed: map[Cause]int{}, away: map[Cause]int{}, limited: map[Limit]int{}}
}

func (w *watcher) Opened() { w.locked(func() { w.inside++ }) }
func (w *watcher) Closed(c Cause) {
	w.locked(func() { w.inside--; w.closed[c]++ })
}
func (w *watcher) TurnedAway(c Cause) { w.locked(func() { w.away[c]++ }) }
func (w *watcher) Limited(l Limit)    { w.locked(func() { w.limited[l]++ }) }
func (w *watcher) Answered(_ Protocol, result uint16, _ time.Duration) {
	w.locked(func() { w.results[result]++ })
}
func (w *watcher) locked(f func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	f()
}

// patience ends a wait for what has to come; a busy machine takes its time.
const patience = 30 * time.Second

// soon waits until a condition under the watcher's lock holds.
func (w *watcher) soon(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for until := time.Now().Add(patience); time.Now().Before(until); time.Sleep(2 * time.Millisecond) {
		ok := false
		w.locked(func() { ok = holds() })
		if ok {
			return
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	t.Fatalf("%s: not within %v; inside %d, answered %v, closed %v, turned away %v", what, patience, w.inside, w.results, w.closed, w.away)
}

// door is a gate on a port of its own.
type door struct {
	*Gate
	*watcher
	addr string
}

// open starts a gate and drains it when the test is over.
func open(t *testing.T, cfg Config, accept acceptFunc) *door {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	d := &door{watcher: newWatcher(), addr: ln.Addr().String()}
	d.Gate = New(cfg, accept, slog.New(slog.DiscardHandler), d.watcher, time.Now)
	served := make(chan error, 1)
	go func() { served <- d.Serve(context.Background(), ln) }()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		d.Drain(ctx)
		if err := <-served; err != nil {
			t.Errorf("Serve() = %v, want nil after a drain", err)
		}
		d.locked(func() {
			if d.watcher.inside != 0 {
				t.Errorf("%d connections are still open after the drain", d.watcher.inside)
			}
		})
	})
	return d
}

func (d *door) dial(t *testing.T) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", d.addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	c.SetDeadline(time.Now().Add(patience))
	return c
}

// ping is a COMMAND_SYSTEM of a register.
func ping(id uint32, reqNum uint16) []byte {
	frame, err := kkm.AppendRequest(nil, kkm.Header{Version: kkm.V203, ID: id, Token: 77, ReqNum: reqNum},
		&kkmpb.Request{Command: kkmpb.CommandTypeEnum_COMMAND_SYSTEM.Enum()})
	if err != nil {
		panic(err)
	}
	return frame
}

// hear reads one answer.
func hear(c net.Conn) (kkm.Header, *kkmpb.Response, error) {
	head := make([]byte, kkm.HeaderLen)
	if _, err := io.ReadFull(c, head); err != nil {
		return kkm.Header{}, nil, err
	}
	h, err := kkm.ParseHeader(head)
	if err != nil {
		return h, nil, err
	}
	payload := make([]byte, h.Size-kkm.HeaderLen)
	if _, err := io.ReadFull(c, payload); err != nil {
		return h, nil, err
	}
	msg, err := kkm.ParseResponse(payload)
	return h, msg, err
}

func mustHear(t *testing.T, c net.Conn) (kkm.Header, *kkmpb.Response) {
	t.Helper()
	h, msg, err := hear(c)
	if err != nil {
		t.Fatalf("no answer: %v", err)
	}
	return h, msg
}

func mustSend(t *testing.T, c net.Conn, b []byte) {
	t.Helper()
	if _, err := c.Write(b); err != nil {
		t.Fatal(err)
	}
}

// mustEnd checks that nothing more comes and the other side closes.
func mustEnd(t *testing.T, c net.Conn) {
	t.Helper()
	rest, err := io.ReadAll(c)
	if len(rest) != 0 {
		t.Fatalf("got %d more bytes (% x), want the connection to end", len(rest), rest)
	}
	if e, ok := err.(net.Error); ok && e.Timeout() {
		t.Fatal("the connection stays open, want it closed")
	}
}
