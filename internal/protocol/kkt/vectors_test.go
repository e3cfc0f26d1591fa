package kkt_test

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"testing"

	"openofd/internal/fiscal"
	"openofd/internal/protocol/kkt"
	"openofd/internal/testkit"
)

// operatorINN is the operator of the vectors.
const operatorINN = "7704211201"

func sim1() *kkt.SIM1 { return kkt.NewSIM1(kkt.SIM1TestKey()) }

// received is a message as an operator takes it, as far as the exchange goes.
type received struct {
	header    kkt.Header
	admission kkt.Admission
	frame     kkt.Frame
	opened    kkt.Opened
	outline   kkt.Outline
}

// receive does what an operator does with a message, step by step, until a rule
// is broken.
func receive(message []byte, module kkt.CryptoModule, limits kkt.Limits) (r received, err error) {
	r.header, r.admission, err = limits.Admit(message)
	if err != nil || r.admission != kkt.AdmitRead {
		return r, err
	}
	if r.frame, err = kkt.ParseRequest(r.header, message[kkt.HeaderLen:]); err != nil {
		return r, err
	}
	ctx := context.Background()
	if r.header.Service == kkt.ServiceMarking {
		r.opened, err = module.OpenMarking(ctx, r.frame)
	} else {
		r.opened, err = module.OpenContainer(ctx, r.frame, r.header.Version)
	}
	if err != nil {
		return r, err
	}
	r.outline, err = kkt.CheckDocument(r.frame.FrameHeader, r.opened.Document)
	return r, err
}

// acknowledge seals the acknowledgement of what was received.
func (r received) acknowledge(tb testing.TB, m kkt.CryptoModule, operator string, at int64, response kkt.Response) []byte {
	tb.Helper()
	format := kkt.VersionOf(r.outline.Version, 0, r.header.Version)
	ack := kkt.NewAck(operator, r.frame.FrameHeader, format, fiscal.WallTime(at), response)
	message, err := ack.Seal(context.Background(), m, nil, r.header, r.opened)
	if err != nil {
		tb.Fatal(err)
	}
	return message
}

// closed names the rule that each message breaks which gets no reply.
var closed = map[string]kkt.Fault{
	"bad-signature-http":                kkt.FaultSignature,
	"bad-p-version":                     kkt.FaultVersion,
	"bad-flags-reply-mode":              kkt.FaultFlags,
	"bad-session-crc":                   kkt.FaultChecksum,
	"truncated-body":                    kkt.FaultTruncated,
	"body-size-zero-with-container-bit": kkt.FaultSize,
	"body-too-short-for-frame":          kkt.FaultSize,
	"frame-length-lies-short":           kkt.FaultFrameLength,
	"frame-length-lies-long":            kkt.FaultFrameLength,
	"bad-frame-crc":                     kkt.FaultFrameCRC,
	"fn-mismatch-session-frame":         kkt.FaultDrives,
	"fd-mismatch-frame-doc":             kkt.FaultNumbers,
	"bad-fps":                           kkt.FaultSealed,
	"encrypted-garbage":                 kkt.FaultSealed,
	"okp-ping":                          kkt.FaultService,
}

// Every message of the vectors, good and bad, gets the reaction that belongs to
// it; acknowledgements come byte for byte. What the format's rules find is
// handed in.
//
// Req: F-005, F-020
func TestVectors(t *testing.T) {
	left := maps.Clone(closed)
	counts := map[string]int{}
	for _, v := range testkit.KKTVectors(t) {
		counts[v.Want.Reply]++
		t.Run(v.Name, func(t *testing.T) {
			before := bytes.Clone(v.Message)
			var module kkt.CryptoModule = sim1()
			if v.Want.Reply == "ack" && v.Want.Frame == nil {
				module = kkt.Plain{} // a real drive's
			}
			r, err := receive(v.Message, module, kkt.Limits{})
			if !bytes.Equal(before, v.Message) {
				t.Errorf("the message was changed: %x, was %x", v.Message, before)
			}
			switch v.Want.Reply {
			case "ack", "refusal":
				checkAcknowledged(t, v, r, err, module)
			case "none", "forward or none":
				delete(left, v.Name)
				checkClosed(t, v, err)
			case "incident":
				checkConflict(t, v, r, err)
			case "empty", "empty or none":
				checkEmpty(t, v, r, err)
			case "83", "84":
				checkMarked(t, v, r, err)
			case "sent":
				checkSent(t, v)
			default:
				t.Fatalf("want.reply = %q, which this test does not know", v.Want.Reply)
			}
		})
	}
	if len(left) > 0 {
		t.Errorf("no vector for %v", slices.Sorted(maps.Keys(left)))
	}
	t.Logf("replies: %v", counts)
}

