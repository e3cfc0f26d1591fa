package api

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"time"

	"openofd/internal/access"
	"openofd/internal/cabinet"
	"openofd/internal/fiscal"
)

// DocumentRow is a document as lists have it.
type DocumentRow struct {
	Register    int64     `json:"register"`
	Number      uint64    `json:"number" doc:"Of the entry within its register, by which the document is read."`
	Kind        string    `json:"kind" doc:"receipt, cash_move, shift_close, report and others."`
	Operation   string    `json:"operation,omitempty" doc:"sale, sale_return, purchase, purchase_return, cash_in, cash_out."`
	Time        string    `json:"time" doc:"Wall time of the register, without a zone." example:"2026-03-14T09:12:41"`
	ReceivedAt  time.Time `json:"received_at" doc:"When the operator received it, UTC."`
	Shift       uint32    `json:"shift,omitempty"`
	Printed     string    `json:"printed,omitempty" doc:"The number on its paper, where that is another one."`
	FiscalSign  string    `json:"fiscal_sign,omitempty" doc:"In digits."`
	Total       string    `json:"total,omitempty" doc:"To who may see sums."`
	Cash        string    `json:"cash,omitempty"`
	Cashless    string    `json:"cashless,omitempty"`
	OtherPaid   string    `json:"other_paid,omitempty"`
	Cashier     string    `json:"cashier,omitempty"`
	Offline     bool      `json:"offline" doc:"Made without a link."`
	Canceled    bool      `json:"canceled" doc:"Taken back by its register."`
	Findings    []string  `json:"findings" nullable:"false" doc:"Stable names of what somebody should look at."`
	Outlet      int64     `json:"outlet,omitempty" doc:"Where the register stood then."`
	CardVersion uint32    `json:"card_version" doc:"Of the register's card then."`
}

// Totals are sums of documents. What was canceled is in none of them.
type Totals struct {
	Sales           Counted `json:"sales"`
	SaleReturns     Counted `json:"sale_returns"`
	Purchases       Counted `json:"purchases"`
	PurchaseReturns Counted `json:"purchase_returns"`
	Revenue         string  `json:"revenue" doc:"Sales less their returns."`
	Cash            string  `json:"cash" doc:"Of receipts; out of the drawer is negative."`
	Cashless        string  `json:"cashless"`
	OtherPaid       string  `json:"other_paid"`
	CashIn          string  `json:"cash_in" doc:"Put into the drawer beside receipts."`
	CashOut         string  `json:"cash_out"`
	Documents       int64   `json:"documents" doc:"Receipts and cash moves, canceled ones too."`
	Offline         int64   `json:"offline" doc:"Of these, made without a link."`
}

// Counted is how many there are and what they come to.
type Counted struct {
	Count int64  `json:"count"`
	Sum   string `json:"sum"`
}

// ShiftRow is a shift.
type ShiftRow struct {
	Register    int64  `json:"register"`
	Number      uint32 `json:"number"`
	Opened      string `json:"opened" doc:"Wall time of its first document."`
	Last        string `json:"last" doc:"Of its last document."`
	Closed      string `json:"closed,omitempty" doc:"Left out: it is open, as far as we know."`
	Report      uint64 `json:"report,omitempty" doc:"Number of the document that closed it."`
	Outlet      int64  `json:"outlet,omitempty"`
	CardVersion uint32 `json:"card_version"`
	Totals      Totals `json:"totals"`
}

// AwayRow is a period in which a register worked without a link.
type AwayRow struct {
	Register  int64  `json:"register"`
	From      string `json:"from" doc:"Wall time of its first document."`
	Until     string `json:"until"`
	Documents int64  `json:"documents"`
	First     uint64 `json:"first" doc:"Number of its first document."`
	Last      uint64 `json:"last"`
	Outlet    int64  `json:"outlet,omitempty"`
}

func newRow(d *cabinet.Document, sums bool) DocumentRow {
	out := DocumentRow{
		Register: int64(d.Register), Number: uint64(d.Number), Kind: d.Kind.String(), Time: wall(d.Time), ReceivedAt: d.ReceivedAt, Shift: d.Shift, Printed: d.Printed,
		Offline: d.Offline(), Canceled: d.Canceled, Findings: d.Findings().Names(), Outlet: int64(d.Outlet), CardVersion: d.CardVersion,
	}
	if d.Op != fiscal.OpNone {
		out.Operation = d.Op.String()
	}
	if out.Findings == nil {
		out.Findings = []string{}
	}
	if !sums {
		return out
	}
	out.Cashier, out.Total, out.Cash, out.Cashless, out.OtherPaid = d.Cashier, d.Total.String(), d.Cash.String(), d.Cashless.String(), d.OtherPaid.String()
	if d.FiscalSign != 0 {
		out.FiscalSign = strconv.FormatUint(d.FiscalSign, 10)
	}
	return out
}

