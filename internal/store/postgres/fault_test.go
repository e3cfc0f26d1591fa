package postgres

import (
	"context"
	"errors"
	"fmt"
	"net"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"openofd/internal/fiscal"
	"openofd/internal/journal"
	"openofd/internal/registry"
	"openofd/internal/testkit/faultnet"
	"openofd/internal/testkit/pgcluster"
)

// hostOf is host:port of a database's address.
func hostOf(t *testing.T, url string) string {
	t.Helper()
	cfg, err := parse(url)
	if err != nil {
		t.Fatal(err)
	}
	return net.JoinHostPort(cfg.ConnConfig.Host, itoa(int(cfg.ConnConfig.Port)))
}

// TestCutAtCommit shows that a connection that is lost around COMMIT leaves the
// outcome open and nothing else, that a fence then settles it, and that what is
// there afterwards is all of the batch or nothing.
//
// Req: P-006, O-077
func TestCutAtCommit(t *testing.T) {
	db := installation(t)
	l := newLoad(t, db, 64)
	proxy := faultnet.Postgres(t, hostOf(t, db.url))
	node := open(t, Options{URL: proxy.URL(db.url)})
	// Opens the month: a batch that fails for want of it has its COMMIT cut in vain.
	if _, err := db.Append(t.Context(), l.batch(1, 0, 1), journal.Seal); err != nil {
		t.Fatal(err)
	}
	for _, harm := range []faultnet.Harm{faultnet.CutBefore, faultnet.CutDuring, faultnet.CutAfter, faultnet.CutDuring, faultnet.CutAfter, faultnet.CutBefore} {
		batch := l.batch(16, 0, 1)
		was, err := db.Heads(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		armed := true
		proxy.AtCommit(func(int) faultnet.Fate {
			if !armed {
				return faultnet.Fate{}
			}
			armed = false
			return faultnet.Fate{Harm: harm}
		})
		_, err = node.Append(t.Context(), batch, journal.Seal)
		if !errors.Is(err, fiscal.OutcomeUnknown) || errors.Is(err, journal.ErrNothingStored) {
			t.Fatalf("Append, %s: error %v, want OutcomeUnknown and not ErrNothingStored", harm, err)
		}
		stored := 0
		for i := range batch {
			head, err := node.Fence(t.Context(), batch[i].Partition)
			if err != nil {
				t.Fatalf("Fence after %s: %v", harm, err)
			}
			e := &batch[i].Entries[0]
			found, err := node.Entry(t.Context(), e.Partition, e.Register, e.Number)
			switch {
			case err == nil && found.Hash == e.Hash && head.Seq >= e.Seq:
				stored++
			case errors.Is(err, fiscal.NotFound) && head == was[e.Partition]:
			default:
				t.Fatalf("after %s: entry %v, head %+v, was %+v; want both moved or neither", harm, err, head, was[e.Partition])
			}
		}
		want := map[faultnet.Harm]int{faultnet.CutBefore: 0, faultnet.CutAfter: len(batch), faultnet.CutDuring: stored}[harm]
		if stored != want || stored != 0 && stored != len(batch) {
			t.Errorf("%s left %d of %d commits, want %d", harm, stored, len(batch), want)
		}
		if stored == 0 {
			if stale, err := node.Append(t.Context(), batch, journal.Seal); err != nil || len(stale) > 0 {
				t.Fatalf("Append once more = %v, %v, want it done", stale, err)
			}
		}
	}
	whole(t, db)
}

// whole fails unless the chains of the journal hold.
func whole(t *testing.T, db engine) {
	t.Helper()
	v := journal.Verification{Store: db}
	if _, err := v.Verify(context.Background()); err != nil {
		t.Errorf("the journal does not verify: %v", err)
	}
}

// TestWaitForStandbyCanceled shows that a COMMIT whose wait for the standby was
// canceled, which the server tells by a warning alone, is not taken for
// durable: not a batch's, not a fence's, not the registry's.
//
// Req: P-006, O-077
func TestWaitForStandbyCanceled(t *testing.T) {
	c := pgcluster.Start(t, pgcluster.Options{})
	url := c.URL("postgres")
	if err := Migrate(t.Context(), MigrateOptions{URL: url, Partitions: 4}); err != nil {
		t.Fatal(err)
	}
	db := open(t, Options{URL: url})
	l := newLoad(t, db, 8)
	if _, err := db.Append(t.Context(), l.batch(8, 0, 1), journal.Seal); err != nil {
		t.Fatal(err)
	}
	set := func(standby string) {
		t.Helper()
		for _, sql := range []string{"ALTER SYSTEM SET synchronous_standby_names = '" + standby + "'", "SELECT pg_reload_conf()"} {
			if err := c.Exec(t.Context(), sql); err != nil {
				t.Fatal(err)
			}
		}
	}
	set("nobody")
	untilCommitsWait(t, c)
	for name, do := range map[string]func() error{
		"Append": func() error {
			_, err := db.Append(t.Context(), l.batch(8, 0, 1), journal.Seal)
			if errors.Is(err, journal.ErrNothingStored) {
				t.Errorf("Append: %v, want no certainty", err)
			}
			return err
		},
		"Fence": func() error { _, err := db.Fence(t.Context(), 2); return err },
		"AddTaxpayer": func() error {
			return db.AddTaxpayer(t.Context(), &registry.Taxpayer{Country: fiscal.Russia, XIN: "1", Created: l.now()})
		},
	} {
		done := make(chan error, 1)
		go func() { done <- do() }()
		for waiting := true; waiting; {
			select {
			case err := <-done:
				if !errors.Is(err, fiscal.OutcomeUnknown) {
					t.Errorf("%s: error %v, want OutcomeUnknown", name, err)
				}
				waiting = false
			case <-time.After(50 * time.Millisecond):
				if err := c.Exec(t.Context(), "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep'"); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	set("")
	if _, err := db.Fence(t.Context(), 2); err != nil {
		t.Errorf("Fence with no standby to wait for: %v", err)
	}
	whole(t, db)
}

// untilCommitsWait commits until one waits for a standby, which a server does
// some time after it was told to, and cancels that wait.
func untilCommitsWait(t *testing.T, c *pgcluster.Cluster) {
	t.Helper()
	for began := time.Now(); time.Since(began) < time.Minute; {
		done := make(chan error, 1)
		go func() {
			done <- c.Exec(context.Background(), "CREATE TABLE IF NOT EXISTS probe (n integer); INSERT INTO probe VALUES (1)")
		}()
		for waited, committing := false, true; committing; {
			select {
			case err := <-done:
				if err != nil {
					t.Fatal(err)
				}
				if waited {
					return
				}
				committing = false
			case <-time.After(10 * time.Millisecond):
				n, err := c.QueryInt(t.Context(), "SELECT count(pg_cancel_backend(pid)) FROM pg_stat_activity WHERE wait_event = 'SyncRep'")
				if err != nil {
					t.Fatal(err)
				}
				waited = waited || n > 0
			}
		}
	}
	t.Fatal("no commit waits for a standby")
}

// TestFrozenNode shows that a node that freezes in mid-batch keeps its
// partitions for two seconds and what a busy machine takes, wherever it froze:
// between the two round trips, or with half of the second sent. A session that
// nobody ends would keep them for hours.
func TestFrozenNode(t *testing.T) {
	db := installation(t)
	l := newLoad(t, db, 64)
	other := open(t, Options{URL: db.url})
	batch := l.batch(32, 0, 1)
	// Judged on the same states, so that they would be stale if the frozen
	// batch came through.
	passes := func(froze string, since time.Time) {
		t.Helper()
		stale, err := other.Append(t.Context(), batch, journal.Seal)
		if took := time.Since(since); err != nil || len(stale) > 0 || took > 20*time.Second {
			t.Errorf("%s: another node's Append = %v, %v after %s, want it done within 20 s", froze, stale, err, took)
		}
	}

	began := time.Now()
	type result struct {
		stale []int
		err   error
	}
	frozen := make(chan result, 1)
	held := make(chan bool)
	thaw := make(chan bool)
	go func() {
		same := append([]journal.Commit(nil), batch...)
		for i := range same { // a node of its own has its own memory
			same[i].Entries = append([]journal.Entry(nil), same[i].Entries...)
		}
		first := true
		stale, err := db.Append(context.Background(), same, func(h *journal.Head, c *journal.Commit) {
			if first {
				first = false
				close(held)
				<-thaw
			}
			journal.Seal(h, c)
		})
		frozen <- result{stale, err}
	}()
	<-held
	passes("between the round trips", began)
	close(thaw)
	// The server hung up on it, and by now its states have moved on.
	if got := <-frozen; got.err != nil || len(got.stale) != len(batch) {
		t.Errorf("the frozen node's Append = %v, %v, want all of it stale", got.stale, got.err)
	}

	for cut := 1; cut < 4; cut++ { // in the entries, twice, and in the states behind them
		batch = l.batch(32, 0, 1)
		conn, err := db.acquire(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		w := &talk{db: db.DB, conn: conn}
		a := newAppender()
		if err := a.take(batch); err != nil {
			t.Fatal(err)
		}
		if err := a.look(t.Context(), w); err != nil {
			t.Fatal(err)
		}
		if _, err := a.judge(journal.Seal); err != nil {
			t.Fatal(err)
		}
		a.out.again()
		a.out.wary = true // as all that may leave in pieces
		a.insert(w)
		a.moveStates()
		if _, err := conn.Conn().PgConn().Conn().Write(a.out.b[:len(a.out.b)*cut/4]); err != nil {
			t.Fatal(err)
		}
		passes(fmt.Sprintf("with %d quarters sent", cut), time.Now())
		w.hangUp()
		conn.Release()
	}
	whole(t, db)
}

// TestWholeWrites shows that a batch which does without a Sync behind each
// statement leaves in one piece: it is as short as was reckoned, and the kernel
// has room for it.
func TestWholeWrites(t *testing.T) {
	db := installation(t)
	l := newLoad(t, db, 64)
	if _, err := db.Append(t.Context(), l.batch(1, 0, 1), journal.Seal); err != nil { // opens the month
		t.Fatal(err)
	}
	for _, size := range []int{1, 16, 40, 64} {
		if err := wholeWrite(t, db, l.batch(size, 0, 1)); err != nil {
			t.Errorf("a batch of %d: %v", size, err)
		}
	}
	whole(t, db)
}

// wholeWrite stores a batch and compares what was sent with what was reckoned,
// and with the room that the kernel has for it.
func wholeWrite(t *testing.T, db engine, batch []journal.Commit) error {
	conn, err := db.acquire(t.Context())
	if err != nil {
		return err
	}
	defer conn.Release()
	w := &talk{db: db.DB, conn: conn}
	a := newAppender()
	if err := errors.Join(a.take(batch), a.look(t.Context(), w)); err != nil {
		return err
	}
	if _, err := a.judge(journal.Seal); err != nil {
		return err
	}
	if err := a.store(w); err != nil {
		return err
	}
	if n := len(a.out.b); n > a.bytes || a.out.wary != (a.bytes > atOnce) {
		t.Errorf("a batch of %d sent %d bytes, %d reckoned, wary %t", len(batch), n, a.bytes, a.out.wary)
	}
	raw, err := conn.Conn().PgConn().Conn().(syscall.Conn).SyscallConn()
	if err != nil {
		return err
	}
	room := 0
	if e := raw.Control(func(fd uintptr) { room, err = unix.GetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_SNDBUF) }); e != nil {
		return e
	}
	if err == nil && room < 4*atOnce {
		t.Errorf("the kernel has room for %d bytes, want %d", room, 4*atOnce)
	}
	return err
}

// TestRestartedDatabase shows that dead connections are replaced without an
// error of a batch or a read.
func TestRestartedDatabase(t *testing.T) {
	db := installation(t)
	l := newLoad(t, db, 64)
	admin := as(t, db.url, "")
	for range 3 {
		if stale, err := db.Append(t.Context(), l.batch(16, 0, 1), journal.Seal); err != nil || len(stale) > 0 {
			t.Fatalf("Append = %v, %v, want it done", stale, err)
		}
		if _, err := db.Row(t.Context(), l.places[0]); err != nil {
			t.Fatal(err)
		}
		if _, err := db.Public().Card(t.Context(), l.places[0].Register, 1); err != nil {
			t.Fatal(err)
		}
		if _, err := admin.Exec(t.Context(), `SELECT pg_terminate_backend(pid, 1000) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`); err != nil {
			t.Fatal(err)
		}
	}
	whole(t, db)
}

// TestDemotedPrimary shows that a database that can only be read takes nothing,
// says so for certain, and that the connections to it are given up for new
// ones, which may lead elsewhere.
func TestDemotedPrimary(t *testing.T) {
	db := installation(t)
	l := newLoad(t, db, 64)
	admin := as(t, db.url, "")
	set := func(to string) {
		t.Helper()
		name := admin.Config().Database
		if _, err := admin.Exec(t.Context(), `SET default_transaction_read_only = off; ALTER DATABASE `+name+` SET default_transaction_read_only = `+to); err != nil {
			t.Fatal(err)
		}
	}
	set("on")
	db.commits.Reset()
	db.rest.Reset()
	batch := l.batch(16, 0, 1)
	if _, err := db.Append(t.Context(), batch, journal.Seal); !errors.Is(err, journal.ErrNothingStored) || !errors.Is(err, fiscal.StoreDown) {
		t.Errorf("Append: error %v, want ErrNothingStored and StoreDown", err)
	}
	if err := db.Check(t.Context()); !errors.Is(err, fiscal.StoreDown) {
		t.Errorf("Check: error %v, want StoreDown", err)
	}
	set("off")
	if stale, err := db.Append(t.Context(), batch, journal.Seal); err != nil || len(stale) > 0 {
		t.Errorf("Append with a primary again = %v, %v, want it done", stale, err)
	}
	db.rest.Reset()
	if err := db.Check(t.Context()); err != nil {
		t.Errorf("Check with a primary again: %v", err)
	}
}

// TestClockAhead shows that the time of a node whose clock jumped ahead is not
// taken into the journal, and that it is the node and not its documents that is
// wrong.
func TestClockAhead(t *testing.T) {
	db := installation(t)
	for _, off := range []time.Duration{-5 * time.Second, 5 * time.Second} {
		if _, err := Open(t.Context(), Options{URL: db.url, Now: func() time.Time { return time.Now().Add(off) }}); !errors.Is(err, fiscal.Conflict) {
			t.Errorf("Open with a clock %s off: error %v, want Conflict", off, err)
		}
	}
	l := newLoad(t, db, 16)
	batch := l.batch(2, 0, 1)
	batch[1].Entries[0].ReceivedAt = time.Now().UTC().AddDate(0, 4, 0)
	if _, err := db.Append(t.Context(), batch, journal.Seal); !errors.Is(err, journal.ErrNothingStored) || !errors.Is(err, fiscal.Unavailable) || errors.Is(err, fiscal.Invalid) {
		t.Errorf("Append of a document of the future: error %v, want ErrNothingStored and Unavailable, not Invalid", err)
	}
	batch[1].Entries[0].ReceivedAt = l.now()
	if stale, err := db.Append(t.Context(), batch, journal.Seal); err != nil || len(stale) > 0 {
		t.Errorf("Append with the clock set right = %v, %v, want it done", stale, err)
	}
}

// TestBadText shows that a text which the database cannot hold is the fault of
// its commit, and that nobody is told of a failure who only asks for one.
func TestBadText(t *testing.T) {
	db := installation(t)
	l := newLoad(t, db, 16)
	for _, bad := range []string{"a\x00b", "a\xff"} {
		batch := l.batch(4, 0, 1)
		batch[2].Entries[0].Drive = bad
		if _, err := db.Append(t.Context(), batch, journal.Seal); !errors.Is(err, journal.ErrNothingStored) || !errors.Is(err, fiscal.Invalid) {
			t.Errorf("Append with %q: error %v, want ErrNothingStored and Invalid", bad, err)
		}
		batch[2].Entries[0].Drive = ""
		if _, err := db.Append(t.Context(), batch, journal.Seal); err != nil {
			t.Fatal(err)
		}
		if _, err := db.Find(t.Context(), fiscal.Address{Kind: fiscal.ByRegistrationNumber, Name: bad}); !errors.Is(err, fiscal.UnknownRegister) {
			t.Errorf("Find(%q): error %v, want UnknownRegister", bad, err)
		}
		if err := db.KeepRefused(t.Context(), []journal.Refused{{At: l.now(), Detail: bad, Peer: bad, Field: bad}}, 4); err != nil {
			t.Errorf("KeepRefused with %q: %v", bad, err)
		}
		if err := db.KeepContacts(t.Context(), []fiscal.Contact{{At: l.now(), Software: bad, Peer: bad}}); err != nil {
			t.Errorf("KeepContacts with %q: %v", bad, err)
		}
		if c, err := db.Cashier(t.Context(), 1, bad); c != nil || err != nil {
			t.Errorf("Cashier(%q) = %v, %v, want none", bad, c, err)
		}
	}
}
