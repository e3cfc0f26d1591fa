package gate

import (
	"context"
	"net"
	"net/netip"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"openofd/internal/fiscal"
)

// from dials a door from one of this machine's own addresses.
func (d *door) from(t *testing.T, ip string) net.Conn {
	t.Helper()
	c, err := (&net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(ip)}}).Dial("tcp", d.addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	c.SetDeadline(time.Now().Add(20 * time.Second))
	return c
}

// ask sends a frame and returns the result code of its answer.
func ask(t *testing.T, c net.Conn, frame []byte) uint32 {
	t.Helper()
	mustSend(t, c, frame)
	_, msg := mustHear(t, c)
	return msg.GetResult().GetResultCode()
}

// A register beyond its pace hears 254 for what is not even judged, slower and
// slower, on the same connection; others behind its address, and the register
// itself from elsewhere, are served.
func TestRegisterFlood(t *testing.T) {
	var judged atomic.Int64
	d := open(t, Config{RegisterFrames: 1}, func(ctx context.Context, x fiscal.Exchange) (fiscal.Answer, error) {
		judged.Add(1)
		return plain(ctx, x)
	})
	c := d.from(t, "127.0.0.2")
	began, refused := time.Now(), 0
	for n := range 50 {
		switch code := ask(t, c, ping(13, uint16(n))); code {
		case 254:
			refused++
		case 0:
		default:
			t.Fatalf("frame %d is answered %d", n, code)
		}
	}
	took := time.Since(began)
	most := int(burst/time.Second) + int(took/time.Second) + 1 // that may pass
	if got := judged.Load(); refused < 50-most || got != int64(50-refused) {
		t.Errorf("of 50 frames within %v %d were answered 254 and %d judged, want at most %d judged", took, refused, got, most)
	}
	if least := time.Second; refused > 25 && took < least {
		t.Errorf("the flood took %v, want it slowed to %v and more", took, least)
	}
	if code := ask(t, c, ping(14, 1)); code != 0 {
		t.Errorf("another register on the connection is answered %d", code)
	}
	if code := ask(t, d.from(t, "127.0.0.3"), ping(13, 1)); code != 0 {
		t.Errorf("the register at another address is answered %d: a rival could shut it out", code)
	}
	d.soon(t, "counted", func() bool { return d.limited[LimitRegister] == refused && d.results[254] == refused })
}

// An address beyond its pace hears 254 whatever numbers it makes up, also when
// it comes again; a frame that is longer than a room is passed over whole.
func TestAddressFlood(t *testing.T) {
	d := open(t, Config{AddressFrames: 1}, plain)
	c := d.from(t, "127.0.0.2")
	for n, refused, began := 0, 0, time.Now(); refused < 5; n++ {
		if ask(t, c, ping(uint32(n), 1)) == 254 {
			refused++
		}
		if most := int((burst + time.Since(began)) / time.Second); n-refused > most {
			t.Fatalf("of %d frames %d were answered 254, want %d to pass", n+1, refused, most)
		}
	}
	d.Gate.mu.Lock() // what follows finds it in debt, however long it takes
	d.crowd.from[netip.MustParsePrefix("127.0.0.2/32")].pace.Add(int64(time.Hour))
	d.Gate.mu.Unlock()
	c.Close()
	c = d.from(t, "127.0.0.2")
	long := ping(99, 7)
	long = append(long, make([]byte, 100_000)...)
	long[4], long[5], long[6] = byte(len(long)), byte(len(long)>>8), byte(len(long)>>16)
	for n := range 3 {
		if code := ask(t, c, append(long, ping(1, uint16(n))...)); code != 254 {
			t.Errorf("a long frame of the flood is answered %d", code)
		}
		if h, _ := mustHear(t, c); h.ReqNum != uint16(n) {
			t.Errorf("after a long frame the answer has REQNUM %d, want %d", h.ReqNum, n)
		}
	}
	if code := ask(t, d.from(t, "127.0.0.3"), ping(1, 1)); code != 0 {
		t.Errorf("another address is answered %d", code)
	}
}

