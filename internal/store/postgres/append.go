package postgres

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"openofd/internal/fiscal"
	"openofd/internal/journal"
)

// beforeCommit bounds the first round trip, the wait for locks in it. The second
// carries COMMIT; see commitPatience.
const beforeCommit = 6 * time.Second

// Append makes a batch durable, as journal.Store says, in two round trips on
// one connection. The first locks the heads in ascending order and, under the
// locks, reads the states that decide what is stale. What remains is sealed
// here. The second carries the entries, the states' next versions, new cards,
// the heads and COMMIT.
//
// It is tried again when the month of an entry was not open, and once when the
// connection turns out to be dead before COMMIT left or to be of a schema
// before the last migration.
func (db *DB) Append(ctx context.Context, batch []journal.Commit, seal journal.Sealer) (stale []int, err error) {
	opened, again := int32(0), true
	for {
		stale, err = db.append(ctx, batch, seal)
		var closed *monthClosed
		switch {
		case err == nil:
			return stale, nil
		case errors.As(err, &closed) && closed.month > opened: // each next one is later
			if e := db.openMonth(ctx, closed.month); e != nil {
				return nil, nothingStored(e)
			}
			opened = closed.month
		case again && code(err) == planChanged:
			again = false
		case again && dead(err): // and so are all the others, after a restart
			db.commits.Reset()
			again = false
		default:
			return nil, err
		}
	}
}

// dead reports whether a connection was found closed before COMMIT left.
func dead(err error) bool {
	var late net.Error
	return errors.Is(err, errLost) && errors.Is(err, journal.ErrNothingStored) && !(errors.As(err, &late) && late.Timeout())
}

// nothingStored marks an error after which nothing of the batch is there.
func nothingStored(err error) error {
	return fmt.Errorf("%w: %w", journal.ErrNothingStored, named(err))
}

func (db *DB) append(ctx context.Context, batch []journal.Commit, seal journal.Sealer) (stale []int, err error) {
	a, _ := db.appenders.Get().(*appender)
	if a == nil {
		a = newAppender()
	}
	defer func() {
		a.forget()
		db.appenders.Put(a)
	}()
	if len(batch) == 0 {
		return nil, nil
	}
	if err := a.take(batch); err != nil {
		return nil, nothingStored(err)
	}
	if db.citus && len(a.heads) > 1 {
		return nil, nothingStored(&fiscal.Error{Of: fiscal.Internal, Msg: "a batch of several partitions on Citus, where each lies on a shard of its own"})
	}
	conn, err := db.acquire(ctx)
	if err != nil {
		return nil, nothingStored(err)
	}
	defer conn.Release()
	w := &talk{db: db, conn: conn}
	if err := a.look(ctx, w); err != nil {
		return nil, w.abandon(err)
	}
	stale, err = a.judge(seal)
	if err == nil && len(stale) < len(batch) {
		return stale, a.store(w)
	}
	if err != nil {
		return nil, w.abandon(err)
	}
	w.rollBack()
	return stale, nil
}

// acquire takes a connection for a batch or a fence.
func (db *DB) acquire(ctx context.Context) (*pgxpool.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, beforeCommit)
	defer cancel()
	return db.commits.Acquire(ctx)
}

// appender stores one batch. It is used again, for its slices.
type appender struct {
	out     out
	batch   []journal.Commit
	heads   []head
	lines   []line
	lineOf  []int // of each commit: its register's line
	fresh   []bool
	byPlace map[fiscal.Place]int
	entries int
	bytes   int   // about as many as the second round trip sends
	moved   []int // the lines that moved, in order
	runs    []run
	months  []int32
}

// head is the end of a partition that the batch touches.
type head struct {
	partition fiscal.Partition
	journal.Head
	known, moved bool
}

// line is a register of the batch: what is stored of it, and then what the
// batch makes of it. All its commits are folded into one row.
type line struct {
	place   fiscal.Place
	head    int // its partition's
	entries int // in the whole batch
	known   bool
	fallen  bool // with a stale commit: what was judged on that is stale too
	moved   bool
	version uint64
	number  fiscal.Number
	keep    int    // bytes of states.latest that stay
	latest  []byte // those that are moved to a run; read only if one fills
	places  []byte // behind them
	state   []byte
}

// run is a full row of numbers.
type run struct {
	line   int
	run    uint64
	places []byte
}

func newAppender() *appender {
	return &appender{byPlace: make(map[fiscal.Place]int)}
}

