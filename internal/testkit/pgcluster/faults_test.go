package pgcluster

import (
	"context"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// within is a context for one step.
func within(t *testing.T, d time.Duration) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), d)
	t.Cleanup(cancel)
	return ctx
}

func mustExec(t *testing.T, c *Cluster, sql string) {
	t.Helper()
	if err := c.Exec(within(t, patience), sql); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}

func count(t *testing.T, c *Cluster, sql string) int64 {
	t.Helper()
	n, err := c.QueryInt(within(t, patience), sql)
	if err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return n
}

// TestWhatWasCommittedSurvives: a cluster that was killed, or stopped in any
// way, comes back at the same address with what was committed.
func TestWhatWasCommittedSurvives(t *testing.T) {
	c := Start(t, Options{})
	mustExec(t, c, "CREATE TABLE things (n int)")
	addr, rows := c.Addr(), int64(0)
	for _, how := range []string{"kill", "smart", "fast", "immediate", "restart"} {
		mustExec(t, c, "INSERT INTO things VALUES (1)")
		rows++
		switch how {
		case "kill":
			c.Kill()
		case "restart":
		default:
			c.Stop(how)
		}
		if how != "restart" {
			if err := c.Exec(within(t, 5*time.Second), "SELECT 1"); err == nil {
				t.Errorf("after %s: Exec() = nil, want nobody there", how)
			}
		}
		c.Restart()
		if got := count(t, c, "SELECT count(*) FROM things"); got != rows || c.Addr() != addr {
			t.Fatalf("after %s: %d rows at %s, want %d at %s", how, got, c.Addr(), rows, addr)
		}
	}
	if !strings.Contains(c.Log(), "database system was not properly shut down") {
		t.Errorf("the log tells of no crash:\n%s", c.Log())
	}
}

// TestFrozenAnswersNobody, neither those inside nor those who come.
func TestFrozenAnswersNobody(t *testing.T) {
	c := Start(t, Options{})
	conn, err := pgx.Connect(t.Context(), c.URL("postgres"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	c.Freeze()
	if err := conn.Ping(within(t, 200*time.Millisecond)); err == nil {
		t.Error("Ping() of a frozen cluster = nil, want a deadline")
	}
	if late, err := pgx.Connect(within(t, 200*time.Millisecond), c.URL("postgres")); err == nil {
		late.Close(t.Context())
		t.Error("Connect() to a frozen cluster = nil, want a deadline")
	}
	c.Thaw()
	if got := count(t, c, "SELECT 7"); got != 7 {
		t.Errorf("after Thaw: %d, want 7", got)
	}
	c.Freeze() // and removed like that
}

// TestDurable: only a cluster that is asked to syncs its commits.
func TestDurable(t *testing.T) {
	for durable, want := range map[bool]int64{true: 1, false: 0} {
		c := Start(t, Options{Durable: durable, Settings: map[string]string{"work_mem": "1MB"}})
		if got := count(t, c, "SELECT (current_setting('fsync') = 'on')::int"); got != want {
			t.Errorf("Durable %v: fsync = %d, want %d", durable, got, want)
		}
		if got := count(t, c, "SELECT (current_setting('work_mem') = '1MB')::int"); got != 1 {
			t.Error("the setting did not arrive")
		}
	}
}

// TestFailover: what the primary answered is on the standby when it is
// promoted; the old primary comes back behind the new one.
func TestFailover(t *testing.T) {
	primary := Start(t, Options{})
	standby := primary.Standby(t)
	mustExec(t, primary, "CREATE TABLE things (n int)")
	mustExec(t, primary, "INSERT INTO things VALUES (1)")
	if err := standby.Exec(within(t, patience), "INSERT INTO things VALUES (2)"); err == nil {
		t.Error("the standby took a write")
	}
	primary.Kill()
	if err := standby.Promote(t.Context()); err != nil {
		t.Fatal(err)
	}
	mustExec(t, standby, "INSERT INTO things VALUES (3)") // waits for nobody
	if err := primary.Rejoin(t.Context(), standby); err != nil {
		t.Fatal(err)
	}
	mustExec(t, standby, "INSERT INTO things VALUES (4)")
	standby.Kill()
	if err := primary.Promote(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := count(t, primary, "SELECT sum(n) FROM things"); got != 8 {
		t.Errorf("sum after two failovers = %d, want 1+3+4", got)
	}
}

// TestCommitWaitsForTheStandby: a frozen standby holds the answers back.
func TestCommitWaitsForTheStandby(t *testing.T) {
	primary := Start(t, Options{})
	standby := primary.Standby(t)
	mustExec(t, primary, "CREATE TABLE things (n int)")
	standby.Freeze()
	if err := primary.Exec(within(t, 300*time.Millisecond), "INSERT INTO things VALUES (1)"); err == nil {
		t.Error("a commit was answered without the standby")
	}
	standby.Thaw()
	mustExec(t, primary, "INSERT INTO things VALUES (2)")
}

// orphan is the environment by which the test's own binary is told to start a
// cluster and die.
const orphan = "OFD_TEST_ORPHAN"

// TestNoOrphans: a test process that is killed takes its cluster and folder
// along, frozen or not.
func TestNoOrphans(t *testing.T) {
	if os.Getenv(orphan) != "" {
		c := Start(t, Options{})
		c.Freeze()
		os.Stdout.WriteString(c.Dir() + "\n")
		os.Stdout.Close()
		select {} // until killed
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self, "-test.run", "^TestNoOrphans$")
	cmd.Env = append(os.Environ(), orphan+"=1")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	name := make([]byte, 4096)
	n, err := out.Read(name)
	dir := strings.TrimSpace(string(name[:n]))
	if err != nil || !strings.Contains(dir, "ofdpg") {
		t.Fatalf("the child said %q, %v; want its cluster's folder", dir, err)
	}
	gone := &Cluster{dir: dir}
	if had := gone.processes(0); len(had) < 2 {
		t.Errorf("the cluster has processes %v, want some", had)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	for began := time.Now(); ; time.Sleep(10 * time.Millisecond) {
		_, err := os.Stat(dir)
		left := gone.processes(0)
		if os.IsNotExist(err) && len(left) == 0 {
			return
		}
		if time.Since(began) > patience {
			t.Fatalf("%v after its test the cluster has processes %v, folder: %v", patience, left, err)
		}
	}
}
