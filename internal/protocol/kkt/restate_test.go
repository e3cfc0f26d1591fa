package kkt_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	device "openofd/internal/device/kkt"
	"openofd/internal/fiscal"
	"openofd/internal/protocol/kkt"
	"openofd/internal/protocol/kkt/ffd"
)

const otherDrive = "9999078902001235"

// A register of which only the drive is known is completed by its registration
// report; what a later report changes is a new version of the card.
//
// Req: F-041
func TestReportMakesCard(t *testing.T) {
	d := newDesk(t)
	d.now = at(2026, 3, 2, 9)
	d.card.Provisional, d.card.RegistrationNumber, d.card.SerialNumber, d.card.Drive = true, "990000200001", "", vectorDrive
	d.act(fiscal.Act{Kind: fiscal.ActRegister, Card: &d.card})
	v, shop := newMaker(d, vectorDrive, false), device.SampleShop(ffd.V120)
	shop.TaxSystems, shop.Conditions, shop.Address = 3, 1<<5|1<<8, "Казань, ул. Баумана, 5"
	d.wants("first report", v.send(shop.Registration(0)), fiscal.DocRegistration, fiscal.FlagCardMade)
	c := d.card
	if c.Version != 2 || c.Provisional || c.RegistrationNumber != vectorNumber || c.SerialNumber != vectorSerial || c.Drive != vectorDrive || c.TaxSystem != 3 ||
		c.OutletAddress.RU != shop.Address || c.OutletTitle.RU != "Магазин" || c.Format != "1.2" || c.Software != "5.8" ||
		!slices.Equal(c.Modes, []string{"internet", "marked_goods"}) || !c.Since.Equal(d.now) {
		t.Errorf("card %+v", c)
	}
	if want := (fiscal.Address{Kind: fiscal.ByRegistrationNumber, Name: vectorNumber}); len(d.led) != 1 || d.led[0] != want {
		t.Errorf("numbers that lead here: %+v, want %+v", d.led, want)
	}
	d.wants("the same data", v.send(shop.Registration(1<<3)), fiscal.DocRegistration, 0)
	shop.Address = "Казань, ул. Кремлёвская, 1"
	d.wants("a new address", v.send(shop.Registration(1<<3)), fiscal.DocRegistration, fiscal.FlagCardMade)
	if d.card.Version != 3 || d.card.OutletAddress.RU != shop.Address || len(d.led) != 1 {
		t.Errorf("card %+v, led %v", d.card, d.led)
	}
	drives := must(kkt.ParseDrives(d.state.Protocol))(t)
	if drives[0].Software != "5.8" || drives[0].Reasons != 1<<3 {
		t.Errorf("drive %+v, want its software and the reasons of the last report", drives[0])
	}
	d.replayed()
}

// What a report says that contradicts the registry does not become the card.
func TestReportNotBelieved(t *testing.T) {
	// Register 2 of the same owner, whose numbers check each other as well.
	other := device.SampleShop(ffd.V120)
	other.Serial, other.RegistrationNumber = "00106900000002", russianNumber(t, "0000012346", vectorINN, "00106900000002")
	for name, tt := range map[string]struct {
		shop   func(*device.Shop)
		card   func(*desk)
		flags  fiscal.Flags
		result uint16
	}{
		"another register":   {func(s *device.Shop) { *s = other }, func(*desk) {}, fiscal.FlagRegisterData, 0},
		"another owner":      {func(*device.Shop) {}, func(d *desk) { d.card.XIN = "7704211201" }, fiscal.FlagRegisterData, 0},
		"another operator":   {func(s *device.Shop) { s.Operator = "7704358518" }, func(*desk) {}, fiscal.FlagRegisterData, 0},
		"another serial":     {func(*device.Shop) {}, func(d *desk) { d.card.Provisional, d.card.SerialNumber = true, "9" }, 0, 0},
		"a number that lies": {func(s *device.Shop) { s.Serial = "9" }, func(d *desk) { d.card.Provisional, d.card.SerialNumber = true, "" }, fiscal.FlagRegisterData, 14},
		"a number in use": {func(*device.Shop) {}, func(d *desk) {
			d.card.Provisional, d.card.RegistrationNumber, d.card.SerialNumber = true, "990000200001", ""
			d.elsewhere = map[fiscal.Address]bool{{Kind: fiscal.ByRegistrationNumber, Name: vectorNumber}: true}
		}, fiscal.FlagRegisterData, 0},
	} {
		d := newDesk(t)
		d.now = at(2026, 3, 2, 9)
		shop := device.SampleShop(ffd.V120)
		tt.shop(&shop)
		tt.card(d)
		got, err := d.take(newMaker(d, vectorDrive, false).make(shop.Registration(0)))
		if rec := d.last(); err != nil || got.Result != tt.result || got.Card != nil || rec.Flags != tt.flags {
			t.Errorf("%s: %s, card %+v, flags %v; want result %d, flags %v and no card", name, told(got, err), got.Card, rec.Flags, tt.result, tt.flags)
		}
	}
}

