package follow

import (
	"context"
	"errors"
	"fmt"
	"time"

	"openofd/internal/fiscal"
	"openofd/internal/journal"
)

// ID names a follower and the build of its tables.
type ID struct {
	Name       string // "fns"
	Generation int    // from 1; a rebuild makes the next
	// Facts says that it keeps what cannot be made from the journal again, as
	// what an authority answered. Its cursors lie with its facts, and there is
	// one generation for ever.
	Facts bool
}

// Move is the step of a cursor over a page. Whatever is made of the page is
// stored with it, or not at all.
type Move struct {
	ID
	Partition fiscal.Partition
	From      journal.Seq // the last entry followed before; 0: none
	To        journal.Seq // the last entry of the page
	At        time.Time
}

// Cursor is how far a follower got in a partition.
type Cursor struct {
	Seq     journal.Seq // the last entry followed; 0: none
	MovedAt time.Time
	Failure Failure // zero unless the last attempt failed
}

// Failure is what a follower did not get past.
type Failure struct {
	Seq journal.Seq // the entry, or the first of the page; 0: nothing failed
	At  time.Time
	Why string
}

// A Follower makes something of entries.
type Follower interface {
	ID() ID
	// Apply stores what it makes of a page and makes the move, in one
	// transaction. It is called for one page of a partition at a time, and may
	// be called for several partitions at once. A page may come again, with more
	// entries behind it or fewer, until its move is durable. Entries are its to
	// read until it returns.
	//
	// An *EntryError says which entry is at fault; the entries before it are
	// then given alone, so that they are not held up.
	Apply(ctx context.Context, m Move, page []journal.Entry) error
}

// Store is what following asks of an engine.
type Store interface {
	// Page reads entries of a partition from seq from on, ascending: at most
	// limit of them, and none behind the one that fills up bytes of requests and
	// answers. It gives at least one if there is one.
	Page(ctx context.Context, p fiscal.Partition, from journal.Seq, limit, bytes int) ([]journal.Entry, error)
	// Retired tells of each partition which entry was the last that is kept no
	// longer; one that has them all is missing.
	Retired(ctx context.Context) (map[fiscal.Partition]journal.Seq, error)
	// Heads are the ends of all partitions.
	Heads(ctx context.Context) (map[fiscal.Partition]journal.Head, error)
	// Cursors are those of a follower; a partition that it has not begun is
	// missing.
	Cursors(ctx context.Context, id ID) (map[fiscal.Partition]Cursor, error)
	// Move moves a cursor with nothing beside, and forgets its failure. An error
	// that wraps ErrMoved says that it is not where the move begins.
	Move(ctx context.Context, m Move) error
	// KeepFailure notes what a follower did not get past. It does not move the
	// cursor.
	KeepFailure(ctx context.Context, id ID, p fiscal.Partition, f Failure) error
	// Lease gives or prolongs a follower's lease of a group of partitions; ok is
	// false while it is another holder's. Spans are measured by the store's own
	// clock.
	Lease(ctx context.Context, id ID, group int, holder string, span time.Duration) (ok bool, err error)
	// Release gives a lease back before its span has ended.
	Release(ctx context.Context, id ID, group int, holder string) error
}

// ErrMoved says that a cursor is not where a move begins: another node follows,
// or this move has been made already.
var ErrMoved = errors.New("the cursor is elsewhere")

// EntryError is a failure for which one entry is to blame.
type EntryError struct {
	Seq journal.Seq
	Err error
}

func (e *EntryError) Error() string { return fmt.Sprintf("entry %d: %v", e.Seq, e.Err) }
func (e *EntryError) Unwrap() error { return e.Err }

// Observer hears of pages, for metrics. It must not block.
type Observer interface {
	Followed(id ID, entries int, took time.Duration) // a page is done
	Failed(id ID, kind fiscal.Kind)                  // a page is not
}

type noObserver struct{}

func (noObserver) Followed(ID, int, time.Duration) {}
func (noObserver) Failed(ID, fiscal.Kind)          {}
