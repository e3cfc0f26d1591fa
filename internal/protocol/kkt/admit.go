package kkt

import (
	"fmt"
	"slices"
)

// Limits are what a door takes. The zero value takes what every operator must.
type Limits struct {
	Versions []PVersion // of documents; nil means PVersions
	MaxBody  int        // bytes; 0 means 65,535, the most that a header can say
	Keys     bool       // messages of ServiceKeys are taken, by whoever relays them
}

// Admission is what the door does with a message of which it has the header.
type Admission uint8

// The admissions.
const (
	AdmitDrop  Admission = iota // close without a reply
	AdmitEmpty                  // nothing follows; answer with Header.Empty
	AdmitRead                   // read Size bytes more and parse them
)

// Admit decides from the first HeaderLen bytes alone, before anything is
// allocated for the body.
//
//	no signature of ours, S-version unknown       AdmitDrop
//	ServiceKeys without Limits.Keys               AdmitDrop
//	P-version not taken                           AdmitDrop
//	forbidden flags, CRC of the header wrong      AdmitDrop
//	container of less than 32 bytes, or too long  AdmitDrop
//	a body that is no container                   AdmitDrop, but for ServiceKeys
//	no body, no container                         AdmitEmpty
//	otherwise                                     AdmitRead
//
// AdmitDrop comes with a *SyntaxError. An empty message is answered whether or
// not its flags expect it: it exists to see whether somebody is there.
//
// Source: KKT reference §2.2, §2.7 to §2.9.
func (l *Limits) Admit(b []byte) (Header, Admission, error) {
	h, err := ParseHeader(b)
	if err != nil {
		return h, AdmitDrop, err
	}
	if h.Service == ServiceKeys && !l.Keys {
		return h, AdmitDrop, &SyntaxError{FaultService, 0, "signature", "marking keys are not relayed here"}
	}
	if !l.takes(h) {
		return h, AdmitDrop, &SyntaxError{FaultVersion, 6, "P-version", h.Version.String()}
	}
	size := int(h.Size)
	switch {
	case l.MaxBody > 0 && size > l.MaxBody:
		return h, AdmitDrop, &SyntaxError{FaultSize, 24, "size", fmt.Sprintf("%d, limit %d", size, l.MaxBody)}
	case size == 0 && !h.Flags.Container():
		if h.Flags&flagsCRC == FlagBodyCRC && h.CRC != h.sum(nil) {
			return h, AdmitDrop, wrongSum(h.CRC, h.sum(nil))
		}
		return h, AdmitEmpty, nil
	case h.Service == ServiceKeys:
		return h, AdmitRead, nil // whoever relays it knows what is inside
	case h.Service == ServiceMarkingTest:
		return h, AdmitDrop, &SyntaxError{FaultSize, 24, "size", fmt.Sprintf("%d, but a test is an empty message", size)}
	case !h.Flags.Container():
		return h, AdmitDrop, &SyntaxError{FaultSize, 24, "size", fmt.Sprintf("%d, but no container is announced", size)}
	case size < FrameHeaderLen:
		return h, AdmitDrop, &SyntaxError{FaultSize, 24, "size", fmt.Sprintf("%d, a container has at least %d", size, FrameHeaderLen)}
	}
	return h, AdmitRead, nil
}

// takes reports whether the P-version is one of the service's.
func (l *Limits) takes(h Header) bool {
	if h.Service != ServiceDocuments {
		return h.Version == PMarked
	}
	if l.Versions != nil {
		return slices.Contains(l.Versions, h.Version)
	}
	return slices.Contains(PVersions(), h.Version)
}
