package sqlitefile

import (
	"unsafe"

	"modernc.org/libc"
	"modernc.org/libc/sys/types"
	engine "modernc.org/sqlite/lib"
)

// A commit writes each of its pages to the log in two pieces, a header and the
// page, one right behind the other: for a batch of receipts that is 150 system
// calls, a fifth of all its work. gatherLog puts a thin layer over the methods
// of the log's open file that collects such pieces and writes them at once.
//
// Nothing depends on when they are written, only on their being there when the
// sync returns that makes the commit count: no other connection looks at what
// stands behind the last commit, and what this one reads, cuts or measures is
// written first. A failed write shows in the sync, which fails the same commit.

// gathered is the layer over one open file. It lives in SQLite's memory, as the
// file's table of methods; the file itself stays as it is.
type gathered struct {
	methods engine.Tsqlite3_io_methods
	own     uintptr // the methods the file was opened with
	buf     uintptr
	used    int64
	off     int64 // of buf in the file
}

// gatherBytes is how much is collected at most. SQLite's own method takes no
// more than 128 KiB at once.
const gatherBytes = 64 << 10

// gatherLog puts the layer over the connection's log. Without a log there is
// nothing to do.
func (c *conn) gatherLog() error {
	// The log is opened by the first transaction.
	for _, q := range []string{"BEGIN IMMEDIATE", "COMMIT"} {
		if _, err := c.exec(q); err != nil {
			return err
		}
	}
	if rc := engine.Xsqlite3_file_control(c.tls, c.db, 0, engine.SQLITE_FCNTL_JOURNAL_POINTER, c.out); rc != engine.SQLITE_OK {
		return c.failed(rc)
	}
	file := *(*uintptr)(at(c.out))
	if file == 0 || *(*uintptr)(at(file)) == 0 {
		return nil
	}
	p, buf := libc.Xcalloc(c.tls, 1, types.Size_t(unsafe.Sizeof(gathered{}))), libc.Xmalloc(c.tls, gatherBytes)
	if p == 0 || buf == 0 {
		libc.Xfree(c.tls, p)
		libc.Xfree(c.tls, buf)
		return &Error{Code: engine.SQLITE_NOMEM, Msg: "out of memory"}
	}
	g := (*gathered)(at(p))
	g.own, g.buf = *(*uintptr)(at(file)), buf
	g.methods = *(*engine.Tsqlite3_io_methods)(at(g.own))
	g.methods.FxWrite = function(gatherWrite)
	g.methods.FxRead = function(gatherRead)
	g.methods.FxSync = function(gatherSync)
	g.methods.FxTruncate = function(gatherTruncate)
	g.methods.FxFileSize = function(gatherFileSize)
	g.methods.FxClose = function(gatherClose)
	*(*uintptr)(at(file)) = p
	return nil
}

// function is how SQLite's memory holds a function: by the address that a func
// value is.
func function[F any](f F) uintptr { return *(*uintptr)(unsafe.Pointer(&f)) }

// method is the way back from function.
func method[F any](p uintptr) F { return *(*F)(unsafe.Pointer(&p)) }

// layer is the one over a file.
func layer(file uintptr) (g *gathered, own *engine.Tsqlite3_io_methods) {
	g = (*gathered)(at(*(*uintptr)(at(file))))
	return g, (*engine.Tsqlite3_io_methods)(at(g.own))
}

// The types of the methods, as SQLite declares them.
type (
	readOrWrite = func(tls *libc.TLS, file, buf uintptr, n int32, off int64) int32
	withInt     = func(tls *libc.TLS, file uintptr, v int32) int32
	withLong    = func(tls *libc.TLS, file uintptr, v int64) int32
	withPointer = func(tls *libc.TLS, file, p uintptr) int32
	alone       = func(tls *libc.TLS, file uintptr) int32
)

func gatherWrite(tls *libc.TLS, file, buf uintptr, n int32, off int64) int32 {
	g, own := layer(file)
	if off != g.off+g.used || g.used+int64(n) > gatherBytes {
		if rc := flush(tls, file); rc != engine.SQLITE_OK {
			return rc
		}
		if n > gatherBytes {
			return method[readOrWrite](own.FxWrite)(tls, file, buf, n, off)
		}
		g.off = off
	}
	copy(memory(g.buf+uintptr(g.used), int(n)), memory(buf, int(n)))
	g.used += int64(n)
	return engine.SQLITE_OK
}

// flush writes what is collected.
func flush(tls *libc.TLS, file uintptr) int32 {
	g, own := layer(file)
	n, off := g.used, g.off
	g.used, g.off = 0, -1
	if n == 0 {
		return engine.SQLITE_OK
	}
	return method[readOrWrite](own.FxWrite)(tls, file, g.buf, int32(n), off)
}

func gatherRead(tls *libc.TLS, file, buf uintptr, n int32, off int64) int32 {
	g, own := layer(file)
	if off < g.off+g.used && off+int64(n) > g.off {
		if rc := flush(tls, file); rc != engine.SQLITE_OK {
			return rc
		}
	}
	return method[readOrWrite](own.FxRead)(tls, file, buf, n, off)
}

func gatherSync(tls *libc.TLS, file uintptr, flags int32) int32 {
	_, own := layer(file)
	if rc := flush(tls, file); rc != engine.SQLITE_OK {
		return rc
	}
	return method[withInt](own.FxSync)(tls, file, flags)
}

func gatherTruncate(tls *libc.TLS, file uintptr, size int64) int32 {
	_, own := layer(file)
	if rc := flush(tls, file); rc != engine.SQLITE_OK {
		return rc
	}
	return method[withLong](own.FxTruncate)(tls, file, size)
}

func gatherFileSize(tls *libc.TLS, file, size uintptr) int32 {
	_, own := layer(file)
	if rc := flush(tls, file); rc != engine.SQLITE_OK {
		return rc
	}
	return method[withPointer](own.FxFileSize)(tls, file, size)
}

func gatherClose(tls *libc.TLS, file uintptr) int32 {
	g, own := layer(file)
	rc := flush(tls, file)
	p, buf := *(*uintptr)(at(file)), g.buf
	*(*uintptr)(at(file)) = g.own
	libc.Xfree(tls, buf)
	libc.Xfree(tls, p)
	return max(rc, method[alone](own.FxClose)(tls, file))
}