func newTotals(t *cabinet.Tally) Totals {
	op := func(i int) Counted { return Counted{t.Counts[i], t.Sums[i].String()} }
	return Totals{op(0), op(1), op(2), op(3), t.Revenue().String(), t.Cash.String(), t.Cashless.String(), t.OtherPaid.String(), t.CashIn.String(), t.CashOut.String(), t.Documents, t.Offline}
}

func newShift(s *cabinet.Shift) ShiftRow {
	return ShiftRow{Register: int64(s.Register), Number: s.Number, Opened: wall(s.Opened), Last: wall(s.Last), Closed: wall(s.Closed), Report: uint64(s.Z),
		Outlet: int64(s.Outlet), CardVersion: s.CardVersion, Totals: newTotals(&s.Tally)}
}

// Where are the filters that every list of documents has.
type Where struct {
	From     string `query:"from" doc:"Day of the registers' clocks, the first that is included." example:"2026-03-01"`
	Until    string `query:"until" doc:"The last day that is included." example:"2026-03-31"`
	Outlet   int64  `query:"outlet" minimum:"0" doc:"Made there."`
	Register int64  `query:"register" minimum:"0" doc:"Made by it."`
	Paging
}

// Amounts are the filters of lists that show sums.
type Amounts struct {
	Least   string `query:"min" maxLength:"32" doc:"Least total." example:"1000.00"`
	Most    string `query:"max" maxLength:"32" doc:"Greatest total."`
	Cashier string `query:"cashier" maxLength:"200" doc:"Name, else code."`
}

type receiptsIn struct {
	Where
	Amounts
	Any   string `query:"q" maxLength:"2000" doc:"Whatever a person holds: a number, a sign, a sum, the text of a QR code."`
	Shift uint32 `query:"shift" doc:"Of the register."`
	Op    string `query:"op" enum:"sale,sale_return,purchase,purchase_return" doc:"Operation."`
	Code  string `query:"code" pattern:"^[0-9]{1,20}$" doc:"A fiscal sign or a number on paper, in digits."`
	Goods string `query:"goods" maxLength:"200" doc:"Words, each the beginning of one in the name of what was sold."`
	Mark  string `query:"mark" enum:"offline,canceled,findings" doc:"Made without a link, taken back, or with findings."`
}

type movesIn struct {
	Where
	Amounts
}

type shiftsIn struct {
	Where
	Shift uint32 `query:"shift" doc:"Its number."`
}

// filter reads what is asked; BadValue with the Field.
func (in *Where) filter() (f cabinet.Filter, before *cabinet.Place, err error) {
	f.Outlet, f.Register = fiscal.OutletID(in.Outlet), fiscal.RegisterID(in.Register)
	if f.From, err = day("from", in.From); err != nil {
		return f, nil, err
	}
	if f.Until, err = day("until", in.Until); err != nil {
		return f, nil, err
	}
	if f.Until != 0 {
		f.Until = f.Until.Add(24 * time.Hour)
	}
	if in.After != "" {
		at, ok := cabinet.ParsePlace(in.After)
		if !ok {
			return f, nil, &fiscal.Error{Reason: fiscal.BadValue, Field: "after"}
		}
		before = &at
	}
	return f, before, nil
}

func (in *Amounts) filter(f *cabinet.Filter) (err error) {
	f.Cashier = in.Cashier
	for _, one := range []struct {
		field, value string
		to           **fiscal.Money
	}{{"min", in.Least, &f.Least}, {"max", in.Most, &f.Most}} {
		if one.value == "" {
			continue
		}
		m, err := fiscal.ParseMoney(one.value)
		if err != nil {
			return &fiscal.Error{Reason: fiscal.BadValue, Field: one.field}
		}
		*one.to = &m
	}
	return nil
}

// day reads a day; "" is 0.
func day(field, s string) (fiscal.WallTime, error) {
	if s == "" {
		return 0, nil
	}
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		return 0, &fiscal.Error{Reason: fiscal.BadValue, Field: field}
	}
	return fiscal.WallTime(t.Unix()), nil
}

// pageOf words a page and where the next begins.
func pageOf[T, R any](all []T, more bool, word func(*T) R, at func(*T) cabinet.Place) *listOf[R] {
	var items []R
	for i := range all {
		items = append(items, word(&all[i]))
	}
	next := ""
	if more && len(all) > 0 {
		next = at(&all[len(all)-1]).String()
	}
	return newList(items, next)
}

