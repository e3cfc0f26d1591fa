package kkt

import (
	"time"

	"openofd/internal/fiscal"
)

// Drive is what a register's state tells of one of its fiscal drives, for
// people to look at.
//
// Source: KKT reference §8.2, §8.3, §9.
type Drive struct {
	Number  DriveNumber     `json:"drive"`
	Last    uint32          `json:"last_document"`           // the highest number that came
	Gaps    []Span          `json:"gaps,omitempty"`          // numbers below it that did not come
	Made    fiscal.WallTime `json:"last_made"`               // when the last document was made, by the register's clock
	Heard   fiscal.WallTime `json:"last_heard"`              // when a document last came, by a clock beside the register
	Format  string          `json:"ffd,omitempty"`           // of the last registration
	Unsent  uint32          `json:"unsent,omitempty"`        // documents that wait in the drive, as its last report says
	Since   fiscal.WallTime `json:"unsent_since,omitempty"`  // of the oldest of them
	Closed  bool            `json:"closed,omitempty"`        // its last document came
	Current bool            `json:"current,omitempty"`       // in use
	Known   bool            `json:"registered,omitempty"`    // its registration came
	Offline bool            `json:"works_alone,omitempty"`   // registered to work without an operator
	Doubt   uint32          `json:"gaps_unknown,omitempty"`  // below this number gaps are no longer told
	Taxes   uint8           `json:"tax_systems,omitempty"`   // mask
	Marks   bool            `json:"marked_goods,omitempty"`  // sells marked goods
	INN     string          `json:"inn,omitempty"`           // of the owner, as registered
	Serial  string          `json:"serial_number,omitempty"` // of the register, as registered

	Gapped    fiscal.WallTime `json:"gap_since,omitempty"`             // when a document last came behind a gap, by a clock beside the register
	Reasons   uint32          `json:"changes,omitempty"`               // reasons of the last change of registration: mask of 1205, or 1 << code-1 of 1101
	Software  string          `json:"software,omitempty"`              // version of the register's, as registered
	Corrected int             `json:"corrections_under_way,omitempty"` // receipts taken back and not yet put right
	Marking   *Marking        `json:"marking,omitempty"`               // nil: never heard of marked goods
}

// InUse reports whether documents are to come from the drive: it is the current
// one, not closed, and not registered to work alone.
func (d *Drive) InUse() bool { return d.Current && !d.Closed && !d.Offline && d.Heard != 0 }

// Silent is how long nothing has come from the drive. now is what a right clock
// beside the register shows.
func (d *Drive) Silent(now fiscal.WallTime) time.Duration { return max(now.Sub(d.Heard), 0) }

// Stops is when the drive stops making documents unless the operator answers:
// limit after the oldest document that waits. What waits is not known while
// nothing comes, so this is the earliest moment: documents come in order, and so
// none that waits is older than the last one that came, unless one is missing.
//
// Source: KKT reference §8.2; law 54-FZ article 4.1.
func (d *Drive) Stops(limit time.Duration) fiscal.WallTime {
	oldest := d.Made
	if d.Unsent > 0 && d.Since > 0 && len(d.Gaps) > 0 {
		oldest = min(oldest, d.Since)
	}
	return oldest.Add(limit)
}

// gapWait is how long a document may be missing before it is called so: until
// then it may be on its way. Source: KKT reference §8.3.
const gapWait = 24 * time.Hour

// Missing reports whether documents have not come that should have.
func (d *Drive) Missing(now fiscal.WallTime) bool {
	return len(d.Gaps) > 0 && now.Sub(d.Gapped) > gapWait
}

// Span is a run of document numbers, both ends included.
type Span struct {
	First uint32 `json:"first"`
	Last  uint32 `json:"last"`
}

// ParseDrives reads the drives out of the protocol's part of a register's state,
// in the order in which they came.
//
// Errors: Corrupt.
func ParseDrives(protocol []byte) ([]Drive, error) {
	m, err := parseMemory(protocol)
	if err != nil {
		return nil, err
	}
	all := make([]Drive, 0, len(m.drives))
	for i := range m.drives {
		d := &m.drives[i]
		out := Drive{
			Number: d.number, Last: d.highest(), Made: d.last, Heard: d.heard, Unsent: d.unsent, Since: d.since,
			Closed: d.closed, Current: m.current(d), Offline: d.offline, Doubt: d.doubt,
			Reasons: d.reasons, Software: d.software, Corrected: len(d.reversed),
			Marking: d.marking.shown(),
		}
		for _, g := range d.gaps() {
			out.Gaps = append(out.Gaps, Span{g.first, g.last})
			out.Gapped = d.gapped
		}
		if d.version != 0 {
			out.Format = d.version.String()
		}
		if r := d.registered; r != nil {
			out.Known, out.Taxes, out.Marks, out.INN, out.Serial = true, r.TaxSystems, r.Marks, r.INN, r.Serial
		}
		all = append(all, out)
	}
	return all, nil
}
