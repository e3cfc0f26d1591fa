package sqlite

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"openofd/internal/fiscal"
	"openofd/internal/store/sqlitefile"
)

func TestOneServer(t *testing.T) {
	dir := t.TempDir()
	server := open(t, Options{Dir: dir, Serve: true})
	_, err := Open(t.Context(), Options{Dir: dir, Serve: true})
	if !errors.Is(err, fiscal.Conflict) || !strings.Contains(err.Error(), fmt.Sprint(os.Getpid())) {
		t.Errorf("a second server: error %v, want Conflict that names process %d", err, os.Getpid())
	}
	command := open(t, Options{Dir: dir})
	if n, err := command.Partitions(t.Context()); err != nil || n != 1 {
		t.Errorf("a command beside the server: Partitions = %d, %v, want 1", n, err)
	}
	if err := server.Close(); err != nil {
		t.Fatal(err)
	}
	if n, err := command.Partitions(t.Context()); err != nil || n != 1 {
		t.Errorf("a command when the server has gone: Partitions = %d, %v, want 1", n, err)
	}
	open(t, Options{Dir: dir, Serve: true})
}

// TestMigratesOnce shows that a command makes an installation when nobody
// serves, leaves the folder free, and never migrates under a server's feet.
func TestMigratesOnce(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new")
	var told []string
	tell := func(_, _ int, name string) { told = append(told, name) }
	open(t, Options{Dir: dir, Progress: tell})
	var want []string // the main file's first
	for _, folder := range []string{"main", "cabinet"} {
		files, err := fs.Glob(migrations, "migrations/"+folder+"/*.sql")
		if err != nil || len(files) == 0 {
			t.Fatalf("migrations of %s: %q, %v", folder, files, err)
		}
		for _, f := range files {
			want = append(want, strings.TrimSuffix(filepath.Base(f), ".sql"))
		}
	}
	if !slices.Equal(told, want) {
		t.Errorf("a command in a new folder migrates %q, want %q", told, want)
	}
	open(t, Options{Dir: dir, Serve: true, Progress: tell})
	open(t, Options{Dir: dir, Progress: tell})
	if len(told) != len(want) {
		t.Errorf("opened again, it migrates %q", told[len(want):])
	}

	other := t.TempDir()
	lock, err := sqlitefile.TakeLock(filepath.Join(other, lockName))
	if err != nil {
		t.Fatal(err)
	}
	defer lock.Release()
	if _, err := Open(t.Context(), Options{Dir: other}); !errors.Is(err, sqlitefile.ErrOlder) {
		t.Errorf("a command beside a server of an older schema: error %v, want ErrOlder", err)
	}
}

func TestNewerSchema(t *testing.T) {
	dir := t.TempDir()
	e := open(t, Options{Dir: dir, Serve: true})
	if err := e.Exec(t.Context(), `INSERT INTO goose_db_version (version_id, is_applied) VALUES (9999, 1)`); err != nil {
		t.Fatal(err)
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	for _, serve := range []bool{true, false} {
		if _, err := Open(t.Context(), Options{Dir: dir, Serve: serve}); !errors.Is(err, fiscal.Conflict) || !strings.Contains(err.Error(), "newer program") {
			t.Errorf("Open(Serve: %t) of a newer schema: error %v, want Conflict and advice", serve, err)
		}
	}
}

// TestCabinetMayBeDeleted shows that what followers keep is made anew, and
// nothing else is missed.
func TestCabinetMayBeDeleted(t *testing.T) {
	dir := t.TempDir()
	l := newLoad(t, dir, 100)
	if err := l.db.KeepContacts(t.Context(), []fiscal.Contact{{Register: l.ids[0], At: l.now()}}); err != nil {
		t.Fatal(err)
	}
	if err := l.db.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(dir, cabinetName)); err != nil {
		t.Fatal(err)
	}
	e := open(t, Options{Dir: dir, Serve: true})
	r, err := e.Register(t.Context(), l.ids[0])
	if err != nil || r.LastContact != nil {
		t.Errorf("Register = %+v, %v, want it without a contact", r, err)
	}
	if err := e.KeepContacts(t.Context(), []fiscal.Contact{{Register: l.ids[0], At: l.now()}}); err != nil {
		t.Error(err)
	}
}

func TestFolder(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "deep", "data")
	open(t, Options{Dir: dir, Serve: true})
	if i, err := os.Stat(dir); err != nil || i.Mode().Perm() != 0o700 {
		t.Errorf("the folder has the mode %v, %v, want one for its owner alone", i.Mode(), err)
	}
	file := filepath.Join(dir, mainName)
	if _, err := Open(t.Context(), Options{Dir: file}); !errors.Is(err, fiscal.StoreDown) {
		t.Errorf("Open(%s): error %v, want StoreDown", file, err)
	}
}
