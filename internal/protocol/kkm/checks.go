package kkm

import (
	"unicode"
	"unicode/utf8"

	"openofd/internal/fiscal"
	"openofd/internal/protocol/kkm/kkmpb"
)

// A single amount of a document stays below 10^14 tenge. Counters and sums of
// lines then have room, and nothing a shop sells costs as much.
const maxAmount = fiscal.Money(10_000_000_000_000_000)

// maxLines bounds the lines of a receipt.
const maxLines = 10_000

// checkTicket is the semantic validation of a receipt, rules V1 to V29 of the
// KKM reference §8. It never looks at other documents. r is t, opened.
func (j *judgement) checkTicket(t *kkmpb.TicketRequest, r *fiscal.Receipt) {
	f, v := &j.findings, j.version
	if r.Op == fiscal.OpNone {
		f.bad(at("operation"), 0, "%d is no operation", t.GetOperation())
		f.cannotStore(at("operation"))
	}
	if len(t.Items) == 0 {
		f.lacks(at("items"), fiscal.FlagMissing)
	}
	if len(t.Items) > maxLines {
		f.cannotStore(at("items"))
	}
	j.checkAmounts(t)
	itemTaxes := false
	for i, it := range t.Items {
		itemTaxes = j.checkItem(i, it) || itemTaxes
	}
	if itemTaxes && len(t.Taxes) > 0 {
		f.bad(at("taxes"), fiscal.FlagTaxLevels, "taxes on items and on the ticket at once")
	}
	j.checkTaxes(at("taxes"), t.Taxes, r.Total)

	sums := totalsOf(r)
	if sums.overflow {
		f.cannotStore(at("amounts.total"))
	}
	switch fits(r, sums) {
	case totalOff:
		f.bad(at("amounts.total"), fiscal.FlagTotal, "total %v, items %v, discounts %v, markups %v, taxes on top %v",
			r.Total, sums.goods, sums.discount, sums.markup, sums.added)
	case totalRounded:
		f.flag(fiscal.FlagRounded)
	}
	if d, m := t.GetAmounts().GetDiscount(), t.GetAmounts().GetMarkup(); MoneyOf(d.GetSum()) != 0 && MoneyOf(m.GetSum()) != 0 {
		f.bad(at("amounts.markup"), fiscal.FlagTotal, "discount and markup on the ticket exclude each other")
	}
	j.checkPayments(t, r)
	j.checkBuyer(t, r)
	if v >= V203 && r.Op.Return() && t.ParentTicket == nil {
		f.lacks(at("parent_ticket"), fiscal.FlagParentMissing)
	}
	if p := t.ParentTicket; p != nil {
		if _, ok := TimeOf(p.ParentTicketDataTime); !ok {
			f.flag(fiscal.FlagTimeInvalid)
		}
	}
	j.checkDomain(t)
}

// checkAmounts is V15 for the amounts of the ticket as a whole.
func (j *judgement) checkAmounts(t *kkmpb.TicketRequest) {
	a := t.GetAmounts()
	j.amount(at("amounts.total"), a.GetTotal())
	// A negative number that wrapped around: refused online, dropped in a replay.
	for _, m := range [...]struct {
		field string
		sum   *kkmpb.Money
	}{{"amounts.taken", a.GetTaken()}, {"amounts.change", a.GetChange()}} {
		if v, ok := moneyOf(m.sum); m.sum != nil && (!ok || v > maxAmount || m.sum.GetBills() > maxBills-1) {
			j.findings.bad(at(m.field), fiscal.FlagSumDropped, "%d.%02d cannot be", m.sum.GetBills(), m.sum.GetCoins())
		}
	}
}

// amount notes an amount that no store of ours holds.
func (j *judgement) amount(field place, m *kkmpb.Money) {
	switch v, ok := moneyOf(m); {
	case m.GetBills() > maxBills-1 || v > maxAmount:
		j.findings.cannotStore(field)
	case !ok:
		j.findings.bad(field, fiscal.FlagLineSum, "%d tiyn", m.GetCoins())
	}
}

func blank(s string) bool {
	for _, r := range s {
		if !unicode.IsSpace(r) {
			return false
		}
	}
	return true
}

// goods is what a commodity and its storno have in common.
type goods struct {
	name, section, unit string
	code, quantity      uint64
	price, sum          *kkmpb.Money
	taxes               []*kkmpb.TicketRequest_Tax
}

