package sqlitefile

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"pgregory.net/rapid"

	"openofd/internal/fiscal"
)

// backUp copies path to a new file and tells where that is.
func backUp(t *testing.T, b Backup) (string, int64) {
	t.Helper()
	to, err := os.Create(filepath.Join(t.TempDir(), "copy.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer to.Close()
	b.To = to
	n, err := b.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := CheckCopy(t.Context(), to.Name()); err != nil {
		t.Fatal(err)
	}
	return to.Name(), n
}

// rows tells how many things a copy has, and that they are the first so many:
// each commit adds the next, and writes the number of the last to all pages of
// the accounts.
func rows(t *testing.T, path string) (n int64) {
	t.Helper()
	if err := Look(path, func(tx *Tx) error {
		var last, low, high int64
		for q, to := range map[string]*int64{
			"SELECT count(*) FROM things WHERE length(body) > 0":                          &n,
			"SELECT max(id) FROM things WHERE length(body) > 0":                           &last,
			"SELECT min(CAST(name AS INTEGER)) FROM things WHERE body IS NULL AND id < 0": &low,
			"SELECT max(CAST(name AS INTEGER)) FROM things WHERE body IS NULL AND id < 0": &high,
		} {
			v, _, err := tx.QueryInt(q)
			if err != nil {
				return err
			}
			*to = v
		}
		if n != last || low != high || low != n {
			t.Errorf("%s: %d things, the last is %d, accounts say %d to %d: not one instant", path, n, last, low, high)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return n
}

// accounts makes rows that are all written by every commit.
func accounts(t *testing.T, f *File) {
	t.Helper()
	if err := f.Write(t.Context(), func(tx *Tx) error {
		for i := range 50 {
			if _, err := tx.Exec("INSERT INTO things (id, name) VALUES (?, '0')", -1-i); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}

func commitThing(ctx context.Context, f *File, i int64, bytes int) error {
	return f.Write(ctx, func(tx *Tx) error {
		if _, err := tx.Exec("INSERT INTO things (id, name, body) VALUES (?, ?, ?)", i, fmt.Sprint(i), make([]byte, bytes)); err != nil {
			return err
		}
		_, err := tx.Exec("UPDATE things SET name = ? WHERE id < 0", fmt.Sprint(i))
		return err
	})
}

// TestBackupUnderLoad copies a file again and again while a writer commits
// without a pause. Each copy is one instant, and no earlier than its beginning;
// the log stays within bounds although some view is held all the time.
func TestBackupUnderLoad(t *testing.T) {
	f := open(t, Options{Path: filepath.Join(t.TempDir(), "things.db"), Migrations: things, Migrate: true, LogBytes: 1 << 20})
	accounts(t, f)
	ctx, stop := context.WithCancel(t.Context())
	wrote := make(chan int64)
	done := make(chan error, 1)
	go func() {
		for i := int64(1); ; i++ {
			if err := commitThing(context.WithoutCancel(ctx), f, i, 20_000); err != nil {
				done <- fmt.Errorf("commit %d: %w", i, err)
				return
			}
			select {
			case <-ctx.Done():
				done <- nil
				return
			case wrote <- i:
			default:
			}
		}
	}()
	for <-wrote < 500 {
	}
	var longest, views int64
	for range 6 {
		before := <-wrote
		path, bytes := backUp(t, Backup{Path: f.Path(), perView: 300, longLog: 100, Pause: func(ctx context.Context, _ int64) error {
			n, err := f.LogBytes()
			longest = max(longest, n)
			views++
			return err
		}})
		info, err := os.Stat(path)
		if err != nil || info.Size() != bytes {
			t.Errorf("the copy has %d bytes, %v; told were %d", info.Size(), err, bytes)
		}
		if n := rows(t, path); n < before {
			t.Errorf("the copy has %d things, %d were there when it began", n, before)
		}
	}
	stop()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if most := int64(16 << 20); longest > most || views < 30 {
		t.Errorf("the log grew to %d bytes over %d views, want at most %d over 30 or more", longest, views, most)
	}
	t.Logf("%d views, the log had up to %d bytes", views, longest)
	if err := f.Check(t.Context()); err != nil {
		t.Error(err)
	}
}

// TestBackupSteps plays commits, moves of the log and restarts of it between
// the steps of a backup, in any order, and compares the copy with the file.
func TestBackupSteps(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		f := open(t, Options{Path: filepath.Join(t.TempDir(), "things.db"), Migrations: things, Migrate: true})
		accounts(t, f)
		last := int64(0)
		commit := func(n, bytes int) {
			for range n {
				last++
				if err := commitThing(t.Context(), f, last, bytes); err != nil {
					rt.Fatal(err)
				}
			}
		}
		commit(rapid.IntRange(0, 30).Draw(rt, "things before"), 9000)
		to, err := os.CreateTemp(t.TempDir(), "copy")
		if err != nil {
			rt.Fatal(err)
		}
		defer to.Close()
		b := &backup{Backup: Backup{Path: f.Path(), To: to}}
		defer b.close()
		if err := b.open(); err != nil {
			rt.Fatal(err)
		}
		must := func(err error) {
			if err != nil {
				rt.Fatal(err)
			}
		}
		rt.Repeat(map[string]func(*rapid.T){
			"commit": func(rt *rapid.T) { commit(rapid.IntRange(1, 5).Draw(rt, "commits"), 6000) },
			"copy": func(rt *rapid.T) {
				_, err := b.copy(rapid.Int64Range(1, 40).Draw(rt, "pages"))
				must(err)
			},
			"step":     func(*rapid.T) { must(b.step()) },
			"move log": func(*rapid.T) { must(b.moveLog()) },
			"checkpoint beside": func(*rapid.T) {
				_, err := f.writer.exec("PRAGMA wal_checkpoint(PASSIVE)")
				must(err)
			},
			"truncate beside": func(*rapid.T) {
				// It would wait for our view; a full log that is all moved it cuts.
				_, err := f.writer.exec("PRAGMA busy_timeout = 1")
				must(err)
				_, err = f.writer.exec("PRAGMA wal_checkpoint(TRUNCATE)")
				if err != nil && Code(err) != 5 {
					rt.Fatal(err)
				}
			},
			"": func(*rapid.T) {},
		})
		must(b.step())
		_, err = b.copy(1 << 30)
		must(err)
		_, err = b.finish()
		must(err)
		if n := rows(t, to.Name()); n != last {
			rt.Errorf("the copy has %d things, want %d", n, last)
		}
		must(CheckCopy(t.Context(), to.Name()))
	})
}

// TestBackupEnds shows what a backup is that cannot go on: an error, and the
// source is as it was.
func TestBackupEnds(t *testing.T) {
	f := openThings(t)
	if err := f.Write(t.Context(), add("x", make([]byte, 3_000_000))); err != nil {
		t.Fatal(err)
	}
	over, cancel := context.WithCancel(t.Context())
	cancel()
	closed, err := os.CreateTemp(t.TempDir(), "copy")
	if err != nil {
		t.Fatal(err)
	}
	closed.Close()
	fresh, err := os.CreateTemp(t.TempDir(), "copy")
	if err != nil {
		t.Fatal(err)
	}
	defer fresh.Close()
	missing := filepath.Join(t.TempDir(), "missing.db")
	for _, tt := range []struct {
		name string
		ctx  context.Context
		b    Backup
		want error
	}{
		{"called off", over, Backup{Path: f.Path(), To: fresh}, context.Canceled},
		{"nowhere to write", t.Context(), Backup{Path: f.Path(), To: closed}, os.ErrClosed},
		{"no database", t.Context(), Backup{Path: missing, To: fresh}, fiscal.StoreDown},
	} {
		if _, err := tt.b.Run(tt.ctx); !errors.Is(err, tt.want) {
			t.Errorf("%s: Run() = %v, want %v", tt.name, err, tt.want)
		}
	}
	if _, err := os.Stat(missing); err == nil {
		t.Error("a backup made the database that it did not find")
	}
	if err := f.Write(t.Context(), add("y", nil)); err != nil || count(t, f) != 2 {
		t.Errorf("Write afterwards: %v", err)
	}
}

// TestCheckCopy shows that a copy which is not what was written is Corrupt.
func TestCheckCopy(t *testing.T) {
	f := openThings(t)
	for i := range 300 {
		if err := f.Write(t.Context(), add(fmt.Sprintf("thing %d", i), make([]byte, 1000))); err != nil {
			t.Fatal(err)
		}
	}
	path, bytes := backUp(t, Backup{Path: f.Path()})
	if left, err := filepath.Glob(path + "?*"); len(left) > 0 || err != nil {
		t.Errorf("beside the copy: %q, %v; want nothing", left, err)
	}
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for name, damaged := range map[string][]byte{
		"cut":        whole[:bytes/2],
		"cut within": whole[:bytes/2+100],
		"empty":      nil,
		"zeros":      append(append([]byte{}, whole[:bytes/2]...), make([]byte, bytes-bytes/2)...),
	} {
		if err := os.WriteFile(path, damaged, 0o600); err != nil {
			t.Fatal(err)
		}
		err := CheckCopy(t.Context(), path)
		if name == "empty" { // an empty file is an empty database
			if err != nil {
				t.Errorf("CheckCopy of an empty file: %v", err)
			}
			continue
		}
		if !errors.Is(err, fiscal.Corrupt) {
			t.Errorf("CheckCopy of a copy that is %s: %v, want Corrupt", name, err)
		}
	}
}

func TestDue(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		var d due
		want := map[int64]bool{}
		pages := int64(0)
		rt.Repeat(map[string]func(*rapid.T){
			"grow": func(rt *rapid.T) {
				n := rapid.Int64Range(1, 400).Draw(rt, "pages")
				for p := pages + 1; p <= n; p++ {
					want[p] = true
				}
				for p := n + 1; p <= pages; p++ {
					delete(want, p)
				}
				pages = n
				d.grow(n)
			},
			"add": func(rt *rapid.T) {
				if pages > 0 {
					p := rapid.Int64Range(1, pages).Draw(rt, "page")
					want[p] = true
					d.add(p)
				}
			},
			"take": func(rt *rapid.T) {
				p := d.take()
				if p == 0 != (len(want) == 0) || p != 0 && !want[p] {
					rt.Fatalf("take() = %d, due are %v", p, want)
				}
				delete(want, p)
			},
			"": func(rt *rapid.T) {
				if d.count != int64(len(want)) {
					rt.Fatalf("count = %d, want %d", d.count, len(want))
				}
			},
		})
	})
}
