package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"openofd/internal/access"
	"openofd/internal/delivery"
	"openofd/internal/fiscal"
	"openofd/internal/follow"
	"openofd/internal/registry"
	"openofd/internal/testkit"
)

// folder is where an installation's documents for the tax service come to.
type folder struct {
	dir   string
	ids   map[string]int      // how often each document stands there
	order map[string][]uint64 // by file, the entries as they stand
}

// readFolder reads every line, and asks each to be a document.
func readFolder(t testing.TB, dir string) folder {
	t.Helper()
	f := folder{dir, make(map[string]int), make(map[string][]uint64)}
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		file, err := os.Open(path)
		if err != nil {
			return err
		}
		defer file.Close()
		lines := bufio.NewScanner(file)
		lines.Buffer(nil, 4<<20)
		for lines.Scan() {
			var line struct {
				ID       string
				Entry    uint64
				Document map[string]map[string]any
			}
			if err := json.Unmarshal(lines.Bytes(), &line); err != nil || line.ID == "" || len(line.Document) != 1 {
				return fmt.Errorf("%s: %q: %v", path, lines.Bytes(), err)
			}
			f.ids[line.ID]++
			f.order[path] = append(f.order[path], line.Entry)
		}
		return lines.Err()
	})
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	return f
}

// holdsOnce asks for n documents, each once, in the order of their register.
func (f folder) holdsOnce(t testing.TB, n int) {
	t.Helper()
	if len(f.ids) != n {
		t.Errorf("%d documents stand in the folder, want %d", len(f.ids), n)
	}
	for id, times := range f.ids {
		if times != 1 {
			t.Errorf("document %s stands there %d times", id, times)
		}
	}
	for path, entries := range f.order {
		for i := 1; i < len(entries); i++ {
			if entries[i] <= entries[i-1] {
				t.Errorf("%s: entry %d stands behind entry %d", filepath.Base(path), entries[i], entries[i-1])
				break
			}
		}
	}
}

// followedAll waits until nothing of the journal is left.
func followedAll(t testing.TB, store follow.Store, limit time.Duration) {
	t.Helper()
	for until := time.Now().Add(limit); ; time.Sleep(20 * time.Millisecond) {
		s, err := follow.Stands(t.Context(), store, delivery.IDOf("fns"))
		if err == nil && s.Entries == 0 {
			return
		}
		if time.Now().After(until) {
			t.Fatalf("not all is followed after %v: %d entries are left, stuck %+v, %v", limit, s.Entries, s.Stuck(), err)
		}
	}
}

