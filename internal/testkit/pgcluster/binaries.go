package pgcluster

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
)

// errNoBinaries says what to install.
var errNoBinaries = errors.New("no PostgreSQL server here: install Debian's package postgresql (15 or newer), or name the folder of initdb and postgres in OFD_PG_BIN")

// binaries finds the folder of initdb and postgres.
func binaries() (string, error) {
	if dir := os.Getenv("OFD_PG_BIN"); dir != "" {
		if !whole(dir) {
			return "", errors.New("OFD_PG_BIN=" + dir + " has no initdb and postgres")
		}
		return dir, nil
	}
	if path, err := exec.LookPath("postgres"); err == nil {
		if path, err = filepath.EvalSymlinks(path); err == nil && whole(filepath.Dir(path)) {
			return filepath.Dir(path), nil
		}
	}
	dirs, _ := filepath.Glob("/usr/lib/postgresql/*/bin")
	slices.SortFunc(dirs, func(a, b string) int { return version(b) - version(a) })
	for _, dir := range append(dirs, "/usr/local/pgsql/bin") {
		if whole(dir) {
			return dir, nil
		}
	}
	return "", errNoBinaries
}

// whole reports whether a folder has a server: Debian's client package alone
// makes the folder too.
func whole(dir string) bool {
	for _, name := range []string{"initdb", "postgres", "pg_basebackup"} {
		if _, err := exec.LookPath(filepath.Join(dir, name)); err != nil {
			return false
		}
	}
	return true
}

// version is the 15 of /usr/lib/postgresql/15/bin.
func version(dir string) int {
	n, _ := strconv.Atoi(filepath.Base(filepath.Dir(dir)))
	return n
}
