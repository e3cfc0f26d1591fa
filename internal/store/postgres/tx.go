package postgres

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"openofd/internal/fiscal"
)

// asks is what a read needs of a pool, a connection or a transaction.
type asks interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
}

// query collects the rows that a statement gives. On a pool it is asked once
// more when the connection turns out to be dead, as all are after a restart,
// or its plan to be of an older schema.
func query[T any](ctx context.Context, from asks, row pgx.RowToFunc[T], sql string, args ...any) ([]T, error) {
	all, err := collect(ctx, from, row, sql, args)
	if _, pooled := from.(*pgxpool.Pool); pooled && err != nil && ctx.Err() == nil && worthAgain(err) {
		all, err = collect(ctx, from, row, sql, args)
	}
	return all, named(err)
}

func collect[T any](ctx context.Context, from asks, row pgx.RowToFunc[T], sql string, args []any) ([]T, error) {
	rows, err := from.Query(ctx, sql, args...)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, row)
}

// one is the value of the one row that a statement gives; ok is false if it
// gives none.
func one[T any](ctx context.Context, from asks, sql string, args ...any) (v T, ok bool, err error) {
	all, err := query(ctx, from, pgx.RowTo[T], sql, args...)
	if err != nil || len(all) == 0 {
		return v, false, err
	}
	return all[0], true, nil
}

// worthAgain reports whether an error is of the connection and not of the
// question.
func worthAgain(err error) bool {
	var e *fiscal.Error
	if errors.As(err, &e) {
		return false
	}
	switch c := code(err); c {
	case "": // no answer at all
		var closed *pgconn.ConnectError
		return !errors.As(err, &closed) && !errors.Is(err, pgx.ErrNoRows)
	case planChanged, readOnly, "57P01", "57P02": // admin_shutdown, crash_shutdown
		return true
	}
	return false
}

// write runs do in one transaction and commits it.
//
// Errors: those of do; OutcomeUnknown when the database has not said what
// became of COMMIT, or stopped waiting for its standby; StoreDown.
func (db *DB) write(ctx context.Context, do func(pgx.Tx) error) error {
	conn, tx, err := db.begin(ctx)
	if err != nil {
		return named(err)
	}
	defer conn.Release()
	if err := do(tx); err != nil {
		db.look(err)
		// The connection is closed if even this fails.
		return errors.Join(named(err), rollBack(ctx, tx))
	}
	told := conn.Conn().PgConn().CustomData()
	delete(told, warned)
	err = tx.Commit(context.WithoutCancel(ctx)) // the server's own timeout ends it
	if why, ok := told[warned]; ok && err == nil {
		return &fiscal.Error{Reason: fiscal.OutcomeUnknown, Msg: why.(string)}
	}
	var e *pgconn.PgError
	if err == nil || errors.As(err, &e) && e.SeverityUnlocalized == "ERROR" {
		return named(err)
	}
	return &fiscal.Error{Reason: fiscal.OutcomeUnknown, Msg: "COMMIT was not answered", Err: err}
}

// begin is tried again on another connection when the first is dead.
func (db *DB) begin(ctx context.Context) (*pgxpool.Conn, pgx.Tx, error) {
	for try := 1; ; try++ {
		conn, err := db.rest.Acquire(ctx)
		if err != nil {
			return nil, nil, err
		}
		tx, err := conn.Begin(ctx)
		if err == nil {
			return conn, tx, nil
		}
		conn.Release()
		if try > serviceConns || ctx.Err() != nil || !worthAgain(err) {
			return nil, nil, err
		}
	}
}

// look gives all connections up for new ones when one of them leads to a
// primary that was demoted: the others lead there too.
func (db *DB) look(err error) {
	if code(err) == readOnly {
		db.commits.Reset()
		db.rest.Reset()
		db.pages.Reset()
	}
}

func rollBack(ctx context.Context, tx pgx.Tx) error {
	err := tx.Rollback(context.WithoutCancel(ctx))
	if errors.Is(err, pgx.ErrTxClosed) || code(err) == "" {
		return nil // it is gone, and with it the transaction
	}
	return named(err)
}
