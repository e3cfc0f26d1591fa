package kkt

import (
	"fmt"

	"openofd/internal/protocol/kkt/ffd"
)

// DocCode is the kind of a document: the tag of its outermost requisite and a
// byte of the container's header.
//
// Source: KKT reference §5.
type DocCode uint8

// The kinds of documents.
const (
	CodeRegistration    DocCode = 1
	CodeOpenShift       DocCode = 2
	CodeReceipt         DocCode = 3
	CodeForm            DocCode = 4 // strict reporting form (БСО)
	CodeCloseShift      DocCode = 5
	CodeCloseDrive      DocCode = 6
	CodeAck             DocCode = 7
	CodeReregistration  DocCode = 11
	CodeState           DocCode = 21 // state of settlements
	CodeCorrection      DocCode = 31
	CodeFormCorrection  DocCode = 41
	CodeMarkingRequest  DocCode = 81
	CodeNotification    DocCode = 82 // of a sale of marked goods
	CodeMarkingAnswer   DocCode = 83
	CodeNotificationAck DocCode = 84
)

// String is the public name of the document.
func (c DocCode) String() string {
	if f := ffd.Form(c); f.Known() {
		return f.String()
	}
	return fmt.Sprintf("document %d", uint8(c))
}

// Receipt reports whether the document is a settlement: it counts in the shift.
func (c DocCode) Receipt() bool {
	return c == CodeReceipt || c == CodeForm || c == CodeCorrection || c == CodeFormCorrection
}

// Answer reports whether the document goes to the register.
func (c DocCode) Answer() bool {
	return c == CodeAck || c == CodeMarkingAnswer || c == CodeNotificationAck
}

// Reply is the kind of document that answers this one; 0 where none does.
func (c DocCode) Reply() DocCode {
	switch {
	case c == CodeMarkingRequest:
		return CodeMarkingAnswer
	case c == CodeNotification:
		return CodeNotificationAck
	case c == 0 || c.Answer():
		return 0
	}
	return CodeAck
}

// goesBy reports whether a register sends such a document on the channel. A
// kind that nobody knows yet comes by the channel of documents: if authentic it
// is acknowledged as not recognized.
func (c DocCode) goesBy(s Service) bool {
	marking := c == CodeMarkingRequest || c == CodeNotification
	switch s {
	case ServiceDocuments:
		return c != 0 && !marking && !c.Answer()
	case ServiceMarking:
		return marking
	}
	return false
}

// MaxDocument is how many bytes the requisites of such a document may have.
//
// Source: KKT reference §4.4.
func (c DocCode) MaxDocument() int {
	switch c {
	case CodeReceipt, CodeForm, CodeCorrection, CodeFormCorrection, CodeNotification:
		return 32768
	case CodeRegistration, CodeReregistration:
		return 6144
	case CodeAck, CodeMarkingAnswer, CodeNotificationAck:
		return 512
	}
	return 4096
}

// marking reports whether the document travels on the marking channel.
func (c DocCode) marking() bool { return c >= CodeMarkingRequest && c <= CodeNotificationAck }
