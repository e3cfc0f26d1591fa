package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"openofd/internal/access"
	"openofd/internal/cabinet"
	"openofd/internal/cabinet/compare"
	"openofd/internal/fiscal"
	"openofd/internal/web/sheet"
	"openofd/internal/web/ui"
)

// comparePath is where books are compared.
const comparePath = "/compare"

// maxCompared bounds the body of a comparison, in bytes, and maxFindings what an
// answer lists.
const (
	maxCompared = 8 << 20
	maxFindings = 5_000
)

// BookRow is what a seller's books say of one receipt or, by totals, of some.
type BookRow struct {
	Register  string `json:"register,omitempty" maxLength:"128" doc:"Its number, registration or serial number, or name. Left out: any."`
	Outlet    string `json:"outlet,omitempty" maxLength:"128" doc:"Its title. Left out: any."`
	Time      string `json:"time,omitempty" maxLength:"64" doc:"On the register's clock: a day, a minute or a second." example:"2026-03-14T12:05:30"`
	Operation string `json:"operation,omitempty" maxLength:"32" doc:"sale, sale_return, purchase or purchase_return. Left out: a sale, with a negative total its return; by totals sales less their returns."`
	Sign      string `json:"fiscal_sign,omitempty" maxLength:"32" doc:"In digits: the sign, or the autonomous code."`
	Number    string `json:"number,omitempty" maxLength:"32" doc:"On the paper, in digits."`
	Total     string `json:"total,omitempty" maxLength:"32"`
	Cash      string `json:"cash,omitempty" maxLength:"32"`
	Cashless  string `json:"cashless,omitempty" maxLength:"32"`
	Other     string `json:"other,omitempty" maxLength:"32"`
	Tax       string `json:"tax,omitempty" maxLength:"32" doc:"All taxes together; by receipts alone."`
	Cashier   string `json:"cashier,omitempty" maxLength:"64"`
}

// Books are what is held against the registers.
type Books struct {
	Mode      string    `json:"mode,omitempty" enum:"receipts,totals" default:"receipts" doc:"What a row is: a receipt, or the total of a place, a day and an operation."`
	From      string    `json:"from,omitempty" maxLength:"10" doc:"The first day; left out: that of the rows." example:"2026-03-01"`
	Until     string    `json:"until,omitempty" maxLength:"10" doc:"The last day; a quarter of a year at most." example:"2026-03-31"`
	Tolerance int       `json:"tolerance_minutes,omitempty" minimum:"0" maximum:"1440" doc:"How far apart the clocks may be; 0: ten minutes."`
	Outlet    int64     `json:"outlet,omitempty" minimum:"0" doc:"Receipts of this one alone."`
	Whole     bool      `json:"whole,omitempty" doc:"The rows are of all registers, also of those that they do not name."`
	Equal     bool      `json:"equal,omitempty" doc:"List what is equal too."`
	Rows      []BookRow `json:"rows" nullable:"false" minItems:"1" maxItems:"20000"`
}

// BookSums are what both sides say a verdict comes to. Money that went out is
// negative.
type BookSums struct {
	Count    int    `json:"count"`
	Books    string `json:"books"`
	Register string `json:"register"`
}

// BookFigures are those sums by verdict.
type BookFigures struct {
	Equal     BookSums `json:"equal"`
	Missing   BookSums `json:"missing" doc:"In the books, not in the register."`
	Extra     BookSums `json:"extra" doc:"In the register, not in the books."`
	Different BookSums `json:"different"`
}

// BookDay is what a day comes to.
type BookDay struct {
	Day     string      `json:"day" example:"2026-03-14"`
	Figures BookFigures `json:"figures"`
}

// BookFinding is a row, a receipt, or both.
type BookFinding struct {
	Verdict   string           `json:"verdict" enum:"equal,missing,extra,different"`
	By        string           `json:"by,omitempty" enum:"sign,number,time,place" doc:"By what the two were found to be the same."`
	Twice     bool             `json:"twice,omitempty" doc:"The books have this receipt twice."`
	Row       int              `json:"row,omitempty" doc:"From 1; by totals the first of those that were added up."`
	Register  int64            `json:"register,omitempty"`
	Document  uint64           `json:"document,omitempty" doc:"By which the document is read: /documents/{register}/{number}."`
	Outlet    int64            `json:"outlet,omitempty"`
	Time      string           `json:"time,omitempty"`
	Operation string           `json:"operation,omitempty"`
	Books     string           `json:"books,omitempty" doc:"Total in the books."`
	Ours      string           `json:"in_register,omitempty" doc:"Total in the register."`
	Differs   []BookDifference `json:"differs,omitempty" nullable:"false"`
}

