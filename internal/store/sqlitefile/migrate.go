package sqlitefile

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/pressly/goose/v3"
	engine "modernc.org/sqlite/lib"

	"openofd/internal/fiscal"
)

// ErrOlder marks the error of Open for a file that has yet to be migrated.
var ErrOlder = errors.New("the schema is older than the program")

// fitSchema migrates the file, or checks that nothing is left to migrate.
func (f *File) fitSchema(ctx context.Context, o Options) error {
	want, err := newest(o.Migrations)
	if err != nil {
		return err
	}
	have, err := f.schema()
	if err != nil {
		return err
	}
	switch {
	case have > want:
		return &fiscal.Error{Of: fiscal.Conflict, Field: "schema", Msg: fmt.Sprintf("%s has schema %d, this program knows %d: use the newer program", f.path, have, want)}
	case have == want:
		return nil
	case !o.Migrate:
		return &fiscal.Error{Of: fiscal.Conflict, Field: "schema", Msg: fmt.Sprintf("%s has schema %d, this program needs %d: start the server with this program first", f.path, have, want), Err: ErrOlder}
	}
	return f.migrate(ctx, o)
}

// schema is the version of a file's schema: 0 for one that is new or not there.
func (f *File) schema() (int64, error) {
	if _, err := os.Stat(f.path); errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	c, err := openConn(f.path, engine.SQLITE_OPEN_READONLY)
	if err != nil {
		return 0, err
	}
	defer c.close()
	tx := &Tx{c}
	if _, made, err := tx.QueryInt("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'goose_db_version'"); err != nil || !made {
		return 0, err
	}
	v, _, err := tx.QueryInt("SELECT max(version_id) FROM goose_db_version WHERE is_applied")
	return v, err
}

// newest is the number of the last migration.
func newest(files fs.FS) (int64, error) {
	names, err := fs.Glob(files, "*.sql")
	if err != nil {
		return 0, err
	}
	var last int64
	for _, n := range names {
		v, err := goose.NumericComponent(n)
		if err != nil {
			return 0, err
		}
		last = max(last, v)
	}
	return last, nil
}

// migrate runs what is missing, each migration in a transaction of its own.
func (f *File) migrate(ctx context.Context, o Options) error {
	path, err := filepath.Abs(f.path)
	if err != nil {
		return err
	}
	dsn := url.URL{Scheme: "file", Path: path, RawQuery: url.Values{
		"_busy_timeout": {fmt.Sprint(busyMillis)},
		"_pragma":       {fmt.Sprintf("page_size(%d)", pageBytes), "foreign_keys(1)"},
		"_txlock":       {"immediate"},
	}.Encode()}
	db, err := sql.Open("sqlite", dsn.String())
	if err != nil {
		return err
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	// The mode goes with the file, but not for a mere look at its schema.
	if _, err := db.ExecContext(ctx, "PRAGMA journal_mode = WAL"); err != nil {
		return fmt.Errorf("open %s: %w", f.path, err)
	}
	p, err := goose.NewProvider(goose.DialectSQLite3, db, o.Migrations, goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return err
	}
	sources := p.ListSources()
	have, err := p.GetDBVersion(ctx)
	if err != nil {
		return err
	}
	for i, s := range sources {
		if s.Version <= have {
			continue
		}
		name := strings.TrimSuffix(filepath.Base(s.Path), ".sql")
		if o.Progress != nil {
			o.Progress(i, len(sources), name)
		}
		if _, err := p.ApplyVersion(ctx, s.Version, true); err != nil {
			return fmt.Errorf("migrate %s to %s: %w", f.path, name, err)
		}
		f.log.Info("schema migrated", "file", f.path, "to", name)
	}
	return nil
}
