package api

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"openofd/internal/access"
	"openofd/internal/cabinet"
	"openofd/internal/fiscal"
)

// Document is one document of a register.
type Document struct {
	Register           int64       `json:"register"`
	RegistrationNumber string      `json:"registration_number"`
	FiscalDrive        string      `json:"fiscal_drive,omitempty"`
	Number             uint64      `json:"number"`
	Kind               string      `json:"kind"`
	Time               string      `json:"time" doc:"Wall time of the register."`
	ReceivedAt         time.Time   `json:"received_at"`
	Shift              uint32      `json:"shift,omitempty"`
	FiscalSign         string      `json:"fiscal_sign"`
	DeviceNumber       uint64      `json:"device_number,omitempty" doc:"The device's own number of it."`
	Offline            bool        `json:"offline"`
	Canceled           bool        `json:"canceled"`
	Findings           []string    `json:"findings" nullable:"false"`
	Link               string      `json:"link,omitempty" doc:"Of a receipt: the address of the check, for its buyer."`
	Receipt            *Receipt    `json:"receipt,omitempty" doc:"Of a receipt."`
	Move               *Move       `json:"move,omitempty" doc:"Of cash that was put in or taken out."`
	Report             *Report     `json:"report,omitempty" doc:"Of an X or a Z report."`
	Requisites         []Requisite `json:"requisites,omitempty" nullable:"false" doc:"Of any other document."`
}

// Move is cash that was put in or taken out.
type Move struct {
	Operation string  `json:"operation" enum:"cash_in,cash_out"`
	Sum       string  `json:"sum"`
	Cashier   Cashier `json:"cashier"`
	Auto      bool    `json:"auto,omitempty" doc:"By itself, at the close of the shift."`
}

// Report is an X or Z report as registers print it.
type Report struct {
	Kind       string            `json:"kind" enum:"x,z"`
	Shift      uint32            `json:"shift"`
	OpenedAt   string            `json:"opened_at,omitempty"`
	ClosedAt   string            `json:"closed_at,omitempty"`
	Cash       string            `json:"cash" doc:"In the drawer."`
	Revenue    string            `json:"revenue"`
	Operations []ReportOperation `json:"operations" nullable:"false"`
	Taxes      []ReportTax       `json:"taxes" nullable:"false"`
}

// ReportOperation is what the receipts of one operation came to.
type ReportOperation struct {
	Operation  string    `json:"operation"`
	Count      int64     `json:"count"`
	Sum        string    `json:"sum"`
	Discount   string    `json:"discount"`
	Markup     string    `json:"markup"`
	GrandTotal string    `json:"grand_total" doc:"Never cleared."`
	Payments   []Payment `json:"payments" nullable:"false"`
}

// ReportTax is what was taxed at one rate.
type ReportTax struct {
	Operation string `json:"operation"`
	Kind      uint32 `json:"kind" doc:"100 is VAT."`
	Percent   string `json:"percent"`
	Turnover  string `json:"turnover"`
	Tax       string `json:"tax"`
}

// SumRow is what some registers came to on some days.
type SumRow struct {
	Day      string `json:"day,omitempty" doc:"With by=day." example:"2026-03-14"`
	Register int64  `json:"register,omitempty" doc:"With by=register."`
	Outlet   int64  `json:"outlet,omitempty" doc:"With by=outlet; 0: unknown."`
	Totals   Totals `json:"totals"`
}

// Sums are the rows and what they come to together.
type Sums struct {
	Items []SumRow `json:"items" nullable:"false"`
	Total Totals   `json:"total"`
}

func newReport(r *fiscal.Report) *Report {
	out := &Report{Kind: strings.ToLower(r.Kind.String()), Shift: r.Shift.Number, OpenedAt: wall(r.Shift.OpenedAt), ClosedAt: wall(r.Shift.ClosedAt),
		Cash: r.Counters.Cash.String(), Revenue: r.Counters.Revenue.String(), Operations: []ReportOperation{}, Taxes: []ReportTax{}}
	for op := fiscal.OpSale; op.Settlement(); op++ {
		i, t := op.Index(), &r.Counters.Receipts[op.Index()]
		one := ReportOperation{op.String(), t.Count, t.Sum.String(), t.Discount.String(), t.Markup.String(), r.Counters.GrandTotals[i].String(), []Payment{}}
		for _, way := range fiscal.Ways() {
			if n := way.Index(); n >= 0 && t.Payments[n].Sum != 0 {
				one.Payments = append(one.Payments, Payment{Kind: way.String(), Sum: t.Payments[n].Sum.String()})
			}
		}
		out.Operations = append(out.Operations, one)
		for _, tax := range r.Counters.Taxes {
			if x := tax.Ops[i]; x.Turnover != 0 {
				out.Taxes = append(out.Taxes, ReportTax{op.String(), tax.Kind, percent(tax.Percent), x.Turnover.String(), x.Tax.String()})
			}
		}
	}
	return out
}

