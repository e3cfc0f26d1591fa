package delivery

import (
	"context"
	"time"

	"openofd/internal/fiscal"
	"openofd/internal/registry"
)

// Registrar is where applications go and decisions come from: an authority's
// record of registers.
//
// Source: order 135 items 9, 10.
type Registrar interface {
	// Name is short and stable: it names the cursor, metrics and events.
	Name() string
	// Submit hands over an application and returns the number by which the
	// authority knows it. The same Submission.ID may come again, and takes effect
	// once.
	//
	// Errors: *Rejected for what will never be taken; anything else is tried again.
	Submit(ctx context.Context, s Submission) (number string, err error)
	// Decisions are those behind a place, in their order, and the next place; ""
	// is the beginning. A decision may come twice.
	Decisions(ctx context.Context, after string, limit int) (ds []Decision, next string, err error)
}

// Submission is an application on its way.
type Submission struct {
	ID                 string // "<installation>-<application>": the same for ever
	Country            fiscal.Country
	Kind               registry.ApplicationKind
	XIN                fiscal.XIN
	Register           fiscal.RegisterID
	RegistrationNumber string // that the authority gave before; "" none
	Drive              string // number of the fiscal drive; "" none
	Content            []byte // the bytes that were signed
	Signature          []byte // CMS, as it came
	Control            []registry.FieldError
	SignedAt           time.Time
}

// Decision is an authority's word on an application.
type Decision struct {
	ID                 string // of the submission
	Number             string // of the application, at the authority
	Granted            bool
	RegistrationNumber string      // given with a grant
	Why                fiscal.Text // with a refusal
	At                 time.Time
}

// Rejected is why the authority does not take an application at all: it is none
// in its eyes, and sending it again cannot help.
type Rejected struct{ Why fiscal.Text }

func (r *Rejected) Error() string { return "not taken: " + r.Why.In("en") }
