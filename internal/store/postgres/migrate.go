package postgres

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"

	"openofd/internal/fiscal"
)

//go:embed migrations/*.sql
var migrations embed.FS

//go:embed roles.sql
var roles string

// MigrateOptions say what to migrate. URL alone is enough.
type MigrateOptions struct {
	URL        string // of a login that may make roles the first time, and act as ofd_owner later
	Partitions int    // at the first migration, never changed; 0 means 64
	Citus      bool   // distribute over the workers of Citus
	// Progress is told of each migration before it runs; nil is nobody.
	Progress func(done, total int, name string)
	Log      *slog.Logger // nil is nobody
}

const defaultPartitions = 64

// maxPartitions keeps the heads' lock order and a batch's size within reason.
const maxPartitions = 4096

// Migrate makes the schema of a database what this program needs: the roles,
// then each missing migration in a transaction of its own. Two that run at once
// take turns.
//
// Errors: Conflict for a schema newer than the program, other partitions than
// there are, Citus where it is not installed; StoreDown.
func Migrate(ctx context.Context, o MigrateOptions) error {
	if o.Partitions < 0 || o.Partitions > maxPartitions {
		return &fiscal.Error{Of: fiscal.Invalid, Field: "partitions", Msg: fmt.Sprintf("%d is not from 1 to %d", o.Partitions, maxPartitions)}
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	conn, err := connect(ctx, o.URL)
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	if _, err := conn.Exec(ctx, `SET lock_timeout = 0; SELECT pg_advisory_lock(hashtext('ofd migrate'))`); err != nil { // until we disconnect
		return fmt.Errorf("wait for another migration: %w", named(err))
	}
	if o.Citus {
		if err := citusThere(ctx, conn); err != nil {
			return err
		}
	}
	if err := makeRoles(ctx, conn); err != nil {
		return fmt.Errorf("make the roles: %w", named(err))
	}
	if err := migrate(ctx, o); err != nil {
		return err
	}
	if err := samePartitions(ctx, conn, o.Partitions); err != nil {
		return err
	}
	if o.Citus {
		return distribute(ctx, conn)
	}
	return nil
}

// makeRoles is tried again when another database of the cluster changes the
// same roles at the same moment.
func makeRoles(ctx context.Context, conn *pgx.Conn) error {
	for try := 1; ; try++ {
		_, err := conn.Exec(ctx, roles)
		if err == nil || try == 20 || code(err) != "XX000" { // tuple concurrently updated
			return err
		}
	}
}

// migrate runs what is missing as the owner.
func migrate(ctx context.Context, o MigrateOptions) error {
	cfg, err := parse(o.URL)
	if err != nil {
		return err
	}
	p := cfg.ConnConfig.RuntimeParams
	p["role"] = owner
	p["ofd.partitions"] = strconv.Itoa(positive(o.Partitions, defaultPartitions))
	delete(p, "idle_in_transaction_session_timeout")
	db := sql.OpenDB(stdlib.GetConnector(*cfg.ConnConfig))
	defer db.Close()
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return err
	}
	provider, err := goose.NewProvider(goose.DialectPostgres, db, files, goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return err
	}
	has, err := provider.GetDBVersion(ctx)
	if err != nil {
		return fmt.Errorf("read the schema: %w", named(err))
	}
	needs, err := newest()
	if err != nil {
		return err
	}
	if has > needs {
		return Schema{Database: cfg.ConnConfig.Database, Has: has, Needs: needs}.fits()
	}
	sources := provider.ListSources()
	for i, s := range sources {
		if s.Version <= has {
			continue
		}
		name := strings.TrimSuffix(filepath.Base(s.Path), ".sql")
		if o.Progress != nil {
			o.Progress(i, len(sources), name)
		}
		if _, err := provider.ApplyVersion(ctx, s.Version, true); err != nil {
			return fmt.Errorf("migrate to %s: %w", name, named(err))
		}
		o.Log.Info("schema migrated", "database", cfg.ConnConfig.Database, "to", name)
	}
	return nil
}

func positive(v, otherwise int) int {
	if v > 0 {
		return v
	}
	return otherwise
}

// samePartitions refuses a number of partitions that is not the installation's.
func samePartitions(ctx context.Context, conn *pgx.Conn, want int) error {
	var has int
	if err := conn.QueryRow(ctx, `SELECT value::integer FROM installation WHERE name = 'partitions'`).Scan(&has); err != nil {
		return fmt.Errorf("read the number of partitions: %w", named(err))
	}
	if want != 0 && want != has {
		return &fiscal.Error{Of: fiscal.Conflict, Field: "partitions", Msg: fmt.Sprintf("the installation has %d, fixed when it was made", has)}
	}
	return nil
}

// newest is the number of the last migration.
func newest() (int64, error) {
	names, err := fs.Glob(migrations, "migrations/*.sql")
	var last int64
	for _, n := range names {
		v, e := goose.NumericComponent(n)
		err = errors.Join(err, e)
		last = max(last, v)
	}
	return last, err
}
