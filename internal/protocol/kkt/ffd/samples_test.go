package ffd_test

import (
	"testing"

	"openofd/internal/fiscal"
	"openofd/internal/protocol/kkt/ffd"
)

// The shop of the samples.
const (
	sampleINN    = "7704358518"
	sampleNumber = "0000012345055778"
	sampleSerial = "00106900000001"
	sampleDrive  = "9999078902001234"
)

func moment(t testing.TB, year, month, day int) fiscal.WallTime {
	t.Helper()
	w, ok := fiscal.WallDate(year, month, day, 10, 30, 0)
	if !ok {
		t.Fatalf("no such day: %d-%d-%d", year, month, day)
	}
	return w
}

func ptr[T any](v T) *T { return &v }

func base(v ffd.Version, at fiscal.WallTime) ffd.Base {
	b := ffd.Base{Drive: sampleDrive, RegistrationNumber: sampleNumber, INN: sampleINN, Number: 17, Time: at}
	if v > ffd.V100 {
		b.Version = v
	}
	return b
}

func end() ffd.End { return ffd.End{Sign: []byte{0x31, 0x04, 1, 2, 3, 4}} }

// sampleReceipt is a good receipt of one item at 10 %.
func sampleReceipt(v ffd.Version, at fiscal.WallTime) *ffd.Receipt {
	r := &ffd.Receipt{
		Base: base(v, at), User: "ООО «Ромашка»", Shift: 3, ReceiptNumber: 2, Operation: 1, TaxSystem: 1,
		Cashier: "Иванова А. А.", Address: "Москва, ул. Тверская, д. 1", Total: 16177, Cash: 16177, End: end(),
	}
	r.User = "ООО Ромашка" // the wire's code page has no «»
	if v > ffd.V100 {
		r.Place = "Магазин"
		r.VAT10 = ptr(fiscal.Money(1471))
		r.Items = []ffd.Item{{
			Name: "Яблоки", Price: 12900, Quantity: ffd.Decimal{Digits: 1254, Places: 3}, Sum: 16177,
			PaymentType: 4, ProductType: 1, Rate: 2, VAT: ptr(fiscal.Money(1471)),
		}}
	}
	if v == ffd.V120 {
		r.Items[0].Measure = 11
	}
	return r
}

func sampleCorrection(v ffd.Version, at fiscal.WallTime) *ffd.Receipt {
	r := sampleReceipt(v, at)
	if v > ffd.V100 {
		r.Correction = ptr(uint8(0))
		r.Ground = &ffd.Ground{Date: at.Day() - 86400}
	}
	if v == ffd.V105 {
		r.Items, r.VAT10 = nil, ptr(fiscal.Money(1471))
	}
	return r
}

func sampleRegistration(v ffd.Version, at fiscal.WallTime) *ffd.Registration {
	r := &ffd.Registration{
		Base: base(v, at), User: "ООО Ромашка", TaxSystems: 3, Serial: sampleSerial, Cashier: "Иванова А. А.",
		Address: "Москва", OFDINN: "7704211201", End: end(),
	}
	if v > ffd.V100 {
		r.Place, r.RegisterVersion, r.RegisterFormat, r.DriveFormat, r.KeyDays = "Магазин", "5.8", uint8(v), uint8(v), 410
	}
	if v == ffd.V120 {
		r.Conditions = 1 << 8
	}
	return r
}

func sampleTotals() *ffd.Totals {
	tally := func() *ffd.Tally {
		return &ffd.Tally{Count: ptr(uint32(2)), Cash: ptr(fiscal.Money(500)), Cashless: ptr(fiscal.Money(700)), Prepaid: ptr(fiscal.Money(0)), Credit: ptr(fiscal.Money(0)), InKind: ptr(fiscal.Money(0)), Total: ptr(fiscal.Money(1200))}
	}
	return &ffd.Totals{Receipts: 8, Sales: tally(), SaleReturns: tally(), Purchases: tally(), PurchaseReturns: tally(), Corrections: &ffd.CorrectionTally{Count: ptr(uint32(0))}}
}

// samples are good documents of every form a register has in a version.
func samples(t testing.TB, v ffd.Version) map[ffd.Form]any {
	at := moment(t, 2018, 6, 1)
	if v > ffd.V100 {
		at = moment(t, 2026, 2, 3)
	}
	open := &ffd.OpenShift{Base: base(v, at), Cashier: "Иванова А. А.", Shift: 3, End: end()}
	state := &ffd.State{Base: base(v, at), Shift: 3, Undelivered: ptr(uint32(1)), UndeliveredSince: ptr(at.Day()), FirstUndelivered: 9, End: end()}
	closed := &ffd.CloseShift{Base: base(v, at), Shift: 3, Receipts: 2, Documents: 4, Undelivered: ptr(uint32(0)), UndeliveredSince: ptr(fiscal.WallTime(0)), End: end()}
	last := &ffd.CloseDrive{Base: base(v, at), Cashier: "Иванова А. А.", End: end()}
	again := sampleRegistration(v, at)
	ack := &ffd.Acknowledgement{OFDINN: "7704211201", Drive: sampleDrive, Number: 17, Time: at, Sign: make([]byte, 18)}
	if v <= ffd.V105 {
		again.Reasons = []ffd.ReasonCode{1, 3}
		ack.Message = &ffd.DriveMessage{Code: 14}
	} else {
		again.Changes, again.DriveTotals = 1, sampleTotals()
		ack.Mask = 2
		state.DriveTotals, closed.DriveTotals, closed.ShiftTotals, last.DriveTotals = sampleTotals(), sampleTotals(), sampleTotals(), sampleTotals()
		state.UndeliveredTotals = &ffd.CorrectionTally{Count: ptr(uint32(1))}
	}
	if v > ffd.V100 {
		open.RegisterVersion, open.RegisterFormat = "5.8", uint8(v)
		last.User, last.Address, last.Place, last.Shift = "ООО Ромашка", "Москва", "Магазин", 3
	}
	return map[ffd.Form]any{
		ffd.FormRegistration: sampleRegistration(v, at), ffd.FormRegistrationNew: again,
		ffd.FormOpenShift: open, ffd.FormCloseShift: closed, ffd.FormState: state, ffd.FormCloseDrive: last,
		ffd.FormReceipt: sampleReceipt(v, at), ffd.FormBSO: sampleReceipt(v, at),
		ffd.FormReceiptCorrection: sampleCorrection(v, at), ffd.FormBSOCorrection: sampleCorrection(v, at),
		ffd.FormAcknowledgement: ack,
	}
}

func write(t testing.TB, f ffd.Form, v ffd.Version, doc any) []byte {
	t.Helper()
	b, err := ffd.Append(nil, f, v, doc)
	if err != nil {
		t.Fatalf("Append(%s, %s, %+v) = %v", f, v, doc, err)
	}
	return b
}

var sampleRegistered = ffd.Registered{INN: sampleINN, RegistrationNumber: sampleNumber, Serial: sampleSerial, TaxSystems: 3, Marks: true}
