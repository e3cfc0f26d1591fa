package kkt_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"strings"
	"testing"

	"openofd/internal/fiscal"
	"openofd/internal/protocol/kkt"
	"openofd/internal/protocol/kkt/ffd"
	"openofd/internal/testkit"
)

func drive(t testing.TB, s string) kkt.DriveNumber {
	t.Helper()
	d, err := kkt.ParseDriveNumber(s)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// Each format tells a failure in its own way, and only what the authority
// orders stands beside it.
//
// Req: F-005
func TestAckVerdict(t *testing.T) {
	h := kkt.FrameHeader{Drive: drive(t, "9999078902001234"), Number: 60}
	tests := []struct {
		format   ffd.Version
		response kkt.Response
		message  kkt.OperatorMessage // beside the verdict
		want     string              // what stands behind 1012
	}{
		{ffd.V100, kkt.ResponseAccepted, 0, "2c040500fe03010000"},
		{ffd.V105, kkt.ResponseAccepted, 0, "2c040500fe03010000"},
		{ffd.V105, kkt.ResponseUnreadable, 0, "2c040500fe0301000b"},
		{ffd.V105, kkt.ResponseRules, 0, "2c040500fe0301000e"},
		{ffd.V105, kkt.ResponseAccepted, kkt.MessageCabinet, "2c040500fe03010000"},
		{ffd.V110, kkt.ResponseAccepted, 0, ""},
		{ffd.V110, kkt.ResponseUnreadable, 0, "b604010002"},
		{ffd.V120, kkt.ResponseRules, 0, "b604010002"},
		{ffd.V120, kkt.ResponseAccepted, kkt.MessageConnection, "b604010040"},
		{ffd.V120, kkt.ResponseRules, kkt.MessageConnection | kkt.MessageCeases, "b6040100c2"},
	}
	const before = "f9030c003737303432313132303120201104100039393939303738393032303031323334" +
		"100404003c000000" + "f4030400145d2069"
	for _, tt := range tests {
		a := kkt.NewAck(operatorINN, h, tt.format, 1763728660, tt.response)
		a.Message |= tt.message
		b, err := a.AppendRequisites(nil)
		if err != nil {
			t.Fatal(err)
		}
		if got := hex.EncodeToString(b); got != before+tt.want {
			t.Errorf("%v, %d, %d: requisites = %s, want %s%s", tt.format, tt.response, tt.message, got, before, tt.want)
		}
		if a.Accepted() != (tt.response == kkt.ResponseAccepted) {
			t.Errorf("%v, %d: Accepted() = %v", tt.format, tt.response, a.Accepted())
		}
	}
}

func TestAckThatCannotBeWritten(t *testing.T) {
	h := kkt.FrameHeader{Drive: drive(t, "9999078902001234"), Number: 60}
	for _, operator := range []string{"", "770421120", "77042112011", "77042112O1", "7704211201  ", "1234567890123"} {
		a := kkt.NewAck(operator, h, ffd.V120, 1, kkt.ResponseAccepted)
		if _, err := a.AppendRequisites(nil); !errors.Is(err, fiscal.Invalid) {
			t.Errorf("operator %q: %v, want Invalid", operator, err)
		}
	}
	for _, at := range []fiscal.WallTime{0, -1, 1 << 32} {
		a := kkt.NewAck(operatorINN, h, ffd.V120, at, kkt.ResponseAccepted)
		if _, err := a.Seal(t.Context(), sim1(), nil, kkt.Header{}, kkt.Opened{Frame: h}); !errors.Is(err, fiscal.Invalid) {
			t.Errorf("time %d: %v, want Invalid", at, err)
		}
	}
}

// The format follows from the document, else from the registration, else from
// the P-version.
//
// Req: F-005, F-006
func TestVersionOf(t *testing.T) {
	tests := []struct {
		document, registered ffd.Version
		p                    kkt.PVersion
		want                 ffd.Version
	}{
		{ffd.V105, ffd.V120, kkt.P110, ffd.V105}, // a captured message: P-version 00 01, 1209 is 2
		{0, ffd.V110, kkt.P105, ffd.V110},
		{9, ffd.V110, kkt.P105, ffd.V120}, // of a version to come
		{0, 0, kkt.P105, ffd.V105},
		{0, 0, kkt.P110, ffd.V110},
		{0, 0, kkt.P120, ffd.V120},
		{0, 0, kkt.P100, ffd.V100},
		{0, 0, kkt.POld1, ffd.V100},
	}
	for _, tt := range tests {
		if got := kkt.VersionOf(tt.document, tt.registered, tt.p); got != tt.want {
			t.Errorf("VersionOf(%v, %v, %v) = %v, want %v", tt.document, tt.registered, tt.p, got, tt.want)
		}
	}
}

// A drive takes what was meant for it and nothing else. Each answer is the
// right one with a single fault; the container's CRC is right unless it is the
// fault.
func TestJudge(t *testing.T) {
	v := testkit.KKTVectorNamed(t, "open-shift-1.05")
	sent, err := receive(v.Message, sim1(), kkt.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	good := v.Want.Frame[kkt.HeaderLen:]
	swap := func(old, new string) []byte {
		a, _ := hex.DecodeString(strings.ReplaceAll(old, " ", ""))
		b, _ := hex.DecodeString(strings.ReplaceAll(new, " ", ""))
		if bytes.Count(good, a) != 1 {
			t.Fatalf("%q stands %d times in the answer", old, bytes.Count(good, a))
		}
		return bytes.Replace(good, a, b, 1)
	}
	at := func(i int, c byte) []byte {
		b := bytes.Clone(good)
		b[i] = c
		return b
	}
	resum := func(b []byte) []byte {
		b = bytes.Clone(b)
		b[0], b[1] = byte(len(b)), byte(len(b)>>8)
		crc := kkt.CRC16(append(bytes.Clone(b[:2]), b[4:]...))
		b[2], b[3] = byte(crc), byte(crc>>8)
		return b
	}
	// resign signs what resum makes whole, so that only the fault is left.
	resign := func(b []byte) []byte {
		o := kkt.Opened{Frame: sent.frame.FrameHeader}
		requisites := b[kkt.FrameHeaderLen+4 : len(b)-10-22]
		out, err := sim1().SealAcknowledgement(t.Context(), nil, o, requisites)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	other := sent.frame.FrameHeader
	other.Number++
	tests := []struct {
		name  string
		frame []byte
		want  kkt.RejectReason // 0: taken
	}{
		{"as sealed", good, 0},
		{"sealed again", resign(good), 0},
		{"31 bytes", good[:31], kkt.RejectLength},
		{"a byte short", good[:len(good)-1], kkt.RejectLength},
		{"a byte more", append(bytes.Clone(good), 0), kkt.RejectLength},
		{"no payload", resum(good[:32]), kkt.RejectLength},
		{"CRC", at(3, good[3]^1), kkt.RejectCRC},
		{"type", resum(at(4, 0x5A)), kkt.RejectFormat},
		{"version", resum(at(6, 0x21)), kkt.RejectFormat},
		{"drive", resum(at(16, 0x35)), kkt.RejectDrive},
		{"drive not digits", resum(at(16, 0xAB)), kkt.RejectDrive},
		{"number", resum(at(19, 5)), kkt.RejectNumber},
		{"number in ASCII, as a known stub has it", resum(append(append(bytes.Clone(good[:17]), "004"...), good[20:]...)), kkt.RejectNumber},
		{"kind in the header", resum(at(5, 3)), kkt.RejectFormat},
		{"kind in the document", resum(at(32, 3)), kkt.RejectFormat},
		{"drive in the document", resign(swap("1104 1000 39", "1104 1000 38")), kkt.RejectDrive},
		{"number in the document", resign(swap("1004 0400 04", "1004 0400 05")), kkt.RejectNumber},
		{"no number in the document", resign(swap("1004 0400 04000000", "")), kkt.RejectFormat},
		{"INN absent", resign(swap("f903 0c00 373730343231313230312020", "")), kkt.RejectFormat},
		{"INN of letters", resign(swap("f903 0c00 37", "f903 0c00 41")), kkt.RejectFormat},
		{"verdict of two bytes", resign(swap("2c04 0500 fe03 0100 00", "2c04 0600 fe03 0200 0000")), kkt.RejectFormat},
		{"a requisite more", resign(swap("2c04 0500 fe03 0100 00", "2c04 0500 fe03 0100 00 cf07 0100 00")), 0},
		{"time of three bytes", resign(swap("f403 0400 e8422069", "f403 0300 e84220")), kkt.RejectFormat},
		{"number twice", resign(swap("1004 0400 04000000", "1004 0400 04000000 1004 0400 04000000")), kkt.RejectFormat},
		{"length lies", resum(at(34, good[34]+1)), kkt.RejectFormat},
		{"confirmation sign", resum(at(len(good)-3, good[len(good)-3]^1)), kkt.RejectSign},
		{"operator's sign", resum(at(len(good)-11, good[len(good)-11]^1)), kkt.RejectSign},
		{"verdict changed on the way", resum(swap("fe03 0100 00", "fe03 0100 0e")), kkt.RejectSign},
		{"too long", resign(append(append(bytes.Clone(good[:36]), bytes.Repeat([]byte{0xCF, 7, 0, 0}, 120)...), good[36:]...)), kkt.RejectLength},
	}
	for _, tt := range tests {
		a, err := kkt.Judge(tt.frame, sent.frame.FrameHeader, sim1())
		checkReason(t, tt.name, err, tt.want)
		if err == nil && (!a.Ack.Accepted() || a.Ack.Number != 4 || a.Ack.Operator != operatorINN || a.Ack.Time != 1763721960) {
			t.Errorf("%s: acknowledgement reads as %+v", tt.name, a.Ack)
		}
	}
	_, err = kkt.Judge(good, other, sim1())
	checkReason(t, "an answer to the document before", err, kkt.RejectNumber)
	_, err = kkt.Judge(good, sent.frame.FrameHeader, kkt.NewSIM1([32]byte{1}))
	checkReason(t, "another key", err, kkt.RejectSign)
	_, err = kkt.Judge(good, kkt.FrameHeader{Drive: other.Drive, Number: 4, Code: kkt.CodeMarkingRequest}, sim1())
	checkReason(t, "an acknowledgement for a marking request", err, kkt.RejectFormat)
	_, err = kkt.Judge(good, kkt.FrameHeader{Drive: other.Drive, Number: 4, Code: kkt.CodeAck}, sim1())
	checkReason(t, "an answer to an answer", err, kkt.RejectFormat)
}

func checkReason(t *testing.T, name string, err error, want kkt.RejectReason) {
	t.Helper()
	var r *kkt.Rejection
	switch {
	case err == nil && want == 0:
	case !errors.As(err, &r):
		t.Errorf("%s: Judge = %v, want reason %d", name, err, want)
	case r.Reason != want:
		t.Errorf("%s: Judge = %v, want reason %d (%v)", name, r, want, want)
	}
}

// An answer made for another message is not taken for this one's.
func TestParseAnswer(t *testing.T) {
	v := testkit.KKTVectorNamed(t, "open-shift-1.05")
	request, err := kkt.ParseHeader(v.Message)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := kkt.ParseHeader(v.Want.Frame)
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name string
		with func(*kkt.Header)
		want kkt.Fault
	}{
		{"as sent", func(*kkt.Header) {}, kkt.FaultNone},
		{"service", func(h *kkt.Header) { h.Service = kkt.ServiceMarking }, kkt.FaultService},
		{"P-version", func(h *kkt.Header) { h.Version = kkt.P120 }, kkt.FaultVersion},
		{"drive", func(h *kkt.Header) { h.Drive[0] = '8' }, kkt.FaultDrives},
		{"size", func(h *kkt.Header) { h.Size++ }, kkt.FaultTruncated},
		{"CRC", func(h *kkt.Header) { h.Flags |= kkt.FlagBodyCRC }, kkt.FaultChecksum},
	}
	for _, tt := range tests {
		h := answer
		tt.with(&h)
		_, err := kkt.ParseAnswer(request, h, v.Want.Frame[kkt.HeaderLen:])
		var syntax *kkt.SyntaxError
		got := kkt.FaultNone
		if errors.As(err, &syntax) {
			got = syntax.Fault
		}
		if got != tt.want {
			t.Errorf("%s: ParseAnswer = %v, want fault %v", tt.name, err, tt.want)
		}
	}
}
