package kkt

import (
	"context"
	"encoding/binary"
	"time"

	"openofd/internal/fiscal"
)

// CryptoModule holds the keys that the operator shares with the drives. It is
// the only place that knows what the service data of a container (Extra1,
// Extra2) mean, whether a container is encrypted, and how signs are made.
//
// An implementation is used by many goroutines at once. It may ask a device
// over a network; ctx carries the deadline, half a second as a rule, after which
// it must return ErrTemporary. OpenContainer and OpenMarking change nothing:
// the same container may be opened again and again. SealAcknowledgement need
// not give the same bytes twice, for the sealed answer is stored and repeated.
//
// Bytes handed in are not changed and not kept. Errors are CryptoErrors, alone
// or wrapped; anything else counts as a failure of the module.
//
// Source: KKT reference §3.4.
type CryptoModule interface {
	// OpenContainer authenticates a document's container, and decrypts it where
	// it is encrypted. p is the P-version of the message.
	OpenContainer(ctx context.Context, f Frame, p PVersion) (Opened, error)
	// VerifyDocumentSign checks the sign that is printed on paper (1077). It
	// fails only when the module is not to be had.
	VerifyDocumentSign(ctx context.Context, drive DriveNumber, document []byte) (SignVerdict, error)
	// SealAcknowledgement appends to dst the whole container that acknowledges
	// o: document 7 of these requisites with the operator's sign (1078) behind
	// them, and the confirmation sign behind the document.
	SealAcknowledgement(ctx context.Context, dst []byte, o Opened, requisites []byte) ([]byte, error)
	// OpenMarking authenticates a container of the marking channel. A module
	// without marking keys returns ErrKeyUnavailable: the container is then
	// passed on unopened.
	OpenMarking(ctx context.Context, f Frame) (Opened, error)
	// SealMarking appends to dst the container that answers o: document 83 or
	// 84 of these requisites. Answers of the real marking system come sealed.
	SealMarking(ctx context.Context, dst []byte, o Opened, requisites []byte) ([]byte, error)
	// KeyStatus tells how the module stands to a drive; the zero number asks
	// for the module's health alone.
	KeyStatus(ctx context.Context, drive DriveNumber) (KeyStatus, error)
}

// Opened is a container as the crypto module has opened it.
type Opened struct {
	Frame     FrameHeader
	Document  []byte  // borrows from the container unless it was encrypted
	Sign      [8]byte // of the message (FPS), or of a marking document (FPU)
	Encrypted bool
	Context   any // the module's own, handed back when the answer is sealed; nil where it needs none
}

// SignNumber is the message sign as the number that goes to the authority.
func (o *Opened) SignNumber() uint64 { return binary.BigEndian.Uint64(o.Sign[:]) }

// Same reports whether two containers hold the same document. The bytes around
// it may differ: an encrypted message is encrypted anew when it is repeated.
//
// Source: KKT reference §7.3.
func (o *Opened) Same(p *Opened) bool {
	return o.Frame.Drive == p.Frame.Drive && o.Frame.Number == p.Frame.Number &&
		o.Sign == p.Sign && string(o.Document) == string(p.Document)
}

// SignVerdict is what a module says of a document's sign.
type SignVerdict uint8

// The verdicts.
const (
	SignNotCheckable SignVerdict = iota // no key, or no sign there
	SignRight
	SignWrong
)

func (v SignVerdict) String() string {
	switch v {
	case SignRight:
		return "right"
	case SignWrong:
		return "wrong"
	}
	return "not checkable"
}

// KeyStatus is how a module stands to a drive.
type KeyStatus struct {
	Present bool      // there are keys for the drive
	Until   time.Time // when they end; zero is never, or not known
	Module  string    // name and state of the module, for staff
}

// CryptoError says why a module did not open or seal.
type CryptoError uint8

// The errors.
const (
	ErrUnknownDrive   CryptoError = iota + 1 // the module has never heard of the drive
	ErrKeyUnavailable                        // it knows the drive, but has no key for this
	ErrCannotDecrypt                         // the payload does not decrypt, or is too short for its signs
	ErrSignInvalid                           // a sign is wrong
	ErrTemporary                             // the module is not to be had just now
)

func (e CryptoError) Error() string {
	switch e {
	case ErrUnknownDrive:
		return "crypto module: unknown drive"
	case ErrKeyUnavailable:
		return "crypto module: no key"
	case ErrCannotDecrypt:
		return "crypto module: cannot decrypt"
	case ErrSignInvalid:
		return "crypto module: wrong sign"
	case ErrTemporary:
		return "crypto module: not available"
	}
	return "crypto module: failed"
}

// Unwrap leads to the kind: who sent something else than a document of this
// drive is not authenticated; without keys or module nothing can be said.
func (e CryptoError) Unwrap() error {
	switch e {
	case ErrUnknownDrive, ErrCannotDecrypt, ErrSignInvalid:
		return fiscal.Unauthenticated
	}
	return fiscal.Unavailable
}

// Fault is FaultSealed where the container is to blame, else FaultNone.
func (e CryptoError) Fault() Fault {
	switch e {
	case ErrUnknownDrive, ErrCannotDecrypt, ErrSignInvalid:
		return FaultSealed
	}
	return FaultNone
}

// Reaction is what an operator does about a container that was not opened.
// Source: KKT reference §2.8.
func (e CryptoError) Reaction() Reaction {
	if e.Fault() == FaultSealed {
		return FaultSealed.Reaction()
	}
	return ReactClose
}

// cutPayload cuts an unencrypted payload into document and message sign. The
// place of the sign follows from the end, so that a document whose length lies
// is still authenticated.
//
// Source: KKT reference §3.2.
func cutPayload(payload []byte) (document []byte, sign [8]byte, err error) {
	if len(payload) < tlvHead+trailerLen {
		return nil, sign, ErrCannotDecrypt
	}
	document = payload[:len(payload)-trailerLen]
	return document, [8]byte(payload[len(document):]), nil
}
