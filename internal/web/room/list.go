package room

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"openofd/internal/access"
	"openofd/internal/cabinet"
	"openofd/internal/fiscal"
	"openofd/internal/registry"
	"openofd/internal/web/ui"
)

// listing is a list of the cabinet: on a page, as CSV and as a workbook.
type listing[T any] struct {
	name    string // of its address and its words
	section string // in the navigation
	right   access.Right
	kinds   []fiscal.DocumentKind
	mark    bool     // findings alone
	filters []string // the parameters that it understands, in the order of chips
	columns []column[T]
	files   []string // the keys of columns that files have and the page leaves out
	read    func(context.Context, *cabinet.Questions, *cabinet.Scope, *cabinet.Filter, *cabinet.Place, int) ([]T, bool, error)
	// search is read for a page, bounded in what it walks over: cut is how far it
	// came. nil: read is bounded by itself.
	search func(context.Context, *cabinet.Questions, *cabinet.Scope, *cabinet.Filter, *cabinet.Place, int) (all []T, more bool, cut *cabinet.Place, err error)
	place  func(*T) cabinet.Place
	card   func(*T) (fiscal.RegisterID, uint32)
	link   func(*T) string // "" none
}

// column is one of its columns. A value is a string, an int64, a fiscal.Money,
// a fiscal.WallTime, words (a key), or nil.
type column[T any] struct {
	key   string
	head  bool // what names the row
	value func(*row[T]) any
}

// words are the key of words.
type words string

// row is an element with the card of its register.
type row[T any] struct {
	it   *T
	l    *ui.Locale
	card fiscal.Card
}

// pageRows is how many rows a page has.
const pageRows = 50

// listPage is what the page of a list shows.
type listPage struct {
	form
	Name, Path string
	Tabs       []tab
	AsOf       string
	Chips      []chip
	Hidden     []ui.Row // parameters that the search keeps
	Filters    []string // fields, in their order
	Ops        choices  // fields whose value is chosen
	Marks      choices
	Outlets    choices
	Columns    []columnHead
	Rows       []listRow
	Filtered   bool
	Paged      bool // not the newest
	Older      string
	Cut        string // how far a search came, "" it is whole
	CSV, XLSX  string
	Searches   bool
}

type columnHead struct {
	Key string
	Num bool
}

type listRow struct{ Cells []cellOf }

type cellOf struct {
	Label, Text, URL string
	Num, Head        bool
}

// serve adds the addresses of a list.
func serve[T any](h *Handler, list listing[T]) {
	h.inside("GET /"+list.name, func(w http.ResponseWriter, r *http.Request, a *visitor) { showList(h, &list, w, r, a) })
	export := h.bounded(func(w http.ResponseWriter, r *http.Request, a *visitor, open opener) error {
		return exportList(h, &list, w, r, a, open)
	})
	for form, open := range map[string]opener{"csv": newCSV, "xlsx": newWorkbook} {
		h.inside("GET /"+list.name+"/"+form, func(w http.ResponseWriter, r *http.Request, a *visitor) {
			if err := export(w, r, a, open); err != nil {
				h.render.Error(w, r, err)
			}
		})
	}
	h.exports[list.name] = export
}

func showList[T any](h *Handler, list *listing[T], w http.ResponseWriter, r *http.Request, a *visitor) {
	scope, err := h.scope(r, a, list.right)
	if err != nil {
		h.render.Error(w, r, err)
		return
	}
	outlets, err := h.outlets(r.Context(), a)
	if err != nil {
		h.render.Error(w, r, err)
		return
	}
	q, path := ask(a.locale, r.URL.Query()), a.base+"/"+list.name
	p := listPage{
		form: q.form, Name: list.name, Path: path, Filters: list.filters, Chips: q.chips(a.locale, path, list.filters, outlets),
		AsOf: h.asOf(r.Context(), a), Paged: q.before != nil, Searches: slices.Contains(list.filters, paramAny),
	}
	p.Filtered = len(p.Chips) > 0
	if list.section != list.name || list.name == "shifts" || a.client != 0 {
		p.Tabs = tabs(a, list.name)
	}
	p.choices(a, q, outlets)
	p.CSV, p.XLSX = q.link(path+"/csv", "", ""), q.link(path+"/xlsx", "", "")
	status := http.StatusOK
	if !q.ok() {
		status = http.StatusUnprocessableEntity
	} else if err := fillList(h, list, r.Context(), a, &scope, q, &p); err != nil {
		h.render.Error(w, r, err)
		return
	}
	h.page(w, r, a, status, "list.html", "/"+list.section, "room."+list.name, p)
}

