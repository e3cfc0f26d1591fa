package kkt

import (
	"errors"
	"fmt"

	"openofd/internal/fiscal"
)

// Fault is the rule of the exchange that a message breaks.
type Fault uint8

// The faults, in the order in which a message is looked at.
const (
	FaultNone         Fault = iota
	FaultTruncated          // fewer bytes than the header or what it announces
	FaultSignature          // no signature of ours: another protocol
	FaultService            // a service that is not offered here
	FaultVersion            // a P-version that is not taken
	FaultFlags              // a forbidden combination of flags
	FaultDriveNumber        // no digits where the drive's number stands
	FaultChecksum           // the CRC of the header, or of header and body
	FaultSize               // too small for a container, larger than allowed, or something that is no container
	FaultFrameLength        // the container's length is not the body's
	FaultFrameCRC           // the container's CRC
	FaultFrameType          // not A5
	FaultFrameVersion       // a container header that is not of 32 bytes
	FaultDrives             // header and container name two drives
	FaultCode               // a document that does not go this way
	FaultSealed             // the crypto module cannot open it, or a sign is wrong
	FaultNumbers            // the opened document names another drive or number than its container
	FaultUnreadable         // an authentic document that is no list of requisites, or of another kind than its container
	FaultConflict           // another document under a number that is taken
	faultCount
)

var faults = [faultCount]struct {
	name     string
	reaction Reaction
}{
	FaultNone:         {"none", ReactNothing},
	FaultTruncated:    {"truncated", ReactClose},
	FaultSignature:    {"signature", ReactClose},
	FaultService:      {"service", ReactClose},
	FaultVersion:      {"version", ReactClose},
	FaultFlags:        {"flags", ReactClose},
	FaultDriveNumber:  {"drive_number", ReactClose},
	FaultChecksum:     {"checksum", ReactClose},
	FaultSize:         {"size", ReactClose},
	FaultFrameLength:  {"frame_length", ReactClose},
	FaultFrameCRC:     {"frame_crc", ReactClose},
	FaultFrameType:    {"frame_type", ReactClose},
	FaultFrameVersion: {"frame_version", ReactClose},
	FaultDrives:       {"drives", ReactIncident},
	FaultCode:         {"code", ReactClose},
	FaultSealed:       {"sealed", ReactQuarantine},
	FaultNumbers:      {"numbers", ReactIncident},
	FaultUnreadable:   {"unreadable", ReactRefuse},
	FaultConflict:     {"conflict", ReactQuarantine},
}

// String is the fault's stable name, for logs and metrics.
func (f Fault) String() string {
	if f < faultCount {
		return faults[f].name
	}
	return "unknown"
}

// Reaction is what an operator does about it.
func (f Fault) Reaction() Reaction {
	if f < faultCount {
		return faults[f].reaction
	}
	return ReactClose
}

// Faults lists every fault but FaultNone.
func Faults() []Fault {
	all := make([]Fault, 0, faultCount-1)
	for f := FaultNone + 1; f < faultCount; f++ {
		all = append(all, f)
	}
	return all
}

// Reaction is what an operator does about a message. The protocol has no
// message for errors: who gets no reply sends again.
//
// Source: KKT reference §2.8.
type Reaction uint8

// The reactions.
const (
	ReactNothing    Reaction = iota // nothing is wrong
	ReactRefuse                     // an acknowledgement that names the failure; the document is kept
	ReactClose                      // close without a reply
	ReactIncident                   // the same, and staff are told
	ReactQuarantine                 // the same, and the bytes are kept apart
)

func (r Reaction) String() string {
	switch r {
	case ReactNothing:
		return "nothing"
	case ReactRefuse:
		return "refuse"
	case ReactClose:
		return "close"
	case ReactIncident:
		return "incident"
	case ReactQuarantine:
		return "quarantine"
	}
	return "unknown"
}

// SyntaxError says which byte of a message breaks which rule. errors.Is finds
// fiscal.BadForm.
type SyntaxError struct {
	Fault Fault
	Off   int    // bytes from the start of the message, or of the part that was parsed alone
	Field string // the name of it in the reference
	Why   string // what stood there or is wrong with it
}

func (e *SyntaxError) Error() string {
	return fmt.Sprintf("kkt: byte %d, %s: %s", e.Off, e.Field, e.Why)
}

// Unwrap leads to the reason.
func (e *SyntaxError) Unwrap() error { return fiscal.BadForm }

// ReactionTo is what an operator does when a message could not be taken for
// this reason. What nobody typed, and a crypto module that is not to be had,
// is a failure of ours: no reply, so that the register asks again.
func ReactionTo(err error) Reaction {
	var syntax *SyntaxError
	var crypto CryptoError
	switch {
	case err == nil:
		return ReactNothing
	case errors.As(err, &syntax):
		return syntax.Fault.Reaction()
	case errors.As(err, &crypto):
		return crypto.Reaction()
	}
	return ReactClose
}
