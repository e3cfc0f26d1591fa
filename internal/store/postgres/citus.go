package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"openofd/internal/fiscal"
)

// citusThere refuses a server without the extension.
func citusThere(ctx context.Context, conn *pgx.Conn) error {
	var there bool
	if err := conn.QueryRow(ctx, `SELECT EXISTS (SELECT FROM pg_available_extensions WHERE name = 'citus')`).Scan(&there); err != nil {
		return fmt.Errorf("look for Citus: %w", named(err))
	}
	if !there {
		return &fiscal.Error{Of: fiscal.Conflict, Field: "citus", Msg: "the extension is not installed on this server: install it, or migrate without --citus"}
	}
	return nil
}

// distributed are the tables that lie on the shard of their partition, heads
// first: the others lie beside it.
var distributed = []string{"heads", "states", "numbers", "cards", "entries", "refused", "contacts", "cursors", "deliveries", "parked", "documents", "document_keys", "shifts", "days", "aways", "summaries", "summary_latest", "summary_days"}

// distribute spreads the journal over the workers, once. What leads to a
// register is on every worker, the rest of the registry on the coordinator.
// Row triggers are allowed because ours read nothing; the triggers of whole
// statements, which Citus does not have, are dropped first: there rights alone
// refuse TRUNCATE.
func distribute(ctx context.Context, conn *pgx.Conn) error {
	return pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		var done bool
		if err := tx.QueryRow(ctx, `SELECT EXISTS (SELECT FROM installation WHERE name = 'citus')`).Scan(&done); err != nil || done {
			return named(err)
		}
		statements := []string{
			`CREATE EXTENSION IF NOT EXISTS citus`,
			`SET LOCAL citus.enable_unsafe_triggers = on`,
			`SET LOCAL citus.multi_shard_modify_mode = 'sequential'`,
		}
		for _, t := range append([]string{"directory"}, distributed...) {
			for _, trigger := range []string{"never", "none"} {
				statements = append(statements, fmt.Sprintf(`DO $$ BEGIN IF EXISTS (SELECT FROM pg_trigger WHERE tgrelid = '%[1]s'::regclass AND tgname = '%[1]s_%[2]s' AND tgtype & 1 = 0) THEN DROP TRIGGER %[1]s_%[2]s ON %[1]s; END IF; END $$`, t, trigger))
			}
		}
		statements = append(statements, `SELECT create_reference_table('directory')`, `SELECT create_distributed_table('heads', 'partition', shard_count => (SELECT value::integer FROM installation WHERE name = 'partitions'))`)
		for _, t := range distributed[1:] {
			statements = append(statements, fmt.Sprintf(`SELECT create_distributed_table('%s', 'partition', colocate_with => 'heads')`, t))
		}
		statements = append(statements,
			fmt.Sprintf(`ALTER DATABASE %s SET citus.propagate_set_commands = 'local'`, pgx.Identifier{conn.Config().Database}.Sanitize()),
			fmt.Sprintf(`ALTER DATABASE %s SET citus.enable_unsafe_triggers = on`, pgx.Identifier{conn.Config().Database}.Sanitize()),
			`INSERT INTO installation (name, value) VALUES ('citus', 'yes')`)
		for _, s := range statements {
			if _, err := tx.Exec(ctx, s); err != nil {
				return fmt.Errorf("distribute over Citus: %s: %w", s, named(err))
			}
		}
		return nil
	})
}
