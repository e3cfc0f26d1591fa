package gate

import (
	"sync/atomic"
	"time"
)

// How fast frames may come. Whoever is beyond is answered 254, and slowed when
// he goes on; what he is owed comes back with time, so nobody is locked out.
//
// A register waits for each answer before it sends again, so the way to us and
// back bounds it: 100 frames a second at 10 ms. One that hands over three days
// without a link, thousands of documents as quickly as answers come, stays
// below 500 a second even on our own network, for each document is made
// durable; pings on an open connection, which cost an attacker nothing, reach
// tens of thousands. A shop with 200 tills behind one address sends twenty
// receipts a second on its best day, and 4,000 a second when every till hands
// over a queue at 20 a second. Only a whole chain that does so behind one
// address meets 5,000; it hears 254, keeps its queues and is through a little
// later, while all the others are served meanwhile. Both rates may be exceeded
// for a while: burst is how long a pace from nothing to the double goes
// unnoticed.
//
// A register is counted for each address apart, or whoever knows its number
// could use up its share from elsewhere: the number stands on every receipt.
const (
	burst       = 20 * time.Second
	paceCells   = 1 << 16               // for registers, 8 bytes each; two in one cell share its pace
	slowFree    = 5                     // 254s of one connection that come at once
	slowStep    = 10 * time.Millisecond // for each beyond
	slowLongest = time.Second           // well within a device's 5 s
	slowMost    = slowFree + int(slowLongest/slowStep)
)

// pace lets so much pass a second. What it knows of one peer is a single
// number, a cell: the time until which the peer has used up its share, in
// nanoseconds of the gate's own clock. The zero pace lets everything pass.
type pace struct {
	each int64 // nanoseconds that one passage costs
	most int64 // by which a cell may be ahead
}

func newPace(perSecond int) pace {
	if perSecond <= 0 {
		return pace{}
	}
	each := int64(time.Second) / int64(perSecond)
	return pace{each: max(each, 1), most: int64(burst)}
}

// pass counts one passage at now; false if it is one too many.
func (p pace) pass(cell *atomic.Int64, now int64) bool {
	for p.each > 0 {
		used := cell.Load()
		next := max(used, now) + p.each
		if next-now > p.most {
			return false
		}
		if cell.CompareAndSwap(used, next) {
			return true
		}
	}
	return true
}

// registerCells holds the cells of registers. Its size is fixed, for anybody
// can make up numbers; where a register stands in it nobody outside can tell.
type registerCells []atomic.Int64

func newRegisterCells(p pace) registerCells {
	if p.each == 0 {
		return nil
	}
	return make(registerCells, paceCells)
}

// of is the cell of a register as seen from an address.
func (r registerCells) of(id uint64, n *neighbor) *atomic.Int64 {
	h := (id ^ n.salt) * 0x9E3779B97F4A7C15 // 2⁶⁴ by the golden ratio: spreads what is next to each other
	return &r[h>>48]
}

// limit is what stands against a frame of a register, if anything does.
func (g *Gate) limit(c *conn, id uint64) Limit {
	if c.neighbor == nil || g.byAddress.each == 0 && g.byRegister.each == 0 {
		return unlimited
	}
	now := g.clock()
	switch {
	case !g.byAddress.pass(&c.neighbor.pace, now):
		return LimitAddress
	case g.byRegister.each > 0 && !g.byRegister.pass(g.registers.of(id, c.neighbor), now):
		return LimitRegister
	}
	return unlimited
}

// clock is what cells are measured with, in nanoseconds since the gate was made.
func (g *Gate) clock() int64 { return int64(time.Since(g.made)) }

// enter takes one of the places for exchanges; false if there is none. A frame
// that finds none is answered at once: a queue that is longer than what can be
// answered in time only makes everybody late.
func (g *Gate) enter() bool {
	if n := g.underWay.Add(1); g.cfg.MaxExchanges > 0 && n > int64(g.cfg.MaxExchanges) {
		g.underWay.Add(-1)
		return false
	}
	return true
}

func (g *Gate) leave() { g.underWay.Add(-1) }

// UnderWay is how many exchanges are being judged and stored now.
func (g *Gate) UnderWay() int { return int(g.underWay.Load()) }

// slow notes whether a frame was over a limit, and returns how long its answer
// is held back.
func (c *conn) slow(over bool) time.Duration {
	if !over {
		c.over = max(c.over-1, 0)
		return 0
	}
	c.over = min(c.over+1, slowMost)
	return time.Duration(max(c.over-slowFree, 0)) * slowStep
}
