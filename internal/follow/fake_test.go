package follow

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"openofd/internal/fiscal"
	"openofd/internal/journal"
)

var testID = ID{Name: "test", Generation: 1}

// memory is a store in memory that keeps an engine's promises: a move stands
// only where the cursor is, a lease is one holder's until its span is over.
type memory struct {
	mu       sync.Mutex
	entries  map[fiscal.Partition][]journal.Entry
	cursors  map[fiscal.Partition]Cursor
	leases   map[int]lease
	retired  map[fiscal.Partition]journal.Seq // the last that is kept no longer
	down     error                            // what every call answers; nil: it works
	unleased bool                             // leases are not prolonged
	polls    int
}

type lease struct {
	holder string
	until  time.Time
}

func newMemory(partitions int) *memory {
	m := &memory{entries: map[fiscal.Partition][]journal.Entry{}, cursors: map[fiscal.Partition]Cursor{}, leases: map[int]lease{}, retired: map[fiscal.Partition]journal.Seq{}}
	for p := range partitions {
		m.entries[fiscal.Partition(p)] = nil
	}
	return m
}

// add appends n entries of size bytes to a partition.
func (m *memory) add(p fiscal.Partition, n, size int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for range n {
		seq := journal.Seq(len(m.entries[p]) + 1)
		m.entries[p] = append(m.entries[p], journal.Entry{
			Partition: p, Seq: seq, Record: fiscal.Record{ReceivedAt: time.Now().UTC(), Request: make([]byte, size)},
		})
	}
}

func (m *memory) lock() (func(), error) {
	m.mu.Lock()
	return m.mu.Unlock, m.down
}

func (m *memory) Page(_ context.Context, p fiscal.Partition, from journal.Seq, limit, bytes int) (page []journal.Entry, err error) {
	unlock, err := m.lock()
	defer unlock()
	if err != nil {
		return nil, err
	}
	from = max(from, m.retired[p]+1)
	for size := 0; int(from) <= len(m.entries[p]) && len(page) < limit && (len(page) == 0 || size < bytes); from++ {
		page = append(page, m.entries[p][from-1])
		size += len(page[len(page)-1].Request)
	}
	return page, nil
}

func (m *memory) Heads(context.Context) (map[fiscal.Partition]journal.Head, error) {
	unlock, err := m.lock()
	defer unlock()
	m.polls++
	all := map[fiscal.Partition]journal.Head{}
	for p, e := range m.entries {
		all[p] = journal.Head{Seq: journal.Seq(len(e))}
	}
	return all, err
}

func (m *memory) Cursors(context.Context, ID) (map[fiscal.Partition]Cursor, error) {
	unlock, err := m.lock()
	defer unlock()
	all := map[fiscal.Partition]Cursor{}
	for p, c := range m.cursors {
		all[p] = c
	}
	return all, err
}

func (m *memory) Move(_ context.Context, move Move) error {
	unlock, err := m.lock()
	defer unlock()
	if err != nil {
		return err
	}
	return m.move(move)
}

func (m *memory) move(move Move) error {
	if m.cursors[move.Partition].Seq != move.From {
		return fmt.Errorf("move: %w", ErrMoved)
	}
	m.cursors[move.Partition] = Cursor{Seq: move.To, MovedAt: move.At}
	return nil
}

func (m *memory) KeepFailure(_ context.Context, _ ID, p fiscal.Partition, f Failure) error {
	unlock, err := m.lock()
	defer unlock()
	if c := m.cursors[p]; err == nil && c.Seq < f.Seq {
		c.Failure = f
		m.cursors[p] = c
	}
	return err
}

func (m *memory) Lease(_ context.Context, _ ID, group int, holder string, span time.Duration) (bool, error) {
	unlock, err := m.lock()
	defer unlock()
	l := m.leases[group]
	if err != nil || l.holder != holder && time.Now().Before(l.until) || l.holder == holder && m.unleased {
		return false, err
	}
	m.leases[group] = lease{holder, time.Now().Add(span)}
	return true, nil
}

func (m *memory) Release(_ context.Context, _ ID, group int, holder string) error {
	unlock, err := m.lock()
	defer unlock()
	if m.leases[group].holder == holder {
		delete(m.leases, group)
	}
	return err
}

func (m *memory) cursor(p fiscal.Partition) Cursor {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.cursors[p]
}

// list is a follower that keeps what it was given, in one transaction with its
// cursor.
type list struct {
	store *memory

	mu    sync.Mutex
	got   map[fiscal.Partition][]journal.Seq
	pages []int
	calls int
	fail  func(page []journal.Entry) error // nil: nothing fails
	delay time.Duration
}

func newList(m *memory) *list {
	return &list{store: m, got: map[fiscal.Partition][]journal.Seq{}}
}

func (l *list) ID() ID { return testID }

func (l *list) Apply(ctx context.Context, m Move, page []journal.Entry) error {
	l.mu.Lock()
	l.calls++
	fail := l.fail
	l.mu.Unlock()
	if l.delay > 0 {
		select {
		case <-time.After(l.delay):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	if fail != nil {
		if err := fail(page); err != nil {
			return err
		}
	}
	l.store.mu.Lock()
	defer l.store.mu.Unlock()
	if l.store.down != nil {
		return l.store.down
	}
	if err := l.store.move(m); err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.pages = append(l.pages, len(page))
	for _, e := range page {
		l.got[m.Partition] = append(l.got[m.Partition], e.Seq)
	}
	return nil
}

// gapless reports whether a partition was followed from 1 to n, each once.
func (l *list) gapless(p fiscal.Partition, n int) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	want := make([]journal.Seq, n)
	for i := range want {
		want[i] = journal.Seq(i + 1)
	}
	return slices.Equal(l.got[p], want)
}

// followed is what came of a partition.
func (l *list) followed(p fiscal.Partition) []journal.Seq {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.got[p])
}

func (l *list) called() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.calls
}

// looks is how often somebody asked for the heads.
func (m *memory) looks() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.polls
}

// retire keeps what was up to an entry no longer.
func (m *memory) retire(p fiscal.Partition, last journal.Seq) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.retired[p] = last
}

// Retired implements Store.
func (m *memory) Retired(context.Context) (map[fiscal.Partition]journal.Seq, error) {
	unlock, err := m.lock()
	defer unlock()
	return maps.Clone(m.retired), err
}
