package sqlitefile

import (
	"context"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"sync"

	engine "modernc.org/sqlite/lib"

	"openofd/internal/fiscal"
)

// Options say how to open a file. Path alone is enough.
type Options struct {
	Path       string
	Migrations fs.FS // goose files in its root; nil is none
	// Migrate brings the schema up to date. Without it Open refuses a file whose
	// schema is not the one that Migrations lead to.
	Migrate bool
	// Progress is told of each migration before it runs; nil is nobody.
	Progress   func(done, total int, name string)
	CacheBytes int64 // page cache of the writer; 0 means 256 MiB
	Readers    int   // reading connections, opened when needed; 0 means 4
	// LogBytes is about how far the write-ahead log may grow. With 0 the writer
	// moves the log into the file itself, now and then, as part of a Write; else
	// that is done beside it, so that no Write has to wait for it.
	LogBytes int64
	Log      *slog.Logger // nil is nobody
}

const (
	pageBytes        = 4096
	defaultCache     = 256 << 20
	readerCache      = 16 << 20
	defaultReaders   = 4
	pagesPerOwnMove  = 1000       // how often a writer without a mover moves the log
	longestLogFactor = 4          // a log longer than that many times its bound is cut when it starts anew
	maxPages         = 4294967294 // as many as SQLite can count
)

// File is an open SQLite file. Safe for concurrent use.
type File struct {
	path  string
	log   *slog.Logger
	cache int64 // bytes
	bound int64 // pages of log; 0: the writer moves it

	turn    chan struct{} // held by whoever uses writer
	writer  *conn         // nil after a connection had to be given up
	readers chan *conn    // nil stands for one not opened yet
	closed  chan struct{}
	once    sync.Once
	mover   *mover // nil: the writer moves the log

	maxPages int64 // guarded by turn
}

// Open opens or makes the file. Errors: Corrupt, StoreDown (Unavailable),
// Conflict for a schema that does not fit.
func Open(ctx context.Context, o Options) (*File, error) {
	f := &File{
		path: o.Path, log: o.Log, cache: o.CacheBytes, bound: o.LogBytes / pageBytes,
		turn: make(chan struct{}, 1), closed: make(chan struct{}), maxPages: maxPages,
	}
	if f.log == nil {
		f.log = slog.New(slog.DiscardHandler)
	}
	if f.cache <= 0 {
		f.cache = defaultCache
	}
	if o.Readers <= 0 {
		o.Readers = defaultReaders
	}
	if o.Migrations != nil {
		if err := f.fitSchema(ctx, o); err != nil {
			return nil, fault(f.path, err)
		}
	}
	var err error
	if f.writer, err = f.openWriter(); err != nil {
		return nil, fault(f.path, err)
	}
	f.readers = make(chan *conn, o.Readers)
	for range o.Readers {
		f.readers <- nil
	}
	if f.bound > 0 {
		if f.mover, err = startMover(f); err != nil {
			f.writer.close()
			return nil, fault(f.path, err)
		}
	}
	return f, nil
}

// shared are the pragmas of every connection. A trigger that refuses a DELETE
// sees the deletes of REPLACE only with recursive_triggers.
var shared = [...]string{"foreign_keys = 1", "recursive_triggers = 1", "trusted_schema = 0", "cell_size_check = 1", "temp_store = MEMORY"}

func (f *File) openWriter() (*conn, error) {
	move, usual := int64(0), f.bound
	if f.bound == 0 {
		move, usual = pagesPerOwnMove, pagesPerOwnMove
	}
	c, err := openConn(f.path, engine.SQLITE_OPEN_READWRITE|engine.SQLITE_OPEN_CREATE, append([]string{
		fmt.Sprintf("page_size = %d", pageBytes),
		"journal_mode = WAL",
		"synchronous = FULL",
		fmt.Sprintf("cache_size = -%d", f.cache/1024),
		fmt.Sprintf("wal_autocheckpoint = %d", move),
		fmt.Sprintf("journal_size_limit = %d", longestLogFactor*usual*pageBytes),
	}, shared[:]...)...)
	if err != nil {
		return nil, err
	}
	if f.maxPages != maxPages {
		err = c.limit(f.maxPages)
	}
	if err == nil {
		err = c.gatherLog()
	}
	if err != nil {
		c.close()
		return nil, err
	}
	return c, nil
}

func (c *conn) limit(pages int64) error {
	s, err := c.prepare(fmt.Sprintf("PRAGMA max_page_count = %d", pages))
	if err != nil {
		return err
	}
	_, err = s.Exec()
	return err
}

func (f *File) openReader() (*conn, error) {
	return openConn(f.path, engine.SQLITE_OPEN_READONLY, append([]string{
		fmt.Sprintf("cache_size = -%d", readerCache/1024),
	}, shared[:]...)...)
}

// Path is the file's path.
func (f *File) Path() string { return f.path }

// LogBytes is the present size of the write-ahead log's file.
func (f *File) LogBytes() (int64, error) {
	i, err := os.Stat(f.path + "-wal")
	if err != nil {
		return 0, err
	}
	return i.Size(), nil
}

func (f *File) isClosed() error {
	return &fiscal.Error{Reason: fiscal.StoreDown, Msg: f.path + " is closed"}
}

// Close waits for who is reading or writing, moves the log into the file and
// closes it. Everything afterwards answers StoreDown.
func (f *File) Close() error {
	var err error
	f.once.Do(func() {
		close(f.closed)
		if f.mover != nil {
			f.mover.stop()
		}
		for range cap(f.readers) {
			if c := <-f.readers; c != nil {
				c.close()
			}
		}
		f.turn <- struct{}{} // kept for good
		if f.writer != nil {
			_, err = f.writer.exec("PRAGMA wal_checkpoint(TRUNCATE)")
			f.writer.close()
		}
	})
	return fault(f.path, err)
}
