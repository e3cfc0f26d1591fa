package kkt

import (
	"cmp"
	"errors"
	"fmt"
	"sync"
	"time"

	"openofd/internal/fiscal"
	"openofd/internal/fiscal/policy"
	wire "openofd/internal/protocol/kkt"
	"openofd/internal/protocol/kkt/ffd"
)

// Phase is how far a drive has come in its life.
//
// Source: KKT reference §8.1.
type Phase uint8

// The phases.
const (
	PhaseReady  Phase = iota // no registration yet
	PhaseFiscal              // documents are made
	PhaseClosed              // after the closing report: only what waits is sent
)

func (p Phase) String() string {
	switch p {
	case PhaseReady:
		return "ready"
	case PhaseFiscal:
		return "fiscal"
	case PhaseClosed:
		return "closed"
	}
	return "unknown"
}

// Crypto makes a drive's signs and checks the operator's; *wire.SIM1 is one.
type Crypto interface {
	wire.AnswerSigns
	SealDocument(drive wire.DriveNumber, code wire.DocCode, number uint32, requisites []byte, encrypted bool) (wire.Sealed, error)
}

var _ Crypto = (*wire.SIM1)(nil)

// DriveConfig describes a drive. Zero durations stand for the law's.
type DriveConfig struct {
	Number     wire.DriveNumber
	Encrypted  bool          // from the first registration on messages are encrypted
	MaxWait    time.Duration // age of the oldest document without an answer
	MaxMarking time.Duration // age of the oldest notification without an answer
	MaxShift   time.Duration // length of a shift
}

// Drive is a simulated fiscal drive. Safe for concurrent use.
type Drive struct {
	cfg    DriveConfig
	crypto Crypto

	mu       sync.Mutex // guards what follows
	memory   Memory
	contents Contents
	broken   error // of the memory: what is durable is not known, so nothing goes on
}

// NewDrive makes a drive on what its memory holds; a new memory is a drive that
// was never registered.
//
// Errors: Invalid, Corrupt, and of the memory.
func NewDrive(cfg DriveConfig, memory Memory, crypto Crypto) (*Drive, error) {
	if !cfg.Number.Valid() {
		return nil, &fiscal.Error{Reason: fiscal.BadValue, Field: "fiscalDriveNumber", Msg: "the drive has no number"}
	}
	contents, err := memory.Load()
	if err != nil {
		return nil, err
	}
	switch contents.State.Drive {
	case cfg.Number:
	case wire.DriveNumber{}:
		contents.State = State{Drive: cfg.Number, Encrypted: cfg.Encrypted}
	default:
		return nil, &fiscal.Error{Reason: fiscal.BadValue, Field: "fiscalDriveNumber", Msg: fmt.Sprintf("the memory belongs to drive %v, not %v", contents.State.Drive, cfg.Number)}
	}
	return &Drive{cfg: cfg, crypto: crypto, memory: memory, contents: contents}, nil
}

// Made is a document as the drive has made it.
type Made struct {
	Code    wire.DocCode
	Numbers Numbers
	Sign    uint32 // as it is printed; 0 of marking documents
	Bytes   []byte // the document, TLV
}

// Make makes a document, or a notification of a sale of marked goods, and keeps
// it until it is answered. at is what the register's clock shows.
//
// Errors: *DriveError, of the document, and of the memory.
func (d *Drive) Make(at fiscal.WallTime, doc Document) (Made, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.broken != nil {
		return Made{}, d.broken
	}
	step := Step{State: d.contents.State}
	made, err := d.add(&step, at, doc)
	if err != nil {
		return Made{}, err
	}
	if m, ok := doc.(Marked); ok {
		notice, err := d.add(&step, at, m.Notice(made.Numbers))
		if err == nil {
			err = sound(made, notice.Bytes)
		}
		if err != nil {
			return Made{}, err
		}
	}
	if err := d.save(step); err != nil {
		return Made{}, err
	}
	return made, nil
}

