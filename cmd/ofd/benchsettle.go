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

// settle waits until a database server has digested what was put into it: a
// checkpoint is done, and autovacuum, which wakes up once a minute as a rule,
// has found nothing to do or has ended. What our role may not do or see is said
// and passed over.
func settle(con *console, url string) error {
	ctx, cancel := context.WithTimeout(con.ctx, settleLimit)
	defer cancel()
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return fmt.Errorf("settle: %w", err)
	}
	defer conn.Close(context.WithoutCancel(ctx))
	con.say("waiting until the database has settled")
	const insufficientPrivilege = "42501"
	var refused *pgconn.PgError
	switch _, err := conn.Exec(ctx, "CHECKPOINT"); {
	case errors.As(err, &refused) && refused.Code == insufficientPrivilege:
		con.say("our role may not ask for a checkpoint; the server's own may fall into the measurement")
	case err != nil:
		return fmt.Errorf("settle: checkpoint: %w", err)
	}
	var nap time.Duration
	var on bool
	if err := conn.QueryRow(ctx, `SELECT current_setting('autovacuum_naptime')::interval, current_setting('autovacuum')::bool`).Scan(&nap, &on); err != nil {
		return fmt.Errorf("settle: %w", err)
	}
	if !on {
		return nil
	}
	quiet := time.Now()
	for time.Since(quiet) < nap+5*time.Second {
		var busy bool
		// Whose workers these are is hidden from most roles, that they are there is not.
		err := conn.QueryRow(ctx, `SELECT EXISTS (SELECT FROM pg_stat_activity WHERE backend_type = 'autovacuum worker' AND (datname = current_database() OR datname IS NULL))
			OR EXISTS (SELECT FROM pg_stat_progress_vacuum WHERE datname = current_database())`).Scan(&busy)
		if err != nil {
			return fmt.Errorf("settle: autovacuum: %w", err)
		}
		if busy {
			quiet = time.Now()
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("settle: autovacuum is busy for %v: %w", settleLimit, ctx.Err())
		case <-time.After(time.Second):
		}
	}
	return nil
}
