package pgcluster

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// Standby makes a second cluster that follows this one, and has this one wait
// for it: from then on a commit is answered when both have it. It is removed
// when the test ends.
func (c *Cluster) Standby(t testing.TB) *Cluster {
	t.Helper()
	s, err := makeFolder(Options{})
	if err != nil {
		t.Fatal(err)
	}
	s.belongs(t)
	s.settings = maps.Clone(c.settings)
	s.settings["unix_socket_directories"] = s.dir
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.follow(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	return s
}

// Promote makes a standby the primary and returns when it takes writes.
func (c *Cluster) Promote(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	// Not by SQL: what still streams in may end the session that asks for it.
	if out, err := c.run("pg_ctl", "-D", c.data(), "promote", "-W"); err != nil {
		return fmt.Errorf("promote: %w\n%s", err, out)
	}
	return c.wait(ctx, "SELECT (NOT pg_is_in_recovery())::int")
}

// Rejoin brings a primary that was killed back as a standby of the one that
// took its place: what only the old one had is set aside for a new base
// backup, and the new one waits for it from now on.
func (c *Cluster) Rejoin(ctx context.Context, primary *Cluster) error {
	c.t.Helper()
	c.Kill()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.lives++
	if err := os.Rename(c.data(), fmt.Sprintf("%s.%d", c.data(), c.lives)); err != nil {
		return err
	}
	return c.follow(ctx, primary)
}

// follow copies a primary, starts as its standby, and has it wait for us.
func (c *Cluster) follow(ctx context.Context, primary *Cluster) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	source := fmt.Sprintf("host=127.0.0.1 port=%d user=postgres application_name=%s", primary.port, c.name)
	if out, err := c.run("pg_basebackup", "-D", c.data(), "-d", source, "-R", "-X", "stream", "-c", "fast", "--no-sync"); err != nil {
		return fmt.Errorf("pg_basebackup: %w\n%s", err, out)
	}
	// Whom the primary waits for is its own affair: promoted, we wait for nobody.
	if err := c.forget("synchronous_standby_names"); err != nil {
		return err
	}
	if err := c.up(); err != nil {
		return err
	}
	for _, sql := range []string{
		"ALTER SYSTEM SET synchronous_standby_names = '" + c.name + "'",
		"SELECT pg_reload_conf()",
	} {
		if err := primary.Exec(ctx, sql); err != nil {
			return err
		}
	}
	return primary.wait(ctx, "SELECT count(*) FROM pg_stat_replication WHERE application_name = '"+c.name+"' AND sync_state = 'sync'")
}

// forget takes a setting out of what ALTER SYSTEM wrote.
func (c *Cluster) forget(setting string) error {
	path := c.data() + "/postgresql.auto.conf"
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	var kept []string
	for line := range strings.Lines(string(text)) {
		if !strings.HasPrefix(line, setting+" ") {
			kept = append(kept, line)
		}
	}
	return os.WriteFile(path, []byte(strings.Join(kept, "")), 0o600) // keeps its owner
}

// errWaiting is a condition that did not come.
var errWaiting = errors.New("waited in vain")

// wait asks until the number is not 0.
func (c *Cluster) wait(ctx context.Context, sql string) error {
	conn, err := pgx.Connect(ctx, c.URL("postgres"))
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	for {
		var n int
		if err := conn.QueryRow(ctx, sql).Scan(&n); err != nil {
			return err
		}
		if n != 0 {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%w: %s", errWaiting, sql)
		case <-time.After(10 * time.Millisecond):
		}
	}
}
