package room

import (
	"cmp"
	"context"
	"fmt"
	"strconv"
	"strings"

	"openofd/internal/access"
	"openofd/internal/cabinet"
	"openofd/internal/fiscal"
)

type documentRow = row[cabinet.Document]

func readDocuments(ctx context.Context, q *cabinet.Questions, s *cabinet.Scope, f *cabinet.Filter, before *cabinet.Place, limit int) ([]cabinet.Document, bool, error) {
	return q.Documents(ctx, s, f, before, limit)
}

func searchDocuments(ctx context.Context, q *cabinet.Questions, s *cabinet.Scope, f *cabinet.Filter, before *cabinet.Place, limit int) ([]cabinet.Document, bool, *cabinet.Place, error) {
	h, err := q.Search(ctx, s, f, before, limit)
	return h.Documents, h.More, h.Cut, err
}

func documentLink(d *cabinet.Document) string {
	return fmt.Sprintf("/documents/%d/%d", d.Register, d.Number)
}

func documentCard(d *cabinet.Document) (fiscal.RegisterID, uint32) { return d.Register, d.CardVersion }

// documents is a list of documents with columns of its own.
func documents(name, section string, right access.Right, filters []string, columns ...column[cabinet.Document]) listing[cabinet.Document] {
	return listing[cabinet.Document]{
		name: name, section: section, right: right, filters: filters, columns: columns,
		read: readDocuments, search: searchDocuments, place: (*cabinet.Document).Place, card: documentCard, link: documentLink,
	}
}

// The columns that several lists have.
var (
	colTime     = column[cabinet.Document]{"column.time", true, func(d *documentRow) any { return d.it.Time }}
	colKind     = column[cabinet.Document]{"column.operation", false, func(d *documentRow) any { return operation(d.it) }}
	colRegister = column[cabinet.Document]{"column.register", false, func(d *documentRow) any { return registerName(&d.card) }}
	colOutlet   = column[cabinet.Document]{"column.outlet", false, func(d *documentRow) any { return d.card.OutletTitle.In(d.l.Lang) }}
	colShift    = column[cabinet.Document]{"column.shift", false, func(d *documentRow) any { return shiftNumber(d.it.Shift) }}
	colTotal    = column[cabinet.Document]{"column.total", false, func(d *documentRow) any { return d.it.Total }}
	colCashier  = column[cabinet.Document]{"column.cashier", false, func(d *documentRow) any { return d.it.Cashier }}
	colMarks    = column[cabinet.Document]{"column.marks", false, func(d *documentRow) any { return marksOf(d) }}
)

// operation is what a document did, as the key of its words.
func operation(d *cabinet.Document) words {
	if d.Op != fiscal.OpNone && d.Kind != fiscal.DocCancel {
		return words("did." + d.Op.String())
	}
	return words("doc." + d.Kind.String())
}

func shiftNumber(n uint32) string {
	if n == 0 {
		return ""
	}
	return strconv.FormatUint(uint64(n), 10)
}

// marksOf words what is particular about a document.
func marksOf(d *documentRow) string {
	var all []string
	if d.it.Canceled {
		all = append(all, d.l.T("mark.canceled"))
	}
	if d.it.Offline() {
		all = append(all, d.l.T("mark.offline"))
	}
	if d.it.Findings() != 0 {
		all = append(all, d.l.T("mark.findings"))
	}
	return strings.Join(all, ", ")
}

func receipts() listing[cabinet.Document] {
	list := documents("receipts", "receipts", access.SeeRevenue,
		[]string{paramAny, paramFrom, paramUntil, paramOutlet, paramRegister, paramShift, paramOp, paramLeast, paramMost, paramCode, paramCashier, paramGoods, paramMark},
		colTime, colKind, colTotal,
		column[cabinet.Document]{"column.number", false, func(d *documentRow) any {
			return cmp.Or(d.it.Printed, strconv.FormatUint(uint64(d.it.Number), 10))
		}},
		column[cabinet.Document]{"column.sign", false, func(d *documentRow) any { return strconv.FormatUint(d.it.FiscalSign, 10) }},
		colRegister, colOutlet, colShift, colCashier, colMarks)
	list.kinds = []fiscal.DocumentKind{fiscal.DocReceipt}
	list.files = []string{colShift.key, colCashier.key}
	return list
}

func reports() listing[cabinet.Document] {
	list := documents("reports", "shifts", access.SeeRevenue, []string{paramFrom, paramUntil, paramOutlet, paramRegister},
		colTime, column[cabinet.Document]{"column.report", false, func(d *documentRow) any { return words("doc." + d.it.Kind.String()) }}, colShift, colRegister, colOutlet)
	list.kinds = []fiscal.DocumentKind{fiscal.DocShiftClose, fiscal.DocReport}
	return list
}

