package kkt

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math/bits"

	"openofd/internal/protocol/kkt/ffd"
)

// inspector walks a message and notes everything that is wrong with it. Unlike
// the parsers it goes on after an error where it can.
type inspector struct {
	Explanation
	message []byte
	behind  []byte // what follows the message
	service Service
	drive   DriveNumber // of the header; zero where there is none
	version PVersion    // of the header
}

func (x *inspector) add(s Severity, off int, field, rule, key, why string, kv ...any) {
	x.Findings = append(x.Findings, Finding{s, off, field, rule, why, key, args(kv...)})
}

func (x *inspector) fail(off int, field, rule, key, why string, kv ...any) {
	x.add(SeverityError, off, field, rule, key, why, kv...)
}

func (x *inspector) warn(off int, field, rule, key, why string, kv ...any) {
	x.add(SeverityWarning, off, field, rule, key, why, kv...)
}

// args makes a map of keys and values in turn.
func args(kv ...any) map[string]any {
	if len(kv) == 0 {
		return nil
	}
	m := make(map[string]any, len(kv)/2)
	for i := 0; i+1 < len(kv); i += 2 {
		m[kv[i].(string)] = kv[i+1]
	}
	return m
}

// header looks at the first 30 bytes and returns the body; more is false when
// there is nothing to go on with.
func (x *inspector) header() (body []byte, more bool) {
	b := x.message
	if len(b) < HeaderLen {
		x.fail(len(b), "header", ruleHeader, "header.short",
			fmt.Sprintf("the header has %d bytes, here are %d", HeaderLen, len(b)), "want", HeaderLen, "got", len(b))
		return nil, false
	}
	h, _ := ParseHeader(b)
	x.Header = headerFields(b, h)
	x.service, x.version = h.Service, h.Version
	if !x.signature(b, h) {
		return nil, false
	}
	x.Service = h.Service.String()
	if h.Drive.Valid() {
		x.drive = h.Drive
	}
	x.headerValues(h)
	body = b[HeaderLen:]
	if len(body) > int(h.Size) {
		body, x.behind = body[:h.Size], body[h.Size:]
		x.trailing(HeaderLen + int(h.Size))
	}
	x.size(h, body)
	x.sessionCRC(h, body)
	return body, len(body) > 0 && h.Service != ServiceKeys
}

// signature judges the first six bytes; false ends the explanation.
func (x *inspector) signature(b []byte, h Header) bool {
	if h.Service != ServiceUnknown {
		if h.Service == ServiceKeys {
			x.warn(0, "signature", ruleServices, "header.keys", "an update of marking keys, between drive and key service: an operator does not answer it unless it relays such messages")
		}
		return true
	}
	_, signed := serviceOf(b)
	swapped := []byte{b[3], b[2], b[1], b[0], b[4], b[5]}
	switch mirrored, _ := serviceOf(swapped); {
	case signed:
		x.fail(4, "S-version", ruleHeader, "header.sversion", fmt.Sprintf("% X belongs to no service of this signature: the connection is closed without a reply", b[4:6]), "got", fmt.Sprintf("% X", b[4:6]))
	case mirrored != ServiceUnknown:
		x.fail(0, "signature", ruleHeader, "header.signature.swapped", "the bytes are swapped: the signature is 2A 08 41 0A in this order")
	default:
		x.fail(0, "signature", ruleHeader, "header.signature", fmt.Sprintf("% X is no signature: the connection is closed without a reply", b[:4]), "got", fmt.Sprintf("% X", b[:4]))
	}
	return false
}

