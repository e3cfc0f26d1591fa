package fns

import (
	"time"

	"openofd/internal/fiscal"
)

// Format names the version of the messages about applications. Another number
// may mean anything else by the same field; what is only added keeps the number.
// A line of PathDocuments has no version: its schema is older than this.
const Format = "fns/1"

// Where messages go, below the address of the service or of whoever carries them
// to it.
const (
	PathDocuments    = "/fns/v1/documents"    // POST, NDJSON of the folder's lines; answer Taken
	PathApplications = "/fns/v1/applications" // POST Application; answer ApplicationTaken, 422 for what is none
	PathDecisions    = "/fns/v1/decisions"    // GET ?after=&limit=; answer Decisions
)

// Bounds that both ends keep. A message beyond them is answered with 413.
const (
	MaxLines  = 1024    // of a batch
	MaxBatch  = 8 << 20 // bytes of a batch, unpacked, unless one line is longer
	MaxAnswer = 4 << 20 // bytes of an answer
	MaxPage   = 1000    // decisions of a page
)

// The forms of the service by their number in its classifier (КНД): of an
// application for registration or for its change, and for taking a register off.
//
// Source: law 54-FZ article 4.2; the service's order ED-7-20/799.
const (
	FormRegister   = "1110061"
	FormDeregister = "1110062"
)

// The kinds of applications.
const (
	ApplicationRegister   = "register"
	ApplicationChange     = "change"
	ApplicationDeregister = "deregister"
)

// FormOf is the form of a kind of application, "" for no such kind.
func FormOf(kind string) string {
	switch kind {
	case ApplicationRegister, ApplicationChange:
		return FormRegister
	case ApplicationDeregister:
		return FormDeregister
	}
	return ""
}

// Application is a user's signed application about a register.
type Application struct {
	Format             string            `json:"format"` // Format
	ID                 string            `json:"id"`     // "<installation>-<application>"; the same ID gets the same answer
	Form               string            `json:"form"`   // КНД
	Kind               string            `json:"kind"`   // register, change, deregister
	Register           fiscal.RegisterID `json:"register"`
	RegistrationNumber string            `json:"registration_number,omitempty"` // that was given before
	INN                fiscal.XIN        `json:"inn"`
	Drive              string            `json:"drive,omitempty"` // number of the fiscal drive
	SignedAt           time.Time         `json:"signed_at"`
	Content            []byte            `json:"content"`   // exactly what was signed
	Signature          []byte            `json:"signature"` // CMS
	Control            []FieldError      `json:"control"`   // what the operator's format-logical control found
}

// FieldError is one finding of the format-logical control.
type FieldError struct {
	Field  string `json:"field"`
	Reason string `json:"reason"`
}

// ApplicationTaken answers an application.
type ApplicationTaken struct {
	ID     string `json:"id"`     // of the application
	Number string `json:"number"` // what the service calls it
}

// Decision is what became of an application.
type Decision struct {
	ID      string `json:"id"` // of the application
	Number  string `json:"number"`
	Granted bool   `json:"granted"`
	// RegistrationNumber has 16 digits, of which the last six check the others,
	// the INN and the serial number.
	RegistrationNumber string      `json:"registration_number,omitempty"`
	Why                fiscal.Text `json:"why,omitzero"` // of a refusal, in Russian at least
	At                 time.Time   `json:"at"`
}

// Decisions is a page of decisions, in their order.
type Decisions struct {
	Decisions []Decision `json:"decisions"`
	Next      string     `json:"next"` // ask with it as after; "" only while there is none at all
}

// Taken is the answer to a batch of documents. Once it is sent, what was taken
// is safe.
type Taken struct {
	// Batch is the Idempotency-Key of the batch that this answers. An answer to
	// another one is none; a far end that does not name it is believed.
	Batch   string    `json:"batch,omitempty"`
	Taken   int       `json:"taken"`   // that were new
	Again   int       `json:"again"`   // that were there already
	Refused []Refusal `json:"refused"` // that will never be taken as they are
}

// Refusal is a document that was not taken.
type Refusal struct {
	ID  string `json:"id"`
	Why string `json:"why"` // for a person, at most 500 characters are kept
}
