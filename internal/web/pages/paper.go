package pages

import (
	"slices"
	"strconv"

	"openofd/internal/fiscal"
	"openofd/internal/web/ui"
)

// paper is a receipt of Russia as its page shows it: every requisite that was
// sent, at the place where paper has it or at the end.
type paper struct {
	*receipt
	Seller, INN string
	Place       []ui.Requisite
	Correction  []ui.Requisite // why and what it corrects
	Head        []ui.Requisite
	Time        string  // with its zone, if the receipt names one
	Goods       []goods // each as it was sent
	Joined      []goods // equal marked goods in one line, as paper may; nil if there are none
	Taxes       []ui.Requisite
	Pays        []pay
	Cashless    []ui.Requisite
	Agent       []ui.Requisite
	Buyer       []ui.Requisite
	Rest        []ui.Requisite
	Device      []ui.Requisite
	Site        string
}

// pay is one way of paying.
type pay struct {
	Key string // of its words
	Sum fiscal.Money
}

// goods is a line of a receipt of Russia.
type goods struct {
	*fiscal.Item
	Place   int
	Mark    string // [M+], [M] or [M-] of marked goods
	Measure string
	Details []ui.Requisite // that paper shows too
	More    []ui.Requisite // that paper leaves out
}

// payKeys are the requisites of the ways of paying.
var payKeys = map[fiscal.PayKind]string{
	fiscal.PayCash: "cashTotalSum", fiscal.PayCard: "ecashTotalSum", fiscal.PayAdvance: "prepaidSum",
	fiscal.PayCredit: "creditSum", fiscal.PayProvision: "provisionSum",
}

func newPaper(l *ui.Locale, rc *receipt) *paper {
	d := &rc.Document
	r := d.Receipt
	s := &sheet{l: l, at: d.DeviceTime, list: r.Requisites, dealt: make([]bool, len(r.Requisites))}
	p := &paper{
		receipt: rc, Seller: s.plain("user"), INN: s.plain("userInn"),
		Place: s.deal("retailPlaceAddress", "retailPlace", "tag1049", "machineNumber"),
		Head:  s.deal("requestNumber", "shiftNumber"),
		Site:  s.plain("fnsUrl"),
	}
	if p.Seller == "" {
		p.Seller = rc.Card.Title.RU
	}
	if p.INN == "" {
		p.INN = string(rc.Card.XIN)
	}
	if address := rc.Card.OutletAddress.RU; rc.Requisite("retailPlaceAddress") == "" && address != "" {
		p.Place = append([]ui.Requisite{{Key: "retailPlaceAddress", Title: l.T("requisite.retailPlaceAddress"), Value: address}}, p.Place...)
	}
	p.Time = l.Minute(d.DeviceTime)
	if zone := s.text("timeZone"); zone != "" {
		p.Time += " (" + zone + ")"
	}
	if r.Cashier.Name != "" {
		p.Head = append(p.Head, ui.Requisite{Key: "operator", Title: l.T("requisite.operator"), Value: r.Cashier.Name})
	}
	p.Head = append(p.Head, s.deal("operatorInn", "appliedTaxationType")...)
	p.Correction = s.deal("correctionType", "correctionBase")
	if corrects := s.plain("propertiesData"); corrects != "" {
		q := ui.Requisite{Key: "propertiesData", Title: l.T("requisite.propertiesData"), Value: corrects}
		if form := rc.Requisite("form"); form == "receiptCorrection" || form == "bsoCorrection" {
			q.Title = l.T("receipt.corrects")
			p.Correction = append(p.Correction, q)
		} else {
			p.Rest = append(p.Rest, q)
		}
	}
	for _, way := range r.Payments {
		p.Pays = append(p.Pays, pay{"requisite." + payKeys[way.Kind], way.Sum})
	}
	p.Taxes = append(s.deal("nds18", "nds10", "nds18118", "nds10110"), s.rates()...)
	p.Taxes = append(p.Taxes, s.deal("nds0", "ndsNo", "tag1033")...)
	p.Cashless = s.deal("allECashProp")
	p.Agent = s.deal("paymentAgentType", "paymentAgentOperation", "bankSubagentOperation", "paymentAgentRemuneration", "tag1011",
		"paymentAgentPhone", "paymentOperatorPhone", "operatorPhoneToReceive", "bankSubagentPhone", "paymentSubagentPhone",
		"transferOperatorName", "transferOperatorInn", "transferOperatorAddress", "transferOperatorPhone", "providerPhone",
		"tag1003", "tag1004", "tag1006", "tag1007")
	p.Buyer = s.deal("buyerPhoneOrAddress", "buyer", "buyerInn", "buyerInformation", "sellerAddress", "tag1195")
	p.Device = s.deal("kktRegId")
	if rc.Card.SerialNumber != "" {
		p.Device = append(p.Device, ui.Requisite{Key: "kktNumber", Title: l.T("requisite.kktNumber"), Value: rc.Card.SerialNumber})
	}
	s.drop("fiscalDriveNumber", "fiscalDocumentNumber", "fiscalSign", "form", "operationType", "dateTime")
	p.Device = append(p.Device,
		ui.Requisite{Key: "fiscalDriveNumber", Title: l.T("requisite.fiscalDriveNumber"), Value: d.Drive},
		ui.Requisite{Key: "fiscalDocumentNumber", Title: l.T("requisite.fiscalDocumentNumber"), Value: strconv.FormatUint(d.DeviceNumber, 10)},
		ui.Requisite{Key: "fiscalSign", Title: l.T("requisite.fiscalSign"), Value: rc.FiscalSign()})
	p.Device = append(p.Device, s.deal("fiscalDocumentFormatVer")...)
	p.Rest = append(s.rest(), p.Rest...)
	for i := range r.Items {
		p.Goods = append(p.Goods, newGoods(l, &r.Items[i], d.DeviceTime, i+1))
	}
	p.Joined = joined(p.Goods)
	return p
}

