package fns_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
	"pgregory.net/rapid"

	"openofd/internal/authority/fns"
	"openofd/internal/delivery"
	"openofd/internal/fiscal"
)

var evening = time.Date(2026, 3, 14, 23, 59, 0, 0, time.UTC)

// doc is a document of a register as small as one can be.
func doc(register, number int, received time.Time) delivery.Document {
	id := fmt.Sprintf("%016d-%d", register, number)
	return delivery.Document{
		ID: id, Place: fiscal.Place{Register: fiscal.RegisterID(register)}, Number: fiscal.Number(number), Received: received,
		Body: fmt.Appendf(nil, `{"id":"%s","register":%d,"entry":%d,"document":{"receipt":{"x":"%s"}}}`+"\n", id, register, number, strings.Repeat("x", number%50)),
	}
}

func run(register, first, last int) (all []delivery.Document) {
	for n := first; n <= last; n++ {
		all = append(all, doc(register, n, evening))
	}
	return all
}

func open(t *testing.T) (*fns.Files, string) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "fns")
	f, err := fns.OpenFiles(dir)
	if err != nil {
		t.Fatal(err)
	}
	return f, dir
}

func send(t *testing.T, f *fns.Files, docs []delivery.Document) {
	t.Helper()
	if refused, err := f.Send(t.Context(), docs); err != nil || len(refused) != 0 {
		t.Fatalf("Send = %v, %v", refused, err)
	}
}

// holds compares a file with the bodies of documents.
func holds(t *testing.T, path string, docs []delivery.Document) {
	t.Helper()
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var want []byte
	for _, d := range docs {
		want = append(want, d.Body...)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s has\n%s\nwant\n%s", filepath.Base(path), got, want)
	}
}

