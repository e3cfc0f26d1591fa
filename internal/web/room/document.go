package room

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"openofd/internal/access"
	"openofd/internal/cabinet"
	"openofd/internal/fiscal"
	"openofd/internal/web/ui"
)

// documentPage is one document: a receipt as on paper, a report, cash that moved,
// or what else a register told.
type documentPage struct {
	*cabinet.Found
	Title          string
	Base           string // of the addresses of what belongs to it
	Back           string
	JSON           string
	Roll, A4       string // as PDF
	Buyer          string // the buyer's link, "" of what has none
	Receipt, Paper any
	Report         *printed
	Requisites     []ui.Requisite
	Zone           *time.Location
	Findings       []string
	Register       string
}

// opened reads the document that an address names.
func (h *Handler) opened(r *http.Request, a *visitor) (*cabinet.Found, error) {
	scope, err := h.scope(r, a, access.SeeRevenue)
	if err != nil {
		return nil, err
	}
	register, ok := number[fiscal.RegisterID](r.PathValue("register"))
	n, fine := number[fiscal.Number](strings.TrimSuffix(r.PathValue("number"), pdfEnding))
	if !ok || !fine {
		return nil, &fiscal.Error{Reason: fiscal.NothingThere, Field: "document"}
	}
	return h.cfg.Documents.Questions.Open(r.Context(), &scope, register, n)
}

func (h *Handler) document(w http.ResponseWriter, r *http.Request, a *visitor) {
	found, err := h.opened(r, a)
	if err != nil {
		h.render.Error(w, r, err)
		return
	}
	if strings.HasSuffix(r.URL.Path, pdfEnding) {
		h.documentPDF(w, r, a, found)
		return
	}
	d := &found.Document
	p := documentPage{
		Found: found, Base: a.base, Back: a.base + "/shifts", JSON: r.URL.Path + "/json", Roll: r.URL.Path + pdfEnding, A4: r.URL.Path + pdfEnding + "?paper=a4", Zone: found.Card.Location(), Register: registerName(&found.Card),
		Title: a.locale.T("doc."+d.Kind.String()) + " " + a.locale.Minute(d.DeviceTime),
	}
	for _, name := range (d.Flags & cabinet.FindingFlags).Names() {
		p.Findings = append(p.Findings, a.locale.T("finding."+name))
	}
	switch {
	case d.Receipt != nil:
		p.Back = a.base + "/receipts"
		if p.Receipt, p.Paper, err = h.cfg.Documents.Sheet(a.locale, r, found); err != nil {
			h.render.Error(w, r, err)
			return
		}
		p.Buyer = found.Link(siteOf(r))
	case d.Report != nil:
		p.Back, p.Report = a.base+"/reports", newPrinted(a.locale, d.Report, &found.Card)
	default:
		p.Requisites = a.locale.Requisites(d.Extra, d.DeviceTime)
	}
	h.page(w, r, a, http.StatusOK, "document.html", p.Back, "doc."+d.Kind.String(), p)
}

// siteOf is where the reader found us, for a link that they hand on.
func siteOf(r *http.Request) string {
	if r.TLS != nil {
		return "https://" + r.Host
	}
	return "http://" + r.Host
}

// documentJSON gives a document to programs, as it was read.
func (h *Handler) documentJSON(w http.ResponseWriter, r *http.Request, a *visitor) {
	found, err := h.opened(r, a)
	if err != nil {
		h.render.Error(w, r, err)
		return
	}
	d := &found.Document
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	out := json.NewEncoder(w)
	out.SetIndent("", "  ")
	_ = out.Encode(struct { // the client is gone: nothing to tell it
		Register           fiscal.RegisterID   `json:"register"`
		RegistrationNumber string              `json:"registration_number"`
		Drive              string              `json:"drive,omitempty"`
		Number             fiscal.Number       `json:"number"`
		Kind               fiscal.DocumentKind `json:"kind"`
		Time               fiscal.WallTime     `json:"time"`
		ReceivedAt         time.Time           `json:"received_at"`
		Shift              uint32              `json:"shift,omitempty"`
		FiscalSign         string              `json:"fiscal_sign"`
		DeviceNumber       uint64              `json:"device_number,omitempty"`
		Flags              []string            `json:"flags"`
		Canceled           bool                `json:"canceled"`
		fiscal.Document
	}{d.Register, found.Card.RegistrationNumber, d.Drive, d.Number, d.Kind, d.DeviceTime, d.ReceivedAt, d.Shift, found.FiscalSign(), d.DeviceNumber, d.Flags.Names(), found.Canceled != nil, *d})
}

