package journal_test

import (
	"context"
	"encoding/binary"
	"io"
	"log/slog"
	"strconv"
	"testing"
	"time"

	"openofd/internal/fiscal"
	"openofd/internal/journal"
	"openofd/internal/testkit"
)

var quiet = slog.New(slog.NewTextHandler(io.Discard, nil))

// register is a register as its own exchanges see it: it makes commits that
// follow each other.
type register struct {
	place  fiscal.Place
	number fiscal.Number
	judged uint64
	hash   journal.Hash
}

// newRegister adds a register to a store.
func newRegister(t testing.TB, store *testkit.MemStore, p fiscal.Partition) *register {
	t.Helper()
	card := fiscal.Card{Taxpayer: fiscal.TaxpayerID(p + 1), Model: "test"}
	if err := store.AddRegister(context.Background(), p, &card, nil); err != nil {
		t.Fatal(err)
	}
	return &register{place: fiscal.Place{Partition: p, Register: card.Register}}
}

// commit makes the register's next commit of n entries and takes it for done.
func (r *register) commit(n int) journal.Commit {
	c := r.fork(n)
	last := c.Entries[len(c.Entries)-1]
	r.number, r.hash, r.judged = last.Number, last.Hash, r.judged+1
	return c
}

// fork makes a commit on the register as it is and leaves it as it is.
func (r *register) fork(n int) journal.Commit {
	c := journal.Commit{Partition: r.place.Partition, Register: r.place.Register, Judged: r.judged}
	hash := r.hash
	for i := range n {
		e := journal.Entry{Partition: r.place.Partition, Record: fiscal.Record{
			Register: r.place.Register, Number: r.number + fiscal.Number(i) + 1, Taxpayer: 1, CardVersion: 1,
			Format: "test/1", Kind: fiscal.DocReceipt, ReceivedAt: time.UnixMicro(1_760_000_000_000_000).UTC(),
			Op: fiscal.OpSale, Total: 100,
		}}
		binary.BigEndian.PutUint64(e.Salt[:], uint64(e.Number))
		e.Request = []byte("request " + strconv.Itoa(int(e.Number)))
		e.Answer = []byte("answer " + strconv.Itoa(int(e.Number)))
		e.Link(hash)
		hash = e.Hash
		c.Entries = append(c.Entries, e)
	}
	state := fiscal.State{CardVersion: 1, LastNumber: c.Entries[n-1].Number, LastHash: hash}
	c.State = state.Append(nil)
	return c
}

// stored reports whether the commit's last entry is in the store, read past
// any fault.
func stored(t testing.TB, store journal.Store, c *journal.Commit) bool {
	t.Helper()
	last := &c.Entries[len(c.Entries)-1]
	e, err := store.Entry(context.Background(), last.Partition, last.Register, last.Number)
	return err == nil && e.Hash == last.Hash
}

// start runs a committer until the test ends.
func start(t testing.TB, cfg journal.Config, store journal.Store, o journal.Observer) *journal.Committer {
	c := journal.New(cfg, store, quiet, o, time.Now)
	go c.Run(context.Background())
	t.Cleanup(c.Stop)
	return c
}
