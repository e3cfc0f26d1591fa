package kkt

import (
	"fmt"

	"openofd/internal/fiscal"
)

// DriveCode is the number of a drive's error.
//
// Source: KKT reference §15.
type DriveCode uint8

// The errors of real drives that the simulated one knows.
const (
	DriveWrongState     DriveCode = 0x02 // not in this phase, or not with the shift as it is
	DriveWrongTime      DriveCode = 0x07 // the clock runs behind the last document
	DriveTooLong        DriveCode = 0x10 // more requisites than the document may have
	DriveNotSending     DriveCode = 0x11 // no such message waits for an answer
	DriveWaitsTooLong   DriveCode = 0x15 // the oldest document waits for its answer longer than allowed
	DriveShiftTooLong   DriveCode = 0x16 // the shift is open longer than allowed
	DriveBadRequisite   DriveCode = 0x18 // a requisite is not the drive's own
	DriveAnswerRejected DriveCode = 0x20 // the answer is not one to the document sent

	DriveMarkingForbidden DriveCode = 0x32 // not registered for marked goods
	DriveMarkingOrder     DriveCode = 0x33 // a command about a code that was not checked before
	DriveMarkingBlocked   DriveCode = 0x34 // the oldest notification waits longer than allowed
	DriveMarkingFull      DriveCode = 0x35 // no more codes can be kept
	DriveMissing          DriveCode = 0x3C // a requisite of the drive's own is absent
	DriveCodeNotChecked   DriveCode = 0x3E // a notification of goods whose code was not checked
)

// DriveError says why a drive refuses a command. Nothing has changed then.
type DriveError struct {
	Code DriveCode
	Why  string
	Err  error // a *Rejection behind DriveAnswerRejected
}

func (e *DriveError) Error() string {
	return fmt.Sprintf("drive: error %02X: %s", uint8(e.Code), e.Why)
}

// Unwrap leads to the kind, and to the cause where there is one: Invalid is a
// document that will never do, Denied a drive that does not do it now,
// Unavailable an answer that was none.
func (e *DriveError) Unwrap() []error {
	kind := fiscal.Denied
	switch e.Code {
	case DriveTooLong, DriveBadRequisite, DriveMissing:
		kind = fiscal.Invalid
	case DriveAnswerRejected:
		kind = fiscal.Unavailable
	}
	if e.Err != nil {
		return []error{kind, e.Err}
	}
	return []error{kind}
}

func refuse(code DriveCode, format string, a ...any) *DriveError {
	return &DriveError{Code: code, Why: fmt.Sprintf(format, a...)}
}
