package kkt_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"testing"
	"time"

	device "openofd/internal/device/kkt"
	"openofd/internal/fiscal"
	"openofd/internal/protocol/kkt"
	"openofd/internal/protocol/kkt/ffd"
	"openofd/internal/testkit"
)

// openMarked opens a message of the marking channel at the desk.
func (d *desk) openMarked(message []byte) *kkt.MarkingRequest {
	d.t.Helper()
	h, admission, err := (&kkt.Limits{}).Admit(message)
	if err != nil || admission != kkt.AdmitRead {
		d.t.Fatalf("Admit = %v, %v", admission, err)
	}
	q, err := kkt.OpenMarking(context.Background(), d.module, h, message[kkt.HeaderLen:])
	if err != nil {
		d.t.Fatal(err)
	}
	return q
}

// pass plays a message of the marking channel as an operator does: judged,
// passed on where that is the judgement, judged again with the answer.
func (d *desk) pass(message, container []byte) (fiscal.Decision, error) {
	d.t.Helper()
	message = bytes.Clone(message)
	q := d.openMarked(message)
	x := fiscal.Exchange{Request: message, Body: q, Received: d.now}
	entries := len(d.entries)
	decision, err := d.judge(x)
	if err != nil || !decision.PassOn {
		return decision, err
	}
	if decision.Answer != nil || decision.Next != nil || decision.Close || len(d.entries) != entries {
		d.t.Fatalf("passed on, but %s, %d entries", told(decision, err), len(d.entries)-entries)
	}
	if err := q.Answered(container); err != nil {
		return fiscal.Decision{}, err
	}
	return d.judge(x)
}

// marked are the vectors of the marking channel with what the marking system
// says.
func marked(t testing.TB, name string) (message, answer []byte) {
	t.Helper()
	for sent, request := range sentTo {
		if request == name {
			return testkit.KKTVectorNamed(t, name).Message, testkit.KKTVectorNamed(t, sent).Message
		}
	}
	t.Fatalf("no answer to %q", name)
	return nil, nil
}

// A request and a notification are passed on, stored with their answer, and
// answered for ever with the same bytes; other bytes under their number are an
// incident. A document of the same number is another one.
//
// Req: F-020, F-021, F-024
func TestMarkingOnVectors(t *testing.T) {
	for name, want := range map[string]struct {
		kind    fiscal.DocumentKind
		outcome uint16
		number  uint64
	}{
		"mark-request-81":          {fiscal.DocMarkRequest, 0, 7},
		"mark-request-81-fraction": {fiscal.DocMarkRequest, 2, 8},
		"mark-notification-82":     {fiscal.DocMarkNotice, 0, 3},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t)
			d.now = time.Unix(1763722200, 0).UTC()
			message, answer := marked(t, name)
			got, err := d.pass(message, answer[kkt.HeaderLen:])
			if err != nil || !bytes.Equal(got.Answer, answer) || got.Result != want.outcome || got.Close {
				t.Fatalf("%s, answer %x\nwant %x with %d", told(got, err), got.Answer, answer, want.outcome)
			}
			rec := d.last()
			if rec.Kind != want.kind || rec.DeviceNumber != want.number || rec.Drive != vectorDrive || rec.Outcome != want.outcome || rec.Total != 0 ||
				rec.DeviceTime < 1763722100 || rec.DeviceTime > 1763722140 || !bytes.Equal(rec.Request, message) || !bytes.Equal(rec.Answer, answer) {
				t.Errorf("entry %+v", rec)
			}
			d.replayed()
			doc, err := kkt.Reader{Module: d.module}.Read(&rec)
			if err != nil || len(doc.Extra) < 9 || doc.Receipt != nil {
				t.Errorf("Read = %+v, %v; want its requisites", doc, err)
			}
			again, err := d.pass(message, nil)
			if err != nil || !again.Replayed || !bytes.Equal(again.Answer, answer) || again.Next != nil {
				t.Errorf("again: %s; want the stored answer", told(again, err))
			}
			d.state.Status = fiscal.StatusBlocked // what was answered stays answered
			if again, err := d.pass(message, nil); err != nil || !again.Replayed {
				t.Errorf("again, blocked: %s; want the stored answer", told(again, err))
			}
			d.state.Status = fiscal.StatusActive
			if got, err := d.pass(other(t, message), nil); err != nil || got.Reason != fiscal.NumberTaken || !got.Close || got.Answer != nil {
				t.Errorf("other bytes under the number: %s; want an incident without a reply", told(got, err))
			}
			if len(d.entries) != 1 {
				t.Errorf("%d entries, want 1", len(d.entries))
			}
		})
	}
}

