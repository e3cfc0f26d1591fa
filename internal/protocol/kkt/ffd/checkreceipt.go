package ffd

import "bytes"

// item is what the judgement of a receipt needs of one item.
type item struct {
	at         int // node
	sum        uint64
	price      uint64
	quantity   Decimal
	vat        uint64
	rate       uint8
	product    uint8
	agent      uint8
	checked    uint8
	hasPrice   bool
	hasCount   bool // quantity
	hasVAT     bool
	hasCode    bool // 1163
	hasChecked bool
	hasParty   bool // 1226
}

// sums is what the items of a receipt come to.
type sums struct {
	items    uint64
	count    uint64
	storno   bool // 1.0: items taken back or modified, so that nothing follows
	turnover [len(rateTable)]uint64
	vat      [len(rateTable)]uint64
	lines    [len(rateTable)]uint64
	checked  int
	positive int
}

// The sums of a receipt may deviate by less than a ruble, for a total may be
// rounded down to rubles; those of an item by a kopeck. In kopecks.
const (
	totalTolerance = 100
	lineTolerance  = 1
)

// receipt judges a receipt, a strict reporting form or a correction.
func (c *checker) receipt() {
	d := c.d
	var s sums
	for i := 0; i < len(d.nodes); i = int(d.nodes[i].next) {
		n := &d.nodes[i]
		switch {
		case n.tag == TagItem && n.row != 0:
			c.item(i, n, &s)
		case n.tag == 1071 || n.tag == 1112:
			s.storno = true
		case n.tag == 1073 || n.tag == 1074 || n.tag == 1075 || n.tag == 1171:
			c.phone(i)
		}
	}
	c.total(&s)
	c.payments()
	c.taxSystem()
	c.taxes(&s)
	c.cashless()
	c.correction()
	c.pair()
	c.conditions()
	c.marks(&s)
	if !d.Has(TagINN) {
		c.lacks(ruleReceiptINN, -1, TagINN)
	}
}

// item reads an item, judges it and adds it up.
func (c *checker) item(at int, n *node, s *sums) {
	d := c.d
	x := item{at: at}
	for i := at + 1; i < int(n.next); i = int(d.nodes[i].next) {
		m := &d.nodes[i]
		b := d.value(m)
		switch m.tag {
		case TagItemSum:
			x.sum = uintOf(b)
		case TagPrice:
			x.price, x.hasPrice = uintOf(b), true
		case TagQuantity:
			x.quantity, x.hasCount = decimalOf(b)
		case 1200:
			x.vat, x.hasVAT = uintOf(b), true
		case 1199:
			x.rate = byteOf(b)
		case 1212:
			x.product = byteOf(b)
		case 1222:
			x.agent = byteOf(b)
		case 2106:
			x.checked, x.hasChecked = byteOf(b), true
		case 1163:
			x.hasCode = true
		case 1226:
			x.hasParty = true
			c.otherINN(1226, i)
		case 1112:
			s.storno = true
		case 1223, 1224:
			c.agentData(i, m)
		}
	}
	s.count++
	s.items += x.sum
	if int(x.rate) < len(rateTable) {
		s.turnover[x.rate] += x.sum
		s.lines[x.rate]++
	}
	c.line(&x)
	c.lineVAT(&x, s)
	c.lineMark(&x, s)
	if x.agent != 0 && !x.hasParty {
		c.lacks(ruleSupplier, at, 1226)
	}
}

func byteOf(b []byte) uint8 {
	if len(b) != 1 {
		return 0
	}
	return b[0]
}

// agentData judges what stands in the agent's and the supplier's data.
func (c *checker) agentData(at int, n *node) {
	for i := at + 1; i < int(n.next); i = int(c.d.nodes[i].next) {
		switch c.d.nodes[i].tag {
		case 1016:
			c.otherINN(1016, i)
		case 1073, 1074, 1075, 1171:
			c.phone(i)
		}
	}
}

// line: S3. A fraction of a pack has the price of the part and the quantity 1.
func (c *checker) line(x *item) {
	if !x.hasPrice || !x.hasCount || c.d.Version == V100 {
		return
	}
	if want, ok := x.quantity.times(x.price); !ok || apart(want, x.sum) > lineTolerance {
		c.found(ruleLine, x.at, "price", x.price, "quantity", x.quantity.String(), "sum", x.sum)
	}
}

