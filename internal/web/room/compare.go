package room

import (
	"errors"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"openofd/internal/access"
	"openofd/internal/cabinet"
	"openofd/internal/cabinet/compare"
	"openofd/internal/fiscal"
	"openofd/internal/web/ui"
)

// A seller's own books are held against the registers in three steps: a file, what
// its columns are, what came of it. The file is kept nowhere: each page carries it
// to the next, so any node may answer, and it is gone with the page.
const comparePath = "/compare"

func (h *Handler) compareRoutes() {
	if h.cfg.Documents.Comparer == nil {
		return
	}
	h.inside("GET "+comparePath, h.compareForm)
	h.inside("POST "+comparePath, h.compareStep)
	h.inside("POST "+comparePath+"/csv", func(w http.ResponseWriter, r *http.Request, a *visitor) { h.compareFile(w, r, a, newCSV) })
	h.inside("POST "+comparePath+"/xlsx", func(w http.ResponseWriter, r *http.Request, a *visitor) { h.compareFile(w, r, a, newWorkbook) })
	h.inside("GET "+comparePath+"/template.xlsx", h.compareTemplate)
	if h.cfg.Documents.Example {
		h.inside("GET "+comparePath+"/example.csv", h.compareExample)
	}
}

// bringsFile reports whether an address reads its form itself, once it is known
// who sends it.
func bringsFile(path string) bool {
	return path == comparePath || strings.HasPrefix(path, comparePath+"/")
}

// comparePage is the form, then the columns, then what came of it.
type comparePage struct {
	form
	Action  string
	Example bool
	Limit   int
	Help    []string // keys
	// Meanings are what columns may be, as keys.
	Meanings []string
	Name     string
	Content  string // the file as the page carries it
	Columns  []bookColumn
	Modes    choices
	Outlets  choices
	Days     string // how many the file may be of
	Whole    bool
	Shown    *compareShown // nil: nothing is compared yet
}

// bookColumn is a column of the file.
type bookColumn struct {
	Name, Title string
	Sample      []string
	Field       string // key, "" none
}

// compareAsk is what a form asks for.
type compareAsk struct {
	books   *books
	columns []string
	totals  bool
	options compare.Options
	show    compareShow
}

func (h *Handler) compareForm(w http.ResponseWriter, r *http.Request, a *visitor) {
	h.showCompare(w, r, a, http.StatusOK, comparePage{})
}

func (h *Handler) showCompare(w http.ResponseWriter, r *http.Request, a *visitor, status int, p comparePage) {
	if err := a.Must(access.SeeRevenue); err != nil {
		h.render.Error(w, r, err)
		return
	}
	p.Action, p.Example, p.Limit, p.Meanings = ui.Link(r, comparePath, nil), h.cfg.Documents.Example, compare.MaxRows, bookFields
	p.Help = []string{"compare.help.columns", "compare.help.key", "compare.help.totals", "compare.help.days", "compare.help.kept"}
	h.page(w, r, a, status, "compare.html", comparePath, "room.compare", p)
}

// compareStep takes a file, or goes on with one that a page carries.
func (h *Handler) compareStep(w http.ResponseWriter, r *http.Request, a *visitor) {
	end, err := h.takeBooks(w, r, a)
	if err != nil {
		h.refuseBooks(w, r, a, comparePage{}, err)
		return
	}
	defer end()
	if r.PostFormValue("content") == "" {
		b, err := h.uploadedBooks(r)
		if err != nil {
			h.refuseBooks(w, r, a, comparePage{}, err)
			return
		}
		columns := b.guessed(h.render.Locales)
		h.showColumns(w, r, a, http.StatusOK, &compareAsk{books: b, columns: columns, totals: b.totals(columns)}, comparePage{})
		return
	}
	ask, err := h.askedBooks(r)
	if err != nil {
		h.render.Error(w, r, err)
		return
	}
	if r.PostFormValue("step") == "columns" {
		h.showColumns(w, r, a, http.StatusOK, ask, comparePage{})
		return
	}
	made, err := h.compareBooks(r, a, ask)
	if err == nil && r.PostFormValue("step") == "compare" {
		err = h.access.Note(r.Context(), a.Actor, access.ActBooksCompared, ask.books.Name, made.String())
	}
	if err != nil {
		var p comparePage
		status, ok := p.wrong(a.locale, err)
		if !ok || errors.Is(err, fiscal.Denied) {
			h.render.Error(w, r, err)
			return
		}
		h.showColumns(w, r, a, status, ask, p)
		return
	}
	p := comparePage{Name: ask.books.Name}
	if p.Content, err = ask.books.pack(); err != nil {
		h.render.Error(w, r, err)
		return
	}
	p.Shown = h.shownComparison(r, a, ask, made)
	h.showCompare(w, r, a, http.StatusOK, p)
}

