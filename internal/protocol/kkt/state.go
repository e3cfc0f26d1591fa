package kkt

import (
	"encoding/binary"
	"math"
	"slices"

	"openofd/internal/fiscal"
	"openofd/internal/protocol/kkt/ffd"
)

// memory is the part of a register's state that only this package reads: its
// fiscal drives, in the order in which they came; the last one is in use.
//
// Source: KKT reference §7.3, §8.3, §9.
type memory struct {
	drives    []drive
	forgotten bool // there were more drives than are kept
}

// drive is what is known of one drive.
type drive struct {
	number  DriveNumber
	numbers // of its documents
	last    fiscal.WallTime
	heard   fiscal.WallTime // when the last document came, by a clock beside the register
	version ffd.Version     // of the last registration, 0 none

	registered *ffd.Registered // nil: no registration came
	register   uint32          // number of that document
	shift      bool            // a document of a shift came
	closed     bool            // its last document came
	offline    bool            // registered to work without an operator

	unsent uint32          // documents that wait in it, as its last report says
	since  fiscal.WallTime // of the oldest of them, 0 not told

	opened   uint32          // number of the report that opened the drive's last shift, 0 not known
	closing  uint32          // number of its last closing report, 0 none
	gapped   fiscal.WallTime // when a document last came behind a gap, by a clock beside the register
	reasons  uint32          // of the last change of registration: mask of tag 1205, or 1 << code-1 of tag 1101
	software string          // version of the register's software, as registered
	reversed []uint32        // signs of receipts that were taken back and not yet put right, the oldest first

	marking marking
}

// Bounds of a state: a drive lives for one to three years and has no gaps as a
// rule.
const (
	maxDrives = 24
	maxSpans  = 32
	maxText   = 20 // bytes of a registration's numbers; the longest is a serial number
	// maxReversed is how many corrections may be under way at once: a receipt that
	// was taken back is put right at once as a rule.
	maxReversed = 16
)

// sight is whether a document has come before.
type sight uint8

const (
	unseen sight = iota
	doubtful
	certain
)

// drive is the one with this number, nil if none of its documents came.
func (m *memory) drive(n DriveNumber) *drive {
	for i := range m.drives {
		if m.drives[i].number == n {
			return &m.drives[i]
		}
	}
	return nil
}

// current reports whether d is the drive in use.
func (m *memory) current(d *drive) bool { return d == &m.drives[len(m.drives)-1] }

// saw tells whether a document of a drive has come.
func (m *memory) saw(n DriveNumber, number uint32) sight {
	d := m.drive(n)
	if d == nil {
		if m.forgotten {
			return doubtful
		}
		return unseen
	}
	return d.saw(number)
}

// open is the drive with this number, made if it is new.
func (m *memory) open(n DriveNumber) *drive {
	if d := m.drive(n); d != nil {
		return d
	}
	fresh := drive{number: n}
	if m.forgotten {
		fresh.doubt, fresh.marking.asked, fresh.marking.notices.doubt = MaxNumber, MaxNumber, MaxNumber
	}
	if len(m.drives) == maxDrives {
		m.drives, m.forgotten = slices.Delete(m.drives, 0, 1), true
	}
	m.drives = append(m.drives, fresh)
	return &m.drives[len(m.drives)-1]
}

// take keeps a registration's data, unless a later one came or they are longer
// than such data can be.
func (d *drive) take(r *ffd.Registered, v ffd.Version, number uint32) {
	if number < d.register || len(r.INN) > maxText || len(r.RegistrationNumber) > maxText || len(r.Serial) > maxText {
		return
	}
	d.registered, d.version, d.register = r, v, number
}

// memoryFormat is the form that append writes; all since 1 can be read.
//
//	2 adds of each drive: its shift's reports, gap, registration's reasons and
//	  software, receipts taken back, and what is known of marked goods
const memoryFormat = 2

// The flags of a stored drive.
const (
	storedShift = 1 << iota
	storedClosed
	storedOffline
	storedRegistered
	storedMarks
	storedMachine
	storedMarking // not before format 2
	storedEnd
)

// append appends the stored form: format byte, whether drives were forgotten,
// how many there are; then of each its number as in a container, flags, and the
// other fields in order as varints, spans as gap and length.
func (m *memory) append(b []byte) []byte {
	b = append(b, memoryFormat, flag(m.forgotten), byte(len(m.drives)))
	for i := range m.drives {
		b = m.drives[i].append(b)
	}
	return b
}

func flag(v bool) byte {
	if v {
		return 1
	}
	return 0
}

