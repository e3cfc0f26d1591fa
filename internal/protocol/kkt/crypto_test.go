package kkt_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"testing"

	"openofd/internal/fiscal"
	"openofd/internal/protocol/kkt"
	"openofd/internal/testkit"
)

// What a simulated drive seals is what the vectors hold, so drive and operator
// follow one definition.
func TestSealDocumentVectors(t *testing.T) {
	sealed := 0
	for _, v := range testkit.KKTVectors(t) {
		if v.Want.Reply != "ack" && v.Want.Reply != "83" && v.Want.Reply != "84" || v.Want.Reply == "ack" && v.Want.Frame == nil {
			continue
		}
		r, err := receive(v.Message, sim1(), kkt.Limits{})
		if err != nil {
			t.Fatalf("%s: %v", v.Name, err)
		}
		verdict, err := sim1().VerifyDocumentSign(t.Context(), r.frame.Drive, r.opened.Document)
		if err != nil || verdict == kkt.SignWrong && v.Document != nil && v.Name != "vln-padded" && v.Name != "vln-zero-length" {
			t.Errorf("%s: document sign is %v, %v", v.Name, verdict, err)
		}
		requisites := r.opened.Document[4:]
		if r.header.Service == kkt.ServiceDocuments {
			behind := len(requisites) - 10 // where 1077 begins when it comes last
			if verdict != kkt.SignRight || string(requisites[behind:behind+4]) != "\x35\x04\x06\x00" {
				continue
			}
			requisites = requisites[:behind]
		}
		got, err := sim1().SealDocument(r.frame.Drive, r.frame.Code, r.frame.Number, requisites, false)
		if err != nil || !bytes.Equal(got.Frame, r.frame.Raw) || !bytes.Equal(got.Document, r.opened.Document) {
			t.Errorf("%s: SealDocument = %x, %v, want %x", v.Name, got.Frame, err, r.frame.Raw)
		}
		sealed++
	}
	if sealed < 30 {
		t.Errorf("%d vectors sealed again, want 30 or more", sealed)
	}
}

