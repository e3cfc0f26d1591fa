package sqlite

import (
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"openofd/internal/fiscal"
	"openofd/internal/journal"
)

// TestDiskFull shows that without room nothing is stored and the caller knows
// it, that reading goes on, and that the work does too once there is room, on
// the same handle.
//
// Req: P-006, O-077
func TestDiskFull(t *testing.T) {
	l := newLoad(t, t.TempDir(), 100)
	stored := 0
	i, err := os.Stat(filepath.Join(l.dir, mainName))
	if err != nil {
		t.Fatal(err)
	}
	room := i.Size() + 1<<20
	if err := l.db.Limit(t.Context(), room); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		var failed []journal.Commit
		for failed == nil {
			batch := l.batch(64)
			stale, err := l.db.Append(t.Context(), batch, journal.Seal)
			switch {
			case err == nil && len(stale) == 0:
				stored += len(batch)
			case errors.Is(err, journal.ErrNothingStored) && errors.Is(err, fiscal.StoreDown):
				failed = batch
			default:
				t.Fatalf("Append = %v, %v, want it done, or refused with ErrNothingStored and StoreDown", stale, err)
			}
		}
		if _, err := l.db.Append(t.Context(), failed, journal.Seal); !errors.Is(err, journal.ErrNothingStored) {
			t.Fatalf("Append once more: error %v, want ErrNothingStored", err)
		}
		if n := l.count(t); n != stored {
			t.Fatalf("%d entries stored, %d acknowledged", n, stored)
		}
		if head, err := l.db.Fence(t.Context(), 0); err != nil || head.Seq != journal.Seq(stored) {
			t.Fatalf("Fence = %+v, %v, want seq %d", head, err, stored)
		}
		room += 1 << 20
		if err := l.db.Limit(t.Context(), room); err != nil {
			t.Fatal(err)
		}
		if stale, err := l.db.Append(t.Context(), failed, journal.Seal); err != nil || len(stale) > 0 {
			t.Fatalf("Append with room again = %v, %v, want it done", stale, err)
		}
		stored += len(failed)
	}
	if n := l.count(t); n != stored {
		t.Errorf("%d entries stored, %d acknowledged", n, stored)
	}
}

// TestReplaceRefused shows that SQLite's own ways of putting one row in the
// place of another are refused too.
//
// Req: O-101
func TestReplaceRefused(t *testing.T) {
	e := open(t, Options{Dir: t.TempDir(), Serve: true})
	l := loadOn(t, e.DB, e.dir, 100)
	if _, err := l.db.Append(t.Context(), l.batch(64), journal.Seal); err != nil {
		t.Fatal(err)
	}
	if err := e.Exec(t.Context(), `PRAGMA writable_schema = 1`); err != nil { // answers nothing, and does nothing either
		t.Error(err)
	}
	for _, sql := range []string{
		`REPLACE INTO entries SELECT * FROM entries WHERE seq = 5`,
		`INSERT OR REPLACE INTO entries SELECT * FROM entries`,
		`UPDATE OR REPLACE entries SET seq = 5 WHERE seq = 6`,
		`UPDATE OR IGNORE entries SET total = 0`,
		`INSERT INTO entries SELECT * FROM entries WHERE seq = 5 ON CONFLICT (seq) DO UPDATE SET total = 0`,
		`REPLACE INTO cards SELECT * FROM cards`,
		`REPLACE INTO states SELECT * FROM states`,
		`REPLACE INTO registers SELECT * FROM registers`,
		`REPLACE INTO directory SELECT * FROM directory`,
		`REPLACE INTO heads SELECT * FROM heads`,
		`REPLACE INTO installation (name, value) VALUES ('partitions', '2')`,
		`UPDATE sqlite_schema SET sql = '' WHERE name = 'entries_update'`,
	} {
		if err := e.Exec(t.Context(), sql); err == nil {
			t.Errorf("%s: done, want it refused", sql)
		}
	}
	if n := l.count(t); n != 64 {
		t.Errorf("%d entries, want 64", n)
	}
	if err := l.db.Check(t.Context()); err != nil {
		t.Error(err)
	}
}

