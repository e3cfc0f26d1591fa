package kkt

import (
	"encoding/binary"

	"openofd/internal/fiscal"
	wire "openofd/internal/protocol/kkt"
	"openofd/internal/protocol/kkt/ffd"
)

// Document is what a drive makes a fiscal document of.
type Document interface {
	// Code is its kind.
	Code() wire.DocCode
	// AppendRequisites appends all requisites of the document but its fiscal
	// sign (1077), which the drive adds. The numbers are the drive's: 1040,
	// 1041 and 1012 must be there with them, of marking documents 2001 or 2002.
	AppendRequisites(b []byte, n Numbers) ([]byte, error)
}

// Numbers are what the drive knows and a document has to say.
type Numbers struct {
	Drive   wire.DriveNumber
	Number  uint32 // of the document, request or notification
	Time    fiscal.WallTime
	Shift   uint32 // of the open shift, the one that opens or the last one
	Receipt uint32 // within the shift; 0 but for receipts

	ShiftReceipts  uint32 // so far in the shift, this document included
	ShiftDocuments uint32 // the same, of documents of every kind

	ShiftCounters *Counters // before the document; nil is nothing
	Counters      *Counters // of the drive's life, before the document; nil is nothing

	Unsent       uint32 // documents that wait for an answer, without this one
	FirstUnsent  uint32 // number of the oldest of them; 0: none
	UnsentSince  fiscal.WallTime
	Notification uint32 // notifications that wait for an answer
	BadCodes     uint8  // since the last closing, tag 2112
	BadRequests  uint8  // the same, tag 2113
}

// Ready is a document whose other requisites are ready bytes, TLV after TLV;
// the drive's own are put in front: 1041, 1040 and 1012, for shifts and receipts
// 1038, for receipts 1042.
type Ready struct {
	Kind       wire.DocCode
	Requisites []byte
}

var _ Document = Ready{}

// Code implements Document.
func (r Ready) Code() wire.DocCode { return r.Kind }

// AppendRequisites implements Document.
func (r Ready) AppendRequisites(b []byte, n Numbers) ([]byte, error) {
	const drive, number, at, shift, receipt, request, notification, requested = 1041, 1040, 1012, 1038, 1042, 2001, 2002, 2114
	b = wire.AppendRequisite(b, drive, n.Drive[:]...)
	switch r.Kind {
	case wire.CodeMarkingRequest:
		b = u32(u32(b, request, n.Number), requested, uint32(n.Time))
		return append(b, r.Requisites...), nil
	case wire.CodeNotification:
		b = u32(u32(b, notification, n.Number), at, uint32(n.Time))
		return append(b, r.Requisites...), nil
	}
	b = u32(u32(b, number, n.Number), at, uint32(n.Time))
	if r.Kind.Receipt() || r.Kind == wire.CodeOpenShift || r.Kind == wire.CodeCloseShift {
		b = u32(b, shift, n.Shift)
	}
	if r.Kind.Receipt() {
		b = u32(b, receipt, n.Receipt)
	}
	return append(b, r.Requisites...), nil
}

func u32(b []byte, tag uint16, v uint32) []byte {
	var value [4]byte
	binary.LittleEndian.PutUint32(value[:], v)
	return wire.AppendRequisite(b, tag, value[:]...)
}

// Written is a document that the format writes from one of its structs.
type Written struct {
	Form    ffd.Form
	Version ffd.Version
	// Fill gives the struct of the form, with the drive's numbers where they
	// belong and the fiscal sign left out.
	Fill func(n Numbers) any
}

var _ Document = Written{}

// Code implements Document.
func (w Written) Code() wire.DocCode { return wire.DocCode(w.Form) }

// AppendRequisites implements Document.
func (w Written) AppendRequisites(b []byte, n Numbers) ([]byte, error) {
	document, err := ffd.Append(nil, w.Form, w.Version, w.Fill(n))
	if err != nil {
		return b, err
	}
	const head = 4 // tag and length of the whole, which the drive writes itself
	return append(b, document[head:]...), nil
}