func (x *inspector) headerValues(h Header) {
	if l := (Limits{}); !l.takes(h) {
		x.fail(6, "P-version", rulePVersion, "header.pversion", fmt.Sprintf("%v is not taken: the connection is closed without a reply", h.Version), "got", h.Version.String())
	}
	if !h.Drive.Valid() {
		x.fail(8, "drive", ruleHeader, "header.drive", "the number of the drive is 1 to 16 ASCII digits with spaces behind")
	}
	if why := h.Flags.forbidden(); why != "" {
		x.fail(26, "flags", ruleFlags, "header.flags", why+" is forbidden: the connection is closed without a reply", "got", why)
	}
	if r := h.Flags.Reserved(); r != 0 {
		x.warn(26, "flags", ruleFlags, "header.flags.reserved", fmt.Sprintf("the reserved bits 0x%04X are set", uint16(r)), "got", uint16(r))
	}
}

func (x *inspector) size(h Header, body []byte) {
	size := int(h.Size)
	switch {
	case len(body) < size && int(bits.ReverseBytes16(h.Size)) == len(body):
		x.fail(24, "size", ruleHeader, "header.size.swapped", fmt.Sprintf("the bytes are swapped: integers are little-endian, so %d begins with %02X", len(body), byte(len(body))), "want", len(body))
	case len(body) < size:
		x.fail(len(x.message), "size", ruleErrors, "message.short", fmt.Sprintf("the header announces a body of %d bytes, here are %d", size, len(body)), "want", size, "got", len(body))
	case h.Flags.Container() && size == 0:
		x.fail(24, "size", ruleErrors, "header.size.zero", "a container is announced, but no body")
	case h.Flags.Container() && size < FrameHeaderLen:
		x.fail(24, "size", ruleErrors, "header.size.small", fmt.Sprintf("%d bytes are too few for a container, whose header has %d", size, FrameHeaderLen), "got", size, "want", FrameHeaderLen)
	case !h.Flags.Container() && size > 0 && h.Service != ServiceKeys:
		x.fail(26, "flags", ruleFlags, "header.flags.container", "there is a body, but bit 2 does not say that it is a container")
	case h.Service == ServiceMarkingTest && size > 0:
		x.fail(24, "size", ruleServices, "header.size.test", "a test of the receiving point is an empty message")
	case size == 0 && !h.Flags.Reply() && h.Flags.forbidden() == "":
		x.warn(26, "flags", ruleEmpty, "header.flags.reply", "an empty message is sent to get an answer, but the flags expect none")
	}
}

func (x *inspector) sessionCRC(h Header, body []byte) {
	if h.Flags.forbidden() != "" || len(body) < int(h.Size) {
		return
	}
	want := h.sum(body)
	switch {
	case h.CRC == want:
	case h.Flags&flagsCRC == 0:
		x.warn(28, "CRC", ruleHeader, "header.crc.unannounced", fmt.Sprintf("0x%04X, but the flags announce no CRC: it is 0 then", h.CRC), "got", h.CRC)
	case h.CRC == bits.ReverseBytes16(want):
		x.fail(28, "CRC", ruleCRC, "header.crc.swapped", fmt.Sprintf("the bytes are swapped: 0x%04X is %02X %02X", want, byte(want), byte(want>>8)), "want", want)
	default:
		x.fail(28, "CRC", ruleCRC, "header.crc", fmt.Sprintf("0x%04X, the bytes give 0x%04X", h.CRC, want), "got", h.CRC, "want", want)
	}
}

// trailing judges what stands behind a whole message.
func (x *inspector) trailing(end int) {
	if len(x.behind) >= 6 {
		if next, _ := serviceOf(x.behind); next != ServiceUnknown {
			x.warn(end, "size", ruleHeader, "message.next", fmt.Sprintf("the message ends here as size says; what follows (%d bytes) begins like another one and is not explained", len(x.behind)), "left", len(x.behind))
			return
		}
	}
	x.fail(end, "size", ruleHeader, "message.long", fmt.Sprintf("size ends the message here, but %d bytes follow: they would be read as the next header", len(x.behind)), "left", len(x.behind))
}