// russianNumber completes ten digits to the number of a register.
func russianNumber(t testing.TB, ten, inn, serial string) string {
	t.Helper()
	for check := range 65536 {
		if n := ten + strings.Repeat("0", 6-len(digitsOf(check))) + digitsOf(check); fiscal.ValidRussianNumber(n, inn, serial) {
			return n
		}
	}
	t.Fatal("no check digits fit")
	return ""
}

func digitsOf(n int) string {
	if n < 10 {
		return string(rune('0' + n))
	}
	return digitsOf(n/10) + string(rune('0'+n%10))
}

// Data change between shifts, when everything has come: anything else is told,
// of the drive itself and of the one whose place it takes.
//
// Req: F-038, F-039, F-042
func TestReregistration(t *testing.T) {
	const drive, format = ffd.ChangeDrive, ffd.ChangeFormat
	shop, old := device.SampleShop(ffd.V120), device.SampleShop(ffd.V105)
	made := fiscal.FlagCardMade
	for name, tt := range map[string]struct {
		do   func(d *desk, v, fresh *maker) fiscal.Record
		want fiscal.Flags
	}{
		"format and drive, in good order": {func(d *desk, v, fresh *maker) fiscal.Record {
			v.send(old.CloseShift())
			v.send(old.CloseDrive())
			return fresh.send(shop.Registration(drive | format))
		}, made},
		"the format not told": {func(d *desk, v, fresh *maker) fiscal.Record {
			v.send(old.CloseShift())
			v.send(old.CloseDrive())
			return fresh.send(shop.Registration(drive))
		}, made | fiscal.FlagRegisterData},
		"the drive not told": {func(d *desk, v, fresh *maker) fiscal.Record {
			v.send(old.CloseShift())
			v.send(old.CloseDrive())
			return fresh.send(shop.Registration(format))
		}, made | fiscal.FlagRegisterData},
		"in an open shift of the old drive": {func(d *desk, v, fresh *maker) fiscal.Record {
			return fresh.send(shop.Registration(drive | format))
		}, made | fiscal.FlagReregistered},
		"with a document missing of the old drive": {func(d *desk, v, fresh *maker) fiscal.Record {
			v.make(old.Receipt(fiscal.OpSale, 100))
			v.send(old.CloseShift())
			return fresh.send(shop.Registration(drive | format))
		}, made | fiscal.FlagReregistered},
		"with documents that wait in the old drive": {func(d *desk, v, fresh *maker) fiscal.Record {
			v.send(waiting(3, old.CloseShift()))
			return fresh.send(shop.Registration(drive | format))
		}, made | fiscal.FlagReregistered},
		"the same drive, closed": {func(d *desk, v, _ *maker) fiscal.Record {
			v.send(old.CloseShift())
			return v.send(old.Registration(4))
		}, 0},
		"the same drive, with documents that wait": {func(d *desk, v, _ *maker) fiscal.Record {
			v.send(waiting(1, old.CloseShift()))
			return v.send(old.Registration(4))
		}, fiscal.FlagReregistered},
		"the same drive, when what waited has come": {func(d *desk, v, _ *maker) fiscal.Record {
			v.send(waiting(1, old.CloseShift()))
			v.send(old.State())
			return v.send(old.Registration(4))
		}, 0},
		"the same drive, a document missing": {func(d *desk, v, _ *maker) fiscal.Record {
			v.make(old.CloseShift())
			v.send(old.OpenShift())
			v.send(old.CloseShift())
			v.make(old.State())
			return v.send(old.Registration(4))
		}, fiscal.FlagReregistered | fiscal.FlagDocumentGap},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t)
			d.now = at(2020, 3, 2, 9)
			v, fresh := newMaker(d, vectorDrive, false), newMaker(d, otherDrive, false)
			v.send(old.Registration(0))
			v.send(old.OpenShift())
			d.wants("report", tt.do(d, v, fresh), fiscal.DocRegistration, tt.want)
			d.replayed()
		})
	}
}

