package stepfile_test

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"openofd/internal/device/stepfile"
	"openofd/internal/fiscal"
)

// step drops numbers from the front of a list and pushes others.
type step struct {
	Drop  int    `json:",omitempty"`
	Push  []int  `json:",omitempty"`
	Stuff []byte `json:",omitempty"`
}

// list is what steps are done to.
type list []int

func (l *list) take(s step) error {
	if s.Drop > len(*l) {
		return fmt.Errorf("%d dropped of %d", s.Drop, len(*l))
	}
	*l = append((*l)[s.Drop:], s.Push...)
	return nil
}

const limit = 1 << 20

func open(t testing.TB, path string) (*stepfile.File[step], *list) {
	t.Helper()
	l := new(list)
	f, err := stepfile.Open(path, limit, l.take)
	if err != nil {
		t.Fatal(err)
	}
	return f, l
}

// fill makes a file of n steps that push 1 to n, and returns its bytes and
// where each record ends.
func fill(t *testing.T, path string, n int) (b []byte, ends []int) {
	t.Helper()
	f, _ := open(t, path)
	for i := range n {
		if err := f.Append(step{Push: []int{i + 1}}); err != nil {
			t.Fatal(err)
		}
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for at := 0; at < len(b); {
		at += 8 + int(binary.LittleEndian.Uint32(b[at:]))
		ends = append(ends, at)
	}
	return b, ends
}

// TestTornTail cuts the file at every length: what was appended before the cut
// record is there, and the file goes on from it.
func TestTornTail(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	b, ends := fill(t, filepath.Join(dir, "whole"), 4)
	for cut := range len(b) + 1 {
		for _, tail := range [][]byte{nil, make([]byte, 600)} { // and zeros that a file system may leave
			want := list{}
			for i, e := range ends {
				if e <= cut {
					want = append(want, i+1)
				}
			}
			path := filepath.Join(dir, "cut")
			if err := os.WriteFile(path, append(bytes.Clone(b[:cut]), tail...), 0o600); err != nil {
				t.Fatal(err)
			}
			f, got := open(t, path)
			if !slices.Equal(*got, want) {
				t.Fatalf("cut at %d of %d: %v, want %v", cut, len(b), *got, want)
			}
			if err := f.Append(step{Push: []int{99}}); err != nil {
				t.Fatal(err)
			}
			f.Close()
			f, got = open(t, path)
			f.Close()
			if want = append(want, 99); !slices.Equal(*got, want) {
				t.Fatalf("cut at %d, then appended: %v, want %v", cut, *got, want)
			}
		}
	}
}

// TestDamage: a bit harmed before the last record is an error, wherever it is.
func TestDamage(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "steps")
	b, ends := fill(t, path, 4)
	for at := range ends[2] {
		for bit := range 8 {
			harmed := bytes.Clone(b)
			harmed[at] ^= 1 << bit
			if err := os.WriteFile(path, harmed, 0o600); err != nil {
				t.Fatal(err)
			}
			if _, err := stepfile.Open(path, limit, new(list).take); !errors.Is(err, fiscal.Corrupt) {
				t.Errorf("bit %d of byte %d of %d harmed: Open() = %v, want Corrupt", bit, at, len(b), err)
			}
		}
	}
}

// TestRefusedStep: a step that checks and cannot be taken is damage too.
func TestRefusedStep(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "steps")
	f, _ := open(t, path)
	if err := f.Append(step{Drop: 3}); err != nil {
		t.Fatal(err)
	}
	f.Close()
	if _, err := stepfile.Open(path, limit, new(list).take); !errors.Is(err, fiscal.Corrupt) {
		t.Errorf("Open() = %v, want Corrupt", err)
	}
}

// TestTooLarge: a step beyond the limit is refused, and harms nothing.
func TestTooLarge(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "steps")
	f, _ := open(t, path)
	defer f.Close()
	if err := f.Append(step{Stuff: make([]byte, limit)}); err == nil {
		t.Errorf("Append() of a step of more than %d bytes = nil, want an error", limit)
	}
	if err := f.Append(step{Push: []int{1}}); err != nil {
		t.Errorf("Append() after it = %v", err)
	}
}

// TestCompaction: the file stays small, a compaction loses nothing, and a
// stopped one leaves no trace.
func TestCompaction(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "steps")
	f, l := open(t, path)
	largest := int64(0)
	for i := range 60 {
		s := step{Drop: min(i, 1), Push: []int{i}, Stuff: make([]byte, 40_000)}
		if err := errors.Join(f.Append(s), l.take(s), f.Compact(func() step { return step{Push: *l} })); err != nil {
			t.Fatal(err)
		}
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		largest = max(largest, info.Size())
	}
	f.Close()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if largest > 1<<20+100_000 || info.Size() == largest || info.Mode().Perm() != 0o600 {
		t.Errorf("the file grew to %d bytes, is %d now and %v; want it compacted at a mebibyte, and its owner's alone", largest, info.Size(), info.Mode())
	}
	if err := os.WriteFile(path+".new", []byte("half a compaction"), 0o600); err != nil {
		t.Fatal(err)
	}
	f, l = open(t, path)
	f.Close()
	if !slices.Equal(*l, list{59}) {
		t.Errorf("after the compaction %v, want [59]", *l)
	}
	if _, err := os.Stat(path + ".new"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the stopped compaction is still there: %v", err)
	}
}

