package till

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"openofd/internal/fiscal"
)

// Draft is a receipt as it is being typed in. Nothing fiscal has happened.
type Draft struct {
	// ID is chosen by the device, one for each new receipt: forming it twice makes
	// one receipt.
	ID    string       `json:"id"`
	Op    fiscal.Op    `json:"-"`
	Lines []Line       `json:"lines"`
	Off   fiscal.Money `json:"off,omitempty"` // discount on the whole receipt
	On    fiscal.Money `json:"on,omitempty"`  // markup on the whole receipt
	Paid  Paid         `json:"paid"`
	Buyer fiscal.XIN   `json:"buyer,omitempty"`
	// Parent is the number of the receipt that is returned.
	Parent uint64 `json:"parent,omitempty"`
}

// Line is one thing on a draft. Off and On are in minor units, on the line.
type Line struct {
	Name     string          `json:"name,omitempty"` // "": the word for goods without one
	Quantity fiscal.Quantity `json:"quantity"`
	Price    fiscal.Money    `json:"price"`
	Unit     string          `json:"unit,omitempty"` // code; "": a piece
	Section  string          `json:"section,omitempty"`
	Off      fiscal.Money    `json:"off,omitempty"`
	On       fiscal.Money    `json:"on,omitempty"`
	Code     uint64          `json:"code,omitempty"` // of the catalog
	Barcode  string          `json:"barcode,omitempty"`
	NTIN     string          `json:"ntin,omitempty"`
	Mark     string          `json:"mark,omitempty"` // identification mark of marked goods
}

// Paid says how a draft is paid. Cash is the rest: what card and mobile do not
// pay. Taken is what the buyer hands over for it; 0 is the very sum.
type Paid struct {
	Card   fiscal.Money `json:"card,omitempty"`
	Mobile fiscal.Money `json:"mobile,omitempty"`
	Taken  fiscal.Money `json:"taken,omitempty"`
	// Chosen says that somebody has chosen: a draft is not paid in cash because
	// nobody said anything.
	Chosen bool `json:"chosen"`
}

// Bounds of a draft.
const (
	maxLines = 500
	maxName  = 128
	maxTotal = fiscal.Money(99_999_999_999_99) // what a register's report can show

	// piece is the code of the e-invoice system for what is counted.
	piece = "796"
)

// Unnamed is what stands on a receipt for goods that nobody named.
const Unnamed = "Тауар / Товар"

// Rules are what a register's settings and the law say about a draft.
type Rules struct {
	Seller     fiscal.XIN
	Extended   bool         // names, quantities, buyers, modifiers of lines
	Buyer      bool         // the buyer may be named
	Modifiers  bool         // discount and markup on the whole receipt are allowed
	Max        fiscal.Money // largest receipt of a sale; 0 is no limit
	VATPercent uint32       // thousandths of a percent
	VATPayer   bool
	Section    string // of lines that name none
}

// Compose makes the receipt of a draft, or says what is wrong with it. It knows
// nothing of the drawer, the shift and the parent receipt.
//
// Errors: Invalid with the Field: lines, name, quantity, price, off, on, unit,
// total, max, paid, card, taken, buyer, op. A field of a line has its number
// behind a point, from 1: "price.2".
// Source: requirements E-008 to E-011, E-100 to E-105, E-112, E-120 to E-127,
// N-010.
func Compose(d *Draft, rules Rules, by fiscal.Cashier) (r fiscal.Receipt, err error) {
	if !d.Op.Settlement() {
		return r, bad("op", "%v is no settlement", d.Op)
	}
	switch n := len(d.Lines); {
	case n == 0:
		return r, &fiscal.Error{Reason: fiscal.MissingParameter, Field: "lines"}
	case n > maxLines:
		return r, bad("lines", "%d, %d fit", n, maxLines)
	}
	r = fiscal.Receipt{Op: d.Op, Cashier: by}
	for i := range d.Lines {
		if err := rules.add(&r, &d.Lines[i], i+1); err != nil {
			return r, err
		}
	}
	if err := rules.modify(&r, d.Off, d.On); err != nil {
		return r, err
	}
	if rules.Max > 0 && d.Op == fiscal.OpSale && r.Total > rules.Max {
		return r, bad("max", "%v, at most %v", r.Total, rules.Max)
	}
	if err := pay(&r, d.Paid); err != nil {
		return r, err
	}
	return r, rules.buyer(&r, d.Buyer)
}

