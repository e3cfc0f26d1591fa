package registry

import (
	"encoding/json"
	"fmt"
	"time"

	"openofd/internal/fiscal"
	"openofd/internal/fiscal/policy"
	"openofd/internal/signature"
)

// ApplicationID numbers applications, from 1.
type ApplicationID int64

// ApplicationKind is what is asked of the authority.
type ApplicationKind string

// The kinds. Source: order 135 item 7.
const (
	Enrol   ApplicationKind = "register"
	Reenrol ApplicationKind = "change"
	Remove  ApplicationKind = "deregister"
)

// ApplicationKinds lists them.
func ApplicationKinds() []ApplicationKind { return []ApplicationKind{Enrol, Reenrol, Remove} }

// ApplicationStatus is where an application has got to. A draft goes to Sent by
// its signature or to Withdrawn, from there to Waiting, and to Granted or
// Refused by a decision; the last three are final.
//
// Source: requirements P-052, E-077 to E-081.
type ApplicationStatus string

// The states.
const (
	Draft     ApplicationStatus = "draft"
	Sent      ApplicationStatus = "sent"       // signed, and on its way
	Waiting   ApplicationStatus = "waiting"    // the authority has it
	Granted   ApplicationStatus = "registered" // what was asked for was done
	Refused   ApplicationStatus = "refused"
	Withdrawn ApplicationStatus = "withdrawn" // a draft that was given up
)

// ApplicationStatuses lists them.
func ApplicationStatuses() []ApplicationStatus {
	return []ApplicationStatus{Draft, Sent, Waiting, Granted, Refused, Withdrawn}
}

// Final reports whether nothing more can become of an application.
func (s ApplicationStatus) Final() bool { return s == Granted || s == Refused || s == Withdrawn }

// Application is a paper by which a taxpayer asks the authority to put a
// register on the record, to change what is there, or to take it off. Once it
// is signed, what it says never changes, and neither does a decision.
//
// Times are UTC, in microseconds; zero is not yet.
//
// Source: order 135 items 7 to 11.
type Application struct {
	ID       ApplicationID     `json:"id"`
	Taxpayer fiscal.TaxpayerID `json:"taxpayer"`
	Register fiscal.RegisterID `json:"register"`
	Country  fiscal.Country    `json:"country"`
	Kind     ApplicationKind   `json:"kind"`
	Status   ApplicationStatus `json:"status"`
	Version  uint64            `json:"version"` // of the row: a change stands on the one it was made from
	Form     ApplicationForm   `json:"form"`

	Created   time.Time `json:"created"`
	Changed   time.Time `json:"changed"`
	SignedAt  time.Time `json:"signed_at,omitzero"`
	SentAt    time.Time `json:"sent_at,omitzero"`    // when it was first handed to the authority
	TakenAt   time.Time `json:"taken_at,omitzero"`   // when the authority confirmed that it has it
	DecidedAt time.Time `json:"decided_at,omitzero"` // by the authority
	AppliedAt time.Time `json:"applied_at,omitzero"` // when a grant had changed the register
	By        string    `json:"by"`                  // address of who drafted it
	SignedBy  string    `json:"signed_by,omitempty"` // address of who signed it

	Number             string      `json:"number,omitempty"` // what the authority calls it
	RegistrationNumber string      `json:"registration_number,omitempty"`
	Why                fiscal.Text `json:"why,omitzero"` // the authority's words with a refusal

	// What carrying it came to.
	Tries     int       `json:"tries,omitempty"`
	LastError string    `json:"last_error,omitempty"`
	NextTry   time.Time `json:"next_try,omitzero"` // zero: nothing is to be done

	Paper // empty while nobody has signed
}

// Paper is what was signed, with all that proves it. It is kept once and never
// changes.
type Paper struct {
	Method  string           `json:"method,omitempty"` // of the signature
	Owner   *signature.Owner `json:"owner,omitempty"`
	Verdict *Verdict         `json:"verdict,omitempty"`
	// Control is what the format and logic control found at the moment of signing;
	// it goes to the authority as well. Source: order 135 item 9.
	Control   []FieldError `json:"control,omitempty"`
	Content   []byte       `json:"-"` // the bytes that were signed
	Signature []byte       `json:"-"` // the file, as it came
}

// Open reports whether no other application of the register may begin: it is
// not decided, or its decision has not reached the register.
func (a *Application) Open() bool {
	return !a.Status.Final() || a.Status == Granted && a.AppliedAt.IsZero()
}

// FieldError is one finding of the control.
type FieldError struct {
	Field  string        `json:"field"` // of the form, as JSON spells it
	Reason fiscal.Reason `json:"reason"`
	Detail string        `json:"detail,omitempty"` // a stable word that says more: "check_digit"
	// Only is a finding that does not keep anybody from signing: the authority is
	// told and may look closer.
	Only bool `json:"only,omitempty"`
}

// Error makes a finding an error of its form's field.
func (e *FieldError) Error() string {
	return fmt.Sprintf("%s: %s %s", e.Field, e.Reason, e.Detail)
}

// UnmarshalJSON reads a stored finding.
func (e *FieldError) UnmarshalJSON(b []byte) error {
	var in struct {
		Field, Reason, Detail string
		Only                  bool
	}
	err := json.Unmarshal(b, &in)
	*e = FieldError{Field: in.Field, Reason: fiscal.ParseReason(in.Reason), Detail: in.Detail, Only: in.Only}
	return err
}

// FieldErrors are findings that keep an application from being signed.
type FieldErrors []FieldError

// Error names the first.
func (all FieldErrors) Error() string {
	if len(all) == 0 {
		return "no findings"
	}
	return all[0].Error()
}

