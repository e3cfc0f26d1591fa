package sqlitefile

import (
	"context"
	"fmt"
	"os"
	"time"

	"modernc.org/libc"
	engine "modernc.org/sqlite/lib"
)

// Backup copies a database to another file as it is at one instant, beside
// whoever reads and writes it.
//
// It never holds one view of the file for long. All pages are due at first.
// Again and again it takes a new view and copies some of the pages that are
// due; what the log got since the view before is due once more. When nothing
// is due under one view, the copy is what that view shows.
//
// What the log got is known for certain because the next view is taken before
// the former is let go. A log is begun anew only when all of it stands in the
// file and no reader needs it; so between two such views it is begun anew only
// if the former saw it at its end, and moved into the file it cannot be as long
// as that one lasts. Since views that overlap would also keep the log from ever
// being begun anew, the backup sees to that itself (moveLog).
//
// Sources: sqlite.org/walformat.html, sqlite.org/c3ref/snapshot.html,
// sqlite.org/dbpage.html.
type Backup struct {
	Path string   // the database
	To   *os.File // empty; written from its beginning, not synced at the end
	// Progress is told how many bytes of how many are copied; nil is nobody.
	Progress func(done, total int64)
	// Pause is called between two views, never before the last; nil is no pause.
	Pause func(ctx context.Context, bytes int64) error

	perView int64  // pages copied under one view, more if that is too few; 0 means pagesPerView
	longLog uint32 // pages; a log longer than that is begun anew; 0 means backupLogPages
}

const (
	pagesPerView   = 4096    // 16 MiB, some tens of milliseconds
	bytesPerSync   = 8 << 20 // more at once would hold up the syncs of others on the disk
	backupLogPages = 8192    // 32 MiB
	triesToLock    = 200
	pauseToLock    = 50 * time.Microsecond
	nearBytes      = 1 << 20 // neighbors are written together, up to that much
)

// Run makes the copy and returns its size in bytes. After an error the copy is
// worth nothing.
//
// Errors: StoreDown, Corrupt; those of To, of Pause and of ctx.
func (b *Backup) Run(ctx context.Context) (bytes int64, err error) {
	r := &backup{Backup: *b}
	defer r.close()
	if err := r.open(); err != nil {
		return 0, fault(b.Path, err)
	}
	bytes, err = r.run(ctx)
	return bytes, fault(b.Path, err)
}

// backup is a Backup under way.
type backup struct {
	Backup
	views  [2]*conn // one holds the view, the other takes the next
	now    view
	log    *os.File
	writer *conn // holds the write lock while the log is moved
	mover  *conn
	due    due
	size   int64  // bytes of a page
	near   []byte // neighboring pages that are not written yet
	first  int64  // page in near
	dirty  int64  // bytes written since the last sync
}

// view is what a reader sees: how long the log is, in which of its
// generations, and how many pages the database has.
type view struct {
	conn  int // in views
	salts [2]uint32
	log   uint32 // pages
	pages int64
}

func (b *backup) open() (err error) {
	if b.perView == 0 {
		b.perView = pagesPerView
	}
	if b.longLog == 0 {
		b.longLog = backupLogPages
	}
	for _, c := range []**conn{&b.views[0], &b.views[1], &b.writer, &b.mover} {
		if *c, err = openConn(b.Path, engine.SQLITE_OPEN_READWRITE, "journal_mode = WAL", "synchronous = FULL", "cache_size = -1024"); err != nil {
			return err
		}
	}
	engine.Xsqlite3_busy_timeout(b.writer.tls, b.writer.db, 0) // see takeWriteLock
	if b.size, _, err = (&Tx{b.writer}).QueryInt("PRAGMA page_size"); err != nil {
		return err
	}
	if b.now, err = b.look(0); err != nil {
		return err
	}
	b.due.grow(b.now.pages)
	b.log, err = os.Open(b.Path + "-wal")
	return err
}

func (b *backup) close() {
	for _, c := range []*conn{b.views[0], b.views[1], b.writer, b.mover} {
		if c != nil {
			c.settle()
			c.close()
		}
	}
	if b.log != nil {
		b.log.Close()
	}
}

func (b *backup) run(ctx context.Context) (int64, error) {
	for left := int64(1) << 62; ; {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		copied, err := b.copy(b.perView)
		if err != nil {
			return 0, err
		}
		if b.Progress != nil {
			b.Progress((b.now.pages-b.due.count)*b.size, b.now.pages*b.size)
		}
		if b.due.count == 0 {
			return b.finish()
		}
		if b.Pause != nil && b.due.count > b.perView {
			if err := b.Pause(ctx, copied*b.size); err != nil {
				return 0, err
			}
		}
		if b.now.log > b.longLog && b.due.count > b.perView {
			err = b.moveLog()
		} else {
			err = b.step()
		}
		if err != nil {
			return 0, err
		}
		if b.due.count >= left { // they write as fast as we copy
			b.perView *= 2
		}
		left = b.due.count
	}
}

// look takes a view.
func (b *backup) look(i int) (v view, err error) {
	c := b.views[i]
	v.conn = i
	if _, err := c.exec("BEGIN"); err != nil {
		return v, err
	}
	if v.pages, _, err = (&Tx{c}).QueryInt("PRAGMA page_count"); err != nil {
		return v, err
	}
	v.salts, v.log, err = c.logEnd()
	return v, err
}

// step takes the next view and lets the former go.
func (b *backup) step() error {
	next, err := b.look(1 - b.now.conn)
	if err != nil {
		return err
	}
	if err := b.follow(&next); err != nil {
		return err
	}
	former := b.views[b.now.conn]
	b.now = next
	_, err = former.exec("ROLLBACK")
	return err
}