// waiting is a closing report which says that documents wait in the drive.
func waiting(n uint32, report device.Document) device.Document {
	w := report.(device.Written)
	fill := w.Fill
	w.Fill = func(numbers device.Numbers) any {
		numbers.Unsent, numbers.UnsentSince = n, numbers.Time
		return fill(numbers)
	}
	return w
}

// After a replacement the new drive is the current one; the old one stays
// readable, and its late documents are taken.
func TestReplacedDrive(t *testing.T) {
	d := newDesk(t)
	d.now = at(2026, 3, 2, 9)
	d.card.Drive = vectorDrive
	v, fresh, shop := newMaker(d, vectorDrive, false), newMaker(d, otherDrive, true), device.SampleShop(ffd.V120)
	v.send(shop.Registration(0))
	v.send(shop.OpenShift())
	lost := v.make(shop.Receipt(fiscal.OpSale, 100))
	v.send(shop.CloseShift())
	fresh.send(shop.Registration(1))
	fresh.send(shop.OpenShift())
	d.wants("late, of the old drive", v.deliver(lost), fiscal.DocReceipt, fiscal.FlagDocumentLate|fiscal.FlagUncounted|fiscal.FlagGapFilled)
	drives := must(kkt.ParseDrives(d.state.Protocol))(t)
	if len(drives) != 2 || drives[0].Current || !drives[1].Current || drives[1].Number.String() != otherDrive || len(drives[0].Gaps) != 0 || drives[1].Reasons != 1 {
		t.Errorf("drives %+v", drives)
	}
	if d.card.Drive != otherDrive {
		t.Errorf("the card says drive %s, want the new one", d.card.Drive)
	}
	if !d.state.Shift.Open || d.state.Shift.Number != 1 || d.state.Counters.Receipts[0].Count != 0 {
		t.Errorf("shift %+v, want that of the new drive, without the old one's receipt", d.state.Shift)
	}
	d.wants("its first receipt", fresh.send(shop.Receipt(fiscal.OpSale, 300)), fiscal.DocReceipt, 0)
	d.wants("its first close", fresh.send(shop.CloseShift()), fiscal.DocShiftClose, 0)
	d.replayed()
}

