package sqlitefile

import (
	"fmt"
	"unsafe"

	"modernc.org/libc"
	"modernc.org/sqlite"
	engine "modernc.org/sqlite/lib"
)

// conn is one connection. It is not safe for concurrent use: whoever takes it
// from its File has it alone.
type conn struct {
	tls   *libc.TLS
	db    uintptr
	out   uintptr // room for two pointers that SQLite writes results to
	stmts map[string]*Stmt
	open  int // statements that stand on a row
}

// busyMillis is how long a statement waits for another process's lock.
const busyMillis = 2000

// openConn opens path; flags are SQLite's own. The pragmas are ours and are
// run in order.
func openConn(path string, flags int32, pragmas ...string) (*conn, error) {
	// A lock taken in the usual way is dropped when anybody in the process
	// closes another descriptor of the file, as a backup or a test may. The
	// switch lasts for the process; it cannot be had everywhere, nor later.
	_, _ = sqlite.OFDLocking(true)

	c := &conn{tls: libc.NewTLS(), stmts: map[string]*Stmt{}}
	c.out = libc.Xmalloc(c.tls, 16)
	name, err := libc.CString(path)
	if err != nil || c.out == 0 {
		c.tls.Close()
		return nil, &Error{Code: engine.SQLITE_NOMEM, Msg: "out of memory"}
	}
	defer libc.Xfree(c.tls, name)
	// NOMUTEX: a connection has one user at a time, so SQLite need not lock it
	// at each call.
	rc := engine.Xsqlite3_open_v2(c.tls, name, c.out, flags|engine.SQLITE_OPEN_NOMUTEX, 0)
	c.db = *(*uintptr)(at(c.out))
	if rc != engine.SQLITE_OK {
		err := c.failed(rc)
		c.close()
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	engine.Xsqlite3_extended_result_codes(c.tls, c.db, 1)
	engine.Xsqlite3_busy_timeout(c.tls, c.db, busyMillis)
	c.configure(engine.SQLITE_DBCONFIG_DEFENSIVE, true)
	c.configure(engine.SQLITE_DBCONFIG_DQS_DDL, false)
	c.configure(engine.SQLITE_DBCONFIG_DQS_DML, false)
	for _, p := range pragmas {
		if _, err := c.exec("PRAGMA " + p); err != nil {
			c.close()
			return nil, fmt.Errorf("open %s: %s: %w", path, p, err)
		}
	}
	return c, nil
}

// configure switches one of SQLite's options of a connection.
func (c *conn) configure(option int32, on bool) {
	args := libc.Xmalloc(c.tls, 16)
	if args == 0 {
		return
	}
	defer libc.Xfree(c.tls, args)
	engine.Xsqlite3_db_config(c.tls, c.db, option, libc.VaList(args, libc.Bool32(on), uintptr(0)))
}

// close rolls back what is open and gives everything back.
func (c *conn) close() {
	for _, s := range c.stmts {
		s.finalize()
	}
	c.stmts = nil
	if c.db != 0 {
		engine.Xsqlite3_close_v2(c.tls, c.db)
		c.db = 0
	}
	libc.Xfree(c.tls, c.out)
	c.tls.Close()
}

// exec runs a statement without values to its end.
func (c *conn) exec(query string) (changed int64, err error) {
	s, err := c.prepare(query)
	if err != nil {
		return 0, err
	}
	return s.Exec()
}

// settle closes what its user left open, or the next one would find it so.
func (c *conn) settle() {
	if c.open == 0 {
		return
	}
	for _, s := range c.stmts {
		_ = s.Close()
	}
}

// inTransaction reports whether a transaction is open.
func (c *conn) inTransaction() bool { return engine.Xsqlite3_get_autocommit(c.tls, c.db) == 0 }

// failed words what the last call on the connection returned.
func (c *conn) failed(rc int32) error {
	e := &Error{Code: int(rc)}
	if c.db != 0 {
		e.Msg = libc.GoString(engine.Xsqlite3_errmsg(c.tls, c.db))
		if x := engine.Xsqlite3_extended_errcode(c.tls, c.db); x&0xff == rc&0xff {
			e.Code = int(x)
		}
	} else {
		e.Msg = libc.GoString(engine.Xsqlite3_errstr(c.tls, rc))
	}
	return e
}

// at turns an address of SQLite's memory, which is none of Go's, into a
// pointer.
func at(p uintptr) unsafe.Pointer { return *(*unsafe.Pointer)(unsafe.Pointer(&p)) }

// memory is n bytes of SQLite's memory at p.
func memory(p uintptr, n int) []byte { return unsafe.Slice((*byte)(at(p)), n) }
