package sqlitefile

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"openofd/internal/fiscal"
)

// things is a schema of one table.
var things = fstest.MapFS{"00001_things.sql": {Data: []byte("-- +goose Up\nCREATE TABLE things (id INTEGER PRIMARY KEY, name TEXT NOT NULL CHECK (name <> 'bad'), body BLOB) STRICT;\n")}}

func open(t *testing.T, o Options) *File {
	t.Helper()
	f, err := Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := f.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return f
}

func openThings(t *testing.T) *File {
	t.Helper()
	return open(t, Options{Path: filepath.Join(t.TempDir(), "things.db"), Migrations: things, Migrate: true})
}

func add(name string, body []byte) func(*Tx) error {
	return func(tx *Tx) error {
		_, err := tx.Exec("INSERT INTO things (name, body) VALUES (?, ?)", name, body)
		return err
	}
}

func count(t *testing.T, f *File) (n int64) {
	t.Helper()
	if err := f.Read(t.Context(), func(tx *Tx) (err error) {
		n, _, err = tx.QueryInt("SELECT count(*) FROM things")
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return n
}

func TestValuesComeBack(t *testing.T) {
	f := openThings(t)
	big := bytes.Repeat([]byte{7, 0}, keepRoom)
	for _, tt := range []struct {
		name string
		body []byte
	}{{"", nil}, {"Қазақ ₸\x00end", []byte{0}}, {"big", big}, {"small again", []byte("x")}} {
		if err := f.Write(t.Context(), add(tt.name, tt.body)); err != nil {
			t.Fatalf("write %q: %v", tt.name, err)
		}
		if err := f.Read(t.Context(), func(tx *Tx) error {
			s, err := tx.Query("SELECT name, body, body IS NULL, -9223372036854775808 FROM things ORDER BY id DESC LIMIT 1")
			if err != nil {
				return err
			}
			if !s.Next() || s.Text(0) != tt.name || !bytes.Equal(s.Bytes(1), tt.body) || s.Int(2) != 0 || s.Int(3) != -1<<63 {
				t.Errorf("read %q, %d bytes, null %d, %d; want %q, %d bytes", s.Text(0), len(s.Bytes(1)), s.Int(2), s.Int(3), tt.name, len(tt.body))
			}
			if s.CopyTo(1, make([]byte, len(tt.body)+1)) {
				t.Errorf("CopyTo says that %d bytes are %d", len(tt.body), len(tt.body)+1)
			}
			return s.Close()
		}); err != nil {
			t.Fatal(err)
		}
	}
}

func TestFailureTakesAllBack(t *testing.T) {
	f := openThings(t)
	odd := errors.New("odd")
	both := func(second func(*Tx) error) func(*Tx) error {
		return func(tx *Tx) error {
			if err := add("first", nil)(tx); err != nil {
				return err
			}
			return second(tx)
		}
	}
	for _, tt := range []struct {
		name string
		do   func(*Tx) error
		want error
	}{
		{"an error of the caller", both(func(*Tx) error { return odd }), odd},
		{"a check", both(add("bad", nil)), fiscal.Invalid},
		{"a type", both(func(tx *Tx) error { _, err := tx.Exec("INSERT INTO things (name) VALUES (?)", []byte{1}); return err }), fiscal.Invalid},
		{"a statement left open", both(func(tx *Tx) error {
			s, err := tx.Query("SELECT id FROM things")
			if err != nil || !s.Next() {
				t.Errorf("Query = %v", err)
			}
			return odd
		}), odd},
	} {
		if err := f.Write(t.Context(), tt.do); !errors.Is(err, tt.want) {
			t.Errorf("Write with %s: error %v, want %v", tt.name, err, tt.want)
		}
		if n := count(t, f); n != 0 {
			t.Errorf("%d rows after %s, want none", n, tt.name)
		}
	}
	func() {
		defer func() { _ = recover() }()
		_ = f.Write(t.Context(), both(func(*Tx) error { panic("a bug") }))
	}()
	if n := count(t, f); n != 0 {
		t.Errorf("%d rows after a panic, want none", n)
	}
	if err := f.Write(t.Context(), add("good", nil)); err != nil || count(t, f) != 1 {
		t.Errorf("Write after failures: %v, %d rows, want one", err, count(t, f))
	}
}

func TestMisuseIsAnError(t *testing.T) {
	f := openThings(t)
	for _, tt := range []struct {
		query string
		args  []any
		want  string
	}{
		{"SELECT ?", nil, "0 values for 1 parameters"},
		{"SELECT ?", []any{1, 2}, "2 values for 1 parameters"},
		{"SELECT ?", []any{1.5}, "float64"},
		{"SELECT 1; SELECT 2", nil, "one statement at a time"},
		{"", nil, "one statement at a time"},
		{"SELECT x FROM nowhere", nil, "no such table"},
	} {
		err := f.Read(t.Context(), func(tx *Tx) error { _, err := tx.Query(tt.query, tt.args...); return err })
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("Query(%q, %v): error %v, want %q", tt.query, tt.args, err, tt.want)
		}
	}
	err := f.Read(t.Context(), add("by a reader", nil))
	if !errors.Is(err, fiscal.StoreDown) {
		t.Errorf("a reader's INSERT: error %v, want StoreDown", err)
	}
	if err := f.Read(t.Context(), func(tx *Tx) error {
		s, err := tx.Prepare("SELECT ?")
		if err != nil {
			return err
		}
		s.BindInt(2, 1)
		if s.Next() {
			t.Error("a row, though a parameter is out of range")
		}
		if err := s.Close(); err == nil {
			t.Error("binding parameter 2 of 1: no error")
		}
		s.BindInt(1, 1)
		if !s.Next() || s.Int(0) != 1 {
			t.Error("no row after the statement was closed and bound well")
		}
		return s.Close()
	}); err != nil {
		t.Error(err)
	}
}

// TestReadersDoNotWait shows that reading goes on while a transaction is under
// way and sees what was there before it.
func TestReadersDoNotWait(t *testing.T) {
	f := openThings(t)
	if err := f.Write(t.Context(), func(tx *Tx) error {
		if err := add("half", nil)(tx); err != nil {
			return err
		}
		if n := count(t, f); n != 0 {
			t.Errorf("a reader sees %d rows of a transaction that is under way", n)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if n := count(t, f); n != 1 {
		t.Errorf("%d rows, want 1", n)
	}
}

// TestAnotherProcess shows that whoever finds the file taken waits for a while,
// then says so, and that nothing was stored.
func TestAnotherProcess(t *testing.T) {
	f := openThings(t)
	other := open(t, Options{Path: f.Path(), Migrations: things})
	if err := f.Write(t.Context(), func(*Tx) error {
		began := time.Now()
		err := other.Write(t.Context(), add("too early", nil))
		if waited := time.Since(began); !errors.Is(err, fiscal.StoreDown) || waited < busyMillis*time.Millisecond/2 {
			t.Errorf("Write beside another: error %v after %v, want StoreDown after 2 s", err, waited)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if err := other.Write(t.Context(), add("now", nil)); err != nil || count(t, f) != 1 {
		t.Errorf("Write afterwards: %v, %d rows, want 1", err, count(t, f))
	}
}

func TestWaitingEndsWithTheContext(t *testing.T) {
	f := openThings(t)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if err := f.Write(t.Context(), func(*Tx) error {
		if err := f.Write(ctx, add("no turn", nil)); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Write without a turn: error %v, want the context's", err)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}

func TestFullAndRoomAgain(t *testing.T) {
	f := openThings(t)
	if err := f.Limit(t.Context(), 64<<10); err != nil {
		t.Fatal(err)
	}
	err := f.Write(t.Context(), add("large", make([]byte, 1<<20)))
	if !errors.Is(err, fiscal.StoreDown) || errors.Is(err, fiscal.OutcomeUnknown) {
		t.Errorf("Write beyond the limit: error %v, want StoreDown", err)
	}
	if err := f.Write(t.Context(), add("small", nil)); err != nil {
		t.Errorf("Write within the limit: %v", err)
	}
	if err := f.Limit(t.Context(), 0); err != nil {
		t.Fatal(err)
	}
	if err := f.Write(t.Context(), add("large", make([]byte, 1<<20))); err != nil || count(t, f) != 2 {
		t.Errorf("Write with room again: %v, %d rows, want 2", err, count(t, f))
	}
}

// TestLostConnection shows that a connection which will not roll back is given
// up, and the next transaction gets a new one.
func TestLostConnection(t *testing.T) {
	f := openThings(t)
	if err := f.Limit(t.Context(), 1<<20); err != nil {
		t.Fatal(err)
	}
	f.writer.close()
	f.writer = nil
	if err := f.Write(t.Context(), add("again", nil)); err != nil || count(t, f) != 1 {
		t.Errorf("Write on a new connection: %v, %d rows, want 1", err, count(t, f))
	}
	if err := f.Write(t.Context(), add("large", make([]byte, 2<<20))); !errors.Is(err, fiscal.StoreDown) {
		t.Errorf("Write beyond the limit on a new connection: error %v, want StoreDown", err)
	}
}

func TestReadOnlyFile(t *testing.T) {
	f := openThings(t)
	was := f.writer
	reader, err := f.openReader()
	if err != nil {
		t.Fatal(err)
	}
	f.writer = reader
	err = f.Write(t.Context(), add("x", nil))
	if !errors.Is(err, fiscal.StoreDown) || !strings.Contains(err.Error(), "rights") {
		t.Errorf("Write to a file that is read-only: error %v, want StoreDown and advice", err)
	}
	reader.close()
	f.writer = was
	if err := f.Write(t.Context(), add("x", nil)); err != nil {
		t.Errorf("Write with the right to: %v", err)
	}
}

func TestCloseAnswersEverybody(t *testing.T) {
	f := openThings(t)
	reading, release, closed := make(chan struct{}), make(chan struct{}), make(chan error)
	go func() {
		_ = f.Read(context.Background(), func(*Tx) error { close(reading); <-release; return nil })
	}()
	<-reading
	go func() { closed <- f.Close() }()
	select {
	case err := <-closed:
		t.Fatalf("Close = %v while a reader is at work", err)
	case <-time.After(20 * time.Millisecond):
	}
	close(release)
	if err := <-closed; err != nil {
		t.Error(err)
	}
	if err := f.Close(); err != nil {
		t.Errorf("a second Close: %v", err)
	}
	for name, err := range map[string]error{
		"Read": f.Read(t.Context(), func(*Tx) error { return nil }), "Write": f.Write(t.Context(), func(*Tx) error { return nil }),
		"Limit": f.Limit(t.Context(), 1), "Check": f.Check(t.Context()),
	} {
		if !errors.Is(err, fiscal.StoreDown) {
			t.Errorf("%s after Close: error %v, want StoreDown", name, err)
		}
	}
	if _, err := os.Stat(f.Path() + "-wal"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the log is left behind after Close: %v", err)
	}
}

// TestLogIsBounded shows that under steady load the log starts anew again and
// again, though the writer never pauses.
func TestLogIsBounded(t *testing.T) {
	const bound = 1 << 20
	f := open(t, Options{Path: filepath.Join(t.TempDir(), "things.db"), Migrations: things, Migrate: true, LogBytes: bound})
	body := make([]byte, 64<<10)
	var written, longest int64
	for written < 40*bound {
		if err := f.Write(t.Context(), add("x", body)); err != nil {
			t.Fatal(err)
		}
		written += int64(len(body))
		log, err := f.LogBytes()
		if err != nil {
			t.Fatal(err)
		}
		longest = max(longest, log)
	}
	if longest > 20*bound { // it moves beside the writer, who does not wait for it
		t.Errorf("the log grew to %d KiB while %d KiB were written, bound %d KiB", longest>>10, written>>10, bound>>10)
	}
	if err := f.Check(t.Context()); err != nil {
		t.Error(err)
	}
}

// TestIdleLogIsMoved shows that a little does not lie unmoved for ever.
func TestIdleLogIsMoved(t *testing.T) {
	f := open(t, Options{Path: filepath.Join(t.TempDir(), "things.db"), Migrations: things, Migrate: true, LogBytes: 1 << 20})
	if err := f.Write(t.Context(), add("a name to look for", nil)); err != nil {
		t.Fatal(err)
	}
	for began := time.Now(); ; time.Sleep(10 * time.Millisecond) {
		raw, err := os.ReadFile(f.Path())
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(raw, []byte("a name to look for")) {
			return
		}
		if time.Since(began) > time.Minute+idleMove {
			t.Fatalf("after %v the file itself does not have what was written", time.Since(began))
		}
	}
}

func TestMoverDoesNotDisturb(t *testing.T) {
	f := open(t, Options{Path: filepath.Join(t.TempDir(), "things.db"), Migrations: things, Migrate: true, LogBytes: pageBytes})
	for i := range 200 {
		if err := f.Write(t.Context(), add(fmt.Sprint(i), make([]byte, 5000))); err != nil {
			t.Fatal(err)
		}
		if n := count(t, f); n != int64(i+1) {
			t.Fatalf("%d rows after %d writes", n, i+1)
		}
	}
}