// Documents stand by day and register, in their order, once each, however
// often and in whatever company they come.
//
// Req: P-008, O-110
func TestFilesOnce(t *testing.T) {
	f, dir := open(t)
	night := evening.Add(2 * time.Minute)
	send(t, f, slices.Concat(run(1, 1, 5), run(2, 7, 9), []delivery.Document{doc(1, 6, night)}))
	send(t, f, slices.Concat(run(1, 1, 5), run(2, 7, 9), []delivery.Document{doc(1, 6, night)})) // all of it again
	send(t, f, slices.Concat(run(2, 9, 12), []delivery.Document{doc(1, 6, night), doc(1, 7, night)}))
	send(t, f, nil)
	holds(t, filepath.Join(dir, "2026-03-14", "1.jsonl"), run(1, 1, 5))
	holds(t, filepath.Join(dir, "2026-03-14", "2.jsonl"), run(2, 7, 12))
	holds(t, filepath.Join(dir, "2026-03-15", "1.jsonl"), []delivery.Document{doc(1, 6, night), doc(1, 7, night)})

	// What a person sends on stands in a file of its own, once.
	late := doc(1, 3, evening)
	late.Again = true
	send(t, f, []delivery.Document{late})
	send(t, f, []delivery.Document{late})
	later := doc(1, 2, evening)
	later.Again = true
	send(t, f, []delivery.Document{later})
	holds(t, filepath.Join(dir, "2026-03-14", "1.again.jsonl"), []delivery.Document{late, later})

	// Many registers in one page are made durable another way.
	var many []delivery.Document
	for register := 100; register < 200; register++ {
		many = append(many, doc(register, 1, evening))
	}
	send(t, f, many)
	send(t, f, many)
	holds(t, filepath.Join(dir, "2026-03-14", "199.jsonl"), many[99:])

	info, err := os.Stat(filepath.Join(dir, "2026-03-14", "1.jsonl"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the file's rights are %v, %v; want those of its owner alone", info.Mode(), err)
	}
}

// After a backup was restored, numbers of entries come again with other
// documents: they are told from those that are there by their IDs.
func TestNumbersComeAgain(t *testing.T) {
	f, dir := open(t)
	send(t, f, run(1, 1, 20))
	other := run(1, 15, 18)
	for i := range other {
		other[i].ID = strings.Replace(other[i].ID, "-", "9-", 1)[1:]
		other[i].Body = bytes.Replace(other[i].Body, []byte(run(1, 15, 18)[i].ID), []byte(other[i].ID), 1)
	}
	send(t, f, other[:2])
	send(t, f, other)
	send(t, f, run(1, 21, 22))
	holds(t, filepath.Join(dir, "2026-03-14", "1.jsonl"), slices.Concat(run(1, 1, 20), other, run(1, 21, 22)))
}

// A process may die at any byte of a write: whoever comes next finds whole
// lines, and writes what is missing.
//
// Req: P-008, P-011
func TestDiesAtAnyByte(t *testing.T) {
	f, dir := open(t)
	path := filepath.Join(dir, "2026-03-14", "1.jsonl")
	first, second := run(1, 1, 3), run(1, 4, 6)
	send(t, f, slices.Concat(first, second))
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for n := range whole {
		if err := os.WriteFile(path, whole[:n], 0o600); err != nil {
			t.Fatal(err)
		}
		send(t, f, first) // as it was before, in smaller pages
		send(t, f, slices.Concat(first[2:], second))
		if got, err := os.ReadFile(path); err != nil || !bytes.Equal(got, whole) {
			t.Fatalf("died at byte %d: %q, %v\nwant %q", n, got, err, whole)
		}
	}
	// Even the longest line is found, and a file that is not ours is left alone.
	long := doc(1, 7, evening)
	long.Body = bytes.Replace(long.Body, []byte(`"x":"`), append([]byte(`"x":"`), bytes.Repeat([]byte("y"), 300_000)...), 1)
	send(t, f, []delivery.Document{long})
	send(t, f, []delivery.Document{long, doc(1, 8, evening)})
	holds(t, path, slices.Concat(first, second, []delivery.Document{long, doc(1, 8, evening)}))
	if err := os.WriteFile(path, []byte("somebody's notes\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Send(t.Context(), run(1, 9, 9)); err == nil || !strings.Contains(err.Error(), "not one of our documents") {
		t.Errorf("Send into another's file = %v, want it refused", err)
	}
}

// TestAnyCompany sends runs of documents as a follower does that dies now and
// then: from anywhere behind the last move on, with what was written before cut
// at any byte.
func TestAnyCompany(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		dir, err := os.MkdirTemp(t.TempDir(), "")
		if err != nil {
			rt.Fatal(err)
		}
		f, err := fns.OpenFiles(dir)
		if err != nil {
			rt.Fatal(err)
		}
		path := filepath.Join(dir, "2026-03-14", "1.jsonl")
		moved := 0 // what the cursor says
		for range rapid.IntRange(1, 12).Draw(rt, "pages") {
			last := moved + rapid.IntRange(1, 6).Draw(rt, "entries")
			if _, err := f.Send(t.Context(), run(1, moved+1, last)); err != nil {
				rt.Fatal(err)
			}
			if rapid.Bool().Draw(rt, "dies") {
				text, err := os.ReadFile(path)
				if err != nil {
					rt.Fatal(err)
				}
				safe := 0
				for _, d := range run(1, 1, moved) {
					safe += len(d.Body)
				}
				at := rapid.IntRange(safe, len(text)).Draw(rt, "cut")
				if err := os.WriteFile(path, text[:at], 0o600); err != nil {
					rt.Fatal(err)
				}
				continue
			}
			moved = last
		}
		if _, err := f.Send(t.Context(), run(1, moved+1, moved+10)); err != nil {
			rt.Fatal(err)
		}
		got, _ := os.ReadFile(path)
		var want []byte
		for _, d := range run(1, 1, moved+10) {
			want = append(want, d.Body...)
		}
		if !bytes.Equal(got, want) {
			rt.Fatalf("the file has\n%s\nwant\n%s", got, want)
		}
	})
}