// What a register sends through the door comes to the folder while the operator
// runs: plain, encrypted, and what breaks a rule; what cannot be read is put
// aside.
//
// Req: P-008, P-020, P-092, O-005, O-105
func TestForwardsWhatComes(t *testing.T) {
	onBothEngines(t, func(t *testing.T, engine string) {
		dir := filepath.Join(t.TempDir(), "fns")
		o := forwardingOperator(t, engine, dir)
		sent, unreadable := map[string]bool{}, 0
		for _, v := range testkit.KKTVectors(t) {
			if v.Channel != "ofd" || v.Want.Reply != "ack" && v.Want.Reply != "refusal" || v.Want.Reply == "ack" && v.Want.Frame == nil {
				continue
			}
			if answer, _ := speak(t, o.KKTAddr, v.Message, false); len(answer) > 100 {
				sent[v.Name] = true
			}
		}
		followedAll(t, o.store, time.Minute)
		heads, err := o.store.Heads(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		documents := 0
		for p, h := range heads {
			all, err := o.store.Page(t.Context(), p, 1, int(h.Seq)+1, 1<<30)
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range all {
				switch {
				case e.Kind == fiscal.DocUnreadable:
					unreadable++
				case strings.HasPrefix(e.Format, "kkt/"):
					documents++
				}
			}
		}
		if documents < 12 || unreadable == 0 {
			t.Fatalf("%d documents and %d that cannot be read were stored of %d sent; that shows nothing", documents, unreadable, len(sent))
		}
		readFolder(t, dir).holdsOnce(t, documents)
		waiting, err := o.store.Waiting(t.Context(), "fns", 0, 1000)
		if err != nil || len(waiting) != unreadable || waiting[0].Reason != delivery.Unreadable {
			t.Errorf("there wait %+v, %v; want the %d that cannot be read", waiting, err, unreadable)
		}
	})
}

// forwardingOperator is one for registers of Russia that forwards.
func forwardingOperator(t *testing.T, engine, dir string) *operator {
	t.Helper()
	s := localSettings(t)
	s.FNSDir = dir
	s.KKTAddr.HostPort = "127.0.0.1:0"
	s.KKTCrypto.Name = "sim1"
	s.Operator.INN.Number = "7704211201"
	if engine == "postgres" {
		s.DB.URL = migratedDatabase(t)
		if err := migrateServer(t.Context(), coreConfig{Dir: s.Data, DB: s.DB.URL}, false, nil); err != nil {
			t.Fatal(err)
		}
	}
	o := mustStart(t, s)
	t.Cleanup(func() {
		if err := o.stop(); err != nil {
			t.Errorf("stop: %v", err)
		}
	})
	if _, err := o.registry.AddRegister(t.Context(), registry.NewRegister{
		By: "test", Country: fiscal.Russia, XIN: "7704358518", Title: fiscal.Text{RU: "ООО Ромашка"}, OutletAddress: fiscal.Text{RU: "Москва"},
		Model: "Test RU", SerialNumber: "00106900000001", RegistrationNumber: "0000012345055778", Drive: testDrive,
	}); err != nil {
		t.Fatal(err)
	}
	return o
}

// preparedJournal is an installation with documents that nobody has followed.
func preparedJournal(t testing.TB, s *script, engine string, registers, documents int) *filler {
	t.Helper()
	cfg := coreConfig{Dir: s.names["data"]}
	if engine == "postgres" {
		cfg.DB = migratedDatabase(t)
		s.names["db"] = cfg.DB
		if err := migrateServer(t.Context(), cfg, false, nil); err != nil {
			t.Fatal(err)
		}
	}
	c, err := startCore(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	f := newFiller(t, c, registers)
	f.fill(documents)
	t.Cleanup(func() {
		if err := c.stop(); err != nil {
			t.Errorf("stop: %v", err)
		}
	})
	return f
}

// forward starts a process that does nothing but follow.
func (s *script) forward() {
	s.t.Helper()
	s.serve("--parts followers --kkt-crypto sim1 --fns-dir " + filepath.Join(s.dir, "fns"))
}

// TestForwardedOnceAfterKills kills processes that forward in the middle of it,
// again and again. In the end each document stands in the folder once, in the
// order of its register. On PostgreSQL two processes share the work, and one
// takes over what the other held; the memory of all stays bounded.
//
// Req: P-006, P-008, P-011, O-104, O-110
func TestForwardedOnceAfterKills(t *testing.T) {
	onBothEngines(t, func(t *testing.T, engine string) {
		s := &script{t: t, dir: t.TempDir(), names: map[string]string{}}
		s.names["data"] = filepath.Join(s.dir, "data")
		count, kills, nodes := forwardCount, 4, []*script{s}
		if engine == "postgres" { // each kill waits for leases to run out
			kills = 2
			nodes = append(nodes, &script{t: t, dir: s.dir, names: s.names})
		}
		f := preparedJournal(t, s, engine, 12, count)
		began, early := time.Now(), 0
		for _, node := range nodes {
			node.forward()
			t.Cleanup(func() { node.server.end(syscall.SIGKILL) })
		}
		// First all die, so that nobody finishes what is under way; then one,
		// and the other takes over.
		dying := nodes
		for i := range kills {
			before := documentsSent(t, f)
			for limit := time.Now().Add(time.Minute); documentsSent(t, f) == before && before < int64(count); time.Sleep(time.Millisecond) {
				if time.Now().After(limit) {
					t.Fatalf("nothing is forwarded behind %d documents\n%s", before, nodes[0].server.talk())
				}
			}
			for _, node := range dying {
				node.server.end(syscall.SIGKILL)
			}
			if documentsSent(t, f) < int64(count) {
				early++
			}
			for _, node := range dying {
				node.forward()
			}
			dying = nodes[i%len(nodes):][:1]
		}
		followedAll(t, f.core.store, 3*time.Minute)
		took := time.Since(began)
		readFolder(t, filepath.Join(s.dir, "fns")).holdsOnce(t, count)
		var peak int64
		for _, node := range nodes {
			peak = max(peak, peakMemory(t, node.server.cmd.Process.Pid))
		}
		if peak > 400<<20 { // the race detector takes its share
			t.Errorf("a process that forwards took %d MiB, want at most 400", peak>>20)
		}
		if early == 0 {
			t.Error("no process was killed in the middle")
		}
		t.Logf("%d documents, %d kills in the middle, %v, at most %d MiB", count, early, took.Round(time.Millisecond), peak>>20)
		for _, node := range nodes {
			node.at = "stop"
			if code, took := node.server.end(syscall.SIGTERM); code != exitOK || took > 20*time.Second {
				t.Errorf("SIGTERM: exit code %d after %v, want 0 within 20 s", code, took)
			}
		}
	})
}

// documentsSent is how many documents are stored as sent.
func documentsSent(t testing.TB, f *filler) int64 {
	t.Helper()
	all, err := f.core.store.Cursors(t.Context(), delivery.IDOf("fns"))
	if err != nil {
		t.Fatal(err)
	}
	var n int64
	for _, c := range all {
		n += int64(c.Seq)
	}
	return n
}

// peakMemory is the most that a process has held, in bytes.
func peakMemory(t *testing.T, pid int) int64 {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(status)) {
		if rest, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kib, err := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			return kib << 10
		}
	}
	t.Fatalf("no VmHWM in\n%s", status)
	return 0
}

