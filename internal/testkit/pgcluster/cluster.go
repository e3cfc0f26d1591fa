package pgcluster

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// Options say what a cluster is for.
type Options struct {
	Durable  bool              // commits survive a power cut; slower, for measurements
	Settings map[string]string // of postgresql.conf; they win over the package's own
}

// Cluster is one running PostgreSQL cluster. Its methods are safe for
// concurrent use; those that break it take their turns.
type Cluster struct {
	t        testing.TB // nil for the shared cluster
	bin, dir string
	port     int
	name     string // application_name as a standby
	settings map[string]string
	guard    *guard

	mu     sync.Mutex
	server *server // nil while it is down
	lives  int     // data folders set aside by Rejoin
}

// Start starts a cluster of the test's own, to be broken, and removes it when
// the test ends.
func Start(t testing.TB, o Options) *Cluster {
	t.Helper()
	c, err := start(o)
	if err != nil {
		t.Fatal(err)
	}
	c.belongs(t)
	return c
}

// belongs ends the cluster with the test.
func (c *Cluster) belongs(t testing.TB) {
	c.t = t
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("log of the cluster at %s:\n%s", c.Addr(), c.logFrom(0))
		}
		c.remove()
	})
}

func start(o Options) (*Cluster, error) {
	c, err := makeFolder(o)
	if err != nil {
		return nil, err
	}
	if out, err := c.run("initdb", "-D", c.data(), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync", "--no-instructions"); err != nil {
		c.remove()
		return nil, fmt.Errorf("initdb: %w\n%s", err, out)
	}
	if err := c.up(); err != nil {
		c.remove()
		return nil, err
	}
	return c, nil
}

// makeFolder makes a cluster's folder and the guard that removes it.
func makeFolder(o Options) (*Cluster, error) {
	bin, err := binaries()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "ofdpg") // short: a socket's path has 107 bytes
	if err != nil {
		return nil, err
	}
	if dir, err = filepath.EvalSymlinks(dir); err != nil { // as /proc names it
		return nil, err
	}
	c := &Cluster{bin: bin, dir: dir, name: filepath.Base(dir), settings: map[string]string{
		"listen_addresses":        "127.0.0.1",
		"unix_socket_directories": dir,
		"max_connections":         "200",
		"shared_buffers":          "32MB",
		"fsync":                   "off",
		"timezone":                "UTC",
		"log_timezone":            "UTC",
		"log_line_prefix":         "%m [%p] %a ",
		// Files in the folder, which goes; POSIX shared memory would stay.
		"dynamic_shared_memory_type": "mmap",
	}}
	if o.Durable {
		c.settings["fsync"] = "on"
	}
	for key, value := range o.Settings {
		c.settings[key] = value
	}
	if err := own(dir); err != nil {
		os.RemoveAll(dir)
		return nil, err
	}
	if c.guard, err = post(dir); err != nil {
		os.RemoveAll(dir)
		return nil, err
	}
	return c, nil
}

// Dir is the cluster's folder: data in "data", and the socket.
func (c *Cluster) Dir() string { return c.dir }

func (c *Cluster) data() string    { return filepath.Join(c.dir, "data") }
func (c *Cluster) logPath() string { return filepath.Join(c.dir, "log") }

// Addr is the cluster's host and port. It stays the same over a Restart.
func (c *Cluster) Addr() string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(c.port)) }

// URL is the address of a database, for the superuser.
func (c *Cluster) URL(database string) string { return c.urlAs("postgres", database) }

func (c *Cluster) urlAs(user, database string) string {
	u := url.URL{Scheme: "postgres", User: url.User(user), Host: c.Addr(), Path: "/" + database, RawQuery: "sslmode=disable"}
	return u.String()
}

// Log is what the servers of this cluster wrote.
func (c *Cluster) Log() string {
	text, err := os.ReadFile(c.logPath())
	if err != nil {
		return err.Error()
	}
	return string(text)
}

// Exec runs one statement as superuser in the database postgres.
func (c *Cluster) Exec(ctx context.Context, sql string) error {
	conn, err := pgx.Connect(ctx, c.URL("postgres"))
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	_, err = conn.Exec(ctx, sql)
	return err
}

// QueryInt runs a query for one number as superuser in the database postgres.
func (c *Cluster) QueryInt(ctx context.Context, sql string) (n int64, err error) {
	conn, err := pgx.Connect(ctx, c.URL("postgres"))
	if err != nil {
		return 0, err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	return n, conn.QueryRow(ctx, sql).Scan(&n)
}

// run runs one of PostgreSQL's programs to its end.
func (c *Cluster) run(program string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, filepath.Join(c.bin, program), args...)
	cmd.Dir, cmd.Env = c.dir, environment()
	if err := unprivileged(cmd); err != nil {
		return "", err
	}
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// remove ends every process of the cluster and removes its folder.
func (c *Cluster) remove() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.guard.dismiss()
	if c.server != nil {
		<-c.server.ended
		c.server = nil
	}
}

// up starts the server; the first time it looks for a port, later it keeps it.
func (c *Cluster) up() error {
	var err error
	for range 20 {
		if c.port == 0 {
			c.port, err = freePort()
			if err != nil {
				return err
			}
			if err = c.launch(); err != nil {
				c.port = 0
			}
		} else {
			err = c.launch()
		}
		if !errors.Is(err, errPortTaken) {
			return err
		}
		time.Sleep(50 * time.Millisecond)
	}
	return err
}

// errPortTaken is a race with somebody else's listener.
var errPortTaken = errors.New("the port was taken meanwhile")

// launch starts the server and waits until it lets us in.
func (c *Cluster) launch() error {
	began := c.logSize()
	s, err := c.serve()
	if err != nil {
		return err
	}
	c.server = s
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	for {
		err := c.ping(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-s.ended:
			c.server = nil
			if log := c.logFrom(began); strings.Contains(log, "Address already in use") {
				return errPortTaken
			}
			return fmt.Errorf("postgres ended at its start: %s", c.logFrom(began))
		case <-ctx.Done():
			return fmt.Errorf("postgres does not answer: %w: %s", err, c.logFrom(began))
		case <-time.After(10 * time.Millisecond):
		}
	}
}

func (c *Cluster) ping(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	conn, err := pgx.Connect(ctx, c.URL("postgres"))
	if err != nil {
		return err
	}
	return conn.Close(ctx)
}
