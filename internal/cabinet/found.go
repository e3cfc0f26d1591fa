package cabinet

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	"openofd/internal/fiscal"
)

// Found is a receipt and what belongs to it, as of its own day.
type Found struct {
	Document fiscal.Document // Receipt is set
	Card     fiscal.Card     // the version that held when the receipt was made
	Canceled *Cancellation   // nil: it stands
}

// Cancellation is when a receipt was taken back.
type Cancellation struct {
	Time       fiscal.WallTime // of the register
	ReceivedAt time.Time       // ours, UTC
}

// Offline reports whether the register made the receipt without a link.
func (f *Found) Offline() bool { return f.Document.Flags.Has(fiscal.FlagReplay) }

// FiscalSign is our sign, in digits.
func (f *Found) FiscalSign() string { return strconv.FormatUint(f.Document.FiscalSign, 10) }

// OfflineCode is the code that an autonomous register printed instead of the
// sign; "" if it printed none.
func (f *Found) OfflineCode() string {
	if !f.Offline() || f.Document.DeviceNumber == 0 {
		return ""
	}
	return strconv.FormatUint(f.Document.DeviceNumber, 10)
}

// PrintedCode is the code on the paper: the autonomous one or the sign.
func (f *Found) PrintedCode() string {
	return cmp.Or(f.OfflineCode(), f.FiscalSign())
}

// Query is the check of this very receipt, as QR codes write it.
// Source: KKM reference §11.
func (f *Found) Query() string {
	if f.Russian() {
		return f.russianQuery()
	}
	d := &f.Document
	return "i=" + f.PrintedCode() + "&f=" + f.Card.RegistrationNumber + "&s=" + d.Total.String() + "&t=" + d.DeviceTime.Compact()
}

// Link is the address at which the receipt is checked. site is the operator's.
func (f *Found) Link(site string) string {
	path := "/?"
	if f.Russian() {
		path = "/check?"
	}
	return strings.TrimRight(site, "/") + path + f.Query()
}

// QR is the text of the code on the receipt's paper: in Kazakhstan the link,
// in Russia the query alone.
func (f *Found) QR(site string) string {
	if f.Russian() {
		return f.Query()
	}
	return f.Link(site)
}

// ReceiptNumber is the consecutive number of the receipt: the device's own
// where it states one, else the number of the entry.
// Source: order 636 items 15.5 and 49.5.
func (f *Found) ReceiptNumber() string {
	for _, key := range []string{"printed_document_number", "shift_document_number", "requestNumber"} {
		for _, list := range [][]fiscal.Requisite{f.Document.Extra, f.Document.Receipt.Requisites} {
			for _, r := range list {
				if r.Key == key && r.Value != "" {
					return r.Value
				}
			}
		}
	}
	return strconv.FormatUint(uint64(f.Document.Number), 10)
}

// TaxLine is the sum of one tax at one rate over a whole receipt.
type TaxLine struct {
	Kind     uint32 // fiscal.KindVAT
	Percent  uint32 // thousandths of a percent
	Included bool   // contained in the total, not on top of the prices
	Sum      fiscal.Money
}

// Taxes adds up the taxes of lines, modifiers and the whole by rate, highest
// rate first.
func (f *Found) Taxes() []TaxLine {
	if f.Russian() {
		return f.statedTaxes()
	}
	var lines []TaxLine
	add := func(taxes []fiscal.Tax, direction fiscal.Money) {
		for _, t := range taxes {
			i := slices.IndexFunc(lines, func(l TaxLine) bool {
				return l.Kind == t.Kind && l.Percent == t.Percent && l.Included == t.Included
			})
			if i < 0 {
				i = len(lines)
				lines = append(lines, TaxLine{Kind: t.Kind, Percent: t.Percent, Included: t.Included})
			}
			lines[i].Sum += direction * t.Sum
		}
	}
	r := f.Document.Receipt
	for i := range r.Items {
		add(r.Items[i].Taxes, r.Items[i].Direction())
	}
	add(r.Taxes, 1)
	if r.Discount != nil {
		add(r.Discount.Taxes, -1)
	}
	if r.Markup != nil {
		add(r.Markup.Taxes, 1)
	}
	slices.SortStableFunc(lines, func(a, b TaxLine) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(b.Percent, a.Percent))
	})
	return lines
}

// MaskedBuyer is the buyer's number with all but its last four digits hidden:
// enough for its owner to know it, too little for anyone else.
func (f *Found) MaskedBuyer() string {
	x := string(f.Document.Receipt.Buyer.XIN)
	if len(x) <= 4 {
		return strings.Repeat("•", len(x))
	}
	return strings.Repeat("•", len(x)-4) + x[len(x)-4:]
}

// Discount is the discount on the whole receipt; nil if there is none, or if it
// only repeats the sum of the lines' discounts, as some devices do.
// Source: KKM reference §8, V6.
func (f *Found) Discount() *fiscal.Modifier {
	return f.modifier(f.Document.Receipt.Discount, fiscal.ItemDiscount)
}

// Markup is the markup on the whole receipt, as Discount.
func (f *Found) Markup() *fiscal.Modifier {
	return f.modifier(f.Document.Receipt.Markup, fiscal.ItemMarkup)
}

func (f *Found) modifier(m *fiscal.Modifier, lines fiscal.ItemKind) *fiscal.Modifier {
	if m == nil || m.Sum == 0 {
		return nil
	}
	var sum fiscal.Money
	for i := range f.Document.Receipt.Items {
		if it := &f.Document.Receipt.Items[i]; it.Kind == lines {
			sum += it.Direction() * it.Cost
		}
	}
	if sum.Abs() == m.Sum {
		return nil
	}
	return m
}
