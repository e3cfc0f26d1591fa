package kkt

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"openofd/internal/fiscal"
	"openofd/internal/protocol/kkt/ffd"
)

// Reader opens stored entries. Its module is asked for encrypted ones alone.
type Reader struct {
	Module CryptoModule // nil: encrypted entries cannot be opened
}

// Read opens a stored record. Decoders are kept for ever; a record that cannot
// be opened is Corrupt, one whose keys are not to be had Unavailable. A document
// that could not be read when it came is opened as far as its columns tell.
func (r Reader) Read(rec *fiscal.Record) (fiscal.Document, error) {
	if rec.Format == fiscal.FormatAct {
		act, err := fiscal.ReadAct(rec)
		return fiscal.Document{Record: *rec, Act: act}, err
	}
	if rec.Kind == fiscal.DocUnreadable {
		return fiscal.Document{Record: *rec}, nil
	}
	if strings.HasSuffix(rec.Format, opaqueFormat) {
		return fiscal.Document{Record: *rec}, nil
	}
	doc, err := r.parse(rec)
	if err != nil {
		return fiscal.Document{Record: *rec}, err
	}
	d := doc.Open()
	d.Record = *rec
	if d.Receipt != nil {
		d.Receipt.Time = rec.DeviceTime // the time that was settled on
	}
	return d, nil
}

// Check compares the columns of a stored document with its bytes.
//
// Errors: Corrupt, Unavailable.
func (r Reader) Check(rec *fiscal.Record) error {
	if rec.Kind == fiscal.DocUnreadable || strings.HasSuffix(rec.Format, opaqueFormat) {
		return nil
	}
	doc, err := r.parse(rec)
	if err != nil {
		return err
	}
	var made fiscal.Record
	doc.Fill(&made)
	if rec.Kind.Marking() {
		made.Kind = doc.Form.Kind() // also where the rest cannot be read
	}
	if made.FiscalSign != rec.FiscalSign || made.Kind != rec.Kind || made.Op != rec.Op || made.Total != rec.Total {
		return corrupt(rec, "the columns say something else than the document")
	}
	return nil
}

func (r Reader) parse(rec *fiscal.Record) (*ffd.Document, error) {
	version, sealed, ok := parseFormat(rec.Format)
	if !ok {
		return nil, corrupt(rec, "format "+rec.Format+" is not of this protocol")
	}
	o, err := r.open(rec.Request, sealed)
	var crypto CryptoError
	if errors.As(err, &crypto) && crypto.Fault() == FaultNone {
		return nil, &fiscal.Error{Of: fiscal.Unavailable, Field: place(rec), Msg: "the document is encrypted", Err: err}
	}
	if err != nil {
		return nil, &fiscal.Error{Of: fiscal.Corrupt, Field: place(rec), Msg: "the document cannot be opened", Err: err}
	}
	doc, err := ffd.Parse(o.Document, version)
	if err != nil && !rec.Kind.Marking() { // what passes to the marking system need not be readable
		return nil, &fiscal.Error{Of: fiscal.Corrupt, Field: place(rec), Msg: "the document cannot be read", Err: err}
	}
	return doc, nil
}

// parseFormat takes the format of an entry apart; ok is false for one that is
// not of this protocol.
func parseFormat(format string) (version ffd.Version, sealed, ok bool) {
	name, sealed := strings.CutSuffix(format, sealedFormat)
	name, ok = strings.CutPrefix(name, "kkt/")
	version = ffd.ParseVersion(name)
	return version, sealed, ok && version.Known()
}

// open opens a stored message: the document and its message sign.
func (r Reader) open(message []byte, sealed bool) (Opened, error) {
	h, err := ParseHeader(message)
	if err != nil {
		return Opened{}, err
	}
	f, err := ParseFrame(message[HeaderLen:])
	switch {
	case err != nil:
		return Opened{}, err
	case !sealed:
		document, sign, err := cutPayload(f.Payload())
		return Opened{Frame: f.FrameHeader, Document: document, Sign: sign}, err
	case r.Module == nil:
		return Opened{}, ErrKeyUnavailable
	case h.Service == ServiceMarking:
		return r.Module.OpenMarking(context.Background(), f)
	}
	return r.Module.OpenContainer(context.Background(), f, h.Version)
}

func place(rec *fiscal.Record) string {
	return fmt.Sprintf("entry %d of register %d", rec.Number, rec.Register)
}

func corrupt(rec *fiscal.Record, why string) error {
	return &fiscal.Error{Of: fiscal.Corrupt, Field: place(rec), Msg: why}
}
