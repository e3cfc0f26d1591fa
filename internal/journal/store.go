package journal

import (
	"context"
	"errors"
	"time"

	"openofd/internal/fiscal"
)

// Commit is one exchange made durable: its entries, one or more, and the
// register's next state, all or nothing.
type Commit struct {
	Partition fiscal.Partition
	Register  fiscal.RegisterID
	Judged    uint64       // version of the state row it was judged on
	State     []byte       // the next state, encoded; its version is Judged+1
	Card      *fiscal.Card // a new version of the card, or nil
	Entries   []Entry      // linked; numbered in the register, not yet in the partition
	// Deadline withdraws the commit if it still stands in the queue then. Zero
	// is none.
	Deadline time.Time
}

// Bytes is about how much the commit adds to a batch.
func (c *Commit) Bytes() int {
	n := len(c.State)
	for i := range c.Entries {
		n += len(c.Entries[i].Request) + len(c.Entries[i].Answer) + 256
	}
	return n
}

// Head is the end of a partition.
type Head struct {
	Seq   Seq
	Month int32
	Chain Hash
}

// Sealer gives the entries of one fresh commit their places behind head and
// moves head. An engine calls it under the head's lock, in the batch's order.
type Sealer func(head *Head, c *Commit)

// Seal is the Sealer: the next numbers, the month that never goes back, the
// partition's chain.
func Seal(head *Head, c *Commit) {
	for i := range c.Entries {
		e := &c.Entries[i]
		head.Seq++
		head.Month = max(head.Month, monthOf(e.ReceivedAt))
		head.Chain = chainHash(head.Chain, head.Seq, e.Hash)
		e.Seq, e.Month, e.Chain = head.Seq, head.Month, head.Chain
	}
}

// ErrNothingStored marks an error of Append after which it is certain that
// nothing of the batch is durable or ever will be.
var ErrNothingStored = errors.New("nothing of the batch was stored")

// ErrStale is the answer to a commit whose register has moved on since it was
// judged.
var ErrStale = errors.New("the register has moved on since the commit was judged")

// Store is what the journal asks of an engine.
type Store interface {
	// Append makes the batch durable in one transaction, in order. A commit
	// whose register has moved on (its row's version is not Judged) is left out
	// and named in stale, ascending; the others stand. seal numbers and chains
	// what remains, under the heads' locks. With a nil error the batch survives
	// power loss. After an error that wraps ErrNothingStored nothing is there;
	// after any other the outcome is unknown: the caller stops and calls Fence.
	//
	// Where the content of a commit is at fault (a constraint refuses it), the
	// error also wraps fiscal.Invalid; the caller then looks for the bad one by
	// halves. The engine keeps no slice of the batch after it has returned.
	//
	// Two commits of one register may stand in one batch only if the second was
	// judged on the first one's version.
	Append(ctx context.Context, batch []Commit, seal Sealer) (stale []int, err error)

	// Fence waits until nothing is under way in p, makes durable what is there,
	// and returns the partition's end.
	Fence(ctx context.Context, p fiscal.Partition) (Head, error)

	// Entry reads one entry of a register; NotFound if there is none.
	Entry(ctx context.Context, p fiscal.Partition, r fiscal.RegisterID, n fiscal.Number) (Entry, error)

	// Scan reads up to limit entries of a partition from seq from on, ascending.
	// Short: no read transaction outlives the call.
	Scan(ctx context.Context, p fiscal.Partition, from Seq, limit int) ([]Entry, error)

	// Heads are the ends of all partitions.
	Heads(ctx context.Context) (map[fiscal.Partition]Head, error)
}

// Refused is what came in and was not accepted. It is kept outside the chains,
// bounded per register and day.
type Refused struct {
	Partition fiscal.Partition
	Register  fiscal.RegisterID // 0: no such register
	At        time.Time
	Reason    fiscal.Reason
	Field     string
	Detail    string
	Peer      string
	Request   []byte
}