// ApplicationForm is what a person fills in. The empty value of a field is that
// it was not told.
//
// Source: requirements E-050 to E-073, P-061 to P-066, P-102.
type ApplicationForm struct {
	XIN            fiscal.XIN  `json:"xin"`
	Title          fiscal.Text `json:"title"`
	LegalAddress   fiscal.Text `json:"legal_address"`
	OKED           string      `json:"oked,omitempty"`
	VATPercent     uint32      `json:"vat_percent,omitempty"` // thousandths of a percent
	VATCertificate string      `json:"vat_certificate,omitempty"`

	Outlet        fiscal.OutletID `json:"outlet"` // one of the taxpayer's
	OutletTitle   fiscal.Text     `json:"outlet_title"`
	OutletAddress fiscal.Text     `json:"outlet_address"`
	Where         Address         `json:"where,omitzero"`

	Name               string            `json:"name"`
	Model              string            `json:"model"`
	SerialNumber       string            `json:"serial_number"`
	ManufactureYear    int               `json:"manufacture_year,omitempty"`
	RegistrationNumber string            `json:"registration_number,omitempty"` // that the authority gave before
	Drive              string            `json:"drive,omitempty"`
	Format             string            `json:"ffd,omitempty"`
	Modes              []string          `json:"modes,omitempty"`
	Parts              []fiscal.Part     `json:"parts,omitempty"`
	Connection         fiscal.Connection `json:"connection,omitempty"`
	SIM                string            `json:"sim,omitempty"`

	Reasons []ApplicationReason `json:"reasons,omitempty"` // of a change or a removal
	Note    string              `json:"note,omitempty"`    // the same in words
}

// ApplicationReason is why the record is to be changed or a register taken off.
type ApplicationReason string

// The reasons of a change, then those of a removal.
// Source: form КНД 1110061 of Russia; requirement F-042.
const (
	ForAddress   ApplicationReason = "address" // of the place, or another outlet
	ForName      ApplicationReason = "name"    // of the taxpayer
	ForDrive     ApplicationReason = "drive"   // another fiscal drive or format
	ForDevice    ApplicationReason = "device"  // model, serial number, parts
	ForMode      ApplicationReason = "mode"    // how it works, how it is connected
	ForOther     ApplicationReason = "other"
	ForClosing   ApplicationReason = "closing"   // the register is needed no more
	ForTransfer  ApplicationReason = "transfer"  // to another owner
	ForTheft     ApplicationReason = "theft"     //
	ForLoss      ApplicationReason = "loss"      //
	ForBreakdown ApplicationReason = "breakdown" // beyond repair
	ForOperator  ApplicationReason = "operator"  // another operator serves it from now on
)

// ReasonsOf lists the reasons that fit a kind; none for Enrol.
func ReasonsOf(k ApplicationKind) []ApplicationReason {
	switch k {
	case Reenrol:
		return []ApplicationReason{ForAddress, ForName, ForDrive, ForDevice, ForMode, ForOther}
	case Remove:
		return []ApplicationReason{ForClosing, ForTransfer, ForTheft, ForLoss, ForBreakdown, ForOperator, ForOther}
	}
	return nil
}

// ApplicationEvent is one thing that became of an application. Events are
// appended and never change.
type ApplicationEvent struct {
	Number int               `json:"number"` // within the application, from 1
	At     time.Time         `json:"at"`
	What   Happening         `json:"event"`
	By     string            `json:"by,omitempty"` // a person's address, or the authority's name
	Detail string            `json:"detail,omitempty"`
	Status ApplicationStatus `json:"status"` // that it led to
}

// Happening is the kind of an event.
type Happening string

// What may happen.
const (
	WasDrafted   Happening = "drafted"
	WasSigned    Happening = "signed"
	WasTaken     Happening = "taken"    // the authority has it
	WasDelayed   Happening = "delayed"  // it could not be handed over, and will be tried again
	WasRejected  Happening = "rejected" // the authority would not even take it
	WasGranted   Happening = "granted"
	WasRefused   Happening = "refused"
	WasApplied   Happening = "applied" // the register has what was granted
	WasStuck     Happening = "stuck"   // what was granted cannot be written down: a person must look
	WasWithdrawn Happening = "withdrawn"
	WasRepeated  Happening = "repeated" // a new draft was made of it
	WasHurried   Happening = "hurried"  // a person had it tried again at once
)

// Happenings lists them.
func Happenings() []Happening {
	return []Happening{WasDrafted, WasSigned, WasTaken, WasDelayed, WasRejected, WasGranted, WasRefused, WasApplied, WasStuck, WasWithdrawn, WasRepeated, WasHurried}
}

// ApplicationQuery asks for some of an organization's applications, the newest
// first.
type ApplicationQuery struct {
	Kind     ApplicationKind
	Status   ApplicationStatus
	Register fiscal.RegisterID
	Outlet   fiscal.OutletID
	Text     string           // in a name, a number, a serial number, a model
	Order    ApplicationOrder // "" Newest
	After    string           // where the page before ended
	Limit    int
}

// ApplicationPage is a page of a list.
type ApplicationPage struct {
	Applications []Application
	Next         string // where the next page begins; "" this is the last
}

// Overdue reports whether the authority should have decided by now.
//
// Source: requirement E-079.
func (a *Application) Overdue(now time.Time) bool {
	return (a.Status == Sent || a.Status == Waiting) && now.Sub(a.SignedAt) > DecisionTerm(a.Country, a.SignedAt)
}

// DecisionTerm is how long a country's authority may take to decide on what was
// signed at an instant.
func DecisionTerm(c fiscal.Country, signed time.Time) time.Duration {
	return policy.For(c).Decision(fiscal.WallIn(signed, (&fiscal.Card{Zone: ZoneOf(c)}).Location()))
}
