package sqlitefile

import (
	"fmt"
	"strings"

	"modernc.org/libc"
	"modernc.org/libc/sys/types"
	engine "modernc.org/sqlite/lib"
)

// Stmt is a prepared statement of one connection. Parameters are numbered from
// 1, columns from 0.
//
// Bind every parameter, then Exec, or Next until it is false and Close. An
// error of binding is kept and comes out there.
type Stmt struct {
	c      *conn
	handle uintptr
	room   []room // one for each parameter
	open   bool   // between a row and Close
	err    error
}

// room is memory of SQLite's that holds a bound text or blob until the next
// one is bound.
type room struct {
	p    uintptr
	size int
}

// keepRoom is how much a parameter may hold on to between two uses.
const keepRoom = 64 << 10

// prepare gives the statement for a query, compiled once on this connection.
func (c *conn) prepare(query string) (*Stmt, error) {
	if s := c.stmts[query]; s != nil {
		return s, nil
	}
	text, err := libc.CString(query)
	if err != nil {
		return nil, &Error{Code: engine.SQLITE_NOMEM, Msg: "out of memory"}
	}
	defer libc.Xfree(c.tls, text)
	tail := c.out + 8
	if rc := engine.Xsqlite3_prepare_v3(c.tls, c.db, text, -1, engine.SQLITE_PREPARE_PERSISTENT, c.out, tail); rc != engine.SQLITE_OK {
		return nil, fmt.Errorf("%s: %w", brief(query), c.failed(rc))
	}
	handle := *(*uintptr)(at(c.out))
	if rest := libc.GoString(*(*uintptr)(at(tail))); handle == 0 || strings.TrimSpace(rest) != "" {
		engine.Xsqlite3_finalize(c.tls, handle)
		return nil, fmt.Errorf("%s: one statement at a time", brief(query))
	}
	s := &Stmt{c: c, handle: handle, room: make([]room, engine.Xsqlite3_bind_parameter_count(c.tls, handle))}
	c.stmts[query] = s
	return s, nil
}

// brief is the beginning of a query, for errors.
func brief(query string) string {
	words := strings.Fields(query)
	return strings.Join(words[:min(len(words), 4)], " ")
}

func (s *Stmt) finalize() {
	engine.Xsqlite3_finalize(s.c.tls, s.handle)
	for _, r := range s.room {
		libc.Xfree(s.c.tls, r.p)
	}
}

func (s *Stmt) bound(rc int32) {
	if rc != engine.SQLITE_OK && s.err == nil {
		s.err = s.c.failed(rc)
	}
}

// BindInt sets an integer.
func (s *Stmt) BindInt(i int, v int64) {
	s.bound(engine.Xsqlite3_bind_int64(s.c.tls, s.handle, int32(i), v))
}

// BindBytes sets a blob; nil is an empty one.
func (s *Stmt) BindBytes(i int, v []byte) {
	if p, ok := s.take(i, len(v)); ok {
		copy(memory(p, len(v)), v)
		s.bound(engine.Xsqlite3_bind_blob(s.c.tls, s.handle, int32(i), p, int32(len(v)), 0))
	}
}

// BindText sets a text.
func (s *Stmt) BindText(i int, v string) {
	if p, ok := s.take(i, len(v)); ok {
		copy(memory(p, len(v)), v)
		s.bound(engine.Xsqlite3_bind_text(s.c.tls, s.handle, int32(i), p, int32(len(v)), 0))
	}
}

// BindNull sets NULL.
func (s *Stmt) BindNull(i int) {
	s.bound(engine.Xsqlite3_bind_null(s.c.tls, s.handle, int32(i)))
}

// maxBound is the longest text or blob; SQLite's own limit is about the same.
const maxBound = 1_000_000_000

