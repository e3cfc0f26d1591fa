package kkm

import (
	"math"
	"strconv"

	"openofd/internal/fiscal"
	"openofd/internal/protocol/kkm/kkmpb"
)

// maxBills is the largest number of tenge that fits our money.
// Source: KKM reference §7.1.
const maxBills = uint64(fiscal.MaxMoney) / CoinsPerBill

// operations leads from the wire's operation to ours and back. On the wire BUY
// is what the register buys from the public.
var operations = [...]fiscal.Op{
	kkmpb.OperationTypeEnum_OPERATION_BUY:         fiscal.OpPurchase,
	kkmpb.OperationTypeEnum_OPERATION_BUY_RETURN:  fiscal.OpPurchaseReturn,
	kkmpb.OperationTypeEnum_OPERATION_SELL:        fiscal.OpSale,
	kkmpb.OperationTypeEnum_OPERATION_SELL_RETURN: fiscal.OpSaleReturn,
}

// OpOf is the operation of a receipt, OpNone if the wire has no such number.
func OpOf(o kkmpb.OperationTypeEnum) fiscal.Op {
	if o < 0 || int(o) >= len(operations) {
		return fiscal.OpNone
	}
	return operations[o]
}

var payments = [...]fiscal.PayKind{
	kkmpb.PaymentTypeEnum_PAYMENT_CASH:   fiscal.PayCash,
	kkmpb.PaymentTypeEnum_PAYMENT_CARD:   fiscal.PayCard,
	kkmpb.PaymentTypeEnum_PAYMENT_CREDIT: fiscal.PayCredit,
	kkmpb.PaymentTypeEnum_PAYMENT_TARE:   fiscal.PayTare,
	kkmpb.PaymentTypeEnum_PAYMENT_MOBILE: fiscal.PayMobile,
}

func payOf(p kkmpb.PaymentTypeEnum) fiscal.PayKind {
	if p < 0 || int(p) >= len(payments) {
		return fiscal.PayNone
	}
	return payments[p]
}

// moneyOf converts an amount; ok is false when it has a hundred tiyn or more,
// or does not fit. What does not fit is 0.
func moneyOf(m *kkmpb.Money) (v fiscal.Money, ok bool) {
	bills, coins := m.GetBills(), m.GetCoins()
	if bills > maxBills-1 {
		return 0, false
	}
	return fiscal.Money(bills*CoinsPerBill) + fiscal.Money(coins%CoinsPerBill), coins < CoinsPerBill
}

// MoneyOf reads an amount; one that does not fit is 0.
func MoneyOf(m *kkmpb.Money) fiscal.Money {
	v, _ := moneyOf(m)
	return v
}

// likely is an amount unless it cannot be: a negative number that wrapped
// around, as one device in use sends when payments fall short.
func likely(m *kkmpb.Money) fiscal.Money {
	if v, ok := moneyOf(m); ok && v <= maxAmount {
		return v
	}
	return 0
}

// NewMoney converts an amount that is not negative; a negative one is 0.
func NewMoney(v fiscal.Money) *kkmpb.Money {
	v = max(v, 0)
	bills, coins := uint64(v/CoinsPerBill), uint32(v%CoinsPerBill)
	return &kkmpb.Money{Bills: &bills, Coins: &coins}
}

// TimeOf converts a time; ok is false when there is no such day or time.
func TimeOf(d *kkmpb.DateTime) (fiscal.WallTime, bool) {
	date, clock := d.GetDate(), d.GetTime()
	if date == nil || clock == nil || date.GetYear() < 1000 { // years have four digits
		return 0, false
	}
	return fiscal.WallDate(int(date.GetYear()), int(date.GetMonth()), int(date.GetDay()),
		int(clock.GetHour()), int(clock.GetMinute()), int(clock.GetSecond()))
}

