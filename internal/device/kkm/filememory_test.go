package kkm_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"openofd/internal/device/kkm"
	"openofd/internal/fiscal"
)

// fill opens a memory at path and saves n steps, each pushing one job.
func fill(t *testing.T, path string, n int) *kkm.FileMemory {
	t.Helper()
	m, err := kkm.OpenFile(path)
	if err != nil {
		t.Fatal(err)
	}
	state, _, err := m.Load()
	if err != nil {
		t.Fatal(err)
	}
	state.ID, state.Token = 305512, 2376246852
	state.Figures.State = &fiscal.State{Shift: fiscal.Shift{Number: 7, Open: true}}
	for i := range n {
		state.ReqNum++
		if err := m.Save(kkm.Step{State: state, Push: []kkm.Job{{Command: 1, Payload: []byte{8, 1, byte(i)}, Number: uint64(i + 1), Offline: true}}}); err != nil {
			t.Fatal(err)
		}
	}
	return m
}

func load(t *testing.T, path string) (kkm.State, []kkm.Job) {
	t.Helper()
	m, err := kkm.OpenFile(path)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	s, q, err := m.Load()
	if err != nil {
		t.Fatal(err)
	}
	return s, q
}

// same compares states by what is stored of them.
func same(t *testing.T, a, b kkm.State) bool {
	t.Helper()
	x, err := json.Marshal(a)
	if err != nil {
		t.Fatal(err)
	}
	y, err := json.Marshal(b)
	if err != nil {
		t.Fatal(err)
	}
	return bytes.Equal(x, y)
}

// TestFileMemoryKeeps shows that a memory opened anew has what was saved, and
// that nobody but its owner can read it.
func TestFileMemoryKeeps(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "register")
	m := fill(t, path, 5)
	state, queue, _ := m.Load()
	if err := m.Save(kkm.Step{State: state, Drop: 2}); err != nil {
		t.Fatal(err)
	}
	if err := m.Save(kkm.Step{State: state, Drop: 4}); !errors.Is(err, fiscal.Corrupt) {
		t.Errorf("Save(drop 4 of 3) = %v, want %v", err, fiscal.Corrupt)
	}
	m.Close()
	gotState, gotQueue := load(t, path)
	if !same(t, gotState, state) || !reflect.DeepEqual(gotQueue, queue[2:]) {
		t.Errorf("loaded\n%+v %+v\nwant\n%+v %+v", gotState, gotQueue, state, queue[2:])
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v, want 0600", info.Mode(), err)
	}
}

// TestCompaction shows that the file stays small, that a compaction loses
// nothing, and that a stopped one leaves no trace.
func TestCompaction(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "register")
	m := fill(t, path, 40)
	state, queue, _ := m.Load()
	largest := int64(0)
	for range 4000 {
		state.ReqNum++
		if err := m.Save(kkm.Step{State: state}); err != nil {
			t.Fatal(err)
		}
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		largest = max(largest, info.Size())
	}
	m.Close()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if largest > 2<<20 || info.Size() == largest {
		t.Errorf("the file grew to %d bytes and is %d now, want it to be compacted at 1 MiB", largest, info.Size())
	}
	if err := os.WriteFile(path+".new", []byte("half a compaction"), 0o600); err != nil {
		t.Fatal(err)
	}
	gotState, gotQueue := load(t, path)
	if !same(t, gotState, state) || !reflect.DeepEqual(gotQueue, queue) {
		t.Errorf("after the compaction\n%+v %d jobs\nwant\n%+v %d jobs", gotState, len(gotQueue), state, len(queue))
	}
	if _, err := os.Stat(path + ".new"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the stopped compaction is still there: %v", err)
	}
}

// BenchmarkSave is one durable step.
func BenchmarkSave(b *testing.B) {
	m, err := kkm.OpenFile(filepath.Join(b.TempDir(), "register"))
	if err != nil {
		b.Fatal(err)
	}
	defer m.Close()
	state, _, _ := m.Load()
	state.Figures.State = new(fiscal.State)
	for i := 0; b.Loop(); i++ {
		if err := m.Save(kkm.Step{State: state, Push: []kkm.Job{{Payload: make([]byte, 530)}}, Drop: min(i, 1)}); err != nil {
			b.Fatal(fmt.Errorf("step %d: %w", i, err))
		}
	}
}
