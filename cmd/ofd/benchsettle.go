package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// settleLimit bounds how long a database server is waited for.
const settleLimit = 20 * time.Minute

// settle has a database server digest what was put into it, so that it does
// not do so under the load: what autovacuum would do is done, and so is a
// checkpoint. What our role may not do is left to the server, waited for as far
// as our role can see it, and said.
func settle(con *console, url string) error {
	ctx, cancel := context.WithTimeout(con.ctx, settleLimit)
	defer cancel()
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return fmt.Errorf("settle: %w", err)
	}
	defer conn.Close(context.WithoutCancel(ctx))
	con.say("waiting until the database has settled")
	if _, err := conn.Exec(ctx, "VACUUM (ANALYZE)"); err != nil { // passes over what is not ours
		return fmt.Errorf("settle: vacuum: %w", err)
	}
	if err := vacuumed(ctx, con, conn); err != nil {
		return fmt.Errorf("settle: autovacuum: %w", err)
	}
	const insufficientPrivilege = "42501"
	var refused *pgconn.PgError
	_, err = conn.Exec(ctx, "CHECKPOINT")
	if errors.As(err, &refused) && refused.Code == insufficientPrivilege {
		con.say("our role may not ask for a checkpoint; the server's own may fall into the measurement")
		return nil
	}
	if err != nil {
		return fmt.Errorf("settle: checkpoint: %w", err)
	}
	return nil
}

// vacuumed waits until no worker of autovacuum is busy here, and where tables
// are left that one will find, until it had the time to.
func vacuumed(ctx context.Context, con *console, conn *pgx.Conn) error {
	const many = 100_000 // rows that are not vacuumed yet
	var left bool
	var quiet time.Duration
	err := conn.QueryRow(ctx, `SELECT coalesce(max(n_ins_since_vacuum), 0) > $1, current_setting('autovacuum_naptime')::interval FROM pg_stat_user_tables`, many).Scan(&left, &quiet)
	if err != nil {
		return err
	}
	if left {
		con.say("some tables are not ours to vacuum; waiting for autovacuum")
		quiet += 5 * time.Second
	} else {
		quiet = 0
	}
	for since := time.Now(); ; {
		var busy bool
		err := conn.QueryRow(ctx, `SELECT EXISTS (SELECT FROM pg_stat_progress_vacuum WHERE datname = current_database() AND pid <> pg_backend_pid())`).Scan(&busy)
		switch {
		case err != nil:
			return err
		case busy:
			since = time.Now()
		case time.Since(since) >= quiet:
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(time.Second):
		}
	}
}
