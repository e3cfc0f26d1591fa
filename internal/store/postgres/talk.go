package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"openofd/internal/fiscal"
)

// talk is one batch's use of a connection.
type talk struct {
	db   *DB
	conn *pgxpool.Conn
	lost bool // closed: there is nothing to roll back
	done int  // statements of the last round trip that were executed
}

// ask is a round trip before COMMIT: it has a deadline, and after an error
// nothing is stored.
func (w *talk) ask(ctx context.Context, o *out, row func(int, [][]byte) error) error {
	deadline := time.Now().Add(beforeCommit) // a socket's clock is the system's
	if d, ok := ctx.Deadline(); ok && d.Before(deadline) {
		deadline = d
	}
	a, _, err := roundTrip(w.conn.Conn().PgConn(), o, deadline, row)
	switch {
	case errors.Is(err, errLost):
		w.hangUp()
		return err
	case a.err != nil:
		return a.err
	}
	return err
}

// commitPatience is how long COMMIT is waited for. A server that hangs, while
// its kernel still takes what is sent, would be waited for until it dies, and
// its standby may have taken its place meanwhile. It is no shorter than what the
// journal's callers wait; what became of the batch a fence tells, wherever the
// database is then.
const commitPatience = 10 * time.Second

// commit is the round trip that carries COMMIT, which begins at a place in what
// is sent and is the last of so many statements.
func (w *talk) commit(o *out, at, statements int) error {
	a, sent, err := roundTrip(w.conn.Conn().PgConn(), o, time.Now().Add(commitPatience), nil)
	w.done = a.done
	before := a.done < statements-1 // COMMIT was not reached
	switch {
	case err != nil && (sent <= at || before && a.err != nil):
		w.hangUp()
		return nothingStored(err)
	case err != nil:
		w.hangUp()
		return unknown("COMMIT was not answered", err)
	case a.err != nil && before:
		return w.abandon(a.err)
	case a.err != nil && refusedAtCommit(a.err.Code):
		return w.abandon(a.err)
	case a.err != nil:
		w.hangUp()
		return unknown("COMMIT failed", a.err)
	case a.tag != "COMMIT":
		return nothingStored(&fiscal.Error{Of: fiscal.Internal, Msg: "COMMIT was answered with " + a.tag})
	case a.warned != "":
		// Committed here, but not where the standby is: a failover would lose it.
		return unknown(a.warned, nil)
	}
	return nil
}

// refusedAtCommit are the errors of COMMIT itself that take everything back:
// constraints looked at late, serialization, deadlock.
func refusedAtCommit(code string) bool {
	return code[:2] == "23" || code[:2] == "40" && code != "40003"
}

func unknown(why string, err error) error {
	return &fiscal.Error{Reason: fiscal.OutcomeUnknown, Msg: why, Err: err}
}

// abandon takes the transaction back, for a reason.
func (w *talk) abandon(err error) error {
	switch c := code(err); {
	case w.lost:
	case c == readOnly:
		w.hangUp()
		w.db.look(err)
	case c == planChanged:
		w.hangUp()
	default:
		w.rollBack()
	}
	return nothingStored(err)
}

// prepared reports whether the connection knows a statement that is prepared
// only when it is needed.
func (w *talk) prepared(name string) bool { return w.conn.Conn().PgConn().CustomData()[name] != nil }

func (w *talk) setPrepared(name string) { w.conn.Conn().PgConn().CustomData()[name] = true }

func (w *talk) rollBack() {
	var o out
	o.plain("rollback")
	a, _, err := roundTrip(w.conn.Conn().PgConn(), &o, time.Now().Add(beforeCommit), nil)
	if err != nil || a.err != nil {
		w.hangUp()
	}
}

// hangUp closes the connection; the pool makes another when one is needed.
func (w *talk) hangUp() {
	w.lost = true
	now, cancel := context.WithTimeout(context.Background(), time.Millisecond)
	defer cancel()
	if err := w.conn.Conn().Close(now); err != nil {
		w.db.log.Debug("connection to the database not closed in order", "err", err)
	}
}

// monthClosed says that the table of an entry's month is not there yet.
type monthClosed struct {
	month int32
	err   error
}

func (e *monthClosed) Error() string { return fmt.Sprintf("month %d is not open: %v", e.month, e.err) }
func (e *monthClosed) Unwrap() error { return e.err }
