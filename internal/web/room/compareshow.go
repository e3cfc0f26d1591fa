package room

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"openofd/internal/cabinet/compare"
	"openofd/internal/fiscal"
	"openofd/internal/web/ui"
)

// comparedRows is how many rows of a comparison a page has.
const comparedRows = 100

// compareShow is what of a comparison a page shows.
type compareShow struct {
	verdict string // "" all but equal, "all", or one
	column  string // "" any
	day     string // as 2026-03-14, "" any
	page    int    // from 0
}

// String is the value of the button that asks for it.
func (s compareShow) String() string {
	return s.verdict + "/" + s.column + "/" + s.day + "/" + strconv.Itoa(s.page)
}

// parseShow reads what String writes; what it cannot is left out.
func parseShow(text string) (s compareShow) {
	part := strings.Split(text, "/")
	if len(part) != 4 {
		return s
	}
	if part[0] == "all" || slices.ContainsFunc(compare.Verdicts(), func(v compare.Verdict) bool { return v.String() == part[0] }) {
		s.verdict = part[0]
	}
	if slices.ContainsFunc(compare.Columns(), func(c compare.Column) bool { return c.String() == part[1] }) {
		s.column = part[1]
	}
	if _, err := time.Parse(time.DateOnly, part[2]); err == nil {
		s.day = part[2]
	}
	if n, err := strconv.Atoi(part[3]); err == nil && n > 0 {
		s.page = n
	}
	return s
}

// shows reports whether a finding is shown.
func (s *compareShow) shows(r *compare.Result, f *compare.Finding) bool {
	switch {
	case s.verdict == "" && f.Verdict == compare.Equal, s.verdict != "" && s.verdict != "all" && f.Verdict.String() != s.verdict:
		return false
	case s.column != "" && !slices.Contains(f.Differs.Names(), s.column):
		return false
	}
	return s.day == "" || s.day == dateInput(r.At(f).Day())
}

// compareShown is a comparison on a page.
type compareShown struct {
	Totals           bool
	From, Until      string
	Rows, Outside    int
	Unknown          string
	Bad              []badCell
	BadMore, BadAll  int
	Figures          []comparedFigure
	Differs          []comparedChip
	Chips            []comparedChip
	Days             []comparedDay
	Chart            *dayChart // nil: nothing differs on any day
	List             []comparedRow
	Before, After    string // values of buttons, "" none
	First, Last, All int
	Hidden           []ui.Row // what the form carries on
}

// comparedFigure is what one verdict came to.
type comparedFigure struct {
	Key, Show   string
	Count       int
	Books, Ours string
	Current     bool
}

// comparedChip is something to choose, or to drop.
type comparedChip struct{ Text, Show string }

// comparedDay is a day of the chart in numbers.
type comparedDay struct {
	Date, Show  string
	Counts      [4]int
	Books, Ours string
	Current     bool
}

// comparedRow is a finding in words.
type comparedRow struct {
	Verdict, Icon string // keys
	Note          string // beside it
	When, Place   string
	Operation     string
	Line          int
	Books, Ours   string
	Number, URL   string
	Differs       []string
}

// verdictIcons are those that stand beside the words.
var verdictIcons = map[compare.Verdict]string{compare.Equal: "check", compare.Missing: "alert-triangle", compare.Extra: "receipt", compare.Different: "alert-triangle"}

// shownComparison words a comparison.
func (h *Handler) shownComparison(r *http.Request, a *visitor, ask *compareAsk, c *comparison) *compareShown {
	l := a.locale
	p := &compareShown{
		Totals: c.Totals, From: dayOf(c.From), Until: dayOf(c.Until), Rows: len(c.Rows), Outside: c.Outside, Unknown: strings.Join(c.Unknown, ", "),
		Bad: c.bad[:min(len(c.bad), badShown)], BadAll: len(c.bad), BadMore: max(0, len(c.bad)-badShown), Chart: newDayChart(c.Result), Hidden: ask.hidden(),
	}
	for _, v := range compare.Verdicts() {
		f := c.Figures[v]
		p.Figures = append(p.Figures, comparedFigure{"compare.verdict." + v.String(), compareShow{verdict: v.String()}.String(), f.Count, l.Amount(f.Books), l.Amount(f.Ours), ask.show.verdict == v.String()})
	}
	for i := range c.Days {
		d := &c.Days[i]
		if d.Day == 0 {
			continue
		}
		day := comparedDay{Date: dayOf(d.Day), Show: compareShow{verdict: ask.show.verdict, day: dateInput(d.Day)}.String(), Current: ask.show.day == dateInput(d.Day)}
		var books, ours fiscal.Money
		for v, f := range d.Figures {
			day.Counts[v] = f.Count
			books += f.Books
			ours += f.Ours
		}
		day.Books, day.Ours = l.Amount(books), l.Amount(ours)
		p.Days = append(p.Days, day)
	}
	p.choices(l, ask.show, c)
	var found []int
	for i := range c.Findings {
		if ask.show.shows(c.Result, &c.Findings[i]) {
			found = append(found, i)
		}
	}
	p.All = len(found)
	page := min(ask.show.page, max(0, len(found)-1)/comparedRows)
	from, to := page*comparedRows, min(len(found), (page+1)*comparedRows)
	for _, i := range found[from:to] {
		p.List = append(p.List, h.comparedRow(r, a, c, &c.Findings[i]))
	}
	p.First, p.Last = from+1, to
	at := ask.show
	if at.page = page - 1; page > 0 {
		p.Before = at.String()
	}
	if at.page = page + 1; to < len(found) {
		p.After = at.String()
	}
	return p
}

