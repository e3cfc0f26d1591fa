package kkt

import (
	"encoding/binary"
	"math"
	"time"

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

// Marking is what a register's state tells of a drive's work with marked goods,
// for people to look at.
//
// Source: KKT reference §8.2, §8.3.
type Marking struct {
	Asked  uint32          `json:"last_request,omitempty"`      // highest number of a request that was answered
	Last   uint32          `json:"last_notification,omitempty"` // the highest number that was answered
	Gaps   []Span          `json:"gaps,omitempty"`              // numbers of notifications below it that did not come
	Doubt  uint32          `json:"gaps_unknown,omitempty"`      // below this number gaps are not told
	Heard  fiscal.WallTime `json:"last_heard,omitzero"`         // when a notification last came, by a clock beside the register
	Unsent uint32          `json:"unsent,omitempty"`            // notifications that wait in the drive, as its last report says
	Since  fiscal.WallTime `json:"unsent_since,omitzero"`       // the oldest of them was there at this time already
}

// shown is the state for people, nil where there is nothing to show.
func (m *marking) shown() *Marking {
	if m.blank() {
		return nil
	}
	out := &Marking{Asked: m.asked, Last: m.notices.highest(), Doubt: m.notices.doubt, Heard: m.heard, Unsent: m.unsent, Since: m.since}
	for _, g := range m.notices.gaps() {
		out.Gaps = append(out.Gaps, Span{g.first, g.last})
	}
	return out
}

// Overdue reports whether the drive may no longer sell marked goods at a time by
// the register's clock, because a notification waits for longer than limit.
func (m *Marking) Overdue(at fiscal.WallTime, limit time.Duration) bool {
	return m != nil && m.Unsent > 0 && limit > 0 && at.Sub(m.Since) > limit
}
