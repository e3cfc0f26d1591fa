package sqlite

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"openofd/internal/fiscal"
	"openofd/internal/intake"
	"openofd/internal/journal"
	"openofd/internal/keyring"
	"openofd/internal/registry"
	"openofd/internal/store/sqlitefile"
)

var (
	_ journal.Store  = (*DB)(nil)
	_ intake.Store   = (*DB)(nil)
	_ registry.Store = (*DB)(nil)
	_ keyring.Store  = (*DB)(nil)
)

// The files of a folder.
const (
	mainName    = "ofd.db"
	cabinetName = "cabinet.1.db"
	lockName    = "ofd.lock"
)

// partition is the only one.
const partition fiscal.Partition = 0

//go:embed migrations
var migrations embed.FS

// Options say how to open an installation. Dir alone is enough.
type Options struct {
	Dir string // made if missing
	// CacheBytes is the page cache of acceptance; 0 means 32 MiB, enough for
	// about 40,000 registers at work. What it lacks is read from the system's.
	CacheBytes int64
	// LogBytes is about how far the write-ahead log may grow; 0 means 64 MiB.
	LogBytes int64
	Log      *slog.Logger // nil is nobody
	// Serve takes the folder for this process alone. Commands leave it false and
	// work beside a server, or without one.
	Serve bool
	// Progress is told of each migration before it runs; nil is nobody.
	Progress func(done, total int, name string)
	Now      func() time.Time // nil means time.Now
}

const (
	defaultCache = 32 << 20
	defaultLog   = 64 << 20
	commandCache = 8 << 20
)

// DB is an open installation. Safe for concurrent use; everything after Close
// answers StoreDown.
type DB struct {
	main    *sqlitefile.File
	cabinet *sqlitefile.File
	lock    *sqlitefile.Lock // nil beside a server
	now     func() time.Time
}

// Open opens the installation in a folder, or makes it. The schema is brought
// up to date by who serves, or by a command while nobody does.
//
// Errors: Conflict when another process serves the folder or the schema is not
// this program's; Corrupt; StoreDown.
func Open(ctx context.Context, o Options) (*DB, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		return nil, &fiscal.Error{Reason: fiscal.StoreDown, Msg: "make the data folder: look at the rights above it", Err: err}
	}
	db := &DB{now: o.Now}
	var err error
	if o.Serve {
		if db.lock, err = takeLock(o); err == nil {
			err = db.open(ctx, o, true)
		}
	} else if err = db.open(ctx, o, false); errors.Is(err, sqlitefile.ErrOlder) {
		err = db.openAndMigrate(ctx, o, err)
	}
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

// openAndMigrate does for a command what the server would do, unless one is at
// work. cause is why it has to.
func (db *DB) openAndMigrate(ctx context.Context, o Options, cause error) error {
	if err := db.Close(); err != nil {
		return err
	}
	lock, err := takeLock(o)
	if errors.Is(err, fiscal.Conflict) {
		return cause
	}
	if err != nil {
		return err
	}
	return errors.Join(db.open(ctx, o, true), lock.Release())
}

func takeLock(o Options) (*sqlitefile.Lock, error) {
	return sqlitefile.TakeLock(filepath.Join(o.Dir, lockName))
}

func (db *DB) open(ctx context.Context, o Options, migrate bool) error {
	file := func(name, folder string, cache, log int64) (*sqlitefile.File, error) {
		files, err := fs.Sub(migrations, "migrations/"+folder)
		if err != nil {
			return nil, err
		}
		if !o.Serve { // a command is short: small, and no goroutine of its own
			cache, log = min(cache, commandCache), 0
		}
		return sqlitefile.Open(ctx, sqlitefile.Options{
			Path: filepath.Join(o.Dir, name), Migrations: files, Migrate: migrate,
			Progress: o.Progress, CacheBytes: cache, LogBytes: log, Log: o.Log,
		})
	}
	var err error
	if db.main, err = file(mainName, "main", positive(o.CacheBytes, defaultCache), positive(o.LogBytes, defaultLog)); err != nil {
		return fmt.Errorf("open the installation: %w", err)
	}
	if db.cabinet, err = file(cabinetName, "cabinet", defaultCache, defaultLog); err != nil {
		return fmt.Errorf("open the cabinet's tables: %w", err)
	}
	return nil
}

func positive(v, otherwise int64) int64 {
	if v > 0 {
		return v
	}
	return otherwise
}

// Close waits for what is under way and closes the files.
func (db *DB) Close() error {
	var errs []error
	for _, f := range []*sqlitefile.File{db.main, db.cabinet} {
		if f != nil {
			errs = append(errs, f.Close())
		}
	}
	if db.lock != nil {
		errs = append(errs, db.lock.Release())
		db.lock = nil
	}
	return errors.Join(errs...)
}

// Check reads both files whole and reports damage. The error is Corrupt.
func (db *DB) Check(ctx context.Context) error {
	return errors.Join(db.main.Check(ctx), db.cabinet.Check(ctx))
}

// Limit bounds ofd.db to about that many bytes until the installation is
// closed; 0 takes the bound away. What does not fit is refused as if the disk
// were full.
func (db *DB) Limit(ctx context.Context, bytes int64) error { return db.main.Limit(ctx, bytes) }
