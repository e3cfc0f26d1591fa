package main

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"openofd/internal/authority/fns"
	"openofd/internal/delivery"
	"openofd/internal/follow"
)

// demoFNS is where the demo's documents for Russia's tax service are written.
func demoFNS(dir string) string { return filepath.Join(dir, "fns") }

// forward waits until every document of the two drives stands in the folder for
// the tax service, each once.
func (w *russianWalk) forward() (string, error) {
	for {
		s, err := follow.Stands(w.ctx, w.o.store, delivery.IDOf(fns.Name))
		if err != nil {
			return "", err
		}
		if stuck := s.Stuck(); len(stuck) > 0 {
			return "", fmt.Errorf("not got past entry %d: %s", stuck[0].Failure.Seq, stuck[0].Failure.Why)
		}
		if s.Entries == 0 {
			break
		}
		select {
		case <-w.ctx.Done():
			return "", fmt.Errorf("%d entries are not forwarded: %w", s.Entries, w.ctx.Err())
		case <-time.After(20 * time.Millisecond):
		}
	}
	waiting, err := w.o.store.CountWaiting(w.ctx, fns.Name)
	if err != nil || waiting != 0 {
		return "", fmt.Errorf("%d documents were put aside, %w", waiting, err)
	}
	var acknowledged uint64
	for _, c := range w.counters {
		acknowledged += uint64(c.reg.Standing().Acks)
	}
	written, err := countLines(demoFNS(w.dir))
	if err != nil {
		return "", err
	}
	if written != acknowledged {
		return "", fmt.Errorf("%d documents are written, %d were acknowledged", written, acknowledged)
	}
	return fmt.Sprintf("%d documents, one JSON line each", written), nil
}

// countLines counts the lines of all files in a folder.
func countLines(dir string) (n uint64, err error) {
	err = filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		n += uint64(bytes.Count(text, []byte{'\n'}))
		return err
	})
	return n, err
}