// Documents that are put aside are listed, tried again by hand, and told apart
// from those that never will be read.
//
// Req: P-092, O-110
func TestDeliveryCommands(t *testing.T) {
	onBothEngines(t, func(t *testing.T, engine string) {
		s := &script{t: t, dir: t.TempDir(), names: map[string]string{}}
		s.names["data"] = filepath.Join(s.dir, "data")
		f := preparedJournal(t, s, engine, 1, 0)
		till := f.tills[0]
		f.append(f.commit(till, nil), f.commit(till, nil)) // the second is encrypted
		f.append(f.commit(till, func(r *fiscal.Record) { r.Kind = fiscal.DocUnreadable }))
		f.append(f.commit(till, func(r *fiscal.Record) { r.Format, r.Request = "kkt/1.2", bytes.Repeat([]byte{0xA5}, 60) }))
		f.append(f.commit(till, nil))

		s.at = "status before anything is followed"
		s.run(exitOK, "delivery status --json --authority fns")
		if got := s.value("authorities.0.lag_entries"); got != "6" || s.value("authorities.0.waiting") != "0" {
			t.Errorf("behind are %s entries, want the registration and 5 documents", got)
		}
		fns := filepath.Join(s.dir, "fns")
		s.serve("--parts followers --fns-dir " + fns) // nobody has the keys
		followedAll(t, f.core.store, time.Minute)
		s.step("stop", "")

		s.at = "status"
		s.run(exitOK, "delivery status --json")
		for path, want := range map[string]string{
			"lag_entries": "0", "lag_seconds": "0", "waiting": "3", "documents.#": "3", "stuck.#": "0",
			"documents.0.reason": "no_key", "documents.1.reason": "unreadable", "documents.2.reason": "damaged",
			"documents.0.document": till.drive.String() + "-2", "documents.0.tries": "0",
		} {
			if got := s.value("authorities.0." + path); got != want {
				t.Errorf("status: %s is %s, want %s", path, got, want)
			}
		}
		id := s.value("authorities.0.documents.0.id")
		s.run(exitOK, "delivery status")
		s.step("stdout", "ofd delivery again ID")

		s.at = "again without a key, then with it"
		s.run(exitFailed, "delivery again "+id+" --fns-dir "+fns)
		s.step("stdout", "put aside still: no_key")
		s.run(exitFailed, "delivery again "+id)
		s.step("stderr", "--fns-dir")
		s.run(exitOK, "delivery again "+id+" --kkt-crypto sim1 --json --fns-dir "+fns)
		if s.value("tries") != "2" || s.value("settled") == "" {
			t.Errorf("again = %s", s.stdout)
		}
		s.run(exitFailed, "delivery again "+id+" --kkt-crypto sim1 --fns-dir "+fns)
		s.step("stderr", "was forwarded")
		s.run(exitFailed, "delivery again 99 --fns-dir "+fns)

		records, err := f.core.store.Audit(t.Context(), 0, 0, 20)
		tries := 0
		for _, r := range records {
			if r.Act == access.ActSentAgain && r.Object == id && r.Who == byCommandLine {
				tries++
			}
		}
		if err != nil || tries != 3 {
			t.Errorf("%d tries by hand are recorded, %v, want those three with a way: %+v", tries, err, records)
		}
		if got := readFolder(t, fns).ids; len(got) != 3 || got[till.drive.String()+"-2"] != 1 {
			t.Errorf("the folder holds %v, want documents 1, 2 and 5", got)
		}
	})
}

