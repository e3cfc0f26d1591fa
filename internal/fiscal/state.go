package fiscal

import (
	"slices"
	"time"
)

// Status is whether a register may work.
type Status uint8

// The states of a register. Deregistered is final; its data stay.
const (
	StatusActive Status = iota
	StatusBlocked
	StatusDeregistered
)

func (s Status) String() string {
	switch s {
	case StatusActive:
		return "active"
	case StatusBlocked:
		return "blocked"
	case StatusDeregistered:
		return "deregistered"
	}
	return "unknown"
}

// MarshalText gives a status to JSON by its name.
func (s Status) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// Block is why a register is blocked and what its screen shows.
type Block struct {
	Text    string // shown and printed by the device, never blank while blocked
	Since   time.Time
	Version uint64 // grows with each block, so that devices take the new text
}

// Shift is the open shift, or the last closed one.
type Shift struct {
	Number    uint32   `json:"number"` // 0: none yet
	Open      bool     `json:"open"`
	OpenedAt  WallTime `json:"opened_at"` // the first document's own time
	ClosedAt  WallTime `json:"closed_at,omitempty"`
	Documents uint32   `json:"documents"` // receipts and cash moves, canceled ones too
	// OpenedOnline is our clock's reading when an online document opened the
	// shift; it guards the shift's length against a turned-back device clock.
	// Zero when a replay opened it.
	OpenedOnline time.Time `json:"-"`
}

// State is what the exchanges made of a register. It is one small row: it
// points to the last answer and the last Z report and does not hold them.
type State struct {
	Version     uint64 // of the row; a commit is durable only on the version it was judged on
	CardVersion uint32
	Status      Status
	Block       Block
	LastNumber  Number   // of the register's entries
	LastHash    [32]byte // the register's chain ends here
	LastTime    WallTime // device time of the last document
	LastKind    DocumentKind
	LastZ       Number // entry of the last Z report, 0 none
	Shift       Shift
	Counters    Counters
	// Protocol is read by the register's protocol package only: token and retry
	// slot, or drives and document numbers seen.
	Protocol []byte
}

// Clone is a copy that shares nothing, to be made the next state.
func (s *State) Clone() *State {
	n := *s
	n.Counters = s.Counters.Clone()
	n.Protocol = slices.Clone(s.Protocol)
	return &n
}

// Making is what the state machine needs to know of the making of any document.
type Making struct {
	Time     WallTime  // the device's own
	Received time.Time // ours
	Offline  bool      // made in autonomous mode
	Shift    uint32    // the number the device states, 0 none
	Own      bool      // the device numbers its shifts itself and is always believed, as a fiscal drive is
}

// OpenShift opens a shift for the first document after a close, if none is
// open, and says what is odd about the number that the device states.
//
// Numbers are consecutive since registration. A device that states a larger
// number than expected is believed (gap); a smaller one is not, unless
// the numbers are the device's own. Then another number also ends the open
// shift, whose close has not come.
// Source: KKM reference §6.2; KKT reference §8.3.
func (s *State) OpenShift(m Making) Flags {
	var f Flags
	if s.Shift.Open {
		switch {
		case m.Shift == 0 || m.Shift == s.Shift.Number:
			return 0
		case !m.Own:
			return FlagShiftNumber
		}
		s.Counters.CloseShift()
		f = FlagShiftNumber
	}
	number := s.Shift.Number + 1
	switch {
	case m.Shift == 0 || m.Shift == number:
	case m.Shift > number:
		number, f = m.Shift, f|FlagShiftGap
	case m.Own:
		number, f = m.Shift, f|FlagShiftNumber
	default:
		f |= FlagShiftNumber
	}
	s.Shift = Shift{Number: number, Open: true, OpenedAt: m.Time}
	if !m.Offline {
		s.Shift.OpenedOnline = m.Received
	}
	s.Counters.OpenShift()
	return f
}

// ExpectedShift reports whether the device's shift number fits the state.
func (s *State) ExpectedShift(stated uint32) bool {
	if stated == 0 {
		return true
	}
	if s.Shift.Open {
		return stated == s.Shift.Number
	}
	return stated == s.Shift.Number+1
}

// ShiftTooLong reports whether a document made at t and received at now stands
// later in the open shift than limit allows.
func (s *State) ShiftTooLong(t WallTime, now time.Time, limit time.Duration) bool {
	if s.BehindShift(t, limit) {
		return true
	}
	return s.Shift.Open && !s.Shift.OpenedOnline.IsZero() && now.Sub(s.Shift.OpenedOnline) > limit
}

