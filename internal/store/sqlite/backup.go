package sqlite

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"openofd/internal/fiscal"
	"openofd/internal/journal"
	"openofd/internal/store/sqlitefile"
)

// A backup is one file: ofd.db as it was at one instant, an SQLite database
// that any tool opens. Beside it stands FILE.sha256, in the form that sha256sum
// checks. cabinet.1.db is not part of it: last contacts come again with the
// next exchange of each register. Nor is the master key, without which the keys
// in the database cannot be opened: who steals a backup can sign nothing.

// Contents is what a backup holds.
type Contents struct {
	Head      journal.Head
	LastEntry time.Time // when the last entry was received; zero: there is none
	Registers int64
	Bytes     int64
	SHA256    string // hex; "" where it was not computed
}

// BackupOptions say how a backup is made. The zero value is usable.
type BackupOptions struct {
	Force    bool                                         // replace a file that is there
	Trust    bool                                         // do not read the copy again
	Progress func(done, total int64)                      // bytes copied; nil is nobody
	Pause    func(ctx context.Context, bytes int64) error // see sqlitefile.Backup
}

// sumSuffix follows a backup's name in that of its checksum.
const sumSuffix = ".sha256"

// WriteBackup makes a backup of the installation in a folder, beside a server
// if one is at work, and leaves either a whole file under that name or none.
//
// Errors: AlreadyThere for a file that is there, without Force; NothingThere for
// a folder without an installation; Corrupt if the copy is not sound, because
// the database is not; StoreDown; those of the target's disk.
func WriteBackup(ctx context.Context, dir, path string, o BackupOptions) (c Contents, err error) {
	source := filepath.Join(dir, mainName)
	live, err := os.Stat(source)
	if err != nil {
		return c, missing("no installation in %s", dir)
	}
	switch there, err := os.Stat(path); {
	case err == nil && os.SameFile(live, there):
		return c, &fiscal.Error{Reason: fiscal.BadValue, Field: "file", Msg: path + " is the database itself"}
	case err == nil && !o.Force:
		return c, &fiscal.Error{Reason: fiscal.AlreadyThere, Field: "file", Msg: path + " is there already"}
	}
	partial := path + ".partial"
	to, err := openPartial(partial)
	if err != nil {
		return c, err
	}
	defer func() {
		err = errors.Join(err, to.Close())
		if err != nil {
			os.Remove(partial)
		}
	}()
	b := sqlitefile.Backup{Path: source, To: to, Progress: o.Progress, Pause: o.Pause}
	if _, err := b.Run(ctx); err != nil {
		return c, fmt.Errorf("copy the database: %w", err)
	}
	if err := to.Sync(); err != nil {
		return c, fmt.Errorf("copy the database: %w", err)
	}
	if c, err = readContents(partial); err != nil {
		return c, err
	}
	if c.SHA256, err = sumOf(ctx, to); err != nil {
		return c, err
	}
	if !o.Trust {
		if err := checkContents(ctx, partial, &c); err != nil {
			return c, err
		}
	}
	return c, publish(partial, path, c.SHA256)
}

// openPartial opens the file under whose name a backup grows. One that was left
// behind by a process that died is taken over; one that somebody writes is not.
func openPartial(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		f.Close()
		return nil, &fiscal.Error{Of: fiscal.Conflict, Field: "file", Msg: path + " is being written by another process", Err: err}
	}
	return f, f.Truncate(0)
}

// publish gives a finished file its name, and its checksum beside it. At each
// moment there is a whole backup under the name or none, and never the checksum
// of another one.
func publish(partial, path, sum string) error {
	if err := os.Remove(path + sumSuffix); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := os.Rename(partial, path); err != nil {
		return err
	}
	if err := writeFile(path+sumSuffix, []byte(sum+"  "+filepath.Base(path)+"\n")); err != nil {
		return fmt.Errorf("the backup is whole, its checksum is not written: %w", err)
	}
	return syncFolder(filepath.Dir(path))
}

// ReadBackup looks at a backup: what it holds, and whether it is what was
// written: by its checksum, if that stands beside it, by the structure of the
// file and the ends of the journal. known tells whether there was a checksum.
//
// Errors: Corrupt; NothingThere.
func ReadBackup(ctx context.Context, path string) (c Contents, known bool, err error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return c, false, missing("no backup %s", path)
	}
	if err != nil {
		return c, false, err
	}
	defer f.Close()
	want, known, err := readSum(path + sumSuffix)
	if err != nil {
		return c, known, err
	}
	sum, err := sumOf(ctx, f)
	if err != nil {
		return c, known, err
	}
	if known && sum != want {
		return c, known, corrupt("%s is not what was written: its SHA-256 is %.12s…, %s says %.12s…", path, sum, filepath.Base(path)+sumSuffix, want)
	}
	if c, err = readContents(path); err != nil {
		return c, known, err
	}
	c.SHA256 = sum
	return c, known, checkContents(ctx, path, &c)
}

