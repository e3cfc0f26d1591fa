package kkt_test

import (
	"bytes"
	"context"
	"errors"
	"testing"
	"time"

	"openofd/internal/device/kkt"
	"openofd/internal/fiscal"
	wire "openofd/internal/protocol/kkt"
)

const testDrive = "9999078902001234"

func newDrive(t testing.TB, memory kkt.Memory) *kkt.Drive {
	t.Helper()
	d, err := kkt.NewDrive(kkt.DriveConfig{Number: number(t, testDrive)}, memory, sim1())
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// code of a drive's error, 0 for none.
func code(t *testing.T, err error) kkt.DriveCode {
	t.Helper()
	var e *kkt.DriveError
	if err != nil && !errors.As(err, &e) {
		t.Fatalf("error %v is no DriveError", err)
	}
	if err == nil {
		return 0
	}
	return e.Code
}

// A drive's life: what it makes when, and under which numbers.
func TestDriveLife(t *testing.T) {
	d := newDrive(t, new(kkt.Volatile))
	at := fiscal.WallTime(1772442000)
	steps := []struct {
		after time.Duration
		make  wire.DocCode
		want  kkt.DriveCode
		n     kkt.Numbers // when it is made: number, shift and receipt, counts of the shift
	}{
		{0, wire.CodeOpenShift, kkt.DriveWrongState, kkt.Numbers{}},
		{0, wire.CodeReceipt, kkt.DriveWrongState, kkt.Numbers{}},
		{0, wire.CodeMarkingRequest, kkt.DriveWrongState, kkt.Numbers{}},
		{0, wire.CodeRegistration, 0, kkt.Numbers{Number: 1}},
		{0, wire.CodeRegistration, kkt.DriveWrongState, kkt.Numbers{}},
		{0, wire.CodeReceipt, kkt.DriveWrongState, kkt.Numbers{}},
		{0, wire.CodeCloseShift, kkt.DriveWrongState, kkt.Numbers{}},
		{0, wire.CodeState, 0, kkt.Numbers{Number: 2}},
		{time.Minute, wire.CodeOpenShift, 0, kkt.Numbers{Number: 3, Shift: 1, ShiftDocuments: 1}},
		{0, wire.CodeOpenShift, kkt.DriveWrongState, kkt.Numbers{}},
		{0, wire.CodeAck, kkt.DriveWrongState, kkt.Numbers{}},
		{time.Minute, wire.CodeReceipt, 0, kkt.Numbers{Number: 4, Shift: 1, Receipt: 1, ShiftReceipts: 1, ShiftDocuments: 2}},
		{-time.Second, wire.CodeReceipt, kkt.DriveWrongTime, kkt.Numbers{}},
		{time.Second, wire.CodeCorrection, 0, kkt.Numbers{Number: 5, Shift: 1, Receipt: 2, ShiftReceipts: 2, ShiftDocuments: 3}},
		{0, wire.CodeForm, 0, kkt.Numbers{Number: 6, Shift: 1, Receipt: 3, ShiftReceipts: 3, ShiftDocuments: 4}},
		{0, wire.CodeCloseDrive, kkt.DriveWrongState, kkt.Numbers{}},
		{0, wire.CodeReregistration, kkt.DriveWrongState, kkt.Numbers{}},
		{24*time.Hour - time.Minute, wire.CodeReceipt, 0, kkt.Numbers{Number: 7, Shift: 1, Receipt: 4, ShiftReceipts: 4, ShiftDocuments: 5}},
		{time.Second, wire.CodeReceipt, kkt.DriveShiftTooLong, kkt.Numbers{}},
		{0, wire.CodeCloseShift, 0, kkt.Numbers{Number: 8, Shift: 1, ShiftReceipts: 4, ShiftDocuments: 6}},
		{0, wire.CodeOpenShift, 0, kkt.Numbers{Number: 9, Shift: 2, ShiftDocuments: 1}},
		{0, wire.CodeFormCorrection, 0, kkt.Numbers{Number: 10, Shift: 2, Receipt: 1, ShiftReceipts: 1, ShiftDocuments: 2}},
		{0, wire.CodeNotification, 0, kkt.Numbers{Number: 1, Shift: 2}},
		{0, wire.CodeNotification, 0, kkt.Numbers{Number: 2, Shift: 2}},
		{0, wire.CodeCloseShift, 0, kkt.Numbers{Number: 11, Shift: 2, ShiftReceipts: 1, ShiftDocuments: 3}},
		{0, wire.CodeCloseDrive, 0, kkt.Numbers{Number: 12, Shift: 2, ShiftReceipts: 1, ShiftDocuments: 3}},
		{0, wire.CodeState, kkt.DriveWrongState, kkt.Numbers{}},
	}
	waiting, first := uint32(0), fiscal.WallTime(0)
	for i, s := range steps {
		at = at.Add(s.after)
		made, err := d.Make(at, ready(s.make))
		if got := code(t, err); got != s.want {
			t.Fatalf("step %d: Make(%v) = %v, want %02X", i, s.make, err, uint8(s.want))
		}
		if err != nil {
			continue
		}
		got := made.Numbers
		marked := s.make == wire.CodeNotification
		if got.Unsent != waiting || waiting > 0 && (got.FirstUnsent != 1 || got.UnsentSince != first) || got.Time != at || got.Drive.String() != testDrive {
			t.Errorf("step %d: numbers %+v, want %d documents waiting since %v", i, got, waiting, first)
		}
		if !marked {
			if waiting++; waiting == 1 {
				first = at
			}
		}
		want := s.n
		want.Drive, want.Time, want.Unsent, want.FirstUnsent, want.UnsentSince, want.Notification = got.Drive, at, got.Unsent, got.FirstUnsent, got.UnsentSince, got.Notification
		if got != want {
			t.Errorf("step %d: numbers %+v, want %+v", i, got, want)
		}
		if (made.Sign == 0) != marked {
			t.Errorf("step %d: sign %d on paper", i, made.Sign)
		}
	}
	s := d.Standing()
	if s.Phase != kkt.PhaseClosed || s.Documents != 12 || s.Unsent != 12 || s.FirstUnsent != 1 || s.UnsentNotifications != 2 {
		t.Errorf("standing = %v", s)
	}
}

// document is made of bytes as they are.
type document struct {
	code wire.DocCode
	tlv  func(n kkt.Numbers) []byte
}

func (d document) Code() wire.DocCode { return d.code }
func (d document) AppendRequisites(b []byte, n kkt.Numbers) ([]byte, error) {
	return append(b, d.tlv(n)...), nil
}

// What contradicts the drive is not signed, and costs no number.
func TestDriveRefusesRequisites(t *testing.T) {
	own := func(n kkt.Numbers, kind wire.DocCode) []byte {
		b, err := ready(kind).AppendRequisites(nil, n)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	changed := func(change func(*kkt.Numbers)) func(kkt.Numbers) []byte {
		return func(n kkt.Numbers) []byte { change(&n); return own(n, wire.CodeState) }
	}
	tests := []struct {
		name string
		tlv  func(kkt.Numbers) []byte
		want kkt.DriveCode
	}{
		{"as it is", changed(func(*kkt.Numbers) {}), 0},
		{"another number", changed(func(n *kkt.Numbers) { n.Number++ }), kkt.DriveBadRequisite},
		{"another drive", changed(func(n *kkt.Numbers) { n.Drive[15]++ }), kkt.DriveBadRequisite},
		{"another time", changed(func(n *kkt.Numbers) { n.Time-- }), kkt.DriveBadRequisite},
		{"nothing", func(kkt.Numbers) []byte { return nil }, kkt.DriveMissing},
		{"no time", func(n kkt.Numbers) []byte { return own(n, wire.CodeState)[:28] }, kkt.DriveMissing},
		{"no list", func(n kkt.Numbers) []byte { return append(own(n, wire.CodeState), 1, 2) }, kkt.DriveBadRequisite},
		{"a sign of its own", func(n kkt.Numbers) []byte {
			return wire.AppendRequisite(own(n, wire.CodeState), 1077, 1, 2, 3, 4, 5, 6)
		}, kkt.DriveBadRequisite},
		{"as long as can be", func(n kkt.Numbers) []byte {
			b := own(n, wire.CodeState)
			return wire.AppendRequisite(b, 1999, make([]byte, 4096-10-4-len(b))...)
		}, 0},
		{"too long", func(n kkt.Numbers) []byte {
			b := own(n, wire.CodeState)
			return wire.AppendRequisite(b, 1999, make([]byte, 4096-10-4-len(b)+1)...)
		}, kkt.DriveTooLong},
	}
	for _, tt := range tests {
		d := newDrive(t, new(kkt.Volatile))
		if _, err := d.Make(1772442000, ready(wire.CodeRegistration)); err != nil {
			t.Fatal(err)
		}
		_, err := d.Make(1772442000, document{wire.CodeState, tt.tlv})
		if got := code(t, err); got != tt.want {
			t.Errorf("%s: Make = %v, want %02X", tt.name, err, uint8(tt.want))
		}
		want := uint32(1)
		if tt.want == 0 {
			want = 2
		} else if !errors.Is(err, fiscal.Invalid) {
			t.Errorf("%s: %v is not Invalid", tt.name, err)
		}
		if s := d.Standing(); s.Documents != want || s.Unsent != int(want) {
			t.Errorf("%s: standing = %v, want %d documents", tt.name, s, want)
		}
	}
}

// seal acknowledges a container for the tests.
func seal(t *testing.T, m wire.CryptoModule, frame []byte, change func(*wire.Ack)) []byte {
	t.Helper()
	f, err := wire.ParseFrame(frame)
	if err != nil {
		t.Fatal(err)
	}
	ack := wire.NewAck(operatorINN, f.FrameHeader, 4, 1772442000, wire.ResponseAccepted)
	if change != nil {
		change(&ack)
	}
	message, err := ack.Seal(context.Background(), m, nil, wire.Header{Service: wire.ServiceDocuments, Version: wire.P120, Drive: f.Drive}, wire.Opened{Frame: f.FrameHeader})
	if err != nil {
		t.Fatal(err)
	}
	return message[wire.HeaderLen:]
}

// A wrong acknowledgement leaves the document where it is; the right one takes
// it off, also when it finds fault with it.
func TestDriveTake(t *testing.T) {
	d := newDrive(t, new(kkt.Volatile))
	for _, c := range []wire.DocCode{wire.CodeRegistration, wire.CodeOpenShift} {
		if _, err := d.Make(1772442000, ready(c)); err != nil {
			t.Fatal(err)
		}
	}
	first, ok := d.Oldest(kkt.QueueDocuments)
	if !ok || first.Number != 1 {
		t.Fatalf("oldest = %+v, %v", first, ok)
	}
	flipped := seal(t, sim1(), first.Frame, nil)
	flipped[len(flipped)-5] ^= 1
	tests := []struct {
		name   string
		answer []byte
		want   wire.RejectReason
	}{
		{"nothing", nil, wire.RejectLength},
		{"of another key", seal(t, wire.NewSIM1([32]byte{1}), first.Frame, nil), wire.RejectSign},
		{"without signs", seal(t, wire.Plain{}, first.Frame, nil), wire.RejectSign},
		{"for another number", seal(t, sim1(), first.Frame, func(a *wire.Ack) { a.Number++ }), wire.RejectNumber},
		{"for another drive", seal(t, sim1(), first.Frame, func(a *wire.Ack) { a.Drive[0] = '8' }), wire.RejectDrive},
		{"harmed", flipped, wire.RejectCRC},
		{"the document itself", first.Frame, wire.RejectFormat},
	}
	for _, tt := range tests {
		_, err := d.Take(kkt.QueueDocuments, tt.answer)
		var r *wire.Rejection
		if code(t, err) != kkt.DriveAnswerRejected || !errors.As(err, &r) || r.Reason != tt.want || !errors.Is(err, fiscal.Unavailable) {
			t.Errorf("%s: Take = %v, want error 20, reason %d", tt.name, err, tt.want)
		}
	}
	if now, _ := d.Oldest(kkt.QueueDocuments); !bytes.Equal(now.Frame, first.Frame) || d.Standing().Acks != 0 {
		t.Fatalf("oldest = %+v, want document 1 still", now)
	}
	a, err := d.Take(kkt.QueueDocuments, seal(t, sim1(), first.Frame, func(a *wire.Ack) { a.Message = wire.MessageErrors }))
	if err != nil || a.Ack.Accepted() {
		t.Fatalf("Take = %+v, %v, want an acknowledgement with errors, and taken", a.Ack, err)
	}
	again := seal(t, sim1(), first.Frame, nil)
	if _, err := d.Take(kkt.QueueDocuments, again); code(t, err) != kkt.DriveAnswerRejected {
		t.Errorf("the same for the next document: Take = %v, want error 20", err)
	}
	second, _ := d.Oldest(kkt.QueueDocuments)
	if _, err := d.Take(kkt.QueueDocuments, seal(t, sim1(), second.Frame, nil)); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Take(kkt.QueueDocuments, again); code(t, err) != kkt.DriveNotSending {
		t.Errorf("nothing waits: Take = %v, want error 11", err)
	}
	s := d.Standing()
	if s.Unsent != 0 || s.Acks != 2 || s.LastAck == nil || s.LastAck.Number != 2 || len(s.LastAck.Sign) != 18 {
		t.Errorf("standing = %+v, last answer %+v", s, s.LastAck)
	}
}

// After 30 days without an answer a drive only sends; one answer, and it goes
// on where the next oldest allows it.
//
// Req: F-005
func TestDriveBlocksAfter30Days(t *testing.T) {
	const day = 24 * time.Hour
	d := newDrive(t, new(kkt.Volatile))
	start := fiscal.WallTime(1772442000)
	if _, err := d.Make(start, ready(wire.CodeRegistration)); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Make(start.Add(day), ready(wire.CodeState)); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Make(start.Add(30*day), ready(wire.CodeState)); err != nil {
		t.Errorf("after 30 days: %v", err)
	}
	late := start.Add(30*day + time.Second)
	if _, err := d.Make(late, ready(wire.CodeState)); code(t, err) != kkt.DriveWaitsTooLong || !errors.Is(err, fiscal.Denied) {
		t.Errorf("a second later: %v, want error 15", err)
	}
	oldest, _ := d.Oldest(kkt.QueueDocuments)
	if _, err := d.Take(kkt.QueueDocuments, seal(t, sim1(), oldest.Frame, nil)); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Make(late, ready(wire.CodeState)); err != nil {
		t.Errorf("after the answer: %v", err)
	}
	if _, err := d.Make(late.Add(day), ready(wire.CodeState)); code(t, err) != kkt.DriveWaitsTooLong {
		t.Errorf("a day later, with document 2 unanswered: %v, want error 15", err)
	}
}

// An unanswered notification stops the sale of marked goods after 30 days, and
// nothing else.
//
// Req: F-021, F-022
func TestDriveBlocksMarkedGoods(t *testing.T) {
	const day = 24 * time.Hour
	d, err := kkt.NewDrive(kkt.DriveConfig{Number: number(t, testDrive), MaxWait: 90 * day}, new(kkt.Volatile), sim1())
	if err != nil {
		t.Fatal(err)
	}
	start := fiscal.WallTime(1772442000)
	for _, c := range []wire.DocCode{wire.CodeRegistration, wire.CodeOpenShift, wire.CodeNotification} {
		if _, err := d.Make(start, ready(c)); err != nil {
			t.Fatal(err)
		}
	}
	if _, _, err := d.Ask(start.Add(30*day), ready(wire.CodeMarkingRequest)); err != nil {
		t.Errorf("request after 30 days: %v", err)
	}
	late := start.Add(30*day + time.Second)
	if _, _, err := d.Ask(late, ready(wire.CodeMarkingRequest)); code(t, err) != kkt.DriveMarkingBlocked {
		t.Errorf("request a second later: %v, want error 34", err)
	}
	if _, err := d.Make(late, ready(wire.CodeNotification)); code(t, err) != kkt.DriveMarkingBlocked {
		t.Errorf("notification: %v, want error 34", err)
	}
	for _, c := range []wire.DocCode{wire.CodeCloseShift, wire.CodeOpenShift, wire.CodeReceipt} {
		if _, err := d.Make(late, ready(c)); err != nil {
			t.Errorf("%v: %v, want it made: only marked goods stop", c, err)
		}
	}
	job, _ := d.Oldest(kkt.QueueNotifications)
	f, err := wire.ParseFrame(job.Frame)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := sim1().SealMarking(t.Context(), nil, wire.Opened{Frame: f.FrameHeader}, wire.AppendRequisite(wire.AppendRequisite(nil, 2002, 1, 0, 0, 0), 2111, 0))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.Take(kkt.QueueNotifications, answer); err != nil {
		t.Fatal(err)
	}
	if made, _, err := d.Ask(late, ready(wire.CodeMarkingRequest)); err != nil || made.Numbers.Number != 2 {
		t.Errorf("request after the answer = %+v, %v, want number 2", made.Numbers, err)
	}
}

func TestNewDrive(t *testing.T) {
	m := new(kkt.Volatile)
	if _, err := kkt.NewDrive(kkt.DriveConfig{}, m, sim1()); !errors.Is(err, fiscal.BadValue) {
		t.Errorf("NewDrive without a number = %v", err)
	}
	d := newDrive(t, m)
	if _, err := d.Make(1772442000, ready(wire.CodeRegistration)); err != nil {
		t.Fatal(err)
	}
	if _, err := kkt.NewDrive(kkt.DriveConfig{Number: number(t, "1")}, m, sim1()); !errors.Is(err, fiscal.BadValue) {
		t.Errorf("NewDrive on another's memory = %v", err)
	}
	if s := newDrive(t, m).Standing(); s.Documents != 1 || s.Unsent != 1 || s.Phase != kkt.PhaseFiscal {
		t.Errorf("opened anew: %v", s)
	}
}
