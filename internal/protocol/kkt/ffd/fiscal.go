package ffd

import (
	"encoding/base64"
	"encoding/hex"
	"strconv"
	"strings"

	"openofd/internal/fiscal"
)

// kinds leads from forms to the kinds of entries. What is none of these
// tells something of the register.
var kinds = map[Form]fiscal.DocumentKind{
	FormReceipt: fiscal.DocReceipt, FormBSO: fiscal.DocReceipt,
	FormReceiptCorrection: fiscal.DocReceipt, FormBSOCorrection: fiscal.DocReceipt,
	FormCloseShift: fiscal.DocShiftClose, FormOpenShift: fiscal.DocShiftOpen,
	FormRegistration: fiscal.DocRegistration, FormRegistrationNew: fiscal.DocRegistration,
	FormState: fiscal.DocReport, FormCloseDrive: fiscal.DocDriveClose,
	FormMarkRequest: fiscal.DocMarkRequest, FormMarkNotice: fiscal.DocMarkNotice,
}

// Kind is the kind of entry that a document of the form becomes.
func (f Form) Kind() fiscal.DocumentKind {
	if k, ok := kinds[f]; ok {
		return k
	}
	return fiscal.DocNotice
}

// operationOf leads from tag 1054 to ours.
func operationOf(n uint64) fiscal.Op {
	if n < 1 || n > fiscal.OpSettlements {
		return fiscal.OpNone
	}
	return fiscal.OpSale + fiscal.Op(n-1)
}

// Fill sets the columns of an entry that the document states. Format, outcome,
// flags and bytes are the caller's.
func (d *Document) Fill(r *fiscal.Record) {
	r.Kind = d.Form.Kind()
	if d.fault != nil {
		r.Kind = fiscal.DocUnreadable
	}
	r.Drive = d.Drive()
	r.DeviceNumber = uint64(d.Number())
	r.DeviceTime = d.Time()
	r.Shift = uint32(d.Uint(TagShift))
	r.FiscalSign = uint64(d.Sign())
	if !d.Form.Settles() {
		return
	}
	r.Op = operationOf(d.Uint(TagOperation))
	r.Total = d.Money(TagTotal)
	r.Cash = d.Money(TagCash)
	r.Cashless = d.Money(TagCashless)
	r.OtherPaid = d.Money(TagPrepaid) + d.Money(TagCredit) + d.Money(TagInKind)
	r.Tax = d.tax()
}

// tax is the VAT of a receipt: that of the rates with a requisite of their own
// and that in 1115.
func (d *Document) tax() fiscal.Money {
	sum := d.Money(1102) + d.Money(1103) + d.Money(1106) + d.Money(1107)
	at := d.index(1115)
	if at < 0 {
		return sum
	}
	for i := at + 1; i < int(d.nodes[at].next); i++ {
		if d.nodes[i].tag == 1120 {
			m, _ := moneyOf(d.value(&d.nodes[i]))
			sum += m
		}
	}
	return sum
}

// Open words the document as people read it. What has no field of its own goes
// as a requisite under its name in JSON.
func (d *Document) Open() fiscal.Document {
	var doc fiscal.Document
	d.Fill(&doc.Record)
	switch doc.Kind {
	case fiscal.DocReceipt:
		doc.Receipt = d.receipt()
	case fiscal.DocShiftClose:
		doc.Report = d.report(fiscal.ReportZ)
		doc.Extra = d.requisites(0, len(d.nodes), nil)
	case fiscal.DocReport:
		doc.Report = d.report(fiscal.ReportX)
		doc.Extra = d.requisites(0, len(d.nodes), nil)
	default:
		doc.Extra = d.requisites(0, len(d.nodes), nil)
	}
	return doc
}

// receipt words a receipt.
func (d *Document) receipt() *fiscal.Receipt {
	r := &fiscal.Receipt{
		Op: operationOf(d.Uint(TagOperation)), Time: d.Time(),
		Cashier: fiscal.Cashier{Name: d.Text(1021)},
		Total:   d.Money(TagTotal),
	}
	// What the wire does not need, for the form is the document's own tag.
	form := fiscal.Requisite{Key: "form", Value: d.Form.String()}
	worded := func(t Tag) bool {
		switch t {
		case TagOperation, TagTime, 1021, TagTotal, TagCash, TagCashless, TagPrepaid, TagCredit, TagInKind, TagItem, tagStorno:
			return true
		}
		return false
	}
	r.Payments = d.payments()
	for i := 0; i < len(d.nodes); i = int(d.nodes[i].next) {
		switch n := &d.nodes[i]; n.tag {
		case TagItem, tagStorno:
			r.Items = append(r.Items, d.item(i))
		}
	}
	r.Buyer = d.buyer()
	r.Requisites = append([]fiscal.Requisite{form}, d.requisites(0, len(d.nodes), worded)...)
	return r
}