// choices are the columns that differ, each with how often, and what is chosen.
func (p *compareShown) choices(l *ui.Locale, s compareShow, c *comparison) {
	counts := map[compare.Column]int{}
	for i := range c.Findings {
		for _, col := range compare.Columns() {
			if c.Findings[i].Differs&col != 0 {
				counts[col]++
			}
		}
	}
	for _, col := range compare.Columns() {
		if n := counts[col]; n > 0 {
			p.Differs = append(p.Differs, comparedChip{l.T("compare.column."+col.String()) + ": " + strconv.Itoa(n), compareShow{verdict: "different", column: col.String(), day: s.day}.String()})
		}
	}
	drop := func(text string, change func(*compareShow)) {
		next := s
		next.page = 0
		change(&next)
		p.Chips = append(p.Chips, comparedChip{text, next.String()})
	}
	if s.verdict != "" && s.verdict != "all" {
		drop(l.T("compare.verdict."+s.verdict), func(n *compareShow) { n.verdict, n.column = "", "" })
	}
	if s.column != "" {
		drop(l.T("compare.column."+s.column), func(n *compareShow) { n.column = "" })
	}
	if t, err := time.Parse(time.DateOnly, s.day); err == nil {
		drop(t.Format("02.01.2006"), func(n *compareShow) { n.day = "" })
	}
}

// hidden is what the forms of the result carry on beside the file.
func (ask *compareAsk) hidden() (all []ui.Row) {
	add := func(key, value string) {
		if value != "" {
			all = append(all, ui.Row{Key: key, Value: value})
		}
	}
	for i, f := range ask.columns {
		add("col"+strconv.Itoa(i), f)
	}
	o := &ask.options
	if ask.totals {
		add("mode", "totals")
	}
	add("outlet", numberText(int64(o.Outlet)))
	add("from", dateInput(o.From))
	add("until", dateInput(o.Until))
	add("tolerance", numberText(int64(o.Tolerance/time.Minute)))
	if o.Whole {
		add("whole", "1")
	}
	return all
}

// comparedRow words a finding.
func (h *Handler) comparedRow(r *http.Request, a *visitor, c *comparison, f *compare.Finding) comparedRow {
	l := a.locale
	row := comparedRow{Verdict: "compare.verdict." + f.Verdict.String(), Icon: verdictIcons[f.Verdict], Place: h.comparedPlace(r, a, c, f), Operation: l.T(string(comparedOp(c, f)))}
	if f.Twice {
		row.Note = l.T("compare.twice")
	}
	if at := c.At(f); at != 0 {
		if row.When = l.Minute(at); c.Totals || f.Receipt < 0 && c.Rows[f.Row].Grain == compare.OfDay {
			row.When = dayOf(at)
		}
	}
	if f.Row >= 0 {
		books := &c.Rows[f.Row]
		row.Line = books.Line
		if books.Has&compare.ColTotal != 0 {
			row.Books = l.Amount(books.Total)
		}
	}
	if f.Receipt >= 0 {
		one := &c.Receipts[f.Receipt]
		row.Ours = l.Amount(one.Total)
		if c.Totals {
			row.Number = l.T("compare.receipts", "n", one.Count)
		} else {
			row.Number, row.URL = strconv.FormatUint(one.Printed, 10), fmt.Sprintf("/documents/%d/%d", one.Register, one.Entry)
		}
	}
	for _, col := range compare.Columns() {
		if f.Differs&col != 0 {
			row.Differs = append(row.Differs, comparedWords(l, c, f, col))
		}
	}
	return row
}

