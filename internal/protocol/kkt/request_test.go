package kkt

import (
	"context"
	"errors"
	"testing"
	"time"

	"openofd/internal/fiscal"
	"openofd/internal/protocol/kkt/ffd"
)

// sealedAs is an authentic message whose container has the code outer, around a
// document of the code inner.
func sealedAs(t *testing.T, service Service, inner, outer DocCode) []byte {
	t.Helper()
	keys, drive := NewSIM1(SIM1TestKey()), driveNumber("9999078902001234")
	b := AppendRequisite(nil, tagDrive, drive[:]...)
	b = appendU32(b, tagDateTime, 1763721900)
	if inner.marking() {
		b = appendU32(appendU32(b, tagRequestNumber, 4), tagNotificationNumber, 4)
	} else {
		b = AppendRequisite(appendU32(b, tagNumber, 4), tagFormat, byte(ffd.V105))
	}
	made, err := keys.SealDocument(drive, inner, 4, b, false)
	if err != nil {
		t.Fatal(err)
	}
	h, err := ParseFrameHeader(made.Frame)
	if err != nil {
		t.Fatal(err)
	}
	h.Code = outer
	what, prefix, version := signsMessage, prefixMessage, P105
	if inner.marking() {
		what, prefix, version = signsRequest, prefixRequest, PMarked
	}
	m := keys.take(drive)
	defer keys.release(m)
	sign := m.overFrame(what, prefix, &h, made.Document)
	frame, err := AppendFrame(nil, h, made.Document, sign[:], []byte{0, 0})
	if err != nil {
		t.Fatal(err)
	}
	message, err := AppendMessage(nil, Header{Service: service, Version: version, Drive: drive, Flags: FlagsDocument}, frame)
	if err != nil {
		t.Fatal(err)
	}
	return message
}

func judgeOnce(t *testing.T, module CryptoModule, message []byte) (fiscal.Decision, error) {
	t.Helper()
	h, err := ParseHeader(message)
	if err != nil {
		t.Fatal(err)
	}
	q, err := OpenRequest(context.Background(), module, h, message[HeaderLen:])
	if err != nil {
		t.Fatal(err)
	}
	defer q.Release()
	now := time.Date(2025, 11, 21, 11, 0, 0, 0, time.UTC)
	rules := Rules{Law: func(fiscal.WallTime) Law { return Law{Shift: 24 * time.Hour, Offline: 30 * 24 * time.Hour} }}
	return rules.Judge(&fiscal.Situation{
		Card: &fiscal.Card{Register: 200001, Version: 1, Country: fiscal.Russia, Zone: "UTC", XIN: "7704358518"}, State: &fiscal.State{CardVersion: 1},
		Exchange: &fiscal.Exchange{Request: message, Body: q, Received: now}, Now: now, Operator: &fiscal.Operator{INN: "7704211201"},
	})
}

// An authentic document of another kind than its container announces is kept and
// acknowledged as one that cannot be recognized, so that its drive goes on; it is
// not judged as what it says it is. On the marking channel it is no document.
//
// Req: F-001, F-005
func TestAnotherKindThanAnnounced(t *testing.T) {
	message := sealedAs(t, ServiceDocuments, CodeReceipt, CodeOpenShift)
	d, err := judgeOnce(t, NewSIM1(SIM1TestKey()), message)
	if err != nil || d.Answer == nil || d.Result != uint16(ResponseUnreadable) || len(d.Records) != 1 {
		t.Fatalf("a receipt announced as an opening: %+v, %v; want it acknowledged with 11", d, err)
	}
	if rec := d.Records[0]; rec.Kind != fiscal.DocUnreadable || rec.Drive != "9999078902001234" || rec.DeviceNumber != 4 || rec.Total != 0 || d.Next.Shift.Open {
		t.Errorf("entry %+v, shift %+v; want it unreadable and nothing counted", rec, d.Next.Shift)
	}
	if f, err := ParseFrame(d.Answer[HeaderLen:]); err != nil || f.Number != 4 {
		t.Errorf("answer %x: %v", d.Answer, err)
	}
	differs, e := false, Explain(message)
	for _, f := range e.Findings {
		differs = differs || f.Key == "document.differs" && f.Severity == SeverityError
	}
	if !differs || e.Document.Code != uint8(ResponseUnreadable) {
		t.Errorf("Explain(%x) = %+v, answered with %d; want it to say that the kinds differ, answered with 11", message, e.Findings, e.Document.Code)
	}

	message = sealedAs(t, ServiceMarking, CodeMarkingRequest, CodeNotification)
	h, err := ParseHeader(message)
	if err != nil {
		t.Fatal(err)
	}
	if q, err := OpenMarking(context.Background(), NewSIM1(SIM1TestKey()), h, message[HeaderLen:]); err != nil || q.Err == nil {
		t.Errorf("a request announced as a notification: %v, %+v; want no document", err, q)
	}
}

// wayward seals acknowledgements of another document than was asked for.
type wayward struct{ *SIM1 }

func (w wayward) SealAcknowledgement(ctx context.Context, dst []byte, o Opened, requisites []byte) ([]byte, error) {
	o.Frame.Number++
	return w.SIM1.SealAcknowledgement(ctx, dst, o, requisites)
}

// What no drive takes is neither stored nor sent.
func TestSealedWrongly(t *testing.T) {
	message := sealedAs(t, ServiceDocuments, CodeOpenShift, CodeOpenShift)
	if d, err := judgeOnce(t, NewSIM1(SIM1TestKey()), message); err != nil || d.Answer == nil {
		t.Fatalf("rightly sealed: %+v, %v", d, err)
	}
	d, err := judgeOnce(t, wayward{NewSIM1(SIM1TestKey())}, message)
	var e *fiscal.Error
	if !errors.As(err, &e) || e.Kind() != fiscal.Internal || d.Answer != nil || d.Next != nil {
		t.Errorf("an acknowledgement of another document: %+v, %v; want Internal and nothing to store", d, err)
	}
}
