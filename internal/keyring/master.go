package keyring

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"openofd/internal/fiscal"
)

// masterLen is the size of the master key in bytes; its file holds twice as
// many hex digits and a line end.
const masterLen = 32

// master opens and closes the rows. It never leaves this package.
type master [masterLen]byte

// readMaster reads the master key file. It must belong to its owner alone:
// whoever can read it can sign in our name.
//
// The error is fs.ErrNotExist when there is no file; any other says what is
// wrong with it and what to do.
func readMaster(path string) (m master, err error) {
	f, err := os.Open(path)
	if err != nil {
		return m, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return m, err
	}
	if !info.Mode().IsRegular() {
		return m, wrongFile(path, "is not a regular file")
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		return m, wrongFile(path, fmt.Sprintf("can be read or written by others (mode %04o): chmod 600 it, and rotate the keys if others had access", mode))
	}
	text, err := io.ReadAll(io.LimitReader(f, 1024))
	if err != nil {
		return m, err
	}
	text = bytes.TrimSpace(text)
	if n, err := hex.Decode(m[:], text[:min(len(text), hex.EncodedLen(masterLen))]); err != nil || n != masterLen || len(text) != hex.EncodedLen(masterLen) {
		return master{}, wrongFile(path, "does not hold 64 hex digits and nothing else: restore it from its backup")
	}
	return m, nil
}

func wrongFile(path, why string) error {
	return &fiscal.Error{Of: fiscal.Internal, Field: "key-file", Msg: "the master key file " + path + " " + why}
}

// makeMaster makes the file with a fresh key, durable before it returns. If
// another process was faster, that one's key is read.
func makeMaster(path string, rand io.Reader) (m master, err error) {
	if _, err := io.ReadFull(rand, m[:]); err != nil {
		return m, fmt.Errorf("randomness for the master key: %w", err)
	}
	// Written beside and linked into place, so that nobody reads half a key.
	f, err := os.CreateTemp(filepath.Dir(path), ".master-*") // mode 0600
	if err != nil {
		return m, err
	}
	defer os.Remove(f.Name())
	_, err = fmt.Fprintln(f, hex.EncodeToString(m[:]))
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return m, err
	}
	if err := os.Link(f.Name(), path); err != nil {
		if errors.Is(err, fs.ErrExist) {
			return readMaster(path)
		}
		return m, err
	}
	return m, syncFolder(filepath.Dir(path))
}

// syncFolder makes a new name durable.
func syncFolder(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