// checkItem is V1 to V5 and V13 for one line. It reports whether the line has
// taxes.
func (j *judgement) checkItem(i int, it *kkmpb.TicketRequest_Item) (taxed bool) {
	switch it.GetType() {
	case kkmpb.TicketRequest_ITEM_TYPE_COMMODITY:
		if c := it.Commodity; c != nil {
			return j.checkGoods(i, "commodity", false, goods{c.GetName(), c.GetSectionCode(), c.GetMeasureUnitCode(),
				c.GetCode(), c.GetQuantity(), c.Price, c.Sum, c.Taxes})
		}
	case kkmpb.TicketRequest_ITEM_TYPE_STORNO_COMMODITY:
		if c := it.StornoCommodity; c != nil {
			return j.checkGoods(i, "storno_commodity", true, goods{c.GetName(), c.GetSectionCode(), c.GetMeasureUnitCode(),
				0, c.GetQuantity(), c.Price, c.Sum, c.Taxes})
		}
	case kkmpb.TicketRequest_ITEM_TYPE_MARKUP:
		return j.checkModifier(i, "markup", it.Markup)
	case kkmpb.TicketRequest_ITEM_TYPE_STORNO_MARKUP:
		return j.checkModifier(i, "storno_markup", it.StornoMarkup)
	case kkmpb.TicketRequest_ITEM_TYPE_DISCOUNT:
		return j.checkModifier(i, "discount", it.Discount)
	case kkmpb.TicketRequest_ITEM_TYPE_STORNO_DISCOUNT:
		return j.checkModifier(i, "storno_discount", it.StornoDiscount)
	}
	j.findings.bad(line(i, "", "type"), fiscal.FlagItem, "no body for item type %d", it.GetType())
	return false
}

func (j *judgement) checkGoods(i int, body string, storno bool, g goods) bool {
	f, v := &j.findings, j.version
	if !storno && blank(g.name) && g.code == 0 {
		f.lacks(line(i, body, "name"), fiscal.FlagMissing)
	}
	if blank(g.section) {
		f.lacks(line(i, body, "section_code"), fiscal.FlagMissing)
	}
	if v > V200 {
		if blank(g.unit) {
			f.lacks(line(i, body, "measure_unit_code"), fiscal.FlagMissing)
		} else if !knownUnit(g.unit) {
			f.flag(fiscal.FlagUnit)
		}
	}
	q, ok := quantityOf(g.quantity)
	switch {
	case !ok:
		f.cannotStore(line(i, body, "quantity"))
	case q == 0 && storno && v < V200: // a device in use cuts half a unit to none
		f.flag(fiscal.FlagQuantity)
	case q == 0:
		f.bad(line(i, body, "quantity"), fiscal.FlagQuantity, "0")
	}
	j.amount(line(i, body, "price"), g.price)
	j.amount(line(i, body, "sum"), g.sum)
	j.checkLine(i, body, storno, g, q)
	j.checkTaxes(line(i, body, "taxes"), g.taxes, MoneyOf(g.sum))
	return len(g.taxes) > 0
}

// checkLine is V5: the sum is price × quantity within a tiyn, or the same with
// the taxes that the price does not contain. Devices below 2.0.0 cut
// quantities to thousandths, and those of storno lines to whole units.
func (j *judgement) checkLine(i int, body string, storno bool, g goods, q fiscal.Quantity) {
	price, sum := MoneyOf(g.price), MoneyOf(g.sum)
	want, err := fiscal.Cost(price, q)
	if err != nil {
		j.findings.bad(line(i, body, "sum"), fiscal.FlagLineSum, "price × quantity does not fit")
		return
	}
	within := fiscal.Money(1)
	if j.version < V200 {
		within += price / QuantityScale
	}
	if (sum - want).Abs() <= within {
		return
	}
	var added fiscal.Money
	for _, t := range g.taxes {
		if !t.GetIsInTotalSum() {
			added += MoneyOf(t.Sum)
		}
	}
	if added != 0 && (sum-want-added).Abs() <= within {
		return
	}
	if storno && j.version < V200 {
		j.findings.flag(fiscal.FlagLineSum)
		return
	}
	j.findings.bad(line(i, body, "sum"), fiscal.FlagLineSum, "%v, but %v × %v is %v", sum, q, price, want)
}

func (j *judgement) checkModifier(i int, body string, m *kkmpb.TicketRequest_Modifier) bool {
	if m == nil {
		j.findings.bad(line(i, body, ""), fiscal.FlagItem, "missing, though the type says so")
		return false
	}
	if j.version >= V201 && blank(m.GetName()) {
		j.findings.lacks(line(i, body, "name"), fiscal.FlagMissing)
	}
	j.amount(line(i, body, "sum"), m.Sum)
	j.checkTaxes(line(i, body, "taxes"), m.Taxes, MoneyOf(m.Sum))
	return len(m.Taxes) > 0
}