// Two nodes that both believe to follow write each document once.
func TestTwoWrite(t *testing.T) {
	f, dir := open(t)
	other, err := fns.OpenFiles(dir)
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			for first := 1; first <= 100; first += 10 {
				if _, err := []*fns.Files{f, other}[i%2].Send(t.Context(), slices.Concat(run(1, first, first+9), run(2, first, first+9))); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	for register := 1; register <= 2; register++ {
		text, err := os.ReadFile(filepath.Join(dir, "2026-03-14", fmt.Sprint(register)+".jsonl"))
		if err != nil {
			t.Fatal(err)
		}
		lines := strings.SplitAfter(string(text), "\n")
		slices.Sort(lines)
		if got := len(slices.Compact(lines)) - 1; got != 100 || len(strings.SplitAfter(string(text), "\n")) != 101 {
			t.Errorf("register %d: %d different lines of %d, want 100", register, got, strings.Count(string(text), "\n"))
		}
	}
}

// lapsing ends at the second look at it, after something has happened.
type lapsing struct {
	context.Context
	looks     int
	meanwhile func()
}

func (l *lapsing) Err() error {
	if l.looks++; l.looks == 1 {
		return nil
	}
	if l.looks == 2 {
		l.meanwhile()
	}
	return context.Canceled
}

// A process that freezes in the middle of a page loses its lease; who takes over
// finds some of the lines and relies on them. What the first one does when it
// wakes up takes nothing away.
//
// Req: P-008
func TestWakesTooLate(t *testing.T) {
	f, dir := open(t)
	second, err := fns.OpenFiles(dir)
	if err != nil {
		t.Fatal(err)
	}
	page := slices.Concat(run(1, 1, 3), run(2, 1, 3))
	frozen := &lapsing{Context: t.Context(), meanwhile: func() { send(t, second, page) }}
	if _, err := f.Send(frozen, page); err == nil {
		t.Fatal("Send without a lease went well")
	}
	holds(t, filepath.Join(dir, "2026-03-14", "1.jsonl"), run(1, 1, 3))
	holds(t, filepath.Join(dir, "2026-03-14", "2.jsonl"), run(2, 1, 3))
}

// On a full disk nothing of a batch stays, the error says so, and once there is
// room the same batch is written.
func TestDiskFull(t *testing.T) {
	if os.Getenv("FNS_TEST_FULL") == "" {
		// A process of its own, for the limit would bind the other tests too.
		cmd := exec.Command(os.Args[0], "-test.run=^TestDiskFull$")
		cmd.Env = append(os.Environ(), "FNS_TEST_FULL=yes")
		if out, err := cmd.CombinedOutput(); err != nil || !bytes.Contains(out, []byte("PASS")) {
			t.Errorf("%v\n%s", err, out)
		}
		return
	}
	f, dir := open(t)
	path := filepath.Join(dir, "2026-03-14", "1.jsonl")
	send(t, f, slices.Concat(run(1, 1, 3), run(2, 1, 1)))
	signal.Ignore(syscall.SIGXFSZ)
	var was unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_FSIZE, &was); err != nil {
		t.Fatal(err)
	}
	batch := slices.Concat(run(2, 2, 2), run(1, 4, 30), run(3, 1, 2))
	for size := uint64(250); size < 900; size += 25 {
		if err := unix.Setrlimit(unix.RLIMIT_FSIZE, &unix.Rlimit{Cur: size, Max: was.Max}); err != nil {
			t.Fatal(err)
		}
		refused, err := f.Send(t.Context(), batch)
		if err := unix.Setrlimit(unix.RLIMIT_FSIZE, &was); err != nil {
			t.Fatal(err)
		}
		if err == nil || len(refused) != 0 || !strings.Contains(err.Error(), "file too large") {
			t.Fatalf("Send with room for %d bytes = %v, %v; want an error of the disk", size, refused, err)
		}
		holds(t, path, run(1, 1, 3))
		holds(t, filepath.Join(dir, "2026-03-14", "2.jsonl"), run(2, 1, 1))
	}
	send(t, f, batch)
	holds(t, path, run(1, 1, 30))
	holds(t, filepath.Join(dir, "2026-03-14", "2.jsonl"), run(2, 1, 2))
	holds(t, filepath.Join(dir, "2026-03-14", "3.jsonl"), run(3, 1, 2))
}
