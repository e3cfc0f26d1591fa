package sqlite

import (
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

// load makes commits that follow each other, register by register.
type load struct {
	db    *DB
	dir   string
	ids   []fiscal.RegisterID
	last  []fiscal.Number
	hash  []journal.Hash
	state []byte
	bytes []byte
	clock atomic.Int64
}

// newLoad opens an installation in dir and fills it with registers.
func newLoad(tb testing.TB, dir string, registers int) *load {
	tb.Helper()
	db, err := Open(tb.Context(), Options{Dir: dir, Serve: true})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := db.Close(); err != nil {
			tb.Errorf("close: %v", err)
		}
	})
	return loadOn(tb, db, dir, registers)
}

func loadOn(tb testing.TB, db *DB, dir string, registers int) *load {
	tb.Helper()
	l := &load{db: db, dir: dir, last: make([]fiscal.Number, registers), hash: make([]journal.Hash, registers), bytes: make([]byte, loadRequest)}
	t := registry.Taxpayer{Country: fiscal.Kazakhstan, XIN: "123456789011", Created: l.now()}
	if err := db.AddTaxpayer(tb.Context(), &t); err != nil {
		tb.Fatal(err)
	}
	for range registers {
		c := fiscal.Card{Country: fiscal.Kazakhstan, Taxpayer: t.ID, Model: "M"}
		if err := db.AddRegister(tb.Context(), t.Partition, &c, nil); err != nil {
			tb.Fatal(err)
		}
		l.ids = append(l.ids, c.Register)
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

// batch is the next exchange of size registers, drawn at random.
func (l *load) batch(size int) []journal.Commit {
	batch := make([]journal.Commit, size)
	for i, r := range rand.Perm(len(l.ids))[:size] {
		l.last[r]++
		e := journal.Entry{Record: fiscal.Record{
			Register: l.ids[r], Number: l.last[r], Taxpayer: 1, CardVersion: 1, Format: "kkm/203", Kind: fiscal.DocReceipt,
			DeviceTime: 1_741_944_761, ReceivedAt: l.now(), Shift: 12,
			FiscalSign: 812_345_678_901, SignKey: 1, Op: fiscal.OpSale, Total: 177_750, Cash: 100_000, Cashless: 77_750, Tax: 19_000,
			Request: l.bytes, Answer: l.bytes[:loadAnswer],
		}}
		e.Link(l.hash[r])
		l.hash[r] = e.Hash
		batch[i] = journal.Commit{Register: l.ids[r], Judged: uint64(l.last[r] - 1), State: l.state, Entries: []journal.Entry{e}}
	}
	return batch
}

// count is how many entries are stored.
func (l *load) count(t *testing.T) (n int) {
	t.Helper()
	for from := journal.Seq(1); ; {
		page, err := l.db.Scan(t.Context(), 0, from, 1000)
		if err != nil {
			t.Fatal(err)
		}
		if len(page) == 0 {
			return n
		}
		n += len(page)
		from = page[len(page)-1].Seq + 1
	}
}