// Form is the key of the words for the form of the document.
func (p *paper) Form() string { return "requisite.form." + p.Requisite("form") }

// Operation is the key of the words for the kind of settlement.
func (p *paper) Operation() string {
	return "requisite.operationType." + strconv.Itoa(p.Document.Op.Index()+1)
}

// brief are the requisites of an item that paper leaves out.
// Source: order ED-7-20/662@, printed forms.
var brief = []string{"paymentAgentData", "unitNds", "labelCodeProcesMode", "checkingProdInformationResult", "productCode", "productCodeNew", "itemsIndustryDetails"}

func newGoods(l *ui.Locale, it *fiscal.Item, at fiscal.WallTime, place int) goods {
	s := &sheet{l: l, at: at, list: it.Requisites, dealt: make([]bool, len(it.Requisites))}
	g := goods{Item: it, Place: place, Mark: s.plain("mark"), Measure: s.text("itemsQuantityMeasure")}
	if unit := s.plain("unit"); unit != "" {
		g.Measure = unit
	}
	rate, vat := s.deal("nds"), s.deal("ndsSum")
	if len(rate) > 0 { // one line of both
		rate[0] = ui.Requisite{Title: rate[0].Value}
		if len(vat) > 0 {
			rate[0].Value, rate[0].Sum, vat = vat[0].Value, true, nil
		}
	}
	g.More = s.deal(brief...)
	g.Details = append(append(rate, vat...), s.deal("productType", "paymentType")...)
	g.Details = append(g.Details, s.rest()...)
	return g
}

// joined puts neighboring marked goods that differ in their codes alone into
// one line, as paper may; nil if there are none such.
func joined(all []goods) []goods {
	var out []goods
	for _, g := range all {
		if n := len(out); n > 0 && g.Mark != "" && alike(&out[n-1], &g) {
			sum := *out[n-1].Item
			sum.Quantity += g.Quantity
			sum.Cost += g.Cost
			out[n-1].Item = &sum
			out[n-1].Details = withoutSums(out[n-1].Details)
			continue
		}
		g.Place, g.More = len(out)+1, nil
		out = append(out, g)
	}
	if len(out) == len(all) {
		return nil
	}
	return out
}

func alike(a, b *goods) bool {
	if a.Name != b.Name || a.Mark != b.Mark || a.Measure != b.Measure || a.Price != b.Price || len(a.Details) != len(b.Details) {
		return false
	}
	for i := range a.Details {
		x, y := &a.Details[i], &b.Details[i]
		if x.Title != y.Title || !y.Sum && x.Value != y.Value || len(x.Children) > 0 || len(y.Children) > 0 {
			return false
		}
	}
	return true
}

// withoutSums are the details of a joined line: the amounts of all its goods
// stand in the receipt's own.
func withoutSums(details []ui.Requisite) []ui.Requisite {
	out := slices.Clone(details)
	for i := range out {
		if out[i].Sum {
			out[i].Value = ""
		}
	}
	return out
}

// sheet deals the requisites of a list out to their places. What nobody asks
// for is the rest, so that nothing is lost.
type sheet struct {
	l     *ui.Locale
	at    fiscal.WallTime
	list  []fiscal.Requisite
	dealt []bool
}

// deal words the requisites with these keys, in the order of the keys.
func (s *sheet) deal(keys ...string) []ui.Requisite {
	var out []ui.Requisite
	for _, key := range keys {
		for i := range s.list {
			if s.list[i].Key == key && !s.dealt[i] {
				s.dealt[i] = true
				out = append(out, s.l.Requisites(s.list[i:i+1], s.at)...)
			}
		}
	}
	return out
}

// plain is the value with a key as it came, text the value in words.
func (s *sheet) plain(key string) string {
	value := ""
	for i := range s.list {
		if s.list[i].Key == key && !s.dealt[i] {
			s.dealt[i], value = true, s.list[i].Value
		}
	}
	return value
}

func (s *sheet) text(key string) string {
	if all := s.deal(key); len(all) > 0 {
		return all[0].Value
	}
	return ""
}

// rates are the taxes by rate, each in a line.
func (s *sheet) rates() []ui.Requisite {
	var out []ui.Requisite
	for _, group := range s.deal("amountsReceiptNds") {
		for _, one := range group.Children {
			var line ui.Requisite
			for _, q := range one.Children {
				switch q.Key {
				case "nds":
					line.Title = s.l.T("tax.stated", "rate", q.Value)
				case "ndsSum":
					line.Value, line.Sum = q.Value, true
				}
			}
			out = append(out, line)
		}
	}
	return out
}

// drop leaves requisites out that stand on the page in another way.
func (s *sheet) drop(keys ...string) {
	for _, key := range keys {
		s.plain(key)
	}
}

func (s *sheet) rest() []ui.Requisite {
	var out []ui.Requisite
	for i := range s.list {
		if !s.dealt[i] {
			out = append(out, s.l.Requisites(s.list[i:i+1], s.at)...)
		}
	}
	return out
}