// Counted is what the counters of a register take from a receipt: operation,
// total, payments, and of each item its cost and tax. It is Open's receipt
// without what is only for people.
func (d *Document) Counted() fiscal.Receipt {
	r := fiscal.Receipt{Op: operationOf(d.Uint(TagOperation)), Time: d.Time(), Total: d.Money(TagTotal), Payments: d.payments()}
	count := 0
	for i := 0; i < len(d.nodes); i = int(d.nodes[i].next) {
		if t := d.nodes[i].tag; t == TagItem || t == tagStorno {
			count++
		}
	}
	r.Items = make([]fiscal.Item, 0, count)
	for i := 0; i < len(d.nodes); i = int(d.nodes[i].next) {
		if t := d.nodes[i].tag; t == TagItem || t == tagStorno {
			r.Items = append(r.Items, d.counted(i))
		}
	}
	return r
}

// payments are the ways of paying that have a sum.
func (d *Document) payments() []fiscal.Payment {
	var all []fiscal.Payment
	for _, p := range [...]struct {
		tag  Tag
		kind fiscal.PayKind
	}{{TagCash, fiscal.PayCash}, {TagCashless, fiscal.PayCard}, {TagPrepaid, fiscal.PayAdvance}, {TagCredit, fiscal.PayCredit}, {TagInKind, fiscal.PayProvision}} {
		if sum := d.Money(p.tag); sum != 0 {
			all = append(all, fiscal.Payment{Kind: p.kind, Sum: sum})
		}
	}
	return all
}

// buyer is what a receipt says of its buyer. What else tag 1256 holds stays
// among the requisites.
func (d *Document) buyer() fiscal.Buyer {
	var b fiscal.Buyer
	contact := d.Text(TagBuyerContact)
	for i := range contact {
		if contact[i] == '@' {
			b.Email = contact
		}
	}
	if b.Email == "" {
		b.Phone = contact
	}
	b.XIN = fiscal.XIN(PlainINN(d.Text(1228)))
	if at := d.index(1256); at >= 0 {
		for i := at + 1; i < int(d.nodes[at].next); i++ {
			if d.nodes[i].tag == 1228 {
				b.XIN = fiscal.XIN(PlainINN(d.text(&d.nodes[i])))
			}
		}
	}
	return b
}

// okei are the codes of units by tag 2108. Source: the classifier of units
// OKEI (OK 015-94).
var okei = map[uint8]string{
	0: "796", 10: "163", 11: "166", 12: "168", 20: "004", 21: "005", 22: "006", 30: "051", 31: "053", 32: "055",
	40: "111", 41: "112", 42: "113", 50: "245", 51: "233", 70: "359", 71: "356", 72: "355", 73: "354",
	80: "256", 81: "257", 82: "2553", 83: "2554",
}

// counted is what counters take from one item.
func (d *Document) counted(at int) fiscal.Item {
	it := fiscal.Item{Kind: fiscal.ItemGoods, Storno: d.nodes[at].tag == tagStorno}
	end := int(d.nodes[at].next)
	var rate uint8
	var vat fiscal.Money
	stated := false
	for i := at + 1; i < end; i = int(d.nodes[i].next) {
		n := &d.nodes[i]
		b := d.value(n)
		switch n.tag {
		case TagItemSum:
			it.Cost, _ = moneyOf(b)
		case 1199:
			rate = byteOf(b)
		case 1200:
			vat, _ = moneyOf(b)
			stated = true
		}
	}
	if percent, ok := percentAt(rate, d.Time()); ok && rate != 6 {
		if !stated {
			vat = fiscal.Money(included(uint64(it.Cost), percent))
		}
		it.Taxes = []fiscal.Tax{{Kind: fiscal.KindVAT, Percent: percent, Sum: vat, Included: true}}
	}
	return it
}

// item words one item.
func (d *Document) item(at int) fiscal.Item {
	it := d.counted(at)
	end := int(d.nodes[at].next)
	for i := at + 1; i < end; i = int(d.nodes[i].next) {
		n := &d.nodes[i]
		b := d.value(n)
		switch n.tag {
		case TagItemName:
			it.Name = d.text(n)
		case TagPrice:
			it.Price, _ = moneyOf(b)
		case TagQuantity:
			q, _ := decimalOf(b)
			it.Quantity, _ = q.Quantity()
		case 2108:
			it.Unit = okei[byteOf(b)]
		case 1163:
			it.Barcode, it.ExciseStamps = d.codes(i)
		}
	}
	it.Requisites = d.requisites(at+1, end, func(t Tag) bool {
		return t == TagItemName || t == TagPrice || t == TagQuantity || t == TagItemSum
	})
	if sign := d.markSign(at, len(it.ExciseStamps) > 0); sign != "" {
		it.Requisites = append([]fiscal.Requisite{{Key: "mark", Value: string(sign)}}, it.Requisites...)
	}
	return it
}