// BookDifference is a column in which both sides have different words.
type BookDifference struct {
	Column   string `json:"column" enum:"total,cash,cashless,other,tax,time,cashier,operation,register,sign,canceled" doc:"canceled: the register took the receipt back."`
	Books    string `json:"books,omitempty"`
	Register string `json:"register,omitempty"`
}

// BadRow is a row that could not be read; the others were compared.
type BadRow struct {
	Row   int    `json:"row" doc:"From 1."`
	Field string `json:"field"`
	Title string `json:"title" doc:"What to do, in the language asked for."`
}

// BooksCompared is what came of a comparison.
type BooksCompared struct {
	From     string        `json:"from"`
	Until    string        `json:"until"`
	Rows     int           `json:"rows" doc:"That were compared; by totals after they were added up."`
	Outside  int           `json:"outside" doc:"Rows of other days."`
	Unknown  []string      `json:"unknown" nullable:"false" doc:"Registers and outlets that the rows name and no receipt of these days is of."`
	Bad      []BadRow      `json:"bad" nullable:"false"`
	Figures  BookFigures   `json:"figures"`
	Days     []BookDay     `json:"days" nullable:"false"`
	Findings []BookFinding `json:"findings" nullable:"false" doc:"By time; without what is equal, unless that is asked for."`
	LeftOff  int           `json:"left_off" doc:"Findings beyond the 5,000 that are listed."`
}

func (h *Handler) registerCompare() {
	type input struct{ Body Books }
	route(h, operation{
		id: "compare", method: http.MethodPost, path: comparePath, tag: "documents", rights: access.SeeRevenue, status: http.StatusOK,
		doc: "Holds rows of the seller's own system against what the registers sent. Nothing of them is kept. Up to 20,000 rows and 200,000 receipts; one comparison of an organization at a time.",
	}, func(ctx context.Context, c *caller, in *input) (*struct{ Body BooksCompared }, error) {
		out, err := h.compare(ctx, c, &in.Body)
		return &struct{ Body BooksCompared }{out}, err
	})
}

// compare reads the rows and compares them.
func (h *Handler) compare(ctx context.Context, c *caller, in *Books) (out BooksCompared, err error) {
	scope, err := cabinet.ScopeOf(c.Actor, access.SeeRevenue)
	if err != nil {
		return out, err
	}
	o := compare.Options{Tolerance: time.Duration(in.Tolerance) * time.Minute, Outlet: fiscal.OutletID(in.Outlet), Whole: in.Whole}
	if o.From, err = day("from", in.From); err != nil {
		return out, err
	}
	if o.Until, err = day("until", in.Until); err != nil {
		return out, err
	}
	b := compare.Books{Totals: in.Mode == "totals"}
	out.Bad = []BadRow{}
	for i := range in.Rows {
		row, field := in.Rows[i].read(b.Totals)
		if field != "" {
			out.Bad = append(out.Bad, BadRow{i + 1, field, c.locale.T("compare.bad." + badWords(field))})
			continue
		}
		row.Line = i + 1
		b.Rows = append(b.Rows, row)
	}
	r, err := h.cfg.Comparer.Compare(ctx, &scope, b, o)
	if e := (*fiscal.Error)(nil); errors.As(err, &e) && e.Reason == fiscal.RateLimited {
		err = &fiscal.Error{Reason: fiscal.RateLimited, Field: e.Field, Err: &ui.RetryError{After: compare.TryAgain}}
	}
	if err != nil {
		return out, err
	}
	if err := h.cfg.Access.Note(ctx, c.Actor, access.ActBooksCompared, "API", r.String()); err != nil {
		return out, err
	}
	out.fill(r, in.Equal)
	return out, nil
}

// badWords are the words for a field: the time is a date to people.
func badWords(field string) string {
	switch field {
	case "time":
		return "date"
	case "fiscal_sign":
		return "sign"
	}
	return field
}

