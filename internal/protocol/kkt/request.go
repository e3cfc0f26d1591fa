package kkt

import (
	"context"
	"errors"
	"sync"

	"openofd/internal/fiscal"
	"openofd/internal/protocol/kkt/ffd"
)

// Request is a document as it came and was opened, ready to be judged. The
// module that opened it also seals the acknowledgement.
type Request struct {
	Header  Header
	Frame   Frame
	Opened  Opened
	Outline Outline
	Sign    SignVerdict // on the document's own sign, which stands on the paper
	// Err says why this is no document of the drive: a CryptoError, or a
	// *SyntaxError of numbers that contradict each other. nil: it is one.
	Err error

	ctx    context.Context // of the one exchange; bounds the module
	module CryptoModule
	doc    ffd.Document
}

// requests are used again, for a parsed document has thousands of places.
var requests = sync.Pool{New: func() any { return new(Request) }}

// OpenRequest takes a message of which Limits.Admit said AdmitRead: it parses
// the container and has the module open it. ctx bounds the module, also when it
// seals the acknowledgement. The request borrows from body; whoever asked for it
// calls Release at the end.
//
// Errors: *SyntaxError for what is no container for us, and Unavailable when
// the module is not to be had: close without a reply. A container that is not
// what it claims is a request with Err.
//
// Source: KKT reference §2.8.
func OpenRequest(ctx context.Context, m CryptoModule, h Header, body []byte) (*Request, error) {
	f, err := ParseRequest(h, body)
	if err != nil {
		return nil, err
	}
	q := requests.Get().(*Request)
	q.Header, q.Frame, q.ctx, q.module = h, f, ctx, m
	q.Opened, err = m.OpenContainer(ctx, f, h.Version)
	var crypto CryptoError
	switch {
	case errors.As(err, &crypto) && crypto.Fault() != FaultNone:
		q.Err = crypto
		return q, nil
	case err != nil:
		q.Release()
		return nil, moduleDown(err)
	}
	q.Outline, err = CheckDocument(f.FrameHeader, q.Opened.Document)
	var syntax *SyntaxError
	if errors.As(err, &syntax) && syntax.Fault != FaultUnreadable {
		q.Err = syntax
		return q, nil
	}
	if q.Sign, err = m.VerifyDocumentSign(ctx, f.Drive, q.Opened.Document); err != nil {
		q.Release()
		return nil, moduleDown(err)
	}
	return q, nil
}

func moduleDown(err error) error {
	return &fiscal.Error{Of: fiscal.Unavailable, Field: "crypto module", Err: err}
}

// Release gives the request's memory back; nothing of it may be used any more.
func (q *Request) Release() {
	doc := q.doc
	*q = Request{doc: doc}
	requests.Put(q)
}

// parse reads the document in the version that it states, or else that of the
// drive's last registration. One of another kind than its container has no
// requisites.
func (q *Request) parse(registered ffd.Version) error {
	return q.doc.ParseAs(ffd.Form(q.Frame.Code), q.Opened.Document, VersionOf(q.Outline.Version, registered, q.Header.Version))
}

// same reports whether a stored request holds this very document. Most
// repetitions are the same bytes; an encrypted one may be encrypted anew, and
// is opened to compare.
//
// Source: KKT reference §7.3.
func (q *Request) same(stored []byte) (bool, error) {
	return sameDocument(stored, &q.Frame, &q.Opened, func(f Frame, p PVersion) (Opened, error) { return q.module.OpenContainer(q.ctx, f, p) })
}

// sameDocument reports whether a stored message holds the document of a
// container; open opens what is stored.
func sameDocument(stored []byte, frame *Frame, opened *Opened, open func(Frame, PVersion) (Opened, error)) (bool, error) {
	h, err := ParseHeader(stored)
	if err != nil {
		return false, err
	}
	if string(stored[HeaderLen:]) == string(frame.Raw) {
		return true, nil
	}
	f, err := ParseFrame(stored[HeaderLen:])
	if err != nil {
		return false, err
	}
	first, err := open(f, h.Version)
	if err != nil {
		return false, moduleDown(err)
	}
	return first.Same(opened), nil
}

// acknowledge seals the answer. One that the drive would not take is our fault
// or the module's: it must not be stored, for it would be repeated for ever.
func (q *Request) acknowledge(operator string, v ffd.Version, at fiscal.WallTime, r Response) ([]byte, error) {
	ack := NewAck(operator, q.Frame.FrameHeader, v, at, r)
	answer, err := ack.Seal(q.ctx, q.module, make([]byte, 0, usualAnswer), q.Header, q.Opened)
	var wrong *fiscal.Error
	if err != nil && !errors.As(err, &wrong) {
		err = moduleDown(err)
	}
	if err != nil {
		return nil, err
	}
	if err := CheckReply(q.Header, q.Frame.FrameHeader, answer); err != nil {
		return nil, &fiscal.Error{Of: fiscal.Internal, Field: "crypto module", Msg: "it sealed what no drive takes", Err: err}
	}
	return answer, nil
}

// usualAnswer holds an acknowledgement, in bytes.
const usualAnswer = 256
