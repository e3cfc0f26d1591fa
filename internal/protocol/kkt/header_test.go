package kkt_test

import (
	"bytes"
	"errors"
	"testing"

	"openofd/internal/fiscal"
	"openofd/internal/protocol/kkt"
	"openofd/internal/testkit"
)

// head is the header of a good message.
func head(t testing.TB) []byte {
	t.Helper()
	return bytes.Clone(testkit.KKTVectorNamed(t, "receipt-1.2-measure-kg").Message[:kkt.HeaderLen])
}

func TestAdmit(t *testing.T) {
	edit := func(changes ...byte) []byte { // pairs of place and value
		b := head(t)
		for i := 0; i+1 < len(changes); i += 2 {
			b[changes[i]] = changes[i+1]
		}
		return b
	}
	marking := func(second, third byte, rest ...byte) []byte {
		b := edit(append([]byte{6, 0, 7, 1, 24, 100, 25, 0}, rest...)...)
		copy(b, []byte{0xDD, 0x80, 0xCA, 0xA1, second, third})
		return b
	}
	withCRC := func(b []byte, flags byte) []byte {
		b[26] = flags
		crc := kkt.CRC16(b[:28])
		b[28], b[29] = byte(crc), byte(crc>>8)
		return b
	}
	empty := []byte{24, 0, 25, 0}
	tests := []struct {
		name   string
		head   []byte
		limits kkt.Limits
		want   kkt.Admission
		fault  kkt.Fault
	}{
		{"as sent", head(t), kkt.Limits{}, kkt.AdmitRead, 0},
		{"29 bytes", head(t)[:29], kkt.Limits{}, kkt.AdmitDrop, kkt.FaultTruncated},
		{"TLS", append([]byte{0x16, 3, 1, 2}, head(t)[4:]...), kkt.Limits{}, kkt.AdmitDrop, kkt.FaultSignature},
		{"signature swapped", edit(0, 0x08, 1, 0x2A), kkt.Limits{}, kkt.AdmitDrop, kkt.FaultSignature},
		{"S-version", edit(5, 0xA3), kkt.Limits{}, kkt.AdmitDrop, kkt.FaultService},
		{"1.0", edit(6, 1, 7, 0), kkt.Limits{}, kkt.AdmitRead, 0},
		{"1.0 of old", edit(6, 0, 7, 1), kkt.Limits{}, kkt.AdmitRead, 0},
		{"1.0 older still", edit(6, 0, 7, 2), kkt.Limits{}, kkt.AdmitRead, 0},
		{"1.05", edit(6, 1, 7, 5), kkt.Limits{}, kkt.AdmitRead, 0},
		{"1.1", edit(6, 1, 7, 0x10), kkt.Limits{}, kkt.AdmitRead, 0},
		{"1.3", edit(6, 1, 7, 0x30), kkt.Limits{}, kkt.AdmitDrop, kkt.FaultVersion},
		{"P-version swapped", edit(6, 0x20, 7, 1), kkt.Limits{}, kkt.AdmitDrop, kkt.FaultVersion},
		{"1.3 where it is taken", edit(6, 1, 7, 0x30), kkt.Limits{Versions: []kkt.PVersion{0x0130}}, kkt.AdmitRead, 0},
		{"1.2 where it is not", head(t), kkt.Limits{Versions: []kkt.PVersion{kkt.P105}}, kkt.AdmitDrop, kkt.FaultVersion},
		{"drive of 10 digits", edit(18, ' ', 19, ' ', 20, ' ', 21, ' ', 22, ' ', 23, ' '), kkt.Limits{}, kkt.AdmitRead, 0},
		{"letter in the drive", edit(10, 'A'), kkt.Limits{}, kkt.AdmitDrop, kkt.FaultDriveNumber},
		{"space in the drive", edit(10, ' '), kkt.Limits{}, kkt.AdmitDrop, kkt.FaultDriveNumber},
		{"no drive", append(append(head(t)[:8], bytes.Repeat([]byte{' '}, 16)...), head(t)[24:]...), kkt.Limits{}, kkt.AdmitDrop, kkt.FaultDriveNumber},
		{"CRC mode 11", edit(26, 0x17), kkt.Limits{}, kkt.AdmitDrop, kkt.FaultFlags},
		{"reply mode 10", edit(26, 0x24), kkt.Limits{}, kkt.AdmitDrop, kkt.FaultFlags},
		{"reply mode 11", edit(26, 0x34), kkt.Limits{}, kkt.AdmitDrop, kkt.FaultFlags},
		{"no reply expected", edit(26, 0x04), kkt.Limits{}, kkt.AdmitRead, 0},
		{"priority and reserved bits", edit(26, 0xDC, 27, 0xFF), kkt.Limits{}, kkt.AdmitRead, 0},
		{"CRC though none is announced", edit(28, 1, 29, 2), kkt.Limits{}, kkt.AdmitRead, 0},
		{"CRC of the header", withCRC(head(t), 0x15), kkt.Limits{}, kkt.AdmitRead, 0},
		{"wrong CRC of the header", edit(26, 0x15), kkt.Limits{}, kkt.AdmitDrop, kkt.FaultChecksum},
		{"CRC of header and body is looked at later", edit(26, 0x16), kkt.Limits{}, kkt.AdmitRead, 0},
		{"largest body", edit(24, 0xFF, 25, 0xFF), kkt.Limits{}, kkt.AdmitRead, 0},
		{"body above the limit", edit(24, 0x01, 25, 0x10), kkt.Limits{MaxBody: 4096}, kkt.AdmitDrop, kkt.FaultSize},
		{"body at the limit", edit(24, 0x00, 25, 0x10), kkt.Limits{MaxBody: 4096}, kkt.AdmitRead, 0},
		{"body of 31 bytes", edit(24, 31, 25, 0), kkt.Limits{}, kkt.AdmitDrop, kkt.FaultSize},
		{"body of 32 bytes", edit(24, 32, 25, 0), kkt.Limits{}, kkt.AdmitRead, 0},
		{"container without a body", edit(empty...), kkt.Limits{}, kkt.AdmitDrop, kkt.FaultSize},
		{"body without a container", edit(26, 0x10), kkt.Limits{}, kkt.AdmitDrop, kkt.FaultSize},
		{"empty", edit(append(empty, 26, 0x10)...), kkt.Limits{}, kkt.AdmitEmpty, 0},
		{"empty, no reply expected", edit(append(empty, 26, 0x00)...), kkt.Limits{}, kkt.AdmitEmpty, 0},
		{"empty with CRC", withCRC(edit(empty...), 0x01), kkt.Limits{}, kkt.AdmitEmpty, 0},
		{"empty with CRC of the body", withCRC(edit(empty...), 0x12), kkt.Limits{}, kkt.AdmitEmpty, 0},
		{"empty with wrong CRC of the body", edit(append(empty, 26, 0x12)...), kkt.Limits{}, kkt.AdmitDrop, kkt.FaultChecksum},
		{"marking", marking(0x82, 0xA2), kkt.Limits{}, kkt.AdmitRead, 0},
		{"marking with a P-version of documents", marking(0x82, 0xA2, 6, 1, 7, 0x20), kkt.Limits{}, kkt.AdmitDrop, kkt.FaultVersion},
		{"marking test", marking(0x82, 0xFB, 24, 0, 26, 0x10), kkt.Limits{}, kkt.AdmitEmpty, 0},
		{"marking test with a body", marking(0x82, 0xFB), kkt.Limits{}, kkt.AdmitDrop, kkt.FaultSize},
		{"keys", marking(0x82, 0xA1), kkt.Limits{}, kkt.AdmitDrop, kkt.FaultService},
		{"keys, relayed", marking(0x82, 0xA1, 24, 5, 26, 0x10), kkt.Limits{Keys: true}, kkt.AdmitRead, 0},
		{"keys under the documents' signature", edit(5, 0xA1), kkt.Limits{}, kkt.AdmitDrop, kkt.FaultService},
	}
	for _, tt := range tests {
		h, got, err := tt.limits.Admit(tt.head)
		var syntax *kkt.SyntaxError
		fault := kkt.FaultNone
		if errors.As(err, &syntax) {
			fault = syntax.Fault
		}
		if got != tt.want || fault != tt.fault || (err != nil) != (got == kkt.AdmitDrop) {
			t.Errorf("%s: Admit(%x) = %v, %v, want %v, %v", tt.name, tt.head, got, err, tt.want, tt.fault)
		}
		if err != nil {
			if !errors.Is(err, fiscal.Invalid) || kkt.ReactionTo(err) != kkt.ReactClose {
				t.Errorf("%s: error %v is not Invalid, or reaction %v is not close", tt.name, err, kkt.ReactionTo(err))
			}
			continue
		}
		if b, _ := h.AppendBinary(nil); !bytes.Equal(b, tt.head) {
			t.Errorf("%s: AppendBinary = %x, want %x", tt.name, b, tt.head)
		}
	}
}

