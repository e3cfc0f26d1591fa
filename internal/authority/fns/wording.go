package fns

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"time"

	"openofd/internal/delivery"
	"openofd/internal/fiscal"
)

// Name is the authority's, and that of its follower.
const Name = "fns"

// Reader words a stored document; kkt.Reader does.
//
// Errors: Invalid for one that cannot be read, Corrupt for one that is damaged,
// Unavailable for one that is encrypted.
type Reader interface {
	AppendJSON(b []byte, rec *fiscal.Record) ([]byte, error)
}

// Wording is a delivery.Authority.
type Wording struct {
	Documents Reader
	// NoKey reports whether an Unavailable means that nobody here will ever have
	// the key, rather than that it cannot be had just now. nil is never.
	NoKey func(error) bool
}

var _ delivery.Authority = Wording{}

// Name implements delivery.Authority.
func (Wording) Name() string { return Name }

// Word implements delivery.Authority: documents of fiscal drives are worded,
// whatever was found in them; all else is none of the service's business, what
// goes to the marking system among it.
//
// Source: KKT reference §11, §12.
func (w Wording) Word(_ context.Context, room []byte, rec delivery.Entry) (id string, body []byte, ok bool, err error) {
	if !strings.HasPrefix(rec.Format, "kkt/") || rec.Drive == "" || rec.DeviceNumber == 0 || rec.Kind.Marking() {
		return "", room, false, nil
	}
	id = rec.Drive + "-" + strconv.FormatUint(rec.DeviceNumber, 10)
	b := appendHead(room, id, rec.Record)
	b, err = w.Documents.AppendJSON(b, rec.Record)
	switch {
	case err == nil:
		return id, append(b, '}', '\n'), true, nil
	case errors.Is(err, fiscal.Corrupt): // first: its cause may well be Invalid
		err = &delivery.Unfit{Reason: delivery.Damaged, Err: err}
	case errors.Is(err, fiscal.Invalid):
		err = &delivery.Unfit{Reason: delivery.Unreadable, Err: err}
	case errors.Is(err, fiscal.Unavailable) && w.NoKey != nil && w.NoKey(err):
		err = &delivery.Unfit{Reason: delivery.NoKey, Err: err}
	}
	return id, room, false, err
}

// instants are those of receiving: UTC, all of one length.
const instants = "2006-01-02T15:04:05.000000Z07:00"

// appendHead appends what stands before the document. The ID comes first, so
// that a line can be told by its beginning.
func appendHead(b []byte, id string, rec *fiscal.Record) []byte {
	b = append(b, lineHead...)
	b = append(b, id...)
	b = append(b, `","register":`...)
	b = strconv.AppendInt(b, int64(rec.Register), 10)
	b = append(b, `,"entry":`...)
	b = strconv.AppendUint(b, uint64(rec.Number), 10)
	b = append(b, `,"received":"`...)
	b = rec.ReceivedAt.UTC().AppendFormat(b, instants)
	b = append(b, `","answered":`...)
	b = strconv.AppendUint(b, uint64(rec.Outcome), 10)
	b = append(b, `,"flags":[`...)
	for i, name := range rec.Flags.Names() {
		if i > 0 {
			b = append(b, ',')
		}
		b = strconv.AppendQuote(b, name)
	}
	return append(b, `],"document":`...)
}

// lineHead is how every line begins.
const lineHead = `{"id":"`

// dayOf names the folder of a document.
func dayOf(received time.Time) string { return received.UTC().Format(time.DateOnly) }
