package postgres

import (
	"context"
	"os"
	"testing"

	"openofd/internal/cabinet"
	"openofd/internal/store/storetest"
	"openofd/internal/testkit/pgcluster"
)

func TestMain(m *testing.M) { os.Exit(pgcluster.Main(m)) }

func TestContract(t *testing.T) {
	storetest.Run(t, func(t *testing.T) storetest.Engine { return installation(t) })
}

// engine adds what the contract asks of tests alone.
type engine struct {
	*DB
	url string
}

// installation makes an empty one with few partitions.
func installation(t testing.TB) engine {
	t.Helper()
	url := pgcluster.Copy(t, "installation", func(ctx context.Context, url string) error {
		return Migrate(ctx, MigrateOptions{URL: url, Partitions: 16})
	})
	return open(t, Options{URL: url})
}

// migrated is no copy, which has not the rights on the database itself.
func migrated(t testing.TB) engine {
	t.Helper()
	url := pgcluster.Database(t)
	if err := Migrate(t.Context(), MigrateOptions{URL: url, Partitions: 16}); err != nil {
		t.Fatal(err)
	}
	return open(t, Options{URL: url})
}

// open opens an installation until the test ends.
func open(t testing.TB, o Options) engine {
	t.Helper()
	db, err := Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return engine{db, o.URL}
}

func (e engine) Beside(t *testing.T) storetest.Engine { return open(t, Options{URL: e.url}) }

func (e engine) Exec(ctx context.Context, sql string) error {
	_, err := e.rest.Exec(ctx, sql)
	return err
}

func (e engine) QueryInt(ctx context.Context, sql string) (v int64, err error) {
	err = e.rest.QueryRow(ctx, sql).Scan(&v)
	return v, err
}

func (e engine) Shelf() cabinet.Shelf { return e.Public() }

func (e engine) DropCabinet(ctx context.Context) error { return DropCabinet(ctx, e.url) }