// TestFenceWrites shows that a fence reaches the disk: a row that only looks
// written would leave a failed commit in the log for a crash to bring back.
func TestFenceWrites(t *testing.T) {
	e := open(t, Options{Dir: t.TempDir(), Serve: true})
	var last int64
	for range 3 {
		before, err := e.main.LogBytes()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := e.Fence(t.Context(), 0); err != nil {
			t.Fatal(err)
		}
		n, err := e.QueryInt(t.Context(), `SELECT fence FROM heads`)
		if err != nil || n != last+1 {
			t.Errorf("fence = %d, %v, want %d", n, err, last+1)
		}
		if after, err := e.main.LogBytes(); err != nil || after < before {
			t.Errorf("the log has %d bytes after a fence, %v, had %d", after, err, before)
		}
		last = n
	}
}

// TestReadsBesideAcceptance shows that reading never holds acceptance up and
// never sees half of it: every entry that a state counts is there.
func TestReadsBesideAcceptance(t *testing.T) {
	l := newLoad(t, t.TempDir(), 100)
	stop := make(chan struct{})
	var running sync.WaitGroup
	for i := range 4 {
		running.Go(func() {
			for n := i; ; n++ {
				select {
				case <-stop:
					return
				default:
				}
				at := fiscal.Place{Register: l.ids[n%len(l.ids)]}
				row, err := l.db.Row(t.Context(), at)
				if err != nil {
					t.Errorf("Row: %v", err)
					return
				}
				if number := fiscal.Number(row.State.Version); number > 0 {
					if e, err := l.db.Entry(t.Context(), 0, at.Register, number); err != nil || e.Number != number {
						t.Errorf("Entry(%d) = %d, %v, want the last one that version %d counts", number, e.Number, err, row.State.Version)
						return
					}
				}
			}
		})
	}
	var batches int
	for began := time.Now(); time.Since(began) < time.Second; batches++ {
		if stale, err := l.db.Append(t.Context(), l.batch(32), journal.Seal); err != nil || len(stale) > 0 {
			t.Fatalf("Append = %v, %v", stale, err)
		}
	}
	close(stop)
	running.Wait()
	if n := l.count(t); n != 32*batches {
		t.Errorf("%d entries, want %d", n, 32*batches)
	}
}

// TestDamagedJournal shows that what was overwritten in the file is reported
// and never passed on as an entry.
func TestDamagedJournal(t *testing.T) {
	dir := t.TempDir()
	l := newLoad(t, dir, 100)
	for range 4 {
		if _, err := l.db.Append(t.Context(), l.batch(64), journal.Seal); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.db.Close(); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, mainName)
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(path, int64(len(whole)*3/4)); err != nil {
		t.Fatal(err)
	}
	db, err := Open(t.Context(), Options{Dir: dir, Serve: true})
	if err == nil {
		_, err = db.Scan(t.Context(), 0, 1, 1000)
		if check := db.Check(t.Context()); !errors.Is(check, fiscal.Corrupt) {
			t.Errorf("Check of a torn file: error %v, want Corrupt", check)
		}
		defer db.Close()
	}
	if !errors.Is(err, fiscal.Corrupt) {
		t.Errorf("reading a torn file: error %v, want Corrupt", err)
	}
}

func TestPlaces(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		seqs := rapid.SliceOfN(rapid.Uint64Range(0, 1<<48-1), 0, runLength).Draw(t, "seqs")
		var b []byte
		for _, s := range seqs {
			b = appendPlace(b, journal.Seq(s))
		}
		if len(b) != len(seqs)*placeBytes {
			t.Fatalf("%d places take %d bytes", len(seqs), len(b))
		}
		for i, s := range seqs {
			if got := placeAt(b, i); got != journal.Seq(s) {
				t.Fatalf("place %d of % x = %d, want %d", i, b, got, s)
			}
		}
	})
}