// The counters of closing reports are held against the receipts that came, over
// shifts and to the drive's last document; a report that lies is told, and where.
//
// Req: F-029, F-031, F-032, F-033
func TestReportsHeldAgainstReceipts(t *testing.T) {
	for _, version := range []ffd.Version{ffd.V105, ffd.V110, ffd.V120} {
		for _, encrypted := range []bool{false, true} {
			d := newDesk(t)
			d.now = at(2026, 3, 2, 9)
			v, shop := newMaker(d, vectorDrive, encrypted), device.SampleShop(version)
			v.send(shop.Registration(0))
			for range 3 {
				v.send(shop.OpenShift())
				v.send(shop.Receipt(fiscal.OpSale, 11_003, 5_501))
				v.send(shop.Receipt(fiscal.OpPurchaseReturn, 700))
				v.send(shop.State())
				d.wants("close", v.send(shop.CloseShift()), fiscal.DocShiftClose, 0)
				d.now = d.now.Add(time.Hour)
			}
			d.wants("state between shifts", v.send(shop.State()), fiscal.DocReport, 0)
			v.send(shop.OpenShift())
			v.send(shop.Receipt(fiscal.OpSale, 100))
			got, err := d.take(v.make(lying(shop.CloseShift(), func(r *ffd.CloseShift) {
				r.Documents++
				if version >= ffd.V110 {
					*r.ShiftTotals.Sales.Cash += 5
					*r.ShiftTotals.Sales.Total += 5
				}
			})))
			if err != nil || got.Answer == nil || got.Result != 0 || d.last().Flags != fiscal.FlagReportDiffers {
				t.Fatalf("%s: a report that lies: %s, flags %v; want report_differs", version, told(got, err), d.last().Flags)
			}
			want := "shift_documents 1111"
			if version >= ffd.V110 {
				want = "shift_documents 1111; counters 1194.1129.1201; counters 1194.1129.1136; drive_counters 1157.1129.1201; drive_counters 1157.1129.1136"
			}
			if got.Detail != want {
				t.Errorf("%s: told %q, want %q", version, got.Detail, want)
			}
			// The lie was about the shift: the drive's own counters go on.
			d.wants("end", v.send(shop.CloseDrive()), fiscal.DocDriveClose, 0)
			d.replayed()
		}
	}
}

// lying is a closing report that was changed before it was signed.
func lying(report device.Document, change func(*ffd.CloseShift)) device.Document {
	w := report.(device.Written)
	fill := w.Fill
	w.Fill = func(n device.Numbers) any {
		r := fill(n).(*ffd.CloseShift)
		r.ShiftTotals = cloned(r.ShiftTotals)
		change(r)
		return r
	}
	return w
}

// cloned shares no sums with the drive's own counters.
func cloned(t *ffd.Totals) *ffd.Totals {
	if t == nil {
		return nil
	}
	c := *t
	sales := *t.Sales
	cash, total := *sales.Cash, *sales.Total
	sales.Cash, sales.Total, c.Sales = &cash, &total, &sales
	return &c
}

// A shift of which a document is missing, or came late, is not compared.
func TestReportOfShiftWithGaps(t *testing.T) {
	for _, late := range []bool{false, true} {
		d := newDesk(t)
		d.now = at(2026, 3, 2, 9)
		v, shop := newMaker(d, vectorDrive, false), device.SampleShop(ffd.V120)
		v.send(shop.Registration(0))
		v.send(shop.OpenShift())
		lost := v.make(shop.Receipt(fiscal.OpSale, 100))
		v.send(shop.Receipt(fiscal.OpSale, 200))
		if late {
			v.deliver(lost)
		}
		d.wants("close", v.send(shop.CloseShift()), fiscal.DocShiftClose, 0)
		v.send(shop.OpenShift())
		v.send(shop.Receipt(fiscal.OpSale, 300))
		d.wants("the next close", v.send(shop.CloseShift()), fiscal.DocShiftClose, 0)
		d.replayed()
	}
}