func (d *drive) append(b []byte) []byte {
	b = d.number.appendBCD(b)
	flags := byte(0)
	set := func(v bool, bit byte) {
		if v {
			flags |= bit
		}
	}
	set(d.shift, storedShift)
	set(d.closed, storedClosed)
	set(d.offline, storedOffline)
	r := d.registered
	if r != nil {
		set(true, storedRegistered)
		set(r.Marks, storedMarks)
		set(r.Machine, storedMachine)
	}
	set(!d.marking.blank(), storedMarking)
	b = append(b, flags, byte(d.version))
	for _, v := range [...]uint64{uint64(d.doubt), uint64(d.last), uint64(d.heard), uint64(d.register), uint64(d.unsent), uint64(d.since)} {
		b = binary.AppendUvarint(b, v)
	}
	b = d.numbers.append(b)
	if r != nil {
		b = append(b, r.TaxSystems)
		for _, s := range [...]string{r.INN, r.RegistrationNumber, r.Serial} {
			b = append(append(b, byte(len(s))), s...)
		}
	}
	for _, v := range [...]uint64{uint64(d.opened), uint64(d.closing), uint64(d.gapped), uint64(d.reasons), uint64(len(d.reversed))} {
		b = binary.AppendUvarint(b, v)
	}
	for _, sign := range d.reversed {
		b = binary.LittleEndian.AppendUint32(b, sign)
	}
	b = append(append(b, byte(len(d.software))), d.software...)
	if !d.marking.blank() {
		b = d.marking.append(b)
	}
	return b
}

// parseMemory reads what append wrote. Nothing at all is a register of which no
// document came; anything else that does not fit is Corrupt.
func parseMemory(b []byte) (memory, error) {
	var m memory
	if len(b) == 0 {
		return m, nil
	}
	r := memoryReader{b: b}
	format := r.byte()
	r.bad = r.bad || format < 1 || format > memoryFormat
	m.forgotten = r.byte() != 0
	n := int(r.byte())
	if n > maxDrives {
		r.bad = true
	}
	for i := 0; i < n && !r.bad; i++ {
		m.drives = append(m.drives, r.drive(format))
	}
	if r.bad || len(r.b) > 0 {
		return memory{}, &fiscal.Error{Of: fiscal.Corrupt, Field: "state.protocol", Msg: "unknown layout"}
	}
	return m, nil
}

// memoryReader reads fields from the front of b; after the first that cannot be
// read everything is zero and bad is set.
type memoryReader struct {
	b   []byte
	bad bool
}

func (r *memoryReader) take(n int) []byte {
	if n > len(r.b) || r.bad {
		r.bad = true
		return make([]byte, n)
	}
	v := r.b[:n]
	r.b = r.b[n:]
	return v
}

func (r *memoryReader) byte() byte { return r.take(1)[0] }

func (r *memoryReader) uint(most uint64) uint64 {
	v, n := binary.Uvarint(r.b)
	if n <= 0 || v > most || r.bad {
		r.bad = true
		return 0
	}
	r.b = r.b[n:]
	return v
}

func (r *memoryReader) text() string {
	n := int(r.byte())
	if n > maxText {
		r.bad = true
		return ""
	}
	return string(r.take(n))
}

func (r *memoryReader) drive(format byte) drive {
	var d drive
	var digits bool
	d.number, digits = parseBCD(r.take(bcdLen))
	flags := r.byte()
	d.version = ffd.Version(r.byte())
	r.bad = r.bad || !digits || flags >= storedEnd || format < 2 && flags >= storedMarking || d.version != 0 && !d.version.Known()
	d.shift, d.closed, d.offline = flags&storedShift != 0, flags&storedClosed != 0, flags&storedOffline != 0
	d.doubt = uint32(r.uint(MaxNumber))
	d.last = fiscal.WallTime(r.uint(math.MaxInt64))
	d.heard = fiscal.WallTime(r.uint(math.MaxInt64))
	d.register = uint32(r.uint(MaxNumber))
	d.unsent = uint32(r.uint(math.MaxUint32))
	d.since = fiscal.WallTime(r.uint(math.MaxInt64))
	r.numbers(&d.numbers)
	if flags&storedRegistered != 0 {
		d.registered = &ffd.Registered{TaxSystems: r.byte(), Marks: flags&storedMarks != 0, Machine: flags&storedMachine != 0}
		d.registered.INN, d.registered.RegistrationNumber, d.registered.Serial = r.text(), r.text(), r.text()
	}
	if format < 2 {
		return d
	}
	d.opened, d.closing = uint32(r.uint(MaxNumber)), uint32(r.uint(MaxNumber))
	d.gapped = fiscal.WallTime(r.uint(math.MaxInt64))
	d.reasons = uint32(r.uint(math.MaxUint32))
	for n := r.uint(maxReversed); n > 0 && !r.bad; n-- {
		d.reversed = append(d.reversed, binary.LittleEndian.Uint32(r.take(4)))
	}
	d.software = r.text()
	if flags&storedMarking != 0 {
		r.marking(&d.marking)
	}
	return d
}