// add makes a document as part of a step. The caller holds mu.
func (d *Drive) add(step *Step, at fiscal.WallTime, doc Document) (Made, error) {
	next, n, err := d.admit(step.State, at, doc.Code())
	if err != nil {
		return Made{}, err
	}
	sealed, err := d.seal(doc, n, next.Encrypted)
	if err != nil {
		return Made{}, err
	}
	if parsed, err := ffd.Parse(sealed.Document, 0); err == nil { // what cannot be read says nothing
		next.count(parsed)
		if err := d.mark(&next, at, parsed); err != nil {
			return Made{}, err
		}
	}
	job := Job{Code: doc.Code(), Number: n.Number, Made: at, Sign: sealed.Sign, Frame: sealed.Frame}
	step.State, step.Push = next, append(step.Push, job)
	return Made{Code: job.Code, Numbers: n, Sign: sealed.Sign, Bytes: sealed.Document}, nil
}

// Ask makes a request about a marking code (document 81). Nothing waits for its
// answer: a register that gets none sells without. frame is the container to be
// sent, and Answer takes what comes back.
//
// Errors: as Make.
func (d *Drive) Ask(at fiscal.WallTime, doc Document) (made Made, frame []byte, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.broken != nil {
		return Made{}, nil, d.broken
	}
	if doc.Code() != wire.CodeMarkingRequest {
		return Made{}, nil, refuse(DriveWrongState, "a %v is no request", doc.Code())
	}
	next, n, err := d.admit(d.contents.State, at, doc.Code())
	if err != nil {
		return Made{}, nil, err
	}
	sealed, err := d.seal(doc, n, false)
	if err != nil {
		return Made{}, nil, err
	}
	if parsed, err := ffd.Parse(sealed.Document, 0); err == nil {
		if err := d.mark(&next, at, parsed); err != nil {
			return Made{}, nil, err
		}
	}
	if err := d.save(Step{State: next}); err != nil {
		return Made{}, nil, err
	}
	return Made{Code: doc.Code(), Numbers: n, Bytes: sealed.Document}, sealed.Frame, nil
}

// admit judges whether a document may be made now, and says what it makes of
// the state s and which numbers it gets. The caller holds mu.
func (d *Drive) admit(s State, at fiscal.WallTime, code wire.DocCode) (State, Numbers, error) {
	if err := d.ready(at, code); err != nil {
		return s, Numbers{}, err
	}
	n := Numbers{Drive: s.Drive, Time: at, Notification: uint32(len(d.contents.Notifications)), BadCodes: s.BadCodes, BadRequests: s.BadRequests}
	if waiting := d.contents.Documents; len(waiting) > 0 {
		n.Unsent, n.FirstUnsent, n.UnsentSince = uint32(len(waiting)), waiting[0].Number, waiting[0].Made
	}
	switch code {
	case wire.CodeMarkingRequest:
		s.Requests++
		n.Number, n.Shift = s.Requests, s.Shift.Number
		return s, n, nil
	case wire.CodeNotification:
		s.Notifications++
		n.Number, n.Shift = s.Notifications, s.Shift.Number
		return s, n, nil
	case wire.CodeRegistration, wire.CodeReregistration:
		s.Phase = PhaseFiscal
	case wire.CodeOpenShift:
		s.Shift = Shift{Open: true, Number: s.Shift.Number + 1, Opened: at}
	case wire.CodeCloseDrive:
		s.Phase = PhaseClosed
	}
	s.Documents++
	s.Time = at
	if s.Shift.Open {
		s.Shift.Documents++
	}
	if code.Receipt() {
		s.Shift.Receipts++
		n.Receipt = s.Shift.Receipts
	}
	n.Number, n.Shift = s.Documents, s.Shift.Number
	n.ShiftReceipts, n.ShiftDocuments = s.Shift.Receipts, s.Shift.Documents
	n.ShiftCounters, n.Counters = s.Shift.Counters, s.Counters
	if code == wire.CodeCloseShift {
		s.Shift.Open = false
	}
	return s, n, nil
}

