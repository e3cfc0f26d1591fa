package kkt

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"

	"openofd/internal/fiscal"
	"openofd/internal/protocol/kkt/ffd"
)

// Direction says which way a message goes.
type Direction string

// The directions. A message whose document cannot be told has none.
const (
	DirectionUnknown Direction = ""
	DirectionRequest Direction = "request"
	DirectionAnswer  Direction = "answer"
)

// Severity says what a finding costs.
type Severity string

// The severities.
const (
	SeverityError   Severity = "error"   // the message or the answer is not taken
	SeverityWarning Severity = "warning" // it is taken, but not as its maker may think
)

// Explanation is a message in readable form with everything that is wrong with
// header, container and the requisites that the exchange knows; the document
// comes with its own explanation, by the rules of its format that need no
// registration data. Signs are not checked: that takes keys.
type Explanation struct {
	Direction Direction      `json:"direction,omitempty"`
	Service   string         `json:"service,omitempty"`
	Header    *HeaderFields  `json:"header,omitempty"`    // nil where there is none
	Container *FrameFields   `json:"container,omitempty"` // nil where there is none
	Payload   *PayloadFields `json:"payload,omitempty"`   // nil where there is none, or it is encrypted
	Findings  []Finding      `json:"findings"`

	Document   *ffd.Explanation `json:"document,omitempty"`   // its offsets count from DocumentAt
	DocumentAt int              `json:"documentAt,omitempty"` // byte of the message at which the document begins
}

// OK reports whether header and container are in order: no finding is an
// error. What the format's rules find stands in Document.
func (e *Explanation) OK() bool {
	for _, f := range e.Findings {
		if f.Severity == SeverityError {
			return false
		}
	}
	return true
}

// HeaderFields are the fields of a header; bytes are hex as they stand there.
type HeaderFields struct {
	Signature string `json:"signature"`
	SVersion  string `json:"S-version"`
	PVersion  string `json:"P-version"`
	Drive     string `json:"drive"`
	Size      uint16 `json:"size"`
	Flags     string `json:"flags"` // a number in hex
	CRC       string `json:"CRC"`   // a number in hex
}

// FrameFields are the fields of a container's header.
type FrameFields struct {
	Length   uint16 `json:"length"`
	CRC      string `json:"CRC"` // a number in hex
	Type     string `json:"type"`
	Code     uint8  `json:"code"`
	Document string `json:"document"` // the code in words
	Version  uint8  `json:"version"`
	Extra1   string `json:"extra1"`
	Drive    string `json:"drive"`
	Number   uint32 `json:"number"`
	Extra2   string `json:"extra2"`
}

// PayloadFields are what can be told of an unencrypted payload.
type PayloadFields struct {
	Code       uint16          `json:"code"`
	Length     int             `json:"length"` // of the requisites in bytes, as announced
	Drive      string          `json:"fiscalDriveNumber,omitempty"`
	Number     uint32          `json:"number,omitempty"` // 1040; 2001 or 2002 of marking documents
	Time       fiscal.WallTime `json:"dateTime,omitempty"`
	Format     string          `json:"format,omitempty"` // FFD, as the document says
	Sign       string          `json:"sign"`             // of the message
	SignNumber uint64          `json:"messageFiscalSign"`
	Ack        *AckFields      `json:"operatorAck,omitempty"`
}

// AckFields are what an acknowledgement says beside that.
type AckFields struct {
	Operator string           `json:"ofdInn"`
	Response *Response        `json:"ofdResponseCode,omitempty"`
	Message  *OperatorMessage `json:"operatorMessage,omitempty"`
	Sign     string           `json:"operatorSign"`
}

// Finding is one byte, or the place where one is missing, that breaks a rule.
type Finding struct {
	Severity Severity       `json:"severity"`
	Offset   int            `json:"offset"`          // in the message, from 0
	Field    string         `json:"field,omitempty"` // as the reference calls it
	Rule     string         `json:"rule"`            // where the reference says so
	Why      string         `json:"why"`             // in English
	Key      string         `json:"key"`             // names the sentence, to word it elsewhere
	Args     map[string]any `json:"args,omitempty"`  // what stands in the sentence
}

