package kkt

import (
	"openofd/internal/fiscal"
	"openofd/internal/protocol/kkt/ffd"
)

// Founding is what a registration report says of a register that may not be
// known yet.
type Founding struct {
	INN                string
	RegistrationNumber string
	Serial             string
	Drive              string
}

// Founding reads a request as a registration report by which its drive may be
// recognized; ok is false for anything else. Nothing is left to doubt: the report
// is authentic, names the operator and no autonomous mode, breaks no rule, and
// its numbers check each other.
func (q *Request) Founding(operator string) (f Founding, ok bool) {
	if q.Err != nil || q.Sign == SignWrong || q.parse(0) != nil {
		return f, false
	}
	doc := &q.doc
	if !doc.Form.Registers() || ffd.PlainINN(doc.Text(ffd.TagOFDINN)) != operator || doc.Uint(ffd.TagOffline) == 1 {
		return f, false
	}
	if verdict := doc.Check(ffd.Circumstances{}); verdict.Code() != uint8(ResponseAccepted) {
		return f, false
	}
	r := doc.Registered()
	f = Founding{INN: r.INN, RegistrationNumber: r.RegistrationNumber, Serial: r.Serial, Drive: q.Frame.Drive.String()}
	return f, fiscal.ValidINN(r.INN) && fiscal.ValidRussianNumber(r.RegistrationNumber, r.INN, r.Serial)
}
