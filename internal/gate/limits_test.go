package gate

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func TestTotalLimit(t *testing.T) {
	d := open(t, Config{MaxConnections: 10}, plain)
	var inside []net.Conn
	for n := range 10 {
		c := d.dial(t)
		mustSend(t, c, ping(1, uint16(n)))
		mustHear(t, c)
		inside = append(inside, c)
	}
	for range 30 {
		mustEnd(t, d.dial(t))
	}
	d.soon(t, "turned away", func() bool { return d.away[CauseFull] == 30 && d.watcher.inside == 10 })
	for _, c := range inside { // who is inside is still served
		mustSend(t, c, ping(1, 99))
		mustHear(t, c)
	}
	inside[0].Close()
	d.soon(t, "room again", func() bool { return d.watcher.inside == 9 })
	c := d.dial(t)
	mustSend(t, c, ping(1, 1))
	mustHear(t, c)
}

func TestAddressLimit(t *testing.T) {
	d := open(t, Config{MaxPerAddress: 3}, plain)
	from := func(ip string) net.Conn {
		c, err := (&net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(ip)}}).Dial("tcp", d.addr)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		c.SetDeadline(time.Now().Add(patience))
		return c
	}
	for range 3 {
		c := from("127.0.0.2")
		mustSend(t, c, ping(1, 1))
		mustHear(t, c)
	}
	mustEnd(t, from("127.0.0.2"))
	c := from("127.0.0.3") // others come in
	mustSend(t, c, ping(1, 1))
	mustHear(t, c)
	d.soon(t, "counted", func() bool { return d.away[CauseAddressFull] == 1 })
}

func TestNeighborhood(t *testing.T) {
	tests := []struct{ a, b string }{
		{"192.0.2.7", "192.0.2.7/32"},
		{"::ffff:192.0.2.7", "192.0.2.7/32"},
		{"2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"},
	}
	for _, tt := range tests {
		got := neighborhood(net.TCPAddrFromAddrPort(netip.AddrPortFrom(netip.MustParseAddr(tt.a), 4000)))
		if got.String() != tt.b {
			t.Errorf("neighborhood(%s) = %s, want %s", tt.a, got, tt.b)
		}
	}
	c := newCrowd()
	cfg := Config{}.filled()
	n, _ := c.enter(netip.MustParsePrefix("192.0.2.7/32"), &cfg)
	c.leave(n, 0)
	if len(c.from) != 0 || c.total != 0 {
		t.Errorf("after one came and left: %+v, want nothing kept", c)
	}
}

// What is claimed never decides what is allocated.
func TestClaimedSizeIsNotAllocated(t *testing.T) {
	d := open(t, Config{MaxFrame: 64 << 20}, plain)
	var before, after runtime.MemStats
	const peers = 50
	runtime.GC()
	runtime.ReadMemStats(&before)
	for range peers {
		c := d.dial(t)
		frame := ping(200145, 3)
		frame[4], frame[5], frame[6], frame[7] = 0, 0, 0, 3 // 48 MiB claimed, 2 bytes sent
		mustSend(t, c, frame)
	}
	d.soon(t, "inside", func() bool { return d.watcher.inside == peers })
	time.Sleep(20 * time.Millisecond)
	runtime.ReadMemStats(&after)
	if grown := after.TotalAlloc - before.TotalAlloc; grown > peers*64<<10 {
		t.Errorf("%d peers that claimed 48 MiB each made us allocate %d KiB", peers, grown>>10)
	}
}

// A long frame arrives whole however it is cut, in memory no larger than twice
// its size.
func TestLongFrame(t *testing.T) {
	here, there := net.Pipe()
	defer here.Close()
	cfg := Config{}.filled()
	c := newConn(there, &cfg, new(sync.Pool))
	want := make([]byte, 300_000)
	for i := range want {
		want[i] = byte(i * 7 >> 3)
	}
	go func() {
		for rest := want; len(rest) > 0; {
			n := min(len(rest), 1_000)
			here.Write(rest[:n])
			rest = rest[n:]
		}
	}()
	if head, cause := c.begin(18); cause != goOn || string(head) != string(want[:18]) {
		t.Fatalf("the beginning is % x, cause %q", head, cause)
	}
	got, cause := c.frame(len(want))
	if cause != goOn || string(got) != string(want) || cap(got) > len(want)+8192 {
		t.Errorf("frame of %d bytes: cause %q, %d bytes, room for %d", len(want), cause, len(got), cap(got))
	}
}

