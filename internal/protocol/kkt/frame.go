package kkt

import (
	"encoding/binary"
	"fmt"
)

// FrameHeaderLen is the size of a container's header in bytes.
//
//	off len field      meaning; integers are little-endian but for the number
//	  0   2 length     of the whole container
//	  2   2 CRC        of bytes 0-1 and 4 to the end: its own two are skipped
//	  4   1 type       A5
//	  5   1 code       kind of the document
//	  6   1 version    high digit 0: this header
//	  7   2 extra1     the crypto module's
//	  9   8 drive      number of the fiscal drive, two digits a byte, F behind
//	 17   3 number     of the document, big-endian; of marking documents 2001 or 2002
//	 20  12 extra2     the crypto module's
//
// The payload behind it is a document with its message sign and two zeros, or
// the same encrypted.
//
// Source: KKT reference §3.1.
const FrameHeaderLen = 32

// FrameType is the type of every container.
const FrameType = 0xA5

// MaxNumber is the largest number that a container can carry.
const MaxNumber = 1<<24 - 1

// MaxFrame is the size of the largest container, in bytes.
const MaxFrame = 1<<16 - 1

// FrameHeader is the header of a container. Extra1 and Extra2 mean something to
// the crypto module alone.
type FrameHeader struct {
	Length  uint16 // bytes of the whole container
	CRC     uint16
	Code    DocCode
	Version uint8
	Extra1  [2]byte
	Drive   DriveNumber
	Number  uint32 // of the document; at most MaxNumber
	Extra2  [12]byte
}

// Frame is a container as read. It borrows from the bytes it was read from.
type Frame struct {
	FrameHeader
	Raw []byte // the whole container, as received
}

// Payload is what stands behind the header.
func (f Frame) Payload() []byte { return f.Raw[FrameHeaderLen:] }

// ParseFrameHeader reads a container's header from the front of b. It judges
// form alone; Length and CRC are looked at by ParseFrame. With an error, which
// is a *SyntaxError, the header holds what could be read.
func ParseFrameHeader(b []byte) (FrameHeader, error) { return parseFrameHeader(b, 0) }

// parseFrameHeader is ParseFrameHeader for a container that begins at byte
// base of a message.
func parseFrameHeader(b []byte, base int) (FrameHeader, error) {
	if len(b) < FrameHeaderLen {
		return FrameHeader{}, &SyntaxError{FaultSize, base + len(b), "container", fmt.Sprintf("%d bytes, its header has %d", len(b), FrameHeaderLen)}
	}
	drive, digits := parseBCD(b[9:17])
	f := FrameHeader{
		Length:  binary.LittleEndian.Uint16(b),
		CRC:     binary.LittleEndian.Uint16(b[2:]),
		Code:    DocCode(b[5]),
		Version: b[6],
		Extra1:  [2]byte(b[7:9]),
		Drive:   drive,
		Number:  uint32(b[17])<<16 | uint32(b[18])<<8 | uint32(b[19]),
		Extra2:  [12]byte(b[20:32]),
	}
	switch {
	case b[4] != FrameType:
		return f, &SyntaxError{FaultFrameType, base + 4, "container type", fmt.Sprintf("%02X", b[4])}
	case f.Version>>4 != 0:
		return f, &SyntaxError{FaultFrameVersion, base + 6, "container version", fmt.Sprintf("%02X", f.Version)}
	case !digits:
		return f, &SyntaxError{FaultDriveNumber, base + 9, "container drive", fmt.Sprintf("% X", b[9:17])}
	}
	return f, nil
}

// AppendBinary appends the header's 32 bytes to b as the fields have them.
//
// Errors: Invalid, for a number that does not fit.
func (f FrameHeader) AppendBinary(b []byte) ([]byte, error) {
	if f.Number > MaxNumber {
		return b, badValue("fiscalDocumentNumber", "%d does not fit a container", f.Number)
	}
	return f.append(b), nil
}

func (f *FrameHeader) append(b []byte) []byte {
	b = binary.LittleEndian.AppendUint16(b, f.Length)
	b = binary.LittleEndian.AppendUint16(b, f.CRC)
	b = append(b, FrameType)
	return append(f.appendSigned(b), f.Extra2[:]...)
}

// appendSigned appends what signs protect of the header, type excepted: kind,
// version, extra1, drive and number.
func (f *FrameHeader) appendSigned(b []byte) []byte {
	b = append(b, byte(f.Code), f.Version, f.Extra1[0], f.Extra1[1])
	b = f.Drive.appendBCD(b)
	return append(b, byte(f.Number>>16), byte(f.Number>>8), byte(f.Number))
}

// frameSum is the CRC of a whole container.
func frameSum(b []byte) uint16 { return crcUpdate(CRC16(b[:2]), b[4:]) }

// ParseFrame reads a container that is all of b.
//
//	shorter than its header             FaultSize
//	type, version, drive number         FaultFrameType, FaultFrameVersion, FaultDriveNumber
//	length is not len(b)                FaultFrameLength
//	CRC                                 FaultFrameCRC
//
// Errors: *SyntaxError; the frame then holds what could be read.
func ParseFrame(b []byte) (Frame, error) { return parseFrame(b, 0) }

func parseFrame(b []byte, base int) (Frame, error) {
	h, err := parseFrameHeader(b, base)
	f := Frame{FrameHeader: h, Raw: b}
	if err != nil {
		return f, err
	}
	if int(h.Length) != len(b) {
		return f, &SyntaxError{FaultFrameLength, base, "container length", fmt.Sprintf("%d, here are %d bytes", h.Length, len(b))}
	}
	if want := frameSum(b); h.CRC != want {
		return f, &SyntaxError{FaultFrameCRC, base + 2, "container CRC", fmt.Sprintf("0x%04X, the bytes give 0x%04X", h.CRC, want)}
	}
	return f, nil
}

// AppendFrame appends a container with this payload. Length and CRC are
// computed; what h says of them is not looked at.
//
// Errors: Invalid, for a payload or a number that does not fit; dst is then
// returned as it came.
func AppendFrame(dst []byte, h FrameHeader, payload ...[]byte) ([]byte, error) {
	size := FrameHeaderLen
	for _, part := range payload {
		size += len(part)
	}
	if size > MaxFrame {
		return dst, badValue("container", "%d bytes, at most %d", size, MaxFrame)
	}
	if h.Number > MaxNumber {
		return dst, badValue("fiscalDocumentNumber", "%d does not fit a container", h.Number)
	}
	start := len(dst)
	h.Length = uint16(size)
	dst = h.append(dst)
	for _, part := range payload {
		dst = append(dst, part...)
	}
	binary.LittleEndian.PutUint16(dst[start+2:], frameSum(dst[start:]))
	return dst, nil
}
