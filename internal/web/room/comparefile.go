package room

import (
	"cmp"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"openofd/internal/access"
	"openofd/internal/cabinet"
	"openofd/internal/cabinet/compare"
	"openofd/internal/fiscal"
)

// comparedTitles are those of the columns of a comparison as a file.
var comparedTitles = []string{"compare.result", "column.time", "column.outlet", "column.operation", "compare.line", "compare.books", "compare.ours", "column.number", "compare.what"}

// compareFile gives a whole comparison as a file: every finding, then the rows
// that could not be read.
func (h *Handler) compareFile(w http.ResponseWriter, r *http.Request, a *visitor, open opener) {
	end, err := h.takeBooks(w, r, a)
	if err != nil {
		h.refuseBooks(w, r, a, comparePage{}, err)
		return
	}
	defer end()
	var made *comparison
	ask, err := h.askedBooks(r)
	if err == nil {
		made, err = h.compareBooks(r, a, ask)
	}
	var out book
	if err == nil {
		out, err = open(w, "comparison")
	}
	if err != nil {
		h.render.Error(w, r, err)
		return
	}
	titles := make([]any, len(comparedTitles))
	for i, key := range comparedTitles {
		titles[i] = a.locale.T(key)
	}
	err = out.add(titles)
	slow := http.NewResponseController(w)
	for i := range made.Findings {
		if err != nil {
			break
		}
		if i%exportPage == 0 {
			_ = slow.SetWriteDeadline(time.Now().Add(exportTime)) // a server that cannot keeps its own
		}
		err = out.add(h.comparedCells(r, a, made, &made.Findings[i]))
	}
	for _, bad := range made.bad {
		if err == nil {
			err = out.add([]any{a.locale.T("compare.unread"), nil, nil, nil, int64(bad.Line), nil, nil, bad.Value, a.locale.T("compare.field."+bad.Field) + ": " + a.locale.T(bad.Key())})
		}
	}
	if err == nil {
		err = out.end()
	}
	if err != nil {
		panic(http.ErrAbortHandler) // a file that is cut must not look whole
	}
}

// comparedCells is a finding as a line of a file.
func (h *Handler) comparedCells(r *http.Request, a *visitor, c *comparison, f *compare.Finding) []any {
	row := h.comparedRow(r, a, c, f)
	what := strings.Join(row.Differs, "; ")
	if row.Note != "" {
		what = row.Note
	}
	cells := []any{a.locale.T(row.Verdict), c.At(f), row.Place, row.Operation, nil, nil, nil, row.Number, what}
	if f.Row >= 0 {
		cells[4] = int64(row.Line)
		if c.Rows[f.Row].Has&compare.ColTotal != 0 {
			cells[5] = c.Rows[f.Row].Total
		}
	}
	if f.Receipt >= 0 {
		cells[6] = c.Receipts[f.Receipt].Total
	}
	return cells
}

// exampleMost is how many receipts an example of books has at most, and
// exampleLeast with how few it is worth one.
const (
	exampleMost  = 300
	exampleLeast = 16
)

// compareExample is an example of a seller's books for a demonstration: what one
// of the organization's registers did on a day, as an accounting program would
// have it, with two receipts left out, two invented and three changed.
func (h *Handler) compareExample(w http.ResponseWriter, r *http.Request, a *visitor) {
	scope, err := cabinet.ScopeOf(a.Actor, access.SeeRevenue)
	if err != nil {
		h.render.Error(w, r, err)
		return
	}
	sold, err := h.exampleReceipts(r, a, &scope)
	if err != nil {
		h.render.Error(w, r, err)
		return
	}
	out, err := newCSV(w, "books")
	if err != nil {
		return // the client is gone
	}
	fields := []string{"register", "date", "operation", "sign", "total", "cash", "cashless", "cashier"}
	titles := make([]any, len(fields))
	for i, f := range fields {
		titles[i] = a.locale.T("compare.field." + f)
	}
	err = out.add(titles)
	for i := range sold {
		d := sold[i]
		switch i {
		case 3, 11: // not in the books
			continue
		case 5:
			d.Total += 10_000
			d.Cash += 10_000
		case 8:
			d.Cash, d.Cashless = d.Cashless, d.Cash
		case 14:
			d.Cashier = strings.TrimSpace(d.Cashier + " (2)")
		case 6, 12: // and one that no register sent
			made := d
			made.Time, made.FiscalSign = d.Time+7*60, 100_000_000_000+uint64(i)
			made.Total, made.Cash, made.Cashless = 123_456+fiscal.Money(i), 123_456+fiscal.Money(i), 0
			if err == nil {
				err = out.add(h.exampleCells(r, a, &scope, &made))
			}
		}
		if err == nil {
			err = out.add(h.exampleCells(r, a, &scope, &d))
		}
	}
	if err == nil {
		err = out.end()
	}
	if err != nil {
		panic(http.ErrAbortHandler)
	}
}

func (h *Handler) exampleCells(r *http.Request, a *visitor, s *cabinet.Scope, d *cabinet.Document) []any {
	name := strconv.FormatInt(int64(d.Register), 10)
	if card, err := h.cfg.Documents.Questions.Card(r.Context(), s, d.Register, d.CardVersion); err == nil {
		name = cmp.Or(card.RegistrationNumber, name)
	}
	return []any{name, d.Time, a.locale.T("did." + d.Op.String()), strconv.FormatUint(d.FiscalSign, 10), d.Total, d.Cash, d.Cashless, d.Cashier}
}

// exampleReceipts are those of the register and day of the last week that make
// the fullest example. NotFound if none has enough.
func (h *Handler) exampleReceipts(r *http.Request, a *visitor, s *cabinet.Scope) ([]cabinet.Document, error) {
	q := h.cfg.Documents.Questions
	today := fiscal.WallIn(h.cfg.Documents.Now(), a.Zone).Day()
	days, err := q.Days(r.Context(), s, today.Add(-7*24*time.Hour), today)
	if err != nil {
		return nil, err
	}
	var best *cabinet.Day
	for i := range days {
		if n := days[i].Receipts(); n >= exampleLeast && n <= exampleMost && (best == nil || n > best.Receipts() || n == best.Receipts() && days[i].Day > best.Day) {
			best = &days[i]
		}
	}
	if best == nil {
		return nil, &fiscal.Error{Reason: fiscal.NothingThere}
	}
	f := cabinet.Filter{From: best.Day, Until: best.Day.Add(24 * time.Hour), Register: best.Register, Kinds: []fiscal.DocumentKind{fiscal.DocReceipt}}
	all, _, err := q.Documents(r.Context(), s, &f, nil, cabinet.MaxPage)
	all = slices.DeleteFunc(all, func(d cabinet.Document) bool { return d.Canceled })
	if err == nil && len(all) < exampleLeast {
		err = &fiscal.Error{Reason: fiscal.NothingThere}
	}
	slices.Reverse(all)
	return all, err
}
