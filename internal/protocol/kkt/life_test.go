package kkt_test

import (
	"testing"
	"time"

	device "openofd/internal/device/kkt"
	"openofd/internal/fiscal"
	"openofd/internal/protocol/kkt"
	"openofd/internal/protocol/kkt/ffd"
)

// maker is a simulated drive whose messages a test delivers as it likes.
type maker struct {
	t    testing.TB
	made *device.Drive
	desk *desk
}

func newMaker(d *desk, number string, encrypted bool) *maker {
	d.t.Helper()
	n, err := kkt.ParseDriveNumber(number)
	if err != nil {
		d.t.Fatal(err)
	}
	made, err := device.NewDrive(device.DriveConfig{Number: n, Encrypted: encrypted}, &device.Volatile{}, sim1())
	if err != nil {
		d.t.Fatal(err)
	}
	return &maker{d.t, made, d}
}

// make makes a document at the desk's time and returns its message. The drive
// itself is told that it was answered, so that it goes on.
func (v *maker) make(doc device.Document) []byte {
	v.t.Helper()
	at := fiscal.WallIn(v.desk.now, time.UTC)
	if _, err := v.made.Make(at, doc); err != nil {
		v.t.Fatal(err)
	}
	job, _ := v.made.Oldest(device.QueueDocuments)
	h := kkt.Header{Service: kkt.ServiceDocuments, Version: kkt.P120, Drive: v.made.Standing().Drive, Flags: kkt.FlagsDocument}
	message, err := kkt.AppendMessage(nil, h, job.Frame)
	if err != nil {
		v.t.Fatal(err)
	}
	if h, err = kkt.ParseHeader(message); err != nil {
		v.t.Fatal(err)
	}
	q, err := kkt.OpenRequest(v.t.Context(), sim1(), h, job.Frame)
	if err != nil {
		v.t.Fatal(err)
	}
	ack := kkt.NewAck(operatorINN, q.Frame.FrameHeader, ffd.V120, at, 0)
	answer, err := ack.Seal(v.t.Context(), sim1(), nil, h, q.Opened)
	if err == nil {
		_, err = v.made.Take(device.QueueDocuments, answer[kkt.HeaderLen:])
	}
	if err != nil {
		v.t.Fatal(err)
	}
	return message
}

// send makes and delivers a document and returns its entry.
func (v *maker) send(doc device.Document) fiscal.Record {
	v.t.Helper()
	return v.deliver(v.make(doc))
}

func (v *maker) deliver(message []byte) fiscal.Record {
	v.t.Helper()
	if got, err := v.desk.take(message); err != nil || got.Answer == nil || got.Result != 0 {
		v.t.Fatalf("%s; want an acknowledgement", told(got, err))
	}
	return v.desk.last()
}

func (d *desk) wants(what string, rec fiscal.Record, kind fiscal.DocumentKind, flags fiscal.Flags) {
	d.t.Helper()
	if rec.Kind != kind || rec.Flags != flags {
		d.t.Errorf("%s: entry %v with flags %v, want %v with %v", what, rec.Kind, rec.Flags, kind, flags)
	}
}

