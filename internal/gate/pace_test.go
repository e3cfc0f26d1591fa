package gate

import (
	"net/netip"
	"sync/atomic"
	"testing"
	"time"
)

func TestPace(t *testing.T) {
	tests := []struct {
		name      string
		perSecond int           // the limit
		every     time.Duration // between two frames
		lasts     time.Duration
		least     int // frames that pass
		most      int
	}{
		{"off", -1, time.Microsecond, 10 * time.Millisecond, 10_000, 10_000},
		{"at the limit for ten minutes", 500, 2 * time.Millisecond, 10 * time.Minute, 300_000, 300_000},
		{"double the limit within the burst", 500, time.Millisecond, burst, 19_999, 20_000},
		{"double the limit beyond it", 500, time.Millisecond, 2 * burst, 29_900, 30_100},
		{"a flood", 500, 20 * time.Microsecond, time.Minute, 39_900, 40_100},
	}
	for _, tt := range tests {
		p, cell, passed := newPace(tt.perSecond), atomic.Int64{}, 0
		for at := time.Duration(0); at < tt.lasts; at += tt.every {
			if p.pass(&cell, int64(at)) {
				passed++
			}
		}
		if passed < tt.least || passed > tt.most {
			t.Errorf("%s: %d frames a second, one every %v for %v: %d passed, want %d to %d",
				tt.name, tt.perSecond, tt.every, tt.lasts, passed, tt.least, tt.most)
		}
	}
}

// A register that hands over three days, and the tills of a shop that do so
// together, never meet the limits that hold without a setting.
func TestQueuesPass(t *testing.T) {
	cfg := Config{}.filled()
	const documents = 72 * 3600 / 10 // one each ten seconds, day and night
	register, cell := newPace(cfg.RegisterFrames), atomic.Int64{}
	for n := range documents {
		if at := time.Duration(n) * 2500 * time.Microsecond; !register.pass(&cell, int64(at)) {
			t.Fatalf("document %d, %v after the first, meets the limit of a register", n, at)
		}
	}
	address, cell := newPace(cfg.AddressFrames), atomic.Int64{}
	for n := range 200 * 1000 { // below the limit no later one fares worse
		if at := time.Duration(n) * time.Second / (200 * 20); !address.pass(&cell, int64(at)) {
			t.Fatalf("document %d of 200 tills, %v after the first, meets the limit of an address", n, at)
		}
	}
}

// The registers of one address do not share cells with those of another, and
// few share with each other.
func TestRegisterCells(t *testing.T) {
	c := newCrowd()
	cfg := Config{}.filled()
	a, _ := c.enter(netip.MustParsePrefix("192.0.2.1/32"), &cfg)
	b, _ := c.enter(netip.MustParsePrefix("192.0.2.2/32"), &cfg)
	cells := newRegisterCells(newPace(1))
	seen, same := map[*atomic.Int64]bool{}, 0
	for id := range uint64(1000) {
		seen[cells.of(200_000+id, a)] = true
		if cells.of(200_000+id, a) == cells.of(200_000+id, b) {
			same++
		}
	}
	if len(seen) < 950 || same > 10 {
		t.Errorf("1000 registers stand in %d cells, %d of them in the same for another address; want nearly 1000 and 0", len(seen), same)
	}
	c.leave(a, 0)
	again, _ := c.enter(netip.MustParsePrefix("192.0.2.1/32"), &cfg)
	if again == a || cells.of(1, again) != cells.of(1, a) {
		t.Error("an address that comes again gets other cells")
	}
}

// Who leaves in debt is remembered, or it would get a new share by coming
// again; but not longer than needed, and not more than so many.
func TestNeighborsAreRemembered(t *testing.T) {
	c := newCrowd()
	cfg := Config{}.filled()
	debt := int64(burst)
	for n := range 3 * neighborsKept {
		at := netip.PrefixFrom(netip.AddrFrom4([4]byte{10, byte(n >> 16), byte(n >> 8), byte(n)}), 32)
		who, _ := c.enter(at, &cfg)
		who.pace.Store(debt)
		c.leave(who, 0)
	}
	if got := len(c.from); got < neighborsKept || got > neighborsKept+1 {
		t.Errorf("%d addresses are remembered, want %d", got, neighborsKept)
	}
	again, _ := c.enter(netip.MustParsePrefix("10.0.0.1/32"), &cfg)
	if again.pace.Load() != debt {
		t.Error("an address in debt came again and was given a new share")
	}
	other, _ := c.enter(netip.MustParsePrefix("192.0.2.1/32"), &cfg)
	c.leave(again, debt+1)
	other.pace.Store(2 * debt)
	c.leave(other, debt+1)
	if got := len(c.from); got != 1 {
		t.Errorf("when the debts are paid %d addresses are remembered, want the one in debt", got)
	}
}

func TestSlow(t *testing.T) {
	var c conn
	var last time.Duration
	for n := 1; n <= 3*slowMost; n++ {
		d := c.slow(true)
		if n <= slowFree && d != 0 || d < last || d > slowLongest {
			t.Fatalf("254 number %d comes after %v, the one before after %v", n, d, last)
		}
		last = d
	}
	if last != slowLongest {
		t.Errorf("a flood waits %v in the end, want %v", last, slowLongest)
	}
	for range slowMost {
		c.slow(false)
	}
	if d := c.slow(true); d != 0 {
		t.Errorf("after as many frames within the limit the next 254 waits %v", d)
	}
}
