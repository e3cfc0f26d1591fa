package sqlitefile

import (
	"sync"
	"time"

	engine "modernc.org/sqlite/lib"
)

// mover moves the write-ahead log into the file (SQLite calls it a checkpoint)
// beside the writer, on a connection of its own.
//
// A log starts anew only when a writer finds all of it moved. Under steady load
// that never happens by itself: while one part is moved, the next is written.
// So once the log is longer than its bound, the mover takes the writer's turn
// for the short rest that came in since.
type mover struct {
	f    *File
	c    *conn
	work chan struct{}
	done chan struct{}
	wait sync.WaitGroup
}

// moveEvery is how long the mover rests between two moves of a short log, so
// that a page that changes often is moved once and not each time.
const moveEvery = 250 * time.Millisecond

func startMover(f *File) (*mover, error) {
	c, err := openConn(f.path, engine.SQLITE_OPEN_READWRITE, "synchronous = FULL", "cache_size = -256")
	if err != nil {
		return nil, err
	}
	m := &mover{f: f, c: c, work: make(chan struct{}, 1), done: make(chan struct{})}
	m.wait.Go(m.run)
	return m, nil
}

// wake says that there is something to move.
func (m *mover) wake() {
	select {
	case m.work <- struct{}{}:
	default:
	}
}

func (m *mover) stop() {
	close(m.done)
	m.wait.Wait()
	m.c.close()
}

func (m *mover) run() {
	rest := time.NewTimer(moveEvery)
	defer rest.Stop()
	for {
		select {
		case <-m.done:
			return
		case <-m.work:
		}
		if length := m.move(); length > m.f.bound/2 {
			continue
		}
		rest.Reset(moveEvery)
		select {
		case <-m.done:
			return
		case <-rest.C:
		}
	}
}

// move moves what readers allow and tells how long the log was. What goes wrong
// is not lost: the log keeps it.
func (m *mover) move() (length int64) {
	length, moved, err := m.c.checkpoint()
	if err == nil && length > m.f.bound {
		select {
		case m.f.turn <- struct{}{}:
		case <-m.done:
			return 0
		}
		length, moved, err = m.c.checkpoint()
		m.f.giveTurn()
	}
	if err != nil {
		m.f.log.Warn("write-ahead log not moved", "file", m.f.path, "err", err)
		return 0
	}
	if length > longestLogFactor*m.f.bound && moved < length {
		m.f.log.Warn("write-ahead log grows: a reader has been at work too long", "file", m.f.path, "pages", length)
		return 0
	}
	return length
}

// checkpoint moves pages until it would have to wait for somebody. It tells how
// long the log is and how much of it has been moved, in pages.
func (c *conn) checkpoint() (length, moved int64, err error) {
	rc := engine.Xsqlite3_wal_checkpoint_v2(c.tls, c.db, 0, engine.SQLITE_CHECKPOINT_PASSIVE, c.out, c.out+4)
	if rc != engine.SQLITE_OK && rc&0xff != engine.SQLITE_BUSY {
		return 0, 0, c.failed(rc)
	}
	return int64(*(*int32)(at(c.out))), int64(*(*int32)(at(c.out + 4))), nil
}
