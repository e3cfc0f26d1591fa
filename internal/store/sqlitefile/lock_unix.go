//go:build unix

package sqlitefile

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/sys/unix"

	"openofd/internal/fiscal"
)

// Lock says that one process, and no other, serves a folder.
type Lock struct{ f *os.File }

// TakeLock takes the lock file, which it makes and never removes. The error is
// Conflict if another process has it, and names that process. The lock ends
// with the process, however it ends.
func TakeLock(path string) (*Lock, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, &fiscal.Error{Reason: fiscal.StoreDown, Msg: "make the lock file: look at the rights of its folder", Err: err}
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		defer f.Close()
		if !errors.Is(err, unix.EWOULDBLOCK) {
			return nil, fmt.Errorf("lock %s: %w", path, err)
		}
		pid, _ := io.ReadAll(io.LimitReader(f, 20))
		return nil, &fiscal.Error{Of: fiscal.Conflict, Field: "lock", Msg: fmt.Sprintf("%s is held by process %s: stop it, or use another folder", path, strings.TrimSpace(string(pid)))}
	}
	err = f.Truncate(0)
	if err == nil {
		_, err = f.WriteAt(fmt.Appendf(nil, "%d\n", os.Getpid()), 0)
	}
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("write %s: %w", path, err)
	}
	return &Lock{f}, nil
}

// Release gives the lock up.
func (l *Lock) Release() error { return l.f.Close() }
