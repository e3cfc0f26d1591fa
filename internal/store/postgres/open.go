package postgres

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"openofd/internal/cabinet"
	"openofd/internal/fiscal"
	"openofd/internal/intake"
	"openofd/internal/journal"
	"openofd/internal/keyring"
	"openofd/internal/registry"
)

var (
	_ journal.Store  = (*DB)(nil)
	_ intake.Store   = (*DB)(nil)
	_ registry.Store = (*DB)(nil)
	_ keyring.Store  = (*DB)(nil)
	_ cabinet.Store  = (*Public)(nil)
)

// Options say how to open an installation. URL alone is enough.
type Options struct {
	// URL is postgres://user@host:port/name. It may name several hosts: the one
	// that can be written to is found, unless target_session_attrs says
	// otherwise.
	URL        string
	Committers int              // how many Appends run at once; 0 means 4
	Log        *slog.Logger     // nil is nobody
	Now        func() time.Time // nil means time.Now
}

// How many connections a node holds at most, beside one for each committer.
const (
	defaultCommitters = 4
	fences            = 1
	serviceConns      = 12
	readerConns       = 4
)

// DB is an open installation. Safe for concurrent use; everything after Close
// answers StoreDown.
type DB struct {
	commits *pgxpool.Pool // Append and Fence
	rest    *pgxpool.Pool // whatever else the service does
	pages   *pgxpool.Pool // Public
	log     *slog.Logger
	now     func() time.Time

	partitions int
	citus      bool
	entryType  uint32    // OID of the row type of entries
	appenders  sync.Pool // of *appender
}

// Open opens the installation in a database. It never migrates.
//
// Errors: Conflict when the schema is not this program's or our clock is more
// than a second off the database's; Denied when the login was not granted the
// roles; Invalid for an address that is none; StoreDown.
func Open(ctx context.Context, o Options) (*DB, error) {
	schema, err := Schemas(ctx, o.URL)
	if err != nil {
		return nil, granted(err)
	}
	if err := schema[0].fits(); err != nil {
		return nil, err
	}
	db := &DB{log: o.Log, now: o.Now, citus: schema[0].Citus}
	if db.log == nil {
		db.log = slog.New(slog.DiscardHandler)
	}
	if db.now == nil {
		db.now = time.Now
	}
	if err := db.open(ctx, o); err != nil {
		return nil, errors.Join(granted(err), db.Close())
	}
	return db, nil
}

// granted says what to do when a login lacks the roles.
func granted(err error) error {
	if code(err) == notGranted {
		return &fiscal.Error{Of: fiscal.Denied, Field: "db", Msg: "this login may not act for the service: GRANT ofd_service, ofd_reader TO it", Err: err}
	}
	return err
}

func (db *DB) open(ctx context.Context, o Options) (err error) {
	// A pool outlives the context it was opened with.
	own := context.WithoutCancel(ctx)
	if db.commits, err = pool(own, o.URL, service, cmp.Or(max(o.Committers, 0), defaultCommitters)+fences, appending, db.prepare); err != nil {
		return err
	}
	if db.rest, err = pool(own, o.URL, service, serviceConns, map[string]string{"statement_timeout": "10s"}, nil); err != nil {
		return err
	}
	if db.pages, err = pool(own, o.URL, reader, readerConns, map[string]string{"statement_timeout": "5s"}, nil); err != nil {
		return err
	}
	if db.partitions, err = db.Partitions(ctx); err != nil {
		return fmt.Errorf("open the installation: %w", err)
	}
	if err := db.rest.QueryRow(ctx, `SELECT 'entries'::regtype::oid`).Scan(&db.entryType); err != nil {
		return fmt.Errorf("open the installation: %w", named(err))
	}
	if err := db.checkClock(ctx); err != nil {
		return err
	}
	return db.openMonths(ctx)
}

// Close waits for what is under way and closes the connections.
func (db *DB) Close() error {
	for _, p := range []*pgxpool.Pool{db.commits, db.rest, db.pages} {
		if p != nil {
			p.Close()
		}
	}
	return nil
}

// PerPartition reports whether a transaction must keep to one partition: on
// Citus, where each lies on one shard.
func (db *DB) PerPartition() bool { return db.citus }

// Partitions is P, fixed at the first migration.
func (db *DB) Partitions(ctx context.Context) (int, error) {
	n, ok, err := one[string](ctx, db.rest, `SELECT value FROM installation WHERE name = 'partitions'`)
	if err == nil && !ok {
		err = &fiscal.Error{Of: fiscal.Corrupt, Field: "installation", Msg: "the number of partitions is missing"}
	}
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(n)
}

// known refuses a partition that is not there.
func (db *DB) known(p fiscal.Partition) error {
	if p < 0 || int(p) >= db.partitions {
		return missing("partition %d", p)
	}
	return nil
}

// missing says that something is not there.
func missing(what string, args ...any) error {
	return &fiscal.Error{Reason: fiscal.NothingThere, Msg: fmt.Sprintf(what, args...)}
}
