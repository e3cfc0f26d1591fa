package kkm

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"openofd/internal/fiscal"
	wire "openofd/internal/protocol/kkm"
	"openofd/internal/protocol/kkm/kkmpb"
)

// Form is how one register writes receipts for the wire: its version, and the
// choices that a receipt does not carry.
type Form struct {
	Version   wire.Version
	Section   string // of lines without one; must not be empty
	TaxSystem uint32 // stands beside each tax below 2.0.1
}

// Ticket puts a receipt on the wire as the version has it. What the version
// does not know is left out where the law allows it (NTIN below 2.0.3), and
// refused where the receipt would say something else than the buyer was told:
// more marks or decimals than fit, a way of paying that the version lacks.
//
// Errors: Invalid, with the field.
// Source: KKM 2.0.3 §3.3.2; KKM reference §7.3, §7.9.
func (f Form) Ticket(r *fiscal.Receipt) (*kkmpb.TicketRequest, error) {
	op, ok := operations[r.Op]
	if !ok {
		return nil, invalid(fiscal.BadValue, "operation", "%v is not a settlement", r.Op)
	}
	if r.Total < 0 || r.Taken < 0 || r.ChangeDue < 0 {
		return nil, invalid(fiscal.BadValue, "amounts", "negative")
	}
	t := &kkmpb.TicketRequest{
		Operation: &op,
		DateTime:  wire.NewTime(r.Time),
		Operator:  newOperator(r.Cashier),
		Amounts:   &kkmpb.TicketRequest_Amounts{Total: wire.NewMoney(r.Total)},
	}
	var err error
	if t.Domain, err = f.domain(r.Requisites); err != nil {
		return nil, err
	}
	for i := range r.Items {
		it, err := f.item(&r.Items[i])
		if err != nil {
			return nil, fmt.Errorf("items[%d]: %w", i, err)
		}
		t.Items = append(t.Items, it)
	}
	cash := false
	for i := range r.Payments {
		p, err := f.payment(&r.Payments[i])
		if err != nil {
			return nil, fmt.Errorf("payments[%d]: %w", i, err)
		}
		cash = cash || r.Payments[i].Kind == fiscal.PayCash
		t.Payments = append(t.Payments, p)
	}
	if t.Taxes, err = f.taxes(r.Taxes); err != nil {
		return nil, err
	}
	if cash || r.Taken > 0 {
		t.Amounts.Taken, t.Amounts.Change = wire.NewMoney(r.Taken), wire.NewMoney(r.ChangeDue)
	}
	if t.Amounts.Discount, err = f.modifier(r.Discount, "Скидка"); err != nil {
		return nil, err
	}
	if t.Amounts.Markup, err = f.modifier(r.Markup, "Наценка"); err != nil {
		return nil, err
	}
	t.ExtensionOptions = f.buyer(r)
	if p := r.Parent; p != nil && f.Version >= wire.V203 {
		t.ParentTicket = &kkmpb.TicketRequest_ParentTicket{
			ParentTicketNumber: &p.FiscalSign, ParentTicketDataTime: wire.NewTime(p.Time), KgdKkmId: &p.RegistrationNumber,
			ParentTicketTotal: wire.NewMoney(p.Total), ParentTicketIsOffline: &p.Offline,
		}
	}
	return t, nil
}

