package kkt_test

import (
	"bytes"
	"context"
	"errors"
	"testing"

	"openofd/internal/protocol/kkt"
	"openofd/internal/protocol/kkt/ffd"
	"openofd/internal/testkit"
)

// addMessages seeds with every vector that is not huge.
func addMessages(f *testing.F) {
	for _, v := range testkit.KKTVectors(f) {
		if len(v.Message) < 2048 {
			f.Add([]byte(v.Message))
		}
		if v.Want.Frame != nil && len(v.Message) < 2048 {
			f.Add([]byte(v.Want.Frame))
		}
	}
}

// What parses writes back the same bytes, and the door's decision follows from
// the header alone.
func FuzzHeader(f *testing.F) {
	for _, v := range testkit.KKTVectors(f) {
		f.Add([]byte(v.Message[:min(len(v.Message), kkt.HeaderLen)]))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		h, err := kkt.ParseHeader(b)
		limits := kkt.Limits{MaxBody: 1000, Keys: true}
		again, admission, admitErr := limits.Admit(b)
		if again != h || (admitErr != nil) != (admission == kkt.AdmitDrop) || err != nil && admitErr == nil {
			t.Fatalf("ParseHeader(%x) = %+v, %v, but Admit = %+v, %v, %v", b, h, err, again, admission, admitErr)
		}
		if err != nil {
			return
		}
		if out, _ := h.AppendBinary(nil); !bytes.Equal(out, b[:kkt.HeaderLen]) {
			t.Errorf("AppendBinary = %x, want %x", out, b[:kkt.HeaderLen])
		}
		if admission == kkt.AdmitRead && (h.Size > 1000 || h.Size == 0 && h.Service != kkt.ServiceKeys) {
			t.Errorf("Admit(%x) reads on with size %d", b, h.Size)
		}
	})
}

// A container that parses writes back the same bytes, none other passes for it,
// and what a module or a drive makes of it never panics.
func FuzzFrame(f *testing.F) {
	for _, v := range testkit.KKTVectors(f) {
		if len(v.Message) > kkt.HeaderLen && len(v.Message) < 2048 {
			f.Add([]byte(v.Message[kkt.HeaderLen:]), true)
		}
		if v.Want.Frame != nil {
			f.Add([]byte(v.Want.Frame[kkt.HeaderLen:]), false)
		}
	}
	module, ctx := sim1(), context.Background()
	f.Fuzz(func(t *testing.T, b []byte, repair bool) {
		if repair && len(b) >= kkt.FrameHeaderLen && len(b) <= kkt.MaxFrame {
			b[0], b[1], b[4] = byte(len(b)), byte(len(b)>>8), kkt.FrameType
			crc := kkt.CRC16(append(bytes.Clone(b[:2]), b[4:]...))
			b[2], b[3] = byte(crc), byte(crc>>8)
		}
		before := bytes.Clone(b)
		frame, err := kkt.ParseFrame(b)
		if err != nil {
			var syntax *kkt.SyntaxError
			if !errors.As(err, &syntax) || syntax.Fault == kkt.FaultNone {
				t.Fatalf("ParseFrame(%x) = %v, want a SyntaxError with a fault", b, err)
			}
			return
		}
		if out, err := kkt.AppendFrame(nil, frame.FrameHeader, frame.Payload()); err != nil || !bytes.Equal(out, b) {
			t.Errorf("AppendFrame = %x, %v, want %x", out, err, b)
		}
		for _, m := range []kkt.CryptoModule{module, kkt.Plain{}} {
			o, err := m.OpenContainer(ctx, frame, kkt.P120)
			if err == nil {
				_, _ = kkt.CheckDocument(frame.FrameHeader, o.Document)
				_, _ = m.VerifyDocumentSign(ctx, frame.Drive, o.Document)
			}
			_, _ = m.OpenMarking(ctx, frame)
		}
		_, _ = kkt.Judge(b, frame.FrameHeader, module)
		if !bytes.Equal(b, before) {
			t.Errorf("the container was changed: %x, was %x", b, before)
		}
	})
}

// Any message, whole or not, is explained, and the explanation is an error
// exactly where the exchange would break.
func FuzzMessage(f *testing.F) {
	addMessages(f)
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := receive(b, kkt.Plain{}, kkt.Limits{})
		if err == nil && r.admission == kkt.AdmitRead {
			ack := kkt.NewAck(operatorINN, r.frame.FrameHeader, ffd.V120, 1, kkt.ResponseAccepted)
			reply, err := ack.Seal(context.Background(), kkt.Plain{}, nil, r.header, r.opened)
			if err != nil {
				t.Fatalf("Seal for %x = %v", b, err)
			}
			if err := kkt.CheckReply(r.header, r.frame.FrameHeader, reply); err != nil && r.header.Service == kkt.ServiceDocuments {
				t.Fatalf("reply %x to %x: %v", reply, b, err)
			}
		}
		checkExplained(t, b)
	})
}

// Whatever a document is, its outline reads the same by itself and beside its
// container.
func FuzzDocument(f *testing.F) {
	for _, v := range testkit.KKTVectors(f) {
		if n := len(v.Message); n > 100 && n < 2048 {
			f.Add([]byte(v.Message[kkt.HeaderLen+kkt.FrameHeaderLen : n-10]))
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		o, err := kkt.ParseOutline(b)
		h := kkt.FrameHeader{Code: kkt.DocCode(o.Code), Drive: o.Drive, Number: o.Number}
		again, checkErr := kkt.CheckDocument(h, b)
		if again != o || o.Code < 256 && (err == nil) != (checkErr == nil) {
			t.Errorf("ParseOutline(%x) = %+v, %v, CheckDocument = %+v, %v", b, o, err, again, checkErr)
		}
		if ack, err := kkt.ParseAck(b); err == nil && (o.Code != 7 || ack.Number != o.Number && o.Number != 0) {
			t.Errorf("ParseAck(%x) = %+v, outline %+v", b, ack, o)
		}
	})
}
