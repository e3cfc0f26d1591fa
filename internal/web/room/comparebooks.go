package room

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/json"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"openofd/internal/cabinet/compare"
	"openofd/internal/fiscal"
	"openofd/internal/web/sheet"
	"openofd/internal/web/ui"
)

// Bounds of a file of a seller's books.
const (
	maxBooks        = 8 << 20  // bytes of it
	maxBooksPacked  = 8 << 20  // bytes of it as pages carry it
	maxBooksPages   = 18 << 20 // bytes of a form that brings or carries it
	maxBooksOpened  = 64 << 20 // bytes of its cells
	maxBooksBook    = 256 << 20
	titleRows       = 20  // in which the titles of columns are looked for
	maxBookName     = 100 // characters
	maxBookSample   = 40  // characters of a cell that a page shows
	badShown        = 100
	booksRowsBeside = titleRows + 20 // rows that are no rows of books
)

// books is a file of a seller's accounting as pages carry it: the browser keeps
// it while somebody looks at what came of it, we do not.
type books struct {
	Name  string     `json:"name"`
	Table [][]string `json:"table"`
	Head  int        `json:"head"` // the row with the titles
}

// readBooks reads a file. Invalid with the Field "books".
func readBooks(name string, content []byte, locales ui.Locales) (*books, error) {
	table, why := sheet.Read(content, sheet.Limits{Rows: compare.MaxRows + booksRowsBeside, Unpacked: maxBooksBook, Raw: true, Windows: true})
	if why != "" {
		return nil, wrongBooks(why)
	}
	for i := range table { // a cell is one line, and what cannot be shown is nothing
		for j := range table[i] {
			table[i][j] = oneLine(strings.ToValidUTF8(table[i][j], "\uFFFD"))
		}
	}
	b := &books{Name: bookName(name), Table: table}
	best := 0
	for i := range min(len(table), titleRows) {
		n := 0
		for _, title := range table[i] {
			if bookField(title, locales) != "" {
				n++
			}
		}
		if n > best {
			best, b.Head = n, i
		}
	}
	if b.Head == len(table)-1 || len(table[b.Head]) == 0 {
		return nil, wrongBooks("empty")
	}
	return b, nil
}

func wrongBooks(why string) error {
	return &fiscal.Error{Reason: fiscal.BadValue, Field: "books", Msg: why}
}