// The rules of the container and of both parts together, each broken alone.
func TestParseRequest(t *testing.T) {
	receipt := testkit.KKTVectorNamed(t, "receipt-1.2-measure-kg").Message
	request := testkit.KKTVectorNamed(t, "mark-request-81").Message
	// changed is a message with changes in its container, whose CRC is right.
	changed := func(message []byte, changes ...byte) []byte {
		b := bytes.Clone(message)
		frame := b[kkt.HeaderLen:]
		for i := 0; i+1 < len(changes); i += 2 {
			frame[changes[i]] = changes[i+1]
		}
		crc := kkt.CRC16(append(bytes.Clone(frame[:2]), frame[4:]...))
		frame[2], frame[3] = byte(crc), byte(crc>>8)
		return b
	}
	bodyCRC := bytes.Clone(testkit.KKTVectorNamed(t, "receipt-1.1-full-crc").Message)
	bodyCRC[len(bodyCRC)-1] ^= 1
	tests := []struct {
		name    string
		message []byte
		want    kkt.Fault
	}{
		{"as sent", receipt, kkt.FaultNone},
		{"one byte short", receipt[:len(receipt)-1], kkt.FaultTruncated},
		{"one byte more", append(bytes.Clone(receipt), 0), kkt.FaultSize},
		{"CRC of the body", bodyCRC, kkt.FaultChecksum},
		{"container length", changed(receipt, 0, receipt[kkt.HeaderLen]+1), kkt.FaultFrameLength},
		{"container type", changed(receipt, 4, 0x5A), kkt.FaultFrameType},
		{"container version 2", changed(receipt, 6, 2), kkt.FaultNone},
		{"container version 17", changed(receipt, 6, 0x11), kkt.FaultFrameVersion},
		{"service data", changed(receipt, 7, 0xFF, 8, 0xFF, 20, 0xFF), kkt.FaultNone},
		{"drive with a nibble A", changed(receipt, 9, 0xA9), kkt.FaultDriveNumber},
		{"drive with a digit behind the padding", changed(receipt, 15, 0xFF), kkt.FaultDriveNumber},
		{"another drive", changed(receipt, 16, 0x99), kkt.FaultDrives},
		{"a drive of 15 digits", changed(receipt, 16, 0x3F), kkt.FaultDrives},
		{"an unknown document", changed(receipt, 5, 22), kkt.FaultNone},
		{"no document", changed(receipt, 5, 0), kkt.FaultCode},
		{"an acknowledgement", changed(receipt, 5, 7), kkt.FaultCode},
		{"a marking request as a document", changed(receipt, 5, 81), kkt.FaultCode},
		{"marking", request, kkt.FaultNone},
		{"a receipt on the marking channel", changed(request, 5, 3), kkt.FaultCode},
		{"a marking answer on the marking channel", changed(request, 5, 83), kkt.FaultCode},
	}
	for _, tt := range tests {
		h, err := kkt.ParseHeader(tt.message)
		if err != nil {
			t.Fatalf("%s: %v", tt.name, err)
		}
		_, err = kkt.ParseRequest(h, tt.message[kkt.HeaderLen:])
		var syntax *kkt.SyntaxError
		got := kkt.FaultNone
		if errors.As(err, &syntax) {
			got = syntax.Fault
		}
		if got != tt.want {
			t.Errorf("%s: ParseRequest = %v, want fault %v", tt.name, err, tt.want)
		}
	}
}

