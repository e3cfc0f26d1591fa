package pages

import (
	"net/http"
	"strconv"
	"strings"

	"openofd/internal/cabinet"
	"openofd/internal/fiscal"
	"openofd/internal/web/pdf"
	"openofd/internal/web/ui"
)

// maxPrinted is how many lines of goods a printed receipt has. One that has
// more says so, and where the rest is.
const maxPrinted = 200

// Print sets a receipt on paper, with all that its page shows.
func (h *Handler) Print(l *ui.Locale, r *http.Request, found *cabinet.Found, paper pdf.Paper) ([]byte, error) {
	s, err := h.sheet(l, r, found)
	if err != nil {
		return nil, err
	}
	return s.Bytes(paper)
}

// PDFPath is where a buyer's receipt is, with the parameters of its check.
const PDFPath = "/check.pdf"

// CheckPDF serves GET /check.pdf with the parameters of a check: the receipt on
// paper, a roll or with paper=a4 a sheet. What is not found is answered by the
// page of the check.
func (h *Handler) CheckPDF(w http.ResponseWriter, r *http.Request) {
	q, err := cabinet.ParseQuery(r.URL.Query())
	if err != nil {
		h.render.Error(w, r, err)
		return
	}
	result, err := h.checker.Check(r.Context(), q)
	if err == nil && result.Verdict != cabinet.Genuine {
		values := r.URL.Query()
		values.Del(paramPaper)
		http.Redirect(w, r, "/check?"+values.Encode(), http.StatusSeeOther)
		return
	}
	var b []byte
	if err == nil {
		b, err = h.Print(h.render.Locale(r), r, result.Found, pdf.ParsePaper(r.URL.Query().Get(paramPaper)))
	}
	if err != nil {
		h.render.Error(w, r, err)
		return
	}
	pdf.Give(w, "receipt-"+result.Found.PrintedCode(), b)
}

// paramPaper names the paper.
const paramPaper = "paper"

// sheet writes a receipt in the reader's language, and what the law wants in
// the official ones too.
func (h *Handler) sheet(l *ui.Locale, r *http.Request, found *cabinet.Found) (*pdf.Sheet, error) {
	rc, err := h.newReceipt(l, r, found)
	if err != nil {
		return nil, err
	}
	d := &found.Document
	p := &printer{Sheet: &pdf.Sheet{Lang: l.Lang, At: d.DeviceTime.UTC()}, l: l, all: h.render.Locales}
	p.Title = strings.ReplaceAll(l.T("op."+d.Op.String())+" "+found.PrintedCode(), "\u00a0", " ")
	if found.Russian() {
		p.russian(newPaper(l, rc))
	} else {
		p.kazakh(rc)
	}
	p.QR(found.QR(siteOf(h.operator.Site, r)))
	return p.Sheet, nil
}

// The looks of lines.
var (
	centered = pdf.Style{Center: true}
	caption  = pdf.Style{Center: true, Size: pdf.Small, Muted: true}
	heading  = pdf.Style{Center: true, Strong: true}
	beside   = pdf.Style{Size: pdf.Small, Inner: true}
	strong   = pdf.Style{Strong: true}
	large    = pdf.Style{Strong: true, Size: pdf.Large}
)

// printer writes receipts.
type printer struct {
	*pdf.Sheet
	l   *ui.Locale
	all ui.Locales
}

// label are the words of a key in the reader's language and in the official
// ones, as far as they differ.
func (p *printer) label(key string, args ...any) string {
	return p.all.Label(p.l, key, args...)
}

// texts are the wordings of a text, a line each.
func (p *printer) texts(t fiscal.Text, st pdf.Style) {
	for _, one := range p.l.Texts(t) {
		p.Text(one.Text, st)
	}
}

// row is a labeled value that may be missing.
func (p *printer) row(key, value string) {
	if value != "" {
		p.Row(p.label(key), value, pdf.Style{})
	}
}

