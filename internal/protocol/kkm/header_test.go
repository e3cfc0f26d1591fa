package kkm_test

import (
	"bytes"
	"encoding"
	"encoding/hex"
	"errors"
	"testing"

	"openofd/internal/protocol/kkm"
)

var _ encoding.BinaryAppender = kkm.Header{}

// The bare COMMAND_SYSTEM of register 200145.
const systemFrame = "a281" + "ca00" + "14000000" + "d10d0300" + "e63b38a1" + "2800" + "0800"

func TestHeader(t *testing.T) {
	want := kkm.Header{Version: kkm.V202, Size: 20, ID: 200145, Token: 2704817126, ReqNum: 40}
	frame, _ := hex.DecodeString(systemFrame)
	got, err := kkm.ParseHeader(frame)
	if got != want || err != nil {
		t.Errorf("ParseHeader(%s) = %+v, %v, want %+v", systemFrame, got, err, want)
	}
	if b, _ := want.AppendBinary([]byte{1}); !bytes.Equal(b, append([]byte{1}, frame[:kkm.HeaderLen]...)) {
		t.Errorf("AppendBinary = %x, want 01%s", b, systemFrame[:2*kkm.HeaderLen])
	}
}

// Every header that leads to something else than reading on.
func TestAdmit(t *testing.T) {
	edit := func(at int, b ...byte) []byte {
		frame, _ := hex.DecodeString(systemFrame)
		copy(frame[at:], b)
		return frame
	}
	for _, c := range []struct {
		name  string
		frame []byte
		max   uint32
		want  kkm.Admission
		off   int // of the error, -1 for none
		field string
	}{
		{"good", edit(0), 0, kkm.AdmitRead, -1, ""},
		{"SIZE at the limit", edit(0), 20, kkm.AdmitRead, -1, ""},
		{"SIZE above the limit", edit(0), 19, kkm.AdmitRefuse, 4, "SIZE"},
		{"SIZE at the usual limit", edit(4, 0, 0, 0x10, 0), 0, kkm.AdmitRead, -1, ""},
		{"SIZE above the usual limit", edit(4, 1, 0, 0x10, 0), 0, kkm.AdmitRefuse, 4, "SIZE"},
		{"SIZE of the header alone", edit(4, 18), 0, kkm.AdmitRead, -1, ""},
		{"SIZE below the header", edit(4, 17), 0, kkm.AdmitDrop, 4, "SIZE"},
		{"SIZE zero", edit(4, 0), 0, kkm.AdmitDrop, 4, "SIZE"},
		{"SIZE negative", edit(4, 0xFF, 0xFF, 0xFF, 0xFF), 0, kkm.AdmitRefuse, 4, "SIZE"},
		{"APPCODE swapped", edit(0, 0x81, 0xA2), 0, kkm.AdmitDrop, 0, "APPCODE"},
		{"unknown VERSION is read", edit(2, 0x2C, 1), 0, kkm.AdmitRead, -1, ""},
		{"17 bytes", edit(0)[:17], 0, kkm.AdmitDrop, 17, "header"},
		{"nothing", nil, 0, kkm.AdmitDrop, 0, "header"},
	} {
		_, got, err := kkm.Admit(c.frame, c.max)
		if got != c.want {
			t.Errorf("%s: Admit(%x, %d) = %v, %v, want %v", c.name, c.frame, c.max, got, err, c.want)
		}
		var syntax *kkm.SyntaxError
		switch {
		case c.off < 0:
			if err != nil {
				t.Errorf("%s: error %v, want none", c.name, err)
			}
		case !errors.As(err, &syntax) || syntax.Off != c.off || syntax.Field != c.field:
			t.Errorf("%s: error %v, want one at %d (%s)", c.name, err, c.off, c.field)
		}
	}
}

func TestVersion(t *testing.T) {
	known := map[kkm.Version]string{124: "1.2.4", 125: "1.2.5", 200: "2.0.0", 201: "2.0.1", 202: "2.0.2", 203: "2.0.3", 204: "2.0.4"}
	for v := range kkm.Version(1000) {
		if _, want := known[v]; v.Known() != want {
			t.Errorf("Version(%d).Known() = %v, want %v", v, v.Known(), want)
		}
	}
	for v, want := range known {
		if v.String() != want {
			t.Errorf("Version(%d) reads %s, want %s", v, v, want)
		}
	}
}