func (h *Handler) newDocument(c *caller, f *cabinet.Found) Document {
	d := &f.Document
	out := Document{
		Register: int64(d.Register), RegistrationNumber: f.Card.RegistrationNumber, FiscalDrive: d.Drive, Number: uint64(d.Number), Kind: d.Kind.String(), Time: wall(d.DeviceTime),
		ReceivedAt: d.ReceivedAt, Shift: d.Shift, FiscalSign: f.FiscalSign(), DeviceNumber: d.DeviceNumber, Offline: f.Offline(), Canceled: f.Canceled != nil,
		Findings: (d.Flags & cabinet.FindingFlags).Names(),
	}
	if out.Findings == nil {
		out.Findings = []string{}
	}
	switch {
	case d.Receipt != nil:
		out.Link, out.Receipt = f.Link(h.cfg.Operator.Site), newReceipt(c.locale, f, &h.cfg.Operator)
	case d.Move != nil:
		out.Move = &Move{d.Move.Op.String(), d.Move.Sum.String(), Cashier(d.Move.Cashier), d.Move.Auto}
	case d.Report != nil:
		out.Report = newReport(d.Report)
	default:
		out.Requisites = newRequisites(c.locale, d.Extra, d.DeviceTime)
	}
	return out
}

type sumsIn struct {
	From  string `query:"from" required:"true" doc:"The first day of the registers' clocks that is included." example:"2026-03-01"`
	Until string `query:"until" doc:"The last day that is included; left out: the same. A quarter of a year at most." example:"2026-03-31"`
	By    string `query:"by" enum:"day,register,outlet" default:"day" doc:"What rows are made of."`
}

func (h *Handler) registerDocuments() {
	q := h.cfg.Questions
	type byShift struct {
		Register int64  `path:"register" minimum:"1"`
		Shift    uint32 `path:"shift" minimum:"1"`
	}
	route(h, operation{id: "shift", method: http.MethodGet, path: "/shifts/{register}/{shift}", tag: "documents", rights: access.SeeRevenue},
		func(ctx context.Context, c *caller, in *byShift) (*answer[ShiftRow], error) {
			scope, err := cabinet.ScopeOf(c.Actor, access.SeeRevenue)
			if err != nil {
				return nil, err
			}
			all, _, err := q.Shifts(ctx, &scope, &cabinet.Filter{Register: fiscal.RegisterID(in.Register), Shift: in.Shift}, nil, 1)
			if err == nil && len(all) == 0 {
				err = &fiscal.Error{Reason: fiscal.NothingThere, Field: "shift"}
			}
			if err != nil {
				return nil, err
			}
			return tagged(newShift(&all[0]))
		})
	type byNumber struct {
		Register int64 `path:"register" minimum:"1"`
		Number   int64 `path:"number" minimum:"1"`
	}
	route(h, operation{id: "document", method: http.MethodGet, path: "/documents/{register}/{number}", tag: "documents", rights: access.SeeRevenue},
		func(ctx context.Context, c *caller, in *byNumber) (*answer[Document], error) {
			scope, err := cabinet.ScopeOf(c.Actor, access.SeeRevenue)
			if err != nil {
				return nil, err
			}
			found, err := q.Open(ctx, &scope, fiscal.RegisterID(in.Register), fiscal.Number(in.Number))
			if err != nil {
				return nil, err
			}
			return tagged(h.newDocument(c, found))
		})
	route(h, operation{id: "sums", method: http.MethodGet, path: "/sums", tag: "documents", rights: access.SeeRevenue},
		func(ctx context.Context, c *caller, in *sumsIn) (*struct{ Body Sums }, error) {
			out, err := h.sums(ctx, c, in)
			return &struct{ Body Sums }{out}, err
		})
}

// sums adds days up into rows.
func (h *Handler) sums(ctx context.Context, c *caller, in *sumsIn) (Sums, error) {
	scope, err := cabinet.ScopeOf(c.Actor, access.SeeRevenue)
	if err != nil {
		return Sums{}, err
	}
	from, err := day("from", in.From)
	if err != nil {
		return Sums{}, err
	}
	until, err := day("until", in.Until)
	if err != nil {
		return Sums{}, err
	}
	if in.Until == "" {
		until = from
	}
	days, err := h.cfg.Questions.Days(ctx, &scope, from, until)
	if err != nil {
		return Sums{}, err
	}
	rows, order := map[SumRow]*cabinet.Tally{}, []SumRow{}
	var total cabinet.Tally
	for i := range days {
		d := &days[i]
		var row SumRow
		switch in.By {
		case "register":
			row.Register = int64(d.Register)
		case "outlet":
			row.Outlet = int64(d.Outlet)
		default:
			row.Day = d.Day.UTC().Format(time.DateOnly)
		}
		t, ok := rows[row]
		if !ok {
			t = &cabinet.Tally{}
			rows[row], order = t, append(order, row)
		}
		t.Add(&d.Tally)
		total.Add(&d.Tally)
	}
	slices.SortFunc(order, func(a, b SumRow) int {
		return strings.Compare(a.Day, b.Day) + int(a.Register-b.Register) + int(a.Outlet-b.Outlet) // one of them is told
	})
	for i := range order {
		order[i].Totals = newTotals(rows[order[i]])
	}
	return Sums{order, newTotals(&total)}, nil
}