func readSum(path string) (sum string, there bool, err error) {
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return "", false, nil
	}
	if err != nil {
		return "", true, err
	}
	sum, _, _ = strings.Cut(string(b), " ")
	if raw, err := hex.DecodeString(sum); err != nil || len(raw) != sha256.Size {
		return "", true, corrupt("%s holds no checksum", path)
	}
	return strings.ToLower(sum), true, nil
}

// readContents asks the file what it holds.
func readContents(path string) (c Contents, err error) {
	info, err := os.Stat(path)
	if err != nil {
		return c, err
	}
	c.Bytes = info.Size()
	err = sqlitefile.Look(path, func(tx *sqlitefile.Tx) (err error) {
		made, _, err := tx.QueryInt(`SELECT count(*) FROM sqlite_schema WHERE name IN ('heads', 'entries', 'registers')`)
		if err != nil {
			return err
		}
		if made < 3 {
			return corrupt("%s holds no installation", path)
		}
		if c.Head, err = readHead(tx); err != nil {
			return err
		}
		if c.Registers, _, err = tx.QueryInt(`SELECT count(*) FROM registers`); err != nil {
			return err
		}
		at, any, err := tx.QueryInt(`SELECT received_at FROM entries WHERE seq = ?`, int64(c.Head.Seq))
		if any {
			c.LastEntry = journal.Instant(at)
		}
		return err
	})
	return c, err
}

// checkContents looks for damage: in the file's length and structure, and
// between the journal and its head.
func checkContents(ctx context.Context, path string, c *Contents) error {
	if err := sqlitefile.CheckCopy(ctx, path); err != nil {
		return err
	}
	return sqlitefile.Look(path, func(tx *sqlitefile.Tx) error {
		pages, _, err := tx.QueryInt(`PRAGMA page_count`)
		if err != nil {
			return err
		}
		size, _, err := tx.QueryInt(`PRAGMA page_size`)
		if err != nil {
			return err
		}
		if pages*size != c.Bytes {
			return corrupt("%s has %d bytes, its first page says %d", path, c.Bytes, pages*size)
		}
		s, err := tx.Query(`SELECT seq, chain FROM entries ORDER BY seq DESC LIMIT 1`)
		if err != nil {
			return err
		}
		last, sound, err := lastOf(s)
		if err != nil {
			return err
		}
		if last.Seq == 0 && c.Head.Seq > 0 { // all of it may have been retired
			s, err := tx.Query(`SELECT last_seq, chain FROM segments WHERE month IN (SELECT month FROM retired) ORDER BY month DESC LIMIT 1`)
			if err != nil {
				return err
			}
			if last, sound, err = lastOf(s); err != nil {
				return err
			}
		}
		if !sound || last.Seq != c.Head.Seq || last.Chain != c.Head.Chain {
			return corrupt("%s: the last entry is %d, the journal's head says %d, or their chains differ", path, last.Seq, c.Head.Seq)
		}
		return nil
	})
}

// lastOf reads the row of an end, if there is one, and closes the statement.
func lastOf(s *sqlitefile.Stmt) (h journal.Head, sound bool, err error) {
	sound = true
	if s.Next() {
		h.Seq, sound = journal.Seq(s.Int(0)), s.CopyTo(1, h.Chain[:])
	}
	return h, sound, s.Close()
}

// sumOf is the SHA-256 of a file, in hex.
func sumOf(ctx context.Context, f io.ReaderAt) (string, error) {
	h := sha256.New()
	buf := make([]byte, 1<<20)
	for off := int64(0); ; {
		n, err := f.ReadAt(buf, off)
		h.Write(buf[:n])
		off += int64(n)
		if errors.Is(err, io.EOF) {
			return hex.EncodeToString(h.Sum(nil)), nil
		}
		if err = cmp.Or(err, ctx.Err()); err != nil {
			return "", fmt.Errorf("read the copy: %w", err)
		}
	}
}

func corrupt(what string, args ...any) error {
	return &fiscal.Error{Of: fiscal.Corrupt, Msg: fmt.Sprintf(what, args...)}
}

// writeFile writes a small file, durable before it returns.
func writeFile(path string, b []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	return errors.Join(err, f.Sync(), f.Close())
}

// syncFolder makes names in a folder durable.
func syncFolder(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
