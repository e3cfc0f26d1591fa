package room

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"openofd/internal/cabinet"
	"openofd/internal/fiscal"
	"openofd/internal/registry"
	"openofd/internal/signature"
	"openofd/internal/web/pdf"
	"openofd/internal/web/ui"
)

// pdfEnding is how the address of a document on paper ends.
const pdfEnding = ".pdf"

// documentPDF gives a document on paper: a roll, or with paper=a4 a sheet.
func (h *Handler) documentPDF(w http.ResponseWriter, r *http.Request, a *visitor, found *cabinet.Found) {
	d, paper := &found.Document, pdf.ParsePaper(r.URL.Query().Get("paper"))
	var b []byte
	var err error
	if d.Receipt != nil {
		b, err = h.cfg.Documents.Print(a.locale, r, found, paper)
	} else {
		b, err = newPaper(a.locale, found).Bytes(paper)
	}
	if err != nil {
		h.render.Error(w, r, err)
		return
	}
	pdf.Give(w, fmt.Sprintf("%s-%d-%d", d.Kind, d.Register, d.Number), b)
}

// The looks of lines.
var (
	printHead   = pdf.Style{Center: true, Strong: true}
	printCenter = pdf.Style{Center: true}
	printLarge  = pdf.Style{Strong: true, Size: pdf.Large}
	printStrong = pdf.Style{Strong: true}
	printInner  = pdf.Style{Size: pdf.Small, Inner: true}
)

// newPaper writes what is no receipt: a report, cash that moved, or what else a
// register told.
func newPaper(l *ui.Locale, found *cabinet.Found) *pdf.Sheet {
	d, c := &found.Document, &found.Card
	s := &pdf.Sheet{Lang: l.Lang, At: d.DeviceTime.UTC(), Title: l.T("doc."+d.Kind.String()) + " " + strconv.FormatUint(uint64(d.Number), 10)}
	for _, t := range l.Texts(c.Title) {
		s.Text(t.Text, printHead)
	}
	s.Text(l.T("receipt.xin")+" "+string(c.XIN), printCenter)
	for _, t := range l.Texts(c.OutletAddress) {
		s.Text(t.Text, printCenter)
	}
	s.Rule()
	if d.Report != nil {
		printReport(s, l, newPrinted(l, d.Report, c))
		printEnd(s, l, found)
		return s
	}
	s.Text(l.T("doc."+d.Kind.String()), pdf.Style{Center: true, Strong: true, Size: pdf.Large})
	s.Gap()
	s.Row(l.T("column.time"), l.Time(d.DeviceTime), pdf.Style{})
	if d.Shift != 0 {
		s.Row(l.T("column.shift"), strconv.FormatUint(uint64(d.Shift), 10), pdf.Style{})
	}
	if m := d.Move; m != nil {
		s.Row(l.T("did."+m.Op.String()), money(l, c.Country, m.Sum), printLarge)
		if m.Auto {
			s.Text(l.T("document.auto"), pdf.Style{Muted: true})
		}
		if who := m.Cashier; who.Name != "" {
			s.Row(l.T("column.cashier"), who.Name, pdf.Style{})
		}
	}
	printRequisites(s, l.Requisites(d.Extra, d.DeviceTime), pdf.Style{})
	printEnd(s, l, found)
	return s
}

// money is an amount with the currency of a country.
func money(l *ui.Locale, c fiscal.Country, m fiscal.Money) string {
	if c == fiscal.Russia {
		return l.Rubles(m)
	}
	return l.Money(m)
}

// printEnd is what every document ends with: whose it is, and our sign.
func printEnd(s *pdf.Sheet, l *ui.Locale, found *cabinet.Found) {
	d, c := &found.Document, &found.Card
	s.Rule()
	row := func(key, value string) {
		if value != "" && value != "0" {
			s.Row(l.T(key), value, pdf.Style{})
		}
	}
	if c.Country == fiscal.Russia {
		row("requisite.fiscalDriveNumber", d.Drive)
		row("requisite.fiscalDocumentNumber", strconv.FormatUint(d.DeviceNumber, 10))
	}
	row("receipt.sign", ui.Digits(found.FiscalSign()))
	row("receipt.serial", c.SerialNumber)
	row("receipt.registration", ui.Digits(c.RegistrationNumber))
	row("document.received", l.Moment(d.ReceivedAt, c.Location()))
	if found.Offline() {
		s.Text(l.T("mark.offline"), pdf.Style{Muted: true})
	}
}

func printRequisites(s *pdf.Sheet, list []ui.Requisite, st pdf.Style) {
	for i := range list {
		q := &list[i]
		if len(q.Children) == 0 {
			s.Row(q.Title, q.Value, st)
			continue
		}
		s.Text(q.Title, st)
		printRequisites(s, q.Children, printInner)
	}
}