// documents answers with documents that a filter lets through.
func (h *Handler) documents(ctx context.Context, c *caller, right access.Right, f *cabinet.Filter, before *cabinet.Place, limit int) (*listOf[DocumentRow], error) {
	scope, err := cabinet.ScopeOf(c.Actor, right)
	if err != nil {
		return nil, err
	}
	found, err := h.cfg.Questions.Search(ctx, &scope, f, before, limit)
	if err != nil {
		return nil, err
	}
	page := pageOf(found.Documents, found.More, func(d *cabinet.Document) DocumentRow { return newRow(d, right == access.SeeRevenue) }, (*cabinet.Document).Place)
	if found.Cut != nil { // the program goes on looking from there
		page.Body.Next = found.Cut.String()
	}
	return page, nil
}

// list describes a list of documents.
func list(name string, right access.Right) operation {
	return operation{id: name, method: http.MethodGet, path: "/" + name, tag: "documents", rights: right, doc: "The newest first."}
}

func (h *Handler) registerLists() {
	route(h, list("receipts", access.SeeRevenue), func(ctx context.Context, c *caller, in *receiptsIn) (*listOf[DocumentRow], error) {
		f, before, err := in.receipts()
		if err != nil {
			return nil, err
		}
		return h.documents(ctx, c, access.SeeRevenue, &f, before, in.Limit)
	})
	route(h, list("reports", access.SeeRevenue), func(ctx context.Context, c *caller, in *Where) (*listOf[DocumentRow], error) {
		f, before, err := in.filter()
		if err != nil {
			return nil, err
		}
		f.Kinds = []fiscal.DocumentKind{fiscal.DocShiftClose, fiscal.DocReport}
		return h.documents(ctx, c, access.SeeRevenue, &f, before, in.Limit)
	})
	route(h, list("moves", access.SeeRevenue), func(ctx context.Context, c *caller, in *movesIn) (*listOf[DocumentRow], error) {
		f, before, err := in.Where.filter()
		if err == nil {
			err = in.Amounts.filter(&f)
		}
		if err != nil {
			return nil, err
		}
		f.Kinds = []fiscal.DocumentKind{fiscal.DocCashMove}
		return h.documents(ctx, c, access.SeeRevenue, &f, before, in.Limit)
	})
	route(h, list("findings", access.SeeStatus), func(ctx context.Context, c *caller, in *Where) (*listOf[DocumentRow], error) {
		f, before, err := in.filter()
		if err != nil {
			return nil, err
		}
		f.Findings = true
		return h.documents(ctx, c, access.SeeStatus, &f, before, in.Limit)
	})
	route(h, list("shifts", access.SeeRevenue), func(ctx context.Context, c *caller, in *shiftsIn) (*listOf[ShiftRow], error) {
		f, before, err := in.filter()
		if err != nil {
			return nil, err
		}
		f.Shift = in.Shift
		scope, err := cabinet.ScopeOf(c.Actor, access.SeeRevenue)
		if err != nil {
			return nil, err
		}
		all, more, err := h.cfg.Questions.Shifts(ctx, &scope, &f, before, in.Limit)
		if err != nil {
			return nil, err
		}
		return pageOf(all, more, newShift, (*cabinet.Shift).Place), nil
	})
	route(h, list("offline", access.SeeStatus), func(ctx context.Context, c *caller, in *Where) (*listOf[AwayRow], error) {
		f, before, err := in.filter()
		if err != nil {
			return nil, err
		}
		scope, err := cabinet.ScopeOf(c.Actor, access.SeeStatus)
		if err != nil {
			return nil, err
		}
		all, more, err := h.cfg.Questions.Aways(ctx, &scope, &f, before, in.Limit)
		if err != nil {
			return nil, err
		}
		return pageOf(all, more, func(a *cabinet.Away) AwayRow {
			return AwayRow{int64(a.Register), wall(a.From), wall(a.Until), a.Documents, uint64(a.First), uint64(a.Last), int64(a.Outlet)}
		}, (*cabinet.Away).Place), nil
	})
	h.registerExports()
}

// receipts reads all that is asked of receipts.
func (in *receiptsIn) receipts() (cabinet.Filter, *cabinet.Place, error) {
	f, before, err := in.Where.filter()
	if err == nil {
		err = in.Amounts.filter(&f)
	}
	f.Kinds = []fiscal.DocumentKind{fiscal.DocReceipt}
	f.Any, f.Shift, f.Code, f.Goods = strings.TrimSpace(in.Any), in.Shift, in.Code, in.Goods
	f.Offline, f.Canceled, f.Findings = in.Mark == "offline", in.Mark == "canceled", in.Mark == "findings"
	for op := fiscal.OpSale; op.Settlement(); op++ {
		if op.String() == in.Op {
			f.Op = op
		}
	}
	return f, before, err
}
