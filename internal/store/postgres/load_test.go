package postgres

import (
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"testing"
	"time"

	"openofd/internal/fiscal"
	"openofd/internal/journal"
	"openofd/internal/registry"
)

// What a receipt of five lines is on the wire and in the journal.
const (
	loadRequest = 700
	loadAnswer  = 150
	loadState   = 600
)

// load makes commits that follow each other, register by register. Each
// partition has one taxpayer.
type load struct {
	db     engine
	places []fiscal.Place
	owner  []fiscal.TaxpayerID
	last   []fiscal.Number
	hash   []journal.Hash
	state  []byte
	bytes  []byte
	clock  atomic.Int64
}

// newLoad fills an installation with registers, evenly over its partitions.
func newLoad(tb testing.TB, db engine, registers int) *load {
	tb.Helper()
	l := &load{db: db, last: make([]fiscal.Number, registers), hash: make([]journal.Hash, registers), bytes: make([]byte, loadRequest)}
	owners := make([]registry.Taxpayer, db.partitions)
	for i := range owners {
		owners[i] = registry.Taxpayer{Country: fiscal.Kazakhstan, XIN: fiscal.XIN(fmt.Sprintf("%012d", i)), Partition: fiscal.Partition(i), Created: l.now()}
		if err := db.AddTaxpayer(tb.Context(), &owners[i]); err != nil {
			tb.Fatal(err)
		}
	}
	for i := range registers {
		t := &owners[i%len(owners)]
		c := fiscal.Card{Country: fiscal.Kazakhstan, Taxpayer: t.ID, Model: "M"}
		if err := db.AddRegister(tb.Context(), t.Partition, &c, nil); err != nil {
			tb.Fatal(err)
		}
		l.places = append(l.places, fiscal.Place{Partition: t.Partition, Register: c.Register})
		l.owner = append(l.owner, t.ID)
	}
	empty := len((&fiscal.State{CardVersion: 1}).Append(nil))
	l.state = (&fiscal.State{CardVersion: 1, Protocol: make([]byte, loadState-empty-1)}).Append(nil)
	for i := range l.bytes {
		l.bytes[i] = byte(rand.Uint32())
	}
	return l
}

func (l *load) now() time.Time {
	return time.UnixMicro(1_741_944_761_123_456 + l.clock.Add(30)).UTC()
}

// batch is the next exchange of size registers drawn from those whose partition
// is of a committer's share.
func (l *load) batch(size, share, of int) []journal.Commit {
	batch := make([]journal.Commit, 0, size)
	for _, r := range rand.Perm(len(l.places)) {
		if int(l.places[r].Partition)%of != share {
			continue
		}
		batch = append(batch, l.next(r))
		if len(batch) == size {
			break
		}
	}
	return batch
}

// next is the next exchange of a register.
func (l *load) next(r int) journal.Commit {
	l.last[r]++
	at := l.places[r]
	e := journal.Entry{Partition: at.Partition, Record: fiscal.Record{
		Register: at.Register, Number: l.last[r], Taxpayer: l.owner[r], CardVersion: 1, Format: "kkm/203", Kind: fiscal.DocReceipt,
		DeviceTime: 1_741_944_761, ReceivedAt: l.now(), Shift: 12,
		FiscalSign: 812_345_678_901, SignKey: 1, Op: fiscal.OpSale, Total: 177_750, Cash: 100_000, Cashless: 77_750, Tax: 19_000,
		Request: l.bytes, Answer: l.bytes[:loadAnswer],
	}}
	e.Link(l.hash[r])
	l.hash[r] = e.Hash
	return journal.Commit{Partition: at.Partition, Register: at.Register, Judged: uint64(l.last[r] - 1), State: l.state, Entries: []journal.Entry{e}}
}
