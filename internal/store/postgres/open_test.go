package postgres

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"openofd/internal/fiscal"
	"openofd/internal/journal"
	"openofd/internal/testkit/pgcluster"
)

func itoa(n int) string { return strconv.Itoa(n) }

// TestMigrate shows that a database is migrated once, by several at once too,
// and never by who serves.
func TestMigrate(t *testing.T) {
	url := pgcluster.Database(t)
	s, err := Schemas(t.Context(), url)
	if err != nil || len(s) != 1 || s[0].Has != 0 || s[0].Needs < 5 {
		t.Fatalf("Schemas of an empty database = %+v, %v, want 0 of 5 or more", s, err)
	}
	if _, err := Open(t.Context(), Options{URL: url}); !errors.Is(err, fiscal.Conflict) || !strings.Contains(err.Error(), "ofd migrate up --db") {
		t.Errorf("Open of an empty database: error %v, want Conflict and advice", err)
	}
	var mu sync.Mutex
	var told []string
	var running sync.WaitGroup
	for range 3 {
		running.Go(func() {
			if err := Migrate(t.Context(), MigrateOptions{URL: url, Progress: func(_, _ int, name string) {
				mu.Lock()
				defer mu.Unlock()
				told = append(told, name)
			}}); err != nil {
				t.Errorf("Migrate: %v", err)
			}
		})
	}
	running.Wait()
	var want []string
	files, err := fs.Glob(migrations, "migrations/*.sql")
	for _, f := range files {
		want = append(want, strings.TrimSuffix(path.Base(f), ".sql"))
	}
	if err != nil || !slices.Equal(told, want) {
		t.Errorf("three at once migrated %q, %v, want each migration once, in order: %q", told, err, want)
	}
	db := open(t, Options{URL: url})
	if n, err := db.Partitions(t.Context()); err != nil || n != 64 {
		t.Errorf("Partitions = %d, %v, want 64", n, err)
	}
	if heads, err := db.Heads(t.Context()); err != nil || len(heads) != 64 {
		t.Errorf("Heads = %d, %v, want 64", len(heads), err)
	}
	if err := db.Check(t.Context()); err != nil || db.PerPartition() {
		t.Errorf("Check = %v, PerPartition = %t, want neither", err, db.PerPartition())
	}
	if err := Migrate(t.Context(), MigrateOptions{URL: url, Partitions: 32}); !errors.Is(err, fiscal.Conflict) {
		t.Errorf("Migrate to other partitions: error %v, want Conflict", err)
	}

	if _, err := as(t, url, "").Exec(t.Context(), `INSERT INTO goose_db_version (version_id, is_applied) VALUES (9999, true)`); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), Options{URL: url}); !errors.Is(err, fiscal.Conflict) || !strings.Contains(err.Error(), "newer program") {
		t.Errorf("Open of a newer schema: error %v, want Conflict and advice", err)
	}
	if err := Migrate(t.Context(), MigrateOptions{URL: url}); !errors.Is(err, fiscal.Conflict) {
		t.Errorf("Migrate of a newer schema: error %v, want Conflict", err)
	}
}

