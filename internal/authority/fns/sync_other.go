//go:build !linux

package fns

import (
	"errors"
	"os"
	"path/filepath"
)

// syncAll makes files durable, and the folders that name them.
func syncAll(dir string, touched []change) error {
	folders := map[string]bool{}
	for _, c := range touched {
		if err := syncOne(c.path); err != nil {
			return err
		}
		folders[filepath.Dir(c.path)] = true
	}
	for folder := range folders {
		if err := syncOne(folder); err != nil {
			return err
		}
	}
	return syncOne(dir)
}

func syncOne(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
