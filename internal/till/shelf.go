package till

import (
	"context"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"

	"openofd/internal/fiscal"
	"openofd/internal/store/sqlitefile"
)

//go:embed migrations/*.sql
var migrations embed.FS

// logBytes is about how far the file's log may grow. It is moved into the file
// beside the writer, so that no receipt waits for that.
const logBytes = 32 << 20

// shelf is the till's file. Safe for concurrent use.
type shelf struct {
	lock  *sqlitefile.Lock // nobody else serves the file
	file  *sqlitefile.File
	steps chan *step
	ended chan struct{}
}

func openShelf(ctx context.Context, path string, log *slog.Logger) (*shelf, error) {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("folder of the till's file: %w", err)
	}
	lock, err := sqlitefile.TakeLock(path + ".lock")
	if err != nil {
		return nil, err
	}
	file, err := sqlitefile.Open(ctx, sqlitefile.Options{Path: path, Migrations: files, Migrate: true, LogBytes: logBytes, Log: log})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open the till's file: %w", err), lock.Release())
	}
	s := &shelf{lock: lock, file: file, steps: make(chan *step, stepsWaiting), ended: make(chan struct{})}
	go s.run()
	return s, nil
}

// close takes no more steps and closes the file. Nobody may use the shelf any
// more.
func (s *shelf) close() error {
	close(s.steps)
	<-s.ended
	return errors.Join(s.file.Close(), s.lock.Release())
}

// row reads one row's JSON into v; NothingThere, about field, if there is none.
func row(tx *sqlitefile.Tx, v any, field, query string, args ...any) error {
	rows, err := tx.Query(query, args...)
	if err != nil {
		return err
	}
	var text []byte
	found := rows.Next()
	if found {
		text = rows.Bytes(0)
	}
	if err := rows.Close(); err != nil {
		return err
	}
	if !found {
		return &fiscal.Error{Reason: fiscal.NothingThere, Field: field}
	}
	return json.Unmarshal(text, v)
}

// rowsOf reads the JSON of each row.
func rowsOf[T any](tx *sqlitefile.Tx, query string, args ...any) (all []T, err error) {
	rows, err := tx.Query(query, args...)
	if err != nil {
		return nil, err
	}
	for rows.Next() {
		var v T
		if err := json.Unmarshal(rows.Bytes(0), &v); err != nil {
			_ = rows.Close()
			return nil, err
		}
		all = append(all, v)
	}
	return all, rows.Close()
}

// put runs a statement whose last parameter is v as JSON.
func put(tx *sqlitefile.Tx, v any, query string, args ...any) error {
	text, err := json.Marshal(v)
	if err != nil {
		return err
	}
	_, err = tx.Exec(query, append(args, string(text))...)
	return err
}

// read is a reading that gives something.
func read[T any](ctx context.Context, s *shelf, do func(*sqlitefile.Tx) (T, error)) (v T, err error) {
	err = s.file.Read(ctx, func(tx *sqlitefile.Tx) error {
		v, err = do(tx)
		return err
	})
	return v, err
}

const (
	stepsWaiting = 256
	stepsAtOnce  = 128
)

// step is a change that a register waits for.
type step struct {
	do   func(*sqlitefile.Tx) error
	done chan error
}

// write makes one change durable. Changes that come while another is under way
// go to the disk together.
func (s *shelf) write(do func(*sqlitefile.Tx) error) error {
	st := &step{do: do, done: make(chan error, 1)}
	s.steps <- st
	return <-st.done
}

// run gathers steps. A step that fails takes the others of its batch back, so
// each is then tried alone.
func (s *shelf) run() {
	defer close(s.ended)
	batch := make([]*step, 0, stepsAtOnce)
	for first := range s.steps {
		batch = append(batch[:0], first)
	more:
		for len(batch) < stepsAtOnce {
			select {
			case st, ok := <-s.steps:
				if !ok {
					break more
				}
				batch = append(batch, st)
			default:
				break more
			}
		}
		err := s.file.Write(context.Background(), func(tx *sqlitefile.Tx) error {
			for _, st := range batch {
				if err := st.do(tx); err != nil {
					return err
				}
			}
			return nil
		})
		for _, st := range batch {
			if err != nil && len(batch) > 1 {
				st.done <- s.file.Write(context.Background(), st.do)
			} else {
				st.done <- err
			}
		}
	}
}
