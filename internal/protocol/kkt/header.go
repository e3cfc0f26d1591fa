package kkt

import (
	"encoding/binary"
	"fmt"
)

// HeaderLen is the size of a message's header in bytes.
//
//	off len field        meaning; integers are little-endian
//	  0   4 signature    which service, with the S-version
//	  4   2 S-version
//	  6   2 P-version    two bytes, 01 05 is 1.05; never decides the FFD
//	  8  16 drive        number of the fiscal drive, ASCII, spaces behind
//	 24   2 size         of the body in bytes
//	 26   2 flags
//	 28   2 CRC          of what the flags say, else 0
//
// Source: KKT reference §2.1.
const HeaderLen = 30

// Service is what a message is for, told by signature and S-version.
//
// Source: KKT reference §2.1, §2.9.
type Service uint8

// The services.
const (
	ServiceUnknown     Service = iota
	ServiceDocuments           // fiscal documents, for the operator
	ServiceMarking             // requests and notifications on marked goods, for the marking system
	ServiceMarkingTest         // is the operator's receiving point for these alive?
	ServiceKeys                // marking keys, between drive and key service: at best relayed
	serviceCount
)

// services holds the first six bytes of each service's messages.
var services = [serviceCount]struct {
	name  string
	bytes string
}{
	ServiceUnknown:     {"unknown", "\x00\x00\x00\x00\x00\x00"},
	ServiceDocuments:   {"documents", "\x2A\x08\x41\x0A\x81\xA2"},
	ServiceMarking:     {"marking", "\xDD\x80\xCA\xA1\x82\xA2"},
	ServiceMarkingTest: {"marking test", "\xDD\x80\xCA\xA1\x82\xFB"},
	ServiceKeys:        {"keys", "\xDD\x80\xCA\xA1\x82\xA1"},
}

func (s Service) String() string {
	if s < serviceCount {
		return services[s].name
	}
	return "unknown"
}

// serviceOf recognizes the first six bytes of a message. With an unknown
// S-version behind a good signature, signed is true.
func serviceOf(b []byte) (s Service, signed bool) {
	for s := ServiceDocuments; s < serviceCount; s++ {
		first := services[s].bytes
		if string(b[:4]) != first[:4] {
			continue
		}
		if string(b[4:6]) == first[4:] {
			return s, true
		}
		signed = true
	}
	return ServiceUnknown, signed
}

// PVersion is the P-version of a message, its two bytes as a big-endian
// number: 01 05 is 0x0105. It says little about the document inside.
//
// Source: KKT reference §2.2.
type PVersion uint16

// The P-versions in use.
const (
	P100    PVersion = 0x0100
	P105    PVersion = 0x0105
	P110    PVersion = 0x0110
	P120    PVersion = 0x0120
	POld1   PVersion = 0x0001 // 1.0 and sometimes 1.05; on the marking channel the only one
	POld2   PVersion = 0x0002 // 1.0
	PMarked          = POld1
)

// PVersions lists the P-versions that are taken when nothing else is
// configured.
func PVersions() []PVersion { return []PVersion{P100, P105, P110, P120, POld1, POld2} }

// String is the two bytes as they are written: "01 05".
func (p PVersion) String() string { return fmt.Sprintf("%02X %02X", byte(p>>8), byte(p)) }

// Flags are the flags of a message.
//
//	bits  0-1  which CRC: 0 none, 1 header, 2 header and body
//	bit   2    the body is a container
//	bits  4-5  of a request: 0 no reply expected, 1 reply expected
//	bits  6-7  priority, 0 is normal
//
// The other bits are reserved: told by Reserved, and otherwise not looked at.
//
// Source: KKT reference §2.3.
type Flags uint16

// What flags say.
const (
	FlagHeaderCRC Flags = 1 << 0
	FlagBodyCRC   Flags = 1 << 1
	FlagContainer Flags = 1 << 2
	FlagReply     Flags = 1 << 4

	// FlagsDocument are the usual ones of a request, and those of an answer.
	FlagsDocument = FlagContainer | FlagReply

	flagsCRC      Flags = 0x0003
	flagsReply    Flags = 0x0030
	flagsReserved Flags = 0xFF08
)

// Container reports whether the body is a container.
func (f Flags) Container() bool { return f&FlagContainer != 0 }

// Reply reports whether the sender says that it waits for a reply.
func (f Flags) Reply() bool { return f&flagsReply == FlagReply }

