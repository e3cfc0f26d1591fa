package sqlitefile

import (
	"context"

	engine "modernc.org/sqlite/lib"
)

// Look lends a connection that only reads to do, for a file at which nobody
// works: a backup. It leaves nothing beside the file, whatever schema that has.
//
// Errors: do's own; StoreDown, Corrupt.
func Look(path string, do func(*Tx) error) error {
	c, err := openConn(path, engine.SQLITE_OPEN_READONLY, shared[:]...)
	if err != nil {
		return fault(path, err)
	}
	defer c.close()
	defer c.settle()
	return fault(path, do(&Tx{c}))
}

// CheckCopy is Check for a file at which nobody works: that it has the length
// which it says, and that each page, index and row is what it should be. The
// error is Corrupt.
func CheckCopy(ctx context.Context, path string) error {
	f := &File{path: path, readers: make(chan *conn, 1), closed: make(chan struct{})}
	f.readers <- nil
	err := f.Check(ctx)
	if c := <-f.readers; c != nil {
		c.close()
	}
	return err
}
