package api

import (
	"strconv"

	"openofd/internal/cabinet"
	"openofd/internal/fiscal"
	"openofd/internal/web/ui"
)

// wallForm is how times of registers travel in JSON.
const wallForm = "2006-01-02T15:04:05"

func wall(w fiscal.WallTime) string {
	if w == 0 {
		return ""
	}
	return w.UTC().Format(wallForm)
}

// newReceipt words a found receipt.
func newReceipt(l *ui.Locale, f *cabinet.Found, operator *fiscal.Operator) *Receipt {
	r, d, card := f.Document.Receipt, &f.Document, &f.Card
	out := &Receipt{
		Country: string(f.Country()), Currency: currencies[f.Country()], Operation: r.Op.String(), Time: wall(d.DeviceTime), ReceivedAt: d.ReceivedAt,
		FiscalSign: f.FiscalSign(), OfflineCode: f.OfflineCode(), Offline: f.Offline(),
		Number: f.ReceiptNumber(), Shift: d.Shift, Cashier: Cashier(r.Cashier),
		Seller:   Seller{XIN: string(card.XIN), Title: Text(card.Title), VATCertificate: card.VATCertificate},
		Outlet:   Outlet{Title: Text(card.OutletTitle), Address: Text(card.OutletAddress), Zone: card.Zone},
		Register: Register{RegistrationNumber: card.RegistrationNumber, Provisional: card.Provisional, SerialNumber: card.SerialNumber, Model: card.Model, FiscalDrive: d.Drive},
		Discount: newModifier(f.Discount()), Markup: newModifier(f.Markup()), Total: r.Total.String(),
		Items: []Item{}, Taxes: []Tax{}, Payments: []Payment{}, BuyerXIN: f.MaskedBuyer(),
		Requisites: newRequisites(l, r.Requisites, d.DeviceTime),
		Operator:   Operator{Title: Text(operator.Title), BIN: string(operator.BIN), INN: string(operator.INN), Site: operator.Site},
		Link:       f.Link(operator.Site),
	}
	if f.Russian() {
		out.Register.FiscalDocument = d.DeviceNumber
	}
	if c := f.Canceled; c != nil {
		out.Canceled = &Cancellation{Time: wall(c.Time), ReceivedAt: c.ReceivedAt}
	}
	for i := range r.Items {
		out.Items = append(out.Items, newItem(l, &r.Items[i], d.DeviceTime))
	}
	for _, t := range f.Taxes() {
		out.Taxes = append(out.Taxes, Tax{Kind: t.Kind, Percent: percent(t.Percent), Included: t.Included, Sum: t.Sum.String()})
	}
	for _, p := range r.Payments {
		out.Payments = append(out.Payments, Payment{Kind: p.Kind.String(), Sum: p.Sum.String(), Requisites: newRequisites(l, p.Requisites, d.DeviceTime)})
	}
	if r.Taken != 0 {
		out.Taken, out.ChangeDue = r.Taken.String(), r.ChangeDue.String()
	}
	if p := r.Parent; p != nil {
		out.Parent = &Parent{Code: p.FiscalSign, Offline: p.Offline, Time: wall(p.Time), RegistrationNumber: p.RegistrationNumber, Total: p.Total.String()}
	}
	return out
}

func newItem(l *ui.Locale, it *fiscal.Item, at fiscal.WallTime) Item {
	out := Item{
		Kind: it.Kind.String(), Storno: it.Storno, Name: it.Name, Section: it.Section, Unit: it.Unit,
		UnitTitle: l.Unit(it.Unit), Cost: (it.Direction() * it.Cost).String(), Barcode: it.Barcode, NTIN: it.NTIN,
		ProductID: it.ProductID, ExciseStamps: it.ExciseStamps, PaperStamp: it.PaperStamp,
		Requisites: newRequisites(l, it.Requisites, at),
	}
	for _, q := range out.Requisites {
		if q.Key == "itemsQuantityMeasure" || q.Key == "unit" {
			out.UnitTitle = q.Value
		}
	}
	if it.Kind == fiscal.ItemGoods {
		out.Quantity, out.Price = it.Quantity.String(), it.Price.String()
	}
	if it.Code != 0 {
		out.Code = strconv.FormatUint(it.Code, 10)
	}
	for _, t := range it.Taxes {
		out.Taxes = append(out.Taxes, Tax{Kind: t.Kind, Percent: percent(t.Percent), Included: t.Included, Sum: t.Sum.String()})
	}
	return out
}

func newModifier(m *fiscal.Modifier) *Modifier {
	if m == nil {
		return nil
	}
	return &Modifier{Name: m.Name, Sum: m.Sum.String()}
}

// newRequisites words a list. What a device sent under names of its own is not
// for buyers.
func newRequisites(l *ui.Locale, list []fiscal.Requisite, at fiscal.WallTime) []Requisite {
	return requisites(l.Requisites(list, at))
}

func requisites(worded []ui.Requisite) []Requisite {
	var out []Requisite
	for _, w := range worded {
		out = append(out, Requisite{Key: w.Key, Title: w.Title, Value: w.Plain, Code: w.Code, Requisites: requisites(w.Children)})
	}
	return out
}

// currencies are those of the countries' receipts.
var currencies = map[fiscal.Country]string{fiscal.Kazakhstan: "KZT", fiscal.Russia: "RUB"}

// percent words thousandths of a percent: 16000 is "16", 12500 is "12.5".
func percent(thousandths uint32) string {
	return (fiscal.Quantity(thousandths) * fiscal.OneUnit / 1000).String()
}
