package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"openofd/internal/device/kkm"
	"openofd/internal/fiscal"
	"openofd/internal/store/sqlite"
)

// TestRestoreDrill loses a disk: load, a backup beside it, more load, kill -9,
// restore into a new folder. What was answered before the backup is there.
// Registers that were silent since go on without a refusal; those that were not
// stand with code 2 until they get a new token, and then go on.
//
// Req: P-006, P-010, O-076
func TestRestoreDrill(t *testing.T) {
	s := &script{t: t, dir: t.TempDir(), names: map[string]string{}}
	s.names["dir"], s.names["data"] = s.dir, filepath.Join(s.dir, "data")
	addr := freeAddr(t)
	s.serve("--kkm-addr " + addr)
	defer func() {
		if s.server != nil {
			s.server.end(syscall.SIGKILL)
		}
	}()
	var quiet, busy []*loadShop
	for i := range 3 {
		quiet = append(quiet, newLoadShop(t, s, i, addr))
		busy = append(busy, newLoadShop(t, s, 10+i, addr))
	}
	load := func(shops []*loadShop) (stop func()) {
		ctx, cancel := context.WithCancel(t.Context())
		var work sync.WaitGroup
		for i, shop := range shops {
			work.Go(func() { shop.sell(ctx, rand.New(rand.NewPCG(uint64(i), 0))) })
		}
		return func() { cancel(); work.Wait() }
	}
	stop := load(append(quiet, busy...))
	sellMore(t, append(quiet, busy...))
	stop()
	before := map[string]string{}
	for _, shop := range append(quiet, busy...) {
		if shop.err != nil || len(shop.slips) == 0 {
			t.Fatalf("register %d: %d receipts, %v", shop.id, len(shop.slips), shop.err)
		}
		for frame, answer := range shop.heard.answers {
			before[frame] = answer
		}
	}
	stop = load(busy)
	sellMore(t, busy)
	s.at = "backup"
	s.run(exitOK, "backup $dir/b.db --json")
	var made backedUp
	if err := json.Unmarshal([]byte(s.stdout), &made); err != nil {
		t.Fatal(err)
	}
	sellMore(t, busy)
	s.server.end(syscall.SIGKILL)

	s.at = "restore"
	s.run(exitOK, "restore $dir/b.db --data $dir/new --key-file $data/master.key")
	s.run(exitOK, "verify --data $dir/new --key-file $data/master.key")
	s.serve("--kkm-addr " + addr + " --data $dir/new --key-file $data/master.key")
	for _, shop := range quiet {
		sellOne(t, shop)
	}
	stop()
	for _, shop := range busy {
		if !errors.Is(shop.err, kkm.ErrNeedsToken) && !errors.Is(shop.err, fiscal.StaleToken) {
			t.Errorf("register %d, which had sold since the backup: %v, want that it needs a token", shop.id, shop.err)
		}
		s.at = "token"
		s.run(exitOK, fmt.Sprintf("register token %d --json --data $dir/new --key-file $data/master.key", shop.id))
		var fresh issued
		if err := json.Unmarshal([]byte(s.stdout), &fresh); err != nil {
			t.Fatal(err)
		}
		if err := shop.reg.SetToken(fresh.Token); err != nil {
			t.Fatal(err)
		}
		sellOne(t, shop)
	}
	s.step("stop", "")
	s.run(exitOK, "verify --data $dir/new --key-file $data/master.key")

	db, err := sqlite.Open(t.Context(), sqlite.Options{Dir: filepath.Join(s.dir, "new"), Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for e := range receipts(t, db) {
		if want, ok := before[string(e.Request)]; ok {
			if want != string(e.Answer) {
				t.Errorf("register %d, number %d: stored with another answer", e.Register, e.Number)
			}
			delete(before, string(e.Request))
		}
	}
	if len(before) > 0 {
		t.Errorf("%d receipts that were answered before the backup began are not in it", len(before))
	}
}

// sellOne sells once more, online.
func sellOne(t *testing.T, shop *loadShop) {
	t.Helper()
	slip, err := shop.reg.Sell(t.Context(), fiscal.Receipt{Items: []fiscal.Item{{
		Kind: fiscal.ItemGoods, Name: "Сүт", Section: "1", Unit: "796", Quantity: fiscal.OneUnit, Price: 70000, Cost: 70000,
	}}})
	if err != nil || slip.Offline {
		t.Errorf("register %d: %v, autonomous %t", shop.id, err, slip.Offline)
	}
}

// backedUpShop is a small installation that is stopped, and its backup.
func backedUpShop(t *testing.T) (s *script, backup string) {
	t.Helper()
	s = &script{t: t, dir: t.TempDir(), names: map[string]string{}}
	s.names["dir"], s.names["data"] = s.dir, filepath.Join(s.dir, "data")
	addr := freeAddr(t)
	s.serve("--kkm-addr " + addr)
	shop := newLoadShop(t, s, 1, addr)
	for range 60 {
		sellOne(t, shop)
	}
	s.step("stop", "")
	s.at = "backup"
	s.run(exitOK, "backup $dir/b.db")
	return s, filepath.Join(s.dir, "b.db")
}

// TestRestoreDamaged: a backup that is not what was written is refused, by its
// checksum, or without one by what is in it, and the folder stays as it was.
func TestRestoreDamaged(t *testing.T) {
	s, backup := backedUpShop(t)
	whole, err := os.ReadFile(backup)
	if err != nil {
		t.Fatal(err)
	}
	sum, err := os.ReadFile(backup + ".sha256")
	if err != nil {
		t.Fatal(err)
	}
	flipped := func(at int) []byte {
		b := bytes.Clone(whole)
		b[at] ^= 1
		return b
	}
	receipt := bytes.LastIndex(whole, []byte("Сүт"))
	if receipt < 0 {
		t.Fatal("no receipt is found in the backup")
	}
	for _, tt := range []struct {
		name string
		b    []byte
		sum  []byte
		say  string
	}{
		{"cut", whole[:len(whole)*2/3], sum, "is not what was written"},
		{"cut, no checksum", whole[:len(whole)*2/3], nil, "damaged"},
		{"a bit of a receipt", flipped(receipt), sum, "is not what was written"},
		{"a bit of a receipt, no checksum", flipped(receipt), nil, "request, answer or salt was changed"},
		{"a bit of the first page, no checksum", flipped(3), nil, "damaged"},
		{"empty, no checksum", nil, nil, "holds no installation"},
		{"the checksum itself", whole, []byte("what is this"), "holds no checksum"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s.t, s.at = t, "restore"
			if err := os.WriteFile(backup, tt.b, 0o600); err != nil {
				t.Fatal(err)
			}
			os.Remove(backup + ".sha256")
			if tt.sum != nil {
				if err := os.WriteFile(backup+".sha256", tt.sum, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			s.run(exitFailed, "restore $dir/b.db --data $dir/new --key-file $data/master.key")
			s.step("stderr", tt.say)
			left, err := filepath.Glob(filepath.Join(s.dir, "new", "*"))
			for _, f := range left {
				if filepath.Base(f) != "ofd.lock" {
					t.Errorf("left behind: %s, %v", f, err)
				}
			}
		})
	}
}

// TestRestoreKilled kills the program at random moments of a restore. The folder
// is then whole, or nothing takes it for an installation; and the same command
// brings it to its end.
func TestRestoreKilled(t *testing.T) {
	s, backup := backedUpShop(t)
	whole, _, err := sqlite.ReadBackup(t.Context(), backup)
	if err != nil {
		t.Fatal(err)
	}
	halves := 0
	for i := range 12 {
		dir := filepath.Join(s.dir, fmt.Sprint("new", i))
		s.names["new"] = dir
		cmd := exec.Command(program, "restore", backup, "--data", dir, "--key-file", filepath.Join(s.names["data"], "master.key"))
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		for began := time.Now(); time.Since(began) < time.Minute; { // until it has begun to write
			if _, err := os.Stat(filepath.Join(dir, "ofd.db")); err == nil {
				break
			}
		}
		time.Sleep(time.Duration(i) * 3 * time.Millisecond)
		cmd.Process.Kill()
		cmd.Wait()
		s.at = "verify a restore that was killed"
		if b, err := os.ReadFile(filepath.Join(dir, "ofd.db")); err != nil || !bytes.HasPrefix(b, []byte("SQLite format 3")) {
			halves++
			s.run(exitFailed, "verify --data $new --key-file $data/master.key")
			s.run(exitFailed, "serve --data $new --key-file $data/master.key --kkm-addr 127.0.0.1:0 --http-addr 127.0.0.1:0 --ops-addr 127.0.0.1:0")
			s.at = "restore again"
			s.run(exitOK, "restore $dir/b.db --data $new --key-file $data/master.key")
		}
		s.run(exitOK, "verify --json --data $new --key-file $data/master.key")
		if got := s.value("entries"); got != fmt.Sprint(whole.Head.Seq) {
			t.Errorf("kill %d: %s entries, want %d", i, got, whole.Head.Seq)
		}
	}
	if halves == 0 {
		t.Error("no restore was killed in the middle")
	}
}
