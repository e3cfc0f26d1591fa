package sqlitefile

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"modernc.org/libc"
	engine "modernc.org/sqlite/lib"

	"openofd/internal/fiscal"
)

// TestSyncFails shows what a commit is whose pages reached the file but whose
// sync failed: open. A crash at that moment would bring it back, so the error
// says OutcomeUnknown. The next commit settles it for good.
func TestSyncFails(t *testing.T) {
	f := openThings(t)
	if err := f.Write(t.Context(), add("first", nil)); err != nil {
		t.Fatal(err)
	}
	log := logOf(t, f.writer)
	log.methods.FxSync = function(writeAndFailToSync)
	err := f.Write(t.Context(), add("open", nil))
	if !errors.Is(err, fiscal.OutcomeUnknown) {
		t.Fatalf("Write whose sync fails: error %v, want OutcomeUnknown", err)
	}
	if n := countAfterCrash(t, f); n != 2 {
		t.Errorf("%d rows after a crash right then, want 2: the test does not show what it should", n)
	}

	log.methods.FxSync = function(gatherSync)
	if n := count(t, f); n != 1 {
		t.Errorf("%d rows are seen, want 1", n)
	}
	if err := f.Write(t.Context(), add("next", nil)); err != nil {
		t.Fatalf("Write when the disk answers again: %v", err)
	}
	for what, n := range map[string]int64{"now": count(t, f), "after a crash": countAfterCrash(t, f)} {
		if n != 2 {
			t.Errorf("%d rows %s, want 2: the first and the next", n, what)
		}
	}
	if err := f.Check(t.Context()); err != nil {
		t.Error(err)
	}
}

// TestWriteFails shows that without a complete commit in the log the error says
// that nothing is stored.
func TestWriteFails(t *testing.T) {
	f := openThings(t)
	log := logOf(t, f.writer)
	log.methods.FxSync = function(noRoom)
	err := f.Write(t.Context(), add("x", make([]byte, 500_000)))
	if !errors.Is(err, fiscal.StoreDown) || errors.Is(err, fiscal.OutcomeUnknown) {
		t.Errorf("Write without room: error %v, want StoreDown", err)
	}
	log.methods.FxSync = function(gatherSync)
	for what, n := range map[string]int64{"now": count(t, f), "after a crash": countAfterCrash(t, f)} {
		if n != 0 {
			t.Errorf("%d rows %s, want none", n, what)
		}
	}
	if err := f.Write(t.Context(), add("y", nil)); err != nil || count(t, f) != 1 {
		t.Errorf("Write with room again: %v, %d rows, want 1", err, count(t, f))
	}
}

func writeAndFailToSync(tls *libc.TLS, file uintptr, flags int32) int32 {
	if rc := gatherSync(tls, file, flags); rc != engine.SQLITE_OK {
		return rc
	}
	return engine.SQLITE_IOERR_FSYNC
}

// noRoom loses the end of what was collected, as a full disk does.
func noRoom(tls *libc.TLS, file uintptr, _ int32) int32 {
	g, _ := layer(file)
	g.used -= 100
	if rc := flush(tls, file); rc != engine.SQLITE_OK {
		return rc
	}
	return engine.SQLITE_FULL
}

// logOf is the layer over a connection's log.
func logOf(t *testing.T, c *conn) *gathered {
	t.Helper()
	if rc := engine.Xsqlite3_file_control(c.tls, c.db, 0, engine.SQLITE_FCNTL_JOURNAL_POINTER, c.out); rc != engine.SQLITE_OK {
		t.Fatal(c.failed(rc))
	}
	g, _ := layer(*(*uintptr)(at(c.out)))
	return g
}

// countAfterCrash counts the rows that a process would find which starts after
// this one was killed now.
func countAfterCrash(t *testing.T, f *File) int64 {
	t.Helper()
	copied := filepath.Join(t.TempDir(), "crashed.db")
	for _, suffix := range []string{"", "-wal"} {
		raw, err := os.ReadFile(f.Path() + suffix)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(copied+suffix, raw, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return count(t, open(t, Options{Path: copied, Migrations: things}))
}

// TestTwoProcesses shows that two processes that read and write in turn lose
// nothing of each other's.
func TestTwoProcesses(t *testing.T) {
	const env, turns = "SQLITEFILE_BESIDE", 150
	countUp := func(f *File) {
		for i := range turns {
			if err := f.Write(t.Context(), func(tx *Tx) error {
				n, _, err := tx.QueryInt("SELECT count(*) FROM things")
				if err != nil {
					return err
				}
				return add(fmt.Sprint(n), make([]byte, 3000))(tx)
			}); err != nil {
				t.Fatalf("turn %d: %v", i, err)
			}
		}
	}
	if path := os.Getenv(env); path != "" {
		countUp(open(t, Options{Path: path, Migrations: things}))
		return
	}
	f := open(t, Options{Path: filepath.Join(t.TempDir(), "things.db"), Migrations: things, Migrate: true, LogBytes: 256 << 10})
	beside := exec.CommandContext(t.Context(), os.Args[0], "-test.run", "^TestTwoProcesses$")
	beside.Env = append(os.Environ(), env+"="+f.Path())
	done := make(chan error, 1)
	go func() {
		out, err := beside.CombinedOutput()
		if err != nil {
			err = fmt.Errorf("%w: %s", err, out)
		}
		done <- err
	}()
	countUp(f)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if err := f.Read(t.Context(), func(tx *Tx) error {
		n, _, err := tx.QueryInt("SELECT count(DISTINCT name) FROM things")
		if n != 2*turns {
			t.Errorf("%d different rows, want %d", n, 2*turns)
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if err := f.Check(t.Context()); err != nil {
		t.Error(err)
	}
}