// TestOrdinaryLogins shows that no superuser is needed: one login that may make
// roles and owns the database migrates, another that was granted the service's
// and the reader's role serves, and one that was not is told so.
//
// Req: O-099
func TestOrdinaryLogins(t *testing.T) {
	url := pgcluster.Database(t)
	admin := as(t, url, "")
	name := admin.Config().Database
	for _, sql := range []string{
		`CREATE ROLE ` + name + `_admin LOGIN CREATEROLE`, `ALTER DATABASE ` + name + ` OWNER TO ` + name + `_admin`, `CREATE ROLE ` + name + `_node LOGIN`,
	} {
		if _, err := admin.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	user := func(suffix string) string { return strings.Replace(url, "postgres@", name+suffix+"@", 1) }
	if err := Migrate(t.Context(), MigrateOptions{URL: user("_admin"), Partitions: 16}); err != nil {
		t.Fatal(err)
	}
	if err := Migrate(t.Context(), MigrateOptions{URL: user("_admin")}); err != nil {
		t.Errorf("Migrate once more: %v", err)
	}
	open(t, Options{URL: user("_admin")}) // to give the installation its keys
	if _, err := Open(t.Context(), Options{URL: user("_node")}); !errors.Is(err, fiscal.Denied) || !strings.Contains(err.Error(), "GRANT ofd_service") {
		t.Errorf("Open by a login without rights: error %v, want Denied and advice", err)
	}
	if _, err := as(t, user("_admin"), "").Exec(t.Context(), `GRANT ofd_service, ofd_reader TO `+name+`_node`); err != nil {
		t.Fatal(err)
	}
	db := open(t, Options{URL: user("_node")})
	l := newLoad(t, db, 16)
	if stale, err := db.Append(t.Context(), l.batch(8, 0, 1), journal.Seal); err != nil || len(stale) > 0 {
		t.Errorf("Append = %v, %v, want it done", stale, err)
	}
	if err := db.Check(t.Context()); err != nil {
		t.Errorf("Check: %v", err)
	}
	whole(t, db)
}

// TestMonthsAhead shows that Check asks for the months ahead and that they are
// opened again, and that Run ends with its context.
func TestMonthsAhead(t *testing.T) {
	db := installation(t)
	ahead := db.months()
	if len(ahead) != 3 || ahead[1] <= ahead[0] || ahead[2] <= ahead[1] {
		t.Fatalf("months = %v, want this one and the next two", ahead)
	}
	admin := as(t, db.url, "")
	if _, err := admin.Exec(t.Context(), `DROP TABLE entries_`+itoa(int(ahead[2]))); err != nil {
		t.Fatal(err)
	}
	if err := db.Check(t.Context()); !errors.Is(err, fiscal.StoreDown) {
		t.Errorf("Check with a month missing: error %v, want StoreDown", err)
	}
	if err := db.openMonths(t.Context()); err != nil {
		t.Error(err)
	}
	if err := db.Check(t.Context()); err != nil {
		t.Errorf("Check: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	db.Run(ctx)
}

// TestSeveralHosts shows that of several hosts the one that can be written to
// is found.
func TestSeveralHosts(t *testing.T) {
	db := installation(t)
	at := hostOf(t, db.url)
	two := open(t, Options{URL: strings.Replace(db.url, at, "127.0.0.1:1,"+at, 1)})
	l := newLoad(t, two, 16)
	if stale, err := two.Append(t.Context(), l.batch(4, 0, 1), journal.Seal); err != nil || len(stale) > 0 {
		t.Errorf("Append = %v, %v, want it done", stale, err)
	}
	if p, err := two.Public().Find(t.Context(), fiscal.Address{Kind: fiscal.ByID, Name: fmt.Sprint(l.places[0].Register)}); err != nil || p != l.places[0] {
		t.Errorf("Public.Find = %+v, %v, want %+v", p, err, l.places[0])
	}
	for _, url := range []string{"postgres://postgres@127.0.0.1:1/ofd", "sqlite:x", ""} {
		_, err := Open(t.Context(), Options{URL: url})
		if url == "sqlite:x" && !errors.Is(err, fiscal.Invalid) || url != "sqlite:x" && !errors.Is(err, fiscal.StoreDown) {
			t.Errorf("Open(%q): error %v, want Invalid for what is no address, else StoreDown", url, err)
		}
	}
}

// TestManyRegister shows that registrations at several nodes at once do not
// stand in each other's way: no ID is given twice, nobody has to try again.
func TestManyRegister(t *testing.T) {
	db := installation(t)
	l := newLoad(t, db, 16)
	nodes := []engine{db, open(t, Options{URL: db.url})}
	var mu sync.Mutex
	seen := map[fiscal.RegisterID]bool{}
	var running sync.WaitGroup
	for i := range 48 {
		running.Go(func() {
			node := nodes[i%2]
			id, err := node.NextRegisterID(t.Context())
			if err != nil {
				t.Errorf("NextRegisterID: %v", err)
				return
			}
			c := fiscal.Card{Country: fiscal.Kazakhstan, Taxpayer: l.owner[0], Model: "M", SerialNumber: itoa(i)}
			if i%3 > 0 { // the others let the engine choose
				c.Register = id
			}
			if err := node.AddRegister(t.Context(), 0, &c, []fiscal.Address{{Kind: fiscal.ByRegistrationNumber, Name: "rn" + itoa(i)}}); err != nil {
				t.Errorf("AddRegister: %v", err)
				return
			}
			mu.Lock()
			defer mu.Unlock()
			if seen[c.Register] {
				t.Errorf("register %d was given twice", c.Register)
			}
			seen[c.Register] = true
		})
	}
	running.Wait()

	// One device at two nodes: one of them has it.
	results := make(chan error, 2)
	for _, node := range nodes {
		go func() {
			c := fiscal.Card{Country: fiscal.Kazakhstan, Taxpayer: l.owner[0], Model: "M", SerialNumber: "twin"}
			results <- node.AddRegister(t.Context(), 0, &c, nil)
		}()
	}
	if a, b := <-results, <-results; (a == nil) == (b == nil) || !errors.Is(errors.Join(a, b), fiscal.AlreadyThere) {
		t.Errorf("one device registered twice at once: %v and %v, want one AlreadyThere", a, b)
	}
}

// TestSingleExchange shows that one register alone is served quickly, for a
// server that makes a row durable as quickly as this one does.
func TestSingleExchange(t *testing.T) {
	db := installation(t)
	l := newLoad(t, db, 16)
	best, bare := time.Hour, time.Hour
	for range 50 {
		c := l.next(3)
		began := time.Now()
		if _, err := db.Append(t.Context(), []journal.Commit{c}, journal.Seal); err != nil {
			t.Fatal(err)
		}
		best = min(best, time.Since(began))
		began = time.Now()
		if err := db.KeepRefused(t.Context(), []journal.Refused{{At: l.now()}}, 4); err != nil {
			t.Fatal(err)
		}
		bare = min(bare, time.Since(began))
	}
	t.Logf("a single commit takes %s at best, a row by itself %s", best, bare)
	if limit := 8*time.Millisecond + 3*bare; best > limit {
		t.Errorf("a single commit takes %s at best, want less than %s", best, limit)
	}
}