// kazakh is the receipt of the template "receipt".
// Sources: order 636 items 15 and 49, KKM reference §12.
func (p *printer) kazakh(rc *receipt) {
	l, card, r := p.l, &rc.Card, rc.Document.Receipt
	p.texts(card.Title, heading)
	p.Text(p.label("receipt.xin")+" "+string(card.XIN), centered)
	if card.VATCertificate != "" {
		p.Text(p.label("receipt.vat_certificate")+" "+card.VATCertificate, centered)
	}
	place := card.OutletAddress
	if place.In(l.Lang) == "" {
		place = card.LegalAddress
	}
	p.Text(p.label("receipt.address"), caption)
	p.texts(place, centered)
	p.Rule()
	p.Text(p.label("receipt.fiscal"), centered)
	p.Text(p.label("op."+r.Op.String()), pdf.Style{Center: true, Strong: true, Size: pdf.Large})
	if rc.Offline() {
		p.Text(p.label("receipt.offline"), heading)
	}
	if rc.Canceled != nil {
		p.Text(p.label("receipt.canceled"), heading)
	}
	p.Gap()
	p.row("receipt.number", rc.ReceiptNumber())
	if rc.Document.Shift != 0 {
		p.row("receipt.shift", strconv.FormatUint(uint64(rc.Document.Shift), 10))
	}
	switch who := r.Cashier; {
	case who.Name != "":
		p.row("receipt.cashier", who.Name)
	case who.Code != 0:
		p.row("receipt.cashier", strconv.FormatUint(uint64(who.Code), 10))
	}
	p.row("receipt.time", l.Time(rc.Document.DeviceTime))
	p.Rule()
	for i := range rc.Lines[:min(len(rc.Lines), maxPrinted)] {
		p.item(&rc.Lines[i])
	}
	p.cut(len(rc.Lines), rc.Link)
	p.Rule()
	p.modifier("item.discount", "\u2212", rc.Discount())
	p.modifier("item.markup", "", rc.Markup())
	p.Row(p.label("receipt.total"), l.Money(r.Total), large)
	for _, t := range rc.Taxes() {
		p.Row(p.label(ui.TaxKey(t.Kind, t.Included), "kind", t.Kind, "rate", l.Percent(t.Percent)), l.Money(t.Sum), pdf.Style{})
	}
	p.Rule()
	for _, pay := range r.Payments {
		p.Row(p.label("pay."+pay.Kind.String()), l.Money(pay.Sum), strong)
		for _, q := range l.Requisites(pay.Requisites, rc.Document.DeviceTime) {
			p.Row(q.Title, q.Value, beside)
		}
	}
	if r.Taken != 0 {
		p.Row(p.label("receipt.taken"), l.Money(r.Taken), pdf.Style{})
		p.Row(p.label("receipt.change"), l.Money(r.ChangeDue), pdf.Style{})
	}
	p.Rule()
	p.row("receipt.buyer", rc.MaskedBuyer())
	for _, q := range l.Requisites(r.Requisites, rc.Document.DeviceTime) {
		p.row("requisite."+q.Key, q.Value)
	}
	if parent := r.Parent; parent != nil {
		p.Rule()
		p.Text(p.label("receipt.parent"), strong)
		code := "receipt.sign"
		if parent.Offline {
			code = "receipt.offline_code"
		}
		p.row(code, ui.Digits(parent.FiscalSign))
		if parent.Time != 0 {
			p.row("receipt.time", l.Time(parent.Time))
		}
		p.row("receipt.registration", ui.Digits(parent.RegistrationNumber))
		p.row("receipt.total", l.Money(parent.Total))
	}
	p.Rule()
	if code := rc.OfflineCode(); code != "" {
		p.Row(p.label("receipt.offline_code"), ui.Digits(code), strong)
	}
	p.Row(p.label("receipt.sign"), ui.Digits(rc.FiscalSign()), strong)
	p.row("receipt.serial", card.SerialNumber)
	p.row("receipt.registration", ui.Digits(card.RegistrationNumber))
	if card.Provisional {
		p.Text(l.T("receipt.provisional"), pdf.Style{Size: pdf.Small, Muted: true})
	}
	p.Rule()
	p.Text(p.label("receipt.operator"), caption)
	for _, title := range []string{rc.Operator.Title.KK, rc.Operator.Title.RU, rc.Operator.Title.EN} {
		p.Text(title, centered)
	}
	if rc.Operator.Site != "" {
		p.Text(p.label("receipt.site")+" "+rc.Operator.Site, centered)
	}
}

// cut says that goods were left out, and where they are.
func (p *printer) cut(n int, link string) {
	if n > maxPrinted {
		p.Text(p.l.T("print.cut", "n", n-maxPrinted, "link", link), pdf.Style{Strong: true})
	}
}

func (p *printer) modifier(key, sign string, m *fiscal.Modifier) {
	if m == nil {
		return
	}
	p.Row(p.label(key), sign+p.l.Amount(m.Sum), pdf.Style{})
	p.Text(m.Name, pdf.Style{Size: pdf.Small, Inner: true, Muted: true})
}

// item is a line of goods, or what changes the price of one.
func (p *printer) item(it *line) {
	l := p.l
	if it.Kind == fiscal.ItemGoods {
		name := it.Name
		if name == "" {
			name = strconv.FormatUint(it.Code, 10)
		}
		if it.Place != 0 {
			p.Text(strconv.Itoa(it.Place)+". "+name, pdf.Style{})
		} else {
			p.Text(l.T("item.storno")+": "+name, pdf.Style{})
		}
		quantity := l.Quantity(it.Quantity)
		if unit := l.Unit(it.Unit); unit != "" {
			quantity += " " + unit
		}
		p.Row(quantity+" × "+l.Amount(it.Price), l.Amount(it.Signed), pdf.Style{Inner: true})
	} else {
		what := l.T("item." + it.Kind.String())
		if it.Storno {
			what += " (" + l.T("item.storno") + ")"
		}
		if it.Name != "" {
			what += ": " + it.Name
		}
		p.Row(what, l.Amount(it.Signed), pdf.Style{Inner: true})
	}
	for _, t := range it.Taxes {
		p.Row(l.T(ui.TaxKey(t.Kind, t.Included), "kind", t.Kind, "rate", l.Percent(t.Percent)), l.Amount(t.Sum), beside)
	}
	about := func(key, value string) {
		if value != "" {
			p.Text(l.T(key)+": "+value, beside)
		}
	}
	if it.Code != 0 && it.Name != "" {
		about("item.code", strconv.FormatUint(it.Code, 10))
	}
	about("item.barcode", it.Barcode)
	about("item.ntin", it.NTIN)
	about("item.product_id", it.ProductID)
	for _, mark := range it.ExciseStamps {
		about("item.mark", mark)
	}
	about("item.paper_stamp", it.PaperStamp)
}