// Idle connections hold no buffers: one costs hardly more on the heap than a
// goroutine that waits for a byte. Stacks are left out, for they depend on how
// the test was built.
func TestIdleMemory(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				for b := make([]byte, 32); ; {
					n, err := c.Read(b)
					if err != nil {
						return
					}
					c.Write(b[:n])
				}
			}()
		}
	}()
	bare := idleCost(t, ln.Addr().String())
	gated := idleCost(t, open(t, Config{}, plain).addr)
	t.Logf("an idle connection, both ends: %d bytes of heap bare, %d at the gate", bare, gated)
	if gated > bare+1<<10 {
		t.Errorf("an idle connection costs %d bytes, a bare one %d; want no more than 1 KiB between them", gated, bare)
	}
}

// idleCost is the memory of one connection that was served once and is silent
// since.
func idleCost(t *testing.T, addr string) int64 {
	t.Helper()
	const peers = 2_000
	held := func() int64 {
		runtime.GC()
		runtime.GC() // empties the pools
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	empty := held()
	conns := make([]net.Conn, peers)
	for i := range conns {
		c, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		mustSend(t, c, ping(1, 1))
		if _, err := c.Read(make([]byte, 1)); err != nil {
			t.Fatal(err)
		}
		conns[i] = c
	}
	return (held() - empty) / peers
}

func TestHalfFrames(t *testing.T) {
	cfg := Config{Frame: 150 * time.Millisecond}
	whole := ping(200145, 1)
	for _, n := range []int{1, 2, 17, 18, 19} {
		d := open(t, cfg, plain)
		waits := d.dial(t)
		mustSend(t, waits, whole[:n])
		mustEnd(t, waits) // by the deadline
		leaves := d.dial(t)
		mustSend(t, leaves, whole[:n])
		leaves.(*net.TCPConn).CloseWrite()
		mustEnd(t, leaves) // by the end of the stream
		d.soon(t, "half frames counted", func() bool { return d.closed[CauseHalfFrame] == 2 && len(d.results) == 0 })
	}
}

// A byte now and then does not hold a connection: the frame's deadline runs
// from its first byte.
func TestSlowWriter(t *testing.T) {
	d := open(t, Config{Frame: 200 * time.Millisecond}, plain)
	c := d.dial(t)
	began := time.Now()
	for _, b := range ping(200145, 1) {
		if _, err := c.Write([]byte{b}); err != nil {
			break
		}
		time.Sleep(40 * time.Millisecond)
	}
	mustEnd(t, c)
	if took := time.Since(began); took > patience/3 {
		t.Errorf("a slow writer was cut after %v", took)
	}
	d.soon(t, "counted", func() bool { return d.closed[CauseHalfFrame] == 1 })
}

func TestIdleEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWatcher()
		g := New(Config{Idle: 100 * time.Millisecond}, acceptFunc(plain), slog.New(slog.DiscardHandler), w, time.Now)
		enter := func() net.Conn {
			here, there := net.Pipe()
			g.admit(there, g.kkm)
			return here
		}
		c := enter()
		for n := range 3 { // each answer gives it a new term
			time.Sleep(80 * time.Millisecond)
			mustSend(t, c, ping(200145, uint16(n)))
			mustHear(t, c)
		}
		mustEnd(t, c)
		enter().Close()
		w.soon(t, "counted", func() bool { return w.closed[CauseIdle] == 1 && w.closed[CauseLeft] == 1 })
		g.Drain(t.Context())
	})
}

// A peer that never reads its answer is cut.
func TestAnswerNotTaken(t *testing.T) {
	here, there := net.Pipe()
	defer here.Close()
	w := newWatcher()
	g := New(Config{Write: 50 * time.Millisecond}, acceptFunc(plain), slog.New(slog.DiscardHandler), w, time.Now)
	g.admit(there, g.kkm)
	here.Write(ping(200145, 1))
	w.soon(t, "cut", func() bool { return w.closed[CauseWrite] == 1 })
	if _, err := io.ReadAll(here); err != nil {
		t.Errorf("the pipe ended with %v", err)
	}
	g.Drain(context.Background())
}
