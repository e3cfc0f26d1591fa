package kkt

import (
	"context"
	"encoding/binary"
	"fmt"
	"slices"

	"openofd/internal/fiscal"
	"openofd/internal/protocol/kkt/ffd"
)

// Response is the verdict of an acknowledgement in the formats 1.0 and 1.05
// (requisite 1022). Other values are not documented; a register shows them to
// the cashier.
//
// Source: KKT reference §7.2.
type Response uint8

// The verdicts.
const (
	ResponseAccepted   Response = 0
	ResponseUnreadable Response = 11 // not recognized
	ResponseRules      Response = 14 // the format-and-logic check failed
)

// OperatorMessage is the verdict, and whatever else the operator has to tell,
// in the formats 1.1 and 1.2 (requisite 1206). The register prints it with the
// next shift report.
//
// Source: KKT reference §7.2.
type OperatorMessage uint8

// The messages. The masks 1 and 32 are reserved.
const (
	MessageErrors     OperatorMessage = 2   // the format-and-logic check found errors
	MessageCabinet    OperatorMessage = 4   // see the authority's cabinet; only when the authority says so
	MessageFormat     OperatorMessage = 8   // the format must be updated; only when the authority says so
	MessageInspection OperatorMessage = 16  // the register is in the plan; only when the authority says so
	MessageConnection OperatorMessage = 64  // ask the operator for new connection parameters
	MessageCeases     OperatorMessage = 128 // the operator ceases its activity
)

// Ack is what the operator's acknowledgement (document 7) says of a document.
//
// Source: KKT reference §7.1.
type Ack struct {
	Operator string // INN, 10 or 12 digits
	Drive    DriveNumber
	Number   uint32          // of the document
	Time     fiscal.WallTime // when it was accepted, by the clock of the register's zone
	Version  ffd.Version     // of the document; decides which verdict is sent
	Response Response        // sent in 1.0 and 1.05
	Message  OperatorMessage // sent in 1.1 and 1.2 where it is not 0
	Sign     []byte          // operator's sign, of an acknowledgement that was read
}

// NewAck acknowledges a document, by the numbers of its container, for a
// document may be unreadable. A response other than ResponseAccepted is told in
// the way of the format.
func NewAck(operator string, h FrameHeader, v ffd.Version, at fiscal.WallTime, r Response) Ack {
	a := Ack{Operator: operator, Drive: h.Drive, Number: h.Number, Time: at, Version: v, Response: r}
	if r != ResponseAccepted {
		a.Message = MessageErrors
	}
	return a
}

// Accepted reports whether nothing was found wrong with the document.
func (a *Ack) Accepted() bool {
	return a.Response == ResponseAccepted && a.Message&MessageErrors == 0
}

// tellsByResponse reports which of the two verdicts an acknowledgement has.
func (a *Ack) tellsByResponse() bool { return a.Version <= ffd.V105 }

const (
	innLen     = 12
	maxAckTLVs = 96 // bytes of all requisites but the sign
)

// AppendRequisites appends the requisites in the order in which the module
// signs them, without the sign.
//
// Errors: Invalid.
func (a *Ack) AppendRequisites(b []byte) ([]byte, error) {
	if n := len(a.Operator); n != 10 && n != innLen || !digits([]byte(a.Operator)) {
		return b, badValue("ofdInn", "%q is no INN of 10 or 12 digits", a.Operator)
	}
	if a.Time <= 0 || int64(a.Time) > 1<<32-1 {
		return b, badValue("dateTime", "%d does not fit", a.Time)
	}
	inn := [innLen]byte{10: ' ', 11: ' '}
	copy(inn[:], a.Operator)
	b = AppendRequisite(b, tagOperatorINN, inn[:]...)
	b = AppendRequisite(b, tagDrive, a.Drive[:]...)
	b = appendU32(b, tagNumber, a.Number)
	b = appendU32(b, tagDateTime, uint32(a.Time))
	switch {
	case a.tellsByResponse():
		b = AppendRequisite(b, tagMessageToDrive, byte(tagResponse&0xFF), byte(tagResponse>>8), 1, 0, byte(a.Response))
	case a.Message != 0:
		b = AppendRequisite(b, tagOperatorMessage, byte(a.Message))
	}
	return b, nil
}

func digits(b []byte) bool {
	return !slices.ContainsFunc(b, func(c byte) bool { return c < '0' || c > '9' })
}

