package gate

import (
	"net"
	"net/netip"
)

// crowd counts who is inside. The Gate's mutex guards it.
type crowd struct {
	total int
	from  map[netip.Prefix]int // by neighborhood; no zeros are kept
}

// enter counts one more, or says which limit stands against it.
func (c *crowd) enter(n netip.Prefix, cfg *Config) Cause {
	if c.total >= cfg.MaxConnections {
		return CauseFull
	}
	if n.IsValid() && c.from[n] >= cfg.MaxPerAddress {
		return CauseAddressFull
	}
	c.total++
	if n.IsValid() {
		c.from[n]++
	}
	return goOn
}

func (c *crowd) leave(n netip.Prefix) {
	c.total--
	if !n.IsValid() {
		return
	}
	if c.from[n]--; c.from[n] == 0 {
		delete(c.from, n)
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