// takeBooks reads a form from who may send it, as one of few at once.
func (h *Handler) takeBooks(w http.ResponseWriter, r *http.Request, a *visitor) (end func(), err error) {
	if err := a.Must(access.SeeRevenue); err != nil {
		return nil, err
	}
	if r.ContentLength > maxBooksPages {
		w.Header().Set("Connection", "close")
		return nil, wrongBooks("too_large")
	}
	if end, err = h.files.begin(a); err != nil {
		return nil, err
	}
	slow := http.NewResponseController(w)
	_ = slow.SetReadDeadline(time.Now().Add(exportTime)) // a server that cannot keeps its own
	_ = slow.SetWriteDeadline(time.Now().Add(2 * exportTime))
	r.Body = http.MaxBytesReader(w, r.Body, maxBooksPages)
	if strings.HasPrefix(r.Header.Get("Content-Type"), "multipart/form-data") {
		err = r.ParseMultipartForm(maxBooksPages)
	} else {
		err = r.ParseForm()
	}
	if err != nil {
		end()
		var large *http.MaxBytesError
		if errors.As(err, &large) {
			return nil, wrongBooks("too_large")
		}
		return nil, &fiscal.Error{Reason: fiscal.BadForm, Field: "form", Err: err}
	}
	return end, nil
}

// refuseBooks shows the first step with what is wrong with a file.
func (h *Handler) refuseBooks(w http.ResponseWriter, r *http.Request, a *visitor, p comparePage, err error) {
	status, ok := p.wrong(a.locale, err)
	if !ok || errors.Is(err, fiscal.Denied) {
		h.render.Error(w, r, err)
		return
	}
	h.showCompare(w, r, a, status, p)
}

// uploadedBooks reads the file that a form brings.
func (h *Handler) uploadedBooks(r *http.Request) (*books, error) {
	if r.MultipartForm == nil || len(r.MultipartForm.File["books"]) == 0 {
		return nil, &fiscal.Error{Reason: fiscal.MissingParameter, Field: "books"}
	}
	defer r.MultipartForm.RemoveAll()
	head := r.MultipartForm.File["books"][0]
	if head.Size > maxBooks {
		return nil, wrongBooks("too_large")
	}
	file, err := head.Open()
	if err != nil {
		return nil, &fiscal.Error{Reason: fiscal.BadForm, Field: "books", Err: err}
	}
	defer file.Close()
	content, err := io.ReadAll(io.LimitReader(file, maxBooks))
	if err != nil {
		return nil, &fiscal.Error{Reason: fiscal.BadForm, Field: "books", Err: err}
	}
	b, err := readBooks(head.Filename, content, h.render.Locales)
	if err == nil {
		_, err = b.pack() // what pages cannot carry is refused at once
	}
	return b, err
}

// askedBooks reads what a form says of the file that it carries.
func (h *Handler) askedBooks(r *http.Request) (*compareAsk, error) {
	b, err := unpackBooks(r.PostFormValue("content"))
	if err != nil {
		return nil, err
	}
	ask := &compareAsk{books: b, columns: make([]string, b.width()), totals: r.PostFormValue("mode") == "totals", show: parseShow(r.PostFormValue("show"))}
	for i := range ask.columns {
		if f := r.PostFormValue("col" + strconv.Itoa(i)); slices.Contains(bookFields, f) && !slices.Contains(ask.columns, f) {
			ask.columns[i] = f
		}
	}
	o := &ask.options
	o.Outlet, _ = number[fiscal.OutletID](r.PostFormValue("outlet"))
	o.Whole = r.PostFormValue("whole") != ""
	if n, err := strconv.Atoi(strings.TrimSpace(r.PostFormValue("tolerance"))); err == nil {
		o.Tolerance = time.Duration(min(max(n, 1), int(compare.MaxTolerance/time.Minute))) * time.Minute
	}
	for name, to := range map[string]*fiscal.WallTime{"from": &o.From, "until": &o.Until} {
		if t, err := time.Parse(time.DateOnly, r.PostFormValue(name)); err == nil {
			*to = fiscal.WallTime(t.Unix())
		}
	}
	return ask, nil
}

