package postgres

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"openofd/internal/fiscal"
	"openofd/internal/journal"
	"openofd/internal/store/storetest"
	"openofd/internal/testkit/pgcluster"
)

// hasCitus reports whether the extension is installed beside the server.
func hasCitus(t *testing.T, url string) (there bool) {
	t.Helper()
	if err := as(t, url, "").QueryRow(t.Context(), `SELECT EXISTS (SELECT FROM pg_available_extensions WHERE name = 'citus')`).Scan(&there); err != nil {
		t.Fatal(err)
	}
	return there
}

// TestWithoutCitus shows what is said where the extension is not installed, and
// that nothing is migrated then.
func TestWithoutCitus(t *testing.T) {
	url := pgcluster.Database(t)
	if hasCitus(t, url) {
		t.Skip("Citus is installed beside this PostgreSQL: TestContractOnCitus runs instead")
	}
	if err := Migrate(t.Context(), MigrateOptions{URL: url, Citus: true}); !errors.Is(err, fiscal.Conflict) || !strings.Contains(err.Error(), "not installed") {
		t.Errorf("Migrate with Citus: error %v, want Conflict that says it is not installed", err)
	}
	if s, err := Schemas(t.Context(), url); err != nil || s[0].Has != 0 {
		t.Errorf("Schemas after that = %+v, %v, want nothing migrated", s, err)
	}
}

// TestContractOnCitus runs the contract on a distributed database.
func TestContractOnCitus(t *testing.T) {
	if !hasCitus(t, pgcluster.Database(t)) {
		t.Skip("Citus is not installed beside this PostgreSQL (no extension of that name is available): the contract runs on it only where it is")
	}
	c := pgcluster.Start(t, pgcluster.Options{Settings: map[string]string{"shared_preload_libraries": "'citus'"}})
	n := 0
	storetest.Run(t, func(t *testing.T) storetest.Engine {
		n++
		name := "citus" + itoa(n)
		if err := c.Exec(t.Context(), "CREATE DATABASE "+name); err != nil {
			t.Fatal(err)
		}
		if err := Migrate(t.Context(), MigrateOptions{URL: c.URL(name), Partitions: 4, Citus: true}); err != nil {
			t.Fatal(err)
		}
		return alone{open(t, Options{URL: c.URL(name)})}
	})
}

// alone sends each partition's commits as a batch of its own, as the committer
// does where PerPartition says so.
type alone struct{ engine }

func (e alone) Beside(t *testing.T) storetest.Engine { return alone{open(t, Options{URL: e.url})} }

func (e alone) Append(ctx context.Context, batch []journal.Commit, seal journal.Sealer) (stale []int, err error) {
	places := map[fiscal.Partition][]int{}
	for i := range batch {
		places[batch[i].Partition] = append(places[batch[i].Partition], i)
	}
	for _, all := range places {
		part := make([]journal.Commit, len(all))
		for i, at := range all {
			part[i] = batch[at]
		}
		gone, err := e.engine.Append(ctx, part, seal)
		if err != nil {
			return nil, err
		}
		for _, i := range gone {
			stale = append(stale, all[i])
		}
	}
	slices.Sort(stale)
	return stale, nil
}
