package postgres

import (
	"encoding/binary"
	"errors"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"
)

// A round trip of Append is made of the protocol's own messages, sent in one
// write: a Bind and an Execute for each statement, and a Sync. All statements
// are prepared when a connection is made, all values are binary.
//
// Only behind a Sync does the server's watch over an idle transaction run. A
// node that froze with half of a round trip sent would keep its heads for as
// long as it is frozen. So what may leave in pieces has a Sync behind each
// statement, which costs a ticket of a small batch a fifth of its way through
// the database; what the kernel takes in one piece has one, at the end.
//
// Source: PostgreSQL 15 documentation, §55.7 and §55.2.3.

// atOnce is how many bytes the kernel takes from us in one piece: conn has a
// send buffer of four times that, and nothing of the last round trip is left in
// it, for all of it was answered.
const atOnce = 64 << 10

// wholeWrites makes room for atOnce bytes in a connection's send buffer and
// remembers that it did. TLS sends records of 16 KiB one after another, so it
// never does.
func wholeWrites(c *pgconn.PgConn) {
	if s, ok := c.Conn().(interface{ SetWriteBuffer(int) error }); ok && s.SetWriteBuffer(4*atOnce) == nil {
		c.CustomData()[onePiece] = true
	}
}

// onePiece is where a connection keeps that it takes atOnce bytes in one piece.
const onePiece = "whole writes"

// The OIDs of the types that parameters have.
const (
	oidBytea  = 17
	oidInt8   = 20
	oidInt2   = 21
	oidInt4   = 23
	oidText   = 25
	oidInt4s  = 1007
	oidInt8s  = 1016
	oidByteas = 1001
)

// out gathers the messages of one round trip.
type out struct {
	b     []byte
	at    int  // where the message that is being written begins
	syncs int  // how often the server will say that it is ready
	wary  bool // a Sync behind each statement, and not one behind all
}

// parse prepares a statement whose parameters have the types it says itself.
func (o *out) parse(name, sql string) {
	at := len(o.b) + 1
	o.b = append(o.b, 'P', 0, 0, 0, 0)
	o.b = append(o.b, name...)
	o.b = append(o.b, 0)
	o.b = append(o.b, sql...)
	o.b = append(o.b, 0, 0, 0)
	binary.BigEndian.PutUint32(o.b[at:], uint32(len(o.b)-at))
	o.next()
}

// bind begins a Bind of a prepared statement; its parameters follow.
func (o *out) bind(statement string, params int) {
	o.at = len(o.b)
	o.b = append(o.b, 'B', 0, 0, 0, 0, 0) // length comes later; the nameless portal
	o.b = append(o.b, statement...)
	o.b = append(o.b, 0, 0, 1, 0, 1) // one format for all: binary
	o.b = binary.BigEndian.AppendUint16(o.b, uint16(params))
}

// execute ends the Bind and has it run.
func (o *out) execute() {
	o.b = append(o.b, 0, 1, 0, 1) // results: binary
	binary.BigEndian.PutUint32(o.b[o.at+1:], uint32(len(o.b)-o.at-1))
	o.b = append(o.b, 'E', 0, 0, 0, 9, 0, 0, 0, 0, 0) // the nameless portal, all rows
	o.next()
}

// next comes behind each statement.
func (o *out) next() {
	if o.wary {
		o.sync()
	}
}

// finish comes behind the last statement.
func (o *out) finish() {
	if !o.wary {
		o.sync()
	}
}

// plain runs a statement without parameters.
func (o *out) plain(statement string) {
	o.bind(statement, 0)
	o.execute()
}

func (o *out) sync() {
	o.b = append(o.b, 'S', 0, 0, 0, 4)
	o.syncs++
}

// again empties it for the next round trip.
func (o *out) again() { o.b, o.syncs, o.wary = o.b[:0], 0, false }

func (o *out) uint16(v uint16) { o.b = binary.BigEndian.AppendUint16(o.b, v) }
func (o *out) uint32(v uint32) { o.b = binary.BigEndian.AppendUint32(o.b, v) }
func (o *out) uint64(v uint64) { o.b = binary.BigEndian.AppendUint64(o.b, v) }

// int4, int8 and bytes are values with their length in front, as parameters,
// elements of arrays and fields of rows have it.
func (o *out) int4(v int32) {
	o.b = binary.BigEndian.AppendUint64(o.b, 4<<32|uint64(uint32(v)))
}

func (o *out) int8(v uint64) {
	o.uint32(8)
	o.uint64(v)
}

func (o *out) bytes(b []byte) {
	o.uint32(uint32(len(b)))
	o.b = append(o.b, b...)
}

// array begins a parameter of n elements and gives its place for end.
func (o *out) array(element uint32, n int) int {
	at := len(o.b)
	o.uint32(0) // length, later
	o.uint32(1) // dimensions
	o.uint32(0) // no NULL among them
	o.uint32(element)
	o.uint32(uint32(n))
	o.uint32(1) // the first has the index 1
	return at
}

// end puts the length in front of what began at a place.
func (o *out) end(at int) {
	binary.BigEndian.PutUint32(o.b[at:], uint32(len(o.b)-at-4))
}

// answer is what the server made of a round trip.
type answer struct {
	done   int             // statements that were executed, up to the first that failed
	err    *pgconn.PgError // why that one failed; nil: all were done
	tag    string          // of the last statement
	warned string          // a warning that came with the last statement
}

// errLost marks an error of the connection: the server has not said all.
var errLost = errors.New("connection to the database lost")

// roundTrip sends what was gathered and reads all answers. row gets each row of
// each statement: its number from 0, and its fields. sent is how many bytes have
// left. An error that is errLost is of the connection, which cannot be used any
// more; any other is row's.
func roundTrip(c *pgconn.PgConn, o *out, deadline time.Time, row func(statement int, fields [][]byte) error) (a answer, sent int, err error) {
	if !deadline.IsZero() {
		if err := c.Conn().SetDeadline(deadline); err != nil {
			return a, 0, errors.Join(errLost, err)
		}
		defer func() { // for whatever comes next
			if e := c.Conn().SetDeadline(time.Time{}); e != nil && err == nil {
				err = errors.Join(errLost, e)
			}
		}()
	}
	o.finish()
	if sent, err = c.Conn().Write(o.b); err != nil {
		return a, sent, errors.Join(errLost, err)
	}
	var bad error
	for ready := 0; ready < o.syncs; {
		m, err := c.Frontend().Receive()
		if err != nil {
			return a, sent, errors.Join(errLost, err)
		}
		switch m := m.(type) {
		case *pgproto3.DataRow:
			if bad == nil && row != nil {
				bad = row(a.done, m.Values)
			}
		case *pgproto3.CommandComplete:
			a.tag = string(m.CommandTag)
			if a.err == nil {
				a.done++
			}
		case *pgproto3.BindComplete:
			a.warned = ""
		case *pgproto3.NoticeResponse:
			if m.SeverityUnlocalized == "WARNING" {
				a.warned = m.Message
			}
		case *pgproto3.ErrorResponse:
			e := pgconn.ErrorResponseToPgError(m)
			if a.err == nil {
				a.err = e
			}
			if e.SeverityUnlocalized != "ERROR" { // FATAL, PANIC: the server hangs up
				return a, sent, errors.Join(errLost, e)
			}
		case *pgproto3.ReadyForQuery:
			ready++
		}
	}
	return a, sent, bad
}