// take gives parameter i room for n bytes.
func (s *Stmt) take(i, n int) (p uintptr, ok bool) {
	if i < 1 || i > len(s.room) || n > maxBound {
		if s.err == nil {
			s.err = &Error{Code: engine.SQLITE_RANGE, Msg: fmt.Sprintf("parameter %d of %d, %d bytes", i, len(s.room), n)}
		}
		return 0, false
	}
	r := &s.room[i-1]
	if r.size < n || r.p == 0 {
		libc.Xfree(s.c.tls, r.p)
		size := max(16, n+n/2)
		if r.p = libc.Xmalloc(s.c.tls, types.Size_t(size)); r.p == 0 {
			r.size, s.err = 0, &Error{Code: engine.SQLITE_NOMEM, Msg: "out of memory"}
			return 0, false
		}
		r.size = size
	}
	return r.p, true
}

// bind sets all parameters.
func (s *Stmt) bind(args []any) error {
	if len(args) != len(s.room) {
		return fmt.Errorf("%d values for %d parameters", len(args), len(s.room))
	}
	for i, a := range args {
		switch v := a.(type) {
		case nil:
			s.BindNull(i + 1)
		case int:
			s.BindInt(i+1, int64(v))
		case int64:
			s.BindInt(i+1, v)
		case bool:
			s.BindInt(i+1, int64(libc.Bool32(v)))
		case string:
			s.BindText(i+1, v)
		case []byte:
			s.BindBytes(i+1, v)
		default:
			return fmt.Errorf("parameter %d has the type %T", i+1, a)
		}
	}
	return nil
}

// Exec runs the statement to its end and tells how many rows it changed.
func (s *Stmt) Exec() (changed int64, err error) {
	for s.Next() {
	}
	err = s.Close()
	if err != nil {
		return 0, err
	}
	return int64(engine.Xsqlite3_changes(s.c.tls, s.c.db)), nil
}

// Next moves to the next row, and is false when there is none or on an error,
// which Close returns.
func (s *Stmt) Next() bool {
	if s.err != nil {
		return false
	}
	switch rc := engine.Xsqlite3_step(s.c.tls, s.handle); rc {
	case engine.SQLITE_ROW:
		if !s.open {
			s.open = true
			s.c.open++
		}
		return true
	case engine.SQLITE_DONE:
	default:
		s.err = s.c.failed(rc)
	}
	return false
}

// Close ends the use of the statement, whose next one may begin, and returns
// its first error.
func (s *Stmt) Close() error {
	engine.Xsqlite3_reset(s.c.tls, s.handle)
	if s.open {
		s.open = false
		s.c.open--
	}
	for i := range s.room {
		if r := &s.room[i]; r.size > keepRoom {
			s.bound(engine.Xsqlite3_bind_null(s.c.tls, s.handle, int32(i+1)))
			libc.Xfree(s.c.tls, r.p)
			*r = room{}
		}
	}
	err := s.err
	s.err = nil
	return err
}

// Int is an integer column; NULL is 0.
func (s *Stmt) Int(i int) int64 {
	return engine.Xsqlite3_column_int64(s.c.tls, s.handle, int32(i))
}

// Bytes is a copy of a blob column; NULL is empty.
func (s *Stmt) Bytes(i int) []byte { return append([]byte{}, s.view(i)...) }

// Text is a text column; NULL is empty.
func (s *Stmt) Text(i int) string { return string(s.view(i)) }

// CopyTo copies a blob column of a fixed length and reports whether it has
// that length.
func (s *Stmt) CopyTo(i int, to []byte) bool {
	v := s.view(i)
	return len(v) == len(to) && copy(to, v) == len(v)
}

// view is a column's bytes as SQLite holds them, until the next step.
func (s *Stmt) view(i int) []byte {
	p := engine.Xsqlite3_column_blob(s.c.tls, s.handle, int32(i))
	n := engine.Xsqlite3_column_bytes(s.c.tls, s.handle, int32(i))
	if p == 0 || n <= 0 {
		return nil
	}
	return memory(p, int(n))
}