// follow marks as due what the log got between the present view and the next.
func (b *backup) follow(next *view) error {
	from := b.now.log
	if next.salts != b.now.salts {
		from = 0
	}
	b.due.grow(next.pages)
	var head [4]byte
	for i := from; i < next.log; i++ {
		if _, err := b.log.ReadAt(head[:], logHeader+int64(i)*(frameHeader+b.size)); err != nil {
			return fmt.Errorf("read the log: %w", err)
		}
		page := int64(head[0])<<24 | int64(head[1])<<16 | int64(head[2])<<8 | int64(head[3])
		if page <= next.pages {
			b.due.add(page)
		}
	}
	return nil
}

// moveLog moves the whole log into the file, if other readers let it, and takes
// a view that sees it so: the next writer then begins the log anew. Writers wait
// for the short rest that is left after a first move without them.
func (b *backup) moveLog() error {
	if err := b.step(); err != nil {
		return err
	}
	if _, _, err := b.mover.checkpoint(); err != nil {
		return err
	}
	if ok, err := b.takeWriteLock(); !ok || err != nil {
		return err // next time, if it was not our turn
	}
	err := b.step()
	if err == nil {
		_, _, err = b.mover.checkpoint()
	}
	if err == nil {
		err = b.step()
	}
	if _, e := b.writer.exec("ROLLBACK"); err == nil {
		err = e
	}
	return err
}

// takeWriteLock tries often, and not for long: who writes without a pause leaves
// the lock alone for microseconds, which SQLite's own way of waiting, sleeping
// longer and longer, does not meet.
func (b *backup) takeWriteLock() (ok bool, err error) {
	for range triesToLock {
		if _, err = b.writer.exec("BEGIN IMMEDIATE"); err == nil {
			return true, nil
		}
		if Code(err) != engine.SQLITE_BUSY {
			return false, err
		}
		time.Sleep(pauseToLock)
	}
	return false, nil
}

// copy copies up to so many pages that are due, as the present view shows them.
func (b *backup) copy(most int64) (copied int64, err error) {
	s, err := b.views[b.now.conn].prepare("SELECT data FROM sqlite_dbpage WHERE pgno = ?")
	if err != nil {
		return 0, err
	}
	for ; copied < most; copied++ {
		page := b.due.take()
		if page == 0 {
			break
		}
		s.BindInt(1, page)
		ok := s.Next() // it is there, or an error says why not
		if ok {
			err = b.put(page, s.view(0))
		}
		if e := s.Close(); err == nil {
			err = e
		}
		if err == nil && !ok {
			err = &Error{Code: engine.SQLITE_CORRUPT, Msg: fmt.Sprintf("page %d of %d cannot be read", page, b.now.pages)}
		}
		if err != nil {
			return copied, err
		}
	}
	return copied, b.flush()
}

// put writes a page, together with its neighbors.
func (b *backup) put(page int64, data []byte) error {
	if int64(len(data)) != b.size {
		return &Error{Code: engine.SQLITE_CORRUPT, Msg: fmt.Sprintf("page %d has %d bytes", page, len(data))}
	}
	if next := b.first + int64(len(b.near))/b.size; page != next || len(b.near) >= nearBytes {
		if err := b.flush(); err != nil {
			return err
		}
		b.first = page
	}
	b.near = append(b.near, data...)
	return nil
}

func (b *backup) flush() error {
	if len(b.near) == 0 {
		return nil
	}
	n, err := b.To.WriteAt(b.near, (b.first-1)*b.size)
	b.near = b.near[:0]
	if b.dirty += int64(n); err == nil && b.dirty >= bytesPerSync {
		b.dirty, err = 0, b.To.Sync()
	}
	return err
}

// finish gives the copy its length, and makes it a file without a log: any
// SQLite opens it as it lies, also where it may not write.
func (b *backup) finish() (int64, error) {
	bytes := b.now.pages * b.size
	if err := b.To.Truncate(bytes); err != nil {
		return 0, err
	}
	// Bytes 18 and 19 are the format versions for writing and reading: 2 is a
	// write-ahead log, 1 is none.
	if _, err := b.To.WriteAt([]byte{1, 1}, 18); err != nil {
		return 0, err
	}
	return bytes, nil
}

// Sizes in a write-ahead log, in bytes.
const (
	logHeader   = 32
	frameHeader = 24 // of each page; begins with its number, big-endian
)

// logEnd tells which generation of the log the connection's view sees, and how
// many pages of it. Nothing was ever logged: no salts, no pages.
func (c *conn) logEnd() (salts [2]uint32, pages uint32, err error) {
	name, err := libc.CString("main")
	if err != nil {
		return salts, 0, &Error{Code: engine.SQLITE_NOMEM, Msg: "out of memory"}
	}
	defer libc.Xfree(c.tls, name)
	rc := engine.Xsqlite3_snapshot_get(c.tls, c.db, name, c.out)
	if rc == engine.SQLITE_ERROR {
		return salts, 0, nil
	}
	if rc != engine.SQLITE_OK {
		return salts, 0, c.failed(rc)
	}
	s := *(*uintptr)(at(c.out))
	defer engine.Xsqlite3_snapshot_free(c.tls, s)
	// A snapshot is the header of the log's index: the length is its fifth
	// word, the salts are the ninth and the tenth.
	words := (*[12]uint32)(at(s))
	return [2]uint32{words[8], words[9]}, words[4], nil
}