// forget lets go of the batch.
func (a *appender) forget() {
	clear(a.byPlace)
	clear(a.lines)
	clear(a.runs)
	*a = appender{
		out: out{b: a.out.b[:0]}, heads: a.heads[:0], lines: a.lines[:0], lineOf: a.lineOf[:0], fresh: a.fresh[:0], byPlace: a.byPlace,
		moved: a.moved[:0], runs: a.runs[:0], months: a.months[:0],
	}
	if cap(a.out.b) > keepBuffer {
		a.out.b = nil
	}
}

// What the second round trip takes on the wire at most, beside what
// Commit.Bytes counts: the statements' own share, and that of a row.
const (
	statementBytes = 2 << 10
	rowBytes       = 640
)

// keepBuffer is the largest buffer that is kept for the next batch.
const keepBuffer = 8 << 20

// take sorts a batch by partition and register.
func (a *appender) take(batch []journal.Commit) error {
	a.batch, a.bytes = batch, statementBytes
	for i := range batch {
		c := &batch[i]
		if len(c.Entries) == 0 || c.Entries[0].Number == 0 {
			return &fiscal.Error{Of: fiscal.Invalid, Field: "entries", Msg: "none, or not numbered"}
		}
		place := fiscal.Place{Partition: c.Partition, Register: c.Register}
		l, ok := a.byPlace[place]
		if !ok {
			l = len(a.lines)
			a.byPlace[place] = l
			a.lines = append(a.lines, line{place: place})
		}
		a.lines[l].entries += len(c.Entries)
		a.lineOf = append(a.lineOf, l)
		a.entries += len(c.Entries)
		a.bytes += c.Bytes() + rowBytes*len(c.Entries)
	}
	for i := range a.lines {
		a.lines[i].head = a.headOf(a.lines[i].place.Partition)
	}
	return nil
}

// headOf finds a partition's head or adds it. There are few.
func (a *appender) headOf(p fiscal.Partition) int {
	for i := range a.heads {
		if a.heads[i].partition == p {
			return i
		}
	}
	a.heads = append(a.heads, head{partition: p})
	return len(a.heads) - 1
}

// judge tells the fresh commits from the stale ones, in the batch's order, and
// seals the fresh ones.
func (a *appender) judge(seal journal.Sealer) (stale []int, err error) {
	for i := range a.batch {
		c, l := &a.batch[i], &a.lines[a.lineOf[i]]
		h := &a.heads[l.head]
		if !l.known || !h.known || l.fallen || l.version != c.Judged {
			l.fallen = true
			stale = append(stale, i)
			a.fresh = append(a.fresh, false)
			continue
		}
		if c.Entries[0].Number != l.number+1 {
			return nil, fmt.Errorf("register %d: %w", c.Register, &fiscal.Error{Of: fiscal.Invalid, Field: "number", Msg: "the entries do not follow those that are stored"})
		}
		first := h.Seq + 1
		seal(&h.Head, c)
		for j := range c.Entries {
			e := &c.Entries[j]
			if e.Seq != first+journal.Seq(j) {
				return nil, &fiscal.Error{Of: fiscal.Internal, Msg: fmt.Sprintf("sealed with seq %d, expected %d", e.Seq, first+journal.Seq(j))}
			}
			l.places = appendPlace(l.places, e.Seq, e.Month)
		}
		if !l.moved {
			l.moved, l.keep = true, placeBytes*int(l.number%runLength)
			a.moved = append(a.moved, a.lineOf[i])
		}
		h.moved = true
		l.version++
		l.number += fiscal.Number(len(c.Entries))
		l.state = c.State
		a.fresh = append(a.fresh, true)
	}
	for _, i := range a.moved {
		if err := a.fillRuns(i); err != nil {
			return nil, err
		}
	}
	return stale, nil
}

// fillRuns moves places from a line to rows of numbers when they fill some.
func (a *appender) fillRuns(i int) error {
	l := &a.lines[i]
	if l.keep+len(l.places) < runBytes {
		return nil
	}
	if len(l.latest) < l.keep {
		return &fiscal.Error{Of: fiscal.Corrupt, Field: "states", Msg: fmt.Sprintf("the places of register %d are cut", l.place.Register)}
	}
	all := append(l.latest[:l.keep:l.keep], l.places...)
	next := uint64(l.number-fiscal.Number(len(l.places)/placeBytes)) / runLength
	for ; len(all) >= runBytes; next++ {
		a.runs = append(a.runs, run{i, next, all[:runBytes]})
		all = all[runBytes:]
	}
	l.keep, l.places = 0, all
	return nil
}

func cardBody(c *fiscal.Card) ([]byte, error) {
	body, err := json.Marshal(c)
	if err != nil {
		return nil, fmt.Errorf("card %d: %w", c.Version, err)
	}
	return body, nil
}