// frame looks at a container that begins at byte at.
func (x *inspector) frame(b []byte, at int) {
	if len(b) < FrameHeaderLen {
		if x.OK() {
			x.fail(at+len(b), "container", ruleContainer, "container.short", fmt.Sprintf("the header of a container has %d bytes, here are %d", FrameHeaderLen, len(b)), "want", FrameHeaderLen, "got", len(b))
		}
		return
	}
	f, _ := ParseFrameHeader(b)
	x.Container = frameFields(b, f)
	whole := x.Header == nil || int(x.Header.Size) == len(b)
	if whole {
		x.frameLength(f, b, at)
		x.frameCRC(f, b, at)
	}
	x.frameValues(f, b, at)
	switch {
	case f.Code.Answer():
		x.Direction = DirectionAnswer
	case f.Code.Reply() != 0:
		x.Direction = DirectionRequest
	}
	x.channel(f, at)
	if whole {
		x.payload(f, b[FrameHeaderLen:], at+FrameHeaderLen)
	}
}

func (x *inspector) frameLength(f FrameHeader, b []byte, at int) {
	switch length, have := int(f.Length), len(b); {
	case length == have:
	case length == have-FrameHeaderLen:
		x.fail(at, "container length", ruleContainer, "container.length.payload", fmt.Sprintf("%d counts the payload alone: the %d bytes of the header belong to it, so %d", length, FrameHeaderLen, have), "got", length, "want", have)
	case int(bits.ReverseBytes16(f.Length)) == have:
		x.fail(at, "container length", ruleContainer, "container.length.swapped", fmt.Sprintf("the bytes are swapped: integers are little-endian, so %d begins with %02X", have, byte(have)), "want", have)
	default:
		x.fail(at, "container length", ruleContainer, "container.length", fmt.Sprintf("%d, the container has %d bytes", length, have), "got", length, "want", have)
	}
}

func (x *inspector) frameCRC(f FrameHeader, b []byte, at int) {
	want := frameSum(b)
	zeroed := crcUpdate(crcUpdate(CRC16(b[:2]), []byte{0, 0}), b[4:])
	switch f.CRC {
	case want:
	case bits.ReverseBytes16(want):
		x.fail(at+2, "container CRC", ruleCRC, "container.crc.swapped", fmt.Sprintf("the bytes are swapped: 0x%04X is %02X %02X", want, byte(want), byte(want>>8)), "want", want)
	case zeroed:
		x.fail(at+2, "container CRC", ruleContainer, "container.crc.zeroed", "the sum was made with zeros in its own place: its two bytes are left out of it", "got", f.CRC, "want", want)
	default:
		x.fail(at+2, "container CRC", ruleContainer, "container.crc", fmt.Sprintf("0x%04X, the bytes give 0x%04X", f.CRC, want), "got", f.CRC, "want", want)
	}
}

func (x *inspector) frameValues(f FrameHeader, b []byte, at int) {
	if b[4] != FrameType {
		x.fail(at+4, "container type", ruleContainer, "container.type", fmt.Sprintf("%02X instead of A5", b[4]), "got", b[4])
	}
	if f.Version>>4 != 0 {
		x.fail(at+6, "container version", ruleContainer, "container.version", fmt.Sprintf("%02X: the high digit is 0 for a header of %d bytes", f.Version, FrameHeaderLen), "got", f.Version)
	}
	differs := x.drive != (DriveNumber{}) && f.Drive != x.drive
	switch {
	case f.Drive.Valid() && !differs:
	case f.Drive.Valid() && !asciiDigits(b[9:17]):
		x.fail(at+9, "container drive", ruleErrors, "container.drive.differs", fmt.Sprintf("%v, the header has %v: closed without a reply, and noted", f.Drive, x.drive), "got", f.Drive.String(), "want", x.drive.String())
	case asciiDigits(b[9:17]):
		x.fail(at+9, "container drive", ruleContainer, "container.drive.ascii", "these are ASCII digits: a container has two digits a byte, with F behind")
	default:
		x.fail(at+9, "container drive", ruleContainer, "container.drive", fmt.Sprintf("% X are no digits, two a byte, with F behind", b[9:17]))
	}
	if asciiDigits(b[17:20]) {
		x.warn(at+17, "document number", ruleContainer, "container.number.ascii", fmt.Sprintf("%q are ASCII digits: a container has the number in three bytes, big-endian; read as it stands it is %d", b[17:20], f.Number), "got", f.Number)
	}
}

