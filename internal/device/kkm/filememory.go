package kkm

import (
	"fmt"
	"slices"

	"openofd/internal/device/stepfile"
)

// FileMemory is a Memory in a file of steps, each on the disk before it counts.
// The file holds the token: it is readable by its owner alone.
type FileMemory struct {
	steps *stepfile.File[Step]
	state State
	queue []Job
}

var _ Memory = (*FileMemory)(nil)

// maxRecord is the size of the largest step in bytes; a queue of 72 hours stays
// far below.
const maxRecord = 64 << 20

// OpenFile opens the memory at path and makes it when there is none.
//
// Errors: Corrupt when a record before the last does not check; else of the
// file system.
func OpenFile(path string) (*FileMemory, error) {
	m := &FileMemory{}
	var err error
	if m.steps, err = stepfile.Open(path, maxRecord, m.take); err != nil {
		return nil, fmt.Errorf("register memory: %w", err)
	}
	return m, nil
}

// take lets a step of the file happen.
func (m *FileMemory) take(s Step) (err error) {
	if m.queue, err = s.apply(m.queue); err == nil {
		m.state = s.State
	}
	return err
}

// Load implements Memory.
func (m *FileMemory) Load() (State, []Job, error) {
	return m.state.clone(), slices.Clone(m.queue), nil
}

// Save implements Memory. It returns after the disk has the step.
func (m *FileMemory) Save(s Step) error {
	queue, err := s.apply(m.queue)
	if err != nil {
		return err
	}
	if err := m.steps.Append(s); err != nil {
		return fmt.Errorf("register memory: %w", err)
	}
	m.state, m.queue = s.State.clone(), queue
	if err := m.steps.Compact(func() Step { return Step{State: m.state, Push: m.queue} }); err != nil {
		return fmt.Errorf("register memory: %w", err)
	}
	return nil
}

// Close implements Memory.
func (m *FileMemory) Close() error { return m.steps.Close() }