// A folder that cannot be written to stops delivery and nothing else: the
// status names entry and cause and ends with 1, readiness tells and holds,
// receipts are taken. When the folder is there again, delivery goes on by
// itself.
//
// Req: P-092, O-104
func TestFolderInTheWay(t *testing.T) {
	onBothEngines(t, func(t *testing.T, engine string) {
		s := &script{t: t, dir: t.TempDir(), names: map[string]string{}}
		s.names["data"] = filepath.Join(s.dir, "data")
		f := preparedJournal(t, s, engine, 1, 3)
		fns := filepath.Join(s.dir, "fns")
		if err := os.Mkdir(fns, 0o700); err != nil {
			t.Fatal(err)
		}
		way := filepath.Join(fns, f.arrived.Format(time.DateOnly)) // where the day's folder belongs
		if err := os.WriteFile(way, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		s.forward()
		t.Cleanup(func() { s.server.end(syscall.SIGKILL) })
		for limit := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
			at, err := follow.Stands(t.Context(), f.core.store, delivery.IDOf("fns"))
			if err == nil && len(at.Stuck()) == 1 {
				break
			}
			if time.Now().After(limit) {
				t.Fatalf("it is not said that delivery is stuck: %+v, %v\n%s", at, err, s.server.talk())
			}
		}
		s.at = "status while the folder is in the way"
		s.run(exitFailed, "delivery status --json")
		if s.value("authorities.0.stuck.#") != "1" || s.value("authorities.0.stuck.0.entry") == "0" || !strings.Contains(s.value("authorities.0.stuck.0.why"), "not a directory") {
			t.Errorf("status = %s", s.stdout)
		}
		s.step("get", "http://"+s.server.addrs["ops"]+"/readyz")
		if !strings.HasPrefix(s.stderr, "200") || !strings.Contains(s.stdout, "followers: fns has not got past entry") {
			t.Errorf("/readyz answers %s\n%s", s.stderr, s.stdout)
		}
		f.fill(2)
		if err := os.Remove(way); err != nil {
			t.Fatal(err)
		}
		followedAll(t, f.core.store, 2*time.Minute)
		readFolder(t, fns).holdsOnce(t, 5)
		s.run(exitOK, "delivery status")
		s.step("stdout", "all of the journal is forwarded")
	})
}
