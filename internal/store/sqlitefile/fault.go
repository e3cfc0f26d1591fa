package sqlitefile

import (
	"errors"
	"fmt"

	engine "modernc.org/sqlite/lib"

	"openofd/internal/fiscal"
)

// Error is what SQLite answered.
type Error struct {
	Code int // extended result code
	Msg  string
}

func (e *Error) Error() string { return fmt.Sprintf("%s (sqlite %d)", e.Msg, e.Code) }

// Code is the primary result code behind err, 0 if SQLite has nothing to do
// with it.
func Code(err error) int { return extended(err) & 0xff }

func extended(err error) int {
	var ours *Error
	if errors.As(err, &ours) {
		return ours.Code
	}
	var drivers interface {
		error
		Code() int
	}
	if errors.As(err, &drivers) {
		return drivers.Code()
	}
	return 0
}

// Taken reports whether err says that a unique value is taken.
func Taken(err error) bool {
	switch extended(err) {
	case engine.SQLITE_CONSTRAINT_UNIQUE, engine.SQLITE_CONSTRAINT_PRIMARYKEY, engine.SQLITE_CONSTRAINT_ROWID:
		return true
	}
	return false
}

// fault gives an error of SQLite the Kind by which callers decide: StoreDown
// for what a human or time can mend, Corrupt for a damaged file, Invalid for
// content that a constraint refuses. Others pass unchanged.
func fault(path string, err error) error {
	if err == nil {
		return nil
	}
	var known *fiscal.Error
	if errors.As(err, &known) {
		return err
	}
	down := func(advice string) error {
		return &fiscal.Error{Reason: fiscal.StoreDown, Msg: path + ": " + advice, Err: err}
	}
	switch extended(err) {
	case engine.SQLITE_IOERR_CORRUPTFS, engine.SQLITE_IOERR_SHORT_READ, engine.SQLITE_IOERR_DATA:
		return &fiscal.Error{Of: fiscal.Corrupt, Msg: path + " is damaged: stop, keep a copy, run ofd verify", Err: err}
	}
	switch Code(err) {
	case engine.SQLITE_FULL:
		return down("no room: free space on its disk, the work goes on by itself")
	case engine.SQLITE_READONLY, engine.SQLITE_PERM, engine.SQLITE_AUTH:
		return down("may not be written: look at the rights of the file and its folder")
	case engine.SQLITE_BUSY, engine.SQLITE_LOCKED, engine.SQLITE_PROTOCOL:
		return down("another process holds it")
	case engine.SQLITE_CANTOPEN:
		return down("cannot be opened: look whether its folder is there")
	case engine.SQLITE_IOERR:
		return down("its disk does not answer")
	case engine.SQLITE_NOMEM:
		return down("out of memory")
	case engine.SQLITE_CORRUPT, engine.SQLITE_NOTADB, engine.SQLITE_FORMAT:
		return &fiscal.Error{Of: fiscal.Corrupt, Msg: path + " is damaged: stop, keep a copy, run ofd verify", Err: err}
	case engine.SQLITE_CONSTRAINT, engine.SQLITE_MISMATCH, engine.SQLITE_TOOBIG:
		return &fiscal.Error{Of: fiscal.Invalid, Err: err}
	}
	return err
}
