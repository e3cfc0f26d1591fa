package fiscal

import "strings"

// Kind says what the caller of a failed act can do.
type Kind uint8

// The kinds of errors. The zero kind is our own fault, so that an error nobody
// thought of never passes for the caller's mistake.
const (
	Internal        Kind = iota // our fault; the peer learns nothing more
	Invalid                     // the document breaks a rule; resending cannot help
	Unauthenticated             // unknown register, stale token, no session
	Denied                      // known, but not allowed
	NotFound                    // no such thing, or none this actor may see
	Conflict                    // contradicts what is already stored
	Overloaded                  // we are full; the same request may succeed later
	Unavailable                 // something we depend on is down
	Corrupt                     // stored data fails its own check: stop, call a human
	kindCount
)

var kindNames = [kindCount]string{"internal", "invalid", "unauthenticated", "denied", "not found", "conflict", "overloaded", "unavailable", "corrupt"}

// Error makes a Kind usable as a target of errors.Is.
func (k Kind) Error() string { return k.String() }

// String is the kind in lower case, for logs and metrics.
func (k Kind) String() string {
	if k < kindCount {
		return kindNames[k]
	}
	return "unknown kind"
}

// Kinds lists every kind, for the tables of the doors and their tests.
func Kinds() []Kind {
	all := make([]Kind, kindCount)
	for i := range all {
		all[i] = Kind(i)
	}
	return all
}

// Reason says what is wrong. The set is closed; each reason has one Kind.
type Reason uint8

// The reasons. NoReason is an accepted document, or an error that has only a
// Kind.
const (
	NoReason             Reason = iota
	BadForm                     // the bytes break the protocol's form
	BodyMissing                 // the message that belongs to the command is absent
	UnsupportedVersion          // a protocol version we do not speak
	VersionSwitchedOff          // a protocol version that is no longer allowed
	UnknownCommand              // no such command
	UnsupportedCommand          // a command we do not offer
	UnknownRegister             // no register answers to this number
	StaleToken                  // not the current token
	RequestNumberReused         // the last request's number under another token
	RetryDiffers                // the last request's number and token with another document
	NumberTaken                 // another document is stored under the device's number
	NotAuthentic                // a seal of the message is wrong, or it contradicts itself
	CannotCancel                // nothing that may be canceled
	ShiftTooLong                // the shift is open longer than allowed
	BadValue                    // a value that cannot be right
	MissingParameter            // a mandatory requisite is absent
	NotEnoughCash               // the drawer does not cover a payout
	RegisterBlocked             // blocked by the operator or the authority
	RegisterDeregistered        // taken off the record
	SameTaxpayerAndBuyer        // the buyer is the seller
	BarcodeNotFound             // no such barcode in the catalog
	LaneFull                    // too many exchanges of one register wait
	QueueFull                   // the journal's queue is full
	QueuedTooLong               // the commit waited too long and was withdrawn
	StoreDown                   // the store does not take the commit
	OutcomeUnknown              // the commit may or may not be durable: stay silent
	StateMoved                  // the register's state moved on three times in a row
	BadSignature                // stored data fail their own check
	RateLimited                 // the same peer asks too often
	NothingThere                // no such record
	AlreadyThere                // such a record exists
	NoService                   // the contract under which the register was served is over
	Retired                     // the document was kept for its term and is kept no longer
	reasonCount
)

