package intake

import (
	"hash/maphash"
	"sync"
	"unsafe"

	"openofd/internal/fiscal"
)

// cache is a bounded map that forgets what was not used for longest. Bounds are
// in bytes, as the caller estimates them. Safe for concurrent use.
type cache[K comparable, V any] struct {
	seed   maphash.Seed
	max    int // bytes in one shard
	shards [shards]cacheShard[K, V]
}

type cacheShard[K comparable, V any] struct {
	mu    sync.Mutex
	nodes map[K]*node[K, V]
	ring  node[K, V] // next is the newest, prev the oldest
	bytes int
}

type node[K comparable, V any] struct {
	prev, next *node[K, V]
	key        K
	value      V
	bytes      int
}

func newCache[K comparable, V any](bytes int64) *cache[K, V] {
	c := &cache[K, V]{seed: maphash.MakeSeed(), max: int(bytes / shards)}
	for i := range c.shards {
		s := &c.shards[i]
		s.nodes = make(map[K]*node[K, V])
		s.ring.prev, s.ring.next = &s.ring, &s.ring
	}
	return c
}

func (c *cache[K, V]) shard(k K) *cacheShard[K, V] {
	return &c.shards[maphash.Comparable(c.seed, k)%shards]
}

// get finds a value and makes it the newest.
func (c *cache[K, V]) get(k K) (v V, ok bool) {
	s := c.shard(k)
	s.mu.Lock()
	defer s.mu.Unlock()
	n := s.nodes[k]
	if n == nil {
		return v, false
	}
	n.unlink()
	s.ring.link(n)
	return n.value, true
}

// put stores a value and forgets the oldest ones until the shard fits. The
// newest stays, whatever its size.
func (c *cache[K, V]) put(k K, v V, bytes int) {
	s := c.shard(k)
	s.mu.Lock()
	defer s.mu.Unlock()
	n := s.nodes[k]
	if n == nil {
		n = &node[K, V]{key: k}
		s.nodes[k] = n
	} else {
		n.unlink()
		s.bytes -= n.bytes
	}
	n.value, n.bytes = v, bytes
	s.bytes += bytes
	s.ring.link(n)
	for s.bytes > c.max && s.ring.prev != n {
		s.remove(s.ring.prev)
	}
}

// drop forgets a value.
func (c *cache[K, V]) drop(k K) {
	s := c.shard(k)
	s.mu.Lock()
	defer s.mu.Unlock()
	if n := s.nodes[k]; n != nil {
		s.remove(n)
	}
}

func (s *cacheShard[K, V]) remove(n *node[K, V]) {
	n.unlink()
	delete(s.nodes, n.key)
	s.bytes -= n.bytes
}

func (n *node[K, V]) unlink() { n.prev.next, n.next.prev = n.next, n.prev }

// link puts n behind the ring's head.
func (n *node[K, V]) link(m *node[K, V]) {
	m.prev, m.next = n, n.next
	n.next.prev, n.next = m, m
}

// row is a register as this node last saw it.
type row struct {
	card  *fiscal.Card
	state *fiscal.State
	// confirmed says that the peer has shown that it has the current token. It
	// lives here only: a row read anew is not confirmed.
	confirmed bool
}

// Beside the value itself: node, map slot, pointers.
const (
	addressBytes = 160
	rowBytes     = int(unsafe.Sizeof(fiscal.Card{})+unsafe.Sizeof(fiscal.State{})) + 192
)

// bytes is about how much memory the row takes.
func (r *row) bytes() int {
	c, s := r.card, r.state
	n := rowBytes + cap(s.Protocol) + len(s.Block.Text) +
		cap(s.Counters.Sections)*int(unsafe.Sizeof(fiscal.SectionTally{})) +
		cap(s.Counters.Taxes)*int(unsafe.Sizeof(fiscal.TaxTally{}))
	for _, t := range [...]*fiscal.Text{&c.Title, &c.LegalAddress, &c.OutletTitle, &c.OutletAddress} {
		n += len(t.KK) + len(t.RU) + len(t.EN)
	}
	n += len(c.XIN) + len(c.OKED) + len(c.VATCertificate) + len(c.Zone) + len(c.Name) + len(c.Model) +
		len(c.SerialNumber) + len(c.RegistrationNumber) + len(c.PaymentPoint) + len(c.Terminal)
	for i := range c.Ads {
		n += int(unsafe.Sizeof(fiscal.Ad{})) + len(c.Ads[i].Text)
	}
	return n
}
