package gate

import (
	"bytes"
	"io"
	"net"
	"runtime"
	"testing"
	"time"

	"openofd/internal/protocol/kkt"
	"openofd/internal/testkit"
)

// leave closes the half of a connection that we write.
func leave(t *testing.T, c net.Conn) {
	t.Helper()
	if err := c.(*net.TCPConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
}

// Who does not come to the end of a message is closed without a word: a slow
// writer when the time for one message is over, however often it writes, and
// whoever leaves in the middle at once. Who leaves behind a whole message still
// gets its answer.
//
// Req: P-013
func TestKKTHalfMessages(t *testing.T) {
	message := testkit.KKTVectorNamed(t, kktReceipt).Message
	for _, tt := range []struct {
		name  string
		cfg   Config
		write func(t *testing.T, c net.Conn)
		hears bool
		want  Cause
	}{
		{"nothing at all", Config{Idle: 100 * time.Millisecond}, func(*testing.T, net.Conn) {}, false, CauseIdle},
		{"half a header", Config{Frame: 100 * time.Millisecond}, func(t *testing.T, c net.Conn) { mustSend(t, c, message[:17]) }, false, CauseHalfFrame},
		{"a header alone", Config{Frame: 100 * time.Millisecond}, func(t *testing.T, c net.Conn) { mustSend(t, c, message[:kkt.HeaderLen]) }, false, CauseHalfFrame},
		{"a byte now and then", Config{Frame: 300 * time.Millisecond}, func(_ *testing.T, c net.Conn) {
			for i := range message {
				if _, err := c.Write(message[i : i+1]); err != nil {
					return // thrown out, as it should be
				}
				time.Sleep(5 * time.Millisecond) // 389 bytes: two seconds
			}
		}, false, CauseHalfFrame},
		{"half-closed in the header", Config{}, func(t *testing.T, c net.Conn) { mustSend(t, c, message[:10]); leave(t, c) }, false, CauseHalfFrame},
		{"half-closed in the body", Config{}, func(t *testing.T, c net.Conn) { mustSend(t, c, message[:100]); leave(t, c) }, false, CauseHalfFrame},
		{"half-closed behind the message", Config{}, func(t *testing.T, c net.Conn) { mustSend(t, c, message); leave(t, c) }, true, CauseLeft},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			d := openKKT(t, tt.cfg, acknowledged)
			c := d.dial(t)
			tt.write(t, c)
			if tt.hears {
				hearKKT(t, c)
			}
			mustEnd(t, c)
			d.soon(t, "counted as "+string(tt.want), func() bool { return d.closed[tt.want] == 1 && d.watcher.inside == 0 })
		})
	}
}

// huge is a message with the longest body that a header can announce.
func huge(t *testing.T) []byte {
	t.Helper()
	h, err := kkt.ParseHeader(testkit.KKTVectorNamed(t, kktReceipt).Message)
	if err != nil {
		t.Fatal(err)
	}
	h.Size = 65_535
	message, err := h.AppendBinary(nil)
	if err != nil {
		t.Fatal(err)
	}
	return append(message, bytes.Repeat([]byte{0xA5}, int(h.Size))...)
}

// What a header announces does not decide what is allocated.
func TestKKTClaimedSizeIsNotAllocated(t *testing.T) {
	d := openKKT(t, Config{}, acknowledged)
	message := huge(t)
	const peers = 50
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	for range peers {
		mustSend(t, d.dial(t), message[:100])
	}
	d.soon(t, "inside", func() bool { return d.watcher.inside == peers })
	runtime.ReadMemStats(&after)
	if grown := after.TotalAlloc - before.TotalAlloc; grown > peers*32<<10 {
		t.Errorf("%d peers that announced 64 KiB each made us allocate %d KiB", peers, grown>>10)
	}
}

// However many bad peers come, memory stays as it was: each wave of rubbish,
// other protocols, halves and largest bodies is closed, counted, and forgotten.
//
// Req: P-013
func TestKKTBadPeersLeaveNothing(t *testing.T) {
	d := openKKT(t, Config{AddressFrames: -1, RegisterFrames: -1}, acknowledged)
	message := testkit.KKTVectorNamed(t, kktReceipt).Message
	broken := bytes.Clone(message)
	broken[len(broken)-1] ^= 1 // the container's sum no longer fits
	peers := []struct {
		sends []byte
		want  Cause
	}{
		{bytes.Repeat([]byte("rubbish."), 64), CauseForeign},
		{[]byte("GET / HTTP/1.1\r\nHost: ofd.example\r\nUser-Agent: x\r\n\r\n"), CauseHTTP},
		{append([]byte("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"), make([]byte, 500)...), CauseTLS},
		{message[:200], CauseHalfFrame},
		{huge(t), CauseMalformed},
		{huge(t)[:40_000], CauseHalfFrame},
	}
	wave := func() {
		for range 20 {
			for _, p := range peers {
				c, err := net.Dial("tcp", d.addr)
				if err != nil {
					t.Fatal(err)
				}
				c.SetDeadline(time.Now().Add(patience))
				c.Write(p.sends) // it may be thrown out while it writes
				c.(*net.TCPConn).CloseWrite()
				if n, _ := io.Copy(io.Discard, c); n != 0 {
					t.Errorf("%.20q was answered with %d bytes, want none", p.sends, n)
				}
				c.Close()
			}
		}
	}
	heap := func() int64 {
		d.soon(t, "everybody out", func() bool { return d.watcher.inside == 0 })
		runtime.GC()
		runtime.GC() // what pools held
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	wave()
	first := heap()
	const waves = 10
	for range waves {
		wave()
	}
	last := heap()
	t.Logf("after 1 wave %d KiB, after %d waves %d KiB", first>>10, waves+1, last>>10)
	if grown := last - first; grown > 1<<20 {
		t.Errorf("memory grew by %d KiB in %d waves of %d bad peers, want it flat", grown>>10, waves, 20*len(peers))
	}
	want := map[Cause]int{}
	for _, p := range peers {
		want[p.want] += 20 * (waves + 1)
	}
	d.locked(func() {
		for cause, n := range want {
			if int(d.closed[cause]) != n {
				t.Errorf("%d were counted as %s, want %d", d.closed[cause], cause, n)
			}
		}
	})
	c := d.dial(t) // who speaks our protocol is still served
	mustSend(t, c, message)
	hearKKT(t, c)
}