// Pairs of corrections are held against the receipts that they are about.
//
// Req: F-077, F-078
func TestCorrectionsHeldAgainstReceipts(t *testing.T) {
	for _, version := range []ffd.Version{ffd.V105, ffd.V120} {
		d := newDesk(t)
		d.now = at(2026, 3, 2, 9)
		v, shop := newMaker(d, vectorDrive, version == ffd.V120), device.SampleShop(version)
		form := ffd.FormReceipt
		if version >= ffd.V110 {
			form = ffd.FormReceiptCorrection
		}
		correct := func(op uint8, sign string, price fiscal.Money) device.Document {
			r := ffd.Receipt{Operation: op, Extra: sign, Items: []ffd.Item{{Name: "Яблоки", Price: price, Rate: 2}}}
			if form.Corrects() {
				zero := uint8(0)
				r.Correction, r.Ground = &zero, &ffd.Ground{Date: fiscal.WallIn(d.now, time.UTC).Day()}
			}
			return shop.Settle(form, r)
		}
		v.send(shop.Registration(0))
		v.send(shop.OpenShift())
		wrong := v.send(shop.Receipt(fiscal.OpSale, 500))
		other := v.send(shop.Receipt(fiscal.OpSale, 700))
		sign := func(r fiscal.Record) string { return digitsOf(int(r.FiscalSign)) }
		const bad = fiscal.FlagCorrection
		d.wants("put right before it is taken back", v.send(correct(1, sign(wrong), 400)), fiscal.DocReceipt, bad)
		d.wants("taken back", v.send(correct(2, sign(wrong), 500)), fiscal.DocReceipt, 0)
		d.wants("taken back again", v.send(correct(2, sign(wrong), 500)), fiscal.DocReceipt, bad)
		d.wants("another taken back, with other sums", v.send(correct(2, sign(other), 701)), fiscal.DocReceipt, bad)
		d.wants("put right", v.send(correct(1, sign(wrong), 400)), fiscal.DocReceipt, 0)
		d.wants("put right once more", v.send(correct(1, sign(wrong), 400)), fiscal.DocReceipt, bad)
		unknown := fiscal.Flags(0)
		if version >= ffd.V110 {
			unknown = bad
		}
		d.wants("the sign of no receipt", v.send(correct(2, "1", 500)), fiscal.DocReceipt, unknown)
		d.wants("close", v.send(shop.CloseShift()), fiscal.DocShiftClose, 0)
		if got := must(kkt.ParseDrives(d.state.Protocol))(t)[0].Corrected; got != 1 {
			t.Errorf("%s: %d receipts taken back and not put right, want the other one", version, got)
		}
		d.replayed()
	}
}

// By which documents an unknown drive is recognized.
func TestFounding(t *testing.T) {
	d := newDesk(t)
	d.now = at(2026, 3, 2, 9)
	shop, alone := device.SampleShop(ffd.V120), device.SampleShop(ffd.V120)
	alone.Operator = "7704358518"
	v := newMaker(d, vectorDrive, true)
	for _, tt := range []struct {
		name string
		doc  device.Document
		want bool
	}{
		{"first report", shop.Registration(0), true},
		{"report on changes", shop.Registration(1), true},
		{"of another operator", alone.Registration(1), false},
		{"no report", shop.OpenShift(), false},
	} {
		message := v.make(tt.doc)
		h, err := kkt.ParseHeader(message)
		if err != nil {
			t.Fatal(err)
		}
		q, err := kkt.OpenRequest(context.Background(), sim1(), h, message[kkt.HeaderLen:])
		if err != nil {
			t.Fatal(err)
		}
		f, ok := q.Founding(operatorINN)
		if want := (kkt.Founding{INN: vectorINN, RegistrationNumber: vectorNumber, Serial: vectorSerial, Drive: vectorDrive}); ok != tt.want || ok && f != want {
			t.Errorf("%s: Founding() = %+v, %t; want %+v, %t", tt.name, f, ok, want, tt.want)
		}
		q.Release()
		message[len(message)-20]++ // no longer authentic
		if q, err := kkt.OpenRequest(context.Background(), sim1(), h, message[kkt.HeaderLen:]); err == nil {
			if _, ok := q.Founding(operatorINN); ok {
				t.Errorf("%s, forged: it is believed", tt.name)
			}
			q.Release()
		}
	}
}