// TestBrokenDisk: after a failed write nothing is appended any more, for what
// the disk has is not known.
func TestBrokenDisk(t *testing.T) {
	t.Parallel()
	f, _ := open(t, filepath.Join(t.TempDir(), "steps"))
	f.Close() // the next write fails
	first := f.Append(step{})
	if again := f.Append(step{}); first == nil || !errors.Is(again, first) {
		t.Errorf("Append() = %v, then %v; want the first error twice", first, again)
	}
	if err := f.Compact(func() step { return step{} }); !errors.Is(err, first) {
		t.Errorf("Compact() = %v, want %v", err, first)
	}
}

// writerEnv has this test's program append to a file for ever.
const writerEnv = "STEPFILE_WRITER"

// TestMain lets the program be the one that is killed.
func TestMain(m *testing.M) {
	if path := os.Getenv(writerEnv); path != "" {
		if err := write(path); err != nil {
			fmt.Fprintln(os.Stderr, err)
		}
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// write counts on from the last number of a file, compacts at its time, and
// tells each number that is durable.
func write(path string) error {
	l := new(list)
	f, err := stepfile.Open(path, limit, l.take)
	if err != nil {
		return err
	}
	next := 1
	if len(*l) > 0 {
		next = (*l)[len(*l)-1] + 1
	}
	for ; ; next++ {
		s := step{Drop: len(*l), Push: []int{next}, Stuff: make([]byte, 30_000)}
		if err := errors.Join(f.Append(s), l.take(s), f.Compact(func() step { return step{Push: *l} })); err != nil {
			return err
		}
		if _, err := fmt.Println(next); err != nil {
			return err
		}
	}
}

// TestKilled kills a program with -9 while it appends and compacts, again and
// again: the file opens each time with the last number that was told, or the
// one after it.
//
// Req: P-002
func TestKilled(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "steps")
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	told := 0
	for kill := range 12 {
		writer := exec.Command(os.Args[0])
		writer.Env = append(os.Environ(), writerEnv+"="+path)
		out, err := writer.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := writer.Start(); err != nil {
			t.Fatal(err)
		}
		numbers := bufio.NewScanner(out)
		for range 1 + random.IntN(60) {
			if !numbers.Scan() {
				t.Fatalf("kill %d: the writer ended by itself", kill)
			}
			if told, err = strconv.Atoi(numbers.Text()); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(time.Duration(random.IntN(2000)) * time.Microsecond)
		if err := writer.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		for numbers.Scan() { // what it told and nobody had read
			if told, err = strconv.Atoi(numbers.Text()); err != nil {
				t.Fatal(err)
			}
		}
		_ = writer.Wait()
		f, l := open(t, path)
		f.Close()
		if len(*l) != 1 || (*l)[0] != told && (*l)[0] != told+1 {
			t.Fatalf("kill %d: the file holds %v, %d was told to be durable", kill, *l, told)
		}
		told = (*l)[0]
	}
	t.Logf("%d steps", told)
}

// FuzzReplay: any file is replayed or refused, and what was replayed is the
// same without the torn rest.
func FuzzReplay(f *testing.F) {
	var whole []byte
	for i := range 3 {
		var err error
		if whole, err = stepfile.AppendRecord(whole, step{Push: []int{i}, Drop: i / 2}, limit); err != nil {
			f.Fatal(err)
		}
	}
	f.Add(whole)
	f.Add(whole[:len(whole)-7])
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		first, again := new(list), new(list)
		size, err := stepfile.Replay(b, limit, first.take)
		if err != nil {
			return
		}
		if size < 0 || size > int64(len(b)) {
			t.Fatalf("Replay(%x) ends at %d", b, size)
		}
		end, err := stepfile.Replay(b[:size], limit, again.take)
		if err != nil || end != size || !slices.Equal(*again, *first) {
			t.Errorf("Replay(%x) = %v, %d, %v, want %v, %d", b[:size], *again, end, err, *first, size)
		}
	})
}

// BenchmarkAppend is one durable step.
func BenchmarkAppend(b *testing.B) {
	f, _ := open(b, filepath.Join(b.TempDir(), "steps"))
	defer f.Close()
	for b.Loop() {
		if err := f.Append(step{Stuff: make([]byte, 530)}); err != nil {
			b.Fatal(err)
		}
	}
}