func asciiDigits(b []byte) bool {
	return !bytes.ContainsFunc(b, func(r rune) bool { return r < '0' || r > '9' })
}

// channel judges whether such a document goes by such messages.
func (x *inspector) channel(f FrameHeader, at int) {
	right := ServiceDocuments
	switch {
	case f.Code == 0:
		x.fail(at+5, "document code", ruleDocuments, "container.code", "no document has the code 0")
		return
	case x.Header == nil:
		return
	case f.Code.marking():
		right = ServiceMarking
	}
	if right != x.service {
		x.fail(at+5, "document code", ruleMarking, "container.channel", fmt.Sprintf("a %v goes on the channel of %v, not of %v", f.Code, right, x.service), "got", x.service.String(), "want", right.String())
	}
}

// payload looks at what stands behind a container's header.
func (x *inspector) payload(f FrameHeader, b []byte, at int) {
	document, sign, err := cutPayload(b)
	if err != nil {
		x.fail(at+len(b), "payload", rulePayload, "payload.short", fmt.Sprintf("%d bytes are too few for a document, its message sign of %d bytes and two zeros", len(b), messageSignLen), "got", len(b))
		return
	}
	if code := binary.LittleEndian.Uint16(document); code != uint16(f.Code) && !x.looksPlain(document) {
		x.warn(at, "payload", rulePayload, "payload.encrypted", "it does not begin with a document: encrypted, as it seems; only the crypto module can open it")
		return
	}
	if tail := b[len(b)-2:]; tail[0]|tail[1] != 0 {
		x.warn(at+len(b)-2, "payload", rulePayload, "payload.tail", fmt.Sprintf("% X where two zeros were always seen", tail))
	}
	o, err := CheckDocument(f, document)
	x.Payload = payloadFields(document, sign, o)
	form := ffd.Explain(document, VersionOf(o.Version, 0, x.version), ffd.Circumstances{})
	x.Document, x.DocumentAt = &form, at
	x.document(f, document, at, err)
	if f.Code == CodeAck && x.OK() {
		a, err := ParseAck(document)
		if err != nil {
			x.syntax(err, at, ruleAck, "ack")
			return
		}
		x.Payload.Ack = ackFields(a)
	}
}

// looksPlain reports whether the first requisite of a payload fills it.
func (x *inspector) looksPlain(document []byte) bool {
	return int(binary.LittleEndian.Uint16(document[2:]))+tlvHead == len(document)
}

func (x *inspector) document(f FrameHeader, document []byte, at int, err error) {
	if most := f.Code.MaxDocument(); len(document)-tlvHead > most {
		x.fail(at+2, "document length", ruleLengths, "document.long", fmt.Sprintf("%d bytes, a %v has at most %d", len(document)-tlvHead, f.Code, most), "got", len(document)-tlvHead, "limit", most)
	}
	var syntax *SyntaxError
	if !errors.As(err, &syntax) {
		return
	}
	if syntax.Fault == FaultNumbers || syntax.Field == documentCode {
		x.syntax(err, at, ruleErrors, "document.differs")
		if syntax.Field == documentCode {
			x.Document.Code = uint8(ResponseUnreadable)
		}
		_, err = ParseOutline(document)
	}
	if err != nil {
		x.syntax(err, at, ruleTLV, "document.unreadable")
	}
}

// syntax makes a finding of a parser's error, whose offsets count from at.
func (x *inspector) syntax(err error, at int, rule, key string) {
	var syntax *SyntaxError
	if errors.As(err, &syntax) {
		x.fail(at+syntax.Off, syntax.Field, rule, key, syntax.Why)
	}
}
