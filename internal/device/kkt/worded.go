package kkt

import (
	"encoding/binary"
	"slices"

	"openofd/internal/fiscal"
	wire "openofd/internal/protocol/kkt"
	"openofd/internal/protocol/kkt/ffd"
)

// theDrives are the tags that Ready puts in front, and the sign.
var theDrives = []uint16{1041, 1040, 1012, 1038, 1042, 1077}

// FromJSON is a document in the words of the tax service's JSON, whose numbers,
// time and sign the drive gives: what the JSON says of them is passed over.
// Documents about marking codes are made by Ask and with the receipts they
// belong to. v is the version of a document that states none.
//
// Errors: Invalid, naming the member.
func FromJSON(text []byte, v ffd.Version) (Document, error) {
	b, err := ffd.FromJSON(text, v)
	if err != nil {
		return nil, err
	}
	form := ffd.Form(binary.LittleEndian.Uint16(b))
	if form.Marks() || form == ffd.Form(wire.CodeAck) {
		return nil, &fiscal.Error{Reason: fiscal.BadValue, Field: form.String(), Msg: "no document that waits for an acknowledgement"}
	}
	r := Ready{Kind: wire.DocCode(form)}
	for rest := b[4:]; len(rest) >= 4; { // heads of four bytes: the tag, and the length of what follows
		n := 4 + int(binary.LittleEndian.Uint16(rest[2:]))
		if !slices.Contains(theDrives, binary.LittleEndian.Uint16(rest)) {
			r.Requisites = append(r.Requisites, rest[:n]...)
		}
		rest = rest[n:]
	}
	return r, nil
}