// read is a row as it is compared, or the field that is wrong.
func (b *BookRow) read(totals bool) (row compare.Row, wrong string) {
	row = compare.Row{Register: b.Register, Outlet: b.Outlet, Cashier: b.Cashier}
	if b.Time != "" {
		m, ok := sheet.Time(b.Time)
		if !ok {
			return row, "time"
		}
		row.Time, row.Grain = m.Time, compare.OfDay
		if m.Clock {
			row.Grain = compare.OfMinute
		}
		if m.Seconds {
			row.Grain = compare.OfSecond
		}
	}
	if b.Operation != "" {
		for op := fiscal.OpSale; op.Settlement(); op++ {
			if op.String() == b.Operation {
				row.Op = op
			}
		}
		if row.Op == fiscal.OpNone {
			return row, "operation"
		}
	}
	if !totals {
		for _, f := range []struct {
			name, text string
			to         *uint64
		}{{"fiscal_sign", b.Sign, &row.Sign}, {"number", b.Number, &row.Number}} {
			var ok bool
			if *f.to, ok = sheet.Digits(f.text); !ok && f.text != "" {
				return row, f.name
			}
		}
	}
	for c, text := range b.amounts() {
		if text == "" {
			continue
		}
		m, ok := sheet.Amount(text)
		if !ok || m.Abs() > compare.MaxAmount {
			return row, c.String()
		}
		row.Has |= c
		row.Set(c, m)
	}
	return row, row.Settle(totals)
}

// amounts are the amounts of a row in the order of columns.
func (b *BookRow) amounts() func(func(compare.Column, string) bool) {
	return func(yield func(compare.Column, string) bool) {
		for _, c := range compare.Columns() {
			text, ok := map[compare.Column]string{compare.ColTotal: b.Total, compare.ColCash: b.Cash, compare.ColCashless: b.Cashless, compare.ColOther: b.Other, compare.ColTax: b.Tax}[c]
			if ok && !yield(c, text) {
				return
			}
		}
	}
}

func newBookFigures(f func(compare.Verdict) compare.Figures) BookFigures {
	sums := func(v compare.Verdict) BookSums {
		s := f(v)
		return BookSums{s.Count, s.Books.String(), s.Ours.String()}
	}
	return BookFigures{sums(compare.Equal), sums(compare.Missing), sums(compare.Extra), sums(compare.Different)}
}

// fill words a comparison.
func (out *BooksCompared) fill(r *compare.Result, equal bool) {
	out.From, out.Until, out.Rows, out.Outside = r.From.UTC().Format(time.DateOnly), r.Until.UTC().Format(time.DateOnly), len(r.Rows), r.Outside
	out.Unknown, out.Days, out.Findings = append([]string{}, r.Unknown...), []BookDay{}, []BookFinding{}
	out.Figures = newBookFigures(func(v compare.Verdict) compare.Figures { return r.Figures[v] })
	for i := range r.Days {
		if d := &r.Days[i]; d.Day != 0 {
			out.Days = append(out.Days, BookDay{d.Day.UTC().Format(time.DateOnly), newBookFigures(func(v compare.Verdict) compare.Figures { return d.Figures[v] })})
		}
	}
	for i := range r.Findings {
		f := &r.Findings[i]
		switch {
		case f.Verdict == compare.Equal && !equal:
		case len(out.Findings) == maxFindings:
			out.LeftOff++
		default:
			out.Findings = append(out.Findings, newBookFinding(r, f))
		}
	}
}

func newBookFinding(r *compare.Result, f *compare.Finding) BookFinding {
	one := BookFinding{Verdict: f.Verdict.String(), By: f.By.String(), Twice: f.Twice, Time: wall(r.At(f))}
	var row compare.Row
	var ours compare.Receipt
	op := fiscal.OpNone
	if f.Row >= 0 {
		row = r.Rows[f.Row]
		op, one.Row = row.Op, row.Line
		if row.Has&compare.ColTotal != 0 {
			one.Books = row.Total.String()
		}
	}
	if f.Receipt >= 0 {
		ours = r.Receipts[f.Receipt]
		op, one.Register, one.Document, one.Outlet, one.Ours = ours.Op, int64(ours.Register), uint64(ours.Entry), int64(ours.Outlet), ours.Total.String()
	}
	if op != fiscal.OpNone {
		one.Operation = op.String()
	}
	for _, c := range compare.Columns() {
		if f.Differs&c == 0 {
			continue
		}
		d := BookDifference{Column: c.String()}
		switch {
		case c&compare.Amounts != 0:
			d.Books, d.Register = row.Of(c).String(), ours.Of(c).String()
		case c == compare.ColTime:
			d.Books, d.Register = wall(row.Time), wall(ours.Time)
		case c == compare.ColCashier:
			d.Books, d.Register = row.Cashier, ours.Cashier
		case c == compare.ColOperation:
			d.Books, d.Register = row.Op.String(), ours.Op.String()
		case c == compare.ColRegister:
			d.Books, d.Register = row.Register, fmt.Sprint(ours.Register)
		case c == compare.ColSign:
			d.Books, d.Register = fmt.Sprint(row.Sign), fmt.Sprint(ours.Sign)
		}
		one.Differs = append(one.Differs, d)
	}
	return one
}