// fillList reads a page of rows.
func fillList[T any](h *Handler, list *listing[T], ctx context.Context, a *visitor, scope *cabinet.Scope, q *asked, p *listPage) error {
	all, more, cut, err := list.page(ctx, h.cfg.Documents.Questions, scope, list.filter(q), q.before)
	if err != nil {
		return err
	}
	if cut != nil {
		p.Cut, p.Older = a.locale.Minute(cut.Time), q.link(p.Path, paramBefore, cut.String())
	}
	for i := range all {
		row := rowOf(h, list, ctx, a, scope, &all[i])
		var cells []cellOf
		for _, c := range list.columns {
			if slices.Contains(list.files, c.key) {
				continue
			}
			text, num := shown(a.locale, c.value(&row))
			cell := cellOf{Label: a.locale.T(c.key), Text: text, Num: num, Head: c.head}
			if c.head && list.link != nil && a.reads(access.SeeRevenue) {
				cell.URL = a.base + list.link(&all[i])
			}
			if i == 0 {
				p.Columns = append(p.Columns, columnHead{c.key, num})
			}
			cells = append(cells, cell)
		}
		p.Rows = append(p.Rows, listRow{cells})
	}
	for c := range p.Columns { // a column is of numbers if any of its rows is
		for i := range p.Rows {
			p.Columns[c].Num = p.Columns[c].Num || p.Rows[i].Cells[c].Num
		}
	}
	if more {
		p.Older = q.link(p.Path, paramBefore, list.place(&all[len(all)-1]).String())
	}
	return nil
}

// page reads a page of the list.
func (list *listing[T]) page(ctx context.Context, q *cabinet.Questions, s *cabinet.Scope, f *cabinet.Filter, before *cabinet.Place) (all []T, more bool, cut *cabinet.Place, err error) {
	if list.search != nil {
		return list.search(ctx, q, s, f, before, pageRows)
	}
	all, more, err = list.read(ctx, q, s, f, before, pageRows)
	return all, more, nil, err
}

// filter is what the list asks for beside what the address does.
func (list *listing[T]) filter(q *asked) *cabinet.Filter {
	f := q.filter
	f.Kinds = list.kinds
	f.Findings = f.Findings || list.mark
	return &f
}

// rowOf is an element with its card. One whose card cannot be read is listed
// without.
func rowOf[T any](h *Handler, list *listing[T], ctx context.Context, a *visitor, scope *cabinet.Scope, v *T) row[T] {
	register, version := list.card(v)
	card, err := h.cfg.Documents.Questions.Card(ctx, scope, register, version)
	if err != nil {
		card = fiscal.Card{Register: register}
	}
	return row[T]{v, a.locale, card}
}

// shown is a value in the reader's language.
func shown(l *ui.Locale, v any) (text string, num bool) {
	switch v := v.(type) {
	case string:
		return v, false
	case words:
		return l.T(string(v)), false
	case int64:
		return l.Quantity(fiscal.Quantity(v) * fiscal.OneUnit), true
	case fiscal.Money:
		return l.Amount(v), true
	case fiscal.WallTime:
		if v == 0 {
			return "", false
		}
		return l.Minute(v), false
	}
	return "", false
}

// outlets are the places that the actor sees.
func (h *Handler) outlets(ctx context.Context, a *visitor) ([]registry.Outlet, error) {
	if h.cfg.Documents.Outlets == nil {
		return nil, nil
	}
	all, err := h.cfg.Documents.Outlets(ctx, a.whose())
	return slices.DeleteFunc(all, func(o registry.Outlet) bool { return !a.Sees(o.ID) }), err
}

// maxChoices is how many outlets a list offers to choose from.
const maxChoices = 500

// choices are the values of a field to choose from.
type choices struct {
	Name    string
	Choices []choice
}

type choice struct {
	Text, Value string
	Current     bool
}

func (c *choices) add(q *asked, value, text string) {
	c.Choices = append(c.Choices, choice{text, value, q.values.Get(c.Name) == value})
}

// choices fills what is chosen from, and what a search keeps.
func (p *listPage) choices(a *visitor, q *asked, outlets []registry.Outlet) {
	p.Ops.Name, p.Marks.Name, p.Outlets.Name = paramOp, paramMark, paramOutlet
	for op := fiscal.OpSale; op.Settlement(); op++ {
		p.Ops.add(q, op.String(), a.locale.T("did."+op.String()))
	}
	for _, m := range marks {
		p.Marks.add(q, m, a.locale.T("mark."+m))
	}
	for i := range outlets[:min(len(outlets), maxChoices)] {
		p.Outlets.add(q, strconv.FormatInt(int64(outlets[i].ID), 10), outlets[i].Title.In(a.locale.Lang))
	}
	for name := range q.values {
		if name != paramAny {
			p.Hidden = append(p.Hidden, ui.Row{Key: name, Value: q.values.Get(name)})
		}
	}
	slices.SortFunc(p.Hidden, func(a, b ui.Row) int { return strings.Compare(a.Key, b.Key) })
}