// NewTime puts a reading of a register's clock on the wire.
func NewTime(t fiscal.WallTime) *kkmpb.DateTime {
	y, mo, d, h, mi, s := t.Parts()
	return NewDateTime(uint32(y), uint32(mo), uint32(d), uint32(h), uint32(mi), uint32(s))
}

// quantityOf converts thousandths to millionths; ok is false when they do not
// fit.
func quantityOf(thousandths uint64) (fiscal.Quantity, bool) {
	if thousandths > math.MaxInt64/1000 {
		return 0, false
	}
	return fiscal.Quantity(thousandths) * 1000, true
}

func cashierOf(o *kkmpb.Operator) fiscal.Cashier {
	return fiscal.Cashier{Code: o.GetCode(), Name: o.GetName()}
}

// lines are where the lines of an opened ticket lie.
type lines struct {
	items room[fiscal.Item]
	taxes room[fiscal.Tax]
}

// receiptOf opens a ticket into l. It judges nothing: what cannot be
// represented is left out or 0, and the checks say so.
func receiptOf(t *kkmpb.TicketRequest, l *lines) fiscal.Receipt {
	r := fiscal.Receipt{
		Op:      OpOf(t.GetOperation()),
		Cashier: cashierOf(t.GetOperator()),
		Total:   MoneyOf(t.GetAmounts().GetTotal()),
		Taken:   likely(t.GetAmounts().GetTaken()),
		Taxes:   taxesOf(t.Taxes, l),
	}
	r.Time, _ = TimeOf(t.GetDateTime())
	r.Items = l.items.begin(len(t.Items))
	for _, it := range t.Items {
		if item, ok := itemOf(it, l); ok {
			r.Items = append(r.Items, item)
		}
	}
	r.Payments = make([]fiscal.Payment, 0, len(t.Payments))
	for _, p := range t.Payments {
		r.Payments = append(r.Payments, paymentOf(p))
	}
	r.Discount = modifierOf(t.GetAmounts().GetDiscount(), l)
	r.Markup = modifierOf(t.GetAmounts().GetMarkup(), l)
	r.ChangeDue = changeOf(t, &r)
	if x := t.ExtensionOptions; x != nil {
		r.Buyer = fiscal.Buyer{XIN: fiscal.XIN(x.GetCustomerIinOrBin()), Email: x.GetCustomerEmail(), Phone: x.GetCustomerPhone()}
		r.Requisites = pairs(r.Requisites, x.Auxiliary)
	}
	if p := t.ParentTicket; p != nil {
		r.Parent = &fiscal.ParentReceipt{
			FiscalSign: p.GetParentTicketNumber(), RegistrationNumber: p.GetKgdKkmId(),
			Total: MoneyOf(p.GetParentTicketTotal()), Offline: p.GetParentTicketIsOffline(),
		}
		r.Parent.Time, _ = TimeOf(p.GetParentTicketDataTime())
	}
	r.Requisites = domainOf(r.Requisites, t.Domain)
	settleStorno(&r)
	return r
}

// changeOf is the change due. A device that leaves it out with cash means taken
// less the cash part; one that states an impossible sum means nothing.
func changeOf(t *kkmpb.TicketRequest, r *fiscal.Receipt) fiscal.Money {
	a := t.GetAmounts()
	if a.GetChange() != nil {
		return likely(a.Change)
	}
	for _, p := range r.Payments {
		if p.Kind == fiscal.PayCash && a.GetTaken() != nil {
			return max(r.Taken-p.Sum, 0)
		}
	}
	return 0
}