func (f Form) item(it *fiscal.Item) (*kkmpb.TicketRequest_Item, error) {
	if it.Cost < 0 || it.Price < 0 {
		return nil, invalid(fiscal.BadValue, "sum", "negative; take a line back with storno")
	}
	out := new(kkmpb.TicketRequest_Item)
	kind := kkmpb.TicketRequest_ITEM_TYPE_COMMODITY
	var err error
	switch it.Kind {
	case fiscal.ItemGoods:
		if it.Storno {
			kind = kkmpb.TicketRequest_ITEM_TYPE_STORNO_COMMODITY
			out.StornoCommodity, err = f.storno(it)
		} else {
			out.Commodity, err = f.commodity(it)
		}
	case fiscal.ItemDiscount, fiscal.ItemMarkup:
		name, into := "Скидка", &out.Discount
		kind = kkmpb.TicketRequest_ITEM_TYPE_DISCOUNT
		switch {
		case it.Kind == fiscal.ItemMarkup && it.Storno:
			name, into, kind = "Наценка", &out.StornoMarkup, kkmpb.TicketRequest_ITEM_TYPE_STORNO_MARKUP
		case it.Kind == fiscal.ItemMarkup:
			name, into, kind = "Наценка", &out.Markup, kkmpb.TicketRequest_ITEM_TYPE_MARKUP
		case it.Storno:
			into, kind = &out.StornoDiscount, kkmpb.TicketRequest_ITEM_TYPE_STORNO_DISCOUNT
		}
		*into, err = f.modifier(&fiscal.Modifier{Name: it.Name, Sum: it.Cost, Taxes: it.Taxes}, name)
		if err == nil && f.Version >= wire.V125 {
			(*into).Auxiliary = auxiliary(it.Requisites)
		}
	default:
		return nil, invalid(fiscal.BadValue, "type", "a line is goods, a discount or a markup")
	}
	out.Type = &kind
	return out, err
}

func (f Form) commodity(it *fiscal.Item) (*kkmpb.TicketRequest_Commodity, error) {
	if it.Code > math.MaxUint32 && f.Version < wire.V201 {
		return nil, invalid(fiscal.BadValue, "code", "%d does not fit the 32 bits of version %s", it.Code, f.Version)
	}
	quantity, err := f.quantity(it.Quantity)
	if err != nil {
		return nil, err
	}
	taxes, err := f.taxes(it.Taxes)
	if err != nil {
		return nil, err
	}
	c := &kkmpb.TicketRequest_Commodity{
		Name: text(it.Name), SectionCode: f.sectionOf(it), Quantity: &quantity,
		Price: wire.NewMoney(it.Price), Sum: wire.NewMoney(it.Cost), Taxes: taxes,
	}
	if it.Code != 0 {
		c.Code = &it.Code
	}
	if c.ExciseStamp, c.ListExciseStamp, err = f.stamps(it.ExciseStamps); err != nil {
		return nil, err
	}
	if f.Version >= wire.V125 {
		c.Auxiliary = auxiliary(it.Requisites)
	}
	if f.Version >= wire.V200 {
		c.PhysicalLabel, c.ProductId, c.Barcode = text(it.PaperStamp), text(it.ProductID), text(it.Barcode)
	}
	if f.Version > wire.V200 {
		c.MeasureUnitCode = text(it.Unit)
	}
	if f.Version >= wire.V203 {
		c.Ntin = text(it.NTIN)
	}
	return c, nil
}

// storno is commodity with the numbers that the wire gives to lines taken back.
func (f Form) storno(it *fiscal.Item) (*kkmpb.TicketRequest_StornoCommodity, error) {
	c, err := f.commodity(it)
	if err != nil {
		return nil, err
	}
	return &kkmpb.TicketRequest_StornoCommodity{
		Name: c.Name, SectionCode: c.SectionCode, Quantity: c.Quantity, Price: c.Price, Sum: c.Sum, Taxes: c.Taxes,
		ExciseStamp: c.ExciseStamp, Auxiliary: c.Auxiliary, PhysicalLabel: c.PhysicalLabel, ProductId: c.ProductId,
		Barcode: c.Barcode, MeasureUnitCode: c.MeasureUnitCode, ListExciseStamp: c.ListExciseStamp, Ntin: c.Ntin,
	}, nil
}

func (f Form) sectionOf(it *fiscal.Item) *string {
	if it.Section != "" {
		return &it.Section
	}
	return &f.Section
}

// quantity converts millionths to the wire's thousandths.
func (f Form) quantity(q fiscal.Quantity) (uint64, error) {
	const scale = fiscal.OneUnit / wire.QuantityScale
	switch {
	case q <= 0:
		return 0, invalid(fiscal.BadValue, "quantity", "%v is not above zero", q)
	case q%scale != 0:
		return 0, invalid(fiscal.BadValue, "quantity", "%v has more than three decimals", q)
	case q/scale > math.MaxUint32 && f.Version < wire.V203:
		return 0, invalid(fiscal.BadValue, "quantity", "%v does not fit the 32 bits of version %s", q, f.Version)
	}
	return uint64(q / scale), nil
}

