package kkt_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"openofd/internal/device/kkt"
	"openofd/internal/fiscal"
	wire "openofd/internal/protocol/kkt"
)

func open(t *testing.T, path string) *kkt.FileMemory {
	t.Helper()
	m, err := kkt.OpenFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func load(t *testing.T, m kkt.Memory) kkt.Contents {
	t.Helper()
	c, err := m.Load()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// The file and the one that forgets hold the same after every step, and the
// file after being opened again.
func TestMemories(t *testing.T) {
	path := filepath.Join(t.TempDir(), "drive")
	file, volatile := open(t, path), new(kkt.Volatile)
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 1))
	for i := range 200 {
		have := load(t, volatile)
		s := kkt.Step{State: kkt.State{Drive: number(t, testDrive), Documents: uint32(i), LastAck: &kkt.Taken{Number: uint32(i), Sign: []byte{1, 2}}}}
		s.DropDocuments = min(random.IntN(3), len(have.Documents))
		s.DropNotifications = min(random.IntN(2), len(have.Notifications))
		for range random.IntN(4) {
			c := wire.CodeReceipt
			if random.IntN(3) == 0 {
				c = wire.CodeNotification
			}
			s.Push = append(s.Push, kkt.Job{Code: c, Number: random.Uint32(), Frame: make([]byte, 8000)})
		}
		if err := errors.Join(file.Save(s), volatile.Save(s)); err != nil {
			t.Fatal(err)
		}
		if i%50 == 0 {
			if err := file.Close(); err != nil {
				t.Fatal(err)
			}
			file = open(t, path)
		}
		if got, want := load(t, file), load(t, volatile); !reflect.DeepEqual(got, want) {
			t.Fatalf("step %d: the file holds %+v, want %+v", i, got.State, want.State)
		}
	}
	bad := kkt.Step{DropDocuments: 1 << 20}
	for _, m := range []kkt.Memory{file, volatile} {
		if err := m.Save(bad); !errors.Is(err, fiscal.Corrupt) {
			t.Errorf("%T: Save of a step that drops what is not there = %v, want Corrupt", m, err)
		}
	}
	file.Close()
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("file = %+v, %v, want it its owner's alone", info, err)
	}
}

// moment is everything that is left when the power is cut.
type moment struct {
	what  string
	file  []byte
	known map[uint32][]byte // containers that the operator has by then
	paper int               // documents that buyers hold
}

// recorder stands between drive and memory, and between register and operator,
// and keeps each moment.
type recorder struct {
	t       *testing.T
	path    string
	memory  *kkt.FileMemory
	known   map[uint32][]byte
	paper   int
	lose    bool // every second answer
	counted int
	moments []moment
}

func (r *recorder) keep(what string, file []byte) {
	known := map[uint32][]byte{}
	for n, f := range r.known {
		known[n] = f
	}
	r.moments = append(r.moments, moment{what, file, known, r.paper})
}

func (r *recorder) read() []byte {
	b, err := os.ReadFile(r.path)
	if err != nil {
		r.t.Fatal(err)
	}
	return b
}

func (r *recorder) Load() (kkt.Contents, error) { return r.memory.Load() }
func (r *recorder) Close() error                { return r.memory.Close() }

func (r *recorder) Save(s kkt.Step) error {
	before := r.read()
	err := r.memory.Save(s)
	after := r.read()
	for _, cut := range []int{0, 9, len(after) - len(before) - 1} {
		r.keep(fmt.Sprintf("record cut at %d", cut), after[:len(before)+cut])
	}
	r.keep("record written", after)
	return err
}

// Exchange is the operator: the same number is always the same bytes.
func (r *recorder) Exchange(_ context.Context, message []byte) ([]byte, error) {
	r.keep("before sending", r.read())
	frame := message[wire.HeaderLen:]
	h, err := wire.ParseFrameHeader(frame)
	if err != nil {
		r.t.Fatal(err)
	}
	if first, seen := r.known[h.Number]; seen && !bytes.Equal(first, frame) {
		r.t.Errorf("document %d came again with other bytes", h.Number)
	}
	r.known[h.Number] = bytes.Clone(frame)
	r.keep("before the answer", r.read())
	if r.counted++; r.lose && r.counted%2 == 1 {
		return nil, &kkt.LinkError{Stage: kkt.AtReceive, Err: errors.New("lost")}
	}
	return seal(r.t, sim1(), frame, nil), nil
}

// The power is cut at every moment of a day's work. Whatever a buyer holds on
// paper is in the memory or with the operator, and the day ends with every
// document delivered once, under its own number.
func TestPowerCut(t *testing.T) {
	day := []wire.DocCode{wire.CodeRegistration, wire.CodeOpenShift, wire.CodeReceipt, wire.CodeReceipt, wire.CodeCloseShift}
	r := &recorder{t: t, path: filepath.Join(t.TempDir(), "drive"), known: map[uint32][]byte{}, lose: true}
	r.memory = open(t, r.path)
	c := newClock()
	r.work(c, day)
	r.memory.Close()
	if len(r.moments) < 40 {
		t.Fatalf("%d moments", len(r.moments))
	}
	for i, m := range r.moments {
		after := &recorder{t: t, path: filepath.Join(t.TempDir(), fmt.Sprint(i)), known: m.known, paper: m.paper}
		if err := os.WriteFile(after.path, m.file, 0o600); err != nil {
			t.Fatal(err)
		}
		after.memory = open(t, after.path)
		has := load(t, after.memory).State
		if int(has.Documents) < m.paper {
			t.Fatalf("moment %d (%s): the drive knows %d documents, buyers hold %d", i, m.what, has.Documents, m.paper)
		}
		after.work(c, day[has.Documents:])
		if len(after.known) != len(day) {
			t.Errorf("moment %d (%s): the operator has %d documents, want %d", i, m.what, len(after.known), len(day))
		}
		after.memory.Close()
	}
}

// work makes and delivers.
func (r *recorder) work(c *clock, day []wire.DocCode) {
	d, err := kkt.NewDrive(kkt.DriveConfig{Number: number(r.t, testDrive)}, r, sim1())
	if err != nil {
		r.t.Fatal(err)
	}
	register := kkt.New(kkt.Config{Tries: 2, Pause: time.Microsecond}, d, link{r}, nil, c.now, rand.NewChaCha8([32]byte{}))
	for _, code := range append(day, 0) {
		if code != 0 {
			made, err := register.Make(ready(code))
			if err != nil {
				r.t.Fatal(err)
			}
			r.paper = int(made.Numbers.Number)
		}
		if _, err := register.Deliver(context.Background(), kkt.QueueDocuments); err != nil {
			r.t.Fatal(err)
		}
	}
}

// link gives the recorder's exchange without its memory's Close.
type link struct{ *recorder }

func (link) Close() error { return nil }

// broken is a memory whose disk fails.
type broken struct{ kkt.Volatile }

func (*broken) Save(kkt.Step) error { return errors.New("disk full") }

// A drive whose memory failed makes nothing more: what is durable is not known.
func TestBrokenMemory(t *testing.T) {
	d, err := kkt.NewDrive(kkt.DriveConfig{Number: number(t, testDrive)}, new(broken), sim1())
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if made, err := d.Make(1772442000, ready(wire.CodeRegistration)); !errors.Is(err, fiscal.Unavailable) || made.Sign != 0 {
			t.Errorf("Make = %+v, %v, want Unavailable", made, err)
		}
	}
	if s := d.Standing(); s.Documents != 0 || s.Phase != kkt.PhaseReady {
		t.Errorf("standing = %v", s)
	}
}