var reasons = [reasonCount]struct {
	name string
	kind Kind
}{
	NoReason:             {"none", Internal},
	BadForm:              {"bad_form", Invalid},
	BodyMissing:          {"body_missing", Invalid},
	UnsupportedVersion:   {"unsupported_version", Invalid},
	VersionSwitchedOff:   {"version_switched_off", Denied},
	UnknownCommand:       {"unknown_command", Invalid},
	UnsupportedCommand:   {"unsupported_command", Invalid},
	UnknownRegister:      {"unknown_register", Unauthenticated},
	StaleToken:           {"stale_token", Unauthenticated},
	RequestNumberReused:  {"request_number_reused", Conflict},
	RetryDiffers:         {"retry_differs", Conflict},
	NumberTaken:          {"number_taken", Conflict},
	NotAuthentic:         {"not_authentic", Unauthenticated},
	CannotCancel:         {"cannot_cancel", Invalid},
	ShiftTooLong:         {"shift_too_long", Denied},
	BadValue:             {"bad_value", Invalid},
	MissingParameter:     {"missing_parameter", Invalid},
	NotEnoughCash:        {"not_enough_cash", Invalid},
	RegisterBlocked:      {"register_blocked", Denied},
	RegisterDeregistered: {"register_deregistered", Denied},
	SameTaxpayerAndBuyer: {"same_taxpayer_and_buyer", Invalid},
	BarcodeNotFound:      {"barcode_not_found", NotFound},
	LaneFull:             {"lane_full", Overloaded},
	QueueFull:            {"queue_full", Overloaded},
	QueuedTooLong:        {"queued_too_long", Overloaded},
	StoreDown:            {"store_down", Unavailable},
	OutcomeUnknown:       {"outcome_unknown", Unavailable},
	StateMoved:           {"state_moved", Overloaded},
	BadSignature:         {"bad_signature", Corrupt},
	RateLimited:          {"rate_limited", Overloaded},
	NothingThere:         {"nothing_there", NotFound},
	AlreadyThere:         {"already_there", Conflict},
	NoService:            {"no_service", Denied},
	Retired:              {"retired", NotFound},
}

// Kind is the kind of every error with this reason.
func (r Reason) Kind() Kind {
	if r < reasonCount {
		return reasons[r].kind
	}
	return Internal
}

// String is the reason's stable name, for logs, metrics, JSON and locale keys.
func (r Reason) String() string {
	if r < reasonCount {
		return reasons[r].name
	}
	return "unknown_reason"
}

// Error makes a Reason usable as a target of errors.Is.
func (r Reason) Error() string { return strings.ReplaceAll(r.String(), "_", " ") }

// Unwrap lets errors.Is find the Kind behind a Reason.
func (r Reason) Unwrap() error { return r.Kind() }

// MarshalText gives a reason to JSON by its name.
func (r Reason) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// ParseReason reads what String writes; an unknown name is NoReason.
func ParseReason(name string) Reason {
	for r := NoReason; r < reasonCount; r++ {
		if reasons[r].name == name {
			return r
		}
	}
	return NoReason
}

// Reasons lists every reason but NoReason, for the tables of the doors and
// their tests.
func Reasons() []Reason {
	all := make([]Reason, 0, reasonCount-1)
	for r := NoReason + 1; r < reasonCount; r++ {
		all = append(all, r)
	}
	return all
}

// Error is the one error type that crosses package borders.
//
// Msg is for logs and for makers of registers: it names values, never tokens
// or personal data. Words for people come from the door's locale by Reason and
// Field.
type Error struct {
	Reason Reason
	Of     Kind   // read only when Reason is NoReason
	Field  string // what is wrong, in the spelling of the protocol or the form
	Msg    string // why, and what to do next
	Err    error  // cause, if any
}

// Kind is the kind of the reason, or Of.
func (e *Error) Kind() Kind {
	if e.Reason != NoReason {
		return e.Reason.Kind()
	}
	return e.Of
}

func (e *Error) Error() string {
	var b strings.Builder
	if e.Reason != NoReason {
		b.WriteString(e.Reason.Error())
	} else {
		b.WriteString(e.Of.String())
	}
	if e.Field != "" {
		b.WriteString(" (" + e.Field + ")")
	}
	if e.Msg != "" {
		b.WriteString(": " + e.Msg)
	}
	if e.Err != nil {
		b.WriteString(": " + e.Err.Error())
	}
	return b.String()
}

// Unwrap leads errors.Is to the Reason, the Kind and the cause.
func (e *Error) Unwrap() []error {
	var all []error
	if e.Reason != NoReason {
		all = append(all, e.Reason)
	} else {
		all = append(all, e.Of)
	}
	if e.Err != nil {
		all = append(all, e.Err)
	}
	return all
}

// Is lets two Errors of one Reason and Kind match, whatever they say besides.
func (e *Error) Is(target error) bool {
	t, ok := target.(*Error)
	return ok && t.Reason == e.Reason && t.Kind() == e.Kind()
}