// stamps gives one mark to the old field and several to the list of 2.0.3.
func (f Form) stamps(all []string) (one *string, list []string, err error) {
	switch {
	case len(all) == 0:
		return nil, nil, nil
	case f.Version >= wire.V203:
		return nil, all, nil
	case len(all) == 1:
		return text(all[0]), nil, nil
	}
	return nil, nil, invalid(fiscal.BadValue, "excise_stamp", "%d marks on one line; version %s carries one, so write a line for each piece", len(all), f.Version)
}

func (f Form) taxes(all []fiscal.Tax) ([]*kkmpb.TicketRequest_Tax, error) {
	var out []*kkmpb.TicketRequest_Tax
	for i := range all {
		t := &all[i]
		if t.Sum < 0 {
			return nil, invalid(fiscal.BadValue, "taxes", "negative")
		}
		x := &kkmpb.TicketRequest_Tax{TaxType: &t.Kind, Percent: &t.Percent, Sum: wire.NewMoney(t.Sum), IsInTotalSum: &t.Included}
		if f.Version < wire.V201 {
			x.TaxationType = &f.TaxSystem
		}
		out = append(out, x)
	}
	return out, nil
}

// modifier gives a change of price the name that 2.0.1 and later demand.
func (f Form) modifier(m *fiscal.Modifier, name string) (*kkmpb.TicketRequest_Modifier, error) {
	if m == nil {
		return nil, nil
	}
	if m.Sum < 0 {
		return nil, invalid(fiscal.BadValue, "sum", "negative")
	}
	taxes, err := f.taxes(m.Taxes)
	if err != nil {
		return nil, err
	}
	if m.Name != "" {
		name = m.Name
	}
	return &kkmpb.TicketRequest_Modifier{Name: &name, Sum: wire.NewMoney(m.Sum), Taxes: taxes}, nil
}

func (f Form) payment(p *fiscal.Payment) (*kkmpb.TicketRequest_Payment, error) {
	kind, ok := payments[p.Kind]
	if !ok {
		return nil, invalid(fiscal.BadValue, "type", "the protocol has no payment by %v", p.Kind)
	}
	if f.Version > wire.V200 && (p.Kind == fiscal.PayCredit || p.Kind == fiscal.PayTare) {
		return nil, invalid(fiscal.BadValue, "type", "payment by %v ended with version 2.0.0", p.Kind)
	}
	if p.Sum < 0 {
		return nil, invalid(fiscal.BadValue, "sum", "negative")
	}
	out := &kkmpb.TicketRequest_Payment{Type: &kind, Sum: wire.NewMoney(p.Sum)}
	if f.Version < wire.V203 || len(p.Requisites) == 0 {
		return out, nil
	}
	var err error
	switch p.Kind {
	case fiscal.PayCard:
		out.CardPaymentFields, err = card(p.Requisites)
	case fiscal.PayMobile:
		out.MobilePaymentFields = &kkmpb.TicketRequest_MobilePaymentFields{
			QrType: text(value(p.Requisites, "qr_type")), QrId: text(value(p.Requisites, "qr_id"))}
	}
	return out, err
}

// card reads what the bank's terminal told of a payment.
func card(req []fiscal.Requisite) (*kkmpb.TicketRequest_CardPaymentFields, error) {
	c := &kkmpb.TicketRequest_CardPaymentFields{
		PosTerminalId: text(value(req, "pos_terminal_id")), PosCardType: text(value(req, "pos_card_type"))}
	number := func(key string, bits int) (*uint64, error) {
		s := value(req, key)
		if s == "" {
			return nil, nil
		}
		n, err := strconv.ParseUint(s, 10, bits)
		if err != nil {
			return nil, invalid(fiscal.BadValue, key, "%q is not a number of %d bits", s, bits)
		}
		return &n, nil
	}
	code, err := number("pos_authorization_code", 32)
	if err != nil {
		return nil, err
	}
	if code != nil {
		short := uint32(*code)
		c.PosAutorizationCode = &short
	}
	if c.PosRrn, err = number("pos_rrn", 64); err != nil {
		return nil, err
	}
	c.PosReceiptNumber, err = number("pos_receipt_number", 32)
	return c, err
}