// checkTaxes is V12 and V13. The sum of a tax is never recomputed to refuse: on
// discounted lines real devices differ by tiyns; a deviation is a flag.
func (j *judgement) checkTaxes(field place, all []*kkmpb.TicketRequest_Tax, gross fiscal.Money) {
	f := &j.findings
	var included fiscal.Money
	for i, t := range all {
		for _, earlier := range all[:i] {
			if earlier.GetPercent() == t.GetPercent() && earlier.GetTaxType() == t.GetTaxType() {
				f.bad(field, fiscal.FlagTaxLevels, "%d thousandths of a percent stand twice", t.GetPercent())
			}
		}
		if t.GetTaxType() != fiscal.KindVAT {
			f.bad(field, fiscal.FlagTaxRate, "tax_type %d, only 100 is known", t.GetTaxType())
		}
		switch p := t.GetPercent(); {
		case p > 100*PercentScale:
			f.bad(field, fiscal.FlagTaxRate, "%d is more than 100 percent", p)
		case p > 0 && p < PercentScale: // some devices send whole percents
			f.flag(fiscal.FlagTaxRate)
		}
		j.amount(field, t.Sum)
		if t.GetIsInTotalSum() {
			included += MoneyOf(t.Sum)
			if d := (MoneyOf(t.Sum) - fiscal.IncludedTax(gross, t.GetPercent())).Abs(); d > 1 {
				f.flag(fiscal.FlagTaxSum)
			}
		}
	}
	if included > gross {
		f.bad(field, fiscal.FlagTaxSum, "taxes of %v in a sum of %v", included, gross)
	}
}

// checkPayments is V7 to V10.
func (j *judgement) checkPayments(t *kkmpb.TicketRequest, r *fiscal.Receipt) {
	f, a := &j.findings, t.GetAmounts()
	var paid, cash fiscal.Money
	var seen [fiscal.PayKinds + 1]bool
	for i, p := range t.Payments {
		field := place{list: "payments", i: i, name: "type"}
		k := payOf(p.GetType())
		switch {
		case k == fiscal.PayNone,
			j.version > V200 && (k == fiscal.PayCredit || k == fiscal.PayTare):
			f.bad(field, fiscal.FlagPaymentKind, "%d is not known to %v", p.GetType(), j.version)
		case seen[k]:
			f.bad(field, fiscal.FlagPayments, "the type stands twice")
		}
		seen[k] = true
		j.amount(place{list: "payments", i: i, name: "sum"}, p.Sum)
		sum, err := fiscal.Add(paid, MoneyOf(p.Sum))
		if err != nil {
			f.cannotStore(at("payments"))
		}
		paid = sum
		if k == fiscal.PayCash {
			cash += MoneyOf(p.Sum)
		}
	}
	if len(t.Payments) > 0 && paid != r.Total && paid-r.ChangeDue != r.Total {
		f.bad(at("payments"), fiscal.FlagPayments, "payments of %v for a total of %v", paid, r.Total)
	}
	if !seen[fiscal.PayCash] {
		return
	}
	if a.GetTaken() == nil {
		f.lacks(at("amounts.taken"), fiscal.FlagMissing)
		return
	}
	if r.Taken < cash {
		f.bad(at("amounts.taken"), fiscal.FlagChange, "taken %v, cash payment %v", r.Taken, cash)
	}
	if left := r.Taken - r.ChangeDue; left != cash && left != r.Total {
		f.flag(fiscal.FlagChange)
	}
}

// checkBuyer is V18, V19 and V29.
func (j *judgement) checkBuyer(t *kkmpb.TicketRequest, r *fiscal.Receipt) {
	f := &j.findings
	if x := r.Buyer.XIN; x != "" {
		if err := fiscal.CheckXIN(x, ""); err != nil {
			f.bad(at("extension_options.customer_iin_or_bin"), fiscal.FlagBuyer, "12 digits with a right check digit are wanted")
		} else if x == j.card.XIN {
			f.badFor(fiscal.SameTaxpayerAndBuyer, at("extension_options.customer_iin_or_bin"), fiscal.FlagBuyer, "the seller's own number")
		}
	}
	if len(r.Buyer.Email) > 254 || utf8.RuneCountInString(r.Buyer.Phone) > 20 {
		f.flag(fiscal.FlagBuyerContact)
	}
}

// checkDomain is V17: the block of a trade is mandatory on paper, and devices
// leave it out.
func (j *judgement) checkDomain(t *kkmpb.TicketRequest) {
	d := t.Domain
	missing := false
	switch d.GetType() {
	case kkmpb.TicketRequest_DOMAIN_SERVICES, kkmpb.TicketRequest_DOMAIN_HOTELS:
		missing = d.GetServices() == nil
	case kkmpb.TicketRequest_DOMAIN_GASOIL:
		missing = d.GetGasoil() == nil
	case kkmpb.TicketRequest_DOMAIN_TAXI:
		missing = d.GetTaxi() == nil
	case kkmpb.TicketRequest_DOMAIN_PARKING:
		missing = d.GetParking() == nil
	}
	if missing {
		j.findings.flag(fiscal.FlagDomain)
	}
}

// knownUnit reports whether a unit code stands in the list of the e-invoice
// system that devices use. Others are accepted with a flag.
// Source: KKM reference §7.11.
func knownUnit(code string) bool {
	switch code {
	case "796", "116", "163", "161", "164", "160", "168", "162", "112", "111", "110", "113", "006", "021", "003", "004",
		"005", "008", "055", "059", "061", "356", "359", "360", "362", "642", "625", "728", "736", "778", "868", "931",
		"5114", "000", "166":
		return true
	}
	return false
}