// printReport is the X or Z report of the template "printed".
// Source: KKM reference §10.
func printReport(s *pdf.Sheet, l *ui.Locale, p *printed) {
	amount := func(m fiscal.Money) string { return money(l, p.Card.Country, m) }
	s.Text(l.T("report."+p.Kind.String()), pdf.Style{Center: true, Strong: true, Size: pdf.Large})
	s.Text(l.T("shift.title", "number", p.Shift.Number), printCenter)
	s.Gap()
	s.Row(l.T("column.time"), l.Time(p.Time), pdf.Style{})
	if p.Shift.OpenedAt != 0 {
		s.Row(l.T("column.opened"), l.Time(p.Shift.OpenedAt), pdf.Style{})
	}
	if p.Shift.ClosedAt != 0 {
		s.Row(l.T("column.closed"), l.Time(p.Shift.ClosedAt), pdf.Style{})
	}
	s.Rule()
	for _, op := range p.Ops {
		s.Row(l.T(op.Key)+" × "+op.Count, op.Sum, printStrong)
		for _, way := range op.Ways {
			s.Row(l.T(way.Key), l.Amount(way.Sum), printInner)
		}
		if op.Discount != 0 {
			s.Row(l.T("item.discount"), l.Amount(op.Discount), printInner)
		}
		if op.Markup != 0 {
			s.Row(l.T("item.markup"), l.Amount(op.Markup), printInner)
		}
		s.Row(l.T("report.grand"), l.Amount(op.Grand), printInner)
	}
	if len(p.Taxes) > 0 {
		s.Rule()
	}
	for _, t := range p.Taxes {
		s.Row(l.T(t.Key)+", "+l.T("report.vat")+" "+l.Percent(t.Percent), l.Amount(t.Tax), pdf.Style{})
		s.Row(l.T("report.turnover"), l.Amount(t.Turnover), printInner)
	}
	s.Rule()
	for i, key := range []string{"did.cash_in", "did.cash_out"} {
		moved := p.Counters.Moves[i]
		s.Row(l.T(key)+" × "+l.Quantity(fiscal.Quantity(moved.Count)*fiscal.OneUnit), l.Amount(moved.Sum), pdf.Style{})
	}
	s.Row(l.T("column.revenue"), amount(p.Counters.Revenue), pdf.Style{})
	s.Row(l.T("report.cash"), amount(p.Counters.Cash), printLarge)
}

// contractPDF gives a contract for paper files, with who signed it.
func (h *Handler) contractPDF(w http.ResponseWriter, r *http.Request, a *visitor, c *registry.Contract) {
	b, err := printContract(a, c).Bytes(pdf.A4)
	if err != nil {
		h.render.Error(w, r, err)
		return
	}
	pdf.Give(w, "contract-"+strconv.FormatInt(int64(c.ID), 10), b)
}

func printContract(a *visitor, c *registry.Contract) *pdf.Sheet {
	l := a.locale
	number := c.Number
	if number == "" {
		number = strconv.FormatInt(int64(c.ID), 10)
	}
	title := l.T("contract.kind."+string(c.Kind)) + " № " + number
	s := prose(l.Lang, title, string(c.Content))
	s.At = c.At
	if len(c.Content) == 0 {
		s.Text(title, printHead)
	}
	s.Rule()
	row := func(key, value string) {
		if value != "" {
			s.Row(l.T(key), value, pdf.Style{})
		}
	}
	row("contract.at", a.when(c.At))
	row("contract.by", who(a.locale, c.By))
	printSigner(row, l, c.Owner)
	row("link.owner.method", c.Method)
	if v := c.Verdict; v != nil {
		if !v.SignedAt.IsZero() {
			row("contract.signed_at", a.when(v.SignedAt))
		}
		checked := "contract.revocation.no"
		if v.Revocation {
			checked = "contract.revocation.yes"
		}
		row("contract.revocation", l.T(checked))
	}
	return s
}

// printSigner writes who signed.
func printSigner(row func(key, value string), l *ui.Locale, o *signature.Owner) {
	if o == nil {
		return
	}
	title := o.Organization
	if title == "" {
		title = o.Name
	}
	row("link.owner.title", title)
	row("link.owner.person", o.Name)
	row("link.owner.number", string(o.Taxpayer()))
	row("link.owner.role", l.T("signature.role."+string(o.Role)))
	row("link.owner.issuer", o.Issuer)
	row("link.owner.serial", o.Serial)
}

// prose sets a text that was signed, as it stands, over the width of a sheet.
func prose(lang, title, text string) *pdf.Sheet {
	s := &pdf.Sheet{Lang: lang, Title: title, Wide: true}
	for para := range strings.SplitSeq(strings.ReplaceAll(text, "\r", ""), "\n") {
		if strings.TrimSpace(para) == "" {
			s.Gap()
			continue
		}
		s.Text(para, pdf.Style{})
	}
	return s
}