// other is a message with another document under the same number, signed anew.
func other(t testing.TB, message []byte) []byte {
	t.Helper()
	h, err := kkt.ParseHeader(message)
	if err != nil {
		t.Fatal(err)
	}
	f, err := kkt.ParseFrame(message[kkt.HeaderLen:])
	if err != nil {
		t.Fatal(err)
	}
	payload := f.Payload()
	requisites := bytes.Clone(payload[4 : len(payload)-10])
	requisites = kkt.AppendRequisite(requisites, 1191, 'x')
	sealed, err := sim1().SealDocument(f.Drive, f.Code, f.Number, requisites, false)
	if err != nil {
		t.Fatal(err)
	}
	out, err := kkt.AppendMessage(nil, h, sealed.Frame)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// Documents, requests and notifications of one number are three things, in
// whatever order they come.
func TestSequencesApart(t *testing.T) {
	d := newDesk(t)
	d.now = at(2026, 3, 2, 9)
	v, shop := newMaker(d, vectorDrive, false), markingShop()
	v.send(shop.Registration(0))
	v.send(shop.OpenShift())
	mark := func(code kkt.DocCode, number uint32) ([]byte, []byte) { return craft(t, code, number) }
	request, answer := mark(kkt.CodeMarkingRequest, 3)
	notice, receipt := mark(kkt.CodeNotification, 3)
	sale := v.make(shop.Receipt(fiscal.OpSale, 100))
	for range 2 { // the second time as repetitions
		if got, err := d.pass(request, answer); err != nil || got.Answer == nil {
			t.Errorf("request: %s", told(got, err))
		}
		v.deliver(sale)
		if got, err := d.pass(notice, receipt); err != nil || got.Answer == nil {
			t.Errorf("notification: %s", told(got, err))
		}
	}
	counts := map[fiscal.DocumentKind]int{}
	for _, e := range d.entries {
		if e.DeviceNumber == 3 {
			counts[e.Kind]++
		}
	}
	if counts[fiscal.DocReceipt] != 1 || counts[fiscal.DocMarkRequest] != 1 || counts[fiscal.DocMarkNotice] != 1 {
		t.Errorf("entries of number 3: %v, want one of each", counts)
	}
	d.replayed()
}

func markingShop() device.Shop {
	s := device.SampleShop(ffd.V120)
	s.Conditions = 1 << 8
	return s
}

// craft makes a marking document of the vectors' drive, and the container of an
// answer to it.
func craft(t testing.TB, code kkt.DocCode, number uint32) (message, answer []byte) {
	t.Helper()
	n, _ := kkt.ParseDriveNumber(vectorDrive)
	tag, outcome := uint16(2001), uint16(2105)
	requisites := kkt.AppendRequisite(nil, 1041, []byte(vectorDrive)...)
	timed := uint16(2114)
	if code == kkt.CodeNotification {
		tag, outcome, timed = 2002, 2111, 1012
	}
	requisites = kkt.AppendRequisite(requisites, timed, 0, 0, 0, 0x69)
	u32 := func(b []byte, tag uint16, v uint32) []byte {
		return kkt.AppendRequisite(b, tag, binary.LittleEndian.AppendUint32(nil, v)...)
	}
	sealed, err := sim1().SealDocument(n, code, number, u32(requisites, tag, number), false)
	if err != nil {
		t.Fatal(err)
	}
	h := kkt.Header{Service: kkt.ServiceMarking, Version: kkt.PMarked, Drive: n, Flags: kkt.FlagsDocument}
	if message, err = kkt.AppendMessage(nil, h, sealed.Frame); err != nil {
		t.Fatal(err)
	}
	f, err := kkt.ParseFrame(sealed.Frame)
	if err != nil {
		t.Fatal(err)
	}
	said := kkt.AppendRequisite(u32(nil, tag, number), outcome, 0)
	if answer, err = sim1().SealMarking(context.Background(), nil, kkt.Opened{Frame: f.FrameHeader}, said); err != nil {
		t.Fatal(err)
	}
	return message, answer
}

// A lost notification is noticed, shown, and no longer missed when it comes.
func TestNotificationGaps(t *testing.T) {
	d := newDesk(t)
	d.now = at(2026, 3, 2, 9)
	newMaker(d, vectorDrive, false).send(markingShop().Registration(0))
	for _, tt := range []struct {
		number uint32
		flags  fiscal.Flags
	}{{1, 0}, {2, 0}, {5, fiscal.FlagDocumentGap}, {6, 0}, {4, fiscal.FlagDocumentLate}} {
		message, answer := craft(t, kkt.CodeNotification, tt.number)
		if got, err := d.pass(message, answer); err != nil || got.Answer == nil {
			t.Fatalf("notification %d: %s", tt.number, told(got, err))
		}
		if got := d.last().Flags; got != tt.flags {
			t.Errorf("notification %d: flags %v, want %v", tt.number, got, tt.flags)
		}
	}
	message, answer := craft(t, kkt.CodeMarkingRequest, 90) // gaps of requests mean nothing
	if got, err := d.pass(message, answer); err != nil || got.Answer == nil || d.last().Flags != 0 {
		t.Errorf("request: %s, flags %v", told(got, err), d.last().Flags)
	}
	drives, err := kkt.ParseDrives(d.state.Protocol)
	if err != nil {
		t.Fatal(err)
	}
	m := drives[0].Marking
	if m == nil || m.Last != 6 || m.Asked != 90 || len(m.Gaps) != 1 || m.Gaps[0] != (kkt.Span{First: 3, Last: 3}) || m.Heard == 0 {
		t.Errorf("shown: %+v, want 6 with 3 missing, request 90", m)
	}
	if drives[0].Last != 1 || drives[0].Gaps != nil {
		t.Errorf("documents: last %d, gaps %v; marking documents must not be among them", drives[0].Last, drives[0].Gaps)
	}
	message, answer = craft(t, kkt.CodeNotification, 3)
	if _, err := d.pass(message, answer); err != nil {
		t.Fatal(err)
	}
	if drives, _ = kkt.ParseDrives(d.state.Protocol); drives[0].Marking.Gaps != nil {
		t.Errorf("gaps %v after the last missing one came", drives[0].Marking.Gaps)
	}
}

// What is not authentic, of a blocked register, or of a drive that nobody knows,
// is neither passed on nor stored.
func TestMarkingRefused(t *testing.T) {
	message, _ := marked(t, "mark-notification-82")
	forged := bytes.Clone(message)
	forged[len(forged)-3] ^= 1
	forged = rewrapped(t, forged)
	d := newDesk(t)
	if got, err := d.pass(forged, nil); err != nil || got.Reason != fiscal.NotAuthentic || !got.Close {
		t.Errorf("a forged sign: %s; want it kept apart", told(got, err))
	}
	d.state.Status = fiscal.StatusBlocked
	if got, err := d.pass(message, nil); err != nil || got.Reason != fiscal.RegisterBlocked || !got.Close {
		t.Errorf("blocked: %s", told(got, err))
	}
	d.state.Status = fiscal.StatusDeregistered
	if got, err := d.pass(message, nil); err != nil || got.Reason != fiscal.RegisterDeregistered || !got.Close {
		t.Errorf("deregistered: %s", told(got, err))
	}
	if got := d.rules.Unknown(&fiscal.Exchange{Body: d.openMarked(message)}); got.Reason != fiscal.UnknownRegister || got.Detail == "" || !got.Close {
		t.Errorf("Unknown = %s", told(got, nil))
	}
	zero, _ := craft(t, kkt.CodeNotification, 0)
	if got, err := newDesk(t).pass(zero, nil); err != nil || got.Reason != fiscal.NotAuthentic {
		t.Errorf("number 0: %s", told(got, err))
	}
}

// rewrapped computes the container's sum anew.
func rewrapped(t testing.TB, message []byte) []byte {
	t.Helper()
	h, _ := kkt.ParseHeader(message)
	fh, err := kkt.ParseFrameHeader(message[kkt.HeaderLen:])
	if err != nil {
		t.Fatal(err)
	}
	frame, err := kkt.AppendFrame(nil, fh, message[kkt.HeaderLen+kkt.FrameHeaderLen:])
	if err != nil {
		t.Fatal(err)
	}
	out, err := kkt.AppendMessage(nil, h, frame)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// What a drive would reject is no answer, and the operator does not take it
// either.
func TestMarkingAnswersRejected(t *testing.T) {
	message, answer := marked(t, "mark-notification-82")
	good := answer[kkt.HeaderLen:]
	_, otherNumber := craft(t, kkt.CodeNotification, 4)
	_, otherKind := craft(t, kkt.CodeMarkingRequest, 3)
	foreign := bytes.Clone(good)
	foreign[16] = 0x35
	for _, module := range []kkt.CryptoModule{sim1(), keyless{sim1()}} {
		d := newDesk(t)
		d.module = module
		for name, tt := range map[string]struct {
			container []byte
			want      kkt.RejectReason
		}{
			"nothing":        {nil, 0},
			"cut":            {good[:20], 0},
			"a wrong sum":    {append(bytes.Clone(good[:40]), make([]byte, len(good)-40)...), 0},
			"another number": {otherNumber, kkt.RejectNumber},
			"another kind":   {otherKind, kkt.RejectFormat},
			"another drive":  {rewrapped(t, append(bytes.Clone(answer[:kkt.HeaderLen]), foreign...))[kkt.HeaderLen:], kkt.RejectDrive},
		} {
			got, err := d.pass(message, tt.container)
			var rejected *kkt.Rejection
			if !errors.As(err, &rejected) || tt.want != 0 && rejected.Reason != tt.want {
				t.Errorf("%s: %s; want a rejection %v", name, told(got, err), tt.want)
			}
		}
		if len(d.entries) != 0 {
			t.Errorf("%d entries of what was not answered", len(d.entries))
		}
	}
}

// keyless is a module that has no keys of the marking channel.
type keyless struct{ kkt.CryptoModule }

func (keyless) OpenMarking(context.Context, kkt.Frame) (kkt.Opened, error) {
	return kkt.Opened{}, kkt.ErrKeyUnavailable
}

// Without keys containers pass unopened: stored, repeated and verified all the
// same.
func TestMarkingOpaque(t *testing.T) {
	d := newDesk(t)
	d.module, d.now = keyless{sim1()}, time.Unix(1763722200, 0).UTC()
	message, answer := marked(t, "mark-notification-82")
	got, err := d.pass(message, answer[kkt.HeaderLen:])
	if err != nil || !bytes.Equal(got.Answer, answer) {
		t.Fatalf("%s, answer %x\nwant %x", told(got, err), got.Answer, answer)
	}
	rec := d.last()
	if rec.Kind != fiscal.DocMarkNotice || rec.DeviceNumber != 3 || rec.DeviceTime != 1763722200 || rec.Flags.Has(fiscal.FlagTimeInvalid) {
		t.Errorf("entry %+v", rec)
	}
	d.replayed()
	if again, err := d.pass(message, nil); err != nil || !again.Replayed || !bytes.Equal(again.Answer, answer) {
		t.Errorf("again: %s; want the stored answer", told(again, err))
	}
	if got, err := d.pass(other(t, message), nil); err != nil || got.Reason != fiscal.NumberTaken {
		t.Errorf("other bytes: %s; want an incident", told(got, err))
	}
	d.module = sim1() // keys came: what was stored without them is the same document
	if again, err := d.pass(message, nil); err != nil || !again.Replayed {
		t.Errorf("again, with keys: %s; want the stored answer", told(again, err))
	}
}

// A module that is not to be had blames nobody.
func TestMarkingModuleDown(t *testing.T) {
	message, _ := marked(t, "mark-notification-82")
	h, _ := kkt.ParseHeader(message)
	if _, err := kkt.OpenMarking(t.Context(), downModule{sim1()}, h, message[kkt.HeaderLen:]); !errors.Is(err, fiscal.Unavailable) {
		t.Errorf("OpenMarking = %v, want Unavailable", err)
	}
	receipt := testkit.KKTVectorNamed(t, "receipt-1.2-measure-kg").Message
	h.Size = uint16(len(receipt) - kkt.HeaderLen)
	var syntax *kkt.SyntaxError
	if _, err := kkt.OpenMarking(t.Context(), sim1(), h, receipt[kkt.HeaderLen:]); !errors.As(err, &syntax) || syntax.Fault != kkt.FaultCode {
		t.Errorf("a receipt on the marking channel: %v", err)
	}
}

type downModule struct{ kkt.CryptoModule }

func (downModule) OpenMarking(context.Context, kkt.Frame) (kkt.Opened, error) {
	return kkt.Opened{}, kkt.ErrTemporary
}

// An authentic document that is no list of requisites is passed on, for it is
// the marking system's to say so, and harms nobody who reads the journal.
func TestMarkingUnreadable(t *testing.T) {
	d := newDesk(t)
	d.now = at(2026, 3, 2, 9)
	message, answer := craft(t, kkt.CodeNotification, 1)
	frame, err := kkt.ParseFrame(message[kkt.HeaderLen:])
	if err != nil {
		t.Fatal(err)
	}
	torn := bytes.Clone(message)
	at := kkt.HeaderLen + kkt.FrameHeaderLen
	torn[at+2] += 40 // the document claims more than is there
	h, _ := kkt.ParseHeader(message)
	d.module = unsigned{sim1()}
	got, err := d.pass(rewrapped(t, torn), answer)
	if err != nil || got.Answer == nil || d.last().Kind != fiscal.DocMarkNotice || d.last().DeviceNumber != uint64(frame.Number) {
		t.Fatalf("%s of %v", told(got, err), h.Service)
	}
	d.replayed()
}

// unsigned does not look at signs.
type unsigned struct{ kkt.CryptoModule }

func (unsigned) OpenMarking(ctx context.Context, f kkt.Frame) (kkt.Opened, error) {
	return kkt.Plain{}.OpenMarking(ctx, f)
}

// When a drive's reports say for more than thirty days that notifications wait,
// its sales of marked goods are flagged, and others are not; a report without
// any ends that.
//
// Req: F-022
func TestMarkingOverdue(t *testing.T) {
	d := newDesk(t)
	d.now = at(2026, 3, 2, 9)
	d.rules.Law = func(fiscal.WallTime) kkt.Law {
		return kkt.Law{Shift: 24 * time.Hour, Offline: 30 * 24 * time.Hour, Marking: 30 * 24 * time.Hour}
	}
	v, shop := newMaker(d, vectorDrive, false), markingShop()
	checked, mode := uint8(15), uint8(0)
	marked := shop.Settle(ffd.FormReceipt, ffd.Receipt{Operation: 1, Items: []ffd.Item{{
		Name: "Вода", Price: 7699, ProductType: 33, CodeMode: &mode, Checked: &checked, Codes: &ffd.ProductCode{GS1M: "0104605035006964215OoyE8qxeIOn>"},
	}}})
	waiting := func(notifications uint32, report device.Document) device.Document {
		w := report.(device.Written)
		fill := w.Fill
		w.Fill = func(n device.Numbers) any {
			n.Notification = notifications
			return fill(n)
		}
		return w
	}
	v.send(shop.Registration(0))
	v.send(shop.OpenShift())
	v.send(waiting(2, shop.State()))
	d.wants("marked goods, on the first day", v.send(marked), fiscal.DocReceipt, 0)
	v.send(waiting(2, shop.CloseShift()))
	for range 31 { // the first report counts
		d.now = d.now.Add(24 * time.Hour)
		v.send(shop.OpenShift())
		v.send(waiting(2, shop.CloseShift()))
	}
	v.send(shop.OpenShift())
	drives, err := kkt.ParseDrives(d.state.Protocol)
	if err != nil || drives[0].Marking == nil {
		t.Fatal(drives, err)
	}
	if m := drives[0].Marking; m.Unsent != 2 || !m.Overdue(fiscal.WallIn(d.now, time.UTC), 30*24*time.Hour) || m.Overdue(fiscal.WallIn(d.now, time.UTC), 32*24*time.Hour) {
		t.Errorf("shown: %+v at %v", m, d.now)
	}
	d.wants("marked goods, after 31 days", v.send(marked), fiscal.DocReceipt, fiscal.FlagMarkingOverdue)
	d.wants("others", v.send(shop.Receipt(fiscal.OpSale, 100)), fiscal.DocReceipt, 0)
	v.send(waiting(0, shop.State()))
	d.wants("marked goods, all delivered", v.send(marked), fiscal.DocReceipt, 0)
}

// Whatever the far end says, it is either no answer, or one that the drive takes.
func FuzzMarkingAnswer(f *testing.F) {
	message, answer := marked(f, "mark-notification-82")
	f.Add([]byte(answer[kkt.HeaderLen:]))
	f.Add([]byte(nil))
	h, err := kkt.ParseHeader(message)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, container []byte) {
		for _, module := range []kkt.CryptoModule{sim1(), keyless{sim1()}} {
			q, err := kkt.OpenMarking(t.Context(), module, h, message[kkt.HeaderLen:])
			if err != nil {
				t.Fatal(err)
			}
			if err := q.Answered(container); err != nil || q.Opaque {
				continue
			}
			if _, err := kkt.Judge(container, q.Frame.FrameHeader, nil); err != nil {
				t.Errorf("taken: %x, but the drive says %v", container, err)
			}
		}
	})
}
