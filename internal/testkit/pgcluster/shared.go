package pgcluster

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

// shared is the cluster of this test process, started at its first use.
var shared struct {
	sync.Mutex
	cluster   *Cluster
	err       error
	databases int
	filled    map[string]string // databases that others are copies of, by their kind
}

// Main runs the tests and then stops the shared cluster:
//
//	func TestMain(m *testing.M) { os.Exit(pgcluster.Main(m)) }
func Main(m *testing.M) int {
	code := m.Run()
	shared.Lock()
	defer shared.Unlock()
	if shared.cluster != nil {
		shared.cluster.remove()
	}
	return code
}

// Database is the URL, as superuser, of a fresh empty database on the shared
// cluster, which is started at its first use and keeps nothing over a power
// cut. The database is dropped when the test ends. Roles belong to the whole
// cluster and stay.
func Database(t testing.TB) string {
	t.Helper()
	return borrow(t, func(ctx context.Context) (*Cluster, string, error) {
		shared.Lock()
		defer shared.Unlock()
		return fresh(ctx, "template1")
	})
}

// Copy is Database, but not empty: fill makes what is in it the first time, and
// later ones of this kind are copies of that, which is quicker than to fill each.
// fill must leave nobody connected.
func Copy(t testing.TB, kind string, fill func(ctx context.Context, url string) error) string {
	t.Helper()
	return borrow(t, func(ctx context.Context) (*Cluster, string, error) {
		shared.Lock()
		defer shared.Unlock()
		from := shared.filled[kind]
		if from == "" {
			c, name, err := fresh(ctx, "template1")
			if err != nil {
				return nil, "", err
			}
			if err := fill(ctx, c.URL(name)); err != nil {
				return nil, "", fmt.Errorf("fill a database of the kind %s: %w", kind, err)
			}
			if shared.filled == nil {
				shared.filled = make(map[string]string)
			}
			shared.filled[kind], from = name, name
		}
		return fresh(ctx, from)
	})
}

// borrow makes a database and drops it when the test ends.
func borrow(t testing.TB, make func(context.Context) (*Cluster, string, error)) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	c, name, err := make(ctx)
	if err != nil {
		t.Fatal(err)
	}
	began := c.logSize()
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the shared cluster's log:\n%s", c.logFrom(began))
		}
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := c.Exec(ctx, "DROP DATABASE "+name+" WITH (FORCE)"); err != nil {
			t.Errorf("drop the test's database: %v", err)
		}
	})
	return c.URL(name)
}

// Addr is the host and port of the shared cluster, for a proxy before it.
func Addr(t testing.TB) string {
	t.Helper()
	shared.Lock()
	defer shared.Unlock()
	if shared.cluster == nil {
		t.Fatal("the shared cluster has no database yet")
	}
	return shared.cluster.Addr()
}

// fresh makes a database on the shared cluster, a copy of another. The caller
// holds the lock.
func fresh(ctx context.Context, from string) (*Cluster, string, error) {
	if shared.cluster == nil && shared.err == nil {
		shared.cluster, shared.err = start(Options{Settings: map[string]string{"full_page_writes": "off"}})
	}
	if shared.err != nil {
		return nil, "", shared.err
	}
	shared.databases++
	name := fmt.Sprintf("test_%d", shared.databases)
	for try := 1; ; try++ {
		err := shared.cluster.Exec(ctx, "CREATE DATABASE "+name+" TEMPLATE "+from)
		var refused *pgconn.PgError
		if !errors.As(err, &refused) || refused.Code != "55006" || try == 100 { // somebody is still on his way out of the other
			return shared.cluster, name, err
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// patience is how long a step of a cluster may take: minutes on a busy machine.
const patience = 2 * time.Minute

// logSize is the length of the log in bytes.
func (c *Cluster) logSize() int64 {
	info, err := os.Stat(c.logPath())
	if err != nil {
		return 0
	}
	return info.Size()
}

// maxLog is how much of a log a failing test prints, in bytes.
const maxLog = 32 << 10

// logFrom is the log after an offset, its end if it is long.
func (c *Cluster) logFrom(began int64) string {
	text := c.Log()
	text = text[min(int(began), len(text)):]
	if len(text) > maxLog {
		text = text[len(text)-maxLog:]
		_, text, _ = strings.Cut(text, "\n")
		return "…\n" + text
	}
	return text
}
