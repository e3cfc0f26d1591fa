//go:build unix

package sqlitefile

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"openofd/internal/fiscal"
)

func TestLock(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.lock")
	first, err := TakeLock(path)
	if err != nil {
		t.Fatal(err)
	}
	_, err = TakeLock(path)
	if !errors.Is(err, fiscal.Conflict) || !strings.Contains(err.Error(), fmt.Sprint("process ", os.Getpid())) {
		t.Errorf("a second TakeLock: error %v, want Conflict that names process %d", err, os.Getpid())
	}
	if err := first.Release(); err != nil {
		t.Fatal(err)
	}
	again, err := TakeLock(path)
	if err != nil {
		t.Fatalf("TakeLock after Release: %v", err)
	}
	if err := again.Release(); err != nil {
		t.Error(err)
	}
	if _, err := TakeLock(filepath.Join(path, "x")); !errors.Is(err, fiscal.StoreDown) {
		t.Errorf("TakeLock in a folder that is none: error %v, want StoreDown", err)
	}
}