// bookName is the name of a file as it is shown and recorded.
func bookName(name string) string {
	if at := strings.LastIndexAny(name, `/\`); at >= 0 {
		name = name[at+1:]
	}
	name = oneLine(strings.Map(func(r rune) rune {
		if r < ' ' || r == utf8.RuneError {
			return ' '
		}
		return r
	}, name))
	if r := []rune(name); len(r) > maxBookName {
		name = string(r[:maxBookName])
	}
	return name
}

// pack is the file as a page carries it. Invalid with the Field "books" if it is
// too large for that.
func (b *books) pack() (string, error) {
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	err := json.NewEncoder(z).Encode(b)
	if err == nil {
		err = z.Close()
	}
	if err != nil {
		return "", err
	}
	if out.Len() > maxBooksPacked*3/4 {
		return "", wrongBooks("too_large")
	}
	return base64.RawURLEncoding.EncodeToString(out.Bytes()), nil
}

// unpackBooks is what a page brings back.
func unpackBooks(packed string) (*books, error) {
	bad := func(err error) (*books, error) {
		return nil, &fiscal.Error{Reason: fiscal.BadForm, Field: "content", Err: err}
	}
	raw, err := base64.RawURLEncoding.DecodeString(packed)
	if err != nil {
		return bad(err)
	}
	z, err := gzip.NewReader(bytes.NewReader(raw))
	if err != nil {
		return bad(err)
	}
	var b books
	if err := json.NewDecoder(io.LimitReader(z, maxBooksOpened)).Decode(&b); err != nil {
		return bad(err)
	}
	if b.Head < 0 || b.Head >= len(b.Table) || len(b.Table) > compare.MaxRows+booksRowsBeside {
		return bad(nil)
	}
	b.Name = bookName(b.Name)
	return &b, nil
}

// bookFields are what a column of books may be, in the order of the template.
var bookFields = []string{"register", "outlet", "date", "clock", "operation", "sign", "number", "total", "cash", "cashless", "other", "payment", "tax", "cashier"}

// bookField is what a title says that its column is, in any language; "" if it
// says nothing that we know.
func bookField(title string, locales ui.Locales) string {
	title = plainTitle(title)
	if title == "" {
		return ""
	}
	for _, f := range bookFields {
		for _, l := range locales {
			if plainTitle(l.T("compare.field."+f)) == title || slices.Contains(strings.Split(l.T("compare.titles."+f), "|"), title) {
				return f
			}
		}
	}
	return ""
}

// plainTitle is a title without what people add to it: units behind a comma or in
// brackets, marks, more spaces than one.
func plainTitle(s string) string {
	for _, mark := range []string{",", "("} {
		if before, _, ok := strings.Cut(s, mark); ok && strings.TrimSpace(before) != "" {
			s = before
		}
	}
	return strings.ToLower(strings.Trim(oneLine(strings.NewReplacer("_", " ", "\"", " ", "«", " ", "»", " ").Replace(s)), " *:.№#"))
}

// guessed is what the titles say that the columns are, each at most once.
func (b *books) guessed(locales ui.Locales) []string {
	columns := make([]string, b.width())
	for i, title := range b.Table[b.Head] {
		if f := bookField(title, locales); f != "" && !slices.Contains(columns, f) {
			columns[i] = f
		}
	}
	return columns
}

// width is how many columns the file has.
func (b *books) width() (n int) {
	for _, row := range b.Table[b.Head:min(len(b.Table), b.Head+titleRows)] {
		n = max(n, len(row))
	}
	return n
}

// totals reports whether books with these columns are totals rather than
// receipts: nothing names a receipt, and days have no time.
func (b *books) totals(columns []string) bool {
	if slices.Contains(columns, "sign") || slices.Contains(columns, "number") || slices.Contains(columns, "clock") {
		return false
	}
	at := slices.Index(columns, "date")
	if at < 0 {
		return true
	}
	for _, row := range b.Table[b.Head+1 : min(len(b.Table), b.Head+1+titleRows)] {
		if at < len(row) {
			if m, ok := sheet.Time(row[at]); ok && m.Clock {
				return false
			}
		}
	}
	return true
}

// badCell is a row that could not be read, for the first cell that was wrong.
type badCell struct {
	Line  int
	Field string // key of bookFields
	Value string
}

// Key is that of the words for what to do.
func (c badCell) Key() string { return "compare.bad." + c.Field }

// rows are the file's rows as its columns are understood, and those that could
// not be.
func (b *books) rows(columns []string, totals bool, locales ui.Locales) (rows []compare.Row, bad []badCell) {
	at := map[string]int{}
	for i, f := range columns {
		if f != "" {
			at[f] = i
		}
	}
	told := newBookWords(locales)
	for i, cells := range b.Table[b.Head+1:] {
		line := b.Head + 2 + i
		if told.closes(cells) {
			continue
		}
		reader := bookReader{cells: cells, at: at, words: told, totals: totals, row: compare.Row{Line: line}}
		if reader.read(); reader.wrong != "" {
			bad = append(bad, badCell{line, reader.wrong, cutRunes(reader.cell(reader.wrong), maxBookSample)})
			continue
		}
		rows = append(rows, reader.row)
	}
	return rows, bad
}

func cutRunes(s string, most int) string {
	if r := []rune(s); len(r) > most {
		return string(r[:most]) + "…"
	}
	return s
}

// bookWords are the words that cells of books are read by, in lower case.
type bookWords struct {
	ops      map[string]fiscal.Op
	payments map[string]compare.Column
	sums     []string // with which a line begins that adds others up
}

func newBookWords(locales ui.Locales) *bookWords {
	w := &bookWords{ops: map[string]fiscal.Op{}, payments: map[string]compare.Column{}}
	for _, l := range locales {
		for op := fiscal.OpSale; op.Settlement(); op++ {
			for _, word := range append(strings.Split(l.T("compare.words."+op.String()), "|"), l.T("did."+op.String()), op.String()) {
				w.ops[strings.ToLower(word)] = op
			}
		}
		for _, c := range []compare.Column{compare.ColCash, compare.ColCashless, compare.ColOther} {
			for _, word := range append(strings.Split(l.T("compare.words."+c.String()), "|"), l.T("compare.field."+c.String()), c.String()) {
				w.payments[strings.ToLower(word)] = c
			}
		}
		w.sums = append(w.sums, strings.Split(l.T("compare.words.sum"), "|")...)
	}
	return w
}

// closes reports whether a line is none of a receipt: empty, or a sum of others.
func (w *bookWords) closes(cells []string) bool {
	for _, c := range cells {
		if c = strings.ToLower(c); c != "" {
			return slices.ContainsFunc(w.sums, func(s string) bool {
				rest, ok := strings.CutPrefix(c, s)
				return ok && (rest == "" || strings.ContainsAny(rest[:1], " :."))
			})
		}
	}
	return true
}

// bookReader reads one line. What is wrong first ends it.
type bookReader struct {
	cells  []string
	at     map[string]int
	words  *bookWords
	totals bool
	row    compare.Row
	wrong  string // a field
}

// cell is what stands in a field's column, "" if there is none.
func (r *bookReader) cell(field string) string {
	if i, ok := r.at[field]; ok && i < len(r.cells) {
		return r.cells[i]
	}
	return ""
}

func (r *bookReader) fail(field string) {
	if r.wrong == "" {
		r.wrong = field
	}
}

func (r *bookReader) read() {
	r.row.Register, r.row.Outlet, r.row.Cashier = cutRunes(r.cell("register"), 128), cutRunes(r.cell("outlet"), 128), cutRunes(r.cell("cashier"), 64)
	r.time()
	if op := strings.ToLower(r.cell("operation")); op != "" {
		var ok bool
		if r.row.Op, ok = r.words.ops[op]; !ok {
			r.fail("operation")
		}
	}
	if !r.totals {
		r.row.Sign, r.row.Number = r.digits("sign"), r.digits("number")
	}
	r.amounts()
	if r.wrong != "" {
		return
	}
	switch r.row.Settle(r.totals) {
	case "total":
		r.fail("total")
	case "time":
		r.fail("date")
	}
	if _, dated := r.at["date"]; dated && r.totals && r.row.Grain == compare.NoTime {
		r.fail("date")
	}
	if _, long := r.at["payment"]; long && r.totals { // the total is of several such lines
		r.row.Has &^= compare.ColTotal
	}
}

// digits are the number in a field, 0 if there is none.
func (r *bookReader) digits(field string) uint64 {
	s := r.cell(field)
	if s == "" {
		return 0
	}
	n, ok := sheet.Digits(s)
	if !ok {
		r.fail(field)
	}
	return n
}

func (r *bookReader) time() {
	s := r.cell("date")
	if s == "" {
		return
	}
	m, ok := sheet.Time(s)
	if !ok {
		r.fail("date")
		return
	}
	r.row.Time, r.row.Grain = m.Time, compare.OfDay
	exact := m.Seconds
	if c := r.cell("clock"); c != "" {
		seconds, whole, ok := sheet.Clock(c)
		if !ok {
			r.fail("clock")
			return
		}
		r.row.Time, m.Clock, exact = m.Time.Day()+seconds, true, whole
	}
	switch {
	case m.Clock && exact:
		r.row.Grain = compare.OfSecond
	case m.Clock:
		r.row.Grain = compare.OfMinute
	}
}

// amounts reads the money of a line.
func (r *bookReader) amounts() {
	for _, c := range compare.Columns() {
		if c&compare.Amounts == 0 {
			continue
		}
		s := r.cell(c.String())
		if s == "" {
			continue
		}
		m, ok := sheet.Amount(s)
		if !ok || m.Abs() > compare.MaxAmount {
			r.fail(c.String())
			return
		}
		r.row.Has |= c
		r.row.Set(c, m)
	}
	if way := strings.ToLower(r.cell("payment")); way != "" && r.row.Has&compare.ColTotal != 0 {
		c, ok := r.words.payments[way]
		if !ok {
			r.fail("payment")
			return
		}
		r.row.Set(c, r.row.Total)
		r.row.Has |= c
	}
}
