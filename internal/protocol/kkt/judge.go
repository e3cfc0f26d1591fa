package kkt

import (
	"errors"
	"fmt"
)

// RejectReason is why a drive does not take an answer; with it the drive's
// command fails with error 20 (hex).
//
// Source: KKT reference §3.6.
type RejectReason uint8

// The reasons, by their numbers in drives.
const (
	RejectSign   RejectReason = 1 // a fiscal sign is wrong
	RejectFormat RejectReason = 2 // not the requisites of such a document
	RejectNumber RejectReason = 3 // number of the document, request or notification
	RejectDrive  RejectReason = 4 // number of the drive
	RejectCRC    RejectReason = 5
	RejectLength RejectReason = 7
)

func (r RejectReason) String() string {
	switch r {
	case RejectSign:
		return "fiscal sign"
	case RejectFormat:
		return "format"
	case RejectNumber:
		return "document number"
	case RejectDrive:
		return "drive number"
	case RejectCRC:
		return "CRC"
	case RejectLength:
		return "length"
	}
	return "unknown"
}

// Rejection says that a drive does not take an answer. The document stays in
// its queue and is sent again.
type Rejection struct {
	Reason RejectReason
	Why    string
}

func (e *Rejection) Error() string {
	return fmt.Sprintf("kkt: the drive rejects the answer, reason %d (%v): %s", e.Reason, e.Reason, e.Why)
}

// AnswerSigns checks the signs of answers, as a drive does with its own keys:
// the operator's sign and the confirmation sign of an acknowledgement, the one
// sign of a marking answer.
type AnswerSigns interface {
	CheckAnswer(h FrameHeader, document []byte, sign [8]byte) bool
}

var _ AnswerSigns = (*SIM1)(nil)

// Answered is an answer that a drive has taken. It borrows from the container.
type Answered struct {
	Frame    FrameHeader
	Document []byte
	Ack      Ack // of an acknowledgement
}

// Judge looks at the container of an answer as a drive does that waits for the
// answer to the document sent: length, CRC, format of the container, drive,
// number, kind, requisites, and at last the signs. signs may be nil where there
// are no keys; then the signs are not looked at.
//
// Errors: *Rejection.
// Source: KKT reference §3.6; the order is ours.
func Judge(frame []byte, sent FrameHeader, signs AnswerSigns) (Answered, error) {
	f, err := ParseFrame(frame)
	var syntax *SyntaxError
	if errors.As(err, &syntax) {
		reason := RejectFormat
		switch syntax.Fault {
		case FaultSize, FaultFrameLength:
			reason = RejectLength
		case FaultFrameCRC:
			reason = RejectCRC
		case FaultDriveNumber:
			reason = RejectDrive
		}
		return Answered{}, &Rejection{reason, syntax.Field + ": " + syntax.Why}
	}
	a := Answered{Frame: f.FrameHeader}
	document, sign, err := cutPayload(f.Payload())
	switch {
	case f.Drive != sent.Drive:
		return a, &Rejection{RejectDrive, fmt.Sprintf("%v, sent %v", f.Drive, sent.Drive)}
	case f.Number != sent.Number:
		return a, &Rejection{RejectNumber, fmt.Sprintf("%d, sent %d", f.Number, sent.Number)}
	case f.Code != sent.Code.Reply() || f.Code == 0:
		return a, &Rejection{RejectFormat, fmt.Sprintf("document %d in answer to %d", f.Code, sent.Code)}
	case err != nil:
		return a, &Rejection{RejectLength, "no room for document and sign"}
	case len(document) > tlvHead+f.Code.MaxDocument():
		return a, &Rejection{RejectLength, fmt.Sprintf("%d bytes of document", len(document))}
	}
	a.Document = document
	if err := a.judgeDocument(); err != nil {
		return a, err
	}
	if signs != nil && !signs.CheckAnswer(a.Frame, document, sign) {
		return a, &Rejection{RejectSign, "not made with the drive's keys"}
	}
	return a, nil
}

// judgeDocument looks at what the document says. The numbers of an answer must
// be those of its container.
func (a *Answered) judgeDocument() error {
	o, err := CheckDocument(a.Frame, a.Document)
	var syntax *SyntaxError
	if errors.As(err, &syntax) {
		reason := RejectFormat
		switch {
		case syntax.Fault == FaultNumbers && syntax.Field == "fiscalDriveNumber":
			reason = RejectDrive
		case syntax.Fault == FaultNumbers && syntax.Field == "fiscalDocumentNumber":
			reason = RejectNumber
		}
		return &Rejection{reason, syntax.Error()}
	}
	if a.Frame.Code != CodeAck {
		if o.Number == 0 {
			return &Rejection{RejectFormat, "no number in the document"}
		}
		return nil
	}
	if a.Ack, err = ParseAck(a.Document); err != nil {
		return &Rejection{RejectFormat, err.Error()}
	}
	return nil
}

// CheckReply looks at the operator's own acknowledgement as the drive will that
// waits for it, signs excepted: what does not pass is never sent.
//
// Errors: *SyntaxError for the message, *Rejection for the container.
func CheckReply(request Header, sent FrameHeader, message []byte) error {
	h, err := ParseHeader(message)
	if err != nil {
		return err
	}
	f, err := ParseAnswer(request, h, message[HeaderLen:])
	if err != nil {
		return err
	}
	_, err = Judge(f.Raw, sent, nil)
	return err
}