func checkAcknowledged(t *testing.T, v testkit.KKTVector, r received, err error, module kkt.CryptoModule) {
	unreadable := v.Want.Code == byte(kkt.ResponseUnreadable)
	var syntax *kkt.SyntaxError
	switch {
	case unreadable && errors.As(err, &syntax) && syntax.Fault.Reaction() == kkt.ReactRefuse:
		// told by the exchange already; deeper breaks are the format's to tell
	case err != nil:
		t.Fatalf("receive = %v (%v), want no error", err, kkt.ReactionTo(err))
	}
	if v.Sign != nil && hex.EncodeToString(r.opened.Sign[:]) != hex.EncodeToString(v.Sign) {
		t.Errorf("sign = %x, want %x", r.opened.Sign, []byte(v.Sign))
	}
	if b, _ := r.header.AppendBinary(nil); !bytes.Equal(b, v.Message[:kkt.HeaderLen]) {
		t.Errorf("header writes back as %x, want %x", b, v.Message[:kkt.HeaderLen])
	}
	again, err := kkt.AppendFrame(nil, r.frame.FrameHeader, r.frame.Payload())
	if err == nil {
		again, err = kkt.AppendMessage(nil, r.header, again)
	}
	if err != nil || !bytes.Equal(again, v.Message) {
		t.Errorf("message writes back as %x, %v, want %x", again, err, v.Message)
	}
	at, operator := v.Want.At, operatorINN
	if v.Want.Frame == nil {
		at, operator = int64(r.outline.Time), "7704358518"
	}
	reply := r.acknowledge(t, module, operator, at, kkt.Response(v.Want.Code))
	if v.Want.Frame != nil {
		if !bytes.Equal(reply, v.Want.Frame) {
			t.Errorf("acknowledgement = %x, want %x", reply, []byte(v.Want.Frame))
		}
		if _, err := kkt.Judge(reply[kkt.HeaderLen:], r.frame.FrameHeader, sim1()); err != nil {
			t.Errorf("the drive says %v", err)
		}
	} else {
		checkAckSays(t, v, r, reply)
	}
	if err := kkt.CheckReply(r.header, r.frame.FrameHeader, reply); err != nil {
		t.Errorf("CheckReply(%x) = %v", reply, err)
	}
	if len(reply) >= 1024 {
		t.Errorf("acknowledgement of %d bytes, want below 1024", len(reply))
	}
}

// checkAckSays compares an acknowledgement by what it says.
func checkAckSays(t *testing.T, v testkit.KKTVector, r received, reply []byte) {
	a, err := kkt.Judge(reply[kkt.HeaderLen:], r.frame.FrameHeader, nil)
	if err != nil {
		t.Fatal(err)
	}
	var want struct {
		OperatorAck struct {
			OfdINN               string
			FiscalDriveNumber    string
			FiscalDocumentNumber uint32
			MessageToFn          struct{ OfdResponseCode byte }
		}
	}
	if err := json.Unmarshal(v.Want.Document, &want); err != nil {
		t.Fatal(err)
	}
	w := want.OperatorAck
	if a.Ack.Operator != w.OfdINN || a.Ack.Drive.String() != w.FiscalDriveNumber ||
		a.Ack.Number != w.FiscalDocumentNumber || byte(a.Ack.Response) != w.MessageToFn.OfdResponseCode {
		t.Errorf("acknowledgement says %+v, want %+v", a.Ack, w)
	}
}

