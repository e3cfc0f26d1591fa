package sqlitefile

import (
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"testing"
	"testing/fstest"

	"openofd/internal/fiscal"
)

func TestMigrations(t *testing.T) {
	path := filepath.Join(t.TempDir(), "name with a ? and a #.db")
	var told []string
	o := Options{Path: path, Migrations: things, Migrate: true, Progress: func(done, total int, name string) {
		told = append(told, fmt.Sprint(done, " of ", total, " ", name))
	}}

	o.Migrate = false
	if _, err := Open(t.Context(), o); !errors.Is(err, ErrOlder) || !errors.Is(err, fiscal.Conflict) {
		t.Errorf("Open of a new file without the right to migrate: error %v, want ErrOlder", err)
	}
	o.Migrate = true
	for range 2 {
		f := open(t, o)
		if err := f.Write(t.Context(), add("x", nil)); err != nil {
			t.Fatal(err)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}

	more := maps.Clone(things)
	more["00002_more.sql"] = &fstest.MapFile{Data: []byte("-- +goose Up\nALTER TABLE things ADD COLUMN more TEXT;\n")}
	o.Migrations = more
	f := open(t, o)
	if n := count(t, f); n != 2 {
		t.Errorf("%d rows after a migration, want 2", n)
	}
	if want := []string{"0 of 1 00001_things", "1 of 2 00002_more"}; !slices.Equal(told, want) {
		t.Errorf("progress %q, want %q", told, want)
	}

	o.Migrations = things
	if _, err := Open(t.Context(), o); !errors.Is(err, fiscal.Conflict) || errors.Is(err, ErrOlder) {
		t.Errorf("Open with an older program: error %v, want Conflict", err)
	}

	bad := maps.Clone(more)
	bad["00003_bad.sql"] = &fstest.MapFile{Data: []byte("-- +goose Up\nCREATE TABLE half (x TEXT);\nALTER TABLE nowhere ADD COLUMN y TEXT;\n")}
	o.Migrations = bad
	if _, err := Open(t.Context(), o); err == nil {
		t.Error("Open with a migration that fails: no error")
	}
	if err := f.Read(t.Context(), func(tx *Tx) error {
		if n, _, err := tx.QueryInt("SELECT count(*) FROM sqlite_schema WHERE name = 'half'"); err != nil || n != 0 {
			t.Errorf("half a migration is there: %d, %v", n, err)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}
