package fns

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// syncMany makes the whole file system of a folder durable.
func syncMany(dir string, _ []change) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(unix.Syncfs(int(d.Fd())), d.Close())
}
