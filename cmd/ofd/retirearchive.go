package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"openofd/internal/fiscal"
	"openofd/internal/journal"
)

// retiredFile is the archive of a retirement while it is written. Without a
// name it takes nothing.
type retiredFile struct {
	path string
	to   *os.File // nil: there is none, or it is there already
	w    *journal.ArchiveWriter
}

// partialArchive follows the name of an archive that is not whole yet.
const partialArchive = ".partial"

// openRetired begins the archive, unless it is there from a run before.
func openRetired(c *retireCmd) (*retiredFile, error) {
	f := &retiredFile{path: c.Archive}
	if f.path == "" || c.DryRun {
		return f, nil
	}
	if _, err := os.Stat(f.path); err == nil {
		return f, nil // holdsAll looks into it
	} else if !errors.Is(err, fs.ErrNotExist) {
		return f, err
	}
	var err error
	if f.to, err = os.OpenFile(f.path+partialArchive, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o600); err != nil {
		return f, err
	}
	if f.w, err = journal.NewArchiveWriter(f.to); err != nil {
		f.discard()
	}
	return f, err
}

func (f *retiredFile) entry(e *journal.Entry, prev, before *journal.Hash) error {
	if f.w == nil {
		return nil
	}
	return f.w.Entry(e, prev, before)
}

func (f *retiredFile) segment(s *journal.Segment) error {
	if f.w == nil {
		return nil
	}
	return f.w.Segment(s)
}

// finish makes the archive durable under its name.
func (f *retiredFile) finish() error {
	if f.to == nil {
		return nil
	}
	if err := errors.Join(f.w.Close(), f.to.Sync()); err != nil {
		return fmt.Errorf("write the archive: %w", err)
	}
	if err := os.Rename(f.to.Name(), f.path); err != nil {
		return err
	}
	err := f.to.Close()
	f.to, f.w = nil, nil
	d, e := os.Open(filepath.Dir(f.path))
	if err = errors.Join(err, e); err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// discard removes an archive that was not finished.
func (f *retiredFile) discard() {
	if f.to != nil {
		f.to.Close()
		os.Remove(f.to.Name())
		f.to, f.w = nil, nil
	}
}

// readRetired verifies an archive with the installation's keys.
func (c *core) readRetired(path string) ([]journal.Segment, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	v, keyless := c.verification(nil)
	all, err := journal.ReadArchive(f, c.ring.ByID, v.Check)
	if *keyless != nil {
		err = *keyless
	}
	return all, err
}

// holdsAll reads the archive again, and refuses one that lacks a segment.
func (c *core) holdsAll(path string, segments []journal.Segment) error {
	there, err := c.readRetired(path)
	if err != nil {
		return fmt.Errorf("archive %s: %w", path, err)
	}
	for i := range segments {
		s := &segments[i]
		if !slices.ContainsFunc(there, func(o journal.Segment) bool { return o.Same(&s.SegmentFacts) }) {
			return withHint(&fiscal.Error{Reason: fiscal.AlreadyThere, Field: "archive", Msg: fmt.Sprintf("%s is there and does not hold month %s of partition %d", path, monthName(s.Month), s.Partition)},
				"Give another name")
		}
	}
	return nil
}
