package sqlitefile

import (
	"context"
	"errors"
	"fmt"

	engine "modernc.org/sqlite/lib"

	"openofd/internal/fiscal"
)

// Tx is the use of a connection, by one goroutine, until the function that was
// given it returns.
type Tx struct{ c *conn }

// Prepare gives the statement for a query, compiled once on this connection.
func (tx *Tx) Prepare(query string) (*Stmt, error) { return tx.c.prepare(query) }

// Exec runs one statement and tells how many rows it changed. Values are nil,
// bool, int, int64, string or []byte.
func (tx *Tx) Exec(query string, args ...any) (changed int64, err error) {
	s, err := tx.Query(query, args...)
	if err != nil {
		return 0, err
	}
	if changed, err = s.Exec(); err != nil {
		return 0, fmt.Errorf("%s: %w", brief(query), err)
	}
	return changed, nil
}

// Query binds values to a statement, whose rows Next then gives. Close it
// before the same query is asked again.
func (tx *Tx) Query(query string, args ...any) (*Stmt, error) {
	s, err := tx.c.prepare(query)
	if err != nil {
		return nil, err
	}
	if err := s.bind(args); err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", brief(query), err), s.Close())
	}
	return s, nil
}

// QueryInt is the first column of the first row; ok is false if there is none.
func (tx *Tx) QueryInt(query string, args ...any) (v int64, ok bool, err error) {
	s, err := tx.Query(query, args...)
	if err != nil {
		return 0, false, err
	}
	if ok = s.Next(); ok {
		v = s.Int(0)
	}
	return v, ok, s.Close()
}

// Write runs do in one transaction that holds the file's write lock from its
// first moment, so that what it reads stays true. It is durable when Write
// returns nil. An error of do, or a panic, takes everything back.
//
// Errors: do's own; StoreDown, Corrupt, Invalid, after all of which nothing is
// stored; OutcomeUnknown when only time will tell (see Fence). ctx ends the
// waiting for a turn, never a transaction that has begun.
func (f *File) Write(ctx context.Context, do func(*Tx) error) error {
	if err := f.takeTurn(ctx); err != nil {
		return err
	}
	defer f.giveTurn()
	if f.writer == nil {
		c, err := f.openWriter()
		if err != nil {
			return fault(f.path, err)
		}
		f.writer = c
	}
	return fault(f.path, f.transact(f.writer, do))
}

func (f *File) transact(c *conn, do func(*Tx) error) error {
	if _, err := c.exec("BEGIN IMMEDIATE"); err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	committed := false
	defer func() {
		if !committed {
			f.undo(c)
		}
	}()
	if err := do(&Tx{c}); err != nil {
		return err
	}
	c.settle()
	_, err := c.exec("COMMIT")
	if err == nil {
		committed = true
		if f.mover != nil {
			f.mover.wrote(c.pagesWritten())
		}
		return nil
	}
	// The commit's last page carries the mark that makes it count. Without room
	// for it, or without the right to begin, it has no mark. Any other failure,
	// of a sync above all, can come after the mark.
	switch Code(err) {
	case engine.SQLITE_FULL, engine.SQLITE_BUSY, engine.SQLITE_LOCKED, engine.SQLITE_CONSTRAINT:
		return fmt.Errorf("commit: %w", err)
	}
	return &fiscal.Error{Reason: fiscal.OutcomeUnknown, Msg: f.path + ": the commit may or may not be durable", Err: err}
}

// undo rolls back, and gives the connection up if it will not.
func (f *File) undo(c *conn) {
	c.settle()
	if c.inTransaction() {
		_, _ = c.exec("ROLLBACK")
	}
	if c.inTransaction() {
		c.close()
		f.writer = nil
	}
}

func (f *File) takeTurn(ctx context.Context) error {
	select {
	case <-f.closed:
		return f.isClosed()
	default:
	}
	select {
	case f.turn <- struct{}{}:
		return nil
	case <-f.closed:
		return f.isClosed()
	case <-ctx.Done():
		return fmt.Errorf("wait for a turn to write %s: %w", f.path, ctx.Err())
	}
}

func (f *File) giveTurn() { <-f.turn }

// Read lends a reading connection to do. Each statement sees one moment of the
// file; keep it short, for the log cannot start anew while a reader is at work.
//
// Errors: do's own; StoreDown, Corrupt.
func (f *File) Read(ctx context.Context, do func(*Tx) error) error {
	select {
	case <-f.closed:
		return f.isClosed()
	default:
	}
	var c *conn
	select {
	case c = <-f.readers:
	case <-f.closed:
		return f.isClosed()
	case <-ctx.Done():
		return fmt.Errorf("wait for a turn to read %s: %w", f.path, ctx.Err())
	}
	defer func() { f.readers <- c }()
	if c == nil {
		opened, err := f.openReader()
		if err != nil {
			return fault(f.path, err)
		}
		c = opened
	}
	defer c.settle()
	return fault(f.path, do(&Tx{c}))
}
