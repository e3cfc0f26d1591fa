package stepfile

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// compactAt is the size in bytes below which history is left alone.
const compactAt = 1 << 20

// File is an open file of steps. It is used by one goroutine at a time.
type File[S any] struct {
	path  string
	limit uint32 // bytes of a body
	file  *os.File
	size  int64 // bytes of whole records
	err   error // of a failed write; nothing is written after it
}

// Open opens the file at path, makes it when there is none, and has every step
// in it taken in order. limit is the size of the largest body in bytes.
//
// Errors: Corrupt when a record before the last does not check or a step is not
// taken; else of the file system.
func Open[S any](path string, limit uint32, take func(S) error) (*File[S], error) {
	// A compaction that a power cut stopped: its file never took the name.
	if err := os.Remove(path + ".new"); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	f := &File[S]{path: path, limit: limit, file: file}
	if err := f.read(take); err != nil {
		_ = file.Close()
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return f, nil
}

// read replays the file and cuts a torn record off.
func (f *File[S]) read(take func(S) error) error {
	b, err := io.ReadAll(f.file)
	if err != nil {
		return err
	}
	if f.size, err = Replay(b, f.limit, take); err != nil {
		return err
	}
	if f.size < int64(len(b)) {
		if err := f.file.Truncate(f.size); err != nil {
			return err
		}
	}
	if _, err := f.file.Seek(f.size, io.SeekStart); err != nil {
		return err
	}
	if err := f.file.Sync(); err != nil {
		return err
	}
	return syncDir(f.path)
}

// Append returns after the disk has the step. After an error of the disk it is
// not known what the disk has, and nothing is appended any more: only opening
// the file again can tell.
func (f *File[S]) Append(step S) error {
	if f.err != nil {
		return f.err
	}
	b, err := AppendRecord(nil, step, f.limit)
	if err != nil {
		return err
	}
	if _, err = f.file.Write(b); err == nil {
		err = f.file.Sync()
	}
	if err != nil {
		f.err = fmt.Errorf("%s: %w", f.path, err)
		return f.err
	}
	f.size += int64(len(b))
	return nil
}

// Compact replaces all steps by one, once history is the larger part of the
// file. present gives the step that makes of nothing what there is.
func (f *File[S]) Compact(present func() S) error {
	if f.err != nil || f.size < compactAt {
		return f.err
	}
	b, err := AppendRecord(nil, present(), f.limit)
	if err != nil || f.size < 4*int64(len(b)) {
		return err
	}
	file, err := replaceFile(f.path, b)
	if err != nil {
		f.err = fmt.Errorf("%s: compact: %w", f.path, err)
		return f.err
	}
	_ = f.file.Close() // all of it is in the new file
	f.file, f.size = file, int64(len(b))
	return nil
}

// Close closes the file.
func (f *File[S]) Close() error { return f.file.Close() }

// replaceFile puts b under path in one move and leaves the file open at its
// end. At every moment either the old or the new content has the name.
func replaceFile(path string, b []byte) (*os.File, error) {
	file, err := os.OpenFile(path+".new", os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return nil, err
	}
	if _, err = file.Write(b); err == nil {
		err = file.Sync()
	}
	if err == nil {
		err = os.Rename(path+".new", path)
	}
	if err == nil {
		err = syncDir(path)
	}
	if err != nil {
		_ = file.Close()
		return nil, err
	}
	return file, nil
}

// syncDir makes the name of a file durable.
func syncDir(path string) error {
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	defer dir.Close()
	return dir.Sync()
}
