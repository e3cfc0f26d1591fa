package kkt

import (
	"context"
	"errors"
	"fmt"

	"openofd/internal/fiscal"
	"openofd/internal/protocol/kkt/ffd"
)

// MarkingRequest is a document of the marking channel as it came: a request
// about a code (81) or a notification of a sale (82). An operator passes it on
// to the marking system and brings the answer back, so it is judged twice:
// without an answer, to see whether it is to be passed on at all, and with the
// answer, to be committed.
//
// Source: KKT reference §10.3.
type MarkingRequest struct {
	Header Header
	Frame  Frame
	Opened Opened // what is in it; no document where it is Opaque
	// Opaque says that the module has no keys of the marking channel: the
	// container is passed on as it is, and known by its header alone.
	Opaque bool
	// Err says why this is no document of the drive, as in Request.
	Err error

	ctx     context.Context // of the one exchange; bounds the module
	module  CryptoModule
	time    fiscal.WallTime // of the document, 0 not told
	answer  []byte          // whole message; nil until the marking system has answered
	outcome uint16          // what the answer says of the document, 0 is good
}

// OpenMarking takes a message of the marking channel of which Limits.Admit said
// AdmitRead: it parses the container and has the module open it. A document
// that cannot be read is passed on nevertheless: what is wrong with it the
// marking system has to say. The request borrows from body; ctx bounds the
// module, also when a repetition is compared.
//
// Errors: *SyntaxError for what is no container for us, and Unavailable when
// the module is not to be had: close without a reply.
//
// Source: KKT reference §2.8, §10.3.
func OpenMarking(ctx context.Context, m CryptoModule, h Header, body []byte) (*MarkingRequest, error) {
	f, err := ParseRequest(h, body)
	if err != nil {
		return nil, err
	}
	q := &MarkingRequest{Header: h, Frame: f, ctx: ctx, module: m}
	q.Opened, err = m.OpenMarking(ctx, f)
	var crypto CryptoError
	switch {
	case errors.Is(err, ErrKeyUnavailable):
		q.Opaque, q.Opened = true, Opened{Frame: f.FrameHeader}
		return q, nil
	case errors.As(err, &crypto) && crypto.Fault() != FaultNone:
		q.Err = crypto
		return q, nil
	case err != nil:
		return nil, moduleDown(err)
	}
	o, err := CheckDocument(f.FrameHeader, q.Opened.Document)
	var syntax *SyntaxError
	if errors.As(err, &syntax) && (syntax.Fault != FaultUnreadable || syntax.Field == documentCode) {
		q.Err = syntax
	}
	q.time = o.Time
	if f.Code == CodeMarkingRequest {
		q.time = fiscal.WallTime(requestedAt(q.Opened.Document))
	}
	return q, nil
}

// requestedAt is requisite 2114 of a request, 0 where it cannot be read.
func requestedAt(document []byte) uint32 {
	v, _ := answerNumber(document, tagRequestTime, 4)
	return v
}

// Answered takes the container of the marking system's answer. What a drive
// would reject is no answer: the numbers are those of the request, kind and form
// the right ones. Signs are the drive's to check.
//
// Errors: *Rejection; nothing has changed then.
// Source: KKT reference §3.6, §10.3.
func (q *MarkingRequest) Answered(container []byte) error {
	var document []byte
	if q.Opaque {
		if err := judgeFrame(container, q.Frame.FrameHeader); err != nil {
			return err
		}
	} else {
		a, err := Judge(container, q.Frame.FrameHeader, nil)
		if err != nil {
			return err
		}
		document = a.Document
	}
	message, err := AppendMessage(make([]byte, 0, HeaderLen+len(container)), q.Header.Answer(), container)
	if err != nil {
		return err
	}
	outcome := tagNoticeOutcome
	if q.Frame.Code == CodeMarkingRequest {
		outcome = tagRequestOutcome
	}
	n, _ := answerNumber(document, outcome, 1)
	q.answer, q.outcome = message, uint16(n)
	return nil
}

// judgeFrame looks at the container of an answer whose contents nobody here can
// read.
func judgeFrame(container []byte, sent FrameHeader) error {
	f, err := ParseFrame(container)
	switch {
	case err != nil:
		return &Rejection{RejectFormat, err.Error()}
	case f.Drive != sent.Drive:
		return &Rejection{RejectDrive, fmt.Sprintf("%v, sent %v", f.Drive, sent.Drive)}
	case f.Number != sent.Number:
		return &Rejection{RejectNumber, fmt.Sprintf("%d, sent %d", f.Number, sent.Number)}
	case f.Code != sent.Code.Reply():
		return &Rejection{RejectFormat, fmt.Sprintf("document %d in answer to %d", f.Code, sent.Code)}
	}
	return nil
}

// The requisites of marking documents that the exchange looks at.
const (
	tagUnsentNotices  uint16 = 2104 // of reports
	tagRequestOutcome uint16 = 2105
	tagNoticeOutcome  uint16 = 2111
	tagRequestTime    uint16 = 2114
)

// answerNumber is a requisite of a document that is a number of so many bytes.
func answerNumber(document []byte, tag uint16, size int) (n uint32, ok bool) {
	_, requisites, _, ok := nextRequisite(document)
	if !ok {
		return 0, false
	}
	v, ok := findRequisite(requisites, tag)
	if !ok || len(v) != size {
		return 0, false
	}
	for i, b := range v {
		n |= uint32(b) << (8 * i)
	}
	return n, true
}

// kind is the kind of entry that the request becomes.
func (q *MarkingRequest) kind() fiscal.DocumentKind { return ffd.Form(q.Frame.Code).Kind() }

// same reports whether a stored message holds this very document; of one that
// nobody here can open, whether it is the same bytes.
func (q *MarkingRequest) same(stored []byte) (bool, error) {
	return sameDocument(stored, &q.Frame, &q.Opened, func(f Frame, _ PVersion) (Opened, error) {
		if q.Opaque {
			return Opened{}, nil // holds nothing, which is not the same
		}
		o, err := q.module.OpenMarking(q.ctx, f)
		if errors.Is(err, ErrKeyUnavailable) {
			err = nil // it was stored when there were no keys
		}
		return o, err
	})
}
