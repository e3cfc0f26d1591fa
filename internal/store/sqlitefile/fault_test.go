package sqlitefile

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	engine "modernc.org/sqlite/lib"

	"openofd/internal/fiscal"
)

func TestFault(t *testing.T) {
	for code, want := range map[int]error{
		engine.SQLITE_FULL:              fiscal.StoreDown,
		engine.SQLITE_READONLY_DBMOVED:  fiscal.StoreDown,
		engine.SQLITE_BUSY_SNAPSHOT:     fiscal.StoreDown,
		engine.SQLITE_LOCKED:            fiscal.StoreDown,
		engine.SQLITE_CANTOPEN:          fiscal.StoreDown,
		engine.SQLITE_IOERR_FSYNC:       fiscal.StoreDown,
		engine.SQLITE_NOMEM:             fiscal.StoreDown,
		engine.SQLITE_CORRUPT_INDEX:     fiscal.Corrupt,
		engine.SQLITE_NOTADB:            fiscal.Corrupt,
		engine.SQLITE_IOERR_SHORT_READ:  fiscal.Corrupt,
		engine.SQLITE_CONSTRAINT_CHECK:  fiscal.Invalid,
		engine.SQLITE_CONSTRAINT_UNIQUE: fiscal.Invalid,
		engine.SQLITE_TOOBIG:            fiscal.Invalid,
	} {
		cause := &Error{Code: code, Msg: "as SQLite says"}
		err := fault("x.db", fmt.Errorf("insert: %w", cause))
		if !errors.Is(err, want) || !errors.Is(err, cause) {
			t.Errorf("fault(%d) = %v, want %v around the cause", code, err, want)
		}
	}
	other := errors.New("another")
	for _, err := range []error{nil, other, &Error{Code: engine.SQLITE_ERROR}} {
		if got := fault("x.db", err); got != err {
			t.Errorf("fault(%v) = %v, want it unchanged", err, got)
		}
	}
	known := &fiscal.Error{Reason: fiscal.NothingThere}
	if got := fault("x.db", known); got != error(known) {
		t.Errorf("fault(%v) = %v, want it unchanged", known, got)
	}
}

func TestTaken(t *testing.T) {
	f := openThings(t)
	twice := func(tx *Tx) error {
		for range 2 {
			if _, err := tx.Exec("INSERT INTO things (id, name) VALUES (1, 'a')"); err != nil {
				return err
			}
		}
		return nil
	}
	if err := f.Write(t.Context(), twice); !Taken(err) {
		t.Errorf("Taken(%v) = false, want true", err)
	}
	if err := f.Write(t.Context(), add("bad", nil)); err == nil || Taken(err) {
		t.Errorf("Taken(%v) = true, want false", err)
	}
}

// TestDamage shows that a file which is not what was written is Corrupt,
// whoever meets the damage first.
func TestDamage(t *testing.T) {
	made := func(t *testing.T) string {
		f := openThings(t)
		for i := range 200 {
			if err := f.Write(t.Context(), add(fmt.Sprintf("thing %d", i), make([]byte, 1000))); err != nil {
				t.Fatal(err)
			}
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
		return f.Path()
	}
	overwrite := func(at int64, with []byte) func(*os.File) error {
		return func(f *os.File) error { _, err := f.WriteAt(with, at); return err }
	}
	garbage := make([]byte, pageBytes)
	for i := range garbage {
		garbage[i] = byte(i*7 + 1)
	}
	for _, tt := range []struct {
		name   string
		damage func(*os.File) error
	}{
		{"no database at all", overwrite(0, garbage)},
		{"a page of garbage", overwrite(20*pageBytes, garbage)},
		{"a page of zeros", overwrite(30*pageBytes, make([]byte, pageBytes))},
		{"torn off", func(f *os.File) error { return f.Truncate(25*pageBytes + 100) }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			path := made(t)
			raw, err := os.OpenFile(path, os.O_RDWR, 0)
			if err != nil {
				t.Fatal(err)
			}
			if err := errors.Join(tt.damage(raw), raw.Close()); err != nil {
				t.Fatal(err)
			}
			f, err := Open(t.Context(), Options{Path: path, Migrations: things})
			if err == nil {
				defer f.Close()
				err = f.Read(t.Context(), func(tx *Tx) error {
					s, err := tx.Query("SELECT length(name), length(body), body FROM things")
					if err != nil {
						return err
					}
					for s.Next() {
						_ = s.Bytes(2)
					}
					return s.Close()
				})
			}
			if !errors.Is(err, fiscal.Corrupt) {
				t.Errorf("reading a file with %s: error %v, want Corrupt", tt.name, err)
			}
			if f != nil {
				if err := f.Check(t.Context()); !errors.Is(err, fiscal.Corrupt) {
					t.Errorf("Check of a file with %s: error %v, want Corrupt", tt.name, err)
				}
			}
		})
	}
	f := openThings(t)
	if err := f.Check(t.Context()); err != nil {
		t.Errorf("Check of a good file: %v", err)
	}
	dir := filepath.Join(t.TempDir(), "missing", "x.db")
	if _, err := Open(t.Context(), Options{Path: dir, Migrations: things, Migrate: true}); !errors.Is(err, fiscal.StoreDown) {
		t.Errorf("Open(%s): error %v, want StoreDown", dir, err)
	}
}