// markSign is the sign that an item of marked goods bears, "" for other goods.
func (d *Document) markSign(at int, marked bool) Mark {
	for i := at + 1; i < int(d.nodes[at].next); i = int(d.nodes[i].next) {
		switch n := &d.nodes[i]; n.tag {
		case 2106:
			return Checked(byteOf(d.value(n)))
		case 1162:
			marked = true
		}
	}
	if marked {
		return MarkUnknown
	}
	return ""
}

// codes are the barcode and the marks among the codes of a good.
func (d *Document) codes(at int) (barcode string, marks []string) {
	for i := at + 1; i < int(d.nodes[at].next); i = int(d.nodes[i].next) {
		switch n := &d.nodes[i]; n.tag {
		case 1301, 1302, 1303:
			barcode = d.text(n)
		default:
			marks = append(marks, d.text(n))
		}
	}
	return barcode, marks
}

// requisites words the nodes between two places under their names. skip tells
// those that have fields.
func (d *Document) requisites(from, to int, skip func(Tag) bool) []fiscal.Requisite {
	var all []fiscal.Requisite
	for i := from; i < to; i = int(d.nodes[i].next) {
		n := &d.nodes[i]
		def := n.def()
		if skip != nil && skip(n.tag) || def != nil && def.Paper {
			continue
		}
		q := fiscal.Requisite{Key: "tag" + strconv.Itoa(int(n.tag))}
		if def != nil {
			q.Key, q.Type, q.Personal = def.Key(), valueTypes[def.Type], def.Personal
		}
		if def != nil && def.Type == STLV && !n.deep {
			q.Children = d.requisites(i+1, int(n.next), nil)
		} else {
			q.Value = d.worded(n)
		}
		all = append(all, q)
	}
	return all
}

// valueTypes say what worded writes.
var valueTypes = map[Type]fiscal.ValueType{Money: fiscal.ValueMoney, Time: fiscal.ValueTime, Mask8: fiscal.ValueMask, Mask32: fiscal.ValueMask}

// Key is the key of a requisite among fiscal's: the name in JSON. Two meanings
// of tag 1011 have no published name, and the later one goes by its own.
func (def *Definition) Key() string {
	if def.Tag == tagZone && def.Type == Byte {
		return "timeZone"
	}
	return def.JSONName()
}

// worded is the value of a node as text: amounts with a point, times as a
// clock shows them, numbers in digits, bytes in base64, a goods code in hex.
func (d *Document) worded(n *node) string {
	def, b := n.def(), d.value(n)
	if def == nil || !def.fits(b).readable() {
		return base64.StdEncoding.EncodeToString(b)
	}
	switch def.Type {
	case Money:
		if m, ok := moneyOf(b); ok {
			return m.String()
		}
	case Time:
		return wallTimeOf(b).String()
	case FVLN:
		x, _ := decimalOf(b)
		return x.String()
	case Text:
		return d.text(n)
	case Byte, U16, U32, VLN, Mask8, Mask32:
		if len(b) <= 8 {
			return strconv.FormatUint(uintOf(b), 10)
		}
	case Bytes:
		switch n.tag {
		case TagSign:
			return strconv.FormatUint(uint64(signOf(b)), 10)
		case 1162:
			return strings.ToUpper(hex.EncodeToString(b)) // as registers print it
		}
	}
	return base64.StdEncoding.EncodeToString(b)
}

// report words the totals of a document: those of the shift at its close, else
// those of the drive.
func (d *Document) report(kind fiscal.ReportKind) *fiscal.Report {
	r := &fiscal.Report{Kind: kind, Time: d.Time(), Shift: fiscal.Shift{Number: uint32(d.Uint(TagShift)), Documents: uint32(d.Uint(1111))}}
	if kind == fiscal.ReportZ {
		r.Shift.ClosedAt = d.Time()
	}
	var totals struct {
		Shift *Totals `ffd:"1194"`
		Drive *Totals `ffd:"1157"`
	}
	d.Read(&totals)
	t := value(totals.Drive)
	if kind == fiscal.ReportZ {
		t = value(totals.Shift)
	}
	for i, tally := range []*Tally{t.Sales, t.SaleReturns, t.Purchases, t.PurchaseReturns} {
		if tally == nil {
			continue
		}
		c := &r.Counters.Receipts[i]
		c.Count = int64(value(tally.Count))
		c.Sum = value(tally.Total)
		for _, p := range [...]struct {
			kind fiscal.PayKind
			sum  *fiscal.Money
		}{{fiscal.PayCash, tally.Cash}, {fiscal.PayCard, tally.Cashless}, {fiscal.PayAdvance, tally.Prepaid}, {fiscal.PayCredit, tally.Credit}} {
			c.Payments[p.kind.Index()].Sum = value(p.sum)
		}
		r.Counters.Revenue += (fiscal.OpSale + fiscal.Op(i)).Inflow() * c.Sum
	}
	return r
}

func value[T any](p *T) (v T) {
	if p != nil {
		v = *p
	}
	return v
}
