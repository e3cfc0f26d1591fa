//go:build linux && (faults || long)

package main

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"openofd/internal/testkit/pgcluster"
)

// smallDisk mounts a disk of so many bytes at a folder; it belongs to whom the
// folder above does. Only root may.
func smallDisk(t *testing.T, at, size string) {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("a disk of a size that fits the test is mounted by root alone")
	}
	if err := os.MkdirAll(at, 0o755); err != nil {
		t.Fatal(err)
	}
	var above syscall.Stat_t // whose folder it becomes
	if err := syscall.Stat(filepath.Dir(at), &above); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mount("tmpfs", at, "tmpfs", 0, fmt.Sprintf("mode=755,uid=%d,gid=%d,size=%s", above.Uid, above.Gid, size)); err != nil {
		t.Fatalf("mount %s: %v", at, err)
	}
	// Whoever still has files open there keeps them until it ends.
	t.Cleanup(func() {
		if err := syscall.Unmount(at, syscall.MNT_FORCE|syscall.MNT_DETACH); err != nil {
			t.Errorf("unmount %s: %v", at, err)
		}
	})
}

// fullOf waits until the server has found no room.
func fullOf(t *testing.T, c *pgcluster.Cluster, before int) {
	t.Helper()
	eventually(t, patience, "the server finds no room", func() bool {
		return strings.Contains(c.Log()[before:], "No space left on device")
	})
}

// fullData: tables cannot grow, the server itself goes on. With room again
// documents are accepted without a restart of anything.
func fullData(t *testing.T, _ *rand.Rand) tally {
	c := pgcluster.Start(t, pgcluster.Options{})
	disk := filepath.Join(c.Dir(), "small")
	smallDisk(t, disk, "48m")
	for _, sql := range []string{"CREATE TABLESPACE small LOCATION '" + disk + "'", "CREATE DATABASE ofd TABLESPACE small"} {
		if err := c.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	f := onCluster(t, c.URL("ofd"))
	for range 2 {
		f.start(f.at.DB, nil)
	}
	f.register(size.registers)
	for range size.rounds {
		f.under(func() int {
			before := len(c.Log())
			empty := fill(t, disk)
			fullOf(t, c, before)
			time.Sleep(time.Second)
			empty()
			return 1
		})
	}
	return f.end()
}

// fullLog: the server cannot write ahead, panics, and does not come up again
// until there is room.
func fullLog(t *testing.T, _ *rand.Rand) tally {
	disk, err := os.MkdirTemp("", "ofd")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.Remove(disk) })
	smallDisk(t, disk, "320m")
	t.Setenv("TMPDIR", disk) // where clusters live
	c := pgcluster.Start(t, pgcluster.Options{Settings: map[string]string{"max_wal_size": "64MB", "min_wal_size": "32MB"}})
	f := onCluster(t, c.URL("postgres"))
	for range 2 {
		f.start(f.at.DB, nil)
	}
	f.register(size.registers)
	f.under(func() int {
		before := len(c.Log())
		empty := fill(t, disk)
		for range 4 { // the next file of the log is due
			_ = c.Exec(t.Context(), "SELECT pg_switch_wal()")
		}
		fullOf(t, c, before)
		time.Sleep(time.Second)
		empty()
		c.Kill()
		c.Restart()
		return 1
	})
	return f.end()
}
