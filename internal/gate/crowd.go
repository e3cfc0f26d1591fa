package gate

import (
	"hash/maphash"
	"net"
	"net/netip"
	"sync/atomic"
	"time"
)

// crowd counts who is inside. The Gate's mutex guards it.
type crowd struct {
	total int
	from  map[netip.Prefix]*neighbor // who is inside, and who left faster than its pace allows
	swept int64                      // when from was last looked through
	seed  maphash.Seed               // of the neighbors' salts
}

func newCrowd() crowd {
	return crowd{from: make(map[netip.Prefix]*neighbor), seed: maphash.MakeSeed()}
}

// neighbor is one neighborhood and what is known of it.
type neighbor struct {
	at     netip.Prefix
	inside int          // connections; guarded by the Gate's mutex
	pace   atomic.Int64 // its cell
	told   atomic.Bool  // that it goes on beyond its pace
	salt   uint64       // makes its registers' cells its own; the same after coming again
}

// neighborsKept bounds who is remembered after leaving, and sweepAfter how
// often they are looked through.
const (
	neighborsKept = 16_384
	sweepAfter    = int64(5 * time.Second)
)

// enter counts one more, or says which limit stands against it. The neighbor
// is nil for a peer without an address.
func (c *crowd) enter(at netip.Prefix, cfg *Config) (*neighbor, Cause) {
	if c.total >= cfg.MaxConnections {
		return nil, CauseFull
	}
	if !at.IsValid() {
		c.total++
		return nil, goOn
	}
	n := c.from[at]
	switch {
	case n == nil:
		n = &neighbor{at: at, salt: maphash.Comparable(c.seed, at)}
		c.from[at] = n
	case n.inside >= cfg.MaxPerAddress:
		return nil, CauseAddressFull
	}
	n.inside++
	c.total++
	return n, goOn
}

// leave counts one less at now. A neighborhood whose last connection leaves is
// forgotten, unless it would get a new share by coming again.
func (c *crowd) leave(n *neighbor, now int64) {
	c.total--
	if n == nil {
		return
	}
	if n.inside--; n.inside > 0 {
		return
	}
	c.sweep(now)
	if n.pace.Load() <= now || len(c.from) > c.total+neighborsKept {
		delete(c.from, n.at)
	}
}

// sweep forgets who is outside and has been quiet, now and then.
func (c *crowd) sweep(now int64) {
	if now-c.swept < sweepAfter {
		return
	}
	c.swept = now
	for at, n := range c.from {
		if n.inside == 0 && n.pace.Load() <= now {
			delete(c.from, at)
		}
	}
}

// neighborhood is what one peer is likely to command: an IPv4 address, or the
// /64 in which an IPv6 host takes addresses as it likes. It is invalid for a
// peer that has no IP address, such as one end of a pipe.
func neighborhood(a net.Addr) netip.Prefix {
	ip := address(a)
	bits := 32
	if ip.Is6() {
		bits = 64
	}
	p, _ := ip.Prefix(bits) // of an invalid address: invalid too
	return p
}

// address is the peer's IP address, without port and zone.
func address(a net.Addr) netip.Addr {
	t, ok := a.(*net.TCPAddr)
	if !ok {
		return netip.Addr{}
	}
	return t.AddrPort().Addr().Unmap().WithZone("")
}
