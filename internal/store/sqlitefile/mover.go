package sqlitefile

import (
	"sync"
	"sync/atomic"
	"time"

	engine "modernc.org/sqlite/lib"
)

// mover moves the write-ahead log into the file (SQLite calls it a checkpoint)
// beside the writer, on a connection of its own: after each quarter of the
// log's bound, and once a second when there is less.
//
// A log starts anew only when a writer finds all of it moved. Under steady load
// that never happens by itself: while one part is moved, the next is written.
// So once the log is longer than its bound, the mover takes the writer's turn
// for the short rest that came in since.
type mover struct {
	f    *File
	c    *conn
	new  atomic.Int64  // pages written since the last move
	work chan struct{} // capacity 1
	done chan struct{}
	wait sync.WaitGroup
}

// idleMove is how long a little may lie unmoved.
const idleMove = time.Second

func startMover(f *File) (*mover, error) {
	c, err := openConn(f.path, engine.SQLITE_OPEN_READWRITE, "synchronous = FULL", "cache_size = -256")
	if err != nil {
		return nil, err
	}
	m := &mover{f: f, c: c, work: make(chan struct{}, 1), done: make(chan struct{})}
	m.wait.Go(m.run)
	return m, nil
}

// wrote says that a commit added pages to the log.
func (m *mover) wrote(pages int64) {
	if m.new.Add(pages) < m.f.bound/4 {
		return
	}
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
	idle := time.NewTicker(idleMove)
	defer idle.Stop()
	for {
		select {
		case <-m.done:
			return
		case <-m.work:
		case <-idle.C:
			if m.new.Load() == 0 {
				continue
			}
		}
		m.move()
	}
}

// move moves what readers allow. What goes wrong is not lost: the log keeps it.
func (m *mover) move() {
	m.new.Store(0)
	length, moved, err := m.c.checkpoint()
	if err == nil && length > m.f.bound {
		select {
		case m.f.turn <- struct{}{}:
		case <-m.done:
			return
		}
		length, moved, err = m.c.checkpoint()
		m.f.giveTurn()
	}
	switch {
	case err != nil:
		m.f.log.Warn("write-ahead log not moved", "file", m.f.path, "err", err)
	case length > longestLogFactor*m.f.bound && moved < length:
		m.f.log.Warn("write-ahead log grows: a reader has been at work too long", "file", m.f.path, "pages", length)
	}
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

// pagesWritten is how many pages the connection has written since it was last
// asked.
func (c *conn) pagesWritten() int64 {
	const reset = 1
	if engine.Xsqlite3_db_status(c.tls, c.db, engine.SQLITE_DBSTATUS_CACHE_WRITE, c.out, c.out+4, reset) != engine.SQLITE_OK {
		return 0
	}
	return int64(*(*int32)(at(c.out)))
}