func TestDriveNumber(t *testing.T) {
	for _, s := range []string{"9", "9999078950", "999907891234567", "9999078902001234"} {
		d, err := kkt.ParseDriveNumber(s)
		if err != nil || d.String() != s {
			t.Errorf("ParseDriveNumber(%q) = %v, %v", s, d, err)
		}
		b, err := kkt.AppendFrame(nil, kkt.FrameHeader{Drive: d, Version: 1})
		if err != nil {
			t.Fatal(err)
		}
		if f, err := kkt.ParseFrame(b); err != nil || f.Drive != d {
			t.Errorf("%s in a container reads back as %v, %v", s, f.Drive, err)
		}
		text, _ := d.MarshalText()
		var back kkt.DriveNumber
		if err := back.UnmarshalText(text); err != nil || back != d {
			t.Errorf("UnmarshalText(%q) = %v, %v", text, back, err)
		}
	}
	for _, s := range []string{"", " ", "99990789020012345", "12a", "12 3", "12 ", "１２"} {
		if d, err := kkt.ParseDriveNumber(s); !errors.Is(err, fiscal.BadValue) {
			t.Errorf("ParseDriveNumber(%q) = %v, %v, want an error", s, d, err)
		}
	}
	var none kkt.DriveNumber
	if err := none.UnmarshalText(nil); err != nil || none != (kkt.DriveNumber{}) {
		t.Errorf("UnmarshalText(nil) = %v, %v", none, err)
	}
}

// What does not fit is refused, never cut.
func TestAppendTooMuch(t *testing.T) {
	dst := []byte("before")
	if b, err := kkt.AppendFrame(dst, kkt.FrameHeader{}, make([]byte, kkt.MaxFrame-kkt.FrameHeaderLen+1)); !errors.Is(err, fiscal.Invalid) || len(b) != len(dst) {
		t.Errorf("AppendFrame of too much = %d bytes, %v", len(b), err)
	}
	if _, err := kkt.AppendFrame(dst, kkt.FrameHeader{Number: kkt.MaxNumber + 1}); !errors.Is(err, fiscal.Invalid) {
		t.Errorf("AppendFrame of number 2^24 = %v", err)
	}
	if b, err := kkt.AppendMessage(dst, kkt.Header{}, make([]byte, kkt.MaxFrame+1)); !errors.Is(err, fiscal.Invalid) || len(b) != len(dst) {
		t.Errorf("AppendMessage of too much = %d bytes, %v", len(b), err)
	}
	if b, err := kkt.AppendFrame(nil, kkt.FrameHeader{Number: kkt.MaxNumber}, make([]byte, kkt.MaxFrame-kkt.FrameHeaderLen)); err != nil || len(b) != kkt.MaxFrame {
		t.Errorf("AppendFrame of the largest = %d bytes, %v", len(b), err)
	}
}