// buyer is where to send the receipt and who buys, or nil.
func (f Form) buyer(r *fiscal.Receipt) *kkmpb.TicketRequest_ExtensionOptions {
	x := &kkmpb.TicketRequest_ExtensionOptions{CustomerEmail: text(r.Buyer.Email), CustomerPhone: text(r.Buyer.Phone)}
	if f.Version >= wire.V125 {
		x.Auxiliary = auxiliary(r.Requisites)
	}
	if f.Version >= wire.V201 {
		x.CustomerIinOrBin = text(string(r.Buyer.XIN))
	}
	if x.CustomerEmail == nil && x.CustomerPhone == nil && x.CustomerIinOrBin == nil && len(x.Auxiliary) == 0 {
		return nil
	}
	return x
}

// domain is the trade. Versions 1.2.x and 2.0.3 want it said, so it is always
// said; the block of the trade comes from the requisite "domain".
func (f Form) domain(req []fiscal.Requisite) (*kkmpb.TicketRequest_Domain, error) {
	kind := kkmpb.TicketRequest_DOMAIN_TRADING
	d := &kkmpb.TicketRequest_Domain{Type: &kind}
	for _, q := range req {
		if q.Key != "domain" {
			continue
		}
		n, ok := kkmpb.TicketRequest_DomainTypeEnum_value["DOMAIN_"+strings.ToUpper(q.Value)]
		if !ok {
			return nil, invalid(fiscal.BadValue, "domain", "%q is no trade of the protocol", q.Value)
		}
		kind = kkmpb.TicketRequest_DomainTypeEnum(n)
		return d, block(d, q.Children)
	}
	return d, nil
}

// block fills the message that belongs to the trade.
func block(d *kkmpb.TicketRequest_Domain, req []fiscal.Requisite) error {
	if len(req) == 0 {
		return nil
	}
	amount := func(key string) (*kkmpb.Money, error) {
		m, err := fiscal.ParseMoney(value(req, key))
		return wire.NewMoney(m), err
	}
	var err error
	switch d.GetType() {
	case kkmpb.TicketRequest_DOMAIN_SERVICES, kkmpb.TicketRequest_DOMAIN_HOTELS:
		number := value(req, "account_number")
		d.Services = &kkmpb.TicketRequest_Domain_Services{AccountNumber: &number}
	case kkmpb.TicketRequest_DOMAIN_GASOIL:
		d.Gasoil = &kkmpb.TicketRequest_Domain_GasOil{
			CorrectionNumber: text(value(req, "correction_number")), CardNumber: text(value(req, "card_number"))}
		if value(req, "correction_sum") != "" {
			d.Gasoil.CorrectionSum, err = amount("correction_sum")
		}
	case kkmpb.TicketRequest_DOMAIN_TAXI:
		number, order := value(req, "car_number"), value(req, "is_order") == "true"
		d.Taxi = &kkmpb.TicketRequest_Domain_Taxi{CarNumber: &number, IsOrder: &order}
		d.Taxi.CurrentFee, err = amount("current_fee")
	case kkmpb.TicketRequest_DOMAIN_PARKING:
		var begin, end fiscal.WallTime
		if err = begin.UnmarshalText([]byte(strings.Replace(value(req, "begin_time"), " ", "T", 1))); err == nil {
			err = end.UnmarshalText([]byte(strings.Replace(value(req, "end_time"), " ", "T", 1)))
		}
		d.Parking = &kkmpb.TicketRequest_Domain_Parking{BeginTime: wire.NewTime(begin), EndTime: wire.NewTime(end)}
	}
	return err
}

// value is the value of the first requisite with the key.
func value(req []fiscal.Requisite, key string) string {
	for _, q := range req {
		if q.Key == key {
			return q.Value
		}
	}
	return ""
}

// auxiliary are the requisites that travel as free pairs.
func auxiliary(req []fiscal.Requisite) []*kkmpb.KeyValuePair {
	var out []*kkmpb.KeyValuePair
	for _, q := range req {
		if key, ok := strings.CutPrefix(q.Key, "auxiliary."); ok {
			out = append(out, &kkmpb.KeyValuePair{Key: &key, Value: text(q.Value)})
		}
	}
	return out
}
