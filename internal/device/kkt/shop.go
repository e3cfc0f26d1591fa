package kkt

import (
	"openofd/internal/fiscal"
	"openofd/internal/protocol/kkt/ffd"
)

// Shop words the documents of one register, for its drive to make. They break
// no rule, and are warned about nothing.
type Shop struct {
	INN                string // of the owner
	RegistrationNumber string
	Serial             string // of the register
	Operator           string // INN
	Version            ffd.Version
}

// SampleShop is the shop of the test vectors.
func SampleShop(v ffd.Version) Shop {
	return Shop{INN: "7704358518", RegistrationNumber: "0000012345055778", Serial: "00106900000001", Operator: "7704211201", Version: v}
}

func (s Shop) base(n Numbers) ffd.Base {
	return ffd.Base{Drive: n.Drive.String(), RegistrationNumber: s.RegistrationNumber, INN: s.INN, Number: n.Number, Time: n.Time, Version: s.Version}
}

func (s Shop) written(f ffd.Form, fill func(Numbers) any) Document {
	return Written{Form: f, Version: s.Version, Fill: fill}
}

// Registration is a registration report; with reasons the data changed.
func (s Shop) Registration(changes uint32) Document {
	form := ffd.FormRegistration
	if changes != 0 {
		form = ffd.FormRegistrationNew
	}
	return s.written(form, func(n Numbers) any {
		r := &ffd.Registration{
			Base: s.base(n), User: "ООО Ромашка", TaxSystems: 1, Serial: s.Serial, Cashier: "Иванова А. А.", Address: "Москва, ул. Тверская, д. 1",
			OFDINN: s.Operator, Place: "Магазин", RegisterVersion: "5.8", RegisterFormat: uint8(s.Version), DriveFormat: uint8(s.Version), KeyDays: 410,
		}
		switch {
		case changes != 0 && s.Version == ffd.V105:
			r.Reasons = []ffd.ReasonCode{4}
		case changes != 0:
			r.Changes = changes
		}
		return r
	})
}

// OpenShift opens a shift.
func (s Shop) OpenShift() Document {
	return s.written(ffd.FormOpenShift, func(n Numbers) any {
		return &ffd.OpenShift{Base: s.base(n), Cashier: "Иванова А. А.", Shift: n.Shift, RegisterVersion: "5.8", RegisterFormat: uint8(s.Version)}
	})
}

// Receipt is a settlement of so many kopecks in cash, in items at 10 %.
func (s Shop) Receipt(op fiscal.Op, prices ...fiscal.Money) Document {
	return s.written(ffd.FormReceipt, func(n Numbers) any {
		r := &ffd.Receipt{
			Base: s.base(n), User: "ООО Ромашка", Shift: n.Shift, ReceiptNumber: n.Receipt, Operation: uint8(op.Index() + 1), TaxSystem: 1,
			Cashier: "Иванова А. А.", Address: "Москва, ул. Тверская, д. 1", Place: "Магазин",
		}
		var tax fiscal.Money
		for _, price := range prices {
			vat := fiscal.IncludedTax(price, 10_000)
			tax += vat
			item := ffd.Item{Name: "Яблоки", Price: price, Quantity: ffd.Decimal{Digits: 1}, Sum: price, PaymentType: 4, ProductType: 1, Rate: 2, VAT: &vat}
			r.Items = append(r.Items, item)
			r.Total += price
		}
		r.Cash, r.VAT10 = r.Total, &tax
		return r
	})
}

// CloseShift closes the shift.
func (s Shop) CloseShift() Document {
	return s.written(ffd.FormCloseShift, func(n Numbers) any {
		return &ffd.CloseShift{
			Base: s.base(n), Cashier: "Иванова А. А.", Shift: n.Shift, Receipts: n.ShiftReceipts, Documents: n.ShiftDocuments,
			Undelivered: &n.Unsent, UndeliveredSince: &n.UnsentSince, ShiftTotals: s.totals(), DriveTotals: s.totals(),
		}
	})
}

// State is a report on the state of settlements.
func (s Shop) State() Document {
	return s.written(ffd.FormState, func(n Numbers) any {
		r := &ffd.State{
			Base: s.base(n), Shift: n.Shift, Undelivered: &n.Unsent, UndeliveredSince: &n.UnsentSince, FirstUndelivered: n.FirstUnsent,
			DriveTotals: s.totals(),
		}
		if s.Version == ffd.V120 {
			r.KeyDays = 400
		}
		return r
	})
}

// CloseDrive ends the drive.
func (s Shop) CloseDrive() Document {
	return s.written(ffd.FormCloseDrive, func(n Numbers) any {
		return &ffd.CloseDrive{Base: s.base(n), Cashier: "Иванова А. А.", DriveTotals: s.totals()}
	})
}

// totals are counters that hold together; whether they are those of the
// receipts is another matter.
func (s Shop) totals() *ffd.Totals {
	if s.Version < ffd.V110 {
		return nil
	}
	tally := func() *ffd.Tally {
		count, zero := uint32(0), fiscal.Money(0)
		return &ffd.Tally{Count: &count, Cash: &zero, Cashless: &zero, Prepaid: &zero, Credit: &zero, InKind: &zero, Total: &zero}
	}
	count := uint32(0)
	return &ffd.Totals{Sales: tally(), SaleReturns: tally(), Purchases: tally(), PurchaseReturns: tally(), Corrections: &ffd.CorrectionTally{Count: &count}}
}
