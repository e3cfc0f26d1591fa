package faultnet

import (
	"context"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"openofd/internal/testkit/pgcluster"
)

func TestMain(m *testing.M) { os.Exit(pgcluster.Main(m)) }

func connect(t *testing.T, url string) *pgx.Conn {
	t.Helper()
	c, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close(context.Background()) })
	return c
}

// ways are how a client can say COMMIT. Each inserts a row and commits it.
var ways = map[string]func(context.Context, *pgx.Conn, int) error{
	"transaction": func(ctx context.Context, c *pgx.Conn, n int) error {
		tx, err := c.Begin(ctx)
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, "INSERT INTO things VALUES ($1)", n); err != nil {
			return err
		}
		return tx.Commit(ctx)
	},
	"query": func(ctx context.Context, c *pgx.Conn, n int) error {
		_, err := c.PgConn().Exec(ctx, "BEGIN; INSERT INTO things SELECT "+string(rune('0'+n))+"; COMMIT;").ReadAll()
		return err
	},
	"batch": func(ctx context.Context, c *pgx.Conn, n int) error {
		var b pgx.Batch
		b.Queue("BEGIN")
		b.Queue("INSERT INTO things VALUES ($1)", n)
		b.Queue("commit")
		return c.SendBatch(ctx, &b).Close()
	},
	"pipeline": func(ctx context.Context, c *pgx.Conn, n int) error {
		for name, sql := range map[string]string{"b": "begin", "i": "INSERT INTO things VALUES ($1::text::int)", "e": "COMMIT"} {
			if _, err := c.PgConn().Prepare(ctx, name, sql, nil); err != nil {
				return err
			}
		}
		p := c.PgConn().StartPipeline(ctx)
		p.SendQueryPrepared("b", nil, nil, nil)
		p.SendPipelineSync() // more than one Sync under way
		p.SendQueryPrepared("i", [][]byte{{byte('0' + n)}}, nil, nil)
		p.SendQueryPrepared("e", nil, nil, nil)
		if err := p.Sync(); err != nil {
			return err
		}
		return p.Close()
	},
	"copy": func(ctx context.Context, c *pgx.Conn, n int) error {
		tx, err := c.Begin(ctx)
		if err != nil {
			return err
		}
		if _, err := tx.CopyFrom(ctx, pgx.Identifier{"things"}, []string{"n"}, pgx.CopyFromRows([][]any{{n}})); err != nil {
			return err
		}
		return tx.Commit(ctx)
	},
}

// TestCommitIsSeen: each harm does what it says, however COMMIT is said.
func TestCommitIsSeen(t *testing.T) {
	for way, insert := range ways {
		t.Run(way, func(t *testing.T) {
			url := pgcluster.Database(t)
			direct := connect(t, url)
			if _, err := direct.Exec(t.Context(), "CREATE TABLE things (n int)"); err != nil {
				t.Fatal(err)
			}
			p := Postgres(t, addrOf(direct))
			steps := []struct {
				harm        Harm
				fails       bool
				least, most int // rows it adds
			}{{None, false, 1, 1}, {CutBefore, true, 0, 0}, {CutAfter, true, 1, 1}, {Hold, false, 1, 1}, {CutDuring, true, 0, 1}}
			var now atomic.Pointer[Fate]
			p.AtCommit(func(int) Fate { return *now.Load() })
			for n, step := range steps {
				fate := Fate{Harm: step.harm, For: 80 * time.Millisecond}
				now.Store(&fate)
				c := connect(t, p.URL(url))
				began := time.Now()
				err := insert(t.Context(), c, n)
				if (err != nil) != step.fails {
					t.Errorf("%v: %v, want an error %v", step.harm, err, step.fails)
				}
				if step.harm == Hold && time.Since(began) < fate.For {
					t.Errorf("%v: answered after %v, want %v at least", step.harm, time.Since(began), fate.For)
				}
				if !step.fails {
					if _, err := c.Exec(t.Context(), "SELECT 1"); err != nil {
						t.Errorf("%v: the connection is of no use: %v", step.harm, err)
					}
				}
				settle(t, direct)
				var rows int
				if err := direct.QueryRow(t.Context(), "SELECT count(*) FROM things WHERE n = $1", n).Scan(&rows); err != nil {
					t.Fatal(err)
				}
				if rows < step.least || rows > step.most {
					t.Errorf("%v: %d rows, want %d to %d", step.harm, rows, step.least, step.most)
				}
			}
			if p.Commits() != len(steps) || p.Injected() != len(steps)-1 {
				t.Errorf("saw %d COMMITs and harmed %d, want %d and %d", p.Commits(), p.Injected(), len(steps), len(steps)-1)
			}
		})
	}
}

