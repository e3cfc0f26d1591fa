package kkt

import (
	"cmp"

	"openofd/internal/fiscal"
	"openofd/internal/protocol/kkt/ffd"
)

// Shop words the documents of one register, for its drive to make. They break
// no rule, and are warned about nothing. Of the words on paper an empty one is
// that of the sample shop.
type Shop struct {
	INN                string // of the owner
	RegistrationNumber string
	Serial             string // of the register
	Operator           string // INN
	Version            ffd.Version

	User       string // name of the owner
	Address    string // where it sells
	Place      string // the same in its own words, or a site
	Cashier    string
	CashierINN string
	Sender     string // e-mail address from which receipts are sent
	TaxSystems uint8  // mask of tag 1062, whose lowest bit is used; 0 is the general system
	Conditions uint32 // mask of tag 1290, from 1.2
	Agents     uint8  // mask of tag 1057, to 1.1
	Zone       uint8  // tag 1011, of notifications: n is UTC+(n+1); 0 is Moscow's
}

// SampleShop is the shop of the test vectors.
func SampleShop(v ffd.Version) Shop {
	return Shop{INN: "7704358518", RegistrationNumber: "0000012345055778", Serial: "00106900000001", Operator: "7704211201", Version: v}
}

// worded has a word for everything.
func (s Shop) worded() Shop {
	s.User = cmp.Or(s.User, "ООО Ромашка")
	s.Address = cmp.Or(s.Address, "Москва, ул. Тверская, д. 1")
	s.Place = cmp.Or(s.Place, "Магазин")
	s.Cashier = cmp.Or(s.Cashier, "Иванова А. А.")
	s.TaxSystems = cmp.Or(s.TaxSystems, 1)
	return s
}

func (s Shop) base(n Numbers) ffd.Base {
	return ffd.Base{Drive: n.Drive.String(), RegistrationNumber: s.RegistrationNumber, INN: s.INN, Number: n.Number, Time: n.Time, Version: s.Version}
}

func (s Shop) written(f ffd.Form, fill func(Numbers) any) Document {
	return Written{Form: f, Version: s.Version, Fill: fill}
}

// Registration is a registration report; with reasons the data changed.
func (s Shop) Registration(changes uint32) Document {
	s = s.worded()
	form := ffd.FormRegistration
	if changes != 0 {
		form = ffd.FormRegistrationNew
	}
	return s.written(form, func(n Numbers) any {
		r := &ffd.Registration{
			Base: s.base(n), User: s.User, TaxSystems: s.TaxSystems, Serial: s.Serial, Cashier: s.Cashier, CashierINN: s.CashierINN, Address: s.Address,
			OFDINN: s.Operator, Place: s.Place, Sender: s.Sender, Conditions: s.Conditions, Agents: s.Agents,
			RegisterVersion: "5.8", RegisterFormat: uint8(s.Version), DriveFormat: uint8(s.Version), KeyDays: 410,
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
	s = s.worded()
	return s.written(ffd.FormOpenShift, func(n Numbers) any {
		return &ffd.OpenShift{Base: s.base(n), Cashier: s.Cashier, CashierINN: s.CashierINN, Shift: n.Shift, RegisterVersion: "5.8", RegisterFormat: uint8(s.Version)}
	})
}

// Receipt is a settlement of so many kopecks in cash, in items at 10 %.
func (s Shop) Receipt(op fiscal.Op, prices ...fiscal.Money) Document {
	const at10 = 2
	r := ffd.Receipt{Operation: uint8(op.Index() + 1)}
	for _, price := range prices {
		r.Items = append(r.Items, ffd.Item{Name: "Яблоки", Price: price, Rate: at10})
	}
	return s.Settle(ffd.FormReceipt, r)
}

// CloseShift closes the shift.
func (s Shop) CloseShift() Document {
	s = s.worded()
	return s.written(ffd.FormCloseShift, func(n Numbers) any {
		r := &ffd.CloseShift{
			Base: s.base(n), Cashier: s.Cashier, CashierINN: s.CashierINN, Shift: n.Shift, Receipts: n.ShiftReceipts, Documents: n.ShiftDocuments,
			Undelivered: &n.Unsent, UndeliveredSince: &n.UnsentSince, ShiftTotals: s.totals(n.ShiftCounters), DriveTotals: s.totals(n.Counters),
		}
		if s.Version == ffd.V120 {
			r.UndeliveredNotices, r.BadCodes, r.BadRequests = n.Notification, n.BadCodes, n.BadRequests
		}
		return r
	})
}

// State is a report on the state of settlements.
func (s Shop) State() Document {
	return s.written(ffd.FormState, func(n Numbers) any {
		r := &ffd.State{
			Base: s.base(n), Shift: n.Shift, Undelivered: &n.Unsent, UndeliveredSince: &n.UnsentSince, FirstUndelivered: n.FirstUnsent,
			DriveTotals: s.totals(n.Counters),
		}
		if s.Version == ffd.V120 {
			r.KeyDays, r.UndeliveredNotices = 400, n.Notification
		}
		return r
	})
}

// CloseDrive ends the drive.
func (s Shop) CloseDrive() Document {
	s = s.worded()
	return s.written(ffd.FormCloseDrive, func(n Numbers) any {
		r := &ffd.CloseDrive{Base: s.base(n), User: s.User, Cashier: s.Cashier, CashierINN: s.CashierINN, Shift: n.Shift, DriveTotals: s.totals(n.Counters)}
		if s.Version == ffd.V120 {
			r.Address, r.Place = s.Address, s.Place
		}
		return r
	})
}

// totals are counters where the version reports them.
func (s Shop) totals(c *Counters) *ffd.Totals {
	if s.Version < ffd.V110 {
		return nil
	}
	return c.Totals()
}
