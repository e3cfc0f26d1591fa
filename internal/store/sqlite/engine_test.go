package sqlite

import (
	"context"
	"testing"

	"openofd/internal/cabinet"
	"openofd/internal/store/sqlitefile"
	"openofd/internal/store/storetest"
)

func TestContract(t *testing.T) {
	storetest.Run(t, func(t *testing.T) storetest.Engine { return open(t, Options{Dir: t.TempDir(), Serve: true}) })
}

// engine adds what the contract asks of tests alone.
type engine struct {
	*DB
	dir string
}

// open opens an installation until the test ends.
func open(t *testing.T, o Options) engine {
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
	return engine{db, o.Dir}
}

func (e engine) Beside(t *testing.T) storetest.Engine { return open(t, Options{Dir: e.dir}) }

func (e engine) Exec(ctx context.Context, sql string) error {
	return e.main.Write(ctx, func(tx *sqlitefile.Tx) error {
		_, err := tx.Exec(sql)
		return err
	})
}

func (e engine) QueryInt(ctx context.Context, sql string) (v int64, err error) {
	err = e.main.Read(ctx, func(tx *sqlitefile.Tx) error {
		v, _, err = tx.QueryInt(sql)
		return err
	})
	return v, err
}

func (e engine) Shelf() cabinet.Shelf { return e.DB }