// Priority is 0 to 3.
func (f Flags) Priority() int { return int(f>>6) & 3 }

// Reserved are the bits that ought to be 0.
func (f Flags) Reserved() Flags { return f & flagsReserved }

// forbidden names what no message may say, or is empty.
func (f Flags) forbidden() string {
	switch {
	case f&flagsCRC == flagsCRC:
		return "CRC mode 11"
	case f&flagsReply > FlagReply:
		return fmt.Sprintf("reply mode %02b", f&flagsReply>>4)
	}
	return ""
}

// Header is what stands in front of every message and answer.
type Header struct {
	Service Service
	Version PVersion
	Drive   DriveNumber
	Size    uint16 // bytes of the body
	Flags   Flags
	CRC     uint16 // as it stands there
}

// ParseHeader reads a header from the front of b. It judges form alone, and
// the CRC where it is of the header; whether service and P-version are taken
// is Admit's business. With an error, which is a *SyntaxError, the header holds
// what could be read.
func ParseHeader(b []byte) (Header, error) {
	if len(b) < HeaderLen {
		return Header{}, &SyntaxError{FaultTruncated, len(b), "header", fmt.Sprintf("%d of %d bytes", len(b), HeaderLen)}
	}
	service, signed := serviceOf(b)
	h := Header{
		Service: service,
		Version: PVersion(binary.BigEndian.Uint16(b[6:])),
		Drive:   DriveNumber(b[8:24]),
		Size:    binary.LittleEndian.Uint16(b[24:]),
		Flags:   Flags(binary.LittleEndian.Uint16(b[26:])),
		CRC:     binary.LittleEndian.Uint16(b[28:]),
	}
	if !signed {
		return h, &SyntaxError{FaultSignature, 0, "signature", fmt.Sprintf("% X", b[:4])}
	}
	if service == ServiceUnknown {
		return h, &SyntaxError{FaultService, 4, "S-version", fmt.Sprintf("% X", b[4:6])}
	}
	if why := h.Flags.forbidden(); why != "" {
		return h, &SyntaxError{FaultFlags, 26, "flags", why}
	}
	if !h.Drive.Valid() {
		return h, &SyntaxError{FaultDriveNumber, 8, "drive", fmt.Sprintf("%q", b[8:24])}
	}
	if h.Flags&flagsCRC == FlagHeaderCRC {
		if want := CRC16(b[:28]); h.CRC != want {
			return h, wrongSum(h.CRC, want)
		}
	}
	return h, nil
}

func wrongSum(got, want uint16) *SyntaxError {
	return &SyntaxError{FaultChecksum, 28, "CRC", fmt.Sprintf("0x%04X, the bytes give 0x%04X", got, want)}
}

// AppendBinary appends the header's 30 bytes to b as the fields have them. The
// error is always nil; it is there for encoding.BinaryAppender.
func (h Header) AppendBinary(b []byte) ([]byte, error) {
	service := min(h.Service, serviceCount-1)
	b = append(b, services[service].bytes...)
	b = binary.BigEndian.AppendUint16(b, uint16(h.Version))
	b = append(b, h.Drive[:]...)
	b = binary.LittleEndian.AppendUint16(b, h.Size)
	b = binary.LittleEndian.AppendUint16(b, uint16(h.Flags))
	return binary.LittleEndian.AppendUint16(b, h.CRC), nil
}

// sum is the CRC that the flags ask for, 0 where they ask for none.
func (h Header) sum(body []byte) uint16 {
	if h.Flags&flagsCRC == 0 {
		return 0
	}
	var head [HeaderLen]byte
	b, _ := h.AppendBinary(head[:0])
	crc := CRC16(b[:28])
	if h.Flags&flagsCRC == FlagBodyCRC {
		crc = crcUpdate(crc, body)
	}
	return crc
}

// Answer is the header of what goes back: service, version and drive of the
// request, a container, no CRC. AppendMessage fills the size in.
//
// Source: KKT reference §7.1.
func (h Header) Answer() Header {
	h.Size, h.Flags, h.CRC = 0, FlagsDocument, 0
	return h
}

// Empty is the answer to a message without a body: a header alone.
//
// Source: KKT reference §2.7.
func (h Header) Empty() Header {
	h.Size, h.Flags, h.CRC = 0, 0, 0
	return h
}