// printed is an X or Z report as registers print it.
type printed struct {
	fiscal.Report
	Card  *fiscal.Card
	Ops   []printedOp
	Taxes []printedTax
}

type printedOp struct {
	Key        string
	Count, Sum string
	Ways       []printedWay
	Discount   fiscal.Money
	Markup     fiscal.Money
	Grand      fiscal.Money
}

type printedWay struct {
	Key string
	Sum fiscal.Money
}

type printedTax struct {
	Percent       uint32
	Key           string
	Turnover, Tax fiscal.Money
}

func newPrinted(l *ui.Locale, r *fiscal.Report, card *fiscal.Card) *printed {
	p := &printed{Report: *r, Card: card}
	for op := fiscal.OpSale; op.Settlement(); op++ {
		i, t := op.Index(), &r.Counters.Receipts[op.Index()]
		one := printedOp{
			Key: "did." + op.String(), Count: l.Quantity(fiscal.Quantity(t.Count) * fiscal.OneUnit), Sum: l.Amount(t.Sum),
			Discount: t.Discount, Markup: t.Markup, Grand: r.Counters.GrandTotals[i],
		}
		for _, way := range fiscal.Ways() {
			if n := way.Index(); n >= 0 && t.Payments[n].Sum != 0 {
				one.Ways = append(one.Ways, printedWay{"pay." + way.String(), t.Payments[n].Sum})
			}
		}
		p.Ops = append(p.Ops, one)
		for _, tax := range r.Counters.Taxes {
			if x := tax.Ops[i]; x.Turnover != 0 {
				p.Taxes = append(p.Taxes, printedTax{tax.Percent, one.Key, x.Turnover, x.Tax})
			}
		}
	}
	return p
}

// shiftPage is one shift.
type shiftPage struct {
	cabinet.Shift
	Base     string
	Register string
	Outlet   string
	Card     fiscal.Card
	Ops      []printedOp
	Report   *printed // of its closing
	ReportAt string   // its address
	PDF      string
	Receipts string
	AsOf     string
}

func (h *Handler) shift(w http.ResponseWriter, r *http.Request, a *visitor) {
	scope, err := h.scope(r, a, access.SeeRevenue)
	if err != nil {
		h.render.Error(w, r, err)
		return
	}
	register, ok := number[fiscal.RegisterID](r.PathValue("register"))
	n, fine := number[uint32](r.PathValue("shift"))
	nothing := &fiscal.Error{Reason: fiscal.NothingThere, Field: "shift"}
	if !ok || !fine {
		h.render.Error(w, r, nothing)
		return
	}
	q := h.cfg.Documents.Questions
	all, _, err := q.Shifts(r.Context(), &scope, &cabinet.Filter{Register: register, Shift: n}, nil, 1)
	if err == nil && len(all) == 0 {
		err = nothing
	}
	if err != nil {
		h.render.Error(w, r, err)
		return
	}
	p := shiftPage{Shift: all[0], Base: a.base, Receipts: a.base + fmt.Sprintf("/receipts?register=%d&shift=%d", register, n), AsOf: h.asOf(r.Context(), a)}
	if p.Card, err = q.Card(r.Context(), &scope, register, p.CardVersion); err != nil {
		h.render.Error(w, r, err)
		return
	}
	p.Register, p.Outlet = registerName(&p.Card), strings.TrimSpace(p.Card.OutletTitle.In(a.locale.Lang))
	for op := fiscal.OpSale; op.Settlement(); op++ {
		p.Ops = append(p.Ops, printedOp{Key: "did." + op.String(), Count: a.locale.Quantity(fiscal.Quantity(p.Counts[op.Index()]) * fiscal.OneUnit), Sum: a.locale.Amount(p.Sums[op.Index()])})
	}
	if p.Z != 0 {
		found, err := q.Open(r.Context(), &scope, register, p.Z)
		if err != nil {
			h.render.Error(w, r, err)
			return
		}
		p.ReportAt = a.base + fmt.Sprintf("/documents/%d/%d", register, p.Z)
		p.PDF = p.ReportAt + pdfEnding
		if found.Document.Report != nil {
			p.Report = newPrinted(a.locale, found.Document.Report, &found.Card)
		}
	}
	h.page(w, r, a, http.StatusOK, "shift.html", "/shifts", "room.shift", &p)
}
