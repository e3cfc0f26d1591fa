package kkt_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"strings"
	"testing"

	"openofd/internal/protocol/kkt"
	"openofd/internal/testkit"
)

// part is one line of the vectors of parts.
func part(t *testing.T, name string) testkit.KKTPart {
	t.Helper()
	for _, p := range testkit.KKTParts(t) {
		if p.Name == name {
			return p
		}
	}
	t.Fatalf("no part %q", name)
	return testkit.KKTPart{}
}

func TestCRC(t *testing.T) {
	p := part(t, "crc16-check")
	var want uint16
	if err := json.Unmarshal(p.Value, &want); err != nil {
		t.Fatal(err)
	}
	if got := kkt.CRC16(p.Bytes); got != want {
		t.Errorf("CRC16(%q) = 0x%04X, want 0x%04X", p.Bytes, got, want)
	}
	// Eight bytes at a time and one at a time agree at every length.
	long := bytes.Repeat([]byte("fiscal \x00\xFF"), 20)
	for n := range long {
		crc := uint16(0xFFFF)
		for _, c := range long[:n] {
			crc ^= uint16(c) << 8
			for range 8 {
				if crc&0x8000 != 0 {
					crc = crc<<1 ^ 0x1021
				} else {
					crc <<= 1
				}
			}
		}
		if got := kkt.CRC16(long[:n]); got != crc {
			t.Fatalf("CRC16 of %d bytes = 0x%04X, want 0x%04X", n, got, crc)
		}
	}
}

func TestCapturedHeader(t *testing.T) {
	p := part(t, "capture-session-header")
	var want struct {
		Signature, SVersion, PVersion, FN string
		BodySize, Flags, CRC              uint16
	}
	if err := json.Unmarshal(p.Value, &want); err != nil {
		t.Fatal(err)
	}
	h, err := kkt.ParseHeader(p.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	version := strings.ReplaceAll(h.Version.String(), " ", "")
	if h.Service != kkt.ServiceDocuments || version != want.PVersion || h.Drive.String() != want.FN ||
		h.Size != want.BodySize || uint16(h.Flags) != want.Flags || h.CRC != want.CRC {
		t.Errorf("ParseHeader(%x) = %+v, want %+v", []byte(p.Bytes), h, want)
	}
	if b, _ := h.AppendBinary(nil); !bytes.Equal(b, p.Bytes) {
		t.Errorf("AppendBinary = %x, want %x", b, []byte(p.Bytes))
	}
}

func TestCapturedFrameHeader(t *testing.T) {
	p := part(t, "capture-frame-header")
	var want struct {
		Length, CRC        uint16
		Type, Version      byte
		DocCode            byte
		Extra1, FN, Extra2 string
		FDNumber           uint32
	}
	if err := json.Unmarshal(p.Value, &want); err != nil {
		t.Fatal(err)
	}
	h, err := kkt.ParseFrameHeader(p.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	if h.Length != want.Length || h.CRC != want.CRC || byte(h.Code) != want.DocCode || h.Version != want.Version ||
		hex.EncodeToString(h.Extra1[:]) != want.Extra1 || h.Drive.String() != want.FN ||
		h.Number != want.FDNumber || hex.EncodeToString(h.Extra2[:]) != want.Extra2 {
		t.Errorf("ParseFrameHeader(%x) = %+v, want %+v", []byte(p.Bytes), h, want)
	}
	if b, err := h.AppendBinary(nil); err != nil || !bytes.Equal(b, p.Bytes) {
		t.Errorf("AppendBinary = %x, %v, want %x", b, err, []byte(p.Bytes))
	}
}

func TestCapturedFrame(t *testing.T) {
	p := part(t, "capture-frame-crc")
	var want struct {
		DocCode   byte
		DocLength int
		Trailer   string
	}
	if err := json.Unmarshal(p.Value, &want); err != nil {
		t.Fatal(err)
	}
	f, err := kkt.ParseFrame(p.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	if f.CRC != p.CRC || byte(f.Code) != want.DocCode {
		t.Errorf("CRC 0x%04X, document %d, want 0x%04X, %d", f.CRC, f.Code, p.CRC, want.DocCode)
	}
	o, err := kkt.Plain{}.OpenContainer(t.Context(), f, kkt.POld1)
	if err != nil || len(o.Document) != want.DocLength+4 {
		t.Fatalf("document of %d bytes, %v, want %d", len(o.Document), err, want.DocLength+4)
	}
	if got := hex.EncodeToString(append(o.Sign[:], 0, 0)); got != want.Trailer {
		t.Errorf("trailer = %s, want %s", got, want.Trailer)
	}
	if b, err := kkt.AppendFrame([]byte("before"), f.FrameHeader, f.Payload()); err != nil || !bytes.Equal(b[6:], p.Bytes) {
		t.Errorf("AppendFrame = %x, %v, want %x", b, err, []byte(p.Bytes))
	}
}