func moves() listing[cabinet.Document] {
	list := documents("moves", "shifts", access.SeeRevenue, []string{paramFrom, paramUntil, paramOutlet, paramRegister, paramLeast, paramMost, paramCashier},
		colTime, colKind, colTotal, colRegister, colOutlet, colShift, colCashier)
	list.kinds = []fiscal.DocumentKind{fiscal.DocCashMove}
	return list
}

// findings lists documents with findings. It names no sums: who keeps registers
// alive sees it too.
func findings() listing[cabinet.Document] {
	list := documents("findings", "shifts", access.SeeStatus, []string{paramFrom, paramUntil, paramOutlet, paramRegister},
		colTime, column[cabinet.Document]{"column.operation", false, func(d *documentRow) any { return words("doc." + d.it.Kind.String()) }},
		column[cabinet.Document]{"column.findings", false, func(d *documentRow) any { return findingsOf(d) }},
		colRegister, colOutlet, colShift)
	list.mark = true
	return list
}

// findingsOf words the findings of a document.
func findingsOf(d *documentRow) string {
	var all []string
	for _, name := range d.it.Findings().Names() {
		all = append(all, d.l.T("finding."+name))
	}
	return strings.Join(all, "; ")
}

type shiftRow = row[cabinet.Shift]

func shifts() listing[cabinet.Shift] {
	sum := func(key string, of func(*cabinet.Shift) fiscal.Money) column[cabinet.Shift] {
		return column[cabinet.Shift]{key, false, func(s *shiftRow) any { return of(s.it) }}
	}
	return listing[cabinet.Shift]{
		name: "shifts", section: "shifts", right: access.SeeRevenue, filters: []string{paramFrom, paramUntil, paramOutlet, paramRegister, paramShift},
		columns: []column[cabinet.Shift]{
			{"column.shift", true, func(s *shiftRow) any { return s.l.T("shift.title", "number", s.it.Number) }},
			{"column.register", false, func(s *shiftRow) any { return registerName(&s.card) }},
			{"column.outlet", false, func(s *shiftRow) any { return s.card.OutletTitle.In(s.l.Lang) }},
			{"column.opened", false, func(s *shiftRow) any { return s.it.Opened }},
			{"column.closed", false, func(s *shiftRow) any {
				if s.it.Closed == 0 {
					return words("shift.open")
				}
				return s.it.Closed
			}},
			{"column.receipts", false, func(s *shiftRow) any { return s.it.Receipts() }},
			sum("column.sales", func(s *cabinet.Shift) fiscal.Money { return s.Sums[0] }),
			sum("column.returns", func(s *cabinet.Shift) fiscal.Money { return s.Sums[1] }),
			sum("column.revenue", func(s *cabinet.Shift) fiscal.Money { return s.Revenue() }),
		},
		files: []string{"column.sales"}, // a desk has room for returns and what remains
		read: func(ctx context.Context, q *cabinet.Questions, s *cabinet.Scope, f *cabinet.Filter, before *cabinet.Place, limit int) ([]cabinet.Shift, bool, error) {
			return q.Shifts(ctx, s, f, before, limit)
		},
		place: (*cabinet.Shift).Place,
		card:  func(s *cabinet.Shift) (fiscal.RegisterID, uint32) { return s.Register, s.CardVersion },
		link:  func(s *cabinet.Shift) string { return fmt.Sprintf("/shifts/%d/%d", s.Register, s.Number) },
	}
}

type awayRow = row[cabinet.Away]

// aways lists periods without a link. It names no sums.
func aways() listing[cabinet.Away] {
	return listing[cabinet.Away]{
		name: "offline", section: "shifts", right: access.SeeStatus, filters: []string{paramFrom, paramUntil, paramOutlet, paramRegister},
		columns: []column[cabinet.Away]{
			{"column.from", true, func(a *awayRow) any { return a.it.From }},
			{"column.until", false, func(a *awayRow) any { return a.it.Until }},
			{"column.lasted", false, func(a *awayRow) any { return lasted(a) }},
			{"column.documents", false, func(a *awayRow) any { return a.it.Documents }},
			{"column.register", false, func(a *awayRow) any { return registerName(&a.card) }},
			{"column.outlet", false, func(a *awayRow) any { return a.card.OutletTitle.In(a.l.Lang) }},
		},
		read: func(ctx context.Context, q *cabinet.Questions, s *cabinet.Scope, f *cabinet.Filter, before *cabinet.Place, limit int) ([]cabinet.Away, bool, error) {
			return q.Aways(ctx, s, f, before, limit)
		},
		place: (*cabinet.Away).Place,
		card:  func(a *cabinet.Away) (fiscal.RegisterID, uint32) { return a.Register, a.CardVersion },
	}
}

// lasted words how long a period lasted.
func lasted(a *awayRow) string {
	d := a.it.Until.Sub(a.it.From)
	return a.l.T("lasted", "hours", int(d.Hours()), "minutes", int(d.Minutes())%60)
}