// BehindShift reports whether a document made at t stands later in the open shift
// than limit allows, by the register's own clock alone: what was made without a
// link comes when the link is back, which says nothing of the shift.
func (s *State) BehindShift(t WallTime, limit time.Duration) bool {
	return s.Shift.Open && t.Sub(s.Shift.OpenedAt) > limit
}

// Covers reports whether the drawer covers a payout of the operation.
func (s *State) Covers(op Op, cash Money) bool {
	return op.Inflow() >= 0 || s.Counters.Cash >= cash
}

// AddReceipt counts a receipt and opens a shift for it if none is open.
func (s *State) AddReceipt(r *Receipt, m Making) Flags {
	f := s.OpenShift(m)
	if s.Counters.Receipt(r, m.Offline, 1) {
		f |= FlagCountersFull
	}
	return f | s.added(DocReceipt, m)
}

// AddMove counts cash put in or taken out and opens a shift for it if none is
// open.
func (s *State) AddMove(op Op, sum Money, m Making) Flags {
	f := s.OpenShift(m)
	s.Counters.Move(op, sum, m.Offline)
	return f | s.added(DocCashMove, m)
}

// AddOpening notes a report that opens a shift. One that is open ends with it:
// its close has not come.
func (s *State) AddOpening(m Making) Flags {
	var f Flags
	if s.Shift.Open {
		s.Shift.Open = false
		s.Counters.CloseShift()
		f = FlagShiftNumber
	}
	f |= s.OpenShift(m)
	if s.LastTime != 0 && m.Time < s.LastTime {
		f |= FlagClockBackwards
	}
	s.LastTime, s.LastKind = m.Time, DocShiftOpen
	return f
}

// CancelReceipt takes back what AddReceipt did. A shift that the receipt
// opened stays open, and the shift's document numbers go on.
func (s *State) CancelReceipt(r *Receipt, offline bool) {
	s.Counters.Receipt(r, offline, -1)
	s.LastKind = DocCancel
}

func (s *State) added(k DocumentKind, m Making) (f Flags) {
	if s.LastTime != 0 && m.Time < s.LastTime {
		f |= FlagClockBackwards
	}
	s.LastTime, s.LastKind = m.Time, k
	s.Shift.Documents++
	if s.Counters.Cash < 0 {
		f |= FlagCashNegative
	}
	return f
}

// CloseShift closes the shift at m.Time and returns its Z report, taken before
// the shift's counters are cleared. Without an open shift it makes an empty
// one, opened and closed at once: refusing would block an autonomous queue for
// good. Source: KKM reference §5.4.
func (s *State) CloseShift(m Making) (Report, Flags) {
	var f Flags
	if !s.Shift.Open {
		f = s.OpenShift(m) | FlagShiftEmpty
	} else {
		f = s.OpenShift(m)
	}
	if m.Time < s.LastTime {
		f |= FlagShiftCloseEarly
	}
	s.Shift.Open, s.Shift.ClosedAt = false, m.Time
	z := Report{Kind: ReportZ, Time: m.Time, Shift: s.Shift, Counters: s.Counters.Clone()}
	s.Counters.CloseShift()
	s.LastTime, s.LastKind = max(m.Time, s.LastTime), DocShiftClose
	return z, f
}

// ReportKind is X (running) or Z (of a closed shift).
type ReportKind uint8

// The kinds of reports.
const (
	ReportX ReportKind = iota + 1
	ReportZ
)

func (k ReportKind) String() string {
	if k == ReportZ {
		return "z"
	}
	return "x"
}

// MarshalText gives the kind to JSON by its name.
func (k ReportKind) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// Report is an X or Z report: the counters at a moment.
type Report struct {
	Kind     ReportKind `json:"kind"`
	Time     WallTime   `json:"time"`
	Shift    Shift      `json:"shift"`
	Counters Counters   `json:"counters"`
}

// X is the running report at t. Without an open shift it is empty, with the
// number the next shift will have. Source: KKM reference §5.5.
func (s *State) X(t WallTime) Report {
	r := Report{Kind: ReportX, Time: t, Shift: s.Shift, Counters: s.Counters.Clone()}
	if !s.Shift.Open {
		r.Shift = Shift{Number: s.Shift.Number + 1, OpenedAt: t}
	}
	return r
}
