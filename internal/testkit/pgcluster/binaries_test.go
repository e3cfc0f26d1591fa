package pgcluster

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestNoServerIsSaid: a machine without PostgreSQL is told what to install.
func TestNoServerIsSaid(t *testing.T) {
	t.Setenv("OFD_PG_BIN", t.TempDir())
	if _, err := start(Options{}); err == nil || !strings.Contains(err.Error(), "OFD_PG_BIN") {
		t.Errorf("start() with an empty folder = %v, want it named", err)
	}
	if !strings.Contains(errNoBinaries.Error(), "postgresql (15 or newer)") {
		t.Errorf("%v: want the package's name", errNoBinaries)
	}
}

// TestClientAloneIsNoServer: Debian's client package makes the folder too.
func TestClientAloneIsNoServer(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "psql"), []byte("#!/bin/sh\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	if whole(dir) {
		t.Error("whole() of a folder with psql alone = true, want false")
	}
}

// TestFailedStartLeavesNothing: no folder stays behind a cluster that did not
// come up.
func TestFailedStartLeavesNothing(t *testing.T) {
	t.Setenv("TMPDIR", shallow(t))
	_, err := start(Options{Settings: map[string]string{"shared_buffers": "nonsense"}})
	if err == nil || errors.Is(err, errPortTaken) {
		t.Fatalf("start() = %v, want the complaint about shared_buffers", err)
	}
	left, _ := filepath.Glob(filepath.Join(os.Getenv("TMPDIR"), "*"))
	if len(left) != 0 {
		t.Errorf("a failed start left %v", left)
	}
}

// shallow is a folder that the cluster's user may enter.
func shallow(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "pg")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o777|os.ModeSticky); err != nil {
		t.Fatal(err)
	}
	return dir
}
