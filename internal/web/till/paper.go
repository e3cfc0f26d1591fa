package till

import (
	"net/http"
	"strconv"
	"strings"

	"openofd/internal/fiscal"
	"openofd/internal/till"
	"openofd/internal/web/pdf"
	"openofd/internal/web/ui"
)

func (h *Handler) paperRoutes() {
	h.open(unlocked, "GET /document/{id}/print", h.printPage)
	h.open(unlocked, "GET /document/{id}/pdf", h.documentPDF)
	h.open(unlocked, "POST /document/{id}/printer", h.printer)
}

// narrow is the width of the smaller roll, in millimeters.
const narrow = 58

// slipAt is the document that a path names, as paper shows it.
func (h *Handler) slipAt(r *http.Request, g *guest) (slip, error) {
	id, err := idOf(r, "id")
	if err != nil {
		return slip{}, &fiscal.Error{Reason: fiscal.NothingThere, Field: "document"}
	}
	d, at, again, err := h.till.Show(r.Context(), g.Seat, id)
	if err != nil {
		return slip{}, err
	}
	s, err := h.slipOf(&d, &at)
	s.Copy = again
	return s, err
}

// paperOf is the width that is asked for, else the register's.
func paperOf(r *http.Request, s *slip) int {
	switch r.URL.Query().Get("paper") {
	case "80":
		return 80
	case "58":
		return narrow
	}
	return s.Register.Settings.Paper
}

// printed is a document for the browser's own printing.
type printed struct {
	slip
	Paper int
}

// printPage serves GET /document/{id}/print?paper=80.
func (h *Handler) printPage(w http.ResponseWriter, r *http.Request, g *guest) {
	s, err := h.slipAt(r, g)
	if err != nil {
		h.fail(w, r, g, err)
		return
	}
	h.show(w, r, g, http.StatusOK, "print.html", page{Page: ui.Page{Title: titleOf(g.locale, s.Document)}, Back: "/document/" + r.PathValue("id"), Scripts: []string{"till/share.js"}}, &printed{s, paperOf(r, &s)})
}

// documentPDF serves GET /document/{id}/pdf?paper=80.
func (h *Handler) documentPDF(w http.ResponseWriter, r *http.Request, g *guest) {
	s, err := h.slipAt(r, g)
	var b []byte
	if err == nil {
		on := pdf.Roll
		if paperOf(r, &s) == narrow {
			on = pdf.Narrow
		}
		b, err = h.sheet(g.locale, &s).Bytes(on)
	}
	if err != nil {
		h.fail(w, r, g, err)
		return
	}
	pdf.Give(w, "document-"+r.PathValue("id"), b)
}

// printer prints on the receipt printer of the register's settings.
func (h *Handler) printer(w http.ResponseWriter, r *http.Request, g *guest) {
	s, err := h.slipAt(r, g)
	if err == nil {
		dots := pdf.Dots80
		if paperOf(r, &s) == narrow {
			dots = pdf.Dots58
		}
		img, wrong := h.sheet(g.locale, &s).Raster(dots)
		if err = wrong; err == nil {
			err = h.till.Print(r.Context(), s.Register, img, s.Move != nil || s.Receipt != nil && s.Receipt.CashPart() != 0)
		}
	}
	if err != nil {
		h.fail(w, r, g, err)
		return
	}
	http.Redirect(w, r, "/document/"+r.PathValue("id"), http.StatusSeeOther)
}

// The looks of lines.
var (
	centered = pdf.Style{Center: true}
	heading  = pdf.Style{Center: true, Strong: true}
	strong   = pdf.Style{Strong: true}
	large    = pdf.Style{Strong: true, Size: pdf.Large}
	inner    = pdf.Style{Inner: true}
	small    = pdf.Style{Inner: true, Size: pdf.Small}
)

// writer writes a slip as lines, in the reader's language and the official ones.
type writer struct {
	*pdf.Sheet
	l   *ui.Locale
	all ui.Locales
}

func (p *writer) label(key string, args ...any) string {
	return p.all.Label(p.l, key, args...)
}

func (p *writer) texts(t fiscal.Text, st pdf.Style) {
	for _, one := range p.l.Texts(t) {
		p.Text(one.Text, st)
	}
}

func (p *writer) row(key, value string, st pdf.Style) {
	if value != "" {
		p.Row(p.label(key), value, st)
	}
}

// sheet writes a document.
//
// Sources: order 636 items 15 and 49, KKM reference §12.
func (h *Handler) sheet(l *ui.Locale, s *slip) *pdf.Sheet {
	p := &writer{&pdf.Sheet{Lang: l.Lang, Title: titleOf(l, s.Document), At: s.Document.Made.UTC()}, l, h.render.Locales}
	card := &s.Register.Card
	if s.Copy {
		p.Text(p.label("till.slip.copy"), heading)
	}
	p.texts(card.Title, heading)
	p.Text(p.label("receipt.xin")+" "+string(card.XIN), centered)
	if c := s.Certificate(); c != "" {
		p.Text(p.label("receipt.vat_certificate")+" "+c, centered)
	}
	p.texts(card.OutletTitle, centered)
	p.texts(card.OutletAddress, centered)
	p.Rule()
	switch {
	case s.Receipt != nil:
		p.receipt(s)
	case s.Report != nil:
		p.report(s)
	case s.Move != nil:
		p.Text(p.label("did."+s.Op), heading)
		p.head(s, "till.slip.number", s.Move.Time)
		p.row("till.move.sum", l.Money(s.Move.Sum), large)
	}
	p.Rule()
	p.row("receipt.serial", card.SerialNumber, pdf.Style{})
	p.row("receipt.registration", ui.Digits(card.RegistrationNumber), pdf.Style{})
	p.Text(p.label("receipt.operator"), centered)
	p.texts(s.Operator.Title, centered)
	if s.Receipt != nil && s.Site != "" {
		p.Text(p.label("receipt.site")+" "+s.Site, centered)
	}
	if s.Document.QR != "" {
		p.QR(s.Document.QR)
	}
	return p.Sheet
}