func addrOf(c *pgx.Conn) string {
	return c.PgConn().Conn().RemoteAddr().String()
}

// settle waits until the server has done with all other connections.
func settle(t *testing.T, c *pgx.Conn) {
	t.Helper()
	for range 10_000 {
		var busy int
		if err := c.QueryRow(t.Context(), "SELECT count(*) FROM pg_stat_activity WHERE state <> 'idle' AND pid <> pg_backend_pid() AND datname = current_database()").Scan(&busy); err != nil {
			t.Fatal(err)
		}
		if busy == 0 {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
	t.Fatal("the server does not come to rest")
}

// TestFailedTransactionKeepsItsAnswers: a COMMIT that the server skipped after
// an error takes no fate with it that belongs to a later one.
func TestFailedTransactionKeepsItsAnswers(t *testing.T) {
	url := pgcluster.Database(t)
	p := Postgres(t, addrOf(connect(t, url)))
	p.AtCommit(func(n int) Fate {
		if n == 1 {
			return Fate{Harm: CutAfter}
		}
		return Fate{}
	})
	c := connect(t, p.URL(url))
	var b pgx.Batch
	b.Queue("BEGIN")
	b.Queue("SELECT 1/0")
	b.Queue("COMMIT")
	if err := c.SendBatch(t.Context(), &b).Close(); err == nil {
		t.Error("dividing by nothing = nil, want an error")
	}
	for _, sql := range []string{"ROLLBACK", "BEGIN", "COMMIT", "SELECT 1"} {
		if _, err := c.Exec(t.Context(), sql); err != nil {
			t.Errorf("%s: %v, want the connection untouched", sql, err)
		}
	}
	if p.Commits() != 2 || p.Injected() != 0 {
		t.Errorf("saw %d COMMITs, harmed %d; want 2 and none", p.Commits(), p.Injected())
	}
}

// TestNoEncryption: who may do without gets through, who insists does not.
func TestNoEncryption(t *testing.T) {
	url := pgcluster.Database(t)
	direct := connect(t, url)
	p := Postgres(t, addrOf(direct))
	for mode, works := range map[string]bool{"prefer": true, "require": false} {
		c, err := pgx.Connect(t.Context(), "postgres://postgres@"+p.Addr()+"/"+direct.Config().Database+"?sslmode="+mode)
		if (err == nil) != works {
			t.Errorf("sslmode=%s: %v, want success %v", mode, err, works)
		}
		if err == nil {
			c.Close(t.Context())
		}
	}
}

// TestCancelGoesThrough: a canceled query reaches the server as such.
func TestCancelGoesThrough(t *testing.T) {
	url := pgcluster.Database(t)
	direct := connect(t, url)
	p := Postgres(t, addrOf(direct))
	c := connect(t, p.URL(url))
	var canceling sync.WaitGroup
	defer canceling.Wait()
	canceling.Go(func() {
		for asleep := 0; asleep == 0; {
			if err := direct.QueryRow(t.Context(), "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'").Scan(&asleep); err != nil {
				t.Error(err)
				return
			}
		}
		if err := c.PgConn().CancelRequest(context.Background()); err != nil {
			t.Error(err)
		}
	})
	began := time.Now()
	if _, err := c.Exec(t.Context(), "SELECT pg_sleep(120)"); err == nil || time.Since(began) > 100*time.Second {
		t.Errorf("canceled query: %v after %v, want an error at once", err, time.Since(began))
	}
}

// TestEnds knows a COMMIT from what only looks like one.
func TestEnds(t *testing.T) {
	for sql, want := range map[string]bool{
		"COMMIT": true, "commit;": true, " end ; ": true, "COMMIT AND NO CHAIN": true, "COMMIT\t": true,
		"BEGIN; INSERT INTO t SELECT 1; COMMIT": true, "COMMIT PREPARED 'x'": false, "SELECT 'COMMIT'": false,
		"INSERT INTO commits VALUES (1)": false, "": false, ";": false, "BEGIN": false,
	} {
		if got := ends(sql); got != want {
			t.Errorf("ends(%q) = %v, want %v", sql, got, want)
		}
	}
}