// A register's days, in every version, plain and encrypted: each document
// becomes its kind of entry, shift and counters follow.
//
// Req: F-005, F-015, F-029
func TestDay(t *testing.T) {
	for _, version := range []ffd.Version{ffd.V105, ffd.V110, ffd.V120} {
		for _, encrypted := range []bool{false, true} {
			d := newDesk(t)
			d.now = at(2026, 3, 2, 9)
			v, shop := newMaker(d, vectorDrive, encrypted), device.SampleShop(version)
			d.act(fiscal.Act{Kind: fiscal.ActRegister})
			d.wants("registration", v.send(shop.Registration(0)), fiscal.DocRegistration, fiscal.FlagCardMade)
			for day := range 2 {
				d.wants("opening", v.send(shop.OpenShift()), fiscal.DocShiftOpen, 0)
				d.now = d.now.Add(time.Hour)
				rec := v.send(shop.Receipt(fiscal.OpSale, 11_000, 5_500))
				d.wants("sale", rec, fiscal.DocReceipt, 0)
				if rec.Total != 16_500 || rec.Cash != 16_500 || rec.Tax != 1_500 || rec.Op != fiscal.OpSale || rec.Shift != uint32(day)+1 || rec.FiscalSign == 0 {
					t.Errorf("sale: entry %+v", rec)
				}
				d.wants("return", v.send(shop.Receipt(fiscal.OpSaleReturn, 5_500)), fiscal.DocReceipt, 0)
				if c := &d.state.Counters; c.Receipts[0].Sum != 16_500 || c.Receipts[1].Sum != 5_500 || c.Revenue != 11_000 || c.Taxes[0].Ops[0].Tax != 1_500 {
					t.Errorf("counters %+v", c)
				}
				d.wants("state", v.send(shop.State()), fiscal.DocReport, 0)
				d.wants("close", v.send(shop.CloseShift()), fiscal.DocShiftClose, 0)
				if s := d.state; s.Shift.Open || s.Shift.Number != uint32(day)+1 || s.LastZ != s.LastNumber || s.Counters.Revenue != 0 {
					t.Errorf("after the close: shift %+v, last Z %d of %d", s.Shift, s.LastZ, s.LastNumber)
				}
				d.now = d.now.Add(15 * time.Hour)
			}
			d.wants("new data", v.send(shop.Registration(1<<3)), fiscal.DocRegistration, 0)
			d.wants("end", v.send(shop.CloseDrive()), fiscal.DocDriveClose, 0)
			if got := d.state.Counters.GrandTotals; got != [4]fiscal.Money{33_000, 11_000} {
				t.Errorf("grand totals %v", got)
			}
			d.replayed()
			if got := len(d.state.Protocol); got > 128 {
				t.Errorf("the drive's part of the state has %d bytes, want few", got)
			}
		}
	}
}

// Gaps are noticed, late documents are kept and not counted, and both may be
// repeated. A new drive begins with document and shift 1.
//
// Source: KKT reference §7.3, §8.3.
func TestGapsAndDrives(t *testing.T) {
	d := newDesk(t)
	d.now = at(2026, 3, 2, 9)
	v, shop := newMaker(d, vectorDrive, false), device.SampleShop(ffd.V120)
	v.send(shop.Registration(0))
	v.send(shop.OpenShift())
	lost := v.make(shop.Receipt(fiscal.OpSale, 100))
	d.wants("behind a gap", v.send(shop.Receipt(fiscal.OpSale, 200)), fiscal.DocReceipt, fiscal.FlagDocumentGap)
	drives := must(kkt.ParseDrives(d.state.Protocol))(t)
	if len(drives) != 1 || len(drives[0].Gaps) != 1 || drives[0].Gaps[0] != (kkt.Span{First: 3, Last: 3}) || drives[0].Last != 4 {
		t.Errorf("drives %+v, want document 3 missing", drives)
	}
	d.wants("late", v.deliver(lost), fiscal.DocReceipt, fiscal.FlagDocumentLate|fiscal.FlagUncounted|fiscal.FlagGapFilled)
	if got := d.state.Counters.Receipts[0]; got.Count != 1 || got.Sum != 200 {
		t.Errorf("counted %+v, want the receipt in turn alone", got)
	}
	if drives := must(kkt.ParseDrives(d.state.Protocol))(t); len(drives[0].Gaps) != 0 {
		t.Errorf("gaps %+v, want none", drives[0].Gaps)
	}
	if got, err := d.take(lost); err != nil || !got.Replayed {
		t.Errorf("the late one again: %s", told(got, err))
	}
	late := v.make(shop.CloseShift()) // does not come before the new drive

	fresh := newMaker(d, "9999078902001235", false)
	d.wants("a new drive", fresh.send(shop.Registration(1)), fiscal.DocRegistration, fiscal.FlagReregistered|fiscal.FlagCardMade)
	d.wants("its first shift", fresh.send(shop.OpenShift()), fiscal.DocShiftOpen, 0)
	d.wants("its receipt", fresh.send(shop.Receipt(fiscal.OpSale, 300)), fiscal.DocReceipt, 0)
	d.wants("the old drive's close", v.deliver(late), fiscal.DocShiftClose, fiscal.FlagDocumentLate|fiscal.FlagUncounted)
	if s := d.state.Shift; !s.Open || s.Number != 1 {
		t.Errorf("shift %+v, want that of the new drive", s)
	}
	for _, again := range [][]byte{lost, late} {
		if got, err := d.take(again); err != nil || !got.Replayed {
			t.Errorf("again: %s", told(got, err))
		}
	}
	d.replayed()
}