// What cannot be answered in time is answered 254 at once, and there is room
// again as soon as something is answered.
func TestExchangesFull(t *testing.T) {
	hold := make(chan struct{})
	d := open(t, Config{MaxExchanges: 3}, func(ctx context.Context, x fiscal.Exchange) (fiscal.Answer, error) {
		if x.Address.Name == "1" {
			<-hold
		}
		return plain(ctx, x)
	})
	var inside []net.Conn
	for range 3 {
		c := d.dial(t)
		mustSend(t, c, ping(1, 1))
		inside = append(inside, c)
	}
	d.soon(t, "under way", func() bool { return d.UnderWay() == 3 })
	late := d.dial(t)
	for n := range 100 {
		began := time.Now()
		if code := ask(t, late, ping(2, uint16(n))); code != 254 || time.Since(began) > patience/3 {
			t.Fatalf("frame %d of a full door is answered %d after %v, want 254 at once", n, code, time.Since(began))
		}
	}
	close(hold)
	for _, c := range inside {
		mustHear(t, c)
	}
	d.soon(t, "done", func() bool { return d.UnderWay() == 0 && d.limited[LimitExchanges] == 100 })
	if code := ask(t, late, ping(2, 200)); code != 0 {
		t.Errorf("with room again the answer is %d", code)
	}
}

// heapNow is what is in use, with what pools keep thrown away.
func heapNow() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// Half frames that hang, peers that flood and never read, and peers that come
// and go all at once: in the end the memory is what it was before.
func TestMemoryIsFlat(t *testing.T) {
	d := open(t, Config{Frame: 100 * time.Millisecond, Write: 100 * time.Millisecond, AddressFrames: 1000}, plain)
	attack := func(peers int, what func(c net.Conn)) {
		var all sync.WaitGroup
		for n := range peers {
			c := d.from(t, []string{"127.0.0.2", "127.0.0.3", "127.0.0.4"}[n%3])
			all.Go(func() {
				defer c.Close()
				what(c)
			})
		}
		all.Wait()
		d.soon(t, "gone", func() bool { return d.watcher.inside == 0 })
	}
	half := append(ping(1, 1), make([]byte, 600)...)[:600]
	half[4], half[5], half[6] = 0, 0, 8 // half a MiB claimed
	flood := make([]byte, 0, 64<<10)
	for n := range 1500 {
		flood = append(flood, ping(uint32(n), 1)...)
	}
	attacks := map[string]func(net.Conn){
		"half frames": func(c net.Conn) {
			c.Write(half)
			c.Read(make([]byte, 1))
		},
		"floods": func(c net.Conn) {
			c.SetDeadline(time.Now().Add(300 * time.Millisecond))
			for {
				if _, err := c.Write(flood); err != nil {
					return
				}
			}
		},
		"storms": func(c net.Conn) {
			c.Write(ping(1, 1))
			hear(c)
		},
	}
	for _, what := range attacks {
		attack(60, what) // what is made once is made now
	}
	for name, what := range attacks {
		before := heapNow()
		for range 3 {
			attack(100, what)
		}
		if grown := heapNow() - before; grown > 512<<10 {
			t.Errorf("%s left %d KiB of heap behind", name, grown>>10)
		}
	}
	if code := ask(t, d.from(t, "127.0.0.5"), ping(1, 1)); code != 0 {
		t.Errorf("after the attacks a register is answered %d", code)
	}
}

// A storm: every register comes at once, again and again, and every one is
// served.
func TestReconnectStorm(t *testing.T) {
	d := open(t, Config{}, plain)
	const registers, rounds = 300, 5
	var all sync.WaitGroup
	var served atomic.Int64
	for n := range registers {
		all.Go(func() {
			for r := range rounds {
				c, err := net.Dial("tcp", d.addr)
				if err != nil {
					t.Error(err)
					return
				}
				c.SetDeadline(time.Now().Add(20 * time.Second))
				c.Write(ping(uint32(n), uint16(r)))
				if _, msg, err := hear(c); err == nil && msg.GetResult().GetResultCode() == 0 {
					served.Add(1)
				}
				c.Close()
			}
		})
	}
	all.Wait()
	if got := served.Load(); got != registers*rounds {
		t.Errorf("%d of %d exchanges were answered with 0", got, registers*rounds)
	}
	d.soon(t, "all gone", func() bool { return d.watcher.inside == 0 && d.closed[CauseLeft] == registers*rounds })
}