// lineVAT: S4 and E3.
func (c *checker) lineVAT(x *item, s *sums) {
	percent, known := percentAt(x.rate, c.time)
	if !known {
		return // no rate, or told as an unknown value
	}
	want := included(x.sum, percent)
	if x.hasVAT {
		if apart(want, x.vat) > lineTolerance {
			c.found(ruleLineVAT, x.at, "vat", x.vat, "want", want)
		}
		want = x.vat
	}
	s.vat[x.rate] += want
	// Returns and corrections are about sales of another day.
	op := c.d.Uint(TagOperation)
	if !c.d.Form.Corrects() && (op == 1 || op == 3) && !rateTable[x.rate].holds(c.time) {
		c.found(ruleRateDate, x.at, "rate", rateTable[x.rate].code, "day", c.time.UTC().Format("2006-01-02"))
	}
}

// lineMark: M1.
func (c *checker) lineMark(x *item, s *sums) {
	if c.d.Version < V120 {
		return
	}
	switch x.product {
	case 31, 33:
		if !x.hasCode {
			c.lacks(ruleMarkCode, x.at, 1163)
		}
		if !x.hasChecked && c.in.Registered != nil && c.in.Registered.Marks {
			c.lacks(ruleMarkCode, x.at, 2106)
		}
	case 30, 32:
		if x.hasCode {
			c.found(ruleMarkCode, x.at, "product", x.product)
		}
	}
	if x.hasChecked {
		s.checked++
		if Checked(x.checked) == MarkPositive {
			s.positive++
		}
	}
}

// total: S1.
func (c *checker) total(s *sums) {
	d := c.d
	total, stated := d.Value(TagTotal)
	if !stated || s.count == 0 || s.storno || d.Form.Corrects() && d.Version < V110 {
		return
	}
	if t := uintOf(total); apart(t, s.items) >= totalTolerance {
		c.found(ruleItemsTotal, c.at(TagTotal), "total", t, "items", s.items)
	}
}

// payments: S2.
func (c *checker) payments() {
	d := c.d
	total, stated := d.Value(TagTotal)
	var paid uint64
	any := false
	for _, t := range [...]Tag{TagCash, TagCashless, TagPrepaid, TagCredit, TagInKind} {
		if b, ok := d.Value(t); ok {
			any = true
			paid += uintOf(b)
		}
	}
	if stated && any && paid != uintOf(total) {
		c.found(rulePayments, c.at(TagTotal), "total", uintOf(total), "paid", paid)
	}
}

// imputedEnd is the day on which the tax on imputed income ended.
var imputedEnd = day(2021, 1, 1)

// taxSystem: E2 and E3.
func (c *checker) taxSystem() {
	b, ok := c.d.Value(TagTaxSystem)
	if !ok || len(b) != 1 {
		return
	}
	applied := b[0]
	at := c.at(TagTaxSystem)
	switch {
	case applied == 0 || applied&(applied-1) != 0:
		c.found(ruleTaxBits, at, "value", applied)
	case c.in.Registered != nil && c.in.Registered.TaxSystems != 0 && applied&c.in.Registered.TaxSystems == 0:
		c.found(ruleTaxRegistered, at, "value", applied, "registered", c.in.Registered.TaxSystems)
	}
	op := c.d.Uint(TagOperation)
	if applied == 8 && c.time >= imputedEnd && !c.d.Form.Corrects() && (op == 1 || op == 3) {
		c.found(ruleImputed, at)
	}
}

// taxes: S5 and S7. The requisites of 0 % and no VAT hold turnover, and 0 in
// the former fills it where all VAT stands in 1115.
func (c *checker) taxes(s *sums) {
	d := c.d
	if d.Version == V100 {
		return
	}
	var stated [len(rateTable)]uint64
	for value := range rateTable {
		if t := rateTable[value].own; t != 0 {
			stated[value] = d.Uint(t)
		}
	}
	c.otherRates(&stated)
	if s.count == 0 || s.storno {
		return
	}
	for value := 1; value < len(rateTable); value++ {
		want := s.vat[value]
		if value == 5 || value == 6 {
			want = s.turnover[value]
		}
		if apart(want, stated[value]) > s.lines[value]*lineTolerance {
			at := -1
			if t := rateTable[value].own; t != 0 {
				at = c.at(t)
			} else {
				at = c.at(1115)
			}
			c.found(ruleVATTotal, at, "rate", rateTable[value].code, "receipt", stated[value], "items", want)
		}
	}
}

// otherRates reads tag 1115.
func (c *checker) otherRates(stated *[len(rateTable)]uint64) {
	d := c.d
	at := c.at(1115)
	if at < 0 || d.nodes[at].row == 0 {
		return
	}
	var seen [len(rateTable)]bool
	for i := at + 1; i < int(d.nodes[at].next); i = int(d.nodes[i].next) {
		if d.nodes[i].tag != 1119 {
			continue
		}
		var value uint8
		var sum uint64
		for j := i + 1; j < int(d.nodes[i].next); j = int(d.nodes[j].next) {
			switch d.nodes[j].tag {
			case 1199:
				value = byteOf(d.value(&d.nodes[j]))
			case 1120:
				sum = uintOf(d.value(&d.nodes[j]))
			}
		}
		if value == 0 || int(value) >= len(rateTable) {
			continue // told as an unknown value
		}
		if seen[value] || rateTable[value].own != 0 {
			c.found(ruleRateTwice, i, "rate", rateTable[value].code)
		}
		seen[value] = true
		stated[value] += sum
	}
}

