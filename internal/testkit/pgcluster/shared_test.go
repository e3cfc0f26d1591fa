package pgcluster

import (
	"context"
	"errors"
	"os"
	"testing"

	"github.com/jackc/pgx/v5"
)

func TestMain(m *testing.M) { os.Exit(Main(m)) }

// TestDatabasesAreApart: two tests at once do not see each other's tables.
func TestDatabasesAreApart(t *testing.T) {
	for _, name := range []string{"one", "another"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			conn, err := pgx.Connect(t.Context(), Database(t))
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close(context.Background())
			var n int
			if err := conn.QueryRow(t.Context(), "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").Scan(&n); err != nil || n != 0 {
				t.Fatalf("a fresh database has %d tables, %v; want none", n, err)
			}
			if _, err := conn.Exec(t.Context(), "CREATE TABLE things (n int)"); err != nil {
				t.Fatal(err)
			}
		})
	}
}

// TestCopies: later databases of a kind are what the first was filled with, and
// what one test does is not in the next one's.
func TestCopies(t *testing.T) {
	filled := 0
	for _, name := range []string{"first", "second", "third"} {
		t.Run(name, func(t *testing.T) {
			conn, err := pgx.Connect(t.Context(), Copy(t, "things", func(ctx context.Context, url string) error {
				filled++
				conn, err := pgx.Connect(ctx, url)
				if err != nil {
					return err
				}
				_, err = conn.Exec(ctx, "CREATE TABLE things (n int); INSERT INTO things VALUES (7)")
				return errors.Join(err, conn.Close(ctx))
			}))
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close(context.Background())
			var sum int
			if err := conn.QueryRow(t.Context(), "SELECT sum(n) FROM things").Scan(&sum); err != nil || sum != 7 || filled != 1 {
				t.Fatalf("a copy holds %d, %v, after %d fillings; want 7 after one", sum, err, filled)
			}
			if _, err := conn.Exec(t.Context(), "INSERT INTO things VALUES (1)"); err != nil {
				t.Fatal(err)
			}
		})
	}
}

// TestDatabaseIsDropped: what a test made is gone with it, whoever still holds
// a connection.
func TestDatabaseIsDropped(t *testing.T) {
	var url string
	t.Run("a test", func(t *testing.T) {
		url = Database(t)
		conn, err := pgx.Connect(t.Context(), url)
		if err != nil {
			t.Fatal(err)
		}
		_ = conn // left open on purpose
	})
	if conn, err := pgx.Connect(t.Context(), url); err == nil {
		conn.Close(t.Context())
		t.Errorf("Connect(%s) after the test's end = nil, want no such database", url)
	}
}