func itemOf(it *kkmpb.TicketRequest_Item, l *lines) (fiscal.Item, bool) {
	switch it.GetType() {
	case kkmpb.TicketRequest_ITEM_TYPE_COMMODITY:
		if c := it.Commodity; c != nil {
			q, _ := quantityOf(c.GetQuantity())
			return fiscal.Item{
				Kind: fiscal.ItemGoods, Code: c.GetCode(), Name: c.GetName(), Section: c.GetSectionCode(),
				Quantity: q, Unit: c.GetMeasureUnitCode(), Price: MoneyOf(c.Price), Cost: MoneyOf(c.Sum), Taxes: taxesOf(c.Taxes, l),
				Barcode: c.GetBarcode(), NTIN: c.GetNtin(), ProductID: c.GetProductId(), PaperStamp: c.GetPhysicalLabel(),
				ExciseStamps: stamps(c.GetExciseStamp(), c.ListExciseStamp), Requisites: pairs(nil, c.Auxiliary),
			}, true
		}
	case kkmpb.TicketRequest_ITEM_TYPE_STORNO_COMMODITY:
		if c := it.StornoCommodity; c != nil {
			q, _ := quantityOf(c.GetQuantity())
			return fiscal.Item{
				Kind: fiscal.ItemGoods, Storno: true, Name: c.GetName(), Section: c.GetSectionCode(),
				Quantity: q, Unit: c.GetMeasureUnitCode(), Price: MoneyOf(c.Price), Cost: MoneyOf(c.Sum), Taxes: taxesOf(c.Taxes, l),
				Barcode: c.GetBarcode(), NTIN: c.GetNtin(), ProductID: c.GetProductId(), PaperStamp: c.GetPhysicalLabel(),
				ExciseStamps: stamps(c.GetExciseStamp(), c.ListExciseStamp), Requisites: pairs(nil, c.Auxiliary),
			}, true
		}
	case kkmpb.TicketRequest_ITEM_TYPE_MARKUP:
		return changeItem(fiscal.ItemMarkup, false, it.Markup, l)
	case kkmpb.TicketRequest_ITEM_TYPE_STORNO_MARKUP:
		return changeItem(fiscal.ItemMarkup, true, it.StornoMarkup, l)
	case kkmpb.TicketRequest_ITEM_TYPE_DISCOUNT:
		return changeItem(fiscal.ItemDiscount, false, it.Discount, l)
	case kkmpb.TicketRequest_ITEM_TYPE_STORNO_DISCOUNT:
		return changeItem(fiscal.ItemDiscount, true, it.StornoDiscount, l)
	}
	return fiscal.Item{}, false
}

func changeItem(k fiscal.ItemKind, storno bool, m *kkmpb.TicketRequest_Modifier, l *lines) (fiscal.Item, bool) {
	if m == nil {
		return fiscal.Item{}, false
	}
	return fiscal.Item{Kind: k, Storno: storno, Name: m.GetName(), Cost: MoneyOf(m.Sum), Taxes: taxesOf(m.Taxes, l), Requisites: pairs(nil, m.Auxiliary)}, true
}

func modifierOf(m *kkmpb.TicketRequest_Modifier, l *lines) *fiscal.Modifier {
	if m == nil {
		return nil
	}
	return &fiscal.Modifier{Name: m.GetName(), Sum: MoneyOf(m.Sum), Taxes: taxesOf(m.Taxes, l)}
}

func taxesOf(all []*kkmpb.TicketRequest_Tax, l *lines) []fiscal.Tax {
	if len(all) == 0 {
		return nil
	}
	taxes := l.taxes.begin(len(all))
	for _, t := range all {
		taxes = append(taxes, fiscal.Tax{Kind: t.GetTaxType(), Percent: t.GetPercent(), Sum: MoneyOf(t.Sum), Included: t.GetIsInTotalSum()})
	}
	return taxes
}

