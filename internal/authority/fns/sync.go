package fns

import (
	"errors"
	"os"
	"path/filepath"
	"sync"
)

// few is how many files are made durable one by one. Beyond that a call for the
// whole file system costs less, although it waits for what others have written
// there too.
const few = 32

// syncAll makes files durable, and the folders that name them.
func syncAll(dir string, touched []change) error {
	switch {
	case len(touched) == 0:
		return nil
	case len(touched) <= few:
		return syncEach(dir, touched)
	}
	return syncMany(dir, touched)
}

// syncEach asks for all files at once: the file system writes them together.
func syncEach(dir string, touched []change) error {
	errs := make([]error, len(touched))
	folders := make(map[string]bool)
	var all sync.WaitGroup
	for i, c := range touched {
		// A file that was begun now, or by somebody who may have died since, is
		// not yet named for sure.
		if c.from == 0 || c.from == c.to {
			folders[filepath.Dir(c.path)] = true
		}
		all.Go(func() { errs[i] = syncOne(c.path) })
	}
	all.Wait()
	for folder := range folders {
		errs = append(errs, syncOne(folder))
	}
	if len(folders) > 0 {
		errs = append(errs, syncOne(dir))
	}
	return errors.Join(errs...)
}

func syncOne(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
