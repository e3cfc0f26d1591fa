package kkm

import (
	"encoding/binary"
	"fmt"
)

// HeaderLen is the size of a frame header in bytes.
//
//	off len field    meaning; integers are little-endian
//	  0   2 APPCODE  always 0x81A2
//	  2   2 VERSION  203 means 2.0.3
//	  4   4 SIZE     whole message in bytes, header included
//	  8   4 ID       register ID, given at registration
//	 12   4 TOKEN    exchange key; an answer may change it
//	 16   2 REQNUM   request counter; wraps to 0
//
// Source: KKM 2.0.2 §2.2.
const HeaderLen = 18

// AppCode is the APPCODE of every frame; on the wire it reads A2 81.
const AppCode = 0x81A2

// DefaultMaxSize is the largest SIZE taken when nothing else is configured.
// The protocol names no limit; printed receipts and catalogs stay well below.
const DefaultMaxSize = 1 << 20

// Version is the VERSION of a frame: X.Y.Z written as the number XYZ.
type Version uint16

// The versions served. A change of the first digit breaks compatibility, so
// numbers beyond the list are refused, not guessed at.
const (
	V124 Version = 124
	V125 Version = 125
	V200 Version = 200
	V201 Version = 201
	V202 Version = 202
	V203 Version = 203
	V204 Version = 204
)

// Known reports whether the version is served.
func (v Version) Known() bool {
	switch v {
	case V124, V125, V200, V201, V202, V203, V204:
		return true
	}
	return false
}

// String gives the dotted form: 203 is "2.0.3".
func (v Version) String() string {
	return fmt.Sprintf("%d.%d.%d", v/100, v/10%10, v%10)
}

// Header is what stands in front of every request and answer. An answer
// repeats Version, ID and ReqNum of its request exactly.
type Header struct {
	Version Version
	Size    uint32 // bytes, header included
	ID      uint32 // register ID
	Token   uint32 // exchange key; secret, never logged
	ReqNum  uint16
}

// SyntaxError says which byte breaks the form of a frame or a payload.
type SyntaxError struct {
	Off   int    // bytes from the start of the frame
	Field string // the protocol's name, a path inside a payload
	Why   string // what stood there or is wrong with it
}

func (e *SyntaxError) Error() string {
	return fmt.Sprintf("kkm: byte %d, %s: %s", e.Off, e.Field, e.Why)
}

// ParseHeader reads a header from the front of b. It judges form alone;
// whether VERSION is served, ID registered and TOKEN right is judged later.
// With an error, which is a *SyntaxError, the header holds what could be read.
func ParseHeader(b []byte) (Header, error) {
	if len(b) < HeaderLen {
		return Header{}, &SyntaxError{len(b), "header", fmt.Sprintf("%d of %d bytes", len(b), HeaderLen)}
	}
	h := Header{
		Version: Version(binary.LittleEndian.Uint16(b[2:])),
		Size:    binary.LittleEndian.Uint32(b[4:]),
		ID:      binary.LittleEndian.Uint32(b[8:]),
		Token:   binary.LittleEndian.Uint32(b[12:]),
		ReqNum:  binary.LittleEndian.Uint16(b[16:]),
	}
	if code := binary.LittleEndian.Uint16(b); code != AppCode {
		return h, &SyntaxError{0, "APPCODE", fmt.Sprintf("0x%04X", code)}
	}
	if h.Size < HeaderLen {
		return h, &SyntaxError{4, "SIZE", fmt.Sprint(h.Size)}
	}
	return h, nil
}

// AppendBinary appends the header's 18 bytes to b. The error is always nil;
// it is there for encoding.BinaryAppender.
func (h Header) AppendBinary(b []byte) ([]byte, error) {
	b = binary.LittleEndian.AppendUint16(b, AppCode)
	b = binary.LittleEndian.AppendUint16(b, uint16(h.Version))
	b = binary.LittleEndian.AppendUint32(b, h.Size)
	b = binary.LittleEndian.AppendUint32(b, h.ID)
	b = binary.LittleEndian.AppendUint32(b, h.Token)
	return binary.LittleEndian.AppendUint16(b, h.ReqNum), nil
}

// Admission is what the door does with a frame of which it has read the header.
type Admission uint8

const (
	AdmitDrop   Admission = iota // close without an answer: the framing is lost
	AdmitRefuse                  // send Refuse(h, 0, 3, …), then close: the payload is not read
	AdmitRead                    // read Size - HeaderLen bytes more and parse them
)

// Admit decides from the first HeaderLen bytes alone, before anything is
// allocated for the payload:
//
//	APPCODE is not 0x81A2, or b is short   AdmitDrop, with a *SyntaxError
//	SIZE below 18                          AdmitDrop, with a *SyntaxError
//	SIZE above max                         AdmitRefuse, with a *SyntaxError
//	otherwise                              AdmitRead
//
// A max of 0 means DefaultMaxSize. VERSION is not looked at: the payload is
// read all the same, so that the refusal can name the command.
func Admit(b []byte, max uint32) (Header, Admission, error) {
	h, err := ParseHeader(b)
	if err != nil {
		return h, AdmitDrop, err
	}
	if max == 0 {
		max = DefaultMaxSize
	}
	if h.Size > max {
		return h, AdmitRefuse, &SyntaxError{4, "SIZE", fmt.Sprintf("%d, limit %d", h.Size, max)}
	}
	return h, AdmitRead, nil
}
