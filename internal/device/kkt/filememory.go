package kkt

import (
	"fmt"

	"openofd/internal/device/stepfile"
)

// FileMemory is a Memory in a file of steps, each on the disk before it counts.
type FileMemory struct {
	steps    *stepfile.File[Step]
	contents Contents
}

var _ Memory = (*FileMemory)(nil)

// maxRecord is the size of the largest step in bytes; a queue of 30 days stays
// far below.
const maxRecord = 1 << 30

// OpenFile opens the memory at path and makes it when there is none.
//
// Errors: Corrupt when a record before the last does not check; else of the
// file system.
func OpenFile(path string) (*FileMemory, error) {
	m := &FileMemory{}
	var err error
	if m.steps, err = stepfile.Open(path, maxRecord, m.contents.apply); err != nil {
		return nil, fmt.Errorf("drive memory: %w", err)
	}
	return m, nil
}

// Load implements Memory.
func (m *FileMemory) Load() (Contents, error) { return m.contents.clone(), nil }

// Save implements Memory. It returns after the disk has the step.
func (m *FileMemory) Save(s Step) error {
	next := m.contents
	if err := next.apply(s); err != nil {
		return err
	}
	if err := m.steps.Append(s); err != nil {
		return fmt.Errorf("drive memory: %w", err)
	}
	m.contents = next
	if err := m.steps.Compact(m.contents.whole); err != nil {
		return fmt.Errorf("drive memory: %w", err)
	}
	return nil
}

// Close implements Memory.
func (m *FileMemory) Close() error { return m.steps.Close() }