// The sources that findings name.
const (
	ruleHeader    = "KKT reference §2.1"
	rulePVersion  = "KKT reference §2.2"
	ruleFlags     = "KKT reference §2.3"
	ruleCRC       = "KKT reference §2.4"
	ruleEmpty     = "KKT reference §2.7"
	ruleErrors    = "KKT reference §2.8"
	ruleServices  = "KKT reference §2.9"
	ruleContainer = "KKT reference §3.1"
	rulePayload   = "KKT reference §3.2"
	ruleTLV       = "KKT reference §4.1"
	ruleLengths   = "KKT reference §4.4"
	ruleDocuments = "KKT reference §5"
	ruleAck       = "KKT reference §7.1"
	ruleMarking   = "KKT reference §10.3"
)

// Explain makes a message readable and says which byte breaks which rule. A
// container without a header is told by its type. It takes any input.
func Explain(message []byte) Explanation {
	x := &inspector{message: message}
	x.Findings = []Finding{}
	frame := message
	if !bareFrame(message) {
		var more bool
		if frame, more = x.header(); !more {
			return x.Explanation
		}
	}
	x.frame(frame, len(message)-len(x.behind)-len(frame))
	return x.Explanation
}

// bareFrame reports whether b is a container without the header in front.
func bareFrame(b []byte) bool {
	if len(b) < FrameHeaderLen || b[4] != FrameType {
		return false
	}
	service, signed := serviceOf(b)
	return service == ServiceUnknown && !signed
}

func headerFields(b []byte, h Header) *HeaderFields {
	return &HeaderFields{
		Signature: fmt.Sprintf("% X", b[:4]), SVersion: fmt.Sprintf("% X", b[4:6]), PVersion: h.Version.String(),
		Drive: printable(b[8:24]), Size: h.Size, Flags: fmt.Sprintf("0x%04X", uint16(h.Flags)), CRC: fmt.Sprintf("0x%04X", h.CRC),
	}
}

// printable is a drive's number as it stands in a header, in hex where it is
// none.
func printable(b []byte) string {
	if d := driveNumber(b); d.Valid() {
		return d.String()
	}
	return fmt.Sprintf("% X", b)
}

func frameFields(b []byte, f FrameHeader) *FrameFields {
	drive := f.Drive.String()
	if !f.Drive.Valid() {
		drive = fmt.Sprintf("% X", b[9:17])
	}
	return &FrameFields{
		Length: f.Length, CRC: fmt.Sprintf("0x%04X", f.CRC), Type: fmt.Sprintf("%02X", b[4]),
		Code: uint8(f.Code), Document: f.Code.String(), Version: f.Version, Extra1: hex.EncodeToString(f.Extra1[:]),
		Drive: drive, Number: f.Number, Extra2: hex.EncodeToString(f.Extra2[:]),
	}
}

func payloadFields(document []byte, sign [8]byte, o Outline) *PayloadFields {
	p := &PayloadFields{
		Code: o.Code, Length: int(binary.LittleEndian.Uint16(document[2:])), Number: o.Number, Time: o.Time,
		Sign: hex.EncodeToString(sign[:]), SignNumber: binary.BigEndian.Uint64(sign[:]),
	}
	if o.Drive != (DriveNumber{}) {
		p.Drive = printable(o.Drive[:])
	}
	if o.Version != 0 {
		p.Format = o.Version.String()
	}
	return p
}

func ackFields(a Ack) *AckFields {
	f := &AckFields{Operator: a.Operator, Sign: hex.EncodeToString(a.Sign)}
	if a.tellsByResponse() {
		f.Response = &a.Response
	}
	if a.Message != 0 {
		f.Message = &a.Message
	}
	return f
}