// add puts a line on the receipt, and what is off or on it behind.
func (rules *Rules) add(r *fiscal.Receipt, l *Line, n int) error {
	field := func(name string) string { return fmt.Sprintf("%s.%d", name, n) }
	name := strings.Join(strings.Fields(l.Name), " ")
	switch {
	case name == "" && rules.Extended:
		return &fiscal.Error{Reason: fiscal.MissingParameter, Field: field("name")}
	case name == "":
		name = Unnamed
	case len([]rune(name)) > maxName:
		return bad(field("name"), "longer than %d letters", maxName)
	}
	const thousandth = fiscal.OneUnit / 1000
	if l.Quantity <= 0 || l.Quantity%thousandth != 0 {
		return bad(field("quantity"), "%v", l.Quantity)
	}
	if l.Price <= 0 {
		return bad(field("price"), "%v", l.Price)
	}
	cost, err := fiscal.Cost(l.Price, l.Quantity)
	if err != nil || cost <= 0 || cost > maxTotal {
		return bad(field("price"), "%v × %v", l.Price, l.Quantity)
	}
	switch {
	case l.Off < 0 || l.Off > cost || l.Off > 0 && !rules.Extended:
		return bad(field("off"), "%v of %v", l.Off, cost)
	case l.On < 0 || l.On > maxTotal || l.On > 0 && !rules.Extended:
		return bad(field("on"), "%v on %v", l.On, cost)
	}
	it := fiscal.Item{
		Kind: fiscal.ItemGoods, Name: name, Code: l.Code, Section: cmp.Or(l.Section, rules.Section, "1"), Quantity: l.Quantity, Unit: cmp.Or(l.Unit, piece),
		Price: l.Price, Cost: cost, Taxes: rules.taxes(cost), Barcode: l.Barcode, NTIN: l.NTIN,
	}
	if l.Mark != "" {
		it.ExciseStamps = []string{l.Mark}
	}
	r.Items = append(r.Items, it)
	r.Total += cost
	if l.Off > 0 {
		r.Items = append(r.Items, fiscal.Item{Kind: fiscal.ItemDiscount, Name: name, Cost: l.Off, Taxes: rules.taxes(l.Off)})
		r.Total -= l.Off
	}
	if l.On > 0 {
		r.Items = append(r.Items, fiscal.Item{Kind: fiscal.ItemMarkup, Name: name, Cost: l.On, Taxes: rules.taxes(l.On)})
		r.Total += l.On
	}
	if r.Total > maxTotal {
		return bad("total", "more than %v", maxTotal)
	}
	return nil
}

// modify takes something off the whole receipt, or puts it on. Beside lines with
// modifiers of their own it is one more such line: an operator holds the total
// against the lines, or against what is off and on the whole, and not both.
func (rules *Rules) modify(r *fiscal.Receipt, off, on fiscal.Money) error {
	switch {
	case (off != 0 || on != 0) && !rules.Modifiers, off < 0, off > r.Total:
		return bad("off", "%v of %v", off, r.Total)
	case on < 0, on > maxTotal, on > 0 && off > 0:
		return bad("on", "%v on %v", on, r.Total)
	}
	lined := slices.ContainsFunc(r.Items, func(it fiscal.Item) bool { return it.Kind != fiscal.ItemGoods })
	switch {
	case lined && off > 0:
		r.Items = append(r.Items, fiscal.Item{Kind: fiscal.ItemDiscount, Cost: off, Taxes: rules.taxes(off)})
	case lined && on > 0:
		r.Items = append(r.Items, fiscal.Item{Kind: fiscal.ItemMarkup, Cost: on, Taxes: rules.taxes(on)})
	case off > 0:
		r.Discount = &fiscal.Modifier{Sum: off, Taxes: rules.taxes(off)}
	case on > 0:
		r.Markup = &fiscal.Modifier{Sum: on, Taxes: rules.taxes(on)}
	}
	r.Total += on - off
	if r.Total <= 0 || r.Total > maxTotal {
		return bad("total", "%v", r.Total)
	}
	return nil
}

func (rules *Rules) taxes(gross fiscal.Money) []fiscal.Tax {
	if !rules.VATPayer {
		return nil
	}
	return []fiscal.Tax{{Kind: fiscal.KindVAT, Percent: rules.VATPercent, Sum: fiscal.IncludedTax(gross, rules.VATPercent), Included: true}}
}

// pay settles how the receipt is paid: the parts are the whole, and of what is
// taken the change goes back.
func pay(r *fiscal.Receipt, p Paid) error {
	if !p.Chosen {
		return &fiscal.Error{Reason: fiscal.MissingParameter, Field: "paid"}
	}
	for _, part := range []struct {
		field string
		kind  fiscal.PayKind
		sum   fiscal.Money
	}{{"card", fiscal.PayCard, p.Card}, {"mobile", fiscal.PayMobile, p.Mobile}} {
		if part.sum < 0 || part.sum > r.Total {
			return bad(part.field, "%v of %v", part.sum, r.Total)
		}
		if part.sum > 0 {
			r.Payments = append(r.Payments, fiscal.Payment{Kind: part.kind, Sum: part.sum})
		}
	}
	cash := r.Total - p.Card - p.Mobile
	switch {
	case cash < 0:
		return bad("card", "card and mobile pay more than %v", r.Total)
	case p.Taken < 0 || p.Taken > maxTotal || p.Taken > 0 && p.Taken < cash:
		return bad("taken", "%v for %v", p.Taken, cash)
	case cash == 0 && p.Taken > 0:
		return bad("taken", "%v, but nothing is paid in cash", p.Taken)
	}
	if cash > 0 {
		r.Payments = append(r.Payments, fiscal.Payment{Kind: fiscal.PayCash, Sum: cash})
		r.Taken = max(p.Taken, cash)
		r.ChangeDue = r.Taken - cash
	}
	return nil
}

// buyer names who buys, in extended mode.
func (rules *Rules) buyer(r *fiscal.Receipt, x fiscal.XIN) error {
	switch {
	case x == "":
		return nil
	case !rules.Extended || !rules.Buyer:
		return bad("buyer", "only in extended mode, and where the settings allow it")
	case x == rules.Seller:
		return &fiscal.Error{Reason: fiscal.SameTaxpayerAndBuyer, Field: "buyer"}
	}
	if err := fiscal.CheckXIN(x, "buyer"); err != nil {
		return err
	}
	r.Buyer.XIN = x
	return nil
}

func bad(field, msg string, args ...any) error {
	return &fiscal.Error{Reason: fiscal.BadValue, Field: field, Msg: fmt.Sprintf(msg, args...)}
}

// modified reports whether the draft takes something off or puts something on.
func (d *Draft) modified() bool {
	return d.Off != 0 || d.On != 0 || slices.ContainsFunc(d.Lines, func(l Line) bool { return l.Off != 0 || l.On != 0 })
}