// Seal appends to dst the whole message that acknowledges o to the sender of h:
// header, container, signs. It is stored before it is sent, and sent again as
// it is stored.
//
// Errors: Invalid for an acknowledgement that cannot be written, and those of
// the module; dst is then returned as it came.
func (a *Ack) Seal(ctx context.Context, m CryptoModule, dst []byte, h Header, o Opened) ([]byte, error) {
	requisites, err := a.AppendRequisites(make([]byte, 0, maxAckTLVs))
	if err != nil {
		return dst, err
	}
	return appendSealed(dst, h.Answer(), func(b []byte) ([]byte, error) {
		return m.SealAcknowledgement(ctx, b, o, requisites)
	})
}

// SealMarked appends to dst the whole message that answers o on the marking
// channel, of the requisites of document 83 or 84.
//
// Errors: those of the module; dst is then returned as it came.
func SealMarked(ctx context.Context, m CryptoModule, dst []byte, h Header, o Opened, requisites []byte) ([]byte, error) {
	if len(requisites) > o.Frame.Code.Reply().MaxDocument() {
		return dst, badValue("document", "%d bytes of requisites", len(requisites))
	}
	return appendSealed(dst, h.Answer(), func(b []byte) ([]byte, error) {
		return m.SealMarking(ctx, b, o, requisites)
	})
}

// ParseAck reads the document of an acknowledgement, as far as a drive knows
// its requisites; the order is free and others are passed over.
//
// Errors: *SyntaxError, offsets from the start of the document.
func ParseAck(document []byte) (Ack, error) {
	var a Ack
	code, rest, behind, ok := nextRequisite(document)
	if !ok || len(behind) > 0 || code != uint16(CodeAck) {
		return a, unreadable(0, "document", "%d bytes that are no acknowledgement", len(document))
	}
	seen := 0
	for len(rest) > 0 {
		off := len(document) - len(rest)
		tag, value, next, ok := nextRequisite(rest)
		if !ok {
			return a, unreadable(off, "requisite", "%d bytes are left, which hold none", len(rest))
		}
		bit, err := a.take(tag, value, off)
		if err != nil {
			return a, err
		}
		if bit&seen != 0 {
			return a, unreadable(off, fmt.Sprint(tag), "twice")
		}
		seen |= bit
		rest = next
	}
	for i, tag := range ackTags {
		if i < ackNeeds && seen&(1<<i) == 0 {
			return a, unreadable(len(document), fmt.Sprint(tag), "absent")
		}
	}
	a.Version = ffd.V120
	if seen&(1<<ackNeeds) != 0 {
		a.Version = ffd.V105
	}
	return a, nil
}

// ackTags are the requisites of an acknowledgement; the first ackNeeds must be
// there.
var ackTags = [...]uint16{tagOperatorINN, tagDrive, tagNumber, tagDateTime, tagOperatorSign, tagMessageToDrive, tagOperatorMessage}

const ackNeeds = 5

// take reads one requisite and returns its bit, 0 for one that is not known.
func (a *Ack) take(tag uint16, v []byte, off int) (bit int, err error) {
	right := true
	switch tag {
	case tagOperatorINN:
		inn := v
		for len(inn) > 0 && inn[len(inn)-1] == ' ' {
			inn = inn[:len(inn)-1]
		}
		right = len(v) <= innLen && (len(inn) == 10 || len(inn) == innLen) && digits(inn)
		a.Operator = string(inn)
	case tagDrive:
		right = len(v) <= len(a.Drive)
		a.Drive = driveNumber(v)
		right = right && a.Drive.Valid()
	case tagNumber:
		if right = len(v) == 4; right {
			a.Number = binary.LittleEndian.Uint32(v)
		}
	case tagDateTime:
		if right = len(v) == 4; right {
			a.Time = fiscal.WallTime(binary.LittleEndian.Uint32(v))
		}
	case tagOperatorSign:
		right = len(v) >= 16 && len(v) <= operatorSignLen // two sources differ on the prefix
		a.Sign = slices.Clone(v)
	case tagMessageToDrive:
		if inner, code, behind, ok := nextRequisite(v); ok && len(behind) == 0 && inner == tagResponse && len(code) == 1 {
			a.Response = Response(code[0])
		} else {
			right = false
		}
	case tagOperatorMessage:
		if right = len(v) == 1; right {
			a.Message = OperatorMessage(v[0])
		}
	default:
		return 0, nil
	}
	if !right {
		return 0, unreadable(off, fmt.Sprint(tag), "% X", v)
	}
	return 1 << slices.Index(ackTags[:], tag), nil
}