// The number on paper is the last four bytes of 1077.
func TestPrintedSign(t *testing.T) {
	r, err := receive(testkit.KKTVectorNamed(t, "open-shift-1.05").Message, sim1(), kkt.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	requisites := r.opened.Document[4 : len(r.opened.Document)-10]
	s, err := sim1().SealDocument(r.frame.Drive, r.frame.Code, r.frame.Number, requisites, false)
	if err != nil || s.Sign != 4115208078 {
		t.Errorf("Sign = %d, %v, want 4115208078", s.Sign, err)
	}
	if got := r.opened.SignNumber(); got != 9297309158389021483 {
		t.Errorf("SignNumber = %d, want 9297309158389021483", got)
	}
}

// An encrypted container opens to the same document, never shows it, and is
// acknowledged unencrypted; its bytes are pinned so that the profile does not
// change unnoticed.
func TestSIM1Encrypted(t *testing.T) {
	number := drive(t, "9999078902001234")
	requisites := kkt.AppendRequisite(nil, 1041, number[:]...)
	requisites = kkt.AppendRequisite(requisites, 1040, 7, 0, 0, 0)
	s, err := sim1().SealDocument(number, kkt.CodeOpenShift, 7, requisites, true)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(s.Frame, requisites[:20]) {
		t.Errorf("the container %x shows the document", s.Frame)
	}
	message, err := kkt.AppendMessage(nil, kkt.Header{Service: kkt.ServiceDocuments, Version: kkt.P120, Drive: number, Flags: kkt.FlagsDocument}, s.Frame)
	if err != nil {
		t.Fatal(err)
	}
	before := bytes.Clone(message)
	r, err := receive(message, sim1(), kkt.Limits{})
	if err != nil || !r.opened.Encrypted || !bytes.Equal(r.opened.Document, s.Document) {
		t.Fatalf("opened %x, encrypted %v, %v; want %x", r.opened.Document, r.opened.Encrypted, err, s.Document)
	}
	if !bytes.Equal(message, before) {
		t.Errorf("opening changed the message to %x", message)
	}
	plain, err := sim1().SealDocument(number, kkt.CodeOpenShift, 7, requisites, false)
	if err != nil {
		t.Fatal(err)
	}
	f, err := kkt.ParseFrame(plain.Frame)
	if err != nil {
		t.Fatal(err)
	}
	o, err := sim1().OpenContainer(t.Context(), f, kkt.P120)
	if err != nil || !bytes.Equal(o.Document, r.opened.Document) || o.Same(&r.opened) {
		t.Errorf("plain document %x, %v; its message sign must differ, for it covers the service data", o.Document, err)
	}
	reply := r.acknowledge(t, sim1(), operatorINN, 1763728660, kkt.ResponseAccepted)
	if _, err := kkt.Judge(reply[kkt.HeaderLen:], r.frame.FrameHeader, sim1()); err != nil {
		t.Errorf("Judge = %v", err)
	}
	if got := hex.EncodeToString(s.Frame); got != encryptedFrame {
		t.Errorf("container = %s, want %s", got, encryptedFrame)
	}
	if _, err := (kkt.Plain{}).OpenContainer(t.Context(), r.frame, kkt.P120); !errors.Is(err, kkt.ErrCannotDecrypt) {
		t.Errorf("Plain opens it: %v", err)
	}
}

// encryptedFrame was opened with OpenSSL's AES and another HMAC.
const encryptedFrame = "54000c8ba50201110999990789020012340000076e5f38d72b0000070002002a" +
	"8d6e6f8c4fadfa1bc3eabac8f3607f773f8cab60599265e3ce6a3168b96552b3f6e464c354e463e572352885ec07919b7553c0b4"

// One changed bit anywhere that a sign protects is found, and one where none
// does is not.
func TestSIM1Authenticates(t *testing.T) {
	v := testkit.KKTVectorNamed(t, "receipt-1.2-measure-kg")
	r, err := receive(v.Message, sim1(), kkt.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	unprotected := func(i int) bool { return i < 5 || i >= 20 && i < 32 || i >= len(r.frame.Raw)-2 }
	for i := range r.frame.Raw {
		b := bytes.Clone(r.frame.Raw)
		b[i] ^= 0x10
		f := r.frame
		f.Raw = b
		if h, err := kkt.ParseFrameHeader(b); err == nil {
			f.FrameHeader = h
		} else if i < kkt.FrameHeaderLen {
			continue // never reaches the module
		}
		_, err := sim1().OpenContainer(t.Context(), f, r.header.Version)
		if (err == nil) != unprotected(i) {
			t.Errorf("byte %d changed: OpenContainer = %v", i, err)
		}
	}
	short := r.frame
	short.Raw = short.Raw[:kkt.FrameHeaderLen+13]
	if _, err := sim1().OpenContainer(t.Context(), short, r.header.Version); !errors.Is(err, kkt.ErrCannotDecrypt) {
		t.Errorf("payload of 13 bytes: %v, want ErrCannotDecrypt", err)
	}
	if _, err := sim1().OpenMarking(t.Context(), r.frame); !errors.Is(err, kkt.ErrSignInvalid) {
		t.Errorf("a document opened as a marking request: %v, want ErrSignInvalid", err)
	}
}

func TestVerifyDocumentSign(t *testing.T) {
	r, err := receive(testkit.KKTVectorNamed(t, "reg-1.2").Message, sim1(), kkt.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	good := r.opened.Document
	changed := bytes.Clone(good)
	changed[10] ^= 1
	requisite := kkt.AppendRequisite(nil, 1, kkt.AppendRequisite(nil, 1040, 1, 0, 0, 0)...)
	tests := []struct {
		name     string
		document []byte
		want     kkt.SignVerdict
	}{
		{"as made", good, kkt.SignRight},
		{"changed", changed, kkt.SignWrong},
		{"no sign", requisite, kkt.SignNotCheckable},
		{"empty", nil, kkt.SignNotCheckable},
		{"cut", good[:len(good)-1], kkt.SignNotCheckable},
		{"inner list cut", append(bytes.Clone(good[:4]), good[5:]...), kkt.SignNotCheckable},
	}
	for _, tt := range tests {
		if got, err := sim1().VerifyDocumentSign(t.Context(), r.frame.Drive, tt.document); err != nil || got != tt.want {
			t.Errorf("%s: VerifyDocumentSign = %v, %v, want %v", tt.name, got, err, tt.want)
		}
	}
}

func TestSealDocumentRefuses(t *testing.T) {
	d := drive(t, "1")
	for _, tt := range []struct {
		name       string
		code       kkt.DocCode
		number     uint32
		requisites []byte
	}{
		{"no list", kkt.CodeReceipt, 1, []byte{1, 2, 3}},
		{"too long for a shift", kkt.CodeOpenShift, 1, kkt.AppendRequisite(nil, 1999, make([]byte, 4090)...)},
		{"too long for a receipt", kkt.CodeReceipt, 1, kkt.AppendRequisite(nil, 1999, make([]byte, 32768)...)},
		{"number", kkt.CodeReceipt, kkt.MaxNumber + 1, nil},
		{"a sign of its own", kkt.CodeReceipt, 1, kkt.AppendRequisite(nil, 1077, 1, 2, 3, 4, 5, 6)},
	} {
		if s, err := sim1().SealDocument(d, tt.code, tt.number, tt.requisites, false); !errors.Is(err, fiscal.Invalid) {
			t.Errorf("%s: SealDocument = %d bytes, %v, want Invalid", tt.name, len(s.Frame), err)
		}
	}
}

// Plain answers what it opened; a drive with keys takes none of it.
func TestPlain(t *testing.T) {
	for _, name := range []string{"open-shift-1.05", "mark-request-81", "mark-notification-82"} {
		r, err := receive(testkit.KKTVectorNamed(t, name).Message, kkt.Plain{}, kkt.Limits{})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		var reply []byte
		if r.header.Service == kkt.ServiceMarking {
			tag := uint16(2001)
			if name == "mark-notification-82" {
				tag = 2002
			}
			requisites := kkt.AppendRequisite(nil, tag, byte(r.frame.Number), 0, 0, 0)
			reply, err = kkt.SealMarked(t.Context(), kkt.Plain{}, nil, r.header, r.opened, requisites)
		} else {
			reply = r.acknowledge(t, kkt.Plain{}, operatorINN, 1763728660, kkt.ResponseAccepted)
		}
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if err := kkt.CheckReply(r.header, r.frame.FrameHeader, reply); err != nil {
			t.Errorf("%s: CheckReply = %v", name, err)
		}
		_, err = kkt.Judge(reply[kkt.HeaderLen:], r.frame.FrameHeader, sim1())
		checkReason(t, name, err, kkt.RejectSign)
	}
}

func TestKeyStatus(t *testing.T) {
	for _, tt := range []struct {
		module kkt.CryptoModule
		want   bool
	}{{sim1(), true}, {kkt.Plain{}, false}} {
		if got, err := tt.module.KeyStatus(t.Context(), kkt.DriveNumber{}); err != nil || got.Present != tt.want || got.Module == "" {
			t.Errorf("KeyStatus = %+v, %v, want present %v and a name", got, err, tt.want)
		}
	}
}