// showColumns shows what the columns of a file are taken for.
func (h *Handler) showColumns(w http.ResponseWriter, r *http.Request, a *visitor, status int, ask *compareAsk, p comparePage) {
	var err error
	p.Name = ask.books.Name
	if p.Content, err = ask.books.pack(); err != nil {
		h.render.Error(w, r, err)
		return
	}
	for i, field := range ask.columns {
		c := bookColumn{Name: "col" + strconv.Itoa(i), Field: field}
		if titles := ask.books.Table[ask.books.Head]; i < len(titles) {
			c.Title = cutRunes(titles[i], maxBookSample)
		}
		for _, row := range ask.books.Table[ask.books.Head+1 : min(len(ask.books.Table), ask.books.Head+4)] {
			if i < len(row) && row[i] != "" {
				c.Sample = append(c.Sample, cutRunes(row[i], maxBookSample))
			}
		}
		p.Columns = append(p.Columns, c)
	}
	p.Modes = choices{Name: "mode", Choices: []choice{{a.locale.T("compare.mode.receipts"), "receipts", !ask.totals}, {a.locale.T("compare.mode.totals"), "totals", ask.totals}}}
	outlets, err := h.outlets(r.Context(), a)
	if err != nil {
		h.render.Error(w, r, err)
		return
	}
	p.Outlets = choices{Name: "outlet"}
	for i := range outlets[:min(len(outlets), maxChoices)] {
		o := &outlets[i]
		p.Outlets.Choices = append(p.Outlets.Choices, choice{o.Title.In(a.locale.Lang), strconv.FormatInt(int64(o.ID), 10), o.ID == ask.options.Outlet})
	}
	p.Days, p.Whole = strconv.Itoa(cabinet.MaxDays), ask.options.Whole
	if p.Fields == nil {
		p.Fields = map[string]ui.Field{}
	}
	tolerance := ""
	if t := ask.options.Tolerance; t != 0 {
		tolerance = strconv.Itoa(int(t / time.Minute))
	}
	p.Fields["tolerance"] = ui.Field{Name: "tolerance", Key: "compare.tolerance", Value: tolerance, Mode: "numeric", Hint: "compare.tolerance.hint", Max: 4}
	p.Fields["from"] = ui.Field{Name: "from", Key: "filter.from", Type: "date", Value: dateInput(ask.options.From), Hint: "compare.days.hint"}
	p.Fields["until"] = ui.Field{Name: "until", Key: "filter.until", Type: "date", Value: dateInput(ask.options.Until)}
	h.showCompare(w, r, a, status, p)
}

// dateInput is a day as forms of browsers write it.
func dateInput(day fiscal.WallTime) string {
	if day == 0 {
		return ""
	}
	return day.UTC().Format(time.DateOnly)
}

// comparison is what came of a file.
type comparison struct {
	*compare.Result
	bad   []badCell
	scope cabinet.Scope
}

// compareBooks compares. Errors as of compare.Comparer, and BadValue with the
// Field "books" where no row could be read.
func (h *Handler) compareBooks(r *http.Request, a *visitor, ask *compareAsk) (*comparison, error) {
	scope, err := cabinet.ScopeOf(a.Actor, access.SeeRevenue)
	if err != nil {
		return nil, err
	}
	rows, bad := ask.books.rows(ask.columns, ask.totals, h.render.Locales)
	if len(rows) == 0 {
		return nil, wrongBooks("no_rows")
	}
	made, err := h.cfg.Documents.Comparer.Compare(r.Context(), &scope, compare.Books{Rows: rows, Totals: ask.totals}, ask.options)
	var e *fiscal.Error
	if errors.As(err, &e) && e.Reason == fiscal.RateLimited {
		err = &fiscal.Error{Reason: fiscal.RateLimited, Field: e.Field, Err: &ui.RetryError{After: compare.TryAgain}}
	}
	return &comparison{made, bad, scope}, err
}

// compareTemplate is a file to be filled in.
func (h *Handler) compareTemplate(w http.ResponseWriter, r *http.Request, a *visitor) {
	if err := a.Must(access.SeeRevenue); err != nil {
		h.render.Error(w, r, err)
		return
	}
	var titles []string
	for _, field := range bookFields {
		titles = append(titles, a.locale.T("compare.field."+field))
	}
	h.blankTable(w, r, "books.xlsx", titles)
}