// cashless: S6.
func (c *checker) cashless() {
	d := c.d
	at := c.at(1234)
	if at < 0 || d.nodes[at].row == 0 {
		return
	}
	var sum uint64
	for i := at + 1; i < int(d.nodes[at].next); i = int(d.nodes[i].next) {
		for j := i + 1; j < int(d.nodes[i].next); j = int(d.nodes[j].next) {
			if d.nodes[j].tag == 1082 {
				sum += uintOf(d.value(&d.nodes[j]))
			}
		}
	}
	if stated := d.Uint(TagCashless); stated == 0 || stated != sum {
		c.found(ruleCashlessSum, at, "parts", sum, "cashless", stated)
	}
}

// correction: D3 and K1 to K3.
func (c *checker) correction() {
	d := c.d
	if !d.Form.Corrects() {
		return
	}
	op := d.Uint(TagOperation)
	if at := c.at(TagOperation); at >= 0 && op != 1 && op != 3 {
		c.found(ruleCorrectionKind, at, "value", op)
		if !d.Has(1192) {
			c.lacks(ruleReverseSign, -1, 1192)
		}
	}
	at := c.at(1174)
	byOrder, named := d.Uint(1173) == 1, false
	if at >= 0 {
		for i := at + 1; i < int(d.nodes[at].next); i = int(d.nodes[i].next) {
			switch n := &d.nodes[i]; n.tag {
			case 1178:
				if wallTimeOf(d.value(n)) > c.time {
					c.found(ruleCorrectedLater, i)
				}
			case 1179:
				named = n.size > 0
			}
		}
	}
	if byOrder && !named {
		c.lacks(ruleOrderMissing, max(at, -1), 1179)
	}
}

// conditions: O1 to O3 and P1.
func (c *checker) conditions() {
	d := c.d
	contact, _ := d.Value(TagBuyerContact)
	if d.Uint(1125) == 1 {
		if len(trim(contact)) == 0 {
			c.lacks(ruleInternet, -1, TagBuyerContact)
		}
		if place, ok := d.Value(1187); !ok {
			c.lacks(ruleInternet, -1, 1187)
		} else if !site(place) {
			c.found(ruleInternet, c.at(1187))
		}
	}
	if bytes.IndexByte(contact, '@') > 0 && !d.Has(1117) {
		c.lacks(ruleSender, -1, 1117)
	}
	if c.in.Registered != nil && c.in.Registered.Machine && !d.Has(TagMachine) {
		c.lacks(ruleMachine, -1, TagMachine)
	}
	if at := c.at(TagBuyerContact); at >= 0 && len(trim(contact)) > 0 && bytes.IndexByte(contact, '@') < 0 {
		c.phone(at)
	}
}

// marks: M1 of the receipt.
func (c *checker) marks(s *sums) {
	d := c.d
	if d.Version < V120 || s.checked == 0 {
		return
	}
	negative := s.positive < s.checked
	at := c.at(2107)
	switch {
	case at < 0 && negative:
		c.lacks(ruleMarkResult, -1, 2107)
	case at >= 0 && (d.Uint(2107) != 0) != negative:
		c.found(ruleMarkResult, at, "value", d.Uint(2107), "positive", s.positive, "checked", s.checked)
	}
}

// phone: P1. Only a plus and digits; some write an e-mail address instead.
func (c *checker) phone(at int) {
	b := trim(c.d.value(&c.d.nodes[at]))
	if bytes.IndexByte(b, '@') > 0 {
		return
	}
	if len(b) < 2 || b[0] != '+' || len(bytes.Trim(b[1:], "0123456789")) > 0 {
		c.found(rulePhone, at)
	}
}

// site reports whether a place looks like the address of a site.
func site(b []byte) bool {
	b = trim(b)
	return bytes.IndexByte(b, '.') > 0 && bytes.IndexByte(b, ' ') < 0 && bytes.IndexByte(b, ',') < 0
}

// included is the tax in a gross sum, rounded half up.
func included(gross uint64, percent uint32) uint64 {
	if gross >= 1<<48 { // more than six bytes: told as too long
		return 0
	}
	d := 100_000 + uint64(percent)
	return (gross*uint64(percent) + d/2) / d
}

func apart(a, b uint64) uint64 {
	if a > b {
		return a - b
	}
	return b - a
}
