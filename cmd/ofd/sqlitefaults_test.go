//go:build linux

package main

import (
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// mountSmall mounts a file system in memory of so many bytes. Whoever may not
// mount cannot have these faults: the build machine may.
func mountSmall(t *testing.T, bytes int) string {
	t.Helper()
	dir := t.TempDir()
	err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size="+strconv.Itoa(bytes))
	if errors.Is(err, unix.EPERM) {
		t.Skip("mounting a small file system needs root")
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(dir, unix.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// fill takes all room that is left, until the file is removed.
func fill(t *testing.T, dir string) (free func()) {
	t.Helper()
	path := filepath.Join(dir, "filler")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	block := make([]byte, 4096)
	for err == nil {
		_, err = f.Write(block)
	}
	if !errors.Is(err, unix.ENOSPC) {
		t.Fatal(err)
	}
	return func() {
		if err := os.Remove(path); err != nil {
			t.Error(err)
		}
	}
}

// TestFaultDiskFull fills the disk under load, again and again, and once more
// when the server starts. What is answered is stored; with room again every
// register goes on, without a restart.
//
// Req: P-005, P-006, O-076, O-077
func TestFaultDiskFull(t *testing.T) {
	disk := mountSmall(t, 64<<20)
	s := &script{t: t, dir: t.TempDir(), names: map[string]string{"data": filepath.Join(disk, "data")}}
	s.names["dir"] = s.dir
	addr := freeAddr(t)
	s.serve("--kkm-addr " + addr)
	defer func() {
		if s.server != nil {
			s.server.end(syscall.SIGKILL)
		}
	}()
	var shops []*loadShop
	for i := range 8 {
		shops = append(shops, newLoadShop(t, s, i, addr))
	}
	ctx, stop := context.WithCancel(t.Context())
	var work sync.WaitGroup
	for i, shop := range shops {
		work.Go(func() { shop.sell(ctx, rand.New(rand.NewPCG(uint64(i), 0))) })
	}
	for range 5 {
		time.Sleep(100 * time.Millisecond)
		free := fill(t, disk)
		time.Sleep(150 * time.Millisecond)
		free()
		s.at = "verify after a full disk"
		s.run(exitOK, "verify")
	}
	free := fill(t, disk)
	time.Sleep(50 * time.Millisecond)
	s.server.end(syscall.SIGKILL)
	free()
	s.serve("--kkm-addr " + addr)
	time.Sleep(100 * time.Millisecond)
	stop()
	work.Wait()
	for _, shop := range shops {
		if shop.err != nil {
			t.Errorf("register %d: %v", shop.id, shop.err)
		}
		sellOne(t, shop)
	}
	s.step("stop", "")
	answered, lost, doubled := checkStored(t, s.names["data"], shops)
	s.at = "verify"
	s.run(exitOK, "verify")
	t.Logf("faults injected 6, documents answered %d, lost %d, doubled %d", answered, lost, doubled)
}

// TestFaultReadOnly: on a file system that may not be written the server does
// not start, and says why; when it may, it goes on.
func TestFaultReadOnly(t *testing.T) {
	disk := mountSmall(t, 32<<20)
	s := &script{t: t, dir: t.TempDir(), names: map[string]string{"data": filepath.Join(disk, "data")}}
	s.names["dir"] = s.dir
	addr := freeAddr(t)
	s.serve("--kkm-addr " + addr)
	shop := newLoadShop(t, s, 1, addr)
	sellOne(t, shop)
	s.step("stop", "")
	if err := unix.Mount("tmpfs", disk, "tmpfs", unix.MS_REMOUNT|unix.MS_RDONLY, ""); err != nil {
		t.Fatal(err)
	}
	s.at = "serve on a disk that may not be written"
	s.run(exitFailed, "serve --kkm-addr 127.0.0.1:0 --http-addr 127.0.0.1:0 --ops-addr 127.0.0.1:0")
	s.step("stderr", "look at the rights")
	if err := unix.Mount("tmpfs", disk, "tmpfs", unix.MS_REMOUNT, ""); err != nil {
		t.Fatal(err)
	}
	s.serve("--kkm-addr " + addr)
	sellOne(t, shop)
	s.step("stop", "")
	checkStored(t, s.names["data"], []*loadShop{shop})
}

// TestFaultBackupDiskFull: a backup that does not fit leaves nothing behind, and
// an older one under the same name as it was.
func TestFaultBackupDiskFull(t *testing.T) {
	disk := mountSmall(t, 1<<20)
	s, backup := backedUpShop(t)
	s.names["disk"] = disk
	old, err := os.ReadFile(backup)
	if err != nil {
		t.Fatal(err)
	}
	target := filepath.Join(disk, "b.db")
	if err := os.WriteFile(target, old, 0o600); err != nil {
		t.Fatal(err)
	}
	fill(t, disk)
	s.at = "backup to a full disk"
	s.run(exitFailed, "backup $disk/b.db --force")
	s.step("stderr", "no space left on device")
	left, err := os.ReadDir(disk)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range left {
		if n := f.Name(); n != "b.db" && n != "filler" {
			t.Errorf("left behind: %s", n)
		}
	}
	if now, err := os.ReadFile(target); err != nil || string(now) != string(old) {
		t.Errorf("the older backup is not what it was: %d bytes, %v", len(now), err)
	}
}