// head is what every document has: its number, shift, cashier and time.
func (p *writer) head(s *slip, number string, at fiscal.WallTime) {
	d := s.Document
	if d.Number != 0 {
		p.row(number, strconv.FormatUint(d.Number, 10), pdf.Style{})
	}
	p.row("receipt.shift", strconv.FormatUint(uint64(d.Shift), 10), pdf.Style{})
	who := d.Cashier.Name
	if who == "" {
		who = strconv.FormatUint(uint64(d.Cashier.Code), 10)
	}
	p.row("receipt.cashier", who, pdf.Style{})
	p.row("receipt.time", p.l.Time(at), pdf.Style{})
	p.Rule()
}

func (p *writer) receipt(s *slip) {
	r, d, l := s.Receipt, s.Document, p.l
	p.Text(p.label("receipt.fiscal"), centered)
	p.Text(p.label("op."+r.Op.String()), heading)
	if d.Fate == till.Autonomous || d.Fate == till.Delivered || d.Fate == till.Removed {
		p.Text(p.label("receipt.offline"), heading)
	}
	p.head(s, "receipt.number", r.Time)
	for i := range r.Items {
		p.item(&r.Items[i])
	}
	p.Rule()
	if r.Discount != nil {
		p.row("item.discount", "\u2212"+l.Amount(r.Discount.Sum), pdf.Style{})
	}
	if r.Markup != nil {
		p.row("item.markup", l.Amount(r.Markup.Sum), pdf.Style{})
	}
	p.row("receipt.total", l.Money(r.Total), large)
	for _, t := range s.Taxes() {
		p.Row(p.label(ui.TaxKey(t.Kind, t.Included), "kind", t.Kind, "rate", l.Percent(t.Percent)), l.Money(t.Sum), pdf.Style{})
	}
	for _, pay := range r.Payments {
		p.row("pay."+pay.Kind.String(), l.Money(pay.Sum), strong)
	}
	if r.Taken != 0 {
		p.row("receipt.taken", l.Money(r.Taken), pdf.Style{})
		p.row("receipt.change", l.Money(r.ChangeDue), pdf.Style{})
	}
	p.row("receipt.buyer", string(r.Buyer.XIN), pdf.Style{})
	if r.Parent != nil {
		p.row("receipt.parent", strings.TrimSpace(ui.Digits(r.Parent.FiscalSign)+" "+l.Time(r.Parent.Time)), pdf.Style{})
	}
	p.Rule()
	if d.OfflineCode != 0 {
		p.row("receipt.offline_code", ui.Digits(strconv.FormatUint(uint64(d.OfflineCode), 10)), strong)
	}
	p.row("receipt.sign", ui.Digits(d.FiscalSign), strong)
}

func (p *writer) item(it *fiscal.Item) {
	l := p.l
	if it.Kind != fiscal.ItemGoods {
		sign := ""
		if it.Kind == fiscal.ItemDiscount {
			sign = "\u2212"
		}
		p.row("item."+it.Kind.String(), sign+l.Amount(it.Cost), inner)
		return
	}
	p.Text(it.Name, strong)
	quantity := l.Quantity(it.Quantity)
	if unit := l.Unit(it.Unit); unit != "" {
		quantity += " " + unit
	}
	p.Row(quantity+" × "+l.Amount(it.Price), l.Amount(it.Cost), inner)
	for _, t := range it.Taxes {
		p.Row(l.T(ui.TaxKey(t.Kind, t.Included), "kind", t.Kind, "rate", l.Percent(t.Percent)), l.Amount(t.Sum), small)
	}
	for _, mark := range it.ExciseStamps {
		p.Text(l.T("item.mark")+": "+mark, small)
	}
}

func (p *writer) report(s *slip) {
	l, c := p.l, &s.Report.Counters
	p.Text(p.label("report."+s.Report.Kind.String()), heading)
	if s.Document.Kind == till.KindX {
		p.Text(p.label("till.slip.no_document"), centered)
	}
	p.row("till.shift.opened", l.Time(s.Report.Shift.OpenedAt), pdf.Style{})
	p.head(s, "till.slip.number", s.Document.Made)
	for _, r := range s.Rows() {
		p.Row(p.label("did."+r.Op)+" · "+strconv.FormatInt(r.Count, 10), l.Money(r.Sum), strong)
		for _, pay := range r.Payments {
			p.row("pay."+pay.Kind.String(), l.Money(pay.Sum), inner)
		}
		for _, more := range []struct {
			key string
			sum fiscal.Money
		}{{"item.discount", r.Discount}, {"item.markup", r.Markup}, {"receipt.change", r.Change}} {
			if more.sum != 0 {
				p.row(more.key, l.Money(more.sum), inner)
			}
		}
	}
	p.Rule()
	p.row("till.shift.revenue", l.Money(c.Revenue), large)
	p.row("report.cash", l.Money(c.Cash), strong)
	p.Rule()
	p.Text(p.label("report.grand"), strong)
	for _, g := range s.Grand() {
		p.row("did."+g.Op, l.Amount(g.From)+" – "+l.Amount(g.To), inner)
	}
}
