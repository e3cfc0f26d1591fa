package kkt

import (
	"cmp"
	"context"
	"slices"

	"openofd/internal/fiscal"
	wire "openofd/internal/protocol/kkt"
	"openofd/internal/protocol/kkt/ffd"
)

// The statuses of marked goods, values of tags 2003 and 2110.
const (
	PieceSold        uint8 = 1
	MeasureSelling   uint8 = 2 // part of measured goods, the rest stays
	PieceReturned    uint8 = 3
	MeasureReturned  uint8 = 4
	statusUnchanged  uint8 = 255
	goodsWithCode    uint8 = 33 // tag 1212
	usualMode        uint8 = 0  // tag 2102
	receiptOperation uint8 = 1  // tag 2116
	correction       uint8 = 2  // the same
)

// AskAbout is a request about a code that the drive has checked.
func (s Shop) AskAbout(c Code, planned uint8) Document {
	return s.written(ffd.FormMarkRequest, func(n Numbers) any {
		return &ffd.MarkRequest{
			Number: n.Number, INN: s.INN, Time: n.Time, Drive: n.Drive.String(), Checked: c.Checked, Planned: planned,
			CodeKind: c.Parsed().Kind, Code: c.Text, CodeMode: usualMode,
		}
	})
}

// SettleMarked is Settle with marked goods, and the notification of them. codes
// stand beside the items of r: an item whose code is zero is not marked. What an
// item leaves open follows from its code.
func (s Shop) SettleMarked(form ffd.Form, r ffd.Receipt, codes []Code) Marked {
	s = s.worded()
	r.Items = slices.Clone(r.Items)
	for i := range r.Items {
		if !bears(codes, i) {
			continue
		}
		it, checked, mode := &r.Items[i], codes[i].Checked, usualMode
		it.ProductType = cmp.Or(it.ProductType, goodsWithCode)
		it.Checked, it.CodeMode = &checked, &mode
		if it.Codes == nil {
			it.Codes = productCode(codes[i].Parsed())
		}
	}
	notice := func(receipt Numbers) Document {
		return s.written(ffd.FormMarkNotice, func(n Numbers) any { return s.notice(form, r, codes, receipt, n) })
	}
	return Marked{s.Settle(form, r), notice}
}

func bears(codes []Code, i int) bool { return i < len(codes) && codes[i].Text != "" }

// productCode is the code as a receipt bears it (1163).
func productCode(c ffd.MarkingCode) *ffd.ProductCode {
	switch c.Kind {
	case ffd.CodeUnknown:
		return &ffd.ProductCode{Unknown: c.Text[:min(len(c.Text), 32)]}
	case ffd.CodeShort:
		return &ffd.ProductCode{GS1: c.Product}
	}
	return &ffd.ProductCode{GS1M: c.Product}
}

// notice words document 82.
//
// Source: KKT reference §6.12.2, §6.12.3.
func (s Shop) notice(form ffd.Form, r ffd.Receipt, codes []Code, receipt, n Numbers) *ffd.MarkNotice {
	doc := &ffd.MarkNotice{
		Number: n.Number, Time: n.Time, Drive: n.Drive.String(), INN: s.INN, Address: cmp.Or(r.Address, s.Address),
		TaxSystem: cmp.Or(r.TaxSystem, s.TaxSystems&-s.TaxSystems), Operation: r.Operation, Kind: receiptOperation, Zone: cmp.Or(s.Zone, 2),
		Receipt: receipt.Number, Internet: r.Internet, Industry: r.Industry,
	}
	if form.Corrects() {
		doc.Kind = correction
	}
	for i := range r.Items {
		if !bears(codes, i) {
			continue
		}
		it, c := r.Items[i], codes[i].Parsed()
		finish(&it, n.Time)
		g := ffd.MarkedGood{
			Code: c.Text, CodeKind: c.Kind, Product: c.Product, Control: c.Control, Status: Planned(r.Operation, it.Fraction != nil || it.Measure != 0),
			Checked: codes[i].Checked, CodeMode: usualMode, PaymentType: it.PaymentType, Name: it.Name, Price: it.Price, Sum: it.Sum, Rate: it.Rate,
			Agent: it.Agent, AgentData: it.AgentData, Supplier: it.Supplier, SupplierINN: it.SupplierINN, Industry: it.Industry, Fraction: it.Fraction,
		}
		if it.VAT != nil {
			g.VAT = *it.VAT
		}
		if it.Fraction != nil || it.Measure != 0 {
			g.Quantity, g.Measure = &it.Quantity, &it.Measure
		}
		doc.Goods = append(doc.Goods, g)
	}
	return doc
}

// Planned is the status (2003, 2110) that an operation (1054) gives to goods that
// are sold whole, or in parts.
func Planned(operation uint8, parts bool) uint8 {
	switch {
	case operation == 1 && parts:
		return MeasureSelling
	case operation == 1:
		return PieceSold
	case operation == 2 && parts:
		return MeasureReturned
	case operation == 2:
		return PieceReturned
	}
	return statusUnchanged // purchases
}

// Scan checks a code before its sale: by the drive, then by the marking system,
// where Shop words the request. With an error that is Unavailable nobody has
// answered; the code may be sold nevertheless, and bears no plus on paper.
//
// Errors: as Drive.Check and Register.Ask.
//
// Source: KKT reference §10.1.
func (r *Register) Scan(ctx context.Context, shop Shop, text string, planned uint8) (Code, error) {
	c, err := r.drive.Check(r.wall(), text)
	if err != nil {
		return c, err
	}
	if _, err := r.Ask(ctx, shop.AskAbout(c, planned)); err != nil {
		return c, err
	}
	for _, kept := range r.drive.Standing().Codes {
		if kept.Text == text {
			return kept, nil
		}
	}
	return c, &fiscal.Error{Of: fiscal.Internal, Field: "code", Msg: "the drive has forgotten what it was asked about"}
}

// PingMarking asks with an empty message whether the operator's receiving point
// for marked goods is there; the marking system is not asked.
//
// Errors: *LinkError.
func (r *Register) PingMarking(ctx context.Context) error {
	return r.ping(ctx, QueueNotifications, r.marking, wire.Header{Service: wire.ServiceMarkingTest, Version: wire.PMarked})
}
