package registers

import (
	"context"
	"crypto/sha256"
	"fmt"
	"maps"
	"slices"
	"testing"

	"openofd/internal/fiscal"
	"openofd/internal/journal"
	wire "openofd/internal/protocol/kkm"
	"openofd/internal/protocol/kkt"
)

// Store is what is asked of an engine; journal.Store is one.
type Store interface {
	Heads(ctx context.Context) (map[fiscal.Partition]journal.Head, error)
	Scan(ctx context.Context, p fiscal.Partition, from journal.Seq, limit int) ([]journal.Entry, error)
}

// Counts are what a comparison found.
type Counts struct {
	Answered int // documents that a register has an answer to
	Pending  int // sent and not answered; they may be stored or not
	Stored   int // documents of the crowd in the store
	Lost     int // answered, and not stored or stored with another answer
	Doubled  int // stored more than once
}

// String is the line that a run under faults ends with.
func (c Counts) String() string {
	return fmt.Sprintf("documents answered %d, lost %d, doubled %d", c.Answered, c.Lost, c.Doubled)
}

// Add adds another crowd's counts.
func (c *Counts) Add(o Counts) {
	c.Answered += o.Answered
	c.Pending += o.Pending
	c.Stored += o.Stored
	c.Lost += o.Lost
	c.Doubled += o.Doubled
}

// Compare holds a store against what the crowd knows: every answered document
// is stored once with the same answer, nothing is stored that was not sent,
// and numbers have no gaps. Differences fail the test. Nothing may write
// meanwhile.
func (c *Crowd) Compare(ctx context.Context, t testing.TB, s Store) Counts {
	t.Helper()
	stored, err := c.stored(ctx, s)
	if err != nil {
		t.Errorf("compare: %v", err)
	}
	var n Counts
	for _, d := range c.devices {
		for _, why := range d.compare(stored[d.id()], &n) {
			t.Errorf("register %d: %s", d.id(), why)
		}
	}
	return n
}

// held is one stored document.
type held struct {
	number  fiscal.Number
	device  uint64 // number that the device gave it
	sign    uint64
	request [sha256.Size]byte
	payload [sha256.Size]byte // of the request without its header
	answer  [sha256.Size]byte
	closes  bool // a shift: two of them may be alike
}

// stored reads the documents of the crowd, and finds gaps in the numbers of
// partitions and registers.
func (c *Crowd) stored(ctx context.Context, s Store) (map[fiscal.RegisterID][]held, error) {
	heads, err := s.Heads(ctx)
	if err != nil {
		return nil, err
	}
	all := map[fiscal.RegisterID][]held{}
	numbers := map[fiscal.RegisterID]fiscal.Number{}
	for _, d := range c.devices {
		all[d.id()] = nil
	}
	const page = 1000
	for _, p := range slices.Sorted(maps.Keys(heads)) {
		next := journal.Seq(1)
		for {
			entries, err := s.Scan(ctx, p, next, page)
			if err != nil {
				return nil, err
			}
			for i := range entries {
				e := &entries[i]
				if e.Seq != next {
					return all, fmt.Errorf("partition %d: entry %d follows entry %d", p, e.Seq, next-1)
				}
				next++
				if numbers[e.Register]++; e.Number != numbers[e.Register] {
					return all, fmt.Errorf("register %d: number %d, want %d", e.Register, e.Number, numbers[e.Register])
				}
				if _, ours := all[e.Register]; ours && e.Carrier == 0 && e.Kind != fiscal.DocAct {
					all[e.Register] = append(all[e.Register], hold(e))
				}
			}
			if len(entries) < page {
				break
			}
		}
		if last := heads[p].Seq; next != last+1 {
			return all, fmt.Errorf("partition %d: the last entry is %d, its head says %d", p, next-1, last)
		}
	}
	return all, nil
}

// hold takes what is compared of an entry. Of Russia's messages the container
// alone is, for that is all that a drive sends and hears.
func hold(e *journal.Entry) held {
	h := held{number: e.Number, device: e.DeviceNumber, sign: e.FiscalSign, closes: e.Kind == fiscal.DocShiftClose}
	if e.Drive != "" {
		h.sign = 0 // the drive's own: 32 bits, which may be alike
		h.request, h.answer = behind(e.Request, kkt.HeaderLen), behind(e.Answer, kkt.HeaderLen)
		h.payload = h.request
		return h
	}
	h.request, h.answer = sha256.Sum256(e.Request), sha256.Sum256(e.Answer)
	h.payload = behind(e.Request, wire.HeaderLen)
	return h
}

// behind hashes what stands behind a header.
func behind(b []byte, header int) [sha256.Size]byte { return sha256.Sum256(b[min(header, len(b)):]) }

// compare implements device.
func (r *register) compare(stored []held, n *Counts) []string {
	var under [sha256.Size]byte
	if q := r.pending; q != nil && q.number != 0 {
		n.Pending++
		under = sha256.Sum256(q.frame)
	}
	return compare(r.answered, under, stored, n)
}

// compare holds one register's documents against what is stored of it; under
// is the request that waits for an answer.
func compare(answered []Document, under [sha256.Size]byte, stored []held, n *Counts) (complaints []string) {
	complain := func(format string, args ...any) { complaints = append(complaints, fmt.Sprintf(format, args...)) }
	byRequest := map[[sha256.Size]byte]held{}
	payloads := map[[sha256.Size]byte]fiscal.Number{}
	signs := map[uint64]fiscal.Number{}
	for _, h := range stored {
		n.Stored++
		first, again := payloads[h.payload]
		if had, same := byRequest[h.request]; same {
			first, again = had.number, true
		} else if h.closes {
			again = false
		}
		if again {
			n.Doubled++
			complain("entry %d is the document of entry %d again", h.number, first)
		}
		if other, taken := signs[h.sign]; taken && h.sign != 0 {
			complain("entries %d and %d have the same sign %d", other, h.number, h.sign)
		}
		byRequest[h.request], payloads[h.payload], signs[h.sign] = h, h.number, h.number
	}
	for _, d := range answered {
		n.Answered++
		h, there := byRequest[d.Request]
		switch {
		case !there:
			n.Lost++
			complain("document %d was answered and is not stored", d.Number)
		case h.answer != d.Answer:
			n.Lost++
			complain("document %d was answered with %x, stored is %x", d.Number, d.Answer[:4], h.answer[:4])
		case d.Sign != 0 && h.sign != d.Sign:
			n.Lost++
			complain("document %d was answered with sign %d, stored is %d", d.Number, d.Sign, h.sign)
		}
		delete(byRequest, d.Request)
	}
	delete(byRequest, under)
	for _, h := range byRequest {
		complain("entry %d is a document that no register has sent or is waiting for", h.number)
	}
	return complaints
}