// comparedWords are a column with what both sides say in it.
func comparedWords(l *ui.Locale, c *comparison, f *compare.Finding, col compare.Column) string {
	name, books, ours := l.T("compare.column."+col.String()), &c.Rows[f.Row], &c.Receipts[f.Receipt]
	var left, right string
	switch {
	case col&compare.Amounts != 0:
		left, right = l.Amount(books.Of(col)), l.Amount(ours.Of(col))
	case col == compare.ColTime:
		left, right = l.Minute(books.Time), l.Minute(ours.Time)
	case col == compare.ColCashier:
		left, right = books.Cashier, ours.Cashier
	case col == compare.ColOperation:
		left, right = l.T("did."+books.Op.String()), l.T("did."+ours.Op.String())
	case col == compare.ColSign:
		left, right = strconv.FormatUint(books.Sign, 10), strconv.FormatUint(ours.Sign, 10)
	default:
		return name
	}
	return l.T("compare.differs", "column", name, "books", left, "ours", right)
}

func comparedOp(c *comparison, f *compare.Finding) words {
	op := fiscal.OpNone
	if f.Receipt >= 0 {
		op = c.Receipts[f.Receipt].Op
	} else if f.Row >= 0 {
		op = c.Rows[f.Row].Op
	}
	if op == fiscal.OpNone {
		return "compare.revenue"
	}
	return words("did." + op.String())
}

// comparedPlace is the register of a finding as people call it, or what the books
// call it.
func (h *Handler) comparedPlace(r *http.Request, a *visitor, c *comparison, f *compare.Finding) string {
	if f.Row >= 0 && f.Receipt < 0 || f.Row >= 0 && c.Totals && c.Rows[f.Row].Register+c.Rows[f.Row].Outlet != "" {
		row := &c.Rows[f.Row]
		return strings.TrimPrefix(row.Outlet+", "+row.Register, ", ")
	}
	one := &c.Receipts[f.Receipt]
	if one.Register == 0 {
		return a.locale.T("compare.all")
	}
	card, err := h.cfg.Documents.Questions.Card(r.Context(), &c.scope, one.Register, one.CardVersion)
	if err != nil {
		card = fiscal.Card{Register: one.Register}
	}
	if title := card.OutletTitle.In(a.locale.Lang); title != "" {
		return title + ", " + registerName(&card)
	}
	return registerName(&card)
}

// dayChart is how many findings of each kind that is not equal each day has, as
// bars that stand on each other.
type dayChart struct {
	Width       int // of the picture, ten for each day; it is 1000 high
	Bars        []chartBar
	Legend      []chartBar
	First, Last string
	Short       bool // fewer days than the picture has room for
	Most        int
}

// leastChart is for how many days the picture has room at least.
const leastChart = 10

// chartBar is one piece of a bar.
type chartBar struct {
	Class        string
	X, Y, Height int
	Title        string // the day
	Count        int
	Key          string // of the verdict
}

func newDayChart(r *compare.Result) *dayChart {
	const day = 24 * 60 * 60
	n := int((r.Until-r.From)/day) + 1
	c := &dayChart{Width: 10 * max(n, leastChart), First: dayOf(r.From), Last: dayOf(r.Until), Short: n < leastChart}
	drawn := []compare.Verdict{compare.Different, compare.Missing, compare.Extra}
	for _, v := range drawn {
		c.Legend = append(c.Legend, chartBar{Class: v.String(), Key: "compare.verdict." + v.String()})
	}
	for i := range r.Days {
		sum := 0
		for _, v := range drawn {
			sum += r.Days[i].Figures[v].Count
		}
		c.Most = max(c.Most, sum)
	}
	if c.Most == 0 || n < 1 {
		return nil
	}
	for i := range r.Days {
		d := &r.Days[i]
		x := int((d.Day - r.From) / day)
		if d.Day == 0 || x < 0 || x >= n {
			continue
		}
		sum := 0
		for _, v := range drawn {
			if count := d.Figures[v].Count; count > 0 {
				foot := 1000 * sum / c.Most
				sum += count
				c.Bars = append(c.Bars, chartBar{v.String(), 10*x + 1, 1000 - 1000*sum/c.Most, 1000*sum/c.Most - foot, dayOf(d.Day), count, "compare.verdict." + v.String()})
			}
		}
	}
	return c
}