// ready refuses what the drive does not do now.
//
// Source: KKT reference §8.1, §8.2, §8.4.
func (d *Drive) ready(at fiscal.WallTime, code wire.DocCode) error {
	s, law := &d.contents.State, policy.For(fiscal.Russia)
	waits := len(d.contents.Documents) > 0
	if at <= 0 || at < s.Time {
		return refuse(DriveWrongTime, "the clock shows %v, the last document is of %v", at, s.Time)
	}
	first := code == wire.CodeRegistration || code == wire.CodeReregistration
	switch {
	case code.Reply() == 0:
		return refuse(DriveWrongState, "a drive makes no %v", code)
	case s.Phase == PhaseClosed:
		return refuse(DriveWrongState, "the drive is closed")
	case (s.Phase == PhaseReady) != first && code != wire.CodeReregistration:
		return refuse(DriveWrongState, "a %v in the phase %v", code, s.Phase)
	}
	if waits {
		if age, most := at.Sub(d.contents.Documents[0].Made), cmp.Or(d.cfg.MaxWait, law.Offline(at)); age > most {
			return refuse(DriveWaitsTooLong, "document %d waits for %v, %v are allowed", d.contents.Documents[0].Number, age, most)
		}
	}
	switch {
	case code == wire.CodeMarkingRequest || code == wire.CodeNotification:
		return d.marking(s, at)
	case code == wire.CodeReregistration && waits:
		return refuse(DriveWrongState, "%d documents have not been answered", len(d.contents.Documents))
	case first, code == wire.CodeOpenShift, code == wire.CodeCloseDrive:
		if s.Shift.Open {
			return refuse(DriveWrongState, "shift %d is open", s.Shift.Number)
		}
	case code == wire.CodeCloseShift:
		if !s.Shift.Open {
			return refuse(DriveWrongState, "no shift is open")
		}
	case code.Receipt():
		most := cmp.Or(d.cfg.MaxShift, law.Shift(at))
		if !s.Shift.Open {
			return refuse(DriveWrongState, "no shift is open")
		}
		if age := at.Sub(s.Shift.Opened); age > most {
			return refuse(DriveShiftTooLong, "shift %d is open for %v, %v are allowed", s.Shift.Number, age, most)
		}
	}
	return nil
}

// signLen is the size of a document's fiscal sign with tag and length.
const signLen = 10

// seal asks the document for its requisites and signs them, when they say of
// drive, number and time what is so.
func (d *Drive) seal(doc Document, n Numbers, encrypted bool) (wire.Sealed, error) {
	code := doc.Code()
	requisites, err := doc.AppendRequisites(nil, n)
	if err != nil {
		return wire.Sealed{}, err
	}
	if size := len(requisites) + signLen; size > code.MaxDocument() {
		return wire.Sealed{}, refuse(DriveTooLong, "%d bytes with the sign, a %v has at most %d", size, code, code.MaxDocument())
	}
	sealed, err := d.crypto.SealDocument(n.Drive, code, n.Number, requisites, encrypted)
	if err != nil {
		return wire.Sealed{}, &DriveError{Code: DriveBadRequisite, Why: err.Error(), Err: err}
	}
	o, err := wire.CheckDocument(wire.FrameHeader{Code: code, Drive: n.Drive, Number: n.Number}, sealed.Document)
	var syntax *wire.SyntaxError
	switch {
	case errors.As(err, &syntax):
		return wire.Sealed{}, refuse(DriveBadRequisite, "%s: %s", syntax.Field, syntax.Why)
	case o.Number == 0 || o.Drive == (wire.DriveNumber{}) || o.Time == 0 && code != wire.CodeMarkingRequest:
		return wire.Sealed{}, refuse(DriveMissing, "number, drive or time of the document is absent")
	case o.Time != 0 && o.Time != n.Time:
		return wire.Sealed{}, refuse(DriveBadRequisite, "dateTime: %v, the clock shows %v", o.Time, n.Time)
	}
	return sealed, nil
}

// save makes one step durable and then takes it over. The caller holds mu.
func (d *Drive) save(s Step) error {
	if err := d.memory.Save(s); err != nil {
		d.broken = &fiscal.Error{Of: fiscal.Unavailable, Field: "memory", Msg: "open the drive anew", Err: err}
		return d.broken
	}
	return d.contents.apply(s)
}

// Close gives the memory up; what is durable stays.
func (d *Drive) Close() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.memory.Close()
}