func paymentOf(p *kkmpb.TicketRequest_Payment) fiscal.Payment {
	pay := fiscal.Payment{Kind: payOf(p.GetType()), Sum: MoneyOf(p.Sum)}
	add := func(key, value string) {
		if value != "" {
			pay.Requisites = append(pay.Requisites, fiscal.Requisite{Key: key, Value: value})
		}
	}
	if c := p.CardPaymentFields; c != nil {
		add("pos_terminal_id", c.GetPosTerminalId())
		add("pos_card_type", c.GetPosCardType())
		add("pos_authorization_code", digits(uint64(c.GetPosAutorizationCode())))
		add("pos_rrn", digits(c.GetPosRrn()))
		add("pos_receipt_number", digits(c.GetPosReceiptNumber()))
	}
	if m := p.MobilePaymentFields; m != nil {
		add("qr_type", m.GetQrType())
		add("qr_id", m.GetQrId())
	}
	return pay
}

// stamps joins the single mark of older versions with the list of newer ones.
func stamps(one string, list []string) []string {
	if one == "" {
		return list
	}
	return append([]string{one}, list...)
}

func digits(n uint64) string {
	if n == 0 {
		return ""
	}
	return strconv.FormatUint(n, 10)
}

func pairs(to []fiscal.Requisite, all []*kkmpb.KeyValuePair) []fiscal.Requisite {
	for _, kv := range all {
		to = append(to, fiscal.Requisite{Key: "auxiliary." + kv.GetKey(), Value: kv.GetValue()})
	}
	return to
}

// domainOf words the trade and its block as requisites. Trading is the default
// and says nothing.
func domainOf(to []fiscal.Requisite, d *kkmpb.TicketRequest_Domain) []fiscal.Requisite {
	if d == nil || d.GetType() == kkmpb.TicketRequest_DOMAIN_TRADING {
		return to
	}
	name := map[kkmpb.TicketRequest_DomainTypeEnum]string{
		kkmpb.TicketRequest_DOMAIN_SERVICES: "services", kkmpb.TicketRequest_DOMAIN_GASOIL: "gasoil",
		kkmpb.TicketRequest_DOMAIN_HOTELS: "hotels", kkmpb.TicketRequest_DOMAIN_TAXI: "taxi",
		kkmpb.TicketRequest_DOMAIN_PARKING: "parking",
	}[d.GetType()]
	block := fiscal.Requisite{Key: "domain", Value: name}
	add := func(key, value string) {
		if value != "" {
			block.Children = append(block.Children, fiscal.Requisite{Key: key, Value: value})
		}
	}
	if s := d.Services; s != nil {
		add("account_number", s.GetAccountNumber())
	}
	if g := d.Gasoil; g != nil {
		add("correction_number", g.GetCorrectionNumber())
		if g.CorrectionSum != nil {
			add("correction_sum", MoneyOf(g.CorrectionSum).String())
		}
		add("card_number", g.GetCardNumber())
	}
	if t := d.Taxi; t != nil {
		add("car_number", t.GetCarNumber())
		add("is_order", strconv.FormatBool(t.GetIsOrder()))
		add("current_fee", MoneyOf(t.CurrentFee).String())
	}
	if p := d.Parking; p != nil {
		begin, _ := TimeOf(p.BeginTime)
		end, _ := TimeOf(p.EndTime)
		add("begin_time", begin.String())
		add("end_time", end.String())
	}
	return append(to, block)
}

// settleStorno settles what a storno discount of a return means. Some devices
// mark every discount of a return so and still subtract it; where only that
// reading makes the total, the mark is taken off.
// Source: KKM reference §8, V6.
func settleStorno(r *fiscal.Receipt) {
	if !r.Op.Return() {
		return
	}
	found := false
	for i := range r.Items {
		found = found || r.Items[i].Kind == fiscal.ItemDiscount && r.Items[i].Storno
	}
	if !found || fits(r, totalsOf(r)) != totalOff {
		return
	}
	flipped := *r
	flipped.Items = append([]fiscal.Item(nil), r.Items...)
	for i := range flipped.Items {
		if it := &flipped.Items[i]; it.Kind == fiscal.ItemDiscount {
			it.Storno = false
		}
	}
	if fits(&flipped, totalsOf(&flipped)) != totalOff {
		*r = flipped
	}
}
