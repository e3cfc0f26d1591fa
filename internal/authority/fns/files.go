package fns

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"golang.org/x/sys/unix"

	"openofd/internal/delivery"
	"openofd/internal/fiscal"
)

// Files appends documents to files by day and register. It is a
// delivery.Sender; safe for concurrent use, also by several processes on one
// folder: a file is locked while it is looked at and appended to.
//
// A document is written once. Numbers of entries ascend within a file, so one
// look at the last line tells that a document is new; if it is not clearly new,
// the whole file is searched for its ID. A line that a dead process left half
// written is cut off first. When Send returns, what it wrote survives power
// loss; when the disk fails, files are as they were, as far as it allows that.
// When ctx ends whole documents may stand there already, and are known again.
type Files struct{ dir string }

var _ delivery.Sender = (*Files)(nil)

// OpenFiles opens the folder, or makes it.
func OpenFiles(dir string) (*Files, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("folder for the tax service: %w", err)
	}
	return &Files{dir}, nil
}

// Send implements delivery.Sender. It refuses nothing.
//
// Errors: Unavailable, those of the disk among them.
func (f *Files) Send(ctx context.Context, docs []delivery.Document) ([]delivery.Refusal, error) {
	var touched []change
	err := func() error {
		for _, one := range byFile(docs) {
			if err := ctx.Err(); err != nil {
				return err
			}
			c, err := f.append(one)
			touched = append(touched, c)
			if err != nil {
				return err
			}
		}
		// Also what was there already: whoever wrote it may have died before this.
		return syncAll(f.dir, touched)
	}()
	if err == nil {
		return nil, nil
	}
	// Who has lost its lease leaves what it wrote: whoever holds it now may have
	// found those lines, and counts on them. Whole lines are found by whoever is next.
	for _, c := range touched {
		if c.to > c.from && ctx.Err() == nil {
			err = errors.Join(err, c.undo())
		}
	}
	return nil, &fiscal.Error{Of: fiscal.Unavailable, Field: "fns", Msg: "documents were not written", Err: err}
}

// target is a file and what is to stand in it, in order.
type target struct {
	day, name string
	docs      []*delivery.Document
}

// byFile sorts documents by file, in the order in which files come first.
func byFile(docs []delivery.Document) []*target {
	type key struct {
		day      string
		register fiscal.RegisterID
		again    bool
	}
	at := make(map[key]*target)
	var all []*target
	for i := range docs {
		d := &docs[i]
		k := key{dayOf(d.Received), d.Place.Register, d.Again}
		t := at[k]
		if t == nil {
			t = &target{day: k.day, name: strconv.FormatInt(int64(k.register), 10) + ".jsonl"}
			if d.Again {
				t.name = strconv.FormatInt(int64(k.register), 10) + ".again.jsonl"
			}
			at[k], all = t, append(all, t)
		}
		t.docs = append(t.docs, d)
	}
	return all
}

// change is what happened to a file.
type change struct {
	path     string
	from, to int64 // its length
}

// append writes what of a target is not there yet.
func (f *Files) append(t *target) (c change, err error) {
	dir := filepath.Join(f.dir, t.day)
	c.path = filepath.Join(dir, t.name)
	file, err := open(c.path, os.O_RDWR|os.O_CREATE)
	if errors.Is(err, os.ErrNotExist) {
		if err = os.MkdirAll(dir, 0o700); err == nil {
			file, err = open(c.path, os.O_RDWR|os.O_CREATE)
		}
	}
	if err != nil {
		return c, err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	end, last, err := tail(file)
	if err != nil {
		return c, err
	}
	missing := t.docs
	if t.docs[0].Again || last >= uint64(t.docs[0].Number) {
		there, err := ids(file, end)
		if err != nil {
			return c, err
		}
		missing = nil
		for _, d := range t.docs {
			if !there[d.ID] {
				missing = append(missing, d)
			}
		}
	}
	if c.from, c.to = end, end; len(missing) == 0 {
		return c, nil
	}
	var b []byte
	for _, d := range missing {
		b = append(b, d.Body...)
	}
	if _, err := file.WriteAt(b, end); err != nil {
		return c, errors.Join(err, file.Truncate(end)) // some of it may stand there
	}
	c.to += int64(len(b))
	return c, nil
}

// patience is how long another process may hold a file.
const patience = 5 * time.Second

// open opens a file and locks it; closing it, or dying, gives the lock back.
func open(path string, flags int) (*os.File, error) {
	file, err := os.OpenFile(path, flags, 0o600)
	if err != nil {
		return nil, err
	}
	for until := time.Now().Add(patience); ; time.Sleep(time.Millisecond) {
		err = unix.Flock(int(file.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		if err == nil {
			return file, nil
		}
		if err != unix.EWOULDBLOCK && err != unix.EINTR || time.Now().After(until) {
			return nil, errors.Join(fmt.Errorf("lock %s: %w", path, err), file.Close())
		}
	}
}

// undo cuts off what was written, unless another process has written since.
func (c change) undo() error {
	file, err := open(c.path, os.O_RDWR)
	if err != nil {
		return err
	}
	info, err := file.Stat()
	if err == nil && info.Size() == c.to {
		err = file.Truncate(c.from)
	}
	return errors.Join(err, file.Close())
}

// tail cuts off a line without an end, and tells where the file then ends and
// which entry its last line is of; 0 is none.
func tail(file *os.File) (end int64, entry uint64, err error) {
	info, err := file.Stat()
	if err != nil || info.Size() == 0 {
		return 0, 0, err
	}
	size := info.Size()
	for window := int64(8 << 10); ; window *= 4 {
		from := max(size-window, 0)
		b := make([]byte, size-from)
		if _, err := file.ReadAt(b, from); err != nil && err != io.EOF {
			return 0, 0, err
		}
		line, stop, whole := lastLine(b, from == 0)
		if !whole {
			if window > longestLine {
				return 0, 0, fmt.Errorf("%s: a line of more than %d bytes: these are not our documents", file.Name(), longestLine)
			}
			continue
		}
		end = from + int64(stop)
		if end < size {
			if err := file.Truncate(end); err != nil {
				return 0, 0, err
			}
		}
		if len(line) == 0 {
			return end, 0, nil
		}
		_, entry, err = parseHead(line)
		if err != nil {
			return 0, 0, fmt.Errorf("%s: last line: %w", file.Name(), err)
		}
		return end, entry, nil
	}
}
