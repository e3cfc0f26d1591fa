package kkm

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"testing"

	"openofd/internal/fiscal"
)

// records are n steps as a file holds them, each pushing a job, and where each
// record ends.
func records(t testing.TB, n int) (b []byte, ends []int) {
	t.Helper()
	state := State{ID: 305512, Token: 2376246852, Figures: figures{&fiscal.State{Shift: fiscal.Shift{Number: 7, Open: true}}}}
	for i := range n {
		state.ReqNum++
		var err error
		if b, err = appendRecord(b, Step{State: state, Push: []Job{{Command: 1, Payload: []byte{8, 1}, Number: uint64(i + 1)}}}); err != nil {
			t.Fatal(err)
		}
		ends = append(ends, len(b))
	}
	return b, ends
}

// TestReplayTorn cuts the file at every length: what stands before the cut
// record counts, and nothing else.
func TestReplayTorn(t *testing.T) {
	t.Parallel()
	b, ends := records(t, 3)
	for cut := range len(b) + 1 {
		want, size := 0, 0
		for _, e := range ends {
			if e <= cut {
				want, size = want+1, e
			}
		}
		for _, tail := range [][]byte{nil, make([]byte, 600)} { // and zeros that a file system may leave
			state, queue, got, err := replay(append(bytes.Clone(b[:cut]), tail...))
			if err != nil || len(queue) != want || int(state.ReqNum) != want || int(got) != size {
				t.Fatalf("cut at %d: %d jobs, REQNUM %d, %d bytes, %v, want %d and %d bytes", cut, len(queue), state.ReqNum, got, err, want, size)
			}
		}
	}
}

// TestReplayDamaged flips every bit before the last record: the memory says so
// rather than losing documents in silence.
func TestReplayDamaged(t *testing.T) {
	t.Parallel()
	b, ends := records(t, 2)
	for at := range ends[0] {
		for bit := range 8 {
			bad := bytes.Clone(b)
			bad[at] ^= 1 << bit
			if _, queue, size, err := replay(bad); !errors.Is(err, fiscal.Corrupt) {
				t.Fatalf("bit %d of byte %d: %d jobs, %d bytes, %v, want %v", bit, at, len(queue), size, err, fiscal.Corrupt)
			}
		}
	}
}

// FuzzReplay gives any bytes for a memory: they are replayed or said to be
// corrupt, and what was replayed is replayed again with a step behind it.
func FuzzReplay(f *testing.F) {
	b, ends := records(f, 2)
	f.Add(b)
	f.Add(b[:ends[0]+9])
	body := []byte(`{"State":{"ID":305512,"Figures":null},"Drop":-1,"Push":[{"Command":1}]}`)
	rec := binary.LittleEndian.AppendUint32(nil, uint32(len(body)))
	rec = binary.LittleEndian.AppendUint32(rec, crc32.Checksum(body, castagnoli()))
	f.Add(append(rec, body...))
	f.Fuzz(func(t *testing.T, b []byte) {
		state, queue, size, err := replay(b)
		if err != nil {
			if !errors.Is(err, fiscal.Corrupt) {
				t.Errorf("replay() = %v, want %v", err, fiscal.Corrupt)
			}
			return
		}
		if size < 0 || int(size) > len(b) {
			t.Fatalf("%d of %d bytes", size, len(b))
		}
		if state.Figures.State == nil {
			state.Figures.State = new(fiscal.State)
		}
		more, err := appendRecord(bytes.Clone(b[:size]), Step{State: state, Drop: len(queue)})
		if err != nil {
			t.Fatal(err)
		}
		if _, left, got, err := replay(more); err != nil || len(left) != 0 || int(got) != len(more) {
			t.Errorf("with a step behind: %d jobs, %d of %d bytes, %v", len(left), got, len(more), err)
		}
	})
}
