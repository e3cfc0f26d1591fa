package kkt

import (
	"encoding/binary"
	"math"

	"openofd/internal/fiscal"
)

// marking is what a state remembers of a drive's work with marked goods. Its
// documents are numbered by themselves: requests (2001) and notifications
// (2002).
//
// Source: KKT reference §8.2, §8.3, §10.3.
type marking struct {
	asked   uint32          // the highest request that was answered
	notices numbers         // notifications that were answered
	heard   fiscal.WallTime // when one last was, by a clock beside the register; 0 never
	unsent  uint32          // notifications that wait in the drive, as its last report says
	since   fiscal.WallTime // the oldest of them was there already at this time by the register's clock, 0 none waits
}

// blank reports whether nothing is known.
func (m *marking) blank() bool {
	return m.asked == 0 && len(m.notices.seen) == 0 && m.notices.doubt == 0 && m.heard == 0 && m.unsent == 0 && m.since == 0
}

// append appends the stored form.
func (m *marking) append(b []byte) []byte {
	for _, v := range [...]uint64{uint64(m.asked), uint64(m.heard), uint64(m.unsent), uint64(m.since), uint64(m.notices.doubt)} {
		b = binary.AppendUvarint(b, v)
	}
	return m.notices.append(b)
}

// marking reads what marking.append wrote.
func (r *memoryReader) marking(m *marking) {
	m.asked = uint32(r.uint(MaxNumber))
	m.heard = fiscal.WallTime(r.uint(math.MaxInt64))
	m.unsent = uint32(r.uint(math.MaxUint32))
	m.since = fiscal.WallTime(r.uint(math.MaxInt64))
	m.notices.doubt = uint32(r.uint(MaxNumber))
	r.numbers(&m.notices)
	r.bad = r.bad || m.blank()
}
