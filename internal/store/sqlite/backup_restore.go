package sqlite

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"openofd/internal/fiscal"
	"openofd/internal/store/sqlitefile"
)

// Restore puts a backup into a folder: Begin, Take, then whatever the caller
// does to be sure of Folder, then Finish. Until Finish the folder holds what it
// held, or, if it held nothing, something that no program takes for a database.
type Restore struct {
	dir   string
	aside string // name of the folder that gets the old files; "" if there are none
	lock  *sqlitefile.Lock
}

const (
	stageName = "restore.partial"
	// unfinished stands in the place of the database until there is one. It is
	// no database to SQLite, so a server does not start, and does not make a new
	// installation either.
	unfinished = "A restore was begun here and did not come to its end. Run `ofd restore` again.\n"
)

// BeginRestore takes a folder for a restore. An installation that is there is
// moved aside at the end if replace is set.
//
// Errors: AlreadyThere for an installation that is there, or a folder with
// anything in it but a master key, without replace; Conflict when a process
// serves it; StoreDown.
func BeginRestore(dir string, replace bool, now time.Time) (*Restore, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, &fiscal.Error{Reason: fiscal.StoreDown, Msg: "make the data folder: look at the rights above it", Err: err}
	}
	lock, err := takeLock(Options{Dir: dir})
	if err != nil {
		return nil, err
	}
	r := &Restore{dir: dir, lock: lock}
	if err := r.begin(replace, now); err != nil {
		return nil, errors.Join(err, lock.Release())
	}
	return r, nil
}

func (r *Restore) begin(replace bool, now time.Time) error {
	there, err := r.look()
	if err != nil {
		return err
	}
	if there != "" && !replace {
		return &fiscal.Error{Reason: fiscal.AlreadyThere, Field: "data", Msg: fmt.Sprintf("%s is not empty: %s is in it", r.dir, there)}
	}
	if err := os.RemoveAll(r.stage()); err != nil {
		return err
	}
	_, err = os.Lstat(filepath.Join(r.dir, mainName))
	if there != "" && err == nil {
		r.aside = "before-restore-" + now.UTC().Format("20060102T150405Z")
	} else if err := r.mark(); err != nil {
		return err
	}
	return os.Mkdir(r.stage(), 0o700)
}

// look names something in the folder that a restore would not leave alone.
func (r *Restore) look() (string, error) {
	files, err := os.ReadDir(r.dir)
	if err != nil {
		return "", err
	}
	for _, f := range files {
		switch f.Name() {
		case lockName, stageName, "master.key", "lost+found":
			continue
		case mainName:
			if b, err := os.ReadFile(filepath.Join(r.dir, mainName)); err == nil && string(b) == unfinished {
				continue
			}
		}
		return f.Name(), nil
	}
	return "", nil
}

// mark puts the note that there is no database yet in its place.
func (r *Restore) mark() error {
	note := filepath.Join(r.dir, mainName+".note")
	if err := writeFile(note, []byte(unfinished)); err != nil {
		return err
	}
	if err := os.Rename(note, filepath.Join(r.dir, mainName)); err != nil {
		return err
	}
	return syncFolder(r.dir)
}

func (r *Restore) stage() string { return filepath.Join(r.dir, stageName) }

// Folder is where the restored installation stands until Finish: a folder like
// any other, without a master key.
func (r *Restore) Folder() string { return r.stage() }

// Aside is the folder that Finish moves the old files to; "" if there are none.
func (r *Restore) Aside() string {
	if r.aside == "" {
		return ""
	}
	return filepath.Join(r.dir, r.aside)
}

// Take copies the backup into Folder, durable when it returns.
func (r *Restore) Take(ctx context.Context, backup string, progress func(done, total int64)) error {
	from, err := os.Open(backup)
	if err != nil {
		return err
	}
	defer from.Close()
	info, err := from.Stat()
	if err != nil {
		return err
	}
	to, err := os.OpenFile(filepath.Join(r.stage(), mainName), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	for done := int64(0); done < info.Size() && err == nil; {
		var n int64
		n, err = io.CopyN(to, from, min(8<<20, info.Size()-done))
		done += n
		if progress != nil {
			progress(done, info.Size())
		}
		if err == nil {
			err = ctx.Err()
		}
	}
	if err = errors.Join(err, to.Sync(), to.Close()); err != nil {
		return fmt.Errorf("copy the backup: %w", err)
	}
	return syncFolder(r.stage())
}

// Finish puts the restored database in its place, after it has moved the old
// files aside, and gives the folder up.
func (r *Restore) Finish() error {
	if log, err := os.Stat(filepath.Join(r.stage(), mainName+"-wal")); err == nil && log.Size() > 0 {
		return &fiscal.Error{Of: fiscal.Conflict, Msg: r.stage() + " is still in use"}
	}
	if r.aside != "" {
		if err := r.putAside(); err != nil {
			return fmt.Errorf("move the old files to %s: %w", r.aside, err)
		}
	}
	if err := os.Rename(filepath.Join(r.stage(), mainName), filepath.Join(r.dir, mainName)); err != nil {
		return err
	}
	return errors.Join(syncFolder(r.dir), os.RemoveAll(r.stage()), r.lock.Release())
}

// putAside moves the files of the old installation. They get their second names
// first; then the note takes the place of the database, so that nobody ever
// finds one without its log.
func (r *Restore) putAside() error {
	aside := r.Aside()
	if err := os.Mkdir(aside, 0o700); err != nil {
		return err
	}
	var old []string
	for _, name := range []string{mainName, cabinetName} {
		old = append(old, name, name+"-wal", name+"-shm")
	}
	for _, name := range old {
		if err := os.Link(filepath.Join(r.dir, name), filepath.Join(aside, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	if err := errors.Join(syncFolder(aside), r.mark()); err != nil {
		return err
	}
	for _, name := range old[1:] {
		if err := os.Remove(filepath.Join(r.dir, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return syncFolder(r.dir)
}

// Abandon gives the restore up: what it made goes, what was there stays.
func (r *Restore) Abandon() error {
	err := os.RemoveAll(r.stage())
	if r.aside == "" {
		err = errors.Join(err, os.Remove(filepath.Join(r.dir, mainName)))
	}
	return errors.Join(err, r.lock.Release())
}