// What is odd about a document is flagged, and never a reason not to take it.
func TestOddities(t *testing.T) {
	shop := device.SampleShop(ffd.V120)
	t.Run("a drive whose registration did not come", func(t *testing.T) {
		d := newDesk(t)
		d.now = at(2026, 3, 2, 9)
		v := newMaker(d, vectorDrive, false)
		v.make(shop.Registration(0))
		d.wants("opening", v.send(shop.OpenShift()), fiscal.DocShiftOpen, fiscal.FlagUnregistered|fiscal.FlagDocumentGap)
		d.replayed()
	})
	t.Run("a receipt outside of a shift", func(t *testing.T) {
		d := newDesk(t)
		d.now = at(2026, 3, 2, 9)
		v := newMaker(d, vectorDrive, false)
		v.send(shop.Registration(0))
		v.make(shop.OpenShift())
		d.wants("receipt", v.send(shop.Receipt(fiscal.OpSale, 100)), fiscal.DocReceipt, fiscal.FlagShiftNotOpened|fiscal.FlagDocumentGap)
		v.make(shop.CloseShift())
		v.make(shop.OpenShift())
		d.wants("receipt of the next", v.send(shop.Receipt(fiscal.OpSale, 100)), fiscal.DocReceipt,
			fiscal.FlagShiftNotOpened|fiscal.FlagDocumentGap|fiscal.FlagShiftNumber)
		if s := d.state; s.Shift.Number != 2 || s.Counters.Receipts[0].Count != 1 {
			t.Errorf("shift %+v with %d receipts, want 2 with 1", s.Shift, s.Counters.Receipts[0].Count)
		}
		d.wants("close", v.send(shop.CloseShift()), fiscal.DocShiftClose, 0)
		d.replayed()
	})
	t.Run("registered anew in an open shift", func(t *testing.T) {
		d := newDesk(t)
		d.now = at(2026, 3, 2, 9)
		v := newMaker(d, vectorDrive, false)
		v.send(shop.Registration(0))
		v.send(shop.OpenShift())
		v.make(shop.CloseShift())
		d.wants("new data", v.send(shop.Registration(1<<3)), fiscal.DocRegistration, fiscal.FlagReregistered|fiscal.FlagDocumentGap)
	})
	t.Run("more than 30 days on the way", func(t *testing.T) {
		d := newDesk(t)
		d.now = at(2026, 3, 2, 9)
		v := newMaker(d, vectorDrive, false)
		made := v.make(shop.Registration(0))
		d.now = d.now.Add(30*24*time.Hour + time.Second)
		d.wants("registration", v.deliver(made), fiscal.DocRegistration, fiscal.FlagLateReplay|fiscal.FlagCardMade)
	})
	t.Run("of another owner than the registry says", func(t *testing.T) {
		d := newDesk(t)
		d.now, d.card.XIN = at(2026, 3, 2, 9), "7704211201"
		d.wants("registration", newMaker(d, vectorDrive, false).send(shop.Registration(0)), fiscal.DocRegistration, fiscal.FlagRegisterData)
	})
}

func must[T any](v T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}
