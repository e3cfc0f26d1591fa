package kkt

import (
	"errors"

	"openofd/internal/fiscal"
	"openofd/internal/protocol/kkt/ffd"
)

// AppendJSON appends a stored document as the tax service reads it, with its
// message sign and the bytes that came. Documents of all versions stand alone,
// in no member "document" around them.
//
// Errors: Invalid for a record that is no document of a drive, or one that
// could not be read when it came; Corrupt for one whose bytes are not what came;
// a CryptoError that wraps Unavailable where the keys are not to be had.
//
// Source: KKT reference §12.2.
func (r Reader) AppendJSON(b []byte, rec *fiscal.Record) ([]byte, error) {
	if rec.Kind == fiscal.DocUnreadable {
		return b, &fiscal.Error{Of: fiscal.Invalid, Field: place(rec), Msg: "the document could not be read when it came"}
	}
	version, sealed, ok := parseFormat(rec.Format)
	if !ok {
		return b, &fiscal.Error{Of: fiscal.Invalid, Field: place(rec), Msg: "format " + rec.Format + " is not of this protocol"}
	}
	o, err := r.open(rec.Request, sealed)
	var crypto CryptoError
	switch {
	case errors.As(err, &crypto) && crypto.Fault() == FaultNone:
		return b, err
	case err != nil:
		return b, &fiscal.Error{Of: fiscal.Corrupt, Field: place(rec), Msg: "the document cannot be opened", Err: err}
	}
	doc, err := ffd.Parse(o.Document, version)
	if err != nil {
		return b, &fiscal.Error{Of: fiscal.Corrupt, Field: place(rec), Msg: "the document cannot be read", Err: err}
	}
	return doc.AppendJSON(b, ffd.JSON{Sign: o.Sign[:]}), nil
}
