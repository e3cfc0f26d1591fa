package kkt

import (
	"encoding/binary"
	"fmt"

	"openofd/internal/fiscal"
	"openofd/internal/protocol/kkt/ffd"
)

// Outline is what the exchange itself needs to know of a document: whose it
// is, and in which version it is written. A requisite that is absent, or not of
// its size, is zero here; the rules of the format find it.
type Outline struct {
	Code    uint16 // tag of the outermost requisite
	Drive   DriveNumber
	Number  uint32 // 1040; of marking documents 2001 or 2002
	Time    fiscal.WallTime
	Version ffd.Version // 1209; 0 where the document does not say
}

// VersionOf decides in which version of the format a document is written: by
// what the document says, or by the drive's last registration, or at last by
// the P-version, which is often wrong.
//
// Source: KKT reference §2.2.
func VersionOf(document, registered ffd.Version, p PVersion) ffd.Version {
	switch {
	case document > ffd.V120:
		return ffd.V120 // newer than we know
	case document.Known():
		return document
	case registered.Known():
		return registered
	}
	switch p {
	case P105:
		return ffd.V105
	case P110:
		return ffd.V110
	case P120:
		return ffd.V120
	}
	return ffd.V100
}

// ParseOutline reads the outermost requisite of a document and those at the
// top inside it. With an error, which is a *SyntaxError with FaultUnreadable,
// the outline holds what came before the break. Offsets count from the start of
// the document.
func ParseOutline(document []byte) (Outline, error) {
	var o Outline
	code, rest, behind, ok := nextRequisite(document)
	if len(document) >= tlvHead {
		o.Code = code
	}
	if !ok {
		if len(document) < tlvHead {
			return o, unreadable(0, "document", "%d bytes", len(document))
		}
		rest = document[tlvHead:] // the length lies, the requisites may not
	}
	var broken error
	if !ok || len(behind) > 0 {
		broken = unreadable(2, "document length", "%d, here are %d bytes", binary.LittleEndian.Uint16(document[2:]), len(document)-tlvHead)
	}
	for len(rest) > 0 {
		tag, value, next, ok := nextRequisite(rest)
		if !ok {
			if broken == nil {
				broken = unreadable(len(document)-len(rest), "requisite", "%d bytes are left, which hold none", len(rest))
			}
			break
		}
		o.take(tag, value)
		rest = next
	}
	return o, broken
}

func unreadable(off int, field, format string, a ...any) *SyntaxError {
	return &SyntaxError{FaultUnreadable, off, field, fmt.Sprintf(format, a...)}
}

// take keeps what the outline wants; of repeated requisites the first counts.
func (o *Outline) take(tag uint16, value []byte) {
	number := tagNumber
	switch DocCode(o.Code) {
	case CodeMarkingRequest, CodeMarkingAnswer:
		number = tagRequestNumber
	case CodeNotification, CodeNotificationAck:
		number = tagNotificationNumber
	}
	switch {
	case tag == number && len(value) == 4 && o.Number == 0:
		o.Number = binary.LittleEndian.Uint32(value)
	case tag == tagDrive && len(value) <= len(o.Drive) && o.Drive == (DriveNumber{}):
		o.Drive = driveNumber(value)
	case tag == tagDateTime && len(value) == 4 && o.Time == 0:
		o.Time = fiscal.WallTime(binary.LittleEndian.Uint32(value))
	case tag == tagFormat && len(value) == 1 && o.Version == 0:
		o.Version = ffd.Version(value[0])
	}
}

// CheckDocument compares an opened document with its container: drive, number
// and kind must be the same, as far as the document names them. It tells
// FaultNumbers before FaultUnreadable: a document with the numbers of another is
// not acknowledged at all. One of another kind is the drive's all the same, and
// as good as none.
//
// Errors: *SyntaxError, offsets from the start of the document.
// Source: KKT reference §2.8, §14 (T1).
func CheckDocument(h FrameHeader, document []byte) (Outline, error) {
	o, err := ParseOutline(document)
	switch {
	case o.Drive != (DriveNumber{}) && o.Drive != h.Drive:
		return o, differs(tlvHead, "fiscalDriveNumber", o.Drive, h.Drive)
	case o.Number != 0 && o.Number != h.Number:
		return o, differs(tlvHead, "fiscalDocumentNumber", o.Number, h.Number)
	case len(document) >= tlvHead && o.Code != uint16(h.Code):
		return o, unreadable(0, documentCode, "%d, the container has %v", o.Code, h.Code)
	}
	return o, err
}

// documentCode names the place of a document's kind.
const documentCode = "document code"

func differs(off int, field string, document, container any) *SyntaxError {
	return &SyntaxError{FaultNumbers, off, field, fmt.Sprintf("%v, the container has %v", document, container)}
}