func checkClosed(t *testing.T, v testkit.KKTVector, err error) {
	want, known := closed[v.Name]
	if !known {
		t.Fatalf("no fault is named for this vector; receive = %v", err)
	}
	var syntax *kkt.SyntaxError
	var crypto kkt.CryptoError
	got := kkt.FaultNone
	switch {
	case errors.As(err, &syntax):
		got = syntax.Fault
	case errors.As(err, &crypto):
		got = crypto.Fault()
	}
	if got != want || kkt.ReactionTo(err) != want.Reaction() || kkt.ReactionTo(err) < kkt.ReactClose {
		t.Errorf("receive = %v: fault %v, reaction %v; want %v, %v", err, got, kkt.ReactionTo(err), want, want.Reaction())
	}
}

// A document under a number that is taken is told by comparing what was opened.
func checkConflict(t *testing.T, v testkit.KKTVector, r received, err error) {
	if err != nil {
		t.Fatalf("receive = %v", err)
	}
	first, err := receive(testkit.KKTVectorNamed(t, "duplicate-fd").Message, sim1(), kkt.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	if first.opened.Frame.Number != r.opened.Frame.Number || first.opened.Same(&r.opened) || !first.opened.Same(&first.opened) {
		t.Errorf("Same(%v, %v): want the same number and not the same document", first.opened.Frame, r.opened.Frame)
	}
	if got := kkt.FaultConflict.Reaction(); got != kkt.ReactQuarantine {
		t.Errorf("reaction = %v, want quarantine", got)
	}
}

func checkEmpty(t *testing.T, v testkit.KKTVector, r received, err error) {
	if err != nil || r.admission != kkt.AdmitEmpty {
		t.Fatalf("Admit = %v, %v, want AdmitEmpty", r.admission, err)
	}
	got, _ := r.header.Empty().AppendBinary(nil)
	want := append(bytes.Clone(v.Message[:24]), 0, 0, 0, 0, 0, 0)
	if !bytes.Equal(got, want) {
		t.Errorf("reply = %x, want %x", got, want)
	}
}

// Requests and notifications on marked goods are opened, and answered under
// their own numbers.
func checkMarked(t *testing.T, v testkit.KKTVector, r received, err error) {
	if err != nil {
		t.Fatalf("receive = %v", err)
	}
	if r.header.Service != kkt.ServiceMarking || r.outline.Number != r.frame.Number {
		t.Errorf("service %v, number %d in the document, %d in the container", r.header.Service, r.outline.Number, r.frame.Number)
	}
	want := kkt.CodeMarkingAnswer
	if v.Want.Reply == "84" {
		want = kkt.CodeNotificationAck
	}
	if got := r.frame.Code.Reply(); got != want {
		t.Errorf("Reply() = %v, want %v", got, want)
	}
}

// sentTo names the request that a message of the marking system answers.
var sentTo = map[string]string{
	"mark-answer-83-ok":  "mark-request-81",
	"mark-answer-83-bad": "mark-request-81-fraction",
	"mark-receipt-84":    "mark-notification-82",
}

// What the marking system sends passes the drive's judgement, and sealing the
// same requisites gives the same bytes.
func checkSent(t *testing.T, v testkit.KKTVector) {
	r, err := receive(testkit.KKTVectorNamed(t, sentTo[v.Name]).Message, sim1(), kkt.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	h, err := kkt.ParseHeader(v.Message)
	if err != nil {
		t.Fatal(err)
	}
	f, err := kkt.ParseAnswer(r.header, h, v.Message[kkt.HeaderLen:])
	if err != nil {
		t.Fatal(err)
	}
	a, err := kkt.Judge(f.Raw, r.frame.FrameHeader, sim1())
	if err != nil {
		t.Fatalf("Judge = %v", err)
	}
	reply, err := kkt.SealMarked(context.Background(), sim1(), nil, r.header, r.opened, a.Document[4:])
	if err != nil || !bytes.Equal(reply, v.Message) {
		t.Errorf("SealMarked = %x, %v, want %x", reply, err, v.Message)
	}
}
