package kkt

import (
	"encoding/binary"
	"errors"
	"fmt"
	"reflect"
	"testing"

	"pgregory.net/rapid"

	"openofd/internal/fiscal"
	"openofd/internal/protocol/kkt/ffd"
)

// What a drive's spans say is what a set of all numbers says, however they
// come; and what is stored is read back.
func TestDriveRemembers(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var m memory
		numbers := []DriveNumber{driveNumber("9999078902001234"), driveNumber("1")}
		seen := map[DriveNumber]map[uint32]bool{numbers[0]: {}, numbers[1]: {}}
		for _, step := range rapid.SliceOfN(rapid.Uint32Range(1, 90), 1, 120).Draw(t, "numbers") {
			n := rapid.SampledFrom(numbers).Draw(t, "drive")
			sight, had := m.saw(n, step), seen[n][step]
			if had && sight == unseen || !had && sight == certain {
				t.Fatalf("saw(%v, %d) = %d, had it: %t", n, step, sight, had)
			}
			m.open(n).add(step)
			seen[n][step] = true
			if d := m.drive(n); len(d.seen) > maxSpans {
				t.Fatalf("%d spans", len(d.seen))
			}
		}
		for i := range m.drives {
			d := &m.drives[i]
			for n := d.doubt + 1; n < d.highest(); n++ {
				in := false
				for _, g := range d.gaps() {
					in = in || n >= g.first && n <= g.last
				}
				if in == seen[d.number][n] {
					t.Fatalf("document %d: came %t, in a gap %t; spans %v, gaps %v", n, seen[d.number][n], in, d.seen, d.gaps())
				}
			}
		}
		stored := m.append(nil)
		got, err := parseMemory(stored)
		if err != nil || !reflect.DeepEqual(got, m) {
			t.Fatalf("parseMemory(%x) = %+v, %v\nwant %+v", stored, got, err, m)
		}
	})
}

// A number that comes late, below those that are still told apart, makes no gaps
// of what was forgotten.
func TestLateBelowDoubt(t *testing.T) {
	n := numbers{seen: []span{{200, 210}, {220, 220}}, doubt: 150}
	n.add(5)
	if got, want := n.gaps(), []span{{151, 199}, {211, 219}}; !reflect.DeepEqual(got, want) {
		t.Errorf("gaps behind %d of %v = %v, want %v", n.doubt, n.seen, got, want)
	}
}

// After more drives than are kept, no document of an unknown one passes for
// certainly new.
func TestForgottenDrives(t *testing.T) {
	var m memory
	for i := range maxDrives + 2 {
		n := driveNumber(fmt.Sprintf("%016d", i+1))
		if want := i > maxDrives; (m.saw(n, 5) == doubtful) != want {
			t.Errorf("drive %d: saw = %d, want doubtful %t", i+1, m.saw(n, 5), want)
		}
		m.open(n).add(5)
	}
	if len(m.drives) != maxDrives || m.saw(driveNumber("0000000000000001"), 5) != doubtful {
		t.Errorf("%d drives; the first forgotten: %d, want doubtful", len(m.drives), m.saw(driveNumber("0000000000000001"), 5))
	}
	if d := m.drive(driveNumber(fmt.Sprintf("%016d", maxDrives+2))); m.saw(d.number, 6) != doubtful || m.saw(d.number, 5) != certain {
		t.Errorf("a drive that came after others were forgotten: %+v", d)
	}
}

func TestMemoryStored(t *testing.T) {
	m := memory{forgotten: true, drives: []drive{{
		number: driveNumber("9999078902001234"), numbers: numbers{seen: []span{{1, 4}, {6, 6}, {9, MaxNumber}}, doubt: 7}, last: 1763722200, heard: 1763722201,
		version: ffd.V120, register: 3, shift: true, offline: true, unsent: 1 << 31, since: 1763722100,
		marking:    marking{asked: 12, notices: numbers{seen: []span{{3, 3}, {5, 90}}, doubt: 1}, heard: 1763722202, unsent: 4, since: 1763722203},
		registered: &ffd.Registered{INN: "7704358518", RegistrationNumber: "0000012345055778", Serial: "00106900000001", TaxSystems: 3, Marks: true},
		opened:     5, closing: 4, gapped: 1763722202, reasons: 1<<31 | 1, software: "5.8.100", reversed: []uint32{4115208078, 1},
	}, {number: driveNumber("2"), closed: true}}}
	stored := m.append(nil)
	if got, err := parseMemory(stored); err != nil || !reflect.DeepEqual(got, m) {
		t.Fatalf("parseMemory = %+v, %v\nwant %+v", got, err, m)
	}
	for n := 1; n < len(stored); n++ {
		if _, err := parseMemory(stored[:n]); !errors.Is(err, fiscal.Corrupt) {
			t.Errorf("the first %d bytes: %v, want Corrupt", n, err)
		}
	}
	if _, err := parseMemory(append(stored, 0)); !errors.Is(err, fiscal.Corrupt) {
		t.Errorf("a byte behind: %v, want Corrupt", err)
	}
	if m, err := parseMemory(nil); err != nil || len(m.drives) != 0 {
		t.Errorf("nothing: %+v, %v", m, err)
	}
}

// A row of the first form is read, and holds what it held.
func TestMemoryOfFormat1(t *testing.T) {
	// Drive 2, closed, documents 1 to 4, last of 1763722200, heard a second later.
	number := driveNumber("2")
	stored := append([]byte{1, 0, 1}, number.appendBCD(nil)...)
	stored = append(stored, storedClosed, byte(ffd.V105), 0)
	for _, v := range []uint64{1763722200, 1763722201, 1, 0, 0, 1, 1, 3} {
		stored = binary.AppendUvarint(stored, v)
	}
	want := memory{drives: []drive{{number: driveNumber("2"), closed: true, version: ffd.V105, last: 1763722200, heard: 1763722201, register: 1, numbers: numbers{seen: []span{{1, 4}}}}}}
	if got, err := parseMemory(stored); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("parseMemory(%x) = %+v, %v\nwant %+v", stored, got, err, want)
	}
	stored[11] |= storedMarking // which that form does not have
	if _, err := parseMemory(stored); !errors.Is(err, fiscal.Corrupt) {
		t.Errorf("a flag of form 2 in form 1: %v, want Corrupt", err)
	}
	stored[11] &^= storedMarking
	for _, format := range []byte{0, memoryFormat + 1} {
		stored[0] = format
		if _, err := parseMemory(stored); !errors.Is(err, fiscal.Corrupt) {
			t.Errorf("form %d: %v, want Corrupt", format, err)
		}
	}
}

// No row makes the reader panic, and what it takes is written as what it says.
func FuzzMemory(f *testing.F) {
	m := memory{drives: []drive{{number: driveNumber("1"), numbers: numbers{seen: []span{{2, 3}, {5, 9}}}, registered: &ffd.Registered{INN: "7704358518"}}}}
	f.Add(m.append(nil))
	m.drives[0].marking = marking{asked: 3, notices: numbers{seen: []span{{1, 1}}}}
	f.Add(m.append(nil))
	f.Add([]byte{memoryFormat, 0, 1})
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := parseMemory(b)
		if err != nil {
			return
		}
		if again, err := parseMemory(m.append(nil)); err != nil || !reflect.DeepEqual(again, m) {
			t.Errorf("parseMemory(%x) = %+v; written and read again %+v, %v", b, m, again, err)
		}
	})
}
