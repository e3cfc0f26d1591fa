package kkm

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"testing"

	"openofd/internal/device/stepfile"
	"openofd/internal/fiscal"
)

// replay lets the steps of a file happen to a new memory.
func replay(b []byte) (m *FileMemory, size int64, err error) {
	m = &FileMemory{}
	size, err = stepfile.Replay(b, maxRecord, m.take)
	return m, size, err
}

// FuzzReplay gives any bytes for a memory: they are replayed or said to be
// corrupt, and what was replayed is replayed again with a step behind it.
func FuzzReplay(f *testing.F) {
	state := State{ID: 305512, Token: 2376246852, Figures: figures{&fiscal.State{Shift: fiscal.Shift{Number: 7, Open: true}}}}
	var whole []byte
	for i := range 2 {
		state.ReqNum++
		var err error
		if whole, err = stepfile.AppendRecord(whole, Step{State: state, Push: []Job{{Command: 1, Payload: []byte{8, 1}, Number: uint64(i + 1)}}}, maxRecord); err != nil {
			f.Fatal(err)
		}
	}
	f.Add(whole)
	f.Add(whole[:len(whole)/2+9])
	body := []byte(`{"State":{"ID":305512,"Figures":null},"Drop":-1,"Push":[{"Command":1}]}`)
	rec := binary.LittleEndian.AppendUint32(nil, uint32(len(body)))
	rec = binary.LittleEndian.AppendUint32(rec, crc32.Checksum(body, crc32.MakeTable(crc32.Castagnoli)))
	f.Add(append(rec, body...))
	f.Fuzz(func(t *testing.T, b []byte) {
		m, size, err := replay(b)
		if err != nil {
			if !errors.Is(err, fiscal.Corrupt) {
				t.Errorf("replay() = %v, want %v", err, fiscal.Corrupt)
			}
			return
		}
		if m.state.Figures.State == nil {
			m.state.Figures.State = new(fiscal.State)
		}
		more, err := stepfile.AppendRecord(bytes.Clone(b[:size]), Step{State: m.state, Drop: len(m.queue)}, maxRecord)
		if err != nil {
			t.Fatal(err)
		}
		if left, got, err := replay(more); err != nil || len(left.queue) != 0 || int(got) != len(more) {
			t.Errorf("with a step behind: %d jobs, %d of %d bytes, %v", len(left.queue), got, len(more), err)
		}
	})
}
